//! Views of lists that members of a location save: for themselves, or for everybody who reads the list.

use keystead_model::{
    SavedViewId, UserId, UtcMs,
    actor::Actor,
    event::EventKind,
    saved_view::{SavedView, SavedViewContent, SavedViewPatch, ViewedList},
    scope::Scope,
    text::folded,
    time::DAY_MS,
};
use keystead_store::{saved_views, stored};

use crate::{
    App, Authority, Error, ErrorCode, LocationContext, Result,
    error::Noun,
    events::{Described, Fields, Happened, put, text},
    notices::member,
    operate::InLocation,
};

/// Most that a location shares of a list, and most that a member has of it for themselves: nobody's choice of tabs grows without
/// an end, and nobody is refused because of views that they do not see.
const MOST: usize = 50;
/// How long a deleted one can be brought back: that is offered only right after.
const KEPT_MS: i64 = DAY_MS;

impl App {
    /// The views of a list that the caller sees, newest first.
    pub async fn list_saved_views(&self, context: &LocationContext, list: ViewedList) -> Result<Vec<SavedView>> {
        self.look_up(context, list.read_scope(), move |operation| operation.saved_views(list)).await
    }

    /// One of them.
    pub async fn get_saved_view(
        &self,
        context: &LocationContext,
        list: ViewedList,
        id: SavedViewId,
    ) -> Result<SavedView> {
        self.look_up(context, list.read_scope(), move |operation| operation.saved_view(list, id)).await
    }

    /// Saves a view of a list; one that is shared is saved by whoever may change what the list shows.
    pub async fn create_saved_view(
        &self,
        context: &LocationContext,
        list: ViewedList,
        content: SavedViewContent,
    ) -> Result<SavedView> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.create_saved_view(list, content.clone());
        let recover = move |operation: &mut InLocation<'_, '_>, lost: &crate::idempotency::Lost| {
            operation.saved_view(list, lost.id()?)
        };
        self.operate(context, list.read_scope(), run, recover).await
    }

    /// Changes one. A shared one is changed by whoever saved it, and by those who manage members.
    pub async fn update_saved_view(
        &self,
        context: &LocationContext,
        list: ViewedList,
        id: SavedViewId,
        patch: SavedViewPatch,
    ) -> Result<SavedView> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.update_saved_view(list, id, patch.clone());
        let recover = move |operation: &mut InLocation<'_, '_>, _: &_| operation.saved_view(list, id);
        self.operate(context, list.read_scope(), run, recover).await
    }

    /// Deletes one, for the same people. For a day it can be brought back.
    pub async fn delete_saved_view(
        &self,
        context: &LocationContext,
        list: ViewedList,
        id: SavedViewId,
    ) -> Result<SavedView> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.delete_saved_view(list, id);
        let recover = move |operation: &mut InLocation<'_, '_>, _: &_| operation.any_saved_view(list, id);
        self.operate(context, list.read_scope(), run, recover).await
    }

    /// Brings one back that was deleted; what is there stays as it is.
    pub async fn restore_saved_view(
        &self,
        context: &LocationContext,
        list: ViewedList,
        id: SavedViewId,
    ) -> Result<SavedView> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.restore_saved_view(list, id);
        let recover = move |operation: &mut InLocation<'_, '_>, _: &_| operation.saved_view(list, id);
        self.operate(context, list.read_scope(), run, recover).await
    }
}

impl Authority {
    /// Whether a view that the caller sees is theirs to change: they saved it, or it is shared and they manage members.
    pub fn may_change(&self, SavedView { member, list, content, .. }: &SavedView) -> bool {
        let is_own = self.actor() == Actor::User(*member);
        match content.is_shared {
            true => self.grant().allows(list.write_scope()) && (is_own || self.grant().allows(Scope::UsersWrite)),
            false => is_own,
        }
    }

    /// Refuses whoever may not change a view that they see.
    pub fn require_change(&self, view: &SavedView) -> Result<()> {
        if view.content.is_shared {
            self.require(view.list.write_scope())?;
        }
        if self.may_change(view) {
            return Ok(());
        }
        let message = "Only whoever saved this view, or an admin, changes it; save yours as a new view".to_owned();
        Err(Error::Forbidden(ErrorCode::NotAllowed, message))
    }
}

impl InLocation<'_, '_> {
    fn member(&self) -> Result<UserId> {
        member(&self.context.authority)
    }

    fn saved_views(&mut self, list: ViewedList) -> Result<Vec<SavedView>> {
        let member = self.member()?;
        Ok(saved_views::seen_by(self.tx, self.context.location, list, member)?)
    }

    fn saved_view(&mut self, list: ViewedList, id: SavedViewId) -> Result<SavedView> {
        let view = self.any_saved_view(list, id)?;
        if view.deleted_at.is_some() { Err(not_found(id)) } else { Ok(view) }
    }

