//! The contacts of a location, and one of them with what belongs to them.

mod actions;
mod columns;
mod edit;
mod export;
mod list;
mod merge;
mod show;
mod trash;

use keystead_core::{Error, LocationContext, error::Noun};
use keystead_model::{
    contact::Contact,
    custom_field::{CustomField, OwnerKind},
    opportunity::Status,
};

pub(crate) use self::{
    actions::{add_note, add_task, bulk, change_tags, delete_note, finish_task, trash},
    edit::{create, edit, new, update},
    export::{everything, export_csv, export_json_lines},
    list::{VIEWED, list},
    merge::{merge, merge_form},
    show::show,
    trash::{erase, erase_form, restore, trashed},
};
use crate::{Web, place::Here};

/// Who a contact is, in words.
pub(crate) fn name(contact: &Contact) -> String {
    let profile = &contact.profile;
    let named = profile.full_name().or_else(|| profile.company_name.as_ref().map(|name| name.as_str().to_owned()));
    named.or_else(|| first_address(contact)).unwrap_or_else(|| "Nameless contact".to_owned())
}

fn first_address(contact: &Contact) -> Option<String> {
    let profile = &contact.profile;
    let email = profile.email.as_ref().map(|email| email.as_str().to_owned());
    email.or_else(|| profile.phone.as_ref().map(|phone| phone.as_str().to_owned()))
}

/// E-mail address and phone number.
pub(crate) fn addresses(contact: &Contact) -> String {
    let profile = &contact.profile;
    let email = profile.email.as_ref().map(|email| email.as_str());
    let phone = profile.phone.as_ref().map(|phone| phone.as_str());
    [email, phone].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// How an opportunity stands: class and word.
pub(crate) fn standing(status: Status) -> (&'static str, String) {
    match status {
        Status::Open => ("mid", "Open".to_owned()),
        Status::Won => ("good", "Won".to_owned()),
        Status::Lost => ("bad", "Lost".to_owned()),
        Status::Abandoned => ("off", "Abandoned".to_owned()),
    }
}

/// A contact of the place that an address names.
async fn wanted(web: &Web, here: &Here) -> Result<(LocationContext, Contact), Error> {
    let context = here.enter(web).await?;
    let contact = web.app.get_contact(&context, here.id(Noun::Contact)?).await?;
    Ok((context, contact))
}

/// The custom fields of contacts.
async fn fields_of(web: &Web, context: &LocationContext) -> Result<Vec<CustomField>, Error> {
    web.app.fields_of(context, OwnerKind::Contact).await
}
