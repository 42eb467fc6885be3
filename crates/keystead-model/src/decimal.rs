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

fn turn(stored: &mut [u8; DIGITS + 1]) {
    stored[1..].iter_mut().for_each(|digit| *digit = b'0' + b'9' - *digit);
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

    proptest! {
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
        }
    }
}
