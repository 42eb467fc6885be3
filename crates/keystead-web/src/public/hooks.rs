//! Where other programs send to inbound webhooks.

use std::collections::HashMap;

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequestParts, Path, Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use keystead_core::{CHAIN_HEADER, Error, ErrorCode, IdempotencyKey, Incoming, Intake, Received, RequestId, Violation};
use keystead_http::{Arrival, read_body};
use keystead_model::inbound_webhook::is_json_in_a_form;
use serde_json::{Value, json};

use super::{Said, is_form, text};
use crate::Web;

/// Bytes of one body.
const LIMIT: usize = 256 * 1024;
/// What is said to those who send JSON as if it were a form.
const MISTAKEN: &str = "The body looks like JSON; send Content-Type: application/json";
/// After how many seconds senders come again while it is suspended: that lasts, and what they keep meanwhile is not lost.
const RESUMED_AFTER: &str = "3600";

/// The request with its body read, if it may go on. It is counted before that. That only `POST` goes on is said whether there is
/// anything or not.
pub(super) async fn admitted(web: &Web, request: Request<Body>) -> Result<Request<Body>, Said> {
    if request.method() != Method::POST {
        return Err(Said::NotTaken(ErrorCode::MethodNotAllowed));
    }
    if let Some(arrival) = request.extensions().get::<Arrival>().filter(|arrival| arrival.address_is_own) {
        let names = request.uri().path().strip_prefix("/hooks/").and_then(|names| names.split_once('/'));
        let (id, token) = names.unwrap_or_default();
        web.app.count_of_sender(id, token, arrival.address).await.map_err(Said::of)?;
    }
    if !is_readable(request.headers()) {
        return Err(Said::NotTaken(ErrorCode::MediaType));
    }
    let (parts, body) = request.into_parts();
    let body = read_body(body, LIMIT).await.map_err(|error| Said::not_read(&error))?;
    Ok(Request::from_parts(parts, Body::from(body.into_bytes())))
}

/// Whether a body is written in a way that we read: not compressed, and not in parts.
fn is_readable(headers: &HeaderMap) -> bool {
    let header = |name: HeaderName| text(headers, name.as_str()).unwrap_or_default().trim().to_ascii_lowercase();
    let is_plain = ["", "identity"].contains(&header(header::CONTENT_ENCODING).as_str());
    is_plain && !header(header::CONTENT_TYPE).starts_with("multipart/")
}

/// `POST /hooks/{id}/{token}`.
pub(super) async fn receive(State(web): State<Web>, request: Request<Body>) -> Response {
    let (mut parts, body) = request.into_parts();
    let names = Path::<HashMap<String, String>>::from_request_parts(&mut parts, &web).await;
    let arrival = parts.extensions.get::<Arrival>().copied();
    let trace = arrival.map(|arrival| arrival.id);
    let Some((id, token)) = names.ok().and_then(|Path(mut names)| {
        if names.contains_key("rest") { None } else { names.remove("id").zip(names.remove("token")) }
    }) else {
        return Said::Nothing.for_program(trace);
    };
    let (Some(arrival), Ok(body)) = (arrival, to_bytes(body, LIMIT).await) else {
        return Said::Nothing.for_program(trace);
    };
    let headers = &parts.headers;
    let ids = (IdempotencyKey::sent(headers, "webhook-id"), IdempotencyKey::sent(headers, "Idempotency-Key"));
    let (sent_id, key) = match ids {
        (Ok(sent_id), Ok(key)) => (sent_id, key),
        (Err(error), _) | (_, Err(error)) => return failed(error, trace),
    };
    // What is no text is none that anybody signs, and is told so by what reads it.
    let signing = |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let incoming = Incoming {
        id,
        token,
        sent_id,
        key,
        signature: signing("webhook-timestamp").zip(signing("webhook-signature")),
        chain: text(headers, CHAIN_HEADER).map(str::to_owned),
        body: body.into(),
        is_form: is_form(headers),
        address: arrival.address,
        request: arrival.id,
    };
    let is_mistaken = incoming.is_form && is_json_in_a_form(&incoming.body);
    match web.app.receive_inbound(incoming).await {
        Ok(Intake::Taken(received)) => taken(&received, is_mistaken.then_some(MISTAKEN), trace),
        Ok(Intake::NotSigned(why)) => refusal(ErrorCode::NotSigned, why, &[], trace),
        Ok(Intake::Suspended) => {
            // Not the 403 of keys, after which a sender would give up.
            let (status, code) = (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::TenantSuspended);
            let mut answer = refusal_with(status, code, code.title(), &[], trace);
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RESUMED_AFTER));
            answer
        }
        Ok(Intake::Nowhere) => Said::Nothing.for_program(trace),
        Err(error) => failed(error, trace),
    }
}

/// What was not taken at all.
fn failed(error: Error, trace: Option<RequestId>) -> Response {
    match error {
        Error::Invalid(violations) => {
            let problems: Vec<(String, String)> =
                violations.into_iter().map(|Violation { field, problem }| (field, problem)).collect();
            refusal(ErrorCode::InvalidInput, "Nothing of this was taken", &problems, trace)
        }
        Error::Conflict(code @ ErrorCode::IdempotencyMismatch, message) => refusal(code, &message, &[], trace),
        error => Said::of(error).for_program(trace),
    }
}

/// A payload that makes no contact is kept all the same, and its sender is told what is wrong with it.
fn taken(received: &Received, hint: Option<&str>, trace: Option<RequestId>) -> Response {
    let Received { count, problems, is_repeated } = received;
    let mut answer = json!({"received": count});
    if *is_repeated {
        answer["repeated"] = true.into();
    }
    if let Some(hint) = hint {
        answer["hint"] = hint.into();
    }
    if problems.is_empty() {
        return json(StatusCode::ACCEPTED, &answer);
    }
    let message = "What was sent is kept, and some or all of it makes no contact as it is";
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    refuse(&mut answer, (status, ErrorCode::InvalidInput), message, problems, trace);
    json(status, &answer)
}

/// A failure with its code and the id of its request, as those of the API have them.
pub(super) fn refusal(
    code: ErrorCode,
    message: &str,
    problems: &[(String, String)],
    trace: Option<RequestId>,
) -> Response {
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    refusal_with(status, code, message, problems, trace)
}

/// The same with another status than its code has elsewhere.
pub(super) fn refusal_with(
    status: StatusCode,
    code: ErrorCode,
    message: &str,
    problems: &[(String, String)],
    trace: Option<RequestId>,
) -> Response {
    let mut answer = json!({});
    refuse(&mut answer, (status, code), message, problems, trace);
    let mut response = json(status, &answer);
    response.extensions_mut().insert(code);
    if code == ErrorCode::MethodNotAllowed {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

/// Says in a body why something was refused, and the status that is sent with it.
fn refuse(
    answer: &mut Value,
    (status, code): (StatusCode, ErrorCode),
    message: &str,
    problems: &[(String, String)],
    trace: Option<RequestId>,
) {
    answer["statusCode"] = status.as_u16().into();
    answer["message"] = message.into();
    answer["code"] = code.as_str().into();
    answer["traceId"] = trace.map(|trace| trace.to_string()).into();
    if !problems.is_empty() {
        let error =
            |(field, problem): &(String, String)| json!({"field": field, "message": format!("{field} {problem}")});
        answer["errors"] = problems.iter().map(error).collect();
    }
}

/// An answer for programs.
fn json(status: StatusCode, answer: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], answer.to_string()).into_response()
}
