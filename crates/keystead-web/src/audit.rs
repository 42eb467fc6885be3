//! The agency's audit log: who did what, when, from where, with what changed.

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{AuditFilter, Error};
use keystead_model::{
    LocationId, UtcMs,
    actor::Actor,
    event::{Event, EventKind},
    key_search::KeySearch,
    page::Window,
    time::{DAY_MS, Moment},
};

use crate::{
    Web,
    download::{self, AT_ONCE},
    failure::Failure,
    history::{Told, told},
    list::{Asked, Choosable, Filter, Written},
    page::{Frame, render},
    place::Here,
    show::Zone,
};

/// What events are about: how their kinds begin, and what that is called.
const ABOUT: &[(&str, &str)] = &[
    ("api_key.", "API keys"),
    ("session.", "Sign-in"),
    ("user.", "Members"),
    ("location.", "Locations"),
    ("agency.", "The agency"),
    ("instance.", "This instance"),
    ("contact.", "Contacts"),
    ("note.", "Notes"),
    ("task.", "Tasks"),
    ("opportunity.", "Opportunities"),
    ("import.", "Imports"),
];

/// Times to choose from: name in addresses, words, milliseconds.
const WHEN: &[(&str, &str, i64)] =
    &[("day", "Last 24 hours", DAY_MS), ("week", "Last 7 days", 7 * DAY_MS), ("month", "Last 30 days", 30 * DAY_MS)];

/// Those who act and are nobody's name: value in addresses, words, what events call them.
const OTHERS: &[(&str, &str, Actor)] =
    &[("system", "Keystead itself", Actor::System), ("operator", "The operator", Actor::Operator)];

