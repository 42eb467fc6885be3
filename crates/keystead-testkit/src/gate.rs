//! Stopping transactions inside, on PostgreSQL: at the beginning or the end of each statement on a table.

use std::{
    sync::mpsc,
    thread::{self, JoinHandle},
    time::Duration,
};

use keystead_store::Database;

use crate::{TestDatabase, database::on_server};

/// Any number will do.
const LOCK: i64 = 7;

/// A closed gate: statements on its table wait in the connections of [`TestDatabase::gated`], and nobody else's.
pub struct Gate {
    url: String,
    table: String,
    holder: Option<(mpsc::Sender<()>, JoinHandle<()>)>,
}

impl TestDatabase {
    /// The database by connections that gates stop.
    pub fn gated(&self) -> Database {
        Database::Postgres(format!("{}?options=-c%20keystead.gated%3Dyes", self.url()))
    }

    /// Closes a gate `"BEFORE"` or `"AFTER"` each statement that writes to `table`.
    pub fn close_gate(&self, table: &str, when: &str) -> Gate {
        on_server(
            self.url(),
            &format!(
                "CREATE OR REPLACE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                     IF current_setting('keystead.gated', true) = 'yes' THEN
                         -- However slow the machine is: whoever stands here is not to give up.
                         PERFORM set_config('lock_timeout', '0', true);
                         PERFORM pg_advisory_xact_lock({LOCK});
                         PERFORM set_config('lock_timeout', '2s', true);
                     END IF;
                     RETURN NULL;
                 END $$;
                 CREATE TRIGGER gate {when} INSERT OR UPDATE OR DELETE ON {table}
                     FOR EACH STATEMENT EXECUTE FUNCTION wait_at_gate();"
            ),
        );
        let url = self.url().to_owned();
        let ((open, opened), (hold, held)) = (mpsc::channel::<()>(), mpsc::channel());
        let statement = format!("SELECT pg_advisory_lock({LOCK})");
        let holding = url.clone();
        let holder = thread::spawn(move || {
            let mut client = postgres::Client::connect(&holding, postgres::NoTls).expect("the database");
            client.batch_execute(&statement).expect("the gate");
            hold.send(()).expect("a listener");
            // Also when the test has failed meanwhile.
            let _ = opened.recv_timeout(Duration::from_secs(30));
        });
        held.recv().expect("the gate is closed");
        Gate { url, table: table.to_owned(), holder: Some((open, holder)) }
    }
}

impl Gate {
    /// How many sessions wait for a lock: whoever stands at the gate, and whoever waits for them.
    pub fn waiting(&self) -> i64 {
        let url = self.url.clone();
        thread::spawn(move || {
            let mut client = postgres::Client::connect(&url, postgres::NoTls).expect("the database");
            let waiting = "SELECT count(*) FROM pg_stat_activity
                WHERE wait_event_type = 'Lock' AND datname = current_database()";
            client.query_one(waiting, &[]).expect("the sessions").get(0)
        })
        .join()
        .expect("joins")
    }

    /// Lets everybody through from now on.
    pub fn open(&mut self) {
        if let Some((open, holder)) = self.holder.take() {
            let _ = open.send(());
            holder.join().expect("joins");
        }
    }

    /// Takes the gate away.
    pub fn remove(mut self) {
        self.open();
        on_server(&self.url, &format!("DROP TRIGGER gate ON {}", self.table));
    }
}
