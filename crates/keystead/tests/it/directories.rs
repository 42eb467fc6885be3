//! Which commands make an instance, and what the others say where there is none.

use std::{fs, process::Command};

use keystead_store::{Database, Migrations, Options, Store};
use keystead_testkit::TestDatabase;

use crate::instance::{Instance, mode};

/// One of each command that works on an instance, with whatever it needs to be understood.
const COMMANDS: &[&[&str]] = &[
    &["keys", "list"],
    &["keys", "idle"],
    &["keys", "create", "--kind", "agency", "--name", "x", "--preset", "read-only"],
    &["keys", "deactivate", "Hq3vT0bZk9Wd"],
    &["locations", "list"],
    &["locations", "create", "--name", "x"],
    &["agencies", "list"],
    &["agencies", "create", "--name", "x"],
    &["users", "list"],
    &["users", "set-password", "--email", "a@example.com", "--password-file", "password"],
    &["sweep", "pause"],
    &["sweep", "resume"],
    &["secret", "add"],
    &["doctor"],
    &["audit", "verify"],
    &["db", "migrate"],
    &["db", "backup", "backup.db"],
];

#[test]
fn a_command_in_the_wrong_directory_makes_nothing_and_names_it() {
    let instance = Instance::new("wrong-directory");
    let refused = |instance: &Instance, command: &[&str]| {
        let output = instance.run(command);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{command:?}: {text}");
        let place = instance.data().display().to_string();
        assert!(text.contains("there is no instance in") && text.contains(&place), "{command:?}: {text}");
        assert_eq!(text.trim().lines().count(), 1, "{command:?}: {text}");
        text
    };
    for command in COMMANDS {
        refused(&instance, command);
        assert!(!instance.data().exists(), "{command:?} has made something");
    }
    // Nor in a folder that has something else in it, or a file that a crash left empty.
    fs::create_dir(instance.data()).unwrap();
    fs::write(instance.data().join("notes.txt"), "mine").unwrap();
    refused(&instance, &["sweep", "pause"]);
    fs::write(instance.data().join("keystead.db"), "").unwrap();
    refused(&instance, &["sweep", "pause"]);
    assert_eq!(fs::metadata(instance.data().join("keystead.db")).unwrap().len(), 0, "a look makes no database of it");
    // Neither does it change what somebody else keeps under the name.
    let foreign = foreign_database();
    fs::write(instance.data().join("keystead.db"), &foreign).unwrap();
    refused(&instance, &["keys", "list"]);
    assert!(fs::read(instance.data().join("keystead.db")).unwrap() == foreign);
    assert!(!instance.data().join("instance-secret").exists());
    assert!(!instance.folder.join("backup.db").exists());
    // The default is named as a whole path, too.
    let mut bare = Command::new(env!("CARGO_BIN_EXE_keystead"));
    let said = bare.args(["sweep", "pause"]).current_dir(&instance.folder).output().unwrap();
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains(&instance.folder.join("keystead-data").display().to_string()), "{said}");
    // What makes one does.
    fs::remove_file(instance.data().join("keystead.db")).unwrap();
    instance.init();
    assert!(instance.run(&["sweep", "pause"]).status.success());
}

/// Another program's: one page without a table, as SQLite writes it with a journal that it rolls back.
fn foreign_database() -> Vec<u8> {
    let mut page = vec![0; 4096];
    page[..16].copy_from_slice(b"SQLite format 3\0");
    // Size of a page, how the journal is kept, fractions of payloads, change counter, pages, schema format, encoding.
    page[16..24].copy_from_slice(&[0x10, 0, 1, 1, 0, 64, 32, 32]);
    page[24..32].copy_from_slice(&[0, 0, 0, 1, 0, 0, 0, 1]);
    page[40..48].copy_from_slice(&[0, 0, 0, 1, 0, 0, 0, 4]);
    page[56..60].copy_from_slice(&[0, 0, 0, 1]);
    page[92..96].copy_from_slice(&[0, 0, 0, 1]);
    // An empty leaf, whose content begins at the end of the page.
    page[100..108].copy_from_slice(&[13, 0, 0, 0, 0, 16, 0, 0]);
    page
}

