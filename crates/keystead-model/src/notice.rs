//! Notices: what the people of a tenant are told about their keys, webhooks and forms.

use std::collections::BTreeSet;

use crate::{
    AgencyId, KeyId, LocationId, NoticeId, ServiceMs, UtcMs, WebhookEndpointId,
    form::{AsForm, Form},
    id::Id,
    inactivity::Stage,
    key_kind::KeyKind,
    scope::Scope,
    webhook::{Disabled, NamedEndpoint},
};

/// What a notice tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoticeKind {
    /// The key is deleted in some days unless it is used.
    Inactivity(Stage),
    /// It was deleted because nobody used it.
    Deleted,
    /// Somebody used a deleted key's right secret.
    DeletedKeyUsed,
    /// The expiry that its owner chose is near.
    Expiring(Stage),
    /// It has expired.
    Expired,
    /// The old secret of a rotation ends within a day and is still in use.
    Retiring,
    /// Its secret was found in public and ended.
    Exposed,
    /// Messages to the webhook failed after their last try, on one day.
    WebhookFailed,
    /// The webhook was switched off because it took nothing any more.
    WebhookDisabled,
    /// Answers to the form wait on one day until somebody has looked at them.
    FormHeld,
}

impl NoticeKind {
    /// The stored name; the stage is stored beside it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inactivity(_) => "inactivity",
            Self::Deleted => "deleted",
            Self::DeletedKeyUsed => "deleted_key_used",
            Self::Expiring(_) => "expiring",
            Self::Expired => "expired",
            Self::Retiring => "retiring",
            Self::Exposed => "exposed",
            Self::WebhookFailed => "webhook_failed",
            Self::WebhookDisabled => "webhook_disabled",
            Self::FormHeld => "form_held",
        }
    }

    /// Days before the end; 0 where there are none.
    pub const fn days(self) -> i64 {
        match self {
            Self::Inactivity(stage) | Self::Expiring(stage) => stage.days(),
            Self::Deleted
            | Self::DeletedKeyUsed
            | Self::Expired
            | Self::Retiring
            | Self::Exposed
            | Self::WebhookFailed
            | Self::WebhookDisabled
            | Self::FormHeld => 0,
        }
    }

    /// What it is about.
    pub const fn topic(self) -> Topic {
        match self {
            Self::Inactivity(_) | Self::Deleted => Topic::Inactivity,
            Self::DeletedKeyUsed | Self::Exposed => Topic::Exposure,
            Self::Expiring(_) | Self::Expired => Topic::Expiry,
            Self::Retiring => Topic::Rotation,
            Self::WebhookFailed | Self::WebhookDisabled => Topic::Webhooks,
            Self::FormHeld => Topic::Forms,
        }
    }

    /// What mails of it are part of.
    pub const fn mailing(self) -> Mailing {
        match self {
            Self::Inactivity(_)
            | Self::Deleted
            | Self::Expiring(_)
            | Self::Expired
            | Self::WebhookFailed
            | Self::FormHeld => Mailing::Summary,
            Self::DeletedKeyUsed | Self::Exposed | Self::Retiring | Self::WebhookDisabled => Mailing::Alert,
        }
    }

    /// Reads [`NoticeKind::as_str`] and [`NoticeKind::days`].
    pub fn parse(name: &str, days: i64) -> Option<Self> {
        let stage = Stage::from_days(days);
        match (name, stage) {
            ("inactivity", Some(stage)) => Some(Self::Inactivity(stage)),
            ("expiring", Some(stage)) => Some(Self::Expiring(stage)),
            ("deleted", None) => Some(Self::Deleted),
            ("deleted_key_used", None) => Some(Self::DeletedKeyUsed),
            ("expired", None) => Some(Self::Expired),
            ("retiring", None) => Some(Self::Retiring),
            ("exposed", None) => Some(Self::Exposed),
            ("webhook_failed", None) => Some(Self::WebhookFailed),
            ("webhook_disabled", None) => Some(Self::WebhookDisabled),
            ("form_held", None) => Some(Self::FormHeld),
            _ => None,
        }
    }
}

