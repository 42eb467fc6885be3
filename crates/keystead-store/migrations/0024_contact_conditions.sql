-- Whether a contact has a term is asked beside the index of a list's order, so the term stands in this index, too.
DROP INDEX contact_terms_by_contact;
CREATE INDEX contact_terms_by_contact ON contact_terms (location_id, contact_id, term);

-- What people call a contact by, as texts are compared. Filled by the release, which knows how that is.
ALTER TABLE contacts ADD COLUMN first_name_folded {text};
ALTER TABLE contacts ADD COLUMN last_name_folded {text};
ALTER TABLE contacts ADD COLUMN company_name_folded {text};
ALTER TABLE contacts ADD COLUMN city_folded {text};
ALTER TABLE contacts ADD COLUMN region_folded {text};
ALTER TABLE contacts ADD COLUMN source_folded {text};