#[test]
fn a_command_on_an_empty_postgresql_database_makes_nothing() {
    if !TestDatabase::is_postgres() {
        return;
    }
    let (instance, database) = (Instance::new("wrong-database"), TestDatabase::create());
    for command in COMMANDS {
        let mut all = command.to_vec();
        all.extend(["--database-url", database.url()]);
        let text = instance.refused(&all);
        let (server, name) = database.url().rsplit_once('/').unwrap();
        let place = format!("the PostgreSQL database {name} on {}", server.rsplit_once('@').unwrap().1);
        assert!(text.contains(&format!("there is no instance in {place}")), "{command:?}: {text}");
    }
    let store = Store::open(&database.database, &Options::default()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    assert_eq!(runtime.block_on(store.migrations().current()).unwrap(), 0);
}

#[test]
fn no_command_migrates_under_the_server_and_the_server_locks_before_it_does() {
    let instance = Instance::new("older-schema");
    instance.older_release();
    let untouched = |instance: &Instance| {
        assert_eq!(instance.schema(), 15, "nobody has changed the schema");
    };
    for command in
        [&["keys", "list"][..], &["doctor"], &["audit", "verify"], &["sweep", "pause"], &["db", "backup", "b"]]
    {
        let text = instance.refused(command);
        assert!(text.contains("schema version 15") && text.contains("db migrate"), "{command:?}: {text}");
        untouched(&instance);
    }
    // As long as another process has the directory, its schema stays.
    let lock = keystead_server::data_dir::DirectoryLock::take(&instance.data()).unwrap();
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["db", "migrate"]] {
        assert!(instance.refused(command).contains("another server is running"), "{command:?}");
        untouched(&instance);
    }
    drop(lock);
    let said = instance.run(&["db", "migrate"]);
    assert!(String::from_utf8_lossy(&said.stdout).contains("15"), "{said:?}");
    assert_eq!(instance.schema(), Migrations::known());
    let before = format!("keystead-before-schema-{}.db", Migrations::known());
    assert_eq!(mode(&instance.data().join(before)), 0o600);
    assert!(String::from_utf8_lossy(&instance.run(&["keys", "list"]).stdout).contains("alive"));
}

#[test]
fn what_holds_data_is_its_owners_alone() {
    let instance = Instance::new("modes");
    instance.init();
    let file = instance.folder.join("backup.db");
    instance.json(&["db", "backup", &file.display().to_string(), "--json"]);
    let server = instance.serve(&[]);
    // As older releases made it.
    let all = |instance: &Instance| -> Vec<_> {
        fs::read_dir(instance.data()).unwrap().map(|entry| entry.unwrap().path()).chain([file.clone()]).collect()
    };
    assert!(all(&instance).len() >= 5, "the database is in use: {:?}", all(&instance));
    for path in all(&instance) {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    drop(server);
    let database = instance.data().join("keystead.db");
    fs::set_permissions(&database, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let _server = instance.serve(&[]);
    assert_eq!(mode(&database), 0o600);
}

impl Instance {
    /// An instance as a release with schema 15 left it: two keys, one of them deactivated.
    pub(crate) fn older_release(&self) {
        fs::create_dir(self.data()).unwrap();
        fs::write(self.data().join("instance-secret"), OLDER_SECRET).unwrap();
        self.on_database(|store| async move {
            let load = store.write_serial(|tx| {
                let statements = include_str!("fixtures/schema-15.sql").split(";\n");
                statements.filter(|sql| !sql.trim().is_empty()).try_for_each(|sql| tx.execute(sql, &[]).map(drop))
            });
            load.await
        });
    }

    /// The version of the schema.
    pub(crate) fn schema(&self) -> i64 {
        self.on_database(|store| async move {
            let sql = "SELECT max(version) FROM schema_migrations";
            store.read(move |tx| tx.query_one(sql, &[], |row| row.column())).await
        })
    }

    /// Past all rules.
    pub(crate) fn on_database<T, F: Future<Output = keystead_store::Result<T>>>(
        &self,
        work: impl FnOnce(Store) -> F,
    ) -> T {
        let database = Database::Sqlite(self.data().join("keystead.db"));
        let store = Store::open(&database, &Options::default()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let done = runtime.block_on(work(store.clone()));
        store.close();
        done.unwrap()
    }
}

const OLDER_SECRET: &str = "1 fxjVYBmF9yyFQKW7j0lrday9Nwhslpe5M0SNwu94rTE\n";
