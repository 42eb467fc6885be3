//! Routes of webhooks: where somebody is told of events, and what became of what was sent there; and where other programs send.

use keystead_model::{
    inbound_webhook::{InboundPatch, InboundWebhook},
    scope::Scope,
    webhook::WebhookEndpoint,
};

use crate::{
    resources,
    route::{Face, Route, Table},
    shape::One,
    v2::{inbound_webhooks, succeeded::Succeeded, webhooks},
};

pub(super) fn v2_routes() -> Vec<Route> {
    let (read, write) = (Some(Scope::WebhooksRead), Some(Scope::WebhooksWrite));
    Table::new(Face::V2)
        .either("GET /webhooks", "List webhooks", read, 200, webhooks::list)
        .either(
            "POST /webhooks",
            "Create a webhook, whose secret is shown once; a location has up to 50 of them, and so has the agency",
            write,
            201,
            webhooks::create,
        )
        .either(
            "GET /webhooks/public-key",
            "Get the public key with which X-GHL-Signature is checked",
            read,
            200,
            webhooks::public_key,
        )
        .either(
            "GET /webhooks/public-keys",
            "List the public keys of the agency: the newest, and those with which webhooks are still signed",
            read,
            200,
            webhooks::public_keys,
        )
        .agency(
            "POST /webhooks/public-keys",
            "Make the next signing key of the agency; webhooks keep theirs until they are switched to it",
            Scope::WebhooksWrite,
            201,
            webhooks::create_signing_key,
        )
        .either(
            "GET /webhooks/samples",
            "Get what would arrive of an event, as tools ask for it that show what a trigger gives",
            read,
            200,
            webhooks::sample,
        )
        .either("GET /webhooks/{webhookId}", "Get a webhook", read, 200, webhooks::get)
        .either(
            "PATCH /webhooks/{webhookId}",
            "Change a webhook; whoever says another url or other events, or takeOver, lends it their rights, and with the \
             same ones only where whoever it listened as has ended",
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
            "GET /webhooks/{webhookId}/deliveries/csv",
            "Get what was sent to a webhook as a CSV file, newest first",
            read,
            200,
            webhooks::csv,
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
        .location(
            "GET /inbound-webhooks",
            "List inbound webhooks",
            Scope::WebhooksRead,
            200,
            resources::list::<InboundWebhook, InboundWebhook>,
        )
        .location(
            "POST /inbound-webhooks",
            "Create an inbound webhook, whose address is shown once",
            Scope::WebhooksWrite,
            201,
            inbound_webhooks::create,
        )
        .location(
            "GET /inbound-webhooks/{inboundWebhookId}",
            "Get an inbound webhook",
            Scope::WebhooksRead,
            200,
            resources::get::<InboundWebhook, One<InboundWebhook>>,
        )
        .location(
            "PATCH /inbound-webhooks/{inboundWebhookId}",
            "Change an inbound webhook, or what of a payload makes a contact, which is written as whoever says it may",
            Scope::WebhooksWrite,
            200,
            resources::update::<InboundWebhook, InboundPatch, One<InboundWebhook>>,
        )
        .if_match::<InboundWebhook>()
        .location(
            "DELETE /inbound-webhooks/{inboundWebhookId}",
            "Delete an inbound webhook with what came in; its address leads nowhere",
            Scope::WebhooksWrite,
            200,
            resources::delete::<InboundWebhook, Succeeded>,
        )
        .if_match::<InboundWebhook>()
        .location(
            "POST /inbound-webhooks/{inboundWebhookId}/rotate-token",
            "Give an inbound webhook another address, which is shown once",
            Scope::WebhooksWrite,
            200,
            inbound_webhooks::rotate_token,
        )
        .if_match::<InboundWebhook>()
        .location(
            "GET /inbound-webhooks/{inboundWebhookId}/payloads",
            "List what came in last, newest first, with what became of it",
            Scope::WebhooksRead,
            200,
            inbound_webhooks::payloads,
        )
        .location(
            "POST /inbound-webhooks/{inboundWebhookId}/payloads/{payloadId}/replay",
            "Make of a payload what the inbound webhook now says",
            Scope::WebhooksWrite,
            200,
            inbound_webhooks::replay,
        )
        .rows()
}
