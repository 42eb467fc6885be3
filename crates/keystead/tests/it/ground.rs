//! An instance with one thing of each noun, and calls of any of its routes by whoever may do everything.

use std::collections::BTreeSet;

use keystead_api::{Access, Face, Route, routes};
use keystead_core::RateLimits;
use keystead_model::{grant::Reach, key_kind::KeyKind, scope::ScopeSet};
use keystead_store::{Store, Tx};
use keystead_testkit::{Answer, Call, TestApp, TestKey};
use serde_json::{Map, Value, json};

use crate::{
    fields::Field,
    targets::{Target, target},
};

/// An instance, one thing of each noun, and those who may do everything.
pub(crate) struct Ground {
    pub(crate) app: TestApp,
    pub(crate) target: Target,
    pub(crate) location_key: TestKey,
    pub(crate) agency_key: TestKey,
    store: Store,
    pub(crate) routes: Vec<Route>,
}

impl Ground {
    pub(crate) async fn new() -> Self {
        let app = TestApp::start_with(|config| {
            config.limits.rate = RateLimits::OFF;
            config.limits.keys_per_owner = 10_000;
        })
        .await;
        let all = ScopeSet::all(KeyKind::Location);
        let location_key = app.key_with(Reach::location(app.ids.location), all, |_| {}).await;
        let agency_key = app.key_with(Reach::Agency, ScopeSet::all(KeyKind::Agency), |_| {}).await;
        let target = target(&app, &location_key).await;
        let store = app.second_store();
        Self { app, target, location_key, agency_key, store, routes: routes() }
    }

    /// What takes a body of JSON.
    pub(crate) fn writing(&self, face: Face) -> impl Iterator<Item = &Route> {
        let is_one = move |route: &&Route| route.face == face && route.takes_json();
        // What anybody may call is limited by where it comes from.
        self.routes.iter().filter(is_one).filter(|route| route.access() != Access::Open)
    }

    /// A call of a route in the state that it begins from.
    pub(crate) async fn call(&self, route: &Route) -> Call {
        let target = self.target.clone().begun_for(&self.app, &self.location_key, route).await;
        let call = self.app.call(route.method.clone(), &target.address(route, ""));
        call.key(self.key(route))
    }

    pub(crate) fn key(&self, route: &Route) -> &TestKey {
        if route.access() == Access::Location { &self.location_key } else { &self.agency_key }
    }

    /// The last thing that happened.
    pub(crate) async fn happened(&self) -> i64 {
        let query = "SELECT max(id) FROM events";
        let read = move |tx: &mut Tx<'_>| tx.query_one(query, &[], |row| row.column());
        self.store.read::<_, keystead_store::Error, _>(read).await.unwrap()
    }

    /// Sends a body, and sees that a refusal is one.
    pub(crate) async fn send(&self, route: &Route, body: &Value) -> Answer {
        let call = self.call(route).await;
        let before = self.happened().await;
        let answer = call.json(body).send().await;
        let context = || format!("{} {body:.1000}: {} {:.1000}", route.endpoint, answer.status, answer.text);
        assert!(answer.is_ok() || (400..500).contains(&answer.status), "{}", context());
        assert!(!answer.text.contains("\"statusCode\":5"), "{}", context());
        assert!(!answer.text.contains(&self.location_key.secret), "{}", context());
        assert!(answer.is_ok() || self.happened().await == before, "it was refused and done: {}", context());
        answer
    }

    /// What a route answers to a text in all of its fields that take it, and those fields. `None` where that is nothing to ask for.
    pub(crate) async fn taken<'f>(
        &self,
        route: &Route,
        fields: &'f [Field],
        text: &str,
    ) -> Option<(Vec<&'f Field>, Answer)> {
        let sample = self.target.body(route).unwrap_or_default();
        let mut taking: Vec<&Field> = fields.iter().collect();
        loop {
            let mut body = sample.clone();
            for field in &taking {
                field.set(&mut body, json!(text));
            }
            let answer = self.send(route, &body).await;
            if answer.is_ok() {
                return Some((taking, answer));
            }
            // There is one that is called so; it is more than any body; nothing is called so; nothing was said at all; what became a
            // part of another is gone.
            let is_whole = [409, 413].contains(&answer.status) || answer.text.contains("field_unknown");
            if is_whole || text.trim().is_empty() || route.path.ends_with("/merge") {
                return None;
            }
            let named = if answer.status == 422 { refused(route.face, &answer) } else { BTreeSet::new() };
            let before = taking.len();
            taking.retain(|field| !named.iter().any(|name| field.is_named(name)));
            if taking.len() == before {
                // A part of something that lacks another part.
                taking.retain(|field| !named.iter().any(|name| field.is_beside(name)));
            }
            if taking.len() == before {
                // Not said of a field: something that one names is not there.
                taking.retain(|field| !field.is_reference());
            }
            assert!(taking.len() < before, "{} {text:.50?}: {} {:.1000}", route.endpoint, answer.status, answer.text);
        }
    }

    /// The route of another method that is about what a route has made or changed, and the address.
    pub(crate) fn about(&self, route: &Route, method: &str, id: &str) -> Option<(&Route, String)> {
        let mut known = self.routes.iter().filter(|known| known.method == method && known.face == route.face);
        let address = self.target.address(route, "");
        if route.method != "POST" {
            return known.find(|known| known.path == route.path).map(|known| (known, address));
        }
        let is_below = |known: &&Route| {
            let rest = known.path.strip_prefix(route.path).and_then(|rest| rest.strip_prefix("/"));
            // Links are read at an address of their own.
            rest.is_some_and(|rest| {
                rest.strip_prefix("id/").unwrap_or(rest).starts_with('{')
                    && rest.matches('{').count() == 1
                    && rest.ends_with('}')
            })
        };
        let known = known.find(is_below)?;
        let (path, query) = address.split_once('?').unwrap_or((&address, ""));
        let between = if known.path.contains("/id/{") { "/id" } else { "" };
        Some((known, format!("{path}{between}/{id}?{query}")))
    }
}

/// What an answer is about: the object with an id in it, or the answer itself.
pub(crate) fn thing(answer: &Value) -> Option<&Map<String, Value>> {
    let answer = answer.as_object()?;
    let inside = answer.values().filter_map(Value::as_object).find(|inside| inside.contains_key("id"));
    if answer.contains_key("id") { Some(answer) } else { inside }
}

/// The fields that a refusal names.
fn refused(face: Face, answer: &Answer) -> BTreeSet<String> {
    let answer = answer.json();
    let first = |text: &str| text.trim_start_matches("property ").split(' ').next().unwrap_or_default().to_owned();
    match face {
        Face::V2 => answer["message"].as_array().into_iter().flatten().filter_map(Value::as_str).map(first).collect(),
        Face::V1 => answer.as_object().into_iter().flatten().map(|(name, _)| first(name)).collect(),
    }
}
