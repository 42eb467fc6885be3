-- Files that people have sent. One that nobody has yet, or whose bytes did not all arrive, is taken away after a day.
CREATE TABLE files (
    location_id {text} NOT NULL REFERENCES locations (id),
    id {text} NOT NULL,
    uuid {text} NOT NULL,
    name {text} NOT NULL,
    kind {text} NOT NULL,
    size BIGINT NOT NULL,
    secret {text} NOT NULL,
    is_whole BOOLEAN NOT NULL,
    field_id {text},
    owner_kind {text},
    owner_id {text},
    created_at BIGINT NOT NULL,
    PRIMARY KEY (location_id, id),
    UNIQUE (secret)
);

CREATE INDEX files_by_owner ON files (location_id, owner_kind, owner_id) WHERE owner_id IS NOT NULL;
CREATE INDEX files_of_nobody ON files (created_at) WHERE owner_id IS NULL;

-- Their bytes, in pieces, so that no statement and no server has to hold a whole file.
CREATE TABLE file_pieces (
    location_id {text} NOT NULL,
    file_id {text} NOT NULL,
    number BIGINT NOT NULL,
    bytes {bytes} NOT NULL,
    PRIMARY KEY (location_id, file_id, number),
    FOREIGN KEY (location_id, file_id) REFERENCES files (location_id, id)
);
