//! The folder of an instance: its lock, and to whom the files in it belong.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use keystead_core::adopt;

use crate::failure::Failure;

/// Makes the folder, for its owner alone, if it is not there.
pub(crate) fn make(data_dir: &Path) -> Result<(), Failure> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(data_dir);
    made.map_err(|error| unwritable(data_dir, &error))
}

pub(crate) fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!(
        "the data directory {} cannot be written ({error}); give this user the right to, or name another with --data-dir",
        path.display()
    ))
}

/// Held by the one server of a SQLite directory as long as it lives, and by whoever changes the schema or the file.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the lock; an error if another server has it.
    pub fn take(data_dir: &Path) -> Result<Self, Failure> {
        let path = data_dir.join("lock");
        let opened = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = opened.map_err(|error| unwritable(data_dir, &error))?;
        adopt(&path);
        rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            Failure::new(format!(
                "another server is running on {}; stop it, or give this one another --data-dir",
                data_dir.display()
            ))
        })?;
        Ok(Self { _file: file })
    }
}
