//! `keystead db …`: moving, backing up and restoring the whole database.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use keystead_core::{App, Clock, Entropy, KeyFilter, KeyQuery};
use keystead_model::KeyId;
use keystead_store::{
    Database, Migrations,
    copy::{Clocks, Copied, copy},
};
use serde_json::{Value, json};

use super::output;
use crate::{config::Config, data_dir::DirectoryLock, failure::Failure, instance};

#[derive(Subcommand)]
pub(super) enum Db {
    /// Copy a database into an empty one, from SQLite to PostgreSQL or back
    Copy(Copy),
    /// Write the database into a file, also while the server runs
    Backup(Backup),
    /// Bring a backup back; everybody's 90 days begin anew
    Restore(Restore),
    /// Bring the schema up to this release without starting the server
    Migrate,
}

#[derive(Args)]
pub(super) struct Copy {
    /// sqlite:PATH or postgres://…
    #[arg(long, value_name = "DATABASE")]
    from: String,
    /// sqlite:PATH or postgres://…; must be empty
    #[arg(long, value_name = "DATABASE")]
    to: String,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct Backup {
    /// The file to write; it must not exist
    file: PathBuf,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct Restore {
    /// The backup
    file: PathBuf,
    /// The server's JSON log since the backup: keys that were ended since are ended again
    #[arg(long, value_name = "LOG")]
    revocations: Option<PathBuf>,
    /// Put aside the SQLite database that is there
    #[arg(long)]
    replace: bool,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

impl Db {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        match self {
            Self::Copy(copy) => copy.run().await,
            Self::Backup(backup) => backup.run(config).await,
            Self::Restore(restore) => restore.run(config).await,
            Self::Migrate => {
                let found = instance::upgrade(config, &Clock::System).await?;
                let known = Migrations::known();
                let what = if found == known { "had already".to_owned() } else { format!("had {found} and now has") };
                println!("The schema {what} version {known}, that of this release.");
                Ok(())
            }
        }
    }
}

fn database(option: &str, text: &str) -> Result<Database, Failure> {
    match text.split_once(':') {
        Some(("sqlite", path)) => Ok(Database::Sqlite(path.trim_start_matches("//").into())),
        Some(("postgres" | "postgresql", _)) => Ok(Database::Postgres(text.to_owned())),
        _ => Err(Failure::new(format!("{option} must be sqlite:PATH or postgres://…"))),
    }
}

/// Copies on a thread of its own, with a progress bar.
async fn copied(from: Database, to: Database, clocks: Clocks) -> Result<Copied, Failure> {
    let work = move || {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}: {pos} rows") {
            bar.set_style(style);
        }
        let done = copy(&from, &to, &clocks, Clock::System.now(), |table, rows| {
            bar.set_message(table);
            bar.set_position(rows);
        });
        bar.finish_and_clear();
        done
    };
    // A PostgreSQL client may not live on a thread that drives a runtime.
    let thread = std::thread::Builder::new().name("copy".to_owned()).spawn(work);
    let thread = thread.map_err(|error| Failure::new(format!("no thread: {error}")))?;
    let done = tokio::task::spawn_blocking(move || thread.join()).await;
    match done {
        Ok(Ok(Ok(copied))) => Ok(copied),
        Ok(Ok(Err(error))) => Err(Failure::new(error.to_string())),
        _ => Err(Failure::new("the copy broke off; nothing of it was kept")),
    }
}

fn restarted() -> Clocks {
    let id = Entropy::System.id::<Copied>(Clock::System.now());
    Clocks::Restart { incarnation: id.to_string() }
}

fn show(json: bool, copied: &Copied, more: &Value) {
    if json {
        let tables: serde_json::Map<String, Value> =
            copied.tables.iter().map(|(table, rows)| ((*table).to_owned(), json!(rows))).collect();
        let mut answer = json!({"rows": copied.rows(), "tables": tables});
        if let (Some(answer), Value::Object(more)) = (answer.as_object_mut(), more) {
            answer.extend(more.clone());
        }
        output::json(&answer);
    } else {
        println!("{} rows of {} tables, read back and compared.", copied.rows(), copied.tables.len());
    }
}

const SECRET: &str = "Keep the instance-secret with it: without that file every key in it is refused.";

impl Copy {
    async fn run(self) -> Result<(), Failure> {
        let (from, to) = (database("--from", &self.from)?, database("--to", &self.to)?);
        let copied = copied(from, to, restarted()).await?;
        show(self.json, &copied, &json!({}));
        if !self.json {
            println!("{SECRET} In the copy everybody's 90 days begin anew, and nobody is signed in.");
        }
        Ok(())
    }
}

