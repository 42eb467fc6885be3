//! Passwords: Argon2id, a few at a time so that sign-ins cannot take all memory.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use keystead_model::session::{PASSWORD_MAX, PASSWORD_MIN};
use tokio::sync::Semaphore;

use crate::{Error, Result, entropy::Entropy};

/// Hashes at a time: each takes 19 MiB and some 20 ms.
const AT_ONCE: usize = 2;

pub(crate) struct Passwords {
    permits: Semaphore,
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

impl Passwords {
    pub(crate) fn new(entropy: &Entropy) -> Result<Self> {
        let mut salt = [0; 16];
        entropy.fill(&mut salt);
        Ok(Self { permits: Semaphore::new(AT_ONCE), decoy: hash("nobody has this password", salt)? })
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
    pub(crate) async fn hash(&self, password: &str, entropy: &Entropy) -> Result<String> {
        Self::check(password)?;
        let mut salt = [0; 16];
        entropy.fill(&mut salt);
        let password = password.to_owned();
        self.run(move || hash(&password, salt)).await?
    }

    /// Whether `password` belongs to `stored`; takes equally long where nothing is stored.
    pub(crate) async fn verify(&self, password: &str, stored: Option<&str>) -> Result<bool> {
        let known = stored.is_some();
        let stored = stored.unwrap_or(&self.decoy).to_owned();
        // Nobody's password is longer, and the hash must not chew on a megabyte.
        let password: String = password.chars().take(PASSWORD_MAX + 1).collect();
        let right = self
            .run(move || {
                PasswordHash::new(&stored)
                    .is_ok_and(|stored| argon2().verify_password(password.as_bytes(), &stored).is_ok())
            })
            .await?;
        Ok(right && known)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let _permit = self.permits.acquire().await.map_err(|_| Error::Internal("no permit".to_owned()))?;
        tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(format!("hashing failed: {error}")))
    }
}
