//! Tags of API 1.0.

use keystead_core::{Error, LocationContext, error::Noun};
use keystead_model::{
    TagId,
    tag::{Tag, TagName},
};
use serde_json::{Value, json};

use super::empty_string;
use crate::{call::Call, reply::Reply};

fn tag_id(call: &Call) -> Result<TagId, Error> {
    call.id("tagId", |text| Error::NotFound(Noun::Tag, text.to_owned()))
}

fn shape(tag: &Tag) -> Value {
    json!({"id": tag.id, "name": tag.name.as_str()})
}

fn read_name(call: &mut Call) -> Result<TagName, Error> {
    let mut reader = call.read_body();
    let name = reader.required("name", |reader| reader.parse("name", TagName::parse));
    reader.pass_over_unknown();
    reader.finish()?;
    name.ok_or_else(|| Error::invalid("name", "should not be empty"))
}

pub(crate) async fn list(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let slice = call.lenient_slice()?;
    let tags = call.app.list_tags(&context).await?;
    Ok(Reply::bare(&json!({"tags": slice.of(tags).map(|tag| shape(&tag)).collect::<Vec<_>>()})))
}

pub(crate) async fn create(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let name = read_name(&mut call)?;
    Ok(Reply::bare(&shape(&call.app.create_tag(&context, name).await?)))
}

pub(crate) async fn get(context: LocationContext, call: Call) -> Result<Reply, Error> {
    Ok(Reply::bare(&shape(&call.app.get_tag(&context, tag_id(&call)?).await?)))
}

pub(crate) async fn update(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let id = tag_id(&call)?;
    let name = read_name(&mut call)?;
    Ok(Reply::bare(&shape(&call.app.rename_tag(&context, id, name).await?)))
}

pub(crate) async fn delete(context: LocationContext, call: Call) -> Result<Reply, Error> {
    call.app.delete_tag(&context, tag_id(&call)?).await?;
    Ok(empty_string())
}
