//! No event without its change, and no change without its event: each use case runs into a failure at the first row that it
//! changes, then at the second, and so on until it comes through. Each time all that it had done must be gone; in the end its
//! change is there, and its event.

use std::{future::Future, pin::Pin, time::Duration};

use keystead_core::{
    App, ClickFilter, FormAddress, Known, NewAccount, NewFile, OldKeyEnds, Result, StrangersAnswers, TagChange,
    UpsertMany, WhenDuplicate, Whose,
};
use keystead_model::{
    BusinessId, CampaignId, ClickId, ContactId, CustomFieldId, CustomValueId, InboundPayloadId, InboundWebhookId,
    KeyId, LinkId, LinkTokenId, LostReasonId, NoteId, OpportunityId, PipelineId, RecurringTaskId, SavedViewId, TagId,
    TaskId, TemplateId, UserId, UtcMs, WebhookEndpointId, WorkflowId,
    agency::AgencyPatch,
    api_key::{KeyAbout, KeyName, KeyPatch, NewKey},
    business::{Business, BusinessPatch},
    campaign::{Campaign, CampaignPatch},
    click::{TokenSource, Verdict},
    contact::ContactPatch,
    custom_field::{CustomFieldPatch, FieldName, NewCustomField},
    custom_value::CustomValue,
    data_type::DataType,
    enrollment::EnrolledIn,
    field_value::{FieldValue, FieldValues},
    file::FileId,
    form::{AsForm, AsSurvey, Form, FormPatch, Submission, SubmissionFilter, SubmissionState},
    grant::{Grant, Reach},
    id::Id,
    import::ImportId,
    inbound_webhook::InboundPatch,
    ip_range::IpRanges,
    link::Link,
    location::{LocationPatch, LocationProfile},
    note::{Note, NotePatch},
    opportunity::{FollowersChange, OpportunityPatch, Status},
    page::Window,
    pipeline::{PipelineContent, PipelinePatch},
    recurring_task::{RecurringTask, RecurringTaskPatch},
    saved_view::{SavedViewPatch, ViewedList},
    scope::Scope,
    tag::{TagFilter, TagName},
    task::{Task, TaskPatch},
    template::{Template, TemplatePatch},
    text::{EmailAddress, Line},
    user::UserPatch,
    webhook::EndpointPatch,
    workflow::{Workflow, WorkflowPatch},
};
use keystead_store::{Error as StoreError, Store, Tx, catalog};
use keystead_testkit::{TestApp, TestDatabase};

use crate::callers::{
    Caller, business, campaign, custom_field, custom_value, form, inbound, link, name, new_account, new_import,
    new_user, note, opportunity, plan_of_one, recurring_task, rows_of_one, saved_view, stages, strangers_answers,
    submission, task, template, webhook, workflow,
};

/// What use cases act on.
struct Things {
    contact: ContactId,
    other: ContactId,
    note: NoteId,
    task: TaskId,
    tag: TagId,
    custom_value: CustomValueId,
    pipeline: PipelineId,
    empty_pipeline: PipelineId,
    lost_reason: LostReasonId,
    saved_view: SavedViewId,
    opportunity: OpportunityId,
    business: BusinessId,
    recurring_task: RecurringTaskId,
    form: Id<Form<AsForm>>,
    /// Others see it, and it waits for review what one of them sent.
    published: Id<Form<AsForm>>,
    held: Id<Submission<AsForm>>,
    other_held: Id<Submission<AsForm>>,
    /// Its draft is not what others see.
    changed: Id<Form<AsForm>>,
    survey: Id<Form<AsSurvey>>,
    template: TemplateId,
    /// Made when the server has ended, which would work on it.
    import: ImportId,
    import_file: FileId,
    workflow: WorkflowId,
    campaign: CampaignId,
    link: LinkId,
    link_token: LinkTokenId,
    click: ClickId,
    custom_field: CustomFieldId,
    file_field: CustomFieldId,
    key: KeyId,
    user: UserId,
    /// Which is told of everything else that is done here.
    webhook: WebhookEndpointId,
    inbound: InboundWebhookId,
    payload: InboundPayloadId,
}

type Outcome<'c> = Pin<Box<dyn Future<Output = Result<()>> + 'c>>;

