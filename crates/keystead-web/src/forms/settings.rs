//! What a form says of itself, whom it recognizes, what it holds for review, and what it says afterwards.

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Error, LocationContext};
use keystead_model::{
    form::FormPatch,
    form_schema::{Accent, OnMatch},
    text::Line,
};
use serde_json::{Map, Value as Json, json};

use super::{OVERTAKEN, PATH, SECTION, SETTINGS, Strip, TheForm, named_after, to_definition, wanted, words};
use crate::{
    Web,
    failure::Failure,
    flash::{Done, lead},
    form::{Choice, Edit, Field, Fields, Form, Kind},
    page::{Frame, render},
    place::Here,
};

/// By what somebody is recognized: value in the form, words, and as definitions have it.
const MATCHING: [(&str, &str, &[&str]); 5] = [
    ("email,phone", "Their e-mail, else their phone", &["email", "phone"]),
    ("phone,email", "Their phone, else their e-mail", &["phone", "email"]),
    ("email", "Their e-mail alone", &["email"]),
    ("phone", "Their phone alone", &["phone"]),
    ("", "Nothing: everybody is somebody new", &[]),
];

/// Where each field of the form stands in a definition, but for those that are said otherwise there.
const NAMES: [&str; 15] = [
    "name",
    "slug",
    "title",
    "intro",
    "submit",
    "contact.matchBy",
    "contact.onMatch",
    "contact.tags",
    "after.message",
    "after.redirect",
    "spam.honeypot",
    "spam.minSeconds",
    "spam.rate",
    "embed.allowedOrigins",
    "style.accent",
];

/// What a button says that saves, and does more with what was saved.
const THEN: &str = "then";
const PUBLISH: &str = "publish";

/// What a setting is called, by its place in a definition.
pub(super) fn label_of(path: &str) -> Option<String> {
    fields().into_iter().find(|field| field.name == path).map(|field| field.label.to_string())
}

fn fields() -> Vec<Field> {
    let on_match = [
        (OnMatch::FillEmpty, "Fill what is empty in the contact"),
        (OnMatch::Update, "Write what was answered over what is there"),
        (OnMatch::Never, "Change nothing in the contact"),
    ];
    let accents = Accent::ALL.iter().map(|accent| Choice::new(accent.as_str(), capital(accent.as_str())));
    vec![
        Field::line("name", "Name").needed("Enter a name").with("maxlength=200"),
        Field::line("title", "Heading").hint("Stands above the form; its name, if you leave this empty.").with("maxlength=200"),
        Field::new(Kind::Lines(3), "intro", "Introduction").with("maxlength=2000"),
        Field::line("submit", "Button").hint("Send, if you leave this empty.").with("maxlength=50").half(),
        Field::new(Kind::Select, "style.accent", "Colour").of(accents).half(),
        Field::line("slug", "Address").hint("A short name for its address, such as contact-us.").with("maxlength=64 autocomplete=off"),
        Field::new(Kind::Select, "contact.matchBy", "Recognize contacts by")
            .of(MATCHING.map(|(value, words, _)| Choice::new(value, words)))
            .half(),
        Field::new(Kind::Select, "contact.onMatch", "When somebody is recognized")
            .of(on_match.map(|(rule, words)| Choice::new(rule.as_str(), words)))
            .hint("An e-mail address or phone number is never added by strangers: it waits at the submission.")
            .half(),
        Field::line("contact.tags", "Tags that they get").hint("Separated by commas."),
        Field::new(Kind::Lines(2), "after.message", "What is said afterwards")
            .hint("{{answer.name}} stands for the answer to the field name. Nothing that is known of a contact can stand there."),
        Field::line("after.redirect", "Then lead to").hint("An address such as https://example.com/thanks."),
        Field::new(Kind::Check, "spam.honeypot", "A trap for programs").hint("A field that people do not see; what is written there is held for review."),
        Field::typed("number", "spam.minSeconds", "Hold what is sent within seconds").with("min=0 max=60").half(),
        Field::line("spam.rate", "Hold more from one place than").hint("Such as 10/min/ip.").half(),
        Field::new(Kind::Lines(2), "embed.allowedOrigins", "Sites that may show it")
            .hint("One on each line, such as https://example.com. This site always may."),
    ]
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// What stands at a place such as `contact.tags`.
fn at<'d>(definition: &'d Map<String, Json>, place: &str) -> Option<&'d Json> {
    match place.split_once('.') {
        Some((object, name)) => definition.get(object)?.get(name),
        None => definition.get(place),
    }
}

fn form_of(form: &TheForm) -> Form {
    let definition = form.content.definition.fields();
    let text = |place: &str, separator: &str| match at(&definition, place) {
        Some(Json::String(text)) => text.clone(),
        Some(Json::Number(number)) => number.to_string(),
        Some(Json::Array(list)) => list.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(separator),
        _ => String::new(),
    };
    let mut pairs: Vec<(&str, String)> = NAMES
        .into_iter()
        .map(|name| match name {
            "name" => (name, form.content.name.as_str().to_owned()),
            "contact.matchBy" if at(&definition, name).is_none() => (name, "email,phone".to_owned()),
            "contact.matchBy" => (name, text(name, ",")),
            "contact.tags" => (name, text(name, ", ")),
            "spam.honeypot" => {
                let is_off = at(&definition, name) == Some(&Json::Bool(false));
                (name, if is_off { String::new() } else { "on".to_owned() })
            }
            name => (name, text(name, "\n")),
        })
        .collect();
    for (name, usual) in [
        ("spam.minSeconds", "2"),
        ("spam.rate", "10/min/ip"),
        ("style.accent", "plain"),
        ("contact.onMatch", "fill_empty"),
    ] {
        if let Some((_, value)) = pairs.iter_mut().find(|(known, value)| *known == name && value.is_empty()) {
            usual.clone_into(value);
        }
    }
    Form::filled(fields(), pairs).opened_on(form)
}

