//! Asking DNS, apart from the threads that the rest of the server works with.
//!
//! The operating system's way blocks a thread for each question, so whoever owns a slow zone could take them all.

use std::{net::IpAddr, time::Duration};

use hickory_resolver::{
    ResolverBuilder, TokioResolver, config::LookupIpStrategy, net::runtime::TokioRuntimeProvider, proto::rr::Name,
};
use tokio::sync::Semaphore;

use crate::client::Failure;

/// Questions at a time; more wait for their turn, within their own time.
const AT_ONCE: usize = 128;
/// Answers are believed for no longer than this, whatever they say of themselves.
const BELIEVED: Duration = Duration::from_secs(60);
/// Names whose answers are kept.
const KEPT: u64 = 4096;

/// Asks the name servers of this machine.
pub(crate) struct Resolver {
    dns: TokioResolver,
    places: Semaphore,
}

impl Resolver {
    /// One that asks whom the machine asks.
    pub(crate) fn of_this_machine() -> Result<Self, String> {
        let builder = TokioResolver::builder_tokio();
        Self::new(builder.map_err(|error| format!("the name servers of this machine are not to be found: {error}"))?)
    }

    pub(crate) fn new(mut builder: ResolverBuilder<TokioRuntimeProvider>) -> Result<Self, String> {
        let options = builder.options_mut();
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        options.positive_max_ttl = Some(BELIEVED);
        options.negative_max_ttl = Some(BELIEVED);
        options.cache_size = KEPT;
        let dns = builder.build().map_err(|error| format!("DNS cannot be asked: {error}"))?;
        Ok(Self { dns, places: Semaphore::new(AT_ONCE) })
    }

    /// Every address of a full name, those of IPv4 first: a machine without IPv6 is commoner than one without IPv4.
    pub(crate) async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, Failure> {
        let unknown = || Failure::Unknown(name.to_owned());
        let mut asked = Name::from_ascii(name).map_err(|_| unknown())?;
        // As it stands, without the domains that the machine searches.
        asked.set_fqdn(true);
        let _place = self.places.acquire().await.map_err(|_| unknown())?;
        let found = self.dns.lookup_ip(asked).await.map_err(|_| unknown())?;
        let mut addresses: Vec<IpAddr> = found.iter().collect();
        addresses.sort_by_key(IpAddr::is_ipv6);
        Ok(addresses)
    }
}
