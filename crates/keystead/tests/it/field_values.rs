//! Values of custom fields on contacts, in every shape of every version.

use std::time::Duration;

use keystead_model::{
    CustomFieldId,
    condition::{Condition, Op, Test, Value as Compared},
    contact::ContactFilter,
    contact_field::ContactField,
    data_type::{DataType, ValueKind},
    decimal::Decimal,
    page::Window,
};
use keystead_store::{Error, Tx, contact_search};
use keystead_testkit::{TestApp, TestKey};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{select, subsequence},
    strategy::ValueTree,
    test_runner::TestRunner,
};
use serde_json::{Map, Value, json};

const OPTIONS: [&str; 4] = ["Gold", "Silver & Bronze", "Größe 3", "none"];
const LABELS: [&str; 3] = ["First", "Zweitens", "3"];

/// A field of every kind but files; its id by the name of its kind.
async fn fields(app: &TestApp, key: &TestKey) -> Map<String, Value> {
    let mut ids = Map::new();
    for kind in DataType::ALL.into_iter().filter(|kind| !kind.is_file()) {
        let mut body = json!({"name": format!("My {}", kind.as_str()), "dataType": kind.as_str()});
        if kind.has_options() {
            body["options"] = json!(OPTIONS);
        }
        if kind == DataType::TextboxList {
            body["textBoxListOptions"] = json!(LABELS);
        }
        let call = app.post(&format!("/locations/{}/customFields", app.ids.location)).key(key);
        let made = call.json(&body).send().await.expect(201);
        ids.insert(kind.as_str().to_owned(), made["customField"]["id"].clone());
    }
    ids
}

/// What is answered under each id.
fn held(fields: &Value) -> Map<String, Value> {
    let entry = |held: &Value| (held["id"].as_str().unwrap().to_owned(), held["value"].clone());
    fields.as_array().unwrap_or_else(|| panic!("{fields}")).iter().map(entry).collect()
}

/// What a contact has, in all shapes in which it can be asked for: they must be the same.
async fn seen(app: &TestApp, key: &TestKey, id: &str) -> Map<String, Value> {
    let mut all = Vec::new();
    for version in ["2021-07-28", "v3"] {
        let one = app.get(&format!("/contacts/{id}")).key(key).header("Version", version).send().await.expect(200);
        all.push(held(&one["contact"]["customFields"]));
        let list = app.get("/contacts/").key(key).header("Version", version).send().await.expect(200);
        let listed = list["contacts"].as_array().unwrap().iter().find(|contact| contact["id"] == id).unwrap();
        all.push(held(&listed["customFields"]));
    }
    let older = app.get(&format!("/v1/contacts/{id}")).key(key).send().await.expect(200);
    all.push(held(&older["contact"]["customField"]));
    let older = app.get("/v1/contacts/").key(key).send().await.expect(200);
    let listed = older["contacts"].as_array().unwrap().iter().find(|contact| contact["id"] == id).unwrap();
    all.push(held(&listed["customField"]));
    for other in &all {
        assert_eq!(other, &all[0]);
    }
    all.remove(0)
}

