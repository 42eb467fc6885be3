//! Opportunities.

use std::collections::HashMap;

use keystead_model::{
    ContactId, OpportunityId, PipelineId, UserId, UtcMs,
    calendar_date::CalendarDate,
    contact::{Contact, ContactPatch},
    custom_field::OwnerKind,
    decimal::Decimal,
    event::{Cause, EventKind},
    note::Note,
    opportunity::{
        FollowersChange, MAX_FOLLOWERS, Opportunity, OpportunityContent, OpportunityPatch, Slippage, Status,
    },
    pipeline::Pipeline,
    scope::Scope,
    task::Task,
    text::Line,
};
use keystead_store::{contacts, lost_reasons, opportunities, pipelines, stored};
use serde_json::Value as Json;

use crate::{
    App, Error, ErrorCode, LocationContext, Result,
    error::Noun,
    events::{Described, Fields, Happened, put, put_all},
    field_values::put_values,
    idempotency::{self, Lost},
    operate::InLocation,
    webhooks,
};

/// Notes, and tasks, of a contact that stand beside its opportunities.
const BESIDE: i64 = 20;

/// Opportunities of a contact that stand beside it.
const OF_CONTACT: i64 = 100;

/// An opportunity with what is known of it elsewhere.
#[derive(Clone, Debug)]
pub struct WholeOpportunity {
    /// The opportunity.
    pub opportunity: Opportunity,
    /// Whose it is.
    pub contact: Contact,
    /// See [`OpportunityContent::effective_probability`].
    pub probability: Option<i64>,
    /// The newest notes of the contact, if they were asked for.
    pub notes: Vec<Note>,
    /// The newest tasks of the contact, likewise.
    pub tasks: Vec<Task>,
}

/// What else is asked for of each opportunity.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside {
    /// The contact's notes.
    pub notes: bool,
    /// The contact's tasks.
    pub tasks: bool,
}

/// Whose an opportunity is.
#[derive(Clone, Debug)]
pub enum Whose {
    /// A contact's.
    Contact(ContactId),
    /// That of whoever is known by one of these identities, else of a new contact. Whoever names one so must be allowed to write
    /// contacts.
    Person(Box<ContactPatch>),
}

/// Which opportunity an upsert is about.
#[derive(Clone, Copy, Debug)]
pub enum Known {
    /// This one.
    Opportunity(OpportunityId),
    /// The newest that the contact has in the pipeline, else a new one.
    OfContact(ContactId),
}

impl App {
    /// Makes an opportunity. What `new` does not say is the pipeline's first stage, open, and worth nothing.
    pub async fn create_opportunity(
        &self,
        context: &LocationContext,
        whose: Whose,
        pipeline: PipelineId,
        new: OpportunityPatch,
    ) -> Result<WholeOpportunity> {
        let run = move |operation: &mut InLocation<'_, '_>| {
            let id = operation.new_id();
            // What the contact's events tell of must not stand for what this is about.
            idempotency::about(operation.tx, &operation.context.authority, OpportunityId::as_str(&id))?;
            let contact = operation.contact_of(whose.clone())?;
            operation.create_opportunity(id, contact, pipeline, new.clone())
        };
        let recover = |operation: &mut InLocation<'_, '_>, lost: &Lost| operation.whole_opportunity(lost.id()?, None);
        self.operate(context, Scope::OpportunitiesWrite, run, recover).await
    }

