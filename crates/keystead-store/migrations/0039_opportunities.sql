-- What contacts may buy. Those of a contact in the trash are in it, too.
CREATE TABLE opportunities (
    location_id {text} NOT NULL REFERENCES locations (id),
    id {text} NOT NULL,
    contact_id {text} NOT NULL,
    pipeline_id {text} NOT NULL,
    stage_id {text} NOT NULL,
    status {text} NOT NULL,
    name {text} NOT NULL,
    value {text} NOT NULL,
    assigned_to {text},
    source {text},
    lost_reason_id {text},
    followers {text},
    close_date {text},
    probability BIGINT,
    original_close_date {text},
    slip_count BIGINT NOT NULL,
    slipped_at BIGINT,
    status_changed_at BIGINT NOT NULL,
    stage_changed_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    trashed_at BIGINT,
    PRIMARY KEY (location_id, id),
    FOREIGN KEY (location_id, contact_id) REFERENCES contacts (location_id, id)
);

CREATE INDEX opportunities_by_creation ON opportunities (location_id, created_at, id) WHERE trashed_at IS NULL;
CREATE INDEX opportunities_by_update ON opportunities (location_id, updated_at, id) WHERE trashed_at IS NULL;
-- A list of stages or of statuses is put together from one range for each stage and status.
CREATE INDEX opportunities_by_stage_creation ON opportunities (location_id, stage_id, status, created_at, id)
    WHERE trashed_at IS NULL;
CREATE INDEX opportunities_by_stage_update ON opportunities (location_id, stage_id, status, updated_at, id)
    WHERE trashed_at IS NULL;
CREATE INDEX opportunities_by_owner_creation ON opportunities (location_id, assigned_to, created_at, id)
    WHERE trashed_at IS NULL;
CREATE INDEX opportunities_by_owner_update ON opportunities (location_id, assigned_to, updated_at, id)
    WHERE trashed_at IS NULL;
-- Also of those in the trash, which goes with the contact.
CREATE INDEX opportunities_by_contact ON opportunities (location_id, contact_id, created_at, id);

-- How many stand in a stage in which way, and what they are worth together, in billionths: of all, of those that have a
-- probability of their own, and of these each times that probability. What is in the trash does not count.
CREATE TABLE opportunity_totals (
    location_id {text} NOT NULL,
    stage_id {text} NOT NULL,
    status {text} NOT NULL,
    pipeline_id {text} NOT NULL,
    opportunities BIGINT NOT NULL,
    nanos {text} NOT NULL,
    own_nanos {text} NOT NULL,
    own_weighted {text} NOT NULL,
    PRIMARY KEY (location_id, stage_id, status)
);

-- Words that an opportunity is found by, besides those of its contact.
CREATE TABLE opportunity_terms (
    location_id {text} NOT NULL,
    term {text} NOT NULL,
    opportunity_id {text} NOT NULL,
    PRIMARY KEY (location_id, term, opportunity_id)
);

CREATE INDEX opportunity_terms_by_opportunity ON opportunity_terms (location_id, opportunity_id, term);
