//! Exact decimal numbers, as money and answers of forms need them.
//!
//! Kept as a text whose order is that of the numbers, so that both databases compare and index them as they are.

use std::fmt;

use crate::Invalid;

/// Digits before the point.
const WHOLE: usize = 15;
/// Digits after it.
const PARTS: usize = 9;
const DIGITS: usize = WHOLE + PARTS;
/// The first number that has more digits before its point.
const LARGEST: f64 = 1e15;

/// A number of at most 15 digits before its point and 9 after it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal([u8; DIGITS + 1]);

impl Decimal {
    /// Reads `-?\d{1,15}(\.\d{1,9})?`; minus nothing is nothing.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let refused =
            || Invalid::new(format!("must be a number of at most {WHOLE} digits, and {PARTS} after the point"));
        let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
        let (whole, parts) = digits.split_once('.').map_or((digits, None), |(whole, parts)| (whole, Some(parts)));
        let suits =
            |digits: &str, most| (1..=most).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        if !suits(whole, WHOLE) || !parts.is_none_or(|parts| suits(parts, PARTS)) {
            return Err(refused());
        }
        let mut stored = [b'0'; DIGITS + 1];
        stored[1 + WHOLE - whole.len()..=WHOLE].copy_from_slice(whole.as_bytes());
        let parts = parts.unwrap_or_default().as_bytes();
        stored[1 + WHOLE..][..parts.len()].copy_from_slice(parts);
        Ok(Self::signed(is_negative && stored.iter().any(|digit| *digit != b'0'), stored))
    }

    /// Of negative ones the greater number has the smaller digits, so these are turned around.
    fn signed(is_negative: bool, mut stored: [u8; DIGITS + 1]) -> Self {
        stored[0] = if is_negative { b'0' } else { b'1' };
        if is_negative {
            turn(&mut stored);
        }
        Self(stored)
    }

    /// From a number of JSON, which most programs compute with 53 binary digits: what such computing leaves behind the ninth digit
    /// after the point is rounded away. More than 15 digits would not come through such a program as they are, and are refused.
    pub fn from_double(number: f64) -> Result<Self, Invalid> {
        if number.abs() < LARGEST {
            // Rounded, or as the fewest digits that make the same number.
            let told = [format!("{number:.PARTS$}"), number.to_string()];
            if let Some(meant) = told.iter().find(|text| has_few_digits(text)) {
                return Self::parse(meant);
            }
        }
        Err(Invalid::new("must be a number of at most 15 digits; with more of them, send it as a text"))
    }

    /// In billionths.
    pub fn nanos(&self) -> i128 {
        let (mut stored, is_negative) = (self.0, self.0[0] == b'0');
        if is_negative {
            turn(&mut stored);
        }
        let nanos = stored[1..].iter().fold(0i128, |nanos, digit| nanos * 10 + i128::from(digit - b'0'));
        if is_negative { -nanos } else { nanos }
    }

    /// The stored form: of two numbers the smaller one has the smaller text.
    pub fn as_stored(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// From the stored form.
    pub fn from_stored(text: &str) -> Option<Self> {
        let stored: [u8; DIGITS + 1] = text.as_bytes().try_into().ok()?;
        (matches!(stored[0], b'0' | b'1') && stored.iter().all(u8::is_ascii_digit)).then_some(Self(stored))
    }
}

/// Whether every program that computes with 53 binary digits reads and writes it as it is.
fn has_few_digits(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '0', '.']).trim_end_matches('0');
    digits.bytes().filter(u8::is_ascii_digit).count() <= WHOLE
}

fn turn(stored: &mut [u8; DIGITS + 1]) {
    stored[1..].iter_mut().for_each(|digit| *digit = b'0' + b'9' - *digit);
}

impl Default for Decimal {
    /// Nothing.
    fn default() -> Self {
        let mut stored = [b'0'; DIGITS + 1];
        stored[0] = b'1';
        Self(stored)
    }
}

