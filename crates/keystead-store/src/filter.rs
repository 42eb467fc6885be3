//! A condition that is put together at run time: fixed text, numbered places, values.

use crate::{ToValue, value::OwnedValue};

/// The WHERE of a query, with the values that it binds.
pub(crate) struct Filter<'v> {
    conditions: Vec<String>,
    values: Vec<Bound<'v>>,
}

/// A value that is bound.
enum Bound<'v> {
    Lent(&'v dyn ToValue),
    Own(OwnedValue),
}

impl<'v> Filter<'v> {
    pub(crate) fn new() -> Self {
        Self { conditions: Vec::new(), values: Vec::new() }
    }

    /// Lets everything through.
    pub(crate) fn any() -> Self {
        Self { conditions: vec!["1 = 1".to_owned()], values: Vec::new() }
    }

    /// Adds `value` and returns its place, `?3`.
    pub(crate) fn bind(&mut self, value: &'v dyn ToValue) -> String {
        self.values.push(Bound::Lent(value));
        format!("?{}", self.values.len())
    }

    /// The same for a value that does not last as long.
    pub(crate) fn own(&mut self, value: impl ToValue) -> String {
        self.values.push(Bound::Own(value.to_value().into_owned()));
        format!("?{}", self.values.len())
    }

    /// Adds a condition; each `@` in it stands for one of `values`, in order.
    pub(crate) fn and(&mut self, condition: &str, values: &[&'v dyn ToValue]) {
        let text = self.expression(condition, values);
        self.conditions.push(text);
    }

    /// Adds that `column` is one of `values`; of none, it never is.
    pub(crate) fn and_one_of<T: ToValue + 'v>(&mut self, column: &str, values: impl IntoIterator<Item = &'v T>) {
        let places: Vec<String> = values.into_iter().map(|value| self.bind(value)).collect();
        let places = if places.is_empty() { "NULL".to_owned() } else { places.join(", ") };
        self.conditions.push(format!("{column} IN ({places})"));
    }

    /// Adds that one of `texts` holds `part`. A text is changed by leaving the part away only if it is in it, which both
    /// databases say alike; an empty part is in none.
    pub(crate) fn and_any_holds(&mut self, texts: &[&str], part: &'v dyn ToValue) {
        let part = self.bind(part);
        let holds = |text: &&str| format!("replace({text}, CAST({part} AS TEXT), '') <> {text}");
        let any: Vec<String> = texts.iter().map(holds).collect();
        self.conditions.push(format!("({})", any.join(" OR ")));
    }

    /// The text of an expression, with its values bound; for a place outside the WHERE.
    pub(crate) fn expression(&mut self, expression: &str, values: &[&'v dyn ToValue]) -> String {
        let mut text = String::with_capacity(expression.len());
        let mut values = values.iter();
        for part in expression.split_inclusive('@') {
            match part.strip_suffix('@') {
                Some(before) => {
                    text.push_str(before);
                    if let Some(value) = values.next() {
                        text.push_str(&self.bind(*value));
                    }
                }
                None => text.push_str(part),
            }
        }
        text
    }

    /// `a = ?1 AND b > ?2`.
    pub(crate) fn sql(&self) -> String {
        self.conditions.join(" AND ")
    }

    pub(crate) fn values(&self) -> Vec<&dyn ToValue> {
        let value = |bound| match bound {
            &Bound::Lent(value) => value,
            Bound::Own(value) => value as &dyn ToValue,
        };
        self.values.iter().map(value).collect()
    }
}

/// `(?3, CAST(?4 AS BIGINT)), (?5, CAST(?6 AS BIGINT))`: rows of values after `before` others, each as `row` has its
/// columns.
pub(crate) fn rows(before: usize, count: usize, row: &[&str]) -> String {
    let mut place = before;
    let mut text = String::new();
    for number in 0..count {
        text.push_str(if number == 0 { "(" } else { ", (" });
        for (index, column) in row.iter().enumerate() {
            place += 1;
            text.push_str(if index == 0 { "" } else { ", " });
            text.push_str(&column.replacen('?', &format!("?{place}"), 1));
        }
        text.push(')');
    }
    text
}

/// The end of the range of all texts that begin with `prefix`, in byte order; such a search needs no `LIKE`.
pub(crate) fn prefix_end(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_numbered_in_order() {
        let mut filter = Filter::new();
        filter.and("a = @", &[&1i64]);
        filter.and("b >= @ AND b < @", &[&2i64, &3i64]);
        filter.and("c IS NULL", &[]);
        assert_eq!(filter.sql(), "a = ?1 AND b >= ?2 AND b < ?3 AND c IS NULL");
        filter.and_one_of("d", [&4i64, &5i64]);
        filter.and_one_of::<i64>("e", []);
        assert!(filter.sql().ends_with("c IS NULL AND d IN (?4, ?5) AND e IN (NULL)"));
        assert_eq!(filter.values().len(), 5);
        filter.and_any_holds(&["f", "g"], &6i64);
        let holds = "(replace(f, CAST(?6 AS TEXT), '') <> f OR replace(g, CAST(?6 AS TEXT), '') <> g)";
        assert!(filter.sql().ends_with(holds), "{}", filter.sql());
    }

    #[test]
    fn rows_go_on_after_what_stands_before() {
        assert_eq!(rows(1, 2, &["?", "CAST(? AS BIGINT)"]), "(?2, CAST(?3 AS BIGINT)), (?4, CAST(?5 AS BIGINT))");
    }
}
