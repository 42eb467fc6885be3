//! The journal as a file: only appended to, under a lock that all processes respect, and on the disk before anybody is
//! answered.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::entry::{Line, Position};
use crate::owner::adopt;

/// Where the journal lies.
#[derive(Clone, Debug)]
pub(super) struct JournalFile {
    path: PathBuf,
}

/// What a process knows of the file from its last look: the position holds while nobody else has written.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    file: (u64, u64),
    length: u64,
    /// Up to where it tells everything; `None` if it tells of nothing yet.
    pub(super) position: Option<Position>,
}

/// The file under its lock.
pub(super) struct Held {
    file: File,
    /// A process was killed while it wrote its last line.
    is_torn: bool,
    pub(super) seen: Seen,
}

impl JournalFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the lock, and looks where the journal ends. It is made where it is missing: whoever moves it away begins a
    /// new one.
    pub(super) fn hold(&self, before: &Seen) -> io::Result<Held> {
        let file = loop {
            let mut file = match OpenOptions::new().read(true).append(true).open(&self.path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => self.create()?,
                opened => opened?,
            };
            rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)?;
            // It may have been moved away while somebody else had the lock.
            let here = fs::metadata(&self.path).map(|found| identity(&found));
            if here.is_ok_and(|here| file.metadata().is_ok_and(|ours| identity(&ours) == here)) {
                file.seek(SeekFrom::End(0))?;
                break file;
            }
        };
        let found = file.metadata()?;
        let mut held =
            Held { file, is_torn: false, seen: Seen { file: identity(&found), length: found.len(), position: None } };
        if (held.seen.file, held.seen.length) == (before.file, before.length) && before.position.is_some() {
            held.seen.position.clone_from(&before.position);
        } else {
            held.look()?;
        }
        Ok(held)
    }

    /// Where it ends, for somebody who only looks. What could not be written to is an error, too.
    pub(super) fn look(&self) -> io::Result<Option<Position>> {
        let file = OpenOptions::new().read(true).append(true).open(&self.path)?;
        let length = file.metadata()?.len();
        let mut held = Held { file, is_torn: false, seen: Seen { length, ..Seen::default() } };
        held.look()?;
        Ok(held.seen.position)
    }

    fn create(&self) -> io::Result<File> {
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&self.path)?;
        adopt(&self.path);
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder)?.sync_all()?;
        }
        Ok(file)
    }
}

fn identity(file: &fs::Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

/// Bytes from the end that are looked at first; twice as many each time, where there is no whole entry in them.
const TAIL: u64 = 16 * 1024;

impl Held {
    /// Finds the last entry that is whole.
    fn look(&mut self) -> io::Result<()> {
        let length = self.seen.length;
        let mut tail = TAIL;
        loop {
            let from = length.saturating_sub(tail);
            self.file.seek(SeekFrom::Start(from))?;
            let mut bytes = Vec::new();
            Read::by_ref(&mut self.file).take(length - from).read_to_end(&mut bytes)?;
            self.is_torn = bytes.last().is_some_and(|byte| *byte != b'\n');
            // A line that begins before the piece is looked at with the next, longer one.
            let begin = if from == 0 {
                0
            } else {
                bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1)
            };
            let lines = bytes[begin..].split(|byte| *byte == b'\n').rev();
            self.seen.position =
                lines.filter_map(|line| std::str::from_utf8(line).ok()).find_map(|line| match Line::read(line) {
                    Line::Entry(entry) => entry.end(),
                    _ => None,
                });
            if self.seen.position.is_some() || from == 0 {
                self.file.seek(SeekFrom::End(0))?;
                return Ok(());
            }
            tail *= 2;
        }
    }

    /// Adds lines. They are not safe before [`Held::sync`].
    pub(super) fn append(&mut self, lines: &str) -> io::Result<()> {
        let before = self.seen.length;
        let gap = if std::mem::take(&mut self.is_torn) { "\n" } else { "" };
        let text = format!("{gap}{lines}");
        if let Err(error) = self.file.write_all(text.as_bytes()) {
            // What is left of a line on a full disk would hide the next one.
            let _ = self.file.set_len(before);
            self.is_torn = !gap.is_empty();
            return Err(error);
        }
        self.seen.length += text.len() as u64;
        Ok(())
    }

    /// Waits until it is on the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
