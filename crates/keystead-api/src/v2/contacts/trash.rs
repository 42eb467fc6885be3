//! The trash of contacts.

use keystead_core::{Error, LocationContext, RestoredContact};
use keystead_model::{
    ContactId, UtcMs,
    contact::{Contact, TRASH_MS, TrashedContact},
};

use super::shapes::Listed;
use crate::{
    call::Call,
    reader::{Reader, Slice},
    shape::{Fields, Input, Written},
    v2::samples,
};

/// A contact in the trash.
struct Trashed(TrashedContact);

impl Written for Trashed {
    const NAME: &'static str = "TrashedContact";

    fn sample() -> Self {
        let contact = samples::contact();
        Self(TrashedContact { trashed_at: UtcMs(contact.updated_at.0 + TRASH_MS / 2), contact })
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self(trashed) = self;
        Listed(trashed.contact.clone()).write(fields);
        fields.put("dateDeleted", &trashed.trashed_at);
        fields.put("dateErased", &trashed.gone_at());
    }
}

/// Some of the trash.
pub(crate) struct Trash {
    contacts: Vec<Trashed>,
    total: i64,
}

impl Written for Trash {
    fn sample() -> Self {
        Self { contacts: vec![Trashed::sample()], total: 1 }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("contacts", &self.contacts);
        fields.put("total", &self.total);
    }
}

/// Which part of it.
pub(crate) struct Part(Slice);

impl Input for Part {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        Some(Self(query.short_slice(20, 100)))
    }
}

/// What was put there last comes first.
pub(crate) async fn list(context: LocationContext, call: Call<(), Part>) -> Result<Trash, Error> {
    let found = call.app.list_trashed_contacts(&context, call.query.0.window()).await?;
    Ok(Trash { contacts: found.page.rows.into_iter().map(Trashed).collect(), total: found.total })
}

/// What came back.
pub(crate) struct Restored(RestoredContact);

impl Written for Restored {
    fn sample() -> Self {
        Self(RestoredContact { contact: samples::contact(), left: 0 })
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self(RestoredContact { contact, left }) = self;
        fields.put::<Contact>("contact", contact);
        fields.put("opportunitiesLeft", left);
    }
}

pub(crate) async fn restore(context: LocationContext, call: Call<ContactId>) -> Result<Restored, Error> {
    call.app.restore_contact(&context, call.path).await.map(Restored)
}
