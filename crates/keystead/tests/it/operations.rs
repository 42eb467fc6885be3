//! Every operation of [`App`] asks for its scope, whatever its door has asked for.
//!
//! The doors check scopes too, so that a test through them does not see an operation which forgets to. Here the operations
//! are called without a door, by principals that lack just the scope in question; and what stands in the lists of this
//! file is compared with what the source of the core declares, so that a new operation must be added to one of them.

use std::{collections::BTreeSet, fs, pin::Pin, sync::Arc, time::Duration};

use keystead_api::v2::imports::Spreadsheets;
use keystead_core::{
    App, AuditFilter, Authority, Beside, ClickFilter, ContactFormat, Error, ErrorCode, EventQuery, KeyFilter, Known,
    OldKeyEnds, Overdue, Result, Steps, TagChange, UpsertMany, WhenDuplicate, Whose,
};
use keystead_model::{
    ContactId, KeyId, LocationId, UserId, UtcMs,
    agency::{AgencyPatch, TenantState},
    api_key::{KeyAbout, KeyName, KeyPatch, NewKey},
    business::{Business, BusinessPatch},
    campaign::{Campaign, CampaignPatch},
    click::{TokenSource, Verdict},
    contact::{Contact, ContactFilter, ContactPatch, ContactProfile, IdentityKind},
    custom_field::{CustomFieldPatch, FieldName},
    custom_value::CustomValue,
    enrollment::EnrolledIn,
    event::{EventKind, Subject},
    field_value::ValueSet,
    form::{AsForm, AsSurvey, Form, FormPatch, Handling, Submission, SubmissionFilter, SubmissionState},
    grant::{Grant, Reach},
    id::Id,
    inbound_webhook::{InboundPatch, InboundWebhook},
    ip_range::IpRanges,
    key_kind::KeyKind,
    link::Link,
    location::{LocationFilter, LocationPatch, LocationProfile},
    note::{Note, NotePatch},
    opportunity::{FollowersChange, OpportunityFilter, OpportunityPatch},
    page::{TimeOrder, Window},
    pipeline::{LostReasonFilter, PipelineContent, PipelinePatch},
    recurring_task::{RecurringTask, RecurringTaskPatch},
    saved_view::{SavedViewContent, SavedViewPatch, ViewedList},
    scope::{Scope, ScopeSet},
    sort::{SortKey, Timed},
    tag::{TagFilter, TagName},
    task::{Task, TaskPatch, TaskSearch},
    template::{Template, TemplateFilter, TemplatePatch},
    text::Line,
    user::{Role, UserFilter, UserPatch},
    webhook::EndpointPatch,
    workflow::{Workflow, WorkflowPatch},
};
use keystead_testkit::{TestApp, TestKey, authenticate};
use syn::{FnArg, ImplItem, Item, Type, Visibility};

use crate::callers::{
    Caller, business, campaign, custom_field, custom_value, downloads, form, inbound, link, name, new_account,
    new_import, new_user, note, opportunity, plan_of_one, recurring_task, rows_of_one, saved_view, stages, submission,
    task, template, webhook, workflow,
};

/// A program with these scopes.
async fn with(app: &TestApp, scopes: ScopeSet) -> Caller {
    let key = app.key_with(Reach::Agency, scopes, |_| {}).await;
    Caller::new(app, authority_of(app, &key).await).await
}

async fn authority_of(app: &TestApp, key: &TestKey) -> Authority {
    authenticate(&app.app, key).await.unwrap().authority()
}

/// What operations are called with: a key that is there, a member who is there, and ids of nothing.
struct Things {
    key: KeyId,
    user: UserId,
    location: LocationId,
    contact: ContactId,
}

impl Things {
    /// The id of nothing.
    fn none<T>(&self) -> Id<T> {
        Id::parse(self.contact.as_str()).unwrap()
    }
}

/// The usual order of a search.
fn by_creation<F: Timed>() -> Vec<SortKey<F>> {
    vec![SortKey { field: F::of(TimeOrder::Created), ascending: false }]
}

type Outcome<'c> = Pin<Box<dyn Future<Output = Result<()>> + 'c>>;

/// An operation, and the scopes without which it is refused.
struct Operation {
    name: &'static str,
    scopes: &'static [Scope],
    call: for<'c> fn(&'c App, &'c Caller, &'c Things) -> Outcome<'c>,
}

macro_rules! operations {
    (|$app:ident, $by:ident, $at:ident| $($name:ident$(::<$of:ty>)?($($argument:expr),*): $($scope:ident)+;)*) => {
        &[$(Operation {
            name: concat!(stringify!($name)$(, "::<", stringify!($of), ">")?),
            scopes: &[$(Scope::$scope),+],
            call: |$app, $by, $at| {
                let _ = $at;
                Box::pin(async move { $app.$name$(::<$of>)?($($argument),*).await.map(drop) })
            },
        }),*]
    };
}

