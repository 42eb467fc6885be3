//! Configuration: command line, environment, `keystead.toml`, defaults; the first that names a thing wins.

pub(crate) mod sources;
mod values;

use std::{fmt, net::SocketAddr, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

use clap::Args;
use keystead_core::{Allowed, Limits, RateLimits, WebhookLimits};
use keystead_http::{Connections, Pace, TrustedProxies};
use keystead_store::Database;

pub use self::{
    sources::{Setting, Settings, Source},
    values::{Limit, Retries},
};
use crate::failure::Failure;

/// What can be configured. Every option is also an environment variable and a line of `keystead.toml`.
#[derive(Args, Clone, Default)]
#[command(next_help_heading = "Settings")]
pub struct Options {
    /// Folder of the embedded database and the instance secret
    #[arg(long, global = true, env = "KEYSTEAD_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// PostgreSQL instead of the embedded database: postgres://user:password@host/name
    #[arg(long, global = true, env = "KEYSTEAD_DATABASE_URL", value_name = "URL", hide_env_values = true,
        value_parser = values::database_url)]
    pub database_url: Option<String>,
    /// File of the instance secret, if it is not in the data directory
    #[arg(long, global = true, env = "KEYSTEAD_SECRET_FILE", value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// Address and port to listen on: 127.0.0.1:8080, 0.0.0.0, localhost:8080
    #[arg(long, global = true, env = "KEYSTEAD_LISTEN", value_name = "ADDRESS", value_parser = values::listen)]
    pub listen: Option<SocketAddr>,
    /// How browsers and programs reach the instance, if not by its address: https://crm.example.com
    #[arg(long, global = true, env = "KEYSTEAD_PUBLIC_URL", value_name = "URL", value_parser = values::public_url)]
    pub public_url: Option<String>,
    /// Proxies whose X-Forwarded-For is believed: addresses or ranges, separated by commas
    #[arg(long, global = true, env = "KEYSTEAD_TRUSTED_PROXIES", value_name = "LIST",
        value_parser = TrustedProxies::parse)]
    pub trusted_proxies: Option<TrustedProxies>,
    /// Seconds until a connection that does nothing is closed; behind a load balancer, more than it keeps its own
    #[arg(long, global = true, env = "KEYSTEAD_KEEP_ALIVE", value_name = "SECONDS", allow_negative_numbers = true,
        value_parser = |text: &str| values::seconds(text, 1..=3600))]
    pub keep_alive: Option<u64>,
    /// Seconds to go on serving before the end, not ready any more, so that a load balancer sends nothing new
    #[arg(long, global = true, env = "KEYSTEAD_DRAIN", value_name = "SECONDS", allow_negative_numbers = true,
        value_parser = |text: &str| values::seconds(text, 0..=600))]
    pub drain: Option<u64>,
    /// Connections of one address, or /64 of IPv6, that is no proxy
    #[arg(long, global = true, env = "KEYSTEAD_CONNECTIONS_PER_ADDRESS", value_name = "N",
        allow_negative_numbers = true, value_parser = values::count::<u32>)]
    pub connections_per_address: Option<u32>,
    /// Requests of a key per 10 seconds, or off; forms count answers by rates of their own
    #[arg(long, global = true, env = "KEYSTEAD_RATE_LIMIT", value_name = "N|off", allow_negative_numbers = true,
        value_parser = values::rate)]
    pub rate_limit: Option<Limit>,
    /// Requests of a key per day, or off
    #[arg(long, global = true, env = "KEYSTEAD_DAILY_RATE_LIMIT", value_name = "N|off", allow_negative_numbers = true,
        value_parser = values::daily_rate)]
    pub daily_rate_limit: Option<Limit>,
    /// Keys of an owner that are not deleted
    #[arg(long, global = true, env = "KEYSTEAD_KEYS_PER_OWNER", value_name = "N", allow_negative_numbers = true,
        value_parser = values::count::<i64>)]
    pub keys_per_owner: Option<i64>,
    /// Days for which the audit log tells of changes of data, or off for ever; what concerns keys and members stays
    #[arg(long, global = true, env = "KEYSTEAD_DATA_AUDIT_DAYS", value_name = "N|off", allow_negative_numbers = true,
        value_parser = values::days)]
    pub data_audit_days: Option<Limit>,
    /// When a webhook that took no message is tried again, each time after the try before: 5s,5m,2h; off for one try alone
    #[arg(long, global = true, env = "KEYSTEAD_WEBHOOK_RETRIES", value_name = "LIST|off", value_parser = values::retries)]
    pub webhook_retries: Option<Retries>,
    /// Addresses inside your network that webhooks may lead to, on every port and without encryption: 10.1.0.0/16
    #[arg(long, global = true, env = "KEYSTEAD_WEBHOOK_ALLOW", value_name = "LIST", value_parser = values::addresses)]
    pub webhook_allow: Option<Allowed>,
    /// Bearer token of /metrics; without it there is no such page
    #[arg(long, global = true, env = "KEYSTEAD_METRICS_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub metrics_token: Option<String>,
    /// Mail server: smtp://user:password@host:587?tls=required, or smtps://…; without it mails stay in the outbox
    #[arg(long, global = true, env = "KEYSTEAD_SMTP_URL", value_name = "URL", hide_env_values = true)]
    pub smtp_url: Option<String>,
    /// Address that mails come from
    #[arg(long, global = true, env = "KEYSTEAD_MAIL_FROM", value_name = "ADDRESS")]
    pub mail_from: Option<String>,
    /// Log every request
    #[arg(long, global = true, env = "KEYSTEAD_LOG_REQUESTS", num_args = 0..=1, default_missing_value = "true",
        value_name = "true|false", value_parser = values::flag)]
    pub log_requests: Option<bool>,
    /// What is logged at least: error, warn, info, debug or trace
    #[arg(long, global = true, env = "KEYSTEAD_LOG_LEVEL", value_name = "LEVEL", value_parser = values::level)]
    pub log_level: Option<tracing::Level>,
    /// Writes that may share one commit of the embedded database; for measurements
    #[arg(long, global = true, hide = true, value_name = "N", value_parser = values::count::<usize>)]
    pub commit_batch: Option<usize>,
    /// Requests of programs that are worked on at a time; for measurements
    #[arg(long, global = true, hide = true, value_name = "N", value_parser = values::count::<usize>)]
    pub requests_at_once: Option<usize>,
    /// Configuration file
    #[arg(long, global = true, env = "KEYSTEAD_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// The configuration of an instance.
