//! Locations: their shapes, and what clients send that is none.

use keystead_testkit::TestApp;
use serde_json::{Value, json};

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
            "disableContactTimezone": true},
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
