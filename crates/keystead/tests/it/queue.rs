//! The queue: who has which job, and who is served when.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use keystead_core::{
    App,
    queue::{BATCH, Outcome, Settled, Turn},
};
use keystead_jobs::{Worker, mail_worker};
use keystead_model::{
    UtcMs,
    id::Id,
    job::{Job, JobCounts, JobKind},
    mail::MailState,
};
use keystead_store::{Error, Store, queue};
use keystead_testkit::TestApp;
use tokio::sync::{mpsc, watch};

use crate::mails::{BASE, sink};

const KIND: JobKind = JobKind::Mail;

fn owner(app: &TestApp) -> Id<()> {
    app.app.entropy().id(app.app.now())
}

/// Adds jobs that are due now.
async fn add(app: &TestApp, store: &Store, owner: Id<()>, count: usize) {
    let now = app.app.now();
    for jobs in (0..count).collect::<Vec<_>>().chunks(500) {
        let ids: Vec<Id<()>> = jobs.iter().map(|_| app.app.entropy().id(now)).collect();
        let added =
            store.write_in(owner, move |tx| ids.iter().try_for_each(|id| queue::add(tx, KIND, *id, owner, Some(now))));
        added.await.unwrap_or_else(|error: Error| panic!("{error}"));
    }
}

async fn counts(app: &TestApp) -> JobCounts {
    app.second_store().read(|tx| queue::count(tx, KIND)).await.unwrap_or_else(|error: Error| panic!("{error}"))
}

async fn turn(node: &App, most: usize) -> Vec<Job> {
    node.take_turn(KIND, &[], most).await.unwrap().jobs
}

