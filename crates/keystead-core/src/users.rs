//! Members of an agency: invite, list, change, disable.

use std::collections::{BTreeSet, HashMap};

use keystead_model::{
    AgencyId, KeyId, LocationId, UserId, UtcMs,
    actor::Actor,
    agency::TenantState,
    api_key::{ApiKey, KeyState, Refusal},
    event::EventKind,
    id::Id,
    page::Window,
    scope::Scope,
    text::{Line, TimeZoneName, echo, normalized_email},
    time::DAY_MS,
    user::{Invitation, NewUser, PersonName, Role, User, UserProfile},
};
use keystead_store::{
    Tx, agencies,
    changes::{self, Change},
    locations, sessions,
    users::{self, TokenHash},
};
use serde_json::json;

use crate::{
    App, Authority, Error, ErrorCode, KeyFilter, RequestFacts, Result, Source,
    error::Noun,
    events::{Described, Fields, Happened, fields, put, put_all, tell, tell_of},
    notices::member,
    password::Passwords,
    secret::token_hash,
    sessions::SignedIn,
    webhooks,
};

/// Keys that are looked at when who made them leaves.
const KEYS_MADE: i64 = 1000;
/// How long an invitation is open.
const INVITATION_MS: i64 = 7 * DAY_MS;

impl App {
    /// The members whom the authority manages, by address.
    pub async fn list_users(&self, authority: &Authority) -> Result<Vec<User>> {
        authority.require(Scope::UsersRead)?;
        let agency = authority.agency();
        let all = self.store.read(move |tx| users::list(tx, agency, &Window::all())).await?.rows;
        let reach = &authority.grant().reach;
        Ok(all.into_iter().filter(|user| user.role.is_within_at(reach, &user.locations)).collect())
    }

    /// The names of an agency's members, to show who did a thing: for whoever is signed in to it.
    pub async fn user_names(&self, authority: &Authority) -> Result<HashMap<UserId, String>> {
        let agency = authority.agency();
        // Also of those who are deleted: what they did stays theirs.
        let all = self.store.read(move |tx| users::list_with_deleted(tx, agency)).await?;
        Ok(all.into_iter().map(|user| (user.id, user.display_name())).collect())
    }

    /// Chooses the zone in which a member is shown times; without one it is their browser's.
    pub async fn set_time_zone(&self, authority: &Authority, zone: Option<TimeZoneName>) -> Result<()> {
        let (agency, id) = (authority.agency(), member(authority)?);
        let authority = authority.clone();
        self.store
            .write(move |tx| {
                let before = users::find(tx, agency, id)?.ok_or(Error::NoAccess)?;
                if before.time_zone == zone {
                    return Ok(());
                }
                users::set_time_zone(tx, id, zone.as_ref())?;
                let after = User { time_zone: zone.clone(), ..before.clone() };
                tell(tx, &authority, Happened::changed(EventKind::UserUpdated, &before, &after))
            })
            .await
    }

    /// Open invitations that the authority manages.
    pub async fn list_invitations(&self, authority: &Authority) -> Result<Vec<Invitation>> {
        authority.require(Scope::UsersRead)?;
        let (agency, now) = (authority.agency(), authority.now());
        let all = self.store.read(move |tx| users::list_invitations(tx, agency, now)).await?;
        let reach = &authority.grant().reach;
        Ok(all.into_iter().filter(|Invitation { user, .. }| user.role.is_within_at(reach, &user.locations)).collect())
    }

    /// Invites somebody. Returns the token of the link, which nobody else has, and the invitation.
    pub async fn invite_user(&self, authority: &Authority, new: NewUser) -> Result<(String, Invitation)> {
        authority.require(Scope::UsersWrite)?;
        authority.require_fresh()?;
        if !new.role.is_within_at(&authority.grant().reach, &new.locations) {
            return Err(not_yours());
        }
        let token = self.entropy.token();
        let (hash, now) = (token_hash(&token), authority.now());
        let invitation = Invitation {
            id: self.entropy.id(now),
            agency: authority.agency(),
            user: new,
            invited_by: authority.actor(),
            expires_at: UtcMs(now.0 + INVITATION_MS),
        };
        let (authority, made) = (authority.clone(), invitation.clone());
        self.store
            .write(move |tx| {
                keeps_members(tx, &authority)?;
                // Of this agency only: whether another has such a member is nobody's business here.
                if users::is_member(tx, authority.agency(), &invitation.user.email.normalized())? {
                    return Err(address_taken());
                }
                owned(tx, authority.agency(), &invitation.user.locations)?;
                users::insert_invitation(tx, &invitation, &hash, now)?;
                let after = fields(json!({"role": invitation.user.role.as_str()}));
                let happened = Happened::to(EventKind::UserInvited, invitation.id.as_str());
                tell(tx, &authority, happened.with(None, Some(after)))
            })
            .await?;
        Ok((token, made))
    }

