//! Contacts of API 1.0.

use keystead_core::{Error, LocationContext, TagChange, WhenDuplicate};
use keystead_model::{
    CampaignId, ContactId, WorkflowId,
    contact::{Contact, ContactPatch, IdentityKind, MAX_MERGED},
    custom_field::OwnerKind,
    tag::TagName,
};

use crate::{
    call::Call,
    reader::Reader,
    shape::{Bare, EmptyString, EmptyText, Envelope, Fields, Input, Many, One, Written},
    v2::{
        contacts::{
            enrollments::{self, Start},
            identities,
            input::common,
            listing::Listing,
            shapes::{ListMeta, held},
            tags::Tags,
        },
        field_values,
    },
};

/// A contact of API 1.0.
pub(crate) struct Shape(Contact);

impl Envelope for Shape {
    const ONE: &'static str = "contact";
    const MANY: &'static str = "contacts";
}

impl Written for Shape {
    const NAME: &'static str = "Contact";

    fn sample() -> Self {
        Self(Contact::sample())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self(contact) = self;
        let profile = &contact.profile;
        fields.put("id", &contact.id);
        fields.put("locationId", &contact.location);
        fields.opt("contactName", profile.full_name().as_ref());
        fields.opt("firstName", profile.first_name.as_ref());
        fields.opt("lastName", profile.last_name.as_ref());
        fields.opt("companyName", profile.company_name.as_ref());
        fields.opt("email", profile.email.as_ref());
        fields.opt("emailLowerCase", profile.email.as_ref().map(|email| email.normalized()).as_ref());
        fields.opt("phone", profile.phone.as_ref());
        fields.opt("source", profile.source.as_ref());
        fields.opt("assignedTo", profile.assigned_to.as_ref());
        fields.opt("address1", profile.address1.as_ref());
        fields.opt("city", profile.city.as_ref());
        fields.opt("state", profile.state.as_ref());
        fields.opt("postalCode", profile.postal_code.as_ref());
        fields.opt("country", profile.country.as_ref());
        fields.opt("website", profile.website.as_ref());
        fields.opt("timezone", profile.timezone.as_ref());
        fields.opt("dateOfBirth", profile.date_of_birth.as_ref());
        fields.put("dnd", &profile.dnd);
        fields.one_of("type", Contact::TYPE, &[Contact::TYPE]);
        fields.put("dateAdded", &contact.created_at);
        fields.put("dateUpdated", &contact.updated_at);
        fields.put("lastActivity", &contact.updated_at.0);
        fields.put("tags", &contact.tags);
        fields.put("additionalEmails", &profile.additional_emails);
        fields.put("additionalPhones", &profile.additional_phones);
        fields.opt("businessId", profile.business.as_ref());
        fields.put("followers", &profile.followers);
        fields.put("customField", &held(contact));
    }
}

/// A new contact, or a known one that it names.
pub(crate) struct NewContact(ContactPatch);

/// A change of one.
pub(crate) struct ContactChange(ContactPatch);

fn contact(reader: &mut Reader<'_>) -> ContactPatch {
    // What names no field is passed over, as everything that this API does not know.
    let custom_fields = field_values::read_map(reader, OwnerKind::Contact).values;
    ContactPatch { custom_fields, ..common(reader, MAX_MERGED) }
}

impl Input for NewContact {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let patch = contact(reader);
        let is_told_apart = !patch.identities().is_empty();
        reader.one_of("email or phone", &["email", "phone"], "should not be empty", is_told_apart);
        Some(Self(patch))
    }
}

impl Input for ContactChange {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self(contact(reader)))
    }
}

/// Some contacts.
pub(crate) struct List {
    contacts: Vec<Shape>,
    meta: ListMeta,
}

impl Written for List {
    fn sample() -> Self {
        Self { contacts: vec![Shape::sample()], meta: ListMeta::sample() }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("contacts", &self.contacts);
        fields.put("meta", &self.meta);
    }
}

/// All tags of a contact.
pub(crate) struct AllTags(Vec<TagName>);

impl Written for AllTags {
    fn sample() -> Self {
        Self(Contact::sample().tags)
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("tags", &self.0);
    }
}

/// Appointments of a contact: there are no calendars yet.
pub(crate) struct Appointments;

