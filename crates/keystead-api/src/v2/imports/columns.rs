//! What the columns of a file are: fields of a contact, by the names that people and other programs give them.

use std::collections::{BTreeMap, BTreeSet};

use keystead_core::{ColumnField, Violation};
use keystead_model::{custom_field::CustomField, import::ImportColumn, text::echo};
use serde_json::Value;

use crate::{shape::Body, v2::contacts::input::NewContact};

/// A name without what people write it with: `First name`, `first_name` and `firstName` are one.
fn plain(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Names that other programs give to columns, and what we call them.
const ALIASES: &[(&str, &str)] = &[
    ("givenname", "firstName"),
    ("surname", "lastName"),
    ("familyname", "lastName"),
    ("fullname", "name"),
    ("contactname", "name"),
    ("emailaddress", "email"),
    ("mail", "email"),
    ("phonenumber", "phone"),
    ("mobile", "phone"),
    ("mobilephone", "phone"),
    ("company", "companyName"),
    ("businessname", "companyName"),
    ("organization", "companyName"),
    ("address", "address1"),
    ("street", "address1"),
    ("streetaddress", "address1"),
    ("region", "state"),
    ("zip", "postalCode"),
    ("zipcode", "postalCode"),
    ("postcode", "postalCode"),
    ("birthday", "dateOfBirth"),
    ("birthdate", "dateOfBirth"),
    ("leadsource", "source"),
    ("tag", "tags"),
];
/// What people call the fields, in the order in which they choose among them.
const TITLES: &[(&str, &str)] = &[
    ("firstName", "First name"),
    ("lastName", "Last name"),
    ("name", "Whole name"),
    ("email", "E-mail address"),
    ("phone", "Phone number"),
    ("additionalEmails", "Further e-mail addresses"),
    ("additionalPhones", "Further phone numbers"),
    ("companyName", "Company"),
    ("tags", "Tags"),
    ("source", "Source"),
    ("address1", "Street"),
    ("city", "City"),
    ("state", "State or province"),
    ("postalCode", "Postal code"),
    ("country", "Country"),
    ("website", "Web site"),
    ("timezone", "Time zone"),
    ("dateOfBirth", "Date of birth"),
    ("gender", "Gender"),
    ("assignedTo", "Owner, by id"),
    ("dnd", "Do not disturb"),
    ("dndSettings", "Do not disturb, by channel"),
    ("inboundDndSettings", "Do not disturb, inbound"),
];
/// Columns of our own files that say when and under which id something was known, or what was wrong with it: no field of a new one.
const OURS: &[&str] = &["id", "dateadded", "dateupdated", "importproblem"];
/// What stands before the id of a custom field in the name of a column's field.
pub(super) const CUSTOM: &str = "customFields.";

/// What a cell says of a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Text,
    Truth,
    /// Several texts.
    List,
    /// An object, as JSON.
    Object,
}

/// The fields of a contact that a column can be.
pub(super) fn fields() -> BTreeMap<String, Holds> {
    let described = <NewContact as Body>::describe();
    let schema = described.map(|described| described.outline.into_schema(false)).unwrap_or_default();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let holds = |(name, schema): (&String, &Value)| {
        let holds = match schema["type"].as_str()? {
            "string" if name != "locationId" => Holds::Text,
            "boolean" => Holds::Truth,
            "array" if schema["items"]["type"] == "string" => Holds::List,
            "object" => Holds::Object,
            _ => return None,
        };
        Some((name.clone(), holds))
    };
    properties.filter_map(holds).collect()
}

/// The fields with what people call them, those that the location has added last.
pub(super) fn titled(custom: &[CustomField]) -> Vec<ColumnField> {
    let field = |name: String, title: &str, is_custom| ColumnField { name, title: title.to_owned(), is_custom };
    let own = TITLES.iter().map(|(name, title)| field((*name).to_owned(), title, false));
    let custom = custom.iter().map(|one| field(format!("{CUSTOM}{}", one.id), one.content.name.as_str(), true));
    own.chain(custom).collect()
}

/// What people call a field of a contact.
pub(super) fn title(name: &str) -> Option<&'static str> {
    TITLES.iter().find(|(known, _)| *known == name).map(|(_, title)| *title)
}

/// Which field a name means.
struct Names<'c> {
    fields: BTreeMap<String, Holds>,
    custom: &'c [CustomField],
}

impl<'c> Names<'c> {
    fn of(custom: &'c [CustomField]) -> Self {
        Self { fields: fields(), custom }
    }

    /// The field of this name, by whatever people and other programs call it.
    fn field(&self, name: &str) -> Option<String> {
        let own = |name: &str| self.fields.keys().find(|known| plain(known) == plain(name)).cloned();
        let alias = || ALIASES.iter().find(|(alias, _)| *alias == plain(name)).and_then(|(_, known)| own(known));
        own(name).or_else(alias).or_else(|| custom_field(name, self.custom))
    }
}

/// Whether a column says by its name that it is no field of a contact.
fn is_left_out(name: &str) -> bool {
    name.is_empty() || OURS.contains(&plain(name).as_str())
}

