//! The authorization matrix: every route of the table × every principal.
//!
//! Whoever a route is for succeeds with the sample that strangers are tried with, so that these are refused for who they are,
//! and not for what they send. A new route without a sample fails that, and cannot be forgotten.

use std::time::Duration;

use http::Method;
use keystead_api::{Access, Face, routes};
use keystead_core::{NewAgency, RateLimits};
use keystead_model::{
    agency::TenantName,
    api_key::{KeyAbout, KeyName, NewKey},
    grant::{Grant, Reach},
    ip_range::IpRanges,
    key_kind::KeyKind,
    key_secret::KeySecret,
    scope::ScopeSet,
};
use keystead_testkit::{Answer, Call, TestApp, TestKey};
use tokio::task::JoinSet;

use crate::targets::{CANARY, Target, target};

/// Somebody who calls, and has no right to anything of the location that is tried.
struct Stranger {
    name: &'static str,
    key: Option<TestKey>,
    /// Whether the key works where it belongs.
    is_alive: bool,
}

async fn strangers(app: &TestApp) -> Vec<Stranger> {
    let own = Reach::location(app.ids.location);
    let operator = app.operator().await;
    let location_scopes = ScopeSet::all(KeyKind::Location);
    let sibling = app.location("Sibling").await;
    let deactivated = app.location_key().await;
    app.app.deactivate_key(operator.authority(), deactivated.id).await.unwrap();
    let deleted = app.location_key().await;
    app.app.delete_key(operator.authority(), deleted.id).await.unwrap();
    let expiring = app
        .key_with(own.clone(), location_scopes, |new| {
            new.grant.expires_at = Some(app.app.now() + Duration::from_secs(1));
        })
        .await;
    app.clock.advance(Duration::from_secs(2));
    let elsewhere = app
        .key_with(own.clone(), location_scopes, |new| {
            new.grant.allowed_ips = IpRanges::parse(["192.0.2.1"]).unwrap();
        })
        .await;
    let mut wrong = app.location_key().await;
    let other = app.location_key().await;
    // The right id with the secret of another key: form and checksum are made right, the hash is not.
    wrong.secret = forged(&wrong, &other);
    let garbage = TestKey { id: wrong.id, secret: "ks_location_garbage".to_owned() };
    let foreign_agency = app.app.create_agency(NewAgency { name: TenantName::parse("Other").unwrap() }).await.unwrap();
    let foreign_operator = app.app.operator_in(foreign_agency.id).await.unwrap();
    let foreign_key = app
        .app
        .create_key(
            foreign_operator.authority(),
            NewKey {
                name: KeyName::parse("Foreign").unwrap(),
                about: KeyAbout::default(),
                grant: Grant {
                    agency: foreign_agency.id,
                    reach: Reach::Agency,
                    scopes: ScopeSet::all(KeyKind::Agency),
                    allowed_ips: IpRanges::default(),
                    expires_at: None,
                },
                rate_limit: None,
                allowed_origins: keystead_model::origin::Origins::default(),
            },
        )
        .await
        .unwrap();
    let foreign = TestKey { id: foreign_key.key.id, secret: foreign_key.secret.as_ref().unwrap().expose().to_owned() };
    let restricted = app.key_with(Reach::Chosen([sibling].into()), ScopeSet::all(KeyKind::Agency), |_| {}).await;
    let sibling_key = app.key_with(Reach::location(sibling), location_scopes, |_| {}).await;
    let dead = |name, key| Stranger { name, key, is_alive: false };
    let alive = |name, key| Stranger { name, key: Some(key), is_alive: true };
    vec![
        dead("nobody", None),
        dead("garbage", Some(garbage)),
        dead("wrong secret", Some(wrong)),
        dead("deactivated key", Some(deactivated)),
        dead("deleted key", Some(deleted)),
        dead("expired key", Some(expiring)),
        dead("key for another address", Some(elsewhere)),
        alive("agency key of another agency", foreign),
        alive("agency key restricted to a sibling", restricted),
        alive("location key of a sibling", sibling_key),
    ]
}