impl Written for Appointments {
    fn sample() -> Self {
        Self
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put::<[String]>("events", &[]);
    }
}

pub(crate) async fn create(context: LocationContext, call: Call<(), Bare, NewContact>) -> Result<One<Shape>, Error> {
    let when = WhenDuplicate::UpdateWhereForbidden;
    Ok(One(Shape(call.app.upsert_contact(&context, call.body.0, when).await?.contact)))
}

pub(crate) async fn get(context: LocationContext, call: Call<ContactId>) -> Result<One<Shape>, Error> {
    Ok(One(Shape(call.app.get_contact(&context, call.path).await?)))
}

pub(crate) async fn update(
    context: LocationContext,
    call: Call<ContactId, Bare, ContactChange>,
) -> Result<One<Shape>, Error> {
    Ok(One(Shape(call.app.update_contact(&context, call.path, call.body.0).await?)))
}

pub(crate) async fn delete(context: LocationContext, call: Call<ContactId>) -> Result<EmptyText, Error> {
    call.app.delete_contact(&context, call.path).await?;
    Ok(EmptyText)
}

pub(crate) async fn list(context: LocationContext, call: Call<(), Listing>) -> Result<List, Error> {
    let found = call.query.run(&call.app, &context).await?;
    let meta = call.query.meta(&format!("{}/v1/contacts/?{}", call.base_url, call.query.order()), &found);
    Ok(List { contacts: found.page.map(Shape).rows, meta })
}

/// By what a contact is looked for.
pub(crate) struct Looked(Vec<(IdentityKind, String)>);

impl Input for Looked {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        let (email, phone) = (query.word("email"), query.word("phone"));
        Some(Self(identities(email, phone, query.ground().country())))
    }
}

pub(crate) async fn lookup(context: LocationContext, call: Call<(), Looked>) -> Result<Many<Shape>, Error> {
    if call.query.0.is_empty() {
        return Err(Error::invalid("email or phone", "must be given, as an address or a number that there can be"));
    }
    let found = call.app.find_contact_by_identity(&context, call.query.0).await?;
    let contact = found.ok_or_else(|| Error::invalid("email or phone", "matches no contact"))?;
    Ok(Many(vec![Shape(contact)]))
}

pub(crate) async fn add_tags(context: LocationContext, call: Call<ContactId, Bare, Tags>) -> Result<AllTags, Error> {
    Ok(AllTags(call.app.change_contact_tags(&context, call.path, TagChange::Add(call.body.0)).await?.after))
}

pub(crate) async fn remove_tags(context: LocationContext, call: Call<ContactId, Bare, Tags>) -> Result<AllTags, Error> {
    Ok(AllTags(call.app.change_contact_tags(&context, call.path, TagChange::Remove(call.body.0)).await?.after))
}

pub(crate) async fn appointments(context: LocationContext, call: Call<ContactId>) -> Result<Appointments, Error> {
    call.app.get_contact(&context, call.path).await?;
    Ok(Appointments)
}

pub(crate) async fn into_workflow(
    context: LocationContext,
    call: Call<(ContactId, WorkflowId), Bare, Start>,
) -> Result<EmptyString, Error> {
    enrollments::into_workflow(context, call).await?;
    Ok(EmptyString)
}

pub(crate) async fn from_workflow(
    context: LocationContext,
    call: Call<(ContactId, WorkflowId), Bare, Start>,
) -> Result<EmptyString, Error> {
    enrollments::from_workflow(context, call).await?;
    Ok(EmptyString)
}

pub(crate) async fn into_campaign(
    context: LocationContext,
    call: Call<(ContactId, CampaignId)>,
) -> Result<EmptyString, Error> {
    enrollments::into_campaign(context, call).await?;
    Ok(EmptyString)
}

pub(crate) async fn from_campaign(
    context: LocationContext,
    call: Call<(ContactId, CampaignId)>,
) -> Result<EmptyString, Error> {
    enrollments::from_campaign(context, call).await?;
    Ok(EmptyString)
}

pub(crate) async fn from_campaigns(context: LocationContext, call: Call<ContactId>) -> Result<EmptyString, Error> {
    enrollments::from_campaigns(context, call).await?;
    Ok(EmptyString)
}
