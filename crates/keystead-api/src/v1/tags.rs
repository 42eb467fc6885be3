//! Tags of API 1.0.

use keystead_core::{Error, LocationContext};
use keystead_model::{
    TagId,
    tag::{Tag, TagFilter},
};

use crate::{
    call::Call,
    reader::Slice,
    shape::{Bare, EmptyString, Envelope, Fields, Many, Written},
    v2::tags::NamedTag,
};

/// A tag of API 1.0.
pub(crate) struct Shape(Tag);

impl Envelope for Shape {
    const ONE: &'static str = "tag";
    const MANY: &'static str = "tags";
}

impl Written for Shape {
    const NAME: &'static str = "Tag";

    fn sample() -> Self {
        Self(Tag::sample())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("id", &self.0.id);
        fields.put("name", &self.0.name);
    }
}

pub(crate) async fn list(context: LocationContext, call: Call<(), Slice>) -> Result<Many<Shape>, Error> {
    Ok(Many(
        call.app
            .list_tags(&context, TagFilter::default(), call.query.window())
            .await?
            .rows
            .into_iter()
            .map(Shape)
            .collect(),
    ))
}

pub(crate) async fn create(context: LocationContext, call: Call<(), Bare, NamedTag>) -> Result<Shape, Error> {
    call.app.create_tag(&context, call.body.0).await.map(Shape)
}

pub(crate) async fn get(context: LocationContext, call: Call<TagId>) -> Result<Shape, Error> {
    call.app.get_tag(&context, call.path).await.map(Shape)
}

pub(crate) async fn update(context: LocationContext, call: Call<TagId, Bare, NamedTag>) -> Result<Shape, Error> {
    call.app.rename_tag(&context, call.path, call.body.0).await.map(Shape)
}

pub(crate) async fn delete(context: LocationContext, call: Call<TagId>) -> Result<EmptyString, Error> {
    call.app.delete_tag(&context, call.path).await?;
    Ok(EmptyString)
}
