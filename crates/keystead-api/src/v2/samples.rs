//! One of each thing, with everything in it: what the documents show.

use std::marker::PhantomData;

use keystead_core::{WholeDelivery, WholeOpportunity};
use keystead_model::{
    ContactId, KeyId, LocationId, NoteId, ServiceMs, TagId, TaskId, UtcMs,
    actor::{Actor, Signature},
    agency::{Agency, AgencyProfile, TenantName, TenantState},
    api_key::{ApiKey, KeyAbout, KeyLabels, NewKey, StoredSecret},
    business::{Business, BusinessContent},
    calendar_date::CalendarDate,
    campaign::{Campaign, CampaignContent},
    click::{Click, LinkToken, Reason, TokenSource, Verdict},
    contact::{Contact, ContactProfile},
    custom_field::{CustomField, CustomFieldContent, OwnerKind, TextBox},
    custom_value::{CustomValue, CustomValueContent},
    data_type::DataType,
    decimal::Decimal,
    event::{Event, EventKind},
    field_value::{Held, ValueSet},
    file::StoredFile,
    form::{Form, FormContent, Handling, Submission, SubmissionState},
    grant::{Grant, Reach},
    id::Id,
    import::{Import, ImportColumn, ImportPlan, ImportState, ImportTally},
    inbound_webhook::{
        ContactMapping, InboundContent, InboundCredentials, InboundOutcome, InboundPayload, InboundWebhook,
    },
    ip_range::IpRanges,
    json_object::JsonObject,
    key_policy::KeyPolicy,
    link::{Destination, Link, LinkContent, Slug},
    location::{Location, LocationProfile, LocationSettings},
    note::{Note, NoteContent},
    opportunity::{Opportunity, OpportunityContent, Status},
    phone::PhoneNumber,
    pipeline::{LostReason, Pipeline},
    publication::Publication,
    recurrence::{Recurrence, Unit},
    recurring_task::{Progress, RecurringTask, RecurringTaskContent},
    scope::{Scope, ScopeSet},
    tag::{Tag, TagName},
    task::{Task, TaskContent},
    template::{Template, TemplateContent, TemplateKind},
    text::{Country, EmailAddress, Line, Prose, TimeZoneName},
    time::DAY_MS,
    user::{Role, User, UserProfile},
    uuid::Uuid,
    webhook::{
        DeliveryAttempt, DeliveryState, EndpointContent, EventNames, Health, Listener, SealedSecrets, WebhookDelivery,
        WebhookEndpoint, WebhookMessage,
    },
    workflow::{Workflow, WorkflowHead},
};

use crate::shape::Written;
use crate::shape::word::{AGENCY, KEY, LOCATION, THING, USER};

/// When everything in the samples happened: 25 November 2026, noon in UTC.
pub(super) const NOON: UtcMs = UtcMs(1_795_608_000_000);

pub(super) fn id<T>(text: &str) -> Id<T> {
    Id::parse(text).expect("a sample's id has the form of one")
}

fn line<const MAX: usize>(text: &str) -> Line<MAX> {
    Line::from_stored(text.to_owned())
}

fn contact_id() -> ContactId {
    id(THING)
}

fn location_id() -> LocationId {
    id(LOCATION)
}

pub(super) fn webhook() -> WebhookEndpoint {
    WebhookEndpoint {
        id: id(THING),
        agency: id(AGENCY),
        location: Some(location_id()),
        content: EndpointContent {
            url: line("https://hooks.harbour.example/crm"),
            events: EventNames::from_stored("contact.created"),
            description: Some(line("Newsletter")),
            app_id: Some(line("6650e1f0a1b2c3d4e5f60718")),
            headers: vec!["x-token".to_owned()],
        },
        disabled: None,
        listener: Listener { actor: Actor::Key(key_id()), scopes: ScopeSet::EMPTY },
        sealed: SealedSecrets { secret: String::new(), previous: None, headers: None, key_version: 1 },
        health: Health { succeeded_at: Some(NOON), ..Health::default() },
        created_at: NOON,
        updated_at: NOON,
    }
}

