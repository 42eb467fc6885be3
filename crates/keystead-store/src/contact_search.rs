//! How contacts are found: by the words of a search, and by conditions.
//!
//! Each word of a contact is a row, and a word of a search is a range of that index: the same plain SQL on both
//! databases, exact prefixes in any script, and no scan (decision record 0001). A search is a condition among others
//! (decision record 0019).

use std::time::Duration;

use keystead_model::{
    ContactId, LocationId,
    condition::Condition,
    contact::{Contact, ContactCursor, ContactFilter, ContactOrder, IdentityKind},
    contact_field::{ContactField, searched},
    custom_field::OwnerKind,
    page::{Counted, Page, Window},
    search::words,
    tag::TagName,
};

use crate::{
    Result, Tx,
    condition::{Column, LEADS_UP_TO, Lead, Noun, Rows},
    contacts, field_values,
    filter::Filter,
    late,
    list::Order,
    tags,
};

/// Adds words that a contact is found by.
pub(crate) fn insert<'t>(
    tx: &mut Tx<'_>,
    location: LocationId,
    contact: ContactId,
    mut terms: impl Iterator<Item = &'t String>,
) -> Result<()> {
    terms.try_for_each(|term| tx.late(&late::TERMS, &[&location, term, &contact]))
}

/// Removes words that a contact is not found by any more.
pub(crate) fn remove<'t>(
    tx: &mut Tx<'_>,
    location: LocationId,
    contact: ContactId,
    mut terms: impl Iterator<Item = &'t String>,
) -> Result<()> {
    terms.try_for_each(|term| {
        tx.later(
            "DELETE FROM contact_terms WHERE location_id = ?1 AND term = ?2 AND contact_id = ?3",
            &[&location, term, &contact],
        )
    })
}

/// Forgets a contact.
pub(crate) fn forget(tx: &mut Tx<'_>, location: LocationId, contact: ContactId) -> Result<()> {
    tx.later("DELETE FROM contact_terms WHERE location_id = ?1 AND contact_id = ?2", &[&location, &contact])
}

/// Which form a test over rows takes. Tests hold both against each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// What is quicker.
    Told,
    /// Rows lead wherever they can.
    Leads,
    /// No rows lead.
    Asked,
}

/// Where the fields of a contact are found.
fn column(field: &ContactField) -> Column {
    let rows =
        |table, value, with| Column::Rows(Rows { table, owner: "contact_id", value, at: "id", is_long: false, with });
    let identity = |kind: IdentityKind| rows("contact_identities", "value", vec![("kind", kind.as_str().to_owned())]);
    match field {
        ContactField::FirstName => Column::Own("c.first_name_folded"),
        ContactField::LastName => Column::Own("c.last_name_folded"),
        ContactField::CompanyName => Column::Own("c.company_name_folded"),
        ContactField::City => Column::Own("c.city_folded"),
        ContactField::State => Column::Own("c.region_folded"),
        ContactField::Source => Column::Own("c.source_folded"),
        ContactField::Email => identity(IdentityKind::Email),
        ContactField::Phone => identity(IdentityKind::Phone),
        ContactField::Tags => rows("contact_tags", "name", Vec::new()),
        ContactField::Country => Column::Own("c.country"),
        ContactField::AssignedTo => Column::Own("c.assigned_to"),
        ContactField::Dnd => Column::Own("c.dnd"),
        ContactField::DateOfBirth => Column::Own("c.date_of_birth"),
        // No constant: SQLite has no use for an index where a test is decided beforehand, and refuses to be told one.
        ContactField::Type => Column::Own("CASE WHEN c.id IS NULL THEN NULL ELSE 'lead' END"),
        // Read by an index of its own where few contacts have it.
        ContactField::Business => {
            let value = "business_id";
            Column::Rows(Rows { table: "contacts", owner: "id", value, at: "id", is_long: false, with: Vec::new() })
        }
        ContactField::CreatedAt => Column::Own("c.created_at"),
        ContactField::UpdatedAt => Column::Own("c.updated_at"),
        ContactField::Terms => rows("contact_terms", "term", Vec::new()),
        ContactField::Custom(id, kind) => field_values::column(OwnerKind::Contact, *id, *kind),
    }
}

fn index(order: ContactOrder) -> &'static str {
    match order {
        ContactOrder::Created => "contacts_by_creation",
        ContactOrder::Updated => "contacts_by_update",
    }
}

/// Contacts of a location in the filter's order, and how many match in all: found within `time`, or not at all.
pub fn list(
    tx: &mut Tx<'_>,
    location: LocationId,
    filter: &ContactFilter,
    window: &Window<ContactCursor>,
    time: Duration,
) -> Result<Counted<Contact>> {
    let list = |tx: &mut Tx<'_>| list_in_form(tx, location, filter, window, Form::Told);
    // All of them are read by the index of their order, and are counted already.
    if filter.is_all() { list(tx) } else { tx.within(time, list) }
}

