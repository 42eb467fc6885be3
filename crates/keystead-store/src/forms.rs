//! Forms and surveys of a location.

use std::marker::PhantomData;

use keystead_model::{
    AgencyId, LocationId,
    form::{AsForm, AsSurvey, Form, FormContent, FormDefinition, FormHead, FormKind, FormVersion},
    id::Id,
    page::{Counted, Page, Window},
    text::{Country, Line},
};

use crate::{
    Result, Row, Tx,
    filter::Filter,
    list::Order,
    stored::{Stored, those_of},
    table::{Named, Table},
};

static FORMS: Table = Table::new("forms", &["location_id", "id"]).keeping(&["created_at"]);
static SURVEYS: Table = Table::new("surveys", &["location_id", "id"]).keeping(&["created_at"]);

/// A kind that has a table.
pub trait StoredForm: FormKind {
    /// Its table.
    fn table() -> &'static Table;
}

impl StoredForm for AsForm {
    fn table() -> &'static Table {
        &FORMS
    }
}

impl StoredForm for AsSurvey {
    fn table() -> &'static Table {
        &SURVEYS
    }
}

impl<K: StoredForm> Stored for Form<K> {
    type Parent = ();

    fn table() -> &'static Table {
        K::table()
    }

    fn columns() -> &'static str {
        "id, location_id, name, definition, published, versions, slug, created_at, updated_at"
    }

    fn read(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.column()?,
            location: row.column()?,
            content: FormContent { name: row.column()?, definition: row.column()? },
            published: row.column()?,
            versions: row.column()?,
            slug: row.column()?,
            created_at: row.column()?,
            updated_at: row.column()?,
            kind: PhantomData,
        })
    }

    fn row(&self) -> Vec<Named<'_>> {
        let Self { id, location: _, content, published, versions, slug, created_at, updated_at, kind: _ } = self;
        let FormContent { name, definition } = content;
        vec![
            ("id", id),
            ("name", name),
            ("definition", definition),
            ("published", published),
            ("versions", versions),
            ("slug", slug),
            ("created_at", created_at),
            ("updated_at", updated_at),
        ]
    }
}

/// Those of a location without their definitions, newest first, and how many there are.
pub fn list<K: StoredForm>(
    tx: &mut Tx<'_>,
    location: LocationId,
    window: &Window<Id<Form<K>>>,
) -> Result<Counted<FormHead<K>>> {
    let table = K::table().name();
    let count = format!("SELECT CAST(count(*) AS BIGINT) FROM {table} WHERE location_id = ?1");
    let total = tx.query_one(&count, &[&location], |row| row.column())?;
    let select = format!("SELECT id, location_id, name, published, updated_at FROM {table}");
    let read = |row: &mut Row<'_>| {
        Ok(FormHead {
            id: row.column()?,
            location: row.column()?,
            name: row.column()?,
            published: row.column()?,
            updated_at: row.column()?,
        })
    };
    let page = those_of(&location, &()).page(tx, &select, Order::descending(&["id"]), window, read)?;
    Ok(Counted { page, total })
}

/// The form of a location that is found under a name.
pub fn find_by_slug(
    tx: &mut Tx<'_>,
    location: LocationId,
    slug: &str,
) -> Result<Option<(Id<Form<AsForm>>, Line<200>)>> {
    let sql = "SELECT id, name FROM forms WHERE location_id = ?1 AND slug = ?2";
    tx.query_opt(sql, &[&location, &slug], |row| Ok((row.column()?, row.column()?)))
}

static VERSIONS: Table = Table::new("form_versions", &["location_id", "form_id", "number"]);

const OF_VERSION: &str = "number, name, definition, published_by, created_at";

fn read_version(row: &mut Row<'_>) -> Result<FormVersion> {
    Ok(FormVersion {
        number: row.column()?,
        content: FormContent { name: row.column()?, definition: row.column()? },
        by: row.column()?,
        created_at: row.column()?,
    })
}

