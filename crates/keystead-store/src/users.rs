//! Users and invitations.

use std::collections::BTreeSet;

use keystead_model::{
    AgencyId, LocationId, UserId, UtcMs,
    actor::Actor,
    id::Id,
    page::{Page, Window},
    text::{Line, TimeZoneName},
    user::{Invitation, NewUser, Role, User, UserProfile},
};

use crate::{
    Error, Result, Row, Tx,
    filter::{Filter, prefix_end},
    list::Order,
    table::Table,
    user_search,
};

/// A digest of a token that somebody holds.
pub type TokenHash = [u8; 32];

pub(crate) const COLUMNS: &str =
    "u.id, u.agency_id, u.email, u.first_name, u.last_name, u.role, u.is_operator, u.disabled,
    u.created_at, (SELECT string_agg(l.location_id, ' ') FROM user_locations l WHERE l.user_id = u.id), u.phone,
    u.extension, u.platform_language, u.photo_url, u.permissions, u.listed_scopes, u.listed_scopes_of_assigned,
    u.location_phones, u.deleted_at, u.time_zone";

pub(crate) fn read(row: &mut Row<'_>) -> Result<User> {
    Ok(User {
        id: row.column()?,
        agency: row.column()?,
        email: row.column()?,
        first_name: row.column()?,
        last_name: row.column()?,
        role: read_role(&row.column::<String>()?)?,
        is_operator: row.column()?,
        disabled: row.column()?,
        created_at: row.column()?,
        locations: read_locations(row.column::<Option<String>>()?.as_deref().unwrap_or_default())?,
        profile: UserProfile {
            phone: row.column()?,
            extension: row.column()?,
            platform_language: row.column()?,
            photo_url: row.column()?,
            permissions: read_kept(row)?,
            scopes: read_kept(row)?,
            scopes_of_assigned: read_kept(row)?,
            location_phones: read_kept(row)?,
        },
        deleted_at: row.column()?,
        time_zone: row.column()?,
    })
}

/// What is kept as JSON; empty where there is nothing.
fn read_kept<T: serde::de::DeserializeOwned + Default>(row: &mut Row<'_>) -> Result<T> {
    match row.column::<Option<String>>()? {
        None => Ok(T::default()),
        Some(text) => serde_json::from_str(&text).map_err(|_| Error::unreadable("what is kept with a user")),
    }
}

fn kept<T: serde::Serialize>(list: &[T]) -> Result<Option<String>> {
    if list.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(list).map(Some).map_err(|_| Error::unreadable("what is kept with a user"))
}

fn read_role(text: &str) -> Result<Role> {
    Role::from_name(text).ok_or_else(|| Error::unreadable("a role"))
}

pub(crate) fn read_locations(text: &str) -> Result<BTreeSet<LocationId>> {
    text.split_whitespace()
        .map(|id| LocationId::parse(id).ok_or_else(|| Error::unreadable("a list of locations")))
        .collect()
}

pub(crate) fn write_locations(locations: &BTreeSet<LocationId>) -> String {
    locations.iter().map(LocationId::as_str).collect::<Vec<_>>().join(" ")
}

/// What makes an address unique in its agency. Addresses have no space in their domain, so it also begins all memberships of one.
pub(crate) fn email_key(email_lower: &str, agency: AgencyId) -> String {
    format!("{email_lower} {agency}")
}

static USERS: Table = Table::new("users", &["id"]);
static INVITATIONS: Table = Table::new("invitations", &["token_hash"]);

