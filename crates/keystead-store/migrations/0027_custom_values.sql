-- Texts of a location that have a name.
CREATE TABLE custom_values (
    location_id {text} NOT NULL REFERENCES locations (id),
    id {text} NOT NULL,
    field_key {text} NOT NULL,
    name {text} NOT NULL,
    value {text} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (location_id, id),
    UNIQUE (location_id, field_key)
);
