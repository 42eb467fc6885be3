//! The door for scripts of other sites.
//!
//! Whoever may read what it answers, their browser decides by the origins that the form allows; sent is it either way.

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::{Path, Request, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use keystead_core::{Error, ErrorCode, FormFile, OpenForm, StrangersAnswers};
use keystead_http::Arrival;
use keystead_model::{form::SubmissionKey, form_answers, invalid::in_words, text::echo};
use serde_json::{Map, Value as Json, json};

use super::{
    answers_in,
    files::{self, Brought, Sent},
    open, said_after, visit, with_names,
};
use crate::{
    Web,
    guard::asked,
    public::{self, OnBeat, Said},
};

/// What a script sends.
struct Message {
    answers: Map<String, Json>,
    key: Option<SubmissionKey>,
    page: Option<String>,
    files: Vec<FormFile>,
    /// What these are called, by the keys of their fields.
    names: Vec<(String, String)>,
}

/// What is wrong, by the names of fields.
type Wrong = Vec<(String, String)>;

fn read(body: &[u8]) -> Result<Message, Wrong> {
    let whole = |problem: &str| vec![(String::new(), problem.to_owned())];
    let Ok(Json::Object(mut sent)) = serde_json::from_slice(body) else {
        return Err(whole("must be a JSON object with answers"));
    };
    let Some(Json::Object(answers)) = sent.remove("answers") else {
        return Err(vec![("answers".to_owned(), "must be an object".to_owned())]);
    };
    let mut wrong: Wrong = form_answers::check(&answers).into_iter().map(|(key, problem)| (key, problem.0)).collect();
    let mut text = |name: &str| match sent.remove(name) {
        None | Some(Json::Null) => None,
        Some(Json::String(text)) => Some(text),
        Some(_) => {
            wrong.push((name.to_owned(), "must be a string".to_owned()));
            None
        }
    };
    let (key, page) = (text("submissionId"), text("page"));
    let key = key_of(key.as_deref()).unwrap_or_else(|problem| {
        wrong.extend(problem);
        None
    });
    if wrong.is_empty() { Ok(Message { answers, key, page, files: Vec::new(), names: Vec::new() }) } else { Err(wrong) }
}

fn key_of(text: Option<&str>) -> Result<Option<SubmissionKey>, Wrong> {
    let key = text.map(SubmissionKey::parse).transpose();
    key.map_err(|problem| vec![("submissionId".to_owned(), problem.0)])
}

/// The same of a form with files, whose answers are parts.
fn read_form(form: &OpenForm, sent: &mut Sent) -> Result<Message, Wrong> {
    if !sent.unasked.is_empty() {
        return Err(sent.unasked.iter().map(|key| (echo(key), files::UNASKED.to_owned())).collect());
    }
    let (files, names) = sent.take_files();
    let fields = &sent.fields;
    let (key, page) = (key_of(fields.text("submissionId"))?, fields.text("page").map(str::to_owned));
    Ok(Message { answers: answers_in(&form.schema, fields), key, page, files, names })
}

/// Why what was sent did not come in whole.
#[derive(Clone)]
pub(crate) struct NotWhole(Said);

/// The request, if it may go on. What did not come in whole is answered by who knows which sites may read the answer.
pub(crate) async fn admitted(web: &Web, request: Request<Body>) -> Result<Request<Body>, Said> {
    let asked = asked(&request);
    match public::admitted(web, request).await {
        Err(said @ (Said::NotTaken(_) | Said::TooLarge | Said::TooMany | Said::NoFiles | Said::NoRoom)) => {
            let mut request = Request::from_parts(asked, Body::empty());
            request.extensions_mut().insert(NotWhole(said));
            Ok(request)
        }
        admitted => admitted,
    }
}

/// `POST /f/{id}/submissions`
pub(crate) async fn submit(
    State(web): State<Web>,
    Path(id): Path<String>,
    Extension(arrival): Extension<Arrival>,
    not_whole: Option<Extension<NotWhole>>,
    headers: HeaderMap,
    brought: Option<Extension<Brought>>,
    body: Bytes,
) -> Response {
    let form = match open(&web, &id).await {
        Ok(form) => form,
        Err(why) => return failed(why),
    };
    if let Some(Extension(NotWhole(said))) = not_whole {
        return readable(failed(said), &form, &headers);
    }
    let mut sent = match brought.map(|Extension(brought)| Sent::of(&form, &brought)).transpose() {
        Ok(sent) => sent,
        Err(why) => return readable(failed(why), &form, &headers),
    };
    let message = match &mut sent {
        Some(sent) => read_form(&form, sent),
        None => read(&body),
    };
    let response = match message {
        Ok(message) => take(&web, &form, &arrival, &headers, message).await,
        Err(wrong) => refused(wrong),
    };
    readable(response, &form, &headers)
}

async fn take(web: &Web, form: &OpenForm, arrival: &Arrival, headers: &HeaderMap, message: Message) -> Response {
    let Message { answers, key, page, files, names } = message;
    let new = StrangersAnswers {
        answers: answers.clone(),
        files,
        key,
        page: None,
        visit: visit(page.as_deref(), None, headers),
        address: arrival.address,
        address_is_own: arrival.address_is_own,
        request: Some(arrival.id),
    };
    match web.app.answer_form(form, new).await {
        Ok(()) => {
            let (message, redirect) = said_after(form, &with_names(answers, names));
            let message = Some(message).filter(|message| !message.is_empty());
            let mut response = said(StatusCode::OK, &json!({"message": message, "redirect": redirect}));
            response.extensions_mut().insert(OnBeat);
            response
        }
        Err(Error::Invalid(problems)) => {
            let key = |field: &str| field.strip_prefix("answers.").unwrap_or(field).to_owned();
            refused(problems.iter().map(|one| (key(&one.field), in_words(&one.problem).to_owned())).collect())
        }
        Err(error) => failed(Said::of(error)),
    }
}

fn refused(wrong: Wrong) -> Response {
    let errors: Vec<Json> =
        wrong.into_iter().map(|(field, problem)| json!({"field": field, "problem": problem})).collect();
    said(StatusCode::UNPROCESSABLE_ENTITY, &json!({"errors": errors}))
}

fn said(status: StatusCode, body: &Json) -> Response {
    let json = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, json)], body.to_string()).into_response()
}

/// What scripts are told where there is nothing else for them.
pub(crate) fn failed(why: Said) -> Response {
    let problem = format!("{}. {}", why.heading(), why.text());
    why.beside(said(why.status(), &json!({"errors": [{"field": "", "problem": problem}]})))
}

/// Lets a browser show the answer to the site that asked, if the form allows that site.
fn readable(mut response: Response, form: &OpenForm, asked: &HeaderMap) -> Response {
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = asked.get(header::ORIGIN)
        && form.schema.allowed_origins.iter().any(|allowed| allowed.as_str().as_bytes() == origin.as_bytes())
    {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
    response
}

/// What a browser asks before it sends JSON.
pub(crate) async fn allow(State(web): State<Web>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let Ok(form) = open(&web, &id).await else { return StatusCode::NO_CONTENT.into_response() };
    let mut response = readable(StatusCode::NO_CONTENT.into_response(), &form, &headers);
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}

/// Any other method.
pub(crate) async fn refuse(State(web): State<Web>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let form = match open(&web, &id).await {
        Ok(form) => form,
        Err(why) => return failed(why),
    };
    readable(failed(Said::NotTaken(ErrorCode::MethodNotAllowed)), &form, &headers)
}
