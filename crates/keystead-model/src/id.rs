//! Identifiers. Every owner has its own type, so that a contact's id cannot be passed for a location's.
//!
//! The wire contract has ids of 20 characters `[A-Za-z0-9]`. Ours begin with the time of their creation, so rows
//! that are made together lie together in an index; the rest is random and cannot be guessed.

use std::{cmp::Ordering, fmt, hash, marker::PhantomData, str};

use crate::{
    agency::Agency, base62, business::Business, campaign::Campaign, click::Click, click::LinkToken, contact::Contact,
    custom_field::CustomField, custom_value::CustomValue, inbound_webhook::InboundPayload,
    inbound_webhook::InboundWebhook, link::Link, location::Location, note::Note, notice::Notice,
    opportunity::Opportunity, pipeline::LostReason, pipeline::Pipeline, recurring_task::RecurringTask,
    saved_view::SavedView, tag::Tag, task::Task, template::Template, time::UtcMs, user::User, uuid::Uuid,
    webhook::WebhookDelivery, webhook::WebhookEndpoint, workflow::Workflow,
};

/// An id of 20 base 62 characters that names one `T`.
pub struct Id<T> {
    text: [u8; 20],
    names: PhantomData<fn() -> T>,
}

/// Number of characters of an [`Id`].
pub const ID_LENGTH: usize = 20;
const TIME_DIGITS: usize = 8;

impl<T> Id<T> {
    /// A new id: eight digits of time, twelve random ones (71 bits).
    pub fn generate(now: UtcMs, random: impl FnMut(&mut [u8])) -> Self {
        let mut text = [0; ID_LENGTH];
        let (time, rest) = text.split_at_mut(TIME_DIGITS);
        base62::write_number(now.0.max(0).cast_unsigned(), time);
        base62::fill_random(rest, random);
        Self { text, names: PhantomData }
    }

    /// `None` if `text` does not have an id's form; such a text names nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let text: [u8; ID_LENGTH] = text.as_bytes().try_into().ok()?;
        base62::is_base62(&text).then_some(Self { text, names: PhantomData })
    }

    /// The id whose digits are `number`; `None` for a number that has more.
    pub(crate) fn from_number(number: u128) -> Option<Self> {
        let mut text = [0; ID_LENGTH];
        base62::write_wide(number, &mut text);
        (base62::read_wide(&text) == number).then_some(Self { text, names: PhantomData })
    }

    /// The same id, whatever it names.
    pub fn of_anything(self) -> Id<()> {
        Id { text: self.text, names: PhantomData }
    }

    /// The id of something, where it was kept without saying of what.
    pub fn of<U>(self) -> Id<U> {
        Id { text: self.text, names: PhantomData }
    }

    /// When it was made, as its first digits tell.
    pub fn time(&self) -> UtcMs {
        UtcMs(base62::read_number(&self.text[..TIME_DIGITS]).cast_signed())
    }

    /// The 20 characters.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.text).expect("an id is ASCII")
    }

    /// The same as bytes.
    pub fn as_bytes(&self) -> &[u8; ID_LENGTH] {
        &self.text
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}
impl<T> hash::Hash for Id<T> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}
impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl<T> serde::Serialize for Id<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
impl<'de, T> serde::Deserialize<'de> for Id<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("must be an id"))
    }
}

/// Names an agency (`companyId` on the wire).
pub type AgencyId = Id<Agency>;
/// Names a location.
pub type LocationId = Id<Location>;
/// Names a user.
pub type UserId = Id<User>;
/// Names a contact.
pub type ContactId = Id<Contact>;
/// Names a note of a contact.
pub type NoteId = Id<Note>;
/// Names a task of a contact.
pub type TaskId = Id<Task>;
/// Names a custom field of a location.
pub type CustomFieldId = Id<CustomField>;
/// Names a business.
pub type BusinessId = Id<Business>;
/// Names a pipeline.
pub type PipelineId = Id<Pipeline>;
/// Names a stage of a pipeline.
pub type StageId = Uuid;
/// Names a reason for which opportunities are lost.
pub type LostReasonId = Id<LostReason>;
/// Names an opportunity.
pub type OpportunityId = Id<Opportunity>;
/// Names a custom value of a location.
pub type CustomValueId = Id<CustomValue>;
/// Names a workflow. On the wire it is a UUID that says the same, see [`crate::uuid::Uuid::of`].
pub type WorkflowId = Id<Workflow>;
/// Names a campaign.
pub type CampaignId = Id<Campaign>;
/// Names a recurring task.
pub type RecurringTaskId = Id<RecurringTask>;
/// Names an endpoint of webhooks.
pub type WebhookEndpointId = Id<WebhookEndpoint>;
/// Names the delivery of a message to an endpoint.
pub type WebhookDeliveryId = Id<WebhookDelivery>;
/// Names an inbound webhook.
pub type InboundWebhookId = Id<InboundWebhook>;
/// Names a payload of an inbound webhook.
pub type InboundPayloadId = Id<InboundPayload>;
/// Names a saved view of a list.
pub type SavedViewId = Id<SavedView>;
/// Names a template.
pub type TemplateId = Id<Template>;
/// Names a trigger link.
pub type LinkId = Id<Link>;
/// Names a click on a trigger link.
pub type ClickId = Id<Click>;
/// Names a trigger link of one contact.
pub type LinkTokenId = Id<LinkToken>;
/// Names a tag of a location.
pub type TagId = Id<Tag>;
/// Id of a notice.
pub type NoticeId = Id<Notice>;

/// The public id of an API key: 12 random base 62 characters, the second part of its secret's text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 12]);

impl KeyId {
    /// Number of characters.
    pub const LENGTH: usize = 12;

    /// A new random id.
    pub fn generate(random: impl FnMut(&mut [u8])) -> Self {
        let mut text = [0; Self::LENGTH];
        base62::fill_random(&mut text, random);
        Self(text)
    }

    /// `None` if `text` does not have a key id's form.
    pub fn parse(text: &str) -> Option<Self> {
        Self::from_bytes(text.as_bytes())
    }

    pub(crate) fn from_bytes(text: &[u8]) -> Option<Self> {
        let text: [u8; Self::LENGTH] = text.try_into().ok()?;
        base62::is_base62(&text).then_some(Self(text))
    }

    /// The 12 characters.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("a key id is ASCII")
    }

    /// The 12 bytes, for hashing and sharding.
    pub fn as_bytes(&self) -> &[u8; 12] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl serde::Serialize for KeyId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
