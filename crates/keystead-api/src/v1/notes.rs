//! Notes of API 1.0.

use keystead_core::{Error, LocationContext, error::Noun};
use keystead_model::{
    NoteId, UserId,
    note::{Note, NoteContent, NotePatch},
    text::Prose,
};
use serde_json::{Value, json};

use super::empty_string;
use crate::{
    call::Call,
    reader::Reader,
    reply::Reply,
    v2::contacts::{
        contact_id,
        input::{removable, user_id},
    },
};

fn note_id(call: &Call) -> Result<NoteId, Error> {
    call.id("noteId", |text| Error::NotFound(Noun::Note, text.to_owned()))
}

fn shape(note: &Note) -> Value {
    let mut fields = json!({"id": note.id, "body": note.content.body.as_str(), "createdAt": note.created_at});
    if let Some(user) = note.content.user {
        fields["createdBy"] = json!(user);
    }
    fields
}

fn read(mut reader: Reader) -> Result<(Prose<65_000>, Option<Option<UserId>>), Error> {
    let body = reader.required("body", |reader| reader.parse("body", Prose::parse));
    let user = removable(&mut reader, "userId", user_id);
    reader.pass_over_unknown();
    reader.finish()?;
    Ok((body.ok_or_else(|| Error::invalid("body", "should not be empty"))?, user))
}

pub(crate) async fn list(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let slice = call.lenient_slice()?;
    let notes = call.app.list_notes(&context, contact_id(&call, "contactId")?).await?;
    Ok(Reply::bare(&json!({"notes": slice.of(notes).map(|note| shape(&note)).collect::<Vec<_>>()})))
}

pub(crate) async fn create(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let contact = contact_id(&call, "contactId")?;
    let (body, user) = read(call.read_body())?;
    let content = NoteContent { body, title: None, color: None, pinned: false, user: user.flatten() };
    let note = call.app.create_note(&context, contact, content).await?;
    Ok(Reply::bare(&shape(&note)))
}

pub(crate) async fn get(context: LocationContext, call: Call) -> Result<Reply, Error> {
    let note = call.app.get_note(&context, contact_id(&call, "contactId")?, note_id(&call)?).await?;
    Ok(Reply::bare(&shape(&note)))
}

pub(crate) async fn update(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let (contact, id) = (contact_id(&call, "contactId")?, note_id(&call)?);
    let (body, user) = read(call.read_update())?;
    let patch = NotePatch { body: Some(body), user, ..NotePatch::default() };
    let note = call.app.update_note(&context, contact, id, patch).await?;
    Ok(Reply::bare(&shape(&note)))
}

pub(crate) async fn delete(context: LocationContext, call: Call) -> Result<Reply, Error> {
    call.app.delete_note(&context, contact_id(&call, "contactId")?, note_id(&call)?).await?;
    Ok(empty_string())
}
