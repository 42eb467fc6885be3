//! Values of custom fields, of whatever has some: how they change, and what events tell of them.
//!
//! A noun that has them keeps a [`ValueSet`], changes it by [`InLocation::change_values`], stores it by
//! `keystead_store::field_values::save`, and tells of it by [`put_values`].

use std::sync::Arc;

use keystead_model::{
    custom_field::{CustomField, OwnerKind},
    field_value::{FieldValue, FieldValues, Held, MAX_TEXT_BYTES, ValueField, ValueSet},
    id::Id,
};
use keystead_store::{custom_fields, files};
use serde_json::Value as Json;

use crate::{
    Error, Result, Violation,
    events::{Fields, put, text},
    operate::InLocation,
};

impl InLocation<'_, '_> {
    /// Changes what `owner` has in custom fields. A field that is gone meanwhile is passed over; everything that is wrong with
    /// files is told at once.
    pub(crate) fn change_values<T>(
        &mut self,
        owner: (OwnerKind, Id<T>),
        set: &mut ValueSet,
        changes: &[FieldValues],
    ) -> Result<()> {
        let ids: Vec<_> = changes.iter().map(|change| change.field).collect();
        let fields = custom_fields::find_all(self.tx, self.context.location, owner.0, &ids)?;
        let mut violations = Vec::new();
        for FieldValues { field, values } in changes {
            let Some(field) = fields.iter().find(|known| known.id == *field) else { continue };
            let values = if field.data_type.is_file() {
                match self.files_of(owner, field, values)? {
                    Ok(files) => files,
                    Err(problem) => {
                        violations.push(Violation { field: format!("customFields ({})", field.field_key()), problem });
                        continue;
                    }
                }
            } else {
                values.clone()
            };
            set.set(Held { field: Arc::new(ValueField::from(field)), values });
        }
        if !changes.is_empty() && set.text_bytes() > MAX_TEXT_BYTES {
            let problem = format!("must not have more than {MAX_TEXT_BYTES} bytes of text together");
            violations.push(Violation { field: "customFields".to_owned(), problem });
        }
        if violations.is_empty() { Ok(()) } else { Err(Error::Invalid(violations)) }
    }

    /// The files that are named, or what is wrong with one of them.
    fn files_of<T>(
        &mut self,
        owner: (OwnerKind, Id<T>),
        field: &CustomField,
        named: &[FieldValue],
    ) -> Result<std::result::Result<Vec<FieldValue>, String>> {
        let names = named.iter().filter_map(|value| match value {
            FieldValue::Text(name) => Some(name.clone()),
            FieldValue::File(file) => Some(file.id.to_string()),
            FieldValue::Number(_) | FieldValue::Date(_) => None,
        });
        let names: Vec<String> = names.collect();
        if names.len() > field.most_files() {
            return Ok(Err(format!("takes no more than {} files", field.most_files())));
        }
        if names.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        let known = files::find_all(self.tx, self.context.location, owner, field.id, &names)?;
        let mut found: Vec<FieldValue> = Vec::new();
        for name in &names {
            let Some(file) = known.iter().find(|file| file.id.as_str() == name || file.secret == *name) else {
                let problem = "names a file that is not there, or belongs elsewhere; upload it first, and again for each that \
                               is to have it";
                return Ok(Err(problem.to_owned()));
            };
            if let Some(refusal) = field.refuses_file(&file.name) {
                return Ok(Err(refusal.0));
            }
            let file = FieldValue::File(file.clone());
            if !found.contains(&file) {
                found.push(file);
            }
        }
        Ok(Ok(found))
    }
}

/// Adds what somebody has in custom fields to what events tell, each field by itself.
pub(crate) fn put_values(fields: &mut Fields, set: &ValueSet) {
    for held in set {
        let told = match held.to_json() {
            Json::String(whole) => text(&whole),
            other => other,
        };
        put(fields, &format!("customFields.{}", held.field.id), Some(told));
    }
}
