use std::{collections::BTreeSet, net::Ipv4Addr, sync::Arc};

use tokio::task::JoinSet;

use super::*;

const PATIENCE: Duration = Duration::from_secs(60);

fn places(working: usize, of_one: usize, waiting: usize) -> Places {
    Places { working, of_one, waiting, patience: PATIENCE }
}

/// Parties that have different lanes.
fn parties(admission: &Admission, count: usize) -> Vec<Party> {
    let mut lanes = BTreeSet::new();
    (0u32..)
        .map(|number| Party::Source(Source::of(Ipv4Addr::from(number).into())))
        .filter(|party| lanes.insert(admission.hasher.hash_one(party) as usize % LANES))
        .take(count)
        .collect()
}

/// Lets the tasks that wait come to their waiting.
async fn settle(admission: &Admission, waiting: usize) {
    while admission.waiting.load(SeqCst) != waiting {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn nobody_takes_all_and_places_come_back() {
    let admission = Admission::new(Places { patience: Duration::from_millis(20), ..places(4, 3, 9) });
    let [one, other] = parties(&admission, 2)[..] else { unreachable!() };
    let first = admission.enter(one).await.unwrap();
    let mut held = vec![admission.enter(one).await.unwrap(), admission.enter(one).await.unwrap()];
    assert!(admission.enter(one).await.is_err(), "its share is used up");
    held.push(admission.enter(other).await.unwrap());
    assert!(admission.enter(other).await.is_err(), "there is no place");
    assert_eq!((admission.working.load(SeqCst), admission.waiting.load(SeqCst)), (4, 0));
    drop(first);
    held.push(admission.enter(other).await.unwrap());
    drop(held);
    assert_eq!(admission.working.load(SeqCst), 0);
    assert!(admission.lanes.iter().all(|lane| lane.load(SeqCst) == 0));
}

/// The order in which those are served who came in this one while the only place was taken for so long, by party and
/// number.
async fn served(waited: Duration, came: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let admission = Arc::new(Admission::new(places(1, 1, 100)));
    let parties = parties(&admission, 3);
    let held = admission.enter(parties[0]).await.unwrap();
    let order: Arc<Mutex<Vec<(usize, usize)>>> = Arc::default();
    let mut tasks = JoinSet::new();
    for (count, (party, number)) in came.iter().copied().enumerate() {
        let (admission, order, who) = (Arc::clone(&admission), Arc::clone(&order), parties[party]);
        tasks.spawn(async move {
            let _place = admission.enter(who).await.unwrap();
            order.lock().unwrap().push((party, number));
        });
        settle_in(&held, count + 1).await;
    }
    tokio::time::advance(waited).await;
    drop(held);
    tasks.join_all().await;
    std::mem::take(&mut *order.lock().unwrap())
}

#[tokio::test(start_paused = true)]
async fn in_a_slow_line_the_newest_goes_first_and_parties_take_turns() {
    let order = served(PATIENCE * 2 / 3, &[(0, 1), (0, 2), (0, 3), (1, 1), (0, 4), (2, 1), (2, 2)]).await;
    let of = |party: usize| order.iter().filter(|entry| entry.0 == party).map(|entry| entry.1).collect::<Vec<_>>();
    assert_eq!((of(0), of(1), of(2)), (vec![4, 3, 2, 1], vec![1], vec![2, 1]), "the newest first: {order:?}");
    let first_three: BTreeSet<usize> = order[..3].iter().map(|entry| entry.0).collect();
    assert_eq!(first_three.len(), 3, "each party had a turn before any had a second: {order:?}");
}

#[tokio::test(start_paused = true)]
async fn a_line_that_moves_is_served_in_its_order() {
    let order = served(PATIENCE / 3, &[(0, 1), (0, 2), (0, 3), (0, 4)]).await;
    assert_eq!(order, [(0, 1), (0, 2), (0, 3), (0, 4)]);
}

async fn settle_in(place: &Place<'_>, waiting: usize) {
    settle(place.admission, waiting).await;
}

#[tokio::test]
async fn a_full_line_loses_who_has_waited_longest_where_most_wait() {
    let admission = Arc::new(Admission::new(places(1, 1, 3)));
    let parties = parties(&admission, 2);
    let held = admission.enter(parties[0]).await.unwrap();
    let mut tasks = JoinSet::new();
    for (number, party) in [0, 0, 0, 1].into_iter().enumerate() {
        let (admission, who) = (Arc::clone(&admission), parties[party]);
        tasks.spawn(async move { (number, admission.enter(who).await.is_ok()) });
        settle_in(&held, (number + 1).min(3)).await;
    }
    assert_eq!(tasks.join_next().await.unwrap().unwrap(), (0, false));
    drop(held);
    assert!(tasks.join_all().await.into_iter().all(|(_, entered)| entered));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_place_is_lost_whoever_comes_and_goes() {
    let admission = Arc::new(Admission::new(places(3, 2, 10_000)));
    let parties = parties(&admission, 5);
    let mut tasks = JoinSet::new();
    for number in 0..4_000usize {
        let (admission, who) = (Arc::clone(&admission), parties[number * 7 % 5]);
        tasks.spawn(async move {
            let enter = async {
                let place = admission.enter(who).await;
                for _ in 0..number % 3 {
                    tokio::task::yield_now().await;
                }
                place.is_ok()
            };
            // Some lose their patience, at any moment.
            match number % 4 {
                0 => tokio::time::timeout(Duration::from_micros(number as u64 % 300), enter).await.unwrap_or(true),
                _ => enter.await,
            }
        });
    }
    let all = tokio::time::timeout(Duration::from_secs(30), tasks.join_all()).await.expect("nobody is forgotten");
    assert!(all.into_iter().all(|entered| entered), "nobody who waited was refused");
    assert_eq!((admission.working.load(SeqCst), admission.waiting.load(SeqCst)), (0, 0));
    assert!(admission.lanes.iter().all(|lane| lane.load(SeqCst) == 0));
}
