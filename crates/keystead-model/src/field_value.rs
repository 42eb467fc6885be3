//! Values of custom fields, whoever has them: how they are read, and what somebody has.

use std::sync::Arc;

use serde_json::{Map, Number, Value as Json};

use crate::{
    CustomFieldId, Invalid,
    calendar_date::CalendarDate,
    condition::{self, ComparedText},
    custom_field::{CustomField, MAX_FILES, MAX_OPTIONS},
    data_type::DataType,
    decimal::Decimal,
    file::StoredFile,
    phone::PhoneNumber,
    text::{Country, EmailAddress, Prose, TimeZoneName, echo, is_unseen},
    time::{Moment, UtcMs, looks_like_seconds},
};

/// A value of a custom field. What is chosen from a list is several values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue {
    /// Text.
    Text(String),
    /// A number or an amount of money.
    Number(Decimal),
    /// A day.
    Date(CalendarDate),
    /// A file.
    File(StoredFile),
}

impl FieldValue {
    /// In the form that is compared; `None` if nothing of a text is left. A file is found by its name.
    pub fn compared(&self) -> Option<condition::Value> {
        match self {
            Self::Text(text) => condition::Value::text(text),
            Self::Number(number) => Some(condition::Value::Number(*number)),
            Self::Date(date) => Some(condition::Value::Date((*date).into())),
            Self::File(file) => condition::Value::text(&file.name),
        }
    }
}

/// Values for a field, as they are to be written: none takes them away. A file is named here by its id or its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldValues {
    /// The field.
    pub field: CustomFieldId,
    /// Its values in their order.
    pub values: Vec<FieldValue>,
}

/// A field, as far as its values need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueField {
    /// Its id.
    pub id: CustomFieldId,
    /// `contact.x`.
    pub key: String,
    /// What kind of values it has.
    pub data_type: DataType,
    /// Of a list of texts, what stands beside each.
    pub labels: Vec<String>,
}

impl From<&CustomField> for ValueField {
    fn from(field: &CustomField) -> Self {
        let labels = field.content.text_boxes.iter().map(|text_box| text_box.label.as_str().to_owned()).collect();
        Self { id: field.id, key: field.field_key(), data_type: field.data_type, labels }
    }
}

/// What somebody has in one field: one value at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The field.
    pub field: Arc<ValueField>,
    /// Its values in their order.
    pub values: Vec<FieldValue>,
}

impl Held {
    /// As events tell it, and as JSON: one value, or a list or an object of several. A number that JSON's usual ones would round
    /// is a text.
    pub fn to_json(&self) -> Json {
        let mut values = self.values.iter().map(|value| match value {
            FieldValue::Text(text) => Json::from(text.as_str()),
            FieldValue::Number(number) => json_number(*number),
            FieldValue::Date(date) => Json::from(date.to_iso()),
            FieldValue::File(file) => Json::from(file.name.as_str()),
        });
        let kind = self.field.data_type;
        if kind == DataType::TextboxList {
            let labelled = self.field.labels.iter().cloned().zip(values).filter(|(_, text)| *text != "");
            return Json::Object(labelled.collect::<Map<_, _>>());
        }
        if kind.is_list() || kind.is_file() { values.collect() } else { values.next().unwrap_or_default() }
    }
}

fn json_number(number: Decimal) -> Json {
    let text = number.to_string();
    let near = text.parse().ok().and_then(Number::from_f64);
    let is_exact = |near: &Number| Decimal::parse(&plain(near)).is_ok_and(|read| read == number);
    match (text.parse::<i64>(), near.filter(is_exact)) {
        (Ok(whole), _) => Json::from(whole),
        (_, Some(near)) => Json::Number(near),
        _ => Json::String(text),
    }
}

/// What somebody has in custom fields, in the order of their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValueSet(Vec<Held>);

impl ValueSet {
    /// What is held in each of some fields.
    pub fn of(held: impl IntoIterator<Item = Held>) -> Self {
        let mut set = Self::default();
        held.into_iter().for_each(|held| set.set(held));
        set
    }

