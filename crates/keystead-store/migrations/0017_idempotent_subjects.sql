-- What a request made or changed, so that a repeat of one whose answer was lost can be told.
ALTER TABLE idempotent_requests ADD COLUMN subject {text} NOT NULL DEFAULT '';
