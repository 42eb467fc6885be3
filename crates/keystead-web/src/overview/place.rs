//! The page itself: what is wrong first, then numbers, then what there is. What the visitor may not read is not there.

use std::collections::BTreeMap;

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Error, KeyFilter};
use keystead_model::{
    LocationId, agency::TenantState, location::Location, notice::NoticeNoun, page::Window, scope::Scope,
};

use super::{
    attention::{Need, Needs, needs},
    figures::{Figure, Requests, Things, a_day_ago, keys, requests, share, things},
};
use crate::{
    Web,
    api_keys::{Row, rows},
    failure::Failure,
    page::{Frame, render},
    place::Here,
    show::grouped,
};

/// A location in the list of the agency's page.
struct Place {
    name: String,
    url: String,
    pill: (&'static str, String),
    requests: String,
    errors: String,
}

/// Locations that the agency's page lists.
const PLACES: usize = 8;
/// Keys that a page lists.
const KEYS: i64 = 5;

#[derive(Template)]
#[template(path = "overview/show.html")]
struct Overview {
    frame: Frame,
    heading: String,
    /// The state of everything, in one sentence.
    lead: String,
    needs: Vec<Need>,
    needs_count: String,
    figures: Vec<Figure>,
    requests: Option<Requests>,
    things: Things,
    places: Vec<Place>,
    /// How many locations there are, where they are listed.
    places_count: Option<String>,
    keys: Vec<Row>,
    shows_keys: bool,
    may_create: bool,
    base: String,
}

pub(crate) async fn agency(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let context = here.authority().clone().in_agency()?;
    let count = web.app.count_locations(&context).await?;
    let name = here.visitor.signed_in.agency.profile.name.to_string();
    let page = overview(&web, &here, name, Some(count)).await?;
    Ok(render(&page))
}

pub(crate) async fn location(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let name = here.location.as_ref().ok_or(Error::NoAccess)?.profile.name.to_string();
    Ok(render(&overview(&web, &here, name, None).await?))
}

async fn overview(web: &Web, here: &Here, heading: String, places_count: Option<i64>) -> Result<Overview, Error> {
    let allows = |scope| here.authority().grant().allows(scope);
    let shows_keys = allows(Scope::KeysRead);
    let (mut figures, mut requested, mut found) = (Vec::new(), None, Needs::default());
    let mut newest = Vec::new();
    let things = things(web, here).await?;
    if shows_keys {
        found = needs(web, here).await?;
        let mut report = requests(web, here).await?;
        figures.append(&mut report.figures);
        figures.insert(2, keys(web, here, found.at_risk).await?);
        requested = Some(report);
        let filter =
            KeyFilter { locations: here.location.as_ref().map(|location| vec![location.id]), ..KeyFilter::default() };
        let listed = web.app.list_keys(here.authority(), filter, Window::first(KEYS)).await?;
        newest = rows(web, here, &listed.rows).await?;
    }
    let Needs { shown: needs, counts, at_risk } = found;
    let suspended = here.switcher().iter().filter(|location| location.state == TenantState::Suspended).count();
    let suspended = if here.location.is_none() { suspended } else { 0 };
    Ok(Overview {
        frame: Frame::of(here, &heading, "overview"),
        heading,
        lead: lead(shows_keys, &counts, at_risk, suspended),
        needs,
        needs_count: grouped(counts.values().sum::<usize>()),
        figures,
        requests: requested,
        things,
        places: if here.location.is_none() { places(web, here, shows_keys).await? } else { Vec::new() },
        places_count: places_count.map(grouped),
        keys: newest,
        shows_keys,
        may_create: allows(Scope::KeysWrite),
        base: here.url(""),
    })
}

/// Whether anything is wrong, in one sentence; nothing where the visitor sees too little to say so.
fn lead(shows_keys: bool, counts: &BTreeMap<NoticeNoun, usize>, at_risk: i64, suspended: usize) -> String {
    let suspended = match suspended {
        0 => String::new(),
        1 => " One location is suspended.".to_owned(),
        count => format!(" {} locations are suspended.", grouped(count)),
    };
    let several = |(noun, count): (&NoticeNoun, &usize)| match count {
        1 => format!("one {}", noun.as_str()),
        count => format!("{} {}s", grouped(*count), noun.as_str()),
    };
    let needs: Vec<String> = counts.iter().map(several).collect();
    let mut needs = match needs.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => needs.concat(),
    };
    if let Some(first) = needs.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    match (shows_keys, counts.values().sum(), at_risk) {
        (false, ..) => suspended.trim().to_owned(),
        (true, 0, 0) => format!("All is well: no key needs anybody.{suspended}"),
        (true, 0, 1) => format!("No key needs anybody now. 1 is at risk.{suspended}"),
        (true, 0, ending) => format!("No key needs anybody now. {} are at risk.{suspended}", grouped(ending)),
        (true, 1, _) => format!("{needs} needs attention.{suspended}"),
        (true, ..) => format!("{needs} need attention.{suspended}"),
    }
}

async fn places(web: &Web, here: &Here, shows_keys: bool) -> Result<Vec<Place>, Error> {
    // What stands still comes first, so that it is seen among many.
    let mut shown: Vec<&Location> = here.switcher().iter().collect();
    shown.sort_by_key(|location| location.state != TenantState::Suspended);
    shown.truncate(PLACES);
    let ids: Vec<LocationId> = shown.iter().map(|location| location.id).collect();
    let since = a_day_ago(web.app.now());
    let used = match shows_keys {
        true => web.app.usage_by_location(here.authority(), ids, since).await?,
        false => std::collections::HashMap::new(),
    };
    let place = |location: &&Location| {
        let [_, one, two, three, four, five] = used.get(&location.id).copied().unwrap_or_default();
        let all = one + two + three + four + five;
        Place {
            name: location.profile.name.to_string(),
            url: format!("/app/locations/{}", location.id),
            pill: match location.state {
                TenantState::Suspended => ("off", "Suspended, its keys are refused".to_owned()),
                _ => ("good", "Active".to_owned()),
            },
            requests: grouped(all),
            errors: share(four + five, all),
        }
    };
    Ok(shown.iter().map(place).collect())
}

#[cfg(test)]
mod tests {
    use keystead_model::notice::NoticeNoun::{self, Form, Key, Webhook};

    use super::lead;

    #[test]
    fn the_state_of_everything_is_one_sentence() {
        let lead = |shows_keys, counts: &[(NoticeNoun, usize)], at_risk, suspended| {
            lead(shows_keys, &counts.iter().copied().collect(), at_risk, suspended)
        };
        assert_eq!(lead(true, &[], 0, 0), "All is well: no key needs anybody.");
        assert_eq!(lead(true, &[], 1, 0), "No key needs anybody now. 1 is at risk.");
        assert_eq!(lead(true, &[], 1_200, 0), "No key needs anybody now. 1,200 are at risk.");
        assert_eq!(lead(true, &[(Key, 1)], 1, 2), "One key needs attention. 2 locations are suspended.");
        assert_eq!(lead(true, &[(Webhook, 1)], 0, 0), "One webhook needs attention.");
        assert_eq!(lead(true, &[(Key, 1_200), (Webhook, 1)], 0, 0), "1,200 keys and one webhook need attention.");
        let all = [(Key, 1), (Webhook, 1), (Form, 2)];
        assert_eq!(lead(true, &all, 0, 0), "One key, one webhook and 2 forms need attention.");
        assert_eq!(lead(false, &[], 0, 0), "");
    }
}
