-- With which keys an agency signs in the contract's way: each follows from a version of the instance secret. An agency without any has
-- the first, of the oldest version. Those that there were are of all versions that there are.
CREATE TABLE webhook_signing_keys (
    agency_id {text} NOT NULL REFERENCES agencies (id),
    version BIGINT NOT NULL,
    secret_version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (agency_id, version)
);

INSERT INTO webhook_signing_keys (agency_id, version, secret_version, created_at)
SELECT a.id, s.version, s.version, a.created_at FROM agencies a CROSS JOIN instance_secrets s;
