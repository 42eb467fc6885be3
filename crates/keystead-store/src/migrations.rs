//! The schema, as an append-only list of SQL files. The same files run on both databases.

use keystead_model::UtcMs;

use crate::{Error, OpenError, Store, Tx, contact_upgrades, opportunities, pipelines, tasks, user_search};

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
    (16, "shared_identities", include_str!("../migrations/0016_shared_identities.sql")),
    (17, "idempotent_subjects", include_str!("../migrations/0017_idempotent_subjects.sql")),
    (18, "ended_secrets", include_str!("../migrations/0018_ended_secrets.sql")),
    (19, "members_of_several_agencies", include_str!("../migrations/0019_members_of_several_agencies.sql")),
    (20, "lineage", include_str!("../migrations/0020_lineage.sql")),
    (21, "idle_work", include_str!("../migrations/0021_idle_work.sql")),
    (22, "events", include_str!("../migrations/0022_events.sql")),
    (23, "jobs", include_str!("../migrations/0023_jobs.sql")),
    (24, "contact_conditions", include_str!("../migrations/0024_contact_conditions.sql")),
    (25, "field_values", include_str!("../migrations/0025_field_values.sql")),
    (26, "first_tries", include_str!("../migrations/0026_first_tries.sql")),
    (27, "custom_values", include_str!("../migrations/0027_custom_values.sql")),
    (28, "businesses", include_str!("../migrations/0028_businesses.sql")),
    (29, "custom_fields", include_str!("../migrations/0029_custom_fields.sql")),
    (30, "files", include_str!("../migrations/0030_files.sql")),
    (32, "contact_companions", include_str!("../migrations/0032_contact_companions.sql")),
    (33, "enrollments", include_str!("../migrations/0033_enrollments.sql")),
    (34, "identity_priority", include_str!("../migrations/0034_identity_priority.sql")),
    (35, "companies", include_str!("../migrations/0035_companies.sql")),
    (36, "deleted_locations", include_str!("../migrations/0036_deleted_locations.sql")),
    (37, "user_profiles", include_str!("../migrations/0037_user_profiles.sql")),
    (38, "pipelines", include_str!("../migrations/0038_pipelines.sql")),
    (39, "opportunities", include_str!("../migrations/0039_opportunities.sql")),
    (41, "workflows", include_str!("../migrations/0041_workflows.sql")),
    (42, "links", include_str!("../migrations/0042_links.sql")),
    (43, "recurring_tasks", include_str!("../migrations/0043_recurring_tasks.sql")),
    (44, "forms", include_str!("../migrations/0044_forms.sql")),
    (45, "templates", include_str!("../migrations/0045_templates.sql")),
    (46, "tag_counts", include_str!("../migrations/0046_tag_counts.sql")),
    (47, "opportunities_of_owners", include_str!("../migrations/0047_opportunities_of_owners.sql")),
    (48, "tables_by_key", include_str!("../migrations/0048_tables_by_key.sql")),
    (49, "trash_of_a_location", include_str!("../migrations/0049_trash_of_a_location.sql")),
    (50, "imports", include_str!("../migrations/0050_imports.sql")),
    (51, "reasons_of_the_lost", include_str!("../migrations/0051_reasons_of_the_lost.sql")),
    (52, "international_addresses", include_str!("../migrations/0052_international_addresses.sql")),
    (53, "aftermath", include_str!("../migrations/0053_aftermath.sql")),
    (54, "opportunity_conditions", include_str!("../migrations/0054_opportunity_conditions.sql")),
    (55, "contacts_by_name", include_str!("../migrations/0055_contacts_by_name.sql")),
    (56, "users_searched", include_str!("../migrations/0056_users_searched.sql")),
    (57, "incomplete_rows", include_str!("../migrations/0057_incomplete_rows.sql")),
    (58, "time_zones_of_users", include_str!("../migrations/0058_time_zones_of_users.sql")),
    (59, "events_of_administration", include_str!("../migrations/0059_events_of_administration.sql")),
    (60, "usage_of_tenants", include_str!("../migrations/0060_usage_of_tenants.sql")),
    (61, "successors_of_keys", include_str!("../migrations/0061_successors_of_keys.sql")),
    (62, "about_keys", include_str!("../migrations/0062_about_keys.sql")),
    (63, "key_policies", include_str!("../migrations/0063_key_policies.sql")),
    (64, "readers_of_mails", include_str!("../migrations/0064_readers_of_mails.sql")),
    (65, "trash_by_time", include_str!("../migrations/0065_trash_by_time.sql")),
    (66, "saved_views", include_str!("../migrations/0066_saved_views.sql")),
    (67, "trials_of_imports", include_str!("../migrations/0067_trials_of_imports.sql")),
    (68, "successors_of_ended_keys", include_str!("../migrations/0068_successors_of_ended_keys.sql")),
    (69, "webhooks", include_str!("../migrations/0069_webhooks.sql")),
    (70, "origins_of_keys", include_str!("../migrations/0070_origins_of_keys.sql")),
    (71, "clicks", include_str!("../migrations/0071_clicks.sql")),
    (72, "form_versions", include_str!("../migrations/0072_form_versions.sql")),
    (75, "notices_of_nouns", include_str!("../migrations/0075_notices_of_nouns.sql")),
    (76, "inbound_webhooks", include_str!("../migrations/0076_inbound_webhooks.sql")),
    (77, "files_of_submissions", include_str!("../migrations/0077_files_of_submissions.sql")),
    (79, "held_submissions", include_str!("../migrations/0079_held_submissions.sql")),
    (80, "clicks_that_wait", include_str!("../migrations/0080_clicks_that_wait.sql")),
    (81, "pause_of_deliveries", include_str!("../migrations/0081_pause_of_deliveries.sql")),
    (82, "signing_keys_of_webhooks", include_str!("../migrations/0082_signing_keys_of_webhooks.sql")),
    (83, "inbound_bodies", include_str!("../migrations/0083_inbound_bodies.sql")),
    (86, "failures_of_webhooks", include_str!("../migrations/0086_failures_of_webhooks.sql")),
];

