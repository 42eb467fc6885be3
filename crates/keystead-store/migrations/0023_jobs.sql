-- Work that waits for its turn, one row for each thing that is to be done, named by that thing's own id. A row is gone when its
-- work is done. `due_at` is when it may be taken: for the first time, again after a failure, or when the lease ends of whoever
-- took it; a job that ran out of tries has none. `attempts` counts the takings and is the token of the last; `unsettled` counts
-- those since somebody last said what became of one.
CREATE TABLE jobs (
    id {text} PRIMARY KEY,
    kind {text} NOT NULL,
    owner_id {text} NOT NULL,
    attempts BIGINT NOT NULL,
    unsettled BIGINT NOT NULL,
    due_at BIGINT,
    created_at BIGINT NOT NULL,
    problem {text}
);

-- Owners take turns, each with what has waited longest.
CREATE INDEX jobs_by_owner ON jobs (kind, owner_id, due_at, id) WHERE due_at IS NOT NULL;
-- When there is something to do.
CREATE INDEX jobs_due ON jobs (kind, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX jobs_given_up ON jobs (created_at) WHERE due_at IS NULL;

-- Mails that wait are sent by the queue from now on.
INSERT INTO jobs (id, kind, owner_id, attempts, unsettled, due_at, created_at, problem)
    SELECT m.id, 'mail', u.agency_id, m.attempts, 0, m.next_at, m.created_at, m.problem
    FROM mails m JOIN users u ON u.id = m.user_id WHERE m.state = 'waiting';
DROP INDEX mails_waiting;
ALTER TABLE mails DROP COLUMN next_at;
