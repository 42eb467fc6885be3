//! Many use cases in one call: each is tried alone, and one that is refused leaves the others as they are.

use keystead_model::{contact::ContactPatch, scope::Scope};

use crate::{
    App, Error, LocationContext, Result, Upserted, WhenDuplicate, contacts::OldTags, idempotency, operate::InLocation,
    resource::Resource,
};

/// How many contacts are made or changed.
#[derive(Clone, Copy, Debug, Default)]
pub struct UpsertMany {
    /// It is said what would become of each, and everything stays as it is.
    pub is_trial: bool,
    /// What becomes of tags.
    pub old_tags: OldTags,
}

impl App {
    /// Runs `step` for each of `items`, see [`InLocation::each`].
    pub(crate) async fn each<I: Clone + Send + 'static, T: Send + 'static>(
        &self,
        context: &LocationContext,
        scope: Scope,
        items: Vec<I>,
        step: impl Fn(&mut InLocation<'_, '_>, I) -> Result<T> + Send + 'static,
    ) -> Result<Vec<Result<T>>> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.each(&items, &step);
        // What was answered for each is not known any more.
        self.operate(context, scope, run, |_, _| Err(idempotency::forgotten())).await
    }

    /// Makes contacts, or changes those that are there, see [`App::upsert_contact`].
    pub async fn upsert_contacts(
        &self,
        context: &LocationContext,
        contacts: Vec<(ContactPatch, WhenDuplicate)>,
        how: UpsertMany,
    ) -> Result<Vec<Result<Upserted>>> {
        let UpsertMany { is_trial, old_tags } = how;
        let step =
            move |operation: &mut InLocation<'_, '_>, (patch, when)| operation.upsert_contact(patch, when, old_tags);
        if !is_trial {
            return self.each(context, Scope::ContactsWrite, contacts, step).await;
        }
        let run = move |operation: &mut InLocation<'_, '_>| operation.try_out(|trial| trial.each(&contacts, &step));
        self.operate(context, Scope::ContactsWrite, run, |_, _| Err(idempotency::forgotten())).await
    }

    /// Makes many of a resource, each as part of what is named with it.
    pub async fn create_many<R: Resource>(
        &self,
        context: &LocationContext,
        new: Vec<(R::Parent, R::Content)>,
    ) -> Result<Vec<Result<R>>> {
        let step = |operation: &mut InLocation<'_, '_>, (parent, content)| operation.create::<R>(parent, content);
        self.each(context, R::SCOPES.1, new, step).await
    }
}

impl InLocation<'_, '_> {
    /// Runs `step` for each of `items`; the outcomes are in their order. What concerns the server, or somebody's scope, is no
    /// outcome of one of them.
    pub(crate) fn each<I: Clone, T>(
        &mut self,
        items: &[I],
        step: &impl Fn(&mut InLocation<'_, '_>, I) -> Result<T>,
    ) -> Result<Vec<Result<T>>> {
        let outcomes = items.iter().map(|item| match self.attempt(|alone| step(alone, item.clone())) {
            Err(error) if !error.is_refusal() => Err(error),
            outcome => Ok(outcome),
        });
        outcomes.collect()
    }

    /// What a step would do, of which nothing stays.
    pub(crate) fn try_out<T>(&mut self, step: impl FnOnce(&mut InLocation<'_, '_>) -> Result<T>) -> Result<T> {
        let mut outcome = None;
        let undone: Result<()> = self.attempt(|trial| {
            outcome = Some(step(trial)?);
            Err(Error::Internal("a trial leaves nothing".to_owned()))
        });
        match (outcome, undone) {
            (Some(outcome), _) => Ok(outcome),
            (None, Err(error)) => Err(error),
            (None, Ok(())) => Err(Error::Internal("a trial has no outcome".to_owned())),
        }
    }
}

impl Error {
    /// Whether it says that something must not be as somebody wants it, whoever else wants something.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            Self::NotFound(..) | Self::Invalid(_) | Self::Unsuited(..) | Self::Duplicate(_) | Self::Conflict(..) => {
                true
            }
            Self::Unauthenticated(_)
            | Self::NotAKey(_)
            | Self::Refused(_)
            | Self::MissingScope(_)
            | Self::WrongKind(_)
            | Self::NoAccess
            | Self::Forbidden(..)
            | Self::TooManyRequests(_)
            | Self::Overloaded(_)
            | Self::Unavailable(_)
            | Self::Full(_)
            | Self::Internal(_) => false,
        }
    }
}
