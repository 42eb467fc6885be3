//! The web app through its front door: who gets in where, and what forms and actions answer. How pages look and behave
//! is tested in a browser.

use std::time::Duration;

use keystead_core::{AgencyContext, ErrorCode, NoticeFilter};
use keystead_model::{
    LocationId,
    actor::Actor,
    agency::{AgencyPatch, TenantName},
    api_key::{KeyName, NewKey},
    contact::ContactPatch,
    grant::Reach,
    key_kind::KeyKind,
    location::LocationPatch,
    note::{Note, NoteContent},
    page::Window,
    saved_view::ViewedList,
    scope::Preset,
    task::{Task, TaskContent},
    text::{Country, EmailAddress, Line, Prose},
    user::{NewUser, PersonName, Role},
};
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, Answer, Call, TestApp};
use serde_json::json;

use crate::{
    callers::saved_view,
    form_versions::published,
    opportunities::{contact, first_pipeline, opportunity},
    things::held,
};

pub(crate) fn from_here(call: Call) -> Call {
    call.header("Sec-Fetch-Site", "same-origin")
}

/// The cookie of a new session.
pub(crate) async fn sign_in(app: &TestApp, email: &str, password: &str) -> String {
    let form = [("email", email), ("password", password)];
    let answer = from_here(app.post("/app/sign-in")).form(&form).send().await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let cookie = answer.header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"));
    cookie.split(';').next().unwrap().to_owned()
}

/// A member with a role, signed in.
pub(crate) async fn member(app: &TestApp, email: &str, role: Role, locations: &[LocationId]) -> String {
    join(app, &app.operator().await, email, role, locations).await
}

/// A member of any agency, signed in.
pub(crate) async fn join(
    app: &TestApp,
    agency: &AgencyContext,
    email: &str,
    role: Role,
    locations: &[LocationId],
) -> String {
    let new = NewUser {
        email: EmailAddress::parse(email).unwrap(),
        first_name: None,
        last_name: None,
        role,
        locations: locations.iter().copied().collect(),
    };
    let (token, _) = app.app.invite_user(agency.authority(), new).await.unwrap();
    let accepted =
        from_here(app.post(&format!("/app/invite/{token}"))).form(&[("password", "a long password")]).send().await;
    assert_eq!(accepted.status, 303, "{}", accepted.text);
    sign_in(app, email, "a long password").await
}

/// A contact with a note and a task: their ids.
pub(crate) async fn contact_with_parts(app: &TestApp) -> (String, String, String) {
    let operator = app.operator().await;
    let context = app.app.enter_location(operator.authority().clone(), Some(app.ids.location)).await.unwrap();
    let named = ContactPatch { first_name: Some(Some(Line::parse("Ada").unwrap())), ..ContactPatch::default() };
    let contact = app.app.create_contact(&context, named).await.unwrap().id;
    let note = NoteContent { body: Prose::parse("x").unwrap(), title: None, color: None, pinned: false, user: None };
    let note = app.app.create::<Note>(&context, contact, note).await.unwrap().id;
    let (title, due_at) = (Line::parse("x").unwrap(), app.app.now());
    let task = TaskContent { title, body: None, due_at, completed: false, assigned_to: None };
    let task = app.app.create::<Task>(&context, contact, task).await.unwrap().id;
    (contact.to_string(), note.to_string(), task.to_string())
}

