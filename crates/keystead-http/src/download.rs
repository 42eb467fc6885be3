//! Files that are read to be kept: under their names, and never shown in place.

use std::error::Error;

use bytes::Bytes;
use futures_util::stream::{Stream, try_unfold};
use http::{HeaderName, HeaderValue, header};
use keystead_core::App;
use keystead_model::{LocationId, file::StoredFile};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

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

/// A file that is read while it is sent.
pub struct Download {
    app: App,
    location: LocationId,
    file: StoredFile,
}

impl Download {
    /// Of what was opened.
    pub fn new(app: App, (location, file): (LocationId, StoredFile)) -> Self {
        Self { app, location, file }
    }

    /// What it is said to be.
    pub fn kind(&self) -> &'static str {
        KINDS.into_iter().find(|kind| self.file.kind.eq_ignore_ascii_case(kind)).unwrap_or("application/octet-stream")
    }

    /// With these it is saved under its name and not shown in place; should a browser show it all the same, nothing in it runs.
    pub fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let name = &self.file.name;
        let plain: String =
            name.chars().map(|c| if c.is_ascii_alphanumeric() || " ._-()".contains(c) { c } else { '_' }).collect();
        let encoded = utf8_percent_encode(name, NON_ALPHANUMERIC);
        let disposition = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}");
        let length = HeaderValue::from(self.file.size.unsigned_abs());
        let disposition = HeaderValue::from_str(&disposition).unwrap_or(HeaderValue::from_static("attachment"));
        vec![
            (header::CONTENT_LENGTH, length),
            (header::CONTENT_DISPOSITION, disposition),
            (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'")),
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        ]
    }

    /// Its bytes, some at a time.
    pub fn into_pieces(self) -> impl Stream<Item = Result<Bytes, Box<dyn Error + Send + Sync>>> + Send + 'static {
        try_unfold((self, 0), |(download, number)| async move {
            let Self { app, location, file } = &download;
            let Some(piece) = app.read_file(*location, file.id, number).await? else { return Ok(None) };
            Ok(Some((Bytes::from(piece), (download, number + 1))))
        })
    }
}