    /// Each field in which there is something.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Held> {
        self.0.iter()
    }

    /// What is in a field.
    pub fn get(&self, field: CustomFieldId) -> &[FieldValue] {
        match self.place(field) {
            Ok(place) => &self.0[place].values,
            Err(_) => &[],
        }
    }

    /// Replaces what is in a field; by nothing, if there are no values.
    pub fn set(&mut self, held: Held) {
        match (self.place(held.field.id), held.values.is_empty()) {
            (Ok(place), true) => drop(self.0.remove(place)),
            (Ok(place), false) => self.0[place] = held,
            (Err(_), true) => {}
            (Err(place), false) => self.0.insert(place, held),
        }
    }

    fn place(&self, field: CustomFieldId) -> Result<usize, usize> {
        self.0.binary_search_by_key(&field, |held| held.field.id)
    }

    /// What has to be written for those who had `before`: each field that differs, without values where there are none any more.
    pub fn since(&self, before: &Self) -> Vec<FieldValues> {
        let ids = before.0.iter().chain(&self.0).map(|held| held.field.id);
        let mut changes: Vec<FieldValues> = Vec::new();
        for field in ids {
            let is_known = changes.iter().any(|change| change.field == field);
            if !is_known && self.get(field) != before.get(field) {
                changes.push(FieldValues { field, values: self.get(field).to_vec() });
            }
        }
        changes
    }

    /// Bytes of all texts in it.
    pub fn text_bytes(&self) -> usize {
        let texts = self.0.iter().flat_map(|held| &held.values);
        texts.map(|value| if let FieldValue::Text(text) = value { text.len() } else { 0 }).sum()
    }

    /// All files in it.
    pub fn files(&self) -> impl Iterator<Item = (CustomFieldId, &StoredFile)> {
        self.0.iter().flat_map(|held| {
            held.values.iter().filter_map(|value| match value {
                FieldValue::File(file) => Some((held.field.id, file)),
                _ => None,
            })
        })
    }
}

