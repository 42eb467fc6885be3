//! Users of API 1.0.

use keystead_core::{AgencyContext, Authority, Error, LocationContext, NewAccount};
use keystead_model::{
    LocationId, UserId,
    page::Window,
    text::normalized_email,
    user::{User, UserFilter, UserPatch},
};
use serde_json::{Map, Value};

use crate::{
    call::Call,
    reader::{Reader, Slice},
    shape::{Bare, EmptyString, Envelope, Fields, Input, Many, Written, word::QueriedEmail},
    v2::{
        samples,
        users::{LIST_LIMIT, Permissions, Roles, change, new_account, without_sign_in},
    },
};

/// A user of API 1.0.
pub(crate) struct Shape(User);

impl Envelope for Shape {
    const ONE: &'static str = "user";
    const MANY: &'static str = "users";
}

impl Written for Shape {
    const NAME: &'static str = "User";

    fn sample() -> Self {
        Self(samples::user())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self(user) = self;
        fields.put("id", &user.id);
        fields.put("name", &user.display_name());
        fields.opt("firstName", user.first_name.as_ref());
        fields.opt("lastName", user.last_name.as_ref());
        fields.put("email", &user.email);
        fields.opt("phone", user.profile.phone.as_ref());
        fields.opt("extension", user.profile.extension.as_ref());
        fields.put("roles", &Roles(user.clone()));
        fields.put("permissions", &Permissions(user.profile.permissions.clone()));
    }
}

/// A new user. Without a password they sign in once the operator has set one.
pub(crate) struct NewUser(NewAccount);

impl Input for NewUser {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        new_account(reader, false).map(Self)
    }
}

/// A change of one.
pub(crate) struct UserChange(UserPatch);

impl Input for UserChange {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self(change(reader)))
    }

    fn settle(example: &mut Map<String, Value>) {
        without_sign_in(example);
    }
}

/// The users of a location, or of all that the key reaches.
pub(crate) struct List {
    location: Option<LocationId>,
    slice: Slice,
}

impl Input for List {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        Some(Self { location: query.word("locationId"), slice: query.slice() })
    }

    fn settle(example: &mut Map<String, Value>) {
        example.remove("locationId");
    }
}

pub(crate) async fn list(authority: Authority, call: Call<(), List>) -> Result<Many<Shape>, Error> {
    let List { location, slice } = call.query;
    let filter = UserFilter { location, ..UserFilter::default() };
    let (users, _) = call.app.search_users(&authority, filter, slice.at_most(LIST_LIMIT).window()).await?;
    Ok(Many(users.into_iter().map(Shape).collect()))
}

pub(crate) async fn of_location(context: LocationContext, call: Call<(), Slice>) -> Result<Many<Shape>, Error> {
    let filter = UserFilter { location: Some(context.location()), ..UserFilter::default() };
    let window = call.query.at_most(LIST_LIMIT).window();
    let (users, _) = call.app.search_users(context.authority(), filter, window).await?;
    Ok(Many(users.into_iter().map(Shape).collect()))
}

/// The address of a user.
pub(crate) struct Email(String);

impl Input for Email {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        query.required("email", |query| query.word("email")).map(|QueriedEmail(email)| Self(normalized_email(&email)))
    }
}

pub(crate) async fn lookup(context: AgencyContext, call: Call<(), Email>) -> Result<Shape, Error> {
    let filter = UserFilter { emails: Some(vec![call.query.0]), ..UserFilter::default() };
    let (users, _) = call.app.search_users(context.authority(), filter, Window::first(1)).await?;
    users.into_iter().next().map(Shape).ok_or_else(|| Error::invalid("email", "matches no user"))
}

pub(crate) async fn create(context: AgencyContext, call: Call<(), Bare, NewUser>) -> Result<Shape, Error> {
    call.app.create_user(context.authority(), call.body.0).await.map(Shape)
}

pub(crate) async fn get(context: AgencyContext, call: Call<UserId>) -> Result<Shape, Error> {
    call.app.get_user(context.authority(), call.path).await.map(Shape)
}

pub(crate) async fn update(context: AgencyContext, call: Call<UserId, Bare, UserChange>) -> Result<Shape, Error> {
    call.app.update_user(context.authority(), call.path, call.body.0).await.map(Shape)
}

pub(crate) async fn delete(context: AgencyContext, call: Call<UserId>) -> Result<EmptyString, Error> {
    call.app.delete_user(context.authority(), call.path).await?;
    Ok(EmptyString)
}
