//! Forms: reading them, and showing them again with what is wrong.

use std::{collections::BTreeMap, time::Duration};

use askama::Template;
use axum::response::Response;
use http::{StatusCode, header};
use keystead_core::{Error, Violation};
use keystead_model::Invalid;

use crate::page::render_with;

/// The fields of a form as they were sent; a name may come several times.
#[derive(Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl From<Vec<(String, String)>> for Fields {
    fn from(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }
}

impl Fields {
    /// The first value, trimmed; empty is absent.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// A value that is taken as it is, such as a password.
    pub(crate) fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a name.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The first value, for showing it again.
    pub(crate) fn shown(&self, name: &str) -> String {
        self.raw(name).unwrap_or_default().to_owned()
    }
}

/// What is wrong with a form, by field.
#[derive(Default)]
pub(crate) struct Problems {
    fields: BTreeMap<String, String>,
    /// What belongs to no field.
    pub(crate) general: Option<String>,
    /// How long to wait, where that is the problem.
    wait: Option<Duration>,
}

impl Problems {
    pub(crate) fn add(&mut self, field: &str, problem: impl Into<String>) {
        self.fields.entry(field.to_owned()).or_insert_with(|| sentence(&problem.into()));
    }

    /// A field that must be there.
    pub(crate) fn required<T>(
        &mut self,
        field: &str,
        text: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        let Some(text) = text else {
            self.add(field, "is needed");
            return None;
        };
        self.optional(field, Some(text), parse)
    }

    /// A field that may be empty.
    pub(crate) fn optional<T>(
        &mut self,
        field: &str,
        text: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        match parse(text?) {
            Ok(value) => Some(value),
            Err(Invalid(problem)) => {
                self.add(field, problem);
                None
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.general.is_none()
    }

    /// The form again with its problems. Whoever is to wait is told so in headers, too, for programs that watch.
    pub(crate) fn shown_in(&self, page: &impl Template) -> Response {
        let Some(wait) = self.wait else { return render_with(StatusCode::UNPROCESSABLE_ENTITY, page) };
        let mut response = render_with(StatusCode::TOO_MANY_REQUESTS, page);
        response.headers_mut().insert(header::RETRY_AFTER, keystead_http::retry_after(wait));
        response
    }

    pub(crate) fn of(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", String::as_str)
    }

    /// Takes an operation's refusal that the visitor can mend; gives the others back.
    pub(crate) fn take(&mut self, error: Error) -> Result<(), Error> {
        match error {
            Error::Invalid(violations) | Error::Unsuited(violations, _) => {
                for Violation { field, problem } in violations {
                    match form_field(&field) {
                        Some(field) => self.add(field, problem),
                        None => self.general = Some(sentence(&format!("{field} {problem}"))),
                    }
                }
                Ok(())
            }
            Error::Conflict(_, message) | Error::Forbidden(_, message) => {
                self.general = Some(message);
                Ok(())
            }
            Error::TooManyRequests(wait) => {
                self.wait = Some(wait);
                self.general =
                    Some(format!("Too many attempts. Try again in {} minutes.", wait.as_secs().div_ceil(60).max(1)));
                Ok(())
            }
            other => Err(other),
        }
    }
}

/// The field of our forms for what operations call a thing; what no form has a place for is said above it.
fn form_field(name: &str) -> Option<&'static str> {
    const FIELDS: &[(&str, &str)] = &[
        ("name", "name"),
        ("description", "description"),
        ("labels", "labels"),
        ("contactEmail", "contact"),
        ("scopes", "scope"),
        ("allowedLocations", "allowed"),
        ("allowedIps", "allowed_ips"),
        ("expiresAt", "expires_at"),
        ("locationId", "location"),
        ("keyDefaultDays", "default_days"),
        ("email", "email"),
        ("password", "password"),
    ];
    FIELDS.iter().find(|(known, _)| *known == name).map(|(_, field)| *field)
}

/// `must be an email` becomes `Must be an email.`
fn sentence(problem: &str) -> String {
    let mut characters = problem.chars();
    let first = characters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    let end = if problem.ends_with('.') { "" } else { "." };
    format!("{first}{}{end}", characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_operation_refuses_is_said_somewhere() {
        let mut problems = Problems::default();
        problems.take(Error::invalid("expiresAt", "must be in the future")).unwrap();
        assert_eq!(problems.of("expires_at"), "Must be in the future.");
        problems.take(Error::invalid("version", "is needed while a rotation is running")).unwrap();
        assert_eq!(problems.general.as_deref(), Some("Version is needed while a rotation is running."));
    }
}
