//! Pipelines of a location, and their stages.

use std::collections::HashMap;

use keystead_model::{
    LocationId, PipelineId, UtcMs,
    pipeline::{ColorRenderMode, Pipeline, PipelineContent, Stage},
};

use crate::{Error, Result, Row, Tx, filter::Filter, table::Table};

const COLUMNS: &str = "id, location_id, name, show_in_funnel, show_in_pie_chart, color_render_mode,
    use_opportunity_probability, created_at, updated_at";

static PIPELINES: Table = Table::new("pipelines", &["location_id", "id"]).keeping(&["created_at"]);
static STAGES: Table = Table::new("pipeline_stages", &["location_id", "id"]).keeping(&["pipeline_id"]);

/// Without its stages.
fn read(row: &mut Row<'_>) -> Result<Pipeline> {
    Ok(Pipeline {
        id: row.column()?,
        location: row.column()?,
        content: PipelineContent {
            name: row.column()?,
            show_in_funnel: row.column()?,
            show_in_pie_chart: row.column()?,
            color_render_mode: ColorRenderMode::parse(&row.column::<String>()?)
                .ok_or_else(|| Error::unreadable("how a pipeline's colours are drawn"))?,
            use_opportunity_probability: row.column()?,
        },
        stages: Vec::new(),
        created_at: row.column()?,
        updated_at: row.column()?,
    })
}

/// Adds a pipeline or replaces it with all its stages.
pub fn save(tx: &mut Tx<'_>, pipeline: &Pipeline) -> Result<()> {
    let Pipeline { id, location, content, stages, created_at, updated_at } = pipeline;
    let PipelineContent { name, show_in_funnel, show_in_pie_chart, color_render_mode, use_opportunity_probability } =
        content;
    PIPELINES.save(
        tx,
        &[
            ("location_id", location),
            ("id", id),
            ("name", name),
            ("show_in_funnel", show_in_funnel),
            ("show_in_pie_chart", show_in_pie_chart),
            ("color_render_mode", &color_render_mode.as_str()),
            ("use_opportunity_probability", use_opportunity_probability),
            ("created_at", created_at),
            ("updated_at", updated_at),
        ],
    )?;
    tx.execute("DELETE FROM pipeline_stages WHERE location_id = ?1 AND pipeline_id = ?2", &[location, id])?;
    for (position, Stage { id: stage, name, probability }) in (0i64..).zip(stages) {
        STAGES.insert(
            tx,
            &[
                ("location_id", location),
                ("id", stage),
                ("pipeline_id", id),
                ("position", &position),
                ("name", name),
                ("probability", probability),
            ],
        )?;
    }
    Ok(())
}

/// One of them.
pub fn find(tx: &mut Tx<'_>, location: LocationId, id: PipelineId) -> Result<Option<Pipeline>> {
    Ok(find_all(tx, location, &[id])?.pop())
}

/// These, the oldest first.
pub fn find_all(tx: &mut Tx<'_>, location: LocationId, ids: &[PipelineId]) -> Result<Vec<Pipeline>> {
    let mut filter = Filter::new();
    filter.and("location_id = @", &[&location]);
    filter.and_one_of("id", ids);
    let mut pipelines = named(tx, &filter)?;
    let mut filter = Filter::new();
    filter.and("location_id = @", &[&location]);
    filter.and_one_of("pipeline_id", ids);
    add_stages(tx, &filter, &mut pipelines)?;
    Ok(pipelines)
}

/// All of a location, the oldest first.
pub fn list(tx: &mut Tx<'_>, location: LocationId) -> Result<Vec<Pipeline>> {
    let mut filter = Filter::new();
    filter.and("location_id = @", &[&location]);
    let mut pipelines = named(tx, &filter)?;
    add_stages(tx, &filter, &mut pipelines)?;
    Ok(pipelines)
}

fn named(tx: &mut Tx<'_>, filter: &Filter<'_>) -> Result<Vec<Pipeline>> {
    tx.query(&format!("SELECT {COLUMNS} FROM pipelines WHERE {} ORDER BY id", filter.sql()), &filter.values(), read)
}

fn add_stages(tx: &mut Tx<'_>, filter: &Filter<'_>, pipelines: &mut [Pipeline]) -> Result<()> {
    let sql = format!(
        "SELECT pipeline_id, id, name, probability FROM pipeline_stages WHERE {} ORDER BY pipeline_id, position",
        filter.sql()
    );
    let mut stages: HashMap<PipelineId, Vec<Stage>> = HashMap::new();
    for (pipeline, stage) in tx.query(&sql, &filter.values(), |row| {
        let pipeline = row.column()?;
        Ok((pipeline, Stage { id: row.column()?, name: row.column()?, probability: row.column()? }))
    })? {
        stages.entry(pipeline).or_default().push(stage);
    }
    for pipeline in pipelines {
        pipeline.stages = stages.remove(&pipeline.id).unwrap_or_default();
    }
    Ok(())
}

/// How many a location has.
pub fn count(tx: &mut Tx<'_>, location: LocationId) -> Result<i64> {
    let sql = "SELECT CAST(count(*) AS BIGINT) FROM pipelines WHERE location_id = ?1";
    tx.query_one(sql, &[&location], |row| row.column())
}

/// Deletes one with its stages.
pub fn delete(tx: &mut Tx<'_>, location: LocationId, id: PipelineId) -> Result<()> {
    tx.execute("DELETE FROM pipeline_stages WHERE location_id = ?1 AND pipeline_id = ?2", &[&location, &id])?;
    tx.execute("DELETE FROM pipelines WHERE location_id = ?1 AND id = ?2", &[&location, &id])?;
    Ok(())
}

/// Gives each location that has none its first pipeline.
pub(crate) fn give_first(tx: &mut Tx<'_>) -> Result<()> {
    let sql = "SELECT l.id, l.created_at FROM locations l
               WHERE NOT EXISTS (SELECT 1 FROM pipelines p WHERE p.location_id = l.id)";
    let without: Vec<(LocationId, UtcMs)> = tx.query(sql, &[], |row| Ok((row.column()?, row.column()?)))?;
    without.into_iter().try_for_each(|(location, at)| save(tx, &Pipeline::first(location, at)))
}