/// A use case, and the event that tells of it.
struct UseCase {
    event: &'static str,
    run: for<'c> fn(&'c App, &'c Caller, &'c Things) -> Outcome<'c>,
}

macro_rules! use_cases {
    (|$app:ident, $by:ident, $at:ident| $($name:ident$(::<$of:ty>)?($($argument:expr),*): $event:literal;)*) => {
        &[$(UseCase {
            event: $event,
            run: |$app, $by, $at| {
                let _ = ($by, $at);
                Box::pin(async move { $app.$name$(::<$of>)?($($argument),*).await.map(drop) })
            },
        }),*]
    };
}

#[rustfmt::skip]
const USE_CASES: &[UseCase] = use_cases! { |app, by, at|
    create_contact(&by.location, contact("new@example.com")): "contact.created";
    update_contact(&by.location, at.contact, contact("changed@example.com")): "contact.updated";
    upsert_contact(&by.location, contact("upserted@example.com"), WhenDuplicate::Update): "contact.created";
    upsert_contact(&by.location, ContactPatch { dnd: Some(true), ..contact("upserted@example.com") }, WhenDuplicate::Update):
        "contact.updated";
    change_contact_tags(&by.location, at.contact, TagChange::Add(vec![tag("a"), tag("b")])): "contact.updated";
    change_contact_tags(&by.location, at.contact, TagChange::Remove(vec![tag("a")])): "contact.updated";
    change_tags_of_contacts(&by.location, vec![at.contact], TagChange::RemoveAll): "contact.updated";
    upsert_contacts(&by.location, vec![(contact("one-of-many@example.com"), WhenDuplicate::Update)], UpsertMany::default()): "contact.created";
    set_business_of_contacts(&by.location, vec![at.contact], Some(at.business)): "contact.updated";
    add_contact_followers(&by.location, at.contact, vec![Id::parse("0000000000000000000U").unwrap()]): "contact.updated";
    remove_contact_followers(&by.location, at.contact, vec![Id::parse("0000000000000000000U").unwrap()]): "contact.updated";
    merge_contacts(&by.location, at.contact, at.other): "contact.merged";
    enroll_contact(&by.location, at.contact, EnrolledIn::Workflow(at.workflow), Some(UtcMs(1))): "contact.enrolled";
    withdraw_contact(&by.location, at.contact, EnrolledIn::Workflow(at.workflow)): "contact.withdrawn";
    enroll_contact(&by.location, at.contact, EnrolledIn::Campaign(at.campaign), None): "contact.enrolled";
    withdraw_contact_from_campaigns(&by.location, at.contact): "contact.withdrawn";
    create_many::<Note>(&by.location, vec![(at.contact, note("x"))]): "note.created";
    put_custom_values(&by.location, vec![custom_value("one of many")]): "custom_value.created";
    create::<Note>(&by.location, at.contact, note("x")): "note.created";
    update(&by.location, at.contact, at.note, NotePatch { pinned: Some(true), ..NotePatch::default() }): "note.updated";
    delete(&by.location, at.contact, at.note): "note.deleted";
    create::<Task>(&by.location, at.contact, task()): "task.created";
    update(&by.location, at.contact, at.task, TaskPatch { completed: Some(true), ..TaskPatch::default() }): "task.updated";
    delete(&by.location, at.contact, at.task): "task.deleted";
    create_pipeline(&by.location, PipelineContent::named(line("x")), stages("x")): "pipeline.created";
    update_pipeline(&by.location, at.empty_pipeline, PipelinePatch { stages: Some(stages("y")), ..PipelinePatch::default() }):
        "pipeline.updated";
    delete_pipeline(&by.location, at.empty_pipeline): "pipeline.deleted";
    create_lost_reason(&by.location, line("x")): "lost_reason.created";
    rename_lost_reason(&by.location, at.lost_reason, line("y")): "lost_reason.updated";
    delete_lost_reason(&by.location, at.lost_reason): "lost_reason.deleted";
    create_saved_view(&by.location, ViewedList::Contacts, saved_view("new")): "saved_view.created";
    update_saved_view(&by.location, ViewedList::Contacts, at.saved_view,
        SavedViewPatch { name: Some(line("renamed")), ..SavedViewPatch::default() }): "saved_view.updated";
    delete_saved_view(&by.location, ViewedList::Contacts, at.saved_view): "saved_view.deleted";
    restore_saved_view(&by.location, ViewedList::Contacts, at.saved_view): "saved_view.restored";
    create_opportunity(&by.location, Whose::Person(Box::new(contact("buys@example.com"))), at.pipeline, opportunity("x")):
        "opportunity.created";
    update_opportunity(&by.location, at.opportunity, None, None, OpportunityPatch { status: Some(Status::Won), ..opportunity("y") }):
        "opportunity.updated";
    upsert_opportunity(&by.location, Known::OfContact(at.contact), at.pipeline, opportunity("z")): "opportunity.updated";
    change_opportunity_followers(&by.location, at.opportunity, FollowersChange { add: vec![at.task.of()], ..FollowersChange::default() }):
        "opportunity.updated";
    delete_opportunity(&by.location, at.opportunity, None): "opportunity.deleted";
    upsert_opportunity(&by.location, Known::OfContact(at.contact), at.pipeline, opportunity("z")): "opportunity.created";
    create::<Business>(&by.location, (), business("x")): "business.created";
    update(&by.location, (), at.business, BusinessPatch { city: Some(Some(Line::parse("x").unwrap())), ..BusinessPatch::default() }):
        "business.updated";
    delete(&by.location, (), at.business): "business.deleted";
    create::<CustomValue>(&by.location, (), custom_value("new")): "custom_value.created";
    update(&by.location, (), at.custom_value, custom_value("renamed")): "custom_value.updated";
    delete(&by.location, (), at.custom_value): "custom_value.deleted";
    create::<RecurringTask>(&by.location, (), recurring_task(at.contact)): "recurring_task.created";
    update(&by.location, (), at.recurring_task,
        RecurringTaskPatch { title: Some(Line::parse("y").unwrap()), ..RecurringTaskPatch::default() }): "recurring_task.updated";
    delete(&by.location, (), at.recurring_task): "recurring_task.deleted";
    create::<Form<AsForm>>(&by.location, (), form("x")): "form.created";
    update(&by.location, (), at.form, FormPatch { name: Some(Line::parse("y").unwrap()), ..FormPatch::default() }): "form.updated";
    submit(&by.location, at.form, submission(), Vec::new()): "form.submitted";
    publish_form(&by.location, at.form): "form.published";
    restore_form_version(&by.location, at.changed, 1): "form.updated";
    answer_form(&app.open_form(FormAddress::Id(at.published)).await.unwrap(), strangers_answers(app, at.published, false)):
        "form.submitted";
    answer_form(&app.open_form(FormAddress::Id(at.published)).await.unwrap(), strangers_answers(app, at.published, true)):
        "form.held";
    accept_submission(&by.location, at.published, at.held): "form.submitted";
    discard_submission(&by.location, at.published, at.other_held): "form.discarded";
    unpublish_form(&by.location, at.published): "form.unpublished";
    delete(&by.location, (), at.form): "form.deleted";
    create::<Form<AsSurvey>>(&by.location, (), form("x")): "survey.created";
    update(&by.location, (), at.survey, FormPatch { name: Some(Line::parse("y").unwrap()), ..FormPatch::default() }):
        "survey.updated";
    submit(&by.location, at.survey, submission(), Vec::new()): "survey.submitted";
    delete(&by.location, (), at.survey): "survey.deleted";
    start_import(&by.location, new_import()): "import.started";
    stop_import(&by.location, at.import): "import.ended";
    upload_import_file(&by.location, rows_of_one()): "file.uploaded";
    import_file(&by.location, at.import_file, plan_of_one()): "import.started";
    create::<Template>(&by.location, (), template("x")): "template.created";
    update(&by.location, (), at.template, TemplatePatch { name: Some(Line::parse("y").unwrap()), ..TemplatePatch::default() }):
        "template.updated";
    delete(&by.location, (), at.template): "template.deleted";
    create::<Workflow>(&by.location, (), workflow("x")): "workflow.created";
    update(&by.location, (), at.workflow, WorkflowPatch { name: Some(Line::parse("y").unwrap()), ..WorkflowPatch::default() }):
        "workflow.updated";
    delete(&by.location, (), at.workflow): "workflow.deleted";
    create::<Campaign>(&by.location, (), campaign("x")): "campaign.created";
    update(&by.location, (), at.campaign, CampaignPatch { name: Some(Line::parse("y").unwrap()), ..CampaignPatch::default() }):
        "campaign.updated";
    delete(&by.location, (), at.campaign): "campaign.deleted";
    create::<Link>(&by.location, (), link("x")): "trigger_link.created";
    update(&by.location, (), at.link, link("y")): "trigger_link.updated";
    mint_link_token(&by.location, at.link, at.contact, TokenSource::Api, None): "trigger_link.token_created";
    revoke_link_token(&by.location, at.link, at.link_token): "trigger_link.token_revoked";
    classify_click(&by.location, at.link, at.click, Verdict::Human, false): "trigger_link.click_classified";
    classify_click(&by.location, at.link, at.click, Verdict::Human, true): "trigger_link.clicked";
    delete(&by.location, (), at.link): "trigger_link.deleted";
    create_custom_field(&by.location, custom_field("new")): "custom_field.created";
    update_custom_field(&by.location, FieldName::Id(at.custom_field),
        CustomFieldPatch { position: Some(1), ..CustomFieldPatch::default() }): "custom_field.updated";
    update_contact(&by.location, at.contact, valued(at)): "contact.updated";
    upload_files(&by.location, at.contact.to_string(), None, vec![file("x")]): "file.uploaded";
    upload_contact_files(&by.location, at.contact, vec![file(&format!("{}_x", at.file_field))]): "contact.updated";
    delete_custom_field(&by.location, FieldName::Id(at.custom_field)): "custom_field.deleted";
    create_tag(&by.location, tag("made")): "tag.created";
    rename_tag(&by.location, at.tag, tag("renamed")): "tag.updated";
    delete_tag(&by.location, at.tag): "tag.deleted";
    delete_contact(&by.location, at.contact): "contact.deleted";
    restore_contact(&by.location, at.contact): "contact.restored";
    erase_contact(&by.location, at.contact): "audit.erased";
    create_location(&by.agency, LocationProfile::named(name("New"))): "location.created";
    update_location(&by.agency, by.location.location(),
        LocationPatch { name: Some(name("Renamed")), ..LocationPatch::default() }): "location.updated";
    update_agency(&by.agency, by.authority.agency(),
        AgencyPatch { name: Some(name("Renamed")), ..AgencyPatch::default() }): "agency.updated";
    create_key(&by.authority, new_key(by)): "api_key.created";
    update_key(&by.authority, at.key, None, KeyPatch { name: Some(KeyName::parse("y").unwrap()), ..KeyPatch::default() }):
        "api_key.updated";
    rotate_key(&by.authority, at.key, None, Duration::from_secs(600)): "api_key.rotated";
    cancel_key_rotation(&by.authority, at.key): "api_key.rotation_cancelled";
    replace_key(&by.authority, at.key, OldKeyEnds::FirstUse): "api_key.replaced";
    deactivate_key(&by.authority, at.key): "api_key.deactivated";
    reactivate_key(&by.authority, at.key): "api_key.reactivated";
    delete_key(&by.authority, at.key): "api_key.deleted";
    restore_key(&by.authority, at.key): "api_key.restored";
    invite_user(&by.authority, new_user()): "user.invited";
    create_user(&by.authority, new_account()): "user.created";
    update_user(&by.authority, at.user, UserPatch { is_admin: Some(true), ..UserPatch::default() }): "user.role_changed";
    update_user(&by.authority, at.user, UserPatch { first_name: Some(None), ..UserPatch::default() }): "user.updated";
    delete_user(&by.authority, at.user): "user.deleted";
    create_webhook(&by.authority, webhook("https://hooks.example.com/new")): "webhook_endpoint.created";
    update_webhook(&by.authority, at.webhook, EndpointPatch { enabled: Some(false), ..EndpointPatch::default() }):
        "webhook_endpoint.updated";
    rotate_webhook_secret(&by.authority, at.webhook, Duration::from_secs(60)): "webhook_endpoint.updated";
    create_webhook_signing_key(&by.authority): "agency.signing_key_created";
    delete_webhook(&by.authority, at.webhook): "webhook_endpoint.deleted";
    create_inbound_webhook(&by.location, inbound("new")): "inbound_webhook.created";
    update(&by.location, (), at.inbound, InboundPatch { name: Some(Line::parse("y").unwrap()), ..InboundPatch::default() }):
        "inbound_webhook.updated";
    rotate_inbound_webhook(&by.location, at.inbound, Some(true), Duration::from_secs(60)): "inbound_webhook.updated";
    replay_inbound_payload(&by.location, at.inbound, at.payload): "inbound_webhook.received";
    delete(&by.location, (), at.inbound): "inbound_webhook.deleted";
    delete_location(&by.agency, by.location.location()): "location.deleted";
    restore_location(&by.agency, by.location.location()): "location.restored";
};

