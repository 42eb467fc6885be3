//! What was submitted to the forms of a location.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use askama::Template;
use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use futures_util::TryStreamExt;
use http::header;
use keystead_core::{Error, LocationContext, error::Noun};
use keystead_http::Download;
use keystead_model::{
    UtcMs,
    contact::IdentityKind,
    file::FileId,
    form::{AsForm, Handling, Submission, SubmissionFilter, SubmissionState, Visit, WhyHeld},
    form_answers::{AnsweredFile, Offer, WhyRefused},
    form_schema::FormSchema,
    id::Id,
    page::{Counted, Page as Found, Window},
    scope::Scope,
};
use serde_json::Value as Json;

use super::{FormId, PATH as FORMS};
use crate::{
    Web,
    download::{self, AT_ONCE},
    failure::Failure,
    flash::{Done, lead},
    form::{Fields, Form},
    list::{Asked, Listing, PAGE},
    page::{Frame, render},
    place::Here,
    show::{ago, counted},
};

const SECTION: &str = "submissions";
pub(crate) const PATH: &str = "/submissions";

type TheSubmission = Submission<AsForm>;

struct Row {
    who: String,
    email: String,
    form: String,
    at: String,
    at_exactly: String,
    why_held: String,
    url: String,
}

/// The submissions of one state.
struct Tab {
    words: &'static str,
    url: String,
    is_here: bool,
    /// How many there are, where that calls for somebody; else 0.
    count: i64,
}

#[derive(Template)]
#[template(path = "submissions/list.html")]
struct Inbox {
    frame: Frame,
    rows: Vec<Row>,
    list: Listing,
    state: SubmissionState,
    tabs: Vec<Tab>,
    /// Whether there was no time to find them.
    is_cut: bool,
    csv_url: String,
    forms_url: String,
}

fn state_of(asked: &Asked) -> SubmissionState {
    asked.text("state").and_then(|text| SubmissionState::parse(text).ok()).unwrap_or(SubmissionState::Taken)
}

fn filter_of(asked: &Asked, now: UtcMs) -> SubmissionFilter<AsForm> {
    SubmissionFilter {
        state: state_of(asked),
        form: asked.text("form").and_then(Id::parse),
        part: asked.text("q").map(str::to_owned),
        from: UtcMs(0),
        until: UtcMs(now.0 + 1),
    }
}

/// The forms of the location, by their names.
async fn forms(web: &Web, context: &LocationContext) -> Result<Vec<(String, String)>, Error> {
    let found = web.app.list_forms::<AsForm>(context, Window::all()).await?.page.rows;
    Ok(found.into_iter().map(|form| (form.id.to_string(), form.name.into_string())).collect())
}

pub(crate) async fn list(State(web): State<Web>, asked: Asked, here: Here) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    let forms = forms(&web, &context).await?;
    let window = Window::skip(asked.skipped(), PAGE);
    let found = web.app.list_submissions::<AsForm>(&context, filter_of(&asked, web.app.now()), window).await;
    let (found, is_cut) = match found {
        Ok(found) => (found, false),
        Err(Error::Invalid(_)) => (Counted { page: Found { rows: Vec::new(), has_more: false }, total: 0 }, true),
        Err(error) => return Err(error.into()),
    };
    let (zone, now, base) = (here.zone(), web.app.now(), here.url(PATH));
    let name_of = |id: FormId| forms.iter().find(|(known, _)| *known == id.to_string()).map(|(_, name)| name.clone());
    let rows: Vec<Row> = found
        .page
        .rows
        .iter()
        .map(|one| Row {
            who: one.name.clone().or_else(|| one.email.clone()).unwrap_or_else(|| "Nobody says who".to_owned()),
            email: one.email.clone().filter(|_| one.name.is_some()).unwrap_or_default(),
            form: name_of(one.form).unwrap_or_else(|| "A deleted form".to_owned()),
            at: ago(one.created_at, now),
            at_exactly: zone.exactly(one.created_at),
            why_held: why_held(&one.handling),
            url: here.url(&format!("{FORMS}/{}/submissions/{}", one.form, one.id)),
        })
        .collect();
    let state = state_of(&asked);
    let mut tabs = Vec::new();
    for (words, one) in [
        ("Submissions", SubmissionState::Taken),
        ("Held for review", SubmissionState::Held),
        ("Discarded", SubmissionState::Discarded),
    ] {
        // What waits always calls for somebody; whoever looks for something is told where else it is.
        let is_counted = one.is_held() || asked.text("q").is_some();
        let count = if one == state {
            found.total
        } else if is_counted {
            let filter = SubmissionFilter { state: one, ..filter_of(&asked, web.app.now()) };
            let found = web.app.list_submissions::<AsForm>(&context, filter, Window::first(1)).await;
            found.map_or(0, |found| found.total)
        } else {
            0
        };
        let name = (one != SubmissionState::Taken).then_some(one.as_str());
        let count = if is_counted { count } else { 0 };
        tabs.push(Tab { words, url: asked.with(&base, "state", name), is_here: one == state, count });
    }
    let list = Listing::new(base, &asked, rows.len(), found.page.has_more, found.total);
    Ok(render(&Inbox {
        frame: Frame::of(&here, "Submissions", SECTION),
        list: list.filtered(&asked, ("form", "Form", "list"), Some(forms)),
        rows,
        state,
        tabs,
        is_cut,
        csv_url: asked.whole(&here.url("/submissions.csv")),
        forms_url: here.url(FORMS),
    }))
}

