//! The custom values of a location: texts that stand in one place and are used in many.

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Error, LocationContext, error::Noun};
use keystead_model::{
    CustomValueId,
    custom_value::{CustomValue, CustomValueContent},
    page::Window,
    scope::Scope,
    search::fold,
    text::{Line, Prose},
};

use crate::{
    Web,
    ask::Ask,
    failure::Failure,
    flash::{Done, lead},
    form::{Edit, Field, Fields, Form, Kind},
    list::{Asked, Listing, PAGE},
    page::{Frame, render},
    place::Here,
};

const SECTION: &str = "custom-values";
const PATH: &str = "/settings/custom-values";

struct Row {
    name: String,
    key: String,
    value: String,
    url: String,
}

#[derive(Template)]
#[template(path = "custom_values/list.html")]
struct Values {
    frame: Frame,
    rows: Vec<Row>,
    list: Listing,
    may_write: bool,
    new_url: String,
}

/// How texts name a value.
fn key(value: &CustomValue) -> String {
    format!("{{{{ custom_values.{} }}}}", value.key)
}

pub(crate) async fn list(State(web): State<Web>, asked: Asked, here: Here) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    let wanted = fold(asked.text("q").unwrap_or_default());
    // There are no more of them than people make by hand.
    let mut all: Vec<CustomValue> = web.app.list::<CustomValue>(&context, (), Window::all()).await?.rows;
    let suits = |value: &CustomValue| {
        let texts = [value.content.name.as_str(), value.key.as_str(), value.content.value.as_str()];
        texts.into_iter().any(|text| fold(text).contains(&wanted))
    };
    all.retain(suits);
    all.sort_by_key(|value| fold(value.content.name.as_str()));
    let row = |value: &CustomValue| Row {
        name: value.content.name.as_str().to_owned(),
        key: key(value),
        value: value.content.value.as_str().to_owned(),
        url: here.url(&format!("{PATH}/{}", value.id)),
    };
    let (passed, length) = (asked.skipped() as usize, PAGE as usize);
    let rows: Vec<Row> = all.iter().skip(passed).take(length).map(row).collect();
    let has_more = all.len() > passed + rows.len();
    Ok(render(&Values {
        frame: Frame::of(&here, "Custom values", SECTION),
        list: Listing::new(here.url(PATH), &asked, rows.len(), has_more, all.len() as i64),
        rows,
        may_write: here.authority().grant().allows(Scope::CustomValuesWrite),
        new_url: here.url(&format!("{PATH}/new")),
    }))
}

fn fields() -> Vec<Field> {
    vec![
        Field::line("name", "Name").needed("Enter a name").with("maxlength=200"),
        Field::new(Kind::Lines(4), "value", "Value").needed("Enter what it stands for").with("maxlength=10000"),
    ]
}

fn read(form: &mut Form) -> Option<CustomValueContent> {
    let (name, value) = (form.read("name", Line::parse), form.read("value", Prose::parse));
    Some(CustomValueContent { name: name?, value: value? })
}

#[derive(Template)]
#[template(path = "custom_values/form.html")]
struct Editor {
    frame: Frame,
    heading: String,
    /// Of one that is there: how texts name it, and where it is deleted.
    existing: Option<(String, String)>,
    form: Form,
    list_url: String,
}

fn editor(here: &Here, existing: Option<&CustomValue>, form: Form) -> Editor {
    let heading = existing.map_or("Add a custom value", |value| value.content.name.as_str());
    Editor {
        frame: Frame::of(here, heading, SECTION),
        heading: heading.to_owned(),
        existing: existing.map(|value| (key(value), here.url(&format!("{PATH}/{}/delete", value.id)))),
        form,
        list_url: here.url(PATH),
    }
}

pub(crate) async fn new(here: Here) -> Result<Response, Failure> {
    here.place()?;
    here.authority().require(Scope::CustomValuesWrite)?;
    Ok(render(&editor(&here, None, Form::new(fields(), Vec::new()))))
}

pub(crate) async fn create(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    here.authority().require(Scope::CustomValuesWrite)?;
    let context = here.enter(&web).await?;
    let mut form = Form::new(fields(), sent);
    let content = read(&mut form);
    let create = async |content| web.app.create::<CustomValue>(&context, (), content).await;
    match form.run_with(content, create).await? {
        Some(made) => Ok(lead(&web, &here.url(PATH), Done::CustomValueAdded, made.content.name.as_str())),
        None => {
            let page = editor(&here, None, form);
            Ok(page.form.again(&page))
        }
    }
}

async fn wanted(web: &Web, here: &Here) -> Result<(LocationContext, CustomValue), Error> {
    here.authority().require(Scope::CustomValuesWrite)?;
    let context = here.enter(web).await?;
    let id: CustomValueId = here.id(Noun::CustomValue)?;
    let value = web.app.get(&context, (), id).await?;
    Ok((context, value))
}

/// The form as it stands for a value that is there.
fn form_of(value: &CustomValue) -> Form {
    let content = &value.content;
    let pairs = [("name", content.name.as_str().to_owned()), ("value", content.value.as_str().to_owned())];
    Form::filled(fields(), pairs).opened_on(value)
}

pub(crate) async fn edit(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (_, value) = wanted(&web, &here).await?;
    Ok(render(&editor(&here, Some(&value), form_of(&value))))
}

pub(crate) async fn update(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let (context, value) = wanted(&web, &here).await?;
    let mut form = Form::new(fields(), sent);
    let content = read(&mut form);
    let careful = context.with_seen(form.seen::<CustomValue>());
    let update = async |content| web.app.update::<CustomValue>(&careful, (), value.id, content).await;
    match form.edit_with(content, update).await? {
        Edit::Saved(saved) => {
            return Ok(lead(&web, &here.url(PATH), Done::CustomValueSaved, saved.content.name.as_str()));
        }
        Edit::Overtaken => form.overtaken("custom value", &value, &form_of(&value)),
        Edit::Wrong => {}
    }
    let page = editor(&here, Some(&value), form);
    Ok(page.form.again(&page))
}

fn question(here: &Here, value: &CustomValue) -> Ask {
    let sentences = vec![format!("Texts that name {} have nothing in its place.", key(value))];
    let url = here.url(&format!("{PATH}/{}", value.id));
    Ask::to_delete(here, SECTION, (value.content.name.as_str(), "Delete custom value"), sentences, url)
}

pub(crate) async fn delete_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (_, value) = wanted(&web, &here).await?;
    Ok(question(&here, &value).shown())
}

pub(crate) async fn delete(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (context, value) = wanted(&web, &here).await?;
    let done = |()| lead(&web, &here.url(PATH), Done::CustomValueDeleted, value.content.name.as_str());
    question(&here, &value).answered(web.app.delete::<CustomValue>(&context, (), value.id), done).await
}