/// A sum of numbers in billionths, which may have more digits than each of them, as people write it.
pub fn nanos_to_text(nanos: i128) -> String {
    let (whole, parts) = (nanos.unsigned_abs() / 1_000_000_000, nanos.unsigned_abs() % 1_000_000_000);
    let parts = format!("{parts:09}");
    let (sign, parts) = (if nanos < 0 { "-" } else { "" }, parts.trim_end_matches('0'));
    if parts.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{parts}") }
}

/// As people write it: without needless digits.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut stored, is_negative) = (self.0, self.0[0] == b'0');
        if is_negative {
            turn(&mut stored);
        }
        let digits = std::str::from_utf8(&stored[1..]).unwrap_or_default();
        let (whole, parts) = digits.split_at(WHOLE);
        let (whole, parts) = (whole.trim_start_matches('0'), parts.trim_end_matches('0'));
        f.write_str(if is_negative { "-" } else { "" })?;
        f.write_str(if whole.is_empty() { "0" } else { whole })?;
        if parts.is_empty() { Ok(()) } else { write!(f, ".{parts}") }
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for (text, shown) in [
            ("0", "0"),
            ("-0.0", "0"),
            ("20.0", "20"),
            ("007", "7"),
            ("-0.5", "-0.5"),
            ("999999999999999.999999999", "999999999999999.999999999"),
            ("-999999999999999.999999999", "-999999999999999.999999999"),
        ] {
            assert_eq!(decimal(text).to_string(), shown);
        }
        for refused in
            ["", "-", ".5", "1.", "1e3", "+1", " 1", "1,5", "1000000000000000", "0.1234567890", "--1", "1.2.3"]
        {
            assert!(Decimal::parse(refused).is_err(), "{refused:?}");
        }
    }

    #[test]
    fn doubles_are_what_their_programs_meant() {
        for (number, meant) in [
            (0.1 + 0.2, "0.3"),
            (220.0, "220"),
            (-12.5, "-12.5"),
            (1234.56, "1234.56"),
            (123_456_789_012_345.0, "123456789012345"),
            (12_345_678_901_234.5, "12345678901234.5"),
            (999_999.999_999_999, "999999.999999999"),
            (99_999_999_999_999.9, "99999999999999.9"),
            (1.0 / 3.0, "0.333333333"),
            (-0.0, "0"),
            (1e-12, "0"),
        ] {
            assert_eq!(Decimal::from_double(number).unwrap().to_string(), meant, "{number}");
        }
        for refused in [1e15, -1e15, 12_345_678_901_234.56, 123_456_789_012_345.67, f64::MAX, f64::INFINITY, f64::NAN] {
            assert!(Decimal::from_double(refused).is_err(), "{refused}");
        }
        assert_eq!(Decimal::default(), decimal("0"));
    }

    proptest! {
        #[test]
        fn fifteen_digits_come_through_a_double(digits in 0i64..1_000_000_000_000_000, parts in 0usize..10) {
            let text = format!("{digits:015}");
            let text = format!("{}.{}", &text[..15 - parts], &text[15 - parts..]);
            let exact = decimal(text.trim_end_matches('.'));
            prop_assert_eq!(Decimal::from_double(text.parse().unwrap()).unwrap(), exact);
        }

        #[test]
        fn stored_texts_are_in_the_order_of_the_numbers(a in -1_000_000_000_000i64..1_000_000_000_000, b in -2_000i64..2_000) {
            // Nanos, so that every digit after the point is used.
            let text = |nanos: i64| {
                let (whole, parts) = (nanos.unsigned_abs() / 1_000_000_000, nanos.unsigned_abs() % 1_000_000_000);
                format!("{}{whole}.{parts:09}", if nanos < 0 { "-" } else { "" })
            };
            let (x, y) = (decimal(&text(a)), decimal(&text(a + b)));
            prop_assert_eq!(x.as_stored().cmp(y.as_stored()), a.cmp(&(a + b)));
            prop_assert_eq!(x.cmp(&y), a.cmp(&(a + b)));
            prop_assert_eq!(decimal(&x.to_string()), x);
            prop_assert_eq!(Decimal::from_stored(x.as_stored()), Some(x));
            prop_assert_eq!(x.nanos(), i128::from(a));
            prop_assert_eq!(nanos_to_text(x.nanos()), x.to_string());
        }
    }
}
