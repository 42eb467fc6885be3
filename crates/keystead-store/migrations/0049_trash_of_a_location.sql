-- What is found by tags and values is counted without reading the contacts: only whether one is in the trash is looked up here.
CREATE INDEX contacts_trashed ON contacts (location_id, id) WHERE trashed_at IS NOT NULL;
