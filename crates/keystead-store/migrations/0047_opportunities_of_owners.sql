-- Lists of an owner are counted with the places that are asked for, too: these stand in the index, so that no row has to be read.
DROP INDEX opportunities_by_owner_creation;
DROP INDEX opportunities_by_owner_update;
CREATE INDEX opportunities_by_owner_creation
    ON opportunities (location_id, assigned_to, created_at, id, status, stage_id, pipeline_id) WHERE trashed_at IS NULL;
CREATE INDEX opportunities_by_owner_update
    ON opportunities (location_id, assigned_to, updated_at, id, status, stage_id, pipeline_id) WHERE trashed_at IS NULL;
