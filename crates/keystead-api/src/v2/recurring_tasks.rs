//! Recurring tasks of a location in API 2.0.

use keystead_core::{Error, LocationContext};
use keystead_model::{
    ContactId, Invalid, RecurringTaskId, UserId, UtcMs,
    recurrence::{Recurrence, Unit, Weekday},
    recurring_task::{NewRecurringTask, Progress, RecurringTask, RecurringTaskContent, RecurringTaskPatch, Schedule},
    text::Prose,
};
use serde_json::{Map, Value, json};

use super::samples;
use crate::{
    call::Call,
    reader::Reader,
    shape::{Envelope, Fields, Ground, Input, Tagged, Word, Written, word},
};

/// Seconds until a task is due: ten years.
const DUE_AFTER_MAX: i64 = 10 * 366 * 86_400;

impl Envelope for RecurringTask {
    const ONE: &'static str = "recurringTask";
    const MANY: &'static str = "recurringTasks";
}

impl Written for RecurringTask {
    const NAME: &'static str = "RecurringTask";

    fn sample() -> Self {
        samples::recurring_task()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { id, location, content, progress, created_at, updated_at } = self;
        let Progress { next_at, made, .. } = progress;
        fields.put("id", id);
        fields.put("title", &content.title);
        fields.put("description", content.description.as_ref().map_or("", Prose::as_str));
        fields.put("locationId", location);
        fields.put("contactId", &content.contact);
        fields.opt("assignedTo", content.owner.as_ref());
        fields.put("rruleOptions", &Options(content.clone()));
        fields.put("totalOccurrence", made);
        fields.or_null("nextOccurrenceAt", next_at.as_ref());
        fields.put("deleted", &false);
        fields.put("createdAt", created_at);
        fields.put("updatedAt", updated_at);
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(self))
    }
}

/// When it comes.
struct Options(RecurringTaskContent);

impl Written for Options {
    fn sample() -> Self {
        Self(samples::recurring_task().content)
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let RecurringTaskContent { rule, count, comes_if_overdue, due_after, .. } = &self.0;
        let Recurrence { unit, interval, start, end, day_of_month, day_of_week, month_of_year } = rule;
        let names = |all: &[Unit]| all.iter().map(|unit| unit.as_str()).collect::<Vec<_>>();
        fields.one_of("intervalType", unit.as_str(), &names(Unit::ALL));
        fields.put("interval", interval);
        fields.put("startDate", start);
        fields.opt("endDate", end.as_ref());
        fields.opt("dayOfMonth", day_of_month.as_ref());
        fields.opt("dayOfWeek", day_of_week.map(Weekday::as_str));
        fields.opt("monthOfYear", month_of_year.as_ref());
        fields.opt("count", count.as_ref());
        fields.put("createTaskIfOverDue", comes_if_overdue);
        fields.put("dueAfterSeconds", due_after);
    }
}

impl Word for Unit {
    const EXAMPLE: &'static str = "hourly";

    fn schema() -> Value {
        word::one_of(Self::ALL.iter().map(|unit| unit.as_str()))
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl Word for Weekday {
    const EXAMPLE: &'static str = "MO";

    fn schema() -> Value {
        word::one_of(Self::ALL.iter().map(|day| day.as_str()))
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl Input for NewRecurringTask {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let title = reader.required("title", |reader| reader.word("title"));
        let description = reader.word("description");
        // A task belongs to a contact, so that one without any would never come.
        let contact = reader.required("contactIds", contact);
        let owner = owner(reader).flatten();
        let schedule = reader.required("rruleOptions", schedule);
        let passes_over_first = reader.truth("ignoreTaskCreation").unwrap_or_default();
        let Schedule { rule, count, comes_if_overdue, due_after } = schedule?;
        let (title, contact) = (title?, contact?);
        let content =
            RecurringTaskContent { title, description, contact, owner, rule, count, comes_if_overdue, due_after };
        Some(Self { content, passes_over_first })
    }

    fn settle(example: &mut Map<String, Value>) {
        settle(example);
    }
}

impl Input for RecurringTaskPatch {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            title: reader.word("title"),
            description: reader.clearable("description"),
            contact: contact(reader),
            owner: owner(reader),
            schedule: schedule(reader),
            passes_over_next: reader.truth("ignoreTaskCreation"),
        })
    }

    fn settle(example: &mut Map<String, Value>) {
        settle(example);
    }
}

/// What goes with other units than the example's.
fn settle(example: &mut Map<String, Value>) {
    if let Some(options) = example.get_mut("rruleOptions").and_then(Value::as_object_mut) {
        for name in ["dayOfMonth", "dayOfWeek", "monthOfYear"] {
            options.remove(name);
        }
        options.insert("interval".to_owned(), json!(1));
    }
}

/// The contract has lists, and answers one.
fn contact(reader: &mut Reader<'_>) -> Option<ContactId> {
    reader.words("contactIds", 1)?.pop()
}

/// An empty list takes the owner away.
fn owner(reader: &mut Reader<'_>) -> Option<Option<UserId>> {
    Some(reader.words("owners", 1)?.pop())
}

fn schedule(reader: &mut Reader<'_>) -> Option<Schedule> {
    let zone = reader.ground().zone();
    let read = |reader: &mut Reader<'_>| {
        let unit = reader.required("intervalType", |reader| reader.word("intervalType"));
        let interval = reader.required("interval", |reader| reader.integer("interval", 1..=10_000));
        let start = reader.required("startDate", |reader| reader.moment("startDate"));
        let end: Option<UtcMs> = reader.moment("endDate").map(|end| end.last(zone));
        let day_of_month = reader.integer("dayOfMonth", 1..=31);
        let day_of_week = reader.word("dayOfWeek");
        let month_of_year = reader.integer("monthOfYear", 1..=12);
        let count = reader.integer("count", 1..=1_000_000);
        let comes_if_overdue = reader.truth("createTaskIfOverDue").unwrap_or_default();
        let due_after =
            reader.required("dueAfterSeconds", |reader| reader.integer("dueAfterSeconds", 0..=DUE_AFTER_MAX));
        let (unit, interval, start) = (unit?, interval?, start?.start(zone));
        let rule = Recurrence { unit, interval, start, end, day_of_month, day_of_week, month_of_year };
        for (field, Invalid(problem)) in rule.contradictions() {
            reader.violate(field, problem);
        }
        Some(Schedule { rule, count, comes_if_overdue, due_after: due_after? })
    };
    reader.object("rruleOptions", read).flatten()
}

/// That one is gone.
pub(crate) struct Deleted(RecurringTaskId);

impl Written for Deleted {
    fn sample() -> Self {
        Self(samples::recurring_task().id)
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("id", &self.0);
        fields.put("success", &true);
    }
}

pub(crate) async fn delete(context: LocationContext, call: Call<RecurringTaskId>) -> Result<Deleted, Error> {
    call.app.delete::<RecurringTask>(&context, (), call.path).await?;
    Ok(Deleted(call.path))
}
