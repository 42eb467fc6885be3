//! What is submitted to forms and surveys, and whose it is.

use keystead_model::{
    ContactId, Invalid, UtcMs,
    contact::{Contact, ContactPatch, ContactProfile, IdentityKind, MAX_TAGS},
    custom_field::OwnerKind,
    event::EventKind,
    file::FileId,
    form::{
        Answers, AsForm, Consent, Form, FormContent, Handling, NewSubmission, Submission, SubmissionFilter,
        SubmissionKey, SubmissionState,
    },
    form_answers::{self, Outcome, Place, Refusal, Unsuited, WhyRefused},
    form_schema::{FieldKind, FormSchema, OnMatch},
    id::Id,
    notice::{NewNotice, NoticeKind, NoticeSubject},
    page::{Counted, Window},
    phone::PhoneNumber,
    scope::Scope,
    tag::TagName,
    text::{EmailAddress, Line, echo},
    time::DAY_MS,
};
use keystead_store::{
    custom_fields, files, forms, locations, stored,
    submissions::{self, Marks, Sameness},
};
use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};

use crate::{
    App, Error, ErrorCode, FormFile, LocationContext, Result, Violation,
    error::Noun,
    events::{Described, Fields, Happened, put, text},
    form_files,
    forms::FormResource,
    idempotency::{self, Lost},
    notices::notify,
    operate::InLocation,
};

/// What makes a search short.
const SHORTENS: &str = "a formId, or a startAt that is later";

/// Definitions that are read at once.
const SCHEMAS: i64 = 500;

/// How long the same answers under the same name are one submission.
pub(crate) const SAME_KEY_MS: i64 = DAY_MS;
/// The same for those from one place whose sender does not name them.
pub(crate) const SAME_SENDER_MS: i64 = 10_000;
/// What is said of a file that is no answer.
const UNASKED_FILE: &str = "names no field of the form that asks for files";
/// How many of one person start something within a day.
const LOUD_IN_A_DAY: i64 = 3;

/// What is answered: a form as it is asked for at the moment.
#[derive(Clone)]
pub(crate) struct Questions<K> {
    pub(crate) form: Id<Form<K>>,
    /// Which version it is; `None` is a draft.
    pub(crate) version: Option<i64>,
    pub(crate) name: Line<200>,
    pub(crate) schema: FormSchema,
}

/// Answers that were found good.
pub(crate) struct Judged {
    pub(crate) answers: Answers,
    patch: ContactPatch,
    profile: ContactProfile,
    /// What the contact does not take of them, whoever it is.
    refused: Vec<Refusal>,
    pub(crate) marks: Marks,
}

impl App {
    /// Keeps answers, and makes the contact that they tell of, or fills what is empty in it. The same answers under the same name
    /// are kept once.
    pub async fn submit<K: FormResource>(
        &self,
        context: &LocationContext,
        form: Id<Form<K>>,
        new: NewSubmission,
        files: Vec<FormFile>,
    ) -> Result<Submission<K>> {
        let NewSubmission { answers, key } = new;
        let mut answers = answers.fields();
        // Where only the answer was lost, the files are there.
        let is_lost = context.authority.claim().is_some_and(|claim| claim.lost().is_some());
        let kept = if files.is_empty() || is_lost {
            Vec::new()
        } else {
            self.keep_files_for(context, form, &mut answers, files).await?
        };
        let run = move |operation: &mut InLocation<'_, '_>| operation.submit(form, answers.clone(), key.clone());
        let recover = move |operation: &mut InLocation<'_, '_>, lost: &Lost| operation.submission(form, lost.id()?);
        let outcome = self.operate(context, K::SCOPES.1, run, recover).await;
        // What was sent before has its files already.
        self.forget_unseen(context.location, kept).await;
        outcome
    }

    /// Keeps the files that are answers to a form. Whatever is wrong is said before anything is kept.
    async fn keep_files_for<K: FormResource>(
        &self,
        context: &LocationContext,
        form: Id<Form<K>>,
        answers: &mut Map<String, Json>,
        files: Vec<FormFile>,
    ) -> Result<Vec<FileId>> {
        let (told, sent) = (form_files::told(&files), answers.clone());
        let judge = move |operation: &mut InLocation<'_, '_>| {
            let questions = operation.questions_of(form)?;
            let (asked, unasked): (Vec<_>, Vec<_>) =
                told.iter().cloned().partition(|(key, _)| questions.schema.takes_files(key));
            let mut answers = sent.clone();
            form_files::add_to(&mut answers, &asked);
            let judged = operation.judge(&questions, answers, true);
            let unasked = unasked.into_iter().map(|(key, _)| (echo(&key), Invalid::new(UNASKED_FILE)));
            match (refused(unasked.collect()), judged) {
                (Error::Invalid(unasked), judged) if unasked.is_empty() => judged,
                (Error::Invalid(unasked), Err(Error::Invalid(wrong))) => {
                    Err(Error::Invalid(wrong.into_iter().chain(unasked).collect()))
                }
                (unasked, _) => Err(unasked),
            }
        };
        let judged = self.read(context, K::SCOPES.1, judge).await?;
        self.keep_answers(context, answers, &judged, files).await
    }

