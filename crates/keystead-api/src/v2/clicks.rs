//! Clicks on trigger links, and links of one contact each, in API 2.0.

use keystead_core::{ClickFilter, ClickStats, Error, LocationContext, MintedLink};
use keystead_model::{
    ClickId, ContactId, Invalid, LinkId, LinkTokenId, UtcMs,
    calendar_date::CalendarDate,
    click::{Click, LinkToken, Reason, TokenSource, Verdict},
    page::Window,
    text::TimeZoneName,
    time::{DAY_MS, Moment},
};
use serde_json::{Map, Value};

use super::{
    page::{Cursor, NextCursor},
    rows::{self, Cells, Rows},
    samples,
    succeeded::Succeeded,
};
use crate::{
    call::Call,
    reader::Reader,
    shape::{Bare, Envelope, Fields, Ground, Input, One, Word, Written, word::one_of},
};

impl Envelope for Click {
    const ONE: &'static str = "click";
    const MANY: &'static str = "clicks";
}

impl Written for Click {
    const NAME: &'static str = "LinkClick";

    fn sample() -> Self {
        samples::click()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { id, link, contact, token, at, device, network, referrer, verdict, reasons, classified_by, fired_at } =
            self;
        fields.put("id", id);
        fields.put("linkId", link);
        fields.or_null("contactId", contact.as_ref());
        fields.or_null("tokenId", token.as_ref());
        fields.put("at", at);
        fields.put("device", device);
        fields.put("network", network);
        fields.or_null("referrer", referrer.as_ref());
        fields.one_of_or_null("verdict", verdict.map(Verdict::as_str), &Verdict::ALL.map(Verdict::as_str));
        fields.put("reasons", &reasons.iter().map(|reason| reason.as_str().to_owned()).collect::<Vec<_>>());
        fields.or_null("classifiedBy", classified_by.as_ref().map(|by| by.as_str().to_owned()).as_ref());
        fields.or_null("firedAt", fired_at.as_ref());
    }
}

impl Word for Verdict {
    const EXAMPLE: &'static str = "human";

    fn schema() -> Value {
        one_of(Self::ALL.map(Self::as_str))
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Self::parse(text).ok_or_else(|| Invalid::new("must be human or bot"))
    }
}

/// A verdict, or that there is none yet.
enum Asked {
    Given(Verdict),
    Held,
}

impl Word for Asked {
    const EXAMPLE: &'static str = "human";

    fn schema() -> Value {
        one_of(["human", "bot", "held"])
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        match text {
            "held" => Ok(Self::Held),
            other => Verdict::parse(other).map(Self::Given).ok_or_else(|| Invalid::new("must be human, bot or held")),
        }
    }
}

/// Which clicks.
pub(crate) struct Which(ClickFilter);

impl Input for Which {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        let verdict = query.word("verdict");
        let (contact, since) = (query.word("contactId"), query.moment("since"));
        let filter = ClickFilter {
            verdict: if let Some(Asked::Given(verdict)) = verdict { Some(verdict) } else { None },
            held: matches!(verdict, Some(Asked::Held)),
            contact,
            since: since.map(|since: Moment| since.start(&TimeZoneName::utc())),
        };
        Some(Self(filter))
    }

    /// A contact that is nobody.
    fn settle(example: &mut Map<String, Value>) {
        example.remove("contactId");
    }
}

/// Which clicks, and from where on.
pub(crate) struct Listing {
    filter: ClickFilter,
    window: Window<ClickId>,
}

impl Input for Listing {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        let Which(filter) = Which::read(query)?;
        Some(Self { filter, window: query.window(|Cursor(id)| id) })
    }

    fn settle(example: &mut Map<String, Value>) {
        Which::settle(example);
    }
}

/// Some clicks.
pub(crate) struct Clicks {
    rows: Vec<Click>,
    next: NextCursor,
}

impl Written for Clicks {
    fn sample() -> Self {
        Self { rows: vec![Click::sample()], next: NextCursor::sample() }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("clicks", &self.rows);
        fields.put("meta", &self.next);
    }
}

pub(crate) async fn list(context: LocationContext, call: Call<LinkId, Listing>) -> Result<Clicks, Error> {
    let Listing { filter, window } = call.query;
    let page = call.app.list_clicks(&context, call.path, filter, window).await?;
    Ok(Clicks { next: NextCursor::of(&page, |last| last.id.to_string()), rows: page.rows })
}

