-- What an agency asks of its keys.
ALTER TABLE agencies ADD COLUMN key_longest_days BIGINT;
ALTER TABLE agencies ADD COLUMN key_default_days BIGINT;
ALTER TABLE agencies ADD COLUMN agency_keys_by {text} NOT NULL DEFAULT 'members';
ALTER TABLE agencies ADD COLUMN keys_contact {text};
