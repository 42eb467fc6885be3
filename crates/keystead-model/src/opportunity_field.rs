//! What conditions may ask of an opportunity.

use crate::{
    CustomFieldId,
    condition::{ComparedText, Facts, Field, Kind, Value},
    contact::{Contact, ContactProfile},
    contact_field::{ContactFacts, ContactField},
    data_type::ValueKind,
    opportunity::{Opportunity, OpportunityContent},
    page::TimeOrder,
    sort::Timed,
    text::Line,
};

/// A field of an opportunity, or of the contact that it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the opportunity's own fields, and of the contact's")]
pub enum OpportunityField {
    Id,
    Name,
    Pipeline,
    Stage,
    Status,
    LostReason,
    Source,
    AssignedTo,
    /// All who follow it.
    Followers,
    Value,
    CloseDate,
    CreatedAt,
    UpdatedAt,
    StatusChangedAt,
    StageChangedAt,
    Contact,
    ContactName,
    ContactCompany,
    /// The first one and all others.
    ContactEmail,
    /// Likewise.
    ContactPhone,
    ContactCountry,
    /// The terms that a search finds it by.
    Terms,
    /// Those that a search finds its contact by.
    ContactTerms,
    /// A custom field, and what it holds.
    Custom(CustomFieldId, ValueKind),
}

impl OpportunityField {
    /// Those that every opportunity has, and that people ask for by name.
    pub const STANDARD: [Self; 21] = [
        Self::Id,
        Self::Name,
        Self::Pipeline,
        Self::Stage,
        Self::Status,
        Self::LostReason,
        Self::Source,
        Self::AssignedTo,
        Self::Followers,
        Self::Value,
        Self::CloseDate,
        Self::CreatedAt,
        Self::UpdatedAt,
        Self::StatusChangedAt,
        Self::StageChangedAt,
        Self::Contact,
        Self::ContactName,
        Self::ContactCompany,
        Self::ContactEmail,
        Self::ContactPhone,
        Self::ContactCountry,
    ];

    /// The field of its contact that it is, where contacts have such a field.
    const fn of_contact(self) -> Option<ContactField> {
        match self {
            Self::ContactCompany => Some(ContactField::CompanyName),
            Self::ContactEmail => Some(ContactField::Email),
            Self::ContactPhone => Some(ContactField::Phone),
            Self::ContactCountry => Some(ContactField::Country),
            Self::ContactTerms => Some(ContactField::Terms),
            _ => None,
        }
    }
}

impl Field for OpportunityField {
    fn name(&self) -> String {
        let name = match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::Pipeline => "pipeline",
            Self::Stage => "stage",
            Self::Status => "status",
            Self::LostReason => "lost_reason",
            Self::Source => "source",
            Self::AssignedTo => "assigned_to",
            Self::Followers => "followers",
            Self::Value => "monetary_value",
            Self::CloseDate => "expected_close_date",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::StatusChangedAt => "status_changed_at",
            Self::StageChangedAt => "stage_changed_at",
            Self::Contact => "contact",
            Self::ContactName => "contact.name",
            Self::ContactCompany => "contact.company_name",
            Self::ContactEmail => "contact.email",
            Self::ContactPhone => "contact.phone",
            Self::ContactCountry => "contact.country",
            Self::Terms => "terms",
            Self::ContactTerms => "contact.terms",
            Self::Custom(id, _) => return format!("opportunity.custom_fields.{id}"),
        };
        format!("opportunity.{name}")
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Name | Self::Source | Self::ContactName | Self::ContactCompany => Kind::Text,
            Self::Value => Kind::Number,
            Self::CloseDate => Kind::Date,
            Self::CreatedAt | Self::UpdatedAt | Self::StatusChangedAt | Self::StageChangedAt => Kind::Instant,
            Self::Id
            | Self::Pipeline
            | Self::Stage
            | Self::Status
            | Self::LostReason
            | Self::AssignedTo
            | Self::Followers
            | Self::Contact
            | Self::ContactEmail
            | Self::ContactPhone
            | Self::ContactCountry
            | Self::Terms
            | Self::ContactTerms => Kind::Code,
            Self::Custom(_, kind) => kind.compared(),
        }
    }

    fn is_long(&self) -> bool {
        matches!(self, Self::Custom(_, ValueKind::Text))
    }

    fn compared(&self, text: &str) -> String {
        match (self, self.of_contact()) {
            (_, Some(field)) => field.compared(text),
            (Self::Status, _) => text.trim().to_ascii_lowercase(),
            // No id has a space, and two of them are no part of one.
            (Self::Followers, _) => text.split_whitespace().collect(),
            _ => text.to_owned(),
        }
    }

    fn parts(&self, part: Value) -> Vec<Value> {
        match self.of_contact() {
            Some(field) => field.parts(part),
            None => vec![part],
        }
    }
}

