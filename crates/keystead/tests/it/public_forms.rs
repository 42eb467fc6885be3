//! Forms as strangers meet them: without a script, in a frame, and by scripts of other sites.

use std::time::Duration;

use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, Answer, TestApp, TestKey};
use serde_json::{Value, json};

use crate::{
    app::sign_in,
    form_versions::{act, published},
    webhooks::{Receiver, allowed, endpoint},
};

const XSS: &str = "\"'><script>alert(1)</script>{{answer.name}}";

fn asking(more: &Value) -> Value {
    let mut definition = json!({"pages": [
        {"title": "You", "fields": [
            {"key": "name", "label": "Name", "required": true, "mapsTo": "contact.full_name", "width": 50},
            {"key": "email", "type": "email", "label": "E-mail", "required": true, "mapsTo": "contact.email", "width": 50},
            {"key": "level", "type": "radio", "label": "Level", "options": ["Gold", "Silver"]},
            {"key": "days", "type": "multi", "label": "Days", "options": ["Mo", "Tu"]},
        ]},
        {"title": "More", "fields": [
            {"key": "why", "type": "textarea", "label": "Why?", "hint": "In your words.",
                "visibleIf": {"field": "level", "op": "eq", "value": "Gold"}, "required": true},
            {"key": "source", "type": "hidden", "from": "query:utm_source"},
            {"key": "agree", "type": "consent", "label": "You may write to me.", "required": true},
        ]},
    ], "spam": {"minSeconds": 0}});
    definition.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    definition
}

/// The value of a hidden field.
fn carried(page: &Answer, name: &str) -> String {
    let from = format!("name=\"{name}\" value=\"");
    let start = page.text.find(&from).unwrap_or_else(|| panic!("{name}: {}", page.text)) + from.len();
    page.text[start..].split('"').next().unwrap().to_owned()
}

