//! Imports: files of rows that become contacts, a transaction of rows at a time.
//!
//! How far a file was read, what became of its rows, and the contacts themselves are written together. So a server that ends in
//! the middle leaves an import that another goes on with at the very next row: no row is lost, and none is taken twice.

use std::{io::Read, sync::Arc, time::Duration};

use keystead_model::{
    AgencyId, UtcMs,
    actor::Signature,
    contact::{ContactPatch, IdentityKind},
    contact_upsert::LeftOut,
    custom_field::{CustomField, OwnerKind},
    event::{Cause, EventKind},
    file::StoredFile,
    import::{Import, ImportId, ImportPlan, ImportState, ImportTally, ProblemRow},
    job::{Job, JobKind},
    location::LocationProfile,
    page::{Counted, Page, Window},
    scope::Scope,
    time::DAY_MS,
};
use keystead_store::{Tx, custom_fields, files, import_trials, imports, queue};
use tokio::{sync::mpsc, task::spawn_blocking, time::Instant};

use crate::{
    App, Authority, Error, LocationContext, OldTags, Result, WhenDuplicate,
    error::Noun,
    events::{Described, Fields, Happened, put},
    files::NewFile,
    import_files::{ColumnField, FileHead, StoredBytes, check_size},
    operate::{Ids, InLocation, Operation},
    queue::{Outcome, Settled},
};

/// Imports of a location that are not over.
const OPEN: i64 = 20;
/// Imports that are over are kept so long, with what was wrong with their rows.
const KEPT_MS: i64 = 30 * DAY_MS;
/// Problems of rows that are forgotten in one transaction.
const FORGOTTEN_AT_ONCE: i64 = 1_000;
/// How long one import is worked on before the others have a turn.
const SLICE: Duration = Duration::from_secs(30);
/// Where a location is suspended its imports wait, and are looked at again after so long.
const SUSPENDED: Duration = Duration::from_secs(60);
/// How long a transaction is to take, since whoever else writes waits for it; and where nobody else has written for a while.
const TURN: Duration = Duration::from_millis(30);
const TURN_ALONE: Duration = Duration::from_millis(150);
const A_WHILE: Duration = Duration::from_secs(3);
/// Rows of the first transaction, and the most of any.
const FIRST: usize = 50;
const MOST: usize = 500;
/// Rows that are handed over at once, and about how many bytes.
const HANDED: usize = 50;
const HANDED_BYTES: usize = 256 * 1024;

/// A file that somebody sends to be imported.
pub struct NewImport {
    /// The file.
    pub file: NewFile,
    /// What its rows are to become.
    pub plan: ImportPlan,
}

/// A row, and what it says of a contact.
#[derive(Clone)]
pub struct ContactRow {
    /// The line of the file in which it begins.
    pub line: i64,
    /// What it says; nothing where it cannot be read.
    pub cells: Vec<String>,
    /// What that means, nothing of an empty one; or why it means nothing.
    pub contact: std::result::Result<Option<RowContact>, String>,
}

/// What a row says of a contact.
#[derive(Clone)]
pub struct RowContact {
    /// Its fields.
    pub patch: ContactPatch,
    /// What to do where it is there already.
    pub when: WhenDuplicate,
    /// What was left out, and why.
    pub left_out: Vec<String>,
}

/// Rows of a file.
pub type ContactRows = Box<dyn Iterator<Item = ContactRow>>;

/// Whose contacts the rows become.
#[derive(Clone)]
pub struct RowsOf {
    /// The agency.
    pub agency: AgencyId,
    /// The location.
    pub profile: LocationProfile,
    /// Its custom fields of contacts.
    pub fields: Vec<CustomField>,
}

/// Reads files of rows. It has the words of the face that takes them: names of fields, and what is wrong with a value.
pub trait RowReader: Send + Sync + 'static {
    /// The rows of an import's file that were not taken yet, or what is wrong with all of it.
    fn open(&self, import: &Import, of: RowsOf, file: Box<dyn Read + Send>)
    -> std::result::Result<ContactRows, String>;

    /// Rows of it that were taken before, from their lines and cells.
    fn again(&self, import: &Import, of: RowsOf, rows: Vec<(i64, Vec<String>)>) -> Vec<ContactRow>;

    /// How a file begins. Its encoding is guessed where none is named.
    fn head(&self, file: Box<dyn Read + Send>, encoding: Option<&str>, custom: &[CustomField]) -> FileHead;

    /// The fields that a column can be, in the order in which people choose among them.
    fn fields(&self, custom: &[CustomField]) -> Vec<ColumnField>;

    /// What is wrong with a row, from why it was refused.
    fn explain(&self, error: Error) -> String;

    /// What was left out of a row, and why.
    fn left_out(&self, fields: Vec<LeftOut>) -> Vec<String>;
}

