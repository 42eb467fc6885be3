//! The cache as an exhaustive model: every interleaving of a fill, a revocation and a request (loom).

use loom::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

mod modelled {
    use std::sync::PoisonError;

    use loom::sync::Mutex;

    include!("generation.rs");
}

use modelled::{Generation, may_share};

/// What the database says of a key.
const LIVE: u64 = 0;
const REVOKED: u64 = 1;

/// A node that fills its cache while the key is revoked. Afterwards nothing that is kept may be older than the revocation.
fn fill_and_revoke(conditional: bool) {
    loom::model(move || {
        let database = Arc::new(AtomicU64::new(LIVE));
        let (generation, kept) = (Arc::new(Generation::default()), Arc::new(Mutex::new(None)));
        let fill = {
            let (database, generation, kept) = (Arc::clone(&database), Arc::clone(&generation), Arc::clone(&kept));
            move || {
                let begun = generation.begin();
                let read = database.load(Ordering::SeqCst);
                let insert = || *kept.lock().unwrap() = Some(read);
                if conditional {
                    generation.keep(begun, insert);
                } else {
                    insert();
                }
            }
        };
        let filler = thread::spawn(fill);
        // The revocation commits, and is applied here before its answer.
        database.store(REVOKED, Ordering::SeqCst);
        generation.invalidate(|| *kept.lock().unwrap() = None);
        // Its answer is out: whoever looks now must not find the key alive.
        assert_ne!(*kept.lock().unwrap(), Some(LIVE), "a dead key came back");
        filler.join().unwrap();
        assert_ne!(*kept.lock().unwrap(), Some(LIVE), "a dead key came back");
    });
}

#[test]
fn a_fill_brings_no_dead_key_back() {
    fill_and_revoke(true);
}

#[test]
#[should_panic(expected = "a dead key came back")]
fn an_unconditional_insert_would() {
    fill_and_revoke(false);
}

/// A request that arrives after a revocation's answer, while another one's read may be under way.
fn join_and_revoke(asks_when_it_began: bool) {
    loom::model(move || {
        let (database, clock) = (Arc::new(AtomicU64::new(LIVE)), Arc::new(AtomicU64::new(0)));
        // When the last read began, and what it found; the lock makes the others wait for it.
        let gate = Arc::new(Mutex::new(None));
        let read = {
            let (database, clock, gate) = (Arc::clone(&database), Arc::clone(&clock), Arc::clone(&gate));
            move || {
                let mut last = gate.lock().unwrap();
                let begun = clock.fetch_add(1, Ordering::SeqCst);
                *last = Some((begun, database.load(Ordering::SeqCst)));
            }
        };
        let other = thread::spawn(read);
        database.store(REVOKED, Ordering::SeqCst);
        let arrived = clock.fetch_add(1, Ordering::SeqCst);
        let last = gate.lock().unwrap();
        let found = match *last {
            Some((begun, found)) if !asks_when_it_began || may_share(begun, arrived) => found,
            _ => database.load(Ordering::SeqCst),
        };
        drop(last);
        assert_eq!(found, REVOKED, "a request joined a read from before it arrived");
        other.join().unwrap();
    });
}

#[test]
fn a_request_shares_only_reads_that_began_after_it_arrived() {
    join_and_revoke(true);
}

#[test]
#[should_panic(expected = "joined a read from before")]
fn joining_any_read_would_admit_a_dead_key() {
    join_and_revoke(false);
}
