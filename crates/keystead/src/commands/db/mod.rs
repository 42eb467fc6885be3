//! `keystead db …`: moving, backing up and restoring the whole database.

mod backup;
mod reapply;
mod restore;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use keystead_core::{Clock, Entropy};
use keystead_store::{
    Database, Migrations,
    backup::is_backup,
    copy::{Clocks, Copied, copy},
};
use serde_json::{Value, json};

use super::output::{self, say};
use crate::{config::Config, failure::Failure, instance};

#[derive(Subcommand)]
pub(super) enum Db {
    /// Copy a database into an empty one, from SQLite to PostgreSQL or back; backups are restored instead
    Copy(Copy),
    /// Write the database into a file, also while the server runs
    Backup(backup::Backup),
    /// Look whether a backup is whole and can be restored by this release
    Verify(backup::Verify),
    /// Bring a backup back; everybody's 90 days begin anew
    Restore(restore::Restore),
    /// End again what journals say was ended, after a recovery by other means
    Reapply(reapply::Reapply),
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

impl Db {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        match self {
            Self::Copy(copy) => copy.run().await,
            Self::Backup(backup) => backup.run(config).await,
            Self::Verify(verify) => verify.run(config).await,
            Self::Restore(restore) => restore.run(config).await,
            Self::Reapply(reapply) => reapply.run(config).await,
            Self::Migrate => {
                let found = instance::upgrade(config, &Clock::System).await?;
                let known = Migrations::known();
                let what = if found == known { "had already".to_owned() } else { format!("had {found} and now has") };
                say!("The schema {what} version {known}, that of this release.");
                Ok(())
            }
        }
    }
}

fn database(option: &str, text: &str) -> Result<Database, Failure> {
    match text.split_once(':') {
        Some(("sqlite", path)) => Ok(Database::Sqlite(path.trim_start_matches("//").into())),
        Some(("postgres" | "postgresql", _)) => Ok(Database::Postgres(text.to_owned())),
        _ => Err(Failure::usage(format!("{option} must be sqlite:PATH or postgres://…"))),
    }
}

/// Works on a thread of its own, with a progress bar: a PostgreSQL client may not live on a thread that drives a runtime.
async fn working<T: Send + 'static>(
    unit: &'static str,
    work: impl FnOnce(&ProgressBar) -> keystead_store::Result<T> + Send + 'static,
) -> Result<T, Failure> {
    let work = move || {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template(&format!("{{spinner}} {{msg}}: {{pos}} {unit}")) {
            bar.set_style(style);
        }
        let done = work(&bar);
        bar.finish_and_clear();
        done
    };
    let thread = std::thread::Builder::new().name("copy".to_owned()).spawn(work);
    let thread = thread.map_err(|error| Failure::new(format!("no thread: {error}")))?;
    match tokio::task::spawn_blocking(move || thread.join()).await {
        Ok(Ok(Ok(done))) => Ok(done),
        Ok(Ok(Err(keystead_store::Error::Damaged(text)))) => Err(Failure::found(text)),
        Ok(Ok(Err(error))) => Err(Failure::new(error.to_string())),
        _ => Err(Failure::new("the work broke off; nothing of it was kept")),
    }
}

/// Tells the progress bar of rows.
fn rows(bar: &ProgressBar) -> impl FnMut(&str, u64) {
    |table, rows| {
        bar.set_message(table.to_owned());
        bar.set_position(rows);
    }
}

fn restarted() -> Clocks {
    let id = Entropy::System.id::<Copied>(Clock::System.now());
    Clocks::Restart { incarnation: id.to_string() }
}

fn show(json: bool, copied: &Copied, more: &Value) {
    if json {
        let tables: serde_json::Map<String, Value> =
            copied.tables.iter().map(|(table, rows)| (table.clone(), json!(rows))).collect();
        let mut answer = json!({"rows": copied.rows(), "tables": tables});
        if let (Some(answer), Value::Object(more)) = (answer.as_object_mut(), more) {
            answer.extend(more.clone());
        }
        output::json(&answer);
    } else {
        say!("{} rows of {} tables, read back and compared.", copied.rows(), copied.tables.len());
    }
}

/// Whether nothing is sent to webhooks by a copy until somebody lets it go on.
fn is_paused(copied: &Copied) -> bool {
    copied.tables.iter().any(|(table, _)| table == "webhook_endpoints")
}

/// Says so.
fn say_paused(copied: &Copied) {
    if is_paused(copied) {
        say!(
            "Nothing is sent to webhooks yet, since another server may have sent what waits, or send it still: once that is sure, \
             keystead deliveries resume --overdue send, or skip, which keeps it to be recovered."
        );
    }
}

const SECRET: &str = "Keep the instance-secret with it: without that file every key in it is refused.";

impl Copy {
    async fn run(self) -> Result<(), Failure> {
        let (from, to) = (database("--from", &self.from)?, database("--to", &self.to)?);
        if let Database::Sqlite(file) = &from
            && is_backup(file)
        {
            return Err(Failure::new(format!(
                "{} is a backup: bring it back with keystead db restore, which checks it and ends again what was ended after \
                 it (--database-url restores it into PostgreSQL, --data-dir into another directory)",
                file.display()
            )));
        }
        let copied = working("rows", move |bar| copy(&from, &to, &restarted(), Clock::System.now(), rows(bar))).await?;
        show(self.json, &copied, &json!({"deliveriesPaused": is_paused(&copied)}));
        if !self.json {
            say_paused(&copied);
            say!("{SECRET} In the copy everybody's 90 days begin anew, and nobody is signed in.");
            say!(
                "If something was ended since the source was last used, take its revocations.jsonl along, too, or hand it to \
                 keystead db reapply."
            );
        }
        Ok(())
    }
}
