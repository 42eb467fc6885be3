//! Bad bodies at every route that takes one, by the fields of its own schema: texts that break things elsewhere, wrong types,
//! broken JSON, and fields that are not the caller's to set.
//!
//! Whatever comes, the answer is a success or a documented 4xx; what is refused stores nothing, and what is taken is there
//! as it was answered.

use keystead_api::{Access, Face, Route};
use serde_json::{Map, Value, json};

use crate::{
    bad_texts,
    fields::{Field, fields_of},
    ground::{self, Ground, thing},
};

/// Whether it is answered as it was sent: trimmed, or in lower case as tags are. What is read as something else, a number for
/// example, is no text any more, and an empty one says that a field was not set.
fn is_said(text: &str, answered: &Value) -> bool {
    let same = |answered: &str| [text, text.trim(), &text.trim().to_lowercase()].contains(&answered);
    match answered {
        Value::String(answered) => text.trim().is_empty() || same(answered),
        Value::Array(list) => list.iter().all(|answered| is_said(text, answered)),
        _ => true,
    }
}

/// Whether a field of an answer says something else than the one of the body that is called so.
fn is_something_else(route: &Route, name: &str) -> bool {
    // The key chooses the location; a person's whole name is made of its parts, and an opportunity's is the title.
    let (is_v1, is_person) =
        (route.face == Face::V1, route.path.contains("/contacts") || route.path.contains("/opportunities"));
    name == "locationId" && is_v1 || name == "name" && is_person
}

/// A text in all fields of a route that take it.
async fn try_text(ground: &Ground, route: &Route, fields: &[Field], text: &str) {
    let Some((taking, answer)) = ground.taken(route, fields, text).await else { return };
    let made = answer.json();
    let Some(thing) = thing(&made) else { return };
    let context = || format!("{} {text:.50?}: {:.2000}", route.endpoint, answer.text);
    for name in taking.iter().filter_map(|field| field.top()).filter(|name| !is_something_else(route, name)) {
        assert!(thing.get(name).is_none_or(|answered| is_said(text, answered)), "{name} of {}", context());
    }
    let id = thing["id"].as_str().unwrap_or_default();
    if let Some((reading, address)) = ground.about(route, "GET", id) {
        let got = ground.app.get(&address).key(ground.key(reading)).send().await;
        assert!(got.is_ok(), "{address}: {} {}", got.text, context());
        let got = got.json();
        let got = ground::thing(&got).unwrap_or_else(|| panic!("{} {got}", reading.endpoint));
        // How a webhook fares is nobody's to say: what waits for it may be tried meanwhile.
        for (name, value) in
            thing.iter().filter(|(name, _)| !["traceId", "failures", "nextProbeAt"].contains(&name.as_str()))
        {
            assert!(got.get(name).is_none_or(|got| got == value), "{name}: {:?} {}", got.get(name), context());
        }
    }
    if let ("POST", Some((deleting, address))) = (route.method.as_str(), ground.about(route, "DELETE", id)) {
        // So that the next who is called so finds no other.
        ground.app.delete(&address).key(ground.key(deleting)).send().await;
    }
}

