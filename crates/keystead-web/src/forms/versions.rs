//! What was published of a form.

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Error, error::Noun};
use keystead_model::{actor::Actor, form::FormVersion, form_schema::FormSchema, page::Window};

use super::{PATH, SECTION, Strip, seen, wanted};
use crate::{
    Web,
    failure::Failure,
    flash::{Done, lead},
    form::Fields,
    list::{Asked, Listing, PAGE},
    page::{Frame, render},
    place::Here,
};

struct Row {
    number: i64,
    fields: usize,
    by: String,
    at: String,
    is_published: bool,
    restore_url: String,
}

#[derive(Template)]
#[template(path = "forms/versions.html")]
struct Versions {
    frame: Frame,
    strip: Strip,
    rows: Vec<Row>,
    list: Listing,
}

pub(crate) async fn list(State(web): State<Web>, asked: Asked, here: Here) -> Result<Response, Failure> {
    let (context, form) = seen(&web, &here).await?;
    let found = web.app.list_form_versions(&context, form.id, Window::skip(asked.skipped(), PAGE)).await?;
    let actors = found.rows.iter().map(|version| version.by.actor());
    let names = web.app.actor_names(here.authority(), actors).await?;
    let at = here.url(&format!("{PATH}/{}/versions", form.id));
    let zone = here.zone();
    let row = |version: &FormVersion| Row {
        number: version.number,
        fields: FormSchema::read(&version.content.definition).map_or(0, |schema| schema.fields().count()),
        by: match version.by.actor() {
            Actor::Operator => "The operator".to_owned(),
            Actor::System => "Keystead".to_owned(),
            actor => names.of(actor).unwrap_or("Somebody who is gone").to_owned(),
        },
        at: zone.exactly(version.created_at),
        is_published: form.published == Some(version.number),
        restore_url: format!("{at}/{}/restore", version.number),
    };
    let rows: Vec<Row> = found.rows.iter().map(row).collect();
    Ok(render(&Versions {
        frame: Frame::of(&here, form.content.name.as_str(), SECTION),
        strip: Strip::of(&web, &here, &context, &form, "Versions").await?,
        list: Listing::new(at, &asked, rows.len(), found.has_more, form.versions),
        rows,
    }))
}

pub(crate) async fn restore(State(web): State<Web>, here: Here, _: Fields) -> Result<Response, Failure> {
    let (context, form) = wanted(&web, &here).await?;
    let text = here.visitor.param("version");
    let number = text.parse().map_err(|_| Error::NotFound(Noun::FormVersion, text.to_owned()))?;
    let form = web.app.restore_form_version(&context, form.id, number).await?;
    let url = here.url(&format!("{PATH}/{}", form.id));
    Ok(lead(&web, &url, Done::FormVersionRestored, form.content.name.as_str()))
}
