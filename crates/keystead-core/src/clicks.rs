//! Who opens a trigger link: where they are led, and afterwards whether it was a person, which is all that counts and starts
//! something.

use std::{net::IpAddr, time::Duration};

use keystead_model::{
    AgencyId, ClickId, ContactId, LinkId, LocationId, UtcMs,
    actor::Signature,
    click::{Click, Company, Hit, Judgement, Look, RULES, Verdict, device, judge, network_of},
    contact::Contact,
    custom_field::{CustomField, OwnerKind},
    custom_value::CustomValue,
    event::EventKind,
    link::{Destination, FirePolicy, Link, Slug},
    merge_field,
    page::{Page, Window},
    scope::Scope,
    text::TimeZoneName,
    time::DAY_MS,
};
use keystead_store::{
    Tx,
    clicks::{self, ClickFilter, ClickStats, Held, NewClick},
    contacts, custom_fields, custom_values,
    links::{self, Found, FoundToken},
    locations, queue, stored,
};

use crate::{
    App, Error, LocationContext, Result, Source,
    error::Noun,
    events::{Fields, Happened, put, put_all},
    operate::InLocation,
    secret::token_hash,
    tally::Happening,
};

/// Somebody opens the address of a link.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Which, as it stands in the address.
    pub slug: String,
    /// What stands after it.
    pub token: Option<String>,
    /// How.
    pub means: Means,
    /// What the request says of who makes it. Whether it opens the link follows from how it was asked.
    pub hit: Hit,
    /// The client's address.
    pub address: IpAddr,
    /// Whether it is known to be the client's own.
    pub address_is_own: bool,
    /// The site that led there.
    pub referrer: Option<String>,
}

/// How a link is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// Its address was asked for.
    Get,
    /// The button of its page was pressed.
    Post,
    /// Neither, which browsers do not do.
    Other,
}

/// Where whoever opens a link is led.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Led {
    /// There is no such link for strangers.
    Nowhere,
    /// It leads nowhere any more.
    Over,
    /// To an address.
    To(String),
    /// To a page with a button, which leads on: to this address.
    ByButton(String),
    /// Nowhere yet: those who are still looked at may be all that it leads on. After this long more is known.
    Later(Duration),
}

/// Locations that are served in one go, and clicks of one that are judged in one transaction.
const PLACES: i64 = 100;
const AT_ONCE: i64 = 100;
/// For how long a whole address is known, as a digest, and what a browser calls itself.
const SOURCES_KEPT_MS: i64 = DAY_MS;
const AGENTS_KEPT_MS: i64 = 30 * DAY_MS;
/// Rows of one step of forgetting.
const FORGOTTEN_AT_ONCE: i64 = 2_000;
/// Characters of the site that led to a link.
const REFERRER_MAX: usize = 200;

impl App {
    /// Where somebody is led who opens a link, and keeps that they did. What cannot be kept is counted: they get there all the same.
    pub async fn follow_link(&self, opening: Opening) -> Result<Led> {
        let Ok(slug) = Slug::parse(&opening.slug) else { return Ok(Led::Nowhere) };
        let digest = opening.token.as_deref().map(token_hash);
        let found = self.store.look_up(move |tx| links::find_opened(tx, &slug, digest.as_ref())).await?;
        let Some(found) = found else { return Ok(Led::Nowhere) };
        let now = self.clock.now();
        let content = &found.link.content;
        if !found.link.is_open(now) {
            return self.led_elsewhere(&found).await;
        }
        let Some(url) = self.rendered(&found, &content.redirect_to).await? else {
            return self.led_elsewhere(&found).await;
        };
        if content.confirm && opening.means != Means::Post {
            return Ok(Led::ByButton(url));
        }
        let is_opening = opening.means == if content.confirm { Means::Post } else { Means::Get };
        let is_kept = self.keep_click(&found, Opening { hit: Hit { is_opening, ..opening.hit }, ..opening }, now).await;
        // Who is not counted gets there all the same, but where a number of people must not be passed.
        Ok(if is_kept || content.max_clicks.is_none() { Led::To(url) } else { Led::Later(Look::FIRST_AFTER) })
    }

    /// Where a link leads that leads no more where it did.
    async fn led_elsewhere(&self, found: &Found) -> Result<Led> {
        let Some(fallback) = &found.link.content.fallback else { return Ok(Led::Over) };
        Ok(self.rendered(found, fallback).await?.map_or(Led::Over, Led::To))
    }

