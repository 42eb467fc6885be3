//! Many use cases in one call: each is tried alone, and one that is refused leaves the others as they are.

use keystead_model::{contact::ContactPatch, scope::Scope};

use crate::{
    App, Error, LocationContext, Result, Upserted, WhenDuplicate, idempotency, operate::InLocation, resource::Resource,
};

/// How many contacts are made or changed.
#[derive(Clone, Copy, Debug, Default)]
pub struct UpsertMany {
    /// It is said what would become of each, and everything stays as it is.
    pub is_trial: bool,
    /// Tags are added to those that a contact has, instead of replacing them.
    pub keeps_tags: bool,
}

impl App {
    /// Runs `step` for each of `items`; the answers are in their order. What concerns the server, or somebody's scope, is no
    /// answer of one of them. Of a trial nothing stays.
    pub(crate) async fn each<I: Clone + Send + 'static, T: Send + 'static>(
        &self,
        context: &LocationContext,
        scope: Scope,
        items: Vec<I>,
        is_trial: bool,
        step: impl Fn(&mut InLocation<'_, '_>, I) -> Result<T> + Send + 'static,
    ) -> Result<Vec<Result<T>>> {
        let each = move |operation: &mut InLocation<'_, '_>| {
            let each = items.iter().map(|item| match operation.attempt(|alone| step(alone, item.clone())) {
                Err(error) if !error.is_refusal() => Err(error),
                outcome => Ok(outcome),
            });
            each.collect::<Result<Vec<_>>>()
        };
        let run = move |operation: &mut InLocation<'_, '_>| {
            if !is_trial {
                return each(operation);
            }
            let mut outcomes = None;
            let undone: Result<()> = operation.attempt(|operation| {
                outcomes = Some(each(operation)?);
                Err(Error::Internal("a trial leaves nothing".to_owned()))
            });
            outcomes.ok_or(()).or_else(|()| undone.map(|()| Vec::new()))
        };
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
        let UpsertMany { is_trial, keeps_tags } = how;
        let step = move |operation: &mut InLocation<'_, '_>, (mut patch, when): (ContactPatch, _)| {
            if keeps_tags {
                operation.keep_tags(&mut patch)?;
            }
            operation.upsert_contact(patch, when)
        };
        self.each(context, Scope::ContactsWrite, contacts, is_trial, step).await
    }

    /// Makes many of a resource, each as part of what is named with it.
    pub async fn create_many<R: Resource>(
        &self,
        context: &LocationContext,
        new: Vec<(R::Parent, R::Content)>,
    ) -> Result<Vec<Result<R>>> {
        let step = |operation: &mut InLocation<'_, '_>, (parent, content)| operation.create::<R>(parent, content);
        self.each(context, R::SCOPES.1, new, false, step).await
    }
}

impl Error {
    /// Whether it says that something must not be as somebody wants it, whoever else wants something.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            Self::NotFound(..) | Self::Invalid(_) | Self::Duplicate(_) | Self::Conflict(..) => true,
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
