//! Opportunities, and what those in a stage are worth together.

use keystead_model::{
    ContactId, LocationId, OpportunityId, PipelineId, StageId, UserId, UtcMs,
    calendar_date::CalendarDate,
    condition::ComparedText,
    custom_field::OwnerKind,
    field_value::ValueSet,
    opportunity::{Opportunity, OpportunityContent, Slippage, StageTotal, Status},
    page::{TimeOrder, Window},
};

use crate::{
    Error, Result, Row, Tx, field_values,
    filter::Filter,
    list::Order,
    table::{self, Table},
};

pub(crate) const COLUMNS: &str = "c.id, c.location_id, c.contact_id, c.pipeline_id, c.stage_id, c.status, c.name, c.value,
    c.assigned_to, c.source, c.lost_reason_id, c.followers, c.close_date, c.probability, c.original_close_date, c.slip_count,
    c.slipped_at, c.status_changed_at, c.stage_changed_at, c.created_at, c.updated_at";

/// What its own row says: what it has in custom fields is read by [`with_custom_fields`].
pub(crate) fn read(row: &mut Row<'_>) -> Result<Opportunity> {
    let (id, location, contact) = (row.column()?, row.column()?, row.column()?);
    let (pipeline, stage, status) = (row.column()?, row.column()?, read_status(row)?);
    let (name, value) = (row.column()?, row.column()?);
    let (assigned_to, source, lost_reason) = (row.column()?, row.column()?, row.column()?);
    let followers = read_followers(row.column()?)?;
    let (close_date, probability) = (row.column()?, row.column()?);
    Ok(Opportunity {
        id,
        location,
        content: OpportunityContent {
            name,
            contact,
            pipeline,
            stage,
            status,
            value,
            assigned_to,
            source,
            lost_reason,
            followers,
            close_date,
            probability,
        },
        custom_fields: ValueSet::default(),
        slippage: Slippage { original: row.column()?, count: row.column()?, at: row.column()? },
        status_changed_at: row.column()?,
        stage_changed_at: row.column()?,
        created_at: row.column()?,
        updated_at: row.column()?,
    })
}

pub(crate) fn read_status(row: &mut Row<'_>) -> Result<Status> {
    Status::parse(&row.column::<String>()?).ok_or_else(|| Error::unreadable("how an opportunity stands"))
}

/// Ids hold no white space, so a list of them is one text.
fn read_followers(text: Option<String>) -> Result<Vec<UserId>> {
    let read = |id| UserId::parse(id).ok_or_else(|| Error::unreadable("a follower"));
    text.unwrap_or_default().split_whitespace().map(read).collect()
}

static OPPORTUNITIES: Table = Table::new("opportunities", &["location_id", "id"]).keeping(&["created_at"]);

/// Adds an opportunity, with its terms and in the total of its stage.
pub fn insert(tx: &mut Tx<'_>, opportunity: &Opportunity) -> Result<()> {
    save(tx, opportunity)?;
    tally(tx, None, Some(opportunity))?;
    save_values(tx, opportunity, &ValueSet::default(), &opportunity.custom_fields)?;
    add_terms(tx, opportunity, &opportunity.search_terms())
}

/// Replaces what an opportunity was by what it is now.
pub fn update(tx: &mut Tx<'_>, before: &Opportunity, after: &Opportunity) -> Result<()> {
    save(tx, after)?;
    tally(tx, Some(before), Some(after))?;
    save_values(tx, after, &before.custom_fields, &after.custom_fields)?;
    let (known, wanted) = (before.search_terms(), after.search_terms());
    if known != wanted {
        forget_terms(tx, after.location, after.id)?;
        add_terms(tx, after, &wanted)?;
    }
    Ok(())
}

fn save_values(tx: &mut Tx<'_>, of: &Opportunity, before: &ValueSet, after: &ValueSet) -> Result<()> {
    field_values::save(tx, of.location, (OwnerKind::Opportunity, of.id), before, after)
}

/// These with what is in their custom fields.
pub(crate) fn with_custom_fields(
    tx: &mut Tx<'_>,
    location: LocationId,
    mut opportunities: Vec<Opportunity>,
) -> Result<Vec<Opportunity>> {
    let ids: Vec<OpportunityId> = opportunities.iter().map(|opportunity| opportunity.id).collect();
    let mut found = field_values::of_owners(tx, location, OwnerKind::Opportunity, &ids)?;
    for opportunity in &mut opportunities {
        opportunity.custom_fields = found.remove(&opportunity.id).unwrap_or_default();
    }
    Ok(opportunities)
}

