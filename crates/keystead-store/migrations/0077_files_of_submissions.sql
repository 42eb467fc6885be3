-- What somebody whom we do not know sends is bounded by the day, and what was held for review goes at an instant of its own.
ALTER TABLE files ADD COLUMN goes_at BIGINT;
CREATE INDEX files_of_strangers ON files (location_id, created_at) WHERE owner_kind = 'submission';
CREATE INDEX files_that_go ON files (goes_at) WHERE goes_at IS NOT NULL;
