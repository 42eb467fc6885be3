//! A database of its own for each test, on whichever of the two the suite runs.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use keystead_store::{Database, Options, Store};
use tokio::sync::OnceCell;

use crate::test_app::START;

/// Names a PostgreSQL server (its `postgres` database); without it tests run on SQLite.
const SERVER: &str = "KEYSTEAD_TEST_POSTGRES";

/// A folder and a database that go with the test.
pub struct TestDatabase {
    /// The data directory.
    pub folder: PathBuf,
    /// The database.
    pub database: Database,
    postgres: Option<(String, String)>,
}

impl TestDatabase {
    /// An empty one.
    pub fn create() -> Self {
        Self::create_from("")
    }

    /// One with the schema of this release: a copy of one that is made once, since all migrations take longer than most tests.
    pub async fn with_schema() -> Self {
        static MADE: OnceCell<Schema> = OnceCell::const_new();
        match MADE.get_or_init(Schema::make).await {
            Schema::Sqlite(bytes) => {
                let database = Self::create();
                if let Database::Sqlite(path) = &database.database {
                    std::fs::write(path, bytes).expect("a database");
                }
                database
            }
            Schema::Postgres(name) => Self::create_from(&format!(" TEMPLATE {name}")),
        }
    }

    /// One made `from` what follows the name, on PostgreSQL.
    fn create_from(from: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("keystead_test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(&name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder for the test");
        match server() {
            None => Self { database: Database::Sqlite(folder.join("keystead.db")), folder, postgres: None },
            Some(server) => {
                on_server(&server, &format!("CREATE DATABASE {name}{from}"));
                let (base, _) = server.rsplit_once('/').expect("a URL with a database");
                let database = Database::Postgres(format!("{base}/{name}"));
                Self { folder, database, postgres: Some((server, name)) }
            }
        }
    }

    /// Every byte that the database and the data directory hold.
    pub fn everything_stored(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for entry in std::fs::read_dir(&self.folder).expect("the folder") {
            bytes.extend(std::fs::read(entry.expect("an entry").path()).expect("a file"));
        }
        if let Database::Postgres(url) = &self.database {
            let url = url.clone();
            let rows = std::thread::spawn(move || {
                let mut client = postgres::Client::connect(&url, postgres::NoTls).expect("the database");
                let tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'";
                let mut text = String::new();
                for table in client.query(tables, &[]).expect("the tables") {
                    let rows = format!("SELECT CAST(t AS TEXT) FROM {} t", table.get::<_, String>(0));
                    for row in client.query(&rows, &[]).expect("the rows") {
                        text.push_str(&row.get::<_, String>(0));
                        text.push('\n');
                    }
                }
                text
            });
            bytes.extend(rows.join().expect("joins").into_bytes());
        }
        bytes
    }

    /// Its URL, on PostgreSQL.
    pub fn url(&self) -> &str {
        match &self.database {
            Database::Postgres(url) => url,
            Database::Sqlite(_) => panic!("the suite runs on SQLite"),
        }
    }

    /// Runs a statement on the server, but in another database, on PostgreSQL; `{}` stands for the name of this one.
    pub fn on_server(&self, sql: &str) {
        let (server, name) = self.postgres.as_ref().expect("PostgreSQL");
        on_server(server, &sql.replace("{}", name));
    }

    /// Whether the suite runs on PostgreSQL.
    pub fn is_postgres() -> bool {
        server().is_some()
    }
}

/// A database with the schema of this release, and nothing in it.
enum Schema {
    /// Its file.
    Sqlite(Vec<u8>),
    /// Its name. It stays behind, on a server that is thrown away.
    Postgres(String),
}

impl Schema {
    async fn make() -> Self {
        let mut made = TestDatabase::create();
        let store = Store::open(&made.database, &Options { connections: 1, ..Options::default() }).expect("a database");
        store.migrations().apply(START).await.expect("its schema");
        let copy = made.folder.join("copy.db");
        let is_file = store.copy_file(&copy).expect("a copy");
        store.close();
        if is_file {
            return Self::Sqlite(std::fs::read(copy).expect("the copy"));
        }
        // Nobody may be connected to what is copied.
        made.on_server("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{}'");
        Self::Postgres(made.postgres.take().expect("PostgreSQL").1)
    }
}

fn server() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the suite's one switch")]
    std::env::var(SERVER).ok()
}

/// A client must be made, used and dropped outside of an async runtime.
pub(crate) fn on_server(server: &str, sql: &str) {
    let (server, sql) = (server.to_owned(), sql.to_owned());
    std::thread::spawn(move || {
        postgres::Client::connect(&server, postgres::NoTls)
            .expect("the PostgreSQL of the test suite")
            .batch_execute(&sql)
            .expect("a statement of the test suite");
    })
    .join()
    .expect("joins");
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Some((server, name)) = &self.postgres {
            on_server(server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
