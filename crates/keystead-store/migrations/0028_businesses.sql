-- The companies that contacts work for.
CREATE TABLE businesses (
    location_id {text} NOT NULL REFERENCES locations (id),
    id {text} NOT NULL,
    name {text} NOT NULL,
    phone {text},
    email {text},
    website {text},
    address {text},
    city {text},
    region {text},
    postal_code {text},
    country {text},
    description {text},
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (location_id, id)
);
