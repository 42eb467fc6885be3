-- The log without what becomes of data, which is most of it.
CREATE INDEX events_of_administration ON events (agency_id, id) WHERE chained;
-- What waits for its seal is looked for by that first: else SQLite takes the index above for it, which has all of the log.
DROP INDEX events_to_seal;
CREATE INDEX events_to_seal ON events (position, agency_id, id) WHERE chained AND position IS NULL;
