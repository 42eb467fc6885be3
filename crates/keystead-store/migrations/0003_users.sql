CREATE TABLE users (
    id {text} PRIMARY KEY,
    agency_id {text} NOT NULL REFERENCES agencies (id),
    email {text} NOT NULL,
    email_lower {text} NOT NULL UNIQUE,
    first_name {text},
    last_name {text},
    role {text} NOT NULL,
    is_operator BOOLEAN NOT NULL,
    disabled BOOLEAN NOT NULL,
    password_hash {text},
    created_at BIGINT NOT NULL
);

CREATE INDEX users_by_agency ON users (agency_id, email_lower);

CREATE TABLE user_locations (
    user_id {text} NOT NULL REFERENCES users (id),
    location_id {text} NOT NULL REFERENCES locations (id),
    PRIMARY KEY (user_id, location_id)
);

CREATE TABLE sessions (
    token_hash {bytes} PRIMARY KEY,
    user_id {text} NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    signed_in_at BIGINT NOT NULL,
    ip {text},
    user_agent {text}
);

CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_age ON sessions (created_at);

CREATE TABLE invitations (
    token_hash {bytes} PRIMARY KEY,
    id {text} NOT NULL UNIQUE,
    agency_id {text} NOT NULL REFERENCES agencies (id),
    email {text} NOT NULL,
    email_lower {text} NOT NULL,
    first_name {text},
    last_name {text},
    role {text} NOT NULL,
    location_ids {text} NOT NULL,
    invited_by_kind {text} NOT NULL,
    invited_by_id {text},
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX invitations_by_agency ON invitations (agency_id, email_lower);
