//! Notifications of API 2.0: what an owner is told about their keys.

use keystead_core::{App, Authority, Error, NoticeFilter, error::Noun};
use keystead_model::{
    Invalid, KeyId, LocationId, NoticeId, UtcMs,
    notice::{Notice, NoticeKind, Reading},
    page::cut,
    time::DAY_MS,
};
use serde::Serialize;
use serde_json::json;

use super::api_keys::parse_location;
use crate::{call::Call, reply::Reply};

/// A notification on the wire.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shape<'n> {
    id: NoticeId,
    r#type: String,
    /// Which of the three notices before an end: 15, 7 or 1.
    stage: Option<i64>,
    /// Whole days until the end, as things stand now.
    days_left: Option<i64>,
    api_key_id: KeyId,
    api_key_name: &'n str,
    location_id: Option<LocationId>,
    created_at: UtcMs,
    deletes_at: Option<UtcMs>,
    expires_at: Option<UtcMs>,
    retires_at: Option<UtcMs>,
    restorable_until: Option<UtcMs>,
    ip: Option<&'n str>,
    open: bool,
    state: &'static str,
}

fn shape<'n>(app: &App, notice: &'n Notice) -> Shape<'n> {
    let now = app.now();
    let kind = notice.kind;
    let only = |wanted: bool, at: Option<UtcMs>| at.filter(|_| wanted && notice.open);
    let deletes_at = only(matches!(kind, NoticeKind::Inactivity(_)), Some(app.to_utc(notice.deletes_at, now)));
    let expires_at = only(matches!(kind, NoticeKind::Expiring(_) | NoticeKind::Expired), notice.expires_at);
    let ends_at = deletes_at.or(expires_at.filter(|_| kind != NoticeKind::Expired));
    Shape {
        id: notice.id,
        r#type: format!(
            "api_key.{}",
            match kind {
                NoticeKind::Inactivity(_) => "inactivity_warning",
                other => other.as_str(),
            }
        ),
        stage: Some(kind.days()).filter(|days| *days > 0),
        days_left: ends_at.map(|at| (at - now).max(0) / DAY_MS),
        api_key_id: notice.key,
        api_key_name: &notice.key_name,
        location_id: notice.location,
        created_at: notice.recorded_at,
        deletes_at,
        expires_at,
        retires_at: only(kind == NoticeKind::Retiring, notice.retires_at),
        restorable_until: only(
            matches!(kind, NoticeKind::Deleted | NoticeKind::DeletedKeyUsed),
            notice.restore_until.map(|until| app.to_utc(until, now)),
        ),
        ip: notice.address.as_deref(),
        open: notice.open,
        state: notice.reading.as_str(),
    }
}

fn notice_id(call: &Call) -> Result<NoticeId, Error> {
    call.id("id", |text| Error::NotFound(Noun::Notice, text.to_owned()))
}

pub(crate) async fn list(authority: Authority, mut call: Call) -> Result<Reply, Error> {
    let mut query = call.read_query();
    let limit = query.integer("limit", 1..=100).unwrap_or(20);
    let filter = NoticeFilter {
        location: query.parse("locationId", parse_location),
        key: query.parse("apiKeyId", |text| KeyId::parse(text).ok_or_else(|| Invalid::new("must be the id of a key"))),
        open: query.truth("open").unwrap_or(false),
        archived: query.truth("archived").unwrap_or(false),
        ..NoticeFilter::default()
    };
    let before = query
        .parse("cursor", |text| NoticeId::parse(text).ok_or_else(|| Invalid::new("must be the nextCursor of a list")));
    query.no_places();
    query.finish()?;
    let (rows, has_more) = cut(call.app.list_notices(&authority, filter, before, limit + 1).await?, limit);
    let next = rows.last().filter(|_| has_more).map(|last| last.id);
    let unseen = call.app.count_unseen_notices(&authority).await?;
    let rows: Vec<Shape<'_>> = rows.iter().map(|notice| shape(&call.app, notice)).collect();
    Ok(Reply::object(200, &json!({"notifications": rows, "meta": {"unseen": unseen, "nextCursor": next}})))
}

pub(crate) async fn get(authority: Authority, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    let id = notice_id(&call)?;
    let filter = NoticeFilter { id: Some(id), archived: true, ..NoticeFilter::default() };
    let found = call.app.list_notices(&authority, filter, None, 1).await?;
    let notice = found.first().ok_or_else(|| Error::NotFound(Noun::Notice, id.to_string()))?;
    Ok(Reply::object(200, &json!({"notification": shape(&call.app, notice)})))
}

pub(crate) async fn update(authority: Authority, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    let id = notice_id(&call)?;
    let mut reader = call.read_body();
    let state = reader.required("state", |reader| {
        reader.parse("state", |text| {
            Reading::parse(text).ok_or_else(|| Invalid::new("must be one of unseen, seen, read, archived"))
        })
    });
    reader.finish()?;
    let notice = call.app.read_notice(&authority, id, state.unwrap_or(Reading::Seen)).await?;
    Ok(Reply::object(200, &json!({"notification": shape(&call.app, &notice)})))
}
