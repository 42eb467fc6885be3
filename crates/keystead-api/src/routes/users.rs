//! Routes of users.

use keystead_model::{scope::Scope, user::User};

use crate::{
    route::{Face, Route, Table},
    v1, v2,
};

pub(super) fn v2_routes() -> Vec<Route> {
    use v2::users;
    Table::new(Face::V2)
        .either("GET /users/search", "Find users", Some(Scope::UsersRead), 200, users::search)
        .agency(
            "POST /users/search/filter-by-email",
            "Find users by their e-mail addresses",
            Scope::UsersRead,
            200,
            users::filter_by_email,
        )
        .location("GET /users", "List the users of a location", Scope::UsersRead, 200, users::list)
        .either("POST /users", "Create a user", Some(Scope::UsersWrite), 201, users::create)
        .either("GET /users/{userId}", "Get a user", Some(Scope::UsersRead), 200, users::get)
        .either("PUT /users/{userId}", "Update a user", Some(Scope::UsersWrite), 200, users::update)
        .if_match::<User>()
        .either("DELETE /users/{userId}", "Delete a user", Some(Scope::UsersWrite), 200, users::delete)
        .if_match::<User>()
        .rows()
}

pub(super) fn v1_routes() -> Vec<Route> {
    use v1::users;
    Table::new(Face::V1)
        .either("GET /v1/users", "List users", Some(Scope::UsersRead), 200, users::list)
        .agency("POST /v1/users", "Create a user", Scope::UsersWrite, 200, users::create)
        .location("GET /v1/users/location", "List the users of the location", Scope::UsersRead, 200, users::of_location)
        .agency("GET /v1/users/lookup", "Find a user by e-mail address", Scope::UsersRead, 200, users::lookup)
        .agency("GET /v1/users/{userId}", "Get a user", Scope::UsersRead, 200, users::get)
        .agency("PUT /v1/users/{userId}", "Update a user", Scope::UsersWrite, 200, users::update)
        .agency("DELETE /v1/users/{userId}", "Delete a user", Scope::UsersWrite, 200, users::delete)
        .rows()
}