#[derive(Clone)]
pub struct Config {
    /// Folder of data and secret.
    pub data_dir: PathBuf,
    /// Where the data is.
    pub database: Database,
    /// File of the instance secret.
    pub secret_file: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// How the instance is reached, without a slash at its end, where that was said.
    pub public_url: Option<String>,
    /// Believed proxies.
    pub proxies: TrustedProxies,
    /// Limits of connections, and how long clients may take.
    pub connections: Connections,
    /// How long to go on serving before the end.
    pub drain: Duration,
    /// Limits.
    pub limits: Limits,
    /// Token of `/metrics`.
    pub metrics_token: Option<String>,
    /// Mail server and sender; `None` leaves mails in the outbox.
    pub smtp: Option<(String, String)>,
    /// Whether to log every request.
    pub log_requests: bool,
    /// What is logged at least.
    pub log_level: tracing::Level,
    /// Writes that may share a commit.
    pub commit_batch: Option<usize>,
    /// Requests of programs that are worked on at a time.
    pub requests_at_once: Option<usize>,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // URL and token may hold secrets.
        f.debug_struct("Config").field("data_dir", &self.data_dir).field("listen", &self.listen).finish_non_exhaustive()
    }
}

impl Config {
    /// Every setting as it is, for people; `None` is none. Nothing secret is in it.
    pub fn shown(&self) -> Vec<(&'static str, Option<String>)> {
        let Self { data_dir, database, secret_file, listen, public_url, proxies, connections, limits, .. } = self;
        let url = match database {
            Database::Sqlite(path) => format!("SQLite in {}", path.display()),
            Database::Postgres(url) => without_password(url),
        };
        let absolute = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.clone());
        let rate = |limit: Option<u32>| limit.map_or_else(|| "off".to_owned(), |limit| limit.to_string());
        let audit = limits.data_audit.map_or_else(|| "off".to_owned(), |kept| (kept.as_secs() / 86_400).to_string());
        let set = |is_set: bool| is_set.then(|| "(set)".to_owned());
        vec![
            ("data_dir", Some(absolute.display().to_string())),
            ("database_url", Some(url)),
            ("secret_file", Some(secret_file.display().to_string())),
            ("listen", Some(listen.to_string())),
            ("public_url", public_url.clone()),
            ("trusted_proxies", (!proxies.is_empty()).then(|| proxies.to_string())),
            ("keep_alive", Some(connections.pace.idle.as_secs().to_string())),
            ("drain", Some(self.drain.as_secs().to_string())),
            ("connections_per_address", Some(connections.per_source.to_string())),
            ("rate_limit", Some(rate(limits.rate.interval))),
            ("daily_rate_limit", Some(rate(limits.rate.daily))),
            ("keys_per_owner", Some(limits.keys_per_owner.to_string())),
            ("data_audit_days", Some(audit)),
            ("webhook_retries", Some(values::retries_text(&limits.webhooks.retries))),
            ("webhook_allow", (!limits.webhooks.allowed.is_empty()).then(|| limits.webhooks.allowed.to_string())),
            ("metrics_token", set(self.metrics_token.is_some())),
            ("smtp_url", self.smtp.as_ref().map(|(url, _)| without_password(url))),
            ("mail_from", self.smtp.as_ref().map(|(_, from)| from.clone())),
            ("log_requests", Some(self.log_requests.to_string())),
            ("log_level", Some(self.log_level.to_string().to_lowercase())),
        ]
    }

    /// Whether there is something in the file of the embedded database.
    pub fn has_database_file(&self) -> bool {
        match &self.database {
            Database::Sqlite(path) => std::fs::metadata(path).is_ok_and(|found| found.len() > 0),
            Database::Postgres(_) => false,
        }
    }

    /// What its operator should know of how it is set up, in sentences.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let mode = std::fs::metadata(&self.secret_file).map(|secret| secret.permissions().mode() & 0o777);
        if mode.is_ok_and(|mode| mode & 0o077 != 0) {
            warnings.push("The file of the instance secret can be read by others. Make it 0600.".to_owned());
        }
        if self.smtp.is_none() {
            let text =
                "No mail server is set (KEYSTEAD_SMTP_URL): notices are in the app only, and mails stay in the outbox.";
            warnings.push(text.to_owned());
        }
        match self.public_url.as_deref() {
            None if self.smtp.is_some() || !self.listen.ip().is_loopback() => warnings.push(
                "No public URL is set (KEYSTEAD_PUBLIC_URL): links lead to the address it listens on.".to_owned(),
            ),
            Some(url) if url.starts_with("http://") => {
                warnings.push("The public URL is not https: sign-ins and keys travel in the clear.".to_owned());
            }
            _ => {}
        }
        if self.public_url.is_some() && self.proxies.is_empty() {
            let text =
                "No proxy is trusted (KEYSTEAD_TRUSTED_PROXIES): behind one, all clients have the proxy's address.";
            warnings.push(text.to_owned());
        }
        warnings
    }
}

