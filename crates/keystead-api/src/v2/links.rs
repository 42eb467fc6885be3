//! Trigger links of a location in API 2.0.

use keystead_core::{App, Error, LocationContext, UnknownFields};
use keystead_model::{
    Invalid, LinkId,
    link::{Destination, FirePolicy, Link, LinkContent, LinkPatch, LinkStatus, Slug},
    time::Moment,
};
use serde_json::{Map, Value};

use super::samples;
use crate::{
    Face,
    call::Call,
    reader::{Reader, Slice},
    shape::{Bare, Envelope, Fields, Ground, Input, Many, Tagged, Word, Written, word, word::one_of},
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
        let Self { id, location, slug, content, humans, created_at, updated_at } = self;
        let LinkContent { name, redirect_to, status, expires_at, max_clicks, fallback, confirm, fire } = content;
        fields.put("id", id);
        fields.put("name", name);
        fields.put("redirectTo", redirect_to);
        fields.put("fieldKey", &self.field_key());
        fields.put("locationId", location);
        if fields.face() == Face::V1 {
            return;
        }
        fields.put("slug", slug);
        fields.one_of("status", status.as_str(), &LinkStatus::ALL.map(LinkStatus::as_str));
        fields.or_null("expiresAt", expires_at.as_ref());
        fields.or_null("maxClicks", max_clicks.as_ref());
        fields.or_null("fallbackUrl", fallback.as_ref());
        fields.put("confirm", confirm);
        fields.one_of("fire", fire.as_str(), &FirePolicy::ALL.map(FirePolicy::as_str));
        fields.put("clicks", humans);
        fields.put("createdAt", created_at);
        fields.put("updatedAt", updated_at);
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

impl Word for Slug {
    const EXAMPLE: &'static str = "spring-offer";

    fn schema() -> Value {
        word::text(60, "What the link is known by in its address, /l/{slug}: letters, digits and hyphens")
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl Word for LinkStatus {
    const EXAMPLE: &'static str = "active";

    fn schema() -> Value {
        one_of(Self::ALL.map(Self::as_str))
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl Word for FirePolicy {
    const EXAMPLE: &'static str = "first_per_contact";

    fn schema() -> Value {
        one_of(Self::ALL.map(Self::as_str))
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

/// Clicks that a link may have.
const MOST_CLICKS: std::ops::RangeInclusive<i64> = 1..=1_000_000_000;

impl Input for LinkPatch {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.names_location();
        let name = reader.required("name", |reader| reader.word("name"));
        let redirect_to = reader.required("redirectTo", |reader| reader.word("redirectTo"));
        let (slug, status, fire) = (reader.word("slug"), reader.word("status"), reader.word("fire"));
        let expires_at = reader.nullable("expiresAt", |reader| reader.moment("expiresAt"));
        // A day is its last one, as in the app.
        let zone = reader.ground().zone().clone();
        let max_clicks = reader.nullable("maxClicks", |reader| reader.integer("maxClicks", MOST_CLICKS));
        let (fallback, confirm) =
            (reader.nullable("fallbackUrl", |reader| reader.word("fallbackUrl")), reader.truth("confirm"));
        Some(Self {
            name: name?,
            redirect_to: redirect_to?,
            slug,
            status,
            expires_at: expires_at.map(|end| end.map(|moment: Moment| moment.end(&zone))),
            max_clicks,
            fallback,
            confirm,
            fire,
        })
    }

    /// An address is of one link.
    fn settle(example: &mut Map<String, Value>) {
        example.remove("slug");
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

/// A link as it was written, with what its author may not have meant.
pub(crate) struct Linked {
    link: Link,
    /// What it names and what is not there.
    unknown: UnknownFields,
}

impl Linked {
    async fn of(context: &LocationContext, app: &App, link: Link) -> Self {
        // The link is written: an answer that says so is not lost over this.
        let unknown = app.unknown_fields(context, link.id).await.unwrap_or_default();
        Self { link, unknown }
    }
}

impl Written for Linked {
    const NAME: &'static str = "WrittenLink";

    fn sample() -> Self {
        let unknown = UnknownFields { whole: vec!["custom_values.landing".to_owned()], ..UnknownFields::default() };
        Self { link: Link::sample(), unknown }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put(Link::ONE, &self.link);
        if fields.face() == Face::V1 {
            return;
        }
        let UnknownFields { whole, parts } = &self.unknown;
        let mut remarks = Vec::new();
        if !whole.is_empty() {
            remarks.push(format!(
                "There is no {} here yet, so whoever opens the link reads that it has ended, or is led to its fallbackUrl.",
                whole.join(", no ")
            ));
        }
        if !parts.is_empty() {
            remarks.push(format!("There is no {} here, so nothing stands in its place.", parts.join(", no ")));
        }
        fields.opt("remark", (!remarks.is_empty()).then(|| remarks.join(" ")).as_ref());
    }

    fn tag(&self) -> Option<String> {
        Written::tag(&self.link)
    }
}

pub(crate) async fn create(context: LocationContext, call: Call<(), Bare, LinkPatch>) -> Result<Linked, Error> {
    let link = call.app.create::<Link>(&context, (), call.body).await?;
    Ok(Linked::of(&context, &call.app, link).await)
}

pub(crate) async fn update(context: LocationContext, call: Call<LinkId, Bare, LinkPatch>) -> Result<Linked, Error> {
    let link = call.app.update::<Link>(&context, (), call.path, call.body).await?;
    Ok(Linked::of(&context, &call.app, link).await)
}

pub(crate) async fn search(context: LocationContext, call: Call<(), Search>) -> Result<Many<Link>, Error> {
    let Search { part, slice } = call.query;
    let page = match part {
        Some(part) => call.app.search_links(&context, part, slice.window()).await?,
        None => call.app.list::<Link>(&context, (), slice.window()).await?,
    };
    Ok(Many(page.rows))
}
