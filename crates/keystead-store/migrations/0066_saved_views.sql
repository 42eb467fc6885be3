-- What members ask of lists, under names. A deleted one stays for a while, to be brought back.
CREATE TABLE saved_views (
    location_id {text} NOT NULL REFERENCES locations (id),
    id {text} NOT NULL,
    list {text} NOT NULL,
    member_id {text} NOT NULL,
    name {text} NOT NULL,
    query {text} NOT NULL,
    is_shared BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    PRIMARY KEY (location_id, id)
);
