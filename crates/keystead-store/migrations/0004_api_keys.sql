CREATE TABLE api_keys (
    id {text} PRIMARY KEY,
    kind {text} NOT NULL,
    agency_id {text} NOT NULL REFERENCES agencies (id),
    location_id {text} REFERENCES locations (id),
    name {text} NOT NULL,
    name_lower {text} NOT NULL,
    description {text},
    scopes {text} NOT NULL,
    allowed_locations {text},
    allowed_ips {text} NOT NULL,
    rate_limit BIGINT,
    expires_at BIGINT,
    state {text} NOT NULL,
    state_at BIGINT,
    state_by_kind {text},
    state_by_id {text},
    delete_reason {text},
    deleted_while_active BOOLEAN,
    restore_until BIGINT,
    created_by_kind {text} NOT NULL,
    created_by_id {text},
    created_at BIGINT NOT NULL,
    secret_hash {bytes},
    secret_pepper_version BIGINT NOT NULL,
    secret_last_four {text} NOT NULL,
    secret_created_at BIGINT NOT NULL,
    secret_used_at BIGINT,
    previous_hash {bytes},
    previous_pepper_version BIGINT,
    previous_last_four {text},
    previous_created_at BIGINT,
    previous_used_at BIGINT,
    previous_retires_at BIGINT,
    exposed_at BIGINT,
    last_used_at BIGINT,
    last_used_ip {text},
    last_used_agent {text},
    last_used_endpoint {text},
    active_at BIGINT NOT NULL,
    stage BIGINT NOT NULL,
    deletes_at BIGINT NOT NULL,
    ladder_since BIGINT NOT NULL,
    held BOOLEAN NOT NULL,
    version BIGINT NOT NULL
);

CREATE INDEX api_keys_by_agency ON api_keys (agency_id, created_at, id);
CREATE INDEX api_keys_by_location ON api_keys (location_id, created_at, id);

-- The one place that says since when a key is idle and when it is deleted. The stored ladder (stage, deletes_at) counts
-- only for the idle_since that it was written for; 7779600000 ms are 90 days and one hour.
CREATE VIEW api_key_lives AS
SELECT
    id,
    idle_since,
    CASE WHEN ladder_since = idle_since THEN stage ELSE 0 END AS stage,
    CASE WHEN ladder_since = idle_since THEN deletes_at ELSE idle_since + 7779600000 END AS deletes_at
FROM (
    SELECT
        k.id,
        k.stage,
        k.deletes_at,
        k.ladder_since,
        (
            SELECT max(candidate.instant)
            FROM (
                SELECT k.active_at AS instant
                UNION ALL SELECT a.resumed_at
                UNION ALL SELECT COALESCE(l.resumed_at, 0)
                UNION ALL SELECT c.clock_floor
            ) AS candidate
        ) AS idle_since
    FROM api_keys k
    JOIN agencies a ON a.id = k.agency_id
    LEFT JOIN locations l ON l.id = k.location_id
    CROSS JOIN service_clock c
) AS key_activity;
