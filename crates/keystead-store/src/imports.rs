//! Imports of a location, and the rows of which they could not take all.

use keystead_model::{
    AgencyId, LocationId, UtcMs,
    import::{Import, ImportId, ImportPlan, ImportState, ImportTally, ProblemRow},
    page::{Counted, Page, Window},
};

use crate::{
    Error, Result, Row, Tx,
    filter::Filter,
    list::Order,
    table::{Named, Table},
};

static IMPORTS: Table = Table::new("imports", &["location_id", "id"]);
static PROBLEM_ROWS: Table = Table::new("problem_rows", &["location_id", "import_id", "line"]);

const COLUMNS: &str = "id, location_id, file_name, file_id, columns, encoding, is_trial, takes_unidentified, state, rows_read, created, updated, \
     unchanged, incomplete, refused, line, problem, created_by, event_id, created_at, started_at, ended_at";

fn read(row: &mut Row<'_>) -> Result<Import> {
    Ok(Import {
        id: row.column()?,
        location: row.column()?,
        file_name: row.column()?,
        file: row.column()?,
        plan: ImportPlan {
            columns: ImportPlan::columns_from_json(&row.column::<String>()?)
                .ok_or_else(|| Error::unreadable("the columns of an import"))?,
            encoding: row.column()?,
            is_trial: row.column()?,
            takes_unidentified: row.column()?,
        },
        state: ImportState::parse(&row.column::<String>()?)
            .ok_or_else(|| Error::unreadable("the state of an import"))?,
        tally: ImportTally {
            rows: row.column()?,
            created: row.column()?,
            updated: row.column()?,
            unchanged: row.column()?,
            incomplete: row.column()?,
            refused: row.column()?,
        },
        line: row.column()?,
        problem: row.column()?,
        created_by: row.column()?,
        event: row.column()?,
        created_at: row.column()?,
        started_at: row.column()?,
        ended_at: row.column()?,
    })
}

/// Adds an import, or writes where it stands.
pub fn save(tx: &mut Tx<'_>, import: &Import) -> Result<()> {
    let Import {
        id,
        location,
        file_name,
        file,
        plan,
        state,
        tally,
        line,
        problem,
        created_by,
        event,
        created_at,
        started_at,
        ended_at,
    } = import;
    let (columns, state) = (plan.columns_to_json(), state.as_str());
    let row: Vec<Named<'_>> = vec![
        ("location_id", location),
        ("id", id),
        ("file_name", file_name),
        ("file_id", file),
        ("columns", &columns),
        ("encoding", &plan.encoding),
        ("is_trial", &plan.is_trial),
        ("takes_unidentified", &plan.takes_unidentified),
        ("state", &state),
        ("rows_read", &tally.rows),
        ("created", &tally.created),
        ("updated", &tally.updated),
        ("unchanged", &tally.unchanged),
        ("incomplete", &tally.incomplete),
        ("refused", &tally.refused),
        ("line", line),
        ("problem", problem),
        ("created_by", created_by),
        ("event_id", event),
        ("created_at", created_at),
        ("started_at", started_at),
        ("ended_at", ended_at),
    ];
    IMPORTS.save(tx, &row)
}

/// One of a location.
pub fn find(tx: &mut Tx<'_>, location: LocationId, id: ImportId) -> Result<Option<Import>> {
    let sql = format!("SELECT {COLUMNS} FROM imports WHERE location_id = ?1 AND id = ?2");
    tx.query_opt(&sql, &[&location, &id], read)
}

/// The import of a job with the agency that has its location; `false` where either is suspended or deleted.
pub fn find_by_id(tx: &mut Tx<'_>, id: ImportId) -> Result<Option<(AgencyId, bool, Import)>> {
    let columns = COLUMNS.replace(", ", ", i.");
    let sql = format!(
        "SELECT l.agency_id, l.state = 'active' AND a.state = 'active', i.{columns} FROM imports i
         JOIN locations l ON l.id = i.location_id JOIN agencies a ON a.id = l.agency_id WHERE i.id = ?1"
    );
    tx.query_opt(&sql, &[&id], |row| Ok((row.column()?, row.column()?, read(row)?)))
}

/// Those of a location, newest first, and how many there are.
pub fn list(tx: &mut Tx<'_>, location: LocationId, window: &Window<ImportId>) -> Result<Counted<Import>> {
    let sql = "SELECT CAST(count(*) AS BIGINT) FROM imports WHERE location_id = ?1";
    let total = tx.query_one(sql, &[&location], |row| row.column())?;
    let mut filter = Filter::new();
    filter.and("location_id = @", &[&location]);
    let page = filter.page(tx, &format!("SELECT {COLUMNS} FROM imports"), Order::descending(&["id"]), window, read)?;
    Ok(Counted { page, total })
}

/// How many of a location are not over.
pub fn count_open(tx: &mut Tx<'_>, location: LocationId) -> Result<i64> {
    let sql = "SELECT CAST(count(*) AS BIGINT) FROM imports WHERE location_id = ?1 AND ended_at IS NULL";
    tx.query_one(sql, &[&location], |row| row.column())
}

/// Adds rows that have a problem.
pub fn add_problems(tx: &mut Tx<'_>, location: LocationId, id: ImportId, rows: &[ProblemRow]) -> Result<()> {
    for ProblemRow { line, is_refused, problem, cells } in rows {
        let cells = serde_json::Value::from(cells.as_slice()).to_string();
        let row: [Named<'_>; 6] = [
            ("location_id", &location),
            ("import_id", &id),
            ("line", line),
            ("is_refused", is_refused),
            ("problem", problem),
            ("cells", &cells),
        ];
        PROBLEM_ROWS.insert(tx, &row)?;
    }
    Ok(())
}

/// Rows of an import that have a problem, by their lines.
pub fn list_problems(
    tx: &mut Tx<'_>,
    location: LocationId,
    id: ImportId,
    window: &Window<i64>,
) -> Result<Page<ProblemRow>> {
    let mut filter = Filter::new();
    filter.and("location_id = @ AND import_id = @", &[&location, &id]);
    let sql = "SELECT line, is_refused, problem, cells FROM problem_rows";
    filter.page(tx, sql, Order::ascending(&["line"]), window, |row| {
        let (line, is_refused, problem) = (row.column()?, row.column()?, row.column()?);
        let cells = serde_json::from_str(&row.column::<String>()?);
        Ok(ProblemRow { line, is_refused, problem, cells: cells.map_err(|_| Error::unreadable("the cells of a row"))? })
    })
}

/// Forgets problems of rows of imports that ended before `before`, at most `most`, and imports that have none left. Answers how many
/// of both.
pub fn trim(tx: &mut Tx<'_>, before: UtcMs, most: i64) -> Result<u64> {
    let sql = "SELECT location_id, id FROM imports WHERE ended_at < ?1 ORDER BY ended_at LIMIT 1";
    let due: Option<(LocationId, ImportId)> =
        tx.query_opt(sql, &[&before], |row| Ok((row.column()?, row.column()?)))?;
    let Some((location, id)) = due else { return Ok(0) };
    let rows = "DELETE FROM problem_rows WHERE location_id = ?1 AND import_id = ?2 AND line IN (
         SELECT line FROM problem_rows WHERE location_id = ?1 AND import_id = ?2 ORDER BY line LIMIT ?3)";
    match tx.execute(rows, &[&location, &id, &most])? {
        0 => tx.execute("DELETE FROM imports WHERE location_id = ?1 AND id = ?2", &[&location, &id]),
        some => Ok(some),
    }
}
