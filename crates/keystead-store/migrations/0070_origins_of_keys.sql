-- Sites whose pages may use a key, separated by spaces. Few keys have some: what answers browsers is read by the index alone.
ALTER TABLE api_keys ADD COLUMN allowed_origins {text} NOT NULL DEFAULT '';
CREATE INDEX api_keys_of_browsers ON api_keys (allowed_origins) WHERE allowed_origins <> '';
