//! What was published of a form.

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Error, ErrorCode, LocationContext, error::Noun};
use keystead_model::{actor::Actor, form::FormVersion, form_schema::FormSchema, page::Window};

use super::{PATH, SECTION, Strip, TheForm, seen, wanted, words};
use crate::{
    Web,
    ask::Ask,
    failure::Failure,
    flash::{Done, lead},
    form::{Fields, Form},
    list::{Asked, Listing, PAGE},
    page::{Frame, render},
    place::Here,
};

/// Versions among which the draft is looked for.
const LOOKED_AT: i64 = 50;

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

/// The number of a version that there is.
fn number(here: &Here, form: &TheForm) -> Result<i64, Error> {
    let text = here.visitor.param("version");
    let number = text.parse().ok().filter(|number| (1..=form.versions).contains(number));
    number.ok_or_else(|| Error::NotFound(Noun::FormVersion, text.to_owned()))
}

/// What becomes of the draft: what was never published is nowhere else.
async fn question(
    web: &Web,
    here: &Here,
    context: &LocationContext,
    form: &TheForm,
    number: i64,
) -> Result<Ask, Error> {
    let known = web.app.list_form_versions(context, form.id, Window::first(LOOKED_AT)).await?.rows;
    let lost = match known.iter().find(|version| version.content == form.content) {
        Some(kept) => format!("Nothing is lost: the draft is what version {} was, which stays.", kept.number),
        None => {
            "The draft was changed since it was last published. These changes are lost, and cannot be brought back. \
                 To keep them, publish the draft first."
                .to_owned()
        }
    };
    let others = match form.published {
        Some(published) => format!("Others see version {published} until you publish the draft."),
        None => "Nobody else sees it until you publish the draft.".to_owned(),
    };
    let sentences = vec![format!("The draft becomes what version {number} was."), lost, others];
    let url = here.url(&format!("{PATH}/{}/versions", form.id));
    let ask = Ask::to_delete(here, SECTION, (form.content.name.as_str(), "Restore version"), sentences, url);
    Ok(ask.to("Restore", format!("Restore version {number} of")).opened_on(form))
}

pub(crate) async fn restore_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (context, form) = wanted(&web, &here).await?;
    let number = number(&here, &form)?;
    Ok(question(&web, &here, &context, &form, number).await?.shown())
}

pub(crate) async fn restore(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let (context, form) = wanted(&web, &here).await?;
    let number = number(&here, &form)?;
    let careful = context.clone().with_seen(Form::new(Vec::new(), sent).seen::<TheForm>());
    let work = async {
        web.app.restore_form_version(&careful, form.id, number).await.map_err(|error| match error {
            Error::Conflict(ErrorCode::PreconditionFailed, _) => {
                Error::invalid("The draft", "stays as it is: somebody has changed it since you were asked")
            }
            other => words::in_words(other, &form.content.definition.fields()),
        })
    };
    let url = here.url(&format!("{PATH}/{}", form.id));
    let done = |form: TheForm| lead(&web, &url, Done::FormVersionRestored, form.content.name.as_str());
    question(&web, &here, &context, &form, number).await?.answered(work, done).await
}
