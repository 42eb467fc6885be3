//! The page of a trigger link: how it fares, who clicked, and what it is shared by.

use std::collections::HashMap;

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use keystead_core::{Authority, ClickFilter, ClickStats, Error, LocationContext, MintedLink, Steps, error::Noun};
use keystead_model::{
    ClickId, ContactId, LinkTokenId, UtcMs,
    click::{Click, LinkToken, Reason, TokenSource, Verdict},
    contact::Contact,
    id::Id,
    link::{FirePolicy, Link, LinkPatch, LinkStatus},
    page::Window,
    scope::Scope,
};

use super::{SECTION, address, may_write, qr as codes, standing, url, wanted};
use crate::{
    Web,
    chart::{Chart, Drawn, Series, Span, chart},
    contacts,
    download::{self, AT_ONCE},
    failure::Failure,
    flash::{Done, lead, lead_back},
    form::{Field, Fields, Form},
    list::Asked,
    once::{Once, once},
    opportunities::{Whom, whom},
    page::{Frame, render},
    place::Here,
    show::{Zone, ago, grouped},
};

/// Clicks of a page.
const CLICKS: i64 = 15;
/// Personal links that are shown.
const TOKENS: i64 = 8;

const SERIES: &[Series] =
    &[Series { name: "People", drawn: Drawn::Full }, Series { name: "Bots", drawn: Drawn::Hollow }];

struct Fact {
    label: &'static str,
    value: String,
    detail: String,
}

struct ClickShown {
    id: String,
    when: String,
    exactly: String,
    /// Whose, where somebody is known: name and page.
    who: Option<(String, Option<String>)>,
    device: String,
    network: String,
    pill: (&'static str, &'static str),
    why: String,
    verdict: Option<Verdict>,
    /// Whether it can start now what it did not.
    can_fire: bool,
}

struct TokenShown {
    id: String,
    who: String,
    url: Option<String>,
    made: String,
    is_ended: bool,
}

struct Why {
    words: &'static str,
    count: String,
    percent: String,
}

#[derive(Template)]
#[template(path = "links/show.html")]
pub(crate) struct Show {
    frame: Frame,
    name: String,
    pill: (&'static str, &'static str),
    ends: Option<String>,
    url: String,
    list_url: String,
    address: String,
    field_key: String,
    code: Option<(usize, String)>,
    facts: Vec<Fact>,
    span: Span,
    chart: Chart,
    clicks: Vec<ClickShown>,
    next_url: Option<String>,
    is_first: bool,
    reasons: Vec<Why>,
    bots: String,
    referrers: Vec<(String, String)>,
    settings: Vec<(&'static str, String)>,
    /// Custom values that it names and that are not there, as they stand in its address.
    missing: Vec<String>,
    left_out: Vec<String>,
    tokens: Vec<TokenShown>,
    form: Form,
    form_id: String,
    /// People whom the words of the form could mean: id, name, addresses.
    candidates: Vec<(String, String, String)>,
    /// The address that was just made, which is not shown again.
    minted: Option<(String, String)>,
    is_active: bool,
    may_write: bool,
}

/// Why a hit may have been no person's.
fn words(reason: Reason) -> &'static str {
    match reason {
        Reason::NotOpened => "Not opened as people do",
        Reason::NoBrowser => "No browser",
        Reason::KnownProgram => "Known program",
        Reason::NotAPage => "Not opened as a page",
        Reason::HeadersMissing => "Headers of a browser missing",
        Reason::NoLanguage => "No language",
        Reason::OldBrowser => "Very old browser",
        Reason::Early => "Within 30 seconds of the message",
        Reason::TwoLinks => "Two links within 10 seconds",
        Reason::ManyLinks => "Many links within 10 seconds",
        Reason::SeveralContacts => "Links of several contacts at once",
        Reason::ManyContacts => "Links of very many contacts at once",
        Reason::Burst => "Again and again within seconds",
    }
}

fn mint_fields() -> Vec<Field> {
    vec![
        Field::line("contact", "Personal link for")
            .needed("Say for whom")
            .hint("A name, an e-mail address or a phone number. The link knows its contact, and can be ended.")
            .with("maxlength=100 autocomplete=off"),
    ]
}

pub(crate) async fn show(State(web): State<Web>, asked: Asked, here: Here) -> Result<Response, Failure> {
    let (context, link) = wanted(&web, &here).await?;
    let form = Form::new(mint_fields(), Vec::new());
    Ok(render(&page((&web, &here, &context), &link, &asked, form).await?))
}

