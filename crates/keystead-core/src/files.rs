//! Files that people send: how their bytes are kept. Those of custom fields whoever knows their address can read.

use std::io::{self, Read};

use keystead_model::{
    ContactId, CustomFieldId, LocationId, UtcMs,
    contact::Contact,
    custom_field::{CustomField, OwnerKind},
    event::EventKind,
    field_value::{FieldValue, FieldValues},
    file::{FileId, StoredFile},
    id::Id,
    scope::Scope,
    time::DAY_MS,
    uuid::Uuid,
};
use keystead_store::{Tx, contacts, custom_fields, files, opportunities};
use tokio::task::spawn_blocking;

use crate::{
    App, Error, LocationContext, RequestId, Result, Violation,
    contacts::sees_contacts,
    error::Noun,
    events::{Described, Fields, Happened, put},
    idempotency::Lost,
    operate::InLocation,
};

/// Bytes of one file.
pub const FILE_BYTES: u64 = 50 * 1024 * 1024;
/// Files that one location has stored.
const FILES: i64 = 100_000;
/// Their bytes.
const BYTES: i64 = 20 * 1024 * 1024 * 1024;
/// Pieces that are written in one transaction.
const AT_ONCE: usize = 16;
/// How long a file may wait for somebody who has it.
const UNOWNED_MS: i64 = DAY_MS;
/// Files that are deleted in one transaction.
const DELETED_AT_ONCE: i64 = 20;

/// A file that somebody sends.
pub struct NewFile {
    /// The name of its part, as violations say it.
    pub part: String,
    /// How its sender calls it: a name without a path.
    pub name: Option<String>,
    /// What its sender says that it is.
    pub kind: Option<String>,
    /// Bytes.
    pub size: u64,
    /// These, to be read once.
    pub bytes: Box<dyn Read + Send>,
}

impl NewFile {
    pub(crate) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("file")
    }
}

/// A file, and the field of a contact that it is for.
#[derive(Clone)]
struct Addressed {
    field: CustomFieldId,
    file: StoredFile,
}

impl App {
    /// Keeps files for whoever names them within a day. `about` is what they are for: a contact, an opportunity, or a custom
    /// field, which says what it takes.
    pub async fn upload_files(
        &self,
        context: &LocationContext,
        about: String,
        most: Option<i64>,
        new: Vec<NewFile>,
    ) -> Result<Vec<StoredFile>> {
        context.authority.require(Scope::CustomFieldsWrite)?;
        let mut violations = too_large(&new);
        if most.is_some_and(|most| new.len() as i64 > most) {
            violations
                .push(violation("files", format!("must not be more than maxFiles, which is {}", most.unwrap_or(0))));
        }
        let location = context.location;
        let subject = self.store.look_up(move |tx| Subject::find(tx, location, &about)).await?;
        match &subject {
            Some(Subject::Field(field)) => violations.extend(refused(&new, |_| Some(field))),
            Some(Subject::Owner) => {}
            None => {
                let problem = "names no contact, no opportunity and no custom field of this location";
                violations.push(violation("id", problem.to_owned()));
            }
        }
        if !violations.is_empty() {
            return Err(Error::Invalid(violations));
        }
        let received = self.receive(context, new.into_iter().map(|new| (new, None)).collect(), None).await?;
        let ids: Vec<FileId> = received.iter().map(|file| file.id).collect();
        let run = move |operation: &mut InLocation<'_, '_>| {
            for file in &received {
                operation.keep_file(file)?;
            }
            Ok(received.clone())
        };
        let recover = |operation: &mut InLocation<'_, '_>, lost: &Lost| {
            Ok(files::sent_by(operation.tx, operation.context.location, lost.request_id(), lost.at())?)
        };
        let outcome = self.operate(context, Scope::CustomFieldsWrite, run, recover).await;
        self.forget_unless(outcome.is_ok(), location, ids).await;
        outcome
    }

