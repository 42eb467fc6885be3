//! Tags of a location.

use keystead_model::{
    TagId,
    event::EventKind,
    page::{Page, Window},
    scope::Scope,
    tag::{Tag, TagFilter, TagName},
};
use keystead_store::{ripples::Named, tags};

use crate::{
    App, Error, ErrorCode, LocationContext, Result,
    error::Noun,
    events::{Described, Fields, Happened, put},
    operate::InLocation,
};

impl App {
    /// The tags of a location that suit, by name.
    pub async fn list_tags(
        &self,
        context: &LocationContext,
        filter: TagFilter,
        window: Window<TagName>,
    ) -> Result<Page<Tag>> {
        let run = move |operation: &mut InLocation<'_, '_>| {
            Ok(tags::list(operation.tx, operation.context.location, &filter, &window)?)
        };
        self.read(context, Scope::TagsRead, run).await
    }

    /// One tag.
    pub async fn get_tag(&self, context: &LocationContext, id: TagId) -> Result<Tag> {
        self.look_up(context, Scope::TagsRead, move |operation| operation.tag(id)).await
    }

    /// Makes a tag.
    pub async fn create_tag(&self, context: &LocationContext, name: TagName) -> Result<Tag> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.create_tag(name.clone());
        self.operate(context, Scope::TagsWrite, run, |operation, lost| operation.tag(lost.id()?)).await
    }

    /// Renames a tag here and on every contact.
    pub async fn rename_tag(&self, context: &LocationContext, id: TagId, name: TagName) -> Result<Tag> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.rename_tag(id, &name);
        self.operate(context, Scope::TagsWrite, run, move |operation, _| operation.tag(id)).await
    }

    /// Deletes a tag here and from every contact.
    pub async fn delete_tag(&self, context: &LocationContext, id: TagId) -> Result<()> {
        self.operate(context, Scope::TagsWrite, move |operation| operation.delete_tag(id), |_, _| Ok(())).await
    }
}

impl InLocation<'_, '_> {
    fn tag(&mut self, id: TagId) -> Result<Tag> {
        tags::find(self.tx, self.context.location, id)?.ok_or_else(|| Error::NotFound(Noun::Tag, id.to_string()))
    }

    fn create_tag(&mut self, name: TagName) -> Result<Tag> {
        let tag = Tag { id: self.new_id(), location: self.context.location, name, contacts: 0 };
        if !tags::insert(self.tx, &tag, self.now())? {
            return Err(taken(&tag.name));
        }
        self.tell(Happened::made(EventKind::TagCreated, &tag))?;
        Ok(tag)
    }

    fn rename_tag(&mut self, id: TagId, name: &TagName) -> Result<Tag> {
        let before = self.tag(id)?;
        self.context.authority.expect(&before)?;
        let tag = Tag { name: name.clone(), ..before.clone() };
        if tag.name != before.name {
            if tags::find_by_name(self.tx, self.context.location, name)?.is_some() {
                return Err(taken(name));
            }
            self.begin_ripple(Named::Tag(&before.name))?;
            tags::rename(self.tx, &before, name)?;
            self.tell(Happened::changed(EventKind::TagUpdated, &before, &tag))?;
        }
        Ok(tag)
    }

    fn delete_tag(&mut self, id: TagId) -> Result<()> {
        let tag = self.tag(id)?;
        self.context.authority.expect(&tag)?;
        self.begin_ripple(Named::Tag(&tag.name))?;
        tags::delete(self.tx, &tag)?;
        self.tell(Happened::gone(EventKind::TagDeleted, &tag))?;
        Ok(())
    }
}

impl Described for Tag {
    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn describe(&self) -> Fields {
        let mut fields = Fields::new();
        put(&mut fields, "name", Some(self.name.as_str()));
        fields
    }
}

fn taken(name: &TagName) -> Error {
    Error::Conflict(ErrorCode::NameTaken, format!("The tag {} exists", name.as_str()))
}
