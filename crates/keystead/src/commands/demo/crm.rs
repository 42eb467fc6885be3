//! What people work with in the demo: pipelines, opportunities and why some were lost, tasks, custom fields and values.

use keystead_core::{AgencyContext, App, LocationContext, Whose};
use keystead_model::{
    LocationId, LostReasonId, UserId, UtcMs,
    contact::{ContactFilter, ContactPatch},
    custom_field::{CustomFieldContent, NewCustomField, OwnerKind},
    custom_value::{CustomValue, CustomValueContent},
    data_type::DataType,
    decimal::Decimal,
    opportunity::{OpportunityPatch, Status},
    page::Window,
    pipeline::{LostReasonFilter, Pipeline, PipelineContent, StageDraft},
    task::{Task, TaskContent},
    text::{EmailAddress, Line, Prose},
    time::{DAY_MS, HOUR_MS},
};

use super::known;
use crate::failure::Failure;

/// What is sold in a location, and how far it goes.
pub(super) struct Trade {
    pipeline: &'static str,
    /// Each with how many of a hundred are won from there.
    stages: &'static [(&'static str, i64)],
    /// Name and value.
    deals: &'static [(&'static str, &'static str)],
    reasons: &'static [&'static str],
    /// Of opportunities: name, kind, options.
    fields: &'static [(&'static str, DataType, &'static [&'static str])],
}

const DENTAL: Trade = Trade {
    pipeline: "New patients",
    stages: &[("New enquiry", 10), ("Visit booked", 30), ("Treatment plan sent", 60), ("Accepted", 85)],
    deals: &[
        ("Implant, upper left", "4800"),
        ("Invisible braces", "5400"),
        ("Family check-up, 4 people", "620"),
        ("Whitening", "450"),
        ("Crown replacement after the accident in June", "3250"),
        ("Wisdom teeth", "1900"),
        ("Bridge", "4300.50"),
        ("Full arch", "11200"),
        ("Night guard", "380"),
    ],
    reasons: &["Too expensive", "Went elsewhere", "Not now"],
    fields: &[
        ("Insurance", DataType::SingleOptions, &["None", "Delta", "Aetna", "Cigna"]),
        ("Referred by", DataType::Text, &[]),
    ],
};

const GYM: Trade = Trade {
    pipeline: "Memberships",
    stages: &[("Trial asked for", 20), ("Trial done", 50), ("Contract sent", 80)],
    deals: &[
        ("Year, all classes", "828"),
        ("Family membership", "1440"),
        ("Ten visits", "120"),
        ("Personal training, 12 weeks", "960"),
        ("Company contract, 25 people", "14400"),
    ],
    reasons: &["Too far away", "Opening hours"],
    fields: &[("Starts on", DataType::Date, &[])],
};

const CLINIC: Trade = Trade {
    pipeline: "Treatments",
    stages: &[("Asked", 15), ("Consulted", 45), ("Booked", 90)],
    deals: &[("Physiotherapy, 10 visits", "550"), ("Sports check", "180"), ("Back school", "240")],
    reasons: &["Waiting list"],
    fields: &[("Referral letter", DataType::Checkbox, &["Seen"])],
};

/// By the order of the demo's locations.
pub(super) const TRADES: [Trade; 3] = [DENTAL, GYM, CLINIC];

const PEOPLE: &[(&str, &str)] = &[
    ("Ada", "Brightwater"),
    ("Noor", "Haddad"),
    ("Tomás", "Oliveira"),
    ("Gunnar", "Lindqvist"),
    ("Priya", "Raman"),
    ("Ruth", "Kimani"),
    ("سلمى", "الخطيب"),
    ("Tobias", "Hartmann"),
    ("Mei", "Tanaka"),
    ("Bartholomäus", "Wolfeschlegelsteinhausen"),
];

/// Title, and in how many hours it is due.
const TASKS: &[(&str, i64)] = &[
    ("Call back about the quote", -50),
    ("Send the X-ray to the lab", -4),
    ("Confirm the visit", 3),
    ("Ask how it went", 30),
    ("Send the treatment plan again", 74),
    ("Remind of the check-up", 24 * 20),
];

fn line<const MAX: usize>(text: &str) -> Result<Line<MAX>, Failure> {
    known(Line::parse(text))
}