    /// Puts files into custom fields of a contact. Each part names the field, and the file in it: `<customFieldId>_<fileId>`.
    /// A field for one file has the new one then, which takes the right to change contacts. Who sees no contacts is told of what they
    /// sent.
    pub async fn upload_contact_files(
        &self,
        context: &LocationContext,
        contact: ContactId,
        new: Vec<NewFile>,
    ) -> Result<Contact> {
        context.authority.require(Scope::FormsWrite)?;
        let location = context.location;
        let find = move |tx: &mut Tx<'_>| {
            let is_there = contacts::exists(tx, location, contact)?;
            Ok::<_, Error>((is_there, custom_fields::list(tx, location, Some(OwnerKind::Contact))?))
        };
        let (is_there, fields) = self.store.read(find).await?;
        if !is_there {
            return Err(Error::NotFound(Noun::Contact, contact.to_string()));
        }
        let mut violations = too_large(&new);
        violations.extend(refused(&new, |part| named_field(part, &fields)));
        if !violations.is_empty() {
            return Err(Error::Invalid(violations));
        }
        let ids: Vec<CustomFieldId> =
            new.iter().filter_map(|new| named_field(&new.part, &fields)).map(|field| field.id).collect();
        let named = |part: &str| part.split_once('_').and_then(|(_, file)| Uuid::parse(file).ok());
        let files = new.into_iter().map(|new| (named(&new.part), new)).map(|(uuid, new)| (new, uuid)).collect();
        let received = self.receive(context, files, None).await?;
        let files: Vec<FileId> = received.iter().map(|file| file.id).collect();
        let addressed = ids.into_iter().zip(received).map(|(field, file)| Addressed { field, file });
        let new: Vec<Addressed> = addressed.collect();
        let run = move |operation: &mut InLocation<'_, '_>| operation.add_files(contact, new.clone());
        let recover = move |operation: &mut InLocation<'_, '_>, lost: &Lost| {
            let sent = files::sent_by(operation.tx, operation.context.location, lost.request_id(), lost.at())?;
            Ok((operation.contact(contact)?, sent))
        };
        let outcome = self.operate(context, Scope::FormsWrite, run, recover).await;
        self.forget_unless(outcome.is_ok(), location, files).await;
        let (contact, sent) = outcome?;
        let now = context.authority.now();
        Ok(if sees_contacts(context) { contact } else { contact.as_sent_files(&sent, now) })
    }

    /// Makes room at once if files were not kept; where that fails, they are deleted after a day. Those that are seen stay: an
    /// outcome that nobody knows may have been a success.
    pub(crate) async fn forget_unless(&self, kept: bool, location: LocationId, ids: Vec<FileId>) {
        if !kept {
            self.forget_unseen(location, ids).await;
        }
    }

    /// Makes room for those of these files that nobody sees yet.
    pub(crate) async fn forget_unseen(&self, location: LocationId, ids: Vec<FileId>) {
        let forget = move |tx: &mut Tx<'_>| ids.iter().try_for_each(|id| files::delete_unseen(tx, location, *id));
        let _: Result<(), keystead_store::Error> = self.store.write_in(owner(location), forget).await;
    }

    /// Stores bytes, some at a time, as files that nobody sees yet, of what they are for where that is known. Should the rest of it
    /// fail, they are deleted after a day.
    pub(crate) async fn receive(
        &self,
        context: &LocationContext,
        new: Vec<(NewFile, Option<Uuid>)>,
        owner_kind: Option<&'static str>,
    ) -> Result<Vec<StoredFile>> {
        let (location, now) = (context.location, context.authority.now());
        let (count, bytes) = self.store.read(move |tx| files::stored(tx, location)).await?;
        let more: i64 = new.iter().map(|(new, _)| size_of(new)).sum();
        if count.saturating_add(new.len() as i64) > FILES || bytes.saturating_add(more) > BYTES {
            let problem =
                format!("would be one of more than {FILES} files, or {BYTES} bytes, that a location can have");
            return Err(Error::invalid("files", problem));
        }
        let mut received = Vec::with_capacity(new.len());
        for (new, uuid) in new {
            let file = StoredFile {
                id: self.entropy.id(now),
                uuid: uuid.unwrap_or_else(|| self.new_uuid()),
                name: new.name().to_owned(),
                kind: new.kind.clone().unwrap_or_else(|| "application/octet-stream".to_owned()),
                size: size_of(&new),
                secret: self.entropy.token(),
            };
            let begun = file.clone();
            self.store.write_in(owner(location), move |tx| files::begin(tx, location, &begun, owner_kind, now)).await?;
            self.receive_bytes(location, &file, new.bytes).await?;
            received.push(file);
        }
        Ok(received)
    }

    async fn receive_bytes(
        &self,
        location: LocationId,
        file: &StoredFile,
        mut bytes: Box<dyn Read + Send>,
    ) -> Result<()> {
        let (id, mut number, mut length) = (file.id, 0i64, 0i64);
        loop {
            let (pieces, source) = read_aside(bytes, read_pieces).await?;
            bytes = source;
            if pieces.is_empty() {
                break;
            }
            length += pieces.iter().map(|piece| piece.len() as i64).sum::<i64>();
            let (first, count) = (number, pieces.len() as i64);
            let write = move |tx: &mut Tx<'_>| {
                let mut numbered = (first..).zip(&pieces);
                numbered.try_for_each(|(number, piece)| files::add_piece(tx, location, id, number, piece))
            };
            self.store.write_in(owner(location), write).await?;
            number += count;
        }
        if length == file.size {
            return Ok(());
        }
        Err(Error::Internal(format!("a file of {} bytes has {length}", file.size)))
    }

    fn new_uuid(&self) -> Uuid {
        let mut bits = [0; 16];
        self.entropy.fill(&mut bits);
        let text = RequestId::from_bits(u128::from_le_bytes(bits));
        Uuid::parse(text.as_str()).expect("an id of a request is a UUID")
    }

    /// The file of an address that nobody guesses, and where its bytes are.
    pub async fn open_file(&self, secret: &str) -> Result<(LocationId, StoredFile)> {
        let wanted = secret.to_owned();
        let found = self.store.look_up(move |tx| files::find_by_secret(tx, &wanted)).await?;
        found.ok_or_else(|| Error::NotFound(Noun::File, secret.to_owned()))
    }

    /// A piece of an open file; `None` after the last.
    pub async fn read_file(&self, location: LocationId, file: FileId, number: i64) -> Result<Option<Vec<u8>>> {
        Ok(self.store.look_up(move |tx| files::piece(tx, location, file, number)).await?)
    }

    /// Deletes files that nobody has named within a day, and those that were kept for a time only, some of them. Returns how many.
    pub async fn purge_files(&self) -> Result<usize> {
        let now = self.clock.now();
        let before = UtcMs(now.0 - UNOWNED_MS);
        let purge = move |tx: &mut Tx<'_>| {
            let unowned = files::delete_unowned(tx, before, DELETED_AT_ONCE)?;
            Ok::<_, keystead_store::Error>(unowned + files::delete_going(tx, now, DELETED_AT_ONCE)?)
        };
        Ok(self.store.write(purge).await?)
    }
}

