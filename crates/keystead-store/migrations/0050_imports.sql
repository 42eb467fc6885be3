-- Files of rows that become contacts, and the rows that were refused.
CREATE TABLE imports (
    location_id {text} NOT NULL REFERENCES locations (id),
    id {text} NOT NULL,
    file_name {text} NOT NULL,
    file_id {text} NOT NULL,
    columns {text} NOT NULL,
    encoding {text},
    is_trial BOOLEAN NOT NULL,
    takes_unidentified BOOLEAN NOT NULL,
    state {text} NOT NULL,
    rows_read BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    unchanged BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    line BIGINT NOT NULL,
    problem {text},
    created_by {text} NOT NULL,
    event_id {text},
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT,
    PRIMARY KEY (location_id, id)
);

-- A job has the id of its import and no location.
CREATE UNIQUE INDEX imports_by_id ON imports (id);
CREATE INDEX imports_by_end ON imports (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE refused_rows (
    location_id {text} NOT NULL,
    import_id {text} NOT NULL,
    line BIGINT NOT NULL,
    problem {text} NOT NULL,
    cells {text} NOT NULL,
    PRIMARY KEY (location_id, import_id, line),
    FOREIGN KEY (location_id, import_id) REFERENCES imports (location_id, id)
);
