//! One thing edited in two tabs: whoever saves later is told, loses nothing, and decides. The same where the session ended in the
//! other one.

use std::time::Duration;

use keystead_model::{grant::Reach, key_kind::KeyKind, scope::Preset, user::Role};
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, Answer, TestApp};
use serde_json::json;

use crate::app::{from_here, member, sign_in};

/// Somebody who is signed in, with two tabs open.
struct Tabs {
    app: TestApp,
    cookie: String,
}

/// What a form sends: the fields that stand in it, which are named and have a value.
type Sent = Vec<(String, String)>;

impl Tabs {
    async fn get(&self, url: &str) -> Answer {
        let page = self.app.get(url).header("Cookie", &self.cookie).send().await;
        assert_eq!(page.status, 200, "{url}: {}", page.text);
        page
    }

    async fn post(&self, url: &str, fields: &Sent) -> Answer {
        self.app.clock.advance(Duration::from_secs(1));
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        from_here(self.app.post(url)).header("Cookie", &self.cookie).form(&fields).send().await
    }
}

/// The state that a page was opened in.
fn seen(page: &Answer) -> String {
    let (_, rest) = page.text.split_once("name=\"seen\" value=\"").unwrap_or_else(|| panic!("seen: {}", page.text));
    rest.split('"').next().unwrap().replace("&#38;", "&").replace("&#34;", "\"")
}

