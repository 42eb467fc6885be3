//! What others see of a form.

use keystead_model::{LocationId, form::AsForm, form::Form, id::Id};
use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

use keystead_core::{FieldUse, FormAddress};

use crate::callers::Caller;

/// A new form, by its address in the API and its id.
pub(crate) async fn form(app: &TestApp, key: &TestKey, definition: &Value) -> (String, Id<Form<AsForm>>) {
    let new = json!({"name": "Contact us", "definition": definition});
    let made = app.post("/forms/").key(key).json(&new).send().await.expect(201);
    let id = made["form"]["id"].as_str().unwrap();
    (format!("/forms/{id}"), Id::parse(id).unwrap())
}

/// The same, which others see.
pub(crate) async fn published(app: &TestApp, key: &TestKey, definition: &Value) -> (String, Id<Form<AsForm>>) {
    let (path, id) = form(app, key, definition).await;
    act(app, key, &format!("{path}/publish"), 200).await;
    (path, id)
}

pub(crate) async fn act(app: &TestApp, key: &TestKey, path: &str, status: u16) -> Value {
    app.post(path).key(key).json(&json!({})).send().await.expect(status)
}

/// The labels that others see, if they see the form.
async fn seen(app: &TestApp, address: FormAddress) -> Option<Vec<String>> {
    let open = app.app.open_form(address).await.ok()?;
    Some(open.schema.fields().map(|field| field.label.as_str().to_owned()).collect())
}

