//! Inbound webhooks: addresses of ours to which other programs send JSON, and what of it makes a contact.

use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::{
    ContactId, InboundPayloadId, InboundWebhookId, Invalid, LocationId, UtcMs, WorkflowId,
    actor::Signature,
    contact::{ContactPatch, MAX_TAGS},
    form_answers::{self, Place},
    form_schema::FormSchema,
    json_object::JsonObject,
    link::{Piece, pieces},
    location::set,
    tag::TagName,
    text::{Line, echo},
};

/// Somewhere to send to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundWebhook {
    /// Its id, which stands in its address.
    pub id: InboundWebhookId,
    /// The location that has it.
    pub location: LocationId,
    /// What its owner writes.
    pub content: InboundContent,
    /// On whose authority contacts are written: that of whoever last said what becomes of payloads.
    pub writer: Signature,
    /// How senders show that they may send.
    pub credentials: InboundCredentials,
    /// When it was made.
    pub created_at: UtcMs,
    /// When its owner last changed it.
    pub updated_at: UtcMs,
}

/// The part of an inbound webhook that its owner writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundContent {
    /// Its name.
    pub name: Line<200>,
    /// The workflow that it is for.
    pub workflow: Option<WorkflowId>,
    /// What of a payload makes a contact; without it, payloads are kept and nothing more.
    pub contact: Option<ContactMapping>,
}

/// What senders have: the end of the address, and what they sign with if they are to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundCredentials {
    /// Digest of the token in the address.
    pub token: [u8; 32],
    /// What signs, sealed for its row.
    pub secret: Option<String>,
    /// Digest of the token before.
    pub previous_token: Option<[u8; 32]>,
    /// What whoever sends with that signs with.
    pub previous_secret: Option<String>,
    /// Until when the token before is taken.
    pub previous_until: Option<UtcMs>,
}

impl InboundCredentials {
    /// With nothing before them.
    pub fn new(token: [u8; 32], secret: Option<String>) -> Self {
        Self { token, secret, previous_token: None, previous_secret: None, previous_until: None }
    }

    /// In the place of others, which are taken until `until`.
    pub fn after(self, before: Self, until: Option<UtcMs>) -> Self {
        let Self { token, secret, .. } = before;
        let previous_secret = secret.filter(|_| until.is_some());
        Self { previous_token: until.map(|_| token), previous_secret, previous_until: until, ..self }
    }
}

/// A change of an inbound webhook; `None` leaves a thing as it is, `Some(None)` takes it away.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of InboundContent")]
pub struct InboundPatch {
    pub name: Option<Line<200>>,
    pub workflow: Option<Option<WorkflowId>>,
    pub contact: Option<Option<ContactMapping>>,
}

impl InboundPatch {
    /// Changes what was written.
    pub fn apply(self, content: &mut InboundContent) {
        let Self { name, workflow, contact } = self;
        set(&mut content.name, name);
        set(&mut content.workflow, workflow);
        set(&mut content.contact, contact);
    }
}

/// What came in one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundPayload {
    /// Its id.
    pub id: InboundPayloadId,
    /// Where it came in.
    pub webhook: InboundWebhookId,
    /// Itself, as JSON. What looks like an API key is masked.
    pub body: String,
    /// What became of it.
    pub outcome: InboundOutcome,
    /// What was wrong with it: which field, and the problem.
    pub problems: Vec<(String, String)>,
    /// The contact that it made or changed.
    pub contact: Option<ContactId>,
    /// When it came.
    pub received_at: UtcMs,
}

impl InboundPayload {
    /// The problems as JSON; `None` where there are none.
    pub fn problems_to_json(&self) -> Option<String> {
        (!self.problems.is_empty()).then(|| serde_json::json!(self.problems).to_string())
    }

    /// Reads [`InboundPayload::problems_to_json`].
    pub fn problems_from_json(text: Option<&str>) -> Vec<(String, String)> {
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

/// What became of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InboundOutcome {
    /// It was kept, and nothing says what is to be made of it.
    Kept,
    /// It made a contact.
    Created,
    /// It was about a contact that was there.
    Updated,
    /// What it says was not taken.
    Refused,
}

impl InboundOutcome {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Kept, Self::Created, Self::Updated, Self::Refused];

    /// `"kept"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Refused => "refused",
        }
    }

    /// Reads [`InboundOutcome::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// Payloads that may come in one list.
pub const MOST_AT_ONCE: usize = 100;

