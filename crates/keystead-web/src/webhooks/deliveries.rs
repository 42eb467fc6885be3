//! All that was sent to a webhook, in one file.

use axum::{extract::State, response::Response};
use keystead_core::WholeDelivery;
use keystead_model::{UtcMs, page::Window, webhook::DeliveryState};

use super::{endpoint::STATE, wanted};
use crate::{
    Web,
    download::{self, AT_ONCE},
    failure::Failure,
    list::Asked,
    place::Here,
};

const COLUMNS: [&str; 10] =
    ["id", "created_at", "message", "event", "type", "location", "state", "tries", "tried_at", "body"];

pub(crate) async fn csv(State(web): State<Web>, asked: Asked, here: Here) -> Result<Response, Failure> {
    let id = wanted(&web, &here).await?.endpoint.id;
    let state = asked.text(STATE).and_then(DeliveryState::parse);
    let (app, authority) = (web.app.clone(), here.authority().clone());
    let read = move |after| {
        let (app, authority) = (app.clone(), authority.clone());
        async move { app.list_webhook_deliveries(&authority, id, state, Window::after(after, AT_ONCE)).await }
    };
    let file = format!("deliveries-{id}.csv");
    Ok(download::csv(&file, COLUMNS, None, read, |last: &WholeDelivery| last.delivery.id, cells).await?)
}

fn cells(WholeDelivery { delivery, message, .. }: &WholeDelivery) -> Vec<String> {
    vec![
        delivery.id.to_string(),
        delivery.created_at.to_iso(),
        message.id.clone(),
        message.event.clone(),
        message.name.clone(),
        message.location.map(|location| location.to_string()).unwrap_or_default(),
        delivery.state.as_str().to_owned(),
        delivery.attempts.to_string(),
        delivery.tried_at.map(UtcMs::to_iso).unwrap_or_default(),
        message.body.clone(),
    ]
}
