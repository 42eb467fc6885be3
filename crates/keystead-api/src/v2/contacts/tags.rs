//! Tags of a contact.

use keystead_core::{Error, LocationContext, TagChange};
use keystead_model::{ContactId, contact::MAX_TAGS, tag::TagName};

use crate::{
    call::Call,
    reader::Reader,
    shape::{Bare, Fields, Input, Written},
    v2::samples,
};

/// Names of tags.
pub(crate) struct Tags(pub(crate) Vec<TagName>);

impl Input for Tags {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.required("tags", |reader| reader.words("tags", MAX_TAGS)).map(Self)
    }
}

pub(crate) async fn add(context: LocationContext, call: Call<ContactId, Bare, Tags>) -> Result<TagsAdded, Error> {
    let changed = call.app.change_contact_tags(&context, call.path, TagChange::Add(call.body.0)).await?;
    Ok(TagsAdded { added: changed.added(), tags: changed.after })
}

pub(crate) async fn remove(context: LocationContext, call: Call<ContactId, Bare, Tags>) -> Result<TagsRemoved, Error> {
    let changed = call.app.change_contact_tags(&context, call.path, TagChange::Remove(call.body.0)).await?;
    Ok(TagsRemoved { removed: changed.removed(), tags: changed.after })
}

/// The tags of a contact after a change.
pub(crate) struct TagsAdded {
    pub(crate) tags: Vec<TagName>,
    pub(crate) added: Vec<TagName>,
}

impl Written for TagsAdded {
    fn sample() -> Self {
        Self { tags: samples::contact().tags, added: samples::contact().tags }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("tags", &self.tags);
        fields.put("tagsAdded", &self.added);
    }
}

/// The same after some were taken away.
pub(crate) struct TagsRemoved {
    pub(crate) tags: Vec<TagName>,
    pub(crate) removed: Vec<TagName>,
}

impl Written for TagsRemoved {
    fn sample() -> Self {
        Self { tags: Vec::new(), removed: samples::contact().tags }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("tags", &self.tags);
        fields.put("tagsRemoved", &self.removed);
    }
}
