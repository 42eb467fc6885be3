CREATE TABLE agencies (
    id {text} PRIMARY KEY,
    name {text} NOT NULL,
    state {text} NOT NULL,
    resumed_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE locations (
    id {text} PRIMARY KEY,
    agency_id {text} NOT NULL REFERENCES agencies (id),
    state {text} NOT NULL,
    resumed_at BIGINT NOT NULL,
    name {text} NOT NULL,
    name_lower {text} NOT NULL,
    country {text} NOT NULL,
    timezone {text} NOT NULL,
    phone {text},
    email {text},
    email_lower {text},
    address {text},
    city {text},
    region {text},
    postal_code {text},
    website {text},
    domain {text},
    logo_url {text},
    first_name {text},
    last_name {text},
    allow_duplicate_contact BOOLEAN NOT NULL,
    allow_duplicate_opportunity BOOLEAN NOT NULL,
    allow_facebook_name_merge BOOLEAN NOT NULL,
    disable_contact_timezone BOOLEAN NOT NULL,
    social {text} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE INDEX locations_by_agency ON locations (agency_id, name_lower, id);
CREATE INDEX locations_by_email ON locations (agency_id, email_lower);
