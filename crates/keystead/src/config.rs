//! Configuration: command line, environment, `keystead.toml`, defaults; the first that names a thing wins.

use std::{fmt, net::SocketAddr, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

use clap::Args;
use keystead_core::{Limits, RateLimits};
use keystead_http::{Connections, Pace, TrustedProxies};
use keystead_store::Database;
use serde::Deserialize;

use crate::failure::Failure;

/// What can be configured. Every option is also an environment variable and a line of `keystead.toml`.
#[derive(Args, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Folder of the embedded database and the instance secret
    #[arg(long, global = true, env = "KEYSTEAD_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// PostgreSQL instead of the embedded database: postgres://user:password@host/name
    #[arg(long, global = true, env = "KEYSTEAD_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// File of the instance secret, if it is not in the data directory
    #[arg(long, global = true, env = "KEYSTEAD_SECRET_FILE", value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// Address and port to listen on
    #[arg(long, global = true, env = "KEYSTEAD_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// How browsers and programs reach the instance, if not by its address: https://crm.example.com
    #[arg(long, global = true, env = "KEYSTEAD_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// Proxies whose X-Forwarded-For is believed: addresses or ranges, separated by commas
    #[arg(long, global = true, env = "KEYSTEAD_TRUSTED_PROXIES", value_name = "LIST")]
    pub trusted_proxies: Option<String>,
    /// Seconds until a connection that does nothing is closed; behind a load balancer, more than it keeps its own
    #[arg(long, global = true, env = "KEYSTEAD_KEEP_ALIVE", value_name = "SECONDS")]
    pub keep_alive: Option<u64>,
    /// Connections of one address, or /64 of IPv6, that is no proxy
    #[arg(long, global = true, env = "KEYSTEAD_CONNECTIONS_PER_ADDRESS", value_name = "N")]
    pub connections_per_address: Option<u32>,
    /// Requests of a key per 10 seconds, or off
    #[arg(long, global = true, env = "KEYSTEAD_RATE_LIMIT", value_name = "N|off")]
    pub rate_limit: Option<String>,
    /// Requests of a key per day
    #[arg(long, global = true, env = "KEYSTEAD_DAILY_RATE_LIMIT", value_name = "N")]
    pub daily_rate_limit: Option<u32>,
    /// Keys of an owner that are not deleted
    #[arg(long, global = true, env = "KEYSTEAD_KEYS_PER_OWNER", value_name = "N")]
    pub keys_per_owner: Option<i64>,
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
    #[arg(long, global = true, env = "KEYSTEAD_LOG_REQUESTS", num_args = 0..=1, default_missing_value = "true")]
    pub log_requests: Option<bool>,
    /// Writes that may share one commit of the embedded database; for measurements
    #[arg(long, global = true, hide = true, value_name = "N")]
    pub commit_batch: Option<usize>,
    /// Configuration file
    #[arg(long, global = true, env = "KEYSTEAD_CONFIG", value_name = "FILE")]
    #[serde(skip)]
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
    /// Limits.
    pub limits: Limits,
    /// Token of `/metrics`.
    pub metrics_token: Option<String>,
    /// Mail server and sender; `None` leaves mails in the outbox.
    pub smtp: Option<(String, String)>,
    /// Whether to log every request.
    pub log_requests: bool,
    /// Writes that may share a commit.
    pub commit_batch: Option<usize>,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // URL and token may hold secrets.
        f.debug_struct("Config").field("data_dir", &self.data_dir).field("listen", &self.listen).finish_non_exhaustive()
    }
}

impl Config {
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

/// Reads a list of proxies.
pub fn proxies(text: &str) -> Result<TrustedProxies, Failure> {
    TrustedProxies::parse(text).map_err(|problem| Failure::new(format!("--trusted-proxies: {problem}")))
}

const DEFAULT_FILE: &str = "keystead.toml";

impl Options {
    /// Fills in the file and the defaults.
    pub fn resolve(self) -> Result<Config, Failure> {
        let file = self.read_file()?;
        let data_dir = self.data_dir.or(file.data_dir).unwrap_or_else(|| PathBuf::from("keystead-data"));
        let database = match self.database_url.or(file.database_url) {
            Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => Database::Postgres(url),
            Some(_) => return Err(Failure::new("--database-url must begin with postgres://")),
            None => Database::Sqlite(data_dir.join("keystead.db")),
        };
        let public_url = self.public_url.or(file.public_url).map(|url| url.trim_end_matches('/').to_owned());
        if let Some(url) = &public_url
            && !(url.starts_with("http://") || url.starts_with("https://"))
        {
            return Err(Failure::new("--public-url must begin with https:// or http://"));
        }
        let proxies = self.trusted_proxies.or(file.trusted_proxies).unwrap_or_default();
        let defaults = Limits::default();
        let rate = defaults.rate.unwrap_or(RateLimits { interval: 1_000, daily: 2_000_000 });
        let rate = match self.rate_limit.or(file.rate_limit).as_deref() {
            Some("off") => None,
            Some(number) => Some(RateLimits {
                interval: number
                    .parse()
                    .map_err(|_| Failure::new("--rate-limit must be a number of requests per 10 seconds, or off"))?,
                ..rate
            }),
            None => Some(rate),
        };
        let mut connections = Connections::default();
        if let Some(seconds) = self.keep_alive.or(file.keep_alive) {
            if !(1..=3600).contains(&seconds) {
                return Err(Failure::new("--keep-alive must be 1 to 3600 seconds"));
            }
            connections.pace = Pace { idle: Duration::from_secs(seconds), ..connections.pace };
        }
        if let Some(count) = self.connections_per_address.or(file.connections_per_address) {
            if count == 0 {
                return Err(Failure::new("--connections-per-address must be at least 1"));
            }
            connections.per_source = count as usize;
        }
        let daily = self.daily_rate_limit.or(file.daily_rate_limit);
        Ok(Config {
            secret_file: self.secret_file.or(file.secret_file).unwrap_or_else(|| data_dir.join("instance-secret")),
            listen: self.listen.or(file.listen).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))),
            proxies: self::proxies(&proxies)?,
            connections,
            limits: Limits {
                rate: rate.map(|rate| RateLimits { daily: daily.unwrap_or(rate.daily), ..rate }),
                keys_per_owner: self.keys_per_owner.or(file.keys_per_owner).unwrap_or(defaults.keys_per_owner),
            },
            smtp: match (self.smtp_url.or(file.smtp_url), self.mail_from.or(file.mail_from)) {
                (Some(url), Some(from)) => Some((url, from)),
                (Some(_), None) => {
                    return Err(Failure::new("a mail server needs --mail-from, the address to send from"));
                }
                (None, _) => None,
            },
            metrics_token: self.metrics_token.or(file.metrics_token),
            log_requests: self.log_requests.or(file.log_requests).unwrap_or(false),
            commit_batch: self.commit_batch,
            data_dir,
            database,
            public_url,
        })
    }

    fn read_file(&self) -> Result<Self, Failure> {
        let path = self.config.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
        match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text)
                .map_err(|error| Failure::new(format!("{} is not readable: {}", path.display(), error.message()))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && self.config.is_none() => Ok(Self::default()),
            Err(error) => Err(Failure::new(format!("{} cannot be read: {error}", path.display()))),
        }
    }
}
