//! Contacts as files that are sent while they are made: those that a list shows, and all that is kept of one.

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use futures_util::{TryStreamExt, stream};
use http::{HeaderMap, header};
use keystead_core::{ContactFormat, Error, ErrorCode, InParts, error::Noun};

use super::list::filter;
use crate::{
    Web,
    failure::Failure,
    list::Asked,
    place::{self, Here},
};

pub(crate) async fn export_csv(web: State<Web>, asked: Asked, here: Here) -> Result<Response, Failure> {
    send(web, asked, here, ContactFormat::Csv).await
}

pub(crate) async fn export_json_lines(web: State<Web>, asked: Asked, here: Here) -> Result<Response, Failure> {
    send(web, asked, here, ContactFormat::JsonLines).await
}

async fn send(State(web): State<Web>, asked: Asked, here: Here, format: ContactFormat) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    let filter = filter(&here, &asked, web.app.now())?.1;
    let export = web.app.export_contacts(&context, filter, format, web.downloads.clone()).await?;
    let kind = match format {
        ContactFormat::Csv => ("text/csv; charset=utf-8", "contacts.csv"),
        ContactFormat::JsonLines => ("application/jsonl", "contacts.jsonl"),
    };
    download(web, here, export, kind).await
}

/// All that is kept of a contact.
pub(crate) async fn everything(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    let dossier = web.app.export_contact(&context, here.id(Noun::Contact)?, web.downloads.clone()).await?;
    download(web, here, dossier, ("application/json", "contact.json")).await
}

async fn download(
    web: Web,
    here: Here,
    mut file: impl InParts + 'static,
    (kind, name): (&str, &str),
) -> Result<Response, Failure> {
    // Read before anything is sent: what cannot be had is told on a page.
    let first = file.next().await?;
    let sending = Sending { web, headers: here.visitor.headers, file, first };
    let bytes = stream::try_unfold(sending, Sending::next);
    const WHAT: &str = "a download of contacts broke off";
    let bytes = bytes.inspect_err(|error| tracing::error!(cause = error.cause(), "{WHAT}: {error}"));
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, Body::from_stream(bytes)).into_response())
}

/// A file on its way. It is dropped with the connection, and nothing goes on without it.
struct Sending<F> {
    web: Web,
    headers: HeaderMap,
    file: F,
    first: Option<Vec<u8>>,
}

impl<F: InParts> Sending<F> {
    async fn next(mut self) -> Result<Option<(Vec<u8>, Self)>, Error> {
        if let Some(first) = self.first.take() {
            return Ok(Some((first, self)));
        }
        // Whoever signed out or was disabled gets no more, and sees that it is not the whole.
        if place::session(&self.web, &self.headers).await?.is_none() {
            return Err(Error::Unauthenticated(ErrorCode::SignInNeeded));
        }
        Ok(self.file.next().await?.map(|bytes| (bytes, self)))
    }
}