    /// Lets a submission count that was held: what it would have started starts now.
    pub async fn accept_submission(
        &self,
        context: &LocationContext,
        form: Id<Form<AsForm>>,
        id: Id<Submission<AsForm>>,
    ) -> Result<Submission<AsForm>> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.accept_submission(form, id);
        let recover = move |operation: &mut InLocation<'_, '_>, _: &_| operation.submission(form, id);
        self.operate(context, Scope::FormsWrite, run, recover).await.map(|decided| told_of(context, decided))
    }

    /// Puts a submission away that was held.
    pub async fn discard_submission(
        &self,
        context: &LocationContext,
        form: Id<Form<AsForm>>,
        id: Id<Submission<AsForm>>,
    ) -> Result<Submission<AsForm>> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.discard_submission(form, id);
        let recover = move |operation: &mut InLocation<'_, '_>, _: &_| operation.submission(form, id);
        self.operate(context, Scope::FormsWrite, run, recover).await.map(|decided| told_of(context, decided))
    }

    /// Adds an address to a contact that a submission only offered.
    pub async fn accept_offer(
        &self,
        context: &LocationContext,
        form: Id<Form<AsForm>>,
        id: Id<Submission<AsForm>>,
        kind: IdentityKind,
    ) -> Result<Contact> {
        context.authority.require(Scope::FormsRead)?;
        let run = move |operation: &mut InLocation<'_, '_>| operation.accept_offer(form, id, kind);
        let recover = move |operation: &mut InLocation<'_, '_>, _: &_| {
            let submission: Submission<AsForm> = operation.submission(form, id)?;
            operation.contact(submission.contact.ok_or_else(|| nothing_offered(kind))?)
        };
        self.operate(context, Scope::ContactsWrite, run, recover).await
    }

    /// The name of the form that a submission was made to and what it asked, as it was then; nothing of a draft that is deleted.
    pub async fn schema_of_submission<K: FormResource>(
        &self,
        context: &LocationContext,
        submission: &Submission<K>,
    ) -> Result<Option<(String, FormSchema)>> {
        let (form, version) = (submission.form, submission.version);
        self.read(context, K::SCOPES.0, move |operation| {
            let location = operation.context.location;
            let asked = match version {
                Some(number) => {
                    forms::find_version(operation.tx, location, form, number)?.map(|version| version.content)
                }
                None => stored::find(operation.tx, location, (), form)?.map(|form: Form<K>| form.content),
            };
            let schema = |content: FormContent| {
                let schema = FormSchema::read(&content.definition).unwrap_or_else(|_| FormSchema::empty());
                (content.name.into_string(), schema)
            };
            Ok(asked.map(schema))
        })
        .await
    }

    /// What forms ask and have asked, the newest first of each: as drafts, then in their versions, also of forms that are deleted.
    /// Of one form, if it is named.
    pub async fn schemas_of_forms(
        &self,
        context: &LocationContext,
        form: Option<Id<Form<AsForm>>>,
    ) -> Result<Vec<(Id<Form<AsForm>>, FormSchema)>> {
        self.read(context, Scope::FormsRead, move |operation| {
            let known = forms::definitions(operation.tx, operation.context.location, form, SCHEMAS)?;
            // What the rules do not allow any more asks nothing.
            let read = |(form, definition)| Some((form, FormSchema::read(&definition).ok()?));
            Ok(known.into_iter().filter_map(read).collect())
        })
        .await
    }

    /// One submission to a form.
    pub async fn get_submission<K: FormResource>(
        &self,
        context: &LocationContext,
        form: Id<Form<K>>,
        id: Id<Submission<K>>,
    ) -> Result<Submission<K>> {
        self.read(context, K::SCOPES.0, move |operation| operation.submission(form, id)).await
    }

    /// Submissions of a location that suit, newest first, and how many these are.
    pub async fn list_submissions<K: FormResource>(
        &self,
        context: &LocationContext,
        filter: SubmissionFilter<K>,
        window: Window<(UtcMs, Id<Submission<K>>)>,
    ) -> Result<Counted<Submission<K>>> {
        let time = self.limits.search;
        self.read(context, K::SCOPES.0, move |operation| {
            let found = submissions::list(operation.tx, operation.context.location, &filter, &window, time);
            found.map_err(|error| Error::of_search(error, SHORTENS))
        })
        .await
    }
}

