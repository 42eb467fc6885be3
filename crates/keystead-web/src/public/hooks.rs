//! Where other programs send to inbound webhooks.

use std::collections::HashMap;

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequestParts, Path, Request, State},
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode, header};
use keystead_core::{CHAIN_HEADER, Error, Incoming, Intake, Received, Violation};
use keystead_http::{Arrival, read_body};
use serde_json::json;

use super::{Said, counted, is_form, text};
use crate::Web;

/// Bytes of one body.
const LIMIT: usize = 256 * 1024;

/// The request with its body read, if it may go on. It is counted before that.
pub(super) async fn admitted(web: &Web, request: Request<Body>) -> Result<Request<Body>, Said> {
    if request.method() != Method::POST {
        return Err(Said::Nothing);
    }
    counted(web, &request, "hook")?;
    let (parts, body) = request.into_parts();
    let body = read_body(body, LIMIT).await.map_err(|error| Said::not_read(&error))?;
    Ok(Request::from_parts(parts, Body::from(body.into_bytes())))
}

/// `POST /hooks/{id}/{token}`.
pub(super) async fn receive(State(web): State<Web>, request: Request<Body>) -> Response {
    let (mut parts, body) = request.into_parts();
    let names = Path::<HashMap<String, String>>::from_request_parts(&mut parts, &web).await;
    let Some((id, token)) = names.ok().and_then(|Path(mut names)| {
        if names.contains_key("rest") { None } else { names.remove("id").zip(names.remove("token")) }
    }) else {
        return Said::Nothing.for_program();
    };
    let (Some(arrival), Ok(body)) = (parts.extensions.get::<Arrival>().copied(), to_bytes(body, LIMIT).await) else {
        return Said::Nothing.for_program();
    };
    let text = |name: &str| text(&parts.headers, name).map(str::to_owned);
    let incoming = Incoming {
        id,
        token,
        sent_id: text("webhook-id").or_else(|| text("idempotency-key")),
        signature: text("webhook-timestamp").zip(text("webhook-signature")),
        chain: text(CHAIN_HEADER),
        body: body.into(),
        is_form: is_form(&parts.headers),
        address: arrival.address,
        request: arrival.id,
    };
    match web.app.receive_inbound(incoming).await {
        Ok(Intake::Taken(received)) => taken(&received),
        Ok(Intake::NotSigned(why)) => refused(StatusCode::UNAUTHORIZED, why, &[]),
        Ok(Intake::Nowhere) => Said::Nothing.for_program(),
        Err(Error::Invalid(violations)) => {
            let problems: Vec<(String, String)> =
                violations.into_iter().map(|Violation { field, problem }| (field, problem)).collect();
            refused(StatusCode::UNPROCESSABLE_ENTITY, "Nothing of this was taken", &problems)
        }
        Err(error) => Said::of(error).for_program(),
    }
}

/// A payload that makes no contact is kept all the same, and its sender is told what is wrong with it.
fn taken(received: &Received) -> Response {
    let Received { count, problems, is_repeated } = received;
    let mut answer = json!({"received": count});
    if *is_repeated {
        answer["repeated"] = true.into();
    }
    if problems.is_empty() {
        return json(StatusCode::ACCEPTED, &answer);
    }
    answer["statusCode"] = 422.into();
    answer["message"] = "What was sent is kept, and makes no contact as it is".into();
    answer["errors"] = errors(problems);
    json(StatusCode::UNPROCESSABLE_ENTITY, &answer)
}

fn refused(status: StatusCode, message: &str, problems: &[(String, String)]) -> Response {
    let mut answer = json!({"statusCode": status.as_u16(), "message": message});
    if !problems.is_empty() {
        answer["errors"] = errors(problems);
    }
    json(status, &answer)
}

/// An answer for programs.
pub(super) fn json(status: StatusCode, answer: &serde_json::Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], answer.to_string()).into_response()
}

fn errors(problems: &[(String, String)]) -> serde_json::Value {
    problems.iter().map(|(field, problem)| json!({"field": field, "message": problem})).collect()
}
