//! Lists in the order of what things hold in fields, whatever the noun.
//!
//! Where the first field has an index, things are read in its order as far as the page needs: those that hold something there, and
//! then those that hold nothing. Else, and where rows lead, all that match are read, and the first of them kept.

use keystead_model::{
    UtcMs,
    condition::{Condition, Value},
    id::Id,
    page::{Page, Start, Window},
    sort::{SortKey, SortPlace},
};

use crate::{
    Result, Tx,
    condition::{Column, Lead, Noun},
    filter::Filter,
};

/// What of a noun is listed so.
pub(crate) struct Sorted<'s, F> {
    pub(crate) noun: &'s Noun<F>,
    /// At least one.
    pub(crate) keys: &'s [SortKey<F>],
    pub(crate) condition: &'s Condition<F>,
    /// Rows that are read before all else.
    pub(crate) lead: Option<&'s Lead<'s, F>>,
    /// The index by which all things are read.
    pub(crate) index: &'static str,
}

/// A window of a list by a time alone, as a list by time has it.
pub(crate) fn by_time<T, Cursor>(
    window: &Window<SortPlace<Id<T>>>,
    cursor: impl Fn(Option<UtcMs>, Id<T>) -> Cursor,
) -> Window<Cursor> {
    let start = match &window.start {
        Start::First => Start::First,
        Start::Skip(rows) => Start::Skip(*rows),
        Start::After(SortPlace { values, id }) => {
            let at = if let Some(Some(Value::Instant(at))) = values.first() { Some(*at) } else { None };
            Start::After(cursor(at, *id))
        }
    };
    Window { start, limit: window.limit }
}

/// Which things are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    All,
    /// Those that hold something in the first field, in the order of its index.
    Holding,
    /// Those that hold nothing there.
    Lacking,
}

/// What stands in a statement for the things of a part.
struct Source {
    from: String,
    id: &'static str,
    /// What they are ordered by, and whether the smallest comes first.
    keys: Vec<(String, bool)>,
    /// Whether a thing may come more than once.
    repeats: bool,
}

