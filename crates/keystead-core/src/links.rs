//! Trigger links of a location.

use keystead_model::{
    LinkId, UtcMs,
    event::EventKind,
    link::{Link, LinkContent},
    page::{Page, Window},
    scope::Scope,
};
use keystead_store::links;

use crate::{
    App, LocationContext, Result,
    error::Noun,
    events::{Described, Fields, put, text},
    resource::{MOST_MADE_BY_HAND, Made, Resource},
};

impl App {
    /// The links of a location whose name holds a text, whatever its case and accents, newest first.
    pub async fn search_links(
        &self,
        context: &LocationContext,
        part: String,
        window: Window<LinkId>,
    ) -> Result<Page<Link>> {
        self.read(context, Scope::LinksRead, move |operation| {
            Ok(links::search(operation.tx, operation.context.location, &part, &window)?)
        })
        .await
    }
}

impl Resource for Link {
    type Content = LinkContent;
    /// All of it: that is how the contract changes one.
    type Patch = LinkContent;

    const NOUN: Noun = Noun::Link;
    const SCOPES: (Scope, Scope) = (Scope::LinksRead, Scope::LinksWrite);
    const KINDS: [EventKind; 3] = [EventKind::LinkCreated, EventKind::LinkUpdated, EventKind::LinkDeleted];
    const MOST: Option<i64> = Some(MOST_MADE_BY_HAND);

    fn new(made: Made<Self>, content: LinkContent) -> Self {
        let Made { id, location, parent: (), now } = made;
        Self { id, location, content, created_at: now, updated_at: now }
    }

    fn change(&mut self, content: LinkContent) {
        self.content = content;
    }

    fn updated_at(&mut self) -> &mut UtcMs {
        &mut self.updated_at
    }
}

impl Described for Link {
    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn describe(&self) -> Fields {
        let LinkContent { name, redirect_to } = &self.content;
        let mut fields = Fields::new();
        put(&mut fields, "name", Some(name.as_str()));
        put(&mut fields, "redirectTo", Some(text(redirect_to.as_str())));
        fields
    }
}
