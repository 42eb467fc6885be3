//! How the text of a setting is read, wherever it stands. What cannot be meant is refused, with what could be.

use std::{
    fmt::Display,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
    str::FromStr,
    time::Duration,
};

use keystead_core::Allowed;

/// The port where none is named.
pub(super) const PORT: u16 = 8080;

/// A number that can be switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// None.
    Off,
    /// The number.
    Of(u32),
}

impl Limit {
    pub(super) fn number(self) -> Option<u32> {
        match self {
            Self::Off => None,
            Self::Of(number) => Some(number),
        }
    }
}

/// `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`; an address without a port is at 8080.
pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    let local =
        |text: &str| if text == "localhost" { Some(IpAddr::V4(Ipv4Addr::LOCALHOST)) } else { text.parse().ok() };
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let named = || {
        let (host, port) = text.rsplit_once(':')?;
        Some(SocketAddr::new(local(host)?, port.parse().ok()?))
    };
    let found = text.parse().ok().or_else(|| Some(SocketAddr::new(local(bare)?, PORT))).or_else(named);
    found.ok_or_else(|| {
        "must be an address of this machine and a port: 127.0.0.1:8080, 0.0.0.0:8080 for all addresses, or localhost:8080"
            .to_owned()
    })
}

/// `true` and `false`, and the other words that people use for them.
pub(super) fn flag(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("must be true or false".to_owned()),
    }
}

/// A number of requests, or `off`.
pub(super) fn rate(text: &str) -> Result<Limit, String> {
    limit(text).ok_or_else(|| "must be a number of requests per 10 seconds, from 1 on, or off".to_owned())
}

/// A number of requests in a day, or `off`.
pub(super) fn daily_rate(text: &str) -> Result<Limit, String> {
    limit(text).ok_or_else(|| "must be a number of requests per day, from 1 on, or off".to_owned())
}

/// A number of days, or `off`.
pub(super) fn days(text: &str) -> Result<Limit, String> {
    limit(text).ok_or_else(|| "must be a number of days, from 1 on, or off".to_owned())
}

/// How long after each try the next one is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retries(pub Vec<Duration>);

/// Units of how long something takes, the longest first, in milliseconds.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
/// Most tries after the first, and the longest wait between two.
const MOST_RETRIES: usize = 100;
const LONGEST_WAIT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// `5s,5m,2h`, or `off`.
pub(super) fn retries(text: &str) -> Result<Retries, String> {
    if text.trim().eq_ignore_ascii_case("off") {
        return Ok(Retries(Vec::new()));
    }
    let waits: Option<Vec<Duration>> = text.split(',').map(wait).collect();
    let waits = waits.filter(|waits| waits.len() <= MOST_RETRIES);
    waits.map(Retries).ok_or_else(|| {
        "must be waits with their unit (ms, s, m, h), separated by commas: 5s,5m,2h, each of 7 days at most; or off"
            .to_owned()
    })
}

fn wait(text: &str) -> Option<Duration> {
    let text = text.trim();
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit);
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let wait = Duration::from_millis(number.parse::<u64>().ok()?.checked_mul(*factor)?);
    Some(wait).filter(|wait| *wait <= LONGEST_WAIT)
}

/// Waits as [`retries`] reads them.
pub(super) fn retries_text(waits: &[Duration]) -> String {
    let text = |wait: &Duration| {
        let length = wait.as_millis() as u64;
        let (unit, factor) = UNITS.iter().find(|(_, factor)| length.is_multiple_of(*factor)).unwrap_or(&("ms", 1));
        format!("{}{unit}", length / factor)
    };
    if waits.is_empty() { "off".to_owned() } else { waits.iter().map(text).collect::<Vec<_>>().join(",") }
}

/// Addresses and ranges, separated by commas.
pub(super) fn addresses(text: &str) -> Result<Allowed, String> {
    Allowed::parse(text)
        .map_err(|_| "must be addresses or ranges, separated by commas: 127.0.0.1/32,10.1.0.0/16".to_owned())
}

