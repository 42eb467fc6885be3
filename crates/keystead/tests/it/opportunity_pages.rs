//! The pages of opportunities: the board, the list, one of them, and what is done there.

use keystead_model::{LocationId, user::Role};
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, Answer, TestApp, TestKey};
use serde_json::{Value, json};

use crate::{
    app::{flash, from_here, member, sign_in},
    opportunities::{contact, first_pipeline, opportunity},
};

/// What stands in every text field.
const MARKUP: &str = "<b>\"'&x";

/// A location with people, somebody who is signed in, and a key to look behind the pages.
struct Scene {
    app: TestApp,
    key: TestKey,
    cookie: String,
    pipeline: Value,
}

impl Scene {
    async fn new() -> Self {
        let app = TestApp::start().await;
        let key = app.location_key().await;
        let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
        let pipeline = first_pipeline(&app, &key).await;
        Self { app, key, cookie, pipeline }
    }

    fn url(&self, path: &str) -> String {
        format!("/app/locations/{}/opportunities{path}", self.app.ids.location)
    }

    async fn get(&self, path: &str) -> String {
        let answer = self.app.get(&self.url(path)).header("Cookie", &self.cookie).send().await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.text
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        from_here(self.app.post(&self.url(path))).header("Cookie", &self.cookie).form(fields).send().await
    }

    /// What a page says that an answer leads to.
    async fn said_after(&self, answer: &Answer) -> (String, Answer) {
        assert_eq!(answer.status, 303, "{}", answer.text);
        let cookies = format!("{}; {}", self.cookie, answer.header("set-cookie").split(';').next().unwrap());
        let url = answer.header("location").split('#').next().unwrap().to_owned();
        let page = self.app.get(&url).header("Cookie", &cookies).send().await;
        (flash(&page).unwrap_or_default(), page)
    }

    async fn stored(&self, id: &str) -> Value {
        let found = self.app.get(&format!("/opportunities/{id}")).key(&self.key).send().await;
        found.expect(200)["opportunity"].clone()
    }

    fn stage(&self, index: usize) -> &str {
        self.pipeline["stages"][index]["id"].as_str().unwrap()
    }

    /// A contact with an opportunity.
    async fn deal(&self, person: &str, more: Value) -> String {
        let contact = contact(&self.app, &self.key, person).await;
        let made = opportunity(&self.app, &self.key, &self.pipeline, &contact, more).await;
        made["id"].as_str().unwrap().to_owned()
    }
}

