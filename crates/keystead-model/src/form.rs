//! Forms and surveys: what somebody is asked, and what they answered. Both are the same but for their name.

use std::{fmt, marker::PhantomData};

use crate::{ContactId, LocationId, UtcMs, id::Id, json_object::JsonObject, location::set, text::Line};

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
    /// What its author writes.
    pub content: FormContent,
    /// When it was made.
    pub created_at: UtcMs,
    /// When it was last changed.
    pub updated_at: UtcMs,
    /// Which of both it is.
    pub kind: PhantomData<K>,
}

/// A form without its definition, which may be long: what lists have of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of Form")]
pub struct FormHead<K> {
    pub id: Id<Form<K>>,
    pub location: LocationId,
    pub name: Line<200>,
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
    /// The name in it.
    pub name: Option<String>,
    /// The e-mail address in it.
    pub email: Option<String>,
    /// When it was made.
    pub created_at: UtcMs,
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
    /// To this form only.
    pub form: Option<Id<Form<K>>>,
    /// With this in the name, the e-mail address or the phone number, whatever its case and accents; or of this contact.
    pub part: Option<String>,
    /// Not before.
    pub from: UtcMs,
    /// Before.
    pub until: UtcMs,
}
