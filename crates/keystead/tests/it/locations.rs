//! Locations: their shapes, what clients send that is none, and how they are deleted, restored and purged.

use std::{collections::BTreeMap, time::Duration};

use keystead_core::{AuditFilter, ErrorCode, NoticeFilter};
use keystead_model::{
    LocationId,
    api_key::{KeyAbout, KeyName, KeyPatch, NewKey},
    grant::{Grant, Reach},
    ip_range::IpRanges,
    notice::NoticeSubject,
    page::Window,
    scope::{Preset, Scope, ScopeSet},
    text::EmailAddress,
    user::{NewUser, Role},
};
use keystead_store::{Error as StoreError, Tx, catalog};
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, TestApp, TestKey, authenticate};
use serde_json::{Value, json};

use crate::app::{from_here, member, sign_in};

/// However many contacts there are: nobody's write waits until each of them has been looked at.
#[tokio::test(flavor = "multi_thread")]
async fn whether_duplicates_are_allowed_changes_no_row_of_a_contact() {
    let app = TestApp::start().await;
    let (key, agency) = (app.location_key().await, app.agency_key().await);
    let location = format!("/locations/{}", app.ids.location);
    let allow = async |allowed: bool| {
        let settings = json!({"settings": {"allowDuplicateContact": allowed}});
        app.put(&location).key(&agency).json(&settings).send().await.expect(200);
    };
    let create = async |email: &str| {
        app.clock.advance(Duration::from_millis(5));
        app.post("/contacts/").key(&key).json(&json!({"name": "Ada", "email": email})).send().await
    };
    let rows = async || {
        let rows = |tx: &mut Tx<'_>| {
            let sql = "SELECT value, sharer, contact_id FROM contact_identities ORDER BY 1, 2, 3";
            tx.query(sql, &[], |row| Ok([row.column::<String>()?, row.column()?, row.column()?]))
        };
        app.second_store().read::<_, StoreError, _>(rows).await.unwrap()
    };
    let id = |contact: &Value| contact["contact"]["id"].as_str().unwrap().to_owned();
    let alone = id(&create("alone@example.com").await.expect(201));
    for round in 0..2 {
        // Two of them have it from when that was allowed, and after each turn the setting of that moment holds for all.
        let shared = format!("shared{round}@example.com");
        let before = rows().await;
        allow(true).await;
        assert_eq!(rows().await, before);
        let first = id(&create(&shared).await.expect(201));
        let second = id(&create(&shared).await.expect(201));
        create("alone@example.com").await.expect(201);
        let before = rows().await;
        allow(false).await;
        assert_eq!(rows().await, before);
        for (email, owner) in [("alone@example.com", &alone), (&shared, &first)] {
            assert_eq!(create(email).await.expect(400)["meta"]["contactId"], json!(owner), "{email}");
        }
        // What they have they keep, and it is nobody else's until the last of them has it no more.
        for owner in [&first, &second] {
            let path = format!("/contacts/{owner}");
            app.put(&path).key(&key).json(&json!({"city": "Paris"})).send().await.expect(200);
            create(&shared).await.expect(400);
            app.put(&path).key(&key).json(&json!({"clear": ["email"]})).send().await.expect(200);
            let back = app.put(&path).key(&key).json(&json!({"email": shared})).send().await;
            assert_eq!(back.status, if owner == &first { 400 } else { 200 });
            app.put(&path).key(&key).json(&json!({"clear": ["email"]})).send().await.expect(200);
        }
        create(&shared).await.expect(201);
        create(&shared).await.expect(400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn time_zones_are_answered_also_where_the_path_has_the_name_of_its_parameter() {
    let app = TestApp::start().await;
    let (key, agency) = (app.location_key().await, app.agency_key().await);
    let zones = app.get("/v1/timezones/").key(&key).send().await.expect(200)["timezones"].take();
    assert!(zones.as_array().unwrap().len() > 300);
    for id in [app.ids.location.as_str(), "%7BlocationId%7D"] {
        for version in ["2021-07-28", "v3"] {
            let path = format!("/locations/{id}/timezones");
            let answer = app.get(&path).key(&key).header("Version", version).send().await.expect(200);
            assert_eq!((&answer["timeZones"], &answer["timezones"]), (&zones, &zones), "{path}");
        }
    }
    // An agency key has no location of its own.
    let refused = app.get("/locations/%7BlocationId%7D/timezones").key(&agency).send().await.expect(422);
    assert_eq!(refused["message"], json!(["locationId can't be undefined"]));
    for (method, path) in [
        ("GET", "/locations/%7BlocationId%7D"),
        ("GET", "/locations/%7BlocationId%7D/tags"),
        ("DELETE", "/contacts/%7BcontactId%7D"),
        ("GET", "/v1/contacts/%7BcontactId%7D"),
    ] {
        let refused = app.call(method.parse().unwrap(), path).key(&agency).send().await;
        let refused = if path.starts_with("/v1") { app.get(path).key(&key).send().await } else { refused };
        assert_eq!(refused.status, 400, "{path}: {}", refused.text);
        assert_eq!(refused.json()["code"], "placeholder_in_path", "{path}");
        assert!(refused.json()["hint"].as_str().unwrap().contains("instead of its value"), "{path}");
    }
}

/// What is written of a location is read everywhere, in all versions.
#[tokio::test(flavor = "multi_thread")]
async fn a_location_is_whole_in_every_shape() {
    let app = TestApp::start().await;
    let key = app.agency_key().await;
    let own = json!({
        "name": "Quay Clinic", "phone": "+1 415 555 0100", "address": "1 Quay", "city": "Bristol", "state": "Avon",
        "country": "GB", "postalCode": "BS1", "website": "https://quay.example", "timezone": "Europe/London",
        "domain": "go.quay.example", "logoUrl": "https://quay.example/logo.png",
        "settings": {"allowDuplicateContact": true, "allowDuplicateOpportunity": true, "allowFacebookNameMerge": true,
            "disableContactTimezone": true, "duplicateContactPriority": "phone"},
        "social": {"facebookUrl": "https://social.example/quay", "yelp": "https://yelp.example/quay"},
    });
    let mut new = own.clone();
    new["companyId"] = json!(app.ids.agency.as_str());
    new["prospectInfo"] = json!({"firstName": "Mary", "lastName": "Moor", "email": "mary@quay.example"});
    new["snapshotId"] = json!("XXXXXXXXXXX");
    new["twilio"] = json!({"sid": "x", "authToken": "x"});
    let made = app.post("/locations/").key(&key).json(&new).send().await.expect(200);
    assert!(made["hint"].as_str().unwrap().contains("snapshot"), "{made}");
    let id = made["id"].as_str().unwrap();
    let one = format!("/locations/{id}");
    let with = |value: &Value, context: &str| {
        for (name, expected) in own.as_object().unwrap() {
            assert_eq!(&value[name], expected, "{context}: {name}");
        }
        assert_eq!((&value["firstName"], &value["lastName"]), (&json!("Mary"), &json!("Moor")), "{context}");
        assert_eq!((&value["email"], &value["id"]), (&json!("mary@quay.example"), &json!(id)), "{context}");
    };
    with(&made, "create");
    for version in ["2021-07-28", "v3"] {
        let got = app.get(&one).key(&key).header("Version", version).send().await.expect(200)["location"].take();
        with(&got, version);
        assert_eq!((&got["reseller"], &got["permissions"]), (&json!({}), &json!({})));
        for name in ["name", "address", "city", "state", "country", "postalCode", "website", "timezone", "logoUrl"] {
            assert_eq!(got["business"][name], own[name], "{name}");
        }
    }
    let v1 = app.get(&format!("/v1/locations/{id}")).key(&key).send().await.expect(200);
    with(&v1, "v1");
    let company = app.ids.agency.as_str();
    for query in [format!("companyId={company}&email=mary%40quay.example"), "skip=1&limit=1".to_owned()] {
        let found = app.get(&format!("/locations/search?{query}")).key(&key).send().await.expect(200);
        assert_eq!(found["locations"].as_array().unwrap().len(), 1, "{query}");
        with(&found["locations"][0], &query);
    }
    // Without a snapshot there is nothing to be said.
    let changed =
        app.put(&one).key(&key).json(&json!({"clear": ["domain", "logoUrl"], "companyId": company})).send().await;
    let changed = changed.expect(200);
    assert_eq!([&changed["hint"], &changed["domain"], &changed["logoUrl"]], [&Value::Null; 3]);
    let snapshot = json!({"companyId": company, "snapshot": {"id": "x", "override": true}});
    assert!(app.put(&one).key(&key).json(&snapshot).send().await.expect(200)["hint"].is_string());
}

/// A location with a key and one of everything, by name.
async fn furnished(app: &TestApp, name: &str) -> (LocationId, TestKey, String) {
    let location = app.location(name).await;
    let key = app.key(Reach::location(location), Preset::FullAccess).await;
    let new = json!({"name": name, "email": "ada@example.com", "tags": ["vip"]});
    let made = app.post("/contacts/").key(&key).json(&new).send().await.expect(201);
    let contact = made["contact"]["id"].as_str().unwrap().to_owned();
    let task = json!({"title": "x", "dueDate": "2026-12-01", "completed": false});
    app.post(&format!("/contacts/{contact}/tasks")).key(&key).json(&task).send().await.expect(201);
    app.post(&format!("/contacts/{contact}/notes")).key(&key).json(&json!({"body": "x"})).send().await.expect(201);
    app.post("/businesses/").key(&key).json(&json!({"name": name})).send().await.expect(201);
    let value = json!({"name": name, "value": "x"});
    app.post(&format!("/locations/{location}/customValues")).key(&key).json(&value).send().await.expect(201);
    (location, key, contact)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_location_is_gone_at_once_and_comes_back_as_it_was() {
    let app = TestApp::start().await;
    let agency = app.agency_key().await;
    let (location, key, contact) = furnished(&app, "Quay").await;
    let one = format!("/locations/{location}");
    let contact = format!("/contacts/{contact}");
    let before = app.get(&contact).key(&key).send().await.expect(200)["contact"].take();
    // Another server has the key in its cache.
    let second = app.second_node().await;
    authenticate(&second, &key).await.unwrap();

    let query = format!("{one}?deleteTwilioAccount=true");
    let deleted = app.delete(&query).key(&agency).send().await.expect(200);
    assert_eq!(deleted["success"], true);
    assert_eq!(deleted["message"], format!("Deleted location with id: {location}"));
    second.poll_changes().await.unwrap();
    assert_eq!(authenticate(&second, &key).await.err().map(|error| error.code()), Some(ErrorCode::LocationDeleted));
    let refused = app.get(&contact).key(&key).send().await.expect(401);
    assert_eq!(
        (&refused["message"], &refused["code"]),
        (&json!("Invalid Private Integration token"), &json!("location_deleted"))
    );
    assert!(refused["hint"].as_str().unwrap().contains("30 days"), "{refused}");
    let refused = app.get("/v1/contacts/").key(&key).send().await.expect(401);
    assert_eq!((&refused["msg"], &refused["code"]), (&json!("Api key is invalid."), &json!("location_deleted")));
    // Who cannot prove to have the key learns nothing.
    let wrong = TestKey { secret: key.secret.replace(&key.secret[40..44], "zzzz"), ..key.clone() };
    assert_eq!(app.get(&contact).key(&wrong).send().await.expect(401)["code"], "key_unknown");

    // It is not there for anybody else either.
    assert_eq!(app.get(&one).key(&agency).send().await.status, 403);
    assert_eq!(app.put(&one).key(&agency).json(&json!({"name": "x"})).send().await.status, 403);
    assert_eq!(app.delete(&one).key(&agency).send().await.status, 403);
    assert_eq!(app.get(&format!("{contact}?locationId={location}")).key(&agency).send().await.status, 403);
    let search = async |query: &str| {
        let found = app.get(&format!("/locations/search?limit=100{query}")).key(&agency).send().await.expect(200);
        let ids = found["locations"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(search("").await, [app.ids.location.as_str()]);
    assert_eq!(search("&deleted=true").await, [location.as_str()]);
    let v1 = app.get("/v1/locations/").key(&agency).send().await.expect(200);
    assert!(!v1.to_string().contains(location.as_str()), "{v1}");
    let company = app.get(&format!("/companies/{}", app.ids.agency)).key(&agency).send().await.expect(200);
    assert_eq!(company["company"]["locationCount"], 1);
    let keys = app.get("/api-keys?limit=100").key(&agency).send().await.expect(200);
    assert!(!keys.to_string().contains(key.id.as_str()), "{keys}");
    // Nobody makes a key for it, and one that reaches others too goes on.
    let new = NewKey {
        name: KeyName::parse("x").unwrap(),
        about: KeyAbout::default(),
        grant: Grant {
            agency: app.ids.agency,
            reach: Reach::location(location),
            scopes: ScopeSet::EMPTY.with(Scope::ContactsRead),
            allowed_ips: IpRanges::default(),
            expires_at: None,
        },
        rate_limit: None,
        allowed_origins: keystead_model::origin::Origins::default(),
    };
    let made = app.app.create_key(app.operator().await.authority(), new).await;
    assert_eq!(made.err().map(|error| error.code()), Some(ErrorCode::LocationNotAccessible));

    // A location of the same name and address may take its place.
    app.location("Quay").await;
    let restored = app.post(&format!("{one}/restore")).key(&agency).send().await.expect(200);
    assert_eq!((&restored["id"], &restored["name"]), (&json!(location.as_str()), &json!("Quay")));
    assert_eq!(app.get(&contact).key(&key).send().await.expect(200)["contact"], before);
    second.poll_changes().await.unwrap();
    authenticate(&second, &key).await.unwrap();
    let again = app.post(&format!("{one}/restore")).key(&agency).send().await.expect(409);
    assert_eq!(again["code"], "conflict");
    app.app.seal_audit().await.unwrap();
    let told = app.get("/events?kinds=location.*").key(&agency).send().await.expect(200);
    let told: Vec<&str> = told["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|event| event["type"].as_str().or(event["kind"].as_str()))
        .collect();
    assert!(told.ends_with(&["location.deleted", "location.created", "location.restored"]), "{told:?}");

    // API 1.0 deletes likewise.
    let gone = app.delete(&format!("/v1{one}")).key(&agency).send().await.expect(200);
    assert_eq!(gone, json!({"msg": "Success"}));
    assert_eq!(app.get(&contact).key(&key).send().await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_reaches_several_locations_goes_on_without_the_deleted_one() {
    let app = TestApp::start().await;
    let (first, second) = (app.location("First").await, app.location("Second").await);
    let chosen = app.key(Reach::Chosen([first, second].into()), Preset::FullAccess).await;
    app.app.delete_location(&app.operator().await, first).await.unwrap();
    assert_eq!(app.get(&format!("/contacts/?locationId={first}")).key(&chosen).send().await.status, 403);
    app.get(&format!("/contacts/?locationId={second}")).key(&chosen).send().await.expect(200);
    // It is changed as ever: what it does not gain is not asked for.
    let patch = KeyPatch { name: Some(KeyName::parse("Renamed").unwrap()), ..KeyPatch::default() };
    app.app.update_key(app.operator().await.authority(), chosen.id, None, patch).await.unwrap();
}

/// Neither its days run nor is anybody told of it, and it has its full 90 days when it comes back.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_happens_to_the_keys_of_a_deleted_location() {
    let app = TestApp::start().await;
    let (location, key, _) = furnished(&app, "Quay").await;
    // One that ends soon is told about for another reason than that nobody uses it.
    let scopes = ScopeSet::EMPTY.with(Scope::ContactsRead);
    let ending = app
        .key_with(Reach::location(location), scopes, |new| {
            new.grant.expires_at = Some(app.app.now() + Duration::from_secs(85 * 24 * 60 * 60));
        })
        .await;
    app.let_days_pass(80.0).await;
    let notices = async |key: &TestKey| {
        let filter = NoticeFilter { subject: Some(NoticeSubject::Key(key.id)), open: true, ..NoticeFilter::default() };
        app.app.list_notices(app.operator().await.authority(), filter, Window::first(10)).await.unwrap().rows.len()
    };
    app.app.sweep().await.unwrap();
    assert_eq!((notices(&key).await, notices(&ending).await), (1, 1));
    app.app.delete_location(&app.operator().await, location).await.unwrap();
    assert_eq!(
        (notices(&key).await, notices(&ending).await),
        (0, 0),
        "what was told of them calls for nothing any more"
    );
    for _ in 0..5 {
        app.let_days_pass(5.0).await;
        app.app.sweep().await.unwrap();
    }
    app.app.restore_location(&app.operator().await, location).await.unwrap();
    app.app.sweep().await.unwrap();
    app.get("/contacts/").key(&key).send().await.expect(200);
    assert_eq!(notices(&key).await, 0);
}

/// How many rows of a location each table has.
async fn rows_of(app: &TestApp, location: LocationId) -> BTreeMap<String, i64> {
    let count = move |tx: &mut Tx<'_>| {
        let mut rows = BTreeMap::new();
        for of in catalog::of_location(tx)? {
            let sql = format!("SELECT CAST(count(*) AS BIGINT) FROM {} WHERE {}", of.table, of.naming);
            rows.insert(of.table, tx.query_one(&sql, &[&location], |row| row.column())?);
        }
        Ok::<_, StoreError>(rows)
    };
    app.second_store().read(count).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_location_is_left_when_its_days_are_over() {
    let app = TestApp::start().await;
    let (gone, key, _) = furnished(&app, "Gone").await;
    let (stays, other, _) = furnished(&app, "Stays").await;
    member(&app, "gone@x.example", Role::AccountUser, &[gone]).await;
    app.let_days_pass(75.05).await;
    app.app.sweep().await.unwrap();
    app.app.flush_uses().await.unwrap();
    let before = (rows_of(&app, gone).await, rows_of(&app, stays).await);
    let filled = before.0.values().filter(|rows| **rows > 0).count();
    assert!(filled > 10, "{:?}", before.0);
    app.app.delete_location(&app.operator().await, gone).await.unwrap();
    app.let_days_pass(29.5).await;
    assert_eq!(app.app.purge_locations().await.unwrap(), 0, "it can still be restored");
    app.let_days_pass(0.6).await;
    let refused = app.app.restore_location(&app.operator().await, gone).await;
    assert_eq!(refused.err().map(|error| error.code()), Some(ErrorCode::Conflict));
    let operator = app.operator().await;
    app.app.set_sweep_paused(operator.authority(), true).await.unwrap();
    assert_eq!(app.app.purge_locations().await.unwrap(), 0, "nothing is lost while deletions are paused");
    app.app.set_sweep_paused(operator.authority(), false).await.unwrap();
    let mut removed = 0;
    loop {
        match app.app.purge_locations().await.unwrap() {
            0 => break,
            some => removed += some,
        }
    }
    let after = rows_of(&app, gone).await;
    assert!(after.values().all(|rows| *rows == 0), "{after:?}");
    assert!(removed > 15, "{removed}");
    assert_eq!(rows_of(&app, stays).await, before.1, "nothing of another goes with it");
    app.get("/contacts/").key(&other).send().await.expect(200);
    assert_eq!(app.get("/contacts/").key(&key).send().await.expect(401)["code"], "key_unknown");
    let restored = app.app.restore_location(&operator, gone).await;
    assert_eq!(restored.err().map(|error| error.code()), Some(ErrorCode::LocationNotAccessible));
    // The sealed log still tells of it, and is whole.
    app.app.seal_audit().await.unwrap();
    let filter = AuditFilter { action: Some("location.purged".to_owned()), ..AuditFilter::default() };
    assert_eq!(app.app.list_audit(&operator, filter, Window::first(5)).await.unwrap().rows.len(), 1);
    app.app.verify_audit(&operator, None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_adds_what_belongs_to_a_location_adds_it_to_what_goes_with_it() {
    let app = TestApp::start().await;
    for table in [
        "CREATE TABLE named_by (location_id TEXT, id TEXT)",
        "CREATE TABLE of_a_key (who TEXT REFERENCES api_keys (id))",
        "CREATE TABLE of_nobody (id TEXT)",
    ] {
        app.sql(table).await;
    }
    let rows = rows_of(&app, app.ids.location).await;
    assert!(
        rows.contains_key("named_by") && rows.contains_key("of_a_key") && !rows.contains_key("of_nobody"),
        "{rows:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn members_see_what_became_of_their_location_and_an_admin_restores_it_in_the_app() {
    let app = TestApp::start().await;
    let location = app.location("Quay <Clinic>").await;
    let user = member(&app, "user@x.example", Role::AccountUser, &[location]).await;
    let admin = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let open = async |path: &str, cookie: &str| app.get(path).header("Cookie", cookie).send().await;
    let post =
        async |path: &str, cookie: &str| from_here(app.post(path)).header("Cookie", cookie).form(&[]).send().await;
    let own = format!("/app/locations/{location}");
    assert_eq!(open(&own, &user).await.status, 200);
    // An invitation into it leads nowhere meanwhile.
    let new = NewUser {
        email: EmailAddress::parse("late@x.example").unwrap(),
        first_name: None,
        last_name: None,
        role: Role::AccountUser,
        locations: [location].into(),
    };
    let (token, _) = app.app.invite_user(app.operator().await.authority(), new).await.unwrap();
    let invite = format!("/app/invite/{token}");

    let page = open(&format!("/app/agency/locations/{location}"), &admin).await;
    assert!(page.text.contains("Delete location"), "{}", page.text);
    let deletion = format!("/app/agency/locations/{location}/delete");
    // It asks first, for the name.
    let asked = open(&deletion, &admin).await;
    assert!(asked.text.contains("Type the location’s name") && asked.text.contains("It has no key"), "{}", asked.text);
    assert_eq!((post(&deletion, &admin).await.status, open(&own, &user).await.status), (422, 200));
    let named = [("name", "quay <clinic>")];
    let done = from_here(app.post(&deletion)).header("Cookie", &admin).form(&named).send().await;
    assert_eq!((done.status, done.header("location")), (303, "/app/agency/locations"), "{}", done.text);
    let gone = open(&own, &user).await;
    assert!(
        gone.status == 410 && gone.text.contains("Quay &#60;Clinic&#62;") && gone.text.contains("deleted"),
        "{}",
        gone.text
    );
    assert_eq!(open("/app", &user).await.header("location"), own, "whoever has no other is told there");
    assert_eq!(open(&invite, "").await.status, 404);
    // Who was never in it learns nothing.
    let stranger = member(&app, "else@x.example", Role::AccountUser, &[app.ids.location]).await;
    assert_eq!(open(&own, &stranger).await.status, 404);
    let list = open("/app/agency/locations", &admin).await;
    assert!(list.text.contains("Restorable until") && list.text.contains("Quay &#60;Clinic&#62;"), "{}", list.text);

    assert_eq!(post(&format!("/app/agency/locations/{location}/restore"), &user).await.status, 404);
    let done = post(&format!("/app/agency/locations/{location}/restore"), &admin).await;
    assert_eq!((done.status, done.header("location")), (303, "/app/agency/locations"), "{}", done.text);
    assert_eq!(open(&own, &user).await.status, 200);
    assert_eq!(open(&invite, "").await.status, 200);
    assert!(!open("/app/agency/locations", &admin).await.text.contains("Restorable until"));
}
