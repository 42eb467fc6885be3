//! What can be said of a key in two or three words.

use keystead_model::{
    UtcMs,
    api_key::{ApiKey, DeleteReason, KeyState},
    time::{DAY_MS, HOUR_MS},
};

use crate::{
    Web,
    show::{self as words, Zone},
};

/// What a status means, in words and in colour.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) text: String,
    pub(crate) class: &'static str,
}

fn status(text: impl Into<String>, class: &'static str) -> Status {
    Status { text: text.into(), class }
}

/// From when on lists say that something ends: the first notice of it is out, which comes minutes before its day.
pub(super) const SOON_MS: i64 = 15 * DAY_MS + HOUR_MS;

/// The end of a key that nobody uses, as far as it can be foreseen now.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing happens to it while its tenant is suspended.
    Suspended,
    /// Nothing happens to it until somebody can be told.
    Held,
    /// Nothing happens to any key.
    Paused,
    /// Its owner chose this, and it comes before a deletion.
    Expires(UtcMs),
    /// It is deleted, not before this instant.
    Deletes(UtcMs),
}

impl End {
    pub(super) fn of(web: &Web, key: &ApiKey, now: UtcMs) -> Self {
        let deletes_at = web.app.to_utc(key.inactivity.deletes_at, now);
        match key.grant.expires_at {
            _ if !key.tenant_is_live() => Self::Suspended,
            _ if key.inactivity.held => Self::Held,
            Some(at) if now < at && at < deletes_at => Self::Expires(at),
            _ if web.app.deletions_are_paused() => Self::Paused,
            _ => Self::Deletes(deletes_at),
        }
    }

    /// Whether it is so near that lists say it, and how it looks.
    fn nearness(self, now: UtcMs) -> Option<&'static str> {
        match self {
            Self::Expires(at) | Self::Deletes(at) if at - now < DAY_MS => Some("bad"),
            Self::Expires(at) | Self::Deletes(at) if at - now < SOON_MS => Some("warn"),
            _ => None,
        }
    }
}

/// The most that matters of a key: why calls with it are refused, else what will end it.
pub(super) fn status_of(key: &ApiKey, end: End, now: UtcMs, zone: &Zone) -> Status {
    match &key.state {
        KeyState::Deleted { at, reason: DeleteReason::Inactive, .. } => {
            status(format!("Deleted {}, unused for 90 days", zone.day(*at)), "off")
        }
        KeyState::Deleted { at, .. } => status(format!("Deleted {}", zone.day(*at)), "off"),
        KeyState::Deactivated { at, .. } => {
            let (state, class) = match key.exposed_at {
                Some(at) => (format!("Exposed {}", zone.day(at)), "bad"),
                None => (format!("Deactivated {}", zone.day(*at)), "off"),
            };
            match (end, end.nearness(now)) {
                (End::Deletes(at), Some(near)) => status(format!("{state}, deletes {}", words::until(at, now)), near),
                _ => status(state, class),
            }
        }
        KeyState::Active => active(key, end, now),
    }
}

fn active(key: &ApiKey, end: End, now: UtcMs) -> Status {
    if key.grant.expires_at.is_some_and(|at| at <= now) {
        return status("Expired", "bad");
    }
    match (end, end.nearness(now), key.overlap(now)) {
        (End::Suspended, ..) => status("Suspended", "off"),
        (_, _, Some(previous)) => {
            status(format!("Rotating, old secret ends {}", words::until(previous.retires_at, now)), "warn")
        }
        (End::Held, ..) => status("Held, nobody can be told", "warn"),
        (End::Expires(at), Some(near), _) => status(format!("Expires {}", words::until(at, now)), near),
        (End::Deletes(at), Some(near), _) => status(format!("Idle, deletes {}", words::until(at, now)), near),
        _ => status("Active", "good"),
    }
}

#[cfg(test)]
mod tests {
    use keystead_model::{
        AgencyId, KeyId, LocationId, ServiceMs,
        actor::Actor,
        api_key::{KeyAbout, KeyName, NewKey, SecretSlot, StoredSecret},
        grant::{Grant, Reach},
        ip_range::IpRanges,
        key_kind::KeyKind,
        scope::Preset,
    };

    use super::*;

    const NOW: UtcMs = UtcMs(1_795_608_000_000);

    fn key() -> ApiKey {
        let new = NewKey {
            name: KeyName::parse("x").unwrap(),
            about: KeyAbout::default(),
            grant: Grant {
                agency: AgencyId::parse("0000000000000000000A").unwrap(),
                reach: Reach::location(LocationId::parse("0000000000000000000L").unwrap()),
                scopes: Preset::ReadOnly.scopes(KeyKind::Location),
                allowed_ips: IpRanges::default(),
                expires_at: None,
            },
            rate_limit: None,
            allowed_origins: keystead_model::origin::Origins::default(),
        };
        let secret = StoredSecret {
            hash: Some([0; 32]),
            pepper_version: 1,
            last_four: "x9Qa".to_owned(),
            created_at: NOW,
            last_used_at: None,
        };
        let id = KeyId::parse("Hq3vT0bZk9Wd").unwrap();
        ApiKey::create(id, new, secret, Actor::Operator, NOW, ServiceMs(0))
    }

    fn said(key: &ApiKey, end: End) -> String {
        let Status { text, class } = status_of(key, end, NOW, &words::UTC);
        format!("{class}: {text}")
    }

    fn days(days: i64) -> UtcMs {
        UtcMs(NOW.0 + days * DAY_MS + 1)
    }

    #[test]
    fn green_are_only_keys_that_work_and_go_on() {
        assert_eq!(said(&key(), End::Deletes(days(40))), "good: Active");
        assert_eq!(said(&key(), End::Paused), "good: Active");
        assert_eq!(said(&key(), End::Suspended), "off: Suspended");
        assert_eq!(said(&key(), End::Held), "warn: Held, nobody can be told");
        assert_eq!(said(&key(), End::Deletes(days(12))), "warn: Idle, deletes in 12 days");
        assert_eq!(said(&key(), End::Deletes(days(0))), "bad: Idle, deletes in a moment");
        assert_eq!(said(&key(), End::Expires(days(3))), "warn: Expires in 3 days");
        let mut expired = key();
        expired.grant.expires_at = Some(NOW);
        assert_eq!(said(&expired, End::Suspended), "bad: Expired", "as whoever uses it is told");
        let off = key().deactivate(Actor::Operator, NOW, ServiceMs(0)).unwrap();
        assert_eq!(said(&off, End::Suspended), "off: Deactivated 25 Nov 2026");
        assert_eq!(said(&off, End::Deletes(days(2))), "warn: Deactivated 25 Nov 2026, deletes in 2 days");
        let exposed = key().expose(SecretSlot::Current, NOW);
        assert_eq!(said(&exposed, End::Deletes(days(40))), "bad: Exposed 25 Nov 2026");
    }
}
