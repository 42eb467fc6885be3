//! What is told of webhooks that do not get through.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use keystead_core::{Mailer, NewAgency, NoticeFilter};
use keystead_jobs::mail_worker;
use keystead_model::{
    agency::{AgencyPatch, TenantName},
    grant::Reach,
    key_policy::KeyPolicy,
    notice::{Channel, Muted, NoticeSubject, Topic},
    page::Window,
    scope::{Preset, Scope, ScopeSet},
    text::EmailAddress,
    time::DAY_MS,
    user::Role,
};
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, TestApp, TestKey};
use serde_json::{Value, json};

use crate::{
    app::{join, member, sign_in},
    mails::{BASE, sink},
    webhooks::{Receiver, allowed, are_noted, contact, endpoint, with},
};

/// An instance that gives up at once, and a receiver that answers as it is told.
async fn scene() -> (TestApp, Receiver, Arc<Mutex<u16>>) {
    let app = TestApp::start_with(|config| {
        config.limits.webhooks.allowed = allowed();
        config.limits.webhooks.retries = Vec::new();
    })
    .await;
    let status = Arc::new(Mutex::new(500));
    let answer = Arc::clone(&status);
    let receiver = Receiver::answering(move |_, _| (*answer.lock().unwrap(), Duration::ZERO)).await;
    (app, receiver, status)
}

pub(crate) async fn list(app: &TestApp, key: &TestKey, query: &str) -> Vec<Value> {
    let listed = app.get(&format!("/notifications{query}")).key(key).send().await.expect(200);
    listed["notifications"].as_array().unwrap().clone()
}

pub(crate) async fn page(app: &TestApp, cookie: &str, path: &str) -> String {
    let answer = app.get(path).header("Cookie", cookie).send().await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.text
}

