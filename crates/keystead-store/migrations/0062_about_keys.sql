-- What is said of a key besides its name, and all that a search looks into, as it compares texts. Of descriptions that are there
-- already a search finds what ASCII letters say, until their key is changed.
ALTER TABLE api_keys ADD COLUMN labels {text} NOT NULL DEFAULT '';
ALTER TABLE api_keys ADD COLUMN contact {text};
ALTER TABLE api_keys ADD COLUMN about_folded {text} NOT NULL DEFAULT '';
UPDATE api_keys SET about_folded = lower(description) WHERE description IS NOT NULL;
