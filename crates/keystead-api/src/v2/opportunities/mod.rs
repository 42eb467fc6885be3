//! Opportunities of API 2.0.

pub(crate) mod input;
pub(crate) mod search;
pub(crate) mod shapes;

use keystead_core::{Error, LocationContext, WholeOpportunity, Whose};
use keystead_model::{
    OpportunityId, UserId,
    opportunity::{FollowersChange, MAX_FOLLOWERS, OpportunityPatch},
    opportunity_field::OpportunityFacts,
};

use self::{
    input::{NewOpportunity, OpportunityChange, StatusChange, Upsert},
    search::{SearchBody, SearchQuery},
    shapes::{Done, FollowersAdded, FollowersRemoved, Found, Listed, Saved, Upserted},
};
use crate::{
    call::Call,
    reader::{PLACES, Reader},
    shape::{Bare, Input, One},
};

pub(crate) async fn create(context: LocationContext, call: Call<(), Bare, NewOpportunity>) -> Result<Saved, Error> {
    let NewOpportunity { contact, pipeline, patch, skipped } = call.body;
    let opportunity = call.app.create_opportunity(&context, Whose::Contact(contact), pipeline, patch).await?;
    Ok(Saved { opportunity, skipped })
}

pub(crate) async fn get(context: LocationContext, call: Call<OpportunityId>) -> Result<One<WholeOpportunity>, Error> {
    call.app.get_opportunity(&context, call.path, None).await.map(One)
}

pub(crate) async fn update(
    context: LocationContext,
    call: Call<OpportunityId, Bare, OpportunityChange>,
) -> Result<Saved, Error> {
    let OpportunityChange(patch, skipped) = call.body;
    let opportunity = call.app.update_opportunity(&context, call.path, None, None, patch).await?;
    Ok(Saved { opportunity, skipped })
}

pub(crate) async fn set_status(
    context: LocationContext,
    call: Call<OpportunityId, Bare, StatusChange>,
) -> Result<Done, Error> {
    let StatusChange { status, lost_reason } = call.body;
    let patch = OpportunityPatch { status: Some(status), lost_reason, ..OpportunityPatch::default() };
    call.app.update_opportunity(&context, call.path, None, None, patch).await?;
    Ok(Done)
}

pub(crate) async fn delete(context: LocationContext, call: Call<OpportunityId>) -> Result<Done, Error> {
    call.app.delete_opportunity(&context, call.path, None).await?;
    Ok(Done)
}

pub(crate) async fn upsert(context: LocationContext, call: Call<(), Bare, Upsert>) -> Result<Upserted, Error> {
    let Upsert { known, pipeline, patch, skipped } = call.body;
    let (opportunity, is_new) = call.app.upsert_opportunity(&context, known, pipeline, patch).await?;
    Ok(Upserted { is_new, opportunity, skipped })
}

/// Who begins to follow.
pub(crate) struct Followers(Vec<UserId>);

impl Input for Followers {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.required("followers", |reader| reader.words("followers", MAX_FOLLOWERS)).map(Self)
    }
}

/// Who ends to, if it is not all of them.
pub(crate) struct FormerFollowers(Vec<UserId>);

impl Input for FormerFollowers {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self(reader.words("followers", MAX_FOLLOWERS).unwrap_or_default()))
    }
}

/// Whether nobody follows any more.
pub(crate) struct All(bool);

impl Input for All {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        query.ignore(PLACES);
        Some(Self(query.truth("isRemoveAllFollowers").unwrap_or(false)))
    }
}

pub(crate) async fn add_followers(
    context: LocationContext,
    call: Call<OpportunityId, Bare, Followers>,
) -> Result<FollowersAdded, Error> {
    let change = FollowersChange { add: call.body.0, ..FollowersChange::default() };
    let (before, followers) = call.app.change_opportunity_followers(&context, call.path, change).await?;
    let added = followers.iter().filter(|user| !before.contains(user)).copied().collect();
    Ok(FollowersAdded { followers, added })
}

pub(crate) async fn remove_followers(
    context: LocationContext,
    call: Call<OpportunityId, All, FormerFollowers>,
) -> Result<FollowersRemoved, Error> {
    let (All(removes_all), FormerFollowers(remove)) = (call.query, call.body);
    if !removes_all && remove.is_empty() {
        return Err(Error::invalid("followers", "should not be empty"));
    }
    let change = FollowersChange { removes_all, remove, ..FollowersChange::default() };
    let (before, followers) = call.app.change_opportunity_followers(&context, call.path, change).await?;
    let removed = before.iter().filter(|user| !followers.contains(user)).copied().collect();
    Ok(FollowersRemoved { followers, removed })
}

pub(crate) async fn list(context: LocationContext, call: Call<(), SearchQuery>) -> Result<Listed, Error> {
    let asked = call.query;
    let filter = asked.filter(&call.app, &context).await?;
    let found = call.app.list_opportunities(&context, filter, asked.window(), asked.beside).await?;
    let at = format!("{}/opportunities/search?locationId={}", call.base_url, context.location());
    Ok(Listed { meta: asked.meta(&at, &found), opportunities: found.page.rows })
}

pub(crate) async fn search(context: LocationContext, call: Call<(), Bare, SearchBody>) -> Result<Found, Error> {
    let asked = call.body;
    let (filter, ordered, window) = asked.resolve(&call.app, &context).await?;
    let keys = ordered.keys.clone();
    let (found, sums) = call.app.search_opportunities(&context, filter, keys, window, asked.beside).await?;
    let row = |whole: WholeOpportunity| {
        let place = ordered.place_of(whole.opportunity.id, &OpportunityFacts(&whole.opportunity, &whole.contact));
        shapes::Row(whole, place)
    };
    Ok(Found { opportunities: found.page.map(row).rows, total: found.total, sums })
}
