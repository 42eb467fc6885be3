-- Servers on this database, as each says of itself every few seconds.
CREATE TABLE nodes (
    id {text} PRIMARY KEY,
    address {text} NOT NULL,
    release {text} NOT NULL,
    applied BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);
