//! Custom fields of a location, in both APIs.

use std::time::Duration;

use keystead_model::{data_type::DataType, grant::Reach, scope::Preset};
use keystead_testkit::{Answer, TestApp, TestKey};
use serde_json::{Value, json};

fn path(app: &TestApp) -> String {
    format!("/locations/{}/customFields", app.ids.location)
}

async fn create(app: &TestApp, key: &TestKey, body: Value) -> Answer {
    app.post(&path(app)).key(key).json(&body).send().await
}

/// What a kind cannot be without, and what belongs to it alone.
fn details(kind: DataType) -> Value {
    match kind {
        _ if kind.has_options() => json!({"options": ["Gold", "Silver"], "isAllowedCustomOption": true}),
        DataType::FileUpload => {
            json!({"acceptedFormat": [".pdf", "PNG"], "isMultipleFile": true, "maxNumberOfFiles": 3})
        }
        DataType::TextboxList => json!({"textBoxListOptions": [{"label": "First", "prefillValue": "?"}, "Second"]}),
        _ => json!({}),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_of_every_kind_are_answered_as_they_were_made() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let mut made = Vec::new();
    for (place, kind) in DataType::ALL.into_iter().enumerate() {
        let mut body = details(kind);
        body["name"] = json!(format!("Field {}", kind.as_str()));
        body["dataType"] = json!(kind.as_str());
        body["placeholder"] = json!("like this");
        body["position"] = json!(place as f64);
        let field = create(&app, &key, body).await.expect(201)["customField"].clone();
        let list = |name: &str| field[name].as_array().unwrap().len();
        assert_eq!(field["fieldKey"], format!("contact.field_{}", kind.as_str().to_lowercase()));
        assert_eq!((&field["dataType"], &field["model"]), (&json!(kind.as_str()), &json!("contact")));
        assert_eq!((&field["placeholder"], &field["position"]), (&json!("like this"), &json!(place)));
        let boxes = kind == DataType::TextboxList;
        assert_eq!(list("picklistOptions"), if kind.has_options() || boxes { 2 } else { 0 }, "{kind:?}");
        assert_eq!(field["isAllowedCustomOption"], kind.has_options());
        assert_eq!(field["isMultiFileAllowed"], kind == DataType::FileUpload);
        assert_eq!(field["maxFileLimit"], if kind == DataType::FileUpload { 3 } else { 1 });
        let one = app.get(&format!("{}/{}", path(&app), field["id"].as_str().unwrap())).key(&key).send().await;
        assert_eq!(one.expect(200)["customField"], field);
        let by_key = app.get(&format!("{}/{}", path(&app), field["fieldKey"].as_str().unwrap())).key(&key).send().await;
        assert_eq!(by_key.expect(200)["customField"], field);
        made.push(field);
    }
    let v3 = app.get(&path(&app)).key(&key).header("Version", "v3").send().await.expect(200);
    assert_eq!(v3["customFields"], json!(made), "in their order");
    let older = app.get("/v1/custom-fields/").key(&key).send().await.expect(200);
    for (field, older) in made.iter().zip(older["customFields"].as_array().unwrap()) {
        for name in ["id", "name", "fieldKey", "placeholder", "position", "picklistOptions"] {
            assert_eq!(older[name], field[name]);
        }
        assert_eq!((&older["dateType"], &older["dataType"]), (&field["dataType"], &field["dataType"]));
        let one = app.get(&format!("/v1/custom-fields/{}", field["id"].as_str().unwrap())).key(&key).send().await;
        assert_eq!(&one.expect(200), older);
    }
    assert_eq!(older["customFields"].as_array().unwrap().len(), made.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_are_of_contacts_or_of_opportunities() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    create(&app, &key, json!({"name": "Budget", "dataType": "MONETORY"})).await.expect(201);
    // Those of one millisecond are in any order.
    app.clock.advance(Duration::from_millis(1));
    // What is made in one millisecond has no order.
    app.clock.advance(Duration::from_millis(1));
    // Of two of the same millisecond nobody knows which came first.
    app.clock.advance(Duration::from_millis(1));
    let deal = json!({"name": "Budget", "dataType": "MONETORY", "model": "opportunity"});
    let deal = create(&app, &key, deal).await.expect(201)["customField"].clone();
    assert_eq!(deal["fieldKey"], "opportunity.budget", "a key is alone among those of its model");
    for (query, keys) in [
        ("", vec!["contact.budget"]),
        ("?model=contact", vec!["contact.budget"]),
        ("?model=opportunity", vec!["opportunity.budget"]),
        ("?model=all", vec!["contact.budget", "opportunity.budget"]),
    ] {
        let listed = app.get(&format!("{}{query}", path(&app))).key(&key).send().await.expect(200);
        let found: Vec<&str> = listed["customFields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| field["fieldKey"].as_str().unwrap())
            .collect();
        assert_eq!(found, keys, "{query}");
    }
    assert_eq!(app.get(&format!("{}?model=user", path(&app))).key(&key).send().await.status, 422);
    let sibling = app.location("Sibling").await;
    let theirs = app.key(Reach::location(sibling), Preset::FullAccess).await;
    let foreign = app.get(&format!("/locations/{sibling}/customFields/{}", deal["id"].as_str().unwrap()));
    assert_eq!(foreign.key(&theirs).send().await.status, 404);
    let listed = app.get(&format!("/locations/{sibling}/customFields?model=all")).key(&theirs).send().await.expect(200);
    assert_eq!(listed["customFields"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_keeps_the_key_and_whatever_values_need() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let new = json!({"name": "Tier", "dataType": "SINGLE_OPTIONS", "options": ["Gold", "Silver", "Bronze"]});
    let field = create(&app, &key, new).await.expect(201)["customField"].clone();
    let one = format!("{}/{}", path(&app), field["id"].as_str().unwrap());
    let contact = json!({"name": "Ada", "customFields": [{"key": "tier", "field_value": "Gold"}]});
    app.post("/contacts/").key(&key).json(&contact).send().await.expect(201);
    let change = async |body: Value| app.put(&one).key(&key).json(&body).send().await;
    let renamed = change(json!({"name": "Level"})).await.expect(200)["customField"].clone();
    assert_eq!((&renamed["name"], &renamed["fieldKey"]), (&json!("Level"), &json!("contact.tier")));
    assert_eq!(renamed["picklistOptions"], field["picklistOptions"]);
    // Nobody has chosen bronze.
    let fewer =
        change(json!({"name": "Level", "options": ["Silver", "Gold"]})).await.expect(200)["customField"].clone();
    assert_eq!(fewer["picklistOptions"], json!(["Silver", "Gold"]));
    for (body, about) in [
        (json!({"name": "Level", "options": ["Silver"]}), "options must keep Gold, which is chosen 1 time"),
        (json!({"name": "Level", "options": ["Gold", "Gold"]}), "options has Gold twice"),
        (json!({"name": "Level", "dataType": "TEXT"}), "dataType is SINGLE_OPTIONS and cannot become TEXT"),
        (json!({"name": "Level", "model": "opportunity"}), "model is contact and cannot become opportunity"),
        (json!({"name": "Level", "acceptedFormat": [".pdf"]}), "acceptedFormat belongs to FILE_UPLOAD"),
        (json!({"placeholder": "x"}), "name should not be empty"),
        (json!({"name": "Level", "fieldKey": "contact.other"}), "property fieldKey should not exist"),
    ] {
        let refused = change(body).await.expect(422);
        assert!(refused["message"][0].as_str().unwrap().starts_with(about), "{refused}");
    }
    assert_eq!(app.get(&one).key(&key).send().await.expect(200)["customField"], fewer);
    // Where something else can be chosen, what is chosen may be none of the options.
    let open = json!({"name": "Level", "options": ["Silver"], "isAllowedCustomOption": true});
    change(open).await.expect(200);
    let closed = change(json!({"name": "Level", "isAllowedCustomOption": false})).await.expect(422);
    assert!(closed["message"][0].as_str().unwrap().contains("Gold"), "{closed}");
    // The older API names the kind with every change.
    let older = format!("/v1/custom-fields/{}", field["id"].as_str().unwrap());
    let same = json!({"name": "Rank", "dataType": "SINGLE_OPTIONS"});
    assert_eq!(app.put(&older).key(&key).json(&same).send().await.expect(200)["name"], "Rank");
    let other = json!({"name": "Rank", "dataType": "TEXT"});
    assert_eq!(app.put(&older).key(&key).json(&other).send().await.expect(422)["dataType"]["rule"], "invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_takes_its_values_with_it() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let field =
        create(&app, &key, json!({"name": "Colour", "dataType": "TEXT"})).await.expect(201)["customField"].clone();
    let id = field["id"].as_str().unwrap();
    let contact = json!({"name": "Ada", "customFields": [{"id": id, "field_value": "blue"}]});
    let contact = app.post("/contacts/").key(&key).json(&contact).send().await.expect(201)["contact"].clone();
    assert_eq!(contact["customFields"], json!([{"id": id, "value": "blue", "fieldKey": "contact.colour"}]));
    let one = format!("{}/{id}", path(&app));
    assert_eq!(app.delete(&one).key(&key).send().await.expect(200)["succeded"], true);
    assert_eq!(app.get(&one).key(&key).send().await.status, 404);
    let at = format!("/contacts/{}", contact["id"].as_str().unwrap());
    assert_eq!(app.get(&at).key(&key).send().await.expect(200)["contact"]["customFields"], json!([]));
    let count = "SELECT CAST(count(*) AS BIGINT) FROM field_values";
    assert_eq!(app.number(count).await, 1, "nobody sees it, and it is taken by and by");
    while app.app.purge_field_values().await.unwrap() > 0 {}
    assert_eq!((app.number(count).await, app.number("SELECT CAST(count(*) AS BIGINT) FROM gone_fields").await), (0, 0));
    // Its key is free again, and nothing of the old one is in the new.
    create(&app, &key, json!({"name": "Colour", "dataType": "TEXT"})).await.expect(201);
    assert_eq!(app.get(&at).key(&key).send().await.expect(200)["contact"]["customFields"], json!([]));
    let told = app.get(&format!("/events?subject={id}")).key(&key).send().await.expect(200);
    let told: Vec<(&str, bool, bool)> = told["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (event["type"].as_str().unwrap(), event["before"].is_object(), event["after"].is_object()))
        .collect();
    assert_eq!(told, [("custom_field.created", false, true), ("custom_field.deleted", true, false)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_fields_are_refused_with_every_reason() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    for (body, reasons) in [
        (json!({}), vec!["name", "dataType"]),
        (json!({"name": "x", "dataType": "NOTHING"}), vec!["dataType must be one of TEXT, LARGE_TEXT"]),
        (json!({"name": "x".repeat(201), "dataType": "TEXT", "position": -1}), vec!["name", "position"]),
        (json!({"name": "x", "dataType": "TEXT", "options": ["a"]}), vec!["options belongs to CHECKBOX"]),
        (json!({"name": "x", "dataType": "RADIO", "options": ["a", "a"]}), vec!["options has a twice"]),
        (json!({"name": "x", "dataType": "RADIO", "options": ["a\nb"]}), vec!["options each value in it"]),
        (json!({"name": "x", "dataType": "FILE_UPLOAD", "acceptedFormat": ["a/b"]}), vec!["acceptedFormat each"]),
        (json!({"name": "x", "dataType": "FILE_UPLOAD", "maxNumberOfFiles": 51}), vec!["maxNumberOfFiles"]),
        (
            json!({"name": "x", "dataType": "TEXTBOX_LIST", "textBoxListOptions": [{}, {"label": "a", "prefillValue": 5}]}),
            vec!["textBoxListOptions.0.label", "textBoxListOptions.1.prefillValue"],
        ),
        (json!({"name": "E-Mail", "dataType": "EMAIL", "model": "contact", "id": "x"}), vec!["property id"]),
        (json!({"name": "First name", "dataType": "TEXT"}), vec!["name makes the key contact.first_name"]),
    ] {
        let refused = create(&app, &key, body.clone()).await.expect(422);
        let found = refused["message"].as_array().unwrap();
        assert_eq!(found.len(), reasons.len(), "{body}: {refused}");
        for (found, reason) in found.iter().zip(reasons) {
            assert!(found.as_str().unwrap().starts_with(reason), "{body}: {refused}");
        }
    }
    create(&app, &key, json!({"name": "Shoe size", "dataType": "FLOAT"})).await.expect(201);
    let same = create(&app, &key, json!({"name": "SHOE-SIZE", "dataType": "TEXT"})).await.expect(409);
    assert!(same["message"].as_str().unwrap().contains("contact.shoe_size"), "{same}");
    let listed = app.get(&path(&app)).key(&key).send().await.expect(200);
    assert_eq!(listed["customFields"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_older_api_has_its_own_spellings() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let create = async |body: Value| app.post("/v1/custom-fields/").key(&key).json(&body).send().await;
    for spelling in ["isMultipalFile", "isMulitpalFile", "isMultipleFile"] {
        let new = json!({"name": spelling, "dataType": "FILE_UPLOAD", "acceptedFormat": [".pdf"], spelling: true});
        let made = create(new).await.expect(200);
        let one = app.get(&format!("{}/{}", path(&app), made["id"].as_str().unwrap())).key(&key).send().await;
        assert_eq!(one.expect(200)["customField"]["isMultiFileAllowed"], true, "{spelling}");
    }
    for kind in ["SINGLE_OPTIONS", "MULTIPLE_OPTIONS", "CHECKBOX", "FILE_UPLOAD", "TEXTBOX_LIST"] {
        let refused = create(json!({"name": kind, "dataType": kind})).await.expect(422);
        assert_eq!(refused["options or acceptedFormat or textBoxListOptions"]["rule"], "required", "{kind}");
    }
    let refused = create(json!({"whatever": 1})).await.expect(422);
    assert_eq!((&refused["name"]["rule"], &refused["dataType"]["rule"]), (&json!("required"), &json!("required")));
    let made = create(json!({"name": "Size", "dataType": "SINGLE_OPTIONS", "options": ["S", "M"]})).await.expect(200);
    assert_eq!((&made["dateType"], &made["picklistOptions"]), (&json!("SINGLE_OPTIONS"), &json!(["S", "M"])));
    let one = format!("/v1/custom-fields/{}", made["id"].as_str().unwrap());
    assert_eq!(app.delete(&one).key(&key).send().await.expect(200), "");
    let gone = app.get(&one).key(&key).send().await.expect(422);
    assert_eq!(gone["customFieldId"]["message"], "The custom field id is invalid.");
}