/// The definition with what the form says; what it does not show stays.
fn written(form: &Form, mut definition: Map<String, Json>) -> Map<String, Json> {
    let mut put = |place: &str, value: Option<Json>| {
        let (object, name) = match place.split_once('.') {
            Some((object, name)) => {
                let inner = definition.entry(object).or_insert_with(|| json!({}));
                (inner.as_object_mut(), name)
            }
            None => (Some(&mut definition), place),
        };
        match (object, value) {
            (Some(object), Some(value)) => drop(object.insert(name.to_owned(), value)),
            (Some(object), None) => drop(object.shift_remove(name)),
            (None, _) => {}
        }
    };
    for name in [
        "slug",
        "title",
        "intro",
        "submit",
        "contact.onMatch",
        "after.message",
        "after.redirect",
        "spam.rate",
        "style.accent",
    ] {
        put(name, form.text(name).map(Json::from));
    }
    let split = |name: &str, by: char| -> Option<Json> {
        let parts = form.text(name)?.split(by).map(str::trim).filter(|part| !part.is_empty());
        Some(parts.map(Json::from).collect())
    };
    put("contact.tags", split("contact.tags", ','));
    put("embed.allowedOrigins", split("embed.allowedOrigins", '\n'));
    let chosen = form.text("contact.matchBy").unwrap_or_default();
    put("contact.matchBy", MATCHING.iter().find(|(value, ..)| *value == chosen).map(|(.., by)| json!(by)));
    put("spam.honeypot", (!form.is_checked("spam.honeypot")).then_some(Json::Bool(false)));
    // A number that is none is refused by its own sentence.
    put(
        "spam.minSeconds",
        form.text("spam.minSeconds").map(|text| text.parse::<i64>().map_or_else(|_| Json::from(text), Json::from)),
    );
    definition.retain(|_, part| part.as_object().is_none_or(|part| !part.is_empty()));
    definition
}

#[derive(Template)]
#[template(path = "forms/settings.html")]
struct Settings {
    frame: Frame,
    strip: Strip,
    form: Form,
}

async fn page(
    web: &Web,
    here: &Here,
    context: &LocationContext,
    form: &TheForm,
    asked: Form,
) -> Result<Settings, Error> {
    Ok(Settings {
        frame: Frame::of(here, form.content.name.as_str(), SECTION),
        strip: Strip::of(web, here, context, form, SETTINGS).await?,
        form: asked,
    })
}

pub(crate) async fn edit(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (context, form) = wanted(&web, &here).await?;
    Ok(render(&page(&web, &here, &context, &form, form_of(&form)).await?))
}

/// Publishes what was just saved, or says why that cannot be: what was typed is kept either way.
async fn publish(web: &Web, here: &Here, context: &LocationContext, saved: TheForm) -> Result<Response, Failure> {
    let mut asked = form_of(&saved);
    let careful = context.clone().with_seen(asked.seen::<TheForm>());
    let work = async {
        let published = web.app.publish_form(&careful, saved.id).await;
        let definition = saved.content.definition.fields();
        published.map_err(|error| words::in_words(named_after(error, "definition.", &NAMES), &definition))
    };
    match asked.edit(work).await? {
        Edit::Saved(form) => {
            let url = here.url(&format!("{PATH}/{}/settings", form.id));
            return Ok(lead(web, &url, Done::FormPublished, form.content.name.as_str()));
        }
        Edit::Overtaken => asked.generally(OVERTAKEN),
        Edit::Wrong => {}
    }
    asked.generally("What you changed here is saved. Others do not see it yet");
    let page = page(web, here, context, &saved, asked).await?;
    Ok(page.form.again(&page))
}

pub(crate) async fn update(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let (context, form) = wanted(&web, &here).await?;
    let mut asked = Form::new(fields(), sent);
    let name = asked.read("name", Line::parse);
    let definition = written(&asked, form.content.definition.fields());
    let careful = context.clone().with_seen(asked.seen::<TheForm>());
    let work = async |name| {
        let patch = FormPatch { name: Some(name), definition: Some(to_definition(definition)?) };
        let saved = web.app.update::<TheForm>(&careful, (), form.id, patch).await;
        let before = form.content.definition.fields();
        saved.map_err(|error| words::in_words(named_after(error, "definition.", &NAMES), &before))
    };
    match asked.edit_with(name, work).await? {
        Edit::Saved(saved) if asked.text(THEN) == Some(PUBLISH) => return publish(&web, &here, &context, saved).await,
        Edit::Saved(saved) => {
            let url = here.url(&format!("{PATH}/{}/settings", saved.id));
            return Ok(lead(&web, &url, Done::FormSaved, saved.content.name.as_str()));
        }
        Edit::Overtaken => asked.overtaken("form", &form, &form_of(&form)),
        Edit::Wrong => {}
    }
    let page = page(&web, &here, &context, &form, asked).await?;
    Ok(page.form.again(&page))
}
