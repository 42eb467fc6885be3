//! A backup is checked before anything is replaced by it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use keystead_store::Migrations;
use serde_json::{Value, json};

use crate::instance::{Instance, mode};

impl Instance {
    fn key(&self, location: &str, name: &str) -> Value {
        #[rustfmt::skip]
        let made = self.json(&["keys", "create", "--kind", "location", "--location-id", location, "--name", name, "--preset", "full-access", "--json"]);
        made
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// An instance with a key, and a backup of it.
    fn backed_up(name: &str) -> (Self, String) {
        let instance = Self::new(name);
        let ids = instance.init();
        instance.key(ids["locationId"].as_str().unwrap(), "piped");
        let file = instance.path("backup.db");
        instance.json(&["db", "backup", &file, "--json"]);
        (instance, file)
    }

    /// Everything in the data directory but what a look changes.
    fn contents(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files: Vec<PathBuf> = fs::read_dir(self.data()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| !file.ends_with("lock") && !file.display().to_string().ends_with("-shm"));
        files.sort();
        files.into_iter().map(|file| (file.clone(), fs::read(file).unwrap())).collect()
    }

    /// A restore that must not touch anything.
    fn refuses(&self, file: &str, why: &str) {
        let before = self.contents();
        let text = self.refused(&["db", "restore", file, "--replace"]);
        assert!(text.contains(why), "{why}: {text}");
        let after = self.contents();
        let names = |files: &[(PathBuf, Vec<u8>)]| files.iter().map(|(file, _)| file.clone()).collect::<Vec<_>>();
        assert_eq!(names(&before), names(&after), "{why}");
        assert!(before == after, "{why}: a file has changed");
        assert!(String::from_utf8_lossy(&self.run(&["keys", "list"]).stdout).contains("piped"));
    }

    fn verify(&self, file: &str) -> (Option<i32>, String) {
        let output = self.run(&["db", "verify", file]);
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr),
        )
    }
}

#[test]
fn a_backup_says_what_it_is() {
    let (instance, file) = Instance::backed_up("manifest");
    let (code, text) = instance.verify(&file);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("is whole") && text.contains("is the secret that it belongs to"), "{text}");
    let told = instance.json(&["db", "verify", &file, "--json"]);
    assert_eq!((&told["schema"], &told["secretMatches"]), (&json!(Migrations::known()), &json!(true)));
    assert_eq!(told["manifest"]["tables"]["api_keys"]["rows"], 1);
    assert!(told["manifest"]["incarnation"].is_string() && told["manifest"]["takenAt"].is_string());
    // A look changes nothing, and needs no instance.
    let before = fs::read(&file).unwrap();
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o400)).unwrap();
    let elsewhere = Instance::new("manifest-elsewhere");
    assert_eq!(elsewhere.run(&["db", "verify", &file]).status.code(), Some(0));
    assert!(!elsewhere.data().exists());
    assert_eq!(fs::read(&file).unwrap(), before);
    assert!(!Path::new(&format!("{file}-wal")).exists() && !Path::new(&format!("{file}-shm")).exists());
    assert_eq!(instance.verify(&instance.path("nowhere.db")).0, Some(3));
}

#[test]
fn a_flipped_bit_is_found_wherever_it_is() {
    let (instance, file) = Instance::backed_up("flipped");
    let whole = fs::read(&file).unwrap();
    let broken = instance.path("broken.db");
    // In the header, in rows, in free space, in the manifest, in the checksum: with every step somewhere else.
    let places =
        (0..whole.len()).step_by(whole.len() / 40).chain(whole.len() - 70..whole.len()).chain([68, 28, 16, 18]);
    for place in places {
        let mut bytes = whole.clone();
        bytes[place] ^= 1 << (place % 8);
        fs::write(&broken, &bytes).unwrap();
        let (code, text) = instance.verify(&broken);
        assert!([Some(1), Some(3)].contains(&code) && !text.contains("is whole"), "at {place}: {code:?} {text}");
    }
    let piped = whole.windows(5).position(|window| window == b"piped").unwrap();
    let mut bytes = whole;
    bytes[piped] ^= 1;
    fs::write(&broken, &bytes).unwrap();
    instance.refuses(&broken, "checksum");
    assert_eq!(instance.verify(&broken).0, Some(1));
}

