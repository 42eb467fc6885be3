//! Views of lists: what somebody asks of a list, saved under a name, as tabs above it.

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Error, ErrorCode, LocationContext, error::Noun};
use keystead_model::{
    SavedViewId,
    saved_view::{SavedView, SavedViewContent, SavedViewPatch, ViewedList},
    search::fold,
    text::{Line, Prose},
};

use crate::{
    Web, contacts,
    failure::Failure,
    flash::{Done, lead, lead_back},
    form::{Edit, Edited, Field, Fields, Form, Kind},
    list::{Asked, Choosable, Kept},
    opportunities,
    page::{Frame, render},
    place::Here,
    tasks,
};

/// By which an address names the view that was opened; the rest of it says what is shown.
const OPENED: &str = "saved";
const QUERY: &str = "query";

/// A list that has views.
pub(crate) struct Viewed {
    pub(crate) list: ViewedList,
    /// The list in the navigation.
    pub(crate) section: &'static str,
    /// What it is called where nothing is asked of it.
    pub(crate) all: &'static str,
    /// Its address, and what that always says.
    pub(crate) path: &'static str,
    pub(crate) always: &'static Kept,
    pub(crate) kept: &'static Kept,
}

impl Viewed {
    const fn of(list: ViewedList) -> &'static Self {
        match list {
            ViewedList::Contacts => &contacts::VIEWED,
            ViewedList::Opportunities => &opportunities::VIEWED,
            ViewedList::Tasks => &tasks::VIEWED,
        }
    }

    /// The list of an address, for whoever may read it.
    fn wanted(here: &Here) -> Result<&'static Self, Error> {
        let name = here.visitor.param("viewed");
        let list = ViewedList::parse(name).ok_or_else(|| Error::NotFound(Noun::SavedView, name.to_owned()))?;
        here.authority().require(list.read_scope())?;
        Ok(Self::of(list))
    }

    /// The list as it is asked for, by a view that is opened or without one.
    fn url(&self, here: &Here, mut asked: Asked, opened: Option<SavedViewId>) -> String {
        asked.say(OPENED, opened.map(|id| id.to_string()));
        let always: Vec<(&str, Option<&str>)> = self.always.iter().map(|(name, value)| (*name, Some(*value))).collect();
        asked.with_all(&here.url(self.path), &always)
    }

    fn url_of(&self, here: &Here, view: &SavedView) -> String {
        self.url(here, Asked::parse(view.content.query.as_str()), Some(view.id))
    }

    /// Where something is done with views, or with one of them.
    fn action(&self, here: &Here, path: &str) -> String {
        here.url(&format!("/views/{}/{path}", self.list.as_str()))
    }

    /// Whether somebody may show others views beside the list.
    fn may_share(&self, here: &Here) -> bool {
        here.authority().grant().allows(self.list.write_scope())
    }
}

/// A view among others.
pub(crate) struct Tab {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) is_here: bool,
    pub(crate) is_shared: bool,
}

/// The view that was opened.
pub(crate) struct Opened {
    pub(crate) name: String,
    /// Where it is changed by those who may.
    pub(crate) change: Option<Change>,
    /// Whether the list is asked for something else by now.
    pub(crate) is_changed: bool,
}

/// Where a view is changed.
pub(crate) struct Change {
    pub(crate) edit_url: String,
    pub(crate) keep_url: String,
    pub(crate) delete_url: String,
    pub(crate) seen: String,
}

/// What stands above a list that has views.
pub(crate) struct Views {
    pub(crate) all: Choosable,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) opened: Option<Opened>,
    /// What would be saved now.
    pub(crate) query: String,
    /// Where that is saved as a new one.
    pub(crate) new_url: String,
}

