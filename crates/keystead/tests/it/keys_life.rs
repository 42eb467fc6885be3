//! Touch, flush, service clock, change feed: what keeps a key's life right.

use std::time::Duration;

use keystead_testkit::{TestApp, TestKey};

const HALF_HOUR: Duration = Duration::from_secs(31 * 60);

async fn active_at(app: &TestApp, key: &TestKey) -> i64 {
    let operator = app.operator().await;
    app.app.get_key(operator.authority(), key.id).await.unwrap().inactivity.active_at.0
}

#[tokio::test(flavor = "multi_thread")]
async fn activity_is_stored_at_once_when_it_is_old_and_by_the_flush_otherwise() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    app.get("/api-keys/self").key(&key).send().await.expect(200);
    assert_eq!(active_at(&app, &key).await, 0);
    app.let_service_time_pass(Duration::from_secs(20 * 60)).await;
    app.get("/api-keys/self").key(&key).send().await.expect(200);
    assert_eq!(active_at(&app, &key).await, 0, "younger than 30 minutes: it waits for the flush");
    assert_eq!(app.app.flush_uses().await.unwrap(), 1);
    let flushed = active_at(&app, &key).await;
    assert!(flushed > 15 * 60_000, "{flushed}");
    app.let_service_time_pass(HALF_HOUR).await;
    app.get("/api-keys/self").key(&key).send().await.expect(200);
    assert!(active_at(&app, &key).await > flushed + 29 * 60_000, "older than 30 minutes: stored before the answer");
    assert_eq!(app.app.flush_uses().await.unwrap(), 0, "nothing waits any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn service_time_stands_still_while_nobody_ticks_and_never_outruns_the_clock() {
    let app = TestApp::start().await;
    let before = app.app.service_now().0;
    app.clock.jump(365 * 86_400_000);
    app.app.poll_changes().await.unwrap();
    assert_eq!(app.app.service_now().0, before, "a jump of the wall clock is no service time");
    app.let_service_time_pass(Duration::from_secs(3600)).await;
    let passed = app.app.service_now().0 - before;
    assert!((55 * 60_000..=3_600_000).contains(&passed), "{passed}");
    app.clock.advance(Duration::from_secs(30 * 86_400));
    app.app.tick_service_clock().await.unwrap();
    app.app.poll_changes().await.unwrap();
    assert!(app.app.service_now().0 - before <= 3_600_000 + 240_000, "a node that slept does not make up for it");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_changes_is_seen_within_a_second() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    app.get("/contacts/").key(&key).send().await.expect(200);
    let other = app.second_node().await;
    let operator = other.operator_in(app.ids.agency).await.unwrap();
    other.deactivate_key(operator.authority(), key.id).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1000)).await;
    assert_eq!(app.get("/contacts/").key(&key).send().await.expect(401)["code"], "key_deactivated");
    // What was ended here and begun again there works here at once: no refusal is decided on a cached record.
    other.reactivate_key(operator.authority(), key.id).await.unwrap();
    app.get("/contacts/").key(&key).send().await.expect(200);
    let rotated = other.rotate_key(operator.authority(), key.id, None, Duration::ZERO).await.unwrap();
    let new = TestKey { id: key.id, secret: rotated.secret.as_ref().unwrap().expose().to_owned() };
    app.get("/contacts/").key(&new).send().await.expect(200);
    assert_eq!(app.app.applied_sequence().await, app.app.applied_sequence().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn uses_are_stored_at_a_graceful_stop() {
    let mut app = TestApp::start().await;
    let key = app.location_key().await;
    app.get("/contacts/").key(&key).send().await.expect(200);
    app.clock.advance(Duration::from_secs(5));
    app.get("/api-keys/self").key(&key).send().await.expect(200);
    app.stop().await;
    let other = app.second_node().await;
    let operator = other.operator_in(app.ids.agency).await.unwrap();
    let stored = other.get_key(operator.authority(), key.id).await.unwrap().last_use.unwrap();
    assert_eq!(stored.endpoint, "GET /api-keys/self");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_has_not_heard_of_changes_for_a_second_asks_the_database() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    app.get("/api-keys/self").key(&key).send().await.expect(200);
    // A node without the thread that polls, as if its connection for the feed were cut.
    let node = app.second_node().await;
    let authenticate = async || keystead_testkit::authenticate(&node, &key).await.map(drop);
    node.poll_changes().await.unwrap();
    authenticate().await.unwrap();
    let operator = app.operator().await;
    app.app.deactivate_key(operator.authority(), key.id).await.unwrap();
    authenticate().await.expect("within the second that the receipt states, a cached record may still admit");
    app.clock.advance(Duration::from_millis(1000));
    let refused = authenticate().await.expect_err("and after it never");
    assert_eq!(refused.code().as_str(), "key_deactivated");
    node.close().await.unwrap();
}
