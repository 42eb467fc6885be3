//! Which contacts are to be in which workflows and campaigns.

use keystead_model::{
    ContactId, UtcMs,
    campaign::Campaign,
    enrollment::{EnrolledIn, Enrollment},
    event::EventKind,
    scope::Scope,
    workflow::Workflow,
};
use keystead_store::enrollments;

use crate::{
    App, LocationContext, Result,
    events::{Fields, Happened, put},
    idempotency,
    operate::InLocation,
};

impl App {
    /// Keeps that a contact is to be in a workflow or a campaign. Asked for again it only has another time.
    pub async fn enroll_contact(
        &self,
        context: &LocationContext,
        contact: ContactId,
        into: EnrolledIn,
        event_at: Option<UtcMs>,
    ) -> Result<Enrollment> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.enroll(contact, into, event_at);
        let recover = move |operation: &mut InLocation<'_, '_>, _: &_| {
            operation.require_contact(contact)?;
            let found = enrollments::find(operation.tx, operation.context.location, contact, into)?;
            // What was ended meanwhile has no name of its own to be missing by.
            found.ok_or_else(idempotency::forgotten)
        };
        self.operate(context, Scope::ContactsWrite, run, recover).await
    }

    /// Ends it; whatever it is not in, it is not in afterwards, either.
    pub async fn withdraw_contact(
        &self,
        context: &LocationContext,
        contact: ContactId,
        from: EnrolledIn,
    ) -> Result<()> {
        let run = move |operation: &mut InLocation<'_, '_>| {
            operation.require_contact(contact)?;
            operation.require_object(from)?;
            match enrollments::find(operation.tx, operation.context.location, contact, from)? {
                Some(enrollment) => operation.withdraw(&enrollment),
                None => Ok(()),
            }
        };
        self.operate(context, Scope::ContactsWrite, run, |_, _| Ok(())).await
    }

    /// Ends all of a contact in campaigns.
    pub async fn withdraw_contact_from_campaigns(&self, context: &LocationContext, contact: ContactId) -> Result<()> {
        let run = move |operation: &mut InLocation<'_, '_>| {
            let all = operation.enrollments(contact)?;
            let campaigns = all.iter().filter(|enrollment| matches!(enrollment.into, EnrolledIn::Campaign(_)));
            campaigns.into_iter().try_for_each(|enrollment| operation.withdraw(enrollment))
        };
        self.operate(context, Scope::ContactsWrite, run, |_, _| Ok(())).await
    }

    /// What a contact is to be in.
    pub async fn list_enrollments(&self, context: &LocationContext, contact: ContactId) -> Result<Vec<Enrollment>> {
        self.read(context, Scope::ContactsRead, move |operation| operation.enrollments(contact)).await
    }
}

impl InLocation<'_, '_> {
    fn enrollments(&mut self, contact: ContactId) -> Result<Vec<Enrollment>> {
        self.require_contact(contact)?;
        Ok(enrollments::of_contact(self.tx, self.context.location, contact)?)
    }

    fn enroll(&mut self, contact: ContactId, into: EnrolledIn, event_at: Option<UtcMs>) -> Result<Enrollment> {
        self.require_contact(contact)?;
        self.require_object(into)?;
        let location = self.context.location;
        let before = enrollments::find(self.tx, location, contact, into)?;
        let created_at = before.as_ref().map_or(self.now(), |before| before.created_at);
        let after = Enrollment { contact, into, event_at, created_at };
        if before.as_ref() == Some(&after) {
            return Ok(after);
        }
        enrollments::save(self.tx, location, &after)?;
        let happened = Happened::to(EventKind::ContactEnrolled, contact.as_str());
        self.tell(happened.with(before.as_ref().map(describe), Some(describe(&after))))?;
        Ok(after)
    }

    fn withdraw(&mut self, enrollment: &Enrollment) -> Result<()> {
        enrollments::delete(self.tx, self.context.location, enrollment.contact, enrollment.into)?;
        let happened = Happened::to(EventKind::ContactWithdrawn, enrollment.contact.as_str());
        self.tell(happened.with(Some(describe(enrollment)), None))?;
        Ok(())
    }

    /// That there is what a contact is to be in.
    fn require_object(&mut self, object: EnrolledIn) -> Result<()> {
        match object {
            EnrolledIn::Workflow(id) => self.find::<Workflow>((), id).map(drop),
            EnrolledIn::Campaign(id) => self.find::<Campaign>((), id).map(drop),
        }
    }
}

fn describe(enrollment: &Enrollment) -> Fields {
    let (name, id) = enrollment.into.named();
    let mut fields = Fields::new();
    put(&mut fields, name, Some(id));
    put(&mut fields, "eventStartTime", enrollment.event_at.map(UtcMs::to_iso));
    fields
}
