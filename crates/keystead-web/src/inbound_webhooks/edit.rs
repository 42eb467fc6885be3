//! The form that says what an inbound webhook is for, and what of a payload makes a contact.

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Error, LocationContext};
use keystead_model::{
    Invalid, WorkflowId,
    custom_field::CustomField,
    form_answers,
    inbound_webhook::{ContactMapping, InboundPatch, InboundWebhook, paths_of},
    page::Window,
    scope::Scope,
    text::Line,
    uuid::Uuid,
    workflow::WorkflowHead,
};
use serde_json::{Map, Value};

use super::{PATH, SECTION, called, custom_fields, may_map, url, wanted};
use crate::{
    Web,
    ask::Ask,
    failure::Failure,
    flash::{Done, lead},
    form::{Choice, Edit, Field, Fields, Form, Kind},
    page::{Frame, render},
    place::Here,
};

/// What stands before a field of a contact.
const OF_CONTACT: &str = "contact.";
const TAGS: &str = "tags";
/// Values of the last payload that are suggested.
const SUGGESTED: usize = 100;

/// What the form is drawn with besides the webhook itself.
struct Around {
    workflows: Vec<WorkflowHead>,
    custom: Vec<CustomField>,
    /// What is mapped now.
    mapped: Vec<String>,
    /// What the last payload has, and how that is written.
    paths: Vec<(String, String)>,
    /// Whether something has come in, which not everybody may read.
    has_payload: bool,
    /// Whether the custom fields are all that there are.
    sees_custom: bool,
}

impl Around {
    async fn of(web: &Web, here: &Here, context: &LocationContext, webhook: &InboundWebhook) -> Result<Self, Error> {
        let grant = here.authority().grant();
        let workflows = match grant.allows(Scope::WorkflowsRead) {
            true => web.app.list_workflows(context, Window::all()).await?.rows,
            false => Vec::new(),
        };
        let custom = custom_fields(web, here, context).await?;
        let last = web.app.list_inbound_payloads(context, webhook.id, Window::first(1)).await?.rows.pop();
        let has_payload = last.is_some();
        let fields: Option<Map<String, Value>> = last.and_then(|last| serde_json::from_str(&last.body).ok());
        let paths = fields.map(|fields| paths_of(&fields, SUGGESTED)).unwrap_or_default();
        let mapped = webhook.content.contact.as_ref().map(ContactMapping::fields).unwrap_or_default();
        let mapped = mapped.into_iter().map(|(target, _)| target).collect();
        let sees_custom = grant.allows(Scope::CustomFieldsRead);
        Ok(Self { workflows, custom, mapped, paths, has_payload, sees_custom })
    }

    /// The fields of a contact, as the mapping names them, with what people call them. What is mapped and not among them is shown,
    /// too: saved without it, it would be gone and nobody told.
    fn targets(&self) -> Vec<(String, String)> {
        let custom = self.custom.iter().filter(|field| !field.data_type.is_file());
        let custom = custom.map(|field| format!("customFields.{}", field.id));
        let mut targets: Vec<String> =
            ContactMapping::FIELDS.iter().map(|name| (*name).to_owned()).chain(custom).collect();
        let others = self.mapped.iter().filter(|mapped| !targets.contains(mapped)).cloned();
        let others: Vec<String> = others.collect();
        targets.extend(others);
        let called = |target: String| (called(&target, &self.custom), target);
        targets.into_iter().map(called).map(|(called, target)| (target, called)).collect()
    }

    fn fields(&self, here: &Here) -> Vec<Field> {
        let none = Choice::new("", "None");
        let workflow = |head: &WorkflowHead| Choice::new(head.uuid.as_str(), head.name.as_str());
        let mut fields = vec![
            Field::line("name", "Name").needed("Enter a name").with("maxlength=200"),
            Field::new(Kind::Select, "workflowId", "Workflow")
                .of(std::iter::once(none).chain(self.workflows.iter().map(workflow))),
        ];
        if may_map(here) {
            fields.extend(self.targets().into_iter().map(|(name, called)| self.field(&name, called)));
            fields.extend(Field::confirmation(here));
        }
        fields
    }

    fn field(&self, target: &str, called: String) -> Field {
        let name = format!("{OF_CONTACT}{target}");
        if target == TAGS {
            let tags = Field::new(Kind::Lines(3), name, called).with("spellcheck=false");
            return tags
                .hint("One a line, such as from {{payload.source}}. They are added to those that a contact has.");
        }
        let suggested = self.paths.iter().map(|(path, value)| Choice::new(path.as_str(), value.as_str()));
        let field =
            Field::new(Kind::Suggest, name, called).of(suggested).with("maxlength=2000 spellcheck=false").half();
        let is_gone = target.starts_with("customFields.") && form_answers::custom(target, &self.custom).is_none();
        match is_gone && self.sees_custom {
            true => field.hint("This custom field is not there any more. Empty this line before you change another."),
            false => field,
        }
    }

