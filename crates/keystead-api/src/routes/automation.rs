//! Routes of what automates and what comes by itself: workflows, campaigns, links, recurring tasks.

use keystead_model::{
    campaign::{Campaign, CampaignContent, CampaignPatch},
    link::{Link, LinkContent},
    recurring_task::{NewRecurringTask, RecurringTask, RecurringTaskPatch},
    scope::Scope,
    workflow::{Workflow, WorkflowContent, WorkflowPatch},
};

use crate::{
    resources,
    route::{Face, Route, Table},
    shape::{EmptyString, One},
    v1, v2,
};

pub(super) fn v2_routes() -> Vec<Route> {
    use v2::{campaigns, links, recurring_tasks, succeeded::Succeeded, tasks, workflows};
    Table::new(Face::V2)
        .location(
            "POST /locations/{locationId}/tasks/search",
            "Search the tasks of a location",
            Scope::TasksRead,
            200,
            tasks::search,
        )
        .location(
            "GET /locations/{locationId}/recurring-tasks",
            "List the recurring tasks of a location",
            Scope::TasksRead,
            200,
            resources::list::<RecurringTask, RecurringTask>,
        )
        .location(
            "POST /locations/{locationId}/recurring-tasks",
            "Create a recurring task",
            Scope::TasksWrite,
            201,
            resources::create::<RecurringTask, NewRecurringTask, One<RecurringTask>>,
        )
        .location(
            "GET /locations/{locationId}/recurring-tasks/{recurringTaskId}",
            "Get a recurring task",
            Scope::TasksRead,
            200,
            resources::get::<RecurringTask, One<RecurringTask>>,
        )
        .location(
            "PUT /locations/{locationId}/recurring-tasks/{recurringTaskId}",
            "Update a recurring task; a new rule counts from now on",
            Scope::TasksWrite,
            200,
            resources::update::<RecurringTask, RecurringTaskPatch, One<RecurringTask>>,
        )
        .if_match::<RecurringTask>()
        .location(
            "DELETE /locations/{locationId}/recurring-tasks/{recurringTaskId}",
            "Delete a recurring task; tasks that it has made stay",
            Scope::TasksWrite,
            200,
            recurring_tasks::delete,
        )
        .if_match::<RecurringTask>()
        .location("GET /workflows", "List workflows", Scope::WorkflowsRead, 200, workflows::list)
        .location(
            "POST /workflows",
            "Create a workflow, as a draft",
            Scope::WorkflowsWrite,
            201,
            resources::create::<Workflow, WorkflowContent, One<Workflow>>,
        )
        .location(
            "GET /workflows/{workflowId}",
            "Get a workflow with its definition",
            Scope::WorkflowsRead,
            200,
            resources::get::<Workflow, One<Workflow>>,
        )
        .location(
            "PUT /workflows/{workflowId}",
            "Update a workflow",
            Scope::WorkflowsWrite,
            200,
            resources::update::<Workflow, WorkflowPatch, One<Workflow>>,
        )
        .if_match::<Workflow>()
        .location(
            "DELETE /workflows/{workflowId}",
            "Delete a workflow",
            Scope::WorkflowsWrite,
            200,
            resources::delete::<Workflow, Succeeded>,
        )
        .if_match::<Workflow>()
        .location("GET /campaigns", "List campaigns", Scope::CampaignsRead, 200, campaigns::list)
        .location(
            "POST /campaigns",
            "Create a campaign",
            Scope::CampaignsWrite,
            201,
            resources::create::<Campaign, CampaignContent, One<Campaign>>,
        )
        .location(
            "GET /campaigns/{campaignId}",
            "Get a campaign",
            Scope::CampaignsRead,
            200,
            resources::get::<Campaign, One<Campaign>>,
        )
        .location(
            "PUT /campaigns/{campaignId}",
            "Update a campaign",
            Scope::CampaignsWrite,
            200,
            resources::update::<Campaign, CampaignPatch, One<Campaign>>,
        )
        .if_match::<Campaign>()
        .location(
            "DELETE /campaigns/{campaignId}",
            "Delete a campaign",
            Scope::CampaignsWrite,
            200,
            resources::delete::<Campaign, Succeeded>,
        )
        .if_match::<Campaign>()
        .location("GET /links", "List trigger links", Scope::LinksRead, 200, resources::list::<Link, Link>)
        .location(
            "POST /links",
            "Create a trigger link",
            Scope::LinksWrite,
            201,
            resources::create::<Link, LinkContent, One<Link>>,
        )
        .location(
            "GET /links/search",
            "Find trigger links by a part of their name",
            Scope::LinksRead,
            200,
            links::search,
        )
        .location(
            "GET /links/id/{linkId}",
            "Get a trigger link",
            Scope::LinksRead,
            200,
            resources::get::<Link, One<Link>>,
        )
        .location(
            "PUT /links/{linkId}",
            "Update a trigger link",
            Scope::LinksWrite,
            201,
            resources::update::<Link, LinkContent, One<Link>>,
        )
        .if_match::<Link>()
        .location(
            "DELETE /links/{linkId}",
            "Delete a trigger link",
            Scope::LinksWrite,
            201,
            resources::delete::<Link, Succeeded>,
        )
        .if_match::<Link>()
        .rows()
}

pub(super) fn v1_routes() -> Vec<Route> {
    use v1::workflows;
    Table::new(Face::V1)
        .location("GET /v1/workflows", "List the workflows of the location", Scope::WorkflowsRead, 200, workflows::list)
        .location(
            "GET /v1/campaigns",
            "List the campaigns of the location",
            Scope::CampaignsRead,
            200,
            v2::campaigns::list,
        )
        .location(
            "GET /v1/links",
            "List the trigger links of the location",
            Scope::LinksRead,
            200,
            resources::list::<Link, Link>,
        )
        .location(
            "POST /v1/links",
            "Create a trigger link",
            Scope::LinksWrite,
            200,
            resources::create::<Link, LinkContent, Link>,
        )
        .location(
            "PUT /v1/links/{linkId}",
            "Update a trigger link",
            Scope::LinksWrite,
            200,
            resources::update::<Link, LinkContent, Link>,
        )
        .location(
            "DELETE /v1/links/{linkId}",
            "Delete a trigger link",
            Scope::LinksWrite,
            200,
            resources::delete::<Link, EmptyString>,
        )
        .rows()
}
