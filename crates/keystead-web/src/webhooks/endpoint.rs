//! The page of a webhook: how it does, what was sent to it, and what can be done about that.

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Error, WholeDelivery, WholeEndpoint};
use keystead_model::{
    Invalid, UtcMs,
    event::EventKind,
    page::Window,
    scope::Scope,
    time::{DAY_MS, HOUR_MS},
    webhook::{DeliveryState, EndpointPatch, WebhookEndpoint, WhyUnheard},
};

use super::{PATH, SECTION, Status, delivery::next_try, editor, url_of, wanted, wanted_to_change};
use crate::{
    Web,
    api_keys::creator,
    ask::Ask,
    failure::Failure,
    flash::{Done, lead},
    form::{Choice, Field, Fields, Form, Kind},
    list::{Asked, Listing, PAGE},
    page::{Frame, render},
    place::Here,
    show::{ago, grouped, until},
};

struct Row {
    name: String,
    message: String,
    status: Status,
    tries: String,
    next_try: String,
    ago: String,
    exactly: String,
    url: String,
}

/// A state by which deliveries are shown, and how many are in it.
struct Chip {
    words: &'static str,
    count: String,
    url: String,
    is_here: bool,
}

#[derive(Template)]
#[template(path = "webhooks/show.html")]
struct Page {
    frame: Frame,
    endpoint: WebhookEndpoint,
    title: String,
    status: Status,
    is_on: bool,
    /// Since when nothing is sent to any webhook.
    paused_since: Option<String>,
    /// Of what it hears nothing, in sentences, each with the events.
    unheard: Vec<(String, String)>,
    /// The newest key of its agency, where it has an older one.
    newer_key: Option<i64>,
    /// When it is tried again, where one try tells for all.
    next_probe: Option<String>,
    last_taken: String,
    chips: Vec<Chip>,
    rows: Vec<Row>,
    list: Listing,
    /// Until when messages carry two signatures.
    two_until: Option<String>,
    listens_as: String,
    created: String,
    place: String,
    may_write: bool,
    button: Form,
    test: Form,
    recover: Form,
    url: String,
    list_url: String,
    csv_url: String,
}

pub(super) const STATE: &str = "state";

fn test_form(here: &Here, sent: Fields) -> Form {
    let event = Field::new(Kind::Select, "event", "Event").needed("Choose an event").of(editor::choices(here));
    Form::new(vec![event], sent)
}

/// How far back something is sent again, in words and milliseconds.
const BACK: [(&str, &str, i64); 4] = [
    ("PT1H", "The last hour", HOUR_MS),
    ("P1D", "The last 24 hours", DAY_MS),
    ("P7D", "The last 7 days", 7 * DAY_MS),
    ("P30D", "The last 30 days", 30 * DAY_MS),
];

fn recover_form(sent: Fields) -> Form {
    let since = Field::new(Kind::Select, "since", "What failed in").needed("Choose how far back");
    Form::new(vec![since.of(BACK.map(|(name, words, _)| Choice::new(name, words)))], sent)
}

/// The forms of the page, as they were sent.
struct Forms {
    button: Form,
    test: Form,
    recover: Form,
}

impl Forms {
    fn of(here: &Here) -> Self {
        Self {
            button: Form::of_buttons(here),
            test: test_form(here, Fields::default()),
            recover: recover_form(Fields::default()),
        }
    }
}

fn row(here: &Here, endpoint_url: &str, whole: WholeDelivery, is_sent: bool, now: UtcMs) -> Row {
    let next_try = next_try(&whole, is_sent, now, &here.zone());
    let WholeDelivery { delivery, message, .. } = whole;
    Row {
        name: message.name,
        message: message.id,
        status: Status::of_delivery(delivery.state),
        tries: match delivery.attempts {
            1 => "1 try".to_owned(),
            several => format!("{} tries", grouped(several)),
        },
        next_try,
        ago: ago(delivery.created_at, now),
        exactly: here.zone().exactly(delivery.created_at),
        url: format!("{endpoint_url}/deliveries/{}", delivery.id),
    }
}

/// Why it does not hear of something, in a sentence. `who` set it up.
fn silence(why: WhyUnheard, who: &str) -> String {
    match why {
        WhyUnheard::ListenerEnded => {
            format!("It hears nothing: {who}, who set it up, may do nothing any more. Edit it and save it yourself, and it hears what you may read.")
        }
        WhyUnheard::NoScope(scope) => {
            let what = scope.as_str();
            format!("It hears nothing of these: {who}, who set it up, lacks {what}, or lacked it then. Edit it as somebody who holds it, and let it hear what you may read.")
        }
        WhyUnheard::OutOfReach => {
            format!("It hears nothing of these: they happen where {who}, who set it up, does not reach any more.")
        }
        WhyUnheard::Elsewhere => {
            format!("It hears of these only from the locations that {who}, who set it up, still reaches.")
        }
        WhyUnheard::OfAgency => {
            "It hears nothing of these: they happen to the agency, and this is the webhook of a location. Add one in Agency View."
                .to_owned()
        }
    }
}

