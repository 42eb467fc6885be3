//! The opportunities of a location: as a board, as a list, and one of them.

mod board;
mod change;
mod edit;
mod list;
mod show;
mod view;

use axum::{extract::State, response::Response};
use keystead_core::{Error, LocationContext, WholeOpportunity, error::Noun};
use keystead_model::{
    OpportunityId, UtcMs,
    contact::Contact,
    opportunity::{Opportunity, Status},
    scope::Scope,
};

pub(crate) use self::{
    change::{delete, delete_form, move_to},
    edit::{create, new, update},
    list::VIEWED,
    show::show,
};
use crate::{
    Web, contacts,
    failure::Failure,
    list::Asked,
    place::Here,
    show::{amount, initials, since},
};
pub(crate) use edit::{Whom, whom};

/// What the pages are called in the navigation.
const SECTION: &str = "opportunities";

/// The opportunities, as a board or as a list.
pub(crate) async fn index(web: State<Web>, asked: Asked, here: Here) -> Result<Response, Failure> {
    if view::is_list(&asked) { list::list(web, asked, here).await } else { board::board(web, asked, here).await }
}

/// The one that an address names.
async fn wanted(web: &Web, here: &Here) -> Result<(LocationContext, WholeOpportunity), Error> {
    let context = here.enter(web).await?;
    let id: OpportunityId = here.id(Noun::Opportunity)?;
    let whole = web.app.get_opportunity(&context, id, None).await?;
    Ok((context, whole))
}

fn may_write(here: &Here) -> bool {
    here.authority().grant().allows(Scope::OpportunitiesWrite)
}

/// Its page.
pub(crate) fn url(here: &Here, id: OpportunityId) -> String {
    here.url(&format!("/opportunities/{id}"))
}

/// Somebody who works on something, for where there is little room.
struct Owner {
    name: String,
    initials: String,
}

/// An opportunity among others.
struct Card {
    id: OpportunityId,
    status: Status,
    url: String,
    name: String,
    contact: String,
    contact_url: Option<String>,
    value: String,
    /// How long it has been in its stage.
    since: String,
    since_exactly: String,
    owner: Option<Owner>,
}

/// What is shown of many.
struct Cards<'c> {
    here: &'c Here,
    names: &'c std::collections::HashMap<keystead_model::UserId, String>,
    now: UtcMs,
}

impl Cards<'_> {
    fn card(&self, Opportunity { id, content, stage_changed_at, .. }: &Opportunity, contact: &Contact) -> Card {
        let sees_contacts = self.here.authority().grant().allows(Scope::ContactsRead);
        let owner = content.assigned_to.and_then(|user| self.names.get(&user));
        Card {
            id: *id,
            status: content.status,
            url: url(self.here, *id),
            name: content.name.as_str().to_owned(),
            contact: contacts::name(contact),
            contact_url: sees_contacts.then(|| self.here.url(&format!("/contacts/{}", contact.id))),
            value: amount(&content.value.to_string()),
            since: since(*stage_changed_at, self.now),
            since_exactly: self.here.zone().exactly(*stage_changed_at),
            owner: owner.map(|name| Owner { name: name.clone(), initials: initials(name) }),
        }
    }
}
