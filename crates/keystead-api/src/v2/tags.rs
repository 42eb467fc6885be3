//! Tags of a location in API 2.0.

use keystead_core::{Error, LocationContext};
use keystead_model::{
    TagId,
    tag::{Tag, TagFilter, TagName},
};

use super::{samples, succeeded::Succeeded};
use crate::{
    call::Call,
    reader::{Reader, Slice},
    shape::{Bare, Envelope, Fields, Input, Many, One, Tagged, Written},
};

impl Envelope for Tag {
    const ONE: &'static str = "tag";
    const MANY: &'static str = "tags";
}

impl Written for Tag {
    const NAME: &'static str = "Tag";

    fn sample() -> Self {
        samples::tag()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { id, location, name, contacts } = self;
        fields.put("id", id);
        fields.put("name", name);
        fields.put("locationId", location);
        fields.put("count", contacts);
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(self))
    }
}

/// What a tag is made or renamed with.
pub(crate) struct NamedTag(pub(crate) TagName);

impl Input for NamedTag {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.required("name", |reader| reader.word("name")).map(Self)
    }
}

pub(crate) async fn list(context: LocationContext, call: Call<(), Slice>) -> Result<Many<Tag>, Error> {
    Ok(Many(call.app.list_tags(&context, TagFilter::default(), call.query.window()).await?.rows))
}

pub(crate) async fn create(context: LocationContext, call: Call<(), Bare, NamedTag>) -> Result<One<Tag>, Error> {
    call.app.create_tag(&context, call.body.0).await.map(One)
}

pub(crate) async fn get(context: LocationContext, call: Call<TagId>) -> Result<One<Tag>, Error> {
    call.app.get_tag(&context, call.path).await.map(One)
}

pub(crate) async fn update(context: LocationContext, call: Call<TagId, Bare, NamedTag>) -> Result<One<Tag>, Error> {
    call.app.rename_tag(&context, call.path, call.body.0).await.map(One)
}

pub(crate) async fn delete(context: LocationContext, call: Call<TagId>) -> Result<Succeeded, Error> {
    call.app.delete_tag(&context, call.path).await?;
    Ok(Succeeded)
}
