//! Inbound webhooks in the app.

use keystead_model::user::Role;
use serde_json::json;

use crate::{
    app::{from_here, member},
    settings_pages::Scene,
};

const PATH: &str = "/settings/webhooks/incoming";
const MARKUP: &str = "<i>\"&'</i>";

/// What stands in a page between two texts.
fn between<'p>(page: &'p str, before: &str, after: &str) -> &'p str {
    let (_, rest) = page.split_once(before).unwrap_or_else(|| panic!("{before}: {page}"));
    rest.split(after).next().unwrap()
}

/// The address that a page shows.
fn address_of(page: &str) -> &str {
    between(page, "id=\"address\" readonly value=\"", "\"")
}

/// The path of the address that a page shows.
fn shown(page: &str) -> String {
    let address = address_of(page);
    address[address.find("/hooks/").unwrap()..].to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_adds_one_sends_to_it_and_maps_what_came_in() {
    let scene = Scene::new().await;
    let new = format!("{PATH}/new");
    assert!(scene.get("/settings/webhooks").await.contains("/settings/webhooks/incoming\">Incoming</a>"));
    assert!(scene.get(PATH).await.contains("No program sends here yet."));
    scene.refused(&new, &[("name", "")], "Enter a name").await;
    let form = scene.get(&new).await;
    let id = between(&form, "name=\"form_id\" value=\"", "\"");
    let sent = [("name", MARKUP), ("form_id", id)];
    let made = scene.post(&new, &sent).await;
    assert!(made.status == 200 && !made.text.contains(MARKUP) && !made.text.contains("whsec_"), "{}", made.text);
    assert_eq!(made.header("cache-control"), "no-store");
    let address = shown(&made.text);
    let again = scene.post(&new, &sent).await;
    assert!(again.text.contains("Already shown") && !again.text.contains("/hooks/"), "{}", again.text);
    let page = scene.page_of(PATH, &format!("<bdi>{}</bdi></a>", "&#60;i&#62;&#34;&#38;&#39;&#60;/i&#62;")).await;
    let empty = scene.get(&page).await;
    assert!(empty.contains("Nothing has come in yet.") && empty.contains("curl &#39;ADDRESS&#39;"), "{empty}");
    assert!(made.text.contains(&format!("curl &#39;{}", address_of(&made.text))), "{}", made.text);
    assert!(scene.get(PATH).await.contains("Nothing lately"));
    let payload =
        json!({"customer": {"email": "ada@example.com", "note": MARKUP}, "source": "shop", "First Name": "Ada"});
    scene.app.post(&address).json(&payload).send().await.expect(202);
    let kept = scene.get(&page).await;
    assert!(
        kept.contains("Kept</span>") && kept.contains("Use the last payload to map") && !kept.contains(MARKUP),
        "{kept}"
    );
    // The form suggests what the last payload has.
    let edit = format!("{page}/edit");
    let form = scene.get(&edit).await;
    assert!(form.contains("<option value=\"{{payload.customer.email}}\">ada@example.com</option>"), "{form}");
    assert!(form.contains("<option value=\"{{payload[&#34;First Name&#34;]}}\">Ada</option>"), "{form}");
    assert!(scene.get(PATH).await.contains(">just now</span>"));
    assert!(scene.get(&page).await.contains("Kept</span>") && !scene.get(&page).await.contains(">Map again<"));
    let mapped = [
        ("name", "Shop"),
        ("contact.email", "{{payload.customer.email}}"),
        ("contact.tags", "vip\r\nfrom {{payload.source}}"),
    ];
    let wrong = [("name", "Shop"), ("contact.email", "{{payload.customer.email"), ("contact.city", "{{contact.city}}")];
    let answer = scene.post(&edit, &wrong).await;
    assert_eq!(answer.status, 422);
    for said in ["E-mail has a {{ without its }}", "City has contact.city", "value=\"{{payload.customer.email\""] {
        assert!(answer.text.contains(said), "{said}: {}", answer.text);
    }
    assert_eq!(scene.said(&edit, &mapped).await, "“Shop” is saved.");
    let form = scene.get(&edit).await;
    assert!(
        form.contains("vip\nfrom {{payload.source}}</textarea>") && form.contains("<h1>Edit “<bdi>Shop</bdi>”</h1>")
    );
    let kept = scene.get(&page).await;
    let (before, _) = kept.split_once("/replay\"").unwrap();
    let (_, replay) = before.rsplit_once(&scene.url("")).unwrap();
    let replay = format!("{replay}/replay");
    let said = scene.said(&replay, &[]).await;
    assert_eq!(said, "What came in by “Shop” was mapped again; its contact is linked below.");
    let contacts = scene.stored("/contacts/", "contacts").await;
    assert_eq!(
        (&contacts[0]["email"], &contacts[0]["tags"]),
        (&json!("ada@example.com"), &json!(["vip", "from shop"]))
    );
    let shown_page = scene.get(&page).await;
    assert!(shown_page.contains("Made a contact") && shown_page.contains("To the contact"), "{shown_page}");
    scene.app.post(&address).json(&json!({"customer": {"email": "nonsense"}})).send().await.expect(422);
    assert!(scene.get(&page).await.contains("Not taken"));
    // A field that is deleted stays in the form until somebody takes it out.
    let fields = format!("/locations/{}/customFields", scene.app.ids.location);
    let key = scene.app.location_key().await;
    let new = json!({"name": "Level", "dataType": "TEXT"});
    let field = scene.app.post(&fields).key(&key).json(&new).send().await.expect(201)["customField"].clone();
    let field = field["id"].as_str().unwrap().to_owned();
    let custom = format!("contact.customFields.{field}");
    let with_field = [("name", "Shop"), ("contact.email", "{{payload.mail}}"), (custom.as_str(), "{{payload.level}}")];
    scene.said(&edit, &with_field).await;
    assert!(scene.get(&page).await.contains("<bdi>Level</bdi></dt>"), "by its name");
    scene.app.delete(&format!("{fields}/{field}")).key(&key).send().await.expect(200);
    let form = scene.get(&edit).await;
    assert!(form.contains("This custom field is not there any more") && form.contains("{{payload.level}}"), "{form}");
    assert_eq!(scene.said(&edit, &with_field).await, "“Shop” is saved.");
    let changed = [("name", "Shop"), ("contact.email", "{{payload.email}}"), (custom.as_str(), "{{payload.level}}")];
    let refused = scene.post(&edit, &changed).await;
    assert!(refused.status == 422 && refused.text.contains("is no custom field of contacts here"), "{}", refused.text);
    let stored = scene.stored("/inbound-webhooks", "inboundWebhooks").await;
    assert!(stored[0]["contact"].to_string().contains("payload.level"), "{stored}");
    // The log names it, also where only its mapping was changed.
    let log = scene.app.get("/app/agency/audit").header("Cookie", &scene.cookie).send().await;
    let changes = log.text.matches("changed the inbound webhook ").count();
    let named = log.text.matches("changed the inbound webhook <b><bdi>Shop</bdi></b>").count();
    assert!(changes > 1 && named == changes, "{}", log.text);
    // What came long ago is folded.
    let many: Vec<_> = (0..50).map(|number| json!({"customer": {"email": format!("{number}@example.com")}})).collect();
    scene.app.post(&address).json(&json!(many)).send().await;
    let shown_page = scene.get(&page).await;
    let (newest, folded) = shown_page.split_once("<summary>40 before that</summary>").unwrap();
    assert_eq!((newest.matches("/replay\"").count(), folded.matches("/replay\"").count()), (10, 40), "{shown_page}");
    // An empty mapping is none.
    scene.said(&edit, &[("name", "Shop")]).await;
    let stored = scene.stored("/inbound-webhooks", "inboundWebhooks").await;
    assert!(stored[0]["contact"].is_null(), "{stored}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_saves_one_whose_maker_is_gone_takes_it_over() {
    let scene = Scene::new().await;
    let maker = member(&scene.app, "maker@example.com", Role::AccountAdmin, &[scene.app.ids.location]).await;
    let as_maker = async |path: &str, fields: &[(&str, &str)]| {
        let call = from_here(scene.app.post(&scene.url(path))).header("Cookie", &maker);
        call.form(fields).send().await
    };
    let made = as_maker(&format!("{PATH}/new"), &[("name", "Shop"), ("form_id", "a")]).await;
    let address = shown(&made.text);
    let page = scene.page_of(PATH, "<bdi>Shop</bdi></a>").await;
    let (edit, mapped) = (format!("{page}/edit"), [("name", "Shop"), ("contact.email", "{{payload.mail}}")]);
    assert_eq!(as_maker(&edit, &mapped).await.status, 303);
    let send = async |mail: &str| scene.app.post(&address).json(&json!({"mail": mail})).send().await.status;
    assert_eq!(send("a@example.com").await, 202);
    assert!(!scene.get(&page).await.contains("It makes no contacts"));
    let users = scene.app.app.list_users(&scene.app.admin().await).await.unwrap();
    let gone = users.iter().find(|user| user.email.as_str() == "maker@example.com").unwrap();
    scene.app.app.set_user_disabled(&scene.app.admin().await, gone.id, true).await.unwrap();
    assert_eq!(send("b@example.com").await, 422);
    let banner = scene.get(&page).await;
    assert!(banner.contains("It makes no contacts: <bdi>maker@example.com</bdi>"), "{banner}");
    assert!(scene.get(PATH).await.contains("Makes no contacts any more"));
    assert_eq!(scene.said(&edit, &mapped).await, "“Shop” is saved.");
    assert_eq!(send("b@example.com").await, 202);
    assert!(!scene.get(&page).await.contains("It makes no contacts"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_changed_and_ended() {
    let scene = Scene::new().await;
    let made = scene.post(&format!("{PATH}/new"), &[("name", "Shop"), ("signed", "on"), ("form_id", "a")]).await;
    assert!(made.text.contains("whsec_"), "{}", made.text);
    let first = shown(&made.text);
    let hooks = scene.stored("/inbound-webhooks", "inboundWebhooks").await;
    let page = format!("{PATH}/{}", hooks[0]["id"].as_str().unwrap());
    let rotate = format!("{page}/rotate");
    assert!(scene.get(&rotate).await.contains("name=\"signed\" value=\"on\" checked"));
    scene.refused(&rotate, &[("overlap", "x")], "The time of the old address").await;
    let second = scene.post(&rotate, &[("overlap", "PT24H"), ("form_id", "one")]).await;
    assert!(
        second.text.contains("The old address goes on until") && !second.text.contains("whsec_"),
        "{}",
        second.text
    );
    assert!(scene.post(&rotate, &[("overlap", "PT24H"), ("form_id", "one")]).await.text.contains("Already shown"));
    assert!(scene.get(&page).await.contains("<dt>Old address</dt>"));
    let second = shown(&second.text);
    assert_ne!(second, first);
    scene.app.post(&second).json(&json!({})).send().await.expect(202);
    // A location's is no other location's.
    let sibling = scene.app.location("Sibling").await;
    let see = scene.app.get(&format!("/app/locations/{sibling}{page}")).header("Cookie", &scene.cookie).send().await;
    assert_eq!(see.status, 404);
    let delete = format!("{page}/delete");
    assert!(scene.get(&delete).await.contains("what came in is deleted with it"));
    assert_eq!(scene.said(&delete, &[]).await, "“Shop” is deleted: its address leads nowhere any more.");
    assert_eq!(scene.app.post(&second).json(&json!({})).send().await.status, 404);
}
