//! Reading a contact from a body, the same for create, update and upsert, and for both APIs.

use keystead_model::{
    Invalid,
    contact::{
        ContactPatch, DND_CHANNELS, Dnd, DndSettings, DndStatus, MAX_ADDITIONAL, MAX_MERGED, MAX_TAGS, split_name,
    },
    custom_field::OwnerKind,
    tag::TagName,
    text::Line,
};
use serde_json::{Value, json};

use crate::{
    reader::Reader,
    shape::{Ground, Input, Word, word::one_of},
    v2::field_values::{self, Sent},
};

/// Parts of the input that were understood and not written.
pub(crate) type Skipped = Vec<String>;

/// A new contact.
pub(crate) struct NewContact(pub(crate) ContactPatch, pub(crate) Skipped);

/// A change of one.
pub(crate) struct ContactChange(pub(crate) ContactPatch, pub(crate) Skipped);

/// Either, as what it names is known or not.
pub(crate) struct Upsert {
    pub(crate) patch: ContactPatch,
    pub(crate) skipped: Skipped,
    /// Whether another contact is made where the location allows duplicates.
    pub(crate) makes_another: bool,
}

impl Input for NewContact {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (patch, skipped) = identified(reader, MAX_ADDITIONAL);
        Some(Self(patch, skipped))
    }
}

impl Input for ContactChange {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (patch, skipped) = contact(reader, MAX_MERGED);
        Some(Self(patch, skipped))
    }
}

impl Input for Upsert {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let makes_another = reader.truth("createNewIfDuplicateAllowed").unwrap_or(false);
        let (patch, skipped) = identified(reader, MAX_MERGED);
        Some(Self { patch, skipped, makes_another })
    }
}

/// A contact that may be new, so that something must tell it apart. The operation sees to that: an upsert may name a contact
/// that has it already.
fn identified(reader: &mut Reader<'_>, further: usize) -> (ContactPatch, Skipped) {
    reader.names_location();
    reader.one_of("email", &["email", "phone", "name", "firstName", "lastName"], "", true);
    contact(reader, further)
}

/// The fields of API 2.0.
fn contact(reader: &mut Reader<'_>, further: usize) -> (ContactPatch, Skipped) {
    let mut patch = common(reader, further);
    patch.gender = reader.clearable("gender");
    patch.dnd_settings = reader.object("dndSettings", dnd_settings).unwrap_or_default();
    patch.inbound_dnd = reader.removable("inboundDndSettings", |reader| {
        reader.object("inboundDndSettings", |inner| inner.object("all", dnd).flatten()).flatten()
    });
    patch.assigned_to = reader.removable_word("assignedTo");
    let Sent { values, skipped } = field_values::read(reader, OwnerKind::Contact);
    patch.custom_fields = values;
    (patch, skipped)
}

/// The fields that both APIs have. Of one that may be there already there are as many `further` addresses as a merger leaves, since
/// what is answered can be sent back; the operation sees to it that they become no more.
pub(crate) fn common(reader: &mut Reader<'_>, further: usize) -> ContactPatch {
    let mut patch = ContactPatch {
        email: reader.removable_word("email"),
        phone: reader.removable_word("phone"),
        company_name: reader.clearable("companyName"),
        address1: reader.clearable("address1"),
        city: reader.clearable("city"),
        state: reader.clearable("state"),
        postal_code: reader.clearable("postalCode"),
        country: reader.removable_word("country"),
        website: reader.clearable("website"),
        timezone: reader.removable_word("timezone"),
        source: reader.clearable("source"),
        date_of_birth: reader.removable_word("dateOfBirth"),
        dnd: reader.truth("dnd"),
        tags: reader.words("tags", MAX_TAGS).map(without_repeats),
        additional_emails: reader.words("additionalEmails", further),
        additional_phones: reader.words("additionalPhones", further),
        ..ContactPatch::default()
    };
    // A whole name is split at its first space, and has no family name where there is none; given and family name win over it.
    let whole: Option<WholeName> = reader.word("name");
    let (first, last) = match whole {
        Some(WholeName(first, last)) => (Some(first), Some(last)),
        None => (None, None),
    };
    patch.first_name = over(reader.clearable("firstName"), first);
    patch.last_name = over(reader.clearable("lastName"), last);
    patch
}

/// Given and family name in one.
struct WholeName(Option<Line<100>>, Option<Line<100>>);

impl Word for WholeName {
    const EXAMPLE: &'static str = "Ada Lovelace";

    fn schema() -> Value {
        json!({"type": "string", "maxLength": 201, "description": "Given and family name, split at the first space"})
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        let part = |text: &str| if text.is_empty() { Ok(None) } else { Line::parse(text).map(Some) };
        let (first, last) = split_name(text);
        Ok(Self(part(first)?, part(last)?))
    }
}

/// A part of a name, over that part of the whole name. Forms send empty parts beside a whole name, which is not emptied by them.
fn over(part: Option<Option<Line<100>>>, whole: Option<Option<Line<100>>>) -> Option<Option<Line<100>>> {
    match part {
        None | Some(None) => whole.or(part),
        Some(Some(_)) => part,
    }
}

fn without_repeats(tags: Vec<TagName>) -> Vec<TagName> {
    let mut unique: Vec<TagName> = Vec::with_capacity(tags.len());
    for tag in tags {
        if !unique.contains(&tag) {
            unique.push(tag);
        }
    }
    unique
}

/// Channels under the names of either version.
fn dnd_settings(reader: &mut Reader<'_>) -> DndSettings {
    DND_CHANNELS.map(|(older, v3)| reader.object(older, dnd).flatten().or_else(|| reader.object(v3, dnd).flatten()))
}

fn dnd(reader: &mut Reader<'_>) -> Option<Dnd> {
    let message = reader.word("message");
    let code = reader.word("code");
    let status = reader.required("status", |reader| reader.word("status"))?;
    Some(Dnd { status, message, code })
}

impl Word for DndStatus {
    const EXAMPLE: &'static str = "active";

    fn schema() -> Value {
        one_of(["active", "inactive", "permanent"])
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Self::parse(text).ok_or_else(|| Invalid::new("must be one of active, inactive, permanent"))
    }
}
