//! Address ranges that a key may be used from.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::{Invalid, text::echo};

/// Most ranges on one key.
pub const MAX_RANGES: usize = 50;

/// A list of CIDR ranges; an empty list allows every address.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct IpRanges(Vec<IpNet>);

impl IpRanges {
    /// Reads `203.0.113.7` or `2001:db8::/32`, one range a text. Host bits beyond the prefix are dropped.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, Invalid> {
        let mut ranges = Vec::new();
        for text in texts.into_iter().map(str::trim).filter(|text| !text.is_empty()) {
            let net = text
                .parse::<IpNet>()
                .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
                .map_err(|_| Invalid::new(format!("has {}, which is no address or CIDR range", echo(text))))?;
            let net = plain(net).trunc();
            if !ranges.contains(&net) {
                ranges.push(net);
            }
        }
        if ranges.len() > MAX_RANGES {
            return Err(Invalid::new(format!("must have at most {MAX_RANGES} ranges")));
        }
        Ok(Self(ranges))
    }

    /// Reads the stored form; what cannot be read makes the whole list unreadable, never an open one.
    pub fn from_stored(text: &str) -> Result<Self, Invalid> {
        Self::parse(text.split(' '))
    }

    /// The stored form: ranges, separated by spaces.
    pub fn to_stored(&self) -> String {
        self.to_texts().join(" ")
    }

    /// One text a range.
    pub fn to_texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    /// Whether a request from `address` is allowed. A v4 address mapped into v6 counts as v4.
    pub fn allows(&self, address: IpAddr) -> bool {
        self.0.is_empty() || self.0.iter().any(|net| net.contains(&address.to_canonical()))
    }

    /// Whether every address that this list allows is allowed by `other` too.
    pub fn is_within(&self, other: &Self) -> bool {
        other.0.is_empty()
            || (!self.0.is_empty() && self.0.iter().all(|net| other.0.iter().any(|outer| outer.contains(net))))
    }

    /// The list that allows what both allow; `None` if that is nothing, since an empty list allows all, or if it would be
    /// longer than a list may be.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        if self.is_open() || other.is_open() {
            return Some(if self.is_open() { other.clone() } else { self.clone() });
        }
        let mut common = Vec::new();
        for net in &self.0 {
            // Two ranges lie within each other or have nothing in common.
            for inner in other.0.iter().filter_map(|theirs| match (theirs.contains(net), net.contains(theirs)) {
                (true, _) => Some(net),
                (_, true) => Some(theirs),
                _ => None,
            }) {
                if !common.contains(inner) {
                    common.push(*inner);
                }
            }
        }
        (1..=MAX_RANGES).contains(&common.len()).then_some(Self(common))
    }

    /// Whether every address is allowed.
    pub fn is_open(&self) -> bool {
        self.0.is_empty()
    }
}

/// `::ffff:192.0.2.0/120` is `192.0.2.0/24`.
fn plain(net: IpNet) -> IpNet {
    match net {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => match v6.addr().to_ipv4_mapped() {
            Some(v4) => ipnet::Ipv4Net::new(v4, v6.prefix_len() - 96).map_or(net, IpNet::V4),
            None => net,
        },
        _ => net,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(texts: &[&str]) -> IpRanges {
        IpRanges::parse(texts.iter().copied()).expect("ranges")
    }

    #[test]
    fn addresses_are_matched_in_both_families() {
        let list = ranges(&["203.0.113.7", "198.51.100.0/24", "2001:db8::/32", "::ffff:192.0.2.0/120"]);
        for allowed in ["203.0.113.7", "198.51.100.200", "2001:db8::1", "::ffff:203.0.113.7", "192.0.2.9"] {
            assert!(list.allows(allowed.parse().unwrap()), "{allowed}");
        }
        for refused in ["203.0.113.8", "198.51.101.1", "2001:db9::1", "::1"] {
            assert!(!list.allows(refused.parse().unwrap()), "{refused}");
        }
        assert!(IpRanges::default().allows("::1".parse().unwrap()));
        assert_eq!(IpRanges::from_stored(&list.to_stored()), Ok(list));
    }

    #[test]
    fn what_two_lists_have_in_common_lies_within_both() {
        let wide = ranges(&["10.0.0.0/8", "2001:db8::/32"]);
        assert_eq!(wide.intersection(&ranges(&["10.1.0.0/16", "192.0.2.1"])), Some(ranges(&["10.1.0.0/16"])));
        assert_eq!(ranges(&["10.1.0.0/16"]).intersection(&wide), Some(ranges(&["10.1.0.0/16"])));
        assert_eq!(wide.intersection(&IpRanges::default()), Some(wide.clone()));
        assert_eq!(IpRanges::default().intersection(&wide), Some(wide.clone()));
        assert_eq!(wide.intersection(&ranges(&["192.0.2.1"])), None, "not an open list");
        let many =
            |net: u8| (0..50).map(move |host| format!("{net}.0.0.{host}")).chain([format!("{}.0.0.0/8", 3 - net)]);
        let lists = [1, 2].map(|net| many(net).skip(1).collect::<Vec<_>>());
        let [one, other] = lists.map(|texts| IpRanges::parse(texts.iter().map(String::as_str)).expect("ranges"));
        assert_eq!(one.intersection(&other), None, "longer than what could be read again");
    }

    #[test]
    fn a_narrower_list_lies_within() {
        let wide = ranges(&["10.0.0.0/8", "2001:db8::/32"]);
        assert!(ranges(&["10.1.0.0/16"]).is_within(&wide));
        assert!(wide.is_within(&IpRanges::default()));
        assert!(!IpRanges::default().is_within(&wide), "any address is more than some");
        assert!(!ranges(&["10.1.0.0/16", "192.168.0.0/16"]).is_within(&wide));
    }
}
