//! Contacts.

use keystead_model::{
    BusinessId, ContactId, LocationId, UserId, UtcMs,
    calendar_date::CalendarDate,
    contact::{
        Contact, ContactCursor, ContactFilter, ContactOrder, ContactPatch, ContactProfile, DND_CHANNELS, Dnd,
        DuplicateContact, IdentityKind, MAX_ADDITIONAL, MAX_FOLLOWERS, MAX_TAGS,
    },
    contact_field::ContactField,
    contact_upsert::LeftOut,
    custom_field::OwnerKind,
    event::{Cause, EventKind},
    field_value::ValueSet,
    page::{Counted, Start, Window},
    phone::PhoneNumber,
    scope::Scope,
    sort::{SortKey, SortPlace},
    tag::{Tag, TagName},
    text::{Country, EmailAddress, Line, TimeZoneName},
};
use keystead_store::{Tx, contact_identities, contact_search, contact_trash, contacts, locations};
use serde_json::Value as Json;

use crate::{
    App, Error, LocationContext, Result,
    error::Noun,
    events::{Described, Fields, Happened, put, put_all},
    field_values::put_values,
    idempotency,
    operate::InLocation,
    webhooks,
};

/// What makes a search short.
const SHORTENS: &str = "what few contacts have: email, phone, tags, businessId or customFields.<id>";

/// What an upsert did.
pub struct Upserted {
    /// The contact after it.
    pub contact: Contact,
    /// Whether it was made.
    pub is_new: bool,
    /// Whether it was made, or changed.
    pub is_changed: bool,
    /// What was not written.
    pub skipped: Vec<LeftOut>,
}

/// What to do about a contact that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenDuplicate {
    /// Update it, also where the location allows duplicates.
    Update,
    /// Update it where the location forbids duplicates, else make another one.
    UpdateWhereForbidden,
}

impl WhenDuplicate {
    /// Whether another contact may be made, where duplicates are allowed.
    pub fn unless(makes_another: bool) -> Self {
        if makes_another { Self::UpdateWhereForbidden } else { Self::Update }
    }
}

/// What becomes of the tags of a contact that is there already, where others are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OldTags {
    /// Those that are sent replace them.
    #[default]
    Replaced,
    /// Those that are sent are added to them.
    Kept,
}

impl App {
    /// Makes a contact. Where the location forbids duplicates, one with the same e-mail or phone is an error.
    pub async fn create_contact(&self, context: &LocationContext, new: ContactPatch) -> Result<Contact> {
        let telling = Telling::of(context, &new);
        let run = move |operation: &mut InLocation<'_, '_>| operation.create_contact(new.clone());
        let made =
            self.operate(context, Scope::ContactsIntake, run, |operation, lost| operation.contact(lost.id()?)).await;
        made.map(|contact| telling.of_contact(contact)).map_err(|error| telling.of_error(error))
    }

    /// One contact.
    pub async fn get_contact(&self, context: &LocationContext, id: ContactId) -> Result<Contact> {
        self.look_up(context, Scope::ContactsRead, move |operation| operation.contact(id)).await
    }

