//! Files that come as answers to forms: how much of them is taken from people whom nobody knows, and who reads them.

use std::{
    collections::HashMap,
    fmt,
    io::{Cursor, Read},
    sync::{Arc, Mutex, PoisonError},
};

use keystead_model::{
    LocationId, UtcMs,
    file::{FileId, StoredFile, TELLING, picture},
    form::{Form, FormKind, Submission, SubmissionState},
    form_answers::AnsweredFile,
    form_schema::{FILE_BYTES, FILES},
    id::Id,
    time::DAY_MS,
};
use keystead_store::files;
use serde_json::{Map, Value as Json};

use crate::{
    App, Error, LocationContext, NewFile, OpenForm, Result, error::Noun, files::read_aside, forms::FormResource,
    operate::InLocation, submissions::Judged,
};

/// Bytes of all files of one submission.
pub const SUBMISSION_BYTES: u64 = FILES as u64 * FILE_BYTES;
/// Bytes that those whom nobody knows may send to the forms of a location within a day.
const OF_STRANGERS_IN_A_DAY: u64 = 200 * 1024 * 1024;
/// How long files are kept that nobody has accepted.
const HELD_MS: i64 = 30 * DAY_MS;

/// A file that somebody gives as an answer.
pub struct FormFile {
    /// The key of the field that it answers.
    pub key: String,
    /// Of its bytes.
    pub sha256: [u8; 32],
    /// The file.
    pub new: NewFile,
}

impl fmt::Debug for FormFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FormFile({} {:?})", self.key, self.new.name())
    }
}

impl FormFile {
    /// As the answer tells of it.
    fn told(&self) -> AnsweredFile {
        AnsweredFile {
            id: None,
            name: self.new.name().to_owned(),
            size: i64::try_from(self.new.size).unwrap_or(i64::MAX),
            sha256: self.sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }
}

/// Files as the answers tell of them, by the keys of their fields.
pub(crate) fn told(files: &[FormFile]) -> Vec<(String, AnsweredFile)> {
    files.iter().map(|file| (file.key.clone(), file.told())).collect()
}

/// Adds files to the answers that they are.
pub(crate) fn add_to(answers: &mut Map<String, Json>, files: &[(String, AnsweredFile)]) {
    for (key, _) in files {
        let own: Vec<AnsweredFile> =
            files.iter().filter(|(known, _)| known == key).map(|(_, file)| file.clone()).collect();
        answers.insert(key.clone(), AnsweredFile::answer(&own));
    }
}

/// Bytes that arrive at the moment at this node, by location.
#[derive(Clone, Default)]
pub(crate) struct Arriving(Arc<Mutex<HashMap<LocationId, u64>>>);

impl Arriving {
    /// Counts bytes, if they are within `most` together with all others.
    fn add(&self, location: LocationId, bytes: u64, most: u64) -> bool {
        let mut arriving = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = arriving.get(&location).copied().unwrap_or(0).saturating_add(bytes);
        if all <= most {
            arriving.insert(location, all);
        }
        all <= most
    }

    fn remove(&self, location: LocationId, bytes: u64) {
        let mut arriving = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = arriving.get(&location).copied().unwrap_or(0).saturating_sub(bytes);
        if left == 0 {
            arriving.remove(&location);
        } else {
            arriving.insert(location, left);
        }
    }
}

/// Room for files that are on their way. Dropped, it is free again; what was kept meanwhile counts by itself.
pub struct FileRoom {
    arriving: Arriving,
    location: LocationId,
    bytes: u64,
}

impl Drop for FileRoom {
    fn drop(&mut self) {
        self.arriving.remove(self.location, self.bytes);
    }
}

impl App {
    /// Room for files of so many bytes, before anybody reads them; nothing where a form takes none, or no more of them today.
    pub async fn room_for_files(&self, open: &OpenForm, bytes: u64) -> Result<Option<FileRoom>> {
        if !open.schema.has_files() || bytes > SUBMISSION_BYTES {
            return Ok(None);
        }
        let (location, since) = (open.form.location, UtcMs(self.clock.now().0 - DAY_MS));
        let kept = self.store.look_up(move |tx| files::bytes_of_strangers(tx, location, since)).await?;
        let most = OF_STRANGERS_IN_A_DAY.saturating_sub(kept.unsigned_abs());
        let arriving = self.arriving.clone();
        Ok(arriving.add(location, bytes, most).then(|| FileRoom { arriving, location, bytes }))
    }

