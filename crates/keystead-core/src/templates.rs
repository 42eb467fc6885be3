//! Templates of a location.

use keystead_model::{
    TemplateId, UtcMs,
    event::EventKind,
    page::{Counted, Window},
    scope::Scope,
    template::{NewTemplate, Template, TemplateContent, TemplateFilter, TemplateKind, TemplatePatch},
    text::Line,
};
use keystead_store::templates;

use crate::{
    App, Error, LocationContext, Result,
    error::Noun,
    events::{Described, Fields, put, text},
    operate::InLocation,
    resource::{MOST_MADE_BY_HAND, Made, Resource},
};

impl App {
    /// Those of a location that suit, newest first, and how many these are.
    pub async fn list_templates(
        &self,
        context: &LocationContext,
        filter: TemplateFilter,
        window: Window<TemplateId>,
    ) -> Result<Counted<Template>> {
        self.read(context, Scope::TemplatesRead, move |operation| {
            Ok(templates::list(operation.tx, operation.context.location, &filter, &window)?)
        })
        .await
    }
}

impl Resource for Template {
    type Content = NewTemplate;
    type Patch = TemplatePatch;

    const NOUN: Noun = Noun::Template;
    const SCOPES: (Scope, Scope) = (Scope::TemplatesRead, Scope::TemplatesWrite);
    const KINDS: [EventKind; 3] = [EventKind::TemplateCreated, EventKind::TemplateUpdated, EventKind::TemplateDeleted];
    const MOST: Option<i64> = Some(MOST_MADE_BY_HAND);

    fn new(made: Made<Self>, new: NewTemplate) -> Self {
        let Made { id, location, parent: (), now } = made;
        let NewTemplate { kind, origin, content } = new;
        let origin = origin.unwrap_or_else(|| Line::from_stored(location.to_string()));
        Self { id, location, kind, origin, content, created_at: now, updated_at: now }
    }

    fn change(&mut self, patch: TemplatePatch) {
        patch.apply(&mut self.content);
    }

    fn updated_at(&mut self) -> &mut UtcMs {
        &mut self.updated_at
    }

    fn admit(&self, _: &mut InLocation<'_, '_>) -> Result<()> {
        if self.kind != TemplateKind::Email && self.content.subject.is_some() {
            return Err(Error::invalid("subject", "goes with the type email only"));
        }
        Ok(())
    }
}

impl Described for Template {
    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn describe(&self) -> Fields {
        let TemplateContent { name, subject, text: body } = &self.content;
        let mut fields = Fields::new();
        put(&mut fields, "name", Some(name.as_str()));
        put(&mut fields, "type", Some(self.kind.as_str()));
        put(&mut fields, "originId", Some(self.origin.as_str()));
        put(&mut fields, "subject", subject.as_ref().map(Line::as_str));
        put(&mut fields, "body", Some(text(body.as_str())));
        fields
    }
}
