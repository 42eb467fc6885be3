//! Webhooks in the app.

use serde_json::{Value as Json, json};

use crate::settings_pages::Scene;

const PATH: &str = "/settings/webhooks";
const URL: (&str, &str) = ("url", "https://hooks.example.com/a");
const MARKUP: &str = "<i>\"&'</i>";

/// What stands in a page between two texts.
fn between<'p>(page: &'p str, before: &str, after: &str) -> &'p str {
    let (_, rest) = page.split_once(before).unwrap_or_else(|| panic!("{before}: {page}"));
    rest.split(after).next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_added_and_its_secret_shown_once() {
    let scene = Scene::new().await;
    let new = format!("{PATH}/new");
    assert!(scene.get(PATH).await.contains("No program is told yet"));
    let empty = [("url", ""), ("which", "chosen"), ("headers", "no colon")];
    let answer = scene.post(&new, &empty).await;
    assert_eq!(answer.status, 422);
    for said in [
        "3 things need a look",
        "Enter the address to which events are sent",
        "Choose at least one event",
        "Headers of your own must have a name, a colon and a value on each line",
    ] {
        assert!(answer.text.contains(said), "{said}: {}", answer.text);
    }
    scene
        .refused(
            &new,
            &[("url", "http://10.0.0.1/x"), ("which", "all"), ("form_id", "a")],
            "Address must begin with https://",
        )
        .await;
    for (url, said) in [
        ("example.com/a", "Address must begin with https://"),
        ("https://example.com:0/", "Address must not have port 0"),
    ] {
        scene.refused(&new, &[("url", url), ("which", "all"), ("form_id", "a")], said).await;
    }
    scene.refused(&new, &[URL, ("which", "chosen"), ("events", "contact.x")], "which is no event").await;
    let form = scene.get(&new).await;
    let id = between(&form, "name=\"form_id\" value=\"", "\"");
    let sent = [
        URL,
        ("description", MARKUP),
        ("which", "chosen"),
        ("events", "contact.*"),
        ("events", "note.created"),
        ("headers", "X-Token: hunter2\r\nAuthorization: Bearer hunter2"),
        ("form_id", id),
    ];
    let shown = scene.post(&new, &sent).await;
    assert!(shown.status == 200 && !shown.text.contains(MARKUP), "{}", shown.text);
    let secret = between(&shown.text, "id=\"secret\" readonly value=\"", "\"").replace("&#43;", "+");
    assert!(secret.starts_with("whsec_") && shown.header("cache-control") == "no-store", "{secret}");
    let again = scene.post(&new, &sent).await;
    assert!(again.text.contains("Already shown") && !again.text.contains("whsec_"), "{}", again.text);
    let hooks = scene.stored("/webhooks", "webhooks").await;
    assert_eq!(hooks.as_array().unwrap().len(), 1);
    assert_eq!(hooks[0]["events"], json!(["contact.*", "note.created"]));
    assert_eq!(hooks[0]["locationId"], scene.app.ids.location.as_str());
    // The same for the same events is there already, whoever asks for it.
    let same = [URL, ("which", "chosen"), ("events", "note.created"), ("events", "contact.*"), ("form_id", "other")];
    assert_eq!(scene.said(&new, &same).await, "This webhook was there already: the same address for the same events.");
    let list = scene.get(&format!("{PATH}?q=HOOKS")).await;
    assert!(list.contains("Nothing sent yet") && list.contains("contact.*, note.created"), "{list}");
    assert!(scene.get(&format!("{PATH}?q=xyzzy")).await.contains("No webhook has"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_called_by_its_description_or_its_address_once() {
    let scene = Scene::new().await;
    for (path, description) in [("plain", Json::Null), ("named", json!("Newsletter"))] {
        let new =
            json!({"url": format!("https://hooks.example.com/{path}"), "events": ["*"], "description": description});
        let made = scene.app.post("/webhooks").key(&scene.key).json(&new).send().await.expect(201);
        let page = format!("{PATH}/{}", made["webhook"]["id"].as_str().unwrap());
        let shown = scene.get(&page).await;
        let (_, body) = shown.split_once("<h1>").unwrap();
        assert_eq!(body.matches(&format!("https://hooks.example.com/{path}")).count(), 1, "{shown}");
        let edit = scene.get(&format!("{page}/edit")).await;
        let title = description.as_str().unwrap_or("https://hooks.example.com/plain");
        assert!(edit.contains(&format!("</a> / Edit</p>\n<h1>Edit “<bdi>{title}</bdi>”</h1>")), "{edit}");
        assert!(edit.contains("<summary>Lost reason <span") && edit.contains(">click classified</label>"), "{edit}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_changed_switched_and_deleted() {
    let scene = Scene::new().await;
    let new = json!({"url": URL.1, "events": ["*"], "description": "Newsletter", "headers": {"X-Token": "hunter2"}});
    let made = scene.app.post("/webhooks").key(&scene.key).json(&new).send().await.expect(201);
    let id = made["webhook"]["id"].as_str().unwrap();
    let path = format!("{PATH}/{id}");
    let page = scene.get(&path).await;
    assert!(page.contains("x-token: •••") && !page.contains("hunter2"), "{page}");
    // What is not written again stays; nobody reads it back.
    let edit = format!("{path}/edit");
    assert!(scene.get(&edit).await.contains("Sent now: x-token."));
    let change = [URL, ("description", "Billing"), ("which", "chosen"), ("events", "opportunity.*")];
    assert_eq!(scene.said(&edit, &change).await, "“Billing” is saved.");
    let stored = async || scene.stored(&format!("/webhooks/{id}"), "webhook").await;
    assert_eq!(stored().await["headers"], json!(["x-token"]));
    assert_eq!(stored().await["events"], json!(["opportunity.*"]));
    let none = [&change[..], &[("noHeaders", "on")]].concat();
    scene.said(&edit, &none).await;
    assert_eq!(stored().await["headers"], json!([]));
    let off = "Nothing is sent to “Billing” any more. Its events are kept for 30 days.";
    assert_eq!(scene.said(&format!("{path}/switch"), &[("enabled", "false")]).await, off);
    let page = scene.get(&path).await;
    assert!(page.contains("Switched off") && !page.contains("Send an example"), "{page}");
    scene.refused(&format!("{path}/test"), &[("event", "contact.created")], "The webhook is disabled").await;
    let on = scene.said(&format!("{path}/switch"), &[("enabled", "true")]).await;
    assert!(on.starts_with("“Billing” is told of events again."), "{on}");
    assert_eq!(scene.said(&format!("{path}/recover"), &[("since", "P1D")]).await, "Nothing failed in that time.");
    scene.refused(&format!("{path}/recover"), &[("since", "P99D")], "is none of these times").await;
    scene.refused(&format!("{path}/test"), &[("event", "contact.imagined")], "is no event").await;
    assert_eq!(
        scene.said(&format!("{path}/test"), &[("event", "contact.created")]).await,
        "An example of “ContactCreate” is on its way."
    );
    let delivery = scene.page_of(&path, "ContactCreate</a>").await;
    let page = scene.get(&delivery).await;
    assert!(page.contains("&#34;type&#34;: &#34;ContactCreate&#34;") && page.contains("msg_test_"), "{page}");
    let again = scene.said(&format!("{delivery}/resend"), &[]).await;
    assert!(again.ends_with(" is on its way again, with the same id."), "{again}");
    assert!(scene.get(&format!("{path}?state=held")).await.contains("No delivery stands so."));
    // A new secret, beside the old one for a while.
    let rotate = format!("{path}/rotate-secret");
    scene.refused(&rotate, &[("overlap", "x")], "The time of the old secret").await;
    let shown = scene.post(&rotate, &[("overlap", "PT24H"), ("form_id", "one")]).await;
    assert!(shown.text.contains("whsec_") && shown.text.contains("Messages carry the old signature, too, until"));
    assert!(scene.post(&rotate, &[("overlap", "PT24H"), ("form_id", "one")]).await.text.contains("Already shown"));
    assert!(scene.get(&path).await.contains("<dt>Two signatures</dt>"));
    // A location's is no other location's, and the agency sees all.
    let sibling = scene.app.location("Sibling").await;
    let see = async |url: String| scene.app.get(&url).header("Cookie", &scene.cookie).send().await;
    assert_eq!(see(format!("/app/locations/{sibling}{path}")).await.status, 404);
    assert_eq!(see(format!("/app/agency{path}")).await.status, 200);
    assert!(see(format!("/app/agency{PATH}")).await.text.contains("Billing"));
    let key = scene.get(&format!("{PATH}/signing-key")).await;
    let public = scene.stored("/webhooks/public-key", "publicKey").await;
    assert!(
        key.contains(&public["base64"].as_str().unwrap().replace('+', "&#43;"))
            || key.contains(public["base64"].as_str().unwrap())
    );
    assert_eq!(
        scene.said(&format!("{path}/delete"), &[]).await,
        "“Billing” is deleted, with all that was to go there."
    );
    assert!(scene.get(PATH).await.contains("No program is told yet"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_adds_one_webhook_too_many_reads_how_many_there_are() {
    let scene = Scene::new().await;
    for number in 0..50 {
        let new = json!({"url": format!("https://hooks.example.com/{number}"), "events": ["*"]});
        scene.app.post("/webhooks").key(&scene.key).json(&new).send().await.expect(201);
    }
    let new = [URL, ("which", "all"), ("form_id", "a")];
    let said = "Address cannot be added: there are 50 webhooks already, the most that can be; delete one";
    scene.refused(&format!("{PATH}/new"), &new, said).await;
    // One that is there already is none more.
    let same = [("url", "https://hooks.example.com/7"), ("which", "all"), ("form_id", "b")];
    assert!(scene.said(&format!("{PATH}/new"), &same).await.starts_with("This webhook was there already"));
}
