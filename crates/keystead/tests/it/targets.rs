//! One thing of each noun, for tests that try every route: what a route is called with so that it has something to do.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use keystead_api::{Access, Face, Route};
use keystead_core::{NewAccount, NoticeFilter};
use keystead_model::{
    LocationId, UserId,
    api_key::KeyName,
    grant::Reach,
    key_kind::KeyKind,
    location::LocationPatch,
    notice::NoticeSubject,
    page::Window,
    scope::Preset,
    text::{EmailAddress, Line},
    user::Role,
};
use keystead_testkit::{Answer, Call, TestApp, TestKey};
use serde_json::{Value, json};

use crate::{callers::new_account, things::Sales};

/// What a route is tried with, besides the ids in its path: its query, and its body.
fn sample(route: &Route, target: &Target) -> (&'static str, Option<Value>) {
    let query = match route.endpoint {
        "GET /webhooks/samples" => "event=contact.created",
        "GET /contacts/search/duplicate" | "GET /v1/contacts/lookup" | "GET /v1/locations/lookup" => {
            "email=canary4711%40example.com"
        }
        "GET /v1/users/lookup" => "email=admin%40northwind.example",
        "GET /locations/{locationId}/templates" => "originId=x",
        _ => "",
    };
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let mut body = route.sample_body();
    if let Some(body) = body.as_mut().and_then(Value::as_object_mut) {
        // What may be there only once is another each time; a location stays the one that is looked for by its address.
        let is_location = route.path.contains("/locations");
        // Nor is it told what somebody signs in with, who exists.
        let is_user = route.path.ends_with("/{userId}");
        body.retain(|name, _| {
            !(name.starts_with("additional")
                || is_location && ["email", "prospectInfo"].contains(&name.as_str())
                || is_user && ["email", "password"].contains(&name.as_str()))
        });
        for (name, value) in body {
            match name.as_str() {
                "locationId" => *value = json!(target.location),
                "locationIds" => *value = json!([target.location]),
                "pipelineId" => *value = json!(target.sales.pipeline),
                "pipelineStageId" | "stageId" => *value = json!(target.sales.stage),
                "contactId" => *value = json!(target.contact),
                "email" => *value = json!(format!("sample{number}@example.com")),
                "phone" => *value = json!(format!("+1415{:07}", 5_550_000 + number)),
                "name" => *value = json!(format!("Sample {number}")),
                // Another each time: the same one would be there already.
                "url" => *value = json!(format!("https://hooks.example.com/{number}")),
                "expiresAt" => *value = json!("9999-12-31"),
                // What asks nothing is shown to nobody.
                "definition" if route.path.starts_with("/forms") => {
                    *value = json!({"pages": [{"fields": [{"key": "why"}]}]});
                }
                // What has come already makes its tasks by itself, while somebody looks at it.
                "rruleOptions" => {
                    value["startDate"] = json!("2030-01-01");
                    value["endDate"] = json!("2030-12-31");
                }
                _ => {}
            }
        }
    }
    (query, body)
}

/// One thing of each noun, in the location that is tried, with a mark that no stranger may ever see.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) location: String,
    pub(crate) company: String,
    pub(crate) contact: String,
    /// Another contact, that may become a part of the first.
    pub(crate) other: String,
    pub(crate) note: String,
    pub(crate) task: String,
    pub(crate) tag: String,
    pub(crate) custom_value: String,
    pub(crate) sales: Sales,
    pub(crate) business: String,
    pub(crate) automation: Vec<(&'static str, String)>,
    pub(crate) custom_field: String,
    pub(crate) file_field: String,
    pub(crate) file: String,
    /// To the form and to the survey.
    pub(crate) submissions: [String; 2],
    /// To the form, and waiting for review.
    pub(crate) held: [String; 2],
    /// A form, a submission to it, and a file that came with that.
    pub(crate) brought: [String; 3],
    /// The same of a survey.
    pub(crate) brought_to_survey: [String; 3],
    pub(crate) import: String,
    pub(crate) key: String,
    pub(crate) notice: String,
    pub(crate) user: String,
    /// Of an example to the webhook.
    pub(crate) delivery: String,
}

pub(crate) const CANARY: &str = "Canary-4711";

