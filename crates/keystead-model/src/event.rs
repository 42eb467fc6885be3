//! Events: what was done to what, by whom, and what changed. One row of each change, which the audit log, the history of a thing
//! and whoever polls for changes read.

use crate::{AgencyId, ContactId, LocationId, UtcMs, actor::Actor, id::Id, scope::Scope};

macro_rules! kinds {
    ($($variant:ident = $name:literal, $class:ident, $subject:ident;)*) => {
        /// What was done, each named once; webhooks and workflows have the same names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum EventKind {
            $(#[doc = $name] $variant,)*
        }

        impl EventKind {
            /// All kinds.
            pub const ALL: &[EventKind] = &[$(EventKind::$variant),*];

            /// The name, `contact.created`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What kind of change it is.
            pub const fn class(self) -> Class {
                match self { $(Self::$variant => Class::$class,)* }
            }

            /// What it was done to.
            pub const fn subject(self) -> Subject {
                match self { $(Self::$variant => Subject::$subject,)* }
            }
        }
    };
}

/// What kind of change an event tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Of what people work with. There are many, and they are forgotten after some time.
    Data,
    /// Of an API key, and so of what programs may do.
    Key,
    /// Of who may do what, and where: members, sign-in, settings.
    Security,
    /// Of the instance.
    System,
}

impl Class {
    /// Whether such events are linked into the sealed chain of their agency, and kept for ever.
    pub const fn is_sealed(self) -> bool {
        !matches!(self, Self::Data)
    }
}

/// What something can be done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the nouns themselves")]
pub enum Subject {
    Contact,
    Note,
    Task,
    Tag,
    CustomValue,
    CustomField,
    File,
    Pipeline,
    LostReason,
    Opportunity,
    Business,
    Workflow,
    Campaign,
    Link,
    RecurringTask,
    Form,
    Survey,
    Template,
    Import,
    SavedView,
    Location,
    Agency,
    Key,
    User,
    Invitation,
    WebhookEndpoint,
    InboundWebhook,
    Session,
    Instance,
    AuditLog,
}

impl Subject {
    /// The scope by which somebody may see what becomes of such things; `None` if only the audit log tells of them.
    pub const fn read_scope(self) -> Option<Scope> {
        match self {
            Self::Contact | Self::Note | Self::Task | Self::Import => Some(Scope::ContactsRead),
            Self::Tag => Some(Scope::TagsRead),
            Self::CustomValue => Some(Scope::CustomValuesRead),
            Self::CustomField | Self::File => Some(Scope::CustomFieldsRead),
            Self::Pipeline | Self::LostReason | Self::Opportunity => Some(Scope::OpportunitiesRead),
            Self::Business => Some(Scope::BusinessesRead),
            Self::Workflow => Some(Scope::WorkflowsRead),
            Self::Campaign => Some(Scope::CampaignsRead),
            Self::Link => Some(Scope::LinksRead),
            Self::RecurringTask => Some(Scope::TasksRead),
            Self::Form => Some(Scope::FormsRead),
            Self::Survey => Some(Scope::SurveysRead),
            Self::Template => Some(Scope::TemplatesRead),
            Self::Location | Self::Agency => Some(Scope::LocationsRead),
            Self::Key => Some(Scope::KeysRead),
            Self::User | Self::Invitation => Some(Scope::UsersRead),
            Self::WebhookEndpoint | Self::InboundWebhook => Some(Scope::WebhooksRead),
            // Of one list or another, and often of one member alone.
            Self::SavedView | Self::Session | Self::Instance | Self::AuditLog => None,
        }
    }

    /// Whether such things are an agency's, so that nothing which happens to them happens in a location.
    pub const fn is_of_agency(self) -> bool {
        matches!(self, Self::Agency | Self::User | Self::Invitation | Self::Session | Self::Instance | Self::AuditLog)
    }
}