fn save(tx: &mut Tx<'_>, opportunity: &Opportunity) -> Result<()> {
    let Opportunity {
        id,
        location,
        content,
        custom_fields: _,
        slippage,
        status_changed_at,
        stage_changed_at,
        created_at,
        updated_at,
    } = opportunity;
    let OpportunityContent {
        name,
        contact,
        pipeline,
        stage,
        status,
        value,
        assigned_to,
        source,
        lost_reason,
        followers,
        close_date,
        probability,
    } = content;
    let followers = followers.iter().map(UserId::as_str).collect::<Vec<_>>().join(" ");
    OPPORTUNITIES.save(
        tx,
        &[
            ("location_id", location),
            ("id", id),
            ("contact_id", contact),
            ("pipeline_id", pipeline),
            ("stage_id", stage),
            ("status", &status.as_str()),
            ("name", name),
            ("value", value),
            ("assigned_to", assigned_to),
            ("source", source),
            ("lost_reason_id", lost_reason),
            ("followers", &Some(followers).filter(|followers| !followers.is_empty())),
            ("close_date", &close_date.map(CalendarDate::to_iso)),
            ("probability", probability),
            ("original_close_date", &slippage.original.map(CalendarDate::to_iso)),
            ("slip_count", &slippage.count),
            ("slipped_at", &slippage.at),
            ("status_changed_at", status_changed_at),
            ("stage_changed_at", stage_changed_at),
            ("created_at", created_at),
            ("updated_at", updated_at),
            ("name_folded", &folded(name.as_str())),
            ("source_folded", &source.as_ref().and_then(|source| folded(source.as_str()))),
        ],
    )
}

/// A text in the form that conditions compare.
fn folded(text: &str) -> Option<String> {
    ComparedText::of(text).map(ComparedText::into_string)
}

/// Writes how the texts of all opportunities are compared, after a release has changed it.
pub(crate) fn refold(tx: &mut Tx<'_>) -> Result<()> {
    let mut after: Option<(LocationId, OpportunityId)> = None;
    loop {
        let window = Window::after(after, 500);
        let read = |row: &mut Row<'_>| {
            let place: (LocationId, OpportunityId) = (row.column()?, row.column()?);
            Ok((place, row.column::<String>()?, row.column::<Option<String>>()?))
        };
        let select = "SELECT location_id, id, name, source FROM opportunities";
        let page = Filter::any().page(tx, select, Order::ascending(&["location_id", "id"]), &window, read)?;
        for ((location, id), name, source) in &page.rows {
            tx.later(
                "UPDATE opportunities SET name_folded = ?3, source_folded = ?4 WHERE location_id = ?1 AND id = ?2",
                &[location, id, &folded(name), &source.as_deref().and_then(folded)],
            )?;
        }
        after = page.next(|(place, ..)| *place);
        if after.is_none() {
            return Ok(());
        }
    }
}

fn add_terms(tx: &mut Tx<'_>, opportunity: &Opportunity, terms: &[String]) -> Result<()> {
    terms.iter().try_for_each(|term| {
        tx.later(
            "INSERT INTO opportunity_terms (location_id, term, opportunity_id) VALUES (?1, ?2, ?3)",
            &[&opportunity.location, term, &opportunity.id],
        )
    })
}

fn forget_terms(tx: &mut Tx<'_>, location: LocationId, id: OpportunityId) -> Result<()> {
    tx.later("DELETE FROM opportunity_terms WHERE location_id = ?1 AND opportunity_id = ?2", &[&location, &id])
}

/// One of a location; what is in the trash is not found.
pub fn find(tx: &mut Tx<'_>, location: LocationId, id: OpportunityId) -> Result<Option<Opportunity>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM opportunities c WHERE c.location_id = ?1 AND c.id = ?2 AND c.trashed_at IS NULL"
    );
    let found = tx.query_opt(&sql, &[&location, &id], read)?;
    Ok(with_custom_fields(tx, location, found.into_iter().collect())?.pop())
}

/// Whether one is there and not in the trash.
pub fn exists(tx: &mut Tx<'_>, location: LocationId, id: OpportunityId) -> Result<bool> {
    let sql = "SELECT id FROM opportunities WHERE location_id = ?1 AND id = ?2 AND trashed_at IS NULL";
    Ok(tx.query_opt(sql, &[&location, &id], |row| row.column::<OpportunityId>())?.is_some())
}

/// These, in this order; what is in the trash is not found.
pub(crate) fn find_all(tx: &mut Tx<'_>, location: LocationId, ids: &[OpportunityId]) -> Result<Vec<Opportunity>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut filter = Filter::new();
    filter.and("c.location_id = @ AND c.trashed_at IS NULL", &[&location]);
    filter.and_one_of("c.id", ids);
    let sql = format!("SELECT {COLUMNS} FROM opportunities c WHERE {}", filter.sql());
    let mut found = tx.query(&sql, &filter.values(), read)?;
    found.sort_by_key(|opportunity| ids.iter().position(|id| *id == opportunity.id));
    with_custom_fields(tx, location, found)
}

