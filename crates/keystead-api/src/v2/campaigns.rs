//! Campaigns of a location in API 2.0.

use keystead_core::{Error, LocationContext};
use keystead_model::{
    Invalid,
    campaign::{Campaign, CampaignContent, CampaignPatch},
    publication::Publication,
};
use serde_json::Value;

use super::samples;
use crate::{
    call::Call,
    reader::{Reader, Slice},
    shape::{Envelope, Fields, Ground, Input, Many, Tagged, Word, Written, word::one_of},
};

impl Envelope for Campaign {
    const ONE: &'static str = "campaign";
    const MANY: &'static str = "campaigns";
}

impl Written for Campaign {
    const NAME: &'static str = "Campaign";

    fn sample() -> Self {
        samples::campaign()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { id, location, content: CampaignContent { name, status }, created_at: _, updated_at: _ } = self;
        fields.put("id", id);
        fields.put("name", name);
        fields.one_of("status", status.as_str(), &Publication::ALL.map(Publication::as_str));
        fields.put("locationId", location);
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(self))
    }
}

impl Word for Publication {
    const EXAMPLE: &'static str = "published";

    fn schema() -> Value {
        one_of(Self::ALL.map(Self::as_str))
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl Input for CampaignContent {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.names_location();
        let name = reader.required("name", |reader| reader.word("name"));
        let status = reader.word("status").unwrap_or(Publication::Draft);
        Some(Self { name: name?, status })
    }
}

impl Input for CampaignPatch {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { name: reader.word("name"), status: reader.word("status") })
    }
}

/// Which campaigns are asked for, in both APIs.
pub(crate) struct Listing {
    status: Option<Publication>,
    slice: Slice,
}

impl Input for Listing {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        Some(Self { status: query.word("status").and_then(|Asked(status)| status), slice: query.slice() })
    }
}

/// A status, or all of them.
struct Asked(Option<Publication>);

impl Word for Asked {
    const EXAMPLE: &'static str = "published";

    fn schema() -> Value {
        one_of(["draft", "published", "all"])
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        match text {
            "all" => Ok(Self(None)),
            text => Publication::parse(text).map(|status| Self(Some(status))),
        }
    }
}

pub(crate) async fn list(context: LocationContext, call: Call<(), Listing>) -> Result<Many<Campaign>, Error> {
    let Listing { status, slice } = call.query;
    Ok(Many(call.app.list_campaigns(&context, status, slice.window()).await?.rows))
}