impl Views {
    /// Those that the visitor sees. What an address names that is not there is not asked for any more.
    pub(crate) async fn of(
        web: &Web,
        here: &Here,
        context: &LocationContext,
        (viewed, asked): (&Viewed, &mut Asked),
    ) -> Result<Self, Error> {
        let mut views = web.app.list_saved_views(context, viewed.list).await?;
        views.sort_by_cached_key(|view| fold(view.content.name.as_str()));
        let id = asked.text(OPENED).and_then(SavedViewId::parse);
        let opened = views.iter().find(|view| Some(view.id) == id);
        if opened.is_none() {
            asked.say(OPENED, None);
        }
        let query = asked.kept(viewed.kept);
        let tab = |view: &SavedView| Tab {
            name: view.content.name.as_str().to_owned(),
            url: viewed.url_of(here, view),
            is_here: Some(view.id) == id,
            is_shared: view.content.is_shared,
        };
        let new_url = viewed.action(here, "new");
        Ok(Self {
            all: Choosable {
                words: viewed.all.to_owned(),
                url: viewed.url(here, Asked::default(), None),
                is_here: opened.is_none(),
            },
            tabs: views.iter().map(tab).collect(),
            opened: opened.map(|view| Opened {
                name: view.content.name.as_str().to_owned(),
                change: here.authority().may_change(view).then(|| Change {
                    edit_url: viewed.action(here, view.id.as_str()),
                    keep_url: viewed.action(here, &format!("{}/query", view.id)),
                    delete_url: viewed.action(here, &format!("{}/delete", view.id)),
                    seen: view.state(),
                }),
                is_changed: Asked::parse(view.content.query.as_str()).kept(viewed.kept) != query,
            }),
            new_url: if query.is_empty() { new_url } else { format!("{new_url}?{query}") },
            query,
        })
    }

    /// Whether there is anything to choose, or to save.
    pub(crate) fn are_shown(&self) -> bool {
        !self.tabs.is_empty() || !self.query.is_empty()
    }

    /// Whether what the list is asked for is no view yet.
    pub(crate) fn is_new(&self) -> bool {
        self.opened.as_ref().map_or(!self.query.is_empty(), |opened| opened.is_changed)
    }
}

fn fields(may_share: bool) -> Vec<Field> {
    let mut fields = vec![
        Field::line("name", "Name").needed("Enter a name").with("maxlength=64 autocomplete=off"),
        Field::new(Kind::Hidden, QUERY, ""),
    ];
    if may_share {
        let share = Field::new(Kind::Check, "isShared", "Share it");
        fields.push(share.hint("Everybody who works in this location sees it above the list."));
    }
    fields
}