/// All of a contact, newest first.
pub fn of_contact(tx: &mut Tx<'_>, location: LocationId, contact: ContactId) -> Result<Vec<Opportunity>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM opportunities c
         WHERE c.location_id = ?1 AND c.contact_id = ?2 AND c.trashed_at IS NULL ORDER BY c.created_at DESC, c.id DESC"
    );
    let found = tx.query(&sql, &[&location, &contact], read)?;
    with_custom_fields(tx, location, found)
}

/// Says of opportunities that they were changed, where something changed that they show.
pub fn touch(tx: &mut Tx<'_>, location: LocationId, ids: &[OpportunityId], now: UtcMs) -> Result<()> {
    table::touch(tx, "opportunities", location, ids, now)
}

/// The newest of each of several contacts, at most `most` of each, without what is in their custom fields.
pub fn of_contacts(
    tx: &mut Tx<'_>,
    location: LocationId,
    contacts: &[ContactId],
    most: i64,
) -> Result<Vec<Opportunity>> {
    if contacts.is_empty() {
        return Ok(Vec::new());
    }
    let mut filter = Filter::new();
    filter.and("o.location_id = @ AND o.trashed_at IS NULL", &[&location]);
    filter.and_one_of("o.contact_id", contacts);
    let place = "row_number() OVER (PARTITION BY o.contact_id ORDER BY o.created_at DESC, o.id DESC)";
    let placed = format!("SELECT o.*, {place} AS place FROM opportunities o WHERE {}", filter.sql());
    let most = filter.bind(&most);
    let sql = format!("SELECT {COLUMNS} FROM ({placed}) AS c WHERE c.place <= {most} ORDER BY c.contact_id, c.place");
    tx.query(&sql, &filter.values(), read)
}

/// The newest one that a contact has in a pipeline, other than `except`.
pub fn find_of_contact(
    tx: &mut Tx<'_>,
    location: LocationId,
    (contact, pipeline): (ContactId, PipelineId),
    except: Option<OpportunityId>,
) -> Result<Option<OpportunityId>> {
    let except = except.map_or(String::new(), |id| id.to_string());
    let sql =
        "SELECT id FROM opportunities WHERE location_id = ?1 AND contact_id = ?2 AND pipeline_id = ?3 AND id <> ?4
               AND trashed_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 1";
    tx.query_opt(sql, &[&location, &contact, &pipeline, &except], |row| row.column())
}

/// Deletes one with all that belongs to it.
pub fn delete(tx: &mut Tx<'_>, opportunity: &Opportunity) -> Result<()> {
    let (location, id) = (opportunity.location, opportunity.id);
    tally(tx, Some(opportunity), None)?;
    forget_terms(tx, location, id)?;
    // Values of fields that are gone are on their way by themselves.
    save_values(tx, opportunity, &opportunity.custom_fields, &ValueSet::default())?;
    tx.execute("DELETE FROM opportunities WHERE location_id = ?1 AND id = ?2", &[&location, &id])?;
    Ok(())
}

/// Puts one into the trash, where its contact is.
pub fn trash(tx: &mut Tx<'_>, opportunity: &Opportunity, now: UtcMs) -> Result<()> {
    let (location, id) = (opportunity.location, opportunity.id);
    tally(tx, Some(opportunity), None)?;
    forget_terms(tx, location, id)?;
    tx.execute("UPDATE opportunities SET trashed_at = ?3 WHERE location_id = ?1 AND id = ?2", &[&location, &id, &now])?;
    Ok(())
}

/// Those in the trash with a contact, newest first.
pub fn trashed_of_contact(tx: &mut Tx<'_>, location: LocationId, contact: ContactId) -> Result<Vec<Opportunity>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM opportunities c
         WHERE c.location_id = ?1 AND c.contact_id = ?2 AND c.trashed_at IS NOT NULL ORDER BY c.created_at DESC, c.id DESC"
    );
    let found = tx.query(&sql, &[&location, &contact], read)?;
    with_custom_fields(tx, location, found)
}

/// Takes one out of the trash, as it is now.
pub fn restore(tx: &mut Tx<'_>, opportunity: &Opportunity) -> Result<()> {
    let (location, id) = (opportunity.location, opportunity.id);
    save(tx, opportunity)?;
    tx.execute("UPDATE opportunities SET trashed_at = NULL WHERE location_id = ?1 AND id = ?2", &[&location, &id])?;
    tally(tx, None, Some(opportunity))?;
    add_terms(tx, opportunity, &opportunity.search_terms())
}

/// The column of an order.
pub(crate) fn column(order: TimeOrder) -> &'static str {
    match order {
        TimeOrder::Created => "created_at",
        TimeOrder::Updated => "updated_at",
    }
}

