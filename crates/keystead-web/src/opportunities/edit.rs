//! An opportunity as a form: a new one, and what is written of one that is there.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use keystead_core::{Error, ErrorCode, LocationContext, Whose};
use keystead_model::{
    ContactId, Invalid, LostReasonId, PipelineId, StageId, UserId,
    calendar_date::CalendarDate,
    contact::{Contact, ContactFilter},
    custom_field::{CustomField, OwnerKind},
    decimal::Decimal,
    opportunity::{Opportunity, OpportunityPatch, Status},
    page::Window,
    pipeline::{LostReason, LostReasonFilter, Pipeline},
    scope::Scope,
    search::asked,
    text::Line,
};
use serde::Deserialize;

use super::{SECTION, show, url, wanted};
use crate::{
    Web,
    choices::owner,
    contacts,
    failure::Failure,
    flash::{Done, lead},
    form::{Choice, Edit, Field, Fields, Form, Kind},
    history::Before,
    page::{Frame, render},
    pipelines::parse_probability,
    place::Here,
    value_fields,
};

/// What a form of an opportunity offers.
pub(super) struct Offered {
    pub(super) pipelines: Vec<Pipeline>,
    reasons: Vec<LostReason>,
    owners: Vec<Choice>,
    pub(super) custom: Vec<CustomField>,
}

impl Offered {
    /// In a location; with what the opportunity has that could not be chosen any more.
    pub(super) async fn load(
        web: &Web,
        here: &Here,
        context: &LocationContext,
        of: Option<&Opportunity>,
    ) -> Result<Self, Error> {
        let reasons = async |deleted| {
            let filter = LostReasonFilter { deleted, ..LostReasonFilter::default() };
            web.app.list_lost_reasons(context, filter, Window::all()).await.map(|found| found.page.rows)
        };
        let mut known = reasons(false).await?;
        let lost = of.and_then(|opportunity| opportunity.content.lost_reason);
        if lost.is_some_and(|lost| known.iter().all(|reason| reason.id != lost)) {
            known.extend(reasons(true).await?.into_iter().filter(|reason| Some(reason.id) == lost));
        }
        let owner = of.and_then(|opportunity| opportunity.content.assigned_to);
        Ok(Self {
            pipelines: web.app.list_pipelines(context).await?,
            reasons: known,
            owners: owner::choices(web, here, owner).await?,
            custom: web.app.fields_of(context, OwnerKind::Opportunity).await?,
        })
    }

    /// The stages of all pipelines, or of one.
    fn stages(&self, within: Option<PipelineId>) -> Vec<Choice> {
        let several = self.pipelines.len() > 1 && within.is_none();
        let of = |pipeline: &Pipeline| {
            let words = |name: &str| match several {
                true => format!("{}: {name}", pipeline.content.name.as_str()),
                false => name.to_owned(),
            };
            let choice =
                |stage: &keystead_model::pipeline::Stage| Choice::new(stage.id.to_string(), words(stage.name.as_str()));
            pipeline.stages.iter().map(choice).collect::<Vec<_>>()
        };
        let suits = |pipeline: &&Pipeline| within.is_none_or(|within| within == pipeline.id);
        self.pipelines.iter().filter(suits).flat_map(of).collect()
    }

    /// The fields that every opportunity has, and those that the location has added.
    fn fields(&self, within: Option<PipelineId>) -> Vec<Field> {
        let statuses = Status::ALL.map(|status| Choice::new(status.as_str(), contacts::standing(status).1));
        let reasons = self.reasons.iter().map(|reason| Choice::new(reason.id.to_string(), reason.name.as_str()));
        let reasons = std::iter::once(Choice::new("", "Not said")).chain(reasons);
        let mut fields = vec![
            Field::line("name", "Name").with("maxlength=300"),
            Field::line("monetaryValue", "Value").with("inputmode=decimal maxlength=30").half(),
            Field::new(Kind::Select, "pipelineStageId", "Stage")
                .of(self.stages(within))
                .needed("Choose a stage")
                .half(),
            Field::new(Kind::Select, "status", "Status").of(statuses).half(),
            Field::new(Kind::Select, "assignedTo", "Owner").of(self.owners.clone()).half(),
            Field::new(Kind::Select, "lostReasonId", "Why it was lost")
                .of(reasons)
                .hint("Counts where the status is Lost."),
            Field::typed("date", "forecastExpectedCloseDate", "Expected to close on").half(),
            Field::line("forecastProbability", "Probability, per cent").with("inputmode=numeric maxlength=4").half(),
            Field::line("source", "Where it came from").with("maxlength=200"),
        ];
        fields.extend(value_fields::fields(&self.custom));
        fields
    }

