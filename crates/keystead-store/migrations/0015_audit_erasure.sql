-- Rows of which what was personal is erased. A later row of the chain says which, and what they say since.
ALTER TABLE audit_rows ADD COLUMN erased BOOLEAN NOT NULL DEFAULT FALSE;
