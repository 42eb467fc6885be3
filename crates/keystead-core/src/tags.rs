//! Tags of a location.

use keystead_model::{
    LocationId, TagId,
    scope::Scope,
    tag::{Tag, TagName},
};
use keystead_store::{Tx, tags};

use crate::{App, Error, ErrorCode, LocationContext, Result, contacts::changed, error::Noun, record::record};

impl App {
    /// All tags of a location by name.
    pub async fn list_tags(&self, context: &LocationContext) -> Result<Vec<Tag>> {
        context.authority.require(Scope::TagsRead)?;
        let location = context.location;
        Ok(self.store.read(move |tx| tags::list(tx, location)).await?)
    }

    /// One tag.
    pub async fn get_tag(&self, context: &LocationContext, id: TagId) -> Result<Tag> {
        context.authority.require(Scope::TagsRead)?;
        let location = context.location;
        self.store.look_up(move |tx| tags::find(tx, location, id)).await?.ok_or_else(|| not_found(id))
    }

    /// Makes a tag.
    pub async fn create_tag(&self, context: &LocationContext, name: TagName) -> Result<Tag> {
        let location = context.location;
        context.authority.require(Scope::TagsWrite)?;
        let tag = Tag { id: self.entropy.id(context.authority.now()), location, name };
        self.operate(
            &context.authority,
            move |tx, authority| {
                if !tags::insert(tx, &tag, authority.now())? {
                    return Err(taken(&tag.name));
                }
                record(tx, authority, changed("tag.created", location, tag.id.as_str()))?;
                Ok(tag.clone())
            },
            move |tx, lost| find(tx, location, lost.id()?),
        )
        .await
    }

    /// Renames a tag here and on every contact.
    pub async fn rename_tag(&self, context: &LocationContext, id: TagId, name: TagName) -> Result<Tag> {
        let location = context.location;
        context.authority.require(Scope::TagsWrite)?;
        self.operate(
            &context.authority,
            move |tx, authority| {
                let mut tag = find(tx, location, id)?;
                if tag.name != name {
                    if tags::find_by_name(tx, location, &name)?.is_some() {
                        return Err(taken(&name));
                    }
                    tags::rename(tx, &tag, &name)?;
                    tag.name = name.clone();
                    record(tx, authority, changed("tag.updated", location, id.as_str()))?;
                }
                Ok(tag)
            },
            move |tx, _| find(tx, location, id),
        )
        .await
    }

    /// Deletes a tag here and from every contact.
    pub async fn delete_tag(&self, context: &LocationContext, id: TagId) -> Result<()> {
        let location = context.location;
        context.authority.require(Scope::TagsWrite)?;
        self.operate(
            &context.authority,
            move |tx, authority| {
                let tag = find(tx, location, id)?;
                tags::delete(tx, &tag)?;
                record(tx, authority, changed("tag.deleted", location, id.as_str()))
            },
            |_, _| Ok(()),
        )
        .await
    }
}

fn find(tx: &mut Tx<'_>, location: LocationId, id: TagId) -> Result<Tag> {
    tags::find(tx, location, id)?.ok_or_else(|| not_found(id))
}

fn not_found(id: TagId) -> Error {
    Error::NotFound(Noun::Tag, id.to_string())
}

fn taken(name: &TagName) -> Error {
    Error::Conflict(ErrorCode::NameTaken, format!("The tag {} exists", name.as_str()))
}