impl Cells for Click {
    const COLUMNS: &'static [&'static str] = &Self::COLUMNS;

    fn cells(&self) -> Vec<String> {
        self.cells().into()
    }
}

pub(crate) async fn csv(context: LocationContext, call: Call<LinkId, Which>) -> Result<Rows<Click>, Error> {
    let (app, link, Which(filter)) = (call.app, call.path, call.query);
    let read = move |after| {
        let (app, context, filter) = (app.clone(), context.clone(), filter.clone());
        async move { app.list_clicks(&context, link, filter, Window::after(after, rows::AT_ONCE)).await }
    };
    Rows::of(read, |last| last.id).await
}

/// Who made a click, and whether it starts now what it would have.
pub(crate) struct Said {
    verdict: Verdict,
    fires: bool,
}

impl Input for Said {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let verdict = reader.required("verdict", |reader| reader.word("verdict"));
        let fires = reader.truth("fire").unwrap_or(false);
        Some(Self { verdict: verdict?, fires })
    }
}

pub(crate) async fn classify(
    context: LocationContext,
    call: Call<(LinkId, ClickId), Bare, Said>,
) -> Result<One<Click>, Error> {
    let ((link, id), Said { verdict, fires }) = (call.path, call.body);
    Ok(One(call.app.classify_click(&context, link, id, verdict, fires).await?))
}

/// Since when.
pub(crate) struct Since(Option<Moment>);

impl Input for Since {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        Some(Self(query.moment("since")))
    }
}

/// Days that are told of, if nobody says since when, and at most.
const DAYS: i64 = 30;
const MOST_DAYS: i64 = 400;

/// How a link has fared.
pub(crate) struct Stats {
    since: UtcMs,
    sums: ClickStats,
    zone: TimeZoneName,
}

impl Envelope for Stats {
    const ONE: &'static str = "stats";
    const MANY: &'static str = "stats";
}

impl Written for Stats {
    const NAME: &'static str = "LinkStats";

    fn sample() -> Self {
        let sums = ClickStats {
            humans: 12,
            bots: 9,
            held: 1,
            contacts: 10,
            fired: 10,
            reasons: vec![(Reason::KnownProgram, 9)],
            referrers: vec![("harbour.example".to_owned(), 2)],
            hours: vec![(samples::NOON, 12, 9)],
        };
        Self { since: UtcMs(samples::NOON.0 - DAYS * DAY_MS), sums, zone: TimeZoneName::utc() }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let ClickStats { humans, bots, held, contacts, fired, reasons, referrers, hours } = &self.sums;
        fields.put("since", &self.since);
        fields.put("hits", &(humans + bots + held));
        fields.put("humans", humans);
        fields.put("bots", bots);
        fields.put("held", held);
        fields.put("contacts", contacts);
        fields.put("fired", fired);
        let reasons = reasons.iter().map(|(reason, hits)| Counted(reason.as_str().to_owned(), *hits));
        fields.put("reasons", &reasons.collect::<Vec<_>>());
        let referrers = referrers.iter().map(|(site, clicks)| Counted(site.clone(), *clicks));
        fields.put("referrers", &referrers.collect::<Vec<_>>());
        let mut days: Vec<Day> = Vec::new();
        for (hour, humans, bots) in hours {
            let date = CalendarDate::of(*hour, &self.zone);
            match days.last_mut().filter(|day| day.date == date) {
                Some(day) => {
                    day.humans += humans;
                    day.bots += bots;
                }
                None => days.push(Day { date, humans: *humans, bots: *bots }),
            }
        }
        fields.put("days", &days);
    }
}

/// Something, and how often.
struct Counted(String, i64);

impl Written for Counted {
    const NAME: &'static str = "LinkCount";

    fn sample() -> Self {
        Self("known_program".to_owned(), 9)
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("name", &self.0);
        fields.put("hits", &self.1);
    }
}

/// Clicks of a day, by the clock of the location.
struct Day {
    date: CalendarDate,
    humans: i64,
    bots: i64,
}

impl Written for Day {
    const NAME: &'static str = "LinkDay";

    fn sample() -> Self {
        Self { date: CalendarDate::of(samples::NOON, &TimeZoneName::utc()), humans: 12, bots: 9 }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("date", &self.date.to_iso());
        fields.put("humans", &self.humans);
        fields.put("bots", &self.bots);
    }
}

