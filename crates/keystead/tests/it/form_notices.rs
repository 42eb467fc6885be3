//! What is told of answers that forms hold.

use std::time::Duration;

use keystead_core::{Mailer, NoticeFilter, StrangersAnswers};
use keystead_jobs::mail_worker;
use keystead_model::{
    form::SubmissionState,
    grant::Reach,
    notice::{Channel, Muted, Topic},
    page::Window,
    scope::{Preset, Scope},
    time::DAY_MS,
    user::Role,
};
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD};
use serde_json::json;

use crate::{
    app::{member, sign_in},
    form_strangers::{Ground, asking},
    form_versions::act,
    mails::{BASE, sink},
    webhook_notices::{list, page},
    webhooks::with,
};

const DAY: Duration = Duration::from_millis(DAY_MS.unsigned_abs());

impl Ground {
    /// A program answers, and fills what people do not see.
    async fn hold(&self, number: usize) {
        let answers = self.answers(json!({"email": format!("bot{number}@example.com")}));
        let token = self.app.app.page_token(self.id);
        self.send(StrangersAnswers { page: Some((token, true)), ..answers }).await.unwrap();
    }

    /// What was held first is looked at.
    async fn decide(&self, what: &str) {
        let held = self.submissions(SubmissionState::Held).await;
        let path = format!("{}/submissions/{}/{what}", self.path, held.last().unwrap().id);
        act(&self.app, &self.key, &path, 200).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn however_much_a_form_holds_on_a_day_one_notice_tells_until_all_was_looked_at() {
    let ground = Ground::new(asking(json!({}))).await;
    let (app, key) = (&ground.app, &ground.key);
    let other = Ground::new(asking(json!({}))).await;
    for number in 0..3 {
        ground.hold(number).await;
        other.hold(number).await;
        app.clock.advance(Duration::from_secs(3_600));
    }
    let told = list(app, key, "").await;
    assert_eq!(told.len(), 1, "{told:#?}");
    let notice = &told[0];
    assert_eq!((&notice["type"], &notice["open"]), (&json!("form.held"), &json!(true)), "{notice:#}");
    assert_eq!((&notice["formId"], &notice["formName"]), (&json!(ground.id), &json!("Contact us")), "{notice:#}");
    assert_eq!((&notice["apiKeyId"], &notice["apiKeyName"]), (&json!(null), &json!(null)), "{notice:#}");
    assert!(notice.get("webhookId").is_none(), "{notice:#}");
    assert_eq!(notice["locationId"], app.ids.location.as_str());
    assert_eq!(list(app, key, &format!("?formId={}", ground.id)).await.len(), 1);
    assert_eq!(list(app, key, &format!("?formId={}", other.id)).await.len(), 0);
    let two = format!("/notifications?formId={}&apiKeyId={}", ground.id, key.id);
    assert_eq!(app.get(&two).key(key).send().await.status, 422);
    assert_eq!(app.get("/notifications?formId=x").key(key).send().await.status, 422);
    // The next day has its own. Each is open while anything of its day is held.
    app.clock.advance(DAY);
    ground.hold(9).await;
    let open = async || {
        let open = list(app, key, "?open=true").await;
        open.iter().map(|notice| notice["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(open().await.len(), 2);
    ground.decide("discard").await;
    ground.decide("accept").await;
    assert_eq!(open().await.len(), 2);
    ground.decide("discard").await;
    let left = open().await;
    assert!(left.len() == 1 && left[0] != notice["id"], "{left:?}");
    ground.decide("accept").await;
    assert_eq!(open().await.len(), 0);
    // What was good is told of to nobody, and what is told of a form goes with it.
    ground.hold(10).await;
    let one = format!("/notifications/{}", list(app, key, "?open=true").await[0]["id"].as_str().unwrap());
    app.get(&one).key(key).send().await.expect(200);
    app.delete(&ground.path).key(key).send().await.expect(200);
    assert_eq!(app.get(&one).key(key).send().await.status, 404);
    assert_eq!(list(app, key, "").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_those_are_told_who_may_read_forms_there() {
    let ground = Ground::new(asking(json!({}))).await;
    let app = &ground.app;
    ground.hold(1).await;
    assert_eq!(list(app, &app.agency_key().await, "?open=true").await[0]["formId"], json!(ground.id));
    assert_eq!(list(app, &with(app, &[Scope::KeysRead]).await, "").await.len(), 0);
    assert_eq!(list(app, &with(app, &[Scope::KeysRead, Scope::FormsRead]).await, "").await.len(), 1);
    let sibling = app.location("Sibling").await;
    assert_eq!(list(app, &app.key(Reach::location(sibling), Preset::FullAccess).await, "").await.len(), 0);
    // A member of the location finds what waits; one of another finds nothing.
    let user = member(app, "user@example.com", Role::AccountUser, &[app.ids.location]).await;
    let listed = page(app, &user, &format!("/app/locations/{}/notices", app.ids.location)).await;
    let leads = format!("/app/locations/{}/submissions?form={}&#38;state=held", app.ids.location, ground.id);
    assert!(listed.contains(&leads) && listed.contains("1 answer is held"), "{listed}");
    let inbox = page(app, &user, &leads.replace("&#38;", "&")).await;
    assert!(inbox.contains("bot1@example.com"), "{inbox}");
    let elsewhere = member(app, "elsewhere@example.com", Role::AccountUser, &[sibling]).await;
    let none = page(app, &elsewhere, &format!("/app/locations/{sibling}/notices")).await;
    assert!(none.contains("Nothing calls for you"), "{none}");
    ground.hold(2).await;
    let listed = page(app, &user, &format!("/app/locations/{}/notices", app.ids.location)).await;
    assert!(listed.contains("2 answers are held"), "{listed}");
    assert!(!listed.contains("<p class=\"sub\"><bdi>"), "whoever is there knows where: {listed}");
    let all = page(app, &sign_in(app, ADMIN_EMAIL, ADMIN_PASSWORD).await, "/app/agency/notices").await;
    assert!(all.contains("<p class=\"sub\"><bdi>"), "{all}");
    let overview = page(app, &sign_in(app, ADMIN_EMAIL, ADMIN_PASSWORD).await, "/app/agency").await;
    assert!(overview.contains("One form needs attention.") && overview.contains(&leads), "{overview}");
}

#[tokio::test(flavor = "multi_thread")]
async fn admins_are_mailed_once_a_day_as_long_as_anything_is_held() {
    let ground = Ground::new(asking(json!({}))).await;
    let app = &ground.app;
    ground.hold(1).await;
    ground.hold(2).await;
    assert_eq!(app.app.queue_mails(BASE).await.unwrap(), 1);
    ground.hold(3).await;
    assert_eq!(app.app.queue_mails(BASE).await.unwrap(), 0, "once a day");
    let mails = app.app.list_mails().await.unwrap();
    let (mail, at) = (&mails[0], format!("{BASE}/app/locations/{}", app.ids.location));
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), (ADMIN_EMAIL, "Answers to 1 form are held"));
    assert!(mail.body.contains(&format!("{at}/submissions?form={}&state=held", ground.id)), "{mail:#?}");
    // Looked at before it goes out: it says nothing any more.
    for _ in 0..3 {
        ground.decide("discard").await;
    }
    let sink = sink().await;
    let mailer = Mailer::new(&sink.url, "keys@crm.example").unwrap();
    mail_worker(&app.app, &mailer, BASE).drain().await.unwrap();
    assert_eq!(sink.mails.lock().unwrap().len(), 0);
    // Who does not want it is told neither way.
    app.clock.advance(DAY);
    ground.hold(4).await;
    let admin = app.admin().await;
    let seen = async || app.app.list_notices(&admin, NoticeFilter::default(), Window::first(9)).await.unwrap().rows;
    assert_eq!(seen().await.len(), 2);
    let muted = Muted::new([(Topic::Forms, Channel::InApp), (Topic::Forms, Channel::Email)]);
    app.app.mute_notices(&admin, muted).await.unwrap();
    assert_eq!((seen().await.len(), app.app.count_unseen_notices(&admin).await.unwrap()), (0, 0));
    assert_eq!(app.app.queue_mails(BASE).await.unwrap(), 0);
}
