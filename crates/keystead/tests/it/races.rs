//! Pairs of racing operations. On PostgreSQL the first of a pair is stopped at every point inside its transaction, the
//! second runs into it on another node, and then the first goes on. On SQLite all writes are serial, so only whole
//! operations at once have something to show there.

use std::{
    cell::Cell,
    sync::Arc,
    time::{Duration, Instant},
};

use keystead_core::{AgencyContext, App, Error, ErrorCode, NoticeFilter, OldKeyEnds, Result, Swept};
use keystead_model::{
    api_key::{ApiKey, KeyState, Refusal},
    notice::NoticeSubject,
    page::Window,
};
use keystead_testkit::{TestApp, TestDatabase, TestKey, authenticate};

/// The tables that operations write to, in the order in which they first come to them.
const USE: &[&str] = &["api_keys"];
const STAGE: &[&str] = &["api_keys", "notices"];
const CHANGE: &[&str] = &["change_head", "changes", "api_keys", "events"];
const DELETION: &[&str] = &["change_head", "api_keys", "events", "notices", "changes"];

/// The days before each step of a ladder.
const LADDER: [f64; 4] = [75.05, 8.0, 6.0, 1.1];

async fn record(app: &TestApp, key: &TestKey) -> ApiKey {
    let operator = app.operator().await;
    app.app.get_key(operator.authority(), key.id).await.unwrap()
}

/// What became of a pair.
struct Raced<A, B> {
    /// Where the first was stopped.
    point: String,
    app: Arc<TestApp>,
    nodes: [App; 2],
    key: TestKey,
    first: A,
    second: B,
}

impl<A, B> Raced<A, B> {
    /// The same with the outcomes in the other order, for a check that serves both.
    fn swapped(self) -> Raced<B, A> {
        let Self { point, app, nodes, key, first, second } = self;
        Raced { point, app, nodes, key, first: second, second: first }
    }

    async fn key(&self) -> ApiKey {
        record(&self.app, &self.key).await
    }

    async fn notices(&self, kind: &str) -> usize {
        let operator = self.app.operator().await;
        let filter = NoticeFilter { archived: true, ..Default::default() };
        let found = self.app.app.list_notices(operator.authority(), filter, Window::first(1000)).await.unwrap().rows;
        found
            .iter()
            .filter(|notice| notice.about.subject() == NoticeSubject::Key(self.key.id) && notice.kind.as_str() == kind)
            .count()
    }

    async fn audited(&self, action: &str) -> usize {
        let operator = self.app.operator().await;
        let rows = self.app.app.list_key_changes(operator.authority(), self.key.id).await.unwrap();
        rows.iter().filter(|row| row.kind == action).count()
    }
}

/// Lets `first` and `second` race over a key that has gone through `steps` of the ladder, with a sweep before each but
/// the last, once for every point at which the first can be stopped: before and after its statements on each of `tables`.
async fn race<A, B>(
    steps: &[f64],
    tables: &[&str],
    first: impl AsyncFn(&App, &TestKey) -> A,
    second: impl AsyncFn(&App, &TestKey) -> B,
    check: impl AsyncFn(Raced<A, B>),
) {
    let app = Arc::new(TestApp::start().await);
    let (one, two) = (app.node_on(&app.database.gated()).await, app.second_node().await);
    for (table, when) in tables.iter().flat_map(|table| [(table, "BEFORE"), (table, "AFTER")]) {
        let key = app.location_key().await;
        for (index, days) in steps.iter().enumerate() {
            app.let_days_pass(*days).await;
            if index + 1 < steps.len() {
                app.app.sweep().await.unwrap();
            }
        }
        one.poll_changes().await.unwrap();
        two.poll_changes().await.unwrap();
        let mut gate = app.database.close_gate(table, when);
        let (first_is_done, second_is_done) = (Cell::new(false), Cell::new(false));
        let racing = async {
            let outcome = first(&one, &key).await;
            first_is_done.set(true);
            outcome
        };
        let meeting = async {
            until(|| gate.waiting() > 0 || first_is_done.get()).await;
            assert!(!first_is_done.get(), "it never came to this point: {when} {table}");
            let following = async {
                let outcome = second(&two, &key).await;
                second_is_done.set(true);
                outcome
            };
            let opening = async {
                // The second has ended before the first goes on, or waits for it.
                until(|| second_is_done.get() || gate.waiting() > 1).await;
                gate.open();
            };
            tokio::join!(following, opening).0
        };
        let (first, second) = tokio::join!(racing, meeting);
        gate.remove();
        one.poll_changes().await.unwrap();
        two.poll_changes().await.unwrap();
        let point = format!("{when} {table}");
        let nodes = [one.clone(), two.clone()];
        check(Raced { point, app: Arc::clone(&app), nodes, key: key.clone(), first, second }).await;
        // What is left of it must not be swept with the next one.
        let operator = app.operator().await;
        let _ = app.app.delete_key(operator.authority(), key.id).await;
    }
}

