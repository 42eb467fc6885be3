//! A backup: one SQLite file that says at its end what it is, with a checksum over all of it.
//!
//! What stands after the last page is no part of the database, so every SQLite opens the file all the same. The database's
//! header says that this end must be there: without it, the file was cut off.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{BufReader, Read, Seek, SeekFrom, Write},
    path::Path,
};

use keystead_model::UtcMs;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use crate::{
    Database, Error, Migrations, Result, Tx, changes,
    copy::{Clocks, Copied, copy},
    instance::{self, Fingerprint},
    migrations, sqlite,
};

/// In the header of the database: this is a backup that has an end.
const APPLICATION: i32 = i32::from_be_bytes(*b"KsBu");
/// Begins the end.
const MARK: &str = "\nkeystead-backup/1 ";
/// The end is not longer.
const LONGEST_END: u64 = 64 * 1024;
/// Every SQLite file begins so.
const SQLITE: &[u8; 16] = b"SQLite format 3\0";

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The release that wrote it.
    pub release: String,
    /// Version of the schema.
    pub schema: i64,
    /// Names the database that it was taken from.
    pub incarnation: String,
    /// When that instance was made.
    pub instance_since: UtcMs,
    /// The last change in it.
    pub sequence: i64,
    /// When it was taken.
    pub taken_at: UtcMs,
    /// Rows and digest of each table that has rows.
    pub tables: Vec<(String, u64, String)>,
}

