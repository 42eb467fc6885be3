-- The value of `expires_at` whose passing the sweep has recorded; from then on the key's 90 days run.
ALTER TABLE api_keys ADD COLUMN expiry_recorded BIGINT;
-- The lost key that this one replaces, and that is deactivated when this one is first used.
ALTER TABLE api_keys ADD COLUMN replaces {text};

-- What the sweep asks for: old activity, holds, expiries, overlaps about to end, secrets to destroy.
CREATE INDEX api_keys_by_activity ON api_keys (active_at, id) WHERE state <> 'deleted';
CREATE INDEX api_keys_held ON api_keys (id) WHERE held;
CREATE INDEX api_keys_by_expiry ON api_keys (expires_at, id) WHERE expires_at IS NOT NULL AND state <> 'deleted';
CREATE INDEX api_keys_by_retirement ON api_keys (previous_retires_at, id) WHERE previous_hash IS NOT NULL;
CREATE INDEX api_keys_to_destroy ON api_keys (restore_until, id) WHERE state = 'deleted' AND secret_hash IS NOT NULL;

-- One row for each kind and stage in an episode (see NewNotice in the model): recording twice is impossible.
CREATE TABLE notices (
    id {text} PRIMARY KEY,
    agency_id {text} NOT NULL REFERENCES agencies (id),
    location_id {text} REFERENCES locations (id),
    key_id {text} NOT NULL REFERENCES api_keys (id),
    kind {text} NOT NULL,
    stage BIGINT NOT NULL,
    episode BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    address {text},
    UNIQUE (key_id, kind, episode, stage)
);

CREATE INDEX notices_by_agency ON notices (agency_id, id);
CREATE INDEX notices_by_location ON notices (location_id, id);
CREATE INDEX notices_by_age ON notices (recorded_at);

-- Where each reader, a member or a program, stands; no row means that they have not seen it.
CREATE TABLE notice_readings (
    reader_id {text} NOT NULL,
    notice_id {text} NOT NULL REFERENCES notices (id),
    reading {text} NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (reader_id, notice_id)
);

CREATE INDEX notice_readings_by_notice ON notice_readings (notice_id);

-- Keys that somebody reported as found in public, by digest, until the job has ended them.
CREATE TABLE exposure_reports (
    id {serial},
    key_id {text} NOT NULL,
    pepper_version BIGINT NOT NULL,
    secret_hash {bytes} NOT NULL,
    reported_at BIGINT NOT NULL
);
