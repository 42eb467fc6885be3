//! Two contacts that turn out to be one person.

use keystead_model::{
    ContactId, UtcMs,
    contact::{Contact, ContactProfile, MAX_MERGED},
    event::{Cause, EventKind},
    scope::Scope,
};
use keystead_store::{catalog, contact_trash, contacts, events, opportunities};

use crate::{
    App, Error, LocationContext, Result,
    contacts::check,
    events::{Fields, Happened, put},
    operate::InLocation,
};

impl App {
    /// Gives a contact what `from` has and it has not, and what belongs to `from`, which then goes into the trash. The history
    /// of both is its own from then on.
    pub async fn merge_contacts(&self, context: &LocationContext, id: ContactId, from: ContactId) -> Result<Contact> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.merge_contacts(id, from);
        self.operate(context, Scope::ContactsWrite, run, move |operation, _| operation.contact(id)).await
    }
}

impl InLocation<'_, '_> {
    fn merge_contacts(&mut self, id: ContactId, from: ContactId) -> Result<Contact> {
        if id == from {
            return Err(Error::invalid("from", "must be another contact"));
        }
        let location = self.context.location;
        let before = self.contact(id)?;
        self.context.authority.expect(&before)?;
        let other = self.contact(from)?;
        let mut merged = before.clone();
        merged.take_in(other.clone());
        merged.updated_at = self.now().max(UtcMs(merged.updated_at.0 + 1));
        check(&merged)?;
        check_room(&merged.profile)?;
        let given = opportunities::of_contact(self.tx, location, from)?;
        catalog::give_to_contact(self.tx, location, from, id)?;
        let given: Vec<_> = given.iter().map(|opportunity| opportunity.id).collect();
        // They show another contact now.
        opportunities::touch(self.tx, location, &given, self.now())?;
        // Before it is written what tells the other one apart: then nobody has that.
        contact_trash::trash(self.tx, location, from, self.now())?;
        let made = contacts::update(self.tx, &before, &merged)?.map_err(Error::Duplicate)?;
        let mut told = Fields::new();
        put(&mut told, "from", Some(from.as_str()));
        let cause = self.tell(Happened::to(EventKind::ContactMerged, id.as_str()).with(None, Some(told)))?;
        self.tell_of_merger(cause, (&before, &merged), &other)?;
        self.tell_of_new_tags(cause, &made)?;
        events::give_to_contact(self.tx, location, from, id)?;
        Ok(merged)
    }

    fn tell_of_merger(&mut self, cause: Cause, (before, merged): (&Contact, &Contact), other: &Contact) -> Result<()> {
        self.following(cause, |operation| {
            operation.tell(Happened::changed(EventKind::ContactUpdated, before, merged))?;
            operation.tell(Happened::gone(EventKind::ContactDeleted, other))?;
            Ok(())
        })
    }
}

/// Refuses what would have more addresses than can be sent back in one request.
fn check_room(merged: &ContactProfile) -> Result<()> {
    for (what, many) in
        [("e-mail addresses", merged.additional_emails.len()), ("phone numbers", merged.additional_phones.len())]
    {
        if many > MAX_MERGED {
            let problem = format!(
                "cannot be taken in: both together have {many} further {what}, and {MAX_MERGED} is the most; take some away \
                 from one of them before"
            );
            return Err(Error::invalid("from", problem));
        }
    }
    Ok(())
}
