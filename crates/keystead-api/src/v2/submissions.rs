//! What was submitted to forms and surveys, in API 2.0.

use keystead_core::{App, Error, FormFile, LocationContext, SUBMISSION_BYTES, error::Noun};
use keystead_model::{
    Invalid, UtcMs,
    form::{AsForm, Form, NewSubmission, Submission, SubmissionFilter, SubmissionState, Visit},
    form_answers,
    id::Id,
    page::{Counted, Page, Window},
    time::{DAY_MS, Moment},
};
use serde_json::{Map, Value, json};

use super::{forms::FormShape, samples};
use crate::{
    call::Call,
    reader::Reader,
    shape::{
        Bare, Empty, Envelope, Fields, Ground, Input, One, Word, Written,
        output::{Definitions, Field, Out},
        path::Part,
        word,
    },
};

impl<K: FormShape> Part for Id<Submission<K>> {
    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    fn missing(text: &str) -> Error {
        Error::NotFound(Noun::Submission, text.to_owned())
    }

    fn schema() -> Value {
        word::id("The id of a submission")
    }
}

impl<K: FormShape> Envelope for Submission<K> {
    const ONE: &'static str = "submission";
    const MANY: &'static str = "submissions";
}

impl<K: FormShape> Written for Submission<K> {
    const NAME: &'static str = K::SUBMISSION;

    fn sample() -> Self {
        samples::submission()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { id, form, contact, name, email, state, created_at, .. } = self;
        fields.put("id", id);
        fields.or_null("contactId", contact.as_ref());
        fields.put("createdAt", created_at);
        fields.put(K::ID, form);
        fields.or_null("name", name.as_ref());
        fields.or_null("email", email.as_ref());
        fields.put("others", &Others(self));
        // What the contract lists counts.
        let other = (*state != SubmissionState::Taken).then(|| state.as_str().to_owned());
        fields.opt("state", other.as_ref());
    }
}

impl Word for SubmissionState {
    const EXAMPLE: &'static str = "taken";

    fn schema() -> Value {
        word::one_of(Self::ALL.map(Self::as_str))
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

/// How it came: by a program, or on a page.
fn event_data(visit: Option<&Visit>, at: UtcMs) -> Value {
    let Some(Visit { url, referrer, language: _ }) = visit else {
        return json!({"source": "api", "timestamp": at.0});
    };
    json!({"source": "form", "page": {"url": url}, "referrer": referrer, "timestamp": at.0})
}

/// Answers by their keys, whatever these are, and how they came.
struct Others<'s, K>(&'s Submission<K>);

impl<K: FormShape> Field for Others<'_, K> {
    fn schema(_: &mut Definitions) -> Value {
        json!({"type": "object"})
    }

    fn write(&self, out: &mut Out) {
        let Submission { handling, created_at, .. } = self.0;
        let mut others = self.0.told_answers(out.base_url());
        let asked: Vec<&String> = others.keys().collect();
        let asked = json!(asked);
        others.insert("eventData".to_owned(), event_data(handling.visit.as_ref(), *created_at));
        others.insert("fieldsOriSequance".to_owned(), asked);
        Field::write(&Value::Object(others), out);
    }
}

/// What is submitted: in a form each answer, or file that is one, is a part of its own, called by the key of its field.
pub(crate) struct Sending {
    new: NewSubmission,
    files: Vec<FormFile>,
}

impl Input for Sending {
    const FILE_BYTES: Option<u64> = Some(SUBMISSION_BYTES);
    const IS_JSON_TOO: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.names_location();
        let key = reader.word("submissionId");
        let (answers, files) = if reader.is_form() {
            reader.parts("answers")
        } else {
            (reader.required("answers", |reader| reader.json_object("answers")), Vec::new())
        };
        let answers = answers?;
        for (answer, problem) in form_answers::check(&answers.fields()) {
            reader.violate(&format!("answers.{answer}"), problem.0);
        }
        let files = files.into_iter().map(|(key, file)| file.into_answer(key)).collect();
        Some(Self { new: NewSubmission { answers, key }, files })
    }
}

/// Which submissions are asked for, in both APIs.
pub(crate) struct Listing<K> {
    form: Option<Id<Form<K>>>,
    state: SubmissionState,
    part: Option<String>,
    from: Option<Moment>,
    until: Option<Moment>,
    page: i64,
    limit: i64,
}

