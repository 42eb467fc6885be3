//! Routes of opportunities, and of the pipelines that they go through.

use keystead_model::{
    opportunity::Opportunity,
    pipeline::{LostReason, Pipeline},
    scope::Scope,
};

use crate::{
    route::{Face, Route, Table},
    v1, v2,
};

pub(super) fn v2_routes() -> Vec<Route> {
    use v2::{opportunities, pipelines};
    Table::new(Face::V2)
        .location("GET /opportunities/pipelines", "List pipelines", Scope::OpportunitiesRead, 200, pipelines::list)
        .location(
            "POST /opportunities/pipelines",
            "Create a pipeline with its stages",
            Scope::OpportunitiesWrite,
            201,
            pipelines::create,
        )
        .location(
            "GET /opportunities/pipelines/{pipelineId}",
            "Get a pipeline",
            Scope::OpportunitiesRead,
            200,
            pipelines::get,
        )
        .location(
            "PUT /opportunities/pipelines/{pipelineId}",
            "Update a pipeline; stages are replaced by those that are sent",
            Scope::OpportunitiesWrite,
            200,
            pipelines::update,
        )
        .if_match::<Pipeline>()
        .location(
            "DELETE /opportunities/pipelines/{pipelineId}",
            "Delete a pipeline that no opportunity is in",
            Scope::OpportunitiesWrite,
            200,
            pipelines::delete,
        )
        .if_match::<Pipeline>()
        .location(
            "GET /opportunities/lost-reason",
            "List the reasons for which opportunities are lost",
            Scope::OpportunitiesRead,
            200,
            pipelines::list_lost_reasons,
        )
        .location(
            "POST /opportunities/lost-reason",
            "Create a lost reason",
            Scope::OpportunitiesWrite,
            201,
            pipelines::create_lost_reason,
        )
        .location(
            "PUT /opportunities/lost-reason/{lostReasonId}",
            "Rename a lost reason",
            Scope::OpportunitiesWrite,
            200,
            pipelines::rename_lost_reason,
        )
        .if_match::<LostReason>()
        .location(
            "DELETE /opportunities/lost-reason/{lostReasonId}",
            "Delete a lost reason, which stays with what was lost because of it",
            Scope::OpportunitiesWrite,
            200,
            pipelines::delete_lost_reason,
        )
        .if_match::<LostReason>()
        .location(
            "GET /opportunities/search",
            "List opportunities, or find them by what the query says",
            Scope::OpportunitiesRead,
            200,
            opportunities::list,
        )
        .location(
            "POST /opportunities/search",
            "Find opportunities by what the body says",
            Scope::OpportunitiesRead,
            200,
            opportunities::search,
        )
        .location("POST /opportunities", "Create an opportunity", Scope::OpportunitiesWrite, 201, opportunities::create)
        .location(
            "POST /opportunities/upsert",
            "Create an opportunity, or update the one that the contact has in the pipeline",
            Scope::OpportunitiesWrite,
            200,
            opportunities::upsert,
        )
        .location(
            "GET /opportunities/{opportunityId}",
            "Get an opportunity",
            Scope::OpportunitiesRead,
            200,
            opportunities::get,
        )
        .location(
            "PUT /opportunities/{opportunityId}",
            "Update an opportunity",
            Scope::OpportunitiesWrite,
            200,
            opportunities::update,
        )
        .if_match::<Opportunity>()
        .location(
            "DELETE /opportunities/{opportunityId}",
            "Delete an opportunity",
            Scope::OpportunitiesWrite,
            200,
            opportunities::delete,
        )
        .if_match::<Opportunity>()
        .location(
            "PUT /opportunities/{opportunityId}/status",
            "Say how an opportunity stands",
            Scope::OpportunitiesWrite,
            200,
            opportunities::set_status,
        )
        .if_match::<Opportunity>()
        .location(
            "POST /opportunities/{opportunityId}/followers",
            "Add followers to an opportunity",
            Scope::OpportunitiesWrite,
            201,
            opportunities::add_followers,
        )
        .location(
            "DELETE /opportunities/{opportunityId}/followers",
            "Remove followers from an opportunity",
            Scope::OpportunitiesWrite,
            200,
            opportunities::remove_followers,
        )
        .rows()
}

pub(super) fn v1_routes() -> Vec<Route> {
    use v1::opportunities;
    Table::new(Face::V1)
        .location(
            "GET /v1/pipelines",
            "List the pipelines of the location",
            Scope::OpportunitiesRead,
            200,
            opportunities::pipelines,
        )
        .location(
            "GET /v1/pipelines/{pipelineId}/opportunities",
            "List the opportunities in a pipeline",
            Scope::OpportunitiesRead,
            200,
            opportunities::list,
        )
        .location(
            "POST /v1/pipelines/{pipelineId}/opportunities",
            "Create an opportunity, with its contact if that is new",
            Scope::OpportunitiesWrite,
            200,
            opportunities::create,
        )
        .location(
            "GET /v1/pipelines/{pipelineId}/opportunities/{opportunityId}",
            "Get an opportunity",
            Scope::OpportunitiesRead,
            200,
            opportunities::get,
        )
        .location(
            "PUT /v1/pipelines/{pipelineId}/opportunities/{opportunityId}",
            "Update an opportunity",
            Scope::OpportunitiesWrite,
            200,
            opportunities::update,
        )
        .location(
            "DELETE /v1/pipelines/{pipelineId}/opportunities/{opportunityId}",
            "Delete an opportunity",
            Scope::OpportunitiesWrite,
            200,
            opportunities::delete,
        )
        .location(
            "PUT /v1/pipelines/{pipelineId}/opportunities/{opportunityId}/status",
            "Say how an opportunity stands, and in which stage",
            Scope::OpportunitiesWrite,
            200,
            opportunities::set_status,
        )
        .rows()
}
