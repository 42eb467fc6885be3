//! Contacts as a file: all that a filter finds, some at a time, in the words of the face that reads them again.

use std::sync::Arc;

use keystead_model::{
    contact::{Contact, ContactCursor, ContactFilter, ContactOrder},
    custom_field::{CustomField, OwnerKind},
    page::Window,
    scope::Scope,
};

use crate::{App, Kept, LocationContext, Result};

/// Contacts that are read at a time, while those before them are sent.
const AT_ONCE: i64 = 500;

/// What a file of contacts is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactFormat {
    /// Rows for spreadsheets, as imports take them.
    Csv,
    /// A JSON object a line, for programs.
    JsonLines,
}

/// A file that is made while it is sent.
pub trait InParts: Send {
    /// What follows in it; `None` at its end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<u8>>>> + Send;
}

/// Writes contacts into files, as whoever reads such files knows them.
pub trait ContactWriter: Send + Sync + 'static {
    /// What a file begins with.
    fn head(&self, format: ContactFormat, custom: &[CustomField]) -> Vec<u8>;

    /// Contacts, to be put behind those before them.
    fn contacts(&self, format: ContactFormat, custom: &[CustomField], contacts: &[Contact]) -> Vec<u8>;

    /// What is kept of a contact, each thing as a JSON object.
    fn kept(&self, kept: &Kept) -> Vec<Vec<u8>>;
}

/// A file of contacts that is being made.
pub struct ContactExport {
    app: App,
    context: LocationContext,
    writer: Arc<dyn ContactWriter>,
    format: ContactFormat,
    filter: ContactFilter,
    custom: Vec<CustomField>,
    /// What was written and not taken.
    begun: Vec<u8>,
    next: Option<Window<ContactCursor>>,
    /// Contacts that were written.
    pub count: usize,
}

impl App {
    /// Begins a file of all contacts that a filter finds, in its order. Of those that change meanwhile none is left out: by their
    /// time of change they come oldest first, so that one that changes comes at the end once more.
    pub async fn export_contacts(
        &self,
        context: &LocationContext,
        filter: ContactFilter,
        format: ContactFormat,
        writer: Arc<dyn ContactWriter>,
    ) -> Result<ContactExport> {
        context.authority.require(Scope::ContactsRead)?;
        let custom = self.fields_of(context, OwnerKind::Contact).await?;
        let ascending = filter.ascending || filter.order == ContactOrder::Updated;
        Ok(ContactExport {
            begun: writer.head(format, &custom),
            app: self.clone(),
            context: context.clone(),
            writer,
            format,
            filter: ContactFilter { ascending, ..filter },
            custom,
            next: Some(Window::first(AT_ONCE)),
            count: 0,
        })
    }
}

impl InParts for ContactExport {
    async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let Some(window) = self.next.take() else { return Ok(None) };
        let found = self.app.list_contacts(&self.context, self.filter.clone(), window).await?.page;
        let order = self.filter.order;
        let place = |last: &Contact| ContactCursor { at: Some(time_of(last, order)), id: Some(last.id) };
        self.next = found.next(place).map(|place| Window::after(Some(place), AT_ONCE));
        self.count += found.rows.len();
        let mut bytes = std::mem::take(&mut self.begun);
        bytes.extend(self.writer.contacts(self.format, &self.custom, &found.rows));
        Ok(Some(bytes))
    }
}

fn time_of(contact: &Contact, order: ContactOrder) -> keystead_model::UtcMs {
    match order {
        ContactOrder::Created => contact.created_at,
        ContactOrder::Updated => contact.updated_at,
    }
}