fn names(events: &[EventKind]) -> String {
    events.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ")
}

async fn page(web: &Web, here: &Here, whole: WholeEndpoint, asked: Asked, forms: Forms) -> Result<Page, Error> {
    let (status, is_sent) = (Status::of(&whole), whole.is_sent());
    let WholeEndpoint { endpoint, unheard, newest_key, paused_since } = whole;
    let (now, url) = (web.app.now(), url_of(here, endpoint.id));
    let state = asked.text(STATE).and_then(DeliveryState::parse);
    let window = Window::skip(asked.skipped(), PAGE);
    let found = web.app.list_webhook_deliveries(here.authority(), endpoint.id, state, window).await?;
    let figures = web.app.webhook_figures(here.authority(), endpoint.id).await?;
    let chip = |words, of: Option<DeliveryState>, count: i64| Chip {
        words,
        count: if count == 0 { String::new() } else { grouped(count) },
        url: asked.with(&url, STATE, of.map(DeliveryState::as_str)),
        is_here: of == state,
    };
    let chips = vec![
        chip("All", None, 0),
        chip("Taken", Some(DeliveryState::Delivered), figures.delivered),
        chip("Waiting", Some(DeliveryState::Waiting), figures.waiting),
        chip("Failed", Some(DeliveryState::Failed), figures.failed),
        chip("Held", Some(DeliveryState::Held), figures.held),
    ];
    let names_of_actors = web.app.actor_names(here.authority(), [endpoint.listener.actor]).await?;
    let place = match endpoint.location {
        Some(location) => here.names_of(web, [location]).await?.remove(&location).unwrap_or_default(),
        None => "The agency and its locations".to_owned(),
    };
    let rows: Vec<Row> = found.rows.into_iter().map(|whole| row(here, &url, whole, is_sent, now)).collect();
    let previous = endpoint.sealed.previous.as_ref().filter(|(_, until)| *until > now);
    let csv_url = asked.with(&format!("{url}/deliveries.csv"), STATE, state.map(DeliveryState::as_str));
    let Forms { button, test, recover } = forms;
    let listens_as = creator(endpoint.listener.actor, &names_of_actors);
    Ok(Page {
        frame: Frame::of(here, endpoint.content.title(), SECTION),
        title: endpoint.content.title().to_owned(),
        status,
        paused_since: paused_since.map(|since| here.zone().named(since)),
        unheard: unheard.iter().map(|unheard| (silence(unheard.why, &listens_as), names(&unheard.events))).collect(),
        newer_key: (newest_key > endpoint.sealed.key_version).then_some(newest_key),
        is_on: endpoint.disabled.is_none(),
        next_probe: endpoint.health.next_probe.filter(|at| *at > now).map(|at| until(at, now)),
        last_taken: endpoint.health.succeeded_at.map_or_else(|| "never".to_owned(), |at| ago(at, now)),
        chips,
        list: Listing::new(url.clone(), &asked, rows.len(), found.has_more, None),
        rows,
        two_until: previous.map(|(_, until)| here.zone().named(*until)),
        listens_as,
        created: here.zone().named(endpoint.created_at),
        place,
        may_write: here.authority().grant().allows(Scope::WebhooksWrite),
        button,
        test,
        recover,
        url,
        list_url: here.url(PATH),
        csv_url,
        endpoint,
    })
}

pub(crate) async fn show(State(web): State<Web>, asked: Asked, here: Here) -> Result<Response, Failure> {
    let endpoint = wanted(&web, &here).await?;
    let forms = Forms::of(&here);
    Ok(render(&page(&web, &here, endpoint, asked, forms).await?))
}

/// The page again, with the form that has to be mended.
async fn again(
    web: &Web,
    here: &Here,
    endpoint: WholeEndpoint,
    forms: Forms,
    wrong: impl Fn(&Page) -> &Form,
) -> Result<Response, Failure> {
    let page = page(web, here, endpoint, Asked::default(), forms).await?;
    Ok(wrong(&page).again(&page))
}

