//! The first page of Agency View and of a location: whether anything is wrong, and what there is.

mod attention;
mod figures;
mod place;

pub(crate) use place::{agency, location};

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use keystead_model::{location::LocationFilter, page::Window};

use crate::{Web, failure::Failure, place::Visitor};

/// `/app` leads to where the visitor belongs.
pub(crate) async fn home(State(web): State<Web>, visitor: Result<Visitor, Failure>) -> Result<Response, Failure> {
    if web.app.needs_setup().await? {
        return Ok(Redirect::to("/app/setup").into_response());
    }
    let visitor = visitor?;
    if !visitor.signed_in.user.role.is_account() {
        return Ok(Redirect::to("/app/agency").into_response());
    }
    // The first that is there; where all are deleted, the first of these, whose page says so.
    let there = web.app.list_locations(&visitor.authority, LocationFilter::default(), Window::first(1)).await?;
    let target =
        there.rows.first().map(|location| location.id).or_else(|| visitor.signed_in.user.locations.first().copied());
    Ok(match target {
        Some(location) => Redirect::to(&format!("/app/locations/{location}")).into_response(),
        None => Redirect::to("/app/account").into_response(),
    })
}
