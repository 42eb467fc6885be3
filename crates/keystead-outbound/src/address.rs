//! Which addresses the machine may call for somebody else.
//!
//! Whoever names a URL is not trusted with the network that the server stands in. So only addresses of the public Internet are
//! called, and what the operator allows.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use keystead_model::{Invalid, ip_range::IpRanges};

/// Addresses that the operator opened: on every port, and without encryption.
#[derive(Clone, Debug, Default)]
pub struct Allowed(IpRanges);

impl Allowed {
    /// Reads `127.0.0.1/32,10.1.0.0/16`; nothing allows nothing.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        IpRanges::parse(text.split(',')).map(Self)
    }

    /// Whether nothing was opened.
    pub fn is_empty(&self) -> bool {
        // A list of a key that is empty is open; this one is not.
        self.0.is_open()
    }

    /// Whether this address was opened. One that leads to a v4 address counts as that as well.
    pub fn has(&self, address: IpAddr) -> bool {
        let opens = |address| !self.is_empty() && self.0.allows(address);
        opens(address) || opens(led_to(address))
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_texts().join(","))
    }
}

/// Blocks of IPv4 that are not of the public Internet (IANA's registry of special-purpose addresses), and what clouds keep
/// within public space for their machines alone.
const CLOSED_V4: &[([u8; 4], u32)] = &[
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    // Link-local, where clouds answer with credentials.
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    // Multicast, reserved, broadcast.
    ([224, 0, 0, 0], 3),
    // Azure's host agent.
    ([168, 63, 129, 16], 32),
];

/// Within `2000::/3`, which is all that IPv6 has of the public Internet: IETF's own (Teredo and others), 6to4, documentation.
const CLOSED_V6: &[([u16; 2], u32)] =
    &[([0x2001, 0], 23), ([0x2002, 0], 16), ([0x2001, 0x0db8], 32), ([0x3fff, 0], 20)];

/// Whether an address is of the public Internet. One that leads to a v4 address is judged by that.
pub fn is_public(address: IpAddr) -> bool {
    match led_to(address) {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// The v4 address that a v6 address stands for: mapped (`::ffff:0:0/96`), or by NAT64 (`64:ff9b::/96`).
fn led_to(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            IpAddr::V4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
        }
        _ => address,
    }
}

fn is_within(address: u32, block: u32, length: u32) -> bool {
    (address ^ block).checked_shr(32 - length).unwrap_or(0) == 0
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let is_closed = |(block, length): &([u8; 4], u32)| is_within(address.into(), u32::from_be_bytes(*block), *length);
    !CLOSED_V4.iter().any(is_closed)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let head = u32::from(segments[0]) << 16 | u32::from(segments[1]);
    let is_closed = |([first, second], length): &([u16; 2], u32)| {
        is_within(head, u32::from(*first) << 16 | u32::from(*second), *length)
    };
    // ISATAP: a v4 address behind a marked interface id.
    let is_isatap = segments[4] & 0xfdff == 0 && segments[5] == 0x5efe;
    is_within(head, 0x2000_0000, 3) && !is_isatap && !CLOSED_V6.iter().any(is_closed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn blocks_end_where_they_end() {
        for public in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "168.63.129.15",
            "168.63.129.17",
            "2001:200::",
            "2003::",
            "2000::",
            "3ffe::",
            "3fff:1000::",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(address(public)), "{public}");
        }
        for closed in [
            "0.0.0.0",
            "10.255.255.255",
            "100.127.255.255",
            "127.255.255.255",
            "169.254.0.0",
            "172.31.255.255",
            "192.0.0.192",
            "198.19.255.255",
            "224.0.0.0",
            "255.255.255.255",
            "168.63.129.16",
            "2001:1ff::",
            "2002::",
            "3fff:fff::",
            "4000::",
            "1fff::",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::808:808",
            "2606:4700::200:5efe:808:808",
        ] {
            assert!(!is_public(address(closed)), "{closed}");
        }
    }

    #[test]
    fn what_is_allowed_is_what_was_named() {
        let allowed = Allowed::parse("127.0.0.1/32, 10.1.0.0/16").unwrap();
        for opened in ["127.0.0.1", "10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203"] {
            assert!(allowed.has(address(opened)), "{opened}");
        }
        for closed in ["127.0.0.2", "10.2.0.1", "::1", "8.8.8.8"] {
            assert!(!allowed.has(address(closed)), "{closed}");
        }
        let nothing = Allowed::parse("").unwrap();
        assert!(nothing.is_empty() && !nothing.has(address("127.0.0.1")));
        assert!(Allowed::parse("10.1.0.0/33").is_err());
    }
}
