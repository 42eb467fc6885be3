//! Round trips of every noun: what a creation answers is what get, list, search and API 1.0 answer, too, and what was emptied
//! stays empty.

use std::collections::{BTreeMap, BTreeSet};

use keystead_api::{Face, Route};
use keystead_testkit::Call;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Map, Value, json};

use crate::{
    fields::fields_of,
    ground::{Ground, thing},
};

/// Who makes a thing, what its id is called in paths, and where it is seen.
struct Noun {
    made_by: &'static str,
    id: &'static str,
    seen_at: &'static [&'static str],
}

#[rustfmt::skip]
const NOUNS: &[Noun] = &[
    Noun { made_by: "POST /contacts", id: "{contactId}", seen_at: &[
        "GET /contacts/{contactId}", "GET /contacts", "POST /contacts/search", "GET /v1/contacts/{contactId}", "GET /v1/contacts",
    ] },
    Noun { made_by: "POST /v1/contacts", id: "{contactId}", seen_at: &[
        "GET /v1/contacts/{contactId}", "GET /v1/contacts", "GET /contacts/{contactId}", "GET /contacts", "POST /contacts/search",
    ] },
    Noun { made_by: "POST /contacts/{contactId}/notes", id: "{id}", seen_at: &[
        "GET /contacts/{contactId}/notes/{id}", "GET /contacts/{contactId}/notes", "GET /v1/contacts/{contactId}/notes",
    ] },
    Noun { made_by: "POST /v1/contacts/{contactId}/notes", id: "{noteId}", seen_at: &[
        "GET /v1/contacts/{contactId}/notes/{noteId}", "GET /v1/contacts/{contactId}/notes", "GET /contacts/{contactId}/notes",
    ] },
    Noun { made_by: "POST /contacts/{contactId}/tasks", id: "{taskId}", seen_at: &[
        "GET /contacts/{contactId}/tasks/{taskId}", "GET /contacts/{contactId}/tasks", "POST /locations/{locationId}/tasks/search",
        "GET /v1/contacts/{contactId}/tasks/{taskId}", "GET /v1/contacts/{contactId}/tasks",
    ] },
    Noun { made_by: "POST /v1/contacts/{contactId}/tasks", id: "{taskId}", seen_at: &[
        "GET /v1/contacts/{contactId}/tasks/{taskId}", "GET /v1/contacts/{contactId}/tasks",
        "GET /contacts/{contactId}/tasks/{taskId}", "GET /contacts/{contactId}/tasks", "POST /locations/{locationId}/tasks/search",
    ] },
    Noun { made_by: "POST /locations/{locationId}/tags", id: "{tagId}", seen_at: &[
        "GET /locations/{locationId}/tags/{tagId}", "GET /locations/{locationId}/tags", "GET /v1/tags/{tagId}", "GET /v1/tags",
    ] },
    Noun { made_by: "POST /v1/tags", id: "{tagId}", seen_at: &[
        "GET /v1/tags/{tagId}", "GET /v1/tags", "GET /locations/{locationId}/tags/{tagId}", "GET /locations/{locationId}/tags",
    ] },
    Noun { made_by: "POST /locations/{locationId}/customValues", id: "{id}", seen_at: &[
        "GET /locations/{locationId}/customValues/{id}", "GET /locations/{locationId}/customValues", "GET /v1/custom-values",
    ] },
    Noun { made_by: "POST /v1/custom-values", id: "{customValueId}", seen_at: &[
        "GET /v1/custom-values/{customValueId}", "GET /v1/custom-values", "GET /locations/{locationId}/customValues",
    ] },
    Noun { made_by: "POST /locations/{locationId}/customFields", id: "{id}", seen_at: &[
        "GET /locations/{locationId}/customFields/{id}", "GET /locations/{locationId}/customFields", "GET /v1/custom-fields",
    ] },
    Noun { made_by: "POST /v1/custom-fields", id: "{customFieldId}", seen_at: &[
        "GET /v1/custom-fields/{customFieldId}", "GET /v1/custom-fields", "GET /locations/{locationId}/customFields",
    ] },
    Noun { made_by: "POST /businesses", id: "{businessId}", seen_at: &["GET /businesses/{businessId}", "GET /businesses"] },
    Noun { made_by: "POST /users", id: "{userId}", seen_at: &[
        "GET /users/{userId}", "GET /users", "GET /users/search", "GET /v1/users/{userId}", "GET /v1/users", "GET /v1/users/location",
    ] },
    Noun { made_by: "POST /v1/users", id: "{userId}", seen_at: &[
        "GET /v1/users/{userId}", "GET /v1/users", "GET /v1/users/location", "GET /users/{userId}", "GET /users", "GET /users/search",
    ] },
    Noun { made_by: "POST /locations", id: "{locationId}", seen_at: &[
        "GET /locations/{locationId}", "GET /locations/search", "GET /v1/locations/{locationId}", "GET /v1/locations",
    ] },
    Noun { made_by: "POST /v1/locations", id: "{locationId}", seen_at: &[
        "GET /v1/locations/{locationId}", "GET /v1/locations", "GET /locations/{locationId}", "GET /locations/search",
    ] },
    Noun { made_by: "POST /opportunities", id: "{opportunityId}", seen_at: &[
        "GET /opportunities/{opportunityId}", "GET /opportunities/search", "POST /opportunities/search",
        "GET /v1/pipelines/{pipelineId}/opportunities/{opportunityId}", "GET /v1/pipelines/{pipelineId}/opportunities",
    ] },
    Noun { made_by: "POST /v1/pipelines/{pipelineId}/opportunities", id: "{opportunityId}", seen_at: &[
        "GET /v1/pipelines/{pipelineId}/opportunities/{opportunityId}", "GET /v1/pipelines/{pipelineId}/opportunities",
        "GET /opportunities/{opportunityId}", "GET /opportunities/search", "POST /opportunities/search",
    ] },
    Noun { made_by: "POST /opportunities/pipelines", id: "{pipelineId}", seen_at: &[
        "GET /opportunities/pipelines/{pipelineId}", "GET /opportunities/pipelines", "GET /v1/pipelines",
    ] },
    Noun { made_by: "POST /opportunities/lost-reason", id: "{lostReasonId}", seen_at: &["GET /opportunities/lost-reason"] },
    Noun { made_by: "POST /workflows", id: "{workflowId}", seen_at: &[
        "GET /workflows/{workflowId}", "GET /workflows", "GET /v1/workflows",
    ] },
    Noun { made_by: "POST /campaigns", id: "{campaignId}", seen_at: &[
        "GET /campaigns/{campaignId}", "GET /campaigns", "GET /v1/campaigns",
    ] },
    Noun { made_by: "POST /links", id: "{linkId}", seen_at: &[
        "GET /links/id/{linkId}", "GET /links", "GET /links/search", "GET /v1/links",
    ] },
    Noun { made_by: "POST /v1/links", id: "{linkId}", seen_at: &[
        "GET /v1/links", "GET /links/id/{linkId}", "GET /links", "GET /links/search",
    ] },
    Noun { made_by: "POST /forms", id: "{formId}", seen_at: &["GET /forms/{formId}", "GET /forms", "GET /v1/forms"] },
    Noun { made_by: "POST /surveys", id: "{surveyId}", seen_at: &["GET /surveys/{surveyId}", "GET /surveys", "GET /v1/surveys"] },
    Noun { made_by: "POST /forms/{formId}/submissions", id: "{submissionId}", seen_at: &[
        "GET /forms/{formId}/submissions/{submissionId}", "GET /forms/submissions", "GET /v1/forms/submissions",
    ] },
    Noun { made_by: "POST /surveys/{surveyId}/submissions", id: "{submissionId}", seen_at: &[
        "GET /surveys/{surveyId}/submissions/{submissionId}", "GET /surveys/submissions", "GET /v1/surveys/submissions",
    ] },
    Noun { made_by: "POST /locations/{locationId}/templates", id: "{templateId}", seen_at: &[
        "GET /locations/{locationId}/templates/{templateId}", "GET /locations/{locationId}/templates",
    ] },
    Noun { made_by: "POST /locations/{locationId}/recurring-tasks", id: "{recurringTaskId}", seen_at: &[
        "GET /locations/{locationId}/recurring-tasks/{recurringTaskId}", "GET /locations/{locationId}/recurring-tasks",
    ] },
    Noun { made_by: "POST /webhooks", id: "{webhookId}", seen_at: &["GET /webhooks/{webhookId}", "GET /webhooks"] },
    Noun { made_by: "POST /inbound-webhooks", id: "{inboundWebhookId}", seen_at: &[
        "GET /inbound-webhooks/{inboundWebhookId}", "GET /inbound-webhooks",
    ] },
    Noun { made_by: "POST /api-keys", id: "{id}", seen_at: &["GET /api-keys/{id}", "GET /api-keys"] },
];