/// Files that change nothing but how SQLite keeps its tables.
const OF_SQLITE: &[i64] = &[48];

/// What a file needs besides its SQL: rows that follow from others by rules of the model. Done once, after the last file, since
/// the code knows today's schema only.
const AFTERWARDS: &[(i64, Step)] = &[
    (16, contact_upgrades::reindex),
    (24, contact_upgrades::refold),
    (38, pipelines::give_first),
    (43, tasks::refold),
    (52, contact_upgrades::find_international),
    (54, opportunities::refold),
    (56, user_search::refold),
];

type Step = fn(&mut Tx<'_>) -> Result<(), Error>;

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

    /// The version of a database that has one, whatever this release knows.
    pub fn version(tx: &mut Tx<'_>) -> Result<i64, Error> {
        let newest = "SELECT CAST(COALESCE(max(version), 0) AS BIGINT) FROM schema_migrations";
        tx.query_one(newest, &[], |row| row.column())
    }

    /// The version of the database; 0 is empty. A newer one than [`Migrations::known`] is an error.
    pub async fn current(&self) -> Result<i64, OpenError> {
        let found = self.store.read(current).await?;
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
                upgrade(tx, now)
            })
            .await?;
        Ok(())
    }
}

/// Brings the schema of an open transaction's database to this release's.
fn upgrade(tx: &mut Tx<'_>, now: UtcMs) -> Result<(), Error> {
    let version = current(tx)?;
    for file in FILES.iter().filter(|(number, ..)| *number > version) {
        apply(tx, file)?;
        let (number, name, _) = file;
        tx.execute(
            "INSERT INTO schema_migrations (version, name, applied_at) VALUES (?1, ?2, ?3)",
            &[number, name, &now],
        )?;
    }
    AFTERWARDS.iter().filter(|(number, _)| *number > version).try_for_each(|(_, step)| step(tx))
}

/// All of them, on an empty database of either kind, without the rows that say so: a copy brings these.
pub(crate) fn create(tx: &mut Tx<'_>) -> Result<(), Error> {
    FILES.iter().try_for_each(|file| apply(tx, file))
}