#[derive(Template)]
#[template(path = "audit/list.html")]
struct Page {
    frame: Frame,
    events: Vec<Told>,
    /// What the log is about, as its field shows it, and what else is asked for.
    subject: String,
    others: Vec<(String, String)>,
    /// Each with what it is called while it is off.
    filters: [(Filter, &'static str); 4],
    /// What is asked for that no entry can be.
    never: Option<String>,
    /// The chip that adds what becomes of data, or takes it away; none where another filter decides that.
    data: Option<(bool, String)>,
    is_filtered: bool,
    base: String,
    csv_url: String,
    next_url: Option<String>,
}

const PAGE: i64 = 50;

/// What the log is asked for. Rows about a key are found by the key, too; only its id is used, and shown again.
struct AuditQuery {
    asked: Asked,
    /// The number of the row that those of the page follow.
    before: Option<i64>,
}

impl AuditQuery {
    fn of(mut asked: Asked) -> Self {
        if let Some(KeySearch::Id(id)) = asked.text("subject").map(KeySearch::parse) {
            asked.say("subject", Some(id.to_string()));
        }
        let before = asked.take("before").and_then(|number| number.parse().ok());
        Self { asked, before }
    }

    /// Whether only what is sealed is meant. Whoever asks about something wants all that became of it.
    fn is_of_administration(&self) -> bool {
        let asks_for_data = self.asked.text("action").is_some_and(|action| {
            EventKind::ALL.iter().any(|kind| kind.as_str().starts_with(action) && !kind.class().is_sealed())
        });
        self.asked.text("subject").is_none() && !asks_for_data && !self.is_with_data()
    }

    fn is_with_data(&self) -> bool {
        self.asked.text("data") == Some("1")
    }

    fn day(&self, name: &str) -> Option<Moment> {
        Moment::parse(self.asked.text(name)?).ok()
    }

    /// That no day is from one until another that is before it, if that is asked for.
    fn never(&self, zone: &Zone) -> Option<String> {
        let [from, until] = ["from", "until"].map(|name| Some(self.day(name)?.start(&zone.to_name())));
        let (from, until) = from.zip(until).filter(|(from, until)| from > until)?;
        let (from, until) = (zone.day(from), zone.day(until));
        Some(format!(
            "“From” ({from}) is later than “Until” ({until}), so no entry fits. Choose an earlier “From”, or a later “Until”."
        ))
    }

    /// Days are those of the zone that the page shows.
    fn filter(&self, now: UtcMs, zone: &Zone) -> AuditFilter {
        let (zone, asked) = (zone.to_name(), &self.asked);
        let since = WHEN.iter().find(|(name, ..)| Some(*name) == asked.text("when")).map(|(.., ms)| UtcMs(now.0 - ms));
        let other = OTHERS.iter().find(|(name, ..)| Some(*name) == asked.text("actor"));
        AuditFilter {
            action: asked.text("action").map(str::to_owned),
            subject: asked.text("subject").map(str::to_owned),
            actor: asked.text("actor").filter(|_| other.is_none()).map(str::to_owned),
            actor_kind: other.map(|(.., actor)| actor.kind()),
            sealed_only: false,
            location: asked.text("location").and_then(LocationId::parse),
            from: self.day("from").map(|day| day.start(&zone)).or(since),
            // The day itself belongs to it.
            until: self.day("until").map(|day| day.end(&zone)),
        }
    }
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(value, words)| ((*value).to_owned(), (*words).to_owned())).collect()
}

async fn filters(web: &Web, here: &Here, query: &AuditQuery, base: &str) -> Result<[(Filter, &'static str); 4], Error> {
    let names = web.app.user_names(here.authority()).await?;
    let mut members: Vec<(String, String)> = names.into_iter().map(|(id, name)| (id.to_string(), name)).collect();
    members.sort_by(|a, b| (a.1.to_lowercase(), &a.0).cmp(&(b.1.to_lowercase(), &b.0)));
    members.extend(OTHERS.iter().map(|(value, words, _)| ((*value).to_owned(), (*words).to_owned())));
    let filter = |name, options| Filter::of(base, &query.asked, name, Some(options));
    Ok([
        (filter(("actor", "Who", "user"), members), "anybody"),
        (filter(("action", "About", "list"), owned(ABOUT)), "everything"),
        (filter(("location", "Where", "pin"), here.places()), "everywhere"),
        (when(here, query, base), "at any time"),
    ])
}

/// The filter of time: some lengths, and from one day until another.
fn when(here: &Here, query: &AuditQuery, base: &str) -> Filter {
    let (zone, asked) = (here.zone(), &query.asked);
    let with = |length: Option<&str>| asked.with_all(base, &[("when", length), ("from", None), ("until", None)]);
    let option = |(value, words, _): &(&str, &str, i64)| Choosable {
        words: (*words).to_owned(),
        url: with(Some(value)),
        is_here: asked.text("when") == Some(value),
    };
    let options: Vec<Choosable> = WHEN.iter().map(option).collect();
    let length = options.iter().find(|option| option.is_here).map(|option| option.words.clone());
    let day = |name| query.day(name).map(|day| zone.day(day.start(&zone.to_name())));
    let words = match (day("from"), day("until")) {
        (Some(from), Some(until)) => format!("{from} to {until}"),
        (Some(from), None) => format!("since {from}"),
        (None, Some(until)) => format!("until {until}"),
        (None, None) => length.unwrap_or_default(),
    };
    let written = |name, label| {
        let value = asked.text(name).unwrap_or_default().to_owned();
        Written { name, label, kind: "date", value }
    };
    Filter {
        label: "When",
        icon: "cal",
        words,
        without_url: with(None),
        options,
        written: vec![written("from", "From"), written("until", "Until")],
        others: asked.others(&["when", "from", "until"]),
    }
}

pub(crate) async fn list(State(web): State<Web>, asked: Asked, here: Here) -> Result<Response, Failure> {
    let query = AuditQuery::of(asked);
    let context = here.authority().clone().in_agency()?;
    let (base, asked) = (here.url("/audit"), &query.asked);
    let is_of_administration = query.is_of_administration();
    let filter = AuditFilter { sealed_only: is_of_administration, ..query.filter(web.app.now(), &here.zone()) };
    let found = web.app.list_audit(&context, filter, Window::after(query.before, PAGE)).await?;
    let with_data = query.is_with_data();
    let page = Page {
        frame: Frame::of(&here, "Audit log", "audit"),
        events: told(&web, &here, &found.rows).await?,
        subject: asked.text("subject").unwrap_or_default().to_owned(),
        others: asked.others(&["subject"]),
        filters: filters(&web, &here, &query, &base).await?,
        never: query.never(&here.zone()),
        data: (with_data || is_of_administration)
            .then(|| (with_data, asked.with(&base, "data", (!with_data).then_some("1")))),
        is_filtered: asked.whole(&base) != base,
        // What a view leaves out its download leaves out, too; one without any filter has everything.
        csv_url: asked.with(&here.url("/audit.csv"), "data", is_of_administration.then_some("0")),
        next_url: found.next(|last| asked.with(&base, "before", Some(&last.number.to_string()))),
        base,
    };
    Ok(render(&page))
}

/// The whole log that the query finds, however long, in one file.
pub(crate) async fn csv(State(web): State<Web>, asked: Asked, here: Here) -> Result<Response, Failure> {
    let query = AuditQuery::of(asked);
    let context = here.authority().clone().in_agency()?;
    let sealed_only = query.asked.text("data") == Some("0");
    let filter = AuditFilter { sealed_only, ..query.filter(web.app.now(), &here.zone()) };
    let read = move |after| {
        let (app, context, filter) = (web.app.clone(), context.clone(), filter.clone());
        async move { app.list_audit(&context, filter, Window::after(after, AT_ONCE)).await }
    };
    const NAMES: [&str; 12] = [
        "id", "at", "actor", "actor_id", "action", "subject", "location", "ip", "request", "before", "after",
        "position",
    ];
    Ok(download::csv("audit-log.csv", NAMES, query.before, read, |last: &Event| last.number, cells).await?)
}

fn cells(row: &Event) -> Vec<String> {
    vec![
        row.number.to_string(),
        row.at.to_iso(),
        row.actor.kind().to_owned(),
        row.actor.id().unwrap_or_default().to_owned(),
        row.kind.clone(),
        row.subject.clone(),
        row.location.map(|location| location.to_string()).unwrap_or_default(),
        row.ip.clone().unwrap_or_default(),
        row.request_id.clone().unwrap_or_default(),
        row.before.clone().unwrap_or_default(),
        row.after.clone().unwrap_or_default(),
        row.position.map(|position| position.to_string()).unwrap_or_default(),
    ]
}
