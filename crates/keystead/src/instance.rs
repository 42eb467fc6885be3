//! Opening an instance: data directory, database, migrations, instance secret.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use keystead_core::{App, Clock, Entropy, InstanceSecret};
use keystead_store::{Database, Options, Store, instance};

use crate::config::Config;

/// A reason to stop, in one line that says what to do.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// From a sentence.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for Failure {}

impl From<keystead_core::Error> for Failure {
    fn from(error: keystead_core::Error) -> Self {
        match error {
            keystead_core::Error::Internal(cause) => Self(cause),
            other => Self(other.to_string()),
        }
    }
}

/// Held by the one server of a SQLite directory, as long as it lives.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the lock; an error if another server has it.
    pub fn take(data_dir: &Path) -> Result<Self, Failure> {
        let path = data_dir.join("lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| unwritable(data_dir, &error))?;
        rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            Failure::new(format!(
                "another server is running on {}; stop it, or give this one another --data-dir",
                data_dir.display()
            ))
        })?;
        Ok(Self { _file: file })
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!(
        "the data directory {} cannot be written ({error}); give this user the right to, or name another with --data-dir",
        path.display()
    ))
}

/// Opens the instance, setting up whatever is missing in an empty one.
pub async fn open(config: &Config, clock: Clock, entropy: Entropy) -> Result<App, Failure> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&config.data_dir)
        .map_err(|error| unwritable(&config.data_dir, &error))?;
    let defaults = Options::default();
    let options = Options { max_batch: config.commit_batch.unwrap_or(defaults.max_batch), ..defaults };
    let store = Store::open(&config.database, &options).map_err(|error| database(config, &error))?;
    let current = store.migrations().current().await.map_err(|error| database(config, &error))?;
    let known = keystead_store::Migrations::known();
    if current > 0 && current < known {
        let copy = config.data_dir.join(format!("keystead-before-schema-{known}.db"));
        let copied = store
            .copy_file(&copy)
            .map_err(|error| Failure::new(format!("the database cannot be copied before its upgrade: {error}")))?;
        if copied {
            tracing::info!(copy = %copy.display(), "the database was copied before its upgrade");
        }
    }
    store.migrations().apply(clock.now()).await.map_err(|error| database(config, &error))?;
    let secret = load_secret(config, &store, &entropy).await?;
    App::open(store, secret, clock, entropy, config.limits).await.map_err(|error| Failure::new(error.to_string()))
}

fn database(config: &Config, error: &dyn fmt::Display) -> Failure {
    match &config.database {
        Database::Sqlite(path) => Failure::new(format!("{}: {error}", path.display())),
        // The URL may hold a password.
        Database::Postgres(_) => Failure::new(format!("PostgreSQL: {error}")),
    }
}

async fn load_secret(config: &Config, store: &Store, entropy: &Entropy) -> Result<InstanceSecret, Failure> {
    let path = &config.secret_file;
    // What cannot be looked at is not missing: reading it says why.
    if path.try_exists().unwrap_or(true) {
        return read_secret(path);
    }
    let bound = store.read(instance::fingerprints).await.map_err(|error| database(config, &error))?;
    if bound.is_empty() {
        return create_secret(path, entropy);
    }
    Err(Failure::new(format!(
        "the instance secret {} is missing, and without it every API key would be refused; copy the file instance-secret that belongs to this database there, or name it with KEYSTEAD_SECRET_FILE",
        path.display()
    )))
}

/// A new secret for an empty database: only its owner can read it, and it is on the disk before it is used.
fn create_secret(path: &Path, entropy: &Entropy) -> Result<InstanceSecret, Failure> {
    match append_secret(path, 1, OpenOptions::new().create_new(true).mode(0o600), entropy) {
        // Also where another process was faster: then its secret is the instance's.
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(unwritable_secret(path, &error)),
        _ => read_secret(path),
    }
}

/// Adds a version to the instance secret, which everything uses that is made from the next start on. Answers its number.
pub fn add_secret_version(path: &Path, entropy: &Entropy) -> Result<i64, Failure> {
    let version = read_secret(path)?.current() + 1;
    append_secret(path, version, &mut OpenOptions::new(), entropy).map_err(|error| unwritable_secret(path, &error))?;
    read_secret(path)?;
    Ok(version)
}

fn read_secret(path: &Path) -> Result<InstanceSecret, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::new(format!("the instance secret {} cannot be read: {error}", path.display())))?;
    InstanceSecret::parse(&zeroize::Zeroizing::new(text))
        .map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}

fn unwritable_secret(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("the instance secret {} cannot be written: {error}", path.display()))
}

/// Writes a line with 32 random bytes at the end of the file, and waits until it is on the disk.
fn append_secret(path: &Path, version: i64, open: &mut OpenOptions, entropy: &Entropy) -> std::io::Result<()> {
    let mut random = zeroize::Zeroizing::new([0; 32]);
    entropy.fill(random.as_mut_slice());
    let line = InstanceSecret::line(version, &random);
    let mut file = open.read(true).append(true).open(path)?;
    // A file that was edited may end without the end of a line.
    let mut text = zeroize::Zeroizing::new(String::new());
    file.read_to_string(&mut text)?;
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    file.write_all(zeroize::Zeroizing::new(format!("{gap}{}", *line)).as_bytes())?;
    file.sync_all()?;
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
