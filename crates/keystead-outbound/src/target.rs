//! What a URL leads to, judged before anything is asked of the network.

use std::net::IpAddr;

use url::{Host, Position, Url};

use crate::address::{Allowed, is_public};

/// Longest URL that is called.
const LONGEST: usize = 2048;
/// The port of https.
pub(crate) const HTTPS: u16 = 443;

/// Names that DNS is never asked for, with all below them: special-use names (RFC 6761 and its registry), and what networks use
/// for themselves.
const SPECIAL: &[&str] = &[
    "localhost",
    "local",
    "localdomain",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "test",
    "invalid",
    "onion",
    "alt",
    "arpa",
    "svc",
    "consul",
    "docker",
];

/// What is said of a name that leads inside, and of one that leads nowhere, so that nobody learns which names there are inside.
pub(crate) const NO_PUBLIC_ADDRESS: &str = "the host of the URL is not known, or has no public address";

/// Why a URL is not called. What is said of it tells nothing about the network that the server stands in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It cannot be read.
    #[error("the URL cannot be read: {0}")]
    Unreadable(#[from] url::ParseError),
    /// It has too many characters.
    #[error("the URL is longer than {LONGEST} characters")]
    TooLong,
    /// It is neither https nor, for an address that the operator allows, http.
    #[error("the URL must begin with https://")]
    Scheme,
    /// It has a name or a password before its host.
    #[error("the URL must not have a user or a password; send them in a header")]
    UserInfo,
    /// Nobody listens at port 0.
    #[error("the URL must not have port 0")]
    NoPort,
    /// Another port than that of https.
    #[error("the URL must not have a port of its own")]
    Port,
    /// A host without a dot, or with nothing before, between or after its dots.
    #[error("the host of the URL must be a full name, like hooks.example.com")]
    NotFull,
    /// A name that has no place in the public Internet.
    #[error("the host of the URL is not a public name")]
    SpecialName,
    /// An address, or a name that leads to one, that is not of the public Internet.
    #[error("{NO_PUBLIC_ADDRESS}")]
    NotPublic,
}

/// Judges URLs and addresses by what the operator allows.
#[derive(Clone, Debug)]
pub struct Guard {
    allowed: Allowed,
    /// The one port, but for addresses that are allowed.
    port: u16,
}

/// Scheme, host and port of a URL; `None` of what is none.
pub fn origin_of(url: &str) -> Option<String> {
    Url::parse(url).ok().map(|url| url.origin().ascii_serialization())
}

impl Guard {
    /// One that opens no more than `allowed`.
    pub fn new(allowed: Allowed) -> Self {
        Self { allowed, port: HTTPS }
    }

    /// One whose public receivers listen elsewhere, so that a test can see who comes.
    #[cfg(test)]
    pub(crate) fn at_port(allowed: Allowed, port: u16) -> Self {
        Self { allowed, port }
    }

    /// Reads a URL as browsers do (WHATWG), and refuses what needs no look at DNS.
    pub fn target(&self, text: &str) -> Result<Target, Refusal> {
        if text.len() > LONGEST {
            return Err(Refusal::TooLong);
        }
        let url = Url::parse(text).map_err(|error| match error {
            url::ParseError::RelativeUrlWithoutBase => Refusal::Scheme,
            error => error.into(),
        })?;
        let is_encrypted = match url.scheme() {
            "https" => true,
            "http" if !self.allowed.is_empty() => false,
            _ => return Err(Refusal::Scheme),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::UserInfo);
        }
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or(Refusal::NoPort)?;
        let is_usual = is_encrypted && port == self.port;
        if !is_usual && self.allowed.is_empty() {
            return Err(Refusal::Port);
        }
        let place = match url.host().ok_or(url::ParseError::EmptyHost)? {
            Host::Domain(name) => Place::Name(full_name(name)?),
            Host::Ipv4(address) => Place::Address(address.into()),
            Host::Ipv6(address) => Place::Address(address.into()),
        };
        let target = Target { url, place, port, is_encrypted, is_usual };
        if let Place::Address(address) = target.place {
            self.judge(&target, address)?;
        }
        Ok(target)
    }

    /// Whether this address may be called for the target.
    pub fn judge(&self, target: &Target, address: IpAddr) -> Result<(), Refusal> {
        match (is_public(address) && target.is_usual) || self.allowed.has(address) {
            true => Ok(()),
            false if is_public(address) && !target.is_encrypted => Err(Refusal::Scheme),
            false if is_public(address) => Err(Refusal::Port),
            false => Err(Refusal::NotPublic),
        }
    }
}

/// Where a target is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// DNS knows; without a dot at its end.
    Name(String),
    /// The URL says so itself.
    Address(IpAddr),
}

/// What a URL leads to, as far as it can be told without a look at DNS.
#[derive(Clone, Debug)]
pub struct Target {
    url: Url,
    pub(crate) place: Place,
    pub(crate) port: u16,
    pub(crate) is_encrypted: bool,
    /// Whether it is https on its port; everything else is for addresses that the operator allows.
    is_usual: bool,
}

impl Target {
    /// Path and query.
    pub(crate) fn path(&self) -> &str {
        &self.url[Position::BeforePath..Position::AfterQuery]
    }

    /// Host, and port where it is not the usual one, as the header has them.
    pub(crate) fn host(&self) -> &str {
        &self.url[Position::BeforeHost..Position::AfterPort]
    }
}

/// A name that DNS may be asked for.
fn full_name(name: &str) -> Result<String, Refusal> {
    // With its dot a name is the same name.
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let Some((_, last)) = name.rsplit_once('.') else { return Err(Refusal::NotFull) };
    if name.split('.').any(str::is_empty) {
        return Err(Refusal::NotFull);
    }
    match SPECIAL.contains(&last) {
        true => Err(Refusal::SpecialName),
        false => Ok(name),
    }
}
