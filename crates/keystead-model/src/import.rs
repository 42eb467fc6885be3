//! Imports: files of rows that become contacts.

use serde_json::{Map, Value};

use crate::{LocationId, UtcMs, actor::Signature, event::EventId, file::FileId, id::Id};

/// The column of a file of rows with problems that says what is wrong with each.
pub const PROBLEM: &str = "Import problem";

/// Names an import.
pub type ImportId = Id<Import>;

/// Where an import stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportState {
    /// Nobody has begun with it.
    Waiting,
    /// Its rows are being read.
    Running,
    /// All its rows were read; what could be done was done.
    Completed,
    /// Somebody stopped it; what was done stays.
    Stopped,
    /// It could not go on; what was done stays.
    Failed,
}

impl ImportState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Running, Self::Completed, Self::Stopped, Self::Failed];

    /// The name, on the wire and as it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }

    /// Reads the name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }

    /// Whether nothing more comes of it.
    pub const fn is_over(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }
}

/// A file of rows on its way to become contacts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Its id.
    pub id: ImportId,
    /// The location whose contacts they become.
    pub location: LocationId,
    /// How its sender calls the file.
    pub file_name: String,
    /// Its bytes, as long as they are needed.
    pub file: FileId,
    /// What its rows are to become.
    pub plan: ImportPlan,
    /// Where it stands.
    pub state: ImportState,
    /// What became of its rows.
    pub tally: ImportTally,
    /// The line of the file up to which its rows were read.
    pub line: i64,
    /// Why it could not go on.
    pub problem: Option<String>,
    /// Who sent it.
    pub created_by: Signature,
    /// The event that tells of it: the reason of what it changes.
    pub event: Option<EventId>,
    /// When it was sent.
    pub created_at: UtcMs,
    /// When its first rows were read.
    pub started_at: Option<UtcMs>,
    /// When it was over.
    pub ended_at: Option<UtcMs>,
}

/// What the rows of a file are to become.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportPlan {
    /// What each column is.
    pub columns: Vec<ImportColumn>,
    /// The label of the file's encoding, where its first bytes do not tell it.
    pub encoding: Option<String>,
    /// It is said what would become of the rows, and nothing changes.
    pub is_trial: bool,
    /// Rows that have neither e-mail address nor phone number are taken, too.
    pub takes_unidentified: bool,
}

/// A column of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportColumn {
    /// Its name in the first row.
    pub name: String,
    /// The field of a contact: a name of API 2.0, or `customFields.<id>`; `None` leaves it out.
    pub field: Option<String>,
}

impl ImportPlan {
    /// The columns as they are stored: a list of pairs.
    pub fn columns_to_json(&self) -> String {
        let pair = |ImportColumn { name, field }: &ImportColumn| Value::from(vec![Some(name.clone()), field.clone()]);
        Value::Array(self.columns.iter().map(pair).collect()).to_string()
    }

    /// Reads [`ImportPlan::columns_to_json`].
    pub fn columns_from_json(text: &str) -> Option<Vec<ImportColumn>> {
        let pairs: Vec<(String, Option<String>)> = serde_json::from_str(text).ok()?;
        Some(pairs.into_iter().map(|(name, field)| ImportColumn { name, field }).collect())
    }
}

/// What became of the rows of an import so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportTally {
    /// Rows that were read. Empty ones are none.
    pub rows: i64,
    /// Contacts that were made.
    pub created: i64,
    /// Contacts that were there, changed or not.
    pub updated: i64,
    /// Those of them that had it all already.
    pub unchanged: i64,
    /// Of the contacts, those of which something in the row was left out.
    pub incomplete: i64,
    /// Rows that were refused.
    pub refused: i64,
}

/// A row that was refused, or of which something was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemRow {
    /// The line of the file in which it begins.
    pub line: i64,
    /// Whether nothing of it was taken.
    pub is_refused: bool,
    /// What is wrong with it, or what was left out and why.
    pub problem: String,
    /// What it says; nothing where it cannot be read.
    pub cells: Vec<String>,
}

impl ImportPlan {
    /// The head of a file of rows with problems: the columns, and behind them that of the problems.
    pub fn head_with_problem(&self) -> Vec<String> {
        let names = self.columns.iter().map(|column| column.name.clone()).filter(|name| name != PROBLEM);
        names.chain([PROBLEM.to_owned()]).collect()
    }
}

impl ProblemRow {
    /// Its cells under [`ImportPlan::head_with_problem`]: a row of a file that can be mended and sent again.
    pub fn with_problem(&self, plan: &ImportPlan) -> Vec<String> {
        // A row may have fewer cells than columns, and none where it cannot be read; those that have no column stand behind the problem.
        let cell = |index: usize| self.cells.get(index).cloned().unwrap_or_default();
        let kept = plan.columns.iter().enumerate().filter(|(_, column)| column.name != PROBLEM);
        let others = self.cells.iter().skip(plan.columns.len()).cloned();
        kept.map(|(index, _)| cell(index)).chain([self.problem.clone()]).chain(others).collect()
    }
}

impl Import {
    /// What its tally and its end say, as fields of an event.
    pub fn outcome(&self) -> Map<String, Value> {
        let ImportTally { rows, created, updated, unchanged, incomplete, refused } = self.tally;
        let mut fields = Map::new();
        fields.insert("state".to_owned(), self.state.as_str().into());
        let counts = [
            ("rows", rows),
            ("created", created),
            ("updated", updated),
            ("unchanged", unchanged),
            ("incomplete", incomplete),
            ("refused", refused),
        ];
        fields.extend(counts.map(|(name, count)| (name.to_owned(), count.into())));
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_problem_of_a_row_stands_in_a_column_of_its_own() {
        let column = |name: &str| ImportColumn { name: name.to_owned(), field: None };
        // A file that was mended has the problems of its first run.
        let plan = ImportPlan { columns: vec![column("x"), column(PROBLEM), column("y")], ..ImportPlan::default() };
        assert_eq!(plan.head_with_problem(), ["x", "y", PROBLEM]);
        for (cells, wanted) in [
            (vec![], vec!["", "", "no"]),
            (vec!["a"], vec!["a", "", "no"]),
            (vec!["a", "old", "b", "more"], vec!["a", "b", "no", "more"]),
        ] {
            let cells = cells.into_iter().map(str::to_owned).collect();
            let row = ProblemRow { line: 1, is_refused: true, problem: "no".to_owned(), cells };
            assert_eq!(row.with_problem(&plan), wanted);
        }
    }

    #[test]
    fn states_and_columns_are_read_back() {
        for state in ImportState::ALL {
            assert_eq!(ImportState::parse(state.as_str()), Some(state));
        }
        let columns = vec![
            ImportColumn { name: "E-Mail \"x\"".to_owned(), field: Some("email".to_owned()) },
            ImportColumn { name: "Notes".to_owned(), field: None },
        ];
        let plan = ImportPlan { columns: columns.clone(), ..ImportPlan::default() };
        assert_eq!(ImportPlan::columns_from_json(&plan.columns_to_json()), Some(columns));
        assert_eq!(ImportPlan::columns_from_json("{}"), None);
    }
}