pub(super) fn delivery() -> WholeDelivery {
    let message = "msg_0aQ7cXkPTm9Rb4Vw6Yz4_1".to_owned();
    let attempt = DeliveryAttempt {
        number: 1,
        at: NOON,
        duration_ms: 120,
        status: Some(500),
        problem: Some("the answer was 500 Internal Server Error".to_owned()),
        answer: Some("Oops".to_owned()),
    };
    WholeDelivery {
        delivery: WebhookDelivery {
            id: id(THING),
            endpoint: id(THING),
            message: message.clone(),
            app_id: None,
            state: DeliveryState::Waiting,
            tries: 1,
            attempts: 1,
            created_at: NOON,
            tried_at: Some(NOON),
        },
        message: WebhookMessage {
            chain: (id(THING), 1),
            id: message,
            agency: id(AGENCY),
            location: Some(location_id()),
            contact: Some(contact_id()),
            event: EventKind::ContactDeleted.as_str().to_owned(),
            name: "ContactDelete".to_owned(),
            body: "{\"type\":\"ContactDelete\"}".to_owned(),
            created_at: NOON,
        },
        attempts: vec![attempt],
        next_try: Some(NOON),
    }
}

pub(super) fn tag() -> Tag {
    let id: TagId = id(THING);
    Tag { id, location: location_id(), name: TagName::from_stored("vip".to_owned()), contacts: 7 }
}

pub(super) fn pipeline() -> Pipeline {
    Pipeline::first(location_id(), NOON)
}

pub(super) fn lost_reason() -> LostReason {
    let (id, location) = (id(THING), location_id());
    LostReason { id, location, name: line("Too expensive"), created_at: NOON, updated_at: NOON, deleted_at: None }
}

pub(crate) fn opportunity() -> WholeOpportunity {
    let pipeline = pipeline();
    let content = OpportunityContent {
        name: line("New kitchen"),
        contact: contact_id(),
        pipeline: pipeline.id,
        stage: pipeline.stages[1].id,
        status: Status::Open,
        value: Decimal::parse("12500.5").unwrap_or_default(),
        assigned_to: Some(id(USER)),
        source: Some(line("public api")),
        lost_reason: None,
        followers: vec![id(USER)],
        close_date: CalendarDate::parse("2026-12-20").ok(),
        probability: Some(40),
    };
    WholeOpportunity {
        probability: content.effective_probability(&pipeline),
        opportunity: Opportunity {
            custom_fields: ValueSet::of([Held::sample()]),
            ..Opportunity::new(id(THING), location_id(), content, NOON)
        },
        contact: contact(),
        notes: vec![note()],
        tasks: vec![task()],
    }
}

pub(super) fn business() -> Business {
    let content = BusinessContent {
        phone: Some(line("+1 415 555 0123 ext. 7")),
        website: Some(line("https://northwind.example")),
        city: Some(line("Seattle")),
        ..BusinessContent::named(line("Northwind"))
    };
    let by = Some(Signature::of(Actor::User(id(USER))));
    Business {
        id: id(THING),
        location: location_id(),
        content,
        created_at: NOON,
        updated_at: NOON,
        created_by: by.clone(),
        updated_by: by,
    }
}

pub(super) fn custom_field() -> CustomField {
    let content = CustomFieldContent {
        placeholder: Some(line("Gold, say")),
        options: vec![line("Gold"), line("Silver")],
        text_boxes: vec![TextBox::sample()],
        ..CustomFieldContent::named(line("Membership"))
    };
    CustomField {
        id: id(THING),
        location: location_id(),
        model: OwnerKind::Contact,
        data_type: DataType::Radio,
        key: "membership".to_owned(),
        content,
        created_at: NOON,
        updated_at: NOON,
    }
}

pub(crate) fn file() -> StoredFile {
    StoredFile {
        id: id(THING),
        uuid: Uuid::parse("f31175d4-2b06-4fc6-b7bc-74cd814c68cb").expect("a sample's UUID has the form of one"),
        name: "contract.pdf".to_owned(),
        kind: "application/pdf".to_owned(),
        size: 20_480,
        secret: "0aQ7cXk2Tm9Rb4Vw6Yz10aQ7cXk2Tm9Rb4Vw6Yz10aQ".to_owned(),
    }
}

pub(super) fn custom_value() -> CustomValue {
    CustomValue {
        id: id(THING),
        location: location_id(),
        key: "opening_hours".to_owned(),
        content: CustomValueContent { name: line("Opening hours"), value: Prose::from_stored("9 to 5".to_owned()) },
        created_at: NOON,
        updated_at: NOON,
    }
}

