//! The words of Keystead: ids, newtypes, records, states and pure rules.
//!
//! What lives here knows no time, no database, no network and no framework. A rule that decides something about a
//! record belongs here, so that the server, the CLI and the simulation use the same one.

pub mod actor;
pub mod agency;
pub mod api_key;
pub mod base62;
pub mod business;
pub mod calendar_date;
pub mod campaign;
pub mod click;
pub mod condition;
pub mod contact;
pub mod contact_field;
mod contact_intake;
mod contact_merge;
pub mod contact_upsert;
pub mod custom_field;
pub mod custom_value;
pub mod data_type;
pub mod decimal;
pub mod enrollment;
pub mod event;
pub mod field_value;
pub mod file;
pub mod form;
pub mod form_answers;
pub mod form_schema;
pub mod grant;
pub mod id;
pub mod import;
pub mod inactivity;
pub mod inbound_webhook;
pub mod invalid;
pub mod ip_range;
pub mod job;
pub mod json_object;
pub mod key_about;
pub mod key_kind;
pub mod key_policy;
pub mod key_scan;
pub mod key_search;
pub mod key_secret;
pub mod link;
pub mod location;
pub mod mail;
pub mod merge_field;
pub mod note;
pub mod notice;
pub mod opportunity;
pub mod opportunity_field;
pub mod origin;
pub mod page;
pub mod phone;
pub mod pipeline;
pub mod publication;
pub mod recurrence;
pub mod recurring_task;
pub mod saved_view;
pub mod scope;
pub mod search;
pub mod session;
pub mod sort;
pub mod standing;
pub mod tag;
pub mod task;
pub mod template;
pub mod text;
pub mod time;
pub mod user;
pub mod uuid;
pub mod webhook;
pub mod workflow;

pub use id::{
    AgencyId, BusinessId, CampaignId, ClickId, ContactId, CustomFieldId, CustomValueId, InboundPayloadId,
    InboundWebhookId, KeyId, LinkId, LinkTokenId, LocationId, LostReasonId, NoteId, NoticeId, OpportunityId,
    PipelineId, RecurringTaskId, SavedViewId, StageId, TagId, TaskId, TemplateId, UserId, WebhookDeliveryId,
    WebhookEndpointId, WorkflowId,
};
pub use invalid::Invalid;
pub use time::{ServiceMs, UtcMs};
