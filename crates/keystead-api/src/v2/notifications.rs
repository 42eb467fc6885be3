//! Notifications of API 2.0: what an owner is told about their keys, webhooks and forms.

use keystead_core::{App, Authority, Error, NoticeFilter, error::Noun};
use keystead_model::{
    Invalid, LocationId, NoticeId, ServiceMs, UtcMs,
    notice::{Notice, NoticeKind, NoticeSubject, Reading},
    page::Window,
    time::DAY_MS,
};
use serde_json::{Map, Value};

use super::{page::NextCursor, samples};
use crate::{
    call::Call,
    reader::Reader,
    shape::{
        Bare, Envelope, Fields, Ground, Input, One, Tagged, Word, Written,
        word::{self, one_of},
    },
};

/// A notification on the wire.
pub(crate) struct Shape {
    id: NoticeId,
    kind: &'static str,
    /// Which of the three notices before an end: 15, 7 or 1.
    stage: Option<i64>,
    /// Whole days until the end, as things stand now.
    days_left: Option<i64>,
    about: NoticeSubject,
    name: String,
    location_id: Option<LocationId>,
    created_at: UtcMs,
    deletes_at: Option<UtcMs>,
    expires_at: Option<UtcMs>,
    retires_at: Option<UtcMs>,
    restorable_until: Option<UtcMs>,
    ip: Option<String>,
    open: bool,
    state: &'static str,
    tag: String,
}

/// What a notification is called on the wire.
const TYPES: &[&str] = &[
    "api_key.inactivity_warning",
    "api_key.deleted",
    "api_key.deleted_key_used",
    "api_key.expiring",
    "api_key.expired",
    "api_key.retiring",
    "api_key.exposed",
    "webhook.failed",
    "webhook.disabled",
    "form.held",
];

fn type_of(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Inactivity(_) => "api_key.inactivity_warning",
        NoticeKind::Deleted => "api_key.deleted",
        NoticeKind::DeletedKeyUsed => "api_key.deleted_key_used",
        NoticeKind::Expiring(_) => "api_key.expiring",
        NoticeKind::Expired => "api_key.expired",
        NoticeKind::Retiring => "api_key.retiring",
        NoticeKind::Exposed => "api_key.exposed",
        NoticeKind::WebhookFailed => "webhook.failed",
        NoticeKind::WebhookDisabled => "webhook.disabled",
        NoticeKind::FormHeld => "form.held",
    }
}

impl Shape {
    /// As things stand now.
    fn of(app: &App, notice: Notice) -> Self {
        let now = app.now();
        let kind = notice.kind;
        let tag = notice.tag();
        let key = notice.about.key();
        let only = |wanted: bool, at: Option<UtcMs>| at.filter(|_| wanted && notice.open);
        let utc = |at: ServiceMs| app.to_utc(at, now);
        let deletes_at = only(matches!(kind, NoticeKind::Inactivity(_)), key.map(|key| utc(key.deletes_at)));
        let expires_at =
            only(matches!(kind, NoticeKind::Expiring(_) | NoticeKind::Expired), key.and_then(|key| key.expires_at));
        let ends_at = deletes_at.or(expires_at.filter(|_| kind != NoticeKind::Expired));
        Self {
            id: notice.id,
            kind: type_of(kind),
            stage: Some(kind.days()).filter(|days| *days > 0),
            days_left: ends_at.map(|at| (at - now).max(0) / DAY_MS),
            about: notice.about.subject(),
            name: notice.about.name().to_owned(),
            location_id: notice.location,
            created_at: notice.recorded_at,
            deletes_at,
            expires_at,
            retires_at: only(kind == NoticeKind::Retiring, key.and_then(|key| key.retires_at)),
            restorable_until: only(
                matches!(kind, NoticeKind::Deleted | NoticeKind::DeletedKeyUsed),
                key.and_then(|key| key.restore_until).map(utc),
            ),
            open: notice.open,
            state: notice.reading.as_str(),
            ip: notice.address,
            tag,
        }
    }
}

impl Envelope for Shape {
    const ONE: &'static str = "notification";
    const MANY: &'static str = "notifications";
}

impl Written for Shape {
    const NAME: &'static str = "Notification";

