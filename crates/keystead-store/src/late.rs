//! Rows that nothing in a transaction reads, kept until its end and written with one statement for each table.
//!
//! On PostgreSQL many closures share a transaction (see [`crate::Store::write_in`]), and each of them would send such rows
//! one by one. A statement that names such a table has them written first, so nobody can tell the difference. On SQLite,
//! where a statement costs no round trip, they are written at once.

use std::sync::LazyLock;

use bytes::BytesMut;
use postgres_types::{IsNull, ToSql, Type, to_sql_checked};

use crate::{
    ToValue,
    value::{OwnedValue, Value},
};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Int,
    Bool,
}

/// A table whose rows are written late.
pub(crate) struct LateTable {
    name: &'static str,
    columns: &'static [(&'static str, Kind)],
    /// What becomes of rows together, where it is not just all of them.
    together: Option<&'static str>,
    /// What happens to a row that is there.
    conflict: &'static str,
}

/// The words that contacts are found by.
pub(crate) static TERMS: LateTable = LateTable {
    name: "contact_terms",
    columns: &[("location_id", Kind::Text), ("term", Kind::Text), ("contact_id", Kind::Text)],
    together: None,
    conflict: "ON CONFLICT DO NOTHING",
};

/// How many contacts there are.
pub(crate) static COUNTS: LateTable = LateTable {
    name: "contact_counts",
    columns: &[("location_id", Kind::Text), ("slot", Kind::Int), ("contacts", Kind::Int)],
    together: Some("location_id, slot, CAST(sum(contacts) AS BIGINT) FROM rows GROUP BY location_id, slot"),
    conflict: "ON CONFLICT (location_id, slot) DO UPDATE SET contacts = contact_counts.contacts + excluded.contacts",
};

/// What was done.
pub(crate) static EVENTS: LateTable = LateTable {
    name: "events",
    columns: &[
        ("agency_id", Kind::Text),
        ("location_id", Kind::Text),
        ("at", Kind::Int),
        ("actor_kind", Kind::Text),
        ("actor_id", Kind::Text),
        ("ip", Kind::Text),
        ("request_id", Kind::Text),
        ("action", Kind::Text),
        ("subject", Kind::Text),
        ("before_json", Kind::Text),
        ("after_json", Kind::Text),
        ("chained", Kind::Bool),
        ("event_id", Kind::Text),
        ("contact_id", Kind::Text),
        ("root", Kind::Text),
        ("depth", Kind::Int),
    ],
    together: None,
    conflict: "",
};

const COUNT: usize = 3;
/// A row of a later table may belong to one of an earlier one.
static TABLES: [&LateTable; COUNT] = [&TERMS, &COUNTS, &EVENTS];

/// Each table's statements: for one row on SQLite, and for many on PostgreSQL.
static STATEMENTS: LazyLock<[(String, String); COUNT]> =
    LazyLock::new(|| TABLES.map(|table| (table.one(), table.many())));

impl LateTable {
    fn index(&'static self) -> usize {
        TABLES.iter().position(|table| std::ptr::eq(*table, self)).expect("a table of the list")
    }

    /// The statement for one row.
    pub(crate) fn statement(&'static self) -> &'static str {
        &STATEMENTS[self.index()].0
    }

    fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }

    fn one(&self) -> String {
        let places: Vec<String> = (1..=self.columns.len()).map(|place| format!("?{place}")).collect();
        format!("INSERT INTO {} ({}) VALUES ({}) {}", self.name, self.names(), places.join(", "), self.conflict)
    }

    fn many(&self) -> String {
        let Self { name, columns, together, conflict } = self;
        let places = columns.iter().enumerate().map(|(index, (_, kind))| {
            let array = match kind {
                Kind::Text => "TEXT[]",
                Kind::Int => "BIGINT[]",
                Kind::Bool => "BOOLEAN[]",
            };
            format!("CAST(?{} AS {array})", index + 1)
        });
        let (names, places) = (self.names(), places.collect::<Vec<_>>().join(", "));
        let select = together.unwrap_or("* FROM rows");
        format!(
            "WITH rows ({names}) AS (SELECT * FROM unnest({places})) INSERT INTO {name} ({names}) SELECT {select} {conflict}"
        )
    }
}

/// Some of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tables(u8);

impl Tables {
    pub(crate) const ALL: Self = Self((1 << COUNT) - 1);

    /// Those that a statement names.
    pub(crate) fn named_in(sql: &str) -> Self {
        let named = TABLES.iter().enumerate().filter(|(_, table)| sql.contains(table.name));
        Self(named.fold(0, |tables, (index, _)| tables | 1 << index))
    }

    fn has(self, index: usize) -> bool {
        self.0 & 1 << index != 0
    }
}

/// Rows of one table.
#[derive(Default)]
struct Kept {
    rows: Vec<Vec<OwnedValue>>,
    /// Of them, how many of the first were sent.
    sent: usize,
}

