//! What most resources of a location have in common: they are made, read, listed, changed and deleted, by themselves or as part
//! of a contact, each time by the same five use cases.

use keystead_model::{
    ContactId, LocationId, UtcMs,
    actor::Actor,
    event::EventKind,
    id::Id,
    page::{Page, Window},
    scope::Scope,
};
use keystead_store::stored::{self, Parent, Stored};

use crate::{
    App, Error, LocationContext, Result,
    error::Noun,
    events::{Described, Happened},
    operate::InLocation,
};

/// A resource of which these are all use cases.
pub trait Resource: Stored<Parent: Place> + Described + Clone + PartialEq + Send + Sync + 'static {
    /// What its author writes.
    type Content: Clone + Send + 'static;
    /// A change of it.
    type Patch: Clone + Send + 'static;

    /// What it is called.
    const NOUN: Noun;
    /// The scopes that read and write it.
    const SCOPES: (Scope, Scope);
    /// What happens when it is made, changed and deleted.
    const KINDS: [EventKind; 3];
    /// Most that a location has of it, if it is of those that people make one by one: lists of all of them stay short.
    const MOST: Option<i64> = None;

    /// A new one.
    fn new(made: Made<Self>, content: Self::Content) -> Self;
    /// Changes it.
    fn change(&mut self, patch: Self::Patch);
    /// Notes who answers for it from now on, before it is seen whether a change changes anything: what says again what was said may be
    /// said by somebody else.
    fn take_over(&mut self, _patch: &Self::Patch, _operation: &mut InLocation<'_, '_>) -> Result<()> {
        Ok(())
    }
    /// When it was last changed.
    fn updated_at(&mut self) -> &mut UtcMs;
    /// Notes who makes it or changes it, where that is told of it.
    fn written_by(&mut self, _actor: Actor, _is_new: bool) {}
    /// Its id as callers know it.
    fn name_of(id: Id<Self>) -> String {
        id.to_string()
    }
    /// Works out what follows from what its author wrote, before it is stored; of a change from what it was `before`.
    fn complete(&mut self, _before: Option<&Self>, _operation: &mut InLocation<'_, '_>) -> Result<()> {
        Ok(())
    }
    /// Ends what names it, before it is gone.
    fn leave(&self, _operation: &mut InLocation<'_, '_>) -> Result<()> {
        Ok(())
    }
    /// Refuses what may not stand beside the others, before it is stored.
    fn admit(&self, _operation: &mut InLocation<'_, '_>) -> Result<()> {
        Ok(())
    }
}

/// Most of what people make one by one in a location.
pub(crate) const MOST_MADE_BY_HAND: i64 = 2_000;

/// What is known of a resource that is about to be made.
pub struct Made<R: Stored> {
    /// Its id.
    pub id: Id<R>,
    /// Where.
    pub location: LocationId,
    /// As part of what.
    pub parent: R::Parent,
    /// When.
    pub now: UtcMs,
}

/// What a resource is a part of, which must be there.
pub trait Place: Parent {
    /// Refuses where it is not.
    fn require(self, operation: &mut InLocation<'_, '_>) -> Result<()>;
}

impl Place for () {
    fn require(self, _: &mut InLocation<'_, '_>) -> Result<()> {
        Ok(())
    }
}

impl Place for ContactId {
    fn require(self, operation: &mut InLocation<'_, '_>) -> Result<()> {
        operation.require_contact(self)
    }
}

impl App {
    /// Makes one.
    pub async fn create<R: Resource>(
        &self,
        context: &LocationContext,
        parent: R::Parent,
        content: R::Content,
    ) -> Result<R> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.create::<R>(parent, content.clone());
        self.operate(context, R::SCOPES.1, run, move |operation, lost| operation.find(parent, lost.id()?)).await
    }

    /// One of them.
    pub async fn get<R: Resource>(&self, context: &LocationContext, parent: R::Parent, id: Id<R>) -> Result<R> {
        self.read(context, R::SCOPES.0, move |operation| operation.find(parent, id)).await
    }

    /// All of them, newest first.
    pub async fn list<R: Resource>(
        &self,
        context: &LocationContext,
        parent: R::Parent,
        window: Window<Id<R>>,
    ) -> Result<Page<R>> {
        self.read(context, R::SCOPES.0, move |operation| {
            parent.require(operation)?;
            Ok(stored::list(operation.tx, operation.context.location, parent, &window)?)
        })
        .await
    }

    /// Changes one.
    pub async fn update<R: Resource>(
        &self,
        context: &LocationContext,
        parent: R::Parent,
        id: Id<R>,
        patch: R::Patch,
    ) -> Result<R> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.update(parent, id, patch.clone());
        self.operate(context, R::SCOPES.1, run, move |operation, _| operation.find(parent, id)).await
    }

    /// Deletes one.
    pub async fn delete<R: Resource>(&self, context: &LocationContext, parent: R::Parent, id: Id<R>) -> Result<()> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.delete(parent, id);
        self.operate(context, R::SCOPES.1, run, |_, _| Ok(())).await
    }
}

impl InLocation<'_, '_> {
    pub(crate) fn create<R: Resource>(&mut self, parent: R::Parent, content: R::Content) -> Result<R> {
        parent.require(self)?;
        if let Some(most) = R::MOST
            && stored::count::<R>(self.tx, self.context.location, parent)? >= most
        {
            return Err(Error::too_many(most, "of this kind"));
        }
        let made = Made { id: self.new_id(), location: self.context.location, parent, now: self.now() };
        let mut resource = R::new(made, content);
        resource.written_by(self.context.authority.actor(), true);
        resource.complete(None, self)?;
        resource.admit(self)?;
        stored::save(self.tx, self.context.location, &resource)?;
        self.tell(Happened::made(R::KINDS[0], &resource))?;
        Ok(resource)
    }

    pub(crate) fn find<R: Resource>(&mut self, parent: R::Parent, id: Id<R>) -> Result<R> {
        parent.require(self)?;
        let found = stored::find(self.tx, self.context.location, parent, id)?;
        found.ok_or_else(|| not_found(id))
    }

    pub(crate) fn update<R: Resource>(&mut self, parent: R::Parent, id: Id<R>, patch: R::Patch) -> Result<R> {
        let before = self.find(parent, id)?;
        self.context.authority.expect(&before)?;
        let mut after = before.clone();
        after.take_over(&patch, self)?;
        after.change(patch);
        if after == before {
            // Nothing happened, and nobody is told: two systems that follow each other would do so for ever.
            return Ok(before);
        }
        after.complete(Some(&before), self)?;
        after.admit(self)?;
        *after.updated_at() = self.now();
        after.written_by(self.context.authority.actor(), false);
        stored::save(self.tx, self.context.location, &after)?;
        self.tell(Happened::changed(R::KINDS[1], &before, &after))?;
        Ok(after)
    }

    fn delete<R: Resource>(&mut self, parent: R::Parent, id: Id<R>) -> Result<()> {
        let resource = self.find(parent, id)?;
        self.context.authority.expect(&resource)?;
        resource.leave(self)?;
        if !stored::delete(self.tx, self.context.location, parent, id)? {
            return Err(not_found(id));
        }
        self.tell(Happened::gone(R::KINDS[2], &resource))?;
        Ok(())
    }
}

fn not_found<R: Resource>(id: Id<R>) -> Error {
    Error::NotFound(R::NOUN, R::name_of(id))
}