    /// The same, also of those that are deleted. What somebody else keeps for themselves is not there.
    fn any_saved_view(&mut self, list: ViewedList, id: SavedViewId) -> Result<SavedView> {
        let member = self.member()?;
        let found = stored::find::<SavedView>(self.tx, self.context.location, list, id)?;
        found.filter(|view| view.is_seen_by(member)).ok_or_else(|| not_found(id))
    }

    fn create_saved_view(&mut self, list: ViewedList, content: SavedViewContent) -> Result<SavedView> {
        self.require_sharing(list, &content)?;
        let (id, location, now) = (self.new_id(), self.context.location, self.now());
        let member = self.member()?;
        let view =
            SavedView { id, location, list, member, content, created_at: now, updated_at: now, deleted_at: None };
        self.admit_saved_view(&view, true)?;
        stored::save(self.tx, location, &view)?;
        self.tell(Happened::made(EventKind::SavedViewCreated, &view))?;
        Ok(view)
    }

    fn update_saved_view(&mut self, list: ViewedList, id: SavedViewId, patch: SavedViewPatch) -> Result<SavedView> {
        let before = self.saved_view(list, id)?;
        self.context.authority.require_change(&before)?;
        self.context.authority.expect(&before)?;
        let mut after = before.clone();
        patch.apply(&mut after.content);
        if after == before {
            return Ok(before);
        }
        self.require_sharing(list, &after.content)?;
        self.admit_saved_view(&after, before.content.is_shared != after.content.is_shared)?;
        after.updated_at = self.now();
        stored::save(self.tx, self.context.location, &after)?;
        self.tell(Happened::changed(EventKind::SavedViewUpdated, &before, &after))?;
        Ok(after)
    }

    fn delete_saved_view(&mut self, list: ViewedList, id: SavedViewId) -> Result<SavedView> {
        let view = self.saved_view(list, id)?;
        self.context.authority.require_change(&view)?;
        let (location, now) = (self.context.location, self.now());
        saved_views::forget(self.tx, location, UtcMs(now.0 - KEPT_MS))?;
        let deleted = SavedView { deleted_at: Some(now), ..view };
        stored::save(self.tx, location, &deleted)?;
        self.tell(Happened::gone(EventKind::SavedViewDeleted, &deleted))?;
        Ok(deleted)
    }

    fn restore_saved_view(&mut self, list: ViewedList, id: SavedViewId) -> Result<SavedView> {
        let deleted = self.any_saved_view(list, id)?;
        self.context.authority.require_change(&deleted)?;
        if deleted.deleted_at.is_none() {
            return Ok(deleted);
        }
        self.admit_saved_view(&deleted, true)?;
        let view = SavedView { deleted_at: None, ..deleted };
        stored::save(self.tx, self.context.location, &view)?;
        self.tell(Happened::made(EventKind::SavedViewRestored, &view))?;
        Ok(view)
    }

    /// Deletes for good what somebody kept for themselves who is gone. What they shared stays with those who see it.
    pub(crate) fn leave_saved_view(&mut self, id: SavedViewId) -> Result<()> {
        let Some(view) = saved_views::find(self.tx, self.context.location, id)? else { return Ok(()) };
        stored::delete::<SavedView>(self.tx, self.context.location, view.list, id)?;
        if view.deleted_at.is_none() {
            self.tell(Happened::gone(EventKind::SavedViewDeleted, &view))?;
        }
        Ok(())
    }

    /// What others see is for those who may change what the list shows.
    fn require_sharing(&self, list: ViewedList, content: &SavedViewContent) -> Result<()> {
        if content.is_shared { self.context.authority.require(list.write_scope()) } else { Ok(()) }
    }

    /// Refuses a name that another has that is seen beside it, and one that is too many where it comes to stand.
    fn admit_saved_view(&mut self, view: &SavedView, is_new_there: bool) -> Result<()> {
        let mut others = self.saved_views(view.list)?;
        others.retain(|other| other.id != view.id);
        let name = folded(view.content.name.as_str());
        if others.iter().any(|other| folded(other.content.name.as_str()) == name) {
            return Err(Error::invalid("name", "is that of another view; choose another one"));
        }
        let alike = others.iter().filter(|other| other.content.is_shared == view.content.is_shared).count();
        if is_new_there && alike >= MOST {
            return Err(Error::too_many(MOST, "views"));
        }
        Ok(())
    }
}

fn not_found(id: SavedViewId) -> Error {
    Error::NotFound(Noun::SavedView, id.to_string())
}

impl Described for SavedView {
    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn describe(&self) -> Fields {
        let SavedViewContent { name, query, is_shared } = &self.content;
        let mut fields = Fields::new();
        put(&mut fields, "list", Some(self.list.as_str()));
        put(&mut fields, "name", Some(name.as_str()));
        put(&mut fields, "query", Some(query.as_str()).filter(|query| !query.is_empty()).map(text));
        put(&mut fields, "isShared", Some(*is_shared));
        fields
    }
}
