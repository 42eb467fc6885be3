//! Notes of API 2.0.

use keystead_core::{Error, LocationContext, error::Noun};
use keystead_model::{
    NoteId,
    note::{Note, NoteContent, NotePatch},
    text::{Line, Prose},
};
use serde_json::{Map, Value, json};

use super::contacts::{
    contact_id,
    input::{removable, user_id},
    succeeded,
};
use crate::{call::Call, reader::Reader, reply::Reply};

fn note_id(call: &Call) -> Result<NoteId, Error> {
    call.id("id", |text| Error::NotFound(Noun::Note, text.to_owned()))
}

fn patch(reader: &mut Reader) -> NotePatch {
    NotePatch {
        body: reader.parse("body", Prose::parse),
        title: reader.clearable("title", Line::parse),
        color: reader.clearable("color", Line::parse),
        pinned: reader.truth("pinned"),
        user: removable(reader, "userId", user_id),
    }
}

/// A note with its members that have a value.
pub(crate) fn shape(note: &Note) -> Value {
    let Note { id, contact, content: NoteContent { body, title, color, pinned, user }, created_at, updated_at } = note;
    let mut fields = Map::new();
    fields.insert("id".to_owned(), json!(id));
    fields.insert("body".to_owned(), json!(body.as_str()));
    fields.insert("bodyText".to_owned(), json!(body.as_str()));
    fields.insert("contactId".to_owned(), json!(contact));
    fields.insert("dateAdded".to_owned(), json!(created_at));
    fields.insert("dateUpdated".to_owned(), json!(updated_at));
    fields.insert("pinned".to_owned(), json!(pinned));
    let optional = [
        ("title", title.as_ref().map(Line::as_str)),
        ("color", color.as_ref().map(Line::as_str)),
        ("userId", user.as_ref().map(keystead_model::UserId::as_str)),
    ];
    fields.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))));
    Value::Object(fields)
}

pub(crate) async fn list(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let slice = call.slice()?;
    let notes = call.app.list_notes(&context, contact_id(&call, "contactId")?).await?;
    Ok(Reply::object(200, &json!({"notes": slice.of(notes).map(|note| shape(&note)).collect::<Vec<_>>()})))
}

pub(crate) async fn create(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    let contact = contact_id(&call, "contactId")?;
    let mut reader = call.read_body();
    let body = reader.required("body", |reader| reader.parse("body", Prose::parse));
    let patch = patch(&mut reader);
    reader.finish()?;
    let body = body.ok_or_else(|| Error::invalid("body", "should not be empty"))?;
    let mut content = NoteContent { body, title: None, color: None, pinned: false, user: None };
    patch.apply(&mut content);
    let note = call.app.create_note(&context, contact, content).await?;
    Ok(Reply::object(201, &json!({"note": shape(&note)})))
}

pub(crate) async fn get(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    let note = call.app.get_note(&context, contact_id(&call, "contactId")?, note_id(&call)?).await?;
    Ok(Reply::object(200, &json!({"note": shape(&note)})))
}

pub(crate) async fn update(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    let (contact, id) = (contact_id(&call, "contactId")?, note_id(&call)?);
    let mut reader = call.read_update();
    let patch = patch(&mut reader);
    reader.finish()?;
    let note = call.app.update_note(&context, contact, id, patch).await?;
    Ok(Reply::object(200, &json!({"note": shape(&note)})))
}

pub(crate) async fn delete(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    call.app.delete_note(&context, contact_id(&call, "contactId")?, note_id(&call)?).await?;
    Ok(succeeded())
}
