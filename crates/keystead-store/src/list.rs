//! One page of a list, whatever its rows: where it begins, in which order, and one row more than it has room for, which tells
//! whether there is another.

use keystead_model::{
    contact::ContactCursor,
    opportunity::OpportunityCursor,
    page::{Page, Start, Window},
};

use crate::{Result, Row, ToValue, Tx, filter::Filter};

/// What a list is ordered by: columns of which the last decides between rows, and their one direction.
#[derive(Clone, Copy)]
pub(crate) struct Order<'o> {
    columns: &'o [&'o str],
    is_descending: bool,
}

impl<'o> Order<'o> {
    pub(crate) const fn ascending(columns: &'o [&'o str]) -> Self {
        Self { columns, is_descending: false }
    }

    pub(crate) const fn descending(columns: &'o [&'o str]) -> Self {
        Self { columns, is_descending: true }
    }

    pub(crate) fn columns(&self) -> &'o [&'o str] {
        self.columns
    }

    /// How a row that comes later compares with one before it.
    pub(crate) fn beyond(&self) -> &'static str {
        if self.is_descending { "<" } else { ">" }
    }

    /// `b DESC, c DESC`.
    pub(crate) fn sql(&self) -> String {
        let direction = if self.is_descending { " DESC" } else { " ASC" };
        self.columns.iter().map(|column| format!("{column}{direction}")).collect::<Vec<_>>().join(", ")
    }
}

/// A place in a list: what a row has in the columns of its order. Of fewer columns than these are, all rows that have the same
/// in them are passed over.
pub(crate) trait Place {
    fn values(&self) -> Vec<&dyn ToValue>;
}

impl<A: ToValue> Place for A {
    fn values(&self) -> Vec<&dyn ToValue> {
        vec![self]
    }
}

impl<A: ToValue, B: ToValue> Place for (A, B) {
    fn values(&self) -> Vec<&dyn ToValue> {
        vec![&self.0, &self.1]
    }
}

/// Whoever has only the contact must have found out its time.
impl Place for ContactCursor {
    fn values(&self) -> Vec<&dyn ToValue> {
        of_time(self.at.as_ref(), self.id.as_ref())
    }
}

/// Likewise.
impl Place for OpportunityCursor {
    fn values(&self) -> Vec<&dyn ToValue> {
        of_time(self.at.as_ref(), self.id.as_ref())
    }
}

fn of_time<'v>(at: Option<&'v impl ToValue>, id: Option<&'v impl ToValue>) -> Vec<&'v dyn ToValue> {
    let id = id.map(|id| id as &dyn ToValue);
    at.map(|at| at as &dyn ToValue).into_iter().chain(id).collect()
}

impl<'v> Filter<'v> {
    /// Reads a page of the rows that it lets through. `select` is a statement up to its WHERE.
    pub(crate) fn page<C: Place, T>(
        mut self,
        tx: &mut Tx<'_>,
        select: &str,
        order: Order<'_>,
        window: &'v Window<C>,
        read: impl FnMut(&mut Row<'_>) -> Result<T>,
    ) -> Result<Page<T>> {
        let mut passed = 0;
        match &window.start {
            Start::First => {}
            Start::Skip(rows) => passed = *rows,
            Start::After(place) => {
                let values = place.values();
                let columns = &order.columns[..values.len()];
                let beyond = order.beyond();
                self.and(
                    &format!("({}) {beyond} ({})", columns.join(", "), vec!["@"; values.len()].join(", ")),
                    &values,
                );
            }
        }
        let more = window.limit.saturating_add(1);
        let mut filter = self;
        let (most, skip) = (filter.bind(&more), filter.bind(&passed));
        let sql = format!("{select} WHERE {} ORDER BY {} LIMIT {most} OFFSET {skip}", filter.sql(), order.sql());
        Ok(Page::new(tx.query(&sql, &filter.values(), read)?, window.limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, Memory};

    /// Rows `(a, id)` in the order of both, read page by page.
    fn read<C: Place>(tx: &mut Tx<'_>, order: Order<'_>, window: &Window<C>) -> Page<(i64, i64)> {
        let mut filter = Filter::new();
        filter.and("a > @", &[&0i64]);
        let row = |row: &mut Row<'_>| Ok((row.column()?, row.column()?));
        filter.page(tx, "SELECT a, id FROM numbers", order, window, row).unwrap()
    }

    #[test]
    fn pages_hold_every_row_once_and_the_last_leads_nowhere() {
        let memory = Memory::open().unwrap();
        memory
            .read(|tx| {
                let rows = "VALUES (0, 0), (1, 1), (1, 2), (2, 3), (2, 4), (3, 5), (3, 6)";
                tx.batch(&format!("CREATE TABLE numbers (a BIGINT, id BIGINT); INSERT INTO numbers {rows}"))?;
                for (order, expected) in [
                    (Order::ascending(&["a", "id"]), [1, 2, 3, 4, 5, 6]),
                    (Order::descending(&["a", "id"]), [6, 5, 4, 3, 2, 1]),
                ] {
                    for limit in 1..=7 {
                        let (mut after, mut seen, mut pages) = (None, Vec::new(), 0);
                        loop {
                            let page = read(tx, order, &Window::after(after, limit));
                            assert!(!page.rows.is_empty(), "limit {limit}");
                            seen.extend(page.rows.iter().map(|(_, id)| *id));
                            pages += 1;
                            after = page.next(|row| *row);
                            if after.is_none() {
                                break;
                            }
                        }
                        assert_eq!(seen, expected, "limit {limit}");
                        assert_eq!(pages, (6 + limit - 1) / limit);
                    }
                }
                let order = Order::ascending(&["a", "id"]);
                let ids = |page: Page<(i64, i64)>| page.rows.into_iter().map(|(_, id)| id).collect::<Vec<_>>();
                assert_eq!(
                    ids(read(tx, order, &Window::after(Some(1i64), 9))),
                    [3, 4, 5, 6],
                    "by the first column alone"
                );
                assert_eq!(ids(read(tx, order, &Window::<i64>::skip(4, 9))), [5, 6]);
                assert_eq!(ids(read(tx, order, &Window::<i64>::all())), [1, 2, 3, 4, 5, 6]);
                assert!(!read(tx, order, &Window::<i64>::all()).has_more);
                Ok::<_, Error>(())
            })
            .unwrap();
    }
}