#[rustfmt::skip]
const OPERATIONS: &[Operation] = operations! { |app, by, at|
    create_contact(&by.location, ContactPatch::default()): ContactsIntake;
    get_contact(&by.location, at.contact): ContactsRead;
    update_contact(&by.location, at.contact, ContactPatch::default()): ContactsWrite;
    upsert_contact(&by.location, ContactPatch::default(), WhenDuplicate::Update): ContactsIntake;
    delete_contact(&by.location, at.contact): ContactsWrite;
    list_contacts(&by.location, ContactFilter::default(), Window::first(1)): ContactsRead;
    search_contacts(&by.location, ContactFilter::default(), by_creation(), Window::first(1)): ContactsRead;
    export_contacts(&by.location, ContactFilter::default(), ContactFormat::Csv, downloads()): ContactsRead;
    list_trashed_contacts(&by.location, Window::first(1)): ContactsRead;
    get_trashed_contact(&by.location, at.contact): ContactsRead;
    restore_contact(&by.location, at.contact): ContactsWrite;
    erase_contact(&by.location, at.contact): ContactsWrite;
    export_contact(&by.location, at.contact, downloads()): ContactsRead;
    contacts_of(&by.location, vec![at.contact]): ContactsRead;
    possible_duplicates(&by.location, &nobody(at)): ContactsRead;
    find_contact_by_identity(&by.location, Vec::new()): ContactsRead;
    change_contact_tags(&by.location, at.contact, TagChange::RemoveAll): ContactsWrite;
    change_tags_of_contacts(&by.location, vec![at.contact], TagChange::RemoveAll): ContactsWrite;
    upsert_contacts(&by.location, Vec::new(), UpsertMany::default()): ContactsWrite;
    set_business_of_contacts(&by.location, vec![at.contact], None): ContactsWrite;
    add_contact_followers(&by.location, at.contact, Vec::new()): ContactsWrite;
    remove_contact_followers(&by.location, at.contact, Vec::new()): ContactsWrite;
    create_many::<Note>(&by.location, vec![(at.contact, note("x"))]): ContactsWrite;
    create_many::<Task>(&by.location, vec![(at.contact, task())]): ContactsWrite;
    merge_contacts(&by.location, at.contact, at.none()): ContactsWrite;
    enroll_contact(&by.location, at.contact, EnrolledIn::Workflow(at.none()), None): ContactsWrite;
    withdraw_contact(&by.location, at.contact, EnrolledIn::Campaign(at.none())): ContactsWrite;
    withdraw_contact_from_campaigns(&by.location, at.contact): ContactsWrite;
    list_enrollments(&by.location, at.contact): ContactsRead;
    put_custom_values(&by.location, vec![custom_value("x")]): CustomValuesWrite;
    create::<Note>(&by.location, at.contact, note("x")): ContactsWrite;
    list::<Note>(&by.location, at.contact, Window::all()): ContactsRead;
    get::<Note>(&by.location, at.contact, at.none()): ContactsRead;
    update::<Note>(&by.location, at.contact, at.none(), NotePatch::default()): ContactsWrite;
    delete::<Note>(&by.location, at.contact, at.none()): ContactsWrite;
    create::<Task>(&by.location, at.contact, task()): ContactsWrite;
    list::<Task>(&by.location, at.contact, Window::all()): ContactsRead;
    get::<Task>(&by.location, at.contact, at.none()): ContactsRead;
    update::<Task>(&by.location, at.contact, at.none(), TaskPatch::default()): ContactsWrite;
    delete::<Task>(&by.location, at.contact, at.none()): ContactsWrite;
    create::<Business>(&by.location, (), business("x")): BusinessesWrite;
    list::<Business>(&by.location, (), Window::all()): BusinessesRead;
    get::<Business>(&by.location, (), at.none()): BusinessesRead;
    update::<Business>(&by.location, (), at.none(), BusinessPatch::default()): BusinessesWrite;
    delete::<Business>(&by.location, (), at.none()): BusinessesWrite;
    create_pipeline(&by.location, PipelineContent::named(Line::parse("x").unwrap()), stages("x")): OpportunitiesWrite;
    list_pipelines(&by.location): OpportunitiesRead;
    get_pipeline(&by.location, at.none()): OpportunitiesRead;
    update_pipeline(&by.location, at.none(), PipelinePatch::default()): OpportunitiesWrite;
    delete_pipeline(&by.location, at.none()): OpportunitiesWrite;
    create_lost_reason(&by.location, Line::parse("x").unwrap()): OpportunitiesWrite;
    list_lost_reasons(&by.location, LostReasonFilter::default(), Window::all()): OpportunitiesRead;
    rename_lost_reason(&by.location, at.none(), Line::parse("x").unwrap()): OpportunitiesWrite;
    delete_lost_reason(&by.location, at.none()): OpportunitiesWrite;
    create_opportunity(&by.location, Whose::Contact(at.contact), at.none(), opportunity("x")): OpportunitiesWrite;
    create_opportunity(&by.location, Whose::Person(Box::default()), at.none(), opportunity("x")):
        OpportunitiesWrite ContactsWrite;
    get_opportunity(&by.location, at.none(), None): OpportunitiesRead;
    update_opportunity(&by.location, at.none(), None, None, OpportunityPatch::default()): OpportunitiesWrite;
    upsert_opportunity(&by.location, Known::OfContact(at.contact), at.none(), opportunity("x")): OpportunitiesWrite;
    delete_opportunity(&by.location, at.none(), None): OpportunitiesWrite;
    change_opportunity_followers(&by.location, at.none(), FollowersChange::default()): OpportunitiesWrite;
    list_opportunities(&by.location, OpportunityFilter::default(), Window::first(1), Beside::default()):
        OpportunitiesRead;
    list_opportunities(&by.location, OpportunityFilter::default(), Window::first(1), Beside { notes: true, tasks: true }):
        OpportunitiesRead ContactsRead;
    search_opportunities(&by.location, OpportunityFilter::default(), by_creation(), Window::first(1), Beside::default()):
        OpportunitiesRead;
    opportunities_of(&by.location, vec![at.contact]): OpportunitiesRead;
    create::<CustomValue>(&by.location, (), custom_value("x")): CustomValuesWrite;
    list::<CustomValue>(&by.location, (), Window::all()): CustomValuesRead;
    get::<CustomValue>(&by.location, (), at.none()): CustomValuesRead;
    update::<CustomValue>(&by.location, (), at.none(), custom_value("x")): CustomValuesWrite;
    delete::<CustomValue>(&by.location, (), at.none()): CustomValuesWrite;
    search_tasks(&by.location, TaskSearch::default(), Window::all()): TasksRead;
    create::<RecurringTask>(&by.location, (), recurring_task(at.contact)): TasksWrite;
    list::<RecurringTask>(&by.location, (), Window::all()): TasksRead;
    get::<RecurringTask>(&by.location, (), at.none()): TasksRead;
    update::<RecurringTask>(&by.location, (), at.none(), RecurringTaskPatch::default()): TasksWrite;
    delete::<RecurringTask>(&by.location, (), at.none()): TasksWrite;
    create::<Form<AsForm>>(&by.location, (), form("x")): FormsWrite;
    list_forms::<AsForm>(&by.location, Window::all()): FormsRead;
    get::<Form<AsForm>>(&by.location, (), at.none()): FormsRead;
    update::<Form<AsForm>>(&by.location, (), at.none(), FormPatch::default()): FormsWrite;
    delete::<Form<AsForm>>(&by.location, (), at.none()): FormsWrite;
    submit::<AsForm>(&by.location, at.none(), submission(), Vec::new()): FormsWrite;
    files_of_submission::<AsForm>(&by.location, at.none(), at.none()): FormsRead;
    open_submission_file::<AsForm>(&by.location, at.none(), at.none(), at.none()): FormsRead;
    list_submissions::<AsForm>(&by.location, submissions(), Window::first(1)): FormsRead;
    get_submission::<AsForm>(&by.location, at.none(), at.none()): FormsRead;
    accept_submission(&by.location, at.none(), at.none()): FormsWrite;
    discard_submission(&by.location, at.none(), at.none()): FormsWrite;
    accept_offer(&by.location, at.none(), at.none(), IdentityKind::Email): FormsRead ContactsWrite;
    publish_form(&by.location, at.none()): FormsWrite;
    unpublish_form(&by.location, at.none()): FormsWrite;
    list_form_versions(&by.location, at.none(), Window::first(1)): FormsRead;
    restore_form_version(&by.location, at.none(), 1): FormsWrite;
    use_of_form_field(&by.location, at.none(), "email".to_owned()): FormsRead;
    preview_form(&by.location, at.none()): FormsRead;
    schema_of_submission::<AsForm>(&by.location, &submission_of_nothing(at)): FormsRead;
    schemas_of_forms(&by.location, None): FormsRead;
    create::<Form<AsSurvey>>(&by.location, (), form("x")): SurveysWrite;
    list_forms::<AsSurvey>(&by.location, Window::all()): SurveysRead;
    submit::<AsSurvey>(&by.location, at.none(), submission(), Vec::new()): SurveysWrite;
    list_submissions::<AsSurvey>(&by.location, submissions(), Window::first(1)): SurveysRead;
    get_submission::<AsSurvey>(&by.location, at.none(), at.none()): SurveysRead;
    start_import(&by.location, new_import()): ContactsWrite;
    upload_import_file(&by.location, rows_of_one()): ContactsWrite;
    get_import_file(&by.location, at.none()): ContactsWrite;
    read_import_head(&by.location, at.none(), None, Arc::new(Spreadsheets)): ContactsWrite;
    import_file(&by.location, at.none(), plan_of_one()): ContactsWrite;
    list_imports(&by.location, Window::first(1)): ContactsRead;
    get_import(&by.location, at.none()): ContactsRead;
    list_problem_rows(&by.location, at.none(), Window::first(1)): ContactsRead;
    stop_import(&by.location, at.none()): ContactsWrite;
    create::<Template>(&by.location, (), template("x")): TemplatesWrite;
    list_templates(&by.location, templates(), Window::all()): TemplatesRead;
    get::<Template>(&by.location, (), at.none()): TemplatesRead;
    update::<Template>(&by.location, (), at.none(), TemplatePatch::default()): TemplatesWrite;
    delete::<Template>(&by.location, (), at.none()): TemplatesWrite;
    create::<Workflow>(&by.location, (), workflow("x")): WorkflowsWrite;
    list_workflows(&by.location, Window::all()): WorkflowsRead;
    get::<Workflow>(&by.location, (), at.none()): WorkflowsRead;
    update::<Workflow>(&by.location, (), at.none(), WorkflowPatch::default()): WorkflowsWrite;
    delete::<Workflow>(&by.location, (), at.none()): WorkflowsWrite;
    create::<Campaign>(&by.location, (), campaign("x")): CampaignsWrite;
    list_campaigns(&by.location, None, Window::all()): CampaignsRead;
    get::<Campaign>(&by.location, (), at.none()): CampaignsRead;
    update::<Campaign>(&by.location, (), at.none(), CampaignPatch::default()): CampaignsWrite;
    delete::<Campaign>(&by.location, (), at.none()): CampaignsWrite;
    create::<Link>(&by.location, (), link("x")): LinksWrite;
    list::<Link>(&by.location, (), Window::all()): LinksRead;
    search_links(&by.location, "x".to_owned(), Window::all()): LinksRead;
    get::<Link>(&by.location, (), at.none()): LinksRead;
    update::<Link>(&by.location, (), at.none(), link("x")): LinksWrite;
    delete::<Link>(&by.location, (), at.none()): LinksWrite;
    list_clicks(&by.location, at.none(), ClickFilter::default(), Window::first(1)): LinksRead;
    click_stats(&by.location, at.none(), UtcMs(0)): LinksRead;
    unknown_fields(&by.location, at.none()): LinksRead;
    classify_click(&by.location, at.none(), at.none(), Verdict::Human, true): LinksWrite;
    mint_link_token(&by.location, at.none(), at.contact, TokenSource::Api, None): ContactsRead LinksWrite;
    list_link_tokens(&by.location, at.none(), None, Window::first(1)): LinksRead;
    revoke_link_token(&by.location, at.none(), at.none()): LinksWrite;
    create_custom_field(&by.location, custom_field("x")): CustomFieldsWrite;
    list_custom_fields(&by.location, None): CustomFieldsRead;
    get_custom_field(&by.location, FieldName::Id(at.none())): CustomFieldsRead;
    update_custom_field(&by.location, FieldName::Id(at.none()), CustomFieldPatch::default()): CustomFieldsWrite;
    delete_custom_field(&by.location, FieldName::Id(at.none())): CustomFieldsWrite;
    upload_files(&by.location, String::new(), None, Vec::new()): CustomFieldsWrite;
    upload_contact_files(&by.location, at.contact, Vec::new()): FormsWrite;
    create_saved_view(&by.location, ViewedList::Contacts, saved_view("x")): ContactsRead;
    create_saved_view(&by.location, ViewedList::Opportunities, SavedViewContent { is_shared: true, ..saved_view("x") }):
        OpportunitiesRead OpportunitiesWrite;
    create_saved_view(&by.location, ViewedList::Tasks, SavedViewContent { is_shared: true, ..saved_view("x") }):
        TasksRead ContactsWrite;
    list_saved_views(&by.location, ViewedList::Tasks): TasksRead;
    get_saved_view(&by.location, ViewedList::Contacts, at.none()): ContactsRead;
    update_saved_view(&by.location, ViewedList::Contacts, at.none(), SavedViewPatch::default()): ContactsRead;
    delete_saved_view(&by.location, ViewedList::Contacts, at.none()): ContactsRead;
    restore_saved_view(&by.location, ViewedList::Contacts, at.none()): ContactsRead;
    create_tag(&by.location, TagName::parse("x").unwrap()): TagsWrite;
    list_tags(&by.location, TagFilter::default(), Window::all()): TagsRead;
    get_tag(&by.location, at.none()): TagsRead;
    rename_tag(&by.location, at.none(), TagName::parse("x").unwrap()): TagsWrite;
    delete_tag(&by.location, at.none()): TagsWrite;
    list_locations(&by.authority, LocationFilter::default(), Window::all()): LocationsRead;
    get_location(&by.authority, at.location): LocationsRead;
    create_location(&by.agency, LocationProfile::named(name("x"))): LocationsWrite;
    update_location(&by.agency, at.location, LocationPatch::default()): LocationsWrite;
    set_location_state(&by.agency, at.location, TenantState::Active): LocationsWrite;
    delete_location(&by.agency, at.none()): LocationsWrite;
    restore_location(&by.agency, at.none()): LocationsWrite;
    get_deleted_location(&by.authority, at.location): LocationsRead;
    get_company(&by.agency, by.authority.agency()): CompaniesRead;
    update_agency(&by.agency, by.authority.agency(), AgencyPatch::default()): LocationsWrite;
    create_key(&by.authority, new_key(by)): KeysWrite;
    list_keys(&by.authority, KeyFilter::default(), Window::all()): KeysRead;
    count_keys(&by.authority, KeyFilter::default()): KeysRead;
    get_key(&by.authority, at.key): KeysRead;
    list_key_changes(&by.authority, at.key): KeysRead;
    key_usage(&by.authority, at.key, Steps::even(UtcMs(0), UtcMs(1), 1)): KeysRead;
    usage_in(&by.authority, Some(at.location), Steps::even(UtcMs(0), UtcMs(1), 1)): KeysRead;
    usage_by_location(&by.authority, vec![at.location], UtcMs(0)): KeysRead;
    refused_attempts(&by.authority, Some(at.location), UtcMs(0)): KeysRead;
    contacts_by_day(&by.location, vec![UtcMs(0)], UtcMs(1)): ContactsRead;
    opportunity_totals(&by.location): OpportunitiesRead;
    due_tasks(&by.location, UtcMs(1)): TasksRead;
    update_key(&by.authority, at.key, None, KeyPatch::default()): KeysWrite;
    deactivate_key(&by.authority, at.key): KeysWrite;
    reactivate_key(&by.authority, at.key): KeysWrite;
    keep_key(&by.authority, at.key): KeysWrite;
    successor_of_key(&by.authority, at.key): KeysRead;
    reduce_key(&by.authority, at.key): KeysRead KeysWrite;
    rotate_key(&by.authority, at.key, None, Duration::ZERO): KeysRead KeysWrite;
    cancel_key_rotation(&by.authority, at.key): KeysWrite;
    finish_key_rotation(&by.authority, at.key): KeysWrite;
    replace_key(&by.authority, at.key, OldKeyEnds::FirstUse): KeysWrite KeysRead;
    delete_key(&by.authority, at.key): KeysWrite;
    restore_key(&by.authority, at.key): KeysWrite;
    create_webhook(&by.authority, webhook("https://hooks.example.com/")): WebhooksWrite;
    list_webhooks(&by.authority, None, Window::all()): WebhooksRead;
    get_webhook(&by.authority, at.none()): WebhooksRead;
    webhooks_set_up_by(&by.authority, at.key): WebhooksRead;
    webhook_figures(&by.authority, at.none()): WebhooksRead;
    update_webhook(&by.authority, at.none(), EndpointPatch::default()): WebhooksWrite;
    delete_webhook(&by.authority, at.none()): WebhooksWrite;
    rotate_webhook_secret(&by.authority, at.none(), Duration::ZERO): WebhooksWrite;
    webhook_public_key(&by.authority, None): WebhooksRead;
    webhook_public_keys(&by.authority): WebhooksRead;
    sample_of_webhooks(&by.authority, EventKind::ContactCreated, None): WebhooksRead;
    create_webhook_signing_key(&by.authority): WebhooksWrite;
    test_webhook(&by.authority, at.none(), EventKind::ContactCreated): WebhooksWrite;
    list_webhook_deliveries(&by.authority, at.none(), None, Window::first(1)): WebhooksRead;
    get_webhook_delivery(&by.authority, at.none(), at.none()): WebhooksRead;
    resend_webhook_delivery(&by.authority, at.none(), at.none()): WebhooksWrite;
    recover_webhook_deliveries(&by.authority, at.none(), UtcMs(0)): WebhooksWrite;
    create_inbound_webhook(&by.location, inbound("x")): WebhooksWrite;
    list::<InboundWebhook>(&by.location, (), Window::all()): WebhooksRead;
    get::<InboundWebhook>(&by.location, (), at.none()): WebhooksRead;
    update::<InboundWebhook>(&by.location, (), at.none(), InboundPatch::default()): WebhooksWrite;
    delete::<InboundWebhook>(&by.location, (), at.none()): WebhooksWrite;
    rotate_inbound_webhook(&by.location, at.none(), None, Duration::ZERO): WebhooksWrite;
    list_inbound_payloads(&by.location, at.none(), Window::first(1)): WebhooksRead;
    inbound_last_received(&by.location): WebhooksRead;
    inbound_unanswered_for(&by.location, Vec::new()): WebhooksRead;
    replay_inbound_payload(&by.location, at.none(), at.none()): WebhooksWrite;
    list_events(&by.authority, contact_events(at)): ContactsRead;
    history_of(&by.location, (Subject::Contact, at.contact.to_string()), Window::first(1)): ContactsRead;
    list_audit(&by.agency, AuditFilter::default(), Window::first(1)): KeysRead;
    verify_audit(&by.agency, None): KeysRead;
    erase_audit(&by.agency, at.user): KeysWrite;
    search_users(&by.authority, UserFilter::default(), Window::first(1)): UsersRead;
    get_user(&by.authority, at.user): UsersRead;
    create_user(&by.authority, new_account()): UsersWrite;
    update_user(&by.authority, at.none(), UserPatch::default()): UsersWrite;
    delete_user(&by.authority, at.none()): UsersWrite;
    list_users(&by.authority): UsersRead;
    list_invitations(&by.authority): UsersRead;
    invitations_of(&by.authority, at.user): UsersRead;
    keys_made_by(&by.authority, at.user): KeysRead;
    invite_user(&by.authority, new_user()): UsersWrite;
    withdraw_invitation(&by.authority, at.none()): UsersWrite UsersRead;
    set_user_role(&by.authority, at.none(), Role::AgencyUser, BTreeSet::new()): UsersWrite;
    set_user_disabled(&by.authority, at.none(), true): UsersWrite;
    disable_user(&by.authority, at.none(), &[]): UsersWrite KeysRead;
};

