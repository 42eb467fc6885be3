//! Campaigns of a location.

use keystead_model::{
    CampaignId, UtcMs,
    campaign::{Campaign, CampaignContent, CampaignPatch},
    enrollment::EnrolledIn,
    event::EventKind,
    page::{Page, Window},
    publication::Publication,
    scope::Scope,
};
use keystead_store::{campaigns, enrollments};

use crate::{
    App, LocationContext, Result,
    error::Noun,
    events::{Described, Fields, put},
    operate::InLocation,
    resource::{MOST_MADE_BY_HAND, Made, Resource},
};

impl App {
    /// The campaigns of a location, or those of one status, newest first.
    pub async fn list_campaigns(
        &self,
        context: &LocationContext,
        status: Option<Publication>,
        window: Window<CampaignId>,
    ) -> Result<Page<Campaign>> {
        self.read(context, Scope::CampaignsRead, move |operation| {
            Ok(campaigns::list(operation.tx, operation.context.location, status, &window)?)
        })
        .await
    }
}

impl Resource for Campaign {
    type Content = CampaignContent;
    type Patch = CampaignPatch;

    const NOUN: Noun = Noun::Campaign;
    const SCOPES: (Scope, Scope) = (Scope::CampaignsRead, Scope::CampaignsWrite);
    const KINDS: [EventKind; 3] = [EventKind::CampaignCreated, EventKind::CampaignUpdated, EventKind::CampaignDeleted];
    const MOST: Option<i64> = Some(MOST_MADE_BY_HAND);

    fn new(made: Made<Self>, content: CampaignContent) -> Self {
        let Made { id, location, parent: (), now } = made;
        Self { id, location, content, created_at: now, updated_at: now }
    }

    fn change(&mut self, patch: CampaignPatch) {
        patch.apply(&mut self.content);
    }

    fn updated_at(&mut self) -> &mut UtcMs {
        &mut self.updated_at
    }

    fn leave(&self, operation: &mut InLocation<'_, '_>) -> Result<()> {
        Ok(enrollments::leave(operation.tx, self.location, EnrolledIn::Campaign(self.id))?)
    }
}

impl Described for Campaign {
    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn describe(&self) -> Fields {
        let CampaignContent { name, status } = &self.content;
        let mut fields = Fields::new();
        put(&mut fields, "name", Some(name.as_str()));
        put(&mut fields, "status", Some(status.as_str()));
        fields
    }
}
