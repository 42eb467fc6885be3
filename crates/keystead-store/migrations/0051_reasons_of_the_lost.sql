-- Only what is lost has a reason for it.
UPDATE opportunities SET lost_reason_id = NULL WHERE lost_reason_id IS NOT NULL AND status <> 'lost';
