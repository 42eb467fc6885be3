//! The page of notices: the list, putting away, and the count that stays live.

use std::{convert::Infallible, time::Duration};

use askama::Template;
use axum::{
    Form,
    body::{Body, Bytes},
    extract::{Query, State},
    response::Response,
};
use futures_util::stream;
use http::{HeaderValue, header};
use keystead_core::{Error, NoticeFilter, error::Noun};
use keystead_model::{
    LocationId, NoticeId, UtcMs,
    notice::{
        About, AboutForm, AboutKey, AboutWebhook, Channel, Muted, Notice, NoticeKind, NoticeNoun, NoticeSubject,
        Reading, Topic,
    },
    page::Window,
    scope::Scope,
    webhook::{NamedEndpoint, WhyDisabled},
};
use serde::Deserialize;
use tokio::time::Instant;

use crate::{
    Web,
    failure::Failure,
    flash::{Done, lead},
    form::Fields,
    forms,
    page::{Frame, render},
    place::{self, Here},
    show::{self as words, Zone},
    streams::Stream,
};

/// Notices about one thing, the newest in full.
pub(crate) struct Group {
    id: NoticeId,
    noun: NoticeNoun,
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) status: &'static str,
    pub(crate) class: &'static str,
    pub(crate) text: String,
    /// The location that it is about, where several are listed together.
    place: Option<String>,
    when: String,
    exactly: String,
    others: usize,
    /// Webhooks that an exposed key has set up.
    set_up: Vec<Link>,
    pub(crate) keeps: bool,
    deactivates: bool,
    /// Whether a new secret is what helps.
    pub(crate) rotates: bool,
    restores: bool,
    is_archived: bool,
}

/// A thing by its name, and where it is.
pub(crate) struct Link {
    pub(crate) name: String,
    pub(crate) url: String,
}

#[derive(Template)]
#[template(path = "notices/list.html")]
struct List {
    frame: Frame,
    groups: Vec<Group>,
    base: String,
    archived: bool,
    may_write: bool,
    next_url: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct ListQuery {
    archived: Option<String>,
    before: Option<String>,
}

const PAGE: i64 = 50;

/// What is said of a key whose chosen end is there.
pub(crate) const EXPIRED: &str = "Has expired, as its owner chose. Calls with it are refused.";

/// What is said of a key that has a chosen end.
pub(crate) fn expiring(zone: &Zone, at: UtcMs, now: UtcMs) -> String {
    format!("Expires {}, on {}, as its owner chose.", words::until(at, now), zone.instant(at))
}

/// What a notice says, in a sentence.
fn sentence(web: &Web, zone: &Zone, notice: &Notice, now: UtcMs) -> String {
    match &notice.about {
        About::Key(key) => of_key(web, zone, notice, key, now),
        About::Webhook(webhook) => of_webhook(notice, webhook).to_owned(),
        About::Form(form) => of_form(notice, form),
    }
}

fn of_form(notice: &Notice, form: &AboutForm) -> String {
    let held = match form.held {
        _ if !notice.open => return "Answers were held for review; somebody has looked at them.".to_owned(),
        1 => {
            return "1 answer is held, because it looks like spam. Nothing comes of it before you accept or discard it."
                .to_owned();
        }
        AboutForm::COUNTED.. => format!("{} answers or more", AboutForm::COUNTED),
        count => format!("{count} answers"),
    };
    format!("{held} are held, because they look like spam. Nothing comes of them before you accept or discard them.")
}

fn of_webhook(notice: &Notice, webhook: &AboutWebhook) -> &'static str {
    let why = webhook.disabled.map(|disabled| disabled.why);
    match (notice.kind, notice.open) {
        (NoticeKind::WebhookDisabled, true) if why == Some(WhyDisabled::Gone) => {
            "Was switched off because its receiver says that it is gone. What happens meanwhile is kept for 30 days."
        }
        (NoticeKind::WebhookDisabled, true) => {
            "Was switched off because it took no message for days. What happens meanwhile is kept for 30 days."
        }
        (NoticeKind::WebhookDisabled, false) => "Was switched off because it took nothing any more; that is over.",
        (_, true) => "Messages failed after their last try. They are kept for 30 days and can be sent again.",
        (_, false) => "Messages failed after their last try; that is over.",
    }
}