impl App {
    /// Takes a file whose rows are to become contacts, or to change those that have their addresses. The queue works on it.
    pub async fn start_import(&self, context: &LocationContext, new: NewImport) -> Result<Import> {
        context.authority.require(Scope::ContactsWrite)?;
        let NewImport { file, plan } = new;
        check_size(&file)?;
        let told = self.clock.told();
        let file = self.receive(context, vec![(file, None)], None).await?.remove(0);
        let id = file.id;
        let run = move |operation: &mut InLocation<'_, '_>| operation.start_import(&file, &plan, told);
        let outcome =
            self.operate(context, Scope::ContactsWrite, run, |operation, lost| operation.import(lost.id()?)).await;
        self.forget_unless(outcome.is_ok(), context.location, vec![id]).await;
        outcome
    }

    /// An import.
    pub async fn get_import(&self, context: &LocationContext, id: ImportId) -> Result<Import> {
        self.look_up(context, Scope::ContactsRead, move |operation| operation.import(id)).await
    }

    /// The imports of a location, newest first, and how many there are.
    pub async fn list_imports(&self, context: &LocationContext, window: Window<ImportId>) -> Result<Counted<Import>> {
        self.read(context, Scope::ContactsRead, move |operation| {
            Ok(imports::list(operation.tx, operation.context.location, &window)?)
        })
        .await
    }

    /// Rows of an import that were refused, or of which something was left out, by their lines.
    pub async fn list_problem_rows(
        &self,
        context: &LocationContext,
        id: ImportId,
        window: Window<i64>,
    ) -> Result<Page<ProblemRow>> {
        self.read(context, Scope::ContactsRead, move |operation| {
            operation.import(id)?;
            Ok(imports::list_problems(operation.tx, operation.context.location, id, &window)?)
        })
        .await
    }

    /// Ends an import before its last row. What was done stays; of one that is over nothing changes.
    pub async fn stop_import(&self, context: &LocationContext, id: ImportId) -> Result<Import> {
        let run = move |operation: &mut InLocation<'_, '_>| {
            let import = operation.import(id)?;
            if import.state.is_over() {
                return Ok(import);
            }
            operation.end_import(Import { state: ImportState::Stopped, ..import })
        };
        self.operate(context, Scope::ContactsWrite, run, move |operation, _| operation.import(id)).await
    }

    /// Works on an import for a while, and ends before `until`.
    pub async fn work_on_import(&self, reader: Arc<dyn RowReader>, job: Job, until: Instant) -> Result<Settled> {
        let until = until.min(Instant::now() + SLICE);
        let id = job.id.of();
        let found = self.store.read(move |tx| imports::find_by_id(tx, id)).await?;
        let Some((agency, is_active, import)) = found.filter(|(.., import)| !import.state.is_over()) else {
            return Ok(Settled::new(job, Outcome::Done));
        };
        if !is_active {
            let problem = "the location, or its agency, is suspended or deleted".to_owned();
            return Ok(Settled::new(job, Outcome::Again(SUSPENDED, problem)));
        }
        let context = context(agency, &import, self.clock.now());
        let of = RowsOf {
            agency,
            profile: self.location_of(&context).await?.profile,
            fields: self.fields_of(&context, OwnerKind::Contact).await?,
        };
        let is_over = Importing { app: self.clone(), reader, import, of: Arc::new(of) }.run(until).await?;
        let again = || Outcome::Again(Duration::ZERO, "it goes on after the others had their turn".to_owned());
        Ok(Settled::new(job, if is_over { Outcome::Done } else { again() }))
    }

    /// Forgets imports that ended long ago, and what trials have kept for as long as they lasted: some of it. Answers how many rows.
    pub async fn trim_imports(&self) -> Result<u64> {
        let before = UtcMs(self.clock.now().0 - KEPT_MS);
        let trim = move |tx: &mut Tx<'_>| match import_trials::trim(tx, FORGOTTEN_AT_ONCE)? {
            0 => imports::trim(tx, before, FORGOTTEN_AT_ONCE),
            some => Ok(some),
        };
        Ok(self.store.write(trim).await?)
    }
}

