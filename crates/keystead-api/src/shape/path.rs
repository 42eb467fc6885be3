//! What stands in paths: ids, by their place.

use keystead_core::{Error, error::Noun};
use keystead_model::{
    AgencyId, BusinessId, CampaignId, ClickId, ContactId, CustomValueId, InboundPayloadId, InboundWebhookId, KeyId,
    LinkId, LinkTokenId, LocationId, LostReasonId, NoteId, NoticeId, OpportunityId, PipelineId, RecurringTaskId, TagId,
    TaskId, TemplateId, UserId, WebhookDeliveryId, WebhookEndpointId, WorkflowId,
    custom_field::{FieldName, OwnerKind},
    id::Id,
    import::ImportId,
    uuid::Uuid,
};
use serde_json::Value;

use super::word;

/// One parameter of a path.
#[diagnostic::on_unimplemented(message = "`{Self}` cannot stand in a path: say in `shape::path` what it names")]
pub(crate) trait Part: Sized {
    /// An id; one that has no id's form names nothing, which is the same as not being there.
    fn parse(text: &str) -> Option<Self>;

    /// What is answered where nothing has the id.
    fn missing(text: &str) -> Error;

    /// Its JSON Schema.
    fn schema() -> Value;
}

/// All parameters of a path, but for the location of a route inside one, which the dispatcher takes.
pub(crate) trait Path: Sized {
    fn read(texts: &mut dyn Iterator<Item = &str>) -> Result<Self, Error>;
    fn describe() -> Vec<PathPart>;
}

/// A parameter of a path, described.
pub(crate) struct PathPart {
    pub(crate) schema: Value,
    pub(crate) missing: fn(&str) -> Error,
}

impl Path for () {
    fn read(_: &mut dyn Iterator<Item = &str>) -> Result<Self, Error> {
        Ok(())
    }

    fn describe() -> Vec<PathPart> {
        Vec::new()
    }
}

impl<P: Part> Path for P {
    fn read(texts: &mut dyn Iterator<Item = &str>) -> Result<Self, Error> {
        let text = texts.next().unwrap_or_default();
        P::parse(text).ok_or_else(|| P::missing(text))
    }

    fn describe() -> Vec<PathPart> {
        vec![PathPart { schema: P::schema(), missing: P::missing }]
    }
}

impl<P: Path, R: Part> Path for (P, R) {
    fn read(texts: &mut dyn Iterator<Item = &str>) -> Result<Self, Error> {
        Ok((P::read(texts)?, <R as Path>::read(texts)?))
    }

    fn describe() -> Vec<PathPart> {
        [P::describe(), <R as Path>::describe()].into_iter().flatten().collect()
    }
}

/// An id, or `contact.x`.
fn field_name(text: &str) -> Option<FieldName> {
    let key = text.trim().trim_start_matches('{').trim_end_matches('}').trim();
    let is_key = key.split_once('.').is_some_and(|(model, _)| OwnerKind::parse(model).is_some());
    Id::parse(text).map(FieldName::Id).or_else(|| is_key.then(|| FieldName::Key(key.to_owned())))
}

/// What only those know who were given the address of a file.
pub(crate) struct FileSecret(pub(crate) String);

impl FileSecret {
    fn read(text: &str) -> Option<Self> {
        let suits = text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        suits.then(|| Self(text.to_owned()))
    }
}

macro_rules! parts {
    ($($type:ty, $what:literal, $parse:path, $missing:expr;)*) => {
        $(impl Part for $type {
            fn parse(text: &str) -> Option<Self> {
                $parse(text)
            }

            fn missing(text: &str) -> Error {
                $missing(text.to_owned())
            }

            fn schema() -> Value {
                word::id($what)
            }
        })*
    };
}

parts! {
    ContactId, "The id of a contact", Id::parse, |text| Error::NotFound(Noun::Contact, text);
    NoteId, "The id of a note", Id::parse, |text| Error::NotFound(Noun::Note, text);
    TaskId, "The id of a task", Id::parse, |text| Error::NotFound(Noun::Task, text);
    TagId, "The id of a tag", Id::parse, |text| Error::NotFound(Noun::Tag, text);
    PipelineId, "The id of a pipeline", Id::parse, |text| Error::NotFound(Noun::Pipeline, text);
    LostReasonId, "The id of a lost reason", Id::parse, |text| Error::NotFound(Noun::LostReason, text);
    OpportunityId, "The id of an opportunity", Id::parse, |text| Error::NotFound(Noun::Opportunity, text);
    BusinessId, "The id of a business", Id::parse, |text| Error::NotFound(Noun::Business, text);
    FieldName, "The id of a custom field, or its fieldKey", field_name,
        |text| Error::NotFound(Noun::CustomField, text);
    FileSecret, "The last part of a file's address", FileSecret::read, |text| Error::NotFound(Noun::File, text);
    CustomValueId, "The id of a custom value", Id::parse, |text| Error::NotFound(Noun::CustomValue, text);
    WorkflowId, "The id of a workflow, a UUID", Uuid::parse_id, |text| Error::NotFound(Noun::Workflow, text);
    CampaignId, "The id of a campaign", Id::parse, |text| Error::NotFound(Noun::Campaign, text);
    LinkId, "The id of a trigger link", Id::parse, |text| Error::NotFound(Noun::Link, text);
    ClickId, "The id of a click", Id::parse, |text| Error::NotFound(Noun::Click, text);
    LinkTokenId, "The id of a personal link", Id::parse, |text| Error::NotFound(Noun::LinkToken, text);
    AgencyId, "The id of a company", Id::parse, |text| Error::NotFound(Noun::Company, text);
    RecurringTaskId, "The id of a recurring task", Id::parse, |text| Error::NotFound(Noun::RecurringTask, text);
    UserId, "The id of a user", Id::parse, |text| Error::NotFound(Noun::User, text);
    ImportId, "The id of an import", Id::parse, |text| Error::NotFound(Noun::Import, text);
    TemplateId, "The id of a template", Id::parse, |text| Error::NotFound(Noun::Template, text);
    KeyId, "The id of an API key", KeyId::parse, |text| Error::NotFound(Noun::Key, text);
    NoticeId, "The id of a notification", Id::parse, |text| Error::NotFound(Noun::Notice, text);
    WebhookEndpointId, "The id of a webhook", Id::parse, |text| Error::NotFound(Noun::Webhook, text);
    WebhookDeliveryId, "The id of a delivery", Id::parse, |text| Error::NotFound(Noun::Delivery, text);
    InboundWebhookId, "The id of an inbound webhook", Id::parse, |text| Error::NotFound(Noun::InboundWebhook, text);
    InboundPayloadId, "The id of a payload", Id::parse, |text| Error::NotFound(Noun::InboundPayload, text);
    LocationId, "The id of a location", Id::parse, |_: String| Error::NoAccess;
}
