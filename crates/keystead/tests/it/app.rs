//! The web app through its front door: who gets in where. How pages look and behave is tested in a browser.

use keystead_core::NoticeFilter;
use keystead_model::{
    actor::Actor,
    agency::{TenantName, TenantState},
    api_key::{KeyKind, KeyName, NewKey},
    grant::Reach,
    scope::Preset,
    text::EmailAddress,
    user::{NewUser, PersonName, Role},
};
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, Answer, Call, TestApp};
use serde_json::json;

/// Pages that need no sign-in, and why.
const PUBLIC: &[(&str, &str)] = &[
    ("/", "leads to the app"),
    ("/app/setup", "asks for its own token"),
    ("/app/sign-in", "is the way in"),
    ("/app/invite/{token}", "asks for its own token"),
    ("/docs", "documentation"),
    ("/docs/{page}", "documentation"),
    ("/docs/errors/{code}", "documentation"),
    ("/assets/{version}/{file}", "style and script"),
    ("/favicon.ico", "icon"),
    ("/robots.txt", "for crawlers"),
];

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
pub(crate) async fn member(app: &TestApp, email: &str, role: Role, locations: &[keystead_model::LocationId]) -> String {
    let new = NewUser {
        email: EmailAddress::parse(email).unwrap(),
        first_name: None,
        last_name: None,
        role,
        locations: locations.iter().copied().collect(),
    };
    let operator = app.operator().await;
    let (token, _) = app.app.invite_user(operator.authority(), Role::AgencyAdmin, new).await.unwrap();
    let accepted =
        from_here(app.post(&format!("/app/invite/{token}"))).form(&[("password", "a long password")]).send().await;
    assert_eq!(accepted.status, 303, "{}", accepted.text);
    sign_in(app, email, "a long password").await
}