    /// One opportunity; with `within`, only if it is in that pipeline.
    pub async fn get_opportunity(
        &self,
        context: &LocationContext,
        id: OpportunityId,
        within: Option<PipelineId>,
    ) -> Result<WholeOpportunity> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.whole_opportunity(id, within);
        self.read(context, Scope::OpportunitiesRead, run).await
    }

    /// The newest opportunities of some contacts, without what is in their custom fields.
    pub async fn opportunities_of(
        &self,
        context: &LocationContext,
        contacts: Vec<ContactId>,
    ) -> Result<Vec<Opportunity>> {
        self.read(context, Scope::OpportunitiesRead, move |operation| {
            Ok(opportunities::of_contacts(operation.tx, operation.context.location, &contacts, OF_CONTACT)?)
        })
        .await
    }

    /// Changes an opportunity; with `within`, only if it is in that pipeline. `whose` gives it to somebody else.
    pub async fn update_opportunity(
        &self,
        context: &LocationContext,
        id: OpportunityId,
        within: Option<PipelineId>,
        whose: Option<Whose>,
        patch: OpportunityPatch,
    ) -> Result<WholeOpportunity> {
        let run = move |operation: &mut InLocation<'_, '_>| {
            let before = operation.opportunity(id, within)?;
            let mut patch = patch.clone();
            if let Some(whose) = whose.clone() {
                idempotency::about(operation.tx, &operation.context.authority, id.as_str())?;
                patch.contact = Some(operation.contact_of(whose)?);
            }
            operation.change_opportunity(before, patch)
        };
        let recover = move |operation: &mut InLocation<'_, '_>, _: &Lost| operation.whole_opportunity(id, None);
        self.operate(context, Scope::OpportunitiesWrite, run, recover).await
    }

    /// Changes an opportunity that is there, or makes it; and whether it was made.
    pub async fn upsert_opportunity(
        &self,
        context: &LocationContext,
        known: Known,
        pipeline: PipelineId,
        patch: OpportunityPatch,
    ) -> Result<(WholeOpportunity, bool)> {
        let run =
            move |operation: &mut InLocation<'_, '_>| operation.upsert_opportunity(known, pipeline, patch.clone());
        self.operate(context, Scope::OpportunitiesWrite, run, |operation, lost| {
            let whole = operation.whole_opportunity(lost.id()?, None)?;
            Ok((whole, lost.told(operation.tx, EventKind::OpportunityCreated)?))
        })
        .await
    }

    /// Deletes an opportunity; with `within`, only if it is in that pipeline.
    pub async fn delete_opportunity(
        &self,
        context: &LocationContext,
        id: OpportunityId,
        within: Option<PipelineId>,
    ) -> Result<()> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.delete_opportunity(id, within);
        self.operate(context, Scope::OpportunitiesWrite, run, |_, _| Ok(())).await
    }

    /// Changes who follows an opportunity: who did before, and who does then.
    pub async fn change_opportunity_followers(
        &self,
        context: &LocationContext,
        id: OpportunityId,
        followers: FollowersChange,
    ) -> Result<(Vec<UserId>, Vec<UserId>)> {
        let run = move |operation: &mut InLocation<'_, '_>| {
            let before = operation.opportunity(id, None)?;
            let known = before.content.followers.clone();
            let patch = OpportunityPatch { followers: followers.clone(), ..OpportunityPatch::default() };
            let after = operation.change_opportunity(before, patch)?;
            Ok((known, after.opportunity.content.followers))
        };
        let recover = move |operation: &mut InLocation<'_, '_>, lost: &Lost| {
            let followers = operation.opportunity(id, None)?.content.followers;
            let changed = lost.list(operation.tx, "followers", UserId::parse)?;
            Ok(changed.unwrap_or_else(|| (followers.clone(), followers)))
        };
        self.operate(context, Scope::OpportunitiesWrite, run, recover).await
    }
}

impl InLocation<'_, '_> {
    pub(crate) fn opportunity(&mut self, id: OpportunityId, within: Option<PipelineId>) -> Result<Opportunity> {
        let found = opportunities::find(self.tx, self.context.location, id)?;
        let found = found.filter(|found| within.is_none_or(|pipeline| found.content.pipeline == pipeline));
        found.ok_or_else(|| Error::NotFound(Noun::Opportunity, id.to_string()))
    }

    fn whole_opportunity(&mut self, id: OpportunityId, within: Option<PipelineId>) -> Result<WholeOpportunity> {
        let opportunity = self.opportunity(id, within)?;
        self.whole(opportunity)
    }