/// Sends an example of an event.
pub(crate) async fn test(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let whole = wanted_to_change(&web, &here).await?;
    let id = whole.endpoint.id;
    let mut form = test_form(&here, sent);
    let kind = form.read("event", |name| EventKind::parse(name).ok_or_else(|| Invalid::new("is no event")));
    let send = async |kind| web.app.test_webhook(here.authority(), id, kind).await;
    match form.run_with(kind, send).await? {
        Some(sent) => {
            let url = format!("{}/deliveries/{}", url_of(&here, id), sent.delivery.id);
            Ok(lead(&web, &url, Done::ExampleSent, &sent.message.name))
        }
        None => {
            let forms = Forms { test: form, ..Forms::of(&here) };
            again(&web, &here, whole, forms, |page| &page.test).await
        }
    }
}

/// Sends again what failed.
pub(crate) async fn recover(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let whole = wanted_to_change(&web, &here).await?;
    let id = whole.endpoint.id;
    let mut form = recover_form(sent);
    let since = form.read("since", |name| {
        let known = BACK.iter().find(|(known, ..)| *known == name);
        known.map(|(.., back)| UtcMs(web.app.now().0 - back)).ok_or_else(|| Invalid::new("is none of these times"))
    });
    let recover = async |since| web.app.recover_webhook_deliveries(here.authority(), id, since).await;
    match form.run_with(since, recover).await? {
        Some(recovered) => {
            let url = url_of(&here, id);
            let (done, about) = match recovered.count {
                0 => (Done::NothingToRecover, String::new()),
                count if recovered.has_more => {
                    (Done::DeliveriesRecovered, format!("{}, and there are more", grouped(count)))
                }
                count => (Done::DeliveriesRecovered, grouped(count)),
            };
            Ok(lead(&web, &url, done, &about))
        }
        None => {
            let forms = Forms { recover: form, ..Forms::of(&here) };
            again(&web, &here, whole, forms, |page| &page.recover).await
        }
    }
}

/// Switches it off, or on again.
pub(crate) async fn switch(State(web): State<Web>, mut here: Here, sent: Fields) -> Result<Response, Failure> {
    let whole = wanted_to_change(&web, &here).await?;
    let id = whole.endpoint.id;
    let is_on = sent.text("enabled") == Some("true");
    let mut button = Form::of_button(&here, "switch", sent);
    button.confirm(&web, &mut here).await?;
    let patch = EndpointPatch { enabled: Some(is_on), ..EndpointPatch::default() };
    let done = if is_on { Done::WebhookOn } else { Done::WebhookOff };
    match button.run(web.app.update_webhook(here.authority(), id, patch)).await? {
        Some(saved) => Ok(lead(&web, &url_of(&here, id), done, saved.endpoint.content.title())),
        None => {
            let forms = Forms { button, ..Forms::of(&here) };
            again(&web, &here, whole, forms, |page| &page.button).await
        }
    }
}

/// Signs its messages with the newest key of its agency.
pub(crate) async fn switch_key(State(web): State<Web>, mut here: Here, sent: Fields) -> Result<Response, Failure> {
    let whole = wanted_to_change(&web, &here).await?;
    let id = whole.endpoint.id;
    let mut button = Form::of_button(&here, "key", sent);
    button.confirm(&web, &mut here).await?;
    let patch = EndpointPatch { signing_key: Some(whole.newest_key), ..EndpointPatch::default() };
    match button.run(web.app.update_webhook(here.authority(), id, patch)).await? {
        Some(saved) => {
            let version = saved.endpoint.sealed.key_version.to_string();
            Ok(lead(&web, &url_of(&here, id), Done::WebhookKeySwitched, &version))
        }
        None => {
            let forms = Forms { button, ..Forms::of(&here) };
            again(&web, &here, whole, forms, |page| &page.button).await
        }
    }
}

fn question(here: &Here, endpoint: &WebhookEndpoint) -> Ask {
    let sentences = vec![
        "Nothing is sent there any more, and what was on its way is dropped.".to_owned(),
        "Its secret is gone with it. To pause it, switch it off instead.".to_owned(),
    ];
    Ask::to_delete(here, SECTION, (endpoint.content.title(), "Delete webhook"), sentences, url_of(here, endpoint.id))
}

pub(crate) async fn delete_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let endpoint = wanted_to_change(&web, &here).await?.endpoint;
    Ok(question(&here, &endpoint).shown())
}

pub(crate) async fn delete(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let endpoint = wanted_to_change(&web, &here).await?.endpoint;
    let done = |()| lead(&web, &here.url(PATH), Done::WebhookDeleted, endpoint.content.title());
    question(&here, &endpoint).answered(web.app.delete_webhook(here.authority(), endpoint.id), done).await
}
