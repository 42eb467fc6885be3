//! `keystead keys scan`: keys in files, by pattern and checksum. Needs no database and tells nobody.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use keystead_model::{
    key_scan::{FoundKey, LONGEST, find_keys},
    key_secret::masked,
};
use serde_json::json;
use walkdir::WalkDir;

use super::output::{self, note, say};
use crate::failure::Failure;

#[derive(Args)]
pub(super) struct Scan {
    /// Files and folders
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Answer as JSON, a line for each key
    #[arg(long)]
    json: bool,
}

/// Bytes read at a time: a file may be larger than the memory.
const CHUNK: usize = 4 * 1024 * 1024;

/// A key and where it stands.
struct Found {
    line: usize,
    column: usize,
    key: FoundKey,
}

impl Scan {
    pub(super) fn run(self) -> Result<(), Failure> {
        let bar = ProgressBar::new_spinner();
        bar.set_style(
            ProgressStyle::with_template("{spinner} {pos} files, {bytes_per_sec} {wide_msg}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        let (mut keys, mut files, mut unreadable) = (0usize, 0u64, 0usize);
        for path in &self.paths {
            if !path.exists() {
                return Err(Failure::new(format!("{} does not exist", path.display())));
            }
            for entry in WalkDir::new(path) {
                let entry = match entry {
                    Ok(entry) if entry.file_type().is_file() => entry,
                    Ok(_) => continue,
                    Err(error) => {
                        unreadable += 1;
                        bar.suspend(|| note!("keystead: {error}"));
                        continue;
                    }
                };
                files += 1;
                bar.set_position(files);
                bar.set_message(entry.path().display().to_string());
                match scan_file(entry.path()) {
                    Ok(found) => {
                        keys += found.len();
                        bar.suspend(|| found.iter().for_each(|found| self.show(entry.path(), found)));
                    }
                    Err(error) => {
                        unreadable += 1;
                        bar.suspend(|| note!("keystead: {} cannot be read: {error}", entry.path().display()));
                    }
                }
            }
        }
        bar.finish_and_clear();
        if keys > 0 {
            let them = if keys == 1 { "key" } else { "keys" };
            return Err(Failure::found(format!(
                "{keys} {them} in {files} files; take them out, and rotate them: whoever could read the files has them"
            )));
        }
        if unreadable > 0 {
            return Err(Failure::found(format!("no key was found, but {unreadable} of the files could not be read")));
        }
        if !self.json {
            say!("No key in {files} files.");
        }
        Ok(())
    }

    fn show(&self, path: &Path, found: &Found) {
        let Found { line, column, key: FoundKey { kind, id, last_four, .. } } = found;
        let (path, key) = (path.display(), masked(*kind, *id, last_four));
        if self.json {
            output::json(
                &json!({"path": path.to_string(), "line": line, "column": column, "kind": kind.as_str(), "id": id, "maskedKey": key}),
            );
        } else {
            say!("{path}:{line}:{column}: {key}");
        }
    }
}

/// Reads in pieces that overlap by one key, so that none is cut in two.
fn scan_file(path: &Path) -> std::io::Result<Vec<Found>> {
    let mut file = File::open(path)?;
    let mut found = Vec::new();
    let mut window = Vec::new();
    let (mut line, mut line_start, mut offset) = (1, 0usize, 0usize);
    loop {
        let read = file.by_ref().take(CHUNK as u64).read_to_end(&mut window)?;
        let is_last = read < CHUNK;
        // What begins in the overlap is looked at again with what follows it.
        let mut done = if is_last { window.len() } else { window.len().saturating_sub(LONGEST) };
        let mut counted = 0;
        for key in find_keys(&window).take_while(|key| key.at < done).collect::<Vec<_>>() {
            count_lines(&window[counted..key.at], offset + counted, &mut line, &mut line_start);
            counted = key.at;
            found.push(Found { line, column: offset + key.at - line_start + 1, key });
            // Not once more from its middle.
            done = done.max(counted + 1);
        }
        if is_last {
            return Ok(found);
        }
        count_lines(&window[counted..done], offset + counted, &mut line, &mut line_start);
        offset += done;
        window.drain(..done);
    }
}

fn count_lines(bytes: &[u8], offset: usize, line: &mut usize, line_start: &mut usize) {
    for (index, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
        *line += 1;
        *line_start = offset + index + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_cut_in_two_wherever_it_stands() {
        let key = "ks_location_Hq3vT0bZk9Wd_8sFvN1cQyT5rLz0aGmXe4UoKpBi7WdJh3Qdrl0";
        let path = std::env::temp_dir().join(format!("keystead-scan-{}", std::process::id()));
        for at in
            [0, 1, 77, CHUNK - LONGEST - 2, CHUNK - LONGEST, CHUNK - 30, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 5]
        {
            let mut text = vec![b' '; at];
            if at > 10 {
                text[5] = b'\n';
            }
            text.extend_from_slice(key.as_bytes());
            text.extend_from_slice(&vec![b'\n'; CHUNK]);
            std::fs::write(&path, &text).unwrap();
            let found = scan_file(&path).unwrap();
            let expected = if at > 10 { (2, at - 5) } else { (1, at + 1) };
            let places: Vec<_> = found.iter().map(|found| (found.line, found.column)).collect();
            assert_eq!(places, [expected], "at {at}");
            assert_eq!(found[0].key.last_four, "drl0");
        }
        std::fs::remove_file(&path).unwrap();
    }
}