    fn whole(&mut self, opportunity: Opportunity) -> Result<WholeOpportunity> {
        let whole = self.whole_opportunities(vec![opportunity], Beside::default())?.pop();
        whole.ok_or_else(|| Error::Internal("an opportunity without its contact".to_owned()))
    }

    /// What is known of opportunities elsewhere.
    pub(crate) fn whole_opportunities(
        &mut self,
        rows: Vec<Opportunity>,
        beside: Beside,
    ) -> Result<Vec<WholeOpportunity>> {
        let location = self.context.location;
        let mut ids: Vec<ContactId> = rows.iter().map(|row| row.content.contact).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut used: Vec<PipelineId> = rows.iter().map(|row| row.content.pipeline).collect();
        used.sort_unstable();
        used.dedup();
        let found = contacts::find_all(self.tx, location, &ids)?;
        let contacts: HashMap<ContactId, Contact> = found.into_iter().map(|contact| (contact.id, contact)).collect();
        let found = pipelines::find_all(self.tx, location, &used)?;
        let pipelines: HashMap<PipelineId, Pipeline> = found.into_iter().map(|found| (found.id, found)).collect();
        let notes: Vec<Note> =
            if beside.notes { stored::of_contacts(self.tx, location, &ids, BESIDE)? } else { Vec::new() };
        let tasks: Vec<Task> =
            if beside.tasks { stored::of_contacts(self.tx, location, &ids, BESIDE)? } else { Vec::new() };
        let whole = |opportunity: Opportunity| {
            let OpportunityContent { contact, pipeline, .. } = &opportunity.content;
            Some(WholeOpportunity {
                contact: contacts.get(contact)?.clone(),
                probability: pipelines.get(pipeline).and_then(|found| opportunity.content.effective_probability(found)),
                notes: notes.iter().filter(|note| note.contact == *contact).cloned().collect(),
                tasks: tasks.iter().filter(|task| task.contact == *contact).cloned().collect(),
                opportunity,
            })
        };
        Ok(rows.into_iter().filter_map(whole).collect())
    }

    fn contact_of(&mut self, whose: Whose) -> Result<ContactId> {
        match whose {
            Whose::Contact(id) => Ok(id),
            Whose::Person(patch) => {
                self.context.authority.require(Scope::ContactsWrite)?;
                self.contact_of_person(*patch)
            }
        }
    }

    fn create_opportunity(
        &mut self,
        id: OpportunityId,
        contact: ContactId,
        pipeline: PipelineId,
        new: OpportunityPatch,
    ) -> Result<WholeOpportunity> {
        let pipeline = self.named_pipeline(pipeline)?;
        let first = pipeline.stages.first().map(|stage| stage.id);
        let first = first.ok_or_else(|| Error::invalid("pipelineId", "must be a pipeline that has a stage"))?;
        self.require_contact(contact)?;
        let name = match &new.name {
            Some(name) => name.clone(),
            None => self.name_after(contact)?,
        };
        let mut content = OpportunityContent {
            name,
            contact,
            pipeline: pipeline.id,
            stage: first,
            status: Status::Open,
            value: Decimal::default(),
            assigned_to: None,
            source: None,
            lost_reason: None,
            followers: Vec::new(),
            close_date: None,
            probability: None,
        };
        let values = new.custom_fields.clone();
        new.apply(&mut content, first);
        let mut opportunity = Opportunity::new(id, self.context.location, content, self.now());
        self.change_values((OwnerKind::Opportunity, id), &mut opportunity.custom_fields, &values)?;
        self.admit(None, &opportunity, &pipeline)?;
        opportunities::insert(self.tx, &opportunity)?;
        self.tell(Happened::made(EventKind::OpportunityCreated, &opportunity))?;
        self.whole(opportunity)
    }

