//! Passwords: Argon2id, a few at a time and behind a short queue, so that sign-ins take neither all memory nor all time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use keystead_model::session::{PASSWORD_MAX, PASSWORD_MIN};
use tokio::sync::Semaphore;

use crate::{Error, Result, Source, entropy::Entropy};

/// Hashes at a time: each takes 19 MiB and some 20 ms.
const AT_ONCE: usize = 2;
/// Hashes that may wait or run: the last of them is through in about a second.
const QUEUE: u32 = 96;
/// The same from one source, so that one cannot take the queue.
const QUEUE_OF_SOURCE: u32 = 16;

pub(crate) struct Passwords {
    permits: Arc<Semaphore>,
    /// Hashes that wait or run, by where they were asked for; what nobody asks for from outside counts as one source.
    queued: Arc<Mutex<HashMap<Option<Source>, u32>>>,
    /// Verified when there is no user, so that the answer takes as long as for a known one.
    decoy: String,
}

fn argon2() -> Argon2<'static> {
    // OWASP's first recommendation for Argon2id: 19 MiB, two passes, one lane.
    let params = Params::new(19 * 1024, 2, 1, None).expect("the parameters are valid");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &str, salt: [u8; 16]) -> Result<String> {
    let hash = argon2()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(|error| Error::Internal(format!("hashing failed: {error}")))?;
    Ok(hash.to_string())
}

/// The salt of a stored hash. Every password that is set has another, so it tells whether one was set since; nothing can
/// be guessed by it.
pub(crate) fn salt(hash: &str) -> Option<&str> {
    hash.split('$').nth(4)
}

impl Passwords {
    pub(crate) fn new(entropy: &Entropy) -> Result<Self> {
        let mut salt = [0; 16];
        entropy.fill(&mut salt);
        let decoy = hash("nobody has this password", salt)?;
        Ok(Self { permits: Arc::new(Semaphore::new(AT_ONCE)), queued: Arc::default(), decoy })
    }

    /// Checks the rules for a new password.
    pub(crate) fn check(password: &str) -> Result<()> {
        let length = password.chars().count();
        if length < PASSWORD_MIN {
            return Err(Error::invalid("password", format!("must have at least {PASSWORD_MIN} characters")));
        }
        if length > PASSWORD_MAX {
            return Err(Error::invalid("password", format!("must have at most {PASSWORD_MAX} characters")));
        }
        Ok(())
    }

    /// Hashes a new password that obeys the rules.
    pub(crate) async fn hash(&self, password: &str, entropy: &Entropy, source: Option<Source>) -> Result<String> {
        Self::check(password)?;
        let mut salt = [0; 16];
        entropy.fill(&mut salt);
        let password = password.to_owned();
        self.run(source, move || hash(&password, salt)).await?
    }

    /// Whether `password` belongs to `stored`; takes equally long where nothing is stored.
    pub(crate) async fn verify(&self, password: &str, stored: Option<&str>, source: Source) -> Result<bool> {
        let known = stored.is_some();
        let stored = stored.unwrap_or(&self.decoy).to_owned();
        // Nobody's password is longer, and the hash must not chew on a megabyte.
        let password: String = password.chars().take(PASSWORD_MAX + 1).collect();
        let right = self
            .run(Some(source), move || {
                PasswordHash::new(&stored)
                    .is_ok_and(|stored| argon2().verify_password(password.as_bytes(), &stored).is_ok())
            })
            .await?;
        Ok(right && known)
    }

    async fn run<T: Send + 'static>(
        &self,
        source: Option<Source>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let place = Place::take(&self.queued, source)?;
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|_| Error::Internal("no permit".to_owned()))?;
        // Permit and place go with the work, which does not end when whoever asked for it does.
        let work = move || {
            let _held = (permit, place);
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(format!("hashing failed: {error}")))
    }
}

/// A place in the queue, given back when it is dropped.
struct Place {
    queued: Arc<Mutex<HashMap<Option<Source>, u32>>>,
    source: Option<Source>,
}

impl Place {
    fn take(queued: &Arc<Mutex<HashMap<Option<Source>, u32>>>, source: Option<Source>) -> Result<Self> {
        let mut counts = queued.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, own) = (counts.values().sum::<u32>(), counts.get(&source).copied().unwrap_or_default());
        if all >= QUEUE || own >= QUEUE_OF_SOURCE {
            return Err(Error::TooManyRequests(Duration::from_secs(1)));
        }
        counts.insert(source, own + 1);
        Ok(Self { queued: Arc::clone(queued), source })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.queued.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(&self.source) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.remove(&self.source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(queued: &Arc<Mutex<HashMap<Option<Source>, u32>>>, last: u8) -> Option<Place> {
        Place::take(queued, Some(Source::of(std::net::IpAddr::from([192, 0, 2, last])))).ok()
    }

    #[test]
    fn one_source_cannot_take_the_queue_and_places_are_given_back() {
        let queued = Arc::default();
        let mut held: Vec<Place> = (0..100).filter_map(|_| take(&queued, 1)).collect();
        assert_eq!(held.len(), QUEUE_OF_SOURCE as usize);
        held.push(take(&queued, 2).expect("another source has its own"));
        held.extend((0..100).filter_map(|number| take(&queued, number)));
        assert_eq!(held.len(), QUEUE as usize);
        assert!(Place::take(&queued, None).is_err());
        drop(held);
        assert!(queued.lock().unwrap().is_empty());
    }
}
