-- Where other programs send to: the digest of what stands at the end of the address, and what they sign with, sealed for its row;
-- both as they are, and as they were before while that goes on. `contact` says what of a payload makes a contact, `writer` on whose
-- authority.
CREATE TABLE inbound_webhooks (
    location_id {text} NOT NULL REFERENCES locations (id),
    id {text} NOT NULL,
    name {text} NOT NULL,
    workflow_id {text},
    contact {text},
    writer {text} NOT NULL,
    token {bytes} NOT NULL,
    secret {text},
    previous_token {bytes},
    previous_secret {text},
    previous_until BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (location_id, id)
);

-- An address names no location.
CREATE UNIQUE INDEX inbound_webhooks_by_id ON inbound_webhooks (id);
CREATE INDEX inbound_webhooks_of_workflows ON inbound_webhooks (location_id, workflow_id) WHERE workflow_id IS NOT NULL;

-- What came in last, and what became of it.
CREATE TABLE inbound_payloads (
    location_id {text} NOT NULL REFERENCES locations (id),
    id {text} NOT NULL,
    webhook_id {text} NOT NULL,
    body {text} NOT NULL,
    outcome {text} NOT NULL,
    problems {text},
    contact_id {text},
    received_at BIGINT NOT NULL,
    PRIMARY KEY (location_id, id)
);

CREATE INDEX inbound_payloads_of_webhooks ON inbound_payloads (location_id, webhook_id, id);
CREATE INDEX inbound_payloads_of_contacts ON inbound_payloads (location_id, contact_id) WHERE contact_id IS NOT NULL;
CREATE INDEX inbound_payloads_by_age ON inbound_payloads (received_at);

-- What was sent under an id, by the digest of that, and how it was answered: what is sent again has no effect again.
CREATE TABLE inbound_receipts (
    location_id {text} NOT NULL REFERENCES locations (id),
    webhook_id {text} NOT NULL,
    sent_id {bytes} NOT NULL,
    received BIGINT NOT NULL,
    problems {text},
    at BIGINT NOT NULL,
    PRIMARY KEY (location_id, webhook_id, sent_id)
);

CREATE INDEX inbound_receipts_by_age ON inbound_receipts (at);