kinds! {
    ContactCreated = "contact.created", Data, Contact;
    ContactUpdated = "contact.updated", Data, Contact;
    ContactDeleted = "contact.deleted", Data, Contact;
    ContactRestored = "contact.restored", Data, Contact;
    ContactMerged = "contact.merged", Data, Contact;
    ContactEnrolled = "contact.enrolled", Data, Contact;
    ContactWithdrawn = "contact.withdrawn", Data, Contact;
    NoteCreated = "note.created", Data, Note;
    NoteUpdated = "note.updated", Data, Note;
    NoteDeleted = "note.deleted", Data, Note;
    TaskCreated = "task.created", Data, Task;
    TaskUpdated = "task.updated", Data, Task;
    TaskDeleted = "task.deleted", Data, Task;
    TagCreated = "tag.created", Data, Tag;
    TagUpdated = "tag.updated", Data, Tag;
    TagDeleted = "tag.deleted", Data, Tag;
    CustomValueCreated = "custom_value.created", Data, CustomValue;
    CustomValueUpdated = "custom_value.updated", Data, CustomValue;
    CustomValueDeleted = "custom_value.deleted", Data, CustomValue;
    CustomFieldCreated = "custom_field.created", Data, CustomField;
    CustomFieldUpdated = "custom_field.updated", Data, CustomField;
    CustomFieldDeleted = "custom_field.deleted", Data, CustomField;
    FileUploaded = "file.uploaded", Data, File;
    PipelineCreated = "pipeline.created", Data, Pipeline;
    PipelineUpdated = "pipeline.updated", Data, Pipeline;
    PipelineDeleted = "pipeline.deleted", Data, Pipeline;
    LostReasonCreated = "lost_reason.created", Data, LostReason;
    LostReasonUpdated = "lost_reason.updated", Data, LostReason;
    LostReasonDeleted = "lost_reason.deleted", Data, LostReason;
    OpportunityCreated = "opportunity.created", Data, Opportunity;
    OpportunityUpdated = "opportunity.updated", Data, Opportunity;
    OpportunityDeleted = "opportunity.deleted", Data, Opportunity;
    OpportunityRestored = "opportunity.restored", Data, Opportunity;
    BusinessCreated = "business.created", Data, Business;
    BusinessUpdated = "business.updated", Data, Business;
    BusinessDeleted = "business.deleted", Data, Business;
    WorkflowCreated = "workflow.created", Data, Workflow;
    WorkflowUpdated = "workflow.updated", Data, Workflow;
    WorkflowDeleted = "workflow.deleted", Data, Workflow;
    CampaignCreated = "campaign.created", Data, Campaign;
    CampaignUpdated = "campaign.updated", Data, Campaign;
    CampaignDeleted = "campaign.deleted", Data, Campaign;
    LinkCreated = "trigger_link.created", Data, Link;
    LinkUpdated = "trigger_link.updated", Data, Link;
    LinkDeleted = "trigger_link.deleted", Data, Link;
    LinkClicked = "trigger_link.clicked", Data, Link;
    LinkClickClassified = "trigger_link.click_classified", Data, Link;
    LinkTokenCreated = "trigger_link.token_created", Data, Link;
    LinkTokenRevoked = "trigger_link.token_revoked", Data, Link;
    RecurringTaskCreated = "recurring_task.created", Data, RecurringTask;
    RecurringTaskUpdated = "recurring_task.updated", Data, RecurringTask;
    RecurringTaskDeleted = "recurring_task.deleted", Data, RecurringTask;
    FormCreated = "form.created", Data, Form;
    FormUpdated = "form.updated", Data, Form;
    FormDeleted = "form.deleted", Data, Form;
    FormPublished = "form.published", Data, Form;
    FormUnpublished = "form.unpublished", Data, Form;
    FormSubmitted = "form.submitted", Data, Form;
    FormHeld = "form.held", Data, Form;
    FormDiscarded = "form.discarded", Data, Form;
    SurveyCreated = "survey.created", Data, Survey;
    SurveyUpdated = "survey.updated", Data, Survey;
    SurveyDeleted = "survey.deleted", Data, Survey;
    SurveySubmitted = "survey.submitted", Data, Survey;
    TemplateCreated = "template.created", Data, Template;
    TemplateUpdated = "template.updated", Data, Template;
    TemplateDeleted = "template.deleted", Data, Template;
    ImportStarted = "import.started", Data, Import;
    ImportEnded = "import.ended", Data, Import;
    SavedViewCreated = "saved_view.created", Data, SavedView;
    SavedViewUpdated = "saved_view.updated", Data, SavedView;
    SavedViewDeleted = "saved_view.deleted", Data, SavedView;
    SavedViewRestored = "saved_view.restored", Data, SavedView;
    LocationCreated = "location.created", Security, Location;
    LocationUpdated = "location.updated", Security, Location;
    LocationSuspended = "location.suspended", Security, Location;
    LocationResumed = "location.resumed", Security, Location;
    LocationDeleted = "location.deleted", Security, Location;
    LocationRestored = "location.restored", Security, Location;
    LocationPurged = "location.purged", Security, Location;
    AgencyCreated = "agency.created", Security, Agency;
    AgencyUpdated = "agency.updated", Security, Agency;
    AgencySuspended = "agency.suspended", Security, Agency;
    AgencyResumed = "agency.resumed", Security, Agency;
    AgencySigningKeyCreated = "agency.signing_key_created", Security, Agency;
    KeyCreated = "api_key.created", Key, Key;
    KeyUpdated = "api_key.updated", Key, Key;
    KeyDeactivated = "api_key.deactivated", Key, Key;
    KeyReactivated = "api_key.reactivated", Key, Key;
    KeyKept = "api_key.kept", Key, Key;
    KeyRotated = "api_key.rotated", Key, Key;
    KeyRotationCancelled = "api_key.rotation_cancelled", Key, Key;
    KeyRotationFinished = "api_key.rotation_finished", Key, Key;
    KeyReplaced = "api_key.replaced", Key, Key;
    KeyTookOver = "api_key.took_over", Key, Key;
    KeyExposed = "api_key.exposed", Key, Key;
    KeyExpired = "api_key.expired", Key, Key;
    KeyHeld = "api_key.held", Key, Key;
    KeyReleased = "api_key.released", Key, Key;
    KeyDeleted = "api_key.deleted", Key, Key;
    KeyRestored = "api_key.restored", Key, Key;
    KeyRevocationReapplied = "api_key.revocation_reapplied", Key, Key;
    UserInvited = "user.invited", Security, Invitation;
    UserInvitationWithdrawn = "user.invitation_withdrawn", Security, Invitation;
    UserCreated = "user.created", Security, User;
    UserUpdated = "user.updated", Security, User;
    UserDeleted = "user.deleted", Security, User;
    UserRoleChanged = "user.role_changed", Security, User;
    UserDisabled = "user.disabled", Security, User;
    UserEnabled = "user.enabled", Security, User;
    UserPasswordChanged = "user.password_changed", Security, User;
    UserPasswordReset = "user.password_reset", Security, User;
    UserOperatorGranted = "user.operator_granted", Security, User;
    UserOperatorWithdrawn = "user.operator_withdrawn", Security, User;
    UserNoticesChanged = "user.notices_changed", Security, User;
    UserRevocationReapplied = "user.revocation_reapplied", Security, User;
    WebhookEndpointCreated = "webhook_endpoint.created", Security, WebhookEndpoint;
    WebhookEndpointUpdated = "webhook_endpoint.updated", Security, WebhookEndpoint;
    WebhookEndpointDeleted = "webhook_endpoint.deleted", Security, WebhookEndpoint;
    WebhookEndpointDisabled = "webhook_endpoint.disabled", Security, WebhookEndpoint;
    InboundWebhookCreated = "inbound_webhook.created", Security, InboundWebhook;
    InboundWebhookUpdated = "inbound_webhook.updated", Security, InboundWebhook;
    InboundWebhookDeleted = "inbound_webhook.deleted", Security, InboundWebhook;
    InboundWebhookReceived = "inbound_webhook.received", Data, InboundWebhook;
    SessionStarted = "session.started", Security, Session;
    SessionEnded = "session.ended", Security, Session;
    SessionRefused = "session.refused", Security, Session;
    InstanceSetUp = "instance.set_up", System, Instance;
    InstanceSweepPaused = "instance.sweep_paused", System, Instance;
    InstanceSweepResumed = "instance.sweep_resumed", System, Instance;
    InstanceDeliveriesPaused = "instance.deliveries_paused", System, Instance;
    InstanceDeliveriesResumed = "instance.deliveries_resumed", System, Instance;
    AuditErased = "audit.erased", Security, AuditLog;
}

