-- Tasks are searched by their title as it is compared, which the release fills in, and by whom they are for.
ALTER TABLE tasks ADD COLUMN title_folded {text};
CREATE INDEX tasks_by_assignee ON tasks (location_id, assigned_to, due_at, id) WHERE assigned_to IS NOT NULL;

-- Tasks that come again. `next_at` is when to look at one, and is NULL once it has ended; times until `followed_until` have come.
CREATE TABLE recurring_tasks (
    location_id {text} NOT NULL REFERENCES locations (id),
    id {text} NOT NULL,
    title {text} NOT NULL,
    description {text},
    contact_id {text} NOT NULL,
    assigned_to {text},
    unit {text} NOT NULL,
    every BIGINT NOT NULL,
    start_at BIGINT NOT NULL,
    end_at BIGINT,
    day_of_month BIGINT,
    day_of_week {text},
    month_of_year BIGINT,
    most BIGINT,
    comes_if_overdue BOOLEAN NOT NULL,
    due_after BIGINT NOT NULL,
    next_at BIGINT,
    followed_until BIGINT,
    made BIGINT NOT NULL,
    passes_over_next BOOLEAN NOT NULL,
    last_task_id {text},
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (location_id, id),
    FOREIGN KEY (location_id, contact_id) REFERENCES contacts (location_id, id)
);

CREATE INDEX recurring_tasks_due ON recurring_tasks (next_at, location_id) WHERE next_at IS NOT NULL;
CREATE INDEX recurring_tasks_by_contact ON recurring_tasks (location_id, contact_id);
