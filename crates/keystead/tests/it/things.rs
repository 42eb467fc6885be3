//! One of each thing that automates or is sold, for tests that try every route.

use keystead_core::{FormAddress, FormFile, NewFile, StrangersAnswers};
use keystead_model::{
    UtcMs,
    form::{AsForm, AsSurvey, Form, FormContent, NewSubmission, SubmissionFilter, SubmissionState},
    id::Id,
    json_object::JsonObject,
    page::Window,
};
use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

use crate::callers::{Caller, form, strangers_answers};

/// New ones in a location, each by the name that its id has in paths. All texts of theirs are `text`, and what is for a contact is
/// for this one.
pub(crate) async fn automation(app: &TestApp, key: &TestKey, text: &str, contact: &str) -> Vec<(&'static str, String)> {
    let at = app.ids.location.as_str();
    let daily = json!({"intervalType": "daily", "interval": 1, "startDate": "2030-01-01", "dueAfterSeconds": 600});
    let recurring = json!({"title": text, "contactIds": [contact], "rruleOptions": daily});
    let mut made = Vec::new();
    for (name, path, noun, new) in [
        ("{workflowId}", "/workflows/".to_owned(), "workflow", json!({"name": text, "definition": {"note": text}})),
        ("{campaignId}", "/campaigns/".to_owned(), "campaign", json!({"name": text})),
        ("{recurringTaskId}", format!("/locations/{at}/recurring-tasks"), "recurringTask", recurring),
        (
            "{formId}",
            "/forms/".to_owned(),
            "form",
            json!({"name": text, "definition": {"intro": text, "pages": [{"fields": [{"key": "why"}]}]}}),
        ),
        ("{surveyId}", "/surveys/".to_owned(), "survey", json!({"name": text})),
        (
            "{templateId}",
            format!("/locations/{at}/templates"),
            "template",
            json!({"name": text, "type": "email", "html": text}),
        ),
        ("{linkId}", "/links/".to_owned(), "link", json!({"name": text, "redirectTo": "https://example.com/"})),
    ] {
        let answer = app.post(&format!("{path}?locationId={at}")).key(key).json(&new).send().await.expect(201);
        made.push((name, id(&answer[noun])));
    }
    let (_, link) = made.last().unwrap();
    let (token, click) = clicked(app, key, link, contact).await;
    made.extend([("{tokenId}", token), ("{clickId}", click)]);
    let url = format!("https://hooks.example.com/{text}");
    let new = json!({"url": url, "events": ["*"], "description": text, "locationId": at});
    // Where one leads there already it is that.
    made.push(("{webhookId}", id(&app.post("/webhooks").key(key).json(&new).send().await.json()["webhook"])));
    let (inbound, payload) = received(app, key, json!({"name": text}), json!({"note": text})).await;
    made.extend([("{inboundWebhookId}", inbound), ("{payloadId}", payload)]);
    made
}

/// A new inbound webhook, and what came in by it: their ids.
pub(crate) async fn received(app: &TestApp, key: &TestKey, new: Value, payload: Value) -> (String, String) {
    let at = format!("locationId={}", app.ids.location);
    let made = app.post(&format!("/inbound-webhooks?{at}")).key(key).json(&new).send().await.expect(201);
    let (webhook, url) = (id(&made["inboundWebhook"]), made["url"].as_str().unwrap());
    app.post(&url[url.find("/hooks/").unwrap()..]).json(&payload).send().await.expect(202);
    let payloads = app.get(&format!("/inbound-webhooks/{webhook}/payloads?{at}")).key(key).send().await.expect(200);
    (webhook, id(&payloads["payloads"][0]))
}

/// A link of a contact's own, and the click of whoever opened it: their ids.
pub(crate) async fn clicked(app: &TestApp, key: &TestKey, link: &str, contact: &str) -> (String, String) {
    let at = format!("locationId={}", app.ids.location);
    let mint = app.post(&format!("/links/{link}/tokens?{at}")).key(key).json(&json!({"contactId": contact}));
    let minted = mint.send().await.expect(201);
    let url = minted["url"].as_str().unwrap();
    let path = url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap();
    assert_eq!(app.get(path).send().await.status, 302, "{path}");
    let clicks = app.get(&format!("/links/{link}/clicks?{at}")).key(key).send().await.expect(200);
    (id(&minted["token"]), id(&clicks["clicks"][0]))
}