pub(crate) fn fill(path: &str, location: LocationId, id: &str) -> String {
    path.replace("{location}", location.as_str())
        .replace("{id}", id)
        .replace("{token}", "x")
        .replace("{page}", "errors")
        .replace("{list}", "zones")
        .replace("{viewed}", "contacts")
        .replace("{note}", id)
        .replace("{task}", id)
        .replace("{delivery}", id)
        .replace("{to}", "won")
        .replace("{click}", id)
        .replace("{field}", "why")
        .replace("{version}", "1")
        .replace("{submission}", id)
        .replace("{kind}", "phone")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_disables_a_member_says_what_becomes_of_the_keys_that_they_made() {
    let app = TestApp::start().await;
    member(&app, "la@example.com", Role::AccountAdmin, &[app.ids.location]).await;
    let leaving = app.member("la@example.com", "a long password").await;
    let scopes = Preset::ReadOnly.scopes(KeyKind::Location);
    let make = async |name: &str| {
        let change = |new: &mut NewKey| new.name = KeyName::parse(name).unwrap();
        app.key_by(&leaving, Reach::location(app.ids.location), scopes, change).await
    };
    let (kept, ended, others) = (make("Stays").await, make("Goes").await, app.location_key().await);
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let Actor::User(id) = leaving.actor() else { panic!("a member") };
    let url = format!("/app/agency/members/{id}/disable");
    let page = app.get(&url).header("Cookie", &cookie).send().await;
    let asks = |name: &str| page.text.contains(&format!("Deactivate <bdi>{name}</bdi>"));
    assert!(asks("Stays") && asks("Goes"), "{}", page.text);
    assert!(!asks("A test"), "the key of somebody else");
    let disable =
        async |keys: &[(&str, &str)]| from_here(app.post(&url)).header("Cookie", &cookie).form(keys).send().await;
    // A key of somebody else is not ended by the way, and nothing else happens either.
    assert_eq!(disable(&[("deactivate", others.id.as_str())]).await.status, 404);
    assert_eq!(
        app.get("/app").header("Cookie", &sign_in(&app, "la@example.com", "a long password").await).send().await.status,
        303
    );
    assert_eq!(disable(&[("deactivate", ended.id.as_str())]).await.status, 303);
    for (key, status) in [(&kept, 200), (&ended, 401), (&others, 200)] {
        assert_eq!(app.get("/api-keys/self").key(key).send().await.status, status);
    }
    let refused =
        from_here(app.post("/app/sign-in")).form(&[("email", "la@example.com"), ("password", "a long password")]);
    assert_eq!(refused.send().await.status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_adds_authority_asks_for_the_password_again() {
    let app = TestApp::start().await;
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let url = format!("/app/locations/{}/settings/keys/new", app.ids.location);
    let create = async |form_id: &str, password: &str| {
        let fields = [("form_id", form_id), ("name", "x"), ("preset", "read-only"), ("confirm_password", password)];
        from_here(app.post(&url)).header("Cookie", &cookie).form(&fields).send().await
    };
    assert_eq!(create("a", "").await.status, 200, "a fresh sign-in needs none");
    app.clock.advance(Duration::from_secs(16 * 60));
    for wrong in ["", "not my password"] {
        let refused = create("b", wrong).await;
        assert_eq!(refused.status, 422);
        assert!(refused.text.contains("confirm_password") && !refused.text.contains("ks_location_"));
    }
    let made = create("b", ADMIN_PASSWORD).await;
    assert_eq!((made.status, made.header("cache-control")), (200, "no-store"));
    assert!(made.text.contains("ks_location_"));
    let again = create("b", ADMIN_PASSWORD).await;
    assert!(again.text.contains("Already shown"));
    let policy = made.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    app.clock.advance(Duration::from_secs(25 * 3600));
    assert_eq!(app.get(&url).header("Cookie", &cookie).send().await.status, 303, "idle for a day: signed out");
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_passwords_is_slowed_down_and_the_last_admin_stays() {
    let app = TestApp::start().await;
    let attempt = async |email: &str, password: &str| {
        from_here(app.post("/app/sign-in")).form(&[("email", email), ("password", password)]).send().await
    };
    for _ in 0..8 {
        assert!(attempt(ADMIN_EMAIL, "wrong wrong wrong").await.text.contains("not right"));
    }
    assert!(attempt(ADMIN_EMAIL, ADMIN_PASSWORD).await.text.contains("Too many attempts"));
    app.clock.advance(Duration::from_secs(15 * 60 + 1));
    assert_eq!(attempt(ADMIN_EMAIL, ADMIN_PASSWORD).await.status, 303);
    let operator = app.operator().await;
    let disabled = app.app.set_user_disabled(operator.authority(), app.ids.user, true).await;
    assert_eq!(disabled.unwrap_err().code(), ErrorCode::LastAdmin);
    let patch = AgencyPatch { name: Some(TenantName::parse("Renamed").unwrap()), ..AgencyPatch::default() };
    app.app.update_agency(&operator, app.ids.agency, patch).await.unwrap();
}

/// A form that is shown again must hold what is stored: the next Save would otherwise wipe it.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_action_shows_the_whole_form_again() {
    let app = TestApp::start().await;
    let operator = app.operator().await;
    let patch = LocationPatch {
        city: Some(Some(Line::parse("Hamburg").unwrap())),
        country: Some(Country::parse("DE").unwrap()),
        ..Default::default()
    };
    app.app.update_location(&operator, app.ids.location, patch).await.unwrap();
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let url = format!("/app/agency/locations/{}", app.ids.location);
    let post = async |path: &str, fields: &[(&str, &str)]| {
        from_here(app.post(&format!("{url}{path}"))).header("Cookie", &cookie).form(fields).send().await
    };
    assert_eq!(post("/suspend", &[]).await.status, 303);
    app.clock.advance(Duration::from_secs(16 * 60));
    let asked = app.get(&url).header("Cookie", &cookie).send().await;
    assert!(asked.text.contains("confirm_password"), "the password is asked with the form, not after it");
    let refused = post("/resume", &[("confirm_password", "wrong wrong wrong")]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains(r#"value="Hamburg""#) && refused.text.contains(r#"value="DE""#), "{}", refused.text);
    assert_eq!(post("/resume", &[("confirm_password", ADMIN_PASSWORD)]).await.status, 303);
}

/// What a browser keeps of an answer's cookies.
fn keep(jar: &mut Vec<(String, String)>, answer: &Answer) {
    for cookie in answer.headers.get_all("set-cookie") {
        let (pair, attributes) = cookie.to_str().unwrap().split_once(';').unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        jar.retain(|(known, _)| known != name);
        if !attributes.contains("Max-Age=0") {
            jar.push((name.to_owned(), value.to_owned()));
        }
    }
}

/// A browser without a script: it keeps cookies and follows redirects.
pub(crate) struct Browser<'a> {
    pub(crate) app: &'a TestApp,
    pub(crate) jar: Vec<(String, String)>,
}

impl<'a> Browser<'a> {
    /// Of the admin, signed in.
    pub(crate) async fn signed_in(app: &'a TestApp) -> Self {
        let cookie = sign_in(app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
        let (name, session) = cookie.split_once('=').unwrap();
        Self { app, jar: vec![(name.to_owned(), session.to_owned())] }
    }

    fn with_cookies(&self, call: Call) -> Call {
        let jar: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        from_here(call).header("Cookie", &jar.join("; "))
    }

    /// Where it ends up, and what is there.
    async fn follow(&mut self, mut answer: Answer) -> (String, Answer) {
        let mut url = String::new();
        keep(&mut self.jar, &answer);
        while answer.status == 303 {
            answer.header("location").clone_into(&mut url);
            answer = self.with_cookies(self.app.get(&url)).send().await;
            keep(&mut self.jar, &answer);
        }
        (url, answer)
    }

    pub(crate) async fn get(&mut self, url: &str) -> Answer {
        let answer = self.with_cookies(self.app.get(url)).send().await;
        self.follow(answer).await.1
    }

    pub(crate) async fn post(&mut self, url: &str, fields: &[(&str, &str)]) -> (String, Answer) {
        let answer = self.with_cookies(self.app.post(url)).form(fields).send().await;
        self.follow(answer).await
    }

    pub(crate) async fn send_file(&mut self, url: &str, (name, text): (&str, &str)) -> (String, Answer) {
        let parts = [("file", Some((name, "text/csv")), text)];
        let answer = self.with_cookies(self.app.post(url)).multipart(&parts).send().await;
        self.follow(answer).await
    }
}

/// The sentence that a page says of what was done before it.
pub(crate) fn flash(page: &Answer) -> Option<String> {
    let (_, rest) = page.text.split_once("id=\"flash\">")?;
    Some(rest.split("</p>").next().unwrap().replace("<bdi>", "").replace("</bdi>", ""))
}

/// The addresses at which something is done by POST alone.
async fn actions(app: &TestApp, cookie: &str, key: &str) -> Vec<String> {
    let mut actions = Vec::new();
    // A stream of events lasts for a minute; it is no page.
    for path in keystead_web::paths().into_iter().filter(|path| !path.ends_with("/stream")) {
        let url = fill(&path, app.ids.location, key);
        let answer = app.get(&url).header("Cookie", cookie).send().await;
        assert_ne!(answer.status, 405, "{path}: a browser that comes here by its history must not see a bare page");
        // How the app looks is the browser's own, and changes nothing here.
        let elsewhere = ["/", "/app", "/app/setup", "/app/sign-in", "/app/theme"];
        let leads_on = answer.status == 303 && !elsewhere.contains(&path.as_str());
        if leads_on {
            assert!(url.starts_with(answer.header("location")), "{path} leads to its page");
            actions.push(path);
        }
    }
    actions
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ended_under_an_action_leads_back_to_its_page() {
    let app = TestApp::start().await;
    let (key, agency_key) = (app.location_key().await, app.agency_key().await);
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let actions = actions(&app, &cookie, key.id.as_str()).await;
    assert!(actions.len() > 20, "{actions:?}");
    let forms = ["/app/locations/{location}/settings/keys/new?preset=read-only", "/app/agency/settings/keys/{id}/edit"];
    for path in actions.iter().map(String::as_str).chain(forms) {
        let id = if path.contains("/agency/locations/") { app.ids.location.as_str() } else { agency_key.id.as_str() };
        let id = if path.contains("{location}") { key.id.as_str() } else { id };
        let url = fill(path, app.ids.location, id);
        let mut browser = Browser { app: &app, jar: Vec::new() };
        let (at, page) = browser.post(&url, &[("name", "x")]).await;
        if path == "/app/sign-out" {
            assert!(at.starts_with("/app/sign-in"), "{at}");
            continue;
        }
        assert!(page.text.contains("You were signed out; nothing was changed"), "{path}: {}", page.text);
        let value = |name: &str| {
            let (_, rest) = page.text.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_default();
            rest.split('"').next().unwrap().replace("&#38;", "&")
        };
        let (next, lost) = (value("next"), value("lost"));
        let fields = [("next", next.as_str()), ("lost", &lost), ("email", ADMIN_EMAIL), ("password", ADMIN_PASSWORD)];
        let (at, page) = browser.post("/app/sign-in", &fields).await;
        // Who or what has the key's id is nobody and nothing: the page is the right one all the same.
        let nouns = [
            "members",
            "links",
            "contacts",
            "imports",
            "opportunities",
            "views/{viewed}",
            "webhooks",
            "incoming",
            "forms",
        ];
        let exists = !nouns.iter().any(|noun| path.contains(&format!("/{noun}/{{id}}")))
            || path.ends_with("/views/{viewed}/{id}/restore");
        assert_eq!(page.status, if exists { 200 } else { 404 }, "{path} leads to {at}");
        assert!(url.starts_with(&at), "{path} leads to {at}");
        if exists {
            assert_eq!(flash(&page).as_deref(), Some("You were signed out; nothing was changed."), "{path}");
            assert_eq!(flash(&browser.get(&at).await), None, "said once");
        }
    }
    let operator = app.operator().await;
    assert_eq!(app.app.get_key(operator.authority(), key.id).await.unwrap().version, 1, "nothing was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_says_what_was_done_on_the_next_page_and_once() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    app.let_days_pass(75.05).await;
    app.app.sweep().await.unwrap();
    let operator = app.operator().await;
    let told =
        app.app.list_notices(operator.authority(), NoticeFilter::default(), Window::first(1)).await.unwrap().rows;
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let mut actions: Vec<String> = actions(&app, &cookie, key.id.as_str())
        .await
        .into_iter()
        .map(|path| path.replace("/app/locations/{location}", "").replace("/app/agency", ""))
        .collect();
    let (name, session) = cookie.split_once('=').unwrap();
    let mut browser = Browser { app: &app, jar: vec![(name.to_owned(), session.to_owned())] };
    let key_page = format!("/app/agency/settings/keys/{}", key.id);
    let location_page = format!("/app/agency/locations/{}", app.ids.location);
    let new_user = |email: &str| NewUser {
        email: EmailAddress::parse(email).unwrap(),
        first_name: Some(PersonName::parse("Sara").unwrap()),
        last_name: None,
        role: Role::AgencyUser,
        locations: [].into(),
    };
    let (token, _) = app.app.invite_user(operator.authority(), new_user("sara@example.com")).await.unwrap();
    let (_, open) = app.app.invite_user(operator.authority(), new_user("open@example.com")).await.unwrap();

    let named = |new: &mut NewKey| new.name = KeyName::parse("A program").unwrap();
    let scopes = Preset::FullAccess.scopes(KeyKind::Location);
    let program = app.key_with(Reach::location(app.ids.location), scopes, named).await;
    let ada = contact(&app, &program, "Ada Lovelace").await;
    let deal = opportunity(&app, &program, &first_pipeline(&app, &program).await, &ada, json!({})).await;
    let reason = json!({"name": "Too far", "locationId": app.ids.location.as_str()});
    let reason = app.post("/opportunities/lost-reason").key(&program).json(&reason).send().await.json();
    let reason = reason["lostReason"]["id"].as_str().unwrap();

    let mut guest = Browser { app: &app, jar: Vec::new() };
    let joins = [("firstName", "Sara"), ("password", "a long password")];
    let (_, page) = guest.post(&format!("/app/invite/{token}"), &joins).await;
    assert_eq!(flash(&page).as_deref(), Some("You have joined as “Sara”."));
    let sara = app.app.list_users(operator.authority()).await.unwrap();
    let sara = sara.iter().find(|user| user.email.as_str() == "sara@example.com").unwrap().id;
    let member_page = format!("/app/agency/members/{sara}");
    let rotate = async || {
        app.app.rotate_key(operator.authority(), key.id, None, Duration::from_secs(60)).await.unwrap();
    };

    rotate().await;
    let in_location = format!("/app/locations/{}", app.ids.location);
    let (contact, note, task) = contact_with_parts(&app).await;
    let context = app.app.enter_location(app.admin().await, Some(app.ids.location)).await.unwrap();
    let view = app.app.create_saved_view(&context, ViewedList::Contacts, saved_view("A view")).await.unwrap().id;
    let at_view = |action: &str| format!("{in_location}/views/contacts/{view}{action}");
    let at_contact = |action: &str| format!("{in_location}/contacts/{contact}{action}");
    let at_key = |action: &str| format!("{key_page}/{action}");
    let asking = json!({"pages": [{"fields": [
        {"key": "why"}, {"key": "email", "mapsTo": "contact.email"}, {"key": "phone", "mapsTo": "contact.phone"},
    ]}]});
    let (_, form) = published(&app, &program, &asking).await;
    let held = held(&app, &program, &[("{formId}", form.to_string())]).await;
    let known = json!({"email": "known@example.com"});
    app.post("/contacts/").key(&program).json(&known).send().await.expect(201);
    let answers = json!({"answers": {"email": "known@example.com", "phone": "+14155550123"}});
    let offering =
        app.post(&format!("/forms/{form}/submissions")).key(&program).json(&answers).send().await.expect(201);
    let offering = offering["submission"]["id"].as_str().unwrap().to_owned();
    let at_form = |action: &str| format!("{in_location}/forms/{form}{action}");
    // One that does something, whose notices would close by it.
    let scopes = Preset::FullAccess.scopes(KeyKind::Location);
    let busy =
        app.key_with(Reach::location(app.ids.location), scopes, |new| new.name = KeyName::parse("Busy").unwrap()).await;
    app.get("/contacts/").key(&busy).send().await.expect(200);
    let at_busy = |action: &str| format!("/app/agency/settings/keys/{}/{action}", busy.id);
    for (url, fields, wanted) in [
        (
            format!("{in_location}/opportunities/{}/move/won", deal["id"].as_str().unwrap()),
            vec![],
            "“New kitchen” is won.",
        ),
        (
            format!("{in_location}/settings/pipelines/lost-reasons"),
            vec![("name", "Too dear")],
            "“Too dear” can be chosen where something is lost.",
        ),
        (
            format!("{in_location}/settings/pipelines/lost-reasons/{reason}/delete"),
            vec![],
            "“Too far” cannot be chosen any more. What was lost because of it stays so.",
        ),
        (format!("/app/agency/notices/{}/archive", told[0].id), vec![], "The notification about “A test” is put away."),
        ("/app/agency/notices/preferences".to_owned(), vec![], "Your preferences are saved."),
        (
            format!("{in_location}/contacts/bulk"),
            vec![("id", contact.as_str()), ("tags", "met"), ("do", "tag")],
            "The tags are added to 1 contact.",
        ),
        (at_form("/arrange"), vec![("change", "down-why")], "The draft of “Contact us” is saved."),
        (at_form("/add"), vec![("label", "City"), ("type", "text")], "“City” is added, as the last field."),
        (at_form("/pages"), vec![("title", "More")], "The draft of “Contact us” is saved."),
        (at_form("/publish"), vec![], "“Contact us” is published: others see it as it is now."),
        (
            at_form("/versions/1/restore"),
            vec![],
            "The draft of “Contact us” is what that version was. Publish it for others to see it.",
        ),
        (at_form("/unpublish"), vec![], "“Contact us” is taken offline. Whoever opens its address finds nothing."),
        (at_form(&format!("/submissions/{}/accept", held[0])), vec![], "The submission of “somebody” counts now."),
        (
            at_form(&format!("/submissions/{}/discard", held[1])),
            vec![],
            "The submission of “somebody” is discarded. Nothing came of it.",
        ),
        (
            at_form(&format!("/submissions/{offering}/offers/phone")),
            vec![],
            "The contact has the address that “known@example.com” gave.",
        ),
        (at_view("/query"), vec![("query", "tag=new")], "The view “A view” is saved."),
        (at_view("/delete"), vec![], "The view “A view” is deleted."),
        (at_view("/restore"), vec![], "The view “A view” is back."),
        (at_contact("/notes"), vec![("body", "x")], "The note about “Ada” is saved."),
        (at_contact(&format!("/notes/{note}/delete")), vec![], "The note about “Ada” is deleted."),
        (at_contact("/tasks"), vec![("title", "Call"), ("dueDate", "2026-12-24")], "The task “Call” is added."),
        (at_contact(&format!("/tasks/{task}/finish")), vec![], "The task “x” is done."),
        (at_contact("/tags"), vec![("add", "vip")], "The tags of “Ada” are saved."),
        (
            at_contact("/trash"),
            vec![],
            "“Ada” is in the trash, with all that belongs to them; after 30 days they are gone.",
        ),
        (at_key("keep"), vec![], "“A test” has its full 90 days again."),
        (at_key("keep"), vec![("back", "notices")], "“A test” has its full 90 days again."),
        (at_busy("reduce"), vec![], "“Busy” keeps only the scopes that it used in 30 days."),
        (
            at_key("edit"),
            vec![("name", "<b>X</b>"), ("scopes", "contacts.readonly")],
            "“&#60;b&#62;X&#60;/b&#62;” is saved.",
        ),
        (at_key("edit"), vec![("name", "A test"), ("scopes", "contacts.readonly")], "“A test” is saved."),
        (at_key("finish"), vec![], "The old secret of “A test” has ended: only the new one works."),
        (
            at_key("deactivate"),
            vec![],
            "“A test” is switched off: every call with it is refused, within a second everywhere.",
        ),
        (at_key("reactivate"), vec![], "“A test” is switched on: calls with it are answered again."),
        (
            at_key("delete"),
            vec![("name", "A test")],
            "“A test” is deleted: every call with it is refused. For 30 days it can be restored.",
        ),
        (at_key("restore"), vec![], "“A test” is restored, with the same secret and its full 90 days."),
        (
            "/app/agency/locations/new".to_owned(),
            vec![("name", "Gym"), ("country", "DE"), ("timezone", "UTC")],
            "“Gym” is added.",
        ),
        (location_page.clone(), vec![("name", "Dental"), ("country", "US"), ("timezone", "UTC")], "“Dental” is saved."),
        (
            format!("{location_page}/suspend"),
            vec![],
            "“Dental” is suspended: its keys are refused, and none of them is deleted meanwhile.",
        ),
        (
            format!("{location_page}/resume"),
            vec![],
            "“Dental” goes on: its keys are answered again, with their full 90 days.",
        ),
        (
            format!("{location_page}/delete"),
            vec![("name", "dental")],
            "“Dental” is deleted: its keys are refused, within a second everywhere. For 30 days it can be restored, with everything in it.",
        ),
        (
            format!("{location_page}/restore"),
            vec![],
            "“Dental” is restored: its keys are answered again, with their full 90 days.",
        ),
        (
            format!("/app/agency/members/invitations/{}/withdraw", open.id),
            vec![],
            "The invitation of “open@example.com” is withdrawn: its link does nothing any more.",
        ),
        (
            member_page.clone(),
            vec![("role", "agency-admin")],
            "The role of “Sara” is saved; they were signed out, and sign in with it.",
        ),
        (format!("{member_page}/disable"), vec![], "“Sara” is disabled and signed out."),
        (format!("{member_page}/enable"), vec![], "“Sara” can sign in again."),
        (
            "/app/agency/settings/system/pause".to_owned(),
            vec![],
            "Deletions are paused: no key is deleted for inactivity, and nobody’s 90 days run.",
        ),
        ("/app/agency/settings/system/resume".to_owned(), vec![], "Deletions go on, and everybody’s 90 days run."),
        (
            "/app/agency/settings/system/deliveries/pause".to_owned(),
            vec![],
            "Deliveries are paused: nothing is sent to webhooks, and messages wait.",
        ),
        ("/app/agency/settings/system/deliveries/skip".to_owned(), vec![], "Deliveries to webhooks go on."),
        ("/app/agency/settings/system/deliveries/send".to_owned(), vec![], "Deliveries to webhooks go on."),
        (
            "/app/account/time-zone".to_owned(),
            vec![("timeZone", "Europe/Berlin")],
            "Times are shown in “Europe/Berlin”.",
        ),
        ("/app/account/time-zone".to_owned(), vec![], "Times are shown in your browser’s zone."),
        ("/app/account/sign-out".to_owned(), vec![("session", "gone")], "That session had ended already."),
        (
            "/app/account".to_owned(),
            vec![("current", ADMIN_PASSWORD), ("password", "another long password")],
            "Your password is changed. All other sessions have ended.",
        ),
        ("/app/sign-out".to_owned(), vec![], "You are signed out."),
    ] {
        let (at, page) = browser.post(&url, &fields).await;
        assert_eq!((page.status, flash(&page).as_deref()), (200, Some(wanted)), "{url}: {}", page.text);
        assert_eq!(flash(&browser.get(&at).await), None, "{url}: said once");
        actions.retain(|path| {
            let parts: Vec<&str> = path.split('/').collect();
            let sent = url.trim_start_matches("/app/agency").trim_start_matches(&in_location);
            let sent: Vec<&str> = sent.split('/').collect();
            let differs = |(part, sent): (&&str, &&str)| part != sent && !part.starts_with('{');
            parts.len() != sent.len() || parts.iter().zip(&sent).any(differs)
        });
    }
    // What is left needs a rotation that runs, and another sign-in.
    rotate().await;
    let cookie = sign_in(&app, ADMIN_EMAIL, "another long password").await;
    browser.jar = vec![(name.to_owned(), cookie.split_once('=').unwrap().1.to_owned())];
    let (_, page) = browser.post(&at_key("cancel"), &[]).await;
    let wanted = "The rotation of “A test” is taken back: its old secret stays, the new one has ended.";
    assert_eq!(flash(&page).as_deref(), Some(wanted));
    actions.retain(|path| !path.ends_with("/cancel"));
    // What is done with imports, the trash, links and webhooks is told in tests of their own.
    let told = ["/contacts/imports/", "/contacts/trash/", "/links/", "/settings/webhooks/"];
    actions.retain(|path| !told.iter().any(|place| path.starts_with(place)));
    // A search does nothing; the list is what it says.
    actions.retain(|path| path != "/settings/keys/find");
    assert_eq!(actions, Vec::<String>::new(), "actions that this test does not know");
}

/// A form lists so many locations; what it does not list must not be lost by saving it.
#[tokio::test(flavor = "multi_thread")]
async fn a_form_keeps_what_it_has_no_room_to_list() {
    let app = TestApp::start().await;
    for number in 0..501 {
        app.location(&format!("A{number:03}")).await;
    }
    let last = app.location("Zz last").await;
    let key = app.key_with(Reach::Chosen([last].into()), Preset::ReadOnly.scopes(KeyKind::Agency), |_| {}).await;
    member(&app, "la@example.com", Role::AccountAdmin, &[last]).await;
    let users = app.app.list_users(app.operator().await.authority()).await.unwrap();
    let user = users.iter().find(|user| user.email.as_str() == "la@example.com").unwrap().id;
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    for form in [format!("/app/agency/settings/keys/{}/edit", key.id), format!("/app/agency/members/{user}")] {
        let form = app.get(&form).header("Cookie", &cookie).send().await.text;
        assert!(form.contains(&format!("value=\"{last}\" checked")) && form.contains("Others, by their ids"));
    }
    let named = app.get(&format!("/app/agency/members/{user}")).header("Cookie", &cookie).send().await.text;
    assert!(named.contains("Zz last"));
}

/// What an operation refuses is said on the form, whatever the operation calls the field.
#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_said_on_the_form() {
    let app = TestApp::start().await;
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let url = format!("/app/locations/{}/settings/keys/new", app.ids.location);
    let fields = [("form_id", "a"), ("name", "x"), ("preset", "read-only"), ("expiresAt", "2020-01-01")];
    let refused = from_here(app.post(&url)).header("Cookie", &cookie).form(&fields).send().await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("id=\"expiresAt-problem\">The expiry must be in the future."), "{}", refused.text);
}
