//! What the pages of the web app say, and that it is so.

use std::time::Duration;

use keystead_core::KeyFilter;
use keystead_model::{
    agency::{AgencyPatch, TenantName, TenantState},
    api_key::{KeyName, NewKey},
    grant::Reach,
    key_kind::KeyKind,
    location::LocationPatch,
    page::Window,
    scope::Preset,
    text::EmailAddress,
    user::{NewUser, Role},
};
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, Answer, TestApp, TestKey};
use serde_json::json;

use crate::app::{fill, from_here, sign_in};

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
            new.grant.expires_at = days.map(|days| app.app.now() + Duration::from_secs(days * 86_400));
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
    let page = async |place: &str, key: &TestKey| get(&format!("{place}/settings/keys/{}", key.id)).await;

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
    app.app.set_sweep_paused(app.operator().await.authority(), true).await.unwrap();
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
    app.clock.advance(Duration::from_secs(23 * 3600));
    assert_eq!(post(&[]).await.status, 422);
    app.clock.advance(Duration::from_secs(3600));
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
    let fields = [
        &base[..],
        &[("form_id", "b"), ("allowedLocations", gym.as_str()), ("allowedLocations-written", clinic.as_str())],
    ]
    .concat();
    let made = post(new, &fields).await;
    assert_eq!(made.status, 200);
    let operator = app.operator().await;
    let find = async || {
        let filter = KeyFilter { kind: Some(KeyKind::Agency), ..Default::default() };
        app.app.list_keys(operator.authority(), filter, Window::first(10)).await.unwrap().rows.remove(0)
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
        let base = [("name", "Reports"), ("scopes", "locations.readonly")];
        post(&format!("{page}/edit"), &[&base[..], more].concat()).await
    };
    app.clock.advance(Duration::from_secs(16 * 60));
    assert_eq!(edit(&[("reach", "chosen"), ("allowedLocations", gym.as_str())]).await.status, 303);
    assert_eq!(find().await.grant.reach, Reach::Chosen([gym].into()));
    let refused = edit(&[("reach", "all")]).await;
    assert!(refused.status == 422 && refused.text.contains("confirm_password-problem"), "{}", refused.text);
    let widened = edit(&[("reach", "all"), ("confirm_password", ADMIN_PASSWORD)]).await;
    assert_eq!((widened.status, find().await.grant.reach), (303, Reach::Agency));
    let wrong = edit(&[("reach", "chosen"), ("allowedLocations-written", "nowhere")]).await;
    assert!(wrong.status == 422 && wrong.text.contains("no location’s id"), "{}", wrong.text);
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
    let masked = |key: &TestKey, kind: &str| format!("ks_{kind}_{}_…{}", key.id, &key.secret[key.secret.len() - 4..]);
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
async fn a_location_tells_its_times_by_its_own_clock_to_who_has_none() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    app.get("/contacts/").key(&key).send().await.expect(200);
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let url = format!("/app/agency/locations/{}", app.ids.location);
    let form = app.get(&url).header("Cookie", &cookie).send().await.text;
    assert!(form.contains("Its days are counted in it"));
    let fields = [("name", "Harbour Dental"), ("country", "IN"), ("timezone", "Asia/Kolkata")];
    let saved = from_here(app.post(&url)).header("Cookie", &cookie).form(&fields).send().await;
    assert_eq!(saved.status, 303);
    let page = async |place: &str| {
        app.get(&format!("{place}/settings/keys/{}", key.id)).header("Cookie", &cookie).send().await.text
    };
    let here = page(&format!("/app/locations/{}", app.ids.location)).await;
    for said in [
        "25 Nov 2026, 17:30 Asia/Kolkata (25 Nov 2026, 12:00 UTC)",
        "not before 23 Feb 2027, 18:30",
        "Times are those of Asia/Kolkata, the location’s zone.",
        "1 in 30 days, at most 1 a day<",
    ] {
        assert!(here.contains(said), "{said}: {here}");
    }
    let agency = page("/app/agency").await;
    assert!(agency.contains("25 Nov 2026, 12:00 UTC"), "{agency}");
    // What is counted by day is counted by the days of the key's location, from wherever it is looked at.
    let of_location = agency.matches("Kolkata").count();
    assert!(of_location == agency.matches("of Asia/Kolkata").count() && of_location > 0, "{agency}");
}