/// The same in the form that is asked for.
pub fn list_in_form(
    tx: &mut Tx<'_>,
    location: LocationId,
    filter: &ContactFilter,
    window: &Window<ContactCursor>,
    form: Form,
) -> Result<Counted<Contact>> {
    let condition = whole(tx, location, filter)?;
    let noun = Noun { location, table: "contacts", is_told: false, column };
    let lead = noun.lead(tx, &condition)?;
    let leads_page = lead.as_ref().filter(|lead| match form {
        Form::Told => lead.rows <= LEADS_UP_TO,
        Form::Leads => true,
        Form::Asked => false,
    });
    let (from, conditions) = parts(tx, &noun, &condition, leads_page.map(Way::First), Some(filter.order));
    let columns = &[&*format!("c.{}", contacts::column(filter.order)), "c.id"];
    let order = if filter.ascending { Order::ascending(columns) } else { Order::descending(columns) };
    let page = if leads_page.is_none() {
        conditions.page(tx, &format!("SELECT {} FROM {from}", contacts::COLUMNS), order, window, contacts::read)?
    } else {
        // Sorted are ids alone: what else a contact has is read of those on the page.
        let select = format!("SELECT c.id FROM {from}");
        let Page { rows, has_more } = conditions.page(tx, &select, order, window, |row| row.column::<ContactId>())?;
        Page { rows: contacts::find_all(tx, location, &rows)?, has_more }
    };
    let page = Page { rows: contacts::with_custom_fields(tx, location, page.rows)?, has_more: page.has_more };
    if condition == Condition::default() {
        return Ok(Counted { page, total: contacts::count_all(tx, location)? });
    }
    // For the total all that match are read: few of them one by one, of many it is looked up who is among them.
    let way = leads_page.map(Way::First).or(lead.as_ref().map(Way::Among));
    let (from, conditions) = parts(tx, &noun, &condition, way, None);
    let sql = format!("SELECT CAST(count(*) AS BIGINT) FROM {from} WHERE {}", conditions.sql());
    Ok(Counted { page, total: tx.query_one(&sql, &conditions.values(), |row| row.column())? })
}

/// How rows that lead are read.
enum Way<'l, 'c> {
    /// Before the contacts.
    First(&'l Lead<'c, ContactField>),
    /// To see whether a contact is among those that they belong to.
    Among(&'l Lead<'c, ContactField>),
}

/// What contacts `c` are read from, and which. Without a lead, a list is read by the index of its order: else SQLite may read
/// all contacts and sort them.
fn parts<'f>(
    tx: &Tx<'_>,
    noun: &Noun<ContactField>,
    condition: &Condition<ContactField>,
    way: Option<Way<'_, '_>>,
    order: Option<ContactOrder>,
) -> (String, Filter<'f>) {
    let mut filter = Filter::new();
    let from = match (&way, order) {
        (Some(Way::First(lead)), _) => format!("({}) l CROSS JOIN contacts c", noun.leading(&mut filter, lead, true)),
        (_, Some(order)) if !tx.is_postgres() => format!("contacts c INDEXED BY {}", index(order)),
        _ => "contacts c".to_owned(),
    };
    let location = filter.own(noun.location);
    filter.and(&format!("c.location_id = {location} AND c.trashed_at IS NULL"), &[]);
    let lead = match way {
        Some(Way::First(lead)) => {
            filter.and("c.id = l.id", &[]);
            Some(lead)
        }
        Some(Way::Among(lead)) => {
            let ids = noun.leading(&mut filter, lead, false);
            filter.and(&format!("c.id IN ({ids})"), &[]);
            Some(lead)
        }
        None => None,
    };
    let asked = noun.asked(tx, &mut filter, condition, lead);
    filter.and(&asked, &[]);
    (from, filter)
}

/// The filter's condition and what is searched. A location has few tags, and they can be renamed: their names are read rather
/// than indexed.
fn whole(tx: &mut Tx<'_>, location: LocationId, filter: &ContactFilter) -> Result<Condition<ContactField>> {
    let Some(asked) = &filter.search else { return Ok(filter.condition.clone()) };
    let known = if asked.is_empty() { Vec::new() } else { tags::list(tx, location, &Window::all())?.rows };
    let tags: Vec<(Vec<String>, TagName)> = known.into_iter().map(|tag| (words(tag.name.as_str()), tag.name)).collect();
    let searched = searched(asked, |begin| {
        let has = |words: &[String]| words.iter().any(|word| word.starts_with(begin));
        tags.iter().filter(|(words, _)| has(words)).map(|(_, name)| name.clone()).collect()
    });
    if filter.condition == Condition::default() {
        return Ok(searched);
    }
    Ok(Condition::All(vec![filter.condition.clone(), searched]))
}

#[cfg(test)]
#[path = "contact_search_tests.rs"]
mod tests;
