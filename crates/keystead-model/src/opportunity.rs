//! Opportunities: what a contact may buy, how much it is worth, and how far it has come.

use crate::{
    ContactId, LocationId, LostReasonId, OpportunityId, PipelineId, StageId, UserId, UtcMs,
    calendar_date::CalendarDate,
    condition::{Condition, Op, Test, Value},
    decimal::Decimal,
    field_value::{FieldValues, ValueSet},
    location::set,
    opportunity_field::OpportunityField,
    page::TimeOrder,
    pipeline::Pipeline,
    search::{self, Asked},
    text::Line,
};

/// Most followers of one opportunity.
pub const MAX_FOLLOWERS: usize = 100;

/// An opportunity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opportunity {
    /// Its id.
    pub id: OpportunityId,
    /// The location that has it.
    pub location: LocationId,
    /// What people and programs write.
    pub content: OpportunityContent,
    /// What it has in custom fields.
    pub custom_fields: ValueSet,
    /// What became of the day on which it was to be won.
    pub slippage: Slippage,
    /// When its status was last changed.
    pub status_changed_at: UtcMs,
    /// When it came to its stage.
    pub stage_changed_at: UtcMs,
    /// When it was made.
    pub created_at: UtcMs,
    /// When it was last changed.
    pub updated_at: UtcMs,
}

/// The part of an opportunity that people and programs write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpportunityContent {
    /// Its name.
    pub name: Line<300>,
    /// Whose it is.
    pub contact: ContactId,
    /// What it goes through.
    pub pipeline: PipelineId,
    /// How far it has come: a stage of the pipeline.
    pub stage: StageId,
    /// How it stands.
    pub status: Status,
    /// What it is worth.
    pub value: Decimal,
    /// Who works on it.
    pub assigned_to: Option<UserId>,
    /// Where it came from.
    pub source: Option<Line<200>>,
    /// Why it was lost; only what is lost has one.
    pub lost_reason: Option<LostReasonId>,
    /// Who wants to know of it.
    pub followers: Vec<UserId>,
    /// On which day it should be won.
    pub close_date: Option<CalendarDate>,
    /// How many of a hundred such are won, by somebody's own reckoning.
    pub probability: Option<i64>,
}

/// How an opportunity stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Status {
    Open,
    Won,
    Lost,
    Abandoned,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Won, Self::Lost, Self::Abandoned];

    /// The wire name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Abandoned => "abandoned",
        }
    }

    /// Reads the wire name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// What became of the day on which an opportunity was to be won.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slippage {
    /// The first such day.
    pub original: Option<CalendarDate>,
    /// How often the day was moved to a later one.
    pub count: i64,
    /// When that happened last.
    pub at: Option<UtcMs>,
}

impl Slippage {
    /// Notes that the day was `before` and is `after`.
    fn follow(&mut self, before: Option<CalendarDate>, after: Option<CalendarDate>, now: UtcMs) {
        let Some(after) = after else { return };
        if self.original.is_none() {
            self.original = Some(after);
        }
        if before.is_some_and(|before| before < after) {
            self.count += 1;
            self.at = Some(now);
        }
    }

    /// How many days after the first day `date` is; none if it is before.
    pub fn days(&self, date: Option<CalendarDate>) -> Option<i64> {
        Some(date?.days_since(self.original?).max(0))
    }
}

impl Opportunity {
    /// Takes what is written of it at `now`, with what follows from that: since when it stands as it does, and whether the day on
    /// which it was to be won has slipped.
    pub fn become_so(&mut self, content: OpportunityContent, now: UtcMs) {
        let before = std::mem::replace(&mut self.content, content);
        if before.status != self.content.status {
            self.status_changed_at = now;
        }
        if before.stage != self.content.stage {
            self.stage_changed_at = now;
        }
        self.slippage.follow(before.close_date, self.content.close_date, now);
    }

    /// One that is made with this at `now`, with nothing in custom fields.
    pub fn new(id: OpportunityId, location: LocationId, content: OpportunityContent, now: UtcMs) -> Self {
        let mut slippage = Slippage::default();
        slippage.follow(None, content.close_date, now);
        Self {
            id,
            location,
            content,
            custom_fields: ValueSet::default(),
            slippage,
            status_changed_at: now,
            stage_changed_at: now,
            created_at: now,
            updated_at: now,
        }
    }

