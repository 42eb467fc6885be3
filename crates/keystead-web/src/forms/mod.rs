//! Forms of a location: what they ask, who sees it, and what came of it.
//!
//! Every act changes the draft at once. What others see changes when the draft is published.

mod builder;
mod field;
mod page;
mod settings;
mod share;
mod submissions;
mod versions;
mod words;

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Error, LocationContext, Violation, error::Noun};
use keystead_model::{
    form::{AsForm, Form as AskedForm, FormContent, FormDefinition, FormPatch},
    form_schema::FormSchema,
    id::Id,
    page::Window,
    scope::Scope,
    text::Line,
};
use serde_json::{Map, Value as Json, json};

pub(crate) use self::{
    builder::{add_field, add_page, arrange, preview, show},
    field::{delete as delete_field, delete_form as delete_field_form, edit as edit_field, update as update_field},
    page::{delete as delete_page, delete_form as delete_page_form, edit as edit_page, update as update_page},
    settings::{edit as settings, update as save_settings},
    share::show as share,
    submissions::{
        PATH as SUBMISSIONS_PATH, accept, accept_offer, csv, discard, file, list as submissions, show as submission,
    },
    versions::{list as versions, restore, restore_form},
};
use crate::{
    Web,
    ask::Ask,
    failure::Failure,
    flash::{Done, lead},
    form::{Choice, Edit, Edited, Field, Fields, Form, Kind},
    list::{Asked, Listing, PAGE},
    page::{Frame, render},
    place::Here,
    show::ago,
};

const SECTION: &str = "forms";
pub(crate) const PATH: &str = "/forms";

/// A form, as the app changes it.
pub(crate) type TheForm = AskedForm<AsForm>;
type FormId = Id<TheForm>;

struct Row {
    name: String,
    state: String,
    is_published: bool,
    changed: String,
    changed_exactly: String,
    url: String,
    submissions_url: String,
}

#[derive(Template)]
#[template(path = "forms/list.html")]
struct AllForms {
    frame: Frame,
    rows: Vec<Row>,
    list: Listing,
    may_write: bool,
    new_url: String,
    submissions_url: String,
}

pub(crate) async fn list(State(web): State<Web>, asked: Asked, here: Here) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    let found = web.app.list_forms::<AsForm>(&context, Window::skip(asked.skipped(), PAGE)).await?;
    let (zone, now) = (here.zone(), web.app.now());
    let rows: Vec<Row> = found
        .page
        .rows
        .iter()
        .map(|head| Row {
            name: head.name.as_str().to_owned(),
            state: head.published.map_or("Draft".to_owned(), |number| format!("Published, version {number}")),
            is_published: head.published.is_some(),
            changed: ago(head.updated_at, now),
            changed_exactly: zone.exactly(head.updated_at),
            url: here.url(&format!("{PATH}/{}", head.id)),
            submissions_url: here.url(&format!("{}?form={}", submissions::PATH, head.id)),
        })
        .collect();
    Ok(render(&AllForms {
        frame: Frame::of(&here, "Forms", SECTION),
        list: Listing::new(here.url(PATH), &asked, rows.len(), found.page.has_more, found.total),
        rows,
        may_write: here.authority().grant().allows(Scope::FormsWrite),
        new_url: here.url(&format!("{PATH}/new")),
        submissions_url: here.url(submissions::PATH),
    }))
}

