//! Pairs of racing changes on two connections, the first held open at its end while the second runs into it; and whole
//! operations on two nodes at once. On SQLite all writes are serial, so the first kind has nothing to show there.

use std::{
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use keystead_model::{
    api_key::{ApiKey, KeyState, LastUse},
    inactivity::{RESTORE_WINDOW_MS, Stage},
};
use keystead_store::{
    Tx,
    api_keys::{self, KeyUse},
    changes, sweep,
};
use keystead_testkit::{TestApp, TestDatabase, TestKey};

async fn record(app: &TestApp, key: &TestKey) -> ApiKey {
    let operator = app.operator().await;
    app.app.get_key(operator.authority(), key.id).await.unwrap()
}

fn a_use(key: &ApiKey) -> KeyUse {
    let at = keystead_model::UtcMs(1_900_000_000_000);
    KeyUse {
        id: key.id,
        secret_hash: key.current.hash.unwrap(),
        last_use: LastUse { at, ip: "192.0.2.1".to_owned(), user_agent: None, endpoint: "GET /".to_owned() },
    }
}

/// Runs `first` and holds its transaction open, runs `second` into it, then lets the first commit.
#[expect(clippy::disallowed_methods, reason = "joined below")]
async fn race<A: Send + 'static, B: Send + 'static>(
    app: &TestApp,
    first: impl Fn(&mut Tx<'_>) -> keystead_store::Result<A> + Send + 'static,
    second: impl Fn(&mut Tx<'_>) -> keystead_store::Result<B> + Send + 'static,
) -> (A, B) {
    let (one, two) = (app.second_store(), app.second_store());
    let (done, is_done) = mpsc::channel();
    let (release, may_commit) = mpsc::channel::<()>();
    let may_commit = Mutex::new(may_commit);
    let first = tokio::spawn(async move {
        one.write_serial(move |tx| {
            let outcome = first(tx)?;
            done.send(()).unwrap();
            may_commit.lock().unwrap().recv_timeout(Duration::from_secs(1)).ok();
            Ok::<_, keystead_store::Error>(outcome)
        })
        .await
    });
    tokio::task::spawn_blocking(move || is_done.recv_timeout(Duration::from_secs(5)).unwrap()).await.unwrap();
    let second = tokio::spawn(async move { two.write_serial(second).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    release.send(()).unwrap();
    (first.await.unwrap().unwrap(), second.await.unwrap().unwrap())
}

/// A key whose next step is due, as the sweep has read it.
async fn due(app: &TestApp, steps: &[f64]) -> (TestKey, ApiKey) {
    let key = app.location_key().await;
    for (index, days) in steps.iter().enumerate() {
        app.let_days_pass(*days).await;
        if index + 1 < steps.len() {
            app.app.sweep().await.unwrap();
        }
    }
    let read = record(app, &key).await;
    (key, read)
}

const LADDER: [f64; 4] = [75.05, 8.0, 6.0, 1.1];

#[tokio::test(flavor = "multi_thread")]
async fn a_use_that_commits_first_voids_each_stage() {
    if !TestDatabase::is_postgres() {
        return;
    }
    for (count, stage) in [(1, Stage::Fifteen), (2, Stage::Seven), (3, Stage::One)] {
        let app = TestApp::start().await;
        let (key, read) = due(&app, &LADDER[..count]).await;
        let use_it = a_use(&read);
        let (used, recorded) =
            race(&app, move |tx| api_keys::touch(tx, &use_it), move |tx| sweep::record_stage(tx, &read, stage)).await;
        assert!(used.is_some() && !recorded, "{stage:?}");
        assert_eq!(record(&app, &key).await.inactivity.stage, None, "{stage:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_use_that_commits_after_a_stage_voids_it_too() {
    if !TestDatabase::is_postgres() {
        return;
    }
    for (count, stage) in [(1, Stage::Fifteen), (2, Stage::Seven), (3, Stage::One)] {
        let app = TestApp::start().await;
        let (key, read) = due(&app, &LADDER[..count]).await;
        let use_it = a_use(&read);
        let (recorded, used) =
            race(&app, move |tx| sweep::record_stage(tx, &read, stage), move |tx| api_keys::touch(tx, &use_it)).await;
        assert!(used.is_some() && recorded, "{stage:?}");
        assert_eq!(record(&app, &key).await.inactivity.stage, None, "the next ladder is whole");
    }
}

fn delete(read: &ApiKey) -> impl Fn(&mut Tx<'_>) -> keystead_store::Result<bool> + Send + 'static {
    let (read, at) = (read.clone(), keystead_model::UtcMs(1_900_000_000_000));
    move |tx| {
        changes::lock(tx)?;
        Ok(sweep::delete(tx, &read, at, RESTORE_WINDOW_MS)?.is_some())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_use_and_a_deletion_the_one_that_commits_first_wins() {
    if !TestDatabase::is_postgres() {
        return;
    }
    let app = TestApp::start().await;
    let (key, read) = due(&app, &LADDER).await;
    let use_it = a_use(&read);
    let (used, deleted) = race(&app, move |tx| api_keys::touch(tx, &use_it), delete(&read)).await;
    assert!(used.is_some() && !deleted);
    assert_eq!(record(&app, &key).await.state, KeyState::Active);

    let app = TestApp::start().await;
    let (key, read) = due(&app, &LADDER).await;
    let use_it = a_use(&read);
    let (deleted, used) = race(&app, delete(&read), move |tx| api_keys::touch(tx, &use_it)).await;
    assert!(deleted && used.is_none(), "the request that was touching is refused");
    assert!(record(&app, &key).await.is_deleted());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_read_before_a_restore_does_nothing_after_it() {
    let app = TestApp::start().await;
    let (key, read) = due(&app, &LADDER).await;
    app.app.sweep().await.unwrap();
    let operator = app.operator().await;
    app.app.restore_key(operator.authority(), key.id).await.unwrap();
    let store = app.second_store();
    assert!(!store.write_serial(delete(&read)).await.unwrap());
    assert_eq!(record(&app, &key).await.state, KeyState::Active);
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
