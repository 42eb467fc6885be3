//! What became of one thing, newest first, for whoever looks at it.

use keystead_model::{
    event::{Event, EventKind, Subject},
    page::{Page, Window},
    scope::Scope,
};
use keystead_store::events;

use super::list::may_see;
use crate::{App, Error, LocationContext, Result};

impl App {
    /// What happened to a thing of a location, and to what belongs to it: what of that somebody may see. It goes as far back as
    /// events of data are kept.
    pub async fn history_of(
        &self,
        context: &LocationContext,
        (subject, id): (Subject, String),
        window: Window<i64>,
    ) -> Result<Page<Event>> {
        let authority = &context.authority;
        let scope = subject.read_scope().ok_or(Error::MissingScope(Scope::ContactsRead))?;
        authority.require(scope)?;
        let seen = EventKind::ALL.iter().filter(|kind| may_see(authority, **kind));
        let kinds: Vec<&'static str> = seen.map(|kind| kind.as_str()).collect();
        let location = context.location;
        self.store.read(move |tx| Ok(events::history(tx, location, &id, &kinds, &window)?)).await
    }
}