/// A URL as it may be shown: with the user, without the password, wherever that stands.
fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = rest.find('/').unwrap_or(rest.len());
    let shown = match rest[..authority].rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((name, _)) => format!("{name}:***@{host}{}", &rest[authority..]),
            None => rest.to_owned(),
        },
        None => rest.to_owned(),
    };
    let pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| match pair.split_once('=') {
            Some((name @ ("password" | "sslpassword"), _)) => format!("{name}=***"),
            _ => pair.to_owned(),
        })
        .collect();
    let separator = if pairs.is_empty() { "" } else { "?" };
    format!("{scheme}://{shown}{separator}{}", pairs.join("&"))
}

impl Options {
    /// Fills in the defaults.
    pub fn resolve(self) -> Result<Config, Failure> {
        let data_dir = self.data_dir.unwrap_or_else(|| PathBuf::from("keystead-data"));
        let defaults = Limits::default();
        let mut connections = Connections::default();
        if let Some(seconds) = self.keep_alive {
            connections.pace = Pace { idle: Duration::from_secs(seconds), ..connections.pace };
        }
        if let Some(count) = self.connections_per_address {
            connections.per_source = count as usize;
        }
        let drain = Duration::from_secs(self.drain.unwrap_or(0));
        connections.last_words = drain.min(Duration::from_secs(1));
        Ok(Config {
            secret_file: self.secret_file.unwrap_or_else(|| data_dir.join("instance-secret")),
            database: match self.database_url {
                Some(url) => Database::Postgres(url),
                None => Database::Sqlite(data_dir.join("keystead.db")),
            },
            listen: self.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], values::PORT))),
            proxies: self.trusted_proxies.unwrap_or_default(),
            connections,
            drain,
            limits: Limits {
                rate: RateLimits {
                    interval: self.rate_limit.map_or(defaults.rate.interval, Limit::number),
                    daily: self.daily_rate_limit.map_or(defaults.rate.daily, Limit::number),
                },
                keys_per_owner: self.keys_per_owner.unwrap_or(defaults.keys_per_owner),
                search: defaults.search,
                data_audit: match self.data_audit_days {
                    Some(Limit::Off) => None,
                    Some(Limit::Of(days)) => Some(Duration::from_secs(u64::from(days) * 86_400)),
                    None => defaults.data_audit,
                },
                webhooks: WebhookLimits {
                    allowed: self.webhook_allow.unwrap_or_default(),
                    retries: self.webhook_retries.map_or(defaults.webhooks.retries, |Retries(waits)| waits),
                },
            },
            smtp: match (self.smtp_url, self.mail_from) {
                (Some(url), Some(from)) => Some((url, from)),
                (Some(_), None) => {
                    return Err(Failure::usage("a mail server needs --mail-from, the address to send from"));
                }
                (None, _) => None,
            },
            metrics_token: self.metrics_token,
            log_requests: self.log_requests.unwrap_or(false),
            log_level: self.log_level.unwrap_or(tracing::Level::INFO),
            commit_batch: self.commit_batch,
            requests_at_once: self.requests_at_once,
            data_dir,
            public_url: self.public_url,
        })
    }
}
