-- Requests that carried an Idempotency-Key, kept for 24 hours. The row is written with the request's effect, in its
-- transaction; status and answer follow (0 and '' until then). `answer` never holds a secret.
CREATE TABLE idempotent_requests (
    credential {text} NOT NULL,
    route {text} NOT NULL,
    idempotency_key {text} NOT NULL,
    body_hash {bytes} NOT NULL,
    request_id {text} NOT NULL,
    status BIGINT NOT NULL,
    answer {text} NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (credential, route, idempotency_key)
);

CREATE INDEX idempotent_requests_by_age ON idempotent_requests (created_at);
