//! Locations.

use std::collections::BTreeSet;

use keystead_model::{
    AgencyId, LocationId, ServiceMs,
    agency::{TenantName, TenantState},
    location::{Deletion, Location, LocationCursor, LocationFilter, LocationProfile, LocationSettings},
    page::{Page, Window},
    text::{Country, EmailAddress, TimeZoneName},
};

use crate::{
    Error, Result, Row, Tx,
    catalog::{self, OfLocation},
    filter::{Filter, prefix_end},
    list::Order,
    table::Table,
};

const COLUMNS: &str = "id, agency_id, state, resumed_at, name, country, timezone, phone, email, address, city, region,
    postal_code, website, domain, logo_url, first_name, last_name, allow_duplicate_contact, phone_first,
    allow_duplicate_opportunity, allow_facebook_name_merge, disable_contact_timezone, social, created_at, updated_at,
    deleted_at, restore_until";

fn read(row: &mut Row<'_>) -> Result<Location> {
    Ok(Location {
        id: row.column()?,
        agency: row.column()?,
        state: TenantState::from_stored(&row.column::<String>()?),
        resumed_at: row.column()?,
        profile: LocationProfile {
            name: row.column()?,
            country: row.column()?,
            timezone: row.column()?,
            phone: row.column()?,
            email: row.column()?,
            address: row.column()?,
            city: row.column()?,
            state: row.column()?,
            postal_code: row.column()?,
            website: row.column()?,
            domain: row.column()?,
            logo_url: row.column()?,
            first_name: row.column()?,
            last_name: row.column()?,
            settings: LocationSettings {
                allow_duplicate_contact: row.column()?,
                phone_first: row.column()?,
                allow_duplicate_opportunity: row.column()?,
                allow_facebook_name_merge: row.column()?,
                disable_contact_timezone: row.column()?,
            },
            social: read_social(&row.column::<String>()?)?,
        },
        created_at: row.column()?,
        updated_at: row.column()?,
        deletion: match (row.column()?, row.column()?) {
            (Some(at), Some(restore_until)) => Some(Deletion { at, restore_until }),
            _ => None,
        },
    })
}

fn read_social(text: &str) -> Result<Vec<(String, String)>> {
    serde_json::from_str(text).map_err(|_| Error::unreadable("social links"))
}

/// Whether contacts of a location may share e-mail addresses and phone numbers.
pub fn allows_duplicates(tx: &mut Tx<'_>, id: LocationId) -> Result<bool> {
    tx.query_one("SELECT allow_duplicate_contact FROM locations WHERE id = ?1", &[&id], |row| row.column())
}

/// Whether a phone number decides before an e-mail address who a contact is.
pub fn is_phone_first(tx: &mut Tx<'_>, id: LocationId) -> Result<bool> {
    tx.query_one("SELECT phone_first FROM locations WHERE id = ?1", &[&id], |row| row.column())
}

/// Whether a location works, whoever owns it; `None` if there is none.
pub fn state(tx: &mut Tx<'_>, id: LocationId) -> Result<Option<TenantState>> {
    let sql = "SELECT state FROM locations WHERE id = ?1";
    tx.query_opt(sql, &[&id], |row| Ok(TenantState::from_stored(&row.column::<String>()?)))
}

/// The zone whose clock a location goes by.
pub fn zone(tx: &mut Tx<'_>, id: LocationId) -> Result<TimeZoneName> {
    tx.query_one("SELECT timezone FROM locations WHERE id = ?1", &[&id], |row| row.column())
}

/// The country of a location, whose phone numbers are written there without a prefix.
pub fn country(tx: &mut Tx<'_>, id: LocationId) -> Result<Country> {
    tx.query_one("SELECT country FROM locations WHERE id = ?1", &[&id], |row| row.column())
}

/// The agency of a location.
pub fn agency_of(tx: &mut Tx<'_>, id: LocationId) -> Result<Option<AgencyId>> {
    tx.query_opt("SELECT agency_id FROM locations WHERE id = ?1", &[&id], |row| row.column())
}

