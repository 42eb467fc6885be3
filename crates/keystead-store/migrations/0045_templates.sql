-- Messages that are written once and sent often.
CREATE TABLE templates (
    location_id {text} NOT NULL REFERENCES locations (id),
    id {text} NOT NULL,
    kind {text} NOT NULL,
    origin_id {text} NOT NULL,
    name {text} NOT NULL,
    subject {text},
    body {text} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (location_id, id)
);

CREATE INDEX templates_by_origin ON templates (location_id, origin_id, id);
