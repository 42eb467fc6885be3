//! What an agency asks of all its keys, whoever makes them and by which door.

use crate::{Invalid, UtcMs, text::EmailAddress, time::DAY_MS};

/// Most days of a policy: ten years.
pub const MAX_DAYS: u32 = 3_650;

/// Who makes agency keys, within their own authority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AgencyKeyMakers {
    /// Members and programs that may make keys.
    #[default]
    Members,
    /// The operators of the instance alone.
    Operators,
}

impl AgencyKeyMakers {
    /// `"members"` or `"operators"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Operators => "operators",
        }
    }

    /// Reads [`AgencyKeyMakers::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Members, Self::Operators].into_iter().find(|makers| makers.as_str() == text)
    }
}

/// What an agency asks of its keys. A key that is there already stays as it is until its expiry is changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPolicy {
    /// How many days ahead an expiry may lie. With it every new key has one.
    pub longest_days: Option<u32>,
    /// The expiry of a new key for which none is chosen, in days.
    pub default_days: Option<u32>,
    /// Who makes agency keys.
    pub agency_keys_by: AgencyKeyMakers,
    /// An address that gets the mails about all keys, besides the admins.
    pub contact: Option<EmailAddress>,
}

/// Reads a number of days.
pub fn parse_days(text: &str) -> Result<u32, Invalid> {
    let days = text.trim().parse().ok().filter(|days| (1..=MAX_DAYS).contains(days));
    days.ok_or_else(|| Invalid::new(format!("must be a number of days from 1 to {MAX_DAYS}")))
}

/// That a key which expires then is of use at all.
pub fn in_future(expires_at: UtcMs, now: UtcMs) -> Result<(), Invalid> {
    if expires_at > now { Ok(()) } else { Err(Invalid::new("must be in the future")) }
}

impl KeyPolicy {
    /// That it does not contradict itself.
    pub fn check(&self) -> Result<(), Invalid> {
        match (self.default_days, self.longest_days) {
            (Some(default), Some(longest)) if default > longest => {
                Err(Invalid::new(format!("must be no more than the longest, which is {longest} days")))
            }
            _ => Ok(()),
        }
    }

    /// When a new key expires for which `wanted` is chosen at `now`.
    pub fn expiry(&self, wanted: Option<UtcMs>, now: UtcMs) -> Result<Option<UtcMs>, Invalid> {
        let Some(wanted) = wanted else {
            let days = self.default_days.or(self.longest_days);
            return Ok(days.map(|days| UtcMs(now.0 + i64::from(days) * DAY_MS)));
        };
        self.admit(Some(wanted), now)?;
        Ok(Some(wanted))
    }

    /// That a key may expire then.
    pub fn admit(&self, expires_at: Option<UtcMs>, now: UtcMs) -> Result<(), Invalid> {
        let Some(longest) = self.longest_days else { return Ok(()) };
        // A day that is chosen lasts to its end, wherever that is.
        let latest = UtcMs(now.0 + i64::from(longest + 1) * DAY_MS);
        match expires_at {
            Some(at) if at <= latest => Ok(()),
            Some(_) => Err(Invalid::new(format!("must be within {longest} days: so your agency wants it of all keys"))),
            None => Err(Invalid::new(format!(
                "should not be empty: your agency wants all keys to expire within {longest} days"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UtcMs = UtcMs(1_795_608_000_000);

    fn days(days: i64) -> UtcMs {
        UtcMs(NOW.0 + days * DAY_MS)
    }

    #[test]
    fn an_expiry_is_chosen_usual_or_the_longest() {
        let policy = |longest_days, default_days| KeyPolicy { longest_days, default_days, ..KeyPolicy::default() };
        assert_eq!(policy(None, None).expiry(None, NOW), Ok(None));
        assert_eq!(policy(None, None).expiry(Some(days(9_000)), NOW), Ok(Some(days(9_000))));
        assert_eq!(policy(None, Some(30)).expiry(None, NOW), Ok(Some(days(30))));
        assert_eq!(policy(None, Some(30)).expiry(Some(days(60)), NOW), Ok(Some(days(60))));
        assert_eq!(policy(Some(90), Some(30)).expiry(None, NOW), Ok(Some(days(30))));
        assert_eq!(policy(Some(90), None).expiry(None, NOW), Ok(Some(days(90))));
        // To the end of the ninetieth day.
        assert_eq!(policy(Some(90), None).expiry(Some(days(91)), NOW), Ok(Some(days(91))));
        assert!(policy(Some(90), None).expiry(Some(UtcMs(days(91).0 + 1)), NOW).is_err());
        assert!(policy(Some(90), None).admit(None, NOW).is_err());
        assert!(policy(Some(90), Some(91)).check().is_err() && policy(Some(90), Some(90)).check().is_ok());
        assert!(["0", "-1", "x", "3651", ""].iter().all(|text| parse_days(text).is_err()));
    }
}
