//! Finding things in the app: the search at the top of every page, and the list of contacts.

use std::time::Duration;

use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, Answer, TestApp};
use serde_json::{Value, json};

use crate::app::{from_here, sign_in};

/// What stands in every text field.
const MARKUP: &str = "<b>\"'&x";

async fn people(app: &TestApp) -> String {
    let key = app.location_key().await;
    let mut ids = Vec::new();
    for person in [
        json!({"firstName": "María", "lastName": "Núñez", "email": "maria@example.com", "phone": "+14155550123",
               "companyName": "Harbour Line", "tags": ["vip"]}),
        json!({"firstName": MARKUP, "email": "markup@example.com"}),
    ] {
        let made = app.post("/contacts/").key(&key).json(&person).send().await.expect(201);
        ids.push(made["contact"]["id"].as_str().unwrap().to_owned());
    }
    let at = format!("/contacts/{}", ids[0]);
    let task = json!({"title": "Call back", "dueDate": "2020-01-01", "completed": false});
    app.post(&format!("{at}/tasks")).key(&key).json(&task).send().await.expect(201);
    app.post(&format!("{at}/notes")).key(&key).json(&json!({"body": MARKUP})).send().await.expect(201);
    let pipelines = app.get(&format!("/opportunities/pipelines?locationId={}", app.ids.location)).key(&key);
    let pipeline = pipelines.send().await.expect(200)["pipelines"][0]["id"].clone();
    let deal = json!({"name": "Spring check-up", "pipelineId": pipeline, "contactId": ids[0], "status": "open"});
    app.post("/opportunities/").key(&key).json(&deal).send().await.expect(201);
    ids.swap_remove(0)
}

