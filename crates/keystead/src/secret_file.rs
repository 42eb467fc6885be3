//! The file of the instance secret: a line for each version, written before it is used.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use keystead_core::{Entropy, InstanceSecret};

use crate::failure::Failure;

/// Reads all versions.
pub(crate) fn read(path: &Path) -> Result<InstanceSecret, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::new(format!("the instance secret {} cannot be read: {error}", path.display())))?;
    InstanceSecret::parse(&zeroize::Zeroizing::new(text))
        .map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}

/// Why nothing goes on without the file that belongs to a database.
pub(crate) fn missing(path: &Path) -> Failure {
    Failure::new(format!(
        "the instance secret {} is missing, and without it every API key would be refused; copy the file instance-secret that belongs to this database there, or name it with KEYSTEAD_SECRET_FILE",
        path.display()
    ))
}

/// A new secret for an empty database: only its owner can read it, and it is on the disk before it is used.
pub(crate) fn create(path: &Path, entropy: &Entropy) -> Result<InstanceSecret, Failure> {
    match append(path, 1, OpenOptions::new().create_new(true).mode(0o600), entropy) {
        // Also where another process was faster: then its secret is the instance's.
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(unwritable(path, &error)),
        _ => {
            keystead_core::adopt(path);
            read(path)
        }
    }
}

/// Adds a version, which everything uses that is made from the next start on. Answers its number.
pub(crate) fn add_version(path: &Path, entropy: &Entropy) -> Result<i64, Failure> {
    let version = read(path)?.current() + 1;
    append(path, version, &mut OpenOptions::new(), entropy).map_err(|error| unwritable(path, &error))?;
    read(path)?;
    Ok(version)
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("the instance secret {} cannot be written: {error}", path.display()))
}

/// Writes a line with 32 random bytes at the end of the file, and waits until it is on the disk.
fn append(path: &Path, version: i64, open: &mut OpenOptions, entropy: &Entropy) -> std::io::Result<()> {
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
