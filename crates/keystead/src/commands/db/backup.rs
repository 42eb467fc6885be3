//! `keystead db backup` and `keystead db verify`.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use keystead_core::{Clock, InstanceSecret, adopt};
use keystead_store::backup::{self, Checked};
use serde_json::json;

use super::{
    super::output::{self, say},
    SECRET, rows, show, working,
};
use crate::{config::Config, failure::Failure, instance, secret_file};

#[derive(Args)]
pub(in super::super) struct Backup {
    /// The file to write; it must not exist
    file: PathBuf,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

impl Backup {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        let file = &self.file;
        if file.exists() {
            return Err(Failure::new(format!("{} exists; name a new file", file.display())));
        }
        instance::find_current(config).await?;
        // Whole or not at all, whenever it is looked at.
        let part = beside(file, ".part");
        let remove = |part: &Path| instance::files_of(part).iter().for_each(|file| drop(fs::remove_file(file)));
        remove(&part);
        let (from, to) = (config.database.clone(), part.clone());
        let done = working("rows", move |bar| backup::write(&from, &to, Clock::System.now(), rows(bar))).await;
        let (copied, manifest) = done.inspect_err(|_| remove(&part))?;
        if is_within(file, &config.data_dir) {
            adopt(&part);
        }
        publish(&part, file).map_err(|error| Failure::new(format!("{} cannot be written: {error}", file.display())))?;
        show(self.json, &copied, &json!({"file": file.display().to_string(), "manifest": manifest.to_json()}));
        if !self.json {
            say!("{SECRET}");
        }
        Ok(())
    }
}

/// The same name with something behind it.
pub(super) fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(ending);
    name.into()
}

/// Whether a file lies in the data directory, where everything belongs to the owner of that.
fn is_within(file: &Path, data_dir: &Path) -> bool {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (folder.canonicalize(), data_dir.canonicalize()) {
        (Ok(folder), Ok(data_dir)) => folder == data_dir,
        _ => false,
    }
}

/// Gives a file that is on the disk its name, also there.
fn publish(part: &Path, file: &Path) -> std::io::Result<()> {
    fs::rename(part, file)?;
    match file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[derive(Args)]
pub(in super::super) struct Verify {
    /// The backup
    file: PathBuf,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        let checked = look(&self.file).await?;
        // Where there is a secret, whether it is the one that the backup needs.
        let secret = secret_file::read(&config.secret_file).ok().map(|secret| belongs(&secret, &checked).is_ok());
        if self.json {
            let manifest = checked.manifest.as_ref().map(backup::Manifest::to_json);
            output::json(&json!({"schema": checked.schema, "manifest": manifest, "secretMatches": secret}));
        } else {
            self.print(&checked, secret, config);
        }
        match (&checked.manifest, secret) {
            (None, _) => Err(Failure::found("the backup has no checksum: an older release wrote it")),
            (_, Some(false)) => Err(Failure::found("the backup belongs to another instance secret")),
            _ => Ok(()),
        }
    }

    fn print(&self, checked: &Checked, secret: Option<bool>, config: &Config) {
        let file = self.file.display();
        match &checked.manifest {
            Some(manifest) => say!(
                "{file} is whole: {} rows, taken at {} of the instance {} up to change no. {}, by release {} with schema {}.",
                manifest.rows(),
                manifest.taken_at.to_iso(),
                manifest.incarnation,
                manifest.sequence,
                manifest.release,
                manifest.schema
            ),
            None => say!("{file} is readable, schema {}.", checked.schema),
        }
        let secret_file = config.secret_file.display();
        match secret {
            Some(true) => say!("{secret_file} is the secret that it belongs to."),
            Some(false) => say!("{secret_file} is not the secret that it belongs to."),
            None => {
                say!("Without the instance-secret that it belongs to every key in it is refused; none is here.");
            }
        }
    }
}

/// Looks at every byte of a backup.
pub(super) async fn look(file: &Path) -> Result<Checked, Failure> {
    let file = file.to_owned();
    working("bytes", move |bar| {
        bar.set_message("checksum");
        backup::check(&file, |bytes| bar.set_position(bytes))
    })
    .await
}

/// Whether a secret is the one that a backup needs.
pub(super) fn belongs(secret: &InstanceSecret, backup: &Checked) -> Result<(), Failure> {
    let checked = secret.check(&backup.fingerprints, &backup.secret_versions);
    checked.map_err(|error| Failure::new(error.to_string()))
}