impl Target {
    /// All of them new, but the notice and its key.
    pub(crate) async fn renewed(&self, app: &TestApp, key: &TestKey) -> Self {
        let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
        let at = format!("/contacts/search/duplicate?locationId={}&email=canary4711%40example.com", self.location);
        let found = app.get(&at).key(key).send().await.expect(200);
        if found["contact"].is_object() {
            app.delete(&format!("/contacts/{}", id(&found["contact"]))).key(key).send().await.expect(200);
        }
        // Before anybody has them: what follows from that is written later, and nobody is to be changed by it.
        let tags = format!("/locations/{}/tags", self.location);
        for tag in app.get(&tags).key(key).send().await.expect(200)["tags"].as_array().unwrap() {
            app.delete(&format!("{tags}/{}", id(tag))).key(key).send().await.expect(200);
        }
        let new = json!({"firstName": CANARY, "email": "canary4711@example.com", "tags": ["x"]});
        let contact = id(&app.post("/contacts/").key(key).json(&new).send().await.expect(201)["contact"]);
        let other = id(
            &app.post("/contacts/").key(key).json(&json!({"firstName": CANARY})).send().await.expect(201)["contact"],
        );
        let notes = format!("/contacts/{contact}/notes");
        let note = id(&app.post(&notes).key(key).json(&json!({"body": CANARY})).send().await.expect(201)["note"]);
        let task = json!({"title": CANARY, "dueDate": "2026-12-01", "completed": false});
        let tasks = format!("/contacts/{contact}/tasks");
        let task = id(&app.post(&tasks).key(key).json(&task).send().await.expect(201)["task"]);
        let tag = id(&app.post(&tags).key(key).json(&json!({"name": CANARY})).send().await.expect(200)["tag"]);
        let values = format!("/locations/{}/customValues", self.location);
        for value in app.get(&values).key(key).send().await.expect(200)["customValues"].as_array().unwrap() {
            app.delete(&format!("{values}/{}", id(value))).key(key).send().await.expect(200);
        }
        let value = json!({"name": CANARY, "value": CANARY});
        let custom_value = id(&app.post(&values).key(key).json(&value).send().await.expect(201)["customValue"]);
        let business = json!({"name": CANARY, "locationId": self.location});
        let business = id(&app.post("/businesses/").key(key).json(&business).send().await.expect(201)["business"]);
        let fields = format!("/locations/{}/customFields", self.location);
        for field in app.get(&fields).key(key).send().await.expect(200)["customFields"].as_array().unwrap() {
            app.delete(&format!("{fields}/{}", id(field))).key(key).send().await.expect(200);
        }
        let field = json!({"name": CANARY, "dataType": "TEXT"});
        let custom_field = id(&app.post(&fields).key(key).json(&field).send().await.expect(201)["customField"]);
        let values = json!({"customFields": [{"id": custom_field, "field_value": CANARY}]});
        app.put(&format!("/contacts/{contact}")).key(key).json(&values).send().await.expect(200);
        let field = json!({"name": "File", "dataType": "FILE_UPLOAD"});
        let file_field = id(&app.post(&fields).key(key).json(&field).send().await.expect(201)["customField"]);
        let upload = app.post(&format!("{fields}/upload")).key(key);
        let upload = upload.multipart(&[("id", None, &contact), ("files", Some((CANARY, "text/plain")), CANARY)]);
        let file = upload.send().await.expect(200)["meta"][0]["url"].as_str().unwrap().to_owned();
        let file = file.rsplit('/').next().unwrap().to_owned();
        let sales = crate::things::Sales::new(app, key, CANARY, &contact).await;
        let automation = crate::things::automation(app, key, CANARY, &contact).await;
        let submissions = crate::things::submissions(app, key, &automation, CANARY).await;
        let held = crate::things::held(app, key, &automation).await;
        let brought = crate::things::brought(app, CANARY, &Value::Null).await;
        let brought_to_survey = crate::things::brought_to_survey(app, CANARY).await;
        let import = id(&crate::imports::import(app, key, CANARY).await);
        let (location, company, notice) = (self.location.clone(), self.company.clone(), self.notice.clone());
        let user = somebody(app).await.to_string();
        let (_, webhook) = automation.iter().find(|(name, _)| *name == "{webhookId}").unwrap();
        let example = app.post(&format!("/webhooks/{webhook}/test")).key(key);
        let example = example.json(&json!({"event": "contact.created"})).send().await.expect(201);
        let delivery = id(&example["delivery"]);
        let key = self.key.clone();
        Self {
            location,
            company,
            contact,
            other,
            note,
            task,
            tag,
            custom_value,
            sales,
            business,
            automation,
            custom_field,
            file_field,
            file,
            submissions,
            held,
            brought,
            brought_to_survey,
            import,
            key,
            notice,
            user,
            delivery,
        }
    }