/// Adds a user; `false` if the agency has a member with this address.
pub fn insert(tx: &mut Tx<'_>, user: &User, password_hash: Option<&str>) -> Result<bool> {
    let User { id, agency, email, first_name, last_name, role, locations, is_operator, disabled, created_at, .. } =
        user;
    let is_new = USERS.add(
        tx,
        &[
            ("id", id),
            ("agency_id", agency),
            ("email", email),
            ("email_lower", &email_key(&email.normalized(), *agency)),
            ("first_name", first_name),
            ("last_name", last_name),
            ("role", &role.as_str()),
            ("is_operator", is_operator),
            ("disabled", disabled),
            ("password_hash", &password_hash),
            ("created_at", created_at),
        ],
    )?;
    if !is_new {
        return Ok(false);
    }
    set_locations(tx, *id, locations)?;
    save_profile(tx, user)?;
    Ok(true)
}

/// Writes the names of a user, and what programs keep with them.
pub fn save_profile(tx: &mut Tx<'_>, user: &User) -> Result<()> {
    let User { id, first_name, last_name, profile, .. } = user;
    let UserProfile {
        phone,
        extension,
        platform_language,
        photo_url,
        permissions,
        scopes,
        scopes_of_assigned,
        location_phones,
    } = profile;
    let phone_text = phone.as_ref().map(Line::as_str);
    let (name, searched) = user_search::folded(&user.display_name(), user.email.as_str(), phone_text);
    tx.execute(
        "UPDATE users SET first_name = ?2, last_name = ?3, phone = ?4, extension = ?5, platform_language = ?6,
             photo_url = ?7, permissions = ?8, listed_scopes = ?9, listed_scopes_of_assigned = ?10, location_phones = ?11,
             name_folded = ?12, searched = ?13
         WHERE id = ?1",
        &[
            id,
            first_name,
            last_name,
            phone,
            extension,
            platform_language,
            photo_url,
            &kept(permissions)?,
            &kept(scopes)?,
            &kept(scopes_of_assigned)?,
            &kept(location_phones)?,
            &name,
            &searched,
        ],
    )?;
    Ok(())
}

/// Deletes a user: the row stays for the log, without a password, and the address is free for another.
pub fn delete(tx: &mut Tx<'_>, id: UserId, at: UtcMs) -> Result<()> {
    tx.execute(
        "UPDATE users SET deleted_at = ?2, disabled = TRUE, is_operator = FALSE, password_hash = NULL,
             email_lower = email_lower || ' ' || id
         WHERE id = ?1 AND deleted_at IS NULL",
        &[&id, &at],
    )?;
    Ok(())
}

fn set_locations(tx: &mut Tx<'_>, user: UserId, locations: &BTreeSet<LocationId>) -> Result<()> {
    tx.execute("DELETE FROM user_locations WHERE user_id = ?1", &[&user])?;
    for location in locations {
        tx.execute("INSERT INTO user_locations (user_id, location_id) VALUES (?1, ?2)", &[&user, location])?;
    }
    Ok(())
}

/// One user of an agency; who is deleted is not found.
pub fn find(tx: &mut Tx<'_>, agency: AgencyId, id: UserId) -> Result<Option<User>> {
    let sql = format!("SELECT {COLUMNS} FROM users u WHERE u.id = ?1 AND u.agency_id = ?2 AND u.deleted_at IS NULL");
    tx.query_opt(&sql, &[&id, &agency], read)
}

/// The users with this address as it is compared, one in each agency that has such a member, oldest first; and the hashes of
/// their passwords.
pub fn find_by_email(tx: &mut Tx<'_>, email_lower: &str) -> Result<Vec<(User, Option<String>)>> {
    let sql = format!(
        "SELECT {COLUMNS}, u.password_hash FROM users u
         WHERE u.email_lower >= ?1 AND u.email_lower < ?2 AND u.deleted_at IS NULL
         ORDER BY u.created_at, u.id"
    );
    let begin = format!("{email_lower} ");
    tx.query(&sql, &[&begin, &prefix_end(&begin)], |row| Ok((read(row)?, row.column()?)))
}

/// Whether the agency has a member with this address as it is compared.
pub fn is_member(tx: &mut Tx<'_>, agency: AgencyId, email_lower: &str) -> Result<bool> {
    let sql = "SELECT id FROM users WHERE email_lower = ?1";
    Ok(tx.query_opt(sql, &[&email_key(email_lower, agency)], |row| row.column::<UserId>())?.is_some())
}

