//! Mails to members.

use crate::{UserId, UtcMs, id::Id, notice::Mailing};

/// Where a mail stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailState {
    /// It will be sent, or sent again.
    Waiting,
    /// The mail server took it.
    Sent,
    /// What it told of was settled before it could be sent, or it failed for days.
    Dropped,
}

impl MailState {
    /// `"waiting"`, `"sent"` or `"dropped"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Dropped => "dropped",
        }
    }

    /// Reads [`MailState::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Waiting, Self::Sent, Self::Dropped].into_iter().find(|known| known.as_str() == text)
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
    pub user: UserId,
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