/// What a name says of directions must not turn round what stands beside it.
#[tokio::test(flavor = "multi_thread")]
async fn names_that_change_the_direction_change_only_their_own() {
    const NAME: &str = "\u{2067}\u{200b}gnirps";
    let app = TestApp::start().await;
    let operator = app.operator().await;
    let patch = AgencyPatch { name: Some(TenantName::parse(NAME).unwrap()), ..AgencyPatch::default() };
    app.app.update_agency(&operator, app.ids.agency, patch).await.unwrap();
    let renamed = LocationPatch { name: Some(TenantName::parse(NAME).unwrap()), ..LocationPatch::default() };
    app.app.update_location(&operator, app.ids.location, renamed).await.unwrap();
    let new = NewUser {
        email: EmailAddress::parse("x@example.com").unwrap(),
        first_name: None,
        last_name: None,
        role: Role::AccountAdmin,
        locations: [app.ids.location].into(),
    };
    let (token, _) = app.app.invite_user(operator.authority(), new).await.unwrap();
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
    for path in keystead_web::paths().iter().filter(|path| !path.ends_with("/stream") && !path.contains(".csv")) {
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

/// The only page that has a secret says all there is to say, for nobody leaves it before the secret is stored.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_new_secret_says_what_became_of_the_old_one() {
    let app = TestApp::start().await;
    let (key, operator) = (app.location_key().await, app.operator().await);
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let list = format!("/app/locations/{}/settings/keys", app.ids.location);
    let post = async |path: &str, form: &str, field: (&str, &str)| {
        let version = app.app.get_key(operator.authority(), key.id).await.unwrap().version.to_string();
        let base = [("form_id", form), ("version", &version), ("name", "a TEST"), ("preset", "read-only")];
        let fields = [&[field], &base[..]].concat();
        let page = from_here(app.post(&format!("{list}{path}"))).header("Cookie", &cookie).form(&fields).send().await;
        assert!(page.status == 200 && page.text.contains("Store it now"), "{path}: {}", page.text);
        page.text
    };
    let warning = |page: &str| page.contains("of this owner ha");
    assert!(post("/new", "a", ("", "")).await.contains("Another key of this owner has the same name."));
    assert!(post("/new", "b", ("", "")).await.contains("2 other keys of this owner have the same name."));
    assert!(!warning(&post("/new", "c", ("name", "Another")).await));
    for (form, action, field, said) in [
        ("d", "rotate", ("overlap", "P1D"), "The old secret works until 26 Nov 2026, 12:00 UTC."),
        ("f", "replace", ("old_ends", "first_use"), "The lost key works until this one is used for the first time."),
        ("g", "replace", ("old_ends", "now"), "The lost key is switched off."),
        ("h", "rotate", ("overlap", "P1D"), "The key stays switched off."),
    ] {
        // A key is replaced again when its successor is gone.
        if let Some(successor) = app.app.successor_of_key(operator.authority(), key.id).await.unwrap() {
            app.app.delete_key(operator.authority(), successor.id).await.unwrap();
        }
        let page = post(&format!("/{}/{action}", key.id), form, field).await;
        assert!(page.contains(said) && !warning(&page), "{form}: {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn style_and_script_are_sent_packed_and_pages_with_secrets_never() {
    let app = TestApp::start().await;
    let page = app.get("/app/sign-in").header("Accept-Encoding", "gzip").send().await;
    assert_eq!((page.status, page.header("content-encoding")), (200, ""), "a page may hold a secret");
    let style =
        page.text.split("href=\"").find_map(|rest| rest.split('"').next().filter(|url| url.ends_with("app.css")));
    let style = style.expect("a style");
    let packed = app.get(style).header("Accept-Encoding", "gzip").send().await;
    assert_eq!((packed.status, packed.header("content-encoding")), (200, "gzip"));
    assert!(packed.header("vary").to_lowercase().contains("accept-encoding"), "a cache keeps both apart");
    let plain = app.get(style).send().await;
    assert_eq!((plain.status, plain.header("content-encoding")), (200, ""));
    assert!(plain.text.contains("--accent") && plain.header("cache-control").contains("immutable"));
}
