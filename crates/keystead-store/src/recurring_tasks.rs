//! Recurring tasks of a location.

use keystead_model::{
    AgencyId, ContactId, LocationId, UtcMs,
    page::Window,
    recurrence::Recurrence,
    recurring_task::{Progress, RecurringTask, RecurringTaskContent},
};

use crate::{
    Result, Row, Tx,
    filter::Filter,
    stored::{self, Stored},
    table::{Named, Table},
};

static RECURRING_TASKS: Table = Table::new("recurring_tasks", &["location_id", "id"]).keeping(&["created_at"]);

impl Stored for RecurringTask {
    type Parent = ();

    fn table() -> &'static Table {
        &RECURRING_TASKS
    }

    fn columns() -> &'static str {
        "id, location_id, title, description, contact_id, assigned_to, unit, every, start_at, end_at, day_of_month, day_of_week,
         month_of_year, most, comes_if_overdue, due_after, next_at, followed_until, made, passes_over_next, last_task_id,
         created_at, updated_at"
    }

    fn read(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.column()?,
            location: row.column()?,
            content: RecurringTaskContent {
                title: row.column()?,
                description: row.column()?,
                contact: row.column()?,
                owner: row.column()?,
                rule: Recurrence {
                    unit: row.column()?,
                    interval: row.column()?,
                    start: row.column()?,
                    end: row.column()?,
                    day_of_month: row.column()?,
                    day_of_week: row.column()?,
                    month_of_year: row.column()?,
                },
                count: row.column()?,
                comes_if_overdue: row.column()?,
                due_after: row.column()?,
            },
            progress: Progress {
                next_at: row.column()?,
                until: row.column()?,
                made: row.column()?,
                passes_over_next: row.column()?,
                last_task: row.column()?,
            },
            created_at: row.column()?,
            updated_at: row.column()?,
        })
    }

    fn row(&self) -> Vec<Named<'_>> {
        let Self { id, location: _, content, progress, created_at, updated_at } = self;
        let RecurringTaskContent { title, description, contact, owner, rule, count, comes_if_overdue, due_after } =
            content;
        let Recurrence { unit, interval, start, end, day_of_month, day_of_week, month_of_year } = rule;
        let Progress { next_at, until, made, passes_over_next, last_task } = progress;
        vec![
            ("id", id),
            ("title", title),
            ("description", description),
            ("contact_id", contact),
            ("assigned_to", owner),
            ("unit", unit),
            ("every", interval),
            ("start_at", start),
            ("end_at", end),
            ("day_of_month", day_of_month),
            ("day_of_week", day_of_week),
            ("month_of_year", month_of_year),
            ("most", count),
            ("comes_if_overdue", comes_if_overdue),
            ("due_after", due_after),
            ("next_at", next_at),
            ("followed_until", until),
            ("made", made),
            ("passes_over_next", passes_over_next),
            ("last_task_id", last_task),
            ("created_at", created_at),
            ("updated_at", updated_at),
        ]
    }
}

/// Those of a contact, newest first.
pub fn of_contact(tx: &mut Tx<'_>, location: LocationId, contact: ContactId) -> Result<Vec<RecurringTask>> {
    let mut filter = Filter::new();
    filter.and("location_id = @ AND contact_id = @", &[&location, &contact]);
    Ok(stored::search(tx, filter, &Window::all())?.rows)
}

/// Locations that work and have something to look at by `now`, at most `limit`, those first that have waited longest.
pub fn places_due(tx: &mut Tx<'_>, now: UtcMs, limit: i64) -> Result<Vec<(AgencyId, LocationId)>> {
    let sql = "SELECT l.agency_id, l.id FROM recurring_tasks r JOIN locations l ON l.id = r.location_id
         JOIN agencies a ON a.id = l.agency_id
         WHERE r.next_at IS NOT NULL AND r.next_at <= ?1 AND l.state = 'active' AND a.state = 'active'
         GROUP BY l.agency_id, l.id ORDER BY min(r.next_at), l.id LIMIT ?2";
    tx.query(sql, &[&now, &limit], |row| Ok((row.column()?, row.column()?)))
}

/// What of a location is to be looked at by `now`, at most `limit`, what has waited longest first.
pub fn due(tx: &mut Tx<'_>, location: LocationId, now: UtcMs, limit: i64) -> Result<Vec<RecurringTask>> {
    let sql = format!(
        "SELECT {} FROM recurring_tasks WHERE location_id = ?1 AND next_at IS NOT NULL AND next_at <= ?2
         ORDER BY next_at, id LIMIT ?3",
        RecurringTask::columns()
    );
    tx.query(&sql, &[&location, &now, &limit], RecurringTask::read)
}
