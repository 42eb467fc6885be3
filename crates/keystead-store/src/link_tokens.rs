//! Links of one contact each.

use keystead_model::{
    ContactId, LinkId, LinkTokenId, LocationId, UtcMs,
    click::LinkToken,
    page::{Page, Window},
};

use crate::{Result, Row, Tx, filter::Filter, list::Order, table::Table, users::TokenHash};

static TOKENS: Table = Table::new("link_tokens", &["location_id", "id"]);

const COLUMNS: &str = "id, link_id, contact_id, source, created_at, handed_over_at, revoked_at";

fn read(row: &mut Row<'_>) -> Result<LinkToken> {
    Ok(LinkToken {
        id: row.column()?,
        link: row.column()?,
        contact: row.column()?,
        source: row.column()?,
        created_at: row.column()?,
        handed_over_at: row.column()?,
        revoked_at: row.column()?,
    })
}

/// Adds one, or gives the one of its id another token.
pub fn save(tx: &mut Tx<'_>, location: LocationId, token: &LinkToken, digest: &TokenHash) -> Result<()> {
    let LinkToken { id, link, contact, source, created_at, handed_over_at, revoked_at } = token;
    TOKENS.save(
        tx,
        &[
            ("location_id", &location),
            ("id", id),
            ("digest", digest),
            ("link_id", link),
            ("contact_id", contact),
            ("source", source),
            ("created_at", created_at),
            ("handed_over_at", handed_over_at),
            ("revoked_at", revoked_at),
        ],
    )
}

/// One of a link.
pub fn find(tx: &mut Tx<'_>, location: LocationId, link: LinkId, id: LinkTokenId) -> Result<Option<LinkToken>> {
    let sql = format!("SELECT {COLUMNS} FROM link_tokens WHERE location_id = ?1 AND link_id = ?2 AND id = ?3");
    tx.query_opt(&sql, &[&location, &link, &id], read)
}

/// Those of a link, newest first; of one contact, if it is named.
pub fn list(
    tx: &mut Tx<'_>,
    location: LocationId,
    link: LinkId,
    contact: Option<ContactId>,
    window: &Window<LinkTokenId>,
) -> Result<Page<LinkToken>> {
    let mut filter = Filter::new();
    filter.and("location_id = @ AND link_id = @", &[&location, &link]);
    if let Some(contact) = &contact {
        filter.and("contact_id = @", &[contact]);
    }
    filter.page(tx, &format!("SELECT {COLUMNS} FROM link_tokens"), Order::descending(&["id"]), window, read)
}

/// Those of a contact, newest first.
pub fn of_contact(
    tx: &mut Tx<'_>,
    location: LocationId,
    contact: ContactId,
    window: &Window<LinkTokenId>,
) -> Result<Page<LinkToken>> {
    let mut filter = Filter::new();
    filter.and("location_id = @ AND contact_id = @", &[&location, &contact]);
    filter.page(tx, &format!("SELECT {COLUMNS} FROM link_tokens"), Order::descending(&["id"]), window, read)
}

/// How many of a link work, and how many were ended.
pub fn count(tx: &mut Tx<'_>, location: LocationId, link: LinkId) -> Result<(i64, i64)> {
    let sql = "SELECT CAST(count(*) AS BIGINT), CAST(count(revoked_at) AS BIGINT) FROM link_tokens
               WHERE location_id = ?1 AND link_id = ?2";
    let (all, ended): (i64, i64) = tx.query_one(sql, &[&location, &link], |row| Ok((row.column()?, row.column()?)))?;
    Ok((all - ended, ended))
}

/// Ends one.
pub fn revoke(tx: &mut Tx<'_>, location: LocationId, id: LinkTokenId, now: UtcMs) -> Result<()> {
    let sql = "UPDATE link_tokens SET revoked_at = ?3 WHERE location_id = ?1 AND id = ?2 AND revoked_at IS NULL";
    tx.later(sql, &[&location, &id, &now])
}

/// Forgets those of a link that is deleted.
pub fn delete_all(tx: &mut Tx<'_>, location: LocationId, link: LinkId) -> Result<()> {
    tx.later("DELETE FROM link_tokens WHERE location_id = ?1 AND link_id = ?2", &[&location, &link])
}