fn apply(tx: &mut Tx<'_>, (number, _, sql): &(i64, &str, &str)) -> Result<(), Error> {
    let is_postgres = tx.is_postgres();
    if is_postgres && OF_SQLITE.contains(number) {
        return Ok(());
    }
    tx.batch(&for_database(sql, is_postgres))
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
    Migrations::version(tx)
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
    use keystead_model::{LocationId, pipeline::Pipeline};

    use super::*;

    /// A database as a release with these files had left it.
    fn database(version: i64) -> rusqlite::Connection {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let mut tx = Tx::sqlite(&connection);
        for (number, name, sql) in FILES.iter().filter(|(number, ..)| *number <= version) {
            tx.batch(&for_database(sql, false)).unwrap();
            let sql = "INSERT INTO schema_migrations (version, name, applied_at) VALUES (?1, ?2, 0)";
            tx.execute(sql, &[number, name]).unwrap();
        }
        connection
    }

    #[test]
    fn contacts_of_an_older_release_are_found_by_the_rules_of_this_one() {
        let connection = database(15);
        let (one, two, ada, bob) =
            ["0000000000000000000A", "0000000000000000000B", "0000000000000000000C", "0000000000000000000D"].into();
        let mut sql = String::new();
        sql += "INSERT INTO agencies (id, name, state, resumed_at, created_at) VALUES ('a', 'a', 'active', 0, 0);";
        for (location, duplicates) in [(one, 0), (two, 1)] {
            sql += &format!(
                "INSERT INTO locations (id, agency_id, state, resumed_at, name, name_lower, country, timezone,
                     allow_duplicate_contact, allow_duplicate_opportunity, allow_facebook_name_merge,
                     disable_contact_timezone, social, created_at, updated_at)
                 VALUES ('{location}', 'a', 'active', 0, 'x', 'x', 'US', 'UTC', {duplicates}, 0, 0, 0, '[]', 0, 0);"
            );
            for contact in [ada, bob] {
                sql += &format!(
                    "INSERT INTO contacts (location_id, id, first_name, email, phone, additional_emails, dnd, created_at,
                         updated_at)
                     VALUES ('{location}', '{contact}', 'María', 'Ada@example.com', '+12015550150', 'b@example.com', 0, 0, 0);
                     INSERT INTO contact_terms (location_id, term, contact_id) VALUES ('{location}', 'old', '{contact}');"
                );
            }
        }
        connection.execute_batch(&sql).unwrap();
        let mut tx = Tx::sqlite(&connection);
        upgrade(&mut tx, UtcMs(0)).unwrap();
        assert_eq!(current(&mut tx).unwrap(), Migrations::known());
        let mut rows = |sql: &str| tx.query(sql, &[], |row| row.column::<String>()).unwrap();
        let terms = rows("SELECT DISTINCT term FROM contact_terms ORDER BY term");
        for term in ["-05105551021", "ada", "b@example.com", "maria"] {
            assert!(terms.iter().any(|known| known == term), "{term} in {terms:?}");
        }
        assert!(!terms.contains(&"old".to_owned()));
        assert_eq!(rows("SELECT DISTINCT first_name_folded FROM contacts"), ["maria"]);
        // Where duplicates are forbidden the older one holds all that both have; where they are allowed, nobody does.
        let held = "SELECT location_id || kind || value || contact_id FROM contact_identities WHERE sharer = ''";
        let expected =
            ["emailada@example.com", "emailb@example.com", "phone+12015550150"].map(|it| format!("{one}{it}{ada}"));
        let mut held = rows(held);
        held.sort();
        assert_eq!(held, expected);
        assert_eq!(rows("SELECT value FROM contact_identities").len(), 12);
        // Locations from before there were pipelines have the one that they would have been made with.
        let first = |location: &str| Pipeline::first(LocationId::parse(location).unwrap(), UtcMs(0)).id.to_string();
        let mut pipelines = rows("SELECT location_id || id FROM pipelines");
        pipelines.sort();
        assert_eq!(pipelines, [one, two].map(|location| format!("{location}{}", first(location))));
        assert_eq!(rows("SELECT id FROM pipeline_stages").len(), 8);
    }

    #[test]
    fn opportunities_of_an_older_release_are_compared_by_the_rules_of_this_one() {
        let connection = database(49);
        let location = "0000000000000000000A";
        let mut sql = format!(
            "INSERT INTO agencies (id, name, state, resumed_at, created_at) VALUES ('a', 'a', 'active', 0, 0);
             INSERT INTO locations (id, agency_id, state, resumed_at, name, name_lower, country, timezone,
                 allow_duplicate_contact, allow_duplicate_opportunity, allow_facebook_name_merge,
                 disable_contact_timezone, social, created_at, updated_at)
             VALUES ('{location}', 'a', 'active', 0, 'x', 'x', 'US', 'UTC', 0, 0, 0, 0, '[]', 0, 0);
             INSERT INTO contacts (location_id, id, dnd, created_at, updated_at) VALUES ('{location}', '0000000000000000000C', FALSE, 0, 0);"
        );
        // More than one page of them.
        for number in 0..501 {
            let source = if number == 500 { "'Web\u{a0}Form '" } else { "NULL" };
            sql += &format!(
                "INSERT INTO opportunities (location_id, id, contact_id, pipeline_id, stage_id, status, name, value, source,
                     slip_count, status_changed_at, stage_changed_at, created_at, updated_at)
                 VALUES ('{location}', '{number:020}', '0000000000000000000C', 'p', 's', 'open', 'Große Küche', '', {source}, 0, 0, 0, 0, 0);"
            );
        }
        connection.execute_batch(&sql).unwrap();
        let mut tx = Tx::sqlite(&connection);
        upgrade(&mut tx, UtcMs(0)).unwrap();
        let mut rows = |sql: &str| tx.query(sql, &[], |row| row.column::<String>()).unwrap();
        assert_eq!(rows("SELECT DISTINCT COALESCE(name_folded, '') FROM opportunities"), ["grosse kuche"]);
        assert_eq!(rows("SELECT source_folded FROM opportunities WHERE source_folded IS NOT NULL"), ["web form"]);
    }

    #[test]
    fn mails_that_wait_are_jobs_of_the_queue() {
        let connection = database(21);
        let mail = |id: &str, state: &str| {
            format!(
                "INSERT INTO mails (id, kind, user_id, day, to_address, subject, body, state, attempts, next_at, created_at)
                 VALUES ('{id}', 'summary', 'u', '{id}', 'a@example.com', 's', 'b', '{state}', 3, 70, 50);"
            )
        };
        connection
            .execute_batch(&format!(
                "INSERT INTO agencies (id, name, state, resumed_at, created_at) VALUES ('a', 'a', 'active', 0, 0);
                 INSERT INTO users (id, agency_id, email, email_lower, role, is_operator, disabled, created_at)
                     VALUES ('u', 'a', 'A@x.example', 'a', 'agency-admin', FALSE, FALSE, 0);
                 {}{}",
                mail("0000000000000000000A", "waiting"),
                mail("0000000000000000000B", "sent")
            ))
            .unwrap();
        let mut tx = Tx::sqlite(&connection);
        upgrade(&mut tx, UtcMs(0)).unwrap();
        let jobs =
            "SELECT id || ' ' || kind || ' ' || owner_id, attempts, unsettled, due_at, created_at, begun_at FROM jobs";
        let jobs = tx.query(jobs, &[], |row| {
            Ok((row.column::<String>()?, row.column()?, row.column()?, row.column()?, row.column()?, row.column()?))
        });
        let expected: (String, i64, i64, i64, i64, i64) = ("0000000000000000000A mail a".to_owned(), 3, 0, 70, 50, 50);
        assert_eq!(jobs.unwrap(), [expected]);
        // Who has no name is called by the address.
        let users = tx.query("SELECT name_folded || ':' || searched FROM users", &[], |row| row.column::<String>());
        assert_eq!(users.unwrap(), ["a@x.example:a@x.example\na@x.example\n"]);
    }

    #[test]
    fn tasks_of_an_older_release_are_searched_and_its_tags_counted() {
        let connection = database(28);
        let contact = |number: u32| format!("{number:020}");
        let mut sql =
            "INSERT INTO agencies (id, name, state, resumed_at, created_at) VALUES ('a', 'a', 'active', 0, 0);
             INSERT INTO locations (id, agency_id, state, resumed_at, name, name_lower, country, timezone,
                 allow_duplicate_contact, allow_duplicate_opportunity, allow_facebook_name_merge,
                 disable_contact_timezone, social, created_at, updated_at)
             VALUES ('0000000000000000000A', 'a', 'active', 0, 'x', 'x', 'US', 'UTC', 0, 0, 0, 0, '[]', 0, 0);
             INSERT INTO tags (location_id, id, name, created_at) VALUES ('0000000000000000000A', 'v', 'vip', 0),
                 ('0000000000000000000A', 'n', 'none', 0);"
                .to_owned();
        // More than one page of tasks.
        for number in 0..40 {
            let (id, trashed) = (contact(number), if number < 3 { "1" } else { "NULL" });
            sql += &format!(
                "INSERT INTO contacts (location_id, id, dnd, created_at, updated_at, trashed_at)
                 VALUES ('0000000000000000000A', '{id}', FALSE, 0, 0, {trashed});
                 INSERT INTO contact_tags (location_id, contact_id, position, name)
                 VALUES ('0000000000000000000A', '{id}', 1, 'vip');"
            );
            for task in 0..30 {
                let task = contact(task);
                sql += &format!(
                    "INSERT INTO tasks (location_id, contact_id, id, title, due_at, completed, created_at, updated_at)
                     VALUES ('0000000000000000000A', '{id}', '{task}', 'Größe', 0, FALSE, 0, 0);"
                );
            }
        }
        connection.execute_batch(&sql).unwrap();
        let mut tx = Tx::sqlite(&connection);
        upgrade(&mut tx, UtcMs(0)).unwrap();
        let folded = "SELECT title_folded, count(*) FROM tasks GROUP BY title_folded";
        let folded = tx.query(folded, &[], |row| Ok((row.column::<Option<String>>()?, row.column::<i64>()?)));
        assert_eq!(folded.unwrap(), [(Some("grosse".to_owned()), 1200)]);
        let counted = "SELECT name, contacts FROM tags ORDER BY name";
        let counted = tx.query(counted, &[], |row| Ok((row.column::<String>()?, row.column::<i64>()?)));
        assert_eq!(counted.unwrap(), [("none".to_owned(), 0), ("vip".to_owned(), 37)]);
    }

    #[test]
    fn what_is_not_lost_has_no_reason_for_it() {
        let connection = database(49);
        let opportunity = |id: &str, status: &str, trashed: &str| {
            format!(
                "INSERT INTO opportunities (location_id, id, contact_id, pipeline_id, stage_id, name, status, value,
                     lost_reason_id, slip_count, created_at, updated_at, status_changed_at, stage_changed_at, trashed_at)
                 VALUES ('0000000000000000000L', '{id:0>20}', 'c{id}', 'p', 's', 'x', '{status}', '0', 'r', 0, 0, 0, 0, 0, {trashed});"
            )
        };
        let all = [("1", "open", "NULL"), ("2", "lost", "NULL"), ("3", "won", "1"), ("4", "lost", "1")];
        let sql = all.map(|(id, status, trashed)| opportunity(id, status, trashed)).concat();
        connection.execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).unwrap();
        let mut tx = Tx::sqlite(&connection);
        upgrade(&mut tx, UtcMs(0)).unwrap();
        let with = "SELECT substr(id, 20) FROM opportunities WHERE lost_reason_id IS NOT NULL ORDER BY id";
        let with = tx.query(with, &[], |row| row.column::<String>()).unwrap();
        assert_eq!(with, ["2", "4"]);
    }

    #[test]
    fn international_addresses_of_an_older_release_are_found_in_both_forms() {
        let connection = database(51);
        let contact = |id: &str, email: &str, further: &str| {
            format!(
                "INSERT INTO contacts (location_id, id, email, additional_emails, dnd, created_at, updated_at)
                 VALUES ('0000000000000000000A', '{id}', '{email}', {further}, FALSE, 0, 0);
                 INSERT INTO contact_terms (location_id, term, contact_id) VALUES ('0000000000000000000A', 'old', '{id}');"
            )
        };
        let sql = [
            contact("0000000000000000000B", "ada@xn--mller-kva.example", "NULL"),
            contact("0000000000000000000C", "bob@example.com", "'bob@müller.example'"),
            contact("0000000000000000000D", "cleo@example.com", "NULL"),
        ];
        connection.execute_batch(&format!("PRAGMA foreign_keys = OFF; {}", sql.concat())).unwrap();
        let mut tx = Tx::sqlite(&connection);
        upgrade(&mut tx, UtcMs(0)).unwrap();
        let mut with = |term: &str| {
            let sql = "SELECT contact_id FROM contact_terms WHERE term = ?1 ORDER BY contact_id";
            tx.query(sql, &[&term], |row| row.column::<String>()).unwrap()
        };
        for term in ["muller", "mller"] {
            assert_eq!(with(term), ["0000000000000000000B", "0000000000000000000C"], "{term}");
        }
        // Of others nothing is written anew.
        assert_eq!(with("old"), ["0000000000000000000D"]);
    }

    #[test]
    fn every_file_is_applied_in_its_order() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut files: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        let applied: Vec<String> = FILES.iter().map(|(version, name, _)| format!("{version:04}_{name}.sql")).collect();
        assert_eq!(files, applied);
        assert!(FILES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