/// What was submitted to the form and to the survey among them; of nobody.
pub(crate) async fn submissions(
    app: &TestApp,
    key: &TestKey,
    automation: &[(&'static str, String)],
    text: &str,
) -> [String; 2] {
    let mut made = Vec::new();
    for (path, name) in [("/forms", "{formId}"), ("/surveys", "{surveyId}")] {
        let (_, form) = automation.iter().find(|(known, _)| *known == name).unwrap();
        let path = format!("{path}/{form}/submissions?locationId={}", app.ids.location);
        let answer = app.post(&path).key(key).json(&json!({"answers": {"why": text}})).send().await.expect(201);
        made.push(id(&answer["submission"]));
    }
    made.try_into().unwrap()
}

/// What strangers sent to the form among them, which is published then; each waits for review.
pub(crate) async fn held(app: &TestApp, key: &TestKey, automation: &[(&'static str, String)]) -> [String; 2] {
    let (_, form) = automation.iter().find(|(known, _)| *known == "{formId}").unwrap();
    let path = format!("/forms/{form}/publish?locationId={}", app.ids.location);
    app.post(&path).key(key).json(&json!({})).send().await.expect(200);
    let id = Id::parse(form).unwrap();
    let open = app.app.open_form(FormAddress::Id(id)).await.unwrap();
    for why in ["one", "other"] {
        let mut answers = strangers_answers(&app.app, id, true);
        answers.answers = [("why".to_owned(), json!(why))].into_iter().collect();
        app.app.answer_form(&open, answers).await.unwrap();
    }
    let context = Caller::new(app, app.admin().await).await.location;
    let (from, until) = (UtcMs(0), UtcMs(i64::MAX));
    let filter = SubmissionFilter { state: SubmissionState::Held, form: Some(id), part: None, from, until };
    let held = app.app.list_submissions::<AsForm>(&context, filter, Window::first(2)).await.unwrap();
    held.page.rows.iter().map(|submission| submission.id.to_string()).collect::<Vec<_>>().try_into().unwrap()
}

/// A file that came with a submission of a stranger: the ids of the form, which also asks for an e-mail address, of the submission, and
/// its own. What it is called and what is in it is `text`; with an address it is of the contact who has that.
pub(crate) async fn brought(app: &TestApp, text: &'static str, email: &Value) -> [String; 3] {
    let context = Caller::new(app, app.admin().await).await.location;
    let form: Form<AsForm> = app.app.create(&context, (), with_a_file()).await.unwrap();
    // Of a location that is suspended nobody sees a form.
    let open = app.app.preview_form(&context, form.id).await.unwrap();
    app.app.publish_form(&context, form.id).await.unwrap();
    let files = vec![file(text)];
    let answers = [("email".to_owned(), email.clone())].into_iter().collect();
    let answers = StrangersAnswers { answers, files, ..strangers_answers(&app.app, form.id, false) };
    app.app.answer_form(&open, answers).await.unwrap();
    let filter = SubmissionFilter {
        state: SubmissionState::Taken,
        form: Some(form.id),
        part: None,
        from: UtcMs(0),
        until: UtcMs(i64::MAX),
    };
    let listed = app.app.list_submissions::<AsForm>(&context, filter, Window::first(1)).await.unwrap();
    let submission = listed.page.rows[0].id;
    let file = app.app.files_of_submission(&context, form.id, submission).await.unwrap()[0].id;
    [form.id.to_string(), submission.to_string(), file.to_string()]
}

/// The same of a submission to a survey that somebody brought who has a key.
pub(crate) async fn brought_to_survey(app: &TestApp, text: &'static str) -> [String; 3] {
    let context = Caller::new(app, app.admin().await).await.location;
    let survey: Form<AsSurvey> = app.app.create(&context, (), with_a_file()).await.unwrap();
    let new = NewSubmission { answers: JsonObject::empty(), key: None };
    let submission = app.app.submit(&context, survey.id, new, vec![file(text)]).await.unwrap();
    let files = app.app.files_of_submission(&context, survey.id, submission.id).await.unwrap();
    [survey.id.to_string(), submission.id.to_string(), files[0].id.to_string()]
}

/// What asks for an e-mail address and a file.
fn with_a_file() -> FormContent {
    let definition = json!({"pages": [{"fields": [
        {"key": "email", "mapsTo": "contact.email"}, {"key": "file", "type": "file"},
    ]}]});
    FormContent { definition: JsonObject::from_stored(definition.to_string()), ..form("With a file") }
}

fn file(text: &'static str) -> FormFile {
    let (name, size) = (Some(text.to_owned()), text.len() as u64);
    let new = NewFile { part: "file".to_owned(), name, kind: None, size, bytes: Box::new(text.as_bytes()) };
    FormFile { key: "file".to_owned(), sha256: [0; 32], new }
}

/// A location's first pipeline with an opportunity in it, and what may be deleted.
#[derive(Clone, Default)]
pub(crate) struct Sales {
    pub(crate) pipeline: String,
    pub(crate) stage: String,
    pub(crate) empty_pipeline: String,
    pub(crate) lost_reason: String,
    pub(crate) opportunity: String,
}

impl Sales {
    /// A new opportunity of a contact. All texts of theirs are `text`.
    pub(crate) async fn new(app: &TestApp, key: &TestKey, text: &str, contact: &str) -> Self {
        let at = format!("locationId={}", app.ids.location);
        let make = async |path: &str, noun: &str, new: Value| {
            id(&app.post(&format!("/opportunities/{path}?{at}")).key(key).json(&new).send().await.expect(201)[noun])
        };
        let all =
            app.get(&format!("/opportunities/pipelines?{at}")).key(key).send().await.expect(200)["pipelines"].clone();
        let empty = all.as_array().unwrap().iter().find(|pipeline| pipeline["name"] == text);
        let empty_pipeline = match empty {
            Some(empty) => id(empty),
            None => make("pipelines", "pipeline", json!({"name": text, "stages": [{"name": text}]})).await,
        };
        let first = all.as_array().unwrap().iter().find(|pipeline| pipeline["name"] != text).unwrap();
        let new = json!({"name": text, "pipelineId": first["id"], "contactId": contact, "status": "open"});
        Self {
            pipeline: id(first),
            stage: id(&first["stages"][0]),
            empty_pipeline,
            lost_reason: make("lost-reason", "lostReason", json!({"name": text})).await,
            opportunity: make("", "opportunity", new).await,
        }
    }
}

fn id(thing: &Value) -> String {
    thing["id"].as_str().unwrap().to_owned()
}

/// One of each thing that belongs to a contact.
pub(crate) async fn belongings(app: &TestApp, key: &TestKey, contact: &str) {
    // Told of all that follows.
    let made = automation(app, key, "x", contact).await;
    let task = json!({"title": "x", "dueDate": "2026-12-01", "completed": false});
    for (path, body) in [("notes", json!({"body": "x"})), ("tasks", task)] {
        app.post(&format!("/contacts/{contact}/{path}")).key(key).json(&body).send().await.expect(201);
    }
    let of = |wanted: &str| made.iter().find(|(name, _)| *name == wanted).unwrap().1.clone();
    // A person's, which starts something.
    let path = format!("/links/{}/clicks/{}/classify", of("{linkId}"), of("{clickId}"));
    app.post(&path).key(key).json(&json!({"verdict": "human", "fire": true})).send().await.expect(200);
    let known = app.get(&format!("/contacts/{contact}")).key(key).send().await.expect(200)["contact"]["email"].clone();
    let shop = json!({"name": "x", "contact": {"email": "{{payload.email}}"}});
    received(app, key, shop, json!({"email": known})).await;
    brought(app, "x", &known).await;
    let campaign = app.post("/campaigns/").key(key).json(&json!({"name": "x"})).send().await.expect(201);
    let path = format!("/contacts/{contact}/campaigns/{}", id(&campaign["campaign"]));
    app.post(&path).key(key).json(&json!({})).send().await.expect(201);
    let Sales { opportunity, .. } = Sales::new(app, key, contact, contact).await;
    // What both have in custom fields: a file, so that all that this brings is there.
    let file = Some(("a.txt", "text/plain"));
    let part = format!("{}_1", file_field(app, key, "contact").await);
    let upload = app.post("/forms/upload-custom-files").key(key).query(&[("contactId", contact)]);
    upload.multipart(&[(&part, file, "bytes")]).send().await.expect(200);
    let upload = app.post(&format!("/locations/{}/customFields/upload", app.ids.location)).key(key);
    let sent = upload.multipart(&[("id", None, &*opportunity), ("files", file, "bytes")]).send().await.expect(200);
    let field = file_field(app, key, "opportunity").await;
    let body = json!({"customFields": [{"id": field, "field_value": sent["meta"][0]["url"]}]});
    app.put(&format!("/opportunities/{opportunity}")).key(key).json(&body).send().await.expect(200);
    tried(app).await;
}

/// Notes a try of each message to a webhook, whatever comes of its own.
pub(crate) async fn tried(app: &TestApp) {
    let tries = "INSERT INTO webhook_attempts (delivery_id, location_id, number, at, duration_ms)
        SELECT id, location_id, 1000, 0, 0 FROM webhook_deliveries WHERE TRUE ON CONFLICT DO NOTHING";
    app.sql(tries).await;
}

/// The field of a location for files of this model.
async fn file_field(app: &TestApp, key: &TestKey, model: &str) -> String {
    let fields = format!("/locations/{}/customFields?model={model}", app.ids.location);
    let known = app.get(&fields).key(key).send().await.expect(200);
    let is_it = |field: &&Value| field["name"] == "Contract";
    if let Some(field) = known["customFields"].as_array().unwrap().iter().find(is_it) {
        return id(field);
    }
    let field = json!({"name": "Contract", "dataType": "FILE_UPLOAD", "model": model});
    let fields = format!("/locations/{}/customFields", app.ids.location);
    id(&app.post(&fields).key(key).json(&field).send().await.expect(201)["customField"])
}
