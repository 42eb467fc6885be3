//! Contacts.

use keystead_model::{
    ContactId, LocationId, UtcMs,
    contact::{
        Contact, ContactCursor, ContactFilter, ContactOrder, ContactPatch, ContactProfile, IdentityKind, MAX_TAGS,
        TRASH_MS,
    },
    page::{Page, Start, Window},
    scope::Scope,
    tag::TagName,
};
use keystead_store::{Tx, contacts, locations};

use crate::{
    App, Authority, Error, LocationContext, Result,
    error::Noun,
    record::{self, record},
};

/// What an upsert did.
pub struct Upserted {
    /// The contact after it.
    pub contact: Contact,
    /// Whether it was made.
    pub is_new: bool,
    /// Fields of which something was not written, since it belongs to another contact; and that contact.
    pub skipped: Vec<(&'static str, ContactId)>,
}

/// What to do about a contact that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenDuplicate {
    /// Update it, also where the location allows duplicates.
    Update,
    /// Update it where the location forbids duplicates, else make another one.
    UpdateWhereForbidden,
}

impl App {
    /// Makes a contact. Where the location forbids duplicates, one with the same e-mail or phone is an error.
    pub async fn create_contact(&self, context: &LocationContext, new: ContactPatch) -> Result<Contact> {
        let location = context.location;
        context.authority.require(Scope::ContactsWrite)?;
        let now = context.authority.now();
        let id = self.entropy.id(now);
        let mut profile = ContactProfile::default();
        let tags = new.apply(&mut profile).unwrap_or_default();
        let contact = Contact { id, location, profile, tags, created_at: now, updated_at: now };
        check(&contact)?;
        self.operate(
            &context.authority,
            move |tx, authority| {
                insert(tx, authority, &contact)?;
                Ok(contact.clone())
            },
            move |tx, lost| find(tx, location, lost.id()?),
        )
        .await
    }

    /// One contact.
    pub async fn get_contact(&self, context: &LocationContext, id: ContactId) -> Result<Contact> {
        context.authority.require(Scope::ContactsRead)?;
        let location = context.location;
        self.store.look_up(move |tx| contacts::find(tx, location, id)).await?.ok_or_else(|| not_found(id))
    }

    /// Changes a contact.
    pub async fn update_contact(
        &self,
        context: &LocationContext,
        id: ContactId,
        patch: ContactPatch,
    ) -> Result<Contact> {
        let location = context.location;
        context.authority.require(Scope::ContactsWrite)?;
        self.operate(
            &context.authority,
            move |tx, authority| {
                let contact = contacts::find_to_change(tx, location, id)?.ok_or_else(|| not_found(id))?;
                update(tx, authority, contact, patch.clone())
            },
            move |tx, _| find(tx, location, id),
        )
        .await
    }

    /// Makes a contact, or changes the one with the same e-mail or phone.
    ///
    /// If e-mail and phone match two contacts, the first wins and the other field is passed over.
    pub async fn upsert_contact(
        &self,
        context: &LocationContext,
        patch: ContactPatch,
        when: WhenDuplicate,
    ) -> Result<Upserted> {
        let location = context.location;
        context.authority.require(Scope::ContactsWrite)?;
        let now = context.authority.now();
        let id = self.entropy.id(now);
        self.operate(
            &context.authority,
            move |tx, authority| {
                let mut patch = patch.clone();
                let looks = when == WhenDuplicate::Update || forbids_duplicates(tx, authority, location)?;
                let mut matches = Vec::new();
                for (kind, value) in patch.identities().into_iter().filter(|_| looks) {
                    if let Some(found) = contacts::find_by_identity(tx, location, kind, &value)? {
                        matches.push((kind, value, found));
                    }
                }
                let Some(first) = matches.first().map(|(_, _, first)| first.clone()) else {
                    let mut profile = ContactProfile::default();
                    let tags = patch.apply(&mut profile).unwrap_or_default();
                    let contact = Contact { id, location, profile, tags, created_at: now, updated_at: now };
                    check(&contact)?;
                    insert(tx, authority, &contact)?;
                    return Ok(Upserted { contact, is_new: true, skipped: Vec::new() });
                };
                let others = matches.into_iter().filter(|(_, _, other)| other.id != first.id);
                let skipped =
                    others.map(|(kind, value, other)| (patch.withdraw(kind, &value), other.id)).collect::<Vec<_>>();
                patch.keep_first(&first.profile);
                let contact = contacts::find_to_change(tx, location, first.id)?.ok_or_else(|| not_found(first.id))?;
                let contact = update(tx, authority, contact, patch.clone())?;
                Ok(Upserted { contact, is_new: false, skipped })
            },
            move |tx, lost| {
                let contact = find(tx, location, lost.id()?)?;
                Ok(Upserted { is_new: contact.created_at == lost.at(), contact, skipped: Vec::new() })
            },
        )
        .await
    }

    /// Puts a contact into the trash, where it stays for 30 days.
    pub async fn delete_contact(&self, context: &LocationContext, id: ContactId) -> Result<()> {
        let location = context.location;
        context.authority.require(Scope::ContactsWrite)?;
        self.operate(
            &context.authority,
            move |tx, authority| {
                if !contacts::trash(tx, location, id, authority.now())? {
                    return Err(not_found(id));
                }
                record(tx, authority, changed("contact.deleted", location, id.as_str()))
            },
            |_, _| Ok(()),
        )
        .await
    }