fn place(app: &TestApp) -> String {
    format!("/app/locations/{}", app.ids.location)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_search_finds_what_its_visitor_may_see() {
    let app = TestApp::start().await;
    let (contact, key) = (people(&app).await, app.location_key().await);
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let get = async |path: String| -> Answer {
        let answer = app.get(&path).header("Cookie", &cookie).send().await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer
    };
    let here = place(&app);
    for path in [format!("{here}/search"), format!("{here}/search/found")] {
        let find = async |query: &str| get(format!("{path}?q={query}")).await.text;
        let found = find("nunez").await;
        assert!(found.contains("María Núñez") && found.contains(&format!("{here}/contacts/{contact}")), "{found}");
        assert!(find("5550123").await.contains("María Núñez"));
        let deal = find("check").await;
        assert!(deal.contains("Spring check-up") && deal.contains(&format!("{here}/opportunities/")), "{deal}");
        assert!(find("harb").await.contains("Harbour Dental"), "locations by the beginning of their name");
        assert!(find(key.id.as_str()).await.contains(&format!("{here}/settings/keys/{}", key.id)));
        assert!(find("create").await.contains(&format!("{here}/settings/keys/new")), "pages by what they are called");
        assert!(find("secrets").await.contains("API keys"), "and by what else they are called");
        let nothing = find("%3Cb%3Exyzzy").await;
        assert!(nothing.contains("xyzzy") && !nothing.contains("<b>xyzzy"), "{nothing}");
        assert!(!find("markup").await.contains(MARKUP), "what people write is text");
    }
    // In Agency View nobody's contacts.
    let agency = get("/app/agency/search?q=nunez".to_owned()).await;
    assert!(!agency.text.contains("María"), "{}", agency.text);
    assert!(get("/app/agency/search?q=audit".to_owned()).await.text.contains("/app/agency/audit"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_too_long_is_told_beside_what_was_found() {
    let app = TestApp::start_with(|config| config.limits.search = Duration::ZERO).await;
    let key = app.location_key().await;
    // More than a deadline of nothing lets through.
    let many: Vec<Value> = (0..500).map(|number| json!({"name": format!("Harbour {number}")})).collect();
    app.post("/contacts/bulk/upsert").key(&key).json(&json!({"contacts": many})).send().await.expect(200);
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let found = app.get(&format!("{}/search?q=harbour", place(&app))).header("Cookie", &cookie).send().await;
    assert_eq!(found.status, 200, "{}", found.text);
    assert!(found.text.contains("Too many are called so") && found.text.contains("Harbour Dental"), "{}", found.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_pasted_is_looked_up_by_its_id_and_goes_nowhere_else() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let url = format!("{}/search", place(&app));
    let sent = from_here(app.post(&url)).header("Cookie", &cookie).form(&[("q", &key.secret)]).send().await;
    assert_eq!((sent.status, sent.header("location")), (303, format!("{url}?q={}", key.id).as_str()));
    // Nothing of ours makes such an address.
    let asked = app.get(&url).query(&[("q", &key.secret)]).header("Cookie", &cookie).send().await;
    assert_eq!((asked.status, asked.header("location")), (303, format!("{url}?q={}", key.id).as_str()));
    let found = app.get(&format!("{url}/found")).query(&[("q", &key.secret)]).header("Cookie", &cookie).send().await;
    assert!(found.text.contains(key.id.as_str()) && !found.text.contains(&key.secret));
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_are_listed_searched_turned_and_shown() {
    let app = TestApp::start().await;
    let contact = people(&app).await;
    let key = app.location_key().await;
    let more: Vec<Value> = (0..60).map(|number| json!({"firstName": format!("Person {number}")})).collect();
    app.post("/contacts/bulk/upsert").key(&key).json(&json!({"contacts": more})).send().await.expect(200);
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let list = format!("{}/contacts", place(&app));
    let get = async |path: &str| {
        let answer = app.get(path).header("Cookie", &cookie).send().await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.text
    };
    let first = get(&list).await;
    assert!(first.contains("1 to 50 of 62") && first.contains("rel=\"next\"") && !first.contains("rel=\"prev\""));
    let second = get(&format!("{list}?page=2")).await;
    assert!(second.contains("51 to 62 of 62") && second.contains("rel=\"prev\"") && !second.contains("rel=\"next\""));
    let found = get(&format!("{list}?q=nunez")).await;
    assert!(found.contains("María Núñez") && found.contains("1 to 1 of 1") && found.contains("vip"), "{found}");
    assert!(get(&format!("{list}?q=xyzzy")).await.contains("No contact is like that"));
    assert!(!get(&format!("{list}?q=markup")).await.contains(MARKUP));
    for odd in ["?page=0", "?page=9999999", "?sort=x&q=%F0%9F%98%80", "?q=%20"] {
        get(&format!("{list}{odd}")).await;
    }
    let shown = get(&format!("{list}/{contact}")).await;
    for said in
        ["María Núñez", "maria@example.com", "tel:+14155550123", "Harbour Line", "Call back", "Late", "Spring check-up"]
    {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    assert!(!shown.contains(MARKUP));
    for missing in ["00000000000000000000", "x"] {
        let answer = app.get(&format!("{list}/{missing}")).header("Cookie", &cookie).send().await;
        assert_eq!(answer.status, 404, "{missing}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_theme_is_kept_by_the_browser_and_leads_back() {
    let app = TestApp::start().await;
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let next = format!("{}/contacts", place(&app));
    let choose = async |theme: &str, next: &str| {
        let fields = [("theme", theme), ("next", next)];
        from_here(app.post("/app/theme")).header("Cookie", &cookie).form(&fields).send().await
    };
    let chosen = choose("dark", &next).await;
    assert_eq!((chosen.status, chosen.header("location")), (303, next.as_str()));
    let kept = chosen.header("set-cookie").split(';').next().unwrap().to_owned();
    let page = app.get(&next).header("Cookie", &format!("{cookie}; {kept}")).send().await;
    assert!(page.text.contains("class=\"theme-dark\""));
    let plain = app.get(&next).header("Cookie", &cookie).send().await;
    assert!(plain.text.contains("class=\"theme-system\""));
    for (theme, next) in [("\"><b>", "https://evil.example/"), ("dark", "//evil.example")] {
        let answer = choose(theme, next).await;
        assert_eq!(answer.header("location"), "/app", "{next}");
        assert!(!answer.header("set-cookie").contains('<'));
    }
}