/// The payloads in what was sent: an object is one, a list holds several; a form is an object of texts, and of lists of them where
/// a name comes several times.
pub fn payloads_of(body: &[u8], is_form: bool) -> Result<Vec<Map<String, Value>>, Invalid> {
    if is_form {
        let mut fields = Map::new();
        for (name, text) in form_urlencoded::parse(body) {
            let text = Value::from(text.into_owned());
            match fields.get_mut(&*name) {
                None => drop(fields.insert(name.into_owned(), text)),
                Some(Value::Array(several)) => several.push(text),
                Some(one) => *one = Value::Array(vec![one.take(), text]),
            }
        }
        return Ok(vec![fields]);
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(vec![fields]),
        Ok(Value::Array(list)) if list.len() > MOST_AT_ONCE => {
            Err(Invalid::new(format!("must not hold more than {MOST_AT_ONCE} payloads; send the others by themselves")))
        }
        Ok(Value::Array(list)) => {
            let object = |(place, value)| match value {
                Value::Object(fields) => Ok(fields),
                _ => Err(Invalid::new(format!("holds at place {place} something that is no object"))),
            };
            list.into_iter().enumerate().map(object).collect()
        }
        Ok(_) => Err(Invalid::new("must be an object, or a list of objects")),
        Err(error) => Err(Invalid::new(format!("must be JSON, or a form that says that it is one: {error}"))),
    }
}

/// What of a payload makes a contact: for each field of a contact a text in which `{{payload.customer.email}}` stands for what the
/// payload has there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactMapping(JsonObject<{ ContactMapping::MAX }>);

/// The tags of a contact, which are a list.
const TAGS: &str = "tags";
/// Where a contact came from, which no answer to a form says.
const SOURCE: &str = "source";
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
        "dateOfBirth",
        SOURCE,
        TAGS,
    ];

    /// Checks; names each field that is wrong. Whether custom fields are there is for their location to say.
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

    /// What a payload says of a contact. A field of which the payload has nothing is left as it is. Values that the fields do not
    /// take are named, with what is wrong with them.
    pub fn contact(&self, payload: &Map<String, Value>, place: &Place) -> Result<ContactPatch, Vec<(String, Invalid)>> {
        let mut fields = self.fields();
        let (tags, source) = (fields.shift_remove(TAGS), fields.shift_remove(SOURCE));
        let source =
            source.and_then(|template| filled(template.as_str()?, payload)).map(|value| texts_of(value).join(", "));
        let source = source.filter(|text| !text.trim().is_empty());
        let said = fields.into_iter().filter_map(|(field, template)| {
            let value = filled(template.as_str()?, payload)?;
            Some((field, value))
        });
        // Read as answers are to which no form gives another meaning.
        let mut patch = form_answers::contact(&FormSchema::empty(), &said.collect(), place)?;
        if let Some(source) = source {
            let source = Line::parse(&source).map_err(|problem| vec![(SOURCE.to_owned(), problem)])?;
            patch.source = Some(Some(source));
        }
        let templates = match tags {
            Some(Value::Array(list)) => list,
            one => one.into_iter().collect(),
        };
        let named = templates.iter().filter_map(|template| filled(template.as_str()?, payload));
        let texts: Vec<String> = named.flat_map(texts_of).filter(|text| !text.trim().is_empty()).collect();
        if !texts.is_empty() {
            let tags = texts.iter().map(|text| TagName::parse(text)).collect::<Result<Vec<_>, _>>();
            patch.tags = Some(tags.map_err(|problem| vec![(TAGS.to_owned(), problem)])?);
        }
        Ok(patch)
    }
}

/// Longest text for a field.
const LONGEST: usize = 2_000;

fn check(template: &Value) -> Result<(), Invalid> {
    let text = template.as_str().ok_or_else(|| Invalid::new("must be a text, such as {{payload.customer.email}}"))?;
    if text.trim().is_empty() || text.chars().count() > LONGEST {
        return Err(Invalid::new(format!("must have 1 to {LONGEST} characters")));
    }
    for piece in pieces(text)? {
        if let Piece::Field(name) = piece
            && steps(name).is_none()
        {
            return Err(Invalid::new(format!("has {}, which names nothing of the payload", echo(name))));
        }
    }
    Ok(())
}

/// The way through a payload that `payload.customer.0.email` or `payload.customer[0].email` names.
fn steps(name: &str) -> Option<Vec<&str>> {
    let way = name.strip_prefix("payload")?;
    let way = way.strip_prefix(['.', '['])?;
    let steps: Vec<&str> = way.split(['.', '[']).map(|step| step.strip_suffix(']').unwrap_or(step)).collect();
    steps.iter().all(|step| !step.is_empty()).then_some(steps)
}

/// What a payload has there; nothing of what is null.
fn found<'p>(name: &str, payload: &'p Map<String, Value>) -> Option<&'p Value> {
    let steps = steps(name)?;
    let (first, rest) = steps.split_first()?;
    let step = |value: &'p Value, step: &&str| match value {
        Value::Object(fields) => fields.get(*step),
        Value::Array(list) => list.get(step.parse::<usize>().ok()?),
        _ => None,
    };
    rest.iter().try_fold(payload.get(*first)?, step).filter(|value| !value.is_null())
}

