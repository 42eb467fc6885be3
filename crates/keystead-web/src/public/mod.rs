//! The room for strangers: what anybody may open who was given its address.
//!
//! Here nobody is signed in and no browser is believed: no cookie is read or set, and a form may come from any site. What does
//! not exist, was taken back, or belongs to a place that is suspended or deleted, looks the same.

pub(crate) mod forms;
mod hooks;
mod links;

use std::time::Duration;

use askama::Template;
use axum::{
    Extension,
    body::Body,
    extract::{MatchedPath, Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{MethodRouter, any, get, options},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use keystead_core::{Error, ErrorCode, RequestId};
use keystead_http::{Answered, Arrival, BodyError, Crowded};
use tokio::time::Instant;

use self::forms::Stands;
use crate::{
    Table, Web,
    guard::{OPEN_FORM_LIMIT, Unread, has_nul, in_turn, say_always, with_form},
    page::{Frame, render},
};

/// What a surface may do that says nothing of its own: no script, no other host, no frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// Marks an answer that leaves at a beat: how long it took would say whether somebody is known.
#[derive(Clone, Copy)]
struct OnBeat;

/// Longer than what is written takes, whoever answers a form.
const BEAT: Duration = Duration::from_millis(20);

/// After how many beats an answer leaves that took so long: never at once.
fn beats(took: Duration) -> u32 {
    u32::try_from(took.as_millis() / BEAT.as_millis()).unwrap_or(u32::MAX - 1) + 1
}

/// How those speak who come to a surface: what they send, and how they are told that it comes to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// Browsers send forms, and people read pages.
    Page,
    /// Scripts of other sites send JSON, and read what is wrong by the names of fields.
    Script,
    /// Programs send what they have, and read a status and a message.
    Hook,
}

impl Manner {
    /// The request with its body read, if it may go on. What strangers send is counted before anybody reads it.
    async fn admitted(self, web: &Web, request: Request<Body>) -> Result<Request<Body>, Said> {
        match self {
            Self::Page => admitted(web, request).await,
            Self::Script => forms::json_admitted(web, request).await,
            Self::Hook => hooks::admitted(web, request).await,
        }
    }

    fn say(self, said: Said, trace: Option<RequestId>) -> Response {
        match self {
            Self::Page => said.into_response(),
            Self::Script => forms::json_failed(said),
            Self::Hook => said.for_program(trace),
        }
    }
}

/// The paths of what strangers may open, with how those speak who come there.
fn surfaces() -> impl Iterator<Item = (&'static str, Manner, MethodRouter<Web>)> {
    // Under a surface's letter nothing else is looked for: whoever is signed in is nobody there, too.
    let links =
        ["/l", "/l/{slug}", "/l/{slug}/{token}", "/l/{slug}/{token}/{*rest}"].map(|path| (path, any(links::follow)));
    let hooks = ["/hooks", "/hooks/{id}", "/hooks/{id}/{token}", "/hooks/{id}/{token}/{*rest}"]
        .map(|path| (path, any(hooks::receive)));
    let form = |stands: Stands| get(forms::show).post(forms::submit).layer(Extension(stands));
    let forms: [(&str, MethodRouter<Web>); 4] = [
        ("/f/embed.js", get(forms::embed_script)),
        ("/f/{id}", form(Stands::Alone)),
        ("/f/{id}/{slug}", get(forms::show_by_name)),
        ("/f/{id}/embed", form(Stands::InFrame)),
    ];
    let scripts =
        [("/f/{id}/submissions", options(forms::allow).post(forms::submit_json).fallback(forms::refuse_json))];
    let pages = links.into_iter().chain(forms).map(|(path, handlers)| (path, Manner::Page, handlers));
    let scripts = scripts.into_iter().map(|(path, handlers)| (path, Manner::Script, handlers));
    pages.chain(scripts).chain(hooks.into_iter().map(|(path, handlers)| (path, Manner::Hook, handlers)))
}

/// The table of what strangers may open, each in the [`room`].
pub(crate) fn routes(web: &Web) -> Table {
    let in_room = |(path, manner, handlers): (&str, Manner, MethodRouter<Web>)| {
        (path.to_owned(), handlers.layer(from_fn_with_state((web.clone(), manner), room)))
    };
    surfaces().map(in_room).collect()
}

/// Its paths.
pub(crate) fn paths() -> impl Iterator<Item = &'static str> {
    surfaces().map(|(path, ..)| path)
}