/// What a form can begin with: its name in forms of ours, words, and what it asks.
fn beginnings() -> [(&'static str, &'static str, &'static str, Json); 3] {
    let contact = json!({"pages": [{"fields": [
        {"key": "name", "type": "text", "label": "Name", "required": true, "mapsTo": "contact.full_name"},
        {"key": "email", "type": "email", "label": "E-mail", "required": true, "width": 50, "mapsTo": "contact.email"},
        {"key": "phone", "type": "phone", "label": "Phone", "width": 50, "mapsTo": "contact.phone"},
        {"key": "message", "type": "textarea", "label": "What can we do for you?", "required": true},
        {"key": "consent", "type": "consent", "label": "You may store these answers and write to me about them.",
            "required": true},
    ]}]});
    let newsletter = json!({"pages": [{"fields": [
        {"key": "email", "type": "email", "label": "E-mail", "required": true, "mapsTo": "contact.email"},
        {"key": "consent", "type": "consent", "label": "You may send me news. I can end that at any time.",
            "required": true},
    ]}], "contact": {"tags": ["newsletter"]}});
    [
        ("contact", "Contact form", "Name, e-mail, phone, a message, and consent.", contact),
        ("newsletter", "Newsletter", "E-mail and consent; whoever signs up gets the tag newsletter.", newsletter),
        ("empty", "Nothing yet", "You add every field.", json!({})),
    ]
}

#[derive(Template)]
#[template(path = "forms/new.html")]
struct New {
    frame: Frame,
    form: Form,
    list_url: String,
}

fn new_fields() -> Vec<Field> {
    let choices = beginnings().map(|(name, words, detail, _)| Choice::new(name, words).when(detail));
    vec![
        Field::line("name", "Name").needed("Enter a name").with("maxlength=200"),
        Field::new(Kind::Radios, "beginning", "Begin with").of(choices),
    ]
}

fn new_page(here: &Here, form: Form) -> New {
    New { frame: Frame::of(here, "Add a form", SECTION), form, list_url: here.url(PATH) }
}

pub(crate) async fn new(here: Here) -> Result<Response, Failure> {
    here.place()?;
    here.authority().require(Scope::FormsWrite)?;
    let form = Form::filled(new_fields(), [("beginning", "contact".to_owned())]);
    Ok(render(&new_page(&here, form)))
}

pub(crate) async fn create(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    here.authority().require(Scope::FormsWrite)?;
    let context = here.enter(&web).await?;
    let mut form = Form::new(new_fields(), sent);
    let chosen = form.text("beginning").unwrap_or("empty").to_owned();
    let definition = beginnings().into_iter().find(|(name, ..)| *name == chosen).map(|(.., definition)| definition);
    let definition = to_definition(definition.and_then(|json| json.as_object().cloned()).unwrap_or_default())?;
    let content = form.read("name", Line::parse).map(|name| FormContent { name, definition });
    let create = async |content| web.app.create::<TheForm>(&context, (), content).await;
    match form.run_with(content, create).await? {
        Some(made) => {
            let url = here.url(&format!("{PATH}/{}", made.id));
            Ok(lead(&web, &url, Done::FormAdded, made.content.name.as_str()))
        }
        None => {
            let page = new_page(&here, form);
            Ok(page.form.again(&page))
        }
    }
}

/// The form that an address names, for whoever looks at it.
async fn seen(web: &Web, here: &Here) -> Result<(LocationContext, TheForm), Error> {
    let context = here.enter(web).await?;
    let id: FormId = here.id(Noun::Form)?;
    let form = web.app.get(&context, (), id).await?;
    Ok((context, form))
}

/// The same for whoever changes it.
async fn wanted(web: &Web, here: &Here) -> Result<(LocationContext, TheForm), Error> {
    here.authority().require(Scope::FormsWrite)?;
    seen(web, here).await
}

fn schema_of(form: &TheForm) -> FormSchema {
    FormSchema::read(&form.content.definition).unwrap_or_else(|_| FormSchema::empty())
}

fn to_definition(fields: Map<String, Json>) -> Result<FormDefinition, Error> {
    FormDefinition::new(fields).map_err(|problem| Error::invalid("definition", problem.0))
}

/// Changes the draft of a form by its definition.
async fn redefine(
    web: &Web,
    context: &LocationContext,
    id: FormId,
    definition: Map<String, Json>,
) -> Result<TheForm, Error> {
    let patch = FormPatch { definition: Some(to_definition(definition)?), name: None };
    web.app.update::<TheForm>(context, (), id, patch).await
}

/// Says of what was refused in a definition which of these fields of a form of ours it is about.
fn named_after(error: Error, prefix: &str, names: &[&str]) -> Error {
    let named = |violation: Violation| {
        let rest = violation.field.strip_prefix(prefix).unwrap_or(&violation.field).to_owned();
        let is_of =
            |name: &&&str| rest == **name || rest.strip_prefix(**name).is_some_and(|more| more.starts_with('.'));
        match names.iter().find(is_of) {
            Some(name) => Violation { field: (*name).to_owned(), ..violation },
            None => Violation { field: rest, ..violation },
        }
    };
    match error {
        Error::Invalid(violations) => Error::Invalid(violations.into_iter().map(named).collect()),
        other => other,
    }
}

/// The page on which much is typed before it is saved.
const SETTINGS: &str = "Settings";
/// The page on which something is typed that is still to be added.
const FIELDS: &str = "Fields";

/// What stands above every page of a form.
struct Strip {
    name: String,
    state: String,
    is_published: bool,
    /// Whether others see something else than the draft.
    is_changed: bool,
    may_write: bool,
    /// Whether it has what there is to publish; the button for it stands where nothing that is typed is lost by it.
    publishes: bool,
    /// Whether this page has a form of its own, with which that button stands.
    has_form: bool,
    /// Whether it stands in the form of the page, whose buttons all send what was typed there.
    is_inside: bool,
    tabs: Vec<(&'static str, String, bool)>,
    publish_url: String,
    /// The state of the draft that this page shows: what nobody has seen is not published.
    seen: String,
    unpublish_url: String,
    delete_url: String,
    open_url: String,
    list_url: String,
}

impl Strip {
    async fn of(web: &Web, here: &Here, context: &LocationContext, form: &TheForm, tab: &str) -> Result<Self, Error> {
        let at = here.url(&format!("{PATH}/{}", form.id));
        let tabs = [(FIELDS, ""), (SETTINGS, "/settings"), ("Share", "/share"), ("Versions", "/versions")];
        let mut tabs: Vec<(&'static str, String, bool)> =
            tabs.into_iter().map(|(words, path)| (words, format!("{at}{path}"), words == tab)).collect();
        tabs.push(("Submissions", here.url(&format!("{}?form={}", submissions::PATH, form.id)), false));
        let newest = web.app.list_form_versions(context, form.id, Window::first(1)).await?.rows.pop();
        let is_changed = newest.is_none_or(|version| version.content != form.content);
        Ok(Self {
            name: form.content.name.as_str().to_owned(),
            state: match form.published {
                Some(number) => format!("Published, version {number}"),
                None => "Draft: nobody else sees it".to_owned(),
            },
            is_published: form.published.is_some(),
            is_changed,
            may_write: here.authority().grant().allows(Scope::FormsWrite),
            publishes: form.published.is_none() || is_changed,
            has_form: tab == SETTINGS,
            is_inside: tab == FIELDS,
            tabs,
            publish_url: format!("{at}/publish"),
            seen: form.state(),
            unpublish_url: format!("{at}/unpublish"),
            delete_url: format!("{at}/delete"),
            open_url: format!("/f/{}", form.id),
            list_url: here.url(PATH),
        })
    }
}

/// What whoever publishes is told who has not seen what that would be.
const OVERTAKEN: &str =
    "Nothing was published: somebody has changed the draft since you saw it. Look at it, and publish it then";

/// Publishes, or says at the form why that cannot be.
pub(crate) async fn publish(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let (context, form) = wanted(&web, &here).await?;
    let typed = builder::Typed::of(&sent);
    let mut asked = Form::new(Vec::new(), sent);
    let careful = context.clone().with_seen(asked.seen::<TheForm>());
    let work = async {
        let published = web.app.publish_form(&careful, form.id).await;
        published.map_err(|error| words::in_words(error, &form.content.definition.fields()))
    };
    match asked.edit(work).await? {
        Edit::Saved(form) => {
            return Ok(lead(&web, &typed.url(&here, &form), Done::FormPublished, form.content.name.as_str()));
        }
        Edit::Overtaken => {
            asked.generally(OVERTAKEN);
        }
        Edit::Wrong => {}
    }
    builder::again(&web, &here, &context, &form, &typed, asked).await
}

pub(crate) async fn unpublish(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let (context, form) = wanted(&web, &here).await?;
    let form = web.app.unpublish_form(&context, form.id).await?;
    let url = builder::Typed::of(&sent).url(&here, &form);
    Ok(lead(&web, &url, Done::FormUnpublished, form.content.name.as_str()))
}

fn question(here: &Here, form: &TheForm) -> Ask {
    let mut sentences = Vec::new();
    if form.published.is_some() {
        sentences.push("Whoever opens its address finds nothing from then on.".to_owned());
    }
    sentences.push("What was submitted to it stays.".to_owned());
    let url = here.url(&format!("{PATH}/{}", form.id));
    Ask::to_delete(here, SECTION, (form.content.name.as_str(), "Delete form"), sentences, url)
}

pub(crate) async fn delete_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (_, form) = wanted(&web, &here).await?;
    Ok(question(&here, &form).shown())
}

pub(crate) async fn delete(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (context, form) = wanted(&web, &here).await?;
    let done = |()| lead(&web, &here.url(PATH), Done::FormDeleted, form.content.name.as_str());
    question(&here, &form).answered(web.app.delete::<TheForm>(&context, (), form.id), done).await
}
