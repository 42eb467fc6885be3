//! The 90-day rule through the front doors, with a clock that only the tests move.

use std::time::Duration;

use keystead_core::{NoticeFilter, Swept};
use keystead_model::{
    KeyId,
    agency::TenantState,
    api_key::{KeyPatch, KeyState},
    grant::Reach,
    inactivity::Stage,
    key_kind::KeyKind,
    key_secret::KeySecret,
    notice::{Notice, NoticeKind, NoticeSubject},
    page::Window,
    scope::Preset,
};
use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

async fn sweep(app: &TestApp) -> Swept {
    app.app.sweep().await.expect("a sweep")
}

/// Days pass, with a sweep every hour of the last one, as a running server would have swept all along.
async fn days(app: &TestApp, days: f64) {
    app.let_days_pass(days).await;
    sweep(app).await;
}

async fn notices(app: &TestApp, key: &TestKey) -> Vec<Notice> {
    let filter = NoticeFilter { subject: Some(NoticeSubject::Key(key.id)), ..NoticeFilter::default() };
    let operator = app.operator().await;
    app.app.list_notices(operator.authority(), filter, Window::first(100)).await.expect("notices").rows
}

async fn open(app: &TestApp, key: &TestKey) -> Vec<NoticeKind> {
    notices(app, key).await.into_iter().filter(|notice| notice.open).map(|notice| notice.kind).collect()
}

async fn state(app: &TestApp, key: &TestKey) -> KeyState {
    let operator = app.operator().await;
    app.app.get_key(operator.authority(), key.id).await.expect("the key").state
}

async fn is_deleted(app: &TestApp, key: &TestKey) -> bool {
    matches!(state(app, key).await, KeyState::Deleted { .. })
}

async fn use_it(app: &TestApp, key: &TestKey) -> Value {
    app.get("/api-keys/self").key(key).send().await.expect(200)
}