impl Timed for OpportunityField {
    fn of(order: TimeOrder) -> Self {
        match order {
            TimeOrder::Created => Self::CreatedAt,
            TimeOrder::Updated => Self::UpdatedAt,
        }
    }
}

/// What an opportunity, its custom fields and its contact hold.
#[derive(Clone, Copy, Debug)]
pub struct OpportunityFacts<'o>(pub &'o Opportunity, pub &'o Contact);

impl Facts<OpportunityField> for OpportunityFacts<'_> {
    fn values(&self, field: &OpportunityField) -> Vec<Value> {
        let Self(opportunity, contact) = self;
        if let Some(field) = field.of_contact() {
            return ContactFacts(contact).values(&field);
        }
        let Opportunity { content, custom_fields, status_changed_at, stage_changed_at, .. } = opportunity;
        let OpportunityContent { name, source, lost_reason, followers, close_date, .. } = content;
        let one = |value: Option<Value>| value.into_iter().collect();
        let code = |text: Option<&str>| one(text.and_then(Value::code));
        match field {
            OpportunityField::Id => code(Some(opportunity.id.as_str())),
            OpportunityField::Name => one(Value::text(name.as_str())),
            OpportunityField::Pipeline => code(Some(content.pipeline.as_str())),
            OpportunityField::Stage => code(Some(content.stage.as_str())),
            OpportunityField::Status => code(Some(content.status.as_str())),
            OpportunityField::LostReason => code(lost_reason.as_ref().map(|reason| reason.as_str())),
            OpportunityField::Source => one(source.as_ref().and_then(|source| Value::text(source.as_str()))),
            OpportunityField::AssignedTo => code(content.assigned_to.as_ref().map(|user| user.as_str())),
            OpportunityField::Followers => followers.iter().filter_map(|user| Value::code(user.as_str())).collect(),
            OpportunityField::Value => vec![Value::Number(content.value)],
            OpportunityField::CloseDate => one(close_date.map(|day| Value::Date(day.into()))),
            OpportunityField::CreatedAt => vec![Value::Instant(opportunity.created_at)],
            OpportunityField::UpdatedAt => vec![Value::Instant(opportunity.updated_at)],
            OpportunityField::StatusChangedAt => vec![Value::Instant(*status_changed_at)],
            OpportunityField::StageChangedAt => vec![Value::Instant(*stage_changed_at)],
            OpportunityField::Contact => code(Some(content.contact.as_str())),
            OpportunityField::ContactName => one(name_of(&contact.profile)),
            OpportunityField::Terms => opportunity.search_terms().into_iter().filter_map(Value::code).collect(),
            OpportunityField::Custom(id, _) => {
                custom_fields.get(*id).iter().filter_map(|value| value.compared()).collect()
            }
            OpportunityField::ContactCompany
            | OpportunityField::ContactEmail
            | OpportunityField::ContactPhone
            | OpportunityField::ContactCountry
            | OpportunityField::ContactTerms => Vec::new(),
        }
    }
}

/// A whole name, each part of it as it is compared.
fn name_of(profile: &ContactProfile) -> Option<Value> {
    let parts = [&profile.first_name, &profile.last_name];
    let parts = parts.into_iter().flatten().map(Line::as_str).filter_map(ComparedText::of);
    let parts: Vec<String> = parts.map(ComparedText::into_string).collect();
    Value::text(&parts.join(" "))
}
