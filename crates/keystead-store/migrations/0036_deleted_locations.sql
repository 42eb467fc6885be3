-- A deleted location has the state 'deleted', so that its keys are refused and nothing happens to them, as while it is suspended.
-- Until `restore_until`, by the service clock, it can be brought back as it was (`deleted_from`).
ALTER TABLE locations ADD COLUMN deleted_at BIGINT;
ALTER TABLE locations ADD COLUMN deleted_from {text};
ALTER TABLE locations ADD COLUMN restore_until BIGINT;
CREATE INDEX locations_to_purge ON locations (restore_until, id) WHERE state = 'deleted';
