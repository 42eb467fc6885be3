//! All that is kept of a contact, for whoever asks for it: one JSON object, made some at a time.

use std::sync::Arc;

use keystead_model::{
    ClickId, ContactId, InboundPayloadId, LinkTokenId, NoteId, TaskId,
    click::{Click, LinkToken},
    contact::Contact,
    enrollment::Enrollment,
    event::{Event, EventKind},
    file::StoredFile,
    form::{AsForm, AsSurvey, Submission},
    id::Id,
    inbound_webhook::InboundPayload,
    note::Note,
    page::{Page, Window},
    recurring_task::RecurringTask,
    scope::Scope,
    task::Task,
};
use keystead_store::{
    clicks, enrollments, events, files, inbound_webhooks, link_tokens, opportunities, recurring_tasks, stored,
    submissions,
};

use crate::{
    App, Beside, ContactWriter, InParts, LocationContext, Result, WholeOpportunity, events::list::may_see,
    operate::InLocation,
};

/// Things of one kind that are read at a time.
const AT_ONCE: i64 = 200;

/// Some of what is kept of a contact.
pub enum Kept {
    /// Itself.
    Contact(Box<Contact>),
    /// Notes.
    Notes(Vec<Note>),
    /// Tasks.
    Tasks(Vec<Task>),
    /// Rules by which tasks come again.
    RecurringTasks(Vec<RecurringTask>),
    /// Opportunities.
    Opportunities(Vec<WholeOpportunity>),
    /// Workflows and campaigns that it is to be in.
    Enrollments(Vec<Enrollment>),
    /// What was submitted to forms.
    FormSubmissions(Vec<Submission<AsForm>>),
    /// What was submitted to surveys.
    SurveySubmissions(Vec<Submission<AsSurvey>>),
    /// What came in from other programs and made or changed it.
    InboundPayloads(Vec<InboundPayload>),
    /// Links of its own.
    LinkTokens(Vec<LinkToken>),
    /// What it clicked on.
    Clicks(Vec<Click>),
    /// Files in its fields, and in those of its opportunities.
    Files(Vec<StoredFile>),
    /// What happened to it, and to what belongs to it.
    Events(Vec<Event>),
}

/// A part of the object, from a place on.
#[derive(Clone, Copy)]
enum Part {
    Contact,
    Notes(Option<NoteId>),
    Tasks(Option<TaskId>),
    RecurringTasks,
    Opportunities,
    Enrollments,
    FormSubmissions(Option<Id<Submission<AsForm>>>),
    SurveySubmissions(Option<Id<Submission<AsSurvey>>>),
    InboundPayloads(Option<InboundPayloadId>),
    LinkTokens(Option<LinkTokenId>),
    Clicks(Option<ClickId>),
    Files,
    Events(Option<i64>),
}

impl Part {
    /// Its name, what somebody must be allowed to read for it, and the part that follows.
    const fn describe(self) -> (&'static str, Scope, Option<Self>) {
        match self {
            Self::Contact => ("contact", Scope::ContactsRead, Some(Self::Notes(None))),
            Self::Notes(_) => ("notes", Scope::ContactsRead, Some(Self::Tasks(None))),
            Self::Tasks(_) => ("tasks", Scope::ContactsRead, Some(Self::RecurringTasks)),
            Self::RecurringTasks => ("recurringTasks", Scope::TasksRead, Some(Self::Opportunities)),
            Self::Opportunities => ("opportunities", Scope::OpportunitiesRead, Some(Self::Enrollments)),
            Self::Enrollments => ("enrollments", Scope::ContactsRead, Some(Self::FormSubmissions(None))),
            Self::FormSubmissions(_) => ("formSubmissions", Scope::FormsRead, Some(Self::SurveySubmissions(None))),
            Self::SurveySubmissions(_) => ("surveySubmissions", Scope::SurveysRead, Some(Self::InboundPayloads(None))),
            Self::InboundPayloads(_) => ("inboundPayloads", Scope::WebhooksRead, Some(Self::LinkTokens(None))),
            Self::LinkTokens(_) => ("linkTokens", Scope::LinksRead, Some(Self::Clicks(None))),
            Self::Clicks(_) => ("clicks", Scope::LinksRead, Some(Self::Files)),
            // Of its opportunities, too.
            Self::Files => ("files", Scope::OpportunitiesRead, Some(Self::Events(None))),
            Self::Events(_) => ("events", Scope::ContactsRead, None),
        }
    }
}

/// All that is kept of a contact, on its way.
pub struct ContactDossier {
    app: App,
    context: LocationContext,
    contact: ContactId,
    writer: Arc<dyn ContactWriter>,
    part: Option<Part>,
    /// Things of the part that were written.
    count: usize,
    /// Whether the part goes on from a page before.
    goes_on: bool,
    /// Parts that somebody may not read. They are named: what is not there would look as if there were none.
    left_out: Vec<&'static str>,
}

impl App {
    /// Begins to read all that is kept of a contact, as far as somebody may read it.
    pub async fn export_contact(
        &self,
        context: &LocationContext,
        id: ContactId,
        writer: Arc<dyn ContactWriter>,
    ) -> Result<ContactDossier> {
        self.get_contact(context, id).await?;
        Ok(ContactDossier {
            app: self.clone(),
            context: context.clone(),
            contact: id,
            writer,
            part: Some(Part::Contact),
            count: 0,
            goes_on: false,
            left_out: Vec::new(),
        })
    }
}

