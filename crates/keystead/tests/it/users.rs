//! Users by key: what is kept of them, and that no key makes, changes or becomes somebody who may do more than it.

use keystead_core::{AuditFilter, Authority, ErrorCode, NewAccount, NewAgency};
use keystead_model::{
    LocationId,
    agency::TenantName,
    grant::Reach,
    ip_range::IpRanges,
    key_kind::KeyKind,
    page::Window,
    scope::{Preset, Scope, ScopeSet},
    text::EmailAddress,
    user::{NewUser, Role, UserFilter},
};
use keystead_testkit::{ADMIN_EMAIL, Answer, TestApp, TestKey, authenticate};
use serde_json::{Value, json};

use crate::{
    app::{from_here, member, sign_in},
    callers::new_account,
};

const PASSWORD: &str = "a long password";

async fn everything(app: &TestApp, reach: Reach) -> TestKey {
    let kind = if reach.has_agency() { KeyKind::Agency } else { KeyKind::Location };
    app.key_with(reach, ScopeSet::all(kind), |_| {}).await
}

fn grace(app: &TestApp) -> Value {
    json!({
        "companyId": app.ids.agency.as_str(),
        "firstName": "Grace",
        "lastName": "Hopper",
        "email": "Grace@Northwind.example",
        "password": PASSWORD,
        "type": "account",
        "role": "user",
        "locationIds": [app.ids.location.as_str()],
        "phone": "+18832327657",
        "permissions": {"contactsEnabled": true, "botService": false},
        "scopes": ["contacts.write", "campaigns.readonly"],
        "scopesAssignedToOnly": ["contacts.write"],
        "profilePhoto": "https://img.example/grace.png",
        "twilioPhone": {app.ids.location.as_str(): "+18832327657"},
        "platformLanguage": "en_US",
    })
}

