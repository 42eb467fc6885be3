//! What others see of a form: what was published of it.

use keystead_model::{
    actor::Signature,
    condition::{Condition, Test},
    event::EventKind,
    form::{AsForm, Form, FormPatch, FormVersion},
    form_schema::{Asked, FormSchema},
    id::Id,
    page::{Page, Window},
    scope::Scope,
};
use keystead_store::{forms, stored, submissions};

use crate::{App, Error, LocationContext, Result, error::Noun, events::Happened, operate::InLocation};

/// Submissions that are looked through for answers to a field.
const LOOKED_THROUGH: i64 = 10_000;

/// Where a field of a form is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldUse {
    /// How many of the newest submissions hold an answer to it.
    pub answers: i64,
    /// Labels of fields that are shown or not by what is answered to it.
    pub shows: Vec<String>,
    /// Whether what is said afterwards repeats the answer.
    pub is_repeated: bool,
    /// The field of contacts that it fills.
    pub fills: Option<String>,
    /// Whether it is asked at the moment.
    pub is_published: bool,
}

impl App {
    /// Lets others see a form as it is: what is published stays so, whatever becomes of its draft.
    pub async fn publish_form(&self, context: &LocationContext, id: Id<Form<AsForm>>) -> Result<Form<AsForm>> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.publish_form(id);
        self.operate(context, Scope::FormsWrite, run, move |operation, _| operation.find((), id)).await
    }

    /// Takes a form away from others. Its versions stay.
    pub async fn unpublish_form(&self, context: &LocationContext, id: Id<Form<AsForm>>) -> Result<Form<AsForm>> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.unpublish_form(id);
        self.operate(context, Scope::FormsWrite, run, move |operation, _| operation.find((), id)).await
    }

    /// What was published of a form, newest first.
    pub async fn list_form_versions(
        &self,
        context: &LocationContext,
        id: Id<Form<AsForm>>,
        window: Window<i64>,
    ) -> Result<Page<FormVersion>> {
        self.read(context, Scope::FormsRead, move |operation| {
            let form: Form<AsForm> = operation.find((), id)?;
            Ok(forms::versions(operation.tx, form.location, id, &window)?)
        })
        .await
    }

    /// Makes the draft what a version was. Others see it when it is published.
    pub async fn restore_form_version(
        &self,
        context: &LocationContext,
        id: Id<Form<AsForm>>,
        number: i64,
    ) -> Result<Form<AsForm>> {
        let run = move |operation: &mut InLocation<'_, '_>| {
            let form: Form<AsForm> = operation.find((), id)?;
            operation.context.authority.expect(&form)?;
            let content = operation.form_version(id, number)?.content;
            let patch = FormPatch { name: Some(content.name), definition: Some(content.definition) };
            operation.update((), id, patch)
        };
        self.operate(context, Scope::FormsWrite, run, move |operation, _| operation.find((), id)).await
    }

    /// What asks for a field of a form, or keeps answers to it.
    pub async fn use_of_form_field(
        &self,
        context: &LocationContext,
        id: Id<Form<AsForm>>,
        key: String,
    ) -> Result<FieldUse> {
        self.read(context, Scope::FormsRead, move |operation| operation.use_of_form_field(id, &key)).await
    }
}

impl InLocation<'_, '_> {
    fn form_version(&mut self, id: Id<Form<AsForm>>, number: i64) -> Result<FormVersion> {
        let found = forms::find_version(self.tx, self.context.location, id, number)?;
        found.ok_or_else(|| Error::NotFound(Noun::FormVersion, number.to_string()))
    }

    fn publish_form(&mut self, id: Id<Form<AsForm>>) -> Result<Form<AsForm>> {
        let (location, now) = (self.context.location, self.now());
        let before: Form<AsForm> = self.find((), id)?;
        self.context.authority.expect(&before)?;
        let schema = self.schema(&before.content.definition)?;
        if !schema.fields().any(|field| field.asked().is_some()) {
            return Err(Error::invalid("definition.pages", "should ask for something before others see it"));
        }
        if let Some(number) = before.published
            && self.form_version(id, number)?.content == before.content
        {
            return Ok(before);
        }
        let slug = schema.slug.map(|slug| slug.as_str().to_owned());
        if let Some(slug) = &slug
            && let Some((other, name)) = forms::find_by_slug(self.tx, location, slug)?
            && other != id
        {
            let problem = format!("is that of another form, {}: {slug}", name.as_str());
            return Err(Error::invalid("definition.slug", problem));
        }
        let number = before.versions + 1;
        let by = Signature::of(self.context.authority.actor());
        let version = FormVersion { number, content: before.content.clone(), by, created_at: now };
        forms::add_version(self.tx, location, id, &version)?;
        let after = Form { published: Some(number), versions: number, slug, updated_at: now, ..before.clone() };
        self.keep_published(EventKind::FormPublished, &before, after)
    }

    fn unpublish_form(&mut self, id: Id<Form<AsForm>>) -> Result<Form<AsForm>> {
        let before: Form<AsForm> = self.find((), id)?;
        self.context.authority.expect(&before)?;
        if before.published.is_none() {
            return Ok(before);
        }
        let after = Form { published: None, slug: None, updated_at: self.now(), ..before.clone() };
        self.keep_published(EventKind::FormUnpublished, &before, after)
    }

    fn keep_published(&mut self, kind: EventKind, before: &Form<AsForm>, after: Form<AsForm>) -> Result<Form<AsForm>> {
        stored::save(self.tx, self.context.location, &after)?;
        self.tell(Happened::changed(kind, before, &after))?;
        Ok(after)
    }

    fn use_of_form_field(&mut self, id: Id<Form<AsForm>>, key: &str) -> Result<FieldUse> {
        let form: Form<AsForm> = self.find((), id)?;
        let draft = FormSchema::read(&form.content.definition).unwrap_or_else(|_| FormSchema::empty());
        let published = match form.published {
            Some(number) => FormSchema::read(&self.form_version(id, number)?.content.definition).ok(),
            None => None,
        };
        let asks = draft.fields().filter(|field| field.visible_if.as_ref().is_some_and(|shown| asks_for(shown, key)));
        let named = format!("answer.{key}");
        let texts = [&draft.after.message, &draft.after.redirect];
        Ok(FieldUse {
            answers: submissions::count_with_answer(self.tx, form.location, id, key, LOOKED_THROUGH)?,
            shows: asks.map(|field| field.label.as_str().to_owned()).collect(),
            is_repeated: texts.into_iter().flatten().any(|text| text.names().any(|name| name == named)),
            fills: draft.field(key).and_then(|field| field.maps_to.clone()),
            is_published: published.is_some_and(|schema| schema.field(key).is_some()),
        })
    }
}

fn asks_for(condition: &Condition<Asked>, key: &str) -> bool {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(|part| asks_for(part, key)),
        Condition::Not(part) => asks_for(part, key),
        Condition::Test(Test { field, .. }) => field.key == key,
    }
}
