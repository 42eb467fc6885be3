//! What is done to an opportunity from its card or its page: moved, ended, deleted.

use axum::{extract::State, response::Response};
use keystead_core::{Error, error::Noun};
use keystead_model::{
    OpportunityId, StageId,
    opportunity::{Opportunity, OpportunityPatch, Status},
    scope::Scope,
};

use super::{SECTION, url, wanted};
use crate::{
    Web,
    ask::Ask,
    failure::Failure,
    flash::{Done, lead, lead_on},
    place::Here,
};

/// Where something is moved to: into a stage, or to its end.
enum To {
    Stage(StageId),
    Status(Status),
}

impl To {
    fn parse(text: &str) -> Option<Self> {
        Status::parse(text).map(Self::Status).or_else(|| StageId::parse(text).ok().map(Self::Stage))
    }

    fn patch(&self) -> OpportunityPatch {
        match self {
            Self::Stage(stage) => OpportunityPatch { stage: Some(*stage), ..OpportunityPatch::default() },
            Self::Status(status) => OpportunityPatch { status: Some(*status), ..OpportunityPatch::default() },
        }
    }

    /// Where it was before it was moved so.
    fn before(&self, opportunity: &Opportunity) -> String {
        match self {
            Self::Stage(_) => opportunity.content.stage.to_string(),
            Self::Status(_) => opportunity.content.status.as_str().to_owned(),
        }
    }
}

/// Moves one to a stage of its pipeline, or says that it is won, lost, abandoned or open again.
pub(crate) async fn move_to(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    here.authority().require(Scope::OpportunitiesWrite)?;
    let (context, before) = wanted(&web, &here).await?;
    let before = before.opportunity;
    let text = here.visitor.param("to");
    let to = To::parse(text).ok_or_else(|| Error::NotFound(Noun::Pipeline, text.to_owned()))?;
    let pipeline = web.app.get_pipeline(&context, before.content.pipeline).await?;
    let reached = match &to {
        To::Stage(stage) => pipeline.stage(*stage).map(|stage| stage.name.as_str()),
        To::Status(status) => Some(status.as_str()),
    };
    let reached = reached.ok_or_else(|| Error::NotFound(Noun::Pipeline, text.to_owned()))?;
    let after = web.app.update_opportunity(&context, before.id, None, None, to.patch()).await?.opportunity;
    let done = match &to {
        To::Stage(_) => Done::OpportunityMoved,
        To::Status(Status::Open) => Done::OpportunityOpened,
        To::Status(Status::Won) => Done::OpportunityWon,
        To::Status(Status::Lost) => Done::OpportunityLost,
        To::Status(Status::Abandoned) => Done::OpportunityAbandoned,
    };
    // Why it was lost is forgotten when it is not lost any more, and would not come back.
    let is_undone = before.content.lost_reason.is_none() || after.content.lost_reason.is_some();
    let undo = if is_undone { format!("{}/move/{}", before.id, to.before(&before)) } else { String::new() };
    Ok(lead_on(&web, &back(&here, after.id), done, [after.content.name.as_str(), reached], &undo))
}

/// The page that it was moved on: the board or list, at its card, or its own.
fn back(here: &Here, id: OpportunityId) -> String {
    match here.came_from("/opportunities") {
        Some(board) => format!("{board}#o-{id}"),
        None => url(here, id),
    }
}

fn question(here: &Here, opportunity: &Opportunity) -> Ask {
    let sentences = vec![
        "It is deleted for good, with what stands in its custom fields; its contact stays. Its history stays in the audit log."
            .to_owned(),
        "An opportunity that came to nothing can be marked lost or abandoned instead: then it still counts in reports."
            .to_owned(),
    ];
    let name = opportunity.content.name.as_str();
    Ask::to_delete(here, SECTION, (name, "Delete opportunity"), sentences, url(here, opportunity.id))
}

pub(crate) async fn delete_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    here.authority().require(Scope::OpportunitiesWrite)?;
    let (_, whole) = wanted(&web, &here).await?;
    Ok(question(&here, &whole.opportunity).shown())
}

pub(crate) async fn delete(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    here.authority().require(Scope::OpportunitiesWrite)?;
    let (context, whole) = wanted(&web, &here).await?;
    let opportunity = whole.opportunity;
    let done = |()| {
        let name = opportunity.content.name.as_str();
        lead(&web, &here.url("/opportunities"), Done::OpportunityDeleted, name)
    };
    question(&here, &opportunity).answered(web.app.delete_opportunity(&context, opportunity.id, None), done).await
}
