//! The URL of a PostgreSQL server: what libpq reads in it, as far as it means the same here, and how the connection is
//! encrypted.

use std::{path::Path, sync::OnceLock, time::Duration};

use percent_encoding::percent_decode_str;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{Error, Result, error::postgres_text};

/// PostgreSQL ends connections whose transactions do nothing for so long: a closure that took no longer was not ended for that.
pub(crate) const IDLE_MAX: Duration = Duration::from_secs(2);

/// A server, and how to reach it.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) config: Config,
    pub(crate) tls: MakeRustlsConnect,
}

/// Parameters of libpq that are read here. The driver knows the others that work.
#[derive(Default)]
struct Encryption {
    mode: Option<SslMode>,
    roots: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
}

/// What is told to whoever uses another parameter.
const KNOWN: &str = "sslmode, sslrootcert, sslcert, sslkey, sslnegotiation, host, hostaddr, port, dbname, user, password, \
                     options, application_name, connect_timeout, keepalives, keepalives_idle, keepalives_interval, \
                     keepalives_retries, tcp_user_timeout, target_session_attrs, channel_binding and load_balance_hosts";

/// Whether a URL can be used, as far as that can be told without connecting: what is wrong, to be read after its name.
pub fn check_postgres_url(url: &str) -> std::result::Result<(), String> {
    match Target::parse(url) {
        Ok(_) => Ok(()),
        Err(Error::Refused(problem)) => Err(problem),
        Err(other) => Err(other.to_string()),
    }
}

/// Which database of which server a URL names, for people; no password is in it.
pub fn postgres_place(url: &str) -> String {
    let Ok(Target { config, .. }) = Target::parse(url) else { return "that PostgreSQL database".to_owned() };
    let hosts = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(folder) => folder.display().to_string(),
    });
    let mut servers: Vec<String> = hosts.collect();
    servers.extend(config.get_hostaddrs().iter().filter(|_| config.get_hosts().is_empty()).map(ToString::to_string));
    let ports = config.get_ports();
    for (number, server) in servers.iter_mut().enumerate() {
        let port = ports.get(number).or(ports.first()).copied().unwrap_or(5432);
        *server = format!("{server}:{port}");
    }
    // As PostgreSQL chooses it where none is named.
    let name = config.get_dbname().or(config.get_user()).unwrap_or("postgres");
    format!("the PostgreSQL database {name} on {}", servers.join(", "))
}

impl Target {
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let (encryption, rest) = Encryption::take(url)?;
        let mut config: Config = rest.parse().map_err(|error| {
            let problem = postgres_text(&error);
            Error::Refused(format!("is not readable ({problem}); parameters that work are {KNOWN}"))
        })?;
        config.ssl_mode(encryption.mode.unwrap_or(SslMode::Prefer));
        config.connect_timeout(*config.get_connect_timeout().unwrap_or(&Duration::from_secs(5)));
        if config.get_application_name().is_none() {
            config.application_name("keystead");
        }
        config.keepalives_idle(Duration::from_secs(15));
        config.tcp_user_timeout(Duration::from_secs(10));
        // Statements here are short. Compiling one, which only happens where PostgreSQL knows too little of a table, takes
        // longer than any of them; an operator who thinks otherwise may say so.
        let before = "-c jit=off";
        let ours = format!(
            "-c lock_timeout=2000 -c idle_in_transaction_session_timeout={} -c statement_timeout=15000 \
             -c synchronous_commit=on -c timezone=UTC",
            IDLE_MAX.as_millis()
        );
        config.options(&match config.get_options() {
            Some(theirs) => format!("{before} {theirs} {ours}"),
            None => format!("{before} {ours}"),
        });
        Ok(Self { config, tls: encryption.connector()? })
    }
}

impl Encryption {
    /// Takes what concerns it out of a URL.
    fn take(url: &str) -> Result<(Self, String)> {
        let Some((base, query)) = url.split_once('?') else { return Ok((Self::default(), url.to_owned())) };
        let mut encryption = Self::default();
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "sslmode" => encryption.mode = Some(mode(value)?),
                "sslrootcert" => encryption.roots = Some(decoded(value)),
                "sslcert" => encryption.certificate = Some(decoded(value)),
                "sslkey" => encryption.key = Some(decoded(value)),
                _ => rest.push(pair),
            }
        }
        let separator = if rest.is_empty() { "" } else { "?" };
        Ok((encryption, format!("{base}{separator}{}", rest.join("&"))))
    }

    /// Whatever is encrypted is verified, by the certificates that this machine trusts or those that were named.
    fn connector(&self) -> Result<MakeRustlsConnect> {
        // Once per process; a second call is refused and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let roots = match self.roots.as_deref() {
            None | Some("system") => trusted_here().clone(),
            Some(file) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates("sslrootcert", file)? {
                    roots.add(certificate).map_err(|error| unusable("sslrootcert", file, &error))?;
                }
                roots
            }
        };
        let tls = ClientConfig::builder().with_root_certificates(roots);
        let tls = match (&self.certificate, &self.key) {
            (None, None) => tls.with_no_client_auth(),
            (Some(certificate), Some(key)) => {
                let chain = certificates("sslcert", certificate)?;
                let secret = PrivateKeyDer::from_pem_file(Path::new(key));
                let secret = secret.map_err(|error| unusable("sslkey", key, &error))?;
                tls.with_client_auth_cert(chain, secret).map_err(|error| unusable("sslcert", certificate, &error))?
            }
            _ => return Err(Error::Refused("must have sslcert and sslkey together".to_owned())),
        };
        Ok(MakeRustlsConnect::new(tls))
    }
}