fn why_held(handling: &Handling) -> String {
    let words = |why: &WhyHeld| match why {
        WhyHeld::Honeypot => "a trap for programs was filled",
        WhyHeld::TooFast => "it came sooner than anybody types",
        WhyHeld::ManyFromThere => "there were many from the same place",
        WhyHeld::ManyToForm => "there were many at once",
    };
    handling.held.iter().map(words).collect::<Vec<_>>().join(", ")
}

/// Bytes, as people count them.
fn size(bytes: i64) -> String {
    const KB: i64 = 1024;
    match bytes {
        ..KB => counted(bytes, "byte"),
        KB..1_048_576 => format!("{} KB", bytes.div_euclid(KB)),
        _ => format!("{}.{} MB", bytes / (KB * KB), bytes % (KB * KB) * 10 / (KB * KB)),
    }
}

/// An answer, as people read it.
fn said(answer: &Json) -> String {
    match answer {
        Json::String(text) => text.clone(),
        Json::Bool(true) => "Yes".to_owned(),
        Json::Bool(false) => "No".to_owned(),
        Json::Array(list) => list.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(", "),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

/// What the first columns of a file of submissions are.
const OWN: [&str; 8] = ["id", "submitted_at", "form", "contact", "contact_name", "contact_email", "page", "referrer"];
/// The last one: answers that no form has asked for, as programs send them.
const OTHERS: &str = "other_answers";

/// A column for each question of forms. What several forms ask alike stands in one; what one form asks twice does not.
struct Columns {
    names: Vec<String>,
    of: HashMap<(FormId, String), usize>,
}

impl Columns {
    /// The newest of a form's schemas come first: a question is called what it is called now.
    fn of(schemas: Vec<(FormId, FormSchema)>) -> Self {
        let (mut names, mut of) = (Vec::new(), HashMap::new());
        let mut called: HashMap<String, Vec<usize>> = HashMap::new();
        let mut filled: HashSet<(FormId, usize)> = HashSet::new();
        for (form, schema) in &schemas {
            for field in schema.fields().filter(|field| field.asked().is_some()) {
                let place = (*form, field.key.clone());
                if of.contains_key(&place) {
                    continue;
                }
                let label = field.label.as_str();
                let alike = called.entry(label.to_lowercase()).or_default();
                let free = alike.iter().copied().find(|column| !filled.contains(&(*form, *column)));
                let column = free.unwrap_or_else(|| {
                    alike.push(names.len());
                    names.push((label.to_owned(), alike.len()));
                    names.len() - 1
                });
                filled.insert((*form, column));
                of.insert(place, column);
            }
        }
        // Spreadsheets do not tell columns apart by the case of their names.
        let mut taken: HashSet<String> = OWN.iter().chain(&[OTHERS]).map(|own| (*own).to_owned()).collect();
        let name = |(label, number): (String, usize)| {
            let numbered = (number.max(2)..).map(|number| format!("{label} ({number})"));
            let first = (number == 1).then(|| label.clone());
            let mut names = first.into_iter().chain(numbered);
            names.find(|name| taken.insert(name.to_lowercase())).expect("numbers have no end")
        };
        Self { names: names.into_iter().map(name).collect(), of }
    }
}

/// The whole list that is asked for, in one file.
pub(crate) async fn csv(State(web): State<Web>, asked: Asked, here: Here) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    let filter = filter_of(&asked, web.app.now());
    let columns = Arc::new(Columns::of(web.app.schemas_of_forms(&context, filter.form).await?));
    let named = columns.names.iter().map(String::as_str);
    let names: Vec<String> = OWN.iter().copied().chain(named).chain([OTHERS]).map(str::to_owned).collect();
    let at = format!("{}{}", web.base_url, here.url(FORMS));
    let read = move |after| {
        let (app, context, filter) = (web.app.clone(), context.clone(), filter.clone());
        async move { Ok(app.list_submissions::<AsForm>(&context, filter, Window::after(after, AT_ONCE)).await?.page) }
    };
    let cursor = |last: &TheSubmission| (last.created_at, last.id);
    let cells = move |row: &TheSubmission| cells(row, &columns, &at);
    Ok(download::csv("submissions.csv", names, None, read, cursor, cells).await?)
}

/// A row of a table. Of files it has the addresses, at which whoever is signed in reads them; `at` is where those of forms begin.
fn cells(row: &TheSubmission, columns: &Columns, at: &str) -> Vec<String> {
    let mut answers = row.answers.fields();
    for answer in answers.values_mut() {
        let urls = AnsweredFile::all_in(answer).into_iter().filter_map(|file| Some(file_url(at, row, file.id?)));
        let urls: Vec<String> = urls.collect();
        if !urls.is_empty() {
            *answer = urls.join(" ").into();
        }
    }
    let visit = row.handling.visit.clone().unwrap_or_default();
    let mut cells = vec![
        row.id.to_string(),
        row.created_at.to_iso(),
        row.form.to_string(),
        row.contact.map(|contact| contact.to_string()).unwrap_or_default(),
        row.name.clone().unwrap_or_default(),
        row.email.clone().unwrap_or_default(),
        visit.url.unwrap_or_default(),
        visit.referrer.unwrap_or_default(),
    ];
    let mut answered = vec![String::new(); columns.names.len()];
    answers.retain(|key, answer| match columns.of.get(&(row.form, key.clone())) {
        Some(column) => {
            answered[*column] = said(answer);
            false
        }
        None => true,
    });
    cells.extend(answered);
    cells.push(if answers.is_empty() { String::new() } else { Json::Object(answers).to_string() });
    cells
}

/// Where a file of a submission is read; `at` is where addresses of forms begin.
fn file_url(at: &str, submission: &TheSubmission, file: FileId) -> String {
    format!("{at}/{}/submissions/{}/files/{file}", submission.form, submission.id)
}

struct Fact {
    label: String,
    value: String,
}

/// An answer; of one that is files these.
struct Answer {
    label: String,
    value: String,
    files: Vec<FileRow>,
}

struct FileRow {
    name: String,
    size: String,
    /// Where it is read; `None` where it is gone.
    url: Option<String>,
}

/// An address that waits for somebody to add it.
struct Offered {
    label: &'static str,
    value: String,
    /// Whether the contact has it by now.
    is_added: bool,
    /// Another contact, who has it.
    other_url: Option<String>,
    accept_url: String,
}

#[derive(Template)]
#[template(path = "submissions/show.html")]
struct Show {
    frame: Frame,
    who: String,
    form_name: String,
    form_url: String,
    list_url: String,
    at: String,
    state: SubmissionState,
    why_held: String,
    is_quiet: bool,
    answers: Vec<Answer>,
    written: Vec<String>,
    is_new: bool,
    offered: Vec<Offered>,
    refused: Vec<Fact>,
    contact: Option<(String, String)>,
    came: Vec<Fact>,
    may_write: bool,
    accept_url: String,
    discard_url: String,
    wrong: Form,
}

/// The submission that an address names, with the form that it was made to.
fn ids(here: &Here) -> Result<(FormId, Id<TheSubmission>), Error> {
    let text = here.visitor.param("submission");
    let id = Id::parse(text).ok_or_else(|| Error::NotFound(Noun::Submission, text.to_owned()))?;
    Ok((here.id(Noun::Form)?, id))
}

pub(crate) async fn show(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    let (form, id) = ids(&here)?;
    let found = web.app.get_submission::<AsForm>(&context, form, id).await?;
    Ok(render(&page(&web, &here, &context, found, Form::default()).await?))
}

fn words_of(field: &str) -> String {
    let words = match field {
        "firstName" => "First name",
        "lastName" => "Last name",
        "email" => "E-mail",
        "phone" => "Phone",
        "companyName" => "Company",
        "address1" => "Street",
        "city" => "City",
        "state" => "State",
        "postalCode" => "Postal code",
        "country" => "Country",
        "website" => "Website",
        "timezone" => "Time zone",
        "dateOfBirth" => "Date of birth",
        other => other,
    };
    words.to_owned()
}

async fn page(
    web: &Web,
    here: &Here,
    context: &LocationContext,
    found: TheSubmission,
    wrong: Form,
) -> Result<Show, Error> {
    let version = web.app.schema_of_submission(context, &found).await?;
    let (name, schema) = version.unwrap_or_else(|| ("A deleted form".to_owned(), FormSchema::empty()));
    let at = here.url(&format!("{FORMS}/{}/submissions/{}", found.form, found.id));
    let contact = match found.contact {
        Some(id) => web.app.contacts_of(context, vec![id]).await.ok().and_then(|mut found| found.pop()),
        None => None,
    };
    let custom = web.app.fields_of(context, keystead_model::custom_field::OwnerKind::Contact).await.unwrap_or_default();
    let named = |field: &str| match field.strip_prefix("customFields.") {
        Some(id) => custom
            .iter()
            .find(|known| known.id.as_str() == id)
            .map_or(id.to_owned(), |field| field.content.name.as_str().to_owned()),
        None => words_of(field),
    };
    let own: Vec<(IdentityKind, String)> = contact.iter().flat_map(|contact| contact.profile.identities()).collect();
    let offered = |offer: &Offer| {
        let compared = match offer.kind {
            IdentityKind::Email => keystead_model::text::normalized_email(&offer.value),
            IdentityKind::Phone => offer.value.clone(),
        };
        Offered {
            label: if offer.kind == IdentityKind::Email { "E-mail" } else { "Phone" },
            value: offer.value.clone(),
            is_added: own.contains(&(offer.kind, compared)),
            other_url: offer.contact.map(|id| here.url(&format!("/contacts/{id}"))),
            accept_url: format!("{at}/offers/{}", offer.kind.as_str()),
        }
    };
    let outcome = &found.handling.outcome;
    let refused = outcome.refused.iter().map(|refusal| Fact {
        label: named(&refusal.field),
        value: match refusal.why {
            WhyRefused::Filled => "It was filled already, and the form fills only what is empty.",
            WhyRefused::Never => "The form changes no contact that is there.",
            WhyRefused::NotTaken => "The contact does not take it.",
            WhyRefused::Unsuited => {
                "The field does not take this answer, which is kept here. Change what the question fills, or the field."
            }
        }
        .to_owned(),
    });
    let kept: Vec<FileId> = match found.answers.fields().values().all(|answer| AnsweredFile::all_in(answer).is_empty())
    {
        true => Vec::new(),
        false => web.app.files_of_submission(context, found.form, found.id).await?.iter().map(|file| file.id).collect(),
    };
    let forms_at = here.url(FORMS);
    let file_rows = |answer: &Json| {
        let row = |file: AnsweredFile| FileRow {
            url: file.id.filter(|id| kept.contains(id)).map(|id| file_url(&forms_at, &found, id)),
            size: size(file.size),
            name: file.name,
        };
        AnsweredFile::all_in(answer).into_iter().map(row).collect()
    };
    let label = |key: &str| schema.field(key).map_or(key, |field| field.label.as_str()).to_owned();
    let answers = found.answers.fields();
    let who = found.name.clone().or_else(|| found.email.clone()).unwrap_or_else(|| "Nobody says who".to_owned());
    Ok(Show {
        frame: Frame::of(here, &who, SECTION),
        form_url: here.url(&format!("{FORMS}/{}", found.form)),
        form_name: name,
        list_url: here.url(PATH),
        at: here.zone().exactly(found.created_at),
        state: found.state,
        why_held: why_held(&found.handling),
        is_quiet: found.handling.is_quiet,
        answers: answers
            .iter()
            .map(|(key, answer)| Answer { label: label(key), value: said(answer), files: file_rows(answer) })
            .collect(),
        written: outcome.written.iter().map(|field| named(field)).collect(),
        is_new: outcome.is_new,
        offered: outcome.offered.iter().map(offered).collect(),
        refused: refused.collect(),
        contact: contact
            .map(|contact| (crate::contacts::name(&contact), here.url(&format!("/contacts/{}", contact.id)))),
        came: came(&found),
        may_write: here.authority().grant().allows(Scope::FormsWrite),
        accept_url: format!("{at}/accept"),
        discard_url: format!("{at}/discard"),
        wrong,
        who,
    })
}

/// `GET …/submissions/{submission}/files/{file}`
pub(crate) async fn file(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    let (form, submission) = ids(&here)?;
    let text = here.visitor.param("file");
    let id = Id::parse(text).ok_or_else(|| Error::NotFound(Noun::File, text.to_owned()))?;
    let opened = web.app.open_submission_file::<AsForm>(&context, form, submission, id).await?;
    let download = Download::new(web.app.clone(), opened);
    let (kind, headers) = (download.kind(), download.headers());
    let pieces = download.into_pieces().inspect_err(|error| tracing::error!("a download of a file broke off: {error}"));
    let mut response = ([(header::CONTENT_TYPE, kind)], Body::from_stream(pieces)).into_response();
    response.headers_mut().extend(headers);
    Ok(response)
}

/// How a submission came, and what was agreed to.
fn came(found: &TheSubmission) -> Vec<Fact> {
    let fact = |label: &str, value: Option<String>| value.map(|value| Fact { label: label.to_owned(), value });
    let mut facts = Vec::new();
    match &found.handling.visit {
        Some(Visit { url, referrer, language }) => {
            facts.extend(fact("Page", url.clone()));
            facts.extend(fact("Came from", referrer.clone()));
            facts.extend(fact("Language", language.clone()));
        }
        None => facts.extend(fact("Sent by", Some("a program".to_owned()))),
    }
    facts.extend(fact("Version of the form", found.version.map(|version| version.to_string())));
    for consent in &found.handling.consents {
        facts.extend(fact(&format!("Agreed to, version {}", consent.version), Some(consent.text.clone())));
    }
    facts
}

/// What somebody decides about a submission; refused, the page says why.
async fn decided<T>(
    web: &Web,
    here: &Here,
    done: Done,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<Response, Failure> {
    let context = here.enter(web).await?;
    let (form, id) = ids(here)?;
    let found = web.app.get_submission::<AsForm>(&context, form, id).await?;
    let mut asked = Form::default();
    let who = found.name.clone().or_else(|| found.email.clone()).unwrap_or_else(|| "somebody".to_owned());
    match asked.run(work).await? {
        Some(_) => Ok(lead(web, &here.url(&format!("{FORMS}/{form}/submissions/{id}")), done, &who)),
        None => {
            let page = page(web, here, &context, found, asked).await?;
            Ok(page.wrong.again(&page))
        }
    }
}

pub(crate) async fn accept(State(web): State<Web>, here: Here, _: Fields) -> Result<Response, Failure> {
    let (context, (form, id)) = (here.enter(&web).await?, ids(&here)?);
    decided(&web, &here, Done::SubmissionAccepted, web.app.accept_submission(&context, form, id)).await
}

pub(crate) async fn discard(State(web): State<Web>, here: Here, _: Fields) -> Result<Response, Failure> {
    let (context, (form, id)) = (here.enter(&web).await?, ids(&here)?);
    decided(&web, &here, Done::SubmissionDiscarded, web.app.discard_submission(&context, form, id)).await
}

pub(crate) async fn accept_offer(State(web): State<Web>, here: Here, _: Fields) -> Result<Response, Failure> {
    let (context, (form, id)) = (here.enter(&web).await?, ids(&here)?);
    let text = here.visitor.param("kind");
    let kind = IdentityKind::parse(text).ok_or_else(|| Error::NotFound(Noun::Submission, text.to_owned()))?;
    decided(&web, &here, Done::OfferAccepted, web.app.accept_offer(&context, form, id, kind)).await
}
