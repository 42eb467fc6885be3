//! The route table: every route of both APIs, with its scope and its handler. OpenAPI, tests and the dispatcher read it.

mod automation;
mod contacts;
mod keys;
mod locations;
mod opportunities;
mod users;
mod webhooks;

use crate::{
    openapi,
    route::{Face, Route, Table},
};

/// All routes.
pub fn routes() -> Vec<Route> {
    [
        contacts::v2_routes(),
        users::v2_routes(),
        locations::v2_routes(),
        opportunities::v2_routes(),
        automation::v2_routes(),
        keys::v2_routes(),
        webhooks::v2_routes(),
        documents(),
        contacts::v1_routes(),
        users::v1_routes(),
        locations::v1_routes(),
        opportunities::v1_routes(),
        automation::v1_routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What describes them.
fn documents() -> Vec<Route> {
    Table::new(Face::V2)
        .public("GET /openapi/2.0.json", "Get the OpenAPI document of API 2.0", openapi::v2)
        .public("GET /openapi/v3.json", "Get the OpenAPI document of API 2.0 with Version: v3", openapi::v3)
        .public("GET /openapi/1.0.json", "Get the OpenAPI document of API 1.0", openapi::v1)
        .rows()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use keystead_model::{key_kind::KeyKind, scope::Scope};

    #[test]
    fn every_scope_of_a_key_is_asked_for_by_some_route() {
        let asked: BTreeSet<Scope> = super::routes().into_iter().filter_map(|route| route.scope).collect();
        assert_eq!(asked, Scope::ALL.iter().copied().filter(|scope| scope.suits(KeyKind::Agency)).collect());
    }
}
