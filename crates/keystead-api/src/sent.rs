//! What a request brings: the fields of its query and of its body, and the headers and files that its route takes.

use http::{HeaderMap, HeaderValue, Method, header, request::Parts};
use keystead_core::{Error, ErrorCode};
use keystead_http::{BodyError, Crowded, Form, FormError, Names, ReadBody, RequestBody, Upload, read_body, read_form};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::{failure::Failure, json, route::Route};

/// A body that was read.
pub(crate) struct Sent {
    pub(crate) fields: Map<String, Value>,
    pub(crate) files: Vec<(String, Upload)>,
    said: Said,
}

/// What tells two bodies apart. It holds the room that they take in memory.
enum Said {
    Nothing,
    Bytes(ReadBody),
    Form(Box<Form>),
}

/// How files are sent.
const FORM: &str = "multipart/form-data";

impl Sent {
    /// Reads the body as its route takes it, JSON of up to `limit` bytes or a form.
    pub(crate) async fn read(route: &Route, parts: &Parts, body: RequestBody, limit: usize) -> Result<Self, Failure> {
        let may_be_form = route.file_bytes().is_some();
        if let Some(file_bytes) = route.file_bytes()
            && (!route.takes_json() || kind_of(&parts.headers)?.is_some_and(|kind| essence(kind) == FORM))
        {
            return Self::read_form(&parts.headers, body, file_bytes).await.map_err(about_forms);
        }
        let bytes = read_body(body, limit).await.map_err(body_failure)?;
        let fields = parse_body(&parts.method, &parts.headers, &bytes, may_be_form)?;
        Ok(Self { fields, files: Vec::new(), said: Said::Bytes(bytes) })
    }

    async fn read_form(headers: &HeaderMap, body: RequestBody, file_bytes: u64) -> Result<Self, Failure> {
        let kind = kind_of(headers)?.filter(|kind| essence(kind) == FORM);
        let kind = kind.ok_or_else(|| Failure::new(ErrorCode::MediaType, "The body must be multipart/form-data"))?;
        let mut form = read_form(body, kind, file_bytes, Names::Refused).await.map_err(form_failure)?;
        let mut fields = Map::new();
        for (name, text) in std::mem::take(&mut form.texts) {
            add(&mut fields, &name, text);
        }
        let files = std::mem::take(&mut form.files);
        Ok(Self { fields, files, said: Said::Form(Box::new(form)) })
    }

    /// No body.
    pub(crate) fn nothing() -> Self {
        Self::fields(Map::new())
    }

    /// A body that nobody sent: what it says is known.
    pub(crate) fn fields(fields: Map<String, Value>) -> Self {
        Self { fields, files: Vec::new(), said: Said::Nothing }
    }

    /// Whether it came as a form.
    pub(crate) fn is_form(&self) -> bool {
        matches!(self.said, Said::Form(_))
    }

    /// Whether nothing was sent.
    pub(crate) fn is_empty(&self) -> bool {
        self.said().is_empty()
    }

    /// The same for a body that says the same.
    pub(crate) fn said(&self) -> &[u8] {
        match &self.said {
            Said::Nothing => &[],
            Said::Bytes(bytes) => bytes,
            Said::Form(form) => &form.digest,
        }
    }
}

/// The headers that a route asks for, as far as they were sent.
pub(crate) fn headers(route: &Route, sent: &HeaderMap) -> Map<String, Value> {
    let mut fields = Map::new();
    for name in route.headers() {
        for value in sent.get_all(name) {
            add(&mut fields, name, String::from_utf8_lossy(value.as_bytes()).into_owned());
        }
    }
    fields
}

/// A query as fields; `a=1&a=2` and `a[]=1&a[]=2` are lists.
pub(crate) fn parse_query(query: Option<&str>) -> Result<Map<String, Value>, Failure> {
    let mut fields = Map::new();
    let Some(query) = query else { return Ok(fields) };
    let decode = |text: &str| {
        percent_decode_str(&text.replace('+', " ")).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| {
            Failure {
                hint: Some("Percent-encode the query's names and values as UTF-8.".to_owned()),
                ..Failure::new(ErrorCode::MalformedBody, "The query is not UTF-8")
            }
        })
    };
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        add(&mut fields, &decode(name)?, decode(value)?);
    }
    Ok(fields)
}

/// Adds a text; more than one of a name are a list.
fn add(fields: &mut Map<String, Value>, name: &str, text: String) {
    let (name, text) = (name.strip_suffix("[]").unwrap_or(name), Value::String(text));
    match fields.get_mut(name) {
        None => {
            fields.insert(name.to_owned(), text);
        }
        Some(Value::Array(list)) => list.push(text),
        Some(first) => *first = Value::Array(vec![first.take(), text]),
    }
}

/// A body as fields. GET has none that means anything, though some clients send one.
fn parse_body(
    method: &Method,
    headers: &HeaderMap,
    bytes: &[u8],
    may_be_form: bool,
) -> Result<Map<String, Value>, Failure> {
    if bytes.iter().all(u8::is_ascii_whitespace) || [Method::GET, Method::HEAD].contains(method) {
        return Ok(Map::new());
    }
    let essence = kind_of(headers)?.map(essence);
    if essence.as_deref().is_some_and(|essence| essence != "application/json" && !essence.ends_with("+json")) {
        let or_form = if may_be_form { " or, with files, multipart/form-data" } else { "" };
        return Err(Failure::new(ErrorCode::MediaType, format!("The body must be application/json{or_form}")));
    }
    json::parse_object(bytes).map_err(unreadable)
}

/// What a body is said to be, if it is sent as it is.
fn kind_of(headers: &HeaderMap) -> Result<Option<&str>, Failure> {
    let encoding = headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes);
    if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case(b"identity")) {
        return Err(Failure::new(ErrorCode::MediaType, "The body must not have a Content-Encoding"));
    }
    Ok(headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()))
}

/// Without parameters.
fn essence(kind: &str) -> String {
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn unreadable(problem: String) -> Failure {
    Failure::new(ErrorCode::MalformedBody, format!("The body is not readable: {problem}"))
}

fn body_failure(error: BodyError) -> Failure {
    let code = match error {
        BodyError::TooLarge => ErrorCode::BodyTooLarge,
        BodyError::TooSlow => ErrorCode::RequestTimeout,
        BodyError::Broken => ErrorCode::MalformedBody,
        BodyError::NoRoom => return Error::Overloaded(Crowded::COME_BACK).into(),
    };
    Failure::new(code, code.title())
}

/// Says how a form is sent, where the failure would say how JSON is.
fn about_forms(failure: Failure) -> Failure {
    const FIX: &str = "Send one form with Content-Type: multipart/form-data and its boundary, without Content-Encoding; each part \
                       has a name, and the last boundary ends it.";
    match failure.code {
        ErrorCode::MalformedBody | ErrorCode::MediaType => Failure { hint: Some(FIX.to_owned()), ..failure },
        _ => failure,
    }
}

fn form_failure(error: FormError) -> Failure {
    match error {
        FormError::Malformed(problem) => unreadable(problem),
        error @ FormError::TooMany(_) => unreadable(error.to_string()),
        FormError::Body(error) => body_failure(error),
        FormError::Disk(error) => Error::Internal(format!("an uploaded file cannot be kept: {error}")).into(),
    }
}