/// Waits until so many notices are open for somebody.
async fn are_open(app: &TestApp, key: &TestKey, count: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let open = list(app, key, "?open=true").await;
        if open.len() == count {
            return open;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{count} are not open: {open:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_run_out_on_a_day_one_notice_tells_until_they_are_sent_again() {
    let (app, receiver, status) = scene().await;
    let key = app.location_key().await;
    let (id, _) = endpoint(&app, &key, &receiver, &["contact.created"]).await;
    let (other, _) = endpoint(&app, &key, &receiver, &["tag.created"]).await;
    for number in 0..3 {
        contact(&app, &key, number).await;
        are_noted(&app, number as i64 + 1).await;
        app.clock.advance(Duration::from_secs(60));
    }
    let told = list(&app, &key, "").await;
    assert_eq!(told.len(), 1, "{told:#?}");
    let notice = &told[0];
    assert_eq!((&notice["type"], &notice["open"]), (&json!("webhook.failed"), &json!(true)), "{notice:#}");
    assert_eq!((&notice["webhookId"], &notice["webhookName"]), (&json!(id), &json!(receiver.url)));
    assert_eq!(
        (&notice["apiKeyId"], &notice["apiKeyName"], &notice["daysLeft"]),
        (&json!(null), &json!(null), &json!(null))
    );
    assert_eq!(notice["locationId"], app.ids.location.as_str());
    assert_eq!(list(&app, &key, &format!("?webhookId={id}")).await.len(), 1);
    assert_eq!(list(&app, &key, &format!("?webhookId={other}")).await.len(), 0);
    assert_eq!(list(&app, &key, &format!("?apiKeyId={}", key.id)).await.len(), 0);
    let both = format!("/notifications?webhookId={id}&apiKeyId={}", key.id);
    assert_eq!(app.get(&both).key(&key).send().await.status, 422);
    assert_eq!(app.get("/notifications?webhookId=x").key(&key).send().await.status, 422);
    // Another day has its own.
    app.clock.advance(Duration::from_millis(DAY_MS.unsigned_abs()));
    contact(&app, &key, 3).await;
    are_noted(&app, 4).await;
    are_open(&app, &key, 2).await;
    // One of the first day that still failed keeps its notice open.
    *status.lock().unwrap() = 200;
    let failed = app.get(&format!("/webhooks/{id}/deliveries?state=failed")).key(&key).send().await.expect(200);
    let resend = async |index: usize| {
        let delivery = failed["deliveries"][index]["id"].as_str().unwrap();
        app.post(&format!("/webhooks/{id}/deliveries/{delivery}/resend")).key(&key).send().await.expect(200);
    };
    resend(1).await;
    receiver.has_taken(1).await;
    assert_eq!(list(&app, &key, "?open=true").await.len(), 2);
    resend(0).await;
    let open = are_open(&app, &key, 1).await;
    assert_eq!(open[0]["id"], notice["id"]);
    let since = json!({"since": "2026-11-25T00:00:00Z"});
    let recovered = app.post(&format!("/webhooks/{id}/recover")).key(&key).json(&since).send().await.expect(200);
    assert_eq!(recovered["recovered"], 2);
    are_open(&app, &key, 0).await;
    receiver.has_taken(4).await;
    are_noted(&app, 8).await;
    assert_eq!(list(&app, &key, "?open=true").await.len(), 0, "they arrived");
    let told = list(&app, &key, "").await;
    assert!(told.len() == 2 && told.iter().all(|notice| notice["open"] == false), "{told:#?}");
    // What is told of a webhook goes with it, also what was read and mailed.
    let one = format!("/notifications/{}", notice["id"].as_str().unwrap());
    app.patch(&one).key(&key).json(&json!({"state": "read"})).send().await.expect(200);
    app.delete(&format!("/webhooks/{id}")).key(&key).send().await.expect(200);
    assert_eq!(app.get(&one).key(&key).send().await.status, 404);
    assert_eq!(app.number("SELECT count(*) FROM notices").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_whose_webhook_may_hear_nothing_more_is_told_of_too() {
    let (app, receiver, _) = scene().await;
    let (key, admin) = (app.location_key().await, app.agency_key().await);
    let hook = with(&app, &[Scope::WebhooksRead, Scope::WebhooksWrite, Scope::ContactsRead]).await;
    endpoint(&app, &hook, &receiver, &["contact.created"]).await;
    contact(&app, &key, 1).await;
    are_noted(&app, 1).await;
    assert_eq!(are_open(&app, &admin, 1).await[0]["type"], "webhook.failed");
    app.sql("DELETE FROM notices").await;
    // It is sent again, and its key is switched off meanwhile.
    let id = app.get("/webhooks").key(&admin).send().await.expect(200)["webhooks"][0]["id"].clone();
    let path = format!("/webhooks/{}/deliveries", id.as_str().unwrap());
    let delivery = app.get(&path).key(&admin).send().await.expect(200)["deliveries"][0]["id"].clone();
    app.post(&format!("/api-keys/{}/deactivate", hook.id)).key(&admin).send().await.expect(200);
    app.post(&format!("{path}/{}/resend", delivery.as_str().unwrap())).key(&admin).send().await.expect(200);
    are_noted(&app, 2).await;
    assert_eq!(are_open(&app, &admin, 1).await[0]["type"], "webhook.failed");
    assert_eq!(receiver.sent().len(), 1);
}

/// One that answered 410 for an hour.
async fn switched_off(app: &TestApp, key: &TestKey, receiver: &Receiver, status: &Mutex<u16>) -> String {
    *status.lock().unwrap() = 410;
    let (id, _) = endpoint(app, key, receiver, &["contact.created"]).await;
    contact(app, key, 1).await;
    are_noted(app, 1).await;
    app.clock.advance(Duration::from_secs(3_601));
    contact(app, key, 2).await;
    are_noted(app, 2).await;
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_switched_off_is_told_of_once_until_it_is_on_again() {
    let (app, receiver, status) = scene().await;
    let key = app.location_key().await;
    let id = switched_off(&app, &key, &receiver, &status).await;
    let open = are_open(&app, &key, 2).await;
    assert_eq!((&open[0]["type"], &open[1]["type"]), (&json!("webhook.disabled"), &json!("webhook.failed")));
    let path = format!("/webhooks/{id}");
    let disabled = async || {
        let told = list(&app, &key, "").await;
        let of = |notice: &&Value| notice["type"] == "webhook.disabled";
        told.iter().filter(of).map(|notice| notice["open"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(disabled().await, [true]);
    app.patch(&path).key(&key).json(&json!({"enabled": true})).send().await.expect(200);
    assert_eq!(disabled().await, [false]);
    // Whoever switches it off by hand knows; the notice of then stays closed.
    app.clock.advance(Duration::from_secs(60));
    app.patch(&path).key(&key).json(&json!({"enabled": false})).send().await.expect(200);
    assert_eq!(disabled().await, [false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_those_are_told_who_may_read_webhooks_there() {
    let (app, receiver, status) = scene().await;
    let (key, admin) = (app.location_key().await, app.agency_key().await);
    switched_off(&app, &key, &receiver, &status).await;
    let (agencys, _) = endpoint(&app, &admin, &receiver, &["contact.created"]).await;
    *status.lock().unwrap() = 500;
    app.clock.advance(Duration::from_secs(1));
    contact(&app, &key, 3).await;
    are_noted(&app, 3).await;
    assert_eq!(are_open(&app, &admin, 3).await[0]["webhookId"], agencys);
    let open = are_open(&app, &key, 2).await;
    assert!(open.iter().all(|notice| notice["webhookId"] != agencys), "the agency's is not theirs: {open:#?}");
    let keys_only = with(&app, &[Scope::KeysRead]).await;
    assert_eq!(list(&app, &keys_only, "").await, [] as [Value; 0]);
    let path = format!("/notifications/{}", open[0]["id"].as_str().unwrap());
    assert_eq!(app.get(&path).key(&keys_only).send().await.status, 404);
    // Keys are not asked for: each notice is for whoever may read what it is about.
    let webhooks_only = with(&app, &[Scope::WebhooksRead]).await;
    assert_eq!(list(&app, &webhooks_only, "").await.len(), 2);
    assert_eq!(list(&app, &with(&app, &[Scope::ContactsRead]).await, "").await, [] as [Value; 0]);
    let both = with(&app, &[Scope::KeysRead, Scope::WebhooksRead]).await;
    assert_eq!(list(&app, &both, "").await.len(), 2);
    let sibling = app.location("Sibling").await;
    let stranger = app.key(Reach::location(sibling), Preset::FullAccess).await;
    assert_eq!(list(&app, &stranger, "").await, [] as [Value; 0]);
    // Members, by the pages.
    let foreign = app.app.create_agency(NewAgency { name: TenantName::parse("Other").unwrap() }).await.unwrap();
    let foreign = app.app.operator_in(foreign.id).await.unwrap();
    let user = member(&app, "user@example.com", Role::AccountUser, &[app.ids.location]).await;
    let manager = member(&app, "manager@example.com", Role::AccountAdmin, &[app.ids.location]).await;
    let foreigner = join(&app, &foreign, "foreign@example.com", Role::AgencyAdmin, &[]).await;
    let of_location = format!("/app/locations/{}/notices", app.ids.location);
    for page in [page(&app, &user, &of_location).await, page(&app, &foreigner, "/app/agency/notices").await] {
        assert!(page.contains("Nothing calls for you"), "{page}");
    }
    let listed = page(&app, &manager, &of_location).await;
    let link = format!("href=\"/app/locations/{}/settings/webhooks/", app.ids.location);
    assert!(listed.matches("class=\"notice ").count() == 2 && listed.contains(&link), "{listed}");
    assert!(listed.contains("because its receiver says that it is gone"), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn admins_are_mailed_of_webhooks_and_contacts_of_keys_are_not() {
    let (app, receiver, status) = scene().await;
    let contact = Some(EmailAddress::parse("security@x.example").unwrap());
    let patch = AgencyPatch { keys: Some(KeyPolicy { contact, ..KeyPolicy::default() }), ..AgencyPatch::default() };
    app.app.update_agency(&app.operator().await, app.ids.agency, patch).await.unwrap();
    let key = app.location_key().await;
    let id = switched_off(&app, &key, &receiver, &status).await;
    assert_eq!(app.app.queue_mails(BASE).await.unwrap(), 2, "an alert and a summary");
    assert_eq!(app.app.queue_mails(BASE).await.unwrap(), 0, "once");
    let mails = app.app.list_mails().await.unwrap();
    assert!(mails.iter().all(|mail| mail.to == ADMIN_EMAIL), "{mails:#?}");
    let page = format!("{BASE}/app/agency/settings/webhooks/{id}");
    for (subject, said) in [
        ("A webhook was switched off", "its receiver says that it is gone"),
        ("Messages of 1 webhook failed", "They are kept for 30 days"),
    ] {
        let mail = mails.iter().find(|mail| mail.subject == subject).unwrap_or_else(|| panic!("{subject}: {mails:#?}"));
        assert!(mail.body.contains(said) && mail.body.contains(&page), "{mail:#?}");
        assert!(mail.body.contains(&receiver.url), "{mail:#?}");
    }
    // On again before it goes out: that mail says nothing any more.
    app.patch(&format!("/webhooks/{id}")).key(&key).json(&json!({"enabled": true})).send().await.expect(200);
    let sink = sink().await;
    let mailer = Mailer::new(&sink.url, "keys@crm.example").unwrap();
    mail_worker(&app.app, &mailer, BASE).drain().await.unwrap();
    let sent = sink.mails.lock().unwrap().clone();
    assert!(sent.len() == 1 && sent[0].contains("Subject: Messages of 1 webhook failed"), "{sent:#?}");
    // Who does not want it is told neither way.
    let admin = app.admin().await;
    let filter = NoticeFilter::default();
    assert_eq!(app.app.list_notices(&admin, filter, Window::first(9)).await.unwrap().rows.len(), 2);
    app.app
        .mute_notices(&admin, Muted::new([(Topic::Webhooks, Channel::InApp), (Topic::Webhooks, Channel::Email)]))
        .await
        .unwrap();
    assert_eq!(app.app.list_notices(&admin, filter, Window::first(9)).await.unwrap().rows.len(), 0);
    assert_eq!(app.app.count_unseen_notices(&admin).await.unwrap(), 0);
    app.clock.advance(Duration::from_millis(DAY_MS.unsigned_abs()));
    assert_eq!(app.app.queue_mails(BASE).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exposed_key_names_the_webhooks_that_it_has_set_up() {
    let (app, receiver, _) = scene().await;
    let contact = Some(EmailAddress::parse("security@x.example").unwrap());
    let patch = AgencyPatch { keys: Some(KeyPolicy { contact, ..KeyPolicy::default() }), ..AgencyPatch::default() };
    app.app.update_agency(&app.operator().await, app.ids.agency, patch).await.unwrap();
    let (found, other) = (app.location_key().await, app.location_key().await);
    let new = json!({"url": receiver.url, "events": ["contact.created"], "description": "<Newsletter>"});
    let made = app.post("/webhooks").key(&found).json(&new).send().await.expect(201);
    let id = made["webhook"]["id"].as_str().unwrap();
    endpoint(&app, &other, &receiver, &["tag.created"]).await;
    for key in [&found, &other] {
        app.post("/api-keys/revoke-exposed").json(&json!({"keys": [key.secret]})).send().await.expect(202);
    }
    let admin = app.admin().await;
    let set_up = async |authority, key: &TestKey| {
        let filter = NoticeFilter { subject: Some(NoticeSubject::Key(key.id)), ..NoticeFilter::default() };
        let told = app.app.list_notices(authority, filter, Window::first(9)).await.unwrap().rows;
        let names = |endpoint: &keystead_model::webhook::NamedEndpoint| endpoint.title().to_owned();
        told[0].about.key().unwrap().set_up.iter().map(names).collect::<Vec<_>>()
    };
    assert_eq!(set_up(&admin, &found).await, ["<Newsletter>"]);
    assert_eq!(set_up(&admin, &other).await, [receiver.url.as_str()]);
    let keys_only =
        app.key_with(Reach::location(app.ids.location), ScopeSet::EMPTY.with(Scope::KeysRead), |_| {}).await;
    let caller = keystead_testkit::authenticate(&app.app, &keys_only).await.unwrap();
    assert_eq!(set_up(&caller.authority(), &found).await, [] as [&str; 0]);
    // In the app.
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let link = format!("<a href=\"/app/agency/settings/webhooks/{id}\"><bdi>&#60;Newsletter&#62;</bdi></a>");
    let key_page = page(&app, &cookie, &format!("/app/agency/settings/keys/{}", found.id)).await;
    assert!(key_page.matches(&link).count() == 2 && !key_page.contains(&receiver.url), "{key_page}");
    assert!(page(&app, &cookie, "/app/agency/notices").await.contains(&link));
    // By mail, where it is read by somebody who finds the page.
    app.app.queue_mails(BASE).await.unwrap();
    let mails = app.app.list_mails().await.unwrap();
    let to = |address: &str| mails.iter().find(|mail| mail.to == address).unwrap().body.clone();
    let page = format!("<Newsletter> ({BASE}/app/agency/settings/webhooks/{id})");
    let body = to(ADMIN_EMAIL).replace(['\u{2068}', '\u{2069}'], "");
    assert!(body.contains(&page) && body.contains("It has set up webhooks"), "{body}");
    assert!(!to("security@x.example").contains("webhook"), "{}", to("security@x.example"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_somebody_has_webhooks_too() {
    let (app, receiver, status) = scene().await;
    let key = app.location_key().await;
    let id = switched_off(&app, &key, &receiver, &status).await;
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let overview = page(&app, &cookie, "/app/agency").await;
    assert!(overview.contains("One webhook needs attention."), "{overview}");
    let link = format!("<a class=\"name\" href=\"/app/agency/settings/webhooks/{id}\">");
    assert!(overview.matches(&link).count() == 1, "the most urgent alone: {overview}");
    assert!(overview.contains("because its receiver says that it is gone"), "{overview}");
    let notices = page(&app, &cookie, "/app/agency/notices").await;
    assert_eq!(notices.matches(&link).count(), 2, "{notices}");
    // Of failures on several days the newest speaks for all.
    *status.lock().unwrap() = 500;
    app.patch(&format!("/webhooks/{id}")).key(&key).json(&json!({"enabled": true})).send().await.expect(200);
    app.clock.advance(Duration::from_millis(DAY_MS.unsigned_abs()));
    contact(&app, &key, 9).await;
    are_noted(&app, 3).await;
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let notices = page(&app, &cookie, "/app/agency/notices").await;
    assert_eq!(notices.matches(&link).count(), 1, "{notices}");
    assert!(notices.contains("2 earlier about this webhook"), "{notices}");
}
