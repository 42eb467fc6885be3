//! Trigger links of a location in API 2.0.

use keystead_core::{Error, LocationContext};
use keystead_model::{
    Invalid,
    link::{Destination, Link, LinkContent},
};
use serde_json::Value;

use super::samples;
use crate::{
    call::Call,
    reader::{Reader, Slice},
    shape::{Envelope, Fields, Ground, Input, Many, Tagged, Word, Written, word},
};

impl Envelope for Link {
    const ONE: &'static str = "link";
    const MANY: &'static str = "links";
}

impl Written for Link {
    const NAME: &'static str = "Link";

    fn sample() -> Self {
        samples::link()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { id, location, content: LinkContent { name, redirect_to }, created_at: _, updated_at: _ } = self;
        fields.put("id", id);
        fields.put("name", name);
        fields.put("redirectTo", redirect_to);
        fields.put("fieldKey", &self.field_key());
        fields.put("locationId", location);
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(self))
    }
}

impl Word for Destination {
    const EXAMPLE: &'static str = "https://harbour.example/book";

    fn schema() -> Value {
        word::text(
            2_000,
            "An address of the web, with fields as {{contact.first_name}} after its host; or one custom value",
        )
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl Input for LinkContent {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.names_location();
        let name = reader.required("name", |reader| reader.word("name"));
        let redirect_to = reader.required("redirectTo", |reader| reader.word("redirectTo"));
        Some(Self { name: name?, redirect_to: redirect_to? })
    }
}

/// Which links are looked for.
pub(crate) struct Search {
    part: Option<String>,
    slice: Slice,
}

impl Input for Search {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        Some(Self { part: query.word("query"), slice: query.short_slice(20, 100) })
    }
}

pub(crate) async fn search(context: LocationContext, call: Call<(), Search>) -> Result<Many<Link>, Error> {
    let Search { part, slice } = call.query;
    let page = match part {
        Some(part) => call.app.search_links(&context, part, slice.window()).await?,
        None => call.app.list::<Link>(&context, (), slice.window()).await?,
    };
    Ok(Many(page.rows))
}