/// A value that a field of this kind takes, and what is answered.
fn value(kind: DataType) -> BoxedStrategy<(Value, Value)> {
    let same = |value: Value| (value.clone(), value);
    let text = "[a-zA-ZäöüéЖ漢🎉'\"<>\\\\%_{}]{1,30}";
    match kind {
        DataType::Text => text.prop_map(move |text: String| same(json!(text))).boxed(),
        DataType::LargeText => vec(text, 1..4).prop_map(move |lines| same(json!(lines.join("\n")))).boxed(),
        DataType::Numerical => any::<i32>().prop_map(move |number| same(json!(number))).boxed(),
        DataType::Float | DataType::Monetary => (any::<i32>(), 0..100i64)
            .prop_map(|(whole, cents)| {
                let text = format!("{whole}.{cents:02}");
                let answered: Value = serde_json::from_str(&Decimal::parse(&text).unwrap().to_string()).unwrap();
                (json!(text), answered)
            })
            .boxed(),
        DataType::Phone => (2_000_000..9_999_999i64)
            .prop_map(|number| (json!(format!("(415) {number}")), json!(format!("+1415{number}"))))
            .boxed(),
        DataType::Email => "[a-z]{1,10}".prop_map(move |name| same(json!(format!("{name}@example.com")))).boxed(),
        DataType::Time => (0..24, 0..60).prop_map(move |(h, m)| same(json!(format!("{h:02}:{m:02}")))).boxed(),
        DataType::Date => (1900..2100, 1..13, 1..29)
            .prop_map(|(y, m, d)| (json!(format!("{m:02}/{d:02}/{y}")), json!(format!("{y}-{m:02}-{d:02}"))))
            .boxed(),
        DataType::SingleOptions | DataType::Radio => {
            select(OPTIONS.to_vec()).prop_map(move |option| same(json!(option))).boxed()
        }
        DataType::Checkbox | DataType::MultipleOptions => {
            subsequence(OPTIONS.to_vec(), 1..=4).prop_map(move |options| same(json!(options))).boxed()
        }
        DataType::TextboxList => (subsequence(LABELS.to_vec(), 1..=3), text)
            .prop_map(move |(labels, text)| {
                let boxes: Map<String, Value> =
                    labels.into_iter().map(|label| (label.to_owned(), json!(format!("{label} {text}")))).collect();
                same(Value::Object(boxes))
            })
            .boxed(),
        DataType::FileUpload | DataType::Signature => unreachable!("files are tried elsewhere"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_accepted_is_read_back_in_every_shape() {
    let app = TestApp::start_with(|config| config.limits.rate = keystead_core::RateLimits::OFF).await;
    let key = app.location_key().await;
    let ids = fields(&app, &key).await;
    let mut runner = TestRunner::deterministic();
    for round in 0..12 {
        let (mut sent, mut expected) = (Vec::new(), Map::new());
        for (kind, id) in &ids {
            let (value, answer) = value(DataType::parse(kind).unwrap()).new_tree(&mut runner).unwrap().current();
            sent.push((id.as_str().unwrap().to_owned(), kind.clone(), value));
            expected.insert(id.as_str().unwrap().to_owned(), answer);
        }
        let email = format!("ada{round}@example.com");
        let by_id =
            |name: &str| -> Value { sent.iter().map(|(id, _, value)| json!({"id": id, name: value})).collect() };
        // Made and changed by each API in each of its forms.
        let id = match round % 3 {
            0 => {
                let body = json!({"email": email, "customFields": by_id("field_value")});
                let made = app.post("/contacts/").key(&key).json(&body).send().await.expect(201)["contact"].clone();
                assert_eq!(held(&made["customFields"]), expected);
                made["id"].clone()
            }
            1 => {
                let keys: Value = sent
                    .iter()
                    .map(|(_, kind, value)| json!({"key": format!("my_{}", kind.to_lowercase()), "fieldValue": value}))
                    .collect();
                let body = json!({"email": email, "customFields": keys});
                let call = app.post("/contacts/upsert").key(&key).header("Version", "v3");
                let made = call.json(&body).send().await.expect(200)["contact"].clone();
                assert_eq!(held(&made["customFields"]), expected);
                made["id"].clone()
            }
            _ => {
                let map: Map<String, Value> = sent.iter().map(|(id, _, value)| (id.clone(), value.clone())).collect();
                let body = json!({"email": email, "customField": map});
                let made = app.post("/v1/contacts/").key(&key).json(&body).send().await.expect(200)["contact"].clone();
                assert_eq!(held(&made["customField"]), expected);
                made["id"].clone()
            }
        };
        let id = id.as_str().unwrap();
        assert_eq!(seen(&app, &key, id).await, expected);
        // What was answered says the same when it is sent, and so changes nothing.
        let one = app.get(&format!("/contacts/{id}")).key(&key).send().await.expect(200)["contact"].clone();
        app.clock.advance(Duration::from_secs(1));
        let again = json!({"customFields": one["customFields"]});
        let again = app.put(&format!("/contacts/{id}")).key(&key).json(&again).send().await.expect(200);
        assert_eq!(again["contact"], one);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_exact() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let ids = fields(&app, &key).await;
    for (sent, written) in [
        (json!("999999999999999.999999999"), "999999999999999.999999999"),
        (json!("0.10"), "0.1"),
        (json!(19.99), "19.99"),
        (json!(-1e9), "-1000000000"),
    ] {
        let body = json!({"name": "Ada", "customFields": [{"id": ids["MONETORY"], "field_value": sent}]});
        let made = app.post("/contacts/").key(&key).json(&body).send().await;
        assert_eq!(made.status, 201, "{}", made.text);
        assert!(made.text.contains(&format!("\"value\":{written},")), "{written}: {}", made.text);
    }
}

/// Which of two values was meant nobody can know.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_says_one_thing_of_each_field() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let ids = fields(&app, &key).await;
    let (text, number) = (ids["TEXT"].as_str().unwrap(), ids["NUMERICAL"].as_str().unwrap());
    let new = json!({"email": "ada@example.com", "customFields": [{"id": text, "value": "old"}]});
    let made = app.post("/contacts/").key(&key).json(&new).send().await.expect(201);
    let path = format!("/contacts/{}", made["contact"]["id"].as_str().unwrap());
    let clear = json!([format!("customFields.{text}")]);
    let by_key = json!({"key": "my_text", "value": "b"});
    let twice = json!([{"id": text, "value": "a"}, {"id": number, "value": 1}, by_key]);
    for (body, place) in [
        (json!({"customFields": [{"id": text, "value": "a"}], "clear": clear}), "customFields.0.value"),
        (json!({"customFields": [by_key], "clear": ["customFields.contact.my_text"]}), "customFields.0.value"),
        (json!({"customFields": twice}), "customFields.2.value"),
        (json!({"customFields": [{"id": text, "value": "a"}, {"id": text, "value": ""}]}), "customFields.1.value"),
    ] {
        let told = format!("{place} (contact.my_text) must not have two values, or a value and stand in clear");
        let mut upsert = body.clone();
        upsert["email"] = json!("ada@example.com");
        let many = json!({"contacts": [upsert]});
        let refused = app.put(&path).key(&key).json(&body).send().await.expect(422);
        assert_eq!(refused["message"], json!([told]), "{body}");
        let refused = app.post("/contacts/upsert").key(&key).json(&upsert).send().await.expect(422);
        assert_eq!(refused["message"], json!([told]), "{body}");
        let many = app.post("/contacts/bulk/upsert").key(&key).json(&many).send().await.expect(200);
        assert_eq!(many["results"][0]["error"]["message"], json!([told]), "{body}");
    }
    for body in [
        json!({"customField": {text: "a"}, "clear": [format!("customField.{text}")]}),
        json!({"customField": {text: "a", "my_text": "b"}}),
        json!({"customField": [{"id": text, "value": "a"}, {"id": text, "value": "b"}]}),
    ] {
        let refused = app.put(&format!("/v1{path}")).key(&key).json(&body).send().await;
        assert!(refused.status == 422 && refused.text.contains("two values"), "{body}: {}", refused.text);
    }
    let held = async || {
        let read = app.get(&path).key(&key).send().await.expect(200);
        held(&read["contact"]["customFields"]).get(text).cloned().unwrap_or_default()
    };
    assert_eq!(held().await, "old");
    // The same twice is no contradiction.
    let same = json!({"customFields": [{"id": text, "value": "a"}, {"key": "my_text", "value": "a"}]});
    app.put(&path).key(&key).json(&same).send().await.expect(200);
    assert_eq!(held().await, "a");
    let emptied = json!({"customFields": [{"id": text, "value": ""}], "clear": [clear[0], clear[0]]});
    app.put(&path).key(&key).json(&emptied).send().await.expect(200);
    assert_eq!(held().await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_value_is_told_at_once_and_nothing_is_stored() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let ids = fields(&app, &key).await;
    let wrong: Vec<Value> = [
        ("NUMERICAL", json!("many")),
        ("PHONE", json!("nonsense")),
        ("EMAIL", json!("nobody")),
        ("DATE", json!("2026-02-30")),
        ("TIME", json!("25:00")),
        ("RADIO", json!("Platinum")),
        ("CHECKBOX", json!(["Gold", "Platinum"])),
        ("TEXTBOX_LIST", json!({"Fourth": "x"})),
        ("TEXT", json!({"a": 1})),
    ]
    .into_iter()
    .map(|(kind, value)| json!({"id": ids[kind], "field_value": value}))
    .collect();
    let mut body = json!({"name": "Ada", "email": "nonsense", "customFields": wrong});
    let refused = app.post("/contacts/").key(&key).json(&body).send().await.expect(422);
    let messages: Vec<&str> =
        refused["message"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert_eq!(messages.len(), 10, "{messages:#?}");
    let radio = "customFields.5.field_value (contact.my_radio) has Platinum, which is none of its options: Gold, ";
    assert!(messages.iter().any(|message| message.starts_with(radio)), "{messages:#?}");
    body["customFields"] = json!([{"id": ids["TEXT"], "field_value": "x"}, {"field_value": "y"}]);
    let refused = app.post("/contacts/").key(&key).json(&body).send().await.expect(422);
    assert!(refused["message"].to_string().contains("customFields.1 must have an id or a key"), "{refused}");
    let older = json!({"email": "ada@example.com", "customField": {ids["RADIO"].as_str().unwrap(): "Platinum"}});
    let refused = app.post("/v1/contacts/").key(&key).json(&older).send().await.expect(422);
    assert_eq!(refused["customField (contact.my_radio)"]["rule"], "invalid", "{refused}");
    assert_eq!(app.get("/contacts/").key(&key).send().await.expect(200)["meta"]["total"], 0);
    assert_eq!(app.number("SELECT CAST(count(*) AS BIGINT) FROM field_values").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_more_text_than_a_list_can_answer() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let path = format!("/locations/{}/customFields", app.ids.location);
    let mut values = Vec::new();
    for number in 0..6 {
        let new = json!({"name": format!("Essay {number}"), "dataType": "LARGE_TEXT"});
        let made = app.post(&path).key(&key).json(&new).send().await.expect(201);
        values.push(json!({"id": made["customField"]["id"], "value": "x".repeat(50_000)}));
    }
    let body = json!({"name": "Ada", "customFields": values});
    let refused = app.post("/contacts/").key(&key).json(&body).send().await.expect(422);
    assert_eq!(refused["message"], json!(["customFields must not have more than 262144 bytes of text together"]));
    // Nor by and by.
    let body = json!({"name": "Ada", "customFields": values[..5]});
    let made = app.post("/contacts/").key(&key).json(&body).send().await.expect(201);
    let at = format!("/contacts/{}", made["contact"]["id"].as_str().unwrap());
    assert_eq!(app.put(&at).key(&key).json(&json!({"customFields": values[5..]})).send().await.status, 422);
    let less = json!({"customFields": [values[5], {"id": values[0]["id"], "value": ""}]});
    app.put(&at).key(&key).json(&less).send().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_names_no_field_is_passed_over_and_said() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let ids = fields(&app, &key).await;
    let elsewhere = "6dvNaf7VhkQ9snc5vnjJ";
    let values = json!([
        {"id": elsewhere, "field_value": "x"},
        {"key": "of_somewhere_else", "field_value": "x"},
        // What comes from elsewhere has another id and the same key.
        {"id": elsewhere, "key": "contact.my_text", "field_value": "by key"},
        {"id": ids["FLOAT"], "key": "contact.my_email", "field_value": 5, "colour": "passed over"},
    ]);
    let body = json!({"name": "Ada", "customFields": values});
    let made = app.post("/contacts/").key(&key).json(&body).send().await.expect(201);
    assert_eq!(made["skipped"].as_array().unwrap().len(), 2, "{made}");
    let id = made["contact"]["id"].as_str().unwrap();
    let expected = json!({ids["TEXT"].as_str().unwrap(): "by key", ids["FLOAT"].as_str().unwrap(): 5});
    assert_eq!(Value::Object(seen(&app, &key, id).await), expected);
    // A field of opportunities is none of contacts.
    let deal = json!({"name": "Size", "dataType": "TEXT", "model": "opportunity"});
    let call = app.post(&format!("/locations/{}/customFields", app.ids.location)).key(&key);
    let deal = call.json(&deal).send().await.expect(201)["customField"]["id"].clone();
    let body = json!({"customFields": [{"id": deal, "field_value": "x"}]});
    let changed = app.put(&format!("/contacts/{id}")).key(&key).json(&body).send().await.expect(200);
    assert!(changed["skipped"].is_array() && Value::Object(seen(&app, &key, id).await) == expected, "{changed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_emptied_stays_empty() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let ids = fields(&app, &key).await;
    let (text, radio, checkbox) = (&ids["TEXT"], &ids["RADIO"], &ids["CHECKBOX"]);
    let full = json!([
        {"id": text, "value": "x"}, {"id": radio, "value": "Gold"}, {"id": checkbox, "value": ["Gold"]},
        {"id": ids["MONETORY"], "value": 5},
    ]);
    let body = json!({"email": "ada@example.com", "customFields": full});
    let made = app.post("/contacts/").key(&key).json(&body).send().await.expect(201);
    let id = made["contact"]["id"].as_str().unwrap();
    let (at, older) = (format!("/contacts/{id}"), format!("/v1/contacts/{id}"));
    let money = ids["MONETORY"].as_str().unwrap();
    for (path, body, left) in [
        // Null is what typed clients send for whatever nobody set.
        (&at, json!({"customFields": [{"id": text, "field_value": null}]}), 4),
        (&at, json!({"customFields": [{"id": text, "field_value": ""}]}), 3),
        (&at, json!({"customFields": [{"id": checkbox, "field_value": []}]}), 2),
        (&at, json!({"clear": [format!("customFields.{}", radio.as_str().unwrap())]}), 1),
        (&older, json!({"customField": {money: ""}}), 0),
        (&at, json!({"customFields": full}), 4),
        (&at, json!({"clear": ["customFields.contact.my_text", "customFields.my_radio"]}), 2),
        (&older, json!({"clear": [format!("customField.{money}")]}), 1),
    ] {
        app.put(path).key(&key).json(&body).send().await.expect(200);
        assert_eq!(seen(&app, &key, id).await.len(), left, "{body}");
    }
    let rows = "SELECT CAST(count(*) AS BIGINT) FROM field_values";
    assert_eq!(app.number(rows).await, 1);
    // Both at once say nothing; the value stands last.
    let refused = app.put(&at).key(&key).json(&json!({"clear": ["customField.x"]})).send().await.expect(422);
    assert!(refused["message"][0].as_str().unwrap().contains("customFields.<id>"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_tell_what_changed_in_which_field() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let ids = fields(&app, &key).await;
    let values = |tier: &str| {
        json!([{"id": ids["RADIO"], "value": tier}, {"id": ids["MONETORY"], "value": "12.50"},
            {"id": ids["LARGE_TEXT"], "value": "x".repeat(2_000)}])
    };
    let made = json!({"name": "Ada", "customFields": values("Gold")});
    let made = app.post("/contacts/").key(&key).json(&made).send().await.expect(201);
    let id = made["contact"]["id"].as_str().unwrap();
    let at = format!("/contacts/{id}");
    let before = app.get(&at).key(&key).send().await;
    app.clock.advance(Duration::from_secs(1));
    let change = json!({"customFields": values("none")});
    let changed = app.put(&at).key(&key).json(&change).send().await;
    assert_ne!(changed.header("etag"), before.header("etag"));
    let updated = |answer: &Value| answer["contact"]["dateUpdated"].clone();
    assert_ne!(updated(&changed.json()), updated(&before.json()));
    let same = app.put(&at).key(&key).json(&change).send().await.expect(200);
    assert_eq!(updated(&same), updated(&changed.json()), "a change that changes nothing");
    let told = app.get(&format!("/events?subject={id}")).key(&key).send().await.expect(200);
    let told = told["events"].as_array().unwrap();
    assert_eq!(told.len(), 2, "{told:#?}");
    let radio = format!("customFields.{}", ids["RADIO"].as_str().unwrap());
    assert_eq!(told[1]["before"], json!({&radio: "Gold"}));
    assert_eq!(told[1]["after"], json!({&radio: "none"}));
    let after = told[0]["after"].as_object().unwrap();
    assert_eq!(after[&format!("customFields.{}", ids["MONETORY"].as_str().unwrap())], 12.5);
    let long = after[&format!("customFields.{}", ids["LARGE_TEXT"].as_str().unwrap())].as_str().unwrap();
    assert_eq!(long.chars().count(), 1_001, "long texts are shortened");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_found_by_conditions() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let ids = fields(&app, &key).await;
    for (name, tier, money, day) in [("Ada", "Gold", 5, "2026-01-01"), ("Bob", "none", 15, "2026-06-01")] {
        let values = json!([{"id": ids["CHECKBOX"], "value": [tier]}, {"id": ids["MONETORY"], "value": money},
            {"id": ids["DATE"], "value": day}]);
        let body = json!({"name": name, "customFields": values});
        app.post("/contacts/").key(&key).json(&body).send().await.expect(201);
    }
    let field = |kind: &str, stored: ValueKind| {
        ContactField::Custom(CustomFieldId::parse(ids[kind].as_str().unwrap()).unwrap(), stored)
    };
    let number = |text: &str| Compared::Number(Decimal::parse(text).unwrap());
    let found = async |field: ContactField, op: Op| -> Vec<String> {
        let condition = Condition::Test(Test { field, op });
        let (location, filter) = (app.ids.location, ContactFilter { condition, ..ContactFilter::default() });
        let (page, time) = (Window::first(9), Duration::from_secs(60));
        let read = move |tx: &mut Tx<'_>| contact_search::list(tx, location, &filter, &page, time);
        let page = app.second_store().read::<_, Error, _>(read).await.unwrap().page;
        let named = |contact: &keystead_model::contact::Contact| {
            assert_eq!(contact.custom_fields.iter().len(), 3, "found with all that it has");
            contact.profile.full_name().unwrap()
        };
        page.rows.iter().map(named).collect()
    };
    let chosen = field("CHECKBOX", ValueKind::Text);
    assert_eq!(found(chosen, Op::Eq(Compared::text("gold").unwrap())).await, ["Ada"]);
    assert_eq!(found(field("MONETORY", ValueKind::Number), Op::Gt(number("5"))).await, ["Bob"]);
    assert_eq!(found(field("MONETORY", ValueKind::Number), Op::Gte(number("5"))).await.len(), 2);
}
