//! The pages of forms and of what was submitted to them, without a script.

use keystead_model::user::Role;
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, Answer, TestApp, TestKey};
use serde_json::{Value, json};

use crate::{
    app::{from_here, member, sign_in},
    form_versions::{act, published},
    things::held,
};

/// Somebody at the pages of forms.
struct Visitor {
    app: TestApp,
    key: TestKey,
    cookie: String,
    at: String,
}

impl Visitor {
    async fn new() -> Self {
        let app = TestApp::start().await;
        let (key, cookie) = (app.location_key().await, sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await);
        let at = format!("/app/locations/{}", app.ids.location);
        Self { app, key, cookie, at }
    }

    async fn get(&self, path: &str) -> Answer {
        self.app.get(&format!("{}{path}", self.at)).header("Cookie", &self.cookie).send().await
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        from_here(self.app.post(&format!("{}{path}", self.at))).header("Cookie", &self.cookie).form(fields).send().await
    }

    async fn form(&self, id: &str) -> Value {
        self.app.get(&format!("/forms/{id}")).key(&self.key).send().await.expect(200)["form"].clone()
    }

    /// The keys of a draft's fields, page by page.
    async fn keys(&self, id: &str) -> String {
        let form = self.form(id).await;
        let keys = |page: &Value| {
            let keys = page["fields"].as_array().unwrap().iter().map(|field| field["key"].as_str().unwrap());
            keys.collect::<Vec<_>>().join(",")
        };
        form["definition"]["pages"].as_array().unwrap().iter().map(keys).collect::<Vec<_>>().join("|")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_built_published_and_answered() {
    let visitor = Visitor::new().await;
    let missing = visitor.post("/forms/new", &[("beginning", "contact")]).await;
    assert!(missing.status == 422 && missing.text.contains("Enter a name"), "{}", missing.text);
    let made = visitor.post("/forms/new", &[("name", "Write to us"), ("beginning", "contact")]).await;
    let id = made.header("location").rsplit('/').next().unwrap().to_owned();
    assert_eq!(made.status, 303, "{}", made.text);
    assert_eq!(visitor.keys(&id).await, "name,email,phone,message,consent");
    let at = format!("/forms/{id}");
    for (label, kind) in [("Budget", "number"), ("Level", "radio"), ("Why?", "textarea")] {
        assert_eq!(visitor.post(&format!("{at}/add"), &[("label", label), ("type", kind)]).await.status, 303);
    }
    assert_eq!(visitor.post(&format!("{at}/add"), &[("type", "text")]).await.status, 422);
    visitor.post(&format!("{at}/pages"), &[("title", "More")]).await;
    for change in ["down-why", "up-consent", "up-x"] {
        visitor.post(&format!("{at}/arrange"), &[("change", change)]).await;
    }
    assert_eq!(visitor.keys(&id).await, "name,email,phone,consent,message,budget,level|why");
    // A field, with all that it can have.
    let page = visitor.get(&format!("{at}/fields/level")).await;
    assert!(page.text.contains("First answer") && page.text.contains("contact.city"), "{}", page.text);
    let fields = [
        ("label", "Level"),
        ("type", "radio"),
        ("options", "Gold\r\n\r\nSilver"),
        ("required", "on"),
        ("width", "on"),
        ("mapsTo", "contact.city"),
        ("visibleIf", "budget"),
        ("op", "gt"),
        ("compared", "1000"),
    ];
    let saved = visitor.post(&format!("{at}/fields/level"), &fields).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let level = visitor.form(&id).await["definition"]["pages"][0]["fields"][6].clone();
    assert_eq!(
        level,
        json!({"key": "level", "type": "radio", "label": "Level", "options": ["Gold", "Silver"], "mapsTo": "contact.city",
        "required": true, "width": 50, "visibleIf": {"field": "budget", "op": "gt", "value": "1000"}})
    );
    let page = visitor.get(&at).await;
    assert!(page.text.contains("shown if “Budget” is more than 1000"), "{}", page.text);
    assert!(page.header("content-security-policy").contains("frame-src 'self'"));
    let page = visitor.get(&format!("{at}/fields/level")).await;
    assert!(
        page.text.contains("value=\"1000\"") && page.text.contains("<option value=\"gt\" selected"),
        "{}",
        page.text
    );
    // What is wrong is said beside its field, and nothing is lost.
    let wrong =
        [("label", "Budget"), ("type", "number"), ("min", "5"), ("max", "many"), ("visibleIf", ""), ("hint", "Kept")];
    let again = visitor.post(&format!("{at}/fields/budget"), &wrong).await;
    assert!(
        again.status == 422 && again.text.contains("max-problem") && again.text.contains("value=\"Kept\""),
        "{}",
        again.text
    );
    // A field that another one is shown by stays before it.
    let refused = visitor.post(&format!("{at}/arrange"), &[("change", "down-budget")]).await;
    assert!(
        refused.status == 422 && refused.text.contains("comes after the field that is answered"),
        "{}",
        refused.text
    );
    // Another type has other properties.
    let number = [("label", "Level"), ("type", "number"), ("options", "Gold"), ("min", "1")];
    visitor.post(&format!("{at}/fields/level"), &number).await;
    let level = visitor.form(&id).await["definition"]["pages"][0]["fields"][6].clone();
    assert_eq!(level, json!({"key": "level", "type": "number", "label": "Level", "min": "1"}));
    let settings = [
        ("name", "Write to us"),
        ("slug", "write"),
        ("contact.matchBy", "email"),
        ("contact.onMatch", "update"),
        ("contact.tags", "a, b"),
        ("after.message", "Hi {{answer.name}}"),
        ("spam.minSeconds", "0"),
        ("spam.rate", "20/min/ip"),
        ("style.accent", "plum"),
        ("embed.allowedOrigins", "https://a.example\r\nhttps://b.example"),
    ];
    let saved = visitor.post(&format!("{at}/settings"), &settings).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let definition = visitor.form(&id).await["definition"].clone();
    assert_eq!(definition["contact"], json!({"matchBy": ["email"], "onMatch": "update", "tags": ["a", "b"]}));
    assert_eq!(definition["embed"]["allowedOrigins"], json!(["https://a.example", "https://b.example"]));
    assert_eq!(definition["spam"], json!({"rate": "20/min/ip", "honeypot": false, "minSeconds": 0}));
    let wrong: Vec<(&str, &str)> = settings
        .into_iter()
        .filter(|(name, _)| *name != "after.message")
        .chain([("after.message", "Hi {{contact.first_name}}"), ("after.redirect", "javascript:1")])
        .collect();
    let again = visitor.post(&format!("{at}/settings"), &wrong).await;
    assert!(
        again.status == 422
            && again.text.contains("after.message-problem")
            && again.text.contains("after.redirect-problem"),
        "{}",
        again.text
    );
    assert!(again.text.contains("not told to strangers"), "{}", again.text);
    let preview = visitor.get(&format!("{at}/preview")).await;
    assert!(
        preview.header("content-security-policy").ends_with("frame-ancestors 'self'")
            && preview.text.contains("<button type=\"button\">")
    );
    assert_eq!(app_status(&visitor, &format!("/f/{id}")).await, 404);
    // What nobody who publishes has seen is not published.
    let unseen = visitor.post(&format!("{at}/publish"), &[("seen", "1")]).await;
    assert!(unseen.status == 422 && unseen.text.contains("Nothing was published"), "{}", unseen.text);
    assert_eq!(app_status(&visitor, &format!("/f/{id}")).await, 404);
    let page = visitor.get(&at).await;
    let (_, seen) = page.text.split_once("name=\"seen\" value=\"").expect("what it shows");
    let seen = seen.split('"').next().unwrap();
    assert_eq!(visitor.post(&format!("{at}/publish"), &[("seen", seen)]).await.status, 303);
    assert_eq!(app_status(&visitor, &format!("/f/{id}")).await, 200);
    let share = visitor.get(&format!("{at}/share")).await;
    for part in
        [format!("/f/{}/write", visitor.app.ids.location), "embed.js".to_owned(), "name=&#34;budget&#34;".to_owned()]
    {
        assert!(share.text.contains(&part), "{part}: {}", share.text);
    }
    let versions = visitor.get(&format!("{at}/versions")).await;
    assert!(versions.text.contains("Others see it"), "{}", versions.text);
}

async fn app_status(visitor: &Visitor, path: &str) -> u16 {
    visitor.app.get(path).send().await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_goes_when_what_uses_it_was_told() {
    let visitor = Visitor::new().await;
    let definition = json!({"pages": [{"fields": [
        {"key": "budget", "type": "number", "mapsTo": "contact.city"},
        {"key": "why", "label": "Why?", "visibleIf": {"any": [{"field": "budget", "op": "gt", "value": 5}]}},
    ]}], "after": {"message": "{{answer.budget}}"}});
    let (path, id) = published(&visitor.app, &visitor.key, &definition).await;
    let answers = json!({"answers": {"budget": "7"}});
    visitor.app.post(&format!("{path}/submissions")).key(&visitor.key).json(&answers).send().await.expect(201);
    let at = format!("/forms/{id}");
    // What a program sent stays, as long as nobody chooses something else.
    let why = [("label", "Why not?"), ("type", "text"), ("visibleIf", "*")];
    assert_eq!(visitor.post(&format!("{at}/fields/why"), &why).await.status, 303);
    assert!(visitor.form(id.as_str()).await["definition"]["pages"][0]["fields"][1]["visibleIf"]["any"].is_array());
    let question = visitor.get(&format!("{at}/fields/budget/delete")).await;
    for part in [
        "asked at the moment",
        "One submission has an answer to it, which stays",
        "It fills contact.city",
        "“Why not?” is shown by what is answered",
        "change that first, in the settings",
    ] {
        assert!(question.text.contains(part), "{part}: {}", question.text);
    }
    assert_eq!(visitor.post(&format!("{at}/fields/budget/delete"), &[]).await.status, 422);
    visitor.post(&format!("{at}/settings"), &[("name", "x")]).await;
    assert_eq!(visitor.post(&format!("{at}/fields/budget/delete"), &[]).await.status, 303);
    let fields = visitor.form(id.as_str()).await["definition"]["pages"][0]["fields"].clone();
    assert_eq!(fields, json!([{"key": "why", "label": "Why not?", "type": "text"}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn submissions_are_looked_through_decided_and_taken_along() {
    let visitor = Visitor::new().await;
    let (app, key) = (&visitor.app, &visitor.key);
    let definition = json!({"pages": [{"fields": [
        {"key": "email", "type": "email", "label": "E-mail", "mapsTo": "contact.email"},
        {"key": "phone", "label": "Phone", "mapsTo": "contact.phone"}, {"key": "city", "label": "Town", "mapsTo": "contact.city"},
        {"key": "why", "label": "=Why?"},
    ]}]});
    let (path, id) = published(app, key, &definition).await;
    let known = json!({"email": "ada@example.com", "city": "London"});
    app.post("/contacts/").key(key).json(&known).send().await.expect(201);
    let answers = json!({"answers": {"email": "ada@example.com", "phone": "+14155550123", "city": "Rome", "why": "=HYPERLINK(1)"}});
    let made = app.post(&format!("{path}/submissions")).key(key).json(&answers).send().await.expect(201);
    let made = made["submission"]["id"].as_str().unwrap().to_owned();
    let held = held(app, key, &[("{formId}", id.to_string())]).await;
    let list = visitor.get("/submissions").await;
    assert!(
        list.text.contains("ada@example.com") && list.text.contains(&made) && !list.text.contains(&held[0]),
        "{}",
        list.text
    );
    assert!(list.text.contains("Held for review <span class=\"count\">2</span>"), "{}", list.text);
    let audit = app.get("/app/agency/audit?data=1").header("Cookie", &visitor.cookie).send().await;
    assert!(audit.text.contains("Somebody"), "nobody knows who sent it: {}", audit.text);
    let waiting = visitor.get("/submissions?state=held").await;
    assert!(
        waiting.text.contains(&held[0]) && waiting.text.contains("a trap for programs was filled"),
        "{}",
        waiting.text
    );
    let found = visitor.get(&format!("/submissions?q=nobody&form={id}")).await;
    assert!(found.text.contains("No submission is like that"), "{}", found.text);
    let page = visitor.get(&format!("/forms/{id}/submissions/{made}")).await;
    for part in [
        "<bdi>Town</bdi>",
        "<bdi>=HYPERLINK(1)</bdi>",
        "+14155550123",
        "Add to the contact",
        "<b><bdi>City</bdi></b>",
        "It was filled already",
        "a program",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    visitor.post(&format!("/forms/{id}/submissions/{made}/offers/phone"), &[]).await;
    let page = visitor.get(&format!("/forms/{id}/submissions/{made}")).await;
    assert!(page.text.contains("Added") && !page.text.contains("Add to the contact"), "{}", page.text);
    assert_eq!(visitor.post(&format!("/forms/{id}/submissions/{}/accept", held[0]), &[]).await.status, 303);
    let twice = visitor.post(&format!("/forms/{id}/submissions/{}/accept", held[0]), &[]).await;
    assert!(twice.status == 422 && twice.text.contains("counts already"), "{}: {}", twice.status, twice.text);
    let csv = visitor.get(&format!("/submissions.csv?form={id}")).await;
    assert!(csv.text.contains("email,phone,city,why") && csv.text.contains("Rome"), "{}", csv.text);
    assert!(!csv.text.contains(",=HYPERLINK"), "a cell is no formula: {}", csv.text);
    // Whoever only looks changes nothing, and a deleted form takes no submission with it.
    act(app, key, &format!("{path}/unpublish"), 200).await;
    app.delete(&path).key(key).send().await.expect(200);
    let page = visitor.get(&format!("/forms/{id}/submissions/{made}")).await;
    assert!(page.status == 200 && page.text.contains("<bdi>Town</bdi>"), "{}", page.text);
    let list = visitor.get("/submissions").await;
    assert!(list.text.contains("A deleted form"), "{}", list.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_change_a_form_lose_nothing() {
    let visitor = Visitor::new().await;
    let definition = json!({"pages": [{"fields": [{"key": "why", "label": "Why?"}]}]});
    let (_, id) = published(&visitor.app, &visitor.key, &definition).await;
    for (path, mine) in
        [(format!("/forms/{id}/fields/why"), ("label", "Mine")), (format!("/forms/{id}/settings"), ("title", "Mine"))]
    {
        let page = visitor.get(&path).await;
        let (_, rest) = page.text.split_once("name=\"seen\" value=\"").unwrap_or_else(|| panic!("{}", page.text));
        let seen = rest.split('"').next().unwrap().replace("&#38;", "&");
        visitor.app.clock.advance(std::time::Duration::from_millis(5));
        visitor.post(&format!("/forms/{id}/add"), &[("label", "Theirs"), ("type", "text")]).await;
        let before = visitor.form(id.as_str()).await;
        let fields = [("seen", seen.as_str()), ("name", "Contact us"), ("label", "Why?"), ("type", "text"), mine];
        let again = visitor.post(&path, &fields[..]).await;
        assert!(
            again.status == 409 || again.text.contains("while you edited it"),
            "{path}: {} {}",
            again.status,
            again.text
        );
        assert_eq!(visitor.form(id.as_str()).await, before, "nothing was saved");
    }
    let reader = member(&visitor.app, "reader@x.example", Role::AccountUser, &[visitor.app.ids.location]).await;
    let page = visitor.app.get(&format!("{}/forms/{id}", visitor.at)).header("Cookie", &reader).send().await;
    assert_eq!(page.status, 200);
}
