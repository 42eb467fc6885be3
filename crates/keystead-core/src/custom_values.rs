//! Custom values of a location.

use keystead_model::{
    CustomValueId, UtcMs,
    custom_value::{CustomValue, CustomValueContent, key_of},
    event::EventKind,
    scope::Scope,
};
use keystead_store::custom_values;

use crate::{
    Error, ErrorCode, Result,
    error::Noun,
    events::{Described, Fields, put, text},
    operate::InLocation,
    resource::{Made, Resource},
};

impl Resource for CustomValue {
    type Content = CustomValueContent;
    /// All of it: that is how the contract changes one.
    type Patch = CustomValueContent;

    const NOUN: Noun = Noun::CustomValue;
    const SCOPES: (Scope, Scope) = (Scope::CustomValuesRead, Scope::CustomValuesWrite);
    const KINDS: [EventKind; 3] =
        [EventKind::CustomValueCreated, EventKind::CustomValueUpdated, EventKind::CustomValueDeleted];

    fn new(made: Made<Self>, content: CustomValueContent) -> Self {
        let Made { id, location, parent: (), now } = made;
        let key = key_of(content.name.as_str());
        Self { id, location, key, content, created_at: now, updated_at: now }
    }

    fn change(&mut self, content: CustomValueContent) {
        self.content = content;
    }

    fn updated_at(&mut self) -> &mut UtcMs {
        &mut self.updated_at
    }

    fn admit(&self, operation: &mut InLocation<'_, '_>) -> Result<()> {
        let found: Option<CustomValueId> = custom_values::find_by_key(operation.tx, self.location, &self.key)?;
        if found.is_none_or(|found| found == self.id) {
            return Ok(());
        }
        let message = format!("A custom value with the key {} exists", self.key);
        Err(Error::Conflict(ErrorCode::NameTaken, message))
    }
}

impl Described for CustomValue {
    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn describe(&self) -> Fields {
        let CustomValueContent { name, value } = &self.content;
        let mut fields = Fields::new();
        put(&mut fields, "name", Some(name.as_str()));
        put(&mut fields, "value", Some(text(value.as_str())));
        fields
    }
}
