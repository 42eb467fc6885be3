//! `keystead db restore`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use keystead_core::{Clock, Entropy};
use keystead_store::Database;

use super::{
    super::finish,
    copied,
    reapply::{Report, readable},
    restarted, show,
};
use crate::{config::Config, data_dir::DirectoryLock, failure::Failure, instance};

#[derive(Args)]
pub(in super::super) struct Restore {
    /// The backup
    file: PathBuf,
    /// A journal of revocations, a server's log, or a system's journal with such lines in it: what was ended after the
    /// backup is ended again. May be given several times; the journal of the data directory is always read
    #[arg(long, value_name = "FILE")]
    revocations: Vec<PathBuf>,
    /// Deactivate keys of which nobody knows what became of them, instead of listing them for review
    #[arg(long)]
    safe: bool,
    /// Put aside the SQLite database that is there
    #[arg(long)]
    replace: bool,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

/// Lets the database that is about to be put aside tell the journal what it has not told yet: a server that was killed may
/// have ended something in its last moment. A broken one tells nothing; that is what backups are for.
async fn ask(config: &Config) {
    let told = async {
        let app = instance::open(config, Clock::System, Entropy::System).await?;
        finish(app, async |app| Ok(app.keep_journal().await?)).await
    };
    if let Err(failure) = told.await {
        eprintln!("keystead: the database that is put aside cannot be asked what was ended last: {failure}");
    }
}

impl Restore {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        readable(&self.revocations)?;
        let lock = match &config.database {
            Database::Sqlite(path) => {
                fs::create_dir_all(&config.data_dir)
                    .map_err(|error| Failure::new(format!("{}: {error}", config.data_dir.display())))?;
                let lock = DirectoryLock::take(&config.data_dir)?;
                if path.exists() && self.replace {
                    ask(config).await;
                }
                self.put_aside(path)?;
                Some(lock)
            }
            Database::Postgres(_) => None,
        };
        let copied = copied(Database::Sqlite(self.file.clone()), config.database.clone(), restarted()).await?;
        let app = instance::open(config, Clock::System, Entropy::System).await?;
        let report = Report::of_restore(&app, config, self.revocations, self.safe).await;
        app.close().await?;
        drop(lock);
        let report = report?;
        show(self.json, &copied, &report.json());
        if !self.json {
            println!("Everybody's 90 days begin anew, nobody is signed in, and open invitations have ended.");
            report.print();
        }
        match report.to_review() {
            0 => Ok(()),
            keys => Err(Failure::found(format!("{keys} keys are for review"))),
        }
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
}
