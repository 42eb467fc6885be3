CREATE TABLE notes (
    location_id {text} NOT NULL,
    contact_id {text} NOT NULL,
    id {text} NOT NULL,
    body {text} NOT NULL,
    title {text},
    color {text},
    pinned BOOLEAN NOT NULL,
    user_id {text},
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (location_id, contact_id, id),
    FOREIGN KEY (location_id, contact_id) REFERENCES contacts (location_id, id)
);

CREATE TABLE tasks (
    location_id {text} NOT NULL,
    contact_id {text} NOT NULL,
    id {text} NOT NULL,
    title {text} NOT NULL,
    body {text},
    due_at BIGINT NOT NULL,
    completed BOOLEAN NOT NULL,
    assigned_to {text},
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (location_id, contact_id, id),
    FOREIGN KEY (location_id, contact_id) REFERENCES contacts (location_id, id)
);

CREATE INDEX tasks_by_due ON tasks (location_id, due_at, id);
