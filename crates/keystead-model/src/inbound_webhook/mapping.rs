//! What of a payload makes a contact.

use serde_json::{Map, Value};

use super::path::{filled, filled_as_one, no_texts, pieces, texts_of};
use crate::{
    Invalid,
    calendar_date::CalendarDate,
    contact::{ContactPatch, MAX_TAGS},
    data_type::DataType,
    form_answers::{self, Place},
    form_schema::FormSchema,
    json_object::JsonObject,
    tag::TagName,
    text::{Line, echo},
};

/// What of a payload makes a contact: for each field of a contact a text in which `{{payload.customer.email}}` stands for what the
/// payload has there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactMapping(JsonObject<{ ContactMapping::MAX }>);

/// The tags of a contact, which are a list.
const TAGS: &str = "tags";
/// Where a contact came from, which no answer to a form says.
const SOURCE: &str = "source";
/// A day, of which a custom field may be one, too.
const DATE_OF_BIRTH: &str = "dateOfBirth";
/// What a custom field is named by.
const CUSTOM: &str = "customFields.";

impl ContactMapping {
    /// Bytes of one.
    const MAX: usize = 20_000;
    /// Fields that are mapped.
    const MOST: usize = 100;
    /// Fields of contacts, besides custom fields, which are `customFields.` and their id or key.
    pub const FIELDS: [&str; 16] = [
        "email",
        "phone",
        "name",
        "firstName",
        "lastName",
        "companyName",
        "address1",
        "city",
        "state",
        "postalCode",
        "country",
        "website",
        "timezone",
        DATE_OF_BIRTH,
        SOURCE,
        TAGS,
    ];

