//! Notices: what the people of a tenant are told about their keys (design: inactivity, notification centre).

use crate::{AgencyId, KeyId, LocationId, NoticeId, UtcMs, api_key::KeyKind, inactivity::Stage};

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
        }
    }

    /// Days before the end; 0 where there are none.
    pub const fn days(self) -> i64 {
        match self {
            Self::Inactivity(stage) | Self::Expiring(stage) => stage.days(),
            Self::Deleted | Self::DeletedKeyUsed | Self::Expired | Self::Retiring | Self::Exposed => 0,
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
            _ => None,
        }
    }
}

/// A notice about a key that is about to be recorded. Of one kind and stage there is one for each episode.
#[derive(Clone, Debug)]
pub struct NewNotice {
    /// Its id.
    pub id: NoticeId,
    /// The tenant.
    pub agency: AgencyId,
    /// The location, for a location's key.
    pub location: Option<LocationId>,
    /// The key.
    pub key: KeyId,
    /// What it tells.
    pub kind: NoticeKind,
    /// Which run of events it belongs to: the `idle_since` of a ladder, the end of a restore window, an expiry. It is
    /// open only while the key is still in that run.
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

/// A notice as one reader sees it.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Its id.
    pub id: NoticeId,
    /// The tenant.
    pub agency: AgencyId,
    /// The location, for a location's key.
    pub location: Option<LocationId>,
    /// The key.
    pub key: KeyId,
    /// Its name.
    pub key_name: String,
    /// Its kind.
    pub key_kind: KeyKind,
    /// Whether it is deactivated: then it cannot close the notice by being used.
    pub key_is_active: bool,
    /// What it tells.
    pub kind: NoticeKind,
    /// Which run of events it belongs to.
    pub episode: i64,
    /// When it was recorded.
    pub recorded_at: UtcMs,
    /// When the key is deleted, in service time, as things stand now.
    pub deletes_at: crate::ServiceMs,
    /// Until when the key can be restored.
    pub restore_until: Option<crate::ServiceMs>,
    /// When it expires.
    pub expires_at: Option<UtcMs>,
    /// When its old secret ends.
    pub retires_at: Option<UtcMs>,
    /// From where a secret was used.
    pub address: Option<String>,
    /// Whether it still calls for something. A use of the key, Keep or a restore close it by themselves.
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
        ];
        kinds
            .extend(Stage::ALL.iter().flat_map(|stage| [NoticeKind::Inactivity(*stage), NoticeKind::Expiring(*stage)]));
        for kind in kinds {
            assert_eq!(NoticeKind::parse(kind.as_str(), kind.days()), Some(kind));
        }
        assert_eq!(NoticeKind::parse("inactivity", 0), None);
    }
}