    /// What an opportunity of somebody is called if nobody says: as they are.
    fn name_after(&mut self, contact: ContactId) -> Result<Line<300>> {
        let found = contacts::find(self.tx, self.context.location, contact)?;
        let name = found.and_then(|found| {
            let profile = &found.profile;
            let email = || profile.email.as_ref().map(|email| email.as_str().to_owned());
            profile.full_name().or_else(email).or_else(|| profile.phone.as_ref().map(|phone| phone.as_str().to_owned()))
        });
        name.and_then(|name| Line::parse(&name).ok()).ok_or_else(|| Error::invalid("name", "should not be empty"))
    }

    pub(crate) fn change_opportunity(
        &mut self,
        before: Opportunity,
        patch: OpportunityPatch,
    ) -> Result<WholeOpportunity> {
        self.context.authority.expect(&before)?;
        let pipeline = self.named_pipeline(patch.pipeline.unwrap_or(before.content.pipeline))?;
        let mut content = before.content.clone();
        let first = pipeline.stages.first().map_or(content.stage, |stage| stage.id);
        let mut custom_fields = before.custom_fields.clone();
        self.change_values((OwnerKind::Opportunity, before.id), &mut custom_fields, &patch.custom_fields)?;
        patch.apply(&mut content, first);
        if content == before.content && custom_fields == before.custom_fields {
            // Nothing happened, and nobody is told: two systems that follow each other would do so for ever.
            idempotency::about(self.tx, &self.context.authority, before.id.as_str())?;
            return self.whole(before);
        }
        let mut after = Opportunity { custom_fields, ..before.clone() };
        // Strictly later, so that an order by update time never has an update that did not move the opportunity.
        after.updated_at = self.now().max(UtcMs(before.updated_at.0 + 1));
        after.become_so(content, after.updated_at);
        self.admit(Some(&before), &after, &pipeline)?;
        opportunities::update(self.tx, &before, &after)?;
        self.tell(Happened::changed(EventKind::OpportunityUpdated, &before, &after))?;
        self.whole(after)
    }

    fn upsert_opportunity(
        &mut self,
        known: Known,
        pipeline: PipelineId,
        mut patch: OpportunityPatch,
    ) -> Result<(WholeOpportunity, bool)> {
        patch.pipeline = Some(pipeline);
        let location = self.context.location;
        let before = match known {
            Known::Opportunity(id) => {
                let found = opportunities::find(self.tx, location, id)?;
                let missing = || Error::invalid("id", "must be the id of an opportunity of this location");
                found.ok_or_else(missing)?
            }
            Known::OfContact(contact) => {
                match opportunities::find_of_contact(self.tx, location, (contact, pipeline), None)? {
                    Some(id) => self.opportunity(id, None)?,
                    None => {
                        let id = self.new_id();
                        return Ok((self.create_opportunity(id, contact, pipeline, patch)?, true));
                    }
                }
            }
        };
        Ok((self.change_opportunity(before, patch)?, false))
    }

    fn delete_opportunity(&mut self, id: OpportunityId, within: Option<PipelineId>) -> Result<()> {
        let opportunity = self.opportunity(id, within)?;
        self.context.authority.expect(&opportunity)?;
        opportunities::delete(self.tx, &opportunity)?;
        self.tell(Happened::gone(EventKind::OpportunityDeleted, &opportunity))?;
        Ok(())
    }

    /// Puts the opportunities of a contact into the trash, where it is.
    pub(crate) fn trash_opportunities(&mut self, contact: ContactId, cause: Cause) -> Result<()> {
        let now = self.now();
        self.following(cause, |operation| {
            for opportunity in opportunities::of_contact(operation.tx, operation.context.location, contact)? {
                opportunities::trash(operation.tx, &opportunity, now)?;
                operation.tell(Happened::gone(EventKind::OpportunityDeleted, &opportunity))?;
            }
            Ok(())
        })
    }

