//! Custom values of a location.

use keystead_model::{
    CustomValueId, UtcMs,
    custom_value::{CustomValue, CustomValueContent, key_of},
    event::EventKind,
    scope::Scope,
};
use keystead_store::custom_values;

use crate::{
    App, Error, ErrorCode, LocationContext, Result,
    error::Noun,
    events::{Described, Fields, put, text},
    operate::InLocation,
    resource::{MOST_MADE_BY_HAND, Made, Resource},
};

impl App {
    /// Makes many custom values, or changes those whose keys their names have. Answers each, and whether it was made.
    pub async fn put_custom_values(
        &self,
        context: &LocationContext,
        values: Vec<CustomValueContent>,
    ) -> Result<Vec<Result<(CustomValue, bool)>>> {
        let put = |operation: &mut InLocation<'_, '_>, content: CustomValueContent| {
            let (location, key) = (operation.context.location, key_of(content.name.as_str()));
            let known: Option<CustomValueId> = custom_values::find_by_key(operation.tx, location, &key)?;
            match known {
                Some(id) => Ok((operation.update::<CustomValue>((), id, content)?, false)),
                None => Ok((operation.create((), content)?, true)),
            }
        };
        self.each(context, Scope::CustomValuesWrite, values, put).await
    }
}

impl Resource for CustomValue {
    type Content = CustomValueContent;
    /// All of it: that is how the contract changes one.
    type Patch = CustomValueContent;

    const NOUN: Noun = Noun::CustomValue;
    const SCOPES: (Scope, Scope) = (Scope::CustomValuesRead, Scope::CustomValuesWrite);
    const KINDS: [EventKind; 3] =
        [EventKind::CustomValueCreated, EventKind::CustomValueUpdated, EventKind::CustomValueDeleted];
    const MOST: Option<i64> = Some(MOST_MADE_BY_HAND);

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