impl ContactDossier {
    /// Passes over what somebody may not read.
    fn pass_over(&mut self) {
        while let Some((name, scope, next)) = self.part.map(Part::describe)
            && !self.context.authority.grant().allows(scope)
        {
            self.left_out.push(name);
            self.part = next;
        }
    }
}

impl InParts for ContactDossier {
    async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let Some(part) = self.part else { return Ok(None) };
        let id = self.contact;
        let read = move |operation: &mut InLocation<'_, '_>| operation.kept(id, part);
        let (kept, rest) = self.app.read(&self.context, Scope::ContactsRead, read).await?;
        let (name, _, next) = part.describe();
        let is_one = matches!(part, Part::Contact);
        let mut bytes = Vec::new();
        if !self.goes_on {
            let (before, bracket) = if is_one { ("{", "") } else { (",\n", "[") };
            bytes.extend(format!("{before}\"{name}\":{bracket}").into_bytes());
            self.count = 0;
        }
        for thing in self.writer.kept(&kept) {
            bytes.extend_from_slice(if self.count > 0 { b",\n" } else { b"" });
            bytes.extend(thing);
            self.count += 1;
        }
        self.goes_on = rest.is_some();
        self.part = rest.or(next);
        self.pass_over();
        if !self.goes_on && !is_one {
            bytes.push(b']');
        }
        if self.part.is_none() {
            let left_out = serde_json::Value::from(self.left_out.as_slice());
            bytes.extend(format!(",\n\"leftOut\":{left_out}}}\n").into_bytes());
        }
        Ok(Some(bytes))
    }
}

/// Rows, and from where the part goes on after them.
fn paged<T, C>(
    page: Page<T>,
    place: impl FnOnce(&T) -> C,
    part: impl FnOnce(Option<C>) -> Part,
) -> (Vec<T>, Option<Part>) {
    let next = page.next(place).map(|place| part(Some(place)));
    (page.rows, next)
}

impl InLocation<'_, '_> {
    /// Things of a part, and the rest of it where there are more.
    fn kept(&mut self, id: ContactId, part: Part) -> Result<(Kept, Option<Part>)> {
        let location = self.context.location;
        Ok(match part {
            Part::Contact => (Kept::Contact(Box::new(self.contact(id)?)), None),
            Part::Notes(after) => {
                let page = stored::list(self.tx, location, id, &Window::after(after, AT_ONCE))?;
                let (rows, rest) = paged(page, |note: &Note| note.id, Part::Notes);
                (Kept::Notes(rows), rest)
            }
            Part::Tasks(after) => {
                let page = stored::list(self.tx, location, id, &Window::after(after, AT_ONCE))?;
                let (rows, rest) = paged(page, |task: &Task| task.id, Part::Tasks);
                (Kept::Tasks(rows), rest)
            }
            Part::RecurringTasks => (Kept::RecurringTasks(recurring_tasks::of_contact(self.tx, location, id)?), None),
            Part::Opportunities => {
                let all = opportunities::of_contact(self.tx, location, id)?;
                (Kept::Opportunities(self.whole_opportunities(all, Beside::default())?), None)
            }
            Part::Enrollments => (Kept::Enrollments(enrollments::of_contact(self.tx, location, id)?), None),
            Part::FormSubmissions(after) => {
                let page = submissions::of_contact(self.tx, location, id, &Window::after(after, AT_ONCE))?;
                let (rows, rest) = paged(page, |one: &Submission<AsForm>| one.id, Part::FormSubmissions);
                (Kept::FormSubmissions(rows), rest)
            }
            Part::SurveySubmissions(after) => {
                let page = submissions::of_contact(self.tx, location, id, &Window::after(after, AT_ONCE))?;
                let (rows, rest) = paged(page, |one: &Submission<AsSurvey>| one.id, Part::SurveySubmissions);
                (Kept::SurveySubmissions(rows), rest)
            }
            Part::InboundPayloads(after) => {
                let window = Window::after(after, AT_ONCE);
                let page = inbound_webhooks::payloads_of_contact(self.tx, location, id, &window)?;
                let (rows, rest) = paged(page, |payload: &InboundPayload| payload.id, Part::InboundPayloads);
                (Kept::InboundPayloads(rows), rest)
            }
            Part::LinkTokens(after) => {
                let page = link_tokens::of_contact(self.tx, location, id, &Window::after(after, AT_ONCE))?;
                let (rows, rest) = paged(page, |token: &LinkToken| token.id, Part::LinkTokens);
                (Kept::LinkTokens(rows), rest)
            }
            Part::Clicks(after) => {
                let page = clicks::of_contact(self.tx, location, id, &Window::after(after, AT_ONCE))?;
                let (rows, rest) = paged(page, |click: &Click| click.id, Part::Clicks);
                (Kept::Clicks(rows), rest)
            }
            Part::Files => (Kept::Files(files::of_contact(self.tx, location, id)?), None),
            Part::Events(after) => {
                let page = events::of_contact(self.tx, location, id, &Window::after(after, AT_ONCE))?;
                let (mut rows, rest) = paged(page, |event: &Event| event.number, Part::Events);
                // What happened to what somebody may not read, they may not read either.
                let authority = &self.context.authority;
                rows.retain(|event| EventKind::parse(&event.kind).is_some_and(|kind| may_see(authority, kind)));
                (Kept::Events(rows), rest)
            }
        })
    }
}
