-- What waits for its seal is found by agency, without a look at the whole log.
DROP INDEX audit_rows_unsealed;
CREATE INDEX audit_rows_to_seal ON audit_rows (agency_id, id) WHERE chained AND position IS NULL;

-- Keys are counted from the index alone.
CREATE INDEX api_keys_by_owner ON api_keys (agency_id, state, location_id);