fn with(fields: &[(&str, &str)], seen: &str) -> Sent {
    let own = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    own.chain([("seen".to_owned(), seen.to_owned())]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_saves_later_sees_both_versions_and_decides() {
    let app = TestApp::start().await;
    let (key, cookie) = (app.location_key().await, sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await);
    let at = format!("/app/locations/{}", app.ids.location);
    let id = |made: serde_json::Value, noun: &str| made[noun]["id"].as_str().unwrap().to_owned();
    let of = format!("/locations/{}", app.ids.location);
    let make = async |path: &str, body: serde_json::Value, noun: &str| {
        id(app.post(path).key(&key).json(&body).send().await.json(), noun)
    };
    let tag = make(&format!("{of}/tags"), json!({"name": "vip"}), "tag").await;
    let value = make(&format!("{of}/customValues"), json!({"name": "Hours", "value": "9 to 5"}), "customValue").await;
    let field =
        make(&format!("{of}/customFields"), json!({"name": "Size", "dataType": "NUMERICAL"}), "customField").await;
    let pipelines = app.get("/opportunities/pipelines").key(&key).send().await.expect(200);
    let pipeline = pipelines["pipelines"][0]["id"].as_str().unwrap().to_owned();
    let contact = make("/contacts/", json!({"firstName": "Ada"}), "contact").await;
    let hook = json!({"url": "https://hooks.example.com/a", "events": ["*"]});
    let hook = make("/webhooks", hook, "webhook").await;
    let inbound = make("/inbound-webhooks", json!({"name": "Shop"}), "inboundWebhook").await;
    let tabs = Tabs { app, cookie };
    let location = format!("/app/agency/locations/{}", tabs.app.ids.location);
    let place = [("country", "US"), ("timezone", "UTC")];
    let named = |name: &'static str, more: &[(&'static str, &'static str)]| [&[("name", name)], more].concat();
    type Fields = Vec<(&'static str, &'static str)>;
    let cases: Vec<(String, Fields, Fields, &str)> = vec![
        (
            "/app/agency/settings/general".to_owned(),
            named("Northwind", &[("agencyKeysBy", "members"), ("keyLongestDays", "30")]),
            named("Northwind and sons", &[("agencyKeysBy", "members"), ("keyLongestDays", "31")]),
            "Longest expiry, in days: meanwhile it is “30”",
        ),
        (location, named("First", &place), named("Second", &place), "Name: meanwhile it is “First”"),
        (format!("{at}/settings/tags/{tag}"), named("gold", &[]), named("silver", &[]), "meanwhile it is “gold”"),
        (
            format!("{at}/settings/custom-values/{value}"),
            named("Hours", &[("value", "8 to 4")]),
            named("Hours", &[("value", "closed")]),
            "Value: meanwhile it is “8 to 4”",
        ),
        (
            format!("{at}/settings/custom-fields/{field}"),
            named("Shoe size", &[]),
            named("Hat size", &[]),
            "meanwhile it is “Shoe size”",
        ),
        (
            format!("{at}/settings/pipelines/{pipeline}"),
            named("Sales", &[("stageName", "New"), ("stageName", "Third"), ("stageProbability", "10")]),
            named("Sales", &[("stageName", "New")]),
            "Stages: meanwhile they are “New 10 % → Third”",
        ),
        (
            format!("{at}/contacts/{contact}/edit"),
            vec![("firstName", "Ada"), ("city", "Paris")],
            vec![("firstName", "Ada"), ("city", "London")],
            "City: meanwhile it is “Paris”",
        ),
        (
            format!("{at}/settings/webhooks/{hook}/edit"),
            vec![("url", "https://hooks.example.com/a"), ("which", "all"), ("description", "Newsletter")],
            vec![("url", "https://hooks.example.com/a"), ("which", "all"), ("description", "Billing")],
            "What it is for: meanwhile it is “Newsletter”",
        ),
        (
            format!("{at}/settings/webhooks/incoming/{inbound}/edit"),
            named("Shop", &[("contact.email", "{{payload.mail}}")]),
            named("Shop", &[("contact.email", "{{payload.email}}")]),
            "E-mail: meanwhile it is “{{payload.mail}}”",
        ),
    ];
    for (url, first, second, said) in cases {
        let (one, other) = (tabs.get(&url).await, tabs.get(&url).await);
        assert_eq!(tabs.post(&url, &with(&first, &seen(&one))).await.status, 303, "{url}");
        let late = tabs.post(&url, &with(&second, &seen(&other))).await;
        assert_eq!(late.status, 422, "{url}: {}", late.text);
        for wanted in ["Somebody changed this ", said, second[second.len() - 1].1] {
            assert!(late.text.contains(wanted), "{url}: {wanted}: {}", late.text);
        }
        // Nothing of it was saved.
        let now = tabs.get(&url).await;
        assert!(now.text.contains(first[first.len() - 1].1), "{url}: {}", now.text);
        // What is wrong with the form does not make it forget what it was opened on.
        let wrong = tabs.post(&url, &with(&[("name", ""), ("firstName", "x"), ("email", "x")], &seen(&other))).await;
        assert_eq!((wrong.status, seen(&wrong)), (422, seen(&other)), "{url}");
        // Whoever has seen both and saves again means it.
        assert_eq!(tabs.post(&url, &with(&second, &seen(&late))).await.status, 303, "{url}");
        assert!(tabs.get(&url).await.text.contains(second[second.len() - 1].1), "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_somebody_has_is_said_beside_it_and_nothing_is_lost() {
    let app = TestApp::start().await;
    let (key, cookie) = (app.location_key().await, sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await);
    let ada = json!({"firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com", "phone": "+12065550142"});
    let ada = app.post("/contacts/").key(&key).json(&ada).send().await.expect(201)["contact"]["id"].clone();
    let bob = app.post("/contacts/").key(&key).json(&json!({"firstName": "Bob"})).send().await.expect(201);
    let at = format!("/app/locations/{}/contacts", app.ids.location);
    let edit = format!("{at}/{}/edit", bob["contact"]["id"].as_str().unwrap());
    let tabs = Tabs { app, cookie };
    for url in [format!("{at}/new"), edit] {
        for (field, value, what) in
            [("email", "Ada@example.com", "e-mail address"), ("phone", "(206) 555-0142", "phone number")]
        {
            let fields = [("firstName", "Bob"), ("city", "Springfield"), (field, value)]
                .map(|(a, b)| (a.to_owned(), b.to_owned()));
            let page = tabs.post(&url, &fields.to_vec()).await;
            assert_eq!(page.status, 422, "{url}: {}", page.text);
            let twin = format!("href=\"{at}/{}\"", ada.as_str().unwrap());
            for said in
                [format!("Ada Lovelace has this {what} already"), twin, "Springfield".to_owned(), value.to_owned()]
            {
                assert!(page.text.contains(&said), "{url}: {said}: {}", page.text);
            }
        }
    }
}

/// The value of a field with an id.
fn value_of(page: &Answer, id: &str) -> String {
    let (_, rest) = page.text.split_once(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("{id}: {}", page.text));
    let tag = rest.split('>').next().unwrap();
    tag.split_once("value=\"").map(|(_, value)| value.split('"').next().unwrap().to_owned()).unwrap_or_default()
}

/// The value of a field in a page.
fn value(page: &Answer, name: &str) -> String {
    let (_, rest) =
        page.text.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{name}: {}", page.text));
    rest.split('"')
        .next()
        .unwrap()
        .replace("&#38;", "&")
        .replace("&#34;", "\"")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#39;", "'")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_when_the_session_had_ended_is_sent_once_more() {
    const BODY: &str = "Likes <tea> & \"cake\"";
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let ada = app.post("/contacts/").key(&key).json(&json!({"firstName": "Ada"})).send().await.expect(201);
    let contact = ada["contact"]["id"].as_str().unwrap();
    let at = format!("/app/locations/{}/contacts/{contact}", app.ids.location);
    let notes = format!("{at}/notes");
    let admin = app.member(ADMIN_EMAIL, ADMIN_PASSWORD).await.actor().id().unwrap().to_owned();
    let browser = format!("keystead-member={admin}");
    let sent = [("body", BODY), ("pinned", "on"), ("password", "not kept"), ("title", key.secret.as_str())];
    let page = from_here(app.post(&notes)).header("Cookie", &browser).form(&sent).send().await;
    assert_eq!(page.status, 401, "{}", page.text);
    assert!(
        page.text.contains("What you typed is kept on this page") && !page.text.contains("not kept"),
        "{}",
        page.text
    );
    assert!(!page.text.contains(&key.secret), "no secret is kept");
    let [to, kept, next, by] = ["to", "kept", "next", "by"].map(|name| value(&page, name));
    assert_eq!((to.as_str(), next.as_str()), (notes.as_str(), at.as_str()));
    // A wrong password does not lose it.
    let send_as = async |email: &str, password: &str, to: &str| {
        let fields = [
            ("email", email),
            ("password", password),
            ("by", &by),
            ("to", to),
            ("kept", &kept),
            ("next", &next),
            ("lost", "1"),
        ];
        from_here(app.post("/app/sign-in")).form(&fields).send().await
    };
    let send = async |password: &str, to: &str| send_as(ADMIN_EMAIL, password, to).await;
    assert_eq!(value(&send("wrong", &to).await, "kept"), kept);
    let question = send(ADMIN_PASSWORD, &to).await;
    assert_eq!(question.status, 200, "{}", question.text);
    assert!(question.text.contains(&format!("action=\"{notes}\"")), "{}", question.text);
    assert_eq!((value(&question, "body"), value(&question, "pinned")), (BODY.to_owned(), "on".to_owned()));
    let noted = async || app.get(&format!("/contacts/{contact}/notes")).key(&key).send().await.expect(200);
    assert_eq!(noted().await["notes"].as_array().unwrap().len(), 0, "nothing is sent before they say so");
    let cookie = question.header("set-cookie").split(';').next().unwrap().to_owned();
    let again = from_here(app.post(&notes)).header("Cookie", &cookie).form(&[("body", BODY)]).send().await;
    assert_eq!((again.status, &noted().await["notes"][0]["body"]), (303, &json!(BODY)));
    // Nobody else is shown it.
    member(&app, "lou@example.com", Role::AgencyAdmin, &[]).await;
    let other = send_as("lou@example.com", "a long password", &to).await;
    assert!(other.status == 303 && other.header("location") == at, "{} {}", other.status, other.text);
    // It leads nowhere else.
    for elsewhere in ["https://evil.example/", "//evil.example", "/docs", "javascript:alert(1)", "/app/../docs"] {
        let page = send(ADMIN_PASSWORD, elsewhere).await;
        assert!(page.status == 303 && page.header("location") == at, "{elsewhere}: {} {}", page.status, page.text);
    }
    // Where nothing was typed, or too much, or something is done that is asked first, they are led to the sign-in as ever.
    let pasted = format!("/app/locations/{}/search", app.ids.location);
    let deletion = format!("/app/agency/locations/{}/delete", app.ids.location);
    let long = "x".repeat(50_000);
    for (url, fields) in [
        (&notes, vec![]),
        (&notes, vec![("seen", "1")]),
        (&notes, vec![("body", long.as_str())]),
        (&pasted, vec![("q", "Ada")]),
        (&deletion, vec![("name", "Harbour Dental")]),
    ] {
        let page = from_here(app.post(url)).header("Cookie", &browser).form(&fields).send().await;
        assert!(page.status == 303 && page.header("location").contains("lost=1"), "{url}: {}", page.status);
    }
    // Nor is anything kept of somebody who was never here.
    let page = from_here(app.post(&notes)).form(&sent).send().await;
    assert_eq!(page.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_one_of_two_changed_is_theirs() {
    let app = TestApp::start().await;
    let (key, cookie) = (app.location_key().await, sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await);
    let new = json!({"firstName": "Ada", "city": "Paris", "source": "fair"});
    let made = app.post("/contacts/").key(&key).json(&new).send().await.expect(201);
    let id = made["contact"]["id"].as_str().unwrap().to_owned();
    let at = format!("/app/locations/{}", app.ids.location);
    let url = format!("{at}/contacts/{id}/edit");
    let tabs = Tabs { app, cookie };
    let opened = seen(&tabs.get(&url).await);
    let by_other = [("firstName", "Ada"), ("city", "London"), ("source", "fair"), ("companyName", "Engines")];
    assert_eq!(tabs.post(&url, &with(&by_other, &opened)).await.status, 303);
    // Only the source is changed here; what the other one changed is filled in, and saved with it.
    let mine = [("firstName", "Ada"), ("city", "Paris"), ("source", "letter")];
    let late = tabs.post(&url, &with(&mine, &opened)).await;
    assert!(late.status == 422 && late.text.contains("What they changed is filled in"), "{}", late.text);
    assert_eq!(
        ["city", "source", "companyName"].map(|name| value_of(&late, name)),
        ["London", "letter", "Engines"].map(str::to_owned)
    );
    assert!(!late.text.contains("meanwhile it is"), "nothing collides: {}", late.text);
    let merged = [("firstName", "Ada"), ("city", "London"), ("source", "letter"), ("companyName", "Engines")];
    assert_eq!(tabs.post(&url, &with(&merged, &seen(&late))).await.status, 303);
    // What both changed is said in the words of the form.
    let new = json!({"name": "Roof", "contactId": id, "pipelineId": null});
    let pipelines = tabs.app.get("/opportunities/pipelines").key(&key).send().await.expect(200);
    let pipeline = &pipelines["pipelines"][0];
    let stages: Vec<&str> =
        pipeline["stages"].as_array().unwrap().iter().filter_map(|stage| stage["id"].as_str()).collect();
    let mut body = new.as_object().unwrap().clone();
    body.insert("pipelineId".to_owned(), pipeline["id"].clone());
    body.insert("pipelineStageId".to_owned(), json!(stages[0]));
    body.insert("status".to_owned(), json!("open"));
    let deal = tabs.app.post("/opportunities/").key(&key).json(&json!(body)).send().await.expect(201);
    let url = format!("{at}/opportunities/{}", deal["opportunity"]["id"].as_str().unwrap());
    let opened = seen(&tabs.get(&url).await);
    let at_stage = |stage: &str| {
        let fields = [("name", "Roof"), ("status", "open"), ("monetaryValue", "0"), ("pipelineStageId", stage)];
        with(&fields, &opened)
    };
    assert_eq!(tabs.post(&url, &at_stage(stages[1])).await.status, 303);
    let late = tabs.post(&url, &at_stage(stages[2])).await;
    let name = pipeline["stages"][1]["name"].as_str().unwrap();
    assert!(late.text.contains(&format!("Stage: meanwhile it is “{name}”")), "{}", late.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_that_were_taken_meanwhile_do_not_come_back_unseen() {
    let app = TestApp::start().await;
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let key =
        app.key_with(Reach::location(app.ids.location), Preset::FullAccess.scopes(KeyKind::Location), |_| {}).await;
    member(&app, "lou@example.com", Role::AgencyUser, &[]).await;
    let lou = app.app.list_users(app.operator().await.authority()).await.unwrap();
    let lou = lou.into_iter().find(|user| user.email.as_str() == "lou@example.com").unwrap().id;
    let location = app.ids.location.to_string();
    let tabs = Tabs { app, cookie };
    let url = format!("/app/agency/settings/keys/{}/edit", key.id);
    let opened = seen(&tabs.get(&url).await);
    let less = [("name", "Less"), ("scopes", "contacts.readonly"), ("allowedIps", "203.0.113.0/24")];
    assert_eq!(tabs.post(&url, &with(&less, &opened)).await.status, 303);
    let all: Vec<String> =
        Preset::FullAccess.scopes(KeyKind::Location).iter().map(|scope| scope.as_str().to_owned()).collect();
    let mut mine: Vec<(&str, &str)> = all.iter().map(|scope| ("scopes", scope.as_str())).collect();
    mine.extend([("name", "A test"), ("description", "For the shop")]);
    let late = tabs.post(&url, &with(&mine, &opened)).await;
    assert_eq!(late.status, 422, "{}", late.text);
    let box_of = |scope: &str| {
        late.text.split(&format!("value=\"{scope}\"")).nth(1).unwrap().split('>').next().unwrap().to_owned()
    };
    assert!(box_of("contacts.readonly").contains(" checked") && !box_of("contacts.write").contains(" checked"));
    assert!(late.text.contains("203.0.113.0/24") && late.text.contains("For the shop"), "{}", late.text);
    // A member who was given less is not given more again by whoever has not seen that.
    let url = format!("/app/agency/members/{lou}");
    let opened = seen(&tabs.get(&url).await);
    let fewer = [("role", "account-user"), ("locationIds", location.as_str())];
    assert_eq!(tabs.post(&url, &with(&fewer, &opened)).await.status, 303);
    let late = tabs.post(&url, &with(&[("role", "agency-admin")], &opened)).await;
    assert!(late.status == 422 && late.text.contains("Role: meanwhile it is “Location user”"), "{}", late.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_about_something_that_is_gone_is_shown() {
    let app = TestApp::start().await;
    let (key, cookie) = (app.location_key().await, sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await);
    let made = app.post("/contacts/").key(&key).json(&json!({"firstName": "Ada"})).send().await.expect(201);
    let id = made["contact"]["id"].as_str().unwrap().to_owned();
    app.delete(&format!("/contacts/{id}")).key(&key).send().await.expect(200);
    let at = format!("/app/locations/{}/contacts/{id}/notes", app.ids.location);
    let tabs = Tabs { app, cookie };
    let page = tabs.post(&at, &vec![("body".to_owned(), "Likes tea".to_owned())]).await;
    assert_eq!(page.status, 404);
    assert!(page.text.contains("What you had typed") && page.text.contains("Likes tea"), "{}", page.text);
    // As long as the longest field takes, in any script.
    let long: String = "茶".repeat(64_000);
    let page = tabs.post(&at, &vec![("body".to_owned(), long)]).await;
    assert_eq!(page.status, 404, "it was read: {}", page.text.chars().take(300).collect::<String>());
}
