//! The pages of trigger links: what they say, and what is done on them.

use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, Answer, TestApp};
use serde_json::json;

use crate::{
    app::{flash, from_here, sign_in},
    clicks::as_person,
    things::clicked,
};

/// A link of the location, and pages of it for its admin.
struct Pages<'a> {
    app: &'a TestApp,
    cookie: String,
    base: String,
}

impl Pages<'_> {
    async fn get(&self, rest: &str) -> Answer {
        self.app.get(&format!("{}{rest}", self.base)).header("Cookie", &self.cookie).send().await
    }

    async fn post(&self, rest: &str, fields: &[(&str, &str)]) -> Answer {
        let call = from_here(self.app.post(&format!("{}{rest}", self.base))).header("Cookie", &self.cookie);
        call.form(fields).send().await
    }

    /// What the next page says that was done.
    async fn done(&self, rest: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.post(rest, fields).await;
        assert_eq!(answer.status, 303, "{rest}: {}", answer.text);
        let said = answer.headers.get_all("set-cookie").iter().find_map(|cookie| {
            let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
            cookie.contains("flash").then(|| cookie.to_owned())
        });
        let cookies = format!("{}; {}", self.cookie, said.expect("what was done"));
        let page = self.app.get(answer.header("location")).header("Cookie", &cookies).send().await;
        flash(&page).unwrap_or_default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_added_changed_and_deleted_by_forms() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let base = format!("/app/locations/{}/links", app.ids.location);
    let list = Pages { app: &app, cookie: cookie.clone(), base: base.clone() };
    assert!(list.get("").await.text.contains("There is no trigger link yet."));
    let wrong = [("name", ""), ("redirectTo", "https://good@evil.example"), ("maxClicks", "-1"), ("expiresAt", "soon")];
    let refused = list.post("/new", &wrong).await;
    assert_eq!(refused.status, 422);
    for said in ["Enter a name", "Leads to must not have a user name", "Most clicks must be", "good@evil.example"] {
        assert!(refused.text.contains(said), "{said}: {}", refused.text);
    }
    let new = [
        ("name", "Offer"),
        ("redirectTo", "https://example.com/"),
        ("slug", "Offer-1"),
        ("status", "active"),
        ("fire", "daily"),
        ("expiresAt", "2026-12-31"),
        ("maxClicks", "1,000"),
        ("fallbackUrl", "https://example.com/over"),
        ("confirm", "1"),
    ];
    assert_eq!(list.done("/new", &new).await, "“Offer” is added.");
    let made = app.get("/links/").key(&key).send().await.expect(200)["links"][0].clone();
    let expected = json!({
        "slug": "offer-1", "status": "active", "fire": "daily", "expiresAt": "2027-01-01T00:00:00.000Z",
        "maxClicks": 1000, "fallbackUrl": "https://example.com/over", "confirm": true,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(made[name], *value, "{name}");
    }
    let one = Pages { app: &app, cookie, base: format!("{base}/{}", made["id"].as_str().unwrap()) };
    // What the form shows is what it saves: nothing is changed by saving it as it is.
    let form = one.get("/edit").await.text;
    assert!(form.contains(r#"value="2026-12-31""#) && form.contains(r#"value="offer-1""#), "{form}");
    let cleared =
        [("name", "Offer"), ("redirectTo", "https://example.com/"), ("slug", "offer-1"), ("status", "active")];
    assert_eq!(one.done("/edit", &cleared).await, "“Offer” is saved.");
    let now = app.get("/links/").key(&key).send().await.expect(200)["links"][0].clone();
    assert_eq!((&now["expiresAt"], &now["confirm"], &now["maxClicks"]), (&json!(null), &json!(false), &json!(null)));
    let taken = list.post("/new", &[("name", "x"), ("redirectTo", "https://example.com/"), ("slug", "offer-1")]).await;
    assert!(taken.status == 422 && taken.text.contains("choose another slug"), "{}", taken.text);
    assert!(one.get("/delete").await.text.contains("/l/offer-1"));
    assert_eq!(one.done("/delete", &[]).await, "“Offer” is deleted: its address leads nowhere any more.");
    assert_eq!(app.get("/l/offer-1").send().await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn its_page_tells_who_clicked_and_lets_that_be_changed() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let new = json!({"name": "Offer", "redirectTo": "https://example.com/", "slug": "offer"});
    let link = app.post("/links/").key(&key).json(&new).send().await.expect(201)["link"].clone();
    let id = link["id"].as_str().unwrap();
    let make = async |name: &str, email: &str| {
        let new = json!({"firstName": name, "email": email});
        let made = app.post("/contacts/").key(&key).json(&new).send().await.expect(201);
        made["contact"]["id"].as_str().unwrap().to_owned()
    };
    let ada = make("Ada", "ada@example.com").await;
    make("Grace", "grace@example.com").await;
    make("Grace", "hopper@example.com").await;
    let (token, click) = clicked(&app, &key, id, &ada).await;
    as_person(app.get("/l/offer")).send().await;
    let base = format!("/app/locations/{}/links/{id}", app.ids.location);
    let page = Pages { app: &app, cookie: sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await, base };
    let shown = page.get("").await.text;
    for said in ["Ada", "No browser", "A program", "Nobody known", "Held", "of 2 hits", "127.0.0.0/24", "/l/offer"] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    let csv = page.get("/clicks.csv").await.text;
    assert!(csv.lines().count() == 3 && csv.contains(&ada) && csv.contains("no_browser"), "{csv}");
    assert!(page.get("/qr.svg").await.text.starts_with("<svg"));
    let classify = format!("/clicks/{click}/classify");
    assert_eq!(page.done(&classify, &[("verdict", "fire")]).await, "That click on “Offer” was a person’s, and counts.");
    assert!(page.get("").await.text.contains("Started something"));
    assert_eq!(
        page.done(&classify, &[("verdict", "bot")]).await,
        "That click on “Offer” was a bot’s, and does not count."
    );
    assert_eq!(page.post(&classify, &[("verdict", "x")]).await.status, 422);
    // A link of somebody's own, by words that mean one of them.
    for (words, said) in [
        ("", "Say for whom"),
        ("nobody", "Nobody here is called so"),
        ("grace", "Several contacts are called so; choose one below"),
    ] {
        let refused = page.post("/tokens", &[("contact", words)]).await;
        assert!(refused.status == 422 && refused.text.contains(said), "{said}: {}", refused.text);
    }
    let minted = page.post("/tokens", &[("contact", "hopper@example.com")]).await;
    let (_, rest) = minted.text.split_once("id=\"minted\"").expect("the address");
    let address = rest.split("value=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(address.contains("/l/offer/") && !page.get("").await.text.contains(address), "{address}");
    // The same from the contact's page.
    let of_ada = app.get(&format!("/app/locations/{}/contacts/{ada}", app.ids.location)).header("Cookie", &page.cookie);
    let of_ada = of_ada.send().await.text;
    let form = format!(
        "<form method=\"post\" action=\"{}/tokens\"><input type=\"hidden\" name=\"contactId\" value=\"{ada}\">",
        page.base
    );
    assert!(of_ada.contains(&form), "{of_ada}");
    let minted = page.post("/tokens", &[("contactId", &ada)]).await;
    let own = "The personal link of <bdi>Ada</bdi>";
    assert!(minted.status == 200 && minted.text.contains(own) && minted.text.contains("data-copy=\"#minted\""));
    // Loaded again, the page that shows an address makes no other one.
    let (_, rest) = page
        .get("")
        .await
        .text
        .split_once("name=\"form_id\" value=\"")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let form_id = rest.split('"').next().unwrap().to_owned();
    let tokens = async || app.number("SELECT CAST(count(*) AS BIGINT) FROM link_tokens").await;
    let before = tokens().await;
    let fields = [("contactId", &*ada), ("form_id", &*form_id)];
    assert!(page.post("/tokens", &fields).await.text.contains("id=\"minted\""));
    assert_eq!(
        page.done("/tokens", &fields).await,
        "The personal link of “Ada” was made before, and its address was shown then. If nobody has it, end it and make another."
    );
    assert_eq!(tokens().await, before + 1);
    let revoke = format!("/tokens/{token}/revoke");
    assert_eq!(
        page.done(&revoke, &[]).await,
        "That personal link of “Offer” is ended: who opens it is led on, and is nobody."
    );
    assert_eq!(
        page.done("/status", &[("status", "disabled")]).await,
        "“Offer” is switched off: who opens it is told that it has ended."
    );
    assert_eq!(app.get("/l/offer").send().await.status, 410);
    assert_eq!(page.done("/status", &[]).await, "“Offer” is switched on.", "what undoes it");
    assert_eq!(app.get("/l/offer").send().await.status, 302);
}