    /// Changes a contact.
    pub async fn update_contact(
        &self,
        context: &LocationContext,
        id: ContactId,
        patch: ContactPatch,
    ) -> Result<Contact> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.update_contact(id, patch.clone());
        self.operate(context, Scope::ContactsWrite, run, move |operation, _| operation.contact(id)).await
    }

    /// Makes a contact, or changes the one with the same e-mail or phone.
    ///
    /// If e-mail and phone match two contacts, the first wins and the other field is passed over. What the contact is told
    /// apart by it keeps, see [`ContactPatch::add_to`].
    pub async fn upsert_contact(
        &self,
        context: &LocationContext,
        patch: ContactPatch,
        when: WhenDuplicate,
    ) -> Result<Upserted> {
        let telling = Telling::of(context, &patch);
        let run =
            move |operation: &mut InLocation<'_, '_>| operation.upsert_contact(patch.clone(), when, OldTags::Replaced);
        let upserted = self.operate(context, Scope::ContactsIntake, run, |operation, lost| {
            let contact = operation.contact(lost.id()?)?;
            let is_new = lost.told(operation.tx, EventKind::ContactCreated)?;
            let is_changed = is_new || lost.told(operation.tx, EventKind::ContactUpdated)?;
            Ok(Upserted { is_new, is_changed, contact, skipped: Vec::new() })
        });
        let told = |upserted: Upserted| Upserted { contact: telling.of_contact(upserted.contact), ..upserted };
        upserted.await.map(told).map_err(|error| telling.of_error(error))
    }

    /// Puts a contact into the trash, where it stays for 30 days.
    pub async fn delete_contact(&self, context: &LocationContext, id: ContactId) -> Result<()> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.delete_contact(id);
        self.operate(context, Scope::ContactsWrite, run, |_, _| Ok(())).await
    }

    /// A page of contacts in the filter's order, and how many match in all.
    pub async fn list_contacts(
        &self,
        context: &LocationContext,
        filter: ContactFilter,
        window: Window<ContactCursor>,
    ) -> Result<Counted<Contact>> {
        let time = self.limits.search;
        self.read(context, Scope::ContactsRead, move |operation| {
            let (tx, location, mut window) = (&mut *operation.tx, operation.context.location, window);
            if let Start::After(ContactCursor { at: at @ None, id: Some(id) }) = &mut window.start {
                *at = Some(place_of(tx, location, *id, filter.order)?);
            }
            contact_search::list(tx, location, &filter, &window, time)
                .map_err(|error| Error::of_search(error, SHORTENS))
        })
        .await
    }

    /// The same in the order of what contacts hold in fields; the filter's own order does not matter.
    pub async fn search_contacts(
        &self,
        context: &LocationContext,
        filter: ContactFilter,
        keys: Vec<SortKey<ContactField>>,
        window: Window<SortPlace<ContactId>>,
    ) -> Result<Counted<Contact>> {
        let time = self.limits.search;
        self.read(context, Scope::ContactsRead, move |operation| {
            contact_search::sorted(operation.tx, operation.context.location, &filter, &keys, &window, time)
                .map_err(|error| Error::of_search(error, SHORTENS))
        })
        .await
    }

    /// Those of some contacts that are not in the trash, without what is in their custom fields.
    pub async fn contacts_of(&self, context: &LocationContext, ids: Vec<ContactId>) -> Result<Vec<Contact>> {
        self.read(context, Scope::ContactsRead, move |operation| {
            Ok(contacts::find_all(operation.tx, operation.context.location, &ids)?)
        })
        .await
    }

    /// The newest contact with this e-mail address or phone number, tried in this order.
    pub async fn find_contact_by_identity(
        &self,
        context: &LocationContext,
        identities: Vec<(IdentityKind, String)>,
    ) -> Result<Option<Contact>> {
        self.read(context, Scope::ContactsRead, move |operation| {
            for (kind, value) in &identities {
                let found =
                    contact_identities::find_by_identity(operation.tx, operation.context.location, *kind, value)?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            Ok(None)
        })
        .await
    }
}

/// Whether somebody who brings something to a contact is told of the rest of it.
pub(crate) fn sees_contacts(context: &LocationContext) -> bool {
    let grant = context.authority.grant();
    grant.allows(Scope::ContactsWrite) || grant.allows(Scope::ContactsRead)
}

/// What somebody who brings a contact is told of it: those who only take in are told what they sent, and nothing that was
/// there before.
struct Telling {
    /// What was sent, where that is all.
    only: Option<ContactPatch>,
    now: UtcMs,
}

impl Telling {
    fn of(context: &LocationContext, sent: &ContactPatch) -> Self {
        Self { only: (!sees_contacts(context)).then(|| sent.clone()), now: context.authority.now() }
    }

    fn of_contact(&self, contact: Contact) -> Contact {
        match &self.only {
            Some(sent) => contact.as_sent(sent, self.now),
            None => contact,
        }
    }

    fn of_error(&self, error: Error) -> Error {
        match error {
            Error::Duplicate(duplicate) if self.only.is_some() => {
                Error::Duplicate(DuplicateContact { name: None, ..duplicate })
            }
            other => other,
        }
    }
}

impl InLocation<'_, '_> {
    /// That a contact is there, for what belongs to it.
    pub(crate) fn require_contact(&mut self, id: ContactId) -> Result<()> {
        if contacts::exists(self.tx, self.context.location, id)? { Ok(()) } else { Err(not_found(id)) }
    }

