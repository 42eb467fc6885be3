//! Forms that anybody may answer: their pages, the same in a frame, and the door for scripts of other sites.
//!
//! What is said afterwards is the same whoever answers, and without a script nothing is missing but comfort.

mod drawn;
pub(crate) mod files;
mod json;

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    Extension,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, Uri},
    response::Response,
};
use http::{HeaderValue, StatusCode, header};
use keystead_core::{Error, ErrorCode, FormAddress, OpenForm, StrangersAnswers, Violation};
use keystead_http::Arrival;
use keystead_model::{
    LocationId,
    form::{SubmissionKey, Visit},
    form_answers::BLANK,
    form_schema::{FieldKind, FormSchema},
    id::Id,
    text::{Line, echo},
};
use serde_json::{Map, Value as Json};

use self::files::{Brought, Sent};
pub(crate) use self::{
    drawn::{Drawn, PageView, plain_html},
    json::{admitted as json_admitted, allow, failed as json_failed, refuse as refuse_json, submit as submit_json},
};
use crate::{
    Web, assets,
    form::Fields,
    page::{render, render_with},
    public::{OnBeat, Said, is_form, text},
};

/// What a page of a form carries beside its fields, none of which begins so.
const ID: &str = "_id";
const TOKEN: &str = "_token";
const PAGE: &str = "_page";
const REFERRER: &str = "_referrer";

/// Longest answer that is repeated to whoever gave it.
const REPEATED: usize = 200;

/// Whether a form stands alone, or in a page of another site.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stands {
    Alone,
    InFrame,
}

