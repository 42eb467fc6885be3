//! What follows from a change in so many rows that nobody else of a location could wait for it: written in portions, by jobs.
//!
//! When a tag or a business goes, contacts show something else at once, and their time of change follows (a *ripple*). When a user
//! goes, what they owned and followed is left by them, contact by contact, each with its event (a *departure*). Where a server ends
//! in the middle, the next goes on: a portion is written as a whole, and one that is written leaves nothing to write again.

use std::time::Duration;

use keystead_model::{
    AgencyId, LocationId, UserId, UtcMs,
    event::{Cause, EventKind},
    id::Id,
    job::{Job, JobKind},
    opportunity::{FollowersChange, OpportunityPatch},
    recurring_task::{RecurringTask, RecurringTaskPatch},
    task::{Task, TaskPatch},
};
use keystead_store::{
    Tx,
    departures::{self, Departure, Naming, Noun},
    events, queue,
    ripples::{self, Named, Ripple},
};
use tokio::time::Instant;

use crate::{
    App, Authority, LocationContext, Result,
    operate::InLocation,
    queue::{Outcome, Settled},
};

/// How long after its cause it begins: whoever deletes one tag often deletes the next, and is not to queue behind what follows.
const BEGINS_AFTER_MS: i64 = 1_000;
/// Things that leave a user in one transaction.
const PORTION: usize = 50;
/// How long one job is worked on before another has its turn.
const SLICE: Duration = Duration::from_secs(5);

impl App {
    /// Works on what follows from a change. It ends before `until`.
    pub async fn work_on_aftermath(&self, job: Job, until: Instant) -> Result<Settled> {
        let until = until.min(Instant::now() + SLICE);
        let user = job.id.of();
        let departure = self.store.look_up(move |tx| departures::find(tx, user)).await?;
        let is_done = match departure {
            Some(departure) => self.depart(departure, until).await?,
            // A job of neither is done: what it was for is written, or gone with its location.
            None => self.ripple(job.owner.of(), job.id.of(), until).await?,
        };
        let outcome = if is_done { Outcome::Done } else { Outcome::Again(Duration::ZERO, "it goes on".to_owned()) };
        Ok(Settled::new(job, outcome))
    }

    async fn ripple(&self, location: LocationId, id: Id<Ripple>, until: Instant) -> Result<bool> {
        while Instant::now() < until {
            let now = self.clock.now();
            let go_on = move |tx: &mut Tx<'_>| ripples::go_on(tx, location, id, now);
            if !self.store.write_in(location.of_anything(), go_on).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn depart(&self, mut departure: Departure, until: Instant) -> Result<bool> {
        let (user, agency) = (departure.user, departure.agency);
        let cause = self.store.look_up(move |tx| events::last(tx, user.as_str(), EventKind::UserDeleted)).await?;
        let cause = Cause { root: cause, depth: u32::from(cause.is_some()) };
        while Instant::now() < until {
            // Looked for outside of the location's queue: nobody waits for what is only read.
            let look = departure.clone();
            let looked = self.store.read(move |tx| {
                let mut look = look.clone();
                let found = departures::look_on(tx, &mut look, PORTION)?;
                Ok::<_, keystead_store::Error>((look, found))
            });
            let (place, (next, found)) = (departure.place, looked.await?);
            let Some(found) = found else {
                self.store.write_in(agency.of_anything(), move |tx| departures::end(tx, user)).await?;
                return Ok(true);
            };
            if let (Some(place), false) = (place, found.is_empty()) {
                self.leave_in(agency, place, departure.noun, (cause, found), next.clone()).await?;
            }
            departure = next;
        }
        self.store.write_in(agency.of_anything(), move |tx| departures::advance(tx, &departure)).await?;
        Ok(false)
    }

    /// Takes a user out of things of a location, and notes how far that has come.
    async fn leave_in(
        &self,
        agency: AgencyId,
        location: LocationId,
        noun: Noun,
        (cause, found): (Cause, Vec<Naming>),
        next: Departure,
    ) -> Result<()> {
        let context = LocationContext::new(Self::own_authority(agency, location, self.clock.now()), location);
        let run = move |operation: &mut InLocation<'_, '_>| {
            for naming in &found {
                let left = operation.attempt(|alone| alone.following(cause, |it| it.leave(next.user, noun, *naming)));
                match left {
                    // What cannot be changed any more, whatever the change, keeps its name.
                    Err(error) if !error.is_refusal() => return Err(error),
                    _ => {}
                }
            }
            Ok(departures::advance(operation.tx, &next)?)
        };
        self.operate_on_own(&context, run, |_, _| Ok(())).await
    }
}

impl InLocation<'_, '_> {
    /// Lets the time of change of contacts follow, that name something which is about to be renamed or deleted.
    pub(crate) fn begin_ripple(&mut self, named: Named<'_>) -> Result<()> {
        let (location, id) = (self.context.location, self.new_id::<Ripple>());
        if ripples::begin(self.tx, location, id, named)? {
            begin(self.tx, id.of_anything(), location.of_anything(), self.now())?;
        }
        Ok(())
    }

    fn leave(&mut self, user: UserId, noun: Noun, Naming { id, contact }: Naming) -> Result<()> {
        match noun {
            Noun::Contacts => self
                .change_contact(contact, |contact| {
                    contact.profile.assigned_to = contact.profile.assigned_to.filter(|owner| *owner != user);
                    contact.profile.followers.retain(|follower| *follower != user);
                })
                .map(drop),
            Noun::Opportunities => {
                let before = self.opportunity(id.of(), None)?;
                let is_owner = before.content.assigned_to == Some(user);
                let followers = FollowersChange { remove: vec![user], ..FollowersChange::default() };
                let patch = OpportunityPatch {
                    assigned_to: is_owner.then_some(None),
                    followers,
                    ..OpportunityPatch::default()
                };
                self.change_opportunity(before, patch).map(drop)
            }
            Noun::Tasks => {
                let patch = TaskPatch { assigned_to: Some(None), ..TaskPatch::default() };
                self.update::<Task>(contact, id.of(), patch).map(drop)
            }
            Noun::RecurringTasks => {
                let patch = RecurringTaskPatch { owner: Some(None), ..RecurringTaskPatch::default() };
                self.update::<RecurringTask>((), id.of(), patch).map(drop)
            }
            Noun::SavedViews => self.leave_saved_view(id.of()),
        }
    }
}

/// Lets a user leave what they owned and followed, who is deleted in this transaction.
pub(crate) fn begin_departure(tx: &mut Tx<'_>, authority: &Authority, user: UserId) -> Result<()> {
    let agency = authority.agency();
    departures::begin(tx, &Departure::new(user, agency))?;
    begin(tx, user.of_anything(), agency.of_anything(), authority.now())
}

fn begin(tx: &mut Tx<'_>, job: Id<()>, owner: Id<()>, now: UtcMs) -> Result<()> {
    Ok(queue::add(tx, JobKind::Aftermath, job, owner, Some(UtcMs(now.0 + BEGINS_AFTER_MS)))?)
}
