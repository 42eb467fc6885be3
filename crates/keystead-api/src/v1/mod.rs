//! API 1.0 under `/v1`: bare objects, no Version header, the key chooses the location.

pub(crate) mod contacts;
pub(crate) mod custom_fields;
pub(crate) mod custom_values;
pub(crate) mod failure;
pub(crate) mod forms;
pub(crate) mod locations;
pub(crate) mod notes;
pub(crate) mod opportunities;
pub(crate) mod tags;
pub(crate) mod tasks;
pub(crate) mod users;
pub(crate) mod workflows;
