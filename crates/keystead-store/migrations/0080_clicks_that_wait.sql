-- Clicks on a link that are still looked at, asked where it leads only so many people on.
CREATE INDEX clicks_that_wait ON clicks (location_id, link_id) WHERE judged_next IS NOT NULL;
