-- What a form holds, asked by the notices of that.
CREATE INDEX submissions_held ON submissions (location_id, form_id, created_at) WHERE state = 'held';
