//! The web app through its front door: who gets in where. How pages look and behave is tested in a browser.

use keystead_model::{
    actor::Actor,
    agency::TenantName,
    api_key::{KeyKind, KeyName, NewKey},
    grant::Reach,
    scope::Preset,
    text::EmailAddress,
    user::{NewUser, Role},
};
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, Answer, Call, TestApp};

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

fn from_here(call: Call) -> Call {
    call.header("Sec-Fetch-Site", "same-origin")
}

/// The cookie of a new session.
async fn sign_in(app: &TestApp, email: &str, password: &str) -> String {
    let form = [("email", email), ("password", password)];
    let answer = from_here(app.post("/app/sign-in")).form(&form).send().await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let cookie = answer.header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"));
    cookie.split(';').next().unwrap().to_owned()
}

/// A member with a role, signed in.
async fn member(app: &TestApp, email: &str, role: Role, locations: &[keystead_model::LocationId]) -> String {
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
            assert!(turned_away || answer.status == 405, "{path} as {name}: {}", answer.status);
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
    assert!(page.text.contains("Deactivate Stays") && page.text.contains("Deactivate Goes"), "{}", page.text);
    assert!(!page.text.contains("Deactivate A test"), "the key of somebody else");
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
