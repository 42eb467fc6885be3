//! The search for contacts: filters, groups, orders, pages, and what is refused.

use std::time::Duration;

use keystead_model::{
    grant::Reach,
    key_kind::KeyKind,
    scope::{Scope, ScopeSet},
};
use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

use crate::opportunities::{contact, first_pipeline, opportunity};

/// Contacts that differ in what filters ask for.
async fn people(app: &TestApp, key: &TestKey) -> Vec<String> {
    let new = [
        json!({"firstName": "María", "lastName": "Núñez", "email": "Maria@Example.com", "phone": "+14155550101",
               "tags": ["vip", "Lead Gold"], "city": "Zürich", "companyName": "Northwind", "dateOfBirth": "1990-09-25",
               "additionalEmails": ["second@other.example"], "address1": "Main Street 1", "source": "Web Form"}),
        json!({"firstName": "Bob", "lastName": "Ray", "email": "bob@other.example", "tags": ["vip"], "dnd": true,
               "dateOfBirth": "1969-12-31", "country": "DE", "companyName": "Old Northwind Ltd"}),
        json!({"firstName": "Cleo", "phone": "(415) 555-0103", "city": "Bern"}),
        json!({"firstName": "Dan", "tags": ["cold"], "assignedTo": "0aQ7cXkJTm9Rb4Vw6Yz3"}),
    ];
    let mut ids = Vec::new();
    for body in new {
        app.clock.advance(Duration::from_secs(1));
        let made = app.post("/contacts/").key(key).json(&body).send().await.expect(201);
        ids.push(made["contact"]["id"].as_str().unwrap().to_owned());
    }
    ids
}

async fn search(app: &TestApp, key: &TestKey, body: Value) -> Value {
    app.post("/contacts/search").key(key).json(&body).send().await.expect(200)
}