/// What is kept in a transaction.
#[derive(Default)]
pub(crate) struct Late([Kept; COUNT]);

/// How much was kept and sent at a moment.
#[derive(Clone, Copy)]
pub(crate) struct Mark([(usize, usize); COUNT]);

impl Late {
    pub(crate) fn add(&mut self, table: &'static LateTable, values: &[&dyn ToValue]) {
        self.0[table.index()].rows.push(values.iter().map(|value| value.to_value().into_owned()).collect());
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark(std::array::from_fn(|index| (self.0[index].rows.len(), self.0[index].sent)))
    }

    /// Goes back to how it was. What was sent since then is undone in the database, so what was kept before is kept again.
    pub(crate) fn undo(&mut self, Mark(mark): Mark) {
        for (kept, (count, sent)) in self.0.iter_mut().zip(mark) {
            kept.rows.truncate(count);
            kept.sent = sent;
        }
    }

    /// Nobody goes back any more to before now.
    pub(crate) fn settle(&mut self) {
        for kept in &mut self.0 {
            kept.rows.drain(..std::mem::take(&mut kept.sent));
        }
    }

    /// What is to be sent for these tables: a statement and its columns for each.
    pub(crate) fn take(&mut self, tables: Tables) -> Vec<(&'static str, Vec<Column>)> {
        let due = self.0.iter_mut().enumerate();
        let due = due.filter(|(index, kept)| tables.has(*index) && kept.sent < kept.rows.len());
        due.map(|(index, kept)| {
            let rows = &kept.rows[kept.sent..];
            kept.sent = kept.rows.len();
            let columns = TABLES[index].columns.iter().enumerate();
            let columns = columns.map(|(place, (_, kind))| Column::of(*kind, rows.iter().map(|row| &row[place])));
            (STATEMENTS[index].1.as_str(), columns.collect())
        })
        .collect()
    }
}

/// One column of many rows.
#[derive(Debug)]
pub(crate) enum Column {
    Text(Vec<Option<String>>),
    Int(Vec<Option<i64>>),
    Bool(Vec<Option<bool>>),
}

impl Column {
    fn of<'v>(kind: Kind, values: impl Iterator<Item = &'v OwnedValue>) -> Self {
        let values = values.map(OwnedValue::to_value);
        match kind {
            Kind::Text => Self::Text(
                values.map(|value| if let Value::Text(text) = value { Some(text.to_owned()) } else { None }).collect(),
            ),
            Kind::Int => Self::Int(
                values.map(|value| if let Value::Int(number) = value { Some(number) } else { None }).collect(),
            ),
            Kind::Bool => Self::Bool(
                values.map(|value| if let Value::Bool(truth) = value { Some(truth) } else { None }).collect(),
            ),
        }
    }
}

impl ToSql for Column {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Text(values) => values.to_sql(ty, out),
            Self::Int(values) => values.to_sql(ty, out),
            Self::Bool(values) => values.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        [Type::TEXT_ARRAY, Type::INT8_ARRAY, Type::BOOL_ARRAY].contains(ty)
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(late: &mut Late, tables: Tables) -> Vec<usize> {
        let count = |(_, columns): (_, Vec<Column>)| match &columns[0] {
            Column::Text(values) => values.len(),
            other => panic!("{other:?}"),
        };
        late.take(tables).into_iter().map(count).collect()
    }

    #[test]
    fn statements_write_one_row_or_many() {
        assert_eq!(
            TERMS.one(),
            "INSERT INTO contact_terms (location_id, term, contact_id) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING"
        );
        let many = COUNTS.many();
        assert!(many.contains("unnest(CAST(?1 AS TEXT[]), CAST(?2 AS BIGINT[]), CAST(?3 AS BIGINT[]))"), "{many}");
        assert!(many.contains("GROUP BY location_id, slot ON CONFLICT (location_id, slot)"), "{many}");
    }

    #[test]
    fn a_statement_that_names_a_table_has_its_rows_written_first() {
        let tables = Tables::named_in("SELECT term FROM contact_terms WHERE location_id = ?1");
        assert_eq!(tables, Tables(1));
        assert_eq!(Tables::named_in("SELECT 1 FROM contacts"), Tables(0));
    }

    #[test]
    fn what_is_undone_is_gone_and_what_was_sent_within_it_is_kept_again() {
        let mut late = Late::default();
        let term = |late: &mut Late| late.add(&TERMS, &[&"l", &"t", &"c"]);
        term(&mut late);
        late.settle();
        let mark = late.mark();
        term(&mut late);
        assert_eq!(sent(&mut late, Tables::ALL), [2], "a closure that reads sees its own and what was before it");
        late.undo(mark);
        assert_eq!(sent(&mut late, Tables::ALL), [1], "what was before it is sent again");
        late.settle();
        assert_eq!(sent(&mut late, Tables::ALL), [0usize; 0]);
    }
}
