//! Files of custom fields: how they are sent, and how they are read again.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::try_unfold;
use http::{HeaderName, HeaderValue, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use keystead_core::{App, Error, FILE_BYTES, LocationContext, NewFile};
use keystead_http::Upload;
use keystead_model::{ContactId, LocationId, contact::Contact, custom_field::MAX_FILES, file::StoredFile};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::samples;
use crate::{
    call::Call,
    reader::Reader,
    reply::{Content, Reply},
    shape::{
        Bare, Fields, Input, One, Output, Way, Written,
        held::{FileMeta, UrlsByName},
        output::{Answer, Definitions},
        path::FileSecret,
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
    let new = |(part, upload): (String, Upload)| {
        let (name, kind, size) = (upload.name.clone(), upload.kind.clone(), upload.length);
        NewFile { part, name, kind, size, bytes: Box::new(upload) }
    };
    reader.files("files").into_iter().map(new).collect()
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

pub(crate) async fn download(call: Call<FileSecret>) -> Result<Download, Error> {
    let (location, file) = call.app.open_file(&call.path.0).await?;
    Ok(Download { app: call.app, location, file: Arc::new(file) })
}

/// A file that is read while it is sent.
pub(crate) struct Download {
    app: App,
    location: LocationId,
    file: Arc<StoredFile>,
}

impl Output for Download {
    fn reply(self, status: u16, _: Way, _: bool) -> Reply {
        let headers = headers(&self.file);
        let kind = kind(&self.file.kind);
        let pieces = try_unfold((self, 0), |(download, number)| async move {
            let Self { app, location, file } = &download;
            let Some(piece) = app.read_file(*location, file.id, number).await? else { return Ok(None) };
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(Some((
                Frame::data(Bytes::from(piece)),
                (download, number + 1),
            )))
        });
        let stream = Some(BodyExt::boxed_unsync(StreamBody::new(pieces)));
        Reply { status, stream, headers, ..Reply::of(Vec::new(), Content::Other(kind)) }
    }

    fn describe(_: &mut Definitions) -> Answer {
        Answer::Other("*/*", json!({"type": "string", "contentMediaType": "application/octet-stream"}))
    }
}

/// Kinds that browsers and other programs may take for what they are. All others are bytes, whatever their sender says.
const KINDS: [&str; 15] = [
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "application/pdf",
    "application/msword",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.ms-excel",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/zip",
    "text/csv",
    "text/plain",
    "video/mp4",
    "video/mpeg",
    "audio/mpeg",
];

fn kind(told: &str) -> &'static str {
    KINDS.into_iter().find(|kind| told.eq_ignore_ascii_case(kind)).unwrap_or("application/octet-stream")
}

/// It is saved under its name and never shown in place; should a browser show it all the same, nothing in it runs.
fn headers(file: &StoredFile) -> Vec<(HeaderName, HeaderValue)> {
    let plain: String =
        file.name.chars().map(|c| if c.is_ascii_alphanumeric() || " ._-()".contains(c) { c } else { '_' }).collect();
    let encoded = utf8_percent_encode(&file.name, NON_ALPHANUMERIC);
    let disposition = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}");
    let length = HeaderValue::from(file.size.unsigned_abs());
    let disposition = HeaderValue::from_str(&disposition).unwrap_or(HeaderValue::from_static("attachment"));
    vec![
        (header::CONTENT_LENGTH, length),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'")),
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ]
}