    /// An address with what stands for its fields.
    async fn rendered(&self, found: &Found, to: &Destination) -> Result<Option<String>> {
        let names: Vec<String> = to.fields().into_iter().map(str::to_owned).collect();
        if names.is_empty() {
            return Ok(to.render(|_| None));
        }
        let (location, contact, to) = (found.link.location, found.token.map(|token| token.contact), to.clone());
        let rendered = self.store.read(move |tx| {
            let known = Known::of(tx, location, contact, &names)?;
            Ok::<_, keystead_store::Error>(to.render(|name| known.text(name)))
        });
        Ok(rendered.await?)
    }

    /// What the addresses of a link name and its location does not have: made later, it will be found.
    pub async fn unknown_fields(&self, context: &LocationContext, link: LinkId) -> Result<UnknownFields> {
        self.read(context, Scope::LinksRead, move |operation| {
            let link = operation.find::<Link>((), link)?;
            operation.unknown_fields(&link)
        })
        .await
    }

    /// Keeps a click; `false` where it was not, since it failed, there are too many, or those who came and those who are still looked
    /// at are as many as the link leads on. Nobody waits for more than this one write.
    async fn keep_click(&self, found: &Found, opening: Opening, now: UtcMs) -> bool {
        const WHAT: &str = "a click could not be kept";
        let Opening { hit, address, address_is_own, referrer, .. } = opening;
        if address_is_own && self.count_of_stranger("click", address).is_err() {
            self.counted.click_lost();
            let happening = Happening { source: Some(Source::of(address)), ..Happening::new(WHAT, "too many") };
            if happening.is_told() {
                tracing::warn!(%address, "{WHAT}: too many come from one address");
            }
            return false;
        }
        let (location, most) = (found.link.location, found.link.content.max_clicks);
        let new = self.new_click(found.link.id, found.token, hit, address, referrer, now);
        let kept = self.store.write_in(location, move |tx| {
            // A program that is known to be one takes nobody's place.
            if let Some(most) = most
                && new.click.verdict.is_none()
                && links::perhaps_people(tx, location, new.click.link)? >= most
            {
                return Ok(false);
            }
            clicks::insert(tx, location, &new)?;
            Ok::<_, keystead_store::Error>(true)
        });
        kept.await.unwrap_or_else(|error| {
            self.counted.click_lost();
            let error = Error::from(error);
            if Happening::new(WHAT, error.code().as_str()).is_told() {
                tracing::error!(code = error.code().as_str(), cause = error.cause(), "{WHAT}");
            }
            false
        })
    }

    fn new_click(
        &self,
        link: LinkId,
        token: Option<FoundToken>,
        hit: Hit,
        address: IpAddr,
        referrer: Option<String>,
        now: UtcMs,
    ) -> NewClick {
        let handed_over = token.and_then(|token| token.handed_over_at);
        let after_message = handed_over.map(|at| Duration::from_millis((now - at).max(0) as u64));
        // What speaks against a person already is not taken back by what comes later.
        let alone = Company { after_message, ..Company::default() };
        let Judgement { verdict, reasons } = judge(&RULES, &hit, &alone, Look::First);
        let click = Click {
            id: self.entropy.id(now),
            link,
            contact: token.map(|token| token.contact),
            token: token.map(|token| token.id),
            at: now,
            device: device(&hit.agent),
            network: network_of(address),
            referrer: referrer.map(|site| site.chars().take(REFERRER_MAX).collect()),
            verdict: verdict.filter(|verdict| *verdict == Verdict::Bot),
            reasons,
            classified_by: None,
            fired_at: None,
        };
        NewClick { click, hit, source_key: self.source_key(address), after_message }
    }

