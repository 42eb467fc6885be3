//! Sending messages to webhooks.

use keystead_core::{App, OutboundClient};
use keystead_model::job::JobKind;

use crate::Worker;

/// Messages that are under way at a time: each is a connection, and most of its time is spent waiting.
const AT_ONCE: usize = 128;

/// Sends messages to webhooks.
pub fn delivery_worker(app: &App, client: &OutboundClient) -> Worker {
    let client = client.clone();
    Worker::new(app.clone(), JobKind::Delivery, AT_ONCE, move |app, job, until| {
        let client = client.clone();
        async move { app.send_delivery(&client, job, until).await }
    })
}