impl Manifest {
    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|(_, rows, _)| rows).sum()
    }

    /// As the file has it, and as programs may read it.
    pub fn to_json(&self) -> Json {
        let Self { release, schema, incarnation, instance_since, sequence, taken_at, tables } = self;
        let tables: Map<String, Json> = tables
            .iter()
            .map(|(table, rows, digest)| (table.clone(), json!({"rows": rows, "digest": digest})))
            .collect();
        json!({
            "release": release,
            "schema": schema,
            "incarnation": incarnation,
            "instanceSince": instance_since,
            "sequence": sequence,
            "takenAt": taken_at,
            "rows": self.rows(),
            "tables": tables,
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let fields: Json = serde_json::from_str(text).ok()?;
        let text = |name: &str| fields[name].as_str().map(str::to_owned);
        let instant = |name: &str| UtcMs::read_iso(fields[name].as_str()?);
        Some(Self {
            release: text("release")?,
            schema: fields["schema"].as_i64()?,
            incarnation: text("incarnation")?,
            instance_since: instant("instanceSince")?,
            sequence: fields["sequence"].as_i64()?,
            taken_at: instant("takenAt")?,
            tables: fields["tables"]
                .as_object()?
                .iter()
                .map(|(table, told)| Some((table.clone(), told["rows"].as_u64()?, told["digest"].as_str()?.to_owned())))
                .collect::<Option<_>>()?,
        })
    }
}

/// Writes a backup of a database, also while it is used, into a new file. It blocks, and must run on a thread that drives no
/// async runtime.
pub fn write(from: &Database, file: &Path, now: UtcMs, progress: impl FnMut(&str, u64)) -> Result<(Copied, Manifest)> {
    let copied = copy(from, &Database::Sqlite(file.to_owned()), &Clocks::Keep, now, progress)?;
    let connection = sqlite::open_alone(file, true)?;
    // One file instead of up to three.
    connection.execute_batch(&format!("PRAGMA journal_mode = DELETE; PRAGMA application_id = {APPLICATION}"))?;
    let content = content(&mut Tx::sqlite(&connection))?;
    connection.close().map_err(|(_, error)| error)?;
    let digests = copied.tables.iter().zip(&copied.digests);
    let manifest = Manifest {
        release: env!("CARGO_PKG_VERSION").to_owned(),
        schema: content.schema,
        incarnation: content.incarnation,
        instance_since: content.instance_since,
        sequence: content.sequence,
        taken_at: now,
        tables: digests.map(|((table, rows), (_, digest))| (table.clone(), *rows, digest.clone())).collect(),
    };
    seal(file, &manifest)?;
    Ok((copied, manifest))
}

fn seal(file: &Path, manifest: &Manifest) -> Result<()> {
    let mut end = OpenOptions::new().append(true).open(file).map_err(|error| unreadable(file, &error))?;
    let text = format!("{MARK}{}\n", manifest.to_json());
    end.write_all(text.as_bytes()).and_then(|()| end.sync_all()).map_err(|error| unreadable(file, &error))?;
    let length = end.metadata().map_err(|error| unreadable(file, &error))?.len();
    let digest = digest(file, length, &mut |_| {})?;
    let sealed = end.write_all(format!("{digest}\n").as_bytes()).and_then(|()| end.sync_all());
    sealed.map_err(|error| unreadable(file, &error))
}

/// A backup that was looked at.
#[derive(Clone, Debug)]
pub struct Checked {
    /// What it says of itself; those of older releases say nothing.
    pub manifest: Option<Manifest>,
    /// Version of its schema; never newer than this release's.
    pub schema: i64,
    /// The secrets that it belongs to.
    pub fingerprints: Vec<Fingerprint>,
    /// The versions of the secret that something in it refers to.
    pub secret_versions: Vec<i64>,
}

/// Whether a file is a backup, be it whole or not; `false` also for what is no database, and for what was a backup until a
/// server was started on it.
pub fn is_backup(file: &Path) -> bool {
    let read = || -> std::io::Result<bool> {
        let mut opened = File::open(file)?;
        let length = opened.metadata()?.len();
        let mut header = [0; 100];
        opened.read_exact(&mut header)?;
        opened.seek(SeekFrom::Start(length.saturating_sub(LONGEST_END)))?;
        let mut end = Vec::new();
        opened.read_to_end(&mut end)?;
        let is_marked = header[68..72] == APPLICATION.to_be_bytes() || split_end(&end).is_some();
        Ok(is_marked && !sqlite::is_in_use(&header))
    };
    read().unwrap_or(false)
}

/// Looks at every byte of a backup, and at whether this release can restore it. `progress` hears of bytes.
pub fn check(file: &Path, mut progress: impl FnMut(u64)) -> Result<Checked> {
    let manifest = read_end(file, &mut progress)?;
    let connection = sqlite::open_immutable(file)?;
    if manifest.is_none() {
        // No checksum, so at least what SQLite can tell by itself.
        let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if found != "ok" {
            return Err(damaged(file, &found));
        }
    }
    let mut tx = Tx::sqlite(&connection);
    let schema = migrations::current(&mut tx)?;
    let known = Migrations::known();
    match schema {
        0 => Err(Error::Refused(format!("{} is no database of Keystead", file.display()))),
        newer if newer > known => Err(Error::Refused(format!(
            "{} has schema version {newer}, but this release knows only {known}; restore it with the newer release",
            file.display()
        ))),
        _ => Ok(Checked {
            manifest,
            schema,
            fingerprints: instance::fingerprints(&mut tx)?,
            secret_versions: instance::referred_versions(&mut tx)?,
        }),
    }
}

/// Whether what was copied out of a backup is what was copied into it, in whatever order.
pub fn is_whole(manifest: &Manifest, copied: &Copied) -> bool {
    let told = manifest.tables.iter().map(|(table, rows, digest)| (table, *rows, digest));
    let found = copied.tables.iter().zip(&copied.digests).map(|((table, rows), (_, digest))| (table, *rows, digest));
    manifest.tables.len() == copied.tables.len() && told.collect::<BTreeSet<_>>() == found.collect()
}

/// A copy of a backup's database that may be changed, to bring its schema up to this release.
pub fn unseal(file: &Path, target: &Path) -> Result<()> {
    fs::copy(file, target).map_err(|error| unreadable(target, &error))?;
    let mut copy =
        OpenOptions::new().read(true).write(true).open(target).map_err(|error| unreadable(target, &error))?;
    let mut header = [0; 100];
    let cut = copy.read_exact(&mut header).and_then(|()| copy.set_len(database_length(&header)));
    cut.map_err(|error| unreadable(target, &error))
}

/// Pages times their size, as the header says.
fn database_length(header: &[u8; 100]) -> u64 {
    let page = u64::from(u16::from_be_bytes([header[16], header[17]]));
    let pages = u32::from_be_bytes([header[28], header[29], header[30], header[31]]);
    let page = if page == 1 { 65_536 } else { page };
    page * u64::from(pages)
}

/// What the end of the file says, once the checksum is right.
fn read_end(file: &Path, progress: &mut dyn FnMut(u64)) -> Result<Option<Manifest>> {
    let problem = |error: std::io::Error| unreadable(file, &error);
    let mut opened = File::open(file).map_err(problem)?;
    let length = opened.metadata().map_err(problem)?.len();
    let mut header = [0; 100];
    if opened.read_exact(&mut header).is_err() || header[..16] != *SQLITE {
        return Err(Error::Refused(format!("{} is no backup of Keystead", file.display())));
    }
    let is_sealed = header[68..72] == APPLICATION.to_be_bytes();
    opened.seek(SeekFrom::Start(length.saturating_sub(LONGEST_END))).map_err(problem)?;
    let mut end = Vec::new();
    opened.read_to_end(&mut end).map_err(problem)?;
    let told = split_end(&end);
    let Some((manifest, checksum)) = told else {
        // Where the mark in the header is broken as well, the file is cut off all the same.
        return match is_sealed || length < database_length(&header) {
            true => Err(damaged(file, "its end is missing, so it was cut off or changed")),
            false => Ok(None),
        };
    };
    // All but the checksum itself and the end of its line.
    let covered = length - checksum.len() as u64 - 1;
    if digest(file, covered, progress)? != checksum {
        return Err(damaged(file, "its checksum is another"));
    }
    match Manifest::parse(manifest) {
        Some(manifest) => Ok(Some(manifest)),
        None => Err(damaged(file, "its manifest is not readable")),
    }
}

/// The manifest and the checksum at the end of a file.
fn split_end(end: &[u8]) -> Option<(&str, &str)> {
    let begin = end.windows(MARK.len()).rposition(|window| window == MARK.as_bytes())?;
    let text = std::str::from_utf8(&end[begin + MARK.len()..]).ok()?;
    let (manifest, checksum) = text.strip_suffix('\n')?.split_once('\n')?;
    let is_digest = checksum.len() == 64 && checksum.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_digest.then_some((manifest, checksum))
}

/// SHA-256 of the first `length` bytes, in hexadecimal.
fn digest(file: &Path, length: u64, progress: &mut dyn FnMut(u64)) -> Result<String> {
    let opened = File::open(file).map_err(|error| unreadable(file, &error))?;
    let mut bytes = BufReader::new(opened).take(length);
    let (mut hash, mut piece, mut done) = (Sha256::new(), vec![0; 1024 * 1024], 0);
    loop {
        let read = bytes.read(&mut piece).map_err(|error| unreadable(file, &error))?;
        if read == 0 {
            return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hash.update(&piece[..read]);
        done += read as u64;
        progress(done);
    }
}

struct Content {
    schema: i64,
    incarnation: String,
    instance_since: UtcMs,
    sequence: i64,
}

fn content(tx: &mut Tx<'_>) -> Result<Content> {
    let poll = changes::poll(tx)?;
    Ok(Content {
        schema: migrations::current(tx)?,
        incarnation: poll.incarnation,
        instance_since: instance::created_at(tx)?,
        sequence: poll.head,
    })
}

fn damaged(file: &Path, how: &str) -> Error {
    Error::Damaged(format!("{} is damaged: {how}; use another backup", file.display()))
}

fn unreadable(file: &Path, error: &std::io::Error) -> Error {
    Error::Refused(format!("{}: {error}", file.display()))
}

#[cfg(test)]
#[path = "backup_tests.rs"]
mod tests;