    /// The address of a route with these things in it, each of the noun that the route is about.
    pub(crate) fn address(&self, route: &Route, query: &str) -> String {
        let id = match route.path.split('/').nth(1) {
            Some("notifications") => &self.notice,
            Some("api-keys") => &self.key,
            Some("contacts") => &self.note,
            _ if route.path.contains("/customValues/") => &self.custom_value,
            _ if route.path.contains("/customFields/") => &self.custom_field,
            _ => "",
        };
        let parameters = [
            ("{locationId}", self.location.as_str()),
            ("{contactId}", &self.contact),
            ("{noteId}", &self.note),
            ("{taskId}", &self.task),
            ("{tagId}", &self.tag),
            ("{customValueId}", &self.custom_value),
            // What API 2.0 names in a path is the pipeline itself, which may be deleted.
            ("{pipelineId}", if route.face == Face::V2 { &self.sales.empty_pipeline } else { &self.sales.pipeline }),
            ("{lostReasonId}", &self.sales.lost_reason),
            ("{opportunityId}", &self.sales.opportunity),
            ("{businessId}", &self.business),
            ("{companyId}", &self.company),
            ("{type}", "add"),
            ("{version}", "1"),
            ("{customFieldId}", &self.custom_field),
            ("{secret}", &self.file),
            ("{userId}", &self.user),
            ("{importId}", &self.import),
            ("{deliveryId}", &self.delivery),
            ("{id}", id),
        ];
        let path = match route.path.contains("{fileId}") {
            true => {
                let (form, brought) = match route.path.starts_with("/surveys") {
                    true => ("{surveyId}", &self.brought_to_survey),
                    false => ("{formId}", &self.brought),
                };
                let names = [form, "{submissionId}", "{fileId}"].into_iter().zip(brought);
                names.fold(route.path.to_owned(), |path, (name, id)| path.replace(name, id))
            }
            false => route.path.to_owned(),
        };
        let path = parameters.iter().fold(path, |path, (name, value)| path.replace(name, value));
        let path = self.automation.iter().fold(path, |path, (name, value)| path.replace(name, value));
        let submission = match path.rsplit('/').next() {
            Some("accept") => &self.held[0],
            Some("discard") => &self.held[1],
            _ if path.starts_with("/surveys") => &self.submissions[1],
            _ => &self.submissions[0],
        };
        let path = path.replace("{submissionId}", submission);
        assert!(!path.contains(['{', '}']) && !path.contains("//"), "{path} has a parameter that nothing fills");
        // What acts in a location names it, so that nobody acts in one of their own instead.
        let named = match (route.face, route.access()) {
            (Face::V2, Access::Location) if !route.path.contains("{locationId}") => {
                format!("locationId={}", self.location)
            }
            _ => String::new(),
        };
        let query: Vec<&str> = [named.as_str(), query].into_iter().filter(|part| !part.is_empty()).collect();
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }

    /// The ids of all of them, each by what paths, queries and bodies call it, in the same order for each target.
    pub(crate) fn ids(&self) -> Vec<(&'static str, &str)> {
        let own = [
            ("locationId", &self.location),
            ("contactId", &self.contact),
            ("from", &self.other),
            ("noteId", &self.note),
            ("taskId", &self.task),
            ("tagId", &self.tag),
            ("customValueId", &self.custom_value),
            ("pipelineId", &self.sales.pipeline),
            ("pipelineStageId", &self.sales.stage),
            ("emptyPipelineId", &self.sales.empty_pipeline),
            ("lostReasonId", &self.sales.lost_reason),
            ("opportunityId", &self.sales.opportunity),
            ("businessId", &self.business),
            ("companyId", &self.company),
            ("customFieldId", &self.custom_field),
            ("fileFieldId", &self.file_field),
            ("secret", &self.file),
            ("formSubmissionId", &self.submissions[0]),
            ("surveySubmissionId", &self.submissions[1]),
            ("formIdOfFile", &self.brought[0]),
            ("submissionIdOfFile", &self.brought[1]),
            ("fileId", &self.brought[2]),
            ("surveyIdOfFile", &self.brought_to_survey[0]),
            ("surveySubmissionIdOfFile", &self.brought_to_survey[1]),
            ("surveyFileId", &self.brought_to_survey[2]),
            ("heldToAccept", &self.held[0]),
            ("heldToDiscard", &self.held[1]),
            ("importId", &self.import),
            ("keyId", &self.key),
            ("noticeId", &self.notice),
            ("userId", &self.user),
            ("deliveryId", &self.delivery),
        ];
        let automation = self.automation.iter().map(|(name, id)| (name.trim_matches(['{', '}']), id.as_str()));
        own.into_iter().map(|(name, id)| (name, id.as_str())).chain(automation).collect()
    }

