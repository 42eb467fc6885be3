//! Filters of the search for opportunities: each operator, groups, custom fields, places, and what is refused.

use std::time::Duration;

use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

use crate::opportunities::{first_pipeline, opportunity};

const USER: &str = "0aQ7cXkJTm9Rb4Vw6Yz3";
const OTHER: &str = "0aQ7cXkJTm9Rb4Vw6Yz4";

/// Three that differ in what filters ask for, oldest first, and their pipeline and custom fields.
async fn deals(app: &TestApp, key: &TestKey) -> (Vec<Value>, Value, [String; 2]) {
    let pipeline = first_pipeline(app, key).await;
    let mut fields = Vec::new();
    for (name, data_type) in [("Colour", "TEXT"), ("Rooms", "NUMERICAL")] {
        let body = json!({"name": name, "dataType": data_type, "model": "opportunity"});
        let at = format!("/locations/{}/customFields", app.ids.location);
        let made = app.post(&at).key(key).json(&body).send().await.expect(201);
        fields.push(made["customField"]["id"].as_str().unwrap().to_owned());
    }
    let people = [
        json!({"firstName": "María", "lastName": "Núñez", "email": "maria@example.com", "additionalEmails": ["m@other.example"],
               "phone": "+14155550101", "companyName": "Old Northwind", "country": "DE"}),
        json!({"firstName": "Bob", "email": "bob@other.example"}),
        json!({"lastName": "Ray", "email": "ray@müller.example"}),
    ];
    let more = [
        json!({"name": "Große Küche", "monetaryValue": 1500.5, "pipelineStageId": pipeline["stages"][1]["id"], "source": "Web Form",
               "assignedTo": USER, "forecastExpectedCloseDate": "2026-12-24",
               "customFields": [{"id": fields[0], "field_value": "Dark Blue"}, {"id": fields[1], "field_value": 3}]}),
        json!({"name": "Bath", "monetaryValue": 300, "status": "won", "customFields": [{"id": fields[1], "field_value": 5}]}),
        json!({"name": "Kitchen bath", "status": "lost"}),
    ];
    let mut made = Vec::new();
    for (person, more) in people.into_iter().zip(more) {
        let of = app.post("/contacts/").key(key).json(&person).send().await.expect(201)["contact"]["id"].clone();
        made.push(opportunity(app, key, &pipeline, of.as_str().unwrap(), more).await);
        app.clock.advance(Duration::from_secs(1));
    }
    let followers = json!({"followers": [USER, OTHER]});
    let at = format!("/opportunities/{}/followers", made[0]["id"].as_str().unwrap());
    app.post(&at).key(key).json(&followers).send().await.expect(201);
    (made, pipeline, fields.try_into().unwrap())
}

async fn search(app: &TestApp, key: &TestKey, body: Value) -> Value {
    app.post("/opportunities/search").key(key).json(&body).send().await.expect(200)
}

