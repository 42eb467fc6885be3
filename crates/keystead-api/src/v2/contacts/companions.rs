//! Who follows a contact, which contacts work for a business, and two that are one.

use keystead_core::{Error, FollowersChanged, LocationContext};
use keystead_model::{
    BusinessId, ContactId, UserId,
    condition::{Condition, Op, Test, Value},
    contact::{Contact, ContactCursor, ContactFilter, MAX_FOLLOWERS},
    contact_field::ContactField,
    page::Window,
    search::{Asked, asked},
};

use super::shapes::Listed;
use crate::{
    call::Call,
    reader::Reader,
    shape::{Bare, Fields, Input, One, Written},
    v2::by_time::FURTHEST,
    v2::samples,
};

/// Users.
pub(crate) struct Followers(Vec<UserId>);

impl Input for Followers {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.required("followers", |reader| reader.words("followers", MAX_FOLLOWERS)).map(Self)
    }
}

pub(crate) async fn add_followers(
    context: LocationContext,
    call: Call<ContactId, Bare, Followers>,
) -> Result<FollowersAdded, Error> {
    call.app.add_contact_followers(&context, call.path, call.body.0).await.map(FollowersAdded)
}

pub(crate) async fn remove_followers(
    context: LocationContext,
    call: Call<ContactId, Bare, Followers>,
) -> Result<FollowersRemoved, Error> {
    call.app.remove_contact_followers(&context, call.path, call.body.0).await.map(FollowersRemoved)
}

fn sample() -> FollowersChanged {
    let followers = samples::contact().profile.followers;
    FollowersChanged { changed: followers.clone(), followers }
}

/// The followers of a contact after some were added.
pub(crate) struct FollowersAdded(FollowersChanged);

impl Written for FollowersAdded {
    fn sample() -> Self {
        Self(sample())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("followers", &self.0.followers);
        fields.put("followersAdded", &self.0.changed);
    }
}

/// The same after some were taken away.
pub(crate) struct FollowersRemoved(FollowersChanged);

impl Written for FollowersRemoved {
    fn sample() -> Self {
        Self(sample())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("followers", &self.0.followers);
        fields.put("followersRemoved", &self.0.changed);
    }
}

/// The contact that becomes a part of another.
pub(crate) struct Merged(ContactId);

impl Input for Merged {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.required("from", |reader| reader.word("from")).map(Self)
    }
}

pub(crate) async fn merge(
    context: LocationContext,
    call: Call<ContactId, Bare, Merged>,
) -> Result<One<Contact>, Error> {
    call.app.merge_contacts(&context, call.path, call.body.0).await.map(One)
}

/// Which of the contacts of a business.
pub(crate) struct OfBusiness {
    words: Option<Vec<Asked>>,
    window: Window<ContactCursor>,
}

impl Input for OfBusiness {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        let limit = query.integer("limit", 1..=100).unwrap_or(25);
        let page = query.integer("page", 1..=1_000_000).unwrap_or(1);
        let skip = query.integer("skip", 0..=i64::MAX).unwrap_or((page - 1) * limit);
        if skip > FURTHEST {
            query.violate("skip", format!("must not pass over more than {FURTHEST} contacts; add a query"));
        }
        let words: Option<String> = query.word("query");
        let words = words.map(|words| asked(&words, query.ground().country()));
        Some(Self { words, window: Window::skip(skip, limit) })
    }
}

/// A business that is not there has none.
pub(crate) async fn of_business(
    context: LocationContext,
    call: Call<BusinessId, OfBusiness>,
) -> Result<ContactsOfBusiness, Error> {
    let OfBusiness { words, window } = call.query;
    let op = Op::Eq(Value::Code(call.path.to_string()));
    let condition = Condition::Test(Test { field: ContactField::Business, op });
    let filter = ContactFilter { search: words, condition, ..ContactFilter::default() };
    let found = call.app.list_contacts(&context, filter, window).await?;
    Ok(ContactsOfBusiness { contacts: found.page.map(Listed).rows, count: found.total })
}

/// Some contacts, and how many there are.
pub(crate) struct ContactsOfBusiness {
    contacts: Vec<Listed>,
    count: i64,
}

impl Written for ContactsOfBusiness {
    fn sample() -> Self {
        Self { contacts: vec![Listed::sample()], count: 1 }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("contacts", &self.contacts);
        fields.put("count", &self.count);
    }
}
