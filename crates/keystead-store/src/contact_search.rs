//! How contacts are found: by the words of a search, and by conditions.
//!
//! Each word of a contact is a row, and a word of a search is a range of that index: the same plain SQL on both
//! databases, exact prefixes in any script, and no scan (decision record 0001). A search is a condition among others
//! (decision record 0019).

use std::time::Duration;

use keystead_model::{
    ContactId, LocationId,
    condition::{Condition, Op, Test, Value},
    contact::{Contact, ContactCursor, ContactFilter, ContactOrder, IdentityKind},
    contact_field::{ContactField, searched},
    custom_field::OwnerKind,
    page::{Counted, Page, Start, Window},
    search::words,
    sort::{SortKey, SortPlace, time_order},
    tag::{TagFilter, TagName},
};

use crate::{
    Result, Row, Tx,
    condition::{Column, LEADS_UP_TO, Lead, Noun, Rows},
    contacts, field_values,
    filter::Filter,
    late,
    list::Order,
    sort::{Sorted, by_time},
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

impl Form {
    fn lets_lead(self, rows: i64) -> bool {
        match self {
            Self::Told => rows <= LEADS_UP_TO,
            Self::Leads => true,
            Self::Asked => false,
        }
    }
}

/// Where the fields of a contact are found.
fn column(field: &ContactField) -> Column {
    let rows = |table, value, with| Column::Rows(Rows { with, ..Rows::new(table, "contact_id", value) });
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
        ContactField::Business => Column::Rows(Rows::new("contacts", "id", "business_id")),
        ContactField::CreatedAt => Column::Own("c.created_at"),
        ContactField::UpdatedAt => Column::Own("c.updated_at"),
        ContactField::Terms => rows("contact_terms", "term", Vec::new()),
        ContactField::Custom(id, kind) => field_values::column(OwnerKind::Contact, *id, *kind),
    }
}

/// The index of contacts that are not in the trash by a column of theirs.
fn index(field: &ContactField) -> Option<&'static str> {
    match field {
        ContactField::CreatedAt => Some("contacts_by_creation"),
        ContactField::UpdatedAt => Some("contacts_by_update"),
        ContactField::FirstName => Some("contacts_by_first_name"),
        ContactField::LastName => Some("contacts_by_last_name"),
        _ => None,
    }
}

fn index_of(order: ContactOrder) -> &'static str {
    match order {
        ContactOrder::Created => "contacts_by_creation",
        ContactOrder::Updated => "contacts_by_update",
    }
}

fn noun(tx: &Tx<'_>, location: LocationId) -> Noun<ContactField> {
    Noun { location, table: "contacts", is_postgres: tx.is_postgres(), column, index }
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
    let noun = noun(tx, location);
    let lead = noun.lead(tx, &condition)?;
    let leads_page = lead.as_ref().filter(|lead| form.lets_lead(lead.rows));
    let page = page(tx, &noun, &condition, leads_page, filter, window)?;
    let page = Page { rows: contacts::with_custom_fields(tx, location, page.rows)?, has_more: page.has_more };
    Ok(Counted { page, total: count(tx, &noun, &condition, lead.as_ref(), leads_page)? })
}

/// The same in the order of what contacts hold in fields.
pub fn sorted(
    tx: &mut Tx<'_>,
    location: LocationId,
    filter: &ContactFilter,
    keys: &[SortKey<ContactField>],
    window: &Window<SortPlace<ContactId>>,
    time: Duration,
) -> Result<Counted<Contact>> {
    if let Some((order, ascending)) = time_order(keys) {
        let filter = ContactFilter { order, ascending, ..filter.clone() };
        return list(tx, location, &filter, &by_time(window, |at, id| ContactCursor { at, id: Some(id) }), time);
    }
    tx.within(time, |tx| sorted_in_form(tx, location, filter, keys, window, Form::Told))
}

/// The same in the form that is asked for.
pub fn sorted_in_form(
    tx: &mut Tx<'_>,
    location: LocationId,
    filter: &ContactFilter,
    keys: &[SortKey<ContactField>],
    window: &Window<SortPlace<ContactId>>,
    form: Form,
) -> Result<Counted<Contact>> {
    let (noun, condition) = (noun(tx, location), whole(tx, location, filter)?);
    let lead = noun.lead(tx, &condition)?;
    let leads_page = lead.as_ref().filter(|lead| form.lets_lead(lead.rows));
    let index = index_of(ContactOrder::Created);
    let sorted = Sorted { noun: &noun, keys, condition: &condition, lead: leads_page, index };
    let Page { rows, has_more } = sorted.page(tx, window)?;
    let rows = contacts::find_all(tx, location, &rows)?;
    let page = Page { rows: contacts::with_custom_fields(tx, location, rows)?, has_more };
    Ok(Counted { page, total: count(tx, &noun, &condition, lead.as_ref(), leads_page)? })
}

