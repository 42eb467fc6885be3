//! Adding and changing a webhook.

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{MadeEndpoint, NewEndpoint, WholeEndpoint};
use keystead_model::{
    Invalid,
    event::EventKind,
    scope::Scope,
    text::Line,
    webhook::{EndpointContent, EndpointHeaders, EndpointPatch, EventNames, WebhookEndpoint},
};

use super::{PATH, SECTION, secret, url_of, wanted_to_change};
use crate::{
    Web,
    failure::Failure,
    flash::{Done, lead},
    form::{Choice, Edit, Field, Fields, Form, Kind},
    history::field_in_words,
    once::{Once, once},
    page::{Frame, render},
    place::Here,
};

/// The field that says whether events are chosen.
const WHICH: &str = "which";
const CHOSEN: &str = "chosen";
/// The box that takes away headers whose values nobody reads back.
const NO_HEADERS: &str = "noHeaders";

/// The box by which whoever changes a webhook lends it their own rights.
const TAKE_OVER: &str = "takeOver";

/// The events of a noun, each by its name and what is said of it after the noun.
struct Noun {
    name: &'static str,
    /// What people call it.
    title: String,
    /// All of them: `contact.*`.
    all: String,
    has_all: bool,
    events: Vec<(&'static str, String, bool)>,
}

impl Noun {
    fn has_any(&self) -> bool {
        self.has_all || self.events.iter().any(|(.., is_chosen)| *is_chosen)
    }
}

/// All events that somebody can be told of there, by their nouns.
fn nouns(here: &Here, chosen: &[&str]) -> Vec<Noun> {
    let mut nouns: Vec<Noun> = Vec::new();
    for event in told(here) {
        let (name, happened) = event.split_once('.').unwrap_or((event, event));
        let one = (event, happened.replace('_', " "), chosen.contains(&event));
        match nouns.iter_mut().find(|noun| noun.name == name) {
            Some(noun) => noun.events.push(one),
            None => {
                let all = format!("{name}.*");
                let title = field_in_words(name);
                nouns.push(Noun { name, title, has_all: chosen.contains(&all.as_str()), all, events: vec![one] });
            }
        }
    }
    nouns
}

/// The names of the events that somebody can be told of in a place.
fn told(here: &Here) -> impl Iterator<Item = &'static str> {
    let is_agency = here.location.is_none();
    let comes = move |kind: EventKind| kind.subject().read_scope().is_some() && (is_agency || kind.is_of_location());
    EventKind::ALL.iter().filter(move |kind| comes(**kind)).map(|kind| kind.as_str())
}

/// The same, to choose one.
pub(super) fn choices(here: &Here) -> impl Iterator<Item = Choice> {
    told(here).map(|name| Choice::new(name, name))
}

/// Whether a webhook hears what they may read who look at it.
fn is_own(here: &Here, endpoint: &WebhookEndpoint) -> bool {
    endpoint.listener.actor == here.authority().actor()
}

fn fields(here: &Here, existing: Option<&WebhookEndpoint>) -> Vec<Field> {
    let known = existing.map(|endpoint| endpoint.content.headers.join(", ")).filter(|known| !known.is_empty());
    let headers = Field::new(Kind::Lines(2), "headers", "Headers of your own").with("maxlength=83000 spellcheck=false");
    let headers = headers.hint(match &known {
        Some(known) => format!(
            "One a line, as X-Token: secret. Sent now: {known}. Leave this empty to keep them, or write all anew."
        ),
        None => "One a line, as X-Token: secret; up to 20. Their values are kept encrypted and never shown again."
            .to_owned(),
    });
    let mut fields = vec![
        Field::typed("url", "url", "Address")
            .needed("Enter the address to which events are sent")
            .with("maxlength=2000 autocomplete=off spellcheck=false")
            .hint("A public address that begins with https://"),
        Field::line("description", "What it is for").with("maxlength=500").hint("How it is called here."),
        Field::new(Kind::Radios, WHICH, "Events").needed("Choose of what it is told"),
        Field::new(Kind::Boxes, "events", "The chosen events").called("The choice"),
        headers,
    ];
    if known.is_some() {
        fields.push(Field::new(Kind::Check, NO_HEADERS, "Send none of these headers any more"));
    }
    fields.push(Field::line("appId", "App id").with("maxlength=100 autocomplete=off spellcheck=false").hint(
        "Only if the receiver checks X-GHL-Signature with an official SDK: the client id that it was set up with.",
    ));
    if existing.is_some_and(|endpoint| !is_own(here, endpoint)) {
        let hint = "Now it hears what whoever set it up may read. It is yours, too, where you change its address or its events.";
        fields.push(Field::new(Kind::Check, TAKE_OVER, "Let it hear what I may read").hint(hint));
    }
    fields.extend(Field::confirmation(here));
    fields
}