/// What notices are about: members choose by it what reaches them, and by which channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Unused keys, before and after they are deleted.
    Inactivity,
    /// Keys that others may hold.
    Exposure,
    /// The end that a key's owner chose.
    Expiry,
    /// The end of a rotation.
    Rotation,
    /// Webhooks that do not get through.
    Webhooks,
    /// Answers to forms that wait for somebody.
    Forms,
}

impl Topic {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 6] =
        [Self::Inactivity, Self::Exposure, Self::Expiry, Self::Rotation, Self::Webhooks, Self::Forms];

    /// The stored name, and that of form fields.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inactivity => "inactivity",
            Self::Exposure => "exposure",
            Self::Expiry => "expiry",
            Self::Rotation => "rotation",
            Self::Webhooks => "webhooks",
            Self::Forms => "forms",
        }
    }

    /// Reads [`Topic::as_str`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == name)
    }

    /// For people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Inactivity => "Unused keys",
            Self::Exposure => "Exposed keys",
            Self::Expiry => "Chosen expiry",
            Self::Rotation => "Old secrets",
            Self::Webhooks => "Webhooks",
            Self::Forms => "Held answers",
        }
    }

    /// What it covers, in one sentence.
    pub const fn purpose(self) -> &'static str {
        match self {
            Self::Inactivity => "15 days, 7 days and 1 day before an unused key is deleted, and when it was.",
            Self::Exposure => "A secret was found in public, or somebody tries a key that was deleted.",
            Self::Expiry => "A key is about to reach the end that its owner chose, or has reached it.",
            Self::Rotation => "An old secret ends within a day and is still in use.",
            Self::Webhooks => {
                "Messages failed after their last try, or a webhook was switched off because it took none."
            }
            Self::Forms => "Answers to a form look like spam and wait until somebody has looked at them.",
        }
    }

    /// The names of its kinds, see [`NoticeKind::as_str`].
    pub const fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::Inactivity => &["inactivity", "deleted"],
            Self::Exposure => &["deleted_key_used", "exposed"],
            Self::Expiry => &["expiring", "expired"],
            Self::Rotation => &["retiring"],
            Self::Webhooks => &["webhook_failed", "webhook_disabled"],
            Self::Forms => &["form_held"],
        }
    }

    /// When its mails come, see [`NoticeKind::mailing`].
    pub const fn when_mailed(self) -> &'static str {
        match self {
            Self::Inactivity | Self::Expiry | Self::Forms => "Daily mail",
            Self::Exposure | Self::Rotation => "Mail at once",
            Self::Webhooks => "Daily mail, at once if switched off",
        }
    }
}

/// How notices are put into mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mailing {
    /// One mail a day, with everything that is open.
    Summary,
    /// A mail at once.
    Alert,
}

impl Mailing {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Alert => "alert",
        }
    }

    /// Reads [`Mailing::as_str`].
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Summary, Self::Alert].into_iter().find(|mailing| mailing.as_str() == name)
    }
}

/// A way by which notices reach a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// The page of notices and its bell.
    InApp,
    /// Mail, to admins.
    Email,
}

impl Channel {
    /// Both.
    pub const ALL: [Self; 2] = [Self::InApp, Self::Email];

    /// The stored name, and that of form fields.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InApp => "in_app",
            Self::Email => "email",
        }
    }

    /// Reads [`Channel::as_str`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == name)
    }
}

/// What a member does not want to be told, by which channel. Nothing, unless they say so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Muted(BTreeSet<(Topic, Channel)>);

impl Muted {
    /// Whether a topic can be muted: a deletion counts only because somebody was told in the app, so what a key's life
    /// or safety hangs on is always shown there.
    pub const fn allows(topic: Topic, channel: Channel) -> bool {
        matches!(
            (topic, channel),
            (Topic::Expiry | Topic::Rotation | Topic::Webhooks | Topic::Forms, _) | (_, Channel::Email)
        )
    }

    /// Everything of `wanted` that can be muted.
    pub fn new(wanted: impl IntoIterator<Item = (Topic, Channel)>) -> Self {
        Self(wanted.into_iter().filter(|(topic, channel)| Self::allows(*topic, *channel)).collect())
    }