    pub(crate) fn contact(&mut self, id: ContactId) -> Result<Contact> {
        contacts::find(self.tx, self.context.location, id)?.ok_or_else(|| not_found(id))
    }

    pub(crate) fn create_contact(&mut self, new: ContactPatch) -> Result<Contact> {
        let (mut profile, mut custom_fields, id) = (ContactProfile::default(), ValueSet::default(), self.new_id());
        self.change_values((OwnerKind::Contact, id), &mut custom_fields, &new.custom_fields)?;
        let tags = new.apply(&mut profile).unwrap_or_default();
        let (location, now) = (self.context.location, self.now());
        let contact = Contact { id, location, profile, tags, custom_fields, created_at: now, updated_at: now };
        check(&contact)?;
        check_further(&ContactProfile::default(), &contact.profile)?;
        let made = contacts::insert(self.tx, &contact)?.map_err(Error::Duplicate)?;
        let cause = self.tell(Happened::made(EventKind::ContactCreated, &contact))?;
        self.tell_of_new_tags(cause, &made)?;
        Ok(contact)
    }

    pub(crate) fn update_contact(&mut self, id: ContactId, patch: ContactPatch) -> Result<Contact> {
        self.try_to_change_contact(id, move |operation, contact| {
            operation.change_values((OwnerKind::Contact, id), &mut contact.custom_fields, &patch.custom_fields)?;
            if let Some(tags) = patch.apply(&mut contact.profile) {
                contact.tags = tags;
            }
            Ok(())
        })
    }

    pub(crate) fn change_contact(&mut self, id: ContactId, change: impl FnOnce(&mut Contact)) -> Result<Contact> {
        self.try_to_change_contact(id, |_, contact| {
            change(contact);
            Ok(())
        })
    }

    /// Changes a contact, unless it is then as it was.
    pub(crate) fn try_to_change_contact(
        &mut self,
        id: ContactId,
        change: impl FnOnce(&mut Self, &mut Contact) -> Result<()>,
    ) -> Result<Contact> {
        let before = self.contact(id)?;
        self.context.authority.expect(&before)?;
        let mut contact = before.clone();
        change(self, &mut contact)?;
        if contact == before {
            // Nothing happened, and nobody is told: two systems that follow each other would do so for ever.
            idempotency::about(self.tx, &self.context.authority, id.as_str())?;
            return Ok(before);
        }
        // Strictly later, so that an order by update time never has an update that did not move the contact.
        contact.updated_at = self.now().max(UtcMs(contact.updated_at.0 + 1));
        check(&contact)?;
        check_further(&before.profile, &contact.profile)?;
        let made = contacts::update(self.tx, &before, &contact)?.map_err(Error::Duplicate)?;
        let cause = self.tell(Happened::changed(EventKind::ContactUpdated, &before, &contact))?;
        self.tell_of_new_tags(cause, &made)?;
        Ok(contact)
    }

    pub(crate) fn upsert_contact(
        &mut self,
        patch: ContactPatch,
        when: WhenDuplicate,
        old_tags: OldTags,
    ) -> Result<Upserted> {
        self.upsert_by(patch, when, old_tags, ContactPatch::add_to)
    }

    /// The same on the word of somebody who is not known to speak for the contact: of its addresses only what is empty is filled.
    /// Tags are added to those that it has.
    pub(crate) fn fill_contact(&mut self, patch: ContactPatch) -> Result<Upserted> {
        self.upsert_by(patch, WhenDuplicate::Update, OldTags::Kept, ContactPatch::fill)
    }

