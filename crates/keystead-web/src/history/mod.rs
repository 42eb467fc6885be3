//! What happened, in sentences with names and links: the audit log, and the pages of what it happened to.

mod changes;
mod sentence;

pub(crate) use changes::{Change, field_in_words};

use std::collections::HashMap;

use keystead_core::{Error, EventNames, LocationContext, thing_of_event};
use keystead_model::{
    LocationId, UserId, UtcMs,
    actor::Actor,
    event::{Event, EventKind, Subject},
    key_secret::mask_keys,
    page::Window,
    scope::Scope,
};
use serde::Deserialize;

use crate::{
    Web,
    place::{Here, reaches_agency},
    show::{self, Zone},
};

/// A name in a sentence, and where it leads.
#[derive(Clone, Default)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) url: Option<String>,
    /// Said after it, such as that it is a key.
    pub(crate) note: &'static str,
}

impl Name {
    fn plain(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }
}

/// An event in words.
pub(crate) struct Told {
    pub(crate) number: i64,
    pub(crate) icon: &'static str,
    pub(crate) class: &'static str,
    pub(crate) who: Name,
    /// What they did, before the name of what they did it to, and after it.
    pub(crate) before: String,
    pub(crate) what: Option<Name>,
    pub(crate) after: String,
    /// The location, where the page is of no location.
    pub(crate) place: Option<Name>,
    pub(crate) changes: Vec<Change>,
    /// `3 fields`.
    pub(crate) counted: String,
    /// Whether the changes tell what it became from what it was.
    pub(crate) is_change: bool,
    /// The day, where it is another than that of the event before it.
    pub(crate) day: Option<String>,
    pub(crate) time: String,
    pub(crate) exactly: String,
    pub(crate) from: String,
}

/// Changes that are said without being asked for.
const SHORT: usize = 4;

impl Told {
    /// Whether its changes are folded: there are many, or they are only what something was made with.
    pub(crate) fn is_long(&self) -> bool {
        !self.is_change || self.changes.len() > SHORT
    }
}

/// How far back a page tells of its thing: before the event of this number.
#[derive(Default, Deserialize)]
pub(crate) struct Before {
    before: Option<i64>,
}

/// What became of the thing of a page, some of it at a time.
pub(crate) struct History {
    pub(crate) events: Vec<Told>,
    /// From its end on, where it is not shown from there.
    pub(crate) newest_url: Option<String>,
    pub(crate) older_url: Option<String>,
}

/// Events that a page tells of its thing.
const AT_ONCE: i64 = 20;

impl History {
    /// Of a thing of a location, on the page at `url`.
    pub(crate) async fn of(
        web: &Web,
        here: &Here,
        context: &LocationContext,
        thing: (Subject, String),
        (url, Before { before }): (&str, Before),
    ) -> Result<Self, Error> {
        let page = web.app.history_of(context, thing, Window::after(before, AT_ONCE)).await?;
        Ok(Self {
            newest_url: before.map(|_| format!("{url}#history")),
            older_url: page.next(|last| format!("{url}?before={}#history", last.number)),
            events: told(web, here, &page.rows).await?,
        })
    }
}

/// What sentences are made with.
struct Teller<'t> {
    here: &'t Here,
    zone: Zone,
    now: UtcMs,
    users: HashMap<UserId, String>,
    locations: HashMap<LocationId, String>,
    names: EventNames,
}

/// Events as they are told on a page, in their order.
pub(crate) async fn told(web: &Web, here: &Here, events: &[Event]) -> Result<Vec<Told>, Error> {
    let names = web.app.names_in_events(here.authority(), events).await?;
    let teller = Teller {
        here,
        zone: here.zone(),
        now: web.app.now(),
        users: web.app.user_names(here.authority()).await?,
        locations: here.names_of(web, events.iter().filter_map(|event| event.location)).await?,
        names,
    };
    let mut day = String::new();
    let told = events.iter().map(|event| {
        let mut told = teller.told(event);
        told.day = told.day.filter(|new| *new != day);
        if let Some(new) = &told.day {
            day.clone_from(new);
        }
        told
    });
    Ok(told.collect())
}

