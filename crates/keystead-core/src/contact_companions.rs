//! Whom contacts belong to besides their owner: the business that they work for, and the users who follow what becomes of them.

use keystead_model::{
    BusinessId, ContactId, UserId,
    business::Business,
    contact::{Contact, ContactProfile},
    scope::Scope,
};
use keystead_store::stored;

use crate::{App, Error, LocationContext, Result, error::Noun, idempotency::Lost, operate::InLocation};

/// What became of a contact's followers.
#[derive(Clone, Debug)]
pub struct FollowersChanged {
    /// Those that it has now.
    pub followers: Vec<UserId>,
    /// Those that were added, or taken away.
    pub changed: Vec<UserId>,
}

impl FollowersChanged {
    fn between(before: &[UserId], followers: Vec<UserId>) -> Self {
        let is_changed = |user: &&UserId| before.contains(user) != followers.contains(user);
        let changed = before.iter().chain(&followers).filter(is_changed).copied().collect();
        Self { followers, changed }
    }
}

impl App {
    /// Makes contacts work for a business, or for none. Answers those that are there.
    pub async fn set_business_of_contacts(
        &self,
        context: &LocationContext,
        ids: Vec<ContactId>,
        business: Option<BusinessId>,
    ) -> Result<Vec<ContactId>> {
        let known = ids.clone();
        let run = move |operation: &mut InLocation<'_, '_>| {
            if let Some(business) = business {
                operation.require_business(business)?;
            }
            let set = |id: &ContactId| match operation.set_business(*id, business) {
                Ok(()) => Some(Ok(*id)),
                Err(Error::NotFound(Noun::Contact, _)) => None,
                Err(error) => Some(Err(error)),
            };
            ids.iter().filter_map(set).collect()
        };
        let recover = move |operation: &mut InLocation<'_, '_>, _: &_| {
            Ok(known.iter().copied().filter(|id| operation.require_contact(*id).is_ok()).collect())
        };
        self.operate(context, Scope::ContactsWrite, run, recover).await
    }

    /// Makes users follow a contact.
    pub async fn add_contact_followers(
        &self,
        context: &LocationContext,
        id: ContactId,
        users: Vec<UserId>,
    ) -> Result<FollowersChanged> {
        self.change_followers(context, id, move |followers| {
            for user in &users {
                if !followers.contains(user) {
                    followers.push(*user);
                }
            }
        })
        .await
    }

    /// Makes users follow a contact no more.
    pub async fn remove_contact_followers(
        &self,
        context: &LocationContext,
        id: ContactId,
        users: Vec<UserId>,
    ) -> Result<FollowersChanged> {
        self.change_followers(context, id, move |followers| followers.retain(|user| !users.contains(user))).await
    }

    async fn change_followers(
        &self,
        context: &LocationContext,
        id: ContactId,
        change: impl Fn(&mut Vec<UserId>) + Send + 'static,
    ) -> Result<FollowersChanged> {
        let run = move |operation: &mut InLocation<'_, '_>| {
            let mut before = Vec::new();
            let Contact { profile, .. } = operation.change_contact(id, |contact| {
                before.clone_from(&contact.profile.followers);
                change(&mut contact.profile.followers);
            })?;
            Ok(FollowersChanged::between(&before, profile.followers))
        };
        let recover = move |operation: &mut InLocation<'_, '_>, lost: &Lost| {
            let Contact { profile: ContactProfile { followers, .. }, .. } = operation.contact(id)?;
            let changed = lost.list(operation.tx, "followers", UserId::parse)?;
            let (before, followers) = changed.unwrap_or_else(|| (followers.clone(), followers));
            Ok(FollowersChanged::between(&before, followers))
        };
        self.operate(context, Scope::ContactsWrite, run, recover).await
    }
}

impl InLocation<'_, '_> {
    fn set_business(&mut self, id: ContactId, business: Option<BusinessId>) -> Result<()> {
        self.change_contact(id, |contact| contact.profile.business = business).map(drop)
    }

    fn require_business(&mut self, id: BusinessId) -> Result<()> {
        let found: Option<Business> = stored::find(self.tx, self.context.location, (), id)?;
        found.map(drop).ok_or_else(|| Error::invalid("businessId", "names no business of this location"))
    }
}