fn read_headers(text: &str) -> Result<EndpointHeaders, Invalid> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let pairs = lines.map(|line| match line.split_once(':') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err(Invalid::new("must have a name, a colon and a value on each line, as X-Token: secret")),
    });
    EndpointHeaders::parse(pairs.collect::<Result<Vec<_>, _>>()?)
}

/// What a form says of an endpoint. Its headers are `None` where nothing is said of them.
struct Draft {
    url: Line<2_000>,
    events: EventNames,
    description: Option<Line<500>>,
    app_id: Option<Line<100>>,
    headers: Option<EndpointHeaders>,
}

fn read(form: &mut Form) -> Option<Draft> {
    let url = form.read("url", Line::parse);
    let description = form.read("description", Line::parse);
    let which = form.read(WHICH, |which| Ok(which.to_owned()));
    let events = match which.as_deref() {
        Some(CHOSEN) => match form.sent.all("events") {
            chosen if chosen.is_empty() => {
                form.say("events", "Choose at least one event");
                None
            }
            chosen => match EventNames::parse(chosen) {
                Ok(events) => Some(events),
                Err(Invalid(problem)) => {
                    form.violate("events", &problem);
                    None
                }
            },
        },
        Some(_) => Some(EventNames::all()),
        None => None,
    };
    let headers = match form.is_checked(NO_HEADERS) {
        true => Some(EndpointHeaders::default()),
        false => form.read("headers", read_headers),
    };
    let app_id = form.read("appId", Line::parse);
    Some(Draft { url: url?, events: events?, description, app_id, headers })
}

#[derive(Template)]
#[template(path = "webhooks/form.html")]
struct Editor {
    frame: Frame,
    heading: String,
    is_edit: bool,
    /// Whose events it hears.
    about: String,
    form: Form,
    form_id: String,
    nouns: Vec<Noun>,
    are_chosen: bool,
    back: (String, String),
}

fn editor(web: &Web, here: &Here, existing: Option<&WebhookEndpoint>, form: Form) -> Editor {
    let heading = existing.map_or("Add a webhook", |endpoint| endpoint.content.title());
    let place = match (existing.map(|endpoint| endpoint.location), &here.location) {
        (Some(Some(_)), _) | (None, Some(_)) => "in its location",
        (Some(None), _) | (None, None) => "in the agency and all its locations",
    };
    let reader = if existing.is_some_and(|endpoint| !is_own(here, endpoint)) { "whoever set it up" } else { "you" };
    let back = match existing {
        Some(endpoint) => (url_of(here, endpoint.id), heading.to_owned()),
        None => (here.url(PATH), "Webhooks".to_owned()),
    };
    Editor {
        frame: Frame::of(here, heading, SECTION),
        heading: heading.to_owned(),
        is_edit: existing.is_some(),
        about: format!("It is told what happens {place}, as far as {reader} may read that."),
        nouns: nouns(here, &form.sent.all("events")),
        are_chosen: form.text(WHICH) == Some(CHOSEN),
        form_id: form.sent.raw("form_id").map_or_else(|| web.app.entropy().token(), str::to_owned),
        form,
        back,
    }
}

