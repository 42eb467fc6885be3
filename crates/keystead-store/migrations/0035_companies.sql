-- What an agency says of itself. On the wire it is a company.
ALTER TABLE agencies ADD COLUMN email {text};
ALTER TABLE agencies ADD COLUMN phone {text};
ALTER TABLE agencies ADD COLUMN website {text};
ALTER TABLE agencies ADD COLUMN domain {text};
ALTER TABLE agencies ADD COLUMN logo_url {text};
ALTER TABLE agencies ADD COLUMN address {text};
ALTER TABLE agencies ADD COLUMN city {text};
ALTER TABLE agencies ADD COLUMN region {text};
ALTER TABLE agencies ADD COLUMN postal_code {text};
ALTER TABLE agencies ADD COLUMN country {text};
ALTER TABLE agencies ADD COLUMN timezone {text};

-- Who made a business, and who changed it last; nobody knows of those that were there before.
ALTER TABLE businesses ADD COLUMN created_by {text};
ALTER TABLE businesses ADD COLUMN updated_by {text};
