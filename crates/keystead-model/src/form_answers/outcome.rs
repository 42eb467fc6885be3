//! What answers change in a contact that is there already.

use serde::{Deserialize, Serialize};

use crate::{
    ContactId,
    contact::{Contact, ContactPatch, ContactProfile, IdentityKind},
    form_schema::OnMatch,
};

/// What became of what answers say of a contact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Outcome {
    /// The contact was made by them.
    pub is_new: bool,
    /// Fields that have what was answered.
    pub written: Vec<String>,
    /// Addresses that somebody of the location may add.
    pub offered: Vec<Offer>,
    /// Fields that stay as they were.
    pub refused: Vec<Refusal>,
}

/// An address by which contacts are told apart. Nobody whom we do not know adds one: whoever knows somebody's address would add
/// their own, and be sent what is meant for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    /// What it is.
    pub kind: IdentityKind,
    /// The address.
    pub value: String,
    /// Another contact, who has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactId>,
}

/// A field that stays as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Its name.
    pub field: String,
    /// Why.
    pub why: WhyRefused,
}

/// Why a field stays as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyRefused {
    /// It is filled already, and the form fills what is empty.
    Filled,
    /// The form changes no contact that is there.
    Never,
    /// The contact does not take it.
    NotTaken,
    /// It takes other answers than the question has.
    Unsuited,
}

impl Outcome {
    /// Takes from what is about somebody new the addresses that others have.
    pub fn withdraw(patch: &mut ContactPatch, known: &[(IdentityKind, String, Contact)]) -> Self {
        let mut outcome = Self::default();
        for (kind, _, contact) in known {
            let value = match kind {
                IdentityKind::Email => patch.email.take().flatten().map(|email| email.as_str().to_owned()),
                IdentityKind::Phone => patch.phone.take().flatten().map(|phone| phone.as_str().to_owned()),
            };
            outcome.offered.extend(value.map(|value| Offer { kind: *kind, value, contact: Some(contact.id) }));
        }
        outcome
    }

    /// Notes of what is offered who has it.
    pub fn point_at(&mut self, known: &[(IdentityKind, String, Contact)]) {
        for offer in &mut self.offered {
            let owner = known.iter().find(|(kind, ..)| *kind == offer.kind);
            offer.contact = owner.map(|(.., contact)| contact.id);
        }
    }

    /// Nothing of it came to be.
    pub fn not_taken(self) -> Self {
        let refused = self.written.into_iter().map(|field| Refusal { field, why: WhyRefused::NotTaken });
        Self { written: Vec::new(), refused: self.refused.into_iter().chain(refused).collect(), ..self }
    }

    /// Of somebody new.
    pub fn made(patch: &ContactPatch) -> Self {
        let mut patch = patch.clone();
        Self { is_new: true, ..Self::take(&mut patch, &ContactProfile::default(), |_| true, OnMatch::Update) }
    }

    /// Leaves of `patch` what may be written into `contact`.
    pub fn merge(patch: &mut ContactPatch, contact: &Contact, rule: OnMatch) -> Self {
        let profile = &contact.profile;
        let own = profile.identities();
        let mut offered = Vec::new();
        let mut offer = |kind, value: Option<String>, compared: Option<String>| {
            if let (Some(value), Some(compared)) = (value, compared)
                && !own.contains(&(kind, compared))
            {
                offered.push(Offer { kind, value, contact: None });
            }
        };
        let (email, phone) = (patch.email.take().flatten(), patch.phone.take().flatten());
        offer(
            IdentityKind::Email,
            email.as_ref().map(|email| email.as_str().to_owned()),
            email.map(|email| email.normalized()),
        );
        let phone = phone.map(|phone| phone.as_str().to_owned());
        offer(IdentityKind::Phone, phone.clone(), phone);
        let is_empty = |field: crate::CustomFieldId| contact.custom_fields.get(field).is_empty();
        let same = patch
            .custom_fields
            .iter()
            .filter(|new| contact.custom_fields.get(new.field) == new.values)
            .map(|new| new.field);
        let same: Vec<_> = same.collect();
        patch.custom_fields.retain(|new| !same.contains(&new.field));
        Self { offered, ..Self::take(patch, profile, is_empty, rule) }
    }

    fn take(
        patch: &mut ContactPatch,
        profile: &ContactProfile,
        is_empty: impl Fn(crate::CustomFieldId) -> bool,
        rule: OnMatch,
    ) -> Self {
        let mut outcome = Self::default();
        let mut decide = |name: &str, is_filled: bool| {
            let why = match rule {
                OnMatch::Never => WhyRefused::Never,
                OnMatch::FillEmpty if is_filled => WhyRefused::Filled,
                OnMatch::FillEmpty | OnMatch::Update => {
                    outcome.written.push(name.to_owned());
                    return true;
                }
            };
            outcome.refused.push(Refusal { field: name.to_owned(), why });
            false
        };
        // A name is one thing.
        let is_named = profile.first_name.is_some() || profile.last_name.is_some();
        macro_rules! each {
            ($($field:ident = $name:literal $(if $filled:ident)?),* $(,)?) => {
                $(if patch.$field.is_some() && patch.$field.as_ref() != Some(&profile.$field) {
                    let is_filled = profile.$field.is_some() $(|| $filled)?;
                    if !decide($name, is_filled) {
                        patch.$field = None;
                    }
                } else {
                    patch.$field = None;
                })*
            };
        }
        each!(
            first_name = "firstName" if is_named,
            last_name = "lastName" if is_named,
            email = "email",
            phone = "phone",
            company_name = "companyName",
            address1 = "address1",
            city = "city",
            state = "state",
            postal_code = "postalCode",
            country = "country",
            website = "website",
            timezone = "timezone",
            date_of_birth = "dateOfBirth",
        );
        patch.custom_fields.retain(|new| decide(&format!("customFields.{}", new.field), !is_empty(new.field)));
        outcome
    }
}