/// Operations on somebody's authority that ask for no scope, and why.
const WITHOUT_SCOPE: &[(&str, &str)] = &[
    ("enter_location", "makes the context of what asks next; it asks what is reached"),
    ("location_of", "the country and zone of a context decide how other input is read"),
    ("fields_of", "which fields there are decides how their values are read"),
    ("zone_of", "the zone of whoever a key belongs to decides how its expiry is read"),
    ("get_agency", "its name, for whoever is in it"),
    ("count_locations", "a number, for whoever is in the agency"),
    ("user_names", "who did a thing, for whoever is signed in"),
    ("actor_names", "who did a thing, for whoever is signed in; of keys, those that the authority may see"),
    ("names_in_events", "looks up only what the authority may see"),
    ("set_agency_state", "asks for an operator of the instance, see below"),
    ("set_sweep_paused", "asks for an operator of the instance, see below"),
    ("pause_deliveries", "asks for an operator of the instance, see below"),
    ("resume_deliveries", "asks for an operator of the instance, see below"),
    ("list_notices", "tells whoever may not see keys of those that they made themselves"),
    ("count_unseen_notices", "like the list"),
    ("read_notice", "like the list"),
    ("see_notices", "notes of the caller alone"),
    ("muted_notices", "a choice of the caller alone"),
    ("mute_notices", "a choice of the caller alone"),
    ("set_time_zone", "a choice of the caller alone"),
    ("begin_idempotent", "a claim of the caller alone; the operation asks"),
];