/// Says what became of a job; whether that was still to say.
async fn settle(node: &App, job: &Job, outcome: Outcome) -> bool {
    let settled = [Arc::new(Settled::new(job.clone(), outcome))];
    node.take_turn(KIND, &settled, 0).await.unwrap().too_late == 0
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_share_the_work_and_never_have_the_same_job() {
    let app = TestApp::start().await;
    let store = app.second_store();
    let others = [app.second_node().await, app.second_node().await];
    for _ in 0..7 {
        add(&app, &store, owner(&app), 60).await;
    }
    let had = Arc::new(Mutex::new(HashMap::<Id<()>, (bool, usize, usize)>::new()));
    let worker = |number: usize, node: &App| {
        let had = Arc::clone(&had);
        Worker::new(node.clone(), KIND, 2 * BATCH, move |_, job, _| {
            let had = Arc::clone(&had);
            async move {
                {
                    let mut had = had.lock().unwrap();
                    let (is_had, times, by) = had.entry(job.id).or_default();
                    assert!(!*is_had, "two have {}", job.id);
                    (*is_had, *times, *by) = (true, *times + 1, number);
                }
                tokio::time::sleep(Duration::from_millis(3)).await;
                had.lock().unwrap().get_mut(&job.id).unwrap().0 = false;
                Ok(Settled::new(job, Outcome::Done))
            }
        })
    };
    let (one, two) = tokio::join!(worker(1, &others[0]).drain(), worker(2, &others[1]).drain());
    one.unwrap();
    two.unwrap();
    assert_eq!(counts(&app).await, JobCounts::default());
    let had = had.lock().unwrap().clone();
    assert_eq!(had.len(), 420);
    assert!(had.values().all(|(is_had, times, _)| !is_had && *times == 1), "each once");
    let servers: HashSet<usize> = had.values().map(|(.., by)| *by).collect();
    assert_eq!(servers.len(), 2, "both had a part");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_says_after_its_lease_is_refused() {
    let app = TestApp::start().await;
    let (slow, other) = (app.second_node().await, app.second_node().await);
    for outcome in
        [Outcome::Done, Outcome::Again(Duration::from_secs(1), "x".to_owned()), Outcome::GivenUp("x".to_owned())]
    {
        add(&app, &app.second_store(), owner(&app), 1).await;
        let had = turn(&slow, 5).await.remove(0);
        assert_eq!((had.attempt, had.lost), (1, 0));
        app.clock.advance(KIND.lease().saturating_sub(Duration::from_millis(1)));
        assert!(turn(&other, 5).await.is_empty(), "it is the first's");
        app.clock.advance(Duration::from_millis(1));
        let has = turn(&other, 5).await.remove(0);
        assert_eq!((has.id, has.attempt, has.lost), (had.id, 2, 1));
        assert!(!settle(&slow, &had, outcome).await, "it is somebody else's to say");
        assert_eq!(counts(&app).await.taken, 1, "nothing came of it");
        assert!(settle(&other, &has, Outcome::Done).await);
        assert!(!settle(&other, &has, Outcome::Done).await, "once");
        assert_eq!(counts(&app).await, JobCounts::default());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_failed_comes_again_later_and_never_before() {
    let app = TestApp::start().await;
    add(&app, &app.second_store(), owner(&app), 1).await;
    let job = turn(&app.app, 5).await.remove(0);
    assert!(settle(&app.app, &job, Outcome::Again(Duration::from_secs(100), "x".to_owned())).await);
    assert!(!settle(&app.app, &job, Outcome::Done).await, "it was given back");
    app.clock.advance(Duration::from_secs(89));
    assert!(turn(&app.app, 5).await.is_empty());
    app.clock.advance(Duration::from_secs(22));
    let again = turn(&app.app, 5).await.remove(0);
    assert_eq!((again.attempt, again.lost), (2, 0), "somebody said what became of it");
    assert!(settle(&app.app, &again, Outcome::GivenUp("x".to_owned())).await);
    assert_eq!(counts(&app).await, JobCounts { given_up: 1, ..JobCounts::default() }, "it is kept");
    app.clock.advance(Duration::from_secs(31 * 86_400));
    assert!(turn(&app.app, 5).await.is_empty());
    assert_eq!(app.app.trim_jobs().await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_ten_thousand_jobs_delays_nobody_who_has_one() {
    let app = TestApp::start().await;
    let store = app.second_store();
    let mut owners = [owner(&app), owner(&app), owner(&app)];
    owners.sort_unstable();
    // Whoever comes first in the line, by their id.
    for (number, many) in owners.into_iter().enumerate() {
        app.sql("DELETE FROM jobs").await;
        let node = app.second_node().await;
        add(&app, &store, many, 10_000).await;
        for _ in 0..3 {
            assert_eq!(turn(&node, BATCH).await.len(), BATCH);
        }
        let few: Vec<Id<()>> = owners.into_iter().filter(|owner| *owner != many).collect();
        for owner in &few {
            add(&app, &store, *owner, 1).await;
        }
        let mut served = HashSet::new();
        for _ in 0..3 {
            served.extend(turn(&node, BATCH).await.iter().map(|job| job.owner));
        }
        assert!(few.iter().all(|owner| served.contains(owner)), "owner {number} of three has many");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_beyond_those_that_are_looked_at_in_one_go_come_too() {
    let app = TestApp::start().await;
    let store = app.second_store();
    // Nobody's is due but the last one's.
    let now = app.app.now();
    let mut owners: Vec<Id<()>> = (0..600).map(|_| owner(&app)).collect();
    owners.sort_unstable();
    let last = *owners.last().unwrap();
    let later = UtcMs(now.0 + 3_600_000);
    let added = store.write_in(last, move |tx| {
        owners
            .iter()
            .try_for_each(|owner| queue::add(tx, KIND, *owner, *owner, Some(if *owner == last { now } else { later })))
    });
    added.await.unwrap_or_else(|error: Error| panic!("{error}"));
    let mut turns = 0;
    let found = loop {
        turns += 1;
        let Turn { jobs, has_more, .. } = app.app.take_turn(KIND, &[], 5).await.unwrap();
        if !jobs.is_empty() || !has_more {
            break jobs;
        }
    };
    assert_eq!((found.len(), found[0].owner, turns), (1, last, 3));
    // The line is seen once more from its front, and then left alone: nobody in it is due.
    let mut turns = 1;
    while app.app.take_turn(KIND, &[], 5).await.unwrap().has_more {
        turns += 1;
        assert!(turns < 10, "it looks for what is not due for ever");
    }
    assert_eq!(turns, 3);
}

/// A job that ends its server is tried by a few, and then told of.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_ends_its_server_is_given_up() {
    let app = TestApp::start().await;
    app.location_key().await;
    app.let_days_pass(75.05).await;
    app.app.sweep().await.unwrap();
    assert_eq!(app.app.queue_mails(BASE).await.unwrap(), 1);
    for lost in 0..Job::MOST_LOST {
        let job = turn(&app.second_node().await, 5).await.remove(0);
        assert_eq!((job.lost, job.is_dangerous()), (lost, false));
        app.clock.advance(KIND.lease());
    }
    let sink = sink().await;
    let mailer = keystead_core::Mailer::new(&sink.url, "keys@crm.example").unwrap();
    mail_worker(&app.app, &mailer, BASE).drain().await.unwrap();
    assert!(sink.mails.lock().unwrap().is_empty(), "nobody tries it any more");
    let mail = app.app.list_mails().await.unwrap().remove(0);
    assert_eq!((mail.state, mail.attempts), (MailState::Failed, 6));
    assert!(mail.problem.unwrap().contains("5 servers took it"));
    assert_eq!(counts(&app).await.given_up, 1);
    let warnings = app.app.system_status().await.unwrap().warnings();
    assert!(warnings.iter().any(|warning| warning.starts_with("1 mail was given up")), "{warnings:?}");
    let figures = app.app.figures().await;
    let given_up = figures
        .iter()
        .find(|figure| figure.name == "keystead_jobs" && figure.labels.iter().any(|(_, value)| value == "given_up"));
    assert!(format!("{:?}", given_up.unwrap().reading).contains('1'), "{given_up:?}");
}

/// However often a server is stopped beside a mail server that says nothing, no mail is given up for it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_at_a_stop_is_given_back() {
    let app = TestApp::start().await;
    add(&app, &app.second_store(), owner(&app), 3).await;
    for _ in 0..=Job::MOST_LOST {
        let (stop, stopped) = watch::channel(false);
        let (begun, mut begins) = mpsc::unbounded_channel();
        let work = move |_, job: Job, _| {
            begun.send(job).unwrap();
            std::future::pending()
        };
        let worker = Worker::new(app.second_node().await, KIND, 4, work);
        let stops = async {
            for _ in 0..3 {
                assert_eq!(begins.recv().await.unwrap().lost, 0);
            }
            stop.send(true).unwrap();
        };
        tokio::join!(worker.run(stopped, Duration::ZERO), stops);
        assert_eq!(counts(&app).await, JobCounts { waiting: 3, ..JobCounts::default() });
    }
    // What ends in time is what it is.
    let (stop, stopped) = watch::channel(false);
    let work = move |_, job: Job, _| {
        stop.send(true).unwrap();
        async { Ok(Settled::new(job, Outcome::Done)) }
    };
    Worker::new(app.app.clone(), KIND, 4, work).run(stopped, Duration::from_secs(60)).await;
    assert_eq!(counts(&app).await, JobCounts::default());
}

/// Work that panics, or fails, holds up nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn work_that_panics_leaves_the_rest_alone() {
    let app = TestApp::start().await;
    add(&app, &app.second_store(), owner(&app), 20).await;
    let number = Arc::new(Mutex::new(0));
    let work = move |_, job: Job, _| {
        let mut number = number.lock().unwrap();
        *number += 1;
        let number = *number;
        async move {
            match number {
                1 => panic!("on purpose"),
                2 => Err(keystead_core::Error::Internal("on purpose".to_owned())),
                _ => Ok(Settled::new(job, Outcome::Done)),
            }
        }
    };
    Worker::new(app.app.clone(), KIND, 4, work).drain().await.unwrap();
    assert_eq!(counts(&app).await, JobCounts { waiting: 1, taken: 1, given_up: 0 });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_makes_work_wakes_whoever_waits_and_one_that_is_undone_does_not() {
    let app = TestApp::start().await;
    let store = app.second_store();
    let is_woken = async || {
        tokio::select! {
            biased;
            () = store.work_comes(KIND) => true,
            () = std::future::ready(()) => false,
        }
    };
    let (owner, now) = (owner(&app), app.app.now());
    let undone = store.write_in(owner, move |tx| {
        queue::add(tx, KIND, owner, owner, Some(now))?;
        Err::<(), _>(Error::Statement("on purpose".to_owned()))
    });
    undone.await.unwrap_err();
    assert!(!is_woken().await);
    add(&app, &store, owner, 3).await;
    assert!(is_woken().await, "by a write of its owner");
    assert!(!is_woken().await, "once");
    let id = app.app.entropy().id(now);
    store.write(move |tx| queue::add(tx, KIND, id, owner, Some(now))).await.unwrap();
    assert!(is_woken().await, "by a write of anybody");
}

/// What the clock of the database decides, where no test says what time it is.
#[tokio::test(flavor = "multi_thread")]
async fn leases_are_by_the_clock_of_the_database() {
    let app = TestApp::start().await;
    let owner = owner(&app);
    let store = app.second_store();
    let taken = store.write_in(owner, move |tx| {
        let before = queue::begin(tx, None)?;
        queue::add(tx, KIND, owner, owner, None)?;
        let due = queue::next_due(tx, KIND)?.unwrap();
        let now = queue::begin(tx, None)?;
        assert!(before <= due && due <= now && before.0 > 1_700_000_000_000, "{before:?} {due:?} {now:?}");
        queue::take(tx, KIND, owner, now, UtcMs(now.0 + 1000), 1)
    });
    assert_eq!(taken.await.unwrap_or_else(|error: Error| panic!("{error}")).len(), 1);
}
