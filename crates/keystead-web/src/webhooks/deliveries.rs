//! All that was sent to a webhook, in one file.

use axum::{extract::State, response::Response};
use keystead_core::WholeDelivery;
use keystead_model::{page::Window, webhook::DeliveryState};

use super::{endpoint::STATE, wanted};
use crate::{
    Web,
    download::{self, AT_ONCE},
    failure::Failure,
    list::Asked,
    place::Here,
};

pub(crate) async fn csv(State(web): State<Web>, asked: Asked, here: Here) -> Result<Response, Failure> {
    let id = wanted(&web, &here).await?.endpoint.id;
    let state = asked.text(STATE).and_then(DeliveryState::parse);
    let (app, authority) = (web.app.clone(), here.authority().clone());
    let read = move |after| {
        let (app, authority) = (app.clone(), authority.clone());
        async move { app.list_webhook_deliveries(&authority, id, state, Window::after(after, AT_ONCE)).await }
    };
    let file = format!("deliveries-{id}.csv");
    let (last, cells) = (|last: &WholeDelivery| last.delivery.id, |one: &WholeDelivery| one.cells().into());
    Ok(download::csv(&file, WholeDelivery::COLUMNS, None, read, last, cells).await?)
}
