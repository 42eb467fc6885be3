-- What others see of a form: a version of it, by its number; `slug` is that of this version.
ALTER TABLE forms ADD COLUMN published BIGINT;
ALTER TABLE forms ADD COLUMN versions BIGINT NOT NULL DEFAULT 0;
ALTER TABLE forms ADD COLUMN slug {text};
CREATE UNIQUE INDEX forms_by_id ON forms (id);
CREATE UNIQUE INDEX forms_by_slug ON forms (location_id, slug) WHERE slug IS NOT NULL;

ALTER TABLE surveys ADD COLUMN published BIGINT;
ALTER TABLE surveys ADD COLUMN versions BIGINT NOT NULL DEFAULT 0;
ALTER TABLE surveys ADD COLUMN slug {text};

-- They stay when their form is deleted: submissions are read by what was asked.
CREATE TABLE form_versions (
    location_id {text} NOT NULL REFERENCES locations (id),
    form_id {text} NOT NULL,
    number BIGINT NOT NULL,
    name {text} NOT NULL,
    definition {text} NOT NULL,
    published_by {text} NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (location_id, form_id, number)
);

-- `sender` is where somebody whom we do not know was, and `identity` by what they are told apart.
ALTER TABLE submissions ADD COLUMN version BIGINT;
ALTER TABLE submissions ADD COLUMN state {text} NOT NULL DEFAULT 'taken';
ALTER TABLE submissions ADD COLUMN handling {text} NOT NULL DEFAULT '{}';
ALTER TABLE submissions ADD COLUMN sender {text};
ALTER TABLE submissions ADD COLUMN identity {text};

-- The same is one submission for a while only. Writes of a location wait for each other, so no index has to forbid the second.
DROP INDEX submissions_once;
CREATE INDEX submissions_same ON submissions (location_id, form_id, digest);
CREATE INDEX submissions_by_identity ON submissions (location_id, identity, created_at) WHERE identity IS NOT NULL;