    /// A page of contacts in the filter's order, and how many match in all.
    pub async fn list_contacts(
        &self,
        context: &LocationContext,
        filter: ContactFilter,
        window: Window<ContactCursor>,
    ) -> Result<Page<Contact>> {
        context.authority.require(Scope::ContactsRead)?;
        let location = context.location;
        self.store
            .read(move |tx| {
                let mut window = window;
                if let Start::After(ContactCursor { at: at @ None, id: Some(id) }) = &mut window.start {
                    *at = Some(place_of(tx, location, *id, filter.order)?);
                }
                let rows = contacts::list(tx, location, &filter, window)?;
                Ok(Page::new(rows, window.limit, contacts::total(tx, location, &filter)?))
            })
            .await
    }

    /// The newest contact with this e-mail address or phone number, tried in this order.
    pub async fn find_contact_by_identity(
        &self,
        context: &LocationContext,
        identities: Vec<(IdentityKind, String)>,
    ) -> Result<Option<Contact>> {
        context.authority.require(Scope::ContactsRead)?;
        let location = context.location;
        Ok(self
            .store
            .read(move |tx| {
                for (kind, value) in &identities {
                    if let Some(found) = contacts::find_by_identity(tx, location, *kind, value)? {
                        return Ok::<_, keystead_store::Error>(Some(found));
                    }
                }
                Ok(None)
            })
            .await?)
    }

    /// Adds tags to a contact; those that are new to it, and all that it has then.
    pub async fn add_contact_tags(
        &self,
        context: &LocationContext,
        id: ContactId,
        tags: Vec<TagName>,
    ) -> Result<(Vec<TagName>, Vec<TagName>)> {
        self.change_contact_tags(context, id, move |contact| {
            let mut added: Vec<TagName> = Vec::new();
            for tag in tags.iter().filter(|tag| !contact.tags.contains(tag)) {
                if !added.contains(tag) {
                    added.push(tag.clone());
                }
            }
            contact.tags.extend(added.iter().cloned());
            added
        })
        .await
    }

    /// Removes tags from a contact; those that it had, and all that it has then.
    pub async fn remove_contact_tags(
        &self,
        context: &LocationContext,
        id: ContactId,
        tags: Vec<TagName>,
    ) -> Result<(Vec<TagName>, Vec<TagName>)> {
        self.change_contact_tags(context, id, move |contact| {
            let (removed, kept) = contact.tags.drain(..).partition(|tag| tags.contains(tag));
            contact.tags = kept;
            removed
        })
        .await
    }

    async fn change_contact_tags(
        &self,
        context: &LocationContext,
        id: ContactId,
        change: impl Fn(&mut Contact) -> Vec<TagName> + Send + 'static,
    ) -> Result<(Vec<TagName>, Vec<TagName>)> {
        let location = context.location;
        context.authority.require(Scope::ContactsWrite)?;
        self.operate(
            &context.authority,
            move |tx, authority| {
                let mut contact = contacts::find_to_change(tx, location, id)?.ok_or_else(|| not_found(id))?;
                let touched = change(&mut contact);
                if !touched.is_empty() {
                    contact = update(tx, authority, contact, ContactPatch::default())?;
                }
                Ok((touched, contact.tags))
            },
            move |tx, _| Ok((Vec::new(), find(tx, location, id)?.tags)),
        )
        .await
    }

    /// Empties the trash of contacts that were deleted more than 30 days ago. Returns how many.
    pub async fn purge_contacts(&self) -> Result<usize> {
        let before = UtcMs(self.clock.now().0 - TRASH_MS);
        Ok(self.store.write(move |tx| contacts::purge(tx, before, 100)).await?)
    }
}

fn find(tx: &mut Tx<'_>, location: LocationId, id: ContactId) -> Result<Contact> {
    contacts::find(tx, location, id)?.ok_or_else(|| not_found(id))
}

fn insert(tx: &mut Tx<'_>, authority: &Authority, contact: &Contact) -> Result<()> {
    let unique = forbids_duplicates(tx, authority, contact.location)?;
    contacts::insert(tx, contact, unique)?.map_err(Error::Duplicate)?;
    record(tx, authority, changed("contact.created", contact.location, contact.id.as_str()))
}

fn update(tx: &mut Tx<'_>, authority: &Authority, mut contact: Contact, patch: ContactPatch) -> Result<Contact> {
    if let Some(tags) = patch.apply(&mut contact.profile) {
        contact.tags = tags;
    }
    // Strictly later, so that an order by update time never has an update that did not move the contact.
    contact.updated_at = authority.now().max(UtcMs(contact.updated_at.0 + 1));
    check(&contact)?;
    let unique = forbids_duplicates(tx, authority, contact.location)?;
    contacts::update(tx, &contact, unique)?.map_err(Error::Duplicate)?;
    record(tx, authority, changed("contact.updated", contact.location, contact.id.as_str()))?;
    Ok(contact)
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

fn check(contact: &Contact) -> Result<()> {
    if !contact.profile.is_identifiable() {
        return Err(Error::invalid("email", "or phone or name should not be empty"));
    }
    if contact.tags.len() > MAX_TAGS {
        return Err(Error::invalid("tags", format!("must contain no more than {MAX_TAGS} elements")));
    }
    Ok(())
}

fn forbids_duplicates(tx: &mut Tx<'_>, authority: &Authority, location: LocationId) -> Result<bool> {
    let location = locations::find(tx, authority.agency(), location)?.ok_or(Error::NoAccess)?;
    Ok(!location.profile.settings.allow_duplicate_contact)
}

pub(crate) fn not_found(id: ContactId) -> Error {
    Error::NotFound(Noun::Contact, id.to_string())
}

/// The audit row of a change inside a contact. What people wrote is in the contact, not in the log.
pub(crate) fn changed<'c>(action: &'static str, location: LocationId, subject: &'c str) -> record::Change<'c> {
    record::Change { action, location: Some(location), subject, before: None, after: None }
}