fn limit(text: &str) -> Option<Limit> {
    match text.trim().to_ascii_lowercase().as_str() {
        "off" | "false" | "no" | "none" => Some(Limit::Off),
        number => count(number).ok().map(Limit::Of),
    }
}

/// A number from 1 on; `2_000_000` is one.
pub(super) fn count<T: FromStr + PartialOrd + From<u8> + Display>(text: &str) -> Result<T, String> {
    let number = text.trim().replace('_', "").parse::<T>().ok();
    number.filter(|number| *number >= T::from(1)).ok_or_else(|| "must be a number, from 1 on".to_owned())
}

/// A number of seconds in a range.
pub(super) fn seconds(text: &str, range: RangeInclusive<u64>) -> Result<u64, String> {
    let number = text.trim().parse().ok().filter(|seconds| range.contains(seconds));
    number.ok_or_else(|| format!("must be {} to {} seconds", range.start(), range.end()))
}

pub(super) fn level(text: &str) -> Result<tracing::Level, String> {
    let text = text.trim();
    // Numbers are levels to the parser, and to nobody else.
    let is_word = text.chars().all(|letter| letter.is_ascii_alphabetic());
    text.parse().ok().filter(|_| is_word).ok_or_else(|| "must be error, warn, info, debug or trace".to_owned())
}

pub(super) fn public_url(text: &str) -> Result<String, String> {
    let url = text.trim().trim_end_matches('/');
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']) => Ok(url.to_owned()),
        _ => Err("must be an origin that begins with https:// or http://, such as https://crm.example.com".to_owned()),
    }
}

pub(super) fn database_url(text: &str) -> Result<String, String> {
    let text = text.trim();
    if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
        return Err("must begin with postgres://; without it the data is in SQLite, in the data directory".to_owned());
    }
    keystead_store::check_postgres_url(text).map(|()| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_read() {
        for (text, read) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("0.0.0.0", "0.0.0.0:8080"),
            ("localhost:8080", "127.0.0.1:8080"),
            ("localhost", "127.0.0.1:8080"),
            (" 10.0.0.1:80 ", "10.0.0.1:80"),
            ("::", "[::]:8080"),
            ("[::1]", "[::1]:8080"),
            ("[::1]:9000", "[::1]:9000"),
        ] {
            assert_eq!(listen(text).unwrap().to_string(), read, "{text}");
        }
        for bad in ["", "8080", ":8080", "crm.example.com:80", "127.0.0.1:99999", "127.0.0.1:-5", "http://0.0.0.0"] {
            assert!(listen(bad).is_err(), "{bad}");
        }
        for (text, read) in [("1", true), ("0", false), ("true", true), ("FALSE", false), ("yes", true), ("off", false)]
        {
            assert_eq!(flag(text), Ok(read), "{text}");
        }
        assert!(flag("2").is_err() && flag("").is_err());
        assert_eq!(
            (rate("500"), rate("off"), rate("1_000")),
            (Ok(Limit::Of(500)), Ok(Limit::Off), Ok(Limit::Of(1000)))
        );
        for bad in ["0", "-5", "many", "1.5", "", "99999999999"] {
            assert!(rate(bad).is_err(), "{bad}");
        }
        assert!(count::<i64>("0").is_err() && count::<i64>("-5").is_err() && count::<i64>("7").is_ok());
        assert_eq!(level("WARN"), Ok(tracing::Level::WARN));
        assert!(level("3").is_err() && level("loud").is_err());
        assert_eq!(public_url("https://crm.example.com/").unwrap(), "https://crm.example.com");
        for bad in ["crm.example.com", "https://", "https://a/b", "ftp://a", "https://a b"] {
            assert!(public_url(bad).is_err(), "{bad}");
        }
    }
}
