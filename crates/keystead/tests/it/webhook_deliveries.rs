//! What becomes of deliveries, as their owners see it: when each is tried next, and all of them as a file.

use std::time::Duration;

use keystead_core::Overdue;
use keystead_model::{UtcMs, grant::Reach, scope::Preset, scope::Scope};
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, TestApp, TestKey};
use serde_json::{Value, json};

use crate::{
    app::sign_in,
    webhooks::{Receiver, are_noted, contact, endpoint, instance, with},
};

/// What was sent, the newest first, and each as it is told of alone.
async fn sent(app: &TestApp, key: &TestKey, id: &str) -> Vec<Value> {
    let path = format!("/webhooks/{id}/deliveries");
    let listed = app.get(&path).key(key).send().await.expect(200)["deliveries"].clone();
    let listed = listed.as_array().unwrap().clone();
    for delivery in &listed {
        let one = format!("{path}/{}", delivery["id"].as_str().unwrap());
        let alone = app.get(&one).key(key).send().await.expect(200)["delivery"].clone();
        assert_eq!(alone.get("nextAttemptAt"), delivery.get("nextAttemptAt"));
    }
    listed
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_tells_when_it_is_tried_next() {
    let receiver =
        Receiver::answering(|number, _| (if [0, 3].contains(&number) { 503 } else { 200 }, Duration::ZERO)).await;
    let (app, start) = (instance().await, Duration::from_secs(1));
    let (key, operator) = (app.location_key().await, app.operator().await);
    let (id, _) = endpoint(&app, &key, &receiver, &["contact.created"]).await;
    contact(&app, &key, 1).await;
    are_noted(&app, 1).await;
    app.clock.advance(start);
    contact(&app, &key, 2).await;
    let due = |tries: i64| {
        format!("SELECT due_at FROM jobs j JOIN webhook_deliveries d ON d.id = j.id WHERE d.attempts = {tries}")
    };
    let (again, first) = (app.number(&due(1)).await, app.number(&due(0)).await);
    assert!(again - app.app.now().0 > 500_000 && first - app.app.now().0 > 500_000, "it asked for ten minutes");
    let told = sent(&app, &key, &id).await;
    assert_eq!(
        told[0]["nextAttemptAt"],
        UtcMs(first).to_iso(),
        "one that was not tried waits with the other: {told:?}"
    );
    assert_eq!(told[1]["nextAttemptAt"], UtcMs(again).to_iso());
    // In the app by the zone of whoever looks.
    let page = format!("/app/locations/{}/settings/webhooks/{id}", app.ids.location);
    let cookie = format!("{}; keystead-zone=Asia/Tokyo", sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await);
    let see = async |path: &str| app.get(path).header("Cookie", &cookie).send().await.text;
    let in_tokyo = |at: i64| UtcMs(at + 9 * 3_600_000).to_iso()[11..16].to_owned();
    for at in [page.clone(), format!("{page}/deliveries/{}", told[1]["id"].as_str().unwrap())] {
        let shown = see(&at).await;
        let (_, when) = shown.split_once("Tried again at ").unwrap_or_else(|| panic!("{shown}"));
        assert!(when.split('<').next().unwrap().ends_with(&format!("{} Asia/Tokyo", in_tokyo(again))), "{when}");
    }
    assert!(see(&page).await.contains("Tried at "));
    // Nobody knows when, while nothing is sent.
    assert!(app.app.pause_deliveries(operator.authority()).await.unwrap());
    assert!(sent(&app, &key, &id).await.iter().all(|told| told.get("nextAttemptAt").is_none()));
    assert!(!see(&page).await.contains("Tried at "));
    app.app.resume_deliveries(operator.authority(), Overdue::Send).await.unwrap();
    // It is what is done.
    let wait = u64::try_from(again.min(first) - app.app.now().0).unwrap();
    app.clock.advance(Duration::from_millis(wait - 1));
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(receiver.sent().len(), 1);
    app.clock.advance(Duration::from_millis(u64::try_from((again - first).abs()).unwrap() + 1));
    receiver.has_taken(2).await;
    are_noted(&app, 3).await;
    let settled = sent(&app, &key, &id).await;
    assert!(
        settled.iter().all(|told| told["state"] == "delivered" && told.get("nextAttemptAt").is_none()),
        "{settled:?}"
    );
    let shown = see(&page).await;
    assert!(!shown.contains("Tried again") && !shown.contains("Being tried"), "{shown}");
    // To one that is off nothing is sent.
    contact(&app, &key, 3).await;
    are_noted(&app, 4).await;
    assert!(sent(&app, &key, &id).await[0]["nextAttemptAt"].is_string());
    let off = json!({"enabled": false});
    app.patch(&format!("/webhooks/{id}")).key(&key).json(&off).send().await.expect(200);
    let waits = sent(&app, &key, &id).await.remove(0);
    assert_eq!((&waits["state"], waits.get("nextAttemptAt")), (&json!("waiting"), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_had_as_a_file() {
    let receiver = Receiver::answering(|_, _| (200, Duration::ZERO)).await;
    let app = instance().await;
    let key = app.location_key().await;
    let (id, _) = endpoint(&app, &key, &receiver, &["contact.created"]).await;
    contact(&app, &key, 1).await;
    are_noted(&app, 1).await;
    let path = format!("/webhooks/{id}/deliveries/csv");
    let csv = app.get(&path).key(&key).send().await;
    assert_eq!((csv.status, csv.header("content-type")), (200, "text/csv; charset=utf-8"), "{}", csv.text);
    let lines: Vec<&str> = csv.text.lines().collect();
    assert_eq!(lines[0], "id,created_at,message,event,type,location,state,tries,tried_at,body");
    assert!(lines.len() == 2 && lines[1].contains(",contact.created,ContactCreate,"), "{}", csv.text);
    assert!(lines[1].contains(",delivered,1,") && lines[1].contains("c1@example.com"), "{}", csv.text);
    // The same as in the app.
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let of_app = format!("/app/locations/{}/settings/webhooks/{id}/deliveries.csv", app.ids.location);
    assert_eq!(app.get(&of_app).header("Cookie", &cookie).send().await.text, csv.text);
    let failed = app.get(&format!("{path}?state=failed")).key(&key).send().await.text;
    assert_eq!(failed.lines().count(), 1, "{failed}");
    assert_eq!(app.get(&format!("{path}?state=late")).key(&key).send().await.status, 422);
    // Who may not read contacts gets no bodies.
    let blind = with(&app, &[Scope::WebhooksRead]).await;
    let bare = app.get(&path).key(&blind).send().await.text;
    assert!(bare.contains(",delivered,1,") && !bare.contains("c1@example.com"), "{bare}");
    // Longer than is read at once.
    app.sql(&format!(
        "INSERT INTO webhook_deliveries (id, endpoint_id, message_id, location_id, state, tries, attempts, created_at)
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
         SELECT '00000000000000' || (100000 + i), endpoint_id, message_id, location_id, 'held', 0, 0, created_at
         FROM n, webhook_deliveries WHERE endpoint_id = '{id}'"
    ))
    .await;
    let long = app.get(&path).key(&key).send().await.text;
    assert_eq!(long.lines().count(), 1_202);
    let other = app.location("Sibling").await;
    let stranger = app.key(Reach::location(other), Preset::FullAccess).await;
    assert_eq!(app.get(&path).key(&stranger).send().await.status, 404);
}