/// Notes that nobody can work on an import.
pub(crate) fn give_up(tx: &mut Tx<'_>, id: ImportId, problem: &str, now: UtcMs, ids: Ids) -> Result<()> {
    let Some((agency, _, import)) = imports::find_by_id(tx, id)? else { return Ok(()) };
    let context = context(agency, &import, now);
    Operation::in_transaction(tx, &context, ids, |operation| operation.fail_import(id, problem))
}

/// Who the changes of an import are by: the one who sent it, in its location only.
fn context(agency: AgencyId, import: &Import, now: UtcMs) -> LocationContext {
    let own = App::own_authority(agency, import.location, now);
    LocationContext::new(Authority { actor: import.created_by.actor(), ..own }, import.location)
}

impl InLocation<'_, '_> {
    pub(crate) fn import(&mut self, id: ImportId) -> Result<Import> {
        let found = imports::find(self.tx, self.context.location, id)?;
        found.ok_or_else(|| Error::NotFound(Noun::Import, id.to_string()))
    }

    pub(crate) fn start_import(&mut self, file: &StoredFile, plan: &ImportPlan, told: Option<UtcMs>) -> Result<Import> {
        let location = self.context.location;
        if imports::count_open(self.tx, location)? >= OPEN {
            let problem = format!("would be one of more than {OPEN} that wait; send it when some are over");
            return Err(Error::invalid("file", problem));
        }
        let new = Import {
            id: self.new_id(),
            location,
            file_name: file.name.clone(),
            file: file.id,
            plan: plan.clone(),
            state: ImportState::Waiting,
            tally: ImportTally::default(),
            line: 0,
            problem: None,
            created_by: Signature::of(self.context.authority.actor()),
            event: None,
            created_at: self.now(),
            started_at: None,
            ended_at: None,
        };
        files::keep_for_import(self.tx, new.location, new.file, new.id)?;
        let event = self.tell(Happened::made(EventKind::ImportStarted, &new))?.root;
        let new = Import { event, ..new };
        imports::save(self.tx, &new)?;
        queue::add(self.tx, JobKind::Import, new.id.of_anything(), new.location.of_anything(), told)?;
        Ok(new)
    }

    /// `import` in the state in which it ends.
    fn end_import(&mut self, import: Import) -> Result<Import> {
        let import = Import { ended_at: Some(self.now()), ..import };
        match import.plan.is_trial {
            // What was tried may be imported then.
            true => files::await_import(self.tx, import.location, import.file, self.now())?,
            false => files::release(self.tx, import.location, import.file)?,
        }
        imports::save(self.tx, &import)?;
        self.tell(Happened::made(EventKind::ImportEnded, &import))?;
        Ok(import)
    }

    fn fail_import(&mut self, id: ImportId, problem: &str) -> Result<()> {
        let import = self.import(id)?;
        if !import.state.is_over() {
            let problem = Some(problem.to_owned());
            self.end_import(Import { state: ImportState::Failed, problem, ..import })?;
        }
        Ok(())
    }

