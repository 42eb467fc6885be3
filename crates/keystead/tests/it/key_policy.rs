//! What an agency asks of its keys holds for whoever makes them, by every door.

use keystead_core::{ErrorCode, OldKeyEnds};
use keystead_model::{
    UtcMs,
    agency::AgencyPatch,
    grant::Reach,
    key_policy::{AgencyKeyMakers, KeyPolicy},
    text::EmailAddress,
    time::DAY_MS,
};
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, TestApp};
use serde_json::{Value, json};

use crate::app::{from_here, join, sign_in};

async fn set(app: &TestApp, keys: KeyPolicy) {
    let patch = AgencyPatch { keys: Some(keys), ..AgencyPatch::default() };
    app.app.update_agency(&app.operator().await, app.ids.agency, patch).await.unwrap();
}

fn days(longest: Option<u32>, default: Option<u32>) -> KeyPolicy {
    KeyPolicy { longest_days: longest, default_days: default, ..KeyPolicy::default() }
}

fn in_days(app: &TestApp, days: i64) -> String {
    UtcMs(app.app.now().0 + days * DAY_MS).to_iso()
}

fn new_key(more: Value) -> Value {
    let mut body = json!({"name": "x", "kind": "location", "scopes": ["contacts.readonly"]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_expires_as_the_agency_has_it() {
    let app = TestApp::start().await;
    let full = app.location_key().await;
    let make = async |more: Value| app.post("/api-keys").key(&full).json(&new_key(more)).send().await;
    assert_eq!(make(json!({})).await.expect(201)["apiKey"]["expiresAt"], Value::Null);
    set(&app, days(None, Some(30))).await;
    assert_eq!(make(json!({})).await.expect(201)["apiKey"]["expiresAt"], in_days(&app, 30));
    let far = json!({"expiresAt": in_days(&app, 400)});
    assert_eq!(make(far.clone()).await.expect(201)["apiKey"]["expiresAt"], in_days(&app, 400));
    set(&app, days(Some(90), None)).await;
    assert_eq!(make(json!({})).await.expect(201)["apiKey"]["expiresAt"], in_days(&app, 90));
    let refused = make(far).await.expect(422);
    assert_eq!(refused["message"], json!(["expiresAt must be within 90 days: so your agency wants it of all keys"]));
    // The operator at the command line is nobody else's exception.
    let operator = app.operator().await;
    let key = app
        .key_with(
            Reach::location(app.ids.location),
            keystead_model::scope::ScopeSet::EMPTY.with(keystead_model::scope::Scope::ContactsRead),
            |_| {},
        )
        .await;
    let made = app.app.get_key(operator.authority(), key.id).await.unwrap();
    assert_eq!(made.grant.expires_at, Some(UtcMs(app.app.now().0 + 90 * DAY_MS)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_there_stays_until_its_expiry_is_changed() {
    let app = TestApp::start().await;
    let (full, old) = (app.agency_key().await, app.location_key().await);
    set(&app, days(Some(90), None)).await;
    let path = format!("/api-keys/{}", old.id);
    let change = async |body: Value| app.patch(&path).key(&full).json(&body).send().await;
    assert_eq!(change(json!({"name": "Renamed"})).await.expect(200)["apiKey"]["expiresAt"], Value::Null);
    change(json!({"expiresAt": in_days(&app, 92)})).await.expect(422);
    change(json!({"expiresAt": in_days(&app, 60)})).await.expect(200);
    let refused = change(json!({"expiresAt": null})).await.expect(422);
    assert!(refused["message"][0].as_str().unwrap().contains("within 90 days"), "{refused}");
    // A lost key is replaced by one that the agency allows.
    let operator = app.operator().await;
    let lost = app.agency_key().await;
    set(&app, days(Some(10), None)).await;
    let made = app.app.replace_key(operator.authority(), lost.id, OldKeyEnds::Now).await.unwrap().made;
    assert_eq!(made.key.grant.expires_at, Some(UtcMs(app.app.now().0 + 10 * DAY_MS)));
}

#[tokio::test(flavor = "multi_thread")]
async fn agency_keys_can_be_kept_to_the_operators() {
    let app = TestApp::start().await;
    let full = app.agency_key().await;
    let second =
        join(&app, &app.operator().await, "second@x.example", keystead_model::user::Role::AgencyAdmin, &[]).await;
    set(&app, KeyPolicy { agency_keys_by: AgencyKeyMakers::Operators, ..KeyPolicy::default() }).await;
    let agency = new_key(json!({"kind": "agency"}));
    let refused = app.post("/api-keys").key(&full).json(&agency).send().await.expect(403);
    assert_eq!(refused["code"], ErrorCode::NotAllowed.as_str());
    assert!(refused["message"].as_str().unwrap().contains("keeps agency keys to the operators"), "{refused}");
    let location = new_key(json!({"locationId": app.ids.location}));
    app.post("/api-keys").key(&full).json(&location).send().await.expect(201);
    let url = "/app/agency/settings/keys/new";
    let fields = [("form_id", "a"), ("name", "x"), ("kind", "agency"), ("preset", "read-only")];
    let refused = from_here(app.post(url)).header("Cookie", &second).form(&fields).send().await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("keeps agency keys to the operators"), "{}", refused.text);
    // The first admin runs the instance.
    let operator = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let made = from_here(app.post(url)).header("Cookie", &operator).form(&fields).send().await;
    assert_eq!(made.status, 200, "{}", made.text);
    app.key_with(
        Reach::Agency,
        keystead_model::scope::Preset::ReadOnly.scopes(keystead_model::key_kind::KeyKind::Agency),
        |_| {},
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_page_saves_and_says_what_is_wrong() {
    let app = TestApp::start().await;
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let url = "/app/agency/settings/general";
    let save =
        async |fields: &[(&str, &str)]| from_here(app.post(url)).header("Cookie", &cookie).form(fields).send().await;
    let whole = [
        ("name", "Southwind Agency"),
        ("keyLongestDays", "90"),
        ("keyDefaultDays", "30"),
        ("agencyKeysBy", "operators"),
        ("keysContact", "security@x.example"),
    ];
    assert_eq!(save(&whole).await.status, 303);
    let page = app.get(url).header("Cookie", &cookie).send().await.text;
    for shown in [
        "value=\"Southwind Agency\"",
        "value=\"90\"",
        "value=\"30\"",
        "value=\"security@x.example\"",
        "value=\"operators\" checked",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let saved = app.app.get_agency(&app.operator().await).await.unwrap();
    let contact = Some(EmailAddress::parse("security@x.example").unwrap());
    let wanted = KeyPolicy {
        longest_days: Some(90),
        default_days: Some(30),
        agency_keys_by: AgencyKeyMakers::Operators,
        contact,
    };
    assert_eq!(saved.keys, wanted);
    for (field, value, said) in [
        ("keyDefaultDays", "91", "no more than the longest, which is 90 days"),
        ("keyLongestDays", "0", "a number of days from 1"),
        ("keysContact", "nobody", "keysContact-problem"),
        ("name", "", "name-problem"),
    ] {
        let fields = whole.map(|(name, old)| (name, if name == field { value } else { old }));
        let refused = save(&fields).await;
        assert_eq!(refused.status, 422, "{field}");
        assert!(
            refused.text.contains(said) && refused.text.contains(&format!("id=\"{field}-problem\"")),
            "{field}: {}",
            refused.text
        );
    }
    // The name alone needs no password; what keys may be does.
    app.clock.advance(std::time::Duration::from_secs(16 * 60));
    let renamed = whole.map(|(name, old)| (name, if name == "name" { "Renamed" } else { old }));
    assert_eq!(save(&renamed).await.status, 303);
    let wider = whole.map(|(name, old)| (name, if name == "keyLongestDays" { "900" } else { old }));
    let asked = save(&wider).await;
    assert!(asked.status == 422 && asked.text.contains("confirm_password-problem"), "{}", asked.text);
    // The log says what changed, and who did it.
    let log = app.get("/app/agency/audit").header("Cookie", &cookie).send().await.text;
    assert!(log.contains("Key longest days") && log.contains("security@x.example"), "{log}");
}
