//! Outputs: what routes answer, written and described by the same lines.

use std::sync::Arc;

use keystead_model::{
    KeyId, UtcMs,
    calendar_date::CalendarDate,
    decimal::{Decimal, nanos_to_text},
    id::Id,
    json_object::JsonObject,
    link::{Destination, Slug},
    phone::PhoneNumber,
    scope::Scope,
    tag::TagName,
    text::{Country, EmailAddress, Line, Prose, TimeZoneName},
    uuid::Uuid,
};
use serde_json::{Map, Value, json};

use super::{
    outline::{Outline, or_null},
    word::one_of,
};
use crate::{
    reply::{Content, Reply},
    route::Face,
    v2::Version,
};

/// How a client is answered: in which shape, and by which address it knows us.
#[derive(Clone)]
pub(crate) struct Way {
    pub(crate) face: Face,
    pub(crate) version: Version,
    /// `https://crm.example`, for addresses in answers; those in documents and tags begin with their path.
    pub(crate) base_url: Option<Arc<str>>,
}

impl Way {
    /// A shape, whoever is answered.
    pub(crate) const fn of(face: Face, version: Version) -> Self {
        Self { face, version, base_url: None }
    }
}

/// JSON that is being written.
pub(crate) struct Out {
    bytes: Vec<u8>,
    way: Way,
}

impl Out {
    fn new(way: Way) -> Self {
        Self { bytes: Vec::with_capacity(1024), way }
    }

    /// With what addresses of ours begin.
    pub(crate) fn base_url(&self) -> &str {
        self.way.base_url.as_deref().unwrap_or_default()
    }

    /// An address of ours by its path.
    pub(super) fn address(&mut self, path: &str) {
        let address = format!("{}{path}", self.base_url());
        self.value(&address);
    }

    /// JSON that needs no escapes.
    pub(super) fn plain(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// A text of ours that needs no escapes: an id, an instant.
    fn ascii(&mut self, text: &[u8]) {
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(text);
        self.bytes.push(b'"');
    }

    /// A number, a truth or a text of serde's.
    pub(super) fn value(&mut self, value: &(impl serde::Serialize + ?Sized)) {
        // What can fail in JSON is a map whose keys are no texts.
        serde_json::to_writer(&mut self.bytes, value).expect("a plain value is JSON");
    }
}

/// Schemas that have a name, of one document.
pub(crate) struct Definitions {
    pub(crate) way: Way,
    pub(crate) schemas: Map<String, Value>,
}

impl Definitions {
    /// None as yet, of shapes as they are answered in this way.
    pub(crate) fn of(way: Way) -> Self {
        Self { way, schemas: Map::new() }
    }
}

/// Something that can be a field's value.
#[diagnostic::on_unimplemented(message = "`{Self}` cannot be written: implement `shape::Written` for it")]
pub(crate) trait Field {
    fn schema(definitions: &mut Definitions) -> Value;
    fn write(&self, out: &mut Out);
}

/// An object on the wire.
#[diagnostic::on_unimplemented(message = "`{Self}` has no shape on the wire: implement `shape::Written` for it")]
pub(crate) trait Written: Sized {
    /// Under which its schema stands in the documents; those of answers have none.
    const NAME: &'static str = "";

    /// One with everything in it, as the documents show it.
    fn sample() -> Self;

    /// Puts every field, in the same order whatever the values are.
    fn write(&self, fields: &mut Fields<'_>);

    /// The tag of the one thing that it answers, if it is one that has a tag.
    fn tag(&self) -> Option<String> {
        None
    }

    /// The status of an answer about what was there already, where that has one of its own.
    const FOUND: Option<u16> = None;

    /// Whether this was there already.
    fn is_found(&self) -> bool {
        false
    }

    /// Takes the secret out of it, if it holds one: a repeated request is answered what is left.
    fn forget_secret(&mut self) {}
}

/// The fields of an object that is being written, or described.
pub(crate) struct Fields<'o> {
    out: &'o mut Out,
    is_first: bool,
    sketch: Option<(&'o mut Outline, &'o mut Definitions)>,
}

impl Fields<'_> {
    /// In which shape.
    pub(crate) fn version(&self) -> Version {
        self.out.way.version
    }

