-- Of these tables each contact has many rows, which are read by their key alone. SQLite keeps them in the index of that key: what
-- was a third of all writes of a contact, and of its place on the disk, was a copy under a number that nobody asks for.
CREATE TABLE keyed_terms (
    location_id {text} NOT NULL,
    term {text} NOT NULL,
    contact_id {text} NOT NULL,
    PRIMARY KEY (location_id, term, contact_id)
) WITHOUT ROWID;
INSERT INTO keyed_terms SELECT location_id, term, contact_id FROM contact_terms ORDER BY 1, 2, 3;
DROP TABLE contact_terms;
ALTER TABLE keyed_terms RENAME TO contact_terms;
CREATE INDEX contact_terms_by_contact ON contact_terms (location_id, contact_id, term);

CREATE TABLE keyed_identities (
    location_id {text} NOT NULL,
    kind {text} NOT NULL,
    value {text} NOT NULL,
    sharer {text} NOT NULL,
    contact_id {text} NOT NULL,
    PRIMARY KEY (location_id, kind, value, sharer),
    FOREIGN KEY (location_id, contact_id) REFERENCES contacts (location_id, id)
) WITHOUT ROWID;
INSERT INTO keyed_identities
    SELECT location_id, kind, value, sharer, contact_id FROM contact_identities ORDER BY 1, 2, 3, 4;
DROP TABLE contact_identities;
ALTER TABLE keyed_identities RENAME TO contact_identities;
CREATE INDEX contact_identities_by_contact ON contact_identities (location_id, contact_id);

CREATE TABLE keyed_tags (
    location_id {text} NOT NULL,
    contact_id {text} NOT NULL,
    position BIGINT NOT NULL,
    name {text} NOT NULL,
    PRIMARY KEY (location_id, contact_id, position),
    UNIQUE (location_id, contact_id, name),
    FOREIGN KEY (location_id, contact_id) REFERENCES contacts (location_id, id)
) WITHOUT ROWID;
INSERT INTO keyed_tags SELECT location_id, contact_id, position, name FROM contact_tags ORDER BY 1, 2, 3;
DROP TABLE contact_tags;
ALTER TABLE keyed_tags RENAME TO contact_tags;
CREATE INDEX contact_tags_by_name ON contact_tags (location_id, name, contact_id);

CREATE TABLE keyed_values (
    location_id {text} NOT NULL REFERENCES locations (id),
    owner_kind {text} NOT NULL,
    owner_id {text} NOT NULL,
    field_id {text} NOT NULL,
    position BIGINT NOT NULL,
    text {text},
    folded {text},
    number {text},
    date {text},
    PRIMARY KEY (location_id, owner_kind, owner_id, field_id, position)
) WITHOUT ROWID;
INSERT INTO keyed_values
    SELECT location_id, owner_kind, owner_id, field_id, position, text, folded, number, date
    FROM field_values ORDER BY 1, 2, 3, 4, 5;
DROP TABLE field_values;
ALTER TABLE keyed_values RENAME TO field_values;
CREATE INDEX field_values_by_text ON field_values (location_id, field_id, substr(folded, 1, 64), owner_id)
    WHERE folded IS NOT NULL;
CREATE INDEX field_values_by_number ON field_values (location_id, field_id, number, owner_id) WHERE number IS NOT NULL;
CREATE INDEX field_values_by_date ON field_values (location_id, field_id, date, owner_id) WHERE date IS NOT NULL;
