//! The pages of contacts: adding, changing, what belongs to them, choosing several, merging.

use std::time::Duration;

use keystead_model::{grant::Reach, key_kind::KeyKind, scope::Preset};
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, Answer, TestApp, TestKey};
use serde_json::{Value, json};

use crate::app::{flash, from_here, sign_in};

/// Somebody who is signed in, at the contacts of a location.
struct Visitor<'a> {
    app: &'a TestApp,
    key: TestKey,
    cookie: String,
    base: String,
}

impl<'a> Visitor<'a> {
    async fn of(app: &'a TestApp) -> Self {
        let (key, cookie) = (app.location_key().await, sign_in(app, ADMIN_EMAIL, ADMIN_PASSWORD).await);
        Self { app, key, cookie, base: format!("/app/locations/{}/contacts", app.ids.location) }
    }

    async fn get(&self, path: &str) -> Answer {
        self.app.get(&format!("{}{path}", self.base)).header("Cookie", &self.cookie).send().await
    }

    async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.text
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let url = format!("{}{path}", self.base);
        from_here(self.app.post(&url)).header("Cookie", &self.cookie).form(fields).send().await
    }

    /// What is done, and leads on.
    async fn done(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.post(path, fields).await;
        assert_eq!(answer.status, 303, "{path}: {}", answer.text);
        answer.header("location").to_owned()
    }

    async fn make(&self, contact: Value) -> String {
        let made = self.app.post("/contacts/").key(&self.key).json(&contact).send().await.expect(201);
        made["contact"]["id"].as_str().unwrap().to_owned()
    }

    /// As the API tells it.
    async fn seen(&self, id: &str) -> Value {
        self.app.get(&format!("/contacts/{id}")).key(&self.key).send().await.expect(200)["contact"].clone()
    }
}

