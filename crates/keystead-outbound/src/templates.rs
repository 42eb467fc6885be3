//! What mails say.

use keystead_model::{
    UtcMs,
    notice::{Mailing, Notice, NoticeKind},
    text::isolated,
    user::User,
};

/// Keys that are named in one mail.
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
    /// What it tells of, each with when the key is deleted if nobody uses it.
    pub notices: &'n [(Notice, UtcMs)],
    /// `https://crm.example.com`, for its links.
    pub base_url: &'n str,
}

impl Letter<'_> {
    /// Subject and body, in plain text.
    pub fn write(&self) -> (String, String) {
        let Self { reader, mailing, notices, base_url } = self;
        let (subject, told) = match mailing {
            Mailing::Summary => summary(notices),
            Mailing::Alert => alert(&notices.iter().map(|(notice, _)| notice).collect::<Vec<_>>()),
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
}

fn summary(open: &[(Notice, UtcMs)]) -> (String, String) {
    let (expiring, idle): (Vec<_>, Vec<_>) =
        open.iter().partition(|(notice, _)| matches!(notice.kind, NoticeKind::Expiring(_)));
    let mut body = String::new();
    if !idle.is_empty() {
        let (keys, are) = (count_keys(idle.len()), if idle.len() == 1 { "is" } else { "are" });
        body.push_str(&format!("{keys} {are} unused and will be deleted unless somebody uses or keeps them:\n\n"));
        list_ends(&mut body, idle.iter().map(|(notice, at)| (*at, notice)).collect(), "not before ");
        body.push_str("\nA key that is used keeps itself: its notices close on their own.\n");
    }
    if !expiring.is_empty() {
        let gap = if body.is_empty() { "" } else { "\n" };
        let (keys, ends) =
            (count_keys(expiring.len()), if expiring.len() == 1 { "reaches its" } else { "reach their" });
        body.push_str(&format!("{gap}{keys} {ends} chosen expiry soon:\n\n"));
        let ends = expiring.iter().filter_map(|(notice, _)| Some((notice.expires_at?, notice)));
        list_ends(&mut body, ends.collect(), "");
    }
    let subject = match (idle.len(), expiring.len()) {
        (idle, 0) => format!("{} unused and about to be deleted", count_keys(idle)),
        (0, expiring) => format!("{} about to expire", count_keys(expiring)),
        (idle, expiring) => format!("{} about to be deleted or to expire", count_keys(idle + expiring)),
    };
    (subject, body)
}

fn count_keys(count: usize) -> String {
    format!("{count} API {}", if count == 1 { "key" } else { "keys" })
}

/// A line for each key, the next to end first.
fn list_ends(body: &mut String, mut ends: Vec<(UtcMs, &Notice)>, before: &str) {
    ends.sort_by_key(|(at, _)| *at);
    for (at, notice) in ends.iter().take(NAMED) {
        // A name may hold anything but a line's end.
        body.push_str(&format!("- {} ({before}{})\n", isolated(&notice.key_name), minute(*at)));
    }
    if ends.len() > NAMED {
        body.push_str(&format!("- and {} more\n", ends.len() - NAMED));
    }
}

/// `2026-11-26 08:30 UTC`.
fn minute(at: UtcMs) -> String {
    format!("{} UTC", at.to_iso()[..16].replace('T', " "))
}

fn alert(open: &[&Notice]) -> (String, String) {
    let mut body = String::new();
    for notice in open.iter().take(NAMED) {
        let from = notice.address.as_deref().map(|address| format!(" from {address}")).unwrap_or_default();
        let what = match (notice.kind, notice.retires_at) {
            (NoticeKind::Exposed, _) => {
                "its secret was found in public and does not work any more. Rotate the key to use it again.".to_owned()
            }
            (NoticeKind::Retiring, Some(at)) => {
                format!("its old secret ends on {} and is still in use{from}.", minute(at))
            }
            _ => format!("somebody used it{from} after it was deleted, and was refused. If that was you, restore it."),
        };
        body.push_str(&format!("- {}: {what}\n", isolated(&notice.key_name)));
    }
    if open.len() > NAMED {
        body.push_str(&format!("- and {} more\n", open.len() - NAMED));
    }
    let subject = match open {
        [Notice { kind: NoticeKind::Exposed, .. }] => "An API key was found in public and stopped".to_owned(),
        [Notice { kind: NoticeKind::Retiring, .. }] => {
            "The old secret of an API key ends and is still in use".to_owned()
        }
        [Notice { kind: NoticeKind::DeletedKeyUsed, .. }] => "A deleted API key was used".to_owned(),
        several => format!("{} need you", count_keys(several.len())),
    };
    (subject, body)
}
