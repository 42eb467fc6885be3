-- Mails are also for those who are no members: whom an agency or a key names as its contact.
CREATE TABLE mails_of_readers (
    id {text} PRIMARY KEY,
    kind {text} NOT NULL,
    reader_id {text} NOT NULL,
    day {text} NOT NULL,
    to_address {text} NOT NULL,
    subject {text} NOT NULL,
    body {text} NOT NULL,
    state {text} NOT NULL,
    attempts BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    settled_at BIGINT,
    problem {text},
    UNIQUE (kind, reader_id, day)
);
INSERT INTO mails_of_readers (id, kind, reader_id, day, to_address, subject, body, state, attempts, created_at, settled_at, problem)
SELECT id, kind, user_id, day, to_address, subject, body, state, attempts, created_at, settled_at, problem FROM mails;
DROP TABLE mails;
ALTER TABLE mails_of_readers RENAME TO mails;
CREATE INDEX mails_by_age ON mails (created_at, id);

CREATE TABLE notices_of_readers (
    reader_id {text} NOT NULL,
    notice_id {text} NOT NULL REFERENCES notices (id),
    mail_id {text} NOT NULL,
    PRIMARY KEY (reader_id, notice_id)
);
INSERT INTO notices_of_readers (reader_id, notice_id, mail_id) SELECT user_id, notice_id, mail_id FROM mailed_notices;
DROP TABLE mailed_notices;
ALTER TABLE notices_of_readers RENAME TO mailed_notices;
CREATE INDEX mailed_notices_by_notice ON mailed_notices (notice_id);
