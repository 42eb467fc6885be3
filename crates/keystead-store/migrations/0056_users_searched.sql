-- What users are called, and that with their addresses and phone numbers, as searches compare it. Filled by the release, which knows
-- how that is.
ALTER TABLE users ADD COLUMN name_folded {text};
ALTER TABLE users ADD COLUMN searched {text};
