//! The pages of what a location is made of: pipelines, tags, custom fields and values; and its open tasks.

use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, Answer, TestApp, TestKey};
use serde_json::{Value, json};

use crate::{
    app::{flash, from_here, sign_in},
    opportunities::{contact, opportunity},
};

/// What stands in every text field.
const MARKUP: &str = "<b>\"'&x";

/// A location with a key, and an admin who is signed in.
pub(crate) struct Scene {
    pub(crate) app: TestApp,
    pub(crate) key: TestKey,
    pub(crate) cookie: String,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let app = TestApp::start().await;
        let (key, cookie) = (app.location_key().await, sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await);
        Self { app, key, cookie }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("/app/locations/{}{path}", self.app.ids.location)
    }

    pub(crate) async fn get(&self, path: &str) -> String {
        let answer = self.app.get(&self.url(path)).header("Cookie", &self.cookie).send().await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        assert!(!answer.text.contains(MARKUP), "{path}");
        answer.text
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        from_here(self.app.post(&self.url(path))).header("Cookie", &self.cookie).form(fields).send().await
    }

    /// What is said after something was done.
    pub(crate) async fn said(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.post(path, fields).await;
        assert_eq!(answer.status, 303, "{path}: {}", answer.text);
        let cookies = format!("{}; {}", self.cookie, answer.header("set-cookie").split(';').next().unwrap());
        let page = self.app.get(answer.header("location")).header("Cookie", &cookies).send().await;
        flash(&page).unwrap_or_default()
    }

    pub(crate) async fn refused(&self, path: &str, fields: &[(&str, &str)], wanted: &str) {
        let answer = self.post(path, fields).await;
        assert_eq!(answer.status, 422, "{path}: {}", answer.text);
        assert!(answer.text.contains(wanted), "{wanted}: {}", answer.text);
    }

    /// What the API answers, by what it is called there.
    pub(crate) async fn stored(&self, path: &str, name: &str) -> Value {
        self.app.get(path).key(&self.key).send().await.expect(200)[name].clone()
    }

    pub(crate) fn of_location(&self, path: &str) -> String {
        format!("/locations/{}{path}", self.app.ids.location)
    }

    /// The address of the page behind a name in a list.
    pub(crate) async fn page_of(&self, list: &str, name: &str) -> String {
        let list = self.get(list).await;
        let (before, _) = list.split_once(name).unwrap_or_else(|| panic!("{name}: {list}"));
        let (_, address) = before.rsplit_once("href=\"").unwrap();
        address.split('"').next().unwrap().strip_prefix(&self.url("")).unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelines_are_made_and_their_stages_moved() {
    let scene = Scene::new().await;
    let list = "/settings/pipelines";
    scene.refused("/settings/pipelines/new", &[("name", ""), ("stageName", "")], "Enter a name for the stage.").await;
    let new = [
        ("name", MARKUP),
        ("stageName", "One"),
        ("stageName", "Two"),
        ("stageProbability", "10"),
        ("stageProbability", "x"),
    ];
    scene.refused("/settings/pipelines/new", &new, "The probability must be a whole number").await;
    let new = [
        ("name", "Recall"),
        ("stageName", "One"),
        ("stageName", ""),
        ("stageName", "Two"),
        ("stageProbability", "10 %"),
    ];
    assert_eq!(scene.said("/settings/pipelines/new", &new).await, "“Recall” is added.");
    let page = scene.page_of(list, "<bdi>Recall</bdi>").await;
    let form = scene.get(&page).await;
    let ids: Vec<&str> =
        form.split("name=\"stageId\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(ids.len(), 2);
    let with = |more: &[(&'static str, &'static str)]| {
        let mut fields = vec![
            ("name", "Recall"),
            ("stageId", ids[0]),
            ("stageName", "First"),
            ("stageId", ids[1]),
            ("stageName", "Second"),
        ];
        fields.extend(more);
        fields
    };
    // A button changes the form alone, together with what is being written.
    let moved = scene.post(&page, &with(&[("change", "down-0")])).await;
    assert_eq!(moved.status, 200);
    let (before, _) = moved.text.split_once("value=\"First\"").unwrap();
    assert!(before.contains("value=\"Second\"") && moved.text.contains("autofocus"), "{}", moved.text);
    let names = async || {
        let all = scene.stored("/opportunities/pipelines", "pipelines").await;
        let recall = all.as_array().unwrap().iter().find(|pipeline| pipeline["name"] == "Recall").unwrap().clone();
        recall["stages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|stage| stage["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names().await, ["One", "Two"], "nothing was saved");
    let added = scene.post(&page, &with(&[("change", "add")])).await;
    assert_eq!(added.text.matches("name=\"stageName\"").count(), 3);
    let saved = [
        ("name", "Recall"),
        ("stageId", ids[1]),
        ("stageName", "Second"),
        ("stageId", ids[0]),
        ("stageName", "First"),
        ("stageId", ""),
        ("stageName", "Third"),
    ];
    assert_eq!(scene.said(&page, &saved).await, "“Recall” is saved.");
    assert_eq!(names().await, ["Second", "First", "Third"]);

    // A stage that something is in stays, and so does its pipeline.
    let all = scene.stored("/opportunities/pipelines", "pipelines").await;
    let sales = all.as_array().unwrap().iter().find(|pipeline| pipeline["name"] == "Sales").unwrap().clone();
    let person = contact(&scene.app, &scene.key, "Ada Lovelace").await;
    opportunity(&scene.app, &scene.key, &sales, &person, json!({})).await;
    let page = format!("/settings/pipelines/{}", sales["id"].as_str().unwrap());
    let form = scene.get(&page).await;
    assert!(form.contains("1 in it") && !form.contains("value=\"remove-0\"") && form.contains("value=\"remove-1\""));
    let without =
        [("name", "Sales"), ("stageId", sales["stages"][1]["id"].as_str().unwrap()), ("stageName", "Contacted")];
    scene.refused(&page, &without, "An opportunity is in the stage New lead.").await;
    assert!(scene.get(&format!("{page}/delete")).await.contains("One opportunity is in it"));
    scene.refused(&format!("{page}/delete"), &[], "An opportunity is in the pipeline Sales.").await;
    let recall = scene.page_of(list, "<bdi>Recall</bdi>").await;
    assert_eq!(scene.said(&format!("{recall}/delete"), &[]).await, "“Recall” is deleted.");
    assert!(scene.get(list).await.contains("New lead → Contacted → Proposal sent → Negotiation"));
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_are_counted_found_renamed_and_deleted() {
    let scene = Scene::new().await;
    for (name, tags) in [("Ada", json!(["vip", "web-lead"])), ("Grace", json!(["vip"]))] {
        let new = json!({"firstName": name, "tags": tags});
        scene.app.post("/contacts/").key(&scene.key).json(&new).send().await.expect(201);
    }
    let list = "/settings/tags";
    assert_eq!(scene.said(list, &[("name", MARKUP)]).await.replace("&#60;", "<").chars().next(), Some('“'));
    scene.refused(list, &[("name", "VIP")], "The tag vip exists.").await;
    scene.refused(list, &[("name", " ")], "Enter a name.").await;
    let shown = scene.get(list).await;
    let (_, row) = shown.split_once("<bdi>vip</bdi>").unwrap();
    assert!(row.split("</tr>").next().unwrap().contains(">2</a>") && shown.contains(">None</span>"), "{shown}");
    let found = scene.get(&format!("{list}?q=LEAD")).await;
    assert!(found.contains("web-lead") && !found.contains("<bdi>vip</bdi>"));
    assert!(scene.get(&format!("{list}?q=xyzzy")).await.contains("No tag has"));
    let of = async |name: &str| {
        let tags = scene.stored(&scene.of_location("/tags"), "tags").await;
        let tag = tags.as_array().unwrap().iter().find(|tag| tag["name"] == name).cloned();
        tag.map(|tag| format!("{list}/{}", tag["id"].as_str().unwrap()))
    };
    let vip = of("vip").await.unwrap();
    scene.refused(&vip, &[("name", "web-lead")], "The tag web-lead exists.").await;
    assert_eq!(scene.said(&vip, &[("name", "Gold")]).await, "“gold” is saved, on all contacts that have it.");
    assert!(scene.get(&format!("{vip}/delete")).await.contains("2 contacts have it, and lose it."));
    assert_eq!(scene.said(&format!("{vip}/delete"), &[]).await, "“gold” is deleted, and no contact has it any more.");
    assert!(of("gold").await.is_none() && of("vip").await.is_none());
    assert_eq!(scene.app.get(&scene.url(&vip)).header("Cookie", &scene.cookie).send().await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn custom_fields_of_every_kind_are_made_changed_and_deleted() {
    let scene = Scene::new().await;
    let new = "/settings/custom-fields/new";
    for (kind, more) in [
        ("TEXT", vec![]),
        ("SINGLE_OPTIONS", vec![("options", "Red\n\n Blue \n"), ("isAllowedCustomOption", "on")]),
        ("TEXTBOX_LIST", vec![("textBoxListOptions", "Home\nWork")]),
        ("FILE_UPLOAD", vec![("acceptedFormat", ".pdf, png"), ("isMultipleFile", "on"), ("maxNumberOfFiles", "3")]),
        ("MONETORY", vec![("placeholder", MARKUP), ("options", "what does not belong to it is not looked at")]),
    ] {
        let name = format!("A {kind}");
        let base = [("name", name.as_str()), ("model", "contact"), ("dataType", kind)];
        assert_eq!(scene.said(new, &[&base[..], &more].concat()).await, format!("“{name}” is added."));
    }
    let all = scene.stored(&scene.of_location("/customFields"), "customFields").await;
    let of = |kind: &str| all.as_array().unwrap().iter().find(|field| field["dataType"] == kind).unwrap().clone();
    assert_eq!(of("SINGLE_OPTIONS")["picklistOptions"], json!(["Red", "Blue"]));
    let list = scene.get("/settings/custom-fields").await;
    for said in ["{{ contact.a_text }}", "One of a list", "Red, Blue", "Home, Work", "Amount of money"] {
        assert!(list.contains(said), "{said}: {list}");
    }
    for (fields, wanted) in [
        (vec![("model", "contact"), ("dataType", "TEXT")], "Enter a name."),
        (vec![("name", "x"), ("model", "contact"), ("dataType", "WISH")], "Kind must be one of those"),
        (vec![("name", "E-mail"), ("model", "contact"), ("dataType", "EMAIL")], "e_mail"),
        (vec![("name", "A text"), ("model", "contact"), ("dataType", "TEXT")], "with the key contact.a_text exists."),
        (vec![("name", "x"), ("model", "contact"), ("dataType", "RADIO"), ("options", "a\na")], "Options has"),
        (
            vec![("name", "x"), ("model", "contact"), ("dataType", "FILE_UPLOAD"), ("acceptedFormat", "?")],
            "Kinds of files must be endings",
        ),
    ] {
        if wanted == "e_mail" {
            // A name of its own, whatever it looks like: only `email` is taken.
            assert_eq!(scene.post(new, &fields).await.status, 303);
            continue;
        }
        scene.refused(new, &fields, wanted).await;
    }
    let colour = of("SINGLE_OPTIONS")["id"].as_str().unwrap().to_owned();
    let page = format!("/settings/custom-fields/{colour}");
    assert!(scene.get(&page).await.contains("Red\nBlue</textarea>"));
    let person = json!({"firstName": "Ada", "customFields": [{"id": colour, "value": "Red"}]});
    scene.app.post("/contacts/").key(&scene.key).json(&person).send().await.expect(201);
    scene.refused(&page, &[("name", "Colour"), ("options", "Blue")], "Options must keep ").await;
    assert_eq!(scene.said(&page, &[("name", "Colour"), ("options", "Blue\nRed")]).await, "“Colour” is saved.");
    assert!(scene.get(&format!("{page}/delete")).await.contains("In one contact something stands in it"));
    assert_eq!(scene.said(&format!("{page}/delete"), &[]).await, "“Colour” is deleted, with all that stood in it.");
    let text = of("TEXT")["id"].as_str().unwrap().to_owned();
    assert!(scene.get(&format!("/settings/custom-fields/{text}/delete")).await.contains("Nothing stands in it"));
}

#[tokio::test(flavor = "multi_thread")]
async fn custom_values_are_made_found_changed_and_deleted() {
    let scene = Scene::new().await;
    let (list, new) = ("/settings/custom-values", "/settings/custom-values/new");
    scene.refused(new, &[("name", ""), ("value", "")], "2 things need a look").await;
    assert_eq!(scene.said(new, &[("name", "Opening hours"), ("value", MARKUP)]).await, "“Opening hours” is added.");
    scene.refused(new, &[("name", "Opening  hours"), ("value", "x")], "with the key opening_hours exists.").await;
    assert_eq!(scene.said(new, &[("name", "Phone"), ("value", "+1 415")]).await, "“Phone” is added.");
    assert!(scene.get(list).await.contains("{{ custom_values.opening_hours }}"));
    let found = scene.get(&format!("{list}?q=HOURS")).await;
    assert!(found.contains("Opening hours") && !found.contains("<bdi>Phone</bdi>"));
    let page = scene.page_of(list, "<bdi>Phone</bdi>").await;
    assert_eq!(scene.said(&page, &[("name", "Telephone"), ("value", "+1 415 555")]).await, "“Telephone” is saved.");
    assert!(scene.get(&page).await.contains("{{ custom_values.phone }}"), "the key stays");
    assert!(scene.get(&format!("{page}/delete")).await.contains("nothing in its place"));
    assert_eq!(scene.said(&format!("{page}/delete"), &[]).await, "“Telephone” is deleted.");
    assert!(!scene.get(list).await.contains("Telephone"));
}

#[tokio::test(flavor = "multi_thread")]
async fn open_tasks_stand_by_when_they_are_due_and_are_done_and_undone() {
    let scene = Scene::new().await;
    let ada = contact(&scene.app, &scene.key, "Ada Lovelace").await;
    // It is noon of 25 November 2026.
    for (title, due, more) in [
        (MARKUP, "2026-11-25T08:00:00Z", json!({"completed": false})),
        ("Tonight", "2026-11-25T20:00:00Z", json!({"completed": false, "assignedTo": scene.app.ids.user.as_str()})),
        ("Soon", "2026-11-28T08:00:00Z", json!({"completed": false})),
        ("Some day", "2027-03-01T08:00:00Z", json!({"completed": false})),
        ("Long done", "2026-11-01T08:00:00Z", json!({"completed": true})),
    ] {
        let mut task = json!({"title": title, "dueDate": due});
        task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        scene.app.post(&format!("/contacts/{ada}/tasks")).key(&scene.key).json(&task).send().await.expect(201);
    }
    let list = scene.get("/tasks").await;
    let places: Vec<usize> = [
        "Late</h2>",
        "4 hours late",
        "Today</h2>",
        "Tonight",
        "In the next seven days</h2>",
        "Soon",
        "Later</h2>",
        "Some day",
    ]
    .iter()
    .map(|said| list.find(said).unwrap_or_else(|| panic!("{said}: {list}")))
    .collect();
    assert!(places.is_sorted() && !list.contains("Long done") && list.contains("Ada Lovelace"), "{places:?}");
    let mine = scene.get(&format!("/tasks?owner={}", scene.app.ids.user)).await;
    assert!(mine.contains("Tonight") && !mine.contains("Soon"));
    assert!(
        scene.get("/tasks?q=SOON").await.contains("Soon")
            && scene.get("/tasks?q=xyzzy").await.contains("No open task is like that.")
    );
    let done = mine.split("action=\"").find(|rest| rest.contains("/finish\"")).unwrap().split('"').next().unwrap();
    // From the list it leads back there, as it was looked at.
    let from = format!("http://localhost{}?owner=x", scene.url("/tasks"));
    let send = async || {
        let call = from_here(scene.app.post(done)).header("Cookie", &scene.cookie).header("Referer", &from);
        let answer = call.form(&[]).send().await;
        assert_eq!(answer.header("location"), format!("{}?owner=x", scene.url("/tasks")));
    };
    send().await;
    assert!(!scene.get("/tasks").await.contains("Tonight"));
    send().await;
    assert!(scene.get("/tasks").await.contains("Tonight"), "said again it is open again");
}