async fn page(
    (web, here, context): (&Web, &Here, &LocationContext),
    link: &Link,
    asked: &Asked,
    form: Form,
) -> Result<Show, Error> {
    let (now, zone) = (web.app.now(), here.zone());
    let span = Span::parse(asked.text("show"));
    let steps = span.steps(now, &here.report_zone());
    let begin = steps.begins().first().copied().unwrap_or(now);
    let (stats, _) = web.app.click_stats(context, link.id, begin).await?;
    let before = asked.text("before").and_then(Id::parse);
    let found = web.app.list_clicks(context, link.id, ClickFilter::default(), Window::after(before, CLICKS)).await?;
    let tokens = web.app.list_link_tokens(context, link.id, None, Window::first(TOKENS)).await?.rows;
    let whose = found.rows.iter().filter_map(|click| click.contact).chain(tokens.iter().map(|token| token.contact));
    let names = names(web, here, context, whose.collect()).await?;
    let (url, is_first) = (url(here, link.id), before.is_none());
    let unknown = web.app.unknown_fields(context, link.id).await?;
    let in_braces = |names: &[String]| names.iter().map(|name| format!("{{{{{name}}}}}")).collect();
    Ok(Show {
        frame: Frame::of(here, link.content.name.as_str(), SECTION),
        name: link.content.name.as_str().to_owned(),
        pill: standing(link, now),
        ends: link.content.expires_at.map(|end| zone.instant(UtcMs(end.0 - 1))),
        list_url: here.url(super::PATH),
        code: codes::code(&address(web, link)),
        address: address(web, link),
        field_key: link.field_key(),
        facts: facts(&stats, span),
        span,
        chart: drawn(&stats, &steps, span, &here.report_zone()),
        clicks: found.rows.iter().map(|click| shown(click, &names, &zone)).collect(),
        next_url: found.next(|last| asked.with(&url, "before", Some(last.id.as_str()))),
        is_first,
        reasons: reasons(&stats),
        bots: grouped(stats.bots),
        referrers: stats.referrers.iter().map(|(site, count)| (site.clone(), grouped(*count))).collect(),
        settings: settings(link, &zone),
        missing: in_braces(&unknown.whole),
        left_out: in_braces(&unknown.parts),
        tokens: tokens.iter().map(|token| token_shown(token, &names, now)).collect(),
        form,
        form_id: web.app.entropy().token(),
        candidates: Vec::new(),
        minted: None,
        is_active: link.content.status == LinkStatus::Active,
        may_write: may_write(here),
        url,
    })
}

/// What contacts are called, and where they are, of those that somebody may see.
type Names = HashMap<ContactId, (String, String)>;

async fn names(web: &Web, here: &Here, context: &LocationContext, ids: Vec<ContactId>) -> Result<Names, Error> {
    if ids.is_empty() || !here.authority().grant().allows(Scope::ContactsRead) {
        return Ok(Names::new());
    }
    let found = web.app.contacts_of(context, ids).await?;
    let named =
        |contact: Contact| (contact.id, (contacts::name(&contact), here.url(&format!("/contacts/{}", contact.id))));
    Ok(found.into_iter().map(named).collect())
}

fn facts(stats: &ClickStats, span: Span) -> Vec<Fact> {
    let of = if span == Span::Hours { "in 48 hours" } else { "in 30 days" };
    let fact = |label, value: i64, detail| Fact { label, value: grouped(value), detail };
    let hits = stats.humans + stats.bots + stats.held;
    vec![
        fact("Clicks of people", stats.humans, of.to_owned()),
        fact("Different contacts", stats.contacts, String::new()),
        fact("Started something", stats.fired, String::new()),
        fact("Held right now", stats.held, String::new()),
        fact("Bots, not counted", stats.bots, format!("of {} hits", grouped(hits))),
    ]
}

fn drawn(stats: &ClickStats, steps: &Steps, span: Span, zone: &Zone) -> Chart {
    let mut counted: Vec<(UtcMs, Vec<i64>)> = steps.begins().iter().map(|begin| (*begin, vec![0, 0])).collect();
    for (hour, humans, bots) in &stats.hours {
        if let Some((_, counts)) = steps.of_hour(*hour).and_then(|step| counted.get_mut(step)) {
            counts[0] += humans;
            counts[1] += bots;
        }
    }
    chart("Hits: people and bots", SERIES, &counted, span, zone)
}

