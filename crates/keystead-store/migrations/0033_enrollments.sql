-- Which contacts are to be in which workflows and campaigns. Nothing acts on it yet.
CREATE TABLE enrollments (
    location_id {text} NOT NULL,
    contact_id {text} NOT NULL,
    kind {text} NOT NULL,
    object_id {text} NOT NULL,
    event_at BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (location_id, contact_id, kind, object_id),
    FOREIGN KEY (location_id, contact_id) REFERENCES contacts (location_id, id)
);

CREATE INDEX enrollments_by_object ON enrollments (location_id, kind, object_id, contact_id);
