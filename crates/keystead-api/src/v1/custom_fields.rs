//! Custom fields of contacts in API 1.0, with its spellings.

use keystead_core::{Error, LocationContext};
use keystead_model::{
    custom_field::{CustomField, CustomFieldPatch, FieldName, NewCustomField, OwnerKind},
    data_type::DataType,
    text::Line,
};
use serde_json::{Map, Value};

use crate::{
    call::Call,
    reader::{Reader, Slice},
    shape::{Bare, EmptyString, Envelope, Fields, Input, Many, Written},
    v2::custom_fields::{details, new_field, picklist, settle},
};

/// A custom field of API 1.0.
pub(crate) struct Shape(CustomField);

impl Envelope for Shape {
    const ONE: &'static str = "customField";
    const MANY: &'static str = "customFields";
}

impl Written for Shape {
    const NAME: &'static str = "CustomField";

    fn sample() -> Self {
        Self(CustomField::sample())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self(field) = self;
        let kinds = DataType::ALL.map(DataType::as_str);
        fields.put("id", &field.id);
        fields.put("name", &field.content.name);
        fields.put("fieldKey", &field.field_key());
        fields.put("placeholder", field.content.placeholder.as_ref().map(Line::as_str).unwrap_or_default());
        fields.put("position", &field.content.position);
        // As it was recorded, and as it should be.
        fields.one_of("dateType", field.data_type.as_str(), &kinds);
        fields.one_of("dataType", field.data_type.as_str(), &kinds);
        fields.put("picklistOptions", &picklist(field));
    }
}

fn details_of_v1(reader: &mut Reader<'_>) -> CustomFieldPatch {
    let spellings = ["isMultipalFile", "isMulitpalFile", "isMultipleFile"].map(|name| reader.truth(name));
    CustomFieldPatch { is_multiple_file: spellings.into_iter().flatten().next(), ..details(reader) }
}

/// A new field, which must have what its kind needs.
pub(crate) struct New(NewCustomField);

impl Input for New {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let name = reader.required("name", |reader| reader.word("name"));
        let data_type: Option<DataType> = reader.required("dataType", |reader| reader.word("dataType"));
        let patch = details_of_v1(reader);
        let needs = |kinds: &[DataType]| data_type.is_some_and(|kind| kinds.contains(&kind));
        let is_there = |list: Option<usize>| list.is_some_and(|count| count > 0);
        let options =
            is_there(patch.options.as_ref().map(Vec::len)) || is_there(patch.text_boxes.as_ref().map(Vec::len));
        let is_missing = needs(&[DataType::SingleOptions, DataType::MultipleOptions, DataType::Checkbox]) && !options
            || needs(&[DataType::FileUpload]) && !is_there(patch.accepted_formats.as_ref().map(Vec::len))
            || needs(&[DataType::TextboxList]) && !is_there(patch.text_boxes.as_ref().map(Vec::len));
        if is_missing {
            reader.violate("options or acceptedFormat or textBoxListOptions", "should not be empty");
        }
        Some(Self(new_field(OwnerKind::Contact, name?, data_type?, patch)))
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
        let name = reader.required("name", |reader| reader.word("name"));
        let data_type = reader.word("dataType");
        let patch = details_of_v1(reader);
        Some(Self(CustomFieldPatch { name: Some(name?), data_type, ..patch }))
    }

    fn settle(example: &mut Map<String, Value>) {
        settle(example);
    }
}

pub(crate) async fn list(context: LocationContext, call: Call<(), Slice>) -> Result<Many<Shape>, Error> {
    let all = call.app.list_custom_fields(&context, Some(OwnerKind::Contact)).await?;
    Ok(Many(call.query.of(all).into_iter().map(Shape).collect()))
}

pub(crate) async fn create(context: LocationContext, call: Call<(), Bare, New>) -> Result<Shape, Error> {
    call.app.create_custom_field(&context, call.body.0).await.map(Shape)
}

pub(crate) async fn get(context: LocationContext, call: Call<FieldName>) -> Result<Shape, Error> {
    call.app.get_custom_field(&context, call.path).await.map(Shape)
}

pub(crate) async fn update(context: LocationContext, call: Call<FieldName, Bare, Change>) -> Result<Shape, Error> {
    call.app.update_custom_field(&context, call.path, call.body.0).await.map(Shape)
}

pub(crate) async fn delete(context: LocationContext, call: Call<FieldName>) -> Result<EmptyString, Error> {
    call.app.delete_custom_field(&context, call.path).await?;
    Ok(EmptyString)
}
