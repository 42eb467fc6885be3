//! What mails say.

use std::collections::BTreeMap;

use keystead_model::{
    UtcMs,
    notice::{About, AboutForm, AboutKey, AboutWebhook, Mailing, Notice, NoticeKind, NoticeNoun},
    text::isolated,
    user::User,
    webhook::{NamedEndpoint, WhyDisabled},
};

/// Things of a kind that are named in one mail.
const NAMED: usize = 50;

/// Who gets a mail.
#[derive(Clone, Copy)]
pub enum Reader<'n> {
    /// A member, who finds the rest in the app.
    Member(&'n User),
    /// Whoever reads at an address that an agency or a key names. They may have nothing to do with the app.
    Contact(&'n str),
}

/// A mail about notices.
pub struct Letter<'n> {
    /// Who gets it.
    pub reader: Reader<'n>,
    /// What it is.
    pub mailing: Mailing,
    /// What it tells of; of a key with when it is deleted if nobody uses it.
    pub notices: &'n [(Notice, Option<UtcMs>)],
    /// `https://crm.example.com`, for its links.
    pub base_url: &'n str,
}

impl Letter<'_> {
    /// Subject and body, in plain text.
    pub fn write(&self) -> (String, String) {
        let Self { reader, mailing, notices, base_url } = self;
        let (subject, told) = match mailing {
            Mailing::Summary => self.summary(),
            Mailing::Alert => self.alert(&notices.iter().map(|(notice, _)| notice).collect::<Vec<_>>()),
        };
        let body = match reader {
            Reader::Member(user) => {
                let place = match user.locations.first().filter(|_| user.role.is_account()) {
                    Some(location) => format!("/app/locations/{location}"),
                    None => "/app/agency".to_owned(),
                };
                let notices = format!("{base_url}{place}/notices");
                let name = user.display_name();
                format!(
                    "Hello {},\n\n{told}\nSee them, and what you can do: {notices}\nChoose which mails you get: {notices}/preferences\n",
                    isolated(&name)
                )
            }
            Reader::Contact(address) => format!(
                "Hello,\n\n{told}\nYou get this because {address} is the contact of these keys at {base_url}. Their admins there can \
                 keep them, rotate them, or name another contact.\n"
            ),
        };
        (subject, body)
    }

    /// A webhook by its name, with the page on which its reader finds it.
    fn linked(&self, endpoint: &NamedEndpoint) -> String {
        let place = match (self.reader, endpoint.location) {
            (Reader::Member(user), Some(location)) if user.role.is_account() => format!("locations/{location}"),
            _ => "agency".to_owned(),
        };
        let page = format!("{}/app/{place}/settings/webhooks/{}", self.base_url, endpoint.id);
        format!("{} ({page})", isolated(endpoint.title()))
    }

    /// What a form holds, with the page on which its reader finds it.
    fn held(&self, form: &AboutForm) -> String {
        let AboutForm { id, location, name, .. } = form;
        let page = format!("{}/app/locations/{location}/submissions?form={id}&state=held", self.base_url);
        format!("{} ({page})", isolated(name))
    }

    fn summary(&self) -> (String, String) {
        let (mut idle, mut expiring, mut failed, mut held) = (Vec::new(), Vec::new(), BTreeMap::new(), BTreeMap::new());
        for (notice, deletes_at) in self.notices {
            match &notice.about {
                // Of several days one says it.
                About::Webhook(AboutWebhook { endpoint, .. }) => drop(failed.insert(endpoint.id, endpoint)),
                About::Form(form) => drop(held.insert(form.id, form)),
                About::Key(key) => match (notice.kind, key.expires_at, deletes_at) {
                    (NoticeKind::Expiring(_), Some(at), _) => expiring.push((at, key)),
                    (_, _, Some(at)) => idle.push((*at, key)),
                    _ => {}
                },
            }
        }
        let mut parts = Vec::new();
        if !idle.is_empty() {
            let (keys, are) = (count_keys(idle.len()), if idle.len() == 1 { "is" } else { "are" });
            let list = list_ends(&mut idle, "not before ");
            parts.push(format!(
                "{keys} {are} unused and will be deleted unless somebody uses or keeps them:\n\n{list}\nA key that is used keeps \
                 itself: its notices close on their own.\n"
            ));
        }
        if !expiring.is_empty() {
            let (keys, ends) =
                (count_keys(expiring.len()), if expiring.len() == 1 { "reaches its" } else { "reach their" });
            let list = list_ends(&mut expiring, "");
            parts.push(format!("{keys} {ends} chosen expiry soon:\n\n{list}"));
        }
        if !failed.is_empty() {
            let webhooks = count_webhooks(failed.len());
            let list = list(failed.values().map(|endpoint| self.linked(endpoint)));
            parts.push(format!(
                "Messages of {webhooks} failed after their last try:\n\n{list}\nThey are kept for 30 days. See why they failed, and \
                 send them again.\n"
            ));
        }
        if !held.is_empty() {
            let list = list(held.values().map(|form| self.held(form)));
            parts.push(format!(
                "Answers to {} look like spam and are held:\n\n{list}\nNothing comes of them before somebody has looked at \
                 them.\n",
                count_forms(held.len())
            ));
        }
        let keys = match (idle.len(), expiring.len()) {
            (0, 0) => None,
            (idle, 0) => Some(format!("{} unused and about to be deleted", count_keys(idle))),
            (0, expiring) => Some(format!("{} about to expire", count_keys(expiring))),
            (idle, expiring) => Some(format!("{} about to be deleted or to expire", count_keys(idle + expiring))),
        };
        let webhooks = (!failed.is_empty()).then(|| format!("messages of {} failed", count_webhooks(failed.len())));
        let forms = (!held.is_empty()).then(|| format!("answers to {} are held", count_forms(held.len())));
        let mut subject = [keys, webhooks, forms].into_iter().flatten().collect::<Vec<_>>().join(", and ");
        if let Some(first) = subject.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        (subject, parts.join("\n"))
    }

    fn alert(&self, open: &[&Notice]) -> (String, String) {
        let body = list(open.iter().map(|notice| match &notice.about {
            About::Key(key) => format!("{}: {}", isolated(&key.name), self.urgent(notice, key)),
            About::Webhook(AboutWebhook { endpoint, disabled }) => {
                let why = match disabled.map(|disabled| disabled.why) {
                    Some(WhyDisabled::Gone) => "its receiver says that it is gone",
                    _ => "it took no message for days",
                };
                format!(
                    "{}: {why}, so it was switched off. What happens meanwhile is kept for 30 days. Switch it on again and send \
                     it what it missed.",
                    self.linked(endpoint)
                )
            }
            About::Form(form) => self.held(form),
        }));
        let subject = match open {
            [Notice { kind: NoticeKind::Exposed, .. }] => "An API key was found in public and stopped".to_owned(),
            [Notice { kind: NoticeKind::Retiring, .. }] => {
                "The old secret of an API key ends and is still in use".to_owned()
            }
            [Notice { kind: NoticeKind::DeletedKeyUsed, .. }] => "A deleted API key was used".to_owned(),
            [Notice { kind: NoticeKind::WebhookDisabled, .. }] => "A webhook was switched off".to_owned(),
            several => {
                let of = |noun| several.iter().filter(|notice| notice.about.subject().noun() == noun).count();
                match (of(NoticeNoun::Key), of(NoticeNoun::Webhook)) {
                    (keys, 0) => format!("{} need you", count_keys(keys)),
                    (0, webhooks) => format!("{} were switched off", count_webhooks(webhooks)),
                    (keys, webhooks) => format!("{} and {} need you", count_keys(keys), count_webhooks(webhooks)),
                }
            }
        };
        (subject, body)
    }

    fn urgent(&self, notice: &Notice, key: &AboutKey) -> String {
        let from = notice.address.as_deref().map(|address| format!(" from {address}")).unwrap_or_default();
        match (notice.kind, key.retires_at) {
            (NoticeKind::Exposed, _) => {
                let found =
                    "its secret was found in public and does not work any more. Rotate the key to use it again.";
                let set_up: Vec<String> = key.set_up.iter().map(|endpoint| self.linked(endpoint)).collect();
                match set_up.is_empty() {
                    true => found.to_owned(),
                    false => {
                        format!("{found} It has set up webhooks: {}. Check that they are yours.", set_up.join(", "))
                    }
                }
            }
            (NoticeKind::Retiring, Some(at)) => {
                format!("its old secret ends on {} and is still in use{from}.", minute(at))
            }
            _ => format!("somebody used it{from} after it was deleted, and was refused. If that was you, restore it."),
        }
    }
}

fn count_keys(count: usize) -> String {
    format!("{count} API {}", if count == 1 { "key" } else { "keys" })
}

fn count_webhooks(count: usize) -> String {
    format!("{count} {}", if count == 1 { "webhook" } else { "webhooks" })
}

fn count_forms(count: usize) -> String {
    format!("{count} {}", if count == 1 { "form" } else { "forms" })
}

/// A line for each key, the next to end first.
fn list_ends(ends: &mut [(UtcMs, &AboutKey)], before: &str) -> String {
    ends.sort_by_key(|(at, _)| *at);
    list(ends.iter().map(|(at, key)| format!("{} ({before}{})", isolated(&key.name), minute(*at))))
}

/// A line for each. A name may hold anything but a line's end.
fn list(lines: impl ExactSizeIterator<Item = String>) -> String {
    let others = lines.len().saturating_sub(NAMED);
    let mut text: String = lines.take(NAMED).map(|line| format!("- {line}\n")).collect();
    if others > 0 {
        text.push_str(&format!("- and {others} more\n"));
    }
    text
}

/// `2026-11-26 08:30 UTC`.
fn minute(at: UtcMs) -> String {
    format!("{} UTC", at.to_iso()[..16].replace('T', " "))
}