    /// A pipeline that an input names.
    fn named_pipeline(&mut self, id: PipelineId) -> Result<Pipeline> {
        let found = pipelines::find(self.tx, self.context.location, id)?;
        found.ok_or_else(|| Error::invalid("pipelineId", "must be the id of a pipeline of this location"))
    }

    /// Refuses what does not fit together, or may not stand beside others.
    fn admit(&mut self, before: Option<&Opportunity>, after: &Opportunity, pipeline: &Pipeline) -> Result<()> {
        let (location, content) = (self.context.location, &after.content);
        let before = before.map(|before| &before.content);
        if pipeline.stage(content.stage).is_none() {
            return Err(Error::invalid("pipelineStageId", "must be the id of a stage of the pipeline"));
        }
        if before.is_some_and(|before| before.contact != content.contact) {
            self.require_contact(content.contact)?;
        }
        if content.lost_reason.is_some() && content.status != Status::Lost {
            return Err(Error::invalid("lostReasonId", "goes with the status lost only"));
        }
        // One that was deleted since stays with what was lost because of it.
        if let Some(reason) = content.lost_reason
            && before.is_none_or(|before| before.lost_reason != content.lost_reason)
            && lost_reasons::find(self.tx, location, reason)?.is_none()
        {
            return Err(Error::invalid("lostReasonId", "must be the id of a lost reason of this location"));
        }
        if content.followers.len() > MAX_FOLLOWERS {
            return Err(Error::invalid("followers", format!("must contain no more than {MAX_FOLLOWERS} elements")));
        }
        let place = |content: &OpportunityContent| (content.contact, content.pipeline);
        if before.map(place) != Some(place(content)) && !opportunities::allows_duplicates(self.tx, location)? {
            let other = opportunities::find_of_contact(self.tx, location, place(content), Some(after.id))?;
            if other.is_some() {
                let message = "Can not create duplicate opportunity for the contact.".to_owned();
                return Err(Error::Conflict(ErrorCode::DuplicateOpportunity, message));
            }
        }
        Ok(())
    }
}

/// A number that every reader of JSON reads as it is, else a text.
pub(crate) fn number(value: Decimal) -> Json {
    let text = value.to_string();
    match serde_json::from_str::<serde_json::Number>(&text) {
        Ok(number) if number.to_string() == text => Json::Number(number),
        _ => Json::String(text),
    }
}

impl Described for Opportunity {
    fn flat(&self) -> Option<Fields> {
        Some(webhooks::opportunity(self))
    }

    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn contact(&self) -> Option<ContactId> {
        Some(self.content.contact)
    }

    fn describe(&self) -> Fields {
        let OpportunityContent {
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
        } = &self.content;
        let Slippage { original, count, at: _ } = &self.slippage;
        let mut fields = Fields::new();
        put(&mut fields, "name", Some(name.as_str()));
        put(&mut fields, "contactId", Some(contact.as_str()));
        put(&mut fields, "pipelineId", Some(pipeline.as_str()));
        put(&mut fields, "pipelineStageId", Some(stage.as_str()));
        put(&mut fields, "status", Some(status.as_str()));
        put(&mut fields, "monetaryValue", Some(number(*value)));
        put(&mut fields, "assignedTo", assigned_to.as_ref().map(UserId::as_str));
        put(&mut fields, "source", source.as_ref().map(Line::as_str));
        put(&mut fields, "lostReasonId", lost_reason.as_ref().map(|reason| reason.as_str()));
        put_all(&mut fields, "followers", followers.iter().map(UserId::as_str));
        put(&mut fields, "forecastExpectedCloseDate", close_date.map(CalendarDate::to_iso));
        put(&mut fields, "forecastProbability", *probability);
        put(&mut fields, "forecastOriginalCloseDate", original.map(CalendarDate::to_iso));
        put(&mut fields, "forecastSlippageCount", Some(*count).filter(|count| *count > 0));
        put_values(&mut fields, &self.custom_fields);
        fields
    }
}