/// What is nobody's: the doors themselves, the jobs, and the operator's commands.
#[rustfmt::skip]
const WITHOUT_AUTHORITY: &[&str] = &[
    "brought_back",
    // Opening and closing, and what is asked of the node.
    "open", "close", "start_polling", "now", "entropy", "database_kind", "poll_changes", "applied_sequence", "figures", "ready",
    "disk_space", "service_now", "deletions_are_paused", "to_utc", "note_node", "note_task", "journal_warning",
    // Whoever comes in, and what they have proven.
    "authenticate", "cause_of", "is_origin_of_a_key", "still_admitted", "count_request", "count_request_in", "count_of_stranger", "sign_in", "session",
    "authority_of", "confirm_sign_in", "sign_out", "open_sessions", "end_session", "change_password", "remember_browser", "get_invitation",
    "accept_invitation", "needs_setup", "setup_token", "set_up", "report_exposed", "finish_idempotent",
    // By the clock.
    "flush_uses", "trim_changes", "seal_audit", "trim_audit", "log_audit_heads", "purge_contacts",
    "purge_locations", "purge_field_values", "purge_files", "trim_idempotent",
    // Whoever has the address of a link.
    "follow_link", "judge_clicks", "trim_clicks",
    // Whoever has the address of an inbound webhook.
    "count_of_sender", "receive_inbound", "trim_inbound",
    // Whoever knows a file's address, which nobody guesses.
    "open_file", "read_file",
    // Whoever answers a form.
    "open_form", "page_token", "read_page_token", "room_for_files", "answer_form",
    // By the clock.
    "keep_journal", "trim_usage", "end_exposed_keys", "queue_mails", "take_turn", "work_comes", "give_up", "interrupted", "send_mail", "send_delivery", "trim_webhooks", "trim_jobs", "trim_mails", "trim_imports", "work_on_import",
    "work_on_aftermath",
    "trim_notices", "make_recurring_tasks", "tick_service_clock", "trim_sessions", "sweep",
    // The operator's, at the machine or on pages that are theirs alone.
    "reached_at", "operator_in", "list_agencies", "create_agency", "reset_password", "set_operator", "system_status",
    "list_mails", "read_revocations", "undecided_keys", "reapply", "end_keys", "end_invitations",
];