/// First names in the order that is answered.
fn names(found: &Value) -> Vec<&str> {
    found["contacts"].as_array().unwrap().iter().map(|contact| contact["firstName"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operator_finds_what_it_says() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    people(&app, &key).await;
    let day = 1_795_608_000_000i64;
    for (field, operator, value, expected) in [
        ("firstNameLowerCase", "eq", json!("maria"), &["María"][..]),
        ("lastNameLowerCase", "contains", json!("UÑE"), &["María"]),
        ("firstNameLowerCase", "not_eq", json!("bob"), &["Dan", "Cleo", "María"]),
        ("email", "eq", json!("MARIA@example.com"), &["María"]),
        ("email", "eq", json!("second@other.example"), &["María"]),
        ("email", "contains", json!("@other"), &["Bob", "María"]),
        ("email", "not_contains", json!("@other"), &["Dan", "Cleo"]),
        ("email", "not_exists", Value::Null, &["Dan", "Cleo"]),
        ("phone", "eq", json!("415-555-0103"), &["Cleo"]),
        ("phone", "contains", json!("555"), &["Cleo", "María"]),
        ("tags", "eq", json!("VIP"), &["Bob", "María"]),
        ("tags", "eq", json!(["cold", "lead gold"]), &["Dan", "María"]),
        ("tags", "not_eq", json!("vip"), &["Dan", "Cleo"]),
        ("tags", "contains", json!("old"), &["Dan", "María"]),
        ("tags", "exists", Value::Null, &["Dan", "Bob", "María"]),
        ("tags", "exists", json!(true), &["Dan", "Bob", "María"]),
        ("tags", "exists", json!(""), &["Dan", "Bob", "María"]),
        ("tags", "not_exists", json!("true"), &["Cleo"]),
        ("dnd", "eq", json!(true), &["Bob"]),
        ("dnd", "not_eq", json!("true"), &["Dan", "Cleo", "María"]),
        ("assignedTo", "eq", json!("0aQ7cXkJTm9Rb4Vw6Yz3"), &["Dan"]),
        ("source", "contains", json!("form"), &["María"]),
        ("type", "eq", json!("lead"), &["Dan", "Cleo", "Bob", "María"]),
        ("type", "eq", json!("customer"), &[]),
        ("city", "eq", json!("zurich"), &["María"]),
        ("country", "eq", json!("de"), &["Bob"]),
        ("companyName", "contains", json!("northwind"), &["Bob", "María"]),
        ("dateOfBirth", "range", json!({"lt": 0}), &["Bob"]),
        ("dateOfBirth", "range", json!({"gte": "1990-09-25", "lte": "1990-09-25"}), &["María"]),
        ("dateAdded", "range", json!({"gte": day, "lt": day + 2_500}), &["Bob", "María"]),
        ("date_added", "range", json!({"gt": "2026-11-25T12:00:02Z"}), &["Dan", "Cleo"]),
        ("dateUpdated", "range", json!({"gt": "2026-11-25"}), &[]),
        ("dateUpdated", "range", json!({"lte": "2026-11-25"}), &["Dan", "Cleo", "Bob", "María"]),
    ] {
        let mut filter = json!({"field": field, "operator": operator});
        if !value.is_null() {
            filter["value"] = value.clone();
        }
        let found = search(&app, &key, json!({"filters": [filter]})).await;
        assert_eq!(names(&found), expected, "{field} {operator} {value}");
        assert_eq!(found["total"], expected.len(), "{field} {operator} {value}");
    }
}

/// Whether an address came with its domain as people read it or as it travels, both find it, by its whole labels.
#[tokio::test(flavor = "multi_thread")]
async fn international_domains_are_found_in_both_forms() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    for (name, email) in [
        ("read", "Info@Müller.Example"),
        ("travels", "info@xn--mller-kva.example"),
        ("further", "a@other.example"),
        ("local", "müller@other.example"),
    ] {
        app.clock.advance(Duration::from_millis(1));
        let mut body = json!({"firstName": name, "email": email});
        if name == "further" {
            body["additionalEmails"] = json!(["x@büro.müller.example"]);
        }
        app.post("/contacts/").key(&key).json(&body).send().await.expect(201);
        let settings = json!({"settings": {"allowDuplicateContact": true}});
        let path = format!("/locations/{}", app.ids.location);
        app.put(&path).key(&app.agency_key().await).json(&settings).send().await.expect(200);
    }
    let all = ["local", "further", "travels", "read"];
    for (part, expected) in [
        ("müller.example", &all[1..]),
        ("MU\u{308}LLER.example", &all[1..]),
        ("@müller.example", &all[2..]),
        ("@Müller", &all[2..]),
        ("info@müller.", &all[2..]),
        ("büro.müller", &all[1..2]),
        ("xn--mller-kva.example", &all[1..]),
        ("müller", &all[..]),
        ("müller@", &all[..1]),
        ("maier.example", &[]),
    ] {
        let filter = |operator| json!({"filters": [{"field": "email", "operator": operator, "value": part}]});
        assert_eq!(names(&search(&app, &key, filter("contains")).await), expected, "contains {part}");
        let others: Vec<&str> = all.into_iter().filter(|name| !expected.contains(name)).collect();
        assert_eq!(names(&search(&app, &key, filter("not_contains")).await), others, "not_contains {part}");
    }
    for (query, expected) in [
        ("müller.example", &all[..]),
        ("xn--mller-kva.example", &all[1..]),
        ("@xn--mller-kva.example", &all[1..]),
        ("büro", &all[1..2]),
        ("xn--bro-hoa", &all[1..2]),
        ("info@müller.example", &all[2..]),
        ("info@xn--mller-kva.example", &all[2..]),
    ] {
        assert_eq!(names(&search(&app, &key, json!({"query": query})).await), expected, "{query}");
        let listed = app.get("/contacts/").key(&key).query(&[("query", query)]).send().await.expect(200);
        assert_eq!(listed["meta"]["total"], expected.len(), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_and_words_go_together() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    people(&app, &key).await;
    let vip = json!({"field": "tags", "operator": "eq", "value": "vip"});
    let bern = json!({"field": "city", "operator": "eq", "value": "Bern"});
    let dnd = json!({"field": "dnd", "operator": "eq", "value": false});
    let either = json!({"group": "OR", "filters": [vip, bern]});
    assert_eq!(names(&search(&app, &key, json!({"filters": [either]})).await), ["Cleo", "Bob", "María"]);
    assert_eq!(names(&search(&app, &key, json!({"filters": [either, dnd]})).await), ["Cleo", "María"]);
    let nested = json!({"group": "or", "filters": [bern, {"group": "AND", "filters": [vip, dnd]}]});
    assert_eq!(names(&search(&app, &key, json!({"filters": [nested]})).await), ["Cleo", "María"]);
    let found = search(&app, &key, json!({"query": "north", "filters": [dnd]})).await;
    assert_eq!((names(&found), &found["total"]), (vec!["María"], &json!(1)));
    assert_eq!(search(&app, &key, json!({"query": "?!"})).await["total"], 0, "what asks for nothing finds nothing");
    assert_eq!(search(&app, &key, json!({"filters": []})).await["total"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_read_by_number_and_by_place() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let ids = people(&app, &key).await;
    app.clock.advance(Duration::from_secs(1));
    app.put(&format!("/contacts/{}", ids[0])).key(&key).json(&json!({"city": "Basel"})).send().await.expect(200);
    for (sort, expected) in [
        (json!([]), ["Dan", "Cleo", "Bob", "María"]),
        (json!([{"field": "dateAdded", "direction": "asc"}]), ["María", "Bob", "Cleo", "Dan"]),
        (json!([{"field": "dateUpdated", "direction": "DESC"}]), ["María", "Dan", "Cleo", "Bob"]),
        (json!([{"field": "date_updated", "direction": "asc"}]), ["Bob", "Cleo", "Dan", "María"]),
    ] {
        let mut by_number = Vec::new();
        for page in 1..=3 {
            let found = search(&app, &key, json!({"sort": sort, "pageLimit": 2, "page": page})).await;
            assert_eq!(found["total"], 4);
            by_number.extend(names(&found).into_iter().map(str::to_owned));
        }
        assert_eq!(by_number, expected, "{sort}");
        let (mut by_place, mut after) = (Vec::new(), json!([]));
        loop {
            // The order is in the place, so that it need not be said again.
            let body = if by_place.is_empty() {
                json!({"sort": sort, "pageLimit": 1})
            } else {
                json!({"pageLimit": 1, "searchAfter": after})
            };
            let found = search(&app, &key, body).await;
            let Some(last) = found["contacts"].as_array().unwrap().last() else { break };
            by_place.push(last["firstName"].as_str().unwrap().to_owned());
            after = last["searchAfter"].clone();
            assert_eq!(found["total"], 4);
        }
        assert_eq!(by_place, expected, "{sort}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_has_the_shape_of_the_search() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let ids = people(&app, &key).await;
    let filter = json!({"filters": [{"field": "email", "operator": "eq", "value": "maria@example.com"}]});
    for version in ["2021-07-28", "v3"] {
        let call = app.post("/contacts/search").key(&key).header("Version", version).json(&filter);
        let found = call.send().await.expect(200);
        let contact = &found["contacts"][0];
        assert_eq!((&contact["address"], &contact["address1"]), (&json!("Main Street 1"), &Value::Null));
        assert_eq!(contact["dateOfBirth"], 654_220_800_000i64);
        assert_eq!(contact["additionalEmails"], json!(["second@other.example"]));
        assert_eq!((&contact["id"], &contact["opportunities"]), (&json!(ids[0]), &json!([])));
        assert_eq!(contact["searchAfter"], json!([1_795_608_001_000i64, ids[0]]));
        assert!(found["traceId"].is_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_searches_are_refused_in_the_contracts_words() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let filter = |field: &str, operator: &str, value: Value| json!({"filters": [{"field": field, "operator": operator, "value": value}]});
    for (body, status, message) in [
        (filter("contact_name", "eq", json!("x")), 400, json!("Invalid field contact_name")),
        (filter("contactName", "eq", json!("x")), 400, json!("Invalid field contact_name")),
        (filter("terms", "eq", json!("x")), 400, json!("Invalid field terms")),
        (filter("customFields.x", "eq", json!("x")), 400, json!("Invalid field customFields.x")),
        (
            filter("customFields.0aQ7cXkJTm9Rb4Vw6Yz3", "eq", json!("x")),
            400,
            json!("Invalid field customFields.0aQ7cXkJTm9Rb4Vw6Yz3"),
        ),
        (json!({"sort": [{"field": "contact_name"}]}), 400, json!("Invalid field contact_name")),
        (json!({"sort": [{"field": "tags"}]}), 400, json!("Invalid field tags")),
        (json!({"searchAfter": ["x", "0aQ7cXkJTm9Rb4Vw6Yz3+shoe"]}), 400, json!("Invalid field shoe")),
        (filter("date_updated", "gt", json!(1)), 422, json!(["Invalid Operator (gt) passed for field date_updated"])),
        (filter("dateUpdated", "eq", json!(1)), 422, json!(["Invalid Operator (eq) passed for field date_updated"])),
        (filter("email", "range", json!({"gt": 1})), 422, json!(["Invalid Operator (range) passed for field email"])),
        (filter("email", "match", json!("x")), 422, json!(["Invalid Operator (match) passed for field email"])),
    ] {
        let refused = app.post("/contacts/search").key(&key).json(&body).send().await.expect(status);
        assert_eq!(refused["message"], message, "{body}");
    }
    for (body, fix) in [
        (filter("date_updated", "gt", json!(1)), "date_updated takes range, exists, not_exists."),
        (
            filter("email", "range", json!({"gt": 1})),
            "email takes eq, not_eq, contains, not_contains, exists, not_exists.",
        ),
        (filter("dnd", "contains", json!("x")), "dnd takes eq, not_eq, exists, not_exists."),
        (filter("email", "eq", json!("")), "Mend what the answer lists."),
    ] {
        let refused = app.post("/contacts/search").key(&key).json(&body).send().await.expect(422);
        assert!(refused["hint"].as_str().unwrap().starts_with(fix), "{body}: {}", refused["hint"]);
    }
    let group = |filters: Value| json!({"filters": [{"group": "OR", "filters": filters}]});
    let deep = (0..9)
        .fold(json!({"field": "city", "operator": "exists"}), |inner, _| json!({"group": "OR", "filters": [inner]}));
    let many: Vec<Value> = (0..101).map(|_| json!({"field": "city", "operator": "exists"})).collect();
    for (body, about) in [
        (filter("email", "eq", json!("")), "filters.0.value"),
        (filter("email", "eq", json!({})), "filters.0.value"),
        (filter("email", "eq", json!(vec!["x"; 101])), "filters.0.value"),
        (filter("email", "eq", json!("x".repeat(501))), "filters.0.value"),
        (filter("dnd", "eq", json!("maybe")), "filters.0.value"),
        (filter("dateAdded", "range", json!({})), "filters.0.value"),
        (filter("dateAdded", "range", json!({"gt": "soon"})), "filters.0.value.gt"),
        (filter("dateAdded", "range", json!({"near": 1})), "filters.0.value.near"),
        (json!({"filters": {}}), "filters"),
        (json!({"filters": ["x"]}), "filters.0"),
        (json!({"filters": [{}]}), "filters.0.field"),
        (json!({"filters": [{"field": "city", "operator": 1}]}), "filters.0.operator"),
        (json!({"filters": [{"field": "city", "operator": "exists", "x": 1}]}), "property filters.0.x"),
        (filter("tags", "exists", json!(false)), "filters.0.value contradicts exists; say not_exists instead"),
        (filter("tags", "not_exists", json!("false")), "filters.0.value contradicts not_exists; say exists instead"),
        (filter("tags", "exists", json!("vip")), "filters.0.value should not exist; exists compares with nothing"),
        (filter("tags", "not_exists", json!(["vip"])), "filters.0.value should not exist; not_exists compares with"),
        (filter("city", "exists", json!({})), "filters.0.value should not exist"),
        (filter("city", "not_exists", json!(0)), "filters.0.value should not exist"),
        (group(json!([])), "filters.0.filters"),
        (json!({"filters": [{"group": "XOR", "filters": []}]}), "filters.0.group"),
        (json!({"filters": [deep]}), "is deeper"),
        (json!({"filters": many}), "no more than 100"),
        (json!({"pageLimit": 501}), "pageLimit"),
        (json!({"page": 0}), "page"),
        (json!({"page": 21, "pageLimit": 500}), "page"),
        (json!({"page": 2, "searchAfter": [1, "0aQ7cXkJTm9Rb4Vw6Yz3"]}), "page"),
        (json!({"searchAfter": ["x", "y"]}), "searchAfter"),
        (json!({"searchAfter": [1, "0aQ7cXkJTm9Rb4Vw6Yz3u"], "sort": [{"field": "dateAdded"}]}), "searchAfter"),
        (json!({"query": "x".repeat(76)}), "query"),
        (json!({"sort": [{"field": "dateAdded", "direction": "up"}]}), "sort.0.direction"),
        (json!({"sort": [{"field": "dateAdded"}, {"field": "city"}, {"field": "email"}]}), "sort"),
        (json!({"sort": [{"field": "city"}], "searchAfter": [1, "0aQ7cXkJTm9Rb4Vw6Yz3-city"]}), "searchAfter"),
        (json!({"sort": [{"field": "city"}], "searchAfter": ["bern", "0aQ7cXkJTm9Rb4Vw6Yz3+city"]}), "searchAfter"),
        (json!({"searchAfter": ["bern", "0aQ7cXkJTm9Rb4Vw6Yz3+city+email"]}), "searchAfter"),
        (json!({"searchAfter": ["bern", "0aQ7cXkJTm9Rb4Vw6Yz3city"]}), "searchAfter"),
        (json!({"searchAfter": [-1, "0aQ7cXkJTm9Rb4Vw6Yz3"]}), "searchAfter"),
        (json!({"colour": 1}), "property colour"),
    ] {
        let refused = app.post("/contacts/search").key(&key).json(&body).send().await.expect(422);
        assert!(refused["message"][0].as_str().unwrap().contains(about), "{body}: {}", refused["message"]);
    }
    // Everything that is wrong is said at once.
    let body = json!({"filters": [{"field": "dnd", "operator": "eq", "value": 1}, {"field": "city", "operator": "gt", "value": 1}]});
    let refused = app.post("/contacts/search").key(&key).json(&body).send().await.expect(422);
    assert_eq!(refused["message"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_takes_too_long_says_what_to_add() {
    let app = TestApp::start_with(|config| config.limits.search = Duration::ZERO).await;
    let key = app.location_key().await;
    people(&app, &key).await;
    let body = json!({"filters": [{"field": "city", "operator": "contains", "value": "e"}]});
    let refused = app.post("/contacts/search").key(&key).json(&body).send().await.expect(422);
    let message = refused["message"][0].as_str().unwrap();
    assert!(message.contains("take too long") && message.contains("add"), "{message}");
    assert_eq!(app.get("/contacts/?query=bob").key(&key).send().await.status, 422);
    // What filters nothing takes no longer than its page.
    assert_eq!(search(&app, &key, json!({})).await["total"], 4);
    assert_eq!(app.get("/contacts/").key(&key).send().await.expect(200)["meta"]["total"], 4);
}

/// Each contact stands with its opportunities, for whoever may read these.
#[tokio::test(flavor = "multi_thread")]
async fn contacts_are_found_with_their_opportunities() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let pipeline = first_pipeline(&app, &key).await;
    let (ada, bob) = (contact(&app, &key, "Ada").await, contact(&app, &key, "Bob").await);
    let more = json!({"monetaryValue": 120.5, "pipelineStageId": pipeline["stages"][1]["id"]});
    let hers = opportunity(&app, &key, &pipeline, &ada, more).await;
    let found = search(&app, &key, json!({"sort": [{"field": "dateAdded", "direction": "asc"}]})).await;
    let expected = json!([{
        "id": hers["id"], "pipelineId": pipeline["id"], "pipelineStageId": pipeline["stages"][1]["id"],
        "monetaryValue": 120.5, "status": "open",
    }]);
    let of = |found: &Value, id: &str| {
        let all = found["contacts"].as_array().unwrap();
        all.iter().find(|contact| contact["id"] == id).unwrap().get("opportunities").cloned()
    };
    assert_eq!((of(&found, &ada), of(&found, &bob)), (Some(expected), Some(json!([]))));
    let his = opportunity(&app, &key, &pipeline, &bob, json!({"status": "won"})).await;
    app.delete(&format!("/opportunities/{}", hers["id"].as_str().unwrap())).key(&key).send().await.expect(200);
    let found = search(&app, &key, json!({})).await;
    assert_eq!((of(&found, &ada), of(&found, &bob).unwrap()[0]["id"].clone()), (Some(json!([])), his["id"].clone()));
    let scopes = ScopeSet::all(KeyKind::Location).without(Scope::OpportunitiesRead);
    let reader = app.key_with(Reach::location(app.ids.location), scopes, |_| {}).await;
    let found = search(&app, &reader, json!({})).await;
    assert_eq!((found["total"].clone(), of(&found, &bob)), (json!(2), None));
}

/// Whatever the database is doing, it is broken off there, and the next one works.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_without_end_is_broken_off() {
    use keystead_store::{Error, Tx};
    let app = TestApp::start().await;
    let store = app.second_store();
    let count = |tx: &mut Tx<'_>, most: i64| {
        let sql = "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < ?1) SELECT CAST(count(*) AS BIGINT) FROM n";
        tx.query_one(sql, &[&most], |row| row.column::<i64>())
    };
    for _ in 0..3 {
        let endless = move |tx: &mut Tx<'_>| tx.within(Duration::from_millis(50), |tx| count(tx, i64::MAX));
        let outcome = store.read::<_, Error, _>(endless).await;
        assert!(matches!(outcome, Err(Error::TooLong)), "{outcome:?}");
        let after = move |tx: &mut Tx<'_>| {
            tx.within(Duration::from_secs(60), |tx| count(tx, 10))?;
            count(tx, 1_000)
        };
        assert_eq!(store.read::<_, Error, _>(after).await.unwrap(), 1_000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn custom_fields_are_asked_for_by_their_ids() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let field = async |at: &str, key: &TestKey, body: Value| {
        let made = app.post(&format!("/locations/{at}/customFields")).key(key).json(&body).send().await.expect(201);
        made["customField"]["id"].as_str().unwrap().to_owned()
    };
    let here = app.ids.location.as_str();
    let colour = field(here, &key, json!({"name": "Colour", "dataType": "TEXT"})).await;
    let size = field(here, &key, json!({"name": "Size", "dataType": "NUMERICAL"})).await;
    let met = field(here, &key, json!({"name": "Met", "dataType": "DATE"})).await;
    let many = json!({"name": "Likes", "dataType": "MULTIPLE_OPTIONS", "options": ["Tea", "Coffee", "Water"]});
    let likes = field(here, &key, many).await;
    let with = |name: &str, values: [Value; 4]| {
        let fields = [&colour, &size, &met, &likes].into_iter().zip(values);
        let fields: Vec<Value> = fields.map(|(id, value)| json!({"id": id, "field_value": value})).collect();
        json!({"firstName": name, "email": format!("{name}@example.com"), "customFields": fields})
    };
    // Many at once, and found at once.
    let body = json!({"contacts": [
        with("ada", [json!("Dark Blue"), json!(9.5), json!("2026-01-31"), json!(["Tea", "Water"])]),
        with("bob", [json!("blue"), json!(10), json!("2026-02-01"), json!(["Coffee"])]),
        {"firstName": "cleo", "email": "cleo@example.com"},
    ]});
    let made = app.post("/contacts/bulk/upsert").key(&key).json(&body).send().await.expect(200);
    assert_eq!(made["failed"], 0, "{made}");
    for (field, operator, value, expected) in [
        (&colour, "eq", json!("BLUE"), &["bob"][..]),
        (&colour, "contains", json!("blue"), &["ada", "bob"]),
        (&colour, "not_eq", json!("blue"), &["ada", "cleo"]),
        (&colour, "not_exists", Value::Null, &["cleo"]),
        (&size, "eq", json!(10), &["bob"]),
        (&size, "range", json!({"gt": 9, "lte": "9.5"}), &["ada"]),
        (&size, "range", json!({"gte": 9.5}), &["ada", "bob"]),
        (&met, "range", json!({"gte": "2026-02-01"}), &["bob"]),
        (&met, "range", json!({"lt": 1_769_904_000_000_i64}), &["ada"]),
        (&likes, "eq", json!("tea"), &["ada"]),
        (&likes, "eq", json!(["Coffee", "Water"]), &["ada", "bob"]),
        (&likes, "contains", json!("e"), &["ada", "bob"]),
        (&likes, "exists", Value::Null, &["ada", "bob"]),
    ] {
        let mut filter = json!({"field": format!("customFields.{field}"), "operator": operator});
        if !value.is_null() {
            filter["value"] = value.clone();
        }
        let found = search(&app, &key, json!({"filters": [filter]})).await;
        let mut names = names(&found);
        names.sort_unstable();
        assert_eq!((names.as_slice(), &found["total"]), (expected, &json!(expected.len())), "{filter}");
    }
    let filter = |id: &str, operator: &str, value: Value| json!({"filters": [{"field": format!("customFields.{id}"), "operator": operator, "value": value}]});
    let refused = app.post("/contacts/search").key(&key).json(&filter(&size, "contains", json!("1"))).send().await;
    let message = format!("Invalid Operator (contains) passed for field customFields.{size}");
    assert_eq!(refused.expect(422)["message"], json!([message]));
    // Fields of opportunities, of others, and those that are gone are like none.
    let deal = field(here, &key, json!({"name": "Deal", "dataType": "TEXT", "model": "opportunity"})).await;
    let sibling = app.location("Sibling").await;
    let theirs = app.agency_key().await;
    let foreign = field(sibling.as_str(), &theirs, json!({"name": "Colour", "dataType": "TEXT"})).await;
    app.delete(&format!("/locations/{here}/customFields/{likes}")).key(&key).send().await.expect(200);
    for id in [&deal, &foreign, &likes] {
        let refused = app.post("/contacts/search").key(&key).json(&filter(id, "eq", json!("x"))).send().await;
        assert_eq!(refused.expect(400)["message"], format!("Invalid field customFields.{id}"));
    }
}
