//! Ids of 36 characters, which the wire contract has beside those of 20.

use std::fmt;

use crate::{Invalid, base62, id::Id};

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

    /// From 128 bits, of which 122 stay: version 8 (RFC 9562), where they mean what we like.
    pub fn from_bits(bits: u128) -> Self {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let bits = bits & !(0xf << 76) & !(0x3 << 62) | 0x8 << 76 | 0x2 << 62;
        let mut text = [b'-'; 36];
        let mut shift = 128;
        for (index, slot) in text.iter_mut().enumerate() {
            if !matches!(index, 8 | 13 | 18 | 23) {
                shift -= 4;
                *slot = HEX[(bits >> shift & 0xf) as usize];
            }
        }
        Self(text)
    }

    /// The same as an id, for what the wire contract names by UUIDs: the number that its 20 digits are, in the bits of a UUID that
    /// mean what we like. The order stays, and nothing else has to be stored.
    pub fn of<T>(id: Id<T>) -> Self {
        let number = base62::read_wide(id.as_bytes());
        Self::from_bits(number >> 74 << 80 | (number >> 62 & 0xfff) << 64 | number & LOW)
    }

    /// The id that it was made of; `None` if it was made of none, so that it names nothing.
    pub fn to_id<T>(self) -> Option<Id<T>> {
        let digits: String = self.as_str().chars().filter(|digit| *digit != '-').collect();
        let bits = u128::from_str_radix(&digits, 16).ok()?;
        let id = Id::from_number(bits >> 80 << 74 | (bits >> 64 & 0xfff) << 62 | bits & LOW)?;
        (Self::of(id) == self).then_some(id)
    }

    /// The id that a text names as a UUID.
    pub fn parse_id<T>(text: &str) -> Option<Id<T>> {
        Self::parse(text).ok()?.to_id()
    }

    /// The 36 characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The bits after a UUID's variant.
const LOW: u128 = (1 << 62) - 1;

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
    fn ids_are_uuids_and_uuids_are_ids() {
        let ids = ["00000000000000000000", "0aQ7cXk2Tm9Rb4Vw6Yz1", "0aQ7cXk2Tm9Rb4Vw6Yz2", "zzzzzzzzzzzzzzzzzzzz"];
        let ids = ids.map(|id| Id::<()>::parse(id).unwrap());
        let uuids = ids.map(Uuid::of);
        assert!(uuids.is_sorted(), "{uuids:?}");
        for (id, uuid) in ids.iter().zip(uuids) {
            assert_eq!((uuid.to_id(), Uuid::parse(uuid.as_str())), (Some(*id), Ok(uuid)));
            assert_eq!((&uuid.as_str()[14..15], &uuid.as_str()[19..20] >= "8"), ("8", true), "{uuid}");
        }
        for foreign in ["78559bb3-b920-461e-b010-7b2a2816d2a9", "ffffffff-ffff-8fff-bfff-ffffffffffff"] {
            assert_eq!(Uuid::parse_id::<()>(foreign), None);
        }
        assert_eq!(Uuid::parse_id::<()>("0aQ7cXk2Tm9Rb4Vw6Yz1"), None);
    }

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