impl<K: FormShape> Input for Listing<K> {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        let limit = query.integer("limit", 1..=100).unwrap_or(20);
        let page = query.integer("page", 1..=1_000_000);
        let skip = query.integer("skip", 0..=i64::MAX);
        Some(Self {
            form: query.word(K::ID),
            // Those that wait for somebody, or were put away, are ours.
            state: query.word("state").unwrap_or(SubmissionState::Taken),
            part: query.word("q"),
            from: query.moment("startAt"),
            until: query.moment("endAt"),
            page: page.or(skip.map(|skip| skip / limit + 1)).unwrap_or(1),
            limit,
        })
    }

    fn settle(example: &mut Map<String, Value>) {
        // A day ends when it is over, but an instant at once.
        example.remove("startAt");
    }
}

/// A month, if it is not said since when.
const USUAL_MS: i64 = 31 * DAY_MS;

/// A page of submissions, and where it is.
pub(crate) struct Found<K> {
    pub(crate) counted: Counted<Submission<K>>,
    pub(crate) page: i64,
}

impl<K: FormShape> Listing<K> {
    /// Reads the page.
    pub(crate) async fn run(self, context: &LocationContext, app: &App) -> Result<Found<K>, Error> {
        let Self { form, state, part, from, until, page, limit } = self;
        let zone = app.location_of(context).await?.profile.timezone;
        // What is made in this millisecond is made until now.
        let until = until.map_or(UtcMs(app.now().0 + 1), |until| until.end(&zone));
        let from = from.map_or(UtcMs(until.0 - USUAL_MS), |from| from.start(&zone));
        let filter = SubmissionFilter { state, form, part, from, until };
        let window = Window::skip((page - 1).saturating_mul(limit), limit);
        Ok(Found { counted: app.list_submissions(context, filter, window).await?, page })
    }
}

impl<K: FormShape> Written for Found<K> {
    fn sample() -> Self {
        let page = Page { rows: vec![samples::submission()], has_more: false };
        Self { counted: Counted { page, total: 1 }, page: 1 }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("submissions", &self.counted.page.rows);
        fields.put("meta", &self.meta());
    }
}

impl<K> Found<K> {
    pub(crate) fn meta(&self) -> Meta {
        let Self { counted, page } = self;
        Meta {
            total: counted.total,
            current_page: *page,
            next_page: counted.page.has_more.then_some(page + 1),
            prev_page: (*page > 1).then_some(page - 1),
        }
    }
}

/// Where a list goes on by numbers of pages.
pub(crate) struct Meta {
    total: i64,
    current_page: i64,
    next_page: Option<i64>,
    prev_page: Option<i64>,
}

impl Written for Meta {
    const NAME: &'static str = "PageMeta";

    fn sample() -> Self {
        Self { total: 1, current_page: 1, next_page: None, prev_page: None }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("total", &self.total);
        fields.put("currentPage", &self.current_page);
        fields.or_null("nextPage", self.next_page.as_ref());
        fields.or_null("prevPage", self.prev_page.as_ref());
    }
}

pub(crate) async fn list<K: FormShape>(
    context: LocationContext,
    call: Call<(), Listing<K>>,
) -> Result<Found<K>, Error> {
    call.query.run(&context, &call.app).await
}

pub(crate) async fn create<K: FormShape>(
    context: LocationContext,
    call: Call<Id<Form<K>>, Bare, Sending>,
) -> Result<One<Submission<K>>, Error> {
    let Sending { new, files } = call.body;
    call.app.submit(&context, call.path, new, files).await.map(One)
}

/// One submission, by the form that it was made to.
pub(super) type Place<K> = (Id<Form<K>>, Id<Submission<K>>);

pub(crate) async fn get<K: FormShape>(
    context: LocationContext,
    call: Call<Place<K>>,
) -> Result<One<Submission<K>>, Error> {
    let (form, id) = call.path;
    call.app.get_submission(&context, form, id).await.map(One)
}

pub(crate) async fn accept(
    context: LocationContext,
    call: Call<Place<AsForm>, Bare, Empty>,
) -> Result<One<Submission<AsForm>>, Error> {
    let (form, id) = call.path;
    call.app.accept_submission(&context, form, id).await.map(One)
}

pub(crate) async fn discard(
    context: LocationContext,
    call: Call<Place<AsForm>, Bare, Empty>,
) -> Result<One<Submission<AsForm>>, Error> {
    let (form, id) = call.path;
    call.app.discard_submission(&context, form, id).await.map(One)
}
