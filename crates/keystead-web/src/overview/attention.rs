//! What calls for somebody: keys of which notices are open, the most urgent first, and those that end soon without one.

use std::collections::BTreeSet;

use keystead_core::{Error, NoticeFilter};
use keystead_model::{
    UtcMs,
    api_key::ApiKey,
    notice::{Notice, Reading},
    page::Window,
};

use crate::{
    Web,
    api_keys::{self, Row, rows},
    notices,
    place::Here,
};

/// A key, how it stands, and why that matters.
pub(super) struct Need {
    pub(super) key: Row,
    /// `bad` before `warn`.
    pub(super) class: &'static str,
    pub(super) why: String,
    pub(super) keeps: bool,
    pub(super) rotates: bool,
}

/// Keys that are shown; the page of notices has all.
const SHOWN: usize = 6;
/// Notices that are looked at.
const LOOKED_AT: i64 = 200;

/// What calls for somebody in a place.
#[derive(Default)]
pub(super) struct Needs {
    pub(super) shown: Vec<Need>,
    /// How many keys that are, with those that are not shown.
    pub(super) count: usize,
    /// How many keys end soon or have ended, as their list counts them.
    pub(super) at_risk: i64,
}

pub(super) async fn needs(web: &Web, here: &Here) -> Result<Needs, Error> {
    let filter = NoticeFilter { open: true, archived: true, ..here.notice_filter() };
    let open = web.app.list_notices(here.authority(), filter, Window::first(LOOKED_AT)).await?.rows;
    let now = web.app.now();
    let mut open: Vec<(&Notice, notices::Group)> =
        open.iter().map(|notice| (notice, notices::group(web, here, notice, 0, now))).collect();
    open.sort_by_key(|(notice, group)| (group.class != "bad", !group.rotates, notice.deletes_at));
    // A key may have several: the most urgent says what to do.
    let mut seen = BTreeSet::new();
    open.retain(|(notice, _)| seen.insert(notice.key));
    open.retain(|(notice, _)| notice.reading != Reading::Archived);
    let count = open.len();
    let mut keys = Vec::new();
    let mut shown = Vec::new();
    for (notice, group) in open.into_iter().take(SHOWN) {
        if let Ok(key) = web.app.get_key(here.authority(), notice.key).await {
            keys.push(key);
            shown.push(group);
        }
    }
    let told = rows(web, here, &keys).await?;
    let need = |(key, group): (Row, notices::Group)| Need {
        key,
        class: group.class,
        why: group.text,
        keeps: group.keeps,
        rotates: group.rotates,
    };
    let mut needs: Vec<Need> = told.into_iter().zip(shown).map(need).collect();
    // A short life has its first notice late, or the sweep has not come by yet.
    let at_risk = api_keys::at_risk(web, here);
    let mut ending = web.app.list_keys(here.authority(), at_risk.clone(), Window::first(LOOKED_AT)).await?.rows;
    ending.retain(|key| !seen.contains(&key.id));
    ending.sort_by_key(|key| key.grant.expires_at);
    let untold = rows(web, here, &ending).await?.into_iter().zip(&ending).filter(|(row, _)| row.status.class != "good");
    let untold: Vec<Need> = untold.map(|(row, key)| untold_need(here, key, row, now)).collect();
    let count = count + untold.len();
    needs.extend(untold);
    needs.truncate(SHOWN);
    Ok(Needs { shown: needs, count, at_risk: web.app.count_keys(here.authority(), at_risk).await? })
}

fn untold_need(here: &Here, key: &ApiKey, row: Row, now: UtcMs) -> Need {
    let why = match key.grant.expires_at {
        Some(at) if at <= now => notices::EXPIRED.to_owned(),
        Some(at) => notices::expiring(&here.zone(), at, now),
        // Its pill says the rest.
        None => "Nobody was told of it yet.".to_owned(),
    };
    Need { class: row.status.class, key: row, why, keeps: false, rotates: false }
}