pub(super) fn workflow() -> Workflow {
    let id = id(THING);
    let head = WorkflowHead {
        id,
        uuid: Uuid::of(id),
        location: location_id(),
        name: line("Welcome"),
        status: Publication::Draft,
        version: 1,
        created_at: NOON,
        updated_at: NOON,
    };
    let definition = r#"{"triggers":[],"steps":[{"id":"tag","type":"add_tags","tags":["web-lead"]}]}"#;
    Workflow { head, definition: JsonObject::from_stored(definition.to_owned()) }
}

pub(super) fn campaign() -> Campaign {
    let content = CampaignContent { name: line("Spring check-up"), status: Publication::Published };
    Campaign { id: id(THING), location: location_id(), content, created_at: NOON, updated_at: NOON }
}

pub(super) fn form<K>() -> Form<K> {
    let definition = r#"{"pages":[{"fields":[{"key":"email","type":"email","mapsTo":"contact.email"}]}]}"#;
    let content = FormContent { name: line("Contact us"), definition: JsonObject::from_stored(definition.to_owned()) };
    Form {
        id: id(THING),
        location: location_id(),
        content,
        published: Some(1),
        versions: 1,
        slug: Some("contact-us".to_owned()),
        created_at: NOON,
        updated_at: NOON,
        kind: PhantomData,
    }
}

pub(super) fn signature() -> Signature {
    Signature::of(Actor::User(id(USER)))
}

