CREATE TABLE audit_rows (
    id {serial},
    agency_id {text} NOT NULL REFERENCES agencies (id),
    location_id {text},
    at BIGINT NOT NULL,
    actor_kind {text} NOT NULL,
    actor_id {text},
    ip {text},
    request_id {text},
    action {text} NOT NULL,
    subject {text} NOT NULL,
    before_json {text},
    after_json {text}
);

CREATE INDEX audit_rows_by_agency ON audit_rows (agency_id, id);
CREATE INDEX audit_rows_by_subject ON audit_rows (subject, id);
