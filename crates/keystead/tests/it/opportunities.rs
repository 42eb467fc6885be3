//! Opportunities, in both APIs.

use std::time::Duration;

use keystead_model::{
    grant::Reach,
    key_kind::KeyKind,
    scope::{Preset, Scope, ScopeSet},
};
use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

pub(crate) async fn contact(app: &TestApp, key: &TestKey, name: &str) -> String {
    let new = json!({"name": name, "email": format!("{}@example.com", name.to_lowercase().replace(' ', "."))});
    let made = app.post("/contacts/").key(key).json(&new).send().await.expect(201);
    made["contact"]["id"].as_str().unwrap().to_owned()
}

pub(crate) async fn first_pipeline(app: &TestApp, key: &TestKey) -> Value {
    app.get("/opportunities/pipelines").key(key).send().await.expect(200)["pipelines"][0].clone()
}

/// A new one, with what else is said of it.
pub(crate) async fn opportunity(app: &TestApp, key: &TestKey, pipeline: &Value, contact: &str, more: Value) -> Value {
    let mut new = json!({"pipelineId": pipeline["id"], "contactId": contact, "name": "New kitchen", "status": "open"});
    new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.post("/opportunities/").key(key).json(&new).send().await.expect(201)["opportunity"].clone()
}

async fn allow_duplicates(app: &TestApp) {
    let agency = app.agency_key().await;
    let settings = json!({"settings": {"allowDuplicateOpportunity": true}});
    app.put(&format!("/locations/{}", app.ids.location)).key(&agency).json(&settings).send().await.expect(200);
}

fn path(opportunity: &Value) -> String {
    format!("/opportunities/{}", opportunity["id"].as_str().unwrap())
}

const USER: &str = "0aQ7cXkJTm9Rb4Vw6Yz3";
const OTHER: &str = "0aQ7cXkJTm9Rb4Vw6Yz4";

