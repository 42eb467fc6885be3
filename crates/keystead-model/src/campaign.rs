//! Campaigns: what contacts are put into and taken out of by name.

use crate::{CampaignId, LocationId, UtcMs, location::set, publication::Publication, text::Line};

/// A campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// Its id.
    pub id: CampaignId,
    /// The location that has it.
    pub location: LocationId,
    /// What its author writes.
    pub content: CampaignContent,
    /// When it was made.
    pub created_at: UtcMs,
    /// When it was last changed.
    pub updated_at: UtcMs,
}

/// The part of a campaign that its author writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CampaignContent {
    /// Its name.
    pub name: Line<200>,
    /// Whether it is in use.
    pub status: Publication,
}

/// A change of a campaign; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of CampaignContent")]
pub struct CampaignPatch {
    pub name: Option<Line<200>>,
    pub status: Option<Publication>,
}

impl CampaignPatch {
    /// Changes `content`.
    pub fn apply(self, content: &mut CampaignContent) {
        let Self { name, status } = self;
        set(&mut content.name, name);
        set(&mut content.status, status);
    }
}