    /// Checks; names each field that is wrong, and by an empty name the whole. Whether custom fields are there is for their location to say.
    pub fn parse(fields: Map<String, Value>) -> Result<Self, Vec<(String, Invalid)>> {
        let mut wrong: Vec<(String, Invalid)> = Vec::new();
        if fields.is_empty() || fields.len() > Self::MOST {
            let problem = format!("must have 1 to {} fields", Self::MOST);
            return Err(vec![(String::new(), Invalid(problem))]);
        }
        for (field, template) in &fields {
            let checked = match template {
                _ if !Self::FIELDS.contains(&field.as_str()) && !field.starts_with(CUSTOM) => Err(Invalid::new(
                    format!("is no field of a contact; use {} or customFields.<id>", Self::FIELDS.join(", ")),
                )),
                Value::Array(list) if field == TAGS && list.len() <= MAX_TAGS => list.iter().try_for_each(check),
                Value::Array(_) if field == TAGS => Err(Invalid::new(format!("must not have more than {MAX_TAGS}"))),
                one => check(one),
            };
            if let Err(problem) = checked {
                wrong.push((echo(field), problem));
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        JsonObject::new(fields).map(Self).map_err(|problem| vec![(String::new(), problem)])
    }

    /// One that was checked when it was stored.
    pub fn from_stored(text: String) -> Self {
        Self(JsonObject::from_stored(text))
    }

    /// As JSON.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Each field, and what is written for it.
    pub fn fields(&self) -> Map<String, Value> {
        self.0.fields()
    }

    /// The custom fields that are named.
    pub fn custom_fields(&self) -> Vec<String> {
        self.fields().into_iter().map(|(field, _)| field).filter(|field| field.starts_with(CUSTOM)).collect()
    }

    /// What a payload says of a contact, and what is left out of it: what is mapped and not there any more, what can be read in two ways,
    /// and what is no text. A field of which the payload has nothing is left as it is. Values that the fields do not take are named,
    /// with what is wrong with them.
    pub fn contact(&self, payload: &Map<String, Value>, place: &Place) -> Result<(ContactPatch, Problems), Problems> {
        let mut fields = self.fields();
        let tags = fields.shift_remove(TAGS);
        let (mut said, mut left, mut wrong) = (Map::new(), Problems::new(), Problems::new());
        for (field, template) in fields {
            let Some(template) = template.as_str() else { continue };
            let value = if !field.starts_with(CUSTOM) {
                filled_as_one(template, payload)
            } else if form_answers::custom(&field, &place.fields).is_some() {
                Ok(filled(template, payload))
            } else {
                left.extend(filled(template, payload).map(|_| (field, Invalid::new(GONE))));
                continue;
            };
            // What is nothing but one value is judged as what it is.
            if !matches!(pieces(template).as_deref(), Ok([_])) {
                left.extend(left_out(&field, no_texts(template, payload)));
            }
            match value.map(|value| value.map(|value| date_of(&field, value, place))) {
                Ok(Some(Ok(value))) => said.extend([(field, value)]),
                Ok(Some(Err(doubt))) => left.push((field, doubt)),
                Ok(None) => {}
                Err(problem) => wrong.push((field, problem)),
            }
        }
        let source = said.shift_remove(SOURCE).map(|source| texts_of(source).concat());
        // Read as answers are to which no form gives another meaning.
        let mut patch = form_answers::contact(&FormSchema::empty(), &said, place).unwrap_or_else(|further| {
            wrong.extend(further);
            ContactPatch::default()
        });
        match source.filter(|text| !text.trim().is_empty()).map(|text| Line::parse(&text)).transpose() {
            Ok(source) => patch.source = source.map(Some),
            Err(problem) => wrong.push((SOURCE.to_owned(), problem)),
        }
        let templates = match tags {
            Some(Value::Array(list)) => list,
            one => one.into_iter().collect(),
        };
        let templates: Vec<&str> = templates.iter().filter_map(Value::as_str).collect();
        left.extend(left_out(TAGS, templates.iter().flat_map(|template| no_texts(template, payload)).collect()));
        let named = templates.iter().filter_map(|template| filled(template, payload));
        let texts: Vec<String> = named.flat_map(texts_of).filter(|text| !text.trim().is_empty()).collect();
        match texts.iter().map(|text| TagName::parse(text)).collect::<Result<Vec<_>, _>>() {
            Ok(tags) => patch.tags = Some(tags).filter(|tags| !tags.is_empty()),
            Err(problem) => wrong.push((TAGS.to_owned(), problem)),
        }
        if wrong.is_empty() { Ok((patch, left)) } else { Err(wrong) }
    }
}

/// A value for a field. Of a day that can be read in two ways nobody here knows which is meant; where one of them is no day, the other
/// is.
fn date_of(field: &str, value: Value, place: &Place) -> Result<Value, Invalid> {
    let is_date = field == DATE_OF_BIRTH
        || form_answers::custom(field, &place.fields).is_some_and(|custom| custom.data_type == DataType::Date);
    let texts = texts_of(value.clone());
    let (true, [text]) = (is_date, &texts[..]) else { return Ok(value) };
    match CalendarDate::either_way(text) {
        [Some(one), Some(other)] if one != other => Err(Invalid(format!(
            "is not written: {} may be {} or {}, so send it as one of these",
            echo(text),
            one.to_iso(),
            other.to_iso()
        ))),
        [Some(day), _] | [None, Some(day)] => Ok(day.to_iso().into()),
        [None, None] => Ok(value),
    }
}

/// What is told of values that are no texts.
fn left_out(field: &str, values: Vec<String>) -> Option<(String, Invalid)> {
    let shown = values.iter().take(LEFT_OUT_SHOWN).cloned().collect::<Vec<_>>().join(", ");
    let more = match values.len().saturating_sub(LEFT_OUT_SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let problem = || format!("leaves out {shown}{more}: only texts, numbers and truths are written");
    (!values.is_empty()).then(|| (field.to_owned(), Invalid(problem())))
}

/// Which fields, and what is wrong with each.
pub type Problems = Vec<(String, Invalid)>;

/// What is said of a custom field that was deleted after it was mapped.
const GONE: &str = "is not written: this custom field is not there any more; take it out of what makes a contact";

/// How many values are told that were left out.
const LEFT_OUT_SHOWN: usize = 3;

/// Longest text for a field.
const LONGEST: usize = 2_000;

pub(super) fn check(template: &Value) -> Result<(), Invalid> {
    let text = match template {
        Value::String(text) => text,
        Value::Array(_) => return Err(Invalid::new("must be one text and not a list; only tags are a list")),
        _ => return Err(Invalid::new("must be a text, such as {{payload.customer.email}}")),
    };
    if text.trim().is_empty() || text.chars().count() > LONGEST {
        return Err(Invalid::new(format!("must have 1 to {LONGEST} characters")));
    }
    pieces(text).map(drop)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        contact::ContactProfile,
        text::{Country, TimeZoneName},
    };

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn place() -> Place {
        Place { country: Country::US, zone: TimeZoneName::utc(), fields: Vec::new() }
    }

    fn mapped(mapping: Value, payload: Value) -> Result<ContactPatch, Problems> {
        let (patch, gone) = ContactMapping::parse(object(mapping)).unwrap().contact(&object(payload), &place())?;
        assert_eq!(gone, []);
        Ok(patch)
    }

    #[test]
    fn a_payload_makes_a_contact_by_the_paths_of_a_mapping() {
        let mapping = json!({
            "email": "{{payload.customer.email}}", "firstName": "{{ payload.people[1].first }}", "city": "{{payload.nowhere.city}}",
            "companyName": "{{payload.company}} ({{payload.branch}})", "postalCode": "{{payload.people.0.zip}}",
            "source": "The shop", "tags": ["from {{payload.source}}", "{{payload.labels}}", "{{payload.none}}", "shop"],
        });
        let payload = json!({
            "customer": {"email": "ada@example.com"}, "people": [{"zip": 12345}, {"first": "Ada"}], "company": "Harbour",
            "source": "web", "labels": ["new", "big"], "none": null,
        });
        let patch = mapped(mapping, payload).unwrap();
        let tags: Vec<&str> = patch.tags.as_ref().unwrap().iter().map(TagName::as_str).collect();
        assert_eq!(tags, ["from web", "new", "big", "shop"]);
        let mut profile = ContactProfile::default();
        patch.apply(&mut profile);
        assert_eq!(profile.email.unwrap().as_str(), "ada@example.com");
        assert_eq!(profile.first_name.unwrap().as_str(), "Ada");
        assert_eq!(profile.company_name.unwrap().as_str(), "Harbour ()", "what is missing beside something is empty");
        assert_eq!(profile.postal_code.unwrap().as_str(), "12345");
        assert_eq!(profile.source.unwrap().as_str(), "The shop");
        assert_eq!(profile.city, None);
    }

    #[test]
    fn what_fields_do_not_take_is_named_and_what_is_missing_is_absent() {
        let mapping = json!({"email": "{{payload.mail}}", "phone": "{{payload.phone}}", "tags": "{{payload.tags}}"});
        let wrong = mapped(mapping.clone(), json!({"mail": "x", "phone": "12"})).unwrap_err();
        assert_eq!(wrong.iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>(), ["email", "phone"]);
        let patch = mapped(mapping.clone(), json!({"mail": {}, "phone": null, "tags": []})).unwrap();
        assert!(patch.email.is_none() && patch.phone.is_none() && patch.tags.is_none());
        // All of it at once.
        let wrong = mapped(mapping, json!({"mail": "x", "tags": ["x".repeat(5_000)]})).unwrap_err();
        assert_eq!(wrong.iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>(), ["email", "tags"]);
    }

    #[test]
    fn where_one_value_must_be_several_are_told_as_several() {
        let mapping = json!({"email": "{{payload.mail}}", "source": "{{payload[\"the source\"]}}"});
        for (payload, said) in [
            (
                json!({"mail": ["a@x.example", "b@x.example"]}),
                "a list of 2; map one of them, such as {{payload.mail.0}}",
            ),
            (json!({"mail": {"of work": "a@x.example"}}), "such as {{payload.mail[\"of work\"]}}"),
            (json!({"mail": [["a@x.example"]]}), "a list of 1"),
            (json!({"the source": ["a", "b"]}), "such as {{payload[\"the source\"].0}}"),
        ] {
            let wrong = mapped(mapping.clone(), payload).unwrap_err();
            assert!(wrong.len() == 1 && wrong[0].1.0.contains(said), "{wrong:?}");
        }
        let patch = mapped(mapping, json!({"mail": ["a@x.example"], "the source": true})).unwrap();
        assert_eq!(patch.email.unwrap().unwrap().as_str(), "a@x.example", "a list of one is that one");
        assert_eq!(patch.source.unwrap().unwrap().as_str(), "true");
    }

    #[test]
    fn what_is_left_out_is_told_and_the_rest_is_written() {
        let mapping =
            json!({"companyName": "{{payload.company}} Ltd", "tags": ["{{payload.labels}}", "{{payload.shop}}"]});
        let mapping = ContactMapping::parse(object(mapping)).unwrap();
        let contact = |payload: Value| mapping.contact(&object(payload), &place()).unwrap();
        let (patch, left) =
            contact(json!({"labels": [1, true, null, {"a": 1}], "shop": null, "company": {"name": "Harbour"}}));
        let tags: Vec<&str> = patch.tags.as_ref().unwrap().iter().map(TagName::as_str).collect();
        assert_eq!(tags, ["1", "true"]);
        let told: Vec<String> = left.into_iter().map(|(field, problem)| format!("{field} {problem}")).collect();
        assert_eq!(
            told,
            [
                "companyName leaves out {\"name\":\"Harbour\"}: only texts, numbers and truths are written",
                "tags leaves out null, {\"a\":1}: only texts, numbers and truths are written",
            ]
        );
        let (_, left) = contact(json!({"labels": [[{}, {}], {}, {}, {}]}));
        assert!(left[0].1.0.contains("{}, {}, {} and 2 more"), "{left:?}");
        assert_eq!(contact(json!({"labels": ["a", ["b", 1.5]], "shop": "c", "company": "Harbour"})).1, []);
    }

    #[test]
    fn a_day_that_can_be_read_in_two_ways_is_told_and_not_guessed() {
        let mapping =
            ContactMapping::parse(object(json!({"dateOfBirth": "{{payload.born}}", "city": "Rome"}))).unwrap();
        let contact = |born: Value| mapping.contact(&object(json!({"born": born})), &place());
        let (patch, left) = contact(json!("02/03/1990")).unwrap();
        assert!(patch.date_of_birth.is_none() && patch.city.is_some());
        let said = "is not written: 02/03/1990 may be 1990-02-03 or 1990-03-02, so send it as one of these";
        assert_eq!(left, [("dateOfBirth".to_owned(), Invalid::new(said))]);
        for (born, iso) in [
            (json!("25/09/1990"), "1990-09-25"),
            (json!("09/25/1990"), "1990-09-25"),
            (json!(["25.9.1990"]), "1990-09-25"),
            (json!("03.03.1990"), "1990-03-03"),
            (json!("1990-03-02"), "1990-03-02"),
        ] {
            let (patch, left) = contact(born.clone()).unwrap();
            assert_eq!((patch.date_of_birth.unwrap().unwrap().to_iso().as_str(), left.len()), (iso, 0), "{born}");
        }
        assert_eq!(contact(json!("31/31/1990")).unwrap_err()[0].0, "dateOfBirth");
    }

    #[test]
    fn a_custom_field_that_is_gone_is_told_where_something_was_to_be_written() {
        let mapping = json!({"email": "{{payload.mail}}", "customFields.0000000000000000000A": "{{payload.level}}"});
        let mapping = ContactMapping::parse(object(mapping)).unwrap();
        let gone = |payload: Value| mapping.contact(&object(payload), &place()).unwrap().1;
        assert_eq!(gone(json!({"mail": "a@x.example"})), []);
        assert_eq!(gone(json!({"mail": "a@x.example", "level": 1}))[0].0, "customFields.0000000000000000000A");
    }

    #[test]
    fn a_mapping_that_can_never_work_is_refused() {
        for (mapping, field) in [
            (json!({}), ""),
            (json!({"colour": "{{payload.a}}"}), "colour"),
            (json!({"email": ""}), "email"),
            (json!({"email": 1}), "email"),
            (json!({"email": ["{{payload.a}}"]}), "email"),
            (json!({"email": "{{payload.a"}), "email"),
            (json!({"email": "{{contact.email}}"}), "email"),
            (json!({"email": "{{payload}}"}), "email"),
            (json!({"email": "{{payload.}}"}), "email"),
            (json!({"email": "{{payload..a}}"}), "email"),
            (json!({"email": "{{payloads.a}}"}), "email"),
            (json!({"tags": [1]}), "tags"),
        ] {
            let wrong = ContactMapping::parse(object(mapping.clone())).expect_err(&mapping.to_string());
            assert_eq!(wrong[0].0, field, "{mapping}");
        }
        let many: Map<String, Value> = (0..101).map(|n| (format!("customFields.{n}"), json!("x"))).collect();
        assert!(ContactMapping::parse(many).is_err());
    }
}