#[test]
fn what_cannot_be_restored_is_refused_before_the_database_is_touched() {
    let (instance, file) = Instance::backed_up("refused-restores");
    let whole = fs::read(&file).unwrap();
    let broken = instance.path("broken.db");
    for length in [0, 10, 4096, whole.len() / 2, whole.len() - 200, whole.len() - 66, whole.len() - 1] {
        fs::write(&broken, &whole[..length]).unwrap();
        instance.refuses(&broken, if length < 100 { "is no backup" } else { "damaged" });
    }
    fs::write(&broken, "CREATE TABLE contacts (id TEXT);").unwrap();
    instance.refuses(&broken, "is no backup");
    instance.refuses(&instance.path("nowhere.db"), "nowhere.db");
    instance.refuses(&instance.folder.display().to_string(), "is no backup");

    // Another program's database, and one of a release to come.
    fs::create_dir(instance.folder.join("other")).unwrap();
    let other = Instance::new("refused-restores-foreign");
    other.init();
    let database = other.data().join("keystead.db");
    other.on_database(|store| async move {
        store.write(|tx| tx.execute("UPDATE schema_migrations SET version = 9999 WHERE version = 1", &[])).await
    });
    instance.refuses(&database.display().to_string(), "schema version 9999");
    other.on_database(|store| async move { store.write(|tx| tx.execute("DROP TABLE schema_migrations", &[])).await });
    instance.refuses(&database.display().to_string(), "is no database of Keystead");

    // Somebody else's backup, and ours without our secret.
    let (_stranger, theirs) = Instance::backed_up("refused-restores-stranger");
    instance.refuses(&theirs, "not the one");
    let secret = instance.data().join("instance-secret");
    let text = fs::read(&secret).unwrap();
    fs::remove_file(&secret).unwrap();
    assert!(instance.refused(&["db", "restore", &file, "--replace"]).contains("missing"));
    assert!(!secret.exists());
    fs::write(&secret, text).unwrap();
    assert_eq!(instance.verify(&theirs).0, Some(1), "whole, but not for this secret");

    // What fails in the middle of it leaves the old one where it is.
    fs::create_dir_all(instance.data().join("keystead.db.restoring/in the way")).unwrap();
    assert!(!instance.run(&["db", "restore", &file, "--replace"]).status.success());
    assert!(String::from_utf8_lossy(&instance.run(&["keys", "list"]).stdout).contains("piped"));
}

#[test]
fn a_backup_of_an_older_release_is_brought_up_to_this_one() {
    let older = Instance::new("older-backup");
    older.older_release();
    let file = older.path("older.db");
    fs::copy(older.data().join("keystead.db"), &file).unwrap();
    let (code, text) = older.verify(&file);
    assert_eq!(code, Some(1), "it has no checksum: {text}");
    let before = fs::read(&file).unwrap();
    let restored = older.run(&["db", "restore", &file, "--replace", "--json"]);
    let told: Value = serde_json::from_slice(&restored.stdout).unwrap();
    assert_eq!((restored.status.code(), told["toReview"].as_array().unwrap().len()), (Some(1), 1), "{told}");
    assert_eq!(older.schema(), Migrations::known());
    assert_eq!(fs::read(&file).unwrap(), before, "the backup stays what it was");
    let listed = String::from_utf8(older.run(&["keys", "list"]).stdout).unwrap();
    assert!(listed.contains("alive") && listed.contains("deactivated"), "{listed}");
    let leftovers = fs::read_dir(older.data()).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name().into_string().unwrap();
        name.contains("restoring") || name.contains("older-backup")
    });
    assert_eq!(leftovers.count(), 0);
    // Cut off, it is refused like any other.
    fs::write(&file, &before[..before.len() / 2]).unwrap();
    assert!(older.refused(&["db", "restore", &file, "--replace"]).contains("damaged"));
}

