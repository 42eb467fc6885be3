//! Forms: their fields said once, read from what was sent, and shown again with what is wrong.

mod editing;

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use askama::Template;
use axum::{
    extract::{FromRequest, Request, rejection::FormRejection},
    response::Response,
};
use http::{StatusCode, header};
use keystead_core::{Error, Violation};
use keystead_model::Invalid;

pub(crate) use self::editing::{Edit, SEEN};
use crate::{Web, page::render_with, place::Here};

/// The fields of a form as they were sent; a name may come several times.
#[derive(Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl From<Vec<(String, String)>> for Fields {
    fn from(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }
}

impl FromRequest<Web> for Fields {
    type Rejection = FormRejection;

    async fn from_request(request: Request, web: &Web) -> Result<Self, FormRejection> {
        let axum::Form(pairs) = axum::Form::<Vec<(String, String)>>::from_request(request, web).await?;
        Ok(Self(pairs))
    }
}

impl Fields {
    /// The first value, trimmed; empty is absent.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// A value that is taken as it is, such as a password.
    pub(crate) fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a name.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The first value, for showing it again.
    pub(crate) fn shown(&self, name: &str) -> String {
        self.raw(name).unwrap_or_default().to_owned()
    }
}

/// How a field is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One line, of a type of HTML: `text`, `email`, `date`.
    Line(&'static str),
    /// Several lines, so many at first.
    Lines(u8),
    /// One of a few.
    Select,
    /// A line beside which all that suits it is suggested: of more than anybody scrolls through.
    Suggest,
    /// Several of a few.
    Boxes,
    /// One of a few, all in view.
    Radios,
    /// Yes or no; the label stands beside it.
    Check,
    /// Not in view.
    Hidden,
}

/// Something to choose.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) words: String,
    /// When to choose it.
    pub(crate) detail: String,
}

impl Choice {
    pub(crate) fn new(value: impl Into<String>, words: impl Into<String>) -> Self {
        Self { value: value.into(), words: words.into(), detail: String::new() }
    }
}

/// The field with the password that is asked again.
pub(crate) const CONFIRMATION: &str = "confirm_password";

/// A field of a form. Its name is what operations call the same thing, so that what they refuse is said beside it.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: Cow<'static, str>,
    pub(crate) label: Cow<'static, str>,
    pub(crate) hint: Cow<'static, str>,
    pub(crate) kind: Kind,
    /// What is said where it is missing: `Enter a name`. `None` if it may be.
    pub(crate) missing: Option<&'static str>,
    /// More attributes: `maxlength=64 autocomplete=off`.
    pub(crate) attributes: &'static str,
    pub(crate) choices: Vec<Choice>,
    /// Whether it stands beside its neighbour where there is room.
    pub(crate) is_half: bool,
}

impl Field {
    pub(crate) fn new(kind: Kind, name: impl Into<Cow<'static, str>>, label: impl Into<Cow<'static, str>>) -> Self {
        let (name, label) = (name.into(), label.into());
        let (hint, missing, attributes, choices) = (Cow::Borrowed(""), None, "", Vec::new());
        Self { name, label, hint, kind, missing, attributes, choices, is_half: false }
    }

    /// A line of text.
    pub(crate) fn line(name: impl Into<Cow<'static, str>>, label: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Line("text"), name, label)
    }

    /// A line of another type of HTML.
    pub(crate) fn typed(
        kind: &'static str,
        name: impl Into<Cow<'static, str>>,
        label: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(Kind::Line(kind), name, label)
    }

    /// The password of whoever signed in a while ago, for what gives more authority.
    pub(crate) fn confirmation() -> Self {
        let field = Self::typed("password", CONFIRMATION, "Your password");
        field.hint("Asked again, since your sign-in is older than 15 minutes.").with("autocomplete=current-password")
    }

    /// With what is said where it is missing.
    pub(crate) fn needed(self, missing: &'static str) -> Self {
        Self { missing: Some(missing), ..self }
    }

    pub(crate) fn hint(self, hint: impl Into<Cow<'static, str>>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    pub(crate) fn with(self, attributes: &'static str) -> Self {
        Self { attributes, ..self }
    }

    pub(crate) fn of(self, choices: impl IntoIterator<Item = Choice>) -> Self {
        Self { choices: choices.into_iter().collect(), ..self }
    }

    /// Beside its neighbour, where there is room for both.
    pub(crate) fn half(self) -> Self {
        Self { is_half: true, ..self }
    }
}

/// A password that somebody chooses.
pub(crate) fn new_password() -> Field {
    Field::typed("password", "password", "Password")
        .needed("Choose a password")
        .hint("At least 10 characters; a sentence is best.")
        .with("autocomplete=new-password minlength=10")
}

/// A field with what stands in it.
pub(crate) struct Shown<'f> {
    pub(crate) field: &'f Field,
    pub(crate) value: &'f str,
    values: Vec<&'f str>,
    pub(crate) problem: &'f str,
}

