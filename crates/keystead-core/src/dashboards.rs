//! What the first page of an agency and of a location says: sums that are kept, and counts that end early.

use std::collections::HashMap;

use keystead_model::{KeyId, LocationId, UtcMs, opportunity::StageTotal, scope::Scope, task::Task};
use keystead_store::{
    contacts,
    key_usage::{self, TenantUsage},
    opportunities::{self, TotalsOf},
    tasks,
};

use crate::{App, Authority, Error, LocationContext, Result, Steps};

/// Keys with refused attempts that are named.
const REFUSED_SHOWN: i64 = 5;
/// Tasks that are named.
const TASKS_SHOWN: i64 = 5;

/// What is counted no further than some number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counted {
    /// How many there are, or the number at which counting ended.
    pub count: i64,
    /// Whether there may be more.
    pub is_cut: bool,
}

impl Counted {
    fn up_to(most: i64, count: i64) -> Self {
        Self { count, is_cut: count >= most }
    }
}

/// Most contacts of a day that are counted.
const CONTACTS_A_DAY: i64 = 2_000;
/// Most tasks that are counted.
const TASKS: i64 = 1_000;

/// What is to be done in a location.
#[derive(Clone, Debug)]
pub struct DueTasks {
    /// Those that should be done by now.
    pub late: Counted,
    /// Those that are due from now until an instant.
    pub soon: Counted,
    /// Those that are due first, of both.
    pub first: Vec<Task>,
}

/// Whose usage it is: an agency's whole, for whoever reaches all of it, or that of a location's own keys.
fn owner(authority: &Authority, location: Option<LocationId>) -> Result<()> {
    authority.require(Scope::KeysRead)?;
    let reach = &authority.grant().reach;
    let is_theirs = match location {
        Some(location) => reach.has_location(location),
        None => *reach == keystead_model::grant::Reach::Agency,
    };
    if is_theirs { Ok(()) } else { Err(Error::NoAccess) }
}

impl App {
    /// Requests with all keys of the agency, or with a location's own keys, by class of the answer: of every step. What nodes have
    /// counted comes within 30 seconds.
    pub async fn usage_in(
        &self,
        authority: &Authority,
        location: Option<LocationId>,
        steps: Steps,
    ) -> Result<Vec<(UtcMs, [i64; 6])>> {
        owner(authority, location)?;
        if let Some(location) = location {
            self.find_location(authority, location).await?;
        }
        let (owner, hours) = ((authority.agency(), location), steps.hours());
        let rows = self.store.read(move |tx| key_usage::of_tenant(tx, owner, hours.start, hours.end)).await?;
        let mut sums = steps.empty();
        for TenantUsage { hour, class, requests } in rows {
            let class = usize::try_from(class).unwrap_or(0).min(5);
            if let Some(step) = steps.of_hour(hour) {
                sums[step].1[class] += requests;
            }
        }
        Ok(sums)
    }

    /// Requests in each of these locations since an instant, by class of the answer; of those that the authority reaches.
    pub async fn usage_by_location(
        &self,
        authority: &Authority,
        mut locations: Vec<LocationId>,
        since: UtcMs,
    ) -> Result<HashMap<LocationId, [i64; 6]>> {
        authority.require(Scope::KeysRead)?;
        let agency = authority.agency();
        locations.retain(|location| authority.grant().reach.has_location(*location));
        let rows = self
            .store
            .read(move |tx| {
                let named: Vec<String> = locations.iter().map(ToString::to_string).collect();
                // Only the agency's own, whatever is asked for.
                let own = keystead_store::event_names::of_locations(tx, agency, &named)?;
                let is_own = |location: &&LocationId| own.iter().any(|named| named.id == location.as_str());
                let own: Vec<LocationId> = locations.iter().filter(is_own).copied().collect();
                key_usage::of_locations(tx, &own, since)
            })
            .await?;
        let mut sums: HashMap<LocationId, [i64; 6]> = HashMap::new();
        for (location, class, requests) in rows {
            sums.entry(location).or_default()[usize::try_from(class).unwrap_or(0).min(5)] += requests;
        }
        Ok(sums)
    }

    /// Keys with which attempts were refused since an instant, those with most first: a wrong secret, an address that is not
    /// allowed, a key that is switched off.
    pub async fn refused_attempts(
        &self,
        authority: &Authority,
        location: Option<LocationId>,
        since: UtcMs,
    ) -> Result<Vec<(KeyId, i64)>> {
        owner(authority, location)?;
        let owner = (authority.agency(), location);
        Ok(self.store.read(move |tx| key_usage::refused(tx, owner, since, REFUSED_SHOWN)).await?)
    }

    /// How many contacts a location has, and how many of them were added on each of these days, the last of which ends at `until`.
    pub async fn contacts_by_day(
        &self,
        context: &LocationContext,
        days: Vec<UtcMs>,
        until: UtcMs,
    ) -> Result<(i64, Vec<(UtcMs, Counted)>)> {
        self.read(context, Scope::ContactsRead, move |operation| {
            let (location, tx) = (operation.context.location, &mut *operation.tx);
            let ends = days.iter().skip(1).copied().chain([until]);
            let by_day = days.iter().zip(ends).map(|(from, until)| {
                let count = contacts::count_added(tx, location, *from, until, CONTACTS_A_DAY)?;
                Ok((*from, Counted::up_to(CONTACTS_A_DAY, count)))
            });
            let by_day = by_day.collect::<keystead_store::Result<Vec<_>>>()?;
            Ok((contacts::count_all(tx, location)?, by_day))
        })
        .await
    }

    /// How many opportunities stand in each stage of a location, in which way, and what they are worth.
    pub async fn opportunity_totals(&self, context: &LocationContext) -> Result<Vec<StageTotal>> {
        self.read(context, Scope::OpportunitiesRead, |operation| {
            Ok(opportunities::totals(operation.tx, operation.context.location, &TotalsOf::default())?)
        })
        .await
    }

    /// What should be done by now in a location, and what is due until an instant.
    pub async fn due_tasks(&self, context: &LocationContext, until: UtcMs) -> Result<DueTasks> {
        let now = context.authority.now();
        self.read(context, Scope::TasksRead, move |operation| {
            let (location, tx) = (operation.context.location, &mut *operation.tx);
            Ok(DueTasks {
                late: Counted::up_to(TASKS, tasks::count_due(tx, location, UtcMs::MIN, now, TASKS)?),
                soon: Counted::up_to(TASKS, tasks::count_due(tx, location, now, until, TASKS)?),
                first: tasks::due(tx, location, until, TASKS_SHOWN)?,
            })
        })
        .await
    }
}