impl InLocation<'_, '_> {
    pub(crate) fn submission<K: FormResource>(
        &mut self,
        form: Id<Form<K>>,
        id: Id<Submission<K>>,
    ) -> Result<Submission<K>> {
        let found = submissions::find(self.tx, self.context.location, form, id)?;
        found.ok_or_else(|| Error::NotFound(Noun::Submission, id.to_string()))
    }

    fn submit<K: FormResource>(
        &mut self,
        form: Id<Form<K>>,
        answers: Map<String, Json>,
        key: Option<SubmissionKey>,
    ) -> Result<Submission<K>> {
        let questions = self.questions_of(form)?;
        let judged = self.judge(&questions, answers, true)?;
        let same = key.as_ref().map(|key| (Sameness::Key(key), SAME_KEY_MS));
        if let Some(same) = self.find_same(form, &judged, same)? {
            return Ok(same);
        }
        self.take(&questions, judged, key, Handling::default())
    }

    /// What a form asks for at the moment.
    fn questions_of<K: FormResource>(&mut self, form: Id<Form<K>>) -> Result<Questions<K>> {
        let found: Option<Form<K>> = stored::find(self.tx, self.context.location, (), form)?;
        let found = found.ok_or_else(|| Error::NotFound(K::NOUN, form.to_string()))?;
        self.questions(form, found.published, found.content)
    }

    /// What is asked by the version of a form that others see, or by its draft while there is none. What the rules do not allow any
    /// more asks nothing.
    pub(crate) fn questions<K: FormResource>(
        &mut self,
        form: Id<Form<K>>,
        version: Option<i64>,
        draft: FormContent,
    ) -> Result<Questions<K>> {
        let published = match version {
            Some(number) => forms::find_version(self.tx, self.context.location, form, number)?,
            None => None,
        };
        let FormContent { name, definition } = published.map_or(draft, |version| version.content);
        let schema = FormSchema::read(&definition).unwrap_or_else(|_| FormSchema::empty());
        Ok(Questions { form, version, name, schema })
    }

    /// Whether answers suit, and what they say of a contact. `keeps_others` keeps those that were not asked for.
    pub(crate) fn judge<K>(
        &mut self,
        questions: &Questions<K>,
        sent: Map<String, Json>,
        keeps_others: bool,
    ) -> Result<Judged> {
        let (location, schema) = (self.context.location, &questions.schema);
        let country = locations::country(self.tx, location)?;
        let (mut kept, mut wrong) = schema.judge(&sent, country);
        // In the order in which they were sent.
        let mut answers = Map::new();
        for (key, answer) in sent {
            match schema.field(&key) {
                Some(_) => answers.extend(kept.shift_remove(&key).map(|answer| (key, answer))),
                None if keeps_others => answers.extend([(key, answer)]),
                None => {}
            }
        }
        answers.extend(kept);
        let has_others = answers.keys().any(|key| schema.field(key).is_none());
        let fields = if schema.is_plain() && !has_others {
            Vec::new()
        } else {
            custom_fields::list(self.tx, location, Some(OwnerKind::Contact))?
        };
        let place = Place { country, zone: locations::zone(self.tx, location)?, fields };
        let said = form_answers::said(schema, &answers, &place);
        wrong.extend(said.wrong);
        let mut refused_by_contact = Vec::new();
        for Unsuited { key, field, problem } in said.unsuited {
            // A program may be told, and whoever wrote it can ask. People are asked what they cannot answer otherwise.
            if keeps_others {
                wrong.push((key, problem));
            } else {
                refused_by_contact.push(Refusal { field, why: WhyRefused::Unsuited });
            }
        }
        let patch = said.patch;
        if !wrong.is_empty() {
            return Err(refused(wrong));
        }
        let mut profile = ContactProfile::default();
        patch.clone().apply(&mut profile);
        let alike = Json::Object(schema.without_places(&answers)).to_string();
        let answers = Answers::new(answers).map_err(|problem| Error::invalid("answers", problem.0))?;
        let marks = Marks {
            digest: Sha256::digest(alike).into(),
            sender: None,
            identity: profile.identities().into_iter().next().map(|(_, value)| value),
            phone: profile.phone.as_ref().map(|phone| phone.as_str().to_owned()),
        };
        Ok(Judged { answers, patch, profile, refused: refused_by_contact, marks })
    }