fn valued(at: &Things) -> ContactPatch {
    let values = vec![FieldValue::Text("Gold".to_owned())];
    ContactPatch { custom_fields: vec![FieldValues { field: at.custom_field, values }], ..ContactPatch::default() }
}

fn file(part: &str) -> NewFile {
    let bytes = b"bytes";
    NewFile { part: part.to_owned(), name: None, kind: None, size: bytes.len() as u64, bytes: Box::new(&bytes[..]) }
}

fn line<const MAX: usize>(text: &str) -> Line<MAX> {
    Line::parse(text).unwrap()
}

fn tag(name: &str) -> TagName {
    TagName::parse(name).unwrap()
}

fn contact(email: &str) -> ContactPatch {
    ContactPatch {
        email: Some(Some(EmailAddress::parse(email).unwrap())),
        first_name: Some(Some(Line::parse("Ada").unwrap())),
        tags: Some(vec![tag("brought"), tag(&email.replace('@', " "))]),
        ..ContactPatch::default()
    }
}

fn new_key(by: &Caller) -> NewKey {
    let grant = Grant {
        agency: by.authority.agency(),
        reach: Reach::location(by.location.location()),
        scopes: [Scope::ContactsRead].into_iter().collect(),
        allowed_ips: IpRanges::default(),
        expires_at: None,
    };
    NewKey {
        name: KeyName::parse("x").unwrap(),
        about: KeyAbout::default(),
        grant,
        rate_limit: None,
        allowed_origins: keystead_model::origin::Origins::default(),
    }
}