impl InLocation<'_, '_> {
    /// Lets a file be seen whose bytes have all come.
    fn keep_file(&mut self, file: &StoredFile) -> Result<()> {
        files::complete(self.tx, self.context.location, file.id)?;
        self.tell(Happened::made(EventKind::FileUploaded, file))?;
        Ok(())
    }

    fn add_files(&mut self, contact: ContactId, new: Vec<Addressed>) -> Result<(Contact, Vec<StoredFile>)> {
        let sent = new.iter().map(|new| new.file.clone()).collect();
        for Addressed { file, .. } in &new {
            self.keep_file(file)?;
        }
        let changed = self.try_to_change_contact(contact, |operation, contact| {
            let mut changes: Vec<FieldValues> = Vec::new();
            for Addressed { field, file } in new {
                let ids = [field];
                let known = custom_fields::find_all(operation.tx, contact.location, OwnerKind::Contact, &ids)?;
                let keeps = known.iter().any(|field| field.content.is_multiple_file);
                let is_same = |value: &FieldValue| matches!(value, FieldValue::File(known) if known.uuid == file.uuid);
                // Whoever only brings something takes nothing away.
                if contact.custom_fields.get(field).iter().any(|held| !keeps || is_same(held)) {
                    operation.context.authority.require(Scope::ContactsWrite)?;
                }
                let values = match changes.iter_mut().find(|change| change.field == field) {
                    Some(change) => &mut change.values,
                    None => {
                        let values = if keeps { contact.custom_fields.get(field).to_vec() } else { Vec::new() };
                        changes.push(FieldValues { field, values });
                        &mut changes.last_mut().expect("one was added").values
                    }
                };
                // Sent again under the same id, it takes the place of what was sent before.
                values.retain(|value| !is_same(value));
                values.push(FieldValue::File(file));
            }
            let owner = (OwnerKind::Contact, contact.id);
            operation.change_values(owner, &mut contact.custom_fields, &changes)
        })?;
        Ok((changed, sent))
    }
}