/// Around every surface: who may be worked for, what is counted, and the headers that browsers enforce.
///
/// A surface that is to be framed says so in a `Content-Security-Policy` of its own.
async fn room(State((web, manner)): State<(Web, Manner)>, mut request: Request<Body>, next: Next) -> Response {
    // So that no surface can come to depend on one.
    request.headers_mut().remove(header::COOKIE);
    let begun = Instant::now();
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let route = path.and_then(|path| crate::endpoint(request.method(), path));
    let trace = request.extensions().get::<Arrival>().map(|arrival| arrival.id);
    let made = match manner.admitted(&web, request).await {
        Ok(request) => in_turn(&web.strangers, request, next).await.map_err(|_| Said::BUSY),
        Err(said) => Err(said),
    };
    let (mut response, waited) = made.unwrap_or_else(|said| (manner.say(said, trace), Duration::ZERO));
    if response.extensions_mut().remove::<OnBeat>().is_some() {
        // Its place to work is free again.
        tokio::time::sleep_until(begun + BEAT * beats(begun.elapsed())).await;
    }
    let code = response.extensions_mut().remove::<ErrorCode>();
    response.extensions_mut().insert(Answered { route, code, key: None, waited });
    let headers = response.headers_mut();
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex"));
    headers.remove(header::SET_COOKIE);
    say_always(&web, headers);
    response
}

/// The request with its form read, if it may go on. What strangers send is counted before anybody reads it.
async fn admitted(web: &Web, request: Request<Body>) -> Result<Request<Body>, Said> {
    if request.uri().query().is_some_and(|query| has_nul(query.as_bytes())) {
        return Err(Said::Nothing);
    }
    if request.method() != Method::POST {
        return Ok(request);
    }
    counted(web, &request, "form")?;
    if forms::files::are_sent(&request) {
        return forms::files::read(web, request).await;
    }
    with_form(request, OPEN_FORM_LIMIT).await.map_err(|unread| match unread {
        Unread::Body(error) => Said::not_read(&error),
        Unread::Nul => Said::NotTaken(ErrorCode::MalformedBody),
    })
}

/// Counts what strangers send of a kind, by where it comes from: before it is read.
fn counted(web: &Web, request: &Request<Body>, what: &'static str) -> Result<(), Said> {
    match request.extensions().get::<Arrival>() {
        Some(arrival) if arrival.address_is_own => web.app.count_of_stranger(what, arrival.address).map_err(Said::of),
        _ => Ok(()),
    }
}

