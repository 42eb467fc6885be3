//! Opportunities that are listed and searched, and how much is in their stages.

use std::time::Duration;

use keystead_model::{
    LocationId, OpportunityId, StageId, UtcMs,
    opportunity::{Opportunity, OpportunityCursor, OpportunityFilter, StageTotal, Status},
    opportunity_field::OpportunityField,
    page::{Counted, Page, Start, TimeOrder, Window},
    pipeline::Pipeline,
    scope::Scope,
    sort::{SortKey, SortPlace, time_order},
};
use keystead_store::{Tx, opportunities, opportunity_search, pipelines};

use crate::{App, Error, LocationContext, Result, WholeOpportunity, opportunities::Beside};

/// What makes a search short.
const SHORTENS: &str = "what few opportunities have: a contact, an owner, days or another word";

/// How much is in a stage, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the wire contract's, one to one, in billionths")]
pub struct StageSums {
    pub stage: StageId,
    pub count: i64,
    pub value: i128,
    pub weighted: i128,
    pub open: i128,
    pub open_weighted: i128,
    pub won: i128,
}

impl App {
    /// A page of opportunities in the filter's order, and how many match in all. Notes and tasks are the contact's, so whoever asks
    /// for them must be allowed to read contacts.
    pub async fn list_opportunities(
        &self,
        context: &LocationContext,
        filter: OpportunityFilter,
        window: Window<OpportunityCursor>,
        beside: Beside,
    ) -> Result<Counted<WholeOpportunity>> {
        // What is counted already takes no longer than its page.
        let time = Some(self.limits.search).filter(|_| !filter.is_of_places());
        let find = move |tx: &mut Tx<'_>, location| {
            let mut window = window;
            if let Start::After(OpportunityCursor { at: at @ None, id: Some(id) }) = &mut window.start {
                *at = Some(place_of(tx, location, *id, filter.order)?);
            }
            let list = |tx: &mut Tx<'_>| opportunity_search::list(tx, location, &filter, &window);
            shortly(tx, time, list)
        };
        let find = move |tx: &mut Tx<'_>, location| Ok((find(tx, location)?, ()));
        self.find_opportunities(context, beside, find).await.map(|(found, ())| found)
    }

    /// Opportunities in the order of what they and their contacts hold in fields, whatever the filter's own order is; and how much is
    /// in each stage of the filter's pipeline, of what the filter lets through; of a pipeline that is not there, nothing.
    pub async fn search_opportunities(
        &self,
        context: &LocationContext,
        filter: OpportunityFilter,
        keys: Vec<SortKey<OpportunityField>>,
        window: Window<SortPlace<OpportunityId>>,
        beside: Beside,
    ) -> Result<(Counted<WholeOpportunity>, Vec<StageSums>)> {
        let time = Some(self.limits.search).filter(|_| !filter.is_of_places() || time_order(&keys).is_none());
        self.find_opportunities(context, beside, move |tx, location| {
            shortly(tx, time, |tx| {
                let sums = sum(tx, location, &filter)?;
                Ok((opportunity_search::sorted(tx, location, &filter, &keys, &window)?, sums))
            })
        })
        .await
    }

    /// What `find` finds, with what else is known of it.
    async fn find_opportunities<T: Send + 'static>(
        &self,
        context: &LocationContext,
        beside: Beside,
        find: impl Fn(&mut Tx<'_>, LocationId) -> Result<(Counted<Opportunity>, T)> + Send + Sync + 'static,
    ) -> Result<(Counted<WholeOpportunity>, T)> {
        if beside.notes || beside.tasks {
            context.authority.require(Scope::ContactsRead)?;
        }
        self.read(context, Scope::OpportunitiesRead, move |operation| {
            let (Counted { page, total }, more) = find(operation.tx, operation.context.location)?;
            let has_more = page.has_more;
            let rows = operation.whole_opportunities(page.rows, beside)?;
            Ok((Counted { page: Page { rows, has_more }, total }, more))
        })
        .await
    }
}

/// Reads within `time`, if it is limited.
fn shortly<T>(
    tx: &mut Tx<'_>,
    time: Option<Duration>,
    read: impl FnOnce(&mut Tx<'_>) -> keystead_store::Result<T>,
) -> Result<T> {
    let read = match time {
        Some(time) => tx.within(time, read),
        None => read(tx),
    };
    read.map_err(|error| Error::of_search(error, SHORTENS))
}

fn sum(tx: &mut Tx<'_>, location: LocationId, filter: &OpportunityFilter) -> keystead_store::Result<Vec<StageSums>> {
    let Some(id) = filter.pipeline else { return Ok(Vec::new()) };
    let Some(pipeline) = pipelines::find(tx, location, id)? else { return Ok(Vec::new()) };
    let totals = if filter.is_of_places() {
        opportunity_search::totals(tx, location, filter)?
    } else {
        opportunity_search::sum_matching(tx, location, id, filter)?
    };
    Ok(pipeline.stages.iter().map(|stage| sums(stage.id, &totals, &pipeline)).collect())
}

fn sums(stage: StageId, totals: &[StageTotal], pipeline: &Pipeline) -> StageSums {
    let mut sums = StageSums { stage, count: 0, value: 0, weighted: 0, open: 0, open_weighted: 0, won: 0 };
    for total in totals.iter().filter(|total| total.stage == stage) {
        let weighted = total.weighted_nanos(pipeline);
        sums.count += total.count;
        sums.value += total.nanos;
        sums.weighted += weighted;
        match total.status {
            Status::Open => (sums.open, sums.open_weighted) = (total.nanos, weighted),
            Status::Won => sums.won = total.nanos,
            Status::Lost | Status::Abandoned => {}
        }
    }
    sums
}

/// Where an opportunity is in an order, for a cursor that names only it, see the same of contacts.
fn place_of(tx: &mut Tx<'_>, location: LocationId, id: OpportunityId, order: TimeOrder) -> Result<UtcMs> {
    match (opportunities::time_of(tx, location, id, order)?, order) {
        (Some(at), _) => Ok(at),
        (None, TimeOrder::Created) => Ok(id.time()),
        (None, TimeOrder::Updated) => {
            Err(Error::invalid("startAfterId", "names no opportunity; begin again, or send startAfter, too"))
        }
    }
}
