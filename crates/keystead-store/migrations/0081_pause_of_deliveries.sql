-- Since when nothing is sent to webhooks: in a database that was restored or copied until its operator says so, since the other one
-- may have sent what waits here, or may be sending it still.
ALTER TABLE instance ADD COLUMN deliveries_paused_at BIGINT;
