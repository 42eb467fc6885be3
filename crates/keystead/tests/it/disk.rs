//! A disk without space, and space that is given back.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use keystead_model::UtcMs;
use keystead_store::{
    Database,
    copy::{Clocks, copy},
};
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, Answer, TestApp, TestDatabase, TestKey};
use serde_json::json;

/// No audit row can be written any more, and so no change be made: with the error of a full disk, since the real one is
/// shared with others.
async fn fill(app: &TestApp) {
    if TestDatabase::is_postgres() {
        app.sql(
            "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full';
             END $$",
        )
        .await;
        app.sql("CREATE TRIGGER fill BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION fill()").await;
    } else {
        // SQLite answers FULL where the largest number was given.
        app.sql("UPDATE sqlite_sequence SET seq = 9223372036854775807 WHERE name = 'events'").await;
    }
}

async fn give_space(app: &TestApp) {
    if TestDatabase::is_postgres() {
        app.sql("DROP TRIGGER fill ON events").await;
        app.sql("DROP FUNCTION fill").await;
    } else {
        app.sql("UPDATE sqlite_sequence SET seq = 1000 WHERE name = 'events'").await;
    }
}

async fn create(app: &TestApp, key: &TestKey, path: &str) -> Answer {
    app.post(path).key(key).json(&json!({"email": "new@example.com"})).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_reading_goes_on() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    app.get("/contacts/").key(&key).send().await.expect(200);
    let sign_in = [("email", ADMIN_EMAIL), ("password", ADMIN_PASSWORD)];
    let here = |path: &str| app.post(path).header("Sec-Fetch-Site", "same-origin");
    let cookie = here("/app/sign-in").form(&sign_in).send().await.header("set-cookie").to_owned();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    assert_eq!(app.get("/readyz").send().await.text, "ready\n");
    fill(&app).await;

    let refused = create(&app, &key, "/contacts/").await;
    assert_eq!(refused.status, 507, "{}", refused.text);
    assert_eq!(refused.json()["code"], "storage_full");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
    let refused = create(&app, &key, "/v1/contacts/").await;
    assert_eq!((refused.status, &refused.json()["code"]), (507, &json!("storage_full")), "{}", refused.text);
    assert_eq!(app.get("/docs/errors/storage_full").send().await.status, 200);
    app.get("/contacts/").key(&key).send().await.expect(200);

    // What is written by the clock may succeed in between, where only the audit log cannot be.
    let begun = Instant::now();
    let ready = loop {
        let name = here("/app/agency/locations/new").header("Cookie", &cookie);
        let page = name.form(&[("name", "New"), ("country", "US"), ("timezone", "UTC")]).send().await;
        assert_eq!(page.status, 507, "{}", page.text);
        let ready = app.get("/readyz").send().await;
        if ready.text.starts_with("degraded") {
            break ready;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", ready.text);
    };
    assert_eq!(ready.status, 200, "another server could do no more");
    assert!(ready.text.contains("full") && ready.text.contains("reads works"), "{}", ready.text);
    create(&app, &key, "/contacts/").await;
    let system = app.get("/app/agency/settings/system").header("Cookie", &cookie).send().await;
    assert!(system.text.contains("disk of the database is full"), "{}", system.text);
    assert!(system.text.contains("GB free of"));

    give_space(&app).await;
    create(&app, &key, "/contacts/").await.expect(201);
    assert_eq!(app.get("/readyz").send().await.text, "ready\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wal_is_given_back_after_a_long_read() {
    if TestDatabase::is_postgres() {
        return;
    }
    let app = TestApp::start().await;
    let Database::Sqlite(path) = app.database.database.clone() else { return };
    let wal = || fs::metadata(format!("{}-wal", path.display())).map_or(0, |found| found.len());
    // As a long export, or a backup, holds one state of the database.
    let looking = app.second_store();
    let (done, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let reading = looking.read::<(), keystead_store::Error, _>(move |tx| {
        tx.query_one("SELECT count(*) FROM agencies", &[], |row| row.column::<i64>())?;
        let _ = wait.lock().unwrap().recv();
        Ok(())
    });
    let writing = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        app.sql("CREATE TABLE ballast (bytes BLOB)").await;
        for _ in 0..3 {
            app.sql("INSERT INTO ballast (bytes) VALUES (zeroblob(20000000))").await;
        }
        drop(done);
    };
    let (read, ()) = tokio::join!(reading, writing);
    read.unwrap();
    assert!(wal() > 50_000_000, "the reader kept it");

    // Whoever writes next gives it back, to the little that is kept.
    for number in 0..3 {
        app.sql(&format!("DELETE FROM ballast WHERE rowid = {number}")).await;
        app.sql("UPDATE instance SET created_at = created_at").await;
    }
    assert!(wal() <= 32 * 1024 * 1024, "{} bytes", wal());
    app.sql("DROP TABLE ballast").await;

    // A backup gives all of it back.
    assert!(wal() > 0);
    let (from, to) = (app.database.database.clone(), Database::Sqlite(app.database.folder.join("backup.db")));
    thread::spawn(move || copy(&from, &to, &Clocks::Keep, UtcMs(0), |_, _| {}).unwrap()).join().unwrap();
    assert_eq!(wal(), 0);
}
