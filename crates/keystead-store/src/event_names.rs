//! What things are called that events are about: looked up for a page of them at a time.

use keystead_model::{AgencyId, LocationId, event::Subject};

use crate::{Result, Tx, filter::Filter};

/// What a thing is called now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The thing.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it is there, and not deleted and kept for a while.
    pub is_there: bool,
}

/// How a contact is called: by its name, its company, or an address.
const CONTACT: &str = "COALESCE(NULLIF(trim(COALESCE(first_name, '') || ' ' || COALESCE(last_name, '')), ''),
    company_name, email, phone, '')";

/// Table, name and whether it is there, of things in a location; `None` for what is in none, or has no name.
const fn of_location(subject: Subject) -> Option<(&'static str, &'static str, &'static str)> {
    Some(match subject {
        Subject::Contact => ("contacts", CONTACT, "trashed_at IS NULL"),
        Subject::Task => ("tasks", "title", "TRUE"),
        Subject::Tag => ("tags", "name", "TRUE"),
        Subject::CustomValue => ("custom_values", "name", "TRUE"),
        Subject::CustomField => ("custom_fields", "name", "TRUE"),
        Subject::File => ("files", "name", "TRUE"),
        Subject::Pipeline => ("pipelines", "name", "TRUE"),
        Subject::LostReason => ("lost_reasons", "name", "deleted_at IS NULL"),
        Subject::Opportunity => ("opportunities", "name", "trashed_at IS NULL"),
        Subject::Business => ("businesses", "name", "TRUE"),
        Subject::Workflow => ("workflows", "name", "TRUE"),
        Subject::Campaign => ("campaigns", "name", "TRUE"),
        Subject::Link => ("links", "name", "TRUE"),
        Subject::InboundWebhook => ("inbound_webhooks", "name", "TRUE"),
        Subject::RecurringTask => ("recurring_tasks", "title", "TRUE"),
        Subject::Form => ("forms", "name", "TRUE"),
        Subject::Survey => ("surveys", "name", "TRUE"),
        Subject::Template => ("templates", "name", "TRUE"),
        Subject::Import => ("imports", "file_name", "TRUE"),
        Subject::SavedView => ("saved_views", "name", "deleted_at IS NULL"),
        Subject::Note
        | Subject::Location
        | Subject::Agency
        | Subject::Key
        | Subject::User
        | Subject::Invitation
        | Subject::WebhookEndpoint
        | Subject::Session
        | Subject::Instance
        | Subject::AuditLog => return None,
    })
}

/// Of things of one kind in a location.
pub fn in_location(tx: &mut Tx<'_>, location: LocationId, subject: Subject, ids: &[String]) -> Result<Vec<Named>> {
    let Some((table, name, is_there)) = of_location(subject) else { return Ok(Vec::new()) };
    let mut conditions = Filter::new();
    conditions.and("location_id = @", &[&location]);
    named(tx, table, name, is_there, ids, conditions)
}

/// Of the stages of pipelines.
pub fn of_stages(tx: &mut Tx<'_>, location: LocationId, ids: &[String]) -> Result<Vec<Named>> {
    let mut conditions = Filter::new();
    conditions.and("location_id = @", &[&location]);
    named(tx, "pipeline_stages", "name", "TRUE", ids, conditions)
}

/// Of keys, also of deleted ones; with `within` only those of these locations.
pub fn of_keys(tx: &mut Tx<'_>, agency: AgencyId, within: Option<&[LocationId]>, ids: &[String]) -> Result<Vec<Named>> {
    let mut conditions = Filter::new();
    conditions.and("agency_id = @", &[&agency]);
    if let Some(within) = within {
        conditions.and_one_of("location_id", within);
    }
    named(tx, "api_keys", "name", "TRUE", ids, conditions)
}

/// Of locations, also of those that can be restored.
pub fn of_locations(tx: &mut Tx<'_>, agency: AgencyId, ids: &[String]) -> Result<Vec<Named>> {
    of_agency(tx, agency, ("locations", "name", "state <> 'deleted'"), ids)
}

/// Of invitations that are open, by the addresses that they are for.
pub fn of_invitations(tx: &mut Tx<'_>, agency: AgencyId, ids: &[String]) -> Result<Vec<Named>> {
    of_agency(tx, agency, ("invitations", "email", "FALSE"), ids)
}

fn of_agency(
    tx: &mut Tx<'_>,
    agency: AgencyId,
    (table, name, is_there): (&str, &str, &str),
    ids: &[String],
) -> Result<Vec<Named>> {
    let mut conditions = Filter::new();
    conditions.and("agency_id = @", &[&agency]);
    named(tx, table, name, is_there, ids, conditions)
}

fn named<'i>(
    tx: &mut Tx<'_>,
    table: &str,
    name: &str,
    is_there: &str,
    ids: &'i [String],
    mut conditions: Filter<'i>,
) -> Result<Vec<Named>> {
    conditions.and_one_of("id", ids);
    let there = format!("CASE WHEN {is_there} THEN 1 ELSE 0 END");
    let sql = format!("SELECT id, {name}, CAST({there} AS BIGINT) FROM {table} WHERE {}", conditions.sql());
    tx.query(&sql, &conditions.values(), |row| {
        Ok(Named { id: row.column()?, name: row.column()?, is_there: row.column::<i64>()? == 1 })
    })
}

#[cfg(test)]
mod tests {
    use keystead_model::event::EventKind;

    use super::*;

    /// Whatever data is told of has a table to look its name up in, or belongs to a contact that has one.
    #[test]
    fn every_thing_in_a_location_has_a_name() {
        for kind in EventKind::ALL.iter().filter(|kind| !kind.class().is_sealed()) {
            let subject = kind.subject();
            assert!(subject == Subject::Note || of_location(subject).is_some(), "{subject:?}");
        }
    }
}