    /// A body that a route takes, about these things.
    pub(crate) fn body(&self, route: &Route) -> Option<Value> {
        let mut body = sample(route, self).1?;
        let named = [
            ("from", json!(self.other)),
            ("businessId", json!(self.business)),
            // Whom something is for must be there.
            ("contactIds", json!([self.contact])),
        ];
        for (name, id) in named {
            if let Some(named) = body.get_mut(name) {
                *named = id;
            }
        }
        Some(body)
    }

    /// A call of a route with these things, of nobody yet.
    pub(crate) fn call(&self, app: &TestApp, route: &Route) -> Call {
        let (query, _) = sample(route, self);
        let contact = format!("contactId={}", self.contact);
        let query = if route.path == "/forms/upload-custom-files" { &contact } else { query };
        let call = app.call(route.method.clone(), &self.address(route, query));
        if route.file_bytes().is_some() && !route.takes_json() {
            let (file, part) = (Some(("a.txt", "text/plain")), format!("{}_x", self.file_field));
            return match route.path {
                "/imports" => call.multipart(&[("file", Some((CANARY, "text/csv")), crate::imports::PERSON)]),
                "/forms/upload-custom-files" => call.multipart(&[(&part, file, "bytes")]),
                _ => call.multipart(&[("id", None, &self.contact), ("files", file, "bytes")]),
            };
        }
        self.body(route).iter().fold(call, Call::json)
    }

    pub(crate) async fn send(&self, app: &TestApp, route: &Route, key: Option<&TestKey>) -> Answer {
        let call = self.call(app, route);
        let call = key.into_iter().fold(call, Call::key);
        call.send().await
    }

    /// All that these things are, as their owner sees it.
    pub(crate) async fn seen(&self, app: &TestApp, key: &TestKey) -> Vec<Value> {
        let (contact, tags) = (format!("/contacts/{}", self.contact), format!("/locations/{}/tags", self.location));
        let paths = [
            format!("/locations/{}", self.location),
            contact.clone(),
            format!("{contact}/notes"),
            format!("{contact}/tasks"),
            tags,
            format!("/locations/{}/customFields", self.location),
            format!("/api-keys/{}", self.key),
            format!("/notifications/{}", self.notice),
            "/contacts/".to_owned(),
            format!("/opportunities/{}", self.sales.opportunity),
            "/opportunities/pipelines".to_owned(),
            "/opportunities/lost-reason".to_owned(),
            "/workflows/".to_owned(),
            "/campaigns/".to_owned(),
            "/links/".to_owned(),
            format!("/imports/{}", self.import),
            "/forms/".to_owned(),
            "/forms/submissions".to_owned(),
            "/surveys/".to_owned(),
            "/surveys/submissions".to_owned(),
            format!("/locations/{0}/templates?originId={0}", self.location),
            format!("/locations/{}/recurring-tasks", self.location),
        ];
        let mut seen = Vec::new();
        for path in paths {
            let mut found = app.get(&path).key(key).send().await.expect(200);
            found.as_object_mut().unwrap().remove("traceId");
            seen.push(found);
        }
        seen
    }
}

/// A member of the location, whose name nobody else may see.
async fn somebody(app: &TestApp) -> UserId {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let new = NewAccount {
        email: EmailAddress::parse(&format!("canary4711-{number}@example.com")).unwrap(),
        first_name: Some(Line::parse(CANARY).unwrap()),
        locations: [app.ids.location].into(),
        role: Role::AccountUser,
        ..new_account()
    };
    app.app.create_user(app.operator().await.authority(), new).await.unwrap().id
}

