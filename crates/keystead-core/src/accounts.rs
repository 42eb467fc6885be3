//! Members as programs make, find, change and delete them. How people invite and manage each other stands in `users.rs`.
//!
//! Whoever makes a user with a password can sign in as that user. So nobody makes one, or changes one into one, who could do
//! more than they themselves: the rule for keys that make keys, [`Grant::exceeds`], holds for users as well. And nobody but a
//! user themselves changes what they sign in with.

use std::collections::BTreeSet;

use keystead_model::{
    AgencyId, LocationId, UserId,
    event::EventKind,
    grant::Grant,
    ip_range::IpRanges,
    page::{Counted, Window},
    scope::Scope,
    text::EmailAddress,
    user::{PersonName, Role, User, UserFilter, UserPatch, UserProfile},
};
use keystead_store::{
    Tx,
    changes::{self, Change},
    sessions, user_search, users,
};

use crate::{
    App, Authority, Error, ErrorCode, Result, Source,
    aftermath::begin_departure,
    error::Noun,
    events::{Happened, tell},
    users::{address_taken, end_invitations, is_operator, keep_an_admin, keeps_members, owned},
};

/// A user who is about to be made by somebody else.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the others are those of User")]
pub struct NewAccount {
    pub email: EmailAddress,
    pub first_name: Option<PersonName>,
    pub last_name: Option<PersonName>,
    pub role: Role,
    /// Of an account role; none are the one that its maker reaches.
    pub locations: BTreeSet<LocationId>,
    pub profile: UserProfile,
    /// Without one they sign in once the operator has set one.
    pub password: Option<String>,
}

impl App {
    /// The users whom the authority sees and who match, as far as it sees them, and how many that are in all.
    pub async fn search_users(
        &self,
        authority: &Authority,
        filter: UserFilter,
        window: Window<UserId>,
    ) -> Result<(Vec<User>, i64)> {
        authority.require(Scope::UsersRead)?;
        if let Some(location) = filter.location {
            self.find_location(authority, location).await?;
        }
        let (agency, reach) = (authority.agency(), authority.grant().reach.clone());
        let find = move |tx: &mut Tx<'_>| {
            let Counted { page, total } = user_search::list(tx, agency, &reach, &filter, &window)?;
            let seen = page.rows.iter().filter_map(|user| user.seen_within(&reach)).collect();
            Ok((seen, total))
        };
        self.store.read(find).await
    }

    /// One user, as far as the authority sees them.
    pub async fn get_user(&self, authority: &Authority, id: UserId) -> Result<User> {
        authority.require(Scope::UsersRead)?;
        let agency = authority.agency();
        let found = self.store.look_up(move |tx| users::find(tx, agency, id)).await?;
        found.and_then(|user| user.seen_within(&authority.grant().reach)).ok_or_else(|| not_found(id))
    }

    /// Makes a user who may do no more than whoever makes them.
    pub async fn create_user(&self, authority: &Authority, new: NewAccount) -> Result<User> {
        authority.require(Scope::UsersWrite)?;
        authority.require_fresh()?;
        let NewAccount { email, first_name, last_name, role, mut locations, profile, password } = new;
        match role.is_account() {
            true if locations.is_empty() => locations.extend(authority.grant().reach.only_location()),
            true => {}
            false => locations.clear(),
        }
        let now = authority.now();
        let user = User {
            id: self.entropy.id(now),
            agency: authority.agency(),
            email,
            first_name,
            last_name,
            role,
            locations,
            is_operator: false,
            disabled: false,
            created_at: now,
            time_zone: None,
            profile,
            deleted_at: None,
        };
        may_give(authority, &user)?;
        let password_hash = match &password {
            Some(password) => {
                let source = authority.address().map(Source::of);
                Some(self.passwords.hash(password, &self.entropy, source).await?)
            }
            None => None,
        };
        let agency = user.agency;
        let made = self
            .operate_serial(
                authority,
                move |tx, authority| {
                    changes::next(tx, Change::Member(user.id), now)?;
                    keeps_members(tx, authority)?;
                    owned(tx, user.agency, &user.locations)?;
                    if !users::insert(tx, &user, password_hash.as_deref())? {
                        return Err(address_taken());
                    }
                    tell(tx, authority, Happened::made(EventKind::UserCreated, &user))?;
                    Ok(user.clone())
                },
                move |tx, lost| found(tx, agency, lost.id()?),
            )
            .await?;
        self.journaled().await;
        Ok(made)
    }

    /// Changes a user within what the authority itself may do. What they sign in with stays as it is.
    pub async fn update_user(&self, authority: &Authority, id: UserId, patch: UserPatch) -> Result<User> {
        authority.require(Scope::UsersWrite)?;
        let reach = authority.grant().reach.clone();
        let agency = authority.agency();
        let changed = self
            .operate_serial(
                authority,
                move |tx, authority| {
                    changes::next(tx, Change::Member(id), authority.now())?;
                    let before = to_change(tx, authority, id)?;
                    keeps_sign_in(&before, &patch)?;
                    let mut after = before.clone();
                    patch.clone().apply(&mut after);
                    if after == before {
                        return Ok(before);
                    }
                    let is_moved = (after.role, &after.locations) != (before.role, &before.locations);
                    if is_moved {
                        move_user(tx, authority, &before, &after)?;
                    }
                    users::save_profile(tx, &after)?;
                    let kind = if is_moved { EventKind::UserRoleChanged } else { EventKind::UserUpdated };
                    tell(tx, authority, Happened::changed(kind, &before, &after))?;
                    if is_moved {
                        end_invitations(tx, authority, id)?;
                    }
                    Ok(after)
                },
                move |tx, _| found(tx, agency, id),
            )
            .await?;
        self.journaled().await;
        changed.seen_within(&reach).ok_or_else(|| not_found(id))
    }

    /// Deletes a user: their sessions end at once, and their address is free again. What was assigned to them becomes nobody's, in
    /// portions. Answers who that was.
    pub async fn delete_user(&self, authority: &Authority, id: UserId) -> Result<User> {
        authority.require(Scope::UsersWrite)?;
        let deleted = self
            .operate_serial(
                authority,
                move |tx, authority| {
                    changes::next(tx, Change::Member(id), authority.now())?;
                    let user = to_change(tx, authority, id)?;
                    keep_an_admin(tx, &user)?;
                    sessions::delete_of_user(tx, id)?;
                    users::delete(tx, id, authority.now())?;
                    tell(tx, authority, Happened::gone(EventKind::UserDeleted, &user))?;
                    end_invitations(tx, authority, id)?;
                    begin_departure(tx, authority, id)?;
                    Ok(user)
                },
                move |_, _| Err(not_found(id)),
            )
            .await?;
        self.journaled().await;
        Ok(deleted)
    }
}

