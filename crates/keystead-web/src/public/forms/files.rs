//! Files that strangers give as answers: how much of them is read, and how they are told of where something is wrong.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use http::{Request, header};
use keystead_core::{Error, FileRoom, FormFile, OpenForm, SUBMISSION_BYTES};
use keystead_http::{BODY_LIMIT, BodyError, Form, FormError, Names, read_body, read_form};
use keystead_model::form_schema::{FILE_MB, FILES, FileRule};

use crate::{
    Web,
    form::Fields,
    public::{Said, text},
};

/// What is said of a file that is no answer.
pub(super) const UNASKED: &str = "names no field of the form that asks for files";

/// What a form brought with its files, and the room that they take meanwhile. It is read before its page has a place to work, which
/// must not be held while somebody sends them.
#[derive(Clone)]
pub(crate) struct Brought(Arc<Mutex<Option<Whole>>>);

/// A form, and the room that its files take; none where it asks for no files.
type Whole = (Form, Option<FileRoom>);

impl Brought {
    /// The form, once.
    fn take(&self) -> Option<Whole> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Whether a request brings files, or may.
pub(crate) fn are_sent<B>(request: &Request<B>) -> bool {
    let kind = text(request.headers(), header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("multipart/form-data") && request.uri().path().starts_with("/f/")
}

/// The request with its form read, if there is room for the files that are asked for.
pub(crate) async fn read(web: &Web, request: Request<Body>) -> Result<Request<Body>, Said> {
    let (mut parts, body) = request.into_parts();
    let id = parts.uri.path().split('/').nth(2).unwrap_or_default();
    let form = super::open(web, id).await?;
    let said = text(&parts.headers, header::CONTENT_LENGTH.as_str()).and_then(|length| length.parse::<u64>().ok());
    // Beside its files a form has texts.
    if said.is_some_and(|length| length > SUBMISSION_BYTES + BODY_LIMIT as u64) {
        return Err(Said::TooLarge);
    }
    let kind = text(&parts.headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let (read, room) = if form.schema.has_files() {
        let bytes = said.unwrap_or(SUBMISSION_BYTES).min(SUBMISSION_BYTES);
        let Some(room) = web.app.room_for_files(&form, bytes).await.map_err(Said::of)? else {
            // Some of it is passed over, so that most browsers come to read why.
            let _ = read_body(body, 0).await;
            return Err(Said::NoRoom);
        };
        (read_form(body, kind, SUBMISSION_BYTES, Names::Mended).await.map_err(not_read)?, Some(room))
    } else {
        // Scripts send all forms so. A file that nobody asked for is read as far as a text would be, to be named.
        let read = read_form(body, kind, BODY_LIMIT as u64, Names::Mended).await;
        let read = read.map_err(|error| match error {
            FormError::Body(BodyError::TooLarge) => Said::NoFiles,
            error => not_read(error),
        })?;
        (read, None)
    };
    if read.texts.iter().any(|(name, text)| name.contains('\0') || text.contains('\0')) {
        return Err(Said::BROKEN);
    }
    parts.extensions.insert(Brought(Arc::new(Mutex::new(Some((read, room))))));
    Ok(Request::from_parts(parts, Body::empty()))
}

fn not_read(error: FormError) -> Said {
    match error {
        FormError::Malformed(_) => Said::BROKEN,
        FormError::TooMany(_) => Said::TooMany,
        FormError::Body(BodyError::TooLarge) => Said::TooLarge,
        FormError::Body(error) => Said::not_read(&error),
        FormError::Disk(error) => {
            tracing::error!("a file that a stranger sent cannot be kept: {error}");
            Said::of(Error::Internal(error.to_string()))
        }
    }
}

/// What was sent: texts, and the files of fields that ask for some. The room for these is free again when it is dropped.
pub(super) struct Sent {
    pub(super) fields: Fields,
    pub(super) files: Vec<FormFile>,
    /// Under which names files came that no field asks for.
    pub(super) unasked: Vec<String>,
    _room: Option<FileRoom>,
}

impl Sent {
    /// What was read by [`read`].
    pub(super) fn of(form: &OpenForm, brought: &Brought) -> Result<Self, Said> {
        let (Form { texts, files, .. }, room) = brought.take().ok_or(Said::BROKEN)?;
        let chosen = files.into_iter().filter(|(_, file)| file.is_chosen());
        let (files, unasked): (Vec<_>, Vec<_>) = chosen.partition(|(key, _)| form.schema.takes_files(key));
        let files = files.into_iter().map(|(key, file)| file.into_answer(key)).collect();
        let unasked = unasked.into_iter().map(|(key, _)| key).collect();
        Ok(Self { fields: Fields::from(texts), files, unasked, _room: room })
    }

    /// What a form brought without files.
    pub(super) fn of_texts(texts: Vec<(String, String)>) -> Self {
        Self { fields: Fields::from(texts), files: Vec::new(), unasked: Vec::new(), _room: None }
    }

    /// The files, and what they are called, by the keys of their fields.
    pub(super) fn take_files(&mut self) -> (Vec<FormFile>, Vec<(String, String)>) {
        let name = |file: &FormFile| (file.key.clone(), file.new.name.clone().unwrap_or_default());
        let names = self.files.iter().map(name).collect();
        (std::mem::take(&mut self.files), names)
    }
}

/// What files a field takes, said below its question.
pub(super) fn limits(rule: &FileRule) -> String {
    let formats: Vec<&str> = rule.formats.iter().map(|format| format.as_str()).collect();
    let what = if formats.is_empty() { String::new() } else { format!("{}; ", formats.join(", ")) };
    if rule.is_multiple {
        return format!("{what}up to {FILES} files of {FILE_MB} MB each.");
    }
    format!("{what}up to {FILE_MB} MB.")
}