#[tokio::test(flavor = "multi_thread")]
async fn an_opportunity_is_the_same_wherever_it_is_read() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let pipeline = first_pipeline(&app, &key).await;
    let person = json!({"name": "Ada Lovelace", "email": "ada@example.com", "phone": "+14155550123", "companyName": "Engines", "tags": ["vip"]});
    let made = app.post("/contacts/").key(&key).json(&person).send().await.expect(201);
    let contact = made["contact"]["id"].as_str().unwrap();
    let more = json!({
        "locationId": app.ids.location.as_str(), "pipelineStageId": pipeline["stages"][2]["id"], "monetaryValue": 12_500.55,
        "assignedTo": USER, "source": "fair", "forecastExpectedCloseDate": "12/20/2026", "forecastProbability": 20.0,
    });
    let made = opportunity(&app, &key, &pipeline, contact, more).await;
    let expected = json!({
        "id": made["id"], "name": "New kitchen", "monetaryValue": 12_500.55, "pipelineId": pipeline["id"],
        "pipelineStageId": pipeline["stages"][2]["id"], "assignedTo": USER, "status": "open", "source": "fair",
        "lastStatusChangeAt": made["createdAt"], "createdAt": made["createdAt"], "updatedAt": made["createdAt"],
        "lastStageChangeAt": made["createdAt"], "contactId": contact, "locationId": app.ids.location.as_str(),
        "contact": {"id": contact, "name": "Ada Lovelace", "companyName": "Engines", "email": "ada@example.com",
            "phone": "+14155550123", "tags": ["vip"]},
        "notes": [], "tasks": [], "calendarEvents": [], "followers": [], "customFields": [],
    });
    assert_eq!(made, expected);
    let read = app.get(&path(&made)).key(&key).send().await.expect(200)["opportunity"].clone();
    assert_eq!(read, expected);
    let listed = app.get("/opportunities/search").key(&key).send().await.expect(200);
    assert_eq!(listed["opportunities"], json!([expected]));
    let mut found = app.post("/opportunities/search").key(&key).json(&json!({})).send().await.expect(200);
    assert!(found.get("meta").is_none() && found.get("stageAggregations").is_none());
    let place = found["opportunities"][0].as_object_mut().unwrap().remove("searchAfter").unwrap();
    assert_eq!(place[1], made["id"]);
    assert_eq!(found["opportunities"], json!([expected]));
    // v3 has what is expected of it.
    let v3 = app.get(&path(&made)).key(&key).header("Version", "v3").send().await.expect(200)["opportunity"].clone();
    for (name, value) in [
        ("forecastExpectedCloseDate", json!("2026-12-20")),
        ("forecastOriginalCloseDate", json!("2026-12-20")),
        ("forecastSlippageCount", json!(0)),
        ("forecastDaysSlipped", json!(0)),
        ("forecastProbability", json!(20)),
        ("effectiveProbability", json!(50)),
        ("monetaryValue", json!(12_500.55)),
    ] {
        assert_eq!(v3[name], value, "{name}");
    }
    // API 1.0 has fewer fields of the same.
    let at = format!("/v1/pipelines/{}/opportunities", pipeline["id"].as_str().unwrap());
    let older = app.get(&format!("{at}/{}", made["id"].as_str().unwrap())).key(&key).send().await.expect(200);
    for (name, value) in older.as_object().unwrap() {
        assert_eq!(value, &expected[name], "{name}");
    }
    assert_eq!(older.as_object().unwrap().len(), 12);
    assert_eq!(app.get(&at).key(&key).send().await.expect(200)["opportunities"], json!([older]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_is_told_with_before_and_after() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let pipeline = first_pipeline(&app, &key).await;
    let ada = contact(&app, &key, "Ada").await;
    let made = opportunity(&app, &key, &pipeline, &ada, json!({"monetaryValue": 100})).await;
    let path = path(&made);
    app.clock.advance(Duration::from_secs(60));
    let stage = &pipeline["stages"][1]["id"];
    let change = json!({"name": "Bath", "pipelineStageId": stage, "monetaryValue": "250.10", "assignedTo": USER});
    let changed = app.put(&path).key(&key).json(&change).send().await.expect(200)["opportunity"].clone();
    assert_eq!((&changed["monetaryValue"], &changed["lastStatusChangeAt"]), (&json!(250.1), &made["createdAt"]));
    assert_eq!(changed["lastStageChangeAt"], changed["updatedAt"]);
    assert_ne!(changed["lastStageChangeAt"], made["lastStageChangeAt"]);
    // The same again is no change.
    let same = app.put(&path).key(&key).json(&change).send().await.expect(200)["opportunity"].clone();
    assert_eq!(same, changed);
    app.clock.advance(Duration::from_secs(60));
    let done = app.put(&format!("{path}/status")).key(&key).json(&json!({"status": "won"})).send().await.expect(200);
    assert_eq!((&done["succeded"], done.get("success")), (&json!(true), None));
    let won = app.get(&path).key(&key).send().await.expect(200)["opportunity"].clone();
    assert_eq!((&won["status"], &won["lastStatusChangeAt"]), (&json!("won"), &won["updatedAt"]));
    assert_eq!(won["lastStageChangeAt"], changed["lastStageChangeAt"]);
    let gone = app.delete(&path).key(&key).header("Version", "v3").send().await.expect(200);
    assert_eq!((&gone["succeded"], &gone["success"]), (&json!(true), &json!(true)));
    app.get(&path).key(&key).send().await.expect(404);
    let told = app.get("/events?kinds=opportunity.*").key(&key).send().await.expect(200)["events"].clone();
    let told: Vec<(&str, &Value, &Value)> = told
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (event["type"].as_str().unwrap(), &event["before"], &event["after"]))
        .collect();
    let (was, is) = (&pipeline["stages"][0]["id"], stage);
    let kinds: Vec<&str> = told.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(kinds, ["opportunity.created", "opportunity.updated", "opportunity.updated", "opportunity.deleted"]);
    assert_eq!(told[0].2["monetaryValue"], 100);
    let before = json!({"name": "New kitchen", "pipelineStageId": was, "monetaryValue": 100});
    assert_eq!(told[1].1, &before);
    assert_eq!(told[1].2, &json!({"name": "Bath", "pipelineStageId": is, "monetaryValue": 250.1, "assignedTo": USER}));
    assert_eq!((told[2].1, told[2].2), (&json!({"status": "open"}), &json!({"status": "won"})));
    assert_eq!(told[3].1["name"], "Bath");
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_exact() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let pipeline = first_pipeline(&app, &key).await;
    let ada = contact(&app, &key, "Ada").await;
    let path = path(&opportunity(&app, &key, &pipeline, &ada, json!({})).await);
    for (sent, written) in [
        ("0", "0"),
        ("20.0", "20"),
        ("0.1", "0.1"),
        ("0.30000000000000004", "0.3"),
        ("1234567.891", "1234567.891"),
        ("999999999999999", "999999999999999"),
        ("99999999999999.9", "99999999999999.9"),
        ("-12.5", "-12.5"),
        ("1e3", "1000"),
        ("\"999999999999999.999999999\"", "999999999999999.999999999"),
        ("\"220.50\"", "220.5"),
    ] {
        let body = format!("{{\"monetaryValue\":{sent}}}");
        let answer = app.put(&path).key(&key).body("application/json", body).send().await;
        assert!(answer.text.contains(&format!("\"monetaryValue\":{written},")), "{sent}: {}", answer.text);
        let read = app.get(&path).key(&key).send().await;
        assert!(read.text.contains(&format!("\"monetaryValue\":{written},")), "{sent}: {}", read.text);
    }
    for refused in ["1e15", "123456789012345.67", "\"x\"", "\"1,5\"", "true", "[1]", "1e300", "\"0.1234567891\""] {
        let body = format!("{{\"monetaryValue\":{refused}}}");
        let answer = app.put(&path).key(&key).body("application/json", body).send().await;
        assert!(answer.status == 422 && answer.text.contains("monetaryValue"), "{refused}: {}", answer.text);
    }
    let cleared = app.put(&path).key(&key).json(&json!({"clear": ["monetaryValue"]})).send().await.expect(200);
    assert_eq!(cleared["opportunity"]["monetaryValue"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_emptied_stays_empty() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let pipeline = first_pipeline(&app, &key).await;
    let ada = contact(&app, &key, "Ada").await;
    let more = json!({"assignedTo": USER, "source": "fair", "forecastExpectedCloseDate": "2026-12-20", "forecastProbability": 5});
    let path = path(&opportunity(&app, &key, &pipeline, &ada, more).await);
    // Null and nothing are absent, as typed clients send them.
    let nothing = json!({"assignedTo": null, "monetaryValue": null, "forecastProbability": null, "name": ""});
    let same =
        app.put(&path).key(&key).header("Version", "v3").json(&nothing).send().await.expect(200)["opportunity"].clone();
    assert_eq!((&same["assignedTo"], &same["forecastProbability"]), (&json!(USER), &json!(5)));
    let cleared = json!({"clear": ["assignedTo", "forecastExpectedCloseDate", "forecastProbability"], "source": ""});
    let cleared = app.put(&path).key(&key).json(&cleared).send().await.expect(200);
    let read = app.get(&path).key(&key).header("Version", "v3").send().await.expect(200)["opportunity"].clone();
    for name in ["assignedTo", "source", "forecastExpectedCloseDate", "forecastProbability", "forecastDaysSlipped"] {
        assert!(read.get(name).is_none() && cleared["opportunity"].get(name).is_none(), "{name}: {read}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_has_one_in_a_pipeline_unless_more_are_allowed() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let pipeline = first_pipeline(&app, &key).await;
    let (ada, bob) = (contact(&app, &key, "Ada").await, contact(&app, &key, "Bob").await);
    let first = opportunity(&app, &key, &pipeline, &ada, json!({})).await;
    let again = json!({"pipelineId": pipeline["id"], "contactId": ada, "name": "x", "status": "open"});
    let refused = app.post("/opportunities/").key(&key).json(&again).send().await.expect(400);
    assert_eq!(refused["code"], "duplicate_opportunity");
    assert_eq!(refused["message"], "Can not create duplicate opportunity for the contact.");
    opportunity(&app, &key, &pipeline, &bob, json!({})).await;
    // Another pipeline has room, and nothing comes into this one from there.
    let new = json!({"name": "Other", "stages": [{"name": "x"}]});
    let other = app.post("/opportunities/pipelines").key(&key).json(&new).send().await.expect(201)["pipeline"].clone();
    let second = opportunity(&app, &key, &other, &ada, json!({})).await;
    let moved = json!({"pipelineId": pipeline["id"]});
    app.put(&path(&second)).key(&key).json(&moved).send().await.expect(400);
    allow_duplicates(&app).await;
    let moved = app.put(&path(&second)).key(&key).json(&moved).send().await.expect(200)["opportunity"].clone();
    assert_eq!(moved["pipelineStageId"], pipeline["stages"][0]["id"], "it begins there");
    app.clock.advance(Duration::from_millis(5));
    let third = opportunity(&app, &key, &pipeline, &ada, json!({})).await;
    // An upsert means the newest.
    let upsert = json!({"pipelineId": pipeline["id"], "contactId": ada, "name": "Renamed"});
    let upserted = app.post("/opportunities/upsert").key(&key).json(&upsert).send().await.expect(200);
    assert_eq!((&upserted["new"], &upserted["opportunity"]["id"]), (&json!(false), &third["id"]));
    assert_eq!(app.get(&path(&first)).key(&key).send().await.expect(200)["opportunity"]["name"], "New kitchen");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upsert_makes_what_is_not_there() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let pipeline = first_pipeline(&app, &key).await;
    let ada = contact(&app, &key, "Ada Lovelace").await;
    let upsert = async |body: Value| app.post("/opportunities/upsert").key(&key).json(&body).send().await;
    // As a typed client dumps it.
    let new = json!({
        "pipelineId": pipeline["id"], "locationId": app.ids.location.as_str(), "contactId": ada, "id": null, "name": null,
        "followers": [USER], "isRemoveAllFollowers": false, "followersActionType": "add", "monetaryValue": 7,
    });
    let made = upsert(new.clone()).await.expect(200);
    assert_eq!(made["new"], true);
    let made = &made["opportunity"];
    assert_eq!(
        (&made["name"], &made["status"], &made["followers"]),
        (&json!("Ada Lovelace"), &json!("open"), &json!([USER]))
    );
    assert_eq!(made["pipelineStageId"], pipeline["stages"][0]["id"]);
    let same = upsert(new).await.expect(200);
    assert_eq!((&same["new"], &same["opportunity"]), (&json!(false), made));
    // By its own id, and with other followers.
    let by_id = json!({"pipelineId": pipeline["id"], "id": made["id"], "status": "won", "followers": [OTHER], "isRemoveAllFollowers": true});
    let changed = upsert(by_id).await.expect(200);
    assert_eq!((&changed["new"], &changed["opportunity"]["status"]), (&json!(false), &json!("won")));
    assert_eq!(changed["opportunity"]["followers"], json!([OTHER]));
    let removed =
        json!({"pipelineId": pipeline["id"], "id": made["id"], "followers": [OTHER], "followersActionType": "remove"});
    assert_eq!(upsert(removed).await.expect(200)["opportunity"]["followers"], json!([]));
    upsert(json!({"pipelineId": pipeline["id"], "id": "0000000000000000000A"})).await.expect(422);
    upsert(json!({"pipelineId": pipeline["id"], "contactId": "0000000000000000000A"})).await.expect(400);
    let refused = upsert(json!({"pipelineId": pipeline["id"]})).await.expect(422);
    assert_eq!(refused["message"], json!(["contactId or id should not be empty"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn followers_begin_and_end_to_follow() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let pipeline = first_pipeline(&app, &key).await;
    let ada = contact(&app, &key, "Ada").await;
    let path = format!("{}/followers", path(&opportunity(&app, &key, &pipeline, &ada, json!({})).await));
    let added = app.post(&path).key(&key).json(&json!({"followers": [USER, OTHER, USER]})).send().await.expect(201);
    assert_eq!((&added["followers"], &added["followersAdded"]), (&json!([USER, OTHER]), &json!([USER, OTHER])));
    let added = app.post(&path).key(&key).json(&json!({"followers": [USER]})).send().await.expect(201);
    assert_eq!((&added["followers"], &added["followersAdded"]), (&json!([USER, OTHER]), &json!([])));
    let removed = app.delete(&path).key(&key).json(&json!({"followers": [USER]})).send().await.expect(200);
    assert_eq!((&removed["followers"], &removed["followersRemoved"]), (&json!([OTHER]), &json!([USER])));
    app.delete(&path).key(&key).json(&json!({})).send().await.expect(422);
    let removed = app.delete(&format!("{path}?isRemoveAllFollowers=true")).key(&key).send().await.expect(200);
    assert_eq!((&removed["followers"], &removed["followersRemoved"]), (&json!([]), &json!([OTHER])));
    let many: Vec<String> = (0..101).map(|number| format!("{number:020}")).collect();
    app.post(&path).key(&key).json(&json!({"followers": many})).send().await.expect(422);
    app.post(&path).key(&key).json(&json!({"followers": ["x"]})).send().await.expect(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_opportunities_are_refused_and_store_nothing() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let pipeline = first_pipeline(&app, &key).await;
    let ada = contact(&app, &key, "Ada").await;
    let sibling = app.location("Sibling").await;
    let theirs = app.key(Reach::location(sibling), Preset::FullAccess).await;
    let foreign = first_pipeline(&app, &theirs).await;
    let foreign_contact = contact(&app, &theirs, "Eve").await;
    let good = json!({"pipelineId": pipeline["id"], "contactId": ada, "name": "x", "status": "open"});
    let (id, stage) = ("0000000000000000000A", "7915dedc-8f18-84d5-8bc3-77c04e994a10");
    for (name, value, status, about) in [
        ("pipelineId", json!(null), 422, "pipelineId should not be empty"),
        ("pipelineId", json!(id), 422, "pipelineId must be the id of a pipeline of this location"),
        ("pipelineId", foreign["id"].clone(), 422, "pipelineId must be the id of a pipeline of this location"),
        ("pipelineId", json!("x"), 422, "pipelineId"),
        ("contactId", json!(id), 400, "Contact with id 0000000000000000000A not found"),
        ("contactId", json!(foreign_contact), 400, "not found"),
        ("name", json!(" "), 422, "name"),
        ("name", json!("x".repeat(301)), 422, "name"),
        ("status", json!("all"), 422, "status must be one of"),
        ("status", json!(null), 422, "status should not be empty"),
        ("pipelineStageId", json!(stage), 422, "pipelineStageId must be the id of a stage of the pipeline"),
        (
            "pipelineStageId",
            foreign["stages"][0]["id"].clone(),
            422,
            "pipelineStageId must be the id of a stage of the pipeline",
        ),
        ("pipelineStageId", json!("x"), 422, "pipelineStageId"),
        ("lostReasonId", json!(id), 422, "lostReasonId goes with the status lost only"),
        ("assignedTo", json!("x"), 422, "assignedTo"),
        ("forecastProbability", json!(101), 422, "forecastProbability"),
        ("forecastExpectedCloseDate", json!("soon"), 422, "forecastExpectedCloseDate"),
        ("createdAt", json!("2026-01-01"), 422, "property createdAt should not exist"),
        ("effectiveProbability", json!(1), 422, "property effectiveProbability should not exist"),
        ("locationId", json!(sibling.as_str()), 403, "access"),
    ] {
        let mut body = good.clone();
        body[name] = value.clone();
        let refused = app.post("/opportunities/").key(&key).json(&body).send().await;
        assert!(
            refused.status == status && refused.text.contains(about),
            "{name} {value}: {} {}",
            refused.status,
            refused.text
        );
    }
    let lost =
        json!({"pipelineId": pipeline["id"], "contactId": ada, "name": "x", "status": "lost", "lostReasonId": id});
    app.post("/opportunities/").key(&key).json(&lost).send().await.expect(422);
    assert_eq!(app.get("/opportunities/search").key(&key).send().await.expect(200)["meta"]["total"], 0);
}

/// Whatever is asked of one that stands in any way, in whichever of the ways to ask for it.
#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_lost_has_a_reason() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let pipeline = first_pipeline(&app, &key).await;
    let ada = contact(&app, &key, "Ada").await;
    let mut reasons = Vec::new();
    for name in ["Too dear", "Too late"] {
        let made = app.post("/opportunities/lost-reason").key(&key).json(&json!({"name": name})).send().await;
        reasons.push(made.expect(201)["lostReason"]["id"].clone());
    }
    let made = opportunity(&app, &key, &pipeline, &ada, json!({})).await;
    let (one, status) = (path(&made), format!("{}/status", path(&made)));
    let befores =
        [json!({"status": "open"}), json!({"status": "lost"}), json!({"status": "lost", "lostReasonId": reasons[0]})];
    let (none, clear) = (json!({}), json!({"clear": ["lostReasonId"]}));
    let with = |reason: &Value| json!({"lostReasonId": reason});
    for before in &befores {
        for asked in [&none, &clear, &with(&Value::Null), &with(&reasons[0]), &with(&reasons[1])] {
            for to in [None, Some("open"), Some("won"), Some("lost"), Some("abandoned")] {
                for way in ["status", "update", "upsert"] {
                    let mut reset = before.clone();
                    if before.get("lostReasonId").is_none() {
                        reset["clear"] = json!(["lostReasonId"]);
                    }
                    app.put(&one).key(&key).json(&reset).send().await.expect(200);
                    let mut body = (*asked).clone();
                    body["status"] = json!(to);
                    let request = match way {
                        "status" => app.put(&status),
                        "update" => app.put(&one),
                        _ => {
                            body["id"] = made["id"].clone();
                            body["pipelineId"] = pipeline["id"].clone();
                            app.post("/opportunities/upsert")
                        }
                    };
                    let answer = request.key(&key).json(&body).send().await;
                    let after = app.get(&one).key(&key).send().await.expect(200)["opportunity"].clone();
                    let is_lost = to.map_or(before["status"] == "lost", |to| to == "lost");
                    let (is_named, about) = (asked["lostReasonId"].is_string(), format!("{before}, {way}: {body}"));
                    let is_whole = way != "status" || to.is_some();
                    assert_eq!(answer.status == 200, is_whole && (is_lost || !is_named), "{about}: {}", answer.text);
                    if answer.status == 200 {
                        assert_eq!(after["status"] == "lost", is_lost, "{about}");
                    } else if is_whole {
                        assert!(answer.text.contains("goes with the status lost only"), "{about}: {}", answer.text);
                    }
                    assert!(after["lostReasonId"].is_null() || after["status"] == "lost", "{about}: {after}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn they_go_into_the_trash_with_their_contact() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let pipeline = first_pipeline(&app, &key).await;
    let (ada, bob) = (contact(&app, &key, "Ada").await, contact(&app, &key, "Bob").await);
    let gone = opportunity(&app, &key, &pipeline, &ada, json!({"name": "Kitchen"})).await;
    let stays = opportunity(&app, &key, &pipeline, &bob, json!({"name": "Kitchen"})).await;
    app.delete(&format!("/contacts/{ada}")).key(&key).send().await.expect(200);
    app.get(&path(&gone)).key(&key).send().await.expect(404);
    for query in ["", "q=kitchen", "status=open", "order=updated_asc"] {
        let found = app.get(&format!("/opportunities/search?{query}")).key(&key).send().await.expect(200);
        assert_eq!(found["meta"]["total"], 1, "{query}");
        assert_eq!(found["opportunities"][0]["id"], stays["id"], "{query}");
    }
    // It is told of, because of the contact.
    let told =
        app.get("/events?kinds=contact.deleted,opportunity.deleted").key(&key).send().await.expect(200)["events"]
            .clone();
    assert_eq!(told[1]["subject"]["id"], gone["id"]);
    assert_eq!(told[1]["cause"]["rootEventId"], told[0]["id"]);
    let changed = app.put(&path(&gone)).key(&key).json(&json!({"name": "x"})).send().await;
    assert_eq!(changed.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_older_api_names_the_contact_by_what_is_known() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let pipeline = first_pipeline(&app, &key).await;
    let at = format!("/v1/pipelines/{}/opportunities/", pipeline["id"].as_str().unwrap());
    let stage = &pipeline["stages"][1]["id"];
    let new = json!({
        "title": "New kitchen", "status": "open", "stageId": stage, "email": "ada@example.com", "name": "Ada Lovelace",
        "tags": ["asked"], "companyName": "Engines", "monetaryValue": 220, "assignedTo": USER, "unknown": 1,
    });
    let made = app.post(&at).key(&key).json(&new).send().await.expect(200);
    assert_eq!(
        (&made["name"], &made["monetaryValue"], &made["pipelineStageId"]),
        (&json!("New kitchen"), &json!(220), stage)
    );
    assert_eq!((&made["contact"]["name"], &made["contact"]["tags"]), (&json!("Ada Lovelace"), &json!(["asked"])));
    // The contact is known by now, and keeps the tags that it has.
    let one = format!("{at}{}", made["id"].as_str().unwrap());
    app.delete(&one).key(&key).send().await.expect(200);
    let again =
        json!({"title": "x", "status": "open", "stageId": stage, "email": "ADA@example.com", "tags": ["again"]});
    let again = app.post(&at).key(&key).json(&again).send().await.expect(200);
    assert_eq!(
        (&again["contact"]["id"], &again["contact"]["tags"]),
        (&made["contact"]["id"], &json!(["asked", "again"]))
    );
    assert_eq!(app.get("/contacts/").key(&key).send().await.expect(200)["meta"]["total"], 1);
    // Every field of a change is optional.
    let one = format!("{at}{}", again["id"].as_str().unwrap());
    let changed = app.put(&one).key(&key).json(&json!({"title": "Bath"})).send().await.expect(200);
    assert_eq!((&changed["name"], &changed["pipelineStageId"]), (&json!("Bath"), stage));
    let moved = json!({"status": "won", "stageId": pipeline["stages"][3]["id"]});
    assert_eq!(app.put(&format!("{one}/status")).key(&key).json(&moved).send().await.expect(200), "");
    let read = app.get(&one).key(&key).send().await.expect(200);
    assert_eq!((&read["status"], &read["pipelineStageId"]), (&json!("won"), &pipeline["stages"][3]["id"]));
    // To somebody else, who is new.
    let given = app.put(&one).key(&key).json(&json!({"phone": "+14155550199"})).send().await.expect(200);
    assert_eq!(given["contact"]["phone"], "+14155550199");
    let refused = app.post(&at).key(&key).json(&json!({})).send().await.expect(422);
    for field in ["title", "status", "stageId", "contactId or email"] {
        assert_eq!(refused[field]["rule"], "required", "{refused}");
    }
    let wrong = json!({"status": "done", "stageId": "x"});
    let refused = app.put(&format!("{one}/status")).key(&key).json(&wrong).send().await.expect(422);
    assert!(refused["status"]["rule"] == "invalid" && refused["stageId"]["rule"] == "invalid", "{refused}");
    let elsewhere = json!({"stageId": "7915dedc-8f18-84d5-8bc3-77c04e994a10"});
    assert_eq!(app.put(&one).key(&key).json(&elsewhere).send().await.expect(422)["stageId"]["rule"], "invalid");
    // It is in its own pipeline only.
    let new = json!({"name": "Other", "stages": [{"name": "x"}]});
    let other = app.post("/opportunities/pipelines").key(&key).json(&new).send().await.expect(201)["pipeline"].clone();
    let wrong =
        format!("/v1/pipelines/{}/opportunities/{}", other["id"].as_str().unwrap(), again["id"].as_str().unwrap());
    for call in [app.get(&wrong), app.put(&wrong).json(&json!({"title": "x"})), app.delete(&wrong)] {
        assert_eq!(call.key(&key).send().await.expect(422)["opportunityId"]["rule"], "invalid");
    }
    assert_eq!(app.delete(&one).key(&key).send().await.expect(200), "");
    app.get(&one).key(&key).send().await.expect(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_write_contacts_makes_none_by_the_way() {
    let app = TestApp::start().await;
    let full = app.location_key().await;
    let scopes = ScopeSet::all(KeyKind::Location).without(Scope::ContactsWrite);
    let key = app.key_with(Reach::location(app.ids.location), scopes, |_| {}).await;
    let pipeline = first_pipeline(&app, &key).await;
    let at = format!("/v1/pipelines/{}/opportunities", pipeline["id"].as_str().unwrap());
    let new =
        json!({"title": "x", "status": "open", "stageId": pipeline["stages"][0]["id"], "email": "ada@example.com"});
    assert_eq!(app.post(&at).key(&key).json(&new).send().await.expect(401)["required"], "contacts.write");
    assert_eq!(app.get("/contacts/").key(&full).send().await.expect(200)["meta"]["total"], 0);
    let ada = contact(&app, &full, "Ada").await;
    let named = json!({"title": "x", "status": "open", "stageId": pipeline["stages"][0]["id"], "contactId": ada});
    app.post(&at).key(&key).json(&named).send().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_makes_one() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let pipeline = first_pipeline(&app, &key).await;
    let at = format!("/v1/pipelines/{}/opportunities", pipeline["id"].as_str().unwrap());
    let new =
        json!({"title": "x", "status": "open", "stageId": pipeline["stages"][0]["id"], "email": "ada@example.com"});
    let send = async || app.post(&at).key(&key).header("Idempotency-Key", "one").json(&new).send().await.expect(200);
    let first = send().await;
    assert_eq!(send().await, first);
    // Also where the answer was lost: it is about the opportunity, not about the contact that came with it.
    app.sql("UPDATE idempotent_requests SET status = 0, answer = ''").await;
    app.clock.advance(Duration::from_secs(11));
    assert_eq!(send().await["id"], first["id"]);
    assert_eq!(app.get(&at).key(&key).send().await.expect(200)["meta"]["total"], 1);
}