impl Teller<'_> {
    fn told(&self, event: &Event) -> Told {
        let kind = EventKind::parse(&event.kind);
        let who = self.who(event, kind);
        let words =
            changes::Words { zone: &self.zone, users: &self.users, locations: &self.locations, names: &self.names };
        let (sentence, what) = match kind {
            Some(kind) => match sentence::done_to_oneself(kind).filter(|_| event.actor.id() == Some(&event.subject)) {
                Some(sentence) => (sentence.to_owned(), None),
                None => (sentence::done(kind).to_owned(), Some(self.what(kind, event))),
            },
            // Another release may know kinds that this one does not.
            None => (format!("did {} to *", event.kind), Some(Name::plain(&event.subject))),
        };
        let (before, after) = sentence.split_once('*').unwrap_or((&sentence, ""));
        let changes = words.changes(event);
        let (icon, class) = kind.map_or(("list", ""), sentence::look);
        Told {
            number: event.number,
            icon,
            class,
            who,
            before: before.to_owned(),
            what: what.filter(|_| sentence.contains('*')),
            after: after.to_owned(),
            place: self.place(event, kind),
            counted: show::counted(changes.len() as i64, "field"),
            changes,
            is_change: event.before.is_some() && event.after.is_some(),
            day: Some(self.day(event.at)),
            time: self.zone.time(event.at),
            exactly: match event.position {
                Some(position) => format!("{}, entry {position}", self.zone.exactly(event.at)),
                None => self.zone.exactly(event.at),
            },
            from: match &event.ip {
                Some(ip) => ip.clone(),
                None if event.erased => "erased".to_owned(),
                None => String::new(),
            },
        }
    }

    /// `Today, 26 November`.
    fn day(&self, at: UtcMs) -> String {
        let (day, today) = (self.zone.day(at), self.zone.days(self.now, 2));
        match today.as_slice() {
            [_, today] if at >= *today => format!("Today, {day}"),
            [yesterday, _] if at >= *yesterday => format!("Yesterday, {day}"),
            _ => day,
        }
    }

    fn who(&self, event: &Event, kind: Option<EventKind>) -> Name {
        match event.actor {
            // Whoever it was is not known: only whom they wanted to be.
            _ if kind == Some(EventKind::SessionRefused) => Name::plain("Somebody"),
            Actor::System if matches!(kind, Some(EventKind::FormSubmitted | EventKind::FormHeld)) => {
                Name::plain("Somebody")
            }
            Actor::User(id) => self.member(id),
            Actor::Key(id) => {
                let known = self.names.of(Subject::Key, id.as_str());
                Name { note: "(key)", ..self.key(id.as_str(), known.map(|known| known.name.as_str())) }
            }
            Actor::Operator => Name::plain("The operator"),
            Actor::System => Name::plain("Keystead"),
        }
    }

    fn member(&self, id: UserId) -> Name {
        match self.users.get(&id) {
            Some(name) => Name { text: name.clone(), url: self.url_of_member(id.as_str()), note: "" },
            None => Name::plain("A former member"),
        }
    }

    fn url_of_member(&self, id: &str) -> Option<String> {
        let scope = keystead_model::scope::Scope::UsersRead;
        let may_see = self.here.location.is_none() && self.here.authority().grant().allows(scope);
        may_see.then(|| self.here.url(&format!("/members/{id}")))
    }

    fn key(&self, id: &str, name: Option<&str>) -> Name {
        match name {
            Some(name) => {
                Name { text: name.to_owned(), url: Some(self.here.url(&format!("/settings/keys/{id}"))), note: "" }
            }
            None => Name::plain(id),
        }
    }

    /// What it was done to: by the name that it has, else that which the event tells, else its id.
    fn what(&self, kind: EventKind, event: &Event) -> Name {
        if let Some(form) = self.form_of_submission(kind, event) {
            return form;
        }
        let (subject, id) = thing_of_event(kind, event);
        let known = self.names.of(subject, &id);
        let name = known.map(|known| known.name.clone()).filter(|name| !name.is_empty());
        let is_there = known.is_some_and(|known| known.is_there);
        let told = || name_told(event).unwrap_or_else(|| id.clone());
        let in_location = |path: &str| {
            let location = event.location.filter(|_| is_there)?;
            Some(format!("/app/locations/{location}/{path}/{id}"))
        };
        match subject {
            Subject::Key => self.key(&id, name.as_deref().or(name_told(event).as_deref())),
            Subject::User | Subject::Session | Subject::Instance | Subject::AuditLog => match UserId::parse(&id) {
                Some(member) if self.users.contains_key(&member) => self.member(member),
                _ => Name::plain(&name_told(event).unwrap_or_else(|| "a former member".to_owned())),
            },
            Subject::Agency => Name::plain(self.here.visitor.signed_in.agency.profile.name.as_str()),
            Subject::Location => Name {
                url: is_there.then(|| format!("/app/locations/{id}")),
                text: name.unwrap_or_else(told),
                note: "",
            },
            Subject::Invitation => Name::plain(&name.unwrap_or_else(|| "somebody".to_owned())),
            Subject::Task => Name {
                url: event
                    .contact
                    .zip(event.location)
                    .filter(|_| is_there)
                    .map(|(contact, location)| format!("/app/locations/{location}/contacts/{contact}")),
                text: name.unwrap_or_else(told),
                note: "",
            },
            _ => Name { url: page_of(subject).and_then(in_location), text: name.unwrap_or_else(told), note: "" },
        }
    }

    /// The form that was sent in, by the name that it had then; it leads to what was answered.
    fn form_of_submission(&self, kind: EventKind, event: &Event) -> Option<Name> {
        let is_form = matches!(kind, EventKind::FormSubmitted | EventKind::FormHeld);
        if !is_form && kind != EventKind::SurveySubmitted {
            return None;
        }
        let fields = changes::fields(event.after.as_deref());
        let text = |name: &str| fields.get(name).and_then(|value| value.as_str());
        let may_see = is_form && self.here.authority().grant().allows(Scope::FormsRead);
        let place = event.location.zip(text("formId")).filter(|_| may_see);
        let url = place
            .map(|(location, form)| format!("/app/locations/{location}/forms/{form}/submissions/{}", event.subject));
        Some(Name { text: text("formName")?.to_owned(), url, note: "" })
    }

    /// Where it happened, unless the sentence or the page says so.
    fn place(&self, event: &Event, kind: Option<EventKind>) -> Option<Name> {
        let location =
            event.location.filter(|_| self.here.location.is_none() && reaches_agency(self.here.authority()))?;
        if kind.is_some_and(|kind| kind.subject() == Subject::Location) {
            return None;
        }
        let known = self.names.of(Subject::Location, location.as_str())?;
        let url = known.is_there.then(|| format!("/app/locations/{location}"));
        Some(Name { text: known.name.clone(), url, note: "" })
    }
}

/// Where in a location the pages of such things are, each under its id.
const fn page_of(subject: Subject) -> Option<&'static str> {
    Some(match subject {
        Subject::Contact => "contacts",
        Subject::Opportunity => "opportunities",
        Subject::Import => "contacts/imports",
        Subject::Tag => "settings/tags",
        Subject::CustomField => "settings/custom-fields",
        Subject::CustomValue => "settings/custom-values",
        Subject::Pipeline => "settings/pipelines",
        _ => return None,
    })
}

/// What an event says that its thing is called: of what is made or gone it tells all, of what was renamed both names.
fn name_told(event: &Event) -> Option<String> {
    [&event.after, &event.before].into_iter().find_map(|text| {
        let fields = changes::fields(text.as_deref());
        let text = |name: &str| fields.get(name).and_then(|value| value.as_str()).filter(|text| !text.is_empty());
        let person = [text("firstName"), text("lastName")].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let name = Some(person.as_str()).filter(|name| !name.is_empty());
        let name =
            name.or_else(|| ["name", "title", "fileName", "companyName", "email", "url"].into_iter().find_map(text));
        name.map(|name| mask_keys(name).into_owned())
    })
}