/// What each column is by its name alone: nothing where that says nothing, or what a column before it is.
pub(super) fn guessed(head: &[String], custom: &[CustomField]) -> Vec<Option<String>> {
    let (names, mut taken) = (Names::of(custom), BTreeSet::new());
    let guess = |name: &String| {
        let name = name.trim();
        let field = if is_left_out(name) { None } else { names.field(name) };
        field.filter(|field| taken.insert(field.clone()))
    };
    head.iter().map(guess).collect()
}

/// What each column is, by what is said of it or else by its name. All that are not known are told at once.
pub(super) fn columns(
    head: &[String],
    mapping: &BTreeMap<String, String>,
    custom: &[CustomField],
) -> Result<Vec<ImportColumn>, Vec<Violation>> {
    let names = Names::of(custom);
    let mut violations = Vec::new();
    let mut violate = |column: Option<&str>, problem: String| {
        let field = column.map_or_else(|| "file".to_owned(), |column| format!("mapping.{}", echo(column)));
        violations.push(Violation { field, problem });
    };
    for column in mapping.keys().filter(|column| !head.iter().any(|name| name.trim() == **column)) {
        violate(Some(column), format!("must be a column, and the file has no column {}", echo(column)));
    }
    let (mut columns, mut unknown): (Vec<ImportColumn>, Vec<String>) = (Vec::with_capacity(head.len()), Vec::new());
    for name in head.iter().map(|name| name.trim()) {
        let field = match mapping.get(name).map(String::as_str) {
            Some("") => None,
            Some(to) => {
                let field = names.field(to);
                if field.is_none() {
                    violate(Some(name), format!("must be a field of a contact, and there is no field {}", echo(to)));
                }
                field
            }
            None if is_left_out(name) => None,
            None => {
                let field = names.field(name);
                if field.is_none() {
                    unknown.push(format!("“{}”", echo(name)));
                }
                field
            }
        };
        let same = columns.iter().find(|other| field.is_some() && other.field == field);
        if let Some(same) = same {
            let (first, second) = (echo(&same.name), echo(name));
            violate(
                None,
                format!(
                    "has the columns “{first}” and “{second}”, which are the same field; map one of them to another, or to nothing"
                ),
            );
        }
        columns.push(ImportColumn { name: name.to_owned(), field });
    }
    if !unknown.is_empty() {
        let unknown = unknown.join(", ");
        violate(
            None,
            format!(
                "has columns that no field is named like: {unknown}; map each to a field, or to nothing to leave it out"
            ),
        );
    }
    if violations.is_empty() { Ok(columns) } else { Err(violations) }
}

fn custom_field(name: &str, custom: &[CustomField]) -> Option<String> {
    let is_it = |field: &&CustomField| {
        let id = field.id.as_str();
        [field.content.name.as_str(), &field.field_key(), id].contains(&name)
            || name.strip_prefix(CUSTOM) == Some(id)
            || plain(field.content.name.as_str()) == plain(name)
    };
    custom.iter().find(is_it).map(|field| format!("{CUSTOM}{}", field.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(head: &[&str], mapping: &[(&str, &str)]) -> Result<Vec<Option<String>>, Vec<String>> {
        let head: Vec<String> = head.iter().map(|name| (*name).to_owned()).collect();
        let mapping = mapping.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
        match columns(&head, &mapping, &[]) {
            Ok(columns) => Ok(columns.into_iter().map(|column| column.field).collect()),
            Err(wrong) => Err(wrong.into_iter().map(|wrong| format!("{} {}", wrong.field, wrong.problem)).collect()),
        }
    }

    #[test]
    fn columns_are_known_by_many_names() {
        let known = read(&["First name", "SURNAME", "E-Mail", "Mobile phone", "Id", "", "Tag"], &[]).unwrap();
        let known: Vec<Option<&str>> = known.iter().map(Option::as_deref).collect();
        assert_eq!(
            known,
            [Some("firstName"), Some("lastName"), Some("email"), Some("phone"), None, None, Some("tags")]
        );
        assert_eq!(read(&["x"], &[("x", "e-mail")]), Ok(vec![Some("email".to_owned())]));
        assert_eq!(read(&["x"], &[("x", "")]), Ok(vec![None]));
    }

    #[test]
    fn what_no_name_tells_is_left_out() {
        let head = ["E-Mail", "Mail", "colour", "", "Id", "Name"].map(str::to_owned);
        assert_eq!(guessed(&head, &[]), [Some("email".to_owned()), None, None, None, None, Some("name".to_owned())]);
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let wrong =
            read(&["colour", "size", "email", "Mail"], &[("none", "email"), ("size", "dimension")]).unwrap_err();
        for part in ["mapping.none", "mapping.size", "“colour”", "“email” and “Mail”"] {
            assert!(wrong.iter().any(|line| line.contains(part)), "{part}: {wrong:?}");
        }
    }

    #[test]
    fn what_a_column_can_be_follows_from_the_contact() {
        let fields = fields();
        assert_eq!((fields["email"], fields["dnd"], fields["tags"]), (Holds::Text, Holds::Truth, Holds::List));
        assert_eq!(fields["dndSettings"], Holds::Object);
        assert!(!fields.contains_key("locationId") && !fields.contains_key("customFields"));
        for (_, field) in ALIASES {
            assert!(fields.contains_key(*field), "{field}");
        }
        let titled: BTreeSet<&str> = TITLES.iter().map(|(name, _)| *name).collect();
        assert_eq!(titled, fields.keys().map(String::as_str).collect(), "people choose among all of them");
    }
}
