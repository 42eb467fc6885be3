//! What answers say of a contact.

mod files;
mod judge;
mod outcome;

use serde_json::{Map, Value};

pub use self::{
    files::AnsweredFile,
    judge::{BLANK, NEEDED},
    outcome::{Offer, Outcome, Refusal, WhyRefused},
};
use crate::{
    CustomFieldId, Invalid,
    calendar_date::CalendarDate,
    contact::{ContactPatch, split_name},
    custom_field::{CustomField, FieldName, OwnerKind},
    data_type::DataType,
    field_value::{self, FieldValues},
    form_schema::{Field, FieldKind, FormSchema, Hidden},
    phone::PhoneNumber,
    text::{Country, EmailAddress, Line, TimeZoneName, echo},
};

/// Answers of one submission.
const MAX_ANSWERS: usize = 200;

/// Refuses answers that are no texts, numbers, truths or lists of texts: what, and what is wrong with it.
pub fn check(answers: &Map<String, Value>) -> Vec<(String, Invalid)> {
    let mut wrong = Vec::new();
    if answers.len() > MAX_ANSWERS {
        wrong.push((String::new(), Invalid::new(format!("must not hold more than {MAX_ANSWERS} answers"))));
    }
    for (key, answer) in answers {
        let suits = match answer {
            Value::Array(list) => list.iter().all(Value::is_string),
            answer => !answer.is_object(),
        };
        if !suits {
            let problem = "must be a text, a number, a truth or a list of texts";
            wrong.push((echo(key), Invalid::new(problem)));
        }
    }
    wrong
}

/// Where somebody answers: how what they write is read, and the custom fields of contacts there.
#[derive(Clone, Debug)]
pub struct Place {
    /// Whose phone numbers have no prefix.
    pub country: Country,
    /// Whose day it is.
    pub zone: TimeZoneName,
    /// The custom fields.
    pub fields: Vec<CustomField>,
}

/// What answers say of a contact, and what is wrong with some.
#[derive(Debug, Default)]
pub struct Said {
    /// What they say.
    pub patch: ContactPatch,
    /// Answers that whoever gave them can give better.
    pub wrong: Vec<(String, Invalid)>,
    /// Answers that suit their question, and not what it fills.
    pub unsuited: Vec<Unsuited>,
}

/// An answer that suits its question and not the field of the contact that it fills. Whoever answers can do nothing about that.
#[derive(Debug)]
pub struct Unsuited {
    /// The key of the question.
    pub key: String,
    /// The field of the contact, as [`Outcome`] names it.
    pub field: String,
    /// Why it does not take the answer.
    pub problem: Invalid,
}

/// What the answers to a form say of a contact, where all must suit: see [`said`].
pub fn contact(
    schema: &FormSchema,
    answers: &Map<String, Value>,
    place: &Place,
) -> Result<ContactPatch, Vec<(String, Invalid)>> {
    let Said { patch, wrong: further, unsuited } = said(schema, answers, place);
    let mut wrong: Vec<_> = unsuited.into_iter().map(|unsuited| (unsuited.key, unsuited.problem)).collect();
    wrong.extend(further);
    if wrong.is_empty() { Ok(patch) } else { Err(wrong) }
}