/// What is not said alike in all places, and why.
const HOMONYMS: &[(&str, &str)] = &[
    // By the names of the channels, which v3 spells in lower case.
    ("/contacts", "dndSettings"),
    // The contract's search answers milliseconds.
    ("/contacts", "dateOfBirth"),
    // API 1.0 has milliseconds.
    ("/contacts", "lastActivity"),
    // `custom_values.x`, of API 1.0 `custom_value.x`.
    ("/customValues", "fieldKey"),
    ("/custom-values", "fieldKey"),
    // Lists of users publish an object without fields.
    ("/users", "lcPhone"),
    // API 1.0 has no more than their names.
    ("/opportunities/pipelines", "stages"),
];

/// The object with this id in an answer, wherever it stands.
fn with_id<'a>(answer: &'a Value, id: &str) -> Option<&'a Map<String, Value>> {
    match answer {
        Value::Object(fields) if fields.get("id").is_some_and(|known| known == id) => Some(fields),
        Value::Object(fields) => fields.values().find_map(|inside| with_id(inside, id)),
        Value::Array(list) => list.iter().find_map(|inside| with_id(inside, id)),
        _ => None,
    }
}

/// A call of a route about the thing with this id, which shows as much as there may be.
fn asking(ground: &Ground, route: &Route, name: &str, made: &Map<String, Value>, version: &str) -> Call {
    let id = made["id"].as_str().unwrap_or_default();
    let address = ground.target.address(route, "");
    let (path, query) = address.split_once('?').unwrap_or((&address, ""));
    let parts = path.split('/').zip(route.path.split('/'));
    let path: Vec<&str> = parts.map(|(part, template)| if template == name { id } else { part }).collect();
    let location = &ground.target.location;
    let mut pairs: Vec<String> = query.split('&').filter(|pair| !pair.is_empty()).map(str::to_owned).collect();
    match route.endpoint {
        "GET /opportunities/search" => pairs.push(format!("location_id={location}")),
        "GET /users/search" | "GET /locations/search" => pairs.push(format!("companyId={}", ground.target.company)),
        "GET /users" => pairs.push(format!("locationId={location}")),
        "GET /locations/{locationId}/templates" => {
            // Its sample asks for those of another origin.
            pairs.clear();
            let origin = made["originId"].as_str().unwrap_or_default();
            pairs.push(format!("originId={}", origin.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>()));
        }
        _ => {}
    }
    let most = route.query_schema()["properties"]["limit"]["maximum"].as_i64().filter(|_| !route.path.ends_with('}'));
    pairs.extend(most.map(|most| format!("limit={most}")));
    let mut seen = BTreeSet::new();
    pairs.retain(|pair| seen.insert(pair.clone()));
    let url = format!("{}?{}", path.join("/"), pairs.join("&"));
    let call = ground.app.call(route.method.clone(), &url).key(ground.key(route));
    let call = if route.face == Face::V2 { call.header("Version", version) } else { call };
    match route.endpoint {
        "POST /contacts/search" => call.json(&json!({"locationId": location, "pageLimit": 100})),
        "POST /opportunities/search" => call.json(&json!({"locationId": location, "limit": 100})),
        "POST /locations/{locationId}/tasks/search" => call.json(&json!({"limit": 100})),
        _ => call,
    }
}

