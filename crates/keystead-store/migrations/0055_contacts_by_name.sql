-- Contacts in the order of their names, as names are compared. Those without one stand in the index, too: they come last.
CREATE INDEX contacts_by_first_name ON contacts (location_id, first_name_folded, id) WHERE trashed_at IS NULL;
CREATE INDEX contacts_by_last_name ON contacts (location_id, last_name_folded, id) WHERE trashed_at IS NULL;
