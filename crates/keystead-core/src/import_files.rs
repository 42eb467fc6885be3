//! Files of rows: kept until it is said what their columns are, looked into for that, and read by the work on their imports.

use std::{
    io::{self, Cursor, Read},
    sync::{Arc, Mutex, PoisonError},
};

use keystead_model::{
    LocationId,
    custom_field::OwnerKind,
    event::EventKind,
    file::{FileId, StoredFile},
    import::{Import, ImportPlan},
    scope::Scope,
};
use keystead_store::files;
use tokio::{runtime::Handle, task::spawn_blocking};

use crate::{
    App, Error, LocationContext, NewFile, Result, RowReader, error::Noun, events::Happened, idempotency::Lost,
    operate::InLocation,
};

/// Bytes of one file of rows.
pub const IMPORT_BYTES: u64 = 512 * 1024 * 1024;

/// How a file of rows begins, for whoever says what its columns are.
#[derive(Clone, Debug)]
pub struct FileHead {
    /// The label of the encoding in which it was read; nothing for UTF-8, and where its first bytes tell it.
    pub encoding: Option<String>,
    /// Its columns, or what is wrong with the whole file.
    pub columns: std::result::Result<Vec<HeadColumn>, String>,
}

/// A column of a file.
#[derive(Clone, Debug)]
pub struct HeadColumn {
    /// Its name in the first row.
    pub name: String,
    /// Its first values, shortened.
    pub values: Vec<String>,
    /// The field of a contact that it is named like, unless a column before it is.
    pub field: Option<String>,
}

/// A field of a contact that a column can be.
#[derive(Clone, Debug)]
pub struct ColumnField {
    /// As an [`ImportColumn`](keystead_model::import::ImportColumn) names it.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Whether the location has added it.
    pub is_custom: bool,
}

impl App {
    /// Keeps a file until it is said what its columns are: for a day, or until its import begins.
    pub async fn upload_import_file(&self, context: &LocationContext, new: NewFile) -> Result<StoredFile> {
        context.authority.require(Scope::ContactsWrite)?;
        check_size(&new)?;
        let location = context.location;
        let file = self.receive(context, vec![(new, None)], None).await?.remove(0);
        let id = file.id;
        let run = move |operation: &mut InLocation<'_, '_>| {
            files::await_import(operation.tx, location, file.id, operation.now())?;
            operation.tell(Happened::made(EventKind::FileUploaded, &file))?;
            Ok(file.clone())
        };
        let recover = |operation: &mut InLocation<'_, '_>, lost: &Lost| operation.import_file(lost.id()?);
        let outcome = self.operate(context, Scope::ContactsWrite, run, recover).await;
        self.forget_unless(outcome.is_ok(), location, vec![id]).await;
        outcome
    }

    /// A file that waits for its import.
    pub async fn get_import_file(&self, context: &LocationContext, id: FileId) -> Result<StoredFile> {
        self.look_up(context, Scope::ContactsWrite, move |operation| operation.import_file(id)).await
    }

    /// How a file that waits for its import begins. Its encoding is guessed where none is named.
    pub async fn read_import_head(
        &self,
        context: &LocationContext,
        id: FileId,
        encoding: Option<String>,
        reader: Arc<dyn RowReader>,
    ) -> Result<FileHead> {
        self.get_import_file(context, id).await?;
        let custom = self.fields_of(context, OwnerKind::Contact).await?;
        let (file, failed) = StoredBytes::of(self, context.location, id);
        let head = spawn_blocking(move || reader.head(Box::new(file), encoding.as_deref(), &custom))
            .await
            .map_err(|error| Error::Internal(format!("reading the head of a file was given up: {error}")))?;
        failed.take().map_or(Ok(head), Err)
    }

    /// The same as [`App::start_import`] with a file that waits for it. After a trial it waits again.
    pub async fn import_file(&self, context: &LocationContext, id: FileId, plan: ImportPlan) -> Result<Import> {
        let told = self.clock.told();
        let run = move |operation: &mut InLocation<'_, '_>| {
            let file = operation.import_file(id)?;
            operation.start_import(&file, &plan, told)
        };
        self.operate(context, Scope::ContactsWrite, run, |operation, lost| operation.import(lost.id()?)).await
    }
}

impl InLocation<'_, '_> {
    fn import_file(&mut self, id: FileId) -> Result<StoredFile> {
        let found = files::find_awaiting_import(self.tx, self.context.location, id)?;
        found.ok_or_else(|| Error::NotFound(Noun::File, id.to_string()))
    }
}

pub(crate) fn check_size(file: &NewFile) -> Result<()> {
    if file.size <= IMPORT_BYTES {
        return Ok(());
    }
    Err(Error::invalid(&file.part, format!("must not be larger than {IMPORT_BYTES} bytes")))
}

/// The bytes of a stored file, in their order, for readers that wait for them.
pub(crate) struct StoredBytes {
    app: App,
    handle: Handle,
    location: LocationId,
    file: FileId,
    number: i64,
    piece: Cursor<Vec<u8>>,
    failed: Failed,
}

/// Why bytes could not be read. The reader of rows would take it for a fault of the file.
#[derive(Clone, Default)]
pub(crate) struct Failed(Arc<Mutex<Option<Error>>>);

impl Failed {
    fn note(&self, error: Error) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    pub(crate) fn take(&self) -> Option<Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl StoredBytes {
    /// Those of a file, and where it is noted if they cannot be read.
    pub(crate) fn of(app: &App, location: LocationId, file: FileId) -> (Self, Failed) {
        let failed = Failed::default();
        let (handle, piece) = (Handle::current(), Cursor::default());
        (Self { app: app.clone(), handle, location, file, number: 0, piece, failed: failed.clone() }, failed)
    }
}

impl Read for StoredBytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.piece.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            match self.handle.block_on(self.app.read_file(self.location, self.file, self.number)) {
                Ok(Some(piece)) => {
                    self.number += 1;
                    self.piece = Cursor::new(piece);
                }
                Ok(None) => return Ok(0),
                Err(error) => {
                    let said = io::Error::other(error.to_string());
                    self.failed.note(error);
                    return Err(said);
                }
            }
        }
    }
}