/// The contacts of a page, without their custom fields.
fn page(
    tx: &mut Tx<'_>,
    noun: &Noun<ContactField>,
    condition: &Condition<ContactField>,
    lead: Option<&Lead<'_, ContactField>>,
    filter: &ContactFilter,
    window: &Window<ContactCursor>,
) -> Result<Page<Contact>> {
    let by_time = &[&*format!("c.{}", contacts::column(filter.order)), "c.id"];
    let order = |columns| if filter.ascending { Order::ascending(columns) } else { Order::descending(columns) };
    let Some(lead) = lead else {
        let (from, conditions) = parts(noun, condition, None, Some(filter.order));
        let select = format!("SELECT {} FROM {from}", contacts::COLUMNS);
        return conditions.page(tx, &select, order(by_time), window, contacts::read);
    };
    // Sorted are ids alone: what else a contact has is read of those on the page.
    let select = |from| format!("SELECT c.id FROM {from}");
    let read = |row: &mut Row<'_>| row.column::<ContactId>();
    let is_alone = filter.order == ContactOrder::Created
        && says_all(condition)
        && lead.tests().all(|test| is_of_live(&test.field));
    let Page { rows, has_more } = match by_id(window).filter(|_| is_alone) {
        Some(window) => {
            let (from, conditions) = parts(noun, condition, Some(Way::Alone(lead)), None);
            conditions.page(tx, &select(from), order(&["c.id"]), &window, read)?
        }
        None => {
            let (from, conditions) = parts(noun, condition, Some(Way::First(lead)), Some(filter.order));
            conditions.page(tx, &select(from), order(by_time), window, read)?
        }
    };
    Ok(Page { rows: contacts::find_all(tx, noun.location, &rows)?, has_more })
}

/// How many match.
fn count(
    tx: &mut Tx<'_>,
    noun: &Noun<ContactField>,
    condition: &Condition<ContactField>,
    lead: Option<&Lead<'_, ContactField>>,
    leads_page: Option<&Lead<'_, ContactField>>,
) -> Result<i64> {
    if *condition == Condition::default() {
        return contacts::count_all(tx, noun.location);
    }
    if let Some(tag) = only_tag(condition) {
        return tags::count_contacts(tx, noun.location, tag);
    }
    // All that match are read: few of them one by one, of many it is looked up who is among them.
    let alone = lead.filter(|_| says_all(condition)).map(Way::Alone);
    let way = alone.or(leads_page.map(Way::First)).or(lead.map(Way::Among));
    let (from, conditions) = parts(noun, condition, way, None);
    let sql = format!("SELECT CAST(count(*) AS BIGINT) FROM {from} WHERE {}", conditions.sql());
    tx.query_one(&sql, &conditions.values(), |row| row.column())
}

/// The same window of ids alone, which are in the order of creation; `None` where it begins beside a contact.
fn by_id(window: &Window<ContactCursor>) -> Option<Window<ContactId>> {
    let start = match window.start {
        Start::First => Start::First,
        Start::Skip(rows) => Start::Skip(rows),
        Start::After(ContactCursor { at, id: Some(id) }) if at.is_none_or(|at| at == id.time()) => Start::After(id),
        Start::After(_) => return None,
    };
    Some(Window { start, limit: window.limit })
}

/// Whether rows that belong to contacts tell all that is asked, and nothing stands in a contact's own row.
fn says_all(condition: &Condition<ContactField>) -> bool {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().all(says_all),
        Condition::Not(part) => says_all(part),
        Condition::Test(test) => {
            matches!(column(&test.field), Column::Rows(_)) && !matches!(test.field, ContactField::Business)
        }
    }
}

/// Whether a contact in the trash has no such rows.
fn is_of_live(field: &ContactField) -> bool {
    matches!(field, ContactField::Terms | ContactField::Email | ContactField::Phone)
}

/// The tag that is all that is asked for: how many have it is counted already.
fn only_tag(condition: &Condition<ContactField>) -> Option<&str> {
    match condition {
        Condition::All(parts) | Condition::Any(parts) if parts.len() == 1 => only_tag(&parts[0]),
        Condition::Test(Test { field: ContactField::Tags, op: Op::Eq(Value::Code(tag)) }) => Some(tag),
        Condition::Test(Test { field: ContactField::Tags, op: Op::In(values) }) => match values.as_slice() {
            [Value::Code(tag)] => Some(tag),
            _ => None,
        },
        _ => None,
    }
}

/// How rows that lead are read.
enum Way<'l, 'c> {
    /// Without the contacts, of which nothing else is asked.
    Alone(&'l Lead<'c, ContactField>),
    /// Before the contacts.
    First(&'l Lead<'c, ContactField>),
    /// To see whether a contact is among those that they belong to.
    Among(&'l Lead<'c, ContactField>),
}

