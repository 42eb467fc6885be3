//! What messages say: the wire contract's flat bodies for the events that it has, and a body of ours for all others.

use keystead_model::{
    UserId,
    contact::{Contact, ContactProfile, DND_CHANNELS},
    event::{EventKind, NewEvent, Subject},
    field_value::ValueSet,
    location::Location,
    note::Note,
    opportunity::Opportunity,
    task::Task,
    text::Line,
    user::User,
};
use serde_json::{Value as Json, json};

use crate::{
    contacts::described,
    events::{Fields, Happened, put},
    opportunities::number,
};

/// What the contract calls what happened: several things, where one change is several of its events; nothing of what it has no
/// event for.
pub(super) fn names(happened: &Happened<'_>) -> Vec<&'static str> {
    use EventKind as K;
    let changes = |fields: &[&str]| fields.iter().any(|field| happened.changes(field));
    let also = |is_so: bool, name: &'static str| is_so.then_some(name);
    let (first, others) = match happened.kind() {
        K::ContactCreated => ("ContactCreate", vec![]),
        K::ContactUpdated => (
            "ContactUpdate",
            vec![
                also(changes(&["tags"]), "ContactTagUpdate"),
                also(changes(&["dnd", "dndSettings", "inboundDndSettings"]), "ContactDndUpdate"),
            ],
        ),
        K::ContactDeleted => ("ContactDelete", vec![]),
        K::NoteCreated => ("NoteCreate", vec![]),
        K::NoteUpdated => ("NoteUpdate", vec![]),
        K::NoteDeleted => ("NoteDelete", vec![]),
        K::TaskCreated => ("TaskCreate", vec![]),
        K::TaskUpdated if happened.became("completed") == Some(&Json::Bool(true)) => ("TaskComplete", vec![]),
        K::TaskDeleted => ("TaskDelete", vec![]),
        K::OpportunityCreated => ("OpportunityCreate", vec![]),
        K::OpportunityUpdated => (
            "OpportunityUpdate",
            vec![
                also(changes(&["pipelineStageId", "pipelineId"]), "OpportunityStageUpdate"),
                also(changes(&["status"]), "OpportunityStatusUpdate"),
                also(changes(&["monetaryValue"]), "OpportunityMonetaryValueUpdate"),
                also(changes(&["assignedTo"]), "OpportunityAssignedToUpdate"),
            ],
        ),
        K::OpportunityDeleted => ("OpportunityDelete", vec![]),
        K::LocationCreated => ("LocationCreate", vec![]),
        K::LocationUpdated => ("LocationUpdate", vec![]),
        K::UserCreated => ("UserCreate", vec![]),
        K::UserUpdated | K::UserRoleChanged => ("UserUpdate", vec![]),
        K::UserDeleted => ("UserDelete", vec![]),
        _ => return Vec::new(),
    };
    std::iter::once(first).chain(others.into_iter().flatten()).collect()
}

/// Whether the contract has no event for what happened, so that what is told of it stands in the event alone.
pub(super) fn is_ours(kind: EventKind) -> bool {
    names(&Happened::to(kind, EXAMPLE)).is_empty()
}

/// The body of one of the contract's events.
pub(super) fn of_contract(name: &str, id: Numbered<'_>, event: &NewEvent, flat: Option<&Fields>) -> Json {
    let mut body = head(name, id, event);
    // These say of a location and a user where they are by themselves.
    if !name.starts_with("Location") && !name.starts_with("User") {
        put(&mut body, "locationId", event.location.as_ref().map(|location| location.as_str()));
    }
    match flat {
        Some(flat) => body.extend(flat.iter().map(|(name, value)| (name.clone(), value.clone()))),
        // It is gone, and nothing is known of it but that.
        None => put(&mut body, "id", Some(event.subject.as_str())),
    }
    if name != "ContactDndUpdate" {
        body.shift_remove("dndSettings");
    }
    Json::Object(body)
}

/// The body of an event of ours: what changed, as the list of events has it.
pub(super) fn of_ours(id: Numbered<'_>, event: &NewEvent) -> Json {
    let mut body = head(event.kind.as_str(), id, event);
    put(&mut body, "locationId", event.location.as_ref().map(|location| location.as_str()));
    put(&mut body, "companyId", Some(event.agency.as_str()));
    let fields = |text: &Option<String>| text.as_ref().and_then(|text| serde_json::from_str::<Json>(text).ok());
    let mut told = Fields::new();
    put(&mut told, "id", Some(event.subject.as_str()));
    put(&mut told, "contactId", event.contact.as_ref().map(|contact| contact.as_str()));
    put(&mut told, "before", fields(&event.before));
    put(&mut told, "after", fields(&event.after));
    put(&mut body, "data", Some(Json::Object(told)));
    Json::Object(body)
}

/// The id of a message, and the number of its event among all that are told of its location or agency; an example has none.
type Numbered<'i> = (&'i str, Option<i64>);

