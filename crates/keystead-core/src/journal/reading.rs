//! Reading journals back: what they tell that a database does not know.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use keystead_model::{KeyId, UtcMs};
use keystead_store::{
    Tx,
    changes::{self, Change},
    lineage,
};

use super::{
    blocking,
    coverage::{Coverage, Gap},
    entry::{Entry, Extent, Line, Position, Standing},
};
use crate::{App, Result};

/// What journals, and logs of servers, tell of the time that a database knows nothing of.
#[derive(Default)]
pub struct Revocations {
    /// What the database knows itself.
    contained: BTreeMap<String, i64>,
    /// Its own name.
    pub(super) own: String,
    /// The number of its own last change.
    head: i64,
    /// Which changes it knows, of those that are not forgotten.
    marks: HashMap<i64, String>,
    /// Whether a journal tells of changes that this very database has lost, even if it has given their numbers again.
    pub(super) tell_of_lost_changes: bool,
    /// The last word on each subject.
    pub(super) last: HashMap<Change, (Position, Standing)>,
    /// Keys of which a log says that they were ended.
    pub(super) ended: HashSet<KeyId>,
    /// Keys that some journal knows, whatever it says of them, and where it last does.
    pub(super) known: HashMap<KeyId, Position>,
    coverage: Coverage,
    /// Changes that are missing in the journals.
    pub gaps: Vec<Gap>,
    /// Keys that a line names which cannot be read.
    doubtful: HashSet<KeyId>,
    /// Lines of journals that cannot be read, and after which none tells more.
    pub unreadable: u64,
    /// How far each incarnation is told.
    pub(super) reach: BTreeMap<String, i64>,
    /// Lines of journals.
    pub entries: u64,
    /// Lines of a server's log that tell of an ended key.
    pub log_lines: u64,
    /// Lines of others, which were passed over.
    pub passed_over: u64,
    /// When the last line of a journal was written.
    pub latest: Option<UtcMs>,
}

impl App {
    /// Reads journals, logs and mixtures of them, in any order and number. `-` is standard input.
    pub async fn read_revocations(&self, files: Vec<PathBuf>) -> Result<Revocations> {
        let mut revocations = self.store.read(known).await?;
        for file in files {
            let path = file.clone();
            revocations = blocking(&file, move || {
                if path == Path::new("-") {
                    revocations.take(&mut io::stdin().lock())?;
                } else {
                    revocations.take(&mut BufReader::new(File::open(&path)?))?;
                }
                Ok(revocations)
            })
            .await?;
        }
        revocations.gaps = revocations.coverage.gaps(&revocations.contained);
        Ok(revocations)
    }
}

/// What a database knows itself, before anything is read.
fn known(tx: &mut Tx<'_>) -> Result<Revocations> {
    let poll = changes::poll(tx)?;
    Ok(Revocations {
        contained: lineage::contained(tx)?.into_iter().collect(),
        own: poll.incarnation,
        head: poll.head,
        marks: changes::marks(tx)?.into_iter().collect(),
        ..Revocations::default()
    })
}

impl Revocations {
    fn take(&mut self, lines: &mut impl BufRead) -> io::Result<()> {
        let mut line = Vec::new();
        // What a later line tells, or shows to be missing, need not be read.
        let mut unreadable = Vec::new();
        self.coverage.begin_file();
        while lines.read_until(b'\n', &mut line)? > 0 {
            match Line::read(&String::from_utf8_lossy(&line)) {
                Line::Entry(entry) => {
                    if !matches!(entry.extent, Extent::Part | Extent::Unsaid) {
                        unreadable.clear();
                    }
                    self.hear(entry);
                }
                Line::Unreadable(keys) => unreadable.push(keys),
                Line::Ended(key, sequence) => {
                    self.log_lines += 1;
                    // A log does not say which database it is of. Where there was never another than this one, a change of
                    // this number that concerns something else shows that this one has lost what the log tells.
                    let is_only = self.contained.len() == 1;
                    let is_lost = self.marks.get(&sequence).is_some_and(|mark| !mark.ends_with(key.as_str()));
                    if sequence > self.head || (is_only && is_lost) {
                        self.ended.insert(key);
                    }
                }
                Line::NotOurs => self.passed_over += 1,
                Line::Blank => {}
            }
            line.clear();
        }
        self.unreadable += unreadable.len() as u64;
        self.doubtful.extend(unreadable.into_iter().flatten());
        Ok(())
    }

    fn hear(&mut self, entry: Entry) {
        let Entry { position, at, extent, standings } = entry;
        self.entries += 1;
        self.coverage.hear(&position, at, extent);
        self.latest = self.latest.max(Some(at));
        let reach = self.reach.entry(position.incarnation.clone()).or_insert(position.through);
        *reach = (*reach).max(position.through);
        let is_own = position.incarnation == self.own;
        let is_news = self.contained.get(&position.incarnation).is_none_or(|known| position.through > *known)
            || (is_own && position.is_other_than(self.marks.get(&position.through).map(String::as_str)));
        self.tell_of_lost_changes |= is_own && is_news;
        for (subject, standing) in standings {
            if let Change::Key(id) = subject {
                let known = self.known.entry(id).or_insert_with(|| position.clone());
                if *known < position {
                    known.clone_from(&position);
                }
            }
            if !is_news {
                continue;
            }
            // Incarnations are named by the time of their beginning, so a later one comes after an earlier one.
            match self.last.get_mut(&subject) {
                Some(last) if last.0 > position => {}
                Some(last) => *last = (position.clone(), standing),
                None => drop(self.last.insert(subject, (position.clone(), standing))),
            }
        }
    }

    /// Whether it is said what became of a key, and nothing is missing that might have been said of it later.
    pub(super) fn knows(&self, id: KeyId) -> bool {
        let is_told = |last: &Position| {
            let is_after = |gap: &Gap| (&last.incarnation, last.through) >= (&gap.incarnation, gap.through);
            self.gaps.iter().all(is_after)
        };
        let is_known = self.known.get(&id).is_some_and(is_told) || self.ended.contains(&id);
        is_known && !self.doubtful.contains(&id)
    }

    /// Whether every line of a journal could be read, and none is missing.
    pub fn are_whole(&self) -> bool {
        self.gaps.is_empty() && self.unreadable == 0
    }
}
