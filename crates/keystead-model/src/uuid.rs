//! Ids of 36 characters, which the wire contract has beside those of 20.

use std::fmt;

use crate::Invalid;

/// A UUID in its usual form, in lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid([u8; 36]);

impl Uuid {
    /// Reads `01234567-89ab-cdef-0123-456789abcdef` in either case.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let refused = || Invalid::new("must be a UUID");
        let mut id: [u8; 36] = text.as_bytes().try_into().map_err(|_| refused())?;
        id.make_ascii_lowercase();
        let suits = |(place, digit): (usize, &u8)| match place {
            8 | 13 | 18 | 23 => *digit == b'-',
            _ => digit.is_ascii_hexdigit(),
        };
        if id.iter().enumerate().all(suits) { Ok(Self(id)) } else { Err(refused()) }
    }

    /// The 36 characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_is_read() {
        let id = "0123ABCD-89ab-cdef-0123-456789abcdef";
        assert_eq!(Uuid::parse(id).unwrap().as_str(), id.to_lowercase());
        for refused in
            ["", "0123abcd89abcdef0123456789abcdef", "0123abcd-89ab-cdef-0123-456789abcdeg", &format!("{id} ")]
        {
            assert!(Uuid::parse(refused).is_err(), "{refused}");
        }
    }
}
