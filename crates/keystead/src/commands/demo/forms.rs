//! A form of each location, and what people sent in by it.

use keystead_core::{AgencyContext, App, FormAddress, FormFile, LocationContext, NewFile, StrangersAnswers};
use keystead_http::Upload;
use keystead_model::{
    LocationId,
    form::{AsForm, Form, FormContent, FormDefinition, FormPatch, Visit},
    id::Id,
    text::Line,
};
use serde_json::{Value, json};

use super::{FIRST, LAST, known};
use crate::failure::Failure;

/// What they were asked.
fn definition() -> Value {
    json!({
        "title": "Write to us",
        "intro": "Tell us what you need. We answer within one working day.",
        "slug": "contact",
        "pages": [
            {"fields": [
                {"key": "name", "type": "text", "label": "Name", "required": true, "mapsTo": "contact.full_name"},
                {"key": "email", "type": "email", "label": "E-mail", "required": true, "width": 50, "mapsTo": "contact.email"},
                {"key": "phone", "type": "phone", "label": "Phone", "width": 50, "mapsTo": "contact.phone"},
                {"key": "reason", "type": "radio", "label": "What brings you here?", "required": true,
                    "options": ["A question", "An appointment", "Something else"]},
                {"key": "day", "type": "date", "label": "Which day suits you?",
                    "visibleIf": {"field": "reason", "op": "eq", "value": "An appointment"}},
            ]},
            {"title": "Your words", "fields": [
                {"key": "message", "type": "textarea", "label": "What can we do for you?", "required": true},
                {"key": "papers", "type": "file", "label": "Photos or papers", "accept": ["pdf", "jpg", "png", "txt"], "multiple": true},
                {"key": "rating", "type": "rating", "label": "How easy was it to find us?"},
                {"key": "source", "type": "hidden", "label": "Source", "from": "query:utm_source"},
                {"key": "consent", "type": "consent", "label": "You may store these answers and write to me about them.",
                    "required": true},
            ]},
        ],
        "contact": {"tags": ["web-lead"]},
        "after": {"message": "Thank you, {{answer.name}}. We write to {{answer.email}}."},
        "style": {"accent": "blue"},
    })
}

fn to_definition(json: &Value) -> Result<FormDefinition, Failure> {
    known(FormDefinition::new(json.as_object().cloned().unwrap_or_default()))
}

/// Makes and publishes the form, lets people answer it, and changes its draft.
pub(super) async fn made(app: &App, maria: &AgencyContext, location: LocationId) -> Result<(), Failure> {
    let context = app.enter_location(maria.authority().clone(), Some(location)).await?;
    let content = FormContent { name: known(Line::parse("Contact form"))?, definition: to_definition(&definition())? };
    let form: Form<AsForm> = app.create(&context, (), content).await?;
    app.publish_form(&context, form.id).await?;
    answered(app, form.id).await?;
    let mut newer = definition();
    newer["pages"][1]["fields"][2]["label"] = json!("How easy was it to find our page?");
    let patch = FormPatch { definition: Some(to_definition(&newer)?), name: None };
    app.update(&context, (), form.id, patch).await?;
    newsletter(app, &context).await
}

/// A form that nobody else sees yet.
async fn newsletter(app: &App, context: &LocationContext) -> Result<(), Failure> {
    let asking = json!({"pages": [{"fields": [
        {"key": "email", "type": "email", "label": "E-mail", "required": true, "mapsTo": "contact.email"},
    ]}]});
    let content = FormContent { name: known(Line::parse("Newsletter"))?, definition: to_definition(&asking)? };
    app.create::<Form<AsForm>>(context, (), content).await?;
    Ok(())
}

/// What one of them brought.
fn letter() -> FormFile {
    const TEXT: &str = "Dear all,\n\nplease find below what my dentist wrote last year.\n";
    let (file, name) = (Upload::of(TEXT.as_bytes()), Some("letter.txt".to_owned()));
    let (key, sha256, size) = ("papers".to_owned(), file.sha256, file.length);
    FormFile { new: NewFile { part: key.clone(), name, kind: None, size, bytes: Box::new(file) }, key, sha256 }
}

async fn answered(app: &App, id: Id<Form<AsForm>>) -> Result<(), Failure> {
    let open = app.open_form(FormAddress::Id(id)).await?;
    for number in 0..12usize {
        let (first, last) = (FIRST[number * 3 % FIRST.len()], LAST[number * 7 % LAST.len()]);
        let reason = ["A question", "An appointment", "Something else"][number % 3];
        // Some of them are known, and one is a program.
        let email = match number % 4 {
            0 => format!("{}.{}{number}@example.com", FIRST[number % FIRST.len()], LAST[0]).to_lowercase(),
            _ => format!("{first}.{last}@mail.example").to_lowercase(),
        };
        let answers = json!({
            "name": format!("{first} {last}"), "email": email, "phone": format!("+1415555{:04}", 8_000 + number), "reason": reason,
            "message": "Could you call me back this week? Mornings are best.", "consent": true,
        });
        let visit = Visit::new(
            Some("https://www.northwind.example/contact?utm_source=mail"),
            Some("https://search.example/"),
            Some("en-US"),
        );
        let new = StrangersAnswers {
            answers: answers.as_object().cloned().unwrap_or_default(),
            files: (number % 6 == 2).then(letter).into_iter().collect(),
            key: None,
            page: (number % 5 == 4).then(|| (app.page_token(id), true)),
            visit,
            address: [198, 51, 100, number as u8].into(),
            address_is_own: true,
            request: None,
        };
        app.answer_form(&open, new).await?;
    }
    Ok(())
}
