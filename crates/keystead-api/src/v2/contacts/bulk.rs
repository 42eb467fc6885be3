//! Many contacts in one call.

use keystead_core::{self as core, Error, LocationContext, OldTags, TagChange, TagsChanged, WhenDuplicate};
use keystead_model::{BusinessId, ContactId, contact::MAX_TAGS, id::Id, tag::TagName, text::echo};
use serde_json::Value;

use super::{input::Upsert, shapes::left_out};
use crate::{
    call::Call,
    many::{Batch, Done, MOST, OneOfMany, Outcomes},
    reader::Reader,
    shape::{Bare, Fields, Input, Written, path::Part, word},
    v2::{failure::Problem, samples},
};

impl OneOfMany for Upsert {
    const MANY: &'static str = "contacts";
}

/// Many contacts, and how they are made or changed.
pub(crate) struct UpsertOfMany {
    batch: Batch<Upsert>,
    how: core::UpsertMany,
}

impl Input for UpsertOfMany {
    const COUNTED: Option<&'static str> = Batch::<Upsert>::COUNTED;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let is_trial = reader.truth("dryRun").unwrap_or(false);
        let old_tags = if reader.truth("addTags").unwrap_or(false) { OldTags::Kept } else { OldTags::Replaced };
        Some(Self { batch: Batch::read(reader)?, how: core::UpsertMany { is_trial, old_tags } })
    }
}

pub(crate) async fn upsert(context: LocationContext, call: Call<(), Bare, UpsertOfMany>) -> Result<Outcomes, Error> {
    let app = &call.app;
    let UpsertOfMany { batch, how } = call.body;
    let work = |contacts: Vec<Upsert>| async {
        let each = contacts
            .into_iter()
            .map(|Upsert { patch, skipped, makes_another }| ((patch, WhenDuplicate::unless(makes_another)), skipped));
        let (contacts, skipped): (Vec<_>, Vec<_>) = each.unzip();
        let results = app.upsert_contacts(&context, contacts, how).await?;
        Ok(results.into_iter().zip(skipped).map(|(result, skipped)| Ok((result?, skipped))).collect())
    };
    let done =
        |(core::Upserted { contact, is_new, skipped: fields, .. }, mut skipped): (core::Upserted, Vec<String>)| {
            skipped.extend(left_out(fields));
            Done { id: contact.id.to_string(), is_new, skipped }
        };
    Ok(Outcomes::of(batch.run(work).await?, done))
}

/// Whether tags are added or taken away, as the path says it.
#[derive(Clone, Copy)]
pub(crate) enum TagUpdate {
    Add,
    Remove,
}

impl Part for TagUpdate {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "add" => Some(Self::Add),
            "remove" => Some(Self::Remove),
            _ => None,
        }
    }

    fn missing(_: &str) -> Error {
        let message = "The path must end in add or remove".to_owned();
        Error::Conflict(core::ErrorCode::PathUnknown, message)
    }

    fn schema() -> Value {
        word::one_of(["add", "remove"])
    }
}

/// Some at least.
fn some(list: Option<Vec<String>>) -> Option<Vec<String>> {
    list.filter(|list| !list.is_empty())
}

/// Tags of many contacts. What names no contact is told of with the others.
pub(crate) struct TagsOfMany {
    contacts: Vec<String>,
    tags: Vec<TagName>,
    all: bool,
}

impl Input for TagsOfMany {
    const COUNTED: Option<&'static str> = Some("contacts");

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.names_location();
        let contacts = reader.required("contacts", |reader| some(reader.words("contacts", MOST)));
        let tags: Option<Vec<TagName>> = reader.words("tags", MAX_TAGS);
        let all = reader.truth("removeAllTags").unwrap_or(false);
        let is_there = all || tags.as_ref().is_some_and(|tags| !tags.is_empty());
        reader.one_of("tags", &["tags", "removeAllTags"], "should not be empty", is_there);
        Some(Self { contacts: contacts?, tags: tags.unwrap_or_default(), all })
    }

    fn settle(example: &mut serde_json::Map<String, Value>) {
        // Only where tags are taken away, and the path says that.
        example.remove("removeAllTags");
    }
}