/// A member who is changed and deleted.
async fn somebody(app: &TestApp, by: &Caller) -> UserId {
    let email = EmailAddress::parse("somebody@example.com").unwrap();
    let first_name = Some(Line::parse("Some").unwrap());
    let new = NewAccount { email, first_name, ..new_account() };
    app.app.create_user(&by.authority, new).await.unwrap().id
}

/// Makes every change of a row count in its transaction, and those from the number of `fault` on fail.
async fn set_traps(app: &TestApp, tables: &[String]) {
    app.sql("CREATE TABLE fault (number BIGINT NOT NULL)").await;
    app.sql("INSERT INTO fault VALUES (1000000)").await;
    app.sql("CREATE TABLE faults (n BIGINT NOT NULL)").await;
    if TestDatabase::is_postgres() {
        app.sql(
            "CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 PERFORM set_config('trap.n', CAST(CAST('0' || current_setting('trap.n', true) AS INT) + 1 AS TEXT), true);
                 IF CAST(current_setting('trap.n') AS INT) >= (SELECT number FROM fault) THEN
                     RAISE EXCEPTION 'a trap';
                 END IF;
                 RETURN NULL;
             END $$",
        )
        .await;
    }
    for table in tables {
        for event in ["INSERT", "UPDATE", "DELETE"] {
            let body = if TestDatabase::is_postgres() {
                "FOR EACH ROW EXECUTE FUNCTION trap()"
            } else {
                "BEGIN INSERT INTO faults VALUES (1);
                 SELECT RAISE(ABORT, 'a trap') WHERE (SELECT count(*) FROM faults) >= (SELECT number FROM fault); END"
            };
            app.sql(&format!("CREATE TRIGGER trap_{table}_{event} AFTER {event} ON {table} {body}")).await;
        }
    }
}