/// The name of the field that only programs fill.
fn trap(page: &Answer) -> String {
    let (_, after) = page.text.split_once("class=\"trap\"").expect("a trap");
    after.split("name=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

async fn listed(app: &TestApp, key: &TestKey) -> Vec<Value> {
    let found = app.get("/forms/submissions?limit=100").key(key).send().await.expect(200);
    found["submissions"].as_array().unwrap().clone()
}

/// What a script reads where a page says so.
const NOTHING: &str = "There is nothing here. Check the address, or ask whoever sent it to you.";

const GOOD: [(&str, &str); 5] =
    [("name", "Ada Lovelace"), ("email", "ada@example.com"), ("level", "Silver"), ("days", "Mo"), ("agree", "on")];

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_filled_in_without_a_script() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let after = json!({"after": {"message": "Thank you, {{answer.name}}"}, "slug": "contact-us"});
    let (path, id) = published(&app, &key, &asking(&after)).await;
    let by_name = app.get(&format!("/f/{}/contact-us", app.ids.location)).send().await;
    let page = app.get(&format!("/f/{id}?utm_source=mail")).header("Referer", "https://search.example/").send().await;
    assert_eq!((page.status, by_name.status), (200, 200), "{}", page.text);
    for page in [&page, &by_name] {
        assert_eq!((page.header("set-cookie"), page.header("cache-control")), ("", "no-store"));
        let policy = page.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("script-src 'self'"), "{policy}");
    }
    assert_eq!(carried(&page, "source"), "mail");
    // Nothing is lost by what is wrong.
    let own = ["_id", "_token", "_page", "_referrer"].map(|name| (name, carried(&page, name)));
    let mut sent: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let without = sent.len();
    sent.extend([
        ("name", "Ada Lovelace"),
        ("email", "ada@"),
        ("level", "Gold"),
        ("days", "Mo"),
        ("days", "Tu"),
        ("source", "mail"),
    ]);
    let again = app.post(&format!("/f/{id}")).form(&sent).send().await;
    assert_eq!(again.status, 422);
    for part in [
        "3 answers need a look",
        "<a href=\"#f-email\">E-mail: this must be an e-mail address</a>",
        "<a href=\"#f-why\">Why? An answer is needed</a>",
        "<a href=\"#f-agree\">You may write to me. Tick this to go on</a>",
        "value=\"Ada Lovelace\"",
        "value=\"ada@\"",
        "value=\"Gold\" checked",
        "value=\"Mo\" checked",
        "value=\"Tu\" checked",
        "aria-describedby=\"f-why-hint f-why-problem\" aria-invalid=\"true\"",
    ] {
        assert!(again.text.contains(part), "{part}: {}", again.text);
    }
    assert_eq!(
        ["_id", "_token", "_page"].map(|name| carried(&again, name)),
        ["_id", "_token", "_page"].map(|name| carried(&page, name))
    );
    sent.truncate(without);
    sent.extend(GOOD);
    sent.push(("source", "mail"));
    for _ in 0..2 {
        let thanks = app.post(&format!("/f/{id}")).form(&sent).send().await;
        assert!(thanks.status == 200 && thanks.text.contains("Thank you, Ada Lovelace"), "{}", thanks.text);
        assert_eq!(thanks.header("refresh"), "");
    }
    let taken = listed(&app, &key).await;
    assert_eq!(taken.len(), 1, "one click is one submission");
    let others = &taken[0]["others"];
    assert_eq!((&others["days"], &others["source"], &others["why"]), (&json!(["Mo"]), &json!("mail"), &Value::Null));
    let data = &others["eventData"];
    assert!(data["page"]["url"].as_str().unwrap().ends_with(&format!("/f/{id}?utm_source=mail")), "{data}");
    assert_eq!(data["referrer"], "https://search.example/");
    // What programs fill in is held, and whoever sent it sees what all see.
    let filled = trap(&page);
    let fresh = app.get(&format!("/f/{id}")).send().await;
    let token = carried(&fresh, "_token");
    let trapped: Vec<(&str, &str)> =
        GOOD.into_iter().chain([("_token", token.as_str()), (trap(&fresh).leak(), "x")]).collect();
    assert!(!filled.is_empty());
    let thanks = app.post(&format!("/f/{id}")).form(&trapped).send().await;
    assert!(thanks.status == 200 && thanks.text.contains("Thank you, Ada Lovelace"), "{}", thanks.text);
    assert_eq!(listed(&app, &key).await.len(), 1);
    let held = app.get("/events?kinds=form.held").key(&key).send().await.expect(200);
    assert_eq!(held["events"].as_array().unwrap().len(), 1);
    assert_eq!(app.get(&path).key(&key).send().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_for_strangers_looks_the_same() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let (path, id) = published(&app, &key, &asking(&json!({"slug": "mine"}))).await;
    let draft = app.post("/forms/").key(&key).json(&json!({"name": "x"})).send().await.expect(201);
    let draft = draft["form"]["id"].as_str().unwrap().to_owned();
    let nothing = app.get("/f/0000000000000000000A").send().await;
    assert!(nothing.status == 404 && nothing.text.contains("There is nothing here"), "{}", nothing.text);
    let at = app.ids.location;
    let addresses = [
        format!("/f/{draft}"),
        "/f/x".to_owned(),
        format!("/f/{at}/other"),
        format!("/f/{id}/mine"),
        format!("/f/{draft}/embed"),
    ];
    for address in &addresses {
        let page = app.get(address).send().await;
        assert_eq!((page.status, &page.text), (404, &nothing.text), "{address}");
        assert_eq!(told(&page), told(&nothing), "{address}");
    }
    let posted = app.post(&format!("/f/{draft}")).form(&GOOD).send().await;
    assert_eq!((posted.status, &posted.text), (404, &nothing.text));
    let sent = app.post(&format!("/f/{draft}/submissions")).json(&json!({"answers": {}})).send().await;
    assert_eq!((sent.status, sent.json()["errors"][0]["problem"].clone()), (404, json!(NOTHING)));
    assert_eq!(app.get(&format!("/f/{id}")).send().await.status, 200);
    app.sql(&format!("UPDATE locations SET state = 'suspended' WHERE id = '{at}'")).await;
    for address in [format!("/f/{id}"), format!("/f/{at}/mine"), format!("/f/{id}/embed")] {
        let page = app.get(&address).send().await;
        assert_eq!((page.status, &page.text), (404, &nothing.text), "{address}");
        assert_eq!(told(&page), told(&nothing), "{address}");
    }
    app.sql(&format!("UPDATE locations SET state = 'active' WHERE id = '{at}'")).await;
    act(&app, &key, &format!("{path}/unpublish"), 200).await;
    let gone = app.get(&format!("/f/{id}")).send().await;
    assert_eq!((gone.status, &gone.text, told(&gone)), (404, &nothing.text, told(&nothing)));
}

/// The headers of an answer but those that are another each time.
pub(crate) fn told(answer: &Answer) -> Vec<(String, String)> {
    let is_same = |name: &str| !["x-request-id", "date"].contains(&name);
    let headers = answer.headers.iter().filter(|(name, _)| is_same(name.as_str()));
    let mut told: Vec<(String, String)> = headers
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    told.sort();
    told
}

/// What is written for somebody who is known is other than for somebody new, and takes otherwise long.
#[tokio::test(flavor = "multi_thread")]
async fn answers_leave_at_a_beat_whoever_sends_them() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let (_, id) = published(&app, &key, &asking(&json!({}))).await;
    let known = json!({"email": "ada@example.com", "firstName": "Ada"});
    app.post("/contacts/").key(&key).json(&known).send().await.expect(201);
    for email in ["ada@example.com", "nobody@example.com"] {
        let sent: Vec<(&str, &str)> =
            GOOD.into_iter().filter(|(name, _)| *name != "email").chain([("email", email)]).collect();
        let answers = json!({"answers": {"name": "Ada", "email": email, "agree": true}});
        for path in [format!("/f/{id}"), format!("/f/{id}/embed"), format!("/f/{id}/submissions")] {
            let begun = std::time::Instant::now();
            let call = app.post(&path);
            let call = if path.ends_with("submissions") { call.json(&answers) } else { call.form(&sent) };
            assert_eq!(call.send().await.status, 200);
            assert!(begun.elapsed() >= Duration::from_millis(20), "{path} {email}: {:?}", begun.elapsed());
        }
    }
}

