//! Custom values of a location in API 2.0.

use keystead_core::{Error, LocationContext};
use keystead_model::custom_value::{CustomValue, CustomValueContent};

use super::samples;
use crate::{
    call::Call,
    many::{Batch, Done, OneOfMany, Outcomes},
    reader::Reader,
    shape::{Bare, Envelope, Fields, Input, Tagged, Written},
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

impl OneOfMany for CustomValueContent {
    const MANY: &'static str = "customValues";
}

/// Makes many, or changes those that have the same key.
pub(crate) async fn put_many(
    context: LocationContext,
    call: Call<(), Bare, Batch<CustomValueContent>>,
) -> Result<Outcomes, Error> {
    let app = &call.app;
    let results = call.body.run(|values| app.put_custom_values(&context, values)).await?;
    let done = |(value, is_new): (CustomValue, bool)| Done { id: value.id.to_string(), is_new, skipped: Vec::new() };
    Ok(Outcomes::of(results, done))
}
