-- What is in the trash of a location, by when it was put there.
CREATE INDEX contacts_in_trash_by_location ON contacts (location_id, trashed_at, id) WHERE trashed_at IS NOT NULL;