/// The whole ladder, on time.
async fn age_to_the_end(app: &TestApp) {
    for step in [75.05, 8.0, 6.0, 1.1] {
        days(app, step).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_nobody_uses_is_told_about_three_times_and_deleted_after_90_days() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    days(&app, 75.0).await;
    assert!(notices(&app, &key).await.is_empty(), "75 days are not 75 days and 50 minutes");
    days(&app, 0.04).await;
    assert_eq!(open(&app, &key).await, [NoticeKind::Inactivity(Stage::Fifteen)]);
    assert_eq!(sweep(&app).await, Swept::default(), "nothing twice");
    days(&app, 8.0).await;
    assert_eq!(open(&app, &key).await, [NoticeKind::Inactivity(Stage::Seven)]);
    days(&app, 6.0).await;
    assert_eq!(open(&app, &key).await, [NoticeKind::Inactivity(Stage::One)]);
    days(&app, 0.95).await;
    assert!(!is_deleted(&app, &key).await, "90 days and a little are not 90 days and an hour");
    days(&app, 0.06).await;
    assert!(is_deleted(&app, &key).await);
    assert_eq!(open(&app, &key).await, [NoticeKind::Deleted]);
    assert_eq!(notices(&app, &key).await.len(), 4);
    let refused = app.get("/contacts/").key(&key).send().await;
    assert_eq!((refused.status, refused.json()["code"].as_str()), (401, Some("key_deleted")));
    let hint = refused.json()["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains("after 90 days without use") && hint.contains("restore"), "{hint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_use_between_notices_closes_them_and_the_next_ladder_is_whole() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    use_it(&app, &key).await;
    for (wait, told) in [(75.05, 1), (8.0, 2), (6.0, 3)] {
        days(&app, wait).await;
        assert_eq!(notices(&app, &key).await.len(), told);
    }
    use_it(&app, &key).await;
    assert!(open(&app, &key).await.is_empty(), "they close by themselves");
    days(&app, 2.0).await;
    assert!(!is_deleted(&app, &key).await);
    for (wait, told) in [(73.05, 4), (8.0, 5), (6.0, 6)] {
        days(&app, wait).await;
        assert_eq!(notices(&app, &key).await.len(), told, "the new ladder has its own three");
    }
    days(&app, 1.1).await;
    assert!(is_deleted(&app, &key).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_use_in_the_last_moment_saves_the_key() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    for step in [75.05, 8.0, 6.0, 0.99] {
        days(&app, step).await;
    }
    // One millisecond before it is due, and then the sweep.
    let operator = app.operator().await;
    let record = app.app.get_key(operator.authority(), key.id).await.unwrap();
    let left = record.inactivity.deletes_at - app.app.service_now();
    app.let_days_pass((left - 1) as f64 / 86_400_000.0).await;
    use_it(&app, &key).await;
    days(&app, 0.01).await;
    assert!(!is_deleted(&app, &key).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_was_down_lets_nobody_lose_a_notice() {
    // Its time stood still: nothing has happened when it is back, however long it was away.
    let app = TestApp::start().await;
    let key = app.location_key().await;
    app.clock.advance(Duration::from_secs(200 * 86_400));
    app.app.poll_changes().await.unwrap();
    assert_eq!(sweep(&app).await, Swept::default());
    // The sweeper alone was stuck until after the last day: the ladder begins then, in its full distances.
    days(&app, 95.0).await;
    assert_eq!(open(&app, &key).await, [NoticeKind::Inactivity(Stage::Fifteen)]);
    days(&app, 7.9).await;
    assert_eq!(notices(&app, &key).await.len(), 1);
    days(&app, 0.1).await;
    assert_eq!(open(&app, &key).await, [NoticeKind::Inactivity(Stage::Seven)]);
    // Stuck again, over the last stage and the day of the deletion.
    days(&app, 30.0).await;
    assert_eq!(open(&app, &key).await, [NoticeKind::Inactivity(Stage::One)]);
    days(&app, 0.9).await;
    assert!(!is_deleted(&app, &key).await, "a whole day after the last notice");
    days(&app, 0.2).await;
    assert!(is_deleted(&app, &key).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wall_clock_decides_nothing() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    for jump in [365 * 86_400_000, -2 * 365 * 86_400_000, 3_600_000, -3_600_000] {
        app.clock.jump(jump);
        app.app.poll_changes().await.unwrap();
        assert_eq!(sweep(&app).await, Swept::default());
    }
    days(&app, 75.05).await;
    assert_eq!(open(&app, &key).await, [NoticeKind::Inactivity(Stage::Fifteen)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn keep_restarts_the_clock_and_a_second_one_does_no_harm() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let admin = app.agency_key().await;
    for step in [75.05, 8.0] {
        days(&app, step).await;
    }
    for _ in 0..2 {
        let kept = app.post(&format!("/api-keys/{}/keep", key.id)).key(&admin).send().await.expect(200);
        assert_eq!(kept["apiKey"]["inactivity"]["stage"], 0);
    }
    assert!(open(&app, &key).await.is_empty());
    days(&app, 74.0).await;
    assert!(!is_deleted(&app, &key).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deactivated_key_counts_from_its_deactivation() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    days(&app, 60.0).await;
    let operator = app.operator().await;
    app.app.deactivate_key(operator.authority(), key.id).await.unwrap();
    days(&app, 70.0).await;
    assert!(notices(&app, &key).await.is_empty());
    for step in [5.05, 8.0, 6.0, 1.1] {
        days(&app, step).await;
    }
    assert!(is_deleted(&app, &key).await);
    // Restored as it was: deactivated.
    let restored = app.app.restore_key(operator.authority(), key.id).await.unwrap();
    assert!(matches!(restored.key.state, KeyState::Deactivated { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_key_is_restored_with_the_same_secret_and_full_90_days() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    use_it(&app, &key).await;
    age_to_the_end(&app).await;
    assert!(is_deleted(&app, &key).await);
    let admin = app.agency_key().await;
    app.clock.advance(Duration::from_secs(1));
    // Whoever still holds it is told why, and its owners that somebody does: once.
    for _ in 0..3 {
        assert_eq!(app.get("/api-keys/self").key(&key).send().await.status, 401);
    }
    let told = open(&app, &key).await;
    assert_eq!(told, [NoticeKind::DeletedKeyUsed, NoticeKind::Deleted]);
    assert_eq!(notices(&app, &key).await[0].address.as_deref(), Some("127.0.0.1"));
    days(&app, 29.0).await;
    let restored = app.post(&format!("/api-keys/{}/restore", key.id)).key(&admin).send().await.expect(200);
    assert_eq!(restored["apiKey"]["state"], "active");
    assert!(restored["receipt"]["sequence"].is_i64());
    use_it(&app, &key).await;
    assert!(open(&app, &key).await.is_empty());
    days(&app, 74.0).await;
    assert!(!is_deleted(&app, &key).await);
    let again = app.post(&format!("/api-keys/{}/restore", key.id)).key(&admin).send().await;
    assert_eq!((again.status, again.json()["code"].as_str()), (409, Some("key_state")));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_30_days_only_a_tombstone_is_left() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    age_to_the_end(&app).await;
    days(&app, 31.0).await;
    let admin = app.agency_key().await;
    let late = app.post(&format!("/api-keys/{}/restore", key.id)).key(&admin).send().await;
    assert_eq!(late.status, 409, "{}", late.text);
    assert!(late.json()["message"].as_str().unwrap().contains("30 days"), "{}", late.text);
    let listed = app.get("/api-keys?state=deleted").key(&admin).send().await.expect(200);
    assert_eq!(listed["apiKeys"][0]["id"], key.id.as_str());
    // The digest is destroyed, so nothing can prove possession any more.
    assert_eq!(app.get("/api-keys/self").key(&key).send().await.json()["code"], "key_unknown");
    assert!(open(&app, &key).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_swept_in_a_suspended_location_and_its_keys_start_anew() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    days(&app, 75.05).await;
    let operator = app.operator().await;
    let suspend = TenantState::Suspended;
    app.app.set_location_state(&operator, app.ids.location, suspend).await.unwrap();
    assert!(open(&app, &key).await.is_empty(), "its notices close");
    days(&app, 200.0).await;
    assert!(!is_deleted(&app, &key).await);
    let resume = TenantState::Active;
    app.app.set_location_state(&app.operator().await, app.ids.location, resume).await.unwrap();
    days(&app, 75.0).await;
    assert_eq!(notices(&app, &key).await.len(), 1, "only the one before");
    days(&app, 0.05).await;
    assert_eq!(open(&app, &key).await, [NoticeKind::Inactivity(Stage::Fifteen)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_without_any_admin_holds_the_key_until_somebody_is_there() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    app.sql("UPDATE users SET disabled = TRUE").await;
    app.let_days_pass(75.05).await;
    assert_eq!(sweep(&app).await, Swept { held: 1, ..Swept::default() });
    days(&app, 200.0).await;
    assert!(!is_deleted(&app, &key).await);
    assert!(notices(&app, &key).await.is_empty());
    let operator = app.operator().await;
    assert!(app.app.get_key(operator.authority(), key.id).await.unwrap().inactivity.held);
    app.sql("UPDATE users SET disabled = FALSE").await;
    assert_eq!(sweep(&app).await, Swept { released: 1, ..Swept::default() });
    days(&app, 74.0).await;
    assert!(notices(&app, &key).await.is_empty(), "a full 90 days from the end of the hold");
    days(&app, 1.05).await;
    assert_eq!(open(&app, &key).await, [NoticeKind::Inactivity(Stage::Fifteen)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chosen_expiry_has_notices_of_its_own_and_the_90_days_run_from_it() {
    let app = TestApp::start().await;
    let reach = Reach::location(app.ids.location);
    let kind = KeyKind::Location;
    let expiring = app
        .key_with(reach, Preset::FullAccess.scopes(kind), |new| {
            new.grant.expires_at = Some(app.app.now() + Duration::from_secs(80 * 86_400));
        })
        .await;
    days(&app, 64.9).await;
    assert!(notices(&app, &expiring).await.is_empty());
    days(&app, 0.2).await;
    assert_eq!(open(&app, &expiring).await, [NoticeKind::Expiring(Stage::Fifteen)]);
    days(&app, 11.0).await;
    assert_eq!(notices(&app, &expiring).await.len(), 2, "no notice of inactivity beside those of the expiry");
    days(&app, 5.0).await;
    assert_eq!(open(&app, &expiring).await, [NoticeKind::Expired]);
    let refused = app.get("/api-keys/self").key(&expiring).send().await;
    assert_eq!(refused.json()["code"], "key_expired");
    // Moved, it is ahead again, and its notices call for something again.
    let operator = app.operator().await;
    let moved = |at| KeyPatch { expires_at: Some(Some(at)), ..KeyPatch::default() };
    let later = app.app.now() + Duration::from_secs(10 * 86_400);
    app.app.update_key(operator.authority(), expiring.id, None, moved(later)).await.unwrap();
    sweep(&app).await;
    assert_eq!(open(&app, &expiring).await, [NoticeKind::Expiring(Stage::Fifteen)]);
    days(&app, 10.0).await;
    assert_eq!(open(&app, &expiring).await, [NoticeKind::Expired]);
    days(&app, 74.0).await;
    assert!(!is_deleted(&app, &expiring).await, "not 90 days since it was made");
    for step in [1.1, 8.0, 6.0, 1.1] {
        days(&app, step).await;
    }
    assert!(is_deleted(&app, &expiring).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_secret_that_is_still_in_use_is_named_a_day_before_it_ends() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    use_it(&app, &key).await;
    let operator = app.operator().await;
    let week = Duration::from_secs(7 * 86_400);
    app.app.rotate_key(operator.authority(), key.id, None, week).await.unwrap();
    days(&app, 6.05).await;
    assert!(open(&app, &key).await.is_empty(), "nobody used it in the last day");
    use_it(&app, &key).await;
    sweep(&app).await;
    assert_eq!(open(&app, &key).await, [NoticeKind::Retiring]);
    assert_eq!(notices(&app, &key).await[0].address.as_deref(), Some("127.0.0.1"));
    days(&app, 1.0).await;
    assert!(open(&app, &key).await.is_empty());
    assert_eq!(app.get("/api-keys/self").key(&key).send().await.json()["code"], "key_secret_retired");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_operator_has_paused_it_nothing_is_deleted() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    for step in [75.05, 8.0, 6.0] {
        days(&app, step).await;
    }
    let set_paused = async |paused| app.app.set_sweep_paused(app.operator().await.authority(), paused).await.unwrap();
    assert!(set_paused(true).await);
    assert!(!set_paused(true).await);
    days(&app, 5.0).await;
    assert!(!is_deleted(&app, &key).await, "not even what was due before");
    let before = app.app.service_now();
    app.let_service_time_pass(Duration::from_secs(600)).await;
    assert_eq!(app.app.service_now(), before, "no 90 days run");
    assert!(set_paused(false).await);
    sweep(&app).await;
    assert!(is_deleted(&app, &key).await);
    let reader = app.agency_key().await;
    let log = app.get("/audit-logs").key(&reader).send().await.expect(200);
    let of_sweep = |row: &&Value| row["subject"] == "sweep";
    let told: Vec<&Value> =
        log["auditLogs"].as_array().unwrap().iter().filter(of_sweep).map(|row| &row["action"]).collect();
    assert_eq!(told, ["instance.sweep_resumed", "instance.sweep_paused"], "once for each change: {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_key_is_replaced_now_or_at_the_first_use_of_the_new_one() {
    let app = TestApp::start().await;
    let admin = app.agency_key().await;
    let lost = app.location_key().await;
    use_it(&app, &lost).await;
    let path = |key: &TestKey| format!("/api-keys/{}/replace", key.id);
    let made = app.post(&path(&lost)).key(&admin).send().await.expect(201);
    assert_eq!(made["replaced"]["state"], "deactivated");
    assert_ne!(made["apiKey"]["id"], lost.id.as_str());
    assert_eq!(made["apiKey"]["scopes"], made["replaced"]["scopes"]);
    assert_eq!(app.get("/api-keys/self").key(&lost).send().await.json()["code"], "key_deactivated");

    let lost = app.location_key().await;
    let made = app.post(&path(&lost)).key(&admin).json(&json!({"oldEnds": "first_use"})).send().await.expect(201);
    use_it(&app, &lost).await;
    let id = KeyId::parse(made["apiKey"]["id"].as_str().unwrap()).unwrap();
    let new = TestKey { id, secret: made["key"].as_str().unwrap().to_owned() };
    use_it(&app, &new).await;
    assert_eq!(app.get("/api-keys/self").key(&lost).send().await.json()["code"], "key_deactivated");
    use_it(&app, &new).await;
    let bad = app.post(&path(&new)).key(&admin).json(&json!({"oldEnds": "later"})).send().await;
    assert_eq!(bad.status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_found_in_public_ends_and_its_owner_is_told() {
    let app = TestApp::start().await;
    let report =
        async |keys: Vec<String>| app.post("/api-keys/revoke-exposed").json(&json!({"keys": keys})).send().await;
    let found = app.location_key().await;
    let operator = app.operator().await;
    let answer = report(vec![found.secret.clone(), "nonsense".to_owned()]).await.expect(202);
    assert_eq!(app.get("/api-keys/self").key(&found).send().await.json()["code"], "key_deactivated");
    assert_eq!(open(&app, &found).await, [NoticeKind::Exposed]);
    let again = app.app.reactivate_key(operator.authority(), found.id).await;
    assert!(again.err().unwrap().to_string().contains("exposed"), "its secret is dead for ever");
    // In the line that a finder pastes.
    for line in ["Authorization: Bearer KEY", "https://example.com/?key=KEY&x=1", "K=\"KEY\";"] {
        let found = app.location_key().await;
        report(vec![line.replace("KEY", &found.secret.replace('_', "%5F"))]).await.expect(202);
        assert_eq!(app.get("/api-keys/self").key(&found).send().await.json()["code"], "key_deactivated", "{line}");
    }
    // Found twice: told once.
    report(vec![found.secret.clone()]).await.expect(202);
    assert_eq!(notices(&app, &found).await.len(), 1);

    // An old secret in an overlap ends the overlap only.
    let rotated = app.location_key().await;
    use_it(&app, &rotated).await;
    let week = Duration::from_secs(7 * 86_400);
    let new = app.app.rotate_key(operator.authority(), rotated.id, None, week).await.unwrap();
    report(vec![rotated.secret.clone()]).await.expect(202);
    assert_eq!(app.get("/api-keys/self").key(&rotated).send().await.status, 401);
    let new = TestKey { id: rotated.id, secret: new.secret.as_ref().unwrap().expose().to_owned() };
    use_it(&app, &new).await;

    // Nobody learns which keys exist: the answer is the same for what is none.
    let mut strangers =
        report(vec!["ks_location_000000000000_000000000000000000000000000000003Xkq1p".to_owned()]).await.expect(202);
    let mut answer = answer;
    for body in [&mut strangers, &mut answer] {
        body["traceId"] = Value::Null;
    }
    assert_eq!(strangers, answer);
    assert_eq!(report(vec![]).await.status, 422);
    assert_eq!(report(vec!["x".to_owned(); 101]).await.status, 422);
}

/// A key that nobody made; `id` is that of one that somebody made, if there is one.
fn made_up(app: &TestApp, id: Option<KeyId>) -> String {
    let kind = KeyKind::Location;
    let id = id.unwrap_or_else(|| app.app.entropy().key_id());
    let secret = KeySecret::generate(kind, id, |pool| app.app.entropy().fill(pool));
    secret.expose().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn made_up_reports_are_kept_nowhere_and_keep_no_genuine_one_waiting() {
    let app = TestApp::start().await;
    let untouched = app.location_key().await;
    let report =
        async |keys: &[String]| app.post("/api-keys/revoke-exposed").json(&json!({"keys": keys})).send().await.status;
    for round in 0..600 {
        let mut keys: Vec<String> = (0..100).map(|_| made_up(&app, None)).collect();
        keys[0] = made_up(&app, Some(untouched.id));
        if round % 60 != 59 {
            assert_eq!(report(&keys).await, 202);
            continue;
        }
        // From where all of those come, a key that is one, among others.
        let found = app.location_key().await;
        keys[99].clone_from(&found.secret);
        assert_eq!(report(&keys).await, 202);
        let refused = app.get("/api-keys/self").key(&found).send().await;
        assert_eq!(refused.json()["code"], "key_deactivated", "it has ended with the answer");
    }
    assert_eq!(report(std::slice::from_ref(&untouched.secret)).await, 429, "one source cannot report without end");
    assert_eq!(app.app.end_exposed_keys().await.unwrap(), 0, "nothing waits");
    use_it(&app, &untouched).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_was_accepted_survives_a_crash() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    // What the report has stored before anything ends, as a crash leaves it.
    let columns = "key_id, pepper_version, secret_hash, reported_at";
    let stored = format!("SELECT id, secret_pepper_version, secret_hash, 1 FROM api_keys WHERE id = '{}'", key.id);
    app.sql(&format!("INSERT INTO exposure_reports ({columns}) {stored}")).await;
    assert_eq!(app.app.end_exposed_keys().await.unwrap(), 1);
    assert_eq!(app.get("/api-keys/self").key(&key).send().await.json()["code"], "key_deactivated");
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_are_read_by_api_where_a_key_reaches() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    days(&app, 75.05).await;
    let admin = app.agency_key().await;
    let listed = app.get("/notifications?open=true").key(&admin).send().await.expect(200);
    assert_eq!(listed["meta"]["unseen"], 1);
    let notice = &listed["notifications"][0];
    assert_eq!(notice["type"], "api_key.inactivity_warning");
    assert_eq!((&notice["daysLeft"], &notice["apiKeyId"]), (&json!(15), &json!(key.id)));
    assert!(notice["deletesAt"].is_string());
    let path = format!("/notifications/{}", notice["id"].as_str().unwrap());
    let read = app.patch(&path).key(&admin).json(&json!({"state": "read"})).send().await.expect(200);
    assert_eq!(read["notification"]["state"], "read");
    assert_eq!(app.get("/notifications").key(&admin).send().await.expect(200)["meta"]["unseen"], 0);
    // Another reader stands elsewhere, and a stranger sees nothing.
    assert_eq!(app.get("/notifications").key(&key).send().await.expect(200)["notifications"][0]["state"], "unseen");
    let sibling = app.location("Sibling").await;
    let stranger = app.key(Reach::location(sibling), Preset::FullAccess).await;
    assert_eq!(app.get("/notifications").key(&stranger).send().await.expect(200)["notifications"], json!([]));
    assert_eq!(app.get(&path).key(&stranger).send().await.status, 404);
    assert_eq!(app.patch(&path).key(&admin).json(&json!({"state": "eaten"})).send().await.status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn days_left_are_those_that_are_left() {
    let app = TestApp::start().await;
    let (idle, admin) = (app.location_key().await, app.agency_key().await);
    let told = async |key: &TestKey| {
        let path = format!("/notifications?apiKeyId={}", key.id);
        let listed = app.get(&path).key(&admin).send().await.expect(200);
        let notice = &listed["notifications"][0];
        (notice["stage"].clone(), notice["daysLeft"].clone(), notice["open"].clone())
    };
    days(&app, 75.05).await;
    assert_eq!(told(&idle).await, (json!(15), json!(15), json!(true)));
    days(&app, 2.5).await;
    assert_eq!(told(&idle).await, (json!(15), json!(12), json!(true)), "twelve and a half");

    // The notices of a short life come at shares of it.
    let scopes = Preset::ReadOnly.scopes(KeyKind::Location);
    let short = app
        .key_with(Reach::location(app.ids.location), scopes, |new| {
            new.grant.expires_at = Some(app.app.now() + Duration::from_secs(70));
        })
        .await;
    app.clock.advance(Duration::from_secs(36));
    app.app.sweep().await.unwrap();
    assert_eq!(told(&short).await, (json!(15), json!(0), json!(true)), "34 seconds are no 15 days");
    app.clock.advance(Duration::from_secs(40));
    app.app.sweep().await.unwrap();
    assert_eq!(told(&short).await, (Value::Null, Value::Null, json!(true)), "expired");
    use_it(&app, &idle).await;
    assert_eq!(told(&idle).await, (json!(15), Value::Null, json!(false)), "what is settled has nothing left");
}

/// The notice cannot be written: its stage is not recorded either, and the deletion waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_fails_in_the_middle_loses_nothing() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    app.let_days_pass(75.05).await;
    app.sql("ALTER TABLE notices RENAME TO notices_away").await;
    for _ in 0..3 {
        app.app.sweep().await.expect_err("the database fails");
    }
    app.let_days_pass(30.0).await;
    app.app.sweep().await.expect_err("the database fails");
    app.sql("ALTER TABLE notices_away RENAME TO notices").await;
    assert!(!is_deleted(&app, &key).await);
    sweep(&app).await;
    assert_eq!(open(&app, &key).await, [NoticeKind::Inactivity(Stage::Fifteen)], "the ladder begins when it can");
    for step in [7.0, 6.0, 1.0] {
        days(&app, step).await;
        assert!(!is_deleted(&app, &key).await, "15 days from the first notice, not from its day");
    }
    for step in [1.1, 1.1, 5.0, 1.1] {
        days(&app, step).await;
    }
    assert!(is_deleted(&app, &key).await);
    assert_eq!(notices(&app, &key).await.len(), 4);
}

/// What a notice told of may be gone: then it is closed, and the page that lists it must not fail.
#[tokio::test(flavor = "multi_thread")]
async fn notices_of_what_was_taken_back_are_closed() {
    let app = TestApp::start().await;
    let operator = app.operator().await;
    let scopes = Preset::ReadOnly.scopes(KeyKind::Location);
    let in_ten_days = app.app.now() + Duration::from_secs(10 * 86_400);
    let expiring =
        app.key_with(Reach::location(app.ids.location), scopes, |new| new.grant.expires_at = Some(in_ten_days)).await;
    let exposed = app.location_key().await;
    app.post("/api-keys/revoke-exposed").json(&json!({"keys": [exposed.secret]})).send().await.expect(202);
    days(&app, 6.0).await;
    assert_eq!(open(&app, &expiring).await, [NoticeKind::Expiring(Stage::Fifteen)]);
    assert_eq!(open(&app, &exposed).await, [NoticeKind::Exposed]);
    let never = KeyPatch { expires_at: Some(None), ..KeyPatch::default() };
    app.app.update_key(operator.authority(), expiring.id, None, never).await.unwrap();
    app.app.rotate_key(operator.authority(), exposed.id, None, Duration::ZERO).await.unwrap();
    for key in [&expiring, &exposed] {
        let all = notices(&app, key).await;
        assert_eq!((all.len(), all[0].open), (1, false));
    }
}
