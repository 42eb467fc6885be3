//! Opportunities on the wire. Absent fields are left out; lists are never null.

use keystead_core::{StageSums, WholeOpportunity};
use keystead_model::{
    UserId,
    contact::Contact,
    field_value::Held,
    note::Note,
    opportunity::{OpportunityContent, Slippage, Status},
    task::Task,
};

use crate::{
    shape::{Envelope, Fields, Tagged, Written, held::HeldValue, output::Sum, word},
    v2::{Version, contacts::shapes::ListMeta, field_values::skipped, samples, search::SearchAfter},
};

impl Envelope for WholeOpportunity {
    const ONE: &'static str = "opportunity";
    const MANY: &'static str = "opportunities";
}

impl Written for WholeOpportunity {
    const NAME: &'static str = "Opportunity";

    fn sample() -> Self {
        samples::opportunity()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        core(fields, self);
        let OpportunityContent { lost_reason, followers, .. } = &self.opportunity.content;
        fields.put("lastStageChangeAt", &self.opportunity.stage_changed_at);
        fields.put("contactId", &self.contact.id);
        fields.put("locationId", &self.opportunity.location);
        fields.put("contact", &Embedded(&self.contact));
        fields.put::<[Note]>("notes", &self.notes);
        fields.put::<[Task]>("tasks", &self.tasks);
        // There are no calendars yet.
        fields.put::<[String]>("calendarEvents", &[]);
        fields.opt("lostReasonId", lost_reason.as_ref());
        fields.put("customFields", &self.opportunity.custom_fields.iter().map(InField).collect::<Vec<_>>());
        fields.put::<[UserId]>("followers", followers);
        if fields.version() == Version::V3 {
            forecast(fields, self);
        }
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(&self.opportunity))
    }
}

/// What both APIs say of it.
pub(crate) fn core(fields: &mut Fields<'_>, whole: &WholeOpportunity) {
    let opportunity = &whole.opportunity;
    let OpportunityContent { name, pipeline, stage, status, value, assigned_to, source, .. } = &opportunity.content;
    fields.put("id", &opportunity.id);
    fields.put("name", name);
    fields.put("monetaryValue", value);
    fields.put("pipelineId", pipeline);
    fields.put("pipelineStageId", stage);
    fields.opt("assignedTo", assigned_to.as_ref());
    fields.one_of("status", status.as_str(), &Status::ALL.map(Status::as_str));
    fields.opt("source", source.as_ref());
    fields.put("lastStatusChangeAt", &opportunity.status_changed_at);
    fields.put("createdAt", &opportunity.created_at);
    fields.put("updatedAt", &opportunity.updated_at);
}

fn forecast(fields: &mut Fields<'_>, whole: &WholeOpportunity) {
    let OpportunityContent { close_date, probability, .. } = &whole.opportunity.content;
    let slippage = &whole.opportunity.slippage;
    let Slippage { original, count, at } = slippage;
    fields.opt("forecastExpectedCloseDate", close_date.as_ref());
    fields.opt("forecastOriginalCloseDate", original.as_ref());
    fields.put("forecastSlippageCount", count);
    fields.opt("forecastDaysSlipped", slippage.days(*close_date).as_ref());
    fields.opt("forecastLastSlippedAt", at.as_ref());
    fields.opt("forecastProbability", probability.as_ref());
    fields.opt("effectiveProbability", whole.probability.as_ref());
}

/// What is in a custom field, under other names than contacts have.
struct InField<'h>(&'h Held);

static HELD: std::sync::LazyLock<Held> = std::sync::LazyLock::new(Held::sample);

impl Written for InField<'_> {
    const NAME: &'static str = "CustomFieldOfOpportunity";

    fn sample() -> Self {
        Self(&HELD)
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("id", &self.0.field.id);
        fields.put("fieldValue", &HeldValue(self.0));
    }
}

/// The contact, in short.
pub(crate) struct Embedded<'c>(pub(crate) &'c Contact);

static SAMPLE: std::sync::LazyLock<Contact> = std::sync::LazyLock::new(samples::contact);

impl Written for Embedded<'_> {
    const NAME: &'static str = "ContactOfOpportunity";

    fn sample() -> Self {
        Self(&SAMPLE)
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let profile = &self.0.profile;
        fields.put("id", &self.0.id);
        fields.opt("name", profile.full_name().as_ref());
        fields.opt("companyName", profile.company_name.as_ref());
        fields.opt("email", profile.email.as_ref());
        fields.opt("phone", profile.phone.as_ref());
        fields.put("tags", &self.0.tags);
    }
}

