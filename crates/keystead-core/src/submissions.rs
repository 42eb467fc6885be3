//! What is submitted to forms and surveys, and whose it is.

use keystead_model::{
    ContactId, Invalid, UtcMs,
    contact::{ContactPatch, ContactProfile},
    custom_field::OwnerKind,
    form::{Form, NewSubmission, Submission, SubmissionFilter},
    form_answers::{self, Place},
    id::Id,
    page::{Counted, Window},
    text::{EmailAddress, Line},
};
use keystead_store::{custom_fields, locations, stored, submissions};
use sha2::{Digest, Sha256};

use crate::{
    App, Error, LocationContext, Result, Violation,
    error::Noun,
    events::{Described, Fields, Happened, put, text},
    forms::FormResource,
    idempotency,
    operate::InLocation,
};

/// What makes a search short.
const SHORTENS: &str = "a formId, or a startAt that is later";

impl App {
    /// Keeps answers, and makes the contact that they tell of, or fills what is empty in it. The same answers under the same name
    /// are kept once.
    pub async fn submit<K: FormResource>(
        &self,
        context: &LocationContext,
        form: Id<Form<K>>,
        new: NewSubmission,
    ) -> Result<Submission<K>> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.submit(form, new.clone());
        self.operate(context, K::SCOPES.1, run, move |operation, lost| operation.submission(form, lost.id()?)).await
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
    fn submission<K: FormResource>(&mut self, form: Id<Form<K>>, id: Id<Submission<K>>) -> Result<Submission<K>> {
        let found = submissions::find(self.tx, self.context.location, form, id)?;
        found.ok_or_else(|| Error::NotFound(Noun::Submission, id.to_string()))
    }

    fn submit<K: FormResource>(&mut self, form: Id<Form<K>>, new: NewSubmission) -> Result<Submission<K>> {
        let (location, now) = (self.context.location, self.now());
        let NewSubmission { answers, key } = new;
        let found: Option<Form<K>> = stored::find(self.tx, location, (), form)?;
        let found = found.ok_or_else(|| Error::NotFound(K::NOUN, form.to_string()))?;
        let digest: [u8; 32] = Sha256::digest(answers.as_str()).into();
        if let Some(key) = &key
            && let Some(same) = submissions::find_same(self.tx, location, form, key, &digest)?
        {
            idempotency::about(self.tx, &self.context.authority, same.id.as_str())?;
            return Ok(same);
        }
        let place = Place {
            country: locations::country(self.tx, location)?,
            zone: locations::zone(self.tx, location)?,
            fields: custom_fields::list(self.tx, location, Some(OwnerKind::Contact))?,
        };
        let patch = form_answers::contact(&found.content.definition, &answers, &place).map_err(refused)?;
        let mut profile = ContactProfile::default();
        patch.clone().apply(&mut profile);
        // Named first, so that a repeated request finds the submission and not the contact.
        let id = self.new_id();
        idempotency::about(self.tx, &self.context.authority, id.as_str())?;
        let contact = self.contact_who_answers(patch, &profile, &found.content.name)?;
        let (name, phone) = (profile.full_name(), profile.phone.as_ref().map(|phone| phone.as_str().to_owned()));
        let email = profile.email.as_ref().map(|email| EmailAddress::as_str(email).to_owned());
        let submission = Submission { id, location, form, contact, key, answers, name, email, created_at: now };
        submissions::insert(self.tx, &submission, &digest, phone.as_deref())?;
        self.tell(Happened::made(K::SUBMITTED, &submission))?;
        Ok(submission)
    }

    /// Whose answers they are: where the location forbids duplicates the contact that has one of the addresses, of which only
    /// what is empty is filled; else somebody new. Answers that say of nobody who they are belong to nobody.
    fn contact_who_answers(
        &mut self,
        mut patch: ContactPatch,
        profile: &ContactProfile,
        form: &Line<200>,
    ) -> Result<Option<ContactId>> {
        if !profile.is_identifiable() {
            return Ok(None);
        }
        patch.source = Some(Some(form.clone()));
        if !locations::allows_duplicates(self.tx, self.context.location)?
            && let Some((_, _, found)) = self.known_by(profile.identities())?.into_iter().next()
        {
            form_answers::fill_empty(&mut patch, &found);
            return Ok(Some(self.update_contact(found.id, patch)?.id));
        }
        Ok(Some(self.create_contact(patch)?.id))
    }
}

fn refused(wrong: Vec<(String, Invalid)>) -> Error {
    let violation = |(key, Invalid(problem))| Violation { field: format!("answers.{key}"), problem };
    Error::Invalid(wrong.into_iter().map(violation).collect())
}

impl<K: FormResource> Described for Submission<K> {
    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn contact(&self) -> Option<ContactId> {
        self.contact
    }

    fn describe(&self) -> Fields {
        let mut fields = Fields::new();
        put(&mut fields, "formId", Some(self.form.as_str()));
        put(&mut fields, "contactId", self.contact.as_ref().map(Id::as_str));
        put(&mut fields, "answers", Some(text(self.answers.as_str())));
        fields
    }
}