async fn until(is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it takes too long");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The operator, at a node.
async fn operator(node: &App) -> AgencyContext {
    let agency = node.list_agencies().await.unwrap()[0].id;
    node.operator_in(agency).await.unwrap()
}

async fn use_it(node: &App, key: &TestKey) -> Result<()> {
    authenticate(node, key).await.map(drop)
}

async fn sweep(node: &App, _: &TestKey) -> Swept {
    node.sweep().await.unwrap()
}

fn was_refused_as_deleted(used: &Result<()>) -> bool {
    matches!(used, Err(Error::Refused(Refusal::Deleted { .. })))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_use_and_a_stage_both_happen_and_the_use_voids_the_ladder() {
    if !TestDatabase::is_postgres() {
        return;
    }
    for steps in [&LADDER[..1], &LADDER[..2], &LADDER[..3]] {
        let check = async |raced: &Raced<Result<()>, Swept>, is_recorded: bool| {
            assert_eq!(raced.second.notices, u64::from(is_recorded), "{}", raced.point);
            raced.first.as_ref().unwrap_or_else(|error| panic!("{}: {error}", raced.point));
            let inactivity = raced.key().await.inactivity;
            assert_eq!(inactivity.stage, None, "{}: the next ladder is whole", raced.point);
            assert_eq!(inactivity.idle_since, raced.app.app.service_now(), "{}", raced.point);
            let recorded = steps.len() - 1 + usize::try_from(raced.second.notices).unwrap();
            assert_eq!(raced.notices("inactivity").await, recorded, "{}: stage and notice are one", raced.point);
        };
        race(steps, USE, use_it, sweep, async |raced| {
            let is_recorded = raced.point == "BEFORE api_keys";
            check(&raced, is_recorded).await;
        })
        .await;
        race(steps, STAGE, sweep, use_it, async |raced| {
            // It has locked the row before its first statement there: the use has to wait.
            check(&raced.swapped(), true).await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_use_and_a_deletion_the_one_that_commits_first_wins() {
    if !TestDatabase::is_postgres() {
        return;
    }
    let check = async |raced: &Raced<Result<()>, Swept>, is_deleted: bool| {
        let Raced { point, first: used, second: swept, .. } = raced;
        let deleted = usize::try_from(swept.deleted).unwrap();
        assert_eq!(deleted == 1, is_deleted, "{point}");
        assert_eq!(used.is_ok(), deleted == 0, "{point}: {used:?}");
        assert!(used.is_ok() || was_refused_as_deleted(used), "{point}: {used:?}");
        let key = raced.key().await;
        assert_eq!(key.is_deleted(), deleted == 1, "{point}");
        assert_eq!(raced.audited("api_key.deleted").await, deleted, "{point}");
        assert_eq!(raced.notices("deleted").await, deleted, "{point}");
        for node in &raced.nodes {
            assert_eq!(use_it(node, &raced.key).await.is_ok(), deleted == 0, "{point}: every node agrees");
        }
    };
    race(&LADDER, USE, use_it, sweep, async |raced| {
        let is_deleted = raced.point == "BEFORE api_keys";
        check(&raced, is_deleted).await;
    })
    .await;
    race(&LADDER, DELETION, sweep, use_it, async |raced| {
        // Once it has locked the key's row, the use has to wait for the deletion, and is refused.
        let is_used = raced.point.ends_with("change_head");
        check(&raced.swapped(), !is_used).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_sweeps_each_step_is_taken_by_one() {
    if !TestDatabase::is_postgres() {
        return;
    }
    for (steps, tables) in [(1, STAGE), (LADDER.len(), DELETION)] {
        race(&LADDER[..steps], tables, sweep, sweep, async |raced| {
            let (ours, theirs) = (&raced.first, &raced.second);
            let is_deletion = steps == LADDER.len();
            assert_eq!(ours.deleted + theirs.deleted, u64::from(is_deletion), "{}", raced.point);
            assert_eq!(ours.notices + theirs.notices, u64::from(!is_deletion), "{}", raced.point);
            assert_eq!(raced.audited("api_key.deleted").await, usize::from(is_deletion), "{}", raced.point);
            assert_eq!(raced.notices("inactivity").await, steps.min(3), "{}", raced.point);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_has_read_before_a_restore_does_nothing_after_it() {
    if !TestDatabase::is_postgres() {
        return;
    }
    let delete_and_restore = async |node: &App, key: &TestKey| {
        let swept = node.sweep().await.unwrap();
        let operator = operator(node).await;
        let restored = node.restore_key(operator.authority(), key.id).await;
        (swept.deleted, restored.map(drop))
    };
    race(&LADDER, DELETION, sweep, delete_and_restore, async |raced| {
        let (deleted, restored) = &raced.second;
        assert_eq!(raced.first.deleted + deleted, 1, "{}", raced.point);
        restored.as_ref().unwrap_or_else(|error| panic!("{}: {error}", raced.point));
        let key = raced.key().await;
        assert_eq!(key.state, KeyState::Active, "{}", raced.point);
        assert_eq!(key.inactivity.stage, None, "{}: a full 90 days", raced.point);
        assert_eq!((raced.audited("api_key.deleted").await, raced.audited("api_key.restored").await), (1, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_rotations_one_is_told_to_look_again_wherever_the_first_stands() {
    if !TestDatabase::is_postgres() {
        return;
    }
    let rotate = async |node: &App, key: &TestKey| {
        let operator = operator(node).await;
        let week = Duration::from_secs(7 * 86_400);
        let rotated = node.rotate_key(operator.authority(), key.id, Some(1), week).await;
        rotated.map(|made| TestKey { id: key.id, secret: made.secret.as_ref().unwrap().expose().to_owned() })
    };
    race(&[], CHANGE, rotate, rotate, async |raced| {
        let Raced { point, nodes, key, first, second, .. } = &raced;
        let ((Ok(new), Err(lost)) | (Err(lost), Ok(new))) = (first, second) else {
            panic!("{point}: not exactly one has rotated")
        };
        assert!(matches!(lost, Error::Conflict(..)), "{point}: {lost}");
        for node in nodes {
            use_it(node, new).await.unwrap_or_else(|error| panic!("{point}: the new secret: {error}"));
            use_it(node, key).await.unwrap_or_else(|error| panic!("{point}: the old secret: {error}"));
        }
        assert_eq!(raced.audited("api_key.rotated").await, 1, "{point}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_revocation_no_use_is_let_in_that_began_before_it() {
    if !TestDatabase::is_postgres() {
        return;
    }
    let deactivate = async |node: &App, key: &TestKey| {
        let operator = operator(node).await;
        node.deactivate_key(operator.authority(), key.id).await.map(drop)
    };
    let check = async |raced: &Raced<Result<()>, Result<()>>| {
        raced.first.as_ref().unwrap_or_else(|error| panic!("{}: {error}", raced.point));
        for node in &raced.nodes {
            assert!(use_it(node, &raced.key).await.is_err(), "{}: a fill brought it back", raced.point);
        }
        assert_eq!(raced.audited("api_key.deactivated").await, 1, "{}", raced.point);
    };
    race(&[], CHANGE, deactivate, use_it, async |raced| check(&raced).await).await;
    race(&[], USE, use_it, deactivate, async |raced| check(&raced.swapped()).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_sweep_at_once_tell_and_delete_once() {
    let app = TestApp::start().await;
    for _ in 0..40 {
        app.location_key().await;
    }
    let other = app.second_node().await;
    let (mut told, mut deleted) = (0, 0);
    for days in LADDER {
        app.let_days_pass(days).await;
        other.poll_changes().await.unwrap();
        let (ours, theirs) = tokio::join!(app.app.sweep(), other.sweep());
        for swept in [ours.unwrap(), theirs.unwrap()] {
            told += swept.notices;
            deleted += swept.deleted;
        }
    }
    assert_eq!((told, deleted), (120, 40));
    other.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_rotations_at_once_one_is_told_to_look_again() {
    let app = TestApp::start().await;
    let other = app.second_node().await;
    let operator = app.operator().await;
    let there = other.operator_in(app.ids.agency).await.unwrap();
    for _ in 0..20 {
        let key = app.location_key().await;
        app.get("/api-keys/self").key(&key).send().await.expect(200);
        let week = Duration::from_secs(7 * 86_400);
        let (ours, theirs) = tokio::join!(
            app.app.rotate_key(operator.authority(), key.id, Some(1), week),
            other.rotate_key(there.authority(), key.id, Some(1), week),
        );
        assert_eq!([ours.is_ok(), theirs.is_ok()].iter().filter(|ok| **ok).count(), 1);
        // The secret that the client holds goes on.
        app.get("/api-keys/self").key(&key).send().await.expect(200);
    }
    other.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_replacements_at_once_one_makes_a_key_and_the_other_is_told_of_it() {
    let app = TestApp::start().await;
    let other = app.second_node().await;
    let operator = app.operator().await;
    let there = other.operator_in(app.ids.agency).await.unwrap();
    for ends in [OldKeyEnds::Now, OldKeyEnds::FirstUse].into_iter().cycle().take(20) {
        let lost = app.location_key().await;
        let (ours, theirs) = tokio::join!(
            app.app.replace_key(operator.authority(), lost.id, ends),
            other.replace_key(there.authority(), lost.id, ends),
        );
        let ((Ok(replaced), Err(refused)) | (Err(refused), Ok(replaced))) = (ours, theirs) else {
            panic!("{ends:?}: not exactly one has replaced it")
        };
        assert!(matches!(refused, Error::Conflict(ErrorCode::KeyState, _)), "{ends:?}: {refused}");
        assert!(refused.to_string().contains(replaced.made.key.id.as_str()), "{ends:?}: {refused}");
    }
    other.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_tick_make_no_time_run_faster() {
    let app = TestApp::start().await;
    let other = Arc::new(app.second_node().await);
    let before = app.app.service_now().0;
    let begun = app.clock.clone();
    for _ in 0..30 {
        begun.advance(Duration::from_secs(61));
        let (ours, theirs) = tokio::join!(app.app.tick_service_clock(), other.tick_service_clock());
        ours.unwrap();
        theirs.unwrap();
        app.app.poll_changes().await.unwrap();
        other.poll_changes().await.unwrap();
    }
    let passed = app.app.service_now().0 - before;
    assert!((25 * 61_000..=30 * 61_000).contains(&passed), "{passed}");
}