    /// The terms that a search finds it by, besides those of its contact.
    pub fn search_terms(&self) -> Vec<String> {
        let mut terms = Vec::new();
        search::name_terms(self.content.name.as_str(), &mut terms);
        search::settled(terms)
    }
}

impl OpportunityContent {
    /// How many of a hundred such opportunities are won: what is over is certain; else its own probability counts where its pipeline
    /// wants that, then that of its stage. `None` if nobody has said anything.
    pub fn effective_probability(&self, pipeline: &Pipeline) -> Option<i64> {
        match self.status {
            Status::Won => Some(100),
            Status::Lost | Status::Abandoned => Some(0),
            Status::Open => {
                let own = self.probability.filter(|_| pipeline.content.use_opportunity_probability);
                own.or_else(|| pipeline.stage(self.stage).and_then(|stage| stage.probability))
            }
        }
    }
}

/// A change of an opportunity, and of a new one what is known of it; `None` leaves a thing as it is, `Some(None)` takes it away.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of OpportunityContent")]
pub struct OpportunityPatch {
    pub name: Option<Line<300>>,
    pub contact: Option<ContactId>,
    pub pipeline: Option<PipelineId>,
    pub stage: Option<StageId>,
    pub status: Option<Status>,
    pub value: Option<Option<Decimal>>,
    pub assigned_to: Option<Option<UserId>>,
    pub source: Option<Option<Line<200>>>,
    pub lost_reason: Option<Option<LostReasonId>>,
    pub followers: FollowersChange,
    pub close_date: Option<Option<CalendarDate>>,
    pub probability: Option<Option<i64>>,
    /// Values for custom fields, which [`Self::apply`] passes over: they are not content.
    pub custom_fields: Vec<FieldValues>,
}

/// A change of who follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FollowersChange {
    /// Whether nobody who has followed does so any more, before the others begin.
    pub removes_all: bool,
    /// Who begins to follow.
    pub add: Vec<UserId>,
    /// Who does not follow any more.
    pub remove: Vec<UserId>,
}

impl FollowersChange {
    /// Changes who follows.
    pub fn apply(self, followers: &mut Vec<UserId>) {
        let Self { removes_all, add, remove } = self;
        followers.retain(|known| !removes_all && !remove.contains(known));
        for user in add {
            if !followers.contains(&user) {
                followers.push(user);
            }
        }
    }
}

impl OpportunityPatch {
    /// Changes `content`. Where an opportunity comes to another pipeline without a stage being named, it begins with `first`, the
    /// first of that pipeline. Why it was lost is forgotten when it is not lost any more.
    pub fn apply(self, content: &mut OpportunityContent, first: StageId) {
        let Self {
            name,
            contact,
            pipeline,
            stage,
            status,
            value,
            assigned_to,
            source,
            lost_reason,
            followers,
            close_date,
            probability,
            custom_fields: _,
        } = self;
        let moves = pipeline.is_some_and(|pipeline| pipeline != content.pipeline);
        set(&mut content.stage, stage.or(moves.then_some(first)));
        set(&mut content.name, name);
        set(&mut content.contact, contact);
        set(&mut content.pipeline, pipeline);
        set(&mut content.status, status);
        set(&mut content.value, value.map(Option::unwrap_or_default));
        set(&mut content.assigned_to, assigned_to);
        set(&mut content.source, source);
        set(&mut content.lost_reason, lost_reason);
        set(&mut content.close_date, close_date);
        set(&mut content.probability, probability);
        followers.apply(&mut content.followers);
        if content.status != Status::Lost && lost_reason.flatten().is_none() {
            content.lost_reason = None;
        }
    }
}

/// A place in a list of opportunities, see [`crate::contact::ContactCursor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpportunityCursor {
    /// When that opportunity was made or changed.
    pub at: Option<UtcMs>,
    /// That opportunity.
    pub id: Option<OpportunityId>,
}

