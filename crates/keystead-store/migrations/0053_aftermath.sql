-- What follows from a change in many rows, and is written in portions by jobs that have the same ids.

-- Contacts that show something else since a tag of theirs was renamed or deleted, or their business was deleted, some hundred in a
-- row: their time of change has yet to follow, and a row is gone once it has.
CREATE TABLE ripples (
    location_id {text} NOT NULL REFERENCES locations (id),
    id {text} NOT NULL,
    number BIGINT NOT NULL,
    contacts {text} NOT NULL,
    PRIMARY KEY (location_id, id, number)
);

-- Users who are deleted and may still be named by what was theirs, and how far that was looked through: which location, which noun
-- in it, and the last thing of that.
CREATE TABLE departures (
    user_id {text} PRIMARY KEY,
    agency_id {text} NOT NULL,
    place {text},
    noun {text} NOT NULL,
    after_id {text} NOT NULL
);

-- Those who were deleted before are named, too.
INSERT INTO departures (user_id, agency_id, noun, after_id)
    SELECT id, agency_id, 'contacts', '' FROM users WHERE deleted_at IS NOT NULL;
INSERT INTO jobs (id, kind, owner_id, attempts, unsettled, due_at, created_at)
    SELECT id, 'aftermath', agency_id, 0, 0, deleted_at, deleted_at FROM users WHERE deleted_at IS NOT NULL;