    /// Whether notices of a topic do not come by a channel.
    pub fn has(&self, topic: Topic, channel: Channel) -> bool {
        self.0.contains(&(topic, channel))
    }

    /// All pairs.
    pub fn iter(&self) -> impl Iterator<Item = (Topic, Channel)> + '_ {
        self.0.iter().copied()
    }
}

/// The nouns that notices are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoticeNoun {
    /// API keys.
    Key,
    /// Endpoints of webhooks.
    Webhook,
    /// Forms.
    Form,
}

impl NoticeNoun {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Key, Self::Webhook, Self::Form];

    /// The stored name, and the noun in a sentence.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Webhook => "webhook",
            Self::Form => "form",
        }
    }

    /// Reads [`NoticeNoun::as_str`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|noun| noun.as_str() == name)
    }

    /// By what somebody is told of all that they reach.
    pub const fn read_scope(self) -> Scope {
        match self {
            Self::Key => Scope::KeysRead,
            Self::Webhook => Scope::WebhooksRead,
            Self::Form => Scope::FormsRead,
        }
    }
}

/// The thing that a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the nouns themselves")]
pub enum NoticeSubject {
    Key(KeyId),
    Webhook(WebhookEndpointId),
    Form(Id<Form<AsForm>>),
}

impl NoticeSubject {
    /// What it is.
    pub const fn noun(&self) -> NoticeNoun {
        match self {
            Self::Key(_) => NoticeNoun::Key,
            Self::Webhook(_) => NoticeNoun::Webhook,
            Self::Form(_) => NoticeNoun::Form,
        }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        match self {
            Self::Key(id) => id.as_str(),
            Self::Webhook(id) => id.as_str(),
            Self::Form(id) => id.as_str(),
        }
    }
}

/// A notice that is about to be recorded. Of one kind and stage there is one for each episode of what it is about.
#[derive(Clone, Debug)]
pub struct NewNotice {
    /// Its id.
    pub id: NoticeId,
    /// The tenant.
    pub agency: AgencyId,
    /// The location, for what is a location's.
    pub location: Option<LocationId>,
    /// What it is about.
    pub subject: NoticeSubject,
    /// What it tells.
    pub kind: NoticeKind,
    /// Which run of events it belongs to: the `idle_since` of a ladder, the end of a restore window, an expiry, a day. It is
    /// open only while what it is about is still in that run.
    pub episode: i64,
    /// When.
    pub recorded_at: UtcMs,
    /// Where the kind has an address to name: from where a secret was used.
    pub address: Option<String>,
}

/// Where a reader stands with a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Not yet shown to them.
    Unseen,
    /// Shown in the list.
    Seen,
    /// Opened.
    Read,
    /// Put away.
    Archived,
}

impl Reading {
    /// `"unseen"`, `"seen"`, `"read"` or `"archived"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unseen => "unseen",
            Self::Seen => "seen",
            Self::Read => "read",
            Self::Archived => "archived",
        }
    }

    /// Reads [`Reading::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Unseen, Self::Seen, Self::Read, Self::Archived].into_iter().find(|known| known.as_str() == text)
    }
}

/// What a notice is about, as it stands now.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the nouns themselves")]
pub enum About {
    Key(AboutKey),
    Webhook(AboutWebhook),
    Form(AboutForm),
}

/// A key, as its notices tell of it.
#[derive(Clone, Debug)]
pub struct AboutKey {
    /// The key.
    pub id: KeyId,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: KeyKind,
    /// Whether it is active: else it cannot close the notice by being used.
    pub is_active: bool,
    /// When it is deleted, in service time, as things stand now.
    pub deletes_at: ServiceMs,
    /// Until when it can be restored.
    pub restore_until: Option<ServiceMs>,
    /// When it expires.
    pub expires_at: Option<UtcMs>,
    /// When its old secret ends.
    pub retires_at: Option<UtcMs>,
    /// Webhooks that it has set up and that the reader may see; told of an exposed key alone.
    pub set_up: Vec<NamedEndpoint>,
}