    /// What of a payload makes a contact, as the form says. Nothing in it is no mapping.
    fn read(&self, form: &mut Form) -> Option<Option<ContactMapping>> {
        let mut fields = Map::new();
        for (target, _) in self.targets() {
            let Some(text) = form.text(&format!("{OF_CONTACT}{target}")) else { continue };
            let value = match target == TAGS {
                true => text.lines().map(str::trim).filter(|line| !line.is_empty()).map(Value::from).collect(),
                false => Value::from(text.trim()),
            };
            fields.insert(target, value);
        }
        if fields.is_empty() {
            return Some(None);
        }
        match ContactMapping::parse(fields) {
            Ok(mapping) => Some(Some(mapping)),
            Err(wrong) => {
                for (field, Invalid(problem)) in wrong {
                    form.violate(&format!("{OF_CONTACT}{field}"), &problem);
                }
                None
            }
        }
    }

    fn form_of(&self, here: &Here, webhook: &InboundWebhook) -> Form {
        let content = &webhook.content;
        let mut pairs = vec![("name".to_owned(), content.name.to_string())];
        pairs.extend(content.workflow.map(|id| ("workflowId".to_owned(), Uuid::of(id).to_string())));
        let mapped = content.contact.as_ref().map(ContactMapping::fields).unwrap_or_default();
        pairs.extend(mapped.into_iter().map(|(target, template)| {
            let text = match template {
                Value::Array(several) => several.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"),
                one => one.as_str().unwrap_or_default().to_owned(),
            };
            (format!("{OF_CONTACT}{target}"), text)
        }));
        let pairs = pairs.iter().map(|(name, text)| (name.as_str(), text.clone()));
        Form::filled(self.fields(here), pairs).opened_on(webhook)
    }
}

#[derive(Template)]
#[template(path = "inbound_webhooks/form.html")]
struct Editor {
    frame: Frame,
    name: String,
    form: Form,
    paths: Vec<(String, String)>,
    has_payload: bool,
    may_map: bool,
    url: String,
}

fn editor(here: &Here, webhook: &InboundWebhook, around: Around, form: Form) -> Editor {
    let name = webhook.content.name.to_string();
    let frame = Frame::of(here, &name, SECTION);
    let Around { paths, has_payload, .. } = around;
    Editor { frame, name, form, paths, has_payload, may_map: may_map(here), url: url(here, webhook.id) }
}

pub(crate) async fn edit(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    here.authority().require(Scope::WebhooksWrite)?;
    let (context, webhook) = wanted(&web, &here).await?;
    let around = Around::of(&web, &here, &context, &webhook).await?;
    let form = around.form_of(&here, &webhook);
    Ok(render(&editor(&here, &webhook, around, form)))
}

fn workflow(text: &str) -> Result<WorkflowId, Invalid> {
    Uuid::parse_id(text).ok_or_else(|| Invalid::new("is none of the workflows"))
}

pub(crate) async fn update(State(web): State<Web>, mut here: Here, sent: Fields) -> Result<Response, Failure> {
    here.authority().require(Scope::WebhooksWrite)?;
    let (context, webhook) = wanted(&web, &here).await?;
    let around = Around::of(&web, &here, &context, &webhook).await?;
    let mut form = Form::new(around.fields(&here), sent);
    let (name, workflow) = (form.read("name", Line::parse), form.read("workflowId", workflow));
    let mapping = if may_map(&here) { around.read(&mut form) } else { None };
    if may_map(&here) {
        form.confirm(&web, &mut here).await?;
    }
    let careful = here.enter(&web).await?.with_seen(form.seen::<InboundWebhook>());
    let update = async |name| {
        let patch = InboundPatch { name: Some(name), workflow: Some(workflow), contact: mapping };
        web.app.update::<InboundWebhook>(&careful, (), webhook.id, patch).await
    };
    match form.edit_with(name, update).await? {
        Edit::Saved(saved) => {
            return Ok(lead(&web, &url(&here, saved.id), Done::InboundSaved, saved.content.name.as_str()));
        }
        Edit::Overtaken => form.overtaken("incoming webhook", &webhook, &around.form_of(&here, &webhook)),
        Edit::Wrong => {}
    }
    let page = editor(&here, &webhook, around, form);
    Ok(page.form.again(&page))
}

fn question(here: &Here, webhook: &InboundWebhook) -> Ask {
    let sentences = vec![
        "Its address leads nowhere any more, and what came in is deleted with it.".to_owned(),
        "Contacts that it made stay.".to_owned(),
    ];
    let title = (webhook.content.name.as_str(), "Delete incoming webhook");
    Ask::to_delete(here, SECTION, title, sentences, url(here, webhook.id))
}

pub(crate) async fn delete_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    here.authority().require(Scope::WebhooksWrite)?;
    let (_, webhook) = wanted(&web, &here).await?;
    Ok(question(&here, &webhook).shown())
}

pub(crate) async fn delete(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    here.authority().require(Scope::WebhooksWrite)?;
    let (context, webhook) = wanted(&web, &here).await?;
    let done = |()| lead(&web, &here.url(PATH), Done::InboundDeleted, webhook.content.name.as_str());
    question(&here, &webhook).answered(web.app.delete::<InboundWebhook>(&context, (), webhook.id), done).await
}
