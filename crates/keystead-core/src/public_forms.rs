//! Forms as those meet them whom nobody knows.
//!
//! A form tells nobody anything: what is answered is the same whether a contact was found, made, or refused what was sent.

use std::{net::IpAddr, time::Duration};

use keystead_model::{
    LocationId, UtcMs,
    form::{AsForm, Form, Handling, SubmissionKey, Visit, WhyHeld},
    form_answers::BLANK,
    form_schema::FormSchema,
    id::Id,
    scope::Scope,
};
use keystead_store::{
    Tx,
    forms::{self, PublicAddress, PublicForm},
    submissions::Sameness,
};
use serde_json::{Map, Value as Json};

use crate::{
    App, Error, FormFile, LocationContext, RequestId, Result, Source,
    error::Noun,
    form_files,
    operate::InLocation,
    submissions::{Judged, Questions, SAME_KEY_MS, SAME_SENDER_MS},
};

/// How much more than is held is refused.
const REFUSED_AFTER: u32 = 10;
/// How old what a page says of itself may be to be believed.
const BELIEVED_MS: i64 = 24 * 60 * 60 * 1_000;
/// Characters of the name of a field that only programs fill.
const TRAP_LENGTH: usize = 8;

/// Where a form is found, as an address says it.
#[derive(Clone, Debug)]
pub enum FormAddress {
    /// By its id.
    Id(Id<Form<AsForm>>),
    /// By its name in a location.
    Slug(LocationId, String),
}

/// A form that everybody may answer, with what it asks.
#[derive(Clone, Debug)]
pub struct OpenForm {
    /// Where it is, and which version.
    pub form: PublicForm,
    /// What it asks.
    pub schema: FormSchema,
}

/// What a page of a form says of itself when it is sent.
#[derive(Clone, Debug)]
pub struct PageToken {
    /// As the page carries it.
    pub text: String,
    /// The name of a field that people do not see.
    pub trap: String,
    /// When the page was made.
    pub at: UtcMs,
}

/// Answers of somebody whom nobody knows.
#[derive(Debug)]
pub struct StrangersAnswers {
    /// What was answered, by the keys of fields; others are dropped.
    pub answers: Map<String, Json>,
    /// Files that were given as answers.
    pub files: Vec<FormFile>,
    /// What the page calls it, so that it is taken once.
    pub key: Option<SubmissionKey>,
    /// What the page said of itself, and whether its trap was filled.
    pub page: Option<(PageToken, bool)>,
    /// Of the page on which it was answered.
    pub visit: Visit,
    /// Where it comes from.
    pub address: IpAddr,
    /// Whether the address is known to be the sender's own, so that what comes from there may be counted.
    pub address_is_own: bool,
    /// The request.
    pub request: Option<RequestId>,
}

/// What a stranger has sent, as it is judged and taken.
#[derive(Clone)]
struct Sent {
    questions: Questions<AsForm>,
    answers: Map<String, Json>,
    key: Option<SubmissionKey>,
    sender: String,
    handling: Handling,
}

impl Sent {
    /// The answers, if they suit; nothing where they were sent before.
    fn judged(&self, operation: &mut InLocation<'_, '_>) -> Result<Option<Judged>> {
        let mut judged = operation.judge(&self.questions, self.answers.clone(), false)?;
        if self.questions.schema.is_blank(&judged.answers.fields()) {
            return Err(Error::invalid("answers", BLANK));
        }
        let same = match &self.key {
            Some(key) => (Sameness::Key(key), SAME_KEY_MS),
            None => (Sameness::Sender(&self.sender), SAME_SENDER_MS),
        };
        if operation.find_same(self.questions.form, &judged, Some(same))?.is_some() {
            return Ok(None);
        }
        judged.marks.sender = Some(self.sender.clone());
        Ok(Some(judged))
    }

    fn take(&self, operation: &mut InLocation<'_, '_>) -> Result<()> {
        let Some(judged) = self.judged(operation)? else { return Ok(()) };
        let key = self.key.clone();
        if self.handling.held.is_empty() {
            operation.take(&self.questions, judged, key, self.handling.clone()).map(drop)
        } else {
            operation.hold(&self.questions, judged, key, self.handling.clone()).map(drop)
        }
    }
}

