//! Whether answers suit the fields of a form.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use url::Url;

use super::AnsweredFile;
use crate::{
    Invalid,
    calendar_date::CalendarDate,
    condition::{Facts, Value, plain},
    custom_field::Format,
    decimal::Decimal,
    form_schema::{Asked, Choice, FILE_BYTES, FILE_MB, FILES, Field, FieldKind, FileRule, FormSchema, Hidden, Range},
    phone::PhoneNumber,
    text::{Country, EmailAddress, Prose, echo},
};

/// Characters of an address of the web.
const MAX_URL: usize = 2_000;
/// Characters of what nobody sees.
const MAX_HIDDEN: usize = 500;
/// Digits after the point of an amount of money.
const CENTS: usize = 2;

/// What is said where there is no answer.
pub const NEEDED: &str = "should not be empty";

/// What is said where nothing at all was answered.
pub const BLANK: &str = "should hold an answer to at least one question";

/// An answer, as it is kept and as conditions compare it.
struct Answer {
    kept: Json,
    compared: Vec<Value>,
}

/// Answers to the fields before another one.
#[derive(Default)]
struct Earlier(BTreeMap<String, Vec<Value>>);

impl Facts<Asked> for Earlier {
    fn values(&self, asked: &Asked) -> Vec<Value> {
        self.0.get(&asked.key).cloned().unwrap_or_default()
    }
}

impl FormSchema {
    /// The answers to fields that are asked, as they are kept, and what is wrong with others, by their keys. A field that earlier
    /// answers hide is not asked, and has no answer.
    pub fn judge(&self, sent: &Map<String, Json>, country: Country) -> (Map<String, Json>, Vec<(String, Invalid)>) {
        let (mut earlier, mut kept, mut wrong) = (Earlier::default(), Map::new(), Vec::new());
        let mut files = 0;
        for field in self.fields() {
            if field.visible_if.as_ref().is_some_and(|condition| !condition.evaluate(&earlier).holds) {
                continue;
            }
            match field.read(sent.get(&field.key).unwrap_or(&Json::Null), country) {
                Ok(Some(answer)) => {
                    if matches!(field.kind, FieldKind::File(_)) {
                        files += answer.kept.as_array().map_or(0, Vec::len);
                        if files > FILES {
                            let problem = format!("must not bring more than {FILES} files with the rest of the form");
                            wrong.push((field.key.clone(), Invalid::new(problem)));
                        }
                    }
                    earlier.0.insert(field.key.clone(), answer.compared);
                    kept.insert(field.key.clone(), answer.kept);
                }
                Ok(None) if field.is_required => wrong.push((field.key.clone(), Invalid::new(NEEDED))),
                Ok(None) => {}
                Err(problem) => wrong.push((field.key.clone(), problem)),
            }
        }
        (kept, wrong)
    }

    /// Whether people are asked something and these answers say nothing: what nobody sees is no answer of anybody.
    pub fn is_blank(&self, answers: &Map<String, Json>) -> bool {
        let mut asked = self.fields().filter(|field| !matches!(field.kind, FieldKind::Hidden(_) | FieldKind::Heading));
        let Some(first) = asked.next() else { return false };
        std::iter::once(first).chain(asked).all(|field| !answers.contains_key(&field.key))
    }
}

impl Field {
    /// `None` where there is no answer.
    fn read(&self, sent: &Json, country: Country) -> Result<Option<Answer>, Invalid> {
        match &self.kind {
            FieldKind::Heading => Ok(None),
            FieldKind::Multi(choices) => some_of(choices, sent),
            FieldKind::Checkbox | FieldKind::Consent(_) => truth(sent),
            FieldKind::File(rule) => files(rule, sent),
            FieldKind::Hidden(Hidden::Always(text)) => Ok(Some(people(text.as_str().to_owned()))),
            FieldKind::Hidden(Hidden::Query(_)) => {
                let text: String = scalar(sent)?.chars().filter(|c| !c.is_control()).take(MAX_HIDDEN).collect();
                Ok((!text.is_empty()).then(|| people(text)))
            }
            kind => {
                let text = scalar(sent)?;
                if text.is_empty() { Ok(None) } else { kind.read_text(text, country).map(Some) }
            }
        }
    }
}

