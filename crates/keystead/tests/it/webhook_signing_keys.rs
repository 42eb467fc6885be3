//! With which key an agency signs, and which webhook has which.

use std::time::Duration;

use keystead_model::{grant::Reach, key_kind::KeyKind, scope::ScopeSet};
use keystead_testkit::TestApp;
use serde_json::{Value, json};

use crate::{
    settings_pages::Scene,
    webhooks::{Receiver, Sent, allowed, contact, endpoint, signing_key_sample},
};

async fn keys(app: &TestApp, key: &keystead_testkit::TestKey) -> Vec<(i64, i64, String)> {
    let listed = app.get("/webhooks/public-keys").key(key).send().await.expect(200);
    let one = |key: &Value| {
        let base64 = key["base64"].as_str().unwrap().to_owned();
        (key["version"].as_i64().unwrap(), key["webhooks"].as_i64().unwrap(), base64)
    };
    listed["publicKeys"].as_array().unwrap().iter().map(one).collect()
}

fn is_signed_by(sent: &Sent, public: &str) -> bool {
    signing_key_sample::is_signed(sent.header("x-ghl-signature"), sent.body.as_bytes(), public)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_keeps_its_key_until_it_is_switched_to_the_next() {
    let app = TestApp::start_with(|config| config.limits.webhooks.allowed = allowed()).await;
    let receiver = Receiver::answering(|_, _| (200, Duration::ZERO)).await;
    let later = Receiver::answering(|_, _| (200, Duration::ZERO)).await;
    let (agency, key) = (app.agency_key().await, app.location_key().await);
    let first = keys(&app, &key).await;
    assert_eq!(first.iter().map(|(version, used, _)| (*version, *used)).collect::<Vec<_>>(), [(1, 0)]);
    // There is no use for a second key while nobody has the first.
    let same = app.post("/webhooks/public-keys").key(&agency).send().await.expect(200);
    assert_eq!(same["publicKey"]["version"], 1);
    let (id, _) = endpoint(&app, &key, &receiver, &["contact.created"]).await;
    // It is all of the agency's.
    let refused = app.post("/webhooks/public-keys").key(&key).send().await.expect(401);
    assert_eq!(refused["code"], "agency_key_needed");
    let chosen = Reach::Chosen([app.ids.location].into());
    let part = app.key_with(chosen, ScopeSet::all(KeyKind::Agency), |_| {}).await;
    app.post("/webhooks/public-keys").key(&part).send().await.expect(403);
    let next = app.post("/webhooks/public-keys").key(&agency).send().await.expect(201)["publicKey"].clone();
    assert_eq!(next["version"], 2);
    let same = app.post("/webhooks/public-keys").key(&agency).send().await.expect(200);
    assert_eq!(same["publicKey"]["version"], 2);
    let both = keys(&app, &key).await;
    assert_eq!(both[1].2, first[0].2, "the first is what it was");
    let newest = next["base64"].as_str().unwrap();
    assert!(both[0] == (2, 0, newest.to_owned()) && newest != first[0].2);
    contact(&app, &key, 1).await;
    let sent = receiver.has_taken(1).await;
    assert!(is_signed_by(&sent[0], &first[0].2) && !is_signed_by(&sent[0], newest));
    // A new one has the newest.
    endpoint(&app, &key, &later, &["contact.created"]).await;
    let path = format!("/webhooks/{id}");
    for bad in [json!(3), json!(0), json!("x")] {
        let change = json!({"signingKeyVersion": bad});
        assert_eq!(app.patch(&path).key(&key).json(&change).send().await.status, 422, "{bad}");
    }
    let switch = json!({"signingKeyVersion": 2});
    let switched = app.patch(&path).key(&key).json(&switch).send().await.expect(200);
    assert_eq!(switched["webhook"]["signingKeyVersion"], 2);
    contact(&app, &key, 2).await;
    assert!(is_signed_by(&receiver.has_taken(2).await[1], newest));
    assert!(is_signed_by(&later.has_taken(1).await[0], newest));
    // Nobody has the first any more, so it is published no longer.
    assert_eq!(keys(&app, &key).await.iter().map(|(version, used, _)| (*version, *used)).collect::<Vec<_>>(), [(2, 2)]);
    assert_eq!(app.get("/webhooks/public-key?version=1").key(&key).send().await.status, 422);
    assert_eq!(app.get("/webhooks/public-key").key(&key).send().await.expect(200)["publicKey"]["version"], 2);
    let log = app.get("/audit-logs").key(&agency).send().await.text;
    assert!(log.contains("agency.signing_key_created"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_made_and_a_webhook_switched_in_the_app() {
    let scene = Scene::new().await;
    let new = json!({"url": "https://hooks.example.com/a", "events": ["contact.created"]});
    let made = scene.app.post("/webhooks").key(&scene.key).json(&new).send().await.expect(201);
    let path = format!("/settings/webhooks/{}", made["webhook"]["id"].as_str().unwrap());
    assert!(!scene.get(&path).await.contains("Switch to version"));
    assert!(
        !scene.get("/settings/webhooks/signing-key").await.contains("Make version"),
        "a location is one of several"
    );
    let of_agency = "/app/agency/settings/webhooks/signing-key";
    let see = async |url: &str| scene.app.get(url).header("Cookie", &scene.cookie).send().await.text;
    assert!(see(of_agency).await.contains("Make version 2"));
    let answer = crate::app::from_here(scene.app.post(of_agency))
        .header("Cookie", &scene.cookie)
        .form(&[("x", "")])
        .send()
        .await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let page = see(of_agency).await;
    assert!(page.contains("Public key, version 2") && page.contains("<h2>Version 1</h2>"), "{page}");
    assert!(!page.contains("Make version"), "nobody has the second yet");
    assert!(scene.get(&path).await.contains("Switch to version 2"));
    let said = scene.said(&format!("{path}/signing-key"), &[]).await;
    assert_eq!(said, "Its messages are signed with version “2” of the signing key.");
    assert!(!see(of_agency).await.contains("<h2>Version 1</h2>"));
    // All that was sent to it, in one file.
    scene.said(&format!("{path}/test"), &[("event", "contact.created")]).await;
    let file = scene.get(&format!("{path}/deliveries.csv")).await;
    let lines: Vec<&str> = file.lines().collect();
    assert!(
        lines.len() == 2 && lines[0].ends_with("id,created_at,message,event,type,location,state,tries,tried_at,body"),
        "{file}"
    );
    assert!(lines[1].contains("msg_test_") && lines[1].contains("ContactCreate"), "{file}");
    assert_eq!(scene.get(&format!("{path}/deliveries.csv?state=held")).await.lines().count(), 1);
}
