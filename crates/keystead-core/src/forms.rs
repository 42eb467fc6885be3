//! Forms and surveys of a location.

use std::marker::PhantomData;

use keystead_model::{
    UtcMs,
    event::EventKind,
    form::{AsForm, AsSurvey, Form, FormContent, FormHead, FormPatch},
    id::Id,
    page::{Counted, Window},
    scope::Scope,
};
use keystead_store::forms::{self, StoredForm};

use crate::{
    App, LocationContext, Result,
    error::Noun,
    events::{Described, Fields, put, text},
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
        Self { id, location, content, created_at: now, updated_at: now, kind: PhantomData }
    }

    fn change(&mut self, patch: FormPatch) {
        patch.apply(&mut self.content);
    }

    fn updated_at(&mut self) -> &mut UtcMs {
        &mut self.updated_at
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
        fields
    }
}