impl Shown<'_> {
    pub(crate) fn has(&self, value: &str) -> bool {
        self.values.contains(&value)
    }

    /// What tells more of it, by id.
    pub(crate) fn described_by(&self) -> String {
        let name = &self.field.name;
        let hint = (!self.field.hint.is_empty()).then(|| format!("{name}-hint"));
        let problem = (!self.problem.is_empty()).then(|| format!("{name}-problem"));
        [hint, problem].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// A form: its fields, what was sent, and what is wrong with it.
pub(crate) struct Form {
    fields: Vec<Field>,
    pub(crate) sent: Fields,
    pub(crate) problems: Problems,
}

impl Form {
    /// With what stands in it, or was sent.
    pub(crate) fn new(fields: Vec<Field>, sent: impl Into<Fields>) -> Self {
        Self { fields, sent: sent.into(), problems: Problems::default() }
    }

    /// The same of pairs whose names are known.
    pub(crate) fn filled<'n>(fields: Vec<Field>, pairs: impl IntoIterator<Item = (&'n str, String)>) -> Self {
        let pairs: Vec<_> = pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self::new(fields, pairs)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.sent.text(name)
    }

    /// With another value in a field.
    pub(crate) fn put(&mut self, name: &str, value: String) {
        self.sent.0.retain(|(known, _)| known != name);
        self.sent.0.push((name.to_owned(), value));
    }

    pub(crate) fn is_checked(&self, name: &str) -> bool {
        self.sent.text(name).is_some()
    }

    /// What a field says; where it must say something and does not, that is a problem.
    pub(crate) fn read<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, Invalid>) -> Option<T> {
        let Some(text) = self.sent.text(name) else {
            if let Some(missing) = self.field_of(name).and_then(|field| field.missing) {
                self.problems.say(name, missing);
            }
            return None;
        };
        match parse(text) {
            Ok(value) => Some(value),
            Err(Invalid(problem)) => {
                self.violate(name, &problem);
                None
            }
        }
    }

    /// Asks the password again, if the sign-in is old; see [`Here::confirm`].
    pub(crate) async fn confirm(&mut self, web: &Web, here: &mut Here) -> Result<(), Error> {
        here.confirm(web, &self.sent, &mut self.problems).await
    }

    /// The page with this form, which has to be mended.
    pub(crate) fn again(&self, page: &impl Template) -> Response {
        self.problems.shown_in(page)
    }

    fn field_of(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// What is wrong with a field, said of it: `must be in the future`.
    pub(crate) fn violate(&mut self, name: &str, problem: &str) {
        let sentence = match self.field_of(name) {
            Some(field) => format!("{} {problem}", field.label),
            None => problem.to_owned(),
        };
        self.problems.say(name, sentence);
    }

    /// Does what the form asks for, unless something is wrong with it; what that refuses and the visitor can mend is said in it.
    pub(crate) async fn run<T>(&mut self, work: impl Future<Output = Result<T, Error>>) -> Result<Option<T>, Error> {
        if !self.problems.is_empty() {
            return Ok(None);
        }
        match work.await {
            Ok(done) => Ok(Some(done)),
            Err(error) => {
                self.take(error)?;
                Ok(None)
            }
        }
    }

    /// The same with what was read: what is missing there is a problem already.
    pub(crate) async fn run_with<I, T>(
        &mut self,
        input: Option<I>,
        work: impl AsyncFnOnce(I) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        match input {
            Some(input) => self.run(work(input)).await,
            None => Ok(None),
        }
    }

    /// Takes an operation's refusal that the visitor can mend; gives the others back.
    pub(crate) fn take(&mut self, error: Error) -> Result<(), Error> {
        let (Error::Invalid(violations) | Error::Unsuited(violations, _)) = error else {
            return self.problems.take(error);
        };
        for Violation { field, problem } in violations {
            match self.field_of(&field) {
                Some(_) => self.violate(&field, &problem),
                None => self.problems.generally(format!("{field} {problem}")),
            }
        }
        Ok(())
    }

    /// Its fields with what stands in them: those that follow each other as halves stand together.
    pub(crate) fn rows(&self) -> Vec<Vec<Shown<'_>>> {
        self.rows_where(|_| true)
    }

    /// The same of some of them, where a page has more than the form between them.
    pub(crate) fn part(&self, names: &[&str]) -> Vec<Vec<Shown<'_>>> {
        self.rows_where(|field| names.contains(&&*field.name))
    }

    /// The same of the others.
    pub(crate) fn without(&self, names: &[&str]) -> Vec<Vec<Shown<'_>>> {
        self.rows_where(|field| !names.contains(&&*field.name))
    }

    fn rows_where(&self, is_meant: impl Fn(&Field) -> bool) -> Vec<Vec<Shown<'_>>> {
        let fields: Vec<&Field> = self.fields.iter().filter(|field| is_meant(field)).collect();
        // Of halves two stand together.
        let together = fields.chunk_by(|one, next| one.is_half && next.is_half).flat_map(|part| part.chunks(2));
        together.map(|row| row.iter().map(|field| self.show(field)).collect()).collect()
    }

    fn show<'f>(&'f self, field: &'f Field) -> Shown<'f> {
        let (name, sent) = (&field.name, &self.sent);
        // A password is not sent back.
        let value = if field.kind == Kind::Line("password") { None } else { sent.raw(name) };
        Shown { field, value: value.unwrap_or_default(), values: sent.all(name), problem: self.problems.of(name) }
    }

    /// All that is wrong, in the order of the fields: the id of the field, and the sentence.
    pub(crate) fn summary(&self) -> Vec<(Option<&str>, &str)> {
        self.problems.summary(self.fields.iter().map(|field| &*field.name))
    }
}

