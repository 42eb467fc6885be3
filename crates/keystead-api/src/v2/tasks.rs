//! Tasks of API 2.0.

use keystead_core::{Error, LocationContext};
use keystead_model::{
    UtcMs,
    task::{Task, TaskContent, TaskPatch, TaskSearch},
};

use super::samples;
use crate::{
    call::Call,
    many::{OfContact, OneOfMany},
    reader::{Reader, Slice},
    shape::{Bare, Envelope, Fields, Input, Many, Tagged, Written},
};

impl Envelope for Task {
    const ONE: &'static str = "task";
    const MANY: &'static str = "tasks";
}

impl Written for Task {
    const NAME: &'static str = "Task";

    fn sample() -> Self {
        samples::task()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self {
            id,
            contact,
            content: TaskContent { title, body, due_at, completed, assigned_to },
            created_at: _,
            updated_at: _,
        } = self;
        fields.put("id", id);
        fields.put("title", title);
        fields.put("contactId", contact);
        fields.put("dueDate", due_at);
        fields.put("completed", completed);
        fields.opt("body", body.as_ref());
        fields.opt("assignedTo", assigned_to.as_ref());
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(self))
    }
}

/// Whether it is done.
pub(crate) struct Completed(bool);

impl Input for TaskContent {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let title = reader.required("title", |reader| reader.word("title"));
        let due_at = reader.required("dueDate", due_at);
        let completed = reader.required("completed", |reader| reader.truth("completed"));
        let body = reader.clearable("body").flatten();
        let assigned_to = reader.removable_word("assignedTo").flatten();
        Some(Self { title: title?, body, due_at: due_at?, completed: completed?, assigned_to })
    }
}

impl Input for TaskPatch {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            title: reader.word("title"),
            body: reader.clearable("body"),
            due_at: due_at(reader),
            completed: reader.truth("completed"),
            assigned_to: reader.removable_word("assignedTo"),
        })
    }
}

impl Input for Completed {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.required("completed", |reader| reader.truth("completed")).map(Self)
    }
}

impl From<Completed> for TaskPatch {
    fn from(Completed(completed): Completed) -> Self {
        Self { completed: Some(completed), ..Self::default() }
    }
}

/// A time without a zone is one of the location's.
pub(crate) fn due_at(reader: &mut Reader<'_>) -> Option<UtcMs> {
    let zone = reader.ground().zone();
    reader.moment("dueDate").map(|moment| moment.start(zone))
}

/// Which tasks of a location are looked for.
pub(crate) struct Search {
    search: TaskSearch,
    slice: Slice,
}

impl Input for Search {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.names_location();
        let search = TaskSearch {
            contacts: reader.words("contactId", 100).unwrap_or_default(),
            business: reader.word("businessId"),
            completed: reader.truth("completed"),
            assigned_to: reader.words("assignedTo", 100).unwrap_or_default(),
            part: reader.word("query"),
        };
        Some(Self { search, slice: reader.short_slice(25, 100) })
    }
}

pub(crate) async fn search(context: LocationContext, call: Call<(), Bare, Search>) -> Result<Many<Task>, Error> {
    let Search { search, slice } = call.body;
    Ok(Many(call.app.search_tasks(&context, search, slice.window()).await?.rows))
}

impl OneOfMany for OfContact<TaskContent> {
    const MANY: &'static str = "tasks";
}
