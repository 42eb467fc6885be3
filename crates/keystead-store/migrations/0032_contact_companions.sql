-- The business that a contact works for, and the users who follow what becomes of it.
ALTER TABLE contacts ADD COLUMN business_id {text};
ALTER TABLE contacts ADD COLUMN followers {text};

CREATE INDEX contacts_by_business ON contacts (location_id, business_id, id) WHERE business_id IS NOT NULL;