/// Somebody without a name or an address.
fn nobody(at: &Things) -> Contact {
    Contact {
        id: at.contact,
        location: at.location,
        profile: ContactProfile::default(),
        tags: Vec::new(),
        custom_fields: ValueSet::default(),
        created_at: UtcMs(0),
        updated_at: UtcMs(0),
    }
}

fn contact_events(at: &Things) -> EventQuery {
    let kinds = vec!["contact.created".to_owned()];
    EventQuery { location: Some(at.location), kinds, ..EventQuery::all(Window::first(1)) }
}

fn submissions<K>() -> SubmissionFilter<K> {
    SubmissionFilter { state: SubmissionState::Taken, form: None, part: None, from: UtcMs(0), until: UtcMs(1) }
}

fn submission_of_nothing(at: &Things) -> Submission<AsForm> {
    Submission {
        id: at.none(),
        location: at.location,
        form: at.none(),
        contact: None,
        key: None,
        answers: submission().answers,
        version: None,
        state: SubmissionState::Taken,
        handling: Handling::default(),
        name: None,
        email: None,
        created_at: UtcMs(0),
    }
}

fn templates() -> TemplateFilter {
    TemplateFilter { origin: "x".to_owned(), kind: None }
}

fn new_key(by: &Caller) -> NewKey {
    let grant = Grant { scopes: ScopeSet::EMPTY, allowed_ips: IpRanges::default(), ..by.authority.grant().clone() };
    NewKey {
        name: KeyName::parse("x").unwrap(),
        about: KeyAbout::default(),
        grant,
        rate_limit: None,
        allowed_origins: keystead_model::origin::Origins::default(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_asks_for_its_scope() {
    let app = TestApp::start_with(|config| config.limits.keys_per_owner = 1_000).await;
    let none = Id::<Contact>::parse("0000000000000000000A").unwrap();
    let admin = Caller::new(&app, app.admin().await).await;
    let everything = ScopeSet::all(KeyKind::Agency);
    for Operation { name, scopes, call } in OPERATIONS {
        let things =
            Things { key: app.location_key().await.id, user: app.ids.user, location: app.ids.location, contact: none };
        let mut granted = ScopeSet::EMPTY;
        for scope in *scopes {
            // All that there is, but this.
            let without = with(&app, everything.without(*scope)).await;
            let outcome = call(&app.app, &without, &things).await;
            assert!(
                matches!(&outcome, Err(Error::MissingScope(missing)) if missing == scope),
                "{name} without {scope}: {outcome:?}"
            );
            granted = granted.with(*scope);
        }
        // With these it goes on, to whatever comes of it. What no key can hold an admin has.
        let with = if granted.is_within(everything) { &with(&app, granted).await } else { &admin };
        let outcome = call(&app.app, with, &things).await;
        assert!(!matches!(outcome, Err(Error::MissingScope(_))), "{name} with {granted:?}: {outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_operator_suspends_an_agency_or_pauses_deletions_or_deliveries() {
    let app = TestApp::start().await;
    let key = with(&app, ScopeSet::all(KeyKind::Agency)).await;
    let refused = app.app.set_agency_state(&key.agency, TenantState::Suspended).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::NotAllowed);
    let refused = app.app.set_sweep_paused(&key.authority, true).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::NotAllowed);
    let refused = app.app.pause_deliveries(&key.authority).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::NotAllowed);
    let operator = app.operator().await;
    assert!(app.app.pause_deliveries(operator.authority()).await.unwrap());
    let refused = app.app.resume_deliveries(&key.authority, Overdue::Send).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::NotAllowed);
    assert!(app.app.resume_deliveries(operator.authority(), Overdue::Send).await.unwrap().is_some());
    assert!(app.app.set_sweep_paused(operator.authority(), true).await.unwrap());
    app.app.set_agency_state(&operator, TenantState::Suspended).await.unwrap();
}

/// Whatever the door has let through.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_stays_of_its_kind_and_holds_only_what_suits_it() {
    let app = TestApp::start().await;
    let operator = app.operator().await;
    let (key, agency_key) = (app.location_key().await, app.agency_key().await);
    for reach in [Reach::Agency, Reach::Chosen([app.ids.location].into())] {
        let patch = KeyPatch { reach: Some(reach), ..KeyPatch::default() };
        let refused = app.app.update_key(operator.authority(), key.id, None, patch).await;
        assert_eq!(refused.err().map(|error| error.code()), Some(ErrorCode::InvalidInput));
    }
    let narrowed = KeyPatch { reach: Some(Reach::location(app.ids.location)), ..KeyPatch::default() };
    let refused = app.app.update_key(operator.authority(), agency_key.id, None, narrowed).await;
    assert_eq!(refused.err().map(|error| error.code()), Some(ErrorCode::InvalidInput));
    let new = |reach: Reach, scope| NewKey {
        name: KeyName::parse("x").unwrap(),
        about: KeyAbout::default(),
        grant: Grant {
            agency: app.ids.agency,
            reach,
            scopes: ScopeSet::EMPTY.with(scope),
            allowed_ips: IpRanges::default(),
            expires_at: None,
        },
        rate_limit: None,
        allowed_origins: keystead_model::origin::Origins::default(),
    };
    let at = Reach::location(app.ids.location);
    for scope in [Scope::LocationsWrite, Scope::CompaniesRead] {
        let refused = app.app.create_key(operator.authority(), new(at.clone(), scope)).await;
        assert_eq!(refused.err().map(|error| error.code()), Some(ErrorCode::InvalidInput), "{scope}");
    }
    // Members are managed by either kind, where that is named.
    for (reach, scope) in [(at, Scope::UsersWrite), (Reach::Agency, Scope::UsersRead)] {
        app.app.create_key(operator.authority(), new(reach, scope)).await.unwrap();
    }
}