    /// `settle` leaves of the addresses in a patch what may be written into whoever is there, and tells the rest.
    fn upsert_by(
        &mut self,
        mut patch: ContactPatch,
        when: WhenDuplicate,
        old_tags: OldTags,
        settle: fn(&mut ContactPatch, &ContactProfile) -> Vec<LeftOut>,
    ) -> Result<Upserted> {
        let location = self.context.location;
        let looks = when == WhenDuplicate::Update || !locations::allows_duplicates(self.tx, location)?;
        let matches = if looks { self.known_by(patch.identities())? } else { Vec::new() };
        let Some(first) = matches.first().map(|(_, _, first)| first.clone()) else {
            let contact = self.create_contact(patch)?;
            return Ok(Upserted { contact, is_new: true, is_changed: true, skipped: Vec::new() });
        };
        // What it has already it keeps, also where a newer one has it, too.
        let own = first.profile.identities();
        let others = matches.into_iter().filter(|(kind, value, _)| !own.contains(&(*kind, value.clone())));
        let withdraw = |(kind, value, other): (_, String, Contact)| patch.withdraw((kind, &value), other.id);
        let mut skipped: Vec<LeftOut> = others.map(withdraw).collect();
        skipped.append(&mut settle(&mut patch, &first.profile));
        if let (OldTags::Kept, Some(tags)) = (old_tags, &mut patch.tags) {
            tags.retain(|tag| !first.tags.contains(tag));
            tags.splice(..0, first.tags.iter().cloned());
        }
        let contact = self.update_contact(first.id, patch)?;
        let is_changed = contact.updated_at != first.updated_at;
        Ok(Upserted { contact, is_new: false, is_changed, skipped })
    }

    /// Those of `identities` that somebody has, with the newest contact that has each. The first one is who is meant: what the
    /// location prefers decides.
    pub(crate) fn known_by(
        &mut self,
        mut identities: Vec<(IdentityKind, String)>,
    ) -> Result<Vec<(IdentityKind, String, Contact)>> {
        let location = self.context.location;
        contact_identities::prioritize(self.tx, location, &mut identities)?;
        self.who_has(identities)
    }

    /// The same in the order of `identities`.
    pub(crate) fn who_has(
        &mut self,
        identities: Vec<(IdentityKind, String)>,
    ) -> Result<Vec<(IdentityKind, String, Contact)>> {
        let location = self.context.location;
        let mut known = Vec::new();
        for (kind, value) in identities {
            if let Some(found) = contact_identities::find_by_identity(self.tx, location, kind, &value)? {
                known.push((kind, value, found));
            }
        }
        Ok(known)
    }

    fn delete_contact(&mut self, id: ContactId) -> Result<()> {
        let contact = self.contact(id)?;
        self.context.authority.expect(&contact)?;
        if !contact_trash::trash(self.tx, self.context.location, id, self.now())? {
            return Err(not_found(id));
        }
        let cause = self.tell(Happened::gone(EventKind::ContactDeleted, &contact))?;
        self.trash_opportunities(id, cause)
    }

    /// Whoever is known by one of these identities, with what else is said of them; else a new contact. Tags are added to those
    /// that somebody has.
    pub(crate) fn contact_of_person(&mut self, patch: ContactPatch) -> Result<ContactId> {
        Ok(self.upsert_contact(patch, WhenDuplicate::Update, OldTags::Kept)?.contact.id)
    }

    /// Tags that a contact brought with it.
    pub(crate) fn tell_of_new_tags(&mut self, cause: Cause, made: &[Tag]) -> Result<()> {
        self.following(cause, |operation| {
            for tag in made {
                operation.tell(Happened::made(EventKind::TagCreated, tag))?;
            }
            Ok(())
        })
    }
}

