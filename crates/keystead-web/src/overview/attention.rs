//! What calls for somebody: keys of which notices are open, the most urgent first.

use std::collections::BTreeSet;

use keystead_core::{Error, NoticeFilter};
use keystead_model::{
    notice::{Notice, NoticeKind},
    page::Window,
};

use crate::{
    Web,
    api_keys::{Row, rows},
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
    /// How many of them are there: others have been deleted.
    pub(super) at_risk: usize,
}

pub(super) async fn needs(web: &Web, here: &Here) -> Result<Needs, Error> {
    let filter = NoticeFilter { open: true, ..here.notice_filter() };
    let open = web.app.list_notices(here.authority(), filter, Window::first(LOOKED_AT)).await?.rows;
    let now = web.app.now();
    let mut open: Vec<(&Notice, notices::Group)> =
        open.iter().map(|notice| (notice, notices::group(web, here, notice, 0, now))).collect();
    open.sort_by_key(|(notice, group)| (group.class != "bad", !group.rotates, notice.deletes_at));
    // A key may have several: the most urgent says what to do.
    let mut seen = BTreeSet::new();
    open.retain(|(notice, _)| seen.insert(notice.key));
    let count = open.len();
    let is_gone = |notice: &Notice| matches!(notice.kind, NoticeKind::Deleted | NoticeKind::DeletedKeyUsed);
    let at_risk = open.iter().filter(|(notice, _)| !is_gone(notice)).count();
    let mut keys = Vec::new();
    let mut shown = Vec::new();
    for (notice, group) in open.into_iter().take(SHOWN) {
        if let Ok(key) = web.app.get_key(here.authority(), notice.key).await {
            keys.push(key);
            shown.push(group);
        }
    }
    let rows = rows(web, here, &keys).await?;
    let need = |(key, group): (Row, notices::Group)| Need {
        key,
        class: group.class,
        why: group.text,
        keeps: group.keeps,
        rotates: group.rotates,
    };
    Ok(Needs { shown: rows.into_iter().zip(shown).map(need).collect(), count, at_risk })
}
