-- What was taken of a row but for a part of it, such as a phone number of somebody else, is told like what was refused.
ALTER TABLE refused_rows RENAME TO problem_rows;
ALTER TABLE problem_rows ADD COLUMN is_refused BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE imports ADD COLUMN incomplete BIGINT NOT NULL DEFAULT 0;
