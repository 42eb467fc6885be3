-- When a job was first taken: what waited long for somebody to take it was not tried for long.
ALTER TABLE jobs ADD COLUMN begun_at BIGINT;
UPDATE jobs SET begun_at = created_at WHERE attempts > 0;