/// A template with what a payload has. What is nothing but one field is that value itself, as it is; `None` where there are fields
/// and the payload has nothing for any.
fn filled(template: &str, payload: &Map<String, Value>) -> Option<Value> {
    let pieces = pieces(template).ok()?;
    if let [Piece::Field(name)] = pieces[..] {
        return found(name, payload).cloned();
    }
    let (mut text, mut fields, mut missing) = (String::new(), 0, 0);
    for piece in pieces {
        match piece {
            Piece::Text(part) => text.push_str(part),
            Piece::Field(name) => {
                let value = found(name, payload).map(|value| texts_of(value.clone()).join(", "));
                fields += 1;
                missing += usize::from(value.is_none());
                text.push_str(&value.unwrap_or_default());
            }
        }
    }
    (fields == 0 || missing < fields).then(|| Value::from(text.trim()))
}

/// A value as texts: of a list each. An object is none.
fn texts_of(value: Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text],
        Value::Number(number) => vec![number.to_string()],
        Value::Bool(truth) => vec![truth.to_string()],
        Value::Array(list) => list.into_iter().flat_map(texts_of).collect(),
        Value::Null | Value::Object(_) => Vec::new(),
    }
}

/// How the values of a payload are named, with each value, as far as a mapping can name it; at most `most`.
pub fn paths_of(payload: &Map<String, Value>, most: usize) -> Vec<(String, String)> {
    fn walk(name: &str, value: &Value, most: usize, paths: &mut Vec<(String, String)>) {
        match value {
            _ if paths.len() >= most => {}
            Value::Object(fields) => {
                fields.iter().for_each(|(key, value)| walk(&format!("{name}.{key}"), value, most, paths));
            }
            Value::Array(list) => {
                list.iter().enumerate().for_each(|(place, value)| walk(&format!("{name}.{place}"), value, most, paths));
            }
            Value::Null => {}
            value => {
                let field = format!("{{{{{name}}}}}");
                // A key with other characters in it cannot be named.
                if check(&Value::from(field.as_str())).is_ok() {
                    paths.push((field, texts_of(value.clone()).concat()));
                }
            }
        }
    }
    let mut paths = Vec::new();
    payload.iter().for_each(|(key, value)| walk(&format!("payload.{key}"), value, most, &mut paths));
    paths
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

    fn mapped(mapping: Value, payload: Value) -> Result<ContactPatch, Vec<(String, Invalid)>> {
        ContactMapping::parse(object(mapping)).unwrap().contact(&object(payload), &place())
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
        let patch = mapped(mapping.clone(), json!({"mail": {"a": 1}, "phone": null, "tags": []})).unwrap();
        assert!(patch.email.is_none() && patch.phone.is_none() && patch.tags.is_none());
        let wrong = mapped(mapping, json!({"tags": ["x".repeat(5_000)]})).unwrap_err();
        assert_eq!(wrong[0].0, "tags");
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

    #[test]
    fn bodies_are_objects_lists_of_them_and_forms() {
        let read = |text: &str| payloads_of(text.as_bytes(), false);
        assert_eq!(read(r#"{"a":1}"#).unwrap(), [object(json!({"a": 1}))]);
        assert_eq!(read(r#"[{"a":1},{}]"#).unwrap().len(), 2);
        assert_eq!(read("[]").unwrap(), []);
        let list = |many: usize| format!("[{}]", vec!["{}"; many].join(","));
        assert_eq!(read(&list(100)).unwrap().len(), 100);
        for bad in
            ["", "1", "null", "\"x\"", "[1]", "[{},[]]", "{", "{\"a\":1}x", "a=1", "\0", "{\"a\":\"\0\"}", &list(101)]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
        let deep = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&deep(100)).is_ok() && read(&deep(200)).is_err());
        let form = payloads_of(b"a=1&b=x+y%26&a=2&a=3", true).unwrap();
        assert_eq!(form, [object(json!({"a": ["1", "2", "3"], "b": "x y&"}))]);
    }

    #[test]
    fn paths_lead_to_the_values_that_they_are_told_with() {
        let payload = object(json!({"a": {"b": [{"c": 1}, "x"], "d e": 2}, "n": null, "t": true}));
        let paths = paths_of(&payload, 10);
        let paths: Vec<(&str, &str)> = paths.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect();
        assert_eq!(paths, [("{{payload.a.b.0.c}}", "1"), ("{{payload.a.b.1}}", "x"), ("{{payload.t}}", "true")]);
        for (path, value) in paths {
            assert_eq!(texts_of(filled(path, &payload).unwrap()), [value], "{path}");
        }
        assert_eq!(paths_of(&payload, 2).len(), 2);
    }
}