impl FieldKind {
    fn read_text(&self, text: String, country: Country) -> Result<Answer, Invalid> {
        match self {
            Self::Text(most) if text.contains('\n') => {
                Err(Invalid::new(format!("must be one line of at most {most} characters")))
            }
            Self::Text(most) | Self::Textarea(most) => written(text, *most).map(people),
            Self::Email => EmailAddress::parse(&text).map(|_| people(text)),
            Self::Phone => PhoneNumber::parse(&text, country).map(|_| people(text)),
            Self::Url => written(text, MAX_URL).and_then(web_address).map(people),
            Self::Number(range) => number(text, range),
            Self::Money(range) => {
                if text.split_once('.').is_some_and(|(_, parts)| parts.len() > CENTS) {
                    return Err(Invalid::new(format!("must have at most {CENTS} digits after the point")));
                }
                number(text, range)
            }
            Self::Rating(most) => {
                let end = |number: &str| Decimal::parse(number).ok();
                let whole =
                    text.parse::<u8>().map_err(|_| Invalid::new(format!("must be a whole number from 1 to {most}")))?;
                number(whole.to_string(), &Range { min: end("1"), max: end(&most.to_string()) })
            }
            Self::Date(range) => {
                let date = CalendarDate::parse(&text)?;
                within(&date, range, |date| date.to_iso())?;
                Ok(Answer { kept: date.to_iso().into(), compared: vec![Value::Date(date.into())] })
            }
            Self::Time => time(&text)
                .map(|text| Answer { compared: Value::code(text.clone()).into_iter().collect(), kept: text.into() }),
            Self::Select(choices) | Self::Radio(choices) => chosen(choices, &text)
                .map(|text| Answer { compared: Value::code(text).into_iter().collect(), kept: text.into() }),
            Self::Multi(_) | Self::Checkbox | Self::Consent(_) | Self::File(_) | Self::Hidden(_) | Self::Heading => {
                Err(Invalid::new("must not be a text"))
            }
        }
    }
}

/// What is written, as people compare it.
fn people(text: String) -> Answer {
    Answer { compared: Value::text(&text).into_iter().collect(), kept: text.into() }
}

/// What somebody wrote, in one piece: browsers send texts, programs also numbers.
fn scalar(sent: &Json) -> Result<String, Invalid> {
    match sent {
        Json::Null => Ok(String::new()),
        Json::String(text) => Ok(plain(text)),
        Json::Number(number) => Ok(number.to_string()),
        Json::Array(list) if list.is_empty() => Ok(String::new()),
        Json::Array(list) if list.len() == 1 => scalar(&list[0]),
        _ => Err(Invalid::new("must be one text")),
    }
}

fn written(text: String, most: usize) -> Result<String, Invalid> {
    if text.chars().count() > most {
        return Err(Invalid::new(format!("must be shorter than or equal to {most} characters")));
    }
    Prose::<20_000>::parse(&text).map(Prose::into_string)
}

fn web_address(text: String) -> Result<String, Invalid> {
    let is_web = |url: &Url| ["http", "https"].contains(&url.scheme()) && url.has_host();
    match Url::parse(&text) {
        Ok(url) if is_web(&url) => Ok(text),
        _ => Err(Invalid::new("must be an address that begins with http:// or https://")),
    }
}

fn number(text: String, range: &Range<Decimal>) -> Result<Answer, Invalid> {
    let number = Decimal::parse(&text)?;
    within(&number, range, Decimal::to_string)?;
    Ok(Answer { kept: text.into(), compared: vec![Value::Number(number)] })
}