fn names(found: &Value) -> Vec<&str> {
    found["opportunities"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operator_finds_what_it_says() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let (made, pipeline, [colour, rooms]) = deals(&app, &key).await;
    const ALL: &[&str] = &["Kitchen bath", "Bath", "Große Küche"];
    const KITCHEN: &[&str] = &["Große Küche"];
    let (first, second) = (&pipeline["stages"][0]["id"], &pipeline["stages"][1]["id"]);
    let added = made[1]["createdAt"].clone();
    let (colour, rooms) = (format!("customFields.{colour}"), format!("custom_fields.{rooms}"));
    for (field, operator, value, expected) in [
        ("id", "eq", made[0]["id"].clone(), KITCHEN),
        ("name", "contains", json!("KUCHE"), KITCHEN),
        ("name", "eq", json!("grosse küche"), KITCHEN),
        ("name", "not_contains", json!("bath"), KITCHEN),
        ("monetary_value", "range", json!({"gt": 300, "lte": "1500.5"}), KITCHEN),
        ("monetaryValue", "eq", json!(300), &["Bath"]),
        ("monetaryValue", "range", json!({"lt": 300}), &["Kitchen bath"]),
        ("pipeline_id", "eq", pipeline["id"].clone(), ALL),
        ("pipelineId", "not_eq", pipeline["id"].clone(), &[]),
        ("pipeline_stage_id", "eq", second.clone(), KITCHEN),
        ("pipelineStageId", "eq", json!([first, second]), ALL),
        ("pipelineStageId", "eq", json!("nothing"), &[]),
        ("status", "eq", json!("won"), &["Bath"]),
        ("status", "eq", json!(["Won", "lost"]), &["Kitchen bath", "Bath"]),
        ("status", "not_eq", json!("open"), &["Kitchen bath", "Bath"]),
        ("lost_reason_id", "exists", Value::Null, &[]),
        ("source", "contains", json!("form"), KITCHEN),
        ("source", "not_exists", Value::Null, &["Kitchen bath", "Bath"]),
        ("assigned_to", "eq", json!(USER), KITCHEN),
        ("assignedTo", "not_exists", Value::Null, &["Kitchen bath", "Bath"]),
        ("followers", "eq", json!(OTHER), KITCHEN),
        ("followers", "eq", json!(format!("{USER} {OTHER}")), &[]),
        ("followers", "contains", json!("Yz4"), KITCHEN),
        ("followers", "not_eq", json!(USER), &["Kitchen bath", "Bath"]),
        ("followers", "exists", Value::Null, KITCHEN),
        ("contact_id", "eq", made[1]["contactId"].clone(), &["Bath"]),
        ("contact_name", "eq", json!("maria nunez"), KITCHEN),
        ("contact_name", "contains", json!("a"), &["Kitchen bath", "Große Küche"]),
        ("company_name", "contains", json!("northwind"), KITCHEN),
        ("email", "eq", json!("M@other.example"), KITCHEN),
        ("email", "contains", json!("@other"), &["Bath", "Große Küche"]),
        ("email", "contains", json!("müller.example"), &["Kitchen bath"]),
        ("phone", "eq", json!("(415) 555-0101"), KITCHEN),
        ("phone", "not_exists", Value::Null, &["Kitchen bath", "Bath"]),
        ("country", "eq", json!("de"), KITCHEN),
        ("date_added", "range", json!({"gte": added}), &["Kitchen bath", "Bath"]),
        ("createdAt", "range", json!({"lt": added}), KITCHEN),
        ("dateUpdated", "range", json!({"gte": "2026-11-25"}), ALL),
        ("lastStatusChangeAt", "range", json!({"lte": added}), &["Bath", "Große Küche"]),
        ("last_stage_change_date", "range", json!({"gt": added}), &["Kitchen bath"]),
        ("forecastExpectedCloseDate", "range", json!({"gte": "2026-12-24", "lte": "2026-12-24"}), KITCHEN),
        (&colour, "contains", json!("blue"), KITCHEN),
        (&colour, "not_exists", Value::Null, &["Kitchen bath", "Bath"]),
        (&rooms, "eq", json!(5), &["Bath"]),
        (&rooms, "range", json!({"gte": 3, "lt": 5}), KITCHEN),
        (&rooms, "exists", Value::Null, &["Bath", "Große Küche"]),
    ] {
        let mut filter = json!({"field": field, "operator": operator});
        if !value.is_null() {
            filter["value"] = value.clone();
        }
        let found = search(&app, &key, json!({"filters": [filter]})).await;
        assert_eq!((names(&found).as_slice(), &found["total"]), (expected, &json!(expected.len())), "{filter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_words_and_what_the_body_names_go_together() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let (_, pipeline, [_, rooms]) = deals(&app, &key).await;
    let test =
        |field: &str, operator: &str, value: Value| json!({"field": field, "operator": operator, "value": value});
    let won = test("status", "eq", json!("won"));
    let dear = test("monetary_value", "range", json!({"gt": 1000}));
    let either = json!({"group": "OR", "filters": [won, dear]});
    assert_eq!(names(&search(&app, &key, json!({"filters": [either]})).await), ["Bath", "Große Küche"]);
    assert_eq!(names(&search(&app, &key, json!({"filters": [either], "query": "bath"})).await), ["Bath"]);
    assert_eq!(names(&search(&app, &key, json!({"filters": [either], "status": "open"})).await), ["Große Küche"]);
    assert_eq!(search(&app, &key, json!({"filters": [won], "status": "open"})).await["total"], 0);
    // What is in each stage of the pipeline that a filter names, as where the body names it.
    for filters in [json!([]), json!([dear]), json!([test(&format!("customFields.{rooms}"), "exists", Value::Null)])] {
        let named = json!({"filters": filters, "pipelineId": pipeline["id"]});
        let mut filters = filters;
        filters.as_array_mut().unwrap().push(test("pipeline_id", "eq", pipeline["id"].clone()));
        let both = [named, json!({"filters": filters})]
            .map(|body| app.post("/opportunities/search").key(&key).header("Version", "v3").json(&body).send());
        let [one, other] = both;
        let (one, other) = (one.await.expect(200), other.await.expect(200));
        assert_eq!((&one["opportunities"], &one["total"]), (&other["opportunities"], &other["total"]));
        assert_eq!(one["stageAggregations"].as_array().unwrap().len(), 4, "{one}");
        assert_eq!(one["stageAggregations"], other["stageAggregations"]);
    }
    // What is in the trash with its contact is not found by its values.
    let found = search(&app, &key, json!({"query": "küche"})).await;
    let contact = found["opportunities"][0]["contactId"].as_str().unwrap().to_owned();
    app.delete(&format!("/contacts/{contact}")).key(&key).send().await.expect(200);
    let found =
        search(&app, &key, json!({"filters": [test(&format!("customFields.{rooms}"), "exists", Value::Null)]})).await;
    assert_eq!((names(&found), &found["total"]), (vec!["Bath"], &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_filters_are_refused_like_those_of_contacts() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let at = format!("/locations/{}/customFields", app.ids.location);
    let of_contacts = json!({"name": "Size", "dataType": "NUMERICAL"});
    let made = app.post(&at).key(&key).json(&of_contacts).send().await.expect(201);
    let foreign = format!("customFields.{}", made["customField"]["id"].as_str().unwrap());
    let filter = |field: &str, operator: &str, value: Value| json!({"filters": [{"field": field, "operator": operator, "value": value}]});
    for (body, status, message) in [
        (filter("tags", "eq", json!("x")), 400, json!("Invalid field tags")),
        (filter("contactTerms", "eq", json!("x")), 400, json!("Invalid field contact_terms")),
        (filter(&foreign, "eq", json!(1)), 400, json!(format!("Invalid field {foreign}"))),
        (filter("status", "range", json!({})), 422, json!(["Invalid Operator (range) passed for field status"])),
        (filter("dateAdded", "eq", json!(1)), 422, json!(["Invalid Operator (eq) passed for field date_added"])),
    ] {
        let refused = app.post("/opportunities/search").key(&key).json(&body).send().await.expect(status);
        assert_eq!(refused["message"], message, "{body}");
    }
    let refused = app.post("/opportunities/search").key(&key).json(&filter("dateAdded", "eq", json!(1))).send().await;
    assert!(refused.expect(422)["hint"].as_str().unwrap().starts_with("date_added takes range, exists, not_exists."));
    for (body, about) in [
        (json!({"filters": {}}), "filters"),
        (filter("monetary_value", "eq", json!("much")), "filters.0.value"),
        (filter("name", "eq", json!("")), "filters.0.value"),
        (json!({"filters": [{"group": "XOR", "filters": []}]}), "filters.0.group"),
    ] {
        let refused = app.post("/opportunities/search").key(&key).json(&body).send().await.expect(422);
        assert!(refused["message"][0].as_str().unwrap().contains(about), "{body}: {}", refused["message"]);
    }
}