fn asking(label: &str, slug: &str) -> Value {
    json!({"slug": slug, "pages": [{"fields": [{"key": "email", "type": "email", "label": label}]}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn others_see_what_was_published_until_it_is_published_again() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let (path, id) = form(&app, &key, &asking("First", "contact-us")).await;
    let by_slug = |slug: &str| FormAddress::Slug(app.ids.location, slug.to_owned());
    assert_eq!(seen(&app, FormAddress::Id(id)).await, None, "a draft is nobody else's");
    let first = act(&app, &key, &format!("{path}/publish"), 200).await;
    assert_eq!((&first["form"]["publishedVersion"], &first["form"]["slug"]), (&json!(1), &json!("contact-us")));
    assert_eq!(act(&app, &key, &format!("{path}/publish"), 200).await["form"], first["form"], "nothing changed");
    let change = json!({"definition": asking("Second", "write-to-us")});
    app.put(&path).key(&key).json(&change).send().await.expect(200);
    for address in [FormAddress::Id(id), by_slug("contact-us")] {
        assert_eq!(seen(&app, address).await, Some(vec!["First".to_owned()]));
    }
    act(&app, &key, &format!("{path}/publish"), 200).await;
    assert_eq!(seen(&app, by_slug("write-to-us")).await, Some(vec!["Second".to_owned()]));
    assert_eq!(seen(&app, by_slug("contact-us")).await, None);
    let versions = app.get(&format!("{path}/versions")).key(&key).send().await.expect(200);
    let numbers: Vec<&Value> = versions["versions"].as_array().unwrap().iter().map(|one| &one["version"]).collect();
    assert_eq!(numbers, [&json!(2), &json!(1)]);
    assert_eq!(versions["versions"][1]["definition"], asking("First", "contact-us"));
    // What was, comes back as a draft.
    let restored = act(&app, &key, &format!("{path}/versions/1/restore"), 200).await;
    assert_eq!(
        (&restored["form"]["definition"], &restored["form"]["publishedVersion"]),
        (&asking("First", "contact-us"), &json!(2))
    );
    assert_eq!(seen(&app, FormAddress::Id(id)).await, Some(vec!["Second".to_owned()]));
    act(&app, &key, &format!("{path}/versions/3/restore"), 404).await;
    act(&app, &key, &format!("{path}/versions/x/restore"), 404).await;
    let hidden = act(&app, &key, &format!("{path}/unpublish"), 200).await;
    assert_eq!((&hidden["form"]["publishedVersion"], &hidden["form"]["slug"]), (&Value::Null, &Value::Null));
    assert_eq!(seen(&app, FormAddress::Id(id)).await, None);
    assert_eq!(act(&app, &key, &format!("{path}/publish"), 200).await["form"]["publishedVersion"], 3);
    app.delete(&path).key(&key).send().await.expect(200);
    assert_eq!(seen(&app, FormAddress::Id(id)).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_rule_is_refused_and_nothing_is_lost() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let wrong = json!({"slug": "No", "pages": [{"fields": [{"key": "x", "type": "emoji"}, {"key": "y", "label": " "}]}],
        "after": {"message": "Hello {{contact.first_name}}"}});
    let refused =
        app.post("/forms/").key(&key).json(&json!({"name": "x", "definition": wrong})).send().await.expect(422);
    let said = refused["message"].to_string();
    for place in [
        "definition.slug",
        "definition.pages.0.fields.0.type",
        "definition.pages.0.fields.1.label",
        "definition.after.message",
    ] {
        assert!(said.contains(place), "{place}: {said}");
    }
    let unknown = json!({"pages": [{"fields": [{"key": "x", "mapsTo": "contact.shoe_size"}]}]});
    let refused =
        app.post("/forms/").key(&key).json(&json!({"name": "x", "definition": unknown})).send().await.expect(422);
    assert!(
        refused["message"].to_string().contains("definition.pages.0.fields.0.mapsTo names no field of contacts"),
        "{refused}"
    );
    let rated = json!({"pages": [{"fields": [{"key": "x", "type": "rating", "mapsTo": "contact.email"}]}]});
    let refused =
        app.post("/forms/").key(&key).json(&json!({"name": "x", "definition": rated})).send().await.expect(422);
    let said = "mapsTo cannot be filled by a field of type rating; these suit: email, text, hidden";
    assert!(refused["message"].to_string().contains(said), "{refused}");
    // One that was published before that was asked goes on, and keeps what is answered.
    let mapped = json!({"pages": [{"fields": [{"key": "x", "type": "text", "mapsTo": "contact.city"}]}]});
    let (older, older_id) = published(&app, &key, &mapped).await;
    app.sql(&format!("UPDATE form_versions SET definition = replace(definition, '\"text\"', '\"checkbox\"') WHERE form_id = '{older_id}'")).await;
    let sent = app.post(&format!("/f/{older_id}/submissions")).json(&json!({"answers": {"x": true}})).send().await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    assert_eq!(app.get(&older).key(&key).send().await.status, 200);
    // What asks nothing is a draft, and no more.
    let (path, _) = form(&app, &key, &json!({})).await;
    let refused = act(&app, &key, &format!("{path}/publish"), 422).await;
    assert!(refused["message"].to_string().contains("definition.pages should ask for something"), "{refused}");
    // A name leads to one form.
    published(&app, &key, &asking("x", "taken")).await;
    let (path, _) = form(&app, &key, &asking("y", "taken")).await;
    let refused = act(&app, &key, &format!("{path}/publish"), 422).await;
    assert!(
        refused["message"].to_string().contains("definition.slug is that of another form, Contact us"),
        "{refused}"
    );
    assert_eq!(app.get(&path).key(&key).send().await.expect(200)["form"]["definition"], asking("y", "taken"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_suspended_or_of_nobody_is_not_there() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let (_, id) = published(&app, &key, &asking("x", "contact-us")).await;
    let other = LocationId::parse("0000000000000000000L").unwrap();
    assert_eq!(seen(&app, FormAddress::Slug(other, "contact-us".to_owned())).await, None);
    assert!(seen(&app, FormAddress::Id(id)).await.is_some());
    app.sql(&format!("UPDATE locations SET state = 'suspended' WHERE id = '{}'", app.ids.location)).await;
    assert_eq!(seen(&app, FormAddress::Id(id)).await, None);
    app.sql(&format!("UPDATE locations SET state = 'active' WHERE id = '{}'", app.ids.location)).await;
    app.sql("UPDATE agencies SET state = 'suspended'").await;
    assert_eq!(seen(&app, FormAddress::Id(id)).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_takes_a_field_away_is_told_what_uses_it() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let definition = json!({"pages": [{"fields": [
        {"key": "budget", "type": "number", "mapsTo": "contact.city"},
        {"key": "why", "label": "Why?", "visibleIf": {"not": {"all": [{"field": "budget", "op": "gt", "value": 5}]}}},
    ]}], "after": {"message": "{{answer.budget}} it is"}});
    let (path, id) = published(&app, &key, &definition).await;
    for budget in ["1", "2"] {
        let answers = json!({"answers": {"budget": budget}});
        app.post(&format!("{path}/submissions")).key(&key).json(&answers).send().await.expect(201);
    }
    let by = Caller::new(&app, app.admin().await).await;
    let found = async |name: &str| app.app.use_of_form_field(&by.location, id, name.to_owned()).await.unwrap();
    assert_eq!(
        found("budget").await,
        FieldUse {
            answers: 2,
            shows: vec!["Why?".to_owned()],
            is_repeated: true,
            fills: Some("contact.city".to_owned()),
            is_published: true,
        }
    );
    assert_eq!(
        found("why").await,
        FieldUse { answers: 0, shows: vec![], is_repeated: false, fills: None, is_published: true }
    );
}
