//! Workflows and campaigns that a contact is to be in: what is asked for is kept and listed, and no answer says more.

use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

use crate::things::automation;

async fn contact(app: &TestApp, key: &TestKey) -> String {
    let made = app.post("/contacts/").key(key).json(&json!({"name": "Ada"})).send().await.expect(201);
    made["contact"]["id"].as_str().unwrap().to_owned()
}

/// A contact, a workflow and a campaign.
async fn things(app: &TestApp, key: &TestKey) -> (String, String, String) {
    let contact = contact(app, key).await;
    let all = automation(app, key, "x", &contact).await;
    let of = |name: &str| all.iter().find(|(known, _)| *known == name).unwrap().1.clone();
    (contact, of("{workflowId}"), of("{campaignId}"))
}

async fn enrolled(app: &TestApp, key: &TestKey, contact: &str) -> Vec<Value> {
    let listed = app.get(&format!("/contacts/{contact}/enrollments")).key(key).send().await.expect(200);
    listed["enrollments"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_is_kept_and_said_to_be_no_more() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let (contact, workflow, campaign) = things(&app, &key).await;
    let path = format!("/contacts/{contact}/workflow/{workflow}");
    let body = json!({"eventStartTime": "2027-01-31T12:00:00+01:00"});
    let answer = app.post(&path).key(&key).json(&body).send().await.expect(200);
    assert_eq!((&answer["succeded"], &answer["succeeded"]), (&json!(true), &json!(true)));
    assert!(answer["message"].as_str().unwrap().starts_with("Stored."));
    let kept = enrolled(&app, &key, &contact).await;
    assert_eq!(kept, [answer["enrollment"].clone()]);
    assert_eq!((&kept[0]["workflowId"], &kept[0]["status"]), (&json!(workflow), &json!("stored")));
    assert_eq!(kept[0]["eventStartTime"], "2027-01-31T11:00:00.000Z");
    // Once more it is the same, at another time.
    app.post(&path).key(&key).header("Version", "v3").json(&json!({})).send().await.expect(200);
    let again = enrolled(&app, &key, &contact).await;
    assert_eq!((again.len(), &again[0]["eventStartTime"]), (1, &Value::Null));
    let path = format!("/contacts/{contact}/campaigns/{campaign}");
    app.post(&path).key(&key).json(&json!({})).send().await.expect(201);
    assert_eq!(enrolled(&app, &key, &contact).await.len(), 2);
    app.delete(&path).key(&key).send().await.expect(200);
    app.delete(&path).key(&key).send().await.expect(200);
    for all in ["removeAll", "remove-all"] {
        app.post(&path).key(&key).json(&json!({})).send().await.expect(201);
        let path = format!("/contacts/{contact}/campaigns/{all}");
        app.delete(&path).key(&key).header("Version", "v3").send().await.expect(200);
        assert_eq!(enrolled(&app, &key, &contact).await.len(), 1, "the workflow stays");
    }
    let path = format!("/contacts/{contact}/workflow/{workflow}");
    app.delete(&path).key(&key).json(&body).send().await.expect(200);
    assert_eq!(enrolled(&app, &key, &contact).await, [] as [Value; 0]);
    let read = app.get("/events?kinds=contact.enrolled,contact.withdrawn").key(&key).send().await.expect(200);
    let told: Vec<&Value> = read["events"].as_array().unwrap().iter().map(|event| &event["after"]).collect();
    assert_eq!(told.len(), 9, "{read}");
    assert_eq!(told[0], &json!({"workflowId": workflow, "eventStartTime": "2027-01-31T11:00:00.000Z"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn api_1_0_stores_the_same() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let (contact, workflow, campaign) = things(&app, &key).await;
    let at = format!("/v1/contacts/{contact}");
    let body = json!({"eventStartTime": "2027-01-31T12:00:00Z"});
    assert_eq!(
        app.post(&format!("{at}/workflow/{workflow}")).key(&key).json(&body).send().await.expect(200),
        json!("")
    );
    assert_eq!(app.post(&format!("{at}/campaigns/{campaign}")).key(&key).send().await.expect(200), json!(""));
    assert_eq!(enrolled(&app, &key, &contact).await.len(), 2);
    assert_eq!(app.delete(&format!("{at}/workflow/{workflow}")).key(&key).send().await.expect(200), json!(""));
    assert_eq!(app.delete(&format!("{at}/campaigns/{campaign}")).key(&key).send().await.expect(200), json!(""));
    app.post(&format!("{at}/campaigns/{campaign}")).key(&key).send().await.expect(200);
    assert_eq!(app.delete(&format!("{at}/campaigns/remove-all")).key(&key).send().await.expect(200), json!(""));
    assert_eq!(enrolled(&app, &key, &contact).await, [] as [Value; 0]);
    assert_eq!(app.post(&format!("{at}/workflow/x")).key(&key).send().await.status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_there_is_kept_and_ends_with_it() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let (contact, workflow, campaign) = things(&app, &key).await;
    let send = async |path: &str, body: Value| app.post(path).key(&key).json(&body).send().await;
    for (path, status) in [
        (format!("/contacts/0000000000000000000X/workflow/{workflow}"), 400),
        (format!("/contacts/{contact}/workflow/78559bb3-b920-461e-b010-7b2a2816d2a9"), 404),
        (format!("/contacts/{contact}/workflow/{campaign}"), 404),
        (format!("/contacts/{contact}/campaigns/0000000000000000000X"), 404),
    ] {
        let refused = send(&path, json!({})).await;
        assert_eq!(refused.status, status, "{path}: {}", refused.text);
    }
    for body in [json!({"eventStartTime": "soon"}), json!({"colour": "blue"})] {
        assert_eq!(send(&format!("/contacts/{contact}/workflow/{workflow}"), body).await.status, 422);
    }
    send(&format!("/contacts/{contact}/workflow/{workflow}"), json!({})).await.expect(200);
    send(&format!("/contacts/{contact}/campaigns/{campaign}"), json!({})).await.expect(201);
    app.delete(&format!("/workflows/{workflow}")).key(&key).send().await.expect(200);
    app.delete(&format!("/campaigns/{campaign}")).key(&key).send().await.expect(200);
    assert_eq!(enrolled(&app, &key, &contact).await, [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_other_one_was_to_be_in_goes_along() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let (ada, workflow, campaign) = things(&app, &key).await;
    let other = contact(&app, &key).await;
    for (contact, path) in [(&ada, "workflow"), (&other, "workflow"), (&other, "campaigns")] {
        let id = if path == "workflow" { &workflow } else { &campaign };
        let answer = app.post(&format!("/contacts/{contact}/{path}/{id}")).key(&key).json(&json!({})).send().await;
        assert!(answer.is_ok(), "{}", answer.text);
    }
    let path = format!("/contacts/{ada}/merge");
    app.post(&path).key(&key).json(&json!({"from": other})).send().await.expect(200);
    let kinds: Vec<Value> = enrolled(&app, &key, &ada).await.iter().map(|kept| kept["type"].clone()).collect();
    assert_eq!(kinds.len(), 2, "{kinds:?}");
}