impl App {
    /// A form that everybody may answer. One that does not exist, is not published, or is of somebody who is suspended, is not found.
    pub async fn open_form(&self, address: FormAddress) -> Result<OpenForm> {
        let named = match &address {
            FormAddress::Id(id) => id.to_string(),
            FormAddress::Slug(_, slug) => slug.clone(),
        };
        let find = move |tx: &mut Tx<'_>| match &address {
            FormAddress::Id(id) => forms::find_public(tx, PublicAddress::Id(*id)),
            FormAddress::Slug(location, slug) => forms::find_public(tx, PublicAddress::Slug(*location, slug)),
        };
        let form = self.store.look_up(find).await?.ok_or(Error::NotFound(Noun::Form, named))?;
        let schema = FormSchema::read(&form.definition);
        let schema =
            schema.map_err(|wrong| Error::Internal(format!("the form {} was published: {wrong:?}", form.id)))?;
        Ok(OpenForm { form, schema })
    }

    /// The draft of a form, as others would see it if it were published now.
    pub async fn preview_form(&self, context: &LocationContext, id: Id<Form<AsForm>>) -> Result<OpenForm> {
        let place = self.location_of(context).await?;
        self.read(context, Scope::FormsRead, move |operation| {
            let form: Form<AsForm> = operation.find((), id)?;
            let schema = FormSchema::read(&form.content.definition).unwrap_or_else(|_| FormSchema::empty());
            let public = PublicForm {
                id,
                location: form.location,
                location_name: place.profile.name.as_str().to_owned(),
                agency: place.agency,
                country: place.profile.country,
                version: form.versions + 1,
                name: form.content.name,
                definition: form.content.definition,
            };
            Ok(OpenForm { form: public, schema })
        })
        .await
    }

    /// What a page of the form says of itself.
    pub fn page_token(&self, form: Id<Form<AsForm>>) -> PageToken {
        self.page_token_at(form, self.clock.now())
    }

    fn page_token_at(&self, form: Id<Form<AsForm>>, at: UtcMs) -> PageToken {
        let mac = self.secret.token("keystead page of a form", &format!("{form} {}", at.0));
        // An underscore begins no key of a field.
        let name: String = mac.chars().filter(char::is_ascii_alphanumeric).take(TRAP_LENGTH).collect();
        PageToken { text: format!("{}.{mac}", at.0), trap: format!("_{}", name.to_lowercase()), at }
    }

    /// Reads [`PageToken::text`]. What is old, or was made up, says nothing.
    pub fn read_page_token(&self, form: Id<Form<AsForm>>, text: &str) -> Option<PageToken> {
        let at = UtcMs(text.split_once('.')?.0.parse().ok()?);
        let token = self.page_token_at(form, at);
        let age = self.clock.now().0 - at.0;
        (token.text == text && (0..BELIEVED_MS).contains(&age)).then_some(token)
    }

    /// Takes the answers of somebody whom nobody knows.
    pub async fn answer_form(&self, open: &OpenForm, new: StrangersAnswers) -> Result<()> {
        let OpenForm { form, schema } = open;
        let held = self.suspects(open, &new)?;
        let now = self.clock.now();
        let mut authority = Self::own_authority(form.agency, form.location, now);
        authority.address = Some(new.address);
        authority.request = new.request;
        let context = LocationContext::new(authority, form.location);
        let questions =
            Questions { form: form.id, version: Some(form.version), name: form.name.clone(), schema: schema.clone() };
        let handling = Handling { held, visit: Some(new.visit), ..Handling::default() };
        let sender = Source::of(new.address).to_string();
        let mut sent = Sent { questions, answers: new.answers, key: new.key, sender, handling };
        if new.files.is_empty() {
            return self.operate_on_own(&context, move |operation| sent.take(operation), |_, _| Ok(())).await;
        }
        form_files::add_to(&mut sent.answers, &form_files::told(&new.files));
        let looked_at = sent.clone();
        let judged = self.read_own(&context, move |operation| looked_at.judged(operation)).await?;
        let Some(judged) = judged else { return Ok(()) };
        let kept = self.keep_answers(&context, &mut sent.answers, &judged, new.files).await?;
        let outcome = self.operate_on_own(&context, move |operation| sent.take(operation), |_, _| Ok(())).await;
        // Where the same came twice at once, one of both has not taken its own.
        self.forget_unseen(form.location, kept).await;
        outcome
    }

    /// Why somebody should look at it first. What comes far too often is refused.
    fn suspects(&self, open: &OpenForm, new: &StrangersAnswers) -> Result<Vec<WhyHeld>> {
        let (form, rule) = (open.form.id, open.schema.spam);
        let mut held = Vec::new();
        if let Some((token, is_trapped)) = &new.page {
            held.extend((rule.has_honeypot && *is_trapped).then_some(WhyHeld::Honeypot));
            let is_fast = self.clock.now().0 - token.at.0 < rule.min_seconds * 1_000;
            held.extend(is_fast.then_some(WhyHeld::TooFast));
        }
        let mut count = |seen: (u32, Duration), limit: u32, why: WhyHeld| {
            let (count, wait) = seen;
            held.extend((count > limit).then_some(why));
            if count > limit.saturating_mul(REFUSED_AFTER) { Err(Error::TooManyRequests(wait)) } else { Ok(()) }
        };
        let now = self.clock.monotonic();
        // Behind a proxy that nobody configured all have one address.
        if new.address_is_own {
            let seen = self.answers_from.count_of((form.of_anything(), Source::of(new.address)), now);
            count(seen, rule.per_source, WhyHeld::ManyFromThere)?;
        }
        count(self.answers_to.count_of(form.of_anything(), now), rule.per_form, WhyHeld::ManyToForm)?;
        Ok(held)
    }
}
