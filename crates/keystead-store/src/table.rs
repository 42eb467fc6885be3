//! Rows that are written by the names of their columns: what a column holds stands beside its name, and the statement follows.

use std::{borrow::Cow, sync::OnceLock};

use keystead_model::{LocationId, UtcMs, id::Id};

use crate::{Result, ToValue, Tx, filter::Filter};

/// A column and what is written into it.
pub(crate) type Named<'v> = (&'static str, &'v dyn ToValue);

/// A table whose rows are written as a whole.
pub struct Table {
    name: &'static str,
    /// What a row is known by.
    key: &'static [&'static str],
    /// Columns that stay as they were when the row was made.
    kept: &'static [&'static str],
    /// Columns in which the greater of what was and what comes stays.
    growing: &'static [&'static str],
    statements: [OnceLock<Statement>; 3],
}

/// The columns that were named when the text was made, and the text.
type Statement = (Vec<&'static str>, String);

/// What happens to a row that is there.
#[derive(Clone, Copy)]
enum WhenThere {
    Fail,
    Stay,
    Change,
}

impl Table {
    pub(crate) const fn new(name: &'static str, key: &'static [&'static str]) -> Self {
        Self { name, key, kept: &[], growing: &[], statements: [const { OnceLock::new() }; 3] }
    }

    /// With columns that stay as they were when the row was made.
    pub(crate) const fn keeping(mut self, columns: &'static [&'static str]) -> Self {
        self.kept = columns;
        self
    }

    /// With columns in which the greater of what was and what comes stays.
    pub(crate) const fn growing(mut self, columns: &'static [&'static str]) -> Self {
        self.growing = columns;
        self
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Adds a row. One with its key is an error.
    pub(crate) fn insert(&self, tx: &mut Tx<'_>, row: &[Named<'_>]) -> Result<()> {
        tx.later(&self.statement(WhenThere::Fail, row), &values(row))
    }

    /// Adds a row; `false` if one stands in its way.
    pub(crate) fn add(&self, tx: &mut Tx<'_>, row: &[Named<'_>]) -> Result<bool> {
        Ok(tx.execute(&self.statement(WhenThere::Stay, row), &values(row))? == 1)
    }

    /// Adds a row, or changes the one that has its key.
    pub(crate) fn save(&self, tx: &mut Tx<'_>, row: &[Named<'_>]) -> Result<()> {
        tx.later(&self.statement(WhenThere::Change, row), &values(row))
    }

    /// Made once for the columns that are named first, and so the same text each time, which both databases know by then.
    fn statement(&self, when: WhenThere, row: &[Named<'_>]) -> Cow<'_, str> {
        let made = || (row.iter().map(|(column, _)| *column).collect(), self.text(when, row));
        let (columns, text) = self.statements[when as usize].get_or_init(made);
        if columns.iter().eq(row.iter().map(|(column, _)| column)) { text.into() } else { self.text(when, row).into() }
    }

    fn text(&self, when: WhenThere, row: &[Named<'_>]) -> String {
        let columns: Vec<&str> = row.iter().map(|(column, _)| *column).collect();
        let places: Vec<String> = (1..=columns.len()).map(|place| format!("?{place}")).collect();
        let conflict = match when {
            WhenThere::Fail => String::new(),
            WhenThere::Stay => " ON CONFLICT DO NOTHING".to_owned(),
            WhenThere::Change => {
                let changed = columns.iter().filter(|column| !self.key.contains(column) && !self.kept.contains(column));
                let sets: Vec<String> = changed.map(|column| self.set(column)).collect();
                format!(" ON CONFLICT ({}) DO UPDATE SET {}", self.key.join(", "), sets.join(", "))
            }
        };
        format!("INSERT INTO {} ({}) VALUES ({}){conflict}", self.name, columns.join(", "), places.join(", "))
    }

    fn set(&self, column: &str) -> String {
        if self.growing.contains(&column) {
            let (old, new) = (format!("{}.{column}", self.name), format!("excluded.{column}"));
            return format!("{column} = CASE WHEN {old} < {new} THEN {new} ELSE {old} END");
        }
        format!("{column} = excluded.{column}")
    }
}

/// Says of rows of a location that they were changed, strictly later than they were before; what is in the trash stays as it is.
pub(crate) fn touch<T>(
    tx: &mut Tx<'_>,
    table: &'static str,
    location: LocationId,
    ids: &[Id<T>],
    now: UtcMs,
) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut those = Filter::new();
    let now = those.own(now);
    those.and("location_id = @ AND trashed_at IS NULL", &[&location]);
    those.and_one_of("id", ids);
    let later =
        format!("CASE WHEN updated_at < CAST({now} AS BIGINT) THEN CAST({now} AS BIGINT) ELSE updated_at + 1 END");
    tx.later(&format!("UPDATE {table} SET updated_at = {later} WHERE {}", those.sql()), &those.values())
}

fn values<'v>(row: &[Named<'v>]) -> Vec<&'v dyn ToValue> {
    row.iter().map(|(_, value)| *value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, Memory};

    static PEOPLE: Table = Table::new("people", &["id"]).keeping(&["made"]).growing(&["seen"]);

    type Person = (i64, String, i64, i64);

    fn people(tx: &mut Tx<'_>) -> Vec<Person> {
        let sql = "SELECT id, name, made, seen FROM people ORDER BY id";
        tx.query(sql, &[], |row| Ok((row.column()?, row.column()?, row.column()?, row.column()?))).unwrap()
    }

    fn row((id, name, made, seen): &Person) -> [Named<'_>; 4] {
        [("id", id), ("name", name), ("made", made), ("seen", seen)]
    }

    #[test]
    fn rows_are_added_changed_or_left_alone() {
        let memory = Memory::open().unwrap();
        memory
            .read(|tx| {
                tx.batch("CREATE TABLE people (id BIGINT PRIMARY KEY, name TEXT, made BIGINT, seen BIGINT)")?;
                let person = |name: &str, made, seen| (1, name.to_owned(), made, seen);
                let ada = person("Ada", 1, 5);
                PEOPLE.save(tx, &row(&ada))?;
                assert_eq!(people(tx), std::slice::from_ref(&ada));
                PEOPLE.save(tx, &row(&person("Ada L.", 2, 4)))?;
                assert_eq!(people(tx), [person("Ada L.", 1, 5)], "made is kept, and seen never goes back");
                PEOPLE.save(tx, &row(&person("Ada L.", 2, 6)))?;
                assert_eq!(people(tx), [person("Ada L.", 1, 6)]);
                assert!(PEOPLE.insert(tx, &row(&ada)).is_err());
                assert!(!PEOPLE.add(tx, &row(&ada))?);
                assert_eq!(people(tx), [person("Ada L.", 1, 6)]);
                // Whoever names other columns, or these in another order, writes what they name.
                PEOPLE.save(tx, &[("made", &9i64), ("name", &"Bob"), ("id", &2i64), ("seen", &8i64)])?;
                PEOPLE.save(tx, &[("id", &2i64), ("name", &"Bo")])?;
                assert_eq!(people(tx)[1], (2, "Bo".to_owned(), 9, 8));
                Ok::<_, Error>(())
            })
            .unwrap();
    }

    #[test]
    fn the_same_columns_have_the_same_text() {
        let (one, two) = ((1, String::new(), 1, 1), (2, String::new(), 2, 2));
        let text = |person| match PEOPLE.statement(WhenThere::Stay, &row(person)) {
            Cow::Borrowed(text) => text.as_ptr(),
            Cow::Owned(text) => panic!("made anew: {text}"),
        };
        assert_eq!(text(&one), text(&two));
    }
}
