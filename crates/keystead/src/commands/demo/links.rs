//! Trigger links of the demo, and who opened them: people, and what opens links before people do.

use std::time::Duration;

use keystead_core::{AgencyContext, App, Means, Opening};
use keystead_model::{
    LocationId, UtcMs,
    click::{Hit, TokenSource},
    contact::ContactFilter,
    link::{Destination, FirePolicy, Link, LinkPatch, LinkStatus, Slug},
    page::Window,
    text::Line,
    time::DAY_MS,
};

use super::{Story, known};
use crate::failure::Failure;

/// An offer that was sent to people.
pub(super) struct Offer {
    slug: Slug,
    /// What stands at the end of their own links.
    tokens: Vec<String>,
}

/// People who were sent the offer.
const SENT: i64 = 60;

const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                     Version/26.1 Mobile/15E148 Safari/604.1";
const DESK: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
const SCANNER: &str = "Mozilla/5.0 (compatible; MailScanner/2.1)";

/// Makes links, and one of their own for some people.
pub(super) async fn made(app: &App, maria: &AgencyContext, at: LocationId) -> Result<Offer, Failure> {
    let context = app.enter_location(maria.authority().clone(), Some(at)).await?;
    let link = |name: &str, to: &str, slug: &str| {
        let new = LinkPatch::new(known(Line::parse(name))?, known(Destination::parse(to))?);
        Ok::<_, Failure>(LinkPatch { slug: Some(known(Slug::parse(slug))?), ..new })
    };
    let expires_at = Some(Some(UtcMs(app.now().0 + 90 * DAY_MS)));
    let offer =
        link("Spring check-up offer", "https://harbourdental.example/offer?c={{contact.id}}", "spring-check-up")?;
    let offer = app.create::<Link>(&context, (), LinkPatch { expires_at, ..offer }).await?;
    let reviews = link("Leave us a review", "https://reviews.example/harbour-dental", "review")?;
    app.create::<Link>(&context, (), LinkPatch { fire: Some(FirePolicy::Every), ..reviews }).await?;
    let recall = link("Stop reminders by text message", "https://harbourdental.example/stop", "stop")?;
    app.create::<Link>(&context, (), LinkPatch { confirm: Some(true), ..recall }).await?;
    let old = link("Open day 2025", "https://harbourdental.example/open-day", "open-day")?;
    app.create::<Link>(&context, (), LinkPatch { status: Some(LinkStatus::Disabled), ..old }).await?;
    let people = app.list_contacts(&context, ContactFilter::default(), Window::first(SENT)).await?.page.rows;
    let mut tokens = Vec::new();
    for person in people {
        let minted = app.mint_link_token(&context, offer.id, person.id, TokenSource::App, None).await?;
        tokens.extend(minted.path.rsplit('/').next().map(str::to_owned));
    }
    Ok(Offer { slug: offer.slug, tokens })
}

impl Offer {
    /// Who opens it on one day of the demo's past.
    pub(super) async fn opened(&self, app: &App, story: &Story, day: usize) -> Result<(), Failure> {
        const APART: Duration = Duration::from_secs(45);
        // After it was sent, and after it was sent again.
        let busy = [1, 16].iter().map(|sent| day.saturating_sub(*sent)).filter(|since| *since < 15).min();
        let people = busy.map_or(1, |since| 14 / (since + 1) + 2);
        let mut passed = Duration::ZERO;
        for number in 0..people * 2 {
            let token = self.tokens.get((day * 13 + number * 5) % self.tokens.len().max(1)).cloned();
            let agent = match number % 5 {
                0 | 3 => SCANNER,
                1 => PHONE,
                _ => DESK,
            };
            // A code at the counter knows nobody.
            let token = if number % 7 == 6 { None } else { token };
            self.open(app, (agent, token), (day + number) as u8).await?;
            story.clock.advance(APART);
            passed += APART;
        }
        story.clock.advance(2 * APART);
        while app.judge_clicks().await? > 0 {}
        // The day is as long as any other.
        story.clock.jump(-((passed + 2 * APART).as_millis() as i64));
        Ok(())
    }

    async fn open(&self, app: &App, (agent, token): (&str, Option<String>), from: u8) -> Result<(), Failure> {
        let headers = [
            ("user-agent", agent),
            ("accept-language", "en-US,en;q=0.9"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
            ("sec-ch-ua", "\"Chromium\";v=\"156\""),
        ];
        let header = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let opening = Opening {
            slug: self.slug.as_str().to_owned(),
            token,
            means: Means::Get,
            hit: Hit::of(true, true, header),
            address: [203, 0, 113, from].into(),
            address_is_own: true,
            referrer: from.is_multiple_of(4).then(|| "mail.example".to_owned()),
        };
        app.follow_link(opening).await?;
        Ok(())
    }
}