    /// What stands for an address, so that clicks from the same one are known while that matters, and it is not kept.
    fn source_key(&self, address: IpAddr) -> String {
        let source = Source::of(address).to_string();
        let digest = self.secret.mac(self.secret.current(), "keystead click source", &[source.as_bytes()]);
        digest.unwrap_or_default().iter().take(12).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Judges the clicks everywhere that have waited long enough. Called by the jobs; any number of servers may, since each looks
    /// again in the transaction in which it judges. Answers how many it looked at: of none, there was nothing left to do.
    pub async fn judge_clicks(&self) -> Result<usize> {
        let told = self.clock.told();
        let due = self.store.read(move |tx| {
            let now = queue::now(tx, told)?;
            Ok::<_, keystead_store::Error>((now, clicks::places_due(tx, now, PLACES)?))
        });
        let (now, places) = due.await?;
        let (mut looked_at, mut failed) = (0, None);
        for (agency, location) in places {
            match self.judge_clicks_in(agency, location, now).await {
                Ok(number) => looked_at += number,
                // The others are not to wait for what is wrong with one.
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(looked_at), Err)
    }

    async fn judge_clicks_in(&self, agency: AgencyId, location: LocationId, now: UtcMs) -> Result<usize> {
        let context = LocationContext::new(Self::own_authority(agency, location, now), location);
        let run = |operation: &mut InLocation<'_, '_>| {
            let held = clicks::held(operation.tx, operation.context.location, operation.now(), AT_ONCE)?;
            held.iter().try_for_each(|held| operation.judge_click(held))?;
            Ok(held.len())
        };
        self.operate_on_own(&context, run, |_, _| Ok(0)).await
    }

    /// Clicks on a link, newest first.
    pub async fn list_clicks(
        &self,
        context: &LocationContext,
        link: LinkId,
        filter: ClickFilter,
        window: Window<ClickId>,
    ) -> Result<Page<Click>> {
        self.read(context, Scope::LinksRead, move |operation| {
            operation.find::<Link>((), link)?;
            Ok(clicks::list(operation.tx, operation.context.location, link, &filter, &window)?)
        })
        .await
    }

    /// How a link has fared since some time, and the zone of its location, by which its days are told.
    pub async fn click_stats(
        &self,
        context: &LocationContext,
        link: LinkId,
        since: UtcMs,
    ) -> Result<(ClickStats, TimeZoneName)> {
        self.read(context, Scope::LinksRead, move |operation| {
            operation.find::<Link>((), link)?;
            let location = operation.context.location;
            let stats = clicks::stats(operation.tx, location, link, since)?;
            Ok((stats, locations::zone(operation.tx, location)?))
        })
        .await
    }

    /// Says who made a click, whatever the rules say. What a person's click starts is started late only where that is wanted, and
    /// never twice by one click.
    pub async fn classify_click(
        &self,
        context: &LocationContext,
        link: LinkId,
        id: ClickId,
        verdict: Verdict,
        fires: bool,
    ) -> Result<Click> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.classify_click(link, id, verdict, fires);
        self.operate(context, Scope::LinksWrite, run, move |operation, _| operation.click(link, id)).await
    }

    /// Forgets of clicks what is not to be kept, and clicks of links that are gone; whether there may be more. Called by the jobs.
    pub async fn trim_clicks(&self) -> Result<bool> {
        let now = self.clock.now();
        let trimmed = self.store.write_serial(move |tx| {
            let (sources, agents) = (UtcMs(now.0 - SOURCES_KEPT_MS), UtcMs(now.0 - AGENTS_KEPT_MS));
            let more = clicks::forget(tx, sources, agents, FORGOTTEN_AT_ONCE)?;
            Ok::<_, Error>(clicks::purge(tx, FORGOTTEN_AT_ONCE)? || more)
        });
        trimmed.await
    }
}

impl InLocation<'_, '_> {
    fn unknown_fields(&mut self, link: &Link) -> Result<UnknownFields> {
        let (location, content) = (link.location, &link.content);
        let fields = custom_fields::list(self.tx, location, Some(OwnerKind::Contact))?;
        let mut unknown = UnknownFields::default();
        for address in content.fallback.iter().chain([&content.redirect_to]) {
            let missing = if address.is_field() { &mut unknown.whole } else { &mut unknown.parts };
            for name in address.fields() {
                let is_there = match merge_field::custom_value(name) {
                    Some(key) => custom_values::find_by_key(self.tx, location, key)?.is_some(),
                    None => merge_field::is_of_contacts(&fields, name),
                };
                if !is_there && !missing.iter().any(|known| known == name) {
                    missing.push(name.to_owned());
                }
            }
        }
        Ok(unknown)
    }
}

/// What addresses of a link name that is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnknownFields {
    /// That is all of an address, which then leads nowhere.
    pub whole: Vec<String>,
    /// That is a part of one, and is left empty there.
    pub parts: Vec<String>,
}

/// What fields of an address stand for.
struct Known {
    contact: Option<Contact>,
    fields: Vec<CustomField>,
    values: Vec<CustomValue>,
}

