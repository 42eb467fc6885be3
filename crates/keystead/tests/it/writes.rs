//! Writes of a location: one after another on all servers, many in a commit, each as if it were alone.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use keystead_core::{App, Error, LocationContext, TagChange, WhenDuplicate};
use keystead_model::{
    LocationId,
    contact::{ContactPatch, MAX_TAGS},
    location::LocationPatch,
    page::Window,
    phone::PhoneNumber,
    tag::{TagFilter, TagName},
    text::{Country, EmailAddress},
};
use keystead_store::{Error as StoreError, Store, Tx};
use keystead_testkit::{TestApp, TestDatabase};
use serde_json::json;
use tokio::task::JoinSet;

/// Servers on one database: three on PostgreSQL, on SQLite the one that there can be.
async fn servers(app: &TestApp) -> Vec<App> {
    if TestDatabase::is_postgres() {
        vec![app.app.clone(), app.second_node().await, app.second_node().await]
    } else {
        vec![app.app.clone(); 3]
    }
}

async fn context(app: &TestApp) -> LocationContext {
    let operator = app.operator().await;
    app.app.enter_location(operator.authority().clone(), Some(app.ids.location)).await.unwrap()
}

fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn with_email(text: &str) -> ContactPatch {
    ContactPatch { email: Some(Some(email(text))), ..ContactPatch::default() }
}

fn tag(name: &str) -> TagName {
    TagName::parse(name).unwrap()
}

async fn contacts(app: &TestApp) -> Vec<keystead_model::contact::Contact> {
    let context = context(app).await;
    let window = Window::first(1000);
    app.app.list_contacts(&context, keystead_model::contact::ContactFilter::default(), window).await.unwrap().page.rows
}

