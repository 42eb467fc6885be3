//! How opportunities are listed and found.
//!
//! A list by stage, pipeline or status is put together from the beginnings of one range of an index for each stage and status, of
//! which the totals tell which there are; so it reads as many rows as are on the page, however rare these are among all others.
//! A search is a condition over the words of an opportunity and of its contact (decision record 0019).

use keystead_model::{
    LocationId, OpportunityId, PipelineId,
    condition::{Condition, Op, Test, Value},
    contact::IdentityKind,
    custom_field::OwnerKind,
    opportunity::{Opportunity, OpportunityCursor, OpportunityFilter, StageTotal},
    opportunity_field::OpportunityField,
    page::{Counted, Page, Start, TimeOrder, Window},
    search::{self, Asked},
    sort::{SortKey, SortPlace, time_order},
};

use crate::{
    Result, Tx,
    condition::{Column, LEADS_UP_TO, Lead, Noun, Rows},
    field_values,
    filter::Filter,
    list::{Order, Place},
    opportunities::{self, TotalsOf},
    sort::{Sorted, by_time},
};

/// Ranges that a page may be put together from.
const MAX_RANGES: usize = 60;
/// Rows that such a page may pass over: each range has to pass over as many.
const MAX_PASSED: i64 = 500;

/// Matches that are so few that their page is sorted rather than looked for.
const FEW: i64 = 1_000;

/// The end of a value that stands with an opportunity's contact.
macro_rules! of_its_contact {
    () => {
        " FROM contacts k WHERE k.location_id = c.location_id AND k.id = c.contact_id)"
    };
}
/// Where the fields of an opportunity are found.
fn column(field: &OpportunityField) -> Column {
    let of_contact =
        |table, value, with| Column::Rows(Rows { at: "contact_id", with, ..Rows::new(table, "contact_id", value) });
    let identity =
        |kind: IdentityKind| of_contact("contact_identities", "value", vec![("kind", kind.as_str().to_owned())]);
    match field {
        OpportunityField::Id => Column::Own("c.id"),
        OpportunityField::Name => Column::Own("c.name_folded"),
        OpportunityField::Pipeline => Column::Own("c.pipeline_id"),
        OpportunityField::Stage => Column::Own("c.stage_id"),
        OpportunityField::Status => Column::Own("c.status"),
        OpportunityField::LostReason => Column::Own("c.lost_reason_id"),
        OpportunityField::Source => Column::Own("c.source_folded"),
        OpportunityField::AssignedTo => Column::Own("c.assigned_to"),
        OpportunityField::Followers => Column::Words("c.followers"),
        OpportunityField::Value => Column::Own("c.value"),
        OpportunityField::CloseDate => Column::Own("c.close_date"),
        OpportunityField::CreatedAt => Column::Own("c.created_at"),
        OpportunityField::UpdatedAt => Column::Own("c.updated_at"),
        OpportunityField::StatusChangedAt => Column::Own("c.status_changed_at"),
        OpportunityField::StageChangedAt => Column::Own("c.stage_changed_at"),
        OpportunityField::Contact => Column::Own("c.contact_id"),
        OpportunityField::ContactName => Column::Own(concat!(
            "(SELECT CASE WHEN k.first_name_folded IS NULL THEN k.last_name_folded
                          WHEN k.last_name_folded IS NULL THEN k.first_name_folded
                          ELSE k.first_name_folded || ' ' || k.last_name_folded END",
            of_its_contact!()
        )),
        OpportunityField::ContactCompany => Column::Own(concat!("(SELECT k.company_name_folded", of_its_contact!())),
        OpportunityField::ContactCountry => Column::Own(concat!("(SELECT k.country", of_its_contact!())),
        OpportunityField::ContactEmail => identity(IdentityKind::Email),
        OpportunityField::ContactPhone => identity(IdentityKind::Phone),
        OpportunityField::Terms => Column::Rows(Rows::new("opportunity_terms", "opportunity_id", "term")),
        OpportunityField::ContactTerms => of_contact("contact_terms", "term", Vec::new()),
        OpportunityField::Custom(id, kind) => field_values::column(OwnerKind::Opportunity, *id, *kind),
    }
}

