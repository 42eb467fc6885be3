//! Custom values of API 1.0.

use keystead_core::{Error, LocationContext};
use keystead_model::custom_value::{CustomValue, CustomValueContent};

use crate::{
    call::Call,
    reader::Slice,
    shape::{Fields, Written},
};

/// A custom value of API 1.0, whose key is spelled in the singular.
pub(crate) struct Shape(CustomValue);

impl From<CustomValue> for Shape {
    fn from(value: CustomValue) -> Self {
        Self(value)
    }
}

impl Written for Shape {
    const NAME: &'static str = "CustomValue";

    fn sample() -> Self {
        Self(CustomValue::sample())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let CustomValueContent { name, value } = &self.0.content;
        fields.put("id", &self.0.id);
        fields.put("name", name);
        fields.put("fieldKey", &format!("{{{{ custom_value.{} }}}}", self.0.key));
        fields.put("value", value);
    }
}

/// All of them, under the name that the contract has and under the one that they should have.
pub(crate) struct Listed(Vec<Shape>);

impl Written for Listed {
    fn sample() -> Self {
        Self(vec![Shape::sample()])
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("customFields", &self.0);
        fields.put("customValues", &self.0);
    }
}

pub(crate) async fn list(context: LocationContext, call: Call<(), Slice>) -> Result<Listed, Error> {
    let page = call.app.list::<CustomValue>(&context, (), call.query.window()).await?;
    Ok(Listed(page.rows.into_iter().map(Shape).collect()))
}