/// A webhook, as its notices tell of it.
#[derive(Clone, Debug)]
pub struct AboutWebhook {
    /// The webhook.
    pub endpoint: NamedEndpoint,
    /// Whether it is disabled.
    pub disabled: Option<Disabled>,
}

/// A form, as its notices tell of it.
#[derive(Clone, Debug)]
pub struct AboutForm {
    /// The form.
    pub id: Id<Form<AsForm>>,
    /// Where it is.
    pub location: LocationId,
    /// Its name.
    pub name: String,
    /// How many of its answers are held now; nobody counts beyond [`AboutForm::COUNTED`].
    pub held: i64,
}

impl AboutForm {
    /// So many held answers are counted.
    pub const COUNTED: i64 = 100;
}

impl About {
    /// Which thing it is.
    pub fn subject(&self) -> NoticeSubject {
        match self {
            Self::Key(key) => NoticeSubject::Key(key.id),
            Self::Webhook(webhook) => NoticeSubject::Webhook(webhook.endpoint.id),
            Self::Form(form) => NoticeSubject::Form(form.id),
        }
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        match self {
            Self::Key(key) => &key.name,
            Self::Webhook(webhook) => webhook.endpoint.title(),
            Self::Form(form) => &form.name,
        }
    }

    /// The key, if it is one.
    pub fn key(&self) -> Option<&AboutKey> {
        match self {
            Self::Key(key) => Some(key),
            Self::Webhook(_) | Self::Form(_) => None,
        }
    }

    /// The same, to complete it.
    pub fn key_mut(&mut self) -> Option<&mut AboutKey> {
        match self {
            Self::Key(key) => Some(key),
            Self::Webhook(_) | Self::Form(_) => None,
        }
    }
}

/// A notice as one reader sees it.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Its id.
    pub id: NoticeId,
    /// The tenant.
    pub agency: AgencyId,
    /// The location, for what is a location's.
    pub location: Option<LocationId>,
    /// What it is about.
    pub about: About,
    /// What it tells.
    pub kind: NoticeKind,
    /// Which run of events it belongs to.
    pub episode: i64,
    /// When it was recorded.
    pub recorded_at: UtcMs,
    /// From where a secret was used.
    pub address: Option<String>,
    /// Whether it still calls for something. What settles it closes it by itself: a use of the key, Keep, a restore, messages
    /// that are sent again, answers that somebody has looked at.
    pub open: bool,
    /// Where the reader stands.
    pub reading: Reading,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_back() {
        let mut kinds = vec![
            NoticeKind::Deleted,
            NoticeKind::DeletedKeyUsed,
            NoticeKind::Expired,
            NoticeKind::Retiring,
            NoticeKind::Exposed,
            NoticeKind::WebhookFailed,
            NoticeKind::WebhookDisabled,
            NoticeKind::FormHeld,
        ];
        kinds
            .extend(Stage::ALL.iter().flat_map(|stage| [NoticeKind::Inactivity(*stage), NoticeKind::Expiring(*stage)]));
        for kind in kinds {
            assert_eq!(NoticeKind::parse(kind.as_str(), kind.days()), Some(kind));
            assert!(kind.topic().kinds().contains(&kind.as_str()), "{kind:?}");
        }
        assert_eq!(NoticeKind::parse("inactivity", 0), None);
    }

    #[test]
    fn what_a_keys_life_or_safety_hangs_on_is_never_muted_in_the_app() {
        let all = Topic::ALL.into_iter().flat_map(|topic| Channel::ALL.map(|channel| (topic, channel)));
        let muted = Muted::new(all);
        for (topic, in_app) in [
            (Topic::Inactivity, false),
            (Topic::Exposure, false),
            (Topic::Expiry, true),
            (Topic::Rotation, true),
            (Topic::Webhooks, true),
            (Topic::Forms, true),
        ] {
            assert_eq!(muted.has(topic, Channel::InApp), in_app, "{topic:?}");
            assert!(muted.has(topic, Channel::Email));
        }
    }
}