/// Nothing, under its name.
struct Nothing;

impl Written for Nothing {
    fn sample() -> Self {
        Self
    }

    fn write(&self, _: &mut Fields<'_>) {}
}

/// What a search by query answers.
pub(crate) struct Listed {
    pub(crate) opportunities: Vec<WholeOpportunity>,
    pub(crate) meta: ListMeta,
}

impl Written for Listed {
    fn sample() -> Self {
        Self { opportunities: vec![WholeOpportunity::sample()], meta: ListMeta::sample() }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("opportunities", &self.opportunities);
        fields.put("meta", &self.meta);
        fields.put("aggregations", &Nothing);
    }
}

/// An opportunity with the place where a search goes on after it.
pub(crate) struct Row(pub(crate) WholeOpportunity, pub(crate) SearchAfter);

impl Written for Row {
    const NAME: &'static str = "FoundOpportunity";

    fn sample() -> Self {
        Self(WholeOpportunity::sample(), SearchAfter::sample())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        self.0.write(fields);
        fields.put("searchAfter", &self.1);
    }
}

/// What a search by body answers.
pub(crate) struct Found {
    pub(crate) opportunities: Vec<Row>,
    pub(crate) total: i64,
    pub(crate) sums: Vec<StageSums>,
}

impl Written for Found {
    fn sample() -> Self {
        Self { opportunities: vec![Row::sample()], total: 1, sums: vec![StageSums::sample()] }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("opportunities", &self.opportunities);
        fields.put("total", &self.total);
        if fields.version() == Version::V3 {
            fields.put("stageAggregations", &self.sums);
        }
        fields.put("aggregations", &Nothing);
    }
}

impl Written for StageSums {
    const NAME: &'static str = "StageAggregation";

    fn sample() -> Self {
        Self {
            stage: samples::pipeline().stages[0].id,
            count: 1,
            value: 1_000_000_000,
            weighted: 100_000_000,
            open: 1_000_000_000,
            open_weighted: 100_000_000,
            won: 0,
        }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { stage, count, value, weighted, open, open_weighted, won } = self;
        fields.put("pipelineStageId", stage);
        fields.put("totalCount", count);
        fields.put("totalValue", &Sum(*value));
        fields.put("weightedValue", &Sum(*weighted));
        fields.put("openValue", &Sum(*open));
        fields.put("openWeightedValue", &Sum(*open_weighted));
        fields.put("wonValue", &Sum(*won));
    }
}

/// What create and update answer.
pub(crate) struct Saved {
    pub(crate) opportunity: WholeOpportunity,
    pub(crate) skipped: Vec<String>,
}

impl Written for Saved {
    fn sample() -> Self {
        Self { opportunity: WholeOpportunity::sample(), skipped: Vec::new() }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("opportunity", &self.opportunity);
        skipped(fields, &self.skipped);
    }

    fn tag(&self) -> Option<String> {
        self.opportunity.tag()
    }
}

/// What upsert answers.
pub(crate) struct Upserted {
    pub(crate) is_new: bool,
    pub(crate) opportunity: WholeOpportunity,
    pub(crate) skipped: Vec<String>,
}

impl Written for Upserted {
    fn sample() -> Self {
        Self { is_new: true, opportunity: WholeOpportunity::sample(), skipped: Vec::new() }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("new", &self.is_new);
        fields.put("opportunity", &self.opportunity);
        skipped(fields, &self.skipped);
    }

    fn tag(&self) -> Option<String> {
        self.opportunity.tag()
    }
}

/// That it was done, in the words of each version.
pub(crate) struct Done;

impl Written for Done {
    fn sample() -> Self {
        Self
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("succeded", &true);
        fields.put("succeeded", &true);
        if fields.version() == Version::V3 {
            fields.put("success", &true);
        }
    }
}

/// Who follows after some began to.
pub(crate) struct FollowersAdded {
    pub(crate) followers: Vec<UserId>,
    pub(crate) added: Vec<UserId>,
}

impl Written for FollowersAdded {
    fn sample() -> Self {
        let user = samples::id(word::USER);
        Self { followers: vec![user], added: vec![user] }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("followers", &self.followers);
        fields.put("followersAdded", &self.added);
    }
}

/// The same after some ended to.
pub(crate) struct FollowersRemoved {
    pub(crate) followers: Vec<UserId>,
    pub(crate) removed: Vec<UserId>,
}

impl Written for FollowersRemoved {
    fn sample() -> Self {
        Self { followers: Vec::new(), removed: vec![samples::id(word::USER)] }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("followers", &self.followers);
        fields.put("followersRemoved", &self.removed);
    }
}
