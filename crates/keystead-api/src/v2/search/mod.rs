//! What a search by a body asks for, the same for every noun that is searched so.

mod filters;
mod sort;

use std::collections::HashMap;

use keystead_core::{App, Error, LocationContext};
use keystead_model::{CustomFieldId, custom_field::OwnerKind, data_type::ValueKind, sort::Timed};
use serde_json::Value;

use self::filters::unknown;
pub(crate) use self::{
    filters::Filters,
    sort::{Ordered, Places, SearchAfter, Sort},
};

/// A field of a noun that searches ask for.
pub(crate) trait Searched: Timed {
    /// Whose custom fields it may be one of.
    const MODEL: OwnerKind;

    /// The field that has this name in the spelling of [`snake`].
    fn standard(name: &str) -> Option<Self>;

    /// A custom field.
    fn custom(id: CustomFieldId, kind: ValueKind) -> Self;

    /// Whether it holds phone numbers, which may be asked for as people write them.
    fn is_phone(self) -> bool;

    /// Whether it orders things: of what is a list of names, no one comes first.
    fn is_sortable(self) -> bool;

    /// Filters that say how they are written.
    fn filters_example() -> Value;
}

/// What stands before the id of a custom field, in the spellings of both searches of the contract.
const CUSTOM: [&str; 2] = ["customFields.", "custom_fields."];

fn custom_id(name: &str) -> Option<&str> {
    CUSTOM.into_iter().find_map(|begin| name.strip_prefix(begin))
}

fn is_custom(name: &str) -> bool {
    custom_id(name).is_some()
}

/// A name in the spelling of the original's failures, `date_added` for `dateAdded`; either is understood.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

/// What the custom fields of a location hold that a search may ask for.
pub(crate) struct CustomKinds(HashMap<CustomFieldId, ValueKind>);

impl CustomKinds {
    /// Those of things that have fields like `F`; none are read where none is asked for.
    pub(crate) async fn of<F: Searched>(
        app: &App,
        context: &LocationContext,
        filters: &Filters,
        sort: &Sort,
    ) -> Result<Self, Error> {
        if !filters.name_custom_fields() && !sort.names_custom_fields() {
            return Ok(Self(HashMap::new()));
        }
        let fields = app.fields_of(context, F::MODEL).await?;
        Ok(Self(fields.iter().map(|field| (field.id, field.data_type.value_kind())).collect()))
    }

    /// The field of a name.
    fn field<F: Searched>(&self, name: &str) -> Option<F> {
        let Some(id) = custom_id(name) else { return F::standard(&snake(name)) };
        let id = CustomFieldId::parse(id)?;
        self.0.get(&id).map(|kind| F::custom(id, *kind))
    }
}