    /// Takes an invitation back.
    pub async fn withdraw_invitation(&self, authority: &Authority, id: Id<Invitation>) -> Result<()> {
        authority.require(Scope::UsersWrite)?;
        if !self.list_invitations(authority).await?.iter().any(|invitation| invitation.id == id) {
            return Err(Error::NotFound(Noun::Invitation, id.to_string()));
        }
        let authority = authority.clone();
        self.store.write(move |tx| withdraw(tx, &authority, id)).await
    }

    /// The open invitation of a link, for the page that accepts it.
    pub async fn get_invitation(&self, token: &str) -> Result<Invitation> {
        let (hash, now) = (token_hash(token), self.clock.now());
        self.store.read(move |tx| open_invitation(tx, &hash, now)).await
    }

    /// The open invitations that a member has made: those of them that the authority manages. They end with the member's right
    /// to make them.
    pub async fn invitations_of(&self, authority: &Authority, user: UserId) -> Result<Vec<Invitation>> {
        let mut open = self.list_invitations(authority).await?;
        open.retain(|invitation| invitation.invited_by == Actor::User(user));
        Ok(open)
    }

    /// Accepts an invitation: makes the user and signs them in.
    pub async fn accept_invitation(
        &self,
        token: &str,
        names: (Option<PersonName>, Option<PersonName>),
        password: &str,
        facts: &RequestFacts<'_>,
    ) -> Result<SignedIn> {
        let invitation = self.get_invitation(token).await?;
        let source = Some(Source::of(facts.address));
        let password_hash = self.passwords.hash(password, &self.entropy, source).await?;
        let (hash, now) = (token_hash(token), self.clock.now());
        let NewUser { email, role, locations, .. } = invitation.user.clone();
        let user = User {
            id: self.entropy.id(now),
            agency: invitation.agency,
            email,
            first_name: names.0,
            last_name: names.1,
            role,
            locations,
            is_operator: false,
            disabled: false,
            created_at: now,
            time_zone: None,
            profile: UserProfile::default(),
            deleted_at: None,
        };
        let (made, ip) = (user.clone(), facts.address.to_string());
        self.store
            .write(move |tx| {
                open_invitation(tx, &hash, now)?;
                users::delete_invitation(tx, &hash)?;
                if !users::insert(tx, &user, Some(&password_hash))? {
                    return Err(address_taken());
                }
                let actor = Actor::User(user.id);
                let happened = Happened::made(EventKind::UserCreated, &user);
                tell_of(tx, user.agency, actor, Some(ip.clone()), now, happened)?;
                Ok(())
            })
            .await?;
        self.begin_session(made, facts).await
    }

    /// The keys that a member made and that were not deleted, newest first: those of them that the authority may see.
    pub async fn keys_made_by(&self, authority: &Authority, user: UserId) -> Result<Vec<ApiKey>> {
        let filter = KeyFilter { created_by: Some(user), ..KeyFilter::default() };
        Ok(self.list_keys(authority, filter, Window::first(KEYS_MADE)).await?.rows)
    }

    /// Disables a member, and switches off those of the keys that they made which `keys` names. The others stay, they
    /// are the tenant's; whoever made a key may still have its secret. Answers the keys that were switched off.
    pub async fn disable_user(&self, authority: &Authority, id: UserId, keys: &[KeyId]) -> Result<Vec<ApiKey>> {
        authority.require(Scope::UsersWrite)?;
        let made = self.keys_made_by(authority, id).await?;
        if let Some(stranger) = keys.iter().find(|key| !made.iter().any(|made| made.id == **key)) {
            return Err(Error::NotFound(Noun::Key, stranger.to_string()));
        }
        // The person first: what they could still do meanwhile is more than what a key can.
        self.set_user_disabled(authority, id, true).await?;
        let mut ended = Vec::new();
        for key in made.iter().filter(|key| keys.contains(&key.id) && key.state == KeyState::Active) {
            ended.push(self.deactivate_key(authority, key.id).await?.key);
        }
        Ok(ended)
    }

