//! Workflows and campaigns that contacts are to be in. What is asked for is kept, and the answers say that it is no more than
//! that.

use keystead_core::{Error, LocationContext};
use keystead_model::{
    CampaignId, ContactId, UtcMs, WorkflowId,
    enrollment::{EnrolledIn, Enrollment},
};

use crate::{
    call::Call,
    reader::Reader,
    shape::{Bare, Envelope, Fields, Input, Many, Written, word},
    v2::{samples, succeeded::Succeeded},
};

/// When what it is about begins, such as an appointment.
pub(crate) struct Start(Option<UtcMs>);

impl Input for Start {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let zone = reader.ground().zone();
        Some(Self(reader.moment("eventStartTime").map(|moment| moment.start(zone))))
    }
}

pub(crate) async fn into_workflow(
    context: LocationContext,
    call: Call<(ContactId, WorkflowId), Bare, Start>,
) -> Result<Enrolled, Error> {
    let ((contact, workflow), Start(at)) = (call.path, call.body);
    call.app.enroll_contact(&context, contact, EnrolledIn::Workflow(workflow), at).await.map(Enrolled)
}

/// Clients send the same body as with the enrollment.
pub(crate) async fn from_workflow(
    context: LocationContext,
    call: Call<(ContactId, WorkflowId), Bare, Start>,
) -> Result<Succeeded, Error> {
    let (contact, workflow) = call.path;
    call.app.withdraw_contact(&context, contact, EnrolledIn::Workflow(workflow)).await?;
    Ok(Succeeded)
}

pub(crate) async fn into_campaign(
    context: LocationContext,
    call: Call<(ContactId, CampaignId)>,
) -> Result<Enrolled, Error> {
    let (contact, campaign) = call.path;
    call.app.enroll_contact(&context, contact, EnrolledIn::Campaign(campaign), None).await.map(Enrolled)
}

pub(crate) async fn from_campaign(
    context: LocationContext,
    call: Call<(ContactId, CampaignId)>,
) -> Result<Succeeded, Error> {
    let (contact, campaign) = call.path;
    call.app.withdraw_contact(&context, contact, EnrolledIn::Campaign(campaign)).await?;
    Ok(Succeeded)
}

pub(crate) async fn from_campaigns(context: LocationContext, call: Call<ContactId>) -> Result<Succeeded, Error> {
    call.app.withdraw_contact_from_campaigns(&context, call.path).await?;
    Ok(Succeeded)
}

pub(crate) async fn list(context: LocationContext, call: Call<ContactId>) -> Result<Many<Enrollment>, Error> {
    call.app.list_enrollments(&context, call.path).await.map(Many)
}

/// What was kept.
pub(crate) struct Enrolled(Enrollment);

impl Written for Enrolled {
    fn sample() -> Self {
        Self(Enrollment::sample())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        Succeeded.write(fields);
        fields
            .put("message", "Stored. This release runs no workflows and no campaigns, so nothing follows from it yet.");
        fields.put("enrollment", &self.0);
    }
}

impl Envelope for Enrollment {
    const ONE: &'static str = "enrollment";
    const MANY: &'static str = "enrollments";
}

impl Written for Enrollment {
    const NAME: &'static str = "Enrollment";

    fn sample() -> Self {
        let into = EnrolledIn::Workflow(samples::id(word::THING));
        Self { contact: samples::contact().id, into, event_at: Some(samples::NOON), created_at: samples::NOON }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { contact, into, event_at, created_at } = self;
        let (name, id) = into.named();
        let of = |wanted: &str| Some(&id).filter(|_| name == wanted);
        fields.put("contactId", contact);
        fields.one_of("type", into.kind(), &["workflow", "campaign"]);
        fields.opt("workflowId", of("workflowId"));
        fields.opt("campaignId", of("campaignId"));
        fields.one_of("status", "stored", &["stored"]);
        fields.opt("eventStartTime", event_at.as_ref());
        fields.put("dateAdded", created_at);
    }
}