/// All locations of the instance, by id.
pub fn list_of_instance(tx: &mut Tx<'_>, window: &Window<LocationId>) -> Result<Page<LocationId>> {
    Filter::any().page(tx, "SELECT id FROM locations", Order::ascending(&["id"]), window, |row| row.column())
}

/// Whether it works is changed by [`set_state`], [`delete`] and [`restore`] alone.
static LOCATIONS: Table = Table::new("locations", &["id"]).keeping(&["agency_id", "state", "resumed_at", "created_at"]);

/// Adds a location, or replaces its profile.
pub fn save(tx: &mut Tx<'_>, location: &Location) -> Result<()> {
    let Location { id, agency, state: tenant, resumed_at, profile, created_at, updated_at, deletion: _ } = location;
    let LocationProfile {
        name,
        country,
        timezone,
        phone,
        email,
        address,
        city,
        state,
        postal_code,
        website,
        domain,
        logo_url,
        first_name,
        last_name,
        settings,
        social,
    } = profile;
    let LocationSettings {
        allow_duplicate_contact,
        phone_first,
        allow_duplicate_opportunity,
        allow_facebook_name_merge,
        disable_contact_timezone,
    } = settings;
    let social = serde_json::to_string(social).map_err(|_| Error::unreadable("social links"))?;
    LOCATIONS.save(
        tx,
        &[
            ("id", id),
            ("agency_id", agency),
            ("state", &tenant.as_str()),
            ("resumed_at", resumed_at),
            ("name", name),
            ("name_lower", &profile.compared_name()),
            ("country", country),
            ("timezone", timezone),
            ("phone", phone),
            ("email", email),
            ("email_lower", &email.as_ref().map(EmailAddress::normalized)),
            ("address", address),
            ("city", city),
            ("region", state),
            ("postal_code", postal_code),
            ("website", website),
            ("domain", domain),
            ("logo_url", logo_url),
            ("first_name", first_name),
            ("last_name", last_name),
            ("allow_duplicate_contact", allow_duplicate_contact),
            ("phone_first", phone_first),
            ("allow_duplicate_opportunity", allow_duplicate_opportunity),
            ("allow_facebook_name_merge", allow_facebook_name_merge),
            ("disable_contact_timezone", disable_contact_timezone),
            ("social", &social),
            ("created_at", created_at),
            ("updated_at", updated_at),
        ],
    )
}

/// One location of an agency; what is deleted is not found.
pub fn find(tx: &mut Tx<'_>, agency: AgencyId, id: LocationId) -> Result<Option<Location>> {
    let sql = format!("SELECT {COLUMNS} FROM locations WHERE id = ?1 AND agency_id = ?2 AND state <> 'deleted'");
    tx.query_opt(&sql, &[&id, &agency], read)
}

/// One deleted location of an agency.
pub fn find_deleted(tx: &mut Tx<'_>, agency: AgencyId, id: LocationId) -> Result<Option<Location>> {
    let sql = format!("SELECT {COLUMNS} FROM locations WHERE id = ?1 AND agency_id = ?2 AND state = 'deleted'");
    tx.query_opt(&sql, &[&id, &agency], read)
}

/// Locations of an agency by name.
pub fn list(
    tx: &mut Tx<'_>,
    agency: AgencyId,
    filter: &LocationFilter,
    window: &Window<LocationCursor>,
) -> Result<Page<Location>> {
    let LocationFilter { email, query, among, descending, deleted } = filter;
    let mut conditions = Filter::new();
    conditions.and("agency_id = @", &[&agency]);
    conditions.and(if *deleted { "state = 'deleted'" } else { "state <> 'deleted'" }, &[]);
    if let Some(email) = email {
        conditions.and("email_lower = @", &[email]);
    }
    let end = query.as_deref().map(prefix_end);
    if let (Some(query), Some(end)) = (query, &end) {
        conditions.and("name_lower >= @ AND name_lower < @", &[query, end]);
    }
    if let Some(among) = among {
        conditions.and_one_of("id", among);
    }
    let columns = &["name_lower", "id"];
    let order = if *descending { Order::descending(columns) } else { Order::ascending(columns) };
    conditions.page(tx, &format!("SELECT {COLUMNS} FROM locations"), order, window, read)
}