    /// Of which API.
    pub(crate) fn face(&self) -> Face {
        self.out.way.face
    }

    fn name(&mut self, name: &'static str) {
        self.out.plain(if self.is_first { "\"" } else { ",\"" });
        self.is_first = false;
        // Names are ours, and need no escapes.
        self.out.plain(name);
        self.out.plain("\":");
    }

    fn note(&mut self, name: &'static str, is_required: bool, schema: impl FnOnce(&mut Definitions) -> Value) {
        if let Some((outline, definitions)) = &mut self.sketch {
            outline.add(name, schema(definitions));
            if is_required {
                outline.require(name);
            }
        }
    }

    /// A field that is always there.
    pub(crate) fn put<T: Field + ?Sized>(&mut self, name: &'static str, value: &T) {
        self.note(name, true, T::schema);
        self.name(name);
        value.write(self.out);
    }

    /// A field that is there where it has a value.
    pub(crate) fn opt<T: Field + ?Sized>(&mut self, name: &'static str, value: Option<&T>) {
        self.note(name, false, T::schema);
        if let Some(value) = value {
            self.name(name);
            value.write(self.out);
        }
    }

    /// A field that is null where it has no value.
    pub(crate) fn or_null<T: Field + ?Sized>(&mut self, name: &'static str, value: Option<&T>) {
        self.note(name, true, |definitions| or_null(T::schema(definitions)));
        self.name(name);
        match value {
            Some(value) => value.write(self.out),
            None => self.out.plain("null"),
        }
    }

    /// A text out of a closed list.
    pub(crate) fn one_of(&mut self, name: &'static str, value: &str, all: &[&str]) {
        self.note(name, true, |_| one_of(all.iter().copied()));
        self.name(name);
        value.write(self.out);
    }

    /// The same where it may be null.
    pub(crate) fn one_of_or_null(&mut self, name: &'static str, value: Option<&str>, all: &[&str]) {
        self.note(name, true, |_| or_null(one_of(all.iter().copied())));
        self.name(name);
        match value {
            Some(value) => value.write(self.out),
            None => self.out.plain("null"),
        }
    }
}

pub(super) fn write_object<T: Written>(object: &T, out: &mut Out) {
    out.plain("{");
    object.write(&mut Fields { out, is_first: true, sketch: None });
    out.plain("}");
}

/// Writes a sample, and notes what is written.
fn describe<T: Written>(definitions: &mut Definitions) -> (Outline, Value) {
    let mut out = Out::new(definitions.way.clone());
    let mut outline = Outline::default();
    out.plain("{");
    T::sample().write(&mut Fields { out: &mut out, is_first: true, sketch: Some((&mut outline, definitions)) });
    out.plain("}");
    (outline, serde_json::from_slice(&out.bytes).expect("a sample is JSON"))
}

/// An object as it is in the older shape of API 2.0.
pub(crate) fn to_bytes<T: Written>(object: &T) -> Vec<u8> {
    bytes_of(object, Way::of(Face::V2, Version::V2021))
}

/// An object as it is answered in a way.
pub(crate) fn bytes_of<T: Written>(object: &T, way: Way) -> Vec<u8> {
    let mut out = Out::new(way);
    write_object(object, &mut out);
    out.bytes
}

/// The same as JSON, for doors other than the APIs.
pub(crate) fn to_value<T: Written>(object: &T) -> Value {
    serde_json::from_slice(&to_bytes(object)).expect("what is written is JSON")
}

impl<T: Written> Field for T {
    fn schema(definitions: &mut Definitions) -> Value {
        if T::NAME.is_empty() {
            return describe::<T>(definitions).0.into_schema(false);
        }
        if !definitions.schemas.contains_key(T::NAME) {
            // Its place first, for shapes that hold others of their kind.
            definitions.schemas.insert(T::NAME.to_owned(), Value::Null);
            let (outline, example) = describe::<T>(definitions);
            let mut schema = outline.into_schema(false);
            schema["examples"] = json!([example]);
            definitions.schemas.insert(T::NAME.to_owned(), schema);
        }
        json!({"$ref": format!("#/components/schemas/{}", T::NAME)})
    }

