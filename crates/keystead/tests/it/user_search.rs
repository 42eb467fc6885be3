//! Users as a search finds them: each filter, each order, pages, and nobody whom a key does not see.

use std::time::Duration;

use keystead_core::NewAccount;
use keystead_model::{
    LocationId,
    grant::Reach,
    key_kind::KeyKind,
    scope::ScopeSet,
    text::{EmailAddress, Line},
    user::{Role, UserProfile},
};
use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

/// Names, oldest first after the admin whom the instance began with; `gone` is deleted.
async fn users(app: &TestApp, elsewhere: LocationId) {
    let here = app.ids.location;
    for (name, email, role, locations, phone) in [
        ("Zoë Núñez", "z@x.example", Role::AccountUser, vec![here], Some("+14155550101")),
        ("Bob", "a.bob@x.example", Role::AccountAdmin, vec![here, elsewhere], None),
        ("", "Carl@x.example", Role::AccountUser, vec![elsewhere], None),
        ("Dan Boss", "dan@x.example", Role::AgencyUser, vec![], None),
        ("Gone Bob", "gone@x.example", Role::AccountUser, vec![here], None),
        ("Zoe Adams", "z.adams@x.example", Role::AccountAdmin, vec![here], None),
    ] {
        app.clock.advance(Duration::from_secs(1));
        let operator = app.operator().await;
        let mut names = name.split(' ').filter(|name| !name.is_empty()).map(|name| Line::parse(name).unwrap());
        let new = NewAccount {
            email: EmailAddress::parse(email).unwrap(),
            first_name: names.next(),
            last_name: names.next(),
            role,
            locations: locations.into_iter().collect(),
            profile: UserProfile { phone: phone.map(|phone| Line::parse(phone).unwrap()), ..UserProfile::default() },
            password: None,
        };
        let made = app.app.create_user(operator.authority(), new).await.unwrap();
        if name.starts_with("Gone") {
            app.app.delete_user(operator.authority(), made.id).await.unwrap();
        }
    }
}

/// The parts of addresses before the `@`, in the order that is answered.
fn who(found: &Value) -> Vec<String> {
    let rows = found["users"].as_array().unwrap().iter();
    rows.map(|user| user["email"].as_str().unwrap().split('@').next().unwrap().to_owned()).collect()
}