/// Adds a version.
pub fn add_version<K>(tx: &mut Tx<'_>, location: LocationId, form: Id<Form<K>>, version: &FormVersion) -> Result<()> {
    let FormVersion { number, content: FormContent { name, definition }, by, created_at } = version;
    VERSIONS.insert(
        tx,
        &[
            ("location_id", &location),
            ("form_id", &form),
            ("number", number),
            ("name", name),
            ("definition", definition),
            ("published_by", by),
            ("created_at", created_at),
        ],
    )
}

/// Drafts of a location, then versions, the newest of a form first; of one form, if it is named. At most so many.
pub fn definitions(
    tx: &mut Tx<'_>,
    location: LocationId,
    form: Option<Id<Form<AsForm>>>,
    most: i64,
) -> Result<Vec<(Id<Form<AsForm>>, FormDefinition)>> {
    let mut filter = Filter::new();
    filter.and("location_id = @", &[&location]);
    if let Some(form) = &form {
        filter.and("form_id = @", &[form]);
    }
    let most = filter.own(most);
    let sql = format!(
        "SELECT form_id, definition FROM (
             SELECT location_id, id AS form_id, definition, 1 AS is_draft, CAST(0 AS BIGINT) AS number FROM forms
             UNION ALL
             SELECT location_id, form_id, definition, 0, number FROM form_versions
         ) AS known WHERE {} ORDER BY is_draft DESC, form_id, number DESC LIMIT {most}",
        filter.sql()
    );
    tx.query(&sql, &filter.values(), |row| Ok((row.column()?, row.column()?)))
}

/// One version of a form, also of one that is deleted.
pub fn find_version<K>(
    tx: &mut Tx<'_>,
    location: LocationId,
    form: Id<Form<K>>,
    number: i64,
) -> Result<Option<FormVersion>> {
    let sql = format!("SELECT {OF_VERSION} FROM form_versions WHERE location_id = ?1 AND form_id = ?2 AND number = ?3");
    tx.query_opt(&sql, &[&location, &form, &number], read_version)
}

/// Versions of a form, newest first.
pub fn versions<K>(
    tx: &mut Tx<'_>,
    location: LocationId,
    form: Id<Form<K>>,
    window: &Window<i64>,
) -> Result<Page<FormVersion>> {
    let mut filter = Filter::new();
    filter.and("location_id = @ AND form_id = @", &[&location, &form]);
    let select = format!("SELECT {OF_VERSION} FROM form_versions");
    filter.page(tx, &select, Order::descending(&["number"]), window, read_version)
}

/// Where a form stands for those whom nobody knows.
#[derive(Clone, Copy, Debug)]
pub enum PublicAddress<'a> {
    /// By its id.
    Id(Id<Form<AsForm>>),
    /// By the name that it has in a location.
    Slug(LocationId, &'a str),
}

/// A form that everybody may answer.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each says its name")]
pub struct PublicForm {
    pub id: Id<Form<AsForm>>,
    pub location: LocationId,
    pub location_name: String,
    pub agency: AgencyId,
    pub country: Country,
    pub version: i64,
    pub name: Line<200>,
    pub definition: FormDefinition,
}

/// What was published of a form, unless its location or agency is suspended or deleted.
pub fn find_public(tx: &mut Tx<'_>, address: PublicAddress<'_>) -> Result<Option<PublicForm>> {
    let mut filter = Filter::new();
    match &address {
        PublicAddress::Id(id) => filter.and("f.id = @", &[id]),
        PublicAddress::Slug(location, slug) => filter.and("f.location_id = @ AND f.slug = @", &[location, slug]),
    }
    filter.and("l.state = 'active' AND a.state = 'active'", &[]);
    let sql = format!(
        "SELECT f.id, f.location_id, l.name, l.agency_id, l.country, v.number, v.name, v.definition FROM forms f
         JOIN form_versions v ON v.location_id = f.location_id AND v.form_id = f.id AND v.number = f.published
         JOIN locations l ON l.id = f.location_id JOIN agencies a ON a.id = l.agency_id WHERE {}",
        filter.sql()
    );
    tx.query_opt(&sql, &filter.values(), |row| {
        Ok(PublicForm {
            id: row.column()?,
            location: row.column()?,
            location_name: row.column()?,
            agency: row.column()?,
            country: row.column()?,
            version: row.column()?,
            name: row.column()?,
            definition: row.column()?,
        })
    })
}
