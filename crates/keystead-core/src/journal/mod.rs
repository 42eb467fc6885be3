//! The journal of revocations: what an older backup cannot know, kept outside the database.
//!
//! Each process follows the change feed into a file beside its instance secret: how everything that changed stands now,
//! however it was changed and by whom. Whoever ends authority is answered when that is on the disk. A database that is
//! older than the journal, since a backup took its place, is brought back within it before anybody uses it.

mod coverage;
mod entry;
mod file;
mod reading;
mod reapply;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use keystead_model::{
    KeyId, LocationId, UserId, UtcMs,
    page::Window,
    standing::{KeyStanding, MemberStanding},
    user::User,
};
use keystead_store::{
    Tx, agencies, api_keys,
    changes::{self, Change},
    locations, users,
};

pub(crate) use self::entry::Position;
pub use self::{
    coverage::Gap,
    reading::Revocations,
    reapply::{Reapplied, UndecidedKey},
};
use self::{
    entry::{Entry, Extent, Standing},
    file::{Held, JournalFile, Seen},
};
use crate::{App, Error, Result, password};

/// Changes that one line tells of at most.
const BATCH: i64 = 500;

/// The journal of one process.
pub struct Journal {
    file: JournalFile,
    place: tokio::sync::Mutex<Place>,
    /// Rounds of telling that have begun.
    begun: AtomicU64,
    /// Up to where it tells everything, to be asked without waiting.
    told: Mutex<Option<Position>>,
    problem: Mutex<Option<String>>,
}

/// Where this process is with the file. Its lock lets many revocations share one round.
#[derive(Default)]
struct Place {
    seen: Seen,
    /// The last round that has told everything there was when it began.
    done: u64,
}

impl Journal {
    /// In the file of this name, which is made when there is something to tell.
    pub fn at(path: PathBuf) -> Self {
        Self {
            file: JournalFile::new(path),
            place: tokio::sync::Mutex::default(),
            begun: AtomicU64::new(0),
            told: Mutex::default(),
            problem: Mutex::default(),
        }
    }

    /// The folder that it lies in.
    pub(crate) fn folder(&self) -> &Path {
        self.file.path().parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    fn told(&self) -> Option<Position> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn tell(&self, position: Option<Position>) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = position;
    }

    /// Why it cannot be written at present, if it cannot.
    pub fn problem(&self) -> Option<String> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers how the last try went, and logs when that changes.
    fn judge(&self, outcome: Result<()>) -> Result<()> {
        let mut problem = self.problem.lock().unwrap_or_else(PoisonError::into_inner);
        match &outcome {
            Err(error) => {
                let text = match error {
                    Error::Internal(cause) => cause.clone(),
                    other => other.to_string(),
                };
                if problem.is_none() {
                    tracing::error!(cause = text, "the journal of revocations cannot be written");
                }
                *problem = Some(text);
            }
            Ok(()) => {
                if problem.take().is_some() {
                    tracing::info!("the journal of revocations is written again");
                }
            }
        }
        outcome
    }
}

impl App {
    /// Tells the journal everything that was changed since it was last told. Called before the answer of whatever changes
    /// authority, and every two seconds for what others changed.
    pub async fn keep_journal(&self) -> Result<()> {
        let Some(journal) = self.journal.clone() else { return Ok(()) };
        let applied = self.feed.lock().await.clone();
        if journal.told().is_some_and(|told| told.is(&applied)) && journal.problem().is_none() {
            return Ok(());
        }
        self.tell_journal(journal).await
    }

    /// Brings a database that is older than the journal back within it. Called before this process changes anything, so that
    /// no change of its own gets the number of one that was lost.
    pub(crate) async fn confine_to_journal(&self) -> Result<()> {
        let Some(journal) = self.journal.clone() else { return Ok(()) };
        let owner = Arc::clone(&journal);
        // One that is not there yet tells nothing; one that cannot be read is told of by whoever has to write to it.
        let Ok(Some(position)) = blocking(journal.file.path(), move || owner.file.look()).await else { return Ok(()) };
        let now = self.clock.now();
        match self.store.read(move |tx| look(tx, Some(&position), now)).await? {
            Found::Elsewhere => self.tell_journal(journal).await,
            Found::Nothing | Found::News(_) | Found::Gap => Ok(()),
        }
    }

    /// What the journal took from the database when this process opened it.
    pub fn brought_back(&self) -> Option<&Reapplied> {
        self.brought_back.get().filter(|done| !done.is_empty())
    }

