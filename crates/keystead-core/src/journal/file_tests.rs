use std::fs;

use keystead_model::UtcMs;

use super::{
    super::entry::{Entry, Extent},
    *,
};

fn entry(through: i64) -> Entry {
    let position = Position { incarnation: "0Vc5K6YS0ygRARdHs6Hz".to_owned(), through, mark: None };
    Entry { position, at: UtcMs(0), extent: Extent::Unsaid, standings: Vec::new() }
}

/// A file in a folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> (Self, JournalFile) {
        let folder = std::env::temp_dir().join(format!("keystead-journal-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let file = JournalFile::new(folder.join("revocations.jsonl"));
        (Self(folder), file)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn through(held: &Held) -> Option<i64> {
    held.seen.position.as_ref().map(|position| position.through)
}

fn append(file: &JournalFile, text: &str) {
    let mut held = file.hold(&Seen::default()).unwrap();
    held.append(text).unwrap();
    held.sync().unwrap();
}

#[test]
fn the_end_is_found_behind_whatever_follows_it() {
    let (_folder, file) = Folder::new("end");
    assert_eq!(through(&file.hold(&Seen::default()).unwrap()), None, "a new one tells of nothing");
    append(&file, &entry(1).write());
    append(&file, &entry(7).write());
    assert_eq!(through(&file.hold(&Seen::default()).unwrap()), Some(7));
    // A part of everything is not all of it, also where it is longer than what is looked at first.
    let part = Entry { extent: Extent::Part, ..entry(9) }.write();
    append(&file, &part.repeat(2000));
    assert_eq!(through(&file.hold(&Seen::default()).unwrap()), Some(7));
}

#[test]
fn a_line_that_a_crash_tore_hides_no_other() {
    let (_folder, file) = Folder::new("torn");
    append(&file, &entry(1).write());
    append(&file, &entry(2).write());
    let whole = fs::read(file.path()).unwrap();
    let first = entry(1).write().len();
    for length in first..whole.len() - 1 {
        fs::write(file.path(), &whole[..length]).unwrap();
        assert_eq!(through(&file.hold(&Seen::default()).unwrap()), Some(1), "{length}");
        append(&file, &entry(3).write());
        assert_eq!(through(&file.hold(&Seen::default()).unwrap()), Some(3), "{length}");
        let text = fs::read_to_string(file.path()).unwrap();
        assert!(text.lines().any(|line| format!("{line}\n") == entry(3).write()), "{text}");
    }
}

#[test]
fn what_was_moved_away_is_begun_anew_and_who_waits_writes_into_the_new_one() {
    let (folder, file) = Folder::new("moved");
    append(&file, &entry(1).write());
    let held = file.hold(&Seen::default()).unwrap();
    let seen = held.seen.clone();
    let moved = folder.0.join("old.jsonl");
    fs::rename(file.path(), &moved).unwrap();
    let waiting = file.clone();
    let other = std::thread::spawn(move || append(&waiting, &entry(2).write()));
    drop(held);
    other.join().unwrap();
    assert_eq!(fs::read_to_string(&moved).unwrap(), entry(1).write());
    assert_eq!(fs::read_to_string(file.path()).unwrap(), entry(2).write());
    assert_eq!(through(&file.hold(&seen).unwrap()), Some(2), "what was seen of the old one does not count");
}
