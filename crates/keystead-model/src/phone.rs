//! Telephone numbers, stored as E.164. The one place that knows the number library.

use std::str::FromStr;

use phonenumber::{Mode, country};

use crate::{Invalid, text::Country};

/// A possible telephone number in E.164, `+4930123456`. Possible means: of a length that the country has; whether
/// it is assigned is nobody's business here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Reads an international number, or a national one of `country`.
    pub fn parse(text: &str, country: Country) -> Result<Self, Invalid> {
        let text = text.trim();
        let refused = || Invalid::new("must be a valid phone number, such as +14155550123");
        if text.len() > 40 || text.chars().filter(char::is_ascii_digit).count() < 5 {
            return Err(refused());
        }
        let number = phonenumber::parse(region(country), text).map_err(|_| refused())?;
        let written = number.format().mode(Mode::E164).to_string();
        let digits = written.len() - 1;
        if (7..=15).contains(&digits) && written.starts_with('+') { Ok(Self(written)) } else { Err(refused()) }
    }

    /// A number that was stored, which was checked then.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// In E.164.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `country` has telephone numbers.
pub(crate) fn knows(country: Country) -> bool {
    region(country).is_some()
}

fn region(country: Country) -> Option<country::Id> {
    country::Id::from_str(country.as_str()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_e164() {
        let parse = |text, country| PhoneNumber::parse(text, Country::parse(country).unwrap());
        assert_eq!(parse("(415) 555-0123", "US").unwrap().as_str(), "+14155550123");
        assert_eq!(parse("+49 30 123456", "US").unwrap().as_str(), "+4930123456");
        assert_eq!(parse("030 123456", "DE").unwrap().as_str(), "+4930123456");
        assert_eq!(parse("07400 123456", "GB").unwrap().as_str(), "+447400123456");
        for refused in ["", "hello", "12", "+", "1'; DROP TABLE", "+999999999999999999999999"] {
            assert!(parse(refused, "US").is_err(), "{refused:?}");
        }
    }
}
