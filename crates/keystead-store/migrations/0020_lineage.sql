-- The databases that this one was restored or copied from, and how far each is part of it: its incarnation, and the number
-- of the last change that was taken over. A journal of revocations tells by it what this database does not know.
CREATE TABLE lineage (
    incarnation {text} PRIMARY KEY,
    sequence BIGINT NOT NULL
);
