-- When a try last failed: what was sent before then says nothing of when the receiver wants to be tried again.
ALTER TABLE webhook_endpoints ADD COLUMN failed_at BIGINT;