    fn write(&self, out: &mut Out) {
        write_object(self, out);
    }
}

impl<T: Field> Field for [T] {
    fn schema(definitions: &mut Definitions) -> Value {
        json!({"type": "array", "items": T::schema(definitions)})
    }

    fn write(&self, out: &mut Out) {
        out.plain("[");
        for (index, value) in self.iter().enumerate() {
            if index > 0 {
                out.plain(",");
            }
            value.write(out);
        }
        out.plain("]");
    }
}

impl<T: Field> Field for Vec<T> {
    fn schema(definitions: &mut Definitions) -> Value {
        <[T]>::schema(definitions)
    }

    fn write(&self, out: &mut Out) {
        self.as_slice().write(out);
    }
}

macro_rules! plain_fields {
    ($($type:ty, $schema:expr;)*) => {
        $(impl Field for $type {
            fn schema(_: &mut Definitions) -> Value {
                $schema
            }

            fn write(&self, out: &mut Out) {
                out.value(self);
            }
        })*
    };
}

plain_fields! {
    bool, json!({"type": "boolean"});
    i64, json!({"type": "integer"});
    u32, json!({"type": "integer", "minimum": 0});
    usize, json!({"type": "integer", "minimum": 0});
    str, json!({"type": "string"});
    String, json!({"type": "string"});
    // Any JSON.
    Value, json!({});
}

macro_rules! ascii_fields {
    ($([$($parameters:tt)*] $type:ty, $bytes:expr, $schema:expr;)*) => {
        $(impl<$($parameters)*> Field for $type {
            fn schema(_: &mut Definitions) -> Value {
                $schema
            }

            fn write(&self, out: &mut Out) {
                out.ascii($bytes(self).as_ref());
            }
        })*
    };
}

ascii_fields! {
    [] UtcMs, |at: &UtcMs| at.iso_bytes(), json!({"type": "string", "format": "date-time"});
    [] KeyId, KeyId::as_bytes, json!({"type": "string"});
    [T] Id<T>, Id::<T>::as_bytes, json!({"type": "string"});
}

macro_rules! text_fields {
    ($([$($parameters:tt)*] $type:ty, $schema:expr;)*) => {
        $(impl<$($parameters)*> Field for $type {
            fn schema(_: &mut Definitions) -> Value {
                $schema
            }

            fn write(&self, out: &mut Out) {
                out.value(self.as_str());
            }
        })*
    };
}

text_fields! {
    [const MAX: usize] Line<MAX>, json!({"type": "string"});
    [const MAX: usize] Prose<MAX>, json!({"type": "string"});
    [] TagName, json!({"type": "string"});
    [] EmailAddress, json!({"type": "string"});
    [] PhoneNumber, json!({"type": "string"});
    [] Country, json!({"type": "string"});
    [] TimeZoneName, json!({"type": "string"});
    [] Destination, json!({"type": "string"});
    [] Slug, json!({"type": "string"});
    [] Uuid, json!({"type": "string", "format": "uuid"});
    [] Scope, one_of(Scope::ALL.iter().map(|scope| scope.as_str()));
}

impl<const MAX: usize> Field for JsonObject<MAX> {
    fn schema(_: &mut Definitions) -> Value {
        json!({"type": "object"})
    }

    fn write(&self, out: &mut Out) {
        out.plain(self.as_str());
    }
}

/// A number with all its digits.
impl Field for Decimal {
    fn schema(_: &mut Definitions) -> Value {
        json!({"type": "number"})
    }

    fn write(&self, out: &mut Out) {
        out.plain(&self.to_string());
    }
}

/// A sum of numbers, in billionths, with all its digits.
pub(crate) struct Sum(pub(crate) i128);

impl Field for Sum {
    fn schema(_: &mut Definitions) -> Value {
        json!({"type": "number"})
    }

    fn write(&self, out: &mut Out) {
        out.plain(&nanos_to_text(self.0));
    }
}

impl Field for CalendarDate {
    fn schema(_: &mut Definitions) -> Value {
        json!({"type": "string", "format": "date"})
    }

    fn write(&self, out: &mut Out) {
        out.value(&self.to_iso());
    }
}