/// All rows of these tables. Of events only what happened: they are sealed meanwhile. Of files those that can be seen: bytes come
/// before the change that shows them, and go by themselves.
async fn rows(store: &Store, tables: &[String]) -> Vec<String> {
    let tables = tables.to_vec();
    let read = move |tx: &mut Tx<'_>| {
        let mut all = Vec::new();
        for table in &tables {
            let whole = match table.as_str() {
                "files" => "(SELECT * FROM files WHERE is_whole)",
                "file_pieces" => {
                    "(SELECT p.* FROM file_pieces p JOIN files f ON f.location_id = p.location_id AND f.id = p.file_id
                      WHERE f.is_whole)"
                }
                other => other,
            };
            let sql = if table == "events" {
                "SELECT action || ' ' || subject || ' ' || COALESCE(event_id, '') FROM events ORDER BY id".to_owned()
            } else if TestDatabase::is_postgres() {
                format!("SELECT CAST(t AS TEXT) FROM {whole} t ORDER BY 1")
            } else {
                let columns = format!("SELECT 'quote(' || name || ')' FROM pragma_table_info('{table}')");
                let columns: Vec<String> = tx.query(&columns, &[], |row| row.column())?;
                format!("SELECT {} FROM {whole} t ORDER BY 1", columns.join(" || ',' || "))
            };
            all.extend(tx.query(&sql, &[], |row| Ok(format!("{table}: {}", row.column::<String>()?)))?);
        }
        Ok::<_, StoreError>(all)
    };
    store.read(read).await.unwrap()
}