fn reasons(stats: &ClickStats) -> Vec<Why> {
    let most = stats.reasons.iter().map(|(_, count)| *count).max().unwrap_or(1).max(1);
    let why = |(reason, count): &(Reason, i64)| Why {
        words: words(*reason),
        count: grouped(*count),
        percent: format!("{}%", (count * 100 / most).max(1)),
    };
    stats.reasons.iter().map(why).collect()
}

fn settings(link: &Link, zone: &Zone) -> Vec<(&'static str, String)> {
    let content = &link.content;
    let fires = match content.fire {
        FirePolicy::FirstPerContact => "The first click of each contact",
        FirePolicy::Daily => "One click of a contact a day",
        FirePolicy::Every => "Every click",
    };
    let over = content.fallback.as_ref().map_or("Says that it has ended", |to| to.as_str());
    vec![
        ("Leads to", content.redirect_to.as_str().to_owned()),
        ("What starts something", fires.to_owned()),
        ("Last day", content.expires_at.map_or_else(|| "None".to_owned(), |end| zone.day(UtcMs(end.0 - 1)))),
        ("Most clicks", content.max_clicks.map_or_else(|| "No limit".to_owned(), grouped)),
        ("Afterwards", over.to_owned()),
        ("Button first", if content.confirm { "Yes" } else { "No" }.to_owned()),
    ]
}

fn shown(click: &Click, names: &Names, zone: &Zone) -> ClickShown {
    let pill = match click.verdict {
        Some(Verdict::Human) => ("good", "Person"),
        Some(Verdict::Bot) => ("off", "Bot"),
        None => ("mid", "Held"),
    };
    let mut why: Vec<&str> = click.reasons.iter().map(|reason| words(*reason)).collect();
    if click.classified_by.is_some() {
        why.insert(0, "Said by a member or a program");
    } else if click.verdict.is_none() {
        why.push("Judged within a minute");
    }
    if click.fired_at.is_some() {
        why.push("Started something");
    }
    let known = |contact: ContactId| match names.get(&contact) {
        Some((name, url)) => (name.clone(), Some(url.clone())),
        None => ("A contact".to_owned(), None),
    };
    ClickShown {
        id: click.id.to_string(),
        when: zone.instant(click.at),
        exactly: zone.exactly(click.at),
        who: click.contact.map(known),
        device: click.device.clone(),
        network: click.network.clone(),
        pill,
        why: why.join("; "),
        verdict: click.verdict,
        // By a click that started something it is not started again.
        can_fire: click.contact.is_some() && click.fired_at.is_none(),
    }
}

fn token_shown(token: &LinkToken, names: &Names, now: UtcMs) -> TokenShown {
    let (who, url) = match names.get(&token.contact) {
        Some((name, url)) => (name.clone(), Some(url.clone())),
        None => ("A contact".to_owned(), None),
    };
    let made_for = match token.source {
        TokenSource::Api => "by a program",
        TokenSource::App => "here",
        TokenSource::Mail => "for a mail",
        TokenSource::Sms => "for a text message",
    };
    let made = format!("Made {made_for} {}", ago(token.created_at, now));
    TokenShown { id: token.id.to_string(), who, url, made, is_ended: token.revoked_at.is_some() }
}