impl EventKind {
    /// Whether it can happen in a location: to its things, or to its members.
    pub const fn is_of_location(self) -> bool {
        let is_of_member = matches!(
            self,
            Self::UserCreated
                | Self::UserUpdated
                | Self::UserDeleted
                | Self::UserRoleChanged
                | Self::UserDisabled
                | Self::UserEnabled
        );
        is_of_member || !self.subject().is_of_agency()
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }
}

/// Names an event.
pub type EventId = Id<Event>;

/// Why something happened, if not because somebody asked for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// The event with which it began.
    pub root: Option<EventId>,
    /// How many events lie between: 0 for what somebody asked for.
    pub depth: u32,
}

/// An event that is about to be written.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Its id.
    pub id: EventId,
    /// What was done.
    pub kind: EventKind,
    /// The tenant.
    pub agency: AgencyId,
    /// The location, for what happens inside one.
    pub location: Option<LocationId>,
    /// The contact that the subject belongs to, if that is not the subject itself.
    pub contact: Option<ContactId>,
    /// To what: its id.
    pub subject: String,
    /// When.
    pub at: UtcMs,
    /// Who.
    pub actor: Actor,
    /// From which address.
    pub ip: Option<String>,
    /// The id of the request, as the client and the logs have it.
    pub request_id: Option<String>,
    /// The fields that changed, as they were, as JSON; of what was deleted all. Never a secret.
    pub before: Option<String>,
    /// The fields that changed, as they are since; of what was made all. Never a secret.
    pub after: Option<String>,
    /// Why.
    pub cause: Cause,
}

