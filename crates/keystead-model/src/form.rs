//! Forms and surveys: what somebody is asked, and what they answered. Both are the same but for their name.

use std::{fmt, marker::PhantomData};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    ContactId, Invalid, LocationId, UtcMs,
    actor::Signature,
    form_answers::{AnsweredFile, Outcome},
    id::Id,
    json_object::JsonObject,
    location::set,
    text::Line,
};

/// Bytes of a definition.
const DEFINITION_MAX: usize = 64 * 1024;
/// Bytes of what somebody answered.
const ANSWERS_MAX: usize = 64 * 1024;

/// What is asked, as its author has it: pages of fields.
pub type FormDefinition = JsonObject<DEFINITION_MAX>;
/// What was answered, by the keys of the fields.
pub type Answers = JsonObject<ANSWERS_MAX>;

/// Which of both it is.
pub trait FormKind: Clone + Copy + fmt::Debug + PartialEq + Eq + Send + Sync + 'static {
    /// In lower case, as in a sentence.
    const NAME: &'static str;
}

/// A form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsForm {}

/// A survey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsSurvey {}

impl FormKind for AsForm {
    const NAME: &'static str = "form";
}

impl FormKind for AsSurvey {
    const NAME: &'static str = "survey";
}

/// A form or a survey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form<K> {
    /// Its id.
    pub id: Id<Self>,
    /// The location that has it.
    pub location: LocationId,
    /// What its author writes, which is a draft: others see what was published of it.
    pub content: FormContent,
    /// Which version others see, by its number.
    pub published: Option<i64>,
    /// How many versions there are.
    pub versions: i64,
    /// Under which name the published version is found.
    pub slug: Option<String>,
    /// When it was made.
    pub created_at: UtcMs,
    /// When it was last changed.
    pub updated_at: UtcMs,
    /// Which of both it is.
    pub kind: PhantomData<K>,
}

/// What a form was when it was published. It never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormVersion {
    /// Its number among those of its form, from 1.
    pub number: i64,
    /// What it asks.
    pub content: FormContent,
    /// Who published it.
    pub by: Signature,
    /// When.
    pub created_at: UtcMs,
}

/// A form without its definition, which may be long: what lists have of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of Form")]
pub struct FormHead<K> {
    pub id: Id<Form<K>>,
    pub location: LocationId,
    pub name: Line<200>,
    pub published: Option<i64>,
    pub updated_at: UtcMs,
}

/// The part of a form that its author writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormContent {
    /// Its name.
    pub name: Line<200>,
    /// What is asked.
    pub definition: FormDefinition,
}

/// A change of a form; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of FormContent")]
pub struct FormPatch {
    pub name: Option<Line<200>>,
    pub definition: Option<FormDefinition>,
}

impl FormPatch {
    /// Changes `content`.
    pub fn apply(self, content: &mut FormContent) {
        let Self { name, definition } = self;
        set(&mut content.name, name);
        set(&mut content.definition, definition);
    }
}

/// What somebody answered. It never changes, also when its form does, or is deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission<K> {
    /// Its id.
    pub id: Id<Self>,
    /// The location that it was made in.
    pub location: LocationId,
    /// The form.
    pub form: Id<Form<K>>,
    /// Whose answers they are, where that is known.
    pub contact: Option<ContactId>,
    /// What its sender calls it, so that it is taken once.
    pub key: Option<SubmissionKey>,
    /// What was answered.
    pub answers: Answers,
    /// Which version of the form was answered; `None` where it was a draft.
    pub version: Option<i64>,
    /// Whether it counts.
    pub state: SubmissionState,
    /// What became of it, and how it came.
    pub handling: Handling,
    /// The name in it.
    pub name: Option<String>,
    /// The e-mail address in it.
    pub email: Option<String>,
    /// When it was made.
    pub created_at: UtcMs,
}