impl Trade {
    /// What the location has before anybody asks for anything.
    pub(super) async fn set_up(&self, app: &App, maria: &AgencyContext, at: LocationId) -> Result<(), Failure> {
        let context = app.enter_location(maria.authority().clone(), Some(at)).await?;
        for pipeline in app.list_pipelines(&context).await? {
            app.delete_pipeline(&context, pipeline.id).await?;
        }
        let stage = |(name, probability): &(&str, i64)| {
            Ok::<_, Failure>(StageDraft { id: None, name: line(name)?, probability: Some(*probability) })
        };
        let stages = self.stages.iter().map(stage).collect::<Result<_, _>>()?;
        app.create_pipeline(&context, PipelineContent::named(line(self.pipeline)?), stages).await?;
        for reason in self.reasons {
            app.create_lost_reason(&context, line(reason)?).await?;
        }
        for (name, data_type, options) in self.fields {
            let options = options.iter().map(|option| line(option)).collect::<Result<_, _>>()?;
            let content = CustomFieldContent { options, ..CustomFieldContent::named(line(name)?) };
            let new = NewCustomField { model: OwnerKind::Opportunity, data_type: *data_type, content };
            app.create_custom_field(&context, new).await?;
        }
        let birthday = CustomFieldContent::named(line("Next visit")?);
        let new = NewCustomField { model: OwnerKind::Contact, data_type: DataType::Date, content: birthday };
        app.create_custom_field(&context, new).await?;
        for (name, value) in
            [("Opening hours", "Monday to Friday, 8:00 to 18:00"), ("Booking page", "https://book.example")]
        {
            let content = CustomValueContent { name: line(name)?, value: known(Prose::parse(value))? };
            app.create::<CustomValue>(&context, (), content).await?;
        }
        Ok(())
    }

    /// People who ask for something on one day of the demo's past; `day` decides who and what.
    pub(super) async fn sell(
        &self,
        app: &App,
        maria: &AgencyContext,
        (at, owner): (LocationId, UserId),
        day: usize,
    ) -> Result<(), Failure> {
        let context = app.enter_location(maria.authority().clone(), Some(at)).await?;
        let pipelines = app.list_pipelines(&context).await?;
        let Some(pipeline) = pipelines.first() else { return Ok(()) };
        let reasons = app.list_lost_reasons(&context, LostReasonFilter::default(), Window::all()).await?.page.rows;
        let reasons: Vec<LostReasonId> = reasons.into_iter().map(|reason| reason.id).collect();
        for place in 0..self.deals.len().min(6) {
            let number = day * 7 + place;
            self.deal(app, &context, (pipeline, &reasons), (number, owner)).await?;
        }
        Ok(())
    }

    async fn deal(
        &self,
        app: &App,
        context: &LocationContext,
        (pipeline, reasons): (&Pipeline, &[LostReasonId]),
        (number, owner): (usize, UserId),
    ) -> Result<(), Failure> {
        let (first, last) = PEOPLE[number % PEOPLE.len()];
        let (name, value) = self.deals[number % self.deals.len()];
        let status = match number % 7 {
            2 => Status::Won,
            5 => Status::Lost,
            _ => Status::Open,
        };
        let stage = pipeline.stages.get(number * 5 % pipeline.stages.len());
        let person = ContactPatch {
            first_name: Some(Some(line(first)?)),
            last_name: Some(Some(line(last)?)),
            email: Some(Some(known(EmailAddress::parse(&format!("person{number}@example.org")))?)),
            ..ContactPatch::default()
        };
        let lost = reasons.get(number % reasons.len().max(1)).copied().filter(|_| status == Status::Lost);
        let new = OpportunityPatch {
            name: Some(line(name)?),
            stage: stage.map(|stage| stage.id),
            status: Some(status),
            value: Some(Some(known(Decimal::parse(value))?)),
            assigned_to: Some(Some(owner).filter(|_| number % 3 > 0)),
            lost_reason: Some(lost),
            source: Some(Some(line(if number % 2 == 0 { "web form" } else { "phone" })?)),
            ..OpportunityPatch::default()
        };
        app.create_opportunity(context, Whose::Person(Box::new(person)), pipeline.id, new).await?;
        Ok(())
    }
}

/// What is still to be done for some contacts, about now.
pub(super) async fn tasks(app: &App, maria: &AgencyContext, (at, owner): (LocationId, UserId)) -> Result<(), Failure> {
    let context = app.enter_location(maria.authority().clone(), Some(at)).await?;
    let contacts = app.list_contacts(&context, ContactFilter::default(), Window::first(40)).await?.page.rows;
    for (number, (contact, (title, hours))) in contacts.iter().step_by(4).zip(TASKS.iter().cycle()).enumerate() {
        let days = i64::try_from(number / TASKS.len()).unwrap_or_default();
        let content = TaskContent {
            title: line(title)?,
            body: None,
            due_at: UtcMs(app.now().0 + hours * HOUR_MS + days * DAY_MS),
            completed: false,
            assigned_to: Some(owner).filter(|_| number % 2 == 0),
        };
        app.create::<Task>(&context, contact.id, content).await?;
    }
    Ok(())
}