fn with(base: &Value, changes: Value) -> Value {
    let mut body = base.clone();
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

async fn create(app: &TestApp, key: &TestKey, body: &Value) -> Answer {
    app.post("/users/").key(key).json(body).send().await
}

fn id_of(answer: &Value) -> String {
    answer["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_of_a_user_is_read_in_every_shape() {
    let app = TestApp::start().await;
    let location = app.ids.location.as_str();
    let (key, agency) =
        (everything(&app, Reach::location(app.ids.location)).await, everything(&app, Reach::Agency).await);
    let mut made = create(&app, &key, &grace(&app)).await.expect(201);
    made.as_object_mut().unwrap().remove("traceId");
    let id = id_of(&made);
    assert_eq!(
        made["roles"],
        json!({"type": "account", "role": "user", "locationIds": [location], "restrictSubAccount": false})
    );
    assert_eq!((&made["name"], &made["email"]), (&json!("Grace Hopper"), &json!("Grace@Northwind.example")));
    let sent = grace(&app);
    for name in [
        "firstName",
        "lastName",
        "phone",
        "permissions",
        "scopes",
        "scopesAssignedToOnly",
        "profilePhoto",
        "platformLanguage",
    ] {
        assert_eq!(made[name], sent[name], "{name}");
    }
    assert_eq!(made["lcPhone"], sent["twilioPhone"]);
    assert!(!made.to_string().contains(PASSWORD) && made.get("password").is_none());

    let one = format!("/users/{id}");
    for (key, version) in [(&key, "2021-07-28"), (&agency, "2021-07-28"), (&key, "v3")] {
        let mut got = app.get(&one).key(key).header("Version", version).send().await.expect(200);
        got.as_object_mut().unwrap().remove("traceId");
        assert_eq!(got, made, "{version}");
        let company = app.ids.agency.as_str();
        let search = format!(
            "/users/search?companyId={company}&query=hopper&locationId={location}&type=account&role=user&enabled2waySync=false"
        );
        let found = app.get(&search).key(key).header("Version", version).send().await.expect(200);
        assert_eq!((&found["users"], &found["count"]), (&json!([made]), &json!(1)), "{version}");
    }
    assert_eq!(app.get("/users/").key(&key).send().await.expect(200)["users"], json!([made]));
    let at = format!("/users/?locationId={location}");
    assert_eq!(app.get(&at).key(&agency).send().await.expect(200)["users"], json!([made]));
    for emails in [json!("x@y.example,grace@northwind.example"), json!(["grace@northwind.example"])] {
        let body = json!({"companyId": app.ids.agency.as_str(), "emails": emails, "limit": "10", "skip": "0"});
        let found = app.post("/users/search/filter-by-email").key(&agency).json(&body).send().await.expect(200);
        assert_eq!((&found["users"], &found["count"]), (&json!([{"id": id, "email": made["email"]}]), &json!(1)));
        let all =
            app.post("/users/search/filter-by-email").key(&agency).json(&with(&body, json!({"projection": "all"})));
        assert_eq!(all.send().await.expect(200)["users"], json!([made]));
    }
    let v1 = app.get(&format!("/v1/users/{id}")).key(&agency).send().await.expect(200);
    for name in ["id", "name", "firstName", "lastName", "email", "phone", "roles", "permissions"] {
        assert_eq!(v1[name], made[name], "{name}");
    }
    assert_eq!(app.get("/v1/users/location").key(&key).send().await.expect(200)["users"], json!([v1]));
    assert_eq!(app.get("/v1/users/").key(&key).send().await.expect(200)["users"], json!([v1]));
    assert_eq!(
        app.get(&format!("/v1/users/?locationId={location}")).key(&agency).send().await.expect(200)["users"],
        json!([v1])
    );
    assert_eq!(app.get("/v1/users/lookup?email=GRACE%40northwind.example").key(&agency).send().await.expect(200), v1);

    // What is emptied stays empty, null means that nobody set it, and what is not named stays.
    let change = json!({"clear": ["phone"], "lastName": "Murray", "profilePhoto": null, "scopes": [],
        "permissions": {"botService": true}, "email": "grace@NORTHWIND.example", "locationIds": [location]});
    app.put(&one).key(&key).json(&change).send().await.expect(200);
    let got = app.get(&one).key(&key).send().await.expect(200);
    assert_eq!([&got["phone"], &got["lastName"], &got["scopes"]], [&Value::Null, &json!("Murray"), &json!([])]);
    assert_eq!(got["permissions"], json!({"contactsEnabled": true, "botService": true}));
    assert_eq!((&got["profilePhoto"], &got["email"]), (&made["profilePhoto"], &made["email"]));
    // They are somebody who can sign in.
    sign_in(&app, "grace@northwind.example", PASSWORD).await;
    let told = events(&app, &id).await;
    assert_eq!(told, ["user.created", "user.updated"]);
}

/// What the log tells of somebody, oldest first.
async fn events(app: &TestApp, id: &str) -> Vec<String> {
    app.app.seal_audit().await.unwrap();
    let filter = AuditFilter { subject: Some(id.to_owned()), ..AuditFilter::default() };
    let rows = app.app.list_audit(&app.operator().await, filter, Window::first(50)).await.unwrap().rows;
    let told = rows.into_iter().map(|event| event.kind).filter(|kind| kind.starts_with("user."));
    let mut told: Vec<String> = told.collect();
    told.reverse();
    told
}

/// Nobody makes somebody who could do more: not of another kind, not elsewhere, not with more scopes, not for longer, not from
/// anywhere else.
#[tokio::test(flavor = "multi_thread")]
async fn no_key_makes_a_user_who_may_do_more_than_it() {
    let app = TestApp::start().await;
    let elsewhere = app.location("Elsewhere").await;
    let here = Reach::location(app.ids.location);
    let data =
        ScopeSet::all(KeyKind::Location).without(Scope::KeysRead).without(Scope::KeysWrite).without(Scope::UsersRead);
    let all = ScopeSet::all(KeyKind::Location);
    let location_key = everything(&app, here.clone()).await;
    let data_key = app.key_with(here.clone(), data, |_| {}).await;
    let few = app.key_with(here.clone(), data.without(Scope::ContactsWrite), |_| {}).await;
    let ending = app
        .key_with(here.clone(), all, |new| {
            new.grant.expires_at = Some(app.app.now() + std::time::Duration::from_secs(3600));
        })
        .await;
    let bound =
        app.key_with(here.clone(), all, |new| new.grant.allowed_ips = IpRanges::parse(["127.0.0.1"]).unwrap()).await;
    let chosen = everything(&app, Reach::Chosen([app.ids.location].into())).await;
    let agency = everything(&app, Reach::Agency).await;
    let agency_data =
        app.key_with(Reach::Agency, ScopeSet::all(KeyKind::Agency).without(Scope::LocationsWrite), |_| {}).await;
    let user = json!({"type": "account", "role": "user"});
    let admin = json!({"type": "account", "role": "admin"});
    let (agency_user, agency_admin) =
        (json!({"type": "agency", "role": "user"}), json!({"type": "agency", "role": "admin"}));
    let there = with(&user, json!({"locationIds": [elsewhere.as_str()]}));
    let both = with(&user, json!({"locationIds": [app.ids.location.as_str(), elsewhere.as_str()]}));
    let mut number = 0;
    for (what, key, changes, may) in [
        ("a location key, a user of its own", &location_key, &user, true),
        ("a location key, an admin of its own", &location_key, &admin, true),
        ("a location key, a user of another", &location_key, &there, false),
        ("a location key, a user of its own and another", &location_key, &both, false),
        ("a location key, an agency user", &location_key, &agency_user, false),
        ("a location key, an agency admin", &location_key, &agency_admin, false),
        ("a key for data, a user", &data_key, &user, true),
        ("a key for data, an admin, who makes keys", &data_key, &admin, false),
        ("a key without a scope of data, a user", &few, &user, false),
        ("a key that ends, a user, who does not", &ending, &user, false),
        ("a key of one address, a user, who has all", &bound, &user, false),
        ("an agency key of chosen locations, a user of them", &chosen, &user, true),
        ("an agency key of chosen locations, a user of another", &chosen, &there, false),
        ("an agency key of chosen locations, an agency user", &chosen, &agency_user, false),
        ("an agency key, a user of both", &agency, &both, true),
        ("an agency key, an agency user", &agency, &agency_user, true),
        ("an agency key, an agency admin", &agency, &agency_admin, true),
        ("an agency key without a scope, an agency admin", &agency_data, &agency_admin, false),
    ] {
        number += 1;
        let email = format!("user{number}@x.example");
        let body = with(&with(&grace(&app), changes.clone()), json!({"email": email}));
        let answer = create(&app, key, &body).await;
        if may {
            answer.expect(201);
            continue;
        }
        assert_eq!(answer.status, 403, "{what}: {}", answer.text);
        assert_eq!(answer.json()["code"], "escalation", "{what}");
        let filter = UserFilter { emails: Some(vec![email]), ..UserFilter::default() };
        let found = app.app.search_users(app.operator().await.authority(), filter, Window::first(1)).await.unwrap();
        assert_eq!(found.1, 0, "{what}");
    }
}

/// The same by way of somebody who exists: raised, moved, brought to another password, or taken away.
#[tokio::test(flavor = "multi_thread")]
async fn no_key_changes_a_user_beyond_itself_or_becomes_one() {
    let app = TestApp::start().await;
    let elsewhere = app.location("Elsewhere").await;
    let here = Reach::location(app.ids.location);
    let key = everything(&app, here.clone()).await;
    let data_scopes = ScopeSet::all(KeyKind::Location).without(Scope::KeysWrite);
    let data_key = app.key_with(here, data_scopes, |_| {}).await;
    let agency = everything(&app, Reach::Agency).await;
    let made = create(&app, &key, &grace(&app)).await.expect(201);
    let grace = format!("/users/{}", id_of(&made));
    let put = async |key: &TestKey, path: &str, body: Value| app.put(path).key(key).json(&body).send().await;
    // Nobody's password or address changes by a key, not even by one that may do everything.
    for key in [&key, &agency] {
        for body in [
            json!({"password": "another long password"}),
            json!({"email": "mallory@x.example"}),
            json!({"firstName": "M", "email": "mallory@x.example"}),
        ] {
            let refused = put(key, &grace, body).await.expect(403);
            assert_eq!(refused["code"], "sign_in_is_theirs");
            assert!(refused["hint"].as_str().unwrap().contains("set-password"), "{refused}");
        }
        let path = format!("/v1{grace}");
        let refused = app.put(&path).key(&agency).json(&json!({"password": "another long password"})).send().await;
        assert_eq!(refused.expect(403)["code"], "sign_in_is_theirs");
    }
    assert_eq!(app.get(&grace).key(&key).send().await.expect(200)["firstName"], "Grace", "nothing of it was stored");
    sign_in(&app, "grace@northwind.example", PASSWORD).await;
    // Raised or moved beyond the key.
    for body in [
        json!({"type": "agency"}),
        json!({"type": "agency", "role": "admin"}),
        json!({"locationIds": [elsewhere.as_str()]}),
        json!({"locationIds": [app.ids.location.as_str(), elsewhere.as_str()]}),
    ] {
        assert_eq!(put(&key, &grace, body.clone()).await.expect(403)["code"], "escalation", "{body}");
    }
    assert_eq!(put(&data_key, &grace, json!({"role": "admin"})).await.expect(403)["code"], "escalation");
    put(&key, &grace, json!({"role": "admin"})).await.expect(200);
    // An admin may make keys, which this key may not: it is not its to change or to take away any more.
    assert_eq!(put(&data_key, &grace, json!({"role": "user"})).await.expect(403)["code"], "escalation");
    assert_eq!(app.delete(&grace).key(&data_key).send().await.expect(403)["code"], "escalation");
    // Of somebody who works elsewhere, too, a location key sees its own part, and changes nothing.
    put(&agency, &grace, json!({"locationIds": [app.ids.location.as_str(), elsewhere.as_str()]})).await.expect(200);
    let seen = app.get(&grace).key(&key).send().await.expect(200);
    assert_eq!(seen["roles"]["locationIds"], json!([app.ids.location.as_str()]));
    assert!(!seen.to_string().contains(elsewhere.as_str()), "{seen}");
    assert_eq!(put(&key, &grace, json!({"firstName": "M"})).await.expect(403)["code"], "escalation");
    assert_eq!(app.delete(&grace).key(&key).send().await.expect(403)["code"], "escalation");
    // Agency users, and whoever is elsewhere only, are nobody to it; the operator is nobody's to change.
    let admin = format!("/users/{}", app.ids.user);
    member(&app, "else@x.example", Role::AccountUser, &[elsewhere]).await;
    let filter = UserFilter { emails: Some(vec!["else@x.example".to_owned()]), ..UserFilter::default() };
    let found = app.app.search_users(app.operator().await.authority(), filter, Window::first(1)).await.unwrap().0;
    for path in [&admin, &format!("/users/{}", found[0].id), "/users/0aQ7cXkPTm9Rb4Vw6Yz4", "/users/x"] {
        for answer in [
            app.get(path).key(&key).send().await,
            put(&key, path, json!({"firstName": "M"})).await,
            app.delete(path).key(&key).send().await,
        ] {
            assert_eq!(answer.expect(404)["code"], "not_found", "{path}");
        }
    }
    for answer in [put(&agency, &admin, json!({"role": "user"})).await, app.delete(&admin).key(&agency).send().await] {
        assert_eq!(answer.expect(403)["code"], "not_allowed");
    }
    // Nor is a foreign agency's user anybody.
    let other = app.app.create_agency(NewAgency { name: TenantName::parse("Other").unwrap() }).await.unwrap().id;
    let operator = app.app.operator_in(other).await.unwrap();
    let foreign = app.app.create_user(operator.authority(), new_account()).await.unwrap().id;
    for answer in [
        app.get(&format!("/users/{foreign}")).key(&agency).send().await,
        app.delete(&format!("/users/{foreign}")).key(&agency).send().await,
    ] {
        answer.expect(404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_user_is_signed_out_and_the_address_is_free() {
    let app = TestApp::start().await;
    let agency = everything(&app, Reach::Agency).await;
    let made =
        create(&app, &agency, &with(&grace(&app), json!({"type": "agency", "role": "admin", "locationIds": []}))).await;
    let made = made.expect(201);
    let (id, one) = (id_of(&made), format!("/users/{}", id_of(&made)));
    let cookie = sign_in(&app, "grace@northwind.example", PASSWORD).await;
    let admin = app.member("grace@northwind.example", PASSWORD).await;
    let invited = invite(&app, &admin).await;
    assert_eq!(app.get(&format!("/app/invite/{invited}")).send().await.status, 200);
    for (version, yes, no) in [("2021-07-28", "succeded", "succeeded")] {
        let gone = app.delete(&one).key(&agency).header("Version", version).send().await.expect(200);
        assert_eq!((&gone[yes], gone.get(no)), (&json!(true), None));
        assert!(gone["message"].as_str().unwrap().contains("Grace Hopper"), "{gone}");
    }
    assert_eq!(app.get("/app/agency").header("Cookie", &cookie).send().await.status, 303);
    let form = [("email", "grace@northwind.example"), ("password", PASSWORD)];
    assert_ne!(from_here(app.post("/app/sign-in")).form(&form).send().await.status, 303);
    assert_eq!(app.get(&format!("/app/invite/{invited}")).send().await.status, 404, "what they invited ends with them");
    for answer in [app.get(&one).key(&agency).send().await, app.delete(&one).key(&agency).send().await] {
        answer.expect(404);
    }
    let found = app.get("/users/search?query=hopper").key(&agency).send().await.expect(200);
    assert_eq!(found["count"], 0);
    let body = json!({"emails": ["grace@northwind.example"], "deleted": true, "projection": "all"});
    let found = app.post("/users/search/filter-by-email").key(&agency).json(&body).send().await.expect(200);
    assert_eq!((&found["count"], &found["users"][0]["deleted"]), (&json!(1), &json!(true)));
    // Another may have the address, in v3's spelling be deleted, and nobody is left but the last admin.
    let again = create(&app, &agency, &grace(&app)).await.expect(201);
    let path = format!("/users/{}", id_of(&again));
    let gone = app.delete(&path).key(&agency).header("Version", "v3").send().await.expect(200);
    assert_eq!((&gone["succeeded"], gone.get("succeded")), (&json!(true), None));
    assert_eq!(events(&app, &id).await, ["user.created", "user.deleted"]);
    app.app.set_operator(ADMIN_EMAIL, None, false).await.unwrap();
    let last = format!("/users/{}", app.ids.user);
    assert_eq!(app.delete(&last).key(&agency).send().await.expect(409)["code"], "last_admin");
    assert_eq!(
        app.put(&last).key(&agency).json(&json!({"role": "user"})).send().await.expect(409)["code"],
        "last_admin"
    );
    // Deleted by API 1.0.
    let body = with(&grace(&app), json!({"email": "v1@x.example"}));
    let made = app.post("/v1/users/").key(&agency).json(&body).send().await.expect(200);
    let gone = app.delete(&format!("/v1/users/{}", id_of(&made))).key(&agency).send().await;
    assert_eq!((gone.status, gone.text.as_str()), (200, "\"\""));
}

async fn invite(app: &TestApp, by: &Authority) -> String {
    let new = NewUser {
        email: EmailAddress::parse("late@x.example").unwrap(),
        first_name: None,
        last_name: None,
        role: Role::AgencyUser,
        locations: [].into(),
    };
    app.app.invite_user(by, new).await.unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_users_are_refused_and_store_nothing() {
    let app = TestApp::start().await;
    let agency = everything(&app, Reach::Agency).await;
    let base = grace(&app);
    for (changes, about) in [
        (json!({"firstName": ""}), "firstName"),
        (json!({"lastName": null}), "lastName"),
        (json!({"email": "x"}), "email"),
        (json!({"password": "short"}), "password"),
        (json!({"password": ""}), "password"),
        (json!({"type": "location"}), "type"),
        (json!({"role": "owner"}), "role"),
        (json!({"locationIds": []}), "locationIds"),
        (json!({"locationIds": ["x"]}), "locationIds"),
        (json!({"permissions": {"everythingEnabled": true}}), "permissions.everythingEnabled"),
        (json!({"permissions": {"botService": "yes"}}), "permissions.botService"),
        (json!({"twilioPhone": {"x": 5}}), "twilioPhone"),
        (json!({"scopes": [5]}), "scopes"),
        (json!({"isOperator": true}), "isOperator"),
        (json!({"companyId": "0aQ7cXkPTm9Rb4Vw6Yz4"}), "companyId"),
        (json!({"phone": "x".repeat(41)}), "phone"),
        (json!({"platformLanguage": "Klingon"}), "platformLanguage"),
    ] {
        let refused = create(&app, &agency, &with(&base, changes.clone())).await;
        assert!(
            refused.status == 422 && refused.text.contains(about),
            "{changes}: {} {}",
            refused.status,
            refused.text
        );
    }
    let foreign = create(&app, &agency, &with(&base, json!({"locationIds": ["0aQ7cXkPTm9Rb4Vw6Yz4"]}))).await;
    assert_eq!(foreign.expect(403)["code"], "location_not_accessible");
    assert_eq!(app.get("/users/search").key(&agency).send().await.expect(200)["count"], 1, "the admin");
    create(&app, &agency, &base).await.expect(201);
    assert_eq!(create(&app, &agency, &base).await.expect(409)["code"], "name_taken");
    // Twice the same request has one effect.
    let other = with(&base, json!({"email": "twice@x.example"}));
    let send = async || {
        app.post("/users/").key(&agency).header("Idempotency-Key", "one").json(&other).send().await.expect(201)
    };
    let (first, second) = (send().await, send().await);
    assert_eq!(first["id"], second["id"]);
    // Generated clients that forget the id are told so.
    for method in ["GET", "PUT", "DELETE"] {
        let call =
            app.call(method.parse().unwrap(), "/users/%7BuserId%7D").key(&agency).json(&json!({"firstName": "x"}));
        let refused = call.send().await.expect(400);
        assert_eq!(refused["code"], "placeholder_in_path");
    }
    let location_key = everything(&app, Reach::location(app.ids.location)).await;
    let refused =
        app.post("/users/search/filter-by-email").key(&location_key).json(&json!({"emails": "x"})).send().await;
    assert_eq!(refused.expect(401)["message"], "Token's user type mismatch!");
}

/// A preset never has what manages members, and a key that has it goes on to have it only as its maker does.
#[tokio::test(flavor = "multi_thread")]
async fn the_scope_is_given_by_name_and_by_whoever_has_it() {
    let app = TestApp::start().await;
    for (reach, kind) in [(Reach::Agency, KeyKind::Agency), (Reach::location(app.ids.location), KeyKind::Location)] {
        let full = app.key_with(reach, Preset::FullAccess.scopes(kind), |_| {}).await;
        let refused = app.get("/users/search").key(&full).send().await.expect(401);
        assert_eq!(refused["required"], "users.readonly");
        let new = json!({"name": "More", "scopes": ["users.write"], "locationId": app.ids.location.as_str()});
        let refused = app.post("/api-keys").key(&full).json(&with(&new, json!({"kind": "location"}))).send().await;
        assert_eq!(refused.expect(403)["code"], "escalation");
    }
    let authority = authenticate(&app.app, &everything(&app, Reach::Agency).await).await.unwrap().authority();
    let new = NewAccount {
        locations: [LocationId::parse("0aQ7cXkPTm9Rb4Vw6Yz4").unwrap()].into(),
        role: Role::AccountUser,
        ..new_account()
    };
    let refused = app.app.create_user(&authority, new).await;
    assert_eq!(refused.err().map(|error| error.code()), Some(ErrorCode::LocationNotAccessible));
}
