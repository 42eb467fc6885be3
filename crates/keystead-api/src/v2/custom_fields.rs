//! Custom fields of a location in API 2.0, and what of them API 1.0 reads and writes in the same way.

use keystead_core::{Error, LocationContext};
use keystead_model::{
    Invalid,
    custom_field::{
        CustomField, CustomFieldContent, CustomFieldPatch, FieldName, Format, MAX_FILES, MAX_OPTIONS, NewCustomField,
        OwnerKind, TextBox,
    },
    data_type::DataType,
    text::Line,
};
use serde_json::{Map, Value, json};

use super::{samples, succeeded::Succeeded};
use crate::{
    call::Call,
    reader::Reader,
    shape::{Bare, Envelope, Fields, Ground, Input, Many, One, Tagged, Word, Written, word},
};

impl Envelope for CustomField {
    const ONE: &'static str = "customField";
    const MANY: &'static str = "customFields";
}

impl Written for CustomField {
    const NAME: &'static str = "CustomField";

    fn sample() -> Self {
        samples::custom_field()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let CustomFieldContent { name, placeholder, position, .. } = &self.content;
        fields.put("id", &self.id);
        fields.put("name", name);
        fields.put("fieldKey", &self.field_key());
        fields.put("placeholder", placeholder.as_ref().map(Line::as_str).unwrap_or_default());
        fields.one_of("dataType", self.data_type.as_str(), &DataType::ALL.map(DataType::as_str));
        fields.put("position", position);
        fields.put("picklistOptions", &picklist(self));
        fields.put::<[String]>("picklistImageOptions", &[]);
        fields.put("isAllowedCustomOption", &self.content.allows_custom_option);
        fields.put("isMultiFileAllowed", &self.content.is_multiple_file);
        fields.put("maxFileLimit", &self.content.max_files);
        let formats: Vec<&str> = self.content.accepted_formats.iter().map(Format::as_str).collect();
        fields.put("acceptedFormat", &formats.into_iter().map(str::to_owned).collect::<Vec<_>>());
        fields.put("textBoxListOptions", &self.content.text_boxes);
        fields.put("locationId", &self.location);
        fields.one_of("model", self.model.as_str(), &["contact", "opportunity"]);
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(self))
    }
}

impl Written for TextBox {
    const NAME: &'static str = "TextBox";

    fn sample() -> Self {
        Self { label: Line::from_stored("First".to_owned()), prefill: None }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("label", &self.label);
        fields.put("prefillValue", self.prefill.as_ref().map(Line::as_str).unwrap_or_default());
    }
}

/// What can be chosen, or what stands beside the boxes of a list.
pub(crate) fn picklist(field: &CustomField) -> Vec<String> {
    let labels = field.content.text_boxes.iter().map(|text_box| &text_box.label);
    field.content.options.iter().chain(labels).map(|option| option.as_str().to_owned()).collect()
}

impl Word for DataType {
    const EXAMPLE: &'static str = "TEXT";

    fn schema() -> Value {
        word::one_of(Self::ALL.map(Self::as_str))
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        let names = Self::ALL.map(Self::as_str).join(", ");
        Self::parse(text.trim()).ok_or_else(|| Invalid::new(format!("must be one of {names}")))
    }
}

impl Word for OwnerKind {
    const EXAMPLE: &'static str = "contact";

    fn schema() -> Value {
        word::one_of(["contact", "opportunity"])
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Self::parse(text).ok_or_else(|| Invalid::new("must be one of contact, opportunity"))
    }
}

impl Word for Format {
    const EXAMPLE: &'static str = ".pdf";