fn of_key(web: &Web, zone: &Zone, notice: &Notice, key: &AboutKey, now: UtcMs) -> String {
    let utc = |instant| web.app.to_utc(instant, now);
    let from = notice.address.as_deref().map(|address| format!(" from {address}")).unwrap_or_default();
    match notice.kind {
        NoticeKind::Inactivity(_) if !notice.open => "Was about to be deleted for inactivity; that is over.".to_owned(),
        NoticeKind::Inactivity(_) if web.app.deletions_are_paused() => {
            "Unused. Deletions are paused, so nothing happens to it until they go on.".to_owned()
        }
        NoticeKind::Inactivity(_) => {
            let at = utc(key.deletes_at);
            let off = if key.is_active { "" } else { " It is switched off, so only Keep saves it." };
            format!("Unused, and deleted {}, not before {}.{off}", words::until(at, now), zone.instant(at))
        }
        NoticeKind::Deleted => match key.restore_until.filter(|_| notice.open) {
            Some(until) => {
                format!("Was deleted after 90 days without use. It can be restored until {}.", zone.instant(utc(until)))
            }
            None => "Was deleted after 90 days without use.".to_owned(),
        },
        NoticeKind::DeletedKeyUsed => {
            format!("Somebody used it{from} after it was deleted, with the right secret, and was refused.")
        }
        NoticeKind::Expiring(_) => match key.expires_at {
            Some(at) => expiring(zone, at, now),
            None => "Was about to expire.".to_owned(),
        },
        NoticeKind::Expired => EXPIRED.to_owned(),
        NoticeKind::Retiring => match key.retires_at.filter(|_| notice.open) {
            Some(at) => format!("Its old secret ends {} and is still in use{from}.", words::until(at, now)),
            None => "Its old secret was still in use when it was about to end.".to_owned(),
        },
        _ => "Its secret was found in public and stopped. Rotate the key to use it again.".to_owned(),
    }
}

/// The page of what a notice is about, in its own place: a location's key is also seen from there.
fn url_of(here: &Here, subject: NoticeSubject, location: Option<LocationId>) -> String {
    let page = match subject {
        NoticeSubject::Key(id) => format!("/settings/keys/{id}"),
        NoticeSubject::Webhook(id) => format!("/settings/webhooks/{id}"),
        // A form is nowhere but in its location.
        NoticeSubject::Form(id) => {
            let location = location.map(|location| format!("/app/locations/{location}")).unwrap_or_default();
            return format!("{location}{}?form={id}&state=held", forms::SUBMISSIONS_PATH);
        }
    };
    match (&here.location, location) {
        (None, Some(location)) if !place::reaches_agency(here.authority()) => {
            format!("/app/locations/{location}{page}")
        }
        _ => here.url(&page),
    }
}

/// A webhook that something else names.
pub(crate) fn link(here: &Here, endpoint: &NamedEndpoint) -> Link {
    Link {
        name: endpoint.title().to_owned(),
        url: url_of(here, NoticeSubject::Webhook(endpoint.id), endpoint.location),
    }
}

