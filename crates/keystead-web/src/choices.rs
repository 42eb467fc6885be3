//! What forms offer: countries, time zones, members.

use askama::Template;
use axum::{extract::Path, response::Response};
use http::{HeaderValue, header::CACHE_CONTROL};
use keystead_model::{
    Invalid,
    text::{Country, time_zone_names},
};

use crate::{
    failure::not_found,
    form::{Choice, Field, Kind},
    page::render,
};

/// A country, by its code or its name.
pub(crate) fn country(name: &'static str) -> Field {
    Field::new(Kind::Suggest, name, "Country").with("maxlength=80 data-choices=countries")
}

fn countries() -> Vec<Choice> {
    let known = rust_iso3166::ALL.iter().filter(|country| Country::parse(country.alpha2).is_ok());
    let mut choices: Vec<Choice> = known.map(|country| Choice::new(country.alpha2, country.name)).collect();
    choices.sort_by(|one, other| one.words.cmp(&other.words));
    choices
}

/// Reads what somebody chose or wrote: `DE`, `germany`.
pub(crate) fn read_country(text: &str) -> Result<Country, Invalid> {
    let is_meant = |country: &&rust_iso3166::CountryCode| country.name.to_lowercase() == text.trim().to_lowercase();
    let named = rust_iso3166::ALL.iter().find(is_meant);
    Country::parse(named.map_or(text, |country| country.alpha2))
        .map_err(|_| Invalid::new("must be a country of the list, or its two letters"))
}

/// A time zone, by its name.
pub(crate) fn time_zone(name: &'static str) -> Field {
    Field::new(Kind::Suggest, name, "Time zone").with("maxlength=80 data-choices=zones")
}

/// What a long list holds, which a page asks for where somebody writes into its field.
#[derive(Template)]
#[template(
    source = "{% for choice in choices %}<option value=\"{{ choice.value }}\">{{ choice.words }}</option>{% endfor %}",
    ext = "html"
)]
struct Options {
    choices: Vec<Choice>,
}

/// Lists that are the same for everybody and everywhere.
pub(crate) async fn serve(Path(list): Path<String>) -> Response {
    let choices = match list.as_str() {
        "countries" => countries(),
        "zones" => time_zone_names().into_iter().map(|zone| Choice::new(zone, "")).collect(),
        _ => return not_found().await,
    };
    let mut response = render(&Options { choices });
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    response
}

/// Members to whom things of a location can be given.
pub(crate) mod owner {
    use keystead_core::Error;
    use keystead_model::{UserId, scope::Scope, user::User};

    use crate::{Web, form::Choice, place::Here};

    /// Nobody, and those who work in the place; of whoever may not see them only who it is now, and themselves.
    pub(crate) async fn choices(web: &Web, here: &Here, current: Option<UserId>) -> Result<Vec<Choice>, Error> {
        let location = here.location.as_ref().map(|location| location.id);
        let works_here = |user: &User| {
            !user.disabled && (!user.role.is_account() || location.is_none_or(|id| user.locations.contains(&id)))
        };
        let mut members: Vec<(UserId, String)> = match here.authority().grant().allows(Scope::UsersRead) {
            true => {
                let all = web.app.list_users(here.authority()).await?;
                all.iter().filter(|user| works_here(user)).map(|user| (user.id, user.display_name())).collect()
            }
            false => vec![(here.visitor.signed_in.user.id, here.visitor.signed_in.user.display_name())],
        };
        if let Some(current) = current.filter(|current| members.iter().all(|(id, _)| id != current)) {
            let names = web.app.user_names(here.authority()).await?;
            members.push((current, names.get(&current).cloned().unwrap_or_else(|| "Somebody who left".to_owned())));
        }
        members.sort_by_key(|(_, name)| name.to_lowercase());
        let nobody = std::iter::once(Choice::new("", "Nobody"));
        Ok(nobody.chain(members.into_iter().map(|(id, name)| Choice::new(id.to_string(), name))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_known_by_name_and_by_code() {
        for text in ["DE", "de", "Germany", " germany "] {
            assert_eq!(read_country(text).unwrap().as_str(), "DE", "{text}");
        }
        assert!(read_country("Atlantis").is_err() && read_country("").is_err());
        let offered = countries();
        assert!(offered.len() > 200 && offered.iter().all(|choice| read_country(&choice.words).is_ok()));
    }
}
