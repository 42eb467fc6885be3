//! Conditions as SQL, over the columns of a noun and over rows that belong to it.
//!
//! A test over such rows has two forms. It is *asked* of each thing in the order of a list, which is quick where many suit, or it
//! *leads*: its rows are read first, then the things that they belong to, which is quick where few do. Both databases are told, by a
//! count that ends at [`LEADS_UP_TO`]: SQLite knows nothing of how many suit, and PostgreSQL is wrong about the words of somebody.

use keystead_model::{
    LocationId,
    condition::{Condition, Op, Test, Value},
};

use crate::{
    Result, Tx,
    field_values::INDEXED,
    filter::{Filter, prefix_end},
    value::{OwnedValue, ToValue},
};

/// Rows that may lead a page: more of them are longer in the sorting than a page is in the asking.
pub(crate) const LEADS_UP_TO: i64 = 20_000;

/// Where a field is found.
pub(crate) enum Column {
    /// In the noun's own row, where NULL is missing.
    Own(&'static str),
    /// Several in the noun's own row, as one text with spaces between them.
    Words(&'static str),
    /// In rows `r` of another table.
    Rows(Rows),
}

/// Rows of another table, which name their owner.
pub(crate) struct Rows {
    pub(crate) table: &'static str,
    /// Their column that names the owner.
    pub(crate) owner: &'static str,
    /// Their column of values.
    pub(crate) value: &'static str,
    /// The noun's own column that the owner stands in: `id` where the rows belong to the noun itself.
    pub(crate) at: &'static str,
    /// Whether only the beginning of it is indexed.
    pub(crate) is_long: bool,
    /// Whether an owner has no more than one.
    pub(crate) is_single: bool,
    /// Other columns, and what they have.
    pub(crate) with: Vec<(&'static str, String)>,
    /// The same of a column that follows from these, and that only the rows' own key needs.
    pub(crate) in_key: Option<(&'static str, String)>,
    /// The index that they are read by where they lead, if SQLite would take another.
    pub(crate) index: Option<&'static str>,
}

impl Rows {
    /// Rows that belong to the noun itself, short, as many as there are, and read as the database likes.
    pub(crate) fn new(table: &'static str, owner: &'static str, value: &'static str) -> Self {
        let (is_long, is_single, with, in_key, index) = (false, false, Vec::new(), None, None);
        Self { table, owner, value, at: "id", is_long, is_single, with, in_key, index }
    }

    /// Whether they belong to the noun itself, and not to what it names.
    pub(crate) fn are_its_own(&self) -> bool {
        self.at == "id"
    }
}

/// A noun that conditions are about: `c` in a statement, with an `id` and a `location_id`.
pub(crate) struct Noun<F> {
    pub(crate) location: LocationId,
    pub(crate) table: &'static str,
    /// Which database is told: SQLite by which index rows are read, PostgreSQL what is read one after another.
    pub(crate) is_postgres: bool,
    pub(crate) column: fn(&F) -> Column,
    /// The index of what is there, not in the trash, by a field of the noun's own row and then by its id.
    pub(crate) index: fn(&F) -> Option<&'static str>,
}

/// Rows that may lead, and what they decide.
pub(crate) struct Lead<'c, F> {
    /// The parts of the condition that need not be asked any more.
    decided: Vec<&'c Condition<F>>,
    /// Whatever the condition holds of is in the rows of one of these, of which all tests of it are true.
    tests: Vec<Vec<&'c Test<F>>>,
    /// How many rows these are, at most one more than [`LEADS_UP_TO`] for each.
    pub(crate) rows: i64,
}

impl<F> Lead<'_, F> {
    /// What the rows are of.
    pub(crate) fn tests(&self) -> impl Iterator<Item = &Test<F>> {
        self.tests.iter().flatten().copied()
    }

    /// Whether these rows decide all of a condition.
    pub(crate) fn decides(&self, condition: &Condition<F>) -> bool {
        self.has_decided(condition)
            || matches!(condition, Condition::All(parts) if !parts.is_empty() && parts.iter().all(|part| self.decides(part)))
    }

    fn has_decided(&self, condition: &Condition<F>) -> bool {
        self.decided.iter().any(|decided| std::ptr::eq(*decided, condition))
    }
}

impl<F: PartialEq> Noun<F> {
    /// The rows that may lead, the fewest if there is a choice; none where there are none to choose.
    pub(crate) fn lead<'c>(&self, tx: &mut Tx<'_>, condition: &'c Condition<F>) -> Result<Option<Lead<'c, F>>> {
        match condition {
            Condition::Not(_) => Ok(None),
            Condition::Test(_) => self.fewest(tx, std::slice::from_ref(condition)),
            Condition::All(parts) => {
                let mut fewest = self.fewest(tx, parts)?;
                for part in parts.iter().filter(|part| !matches!(part, Condition::Test(_))) {
                    let lead = self.lead(tx, part)?;
                    if fewest.as_ref().is_none_or(|fewest| lead.as_ref().is_some_and(|lead| lead.rows < fewest.rows)) {
                        fewest = lead;
                    }
                }
                Ok(fewest)
            }
            Condition::Any(parts) => {
                let (mut all, mut are_whole) = (Lead { decided: Vec::new(), tests: Vec::new(), rows: 0 }, true);
                for part in parts {
                    let Some(lead) = self.lead(tx, part)? else { return Ok(None) };
                    are_whole &= lead.decides(part);
                    all.tests.extend(lead.tests);
                    all.rows += lead.rows;
                }
                all.decided = Vec::from_iter(are_whole.then_some(condition));
                Ok(Some(all).filter(|all| !all.tests.is_empty()))
            }
        }
    }

    /// The tests of a condition that may lead. Those of a field of which an owner has no more than one value are of one row: a range.
    /// What is asked beside them that cannot lead is asked of what they lead to.
    fn may_lead<'c>(&self, parts: &'c [Condition<F>]) -> Vec<Vec<(&'c Condition<F>, &'c Test<F>)>> {
        let mut ranges: Vec<Vec<(&Condition<F>, &Test<F>)>> = Vec::new();
        for part in parts {
            let Condition::Test(test) = part else { continue };
            let Column::Rows(rows) = (self.column)(&test.field) else { continue };
            if matches!(test.op, Op::NotExists | Op::NotEq(_) | Op::NotContains(_)) {
                continue;
            }
            let is_of = |range: &&mut Vec<(_, &Test<F>)>| rows.is_single && range[0].1.field == test.field;
            match ranges.iter_mut().find(is_of) {
                Some(range) => range.push((part, test)),
                None => ranges.push(vec![(part, test)]),
            }
        }
        ranges
    }

    /// The rows that may lead of what is tested side by side.
    fn fewest<'c>(&self, tx: &mut Tx<'_>, parts: &'c [Condition<F>]) -> Result<Option<Lead<'c, F>>> {
        let mut fewest: Option<Lead<'c, F>> = None;
        for range in self.may_lead(parts) {
            let (decided, tests): (Vec<_>, Vec<_>) = range.into_iter().unzip();
            let Some(rows) = self.count(tx, &tests)? else { continue };
            if fewest.as_ref().is_none_or(|fewest| rows < fewest.rows) {
                fewest = Some(Lead { decided, tests: vec![tests], rows });
            }
        }
        Ok(fewest)
    }

    /// How many rows are read if these tests of a field lead; `None` if it has no rows.
    fn count(&self, tx: &mut Tx<'_>, tests: &[&Test<F>]) -> Result<Option<i64>> {
        let reads_all = tests.iter().any(|test| matches!(test.op, Op::Contains(_)));
        let Some(Column::Rows(rows)) = tests.first().map(|test| (self.column)(&test.field)) else {
            return Ok(None);
        };
        let mut filter = Filter::new();
        let ops: Vec<&Op> = tests.iter().map(|test| &test.op).filter(|_| !reads_all).collect();
        let text = self.rows(&mut filter, &rows, &ops, true);
        let most = filter.own(LEADS_UP_TO + 1);
        let sql = format!("SELECT CAST(count(*) AS BIGINT) FROM (SELECT 1 {text} LIMIT {most}) AS n");
        tx.query_one(&sql, &filter.values(), |row| row.column()).map(Some)
    }

    /// The ids of what rows that lead belong to, `each_once` or as often as they come.
    pub(crate) fn leading(&self, filter: &mut Filter<'_>, lead: &Lead<'_, F>, each_once: bool) -> String {
        let distinct = if each_once && lead.tests.len() == 1 { " DISTINCT" } else { "" };
        let select = |tests: &Vec<&Test<F>>| match (self.column)(&tests.first()?.field) {
            Column::Rows(rows) => {
                let ops: Vec<&Op> = tests.iter().map(|test| &test.op).collect();
                let text = self.rows(filter, &rows, &ops, true);
                let id = if rows.are_its_own() { format!("r.{}", rows.owner) } else { "n.id".to_owned() };
                Some(format!("SELECT{distinct} {id} AS id {text}"))
            }
            Column::Own(_) | Column::Words(_) => None,
        };
        let selects: Vec<String> = lead.tests.iter().filter_map(select).collect();
        selects.join(if each_once { " UNION " } else { " UNION ALL " })
    }

    /// What is there, and not in the trash.
    pub(crate) fn live(&self, filter: &mut Filter<'_>) -> String {
        format!("c.location_id = {} AND c.trashed_at IS NULL", filter.own(self.location))
    }

    /// What the things `c` of these ids `l` are read from; [`Noun::live`] is still to be asked.
    pub(crate) fn things_of(&self, filter: &mut Filter<'_>, ids: &str) -> String {
        let table = self.table;
        if self.is_postgres {
            // Else it reads all things before it knows how few rows lead.
            let live = self.live(filter);
            return format!(
                "({ids}) l CROSS JOIN LATERAL (SELECT c.* FROM {table} c WHERE {live} AND c.id = l.id OFFSET 0) c"
            );
        }
        format!("({ids}) l CROSS JOIN {table} c ON c.id = l.id")
    }

    /// What all things `c` are read from, on SQLite by this index: else it may read all of them and sort them.
    pub(crate) fn by_index(&self, index: &str) -> String {
        if self.is_postgres { format!("{} c", self.table) } else { format!("{} c INDEXED BY {index}", self.table) }
    }

    /// What `c` holds in a field, of several values the one that comes first.
    pub(crate) fn first_value(&self, filter: &mut Filter<'_>, field: &F, ascending: bool) -> String {
        match (self.column)(field) {
            Column::Own(column) | Column::Words(column) => column.to_owned(),
            Column::Rows(rows) => {
                let text = self.rows(filter, &rows, &[], false);
                // A `+` keeps SQLite from reading the values of all in their order until one of this thing comes.
                let value = ordered(&format!("{}r.{}", if self.is_postgres { "" } else { "+" }, rows.value), &rows);
                let value = match (rows.is_single, ascending) {
                    (true, _) => value,
                    (false, true) => format!("min({value})"),
                    (false, false) => format!("max({value})"),
                };
                format!("(SELECT {value} {text} AND r.{} = c.{})", rows.owner, rows.at)
            }
        }
    }

    /// The ids of what holds something in these rows, and what that is, `held`: of several values each.
    pub(crate) fn holding(&self, filter: &mut Filter<'_>, rows: &Rows) -> String {
        let text = self.rows(filter, rows, &[], true);
        format!("SELECT r.{} AS id, {} AS held {text}", rows.owner, ordered(&format!("r.{}", rows.value), rows))
    }

    /// Whether `c` holds nothing in these rows.
    pub(crate) fn lacking(&self, filter: &mut Filter<'_>, rows: &Rows) -> String {
        self.has(filter, rows, &Op::NotExists)
    }

    /// The condition as it is asked of `c`, but for what was decided by what leads.
    pub(crate) fn asked(
        &self,
        filter: &mut Filter<'_>,
        condition: &Condition<F>,
        lead: Option<&Lead<'_, F>>,
    ) -> String {
        if lead.is_some_and(|lead| lead.has_decided(condition)) {
            return "1 = 1".to_owned();
        }
        let mut list = |parts: &[Condition<F>], between: &str, nothing: &str| {
            let texts: Vec<String> = parts.iter().map(|part| self.asked(filter, part, lead)).collect();
            if texts.is_empty() { nothing.to_owned() } else { format!("({})", texts.join(between)) }
        };
        match condition {
            Condition::All(parts) => list(parts, " AND ", "1 = 1"),
            Condition::Any(parts) => list(parts, " OR ", "1 = 0"),
            Condition::Not(part) => format!("NOT {}", list(std::slice::from_ref(&**part), "", "")),
            Condition::Test(Test { field, op }) => match (self.column)(field) {
                Column::Own(column) => own(filter, column, op),
                Column::Words(column) => words(filter, column, op),
                Column::Rows(rows) => self.has(filter, &rows, op),
            },
        }
    }

    fn has(&self, filter: &mut Filter<'_>, rows: &Rows, op: &Op) -> String {
        let mut some = |op: Option<&Op>| {
            // So that PostgreSQL does not read a whole field first.
            let fence = if self.is_postgres && matches!(op, Some(Op::Contains(_))) { " OFFSET 0" } else { "" };
            let text = self.rows(filter, rows, &Vec::from_iter(op), false);
            format!("EXISTS (SELECT 1 {text} AND r.{} = c.{}{fence})", rows.owner, rows.at)
        };
        match op {
            Op::Exists => some(None),
            Op::NotExists => format!("NOT {}", some(None)),
            Op::NotEq(value) => format!("({} AND NOT {})", some(None), some(Some(&Op::Eq(value.clone())))),
            Op::NotContains(part) => format!("({} AND NOT {})", some(None), some(Some(&Op::Contains(part.clone())))),
            op => some(Some(op)),
        }
    }

    /// `FROM … WHERE …` of the rows that have a value, which all `ops` are true of; where they lead, with the things `n` of the noun
    /// that go with them.
    fn rows(&self, filter: &mut Filter<'_>, rows: &Rows, ops: &[&Op], leads: bool) -> String {
        let Rows { table, owner, value, at, is_long, with, in_key, index, .. } = rows;
        let location = filter.own(self.location);
        let mut text = format!("FROM {table} r");
        if let Some(index) = index.filter(|_| leads && !self.is_postgres) {
            text.push_str(&format!(" INDEXED BY {index}"));
        }
        if leads && !rows.are_its_own() {
            let things = self.table;
            let named = format!("n.location_id = {location} AND n.{at} = r.{owner}");
            // Else PostgreSQL reads all things before it knows how few rows lead.
            text.push_str(&match self.is_postgres {
                true => {
                    format!(" CROSS JOIN LATERAL (SELECT n.id FROM {things} n WHERE {named} OFFSET 0) n WHERE 1 = 1")
                }
                false => format!(" CROSS JOIN {things} n WHERE {named}"),
            });
            text.push_str(" AND");
        } else {
            text.push_str(" WHERE");
        }
        text.push_str(&format!(" r.location_id = {location}"));
        for (column, value) in with.iter().chain(in_key.iter().filter(|_| !leads)) {
            text.push_str(&format!(" AND r.{column} = {}", filter.own(value)));
        }
        // A `+` keeps SQLite from that index where the rows of one owner are read, by their key.
        let by_key = index.is_some() && !leads && !self.is_postgres;
        let value = if by_key { format!("+r.{value}") } else { format!("r.{value}") };
        text.push_str(&format!(" AND {value} IS NOT NULL"));
        for op in ops.iter().filter(|op| !matches!(op, Op::Exists)) {
            text.push_str(&format!(" AND {}", compared(filter, &value, *is_long, op)));
        }
        text
    }
}

/// A value of rows as it is ordered by: of what is long, what is indexed.
fn ordered(value: &str, rows: &Rows) -> String {
    if rows.is_long { format!("substr({value}, 1, {INDEXED})") } else { value.to_owned() }
}

/// A test of a column that may be NULL: then nothing is true of it but that it is, and no answer is unknown.
fn own(filter: &mut Filter<'_>, column: &str, op: &Op) -> String {
    match op {
        Op::Exists => format!("{column} IS NOT NULL"),
        Op::NotExists => format!("{column} IS NULL"),
        op => format!("({column} IS NOT NULL AND {})", compared(filter, column, false, op)),
    }
}

/// A test of a text of several words, which is NULL where there are none; no value holds a space.
fn words(filter: &mut Filter<'_>, column: &str, op: &Op) -> String {
    let spaced = format!("(' ' || {column} || ' ')");
    let mut has = |value: &Value, end: &str| {
        let word = format!("' ' || CAST({} AS TEXT){end}", filter.own(value));
        format!("replace({spaced}, {word}, '') <> {spaced}")
    };
    const WHOLE: &str = " || ' '";
    let test = match op {
        Op::Eq(value) => has(value, WHOLE),
        Op::NotEq(value) => format!("NOT ({})", has(value, WHOLE)),
        Op::Begins(value) => has(value, ""),
        Op::In(values) if !values.is_empty() => {
            let each: Vec<String> = values.iter().map(|value| has(value, WHOLE)).collect();
            format!("({})", each.join(" OR "))
        }
        op => return own(filter, column, op),
    };
    format!("({column} IS NOT NULL AND {test})")
}

/// What is asked of a text that is there.
fn compared(filter: &mut Filter<'_>, text: &str, is_long: bool, op: &Op) -> String {
    let mut is = |sign: &str, value: &Value| format!("{text} {sign} {}", filter.own(value));
    match op {
        Op::Exists | Op::NotExists => "1 = 1".to_owned(),
        Op::Eq(value) if is_long => beginning(filter, text, is_long, value, true),
        Op::Eq(value) => is("=", value),
        Op::NotEq(value) => is("<>", value),
        Op::Gt(value) => is(">", value),
        Op::Gte(value) => is(">=", value),
        Op::Lt(value) => is("<", value),
        Op::Lte(value) => is("<=", value),
        Op::In(values) if values.is_empty() => "1 = 0".to_owned(),
        Op::In(values) if is_long => {
            let each: Vec<String> = values.iter().map(|value| beginning(filter, text, is_long, value, true)).collect();
            format!("({})", each.join(" OR "))
        }
        Op::In(values) => {
            let places: Vec<String> = values.iter().map(|value| filter.own(value)).collect();
            format!("{text} IN ({})", places.join(", "))
        }
        Op::Begins(value) => beginning(filter, text, is_long, value, false),
        Op::Contains(part) => {
            let part = filter.own(part);
            format!("{} <> {text}", without(text, &part))
        }
        Op::NotContains(part) => {
            let part = filter.own(part);
            format!("{} = {text}", without(text, &part))
        }
    }
}

/// A text is changed by leaving a part away only if it is in it, which both databases say alike.
fn without(text: &str, part: &str) -> String {
    format!("replace({text}, CAST({part} AS TEXT), '')")
}

/// Whether a text begins so, or is all of it. Of what is long, the beginning is asked first, since that is indexed.
fn beginning(filter: &mut Filter<'_>, text: &str, is_long: bool, value: &Value, is_all: bool) -> String {
    let OwnedValue::Text(wanted) = value.to_value().into_owned() else { return "1 = 0".to_owned() };
    let mut of = |text: &str, wanted: &str, is_all: bool| {
        if is_all {
            return format!("{text} = {}", filter.own(wanted));
        }
        let (begin, end) = (filter.own(wanted), filter.own(prefix_end(wanted).as_str()));
        format!("{text} >= {begin} AND {text} < {end}")
    };
    if !is_long {
        return of(text, &wanted, is_all);
    }
    let indexed = format!("substr({text}, 1, {INDEXED})");
    if wanted.chars().count() < INDEXED {
        return of(&indexed, &wanted, is_all);
    }
    let begin: String = wanted.chars().take(INDEXED).collect();
    format!("{} AND {}", of(&indexed, &begin, true), of(text, &wanted, is_all))
}
