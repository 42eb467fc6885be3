-- The audit log's rows become events: what changed stands in those of data, too, with what they belong to and why they happened.
-- What was written before has its number for an id.
ALTER TABLE audit_rows RENAME TO events;
ALTER TABLE events ADD COLUMN event_id {text};
ALTER TABLE events ADD COLUMN contact_id {text};
ALTER TABLE events ADD COLUMN root {text};
ALTER TABLE events ADD COLUMN depth BIGINT NOT NULL DEFAULT 0;

DROP INDEX audit_rows_by_agency;
DROP INDEX audit_rows_by_subject;
DROP INDEX audit_rows_by_position;
DROP INDEX audit_rows_to_seal;
CREATE INDEX events_by_agency ON events (agency_id, id);
CREATE INDEX events_by_subject ON events (subject, id);
CREATE INDEX events_by_contact ON events (contact_id, id) WHERE contact_id IS NOT NULL;
CREATE INDEX events_to_seal ON events (agency_id, id) WHERE chained AND position IS NULL;
CREATE UNIQUE INDEX events_by_position ON events (agency_id, position) WHERE position IS NOT NULL;
-- Those who poll read these two in order, each from where they stood.
CREATE INDEX events_of_data ON events (location_id, id) WHERE NOT chained;
CREATE INDEX events_sealed_in ON events (location_id, position) WHERE position IS NOT NULL;
