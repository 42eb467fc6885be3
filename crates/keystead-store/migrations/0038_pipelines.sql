-- What opportunities go through. Each location has one from its beginning; the release gives one to those that are there.
CREATE TABLE pipelines (
    location_id {text} NOT NULL REFERENCES locations (id),
    id {text} NOT NULL,
    name {text} NOT NULL,
    show_in_funnel BOOLEAN NOT NULL,
    show_in_pie_chart BOOLEAN NOT NULL,
    color_render_mode {text} NOT NULL,
    use_opportunity_probability BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (location_id, id)
);

-- Stages in their order. An id stands once in a location, so that a stage tells its pipeline.
CREATE TABLE pipeline_stages (
    location_id {text} NOT NULL,
    id {text} NOT NULL,
    pipeline_id {text} NOT NULL,
    position BIGINT NOT NULL,
    name {text} NOT NULL,
    probability BIGINT,
    PRIMARY KEY (location_id, id),
    FOREIGN KEY (location_id, pipeline_id) REFERENCES pipelines (location_id, id)
);

CREATE INDEX pipeline_stages_by_pipeline ON pipeline_stages (location_id, pipeline_id, position);

-- Why opportunities are lost. A deleted one stays for those that were lost because of it.
CREATE TABLE lost_reasons (
    location_id {text} NOT NULL REFERENCES locations (id),
    id {text} NOT NULL,
    name {text} NOT NULL,
    name_folded {text} NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    PRIMARY KEY (location_id, id)
);
