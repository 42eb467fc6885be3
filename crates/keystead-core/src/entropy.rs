//! Randomness, asked at the edge.

use std::sync::{Arc, Mutex, PoisonError};

use keystead_model::{KeyId, UtcMs, id::Id};

/// Where random bytes come from.
#[derive(Clone)]
pub enum Entropy {
    /// The operating system.
    System,
    /// A sequence that a test can repeat. Not for anything that must be secret.
    Seeded(Arc<Mutex<u64>>),
}

impl Entropy {
    /// The same bytes for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(Mutex::new(seed)))
    }

    /// Fills `out`.
    pub fn fill(&self, out: &mut [u8]) {
        match self {
            Self::System => {
                #[expect(clippy::disallowed_methods, reason = "the one place that asks for randomness")]
                getrandom::fill(out).expect("the operating system has randomness");
            }
            Self::Seeded(state) => {
                let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                for byte in out {
                    // SplitMix64: any 64-bit seed gives a full-period sequence.
                    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                    let mut mixed = *state;
                    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                    *byte = (mixed ^ (mixed >> 31)) as u8;
                }
            }
        }
    }

    /// A new id.
    pub fn id<T>(&self, now: UtcMs) -> Id<T> {
        Id::generate(now, |pool| self.fill(pool))
    }

    /// A new key id.
    pub fn key_id(&self) -> KeyId {
        KeyId::generate(|pool| self.fill(pool))
    }

    /// A secret of 256 bits that somebody carries, as base64url text.
    pub fn token(&self) -> String {
        use base64::Engine;
        let mut bytes = [0; 32];
        self.fill(&mut bytes);
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
    }
}