impl Target {
    /// With things in the state that a route begins from.
    pub(crate) async fn begun_for(mut self, app: &TestApp, key: &TestKey, route: &Route) -> Self {
        if route.path.starts_with("/api-keys/{id}/") {
            self.key = key_for(app, route.endpoint).await.id.to_string();
        }
        if let Some(location) = location_for(app, route.endpoint).await {
            self.location = location.to_string();
        }
        if route.path.starts_with("/contacts/trash/") {
            app.delete(&format!("/contacts/{}", self.contact)).key(key).send().await.expect(200);
        }
        if ["/rotate-secret", "/rotate-token"].iter().any(|end| route.path.ends_with(end)) {
            // Within the overlap of a call before there is no third secret.
            let named = self.automation.iter().fold(route.path.to_owned(), |path, (name, id)| path.replace(name, id));
            app.post(&named).key(key).json(&json!({"overlap": "PT0S"})).send().await.expect(200);
        }
        self
    }
}

pub(crate) async fn target(app: &TestApp, key: &TestKey) -> Target {
    let named = app
        .key_with(Reach::location(app.ids.location), Preset::ReadOnly.scopes(KeyKind::Location), |new| {
            new.name = KeyName::parse(CANARY).unwrap();
        })
        .await;
    // Told about, so that there is a notice to reach for.
    app.let_days_pass(75.05).await;
    app.app.sweep().await.unwrap();
    let filter = NoticeFilter { subject: Some(NoticeSubject::Key(named.id)), ..NoticeFilter::default() };
    let told = app.app.list_notices(app.operator().await.authority(), filter, Window::first(1)).await.unwrap().rows;
    let email = EmailAddress::parse("canary4711@example.com").unwrap();
    // A sample's opportunity is one more of the same contact.
    let allow_duplicate_opportunity = Some(true);
    let named_location =
        LocationPatch { email: Some(Some(email)), allow_duplicate_opportunity, ..LocationPatch::default() };
    app.app.update_location(&app.operator().await, app.ids.location, named_location).await.unwrap();
    let target = Target {
        location: app.ids.location.to_string(),
        company: app.ids.agency.to_string(),
        contact: String::new(),
        other: String::new(),
        note: String::new(),
        task: String::new(),
        tag: String::new(),
        custom_value: String::new(),
        sales: Sales::default(),
        business: String::new(),
        automation: Vec::new(),
        custom_field: String::new(),
        file_field: String::new(),
        file: String::new(),
        submissions: [String::new(), String::new()],
        held: [String::new(), String::new()],
        brought: Default::default(),
        brought_to_survey: Default::default(),
        import: String::new(),
        key: named.id.to_string(),
        notice: told[0].id.to_string(),
        user: String::new(),
        delivery: String::new(),
    };
    target.renewed(app, key).await
}

/// A key in the state that a route begins from.
async fn key_for(app: &TestApp, endpoint: &str) -> TestKey {
    let key = app.location_key().await;
    let operator = app.operator().await;
    let authority = operator.authority();
    match endpoint {
        "POST /api-keys/{id}/reactivate" => drop(app.app.deactivate_key(authority, key.id).await.unwrap()),
        "POST /api-keys/{id}/restore" => drop(app.app.delete_key(authority, key.id).await.unwrap()),
        "POST /api-keys/{id}/rotate/cancel" | "POST /api-keys/{id}/rotate/finish" => {
            // Only a secret that was used has an overlap.
            app.get("/api-keys/self").key(&key).send().await.expect(200);
            drop(app.app.rotate_key(authority, key.id, None, Duration::from_secs(3600)).await.unwrap());
        }
        // It keeps what was used.
        "POST /api-keys/{id}/reduce" => {
            app.get("/contacts/").key(&key).send().await.expect(200);
            app.app.flush_uses().await.unwrap();
        }
        _ => {}
    }
    key
}

/// Another location for a route that takes it away, or brings it back.
pub(crate) async fn location_for(app: &TestApp, endpoint: &str) -> Option<LocationId> {
    let is_restored = endpoint == "POST /locations/{locationId}/restore";
    let is_deleted = ["DELETE /locations/{locationId}", "DELETE /v1/locations/{locationId}"].contains(&endpoint);
    if !is_restored && !is_deleted {
        return None;
    }
    let location = app.location("Another").await;
    if is_restored {
        app.app.delete_location(&app.operator().await, location).await.unwrap();
    }
    Some(location)
}