/// What contacts `c` are read from, and which. Without a lead, a list is read by the index of its order.
fn parts<'f>(
    noun: &Noun<ContactField>,
    condition: &Condition<ContactField>,
    way: Option<Way<'_, '_>>,
    order: Option<ContactOrder>,
) -> (String, Filter<'f>) {
    let mut filter = Filter::new();
    if let Some(Way::Alone(lead)) = way {
        let from = format!("({}) c", noun.leading(&mut filter, lead, true));
        let asked = noun.asked(&mut filter, condition, Some(lead));
        filter.and(&asked, &[]);
        if !lead.tests().all(|test| is_of_live(&test.field)) {
            // The trash is small: to look into it is cheaper than to look at each contact.
            let location = filter.own(noun.location);
            let index = if noun.is_postgres { "" } else { " INDEXED BY contacts_trashed" };
            filter.and(
                &format!(
                    "NOT EXISTS (SELECT 1 FROM contacts t{index}
                         WHERE t.location_id = {location} AND t.id = c.id AND t.trashed_at IS NOT NULL)"
                ),
                &[],
            );
        }
        return (from, filter);
    }
    let live = noun.live(&mut filter);
    let from = match (&way, order) {
        (Some(Way::First(lead)), _) => {
            let ids = noun.leading(&mut filter, lead, true);
            noun.things_of(&mut filter, &ids)
        }
        (_, Some(order)) => noun.by_index(index_of(order)),
        _ => "contacts c".to_owned(),
    };
    filter.and(&live, &[]);
    let lead = match way {
        Some(Way::First(lead)) => Some(lead),
        Some(Way::Among(lead)) => {
            let ids = noun.leading(&mut filter, lead, false);
            filter.and(&format!("c.id IN ({ids})"), &[]);
            Some(lead)
        }
        Some(Way::Alone(_)) | None => None,
    };
    let asked = noun.asked(&mut filter, condition, lead);
    filter.and(&asked, &[]);
    (from, filter)
}

/// The filter's condition and what is searched. A location has few tags, and they can be renamed: their names are read rather
/// than indexed, also where a part of one is asked for.
fn whole(tx: &mut Tx<'_>, location: LocationId, filter: &ContactFilter) -> Result<Condition<ContactField>> {
    let is_searched = filter.search.as_ref().is_some_and(|asked| !asked.is_empty());
    let needs_tags = is_searched || asks_part_of_tag(&filter.condition);
    let known =
        if needs_tags { tags::list(tx, location, &TagFilter::default(), &Window::all())?.rows } else { Vec::new() };
    let names: Vec<&TagName> = known.iter().map(|tag| &tag.name).collect();
    let condition = with_whole_tags(&filter.condition, &names);
    let Some(asked) = &filter.search else { return Ok(condition) };
    let tags: Vec<(Vec<String>, &TagName)> = names.iter().map(|name| (words(name.as_str()), *name)).collect();
    let searched = searched(asked, |begin| {
        let has = |words: &[String]| words.iter().any(|word| word.starts_with(begin));
        tags.iter().filter(|(words, _)| has(words)).map(|(_, name)| (*name).clone()).collect()
    });
    if condition == Condition::default() {
        return Ok(searched);
    }
    Ok(Condition::All(vec![condition, searched]))
}

fn asks_part_of_tag(condition: &Condition<ContactField>) -> bool {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(asks_part_of_tag),
        Condition::Not(part) => asks_part_of_tag(part),
        Condition::Test(test) => matches!(test, Test { field: ContactField::Tags, op: Op::Contains(_) }),
    }
}

/// A part of a tag as the tags that have it. What no tag has stays: no tag is called so, either.
fn with_whole_tags(condition: &Condition<ContactField>, names: &[&TagName]) -> Condition<ContactField> {
    let all = |parts: &[Condition<_>]| parts.iter().map(|part| with_whole_tags(part, names)).collect();
    match condition {
        Condition::All(parts) => Condition::All(all(parts)),
        Condition::Any(parts) => Condition::Any(all(parts)),
        Condition::Not(part) => Condition::Not(Box::new(with_whole_tags(part, names))),
        Condition::Test(Test { field: ContactField::Tags, op: Op::Contains(part @ Value::Code(text)) }) => {
            let having = names.iter().filter(|name| name.as_str().contains(text.as_str()));
            let mut having: Vec<Value> = having.filter_map(|name| Value::code(name.as_str())).collect();
            if having.is_empty() {
                having.push(part.clone());
            }
            Condition::Test(Test { field: ContactField::Tags, op: Op::In(having) })
        }
        Condition::Test(test) => Condition::Test(test.clone()),
    }
}

#[cfg(test)]
#[path = "contact_search_tests.rs"]
mod tests;