/// Opportunities of a location in the filter's order, and how many match in all.
pub fn list(
    tx: &mut Tx<'_>,
    location: LocationId,
    filter: &OpportunityFilter,
    window: &Window<OpportunityCursor>,
) -> Result<Counted<Opportunity>> {
    let columns = &[&*format!("c.{}", opportunities::column(filter.order)), "c.id"];
    let order = if filter.ascending { Order::ascending(columns) } else { Order::descending(columns) };
    if !filter.is_of_places() {
        return list_by_condition(tx, location, filter, order, window);
    }
    let totals = totals(tx, location, filter)?;
    let total = totals.iter().map(|total| total.count).sum();
    let is_all = filter.stages.is_none() && filter.pipeline.is_none() && filter.status.is_none();
    let passed = if let Start::Skip(passed) = window.start { passed } else { 0 };
    let page = if !is_all && totals.len() <= MAX_RANGES && passed <= MAX_PASSED {
        page_of_ranges(tx, location, &totals, filter.order, order, window)?
    } else {
        let (condition, noun) = (in_stages(filter), noun(tx, location));
        let (from, conditions) = parts(&noun, &condition, None, index(&Condition::default(), filter.order));
        let select = format!("SELECT {} FROM {from}", opportunities::COLUMNS);
        let Page { rows, has_more } = conditions.page(tx, &select, order, window, opportunities::read)?;
        Page { rows: opportunities::with_custom_fields(tx, location, rows)?, has_more }
    };
    Ok(Counted { page, total })
}

fn noun(tx: &Tx<'_>, location: LocationId) -> Noun<OpportunityField> {
    Noun { location, table: "opportunities", is_postgres: tx.is_postgres(), column, index: index_by }
}

/// The index of opportunities that are not in the trash by a column of theirs.
fn index_by(field: &OpportunityField) -> Option<&'static str> {
    match field {
        OpportunityField::CreatedAt => Some("opportunities_by_creation"),
        OpportunityField::UpdatedAt => Some("opportunities_by_update"),
        _ => None,
    }
}

/// What is in each stage that the filter lets through, whatever else it asks for.
pub fn totals(tx: &mut Tx<'_>, location: LocationId, filter: &OpportunityFilter) -> Result<Vec<StageTotal>> {
    let of = TotalsOf { stage: filter.stages.as_deref(), pipeline: filter.pipeline, status: filter.status };
    opportunities::totals(tx, location, &of)
}

/// The first rows of each range, and of these the first.
fn page_of_ranges(
    tx: &mut Tx<'_>,
    location: LocationId,
    ranges: &[StageTotal],
    by: TimeOrder,
    order: Order<'_>,
    window: &Window<OpportunityCursor>,
) -> Result<Page<Opportunity>> {
    if ranges.is_empty() {
        return Ok(Page { rows: Vec::new(), has_more: false });
    }
    let (index, passed) = match (by, window.start) {
        (TimeOrder::Created, Start::Skip(passed)) => ("creation", passed),
        (TimeOrder::Updated, Start::Skip(passed)) => ("update", passed),
        (TimeOrder::Created, _) => ("creation", 0),
        (TimeOrder::Updated, _) => ("update", 0),
    };
    let hint = if tx.is_postgres() { String::new() } else { format!(" INDEXED BY opportunities_by_stage_{index}") };
    let (column, most) = (opportunities::column(by), window.limit.saturating_add(1));
    let mut filter = Filter::new();
    let at = filter.own(location);
    let mut beyond = String::new();
    if let Start::After(place) = &window.start {
        let places: Vec<String> = place.values().into_iter().map(|value| filter.own(value)).collect();
        let columns = &order.columns()[..places.len()];
        beyond = format!(" AND ({}) {} ({})", columns.join(", "), order.beyond(), places.join(", "));
    }
    let each = filter.own(most.saturating_add(passed));
    let mut range = |total: &StageTotal| {
        let (stage, status) = (filter.own(total.stage), filter.own(total.status.as_str()));
        format!(
            "SELECT * FROM (SELECT c.id, c.{column} FROM opportunities c{hint}
             WHERE c.location_id = {at} AND c.stage_id = {stage} AND c.status = {status} AND c.trashed_at IS NULL{beyond}
             ORDER BY {} LIMIT {each}) AS s",
            order.sql()
        )
    };
    let ranges: Vec<String> = ranges.iter().map(&mut range).collect();
    let (most, passed) = (filter.own(most), filter.own(passed));
    let sql = format!(
        "SELECT c.id FROM ({}) AS c ORDER BY {} LIMIT {most} OFFSET {passed}",
        ranges.join(" UNION ALL "),
        order.sql()
    );
    let ids = tx.query(&sql, &filter.values(), |row| row.column::<OpportunityId>())?;
    let Page { rows, has_more } = Page::new(ids, window.limit);
    Ok(Page { rows: opportunities::find_all(tx, location, &rows)?, has_more })
}

