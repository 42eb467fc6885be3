//! Custom values of a location in API 2.0.

use keystead_model::custom_value::{CustomValue, CustomValueContent};

use super::samples;
use crate::{
    reader::Reader,
    shape::{Envelope, Fields, Input, Tagged, Written},
};

impl Envelope for CustomValue {
    const ONE: &'static str = "customValue";
    const MANY: &'static str = "customValues";
}

impl Written for CustomValue {
    const NAME: &'static str = "CustomValue";

    fn sample() -> Self {
        samples::custom_value()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { id, location, key, content, created_at: _, updated_at: _ } = self;
        let CustomValueContent { name, value } = content;
        fields.put("id", id);
        fields.put("name", name);
        fields.put("fieldKey", &format!("{{{{ custom_values.{key} }}}}"));
        fields.put("value", value);
        fields.put("locationId", location);
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(self))
    }
}

impl Input for CustomValueContent {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let name = reader.required("name", |reader| reader.word("name"));
        let value = reader.required("value", |reader| reader.word("value"));
        Some(Self { name: name?, value: value? })
    }
}