async fn try_texts(face: Face) {
    let ground = Ground::new().await;
    let mut texts = bad_texts::all();
    texts.push(ground.location_key.secret.clone());
    let mut count = 0;
    for route in ground.writing(face) {
        let fields = fields_of(route);
        for text in &texts {
            try_text(&ground, route, &fields, text).await;
        }
        count += fields.len();
    }
    assert!(count > 100, "only {count} fields were tried");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_texts_are_taken_whole_or_refused() {
    try_texts(Face::V2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_texts_are_taken_whole_or_refused_by_api_1_0() {
    try_texts(Face::V1).await;
}

/// What programs try to set that is not theirs to set, or that is said elsewhere.
fn not_theirs(other: &str) -> Map<String, Value> {
    let fields = json!({
        "id": other,
        "_id": other,
        "agencyId": other,
        "companyId": other,
        "createdAt": 1,
        "updatedAt": 1,
        "createdBy": {"type": "user", "id": other},
        "scopes": ["full-access"],
        "lastUsedAt": 1,
        "deleted": true,
        "isAdmin": true,
        "__proto__": {"isAdmin": true},
        "constructor": {"prototype": {"isAdmin": true}},
    });
    fields.as_object().cloned().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_callers_to_set_is_refused_or_without_effect() {
    let ground = Ground::new().await;
    let sibling = ground.app.location("Sibling").await.to_string();
    let before = ground.app.get(&format!("/locations/{sibling}")).key(&ground.agency_key).send().await.expect(200);
    for route in ground.writing(Face::V2).chain(ground.writing(Face::V1)) {
        let schema = route.body_schema().unwrap_or_default();
        let body = ground.target.body(route).unwrap_or_default();
        let mut more = not_theirs(&sibling);
        more.retain(|name, _| schema["properties"].get(name).is_none());
        let mut with_all = body.clone();
        with_all.as_object_mut().unwrap().extend(more.clone());
        let answer = ground.send(route, &with_all).await;
        let context = || format!("{}: {} {}", route.endpoint, answer.status, answer.text);
        if route.face == Face::V1 {
            // It never was strict, and does what it does without them.
            let is_there_already = answer.status == 409;
            assert!(answer.is_ok() || is_there_already, "{}", context());
            assert!(!answer.text.contains(&sibling) && !answer.text.contains("isAdmin"), "{}", context());
            continue;
        }
        let named = answer.expect(422)["message"].to_string();
        for name in more.keys() {
            assert!(named.contains(&format!("property {name} should not exist")), "{name}: {}", context());
        }
    }
    // The location of another, beside one's own, and alone.
    for route in ground.writing(Face::V2).filter(|route| route.access() == Access::Location) {
        let mut body = ground.target.body(route).unwrap_or_default();
        body["locationId"] = json!(sibling);
        let refused = ground.send(route, &body).await;
        assert!(
            refused.expect(422)["message"].to_string().contains("locationId"),
            "{} {}",
            route.endpoint,
            refused.text
        );
        if !route.path.contains("{locationId}") {
            let path = ground.target.address(route, "");
            let path = path.split('?').next().unwrap_or_default();
            let mut answers = Vec::new();
            for location in [sibling.as_str(), "00000000000000000000"] {
                body["locationId"] = json!(location);
                let call = ground.app.call(route.method.clone(), path).key(&ground.location_key);
                let mut refused = call.json(&body).send().await.expect(403);
                refused.as_object_mut().unwrap().remove("traceId");
                answers.push(refused);
            }
            assert_eq!(answers[0], answers[1], "{}", route.endpoint);
        }
    }
    let after = ground.app.get(&format!("/locations/{sibling}")).key(&ground.agency_key).send().await.expect(200);
    assert_eq!(after["location"], before["location"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_a_wrong_type_are_refused() {
    let ground = Ground::new().await;
    let wrong = [
        json!(5),
        json!(-1.5),
        json!(1e300),
        json!(u64::MAX),
        json!(true),
        json!([]),
        json!({}),
        json!([[[]]]),
        json!([{}]),
        json!([null]),
        json!({"id": []}),
        json!("x"),
    ];
    for route in ground.writing(Face::V2).chain(ground.writing(Face::V1)) {
        let schema = route.body_schema().unwrap_or_default();
        let names = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name);
        let names: Vec<&String> = names.filter(|name| *name != "locationId").collect();
        for value in &wrong {
            let body: Map<String, Value> = names.iter().map(|name| ((*name).clone(), value.clone())).collect();
            ground.send(route, &Value::Object(body)).await;
        }
    }
}

/// What is no JSON, or no object.
const MALFORMED: &[&[u8]] = &[
    b"[]",
    b"null",
    b"\"\"",
    b"0",
    b"{",
    b"}",
    b"{}}",
    b"{} {}",
    b"{}#",
    b"{,}",
    b"{\"a\"}",
    b"{\"a\":}",
    b"{\"a\" \"b\"}",
    b"{\"a\"::1}",
    b"{:1}",
    b"{1:1}",
    b"{a:1}",
    b"{'a':1}",
    b"{\"a\":1,}",
    b"{\"a\":1,,\"b\":2}",
    b"{\"a\":1 /* x */}",
    b"{\"a\":[1,]}",
    b"{\"a\":[1",
    b"{\"a\":[,1]}",
    b"{\"a\":01}",
    b"{\"a\":+1}",
    b"{\"a\":.5}",
    b"{\"a\":1.}",
    b"{\"a\":1e}",
    b"{\"a\":0x1}",
    b"{\"a\":1e400}",
    b"{\"a\":-1e400}",
    b"{\"a\":NaN}",
    b"{\"a\":-Infinity}",
    b"{\"a\":tru}",
    b"{\"a\":True}",
    b"{\"a\":\"\n\"}",
    b"{\"a\":\"\0\"}",
    b"{\"a\":\"\\x41\"}",
    b"{\"a\":\"\\u12\"}",
    b"{\"a\":\"\\ud800\"}",
    b"{\"a\":\"\\udc00\\ud800\"}",
    b"{\"a\":\"\xff\"}",
    b"{\"a\":\"\xc0\xaf\"}",
    b"{\"a\":\"\xed\xa0\x80\"}",
    b"{\"a\":1,\"a\":1}",
    b"{\"a\":1,\"\\u0061\":1}",
    b"{\"a\":{\"b\":1,\"b\":2}}",
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf\xef\xbb\xbf{}",
    b"<a/>",
    b"a=1&b=2",
];

/// Objects as JSON has them, however odd.
const ODD: &[&[u8]] = &[
    b" \t\r\n{ } ",
    b"\xef\xbb\xbf{}",
    b"{\"\":0}",
    b"{\"a\\u0000b\":0}",
    b"{\"a\":\"\\u0000\"}",
    b"{\"a\":\"\\ud83d\\ude00\\/\\b\"}",
    b"{\"a\":\"\\uffff\"}",
    b"{\"a\":-0,\"b\":1E+2,\"c\":123123123123123123123123}",
    b"{\"a\":1e-10000}",
    b"{\"a\":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}",
];

#[tokio::test(flavor = "multi_thread")]
async fn broken_json_is_refused_everywhere() {
    let ground = Ground::new().await;
    let deep = [b"{\"a\":".to_vec(), b"[".repeat(5000)].concat();
    let malformed: Vec<&[u8]> = MALFORMED.iter().copied().chain([&deep[..]]).collect();
    for (number, route) in ground.writing(Face::V2).chain(ground.writing(Face::V1)).enumerate() {
        let send = async |body: &[u8]| {
            let call = ground.call(route).await;
            let before = ground.happened().await;
            let answer = call.body("application/json", body.to_vec()).send().await;
            assert!(answer.is_ok() || ground.happened().await == before, "{} was refused and done", route.endpoint);
            answer
        };
        // Every route is tried with every fourth: what reads them is the same.
        for body in malformed.iter().skip(number % 4).step_by(4) {
            let refused = send(body).await.expect(400);
            assert_eq!(refused["code"], "malformed_body", "{} {}", route.endpoint, String::from_utf8_lossy(body));
        }
        for body in ODD.iter().skip(number % 4).step_by(4) {
            let answer = send(body).await;
            let context = || format!("{} {}: {}", route.endpoint, String::from_utf8_lossy(body), answer.text);
            assert!(answer.status < 500 && !answer.text.contains("malformed_body"), "{}", context());
        }
    }
}