impl<'s> IntoIterator for &'s ValueSet {
    type Item = &'s Held;
    type IntoIter = std::slice::Iter<'s, Held>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// Bytes of all texts in the fields of one contact or opportunity: a page of a list holds a hundred of these.
pub const MAX_TEXT_BYTES: usize = 256 * 1024;

/// Longest text in a field of one line or more.
const TEXT: usize = 5_000;
/// Longest text in a field for long ones.
const LARGE_TEXT: usize = 50_000;

/// Reads what somebody has sent for a field. An empty text, or an empty list, is no value.
///
/// Phone numbers are those of `country` unless they say otherwise, and an instant is the day that it is in `zone`.
pub fn read(
    field: &CustomField,
    sent: &Json,
    country: Country,
    zone: &TimeZoneName,
) -> Result<Vec<FieldValue>, Invalid> {
    let one = |read: &dyn Fn(&str) -> Result<FieldValue, Invalid>| {
        Ok(single(sent)?.map(|text| read(&text)).transpose()?.into_iter().collect())
    };
    match field.data_type {
        DataType::Text => one(&|text| prose::<TEXT>(text)),
        DataType::LargeText => one(&|text| prose::<LARGE_TEXT>(text)),
        DataType::Numerical | DataType::Monetary | DataType::Float => {
            one(&|text| Decimal::parse(text.trim()).map(FieldValue::Number))
        }
        DataType::Phone => one(&|text| Ok(FieldValue::Text(PhoneNumber::parse(text, country)?.as_str().to_owned()))),
        DataType::Email => one(&|text| Ok(FieldValue::Text(EmailAddress::parse(text)?.as_str().to_owned()))),
        DataType::Time => one(&|text| time_of_day(text).map(FieldValue::Text)),
        DataType::Date => date(sent, zone),
        DataType::SingleOptions | DataType::Radio => one(&|text| option(field, text)),
        DataType::Checkbox | DataType::MultipleOptions => {
            let mut chosen: Vec<FieldValue> = Vec::new();
            for text in several(sent, MAX_OPTIONS)? {
                let option = option(field, &text).map_err(|problem| joined(field, &text).unwrap_or(problem))?;
                if !chosen.contains(&option) {
                    chosen.push(option);
                }
            }
            Ok(chosen)
        }
        DataType::TextboxList => text_boxes(field, sent),
        DataType::FileUpload | DataType::Signature => files(sent),
    }
}

/// One text: what is a number or a truth is written as one.
fn single(sent: &Json) -> Result<Option<String>, Invalid> {
    let text = match sent {
        Json::Null => return Ok(None),
        Json::String(text) => text.clone(),
        Json::Number(number) => exact(number)?,
        Json::Bool(truth) => truth.to_string(),
        Json::Array(list) if list.is_empty() => return Ok(None),
        Json::Array(list) if list.len() == 1 && !list[0].is_array() => return single(&list[0]),
        Json::Array(_) => return Err(Invalid::new("must be one value, and is a list")),
        Json::Object(_) => return Err(Invalid::new("must be one value, and is an object")),
    };
    Ok(Some(text).filter(|text| !text.trim().is_empty()))
}

fn several(sent: &Json, most: usize) -> Result<Vec<String>, Invalid> {
    let Json::Array(list) = sent else { return Ok(single(sent)?.into_iter().collect()) };
    if list.len() > most {
        return Err(Invalid::new(format!("must contain no more than {most} elements")));
    }
    let mut texts = Vec::with_capacity(list.len());
    for entry in list {
        if entry.is_array() || entry.is_object() {
            return Err(Invalid::new("must be a list of texts"));
        }
        texts.extend(single(entry)?);
    }
    Ok(texts)
}

/// A number of JSON as it was written. With more digits than these it may have been rounded before it was read.
fn exact(number: &Number) -> Result<String, Invalid> {
    const EXACT_DIGITS: usize = 15;
    let text = plain(number);
    let digits = text.trim_start_matches('-').trim_start_matches(['0', '.']);
    let digits = digits.bytes().filter(u8::is_ascii_digit).count();
    if number.is_f64() && digits > EXACT_DIGITS {
        return Err(Invalid::new("has more digits than a JSON number keeps; send it as a text"));
    }
    Ok(text)
}

/// Without an exponent.
fn plain(number: &Number) -> String {
    match number.as_f64().filter(|_| number.is_f64()) {
        Some(number) => number.to_string(),
        None => number.to_string(),
    }
}

fn prose<const MAX: usize>(text: &str) -> Result<FieldValue, Invalid> {
    let text = Prose::<MAX>::parse(text)?.into_string();
    if text.chars().all(is_unseen) || ComparedText::of(&text).is_none() {
        return Err(Invalid::new("must have characters that can be seen"));
    }
    Ok(FieldValue::Text(text))
}

fn option(field: &CustomField, text: &str) -> Result<FieldValue, Invalid> {
    const SHOWN: usize = 20;
    let text = text.trim();
    let options = &field.content.options;
    if options.iter().any(|option| option.as_str() == text) {
        return Ok(FieldValue::Text(text.to_owned()));
    }
    if field.content.allows_custom_option {
        return prose::<200>(text);
    }
    let known: Vec<&str> = options.iter().take(SHOWN).map(|option| option.as_str()).collect();
    let more = if options.len() > SHOWN { format!(" and {} more", options.len() - SHOWN) } else { String::new() };
    let known = if known.is_empty() { "it has none yet".to_owned() } else { format!("{}{more}", known.join(", ")) };
    Err(Invalid::new(format!("has {}, which is none of its options: {known}", echo(text))))
}

/// What is wrong with several options that were sent as one text.
fn joined(field: &CustomField, text: &str) -> Option<Invalid> {
    let parts: Vec<&str> = text.split([',', ';']).map(str::trim).filter(|part| !part.is_empty()).collect();
    let is_option = |part: &&str| field.content.options.iter().any(|option| option.as_str() == *part);
    let problem = || format!("must be a list of its options, and {} is one text; send each by itself", echo(text));
    (parts.len() > 1 && parts.iter().all(is_option)).then(|| Invalid(problem()))
}

/// `9:30`, `21:30:15`, `9:30 PM`; what is kept is the clock of 24 hours.
fn time_of_day(text: &str) -> Result<String, Invalid> {
    let refused = || Invalid::new("must be a time of day, such as 21:30 or 9:30 PM");
    let text = text.trim().to_ascii_uppercase();
    let (clock, half) = match (text.strip_suffix("AM"), text.strip_suffix("PM")) {
        (Some(clock), _) => (clock.trim_end(), Some(0)),
        (_, Some(clock)) => (clock.trim_end(), Some(12)),
        _ => (text.as_str(), None),
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let number = |part: &str, digits: std::ops::RangeInclusive<usize>| {
        let suits = digits.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<u8>().ok().filter(|_| suits).ok_or_else(refused)
    };
    let (hour, minute) = match parts[..] {
        [hour] if half.is_some() => (number(hour, 1..=2)?, 0),
        [hour, minute] | [hour, minute, _] => (number(hour, 1..=2)?, number(minute, 2..=2)?),
        _ => return Err(refused()),
    };
    let second = parts.get(2).map_or(Ok(0), |second| number(second, 2..=2))?;
    let hour = match half {
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return Err(refused()),
        None => hour,
    };
    if hour > 23 || minute > 59 || second > 59 {
        return Err(refused());
    }
    Ok(if second == 0 { format!("{hour:02}:{minute:02}") } else { format!("{hour:02}:{minute:02}:{second:02}") })
}

fn date(sent: &Json, zone: &TimeZoneName) -> Result<Vec<FieldValue>, Invalid> {
    if let Json::Number(number) = sent {
        // A whole number, whichever way it is written.
        let whole = plain(number).parse().ok();
        if whole.is_some_and(looks_like_seconds) {
            return Err(Invalid::new("must be a date, or milliseconds since 1970; this looks like seconds"));
        }
        let at = whole.map(UtcMs).filter(|at| (UtcMs(-62_135_596_800_000)..=UtcMs::MAX).contains(at));
        let at = at.ok_or_else(|| Invalid::new("must be a date, or milliseconds since 1970"))?;
        return Ok(vec![FieldValue::Date(CalendarDate::of(at, zone))]);
    }
    let Some(text) = single(sent)? else { return Ok(Vec::new()) };
    // Midnight somewhere is another day elsewhere; a date with no time is that day everywhere.
    let day = match Moment::parse(&text) {
        Ok(Moment::Instant(at)) => CalendarDate::of(at, zone),
        _ => CalendarDate::parse(&text)?,
    };
    Ok(vec![FieldValue::Date(day)])
}

/// An object of labels, or a list of texts by their place. Empty boxes keep their place.
fn text_boxes(field: &CustomField, sent: &Json) -> Result<Vec<FieldValue>, Invalid> {
    let boxes = &field.content.text_boxes;
    let mut texts = vec![String::new(); boxes.len()];
    match sent {
        Json::Object(labelled) => {
            for (label, text) in labelled {
                let place = boxes.iter().position(|text_box| text_box.label.as_str() == label);
                let labels: Vec<&str> = boxes.iter().map(|text_box| text_box.label.as_str()).collect();
                let place = place.ok_or_else(|| {
                    Invalid::new(format!("has {}, which is none of its boxes: {}", echo(label), labels.join(", ")))
                })?;
                texts[place] = single(text)?.unwrap_or_default();
            }
        }
        Json::Array(list) if list.len() <= boxes.len() => {
            for (place, text) in list.iter().enumerate() {
                texts[place] = single(text)?.unwrap_or_default();
            }
        }
        Json::Array(_) => return Err(Invalid::new(format!("must contain no more than {} elements", boxes.len()))),
        Json::Null => {}
        Json::String(text) if text.trim().is_empty() => {}
        _ => return Err(Invalid::new("must be an object of texts by their labels")),
    }
    while texts.last().is_some_and(String::is_empty) {
        texts.pop();
    }
    let read = |text: String| if text.is_empty() { Ok(FieldValue::Text(text)) } else { prose::<TEXT>(&text) };
    texts.into_iter().map(read).collect()
}

/// Files that were uploaded: an object as it is answered, or a list of ids and addresses.
fn files(sent: &Json) -> Result<Vec<FieldValue>, Invalid> {
    let refused = || Invalid::new("must be files as an upload answers them: {\"<uuid>\": {\"documentId\": …}}");
    let named = |file: &Json| match file {
        Json::String(name) => Some(name.clone()),
        Json::Object(file) => {
            ["documentId", "url"].iter().find_map(|name| file.get(*name)?.as_str().map(str::to_owned))
        }
        _ => None,
    };
    let names: Vec<String> = match sent {
        Json::Object(files) if ["documentId", "url"].iter().any(|name| files.contains_key(*name)) => {
            vec![named(sent).ok_or_else(refused)?]
        }
        Json::Object(files) => files.values().map(|file| named(file).ok_or_else(refused)).collect::<Result<_, _>>()?,
        Json::Array(files) => files.iter().map(|file| named(file).ok_or_else(refused)).collect::<Result<_, _>>()?,
        other => single(other)?.into_iter().collect(),
    };
    if names.len() as i64 > MAX_FILES {
        return Err(Invalid::new(format!("must contain no more than {MAX_FILES} files")));
    }
    let mut files: Vec<FieldValue> = Vec::new();
    for name in names {
        // Of an address the last part says which file it is.
        let name = name.trim().rsplit('/').next().unwrap_or_default().to_owned();
        if !(1..=100).contains(&name.len()) {
            return Err(refused());
        }
        let file = FieldValue::Text(name);
        if !files.contains(&file) {
            files.push(file);
        }
    }
    Ok(files)
}

#[cfg(test)]
#[path = "field_value_tests.rs"]
mod tests;
