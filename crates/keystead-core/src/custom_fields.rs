//! Custom fields of a location.

use keystead_model::{
    CustomFieldId,
    custom_field::{
        CustomField, CustomFieldContent, CustomFieldPatch, FieldName, Format, MAX_FIELDS, NewCustomField, OwnerKind,
        Problem,
    },
    event::EventKind,
    scope::Scope,
    text::Line,
};
use keystead_store::custom_fields;

use crate::{
    App, Error, ErrorCode, LocationContext, Result, Violation,
    error::Noun,
    events::{Described, Fields, Happened, put, put_all},
    idempotency,
    operate::InLocation,
};

/// Values that are taken in one transaction, of a field that is gone.
const TAKEN_AT_ONCE: i64 = 500;

impl App {
    /// Makes a custom field.
    pub async fn create_custom_field(&self, context: &LocationContext, new: NewCustomField) -> Result<CustomField> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.create_custom_field(new.clone());
        let recover = |operation: &mut InLocation<'_, '_>, lost: &idempotency::Lost| {
            let id: CustomFieldId = lost.id()?;
            operation.custom_field(&FieldName::Id(id))
        };
        self.operate(context, Scope::CustomFieldsWrite, run, recover).await
    }

    /// The custom fields of contacts, of opportunities, or all, by their place.
    pub async fn list_custom_fields(
        &self,
        context: &LocationContext,
        model: Option<OwnerKind>,
    ) -> Result<Vec<CustomField>> {
        let run = move |operation: &mut InLocation<'_, '_>| {
            Ok(custom_fields::list(operation.tx, operation.context.location, model)?)
        };
        self.read(context, Scope::CustomFieldsRead, run).await
    }

    /// The custom fields by which values are read that somebody sends for one who has such values.
    pub async fn fields_of(&self, context: &LocationContext, model: OwnerKind) -> Result<Vec<CustomField>> {
        let location = context.location;
        Ok(self.store.look_up(move |tx| custom_fields::list(tx, location, Some(model))).await?)
    }

    /// One custom field.
    pub async fn get_custom_field(&self, context: &LocationContext, name: FieldName) -> Result<CustomField> {
        self.read(context, Scope::CustomFieldsRead, move |operation| operation.custom_field(&name)).await
    }

    /// Changes a custom field. Its key stays, and so does whatever its values need.
    pub async fn update_custom_field(
        &self,
        context: &LocationContext,
        name: FieldName,
        patch: CustomFieldPatch,
    ) -> Result<CustomField> {
        let named = name.clone();
        let run = move |operation: &mut InLocation<'_, '_>| operation.update_custom_field(&name, patch.clone());
        let recover = move |operation: &mut InLocation<'_, '_>, _: &_| operation.custom_field(&named);
        self.operate(context, Scope::CustomFieldsWrite, run, recover).await
    }

    /// Deletes a custom field with all that stands in it.
    pub async fn delete_custom_field(&self, context: &LocationContext, name: FieldName) -> Result<()> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.delete_custom_field(&name);
        self.operate(context, Scope::CustomFieldsWrite, run, |_, _| Ok(())).await
    }

    /// Takes away what stood in fields that are gone, some of it. Returns how much.
    pub async fn purge_field_values(&self) -> Result<u64> {
        let Some((location, field)) = self.store.look_up(custom_fields::gone).await? else { return Ok(0) };
        let now = self.clock.now();
        let take = move |tx: &mut keystead_store::Tx<'_>| {
            // The field itself counts, so that the next one is looked for.
            Ok::<_, Error>(1 + custom_fields::take_gone_values(tx, location, field, TAKEN_AT_ONCE, now)?)
        };
        self.store.write_in(location.of_anything(), take).await
    }
}

impl InLocation<'_, '_> {
    fn custom_field(&mut self, name: &FieldName) -> Result<CustomField> {
        let found = match name {
            FieldName::Id(id) => custom_fields::find(self.tx, self.context.location, *id)?,
            FieldName::Key(key) => {
                let all = custom_fields::list(self.tx, self.context.location, None)?;
                all.into_iter().find(|field| field.field_key() == *key)
            }
        };
        found.ok_or_else(|| not_found(name))
    }

