//! Trigger links of a location.

use keystead_model::{
    LinkId, UtcMs,
    event::EventKind,
    link::{Destination, Link, LinkContent, LinkPatch, Slug},
    page::{Page, Window},
    scope::Scope,
};
use keystead_store::{clicks, link_tokens, links};

use crate::{
    App, Error, ErrorCode, LocationContext, Result,
    error::Noun,
    events::{Described, Fields, put, text},
    operate::InLocation,
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
    type Content = LinkPatch;
    type Patch = LinkPatch;

    const NOUN: Noun = Noun::Link;
    const SCOPES: (Scope, Scope) = (Scope::LinksRead, Scope::LinksWrite);
    const KINDS: [EventKind; 3] = [EventKind::LinkCreated, EventKind::LinkUpdated, EventKind::LinkDeleted];
    const MOST: Option<i64> = Some(MOST_MADE_BY_HAND);

    fn new(made: Made<Self>, new: LinkPatch) -> Self {
        let Made { id, location, parent: (), now } = made;
        let mut slug = Slug::of_id(&id);
        let mut content = LinkContent::new(new.name.clone(), new.redirect_to.clone());
        new.apply(&mut slug, &mut content);
        Self { id, location, slug, content, humans: 0, created_at: now, updated_at: now }
    }

    fn change(&mut self, patch: LinkPatch) {
        patch.apply(&mut self.slug, &mut self.content);
    }

    fn complete(&mut self, before: Option<&Self>, operation: &mut InLocation<'_, '_>) -> Result<()> {
        let own = format!("{}/l/{}", operation.base_url, self.slug.as_str());
        let addresses =
            [("redirectTo", Some(&self.content.redirect_to)), ("fallbackUrl", self.content.fallback.as_ref())];
        for (field, address) in addresses {
            if address.is_some_and(|address| address.leads_to(&own)) {
                return Err(Error::invalid(field, "must lead elsewhere: this is the address of the link itself"));
            }
        }
        if before.is_some_and(|before| before.slug == self.slug) {
            return Ok(());
        }
        if links::claim_slug(operation.tx, self.location, self.id, &self.slug)? {
            return Ok(());
        }
        let message = format!("The address /l/{} is another link's; choose another slug", self.slug.as_str());
        Err(Error::Conflict(ErrorCode::NameTaken, message))
    }

    fn leave(&self, operation: &mut InLocation<'_, '_>) -> Result<()> {
        links::release_slug(operation.tx, self.location, self.id)?;
        link_tokens::delete_all(operation.tx, self.location, self.id)?;
        // Its clicks are many, and go when the jobs come to them.
        Ok(clicks::leave(operation.tx, self.location, self.id)?)
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
        let LinkContent { name, redirect_to, status, expires_at, max_clicks, fallback, confirm, fire } = &self.content;
        let mut fields = Fields::new();
        put(&mut fields, "name", Some(name.as_str()));
        put(&mut fields, "redirectTo", Some(text(redirect_to.as_str())));
        put(&mut fields, "slug", Some(self.slug.as_str()));
        put(&mut fields, "status", Some(status.as_str()));
        put(&mut fields, "expiresAt", expires_at.map(UtcMs::to_iso));
        put(&mut fields, "maxClicks", *max_clicks);
        put(&mut fields, "fallbackUrl", fallback.as_ref().map(Destination::as_str).map(text));
        put(&mut fields, "confirm", Some(*confirm));
        put(&mut fields, "fire", Some(fire.as_str()));
        fields
    }
}