    /// Takes rows that follow on what was read before. `None` if somebody else has gone on with the import, it is over, its place is
    /// suspended or deleted meanwhile, or its custom fields are not those by which the rows were read.
    fn import_rows(
        &mut self,
        before: &Import,
        of: &RowsOf,
        rows: &[ContactRow],
        are_last: bool,
        reader: &dyn RowReader,
    ) -> Result<Option<Import>> {
        let found = imports::find_by_id(self.tx, before.id)?;
        let Some((_, true, mut import)) = found.filter(|(.., now)| !now.state.is_over() && now.line == before.line)
        else {
            return Ok(None);
        };
        if custom_fields::list(self.tx, import.location, Some(OwnerKind::Contact))? != of.fields {
            return Ok(None);
        }
        import.state = ImportState::Running;
        import.started_at = import.started_at.or(Some(self.now()));
        import.line = rows.last().map_or(import.line, |row| row.line);
        let good: Vec<_> = rows.iter().filter_map(|row| row.contact.clone().ok().flatten()).collect();
        let outcomes = match import.plan.is_trial {
            _ if good.is_empty() => Vec::new(),
            true => self.try_rows(&import, of, &good, reader)?,
            false => self.take_rows(&good, reader)?,
        };
        let mut outcomes = outcomes.into_iter();
        let (is_trial, tally, mut problems) = (import.plan.is_trial, &mut import.tally, Vec::new());
        for ContactRow { line, cells, contact } in rows {
            let lost = || Err(Error::Internal("a row has no outcome".to_owned()));
            let outcome = match contact {
                Err(problem) => Err(problem.clone()),
                Ok(None) => continue,
                Ok(Some(_)) => outcomes.next().unwrap_or_else(lost).map_err(|error| reader.explain(error)),
            };
            tally.rows += 1;
            let is_refused = outcome.is_err();
            let problem = match outcome {
                Err(problem) => {
                    tally.refused += 1;
                    problem
                }
                Ok(Taken { is_new, is_changed, left_out, identities }) => {
                    if is_trial && is_changed && !identities.is_empty() {
                        let row = (*line, cells.as_slice());
                        import_trials::keep(self.tx, import.location, import.id, row, &identities)?;
                    }
                    tally.created += i64::from(is_new);
                    tally.updated += i64::from(!is_new);
                    tally.unchanged += i64::from(!is_changed);
                    if left_out.is_empty() {
                        continue;
                    }
                    tally.incomplete += 1;
                    left_out.join("; ")
                }
            };
            problems.push(ProblemRow { line: *line, is_refused, problem, cells: cells.clone() });
        }
        imports::add_problems(self.tx, import.location, import.id, &problems)?;
        if are_last {
            return self.end_import(Import { state: ImportState::Completed, ..import }).map(Some);
        }
        imports::save(self.tx, &import)?;
        Ok(Some(import))
    }

    fn take_rows(&mut self, rows: &[RowContact], reader: &dyn RowReader) -> Result<Vec<Result<Taken>>> {
        self.each(rows, &|operation: &mut InLocation<'_, '_>, RowContact { patch, when, mut left_out }| {
            let mut identities = patch.identities();
            let upserted = operation.upsert_contact(patch, when, OldTags::Kept)?;
            left_out.extend(reader.left_out(upserted.skipped));
            identities.extend(upserted.contact.profile.identities());
            Ok(Taken { is_new: upserted.is_new, is_changed: upserted.is_changed, left_out, identities })
        })
    }

    /// What would become of rows, of which nothing stays. Those before them that are about the same people are tried again first,
    /// since nothing stayed of them either.
    fn try_rows(
        &mut self,
        import: &Import,
        of: &RowsOf,
        rows: &[RowContact],
        reader: &dyn RowReader,
    ) -> Result<Vec<Result<Taken>>> {
        let identities: Vec<_> = rows.iter().flat_map(|row| row.patch.identities()).collect();
        let before = import_trials::about(self.tx, import.location, import.id, &identities)?;
        let before = match before.is_empty() {
            true => Vec::new(),
            false => reader.again(import, of.clone(), before),
        };
        let before: Vec<_> = before.into_iter().filter_map(|row| row.contact.ok().flatten()).collect();
        self.try_out(|trial| {
            trial.take_rows(&before, reader)?;
            trial.take_rows(rows, reader)
        })
    }
}

/// What became of a row.
struct Taken {
    is_new: bool,
    is_changed: bool,
    left_out: Vec<String>,
    /// What tells whom it is about, in the row and in the contact.
    identities: Vec<(IdentityKind, String)>,
}

/// Somebody at work on an import.
struct Importing {
    app: App,
    reader: Arc<dyn RowReader>,
    import: Import,
    /// By what the rows are read.
    of: Arc<RowsOf>,
}

/// What comes from the file.
enum Handed {
    /// Rows, and whether they are the last.
    Rows(Vec<ContactRow>, bool),
    /// Nothing of the file can be read; why.
    Unreadable(String),
    /// It cannot be read now.
    Failed(Error),
}