/// What the answers to a form say of a contact: those to fields that are mapped to one of a contact's (`"mapsTo":
/// "contact.first_name"`, or the key or the id of a custom field), and those that the form does not know and that are called like
/// one. Answers that these fields do not take are named, with what is wrong with them.
pub fn said(schema: &FormSchema, answers: &Map<String, Value>, place: &Place) -> Said {
    let (mut patch, mut wrong, mut unsuited) = (ContactPatch::default(), Vec::new(), Vec::new());
    let mut whole_name = None;
    for (key, answer) in answers {
        let question = schema.field(key);
        let target = question.map_or(Some(key.as_str()), |field| field.maps_to.as_deref());
        let Some(target) = target else { continue };
        if let Some(field) = custom(target, &place.fields) {
            match field_value::read(field, answer, place.country, &place.zone) {
                // An empty answer says nothing.
                Ok(values) if values.is_empty() => {}
                Ok(values) => patch.custom_fields.push(FieldValues { field: field.id, values }),
                Err(problem) if question.is_some() => {
                    let field = format!("customFields.{}", field.id);
                    unsuited.push(Unsuited { key: echo(key), field, problem });
                }
                Err(problem) => wrong.push((echo(key), problem)),
            }
            continue;
        }
        let Some(text) = text_of(answer) else { continue };
        let meant = plain(target);
        if ["name", "fullname"].contains(&meant.as_str()) {
            whole_name = Some((key, text));
        } else if let Err(problem) = put(&mut patch, &meant, &text, place.country) {
            match question {
                Some(field) if !field.kind.is_typed() => {
                    unsuited.push(Unsuited { key: echo(key), field: wire_name(target), problem });
                }
                _ => wrong.push((echo(key), problem)),
            }
        }
    }
    if let Some((key, text)) = whole_name {
        let (first, last) = split_name(&text);
        for (field, part) in [(&mut patch.first_name, first), (&mut patch.last_name, last)] {
            if field.is_none() && !part.is_empty() {
                match Line::parse(part) {
                    Ok(part) => *field = Some(Some(part)),
                    Err(problem) => wrong.push((echo(key), problem)),
                }
            }
        }
    }
    Said { patch, wrong, unsuited }
}