fn list_by_condition(
    tx: &mut Tx<'_>,
    location: LocationId,
    filter: &OpportunityFilter,
    order: Order<'_>,
    window: &Window<OpportunityCursor>,
) -> Result<Counted<Opportunity>> {
    let noun = noun(tx, location);
    let condition = whole(filter);
    let lead = noun.lead(tx, &condition)?;
    let by_index = index(&condition, filter.order);
    let total = count(tx, &noun, &condition, lead.as_ref(), by_index)?;
    if total == 0 {
        return Ok(Counted { page: Page { rows: Vec::new(), has_more: false }, total });
    }
    let lead = lead.as_ref().filter(|lead| leads_page(lead, total));
    let (from, conditions) = parts(&noun, &condition, lead, by_index);
    // Sorted are ids alone: what else an opportunity has is read of those on the page.
    let select = format!("SELECT c.id FROM {from}");
    let Page { rows, has_more } = conditions.page(tx, &select, order, window, |row| row.column::<OpportunityId>())?;
    Ok(Counted { page: Page { rows: opportunities::find_all(tx, location, &rows)?, has_more }, total })
}

/// Few among many are not looked for in the order of a list.
fn leads_page(lead: &Lead<'_, OpportunityField>, total: i64) -> bool {
    lead.rows <= LEADS_UP_TO || total <= FEW
}

/// Opportunities in the order of what they and their contacts hold in fields, and how many match in all.
pub fn sorted(
    tx: &mut Tx<'_>,
    location: LocationId,
    filter: &OpportunityFilter,
    keys: &[SortKey<OpportunityField>],
    window: &Window<SortPlace<OpportunityId>>,
) -> Result<Counted<Opportunity>> {
    if let Some((order, ascending)) = time_order(keys) {
        let filter = OpportunityFilter { order, ascending, ..filter.clone() };
        return list(tx, location, &filter, &by_time(window, |at, id| OpportunityCursor { at, id: Some(id) }));
    }
    let (noun, condition) = (noun(tx, location), whole(filter));
    let lead = noun.lead(tx, &condition)?;
    let index = index(&condition, TimeOrder::Created);
    let total = match filter.is_of_places() {
        true => totals(tx, location, filter)?.iter().map(|total| total.count).sum(),
        false => count(tx, &noun, &condition, lead.as_ref(), index)?,
    };
    let lead = lead.as_ref().filter(|lead| leads_page(lead, total));
    let sorted = Sorted { noun: &noun, keys, condition: &condition, lead, index };
    let Page { rows, has_more } = if total == 0 { Page::new(Vec::new(), 0) } else { sorted.page(tx, window)? };
    Ok(Counted { page: Page { rows: opportunities::find_all(tx, location, &rows)?, has_more }, total })
}

/// How many match.
fn count(
    tx: &mut Tx<'_>,
    noun: &Noun<OpportunityField>,
    condition: &Condition<OpportunityField>,
    lead: Option<&Lead<'_, OpportunityField>>,
    by_index: &str,
) -> Result<i64> {
    let decides = |lead: &&Lead<'_, _>| lead.decides(condition) && lead.tests().all(|test| is_of_live(&test.field));
    let (from, conditions) = match lead.filter(decides) {
        Some(lead) => {
            let mut filter = Filter::any();
            let ids = noun.leading(&mut filter, lead, true);
            (format!("({ids}) AS l"), filter)
        }
        None => parts(noun, condition, lead.filter(|lead| leads_all(tx, lead)), by_index),
    };
    let sql = format!("SELECT CAST(count(*) AS BIGINT) FROM {from} WHERE {}", conditions.sql());
    tx.query_one(&sql, &conditions.values(), |row| row.column())
}

/// Whether what is in the trash has no such rows, nor its contact.
fn is_of_live(field: &OpportunityField) -> bool {
    !matches!(field, OpportunityField::Custom(..))
}

/// Whether rows lead where all that match are read: on SQLite however many they are, since all others would be read instead.
fn leads_all(tx: &Tx<'_>, lead: &Lead<'_, OpportunityField>) -> bool {
    lead.rows <= LEADS_UP_TO || !tx.is_postgres()
}

