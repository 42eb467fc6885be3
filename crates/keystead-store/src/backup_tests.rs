use std::path::PathBuf;

use super::*;
use crate::{Options, Store, copy::copy_backup};

/// A database with one row of everything that an instance has, and a backup of it, in a folder that goes with the test.
async fn backed_up(name: &str) -> (PathBuf, PathBuf) {
    let folder = std::env::temp_dir().join(format!("keystead-backup-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let database = Database::Sqlite(folder.join("keystead.db"));
    let store = Store::open(&database, &Options::default()).unwrap();
    store.migrations().apply(UtcMs(1)).await.unwrap();
    store.write(|tx| instance::create(tx, "0Vc5K6YS0ygRARdHs6Hz", UtcMs(7))).await.unwrap();
    let file = folder.join("backup.db");
    let (from, to) = (database, file.clone());
    std::thread::spawn(move || write(&from, &to, UtcMs(9), |_, _| {}).unwrap()).join().unwrap();
    (folder, file)
}

#[tokio::test]
async fn a_manifest_is_read_back_and_the_end_is_no_part_of_the_database() {
    let (folder, file) = backed_up("manifest").await;
    let checked = check(&file, |_| {}).unwrap();
    let manifest = checked.manifest.unwrap();
    assert_eq!((manifest.instance_since, manifest.taken_at, manifest.sequence), (UtcMs(7), UtcMs(9), 0));
    assert_eq!(manifest.incarnation, "0Vc5K6YS0ygRARdHs6Hz");
    assert_eq!(manifest.schema, Migrations::known());
    assert!(manifest.tables.iter().any(|(table, rows, _)| table == "instance" && *rows == 1));

    let copy = folder.join("copy.db");
    unseal(&file, &copy).unwrap();
    let (sealed, cut) = (fs::metadata(&file).unwrap().len(), fs::metadata(&copy).unwrap().len());
    assert!(cut < sealed && cut % 4096 == 0, "{sealed} {cut}");
    let store = Store::open(&Database::Sqlite(copy), &Options::default()).unwrap();
    store.migrations().apply(UtcMs(10)).await.unwrap();
    let since = store.read(instance::created_at).await.unwrap();
    assert_eq!(since, UtcMs(7), "it can be used and changed");
    let _ = fs::remove_dir_all(folder);
}

/// Where the end says the truth about the file, but not about its rows.
#[tokio::test]
async fn rows_are_compared_with_what_the_manifest_says_of_them() {
    let (folder, file) = backed_up("rows").await;
    let manifest = check(&file, |_| {}).unwrap().manifest.unwrap();
    let target = Database::Sqlite(folder.join("restored.db"));
    let copied = std::thread::spawn(move || copy_backup(&file, &target, &Clocks::Keep, UtcMs(10), |_, _| {}).unwrap());
    let copied = copied.join().unwrap();
    assert!(is_whole(&manifest, &copied));
    let mut turned = manifest.clone();
    turned.tables.reverse();
    assert!(is_whole(&turned, &copied), "an older release has its tables in another order");
    let mut other = manifest;
    other.tables[0].2.replace_range(0..1, "x");
    assert!(!is_whole(&other, &copied));
    let _ = fs::remove_dir_all(folder);
}
