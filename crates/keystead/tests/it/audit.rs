//! The audit log: complete, listed, sealed, and what is done to it afterwards is found.

use std::time::Duration;

use keystead_core::{
    AuditFilter,
    audit::{Verified, head_text, parse_head},
};
use keystead_model::{
    actor::Actor,
    event::Event,
    grant::Reach,
    notice::{Channel, Muted, Topic},
    page::Window,
    scope::Preset,
};
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, TestApp};

use crate::app::sign_in;

async fn verify(app: &TestApp, expect: Option<&str>) -> Verified {
    let operator = app.operator().await;
    app.app.verify_audit(&operator, expect.and_then(parse_head)).await.expect("a verification")
}

/// A log of some length, and its head as it was written down.
async fn written() -> (TestApp, String) {
    let app = TestApp::start().await;
    let operator = app.operator().await;
    for _ in 0..4 {
        let key = app.location_key().await;
        app.app.deactivate_key(operator.authority(), key.id).await.unwrap();
    }
    let verified = verify(&app, None).await;
    assert_eq!(verified.problems, Vec::<String>::new());
    assert!(verified.rows >= 9, "setup, keys and their ends: {}", verified.rows);
    (app, head_text(&verified.head))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_log_grows_and_stays_sound() {
    let (app, head) = written().await;
    let rows = verify(&app, Some(&head)).await.rows;
    app.location_key().await;
    // By us, or by the job of the server, which may be faster.
    app.app.seal_audit().await.unwrap();
    assert_eq!(app.app.seal_audit().await.unwrap(), 0, "sealed once");
    let verified = verify(&app, Some(&head)).await;
    assert_eq!((verified.problems, verified.rows), (Vec::<String>::new(), rows + 1));
    // What happens to data is audited, and not part of the chain.
    let key = app.location_key().await;
    app.app.seal_audit().await.unwrap();
    app.post("/contacts/").key(&key).json(&serde_json::json!({"name": "x"})).send().await.expect(201);
    assert_eq!(app.app.seal_audit().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_row_is_found() {
    let (app, _) = written().await;
    app.sql("UPDATE events SET actor_kind = 'operator', actor_id = NULL, ip = '192.0.2.1' WHERE position = 5").await;
    let problems = verify(&app, None).await.problems;
    assert!(problems[0].contains("row 5") && problems[0].contains("edited"), "{problems:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_also_mends_the_digest_is_found() {
    let (app, _) = written().await;
    let other = "(SELECT o.digest FROM events o WHERE o.position = 6 AND o.agency_id = events.agency_id)";
    app.sql(&format!("UPDATE events SET digest = {other} WHERE position = 5")).await;
    let problems = verify(&app, None).await.problems;
    assert!(problems.iter().any(|problem| problem.contains("the seal of row 5 is wrong")), "{problems:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_row_is_found() {
    let (app, _) = written().await;
    app.sql("DELETE FROM events WHERE position = 3").await;
    assert_eq!(verify(&app, None).await.problems, ["row 3 is missing"]);
    // Closing the gap does not help.
    app.sql("UPDATE events SET position = position - 1 WHERE position = 4").await;
    let problems = verify(&app, None).await.problems;
    assert!(problems.iter().any(|problem| problem.contains("seal of row 3 is wrong")), "{problems:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn swapped_rows_are_found() {
    let (app, _) = written().await;
    for (from, to) in [(4, 1_000_000), (5, 4), (1_000_000, 5)] {
        app.sql(&format!("UPDATE events SET position = {to} WHERE position = {from}")).await;
    }
    let problems = verify(&app, None).await.problems;
    assert!(problems[0].contains("row 4 is wrong"), "{problems:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_that_was_cut_off_is_found_by_a_head_that_was_written_down() {
    let (app, head) = written().await;
    app.sql("DELETE FROM events WHERE position > 6").await;
    let problems = verify(&app, None).await.problems;
    assert!(problems[0].contains("should end at row"), "{problems:?}");
    // Whoever cuts the head with it is found by what was kept elsewhere.
    let last = "(SELECT a.seal FROM events a WHERE a.position = 6 AND a.agency_id = audit_heads.agency_id)";
    app.sql(&format!("UPDATE audit_heads SET position = 6, seal = {last}")).await;
    assert!(verify(&app, None).await.problems.is_empty());
    let problems = verify(&app, Some(&head)).await.problems;
    assert!(problems[0].contains("was cut off"), "{problems:?}");
    // Even when new rows have grown over the cut.
    for _ in 0..9 {
        app.location_key().await;
    }
    let problems = verify(&app, Some(&head)).await.problems;
    assert!(problems[0].contains("written anew"), "{problems:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_personal_can_be_erased_and_nothing_else() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let Actor::User(user) = admin.actor() else { panic!("a member") };
    app.app.mute_notices(&admin, Muted::new([(Topic::Expiry, Channel::Email)])).await.unwrap();
    let key = app.location_key().await;
    app.app.deactivate_key(&admin, key.id).await.unwrap();
    let head = head_text(&verify(&app, None).await.head);
    let operator = app.operator().await;
    let erased = app.app.erase_audit(&operator, user).await.unwrap();
    assert!(erased >= 3, "set up, sign-in, preferences, the key: {erased}");
    assert_eq!(app.app.erase_audit(&operator, user).await.unwrap(), 0);
    let rows = app.app.list_audit(&operator, AuditFilter::default(), Window::first(100)).await.unwrap().rows;
    let theirs = |row: &&Event| row.actor == Actor::User(user) || row.subject == user.as_str();
    for row in rows.iter().filter(theirs).filter(|row| row.kind != "audit.erased") {
        assert!(row.erased && row.ip.is_none() && row.request_id.is_none(), "{row:?}");
        assert_eq!(row.before.is_none(), row.subject == user.as_str(), "a key's own change stays: {row:?}");
    }
    let verified = verify(&app, Some(&head)).await;
    assert!(verified.problems.is_empty(), "the chain goes on: {:?}", verified.problems);

    // Nobody erases more, or edits what is left.
    let of_key = format!("action = 'api_key.deactivated' AND subject = '{}'", key.id);
    app.sql(&format!("UPDATE events SET subject = 'another' WHERE {of_key}")).await;
    assert!(verify(&app, None).await.problems[0].contains("by nobody who says so"));
    app.sql(&format!("UPDATE events SET subject = '{}' WHERE subject = 'another'", key.id)).await;
    let of_system = format!("action = 'api_key.created' AND subject = '{}'", key.id);
    app.sql(&format!("UPDATE events SET after_json = NULL, erased = TRUE WHERE {of_system}")).await;
    let problems = verify(&app, None).await.problems;
    assert!(problems.len() == 1 && problems[0].contains("by nobody who says so"), "{problems:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_listed_by_api_where_all_of_the_agency_is_reached() {
    let app = TestApp::start().await;
    let admin = app.agency_key().await;
    let key = app.location_key().await;
    let path = format!("/api-keys/{}/deactivate", key.id);
    app.post(&path).key(&admin).send().await.expect(200);
    let listed = app.get(&format!("/audit-logs?subject={}", key.id)).key(&admin).send().await.expect(200);
    let rows = listed["auditLogs"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (&rows[0]["action"], &rows[0]["actor"]["id"]),
        (&"api_key.deactivated".into(), &admin.id.as_str().into())
    );
    assert_eq!((&rows[0]["before"]["state"], &rows[0]["after"]["state"]), (&"active".into(), &"deactivated".into()));
    let first = app.get("/audit-logs?action=api_key.&limit=1").key(&admin).send().await.expect(200);
    let cursor = first["meta"]["nextCursor"].as_str().unwrap();
    let second =
        app.get(&format!("/audit-logs?action=api_key.&limit=1&cursor={cursor}")).key(&admin).send().await.expect(200);
    assert_ne!(first["auditLogs"][0]["id"], second["auditLogs"][0]["id"]);
    let sibling = app.location("Sibling").await;
    let some = app.key(Reach::Chosen([sibling].into()), Preset::FullAccess).await;
    assert_eq!(app.get("/audit-logs").key(&some).send().await.status, 403);
    assert_eq!(app.get("/audit-logs").key(&app.location_key().await).send().await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_to_data_is_forgotten_and_the_chain_never() {
    let app = TestApp::start_with(|config| config.limits.data_audit = Some(Duration::from_secs(10 * 86_400))).await;
    let key = app.location_key().await;
    let create = async |name: &str| {
        app.post("/contacts/").key(&key).json(&serde_json::json!({"name": name})).send().await.expect(201);
    };
    let counted = async || {
        let rows =
            app.app.list_audit(&app.operator().await, AuditFilter::default(), Window::first(1000)).await.unwrap().rows;
        let of_data = rows.iter().filter(|row| row.kind.starts_with("contact.")).count();
        (of_data, rows.len() - of_data)
    };
    create("one").await;
    create("two").await;
    let (_, chained) = counted().await;
    assert_eq!(app.app.trim_audit().await.unwrap(), 0);
    app.let_days_pass(6.0).await;
    create("three").await;
    // A clock that was wrong for a moment keeps nothing for ever.
    app.sql("UPDATE events SET at = at + 31536000000 WHERE id = (SELECT min(id) FROM events)").await;
    app.let_days_pass(6.0).await;
    create("four").await;
    assert_eq!(app.app.trim_audit().await.unwrap(), 2, "what is older than ten days");
    assert_eq!(counted().await, (2, chained));
    assert_eq!(app.app.trim_audit().await.unwrap(), 0);
    app.let_days_pass(20.0).await;
    assert_eq!(app.app.trim_audit().await.unwrap(), 2);
    assert_eq!(counted().await, (0, chained));
    let forever = TestApp::start_with(|config| config.limits.data_audit = None).await;
    let key = forever.location_key().await;
    forever.post("/contacts/").key(&key).json(&serde_json::json!({"name": "x"})).send().await.expect(201);
    forever.let_days_pass(4000.0).await;
    assert_eq!(forever.app.trim_audit().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_log_is_downloaded_however_long_it_is() {
    let app = TestApp::start().await;
    let many = format!(
        "INSERT INTO events (agency_id, at, actor_kind, action, subject)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
         SELECT '{}', 1795608000000 + i, 'system', 'test.counted', CAST(i AS TEXT) FROM n",
        app.ids.agency
    );
    app.sql(&many).await;
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let csv = app.get("/app/agency/audit.csv?action=test.").header("Cookie", &cookie).send().await;
    assert_eq!((csv.status, csv.header("content-type")), (200, "text/csv; charset=utf-8"));
    let subjects: Vec<&str> = csv.text.lines().skip(1).map(|line| line.split(',').nth(5).unwrap()).collect();
    let counted: Vec<String> = (1..=12_000).rev().map(|number| number.to_string()).collect();
    assert_eq!(subjects, counted, "each row once, the newest first");
    // What somebody is called is no formula for whoever opens it, by the rule of all files that leave.
    let formula = "INSERT INTO events (agency_id, at, actor_kind, action, subject) VALUES ('{}', 1, 'system', 'formula.x', '=1+1')";
    app.sql(&formula.replace("{}", app.ids.agency.as_str())).await;
    let guarded = app.get("/app/agency/audit.csv?action=formula.").header("Cookie", &cookie).send().await;
    assert!(guarded.text.contains(",formula.x,'=1+1,"), "{}", guarded.text);
    let of_nothing = app.get("/app/agency/audit.csv?action=nothing.").header("Cookie", &cookie).send().await;
    assert_eq!(of_nothing.text.lines().count(), 1);
    assert_ne!(app.get("/app/agency/audit.csv").send().await.status, 200, "to those who may see it");
}
