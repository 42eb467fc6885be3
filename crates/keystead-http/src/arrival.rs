//! What is known of a request when it arrives: its id and its client's address.

use std::{
    net::{IpAddr, SocketAddr},
    sync::atomic::{AtomicU64, Ordering},
};

use http::HeaderMap;
use ipnet::IpNet;
use keystead_core::{Entropy, RequestFacts, RequestId};

/// A request that has just arrived.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Its id.
    pub id: RequestId,
    /// The client's address.
    pub address: IpAddr,
    /// Whether it is known to be the client's own, not that of a proxy nobody told us of.
    pub address_is_own: bool,
}

impl Arrival {
    /// What operations need to know.
    pub fn facts<'r>(&self, headers: &'r HeaderMap, endpoint: &'static str) -> RequestFacts<'r> {
        RequestFacts {
            id: self.id,
            address: self.address,
            address_is_own: self.address_is_own,
            user_agent: headers.get(http::header::USER_AGENT).and_then(|value| value.to_str().ok()),
            endpoint,
            origin: None,
        }
    }
}

/// Peers whose `X-Forwarded-For` is believed.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Reads addresses and ranges, separated by commas.
    pub fn parse(text: &str) -> Result<Self, String> {
        let ranges = text.split(',').map(str::trim).filter(|range| !range.is_empty());
        ranges
            .map(|range| {
                range
                    .parse::<IpNet>()
                    .or_else(|_| range.parse::<IpAddr>().map(IpNet::from))
                    .map_err(|_| format!("{range} is no address or CIDR range"))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether nobody is believed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether many clients may come from a peer's address: it is a proxy, or may be one that nobody told us of.
    pub fn may_stand_for_many(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.trusts(peer) || is_inside(peer)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(&address))
    }

    /// The client's address: the peer's, or behind trusted proxies the right-most forwarded one that is not theirs.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> (IpAddr, bool) {
        let peer = peer.to_canonical();
        let mut forwarded = headers.get_all("x-forwarded-for").iter().peekable();
        if forwarded.peek().is_none() {
            return (peer, true);
        }
        if !self.trusts(peer) {
            return (peer, !is_inside(peer));
        }
        let entries: Vec<&str> =
            forwarded.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).collect();
        let mut client = peer;
        for entry in entries.iter().rev() {
            // Whatever stands before an unreadable entry may be made up.
            let Some(address) = parse_forwarded(entry.trim()) else { break };
            client = address;
            if !self.trusts(address) {
                break;
            }
        }
        (client, true)
    }
}

impl std::fmt::Display for TrustedProxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ranges: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&ranges.join(","))
    }
}

/// Proxies write `192.0.2.1`, `192.0.2.1:1234`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:1234`.
fn parse_forwarded(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|entry| entry.strip_suffix(']')).unwrap_or(entry);
    let address = bare.parse::<IpAddr>().ok();
    address.or_else(|| entry.parse::<SocketAddr>().ok().map(|address| address.ip())).map(|ip| ip.to_canonical())
}

/// Loopback and private addresses: where an unconfigured proxy would be.
fn is_inside(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// Makes the arrivals of this process.
pub struct Arrivals {
    proxies: TrustedProxies,
    seed: [u64; 2],
    count: AtomicU64,
}

impl Arrivals {
    /// With random ids that no other process makes.
    pub fn new(proxies: TrustedProxies, entropy: &Entropy) -> Self {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes);
        let (high, low) = bytes.split_at(8);
        let word = |half: &[u8]| half.iter().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
        Self { proxies, seed: [word(high), word(low)], count: AtomicU64::new(0) }
    }

    /// The arrival of one request.
    pub fn arrive(&self, peer: IpAddr, headers: &HeaderMap) -> Arrival {
        let (address, address_is_own) = self.proxies.client(peer, headers);
        // Unique, not secret: a counter, mixed so that ids do not tell how busy the server is.
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let bits = u128::from(mix(self.seed[0] ^ count)) << 64 | u128::from(mix(self.seed[1].wrapping_add(count)));
        Arrival { id: RequestId::from_bits(bits), address, address_is_own }
    }
}

fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &str, peer: &str, forwarded: &[&str]) -> (String, bool) {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let (address, own) = TrustedProxies::parse(trusted).unwrap().client(peer.parse().unwrap(), &headers);
        (address.to_string(), own)
    }

    #[test]
    fn only_trusted_peers_are_believed() {
        assert_eq!(client("", "203.0.113.9", &[]), ("203.0.113.9".into(), true));
        assert_eq!(client("", "203.0.113.9", &["192.0.2.1"]), ("203.0.113.9".into(), true));
        assert_eq!(client("", "127.0.0.1", &["192.0.2.1"]), ("127.0.0.1".into(), false), "an unconfigured proxy");
        assert_eq!(client("127.0.0.1", "127.0.0.1", &["192.0.2.1"]), ("192.0.2.1".into(), true));
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &["6.6.6.6, 192.0.2.1, 10.0.0.7"]), ("192.0.2.1".into(), true));
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &["6.6.6.6", "192.0.2.1:99"]), ("192.0.2.1".into(), true));
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &["192.0.2.1, nonsense"]), ("10.0.0.1".into(), true));
        assert_eq!(client("::1", "::1", &["::ffff:192.0.2.1"]), ("192.0.2.1".into(), true));
        for entry in ["2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:443"] {
            assert_eq!(client("::1", "::1", &[entry]), ("2001:db8::1".into(), true), "{entry}");
        }
        assert!(TrustedProxies::parse("10.0.0.0/8, proxy.local").is_err());
        let many =
            |peer: &str| TrustedProxies::parse("203.0.113.0/24").unwrap().may_stand_for_many(peer.parse().unwrap());
        assert!(many("203.0.113.9") && many("127.0.0.1") && many("10.1.2.3") && many("::ffff:192.168.0.1"));
        assert!(!many("192.0.2.1") && !many("2001:db8::1"));
    }
}
