-- What programs keep with a user. Permissions, scopes and numbers by location are JSON, which nothing here reads.
ALTER TABLE users ADD COLUMN phone {text};
ALTER TABLE users ADD COLUMN extension {text};
ALTER TABLE users ADD COLUMN platform_language {text};
ALTER TABLE users ADD COLUMN photo_url {text};
ALTER TABLE users ADD COLUMN permissions {text};
ALTER TABLE users ADD COLUMN listed_scopes {text};
ALTER TABLE users ADD COLUMN listed_scopes_of_assigned {text};
ALTER TABLE users ADD COLUMN location_phones {text};
-- A deleted user stays for the log, disabled and without a password; the address is free again.
ALTER TABLE users ADD COLUMN deleted_at BIGINT;