/// Behind a proxy that nobody has configured all visitors have its address.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_visitors_in_a_minute_are_served_behind_a_proxy_that_is_not_known() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let (_, id) = published(&app, &key, &asking(&json!({}))).await;
    for number in 0..100 {
        let name = format!("Nr {number}");
        let sent: Vec<(&str, &str)> =
            GOOD.into_iter().filter(|(known, _)| *known != "name").chain([("name", name.as_str())]).collect();
        let from = format!("198.51.100.{number}");
        let answer = app.post(&format!("/f/{id}")).header("X-Forwarded-For", &from).form(&sent).send().await;
        assert_eq!(answer.status, 200, "{number}: {}", answer.text);
    }
    assert_eq!(listed(&app, &key).await.len(), 100, "and none of them is held");
}

/// What strangers answer is read by members, by programs and in spreadsheets.
#[tokio::test(flavor = "multi_thread")]
async fn what_strangers_write_is_text_everywhere() {
    let app = TestApp::start_with(|config| config.limits.webhooks.allowed = allowed()).await;
    let key = app.location_key().await;
    let receiver = Receiver::answering(|_, _| (200, Duration::ZERO)).await;
    endpoint(&app, &key, &receiver, &["form.submitted"]).await;
    let formula = format!("=HYPERLINK(1){XSS}");
    let fields = json!([
        {"key": "name", "label": "Name", "mapsTo": "contact.full_name"}, {"key": "email", "type": "email", "mapsTo": "contact.email"},
        {"key": "lines", "type": "textarea"}, {"key": "pick", "type": "select", "options": [XSS]},
        {"key": "one", "type": "radio", "options": [XSS]}, {"key": "some", "type": "multi", "options": [XSS, "b"]},
        {"key": "site", "type": "url"}, {"key": "from", "type": "hidden", "from": "query:from"}, {"key": "sum"},
        {"key": "agree", "type": "consent", "label": XSS},
    ]);
    let definition = json!({"pages": [{"fields": fields}], "spam": {"minSeconds": 0},
        "after": {"message": "{{answer.name}}{{answer.lines}}"}});
    let (_, id) = published(&app, &key, &definition).await;
    let site = "https://x.example/?a=\"'><script>alert(1)</script>";
    let sent = [
        ("name", XSS),
        ("email", "ada@example.com"),
        ("lines", XSS),
        ("pick", XSS),
        ("one", XSS),
        ("some", XSS),
        ("site", site),
        ("from", XSS),
        ("sum", formula.as_str()),
        ("agree", "on"),
        ("_page", XSS),
        ("_referrer", site),
    ];
    let thanks = app
        .post(&format!("/f/{id}"))
        .header("Referer", site)
        .header("Accept-Language", "<script>")
        .form(&sent)
        .send()
        .await;
    assert_eq!(thanks.status, 200, "{}", thanks.text);
    let submission = &listed(&app, &key).await[0];
    let (contact, made) = (submission["contactId"].as_str().unwrap(), submission["id"].as_str().unwrap());
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let at = format!("/app/locations/{}", app.ids.location);
    let mut pages = vec![("the thanks", thanks.text)];
    for path in
        ["/submissions", &format!("/forms/{id}/submissions/{made}"), &format!("/contacts/{contact}"), "/contacts", ""]
    {
        let page = app.get(&format!("{at}{path}")).header("Cookie", &cookie).send().await;
        assert_eq!(page.status, 200, "{path}: {}", page.text);
        pages.push(("a page", page.text));
    }
    assert!(pages[2].1.matches("&#60;script&#62;alert(1)").count() >= 8, "{}", pages[2].1);
    for (what, text) in &pages {
        assert!(!text.contains("<script>"), "{what}: {text}");
    }
    let csv = app.get(&format!("{at}/submissions.csv?form={id}")).header("Cookie", &cookie).send().await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(csv.header("x-content-type-options"), "nosniff");
    assert!(csv.text.contains("'=HYPERLINK") && !csv.text.contains("\"=HYPERLINK"), "{}", csv.text);
    // A program is told exactly what was written, as what no browser takes for a page.
    let told = receiver.has_taken(1).await.remove(0);
    assert_eq!(told.header("content-type"), "application/json");
    let answers = &told.json()["data"]["after"]["answers"];
    assert_eq!((&answers["name"], &answers["sum"]), (&json!(XSS), &json!(formula)), "{answers}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_afterwards_is_what_was_answered_and_nothing_that_is_known() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let to = "https://example.com/thanks?name={{answer.name}}";
    let after =
        json!({"after": {"message": "Thank you, {{answer.name}}", "redirect": to}, "contact": {"onMatch": "never"}});
    let (_, id) = published(&app, &key, &asking(&after)).await;
    let known = json!({"email": "ada@example.com", "firstName": "Ada", "lastName": "Secret"});
    app.post("/contacts/").key(&key).json(&known).send().await.expect(201);
    let mut said = Vec::new();
    for email in ["ada@example.com", "nobody@example.com"] {
        let sent: Vec<(&str, &str)> =
            GOOD.into_iter().filter(|(name, _)| *name != "email").chain([("email", email)]).collect();
        let thanks = app.post(&format!("/f/{id}")).form(&sent).send().await;
        assert_eq!(thanks.status, 200, "{}", thanks.text);
        assert_eq!(thanks.header("refresh"), "0; url=https://example.com/thanks?name=Ada%20Lovelace");
        assert!(thanks.text.contains("href=\"https://example.com/thanks?name=Ada%20Lovelace\""), "{}", thanks.text);
        said.push(thanks.text);
    }
    assert_eq!(said[0], said[1], "nobody learns who is known");
    assert!(!said[0].contains("Secret"));
    let sent: Vec<(&str, &str)> = GOOD.into_iter().filter(|(name, _)| *name != "name").chain([("name", XSS)]).collect();
    let thanks = app.post(&format!("/f/{id}")).form(&sent).send().await;
    assert!(thanks.status == 200 && !thanks.text.contains("<script>alert"), "{}", thanks.text);
    assert!(thanks.header("refresh").contains("name=%22%27%3E%3Cscript%3E"), "{}", thanks.header("refresh"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_authors_write_is_text_everywhere() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let fields = json!([
        {"key": "a", "label": XSS, "hint": XSS, "placeholder": XSS},
        {"key": "b", "type": "select", "label": XSS, "options": [XSS]},
        {"key": "c", "type": "multi", "label": XSS, "options": [XSS], "visibleIf": {"field": "b", "op": "eq", "value": XSS}},
        {"key": "d", "type": "heading", "label": XSS, "hint": XSS},
        {"key": "e", "type": "consent", "label": XSS},
        {"key": "f", "type": "hidden", "value": XSS},
    ]);
    let definition =
        json!({"title": XSS, "intro": XSS, "submit": "Send'\"><b>", "pages": [{"title": XSS, "fields": fields}]});
    let (_, id) = published(&app, &key, &definition).await;
    for address in [format!("/f/{id}?x={}", "%22%3E%3Cscript%3E"), format!("/f/{id}/embed")] {
        let page = app.get(&address).send().await;
        assert_eq!(page.status, 200);
        assert!(!page.text.contains("<script>") && !page.text.contains("<b>"), "{}", page.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sites_frame_what_the_form_allows() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let allowed = json!({"embed": {"allowedOrigins": ["https://shop.example"]}});
    let (_, framed) = published(&app, &key, &asking(&allowed)).await;
    let (_, own) = published(&app, &key, &asking(&json!({}))).await;
    for (id, ancestors) in [(framed, "frame-ancestors 'self' https://shop.example"), (own, "frame-ancestors 'self'")] {
        let page = app.get(&format!("/f/{id}/embed")).send().await;
        let policy = page.header("content-security-policy");
        assert!(policy.ends_with(ancestors), "{policy}");
        assert_eq!(page.header("x-frame-options"), "");
        assert!(page.text.contains("form-frame.js") && page.text.contains(&format!("action=\"/f/{id}/embed\"")));
        let thanks = app.post(&format!("/f/{id}/embed")).header("Origin", "null").form(&GOOD).send().await;
        assert_eq!(thanks.status, 200, "{}", thanks.text);
        assert!(thanks.header("content-security-policy").ends_with(ancestors));
    }
    // A frame that led on by itself would show another site in it, or nothing: whoever reads it goes on by a link.
    let redirect = json!({"after": {"redirect": "https://shop.example/thanks"}});
    let (_, leading) = published(&app, &key, &asking(&redirect)).await;
    let alone = app.post(&format!("/f/{leading}")).form(&GOOD).send().await;
    assert_eq!(alone.header("refresh"), "0; url=https://shop.example/thanks");
    assert!(!alone.text.contains("_top") && alone.text.matches("https://shop.example/thanks").count() == 1);
    let framed = app.post(&format!("/f/{leading}/embed")).form(&GOOD).send().await;
    assert_eq!(framed.header("refresh"), "", "{}", framed.text);
    let links = [
        "<a class=\"on\" href=\"https://shop.example/thanks\" target=\"_top\">",
        "<a href=\"https://shop.example/thanks\">",
    ];
    assert!(links.iter().all(|link| framed.text.contains(link)), "{}", framed.text);
    let script = app.get("/f/embed.js").send().await;
    assert!(script.status == 200 && script.text.len() < 3_000, "{}", script.text.len());
    assert!(script.header("content-type").starts_with("text/javascript"));
    assert_eq!(script.header("cache-control"), "public, max-age=3600");
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_of_other_sites_send_and_those_that_are_allowed_read() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let more =
        json!({"embed": {"allowedOrigins": ["https://shop.example"]}, "after": {"message": "Hi {{answer.name}}"}});
    let (_, id) = published(&app, &key, &asking(&more)).await;
    let path = format!("/f/{id}/submissions");
    let good = json!({"submissionId": "a", "page": "https://shop.example/x", "answers": {
        "name": "Ada", "email": "ada@example.com", "days": ["Mo"], "agree": true, "made_up": "x"}});
    for (origin, reads) in
        [("https://shop.example", "https://shop.example"), ("https://evil.example", ""), ("null", "")]
    {
        let asked = app.call("OPTIONS".parse().unwrap(), &path).header("Origin", origin).send().await;
        assert_eq!((asked.status, asked.header("access-control-allow-origin")), (204, reads));
        let answer = app.post(&path).header("Origin", origin).json(&good).send().await;
        assert_eq!((answer.status, answer.json()), (200, json!({"message": "Hi Ada", "redirect": null})));
        assert_eq!((answer.header("access-control-allow-origin"), answer.header("vary")), (reads, "Origin"));
        assert_eq!(answer.header("set-cookie"), "");
    }
    let taken = listed(&app, &key).await;
    assert_eq!((taken.len(), &taken[0]["others"]["eventData"]["page"]["url"]), (1, &json!("https://shop.example/x")));
    assert_eq!(taken[0]["others"]["made_up"], Value::Null);
    for (body, fields) in [
        (json!([]), vec![""]),
        (json!({}), vec!["answers"]),
        (json!({"answers": {"name": {"a": 1}}, "submissionId": 5}), vec!["name", "submissionId"]),
        (json!({"answers": {"name": "x", "email": "x", "level": "Bronze"}}), vec!["email", "level", "agree"]),
    ] {
        let refused = app.post(&path).json(&body).send().await;
        let said = refused.json();
        let named: Vec<&str> =
            said["errors"].as_array().unwrap().iter().map(|one| one["field"].as_str().unwrap()).collect();
        assert_eq!((refused.status, named), (422, fields), "{body}");
    }
    assert_eq!(app.post(&path).body("application/json", "{").send().await.status, 422);
    for method in ["GET", "PUT", "DELETE", "PATCH"] {
        let call = app.call(method.parse().unwrap(), &path).header("Origin", "https://shop.example");
        let refused = call.send().await;
        assert_eq!((refused.status, refused.header("allow")), (405, "OPTIONS,POST"), "{method}");
        assert_eq!(refused.header("access-control-allow-origin"), "https://shop.example");
        let problem = "This did not arrive. This address takes answers by POST only.";
        assert_eq!(refused.json(), json!({"errors": [{"field": "", "problem": problem}]}));
    }
    let nowhere = app.get("/f/0000000000000000000A/submissions").send().await;
    assert!(nowhere.status == 404 && nowhere.json()["errors"][0]["problem"].is_string(), "{}", nowhere.text);
    // Also what is wrong before anything is read is said as scripts read it, to sites that may.
    let long = json!({"answers": {"why": "x".repeat(70_000)}}).to_string();
    let shop =
        app.post(&path).header("Origin", "https://shop.example").body("application/json", long.clone()).send().await;
    assert_eq!((shop.status, shop.header("access-control-allow-origin")), (413, "https://shop.example"));
    let nul = app.post(&path).body("application/json", "\0").send().await;
    let nowhere = app.post("/f/0000000000000000000A/submissions").body("application/json", long.clone()).send().await;
    let strange = app.post(&format!("{path}?x=%00")).json(&good).send().await;
    for (answer, status, problem) in [
        (shop, 413, "This did not arrive. What you sent is longer than this takes"),
        (nul, 400, "This did not arrive."),
        (nowhere, 404, NOTHING),
        (strange, 404, NOTHING),
    ] {
        assert_eq!((answer.status, answer.header("content-type")), (status, "application/json"), "{}", answer.text);
        let said = answer.json()["errors"][0]["problem"].as_str().unwrap().to_owned();
        assert!(said.starts_with(problem), "{said}");
    }
    assert_eq!(listed(&app, &key).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_answers_nothing_is_told_so_whoever_they_are() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let fields = json!([
        {"key": "about", "type": "heading", "label": "About you"}, {"key": "source", "type": "hidden", "value": "web"},
        {"key": "email", "type": "email", "label": "E-mail", "mapsTo": "contact.email"},
        {"key": "news", "type": "checkbox", "label": "News"},
    ]);
    let definition = json!({"pages": [{"fields": fields}], "spam": {"minSeconds": 0}});
    let (_, id) = published(&app, &key, &definition).await;
    let page = app.get(&format!("/f/{id}")).send().await;
    let (token, filled) = (carried(&page, "_token"), trap(&page));
    for sent in [
        vec![("source", "web")],
        vec![("email", " "), ("source", "web")],
        vec![("email", ""), ("_token", token.as_str()), (filled.as_str(), "x")],
    ] {
        let again = app.post(&format!("/f/{id}")).form(&sent).send().await;
        assert_eq!(again.status, 422, "{sent:?}: {}", again.text);
        assert!(again.text.contains("<a href=\"#f-email\">Answer at least one question.</a>"), "{}", again.text);
    }
    let script = app.post(&format!("/f/{id}/submissions"));
    let script = script.json(&json!({"answers": {"source": "x", "news": false}})).send().await;
    let errors = json!({"errors": [{"field": "answers", "problem": "should hold an answer to at least one question"}]});
    assert_eq!((script.status, script.json()), (422, errors));
    assert!(listed(&app, &key).await.is_empty());
    assert_eq!(app.get("/events?kinds=form.held").key(&key).send().await.expect(200)["events"], json!([]));
    assert_eq!(app.post(&format!("/f/{id}")).form(&[("news", "on")]).send().await.status, 200);
    // A form that asks nothing of people is sent by its button alone.
    let unasked = json!({"pages": [{"fields": [{"key": "from", "type": "hidden", "value": "poster"}]}]});
    let (_, id) = published(&app, &key, &unasked).await;
    assert_eq!(app.post(&format!("/f/{id}")).form(&[("from", "poster")]).send().await.status, 200);
    assert_eq!(listed(&app, &key).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_are_told_to_come_back() {
    // Whatever the operator says of requests.
    let app = TestApp::start_with(|config| config.limits.rate.interval = None).await;
    let key = app.location_key().await;
    let (_, id) = published(&app, &key, &asking(&json!({"spam": {"rate": "1/min/ip"}}))).await;
    let mut answers = Vec::new();
    for number in 0..12 {
        let name = format!("Nr {number}");
        let sent: Vec<(&str, &str)> =
            GOOD.into_iter().filter(|(known, _)| *known != "name").chain([("name", name.as_str())]).collect();
        answers.push(app.post(&format!("/f/{id}")).form(&sent).send().await);
    }
    assert!(
        answers[..10].iter().all(|answer| answer.status == 200 && answer.text == answers[0].text),
        "thanks as always"
    );
    assert_eq!(answers[11].status, 429, "{}", answers[11].text);
    assert!(!answers[11].header("retry-after").is_empty());
    assert_eq!(listed(&app, &key).await.len(), 1);
    app.clock.advance(Duration::from_secs(60));
    assert_eq!(app.post(&format!("/f/{id}")).form(&GOOD).send().await.status, 200);
    assert_eq!(listed(&app, &key).await.len(), 2);
}

/// Read as what it is not, a body would be answers that nobody gave, with thanks for them.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_form_is_not_taken_for_an_empty_one() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let optional = json!({"pages": [{"fields": [{"key": "note", "label": "Note"}]}], "spam": {"minSeconds": 0}});
    let (_, id) = published(&app, &key, &optional).await;
    for path in [format!("/f/{id}"), format!("/f/{id}/embed")] {
        let answer = app.post(&path).json(&json!({"note": "important"})).send().await;
        assert_eq!(answer.status, 415, "{}", answer.text);
        assert!(answer.text.contains("in a way that no form is sent in here"), "{}", answer.text);
    }
    assert!(listed(&app, &key).await.is_empty());
    assert_eq!(app.post(&format!("/f/{id}")).form(&[("note", "important")]).send().await.status, 200);
    assert_eq!(listed(&app, &key).await.len(), 1);
}

/// Scripts send a `FormData` in parts, whether there are files in it or not.
#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_files_is_taken_in_parts_too() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let definition = json!({"pages": [{"fields": [{"key": "note", "label": "Note"}, {"key": "days", "type": "multi", "options": ["Mo", "Tu"]}]}],
        "spam": {"minSeconds": 0}});
    let (_, id) = published(&app, &key, &definition).await;
    let paths = ["", "/embed", "/submissions"].map(|end| format!("/f/{id}{end}"));
    for path in &paths {
        let parts = [("note", None, path.as_str()), ("days", None, "Mo"), ("days", None, "Tu")];
        let sent = app.post(path).multipart(&parts).send().await;
        assert_eq!(sent.status, 200, "{path}: {}", sent.text);
    }
    let taken = listed(&app, &key).await;
    assert_eq!(taken.len(), 3);
    assert!(taken.iter().all(|one| one["others"]["days"] == json!(["Mo", "Tu"])), "{taken:?}");
    // A file that nobody asked for is not passed over in silence; a browser's part for none is.
    for path in &paths {
        let parts = [("note", None, "Kept here"), ("photo", Some(("a.png", "image/png")), "x")];
        let refused = app.post(path).multipart(&parts).send().await;
        assert!(
            refused.status == 422 && refused.text.contains("names no field of the form that asks for files"),
            "{}",
            refused.text
        );
        assert!(path.ends_with("submissions") || refused.text.contains("value=\"Kept here\""), "{}", refused.text);
        let large = "x".repeat(3 << 20);
        let parts = [("note", None, "x"), ("photo", Some(("a.png", "image/png")), large.as_str())];
        let refused = app.post(path).multipart(&parts).send().await;
        assert!(refused.status == 413 && refused.text.contains("No files are asked for here"), "{}", refused.text);
        let parts = [("note", None, "x"), ("photo", Some(("", "application/octet-stream")), "")];
        assert_eq!(app.post(path).multipart(&parts).send().await.status, 200);
        let many: Vec<_> = std::iter::repeat_n(("days", None, "Mo"), 1_001).collect();
        let refused = app.post(path).multipart(&many).send().await;
        assert!(refused.status == 400 && refused.text.contains("more than 500 parts"), "{}", refused.text);
    }
}