fn fill(path: &str, location: keystead_model::LocationId, id: &str) -> String {
    path.replace("{location}", location.as_str())
        .replace("{id}", id)
        .replace("{token}", "x")
        .replace("{page}", "errors")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_is_open_to_strangers() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    for path in keystead_web::paths() {
        if PUBLIC.iter().any(|(public, _)| *public == path) {
            continue;
        }
        let url = fill(&path, app.ids.location, key.id.as_str());
        for (name, answer) in [
            ("nobody", app.get(&url).send().await),
            ("a made-up session", app.get(&url).header("Cookie", "keystead=made-up").send().await),
            ("a key", app.get(&url).key(&key).send().await),
        ] {
            let turned_away = answer.status == 303 && answer.header("location").starts_with("/app/sign-in");
            assert!(turned_away, "{path} as {name}: {}", answer.status);
        }
        let post: Answer = from_here(app.post(&url)).form(&[("name", "x")]).send().await;
        assert!([303, 405].contains(&post.status), "POST {path}: {}", post.status);
        if post.status == 303 {
            assert!(post.header("location").starts_with("/app/sign-in"), "POST {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_see_only_what_is_theirs() {
    let app = TestApp::start().await;
    let sibling = app.location("Sibling").await;
    let key = app.location_key().await;
    let users = [
        ("location admin of a sibling", member(&app, "la@example.com", Role::AccountAdmin, &[sibling]).await),
        ("location user of a sibling", member(&app, "lu@example.com", Role::AccountUser, &[sibling]).await),
    ];
    for (name, cookie) in &users {
        for path in keystead_web::paths().iter().filter(|path| path.contains("/agency") || path.contains("{location}"))
        {
            let url = fill(path, app.ids.location, key.id.as_str());
            let answer = app.get(&url).header("Cookie", cookie).send().await;
            assert!([404, 405].contains(&answer.status), "{path} as {name}: {}", answer.status);
            assert!(!answer.text.contains("Harbour Dental"), "{path} as {name}");
            let post = from_here(app.post(&url)).header("Cookie", cookie).form(&[("name", "A test")]).send().await;
            assert!([404, 405].contains(&post.status), "POST {path} as {name}: {}", post.status);
        }
    }
    // Roles without keys and members do not get these pages in their own place either.
    let agency_user = member(&app, "au@example.com", Role::AgencyUser, &[]).await;
    for (cookie, base) in [(&users[1].1, format!("/app/locations/{sibling}")), (&agency_user, "/app/agency".to_owned())]
    {
        assert_eq!(app.get(&base).header("Cookie", cookie).send().await.status, 200);
        for page in ["/settings/keys", "/settings/keys/new", "/members", "/members/invite"] {
            let answer = app.get(&format!("{base}{page}")).header("Cookie", cookie).send().await;
            assert!([403, 404].contains(&answer.status), "{base}{page}: {}", answer.status);
        }
    }
    let own = app.get(&format!("/app/locations/{sibling}/settings/keys")).header("Cookie", &users[0].1).send().await;
    assert_eq!(own.status, 200);
    assert_eq!(
        app.app.get_key(app.operator().await.authority(), key.id).await.unwrap().version,
        1,
        "nothing was changed"
    );
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
    app.clock.advance(std::time::Duration::from_secs(16 * 60));
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
    app.clock.advance(std::time::Duration::from_secs(25 * 3600));
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
    app.clock.advance(std::time::Duration::from_secs(15 * 60 + 1));
    assert_eq!(attempt(ADMIN_EMAIL, ADMIN_PASSWORD).await.status, 303);
    let operator = app.operator().await;
    let disabled = app.app.set_user_disabled(operator.authority(), Role::AgencyAdmin, app.ids.user, true).await;
    assert_eq!(disabled.unwrap_err().code(), keystead_core::ErrorCode::LastAdmin);
    app.app.rename_agency(&operator, TenantName::parse("Renamed").unwrap()).await.unwrap();
}

/// A form that is shown again must hold what is stored: the next Save would otherwise wipe it.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_action_shows_the_whole_form_again() {
    let app = TestApp::start().await;
    let operator = app.operator().await;
    let patch = keystead_model::location::LocationPatch {
        city: Some(Some(keystead_model::text::Line::parse("Hamburg").unwrap())),
        country: Some(keystead_model::text::Country::parse("DE").unwrap()),
        ..Default::default()
    };
    app.app.update_location(&operator, app.ids.location, patch).await.unwrap();
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let url = format!("/app/agency/locations/{}", app.ids.location);
    let post = async |path: &str, fields: &[(&str, &str)]| {
        from_here(app.post(&format!("{url}{path}"))).header("Cookie", &cookie).form(fields).send().await
    };
    assert_eq!(post("/suspend", &[]).await.status, 303);
    app.clock.advance(std::time::Duration::from_secs(16 * 60));
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
struct Browser<'a> {
    app: &'a TestApp,
    jar: Vec<(String, String)>,
}

impl Browser<'_> {
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

    async fn get(&mut self, url: &str) -> Answer {
        let answer = self.with_cookies(self.app.get(url)).send().await;
        self.follow(answer).await.1
    }

    async fn post(&mut self, url: &str, fields: &[(&str, &str)]) -> (String, Answer) {
        let answer = self.with_cookies(self.app.post(url)).form(fields).send().await;
        self.follow(answer).await
    }
}

/// The sentence that a page says of what was done before it.
fn flash(page: &Answer) -> Option<String> {
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
        let leads_on = answer.status == 303 && !["/", "/app", "/app/setup", "/app/sign-in"].contains(&path.as_str());
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
        // A member with the key's id is nobody: the page is the right one all the same.
        let exists = !path.contains("/members/{id}");
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
    let told = app.app.list_notices(operator.authority(), NoticeFilter::default(), None, 1).await.unwrap();
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
    let manager = Role::AgencyAdmin;
    let (token, _) = app.app.invite_user(operator.authority(), manager, new_user("sara@example.com")).await.unwrap();
    let (_, open) = app.app.invite_user(operator.authority(), manager, new_user("open@example.com")).await.unwrap();

    let mut guest = Browser { app: &app, jar: Vec::new() };
    let joins = [("first_name", "Sara"), ("password", "a long password")];
    let (_, page) = guest.post(&format!("/app/invite/{token}"), &joins).await;
    assert_eq!(flash(&page).as_deref(), Some("You have joined as “Sara”."));
    let sara = app.app.list_users(operator.authority(), manager).await.unwrap();
    let sara = sara.iter().find(|user| user.email.as_str() == "sara@example.com").unwrap().id;
    let member_page = format!("/app/agency/members/{sara}");
    let rotate = async || {
        app.app.rotate_key(operator.authority(), key.id, None, std::time::Duration::from_secs(60)).await.unwrap();
    };

    rotate().await;
    let at_key = |action: &str| format!("{key_page}/{action}");
    for (url, fields, wanted) in [
        (format!("/app/agency/notices/{}/archive", told[0].id), vec![], "The notification about “A test” is put away."),
        ("/app/agency/notices/preferences".to_owned(), vec![], "Your preferences are saved."),
        (at_key("keep"), vec![], "“A test” has its full 90 days again."),
        (at_key("keep"), vec![("back", "notices")], "“A test” has its full 90 days again."),
        (
            at_key("edit"),
            vec![("name", "<b>X</b>"), ("scope", "contacts.readonly")],
            "“&#60;b&#62;X&#60;/b&#62;” is saved.",
        ),
        (at_key("edit"), vec![("name", "A test"), ("scope", "contacts.readonly")], "“A test” is saved."),
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
            let sent: Vec<&str> = url.trim_start_matches("/app/agency").split('/').collect();
            parts.len() != sent.len() || parts.iter().zip(&sent).any(|(part, sent)| part != sent && *part != "{id}")
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
    // A search does nothing; the list is what it says.
    actions.retain(|path| path != "/settings/keys/find");
    assert_eq!(actions, Vec::<String>::new(), "actions that this test does not know");
}

/// The pill beside a key's name on its page, and in a row of a list.
fn pill<'p>(page: &'p Answer, name: &str) -> &'p str {
    let (_, rest) = page.text.split_once(name).unwrap_or_else(|| panic!("{name} is not in {}", page.text));
    rest.split("class=\"pill ").nth(1).unwrap().split("</span>").next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_say_of_a_key_what_is_so() {
    let app = TestApp::start().await;
    let operator = app.operator().await;
    let scopes = Preset::ReadOnly.scopes(KeyKind::Location);
    let named = async |name: &str, days: Option<u64>| {
        let change = |new: &mut NewKey| {
            new.name = KeyName::parse(name).unwrap();
            new.grant.expires_at = days.map(|days| app.app.now() + std::time::Duration::from_secs(days * 86_400));
        };
        app.key_with(Reach::location(app.ids.location), scopes, change).await
    };
    let (plain, expiring, exposed) =
        (named("Plain", None).await, named("Ending", Some(10)).await, named("Found", None).await);
    app.post("/api-keys/revoke-exposed").json(&json!({"keys": [exposed.secret]})).send().await.expect(202);
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let get = async |path: &str| {
        let answer = app.get(path).header("Cookie", &cookie).send().await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer
    };
    let places = ["/app/agency".to_owned(), format!("/app/locations/{}", app.ids.location)];
    let page =
        async |place: &str, key: &keystead_testkit::TestKey| get(&format!("{place}/settings/keys/{}", key.id)).await;

    for place in &places {
        for list in [place.clone(), format!("{place}/settings/keys?tab=location")] {
            let list = get(&list).await;
            assert_eq!(pill(&list, ">Plain</"), "good\">Active", "{place}");
            assert_eq!(pill(&list, ">Ending</"), "warn\">Expires in 10 days");
            assert_eq!(pill(&list, ">Found</"), "bad\">Exposed 25 Nov 2026");
        }
        // Its own ladder, at shares of its life, and none that it never reaches.
        let ending = page(place, &expiring).await;
        for said in ["It expires in 10 days", "First notice", "due 30 Nov", "Second notice", "Last notice", "Expiry"] {
            assert!(ending.text.contains(said), "{said}: {}", ending.text);
        }
        for unsaid in ["15-day notice", "Deletion<", "is deleted"] {
            assert!(!ending.text.contains(unsaid), "{unsaid}");
        }
        let found = page(place, &exposed).await;
        assert!(found.text.contains("was found in public and will never work again"));
        assert!(!found.text.contains(">Reactivate<"), "it needs a rotation first");
    }
    let rotate = get(&format!("{}/settings/keys/{}/rotate", places[0], exposed.id)).await;
    assert!(
        rotate.text.contains("was found in public") && !rotate.text.contains("How long should the old secret go on")
    );
    let fields = [("form_id", "a"), ("overlap", "PT0S")];
    let url = format!("{}/settings/keys/{}/rotate", places[0], exposed.id);
    let rotated = from_here(app.post(&url)).header("Cookie", &cookie).form(&fields).send().await;
    assert!(rotated.text.contains("has a new secret"));
    assert!(page(&places[0], &exposed).await.text.contains(">Reactivate<"));

    // Suspended, by the location or by the agency, nothing is green and nothing is promised.
    let suspended = TenantState::Suspended;
    for whole_agency in [false, true] {
        if whole_agency {
            app.app.set_location_state(&operator, app.ids.location, TenantState::Active).await.unwrap();
            app.app.set_agency_state(&operator, suspended).await.unwrap();
        } else {
            app.app.set_location_state(&operator, app.ids.location, suspended).await.unwrap();
        }
        for place in &places {
            for list in [place.clone(), format!("{place}/settings/keys?tab=location")] {
                assert_eq!(pill(&get(&list).await, ">Plain</"), "off\">Suspended");
            }
            let page = page(place, &plain).await;
            assert_eq!(pill(&page, "<h1"), "off\">Suspended");
            assert!(page.text.contains("nothing is deleted meanwhile") && !page.text.contains("is deleted in"));
        }
        let here = get(&places[1]).await;
        assert!(here.text.contains("is suspended: its keys are refused"), "{}", here.text);
        let key = app.app.get_key(operator.authority(), plain.id).await.unwrap();
        assert_eq!(json!(keystead_api::v2::api_keys::shape(&app.app, &key))["suspended"], true);
    }
    app.app.set_agency_state(&operator, TenantState::Active).await.unwrap();

    // Paused, nobody's time runs.
    app.let_days_pass(80.0).await;
    app.app.sweep().await.unwrap();
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let url = format!("{}/settings/keys/{}", places[1], plain.id);
    let get = async || app.get(&url).header("Cookie", &cookie).send().await;
    assert!(pill(&get().await, "<h1").starts_with("warn\">Idle, deletes in "));
    app.app.set_sweep_paused(Actor::Operator, None, true).await.unwrap();
    let paused = get().await;
    assert_eq!(pill(&paused, "<h1"), "good\">Active");
    assert!(paused.text.contains("The operator has paused deletions") && !paused.text.contains("deleted in"));
}

#[tokio::test(flavor = "multi_thread")]
async fn deactivating_a_key_that_was_used_today_asks_first() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let page = format!("/app/agency/settings/keys/{}", key.id);
    let post = async |fields: &[(&str, &str)]| {
        from_here(app.post(&format!("{page}/deactivate"))).header("Cookie", &cookie).form(fields).send().await
    };
    let shown = async || app.get(&page).header("Cookie", &cookie).send().await.text;
    let works = async || app.get("/contacts/").key(&key).send().await.is_ok();
    assert!(shown().await.contains(">Deactivate</button>"), "never used: one click");
    assert!(works().await);
    assert!(shown().await.contains(">Deactivate…</a>"));
    // Also where the page was read before the use.
    let asked = post(&[]).await;
    assert_eq!(asked.status, 422);
    assert!(asked.text.contains("It was last used just now") && asked.text.contains("GET /contacts"), "{}", asked.text);
    assert!(works().await, "nothing was done yet");
    assert_eq!(post(&[("confirmed", "1")]).await.status, 303);
    assert!(!works().await);
    app.app.reactivate_key(app.operator().await.authority(), key.id).await.unwrap();
    assert!(works().await);
    app.app.flush_uses().await.unwrap();
    app.clock.advance(std::time::Duration::from_secs(23 * 3600));
    assert_eq!(post(&[]).await.status, 422);
    app.clock.advance(std::time::Duration::from_secs(3600));
    assert_eq!(post(&[]).await.status, 303, "not used for a day");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_locations_of_an_agency_key_are_chosen_in_the_form() {
    let app = TestApp::start().await;
    let (gym, clinic) = (app.location("Northside Gym").await, app.location("Pine Street Clinic").await);
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let get = async |path: &str| app.get(path).header("Cookie", &cookie).send().await.text;
    let post = async |path: &str, fields: &[(&str, &str)]| {
        from_here(app.post(path)).header("Cookie", &cookie).form(fields).send().await
    };
    let new = "/app/agency/settings/keys/new";
    let base = [("name", "Reports"), ("kind", "agency"), ("preset", "read-only"), ("reach", "chosen")];
    let refused = post(new, &[&base[..], &[("form_id", "a")]].concat()).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("Choose at least one location."), "{}", refused.text);
    // Ticked, or written as an id where the form does not list it.
    let fields = [&base[..], &[("form_id", "b"), ("allowed", gym.as_str()), ("allowed_ids", clinic.as_str())]].concat();
    let made = post(new, &fields).await;
    assert_eq!(made.status, 200);
    let operator = app.operator().await;
    let find = async || {
        let filter = keystead_core::KeyFilter { kind: Some(KeyKind::Agency), ..Default::default() };
        let query = keystead_core::KeyQuery { filter, after: None, limit: 10 };
        app.app.list_keys(operator.authority(), query).await.unwrap().remove(0)
    };
    let key = find().await;
    assert_eq!(key.grant.reach, Reach::Chosen([gym, clinic].into()));
    let page = format!("/app/agency/settings/keys/{}", key.id);
    let shown = get(&page).await;
    assert!(shown.contains("<bdi>Northside Gym</bdi>") && shown.contains("<bdi>Pine Street Clinic</bdi>"));
    let ticked = |form: &str, id: &str| form.contains(&format!("value=\"{id}\" checked"));
    for form in [get(&format!("{page}/edit")).await, get(&format!("{new}?like={}", key.id)).await] {
        assert!(
            ticked(&form, gym.as_str()) && ticked(&form, clinic.as_str()) && !ticked(&form, app.ids.location.as_str())
        );
        assert!(form.contains("name=\"reach\" value=\"chosen\" checked"));
    }
    // Narrowed without a question, widened only with a fresh sign-in.
    let edit = async |more: &[(&str, &str)]| {
        let base = [("name", "Reports"), ("scope", "locations.readonly")];
        post(&format!("{page}/edit"), &[&base[..], more].concat()).await
    };
    app.clock.advance(std::time::Duration::from_secs(16 * 60));
    assert_eq!(edit(&[("reach", "chosen"), ("allowed", gym.as_str())]).await.status, 303);
    assert_eq!(find().await.grant.reach, Reach::Chosen([gym].into()));
    let refused = edit(&[("reach", "all")]).await;
    assert!(refused.status == 422 && refused.text.contains("confirm_password-problem"), "{}", refused.text);
    let widened = edit(&[("reach", "all"), ("confirm_password", ADMIN_PASSWORD)]).await;
    assert_eq!((widened.status, find().await.grant.reach), (303, Reach::Agency));
    let wrong = edit(&[("reach", "chosen"), ("allowed_ids", "nowhere")]).await;
    assert!(wrong.status == 422 && wrong.text.contains("no location’s id"), "{}", wrong.text);
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
    let users = app.app.list_users(app.operator().await.authority(), Role::AgencyAdmin).await.unwrap();
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
    let fields = [("form_id", "a"), ("name", "x"), ("preset", "read-only"), ("expires_at", "2020-01-01")];
    let refused = from_here(app.post(&url)).header("Cookie", &cookie).form(&fields).send().await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("id=\"expires_at-problem\">Must be in the future."), "{}", refused.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_found_by_what_is_pasted_and_its_secret_goes_nowhere() {
    let app = TestApp::start().await;
    let (key, agency_key) = (app.location_key().await, app.agency_key().await);
    let deleted = app.location_key().await;
    app.app.delete_key(app.operator().await.authority(), deleted.id).await.unwrap();
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let find = async |text: &str| {
        let find = from_here(app.post("/app/agency/settings/keys/find")).header("Cookie", &cookie);
        let leads = find.form(&[("tab", "location"), ("q", text)]).send().await;
        assert_eq!(leads.status, 303);
        let at = leads.header("location").to_owned();
        let page = app.get(&at).header("Cookie", &cookie).send().await;
        assert_eq!(page.status, 200, "{at}");
        (at, page.text)
    };
    let masked = |key: &keystead_testkit::TestKey, kind: &str| {
        format!("ks_{kind}_{}_…{}", key.id, &key.secret[key.secret.len() - 4..])
    };
    for (text, found, tab) in [
        (key.secret.clone(), &key, "location"),
        (format!("Bearer {}", key.secret), &key, "location"),
        (masked(&key, "location"), &key, "location"),
        (key.id.as_str()[2..].to_owned(), &key, "location"),
        // It leads to where the key is.
        (agency_key.secret.clone(), &agency_key, "agency"),
        (masked(&agency_key, "agency"), &agency_key, "agency"),
        (deleted.secret.clone(), &deleted, "deleted"),
    ] {
        let (at, page) = find(&text).await;
        assert!(at.contains(&format!("tab={tab}")), "{text}: {at}");
        let rows: Vec<&str> = page.split("<td class=\"wide\">").skip(1).collect();
        assert!(rows.len() == 1 && rows[0].contains(found.id.as_str()), "{text}: {page}");
        let secret = &found.secret[found.secret.len() - 38..];
        assert!(!at.contains(secret) && !page.contains(secret));
    }
    // A tab without a match says where there is one.
    let (_, page) = find("a tes").await;
    assert_eq!(page.matches("<td class=\"wide\">").count(), 1);
    let (at, page) = find(&deleted.id.as_str()[1..]).await;
    assert!(page.contains("has “") && page.contains("Deleted: 1"), "{at}: {page}");
    // An address with a whole key in it is none of ours; it does not stay, and is not shown again.
    for path in ["/app/agency/settings/keys?q=", "/app/agency/audit?subject="] {
        let answer = app.get(&format!("{path}{}", key.secret)).header("Cookie", &cookie).send().await;
        assert!(!answer.text.contains(&key.secret) && !answer.header("location").contains(&key.secret));
        assert!(answer.text.contains(key.id.as_str()) || answer.header("location").contains(key.id.as_str()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_location_tells_its_times_by_its_own_clock() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    app.get("/contacts/").key(&key).send().await.expect(200);
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let url = format!("/app/agency/locations/{}", app.ids.location);
    let form = app.get(&url).header("Cookie", &cookie).send().await.text;
    assert!(form.contains("Its pages tell times in it"));
    let fields = [("name", "Harbour Dental"), ("country", "IN"), ("timezone", "Asia/Kolkata")];
    let saved = from_here(app.post(&url)).header("Cookie", &cookie).form(&fields).send().await;
    assert_eq!(saved.status, 303);
    let page = async |place: &str| {
        app.get(&format!("{place}/settings/keys/{}", key.id)).header("Cookie", &cookie).send().await.text
    };
    let here = page(&format!("/app/locations/{}", app.ids.location)).await;
    for said in [
        "25 Nov 2026, 17:30 Asia/Kolkata (25 Nov 2026, 12:00 UTC)",
        "not before 23 Feb 2027, 18:30 Asia/Kolkata",
        "1 in 30 days (of UTC)",
    ] {
        assert!(here.contains(said), "{said}: {here}");
    }
    let agency = page("/app/agency").await;
    assert!(agency.contains("25 Nov 2026, 12:00 UTC") && !agency.contains("Kolkata"), "{agency}");
}

/// What a name says of directions must not turn round what stands beside it.
#[tokio::test(flavor = "multi_thread")]
async fn names_that_change_the_direction_change_only_their_own() {
    const NAME: &str = "\u{202e}\u{200b}gnirps";
    let app = TestApp::start().await;
    let operator = app.operator().await;
    app.app.rename_agency(&operator, TenantName::parse(NAME).unwrap()).await.unwrap();
    let renamed = keystead_model::location::LocationPatch {
        name: Some(TenantName::parse(NAME).unwrap()),
        ..keystead_model::location::LocationPatch::default()
    };
    app.app.update_location(&operator, app.ids.location, renamed).await.unwrap();
    let new = NewUser {
        email: EmailAddress::parse("x@example.com").unwrap(),
        first_name: None,
        last_name: None,
        role: Role::AccountAdmin,
        locations: [app.ids.location].into(),
    };
    let (token, _) = app.app.invite_user(operator.authority(), Role::AgencyAdmin, new).await.unwrap();
    let joined = [("first_name", NAME), ("password", "a long password")];
    from_here(app.post(&format!("/app/invite/{token}"))).form(&joined).send().await;
    let maker = app.member("x@example.com", "a long password").await;
    let scopes = Preset::ReadOnly.scopes(KeyKind::Location);
    let named = |new: &mut NewKey| new.name = KeyName::parse(NAME).unwrap();
    let key = app.key_by(&maker, Reach::location(app.ids.location), scopes, named).await;
    let chosen = Reach::Chosen([app.ids.location].into());
    let agency_key = app.key_with(chosen, Preset::ReadOnly.scopes(KeyKind::Agency), named).await;
    app.let_days_pass(89.5).await;
    for _ in 0..3 {
        app.app.sweep().await.unwrap();
    }
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let mut seen = 0;
    let is_page = |path: &&String| !["/stream", ".csv"].iter().any(|end| path.ends_with(end));
    for path in keystead_web::paths().iter().filter(is_page) {
        for id in [key.id.as_str(), agency_key.id.as_str(), app.ids.location.as_str(), maker.actor().id().unwrap()] {
            let page = app.get(&fill(path, app.ids.location, id)).header("Cookie", &cookie).send().await.text;
            for (at, _) in page.match_indices(NAME) {
                let before = &page[..at];
                let tag = &before[before.rfind('<').unwrap()..];
                // In an attribute nothing stands beside it; a title and a choice of a select can hold no tag.
                let is_alone =
                    !tag.contains('>') || ["<bdi>", "<title>", "<option"].iter().any(|own| tag.starts_with(own));
                assert!(is_alone, "{path}: {tag}");
                seen += 1;
            }
        }
    }
    assert!(seen > 200, "{seen}");
    // Deleting asks for the name as it is read.
    let url = format!("/app/agency/settings/keys/{}/delete", key.id);
    let deleted = from_here(app.post(&url)).header("Cookie", &cookie).form(&[("name", "gnirps")]).send().await;
    assert_eq!(deleted.status, 303, "{}", deleted.text);
}