#[derive(Template)]
#[template(path = "public/form.html")]
struct FormPage {
    id: String,
    title: String,
    location: String,
    accent: &'static str,
    embedded: bool,
    intro: String,
    submit: String,
    action: String,
    pages: Vec<PageView>,
    /// Problems, each with the id of its field.
    wrong: Vec<(String, String)>,
    /// Whether nothing is sent from it.
    is_preview: bool,
    /// Hidden fields of ours.
    carried: Vec<(&'static str, String)>,
    trap: String,
    /// What its script needs to show and hide fields; empty where nothing depends on anything.
    logic: String,
    /// Whether it asks for files.
    has_files: bool,
    /// Whether a script shows its pages one after another.
    has_steps: bool,
}

#[derive(Template)]
#[template(path = "public/thanks.html")]
struct ThanksPage {
    id: String,
    title: String,
    location: String,
    accent: &'static str,
    embedded: bool,
    message: String,
    redirect: Option<String>,
}

/// A form by its id.
async fn open(web: &Web, id: &str) -> Result<OpenForm, Said> {
    let id = Id::parse(id).ok_or(Said::Nothing)?;
    web.app.open_form(FormAddress::Id(id)).await.map_err(Said::of)
}

/// `/f/{id}`, and `/f/{id}/embed` for a frame.
pub(crate) async fn show(
    State(web): State<Web>,
    Path(id): Path<String>,
    Extension(stands): Extension<Stands>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Said> {
    let form = open(&web, &id).await?;
    Ok(shown(&web, &form, &uri, &headers, stands))
}

/// `/f/{location}/{slug}`
pub(crate) async fn show_by_name(
    State(web): State<Web>,
    Path((location, slug)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Said> {
    let location = LocationId::parse(&location).ok_or(Said::Nothing)?;
    let form = web.app.open_form(FormAddress::Slug(location, slug)).await.map_err(Said::of)?;
    Ok(shown(&web, &form, &uri, &headers, Stands::Alone))
}

fn shown(web: &Web, form: &OpenForm, uri: &Uri, headers: &HeaderMap, stands: Stands) -> Response {
    let query: Vec<(String, String)> =
        form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let mut sent = Vec::new();
    for field in form.schema.fields() {
        if let FieldKind::Hidden(hidden) = &field.kind {
            sent.push((field.key.clone(), drawn::hidden_value(hidden, &query)));
        }
    }
    let page = format!("{}{uri}", web.base_url);
    sent.extend([
        (ID.to_owned(), web.app.entropy().token()),
        (TOKEN.to_owned(), web.app.page_token(form.form.id).text),
        (PAGE.to_owned(), page),
        (REFERRER.to_owned(), text(headers, header::REFERER.as_str()).unwrap_or_default().to_owned()),
    ]);
    answered(render(&page_of(web, form, &Fields::from(sent), &[], stands)), form, stands)
}

fn page_of(web: &Web, form: &OpenForm, sent: &Fields, problems: &[Violation], stands: Stands) -> FormPage {
    let OpenForm { form: public, schema } = form;
    let pages: Vec<PageView> = schema.pages.iter().map(|page| PageView::new(page, sent, problems)).collect();
    let beside = pages.iter().flat_map(|page| &page.fields).filter(|shown| !shown.problem.is_empty());
    let mut wrong: Vec<(String, String)> =
        beside.map(|shown| (shown.id.clone(), drawn::beside(&shown.label, &shown.problem))).collect();
    wrong.extend(problems.iter().filter(|problem| key_of(problem, schema).is_none()).map(|problem| {
        match problem.problem.as_str() {
            BLANK => (drawn::first_asked(&pages), "Answer at least one question.".to_owned()),
            other => (String::new(), format!("{} {other}", problem.field)),
        }
    }));
    let token = sent.raw(TOKEN).and_then(|text| web.app.read_page_token(public.id, text));
    let trap = token.filter(|_| schema.spam.has_honeypot).map(|token| token.trap);
    let carried = [ID, TOKEN, PAGE, REFERRER].map(|name| (name, sent.shown(name)));
    let is_asked = |page: &&PageView| page.fields.iter().any(|shown| !shown.is_hidden());
    let has_steps = pages.iter().filter(is_asked).count() > 1;
    let end = if stands == Stands::InFrame { "/embed" } else { "" };
    FormPage {
        id: public.id.to_string(),
        title: schema.title.as_ref().unwrap_or(&public.name).as_str().to_owned(),
        location: public.location_name.clone(),
        accent: schema.accent.as_str(),
        embedded: stands == Stands::InFrame,
        intro: schema.intro.as_ref().map(|intro| intro.as_str().to_owned()).unwrap_or_default(),
        submit: schema.submit.as_ref().map_or("Send", Line::as_str).to_owned(),
        action: format!("/f/{}{end}", public.id),
        pages,
        wrong,
        is_preview: false,
        carried: carried.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
        trap: trap.unwrap_or_default(),
        logic: drawn::logic(schema),
        has_files: schema.has_files(),
        has_steps,
    }
}

/// A form as it looks, in a frame of ours; nothing is sent from it.
pub(crate) fn preview(web: &Web, form: &OpenForm) -> Response {
    let page = page_of(web, form, &Fields::default(), &[], Stands::InFrame);
    let page = FormPage { action: String::new(), is_preview: true, ..page };
    let schema = FormSchema { allowed_origins: Vec::new(), ..form.schema.clone() };
    answered(render(&page), &OpenForm { schema, ..form.clone() }, Stands::InFrame)
}

/// The key of the field that a violation is about.
fn key_of<'v>(violation: &'v Violation, schema: &FormSchema) -> Option<&'v str> {
    violation.field.strip_prefix("answers.").filter(|key| schema.field(key).is_some())
}

/// With what browsers enforce: where it may be framed, and that it runs our scripts only.
fn answered(mut response: Response, form: &OpenForm, stands: Stands) -> Response {
    let ancestors = match stands {
        Stands::Alone => "'none'".to_owned(),
        Stands::InFrame if form.schema.allowed_origins.is_empty() => "'self'".to_owned(),
        Stands::InFrame => {
            let origins: Vec<&str> = form.schema.allowed_origins.iter().map(|origin| origin.as_str()).collect();
            format!("'self' {}", origins.join(" "))
        }
    };
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors {ancestors}"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// `POST /f/{id}`, and `POST /f/{id}/embed` from a frame.
pub(crate) async fn submit(
    State(web): State<Web>,
    Path(id): Path<String>,
    Extension(stands): Extension<Stands>,
    Extension(arrival): Extension<Arrival>,
    headers: HeaderMap,
    brought: Option<Extension<Brought>>,
    body: Bytes,
) -> Result<Response, Said> {
    let form = open(&web, &id).await?;
    let sent = match brought {
        Some(Extension(brought)) => Sent::of(&form, &brought)?,
        None if is_form(&headers) => Sent::of_texts(form_urlencoded::parse(&body).into_owned().collect()),
        // Read as what it is not, it would be answers that nobody gave.
        None => return Err(Said::NotTaken(ErrorCode::MediaType)),
    };
    take(&web, &form, &arrival, &headers, sent, stands).await
}

async fn take(
    web: &Web,
    form: &OpenForm,
    arrival: &Arrival,
    headers: &HeaderMap,
    mut all: Sent,
    stands: Stands,
) -> Result<Response, Said> {
    let (files, names) = all.take_files();
    let sent = &mut all.fields;
    if !all.unasked.is_empty() {
        let about = |key: &String| Violation { field: echo(key), problem: files::UNASKED.to_owned() };
        let problems: Vec<Violation> = all.unasked.iter().map(about).collect();
        sent.extend(names);
        let page = page_of(web, form, sent, &problems, stands);
        return Ok(answered(render_with(StatusCode::UNPROCESSABLE_ENTITY, &page), form, stands));
    }
    let answers = answers_in(&form.schema, sent);
    let token = sent.raw(TOKEN).and_then(|text| web.app.read_page_token(form.form.id, text));
    let page = token.map(|token| {
        let is_trapped = sent.text(&token.trap).is_some();
        (token, is_trapped)
    });
    let new = StrangersAnswers {
        answers: answers.clone(),
        files,
        key: sent.text(ID).and_then(|key| SubmissionKey::parse(key).ok()),
        page,
        visit: visit(sent.text(PAGE), sent.text(REFERRER), headers),
        address: arrival.address,
        address_is_own: arrival.address_is_own,
        request: Some(arrival.id),
    };
    match web.app.answer_form(form, new).await {
        Ok(()) => Ok(answered(thanks(form, &with_names(answers, names), stands), form, stands)),
        Err(Error::Invalid(problems)) => {
            // Browsers choose no file for anybody: what was chosen is named, to be chosen again.
            sent.extend(names);
            let page = page_of(web, form, sent, &problems, stands);
            Ok(answered(render_with(StatusCode::UNPROCESSABLE_ENTITY, &page), form, stands))
        }
        Err(error) => Err(Said::of(error)),
    }
}

/// Of the page on which somebody answers. A form on another site says nothing of it, but its browser may.
fn visit(page: Option<&str>, referrer: Option<&str>, headers: &HeaderMap) -> Visit {
    let language = text(headers, header::ACCEPT_LANGUAGE.as_str());
    let language = language.and_then(|languages| languages.split([',', ';']).next());
    Visit::new(page.or_else(|| text(headers, header::REFERER.as_str())), referrer, language)
}

/// What was sent for the fields of a form; several values are a list.
fn answers_in(schema: &FormSchema, sent: &Fields) -> Map<String, Json> {
    let mut answers = Map::new();
    for field in schema.fields() {
        let values = sent.all(&field.key);
        let answer = match (&field.kind, &values[..]) {
            (_, []) => continue,
            (FieldKind::Multi(_), values) => Json::from(values.to_vec()),
            (_, [value]) => Json::from(*value),
            (_, values) => Json::from(values.to_vec()),
        };
        answers.insert(field.key.clone(), answer);
    }
    answers
}

/// Answers with the names of the files among them.
fn with_names(mut answers: Map<String, Json>, names: Vec<(String, String)>) -> Map<String, Json> {
    for (key, name) in names {
        match answers.get_mut(&key).and_then(Json::as_array_mut) {
            Some(others) => others.push(name.into()),
            None => {
                answers.insert(key, Json::from(vec![name]));
            }
        }
    }
    answers
}

/// Answers as they are repeated to whoever gave them.
fn repeated(answers: &Map<String, Json>) -> BTreeMap<String, String> {
    let text = |answer: &Json| match answer {
        Json::String(text) => text.trim().chars().take(REPEATED).collect(),
        Json::Array(list) => list.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(", "),
        Json::Number(number) => number.to_string(),
        _ => String::new(),
    };
    answers.iter().map(|(key, answer)| (key.clone(), text(answer))).collect()
}

/// What is said afterwards, and where it leads.
fn said_after(form: &OpenForm, answers: &Map<String, Json>) -> (String, Option<String>) {
    let answers = repeated(answers);
    let after = &form.schema.after;
    let message = after.message.as_ref().map(|message| message.text(&answers)).unwrap_or_default();
    (message, after.redirect.as_ref().map(|redirect| redirect.url(&answers)))
}

fn thanks(form: &OpenForm, answers: &Map<String, Json>, stands: Stands) -> Response {
    let (message, redirect) = said_after(form, answers);
    let is_said = !message.is_empty();
    let page = ThanksPage {
        id: form.form.id.to_string(),
        title: "Thank you".to_owned(),
        location: form.form.location_name.clone(),
        accent: form.schema.accent.as_str(),
        embedded: stands == Stands::InFrame,
        message: if is_said { message } else { "Your answers were sent.".to_owned() },
        redirect: redirect.clone(),
    };
    let mut response = render(&page);
    response.extensions_mut().insert(OnBeat);
    // A page leads on by itself: an answer that led to another site would be taken for one of a form that may not send there. A
    // frame would lead on itself alone, where most sites do not let themselves be shown: its link takes the whole window, and
    // where the frame may not do that, another one stays in it.
    let leads = redirect.filter(|_| stands == Stands::Alone);
    let header = leads.and_then(|url| HeaderValue::from_str(&format!("0; url={}", drawn::ascii(&url))).ok());
    if let Some(header) = header {
        response.headers_mut().insert(header::REFRESH, header);
    }
    response
}

/// The script that puts a form into the page of another site, at an address that stays.
pub(crate) async fn embed_script() -> Response {
    assets::stable("embed.js").await
}
