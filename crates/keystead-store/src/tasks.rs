//! Tasks for contacts.

use std::time::Duration;

use keystead_model::{
    ContactId, LocationId, TaskId, UtcMs,
    page::{Page, Window},
    search::fold,
    task::{Task, TaskContent, TaskSearch},
    text::Line,
};

use crate::{
    Result, Row, Tx,
    filter::Filter,
    list::Order,
    stored::Stored,
    table::{Named, Table},
};

static TASKS: Table = Table::new("tasks", &["location_id", "contact_id", "id"]).keeping(&["created_at"]);

impl Stored for Task {
    type Parent = ContactId;

    fn table() -> &'static Table {
        &TASKS
    }

    fn columns() -> &'static str {
        "id, contact_id, title, body, due_at, completed, assigned_to, created_at, updated_at"
    }

    fn read(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.column()?,
            contact: row.column()?,
            content: TaskContent {
                title: row.column()?,
                body: row.column()?,
                due_at: row.column()?,
                completed: row.column()?,
                assigned_to: row.column()?,
            },
            created_at: row.column()?,
            updated_at: row.column()?,
        })
    }

    fn row(&self) -> Vec<Named<'_>> {
        let Self { id, contact, content, created_at, updated_at } = self;
        let TaskContent { title, body, due_at, completed, assigned_to } = content;
        vec![
            ("id", id),
            ("contact_id", contact),
            ("title", title),
            ("body", body),
            ("due_at", due_at),
            ("completed", completed),
            ("assigned_to", assigned_to),
            ("created_at", created_at),
            ("updated_at", updated_at),
        ]
    }

    fn folded(&self) -> Vec<(&'static str, String)> {
        vec![("title_folded", fold(self.content.title.as_str()))]
    }
}

/// Tasks of a location that suit, of contacts that are not in the trash, in the order in which they are due: found within `time`,
/// or not at all.
pub fn search(
    tx: &mut Tx<'_>,
    location: LocationId,
    search: &TaskSearch,
    window: &Window<(UtcMs, TaskId)>,
    time: Duration,
) -> Result<Page<Task>> {
    let find = |tx: &mut Tx<'_>| search_without_end(tx, location, search, window);
    // All of them are read by the index of their order.
    if *search == TaskSearch::default() { find(tx) } else { tx.within(time, find) }
}

fn search_without_end(
    tx: &mut Tx<'_>,
    location: LocationId,
    search: &TaskSearch,
    window: &Window<(UtcMs, TaskId)>,
) -> Result<Page<Task>> {
    let TaskSearch { contacts, business, completed, assigned_to, part } = search;
    let part = part.as_deref().map(fold);
    let mut filter = Filter::new();
    filter.and("t.location_id = @ AND c.trashed_at IS NULL", &[&location]);
    if !contacts.is_empty() {
        filter.and_one_of("t.contact_id", contacts);
    }
    if let Some(business) = business {
        filter.and("c.business_id = @", &[business]);
    }
    if let Some(completed) = completed {
        filter.and("t.completed = @", &[completed]);
    }
    if !assigned_to.is_empty() {
        filter.and_one_of("t.assigned_to", assigned_to);
    }
    if let Some(part) = &part {
        filter.and_any_holds(&["t.title_folded"], part);
    }
    let columns: Vec<String> = Task::columns().split(", ").map(|column| format!("t.{}", column.trim())).collect();
    let select = format!(
        "SELECT {} FROM tasks t JOIN contacts c ON c.location_id = t.location_id AND c.id = t.contact_id",
        columns.join(", ")
    );
    filter.page(tx, &select, Order::ascending(&["t.due_at", "t.id"]), window, Task::read)
}

/// How many tasks of a location are still to be done and due between two instants, counted no further than `most`; of contacts
/// that are not in the trash.
pub fn count_due(tx: &mut Tx<'_>, location: LocationId, from: UtcMs, until: UtcMs, most: i64) -> Result<i64> {
    tx.query_one(
        "SELECT CAST(count(*) AS BIGINT) FROM (
             SELECT 1 FROM tasks t JOIN contacts c ON c.location_id = t.location_id AND c.id = t.contact_id
             WHERE t.location_id = ?1 AND t.due_at >= ?2 AND t.due_at < ?3 AND NOT t.completed AND c.trashed_at IS NULL
             LIMIT CAST(?4 AS BIGINT)) AS due",
        &[&location, &from, &until, &most],
        |row| row.column(),
    )
}

/// Those that are due first.
pub fn due(tx: &mut Tx<'_>, location: LocationId, until: UtcMs, limit: i64) -> Result<Vec<Task>> {
    let columns = Task::columns().split(", ").map(|column| format!("t.{column}")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT {columns} FROM tasks t JOIN contacts c ON c.location_id = t.location_id AND c.id = t.contact_id
         WHERE t.location_id = ?1 AND t.due_at < ?2 AND NOT t.completed AND c.trashed_at IS NULL
         ORDER BY t.due_at, t.id LIMIT CAST(?3 AS BIGINT)"
    );
    tx.query(&sql, &[&location, &until, &limit], Task::read)
}

/// Writes how the titles of all tasks are compared.
pub(crate) fn refold(tx: &mut Tx<'_>) -> Result<()> {
    let mut after: Option<(LocationId, ContactId, TaskId)> = None;
    loop {
        let mut filter = Filter::new();
        filter.and("title_folded IS NULL", &[]);
        if let Some((location, contact, id)) = &after {
            filter.and("(location_id, contact_id, id) > (@, @, @)", &[location, contact, id]);
        }
        let order = Order::ascending(&["location_id", "contact_id", "id"]);
        let read = |row: &mut Row<'_>| {
            let task: (LocationId, ContactId, TaskId) = (row.column()?, row.column()?, row.column()?);
            Ok((task, row.column::<Line<300>>()?))
        };
        let window = Window::<UtcMs>::first(500);
        let page = filter.page(tx, "SELECT location_id, contact_id, id, title FROM tasks", order, &window, read)?;
        for ((location, contact, id), title) in &page.rows {
            tx.later(
                "UPDATE tasks SET title_folded = ?4 WHERE location_id = ?1 AND contact_id = ?2 AND id = ?3",
                &[location, contact, id, &fold(title.as_str())],
            )?;
        }
        after = page.next(|(task, _)| *task);
        if after.is_none() {
            return Ok(());
        }
    }
}