/// The user of a session, whatever their agency. Who is deleted is disabled.
pub fn find_for_session(tx: &mut Tx<'_>, id: UserId) -> Result<Option<(User, Option<String>)>> {
    let sql = format!("SELECT {COLUMNS}, u.password_hash FROM users u WHERE u.id = ?1");
    tx.query_opt(&sql, &[&id], |row| Ok((read(row)?, row.column()?)))
}

/// All users of the instance, by id.
pub fn list_of_instance(tx: &mut Tx<'_>, window: &Window<UserId>) -> Result<Page<UserId>> {
    Filter::any().page(tx, "SELECT id FROM users", Order::ascending(&["id"]), window, |row| row.column())
}

/// The users of an agency by address.
pub fn list(tx: &mut Tx<'_>, agency: AgencyId, window: &Window<String>) -> Result<Page<User>> {
    let mut conditions = Filter::new();
    conditions.and("u.agency_id = @ AND u.deleted_at IS NULL", &[&agency]);
    conditions.page(tx, &format!("SELECT {COLUMNS} FROM users u"), Order::ascending(&["u.email_lower"]), window, read)
}

/// All users that an agency ever had, also those who are deleted.
pub fn list_with_deleted(tx: &mut Tx<'_>, agency: AgencyId) -> Result<Vec<User>> {
    let sql = format!("SELECT {COLUMNS} FROM users u WHERE u.agency_id = ?1 ORDER BY u.email_lower");
    tx.query(&sql, &[&agency], read)
}

/// Admins of the agency who can sign in, and whom no change may bring to zero. Locks them.
pub fn enabled_agency_admins(tx: &mut Tx<'_>, agency: AgencyId) -> Result<Vec<UserId>> {
    let sql = format!(
        "SELECT id FROM users WHERE agency_id = ?1 AND role = 'agency-admin' AND disabled = FALSE ORDER BY id{}",
        tx.for_update()
    );
    tx.query(&sql, &[&agency], |row| row.column())
}

/// Enables or disables a user.
pub fn set_disabled(tx: &mut Tx<'_>, id: UserId, disabled: bool) -> Result<()> {
    tx.execute("UPDATE users SET disabled = ?2 WHERE id = ?1", &[&id, &disabled])?;
    Ok(())
}

/// Changes what a user may do.
pub fn set_role(tx: &mut Tx<'_>, id: UserId, role: Role, locations: &BTreeSet<LocationId>) -> Result<()> {
    tx.execute("UPDATE users SET role = ?2 WHERE id = ?1", &[&id, &role.as_str()])?;
    set_locations(tx, id, locations)
}

/// Chooses the zone in which a user is shown times.
pub fn set_time_zone(tx: &mut Tx<'_>, id: UserId, zone: Option<&TimeZoneName>) -> Result<()> {
    tx.execute("UPDATE users SET time_zone = ?2 WHERE id = ?1", &[&id, &zone])?;
    Ok(())
}

/// Sets the hash of a password.
pub fn set_password(tx: &mut Tx<'_>, id: UserId, password_hash: &str) -> Result<()> {
    tx.execute("UPDATE users SET password_hash = ?2 WHERE id = ?1", &[&id, &password_hash])?;
    Ok(())
}

/// Takes a user's password: they cannot sign in until a new one is set.
pub fn clear_password(tx: &mut Tx<'_>, id: UserId) -> Result<()> {
    tx.execute("UPDATE users SET password_hash = NULL WHERE id = ?1", &[&id])?;
    Ok(())
}

/// Makes a user an operator, or takes it from them.
pub fn set_operator(tx: &mut Tx<'_>, id: UserId, is_operator: bool) -> Result<()> {
    tx.execute("UPDATE users SET is_operator = ?2 WHERE id = ?1", &[&id, &is_operator])?;
    Ok(())
}

