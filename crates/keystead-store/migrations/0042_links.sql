-- Addresses of ours that lead to one of somebody else's. The folded name is how it is searched.
CREATE TABLE links (
    location_id {text} NOT NULL REFERENCES locations (id),
    id {text} NOT NULL,
    name {text} NOT NULL,
    name_folded {text} NOT NULL,
    redirect_to {text} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (location_id, id)
);
