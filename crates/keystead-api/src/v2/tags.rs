//! Tags of a location in API 2.0.

use keystead_core::{Error, LocationContext, error::Noun};
use keystead_model::{
    TagId,
    tag::{Tag, TagName},
};
use serde_json::{Value, json};

use super::contacts::succeeded;
use crate::{call::Call, reply::Reply};

fn tag_id(call: &Call) -> Result<TagId, Error> {
    call.id("tagId", |text| Error::NotFound(Noun::Tag, text.to_owned()))
}

fn shape(tag: &Tag) -> Value {
    let Tag { id, location, name } = tag;
    json!({"id": id, "name": name.as_str(), "locationId": location})
}

fn read_name(call: &mut Call) -> Result<TagName, Error> {
    call.no_query()?;
    let mut reader = call.read_body();
    let name = reader.required("name", |reader| reader.parse("name", TagName::parse));
    reader.finish()?;
    name.ok_or_else(|| Error::invalid("name", "should not be empty"))
}

pub(crate) async fn list(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let slice = call.slice()?;
    let tags = call.app.list_tags(&context).await?;
    Ok(Reply::object(200, &json!({"tags": slice.of(tags).map(|tag| shape(&tag)).collect::<Vec<_>>()})))
}

pub(crate) async fn create(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let name = read_name(&mut call)?;
    let tag = call.app.create_tag(&context, name).await?;
    Ok(Reply::object(200, &json!({"tag": shape(&tag)})))
}

pub(crate) async fn get(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    let tag = call.app.get_tag(&context, tag_id(&call)?).await?;
    Ok(Reply::object(200, &json!({"tag": shape(&tag)})))
}

pub(crate) async fn update(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let id = tag_id(&call)?;
    let name = read_name(&mut call)?;
    let tag = call.app.rename_tag(&context, id, name).await?;
    Ok(Reply::object(200, &json!({"tag": shape(&tag)})))
}

pub(crate) async fn delete(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    call.app.delete_tag(&context, tag_id(&call)?).await?;
    Ok(succeeded())
}