/// What is wrong with a form, by field.
#[derive(Default)]
pub(crate) struct Problems {
    fields: BTreeMap<String, String>,
    /// What belongs to no field.
    general: Vec<String>,
    /// How long to wait, where that is the problem.
    wait: Option<Duration>,
}

impl Problems {
    /// A sentence beside a field. The first one counts.
    pub(crate) fn say(&mut self, field: &str, text: impl Into<String>) {
        self.fields.entry(field.to_owned()).or_insert_with(|| sentence(&text.into()));
    }

    /// A sentence above the form.
    pub(crate) fn generally(&mut self, text: impl Into<String>) {
        self.general.push(sentence(&text.into()));
    }

    /// A field that must be there.
    pub(crate) fn required<T>(
        &mut self,
        field: &str,
        text: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        let Some(text) = text else {
            self.say(field, "is needed");
            return None;
        };
        self.optional(field, Some(text), parse)
    }

    /// A field that may be empty.
    pub(crate) fn optional<T>(
        &mut self,
        field: &str,
        text: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        match parse(text?) {
            Ok(value) => Some(value),
            Err(Invalid(problem)) => {
                self.say(field, problem);
                None
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.general.is_empty()
    }

    /// The form again with its problems. Whoever is to wait is told so in headers, too, for programs that watch.
    pub(crate) fn shown_in(&self, page: &impl Template) -> Response {
        let Some(wait) = self.wait else { return render_with(StatusCode::UNPROCESSABLE_ENTITY, page) };
        let mut response = render_with(StatusCode::TOO_MANY_REQUESTS, page);
        response.headers_mut().insert(header::RETRY_AFTER, keystead_http::retry_after(wait));
        response
    }

    pub(crate) fn of(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", String::as_str)
    }

    /// All that is wrong, what belongs to no field first and then by field, in this order and after it those that are not in it.
    pub(crate) fn summary<'f>(&'f self, order: impl Iterator<Item = &'f str>) -> Vec<(Option<&'f str>, &'f str)> {
        let order: Vec<&str> = order.collect();
        let general = self.general.iter().map(|text| (None, text.as_str()));
        let ordered = order.iter().filter_map(|name| Some((Some(*name), self.fields.get(*name)?.as_str())));
        let others = self.fields.iter().filter(|(name, _)| !order.contains(&name.as_str()));
        general.chain(ordered).chain(others.map(|(name, text)| (Some(name.as_str()), text.as_str()))).collect()
    }

    /// The same of a form whose fields stand in its page.
    pub(crate) fn listed(&self) -> Vec<(Option<&str>, &str)> {
        self.summary(std::iter::empty())
    }

    /// Takes an operation's refusal that the visitor can mend; gives the others back.
    pub(crate) fn take(&mut self, error: Error) -> Result<(), Error> {
        match error {
            Error::Invalid(violations) | Error::Unsuited(violations, _) => {
                for Violation { field, problem } in violations {
                    match form_field(&field) {
                        Some(field) => self.say(field, problem),
                        None => self.generally(format!("{field} {problem}")),
                    }
                }
                Ok(())
            }
            Error::Conflict(_, message) | Error::Forbidden(_, message) => {
                self.generally(message);
                Ok(())
            }
            Error::TooManyRequests(wait) => {
                self.wait = Some(wait);
                let minutes = wait.as_secs().div_ceil(60).max(1);
                self.generally(format!("Too many attempts. Try again in {minutes} minutes"));
                Ok(())
            }
            other => Err(other),
        }
    }
}

/// The field of our forms for what operations call a thing; what no form has a place for is said above it.
fn form_field(name: &str) -> Option<&'static str> {
    const FIELDS: &[(&str, &str)] = &[
        ("name", "name"),
        ("description", "description"),
        ("labels", "labels"),
        ("contactEmail", "contact"),
        ("scopes", "scope"),
        ("allowedLocations", "allowed"),
        ("allowedIps", "allowed_ips"),
        ("expiresAt", "expires_at"),
        ("locationId", "location"),
        ("keyDefaultDays", "default_days"),
        ("email", "email"),
        ("password", "password"),
        ("file", "file"),
    ];
    FIELDS.iter().find(|(known, _)| *known == name).map(|(_, field)| *field)
}

/// `must be an email` becomes `Must be an email.`
fn sentence(problem: &str) -> String {
    let mut characters = problem.chars();
    let first = characters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    let end = if problem.ends_with('.') { "" } else { "." };
    format!("{first}{}{end}", characters.as_str())
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
