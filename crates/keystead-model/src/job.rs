//! Work that waits for its turn.

use std::time::Duration;

use crate::{id::Id, time::UtcMs};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// A mail goes out; the job has the id of the mail.
    Mail,
    /// Rows of a file become contacts; the job has the id of the import.
    Import,
    /// What follows from a change in many rows is written; the job has the id of the ripple, or of the user who is deleted.
    Aftermath,
    /// A message goes to an endpoint of a webhook; the job has the id of the delivery, and belongs to the endpoint.
    Delivery,
}

impl JobKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Mail, Self::Import, Self::Aftermath, Self::Delivery];

    /// `"mail"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Import => "import",
            Self::Aftermath => "aftermath",
            Self::Delivery => "delivery",
        }
    }

    /// How long whoever takes one has it to itself. What a server had that was killed waits so long for another.
    pub const fn lease(self) -> Duration {
        Duration::from_secs(match self {
            Self::Mail | Self::Import | Self::Aftermath => 120,
            // A call ends within 15 s.
            Self::Delivery => 40,
        })
    }
}

/// Work that somebody has taken, for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Whose id it has follows from its kind.
    pub id: Id<()>,
    /// What is to be done.
    pub kind: JobKind,
    /// Who waits for it: a location, an agency, or an endpoint. Owners take turns.
    pub owner: Id<()>,
    /// How often it was taken, this time included; no other taker has the same number.
    pub attempt: i64,
    /// How often in a row it was taken by somebody who never said what became of it, this time not included.
    pub lost: i64,
    /// When it was put here.
    pub created_at: UtcMs,
    /// When it was taken for the first time.
    pub begun_at: UtcMs,
}

impl Job {
    /// Takers that a job may cost. One that ends its server each time must not do so for ever.
    pub const MOST_LOST: i64 = 5;

    /// Whether it has cost too many of those who took it to be tried once more.
    pub fn is_dangerous(&self) -> bool {
        self.lost >= Self::MOST_LOST
    }
}

/// How many jobs of a kind stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobCounts {
    /// Waiting for their turn, or for another try.
    pub waiting: i64,
    /// Taken.
    pub taken: i64,
    /// Given up, and kept for a while.
    pub given_up: i64,
}