/// An answer as the fields of a contact take it that are not custom ones.
fn text_of(answer: &Value) -> Option<String> {
    match answer {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

impl Field {
    /// Refuses a target that is no field of a contact, or that can never take what is answered here. Asked where a definition is
    /// written: what was published before goes on.
    pub fn check_target(&self, place: &Place) -> Result<(), Invalid> {
        let Some(target) = &self.maps_to else { return Ok(()) };
        if is_known(target) {
            self.check_kind(suiting(target))?;
            return self.possible().iter().filter_map(text_of).try_for_each(|answer| {
                put(&mut ContactPatch::default(), &plain(target), &answer, place.country)
                    .map_err(|Invalid(problem)| refused_answer(&answer, &problem))
            });
        }
        let found = custom(target, &place.fields);
        let field = found.ok_or_else(|| {
            Invalid::new(format!("names no field of contacts that answers can fill: {}", echo(target)))
        })?;
        self.check_kind(suiting_custom(field))?;
        let takes = |answer: &Value| field_value::read(field, answer, place.country, &place.zone).map(drop);
        let possible = self.possible();
        for answer in &possible {
            takes(answer).map_err(|Invalid(problem)| {
                let text = answer.as_str().map_or_else(|| answer.to_string(), str::to_owned);
                if !field.data_type.has_options() {
                    return refused_answer(&text, &problem);
                }
                let options: Vec<&str> = field.content.options.iter().map(Line::as_str).collect();
                let options = if options.is_empty() { "it has none yet".to_owned() } else { echo(&options.join(", ")) };
                Invalid::new(format!(
                    "cannot be filled by the answer {}, which is none of the options of that field: {options}",
                    echo(&text)
                ))
            })?;
        }
        if matches!(self.kind, FieldKind::Multi(_)) && possible.len() > 1 && takes(&possible.into()).is_err() {
            return Err(Invalid::new("cannot be filled by several answers at once, since that field takes one"));
        }
        Ok(())
    }

    fn check_kind(&self, suiting: &[&'static str]) -> Result<(), Invalid> {
        let kind = self.kind.as_str();
        if suiting.contains(&kind) || self.kind.compared().is_none() {
            return Ok(());
        }
        let suiting = if suiting.is_empty() { "none".to_owned() } else { suiting.join(", ") };
        Err(Invalid::new(format!("cannot be filled by a field of type {kind}; these suit: {suiting}")))
    }

    /// Every answer that there can be, where the form says them.
    fn possible(&self) -> Vec<Value> {
        match &self.kind {
            FieldKind::Rating(most) => (1..=*most).map(|number| number.to_string().into()).collect(),
            FieldKind::Checkbox | FieldKind::Consent(_) => vec![true.into()],
            FieldKind::Hidden(Hidden::Always(text)) => vec![text.as_str().into()],
            kind => kind.choices().iter().map(|choice| choice.as_str().into()).collect(),
        }
    }
}

fn refused_answer(answer: &str, problem: &str) -> Invalid {
    Invalid::new(format!("cannot be filled by the answer {}, which {problem}", echo(answer)))
}

/// The types of fields whose answers a field of contacts can take that is not a custom one. What was ticked or rated is none of
/// them, and who somebody is can only be written, or come with the address of the page.
fn suiting(target: &str) -> &'static [&'static str] {
    match plain(target).as_str() {
        "email" => &["email", "text", "hidden"],
        "phone" => &["phone", "text", "hidden"],
        "website" => &["url", "text", "hidden"],
        "dateofbirth" => &["date", "text", "hidden"],
        "country" | "timezone" => &["text", "select", "radio", "hidden"],
        _ => &["text", "textarea", "select", "radio", "number", "hidden"],
    }
}

/// The same for a custom field. Of what is chosen or ticked every answer is tried, besides.
fn suiting_custom(field: &CustomField) -> &'static [&'static str] {
    const ANY: &[&str] = &[
        "text", "textarea", "email", "phone", "number", "money", "date", "time", "select", "radio", "multi",
        "checkbox", "consent", "url", "rating", "hidden",
    ];
    match field.data_type {
        DataType::Text | DataType::LargeText => ANY,
        DataType::Numerical | DataType::Monetary | DataType::Float => {
            &["text", "number", "money", "select", "radio", "multi", "rating", "hidden"]
        }
        DataType::Date => &["text", "date", "select", "radio", "multi", "hidden"],
        DataType::Time => &["text", "time", "select", "radio", "multi", "hidden"],
        DataType::Phone => &["text", "phone", "select", "radio", "multi", "hidden"],
        DataType::Email => &["text", "email", "select", "radio", "multi", "hidden"],
        DataType::Checkbox | DataType::SingleOptions | DataType::MultipleOptions | DataType::Radio => {
            if field.content.allows_custom_option {
                ANY
            } else {
                &["text", "select", "radio", "multi", "checkbox", "consent", "rating", "hidden"]
            }
        }
        DataType::TextboxList => &["multi"],
        DataType::FileUpload | DataType::Signature => &[],
    }
}

impl FormSchema {
    /// Whether what it maps can be read without knowing the custom fields of the location.
    pub fn is_plain(&self) -> bool {
        self.fields().all(|field| field.maps_to.as_deref().is_none_or(is_known))
    }
}

/// The fields of a contact that answers fill, besides custom ones.
pub const TARGETS: [(&str, &str); 14] = [
    ("contact.first_name", "First name"),
    ("contact.last_name", "Last name"),
    ("contact.full_name", "Whole name"),
    ("contact.email", "E-mail"),
    ("contact.phone", "Phone"),
    ("contact.company_name", "Company"),
    ("contact.address1", "Street"),
    ("contact.city", "City"),
    ("contact.state", "State"),
    ("contact.postal_code", "Postal code"),
    ("contact.country", "Country"),
    ("contact.website", "Website"),
    ("contact.timezone", "Time zone"),
    ("contact.date_of_birth", "Date of birth"),
];

fn is_known(target: &str) -> bool {
    let meant = plain(target);
    TARGETS.iter().any(|(known, _)| plain(known) == meant)
        || ["name", "address", "organization"].contains(&meant.as_str())
}

/// The custom field that is meant, by its id or its key. Files come by an upload, which says whose they are.
pub fn custom<'f>(target: &str, fields: &'f [CustomField]) -> Option<&'f CustomField> {
    let name = target.strip_prefix("customFields.").unwrap_or(target);
    let id = CustomFieldId::parse(name.trim()).map(FieldName::Id);
    let names = [id, Some(FieldName::of_key(OwnerKind::Contact, name))];
    let found = names.into_iter().flatten().find_map(|name| name.find(OwnerKind::Contact, fields));
    found.filter(|field| !field.data_type.is_file())
}

