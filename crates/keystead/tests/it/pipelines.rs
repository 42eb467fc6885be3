//! Pipelines and lost reasons of a location.

use std::time::Duration;

use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

use crate::opportunities::{contact, first_pipeline, opportunity};

fn names(stages: &Value) -> Vec<&str> {
    stages.as_array().unwrap().iter().map(|stage| stage["name"].as_str().unwrap()).collect()
}

async fn pipeline(app: &TestApp, key: &TestKey, stages: &[&str]) -> Value {
    let stages: Vec<Value> = stages.iter().map(|name| json!({"name": name})).collect();
    app.clock.advance(Duration::from_millis(5));
    let new = json!({"name": "Kitchens", "locationId": app.ids.location.as_str(), "stages": stages});
    app.post("/opportunities/pipelines").key(key).json(&new).send().await.expect(201)["pipeline"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_location_has_a_pipeline_from_its_beginning() {
    let app = TestApp::start().await;
    let (key, agency) = (app.location_key().await, app.agency_key().await);
    let own = first_pipeline(&app, &key).await;
    assert_eq!(names(&own["stages"]), ["New lead", "Contacted", "Proposal sent", "Negotiation"]);
    assert_eq!(own["stages"][3]["position"], 3);
    assert_eq!(own["locationId"], app.ids.location.as_str());
    assert!(own.get("useOpportunityProbability").is_none());
    let sibling = app.location("Sibling").await;
    let at = format!("/opportunities/pipelines?locationId={sibling}");
    let theirs = app.get(&at).key(&agency).header("Version", "v3").send().await.expect(200)["pipelines"][0].clone();
    assert_ne!(theirs["id"], own["id"]);
    assert_ne!(theirs["stages"][0]["id"], own["stages"][0]["id"]);
    assert_eq!(theirs["useOpportunityProbability"], false);
    // It is told of, because of the location.
    let told = app.get(&format!("/events?locationId={sibling}&kinds=pipeline.*")).key(&agency).send().await.expect(200);
    assert_eq!(told["events"][0]["type"], "pipeline.created");
    assert_eq!(told["events"][0]["after"]["name"], "Sales");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_is_made_changed_listed_and_deleted() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let made = pipeline(&app, &key, &["Asked", "Measured", "Offered"]).await;
    assert_eq!((&made["showInFunnel"], &made["colorRenderMode"]), (&json!(true), &json!("dot")));
    let one = format!("/opportunities/pipelines/{}", made["id"].as_str().unwrap());
    assert_eq!(app.get(&one).key(&key).send().await.expect(200)["pipeline"], made);
    // What is sent back in another order, with one more and one less, keeps its ids; positions say the order where they are sent.
    let stage = |index: usize| made["stages"][index]["id"].clone();
    let change = json!({
        "name": "Kitchens and baths", "colorRenderMode": "bg-tint", "showInPieChart": false,
        "stages": [
            {"id": stage(2), "name": "Offer sent", "probability": 60, "position": 1},
            {"id": stage(0), "name": "Asked", "position": 0},
            {"name": "Signed", "probability": 95.0, "position": 2},
        ],
    });
    let changed = app.put(&one).key(&key).json(&change).send().await.expect(200)["pipeline"].clone();
    assert_eq!(names(&changed["stages"]), ["Asked", "Offer sent", "Signed"]);
    let ids = [&changed["stages"][0]["id"], &changed["stages"][1]["id"]];
    assert_eq!(ids, [&stage(0), &stage(2)]);
    assert_eq!((&changed["stages"][1]["probability"], &changed["stages"][2]["position"]), (&json!(60), &json!(2)));
    assert_eq!((&changed["colorRenderMode"], &changed["showInFunnel"]), (&json!("bg-tint"), &json!(true)));
    let listed = app.get("/opportunities/pipelines").key(&key).send().await.expect(200)["pipelines"].clone();
    assert_eq!(listed, json!([first_pipeline(&app, &key).await, changed]));
    assert_eq!(app.delete(&one).key(&key).send().await.expect(200)["succeded"], true);
    assert_eq!(app.get(&one).key(&key).send().await.status, 404);
    // API 1.0 lists them in its own shape.
    let older = app.get("/v1/pipelines/").key(&key).send().await.expect(200)["pipelines"].clone();
    let own = first_pipeline(&app, &key).await;
    let stages: Vec<Value> = own["stages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stage| json!({"id": stage["id"], "name": stage["name"]}))
        .collect();
    assert_eq!(older, json!([{"id": own["id"], "name": own["name"], "stages": stages}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_opportunities_are_nothing_goes_away_under_them() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let made = pipeline(&app, &key, &["Asked", "Offered"]).await;
    let one = format!("/opportunities/pipelines/{}", made["id"].as_str().unwrap());
    let contact = contact(&app, &key, "Ada").await;
    let stands = opportunity(&app, &key, &made, &contact, json!({"pipelineStageId": made["stages"][1]["id"]})).await;
    let without = json!({"stages": [{"id": made["stages"][0]["id"], "name": "Asked"}]});
    let refused = app.put(&one).key(&key).json(&without).send().await.expect(409);
    assert_eq!(
        (&refused["code"], &refused["message"]),
        (&json!("in_use"), &json!("An opportunity is in the stage Offered"))
    );
    let refused = app.delete(&one).key(&key).send().await.expect(409);
    assert_eq!(refused["message"], "An opportunity is in the pipeline Kitchens");
    assert_eq!(app.get(&one).key(&key).send().await.expect(200)["pipeline"], made);
    // Once it is elsewhere the stage may go; once the contact is in the trash, the pipeline.
    let path = format!("/opportunities/{}", stands["id"].as_str().unwrap());
    app.put(&path).key(&key).json(&json!({"pipelineStageId": made["stages"][0]["id"]})).send().await.expect(200);
    app.put(&one).key(&key).json(&without).send().await.expect(200);
    app.delete(&format!("/contacts/{contact}")).key(&key).send().await.expect(200);
    app.delete(&one).key(&key).send().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_pipelines_are_refused_and_store_nothing() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let first = first_pipeline(&app, &key).await;
    let many: Vec<Value> = (0..101).map(|_| json!({"name": "x"})).collect();
    for (body, about) in [
        (json!({}), "name"),
        (json!({"name": "x"}), "stages"),
        (json!({"name": "x", "stages": []}), "stages"),
        (json!({"name": "x", "stages": many}), "stages"),
        (json!({"name": "x", "stages": ["x"]}), "stages.0.name"),
        (json!({"name": "x", "stages": [{"name": ""}]}), "stages.0.name"),
        (json!({"name": "x", "stages": [{"name": "x", "probability": 101}]}), "stages.0.probability"),
        (json!({"name": "x", "stages": [{"name": "x"}], "colorRenderMode": "red"}), "colorRenderMode"),
        (json!({"name": "x", "stages": [{"name": "x"}], "id": "x"}), "property id"),
    ] {
        let refused = app.post("/opportunities/pipelines").key(&key).json(&body).send().await;
        assert!(refused.status == 422 && refused.text.contains(about), "{body}: {}", refused.text);
    }
    let one = format!("/opportunities/pipelines/{}", first["id"].as_str().unwrap());
    let (known, foreign) = (first["stages"][0]["id"].clone(), "7915dedc-8f18-84d5-8bc3-77c04e994a10");
    for (stages, about) in [
        (json!([{"id": foreign, "name": "x"}]), "stages.0.id must be the id of a stage of this pipeline"),
        (json!([{"id": known, "name": "x"}, {"id": known, "name": "y"}]), "stages.1.id must not stand twice"),
        (json!([{"id": "x", "name": "x"}]), "stages.0.id"),
    ] {
        let refused = app.put(&one).key(&key).json(&json!({"stages": stages})).send().await;
        assert!(refused.status == 422 && refused.text.contains(about), "{stages}: {}", refused.text);
    }
    let listed = app.get("/opportunities/pipelines").key(&key).send().await.expect(200);
    assert_eq!(listed["pipelines"], json!([first]));
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_reasons_stay_with_what_was_lost() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let make = async |name: &str| {
        let new = json!({"name": name, "locationId": app.ids.location.as_str()});
        app.post("/opportunities/lost-reason").key(&key).json(&new).send().await.expect(201)["lostReason"].clone()
    };
    let (dear, late) = (make("Zu teuer").await, make("Too late").await);
    let list =
        async |query: &str| app.get(&format!("/opportunities/lost-reason?{query}")).key(&key).send().await.expect(200);
    let listed = list("").await;
    assert_eq!((listed["total"].as_i64(), listed["lostReasons"].as_array().unwrap().len()), (Some(2), 2));
    assert_eq!(list("name=ZU%20TEUER&getCount=true").await["lostReasons"], json!([dear]));
    assert_eq!(list("query=late").await["lostReasons"], json!([late]));
    let page = list("limit=1&skip=1").await;
    assert_eq!((page["total"].as_i64(), page["lostReasons"].as_array().unwrap().len()), (Some(2), 1));
    let one = format!("/opportunities/lost-reason/{}", dear["id"].as_str().unwrap());
    let renamed = app.put(&one).key(&key).json(&json!({"name": "Too dear"})).send().await.expect(200);
    assert_eq!(renamed["lostReason"]["name"], "Too dear");
    let first = first_pipeline(&app, &key).await;
    let contact = contact(&app, &key, "Ada").await;
    let made = opportunity(&app, &key, &first, &contact, json!({"status": "lost", "lostReasonId": dear["id"]})).await;
    app.delete(&one).key(&key).send().await.expect(200);
    app.delete(&one).key(&key).send().await.expect(404);
    assert_eq!(list("").await["lostReasons"], json!([late]));
    assert_eq!(list("deleted=true").await["lostReasons"][0]["id"], dear["id"]);
    let path = format!("/opportunities/{}", made["id"].as_str().unwrap());
    assert_eq!(app.get(&path).key(&key).send().await.expect(200)["opportunity"]["lostReasonId"], dear["id"]);
    // Nothing is lost because of it from now on.
    app.put(&path).key(&key).json(&json!({"status": "open"})).send().await.expect(200);
    let again = json!({"status": "lost", "lostReasonId": dear["id"]});
    app.put(&format!("{path}/status")).key(&key).json(&again).send().await.expect(422);
}