pub(crate) fn group(web: &Web, here: &Here, notice: &Notice, others: usize, now: UtcMs) -> Group {
    let (status, class) = match (notice.open, notice.kind) {
        (false, _) => ("Closed", "off"),
        (true, NoticeKind::Inactivity(stage)) if stage.days() == 1 => ("Deletes within a day", "bad"),
        (true, NoticeKind::Inactivity(_)) => ("Idle", "warn"),
        (true, NoticeKind::Deleted) => ("Deleted", "bad"),
        (true, NoticeKind::DeletedKeyUsed) => ("Deleted, but in use", "bad"),
        (true, NoticeKind::Expiring(_)) => ("Expires soon", "warn"),
        (true, NoticeKind::Expired) => ("Expired", "bad"),
        (true, NoticeKind::Retiring) => ("Old secret in use", "warn"),
        (true, NoticeKind::Exposed) => ("Exposed", "bad"),
        (true, NoticeKind::WebhookFailed) => ("Messages failed", "warn"),
        (true, NoticeKind::WebhookDisabled) => ("Switched off", "bad"),
        (true, NoticeKind::FormHeld) => ("Answers held", "warn"),
    };
    let key = notice.about.key();
    let set_up = key.map(|key| key.set_up.as_slice()).unwrap_or_default();
    let keeps = notice.open && matches!(notice.kind, NoticeKind::Inactivity(_));
    Group {
        id: notice.id,
        noun: notice.about.subject().noun(),
        name: notice.about.name().to_owned(),
        url: url_of(here, notice.about.subject(), notice.location),
        status,
        class,
        text: sentence(web, &here.zone(), notice, now),
        place: None,
        when: words::ago(notice.recorded_at, now),
        exactly: here.zone().exactly(notice.recorded_at),
        others,
        set_up: set_up.iter().map(|endpoint| link(here, endpoint)).collect(),
        keeps,
        deactivates: keeps && key.is_some_and(|key| key.is_active),
        restores: notice.open && matches!(notice.kind, NoticeKind::Deleted | NoticeKind::DeletedKeyUsed),
        rotates: notice.open && notice.kind == NoticeKind::Exposed,
        is_archived: notice.reading == Reading::Archived,
    }
}

pub(crate) async fn list(
    State(web): State<Web>,
    Query(query): Query<ListQuery>,
    here: Here,
) -> Result<Response, Failure> {
    let archived = query.archived.is_some();
    let filter = NoticeFilter { archived, ..here.notice_filter() };
    let before = query.before.as_deref().and_then(NoticeId::parse);
    let page = web.app.list_notices(here.authority(), filter, Window::after(before, PAGE)).await?;
    let found = &page.rows;
    let unseen: Vec<NoticeId> =
        found.iter().filter(|notice| notice.reading == Reading::Unseen).map(|notice| notice.id).collect();
    if !unseen.is_empty() {
        web.app.see_notices(here.authority(), unseen).await?;
    }
    let now = web.app.now();
    // Whoever is in a location knows where they are.
    let place_of = |notice: &Notice| notice.location.filter(|_| here.location.is_none());
    let places = here.names_of(&web, found.iter().filter_map(place_of)).await?;
    let mut groups: Vec<Group> = Vec::new();
    for (index, notice) in found.iter().enumerate() {
        // What is open stands alone, once of each kind; the rest is history of its thing.
        let is_about = |other: &Notice| other.about.subject() == notice.about.subject();
        let says_more = |other: &Notice| other.open && other.kind.as_str() == notice.kind.as_str();
        let earlier = |other: &&Notice| is_about(other) && (!other.open || says_more(other));
        let is_first = !found[..index].iter().any(is_about);
        let is_said = found[..index].iter().any(|other| is_about(other) && says_more(other));
        if (notice.open && !is_said) || (archived && is_first) {
            let others = if is_first { found[index + 1..].iter().filter(earlier).count() } else { 0 };
            let place = place_of(notice).and_then(|location| places.get(&location).cloned());
            groups.push(Group { place, ..group(&web, &here, notice, others, now) });
        }
    }
    let base = here.url("/notices");
    let next_url = page.next(|last| format!("{base}?before={}{}", last.id, if archived { "&archived=1" } else { "" }));
    let shown = List {
        frame: Frame::of(&here, "Notifications", "notices"),
        groups,
        base,
        archived,
        may_write: here.authority().grant().allows(Scope::KeysWrite),
        next_url,
    };
    Ok(render(&shown))
}

pub(crate) async fn archive(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let id = here.id(Noun::Notice)?;
    let notice = web.app.read_notice(here.authority(), id, Reading::Archived).await?;
    Ok(lead(&web, &here.url("/notices"), Done::NoticePutAway, notice.about.name()))
}

/// A topic, and by which channels it comes.
struct TopicRow {
    topic: Topic,
    in_app: Told,
    email: Told,
    when_mailed: &'static str,
}

