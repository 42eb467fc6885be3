-- Security rows are linked into a chain for each agency, after they were committed: linking at the insert would make all
-- writers of an agency wait for each other. `digest` stands for what the row says, so that what is personal in it can be
-- erased one day without breaking the chain.
ALTER TABLE audit_rows ADD COLUMN chained BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE audit_rows ADD COLUMN position BIGINT;
ALTER TABLE audit_rows ADD COLUMN digest {bytes};
ALTER TABLE audit_rows ADD COLUMN seal {bytes};
ALTER TABLE audit_rows ADD COLUMN seal_version BIGINT;

UPDATE audit_rows SET chained = TRUE
WHERE substr(action, 1, 8) IN ('api_key.', 'session.', 'location') OR substr(action, 1, 5) = 'user.'
    OR substr(action, 1, 7) = 'agency.' OR substr(action, 1, 9) = 'instance.';

CREATE UNIQUE INDEX audit_rows_by_position ON audit_rows (agency_id, position) WHERE position IS NOT NULL;
CREATE INDEX audit_rows_unsealed ON audit_rows (id) WHERE chained AND position IS NULL;

-- The end of each chain. Its row lock makes sealing serial.
CREATE TABLE audit_heads (
    agency_id {text} PRIMARY KEY REFERENCES agencies (id),
    position BIGINT NOT NULL,
    seal {bytes} NOT NULL
);
