//! Do-not-disturb of contacts, stored as JSON under the wire contract's names.

use keystead_model::{
    contact::{DND_CHANNELS, Dnd, DndSettings, DndStatus},
    text::Line,
};
use serde_json::{Map, Value as Json, json};

use crate::{Error, Result};

/// What is stored of one.
pub(crate) fn read(text: &str) -> Result<Dnd> {
    of_document(&parse_json(text)?)
}

/// As [`read`] reads it.
pub(crate) fn write(dnd: &Dnd) -> String {
    to_document(dnd).to_string()
}

fn parse_json(text: &str) -> Result<Json> {
    serde_json::from_str(text).map_err(|_| Error::unreadable("a JSON document"))
}

/// What is stored of all channels.
pub(crate) fn read_settings(text: Option<String>) -> Result<DndSettings> {
    let mut settings = DndSettings::default();
    if let Some(text) = text {
        let document = parse_json(&text)?;
        for ((name, _), setting) in DND_CHANNELS.iter().zip(&mut settings) {
            *setting = document.get(*name).map(of_document).transpose()?;
        }
    }
    Ok(settings)
}

fn of_document(document: &Json) -> Result<Dnd> {
    let text = |name: &str| document.get(name).and_then(Json::as_str);
    let unreadable = || Error::unreadable("a do-not-disturb setting");
    Ok(Dnd {
        status: text("status").and_then(DndStatus::parse).ok_or_else(unreadable)?,
        message: text("message").map(Line::parse).transpose().map_err(|_| unreadable())?,
        code: text("code").map(Line::parse).transpose().map_err(|_| unreadable())?,
    })
}

fn to_document(dnd: &Dnd) -> Json {
    let Dnd { status, message, code } = dnd;
    let mut document = Map::new();
    document.insert("status".to_owned(), json!(status.as_str()));
    if let Some(message) = message {
        document.insert("message".to_owned(), json!(message.as_str()));
    }
    if let Some(code) = code {
        document.insert("code".to_owned(), json!(code.as_str()));
    }
    Json::Object(document)
}

/// As [`read_settings`] reads it; nothing where no channel has a setting.
pub(crate) fn write_settings(settings: &DndSettings) -> Option<String> {
    let document: Map<String, Json> = DND_CHANNELS
        .iter()
        .zip(settings)
        .filter_map(|((name, _), dnd)| Some(((*name).to_owned(), to_document(dnd.as_ref()?))))
        .collect();
    (!document.is_empty()).then(|| Json::Object(document).to_string())
}