fn within<T: PartialOrd>(value: &T, range: &Range<T>, say: impl Fn(&T) -> String) -> Result<(), Invalid> {
    let problem = match (&range.min, &range.max) {
        (Some(min), Some(max)) if value < min || value > max => format!("must be from {} to {}", say(min), say(max)),
        (Some(min), None) if value < min => format!("must not be below {}", say(min)),
        (None, Some(max)) if value > max => format!("must not be above {}", say(max)),
        _ => return Ok(()),
    };
    Err(Invalid::new(problem))
}

/// Browsers leave out seconds that are nothing.
fn time(text: &str) -> Result<String, Invalid> {
    let mut parts = text.split(':');
    let mut part = |most: u8| {
        let digits = parts.next().filter(|digits| digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit()))?;
        digits.parse::<u8>().ok().filter(|number| *number < most)
    };
    match (part(24), part(60), parts.next()) {
        (Some(_), Some(_), None) => Ok(text.to_owned()),
        _ => Err(Invalid::new("must be a time such as 14:30")),
    }
}

fn chosen<'c>(choices: &'c [Choice], text: &str) -> Result<&'c str, Invalid> {
    let found = choices.iter().find(|choice| choice.as_str() == text);
    found
        .map(Choice::as_str)
        .ok_or_else(|| Invalid::new(format!("must be one of the answers to choose from, and not {}", echo(text))))
}

fn some_of(choices: &[Choice], sent: &Json) -> Result<Option<Answer>, Invalid> {
    let sent: Vec<&str> = match sent {
        Json::Null => Vec::new(),
        Json::String(one) => vec![one],
        Json::Array(list) if list.iter().all(Json::is_string) => list.iter().filter_map(Json::as_str).collect(),
        _ => return Err(Invalid::new("must be a list of texts")),
    };
    let mut found: Vec<&str> = Vec::new();
    for text in sent.into_iter().map(plain).filter(|text| !text.is_empty()) {
        let text = chosen(choices, &text)?;
        if !found.contains(&text) {
            found.push(text);
        }
    }
    let compared = found.iter().filter_map(|text| Value::code(*text)).collect();
    Ok((!found.is_empty()).then(|| Answer { kept: found.into(), compared }))
}

/// A box that is not ticked says nothing.
fn truth(sent: &Json) -> Result<Option<Answer>, Invalid> {
    let is_ticked = match sent {
        Json::Null => false,
        Json::Bool(truth) => *truth,
        Json::String(text) => match text.as_str() {
            "on" | "true" => true,
            "" | "false" => false,
            _ => return Err(Invalid::new("must be true or false")),
        },
        _ => return Err(Invalid::new("must be true or false")),
    };
    Ok(is_ticked.then(|| Answer { kept: true.into(), compared: vec![Value::Truth(true)] }))
}

fn files(rule: &FileRule, sent: &Json) -> Result<Option<Answer>, Invalid> {
    let nothing = match sent {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(list) => list.is_empty(),
        _ => false,
    };
    if nothing {
        return Ok(None);
    }
    let files = AnsweredFile::all_in(sent);
    if files.is_empty() {
        return Err(Invalid::new("must be a file, in a part with a filename of a body that is multipart/form-data"));
    }
    if files.len() > 1 && !rule.is_multiple {
        return Err(Invalid::new("must be one file"));
    }
    for file in &files {
        if file.size == 0 {
            return Err(Invalid::new(format!("must not be empty, as {} is", echo(&file.name))));
        }
        if file.size.unsigned_abs() > FILE_BYTES {
            return Err(Invalid::new(format!("must not be larger than {FILE_MB} MB, as {} is", echo(&file.name))));
        }
        if let Some(refusal) = Format::refuse(&rule.formats, &file.name) {
            return Err(refusal);
        }
    }
    let compared = files.iter().filter_map(|file| Value::text(&file.name)).collect();
    Ok(Some(Answer { kept: AnsweredFile::answer(&files), compared }))
}
