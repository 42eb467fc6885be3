//! Resources of a location whose rows are all alike: one row each, by itself or as part of a contact.

use keystead_model::{
    ContactId, LocationId,
    id::Id,
    page::{Counted, Page, Window},
};

use crate::{
    Result, Row, ToValue, Tx,
    filter::Filter,
    list::Order,
    table::{Named, Table},
};

/// A resource that is stored as one row.
pub trait Stored: Sized {
    /// What it is a part of.
    type Parent: Parent;

    /// Its table, whose key is the location, what it is a part of, and its id.
    fn table() -> &'static Table;

    /// The columns that [`Stored::read`] reads, in its order.
    fn columns() -> &'static str;

    /// Reads a row.
    fn read(row: &mut Row<'_>) -> Result<Self>;

    /// All its columns but the location's, with what they hold.
    fn row(&self) -> Vec<Named<'_>>;

    /// Columns by which it is searched, with the texts of others in the form that is compared.
    fn folded(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// What a resource is a part of: nothing but its location, or a contact.
pub trait Parent: Copy + Send + Sync + 'static {
    /// The column that names it, and its id.
    fn column(&self) -> Option<(&'static str, &dyn ToValue)>;
}

impl Parent for () {
    fn column(&self) -> Option<(&'static str, &dyn ToValue)> {
        None
    }
}

impl Parent for ContactId {
    fn column(&self) -> Option<(&'static str, &dyn ToValue)> {
        Some(("contact_id", self))
    }
}

/// The resources of a location, or of a part of it.
pub(crate) fn those_of<'v, P: Parent>(location: &'v LocationId, parent: &'v P) -> Filter<'v> {
    let mut filter = Filter::new();
    filter.and("location_id = @", &[location]);
    if let Some((column, id)) = parent.column() {
        filter.and(&format!("{column} = @"), &[id]);
    }
    filter
}

fn select<R: Stored>() -> String {
    format!("SELECT {} FROM {}", R::columns(), R::table().name())
}

/// Those of a location that `filter` lets through, newest first. It begins with the location.
pub(crate) fn search<'v, R: Stored>(tx: &mut Tx<'_>, filter: Filter<'v>, window: &'v Window<Id<R>>) -> Result<Page<R>> {
    filter.page(tx, &select::<R>(), Order::descending(&["id"]), window, R::read)
}

/// The same, with how many there are on all pages.
pub(crate) fn count_and_search<'v, R: Stored>(
    tx: &mut Tx<'_>,
    filter: Filter<'v>,
    window: &'v Window<Id<R>>,
) -> Result<Counted<R>> {
    let total = count_of::<R>(tx, &filter)?;
    Ok(Counted { page: search(tx, filter, window)?, total })
}

/// One of them.
pub fn find<R: Stored>(tx: &mut Tx<'_>, location: LocationId, parent: R::Parent, id: Id<R>) -> Result<Option<R>> {
    let mut filter = those_of(&location, &parent);
    filter.and("id = @", &[&id]);
    tx.query_opt(&format!("{} WHERE {}", select::<R>(), filter.sql()), &filter.values(), R::read)
}

/// All of them, newest first.
pub fn list<R: Stored>(
    tx: &mut Tx<'_>,
    location: LocationId,
    parent: R::Parent,
    window: &Window<Id<R>>,
) -> Result<Page<R>> {
    search(tx, those_of(&location, &parent), window)
}

/// How many there are.
pub fn count<R: Stored>(tx: &mut Tx<'_>, location: LocationId, parent: R::Parent) -> Result<i64> {
    count_of::<R>(tx, &those_of(&location, &parent))
}

fn count_of<R: Stored>(tx: &mut Tx<'_>, filter: &Filter<'_>) -> Result<i64> {
    let sql = format!("SELECT CAST(count(*) AS BIGINT) FROM {} WHERE {}", R::table().name(), filter.sql());
    tx.query_one(&sql, &filter.values(), |row| row.column())
}

/// Those of each of several contacts, at most `most` of each, newest first.
pub fn of_contacts<R: Stored<Parent = ContactId>>(
    tx: &mut Tx<'_>,
    location: LocationId,
    contacts: &[ContactId],
    most: i64,
) -> Result<Vec<R>> {
    let (columns, table) = (R::columns(), R::table().name());
    let mut filter = Filter::new();
    filter.and("location_id = @", &[&location]);
    filter.and_one_of("contact_id", contacts);
    let place = "row_number() OVER (PARTITION BY contact_id ORDER BY id DESC)";
    let within = format!("SELECT {columns}, {place} AS place FROM {table} WHERE {}", filter.sql());
    let most = filter.bind(&most);
    let sql = format!("SELECT {columns} FROM ({within}) AS placed WHERE place <= {most} ORDER BY contact_id, place");
    tx.query(&sql, &filter.values(), R::read)
}

/// Adds one, or replaces it.
pub fn save<R: Stored>(tx: &mut Tx<'_>, location: LocationId, resource: &R) -> Result<()> {
    let (mut row, folded) = (resource.row(), resource.folded());
    row.insert(0, ("location_id", &location));
    row.extend(folded.iter().map(|(column, text)| (*column, text as &dyn ToValue)));
    R::table().save(tx, &row)
}

/// Deletes one; `false` if it was not there.
pub fn delete<R: Stored>(tx: &mut Tx<'_>, location: LocationId, parent: R::Parent, id: Id<R>) -> Result<bool> {
    let mut filter = those_of(&location, &parent);
    filter.and("id = @", &[&id]);
    let sql = format!("DELETE FROM {} WHERE {}", R::table().name(), filter.sql());
    Ok(tx.execute(&sql, &filter.values())? == 1)
}
