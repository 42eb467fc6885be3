-- Requests of a key by hour, route and class of the answer; class 0 are attempts that were refused before they counted as
-- a use. Nodes add what they have counted, so a row is a sum.
CREATE TABLE key_usage (
    key_id {text} NOT NULL REFERENCES api_keys (id),
    hour BIGINT NOT NULL,
    endpoint {text} NOT NULL,
    class BIGINT NOT NULL,
    scope {text} NOT NULL,
    requests BIGINT NOT NULL,
    PRIMARY KEY (key_id, hour, endpoint, class)
);

CREATE INDEX key_usage_by_hour ON key_usage (hour);
