//! Which changes the lines of journals tell of, so that a line that is missing is seen.

use std::collections::{BTreeMap, HashMap};

use keystead_model::UtcMs;

use super::entry::{Extent, Position};

/// Changes of which no line tells, although a later one does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// The database that they were made in.
    pub incarnation: String,
    /// The last change that is told before it, or known to the database itself; `None` if none is.
    pub after: Option<i64>,
    /// The last change in it.
    pub through: i64,
}

/// What was told so far.
#[derive(Default)]
pub(super) struct Coverage {
    /// Of each incarnation, changes after one number up to another.
    told: BTreeMap<String, Vec<(i64, i64)>>,
    /// Parts of a whole, by the state that they tell.
    parts: HashMap<(Position, UtcMs), u64>,
}

impl Coverage {
    /// Lines of another file follow. A whole stands in one.
    pub(super) fn begin_file(&mut self) {
        self.parts.clear();
    }

    /// A line that tells of changes up to `position`.
    pub(super) fn hear(&mut self, position: &Position, at: UtcMs, extent: Extent) {
        let through = position.through;
        let after = match extent {
            Extent::After(after) => after,
            // How an older release meant it: whatever came before was told.
            Extent::Unsaid => i64::MIN,
            Extent::Part => {
                *self.parts.entry((position.clone(), at)).or_insert(0) += 1;
                return;
            }
            Extent::Whole { parts } => match self.parts.get(&(position.clone(), at)).copied().unwrap_or(0) >= parts {
                true => i64::MIN,
                // It tells nothing whole, but that there were changes.
                false => through,
            },
        };
        let told = self.told.entry(position.incarnation.clone()).or_default();
        match told.last_mut() {
            Some(last) if last.1 == after => last.1 = through,
            _ => told.push((after, through)),
        }
    }

    /// What is missing, besides what a database contains itself.
    pub(super) fn gaps(&self, contained: &BTreeMap<String, i64>) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for (incarnation, told) in &self.told {
            let mut told = told.clone();
            told.sort_unstable();
            let mut known = contained.get(incarnation).copied().unwrap_or(i64::MIN);
            for (after, through) in told {
                if after > known {
                    let begin = (known > i64::MIN).then_some(known);
                    gaps.push(Gap { incarnation: incarnation.clone(), after: begin, through: after });
                }
                known = known.max(through);
            }
        }
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The gaps in lines of one incarnation, of which the database contains changes up to `known`.
    fn gaps(known: Option<i64>, lines: &[(Extent, i64)]) -> Vec<(Option<i64>, i64)> {
        let mut coverage = Coverage::default();
        for (extent, through) in lines {
            let position = Position { incarnation: "X".to_owned(), through: *through, mark: None };
            coverage.hear(&position, UtcMs(0), *extent);
        }
        let contained = known.map(|known| ("X".to_owned(), known)).into_iter().collect();
        coverage.gaps(&contained).into_iter().map(|gap| (gap.after, gap.through)).collect()
    }

    #[test]
    fn what_no_line_tells_is_a_gap() {
        let whole = (Extent::Whole { parts: 0 }, 10);
        let after = |after: i64, through: i64| (Extent::After(after), through);
        assert_eq!(gaps(None, &[whole, after(10, 11), after(11, 14)]), []);
        assert_eq!(gaps(None, &[whole, after(11, 14)]), [(Some(10), 11)]);
        assert_eq!(gaps(Some(11), &[whole, after(11, 14)]), [], "the database knows it itself");
        assert_eq!(gaps(None, &[after(10, 11)]), [(None, 10)], "the beginning is missing");
        assert_eq!(gaps(None, &[after(12, 14), after(10, 12), whole, after(10, 11)]), [], "in any order, also twice");
        assert_eq!(gaps(Some(3), &[after(4, 5), after(8, 9)]), [(Some(3), 4), (Some(5), 8)]);
        assert_eq!(gaps(None, &[(Extent::Unsaid, 5), (Extent::Unsaid, 9)]), []);
    }

    #[test]
    fn a_whole_of_which_a_part_is_missing_is_none() {
        let (part, whole) = ((Extent::Part, 10), (Extent::Whole { parts: 2 }, 10));
        assert_eq!(gaps(None, &[part, part, whole]), []);
        assert_eq!(gaps(None, &[part, whole]), [(None, 10)]);
        assert_eq!(gaps(Some(10), &[part, whole]), []);
    }
}
