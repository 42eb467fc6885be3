//! Random bodies and queries at every route: whatever comes, the answer is a success or a documented 4xx.

use std::collections::BTreeSet;

use keystead_api::{Route, routes};
use keystead_testkit::TestApp;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Map, Value, json};

use crate::targets::location_for;

/// All names that a schema knows, also of what is inside.
fn names_in(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(fields) = schema["properties"].as_object() {
                names.extend(fields.keys().cloned());
            }
            members.values().for_each(|member| names_in(member, names));
        }
        Value::Array(list) => list.iter().for_each(|member| names_in(member, names)),
        _ => {}
    }
}

/// Names of fields that a route knows, so that the parsers behind them are reached.
fn names_of(route: &Route) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    names_in(&route.query_schema(), &mut names);
    names_in(&route.body_schema().unwrap_or_default(), &mut names);
    names
}

/// Texts that break things elsewhere.
const NAUGHTY: &[&str] = &[
    "",
    " ",
    "\u{0}",
    "a\u{0}b",
    "%00",
    "../../etc/passwd",
    "' OR 1=1 --",
    "\u{202e}abc",
    "𝒳",
    "\u{fffd}",
    "NaN",
    "-1",
    "1e400",
    "9223372036854775808",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "ks_location_Hq3vT0bZk9Wd_8sFvN1cQyT5rLz0aGmXe4UoKpBi7WdJh3Qdrl0",
    "a@b.co",
    "+14155550123",
    "2026-12-01T00:00:00Z",
    "9999999-01-01",
    "full-access",
    "contacts.readonly",
    "location",
    "P7D",
    "DE",
    "Europe/Berlin",
    "00000000000000000000",
    "active",
];

fn value(name: BoxedStrategy<String>) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| serde_json::Number::from_f64(number).map_or(Value::Null, Value::Number)),
        prop::sample::select(NAUGHTY).prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..5).prop_map(object),
        ]
    })
}

fn object(fields: Vec<(String, Value)>) -> Value {
    Value::Object(fields.into_iter().collect::<Map<_, _>>())
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_sent_the_answer_is_documented() {
    let app = TestApp::start_with(|config| config.limits.rate = keystead_core::RateLimits::OFF).await;
    let (location, agency) = (app.location_key().await, app.agency_key().await);
    let contact = app.post("/contacts/").key(&location).json(&json!({"name": "Ada"})).send().await.expect(201);
    let contact = contact["contact"]["id"].as_str().unwrap();
    // The same seed each time: a failure can be repeated.
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let text = prop_oneof![prop::sample::select(NAUGHTY).prop_map(str::to_owned), ".{0,20}"];
    let all: BTreeSet<String> = routes().iter().flat_map(names_of).collect();
    for route in routes() {
        // A third of what is sent has names of other routes.
        let own = names_of(&route);
        let own = if own.is_empty() { &all } else { &own };
        let [own, all] = [own, &all].map(|names| names.iter().cloned().collect::<Vec<_>>());
        let name = prop_oneof![2 => prop::sample::select(own), 1 => prop::sample::select(all)].boxed();
        let fields = prop::collection::vec((name.clone(), value(name.clone())), 0..8);
        let query = prop::collection::vec((name, text.clone()), 0..4);
        // What is deleted is not what all others are tried with.
        let place = location_for(&app, route.endpoint).await.unwrap_or(app.ids.location);
        for round in 0..12 {
            let mut path = route.path.replace("{contactId}", contact).replace("{locationId}", place.as_str());
            while let (Some(start), Some(end)) = (path.find('{'), path.find('}')) {
                path.replace_range(start..=end, "00000000000000000000");
            }
            let pairs = query.new_tree(&mut runner).unwrap().current();
            let query: Vec<String> = pairs
                .iter()
                .map(|(name, value)| {
                    let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
                    format!("{}={}", encode(name), encode(value))
                })
                .collect();
            let body = object(fields.new_tree(&mut runner).unwrap().current());
            let url = if round % 2 == 0 { format!("{path}?{}", query.join("&")) } else { path };
            let key = if round % 3 == 0 { &agency } else { &location };
            let call = app.call(route.method.clone(), &url).key(key);
            let answer = if route.method == "GET" { call.send().await } else { call.json(&body).send().await };
            assert!(answer.status < 500, "{} {url} {body}: {} {}", route.method, answer.status, answer.text);
        }
    }
}