/// How many locations an agency has, or how many of these it has.
pub fn count(tx: &mut Tx<'_>, agency: AgencyId, among: Option<&BTreeSet<LocationId>>) -> Result<i64> {
    let mut conditions = Filter::new();
    conditions.and("agency_id = @ AND state <> 'deleted'", &[&agency]);
    if let Some(among) = among {
        conditions.and_one_of("id", among);
    }
    let sql = format!("SELECT CAST(count(*) AS BIGINT) FROM locations WHERE {}", conditions.sql());
    tx.query_one(&sql, &conditions.values(), |row| row.column())
}

/// Suspends or resumes a location. Resuming restarts the 90 days of its keys.
pub fn set_state(tx: &mut Tx<'_>, id: LocationId, state: TenantState, service: ServiceMs) -> Result<u64> {
    tx.execute(
        "UPDATE locations SET state = ?2, resumed_at = CASE WHEN ?2 = 'active' THEN ?3 ELSE resumed_at END
         WHERE id = ?1 AND state <> ?2 AND state <> 'deleted'",
        &[&id, &state.as_str(), &service],
    )
}

/// Deletes a location for the time being; how many that were.
pub fn delete(tx: &mut Tx<'_>, id: LocationId, deletion: Deletion) -> Result<u64> {
    let Deletion { at, restore_until } = deletion;
    tx.execute(
        "UPDATE locations SET deleted_from = state, state = 'deleted', deleted_at = ?2, restore_until = ?3
         WHERE id = ?1 AND state <> 'deleted'",
        &[&id, &at, &restore_until],
    )
}

/// Brings a deleted location back as it was, while that can be done. The 90 days of its keys start anew.
pub fn restore(tx: &mut Tx<'_>, id: LocationId, service: ServiceMs) -> Result<u64> {
    tx.execute(
        "UPDATE locations
         SET state = deleted_from, deleted_from = NULL, deleted_at = NULL, restore_until = NULL, resumed_at = ?2
         WHERE id = ?1 AND state = 'deleted' AND restore_until > ?2",
        &[&id, &service],
    )
}

/// A deleted location that cannot be restored any more, of whatever agency.
pub fn to_purge(tx: &mut Tx<'_>, service: ServiceMs) -> Result<Option<(LocationId, AgencyId, TenantName)>> {
    tx.query_opt(
        "SELECT id, agency_id, name FROM locations WHERE state = 'deleted' AND restore_until <= ?1
         ORDER BY restore_until, id LIMIT 1",
        &[&service],
        |row| Ok((row.column()?, row.column()?, row.column()?)),
    )
}

/// Removes at most `limit` rows of what belongs to a location, those that refer to others first, and at last the location itself.
/// Returns how many; none are left when the location is gone.
pub fn purge(tx: &mut Tx<'_>, id: LocationId, limit: i64) -> Result<u64> {
    for OfLocation { table, naming } in catalog::of_location(tx)? {
        let row = if tx.is_postgres() { "ctid".to_owned() } else { catalog::key_of(tx, &table)?.join(", ") };
        let sql = format!("DELETE FROM {table} WHERE ({row}) IN (SELECT {row} FROM {table} WHERE {naming} LIMIT ?2)");
        let removed = tx.execute(&sql, &[&id, &limit])?;
        if removed > 0 {
            return Ok(removed);
        }
    }
    tx.execute("DELETE FROM locations WHERE id = ?1 AND state = 'deleted'", &[&id])
}
