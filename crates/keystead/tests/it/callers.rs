//! Somebody who calls operations without a door, and what they call them with.

use std::{collections::BTreeSet, sync::Arc};

use keystead_api::v2::contacts::Downloads;
use keystead_core::{
    AgencyContext, App, Authority, LocationContext, NewAccount, NewEndpoint, NewFile, NewImport, NewInbound,
    StrangersAnswers,
};
use keystead_model::{
    ContactId, UtcMs,
    agency::TenantName,
    business::BusinessContent,
    campaign::CampaignContent,
    custom_field::{CustomFieldContent, NewCustomField, OwnerKind},
    custom_value::CustomValueContent,
    data_type::DataType,
    form::{AsForm, Form, FormContent, NewSubmission, Visit},
    id::Id,
    import::{ImportColumn, ImportPlan},
    inbound_webhook::InboundPatch,
    json_object::JsonObject,
    link::{Destination, LinkPatch},
    note::NoteContent,
    opportunity::OpportunityPatch,
    pipeline::StageDraft,
    publication::Publication,
    recurrence::{Recurrence, Unit},
    recurring_task::{NewRecurringTask, RecurringTaskContent},
    saved_view::SavedViewContent,
    task::TaskContent,
    template::{NewTemplate, TemplateContent, TemplateKind},
    text::{EmailAddress, Line, Prose},
    user::{NewUser, Role, UserProfile},
    webhook::{EndpointHeaders, EventNames},
    workflow::WorkflowContent,
};
use keystead_testkit::TestApp;

use crate::imports::PERSON;

/// Somebody, in all contexts that operations take.
pub(crate) struct Caller {
    pub(crate) authority: Authority,
    pub(crate) agency: AgencyContext,
    pub(crate) location: LocationContext,
}

impl Caller {
    pub(crate) async fn new(app: &TestApp, authority: Authority) -> Self {
        let agency = authority.clone().in_agency().unwrap();
        let location = app.app.enter_location(authority.clone(), Some(app.ids.location)).await.unwrap();
        Self { authority, agency, location }
    }
}

pub(crate) fn name(text: &str) -> TenantName {
    TenantName::parse(text).unwrap()
}

pub(crate) fn saved_view(name: &str) -> SavedViewContent {
    let query = Prose::parse("tag=vip").unwrap();
    SavedViewContent { name: Line::parse(name).unwrap(), query, is_shared: false }
}

/// An endpoint of webhooks that hears of everything.
pub(crate) fn webhook(url: &str) -> NewEndpoint {
    NewEndpoint {
        location: None,
        url: Line::parse(url).unwrap(),
        events: EventNames::all(),
        description: None,
        app_id: None,
        headers: EndpointHeaders::default(),
    }
}

/// An inbound webhook that keeps what comes in.
pub(crate) fn inbound(name: &str) -> NewInbound {
    NewInbound { name: Line::parse(name).unwrap(), more: InboundPatch::default(), is_signed: false }
}

pub(crate) fn business(name: &str) -> BusinessContent {
    BusinessContent::named(Line::parse(name).unwrap())
}

pub(crate) fn custom_field(name: &str) -> NewCustomField {
    let content = CustomFieldContent::named(Line::parse(name).unwrap());
    NewCustomField { model: OwnerKind::Contact, data_type: DataType::Text, content }
}

pub(crate) fn custom_value(name: &str) -> CustomValueContent {
    CustomValueContent { name: Line::parse(name).unwrap(), value: Prose::parse("x").unwrap() }
}

pub(crate) fn workflow(name: &str) -> WorkflowContent {
    WorkflowContent { name: Line::parse(name).unwrap(), definition: JsonObject::empty() }
}

pub(crate) fn campaign(name: &str) -> CampaignContent {
    CampaignContent { name: Line::parse(name).unwrap(), status: Publication::Draft }
}

pub(crate) fn link(name: &str) -> LinkPatch {
    let redirect_to = Destination::parse("https://example.com/").unwrap();
    LinkPatch::new(Line::parse(name).unwrap(), redirect_to)
}

