//! Forms and surveys of a location in API 2.0. Both are the same but for their names.

use keystead_core::{Error, FormResource, LocationContext, error::Noun};
use keystead_model::{
    Invalid,
    form::{AsForm, AsSurvey, Form, FormContent, FormHead, FormPatch, FormVersion},
    id::Id,
    json_object::JsonObject,
    page::{Counted, Page},
};
use serde_json::Value;

use super::{actor::Who, samples};
use crate::{
    call::Call,
    reader::{Reader, Slice},
    shape::{
        Bare, Empty, Envelope, Fields, Ground, Input, One, Tagged, Word, Written, path::Part, tag::of_answer, word,
    },
};

/// A kind of forms, as the wire calls it.
pub(crate) trait FormShape: FormResource {
    const HEAD: &'static str;
    const WHOLE: &'static str;
    const SUBMISSION: &'static str;
    const ONE: &'static str;
    const MANY: &'static str;
    /// Under which name its id stands elsewhere.
    const ID: &'static str;
    const ID_IS: &'static str;
}

impl FormShape for AsForm {
    const HEAD: &'static str = "Form";
    const WHOLE: &'static str = "WholeForm";
    const SUBMISSION: &'static str = "FormSubmission";
    const ONE: &'static str = "form";
    const MANY: &'static str = "forms";
    const ID: &'static str = "formId";
    const ID_IS: &'static str = "The id of a form";
}

impl FormShape for AsSurvey {
    const HEAD: &'static str = "Survey";
    const WHOLE: &'static str = "WholeSurvey";
    const SUBMISSION: &'static str = "SurveySubmission";
    const ONE: &'static str = "survey";
    const MANY: &'static str = "surveys";
    const ID: &'static str = "surveyId";
    const ID_IS: &'static str = "The id of a survey";
}

impl<K: FormShape> Part for Id<Form<K>> {
    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    fn missing(text: &str) -> Error {
        Error::NotFound(K::NOUN, text.to_owned())
    }

    fn schema() -> Value {
        word::id(K::ID_IS)
    }
}

impl<K: FormShape> Word for Id<Form<K>> {
    const EXAMPLE: &'static str = word::THING;

    fn schema() -> Value {
        word::id(K::ID_IS)
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        let refused = || Invalid::new(format!("must be the id of a {}", K::NAME));
        Self::parse(text.trim()).ok_or_else(refused)
    }
}

impl<K: FormShape> Written for FormHead<K> {
    const NAME: &'static str = K::HEAD;

    fn sample() -> Self {
        let Form { id, location, content, published, updated_at, .. } = samples::form();
        Self { id, location, name: content.name, published, updated_at }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { id, location, name, published: _, updated_at: _ } = self;
        fields.put("id", id);
        fields.put("name", name);
        fields.put("locationId", location);
    }
}

impl<K: FormShape> Envelope for Form<K> {
    const ONE: &'static str = K::ONE;
    const MANY: &'static str = K::MANY;
}

impl<K: FormShape> Written for Form<K> {
    const NAME: &'static str = K::WHOLE;

    fn sample() -> Self {
        samples::form()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { id, location, content, published, versions: _, slug, created_at, updated_at, kind: _ } = self;
        let FormContent { name, definition } = content;
        fields.put("id", id);
        fields.put("name", name);
        fields.put("locationId", location);
        fields.put("definition", definition);
        fields.or_null("publishedVersion", published.as_ref());
        fields.or_null("slug", slug.as_ref());
        fields.put("createdAt", created_at);
        fields.put("updatedAt", updated_at);
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(self))
    }
}

impl<K: FormShape> Tagged for Form<K> {
    fn tag(&self) -> String {
        of_answer(self)
    }
}

impl Input for FormContent {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.names_location();
        let name = reader.required("name", |reader| reader.word("name"));
        let definition = reader.json_object("definition").unwrap_or_else(JsonObject::empty);
        Some(Self { name: name?, definition })
    }
}

impl Input for FormPatch {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { name: reader.word("name"), definition: reader.json_object("definition") })
    }
}

/// A part of the list. The contract also has a type there, of which we have one.
pub(crate) struct Listing(Slice);

impl Input for Listing {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        query.ignore(&["type"]);
        Some(Self(query.short_slice(10, 50)))
    }
}

/// A page of them, and how many there are.
pub(crate) struct Listed<K>(Counted<FormHead<K>>);

impl<K: FormShape> Written for Listed<K> {
    fn sample() -> Self {
        let page = Page { rows: vec![FormHead::sample()], has_more: false };
        Self(Counted { page, total: 1 })
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put(K::MANY, &self.0.page.rows);
        fields.put("total", &self.0.total);
    }
}

pub(crate) async fn list<K: FormShape>(context: LocationContext, call: Call<(), Listing>) -> Result<Listed<K>, Error> {
    Ok(Listed(call.app.list_forms(&context, call.query.0.window()).await?))
}

type FormId = Id<Form<AsForm>>;

pub(crate) async fn publish(
    context: LocationContext,
    call: Call<FormId, Bare, Empty>,
) -> Result<One<Form<AsForm>>, Error> {
    call.app.publish_form(&context, call.path).await.map(One)
}

pub(crate) async fn unpublish(
    context: LocationContext,
    call: Call<FormId, Bare, Empty>,
) -> Result<One<Form<AsForm>>, Error> {
    call.app.unpublish_form(&context, call.path).await.map(One)
}

impl Written for FormVersion {
    const NAME: &'static str = "FormVersion";

    fn sample() -> Self {
        let Form { content, created_at, .. } = samples::form::<AsForm>();
        Self { number: 1, content, by: samples::signature(), created_at }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { number, content, by, created_at } = self;
        fields.put("version", number);
        fields.put("name", &content.name);
        fields.put("definition", &content.definition);
        fields.put("publishedBy", &Who(by.actor()));
        fields.put("publishedAt", created_at);
    }
}

/// What was published of a form, newest first.
pub(crate) struct Versions(Vec<FormVersion>);

impl Written for Versions {
    fn sample() -> Self {
        Self(vec![FormVersion::sample()])
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("versions", &self.0);
    }
}

/// A part of them.
pub(crate) struct SomeVersions(Slice);

impl Input for SomeVersions {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        Some(Self(query.short_slice(10, 50)))
    }
}

pub(crate) async fn versions(context: LocationContext, call: Call<FormId, SomeVersions>) -> Result<Versions, Error> {
    let page = call.app.list_form_versions(&context, call.path, call.query.0.window()).await?;
    Ok(Versions(page.rows))
}

/// The number of a version, in a path.
pub(crate) struct VersionNumber(i64);

impl Part for VersionNumber {
    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().filter(|number| *number > 0).map(Self)
    }

    fn missing(text: &str) -> Error {
        Error::NotFound(Noun::FormVersion, text.to_owned())
    }

    fn schema() -> Value {
        serde_json::json!({"type": "string", "pattern": "^[1-9][0-9]*$", "description": "The number of a version of a form"})
    }
}

pub(crate) async fn restore(
    context: LocationContext,
    call: Call<(FormId, VersionNumber), Bare, Empty>,
) -> Result<One<Form<AsForm>>, Error> {
    let (form, VersionNumber(number)) = call.path;
    call.app.restore_form_version(&context, form, number).await.map(One)
}
