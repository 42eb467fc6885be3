//! Businesses of a location.

use keystead_model::{
    UtcMs,
    actor::{Actor, Signature},
    business::{Business, BusinessContent, BusinessPatch},
    event::EventKind,
    scope::Scope,
    text::{Country, EmailAddress, Line},
};
use keystead_store::{contacts, ripples::Named};

use crate::{
    Result,
    error::Noun,
    events::{Described, Fields, put, text},
    operate::InLocation,
    resource::{Made, Resource},
};

impl Resource for Business {
    type Content = BusinessContent;
    type Patch = BusinessPatch;

    const NOUN: Noun = Noun::Business;
    const SCOPES: (Scope, Scope) = (Scope::BusinessesRead, Scope::BusinessesWrite);
    const KINDS: [EventKind; 3] = [EventKind::BusinessCreated, EventKind::BusinessUpdated, EventKind::BusinessDeleted];

    fn new(made: Made<Self>, content: BusinessContent) -> Self {
        let Made { id, location, parent: (), now } = made;
        Self { id, location, content, created_at: now, updated_at: now, created_by: None, updated_by: None }
    }

    fn change(&mut self, patch: BusinessPatch) {
        patch.apply(&mut self.content);
    }

    fn updated_at(&mut self) -> &mut UtcMs {
        &mut self.updated_at
    }

    fn written_by(&mut self, actor: Actor, is_new: bool) {
        if is_new {
            self.created_by = Some(Signature::of(actor));
        }
        self.updated_by = Some(Signature::of(actor));
    }

    /// Its contacts stay, and work for nobody.
    fn leave(&self, operation: &mut InLocation<'_, '_>) -> Result<()> {
        operation.begin_ripple(Named::Business(self.id))?;
        Ok(contacts::leave_business(operation.tx, self.location, self.id)?)
    }
}

impl Described for Business {
    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn describe(&self) -> Fields {
        let BusinessContent { name, phone, email, website, address, city, state, postal_code, country, description } =
            &self.content;
        let mut fields = Fields::new();
        put(&mut fields, "name", Some(name.as_str()));
        put(&mut fields, "phone", phone.as_ref().map(Line::as_str));
        put(&mut fields, "email", email.as_ref().map(EmailAddress::as_str));
        put(&mut fields, "website", website.as_ref().map(Line::as_str));
        put(&mut fields, "address", address.as_ref().map(Line::as_str));
        put(&mut fields, "city", city.as_ref().map(Line::as_str));
        put(&mut fields, "state", state.as_ref().map(Line::as_str));
        put(&mut fields, "postalCode", postal_code.as_ref().map(Line::as_str));
        put(&mut fields, "country", country.as_ref().map(Country::as_str));
        put(&mut fields, "description", description.as_ref().map(|description| text(description.as_str())));
        fields
    }
}