/// What an upload is about.
enum Subject {
    /// Somebody or something that has values.
    Owner,
    Field(Box<CustomField>),
}

impl Subject {
    fn find(tx: &mut Tx<'_>, location: LocationId, id: &str) -> Result<Option<Self>> {
        let Some(id) = Id::<()>::parse(id) else { return Ok(None) };
        if let Some(field) = custom_fields::find(tx, location, id.of())? {
            return Ok(Some(Self::Field(Box::new(field))));
        }
        let is_owner = contacts::exists(tx, location, id.of())? || opportunities::exists(tx, location, id.of())?;
        Ok(is_owner.then_some(Self::Owner))
    }
}

fn owner(location: LocationId) -> Id<()> {
    location.of_anything()
}

fn size_of(new: &NewFile) -> i64 {
    i64::try_from(new.size).unwrap_or(i64::MAX)
}

fn violation(field: &str, problem: String) -> Violation {
    Violation { field: field.to_owned(), problem }
}

fn too_large(new: &[NewFile]) -> Vec<Violation> {
    let too_large = new.iter().filter(|new| new.size > FILE_BYTES);
    too_large.map(|new| violation(&new.part, format!("must not be larger than {FILE_BYTES} bytes"))).collect()
}

/// The field that a part names.
fn named_field<'f>(part: &str, fields: &'f [CustomField]) -> Option<&'f CustomField> {
    let (field, _) = part.split_once('_')?;
    fields.iter().find(|known| known.id.as_str() == field)
}

/// What fields do not take.
fn refused<'f>(new: &[NewFile], field: impl Fn(&str) -> Option<&'f CustomField>) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut counts: Vec<(CustomFieldId, usize)> = Vec::new();
    for new in new {
        let Some(field) = field(&new.part) else {
            let problem = "names no custom field of contacts; a part is called <customFieldId>_<fileId>";
            violations.push(violation(&new.part, problem.to_owned()));
            continue;
        };
        if let Some(refusal) = field.refuses_file(new.name()) {
            violations.push(violation(&new.part, refusal.0));
        }
        let count = match counts.iter_mut().find(|(known, _)| *known == field.id) {
            Some((_, count)) => {
                *count += 1;
                *count
            }
            None => {
                counts.push((field.id, 1));
                1
            }
        };
        if count == field.most_files() + 1 {
            let problem = format!("is one too many: {} takes {}", field.field_key(), field.most_files());
            violations.push(violation(&new.part, problem));
        }
    }
    violations
}

/// Reads of what was sent, which may wait for the disk.
pub(crate) async fn read_aside<T: Send + 'static>(
    mut bytes: Box<dyn Read + Send>,
    read: impl FnOnce(&mut dyn Read) -> io::Result<T> + Send + 'static,
) -> Result<(T, Box<dyn Read + Send>)> {
    let (read, bytes) = spawn_blocking(move || (read(&mut *bytes), bytes))
        .await
        .map_err(|error| Error::Internal(format!("reading a file was given up: {error}")))?;
    let read = read.map_err(|error| Error::Internal(format!("a file that was sent cannot be read: {error}")))?;
    Ok((read, bytes))
}

/// The next pieces; none at the end.
fn read_pieces(bytes: &mut dyn Read) -> io::Result<Vec<Vec<u8>>> {
    let mut pieces = Vec::new();
    while pieces.len() < AT_ONCE {
        let mut piece = Vec::new();
        bytes.take(files::PIECE as u64).read_to_end(&mut piece)?;
        if piece.is_empty() {
            break;
        }
        pieces.push(piece);
    }
    Ok(pieces)
}

impl Described for StoredFile {
    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn describe(&self) -> Fields {
        let mut fields = Fields::new();
        put(&mut fields, "name", Some(self.name.as_str()));
        put(&mut fields, "mimetype", Some(self.kind.as_str()));
        put(&mut fields, "size", Some(self.size));
        fields
    }
}