/// What is in each stage of `pipeline`, of all that match.
pub fn sum_matching(
    tx: &mut Tx<'_>,
    location: LocationId,
    pipeline: PipelineId,
    filter: &OpportunityFilter,
) -> Result<Vec<StageTotal>> {
    let (noun, condition) = (noun(tx, location), whole(filter));
    let lead = noun.lead(tx, &condition)?;
    let lead = lead.as_ref().filter(|lead| leads_all(tx, lead));
    let (from, conditions) = parts(&noun, &condition, lead, index(&condition, TimeOrder::Created));
    // Many are worth the same.
    let sql = format!(
        "SELECT c.stage_id, c.status, c.value, c.probability, CAST(count(*) AS BIGINT) FROM {from} WHERE {}
         GROUP BY c.stage_id, c.status, c.value, c.probability",
        conditions.sql()
    );
    let mut totals: Vec<StageTotal> = Vec::new();
    tx.query(&sql, &conditions.values(), |row| {
        let (stage, status) = (row.column()?, opportunities::read_status(row)?);
        let place = totals.iter().position(|total| (total.stage, total.status) == (stage, status));
        let place = place.unwrap_or_else(|| {
            totals.push(StageTotal::nothing(pipeline, stage, status));
            totals.len() - 1
        });
        totals[place].add(row.column()?, row.column()?, row.column()?);
        Ok(())
    })?;
    Ok(totals)
}

/// The index that a list without a lead is read by: whose the opportunities are, if that is asked, else the order's.
fn index(condition: &Condition<OpportunityField>, order: TimeOrder) -> &'static str {
    let asks = |field: OpportunityField| {
        let is_one = |op: &Op| matches!(op, Op::Eq(_)) || matches!(op, Op::In(values) if values.len() == 1);
        let is_asked =
            |part: &Condition<_>| matches!(part, Condition::Test(test) if test.field == field && is_one(&test.op));
        match condition {
            Condition::All(parts) => parts.iter().any(is_asked),
            part => is_asked(part),
        }
    };
    match order {
        _ if asks(OpportunityField::Contact) => "opportunities_by_contact",
        TimeOrder::Created if asks(OpportunityField::AssignedTo) => "opportunities_by_owner_creation",
        TimeOrder::Updated if asks(OpportunityField::AssignedTo) => "opportunities_by_owner_update",
        TimeOrder::Created => "opportunities_by_creation",
        TimeOrder::Updated => "opportunities_by_update",
    }
}

/// What opportunities `c` are read from, and which: those of rows that lead, else by the index.
fn parts<'f>(
    noun: &Noun<OpportunityField>,
    condition: &Condition<OpportunityField>,
    lead: Option<&Lead<'_, OpportunityField>>,
    index: &str,
) -> (String, Filter<'f>) {
    let mut filter = Filter::new();
    let live = noun.live(&mut filter);
    let from = match lead {
        Some(lead) => {
            let ids = noun.leading(&mut filter, lead, true);
            noun.things_of(&mut filter, &ids)
        }
        None => noun.by_index(index),
    };
    filter.and(&live, &[]);
    let asked = noun.asked(&mut filter, condition, lead);
    filter.and(&asked, &[]);
    (from, filter)
}

/// In the stages that the filter names.
fn in_stages(filter: &OpportunityFilter) -> Condition<OpportunityField> {
    let mut parts = Vec::new();
    let mut test = |field, op| parts.push(Condition::Test(Test { field, op }));
    if let Some(stages) = &filter.stages {
        test(OpportunityField::Stage, Op::In(stages.iter().map(|stage| code(stage.as_str())).collect()));
    }
    if let Some(pipeline) = filter.pipeline {
        test(OpportunityField::Pipeline, Op::Eq(code(pipeline.as_str())));
    }
    if let Some(status) = filter.status {
        test(OpportunityField::Status, Op::Eq(code(status.as_str())));
    }
    Condition::All(parts)
}

fn code(text: &str) -> Value {
    Value::Code(text.to_owned())
}

/// All that the filter asks for, its own tests side by side.
fn whole(filter: &OpportunityFilter) -> Condition<OpportunityField> {
    let searched = filter.search.as_deref().map(|asked| Condition::All(vec![searched(asked)]));
    Condition::flat([in_stages(filter), filter.condition.clone()].into_iter().chain(searched))
}

/// What a search asks for: each word begins one of the opportunity or of its contact.
fn searched(asked: &[Asked]) -> Condition<OpportunityField> {
    let begins = |prefix: &str| {
        let test = |field| Condition::Test(Test { field, op: Op::Begins(code(prefix)) });
        Condition::Any(vec![test(OpportunityField::Terms), test(OpportunityField::ContactTerms)])
    };
    search::condition(asked, begins)
}

#[cfg(test)]
#[path = "opportunity_search_tests.rs"]
mod tests;