    /// What is wrong with the journal, for an operator who looks from another process than the one that keeps it.
    pub async fn journal_warning(&self) -> Result<Option<String>> {
        let Some(journal) = self.journal.clone() else { return Ok(None) };
        let mut warning = None;
        // What somebody else changed is told within two seconds.
        for patience in [Duration::ZERO, Duration::from_secs(3)] {
            tokio::time::sleep(patience).await;
            let owner = Arc::clone(&journal);
            let looked = blocking(journal.file.path(), move || owner.file.look()).await;
            let poll = self.store.read(changes::poll).await?;
            warning = match looked {
                Err(Error::Internal(problem)) => Some(unwritten(&problem)),
                Err(error) => return Err(error),
                Ok(Some(position)) if position.is(&Position::of(poll.clone())) => return Ok(None),
                Ok(position) => {
                    let through = position.map_or(0, |position| position.through);
                    Some(unwritten(&format!(
                        "{} tells of {through} changes of {}",
                        journal.file.path().display(),
                        poll.head
                    )))
                }
            };
        }
        Ok(warning)
    }

    /// Whether a change that is committed is in the journal now. If it is not, whoever made it must be told that a restore
    /// of an older backup would undo it; the next change, or the job, tries again.
    pub(crate) async fn journaled(&self) -> bool {
        self.keep_journal_now().await.is_ok()
    }

    /// The same for whoever knows that there is something to tell, and has nobody to answer.
    pub(crate) async fn keep_journal_now(&self) -> Result<()> {
        match self.journal.clone() {
            Some(journal) => self.tell_journal(journal).await,
            None => Ok(()),
        }
    }

    async fn tell_journal(&self, journal: Arc<Journal>) -> Result<()> {
        let begun = journal.begun.load(Ordering::SeqCst);
        let mut place = journal.place.lock().await;
        if place.done > begun {
            // A round that began after we came has told what we came for.
            return Ok(());
        }
        let round = journal.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let outcome = self.tell_held(&journal, &mut place.seen).await;
        if outcome.is_ok() {
            place.done = round;
            journal.tell(place.seen.position.clone());
        }
        journal.judge(outcome)
    }

    async fn tell_held(&self, journal: &Arc<Journal>, seen: &mut Seen) -> Result<()> {
        let (owner, before) = (Arc::clone(journal), seen.clone());
        let mut held = blocking(journal.file.path(), move || owner.file.hold(&before)).await?;
        loop {
            let (position, now) = (held.seen.position.clone(), self.clock.now());
            let found = self.store.read(move |tx| look(tx, position.as_ref(), now)).await?;
            held = match found {
                Found::Nothing => break,
                Found::News(entry) => write(journal, held, entry).await?,
                Found::Gap => self.tell_all(journal, held).await?,
                Found::Elsewhere => {
                    self.reapply_own(journal).await?;
                    self.tell_all(journal, held).await?
                }
            };
        }
        *seen = held.seen;
        Ok(())
    }

    /// Tells how everything stands: at the beginning of a journal, and where the feed does not reach back far enough.
    async fn tell_all(&self, journal: &Arc<Journal>, mut held: Held) -> Result<Held> {
        let (poll, at) = (self.store.read(changes::poll).await?, self.clock.now());
        let position = Position::of(poll);
        let mut parts = 0;
        let mut cursor = Some(Cursor::Agencies);
        while let Some(from) = cursor {
            let (standings, next) = self.store.read(move |tx| page(tx, from)).await?;
            cursor = next;
            if !standings.is_empty() {
                let entry = Entry { position: position.clone(), at, extent: Extent::Part, standings };
                parts += 1;
                held = add(journal, held, entry).await?;
            }
        }
        // Only this one says that all was told; what became of it meanwhile is news.
        write(journal, held, Entry { position, at, extent: Extent::Whole { parts }, standings: Vec::new() }).await
    }
}

/// What an operator is told of a journal that is not kept.
pub(crate) fn unwritten(problem: &str) -> String {
    format!(
        "The journal of revocations is not kept ({problem}): the restore of an older backup would undo what is ended now."
    )
}

/// What the journal has to be told.
enum Found {
    Nothing,
    News(Entry),
    /// It tells of nothing yet, or the feed begins after what it tells.
    Gap,
    /// It tells of another database, or of changes that this one has lost: a backup has taken its place.
    Elsewhere,
}