/// Sees the same thing everywhere: of what several places say, each says the same.
async fn see_everywhere(ground: &Ground, noun: &Noun, made: &Map<String, Value>) {
    let id = made["id"].as_str().unwrap_or_default();
    let is_homonym = |name: &str| {
        name == "traceId" || HOMONYMS.iter().any(|(path, known)| noun.made_by.ends_with(path) && *known == name)
    };
    let mut said: BTreeMap<String, (Value, String)> = BTreeMap::new();
    let mut hear = |answer: &Map<String, Value>, place: &str| {
        for (name, value) in answer.iter().filter(|(name, _)| !is_homonym(name)) {
            let (known, first) = said.entry(name.clone()).or_insert_with(|| (value.clone(), place.to_owned()));
            assert_eq!(known, value, "{name} as {first} has it, and as {place}");
        }
    };
    hear(made, noun.made_by);
    for endpoint in noun.seen_at {
        let route =
            ground.routes.iter().find(|route| route.endpoint == *endpoint).unwrap_or_else(|| panic!("{endpoint}"));
        let versions: &[&str] = if route.face == Face::V2 { &["2021-07-28", "v3"] } else { &[""] };
        for version in versions {
            let answer = asking(ground, route, noun.id, made, version).send().await;
            assert!(answer.is_ok(), "{endpoint} after {}: {} {}", noun.made_by, answer.status, answer.text);
            let answer = answer.json();
            let found = with_id(&answer, id);
            let found = found.unwrap_or_else(|| panic!("{endpoint} lacks {id}, made by {}: {answer}", noun.made_by));
            hear(found, &format!("{endpoint} {version}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_is_the_same_everywhere() {
    let ground = Ground::new().await;
    // The same seed each time: a failure can be repeated.
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let texts = "[A-Za-zÀ-ſΑ-ωא-ת0-9][ -~À-ſΑ-ωא-ת一-丿😀-😏]{0,38}[A-Za-zÀ-ſΑ-ωא-ת0-9]";
    for noun in NOUNS {
        let route = ground.routes.iter().find(|route| route.endpoint == noun.made_by).unwrap();
        let fields = fields_of(route);
        for round in 0..6 {
            let text = texts.new_tree(&mut runner).unwrap().current();
            // At first as its sample has it.
            let fields = if round == 0 { &[][..] } else { &fields[..] };
            let Some((_, answer)) = ground.taken(route, fields, &text).await else { continue };
            let answer = answer.json();
            let made = thing(&answer).unwrap_or_else(|| panic!("{} {answer}", noun.made_by));
            see_everywhere(&ground, noun, made).await;
        }
    }
}

/// Every route that makes something is one of a noun, or says why not.
#[test]
fn no_noun_is_left_out() {
    // What changes what is there, asks, or makes many; and a key in place of another one.
    const NO_NOUN: &[&str] = &[
        "/search",
        "/upsert",
        "/bulk",
        "/tags",
        "/followers",
        "/merge",
        "/erase",
        "/workflow/",
        "/campaigns/",
        "/upload",
        "/restore",
        "/filter-by-email",
        "/revoke-exposed",
        "/api-keys/{id}/",
        "/webhooks/{webhookId}/",
        "/webhooks/public-keys",
        "/links/{linkId}/",
        "/inbound-webhooks/{inboundWebhookId}/",
        "/replace",
        "/imports",
        "upload-custom-files",
        "/publish",
        "/unpublish",
        "/accept",
        "/discard",
    ];
    for route in keystead_api::routes().iter().filter(|route| route.method == "POST") {
        let is_known = NOUNS.iter().any(|noun| noun.made_by == route.endpoint);
        let is_none = NO_NOUN.iter().any(|part| route.path.contains(part));
        assert!(is_known || is_none, "{} is of no noun", route.endpoint);
    }
}

/// Whether there is nothing in it; of an amount, 0.
fn is_empty(value: Option<&Value>) -> bool {
    value.is_none_or(|value| [Value::Null, json!(""), json!(0), json!([]), json!({})].contains(value))
}

/// What a route that changes something, and the one that reads it, answer of it.
async fn change(ground: &Ground, route: &Route, body: &Value) -> Option<[Map<String, Value>; 2]> {
    let (reading, address) = ground.about(route, "GET", "")?;
    let answer = ground.send(route, body).await;
    assert!(answer.is_ok(), "{} {body}: {} {}", route.endpoint, answer.status, answer.text);
    let got = ground.app.get(&address).key(ground.key(reading)).send().await.expect(200);
    let changed = answer.json();
    // Some changes answer no more than that they are done.
    let got = thing(&got)?.clone();
    Some([thing(&changed).unwrap_or(&got).clone(), got])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_emptied_stays_empty() {
    let ground = Ground::new().await;
    let mut emptied = 0;
    for route in ground.writing(Face::V2).chain(ground.writing(Face::V1)).filter(|route| route.method != "POST") {
        let schema = route.body_schema().unwrap_or_default();
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let is_required = |name: &str| required.iter().any(|required| required == name);
        let names = &schema["properties"]["clear"]["items"];
        let names = names["enum"].as_array().or_else(|| names["anyOf"][0]["enum"].as_array());
        let mut full = ground.target.body(route).unwrap_or_default();
        if route.path.contains("/contacts") {
            // It gives a first name again to whom it was taken from.
            full.as_object_mut().unwrap().remove("name");
        }
        // What was seen, which changes.
        full.as_object_mut().unwrap().remove("version");
        // The key that is tried is a location's, and has no list of locations.
        let names = names.into_iter().flatten().filter_map(Value::as_str).filter(|name| *name != "allowedLocations");
        for name in names {
            let Some([_, before]) = change(&ground, route, &full).await else { break };
            let mut least = full.clone();
            least.as_object_mut().unwrap().retain(|name, _| is_required(name));
            least["clear"] = json!([name]);
            let [changed, got] = change(&ground, route, &least).await.expect("as before");
            let context = || format!("{name} of {}: {got:?}", route.endpoint);
            assert!(is_empty(changed.get(name)) && is_empty(got.get(name)), "{}", context());
            // What does not speak of it leaves it so.
            let mut rest = full.clone();
            rest.as_object_mut().unwrap().remove(name);
            let [_, got] = change(&ground, route, &rest).await.expect("as before");
            assert!(is_empty(got.get(name)), "{}", context());
            emptied += usize::from(!is_empty(before.get(name)));
        }
        for field in fields_of(route) {
            let Some(name) = field.top().filter(|name| full.get(*name).is_some_and(Value::is_string)) else { continue };
            if is_required(name) {
                continue;
            }
            let Some([_, before]) = change(&ground, route, &full).await else { break };
            let mut body = full.clone();
            body[name] = json!("");
            if let Some([changed, got]) = change(&ground, route, &body).await {
                let (changed, got, before) = (changed.get(name), got.get(name), before.get(name));
                let context = format!("{name} of {}: {before:?} {changed:?} {got:?}", route.endpoint);
                assert!(is_empty(got) && is_empty(changed) || got == before && changed == before, "{context}");
                emptied += usize::from(is_empty(got) && !is_empty(before));
            }
        }
    }
    assert!(emptied > 60, "only {emptied} fields were emptied");
}