    fn pipeline_of(&self, stage: StageId) -> Option<PipelineId> {
        self.pipelines.iter().find(|pipeline| pipeline.stage(stage).is_some()).map(|pipeline| pipeline.id)
    }
}

/// `4,800.50` as people write it.
fn parse_amount(text: &str) -> Result<Decimal, Invalid> {
    let (whole, parts) = text.split_once('.').map_or((text, None), |(whole, parts)| (whole, Some(parts)));
    let mut groups = whole.trim_start_matches('-').split(',');
    let is_grouped = (1..=3).contains(&groups.next().unwrap_or_default().len()) && groups.all(|group| group.len() == 3);
    match (is_grouped, parts) {
        (true, Some(parts)) => Decimal::parse(&format!("{}.{parts}", whole.replace(',', ""))),
        (true, None) => Decimal::parse(&whole.replace(',', "")),
        (false, _) => Decimal::parse(text),
    }
    .map_err(|_| Invalid::new("must be a number of at most 15 digits, such as 4800 or 4,800.50"))
}

/// An id that a form offers.
fn parse_choice<T>(read: impl Fn(&str) -> Option<T>) -> impl Fn(&str) -> Result<T, Invalid> {
    move |text| read(text).ok_or_else(|| Invalid::new("must be one of those that can be chosen"))
}

/// What was sent; whatever is wrong with it is said on the form.
fn read(form: &mut Form, here: &Here, offered: &Offered) -> Result<OpportunityPatch, Error> {
    let stage = form.read("pipelineStageId", parse_choice(|text| StageId::parse(text).ok()));
    let status = form.read("status", parse_choice(Status::parse));
    let reason = form.read("lostReasonId", parse_choice(LostReasonId::parse)).filter(|_| status == Some(Status::Lost));
    Ok(OpportunityPatch {
        name: form.read("name", Line::parse),
        contact: None,
        pipeline: stage.and_then(|stage| offered.pipeline_of(stage)),
        stage,
        status,
        value: Some(form.read("monetaryValue", parse_amount)),
        assigned_to: Some(form.read("assignedTo", parse_choice(UserId::parse))),
        source: Some(form.read("source", Line::parse)),
        lost_reason: Some(reason),
        close_date: Some(form.read("forecastExpectedCloseDate", CalendarDate::parse)),
        probability: Some(form.read("forecastProbability", parse_probability)),
        custom_fields: value_fields::read(form, &offered.custom, &here.place()?.profile),
        ..OpportunityPatch::default()
    })
}

/// The form as it stands for one that is there.
pub(super) fn form_of(opportunity: &Opportunity, offered: &Offered) -> Form {
    let content = &opportunity.content;
    let text = |text: Option<String>| text.unwrap_or_default();
    let own = [
        ("name", content.name.as_str().to_owned()),
        ("monetaryValue", content.value.to_string()),
        ("pipelineStageId", content.stage.to_string()),
        ("status", content.status.as_str().to_owned()),
        ("assignedTo", text(content.assigned_to.map(|id| id.to_string()))),
        ("lostReasonId", text(content.lost_reason.map(|id| id.to_string()))),
        ("forecastExpectedCloseDate", text(content.close_date.map(CalendarDate::to_iso))),
        ("forecastProbability", text(content.probability.map(|probability| probability.to_string()))),
        ("source", text(content.source.as_ref().map(|source| source.as_str().to_owned()))),
    ];
    let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
    let pairs: Vec<_> = own.chain(value_fields::pairs(&offered.custom, &opportunity.custom_fields)).collect();
    Form::new(needing_a_name(offered.fields(None)), pairs).opened_on(opportunity)
}

