-- The outbox. A mail is composed again when it is sent, so that what stands here is what it would say now.
CREATE TABLE mails (
    id {text} PRIMARY KEY,
    kind {text} NOT NULL,
    user_id {text} NOT NULL REFERENCES users (id),
    day {text} NOT NULL,
    to_address {text} NOT NULL,
    subject {text} NOT NULL,
    body {text} NOT NULL,
    state {text} NOT NULL,
    attempts BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    settled_at BIGINT,
    problem {text},
    UNIQUE (kind, user_id, day)
);

CREATE INDEX mails_waiting ON mails (next_at, id) WHERE state = 'waiting';
CREATE INDEX mails_by_age ON mails (created_at, id);
