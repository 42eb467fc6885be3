-- Fields that a location has added to its contacts or opportunities. Options and endings stand one on a line; of a text box, label
-- and first content are apart by a tab.
CREATE TABLE custom_fields (
    location_id {text} NOT NULL REFERENCES locations (id),
    id {text} NOT NULL,
    model {text} NOT NULL,
    field_key {text} NOT NULL,
    data_type {text} NOT NULL,
    name {text} NOT NULL,
    placeholder {text},
    position BIGINT NOT NULL,
    options {text},
    allows_custom_option BOOLEAN NOT NULL,
    accepted_formats {text},
    is_multiple_file BOOLEAN NOT NULL,
    max_files BIGINT NOT NULL,
    text_boxes {text},
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (location_id, id),
    UNIQUE (location_id, model, field_key)
);

-- Fields that are gone, whose values are still to be taken away: nobody sees these any more, and there may be a million.
CREATE TABLE gone_fields (
    location_id {text} NOT NULL REFERENCES locations (id),
    field_id {text} NOT NULL,
    PRIMARY KEY (location_id, field_id)
);