/// The part of a board that is one stage.
fn column<'b>(board: &'b str, stage: &str) -> &'b str {
    let (_, rest) = board.split_once(&format!("data-stage=\"{stage}\"")).unwrap_or_else(|| panic!("{stage}: {board}"));
    rest.split("</section>").next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_shows_what_is_in_each_stage_and_cards_are_moved() {
    let scene = Scene::new().await;
    let implant = scene.deal("Ada Lovelace", json!({"name": "Implant", "monetaryValue": 4800.5})).await;
    let braces = scene.deal("Grace Hopper", json!({"name": MARKUP, "monetaryValue": 1200})).await;
    scene.deal("Alan Turing", json!({"name": "Won already", "monetaryValue": 7, "status": "won"})).await;
    let board = scene.get("").await;
    let (first, second) = (scene.stage(0).to_owned(), scene.stage(1).to_owned());
    assert!(board.contains("2 opportunities, worth 6,000.50 together."), "{board}");
    let new = column(&board, &first);
    for said in
        ["New lead", ">2</span>", "6,000.50", "Implant", "Ada Lovelace", "4,800.50", &format!("id=\"o-{implant}\"")]
    {
        assert!(new.contains(said), "{said}: {new}");
    }
    assert!(
        column(&board, &second).contains("Nothing here.") && !board.contains("Won already") && !board.contains(MARKUP)
    );
    assert!(scene.get("?status=won").await.contains("Won already"));
    assert!(scene.get("?status=any").await.contains("3 opportunities"));

    // From the board it leads back to the card there, from elsewhere to its page.
    let path = format!("/{implant}/move/{second}");
    let from = format!("http://localhost{}?status=any", scene.url(""));
    let moved = from_here(scene.app.post(&scene.url(&path))).header("Cookie", &scene.cookie).header("Referer", &from);
    let moved = moved.form(&[]).send().await;
    assert_eq!(moved.header("location"), format!("{}?status=any#o-{implant}", scene.url("")));
    let (said, page) = scene.said_after(&moved).await;
    assert_eq!(said, "“Implant” moved to “Contacted”.");
    assert!(column(&page.text, &second).contains("Implant") && !column(&page.text, &first).contains("Implant"));
    assert_eq!(scene.stored(&implant).await["pipelineStageId"], second.as_str());
    for elsewhere in ["https://evil.example/app", "http://localhost/app/agency", "no address"] {
        let call = from_here(scene.app.post(&scene.url(&path))).header("Cookie", &scene.cookie);
        let answer = call.header("Referer", elsewhere).form(&[]).send().await;
        assert_eq!(answer.header("location"), scene.url(&format!("/{implant}")), "{elsewhere}");
    }
    // Undone by the button that the sentence has.
    let undo = scene.url(&format!("/{implant}/move/{first}"));
    assert!(page.text.contains(&format!("action=\"{undo}\"><button class=\"btn sm\">Undo</button>")), "{}", page.text);
    let (said, _) = scene.said_after(&scene.post(&format!("/{implant}/move/{first}"), &[]).await).await;
    assert_eq!(said, "“Implant” moved to “New lead”.");
    for (to, wanted) in
        [("won", "is won."), ("lost", "is lost."), ("abandoned", "is abandoned."), ("open", "is open again.")]
    {
        let (said, _) = scene.said_after(&scene.post(&format!("/{implant}/move/{to}"), &[]).await).await;
        assert_eq!(said, format!("“Implant” {wanted}"));
        assert_eq!(scene.stored(&implant).await["status"], to);
    }
    // Where it cannot go, nothing happens.
    for nowhere in ["x", "00000000-0000-4000-8000-000000000000", "dreaming"] {
        assert_eq!(scene.post(&format!("/{braces}/move/{nowhere}"), &[]).await.status, 404, "{nowhere}");
    }
    assert_eq!(scene.stored(&braces).await["pipelineStageId"], first.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_column_leads_to_the_list() {
    let scene = Scene::new().await;
    for number in 0..52 {
        scene
            .deal(&format!("Person {number}"), json!({"name": format!("Deal {number}"), "monetaryValue": number}))
            .await;
    }
    let board = scene.get("").await;
    assert_eq!(board.matches("class=\"deal\"").count(), 50);
    assert!(board.contains("Show all, 2 more") && board.contains("52 opportunities, worth 1,326 together."));
    let list = format!("?view=list&pipeline={}&stage={}", scene.pipeline["id"].as_str().unwrap(), scene.stage(0));
    assert!(board.contains("view=list&#38;pipeline="), "{board}");
    let first = scene.get(&list).await;
    assert!(first.contains("1 to 50 of 52") && first.contains("rel=\"next\""));
    assert!(scene.get(&format!("{list}&page=2")).await.contains("51 to 52 of 52"));
    let empty = scene
        .get(&format!("?view=list&stage={}&pipeline={}", scene.stage(3), scene.pipeline["id"].as_str().unwrap()))
        .await;
    assert!(empty.contains("No opportunity is like that."));
    let highest = scene.get("?view=list&sort=value").await;
    let (before, _) = highest.split_once(">Deal 51<").unwrap();
    assert!(!before.contains(">Deal 50<"), "the highest comes first");
    assert!(scene.get("?view=list&q=person+7").await.contains(">Deal 7<"));
    assert!(scene.get("?view=list&q=xyzzy").await.contains("with “<bdi>xyzzy</bdi>”"));
    for odd in ["?page=0&view=list", "?view=x&status=x&owner=x&pipeline=x&stage=x&sort=x", "?view=list&q=%F0%9F%98%80"]
    {
        scene.get(odd).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opportunity_is_shown_changed_and_its_history_told() {
    let scene = Scene::new().await;
    let field =
        json!({"name": "Colour", "dataType": "SINGLE_OPTIONS", "options": ["Red", "Blue"], "model": "opportunity"});
    let location = scene.app.ids.location;
    let field = scene.app.post(&format!("/locations/{location}/customFields")).key(&scene.key).json(&field);
    let field = field.send().await.expect(201)["customField"]["id"].as_str().unwrap().to_owned();
    let reason = scene.app.post("/opportunities/lost-reason").key(&scene.key).json(&json!({"name": "Too dear"}));
    let reason = reason.send().await.json();
    let reason = reason["lostReason"]["id"].as_str().or(reason["id"].as_str()).map(str::to_owned);
    let id = scene.deal("Ada Lovelace", json!({"name": "Implant", "monetaryValue": 4800})).await;
    let page = format!("/{id}");
    let shown = scene.get(&page).await;
    for said in [
        "Implant",
        "4,800",
        "New lead",
        "Ada Lovelace",
        "ada.lovelace@example.com",
        "Colour",
        "added the opportunity",
        "Not said",
    ] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    let seen = shown.split("name=\"seen\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let custom = format!("customFields.{field}");
    let (second, status) = (scene.stage(1).to_owned(), "open");
    let fields = |value: &'static str| {
        vec![
            ("name".to_owned(), MARKUP.to_owned()),
            ("monetaryValue".to_owned(), value.to_owned()),
            ("pipelineStageId".to_owned(), second.clone()),
            ("status".to_owned(), status.to_owned()),
            ("forecastProbability".to_owned(), "30 %".to_owned()),
            ("forecastExpectedCloseDate".to_owned(), "2026-12-20".to_owned()),
            (custom.clone(), "Blue".to_owned()),
        ]
    };
    let send = async |pairs: Vec<(String, String)>| {
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        scene.post(&page, &pairs).await
    };
    // All that is wrong at once, and nothing is lost or saved.
    let mut wrong = fields("4.800,50");
    wrong[0].1.clear();
    wrong[4].1 = "150".to_owned();
    let refused = send(wrong).await;
    assert_eq!(refused.status, 422);
    for said in [
        "3 things need a look",
        "Enter a name.",
        "Value must be a number",
        "Probability, per cent must be a whole number",
        "4.800,50",
    ] {
        assert!(refused.text.contains(said), "{said}: {}", refused.text);
    }
    let saved = send([fields("5,000.25"), vec![("seen".to_owned(), seen.clone())]].concat()).await;
    let (said, after) = scene.said_after(&saved).await;
    assert!(said.ends_with("is saved.") && !after.text.contains(MARKUP), "{said}");
    let stored = scene.stored(&id).await;
    assert_eq!((&stored["name"], &stored["monetaryValue"]), (&json!(MARKUP), &json!(5000.25)));
    assert_eq!(
        stored["customFields"][0]["fieldValue"].as_str().or(stored["customFields"][0]["fieldValueString"].as_str()),
        Some("Blue")
    );
    for (field, before, became) in
        [("Stage", "New lead", "Contacted"), ("Value", "4,800", "5,000.25"), ("Colour", "none", "Blue")]
    {
        let said = format!(
            "<dt>{field}</dt><dd><del><bdi>{before}</bdi></del> <span class=\"visually-hidden\">became</span> \
             <ins><bdi>{became}</bdi></ins></dd>"
        );
        assert!(after.text.contains(&said), "{said}: {}", after.text);
    }
    // Whoever read the form before that is told, and keeps what they wrote.
    let late = send([fields("1"), vec![("seen".to_owned(), seen)]].concat()).await;
    assert_eq!(late.status, 422);
    assert!(
        late.text.contains("Value: meanwhile it is “5000.25”.") && late.text.contains("value=\"1\""),
        "{}",
        late.text
    );
    assert_eq!(scene.stored(&id).await["monetaryValue"], 5000.25);
    if let Some(reason) = reason {
        let mut lost = fields("1");
        lost[3].1 = "lost".to_owned();
        lost.push(("lostReasonId".to_owned(), reason.clone()));
        assert_eq!(send(lost.clone()).await.status, 303);
        assert_eq!(scene.stored(&id).await["lostReasonId"], reason.as_str());
        // Of what is not lost the reason is not looked at.
        lost[3].1 = "won".to_owned();
        assert_eq!(send(lost).await.status, 303);
        assert!(scene.stored(&id).await["lostReasonId"].is_null());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_added_for_whom_words_mean_and_deleted_after_a_question() {
    let scene = Scene::new().await;
    for name in ["Ada Lovelace", "Ada Byron", "Grace Hopper"] {
        contact(&scene.app, &scene.key, name).await;
    }
    let stage = scene.stage(2).to_owned();
    let form = scene.get(&format!("/new?pipeline={}&stage={stage}", scene.pipeline["id"].as_str().unwrap())).await;
    assert!(form.contains(&format!("value=\"{stage}\" selected")), "{form}");
    let add = async |contact: &str, more: &[(&str, &str)]| {
        let fields = [("contact", contact), ("pipelineStageId", &stage), ("status", "open"), ("monetaryValue", "10")];
        scene.post("/new", &[&fields[..], more].concat()).await
    };
    let nobody = add("", &[]).await;
    assert!(nobody.status == 422 && nobody.text.contains("Say whose it is."), "{}", nobody.text);
    assert!(add("xyzzy", &[]).await.text.contains("Nobody here is called so"));
    let several = add("ada", &[]).await;
    assert!(several.status == 422 && several.text.contains("Which of them?") && several.text.contains("Ada Byron"));
    let (_, rest) = several.text.split_once("name=\"contactId\" value=\"").unwrap();
    let chosen = rest.split('"').next().unwrap().to_owned();
    let (said, page) = scene.said_after(&add("ada", &[("contactId", &chosen)]).await).await;
    assert!(said.starts_with("“Ada ") && said.ends_with("is added.") && page.text.contains("Proposal sent"), "{said}");
    let (said, page) = scene.said_after(&add("grace", &[("name", "Roof")]).await).await;
    assert!(said == "“Roof” is added." && page.text.contains("Grace Hopper"));
    // Twice in the same pipeline is refused, with what was written.
    let twice = add("grace", &[("name", "Another roof")]).await;
    assert!(
        twice.status == 422 && twice.text.contains("in this pipeline already") && twice.text.contains("Another roof"),
        "{}",
        twice.text
    );

    let id = page.text.split("<span class=\"mono\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let asked = scene.get(&format!("/{id}/delete")).await;
    assert!(asked.contains("Delete “<bdi>Roof</bdi>”") && asked.contains("deleted for good"));
    let (said, _) = scene.said_after(&scene.post(&format!("/{id}/delete"), &[]).await).await;
    assert_eq!(said, "“Roof” is deleted.");
    assert_eq!(scene.app.get(&format!("/opportunities/{id}")).key(&scene.key).send().await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn opportunities_are_shown_by_owner_and_only_where_they_are() {
    let scene = Scene::new().await;
    let id = scene.deal("Ada Lovelace", json!({"name": "Mine", "assignedTo": scene.app.ids.user.as_str()})).await;
    scene.deal("Grace Hopper", json!({"name": "Nobody’s"})).await;
    for view in ["", "&view=list"] {
        let mine = scene.get(&format!("?owner={}{view}", scene.app.ids.user)).await;
        assert!(mine.contains(">Mine</bdi>") && !mine.contains("Nobody’s"), "{mine}");
    }
    let sibling: LocationId = scene.app.location("Sibling").await;
    let theirs = member(&scene.app, "sib@example.com", Role::AccountAdmin, &[sibling]).await;
    for path in [format!("/{id}"), format!("/{id}/delete")] {
        let elsewhere = format!("/app/locations/{sibling}/opportunities{path}");
        for (cookie, url) in [(&theirs, elsewhere.clone()), (&theirs, scene.url(&path)), (&scene.cookie, elsewhere)] {
            let answer = scene.app.get(&url).header("Cookie", cookie).send().await;
            assert_eq!(answer.status, 404, "{url}");
        }
    }
}
