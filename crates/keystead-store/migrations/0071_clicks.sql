-- A link has an address of its own, and says how long it leads anywhere and what a click starts. `humans` are the clicks of people.
ALTER TABLE links ADD COLUMN slug {text} NOT NULL DEFAULT '';
ALTER TABLE links ADD COLUMN status {text} NOT NULL DEFAULT 'active';
ALTER TABLE links ADD COLUMN expires_at BIGINT;
ALTER TABLE links ADD COLUMN max_clicks BIGINT;
ALTER TABLE links ADD COLUMN fallback_url {text};
ALTER TABLE links ADD COLUMN confirm BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE links ADD COLUMN fire {text} NOT NULL DEFAULT 'first_per_contact';
ALTER TABLE links ADD COLUMN humans BIGINT NOT NULL DEFAULT 0;
UPDATE links SET slug = lower(id);

-- Whose address it is: one table for all locations, since an address names none.
CREATE TABLE link_slugs (
    slug {text} PRIMARY KEY,
    location_id {text} NOT NULL REFERENCES locations (id),
    link_id {text} NOT NULL
);

CREATE UNIQUE INDEX link_slugs_of_links ON link_slugs (location_id, link_id);
INSERT INTO link_slugs (slug, location_id, link_id) SELECT slug, location_id, id FROM links;

-- Links of one contact each: what stands at their end is known by its digest alone.
CREATE TABLE link_tokens (
    location_id {text} NOT NULL REFERENCES locations (id),
    id {text} NOT NULL,
    digest {bytes} NOT NULL,
    link_id {text} NOT NULL,
    contact_id {text} NOT NULL,
    source {text} NOT NULL,
    created_at BIGINT NOT NULL,
    handed_over_at BIGINT,
    revoked_at BIGINT,
    PRIMARY KEY (location_id, id)
);

CREATE UNIQUE INDEX link_tokens_by_digest ON link_tokens (digest);
CREATE INDEX link_tokens_of_links ON link_tokens (location_id, link_id, id);
CREATE INDEX link_tokens_of_contacts ON link_tokens (location_id, contact_id, id);

-- Each time that a link was opened: what the request said of who made it, where it came from, cut short, and what was made of it.
-- `source_key` stands for the whole address for a day, `agent` is kept for a month.
CREATE TABLE clicks (
    location_id {text} NOT NULL REFERENCES locations (id),
    id {text} NOT NULL,
    link_id {text} NOT NULL,
    contact_id {text},
    token_id {text},
    at BIGINT NOT NULL,
    is_opening BOOLEAN NOT NULL,
    is_encrypted BOOLEAN NOT NULL,
    agent {text},
    device {text} NOT NULL,
    has_language BOOLEAN NOT NULL,
    has_brands BOOLEAN NOT NULL,
    fetch_mode {text},
    fetch_dest {text},
    chromium BIGINT,
    after_message_ms BIGINT,
    network {text} NOT NULL,
    source_key {text},
    referrer {text},
    judged_next BIGINT,
    verdict {text},
    reasons {text} NOT NULL,
    classified_by {text},
    fired_at BIGINT,
    PRIMARY KEY (location_id, id)
);

CREATE INDEX clicks_of_links ON clicks (location_id, link_id, id);
CREATE INDEX clicks_of_contacts ON clicks (location_id, contact_id, at) WHERE contact_id IS NOT NULL;
CREATE INDEX clicks_of_sources ON clicks (location_id, source_key, at) WHERE source_key IS NOT NULL;
CREATE INDEX clicks_to_judge ON clicks (judged_next) WHERE judged_next IS NOT NULL;
CREATE INDEX clicks_with_agents ON clicks (at) WHERE agent IS NOT NULL;
CREATE INDEX clicks_of_chromium ON clicks (location_id, chromium) WHERE verdict = 'human';

-- When a link last started something for a contact.
CREATE TABLE link_fires (
    location_id {text} NOT NULL REFERENCES locations (id),
    link_id {text} NOT NULL,
    contact_id {text} NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (location_id, link_id, contact_id)
);

CREATE INDEX link_fires_of_contacts ON link_fires (location_id, contact_id);

-- Links that are deleted and whose clicks are not, which are many and go some at a time.
CREATE TABLE gone_links (
    location_id {text} NOT NULL REFERENCES locations (id),
    link_id {text} NOT NULL,
    PRIMARY KEY (location_id, link_id)
);