#[tokio::test(flavor = "multi_thread")]
async fn of_equal_requests_at_once_one_makes_a_contact() {
    let app = TestApp::start().await;
    let (servers, context) = (servers(&app).await, context(&app).await);
    for round in 0..10 {
        let mut all = JoinSet::new();
        for number in 0..24 {
            let (server, context) = (servers[number % 3].clone(), context.clone());
            let (upserted, created) = (format!("u{round}@example.com"), format!("c{round}@example.com"));
            all.spawn(async move {
                if number % 2 == 0 {
                    let done = server.upsert_contact(&context, with_email(&upserted), WhenDuplicate::Update).await;
                    (usize::from(done.expect("an upsert is never refused").is_new), 0)
                } else {
                    match server.create_contact(&context, with_email(&created)).await {
                        Ok(_) => (0, 1),
                        Err(Error::Duplicate(duplicate)) => {
                            assert!(!duplicate.id.as_str().is_empty());
                            (0, 0)
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
        let made = all.join_all().await.into_iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        assert_eq!(made, (1, 1), "round {round}");
    }
    assert_eq!(contacts(&app).await.len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_is_renamed_on_all_contacts_also_on_those_that_get_it_meanwhile() {
    let app = TestApp::start().await;
    let (servers, context) = (servers(&app).await, context(&app).await);
    let mut ids = Vec::new();
    for number in 0..12 {
        ids.push(app.app.create_contact(&context, with_email(&format!("t{number}@example.com"))).await.unwrap().id);
    }
    let renamed = app.app.create_tag(&context, tag("name 0")).await.unwrap().id;
    for round in 0..20 {
        let mut all = JoinSet::new();
        for (number, id) in ids.iter().copied().enumerate() {
            let (server, context) = (servers[number % 3].clone(), context.clone());
            all.spawn(async move {
                server
                    .change_contact_tags(&context, id, TagChange::Add(vec![tag(&format!("name {round}"))]))
                    .await
                    .map(drop)
            });
        }
        let (server, context) = (servers[round % 3].clone(), context.clone());
        all.spawn(async move {
            let name = tag(&format!("name {}", round + 1));
            server.rename_tag(&context, renamed, name).await.map(drop)
        });
        for done in all.join_all().await {
            done.unwrap();
        }
        // Whoever came after the renaming has made the old name anew.
        for stale in
            app.app.list_tags(&self::context(&app).await, TagFilter::default(), Window::all()).await.unwrap().rows
        {
            if stale.id != renamed {
                app.app.delete_tag(&self::context(&app).await, stale.id).await.unwrap();
            }
        }
    }
    let known: Vec<TagName> = app
        .app
        .list_tags(&context, TagFilter::default(), Window::all())
        .await
        .unwrap()
        .rows
        .into_iter()
        .map(|tag| tag.name)
        .collect();
    for contact in contacts(&app).await {
        for name in &contact.tags {
            assert!(known.contains(name), "{name:?} is on a contact, and no tag of the location");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_holds_however_many_come_at_once() {
    let app = TestApp::start().await;
    let (servers, context) = (servers(&app).await, context(&app).await);
    let names = |range: std::ops::Range<usize>| range.map(|number| tag(&format!("tag {number}"))).collect::<Vec<_>>();
    let first = ContactPatch { tags: Some(names(0..MAX_TAGS - 10)), ..with_email("limit@example.com") };
    let id = app.app.create_contact(&context, first).await.unwrap().id;
    let mut all = JoinSet::new();
    for number in 0..30 {
        let (server, context, new) =
            (servers[number % 3].clone(), context.clone(), names(1000 + number..1001 + number));
        all.spawn(async move {
            match server.change_contact_tags(&context, id, TagChange::Add(new)).await {
                Ok(_) => 1,
                Err(Error::Invalid(_)) => 0,
                Err(error) => panic!("{error}"),
            }
        });
    }
    let added: usize = all.join_all().await.into_iter().sum();
    assert_eq!((added, app.app.get_contact(&context, id).await.unwrap().tags.len()), (10, MAX_TAGS));
}

#[tokio::test(flavor = "multi_thread")]
async fn crossed_identities_are_settled_without_a_refusal() {
    let app = TestApp::start().await;
    let (servers, context) = (servers(&app).await, context(&app).await);
    for round in 0..10 {
        let mut all = JoinSet::new();
        for number in 0..12 {
            let (server, context) = (servers[number % 3].clone(), context.clone());
            // Each e-mail with either phone.
            let phone = format!("+1201555{:04}", round * 2 + number % 2);
            let patch = ContactPatch {
                phone: Some(Some(PhoneNumber::parse(&phone, Country::US).unwrap())),
                ..with_email(&format!("x{round}-{}@example.com", number / 2 % 2))
            };
            all.spawn(async move { server.upsert_contact(&context, patch, WhenDuplicate::Update).await.map(drop) });
        }
        for done in all.join_all().await {
            done.unwrap();
        }
    }
    let all = contacts(&app).await;
    let mut phones: Vec<String> =
        all.iter().filter_map(|contact| Some(contact.profile.phone.as_ref()?.as_str().to_owned())).collect();
    phones.sort_unstable();
    let count = phones.len();
    phones.dedup();
    assert_eq!(phones.len(), count, "no phone on two contacts");
}

/// What a location allows is decided under its lock, so nothing is stored by what it allowed a moment ago.
#[tokio::test(flavor = "multi_thread")]
async fn a_setting_does_not_change_under_a_write() {
    if !TestDatabase::is_postgres() {
        return;
    }
    let app = TestApp::start().await;
    let (context, operator) = (context(&app).await, app.operator().await);
    let allow = |allow| LocationPatch { allow_duplicate_contact: Some(allow), ..LocationPatch::default() };
    app.app.update_location(&operator, app.ids.location, allow(true)).await.unwrap();
    app.app.create_contact(&context, with_email("same@example.com")).await.unwrap();
    let (stopped, other) = (app.node_on(&app.database.gated()).await, app.second_node().await);
    let mut gate = app.database.close_gate("contact_identities", "AFTER");
    let mut all = JoinSet::new();
    {
        let context = context.clone();
        all.spawn(async move {
            stopped.create_contact(&context, with_email("same@example.com")).await.unwrap();
        });
    }
    while gate.waiting() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let is_forbidden = Arc::new(AtomicBool::new(false));
    {
        let (location, is_forbidden) = (app.ids.location, Arc::clone(&is_forbidden));
        all.spawn(async move {
            other.update_location(&operator, location, allow(false)).await.unwrap();
            is_forbidden.store(true, SeqCst);
        });
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!is_forbidden.load(SeqCst), "it waits for the write that the old setting has let begin");
    gate.open();
    all.join_all().await;
    let third = app.app.create_contact(&context, with_email("same@example.com")).await;
    assert!(matches!(third, Err(Error::Duplicate(_))));
}

fn count(tx: &mut Tx<'_>, location: LocationId) -> Result<i64, StoreError> {
    tx.query_one("SELECT contacts FROM contact_counts WHERE location_id = ?1 AND slot = 15", &[&location], |row| {
        row.column()
    })
}

fn set(tx: &mut Tx<'_>, location: LocationId, value: i64) -> Result<(), StoreError> {
    let sql = "INSERT INTO contact_counts (location_id, slot, contacts) VALUES (?1, 15, ?2)
        ON CONFLICT (location_id, slot) DO UPDATE SET contacts = excluded.contacts";
    tx.execute(sql, &[&location, &value]).map(drop)
}

/// Stores of the test on one database.
fn stores(app: &TestApp) -> Vec<Store> {
    let first = app.second_store();
    if TestDatabase::is_postgres() { vec![first, app.second_store(), app.second_store()] } else { vec![first; 3] }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_is_still_so_when_it_is_written() {
    let app = TestApp::start().await;
    let (stores, location) = (stores(&app), app.ids.location);
    stores[0].write_in(location, move |tx| set(tx, location, 0)).await.unwrap();
    let mut all = JoinSet::new();
    for number in 0..800 {
        let store = stores[number % 3].clone();
        all.spawn(async move {
            let add = move |tx: &mut Tx<'_>| {
                let before = count(tx, location)?;
                set(tx, location, before + 1)
            };
            store.write_in(location, add).await.unwrap();
        });
    }
    all.join_all().await;
    assert_eq!(stores[0].write_in(location, move |tx| count(tx, location)).await.unwrap(), 800);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_closure_delays_no_other_location() {
    if !TestDatabase::is_postgres() {
        // There is one writer, whatever it writes.
        return;
    }
    let app = TestApp::start().await;
    let (store, here, other) = (app.second_store(), app.ids.location, app.location("Other").await);
    let go_on = Arc::new(AtomicBool::new(false));
    let mut slow = JoinSet::new();
    {
        let (store, go_on) = (store.clone(), Arc::clone(&go_on));
        slow.spawn(async move {
            let work = move |tx: &mut Tx<'_>| {
                while !go_on.load(SeqCst) {
                    tx.execute("SELECT 1", &[])?;
                    std::thread::sleep(Duration::from_millis(5));
                }
                Ok::<_, StoreError>(())
            };
            store.write_in(here, work).await
        });
    }
    for value in 0..100 {
        store.write_in(other, move |tx| set(tx, other, value)).await.unwrap();
    }
    assert!(slow.try_join_next().is_none(), "it is still at work");
    go_on.store(true, SeqCst);
    slow.join_next().await.unwrap().unwrap().unwrap();
}

/// What becomes of closures that share a transaction with those that go wrong in every way.
#[tokio::test(flavor = "multi_thread")]
async fn a_closure_that_goes_wrong_harms_nobody_beside_it() {
    let app = TestApp::start().await;
    let (store, location) = (app.second_store(), app.ids.location);
    let is_open = Arc::new(AtomicBool::new(false));
    let runs: Arc<Vec<AtomicUsize>> = Arc::new((0..40).map(|_| AtomicUsize::new(0)).collect());
    let mut all = JoinSet::new();
    // Holds the queue until all others stand in it, so that they make one group.
    {
        let (store, is_open) = (store.clone(), Arc::clone(&is_open));
        all.spawn(async move {
            let wait = move |_: &mut Tx<'_>| {
                while !is_open.load(SeqCst) {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Ok::<_, StoreError>(())
            };
            (usize::MAX, store.write_in(location, wait).await)
        });
    }
    for number in 0..40 {
        let (store, runs) = (store.clone(), Arc::clone(&runs));
        all.spawn(async move {
            let work = move |tx: &mut Tx<'_>| {
                runs[number].fetch_add(1, SeqCst);
                let slot = 100 + number as i64;
                let add = "INSERT INTO contact_counts (location_id, slot, contacts) VALUES (?1, ?2, 1)";
                tx.later(add, &[&location, &slot])?;
                match number {
                    5 => panic!("as it must not"),
                    10 => return Err(StoreError::Refused("its own reason".to_owned())),
                    15 => drop(tx.execute("INSERT INTO nowhere (a) VALUES (1)", &[])?),
                    // Fails when nobody waits for it any more.
                    20 => tx.later(add, &[&location, &slot])?,
                    25 if TestDatabase::is_postgres() => {
                        // PostgreSQL ends the connection.
                        std::thread::sleep(Duration::from_millis(2500));
                        tx.execute("SELECT 1", &[])?;
                    }
                    _ => {}
                }
                Ok(())
            };
            (number, store.write_in(location, work).await)
        });
        // So that they stand in this order.
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    is_open.store(true, SeqCst);
    let mut failed = Vec::new();
    while let Some(done) = all.join_next().await {
        if let (number, Err(error)) = done.unwrap() {
            failed.push((number, error));
        }
    }
    failed.sort_by_key(|(number, _)| *number);
    let numbers: Vec<usize> = failed.iter().map(|(number, _)| *number).collect();
    let expected: &[usize] = if TestDatabase::is_postgres() { &[5, 10, 15, 20, 25] } else { &[5, 10, 15, 20] };
    assert_eq!(numbers, expected, "{failed:?}");
    assert!(matches!(failed[0].1, StoreError::Panicked), "{failed:?}");
    assert!(matches!(&failed[1].1, StoreError::Refused(reason) if reason == "its own reason"), "{failed:?}");
    let kept: Vec<i64> = store
        .read(move |tx| {
            let sql = "SELECT slot FROM contact_counts WHERE location_id = ?1 AND slot >= 100 ORDER BY slot";
            tx.query(sql, &[&location], |row| row.column())
        })
        .await
        .unwrap();
    let wanted: Vec<i64> =
        (0..40).filter(|number| !expected.contains(number)).map(|number| 100 + number as i64).collect();
    assert_eq!(kept, wanted, "each once, and nothing of those that failed");
}

/// Rows that are written late belong to their closure, and everybody after it sees them.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_can_tell_that_rows_are_written_late() {
    let app = TestApp::start().await;
    let context = context(&app).await;
    let mut all = JoinSet::new();
    for number in 0..40 {
        let (app, context) = (app.app.clone(), context.clone());
        all.spawn(async move {
            // Every fourth is refused, after its words have been noted.
            let name = if number % 4 == 0 { "taken@example.com".to_owned() } else { format!("w{number}@example.com") };
            app.create_contact(&context, with_email(&name)).await.is_ok()
        });
    }
    let made = all.join_all().await.into_iter().filter(|made| *made).count();
    assert_eq!(made, 31);
    let window = Window::first(100);
    let page =
        app.app.list_contacts(&context, keystead_model::contact::ContactFilter::default(), window).await.unwrap();
    assert_eq!((page.page.rows.len(), page.total), (31, 31), "rows and their count agree");
    for contact in &page.page.rows {
        let words = keystead_model::search::asked(contact.profile.email.as_ref().unwrap().as_str(), Country::US);
        let filter = keystead_model::contact::ContactFilter { search: Some(words), ..Default::default() };
        let found = app.app.list_contacts(&context, filter, window).await.unwrap();
        assert_eq!(found.page.rows.len(), 1, "{:?} is found", contact.profile.email);
    }
}

/// A step that is undone takes everything of it along, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_is_undone_alone() {
    let app = TestApp::start().await;
    let (store, location) = (app.second_store(), app.ids.location);
    let add = move |tx: &mut Tx<'_>, slot: i64| {
        let sql = "INSERT INTO contact_counts (location_id, slot, contacts) VALUES (?1, ?2, 1)";
        tx.later(sql, &[&location, &slot])
    };
    let work = move |tx: &mut Tx<'_>| {
        add(tx, 200)?;
        let refused = tx.attempt(|tx| {
            add(tx, 201)?;
            Err::<(), _>(StoreError::Refused("no".to_owned()))
        });
        assert!(matches!(refused, Err(StoreError::Refused(_))));
        // What nobody waits for fails within its attempt, too.
        assert!(tx.attempt(|tx| add(tx, 202).and_then(|()| add(tx, 200))).is_err());
        tx.attempt(|tx| {
            add(tx, 203)?;
            let inner = tx.attempt(|tx| {
                add(tx, 204)?;
                Err::<(), _>(StoreError::Refused("no".to_owned()))
            });
            assert!(inner.is_err());
            add(tx, 205)
        })?;
        tx.query(
            "SELECT slot FROM contact_counts WHERE location_id = ?1 AND slot >= 200 ORDER BY slot",
            &[&location],
            |row| row.column::<i64>(),
        )
    };
    assert_eq!(store.write_in(location, work).await.unwrap(), [200, 203, 205]);
}

/// What has no queue of its own is run again where PostgreSQL finds that it was not alone. That is counted, and no failure.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_loses_a_race_runs_again() {
    let app = TestApp::start().await;
    let (store, location) = (app.second_store(), app.ids.location);
    store.write(move |tx| set(tx, location, 0)).await.unwrap();
    let mut all = JoinSet::new();
    for _ in 0..60 {
        let store = store.clone();
        all.spawn(async move {
            let add = move |tx: &mut Tx<'_>| {
                let before = count(tx, location)?;
                set(tx, location, before + 1)
            };
            store.write(add).await.unwrap();
        });
    }
    all.join_all().await;
    assert_eq!(store.read(move |tx| count(tx, location)).await.unwrap(), 60);
    assert_eq!(store.figures().retries > 0, TestDatabase::is_postgres());
}

/// What is refused for an address that somebody has is refused before anything is written, so that nothing has to be undone.
#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_costs_nobody_a_second_run() {
    let app = TestApp::start().await;
    let (key, context) = (app.location_key().await, context(&app).await);
    let runs_again = async || {
        let figures = app.app.figures().await;
        let found = figures.iter().find(|figure| figure.name == "keystead_database_retries").unwrap();
        format!("{:?}", found.reading)
    };
    for name in ["ada", "bob"] {
        app.app.create_contact(&context, with_email(&format!("{name}@example.com"))).await.unwrap();
    }
    let bob = app.get("/contacts/?query=bob").key(&key).send().await.expect(200)["contacts"][0]["id"].clone();
    let before = runs_again().await;
    let taken = json!({"email": "Ada@example.com", "phone": "+14155550123", "tags": ["new"]});
    app.post("/contacts/").key(&key).json(&taken).send().await.expect(400);
    app.put(&format!("/contacts/{}", bob.as_str().unwrap())).key(&key).json(&taken).send().await.expect(400);
    assert_eq!(runs_again().await, before, "a refusal had something to undo");
    // The claim of an Idempotency-Key comes before everything else, and has to go.
    app.post("/contacts/").key(&key).header("Idempotency-Key", "x").json(&taken).send().await.expect(400);
    assert_ne!(runs_again().await, before, "nothing is counted");
    assert_eq!(contacts(&app).await.len(), 2);
}

/// Whoever shares a transaction with a closure that has to be run again is answered before it is.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_committed_is_answered_before_anything_runs_again() {
    if !TestDatabase::is_postgres() {
        // Nothing runs again there.
        return;
    }
    let app = TestApp::start().await;
    let (store, location) = (app.second_store(), app.ids.location);
    store.write_in(location, move |tx| set(tx, location, 0)).await.unwrap();
    let is_open = Arc::new(AtomicBool::new(false));
    let mut all = JoinSet::new();
    for number in 0..8 {
        let (store, is_open) = (store.clone(), Arc::clone(&is_open));
        all.spawn(async move {
            let work = move |tx: &mut Tx<'_>| {
                while number == 0 && !is_open.load(SeqCst) {
                    std::thread::sleep(Duration::from_millis(1));
                }
                // A key that is taken is a lost race, which this one loses each time.
                let slot = if number == 3 { 15 } else { 100 + number };
                let sql = "INSERT INTO contact_counts (location_id, slot, contacts) VALUES (?1, ?2, 1)";
                tx.execute(sql, &[&location, &slot]).map(drop)
            };
            (number, store.write_in(location, work).await)
        });
        // So that they stand in this order.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    is_open.store(true, SeqCst);
    let mut order = Vec::new();
    while let Some(done) = all.join_next().await {
        order.push(done.unwrap());
    }
    let (last, outcome) = order.pop().unwrap();
    assert!(last == 3 && matches!(outcome, Err(StoreError::Contended(_))), "{last}: {outcome:?}");
    assert!(order.iter().all(|(_, outcome)| outcome.is_ok()), "{order:?}");
}

/// A server that restarts, or a standby that takes over, ends connections in the middle of what they do.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_connection_leaves_when_it_dies_is_done_on_another() {
    if !TestDatabase::is_postgres() {
        return;
    }
    let app = TestApp::start().await;
    let (store, location) = (app.second_store(), app.ids.location);
    for way in 0..3 {
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&runs);
        let work = move |tx: &mut Tx<'_>| {
            if counted.fetch_add(1, SeqCst) == 0 {
                tx.query_opt("SELECT pg_terminate_backend(pg_backend_pid())", &[], |row| row.column::<bool>())?;
            }
            tx.query_one("SELECT CAST(count(*) AS BIGINT) FROM locations", &[], |row| row.column::<i64>())
        };
        let outcome = match way {
            0 => store.read(work).await,
            1 => store.write(work).await,
            _ => store.write_in(location, work).await,
        };
        assert_eq!((outcome.unwrap(), runs.load(SeqCst)), (1, 2), "way {way}");
    }
}
