//! Telephone numbers, stored as E.164. The one place that knows the number library.

use rlibphonenumber::{NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumberFormat, Region, ValidationError};

use crate::{Invalid, text::Country};

/// A possible telephone number: `+4930123456`, or `+12015550123;ext=11` where it has an extension (the spelling of RFC
/// 3966, so what is shown can be sent back). Possible means: of a length that its country has; whether it is assigned is
/// nobody's business here. Two numbers are the same if number and extension are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneNumber(String);

/// Most characters of a number as people write it, its extension included.
const LONGEST: usize = 60;
/// What parts the extension from the number.
const EXTENSION: &str = ";ext=";

impl PhoneNumber {
    /// Reads a number as people write it: an international one, which begins with `+` or with the exit code of
    /// `country`, or a national one of `country`.
    pub fn parse(text: &str, country: Country) -> Result<Self, Invalid> {
        let refused = || Invalid::new("must be a valid phone number, such as +14155550123");
        let text = text.trim();
        if text.chars().count() > LONGEST {
            return Err(refused());
        }
        // What is international by its form is nobody's national number, whatever the library makes of both together.
        let home = if is_international(text) { None } else { region(country) };
        let number = PHONE_NUMBER_UTIL.parse(text, home).map_err(|_| refused())?;
        let extension = match number.extension.as_deref().filter(|extension| !extension.is_empty()) {
            Some(extension) => Some(ascii_digits(extension).ok_or_else(refused)?),
            None => None,
        };
        // Letters name digits in North America. Elsewhere they are words, which the library would read as digits, too.
        if has_letters(text, extension.is_some()) && number.country_code != NORTH_AMERICA {
            return Err(Invalid::new("must be one phone number in digits, such as +14155550123"));
        }
        match number.is_possible_with_reason() {
            Ok(NumberLengthType::IsPossible) => {}
            Ok(NumberLengthType::IsPossibleLocalOnly) => {
                return Err(Invalid::new("must be a phone number with its area code, such as +14155550123"));
            }
            Err(ValidationError::TooShort) => {
                return Err(Invalid::new("must be a valid phone number, such as +14155550123; it has too few digits"));
            }
            Err(ValidationError::TooLong) => {
                return Err(Invalid::new("must be a valid phone number, such as +14155550123; it has too many digits"));
            }
            Err(_) => return Err(refused()),
        }
        let mut written = number.format_as(PhoneNumberFormat::E164).into_owned();
        if let Some(extension) = extension {
            written.push_str(EXTENSION);
            written.push_str(&extension);
        }
        Ok(Self(written))
    }

    /// A number that was stored, which was checked then.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// In E.164, with its extension where it has one.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has an extension.
    pub fn has_extension(&self) -> bool {
        self.0.contains(EXTENSION)
    }

    /// The digits of the number without its extension, country code first.
    pub fn digits(&self) -> &str {
        let number = self.0.split_once(EXTENSION).map_or(self.0.as_str(), |(number, _)| number);
        number.trim_start_matches('+')
    }

    /// The digits that follow the country code.
    pub fn national_digits(&self) -> &str {
        let code = PHONE_NUMBER_UTIL.parse(&self.0, None).map_or(0, |number| number.country_code.to_string().len());
        &self.digits()[code..]
    }
}

/// The country code of the United States, Canada and their neighbours.
const NORTH_AMERICA: i32 = 1;

/// The digits of any script as ASCII; `None` where something is none.
fn ascii_digits(text: &str) -> Option<String> {
    text.chars().map(|c| decimal(c).map(|digit| char::from(b'0' + digit))).collect()
}

/// The digit that a character is, in the scripts that phone numbers are written in.
fn decimal(c: char) -> Option<u8> {
    const ZEROS: [char; 5] = ['0', '\u{660}', '\u{6f0}', '\u{966}', '\u{ff10}'];
    ZEROS.into_iter().find_map(|zero| {
        let distance = u32::from(c).checked_sub(u32::from(zero))?;
        u8::try_from(distance).ok().filter(|digit| *digit < 10)
    })
}

/// Whether letters stand beside the digits of a number, other than those that announce it or its extension.
fn has_letters(text: &str, has_extension: bool) -> bool {
    let announced = text.trim_start_matches(|c: char| c.is_alphabetic() || ".: ".contains(c));
    let before = &text[..text.len() - announced.len()];
    // An extension before its number is not read as one.
    if before.to_lowercase().contains("ext") {
        return true;
    }
    let number = if has_extension {
        announced.trim_end_matches(|c| decimal(c).is_some()).trim_end_matches(|c| decimal(c).is_none())
    } else {
        announced
    };
    number.chars().any(char::is_alphabetic)
}

/// By a plus sign, which people also write in brackets, wide, or behind `tel:` and marks of direction.
fn is_international(text: &str) -> bool {
    let text = text.strip_prefix("tel:").unwrap_or(text);
    let first =
        text.chars().find(|c| !matches!(c, '(' | '[' | ' ' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'));
    matches!(first, Some('+' | '\u{ff0b}'))
}

/// Whether `country` has telephone numbers.
pub(crate) fn knows(country: Country) -> bool {
    region(country).is_some()
}

fn region(country: Country) -> Option<Region> {
    let region: Region = country.as_str().parse().ok()?;
    PHONE_NUMBER_UTIL.get_country_code_for_region(region).map(|_| region)
}

#[cfg(test)]
#[path = "phone_tests.rs"]
mod tests;
