//! Dates and times: what is sent is what is kept, in the zone of whoever it belongs to.

use keystead_model::{grant::Reach, scope::Preset};
use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

/// A location whose clocks show Berlin's time, and a key of it.
async fn berlin(app: &TestApp) -> TestKey {
    let location = format!("/locations/{}", app.ids.location);
    let zone = json!({"timezone": "Europe/Berlin"});
    app.put(&location).key(&app.agency_key().await).json(&zone).send().await.expect(200);
    app.location_key().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_due_when_it_was_said_to_be() {
    let app = TestApp::start().await;
    let key = berlin(&app).await;
    let made = app.post("/contacts/").key(&key).json(&json!({"name": "Ada"})).send().await.expect(201);
    let tasks = format!("/contacts/{}/tasks", made["contact"]["id"].as_str().unwrap());
    for (sent, kept) in [
        (json!("2027-01-01T10:30:00Z"), "2027-01-01T10:30:00.000Z"),
        (json!("2027-01-01T10:30:00-05:00"), "2027-01-01T15:30:00.000Z"),
        (json!("2027-01-01T10:30:00"), "2027-01-01T09:30:00.000Z"),
        (json!("2027-07-01T10:30"), "2027-07-01T08:30:00.000Z"),
        (json!("2027-01-01"), "2026-12-31T23:00:00.000Z"),
        (json!("9999-12-31"), "9999-12-30T23:00:00.000Z"),
        (json!("9999-12-31T23:59:59Z"), "9999-12-31T23:59:59.000Z"),
        (json!(1_798_800_600_000_i64), "2027-01-01T10:50:00.000Z"),
    ] {
        let task = json!({"title": "x", "dueDate": sent, "completed": false});
        let made = app.post(&tasks).key(&key).json(&task).send().await.expect(201);
        assert_eq!(made["task"]["dueDate"], kept, "{sent}");
        let path = format!("{tasks}/{}", made["task"]["id"].as_str().unwrap());
        let changed = app.put(&path).key(&key).json(&json!({"dueDate": sent})).send().await.expect(200);
        assert_eq!(changed["task"]["dueDate"], kept, "{sent}");
        let v1 = app.post(&format!("/v1{tasks}")).key(&key).json(&task).send().await.expect(200);
        assert_eq!(v1["dueDate"], kept, "{sent} in API 1.0");
        let path = format!("/v1{tasks}/{}", v1["id"].as_str().unwrap());
        assert_eq!(app.put(&path).key(&key).json(&task).send().await.expect(200)["dueDate"], kept, "{sent}");
    }
    for sent in ["2027-02-29", "2027-01-01T25:00:00", "tomorrow", "10000-01-01", "1969-12-30", "0000-00-00"] {
        let task = json!({"title": "x", "dueDate": sent, "completed": false});
        let refused = app.post(&tasks).key(&key).json(&task).send().await.expect(422);
        assert_eq!(refused["message"], json!(["dueDate must be a valid ISO 8601 date string"]), "{sent}");
    }
    let task = json!({"title": "x", "dueDate": 1_798_800_000, "completed": false});
    let refused = app.post(&tasks).key(&key).json(&task).send().await.expect(422);
    assert!(refused["message"][0].as_str().unwrap().ends_with("this looks like seconds"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_ends_on_a_day_works_to_the_end_of_that_day() {
    let app = TestApp::start().await;
    berlin(&app).await;
    let agency = app.agency_key().await;
    let create = async |body: Value| app.post("/api-keys").key(&agency).json(&body).send().await.expect(201);
    let location = json!({
        "name": "x", "kind": "location", "locationId": app.ids.location, "preset": "read-only", "expiresAt": "2026-12-31",
    });
    let made = create(location).await;
    assert_eq!(made["apiKey"]["expiresAt"], "2026-12-31T22:59:59.999Z", "the location's day");
    let of_agency = json!({"name": "x", "kind": "agency", "preset": "read-only", "expiresAt": "2026-12-31"});
    let of_agency = create(of_agency).await;
    assert_eq!(of_agency["apiKey"]["expiresAt"], "2026-12-31T23:59:59.999Z", "an agency's days are UTC's");
    let exact = json!({"name": "x", "kind": "agency", "preset": "read-only", "expiresAt": "2026-12-31T12:00:00+01:00"});
    assert_eq!(create(exact).await["apiKey"]["expiresAt"], "2026-12-31T11:00:00.000Z");

    let path = format!("/api-keys/{}", made["apiKey"]["id"].as_str().unwrap());
    let patch = async |body: Value| app.patch(&path).key(&agency).json(&body).send().await.expect(200);
    let later = patch(json!({"expiresAt": "2027-01-31"})).await;
    assert_eq!(later["apiKey"]["expiresAt"], "2027-01-31T22:59:59.999Z");
    let later = patch(json!({"expiresAt": "2027-01-31T08:00"})).await;
    assert_eq!(later["apiKey"]["expiresAt"], "2027-01-31T07:00:00.000Z");
    assert!(patch(json!({"clear": ["expiresAt"]})).await["apiKey"]["expiresAt"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_to_a_day_holds_that_day() {
    let app = TestApp::start().await;
    let key = app.key(Reach::Agency, Preset::FullAccess).await;
    let read = async |path: &str| app.get(path).key(&key).send().await.expect(200);
    let rows = read("/audit-logs?startAt=2026-11-25&endAt=2026-11-25").await;
    assert!(!rows["auditLogs"].as_array().unwrap().is_empty());
    let rows = read("/audit-logs?endAt=2026-11-24").await;
    assert!(rows["auditLogs"].as_array().unwrap().is_empty());
    let usage = read(&format!("/api-keys/{}/usage?startAt=2026-11-25&endAt=2026-11-25", key.id)).await;
    assert_eq!(usage["usage"]["endAt"], "2026-11-26T00:00:00.000Z");
    for duration in ["P91D", "P13W", "PT360H", "P2W"] {
        read(&format!("/api-keys?idleWithin={duration}")).await;
    }
    for duration in ["P92D", "P1M", "15", "-P1D"] {
        app.get(&format!("/api-keys?idleWithin={duration}")).key(&key).send().await.expect(422);
    }
}