/// As root restores for a server that has a user of its own.
#[test]
fn what_root_restores_belongs_to_the_owner_of_the_directory() {
    use std::os::unix::fs::{MetadataExt, chown};
    const NOBODY: u32 = 65_534;
    let (instance, file) = Instance::backed_up("owner");
    for entry in fs::read_dir(instance.data()).unwrap() {
        if chown(entry.unwrap().path(), Some(NOBODY), Some(NOBODY)).is_err() {
            // Only root can give files away.
            return;
        }
    }
    chown(instance.data(), Some(NOBODY), Some(NOBODY)).unwrap();
    fs::remove_file(instance.data().join("revocations.jsonl")).unwrap();
    assert!(instance.run(&["db", "restore", &file, "--replace"]).status.success());
    let beside = instance.data().join("beside.db");
    instance.json(&["db", "backup", &beside.display().to_string(), "--json"]);
    let restored: Vec<PathBuf> = fs::read_dir(instance.data()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(restored.iter().any(|path| path.display().to_string().contains("before-restore")));
    for path in restored {
        let found = fs::metadata(&path).unwrap();
        assert_eq!((found.uid(), found.gid(), mode(&path)), (NOBODY, NOBODY, 0o600), "{}", path.display());
    }
    // Elsewhere a folder may belong to somebody who is not to have the data.
    let elsewhere = instance.folder.join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    chown(&elsewhere, Some(NOBODY), Some(NOBODY)).unwrap();
    let backup = elsewhere.join("backup.db");
    instance.json(&["db", "backup", &backup.display().to_string(), "--json"]);
    assert_eq!((fs::metadata(&backup).unwrap().uid(), mode(&backup)), (0, 0o600));
}

/// A copy would ask neither checksum nor journal, and whoever moves to PostgreSQL by one must not lose the backup.
#[test]
fn a_backup_is_restored_and_never_copied() {
    let (instance, file) = Instance::backed_up("copied");
    let whole = fs::read(&file).unwrap();
    let name = whole.windows(5).position(|bytes| bytes == b"piped").unwrap();
    let end = whole.len() - 100;
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    // Its header's mark, and its checksum: each alone tells what it is.
    let broken = [("whole", whole.clone()), ("row", flipped(name)), ("mark", flipped(68)), ("end", flipped(end))];
    let cut = ("cut", whole[..whole.len() - 10].to_vec());
    for (what, bytes) in broken.into_iter().chain([cut]) {
        fs::write(&file, &bytes).unwrap();
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o400)).unwrap();
        let (from, to) = (format!("sqlite:{file}"), format!("sqlite:{}", instance.path("target.db")));
        let text = instance.refused(&["db", "copy", "--from", &from, "--to", &to]);
        assert!(text.contains("is a backup") && text.contains("db restore"), "{what}: {text}");
        assert_eq!(fs::read(&file).unwrap(), bytes, "{what}");
        assert!(!Path::new(&instance.path("target.db")).exists(), "{what}");
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }
}

/// Neither do other files that nobody serves from: one that an older release wrote, or SQLite itself.
#[test]
fn what_is_copied_stays_as_it_is_byte_for_byte() {
    let (instance, file) = Instance::backed_up("byte-for-byte");
    // Without what says that it is a backup.
    let mut bytes = fs::read(&file).unwrap();
    bytes[68..72].fill(0);
    let mark = bytes.windows(17).rposition(|bytes| bytes == b"\nkeystead-backup/").unwrap();
    bytes.truncate(mark);
    fs::write(&file, &bytes).unwrap();
    let to = format!("sqlite:{}", instance.path("target.db"));
    instance.json(&["db", "copy", "--from", &format!("sqlite:{file}"), "--to", &to, "--json"]);
    assert!(fs::read(&file).unwrap() == bytes, "it was only read");
    for ending in ["-wal", "-shm", "-journal"] {
        assert!(!Path::new(&format!("{file}{ending}")).exists());
    }
}

#[test]
fn a_backup_that_was_put_in_its_place_by_hand_is_a_database() {
    let (instance, file) = Instance::backed_up("by-hand");
    let database = instance.data().join("keystead.db");
    fs::copy(&file, &database).unwrap();
    assert!(instance.run(&["keys", "list"]).status.success());
    let (from, to) = (format!("sqlite:{}", database.display()), format!("sqlite:{}", instance.path("target.db")));
    instance.json(&["db", "copy", "--from", &from, "--to", &to, "--json"]);
}