/// Whether anybody exists at all: an instance without users is set up by its wizard.
pub fn any(tx: &mut Tx<'_>) -> Result<bool> {
    tx.query_opt("SELECT id FROM users LIMIT 1", &[], |row| row.column::<UserId>()).map(|user| user.is_some())
}

const INVITATION: &str = "id, agency_id, email, first_name, last_name, role, location_ids, invited_by_kind,
    invited_by_id, expires_at";

fn read_invitation(row: &mut Row<'_>) -> Result<Invitation> {
    Ok(Invitation {
        id: row.column()?,
        agency: row.column()?,
        user: NewUser {
            email: row.column()?,
            first_name: row.column()?,
            last_name: row.column()?,
            role: read_role(&row.column::<String>()?)?,
            locations: read_locations(&row.column::<String>()?)?,
        },
        invited_by: read_actor(row)?,
        expires_at: row.column()?,
    })
}

pub(crate) fn read_actor(row: &mut Row<'_>) -> Result<Actor> {
    let (kind, id): (String, Option<String>) = (row.column()?, row.column()?);
    Actor::parse(&kind, id.as_deref()).ok_or_else(|| Error::unreadable("an actor"))
}

/// Adds an invitation; an older one to the same address ends.
pub fn insert_invitation(tx: &mut Tx<'_>, invitation: &Invitation, token: &TokenHash, now: UtcMs) -> Result<()> {
    let Invitation { id, agency, user, invited_by, expires_at } = invitation;
    let NewUser { email, first_name, last_name, role, locations } = user;
    let email_lower = email.normalized();
    tx.execute("DELETE FROM invitations WHERE agency_id = ?1 AND email_lower = ?2", &[agency, &email_lower])?;
    INVITATIONS.insert(
        tx,
        &[
            ("token_hash", token),
            ("id", id),
            ("agency_id", agency),
            ("email", email),
            ("email_lower", &email_lower),
            ("first_name", first_name),
            ("last_name", last_name),
            ("role", &role.as_str()),
            ("location_ids", &write_locations(locations)),
            ("invited_by_kind", &invited_by.kind()),
            ("invited_by_id", &invited_by.id()),
            ("created_at", &now),
            ("expires_at", expires_at),
        ],
    )
}

/// The invitation of a token, while it is valid.
pub fn find_invitation(tx: &mut Tx<'_>, token: &TokenHash, now: UtcMs) -> Result<Option<Invitation>> {
    let sql = format!("SELECT {INVITATION} FROM invitations WHERE token_hash = ?1 AND expires_at > ?2");
    tx.query_opt(&sql, &[token, &now], read_invitation)
}

/// The open invitations of an agency.
pub fn list_invitations(tx: &mut Tx<'_>, agency: AgencyId, now: UtcMs) -> Result<Vec<Invitation>> {
    let sql =
        format!("SELECT {INVITATION} FROM invitations WHERE agency_id = ?1 AND expires_at > ?2 ORDER BY email_lower");
    tx.query(&sql, &[&agency, &now], read_invitation)
}

/// Ends an invitation by its token; `false` if it was gone.
pub fn delete_invitation(tx: &mut Tx<'_>, token: &TokenHash) -> Result<bool> {
    Ok(tx.execute("DELETE FROM invitations WHERE token_hash = ?1", &[token])? == 1)
}

/// Withdraws an invitation by its id; `false` if it was gone.
pub fn withdraw_invitation(tx: &mut Tx<'_>, agency: AgencyId, id: Id<Invitation>) -> Result<bool> {
    Ok(tx.execute("DELETE FROM invitations WHERE agency_id = ?1 AND id = ?2", &[&agency, &id])? == 1)
}

/// Ends all invitations of everybody; how many that were.
pub fn delete_invitations(tx: &mut Tx<'_>) -> Result<u64> {
    tx.execute("DELETE FROM invitations", &[])
}