/// One that is there has a name; a new one is called like its contact, if nobody says anything.
fn needing_a_name(fields: Vec<Field>) -> Vec<Field> {
    let mend = |field: Field| if field.name == "name" { field.needed("Enter a name") } else { field };
    fields.into_iter().map(mend).collect()
}

/// Saves what was written, unless somebody else has changed it since the form was read.
pub(crate) async fn update(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    here.authority().require(Scope::OpportunitiesWrite)?;
    let (context, whole) = wanted(&web, &here).await?;
    let offered = Offered::load(&web, &here, &context, Some(&whole.opportunity)).await?;
    let mut form = Form::new(needing_a_name(offered.fields(None)), sent);
    let patch = read(&mut form, &here, &offered)?;
    let careful = context.clone().with_seen(form.seen::<Opportunity>());
    match form.edit(web.app.update_opportunity(&careful, whole.opportunity.id, None, None, patch)).await? {
        Edit::Saved(saved) => {
            let name = saved.opportunity.content.name.as_str();
            return Ok(lead(&web, &url(&here, saved.opportunity.id), Done::OpportunitySaved, name));
        }
        Edit::Overtaken => {
            let now = &whole.opportunity;
            form.overtaken("opportunity", now, &form_of(now, &offered));
        }
        Edit::Wrong => {}
    }
    let page = show::page((&web, &here, &context), &whole, (&offered, form), Before::default()).await?;
    Ok(page.form.again(&page))
}

#[derive(Deserialize)]
pub(crate) struct NewQuery {
    contact: Option<String>,
    pipeline: Option<String>,
    stage: Option<String>,
}

#[derive(Template)]
#[template(path = "opportunities/new.html")]
struct New {
    frame: Frame,
    form: Form,
    /// Whose it will be, where that is known already.
    contact: Option<(ContactId, String)>,
    /// Whom else the words for the contact could mean.
    candidates: Vec<(ContactId, String, String)>,
    has_stages: bool,
    pipelines_url: String,
    list_url: String,
}

const CONTACT: &str = "contactId";
/// The field for words by which a contact is found.
const WHOSE: &str = "contact";
/// Contacts that are offered where words mean several.
const CANDIDATES: i64 = 10;

fn new_fields(offered: &Offered, within: Option<PipelineId>, is_known: bool) -> Vec<Field> {
    let mut fields = Vec::new();
    if !is_known {
        fields.push(
            Field::line(WHOSE, "Contact")
                .needed("Say whose it is")
                .hint("A name, an e-mail address or a phone number.")
                .with("maxlength=75 autocomplete=off"),
        );
    }
    let own = offered.fields(within).into_iter();
    let mend = |field: Field| match &*field.name {
        "name" => field.hint("If you leave it empty it is called like its contact."),
        _ => field,
    };
    fields.extend(own.filter(|field| field.name != "lostReasonId").map(mend));
    fields
}

fn new_page(here: &Here, offered: &Offered, form: Form, whose: Whom) -> New {
    let (contact, candidates) = match whose {
        Whom::Known(contact) => (Some((contact.id, contacts::name(&contact))), Vec::new()),
        Whom::OneOf(found) => {
            let candidate = |contact: &Contact| (contact.id, contacts::name(contact), contacts::addresses(contact));
            (None, found.iter().map(candidate).collect())
        }
    };
    New {
        frame: Frame::of(here, "Add an opportunity", SECTION),
        form,
        contact,
        candidates,
        has_stages: !offered.pipelines.is_empty(),
        pipelines_url: here.url("/settings/pipelines"),
        list_url: here.url("/opportunities"),
    }
}