/// Under which names things of a kind are answered.
pub(crate) trait Envelope {
    const ONE: &'static str;
    const MANY: &'static str;
}

/// `{"tag": …}`.
pub(crate) struct One<T>(pub(crate) T);

/// `{"tags": […]}`.
pub(crate) struct Many<T>(pub(crate) Vec<T>);

impl<T> From<T> for One<T> {
    fn from(thing: T) -> Self {
        Self(thing)
    }
}

impl<T: Written + Envelope> Written for One<T> {
    fn sample() -> Self {
        Self(T::sample())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put(T::ONE, &self.0);
    }

    fn tag(&self) -> Option<String> {
        Written::tag(&self.0)
    }
}

impl<T: Written + Envelope> Written for Many<T> {
    fn sample() -> Self {
        Self(vec![T::sample()])
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put(T::MANY, &self.0);
    }
}

/// What a route answers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no output: a route says what it answers by a type with `shape::Written`"
)]
pub(crate) trait Output: Sized {
    /// Writes it, and if it `is_kept` for a repeated request, in every shape in which that may be asked for.
    fn reply(self, status: u16, way: Way, is_kept: bool) -> Reply;
    fn describe(definitions: &mut Definitions) -> Answer;
}

/// An answer, described.
pub(crate) enum Answer {
    /// JSON.
    Json {
        schema: Value,
        example: Value,
        /// Whether it comes with an ETag.
        is_tagged: bool,
        /// Its status where what it answers was there already, if that has one of its own.
        found: Option<u16>,
    },
    /// Anything else, such as what is made while it is sent: its media type, and what it is. It is not kept for a repeated
    /// request, so a route that answers it takes no `Idempotency-Key`.
    Other(&'static str, Value),
}

impl<T: Written> Output for T {
    fn reply(mut self, status: u16, way: Way, is_kept: bool) -> Reply {
        let write = |object: &T, way| {
            let mut out = Out::new(way);
            write_object(object, &mut out);
            out.bytes
        };
        // Every object of API 2.0 tells the request's id; API 1.0 tells it in the header only.
        let content = if way.face == Face::V2 { Content::Object } else { Content::Json };
        let body = write(&self, way.clone());
        // API 1.0 never had tags.
        let tag = if way.face == Face::V2 { Written::tag(&self) } else { None };
        let kept = is_kept.then(|| {
            self.forget_secret();
            [Version::V2021, Version::V3].map(|version| write(&self, Way { version, ..way.clone() }))
        });
        let status = T::FOUND.filter(|_| self.is_found()).unwrap_or(status);
        Reply { status, kept, tag, ..Reply::of(body, content) }
    }

    fn describe(definitions: &mut Definitions) -> Answer {
        let (mut outline, mut example) = describe::<T>(definitions);
        if definitions.way.face == Face::V2 {
            outline.add("traceId", json!({"type": "string", "format": "uuid"}));
            outline.require("traceId");
            example["traceId"] = json!("4924de3a-48ad-8210-916c-6815fdffcbbf");
        }
        let is_tagged = definitions.way.face == Face::V2 && Written::tag(&T::sample()).is_some();
        Answer::Json { schema: outline.into_schema(false), example, is_tagged, found: T::FOUND }
    }
}

/// API 1.0: the JSON string `""`, as most deletions answer.
#[derive(Default)]
pub(crate) struct EmptyString;

impl Output for EmptyString {
    fn reply(self, status: u16, _: Way, _: bool) -> Reply {
        Reply::json(status, &"")
    }

    fn describe(_: &mut Definitions) -> Answer {
        Answer::Json {
            schema: json!({"type": "string", "const": ""}),
            example: json!(""),
            is_tagged: false,
            found: None,
        }
    }
}

/// API 1.0: no body, as text.
pub(crate) struct EmptyText;

impl Output for EmptyText {
    fn reply(self, status: u16, _: Way, _: bool) -> Reply {
        Reply { status, ..Reply::empty_text() }
    }

    fn describe(_: &mut Definitions) -> Answer {
        Answer::Other("text/plain", json!({"type": "string", "maxLength": 0}))
    }
}
