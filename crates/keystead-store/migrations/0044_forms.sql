-- What somebody is asked, and what they answered.
CREATE TABLE forms (
    location_id {text} NOT NULL REFERENCES locations (id),
    id {text} NOT NULL,
    name {text} NOT NULL,
    definition {text} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (location_id, id)
);

CREATE TABLE surveys (
    location_id {text} NOT NULL REFERENCES locations (id),
    id {text} NOT NULL,
    name {text} NOT NULL,
    definition {text} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (location_id, id)
);

-- Of both kinds, also of those that are deleted. The same answers under the same key of their sender are one submission.
CREATE TABLE submissions (
    location_id {text} NOT NULL REFERENCES locations (id),
    id {text} NOT NULL,
    form_kind {text} NOT NULL,
    form_id {text} NOT NULL,
    contact_id {text},
    submission_key {text},
    digest {bytes} NOT NULL,
    answers {text} NOT NULL,
    name {text},
    email {text},
    found_by {text} NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (location_id, id),
    FOREIGN KEY (location_id, contact_id) REFERENCES contacts (location_id, id)
);

CREATE INDEX submissions_by_time ON submissions (location_id, form_kind, created_at, id);
CREATE INDEX submissions_by_form ON submissions (location_id, form_id, created_at, id);
CREATE INDEX submissions_by_contact ON submissions (location_id, contact_id) WHERE contact_id IS NOT NULL;
CREATE UNIQUE INDEX submissions_once ON submissions (location_id, form_id, submission_key, digest)
    WHERE submission_key IS NOT NULL;
