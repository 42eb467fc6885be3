-- Requests of all keys of an agency, and of a location's own keys, by hour and class of the answer: sums of key_usage, so that a
-- report of a tenant does not read the rows of all its keys.
CREATE TABLE usage_of_agencies (
    agency_id {text} NOT NULL REFERENCES agencies (id),
    hour BIGINT NOT NULL,
    class BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    PRIMARY KEY (agency_id, hour, class)
);

CREATE TABLE usage_of_locations (
    location_id {text} NOT NULL REFERENCES locations (id),
    hour BIGINT NOT NULL,
    class BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    PRIMARY KEY (location_id, hour, class)
);

INSERT INTO usage_of_agencies (agency_id, hour, class, requests)
    SELECT k.agency_id, u.hour, u.class, CAST(sum(u.requests) AS BIGINT) FROM key_usage u JOIN api_keys k ON k.id = u.key_id
    GROUP BY k.agency_id, u.hour, u.class;
INSERT INTO usage_of_locations (location_id, hour, class, requests)
    SELECT k.location_id, u.hour, u.class, CAST(sum(u.requests) AS BIGINT) FROM key_usage u JOIN api_keys k ON k.id = u.key_id
    WHERE k.location_id IS NOT NULL GROUP BY k.location_id, u.hour, u.class;

-- Attempts that were refused: few, and looked for among all keys.
CREATE INDEX key_usage_refused ON key_usage (hour, key_id) WHERE class = 0;
-- What is still to be done, in the order in which it is due.
CREATE INDEX tasks_to_do ON tasks (location_id, due_at, id) WHERE NOT completed;
