//! Agencies.

use keystead_model::{
    AgencyId, ServiceMs,
    agency::{Agency, AgencyProfile, TenantState},
    key_policy::{AgencyKeyMakers, KeyPolicy},
};

use crate::{Result, Row, Tx, table::Table};

const COLUMNS: &str =
    "id, name, state, resumed_at, created_at, email, phone, website, domain, logo_url, address, city, region,
    postal_code, country, timezone, key_longest_days, key_default_days, agency_keys_by, keys_contact";

fn read(row: &mut Row<'_>) -> Result<Agency> {
    let (id, name) = (row.column()?, row.column()?);
    Ok(Agency {
        id,
        state: TenantState::from_stored(&row.column::<String>()?),
        resumed_at: row.column()?,
        created_at: row.column()?,
        profile: AgencyProfile {
            name,
            email: row.column()?,
            phone: row.column()?,
            website: row.column()?,
            domain: row.column()?,
            logo_url: row.column()?,
            address: row.column()?,
            city: row.column()?,
            state: row.column()?,
            postal_code: row.column()?,
            country: row.column()?,
            timezone: row.column()?,
        },
        keys: KeyPolicy {
            longest_days: days(row.column()?),
            default_days: days(row.column()?),
            // Guessing must not open a door.
            agency_keys_by: AgencyKeyMakers::parse(&row.column::<String>()?).unwrap_or(AgencyKeyMakers::Operators),
            contact: row.column()?,
        },
    })
}

fn days(stored: Option<i64>) -> Option<u32> {
    stored.and_then(|days| days.try_into().ok())
}

/// Whether it works is changed by [`set_state`] alone.
static AGENCIES: Table = Table::new("agencies", &["id"]).keeping(&["state", "resumed_at", "created_at"]);

/// Adds an agency, or replaces its profile and what it asks of its keys.
pub fn save(tx: &mut Tx<'_>, agency: &Agency) -> Result<()> {
    let Agency { id, profile, keys, state: tenant, resumed_at, created_at } = agency;
    let KeyPolicy { longest_days, default_days, agency_keys_by, contact } = keys;
    let AgencyProfile {
        name,
        email,
        phone,
        website,
        domain,
        logo_url,
        address,
        city,
        state,
        postal_code,
        country,
        timezone,
    } = profile;
    AGENCIES.save(
        tx,
        &[
            ("id", id),
            ("name", name),
            ("state", &tenant.as_str()),
            ("resumed_at", resumed_at),
            ("created_at", created_at),
            ("email", email),
            ("phone", phone),
            ("website", website),
            ("domain", domain),
            ("logo_url", logo_url),
            ("address", address),
            ("city", city),
            ("region", state),
            ("postal_code", postal_code),
            ("country", country),
            ("timezone", timezone),
            ("key_longest_days", &longest_days.map(i64::from)),
            ("key_default_days", &default_days.map(i64::from)),
            ("agency_keys_by", &agency_keys_by.as_str()),
            ("keys_contact", contact),
        ],
    )
}

/// One agency.
pub fn find(tx: &mut Tx<'_>, id: AgencyId) -> Result<Option<Agency>> {
    tx.query_opt(&format!("SELECT {COLUMNS} FROM agencies WHERE id = ?1"), &[&id], read)
}

/// All agencies of the instance, oldest first: for the operator.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<Agency>> {
    tx.query(&format!("SELECT {COLUMNS} FROM agencies ORDER BY created_at, id"), &[], read)
}

/// Suspends or resumes an agency. Resuming restarts the 90 days of its keys.
pub fn set_state(tx: &mut Tx<'_>, id: AgencyId, state: TenantState, service: ServiceMs) -> Result<u64> {
    tx.execute(
        "UPDATE agencies SET state = ?2, resumed_at = CASE WHEN ?2 = 'active' THEN ?3 ELSE resumed_at END
         WHERE id = ?1 AND state <> ?2",
        &[&id, &state.as_str(), &service],
    )
}
