//! Forms and surveys of a location.

use std::marker::PhantomData;

use keystead_model::{
    UtcMs,
    custom_field::OwnerKind,
    event::EventKind,
    form::{AsForm, AsSurvey, Form, FormContent, FormDefinition, FormHead, FormPatch},
    form_answers::Place,
    form_schema::FormSchema,
    id::Id,
    page::{Counted, Window},
    scope::Scope,
};
use keystead_store::{
    custom_fields,
    forms::{self, StoredForm},
    locations,
};

use crate::{
    App, Error, LocationContext, Result, Violation,
    error::Noun,
    events::{Described, Fields, put, text},
    operate::InLocation,
    resource::{MOST_MADE_BY_HAND, Made, Resource},
};

/// A kind of forms, as operations have it.
pub trait FormResource: StoredForm {
    /// What it is called.
    const NOUN: Noun;
    /// The scopes that read and write it.
    const SCOPES: (Scope, Scope);
    /// What happens when it is made, changed and deleted.
    const KINDS: [EventKind; 3];
    /// What happens when somebody submits to it.
    const SUBMITTED: EventKind;
}

impl FormResource for AsForm {
    const NOUN: Noun = Noun::Form;
    const SCOPES: (Scope, Scope) = (Scope::FormsRead, Scope::FormsWrite);
    const KINDS: [EventKind; 3] = [EventKind::FormCreated, EventKind::FormUpdated, EventKind::FormDeleted];
    const SUBMITTED: EventKind = EventKind::FormSubmitted;
}

impl FormResource for AsSurvey {
    const NOUN: Noun = Noun::Survey;
    const SCOPES: (Scope, Scope) = (Scope::SurveysRead, Scope::SurveysWrite);
    const KINDS: [EventKind; 3] = [EventKind::SurveyCreated, EventKind::SurveyUpdated, EventKind::SurveyDeleted];
    const SUBMITTED: EventKind = EventKind::SurveySubmitted;
}

impl App {
    /// Those of a location without their definitions, newest first, and how many there are.
    pub async fn list_forms<K: FormResource>(
        &self,
        context: &LocationContext,
        window: Window<Id<Form<K>>>,
    ) -> Result<Counted<FormHead<K>>> {
        self.read(context, K::SCOPES.0, move |operation| {
            Ok(forms::list(operation.tx, operation.context.location, &window)?)
        })
        .await
    }
}

impl<K: FormResource> Resource for Form<K> {
    type Content = FormContent;
    type Patch = FormPatch;

    const NOUN: Noun = K::NOUN;
    const SCOPES: (Scope, Scope) = K::SCOPES;
    const KINDS: [EventKind; 3] = K::KINDS;
    const MOST: Option<i64> = Some(MOST_MADE_BY_HAND);

    fn new(made: Made<Self>, content: FormContent) -> Self {
        let Made { id, location, parent: (), now } = made;
        let (published, versions, slug) = (None, 0, None);
        Self { id, location, content, published, versions, slug, created_at: now, updated_at: now, kind: PhantomData }
    }

    fn change(&mut self, patch: FormPatch) {
        patch.apply(&mut self.content);
    }

    fn updated_at(&mut self) -> &mut UtcMs {
        &mut self.updated_at
    }

    fn complete(&mut self, before: Option<&Self>, operation: &mut InLocation<'_, '_>) -> Result<()> {
        let definition = &self.content.definition;
        if before.is_some_and(|before| before.content.definition == *definition) {
            return Ok(());
        }
        operation.schema(definition).map(drop)
    }
}

impl InLocation<'_, '_> {
    /// A definition that keeps all rules, also those that depend on what the location has.
    pub(crate) fn schema(&mut self, definition: &FormDefinition) -> Result<FormSchema> {
        let location = self.context.location;
        let place = Place {
            country: locations::country(self.tx, location)?,
            zone: locations::zone(self.tx, location)?,
            fields: custom_fields::list(self.tx, location, Some(OwnerKind::Contact))?,
        };
        let violation = |place: String, problem: String| Violation { field: format!("definition.{place}"), problem };
        let read = FormSchema::read(definition);
        let schema = read.map_err(|wrong| {
            Error::Invalid(wrong.into_iter().map(|(place, problem)| violation(place, problem.0)).collect())
        })?;
        let never = schema.check_conditions().into_iter();
        let mut violations: Vec<Violation> = never.map(|(place, problem)| violation(place, problem.0)).collect();
        for (number, page) in schema.pages.iter().enumerate() {
            for (index, field) in page.fields.iter().enumerate() {
                if let Err(problem) = field.check_target(&place) {
                    violations.push(violation(format!("pages.{number}.fields.{index}.mapsTo"), problem.0));
                }
            }
        }
        if violations.is_empty() { Ok(schema) } else { Err(Error::Invalid(violations)) }
    }
}

impl<K: FormResource> Described for Form<K> {
    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn describe(&self) -> Fields {
        let FormContent { name, definition } = &self.content;
        let mut fields = Fields::new();
        put(&mut fields, "name", Some(name.as_str()));
        put(&mut fields, "definition", Some(text(definition.as_str())));
        put(&mut fields, "version", self.published);
        put(&mut fields, "slug", self.slug.as_deref());
        fields
    }
}
