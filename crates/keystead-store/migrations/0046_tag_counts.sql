-- How many contacts have a tag, without those in the trash: kept with every change of a contact's tags.
ALTER TABLE tags ADD COLUMN contacts BIGINT NOT NULL DEFAULT 0;

UPDATE tags SET contacts = (
    SELECT count(*) FROM contact_tags t JOIN contacts c ON c.location_id = t.location_id AND c.id = t.contact_id
    WHERE t.location_id = tags.location_id AND t.name = tags.name AND c.trashed_at IS NULL);