fn head(name: &str, (id, sequence): Numbered<'_>, event: &NewEvent) -> Fields {
    let mut body = Fields::new();
    put(&mut body, "type", Some(name));
    put(&mut body, "timestamp", Some(event.at.to_iso()));
    put(&mut body, "webhookId", Some(id));
    put(&mut body, "sequence", sequence);
    body
}

pub(crate) fn contact(contact: &Contact) -> Fields {
    let ContactProfile {
        first_name,
        last_name,
        email,
        phone,
        company_name,
        address1,
        city,
        state,
        postal_code,
        country,
        website,
        source,
        date_of_birth,
        assigned_to,
        dnd,
        dnd_settings,
        ..
    } = &contact.profile;
    let mut fields = Fields::new();
    put(&mut fields, "id", Some(contact.id.as_str()));
    put(&mut fields, "address1", address1.as_ref().map(Line::as_str));
    put(&mut fields, "city", city.as_ref().map(Line::as_str));
    put(&mut fields, "state", state.as_ref().map(Line::as_str));
    put(&mut fields, "companyName", company_name.as_ref().map(Line::as_str));
    put(&mut fields, "country", country.as_ref().map(|country| country.as_str()));
    put(&mut fields, "source", source.as_ref().map(Line::as_str));
    put(&mut fields, "dateAdded", Some(contact.created_at.to_iso()));
    // A full instant here, unlike anywhere else.
    put(&mut fields, "dateOfBirth", date_of_birth.map(|born| born.to_utc().to_iso()));
    put(&mut fields, "dnd", Some(*dnd));
    let channels = DND_CHANNELS.iter().zip(dnd_settings);
    let channels = channels.filter_map(|((name, _), dnd)| Some(((*name).to_owned(), described(dnd.as_ref()?))));
    put(&mut fields, "dndSettings", Some(channels.collect::<Fields>()));
    put(&mut fields, "email", email.as_ref().map(|email| email.as_str()));
    put(&mut fields, "name", contact.profile.full_name());
    put(&mut fields, "firstName", first_name.as_ref().map(Line::as_str));
    put(&mut fields, "lastName", last_name.as_ref().map(Line::as_str));
    put(&mut fields, "phone", phone.as_ref().map(|phone| phone.as_str()));
    put(&mut fields, "postalCode", postal_code.as_ref().map(Line::as_str));
    put(&mut fields, "tags", Some(contact.tags.iter().map(|tag| tag.as_str()).collect::<Vec<_>>()));
    put(&mut fields, "website", website.as_ref().map(Line::as_str));
    put(&mut fields, "attachments", Some(Vec::<String>::new()));
    put(&mut fields, "assignedTo", assigned_to.as_ref().map(UserId::as_str));
    put(&mut fields, "customFields", Some(values(&contact.custom_fields)));
    fields
}

fn values(set: &ValueSet) -> Vec<Json> {
    set.iter().map(|held| json!({"id": held.field.id, "value": held.to_json()})).collect()
}

pub(crate) fn note(note: &Note) -> Fields {
    let mut fields = Fields::new();
    put(&mut fields, "id", Some(note.id.as_str()));
    put(&mut fields, "body", Some(note.content.body.as_str()));
    put(&mut fields, "contactId", Some(note.contact.as_str()));
    put(&mut fields, "dateAdded", Some(note.created_at.to_iso()));
    fields
}

pub(crate) fn task(task: &Task) -> Fields {
    let mut fields = Fields::new();
    put(&mut fields, "id", Some(task.id.as_str()));
    put(&mut fields, "assignedTo", task.content.assigned_to.as_ref().map(UserId::as_str));
    put(&mut fields, "body", task.content.body.as_ref().map(|body| body.as_str()));
    put(&mut fields, "contactId", Some(task.contact.as_str()));
    put(&mut fields, "title", Some(task.content.title.as_str()));
    put(&mut fields, "dateAdded", Some(task.created_at.to_iso()));
    put(&mut fields, "dueDate", Some(task.content.due_at.to_iso()));
    fields
}

pub(crate) fn opportunity(opportunity: &Opportunity) -> Fields {
    let content = &opportunity.content;
    let mut fields = Fields::new();
    put(&mut fields, "id", Some(opportunity.id.as_str()));
    put(&mut fields, "assignedTo", content.assigned_to.as_ref().map(UserId::as_str));
    put(&mut fields, "contactId", Some(content.contact.as_str()));
    put(&mut fields, "monetaryValue", Some(number(content.value)));
    put(&mut fields, "name", Some(content.name.as_str()));
    put(&mut fields, "pipelineId", Some(content.pipeline.as_str()));
    put(&mut fields, "pipelineStageId", Some(content.stage.as_str()));
    put(&mut fields, "source", content.source.as_ref().map(Line::as_str));
    put(&mut fields, "status", Some(content.status.as_str()));
    put(&mut fields, "dateAdded", Some(opportunity.created_at.to_iso()));
    fields
}

