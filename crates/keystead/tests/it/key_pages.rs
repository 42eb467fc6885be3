//! What the pages of keys say is true: of keys that stop, that are replaced, and that hold more than they use.

use std::time::Duration;

use keystead_core::{KeyFilter, OldKeyEnds};
use keystead_model::{
    api_key::{KeyName, KeyState, NewKey},
    grant::Reach,
    key_kind::KeyKind,
    page::Window,
    scope::{Preset, Scope, ScopeSet},
    user::Role,
};
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, Answer, TestApp, TestKey};
use serde_json::json;

use crate::app::{from_here, member, sign_in};

/// A member with a browser.
struct Admin<'a> {
    app: &'a TestApp,
    cookie: String,
}

impl<'a> Admin<'a> {
    async fn of(app: &'a TestApp) -> Self {
        Self { app, cookie: sign_in(app, ADMIN_EMAIL, ADMIN_PASSWORD).await }
    }

    async fn get(&self, path: &str) -> Answer {
        self.app.get(path).header("Cookie", &self.cookie).send().await
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        from_here(self.app.post(path)).header("Cookie", &self.cookie).form(fields).send().await
    }

    async fn key_page(&self, key: &TestKey) -> String {
        let page = self.get(&format!("/app/agency/settings/keys/{}", key.id)).await;
        assert_eq!(page.status, 200, "{}", page.text);
        page.text
    }
}