    /// Disables or enables a member. A disabled member's sessions end at once; their keys stay, they are the tenant's.
    pub async fn set_user_disabled(&self, authority: &Authority, id: UserId, disabled: bool) -> Result<()> {
        authority.require(Scope::UsersWrite)?;
        if !disabled {
            authority.require_fresh()?;
        }
        let kind = if disabled { EventKind::UserDisabled } else { EventKind::UserEnabled };
        self.change_user(authority, id, kind, move |tx, by, user| {
            if disabled {
                keep_an_admin(tx, user)?;
                sessions::delete_of_user(tx, user.id)?;
            } else {
                keeps_members(tx, by)?;
            }
            users::set_disabled(tx, user.id, disabled)?;
            Ok(())
        })
        .await
    }

    /// Changes what a member may do. Their sessions end, so that nothing old goes on.
    pub async fn set_user_role(
        &self,
        authority: &Authority,
        id: UserId,
        role: Role,
        locations: BTreeSet<LocationId>,
    ) -> Result<()> {
        authority.require(Scope::UsersWrite)?;
        authority.require_fresh()?;
        if !role.is_within_at(&authority.grant().reach, &locations) {
            return Err(not_yours());
        }
        self.change_user(authority, id, EventKind::UserRoleChanged, move |tx, by, user| {
            keeps_members(tx, by)?;
            if user.role == Role::AgencyAdmin && role != Role::AgencyAdmin {
                keep_an_admin(tx, user)?;
            }
            owned(tx, user.agency, &locations)?;
            let mut locations = locations.clone();
            if role.is_account() {
                // Nobody can choose what is deleted, and it comes back with its members.
                for location in &user.locations {
                    locations.extend(locations::find_deleted(tx, user.agency, *location)?.map(|deleted| deleted.id));
                }
            }
            users::set_role(tx, user.id, role, &locations)?;
            sessions::delete_of_user(tx, user.id)?;
            Ok(())
        })
        .await
    }

