-- Whether somebody ended the old secret of a rotation before its time. It stays known, so that whoever still holds it is
-- told, and a clock that goes back does not bring it back.
ALTER TABLE api_keys ADD COLUMN previous_ended BOOLEAN NOT NULL DEFAULT FALSE;
