//! Trigger links of a location.

use std::sync::LazyLock;

use keystead_model::{
    AgencyId, ContactId, LinkId, LinkTokenId, LocationId, UtcMs,
    link::{Link, LinkContent, Slug},
    page::{Page, Window},
    search::fold,
};

use crate::{
    Result, Row, Tx,
    stored::{self, Stored, those_of},
    table::{Named, Table},
    users::TokenHash,
};

static LINKS: Table = Table::new("links", &["location_id", "id"]).keeping(&["created_at"]);

impl Stored for Link {
    type Parent = ();

    fn table() -> &'static Table {
        &LINKS
    }

    fn columns() -> &'static str {
        "id, location_id, slug, name, redirect_to, status, expires_at, max_clicks, fallback_url, confirm, fire, humans,
         created_at, updated_at"
    }

    fn read(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.column()?,
            location: row.column()?,
            slug: row.column()?,
            content: LinkContent {
                name: row.column()?,
                redirect_to: row.column()?,
                status: row.column()?,
                expires_at: row.column()?,
                max_clicks: row.column()?,
                fallback: row.column()?,
                confirm: row.column()?,
                fire: row.column()?,
            },
            humans: row.column()?,
            created_at: row.column()?,
            updated_at: row.column()?,
        })
    }

    fn row(&self) -> Vec<Named<'_>> {
        // How many people came is counted where they are judged.
        let Self { id, location: _, slug, content, humans: _, created_at, updated_at } = self;
        let LinkContent { name, redirect_to, status, expires_at, max_clicks, fallback, confirm, fire } = content;
        vec![
            ("id", id),
            ("slug", slug),
            ("name", name),
            ("redirect_to", redirect_to),
            ("status", status),
            ("expires_at", expires_at),
            ("max_clicks", max_clicks),
            ("fallback_url", fallback),
            ("confirm", confirm),
            ("fire", fire),
            ("created_at", created_at),
            ("updated_at", updated_at),
        ]
    }

    fn folded(&self) -> Vec<(&'static str, String)> {
        vec![("name_folded", fold(self.content.name.as_str()))]
    }
}

/// The links of a location whose name holds `part`, whatever its case and accents, newest first.
pub fn search(tx: &mut Tx<'_>, location: LocationId, part: &str, window: &Window<LinkId>) -> Result<Page<Link>> {
    let part = fold(part);
    let mut filter = those_of(&location, &());
    filter.and_any_holds(&["name_folded"], &part);
    stored::search(tx, filter, window)
}

static SLUGS: Table = Table::new("link_slugs", &["slug"]);

/// Gives a link an address, in place of the one that it has; `false` if another link has it.
pub fn claim_slug(tx: &mut Tx<'_>, location: LocationId, id: LinkId, slug: &Slug) -> Result<bool> {
    release_slug(tx, location, id)?;
    SLUGS.add(tx, &[("slug", slug), ("location_id", &location), ("link_id", &id)])
}

/// Takes its address from a link, for others to have.
pub fn release_slug(tx: &mut Tx<'_>, location: LocationId, id: LinkId) -> Result<()> {
    tx.later("DELETE FROM link_slugs WHERE location_id = ?1 AND link_id = ?2", &[&location, &id])
}

/// A link as somebody finds it who opens its address.
#[derive(Clone, Debug)]
pub struct Found {
    /// The agency whose location has it.
    pub agency: AgencyId,
    /// Itself.
    pub link: Link,
    /// The personal link by which it was opened, if it is one that works.
    pub token: Option<FoundToken>,
}

/// A personal link, as far as a click needs it.
#[derive(Clone, Copy, Debug)]
pub struct FoundToken {
    /// Its id.
    pub id: LinkTokenId,
    /// Whose it is.
    pub contact: ContactId,
    /// When the message was handed over that brought it.
    pub handed_over_at: Option<UtcMs>,
}

static FIND_OPENED: LazyLock<String> = LazyLock::new(|| {
    let columns: Vec<String> = Link::columns().split(',').map(|column| format!("k.{}", column.trim())).collect();
    format!(
        "SELECT l.agency_id, {}, t.id, t.contact_id, t.handed_over_at
         FROM link_slugs s JOIN links k ON k.location_id = s.location_id AND k.id = s.link_id
         JOIN locations l ON l.id = s.location_id JOIN agencies a ON a.id = l.agency_id
         LEFT JOIN (link_tokens t JOIN contacts c ON c.location_id = t.location_id AND c.id = t.contact_id
             AND c.trashed_at IS NULL)
           ON t.digest = ?2 AND t.location_id = s.location_id AND t.link_id = s.link_id AND t.revoked_at IS NULL
         WHERE s.slug = ?1 AND l.state = 'active' AND a.state = 'active'",
        columns.join(", ")
    )
});

/// The link of an address, whichever location has it, where both it and its agency are at work; with the personal link of a token.
pub fn find_opened(tx: &mut Tx<'_>, slug: &Slug, token: Option<&TokenHash>) -> Result<Option<Found>> {
    tx.query_opt(&FIND_OPENED, &[slug, &token], |row| {
        let (agency, link) = (row.column()?, Link::read(row)?);
        let (id, contact): (Option<LinkTokenId>, Option<ContactId>) = (row.column()?, row.column()?);
        let handed_over_at = row.column()?;
        let token = id.zip(contact).map(|(id, contact)| FoundToken { id, contact, handed_over_at });
        Ok(Found { agency, link, token })
    })
}

/// How many people came, with those who may turn out to be some.
pub fn perhaps_people(tx: &mut Tx<'_>, location: LocationId, id: LinkId) -> Result<i64> {
    let sql = "SELECT k.humans + (SELECT CAST(count(*) AS BIGINT) FROM clicks c WHERE c.location_id = k.location_id
                   AND c.link_id = k.id AND c.judged_next IS NOT NULL)
               FROM links k WHERE k.location_id = ?1 AND k.id = ?2";
    Ok(tx.query_opt(sql, &[&location, &id], |row| row.column())?.unwrap_or_default())
}

/// Counts people who came, or takes them back.
pub fn count_humans(tx: &mut Tx<'_>, location: LocationId, id: LinkId, more: i64) -> Result<()> {
    tx.later("UPDATE links SET humans = humans + ?3 WHERE location_id = ?1 AND id = ?2", &[&location, &id, &more])
}