    fn sample() -> Self {
        Self {
            id: samples::id(word::THING),
            kind: "api_key.inactivity_warning",
            stage: Some(15),
            days_left: Some(14),
            about: NoticeSubject::Key(samples::key_id()),
            name: "Marketing Automation".to_owned(),
            location_id: Some(samples::id(word::LOCATION)),
            created_at: samples::NOON,
            deletes_at: Some(samples::NOON),
            expires_at: None,
            retires_at: None,
            restorable_until: None,
            ip: None,
            open: true,
            state: "unseen",
            tag: String::new(),
        }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("id", &self.id);
        fields.one_of("type", self.kind, TYPES);
        fields.or_null("stage", self.stage.as_ref());
        fields.or_null("daysLeft", self.days_left.as_ref());
        let (key, webhook, form) = match &self.about {
            NoticeSubject::Key(id) => (Some(id), None, None),
            NoticeSubject::Webhook(id) => (None, Some(id), None),
            NoticeSubject::Form(id) => (None, None, Some(id)),
        };
        fields.or_null("apiKeyId", key);
        fields.or_null("apiKeyName", key.map(|_| &self.name));
        fields.opt("webhookId", webhook);
        fields.opt("webhookName", webhook.map(|_| &self.name));
        fields.opt("formId", form);
        fields.opt("formName", form.map(|_| &self.name));
        fields.or_null("locationId", self.location_id.as_ref());
        fields.put("createdAt", &self.created_at);
        fields.or_null("deletesAt", self.deletes_at.as_ref());
        fields.or_null("expiresAt", self.expires_at.as_ref());
        fields.or_null("retiresAt", self.retires_at.as_ref());
        fields.or_null("restorableUntil", self.restorable_until.as_ref());
        fields.or_null("ip", self.ip.as_ref());
        fields.put("open", &self.open);
        fields.one_of("state", self.state, READINGS);
    }

    fn tag(&self) -> Option<String> {
        Some(self.tag.clone())
    }
}

/// Where a reader stands.
const READINGS: &[&str] = &["unseen", "seen", "read", "archived"];

impl Word for Reading {
    const EXAMPLE: &'static str = "read";

    fn schema() -> Value {
        one_of(READINGS.iter().copied())
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Self::parse(text).ok_or_else(|| Invalid::new("must be one of unseen, seen, read, archived"))
    }
}

/// Which notifications, and from where on.
pub(crate) struct NoticeQuery {
    filter: NoticeFilter,
    window: Window<NoticeId>,
}

impl Input for NoticeQuery {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        let window = query.window(|id| id);
        let subjects = [
            ("apiKeyId", query.word("apiKeyId").map(NoticeSubject::Key)),
            ("webhookId", query.word("webhookId").map(NoticeSubject::Webhook)),
            ("formId", query.word("formId").map(NoticeSubject::Form)),
        ];
        let mut asked = subjects.into_iter().filter_map(|(name, subject)| Some((name, subject?)));
        let subject = asked.next();
        if let (Some((first, _)), Some((name, _))) = (subject, asked.next()) {
            query
                .violate(name, format!("cannot be asked for together with {first}: a notification is about one thing"));
        }
        let filter = NoticeFilter {
            location: query.word("locationId"),
            subject: subject.map(|(_, subject)| subject),
            open: query.truth("open").unwrap_or(false),
            archived: query.truth("archived").unwrap_or(false),
            ..NoticeFilter::default()
        };
        Some(Self { filter, window })
    }

    /// A location that is nobody's, and what is not asked for together.
    fn settle(example: &mut Map<String, Value>) {
        example.remove("locationId");
        example.remove("webhookId");
        example.remove("formId");
    }
}

/// Some notifications.
pub(crate) struct Notifications {
    rows: Vec<Shape>,
    next: NextCursor,
}

impl Written for Notifications {
    fn sample() -> Self {
        Self { rows: vec![Shape::sample()], next: NextCursor::sample() }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("notifications", &self.rows);
        fields.put("meta", &self.next);
    }
}

pub(crate) async fn list(authority: Authority, call: Call<(), NoticeQuery>) -> Result<Notifications, Error> {
    let NoticeQuery { filter, window } = call.query;
    let page = call.app.list_notices(&authority, filter, window).await?;
    let unseen = Some(call.app.count_unseen_notices(&authority).await?);
    let next = NextCursor { unseen, ..NextCursor::of(&page, |last| last.id.to_string()) };
    Ok(Notifications { rows: page.map(|notice| Shape::of(&call.app, notice)).rows, next })
}

pub(crate) async fn get(authority: Authority, call: Call<NoticeId>) -> Result<One<Shape>, Error> {
    let id = call.path;
    let filter = NoticeFilter { id: Some(id), archived: true, ..NoticeFilter::default() };
    let found = call.app.list_notices(&authority, filter, Window::first(1)).await?;
    let notice = found.rows.into_iter().next().ok_or_else(|| Error::NotFound(Noun::Notice, id.to_string()))?;
    Ok(One(Shape::of(&call.app, notice)))
}

/// Where its reader stands now.
pub(crate) struct Read(Reading);

impl Input for Read {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.required("state", |reader| reader.word("state")).map(Self)
    }
}

pub(crate) async fn update(authority: Authority, call: Call<NoticeId, Bare, Read>) -> Result<One<Shape>, Error> {
    let notice = call.app.read_notice(&authority, call.path, call.body.0).await?;
    Ok(One(Shape::of(&call.app, notice)))
}