pub(crate) fn location(location: &Location) -> Fields {
    let mut fields = Fields::new();
    put(&mut fields, "id", Some(location.id.as_str()));
    put(&mut fields, "companyId", Some(location.agency.as_str()));
    put(&mut fields, "name", Some(location.profile.name.as_str()));
    put(&mut fields, "email", location.profile.email.as_ref().map(|email| email.as_str()));
    fields
}

pub(crate) fn user(user: &User) -> Fields {
    let profile = &user.profile;
    let locations: Vec<&str> = user.locations.iter().map(|location| location.as_str()).collect();
    let permissions: Fields = profile.permissions.iter().map(|(name, is_on)| (name.clone(), (*is_on).into())).collect();
    let mut fields = Fields::new();
    put(&mut fields, "id", Some(user.id.as_str()));
    match &locations[..] {
        [only] => put(&mut fields, "locationId", Some(*only)),
        _ => {
            put(&mut fields, "companyId", Some(user.agency.as_str()));
            put(&mut fields, "locations", Some(locations));
        }
    }
    put(&mut fields, "firstName", user.first_name.as_ref().map(Line::as_str));
    put(&mut fields, "lastName", user.last_name.as_ref().map(Line::as_str));
    put(&mut fields, "email", Some(user.email.as_str()));
    put(&mut fields, "role", Some(user.role.role()));
    put(&mut fields, "permissions", Some(Json::Object(permissions)));
    put(&mut fields, "scopes", Some(profile.scopes.clone()));
    put(&mut fields, "phone", profile.phone.as_ref().map(Line::as_str));
    put(&mut fields, "extension", profile.extension.as_ref().map(Line::as_str));
    fields
}

/// The id of everything in an example.
pub(super) const EXAMPLE: &str = "0000000000000example";

/// What an event says of an example, and what it is called.
pub(super) fn example(id: Numbered<'_>, event: &NewEvent) -> (&'static str, Json) {
    let happened = Happened::to(event.kind, EXAMPLE);
    let Some(name) = names(&happened).first().copied() else {
        let after = event.after.clone().or_else(|| Some(example_of_ours(event.kind, &event.at.to_iso())?.to_string()));
        return (event.kind.as_str(), of_ours(id, &NewEvent { after, ..event.clone() }));
    };
    let at = event.at.to_iso();
    let flat = match event.kind.subject() {
        Subject::Contact => json!({
            "id": EXAMPLE, "dateAdded": at, "dnd": false, "dndSettings": {}, "email": "ada@example.com", "name": "Ada Example",
            "firstName": "Ada", "lastName": "Example", "phone": "+14155550123", "tags": ["example"], "attachments": [],
            "customFields": [],
        }),
        Subject::Note => json!({"id": EXAMPLE, "body": "An example", "contactId": EXAMPLE, "dateAdded": at}),
        Subject::Task => {
            json!({"id": EXAMPLE, "contactId": EXAMPLE, "title": "An example", "dateAdded": at, "dueDate": at})
        }
        Subject::Opportunity => json!({
            "id": EXAMPLE, "contactId": EXAMPLE, "monetaryValue": 100, "name": "An example", "pipelineId": EXAMPLE,
            "pipelineStageId": "00000000-0000-8000-8000-000000000000", "status": "open", "dateAdded": at,
        }),
        Subject::Location => json!({"id": EXAMPLE, "companyId": event.agency, "name": "An example"}),
        _ => json!({
            "id": EXAMPLE, "companyId": event.agency, "locations": [], "firstName": "Ada", "lastName": "Example",
            "email": "ada@example.com", "role": "user", "permissions": {}, "scopes": [],
        }),
    };
    (name, of_contract(name, id, event, flat.as_object()))
}

/// What people most often build upon, as it is told of.
fn example_of_ours(kind: EventKind, at: &str) -> Option<Json> {
    Some(match kind {
        EventKind::FormSubmitted | EventKind::SurveySubmitted => json!({
            "formId": EXAMPLE, "contactId": EXAMPLE, "answers": {"first_name": "Ada", "email": "ada@example.com"},
            "version": 1, "formName": "An example",
        }),
        EventKind::LinkClicked => {
            json!({"clickId": EXAMPLE, "name": "An example", "clickedAt": at, "device": "phone"})
        }
        EventKind::InboundWebhookReceived => json!({"payloadId": EXAMPLE}),
        _ => return None,
    })
}