/// The name of a contact's field, however it is written: `contact.first_name`, `firstName`.
fn plain(name: &str) -> String {
    let name = name.strip_prefix("contact.").unwrap_or(name);
    name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

/// The same as answers of the API name it: `firstName`.
fn wire_name(target: &str) -> String {
    let name = target.strip_prefix("contact.").unwrap_or(target);
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let mut letters = word.chars();
        let initial: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        format!("{name}{initial}{}", letters.as_str())
    })
}

/// A name that is no field's is passed over: the answer is kept all the same.
fn put(patch: &mut ContactPatch, name: &str, text: &str, country: Country) -> Result<(), Invalid> {
    fn line<const MAX: usize>(field: &mut Option<Option<Line<MAX>>>, text: &str) -> Result<(), Invalid> {
        *field = Some(Some(Line::parse(text)?));
        Ok(())
    }
    match name {
        "firstname" => line(&mut patch.first_name, text),
        "lastname" => line(&mut patch.last_name, text),
        "email" => EmailAddress::parse(text).map(|email| patch.email = Some(Some(email))),
        "phone" => PhoneNumber::parse(text, country).map(|phone| patch.phone = Some(Some(phone))),
        "companyname" | "organization" => line(&mut patch.company_name, text),
        "address1" | "address" => line(&mut patch.address1, text),
        "city" => line(&mut patch.city, text),
        "state" => line(&mut patch.state, text),
        "postalcode" => line(&mut patch.postal_code, text),
        "country" => Country::parse(text).map(|country| patch.country = Some(Some(country))),
        "website" => line(&mut patch.website, text),
        "timezone" => TimeZoneName::parse(text).map(|zone| patch.timezone = Some(Some(zone))),
        "dateofbirth" => CalendarDate::parse(text).map(|date| patch.date_of_birth = Some(Some(date))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::{
        ContactId, LocationId, UtcMs,
        contact::Contact,
        contact::ContactProfile,
        custom_field::{CustomFieldContent, NewCustomField},
        data_type::DataType,
        field_value::{FieldValue, Held, ValueField, ValueSet},
        form_schema::OnMatch,
    };

    fn object(value: &Value) -> crate::form::FormDefinition {
        crate::form::FormDefinition::new(value.as_object().unwrap().clone()).unwrap()
    }

    fn field(id: &str, name: &str, data_type: DataType) -> CustomField {
        let mut content = CustomFieldContent::named(Line::parse(name).unwrap());
        if data_type.has_options() {
            content.options = ["Gold", "Silver"].map(|name| Line::parse(name).unwrap()).to_vec();
        }
        let new = NewCustomField { model: OwnerKind::Contact, data_type, content };
        let location = LocationId::parse("0000000000000000000L").unwrap();
        CustomField::new(CustomFieldId::parse(id).unwrap(), location, new, UtcMs(0)).unwrap()
    }

    fn place() -> Place {
        let fields = vec![
            field("0000000000000000000A", "Membership", DataType::Checkbox),
            field("0000000000000000000B", "Visits", DataType::Numerical),
            field("0000000000000000000C", "Contract", DataType::FileUpload),
            field("0000000000000000000D", "Remarks", DataType::Text),
        ];
        Place { country: Country::US, zone: TimeZoneName::utc(), fields }
    }

    fn patch(definition: &Value, answers: &Value) -> Result<ContactPatch, Vec<(String, Invalid)>> {
        let schema = FormSchema::read(&object(definition)).unwrap();
        contact(&schema, answers.as_object().unwrap(), &place())
    }

    fn profile(definition: Value, answers: Value) -> Result<ContactProfile, Vec<(String, Invalid)>> {
        let mut profile = ContactProfile::default();
        patch(&definition, &answers)?.apply(&mut profile);
        Ok(profile)
    }

    #[test]
    fn custom_fields_are_meant_by_their_keys_and_ids() {
        let definition = json!({"pages": [{"fields": [
            {"key": "level", "mapsTo": "contact.membership"}, {"key": "visits", "label": "How often were you elsewhere?"},
        ]}]});
        let answers = json!({"level": ["Gold", "Silver"], "visits": 3, "0000000000000000000B": "7", "contract": "x"});
        let found = patch(&definition, &answers).unwrap().custom_fields;
        let number = |text: &str| FieldValue::Number(crate::decimal::Decimal::parse(text).unwrap());
        let values: Vec<(&str, &[FieldValue])> =
            found.iter().map(|change| (change.field.as_str(), change.values.as_slice())).collect();
        let levels = ["Gold", "Silver"].map(|text| FieldValue::Text(text.to_owned()));
        assert_eq!(
            values,
            [("0000000000000000000A", levels.as_slice()), ("0000000000000000000B", [number("7")].as_slice())]
        );
        let wrong = patch(&definition, &json!({"level": "Bronze", "customFields.0000000000000000000B": "many"}));
        let named: Vec<String> = wrong.unwrap_err().into_iter().map(|(key, _)| key).collect();
        assert_eq!(named, ["level", "customFields.0000000000000000000B"]);
        assert_eq!(patch(&definition, &json!({"level": "", "visits": null})).unwrap().custom_fields, []);
    }

    #[test]
    fn answers_are_mapped_as_the_form_says_and_else_by_their_name() {
        let definition = json!({"pages": [
            {"fields": [{"key": "mail", "mapsTo": "contact.email"}, {"key": "city", "label": "Which city do you like?"}]},
            {"fields": [{"key": "who", "mapsTo": "contact.full_name"}, {"key": "h", "type": "heading"}]},
        ]});
        let answers = json!({
            "mail": " ada@example.com ", "city": "Rome", "who": "Ada King Lovelace", "postalCode": 12345, "phone": "(415) 555-0123",
            "colour": "blue", "first_name": "", "tags": ["a"],
        });
        let profile = profile(definition, answers).unwrap();
        assert_eq!(profile.email.unwrap().as_str(), "ada@example.com");
        assert_eq!(profile.first_name.unwrap().as_str(), "Ada");
        assert_eq!(profile.last_name.unwrap().as_str(), "King Lovelace");
        assert_eq!(profile.phone.unwrap().as_str(), "+14155550123");
        assert_eq!(profile.postal_code.unwrap().as_str(), "12345");
        assert_eq!(profile.city, None, "the form knows it, and maps it to nothing");
    }

    #[test]
    fn a_field_of_a_contact_is_filled_by_types_that_suit_it() {
        let place = place();
        // Files are filled into nothing.
        let names = || crate::form_schema::FieldKind::NAMES.into_iter().filter(|name| *name != "file");
        let mut suiting: Vec<(&str, Vec<&str>)> = Vec::new();
        for target in [
            "email",
            "contact.phone",
            "first_name",
            "website",
            "contact.date_of_birth",
            "contact.membership",
            "contact.visits",
            "contact.remarks",
        ] {
            let suits = |name: &&str| {
                let more = match *name {
                    "select" | "radio" | "multi" => r#","options":["Gold","Silver"]"#,
                    "hidden" => r#","from":"query:a""#,
                    _ => "",
                };
                let text =
                    format!(r#"{{"pages":[{{"fields":[{{"key":"a","type":"{name}","mapsTo":"{target}"{more}}}]}}]}}"#);
                let schema = FormSchema::read(&crate::form::FormDefinition::from_stored(text)).unwrap();
                let checked = schema.field("a").unwrap().check_target(&place);
                checked.is_ok()
            };
            suiting.push((target, names().filter(suits).collect()));
        }
        assert_eq!(
            suiting,
            [
                ("email", vec!["text", "email", "hidden", "heading"]),
                ("contact.phone", vec!["text", "phone", "hidden", "heading"]),
                ("first_name", vec!["text", "textarea", "number", "select", "radio", "hidden", "heading"]),
                ("website", vec!["text", "url", "hidden", "heading"]),
                ("contact.date_of_birth", vec!["text", "date", "hidden", "heading"]),
                ("contact.membership", vec!["text", "select", "radio", "multi", "hidden", "heading"]),
                ("contact.visits", vec!["text", "number", "money", "rating", "hidden", "heading"]),
                ("contact.remarks", names().filter(|name| *name != "multi").collect()),
            ]
        );
    }

    #[test]
    fn every_answer_to_choose_from_must_suit_the_field_that_it_fills() {
        let check = |field: Value| {
            let schema = FormSchema::read(&object(&json!({"pages": [{"fields": [field]}]}))).unwrap();
            schema.field("a").unwrap().check_target(&place()).err().map(|problem| problem.0)
        };
        let chosen = |kind: &str, target: &str, options: &[&str]| {
            check(json!({"key": "a", "type": kind, "mapsTo": target, "options": options}))
        };
        let said = "cannot be filled by the answer Bronze, which is none of the options of that field: Gold, Silver";
        for kind in ["select", "radio", "multi"] {
            assert_eq!(chosen(kind, "contact.membership", &["Gold", "Bronze"]).as_deref(), Some(said), "{kind}");
            assert_eq!(chosen(kind, "contact.membership", &["Silver"]), None, "{kind}");
        }
        assert_eq!(chosen("select", "contact.visits", &["1", "2.5"]), None);
        let said = chosen("radio", "contact.visits", &["1", "many"]).unwrap();
        assert!(said.starts_with("cannot be filled by the answer many, which must be"), "{said}");
        let said = chosen("multi", "contact.visits", &["1", "2"]).unwrap();
        assert!(said.contains("several answers at once"), "{said}");
        let said = chosen("select", "contact.country", &["US", "Atlantis"]).unwrap();
        assert!(said.starts_with("cannot be filled by the answer Atlantis, which must be"), "{said}");
        let hidden = json!({"key": "a", "type": "hidden", "mapsTo": "contact.email", "value": "nobody"});
        assert!(check(hidden).unwrap().starts_with("cannot be filled by the answer nobody"));
        let ticked = json!({"key": "a", "type": "checkbox", "mapsTo": "contact.membership"});
        assert!(check(ticked).unwrap().starts_with("cannot be filled by the answer true"));
    }

    #[test]
    fn answers_that_suit_their_question_and_not_its_field_are_told_apart() {
        let definition = json!({"pages": [{"fields": [
            {"key": "level", "type": "select", "options": ["Bronze"], "mapsTo": "contact.membership"},
            {"key": "where", "type": "select", "options": ["Atlantis"], "mapsTo": "contact.country"},
            {"key": "from", "type": "hidden", "from": "query:from", "mapsTo": "contact.postal_code"},
            {"key": "mail", "mapsTo": "contact.email"},
        ]}]});
        let schema = FormSchema::read(&object(&definition)).unwrap();
        let answers =
            json!({"level": "Bronze", "where": "Atlantis", "from": "x".repeat(600), "mail": "x", "visits": "many"});
        let said = said(&schema, answers.as_object().unwrap(), &place());
        let unsuited: Vec<(&str, &str)> =
            said.unsuited.iter().map(|unsuited| (unsuited.key.as_str(), unsuited.field.as_str())).collect();
        assert_eq!(
            unsuited,
            [("level", "customFields.0000000000000000000A"), ("where", "country"), ("from", "postalCode")]
        );
        let wrong: Vec<&str> = said.wrong.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(wrong, ["mail", "visits"], "what somebody typed, or named themselves, they can mend");
        assert_eq!(contact(&schema, answers.as_object().unwrap(), &place()).unwrap_err().len(), 5);
    }

    #[test]
    fn what_a_field_does_not_take_is_named() {
        let wrong = profile(json!({}), json!({"email": "x", "phone": "12", "country": "Atlantis", "city": "Rome"}))
            .unwrap_err();
        let named: Vec<&str> = wrong.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(named, ["email", "phone", "country"]);
        let bad = json!({"a": {"b": 1}, "c": [1], "d": ["x"], "e": null, "f": 1.5, "g": true});
        let named: Vec<String> = check(bad.as_object().unwrap()).into_iter().map(|(key, _)| key).collect();
        assert_eq!(named, ["a", "c"]);
    }

    #[test]
    fn a_stranger_fills_what_is_empty_and_no_identity() {
        let answers = json!({"email": "eve@example.com", "phone": "4155550123", "city": "Rome", "name": "Eve", "state": "x",
                "membership": ["Gold"], "visits": 1});
        let mut patch = patch(&json!({}), &answers).unwrap();
        let line = |text| Some(Line::parse(text).unwrap());
        let mut profile = ContactProfile { city: line("London"), ..ContactProfile::default() };
        profile.last_name = Some(Line::parse("Lovelace").unwrap());
        let values = vec![FieldValue::Text("Silver".to_owned())];
        let custom_fields = ValueSet::of([Held { field: Arc::new(ValueField::from(&place().fields[0])), values }]);
        let known = Contact {
            id: ContactId::parse("00000000000000000001").unwrap(),
            location: LocationId::parse("0000000000000000000L").unwrap(),
            profile: profile.clone(),
            tags: Vec::new(),
            custom_fields,
            created_at: UtcMs(0),
            updated_at: UtcMs(0),
        };
        let every = patch.clone();
        let outcome = Outcome::merge(&mut patch, &known, OnMatch::FillEmpty);
        let filled: Vec<&str> = patch.custom_fields.iter().map(|change| change.field.as_str()).collect();
        assert_eq!(filled, ["0000000000000000000B"], "what it has it keeps");
        patch.apply(&mut profile);
        assert_eq!((profile.email, profile.phone, profile.first_name), (None, None, None));
        assert_eq!((profile.city.unwrap().as_str(), profile.state.unwrap().as_str()), ("London", "x"));
        assert_eq!(outcome.written, ["state", "customFields.0000000000000000000B"]);
        let offered: Vec<&str> = outcome.offered.iter().map(|offer| offer.value.as_str()).collect();
        assert_eq!(offered, ["eve@example.com", "+14155550123"]);
        let refused: Vec<&str> = outcome.refused.iter().map(|refusal| refusal.field.as_str()).collect();
        assert_eq!(refused, ["firstName", "city", "customFields.0000000000000000000A"]);
        assert!(outcome.refused.iter().all(|refusal| refusal.why == WhyRefused::Filled));
        // Where answers win, they still add no address; and where nothing is to change, nothing does.
        let mut patch = every.clone();
        let outcome = Outcome::merge(&mut patch, &known, OnMatch::Update);
        assert_eq!((patch.email, patch.phone, outcome.offered.len(), outcome.refused), (None, None, 2, vec![]));
        assert_eq!(outcome.written.len(), 5, "{:?}", outcome.written);
        let mut patch = every.clone();
        let outcome = Outcome::merge(&mut patch, &known, OnMatch::Never);
        assert_eq!((patch.state, patch.custom_fields, outcome.written), (None, vec![], Vec::<String>::new()));
        assert!(outcome.refused.iter().all(|refusal| refusal.why == WhyRefused::Never) && outcome.refused.len() == 5);
        let made = Outcome::made(&every);
        assert!(made.is_new && made.offered.is_empty() && made.written.contains(&"email".to_owned()), "{made:?}");
        let text = serde_json::to_string(&made).unwrap();
        assert_eq!(serde_json::from_str::<Outcome>(&text).unwrap(), made);
    }
}