/// Whether a topic comes by a channel, and the value of its box.
struct Told {
    value: String,
    is_fixed: bool,
    is_on: bool,
}

#[derive(Template)]
#[template(path = "notices/preferences.html")]
struct Preferences {
    frame: Frame,
    topics: Vec<TopicRow>,
    /// Mails go to admins only.
    gets_mails: bool,
    has_mail_server: bool,
    list_url: String,
}

fn box_value(topic: Topic, channel: Channel) -> String {
    format!("{}.{}", topic.as_str(), channel.as_str())
}

pub(crate) async fn preferences(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let muted = web.app.muted_notices(here.authority()).await?;
    let told = |topic, channel| Told {
        value: box_value(topic, channel),
        is_fixed: !Muted::allows(topic, channel),
        is_on: !muted.has(topic, channel),
    };
    let row = |topic: Topic| TopicRow {
        topic,
        in_app: told(topic, Channel::InApp),
        email: told(topic, Channel::Email),
        when_mailed: topic.when_mailed(),
    };
    Ok(render(&Preferences {
        frame: Frame::of(&here, "Notification preferences", "notices"),
        topics: Topic::ALL.into_iter().map(row).collect(),
        gets_mails: here.visitor.signed_in.user.role.manages_members(),
        has_mail_server: web.has_mail,
        list_url: here.url("/notices"),
    }))
}

pub(crate) async fn set_preferences(
    State(web): State<Web>,
    here: Here,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let (fields, before) = (Fields::from(pairs), web.app.muted_notices(here.authority()).await?);
    let (wanted, gets_mails) = (fields.all("told"), here.visitor.signed_in.user.role.manages_members());
    let all = Topic::ALL.into_iter().flat_map(|topic| Channel::ALL.map(|channel| (topic, channel)));
    let muted = Muted::new(all.filter(|(topic, channel)| match channel {
        // Not asked of those who get none: what they chose as an admin stays.
        Channel::Email if !gets_mails => before.has(*topic, *channel),
        Channel::InApp | Channel::Email => !wanted.contains(&box_value(*topic, *channel).as_str()),
    }));
    web.app.mute_notices(here.authority(), muted).await?;
    Ok(lead(&web, &here.url("/notices"), Done::PreferencesSaved, ""))
}

/// A stream lasts this long; the browser opens the next one, and its session is looked at again.
const STREAM_TIME: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The number of unseen notices, as server-sent events: at once, and whenever it changes.
pub(crate) async fn stream(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let Some(open) = web.streams.open(here.visitor.signed_in.user.id) else {
        return Err(Error::unavailable(Duration::from_secs(30)).into());
    };
    let until = Instant::now() + STREAM_TIME;
    let listener = Listener { web, here, told: None, until, _open: open };
    let mut response = Response::new(Body::from_stream(stream::unfold(listener, Listener::next)));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // A proxy that collects the answer would hold back every event.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// Somebody whose browser hears events. It is dropped with the connection.
struct Listener {
    web: Web,
    here: Here,
    /// The last number that was told.
    told: Option<i64>,
    until: Instant,
    _open: Stream,
}

impl Listener {
    /// The next event, or the end of the stream.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        if self.told.is_some() {
            let mut ended = self.web.ended.clone();
            let next = Instant::now() + LOOK_EVERY;
            tokio::select! {
                _ = ended.wait_for(|ended| *ended) => return None,
                () = tokio::time::sleep_until(next.min(self.until)) => {}
            }
        }
        // Whoever signed out or was disabled hears no more.
        let session = place::session(&self.web, &self.here.visitor.headers).await;
        if Instant::now() >= self.until || !matches!(session, Ok(Some(_))) {
            return None;
        }
        let count = self.web.app.count_unseen_notices(self.here.authority()).await.ok()?;
        let event = match self.told == Some(count) {
            true => ": still here\n\n".to_owned(),
            false => format!("data: {}\n\n", words::grouped(count)),
        };
        self.told = Some(count);
        Some((Ok(event.into()), self))
    }
}
