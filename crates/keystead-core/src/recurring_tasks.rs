//! Recurring tasks of a location, and the tasks that they make.

use keystead_model::{
    AgencyId, ContactId, LocationId, UserId, UtcMs,
    event::EventKind,
    recurrence::{Recurrence, Weekday},
    recurring_task::{NewRecurringTask, Progress, RecurringTask, RecurringTaskContent, RecurringTaskPatch},
    scope::Scope,
    task::Task,
};
use keystead_store::{contacts, locations, queue, recurring_tasks, stored};

use crate::{
    App, LocationContext, Result,
    error::Noun,
    events::{Described, Fields, put, text},
    operate::InLocation,
    resource::{Made, Resource},
};

/// Locations that are served in one go.
const PLACES: i64 = 100;
/// Recurring tasks of a location that are looked at in one transaction, so that nobody waits for it long.
const AT_ONCE: i64 = 50;

impl App {
    /// Makes the tasks that have come everywhere. Called by the jobs; any number of servers may, since each looks again in the
    /// transaction in which it makes one. Answers how many rules it looked at: of none, there was nothing left to do.
    pub async fn make_recurring_tasks(&self) -> Result<usize> {
        let told = self.clock.told();
        let due = self.store.read(move |tx| {
            let now = queue::now(tx, told)?;
            Ok::<_, keystead_store::Error>((now, recurring_tasks::places_due(tx, now, PLACES)?))
        });
        let (now, places) = due.await?;
        let (mut looked_at, mut failed) = (0, None);
        for (agency, location) in places {
            match self.make_recurring_tasks_in(agency, location, now).await {
                Ok(number) => looked_at += number,
                // The others are not to wait for what is wrong with one.
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(looked_at), Err)
    }

    async fn make_recurring_tasks_in(&self, agency: AgencyId, location: LocationId, now: UtcMs) -> Result<usize> {
        let context = LocationContext::new(Self::own_authority(agency, location, now), location);
        let run = |operation: &mut InLocation<'_, '_>| operation.make_recurring_tasks();
        self.operate_on_own(&context, run, |_, _| Ok(0)).await
    }
}

impl InLocation<'_, '_> {
    fn make_recurring_tasks(&mut self) -> Result<usize> {
        let (location, now) = (self.context.location, self.now());
        let zone = locations::zone(self.tx, location)?;
        let due = recurring_tasks::due(self.tx, location, now, AT_ONCE)?;
        let looked_at = due.len();
        for mut rule in due {
            if let Some(time) = rule.come(&zone, now)
                && !std::mem::take(&mut rule.progress.passes_over_next)
                && self.may_come(&rule)?
            {
                let task: Task = self.create(rule.content.contact, rule.task(time))?;
                rule.note_made(task.id);
            }
            stored::save(self.tx, location, &rule)?;
        }
        Ok(looked_at)
    }

    /// Whether a task can come now: its contact is there, and the one before is done or not due yet, where that matters.
    fn may_come(&mut self, rule: &RecurringTask) -> Result<bool> {
        let (location, contact) = (self.context.location, rule.content.contact);
        if !contacts::exists(self.tx, location, contact)? {
            return Ok(false);
        }
        let Some(last) = rule.progress.last_task.filter(|_| !rule.content.comes_if_overdue) else { return Ok(true) };
        let last: Option<Task> = stored::find(self.tx, location, contact, last)?;
        Ok(last.is_none_or(|last| last.content.completed || last.content.due_at >= self.now()))
    }
}

impl Resource for RecurringTask {
    type Content = NewRecurringTask;
    type Patch = RecurringTaskPatch;

    const NOUN: Noun = Noun::RecurringTask;
    const SCOPES: (Scope, Scope) = (Scope::TasksRead, Scope::TasksWrite);
    const KINDS: [EventKind; 3] =
        [EventKind::RecurringTaskCreated, EventKind::RecurringTaskUpdated, EventKind::RecurringTaskDeleted];

    fn new(made: Made<Self>, new: NewRecurringTask) -> Self {
        let Made { id, location, parent: (), now } = made;
        let NewRecurringTask { content, passes_over_first } = new;
        let progress = Progress { passes_over_next: passes_over_first, ..Progress::default() };
        Self { id, location, content, progress, created_at: now, updated_at: now }
    }

    fn change(&mut self, patch: RecurringTaskPatch) {
        patch.apply(self);
    }

    fn updated_at(&mut self) -> &mut UtcMs {
        &mut self.updated_at
    }

    fn complete(&mut self, before: Option<&Self>, operation: &mut InLocation<'_, '_>) -> Result<()> {
        let schedule = |task: &Self| (task.content.rule.clone(), task.content.count);
        if before.is_none_or(|before| schedule(before) != schedule(self)) {
            let zone = locations::zone(operation.tx, self.location)?;
            self.begin(before.is_none(), &zone, operation.now());
        }
        Ok(())
    }

    fn admit(&self, operation: &mut InLocation<'_, '_>) -> Result<()> {
        operation.require_contact(self.content.contact)
    }
}

impl Described for RecurringTask {
    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn contact(&self) -> Option<ContactId> {
        Some(self.content.contact)
    }

    fn describe(&self) -> Fields {
        let RecurringTaskContent { title, description, contact, owner, rule, count, comes_if_overdue, due_after } =
            &self.content;
        let Recurrence { unit, interval, start, end, day_of_month, day_of_week, month_of_year } = rule;
        let mut fields = Fields::new();
        put(&mut fields, "title", Some(title.as_str()));
        put(&mut fields, "description", description.as_ref().map(|description| text(description.as_str())));
        put(&mut fields, "contactId", Some(contact.as_str()));
        put(&mut fields, "assignedTo", owner.as_ref().map(UserId::as_str));
        put(&mut fields, "intervalType", Some(unit.as_str()));
        put(&mut fields, "interval", Some(*interval));
        put(&mut fields, "startDate", Some(start.to_iso()));
        put(&mut fields, "endDate", end.map(UtcMs::to_iso));
        put(&mut fields, "dayOfMonth", *day_of_month);
        put(&mut fields, "dayOfWeek", day_of_week.map(Weekday::as_str));
        put(&mut fields, "monthOfYear", *month_of_year);
        put(&mut fields, "count", *count);
        put(&mut fields, "createTaskIfOverDue", Some(*comes_if_overdue));
        put(&mut fields, "dueAfterSeconds", Some(*due_after));
        fields
    }
}
