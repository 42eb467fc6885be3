-- What a trial keeps of rows that changed something: nothing of them stays, and a later row may be about the same person.
CREATE TABLE tried_rows (
    location_id {text} NOT NULL,
    import_id {text} NOT NULL,
    line BIGINT NOT NULL,
    person BIGINT NOT NULL,
    cells {text} NOT NULL,
    PRIMARY KEY (location_id, import_id, line),
    FOREIGN KEY (location_id, import_id) REFERENCES imports (location_id, id)
);
CREATE INDEX tried_rows_by_person ON tried_rows (location_id, import_id, person, line);

-- A person is called by the line that was the first to be about them.
CREATE TABLE tried_identities (
    location_id {text} NOT NULL,
    import_id {text} NOT NULL,
    kind {text} NOT NULL,
    value {text} NOT NULL,
    person BIGINT NOT NULL,
    PRIMARY KEY (location_id, import_id, kind, value),
    FOREIGN KEY (location_id, import_id) REFERENCES imports (location_id, id)
);
CREATE INDEX tried_identities_by_person ON tried_identities (location_id, import_id, person);
