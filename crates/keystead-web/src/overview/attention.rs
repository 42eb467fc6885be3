//! What calls for somebody: things of which notices are open, the most urgent first, and keys that end soon without one.

use std::collections::{BTreeMap, BTreeSet};

use keystead_core::{Error, NoticeFilter};
use keystead_model::{
    ServiceMs, UtcMs,
    api_key::ApiKey,
    notice::{About, Notice, NoticeNoun, NoticeSubject, Reading},
    page::Window,
};

use crate::{
    Web,
    api_keys::{self, Row, rows},
    notices,
    place::Here,
};

/// A thing, how it stands, and why that matters.
pub(super) struct Need {
    pub(super) icon: &'static str,
    pub(super) name: String,
    pub(super) url: String,
    pub(super) place: String,
    /// How it stands, and the class of that.
    pub(super) status: (String, &'static str),
    /// `bad` before `warn`.
    pub(super) class: &'static str,
    pub(super) why: String,
    pub(super) keeps: bool,
    pub(super) rotates: bool,
}

impl Need {
    fn of_key(key: Row, class: &'static str, why: String) -> Self {
        Self {
            icon: "key",
            name: key.name,
            url: key.url,
            place: key.place,
            status: (key.status.text, key.status.class),
            class,
            why,
            keeps: false,
            rotates: false,
        }
    }

    fn of_other(icon: &'static str, group: notices::Group, place: String) -> Self {
        Self {
            icon,
            name: group.name,
            url: group.url,
            place,
            status: (group.status.to_owned(), group.class),
            class: group.class,
            why: group.text,
            keeps: false,
            rotates: false,
        }
    }
}

/// Things that are shown; the page of notices has all.
const SHOWN: usize = 6;
/// Notices that are looked at.
const LOOKED_AT: i64 = 200;

/// What calls for somebody in a place.
#[derive(Default)]
pub(super) struct Needs {
    pub(super) shown: Vec<Need>,
    /// How many things of a noun that are, with those that are not shown.
    pub(super) counts: BTreeMap<NoticeNoun, usize>,
    /// How many keys end soon or have ended, as their list counts them.
    pub(super) at_risk: i64,
}

pub(super) async fn needs(web: &Web, here: &Here) -> Result<Needs, Error> {
    let filter = NoticeFilter { open: true, archived: true, ..here.notice_filter() };
    let open = web.app.list_notices(here.authority(), filter, Window::first(LOOKED_AT)).await?.rows;
    let now = web.app.now();
    let mut open: Vec<(&Notice, notices::Group)> =
        open.iter().map(|notice| (notice, notices::group(web, here, notice, 0, now))).collect();
    open.sort_by_key(|(notice, group)| (group.class != "bad", !group.rotates, ends_at(notice)));
    // A thing may have several: the most urgent says what to do.
    let mut seen = BTreeSet::new();
    open.retain(|(notice, _)| seen.insert(notice.about.subject()));
    open.retain(|(notice, _)| notice.reading != Reading::Archived);
    let mut counts = BTreeMap::new();
    for (notice, _) in &open {
        *counts.entry(notice.about.subject().noun()).or_default() += 1;
    }
    open.truncate(SHOWN);
    let mut told = Vec::new();
    for (notice, _) in &open {
        if let Some(key) = notice.about.key() {
            told.push(web.app.get_key(here.authority(), key.id).await?);
        }
    }
    let mut told = rows(web, here, &told).await?.into_iter();
    let places = here.names_of(web, open.iter().filter_map(|(notice, _)| notice.location)).await?;
    let place = |notice: &Notice| {
        let name = notice.location.and_then(|location| places.get(&location).cloned());
        name.unwrap_or_else(|| "All locations".to_owned())
    };
    let need = |(notice, group): (&Notice, notices::Group)| match notice.about {
        About::Key(_) => {
            let (keeps, rotates) = (group.keeps, group.rotates);
            Some(Need { keeps, rotates, ..Need::of_key(told.next()?, group.class, group.text) })
        }
        About::Webhook(_) => Some(Need::of_other("hook", group, place(notice))),
        About::Form(_) => Some(Need::of_other("edit", group, place(notice))),
    };
    let mut needs: Vec<Need> = open.into_iter().filter_map(need).collect();
    // A short life has its first notice late, or the sweep has not come by yet.
    let at_risk = api_keys::at_risk(web, here);
    let mut ending = web.app.list_keys(here.authority(), at_risk.clone(), Window::first(LOOKED_AT)).await?.rows;
    ending.retain(|key| !seen.contains(&NoticeSubject::Key(key.id)));
    ending.sort_by_key(|key| key.grant.expires_at);
    let untold = rows(web, here, &ending).await?.into_iter().zip(&ending).filter(|(row, _)| row.status.class != "good");
    let untold: Vec<Need> = untold.map(|(row, key)| untold_need(here, key, row, now)).collect();
    if !untold.is_empty() {
        *counts.entry(NoticeNoun::Key).or_default() += untold.len();
    }
    needs.extend(untold);
    needs.truncate(SHOWN);
    Ok(Needs { shown: needs, counts, at_risk: web.app.count_keys(here.authority(), at_risk).await? })
}

fn untold_need(here: &Here, key: &ApiKey, row: Row, now: UtcMs) -> Need {
    let why = match key.grant.expires_at {
        Some(at) if at <= now => notices::EXPIRED.to_owned(),
        Some(at) => notices::expiring(&here.zone(), at, now),
        // Its pill says the rest.
        None => "Nobody was told of it yet.".to_owned(),
    };
    let class = row.status.class;
    Need::of_key(row, class, why)
}

/// When the key that a notice is about is deleted; of what is not, never.
fn ends_at(notice: &Notice) -> ServiceMs {
    notice.about.key().map_or(ServiceMs(i64::MAX), |key| key.deletes_at)
}