async fn find(app: &TestApp, key: &TestKey, query: &str) -> Value {
    app.get(&format!("/users/search?{query}")).key(key).send().await.expect(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_filter_and_each_order_is_that_of_users() {
    let app = TestApp::start().await;
    let elsewhere = app.location("Elsewhere").await;
    users(&app, elsewhere).await;
    let agency = app.key_with(Reach::Agency, ScopeSet::all(KeyKind::Agency), |_| {}).await;
    let everybody = find(&app, &agency, "").await;
    let admin =
        who(&everybody).into_iter().find(|name| !["a.bob", "Carl", "dan", "z", "z.adams"].contains(&name.as_str()));
    let admin = admin.expect("the admin of the instance");
    let id = |name: &str| {
        let rows = everybody["users"].as_array().unwrap();
        rows.iter().find(|row| row["email"].as_str().unwrap().starts_with(&format!("{name}@"))).unwrap()["id"].clone()
    };
    let named = format!("ids={},{},0aQ7cXkPTm9Rb4Vw6Yz4", id("dan").as_str().unwrap(), id("z").as_str().unwrap());
    for (query, expected) in [
        (format!("locationId={}", app.ids.location), vec!["a.bob", "z.adams", "z"]),
        (format!("locationId={elsewhere}"), vec!["a.bob", "Carl"]),
        ("type=account".to_owned(), vec!["a.bob", "Carl", "z.adams", "z"]),
        ("type=account&role=admin".to_owned(), vec!["a.bob", "z.adams"]),
        ("type=agency&role=user".to_owned(), vec!["dan"]),
        (format!("type=agency&locationId={elsewhere}"), vec![]),
        (named, vec!["dan", "z"]),
        ("ids=x".to_owned(), vec![]),
        ("query=ZOE".to_owned(), vec!["z.adams", "z"]),
        ("query=nunez".to_owned(), vec!["z"]),
        ("query=oe%20ad".to_owned(), vec!["z.adams"]),
        ("query=5550101".to_owned(), vec!["z"]),
        // Whoever has no name is called by their address.
        ("query=carl".to_owned(), vec!["Carl"]),
        ("query=gone".to_owned(), vec![]),
        ("query=bob%25".to_owned(), vec![]),
        ("type=account&sort=name".to_owned(), vec!["a.bob", "Carl", "z.adams", "z"]),
        ("type=account&sort=name&sortDirection=desc".to_owned(), vec!["z", "z.adams", "Carl", "a.bob"]),
        ("type=account&sort=dateAdded".to_owned(), vec!["z", "a.bob", "Carl", "z.adams"]),
        ("type=account&sort=dateAdded&sortDirection=desc&limit=1".to_owned(), vec!["z.adams"]),
        ("type=account&sort=email&sortDirection=desc&skip=1&limit=2".to_owned(), vec!["z.adams", "Carl"]),
        ("type=account&limit=2&page=2".to_owned(), vec!["z.adams", "z"]),
        ("type=account&skip=4".to_owned(), vec![]),
    ] {
        let found = find(&app, &agency, &query).await;
        assert_eq!(who(&found), expected, "{query}");
        let is_part = ["limit", "skip"].iter().any(|part| query.contains(part));
        assert_eq!(found["count"], if is_part { 4 } else { expected.len() }, "{query}");
    }
    assert_eq!(everybody["count"], 6, "with {admin}");
    for (body, expected) in [
        (json!({"emails": ["CARL@x.example", "gone@x.example", "no@x.example"]}), vec!["Carl"]),
        (json!({"emails": "gone@x.example,carl@x.example", "deleted": true}), vec!["gone"]),
        (json!({"emails": ["go@x.example"], "deleted": true}), vec![]),
    ] {
        let found = app.post("/users/search/filter-by-email").key(&agency).json(&body).send().await.expect(200);
        assert_eq!(
            (who(&found), &found["count"]),
            (expected.iter().map(|name| (*name).to_owned()).collect(), &json!(expected.len())),
            "{body}"
        );
    }
    let many = json!({"emails": vec!["a@x.example"; 251].join(",") + "," + &vec!["b@x.example"; 250].join(",")});
    let refused = app.post("/users/search/filter-by-email").key(&agency).json(&many).send().await.expect(422);
    assert!(refused["message"].to_string().contains("no more than 500"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_finds_whom_it_sees_and_as_far_as_it_sees_them() {
    let app = TestApp::start().await;
    let elsewhere = app.location("Elsewhere").await;
    users(&app, elsewhere).await;
    let location = app.key_with(Reach::location(app.ids.location), ScopeSet::all(KeyKind::Location), |_| {}).await;
    let chosen = app.key_with(Reach::Chosen([elsewhere].into()), ScopeSet::all(KeyKind::Agency), |_| {}).await;
    for (key, at, expected) in
        [(&location, app.ids.location, vec!["a.bob", "z.adams", "z"]), (&chosen, elsewhere, vec!["a.bob", "Carl"])]
    {
        for query in [String::new(), format!("locationId={at}"), "type=account".to_owned()] {
            let found = find(&app, key, &query).await;
            assert_eq!(
                (who(&found), &found["count"]),
                (expected.iter().map(|name| (*name).to_owned()).collect(), &json!(expected.len())),
                "{query}"
            );
            assert_eq!(found["users"][0]["roles"]["locationIds"], json!([at.as_str()]), "of others nobody learns");
        }
        for query in ["type=agency", "query=dan", "query=boss"] {
            assert_eq!(find(&app, key, query).await["count"], 0, "{query}");
        }
    }
    app.get(&format!("/users/search?locationId={elsewhere}")).key(&location).send().await.expect(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_renamed_is_found_by_the_new_name() {
    let app = TestApp::start().await;
    let elsewhere = app.location("Elsewhere").await;
    users(&app, elsewhere).await;
    let agency = app.key_with(Reach::Agency, ScopeSet::all(KeyKind::Agency), |_| {}).await;
    let found = find(&app, &agency, "query=nunez").await;
    let at = format!("/users/{}", found["users"][0]["id"].as_str().unwrap());
    app.put(&at).key(&agency).json(&json!({"lastName": "Ågren", "phone": "+46700000000"})).send().await.expect(200);
    for (query, count) in [("nunez", 0), ("agren", 1), ("%2B4670", 1), ("5550101", 0)] {
        assert_eq!(find(&app, &agency, &format!("query={query}")).await["count"], count, "{query}");
    }
    let names = find(&app, &agency, "type=account&sort=name&sortDirection=desc").await;
    assert_eq!(who(&names), ["z", "z.adams", "Carl", "a.bob"]);
}
