use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::task::JoinSet;

use crate::{Database, Error, Options, Store, Tx};

type Write = Box<dyn Fn(&mut Tx<'_>) -> crate::Result<()> + Send>;

/// A store in a folder of its own, which goes with the test.
fn store(name: &str) -> (Store, PathBuf) {
    let folder = std::env::temp_dir().join(format!("keystead-store-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("test.db");
    (Store::open(&Database::Sqlite(path.clone()), &Options::default()).expect("opens"), path)
}

async fn ids(store: &Store) -> Vec<i64> {
    store
        .read(|tx| tx.query("SELECT id FROM rows ORDER BY id", &[], |row| row.column()))
        .await
        .map_err(|e: Error| e)
        .unwrap()
}

/// Holds the writer until all closures of a batch are queued, so that they do share a commit.
async fn batch(store: &Store, closures: Vec<Write>) -> Vec<bool> {
    let (open, gate) = std::sync::mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    let held = store.clone();
    let mut first = JoinSet::new();
    first.spawn(async move {
        held.write::<_, Error, _>(move |_| {
            let _ = gate.lock().expect("gate").recv();
            Ok(())
        })
        .await
    });
    tokio::time::sleep(Duration::from_millis(30)).await;
    let waiting = closures.into_iter().map(|closure| {
        let store = store.clone();
        let mut waiting = JoinSet::new();
        waiting.spawn(async move { store.write::<_, Error, _>(move |tx| closure(tx)).await.is_ok() });
        waiting
    });
    let waiting: Vec<_> = waiting.collect();
    tokio::time::sleep(Duration::from_millis(30)).await;
    drop(open);
    assert!(first.join_all().await.into_iter().all(|held| held.is_ok()), "the gate commits");
    let mut outcomes = Vec::new();
    for one in waiting {
        outcomes.extend(one.join_all().await);
    }
    outcomes
}

fn insert(id: i64, text: String) -> Write {
    Box::new(move |tx| tx.execute("INSERT INTO rows (id, text) VALUES (?1, ?2)", &[&id, &text]).map(drop))
}

/// A disk that is full in the middle of a batch ends SQLite's transaction behind our back. What was acknowledged must
/// be there, and what was refused must not.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_in_a_batch_loses_nothing_that_was_acknowledged() {
    let (store, _) = store("full");
    store
        .write::<_, Error, _>(|tx| {
            tx.batch("CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")?;
            tx.batch("PRAGMA max_page_count = 40")
        })
        .await
        .expect("a table");
    let small = "x".repeat(100);
    let outcomes = batch(
        &store,
        vec![insert(1, small.clone()), insert(2, "y".repeat(4_000_000)), insert(3, small.clone()), insert(4, small)],
    )
    .await;
    assert_eq!(outcomes, [true, false, true, true]);
    assert_eq!(ids(&store).await, [1, 3, 4]);
}

/// What a savepoint may have to undo goes into a file where it is much.
#[tokio::test(flavor = "multi_thread")]
async fn a_closure_may_change_more_than_fits_into_memory() {
    let (store, _) = store("much");
    store
        .write::<_, Error, _>(|tx| {
            tx.batch("CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")?;
            (1..=3_000).try_for_each(|id: i64| {
                tx.execute("INSERT INTO rows (id, text) VALUES (?1, ?2)", &[&id, &"x".repeat(4_000)]).map(drop)
            })
        })
        .await
        .expect("a table");
    let change = |tx: &mut Tx<'_>| {
        let refused: Result<(), Error> = tx.attempt(|tx| {
            tx.execute("UPDATE rows SET text = 'undone'", &[])?;
            Err(Error::Statement("no".to_owned()))
        });
        assert!(matches!(refused, Err(Error::Statement(_))), "{refused:?}");
        tx.execute("UPDATE rows SET text = 'short' WHERE length(text) = 4000", &[])
    };
    assert_eq!(store.write::<_, Error, _>(change).await.expect("12 MB are changed"), 3_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_or_panicking_closure_takes_nobody_with_it() {
    let (store, _) = store("panic");
    store
        .write::<_, Error, _>(|tx| tx.batch("CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT NOT NULL)"))
        .await
        .expect("a table");
    let refuse: Write = Box::new(|tx| {
        tx.execute("INSERT INTO rows (id, text) VALUES (20, 'x')", &[])?;
        Err(Error::Statement("no".to_owned()))
    });
    let panic: Write = Box::new(|tx| {
        tx.execute("INSERT INTO rows (id, text) VALUES (30, 'x')", &[])?;
        panic!("a test")
    });
    let outcomes = batch(&store, vec![insert(1, "a".into()), refuse, panic, insert(4, "b".into())]).await;
    assert_eq!(outcomes, [true, false, false, true]);
    assert_eq!(ids(&store).await, [1, 4]);
}

/// Savepoints cost more than what they rarely undo: who fails before anything was changed needs none, and who fails afterwards has
/// the batch run again with them.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_runs_again_only_where_something_has_to_be_undone() {
    let (store, _) = store("again");
    store
        .write::<_, Error, _>(|tx| tx.batch("CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT NOT NULL)"))
        .await
        .expect("a table");
    let count = |store: &Store| store.figures().retries;
    let refuse = || Err::<(), _>(Error::Refused("no".to_owned()));
    let early: Write = Box::new(move |tx| {
        tx.query("SELECT id FROM rows", &[], |row| row.column::<i64>())?;
        tx.execute("DELETE FROM rows WHERE id = 99", &[])?;
        assert!(tx.attempt(|_| refuse()).is_err(), "nor does an attempt that changed nothing");
        refuse()
    });
    assert_eq!(batch(&store, vec![insert(1, "a".into()), early, insert(2, "b".into())]).await, [true, false, true]);
    assert_eq!(count(&store), 0);

    let attempts: Write = Box::new(move |tx| {
        insert(3, "c".into())(tx)?;
        let refused = tx.attempt(|tx| insert(4, "d".into())(tx).and_then(|()| refuse()));
        assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
        insert(5, "e".into())(tx)
    });
    assert_eq!(batch(&store, vec![attempts, insert(6, "f".into())]).await, [true, true]);
    assert_eq!(count(&store), 1);
    let late: Write = Box::new(move |tx| insert(7, "g".into())(tx).and_then(|()| refuse()));
    assert_eq!(batch(&store, vec![insert(8, "h".into()), late, insert(9, "i".into())]).await, [true, false, true]);
    assert_eq!(count(&store), 2);
    assert_eq!(ids(&store).await, [1, 2, 3, 5, 6, 8, 9]);

    let table: Write = Box::new(move |tx| {
        tx.execute("DELETE FROM rows WHERE id = 99", &[])?;
        tx.execute("CREATE TABLE more (id INTEGER)", &[]).and_then(|_| refuse())
    });
    assert_eq!(batch(&store, vec![table, insert(10, "j".into())]).await, [false, true]);
    let is_there =
        store.read::<_, Error, _>(|tx| tx.query("SELECT id FROM more", &[], |row| row.column::<i64>())).await;
    assert!(is_there.is_err(), "nor does the schema keep what was refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_closures_share_one_commit() {
    let (store, _) = store("group");
    store
        .write::<_, Error, _>(|tx| tx.batch("CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT NOT NULL)"))
        .await
        .expect("a table");
    let runs = Arc::new(AtomicU32::new(0));
    let closures = (0..20)
        .map(|id| {
            let runs = Arc::clone(&runs);
            let insert = insert(id, "x".into());
            Box::new(move |tx: &mut Tx<'_>| {
                runs.fetch_add(1, Ordering::Relaxed);
                insert(tx)
            }) as Write
        })
        .collect();
    let before = store.figures();
    let outcomes = batch(&store, closures).await;
    assert!(outcomes.iter().all(|kept| *kept));
    assert_eq!(runs.load(Ordering::Relaxed), 20);
    assert_eq!(ids(&store).await.len(), 20);
    // One for the closure that held the writer, one for the twenty.
    let after = store.figures();
    assert_eq!(after.commits, before.commits + 2);
    assert_eq!(after.writes, before.writes + 21);
}

/// What an interrupt or a failing disk does: the whole transaction is gone while a closure runs. Without the check
/// the next closure's savepoint is a transaction of its own, the first is lost although it was acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_ends_behind_our_back_fails_as_a_whole_and_is_repeated() {
    let (store, _) = store("behind");
    store
        .write::<_, Error, _>(|tx| tx.batch("CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT NOT NULL)"))
        .await
        .expect("a table");
    let end: Write = Box::new(|tx| {
        tx.batch("ROLLBACK")?;
        Err(Error::Statement("the disk is gone".to_owned()))
    });
    let outcomes = batch(&store, vec![insert(1, "a".into()), end, insert(3, "b".into())]).await;
    assert_eq!(outcomes, [true, false, true]);
    assert_eq!(ids(&store).await, [1, 3]);
}

#[test]
fn a_plan_is_made_once_whatever_is_bound() {
    let path = std::env::temp_dir().join(format!("keystead-store-plans-{}.db", std::process::id()));
    let connection = super::open_connection(&path, true).unwrap();
    connection.execute_batch("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY)").unwrap();
    let mut statement = connection.prepare("SELECT id FROM rows WHERE id > ?1 LIMIT ?2 OFFSET ?3").unwrap();
    for (limit, skip) in [(1, 0), (21, 0), (0, 5), (100, 1)] {
        assert!(!statement.exists([0, limit, skip]).unwrap());
    }
    assert_eq!(statement.get_status(rusqlite::StatementStatus::RePrepare), 0);
    drop(statement);
    drop(connection);
    std::fs::remove_file(&path).unwrap();
}