pub(crate) async fn update_tags(
    context: LocationContext,
    call: Call<TagUpdate, Bare, TagsOfMany>,
) -> Result<TagsUpdated, Error> {
    let TagsOfMany { contacts, tags, all } = call.body;
    let change = match (call.path, all) {
        (TagUpdate::Add, false) => TagChange::Add(tags),
        (TagUpdate::Add, true) => return Err(Error::invalid("removeAllTags", "goes with remove, not with add")),
        (TagUpdate::Remove, false) => TagChange::Remove(tags),
        (TagUpdate::Remove, true) => TagChange::RemoveAll,
    };
    let ids: Vec<ContactId> = contacts.iter().filter_map(|text| Id::parse(text.trim())).collect();
    let mut results = call.app.change_tags_of_contacts(&context, ids, change).await?.into_iter();
    let of = |contact: String| {
        let known = ContactId::parse(contact.trim()).and_then(|_| results.next());
        let result = known.unwrap_or_else(|| Err(ContactId::missing(&contact)));
        TagsOfOne { contact: echo(&contact), update: call.path, result: result.map_err(Problem::of) }
    };
    Ok(TagsUpdated(contacts.into_iter().map(of).collect()))
}

/// What became of the tags of one contact.
struct TagsOfOne {
    contact: String,
    update: TagUpdate,
    result: Result<TagsChanged, Problem>,
}

impl Written for TagsOfOne {
    const NAME: &'static str = "TagsOfContact";

    fn sample() -> Self {
        let changed = TagsChanged { before: Vec::new(), after: samples::contact().tags };
        Self { contact: word::THING.to_owned(), update: TagUpdate::Add, result: Ok(changed) }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { contact, update, result } = self;
        let (changed, refusal) = (result.as_ref().ok(), result.as_ref().err());
        let message = match (refusal, update) {
            (Some(refusal), _) => refusal.sentence(),
            (None, TagUpdate::Add) => "Tags added".to_owned(),
            (None, TagUpdate::Remove) => "Tags removed".to_owned(),
        };
        fields.put("contactId", contact);
        fields.put("message", &message);
        fields.one_of("type", if refusal.is_some() { "error" } else { "success" }, &["success", "error"]);
        fields.put("oldTags", &changed.map(|changed| changed.before.clone()).unwrap_or_default());
        fields.put("tagsAdded", &changed.map(TagsChanged::added).unwrap_or_default());
        fields.put("tagsRemoved", &changed.map(TagsChanged::removed).unwrap_or_default());
        fields.opt("error", refusal);
    }
}

/// What became of the tags of each.
pub(crate) struct TagsUpdated(Vec<TagsOfOne>);

impl Written for TagsUpdated {
    fn sample() -> Self {
        Self(vec![TagsOfOne::sample()])
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let errors = self.0.iter().filter(|one| one.result.is_err()).count();
        fields.put("succeded", &(errors == 0));
        fields.put("succeeded", &(errors == 0));
        fields.put("errorCount", &errors);
        fields.put("responses", &self.0);
    }
}

/// Many contacts, and the business that they work for.
pub(crate) struct BusinessOfMany {
    contacts: Vec<String>,
    business: Option<BusinessId>,
}

impl Input for BusinessOfMany {
    const COUNTED: Option<&'static str> = Some("ids");

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.names_location();
        let contacts = reader.required("ids", |reader| some(reader.words("ids", MOST)));
        let business =
            reader.required("businessId", |reader| reader.nullable("businessId", |reader| reader.word("businessId")));
        Some(Self { contacts: contacts?, business: business? })
    }

    fn settle(example: &mut serde_json::Map<String, Value>) {
        // Which business there is the documents do not know.
        example.insert("businessId".to_owned(), Value::Null);
    }
}

pub(crate) async fn set_business(
    context: LocationContext,
    call: Call<(), Bare, BusinessOfMany>,
) -> Result<BusinessSet, Error> {
    let BusinessOfMany { contacts, business } = call.body;
    let ids = contacts.iter().filter_map(|text| Id::parse(text.trim())).collect();
    call.app.set_business_of_contacts(&context, ids, business).await.map(BusinessSet)
}

/// The contacts that are there.
pub(crate) struct BusinessSet(Vec<ContactId>);

impl Written for BusinessSet {
    fn sample() -> Self {
        Self(vec![samples::contact().id])
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("success", &true);
        fields.put("ids", &self.0);
    }
}
