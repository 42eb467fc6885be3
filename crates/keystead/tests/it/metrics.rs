//! What is measured: every request and refusal by its route, face and reason, and whatever the dashboard and the alerts ask.

use std::{collections::BTreeSet, time::Duration};

use keystead_testkit::{Answer, TestApp, TestDatabase};
use serde_json::json;

const DASHBOARD: &str = include_str!("../../../../docs/monitoring/grafana.json");
const ALERTS: &str = include_str!("../../../../docs/monitoring/alerts.yml");

async fn start() -> TestApp {
    TestApp::start_with(|config| config.metrics_token = Some("a token".to_owned())).await
}

async fn read(app: &TestApp) -> Answer {
    app.get("/metrics").header("Authorization", "Bearer a token").send().await
}

/// The value of a series; its labels may come in any order.
fn value(metrics: &str, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let fits = |line: &&str| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
            && labels.iter().all(|(label, value)| line.contains(&format!("{label}=\"{value}\"")))
    };
    metrics.lines().find(fits)?.rsplit(' ').next()?.parse().ok()
}

/// Names of metrics in a text.
fn names(text: &str) -> BTreeSet<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(|c| !is_part(c))
        .filter(|word| (word.starts_with("keystead_") || word.starts_with("process_")) && word.len() > 10)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_and_refusal_is_counted() {
    let app = start().await;
    let key = app.location_key().await;
    let made = app.post("/contacts/").key(&key).json(&json!({"name": "Ada"})).send().await.expect(201);
    let path = format!("/contacts/{}", made["contact"]["id"].as_str().unwrap());
    for _ in 0..3 {
        app.get(&path).key(&key).send().await.expect(200);
    }
    app.get("/contacts/nonsense").key(&key).send().await.expect(400);
    app.get("/contacts/").send().await.expect(401);
    app.get("/no/such/route").key(&key).send().await.expect(404);
    app.get("/app/sign-in").send().await;
    app.post("/app/sign-in").header("Sec-Fetch-Site", "same-origin").form(&[("email", "a\0")]).send().await;
    app.get("/app/agency").send().await;
    let metrics = read(&app).await.text;
    let counted = |face, route, class| {
        value(&metrics, "keystead_requests_total", &[("face", face), ("route", route), ("class", class)])
    };
    assert_eq!(counted("api", "POST /contacts", "2xx"), Some(1.0));
    assert_eq!(counted("api", "GET /contacts/{contactId}", "2xx"), Some(3.0));
    assert_eq!(counted("api", "GET /contacts/{contactId}", "4xx"), Some(1.0));
    assert_eq!(counted("api", "GET /contacts", "4xx"), Some(1.0));
    assert_eq!(counted("api", "none", "4xx"), Some(1.0));
    assert_eq!(counted("web", "GET /app/sign-in", "2xx"), Some(1.0));
    assert_eq!(counted("web", "POST /app/sign-in", "4xx"), Some(1.0));
    assert_eq!(counted("web", "GET /app/agency", "3xx"), Some(1.0));
    assert_eq!(counted("api", "DELETE /contacts/{contactId}", "2xx"), None, "series begin with their first request");
    for code in ["key_missing", "route_unknown", "invalid_input"] {
        assert_eq!(value(&metrics, "keystead_refusals_total", &[("code", code)]), Some(1.0), "{code}");
    }
    assert_eq!(value(&metrics, "keystead_refusals_total", &[("code", "rate_limited"), ("status", "429")]), Some(0.0));
    for end in ["0.005", "0.05", "0.25", "+Inf"] {
        let labels = [("face", "api"), ("route", "GET /contacts/{contactId}"), ("le", end)];
        assert!(value(&metrics, "keystead_request_seconds_bucket", &labels).is_some(), "{end}");
    }
    assert!(value(&metrics, "keystead_commits_total", &[]).unwrap() >= 1.0);
    assert!(value(&metrics, "keystead_writes_total", &[]) >= value(&metrics, "keystead_commits_total", &[]));
    let lane = if TestDatabase::is_postgres() { "general" } else { "write" };
    assert!(value(&metrics, "keystead_database_wait_seconds_count", &[("lane", lane)]).unwrap() >= 1.0);
    // Tokens, keys and what people are called are in no label.
    assert!(!metrics.contains(key.id.as_str()) && !metrics.contains("Ada"));
    assert_eq!(app.get("/metrics").send().await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_the_dashboard_and_the_alerts_ask_is_there() {
    let app = start().await;
    let key = app.location_key().await;
    app.post("/contacts/").key(&key).json(&json!({"name": "Ada"})).send().await.expect(201);
    // What runs by the clock runs every few seconds.
    let begun = std::time::Instant::now();
    let wanted: BTreeSet<&str> = names(DASHBOARD).union(&names(ALERTS)).copied().collect();
    assert!(wanted.len() > 30, "{wanted:?}");
    loop {
        let answer = read(&app).await;
        assert_eq!(answer.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
        let served = names(&answer.text);
        let mut missing: BTreeSet<&str> = wanted.difference(&served).copied().collect();
        if TestDatabase::is_postgres() {
            missing.remove("keystead_wal_bytes");
        }
        if missing.is_empty() {
            // And the other way round: what nobody looks at need not be measured.
            let base = |name: &'static str| {
                ["_bucket", "_sum", "_count", "_total"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
            };
            let shown: BTreeSet<&str> = wanted.iter().map(|name| base(name)).collect();
            let unseen: Vec<&str> = answer
                .text
                .lines()
                .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
                .filter(|name| !shown.contains(name))
                .collect();
            assert_eq!(unseen, ["keystead_queue_places"], "in no panel and no alert");
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "missing: {missing:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_has_just_begun_is_heard_of() {
    let app = TestApp::start().await;
    // It says so every ten seconds, and the first time at once.
    for _ in 0..40 {
        if let [node] = &app.app.system_status().await.unwrap().nodes[..] {
            assert_eq!(node.address, app.address.to_string());
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no server was heard of");
}
