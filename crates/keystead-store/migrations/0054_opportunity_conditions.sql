-- What people call an opportunity, and where it came from, as texts are compared. Filled by the release, which knows how that is.
ALTER TABLE opportunities ADD COLUMN name_folded {text};
ALTER TABLE opportunities ADD COLUMN source_folded {text};
