-- Every e-mail address and phone number of a contact, also where duplicates are allowed. `sharer` is '' where no other
-- contact may have it, so that the key lets only one in, and else the contact's own id. Filled by the release, which knows how
-- addresses are compared.
DROP TABLE contact_identities;

CREATE TABLE contact_identities (
    location_id {text} NOT NULL,
    kind {text} NOT NULL,
    value {text} NOT NULL,
    sharer {text} NOT NULL,
    contact_id {text} NOT NULL,
    PRIMARY KEY (location_id, kind, value, sharer),
    FOREIGN KEY (location_id, contact_id) REFERENCES contacts (location_id, id)
);

CREATE INDEX contact_identities_by_contact ON contact_identities (location_id, contact_id);
