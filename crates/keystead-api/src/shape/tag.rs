//! ETags: what a thing is, in one word that is another after every change of it.

use std::any::Any;

use http::{HeaderMap, header};
use keystead_core::Seen;
use keystead_model::{
    api_key::ApiKey,
    business::Business,
    campaign::Campaign,
    contact::Contact,
    custom_field::CustomField,
    custom_value::CustomValue,
    field_value::ValueSet,
    inbound_webhook::InboundWebhook,
    link::Link,
    location::Location,
    note::Note,
    notice::Notice,
    opportunity::Opportunity,
    pipeline::{LostReason, Pipeline},
    recurring_task::{Progress, RecurringTask},
    tag::Tag,
    task::Task,
    template::Template,
    user::User,
    webhook::{Health, WebhookEndpoint},
    workflow::Workflow,
};
use sha2::{Digest, Sha256};

use super::{Written, output::to_bytes};
use crate::v2::{locations::Full, users::Account};

/// A thing that has a tag.
#[diagnostic::on_unimplemented(message = "`{Self}` has no ETag: say in `shape::tag` what it is made of")]
pub(crate) trait Tagged: Any {
    /// Its tag, without quotes.
    fn tag(&self) -> String;
}

/// Of what is answered, in the older shape whatever the version, so that the tag of one version holds for another.
pub(crate) fn of_answer(answer: &impl Written) -> String {
    of_text(&to_bytes(answer))
}

fn of_text(text: &[u8]) -> String {
    let bits = Sha256::digest(text).iter().take(16).fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
    format!("{bits:032x}")
}

macro_rules! answered_whole {
    ($($type:ty),*) => {
        $(impl Tagged for $type {
            fn tag(&self) -> String {
                of_answer(self)
            }
        })*
    };
}

answered_whole!(Note, Task, CustomValue, CustomField, Business);
answered_whole!(Workflow, Campaign, Link, Template, InboundWebhook);
answered_whole!(Pipeline, LostReason);

/// That a task has come changes what is answered of its rule, and nothing about it.
impl Tagged for RecurringTask {
    fn tag(&self) -> String {
        of_answer(&Self { progress: Progress::default(), ..self.clone() })
    }
}

/// That a contact has it now changes what is answered of a tag, and nothing about it.
impl Tagged for Tag {
    fn tag(&self) -> String {
        of_answer(&Self { contacts: 0, ..self.clone() })
    }
}

/// Whatever is changed of a contact makes it later than it was, but for the names of its tags, its business, and fields that its
/// location takes away: these change on their own. Most answers have this tag: to write the contact once more for it would cost as
/// much as to answer.
impl Tagged for Contact {
    fn tag(&self) -> String {
        let mut text = self.updated_at.0.to_string();
        if let Some(business) = &self.profile.business {
            text.push_str(business.as_str());
        }
        for tag in &self.tags {
            text.push('\n');
            text.push_str(tag.as_str());
        }
        push_fields(&mut text, &self.custom_fields);
        of_text(text.as_bytes())
    }
}

/// Likewise; what is known of its contact is the contact's.
impl Tagged for Opportunity {
    fn tag(&self) -> String {
        let mut text = format!("{} {}", self.id, self.updated_at.0);
        push_fields(&mut text, &self.custom_fields);
        of_text(text.as_bytes())
    }
}

fn push_fields(text: &mut String, held: &ValueSet) {
    for held in held {
        text.push('\n');
        text.push_str(held.field.id.as_str());
    }
}

impl Tagged for Location {
    fn tag(&self) -> String {
        of_answer(&Full(self.clone()))
    }
}

impl Tagged for User {
    fn tag(&self) -> String {
        of_answer(&Account(self.clone()))
    }
}

/// A use changes what is answered of a key, and nothing about it.
impl Tagged for ApiKey {
    fn tag(&self) -> String {
        self.version.to_string()
    }
}

/// How it answers changes what is answered of a webhook, and nothing about it.
impl Tagged for WebhookEndpoint {
    fn tag(&self) -> String {
        of_answer(&Self { health: Health::default(), ..self.clone() })
    }
}

/// The days that are left change what is answered of a notification.
impl Tagged for Notice {
    fn tag(&self) -> String {
        of_text(format!("{} {} {}", self.id, self.reading.as_str(), self.open).as_bytes())
    }
}

/// What a request says that it has seen of a `T`; `None` if it says nothing, or takes whatever is there (`*`).
pub(crate) fn seen<T: Tagged>(headers: &HeaderMap) -> Option<Seen> {
    let mut tags = Vec::new();
    for value in headers.get_all(header::IF_MATCH) {
        // What is no text is nobody's tag. A weak tag says that much may have changed, so it is none either (RFC 9110).
        let text = value.to_str().unwrap_or_default();
        tags.extend(text.split(',').map(|tag| tag.trim().trim_matches('"').to_owned()));
    }
    if tags.is_empty() || tags.iter().any(|tag| tag == "*") {
        return None;
    }
    Some(Seen::new(move |thing: &T| tags.contains(&thing.tag())))
}
