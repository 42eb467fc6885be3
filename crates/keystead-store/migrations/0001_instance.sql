CREATE TABLE schema_migrations (
    version BIGINT PRIMARY KEY,
    name {text} NOT NULL,
    applied_at BIGINT NOT NULL
);

-- Which database this is. `incarnation` is new after every init, restore and copy: caches of another are worthless.
CREATE TABLE instance (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    incarnation {text} NOT NULL,
    created_at BIGINT NOT NULL
);

-- Fingerprints of the instance secrets that this database was used with. A server without them does not start.
CREATE TABLE instance_secrets (
    version BIGINT PRIMARY KEY,
    fingerprint {text} NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE service_clock (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    now_ms BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    clock_floor BIGINT NOT NULL,
    paused BOOLEAN NOT NULL
);

-- Its row lock makes commit order the order of `changes.seq`, without gaps.
CREATE TABLE change_head (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    seq BIGINT NOT NULL
);

CREATE TABLE changes (
    seq BIGINT PRIMARY KEY,
    kind {text} NOT NULL,
    subject {text} NOT NULL,
    recorded_at BIGINT NOT NULL
);
