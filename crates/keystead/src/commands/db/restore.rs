//! `keystead db restore`: everything is checked and made before anything is replaced.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::Args;
use keystead_core::{App, Clock, Entropy, adopt};
use keystead_store::{
    Database, Migrations,
    backup::{self, Checked},
    copy::{Copied, copy, copy_backup},
};

use super::{
    super::finish,
    super::output::{note, say},
    backup::{belongs, beside, look},
    is_paused,
    reapply::{Report, readable},
    restarted, rows, say_paused, show, working,
};
use crate::{
    config::Config,
    data_dir::{self, DirectoryLock},
    failure::Failure,
    instance, secret_file,
};

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

impl Restore {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        readable(&self.revocations)?;
        let checked = look(&self.file).await.map_err(Failure::fatal)?;
        match config.secret_file.try_exists() {
            Ok(false) => return Err(secret_file::missing(&config.secret_file)),
            Ok(true) | Err(_) => belongs(&secret_file::read(&config.secret_file)?, &checked)?,
        }
        data_dir::make(&config.data_dir)?;
        let (copied, report) = match &config.database {
            Database::Sqlite(path) => self.restore_file(config, path, &checked).await?,
            Database::Postgres(_) => {
                let copied = self.fill(config, &config.database, &checked).await?;
                let app = instance::open_without_journal(config, Clock::System, Entropy::System).await?;
                (copied, finish(app, async |app| self.bring_back(app, config).await).await?)
            }
        };
        let app = instance::open(config, Clock::System, Entropy::System).await?;
        finish(app, async |app| Ok(app.keep_journal().await?)).await?;
        let mut told = report.json();
        told["deliveriesPaused"] = is_paused(&copied).into();
        show(self.json, &copied, &told);
        if !self.json {
            say_paused(&copied);
            say!("Everybody's 90 days begin anew, nobody is signed in, and open invitations have ended.");
            report.print();
        }
        report.judged()
    }

    /// Makes a whole new file beside the old one, and gives it its name only then.
    async fn restore_file(&self, config: &Config, path: &Path, checked: &Checked) -> Result<(Copied, Report), Failure> {
        let _lock = DirectoryLock::take(&config.data_dir)?;
        let is_there = path.exists();
        if is_there && !self.replace {
            return Err(Failure::new(format!(
                "{} is there already; --replace puts it aside and restores the backup in its place",
                path.display()
            )));
        }
        if is_there {
            ask(config).await;
        }
        let new = Scratch::at(beside(path, ".restoring"));
        let target = Database::Sqlite(new.0.clone());
        let copied = self.fill(config, &target, checked).await?;
        let there = Config { database: target, ..config.clone() };
        let app = instance::open_without_journal(&there, Clock::System, Entropy::System).await?;
        let report = finish(app, async |app| self.bring_back(app, config).await).await?;
        put_in_place(&new.0, path)
            .map_err(|error| Failure::new(format!("{} cannot be replaced: {error}", path.display())))?;
        Ok((copied, report))
    }

    /// Copies the backup into an empty database, brought up to the schema of this release if it is older.
    async fn fill(&self, config: &Config, target: &Database, checked: &Checked) -> Result<Copied, Failure> {
        let (target, manifest) = (target.clone(), checked.manifest.clone());
        if checked.schema == Migrations::known() {
            let file = self.file.clone();
            return working("rows", move |bar| {
                let copied = copy_backup(&file, &target, &restarted(), Clock::System.now(), rows(bar))?;
                match manifest {
                    Some(manifest) if !backup::is_whole(&manifest, &copied) => Err(keystead_store::Error::Damaged(
                        format!("{} was changed while it was restored", file.display()),
                    )),
                    _ => Ok(copied),
                }
            })
            .await
            .map_err(Failure::fatal);
        }
        let older = Scratch::at(config.data_dir.join("older-backup.db"));
        backup::unseal(&self.file, &older.0).map_err(|error| Failure::new(error.to_string()))?;
        let from = Config { database: Database::Sqlite(older.0.clone()), ..config.clone() };
        instance::migrate_scratch(&from, &Clock::System).await?;
        let from = from.database.clone();
        working("rows", move |bar| copy(&from, &target, &restarted(), Clock::System.now(), rows(bar))).await
    }

    async fn bring_back(&self, app: &App, config: &Config) -> Result<Report, Failure> {
        Report::of_restore(app, config, self.revocations.clone(), self.safe).await
    }
}

/// Lets the database that is about to be put aside tell the journal what it has not told yet: a server that was killed may
/// have ended something in its last moment. A broken one tells nothing; that is what backups are for.
async fn ask(config: &Config) {
    let told = async {
        let app = instance::open(config, Clock::System, Entropy::System).await?;
        finish(app, async |app| Ok(app.keep_journal().await?)).await
    };
    if let Err(failure) = told.await {
        note!("keystead: the database that is put aside cannot be asked what was ended last: {failure}");
    }
}

/// A SQLite database that is gone when it is not needed any more, however that ends.
struct Scratch(PathBuf);

impl Scratch {
    fn at(path: PathBuf) -> Self {
        let scratch = Self(path);
        scratch.remove();
        scratch
    }

    fn remove(&self) {
        for file in instance::files_of(&self.0) {
            let _ = fs::remove_file(file);
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Puts the database that is there aside, if there is one, and the new one into its place.
fn put_in_place(new: &Path, path: &Path) -> io::Result<()> {
    let aside = beside(path, &format!(".before-restore-{}", Clock::System.now().0));
    let (old, kept) = (instance::files_of(path), instance::files_of(&aside));
    adopt(new);
    fs::File::open(new)?.sync_all()?;
    for (old, kept) in old.iter().zip(&kept).filter(|(old, _)| old.exists()) {
        fs::rename(old, kept)?;
    }
    let placed = instance::files_of(new).iter().zip(&old).filter(|(new, _)| new.exists()).try_for_each(|(new, old)| {
        adopt(new);
        fs::rename(new, old)
    });
    if let Err(error) = placed {
        // The old one comes back, whole.
        for (old, kept) in old.iter().zip(&kept).filter(|(_, kept)| kept.exists()) {
            let _ = fs::rename(kept, old);
        }
        return Err(error);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()
}
