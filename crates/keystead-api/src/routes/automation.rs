//! Routes of what automates and what comes by itself: workflows, campaigns, links,
//! recurring tasks, forms, surveys, templates.

use keystead_model::{
    campaign::{Campaign, CampaignContent, CampaignPatch},
    form::{AsForm, AsSurvey, Form, FormContent, FormPatch},
    link::{Link, LinkPatch},
    recurring_task::{NewRecurringTask, RecurringTask, RecurringTaskPatch},
    scope::Scope,
    template::{NewTemplate, Template, TemplatePatch},
    workflow::{Workflow, WorkflowContent, WorkflowPatch},
};

use crate::{
    resources,
    route::{Face, Route, Table},
    shape::{EmptyString, One},
    v1, v2,
};

pub(super) fn v2_routes() -> Vec<Route> {
    use v2::{
        campaigns, clicks, files, forms, links, recurring_tasks, submissions, succeeded::Succeeded, tasks, templates,
        workflows,
    };
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
        .location("POST /links", "Create a trigger link", Scope::LinksWrite, 201, links::create)
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
        .location("PUT /links/{linkId}", "Update a trigger link", Scope::LinksWrite, 201, links::update)
        .if_match::<Link>()
        .location(
            "DELETE /links/{linkId}",
            "Delete a trigger link",
            Scope::LinksWrite,
            201,
            resources::delete::<Link, Succeeded>,
        )
        .if_match::<Link>()
        .location(
            "GET /links/{linkId}/clicks",
            "List the clicks on a trigger link, newest first",
            Scope::LinksRead,
            200,
            clicks::list,
        )
        .location(
            "GET /links/{linkId}/clicks/csv",
            "Get the clicks on a trigger link as a CSV file, newest first",
            Scope::LinksRead,
            200,
            clicks::csv,
        )
        .location(
            "POST /links/{linkId}/clicks/{clickId}/classify",
            "Say who made a click: a person or a program",
            Scope::LinksWrite,
            200,
            clicks::classify,
        )
        .location("GET /links/{linkId}/stats", "Get how a trigger link has fared", Scope::LinksRead, 200, clicks::stats)
        .location(
            "GET /links/{linkId}/tokens",
            "List the personal links of contacts, newest first",
            Scope::LinksRead,
            200,
            clicks::list_tokens,
        )
        .location(
            "POST /links/{linkId}/tokens",
            "Make a personal link for a contact, whose address is shown once",
            Scope::LinksWrite,
            201,
            clicks::mint,
        )
        .location(
            "DELETE /links/{linkId}/tokens/{tokenId}",
            "End a personal link: who opens it is led on, and is nobody",
            Scope::LinksWrite,
            200,
            clicks::revoke,
        )
        .location("GET /forms", "List forms", Scope::FormsRead, 200, forms::list::<AsForm>)
        .location(
            "POST /forms",
            "Create a form",
            Scope::FormsWrite,
            201,
            resources::create::<Form<AsForm>, FormContent, One<Form<AsForm>>>,
        )
        .location(
            "GET /forms/submissions",
            "List what was submitted to forms",
            Scope::FormsRead,
            200,
            submissions::list::<AsForm>,
        )
        .location(
            "GET /forms/{formId}",
            "Get a form with its definition",
            Scope::FormsRead,
            200,
            resources::get::<Form<AsForm>, One<Form<AsForm>>>,
        )
        .location(
            "PUT /forms/{formId}",
            "Update a form",
            Scope::FormsWrite,
            200,
            resources::update::<Form<AsForm>, FormPatch, One<Form<AsForm>>>,
        )
        .if_match::<Form<AsForm>>()
        .location(
            "DELETE /forms/{formId}",
            "Delete a form; what was submitted to it stays",
            Scope::FormsWrite,
            200,
            resources::delete::<Form<AsForm>, Succeeded>,
        )
        .if_match::<Form<AsForm>>()
        .location(
            "POST /forms/{formId}/publish",
            "Let others see a form as it is",
            Scope::FormsWrite,
            200,
            forms::publish,
        )
        .if_match::<Form<AsForm>>()
        .location(
            "POST /forms/{formId}/unpublish",
            "Take a form away from others",
            Scope::FormsWrite,
            200,
            forms::unpublish,
        )
        .if_match::<Form<AsForm>>()
        .location(
            "GET /forms/{formId}/versions",
            "List what was published of a form",
            Scope::FormsRead,
            200,
            forms::versions,
        )
        .location(
            "POST /forms/{formId}/versions/{version}/restore",
            "Make the draft of a form what a version was",
            Scope::FormsWrite,
            200,
            forms::restore,
        )
        .if_match::<Form<AsForm>>()
        .location(
            "POST /forms/{formId}/submissions",
            "Submit answers to a form, for the contact that they tell of",
            Scope::FormsWrite,
            201,
            submissions::create::<AsForm>,
        )
        .location(
            "GET /forms/{formId}/submissions/{submissionId}",
            "Get a submission to a form",
            Scope::FormsRead,
            200,
            submissions::get::<AsForm>,
        )
        .location(
            "GET /forms/{formId}/submissions/{submissionId}/files/{fileId}",
            "Read a file that came with a submission",
            Scope::FormsRead,
            200,
            files::download_answer::<AsForm>,
        )
        .location(
            "POST /forms/{formId}/submissions/{submissionId}/accept",
            "Let a submission count that is held for review",
            Scope::FormsWrite,
            200,
            submissions::accept,
        )
        .location(
            "POST /forms/{formId}/submissions/{submissionId}/discard",
            "Put a submission away that is held for review",
            Scope::FormsWrite,
            200,
            submissions::discard,
        )
        .location("GET /surveys", "List surveys", Scope::SurveysRead, 200, forms::list::<AsSurvey>)
        .location(
            "POST /surveys",
            "Create a survey",
            Scope::SurveysWrite,
            201,
            resources::create::<Form<AsSurvey>, FormContent, One<Form<AsSurvey>>>,
        )
        .location(
            "GET /surveys/submissions",
            "List what was submitted to surveys",
            Scope::SurveysRead,
            200,
            submissions::list::<AsSurvey>,
        )
        .location(
            "GET /surveys/{surveyId}",
            "Get a survey with its definition",
            Scope::SurveysRead,
            200,
            resources::get::<Form<AsSurvey>, One<Form<AsSurvey>>>,
        )
        .location(
            "PUT /surveys/{surveyId}",
            "Update a survey",
            Scope::SurveysWrite,
            200,
            resources::update::<Form<AsSurvey>, FormPatch, One<Form<AsSurvey>>>,
        )
        .if_match::<Form<AsSurvey>>()
        .location(
            "DELETE /surveys/{surveyId}",
            "Delete a survey; what was submitted to it stays",
            Scope::SurveysWrite,
            200,
            resources::delete::<Form<AsSurvey>, Succeeded>,
        )
        .if_match::<Form<AsSurvey>>()
        .location(
            "POST /surveys/{surveyId}/submissions",
            "Submit answers to a survey, for the contact that they tell of",
            Scope::SurveysWrite,
            201,
            submissions::create::<AsSurvey>,
        )
        .location(
            "GET /surveys/{surveyId}/submissions/{submissionId}",
            "Get a submission to a survey",
            Scope::SurveysRead,
            200,
            submissions::get::<AsSurvey>,
        )
        .location(
            "GET /surveys/{surveyId}/submissions/{submissionId}/files/{fileId}",
            "Read a file that came with a submission to a survey",
            Scope::SurveysRead,
            200,
            files::download_answer::<AsSurvey>,
        )
        .location(
            "GET /locations/{locationId}/templates",
            "List the templates of a location",
            Scope::TemplatesRead,
            200,
            templates::list,
        )
        .location(
            "POST /locations/{locationId}/templates",
            "Create a template",
            Scope::TemplatesWrite,
            201,
            resources::create::<Template, NewTemplate, One<Template>>,
        )
        .location(
            "GET /locations/{locationId}/templates/{templateId}",
            "Get a template",
            Scope::TemplatesRead,
            200,
            resources::get::<Template, One<Template>>,
        )
        .location(
            "PUT /locations/{locationId}/templates/{templateId}",
            "Update a template",
            Scope::TemplatesWrite,
            200,
            resources::update::<Template, TemplatePatch, One<Template>>,
        )
        .if_match::<Template>()
        .location(
            "DELETE /locations/{locationId}/templates/{templateId}",
            "Delete a template",
            Scope::TemplatesWrite,
            200,
            resources::delete::<Template, Succeeded>,
        )
        .if_match::<Template>()
        .rows()
}

pub(super) fn v1_routes() -> Vec<Route> {
    use v1::{forms, workflows};
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
            resources::create::<Link, LinkPatch, Link>,
        )
        .location(
            "PUT /v1/links/{linkId}",
            "Update a trigger link",
            Scope::LinksWrite,
            200,
            resources::update::<Link, LinkPatch, Link>,
        )
        .location(
            "DELETE /v1/links/{linkId}",
            "Delete a trigger link",
            Scope::LinksWrite,
            200,
            resources::delete::<Link, EmptyString>,
        )
        .location("GET /v1/forms", "List the forms of the location", Scope::FormsRead, 200, forms::list::<AsForm>)
        .location(
            "GET /v1/forms/submissions",
            "List what was submitted to forms",
            Scope::FormsRead,
            200,
            forms::list_submissions::<AsForm>,
        )
        .location(
            "GET /v1/surveys",
            "List the surveys of the location",
            Scope::SurveysRead,
            200,
            forms::list::<AsSurvey>,
        )
        .location(
            "GET /v1/surveys/submissions",
            "List what was submitted to surveys",
            Scope::SurveysRead,
            200,
            forms::list_submissions::<AsSurvey>,
        )
        .rows()
}
