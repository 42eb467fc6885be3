//! Why opportunities of a location are lost.

use keystead_model::{
    LostReasonId,
    event::EventKind,
    page::{Counted, Window},
    pipeline::{LostReason, LostReasonFilter},
    scope::Scope,
    text::Line,
};
use keystead_store::{lost_reasons, stored};

use crate::{
    App, Error, LocationContext, Result,
    error::Noun,
    events::{Described, Fields, Happened, put},
    operate::InLocation,
};

impl App {
    /// Those of a location, newest first, and how many there are.
    pub async fn list_lost_reasons(
        &self,
        context: &LocationContext,
        filter: LostReasonFilter,
        window: Window<LostReasonId>,
    ) -> Result<Counted<LostReason>> {
        let run = move |operation: &mut InLocation<'_, '_>| {
            Ok(lost_reasons::list(operation.tx, operation.context.location, &filter, &window)?)
        };
        self.read(context, Scope::OpportunitiesRead, run).await
    }

    /// Makes one.
    pub async fn create_lost_reason(&self, context: &LocationContext, name: Line<200>) -> Result<LostReason> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.create_lost_reason(name.clone());
        let recover =
            |operation: &mut InLocation<'_, '_>, lost: &crate::idempotency::Lost| operation.lost_reason(lost.id()?);
        self.operate(context, Scope::OpportunitiesWrite, run, recover).await
    }

    /// Gives one another name, also for what was lost because of it.
    pub async fn rename_lost_reason(
        &self,
        context: &LocationContext,
        id: LostReasonId,
        name: Line<200>,
    ) -> Result<LostReason> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.rename_lost_reason(id, name.clone());
        self.operate(context, Scope::OpportunitiesWrite, run, move |operation, _| operation.lost_reason(id)).await
    }

    /// Deletes one: it cannot be chosen any more, and what was lost because of it stays so.
    pub async fn delete_lost_reason(&self, context: &LocationContext, id: LostReasonId) -> Result<()> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.delete_lost_reason(id);
        self.operate(context, Scope::OpportunitiesWrite, run, |_, _| Ok(())).await
    }
}

impl InLocation<'_, '_> {
    fn lost_reason(&mut self, id: LostReasonId) -> Result<LostReason> {
        let found = lost_reasons::find(self.tx, self.context.location, id)?;
        found.ok_or_else(|| Error::NotFound(Noun::LostReason, id.to_string()))
    }

    fn create_lost_reason(&mut self, name: Line<200>) -> Result<LostReason> {
        let (id, location, now) = (self.new_id(), self.context.location, self.now());
        let reason = LostReason { id, location, name, created_at: now, updated_at: now, deleted_at: None };
        stored::save(self.tx, self.context.location, &reason)?;
        self.tell(Happened::made(EventKind::LostReasonCreated, &reason))?;
        Ok(reason)
    }

    fn rename_lost_reason(&mut self, id: LostReasonId, name: Line<200>) -> Result<LostReason> {
        let before = self.lost_reason(id)?;
        self.context.authority.expect(&before)?;
        if before.name == name {
            return Ok(before);
        }
        let after = LostReason { name, updated_at: self.now(), ..before.clone() };
        stored::save(self.tx, self.context.location, &after)?;
        self.tell(Happened::changed(EventKind::LostReasonUpdated, &before, &after))?;
        Ok(after)
    }

    fn delete_lost_reason(&mut self, id: LostReasonId) -> Result<()> {
        let reason = self.lost_reason(id)?;
        self.context.authority.expect(&reason)?;
        let deleted = LostReason { deleted_at: Some(self.now()), ..reason.clone() };
        stored::save(self.tx, self.context.location, &deleted)?;
        self.tell(Happened::gone(EventKind::LostReasonDeleted, &reason))?;
        Ok(())
    }
}

impl Described for LostReason {
    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn describe(&self) -> Fields {
        let mut fields = Fields::new();
        put(&mut fields, "name", Some(self.name.as_str()));
        fields
    }
}