pub(crate) async fn new(
    State(web): State<Web>,
    Query(asked): Query<NewQuery>,
    here: Here,
) -> Result<Response, Failure> {
    here.authority().require(Scope::OpportunitiesWrite)?;
    let context = here.enter(&web).await?;
    let offered = Offered::load(&web, &here, &context, None).await?;
    let whose = match asked.contact.as_deref().and_then(ContactId::parse) {
        Some(id) => Whom::Known(Box::new(web.app.get_contact(&context, id).await?)),
        None => Whom::OneOf(Vec::new()),
    };
    let within = asked.pipeline.as_deref().and_then(PipelineId::parse);
    let within = within.filter(|within| offered.pipelines.iter().any(|pipeline| pipeline.id == *within));
    let pairs = [
        ("status", Status::Open.as_str().to_owned()),
        ("pipelineStageId", asked.stage.unwrap_or_default()),
        ("assignedTo", here.visitor.signed_in.user.id.to_string()),
    ];
    let form = Form::filled(new_fields(&offered, within, matches!(whose, Whom::Known(_))), pairs);
    Ok(render(&new_page(&here, &offered, form, whose)))
}

const SEVERAL: &str = "This contact has an opportunity in this pipeline already. An admin can allow several on the page of the \
                       location";

/// Whose a new opportunity is.
pub(crate) enum Whom {
    Known(Box<Contact>),
    /// Not known yet: one of these, if any were found.
    OneOf(Vec<Contact>),
}

/// Whom a form names: by an id, or by words that mean one contact alone.
pub(crate) async fn whom(web: &Web, here: &Here, context: &LocationContext, sent: &Fields) -> Result<Whom, Error> {
    if let Some(id) = sent.text(CONTACT).and_then(ContactId::parse) {
        return Ok(Whom::Known(Box::new(web.app.get_contact(context, id).await?)));
    }
    let Some(words) = sent.text(WHOSE) else { return Ok(Whom::OneOf(Vec::new())) };
    let search = Some(asked(words, here.place()?.profile.country));
    let filter = ContactFilter { search, ..ContactFilter::default() };
    let mut found = web.app.list_contacts(context, filter, Window::first(CANDIDATES)).await?.page;
    match (found.rows.len(), found.rows.pop()) {
        (1, Some(only)) => Ok(Whom::Known(Box::new(only))),
        (_, last) => {
            found.rows.extend(last);
            Ok(Whom::OneOf(found.rows))
        }
    }
}

pub(crate) async fn create(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    here.authority().require(Scope::OpportunitiesWrite)?;
    let context = here.enter(&web).await?;
    let offered = Offered::load(&web, &here, &context, None).await?;
    let whose = whom(&web, &here, &context, &sent).await?;
    let is_known = matches!(whose, Whom::Known(_));
    let mut form = Form::new(new_fields(&offered, None, is_known), sent);
    if let Whom::OneOf(found) = &whose {
        match (form.text(WHOSE), found.is_empty()) {
            (None, _) => form.say(WHOSE, "Say whose it is"),
            (Some(_), true) => form.say(WHOSE, "Nobody here is called so; add the contact first"),
            (Some(_), false) => form.say(WHOSE, "Several contacts are called so; choose one below"),
        }
    }
    let patch = read(&mut form, &here, &offered)?;
    let contact = if let Whom::Known(contact) = &whose { Some(contact.id) } else { None };
    let input = contact.zip(patch.pipeline);
    let create = async |(contact, pipeline)| {
        web.app.create_opportunity(&context, Whose::Contact(contact), pipeline, patch).await.map_err(
            |error| match error {
                Error::Conflict(code @ ErrorCode::DuplicateOpportunity, _) => Error::Conflict(code, SEVERAL.to_owned()),
                other => other,
            },
        )
    };
    match form.run_with(input, create).await? {
        Some(made) => {
            let name = made.opportunity.content.name.as_str();
            Ok(lead(&web, &url(&here, made.opportunity.id), Done::OpportunityAdded, name))
        }
        None => {
            let page = new_page(&here, &offered, form, whose);
            Ok(page.form.again(&page))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (text, amount) in [
            ("4800", "4800"),
            ("4,800.50", "4800.5"),
            ("-1,234,567.891", "-1234567.891"),
            ("0.000000001", "0.000000001"),
            ("999999999999999", "999999999999999"),
        ] {
            assert_eq!(parse_amount(text).unwrap().to_string(), amount, "{text}");
        }
        for wrong in ["4.800,50", "48,00", ",800", "4,8000", "1e3", "$5", "five", "1,,000", "1,000,"] {
            assert!(parse_amount(wrong).is_err(), "{wrong}");
        }
    }
}