#[derive(Template)]
#[template(path = "saved_views/form.html")]
struct Editor {
    frame: Frame,
    /// The list, and what it is called.
    list: (String, &'static str),
    /// One that is there: its name, and where it is deleted.
    existing: Option<(String, String)>,
    form: Form,
    cancel_url: String,
}

/// Of a new view, or of one that is there.
fn editor(here: &Here, viewed: &Viewed, existing: Option<&SavedView>, form: Form) -> Editor {
    let name = existing.map_or("Save view", |view| view.content.name.as_str());
    let query = form.text(QUERY).unwrap_or_default();
    Editor {
        frame: Frame::of(here, name, viewed.section),
        list: (viewed.url(here, Asked::default(), None), viewed.all),
        existing: existing.map(|view| (name.to_owned(), viewed.action(here, &format!("{}/delete", view.id)))),
        cancel_url: match existing {
            Some(view) => viewed.url_of(here, view),
            None => viewed.url(here, Asked::parse(query), None),
        },
        form,
    }
}

fn form_of(view: &SavedView, may_share: bool) -> Form {
    let SavedViewContent { name, query: _, is_shared } = &view.content;
    let shared = is_shared.then(|| ("isShared", "on".to_owned()));
    let pairs = [("name", name.as_str().to_owned())].into_iter().chain(shared);
    Form::filled(fields(may_share), pairs).opened_on(view)
}

/// What a form says that a list is asked for, in the words that the list knows.
fn read_query(viewed: &Viewed, sent: &Fields) -> Result<Prose<2000>, Error> {
    let query = Asked::parse(sent.text(QUERY).unwrap_or_default()).kept(viewed.kept);
    Prose::parse(&query)
        .map_err(|keystead_model::Invalid(problem)| Error::invalid("What the list is asked for", problem))
}

pub(crate) async fn new(here: Here, asked: Asked) -> Result<Response, Failure> {
    here.place()?;
    let viewed = Viewed::wanted(&here)?;
    let form = Form::filled(fields(viewed.may_share(&here)), [(QUERY, asked.kept(viewed.kept))]);
    Ok(render(&editor(&here, viewed, None, form)))
}

pub(crate) async fn create(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    let viewed = Viewed::wanted(&here)?;
    let mut form = Form::new(fields(viewed.may_share(&here)), sent);
    let (name, is_shared) = (form.read("name", Line::parse), form.is_checked("isShared"));
    let query = read_query(viewed, &form.sent);
    let create = async |name| {
        let content = SavedViewContent { name, query: query?, is_shared };
        web.app.create_saved_view(&context, viewed.list, content).await
    };
    match form.run_with(name, create).await? {
        Some(view) => Ok(lead(&web, &viewed.url_of(&here, &view), Done::ViewSaved, view.content.name.as_str())),
        None => {
            let page = editor(&here, viewed, None, form);
            Ok(page.form.again(&page))
        }
    }
}

/// The view that an address names.
async fn wanted(web: &Web, here: &Here) -> Result<(LocationContext, &'static Viewed, SavedView), Error> {
    let context = here.enter(web).await?;
    let viewed = Viewed::wanted(here)?;
    let view = web.app.get_saved_view(&context, viewed.list, here.id(Noun::SavedView)?).await?;
    Ok((context, viewed, view))
}

pub(crate) async fn edit(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (_, viewed, view) = wanted(&web, &here).await?;
    here.authority().require_change(&view)?;
    let form = form_of(&view, viewed.may_share(&here));
    Ok(render(&editor(&here, viewed, Some(&view), form)))
}

/// Gives it another name, or shares it, or keeps it for oneself.
pub(crate) async fn update(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let (context, viewed, view) = wanted(&web, &here).await?;
    let mut form = Form::new(fields(viewed.may_share(&here)), sent);
    let (name, is_shared) = (form.read("name", Line::parse), form.is_checked("isShared"));
    let careful = context.with_seen(form.seen::<SavedView>());
    let save = async |name| {
        let patch = SavedViewPatch { name: Some(name), is_shared: Some(is_shared), query: None };
        web.app.update_saved_view(&careful, view.list, view.id, patch).await
    };
    match form.edit_with(name, save).await? {
        Edit::Saved(saved) => {
            return Ok(lead(&web, &viewed.url_of(&here, &saved), Done::ViewSaved, saved.content.name.as_str()));
        }
        Edit::Overtaken => form.overtaken("view", &view, &form_of(&view, viewed.may_share(&here))),
        Edit::Wrong => {}
    }
    let page = editor(&here, viewed, Some(&view), form);
    Ok(page.form.again(&page))
}

/// Lets it keep what the list is asked for now.
pub(crate) async fn keep(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let (context, viewed, view) = wanted(&web, &here).await?;
    let query = read_query(viewed, &sent)?;
    let stands = Asked::parse(query.as_str());
    let patch = SavedViewPatch { query: Some(query), ..SavedViewPatch::default() };
    let careful = context.with_seen(Form::new(Vec::new(), sent).seen::<SavedView>());
    let (done, name) = match web.app.update_saved_view(&careful, view.list, view.id, patch).await {
        Ok(saved) => (Done::ViewSaved, saved.content.name),
        Err(Error::Conflict(ErrorCode::PreconditionFailed, _)) => (Done::ViewOvertaken, view.content.name),
        Err(error) => return Err(error.into()),
    };
    Ok(lead(&web, &viewed.url(&here, stands, Some(view.id)), done, name.as_str()))
}

pub(crate) async fn delete(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (context, viewed, view) = wanted(&web, &here).await?;
    let deleted = web.app.delete_saved_view(&context, viewed.list, view.id).await?;
    let (url, undo) = (viewed.url(&here, Asked::default(), None), format!("{}/{}", viewed.list.as_str(), deleted.id));
    Ok(lead_back(&web, &url, Done::ViewDeleted, deleted.content.name.as_str(), &undo))
}

pub(crate) async fn restore(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    let viewed = Viewed::wanted(&here)?;
    match web.app.restore_saved_view(&context, viewed.list, here.id(Noun::SavedView)?).await {
        Ok(view) => Ok(lead(&web, &viewed.url_of(&here, &view), Done::ViewRestored, view.content.name.as_str())),
        Err(Error::Invalid(_)) => Ok(lead(&web, &viewed.url(&here, Asked::default(), None), Done::ViewNotRestored, "")),
        Err(error) => Err(error.into()),
    }
}
