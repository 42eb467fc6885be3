//! One page of a form: its title, and whether it stays.

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Error, ErrorCode, LocationContext, error::Noun};
use keystead_model::form_schema::{FormSchema, Page as AskedPage};
use serde_json::{Map, Value as Json};

use super::{PATH, SECTION, TheForm, field, named_after, redefine, schema_of, wanted, words};
use crate::{
    Web,
    ask::Ask,
    failure::Failure,
    flash::{Done, lead},
    form::{Edit, Field, Fields, Form},
    page::{Frame, render},
    place::Here,
    show::counted,
};

#[derive(Template)]
#[template(path = "forms/page.html")]
struct Editor {
    frame: Frame,
    heading: String,
    form_name: String,
    form: Form,
    form_url: String,
    /// Where it is asked whether it is deleted; nothing where it is the only one.
    delete_url: Option<String>,
}

/// A page, with the form that it is in and where.
struct Place {
    context: LocationContext,
    form: TheForm,
    schema: FormSchema,
    index: usize,
}

/// What a page is called among the others of its form.
pub(super) fn name(index: usize, page: &AskedPage) -> String {
    match &page.title {
        Some(title) => format!("Page {}: {}", index + 1, title.as_str()),
        None => format!("Page {}", index + 1),
    }
}

impl Place {
    async fn of(web: &Web, here: &Here) -> Result<Self, Error> {
        let (context, form) = wanted(web, here).await?;
        let schema = schema_of(&form);
        let number = here.visitor.param("page");
        let index = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let index = index.filter(|index| *index < schema.pages.len());
        let index = index.ok_or_else(|| Error::NotFound(Noun::FormPage, number.to_owned()))?;
        Ok(Self { context, form, schema, index })
    }

    fn page(&self) -> &AskedPage {
        &self.schema.pages[self.index]
    }

    fn name(&self) -> String {
        name(self.index, self.page())
    }

    fn form_of(&self) -> Form {
        let title = self.page().title.as_ref().map(|title| title.as_str().to_owned()).unwrap_or_default();
        Form::filled(fields(), [("title", title)]).opened_on(&self.form)
    }

    fn page_with(&self, here: &Here, form: Form) -> Editor {
        let at = here.url(&format!("{PATH}/{}", self.form.id));
        Editor {
            frame: Frame::of(here, &self.name(), SECTION),
            heading: self.name(),
            form_name: self.form.content.name.as_str().to_owned(),
            form,
            delete_url: (self.schema.pages.len() > 1).then(|| format!("{at}/pages/{}/delete", self.index + 1)),
            form_url: at,
        }
    }

    fn question(&self, here: &Here) -> Ask {
        let keys: Vec<&str> = self.page().fields.iter().map(|field| field.key.as_str()).collect();
        let kept = match self.index {
            0 => "join the next page with this one",
            _ => "join the page with the one before it",
        };
        let mut sentences = vec![match keys.len() {
            0 => "It has no fields.".to_owned(),
            1 => format!("Its field is deleted with it. To keep the field, {kept}."),
            many => format!("Its {} are deleted with it. To keep them, {kept}.", counted(many as i64, "field")),
        }];
        let others = self.schema.fields().filter(|field| !keys.contains(&field.key.as_str()));
        for other in others.filter(|other| {
            other
                .visible_if
                .as_ref()
                .is_some_and(|condition| keys.iter().any(|key| field::names(&condition.to_json(), key)))
        }) {
            sentences.push(format!(
                "“{}” is shown by what is answered here, and will always be shown then.",
                other.label.as_str()
            ));
        }
        sentences
            .push("What was submitted stays, and others see the page until you publish the form again.".to_owned());
        let url = here.url(&format!("{PATH}/{}", self.form.id));
        Ask::to_delete(here, SECTION, (&self.name(), "Delete page"), sentences, url).opened_on(&self.form)
    }
}

fn fields() -> Vec<Field> {
    vec![
        Field::line("title", "Title")
            .hint("Stands above its fields. Without one, people see which step it is.")
            .with("maxlength=200 autocomplete=off"),
    ]
}

pub(crate) async fn edit(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let place = Place::of(&web, &here).await?;
    Ok(render(&place.page_with(&here, place.form_of())))
}

pub(crate) async fn update(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let place = Place::of(&web, &here).await?;
    let mut form = Form::new(fields(), sent);
    let mut definition = place.form.content.definition.fields();
    if let Some(page) = definition["pages"][place.index].as_object_mut() {
        page.shift_remove("title");
        page.extend(form.text("title").map(|title| ("title".to_owned(), Json::from(title))));
    }
    let careful = place.context.clone().with_seen(form.seen::<TheForm>());
    let prefix = format!("definition.pages.{}.", place.index);
    let work = redefine(&web, &careful, place.form.id, definition);
    match form.edit(async { work.await.map_err(|error| named_after(error, &prefix, &["title"])) }).await? {
        Edit::Saved(saved) => {
            let url = here.url(&format!("{PATH}/{}", saved.id));
            return Ok(lead(&web, &url, Done::FormSaved, saved.content.name.as_str()));
        }
        Edit::Overtaken => form.overtaken("form", &place.form, &place.form_of()),
        Edit::Wrong => {}
    }
    let page = place.page_with(&here, form);
    Ok(page.form.again(&page))
}

pub(crate) async fn delete_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let place = Place::of(&web, &here).await?;
    Ok(place.question(&here).shown())
}

/// A definition without a page, and without conditions that ask for what it asked.
fn without(mut definition: Map<String, Json>, index: usize, keys: &[&str]) -> Map<String, Json> {
    for key in keys {
        definition = field::without(definition, key);
    }
    if let Some(pages) = definition.get_mut("pages").and_then(Json::as_array_mut) {
        pages.remove(index);
    }
    definition
}

pub(crate) async fn delete(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let place = Place::of(&web, &here).await?;
    let keys: Vec<&str> = place.page().fields.iter().map(|field| field.key.as_str()).collect();
    let definition = without(place.form.content.definition.fields(), place.index, &keys);
    // Pages have no names of their own: another may have this number by now.
    let careful = place.context.clone().with_seen(Form::new(Vec::new(), sent).seen::<TheForm>());
    let work = async {
        redefine(&web, &careful, place.form.id, definition.clone()).await.map_err(|error| match error {
            Error::Conflict(ErrorCode::PreconditionFailed, _) => {
                Error::invalid("The page", "was not deleted: somebody has changed the form since you saw it")
            }
            other => words::in_words(other, &definition),
        })
    };
    let url = here.url(&format!("{PATH}/{}", place.form.id));
    let done = |_| lead(&web, &url, Done::FormPageDeleted, &place.name());
    place.question(&here).answered(work, done).await
}