    async fn change_user(
        &self,
        authority: &Authority,
        id: UserId,
        kind: EventKind,
        change: impl Fn(&mut Tx<'_>, &Authority, &User) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let authority = authority.clone();
        self.store
            .write(move |tx| {
                changes::next(tx, Change::Member(id), authority.now())?;
                let user = users::find(tx, authority.agency(), id)?
                    .filter(|user| user.role.is_within_at(&authority.grant().reach, &user.locations))
                    .ok_or_else(|| Error::NotFound(Noun::User, id.to_string()))?;
                authority.expect(&user)?;
                if user.is_operator && !is_operator(tx, &authority)? {
                    let message = "Only an operator of the instance may change another".to_owned();
                    return Err(Error::Forbidden(ErrorCode::NotAllowed, message));
                }
                change(tx, &authority, &user)?;
                end_invitations(tx, &authority, id)?;
                let after = users::find(tx, authority.agency(), id)?.unwrap_or_else(|| user.clone());
                tell(tx, &authority, Happened::changed(kind, &user, &after))
            })
            .await?;
        self.journaled().await;
        Ok(())
    }

    /// Sets somebody's password, by the operator's command line. All their sessions end. `agency` is needed where several have a
    /// member with this address.
    pub async fn reset_password(&self, email: &str, agency: Option<AgencyId>, password: &str) -> Result<()> {
        let password_hash = self.passwords.hash(password, &self.entropy, None).await?;
        self.change_by_operator(email, agency, EventKind::UserPasswordReset, move |tx, user| {
            users::set_password(tx, user.id, &password_hash)?;
            sessions::delete_of_user(tx, user.id)?;
            Ok(())
        })
        .await
    }

    /// Makes somebody an operator or takes it from them, by the command line. `agency` is needed where several have a member
    /// with this address.
    pub async fn set_operator(&self, email: &str, agency: Option<AgencyId>, is_operator: bool) -> Result<()> {
        let kind = if is_operator { EventKind::UserOperatorGranted } else { EventKind::UserOperatorWithdrawn };
        let set = move |tx: &mut Tx<'_>, user: &User| Ok(users::set_operator(tx, user.id, is_operator)?);
        self.change_by_operator(email, agency, kind, set).await
    }

    async fn change_by_operator(
        &self,
        email: &str,
        agency: Option<AgencyId>,
        kind: EventKind,
        change: impl Fn(&mut Tx<'_>, &User) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let (email, now) = (normalized_email(email), self.clock.now());
        self.store
            .write(move |tx| {
                changes::lock(tx)?;
                let mut found = users::find_by_email(tx, &email)?;
                found.retain(|(user, _)| agency.is_none_or(|agency| user.agency == agency));
                let user = match found.as_slice() {
                    [] => return Err(Error::NotFound(Noun::User, echo(&email))),
                    [(user, _)] => user,
                    several => {
                        let agencies: Vec<&str> = several.iter().map(|(user, _)| user.agency.as_str()).collect();
                        let message = format!(
                            "Several agencies have a member with this address; name one of {}",
                            agencies.join(", ")
                        );
                        return Err(Error::Conflict(ErrorCode::Conflict, message));
                    }
                };
                change(tx, user)?;
                tell_of(tx, user.agency, Actor::Operator, None, now, Happened::to(kind, user.id.as_str()))?;
                changes::next(tx, Change::Member(user.id), now)?;
                Ok(())
            })
            .await?;
        self.journaled().await;
        Ok(())
    }

    /// Changes one's own password. All other sessions end.
    pub async fn change_password(
        &self,
        signed_in: &SignedIn,
        old: &str,
        new: &str,
        facts: &RequestFacts<'_>,
    ) -> Result<SignedIn> {
        Passwords::check(new)?;
        if !self.confirm_password(signed_in, old, facts).await? {
            return Err(Error::invalid("current", "is not your password"));
        }
        let password_hash = self.passwords.hash(new, &self.entropy, Some(Source::of(facts.address))).await?;
        let (user, now, ip) = (signed_in.user.clone(), self.clock.now(), facts.address.to_string());
        let id = user.id;
        self.store
            .write(move |tx| {
                changes::next(tx, Change::Member(id), now)?;
                users::set_password(tx, user.id, &password_hash)?;
                sessions::delete_of_user(tx, user.id)?;
                let actor = Actor::User(id);
                let happened = Happened::to(EventKind::UserPasswordChanged, id.as_str());
                tell_of(tx, user.agency, actor, Some(ip.clone()), now, happened)
            })
            .await?;
        self.journaled().await;
        self.begin_session(signed_in.user.clone(), facts).await
    }
}

fn not_yours() -> Error {
    Error::Forbidden(ErrorCode::NotAllowed, "Your role does not allow this".to_owned())
}

pub(crate) fn address_taken() -> Error {
    Error::Conflict(ErrorCode::NameTaken, "Somebody with this e-mail address exists".to_owned())
}

/// Whether somebody runs the instance.
pub(crate) fn is_operator(tx: &mut Tx<'_>, authority: &Authority) -> Result<bool> {
    match authority.actor() {
        Actor::Operator => Ok(true),
        Actor::User(id) => Ok(users::find(tx, authority.agency(), id)?.is_some_and(|user| user.is_operator)),
        Actor::Key(_) | Actor::System => Ok(false),
    }
}

/// What is the operator's alone.
pub(crate) fn require_operator(tx: &mut Tx<'_>, authority: &Authority) -> Result<()> {
    if is_operator(tx, authority)? {
        return Ok(());
    }
    let message = "Only an operator of the instance may do this".to_owned();
    Err(Error::Forbidden(ErrorCode::NotAllowed, message))
}

/// While an agency is suspended only the operator adds to it or changes who may do what.
pub(crate) fn keeps_members(tx: &mut Tx<'_>, authority: &Authority) -> Result<()> {
    let is_live = agencies::find(tx, authority.agency())?.is_some_and(|agency| agency.state == TenantState::Active);
    if is_live || is_operator(tx, authority)? { Ok(()) } else { Err(Error::Refused(Refusal::TenantSuspended)) }
}

/// The invitation of a link, while whoever made it may still make it.
fn open_invitation(tx: &mut Tx<'_>, token: &TokenHash, now: UtcMs) -> Result<Invitation> {
    let missing = || Error::NotFound(Noun::Invitation, String::new());
    let invitation = users::find_invitation(tx, token, now)?.ok_or_else(missing)?;
    let agency = agencies::find(tx, invitation.agency)?.ok_or_else(missing)?;
    if agency.state == TenantState::Suspended {
        return Err(Error::Refused(Refusal::TenantSuspended));
    }
    if still_stands(tx, &invitation)? && leads_somewhere(tx, &invitation)? { Ok(invitation) } else { Err(missing()) }
}

/// Whether whoever made an invitation may still make it.
fn still_stands(tx: &mut Tx<'_>, invitation: &Invitation) -> Result<bool> {
    let id = match invitation.invited_by {
        Actor::User(id) => id,
        Actor::Operator => return Ok(true),
        Actor::Key(_) | Actor::System => return Ok(false),
    };
    let Some(inviter) = users::find(tx, invitation.agency, id)?.filter(|user| !user.disabled) else { return Ok(false) };
    let grant = inviter.grant();
    let NewUser { role, locations, .. } = &invitation.user;
    Ok(grant.allows(Scope::UsersWrite) && role.is_within_at(&grant.reach, locations))
}

/// Whether all locations of an invitation are there: one may be deleted, and restored, meanwhile.
fn leads_somewhere(tx: &mut Tx<'_>, invitation: &Invitation) -> Result<bool> {
    match owned(tx, invitation.agency, &invitation.user.locations) {
        Err(Error::NoAccess) => Ok(false),
        outcome => outcome.map(|()| true),
    }
}

/// Ends the invitations that a member has made and may not make any more.
pub(crate) fn end_invitations(tx: &mut Tx<'_>, authority: &Authority, inviter: UserId) -> Result<()> {
    for invitation in users::list_invitations(tx, authority.agency(), authority.now())? {
        if invitation.invited_by == Actor::User(inviter) && !still_stands(tx, &invitation)? {
            withdraw(tx, authority, invitation.id)?;
        }
    }
    Ok(())
}

fn withdraw(tx: &mut Tx<'_>, authority: &Authority, id: Id<Invitation>) -> Result<()> {
    users::withdraw_invitation(tx, authority.agency(), id)?;
    tell(tx, authority, Happened::to(EventKind::UserInvitationWithdrawn, id.as_str()))
}

impl Described for User {
    fn flat(&self) -> Option<Fields> {
        Some(webhooks::user(self))
    }

    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn describe(&self) -> Fields {
        let mut fields = Fields::new();
        let UserProfile {
            phone,
            extension,
            platform_language,
            photo_url,
            permissions,
            scopes,
            scopes_of_assigned,
            location_phones,
        } = &self.profile;
        put(&mut fields, "firstName", self.first_name.as_ref().map(Line::as_str));
        put(&mut fields, "lastName", self.last_name.as_ref().map(Line::as_str));
        put(&mut fields, "phone", phone.as_ref().map(Line::as_str));
        put(&mut fields, "extension", extension.as_ref().map(Line::as_str));
        put(&mut fields, "platformLanguage", platform_language.as_ref().map(Line::as_str));
        put(&mut fields, "profilePhoto", photo_url.as_ref().map(Line::as_str));
        let permissions: Fields = permissions.iter().map(|(name, is_on)| (name.clone(), (*is_on).into())).collect();
        put(&mut fields, "permissions", Some(permissions).filter(|permissions| !permissions.is_empty()));
        put_all(&mut fields, "scopes", scopes.iter().map(String::as_str));
        put_all(&mut fields, "scopesAssignedToOnly", scopes_of_assigned.iter().map(String::as_str));
        let phones: Fields = location_phones.iter().map(|(at, phone)| (at.clone(), phone.as_str().into())).collect();
        put(&mut fields, "lcPhone", Some(phones).filter(|phones| !phones.is_empty()));
        put(&mut fields, "timeZone", self.time_zone.as_ref().map(TimeZoneName::as_str));
        put(&mut fields, "role", Some(self.role.as_str()));
        put_all(&mut fields, "locationIds", self.locations.iter().map(LocationId::as_str));
        put(&mut fields, "isOperator", self.is_operator.then_some(true));
        put(&mut fields, "disabled", Some(self.disabled));
        fields
    }
}

pub(crate) fn owned(tx: &mut Tx<'_>, agency: AgencyId, wanted: &BTreeSet<LocationId>) -> Result<()> {
    for location in wanted {
        locations::find(tx, agency, *location)?.ok_or(Error::NoAccess)?;
    }
    Ok(())
}

/// An agency always has somebody who can manage it.
pub(crate) fn keep_an_admin(tx: &mut Tx<'_>, leaving: &User) -> Result<()> {
    if leaving.role == Role::AgencyAdmin && users::enabled_agency_admins(tx, leaving.agency)? == [leaving.id] {
        return Err(Error::Conflict(ErrorCode::LastAdmin, "This is the agency's last admin".to_owned()));
    }
    Ok(())
}
