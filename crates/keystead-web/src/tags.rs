//! The tags of a location: how many contacts have each, other names for them, and their end.

use crate::{
    Web,
    ask::Ask,
    failure::Failure,
    flash::{Done, lead},
    form::{Edit, Field, Fields, Form},
    list::{Asked, Listing, PAGE},
    page::{Frame, render},
    place::Here,
    show::grouped,
};
use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Error, LocationContext, error::Noun};
use keystead_model::{
    TagId,
    page::Window,
    scope::Scope,
    tag::{Tag, TagFilter, TagName},
};

const SECTION: &str = "tags";
const PATH: &str = "/settings/tags";

struct Row {
    name: String,
    contacts: i64,
    /// Where those are who have it.
    contacts_url: String,
    url: String,
}

#[derive(Template)]
#[template(path = "tags/list.html")]
struct Tags {
    frame: Frame,
    rows: Vec<Row>,
    list: Listing,
    form: Form,
    may_write: bool,
}

fn fields(label: &'static str) -> Vec<Field> {
    vec![Field::line("name", label).needed("Enter a name").with("maxlength=100 autocomplete=off")]
}

fn name_form(label: &'static str, name: &str) -> Form {
    Form::filled(fields(label), [("name", name.to_owned())])
}

const NEW: &str = "New tag";
const NAME: &str = "Name";

pub(crate) async fn list(State(web): State<Web>, asked: Asked, here: Here) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    Ok(render(&list_page(&web, &here, &context, (&asked, name_form(NEW, ""))).await?))
}

async fn list_page(
    web: &Web,
    here: &Here,
    context: &LocationContext,
    (asked, form): (&Asked, Form),
) -> Result<Tags, Error> {
    let filter = TagFilter { part: asked.text("q").map(str::to_owned) };
    let found = web.app.list_tags(context, filter, Window::skip(asked.skipped(), PAGE)).await?;
    let row = |tag: &Tag| {
        let name = tag.name.as_str();
        Row {
            name: name.to_owned(),
            contacts: tag.contacts,
            contacts_url: Asked::default().with(&here.url("/contacts"), "tag", Some(name)),
            url: here.url(&format!("{PATH}/{}", tag.id)),
        }
    };
    Ok(Tags {
        frame: Frame::of(here, "Tags", SECTION),
        rows: found.rows.iter().map(row).collect(),
        list: Listing::new(here.url(PATH), asked, found.rows.len(), found.has_more, None),
        form,
        may_write: here.authority().grant().allows(Scope::TagsWrite),
    })
}

pub(crate) async fn create(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    here.authority().require(Scope::TagsWrite)?;
    let context = here.enter(&web).await?;
    let mut form = Form::new(fields(NEW), sent);
    let name = form.read("name", TagName::parse);
    match form.run_with(name, async |name| web.app.create_tag(&context, name).await).await? {
        Some(tag) => Ok(lead(&web, &here.url(PATH), Done::TagAdded, tag.name.as_str())),
        None => {
            let page = list_page(&web, &here, &context, (&Asked::default(), form)).await?;
            Ok(page.form.again(&page))
        }
    }
}

#[derive(Template)]
#[template(path = "tags/form.html")]
struct Editor {
    frame: Frame,
    name: String,
    contacts: i64,
    form: Form,
    list_url: String,
    delete_url: String,
}

async fn wanted(web: &Web, here: &Here) -> Result<(LocationContext, Tag), Error> {
    here.authority().require(Scope::TagsWrite)?;
    let context = here.enter(web).await?;
    let id: TagId = here.id(Noun::Tag)?;
    let tag = web.app.get_tag(&context, id).await?;
    Ok((context, tag))
}

fn editor(here: &Here, tag: &Tag, form: Form) -> Editor {
    Editor {
        frame: Frame::of(here, tag.name.as_str(), SECTION),
        name: tag.name.as_str().to_owned(),
        contacts: tag.contacts,
        form,
        list_url: here.url(PATH),
        delete_url: here.url(&format!("{PATH}/{}/delete", tag.id)),
    }
}

fn form_of(tag: &Tag) -> Form {
    name_form(NAME, tag.name.as_str()).opened_on(tag)
}

pub(crate) async fn edit(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (_, tag) = wanted(&web, &here).await?;
    Ok(render(&editor(&here, &tag, form_of(&tag))))
}

pub(crate) async fn rename(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let (context, tag) = wanted(&web, &here).await?;
    let mut form = Form::new(fields(NAME), sent);
    let name = form.read("name", TagName::parse);
    let careful = context.with_seen(form.seen::<Tag>());
    match form.edit_with(name, async |name| web.app.rename_tag(&careful, tag.id, name).await).await? {
        Edit::Saved(tag) => return Ok(lead(&web, &here.url(PATH), Done::TagSaved, tag.name.as_str())),
        Edit::Overtaken => form.overtaken("tag", &tag, &form_of(&tag)),
        Edit::Wrong => {}
    }
    let page = editor(&here, &tag, form);
    Ok(page.form.again(&page))
}

fn question(here: &Here, tag: &Tag) -> Ask {
    let sentence = match tag.contacts {
        0 => "No contact has it.".to_owned(),
        1 => "One contact has it, and loses it.".to_owned(),
        count => format!("{} contacts have it, and lose it.", grouped(count)),
    };
    let sentences = vec![sentence, "It does not come back by making another of the same name.".to_owned()];
    let url = here.url(&format!("{PATH}/{}", tag.id));
    Ask::to_delete(here, SECTION, (tag.name.as_str(), "Delete tag"), sentences, url)
}

pub(crate) async fn delete_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (_, tag) = wanted(&web, &here).await?;
    Ok(question(&here, &tag).shown())
}

pub(crate) async fn delete(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (context, tag) = wanted(&web, &here).await?;
    let done = |()| lead(&web, &here.url(PATH), Done::TagDeleted, tag.name.as_str());
    question(&here, &tag).answered(web.app.delete_tag(&context, tag.id), done).await
}