async fn named(app: &TestApp, name: &str) -> TestKey {
    let scopes = Preset::FullAccess.scopes(KeyKind::Location);
    let change = |new: &mut NewKey| new.name = KeyName::parse(name).unwrap();
    app.key_with(Reach::location(app.ids.location), scopes, change).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_says_first_how_many_keys_stop() {
    let app = TestApp::start().await;
    let admin = Admin::of(&app).await;
    let (busy, idle, off) = (named(&app, "Busy").await, named(&app, "Idle").await, named(&app, "Off").await);
    app.get("/contacts/").key(&busy).send().await.expect(200);
    app.app.flush_uses().await.unwrap();
    let operator = app.operator().await;
    app.app.deactivate_key(operator.authority(), off.id).await.unwrap();
    let location = format!("/app/agency/locations/{}", app.ids.location);
    let asked = admin.get(&format!("{location}/suspend")).await;
    assert_eq!(asked.status, 200, "{}", asked.text);
    assert!(asked.text.contains("2 keys stop"), "{}", asked.text);
    assert!(asked.text.contains("<bdi>Busy</bdi>") && !asked.text.contains("<bdi>Idle</bdi>"), "{}", asked.text);
    assert_eq!(app.get("/contacts/").key(&busy).send().await.status, 200, "it only asks");
    assert_eq!(admin.post(&format!("{location}/suspend"), &[]).await.status, 303);
    assert_eq!(app.get("/contacts/").key(&busy).send().await.status, 403);
    for page in ["/app/agency", "/app/agency/settings/keys?tab=location"] {
        assert!(admin.get(page).await.text.contains("Suspended</span>"), "{page}");
    }
    assert!(admin.key_page(&idle).await.contains("Suspended</span>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_replaced_leads_to_its_successor_until_that_is_used() {
    let app = TestApp::start().await;
    let admin = Admin::of(&app).await;
    let lost = named(&app, "Lost").await;
    let operator = app.operator().await;
    let made = app.app.replace_key(operator.authority(), lost.id, OldKeyEnds::FirstUse).await.unwrap().made;
    let new = TestKey { id: made.key.id, secret: made.secret.unwrap().expose().to_owned() };
    let page = admin.key_page(&lost).await;
    assert!(page.contains("is being replaced") && page.contains(&format!("/settings/keys/{}\"", new.id)), "{page}");
    let page = admin.key_page(&new).await;
    assert!(page.contains("takes the place of") && page.contains(&format!("/settings/keys/{}\"", lost.id)), "{page}");
    app.get("/contacts/").key(&new).send().await.expect(200);
    assert_eq!(app.get("/contacts/").key(&lost).send().await.status, 401);
    let page = admin.key_page(&new).await;
    assert!(page.contains("saw the first use of") && !page.contains("takes the place of"), "{page}");
    assert!(!admin.key_page(&lost).await.contains("is being replaced"));
}

/// Two tabs have the form of one key: each has its own `form_id`, so neither is a repeat of the other.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_replaced_once_until_its_successor_has_ended() {
    let app = TestApp::start().await;
    let admin = Admin::of(&app).await;
    let lost = named(&app, "Lost").await;
    let path = format!("/app/agency/settings/keys/{}/replace", lost.id);
    let press = async |tab: &str| admin.post(&path, &[("form_id", tab), ("old_ends", "now")]).await;
    assert_eq!(press("one").await.status, 200);
    let second = press("two").await;
    assert_eq!(second.status, 422, "{}", second.text);
    assert!(second.text.contains("This key is replaced already, by “Lost” ("), "{}", second.text);
    let operator = app.operator().await;
    let successor = app.app.successor_of_key(operator.authority(), lost.id).await.unwrap().unwrap();
    let keys = app.app.list_keys(operator.authority(), KeyFilter::default(), Window::first(10)).await.unwrap().rows;
    assert_eq!(keys.iter().filter(|key| key.state == KeyState::Active).count(), 1);
    let page = admin.get(&path).await.text;
    let link = format!("/app/agency/settings/keys/{}\"><bdi>Lost", successor.id);
    assert!(page.contains(&link) && !page.contains("Replace key</button>"), "{page}");
    // It ended at once, and is not "being" replaced, nor when it is switched on again.
    app.app.reactivate_key(operator.authority(), lost.id).await.unwrap();
    assert!(!admin.key_page(&lost).await.contains("is being replaced"));
    assert_eq!(press("three").await.status, 422);
    app.app.deactivate_key(operator.authority(), successor.id).await.unwrap();
    assert!(admin.get(&path).await.text.contains("Replace key</button>"));
    assert_eq!(press("four").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_of_an_exposed_key_offers_its_rotation() {
    let app = TestApp::start().await;
    let admin = Admin::of(&app).await;
    let key = named(&app, "Leaked").await;
    app.post("/api-keys/revoke-exposed").json(&json!({"keys": [key.secret]})).send().await.expect(202);
    let notices = admin.get("/app/agency/notices").await.text;
    assert!(notices.contains(&format!("/settings/keys/{}/rotate\"", key.id)), "{notices}");
    assert!(admin.key_page(&key).await.contains("Exposed 25 Nov 2026</span>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_deletions_are_paused_no_page_counts_down() {
    let app = TestApp::start().await;
    let admin = Admin::of(&app).await;
    let (live, gone) = (named(&app, "Live").await, named(&app, "Gone").await);
    let operator = app.operator().await;
    app.app.delete_key(operator.authority(), gone.id).await.unwrap();
    assert!(admin.key_page(&gone).await.contains("the key can be brought back"));
    app.app.set_sweep_paused(operator.authority(), true).await.unwrap();
    app.app.poll_changes().await.unwrap();
    assert!(admin.key_page(&live).await.contains("has paused deletions"));
    let page = admin.key_page(&gone).await;
    assert!(page.contains("stands still") && !page.contains("Until "), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_reduced_to_what_it_uses() {
    let app = TestApp::start().await;
    let admin = Admin::of(&app).await;
    let scopes = [Scope::ContactsRead, Scope::ContactsWrite, Scope::TagsRead].into_iter().collect::<ScopeSet>();
    let key = app.key_with(Reach::location(app.ids.location), scopes, |_| {}).await;
    let reduce = format!("/app/agency/settings/keys/{}/reduce", key.id);
    // Of a key that has done nothing nothing is known.
    assert!(!admin.key_page(&key).await.contains("Reduce to what is used"));
    assert_eq!(admin.post(&reduce, &[]).await.status, 409);
    app.get("/contacts/").key(&key).send().await.expect(200);
    let page = admin.key_page(&key).await;
    assert!(
        page.contains("Reduce to what is used") && page.contains("contacts.write, locations/tags.readonly"),
        "{page}"
    );
    // It only takes, so no password is asked for.
    app.clock.advance(Duration::from_secs(16 * 60));
    assert_eq!(admin.post(&reduce, &[]).await.status, 303);
    let seen = app.get("/api-keys/self").key(&key).send().await.expect(200);
    assert_eq!(seen["apiKey"]["scopes"], json!(["contacts.readonly"]));
    assert!(!admin.key_page(&key).await.contains("Reduce to what is used"));
    // What was used long ago is not in use.
    app.clock.advance(Duration::from_secs(31 * 86_400));
    app.app.poll_changes().await.unwrap();
    let admin = Admin::of(&app).await;
    assert_eq!(admin.post(&reduce, &[]).await.status, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_says_what_presets_do_and_what_a_key_cannot_hold() {
    let app = TestApp::start().await;
    let admin = Admin::of(&app).await;
    let form = admin.get("/app/agency/settings/keys/new?preset=forms-intake").await.text;
    for said in ["Reads nothing; writes new contacts and forms", "Reads all data and webhooks; writes the same<"] {
        assert!(form.contains(said), "{said}: {form}");
    }
    assert!(form.contains("<span data-short=\"writes\">new contacts and forms</span>"), "{form}");
    let fields = [
        ("form_id", "a"),
        ("name", "x"),
        ("kind", "location"),
        ("locationId", app.ids.location.as_str()),
        ("preset", "custom"),
        ("scopes", "locations.write"),
    ];
    let refused = admin.post("/app/agency/settings/keys/new", &fields).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("locations.write, which only an agency key can hold"), "{}", refused.text);
    // To a program that asks for what its kind can never hold, the hint does not say to add it.
    let key = app.location_key().await;
    let location = app.ids.location;
    let call = app.put(&format!("/locations/{location}")).key(&key).json(&json!({"name": "x"})).send().await;
    let refused = call.expect(401);
    let hint = refused["hint"].as_str().unwrap();
    assert!(hint.contains("location key cannot hold locations.write") || hint.contains("agency key"), "{hint}");
    assert!(!hint.contains("Add the scope"), "{hint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_says_that_a_key_was_not_pasted_whole() {
    let app = TestApp::start().await;
    let admin = Admin::of(&app).await;
    let key = named(&app, "Pasted").await;
    let short = &key.secret[..key.secret.len() - 3];
    for path in ["/app/agency/search", "/app/agency/settings/keys/find"] {
        for (pasted, said) in [(short, Some("3 characters are missing")), (key.secret.as_str(), None)] {
            let found = admin.post(path, &[("q", pasted)]).await;
            assert_eq!(found.status, 303);
            let url = found.header("location").to_owned();
            assert!(!url.contains(&key.secret[25..33]), "{url}");
            let page = admin.get(&url).await;
            assert!(page.text.contains("<bdi>Pasted</bdi>"), "{}", page.text);
            assert_eq!(page.text.contains("This is not a whole key"), said.is_some(), "{}", page.text);
            assert!(said.is_none_or(|said| page.text.contains(said)));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_secret_says_in_headers_that_it_ends() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let current = app.get("/contacts/").key(&key).send().await;
    assert_eq!((current.status, current.header("deprecation"), current.header("sunset")), (200, "", ""));
    let operator = app.operator().await;
    let overlap = Duration::from_secs(24 * 3_600);
    app.app.rotate_key(operator.authority(), key.id, None, overlap).await.unwrap();
    // Whatever the answer is.
    for (path, status) in [("/contacts/", 200), ("/contacts/0000000000000000000A", 400), ("/v1/contacts/", 200)] {
        let answer = app.get(path).key(&key).send().await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("keystead-key-expires-at"), "2026-11-26T12:00:00.000Z");
        assert_eq!(answer.header("deprecation"), "@1795608000");
        assert_eq!(answer.header("sunset"), "Thu, 26 Nov 2026 12:00:00 GMT");
        assert!(answer.header("link").contains("/docs/api-keys>; rel=\"deprecation\""), "{}", answer.header("link"));
    }
    app.app.finish_key_rotation(operator.authority(), key.id).await.unwrap();
    let ended = app.get("/contacts/").key(&key).send().await;
    assert_eq!((ended.status, ended.json()["code"].as_str()), (401, Some("key_secret_retired")));
    assert_eq!((ended.header("deprecation"), ended.header("sunset")), ("", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_of_a_key_is_kept_found_and_changed() {
    let app = TestApp::start().await;
    let admin = Admin::of(&app).await;
    let full = app.agency_key().await;
    let new = json!({
        "name": "x", "kind": "location", "locationId": app.ids.location, "scopes": ["contacts.readonly"],
        "description": "Landing page of the SPRING", "labels": ["report", "Monthly", "REPORT"],
        "contactEmail": "partner@x.example",
    });
    let made = app.post("/api-keys").key(&full).json(&new).send().await.expect(201)["apiKey"].clone();
    assert_eq!((&made["labels"], &made["contactEmail"]), (&json!(["report", "Monthly"]), &json!("partner@x.example")));
    let id = made["id"].as_str().unwrap();
    let found = async |query: &str| {
        let found = app.get("/api-keys").query(&[("query", query)]).key(&full).send().await.expect(200);
        found["apiKeys"].as_array().unwrap().iter().any(|key| key["id"] == id)
    };
    for query in ["monthly", "of the spring", "partner@x", "REPORT"] {
        assert!(found(query).await, "{query}");
    }
    assert!(!found("autumn").await);
    let page = admin.get(&format!("/app/agency/settings/keys/{id}")).await.text;
    for shown in ["<bdi>Monthly</bdi>", "<bdi>partner@x.example</bdi>", "Landing page of the SPRING"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let path = format!("/api-keys/{id}");
    let change = async |body| app.patch(&path).key(&full).json(&body).send().await;
    let kept = change(json!({"name": "y"})).await.expect(200)["apiKey"].clone();
    assert_eq!((&kept["labels"], &kept["contactEmail"]), (&made["labels"], &made["contactEmail"]));
    let changed = change(json!({"labels": [], "contactEmail": "", "description": "In autumn"})).await.expect(200);
    assert_eq!((&changed["apiKey"]["labels"], &changed["apiKey"]["contactEmail"]), (&json!([]), &json!(null)));
    assert!(found("autumn").await && !found("monthly").await && !found("spring").await);
    for (body, field) in [
        (json!({"labels": ["a, b"]}), "labels"),
        (json!({"labels": (0..11).map(|number| format!("x{number}")).collect::<Vec<_>>()}), "labels"),
        (json!({"contactEmail": "nobody"}), "contactEmail"),
    ] {
        let refused = change(body).await.expect(422);
        assert!(refused["message"][0].as_str().unwrap().starts_with(field), "{refused}");
    }
    // The form changes all three, and says what is wrong beside its field.
    let edit = format!("/app/agency/settings/keys/{id}/edit");
    let whole =
        [("name", "y"), ("scopes", "contacts.readonly"), ("labels", "one,  two"), ("contactEmail", "team@x.example")];
    assert_eq!(admin.post(&edit, &whole).await.status, 303);
    let saved = app.get(&path).key(&full).send().await.expect(200)["apiKey"].clone();
    assert_eq!((&saved["labels"], &saved["contactEmail"]), (&json!(["one", "two"]), &json!("team@x.example")));
    assert_eq!(saved["description"], json!(null));
    let form = admin.get(&edit).await.text;
    assert!(form.contains("value=\"one, two\"") && form.contains("value=\"team@x.example\""), "{form}");
    let wrong = whole.map(|(name, value)| (name, if name == "contactEmail" { "nobody" } else { value }));
    let refused = admin.post(&edit, &wrong).await;
    assert!(refused.status == 422 && refused.text.contains("id=\"contactEmail-problem\""), "{}", refused.text);
    // A key like it, or in place of it, says the same.
    let like = admin.get(&format!("/app/agency/settings/keys/new?like={id}")).await.text;
    assert!(like.contains("value=\"one, two\"") && like.contains("value=\"team@x.example\""), "{like}");
}

/// The sentences above a form.
fn summary(page: &str) -> Vec<String> {
    let (_, list) = page.split_once("class=\"summary\"").unwrap_or_else(|| panic!("{page}"));
    let items = list.split("</ul>").next().unwrap().split("<li>").skip(1);
    items.map(|item| item.split('>').nth(1).unwrap().split('<').next().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_wrong_with_a_key_is_said_at_once_and_what_was_typed_stays() {
    let app = TestApp::start().await;
    let admin = Admin::of(&app).await;
    let key = named(&app, "Before").await;
    let typed = [
        ("form_id", "a"),
        ("name", ""),
        ("description", "For the shop"),
        ("labels", "one, two"),
        ("contactEmail", "nobody"),
        ("allowedIps", "300.1.2.3\n10.0.0.1"),
        ("expiresAt", "2020-01-01"),
    ];
    let said = [
        "Enter a name.",
        "The address to tell must be an e-mail address.",
        "“300.1.2.3” is not an address, nor a range such as 203.0.113.0/24.",
        "The expiry must be in the future.",
    ];
    let new = [&typed[..], &[("kind", "location"), ("preset", "read-only")]].concat();
    let location = "Choose the location that the key acts in.";
    let custom = [&typed[..], &[("preset", "custom"), ("locationId", app.ids.location.as_str())]].concat();
    let scopes = "Choose what the key may do.";
    let edit = format!("/app/agency/settings/keys/{}/edit", key.id);
    for (path, fields, said) in [
        ("/app/agency/settings/keys/new", &new, [&said[..2], &[location], &said[2..]].concat()),
        ("/app/agency/settings/keys/new", &custom, [&said[..2], &[scopes], &said[2..]].concat()),
        (&edit, &custom, [&said[..2], &[scopes], &said[2..]].concat()),
    ] {
        let refused = admin.post(path, fields).await;
        assert_eq!((refused.status, summary(&refused.text)), (422, said.iter().map(ToString::to_string).collect()));
        for kept in ["value=\"For the shop\"", "value=\"one, two\"", "300.1.2.3\n10.0.0.1<", "value=\"2020-01-01\""] {
            assert!(refused.text.contains(kept), "{path} {kept}: {}", refused.text);
        }
        for field in ["name", "contactEmail", "allowedIps", "expiresAt"] {
            assert!(refused.text.contains(&format!("id=\"{field}-problem\"")), "{path} {field}: {}", refused.text);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_at_the_button_and_keeps_what_was_chosen() {
    let app = TestApp::start().await;
    let admin = Admin::of(&app).await;
    let key = named(&app, "Rotating").await;
    let operator = app.operator().await;
    app.app.rotate_key(operator.authority(), key.id, None, Duration::from_secs(86_400)).await.unwrap();
    app.app.deactivate_key(operator.authority(), key.id).await.unwrap();
    app.clock.advance(Duration::from_secs(16 * 60));
    let wrong = ("confirm_password", "not the password");
    let page = format!("/app/agency/settings/keys/{}", key.id);
    let refused = admin.post(&format!("{page}/cancel"), &[wrong]).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(refused.text.contains("id=\"cancel-confirm_password-problem\">This is not your password."));
    assert!(
        refused.text.contains("href=\"#cancel-confirm_password\"")
            && !refused.text.contains("reactivate-confirm_password-problem")
    );
    let refused = admin.post(&format!("{page}/rotate"), &[("form_id", "a"), ("overlap", "PT24H"), wrong]).await;
    assert!(refused.status == 422 && refused.text.contains("value=\"PT24H\" checked"), "{}", refused.text);
    let missing = admin.post(&format!("{page}/replace"), &[("form_id", "b"), ("old_ends", "first_use")]).await;
    assert!(
        missing.text.contains("value=\"first_use\" checked") && missing.text.contains("Enter your password, which")
    );
    let done = [("confirm_password", ADMIN_PASSWORD)];
    assert_eq!(admin.post(&format!("{page}/reactivate"), &done).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_made_a_key_is_called_by_name() {
    let app = TestApp::start().await;
    let change = |new: &mut NewKey| new.name = KeyName::parse("Ops").unwrap();
    let ops = app.key_with(Reach::Agency, Preset::FullAccess.scopes(KeyKind::Agency), change).await;
    let new = json!({"name": "Zapier", "kind": "location", "locationId": app.ids.location, "preset": "integration"});
    let made = app.post("/api-keys").key(&ops).json(&new).send().await.expect(201);
    let admin = Admin::of(&app).await;
    let path = format!("/app/agency/settings/keys/{}", made["apiKey"]["id"].as_str().unwrap());
    for (path, said) in [(path.as_str(), ">Ops<"), ("/app/agency/settings/keys?tab=location", "Ops (key)")] {
        let page = admin.get(path).await.text;
        assert!(page.contains(said) && !page.contains(&format!("Key {}", ops.id)), "{path}: {page}");
    }
    // Who is only in the location learns no name from beyond it.
    let cookie = member(&app, "lo@example.com", Role::AccountAdmin, &[app.ids.location]).await;
    let list = format!("/app/locations/{}/settings/keys?tab=location", app.ids.location);
    let page = app.get(&list).header("Cookie", &cookie).send().await.text;
    assert!(page.contains(&format!("Key {}", ops.id)) && !page.contains("Ops"), "{page}");
}