impl Importing {
    /// Works until the last row, or `until`. Whether there is nothing left to do.
    async fn run(mut self, until: Instant) -> Result<bool> {
        let of = RowsOf::clone(&self.of);
        let (sender, mut handed) = mpsc::channel(4);
        let (reader, import, app) = (Arc::clone(&self.reader), self.import.clone(), self.app.clone());
        spawn_blocking(move || hand_rows(&app, &*reader, &import, of, &sender));
        let (mut rows, mut most, mut are_last) = (Vec::new(), FIRST, false);
        let (mut others_wrote, mut writes) = (Instant::now(), self.app.store.figures().writes);
        while Instant::now() < until {
            while rows.len() < most && !are_last {
                match handed.recv().await {
                    Some(Handed::Rows(more, are_those)) => {
                        rows.extend(more);
                        are_last = are_those;
                    }
                    Some(Handed::Unreadable(problem)) => return self.fail(problem).await,
                    Some(Handed::Failed(error)) => return Err(error),
                    None => {
                        return Err(Error::Internal("the reader of a file of rows ended before the file".to_owned()));
                    }
                }
            }
            let is_end = are_last && rows.len() <= most;
            let rest = rows.split_off(most.min(rows.len()));
            let (begun, count) = (Instant::now(), rows.len());
            let Some(import) = self.take(std::mem::replace(&mut rows, rest), is_end).await? else {
                return self.is_over().await;
            };
            self.import = import;
            if self.import.state.is_over() {
                return Ok(true);
            }
            let before = std::mem::replace(&mut writes, self.app.store.figures().writes);
            if writes > before + 1 {
                others_wrote = Instant::now();
            }
            let turn = if others_wrote.elapsed() > A_WHILE { TURN_ALONE } else { TURN };
            let fitting = count as f64 * turn.as_secs_f64() / begun.elapsed().as_secs_f64();
            // Not more than double: one that was quick by chance says little of the next.
            most = (fitting as usize).min(most * 2).clamp(1, MOST);
        }
        Ok(false)
    }

    fn context(&self) -> LocationContext {
        context(self.of.agency, &self.import, self.app.clock.now())
    }

    async fn is_over(&self) -> Result<bool> {
        let id = self.import.id;
        let found = self.app.store.read(move |tx| imports::find_by_id(tx, id)).await?;
        Ok(found.is_none_or(|(.., import)| import.state.is_over()))
    }

    async fn take(&self, rows: Vec<ContactRow>, are_last: bool) -> Result<Option<Import>> {
        let (before, reader, of) = (self.import.clone(), Arc::clone(&self.reader), Arc::clone(&self.of));
        let run = move |operation: &mut InLocation<'_, '_>| {
            let cause = Cause { root: before.event, depth: 1 };
            operation.following(cause, |operation| operation.import_rows(&before, &of, &rows, are_last, &*reader))
        };
        self.app.operate_on_own(&self.context(), run, |_, _| Ok(None)).await
    }

    /// Ends it where nothing of the file can be read.
    async fn fail(&self, problem: String) -> Result<bool> {
        let id = self.import.id;
        let run = move |operation: &mut InLocation<'_, '_>| operation.fail_import(id, &problem);
        self.app.operate_on_own(&self.context(), run, |_, _| Ok(())).await?;
        Ok(true)
    }
}

/// Reads the rows after those that were read before, and hands them over, until nobody takes them any more.
fn hand_rows(app: &App, reader: &dyn RowReader, import: &Import, of: RowsOf, sender: &mpsc::Sender<Handed>) {
    let (file, failed) = StoredBytes::of(app, import.location, import.file);
    let failure = || failed.take().map(Handed::Failed);
    let hand = |handed| sender.blocking_send(handed).is_ok();
    let rows = match reader.open(import, of, Box::new(file)) {
        Ok(rows) => rows,
        Err(problem) => {
            hand(failure().unwrap_or(Handed::Unreadable(problem)));
            return;
        }
    };
    let (mut ready, mut bytes) = (Vec::new(), 0);
    for row in rows {
        bytes += row.cells.iter().map(String::len).sum::<usize>();
        ready.push(row);
        // The reader took it for a fault of the row.
        if let Some(failure) = failure() {
            hand(failure);
            return;
        }
        if ready.len() >= HANDED || bytes >= HANDED_BYTES {
            bytes = 0;
            if !hand(Handed::Rows(std::mem::take(&mut ready), false)) {
                return;
            }
        }
    }
    hand(failure().unwrap_or(Handed::Rows(ready, true)));
}

impl Described for Import {
    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn describe(&self) -> Fields {
        let mut fields = self.outcome();
        put(&mut fields, "fileName", Some(self.file_name.as_str()));
        put(&mut fields, "dryRun", self.plan.is_trial.then_some(true));
        put(&mut fields, "problem", self.problem.as_deref());
        fields
    }
}
