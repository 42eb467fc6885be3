//! The will of Keystead: [`App`], with one method for each use case.
//!
//! Every front door calls these methods, and no door touches the store. Each has the same beats: require a scope,
//! build the record from valid types, write it with its event in one transaction, answer.

mod agencies;
mod api_keys;
mod app;
pub mod audit;
mod businesses;
mod campaigns;
mod clock;
mod contacts;
mod context;
mod custom_values;
mod entropy;
pub mod error;
pub mod error_code;
mod events;
mod figures;
mod guesses;
mod health;
mod idempotency;
mod journal;
mod key_usage;
mod keys;
mod known_browsers;
mod links;
mod locations;
mod lost_keys;
mod mails;
mod notes;
mod notices;
mod operate;
mod owner;
mod password;
pub mod queue;
mod rate_limit;
mod recurring_tasks;
mod resource;
mod secret;
mod seen;
mod service_clock;
mod sessions;
mod setup;
mod sources;
pub mod sweep;
mod system;
mod tags;
pub mod tally;
mod tasks;
mod users;
mod workflows;

pub use agencies::NewAgency;
pub use api_keys::{ChangedKey, CreatedKey, Receipt, warning_of_namesakes};
pub use app::{App, Limits, OpenAppError, RateLimits};
pub use clock::{Clock, TestClock};
pub use contacts::{Upserted, WhenDuplicate};
pub use context::{AgencyContext, Authority, LocationContext, RequestFacts, RequestId};
pub use entropy::Entropy;
pub use error::{Error, Result, Unavailable, Violation};
pub use error_code::ErrorCode;
pub use events::list::{EventCursor, EventPage, EventQuery};
pub use figures::{Figure, Reading};
pub use health::{DiskSpace, NotReady};
pub use idempotency::{Claim, Replay};
pub use journal::{Gap, Journal, Reapplied, Revocations, UndecidedKey};
pub use key_usage::{UsageCounter, UsageReport};
pub use keys::{fence::Fence, verification::KeyCaller};
pub use keystead_outbound::Mailer;
pub use keystead_store::stored::Stored;
pub use keystead_store::{
    BOUNDS, Distribution, Durations, api_keys::KeyFilter, events::AuditFilter, notices::NoticeFilter, spent,
};
pub use lost_keys::{OldKeyEnds, REPORTED_AT_ONCE, ReplacedKey};
pub use owner::adopt;
pub use rate_limit::{Allowance, RateStatus};
pub use resource::Resource;
pub use secret::{InstanceSecret, SecretError};
pub use seen::Seen;
pub use service_clock::NodeClock;
pub use sessions::{Credentials, SessionToken, SignedIn};
pub use setup::{Setup, SetupOutcome};
pub use sources::Source;
pub use sweep::Swept;
pub use system::SystemStatus;
