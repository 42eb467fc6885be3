-- Values of custom fields: of one of several, the position tells its place. `folded` is how a text is compared; what is nothing
-- but white space has none.
CREATE TABLE field_values (
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
);

-- A text may be longer than a row of an index.
CREATE INDEX field_values_by_text ON field_values (location_id, field_id, substr(folded, 1, 64), owner_id)
    WHERE folded IS NOT NULL;
CREATE INDEX field_values_by_number ON field_values (location_id, field_id, number, owner_id) WHERE number IS NOT NULL;
CREATE INDEX field_values_by_date ON field_values (location_id, field_id, date, owner_id) WHERE date IS NOT NULL;