/// What the core declares: the public methods of `App`, and whether they take somebody's authority.
fn declared() -> Vec<(String, bool)> {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../keystead-core/src");
    let mut methods = Vec::new();
    for entry in walkdir::WalkDir::new(source) {
        let entry = entry.unwrap();
        if entry.path().extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let file = syn::parse_file(&fs::read_to_string(entry.path()).unwrap()).unwrap();
        for item in file.items {
            let Item::Impl(block) = item else { continue };
            let is_app = matches!(&*block.self_ty, Type::Path(path) if path.path.is_ident("App"));
            for item in block.items.into_iter().filter(|_| is_app && block.trait_.is_none()) {
                let ImplItem::Fn(method) = item else { continue };
                if matches!(method.vis, Visibility::Public(_)) {
                    let takes_authority = method.sig.inputs.iter().any(|input| match input {
                        FnArg::Typed(argument) => is_authority(&argument.ty),
                        FnArg::Receiver(_) => false,
                    });
                    methods.push((method.sig.ident.to_string(), takes_authority));
                }
            }
        }
    }
    methods
}

fn is_authority(kind: &Type) -> bool {
    match kind {
        Type::Reference(reference) => is_authority(&reference.elem),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            ["Authority", "AgencyContext", "LocationContext"].iter().any(|known| last.ident == known)
        }),
        _ => false,
    }
}

#[test]
fn no_operation_is_missing_here() {
    let declared = declared();
    // What is the same for several resources is tried with each, and declared once.
    let names = OPERATIONS.iter().filter_map(|operation| operation.name.split("::").next());
    let on_authority: BTreeSet<&str> = names.chain(WITHOUT_SCOPE.iter().map(|(name, _)| *name)).collect();
    let without: BTreeSet<&str> = WITHOUT_AUTHORITY.iter().copied().collect();
    for (list, takes_authority) in [(&on_authority, true), (&without, false)] {
        let names: BTreeSet<&str> =
            declared.iter().filter(|(_, takes)| *takes == takes_authority).map(|(name, _)| name.as_str()).collect();
        let missing: Vec<_> = names.difference(list).collect();
        assert!(missing.is_empty(), "nothing here says what these ask for: {missing:?}");
        let gone: Vec<_> = list.difference(&names).collect();
        assert!(gone.is_empty(), "the core has no such operations any more: {gone:?}");
    }
}