/// Which opportunities to list.
#[derive(Clone, Debug, Default)]
pub struct OpportunityFilter {
    /// What a search asks for, all of it; asked for nothing it finds nothing. `None` is no search.
    pub search: Option<Vec<Asked>>,
    /// In these stages; `None` is in any.
    pub stages: Option<Vec<StageId>>,
    /// In this pipeline.
    pub pipeline: Option<PipelineId>,
    /// Standing so.
    pub status: Option<Status>,
    /// What else must hold of them.
    pub condition: Condition<OpportunityField>,
    /// The column of order.
    pub order: TimeOrder,
    /// Oldest first instead of newest first.
    pub ascending: bool,
}

impl OpportunityFilter {
    /// Whether it asks for nothing but where opportunities stand: how many these are is counted already.
    pub fn is_of_places(&self) -> bool {
        self.search.is_none() && self.condition == Condition::default()
    }

    /// The same where what the condition asks of pipeline, stage and status alone is said by where they stand: that is counted
    /// already, and listed from ranges.
    pub fn with_places(mut self) -> Self {
        let Self { stages, pipeline, status, condition, .. } = &mut self;
        let Condition::All(parts) = condition else { return self };
        parts.retain(|part| {
            let Condition::Test(Test { field, op }) = part else { return true };
            let values = match op {
                Op::Eq(value) => std::slice::from_ref(value),
                Op::In(values) => values.as_slice(),
                _ => return true,
            };
            let codes: Option<Vec<&str>> = values.iter().map(Value::as_code).collect();
            // What names nothing stays, and nothing is found.
            match (field, codes.as_deref()) {
                (OpportunityField::Pipeline, Some([id])) if pipeline.is_none() => {
                    *pipeline = PipelineId::parse(id);
                    pipeline.is_none()
                }
                (OpportunityField::Stage, Some(ids)) if stages.is_none() => {
                    *stages = ids.iter().map(|id| StageId::parse(id).ok()).collect();
                    stages.is_none()
                }
                (OpportunityField::Status, Some([name])) if status.is_none() => {
                    *status = Status::parse(name);
                    status.is_none()
                }
                _ => true,
            }
        });
        self
    }
}

/// How many opportunities stand in a stage in one way, and what they are worth together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageTotal {
    /// The pipeline.
    pub pipeline: PipelineId,
    /// The stage.
    pub stage: StageId,
    /// How they stand.
    pub status: Status,
    /// How many.
    pub count: i64,
    /// What they are worth together, in billionths, see [`Decimal::nanos`].
    pub nanos: i128,
    /// What those are worth together that have a probability of their own.
    pub own_nanos: i128,
    /// The same, each times its probability.
    pub own_weighted: i128,
}

impl StageTotal {
    /// Nothing as yet, in the place of an opportunity.
    pub const fn nothing(pipeline: PipelineId, stage: StageId, status: Status) -> Self {
        Self { pipeline, stage, status, count: 0, nanos: 0, own_nanos: 0, own_weighted: 0 }
    }

    /// With so many opportunities more that are worth this each and have this probability of their own; by a negative number less.
    pub fn add(&mut self, value: Decimal, probability: Option<i64>, times: i64) {
        let nanos = value.nanos() * i128::from(times);
        self.count += times;
        self.nanos += nanos;
        if let Some(probability) = probability {
            self.own_nanos += nanos;
            self.own_weighted += nanos * i128::from(probability);
        }
    }

    /// What they are worth by how probable they are, see [`OpportunityContent::effective_probability`]; where nobody has said anything,
    /// nothing.
    pub fn weighted_nanos(&self, pipeline: &Pipeline) -> i128 {
        match self.status {
            Status::Won => self.nanos,
            Status::Lost | Status::Abandoned => 0,
            Status::Open => {
                let stage = pipeline.stage(self.stage).and_then(|stage| stage.probability).unwrap_or(0);
                let stage = i128::from(stage);
                let weighted = if pipeline.content.use_opportunity_probability {
                    self.own_weighted + (self.nanos - self.own_nanos) * stage
                } else {
                    self.nanos * stage
                };
                weighted / 100
            }
        }
    }
}

#[cfg(test)]
#[path = "opportunity_tests.rs"]
mod tests;