/// `right`'s text with `other`'s random part, and the checksum that fits.
fn forged(right: &TestKey, other: &TestKey) -> String {
    let kind = KeyKind::Location;
    let mut characters = other.secret.bytes().skip(25).cycle();
    let secret = KeySecret::generate(kind, right.id, |pool| {
        for byte in pool {
            *byte = characters.next().unwrap();
        }
    });
    secret.expose().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_a_route_is_for_gets_in() {
    let app = TestApp::start_with(|config| config.limits.rate = RateLimits::OFF).await;
    let all = async |reach: Reach, kind| app.key_with(reach, ScopeSet::all(kind), |_| {}).await;
    let location_key = all(Reach::location(app.ids.location), KeyKind::Location).await;
    let agency_key = all(Reach::Agency, KeyKind::Agency).await;
    let target = target(&app, &location_key).await;
    // What only reads leaves all as it was, and the next begins there: making it anew takes a second.
    let mut untouched: Option<Target> = None;
    for route in routes() {
        // So that each route of API 2.0 answers a success in both of its shapes.
        let [older, newest] = [Some("2021-07-28"), Some("v3")];
        let own: &[(&str, Option<&TestKey>, Option<&str>)] = match (route.access(), route.face) {
            // API 1.0 has no place for a location in a request.
            (Access::Location, Face::V1) => &[("location key", Some(&location_key), None)],
            (Access::Location, Face::V2) | (Access::Either, _) => {
                &[("location key", Some(&location_key), older), ("agency key", Some(&agency_key), newest)]
            }
            (Access::Agency, _) => {
                &[("agency key", Some(&agency_key), older), ("agency key", Some(&agency_key), newest)]
            }
            (Access::Open | Access::Public, _) => {
                &[("nobody", None, older), ("location key", Some(&location_key), newest)]
            }
        };
        for (name, key, version) in own {
            let renewed = match untouched.take() {
                Some(target) => target,
                None => target.renewed(&app, &location_key).await,
            };
            untouched = (route.method == Method::GET).then(|| renewed.clone());
            let mut target = renewed.begun_for(&app, &location_key, &route).await;
            if route.path == "/api-keys/{id}" {
                target.key = app.location_key().await.id.to_string();
            }
            let call = target.call(&app, &route);
            let call = key.iter().fold(call, |call, key| call.key(key));
            let call = version.iter().fold(call, |call, version| call.header("Version", version));
            let answer = call.send().await;
            assert!(answer.is_ok(), "{} as {name}: {} {}", route.endpoint, answer.status, answer.text);
        }
    }
}

async fn one_by_one(calls: impl Iterator<Item = Call>) -> Vec<Answer> {
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.send().await);
    }
    answers
}

/// A key that is refused is read again for each request, ten times a second: those who wait for that meanwhile share it.
async fn at_once(calls: impl Iterator<Item = Call>) -> Vec<Answer> {
    let mut under_way = JoinSet::new();
    for (number, call) in calls.enumerate() {
        under_way.spawn(async move { (number, call.send().await) });
    }
    let mut answers = under_way.join_all().await;
    answers.sort_by_key(|(number, _)| *number);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_stranger_gets_in_anywhere() {
    let app = TestApp::start().await;
    let own_key = app.location_key().await;
    let target = target(&app, &own_key).await;
    let strangers = strangers(&app).await;
    let before = target.seen(&app, &own_key).await;
    for Stranger { name, key, is_alive } in &strangers {
        // What anybody may call answers everybody the same; its own test says so.
        let mut routes = routes();
        routes.retain(|route| !matches!(route.access(), Access::Open | Access::Public));
        let calls = routes.iter().map(|route| key.iter().fold(target.call(&app, route), Call::key));
        let answers = if *is_alive { one_by_one(calls).await } else { at_once(calls).await };
        for (route, answer) in routes.iter().zip(answers) {
            let context = format!("{} as {name}: {} {}", route.endpoint, answer.status, answer.text);
            assert!(!answer.text.contains(CANARY) && !answer.text.contains("canary4711"), "{context}");
            assert!(answer.status < 500, "{context}");
            // Keys that are alive elsewhere act on what is theirs where a request names nothing.
            let names_something = route.path.contains('{') || target.address(route, "").contains('?');
            // A company is its own for every agency key of it, whichever locations that reaches.
            let is_own_company =
                route.path == "/companies/{companyId}" && *name == "agency key restricted to a sibling";
            let acts_on_own = *is_alive && (!names_something || is_own_company);
            assert!(acts_on_own || (400..500).contains(&answer.status), "{context}");
            if acts_on_own && answer.is_ok() {
                assert!(!answer.text.contains(&target.location), "{context}");
            }
        }
    }
    assert_eq!(target.seen(&app, &own_key).await, before, "something was changed by one of them");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_refuses_a_key_without_its_scope_or_of_the_wrong_kind() {
    // A key for each route.
    let app = TestApp::start_with(|config| config.limits.keys_per_owner = 10_000).await;
    let location_key = app.location_key().await;
    let target = target(&app, &location_key).await;
    for route in routes() {
        if let Some(scope) = route.scope {
            let is_agency = route.access() == Access::Agency;
            let reach = if is_agency { Reach::Agency } else { Reach::location(app.ids.location) };
            let kind = if is_agency { KeyKind::Agency } else { KeyKind::Location };
            let without = app.key_with(reach, ScopeSet::all(kind).without(scope), |_| {}).await;
            let answer = target.send(&app, &route, Some(&without)).await;
            assert_eq!(answer.status, 401, "{} without {scope}: {}", route.endpoint, answer.text);
            // Where a part of a scope is enough, the whole is named: it is what the contract says.
            let named = scope.whole().unwrap_or(scope);
            assert_eq!(answer.json()["required"], named.as_str(), "{}", route.endpoint);
        }
        if route.access() == Access::Agency {
            let answer = target.send(&app, &route, Some(&location_key)).await;
            assert_eq!(answer.status, 401, "{}: {}", route.endpoint, answer.text);
        }
    }
}
