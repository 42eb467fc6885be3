//! Tags of contacts.

use keystead_model::{ContactId, contact::Contact, scope::Scope, tag::TagName};

use crate::{App, LocationContext, Result, idempotency::Lost, operate::InLocation};

/// A change of a contact's tags.
#[derive(Clone, Debug)]
pub enum TagChange {
    /// These are added behind those that it has.
    Add(Vec<TagName>),
    /// These are taken away.
    Remove(Vec<TagName>),
    /// All are.
    RemoveAll,
}

/// What became of a contact's tags.
#[derive(Clone, Debug)]
pub struct TagsChanged {
    /// Those that it had before.
    pub before: Vec<TagName>,
    /// Those that it has now.
    pub after: Vec<TagName>,
}

impl TagsChanged {
    /// Those that it has only since.
    pub fn added(&self) -> Vec<TagName> {
        self.after.iter().filter(|tag| !self.before.contains(tag)).cloned().collect()
    }

    /// Those that it had only before.
    pub fn removed(&self) -> Vec<TagName> {
        self.before.iter().filter(|tag| !self.after.contains(tag)).cloned().collect()
    }
}

impl TagChange {
    fn apply(&self, tags: &mut Vec<TagName>) {
        match self {
            Self::Add(new) => {
                for tag in new {
                    if !tags.contains(tag) {
                        tags.push(tag.clone());
                    }
                }
            }
            Self::Remove(gone) => tags.retain(|tag| !gone.contains(tag)),
            Self::RemoveAll => tags.clear(),
        }
    }
}

impl App {
    /// Changes the tags of a contact.
    pub async fn change_contact_tags(
        &self,
        context: &LocationContext,
        id: ContactId,
        change: TagChange,
    ) -> Result<TagsChanged> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.change_tags(id, &change);
        let recover = move |operation: &mut InLocation<'_, '_>, lost: &Lost| {
            let Contact { tags, .. } = operation.contact(id)?;
            let changed = lost.list(operation.tx, "tags", |name| Some(TagName::from_stored(name.to_owned())))?;
            let (before, after) = changed.unwrap_or_else(|| (tags.clone(), tags));
            Ok(TagsChanged { before, after })
        };
        self.operate(context, Scope::ContactsWrite, run, recover).await
    }

    /// Changes the tags of many contacts.
    pub async fn change_tags_of_contacts(
        &self,
        context: &LocationContext,
        ids: Vec<ContactId>,
        change: TagChange,
    ) -> Result<Vec<Result<TagsChanged>>> {
        let step = move |operation: &mut InLocation<'_, '_>, id| operation.change_tags(id, &change);
        self.each(context, Scope::ContactsWrite, ids, step).await
    }
}

impl InLocation<'_, '_> {
    fn change_tags(&mut self, id: ContactId, change: &TagChange) -> Result<TagsChanged> {
        let mut before = Vec::new();
        let contact = self.change_contact(id, |contact| {
            before.clone_from(&contact.tags);
            change.apply(&mut contact.tags);
        })?;
        Ok(TagsChanged { before, after: contact.tags })
    }
}
