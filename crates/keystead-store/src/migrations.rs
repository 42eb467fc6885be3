//! The schema, as an append-only list of SQL files. The same files run on both databases.

use keystead_model::UtcMs;

use crate::{Error, OpenError, Store, Tx};

/// Number and text, ascending. A file that was released is never edited; a change is a new file.
const FILES: &[(i64, &str, &str)] = &[
    (1, "instance", include_str!("../migrations/0001_instance.sql")),
    (2, "tenants", include_str!("../migrations/0002_tenants.sql")),
    (3, "users", include_str!("../migrations/0003_users.sql")),
    (4, "api_keys", include_str!("../migrations/0004_api_keys.sql")),
    (5, "audit", include_str!("../migrations/0005_audit.sql")),
    (6, "idempotency", include_str!("../migrations/0006_idempotency.sql")),
    (7, "contacts", include_str!("../migrations/0007_contacts.sql")),
    (8, "notes_tasks", include_str!("../migrations/0008_notes_tasks.sql")),
    (9, "inactivity", include_str!("../migrations/0009_inactivity.sql")),
    (10, "audit_seals", include_str!("../migrations/0010_audit_seals.sql")),
    (11, "usage", include_str!("../migrations/0011_usage.sql")),
    (12, "mails", include_str!("../migrations/0012_mails.sql")),
    (13, "nodes", include_str!("../migrations/0013_nodes.sql")),
    (14, "notice_preferences", include_str!("../migrations/0014_notice_preferences.sql")),
    (15, "audit_erasure", include_str!("../migrations/0015_audit_erasure.sql")),
];

/// Any number will do, as long as all nodes use the same.
const LOCK: i64 = 0x006b_6579_7374_6561;

/// The migrations of this release against one database.
pub struct Migrations<'s> {
    store: &'s Store,
}

impl<'s> Migrations<'s> {
    pub(crate) fn new(store: &'s Store) -> Self {
        Self { store }
    }

    /// The newest version that this release knows.
    pub fn known() -> i64 {
        FILES.last().map_or(0, |(version, ..)| *version)
    }

    /// The version of the database; 0 is empty. A newer one than [`Migrations::known`] is an error.
    pub async fn current(&self) -> Result<i64, OpenError> {
        let found = self.store.write_serial(current).await?;
        if found > Self::known() {
            return Err(OpenError::NewerSchema { found, known: Self::known() });
        }
        Ok(found)
    }

    /// Applies what is missing, all or nothing, one node at a time.
    pub async fn apply(&self, now: UtcMs) -> Result<(), OpenError> {
        self.current().await?;
        self.store
            .write_serial(move |tx| {
                if tx.is_postgres() {
                    tx.execute("SELECT pg_advisory_xact_lock(?1)", &[&LOCK])?;
                }
                let version = current(tx)?;
                for (number, name, sql) in FILES.iter().filter(|(number, ..)| *number > version) {
                    tx.batch(&for_database(sql, tx.is_postgres()))?;
                    tx.execute(
                        "INSERT INTO schema_migrations (version, name, applied_at) VALUES (?1, ?2, ?3)",
                        &[number, name, &now],
                    )?;
                }
                Ok::<_, Error>(())
            })
            .await?;
        Ok(())
    }
}

/// All of them, on an empty database of either kind, without the rows that say so: a copy brings these.
pub(crate) fn create(tx: &mut Tx<'_>) -> Result<(), Error> {
    let postgres = tx.is_postgres();
    FILES.iter().try_for_each(|(_, _, sql)| tx.batch(&for_database(sql, postgres)))
}

pub(crate) fn current(tx: &mut Tx<'_>) -> Result<i64, Error> {
    let exists = if tx.is_postgres() {
        "SELECT CAST(count(*) AS BIGINT) FROM information_schema.tables
         WHERE table_schema = current_schema() AND table_name = 'schema_migrations'"
    } else {
        "SELECT count(*) FROM sqlite_schema WHERE name = 'schema_migrations'"
    };
    if tx.query_one(exists, &[], |row| row.column::<i64>())? == 0 {
        return Ok(0);
    }
    tx.query_one("SELECT CAST(COALESCE(max(version), 0) AS BIGINT) FROM schema_migrations", &[], |row| row.column())
}

/// Text is compared byte-wise on both, whatever the locale of the PostgreSQL database.
fn for_database(sql: &str, postgres: bool) -> String {
    let (text, bytes, serial) = if postgres {
        ("TEXT COLLATE \"C\"", "BYTEA", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY")
    } else {
        ("TEXT", "BLOB", "INTEGER PRIMARY KEY AUTOINCREMENT")
    };
    sql.replace("{text}", text).replace("{bytes}", bytes).replace("{serial}", serial)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_applied_in_its_order() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut files: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        let applied: Vec<String> = FILES.iter().map(|(version, name, _)| format!("{version:04}_{name}.sql")).collect();
        assert_eq!(files, applied);
        assert!(FILES.iter().zip(1..).all(|((version, ..), expected)| *version == expected));
    }
}