pub(crate) async fn stats(context: LocationContext, call: Call<LinkId, Since>) -> Result<One<Stats>, Error> {
    let now = context.authority().now();
    let since = call.query.0.map(|since| since.start(&TimeZoneName::utc()));
    let since = since.unwrap_or(UtcMs(now.0 - DAYS * DAY_MS)).max(UtcMs(now.0 - MOST_DAYS * DAY_MS));
    let (sums, zone) = call.app.click_stats(&context, call.path, since).await?;
    Ok(One(Stats { since, sums, zone }))
}

impl Envelope for LinkToken {
    const ONE: &'static str = "token";
    const MANY: &'static str = "tokens";
}

impl Written for LinkToken {
    const NAME: &'static str = "LinkToken";

    fn sample() -> Self {
        samples::link_token()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { id, link, contact, source, created_at, handed_over_at, revoked_at } = self;
        fields.put("id", id);
        fields.put("linkId", link);
        fields.put("contactId", contact);
        fields.one_of("source", source.as_str(), &TokenSource::ALL.map(TokenSource::as_str));
        fields.put("createdAt", created_at);
        fields.or_null("handedOverAt", handed_over_at.as_ref());
        fields.or_null("revokedAt", revoked_at.as_ref());
    }
}

/// Whose, and from where on.
pub(crate) struct TokenListing {
    contact: Option<ContactId>,
    window: Window<LinkTokenId>,
}

impl Input for TokenListing {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        Some(Self { contact: query.word("contactId"), window: query.window(|Cursor(id)| id) })
    }

    /// A contact that is nobody.
    fn settle(example: &mut Map<String, Value>) {
        example.remove("contactId");
    }
}

/// Some links of contacts.
pub(crate) struct Tokens {
    rows: Vec<LinkToken>,
    next: NextCursor,
}

impl Written for Tokens {
    fn sample() -> Self {
        Self { rows: vec![LinkToken::sample()], next: NextCursor::sample() }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("tokens", &self.rows);
        fields.put("meta", &self.next);
    }
}

pub(crate) async fn list_tokens(context: LocationContext, call: Call<LinkId, TokenListing>) -> Result<Tokens, Error> {
    let TokenListing { contact, window } = call.query;
    let page = call.app.list_link_tokens(&context, call.path, contact, window).await?;
    Ok(Tokens { next: NextCursor::of(&page, |last| last.id.to_string()), rows: page.rows })
}

/// For whom a link is made.
pub(crate) struct Mint {
    contact: ContactId,
    handed_over_at: Option<Moment>,
}

impl Input for Mint {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.names_location();
        let contact = reader.required("contactId", |reader| reader.word("contactId"));
        let handed_over_at = reader.moment("handedOverAt");
        Some(Self { contact: contact?, handed_over_at })
    }

    /// It has been when the link is made.
    fn settle(example: &mut Map<String, Value>) {
        example.remove("handedOverAt");
    }
}

/// A link of a contact, with its address. Whoever repeats the request gets everything but the address.
pub(crate) struct Minted {
    url: Option<String>,
    token: LinkToken,
}

impl Written for Minted {
    const NAME: &'static str = "MintedLink";

    fn sample() -> Self {
        let url = Some("https://crm.example.com/l/book/x7Kq2mB4Tz9rWc1Yd".to_owned());
        Self { url, token: LinkToken::sample() }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let is_repeated = self.url.is_none();
        fields.or_null("url", self.url.as_ref());
        fields.put("token", &self.token);
        fields.opt("urlAlreadyShown", is_repeated.then_some(&true));
    }

    fn forget_secret(&mut self) {
        self.url = None;
    }
}

pub(crate) async fn mint(context: LocationContext, call: Call<LinkId, Bare, Mint>) -> Result<Minted, Error> {
    let Mint { contact, handed_over_at } = call.body;
    let handed_over_at = handed_over_at.map(|at| at.start(&TimeZoneName::utc()));
    let minted = call.app.mint_link_token(&context, call.path, contact, TokenSource::Api, handed_over_at).await?;
    let MintedLink { token, path } = minted;
    Ok(Minted { url: Some(format!("{}{path}", call.base_url)), token })
}

pub(crate) async fn revoke(context: LocationContext, call: Call<(LinkId, LinkTokenId)>) -> Result<Succeeded, Error> {
    let (link, id) = call.path;
    call.app.revoke_link_token(&context, link, id).await.map(|()| Succeeded)
}