/// Compares the feed with the end of the journal, in one state of the database.
fn look(tx: &mut Tx<'_>, position: Option<&Position>, now: UtcMs) -> Result<Found> {
    let poll = changes::poll(tx)?;
    let Some(position) = position else { return Ok(Found::Gap) };
    let is_rewritten = position.is_other_than(changes::mark(tx, position.through)?.as_deref());
    if position.incarnation != poll.incarnation || position.through > poll.head || is_rewritten {
        return Ok(Found::Elsewhere);
    }
    if position.through == poll.head {
        return Ok(Found::Nothing);
    }
    let news = changes::after(tx, position.through, BATCH)?;
    match news.first() {
        Some((first, _)) if *first == position.through + 1 => {}
        _ => return Ok(Found::Gap),
    }
    let through = news.last().map_or(position.through, |(last, _)| *last);
    let mut subjects: Vec<Change> = news.into_iter().filter_map(|(_, change)| change).collect();
    subjects.sort_unstable();
    subjects.dedup();
    let mut standings = Vec::with_capacity(subjects.len());
    for subject in subjects {
        standings.extend(standing(tx, subject)?.map(|standing| (subject, standing)));
    }
    let mark = changes::mark(tx, through)?;
    let extent = Extent::After(position.through);
    let position = Position { incarnation: poll.incarnation, through, mark };
    Ok(Found::News(Entry { position, at: now, extent, standings }))
}

/// How a subject stands; `None` if there is no such thing any more.
fn standing(tx: &mut Tx<'_>, subject: Change) -> Result<Option<Standing>> {
    Ok(match subject {
        Change::Key(id) => api_keys::find_for_authentication(tx, id)?.map(|key| Standing::Key(KeyStanding::of(&key))),
        Change::Location(id) => locations::state(tx, id)?.map(Standing::Tenant),
        Change::Agency(id) => agencies::find(tx, id)?.map(|agency| Standing::Tenant(agency.state)),
        Change::Member(id) => users::find_for_session(tx, id)?
            .map(|(user, hash)| Standing::Member(member_standing(user, hash.as_deref()))),
    })
}

fn member_standing(user: User, password_hash: Option<&str>) -> MemberStanding {
    MemberStanding {
        disabled: user.disabled,
        is_operator: user.is_operator,
        role: user.role,
        locations: user.locations,
        password: password_hash.and_then(password::salt).map(str::to_owned),
    }
}

/// Where telling everything has come to.
#[derive(Clone, Copy)]
enum Cursor {
    Agencies,
    Locations(Option<LocationId>),
    Members(Option<UserId>),
    Keys(Option<KeyId>),
}

type Standings = Vec<(Change, Standing)>;

fn page(tx: &mut Tx<'_>, from: Cursor) -> Result<(Standings, Option<Cursor>)> {
    let mut standings = Vec::new();
    let mut of = |tx: &mut Tx<'_>, subjects: Vec<Change>| -> Result<()> {
        for subject in subjects {
            standings.extend(standing(tx, subject)?.map(|standing| (subject, standing)));
        }
        Ok(())
    };
    let next = match from {
        Cursor::Agencies => {
            let agencies = agencies::list(tx)?;
            of(tx, agencies.into_iter().map(|agency| Change::Agency(agency.id)).collect())?;
            Some(Cursor::Locations(None))
        }
        Cursor::Locations(after) => {
            let page = locations::list_of_instance(tx, &Window::after(after, BATCH))?;
            let next = page.next(|last| Cursor::Locations(Some(*last))).unwrap_or(Cursor::Members(None));
            of(tx, page.rows.into_iter().map(Change::Location).collect())?;
            Some(next)
        }
        Cursor::Members(after) => {
            let page = users::list_of_instance(tx, &Window::after(after, BATCH))?;
            let next = page.next(|last| Cursor::Members(Some(*last))).unwrap_or(Cursor::Keys(None));
            of(tx, page.rows.into_iter().map(Change::Member).collect())?;
            Some(next)
        }
        Cursor::Keys(after) => {
            let page = api_keys::list_of_instance(tx, &Window::after(after, BATCH))?;
            let next = page.next(|last| Cursor::Keys(Some(last.id)));
            standings.extend(page.rows.iter().map(|key| (Change::Key(key.id), Standing::Key(KeyStanding::of(key)))));
            next
        }
    };
    Ok((standings, next))
}

/// Adds a line, which the next [`write`] brings to the disk.
async fn add(journal: &Arc<Journal>, mut held: Held, entry: Entry) -> Result<Held> {
    blocking(journal.file.path(), move || held.append(&entry.write()).map(|()| held)).await
}

/// Adds a line and waits until it is on the disk.
async fn write(journal: &Arc<Journal>, mut held: Held, entry: Entry) -> Result<Held> {
    blocking(journal.file.path(), move || {
        held.append(&entry.write())?;
        held.sync()?;
        held.seen.position = entry.end();
        Ok(held)
    })
    .await
}

/// Runs what waits for the disk beside the requests.
async fn blocking<T: Send + 'static>(path: &Path, work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(error.to_string()))?;
    done.map_err(|error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Full(error.to_string()),
        _ => Error::Internal(format!("{}: {error}", path.display())),
    })
}
