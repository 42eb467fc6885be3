//! Why opportunities of a location are lost, on the page of its pipelines.

use axum::{extract::State, response::Response};
use keystead_core::{Error, LocationContext, error::Noun};
use keystead_model::{LostReasonId, page::Window, pipeline::LostReasonFilter, scope::Scope, text::Line};

use crate::{
    Web,
    failure::Failure,
    flash::{Done, lead},
    form::{Field, Fields, Form},
    pipelines,
    place::Here,
};

/// One of them.
pub(crate) struct Reason {
    pub(crate) name: String,
    pub(crate) delete_url: String,
}

fn fields() -> Vec<Field> {
    vec![Field::line("name", "New reason").needed("Enter a name").with("maxlength=200 autocomplete=off")]
}

/// The form of a new one.
pub(crate) fn form() -> Form {
    Form::new(fields(), Vec::new())
}

/// Those that can be chosen, by name.
pub(crate) async fn reasons(web: &Web, here: &Here, context: &LocationContext) -> Result<Vec<Reason>, Error> {
    let found = web.app.list_lost_reasons(context, LostReasonFilter::default(), Window::all()).await?;
    let reason = |reason: keystead_model::pipeline::LostReason| Reason {
        name: reason.name.as_str().to_owned(),
        delete_url: here.url(&format!("{}/lost-reasons/{}/delete", pipelines::PATH, reason.id)),
    };
    let mut reasons: Vec<Reason> = found.page.rows.into_iter().map(reason).collect();
    reasons.sort_by_key(|reason| reason.name.to_lowercase());
    Ok(reasons)
}

pub(crate) async fn create(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    here.authority().require(Scope::OpportunitiesWrite)?;
    let context = here.enter(&web).await?;
    let mut form = Form::new(fields(), sent);
    let name = form.read("name", Line::parse);
    match form.run_with(name, async |name| web.app.create_lost_reason(&context, name).await).await? {
        Some(made) => Ok(lead(&web, &here.url(pipelines::PATH), Done::LostReasonAdded, made.name.as_str())),
        None => pipelines::again(&web, &here, &context, form).await,
    }
}

/// It cannot be chosen any more; what was lost because of it stays so.
pub(crate) async fn delete(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    here.authority().require(Scope::OpportunitiesWrite)?;
    let context = here.enter(&web).await?;
    let id: LostReasonId = here.id(Noun::LostReason)?;
    let known = web.app.list_lost_reasons(&context, LostReasonFilter::default(), Window::all()).await?.page.rows;
    let reason = known.into_iter().find(|reason| reason.id == id);
    let reason = reason.ok_or_else(|| Error::NotFound(Noun::LostReason, id.to_string()))?;
    web.app.delete_lost_reason(&context, id).await?;
    Ok(lead(&web, &here.url(pipelines::PATH), Done::LostReasonDeleted, reason.name.as_str()))
}