pub(crate) async fn new(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    here.authority().require(Scope::WebhooksWrite)?;
    Ok(render(&editor(&web, &here, None, Form::new(fields(&here, None), Vec::new()))))
}

pub(crate) async fn create(State(web): State<Web>, mut here: Here, sent: Fields) -> Result<Response, Failure> {
    here.authority().require(Scope::WebhooksWrite)?;
    let mut form = Form::new(fields(&here, None), sent);
    let draft = read(&mut form);
    form.confirm(&web, &mut here).await?;
    let form_id = form.sent.shown("form_id");
    let create = async |draft| {
        let Draft { url, events, description, app_id, headers } = draft;
        let location = here.location.as_ref().map(|location| location.id);
        let new = NewEndpoint { location, url, events, description, app_id, headers: headers.unwrap_or_default() };
        let create = async |authority| web.app.create_webhook(&authority, new).await;
        let id = |made: &MadeEndpoint| made.whole.endpoint.id.to_string();
        once(&web, &here, ("app create webhook", &form_id), create, id).await
    };
    Ok(match form.run_with(draft, create).await? {
        Some(Once::Made(made)) if !made.is_new => {
            lead(&web, &url_of(&here, made.whole.endpoint.id), Done::WebhookWasThere, "")
        }
        Some(Once::Made(made)) => secret::reveal(&here, &made, false),
        Some(Once::Before(id)) => secret::already_shown(&here, &id),
        None => {
            let page = editor(&web, &here, None, form);
            page.form.again(&page)
        }
    })
}

/// The form as it stands for an endpoint.
fn form_of(here: &Here, endpoint: &WebhookEndpoint) -> Form {
    let EndpointContent { url, events, description, app_id, headers: _ } = &endpoint.content;
    let mut pairs = vec![("url", url.to_string())];
    pairs.extend(description.as_ref().map(|description| ("description", description.to_string())));
    pairs.extend(app_id.as_ref().map(|app| ("appId", app.to_string())));
    match *events == EventNames::all() {
        true => pairs.push((WHICH, "all".to_owned())),
        false => {
            pairs.push((WHICH, CHOSEN.to_owned()));
            pairs.extend(events.iter().map(|name| ("events", name.to_owned())));
        }
    }
    Form::filled(fields(here, Some(endpoint)), pairs).opened_on(endpoint)
}

pub(crate) async fn edit(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let endpoint = wanted_to_change(&web, &here).await?.endpoint;
    Ok(render(&editor(&web, &here, Some(&endpoint), form_of(&here, &endpoint))))
}

pub(crate) async fn update(State(web): State<Web>, mut here: Here, sent: Fields) -> Result<Response, Failure> {
    let endpoint = wanted_to_change(&web, &here).await?.endpoint;
    let mut form = Form::new(fields(&here, Some(&endpoint)), sent);
    let draft = read(&mut form);
    form.confirm(&web, &mut here).await?;
    let takes_over = form.is_checked(TAKE_OVER);
    let careful = here.authority().clone().with_seen(form.seen::<WebhookEndpoint>());
    let update = async |draft| {
        let Draft { url, events, description, app_id, headers } = draft;
        let patch = EndpointPatch {
            url: Some(url),
            events: Some(events),
            description: Some(description),
            app_id: Some(app_id),
            headers,
            take_over: Some(takes_over),
            ..EndpointPatch::default()
        };
        web.app.update_webhook(&careful, endpoint.id, patch).await
    };
    match form.edit_with(draft, update).await? {
        Edit::Saved(saved) => {
            let WholeEndpoint { endpoint, .. } = saved;
            return Ok(lead(&web, &url_of(&here, endpoint.id), Done::WebhookSaved, endpoint.content.title()));
        }
        Edit::Overtaken => form.overtaken("webhook", &endpoint, &form_of(&here, &endpoint)),
        Edit::Wrong => {}
    }
    let page = editor(&web, &here, Some(&endpoint), form);
    Ok(page.form.again(&page))
}
