-- What was sent under an id, by a digest: another body under the same one is told so. What is without one was sent to a release before.
ALTER TABLE inbound_receipts ADD COLUMN body_digest {bytes};
