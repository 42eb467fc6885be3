-- Where somebody is told of events: by a location, or by an agency where there is no location. Secrets are sealed, each for its
-- row and with the version of the instance secret before a dot. `actor_*` and `scopes` are on whose authority it hears, as it was
-- then.
CREATE TABLE webhook_endpoints (
    id {text} PRIMARY KEY,
    agency_id {text} NOT NULL REFERENCES agencies (id),
    location_id {text} REFERENCES locations (id),
    url {text} NOT NULL,
    events {text} NOT NULL,
    description {text},
    app_id {text},
    header_names {text} NOT NULL,
    disabled {text},
    actor_kind {text} NOT NULL,
    actor_id {text},
    scopes {text} NOT NULL,
    secret {text} NOT NULL,
    previous_secret {text},
    previous_until BIGINT,
    headers {text},
    key_version BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    failure_days BIGINT NOT NULL,
    last_failure_day BIGINT NOT NULL,
    failing_since BIGINT,
    gone_since BIGINT,
    next_probe BIGINT,
    places BIGINT NOT NULL,
    succeeded_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Who listens, asked by every event.
CREATE INDEX webhook_endpoints_of_tenants ON webhook_endpoints (agency_id, location_id, id);
CREATE INDEX webhook_endpoints_of_locations ON webhook_endpoints (location_id) WHERE location_id IS NOT NULL;

-- What is said of an event, once for all endpoints.
CREATE TABLE webhook_messages (
    id {text} PRIMARY KEY,
    agency_id {text} NOT NULL REFERENCES agencies (id),
    location_id {text} REFERENCES locations (id),
    contact_id {text},
    event {text} NOT NULL,
    name {text} NOT NULL,
    body {text} NOT NULL,
    chain_root {text} NOT NULL,
    chain_depth BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX webhook_messages_of_contacts ON webhook_messages (location_id, contact_id) WHERE contact_id IS NOT NULL;
CREATE INDEX webhook_messages_by_age ON webhook_messages (created_at);

-- A message on its way to an endpoint. Its location is that of the message. `tries` counts since it was last sent on its way.
CREATE TABLE webhook_deliveries (
    id {text} PRIMARY KEY,
    endpoint_id {text} NOT NULL REFERENCES webhook_endpoints (id),
    message_id {text} NOT NULL REFERENCES webhook_messages (id),
    location_id {text},
    app_id {text},
    state {text} NOT NULL,
    tries BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    tried_at BIGINT
);

CREATE INDEX webhook_deliveries_of_endpoints ON webhook_deliveries (endpoint_id, id);
CREATE INDEX webhook_deliveries_of_messages ON webhook_deliveries (message_id);
CREATE INDEX webhook_deliveries_of_locations ON webhook_deliveries (location_id) WHERE location_id IS NOT NULL;
-- What can be recovered.
CREATE INDEX webhook_deliveries_not_taken ON webhook_deliveries (endpoint_id, created_at) WHERE state IN ('failed', 'held');

CREATE TABLE webhook_attempts (
    delivery_id {text} NOT NULL REFERENCES webhook_deliveries (id),
    location_id {text},
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    status BIGINT,
    problem {text},
    answer {text},
    PRIMARY KEY (delivery_id, number)
);

CREATE INDEX webhook_attempts_of_locations ON webhook_attempts (location_id) WHERE location_id IS NOT NULL;

-- How many events of a location, or of an agency itself, were told: what happened later has the greater number.
CREATE TABLE webhook_sequences (
    owner_id {text} PRIMARY KEY,
    last BIGINT NOT NULL
);
