-- The zone in which somebody is shown times; of whoever has chosen none it is their browser's.
ALTER TABLE users ADD COLUMN time_zone {text};