impl<F: PartialEq> Sorted<'_, F> {
    /// The ids on a page.
    pub(crate) fn page<T>(&self, tx: &mut Tx<'_>, window: &Window<SortPlace<Id<T>>>) -> Result<Page<Id<T>>> {
        let more = window.limit.saturating_add(1);
        let (after, skip) = match &window.start {
            Start::First => (None, 0),
            Start::Skip(rows) => (None, *rows),
            Start::After(place) => (Some(place), 0),
        };
        if self.lead.is_some() || !self.is_indexed() {
            return Ok(Page::new(self.read(tx, Part::All, after, more, skip)?, window.limit));
        }
        let is_among_lacking = after.is_some_and(|place| matches!(place.values.first(), Some(None)));
        let mut ids = match is_among_lacking {
            true => Vec::new(),
            false => self.read(tx, Part::Holding, after, more, skip)?,
        };
        let missing = more - ids.len() as i64;
        if missing > 0 {
            // So many of those to be passed over are not among the first part.
            let skip = match ids.is_empty() && skip > 0 {
                true => skip - self.read::<T>(tx, Part::Holding, None, skip, 0)?.len() as i64,
                false => 0,
            };
            ids.extend(self.read(tx, Part::Lacking, after.filter(|_| is_among_lacking), missing, skip)?);
        }
        Ok(Page::new(ids, window.limit))
    }

    /// Whether things can be read in the order of the first field.
    fn is_indexed(&self) -> bool {
        let field = &self.keys[0].field;
        match (self.noun.column)(field) {
            Column::Own(_) | Column::Words(_) => (self.noun.index)(field).is_some(),
            Column::Rows(rows) => rows.are_its_own(),
        }
    }

    fn read<T>(
        &self,
        tx: &mut Tx<'_>,
        part: Part,
        after: Option<&SortPlace<Id<T>>>,
        most: i64,
        skip: i64,
    ) -> Result<Vec<Id<T>>> {
        let (sql, filter) = self.statement(part, after, most, skip);
        tx.query(&sql, &filter.values(), |row| row.column())
    }

    /// What reads the ids of a part, from `after` on.
    pub(crate) fn statement<'f, T>(
        &self,
        part: Part,
        after: Option<&SortPlace<Id<T>>>,
        most: i64,
        skip: i64,
    ) -> (String, Filter<'f>) {
        let mut filter = Filter::new();
        let Source { from, id, keys, repeats } = self.source(&mut filter, part);
        let live = self.noun.live(&mut filter);
        filter.and(&live, &[]);
        let asked = self.noun.asked(&mut filter, self.condition, self.lead);
        filter.and(&asked, &[]);
        let id_ascending = self.keys.last().is_none_or(|key| key.ascending);
        if let Some(SortPlace { values, id: last }) = after {
            let values = &values[values.len().saturating_sub(keys.len())..];
            let end = (id.to_owned(), id_ascending, filter.own(*last));
            let beyond = match part {
                Part::Holding => beyond_holding(&mut filter, &keys, values, &end),
                Part::All | Part::Lacking => beyond(&mut filter, &keys, values, &end),
            };
            filter.and(&beyond, &[]);
        }
        // By their places: an order by what is read only once can be that of an index.
        let mut order: Vec<String> = Vec::new();
        for (place, (_, ascending)) in (2..).zip(&keys) {
            let nulls = if part == Part::Holding && place == 2 { "" } else { " NULLS LAST" };
            order.push(format!("{place}{}{nulls}", direction(*ascending)));
        }
        order.push(format!("1{}", direction(id_ascending)));
        let columns: Vec<&str> = std::iter::once(id).chain(keys.iter().map(|(key, _)| key.as_str())).collect();
        let (most, skip) = (filter.own(most), filter.own(skip));
        let distinct = if repeats { " DISTINCT" } else { "" };
        let sql = format!(
            "SELECT{distinct} {} FROM {from} WHERE {} ORDER BY {} LIMIT {most} OFFSET {skip}",
            columns.join(", "),
            filter.sql(),
            order.join(", ")
        );
        (sql, filter)
    }

    fn source(&self, filter: &mut Filter<'_>, part: Part) -> Source {
        let noun = self.noun;
        let first = &self.keys[0];
        let mut keys = Vec::new();
        for key in &self.keys[usize::from(part != Part::All)..] {
            keys.push((noun.first_value(filter, &key.field, key.ascending), key.ascending));
        }
        let plain = |from| Source { from, id: "c.id", keys: Vec::new(), repeats: false };
        let mut source = match (part, (noun.column)(&first.field)) {
            (Part::All, _) => match self.lead {
                Some(lead) => {
                    let ids = noun.leading(filter, lead, true);
                    plain(noun.things_of(filter, &ids))
                }
                None => plain(noun.by_index(self.index)),
            },
            (Part::Holding, Column::Rows(rows)) => {
                let held = noun.holding(filter, &rows);
                if !rows.is_single {
                    let value = noun.first_value(filter, &first.field, first.ascending);
                    filter.and(&format!("l.held = {value}"), &[]);
                }
                let (from, held) = (noun.things_of(filter, &held), "l.held".to_owned());
                keys.insert(0, (held, first.ascending));
                Source { from, id: "l.id", keys: Vec::new(), repeats: rows.is_long }
            }
            (Part::Lacking, Column::Rows(rows)) => {
                let nothing = noun.lacking(filter, &rows);
                filter.and(&nothing, &[]);
                plain(format!("{} c", noun.table))
            }
            (_, Column::Own(column) | Column::Words(column)) => {
                let is = if part == Part::Holding { "IS NOT NULL" } else { "IS NULL" };
                filter.and(&format!("{column} {is}"), &[]);
                if part == Part::Holding {
                    keys.insert(0, (column.to_owned(), first.ascending));
                }
                plain(noun.by_index((noun.index)(&first.field).unwrap_or(self.index)))
            }
        };
        source.keys = keys;
        source
    }
}

fn direction(ascending: bool) -> &'static str {
    if ascending { " ASC" } else { " DESC" }
}

fn sign(ascending: bool) -> &'static str {
    if ascending { ">" } else { "<" }
}

/// The id as it is written, its direction, and the place of the last one.
type End = (String, bool, String);

/// What comes later than these values, where those that hold nothing come last.
fn beyond(filter: &mut Filter<'_>, keys: &[(String, bool)], values: &[Option<Value>], end: &End) -> String {
    let (Some(((key, ascending), keys)), Some((value, values))) = (keys.split_first(), values.split_first()) else {
        let (id, ascending, last) = end;
        return format!("{id} {} {last}", sign(*ascending));
    };
    let later = beyond(filter, keys, values, end);
    match value {
        None => format!("({key} IS NULL AND {later})"),
        Some(value) => {
            let (value, sign) = (filter.own(value), sign(*ascending));
            format!("({key} {sign} {value} OR {key} IS NULL OR ({key} = {value} AND {later}))")
        }
    }
}

/// The same where all hold something in the first field: a range of its index.
fn beyond_holding(filter: &mut Filter<'_>, keys: &[(String, bool)], values: &[Option<Value>], end: &End) -> String {
    let (Some(((key, ascending), others)), Some((value, values))) = (keys.split_first(), values.split_first()) else {
        return "1 = 1".to_owned();
    };
    let (value, sign) = (filter.own(value), sign(*ascending));
    if others.is_empty() {
        let (id, _, last) = end;
        return format!("({key}, {id}) {sign} ({value}, {last})");
    }
    let later = beyond(filter, others, values, end);
    format!("{key} {sign}= {value} AND ({key} {sign} {value} OR {later})")
}
