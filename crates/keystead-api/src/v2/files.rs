//! Files of custom fields: how they are sent, and how they are read again.

use futures_util::TryStreamExt;
use http::{HeaderName, HeaderValue};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use keystead_core::{Error, FILE_BYTES, LocationContext, NewFile, error::Noun};
use keystead_http::Download;
use keystead_model::{
    ContactId,
    contact::Contact,
    custom_field::MAX_FILES,
    file::{FileId, StoredFile},
};
use serde_json::{Value, json};

use super::{forms::FormShape, samples, submissions::Place};
use crate::{
    call::Call,
    reader::Reader,
    reply::{Content, Reply},
    shape::{
        Bare, Fields, Input, One, Output, Way, Written,
        held::{FileMeta, UrlsByName},
        output::{Answer, Definitions},
        path::{FileSecret, Part},
        word,
    },
};

/// What all files of one request may have together.
const REQUEST_BYTES: u64 = 2 * FILE_BYTES;

/// Files, and the contact, the opportunity or the custom field that they are for.
pub(crate) struct Uploads {
    about: String,
    most: Option<i64>,
    files: Vec<NewFile>,
}

impl Input for Uploads {
    const FILE_BYTES: Option<u64> = Some(REQUEST_BYTES);

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let about = reader.required("id", |reader| reader.word("id"));
        let most = reader.integer("maxFiles", 1..=MAX_FILES);
        let files = files(reader);
        Some(Self { about: about?, most, files })
    }
}

/// Files for custom fields of a contact, by the names of their parts.
pub(crate) struct ContactFiles(Vec<NewFile>);

impl Input for ContactFiles {
    const FILE_BYTES: Option<u64> = Some(REQUEST_BYTES);

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.names_location();
        Some(Self(files(reader)))
    }
}

fn files(reader: &mut Reader<'_>) -> Vec<NewFile> {
    reader.files("files").into_iter().map(|(part, file)| file.into_file(part)).collect()
}

/// The contact whose fields files are for.
pub(crate) struct OfContact(ContactId);

impl Input for OfContact {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        query.required("contactId", |query| query.word("contactId")).map(Self)
    }
}

/// Files that were uploaded, with the names of the parts in which they came.
pub(crate) struct Uploaded(Vec<StoredFile>);

impl Written for Uploaded {
    fn sample() -> Self {
        Self(vec![samples::file()])
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let meta = |file: &StoredFile| FileMeta { file: file.clone(), field: file.name.clone(), has_url: true };
        fields.put("uploadedFiles", &UrlsByName(&self.0));
        fields.put("meta", &self.0.iter().map(meta).collect::<Vec<_>>());
    }
}

pub(crate) async fn upload(context: LocationContext, call: Call<(), Bare, Uploads>) -> Result<Uploaded, Error> {
    let Uploads { about, most, files } = call.body;
    if files.is_empty() {
        return Err(Error::invalid("files", "should not be empty"));
    }
    call.app.upload_files(&context, about, most, files).await.map(Uploaded)
}

pub(crate) async fn upload_to_contact(
    context: LocationContext,
    call: Call<(), OfContact, ContactFiles>,
) -> Result<One<Contact>, Error> {
    let (OfContact(contact), ContactFiles(files)) = (call.query, call.body);
    if files.is_empty() {
        return Err(Error::invalid("files", "should not be empty; send parts called <customFieldId>_<fileId>"));
    }
    call.app.upload_contact_files(&context, contact, files).await.map(One)
}

pub(crate) async fn download(call: Call<FileSecret>) -> Result<Sent, Error> {
    let opened = call.app.open_file(&call.path.0).await?;
    Ok(Sent { download: Download::new(call.app, opened), is_for_all: true })
}

/// A file of a submission, by the ids of all three.
pub(crate) async fn download_answer<K: FormShape>(
    context: LocationContext,
    call: Call<(Place<K>, FileId)>,
) -> Result<Sent, Error> {
    let ((form, submission), file) = call.path;
    let opened = call.app.open_submission_file(&context, form, submission, file).await?;
    Ok(Sent { download: Download::new(call.app, opened), is_for_all: false })
}

impl Part for FileId {
    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    fn missing(text: &str) -> Error {
        Error::NotFound(Noun::File, text.to_owned())
    }

    fn schema() -> Value {
        word::id("The id of a file")
    }
}

/// A file that is sent.
pub(crate) struct Sent {
    download: Download,
    /// Whether pages of other sites may show what is in it.
    is_for_all: bool,
}

impl Output for Sent {
    fn reply(self, status: u16, _: Way, _: bool) -> Reply {
        let Self { download, is_for_all } = self;
        let (mut headers, kind) = (download.headers(), download.kind());
        if is_for_all {
            let anywhere = HeaderValue::from_static("cross-origin");
            headers.push((HeaderName::from_static("cross-origin-resource-policy"), anywhere));
        }
        let frames = download.into_pieces().map_ok(Frame::data);
        let stream = Some(BodyExt::boxed_unsync(StreamBody::new(frames)));
        Reply { status, stream, headers, ..Reply::of(Vec::new(), Content::Other(kind)) }
    }

    fn describe(_: &mut Definitions) -> Answer {
        Answer::Other("*/*", json!({"type": "string", "contentMediaType": "application/octet-stream"}))
    }
}