/// An event as it is read.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the others are those of NewEvent")]
pub struct Event {
    /// Grows with every event: in a location those of [`Class::Data`] are committed in this order.
    pub number: i64,
    /// What was written by a release before there were ids has its number.
    pub id: String,
    pub location: Option<LocationId>,
    pub contact: Option<ContactId>,
    pub at: UtcMs,
    pub actor: Actor,
    pub ip: Option<String>,
    /// Another release may know kinds that this one does not.
    pub kind: String,
    pub subject: String,
    pub before: Option<String>,
    pub after: Option<String>,
    pub request_id: Option<String>,
    pub root: Option<String>,
    pub depth: i64,
    /// Its place in the agency's chain, once it is sealed; never for what is not.
    pub position: Option<i64>,
    /// Whether what was personal in it was erased: addresses, and what changed.
    pub erased: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_none_stands_twice() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::parse(kind.as_str()), Some(*kind));
        }
        assert_eq!(EventKind::parse("contact.imagined"), None);
    }

    /// What decides about authority is sealed, whatever its class is called.
    #[test]
    fn only_data_is_not_sealed() {
        for kind in EventKind::ALL {
            let of_data = matches!(
                kind.subject(),
                Subject::Contact
                    | Subject::Note
                    | Subject::Task
                    | Subject::Tag
                    | Subject::CustomValue
                    | Subject::CustomField
                    | Subject::File
                    | Subject::Pipeline
                    | Subject::LostReason
                    | Subject::Opportunity
                    | Subject::Business
                    | Subject::Workflow
                    | Subject::Campaign
                    | Subject::Link
                    | Subject::RecurringTask
                    | Subject::Form
                    | Subject::Survey
                    | Subject::Template
                    | Subject::Import
                    | Subject::SavedView
            );
            // What comes in by an address is work, not who has it.
            let of_data = of_data || *kind == EventKind::InboundWebhookReceived;
            assert_eq!(kind.class().is_sealed(), !of_data, "{kind:?}");
        }
    }
}
