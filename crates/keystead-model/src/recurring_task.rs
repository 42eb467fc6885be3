//! Tasks that come again: a rule, and how far it was followed.

use crate::{
    ContactId, LocationId, RecurringTaskId, TaskId, UserId, UtcMs,
    location::set,
    recurrence::Recurrence,
    task::TaskContent,
    text::{Line, Prose, TimeZoneName},
};

/// A task that comes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecurringTask {
    /// Its id.
    pub id: RecurringTaskId,
    /// The location that has it.
    pub location: LocationId,
    /// What its author writes.
    pub content: RecurringTaskContent,
    /// How far it was followed.
    pub progress: Progress,
    /// When it was made.
    pub created_at: UtcMs,
    /// When it was last changed.
    pub updated_at: UtcMs,
}

/// The part of a recurring task that its author writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecurringTaskContent {
    /// What is to be done.
    pub title: Line<300>,
    /// More about it.
    pub description: Option<Prose<20_000>>,
    /// Whom the tasks are for.
    pub contact: ContactId,
    /// Who does them.
    pub owner: Option<UserId>,
    /// When they come.
    pub rule: Recurrence,
    /// How many there are in all; without end where it does not say.
    pub count: Option<i64>,
    /// Whether another one comes while the one before is overdue.
    pub comes_if_overdue: bool,
    /// Seconds from when a task comes until it is due.
    pub due_after: i64,
}

/// How far a recurring task was followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// When to look at it; `None` once it has ended.
    pub next_at: Option<UtcMs>,
    /// Times until then have come, or are passed over.
    pub until: Option<UtcMs>,
    /// How many tasks it made.
    pub made: i64,
    /// Whether the next time that comes makes no task.
    pub passes_over_next: bool,
    /// The task that it made last.
    pub last_task: Option<TaskId>,
}

/// A recurring task that is about to be made.
#[derive(Clone, Debug)]
pub struct NewRecurringTask {
    /// What its author writes.
    pub content: RecurringTaskContent,
    /// Whether its first time makes no task, since there is one already.
    pub passes_over_first: bool,
}

/// A change of a recurring task; `None` leaves a thing as it is, `Some(None)` takes it away.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of RecurringTaskContent")]
pub struct RecurringTaskPatch {
    pub title: Option<Line<300>>,
    pub description: Option<Option<Prose<20_000>>>,
    pub contact: Option<ContactId>,
    pub owner: Option<Option<UserId>>,
    pub schedule: Option<Schedule>,
    /// Whether the next time makes no task.
    pub passes_over_next: Option<bool>,
}

/// When tasks come, which is changed as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of RecurringTaskContent")]
pub struct Schedule {
    pub rule: Recurrence,
    pub count: Option<i64>,
    pub comes_if_overdue: bool,
    pub due_after: i64,
}

impl RecurringTaskPatch {
    /// Changes `task`.
    pub fn apply(self, task: &mut RecurringTask) {
        let Self { title, description, contact, owner, schedule, passes_over_next } = self;
        let content = &mut task.content;
        set(&mut content.title, title);
        set(&mut content.description, description);
        set(&mut content.contact, contact);
        set(&mut content.owner, owner);
        set(&mut task.progress.passes_over_next, passes_over_next);
        if let Some(Schedule { rule, count, comes_if_overdue, due_after }) = schedule {
            *content = RecurringTaskContent { rule, count, comes_if_overdue, due_after, ..content.clone() };
        }
    }
}

impl RecurringTask {
    /// Begins to follow the rule: a new one at its start, also where that has passed; one that was changed from `now` on.
    pub fn begin(&mut self, is_new: bool, zone: &TimeZoneName, now: UtcMs) {
        self.progress.until = if is_new { None } else { Some(now) };
        let first = if is_new { UtcMs(self.content.rule.start.0 - 1) } else { now };
        self.progress.next_at = self.next_after(zone, first);
    }

    /// The time that has come by `now`, if one has; of several that were missed the last. It is followed then, whatever becomes
    /// of it.
    pub fn come(&mut self, zone: &TimeZoneName, now: UtcMs) -> Option<UtcMs> {
        let last = self.content.rule.last_until(zone, now);
        let come = last.filter(|time| self.progress.until.is_none_or(|until| *time > until));
        self.progress.until = come.or(self.progress.until);
        self.progress.next_at = self.next_after(zone, now);
        come
    }

    /// The task of a time.
    pub fn task(&self, time: UtcMs) -> TaskContent {
        let RecurringTaskContent { title, description, owner, due_after, .. } = &self.content;
        TaskContent {
            title: title.clone(),
            body: description.clone(),
            due_at: UtcMs(time.0 + due_after * 1000).min(UtcMs::MAX),
            completed: false,
            assigned_to: *owner,
        }
    }

    /// Notes that it made a task.
    pub fn note_made(&mut self, task: TaskId) {
        self.progress.made += 1;
        self.progress.last_task = Some(task);
        if self.is_counted_out() {
            self.progress.next_at = None;
        }
    }

    fn is_counted_out(&self) -> bool {
        self.content.count.is_some_and(|count| self.progress.made >= count)
    }

    fn next_after(&self, zone: &TimeZoneName, at: UtcMs) -> Option<UtcMs> {
        if self.is_counted_out() { None } else { self.content.rule.first_after(zone, at) }
    }
}