/// What a header says, if that is a text.
fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether a body is what browsers send of a form without files.
fn is_form(headers: &HeaderMap) -> bool {
    let kind = text(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// What strangers are told where there is nothing else for them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Said {
    /// There is nothing, or nothing for them.
    Nothing,
    /// There was something, and whoever made it has ended it.
    Over,
    /// What they sent did not come in whole.
    NotTaken(ErrorCode),
    /// Files are larger than is taken.
    TooLarge,
    /// A form has more parts than is taken.
    TooMany,
    /// Files came to a form that asks for none.
    NoFiles,
    /// Files are more than is taken in a day.
    NoRoom,
    /// It is not done now; it may be after this long.
    Later(ErrorCode, Duration),
    /// It failed, and it is our fault.
    Failed(ErrorCode),
}

#[derive(Template)]
#[template(path = "public/said.html")]
struct Page {
    frame: Frame,
    heading: &'static str,
    text: &'static str,
}

impl Said {
    /// Too much is asked for.
    const BUSY: Self = Self::Later(ErrorCode::Overloaded, Crowded::COME_BACK);
    /// It is no form.
    const BROKEN: Self = Self::NotTaken(ErrorCode::MalformedBody);

    /// Why something did not work, without what is not for strangers to know.
    pub(crate) fn of(error: Error) -> Self {
        match (error.retry_after(), error.code()) {
            (Some(wait), code) => Self::Later(code, wait),
            (None, code) if code.status() < 500 => Self::Nothing,
            (None, code) => Self::Failed(code),
        }
    }

    /// Of what did not come in whole.
    fn not_read(error: &BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::NotTaken(ErrorCode::BodyTooLarge),
            BodyError::TooSlow => Self::NotTaken(ErrorCode::RequestTimeout),
            BodyError::NoRoom => Self::BUSY,
            BodyError::Broken => Self::NotTaken(ErrorCode::MalformedBody),
        }
    }

    /// As programs read it.
    fn for_program(self, trace: Option<RequestId>) -> Response {
        let code = self.code().unwrap_or(ErrorCode::NotFound);
        self.beside(hooks::refusal_with(self.status(), code, code.title(), &[], trace))
    }

    /// What failures are called, where it is one.
    fn code(self) -> Option<ErrorCode> {
        match self {
            Self::NotTaken(code) | Self::Later(code, _) | Self::Failed(code) => Some(code),
            Self::TooLarge | Self::NoFiles | Self::NoRoom => Some(ErrorCode::BodyTooLarge),
            Self::TooMany => Some(ErrorCode::MalformedBody),
            Self::Nothing | Self::Over => None,
        }
    }

    /// An answer with what else is said of it.
    fn beside(self, mut response: Response) -> Response {
        *response.status_mut() = self.status();
        if let Some(code) = self.code() {
            response.extensions_mut().insert(code);
        }
        if let Self::Later(_, wait) = self {
            response.headers_mut().insert(header::RETRY_AFTER, keystead_http::retry_after(wait));
        }
        response
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Nothing => StatusCode::NOT_FOUND,
            Self::Over => StatusCode::GONE,
            Self::TooLarge | Self::NoFiles | Self::NoRoom => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany => StatusCode::BAD_REQUEST,
            Self::NotTaken(code) | Self::Failed(code) | Self::Later(code, _) => {
                StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }

    pub(crate) fn heading(&self) -> &'static str {
        match self {
            Self::Nothing => "There is nothing here",
            Self::Over => "This has ended",
            Self::NotTaken(_) | Self::TooMany => "This did not arrive",
            Self::NoFiles => "No files are asked for here",
            Self::TooLarge => "These files are too large",
            Self::NoRoom => "No more files are taken today",
            Self::Later(..) => "Please try again in a moment",
            Self::Failed(_) => "Something went wrong",
        }
    }

    fn text(&self) -> &'static str {
        match self {
            Self::Nothing => "Check the address, or ask whoever sent it to you.",
            Self::Over => "It leads nowhere any more. Ask whoever sent you this address for a new one.",
            Self::NotTaken(ErrorCode::BodyTooLarge) => {
                "What you sent is longer than this takes, so nothing of it was kept. Go back, make it shorter, and send it again."
            }
            Self::NotTaken(ErrorCode::MethodNotAllowed) => "This address takes answers by POST only.",
            Self::NotTaken(ErrorCode::MediaType) => {
                "It was sent in a way that no form is sent in here, so nothing of it was kept. A form is sent as \
                 application/x-www-form-urlencoded or multipart/form-data."
            }
            Self::NotTaken(_) => "What you sent did not arrive whole. Go back and send it again.",
            Self::TooMany => {
                "What you sent has more than 500 parts, and no form asks for that many. Nothing of it was kept."
            }
            Self::NoFiles => "Nothing was sent. Go back and send it without files.",
            Self::TooLarge => {
                "Nothing was sent. A file may have up to 10 MB, and five are taken at once. Go back and choose smaller ones."
            }
            Self::NoRoom => {
                "Nothing was sent: more files came in today than are taken in a day. Go back and send it without files, or try again tomorrow."
            }
            Self::Later(ErrorCode::RateLimited, _) => {
                "More comes from where you are than is taken at once. If you sent something, nothing of it was kept: go back and \
                 send it again in a moment."
            }
            Self::Later(..) => {
                "There is more to do here than usual. If you sent something, nothing of it was kept: go back and send it again in \
                 a moment."
            }
            Self::Failed(_) => "The fault is ours, and we were told. Please try again later.",
        }
    }
}

impl IntoResponse for Said {
    fn into_response(self) -> Response {
        let page = render(&Page { frame: Frame::bare(self.heading()), heading: self.heading(), text: self.text() });
        self.beside(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_longer_or_less_long_leaves_at_the_same_beat() {
        for (took, then) in [(0, 1), (1, 1), (19, 1), (20, 2), (30, 2), (200, 11)] {
            assert_eq!(beats(Duration::from_millis(took)), then, "{took}");
        }
    }
}
