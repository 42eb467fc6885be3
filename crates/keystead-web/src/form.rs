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
use keystead_model::{Invalid, invalid, text::folded};

pub(crate) use self::editing::{Edit, Edited, SEEN};
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
    /// Of pairs whose names are known.
    pub(crate) fn of<'n>(pairs: impl IntoIterator<Item = (&'n str, String)>) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// Adds values after those that are there.
    pub(crate) fn extend(&mut self, pairs: impl IntoIterator<Item = (String, String)>) {
        self.0.extend(pairs);
    }

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

    /// With when to choose it.
    pub(crate) fn when(self, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..self }
    }
}

/// The field with the password that is asked again.
pub(crate) const CONFIRMATION: &str = "confirm_password";

/// A field of a form. Its name is what operations call the same thing, so that what they refuse is said beside it.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: Cow<'static, str>,
    pub(crate) label: Cow<'static, str>,
    /// What sentences call it, where its label would make none: `The expiry`.
    pub(crate) noun: &'static str,
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
        let (hint, missing, choices) = (Cow::Borrowed(""), None, Vec::new());
        Self { name, label, noun: "", hint, kind, missing, attributes: "", choices, is_half: false }
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

    /// The password of whoever signed in a while ago, for what gives more authority; nothing of whoever has just signed in.
    pub(crate) fn confirmation(here: &Here) -> Option<Self> {
        let field = Self::typed("password", CONFIRMATION, "Your password")
            .hint("Asked again, since your sign-in is older than 15 minutes.")
            .with("autocomplete=current-password");
        (!here.authority().is_fresh()).then_some(field)
    }

    /// The name of what somebody is about to end for good, typed once more; see [`same_name`].
    pub(crate) fn same_name(label: &'static str) -> Self {
        Self::line("name", label).called("This").needed("Type the name as it stands above").with("autocomplete=off")
    }

    /// How long what is replaced goes on: `noun` is how sentences call that, and what the longest and none are for is said beside them.
    pub(crate) fn overlap(
        label: &'static str,
        (noun, missing): (&'static str, &'static str),
        [week, none]: [&str; 2],
    ) -> Self {
        let choices = [
            Choice::new("P7D", "7 days").when(week),
            Choice::new("PT24H", "24 hours"),
            Choice::new("PT0S", "Not at all").when(none),
        ];
        Self::new(Kind::Radios, "overlap", label).of(choices).called(noun).needed(missing)
    }

    /// With what is said where it is missing.
    pub(crate) fn needed(self, missing: &'static str) -> Self {
        Self { missing: Some(missing), ..self }
    }

    pub(crate) fn called(self, noun: &'static str) -> Self {
        Self { noun, ..self }
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

/// Reads a name that was typed once more: as it is read, for nobody can type what nobody sees.
pub(crate) fn same_name<'n>(name: &'n str, whose: &'n str) -> impl Fn(&str) -> Result<(), Invalid> + use<'n> {
    move |typed| match folded(typed) == folded(name) {
        true => Ok(()),
        false => Err(Invalid::new(format!("is not the {whose}’s name; type it as it stands above"))),
    }
}

/// A field with what stands in it.
pub(crate) struct Shown<'f> {
    pub(crate) field: &'f Field,
    /// Its id on the page.
    pub(crate) id: String,
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
        let id = &self.id;
        let hint = (!self.field.hint.is_empty()).then(|| format!("{id}-hint"));
        let problem = (!self.problem.is_empty()).then(|| format!("{id}-problem"));
        [hint, problem].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// A form: its fields, what was sent, and what is wrong with it.
#[derive(Default)]
pub(crate) struct Form {
    fields: Vec<Field>,
    pub(crate) sent: Fields,
    problems: Problems,
    /// Of the buttons of a page that ask for the same, the one that was pressed: ids begin with it.
    button: String,
}

impl Form {
    /// With what stands in it, or was sent.
    pub(crate) fn new(fields: Vec<Field>, sent: impl Into<Fields>) -> Self {
        Self { fields, sent: sent.into(), problems: Problems::default(), button: String::new() }
    }

    /// That of a button which gives more authority: it asks for the password, if that has to be asked again, and for nothing else.
    pub(crate) fn of_button(here: &Here, button: impl Into<String>, sent: Fields) -> Self {
        Self { button: button.into(), ..Self::new(Field::confirmation(here).into_iter().collect(), sent) }
    }

    /// That of such buttons on a page on which none was pressed.
    pub(crate) fn of_buttons(here: &Here) -> Self {
        Self::of_button(here, "", Fields::default())
    }

    /// The same of pairs whose names are known.
    pub(crate) fn filled<'n>(fields: Vec<Field>, pairs: impl IntoIterator<Item = (&'n str, String)>) -> Self {
        Self::new(fields, Fields::of(pairs))
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.sent.text(name)
    }

    /// With another value in a field.
    pub(crate) fn put(&mut self, name: &str, value: String) {
        self.sent.0.retain(|(known, _)| known != name);
        self.sent.0.push((name.to_owned(), value));
    }

    /// With a field as it is drawn: what is offered for it is read only for that.
    pub(crate) fn drawn_with(&mut self, name: &str, change: impl FnOnce(Field) -> Field) {
        if let Some(field) = self.fields.iter_mut().find(|field| field.name == name) {
            *field = change(field.clone());
        }
    }

    pub(crate) fn is_checked(&self, name: &str) -> bool {
        self.sent.text(name).is_some()
    }

    /// What a field says; where it must say something and does not, that is a problem.
    pub(crate) fn read<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, Invalid>) -> Option<T> {
        let Some(text) = self.sent.text(name) else {
            self.miss(name);
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

    /// The same of a password, which is taken as it was typed.
    pub(crate) fn read_password(&mut self, name: &str) -> Option<String> {
        let typed = self.sent.raw(name).filter(|typed| !typed.is_empty()).map(str::to_owned);
        if typed.is_none() {
            self.miss(name);
        }
        typed
    }

    /// Asks the password again for what gives a program or a person more authority, where the sign-in is older than 15 minutes. A
    /// form that is wrong already is not asked.
    pub(crate) async fn confirm(&mut self, web: &Web, here: &mut Here) -> Result<(), Error> {
        if !self.problems.is_empty() {
            return Ok(());
        }
        let password = self.sent.raw(CONFIRMATION).filter(|password| !password.is_empty());
        let sentence = match (here.visitor.confirm(web, password).await, password) {
            (Ok(true), _) => {
                // What else is wrong is mended without it.
                self.fields.retain(|field| field.name != CONFIRMATION);
                return Ok(());
            }
            (Ok(false), Some(_)) => "This is not your password",
            (Ok(false), None) => "Enter your password, which is asked again for what gives more authority",
            (Err(error), _) => return self.take(error),
        };
        self.problems.say(CONFIRMATION, sentence);
        Ok(())
    }

    /// The page with this form, which has to be mended.
    pub(crate) fn again(&self, page: &impl Template) -> Response {
        self.again_as(StatusCode::UNPROCESSABLE_ENTITY, page)
    }

    /// The same for another reason. Whoever is to wait is told so in headers, too, for programs that watch.
    pub(crate) fn again_as(&self, status: StatusCode, page: &impl Template) -> Response {
        let Some(wait) = self.problems.wait else { return render_with(status, page) };
        let mut response = render_with(StatusCode::TOO_MANY_REQUESTS, page);
        response.headers_mut().insert(header::RETRY_AFTER, keystead_http::retry_after(wait));
        response
    }

    fn field_of(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Says that a field is missing, if it must not be.
    pub(crate) fn miss(&mut self, name: &str) {
        if let Some(missing) = self.field_of(name).and_then(|field| field.missing) {
            self.problems.say(name, missing);
        }
    }

    /// A sentence beside a field. The first one counts.
    pub(crate) fn say(&mut self, name: &str, sentence: impl Into<String>) {
        self.problems.say(name, sentence);
    }

    /// A sentence above the form.
    pub(crate) fn generally(&mut self, sentence: impl Into<String>) {
        self.problems.generally(sentence);
    }

    /// What is wrong with a field, said of it: `must be in the future`.
    pub(crate) fn violate(&mut self, name: &str, problem: &str) {
        let problem = invalid::in_words(problem);
        let sentence = match self.field_of(name) {
            Some(field) if field.noun.is_empty() => format!("{} {problem}", field.label),
            Some(field) => format!("{} {problem}", field.noun),
            None => problem.to_owned(),
        };
        self.problems.say(name, sentence);
    }

    /// Whether nothing is wrong with it.
    pub(crate) fn is_right(&self) -> bool {
        self.problems.is_empty()
    }

    /// Whether something is wrong with one of these fields.
    pub(crate) fn is_wrong(&self, names: &[&str]) -> bool {
        names.iter().any(|name| !self.problems.of(name).is_empty())
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
        match error {
            Error::Invalid(violations) | Error::Unsuited(violations, _) => {
                for Violation { field, problem } in violations {
                    match self.field_of(&field) {
                        Some(_) => self.violate(&field, &problem),
                        None => self.generally(format!("{field} {problem}")),
                    }
                }
            }
            Error::Conflict(_, message) | Error::Forbidden(_, message) => self.generally(message),
            Error::TooManyRequests(wait) => {
                self.problems.wait = Some(wait);
                let minutes = wait.as_secs().div_ceil(60).max(1);
                self.generally(format!("Too many attempts. Try again in {minutes} minutes"));
            }
            other => return Err(other),
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

    /// The fields of one of several buttons that ask for the same: what is wrong is said where it was pressed.
    pub(crate) fn rows_of(&self, button: &str) -> Vec<Vec<Shown<'_>>> {
        let shown = |field| match button == self.button {
            true => self.show(field),
            false => Shown { id: id_of(button, &field.name), value: "", values: Vec::new(), problem: "", field },
        };
        self.fields.iter().map(|field| vec![shown(field)]).collect()
    }

    /// One field, for what draws it in its own way.
    pub(crate) fn shown(&self, name: &str) -> Option<Shown<'_>> {
        self.field_of(name).map(|field| self.show(field))
    }

    fn show<'f>(&'f self, field: &'f Field) -> Shown<'f> {
        let (name, sent) = (&field.name, &self.sent);
        // A password is not sent back.
        let value = if field.kind == Kind::Line("password") { None } else { sent.raw(name) };
        Shown {
            field,
            id: id_of(&self.button, name),
            value: value.unwrap_or_default(),
            values: sent.all(name),
            problem: self.problems.of(name),
        }
    }

    /// All that is wrong, what belongs to no field first and then in the order of the fields: the id of the field, and the sentence.
    pub(crate) fn summary(&self) -> Vec<(Option<String>, &str)> {
        let Problems { general, fields, wait: _ } = &self.problems;
        let place = |name: &str| self.fields.iter().position(|field| field.name == name).unwrap_or(usize::MAX);
        let mut ordered: Vec<_> = fields.iter().collect();
        ordered.sort_by_key(|(name, _)| place(name));
        let said = ordered.into_iter().map(|(name, text)| (Some(id_of(&self.button, name)), text.as_str()));
        general.iter().map(|text| (None, text.as_str())).chain(said).collect()
    }
}

/// How many things are wrong. A sentence about the whole form is none of its own, where fields say more.
pub(crate) fn things(wrong: &[(Option<String>, &str)]) -> usize {
    let of_fields = wrong.iter().filter(|(field, _)| field.is_some()).count();
    if of_fields == 0 { wrong.len() } else { of_fields }
}

/// The id of a field, on a page with several forms that have the same.
fn id_of(button: &str, name: &str) -> String {
    if button.is_empty() { name.to_owned() } else { format!("{button}-{name}") }
}

/// What is wrong with a form, by field.
#[derive(Default)]
struct Problems {
    fields: BTreeMap<String, String>,
    /// What belongs to no field.
    general: Vec<String>,
    /// How long to wait, where that is the problem.
    wait: Option<Duration>,
}

impl Problems {
    fn say(&mut self, field: &str, text: impl Into<String>) {
        self.fields.entry(field.to_owned()).or_insert_with(|| sentence(&text.into()));
    }

    fn generally(&mut self, text: impl Into<String>) {
        self.general.push(sentence(&text.into()));
    }

    fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.general.is_empty()
    }

    fn of(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", String::as_str)
    }
}

/// `must be in the future` becomes `Must be in the future.`
pub(crate) fn sentence(problem: &str) -> String {
    let mut characters = problem.chars();
    let first = characters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    let end = if problem.ends_with('.') { "" } else { "." };
    format!("{first}{}{end}", characters.as_str())
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
