//! Opening trigger links: where people are led, what is kept of it, who it was, and what that starts.

use std::time::Duration;

use keystead_model::{UtcMs, agency::TenantState};
use keystead_testkit::{Answer, Call, TestApp, TestKey};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::public_forms::told;

/// A contact, by its first name.
async fn contact(app: &TestApp, key: &TestKey, name: &str) -> String {
    let made = app.post("/contacts/").key(key).json(&json!({"firstName": name})).send().await.expect(201);
    made["contact"]["id"].as_str().unwrap().to_owned()
}

pub(crate) const CHROME: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";

/// As a person's browser asks for a page.
pub(crate) fn as_person(call: Call) -> Call {
    call.header("User-Agent", CHROME)
        .header("Accept-Language", "en-US,en;q=0.9")
        .header("Sec-Fetch-Mode", "navigate")
        .header("Sec-Fetch-Dest", "document")
        .header("Sec-Fetch-User", "?1")
        .header("Sec-CH-UA", r#""Chromium";v="156", "Google Chrome";v="156""#)
}

/// A link of a location, and who may change it.
struct Linked<'a> {
    app: &'a TestApp,
    key: TestKey,
    id: String,
    slug: String,
}

impl<'a> Linked<'a> {
    async fn new(app: &'a TestApp, more: Value) -> Self {
        let key = app.location_key().await;
        let mut new = json!({"name": "Offer", "redirectTo": "https://example.com/"});
        new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = app.post("/links/").key(&key).json(&new).send().await.expect(201)["link"].clone();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        Self { app, key, id: text("id"), slug: text("slug") }
    }

    async fn change(&self, more: Value) {
        let path = format!("/links/id/{}", self.id);
        let now = self.app.get(&path).key(&self.key).send().await.expect(200)["link"].clone();
        let mut change = json!({"name": now["name"], "redirectTo": now["redirectTo"]});
        change.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.app.put(&format!("/links/{}", self.id)).key(&self.key).json(&change).send().await.expect(201);
    }

    fn path(&self) -> String {
        format!("/l/{}", self.slug)
    }

    async fn get(&self) -> Answer {
        as_person(self.app.get(&self.path())).send().await
    }

    async fn get_at_once(&self, count: usize) -> Vec<Answer> {
        let mut all = JoinSet::new();
        (0..count).for_each(|_| drop(all.spawn(as_person(self.app.get(&self.path())).send())));
        all.join_all().await
    }

    /// The path of a contact's own link.
    async fn of(&self, contact: &str) -> String {
        self.mint(json!({"contactId": contact})).await
    }

    async fn mint(&self, body: Value) -> String {
        let minted = self.app.post(&format!("/links/{}/tokens", self.id)).key(&self.key).json(&body).send().await;
        let url = minted.expect(201)["url"].as_str().unwrap().to_owned();
        url[url.find("/l/").unwrap()..].to_owned()
    }

    async fn open(&self, path: &str) -> Answer {
        as_person(self.app.get(path)).send().await
    }

    async fn clicks(&self, query: &str) -> Vec<Value> {
        let path = format!("/links/{}/clicks?{query}", self.id);
        let listed = self.app.get(&path).key(&self.key).send().await.expect(200);
        listed["clicks"].as_array().unwrap().clone()
    }

    /// What happened to it of a kind, and to whom.
    async fn told(&self, kind: &str) -> Vec<Value> {
        let query = [("kinds", kind), ("subject", &self.id)];
        let read = self.app.get("/events").key(&self.key).query(&query).send().await.expect(200);
        read["events"].as_array().unwrap().clone()
    }