async fn published(app: &TestApp, by: &Caller, name: &str) -> Id<Form<AsForm>> {
    let made: Form<AsForm> = app.app.create(&by.location, (), form(name)).await.unwrap();
    app.app.publish_form(&by.location, made.id).await.unwrap().id
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_without_its_event_and_no_event_without_its_change() {
    let mut app = TestApp::start().await;
    let by = Caller::new(&app, app.admin().await).await;
    let made = app.app.create_contact(&by.location, contact("first@example.com")).await.unwrap();
    let other = app.app.create_contact(&by.location, contact("other@example.com")).await.unwrap();
    app.app.create::<Note>(&by.location, other.id, note("x")).await.unwrap();
    let pipeline = app.app.list_pipelines(&by.location).await.unwrap()[0].id;
    let empty_pipeline = app.app.create_pipeline(&by.location, PipelineContent::named(line("x")), stages("x")).await;
    let whose = Whose::Contact(made.id);
    let first = app.app.create_opportunity(&by.location, whose, pipeline, opportunity("first")).await.unwrap();
    let made_inbound = app.app.create_inbound_webhook(&by.location, inbound("first")).await.unwrap();
    let inbound_webhook = made_inbound.webhook;
    app.post(&made_inbound.path.unwrap()).json(&serde_json::json!({})).send().await.expect(202);
    let payload =
        app.app.list_inbound_payloads(&by.location, inbound_webhook.id, Window::first(1)).await.unwrap().rows[0].id;
    let opened = app.app.create::<Link>(&by.location, (), link("first")).await.unwrap();
    let token = app.app.mint_link_token(&by.location, opened.id, made.id, TokenSource::Api, None).await.unwrap();
    assert_eq!(app.get(&token.path).send().await.status, 302);
    let clicks = app.app.list_clicks(&by.location, opened.id, ClickFilter::default(), Window::first(1)).await.unwrap();
    let click = clicks.rows[0].id;
    let published = published(&app, &by, "published").await;
    for address in ["192.0.2.7", "192.0.2.8"] {
        let answers =
            StrangersAnswers { address: address.parse().unwrap(), ..strangers_answers(&app.app, published, true) };
        let open = app.app.open_form(FormAddress::Id(published)).await.unwrap();
        app.app.answer_form(&open, answers).await.unwrap();
    }
    let (from, until) = (UtcMs(0), UtcMs(i64::MAX));
    let filter = SubmissionFilter { state: SubmissionState::Held, form: None, part: None, from, until };
    let held = app.app.list_submissions::<AsForm>(&by.location, filter, Window::first(2)).await.unwrap();
    let changed = self::published(&app, &by, "changed").await;
    let patch = FormPatch { name: Some(line("changed since")), ..FormPatch::default() };
    app.app.update(&by.location, (), changed, patch).await.unwrap();
    let node = app.second_node().await;
    let mut things = Things {
        import: Id::parse("0000000000000000000I").unwrap(),
        import_file: app.app.upload_import_file(&by.location, rows_of_one()).await.unwrap().id,
        pipeline,
        empty_pipeline: empty_pipeline.unwrap().id,
        lost_reason: app.app.create_lost_reason(&by.location, line("first")).await.unwrap().id,
        saved_view: {
            let made = app.app.create_saved_view(&by.location, ViewedList::Contacts, saved_view("first")).await;
            made.unwrap().id
        },
        opportunity: first.opportunity.id,
        contact: made.id,
        other: other.id,
        note: app.app.create::<Note>(&by.location, made.id, note("x")).await.unwrap().id,
        task: app.app.create::<Task>(&by.location, made.id, task()).await.unwrap().id,
        tag: app.app.list_tags(&by.location, TagFilter::default(), Window::first(1)).await.unwrap().rows[0].id,
        custom_value: app.app.create::<CustomValue>(&by.location, (), custom_value("first")).await.unwrap().id,
        business: app.app.create::<Business>(&by.location, (), business("first")).await.unwrap().id,
        recurring_task: app.app.create::<RecurringTask>(&by.location, (), recurring_task(made.id)).await.unwrap().id,
        form: app.app.create(&by.location, (), form("first")).await.map(|form: Form<AsForm>| form.id).unwrap(),
        published,
        held: held.page.rows[0].id,
        other_held: held.page.rows[1].id,
        changed,
        survey: app.app.create(&by.location, (), form("first")).await.map(|survey: Form<AsSurvey>| survey.id).unwrap(),
        template: app.app.create::<Template>(&by.location, (), template("first")).await.unwrap().id,
        workflow: app.app.create::<Workflow>(&by.location, (), workflow("first")).await.unwrap().head.id,
        campaign: app.app.create::<Campaign>(&by.location, (), campaign("first")).await.unwrap().id,
        link: opened.id,
        link_token: token.token.id,
        click,
        custom_field: app.app.create_custom_field(&by.location, custom_field("first")).await.unwrap().id,
        file_field: {
            let new = NewCustomField { data_type: DataType::FileUpload, ..custom_field("contract") };
            app.app.create_custom_field(&by.location, new).await.unwrap().id
        },
        key: app.location_key().await.id,
        user: somebody(&app, &by).await,
        inbound: inbound_webhook.id,
        payload,
        webhook: app
            .app
            .create_webhook(&by.authority, webhook("https://hooks.example.com/"))
            .await
            .unwrap()
            .whole
            .endpoint
            .id,
    };
    // What works by itself would change things, too.
    app.stop().await;
    things.import = node.start_import(&by.location, new_import()).await.unwrap().id;
    let looking = app.second_store();
    let mut tables: Vec<String> = looking.read(catalog::tables).await.unwrap();
    // What changes by the clock.
    tables.retain(|table| !["audit_heads", "nodes", "service_clock"].contains(&table.as_str()));
    set_traps(&app, &tables).await;
    for UseCase { event, run } in USE_CASES {
        let before = rows(&looking, &tables).await;
        let mut number = 0;
        loop {
            number += 1;
            app.sql(&format!("UPDATE fault SET number = {number}")).await;
            let outcome = run(&node, &by, &things).await;
            let after = rows(&looking, &tables).await;
            app.sql("DELETE FROM faults").await;
            if outcome.is_err() {
                let differing: Vec<&String> =
                    before.iter().chain(&after).filter(|row| !(before.contains(row) && after.contains(row))).collect();
                assert!(differing.is_empty(), "{event} failed at row {number} and left {differing:#?}: {outcome:?}");
                continue;
            }
            let is_told = |row: &&String| row.starts_with("events: ") && row.contains(event) && !before.contains(row);
            assert_eq!(after.iter().filter(is_told).count(), 1, "{event}: {after:#?}");
            break;
        }
        assert!(number > 2, "{event} changes at least a thing, and tells of it");
    }
}