/// The time that one has in an order, also in the trash.
pub fn time_of(tx: &mut Tx<'_>, location: LocationId, id: OpportunityId, order: TimeOrder) -> Result<Option<UtcMs>> {
    let sql = format!("SELECT {} FROM opportunities WHERE location_id = ?1 AND id = ?2", column(order));
    tx.query_opt(&sql, &[&location, &id], |row| row.column())
}

/// Whether a contact may have several in one pipeline.
pub fn allows_duplicates(tx: &mut Tx<'_>, location: LocationId) -> Result<bool> {
    let sql = "SELECT allow_duplicate_opportunity FROM locations WHERE id = ?1";
    tx.query_one(sql, &[&location], |row| row.column())
}

/// Moves an opportunity from the total of the stage that it was in to that of the one that it is in.
fn tally(tx: &mut Tx<'_>, before: Option<&Opportunity>, after: Option<&Opportunity>) -> Result<()> {
    let place = |opportunity: &Opportunity| (opportunity.content.stage, opportunity.content.status);
    let counted =
        |opportunity: &Opportunity| (place(opportunity), opportunity.content.value, opportunity.content.probability);
    if before.map(counted) == after.map(counted) {
        return Ok(());
    }
    let mut places: Vec<((StageId, Status), &Opportunity)> =
        before.into_iter().chain(after).map(|opportunity| (place(opportunity), opportunity)).collect();
    places.dedup_by_key(|(place, _)| *place);
    for ((stage, status), opportunity) in places {
        let location = opportunity.location;
        let known =
            totals(tx, location, &TotalsOf { stage: Some(&[stage]), status: Some(status), pipeline: None })?.pop();
        let nothing = || StageTotal::nothing(opportunity.content.pipeline, stage, status);
        let mut total = known.unwrap_or_else(nothing);
        for (opportunity, times) in before.map(|was| (was, -1)).into_iter().chain(after.map(|is| (is, 1))) {
            if place(opportunity) == (stage, status) {
                total.add(opportunity.content.value, opportunity.content.probability, times);
            }
        }
        write_total(tx, location, &total)?;
    }
    Ok(())
}

static TOTALS: Table = Table::new("opportunity_totals", &["location_id", "stage_id", "status"]);

fn write_total(tx: &mut Tx<'_>, location: LocationId, total: &StageTotal) -> Result<()> {
    let StageTotal { pipeline, stage, status, count, nanos, own_nanos, own_weighted } = total;
    if *count == 0 {
        tx.execute(
            "DELETE FROM opportunity_totals WHERE location_id = ?1 AND stage_id = ?2 AND status = ?3",
            &[&location, stage, &status.as_str()],
        )?;
        return Ok(());
    }
    TOTALS.save(
        tx,
        &[
            ("location_id", &location),
            ("stage_id", stage),
            ("status", &status.as_str()),
            ("pipeline_id", pipeline),
            ("opportunities", count),
            ("nanos", &nanos.to_string()),
            ("own_nanos", &own_nanos.to_string()),
            ("own_weighted", &own_weighted.to_string()),
        ],
    )
}

/// Of which opportunities totals are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct TotalsOf<'t> {
    /// Of those in these stages.
    pub stage: Option<&'t [StageId]>,
    /// Of those in this pipeline.
    pub pipeline: Option<PipelineId>,
    /// Of those that stand so.
    pub status: Option<Status>,
}

/// How many opportunities are in each stage, and in which way they stand; where there are none, there is no row.
pub fn totals(tx: &mut Tx<'_>, location: LocationId, of: &TotalsOf<'_>) -> Result<Vec<StageTotal>> {
    let TotalsOf { stage, pipeline, status } = of;
    let status = status.map(Status::as_str);
    let mut filter = Filter::new();
    filter.and("location_id = @", &[&location]);
    if let Some(stages) = stage {
        filter.and_one_of("stage_id", stages.iter());
    }
    if let Some(pipeline) = pipeline {
        filter.and("pipeline_id = @", &[pipeline]);
    }
    if let Some(status) = &status {
        filter.and("status = @", &[status]);
    }
    let sql = format!(
        "SELECT pipeline_id, stage_id, status, opportunities, nanos, own_nanos, own_weighted FROM opportunity_totals WHERE {}",
        filter.sql()
    );
    tx.query(&sql, &filter.values(), |row| {
        let (pipeline, stage, status, count) = (row.column()?, row.column()?, read_status(row)?, row.column()?);
        let (nanos, own_nanos, own_weighted) = (read_sum(row)?, read_sum(row)?, read_sum(row)?);
        Ok(StageTotal { pipeline, stage, status, count, nanos, own_nanos, own_weighted })
    })
}

fn read_sum(row: &mut Row<'_>) -> Result<i128> {
    row.column::<String>()?.parse().map_err(|_| Error::unreadable("a sum of money"))
}