    /// The submission that these answers are, if they were sent before.
    pub(crate) fn find_same<K: FormResource>(
        &mut self,
        form: Id<Form<K>>,
        judged: &Judged,
        same: Option<(Sameness<'_>, i64)>,
    ) -> Result<Option<Submission<K>>> {
        let Some((sameness, within)) = same else { return Ok(None) };
        let since = UtcMs(self.now().0 - within);
        let found =
            submissions::find_same(self.tx, self.context.location, form, &judged.marks.digest, sameness, since)?;
        if let Some(same) = &found {
            idempotency::about(self.tx, &self.context.authority, same.id.as_str())?;
        }
        Ok(found)
    }

    /// Keeps answers, and does in the contact what they say.
    pub(crate) fn take<K: FormResource>(
        &mut self,
        questions: &Questions<K>,
        judged: Judged,
        key: Option<SubmissionKey>,
        handling: Handling,
    ) -> Result<Submission<K>> {
        // Named first, so that a repeated request finds the submission and not the contact.
        let id = self.new_id();
        idempotency::about(self.tx, &self.context.authority, id.as_str())?;
        let Judged { answers, patch, profile, refused, marks } = judged;
        let is_quiet = self.has_sent_many(marks.identity.as_deref())?;
        let (contact, mut outcome) = self.contact_who_answers(patch, &profile, questions)?;
        outcome.refused.extend(refused);
        let handling = Handling { outcome, is_quiet, ..handling };
        let submission = self.new_submission(id, questions, (answers, &profile), key, handling);
        let submission = Submission { contact, ..submission };
        submissions::insert(self.tx, &submission, &marks)?;
        self.keep_files(&submission)?;
        self.tell(Happened::made(K::SUBMITTED, &Told::of(self, &submission, Some(&questions.name))))?;
        Ok(submission)
    }

    /// Keeps answers until somebody has looked at them. Nothing else comes of them.
    pub(crate) fn hold(
        &mut self,
        questions: &Questions<AsForm>,
        judged: Judged,
        key: Option<SubmissionKey>,
        handling: Handling,
    ) -> Result<Submission<AsForm>> {
        let id = self.new_id();
        let Judged { answers, patch: _, profile, refused: _, marks } = judged;
        let submission = self.new_submission(id, questions, (answers, &profile), key, handling);
        let submission = Submission { state: SubmissionState::Held, ..submission };
        submissions::insert(self.tx, &submission, &marks)?;
        self.keep_files(&submission)?;
        self.notify_of_held(&submission)?;
        self.tell(Happened::made(EventKind::FormHeld, &Told::of(self, &submission, Some(&questions.name))))?;
        Ok(submission)
    }

    /// However much a form holds on a day, one notice tells of it.
    fn notify_of_held(&mut self, held: &Submission<AsForm>) -> Result<()> {
        let at = held.created_at;
        let notice = NewNotice {
            id: self.new_id(),
            agency: self.context.authority.agency(),
            location: Some(held.location),
            subject: NoticeSubject::Form(held.form),
            kind: NoticeKind::FormHeld,
            episode: at.0 - at.0.rem_euclid(DAY_MS),
            recorded_at: at,
            address: None,
        };
        notify(self.tx, notice)?;
        Ok(())
    }

    fn new_submission<K>(
        &self,
        id: Id<Submission<K>>,
        questions: &Questions<K>,
        (answers, profile): (Answers, &ContactProfile),
        key: Option<SubmissionKey>,
        mut handling: Handling,
    ) -> Submission<K> {
        let given = answers.fields();
        let consents = questions.schema.fields().filter(|field| given.contains_key(&field.key));
        handling.consents = consents
            .filter_map(|field| match field.kind {
                FieldKind::Consent(version) => {
                    Some(Consent { key: field.key.clone(), text: field.label.as_str().to_owned(), version })
                }
                _ => None,
            })
            .collect();
        Submission {
            id,
            location: self.context.location,
            form: questions.form,
            contact: None,
            key,
            answers,
            version: questions.version,
            state: SubmissionState::Taken,
            handling,
            name: profile.full_name(),
            email: profile.email.as_ref().map(|email| EmailAddress::as_str(email).to_owned()),
            created_at: self.now(),
        }
    }

    fn has_sent_many(&mut self, identity: Option<&str>) -> Result<bool> {
        let Some(identity) = identity else { return Ok(false) };
        let since = UtcMs(self.now().0 - DAY_MS);
        let location = self.context.location;
        Ok(submissions::count_of_identity(self.tx, location, identity, since, LOUD_IN_A_DAY)? >= LOUD_IN_A_DAY)
    }

    /// Whose answers they are, and what became of them there: where the location forbids duplicates the contact that has one of the
    /// addresses, else somebody new. Answers that say of nobody who they are belong to nobody.
    fn contact_who_answers<K>(
        &mut self,
        mut patch: ContactPatch,
        profile: &ContactProfile,
        questions: &Questions<K>,
    ) -> Result<(Option<ContactId>, Outcome)> {
        if !profile.is_identifiable() {
            return Ok((None, Outcome::default()));
        }
        let rule = &questions.schema.contact;
        let source = Some(Some(questions.name.clone()));
        let looks = !locations::allows_duplicates(self.tx, self.context.location)?;
        let mut identities = if looks { profile.identities() } else { Vec::new() };
        let place = |kind: &IdentityKind| rule.match_by.iter().position(|by| by == kind).unwrap_or(usize::MAX);
        identities.sort_by_key(|(kind, _)| place(kind));
        let known = self.who_has(identities)?;
        let matched = known.iter().find(|(kind, ..)| rule.match_by.contains(kind)).map(|(.., contact)| contact.clone());
        if let Some(contact) = matched {
            let mut outcome = Outcome::merge(&mut patch, &contact, rule.on_match);
            outcome.point_at(&known);
            if rule.on_match != OnMatch::Never {
                patch.tags = Some(with_tags(&contact, &rule.tags)).filter(|tags| *tags != contact.tags);
                patch.source = source.filter(|_| contact.profile.source.is_none());
            }
            // What the contact does not take is no reason to refuse the answers: that would tell of the contact.
            let written = self.attempt(|operation| operation.update_contact(contact.id, patch));
            return match written {
                Ok(_) => Ok((Some(contact.id), outcome)),
                Err(Error::Invalid(_) | Error::Duplicate(_)) => Ok((Some(contact.id), outcome.not_taken())),
                Err(error) => Err(error),
            };
        }
        // An address that is somebody else's stays theirs.
        let mut outcome = Outcome::withdraw(&mut patch, &known);
        let mut rest = ContactProfile::default();
        patch.clone().apply(&mut rest);
        if !rest.is_identifiable() {
            return Ok((None, outcome));
        }
        let made = Outcome::made(&patch);
        outcome = Outcome { offered: outcome.offered, ..made };
        patch.source = source;
        patch.tags = Some(rule.tags.clone()).filter(|tags| !tags.is_empty());
        Ok((Some(self.create_contact(patch)?.id), outcome))
    }

    fn held(&mut self, form: Id<Form<AsForm>>, id: Id<Submission<AsForm>>) -> Result<Submission<AsForm>> {
        let submission = self.submission(form, id)?;
        if submission.state == SubmissionState::Held {
            return Ok(submission);
        }
        let message = match submission.state {
            SubmissionState::Discarded => "This submission was discarded",
            SubmissionState::Held | SubmissionState::Taken => "This submission counts already",
        };
        Err(Error::Conflict(ErrorCode::SubmissionDecided, message.to_owned()))
    }

    fn accept_submission(&mut self, form: Id<Form<AsForm>>, id: Id<Submission<AsForm>>) -> Result<Submission<AsForm>> {
        let submission = self.held(form, id)?;
        let draft: Option<Form<AsForm>> = stored::find(self.tx, self.context.location, (), form)?;
        let draft = draft.ok_or_else(|| Error::NotFound(Noun::Form, form.to_string()))?;
        let questions = self.questions(form, submission.version, draft.content)?;
        let judged = self.judge(&questions, submission.answers.fields(), false)?;
        let Judged { patch, profile, refused, marks, .. } = judged;
        let is_quiet = self.has_sent_many(marks.identity.as_deref())?;
        let (contact, mut outcome) = self.contact_who_answers(patch, &profile, &questions)?;
        outcome.refused.extend(refused);
        let handling = Handling { outcome, is_quiet, ..submission.handling };
        let submission = Submission { contact, handling, state: SubmissionState::Taken, ..submission };
        submissions::decide(self.tx, &submission, marks.phone.as_deref())?;
        files::keep_on(self.tx, self.context.location, id)?;
        self.tell(Happened::made(EventKind::FormSubmitted, &Told::of(self, &submission, Some(&questions.name))))?;
        Ok(submission)
    }

    fn discard_submission(&mut self, form: Id<Form<AsForm>>, id: Id<Submission<AsForm>>) -> Result<Submission<AsForm>> {
        let before = self.held(form, id)?;
        let after = Submission { state: SubmissionState::Discarded, ..before.clone() };
        submissions::decide(self.tx, &after, None)?;
        let (was, is) = (Told::of(self, &before, None), Told::of(self, &after, None));
        self.tell(Happened::changed(EventKind::FormDiscarded, &was, &is))?;
        Ok(after)
    }

    fn accept_offer(
        &mut self,
        form: Id<Form<AsForm>>,
        id: Id<Submission<AsForm>>,
        kind: IdentityKind,
    ) -> Result<Contact> {
        let submission = self.submission(form, id)?;
        let offer = submission.handling.outcome.offered.iter().find(|offer| offer.kind == kind);
        let (Some(offer), Some(contact)) = (offer, submission.contact) else { return Err(nothing_offered(kind)) };
        let contact = self.contact(contact)?;
        let country = locations::country(self.tx, self.context.location)?;
        let refused = |Invalid(problem)| Error::invalid(kind.as_str(), problem);
        let mut patch = ContactPatch::default();
        let value = &offer.value;
        match kind {
            IdentityKind::Email => patch.email = Some(Some(EmailAddress::parse(value).map_err(refused)?)),
            IdentityKind::Phone => patch.phone = Some(Some(PhoneNumber::parse(value, country).map_err(refused)?)),
        }
        patch.add_to(&contact.profile);
        self.update_contact(contact.id, patch)
    }
}

/// A submission that somebody decided about, to whom its answers were not sent: those are for whoever may read them.
fn told_of(context: &LocationContext, decided: Submission<AsForm>) -> Submission<AsForm> {
    if context.authority.grant().allows(Scope::FormsRead) { decided } else { decided.without_answers() }
}

/// The tags of a contact with those that a form gives, as many as it may have.
fn with_tags(contact: &Contact, given: &[TagName]) -> Vec<TagName> {
    let more = given.iter().filter(|tag| !contact.tags.contains(tag));
    contact.tags.iter().chain(more).take(MAX_TAGS.max(contact.tags.len())).cloned().collect()
}

fn nothing_offered(kind: IdentityKind) -> Error {
    Error::invalid(kind.as_str(), "is not offered by this submission")
}

fn refused(wrong: Vec<(String, Invalid)>) -> Error {
    let violation = |(key, Invalid(problem))| Violation { field: format!("answers.{key}"), problem };
    Error::Invalid(wrong.into_iter().map(violation).collect())
}

/// A submission, as it is told of.
struct Told<'s, K> {
    submission: &'s Submission<K>,
    /// Of its form.
    name: Option<&'s str>,
    base_url: &'s str,
}

