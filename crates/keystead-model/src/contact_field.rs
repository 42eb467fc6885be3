//! What conditions may ask of a contact.

use crate::{
    CustomFieldId,
    condition::{Condition, Facts, Field, Kind, Op, Test, Value},
    contact::{Contact, IdentityKind},
    custom_field::CustomField,
    data_type::ValueKind,
    page::TimeOrder,
    search::{self, Asked},
    sort::Timed,
    tag::TagName,
    text::{Country, Line, normalized_email, parts_of_email},
};

/// A field of a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the contact's own fields")]
pub enum ContactField {
    FirstName,
    LastName,
    CompanyName,
    City,
    State,
    Source,
    /// The first one and all others.
    Email,
    /// Likewise.
    Phone,
    Tags,
    Country,
    AssignedTo,
    Dnd,
    DateOfBirth,
    /// Of which there is one as yet.
    Type,
    Business,
    CreatedAt,
    UpdatedAt,
    /// The terms that a search finds it by.
    Terms,
    /// A custom field, and what it holds.
    Custom(CustomFieldId, ValueKind),
}

impl ContactField {
    /// Those that every contact has, and that people ask for by name.
    pub const STANDARD: [Self; 17] = [
        Self::FirstName,
        Self::LastName,
        Self::CompanyName,
        Self::City,
        Self::State,
        Self::Source,
        Self::Email,
        Self::Phone,
        Self::Tags,
        Self::Country,
        Self::AssignedTo,
        Self::Dnd,
        Self::DateOfBirth,
        Self::Type,
        Self::Business,
        Self::CreatedAt,
        Self::UpdatedAt,
    ];

    /// A custom field of contacts.
    pub fn custom(field: &CustomField) -> Self {
        Self::Custom(field.id, field.data_type.value_kind())
    }

    /// The standard field of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::STANDARD.into_iter().find(|field| field.name() == name)
    }
}

impl Field for ContactField {
    fn name(&self) -> String {
        let name = match self {
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::CompanyName => "company_name",
            Self::City => "city",
            Self::State => "state",
            Self::Source => "source",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Tags => "tags",
            Self::Country => "country",
            Self::AssignedTo => "assigned_to",
            Self::Dnd => "dnd",
            Self::DateOfBirth => "date_of_birth",
            Self::Type => "type",
            Self::Business => "business_id",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::Terms => "terms",
            Self::Custom(id, _) => return format!("contact.custom_fields.{id}"),
        };
        format!("contact.{name}")
    }

    fn kind(&self) -> Kind {
        match self {
            Self::FirstName | Self::LastName | Self::CompanyName | Self::City | Self::State | Self::Source => {
                Kind::Text
            }
            Self::Email | Self::Phone | Self::Tags | Self::Country | Self::AssignedTo | Self::Terms => Kind::Code,
            Self::Type | Self::Business => Kind::Code,
            Self::Dnd => Kind::Truth,
            Self::DateOfBirth => Kind::Date,
            Self::CreatedAt | Self::UpdatedAt => Kind::Instant,
            Self::Custom(_, kind) => kind.compared(),
        }
    }

    fn is_long(&self) -> bool {
        matches!(self, Self::Custom(_, ValueKind::Text))
    }

    fn compared(&self, text: &str) -> String {
        match self {
            Self::Email => normalized_email(text),
            Self::Phone => text.chars().filter(|c| *c == '+' || c.is_ascii_digit()).collect(),
            Self::Tags => TagName::parse(text).map_or_else(|_| text.to_owned(), |tag| tag.as_str().to_owned()),
            Self::Country => text.trim().to_ascii_uppercase(),
            _ => text.to_owned(),
        }
    }

    fn parts(&self, part: Value) -> Vec<Value> {
        match (self, part) {
            (Self::Email, Value::Code(text)) => parts_of_email(&text).into_iter().filter_map(Value::code).collect(),
            (_, part) => vec![part],
        }
    }
}

impl Timed for ContactField {
    fn of(order: TimeOrder) -> Self {
        match order {
            TimeOrder::Created => Self::CreatedAt,
            TimeOrder::Updated => Self::UpdatedAt,
        }
    }
}

/// What a contact and its custom fields hold.
#[derive(Clone, Copy, Debug)]
pub struct ContactFacts<'c>(pub &'c Contact);

impl Facts<ContactField> for ContactFacts<'_> {
    fn values(&self, field: &ContactField) -> Vec<Value> {
        let Contact { profile, tags, custom_fields, created_at, updated_at, .. } = self.0;
        let one = |value: Option<Value>| value.into_iter().collect();
        let code = |text: Option<&str>| one(text.and_then(Value::code));
        let identities = |wanted: IdentityKind| {
            let all = profile.identities().into_iter().filter(move |(kind, _)| *kind == wanted);
            all.filter_map(|(_, value)| Value::code(value)).collect()
        };
        match field {
            ContactField::FirstName => one(text(profile.first_name.as_ref())),
            ContactField::LastName => one(text(profile.last_name.as_ref())),
            ContactField::CompanyName => one(text(profile.company_name.as_ref())),
            ContactField::City => one(text(profile.city.as_ref())),
            ContactField::State => one(text(profile.state.as_ref())),
            ContactField::Source => one(text(profile.source.as_ref())),
            ContactField::Email => identities(IdentityKind::Email),
            ContactField::Phone => identities(IdentityKind::Phone),
            ContactField::Tags => tags.iter().filter_map(|tag| Value::code(tag.as_str())).collect(),
            ContactField::Country => code(profile.country.as_ref().map(Country::as_str)),
            ContactField::AssignedTo => code(profile.assigned_to.as_ref().map(|user| user.as_str())),
            ContactField::Dnd => vec![Value::Truth(profile.dnd)],
            ContactField::DateOfBirth => one(profile.date_of_birth.map(|date| Value::Date(date.into()))),
            ContactField::Type => code(Some(Contact::TYPE)),
            ContactField::Business => code(profile.business.as_ref().map(|business| business.as_str())),
            ContactField::CreatedAt => vec![Value::Instant(*created_at)],
            ContactField::UpdatedAt => vec![Value::Instant(*updated_at)],
            ContactField::Terms => profile.search_terms().into_iter().filter_map(Value::code).collect(),
            ContactField::Custom(id, _) => custom_fields.get(*id).iter().filter_map(|value| value.compared()).collect(),
        }
    }
}

fn text<const MAX: usize>(line: Option<&Line<MAX>>) -> Option<Value> {
    line.and_then(|line| Value::text(line.as_str()))
}

/// What a search asks for, as a condition. Tags are named beside the terms, since they can be
/// renamed: `tags` are those of the location that have a word which begins so.
pub fn searched(asked: &[Asked], tags: impl Fn(&str) -> Vec<TagName>) -> Condition<ContactField> {
    let begins = |prefix: &str| {
        let term = Value::Code(prefix.to_owned());
        let term = Condition::Test(Test { field: ContactField::Terms, op: Op::Begins(term) });
        let tags: Vec<Value> = tags(prefix).iter().filter_map(|tag| Value::code(tag.as_str())).collect();
        if tags.is_empty() {
            return term;
        }
        Condition::Any(vec![term, Condition::Test(Test { field: ContactField::Tags, op: Op::In(tags) })])
    };
    search::condition(asked, begins)
}
