//! The trash of contacts: what is in it can be brought back for a while, and then it is gone; or at once, where somebody asks that
//! nothing is kept of them.

use keystead_model::{
    ContactId, UtcMs,
    contact::{Contact, TRASH_MS, TrashedContact},
    event::{Cause, EventKind},
    page::{Counted, Window},
    scope::Scope,
};
use keystead_store::{contact_trash, events, opportunities, pipelines};

use crate::{
    App, Error, LocationContext, Result,
    contacts::not_found,
    events::{Fields, Happened, put},
    operate::InLocation,
};

/// What came back.
pub struct RestoredContact {
    /// The contact.
    pub contact: Contact,
    /// Its opportunities that did not, since their pipelines are deleted.
    pub left: usize,
}

impl App {
    /// The contacts in the trash, the last that was put there first, and how many there are.
    pub async fn list_trashed_contacts(
        &self,
        context: &LocationContext,
        window: Window<(UtcMs, ContactId)>,
    ) -> Result<Counted<TrashedContact>> {
        self.read(context, Scope::ContactsRead, move |operation| {
            Ok(contact_trash::list(operation.tx, operation.context.location, &window)?)
        })
        .await
    }

    /// A contact in the trash.
    pub async fn get_trashed_contact(&self, context: &LocationContext, id: ContactId) -> Result<TrashedContact> {
        self.read(context, Scope::ContactsRead, move |operation| operation.trashed_contact(id)).await
    }

    /// Takes a contact out of the trash, with what went there with it. Where the location forbids duplicates, one that has its
    /// e-mail address or phone number by now is an error.
    pub async fn restore_contact(&self, context: &LocationContext, id: ContactId) -> Result<RestoredContact> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.restore_contact(id);
        let recover = move |operation: &mut InLocation<'_, '_>, _: &_| {
            Ok(RestoredContact { contact: operation.contact(id)?, left: 0 })
        };
        self.operate(context, Scope::ContactsWrite, run, recover).await
    }

    /// Deletes a contact for good, whether it is in the trash or not, with all that belongs to it and with those that were merged
    /// into it. That things happened stays, without what was said of it; and that it was erased, in the sealed log.
    pub async fn erase_contact(&self, context: &LocationContext, id: ContactId) -> Result<()> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.erase_contact(id);
        self.operate(context, Scope::ContactsWrite, run, |_, _| Ok(())).await
    }

    /// Empties the trash of contacts that were deleted more than 30 days ago. Returns how many.
    pub async fn purge_contacts(&self) -> Result<usize> {
        let before = UtcMs(self.clock.now().0 - TRASH_MS);
        Ok(self.store.write(move |tx| contact_trash::purge(tx, before, 100)).await?)
    }
}

impl InLocation<'_, '_> {
    fn trashed_contact(&mut self, id: ContactId) -> Result<TrashedContact> {
        contact_trash::find(self.tx, self.context.location, id)?.ok_or_else(|| not_found(id))
    }

    fn restore_contact(&mut self, id: ContactId) -> Result<RestoredContact> {
        let TrashedContact { contact, .. } = self.trashed_contact(id)?;
        // Strictly later, so that whoever follows by the time of change hears of it.
        let updated_at = self.now().max(UtcMs(contact.updated_at.0 + 1));
        let contact = Contact { updated_at, ..contact };
        contact_trash::restore(self.tx, &contact)?.map_err(Error::Duplicate)?;
        let cause = self.tell(Happened::made(EventKind::ContactRestored, &contact))?;
        let left = self.restore_opportunities(id, cause)?;
        Ok(RestoredContact { contact, left })
    }

    /// Brings back the opportunities of a contact. Answers how many did not come, since their pipelines are deleted.
    fn restore_opportunities(&mut self, contact: ContactId, cause: Cause) -> Result<usize> {
        let location = self.context.location;
        self.following(cause, |operation| {
            let mut left = 0;
            for mut opportunity in opportunities::trashed_of_contact(operation.tx, location, contact)? {
                let pipeline = pipelines::find(operation.tx, location, opportunity.content.pipeline)?;
                let first = pipeline.as_ref().and_then(|pipeline| pipeline.stages.first());
                let Some((pipeline, first)) = pipeline.as_ref().zip(first) else {
                    left += 1;
                    continue;
                };
                if pipeline.stage(opportunity.content.stage).is_none() {
                    opportunity.content.stage = first.id;
                }
                opportunity.updated_at = operation.now().max(UtcMs(opportunity.updated_at.0 + 1));
                opportunities::restore(operation.tx, &opportunity)?;
                operation.tell(Happened::made(EventKind::OpportunityRestored, &opportunity))?;
            }
            Ok(left)
        })
    }

    fn erase_contact(&mut self, id: ContactId) -> Result<()> {
        let location = self.context.location;
        if contact_trash::trash(self.tx, location, id, self.now())? {
            let cause = self.tell(Happened::to(EventKind::ContactDeleted, id.as_str()))?;
            self.trash_opportunities(id, cause)?;
        } else {
            self.trashed_contact(id)?;
        }
        // All of them before any is erased, with which the events go that tell of the others.
        let (mut erased, mut place) = (vec![id], 0);
        while let Some(next) = erased.get(place).copied() {
            erased.extend(events::merged_into(self.tx, location, next)?);
            place += 1;
        }
        erased.iter().try_for_each(|id| contact_trash::erase(self.tx, location, *id))?;
        let mut told = Fields::new();
        put(&mut told, "contacts", Some(erased.iter().map(ContactId::as_str).collect::<Vec<_>>()));
        self.tell(Happened::to(EventKind::AuditErased, id.as_str()).with(None, Some(told)))?;
        Ok(())
    }
}
