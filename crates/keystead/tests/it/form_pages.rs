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

/// Nothing of ours runs where the copy stands: whoever answers "Silver" is not asked why, and must not be held up there.
#[tokio::test(flavor = "multi_thread")]
async fn the_html_to_copy_asks_for_nothing_that_depends_on_an_answer() {
    let visitor = Visitor::new().await;
    let gold = json!({"field": "level", "op": "eq", "value": "Gold"});
    let definition = json!({"pages": [
        {"title": "You & yours", "fields": [
            {"key": "level", "type": "radio", "options": ["Gold", "Silver"], "required": true},
            {"key": "why", "type": "textarea", "required": true, "visibleIf": gold},
            {"key": "how", "type": "radio", "options": ["A", "B"], "required": true, "visibleIf": gold},
        ]},
        {"title": "Last", "fields": [{"key": "agree", "type": "consent", "required": true, "visibleIf": gold}]},
    ]});
    let (_, id) = published(&visitor.app, &visitor.key, &definition).await;
    let share = visitor.get(&format!("/forms/{id}/share")).await;
    let begins = share.text.find("&#60;form method").expect("the copy");
    let copy = share.text[begins..].split("&#60;/form&#62;").next().unwrap();
    let copy = copy.replace("&#60;", "<").replace("&#62;", ">").replace("&#34;", "\"").replace("&#38;", "&");
    let of = |key: &str| copy.lines().find(|line| line.contains(&format!("data-key=\"{key}\""))).unwrap().to_owned();
    assert!(of("level").contains(" required") && !of("level").contains("optional"), "{copy}");
    for key in ["why", "how", "agree"] {
        assert!(!of(key).contains("required") && !of(key).contains("optional"), "{}", of(key));
    }
    assert!(copy.contains("<h2>You &#38; yours</h2>") || copy.contains("<h2>You & yours</h2>"), "{copy}");
    assert!(copy.contains("<h2>Last</h2>"), "{copy}");
    // On its own page it is needed as it was: there it is shown only where it is asked.
    let page = visitor.app.get(&format!("/f/{id}")).send().await;
    assert_eq!(page.text.matches(" required").count(), 6);
    let sent = visitor.app.post(&format!("/f/{id}")).form(&[("level", "Silver")]).send().await;
    assert_eq!(sent.status, 200, "{}", sent.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_nobody_published_is_not_thrown_away_unasked() {
    let visitor = Visitor::new().await;
    let definition = json!({"pages": [{"fields": [{"key": "why", "label": "Why?"}]}]});
    let (_, id) = published(&visitor.app, &visitor.key, &definition).await;
    let at = format!("/forms/{id}");
    let restore = format!("{at}/versions/1/restore");
    let question = visitor.get(&restore).await;
    assert!(question.text.contains("Nothing is lost: the draft is what version 1 was"), "{}", question.text);
    visitor.post(&format!("{at}/add"), &[("label", "When?"), ("type", "date")]).await;
    let versions = visitor.get(&format!("{at}/versions")).await;
    assert!(versions.text.contains(&format!("href=\"{}{restore}\"", visitor.at)), "{}", versions.text);
    let question = visitor.get(&restore).await;
    assert!(question.text.contains("These changes are lost"), "{}", question.text);
    assert_eq!(visitor.keys(id.as_str()).await, "why,when");
    let (_, rest) = question.text.split_once("name=\"seen\" value=\"").unwrap();
    let seen = rest.split('"').next().unwrap().replace("&#38;", "&");
    // Somebody else goes on meanwhile: that is not what was asked about.
    visitor.app.clock.advance(std::time::Duration::from_millis(5));
    visitor.post(&format!("{at}/add"), &[("label", "Where?"), ("type", "text")]).await;
    let refused = visitor.post(&restore, &[("seen", &*seen)]).await;
    assert!(refused.status == 422 && refused.text.contains("somebody has changed it"), "{}", refused.text);
    assert_eq!(visitor.keys(id.as_str()).await, "why,when,where");
    assert_eq!(visitor.post(&restore, &[]).await.status, 303);
    assert_eq!(visitor.keys(id.as_str()).await, "why");
    assert_eq!(visitor.get(&format!("{at}/versions/2/restore")).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_moves_a_field_comes_back_to_its_button() {
    let visitor = Visitor::new().await;
    let fields = ["a", "b", "c"].map(|key| json!({"key": key}));
    let definition = json!({"pages": [{"fields": fields}, {"title": "Last", "fields": [{"key": "d"}]}]});
    let (_, id) = published(&visitor.app, &visitor.key, &definition).await;
    for (change, button) in
        [("down-a", "down-a"), ("down-a", "down-a"), ("up-c", "down-c"), ("raise-1", "lower-0"), ("lower-0", "raise-1")]
    {
        let moved = visitor.post(&format!("/forms/{id}/arrange"), &[("change", change)]).await;
        assert_eq!(moved.header("location"), format!("{}/forms/{id}#{button}", visitor.at), "{change}");
        let page = visitor.get(&format!("/forms/{id}")).await;
        let (_, after) =
            page.text.split_once(&format!("id=\"{button}\"")).unwrap_or_else(|| panic!("{button}: {}", page.text));
        assert!(!after.split('>').next().unwrap().contains("disabled"), "{button}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_in_the_words_of_the_page() {
    let visitor = Visitor::new().await;
    let definition = json!({"pages": [{"fields": [
        {"key": "level", "label": "Which level?", "type": "radio", "options": ["Gold", "Silver"]},
        {"key": "why", "label": "Why?", "visibleIf": {"field": "level", "op": "eq", "value": "Gold"}},
        {"key": "age", "label": "How old?", "type": "number", "min": 5},
    ]}], "after": {"message": "Hi {{answer.age}}"}});
    let (_, id) = published(&visitor.app, &visitor.key, &definition).await;
    let at = format!("/forms/{id}");
    let page = visitor.get(&format!("{at}/fields/why")).await;
    assert!(page.text.contains("list=\"answers\"") || page.text.contains("list=answers"), "{}", page.text);
    assert!(page.text.contains("<option value=\"Gold\">"), "{}", page.text);
    let why = |op, compared| {
        [("label", "Why?"), ("type", "text"), ("visibleIf", "level"), ("op", op), ("compared", compared)]
    };
    let level = [("label", "Which level?"), ("type", "radio"), ("options", "Golden\r\nSilver")];
    let age = [("label", "How old?"), ("type", "number"), ("min", "5"), ("max", "1")];
    let asked = "asks whether “Which level?” is Bronze, which is none of its answers: Gold, Silver";
    for (path, fields, said) in [
        ("/fields/why", &why("eq", "Bronze")[..], asked),
        ("/fields/why", &why("gt", "Gold")[..], "must ask something else of that answer, which knows: is"),
        (
            "/fields/level",
            &level[..],
            "“Why?” asks whether “Which level?” is Gold, which is none of its answers: Golden, Silver",
        ),
        ("/fields/age", &age[..], "must not be less than “Not below”"),
        ("/fields/age/delete", &[][..], "“What is said afterwards” names no field of this form: age"),
    ] {
        let refused = visitor.post(&format!("{at}{path}"), fields).await;
        assert_eq!(refused.status, 422, "{path}");
        let main = refused.text.split("<main").nth(1).unwrap();
        assert!(main.contains(said), "{said}: {main}");
        assert!(!main.to_lowercase().contains("definition."), "{main}");
    }
    let empty = visitor.post("/forms/new", &[("name", "Empty"), ("beginning", "empty")]).await;
    let empty = empty.header("location").rsplit('/').next().unwrap().to_owned();
    let refused = visitor.post(&format!("/forms/{empty}/publish"), &[]).await;
    assert!(refused.text.contains("The form should ask for something before others see it"), "{}", refused.text);
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
    for path in [format!("/submissions.csv?form={id}"), "/submissions.csv".to_owned()] {
        let csv = visitor.get(&path).await;
        assert!(csv.text.contains(",E-mail,Phone,Town,'=Why?,other_answers\r\n"), "{}", csv.text);
        let row = csv.text.lines().find(|line| line.contains(&made)).unwrap_or_else(|| panic!("{}", csv.text));
        assert!(row.contains(",ada@example.com,+14155550123,Rome,'=HYPERLINK(1),"), "a cell is no formula: {row}");
    }
    // What waits is found where it is, and elsewhere its tab says so.
    let (elsewhere, there) = ("/submissions?q=other".to_owned(), "/submissions?q=other&state=held".to_owned());
    let held_id = &held[1];
    app.sql(&format!("UPDATE submissions SET found_by = 'other' WHERE id = '{held_id}'")).await;
    let page = visitor.get(&elsewhere).await;
    assert!(page.text.contains("No submission is like that"), "{}", page.text);
    assert!(page.text.contains(&format!("{}\">Held for review: 1</a>", there.replace('&', "&#38;"))), "{}", page.text);
    assert!(page.text.contains("Held for review <span class=\"count\">1</span>"), "{}", page.text);
    let page = visitor.get(&there).await;
    assert!(page.text.contains(held_id.as_str()), "{}", page.text);
    let nobody = visitor.get("/submissions?q=nobody&state=held").await;
    assert!(nobody.text.contains("Nothing that is held is like that"), "{}", nobody.text);
    // Whoever only looks changes nothing, and a deleted form takes no submission with it.
    act(app, key, &format!("{path}/unpublish"), 200).await;
    app.delete(&path).key(key).send().await.expect(200);
    let page = visitor.get(&format!("/forms/{id}/submissions/{made}")).await;
    assert!(page.status == 200 && page.text.contains("<bdi>Town</bdi>"), "{}", page.text);
    let list = visitor.get("/submissions").await;
    assert!(list.text.contains("A deleted form"), "{}", list.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_submissions_has_a_column_for_each_question() {
    let visitor = Visitor::new().await;
    let (app, key) = (&visitor.app, &visitor.key);
    let form = async |fields: Value| published(app, key, &json!({"pages": [{"fields": fields}]})).await;
    let (first, id) = form(json!([
        {"key": "a", "label": "City"}, {"key": "b", "label": "city"}, {"key": "c", "label": "Page"},
        {"key": "d", "label": "Twice"}, {"key": "e", "label": "twice"}, {"key": "h", "type": "heading", "label": "Heading"},
    ]))
    .await;
    let (second, _) = form(
        json!([{"key": "z", "label": "City"}, {"key": "m", "type": "multi", "label": "Days", "options": ["Mo", "Tu"]}]),
    )
    .await;
    let send = async |path: &str, answers: Value| {
        let sent = app.post(&format!("{path}/submissions")).key(key).json(&json!({"answers": answers})).send().await;
        sent.expect(201)["submission"]["id"].as_str().unwrap().to_owned()
    };
    let old = send(&first, json!({"a": "Rome", "b": "Oslo", "c": "7", "d": "1", "e": "2", "made_up": "x"})).await;
    // A question that is asked no more keeps its column, and one that is called otherwise has one.
    let renamed = json!({"name": "Contact us", "definition": {"pages": [{"fields": [{"key": "a", "label": "Town"}]}]}});
    app.put(&first).key(key).json(&renamed).send().await.expect(200);
    act(app, key, &format!("{first}/publish"), 200).await;
    let other = send(&second, json!({"z": "Bern", "m": ["Mo"]})).await;
    let rows = async |query: &str| {
        let csv = visitor.get(&format!("/submissions.csv{query}")).await;
        let mut lines = csv.text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
        let head = lines.next().unwrap();
        let unique: std::collections::BTreeSet<String> = head.iter().map(|name| name.to_lowercase()).collect();
        assert_eq!(unique.len(), head.len(), "{head:?}");
        let rows: Vec<Vec<String>> = lines.collect();
        move |id: &str, column: &str| {
            let place = head.iter().position(|name| name == column).unwrap_or_else(|| panic!("{column}: {head:?}"));
            rows.iter().find(|row| row[0] == id).unwrap_or_else(|| panic!("{id}: {rows:?}"))[place].clone()
        }
    };
    let all = rows("").await;
    assert_eq!(
        (all(&old, "Town"), all(&old, "City"), all(&old, "Page (2)")),
        ("Rome".into(), "Oslo".into(), "7".into())
    );
    assert_eq!(
        (all(&other, "City"), all(&other, "Town")),
        ("Bern".into(), String::new()),
        "what is asked alike is one column"
    );
    assert_eq!((all(&old, "Twice"), all(&old, "twice (2)")), ("1".into(), "2".into()));
    assert!(all(&old, "other_answers").contains("made_up"), "{}", all(&old, "other_answers"));
    let one = rows(&format!("?form={id}")).await;
    assert_eq!(
        (one(&old, "Town"), one(&old, "city"), one(&old, "form")),
        ("Rome".into(), "Oslo".into(), id.to_string())
    );
    // A deleted form takes no column with it.
    act(app, key, &format!("{first}/unpublish"), 200).await;
    app.delete(&first).key(key).send().await.expect(200);
    assert_eq!(rows("").await(&old, "Town"), "Rome");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_in_settings_is_saved_before_it_is_published() {
    let visitor = Visitor::new().await;
    let definition = json!({"pages": [{"fields": [{"key": "why", "label": "Why?"}]}]});
    let (_, id) = published(&visitor.app, &visitor.key, &definition).await;
    let settings = format!("/forms/{id}/settings");
    visitor.post(&format!("/forms/{id}/add"), &[("label", "When?"), ("type", "date")]).await;
    // No button there sends another form than that which has what was typed.
    let page = visitor.get(&settings).await;
    let within = page.text.split("<main").nth(1).unwrap();
    assert_eq!(within.matches("<form").count(), 1, "{within}");
    assert!(within.contains("name=\"then\" value=\"publish\">Save and publish"), "{within}");
    let typed = [("name", "Contact us"), ("title", "Typed"), ("then", "publish")];
    let done = visitor.post(&settings, &typed).await;
    assert_eq!(done.status, 303, "{}", done.text);
    let seen = visitor.app.get(&format!("/f/{id}")).send().await;
    assert!(seen.text.contains("<h1><bdi>Typed</bdi></h1>") && seen.text.contains("When?"), "{}", seen.text);
    // What cannot be published is saved, and said.
    let empty = visitor.post("/forms/new", &[("name", "Empty"), ("beginning", "empty")]).await;
    let empty = empty.header("location").rsplit('/').next().unwrap().to_owned();
    let typed = [("name", "Empty"), ("title", "Typed, too"), ("then", "publish")];
    let refused = visitor.post(&format!("/forms/{empty}/settings"), &typed).await;
    assert!(refused.status == 422 && refused.text.contains("What you changed here is saved"), "{}", refused.text);
    assert!(
        refused.text.contains("ask for something") && refused.text.contains("value=\"Typed, too\""),
        "{}",
        refused.text
    );
    assert_eq!(visitor.form(&empty).await["definition"]["title"], "Typed, too");
    // What was saved by then is what its sender has seen.
    let (_, rest) = refused.text.split_once("name=\"seen\" value=\"").unwrap();
    let seen = rest.split('"').next().unwrap().replace("&#38;", "&");
    let again = [("name", "Empty"), ("title", "Again"), ("seen", seen.as_str())];
    assert_eq!(visitor.post(&format!("/forms/{empty}/settings"), &again).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_beside_the_fields_is_kept_by_every_button() {
    let visitor = Visitor::new().await;
    let definition = json!({"pages": [{"fields": [{"key": "why", "label": "Why?"}, {"key": "who", "label": "Who?"}]}]});
    let (_, id) = published(&visitor.app, &visitor.key, &definition).await;
    let at = format!("/forms/{id}");
    // One form has all that can be typed there, and all buttons.
    let page = visitor.get(&at).await;
    let within = page.text.split("<main").nth(1).unwrap();
    assert_eq!((within.matches("<form").count(), page.text.contains("is not part of")), (1, false), "{within}");
    // Enter sends what its first button sends, which publishes nothing.
    let first = within.split("<button").nth(1).unwrap().split('>').next().unwrap();
    assert!(first.contains("name=\"by\" value=\"enter\"") && !first.contains("formaction"), "{first}");
    let typed = [("label", "When & why?"), ("type", "date"), ("title", "More <b>")];
    let kept = async |done: &Answer, label: bool, title: bool| {
        assert_eq!(done.status, 303, "{}", done.text);
        let page = visitor.app.get(done.header("location")).header("Cookie", &visitor.cookie).send().await;
        for (text, is_kept) in [
            ("value=\"When &#38; why?\"", label),
            ("value=\"date\" selected", label),
            ("“When &#38; why?” is not part of the form yet: press Add field for that.", label),
            ("value=\"More &#60;b&#62;\"", title),
            ("“More &#60;b&#62;” is not part of the form yet: press Add page for that.", title),
        ] {
            assert_eq!(page.text.contains(text), is_kept, "{text}: {}", page.text);
        }
    };
    let publish = format!("{at}/publish");
    kept(&visitor.post(&publish, &typed).await, true, true).await;
    kept(&visitor.post(&format!("{at}/unpublish"), &typed).await, true, true).await;
    let change = [&[("change", "down-why")], &typed[..]].concat();
    kept(&visitor.post(&format!("{at}/arrange"), &change).await, true, true).await;
    assert_eq!(visitor.keys(id.as_str()).await, "who,why");
    // What cannot be published says so, and keeps it.
    let stale = [&[("seen", "0.x")], &typed[..]].concat();
    let refused = visitor.post(&publish, &stale).await;
    assert!(refused.status == 409 || refused.status == 422, "{}", refused.status);
    assert!(refused.text.contains("Nothing was published") && refused.text.contains("value=\"When &#38; why?\""));
    assert!(refused.text.contains("value=\"More &#60;b&#62;\""), "{}", refused.text);
    // A button that adds one of both keeps the other.
    kept(&visitor.post(&format!("{at}/add"), &typed).await, false, true).await;
    kept(&visitor.post(&format!("{at}/pages"), &typed).await, true, false).await;
    assert_eq!(visitor.keys(id.as_str()).await, "who,why,when_why|");
    // Enter in the title of a page adds that.
    let entered = [("by", "enter"), ("label", ""), ("type", "text"), ("title", "Last")];
    assert_eq!(visitor.post(&format!("{at}/add"), &entered).await.status, 303);
    assert_eq!(visitor.keys(id.as_str()).await, "who,why,when_why||");
    let refused = visitor.post(&format!("{at}/add"), &[("type", "text"), ("title", "Last <b>")]).await;
    assert!(refused.text.contains("Enter what is asked") && refused.text.contains("value=\"Last &#60;b&#62;\""));
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