impl<K: FormKind> Submission<K> {
    /// Which it is and what became of it, and nothing of what somebody wrote.
    pub fn without_answers(self) -> Self {
        let visit = self.handling.visit.map(|_| Visit::default());
        let handling =
            Handling { held: self.handling.held, is_quiet: self.handling.is_quiet, visit, ..Handling::default() };
        Self { answers: Answers::empty(), handling, name: None, email: None, ..self }
    }

    /// Its answers, and with each file its address in the API, at `base_url`: whoever may read the submission reads it there.
    pub fn told_answers(&self, base_url: &str) -> Map<String, Value> {
        let mut answers = self.answers.fields();
        for answer in answers.values_mut() {
            let files = AnsweredFile::all_in(answer);
            for (file, told) in files.iter().zip(answer.as_array_mut().into_iter().flatten()) {
                if let Some(id) = file.id {
                    let Self { id: submission, form, .. } = self;
                    told["url"] = format!("{base_url}/{}s/{form}/submissions/{submission}/files/{id}", K::NAME).into();
                }
            }
        }
        answers
    }
}

/// Whether a submission counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubmissionState {
    /// It does.
    Taken,
    /// Somebody has to look at it first.
    Held,
    /// Somebody looked at it, and it does not.
    Discarded,
}

impl SubmissionState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Taken, Self::Held, Self::Discarded];

    /// Whether it waits for somebody.
    pub const fn is_held(self) -> bool {
        matches!(self, Self::Held)
    }

    /// Its stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Held => "held",
            Self::Discarded => "discarded",
        }
    }

    /// Reads the name.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == text);
        known.ok_or_else(|| Invalid::new("must be taken, held or discarded"))
    }
}

/// What became of a submission, and how it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Handling {
    /// What it changed in the contact.
    pub outcome: Outcome,
    /// Why somebody has to look at it, or had to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<WhyHeld>,
    /// It starts nothing: the same person has sent several already.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_quiet: bool,
    /// The page on which it was sent; `None` where a program sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visit: Option<Visit>,
    /// What was agreed to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<Consent>,
}

impl Handling {
    /// As it is stored.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What was stored.
    pub fn from_stored(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// Why somebody has to look at a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyHeld {
    /// A field was filled that people do not see.
    Honeypot,
    /// It came sooner than anybody types.
    TooFast,
    /// There were many from the same source.
    ManyFromThere,
    /// There were many to the same form.
    ManyToForm,
}

/// Of a page on which somebody answered, as their browser said it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Visit {
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What led there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
    /// The language that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// Longest address of a page.
const URL_MAX: usize = 1_000;

impl Visit {
    /// Of what a browser said, cut where it is longer than anybody reads.
    pub fn new(url: Option<&str>, referrer: Option<&str>, language: Option<&str>) -> Self {
        let cut = |text: &str, most: usize| text.chars().filter(|c| !c.is_control()).take(most).collect::<String>();
        let kept = |text: Option<&str>, most| text.map(|text| cut(text, most)).filter(|text| !text.is_empty());
        Self { url: kept(url, URL_MAX), referrer: kept(referrer, URL_MAX), language: kept(language, 35) }
    }
}

/// That somebody agreed to a text, as it was when they did; the submission says when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The key of its field.
    pub key: String,
    /// The text.
    pub text: String,
    /// Which version of it.
    pub version: i64,
}

/// What the sender of a submission calls it.
pub type SubmissionKey = Line<100>;

/// Answers that are about to be kept.
#[derive(Clone, Debug)]
pub struct NewSubmission {
    /// What was answered.
    pub answers: Answers,
    /// What its sender calls it. The same answers under the same name are one submission.
    pub key: Option<SubmissionKey>,
}

/// Which submissions of a location are listed.
#[derive(Clone, Debug)]
pub struct SubmissionFilter<K> {
    /// Those that count, or others.
    pub state: SubmissionState,
    /// To this form only.
    pub form: Option<Id<Form<K>>>,
    /// With this in the name, the e-mail address or the phone number, whatever its case and accents; or of this contact.
    pub part: Option<String>,
    /// Not before.
    pub from: UtcMs,
    /// Before.
    pub until: UtcMs,
}
