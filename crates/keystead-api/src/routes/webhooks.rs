//! Routes of webhooks: where somebody is told of events, and what became of what was sent there.

use keystead_model::{scope::Scope, webhook::WebhookEndpoint};

use crate::{
    route::{Face, Route, Table},
    v2::webhooks,
};

pub(super) fn v2_routes() -> Vec<Route> {
    let (read, write) = (Some(Scope::WebhooksRead), Some(Scope::WebhooksWrite));
    Table::new(Face::V2)
        .either("GET /webhooks", "List webhooks", read, 200, webhooks::list)
        .either("POST /webhooks", "Create a webhook, whose secret is shown once", write, 201, webhooks::create)
        .either(
            "GET /webhooks/public-key",
            "Get the public key with which X-GHL-Signature is checked",
            read,
            200,
            webhooks::public_key,
        )
        .either("GET /webhooks/{webhookId}", "Get a webhook", read, 200, webhooks::get)
        .either(
            "PATCH /webhooks/{webhookId}",
            "Change a webhook; from then on it hears of what whoever changed it may read",
            write,
            200,
            webhooks::update,
        )
        .if_match::<WebhookEndpoint>()
        .either("DELETE /webhooks/{webhookId}", "Delete a webhook", write, 200, webhooks::delete)
        .if_match::<WebhookEndpoint>()
        .either(
            "POST /webhooks/{webhookId}/rotate-secret",
            "Give a webhook its next secret, which is shown once",
            write,
            200,
            webhooks::rotate_secret,
        )
        .if_match::<WebhookEndpoint>()
        .either("POST /webhooks/{webhookId}/test", "Send a webhook an example of an event", write, 201, webhooks::test)
        .either(
            "POST /webhooks/{webhookId}/recover",
            "Send again what a webhook did not take since an instant",
            write,
            200,
            webhooks::recover,
        )
        .either(
            "GET /webhooks/{webhookId}/deliveries",
            "List what was sent to a webhook",
            read,
            200,
            webhooks::deliveries,
        )
        .either(
            "GET /webhooks/{webhookId}/deliveries/{deliveryId}",
            "Get a delivery with every try",
            read,
            200,
            webhooks::delivery,
        )
        .either(
            "POST /webhooks/{webhookId}/deliveries/{deliveryId}/resend",
            "Send a delivery again, with the same id",
            write,
            200,
            webhooks::resend,
        )
        .rows()
}
