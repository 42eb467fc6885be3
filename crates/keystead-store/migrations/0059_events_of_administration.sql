-- The log without what becomes of data, which is most of it.
CREATE INDEX events_of_administration ON events (agency_id, id) WHERE chained;