    fn create_custom_field(&mut self, new: NewCustomField) -> Result<CustomField> {
        let (id, now) = (self.new_id(), self.now());
        let field = CustomField::new(id, self.context.location, new, now).map_err(violations)?;
        if custom_fields::count(self.tx, self.context.location)? >= MAX_FIELDS {
            let problem =
                format!("would be one of more than {MAX_FIELDS} custom fields; delete some that are not used");
            return Err(Error::invalid("name", problem));
        }
        self.save_custom_field(&field)?;
        self.tell(Happened::made(EventKind::CustomFieldCreated, &field))?;
        Ok(field)
    }

    fn update_custom_field(&mut self, name: &FieldName, patch: CustomFieldPatch) -> Result<CustomField> {
        let before = self.custom_field(name)?;
        self.context.authority.expect(&before)?;
        let mut after = before.changed(patch).map_err(violations)?;
        if after == before {
            // Nothing happened, and nobody is told: two systems that follow each other would do so for ever.
            return Ok(before);
        }
        self.keep_what_is_chosen(&before, &after)?;
        after.updated_at = self.now();
        self.save_custom_field(&after)?;
        self.tell(Happened::changed(EventKind::CustomFieldUpdated, &before, &after))?;
        Ok(after)
    }

    /// Refuses a change after which somebody would have chosen what cannot be chosen.
    fn keep_what_is_chosen(&mut self, before: &CustomField, after: &CustomField) -> Result<()> {
        let (was, is) = (&before.content, &after.content);
        let all_stay = was.options.iter().all(|option| is.options.contains(option));
        let is_narrowed = !all_stay || was.allows_custom_option;
        if !after.data_type.has_options() || is.allows_custom_option || !is_narrowed {
            return Ok(());
        }
        let Some((chosen, count)) = custom_fields::chosen_besides(self.tx, before, &is.options)? else { return Ok(()) };
        let problem = format!(
            "must keep {chosen}, which is chosen {count} {}; choose something else there first, or allow custom options",
            if count == 1 { "time" } else { "times" }
        );
        Err(Error::invalid("options", problem))
    }

    fn save_custom_field(&mut self, field: &CustomField) -> Result<()> {
        if custom_fields::save(self.tx, field)? {
            return Ok(());
        }
        let message = format!("A custom field with the key {} exists", field.field_key());
        Err(Error::Conflict(ErrorCode::NameTaken, message))
    }

    fn delete_custom_field(&mut self, name: &FieldName) -> Result<()> {
        let field = self.custom_field(name)?;
        self.context.authority.expect(&field)?;
        if !custom_fields::delete(self.tx, self.context.location, field.id)? {
            return Err(not_found(name));
        }
        self.tell(Happened::gone(EventKind::CustomFieldDeleted, &field))?;
        Ok(())
    }
}

fn not_found(name: &FieldName) -> Error {
    let name = match name {
        FieldName::Id(id) => id.to_string(),
        FieldName::Key(key) => key.clone(),
    };
    Error::NotFound(Noun::CustomField, name)
}

fn violations(problems: Vec<Problem>) -> Error {
    let violation = |(field, problem): Problem| Violation { field: field.to_owned(), problem: problem.0 };
    Error::Invalid(problems.into_iter().map(violation).collect())
}

impl Described for CustomField {
    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn describe(&self) -> Fields {
        let CustomFieldContent {
            name,
            placeholder,
            position,
            options,
            allows_custom_option,
            accepted_formats,
            is_multiple_file,
            max_files,
            text_boxes,
        } = &self.content;
        let mut fields = Fields::new();
        put(&mut fields, "name", Some(name.as_str()));
        put(&mut fields, "model", Some(self.model.as_str()));
        put(&mut fields, "dataType", Some(self.data_type.as_str()));
        put(&mut fields, "fieldKey", Some(self.field_key()));
        put(&mut fields, "placeholder", placeholder.as_ref().map(Line::as_str));
        put(&mut fields, "position", Some(*position));
        put_all(&mut fields, "picklistOptions", options.iter().map(Line::as_str));
        put(&mut fields, "isAllowedCustomOption", allows_custom_option.then_some(true));
        put_all(&mut fields, "acceptedFormat", accepted_formats.iter().map(Format::as_str));
        put(&mut fields, "isMultiFileAllowed", is_multiple_file.then_some(true));
        put(&mut fields, "maxFileLimit", is_multiple_file.then_some(*max_files));
        put_all(&mut fields, "textBoxListOptions", text_boxes.iter().map(|text_box| text_box.label.as_str()));
        fields
    }
}
