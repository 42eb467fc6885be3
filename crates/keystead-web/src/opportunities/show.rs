//! The page of an opportunity: how it stands, the form to change it, its contact, and what became of it.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use keystead_core::{Error, LocationContext, WholeOpportunity};
use keystead_model::{event::Subject, field_value::FieldValue, opportunity::Status, pipeline::Stage, scope::Scope};

use super::{
    SECTION,
    edit::{Offered, form_of},
    may_write, url, wanted,
};
use crate::{
    Web, contacts,
    failure::Failure,
    form::Form,
    history::{Before, History},
    page::{Frame, render},
    place::Here,
    show::{amount, grouped, since},
};

struct Fact {
    label: &'static str,
    value: String,
    detail: String,
}

/// Whose it is.
struct Whose {
    name: String,
    addresses: String,
    url: Option<String>,
}

#[derive(Template)]
#[template(path = "opportunities/show.html")]
pub(super) struct Show {
    frame: Frame,
    name: String,
    pill: (&'static str, String),
    place: String,
    id: String,
    facts: Vec<Fact>,
    whose: Whose,
    pub(super) form: Form,
    /// Files in its custom fields, which a form does not take: the field, and what they are called.
    files: Vec<(String, String)>,
    history: History,
    stages: Vec<(Stage, bool)>,
    statuses: Vec<(Status, &'static str)>,
    may_write: bool,
    url: String,
    board_url: String,
}

pub(crate) async fn show(
    State(web): State<Web>,
    Query(before): Query<Before>,
    here: Here,
) -> Result<Response, Failure> {
    let (context, whole) = wanted(&web, &here).await?;
    let offered = Offered::load(&web, &here, &context, Some(&whole.opportunity)).await?;
    let form = form_of(&whole.opportunity, &offered);
    Ok(render(&page((&web, &here, &context), &whole, (&offered, form), before).await?))
}

/// Its page with this form.
pub(super) async fn page(
    (web, here, context): (&Web, &Here, &LocationContext),
    whole: &WholeOpportunity,
    (offered, form): (&Offered, Form),
    before: Before,
) -> Result<Show, Error> {
    let opportunity = &whole.opportunity;
    let content = &opportunity.content;
    let pipeline = offered.pipelines.iter().find(|pipeline| pipeline.id == content.pipeline);
    let stage = pipeline.and_then(|pipeline| pipeline.stage(content.stage));
    let sees_contacts = here.authority().grant().allows(Scope::ContactsRead);
    let url = url(here, opportunity.id);
    let thing = (Subject::Opportunity, opportunity.id.to_string());
    let history = History::of(web, here, context, thing, (&url, before)).await?;
    let others = |status: &Status| *status != content.status;
    let words = |status: Status| match status {
        Status::Open => "Open again",
        Status::Won => "Won",
        Status::Lost => "Lost",
        Status::Abandoned => "Abandoned",
    };
    Ok(Show {
        frame: Frame::of(here, content.name.as_str(), SECTION),
        name: content.name.as_str().to_owned(),
        pill: contacts::standing(content.status),
        place: pipeline.map(|pipeline| pipeline.content.name.as_str().to_owned()).unwrap_or_default(),
        id: opportunity.id.to_string(),
        facts: facts(web, here, whole, stage.map_or("", |stage| stage.name.as_str())).await?,
        whose: Whose {
            name: contacts::name(&whole.contact),
            addresses: contacts::addresses(&whole.contact),
            url: sees_contacts.then(|| here.url(&format!("/contacts/{}", whole.contact.id))),
        },
        form,
        files: files(whole, offered),
        history,
        stages: pipeline
            .map(|pipeline| pipeline.stages.iter().map(|stage| (stage.clone(), stage.id == content.stage)).collect())
            .unwrap_or_default(),
        statuses: Status::ALL.into_iter().filter(others).map(|status| (status, words(status))).collect(),
        may_write: may_write(here),
        url,
        board_url: here.url(&format!("/opportunities?pipeline={}", content.pipeline)),
    })
}

async fn facts(web: &Web, here: &Here, whole: &WholeOpportunity, stage: &str) -> Result<Vec<Fact>, Error> {
    let opportunity = &whole.opportunity;
    let (content, now) = (&opportunity.content, web.app.now());
    let names = web.app.user_names(here.authority()).await?;
    let owner = content.assigned_to.map_or("Nobody", |id| names.get(&id).map_or("A former member", String::as_str));
    let fact = |label, value: String, detail: String| Fact { label, value, detail };
    let close = content.close_date.map_or_else(|| "Not said".to_owned(), |day| here.zone().day(day.to_utc()));
    let moved = match opportunity.slippage.count {
        0 => String::new(),
        1 => "moved later once".to_owned(),
        count => format!("moved later {} times", grouped(count)),
    };
    Ok(vec![
        fact("Value", amount(&content.value.to_string()), String::new()),
        fact("Stage", stage.to_owned(), format!("for {}", since(opportunity.stage_changed_at, now))),
        fact("Owner", owner.to_owned(), String::new()),
        fact("Expected to close", close, moved),
        fact(
            "Probability",
            whole.probability.map_or_else(|| "Not said".to_owned(), |probability| format!("{probability} %")),
            String::new(),
        ),
    ])
}

fn files(whole: &WholeOpportunity, offered: &Offered) -> Vec<(String, String)> {
    let held = offered.custom.iter().filter(|field| field.data_type.is_file());
    let named = held.filter_map(|field| {
        let values = whole.opportunity.custom_fields.get(field.id).iter();
        let names =
            values.filter_map(|value| if let FieldValue::File(file) = value { Some(file.name.as_str()) } else { None });
        let names: Vec<&str> = names.collect();
        (!names.is_empty()).then(|| (field.content.name.as_str().to_owned(), names.join(", ")))
    });
    named.collect()
}
