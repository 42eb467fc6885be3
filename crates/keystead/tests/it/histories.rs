//! The audit log and the histories of things: in sentences with names and links.

use keystead_model::{
    actor::Actor,
    api_key::{KeyName, KeyPatch, NewKey},
    event::EventKind,
    grant::Reach,
    key_kind::KeyKind,
    scope::{Preset, Scope, ScopeSet},
    user::Role,
};
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, TestApp};
use serde_json::json;

use crate::app::{from_here, member, sign_in};

/// The page without its tags, as somebody reads it.
fn read(page: &str) -> String {
    let main = page.split("<main").nth(1).unwrap_or(page);
    let mut text = String::new();
    let mut is_tag = true;
    for letter in main.chars() {
        match letter {
            '<' => is_tag = true,
            '>' => is_tag = false,
            _ if !is_tag => text.push(letter),
            _ => {}
        }
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_told_in_sentences_with_names_and_links() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let scopes = Preset::ReadOnly.scopes(KeyKind::Location);
    let named = |new: &mut NewKey| new.name = KeyName::parse("Nightly <export>").unwrap();
    let key = app.key_by(&admin, Reach::location(app.ids.location), scopes, named).await;
    let patch = KeyPatch {
        scopes: Some(ScopeSet::EMPTY.with(Scope::ContactsRead)),
        allowed_ips: Some(keystead_model::ip_range::IpRanges::parse(["203.0.113.0/24"]).unwrap()),
        ..KeyPatch::default()
    };
    app.app.update_key(&admin, key.id, None, patch).await.unwrap();
    app.app.rotate_key(&admin, key.id, None, std::time::Duration::from_secs(86_400)).await.unwrap();
    app.app.delete_key(&admin, key.id).await.unwrap();
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let get = async |path: &str| {
        let page = app.get(path).header("Cookie", &cookie).send().await;
        assert_eq!(page.status, 200, "{}", page.text);
        page.text
    };
    let page = get("/app/agency/audit").await;
    let text = read(&page);
    let name =
        page.split("members/").nth(1).unwrap().split("<bdi>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    for said in ["rotated the key", "changed the key", "created the key", "deleted the key"] {
        assert!(text.contains(&format!("{name} {said} Nightly &#60;export&#62;")), "{said}: {text}");
    }
    // It is deleted, and keeps its name and its page.
    let link = format!("href=\"/app/agency/settings/keys/{}\"><bdi>Nightly &#60;export&#62;</bdi>", key.id);
    assert!(page.contains(&link), "{page}");
    assert!(text.contains("Today, 25 Nov 2026") && text.contains(&format!("{name} signed in")), "{text}");
    assert!(text.contains("in Harbour Dental"), "where it happened: {text}");
    // What changed is said in words, and what stayed is not.
    let change = page.split("changed the key").nth(1).unwrap().split("</li>").next().unwrap();
    let change = read(change);
    assert!(change.contains("Allowed from") && change.contains("any address") && change.contains("203.0.113.0/24"));
    assert!(!change.contains("Kind") && !change.contains("State"), "{change}");
    // The key's own page and a member's are told in the same words.
    let own = read(&get(&format!("/app/agency/settings/keys/{}", key.id)).await);
    assert!(own.contains(&format!("{name} rotated the key")), "{own}");
    let in_location = get(&format!("/app/locations/{}/settings/keys/{}", app.ids.location, key.id)).await;
    assert!(read(&in_location).contains(&format!("{name} rotated the key")));
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_are_left_out_until_somebody_asks_for_them() {
    let app = TestApp::start().await;
    let (key, contact) = {
        let named = |new: &mut NewKey| new.name = KeyName::parse("Booking").unwrap();
        let scopes = Preset::FullAccess.scopes(KeyKind::Location);
        let key = app.key_with(Reach::location(app.ids.location), scopes, named).await;
        let made = app.post("/contacts/").key(&key).json(&json!({"firstName": "Ada", "lastName": "Kimani"}));
        (key, made.send().await.expect(201)["contact"]["id"].as_str().unwrap().to_owned())
    };
    let note = app.post(&format!("/contacts/{contact}/notes")).key(&key).json(&json!({"body": "Called."}));
    note.send().await.expect(201);
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let get =
        async |query: &str| app.get(&format!("/app/agency/audit{query}")).header("Cookie", &cookie).send().await.text;
    let plain = get("").await;
    assert!(!plain.contains("Kimani") && plain.contains("data=1"), "a chip adds them: {plain}");
    assert!(plain.contains("audit.csv?data=0"), "the download has what the page has");
    for query in ["?data=1", "?action=contact.", &format!("?subject={contact}"), &format!("?actor={}", key.id)] {
        let page = get(query).await;
        let has_contact = read(&page).contains("Booking (key) added the contact Ada Kimani");
        // By whom says nothing of what about.
        assert_eq!(has_contact, !query.contains("actor"), "{query}: {page}");
        if has_contact {
            assert!(page.contains(&format!("/app/locations/{}/contacts/{contact}\"", app.ids.location)));
        }
    }
    assert!(read(&get("?action=note.").await).contains("wrote a note about Ada Kimani"));
    // What is deleted keeps the name that the log tells of it, and leads nowhere.
    app.delete(&format!("/contacts/{contact}")).key(&key).send().await.expect(200);
    app.let_days_pass(40.0).await;
    app.app.purge_contacts().await.unwrap();
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let page = app.get("/app/agency/audit?action=contact.deleted").header("Cookie", &cookie).send().await.text;
    assert!(!page.contains(&format!("contacts/{contact}\"")), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_filtered_by_who_what_where_and_when() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let gym = app.location("Northside Gym").await;
    let scopes = Preset::ReadOnly.scopes(KeyKind::Location);
    let at = async |place, name: &'static str| {
        app.key_by(&admin, Reach::location(place), scopes, move |new| new.name = KeyName::parse(name).unwrap()).await
    };
    at(app.ids.location, "Of the dentist").await;
    at(gym, "Of the gym").await;
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let Actor::User(id) = admin.actor() else { panic!("a member") };
    let has = async |query: &str| {
        let page = app.get(&format!("/app/agency/audit?{query}")).header("Cookie", &cookie).send().await;
        assert_eq!(page.status, 200);
        [page.text.contains("Of the dentist"), page.text.contains("Of the gym")]
    };
    assert_eq!(has("").await, [true, true]);
    assert_eq!(has(&format!("location={gym}")).await, [false, true]);
    assert_eq!(has(&format!("actor={id}")).await, [true, true]);
    assert_eq!(has("actor=system").await, [false, false]);
    assert_eq!(has("actor=operator").await, [false, false]);
    assert_eq!(has("action=session.").await, [false, false]);
    assert_eq!(has("when=day&action=api_key.").await, [true, true]);
    assert_eq!(has("from=2026-11-26").await, [false, false]);
    let page = app.get(&format!("/app/agency/audit?location={gym}&when=week")).header("Cookie", &cookie).send().await;
    for said in ["<b>Where</b> <bdi>Northside Gym</bdi>", "<b>When</b> <bdi>Last 7 days</bdi>", "Clear all"] {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
    assert!(page.text.contains("href=\"/app/agency/audit?when=week\""), "each filter is taken away by itself");
}

/// Names of what is elsewhere are nobody's business.
/// Days in the wrong order fit nothing, which is said: else the log would seem to hold nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_from_later_than_until_says_so() {
    let app = TestApp::start().await;
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let said = async |days: &str| {
        let page = app.get(&format!("/app/agency/audit?{days}")).header("Cookie", &cookie).send().await;
        assert_eq!(page.status, 200, "{days}: {}", page.text);
        page.text.split_once("“From” (").map(|(_, said)| said.split("</p>").next().unwrap().to_owned())
    };
    let wrong = said("from=2026-11-26&until=2026-11-25").await.unwrap();
    assert!(wrong.starts_with("26 Nov 2026) is later than “Until” (25 Nov 2026), so no entry fits."), "{wrong}");
    for fits in ["from=2026-11-25&until=2026-11-25", "from=2026-11-25&until=2026-11-26", "from=2026-11-26"] {
        assert_eq!(said(fits).await, None, "{fits}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_location_learns_no_names_of_what_is_elsewhere() {
    let app = TestApp::start().await;
    let named = |new: &mut NewKey| new.name = KeyName::parse("Of the whole agency").unwrap();
    let agency = app.key_with(Reach::Agency, Preset::FullAccess.scopes(KeyKind::Agency), named).await;
    let body =
        json!({"name": "Made by a key", "locationId": app.ids.location, "preset": "read-only", "kind": "location"});
    let made = app.post("/api-keys/").key(&agency).json(&body).send().await.expect(201);
    let id = made["apiKey"]["id"].as_str().unwrap();
    let path = format!("/app/locations/{}/settings/keys/{id}", app.ids.location);
    let of_location = member(&app, "la@example.com", Role::AccountAdmin, &[app.ids.location]).await;
    let page = app.get(&path).header("Cookie", &of_location).send().await.text;
    assert!(!page.contains("Of the whole agency") && page.contains("created the key"), "{page}");
    let admin = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let page = app.get(&path).header("Cookie", &admin).send().await.text;
    assert!(page.contains("Of the whole agency"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_log_holds_has_a_sentence() {
    let app = TestApp::start().await;
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let kinds = EventKind::ALL.iter().map(|kind| kind.as_str()).chain(["of.tomorrow"]);
    for kind in kinds {
        app.sql(&format!(
            "INSERT INTO events (agency_id, at, actor_kind, action, subject, chained, before_json, after_json)
             VALUES ('{}', 1795608000000, 'system', '{kind}', 'a subject', FALSE, '[1]', '{{\"name\": {{}}}}')",
            app.ids.agency
        ))
        .await;
    }
    let mut url = "/app/agency/audit?data=1".to_owned();
    let mut entries = 0;
    loop {
        let page = app.get(&url).header("Cookie", &cookie).send().await;
        assert_eq!(page.status, 200, "{}", page.text);
        entries += page.text.matches("class=\"say\"").count();
        let Some(next) = page.text.split("rel=\"next\"").next().filter(|_| page.text.contains("rel=\"next\"")) else {
            break;
        };
        next.rsplit("href=\"").next().unwrap().trim_end_matches("\" ").clone_into(&mut url);
        url = url.replace("&#38;", "&").trim_end_matches('"').to_owned();
    }
    assert!(entries > EventKind::ALL.len(), "{entries}");
    let sent = from_here(app.post("/app/agency/audit")).header("Cookie", &cookie).form(&[("x", "y")]).send().await;
    assert_eq!(sent.status, 405);
}