impl Described for Contact {
    fn flat(&self) -> Option<Fields> {
        Some(webhooks::contact(self))
    }

    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn describe(&self) -> Fields {
        let ContactProfile {
            first_name,
            last_name,
            email,
            phone,
            company_name,
            address1,
            city,
            state,
            postal_code,
            country,
            website,
            timezone,
            gender,
            source,
            date_of_birth,
            assigned_to,
            dnd,
            dnd_settings,
            inbound_dnd,
            additional_emails,
            additional_phones,
            business,
            followers,
        } = &self.profile;
        let mut fields = Fields::new();
        put(&mut fields, "firstName", first_name.as_ref().map(Line::as_str));
        put(&mut fields, "lastName", last_name.as_ref().map(Line::as_str));
        put(&mut fields, "email", email.as_ref().map(EmailAddress::as_str));
        put(&mut fields, "phone", phone.as_ref().map(PhoneNumber::as_str));
        put(&mut fields, "companyName", company_name.as_ref().map(Line::as_str));
        put(&mut fields, "address1", address1.as_ref().map(Line::as_str));
        put(&mut fields, "city", city.as_ref().map(Line::as_str));
        put(&mut fields, "state", state.as_ref().map(Line::as_str));
        put(&mut fields, "postalCode", postal_code.as_ref().map(Line::as_str));
        put(&mut fields, "country", country.as_ref().map(Country::as_str));
        put(&mut fields, "website", website.as_ref().map(Line::as_str));
        put(&mut fields, "timezone", timezone.as_ref().map(TimeZoneName::as_str));
        put(&mut fields, "gender", gender.as_ref().map(Line::as_str));
        put(&mut fields, "source", source.as_ref().map(Line::as_str));
        put(&mut fields, "dateOfBirth", date_of_birth.map(CalendarDate::to_iso));
        put(&mut fields, "assignedTo", assigned_to.as_ref().map(UserId::as_str));
        put(&mut fields, "dnd", dnd.then_some(true));
        let channels: Fields = DND_CHANNELS
            .iter()
            .zip(dnd_settings)
            .filter_map(|((name, _), dnd)| Some(((*name).to_owned(), described(dnd.as_ref()?))))
            .collect();
        put(&mut fields, "dndSettings", Some(channels).filter(|channels| !channels.is_empty()));
        put(&mut fields, "inboundDndSettings", inbound_dnd.as_ref().map(described));
        put_all(&mut fields, "additionalEmails", additional_emails.iter().map(EmailAddress::as_str));
        put_all(&mut fields, "additionalPhones", additional_phones.iter().map(PhoneNumber::as_str));
        put(&mut fields, "businessId", business.as_ref().map(BusinessId::as_str));
        put_all(&mut fields, "followers", followers.iter().map(UserId::as_str));
        put_all(&mut fields, "tags", self.tags.iter().map(TagName::as_str));
        put_values(&mut fields, &self.custom_fields);
        fields
    }
}

/// How somebody is not to be written to, by one channel.
pub(crate) fn described(dnd: &Dnd) -> Json {
    let Dnd { status, message, code } = dnd;
    let mut fields = Fields::new();
    put(&mut fields, "status", Some(status.as_str()));
    put(&mut fields, "message", message.as_ref().map(Line::as_str));
    put(&mut fields, "code", code.as_ref().map(Line::as_str));
    Json::Object(fields)
}

/// Where a contact is in an order, for a cursor that names only the contact. Of one that is gone its id still tells when it was
/// made, but nothing tells when it was changed.
fn place_of(tx: &mut Tx<'_>, location: LocationId, id: ContactId, order: ContactOrder) -> Result<UtcMs> {
    match (contacts::time_of(tx, location, id, order)?, order) {
        (Some(at), _) => Ok(at),
        (None, ContactOrder::Created) => Ok(id.time()),
        (None, ContactOrder::Updated) => {
            Err(Error::invalid("startAfterId", "names no contact; begin again, or send startAfter, too"))
        }
    }
}

pub(crate) fn check(contact: &Contact) -> Result<()> {
    if !contact.profile.is_identifiable() {
        return Err(Error::invalid("email", "or phone or name should not be empty"));
    }
    if contact.tags.len() > MAX_TAGS {
        return Err(Error::invalid("tags", format!("must contain no more than {MAX_TAGS} elements")));
    }
    if contact.profile.followers.len() > MAX_FOLLOWERS {
        return Err(Error::invalid("followers", format!("must be no more than {MAX_FOLLOWERS} of one contact")));
    }
    Ok(())
}

/// Refuses more further addresses than a contact may be given; one that has more since a merger may have as many.
fn check_further(before: &ContactProfile, after: &ContactProfile) -> Result<()> {
    for (field, before, after) in [
        ("additionalEmails", before.additional_emails.len(), after.additional_emails.len()),
        ("additionalPhones", before.additional_phones.len(), after.additional_phones.len()),
    ] {
        let most = before.max(MAX_ADDITIONAL);
        if after > most {
            return Err(Error::invalid(field, format!("must contain no more than {most} elements")));
        }
    }
    Ok(())
}

pub(crate) fn not_found(id: ContactId) -> Error {
    Error::NotFound(Noun::Contact, id.to_string())
}