impl<'s, K> Told<'s, K> {
    fn of(operation: &InLocation<'s, '_>, submission: &'s Submission<K>, name: Option<&'s Line<200>>) -> Self {
        Self { submission, name: name.map(Line::as_str), base_url: operation.base_url }
    }
}

impl<K: FormResource> Described for Told<'_, K> {
    fn subject(&self) -> &str {
        self.submission.id.as_str()
    }

    fn contact(&self) -> Option<ContactId> {
        self.submission.contact
    }

    fn describe(&self) -> Fields {
        let submission = self.submission;
        let mut fields = Fields::new();
        put(&mut fields, "formId", Some(submission.form.as_str()));
        put(&mut fields, "contactId", submission.contact.as_ref().map(Id::as_str));
        let shortened = |(key, answer)| match answer {
            Json::String(whole) => (key, text(&whole)),
            other => (key, other),
        };
        let answers = submission.told_answers(self.base_url).into_iter().map(shortened);
        put(&mut fields, "answers", Some(Json::Object(answers.collect())));
        put(&mut fields, "version", submission.version);
        let state = submission.state;
        put(&mut fields, "state", Some(state.as_str()).filter(|_| state != SubmissionState::Taken));
        put(&mut fields, "quiet", submission.handling.is_quiet.then_some(true));
        put(&mut fields, "formName", self.name);
        fields
    }
}
