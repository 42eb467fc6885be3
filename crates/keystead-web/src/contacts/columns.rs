//! What stands beside the names in the list of contacts, as somebody chooses.

use std::collections::HashMap;

use keystead_model::{UserId, UtcMs, contact::Contact, custom_field::CustomField};

use crate::{
    list,
    show::{self, Zone},
    value_fields,
};

/// By which addresses name those that are shown, with commas between them. The first stands for the name, which always is, so
/// that nothing else can be chosen, too.
pub(super) const COLUMNS: &str = "columns";
/// Those that are shown where none are named.
pub(super) const USUAL: &str = "name,company,tags,updated";
const NAME: &str = "name";
/// Of a custom field, before its id.
const CUSTOM: &str = "cf_";
/// Most beside the name; nobody reads more in one row.
pub(super) const MOST: usize = 8;
/// Custom fields that are offered; there may be thousands.
const OFFERED: usize = 100;
/// Tags of a contact that are shown.
const TAGS: usize = 3;

/// What can be shown of a contact.
#[derive(Clone, Copy, PartialEq)]
enum Column<'f> {
    Email,
    Phone,
    Company,
    Tags,
    Owner,
    Added,
    Updated,
    Street,
    City,
    State,
    PostalCode,
    Country,
    Website,
    Born,
    Source,
    Custom(&'f CustomField),
}

/// Those of every contact: in addresses, and in words.
const OWN: &[(Column<'static>, &str, &str)] = &[
    (Column::Email, "email", "E-mail"),
    (Column::Phone, "phone", "Phone"),
    (Column::Company, "company", "Company"),
    (Column::Tags, "tags", "Tags"),
    (Column::Owner, "owner", "Owner"),
    (Column::Added, "added", "Added"),
    (Column::Updated, "updated", "Changed"),
    (Column::Street, "street", "Street"),
    (Column::City, "city", "City"),
    (Column::State, "state", "State or province"),
    (Column::PostalCode, "postal_code", "Postal code"),
    (Column::Country, "country", "Country"),
    (Column::Website, "website", "Web site"),
    (Column::Born, "born", "Born"),
    (Column::Source, "source", "Source"),
];

/// What stands in a column.
pub(super) enum Cell {
    Text(String),
    /// The first, and how many there are besides.
    Tags(Vec<String>, usize),
    Time {
        ago: String,
        exactly: String,
    },
}

/// A column that is shown: its heading, and from which room on there is place for it. What somebody chose is never folded away.
pub(super) struct Heading {
    pub(super) words: String,
    pub(super) fold: &'static str,
}

/// The columns of a list.
pub(super) struct Columns<'f> {
    chosen: Vec<Column<'f>>,
    /// Those that are asked for beyond what has room.
    pub(super) left_out: usize,
    fields: &'f [CustomField],
}

/// What cells are told by.
pub(super) struct Told<'t> {
    pub(super) zone: &'t Zone,
    pub(super) now: UtcMs,
    pub(super) members: &'t HashMap<UserId, String>,
}

impl<'f> Columns<'f> {
    /// Those that an address asks for, in its order. What it names that is not there, or no more, is passed over.
    pub(super) fn asked(asked: &list::Asked, fields: &'f [CustomField]) -> Self {
        let mut chosen = Vec::new();
        for name in asked.text(COLUMNS).unwrap_or(USUAL).split(',') {
            if let Some(column) = Column::named(name.trim(), fields).filter(|column| !chosen.contains(column)) {
                chosen.push(column);
            }
        }
        let left_out = chosen.len().saturating_sub(MOST);
        chosen.truncate(MOST);
        Self { chosen, left_out, fields }
    }

