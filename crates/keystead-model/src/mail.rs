//! Mails to members, and to those who are told of keys besides.

use crate::{AgencyId, UserId, UtcMs, id::Id, notice::Mailing, text::EmailAddress};

/// Where a mail stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailState {
    /// It will be sent, or sent again.
    Waiting,
    /// The mail server took it.
    Sent,
    /// What it told of was settled before it could be sent.
    Dropped,
    /// It was tried for days, or ended each server that tried.
    Failed,
}

impl MailState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Sent, Self::Dropped, Self::Failed];

    /// `"waiting"`, `"sent"`, `"dropped"` or `"failed"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Dropped => "dropped",
            Self::Failed => "failed",
        }
    }

    /// Reads [`MailState::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }
}

/// Whom a mail is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailReader {
    /// A member.
    Member(UserId),
    /// Whoever reads at an address that an agency, or a key of it, names.
    Contact(AgencyId, EmailAddress),
}

impl MailReader {
    /// The stored form, by which it is also noted what they were told.
    pub fn to_stored(&self) -> String {
        match self {
            Self::Member(id) => id.to_string(),
            Self::Contact(agency, address) => format!("{agency} {}", address.as_str()),
        }
    }

    /// Reads [`MailReader::to_stored`].
    pub fn from_stored(text: &str) -> Option<Self> {
        match text.split_once(' ') {
            None => UserId::parse(text).map(Self::Member),
            Some((agency, address)) => {
                Some(Self::Contact(AgencyId::parse(agency)?, EmailAddress::from_stored(address.to_owned())))
            }
        }
    }
}

/// A mail.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Its id.
    pub id: Id<Mail>,
    /// What it is.
    pub mailing: Mailing,
    /// Whom it is for.
    pub reader: MailReader,
    /// Their address when it was put here.
    pub to: String,
    /// Subject.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// Where it stands.
    pub state: MailState,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was put here.
    pub created_at: UtcMs,
    /// What the mail server said last, where it refused.
    pub problem: Option<String>,
}