    fn schema() -> Value {
        word::text(20, "How names of files end")
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

/// What can be said of a field besides its name, in the words of both APIs.
pub(crate) fn details(reader: &mut Reader<'_>) -> CustomFieldPatch {
    CustomFieldPatch {
        placeholder: reader.clearable("placeholder"),
        position: reader.integer("position", 0..=1_000_000),
        options: reader.words("options", MAX_OPTIONS),
        accepted_formats: reader.words("acceptedFormat", 50),
        max_files: reader.integer("maxNumberOfFiles", 1..=MAX_FILES),
        text_boxes: text_boxes(reader),
        ..CustomFieldPatch::default()
    }
}

/// The same with what only API 2.0 has.
fn details_of_v2(reader: &mut Reader<'_>) -> CustomFieldPatch {
    let limit = reader.integer("maxFileLimit", 1..=MAX_FILES);
    let mut patch = details(reader);
    patch.max_files = patch.max_files.or(limit);
    patch.is_multiple_file = reader.truth("isMultipleFile").or_else(|| reader.truth("isMultiFileAllowed"));
    patch.allows_custom_option = reader.truth("isAllowedCustomOption");
    patch
}

/// `[{label, prefillValue}]`, or labels alone.
fn text_boxes(reader: &mut Reader<'_>) -> Option<Vec<TextBox>> {
    const NAME: &str = "textBoxListOptions";
    let labelled = json!({
        "type": "object",
        "properties": {"label": {"type": "string", "maxLength": 200}, "prefillValue": {"type": ["string", "null"]}},
        "required": ["label"],
    });
    let schema = json!({
        "type": "array", "maxItems": MAX_OPTIONS, "items": {"anyOf": [{"type": "string", "maxLength": 200}, labelled]},
    });
    let list = match reader.anything(NAME, schema, json!([{"label": "First", "prefillValue": ""}]))? {
        Value::Array(list) if list.len() <= MAX_OPTIONS => list,
        Value::Array(_) => {
            reader.violate(NAME, format!("must contain no more than {MAX_OPTIONS} elements"));
            return None;
        }
        _ => {
            reader.violate(NAME, "must be an array");
            return None;
        }
    };
    let mut boxes = Vec::with_capacity(list.len());
    for (index, entry) in list.iter().enumerate() {
        match text_box(entry) {
            Ok(text_box) => boxes.push(text_box),
            Err((name, Invalid(problem))) => reader.violate(&format!("{NAME}.{index}.{name}"), problem),
        }
    }
    (boxes.len() == list.len()).then_some(boxes)
}

fn text_box(entry: &Value) -> Result<TextBox, (&'static str, Invalid)> {
    let label = entry.as_str().or_else(|| entry["label"].as_str()).unwrap_or_default();
    let label = Line::parse(label).map_err(|problem| ("label", problem))?;
    let prefill = match &entry["prefillValue"] {
        Value::String(text) if !text.trim().is_empty() => Some(Line::parse(text)),
        Value::String(_) | Value::Null => None,
        _ => Some(Err(Invalid::new("must be a string"))),
    };
    Ok(TextBox { label, prefill: prefill.transpose().map_err(|problem| ("prefillValue", problem))? })
}

/// A new field of what was read.
pub(crate) fn new_field(
    model: OwnerKind,
    name: Line<200>,
    data_type: DataType,
    patch: CustomFieldPatch,
) -> NewCustomField {
    let mut content = CustomFieldContent::named(name);
    patch.apply(data_type, &mut content);
    NewCustomField { model, data_type, content }
}

/// A field of texts has none of these.
pub(crate) fn settle(example: &mut Map<String, Value>) {
    for name in ["options", "isAllowedCustomOption", "acceptedFormat", "textBoxListOptions"] {
        example.remove(name);
    }
    example.retain(|name, _| !name.starts_with("isM"));
}

/// A new field of API 2.0.
pub(crate) struct New(NewCustomField);

impl Input for New {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.names_location();
        let name = reader.required("name", |reader| reader.word("name"));
        let data_type = reader.required("dataType", |reader| reader.word("dataType"));
        let model = reader.word("model").unwrap_or(OwnerKind::Contact);
        let patch = details_of_v2(reader);
        Some(Self(new_field(model, name?, data_type?, patch)))
    }

    fn settle(example: &mut Map<String, Value>) {
        settle(example);
    }
}

/// A change of one.
pub(crate) struct Change(CustomFieldPatch);

impl Input for Change {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.names_location();
        let name = reader.required("name", |reader| reader.word("name"));
        let (data_type, model) = (reader.word("dataType"), reader.word("model"));
        let patch = details_of_v2(reader);
        Some(Self(CustomFieldPatch { name: Some(name?), data_type, model, ..patch }))
    }

    fn settle(example: &mut Map<String, Value>) {
        settle(example);
    }
}

/// Whose fields are listed: contacts' unless it is said.
pub(crate) struct OfModel(Option<OwnerKind>);

/// A model, or all.
struct Asked(Option<OwnerKind>);

impl Word for Asked {
    const EXAMPLE: &'static str = "all";

    fn schema() -> Value {
        word::one_of(["contact", "opportunity", "all"])
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        match (text, OwnerKind::parse(text)) {
            ("all", _) => Ok(Self(None)),
            (_, Some(model)) => Ok(Self(Some(model))),
            _ => Err(Invalid::new("must be one of contact, opportunity, all")),
        }
    }
}

impl Input for OfModel {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        query.ignore(crate::reader::PLACES);
        Some(Self(query.word("model").map_or(Some(OwnerKind::Contact), |Asked(model)| model)))
    }
}

pub(crate) async fn list(context: LocationContext, call: Call<(), OfModel>) -> Result<Many<CustomField>, Error> {
    call.app.list_custom_fields(&context, call.query.0).await.map(Many)
}

pub(crate) async fn create(context: LocationContext, call: Call<(), Bare, New>) -> Result<One<CustomField>, Error> {
    call.app.create_custom_field(&context, call.body.0).await.map(One)
}

pub(crate) async fn get(context: LocationContext, call: Call<FieldName>) -> Result<One<CustomField>, Error> {
    call.app.get_custom_field(&context, call.path).await.map(One)
}

pub(crate) async fn update(
    context: LocationContext,
    call: Call<FieldName, Bare, Change>,
) -> Result<One<CustomField>, Error> {
    call.app.update_custom_field(&context, call.path, call.body.0).await.map(One)
}

pub(crate) async fn delete(context: LocationContext, call: Call<FieldName>) -> Result<Succeeded, Error> {
    call.app.delete_custom_field(&context, call.path).await?;
    Ok(Succeeded)
}
