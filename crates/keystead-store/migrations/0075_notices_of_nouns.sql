-- A notice is about a thing of one of several nouns. Of one kind and stage there is one in each episode of a thing.
CREATE TABLE notices_of_nouns (
    id {text} PRIMARY KEY,
    agency_id {text} NOT NULL REFERENCES agencies (id),
    location_id {text} REFERENCES locations (id),
    subject_kind {text} NOT NULL,
    subject_id {text} NOT NULL,
    kind {text} NOT NULL,
    stage BIGINT NOT NULL,
    episode BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    address {text},
    UNIQUE (subject_id, kind, episode, stage)
);
INSERT INTO notices_of_nouns (id, agency_id, location_id, subject_kind, subject_id, kind, stage, episode, recorded_at, address)
SELECT id, agency_id, location_id, 'key', key_id, kind, stage, episode, recorded_at, address FROM notices;

CREATE TABLE readings_of_nouns (
    reader_id {text} NOT NULL,
    notice_id {text} NOT NULL REFERENCES notices_of_nouns (id),
    reading {text} NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (reader_id, notice_id)
);
INSERT INTO readings_of_nouns (reader_id, notice_id, reading, at) SELECT reader_id, notice_id, reading, at FROM notice_readings;

CREATE TABLE mailed_of_nouns (
    reader_id {text} NOT NULL,
    notice_id {text} NOT NULL REFERENCES notices_of_nouns (id),
    mail_id {text} NOT NULL,
    PRIMARY KEY (reader_id, notice_id)
);
INSERT INTO mailed_of_nouns (reader_id, notice_id, mail_id) SELECT reader_id, notice_id, mail_id FROM mailed_notices;

DROP TABLE notice_readings;
DROP TABLE mailed_notices;
DROP TABLE notices;
ALTER TABLE notices_of_nouns RENAME TO notices;
ALTER TABLE readings_of_nouns RENAME TO notice_readings;
ALTER TABLE mailed_of_nouns RENAME TO mailed_notices;
CREATE INDEX notices_by_agency ON notices (agency_id, id);
CREATE INDEX notices_by_location ON notices (location_id, id);
CREATE INDEX notices_by_age ON notices (recorded_at);
CREATE INDEX notice_readings_by_notice ON notice_readings (notice_id);
CREATE INDEX mailed_notices_by_notice ON mailed_notices (notice_id);

-- Since when an endpoint is disabled. Of those before, nobody knows any closer.
ALTER TABLE webhook_endpoints ADD COLUMN disabled_at BIGINT;
UPDATE webhook_endpoints SET disabled_at = updated_at WHERE disabled IS NOT NULL;

-- What failed on a day, asked by the notices of that.
CREATE INDEX webhook_deliveries_failed ON webhook_deliveries (endpoint_id, tried_at) WHERE state = 'failed';
-- What a key has set up, asked when it was exposed.
CREATE INDEX webhook_endpoints_of_keys ON webhook_endpoints (actor_id) WHERE actor_kind = 'key';
