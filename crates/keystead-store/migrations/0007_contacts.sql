CREATE TABLE contacts (
    location_id {text} NOT NULL REFERENCES locations (id),
    id {text} NOT NULL,
    first_name {text},
    last_name {text},
    email {text},
    phone {text},
    company_name {text},
    address1 {text},
    city {text},
    region {text},
    postal_code {text},
    country {text},
    website {text},
    timezone {text},
    gender {text},
    source {text},
    date_of_birth {text},
    assigned_to {text},
    dnd BOOLEAN NOT NULL,
    dnd_settings {text},
    inbound_dnd {text},
    additional_emails {text},
    additional_phones {text},
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    trashed_at BIGINT,
    PRIMARY KEY (location_id, id)
);

CREATE INDEX contacts_by_creation ON contacts (location_id, created_at, id) WHERE trashed_at IS NULL;
CREATE INDEX contacts_by_update ON contacts (location_id, updated_at, id) WHERE trashed_at IS NULL;
CREATE INDEX contacts_in_trash ON contacts (trashed_at) WHERE trashed_at IS NOT NULL;

-- What makes a contact unique. Rows stand here only for locations that forbid duplicates.
CREATE TABLE contact_identities (
    location_id {text} NOT NULL,
    kind {text} NOT NULL,
    value {text} NOT NULL,
    contact_id {text} NOT NULL,
    PRIMARY KEY (location_id, kind, value),
    FOREIGN KEY (location_id, contact_id) REFERENCES contacts (location_id, id)
);

CREATE INDEX contact_identities_by_contact ON contact_identities (location_id, contact_id);

-- The number of contacts of a location is the sum of its slots: one row would make every writer wait for it.
CREATE TABLE contact_counts (
    location_id {text} NOT NULL,
    slot BIGINT NOT NULL,
    contacts BIGINT NOT NULL,
    PRIMARY KEY (location_id, slot)
);

-- Words that a contact is found by. A search is a range of this index for each word.
CREATE TABLE contact_terms (
    location_id {text} NOT NULL,
    term {text} NOT NULL,
    contact_id {text} NOT NULL,
    PRIMARY KEY (location_id, term, contact_id)
);

CREATE INDEX contact_terms_by_contact ON contact_terms (location_id, contact_id);

CREATE TABLE tags (
    location_id {text} NOT NULL REFERENCES locations (id),
    id {text} NOT NULL,
    name {text} NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (location_id, id),
    UNIQUE (location_id, name)
);

CREATE TABLE contact_tags (
    location_id {text} NOT NULL,
    contact_id {text} NOT NULL,
    position BIGINT NOT NULL,
    name {text} NOT NULL,
    PRIMARY KEY (location_id, contact_id, position),
    UNIQUE (location_id, contact_id, name),
    FOREIGN KEY (location_id, contact_id) REFERENCES contacts (location_id, id)
);

CREATE INDEX contact_tags_by_name ON contact_tags (location_id, name, contact_id);
