//! Pipelines: the stages that opportunities go through, and why some of them are lost.

use crate::{LocationId, LostReasonId, PipelineId, StageId, UtcMs, id::Id, location::set, text::Line};

/// Most stages of one pipeline.
pub const MAX_STAGES: usize = 100;
/// Most pipelines of one location.
pub const MAX_PIPELINES: usize = 200;

/// A pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// Its id.
    pub id: PipelineId,
    /// The location that has it.
    pub location: LocationId,
    /// What its author writes, but for the stages.
    pub content: PipelineContent,
    /// Its stages, in the order in which opportunities go through them; there is at least one.
    pub stages: Vec<Stage>,
    /// When it was made.
    pub created_at: UtcMs,
    /// When it was last changed.
    pub updated_at: UtcMs,
}

/// The part of a pipeline that its author writes, but for the stages.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the wire contract's, one to one")]
pub struct PipelineContent {
    pub name: Line<200>,
    pub show_in_funnel: bool,
    pub show_in_pie_chart: bool,
    pub color_render_mode: ColorRenderMode,
    /// Whether an opportunity's own probability counts before that of its stage.
    pub use_opportunity_probability: bool,
}

/// A stage of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Its id.
    pub id: StageId,
    /// Its name.
    pub name: Line<200>,
    /// How many of a hundred opportunities in it are won, if somebody has said so.
    pub probability: Option<i64>,
}

/// A stage as its author writes it: one that is there, or without an id a new one.
#[derive(Clone, Debug)]
pub struct StageDraft {
    /// Which one.
    pub id: Option<StageId>,
    /// Its name.
    pub name: Line<200>,
    /// See [`Stage`].
    pub probability: Option<i64>,
}

/// How the colours of a pipeline are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ColorRenderMode {
    /// As a dot.
    #[default]
    Dot,
    /// As the background.
    BgTint,
    /// Not at all.
    None,
}

impl ColorRenderMode {
    /// The wire names.
    pub const NAMES: [&str; 3] = ["dot", "bg-tint", "none"];

    /// The wire name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dot => "dot",
            Self::BgTint => "bg-tint",
            Self::None => "none",
        }
    }

    /// Reads the wire name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Dot, Self::BgTint, Self::None].into_iter().find(|mode| mode.as_str() == text)
    }
}

/// A change of a pipeline; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of PipelineContent")]
pub struct PipelinePatch {
    pub name: Option<Line<200>>,
    pub show_in_funnel: Option<bool>,
    pub show_in_pie_chart: Option<bool>,
    pub color_render_mode: Option<ColorRenderMode>,
    pub use_opportunity_probability: Option<bool>,
    /// All stages that it has then, in their order.
    pub stages: Option<Vec<StageDraft>>,
}

impl PipelineContent {
    /// A pipeline of which only the name is known.
    pub const fn named(name: Line<200>) -> Self {
        Self {
            name,
            show_in_funnel: true,
            show_in_pie_chart: true,
            color_render_mode: ColorRenderMode::Dot,
            use_opportunity_probability: false,
        }
    }
}

impl PipelinePatch {
    /// Changes `content`; the stages, which may need ids, are answered.
    pub fn apply(self, content: &mut PipelineContent) -> Option<Vec<StageDraft>> {
        let Self { name, show_in_funnel, show_in_pie_chart, color_render_mode, use_opportunity_probability, stages } =
            self;
        set(&mut content.name, name);
        set(&mut content.show_in_funnel, show_in_funnel);
        set(&mut content.show_in_pie_chart, show_in_pie_chart);
        set(&mut content.color_render_mode, color_render_mode);
        set(&mut content.use_opportunity_probability, use_opportunity_probability);
        stages
    }
}

/// The stages of a location's first pipeline, and how many of a hundred are won from there.
const FIRST_STAGES: [(&str, i64); 4] =
    [("New lead", 10), ("Contacted", 25), ("Proposal sent", 50), ("Negotiation", 75)];

impl Pipeline {
    /// The pipeline that a location has from its beginning: clients of the wire contract cannot make one, and have no opportunities
    /// without. Its ids follow from the location's, so that whoever makes it twice makes the same.
    pub fn first(location: LocationId, created_at: UtcMs) -> Self {
        let mut bits = Bits { location, count: 0 };
        let mut fill = |pool: &mut [u8]| pool.iter_mut().for_each(|byte| *byte = bits.next() as u8);
        let id = Id::generate(created_at, &mut fill);
        let line = |text: &str| Line::from_stored(text.to_owned());
        let stages = FIRST_STAGES.map(|(name, probability)| Stage {
            id: StageId::of(Id::<Stage>::generate(created_at, &mut fill)),
            name: line(name),
            probability: Some(probability),
        });
        let content = PipelineContent::named(line("Sales"));
        Self { id, location, content, stages: stages.into(), created_at, updated_at: created_at }
    }

    /// One of its stages.
    pub fn stage(&self, id: StageId) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.id == id)
    }
}

/// Bits that follow from a location's id. They are no secret: ids let nobody in.
struct Bits {
    location: LocationId,
    count: u64,
}

impl Bits {
    fn next(&mut self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.count += 1;
        (self.location, self.count).hash(&mut hasher);
        hasher.finish()
    }
}

/// Why opportunities are lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostReason {
    /// Its id.
    pub id: LostReasonId,
    /// The location that has it.
    pub location: LocationId,
    /// Its name.
    pub name: Line<200>,
    /// When it was made.
    pub created_at: UtcMs,
    /// When it was last changed.
    pub updated_at: UtcMs,
    /// When it was deleted: it stays for what was lost because of it, and cannot be chosen any more.
    pub deleted_at: Option<UtcMs>,
}

/// Which lost reasons to list.
#[derive(Clone, Debug, Default)]
pub struct LostReasonFilter {
    /// Those whose name is this, whatever its case.
    pub name: Option<String>,
    /// Those whose name has this in it, likewise.
    pub query: Option<String>,
    /// The deleted ones instead of the others.
    pub deleted: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_pipeline_is_the_same_each_time_and_no_other_locations() {
        let location = |seed: u8| LocationId::parse(&format!("{seed:020}")).unwrap();
        let first = Pipeline::first(location(1), UtcMs(5));
        assert_eq!(first, Pipeline::first(location(1), UtcMs(5)));
        let other = Pipeline::first(location(2), UtcMs(5));
        assert_ne!(first.id, other.id);
        let mut stages: Vec<StageId> = first.stages.iter().chain(&other.stages).map(|stage| stage.id).collect();
        stages.sort_unstable();
        stages.dedup();
        assert_eq!(stages.len(), 8);
    }

    #[test]
    fn names_are_read_back() {
        for name in ColorRenderMode::NAMES {
            assert_eq!(ColorRenderMode::parse(name).map(ColorRenderMode::as_str), Some(name));
        }
    }
}