/// The certificates that this machine trusts. Read once, since that takes longer than connecting.
fn trusted_here() -> &'static RootCertStore {
    static TRUSTED: OnceLock<RootCertStore> = OnceLock::new();
    TRUSTED.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        for certificate in rustls_native_certs::load_native_certs().certs {
            let _ = roots.add(certificate);
        }
        roots
    })
}

fn mode(text: &str) -> Result<SslMode> {
    match text {
        "disable" => Ok(SslMode::Disable),
        "prefer" => Ok(SslMode::Prefer),
        // Nothing is encrypted here without being verified.
        "require" | "verify-full" => Ok(SslMode::Require),
        "verify-ca" => Err(Error::Refused(
            "has sslmode=verify-ca, which would trust every name that its CA has signed; use verify-full".to_owned(),
        )),
        _ => Err(Error::Refused(
            "has an unknown sslmode; disable, prefer, require and verify-full work, and the last two are the same"
                .to_owned(),
        )),
    }
}

fn decoded(value: &str) -> String {
    percent_decode_str(value).decode_utf8_lossy().into_owned()
}

fn certificates(parameter: &str, file: &str) -> Result<Vec<CertificateDer<'static>>> {
    let read =
        CertificateDer::pem_file_iter(Path::new(file)).and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>);
    let found = read.map_err(|error| unusable(parameter, file, &error))?;
    if found.is_empty() { Err(unusable(parameter, file, &"there is no certificate in it")) } else { Ok(found) }
}

fn unusable(parameter: &str, file: &str, error: &dyn std::fmt::Display) -> Error {
    Error::Refused(format!("has {parameter}={file}, which cannot be used: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(url: &str) -> String {
        check_postgres_url(url).expect_err(url)
    }

    #[test]
    fn what_libpq_reads_is_read_or_told() {
        for url in [
            "postgres://keystead@db.example/keystead",
            "postgresql://keystead:secret@db.example:6543/keystead?sslmode=disable",
            "postgres://db.example/keystead?sslmode=verify-full&sslrootcert=system",
            "postgres://db.example/keystead?sslmode=require&connect_timeout=3&application_name=mine",
            "postgres:///keystead?host=/var/run/postgresql&sslmode=prefer",
            "postgres://a,b/keystead?target_session_attrs=read-write&load_balance_hosts=random",
        ] {
            assert_eq!(check_postgres_url(url), Ok(()), "{url}");
        }
        assert!(problem("postgres://h/d?sslmode=verify-ca").contains("verify-full"));
        assert!(problem("postgres://h/d?sslmode=allow").contains("require"));
        assert!(problem("postgres://h/d?sslrootcert=/nowhere/ca.pem").contains("/nowhere/ca.pem"));
        assert!(problem("postgres://h/d?sslcert=a.pem").contains("together"));
        let unknown = problem("postgres://h/d?gssencmode=disable");
        assert!(unknown.contains("gssencmode") && unknown.contains("sslmode, sslrootcert"), "{unknown}");
        assert!(!problem("postgres://me:hunter2@h:port/d").contains("hunter2"));
    }

    #[test]
    fn the_modes_mean_what_they_say() {
        let mode = |url: &str| Target::parse(url).unwrap().config.get_ssl_mode();
        assert_eq!(mode("postgres://h/d"), SslMode::Prefer);
        assert_eq!(mode("postgres://h/d?sslmode=verify-full"), SslMode::Require);
        assert_eq!(mode("postgres://h/d?sslmode=disable"), SslMode::Disable);
        let target = Target::parse("postgres://h/d?options=-c%20search_path%3Dmine&connect_timeout=3").unwrap();
        assert!(target.config.get_options().unwrap().starts_with("-c jit=off -c search_path=mine -c lock_timeout"));
        assert_eq!(target.config.get_connect_timeout(), Some(&Duration::from_secs(3)));
        let (encryption, rest) = Encryption::take("postgres://h/d?a=b&sslkey=/etc/my%20key.pem&c=d").unwrap();
        assert_eq!((encryption.key.as_deref(), rest.as_str()), (Some("/etc/my key.pem"), "postgres://h/d?a=b&c=d"));
    }
}
