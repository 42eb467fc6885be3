//! Opening an instance: data directory, database, migrations, instance secret.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use keystead_core::{App, Clock, Entropy, InstanceSecret, Journal, adopt};
use keystead_store::{Database, Migrations, Options, Store, instance};

use crate::{
    config::Config,
    data_dir::{self, DirectoryLock},
    failure::Failure,
    secret_file,
};

/// Opens the instance that is there. Nothing is made and no schema is changed: a mistyped directory must not become a new,
/// empty instance, and a command must not change what a running server of another release works with.
pub async fn open(config: &Config, clock: Clock, entropy: Entropy) -> Result<App, Failure> {
    let store = find_current(config).await?;
    let secret = match config.secret_file.try_exists() {
        Ok(false) => return Err(secret_file::missing(&config.secret_file)),
        // What cannot be looked at is not missing: reading it says why.
        Ok(true) | Err(_) => secret_file::read(&config.secret_file)?,
    };
    open_app(config, store, secret, clock, entropy).await
}

/// Opens a database that is being restored: it is brought back within all journals at once, and told of when that is done.
pub(crate) async fn open_without_journal(config: &Config, clock: Clock, entropy: Entropy) -> Result<App, Failure> {
    let (store, secret) = (find_current(config).await?, secret_file::read(&config.secret_file)?);
    let opened = App::open(store, secret, clock, entropy, config.limits.clone(), None).await;
    opened.map_err(|error| Failure::new(error.to_string()))
}

/// Brings the schema of a database that nobody uses up to this release.
pub(crate) async fn migrate_scratch(config: &Config, clock: &Clock) -> Result<(), Failure> {
    let (store, _) = find(config).await?;
    store.migrations().apply(clock.now()).await.map_err(|error| database(config, &error))?;
    store.close();
    Ok(())
}

/// Brings the schema of the instance that is there up to this release. Answers the version that it had.
pub async fn upgrade(config: &Config, clock: &Clock) -> Result<i64, Failure> {
    let (store, found) = find(config).await?;
    let _lock = match &config.database {
        Database::Sqlite(_) => Some(DirectoryLock::take(&config.data_dir)?),
        Database::Postgres(_) => None,
    };
    migrate(config, &store, clock).await?;
    Ok(found)
}

/// The database of the instance that is there, if it has the schema of this release.
pub(crate) async fn find_current(config: &Config) -> Result<Store, Failure> {
    let (store, found) = find(config).await?;
    match Migrations::known() {
        known if known == found => Ok(store),
        known => Err(Failure::new(format!(
            "the database has schema version {found}, and this release needs {known}; start the server on it, or run \
             keystead db migrate"
        ))),
    }
}

/// The database of the instance that is there, and the version of its schema.
async fn find(config: &Config) -> Result<(Store, i64), Failure> {
    if let Database::Sqlite(path) = &config.database {
        match path.try_exists() {
            // Opening it would make a database of whatever it is.
            Ok(true) if keystead_store::may_be_ours(path) => {}
            Ok(_) => return Err(no_instance(config)),
            Err(error) => return Err(Failure::new(format!("{} cannot be looked at: {error}", path.display()))),
        }
    }
    let store = open_store(config)?;
    match current(config, &store).await? {
        0 => Err(no_instance(config)),
        found => Ok((store, found)),
    }
}

/// Opens the instance, makes whatever is missing in an empty place, and brings the schema up to this release, under the
/// directory's lock: `held`, or one of its own for as long as that takes.
pub async fn make(
    config: &Config,
    clock: Clock,
    entropy: Entropy,
    held: Option<&DirectoryLock>,
) -> Result<App, Failure> {
    data_dir::make(&config.data_dir)?;
    let store = open_store(config)?;
    let _lock = match (&config.database, held) {
        (Database::Sqlite(_), None) => Some(DirectoryLock::take(&config.data_dir)?),
        _ => None,
    };
    migrate(config, &store, &clock).await?;
    if let Database::Sqlite(path) = &config.database {
        for file in files_of(path) {
            adopt(&file);
        }
    }
    let secret = make_secret(config, &store, &entropy).await?;
    open_app(config, store, secret, clock, entropy).await
}

/// Name of the journal of revocations in the data directory.
pub const JOURNAL: &str = "revocations.jsonl";

/// A SQLite database is up to three files.
pub(crate) fn files_of(database: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|ending| PathBuf::from(format!("{}{ending}", database.display())))
}

fn open_store(config: &Config) -> Result<Store, Failure> {
    let defaults = Options::default();
    let options = Options { max_batch: config.commit_batch.unwrap_or(defaults.max_batch), ..defaults };
    Store::open(&config.database, &options).map_err(|error| database(config, &error))
}

async fn open_app(
    config: &Config,
    store: Store,
    secret: InstanceSecret,
    clock: Clock,
    entropy: Entropy,
) -> Result<App, Failure> {
    let journal = Journal::at(config.data_dir.join(JOURNAL));
    let opened = App::open(store, secret, clock, entropy, config.limits.clone(), Some(journal)).await;
    let app = opened.map_err(|error| Failure::new(error.to_string()))?;
    if let Some(url) = &config.public_url {
        app.reached_at(url);
    }
    Ok(app)
}

async fn current(config: &Config, store: &Store) -> Result<i64, Failure> {
    store.migrations().current().await.map_err(|error| database(config, &error))
}

async fn migrate(config: &Config, store: &Store, clock: &Clock) -> Result<(), Failure> {
    let found = current(config, store).await?;
    if found == Migrations::known() {
        return Ok(());
    }
    if found > 0 {
        let copy = config.data_dir.join(format!("keystead-before-schema-{}.db", Migrations::known()));
        let copied = store
            .copy_file(&copy)
            .map_err(|error| Failure::new(format!("the database cannot be copied before its upgrade: {error}")))?;
        if copied {
            adopt(&copy);
            tracing::info!(copy = %copy.display(), "the database was copied before its upgrade");
        }
    }
    store.migrations().apply(clock.now()).await.map_err(|error| database(config, &error))
}

async fn make_secret(config: &Config, store: &Store, entropy: &Entropy) -> Result<InstanceSecret, Failure> {
    let path = &config.secret_file;
    if path.try_exists().unwrap_or(true) {
        return secret_file::read(path);
    }
    let bound = store.read(instance::fingerprints).await.map_err(|error| database(config, &error))?;
    if bound.is_empty() { secret_file::create(path, entropy) } else { Err(secret_file::missing(path)) }
}

fn no_instance(config: &Config) -> Failure {
    let place = match &config.database {
        Database::Sqlite(_) => {
            let folder = std::path::absolute(&config.data_dir).unwrap_or_else(|_| config.data_dir.clone());
            format!("in {}; name its directory with --data-dir", folder.display())
        }
        Database::Postgres(url) => {
            format!("in {}; name another with --database-url", keystead_store::postgres_place(url))
        }
    };
    Failure::new(format!("there is no instance {place}, or make one with keystead init or keystead serve"))
}

fn database(config: &Config, error: &dyn fmt::Display) -> Failure {
    match &config.database {
        Database::Sqlite(path) => Failure::new(format!("{}: {error}", path.display())),
        // The URL may hold a password.
        Database::Postgres(_) => Failure::new(format!("PostgreSQL: {error}")),
    }
}