fn not_found(id: UserId) -> Error {
    Error::NotFound(Noun::User, id.to_string())
}

fn found(tx: &mut Tx<'_>, agency: AgencyId, id: UserId) -> Result<User> {
    users::find(tx, agency, id)?.ok_or_else(|| not_found(id))
}

/// A user whom the authority sees, and may change: whoever may do more than it is somebody else's to change.
fn to_change(tx: &mut Tx<'_>, authority: &Authority, id: UserId) -> Result<User> {
    let user = found(tx, authority.agency(), id)?;
    let seen = user.seen_within(&authority.grant().reach).ok_or_else(|| not_found(id))?;
    authority.expect(&seen)?;
    if user.is_operator && !is_operator(tx, authority)? {
        let message = "Only an operator of the instance may change another".to_owned();
        return Err(Error::Forbidden(ErrorCode::NotAllowed, message));
    }
    // From where and until when it acts itself does not matter for what it takes.
    let own = Grant { allowed_ips: IpRanges::default(), expires_at: None, ..authority.grant().clone() };
    match user.grant().exceeds(&own) {
        Some(excess) => {
            Err(Error::Forbidden(ErrorCode::Escalation, format!("The user may do more than you: {excess}")))
        }
        None => Ok(user),
    }
}

/// Refuses a user who would have more than whoever makes them.
fn may_give(authority: &Authority, user: &User) -> Result<()> {
    if user.role.is_account() && user.locations.is_empty() {
        return Err(Error::invalid("locationIds", "should not be empty"));
    }
    match user.grant().exceeds(authority.grant()) {
        Some(excess) => {
            Err(Error::Forbidden(ErrorCode::Escalation, format!("The user would have more than you: {excess}")))
        }
        None => Ok(()),
    }
}

/// Whoever could change what somebody signs in with could sign in as them.
fn keeps_sign_in(user: &User, patch: &UserPatch) -> Result<()> {
    let is_other = |email: &EmailAddress| email.normalized() != user.email.normalized();
    if patch.has_password || patch.email.as_ref().is_some_and(is_other) {
        let message = "The password and the e-mail address of a user are theirs alone to change".to_owned();
        return Err(Error::Forbidden(ErrorCode::SignInIsTheirs, message));
    }
    Ok(())
}

/// Gives a user another role, or other locations. Their sessions end, so that nothing old goes on.
fn move_user(tx: &mut Tx<'_>, authority: &Authority, before: &User, after: &User) -> Result<()> {
    authority.require_fresh()?;
    may_give(authority, after)?;
    keeps_members(tx, authority)?;
    if before.role == Role::AgencyAdmin && after.role != Role::AgencyAdmin {
        keep_an_admin(tx, before)?;
    }
    let gained = after.locations.difference(&before.locations).copied().collect();
    owned(tx, after.agency, &gained)?;
    users::set_role(tx, after.id, after.role, &after.locations)?;
    sessions::delete_of_user(tx, after.id)?;
    Ok(())
}
