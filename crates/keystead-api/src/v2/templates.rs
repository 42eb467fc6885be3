//! Templates of a location in API 2.0.

use keystead_core::{Error, LocationContext};
use keystead_model::{
    Invalid,
    page::{Counted, Page},
    template::{NewTemplate, Template, TemplateContent, TemplateFilter, TemplateKind, TemplatePatch},
    text::{Line, Prose},
};
use serde_json::{Map, Value};

use super::samples;
use crate::{
    call::Call,
    reader::{Reader, Slice},
    shape::{Envelope, Fields, Ground, Input, Tagged, Word, Written, word::one_of},
};

impl Envelope for Template {
    const ONE: &'static str = "template";
    const MANY: &'static str = "templates";
}

impl Written for Template {
    const NAME: &'static str = "Template";

    fn sample() -> Self {
        samples::template()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { id, location, kind, origin, content, created_at, updated_at: _ } = self;
        fields.put("id", id);
        fields.put("name", &content.name);
        fields.one_of("type", kind.as_str(), &TemplateKind::ALL.map(TemplateKind::as_str));
        fields.put("template", &Message(*kind, content.clone()));
        fields.put("dateAdded", created_at);
        fields.put("locationId", location);
        fields.put("originId", origin);
        fields.put::<[String]>("urlAttachments", &[]);
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(self))
    }
}

/// What it says: of a mail in HTML, with its subject.
struct Message(TemplateKind, TemplateContent);

impl Written for Message {
    fn sample() -> Self {
        Self(TemplateKind::Email, samples::template().content)
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self(kind, TemplateContent { name: _, subject, text }) = self;
        let is_mail = *kind == TemplateKind::Email;
        fields.opt("subject", subject.as_ref());
        fields.opt("html", Some(text).filter(|_| is_mail));
        fields.opt("body", Some(text).filter(|_| !is_mail));
        fields.put::<[String]>("attachments", &[]);
    }
}

impl Word for TemplateKind {
    const EXAMPLE: &'static str = "email";

    fn schema() -> Value {
        one_of(Self::ALL.map(Self::as_str))
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl Input for NewTemplate {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let name = reader.required("name", |reader| reader.word("name"));
        let kind = reader.required("type", |reader| reader.word("type"));
        let origin: Option<Line<100>> = reader.word("originId");
        let subject = reader.word("subject");
        let text = text(reader);
        reader.one_of("body", &["body", "html"], "should not be empty", text.is_some());
        Some(Self { kind: kind?, origin, content: TemplateContent { name: name?, subject, text: text? } })
    }

    fn settle(example: &mut Map<String, Value>) {
        example.remove("body");
    }
}

impl Input for TemplatePatch {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { name: reader.word("name"), subject: reader.clearable("subject"), text: text(reader) })
    }

    fn settle(example: &mut Map<String, Value>) {
        example.remove("body");
        example.remove("subject");
    }
}

/// Under the name that a mail has for it, or a message.
fn text(reader: &mut Reader<'_>) -> Option<Prose<100_000>> {
    let (html, body) = (reader.word("html"), reader.word("body"));
    html.or(body)
}

/// Which templates are asked for.
pub(crate) struct Listing {
    filter: TemplateFilter,
    is_of_deleted: bool,
    slice: Slice,
}

impl Input for Listing {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        let origin = query.required("originId", |query| query.word("originId"));
        let kind = query.word("type");
        let is_of_deleted = query.truth("deleted").unwrap_or_default();
        let slice = query.short_slice(25, 100);
        Some(Self { filter: TemplateFilter { origin: origin?, kind }, is_of_deleted, slice })
    }
}

/// A page of them, and how many there are.
pub(crate) struct Listed(Counted<Template>);

impl Written for Listed {
    fn sample() -> Self {
        Self(Counted { page: Page { rows: vec![samples::template()], has_more: false }, total: 1 })
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("templates", &self.0.page.rows);
        fields.put("totalCount", &self.0.total);
    }
}

pub(crate) async fn list(context: LocationContext, call: Call<(), Listing>) -> Result<Listed, Error> {
    let Listing { filter, is_of_deleted, slice } = call.query;
    let mut found = call.app.list_templates(&context, filter, slice.window()).await?;
    if is_of_deleted {
        // What is deleted is gone at once.
        found = Counted { page: Page { rows: Vec::new(), has_more: false }, total: 0 };
    }
    Ok(Listed(found))
}