pub(super) fn submission<K>() -> Submission<K> {
    Submission {
        id: id(THING),
        location: location_id(),
        form: id(THING),
        contact: Some(contact_id()),
        key: None,
        answers: JsonObject::from_stored(r#"{"name":"Ada Lovelace","email":"ada@example.com"}"#.to_owned()),
        version: Some(1),
        state: SubmissionState::Taken,
        handling: Handling::default(),
        name: Some("Ada Lovelace".to_owned()),
        email: Some("ada@example.com".to_owned()),
        created_at: NOON,
    }
}

pub(super) fn template() -> Template {
    let content = TemplateContent {
        name: line("Reminder"),
        subject: Some(line("Your check-up")),
        text: Prose::from_stored("<p>See you tomorrow, {{contact.first_name}}.</p>".to_owned()),
    };
    Template {
        id: id(THING),
        location: location_id(),
        kind: TemplateKind::Email,
        origin: line(LOCATION),
        content,
        created_at: NOON,
        updated_at: NOON,
    }
}

pub(super) fn import() -> Import {
    let field = |field: &str| Some(field.to_owned());
    let column = |(name, field): (&str, Option<String>)| ImportColumn { name: name.to_owned(), field };
    let columns = [("First Name", field("firstName")), ("Email", field("email")), ("Member since", None)];
    Import {
        id: id(THING),
        location: location_id(),
        file_name: "people.csv".to_owned(),
        file: id(THING),
        plan: ImportPlan { columns: columns.map(column).into(), ..ImportPlan::default() },
        state: ImportState::Failed,
        tally: ImportTally { rows: 3, created: 1, updated: 1, unchanged: 0, incomplete: 1, refused: 1 },
        line: 4,
        problem: Some("cannot be read".to_owned()),
        created_by: Signature::of(Actor::Key(key_id())),
        event: None,
        created_at: NOON,
        started_at: Some(NOON),
        ended_at: Some(NOON),
    }
}

pub(super) fn link() -> Link {
    let redirect_to = Destination::from_stored("https://harbour.example/book".to_owned());
    let fallback = Some(Destination::from_stored("https://harbour.example/".to_owned()));
    let (expires_at, max_clicks) = (Some(UtcMs(NOON.0 + 30 * DAY_MS)), Some(500));
    let content =
        LinkContent { expires_at, max_clicks, fallback, ..LinkContent::new(line("Book an appointment"), redirect_to) };
    let slug = Slug::from_stored("book".to_owned());
    Link { id: id(THING), location: location_id(), slug, content, humans: 12, created_at: NOON, updated_at: NOON }
}

pub(super) fn click() -> Click {
    Click {
        id: id(THING),
        link: id(THING),
        contact: Some(contact_id()),
        token: Some(id(THING)),
        at: NOON,
        device: "Chrome, Windows".to_owned(),
        network: "203.0.113.0/24".to_owned(),
        referrer: Some("harbour.example".to_owned()),
        verdict: Some(Verdict::Human),
        reasons: vec![Reason::TwoLinks],
        classified_by: Some(Signature::of(Actor::User(id(USER)))),
        fired_at: Some(NOON),
    }
}

pub(super) fn inbound_webhook() -> InboundWebhook {
    let mapping = serde_json::json!({"email": "{{payload.customer.email}}", "tags": ["from {{payload.source}}"]});
    InboundWebhook {
        id: id(THING),
        location: location_id(),
        content: InboundContent {
            name: line("Web shop"),
            workflow: Some(id(THING)),
            contact: Some(ContactMapping::from_stored(mapping.to_string())),
        },
        writer: Signature::of(Actor::Key(key_id())),
        credentials: InboundCredentials {
            secret: Some(String::new()),
            previous_until: Some(NOON),
            ..InboundCredentials::new([0; 32], None)
        },
        created_at: NOON,
        updated_at: NOON,
    }
}

pub(super) fn inbound_payload() -> InboundPayload {
    InboundPayload {
        id: id(THING),
        webhook: id(THING),
        body: r#"{"customer":{"email":"ada@example.com"},"source":"shop"}"#.to_owned(),
        outcome: InboundOutcome::Created,
        problems: vec![("email".to_owned(), "must be an email".to_owned())],
        contact: Some(contact_id()),
        received_at: NOON,
    }
}

pub(super) fn link_token() -> LinkToken {
    LinkToken {
        id: id(THING),
        link: id(THING),
        contact: contact_id(),
        source: TokenSource::Api,
        created_at: NOON,
        handed_over_at: Some(NOON),
        revoked_at: None,
    }
}

pub(super) fn note() -> Note {
    let id: NoteId = id(THING);
    let content = NoteContent {
        body: Prose::from_stored("Prefers mornings.".to_owned()),
        title: Some(line("Appointments")),
        color: Some(line("#ffd866")),
        pinned: false,
        user: Some(self::id(USER)),
    };
    Note { id, contact: contact_id(), content, created_at: NOON, updated_at: NOON }
}

pub(super) fn task() -> Task {
    let id: TaskId = id(THING);
    let content = TaskContent {
        title: line("Call Ada"),
        body: Some(Prose::from_stored("About the check-up.".to_owned())),
        due_at: NOON,
        completed: false,
        assigned_to: Some(self::id(USER)),
    };
    Task { id, contact: contact_id(), content, created_at: NOON, updated_at: NOON }
}

pub(super) fn recurring_task() -> RecurringTask {
    let rule = Recurrence {
        unit: Unit::Monthly,
        interval: 1,
        start: NOON,
        end: None,
        day_of_month: Some(25),
        day_of_week: None,
        month_of_year: None,
    };
    let content = RecurringTaskContent {
        title: line("Call Ada"),
        description: Some(Prose::from_stored("How is she?".to_owned())),
        contact: contact_id(),
        owner: Some(self::id(USER)),
        rule,
        count: Some(12),
        comes_if_overdue: false,
        due_after: 86_400,
    };
    let progress = Progress { next_at: Some(NOON), ..Progress::default() };
    RecurringTask { id: id(THING), location: location_id(), content, progress, created_at: NOON, updated_at: NOON }
}

pub(super) fn contact() -> Contact {
    let profile = ContactProfile {
        first_name: Some(line("Ada")),
        last_name: Some(line("Lovelace")),
        email: Some(EmailAddress::from_stored("ada@example.com".to_owned())),
        phone: PhoneNumber::parse("+14155550123", Country::US).ok(),
        city: Some(line("London")),
        country: Country::from_stored("GB"),
        timezone: Some(TimeZoneName::from_stored("Europe/London".to_owned())),
        date_of_birth: CalendarDate::parse("1990-12-10").ok(),
        source: Some(line("public api")),
        business: Some(self::id(THING)),
        followers: vec![self::id(USER)],
        ..ContactProfile::default()
    };
    let tags = vec![TagName::from_stored("vip".to_owned())];
    let custom_fields = ValueSet::of([Held::sample()]);
    Contact {
        id: contact_id(),
        location: location_id(),
        profile,
        tags,
        custom_fields,
        created_at: NOON,
        updated_at: NOON,
    }
}

pub(crate) fn location() -> Location {
    let name: TenantName = line("Harbour Dental");
    let profile = LocationProfile {
        phone: Some(line("+14155550123")),
        email: Some(EmailAddress::from_stored("desk@harbour.example".to_owned())),
        city: Some(line("Bristol")),
        settings: LocationSettings::default(),
        ..LocationProfile::named(name)
    };
    Location {
        id: location_id(),
        agency: id(AGENCY),
        state: TenantState::Active,
        resumed_at: ServiceMs(0),
        profile,
        created_at: NOON,
        updated_at: NOON,
        deletion: None,
    }
}

pub(super) fn agency() -> Agency {
    let profile = AgencyProfile {
        email: Some(EmailAddress::from_stored("hello@northwind.example".to_owned())),
        website: Some(line("https://northwind.example")),
        city: Some(line("Seattle")),
        country: Some(Country::US),
        ..AgencyProfile::named(line("Northwind Agency"))
    };
    Agency {
        id: id(AGENCY),
        profile,
        keys: KeyPolicy::default(),
        state: TenantState::Active,
        resumed_at: ServiceMs(0),
        created_at: NOON,
    }
}

pub(crate) fn user() -> User {
    let profile = UserProfile {
        phone: Some(line("+14155550123")),
        extension: Some(line("7")),
        platform_language: Some(line("en_US")),
        photo_url: Some(line("https://northwind.example/grace.png")),
        permissions: vec![("contactsEnabled".to_owned(), true)],
        scopes: vec!["contacts.write".to_owned()],
        scopes_of_assigned: Vec::new(),
        location_phones: vec![(LOCATION.to_owned(), "+14155550123".to_owned())],
    };
    User {
        first_name: Some(line("Grace")),
        last_name: Some(line("Hopper")),
        locations: [location_id()].into(),
        profile,
        ..nobody(EmailAddress::from_stored("grace@northwind.example".to_owned()))
    }
}

/// A user of whom only the address is known.
pub(crate) fn nobody(email: EmailAddress) -> User {
    User {
        id: id(USER),
        agency: id(AGENCY),
        email,
        first_name: None,
        last_name: None,
        role: Role::AccountUser,
        locations: [].into(),
        is_operator: false,
        disabled: false,
        created_at: NOON,
        time_zone: None,
        profile: UserProfile::default(),
        deleted_at: None,
    }
}

pub(super) fn key_id() -> KeyId {
    KeyId::parse(KEY).expect("a sample's id has the form of one")
}

pub(super) fn api_key() -> ApiKey {
    let new = NewKey {
        name: line("Marketing Automation"),
        about: KeyAbout {
            description: Some(Prose::from_stored("For the newsletter".to_owned())),
            labels: KeyLabels::from_stored("newsletter"),
            contact: None,
        },
        grant: Grant {
            agency: id(AGENCY),
            reach: Reach::location(location_id()),
            scopes: ScopeSet::EMPTY.with(Scope::ContactsRead),
            allowed_ips: IpRanges::default(),
            expires_at: None,
        },
        rate_limit: None,
        allowed_origins: keystead_model::origin::Origins::default(),
    };
    let last_four = "x9Qa".to_owned();
    let secret = StoredSecret { hash: None, pepper_version: 1, last_four, created_at: NOON, last_used_at: None };
    ApiKey::create(key_id(), new, secret, Actor::User(id(USER)), NOON, ServiceMs(0))
}

pub(super) fn event() -> Event {
    Event {
        number: 1000,
        id: THING.to_owned(),
        location: Some(location_id()),
        at: NOON,
        actor: Actor::User(id(USER)),
        ip: Some("192.0.2.1".to_owned()),
        contact: None,
        kind: EventKind::KeyUpdated.as_str().to_owned(),
        subject: KEY.to_owned(),
        before: Some(r#"{"name":"Newsletter"}"#.to_owned()),
        after: Some(r#"{"name":"Marketing Automation"}"#.to_owned()),
        request_id: Some("4924de3a-48ad-8210-916c-6815fdffcbbf".to_owned()),
        root: None,
        depth: 0,
        position: Some(12),
        erased: false,
    }
}