    /// All that can be shown, for a menu.
    pub(super) fn offered(&self) -> Vec<list::Column> {
        let own = OWN.iter().map(|(column, ..)| *column);
        let custom = self.fields.iter().map(Column::Custom).enumerate();
        let custom = custom.filter(|(place, column)| *place < OFFERED || self.chosen.contains(column));
        let offered = |column: Column<'_>| list::Column {
            name: column.name(),
            words: column.words().to_owned(),
            is_shown: self.chosen.contains(&column),
        };
        own.chain(custom.map(|(_, column)| column)).map(offered).collect()
    }

    pub(super) fn headings(&self) -> Vec<Heading> {
        let heading = |(place, column): (usize, &Column<'_>)| Heading {
            words: column.words().to_owned(),
            fold: match place {
                _ if self.are_chosen() => "",
                0 | 1 => "from-m",
                _ => "from-l",
            },
        };
        self.chosen.iter().enumerate().map(heading).collect()
    }

    /// Whether they are others than the usual ones.
    pub(super) fn are_chosen(&self) -> bool {
        let names: Vec<String> = self.chosen.iter().map(Column::name).collect();
        !USUAL.split(',').skip(1).eq(names)
    }

    pub(super) fn has_owner(&self) -> bool {
        self.chosen.contains(&Column::Owner)
    }

    pub(super) fn cells(&self, contact: &Contact, told: &Told<'_>) -> Vec<Cell> {
        self.chosen.iter().map(|column| column.cell(contact, told)).collect()
    }

    /// E-mail address and phone number where they have no column, for under the name.
    pub(super) fn addresses(&self, contact: &Contact) -> String {
        let left = [Column::Email, Column::Phone].into_iter().filter(|column| !self.chosen.contains(column));
        left.filter_map(|column| column.text(contact)).collect::<Vec<_>>().join(" · ")
    }
}

impl<'f> Column<'f> {
    fn named(name: &str, fields: &'f [CustomField]) -> Option<Self> {
        match name.strip_prefix(CUSTOM) {
            Some(id) => fields.iter().find(|field| field.id.as_str() == id).map(Column::Custom),
            None => OWN.iter().find(|(_, known, _)| *known == name).map(|(column, ..)| *column),
        }
    }

    fn name(&self) -> String {
        match self {
            Column::Custom(field) => format!("{CUSTOM}{}", field.id),
            own => OWN.iter().find(|(known, ..)| known == own).map_or(NAME, |(_, name, _)| name).to_owned(),
        }
    }

    fn words(&self) -> &'f str {
        match self {
            Column::Custom(field) => field.content.name.as_str(),
            own => OWN.iter().find(|(known, ..)| known == own).map_or("", |(.., words)| words),
        }
    }

    /// What is one text of the contact itself.
    fn text<'c>(&self, Contact { profile, .. }: &'c Contact) -> Option<&'c str> {
        match self {
            Column::Email => profile.email.as_ref().map(|email| email.as_str()),
            Column::Phone => profile.phone.as_ref().map(|phone| phone.as_str()),
            Column::Company => profile.company_name.as_ref().map(|name| name.as_str()),
            Column::Street => profile.address1.as_ref().map(|text| text.as_str()),
            Column::City => profile.city.as_ref().map(|text| text.as_str()),
            Column::State => profile.state.as_ref().map(|text| text.as_str()),
            Column::PostalCode => profile.postal_code.as_ref().map(|text| text.as_str()),
            Column::Country => profile.country.as_ref().map(|country| country.as_str()),
            Column::Website => profile.website.as_ref().map(|text| text.as_str()),
            Column::Source => profile.source.as_ref().map(|text| text.as_str()),
            Column::Tags | Column::Owner | Column::Added | Column::Updated | Column::Born | Column::Custom(_) => None,
        }
    }

    fn cell(&self, contact: &Contact, Told { zone, now, members }: &Told<'_>) -> Cell {
        let time = |at| Cell::Time { ago: show::ago(at, *now), exactly: zone.exactly(at) };
        match self {
            Column::Tags => {
                let tags = contact.tags.iter().take(TAGS).map(|tag| tag.as_str().to_owned());
                Cell::Tags(tags.collect(), contact.tags.len().saturating_sub(TAGS))
            }
            Column::Added => time(contact.created_at),
            Column::Updated => time(contact.updated_at),
            Column::Owner => {
                let owner =
                    contact.profile.assigned_to.map(|owner| members.get(&owner).map_or("Somebody", |name| name));
                Cell::Text(owner.unwrap_or_default().to_owned())
            }
            Column::Born => Cell::Text(contact.profile.date_of_birth.map(|day| day.to_iso()).unwrap_or_default()),
            Column::Custom(field) => {
                let held = contact.custom_fields.iter().find(|held| held.field.id == field.id);
                let values = held.map(|held| held.values.iter().map(value_fields::written).collect::<Vec<_>>());
                Cell::Text(values.unwrap_or_default().join(", "))
            }
            text => Cell::Text(text.text(contact).unwrap_or_default().to_owned()),
        }
    }
}