    /// Lets so much time pass, and the jobs judge.
    async fn after(&self, seconds: u64) {
        self.app.clock.advance(Duration::from_secs(seconds));
        while self.app.app.judge_clicks().await.unwrap() > 0 {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_leads_to_where_it_says_and_nobody_keeps_that() {
    let app = TestApp::start().await;
    let link = Linked::new(&app, json!({"redirectTo": "https://example.com/a?b={{contact.first_name}}#c"})).await;
    let answer = as_person(app.get(&format!("{}?to=https://evil.example", link.path()))).send().await;
    assert_eq!((answer.status, answer.header("location")), (302, "https://example.com/a?b=#c"));
    for (name, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-robots-tag", "noindex"),
        ("set-cookie", ""),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    // Whatever the size of its letters, as people type it.
    assert_eq!(app.get(&link.path().to_uppercase().replace("/L/", "/l/")).send().await.status, 302);
    let ada = contact(&app, &link.key, "Ada & Co/../?#").await;
    let own = link.of(&ada).await;
    let led = link.open(&own).await;
    assert_eq!(led.header("location"), "https://example.com/a?b=Ada%20%26%20Co%2F..%2F%3F%23#c");
    // Whoever changes the token is nobody, and gets there all the same.
    let other = Linked::new(&app, json!({})).await;
    let token = own.rsplit('/').next().unwrap();
    for path in [
        format!("{own}x"),
        own[..own.len() - 1].to_owned(),
        format!("{}/{ada}", link.path()),
        format!("{}/{}", link.path(), "a%2Fb%00"),
        format!("{}/{}", link.path(), token.to_lowercase()),
        format!("{}/{}", link.path(), other.of(&ada).await.rsplit('/').next().unwrap()),
    ] {
        let led = link.open(&path).await;
        assert_eq!((led.status, led.header("location")), (302, "https://example.com/a?b=#c"), "{path}");
    }
    let of_ada = link.clicks(&format!("contactId={ada}")).await;
    assert_eq!(of_ada.len(), 1, "only the whole token is hers");
    assert_eq!((&of_ada[0]["device"], &of_ada[0]["network"]), (&json!("Chrome, Windows"), &json!("127.0.0.0/24")));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_looks_ahead_gets_no_answer_to_keep() {
    let app = TestApp::start().await;
    let link = Linked::new(&app, json!({})).await;
    for (name, value) in [
        ("Sec-Purpose", "prefetch"),
        ("Sec-Purpose", "prefetch;prerender"),
        ("Purpose", "prefetch"),
        ("X-Moz", "prefetch"),
        ("X-Purpose", "preview"),
    ] {
        let answer = as_person(app.get(&link.path())).header(name, value).send().await;
        assert_eq!((answer.status, answer.header("location")), (503, ""), "{name}: {value}");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.header("vary").contains("Sec-Purpose"));
    }
    let office = "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; ms-office; MSOffice 16)";
    for agent in [office, "Microsoft Office Protocol Discovery", "Microsoft Office/16.0 (Microsoft Outlook 16.0; Pro)"]
    {
        let answer = app.get(&link.path()).header("User-Agent", agent).send().await;
        assert_eq!((answer.status, answer.header("location")), (200, ""), "{agent}");
        assert!(answer.text.contains(r#"http-equiv="refresh""#), "{}", answer.text);
    }
    assert_eq!(link.clicks("").await, [json!(null); 0], "none of these was a click");
    // Who asks by another method is led on, and is nobody.
    for method in ["HEAD", "OPTIONS", "POST", "PUT"] {
        let answer = as_person(app.call(method.parse().unwrap(), &link.path())).send().await;
        assert_eq!((answer.status, answer.header("location")), (302, "https://example.com/"), "{method}");
    }
    let clicks = link.clicks("").await;
    assert_eq!(clicks.len(), 4);
    for click in clicks {
        assert_eq!((&click["verdict"], &click["reasons"][0]), (&json!("bot"), &json!("not_opened")), "{click}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_ended_leads_elsewhere_or_says_so() {
    let app = TestApp::start().await;
    let link = Linked::new(&app, json!({"maxClicks": 1})).await;
    let to = async || {
        let answer = link.get().await;
        (answer.status, answer.header("location").to_owned(), answer.text)
    };
    assert_eq!(to().await.0, 302);
    link.after(10).await;
    let (status, _, text) = to().await;
    assert!(status == 410 && text.contains("This has ended"), "{status}: {text}");
    link.change(json!({"maxClicks": 2})).await;
    assert_eq!(to().await.0, 302);
    link.change(
        json!({"maxClicks": null, "expiresAt": app.app.now().to_iso(), "fallbackUrl": "https://example.com/over"}),
    )
    .await;
    assert_eq!((to().await.0, to().await.1), (302, "https://example.com/over".to_owned()));
    link.change(json!({"expiresAt": null, "status": "disabled"})).await;
    assert_eq!(to().await.1, "https://example.com/over");
    link.change(json!({"status": "active"})).await;
    assert_eq!(to().await.1, "https://example.com/");
    // A custom value is judged when somebody goes there.
    let values = format!("/locations/{}/customValues", app.ids.location);
    let value = json!({"name": "Landing", "value": "https://example.com/landing?c={{contact.id}}"});
    let value = app.post(&values).key(&link.key).json(&value).send().await.expect(201)["customValue"].clone();
    link.change(json!({"redirectTo": "{{custom_values.landing}}"})).await;
    assert_eq!(to().await.1, "https://example.com/landing?c=");
    let ada = contact(&app, &link.key, "Ada").await;
    let own = link.of(&ada).await;
    assert_eq!(link.open(&own).await.header("location"), format!("https://example.com/landing?c={ada}"));
    for wrong in ["javascript:alert(1)", "//evil.example", "https://good@evil.example/", "{{custom_values.landing}}"] {
        let change = json!({"name": "Landing", "value": wrong});
        let path = format!("{values}/{}", value["id"].as_str().unwrap());
        app.put(&path).key(&link.key).json(&change).send().await.expect(200);
        assert_eq!(to().await.1, "https://example.com/over", "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_with_a_limit_leads_no_more_people_on_than_that() {
    let app = TestApp::start().await;
    let link = Linked::new(&app, json!({"maxClicks": 3})).await;
    // What is known to be a program takes nobody's place.
    for _ in 0..5 {
        assert_eq!(app.get(&link.path()).header("User-Agent", "curl/8").send().await.status, 302);
    }
    let at_once = link.get_at_once(8).await;
    let led = at_once.iter().filter(|answer| answer.status == 302).count();
    assert_eq!(led, 3, "while nobody knows who they are, those after them wait");
    let waits = at_once.iter().find(|answer| answer.status != 302).unwrap();
    assert_eq!((waits.status, waits.header("retry-after"), waits.header("location")), (503, "10", ""));
    assert!(waits.text.contains("try again in a moment"), "{}", waits.text);
    assert_eq!(link.clicks("").await.len(), 5 + 3);
    // One of them was none: there is room for another.
    let click = link.clicks("verdict=held").await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/links/{}/clicks/{click}/classify", link.id);
    app.post(&path).key(&link.key).json(&json!({"verdict": "bot"})).send().await.expect(200);
    assert_eq!((link.get().await.status, link.get().await.status), (302, 503));
    link.after(10).await;
    assert_eq!(link.clicks("verdict=human").await.len(), 3);
    assert_eq!(link.get().await.status, 410, "it has ended");
    // Nor is anybody led on who cannot be counted.
    let full = Linked::new(&app, json!({"maxClicks": 1000})).await;
    let statuses: Vec<u16> = full.get_at_once(620).await.iter().map(|answer| answer.status).collect();
    let kept = app.number(&format!("SELECT count(*) FROM clicks WHERE link_id = '{}'", full.id)).await;
    assert_eq!(statuses.iter().filter(|status| **status == 302).count() as i64, kept);
    assert!(statuses.contains(&503), "{kept}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_opens_a_public_link_again_and_again_is_not_many_people() {
    let app = TestApp::start().await;
    let link = Linked::new(&app, json!({})).await;
    let firefox = || {
        let call = app
            .get(&link.path())
            .header("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
        call.header("Accept-Language", "en").header("Sec-Fetch-Mode", "navigate").header("Sec-Fetch-Dest", "document")
    };
    // Somebody reloads it meanwhile, in the same house.
    for number in 0..12 {
        link.get().await;
        if number < 3 {
            firefox().send().await;
        }
        app.clock.advance(Duration::from_millis(300));
    }
    link.after(11).await;
    assert_eq!(link.clicks("verdict=human").await.len(), 3);
    let bots = link.clicks("verdict=bot").await;
    assert!(bots.len() == 12 && bots.iter().all(|click| click["reasons"] == json!(["burst"])), "{bots:?}");
    // Personal links are told apart by whose they are.
    let ada = contact(&app, &link.key, "Ada").await;
    let own = link.of(&ada).await;
    for _ in 0..12 {
        as_person(app.get(&own)).send().await;
    }
    link.after(11).await;
    assert_eq!(link.clicks(&format!("contactId={ada}&verdict=human")).await.len(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn clicks_are_had_as_a_file() {
    let app = TestApp::start().await;
    let link = Linked::new(&app, json!({})).await;
    let ada = contact(&app, &link.key, "Ada").await;
    link.open(&link.of(&ada).await).await;
    app.clock.advance(Duration::from_secs(1));
    as_person(app.get(&link.path())).header("Referer", "https://=cmd.example/").send().await;
    app.clock.advance(Duration::from_secs(1));
    app.get(&link.path()).header("User-Agent", "curl/8").send().await;
    let path = format!("/links/{}/clicks/csv", link.id);
    let csv = app.get(&path).key(&link.key).send().await;
    assert_eq!((csv.status, csv.header("content-type")), (200, "text/csv; charset=utf-8"), "{}", csv.text);
    let lines: Vec<&str> = csv.text.lines().collect();
    assert_eq!(lines[0], "id,at,contact,verdict,reasons,device,network,referrer,started");
    assert!(
        lines.len() == 4 && lines[1].contains(",bot,no_browser known_program no_language,"),
        "newest first: {}",
        csv.text
    );
    assert!(csv.text.contains(",'=cmd.example,"), "a cell is no formula: {}", csv.text);
    let bots = app.get(&format!("{path}?verdict=bot")).key(&link.key).send().await.text;
    assert_eq!(bots.lines().count(), 2, "{bots}");
    let hers = app.get(&format!("{path}?contactId={ada}")).key(&link.key).send().await.text;
    assert!(hers.lines().count() == 2 && hers.contains(&ada), "{hers}");
    // Longer than is read at once.
    app.sql(&format!(
        "INSERT INTO clicks (location_id, id, link_id, at, is_opening, is_encrypted, device, has_language, has_brands, network, reasons)
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
         SELECT '{}', '00000000000000' || (100000 + i), '{}', 1, TRUE, TRUE, '', TRUE, TRUE, '', '' FROM n",
        app.ids.location, link.id
    ))
    .await;
    let long = app.get(&path).key(&link.key).send().await.text;
    let ids: std::collections::BTreeSet<&str> =
        long.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!((ids.len(), long.lines().count()), (2503, 2504));
    let other = app.location("Sibling").await;
    let stranger =
        app.key(keystead_model::grant::Reach::location(other), keystead_model::scope::Preset::FullAccess).await;
    assert_eq!(app.get(&path).key(&stranger).send().await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_names_a_custom_value_that_is_not_there_is_told_so() {
    let app = TestApp::start().await;
    let link = Linked::new(&app, json!({})).await;
    let to = |url: &str| json!({"name": "Offer", "redirectTo": url, "fallbackUrl": "https://example.com/?x={{custom_values.over}}"});
    let made = app.post("/links/").key(&link.key).json(&to("{{custom_values.landing}}")).send().await.expect(201);
    let remark = made["remark"].as_str().unwrap_or_else(|| panic!("{made}"));
    let said = "There is no custom_values.landing here yet, so whoever opens the link reads that it has ended";
    assert!(remark.contains(said) && remark.contains("no custom_values.over here, so nothing stands"), "{remark}");
    let path = format!("/links/{}", made["link"]["id"].as_str().unwrap());
    let page = format!("/app/locations/{}{path}", app.ids.location);
    let cookie = crate::app::sign_in(&app, keystead_testkit::ADMIN_EMAIL, keystead_testkit::ADMIN_PASSWORD).await;
    let shown = app.get(&page).header("Cookie", &cookie).send().await.text;
    assert!(shown.contains("There is no <code>{{custom_values.landing}}</code> here yet"), "{shown}");
    let values = format!("/locations/{}/customValues", app.ids.location);
    for name in ["Landing", "Over"] {
        let value = json!({"name": name, "value": "https://example.com/"});
        app.post(&values).key(&link.key).json(&value).send().await.expect(201);
    }
    let changed = app.put(&path).key(&link.key).json(&to("{{custom_values.landing}}")).send().await.expect(201);
    assert_eq!(changed["remark"], Value::Null, "{changed}");
    let shown = app.get(&page).header("Cookie", &cookie).send().await.text;
    assert!(!shown.contains("There is no <code>"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_names_a_field_that_is_not_there_is_told_so() {
    let app = TestApp::start().await;
    let link = Linked::new(&app, json!({})).await;
    let field = json!({"name": "Level", "dataType": "TEXT"});
    let fields = format!("/locations/{}/customFields", app.ids.location);
    app.post(&fields).key(&link.key).json(&field).send().await.expect(201);
    let to = |url: &str| json!({"name": "Offer", "redirectTo": url});
    let known = "https://a.example/{{contact.first_name}}/{{contact.level}}";
    let made = app.post("/links/").key(&link.key).json(&to(known)).send().await.expect(201);
    assert_eq!(made["remark"], Value::Null, "{made}");
    let path = format!("/links/{}", made["link"]["id"].as_str().unwrap());
    let unknown = "https://a.example/{{contact.nope}}/{{answer.x}}/{{first_name}}/{{custom_values.nope}}";
    let changed = app.put(&path).key(&link.key).json(&to(unknown)).send().await.expect(201);
    let said = "There is no contact.nope, no answer.x, no first_name, no custom_values.nope here, so nothing stands in its place.";
    assert_eq!(changed["remark"], json!(said));
    let cookie = crate::app::sign_in(&app, keystead_testkit::ADMIN_EMAIL, keystead_testkit::ADMIN_PASSWORD).await;
    let page = format!("/app/locations/{}{path}", app.ids.location);
    let shown = app.get(&page).header("Cookie", &cookie).send().await.text;
    assert_eq!(shown.matches("so nothing stands in its place").count(), 4, "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_link_leads_to_itself() {
    let app = TestApp::start().await;
    let link = Linked::new(&app, json!({})).await;
    let own = |slug: &str| app.url(&format!("/l/{slug}"));
    for body in [
        json!({"name": "Round", "slug": "round", "redirectTo": own("round")}),
        json!({"name": "Round", "slug": "round", "redirectTo": "https://a.example/", "fallbackUrl": own("Round/{{contact.id}}")}),
    ] {
        let refused = app.post("/links/").key(&link.key).json(&body).send().await.expect(422);
        assert!(refused["message"].to_string().contains("this is the address of the link itself"), "{refused}");
    }
    // Also where it is called so later.
    let body = json!({"name": "Round", "slug": "another", "redirectTo": own("round")});
    let made = app.post("/links/").key(&link.key).json(&body).send().await.expect(201);
    let path = format!("/links/{}", made["link"]["id"].as_str().unwrap());
    let body = json!({"name": "Round", "slug": "round", "redirectTo": own("round")});
    app.put(&path).key(&link.key).json(&body).send().await.expect(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_place_that_is_closed_strangers_see_nothing() {
    let app = TestApp::start().await;
    let operator = app.operator().await;
    let link = Linked::new(&app, json!({"fallbackUrl": "https://example.com/over"})).await;
    let nothing = app.get("/l/no-such-link").send().await;
    assert_eq!(nothing.status, 404);
    let is_nothing = async || {
        let answer = link.get().await;
        answer.status == 404 && answer.text == nothing.text && told(&answer) == told(&nothing)
    };
    assert!(!is_nothing().await);
    app.app.set_location_state(&operator, app.ids.location, TenantState::Suspended).await.unwrap();
    assert!(is_nothing().await);
    app.app.set_location_state(&operator, app.ids.location, TenantState::Active).await.unwrap();
    app.app.set_agency_state(&operator, TenantState::Suspended).await.unwrap();
    assert!(is_nothing().await);
    app.app.set_agency_state(&operator, TenantState::Active).await.unwrap();
    assert!(!is_nothing().await);
    app.app.delete_location(&operator, app.ids.location).await.unwrap();
    assert!(is_nothing().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_a_person_opens_starts_something() {
    let app = TestApp::start().await;
    let link = Linked::new(&app, json!({"name": "Spring offer"})).await;
    let ada = contact(&app, &link.key, "Ada").await;
    let own = link.of(&ada).await;
    // A scanner, by its name: known at once.
    app.get(&own).header("User-Agent", "Mozilla/5.0 (compatible; proofpoint)").send().await;
    assert_eq!(link.clicks("verdict=bot").await.len(), 1);
    link.open(&own).await;
    link.after(9).await;
    assert_eq!(link.clicks("verdict=held").await.len(), 1, "nobody knows yet what comes with it");
    assert_eq!(link.told("trigger_link.clicked").await, [json!(null); 0]);
    link.after(1).await;
    let told = link.told("trigger_link.clicked").await;
    assert_eq!(told.len(), 1, "{told:?}");
    let click = link.clicks("verdict=human").await[0].clone();
    assert_eq!((&told[0]["contactId"], &told[0]["actor"]["type"]), (&json!(ada), &json!("system")), "{}", told[0]);
    assert_eq!(told[0]["after"]["clickId"], click["id"]);
    assert_eq!(told[0]["after"]["name"], "Spring offer");
    assert!(click["firedAt"].is_string());
    let shown = app.get(&format!("/links/id/{}", link.id)).key(&link.key).send().await.expect(200);
    assert_eq!(shown["link"]["clicks"], 1);
    // Once for each contact.
    app.clock.advance(Duration::from_secs(3_600));
    link.open(&own).await;
    link.after(10).await;
    assert_eq!((link.clicks("verdict=human").await.len(), link.told("trigger_link.clicked").await.len()), (2, 1));
    link.change(json!({"fire": "daily"})).await;
    link.open(&own).await;
    link.after(10).await;
    assert_eq!(link.told("trigger_link.clicked").await.len(), 1, "a day has not passed");
    app.clock.advance(Duration::from_secs(24 * 3_600));
    link.open(&own).await;
    link.after(10).await;
    assert_eq!(link.told("trigger_link.clicked").await.len(), 2);
    link.change(json!({"fire": "every"})).await;
    for number in 3..5 {
        link.open(&own).await;
        link.after(11).await;
        assert_eq!(link.told("trigger_link.clicked").await.len(), number);
    }
    // Nobody knows whose these are.
    link.get().await;
    link.after(10).await;
    assert_eq!(link.told("trigger_link.clicked").await.len(), 4);
    assert_eq!(link.clicks("verdict=human").await[0]["contactId"], json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_thing_alone_makes_nobody_a_program_but_is_looked_at_longer() {
    let app = TestApp::start().await;
    let link = Linked::new(&app, json!({})).await;
    let others = [Linked::new(&app, json!({})).await, Linked::new(&app, json!({})).await];
    let ada = contact(&app, &link.key, "Ada").await;
    let verdict = async |link: &Linked<'_>| link.clicks("").await[0]["verdict"].clone();
    // Two links of a message: a person, in doubt for a minute.
    let (own, second, third) = (link.of(&ada).await, others[0].of(&ada).await, others[1].of(&ada).await);
    link.open(&own).await;
    app.clock.advance(Duration::from_secs(3));
    link.open(&second).await;
    link.after(10).await;
    let held = link.clicks("verdict=held").await;
    assert_eq!(held[0]["reasons"], json!(["two_links"]));
    link.after(50).await;
    assert_eq!((verdict(&link).await, verdict(&others[0]).await), (json!("human"), json!("human")));
    // Three within ten seconds: none of them.
    app.clock.advance(Duration::from_secs(60));
    for path in [&own, &second, &third] {
        link.open(path).await;
    }
    link.after(10).await;
    for link in [&link, &others[0], &others[1]] {
        assert_eq!(verdict(link).await, json!("bot"));
    }
    // Right after the message that brings it was handed over.
    app.clock.advance(Duration::from_secs(60));
    let tokens = format!("/links/{}/tokens", link.id);
    let ahead = json!({"contactId": ada, "handedOverAt": UtcMs(app.app.now().0 + 120_000).to_iso()});
    let refused = app.post(&tokens).key(&link.key).json(&ahead).send().await.expect(422);
    assert!(refused["message"].to_string().contains("handedOverAt must not be in the future"), "{refused}");
    let sent = link.mint(json!({"contactId": ada, "handedOverAt": app.app.now().to_iso()})).await;
    app.clock.advance(Duration::from_secs(29));
    link.open(&sent).await;
    assert_eq!(link.clicks("").await[0]["reasons"], json!(["early"]));
    app.clock.advance(Duration::from_secs(31));
    link.open(&sent).await;
    link.after(10).await;
    assert_eq!(verdict(&link).await, json!("human"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_knows_better_says_who_it_was() {
    let app = TestApp::start().await;
    let link = Linked::new(&app, json!({})).await;
    let ada = contact(&app, &link.key, "Ada").await;
    let own = link.of(&ada).await;
    app.get(&own).header("User-Agent", "curl/8").send().await;
    let click = link.clicks("").await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/links/{}/clicks/{click}/classify", link.id);
    let say = async |body: Value| app.post(&path).key(&link.key).json(&body).send().await;
    let said = say(json!({"verdict": "human"})).await.expect(200)["click"].clone();
    assert_eq!((&said["verdict"], &said["firedAt"]), (&json!("human"), &json!(null)), "only where that is wanted");
    assert_eq!(said["classifiedBy"], json!(format!("key:{}", link.key.id)));
    let counted = async || app.get(&format!("/links/id/{}", link.id)).key(&link.key).send().await.expect(200);
    assert_eq!(counted().await["link"]["clicks"], 1);
    let said = say(json!({"verdict": "human", "fire": true})).await.expect(200)["click"].clone();
    assert!(said["firedAt"].is_string());
    assert_eq!(link.told("trigger_link.clicked").await.len(), 1);
    say(json!({"verdict": "human", "fire": true})).await.expect(200);
    assert_eq!(link.told("trigger_link.clicked").await.len(), 1, "once");
    say(json!({"verdict": "bot"})).await.expect(200);
    assert_eq!(counted().await["link"]["clicks"], 0);
    assert_eq!(link.told("trigger_link.click_classified").await.len(), 2);
    // The rules do not take it back.
    link.after(120).await;
    assert_eq!(link.clicks("").await[0]["verdict"], "bot");
    for wrong in [json!({}), json!({"verdict": "perhaps"}), json!({"verdict": "human", "fire": "now"})] {
        assert_eq!(say(wrong.clone()).await.status, 422, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_decides_something_counts_who_presses_its_button() {
    let app = TestApp::start().await;
    let link = Linked::new(&app, json!({"confirm": true, "redirectTo": "https://shop.example/yes"})).await;
    let ada = contact(&app, &link.key, "Ada").await;
    let own = link.of(&ada).await;
    let page = link.open(&own).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("shop.example") && page.text.contains("<button"), "{}", page.text);
    assert!(!page.text.contains("<script") && !page.text.contains("refresh"), "nothing presses it: {}", page.text);
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self' http: https:"),
        "{policy}"
    );
    link.after(60).await;
    assert_eq!(link.clicks("").await, [json!(null); 0], "who looks has not clicked");
    let pressed = as_person(app.post(&own)).header("Sec-Fetch-Site", "same-origin").form(&[]).send().await;
    assert_eq!((pressed.status, pressed.header("location")), (302, "https://shop.example/yes"));
    link.after(10).await;
    assert_eq!(link.clicks("verdict=human").await.len(), 1);
    assert_eq!(link.told("trigger_link.clicked").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contacts_own_link_goes_along_and_can_be_ended() {
    let app = TestApp::start().await;
    let link = Linked::new(&app, json!({"redirectTo": "https://example.com/?c={{contact.id}}"})).await;
    let ada = contact(&app, &link.key, "Ada").await;
    let twin = contact(&app, &link.key, "Ada L.").await;
    let own = link.of(&twin).await;
    let leads_to = async |path: &str| link.open(path).await.header("location").replace("https://example.com/?c=", "");
    assert_eq!(leads_to(&own).await, twin);
    app.post(&format!("/contacts/{ada}/merge")).key(&link.key).json(&json!({"from": twin})).send().await.expect(200);
    assert_eq!(leads_to(&own).await, ada, "it is the link of whom the other became a part of");
    let tokens = format!("/links/{}/tokens", link.id);
    let listed = app.get(&format!("{tokens}?contactId={ada}")).key(&link.key).send().await.expect(200);
    let token = listed["tokens"][0].clone();
    assert_eq!((&token["source"], &token["contactId"]), (&json!("api"), &json!(ada)));
    assert!(!listed.to_string().contains(own.rsplit('/').next().unwrap()), "its token is in no answer any more");
    let path = format!("{tokens}/{}", token["id"].as_str().unwrap());
    app.delete(&path).key(&link.key).send().await.expect(200);
    assert_eq!(leads_to(&own).await, "");
    let listed = app.get(&tokens).key(&link.key).send().await.expect(200);
    assert!(listed["tokens"][0]["revokedAt"].is_string());
    // In the trash nobody is known, and brought back they are again.
    let again = link.of(&ada).await;
    app.delete(&format!("/contacts/{ada}")).key(&link.key).send().await.expect(200);
    assert_eq!(leads_to(&again).await, "");
    app.post(&format!("/contacts/trash/{ada}/restore")).key(&link.key).send().await.expect(200);
    assert_eq!(leads_to(&again).await, ada);
    let missing = app.post(&tokens).key(&link.key).json(&json!({"contactId": "0000000000000000000A"})).send().await;
    assert_eq!(missing.status, 400, "{}", missing.text);
    // Repeated, the same one is told of, without its address.
    let once = async || {
        let call = app.post(&tokens).key(&link.key).header("Idempotency-Key", "one");
        call.json(&json!({"contactId": ada})).send().await.expect(201)
    };
    let (first, second) = (once().await, once().await);
    assert_eq!(first["token"]["id"], second["token"]["id"]);
    assert_eq!((second["url"].clone(), second["urlAlreadyShown"].clone()), (json!(null), json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn how_a_link_fares_is_told_in_sums() {
    let app = TestApp::start().await;
    let link = Linked::new(&app, json!({"fire": "every"})).await;
    let ada = contact(&app, &link.key, "Ada").await;
    let own = link.of(&ada).await;
    for _ in 0..2 {
        as_person(app.get(&own)).header("Referer", "https://mail.example/inbox?secret=1").send().await;
        link.after(11).await;
    }
    app.get(&link.path()).header("User-Agent", "curl/8").send().await;
    link.get().await;
    let stats = async |query: &str| {
        let path = format!("/links/{}/stats?{query}", link.id);
        app.get(&path).key(&link.key).send().await.expect(200)["stats"].clone()
    };
    let now = stats("").await;
    for (name, expected) in [("hits", 4), ("humans", 2), ("bots", 1), ("held", 1), ("contacts", 1), ("fired", 2)] {
        assert_eq!(now[name], expected, "{name}: {now}");
    }
    assert_eq!(now["referrers"], json!([{"name": "mail.example", "hits": 2}]), "the site, and nothing of its address");
    assert_eq!(now["reasons"][0], json!({"name": "no_browser", "hits": 1}));
    assert_eq!(now["days"], json!([{"date": "2026-11-25", "humans": 2, "bots": 1}]));
    app.clock.advance(Duration::from_secs(40 * 86_400));
    assert_eq!(stats("").await["hits"], 0, "of the last 30 days");
    assert_eq!(stats("since=2026-11-01").await["hits"], 4);
    // What is known of who came is forgotten.
    app.app.judge_clicks().await.unwrap();
    while app.app.trim_clicks().await.unwrap() {}
    let left = app.number("SELECT count(*) FROM clicks WHERE source_key IS NOT NULL OR agent IS NOT NULL").await;
    assert_eq!(left, 0);
    assert_eq!(link.clicks("").await.len(), 4);
    app.delete(&format!("/links/{}", link.id)).key(&link.key).send().await.expect(201);
    assert_eq!(app.get(&own).send().await.status, 404);
    while app.app.trim_clicks().await.unwrap() {}
    for table in ["clicks", "link_fires", "link_tokens", "link_slugs", "gone_links"] {
        assert_eq!(app.number(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_too_often_is_led_on_and_not_written_down() {
    let app = TestApp::start().await;
    let link = Linked::new(&app, json!({})).await;
    for number in 0..605 {
        assert_eq!(app.get(&link.path()).send().await.status, 302, "{number}");
    }
    assert_eq!(app.number("SELECT count(*) FROM clicks").await, 600);
    let lost = app.app.figures().await.into_iter().find(|figure| figure.name == "keystead_clicks_lost").unwrap();
    assert!(format!("{:?}", lost.reading).contains('5'), "{lost:?}");
}
