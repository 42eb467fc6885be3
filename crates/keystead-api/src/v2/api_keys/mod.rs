//! API keys of API 2.0.

mod input;
mod shapes;

use keystead_core::{App, Authority, ChangedKey, Error, ReplacedKey, Steps, error::Noun};
use keystead_model::{
    KeyId,
    time::{DAY_MS, HOUR_MS},
};

pub(super) use self::input::Overlap;
use self::{
    input::{Exposed, KeyChange, KeyList, Replacement, Rotation, UsageQuery},
    shapes::{Changed, KeyShape, Keys, Made, Thanks, Usage},
};
pub use self::{
    input::{
        WantedKey, idle_within, in_state, parse_kind, parse_location, parse_old_ends, parse_preset, parse_rate_limit,
    },
    shapes::{changed_shape, receipt, shape, with_warnings},
};
use super::page::NextCursor;
use crate::{
    call::Call,
    shape::{Bare, Empty, One},
};

/// A call that takes nothing but its path.
type Bodyless = Call<KeyId, Bare, Empty>;

fn changed(app: &App, outcome: Result<ChangedKey, Error>) -> Result<Changed, Error> {
    outcome.map(|done| Changed::of(app, done))
}

pub(crate) async fn create(authority: Authority, call: Call<(), Bare, WantedKey>) -> Result<Made, Error> {
    let new = call.body.into_new(&call.app, &authority).await?;
    Ok(Made::of(&call.app, call.app.create_key(&authority, new).await?, None))
}

pub(crate) async fn list(authority: Authority, call: Call<(), KeyList>) -> Result<Keys, Error> {
    let Call { app, query, .. } = call;
    let filter = query.filter(&app, authority.now())?;
    let total = Some(app.count_keys(&authority, filter.clone()).await?);
    let page = app.list_keys(&authority, filter, query.window).await?;
    let next = NextCursor::of(&page, |last| format!("{}.{}", last.created_at.0, last.id));
    Ok(Keys { keys: page.map(|key| KeyShape::of(&app, key)).rows, next: NextCursor { total, ..next } })
}

pub(crate) async fn get(authority: Authority, call: Call<KeyId>) -> Result<One<KeyShape>, Error> {
    Ok(One(KeyShape::of(&call.app, call.app.get_key(&authority, call.path).await?)))
}

/// What am I, what may I do, when do I end.
pub(crate) async fn current(authority: Authority, call: Call) -> Result<One<KeyShape>, Error> {
    KeyShape::own(&call.app, authority).map(One).ok_or_else(|| Error::NotFound(Noun::Key, "self".to_owned()))
}

pub(crate) async fn update(authority: Authority, call: Call<KeyId, Bare, KeyChange>) -> Result<Changed, Error> {
    let Call { app, path: id, body: change, .. } = call;
    let known = app.get_key(&authority, id).await?;
    let zone = app.zone_of(&authority, &known.grant.reach).await?;
    let version = change.version;
    let patch = change.of(&known, &zone)?;
    changed(&app, app.update_key(&authority, id, version, patch).await)
}

pub(crate) async fn delete(authority: Authority, call: Bodyless) -> Result<Changed, Error> {
    changed(&call.app, call.app.delete_key(&authority, call.path).await)
}

pub(crate) async fn deactivate(authority: Authority, call: Bodyless) -> Result<Changed, Error> {
    changed(&call.app, call.app.deactivate_key(&authority, call.path).await)
}

pub(crate) async fn reactivate(authority: Authority, call: Bodyless) -> Result<Changed, Error> {
    changed(&call.app, call.app.reactivate_key(&authority, call.path).await)
}

pub(crate) async fn rotate(authority: Authority, call: Call<KeyId, Bare, Rotation>) -> Result<Made, Error> {
    let Rotation { overlap, version } = call.body;
    Ok(Made::of(&call.app, call.app.rotate_key(&authority, call.path, version, overlap).await?, None))
}

pub(crate) async fn cancel_rotation(authority: Authority, call: Bodyless) -> Result<Changed, Error> {
    changed(&call.app, call.app.cancel_key_rotation(&authority, call.path).await)
}

pub(crate) async fn finish_rotation(authority: Authority, call: Bodyless) -> Result<Changed, Error> {
    changed(&call.app, call.app.finish_key_rotation(&authority, call.path).await)
}

/// A key in place of a lost one, with the secret that is shown once.
pub(crate) async fn replace(authority: Authority, call: Call<KeyId, Bare, Replacement>) -> Result<Made, Error> {
    let ReplacedKey { made, old } = call.app.replace_key(&authority, call.path, call.body.0).await?;
    Ok(Made::of(&call.app, made, Some(old)))
}

pub(crate) async fn keep(authority: Authority, call: Bodyless) -> Result<Changed, Error> {
    changed(&call.app, call.app.keep_key(&authority, call.path).await)
}

pub(crate) async fn reduce(authority: Authority, call: Bodyless) -> Result<Changed, Error> {
    changed(&call.app, call.app.reduce_key(&authority, call.path).await)
}

pub(crate) async fn restore(authority: Authority, call: Bodyless) -> Result<Changed, Error> {
    changed(&call.app, call.app.restore_key(&authority, call.path).await)
}

/// Takes keys that were found in public.
pub(crate) async fn revoke_exposed(call: Call<(), Bare, Exposed>) -> Result<Thanks, Error> {
    call.app.report_exposed(call.body.0).await?;
    Ok(Thanks)
}

/// How much a key is used, by hour or by day. A key may look at itself.
pub(crate) async fn usage(authority: Authority, call: Call<KeyId, UsageQuery>) -> Result<One<Usage>, Error> {
    let Call { app, path: id, query, .. } = call;
    let step = if query.by_hour { HOUR_MS } else { DAY_MS };
    let key = app.get_key(&authority, id).await?;
    let zone = app.zone_of(&authority, &key.grant.reach).await?;
    let (from, until) = query.span(authority.now(), &zone)?;
    let report = app.key_usage(&authority, id, Steps::even(from, until, step)).await?;
    Ok(One(Usage { from, until, report, scopes: key.grant.scopes }))
}
