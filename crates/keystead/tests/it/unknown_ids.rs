//! Ids of others are answered like ids that nobody has: in paths, in queries and in bodies, with the same status and the same
//! words.
//!
//! Whoever calls has a location of their own; the things of another location are foreign to them, and those of another
//! instance are not there at all.

use std::collections::BTreeMap;

use keystead_api::{Access, Face, Route, routes};
use keystead_core::{NewAgency, RateLimits};
use keystead_model::{LocationId, agency::TenantName, grant::Reach, key_kind::KeyKind, scope::ScopeSet};
use keystead_testkit::{Answer, TestApp, TestKey};
use serde_json::{Value, json};

use crate::{
    fields::fields_of,
    targets::{Target, target},
};

async fn instance() -> (TestApp, Target) {
    let app = TestApp::start_with(|config| config.limits.rate = RateLimits::OFF).await;
    let key = app.key_with(Reach::location(app.ids.location), ScopeSet::all(KeyKind::Location), |_| {}).await;
    let target = target(&app, &key).await;
    (app, target)
}

/// Who has a location of their own, by each kind of key.
struct Callers {
    location: LocationId,
    keys: [(&'static str, TestKey); 2],
}

async fn callers(app: &TestApp) -> Callers {
    let location = app.location("Sibling").await;
    let of_location = app.key_with(Reach::location(location), ScopeSet::all(KeyKind::Location), |_| {}).await;
    let chosen = app.key_with(Reach::Chosen([location].into()), ScopeSet::all(KeyKind::Agency), |_| {}).await;
    Callers { location, keys: [("location key", of_location), ("restricted agency key", chosen)] }
}

/// What is the same of two answers: ids and what each request has of its own are taken out of a refusal, and of a success there
/// is its form.
fn told(answer: &Answer, target: &Target) -> (u16, String) {
    if answer.is_ok() {
        return (
            answer.status,
            serde_json::from_str(&answer.text).map_or_else(|_| String::new(), |value: Value| form(&value)),
        );
    }
    let mut value: Value = answer.json();
    value.as_object_mut().map(|fields| fields.remove("traceId"));
    let text = target.ids().iter().fold(value.to_string(), |text, (name, id)| text.replace(*id, &format!("<{name}>")));
    (answer.status, text)
}

/// The names in it. Lists of the caller's own get longer meanwhile.
fn form(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<&String, String> = fields.iter().map(|(name, value)| (name, form(value))).collect();
            format!("{fields:?}")
        }
        Value::Array(list) => format!("{:?}", list.first().map(form)),
        _ => String::new(),
    }
}

/// Things that are not the caller's, and what is not there at all, in the caller's own location or wherever they are.
struct Pair {
    foreign: Target,
    absent: Target,
}

impl Pair {
    /// Asks for both by a request that `ask` makes, and holds what is answered against each other.
    async fn compare(&self, context: &str, ask: impl AsyncFn(&Target) -> Answer) {
        let (foreign, absent) = (ask(&self.foreign).await, ask(&self.absent).await);
        let (known, unknown) = (told(&foreign, &self.foreign), told(&absent, &self.absent));
        assert_eq!(known, unknown, "{context}");
    }

    /// The same in a location.
    fn within(&self, location: LocationId) -> Self {
        let there = |target: &Target| Target { location: location.to_string(), ..target.clone() };
        Self { foreign: there(&self.foreign), absent: there(&self.absent) }
    }
}

/// The id of what is called so. A cursor is a place in an order, whether somebody is there or not.
fn called<'t>(target: &'t Target, name: &str) -> Option<&'t str> {
    let plain = name.replace('_', "").to_ascii_lowercase();
    let plain = match plain.as_str() {
        "assignedto" | "followers" | "user" => "userid",
        "contacts" | "contactids" | "contact" => "contactid",
        "locationids" | "allowedlocations" => "locationid",
        "stageid" => "pipelinestageid",
        "id" => "opportunityid",
        other => other,
    };
    target.ids().into_iter().find(|(known, _)| known.to_ascii_lowercase() == plain).map(|(_, id)| id)
}

async fn in_queries(app: &TestApp, pair: &Pair, route: &Route, name: &str, key: &TestKey) {
    let schema = route.query_schema();
    for parameter in schema["properties"].as_object().into_iter().flatten().map(|(parameter, _)| parameter) {
        if called(&pair.foreign, parameter).is_none() || ["locationId", "location_id"].contains(&parameter.as_str()) {
            continue;
        }
        let context = format!("{} as {name}, {parameter} in the query", route.endpoint);
        pair.compare(&context, async |target| {
            let address = target.address(route, "");
            let sign = if address.contains('?') { '&' } else { '?' };
            let id = called(target, parameter).unwrap_or_default();
            app.get(&format!("{address}{sign}{parameter}={id}")).key(key).send().await
        })
        .await;
    }
}

async fn in_bodies(app: &TestApp, pair: &Pair, route: &Route, name: &str, key: &TestKey) {
    for field in fields_of(route).iter().filter(|field| field.is_reference()) {
        let parameter = field.last();
        if called(&pair.foreign, parameter).is_none() || parameter == "locationId" {
            continue;
        }
        let context = format!("{} as {name}, {field:?} in the body", route.endpoint);
        pair.compare(&context, async |target| {
            let mut body = target.body(route).unwrap_or_default();
            field.set(&mut body, json!(called(target, parameter)));
            app.call(route.method.clone(), &target.address(route, "")).key(key).json(&body).send().await
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_ids_are_answered_like_unknown_ones() {
    let ((app, mut foreign), (_other, absent)) = (instance().await, instance().await);
    // One's own company is nothing foreign.
    let other = app.app.create_agency(NewAgency { name: TenantName::parse("Other").unwrap() }).await.unwrap();
    foreign.company = other.id.to_string();
    let Callers { location, keys } = callers(&app).await;
    let anywhere = Pair { foreign, absent };
    let here = anywhere.within(location);
    let routes = routes();
    let closed = routes.iter().filter(|route| !matches!(route.access(), Access::Open | Access::Public));
    for route in closed {
        for (name, key) in &keys {
            // Whoever reaches a location may delete it, which is no question of ids.
            let takes_place = route.path.ends_with("/locations/{locationId}") || route.path.ends_with("/restore");
            let pairs = [("elsewhere", &anywhere), ("here", &here)];
            for (place, pair) in pairs.into_iter().take(if takes_place { 1 } else { 2 }) {
                let context = format!("{} as {name}, {place}", route.endpoint);
                pair.compare(&context, async |target| target.send(&app, route, Some(key)).await).await;
            }
            if route.face == Face::V1 && *name != "location key" {
                continue;
            }
            if route.method == "GET" {
                in_queries(&app, &here, route, name, key).await;
            } else if route.takes_json() {
                in_bodies(&app, &here, route, name, key).await;
            }
        }
    }
}