/// Makes a link of a contact's own, and shows its address, which is known only now.
pub(crate) async fn mint(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    here.authority().require(Scope::LinksWrite)?;
    let (context, link) = wanted(&web, &here).await?;
    let whose = whom(&web, &here, &context, &sent).await?;
    let mut form = Form::new(mint_fields(), sent);
    let mut candidates = Vec::new();
    let contact = match whose {
        Whom::Known(contact) => Some(*contact),
        Whom::OneOf(found) => {
            match (form.text("contact").is_some(), found.is_empty()) {
                (false, _) => form.miss("contact"),
                (true, true) => form.say("contact", "Nobody here is called so; add the contact first"),
                (true, false) => form.say("contact", "Several contacts are called so; choose one below"),
            }
            let candidate =
                |contact: &Contact| (contact.id.to_string(), contacts::name(contact), contacts::addresses(contact));
            candidates = found.iter().map(candidate).collect();
            None
        }
    };
    let form_id = form.sent.shown("form_id");
    let work = async |contact: Contact| {
        let mint = async |authority: Authority| {
            let context = web.app.enter_location(authority, Some(link.location)).await?;
            web.app.mint_link_token(&context, link.id, contact.id, TokenSource::App, None).await
        };
        let id = |minted: &MintedLink| minted.token.id.to_string();
        let made = match form_id.is_empty() {
            true => Once::Made(mint(here.authority().clone()).await?),
            false => once(&web, &here, ("app make personal link", &form_id), mint, id).await?,
        };
        Ok((contacts::name(&contact), made))
    };
    let minted = match form.run_with(contact, work).await? {
        Some((who, Once::Made(minted))) => Some((who, format!("{}{}", web.base_url, minted.path))),
        // The page that shows it was loaded again.
        Some((who, Once::Before(_))) => return Ok(lead(&web, &url(&here, link.id), Done::LinkTokenShown, &who)),
        None => None,
    };
    let is_made = minted.is_some();
    let form = if is_made { Form::new(mint_fields(), Vec::new()) } else { form };
    let shown = page((&web, &here, &context), &link, &Asked::default(), form).await?;
    let shown = Show { candidates, minted, ..shown };
    Ok(if is_made { render(&shown) } else { shown.form.again(&shown) })
}

pub(crate) async fn revoke(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (context, link) = wanted(&web, &here).await?;
    let token = here.visitor.param("token");
    let id: LinkTokenId = Id::parse(token).ok_or_else(|| Error::NotFound(Noun::LinkToken, token.to_owned()))?;
    web.app.revoke_link_token(&context, link.id, id).await?;
    Ok(lead(&web, &url(&here, link.id), Done::LinkTokenEnded, link.content.name.as_str()))
}

/// Switches it on or off.
pub(crate) async fn switch(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    here.authority().require(Scope::LinksWrite)?;
    let (context, link) = wanted(&web, &here).await?;
    let off = match sent.text("status") {
        Some("active") => false,
        Some("disabled") => true,
        // The undoing of what was done, which says nothing.
        _ => link.content.status == LinkStatus::Active,
    };
    let status = Some(if off { LinkStatus::Disabled } else { LinkStatus::Active });
    let patch = LinkPatch::new(link.content.name.clone(), link.content.redirect_to.clone());
    web.app.update::<Link>(&context, (), link.id, LinkPatch { status, ..patch }).await?;
    let done = if off { Done::LinkSwitchedOff } else { Done::LinkSwitchedOn };
    Ok(lead_back(&web, &url(&here, link.id), done, link.content.name.as_str(), link.id.as_str()))
}

pub(crate) async fn classify(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let (context, link) = wanted(&web, &here).await?;
    let click = here.visitor.param("click");
    let id: ClickId = Id::parse(click).ok_or_else(|| Error::NotFound(Noun::Click, click.to_owned()))?;
    let said = sent.text("verdict").unwrap_or_default();
    let (verdict, fires) = match said {
        "fire" => (Verdict::Human, true),
        other => (Verdict::parse(other).ok_or_else(|| Error::invalid("verdict", "must be human or bot"))?, false),
    };
    web.app.classify_click(&context, link.id, id, verdict, fires).await?;
    let done = if verdict == Verdict::Human { Done::ClickOfPerson } else { Done::ClickOfBot };
    Ok(lead(&web, &url(&here, link.id), done, link.content.name.as_str()))
}

/// Its QR code as a file.
pub(crate) async fn qr(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (_, link) = wanted(&web, &here).await?;
    let file = codes::file(&address(&web, &link))
        .ok_or_else(|| Error::invalid("the address", "is too long for a QR code; choose a shorter one"))?;
    let name = format!("attachment; filename=\"{}.svg\"", link.slug.as_str());
    Ok(([(header::CONTENT_TYPE, "image/svg+xml".to_owned()), (header::CONTENT_DISPOSITION, name)], file)
        .into_response())
}

/// All its clicks in one file.
pub(crate) async fn clicks_csv(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (context, link) = wanted(&web, &here).await?;
    let (id, file) = (link.id, format!("clicks-{}.csv", link.slug.as_str()));
    let read = move |after| {
        let (app, context) = (web.app.clone(), context.clone());
        async move { app.list_clicks(&context, id, ClickFilter::default(), Window::after(after, AT_ONCE)).await }
    };
    Ok(download::csv(&file, Click::COLUMNS, None, read, |last: &Click| last.id, |click| click.cells().into()).await?)
}
