//! The will of Keystead: [`App`], with one method for each use case.
//!
//! Every front door calls these methods, and no door touches the store. Each has the same beats: require a scope,
//! build the record from valid types, write it with its event in one transaction, answer.

mod accounts;
mod aftermath;
mod agencies;
mod api_keys;
mod app;
pub mod audit;
mod businesses;
mod campaigns;
mod clicks;
mod clock;
mod contact_companions;
mod contact_dossier;
mod contact_duplicates;
mod contact_export;
mod contact_merge;
mod contact_tags;
mod contact_trash;
mod contacts;
mod context;
mod custom_fields;
mod custom_values;
mod dashboards;
mod enrollments;
mod entropy;
pub mod error;
pub mod error_code;
mod events;
mod field_values;
mod figures;
mod files;
mod form_files;
mod form_versions;
mod forms;
mod guesses;
mod health;
mod idempotency;
mod import_files;
mod imports;
mod inbound_webhooks;
mod journal;
mod key_usage;
mod keys;
mod known_browsers;
mod link_tokens;
mod links;
mod locations;
mod lost_keys;
mod lost_reasons;
mod mails;
mod many;
mod notes;
mod notices;
mod operate;
mod opportunities;
mod opportunity_search;
mod owner;
mod password;
mod pipelines;
mod public_forms;
pub mod queue;
mod rate_limit;
mod recurring_tasks;
mod resource;
mod saved_views;
mod secret;
mod seen;
mod service_clock;
mod sessions;
mod setup;
mod sources;
mod submissions;
pub mod sweep;
mod system;
mod tags;
pub mod tally;
mod tasks;
mod templates;
mod users;
mod webhooks;
mod workflows;

pub use accounts::NewAccount;
pub use agencies::NewAgency;
pub use api_keys::{ChangedKey, CreatedKey, Receipt, warning_of_namesakes};
pub use app::{App, Limits, OpenAppError, RateLimits, WebhookLimits};
pub use clicks::{Led, Means, Opening, UnknownFields};
pub use clock::{Clock, TestClock};
pub use contact_companions::FollowersChanged;
pub use contact_dossier::{ContactDossier, Kept};
pub use contact_duplicates::SameIn;
pub use contact_export::{ContactExport, ContactFormat, ContactWriter, InParts};
pub use contact_tags::{TagChange, TagsChanged};
pub use contact_trash::RestoredContact;
pub use contacts::{OldTags, Upserted, WhenDuplicate};
pub use context::{AgencyContext, Authority, LocationContext, RequestFacts, RequestId};
pub use dashboards::{Counted as CountedUpTo, DueTasks};
pub use entropy::Entropy;
pub use error::{Error, Result, Unavailable, Violation};
pub use error_code::ErrorCode;
pub use events::Described;
pub use events::list::{EventCursor, EventPage, EventQuery};
pub use events::names::{ActorNames, CUSTOM_FIELD, EventNames, thing as thing_of_event};
pub use figures::{Figure, Reading};
pub use files::{FILE_BYTES, NewFile};
pub use form_files::{FileRoom, FormFile, SUBMISSION_BYTES};
pub use form_versions::FieldUse;
pub use forms::FormResource;
pub use health::{DiskSpace, NotReady};
pub use idempotency::{Claim, IdempotencyKey, Replay};
pub use import_files::{ColumnField, FileHead, HeadColumn, IMPORT_BYTES};
pub use imports::{ContactRow, ContactRows, NewImport, RowContact, RowReader, RowsOf};
pub use inbound_webhooks::{InboundMakings, Incoming, Intake, MadeInbound, NewInbound, Received};
pub use journal::{Gap, Journal, Reapplied, Revocations, UndecidedKey};
pub use key_usage::{Steps, UsageCounter, UsageReport};
pub use keys::{fence::Fence, verification::KeyCaller};
pub use keystead_outbound::{Client as OutboundClient, Mailer, address::Allowed, target::Guard};
pub use keystead_store::stored::Stored;
pub use keystead_store::{
    BOUNDS, Distribution, Durations,
    api_keys::KeyFilter,
    clicks::{ClickFilter, ClickStats},
    events::AuditFilter,
    notices::NoticeFilter,
    spent,
};
pub use link_tokens::MintedLink;
pub use lost_keys::{OldKeyEnds, REPORTED_AT_ONCE, ReplacedKey};
pub use many::UpsertMany;
pub use opportunities::{Beside, Known, WholeOpportunity, Whose};
pub use opportunity_search::StageSums;
pub use owner::adopt;
pub use public_forms::{FormAddress, OpenForm, PageToken, StrangersAnswers};
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
pub use webhooks::{
    CHAIN_HEADER, DeliveryFigures, DeliveryPause, Hears, MadeEndpoint, NewEndpoint, Overdue, PublicKey, Recovered,
    WholeDelivery, WholeEndpoint,
};