    /// Keeps the files that answers are which were found good, and says there where they are. What was not asked is not kept.
    pub(crate) async fn keep_answers(
        &self,
        context: &LocationContext,
        answers: &mut Map<String, Json>,
        judged: &Judged,
        new: Vec<FormFile>,
    ) -> Result<Vec<FileId>> {
        let asked = judged.answers.fields();
        let new: Vec<FormFile> = new.into_iter().filter(|file| asked.contains_key(&file.key)).collect();
        let mut told = told(&new);
        let new = new.into_iter().map(|file| file.new).collect();
        let kept: Vec<FileId> = self.receive_answers(context, new).await?.into_iter().map(|file| file.id).collect();
        for ((_, file), id) in told.iter_mut().zip(&kept) {
            file.id = Some(*id);
        }
        add_to(answers, &told);
        Ok(kept)
    }

    /// Keeps files where nobody sees them yet, each as what its bytes are.
    async fn receive_answers(&self, context: &LocationContext, new: Vec<NewFile>) -> Result<Vec<StoredFile>> {
        let mut known = Vec::with_capacity(new.len());
        for NewFile { part, name, kind: _, size, bytes } in new {
            let read_beginning = |bytes: &mut dyn Read| {
                let mut beginning = Vec::with_capacity(TELLING);
                bytes.take(TELLING as u64).read_to_end(&mut beginning).map(|_| beginning)
            };
            let (beginning, rest) = read_aside(bytes, read_beginning).await?;
            let kind = picture(&beginning).map(str::to_owned);
            let bytes = Box::new(Cursor::new(beginning).chain(rest));
            known.push((NewFile { part, name, kind, size, bytes }, None));
        }
        self.receive(context, known, Some(files::OF_SUBMISSION)).await
    }

    /// A file of a submission, and where its bytes are.
    pub async fn open_submission_file<K: FormResource>(
        &self,
        context: &LocationContext,
        form: Id<Form<K>>,
        submission: Id<Submission<K>>,
        file: FileId,
    ) -> Result<(LocationId, StoredFile)> {
        let found = self.files_of_submission(context, form, submission).await?;
        let found = found.into_iter().find(|known| known.id == file);
        Ok((context.location, found.ok_or_else(|| Error::NotFound(Noun::File, file.to_string()))?))
    }

    /// The files of a submission that are still there.
    pub async fn files_of_submission<K: FormResource>(
        &self,
        context: &LocationContext,
        form: Id<Form<K>>,
        submission: Id<Submission<K>>,
    ) -> Result<Vec<StoredFile>> {
        self.read(context, K::SCOPES.0, move |operation| {
            operation.submission(form, submission)?;
            Ok(files::of_submission(operation.tx, operation.context.location, submission)?)
        })
        .await
    }
}

impl InLocation<'_, '_> {
    /// Makes the files that were given as answers part of a submission: for good, or for a time where nobody has looked at it yet.
    pub(crate) fn keep_files<K: FormKind>(&mut self, submission: &Submission<K>) -> Result<()> {
        let goes_at = (submission.state != SubmissionState::Taken).then(|| UtcMs(self.now().0 + HELD_MS));
        for file in submission.answers.fields().values().flat_map(AnsweredFile::all_in) {
            if let Some(id) = file.id {
                files::keep_for_submission(self.tx, submission.location, id, submission.id, goes_at)?;
            }
        }
        Ok(())
    }
}