pub(crate) fn recurring_task(contact: ContactId) -> NewRecurringTask {
    let rule = Recurrence {
        unit: Unit::Daily,
        interval: 1,
        // In 2100, so that nothing comes of it meanwhile.
        start: UtcMs(4_102_444_800_000),
        end: None,
        day_of_month: None,
        day_of_week: None,
        month_of_year: None,
    };
    let content = RecurringTaskContent {
        title: Line::parse("x").unwrap(),
        description: None,
        contact,
        owner: None,
        rule,
        count: None,
        comes_if_overdue: false,
        due_after: 0,
    };
    NewRecurringTask { content, passes_over_first: false }
}

pub(crate) fn form(name: &str) -> FormContent {
    let definition = r#"{"pages":[{"fields":[{"key":"email","mapsTo":"contact.email"}]}]}"#;
    FormContent { name: Line::parse(name).unwrap(), definition: JsonObject::from_stored(definition.to_owned()) }
}

pub(crate) fn submission() -> NewSubmission {
    let answers = r#"{"name":"Ada Lovelace","email":"submitted@example.com"}"#;
    NewSubmission { answers: JsonObject::from_stored(answers.to_owned()), key: None }
}

/// Answers of a stranger, with which something is wrong or nothing.
pub(crate) fn strangers_answers(app: &App, form: Id<Form<AsForm>>, is_trapped: bool) -> StrangersAnswers {
    let answers = serde_json::json!({"email": "stranger@example.com"});
    StrangersAnswers {
        answers: answers.as_object().unwrap().clone(),
        files: Vec::new(),
        key: None,
        page: is_trapped.then(|| (app.page_token(form), true)),
        visit: Visit::default(),
        address: std::net::Ipv4Addr::new(192, 0, 2, 1 + u8::from(is_trapped)).into(),
        // Nor is it counted from where they come.
        address_is_own: false,
        request: None,
    }
}

/// A file of one row.
pub(crate) fn new_import() -> NewImport {
    NewImport { file: rows_of_one(), plan: plan_of_one() }
}

/// Who writes files of contacts.
pub(crate) fn downloads() -> Arc<Downloads> {
    Arc::new(Downloads { base_url: None })
}

pub(crate) fn rows_of_one() -> NewFile {
    let (part, bytes) = ("file".to_owned(), Box::new(PERSON.as_bytes()));
    NewFile { part, name: None, kind: None, size: PERSON.len() as u64, bytes }
}

/// What its column is.
pub(crate) fn plan_of_one() -> ImportPlan {
    let column = ImportColumn { name: "email".to_owned(), field: Some("email".to_owned()) };
    ImportPlan { columns: vec![column], ..ImportPlan::default() }
}

pub(crate) fn template(name: &str) -> NewTemplate {
    let name = Line::parse(name).unwrap();
    let content = TemplateContent { name, subject: None, text: Prose::parse("x").unwrap() };
    NewTemplate { kind: TemplateKind::Sms, origin: None, content }
}

pub(crate) fn opportunity(name: &str) -> OpportunityPatch {
    OpportunityPatch { name: Some(Line::parse(name).unwrap()), ..OpportunityPatch::default() }
}

/// One stage, which may be there.
pub(crate) fn stages(name: &str) -> Vec<StageDraft> {
    vec![StageDraft { id: None, name: Line::parse(name).unwrap(), probability: Some(50) }]
}

pub(crate) fn note(body: &str) -> NoteContent {
    NoteContent { body: Prose::parse(body).unwrap(), title: None, color: None, pinned: false, user: None }
}

pub(crate) fn task() -> TaskContent {
    let title = Line::parse("x").unwrap();
    TaskContent { title, body: None, due_at: UtcMs(0), completed: false, assigned_to: None }
}

pub(crate) fn new_user() -> NewUser {
    let email = EmailAddress::parse("x@example.com").unwrap();
    NewUser { email, first_name: None, last_name: None, role: Role::AgencyUser, locations: BTreeSet::new() }
}

pub(crate) fn new_account() -> NewAccount {
    NewAccount {
        email: EmailAddress::parse("made@example.com").unwrap(),
        first_name: None,
        last_name: None,
        role: Role::AgencyUser,
        locations: BTreeSet::new(),
        profile: UserProfile::default(),
        password: None,
    }
}
