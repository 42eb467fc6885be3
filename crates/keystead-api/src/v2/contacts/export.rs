//! Contacts in files: as rows that spreadsheets read and imports take, and as API 2.0 answers them.

use std::{error::Error as StdError, sync::Arc};

use bytes::Bytes;
use futures_util::stream::try_unfold;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use keystead_core::{ContactDossier, ContactFormat, ContactWriter, Error, InParts, Kept, LocationContext};
use keystead_http::spreadsheet::to_bytes;
use keystead_model::{ContactId, contact::Contact, custom_field::CustomField, file::StoredFile};
use serde_json::{Value, json};

use crate::{
    call::Call,
    reply::{Content, Reply},
    route::Face,
    shape::{
        Fields, Output, Way, Written,
        output::{self, Answer, Definitions},
    },
    v2::{Version, events, samples},
};

/// Columns, and the members of a contact in them.
const COLUMNS: &[(&str, &str)] = &[
    ("Id", "id"),
    ("First Name", "firstName"),
    ("Last Name", "lastName"),
    ("Email", "email"),
    ("Phone", "phone"),
    ("Additional Emails", "additionalEmails"),
    ("Additional Phones", "additionalPhones"),
    ("Company Name", "companyName"),
    ("Address1", "address1"),
    ("City", "city"),
    ("State", "state"),
    ("Postal Code", "postalCode"),
    ("Country", "country"),
    ("Website", "website"),
    ("Timezone", "timezone"),
    ("Source", "source"),
    ("Date Of Birth", "dateOfBirth"),
    ("Assigned To", "assignedTo"),
    ("Tags", "tags"),
    ("DND", "dnd"),
    ("DND Settings", "dndSettings"),
    ("Inbound DND Settings", "inboundDndSettings"),
    ("Date Added", "dateAdded"),
    ("Date Updated", "dateUpdated"),
];

/// Writes contacts into files.
pub struct Downloads {
    /// `https://crm.example`, for the addresses of files; without one they begin with their path.
    pub base_url: Option<Arc<str>>,
}

impl ContactWriter for Downloads {
    fn head(&self, format: ContactFormat, custom: &[CustomField]) -> Vec<u8> {
        match format {
            ContactFormat::Csv => {
                let own = COLUMNS.iter().map(|(title, _)| (*title).to_owned());
                to_bytes([own.chain(custom.iter().map(CustomField::field_key))])
            }
            ContactFormat::JsonLines => Vec::new(),
        }
    }

    fn contacts(&self, format: ContactFormat, custom: &[CustomField], contacts: &[Contact]) -> Vec<u8> {
        let whole = contacts.iter().map(|contact| output::bytes_of(contact, self.way()));
        match format {
            ContactFormat::Csv => to_bytes(whole.map(|bytes| row(&bytes, custom))),
            ContactFormat::JsonLines => whole.flat_map(|bytes| [bytes, b"\n".to_vec()]).flatten().collect(),
        }
    }

    fn kept(&self, kept: &Kept) -> Vec<Vec<u8>> {
        match kept {
            Kept::Contact(contact) => vec![output::bytes_of(&**contact, self.way())],
            Kept::Notes(notes) => self.objects(notes),
            Kept::Tasks(tasks) => self.objects(tasks),
            Kept::RecurringTasks(tasks) => self.objects(tasks),
            Kept::Opportunities(opportunities) => self.objects(opportunities),
            Kept::Enrollments(enrollments) => self.objects(enrollments),
            Kept::FormSubmissions(submissions) => self.objects(submissions),
            Kept::SurveySubmissions(submissions) => self.objects(submissions),
            Kept::InboundPayloads(payloads) => self.objects(payloads),
            Kept::LinkTokens(tokens) => self.objects(tokens),
            Kept::Clicks(clicks) => self.objects(clicks),
            Kept::Files(files) => self.objects(&files.iter().cloned().map(Named).collect::<Vec<_>>()),
            Kept::Events(events) => self.objects(&events.iter().cloned().map(events::Shape).collect::<Vec<_>>()),
        }
    }
}

impl Downloads {
    fn objects<T: Written>(&self, things: &[T]) -> Vec<Vec<u8>> {
        things.iter().map(|thing| output::bytes_of(thing, self.way())).collect()
    }

    fn way(&self) -> Way {
        Way { base_url: self.base_url.clone(), ..Way::of(Face::V2, Version::V3) }
    }
}

/// A file by its name: its bytes are no JSON.
struct Named(StoredFile);

impl Written for Named {
    fn sample() -> Self {
        Self(samples::file())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let StoredFile { id, name, kind, size, .. } = &self.0;
        fields.put("id", id);
        fields.put("name", name);
        fields.put("mimetype", kind);
        fields.put("size", size);
    }
}

fn row(contact: &[u8], custom: &[CustomField]) -> Vec<String> {
    let contact: Value = serde_json::from_slice(contact).expect("what is written is JSON");
    let own = COLUMNS.iter().map(|(_, member)| text(&contact[*member]));
    own.chain(custom.iter().map(|field| held(&contact, field.id.as_str()))).collect()
}

fn held(contact: &Value, field: &str) -> String {
    let values = contact["customFields"].as_array().into_iter().flatten();
    values.into_iter().find(|value| value["id"] == field).map_or_else(String::new, |value| match &value["value"] {
        // A file is told by where it is.
        Value::Object(files) if files.values().all(|file| file.get("url").is_some()) => {
            files.values().map(|file| text(&file["url"])).collect::<Vec<_>>().join("; ")
        }
        value => text(value),
    })
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        // What stands between two must not stand in one of them.
        Value::Array(items) if items.iter().all(|item| !text(item).contains([',', ';', '['])) => {
            items.iter().map(text).collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    }
}

/// All that is kept of a contact, read while it is sent.
pub(crate) struct Everything(ContactDossier);

pub(crate) async fn everything(context: LocationContext, call: Call<ContactId>) -> Result<Everything, Error> {
    let writer = Arc::new(Downloads { base_url: Some(call.base_url) });
    call.app.export_contact(&context, call.path, writer).await.map(Everything)
}

impl Output for Everything {
    fn reply(self, status: u16, _: Way, _: bool) -> Reply {
        let parts = try_unfold(self.0, |mut dossier| async move {
            let part = dossier.next().await?;
            Ok::<_, Box<dyn StdError + Send + Sync>>(part.map(|part| (Frame::data(Bytes::from(part)), dossier)))
        });
        let stream = Some(BodyExt::boxed_unsync(StreamBody::new(parts)));
        Reply { status, stream, ..Reply::of(Vec::new(), Content::Other("application/json")) }
    }

    fn describe(_: &mut Definitions) -> Answer {
        let description = "The contact, and by kind what belongs to it; leftOut names what the key may not read";
        Answer::Other("application/json", json!({"type": "object", "description": description}))
    }
}