impl Backup {
    async fn run(self, config: &Config) -> Result<(), Failure> {
        let file = &self.file;
        if file.exists() {
            return Err(Failure::new(format!("{} exists; name a new file", file.display())));
        }
        instance::find_current(config).await?;
        // Whole or not at all, whenever it is looked at.
        let part = file.with_extension("part");
        let _ = fs::remove_file(&part);
        let done = copied(config.database.clone(), Database::Sqlite(part.clone()), Clocks::Keep).await;
        for rest in ["part-wal", "part-shm"] {
            let _ = fs::remove_file(file.with_extension(rest));
        }
        if done.is_err() {
            let _ = fs::remove_file(&part);
        }
        let copied = done?;
        let finish = || -> std::io::Result<()> {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&part, fs::Permissions::from_mode(0o600))?;
            fs::File::open(&part)?.sync_all()?;
            fs::rename(&part, file)
        };
        finish().map_err(|error| Failure::new(format!("{} cannot be written: {error}", file.display())))?;
        show(self.json, &copied, &json!({"file": file.display().to_string()}));
        if !self.json {
            println!("{SECRET}");
        }
        Ok(())
    }
}

impl Restore {
    async fn run(self, config: &Config) -> Result<(), Failure> {
        let revoked = self.revocations.as_deref().map(read_revocations).transpose()?;
        let lock = match &config.database {
            Database::Sqlite(path) => {
                fs::create_dir_all(&config.data_dir)
                    .map_err(|error| Failure::new(format!("{}: {error}", config.data_dir.display())))?;
                let lock = DirectoryLock::take(&config.data_dir)?;
                self.put_aside(path)?;
                Some(lock)
            }
            Database::Postgres(_) => None,
        };
        let copied = copied(Database::Sqlite(self.file.clone()), config.database.clone(), restarted()).await?;
        let app = instance::open(config, Clock::System, Entropy::System).await?;
        let outcome = self.finish(&app, &copied, revoked).await;
        app.close().await?;
        drop(lock);
        outcome
    }

    fn put_aside(&self, path: &Path) -> Result<(), Failure> {
        if !path.exists() {
            return Ok(());
        }
        if !self.replace {
            return Err(Failure::new(format!(
                "{} is there already; --replace puts it aside and restores the backup in its place",
                path.display()
            )));
        }
        let aside = format!("before-restore-{}", Clock::System.now().0);
        for ending in ["", "-wal", "-shm"] {
            let from = PathBuf::from(format!("{}{ending}", path.display()));
            if from.exists() {
                fs::rename(&from, format!("{}.{aside}{ending}", path.display()))
                    .map_err(|error| Failure::new(format!("{} cannot be put aside: {error}", from.display())))?;
            }
        }
        Ok(())
    }

    async fn finish(&self, app: &App, copied: &Copied, revoked: Option<Vec<(KeyId, i64)>>) -> Result<(), Failure> {
        let reapply = revoked.is_some();
        let ended = app.reapply_revocations(revoked.unwrap_or_default()).await?;
        let mut review = Vec::new();
        if !reapply {
            for agency in app.list_agencies().await? {
                let operator = app.operator_in(agency.id).await?;
                let filter = KeyFilter { active: Some(true), ..KeyFilter::default() };
                let query = KeyQuery { filter, after: None, limit: 10_000 };
                let (keys, _) = app.list_keys(operator.authority(), query).await?;
                review.extend(keys.into_iter().map(|key| (key.masked(), key.name.to_string())));
            }
        }
        let listed: Vec<&String> = review.iter().map(|(masked, _)| masked).collect();
        show(self.json, copied, &json!({"ended": ended, "toReview": listed}));
        if !self.json {
            println!("Everybody's 90 days begin anew, and nobody is signed in.");
            if reapply {
                println!("{} keys that were ended after the backup are ended again.", ended.len());
            } else {
                println!(
                    "Without --revocations nobody knows which keys were ended after the backup. Active in it were:"
                );
                for (masked, name) in review {
                    println!("  {masked}  {name}");
                }
            }
        }
        Ok(())
    }
}

/// The keys that a log says were ended, with the number of the change.
fn read_revocations(path: &Path) -> Result<Vec<(KeyId, i64)>, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::new(format!("{} cannot be read: {error}", path.display())))?;
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let line: Value = serde_json::from_str(line).map_err(|_| {
            Failure::new(format!("line {} of {} is no line of the server's log", index + 1, path.display()))
        })?;
        if line["message"] != "authority was ended" {
            continue;
        }
        let key = line["key"].as_str().and_then(KeyId::parse);
        if let (Some(key), Some(sequence)) = (key, line["sequence"].as_i64()) {
            found.push((key, sequence));
        }
    }
    Ok(found)
}