/// The value of a hidden field.
fn hidden(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{name}: {page}"));
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_added_and_changed_with_all_its_fields() {
    let app = TestApp::start().await;
    let visitor = Visitor::of(&app).await;
    let fields = format!("/locations/{}/customFields", app.ids.location);
    let field = async |field: Value| {
        app.post(&fields).key(&visitor.key).json(&field).send().await.expect(201)["customField"]["id"].clone()
    };
    let plan = field(json!({"name": "Plan", "dataType": "SINGLE_OPTIONS", "options": ["Gold", "Silver"]})).await;
    let seats = field(json!({"name": "Seats", "dataType": "NUMERICAL"})).await;
    let [plan, seats] = [plan, seats].map(|id| format!("customFields.{}", id.as_str().unwrap()));
    // All that is wrong is said at once, and what was typed stays.
    let wrong = [
        ("firstName", "Ada"),
        ("email", "ada at example"),
        ("phone", "12"),
        ("country", "Atlantis"),
        ("dateOfBirth", "yesterday"),
        (&*plan, "Platinum"),
        (&*seats, "many"),
    ];
    let refused = visitor.post("/new", &wrong).await;
    assert_eq!(refused.status, 422);
    for name in ["email", "phone", "country", "dateOfBirth", &plan, &seats] {
        assert!(refused.text.contains(&format!("<a href=\"#{name}\">")), "{name}: {}", refused.text);
        assert!(refused.text.contains(&format!("id=\"{name}-problem\"")), "{name}");
    }
    assert!(
        refused.text.contains("6 things need a look. Nothing was saved.")
            && refused.text.contains("value=\"ada at example\"")
    );
    let nobody = visitor.post("/new", &[("city", "Bristol")]).await;
    assert!(nobody.status == 422 && nobody.text.contains("Enter a name, an e-mail address"), "{}", nobody.text);
    let right = [
        ("firstName", "Ada"),
        ("email", "ada@example.com"),
        ("phone", "(415) 555-0123"),
        ("additionalEmails", "a@example.com\r\nb@example.com"),
        ("country", "Germany"),
        ("tags", "vip, lead"),
        ("dnd", "on"),
        (&*plan, "Gold"),
        (&*seats, "12"),
    ];
    let at = visitor.done("/new", &right).await;
    let id = at.rsplit('/').next().unwrap();
    let made = visitor.seen(id).await;
    assert_eq!((&made["phone"], &made["country"], &made["dnd"]), (&json!("+14155550123"), &json!("DE"), &json!(true)));
    assert_eq!(
        (&made["tags"], &made["additionalEmails"]),
        (&json!(["vip", "lead"]), &json!(["a@example.com", "b@example.com"]))
    );
    assert_eq!(made["customFields"].as_array().unwrap().len(), 2);
    // What is emptied is empty, and tags are not the form's.
    let form = visitor.page(&format!("/{id}/edit")).await;
    let changed = [
        ("seen", &*hidden(&form, "seen")),
        ("firstName", "Ada"),
        ("lastName", "King"),
        ("email", "ada@example.com"),
        (&*plan, ""),
    ];
    visitor.done(&format!("/{id}/edit"), &changed).await;
    let after = visitor.seen(id).await;
    assert_eq!((&after["lastName"], &after["phone"], &after["dnd"]), (&json!("King"), &json!(null), &json!(false)));
    assert_eq!((&after["tags"], after["customFields"].as_array().map(Vec::len)), (&json!(["vip", "lead"]), Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_edit_one_contact_see_each_others_version() {
    let app = TestApp::start().await;
    let visitor = Visitor::of(&app).await;
    let id = visitor.make(json!({"firstName": "Ada", "phone": "+14155550123"})).await;
    let form = visitor.page(&format!("/{id}/edit")).await;
    app.clock.advance(Duration::from_secs(1));
    let meanwhile = json!({"phone": "+14155550199"});
    app.put(&format!("/contacts/{id}")).key(&visitor.key).json(&meanwhile).send().await.expect(200);
    let mine =
        [("seen", &*hidden(&form, "seen")), ("firstName", "Ada"), ("phone", "+14155550123"), ("city", "Bristol")];
    let refused = visitor.post(&format!("/{id}/edit"), &mine).await;
    assert_eq!(refused.status, 422);
    for said in [
        "Somebody changed this contact while you edited it",
        "Phone: meanwhile it is “+14155550199”.",
        "value=\"Bristol\"",
    ] {
        assert!(refused.text.contains(said), "{said}: {}", refused.text);
    }
    assert_eq!(visitor.seen(&id).await["city"], json!(null), "nothing was saved");
    let again = [
        ("seen", &*hidden(&refused.text, "seen")),
        ("firstName", "Ada"),
        ("phone", "+14155550123"),
        ("city", "Bristol"),
    ];
    visitor.done(&format!("/{id}/edit"), &again).await;
    let after = visitor.seen(&id).await;
    assert_eq!((&after["phone"], &after["city"]), (&json!("+14155550123"), &json!("Bristol")));
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_tasks_and_tags_are_kept_from_the_page() {
    let app = TestApp::start().await;
    let visitor = Visitor::of(&app).await;
    let id = visitor.make(json!({"firstName": "Ada", "tags": ["lead"]})).await;
    let empty = visitor.post(&format!("/{id}/notes"), &[("body", " ")]).await;
    assert!(empty.status == 422 && empty.text.contains("<a href=\"#body\">Write something.</a>"), "{}", empty.text);
    visitor.done(&format!("/{id}/notes"), &[("body", "Afraid of needles <b>"), ("pinned", "on")]).await;
    let wrong = visitor.post(&format!("/{id}/tasks"), &[("title", "Call back"), ("dueDate", "soon")]).await;
    assert!(wrong.status == 422 && wrong.text.contains("Due on must be a day"), "{}", wrong.text);
    visitor
        .done(&format!("/{id}/tasks"), &[("title", "Call back"), ("dueDate", "2026-12-24"), ("time", "14:30")])
        .await;
    let page = visitor.page(&format!("/{id}")).await;
    for said in ["Afraid of needles &#60;b&#62;", "Pinned", "Call back", "Due 24 Dec 2026, 14:30"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let tasks = app.get(&format!("/contacts/{id}/tasks")).key(&visitor.key).send().await.expect(200);
    let task = tasks["tasks"][0]["id"].as_str().unwrap();
    let finish = format!("/{id}/tasks/{task}/finish");
    for wanted in [true, false] {
        visitor.done(&finish, &[]).await;
        let task = app.get(&format!("/contacts/{id}/tasks/{task}")).key(&visitor.key).send().await.expect(200);
        assert_eq!(task["task"]["completed"], wanted, "said again it is undone");
    }
    let notes = app.get(&format!("/contacts/{id}/notes")).key(&visitor.key).send().await.expect(200);
    visitor.done(&format!("/{id}/notes/{}/delete", notes["notes"][0]["id"].as_str().unwrap()), &[]).await;
    let left = app.get(&format!("/contacts/{id}/notes")).key(&visitor.key).send().await.expect(200);
    assert_eq!(left["notes"], json!([]));
    visitor.done(&format!("/{id}/tags"), &[("add", "VIP, Met today")]).await;
    visitor.done(&format!("/{id}/tags"), &[("remove", "lead")]).await;
    assert_eq!(visitor.seen(&id).await["tags"], json!(["vip", "met today"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_are_chosen_filtered_and_put_away() {
    let app = TestApp::start().await;
    let visitor = Visitor::of(&app).await;
    let mut ids = Vec::new();
    for name in ["Ada", "Bob", "Cid"] {
        ids.push(visitor.make(json!({"firstName": name})).await);
    }
    let chosen = |action: &'static str, tags: &'static str| {
        [("id", ids[0].clone()), ("id", ids[1].clone()), ("do", action.to_owned()), ("tags", tags.to_owned())]
    };
    let send = async |action, tags| {
        let fields = chosen(action, tags);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        visitor.done("/bulk", &fields).await
    };
    send("tag", "").await;
    assert_eq!(visitor.seen(&ids[0]).await["tags"], json!([]), "no tag was named");
    send("tag", "met").await;
    let page = visitor.page("?tag=MET").await;
    assert!(page.contains(">Ada<") && page.contains(">Bob<") && !page.contains(">Cid<"), "{page}");
    assert!(page.contains("1 to 2 of 2") && page.contains("aria-label=\"Remove the filter Tag MET\""), "{page}");
    for (query, count) in [
        ("?owner=nobody", 3),
        ("?added=7", 3),
        ("?dnd=on", 0),
        ("?tag=none", 0),
        ("?owner=x", 0),
        ("?q=bob&tag=met", 1),
    ] {
        let page = visitor.page(query).await;
        assert_eq!(page.matches("name=\"id\"").count(), count, "{query}");
    }
    send("untag", "met").await;
    assert_eq!(visitor.seen(&ids[1]).await["tags"], json!([]));
    send("trash", "").await;
    let page = visitor.page("").await;
    assert!(page.contains(">Cid<") && !page.contains(">Ada<"), "{page}");
    visitor.done(&format!("/{}/trash", ids[2]), &[]).await;
    assert!(visitor.page("").await.contains("There is no contact yet"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_contacts_are_compared_and_merged() {
    let app = TestApp::start().await;
    let visitor = Visitor::of(&app).await;
    let kept = visitor.make(json!({"firstName": "Ada", "lastName": "King", "email": "ada@example.com"})).await;
    let other = visitor.make(json!({"firstName": "Ada", "lastName": "K.", "phone": "+14155550123"})).await;
    let found = visitor.page(&format!("/{kept}/merge?q=ada")).await;
    assert!(found.contains(&format!("merge?with={other}")) && !found.contains(&format!("with={kept}\"")), "{found}");
    let compared = visitor.page(&format!("/{kept}/merge?with={other}")).await;
    assert!(
        compared.contains("+14155550123") && compared.contains(&format!("/{other}/merge?with={kept}")),
        "{compared}"
    );
    let itself = visitor.post(&format!("/{kept}/merge"), &[("from", &kept)]).await;
    assert!(itself.status == 422 && itself.text.contains("must be another contact"), "{}", itself.text);
    visitor.done(&format!("/{kept}/merge"), &[("from", &other)]).await;
    assert_eq!(visitor.seen(&kept).await["phone"], "+14155550123");
    assert_eq!(visitor.get(&format!("/{other}")).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_s_page_tells_what_became_of_them_page_by_page() {
    let app = TestApp::start().await;
    let visitor = Visitor::of(&app).await;
    let field = json!({"name": "Shoe size", "dataType": "NUMERICAL"});
    let field = app.post(&format!("/locations/{}/customFields", app.ids.location)).key(&visitor.key).json(&field);
    let field = field.send().await.expect(201)["customField"]["id"].as_str().unwrap().to_owned();
    let id = visitor.make(json!({"firstName": "Ada", "lastName": "Lovelace", "city": "Paris"})).await;
    let stranger = visitor.make(json!({"firstName": "Somebody", "lastName": "Else"})).await;
    visitor.done(&format!("/{id}/notes"), &[("body", "Likes tea")]).await;
    visitor.done(&format!("/{id}/tasks"), &[("title", "Call back"), ("dueDate", "2027-01-31T09:00")]).await;
    let custom = format!("customFields.{field}");
    let seen = hidden(&visitor.page(&format!("/{id}/edit")).await, "seen");
    let change = [("firstName", "Ada"), ("lastName", "King"), ("city", "London"), (custom.as_str(), "42")];
    visitor.done(&format!("/{id}/edit"), &[&change[..], &[("seen", seen.as_str())]].concat()).await;
    let page = visitor.page(&format!("/{id}")).await;
    for said in [
        "added the contact ",
        "wrote a note about ",
        "added the task ",
        "<dt>City</dt><dd><del><bdi>Paris</bdi></del>",
        "<dt>Shoe size</dt><dd><del><bdi>none</bdi></del>",
        "(key)",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(!page.contains("Else") && !page.contains("before="), "all that happened is theirs, and on one page");
    // What is older stands on the pages after it, each thing once.
    for number in 0..25 {
        visitor.done(&format!("/{id}/tags"), &[("add", format!("tag-{number}").as_str())]).await;
    }
    let first = visitor.page(&format!("/{id}")).await;
    let older = first.split("?before=").nth(1).expect("there is more").split('#').next().unwrap().to_owned();
    let second = visitor.page(&format!("/{id}?before={older}")).await;
    assert!(!first.contains("added the contact ") && second.contains("added the contact "), "{second}");
    let told = |page: &str| page.matches("changed the contact ").count();
    assert_eq!(told(&first) + told(&second), 26, "25 tags, and a change");
    assert!(second.contains(&format!("/{id}#history\">Newest</a>")) && !second.contains("Older"), "{second}");
    // Nothing of it is told elsewhere.
    assert!(!visitor.page(&format!("/{stranger}")).await.contains("Ada"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_be_the_same_person_is_named_with_the_reason() {
    let app = TestApp::start().await;
    let visitor = Visitor::of(&app).await;
    let location = format!("/locations/{}", app.ids.location);
    let shared = json!({"settings": {"allowDuplicateContact": true}});
    app.put(&location).key(&app.agency_key().await).json(&shared).send().await.expect(200);
    let ada = json!({"firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com", "phone": "+12065550142"});
    let id = visitor.make(ada).await;
    let card = "Perhaps the same person";
    assert!(!visitor.page(&format!("/{id}")).await.contains(card), "nobody is their own twin");
    let by_name = visitor.make(json!({"firstName": "ADA", "lastName": "lovelace"})).await;
    let by_phone = visitor.make(json!({"firstName": "Bea", "lastName": "Lovelace", "phone": "+12065550142"})).await;
    let by_email = visitor.make(json!({"firstName": "A.", "email": "Ada@Example.com"})).await;
    visitor.make(json!({"firstName": "Ada", "lastName": "Lovelaces"})).await;
    // A namesake with an address and a number of her own is somebody else.
    let namesake =
        json!({"firstName": "Ada", "lastName": "Lovelace", "email": "a@example.org", "phone": "+12065550199"});
    visitor.make(namesake).await;
    let page = visitor.page(&format!("/{id}")).await;
    let (_, twins) = page.split_once(card).expect("twins");
    let twins = twins.split("</section>").next().unwrap();
    let place = |text: &str| twins.find(text).unwrap_or_else(|| panic!("{text}: {twins}"));
    let order = [&by_email, &by_phone, &by_name].map(|other| place(&format!("/{other}\">")));
    assert!(order.is_sorted(), "the surest first: {twins}");
    for why in ["Same e-mail address", "Same phone number", "Same name"] {
        assert_eq!(twins.matches(why).count(), 1, "{why}: {twins}");
    }
    assert!(twins.contains(&format!("/{id}/merge?with={by_name}\"")), "{twins}");
    // Whoever is in the trash is nobody's twin, and of one with a name alone nothing is guessed.
    visitor.done(&format!("/{by_email}/trash"), &[]).await;
    assert!(!visitor.page(&format!("/{id}")).await.contains("Same e-mail"));
    let single = visitor.make(json!({"firstName": "Ada"})).await;
    assert!(!visitor.page(&format!("/{single}")).await.contains(card));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_put_away_at_once_comes_back_at_once() {
    let app = TestApp::start().await;
    let visitor = Visitor::of(&app).await;
    let mut ids = Vec::new();
    for name in ["Ada", "Bob", "Cleo"] {
        ids.push(visitor.make(json!({"firstName": name, "email": format!("{name}@example.com")})).await);
    }
    let chosen: Vec<(&str, &str)> = ids.iter().map(|id| ("id", id.as_str())).chain([("do", "trash")]).collect();
    let gone = visitor.post("/bulk?sort=oldest&added=7", &chosen).await;
    assert_eq!((gone.status, gone.header("location")), (303, &*format!("{}?sort=oldest&added=7", visitor.base)));
    let cookies = format!("{}; {}", visitor.cookie, gone.header("set-cookie").split(';').next().unwrap());
    let page = app.get(gone.header("location")).header("Cookie", &cookies).send().await;
    assert_eq!(flash(&page).as_deref(), Some("3 contacts moved to the trash; after 30 days they are gone."));
    let (_, undo) = page.text.split_once("<div class=\"flash").unwrap();
    let (_, undo) = undo.split_once("action=\"").expect("it can be undone");
    let undo = undo.split('"').next().unwrap().strip_prefix(&visitor.base).unwrap().to_owned();
    // Somebody has come to the address of one of them meanwhile.
    visitor.make(json!({"firstName": "Bobby", "email": "bob@example.com"})).await;
    assert_eq!(visitor.done(&undo, &[]).await, format!("{}/trash", visitor.base));
    let there = async |id: &str| visitor.get(&format!("/{id}")).await.status == 200;
    assert_eq!([there(&ids[0]).await, there(&ids[1]).await, there(&ids[2]).await], [true, false, true]);
    // What is none, or somebody else's, is passed over.
    let other = app.location("Elsewhere").await;
    let elsewhere = app.key_with(Reach::location(other), Preset::FullAccess.scopes(KeyKind::Location), |_| {}).await;
    let made = app.post("/contacts/").key(&elsewhere).json(&json!({"firstName": "Eve"})).send().await.expect(201);
    let eve = made["contact"]["id"].as_str().unwrap();
    app.delete(&format!("/contacts/{eve}")).key(&elsewhere).send().await.expect(200);
    visitor.done(&format!("/trash/{eve}-{eve}-x/restore"), &[]).await;
    assert_eq!(app.get(&format!("/contacts/{eve}")).key(&elsewhere).send().await.status, 400, "not from here");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_cannot_be_read_is_answered_with_a_page() {
    let app = TestApp::start().await;
    let visitor = Visitor::of(&app).await;
    let id = visitor.make(json!({"firstName": "Ada"})).await;
    for url in [
        "/app/agency/audit?before=abc".to_owned(),
        "/app/agency/audit?before=99999999999999999999".to_owned(),
        format!("{}/{id}?before=x", visitor.base),
        format!("{}/trash?after=99999999999999999999", visitor.base),
    ] {
        let page = app.get(&url).header("Cookie", &visitor.cookie).send().await;
        if page.status != 200 {
            assert_eq!(page.status, 400, "{url}");
            assert!(
                page.text.contains("cannot be read") && page.text.contains("class=\"side\""),
                "{url}: {}",
                page.text
            );
        }
        assert!(!page.text.contains("deserialize"), "{url}: {}", page.text);
    }
    let long = "x".repeat(700_000);
    let page = visitor.post(&format!("/{id}/notes"), &[("body", &long)]).await;
    assert!(page.status == 413 && page.text.contains("Nothing was saved"), "{} {}", page.status, page.text);
}