impl Known {
    fn of(
        tx: &mut Tx<'_>,
        location: LocationId,
        contact: Option<ContactId>,
        names: &[String],
    ) -> keystead_store::Result<Self> {
        // A custom value may hold fields itself.
        let (mut keys, mut asks_for_contact) = (Vec::new(), false);
        let mut values = Vec::new();
        for name in names {
            match merge_field::custom_value(name) {
                Some(key) => keys.push(key),
                None => asks_for_contact = true,
            }
        }
        for key in keys {
            if let Some(id) = custom_values::find_by_key(tx, location, key)? {
                values.extend(stored::find::<CustomValue>(tx, location, (), id)?);
                asks_for_contact = true;
            }
        }
        let contact = match contact.filter(|_| asks_for_contact) {
            Some(contact) => contacts::find(tx, location, contact)?,
            None => None,
        };
        let fields = if contact.is_some() { custom_fields::list(tx, location, None)? } else { Vec::new() };
        Ok(Self { contact, fields, values })
    }

    fn text(&self, name: &str) -> Option<String> {
        if let Some(key) = merge_field::custom_value(name) {
            let value = self.values.iter().find(|value| value.key == key)?;
            return Some(value.content.value.as_str().to_owned());
        }
        merge_field::of_contact(self.contact.as_ref()?, &self.fields, name)
    }
}

impl InLocation<'_, '_> {
    pub(crate) fn click(&mut self, link: LinkId, id: ClickId) -> Result<Click> {
        let found = clicks::find(self.tx, self.context.location, link, id)?;
        found.ok_or_else(|| Error::NotFound(Noun::Click, id.to_string()))
    }

    /// Looks at a click. A person's counts, and starts what it is to start.
    fn judge_click(&mut self, held: &Held) -> Result<()> {
        let location = self.context.location;
        let company = clicks::company(self.tx, location, held)?;
        let judgement = judge(&RULES, &held.hit, &company, held.look);
        clicks::settle(self.tx, location, &held.click, &judgement)?;
        if judgement.verdict == Some(Verdict::Human) {
            links::count_humans(self.tx, location, held.click.link, 1)?;
            self.fire(&held.click)?;
        }
        Ok(())
    }

    fn classify_click(&mut self, link: LinkId, id: ClickId, verdict: Verdict, fires: bool) -> Result<Click> {
        self.find::<Link>((), link)?;
        let before = self.click(link, id)?;
        let location = self.context.location;
        let signature = Signature::of(self.context.authority.actor());
        if before.verdict != Some(verdict) {
            clicks::classify(self.tx, location, id, verdict, &signature)?;
            let (was, is) = (before.verdict == Some(Verdict::Human), verdict == Verdict::Human);
            links::count_humans(self.tx, location, link, i64::from(is) - i64::from(was))?;
            let said = |verdict: Option<Verdict>| {
                let mut fields = Fields::new();
                put(&mut fields, "verdict", verdict.map(Verdict::as_str));
                fields
            };
            let mut after = said(Some(verdict));
            put(&mut after, "clickId", Some(id.as_str()));
            let happened = Happened::to(EventKind::LinkClickClassified, link.as_str()).of(before.contact);
            self.tell(happened.with(Some(said(before.verdict)), Some(after)))?;
        }
        if fires && verdict == Verdict::Human && before.fired_at.is_none() {
            self.fire(&before)?;
        }
        self.click(link, id)
    }

    /// Tells of a person's click on their link, if it is to start something.
    fn fire(&mut self, click: &Click) -> Result<()> {
        let (location, now) = (self.context.location, self.now());
        let Some(contact) = click.contact else { return Ok(()) };
        let Some(link) = stored::find::<Link>(self.tx, location, (), click.link)? else { return Ok(()) };
        let policy: FirePolicy = link.content.fire;
        if !clicks::claim_fire(self.tx, location, (link.id, contact), click.at, policy.again_after())? {
            return Ok(());
        }
        clicks::note_fired(self.tx, location, click.id, now)?;
        let mut fields = Fields::new();
        put(&mut fields, "clickId", Some(click.id.as_str()));
        put(&mut fields, "name", Some(link.content.name.as_str()));
        put(&mut fields, "clickedAt", Some(click.at.to_iso()));
        put(&mut fields, "device", Some(click.device.as_str()).filter(|device| !device.is_empty()));
        put(&mut fields, "referrer", click.referrer.as_deref());
        put_all(&mut fields, "reasons", click.reasons.iter().map(|reason| reason.as_str()));
        self.tell(Happened::to(EventKind::LinkClicked, link.id.as_str()).of(Some(contact)).with(None, Some(fields)))?;
        Ok(())
    }
}
