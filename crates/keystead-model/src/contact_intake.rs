//! What whoever may only bring contacts is told of one: nothing but what they sent.

use crate::{
    UtcMs,
    contact::{Contact, ContactPatch, ContactProfile},
    field_value::{FieldValue, FieldValues, Held, ValueSet},
    file::StoredFile,
};

impl Contact {
    /// Of what it has only what was `sent` and is there now, as of `at`. When it was made and last changed is not told either.
    pub fn as_sent(self, sent: &ContactPatch, at: UtcMs) -> Self {
        let mut profile = ContactProfile::default();
        let tags = sent.clone().apply(&mut profile).unwrap_or_default();
        let those_sent = |held: &Held| {
            let sent = sent.custom_fields.iter().find(|values| values.field == held.field.id)?;
            let values = those(held.values.clone(), &sent.values);
            (!values.is_empty()).then(|| Held { field: held.field.clone(), values })
        };
        let custom_fields = ValueSet::of(self.custom_fields.iter().filter_map(those_sent));
        Self {
            profile: self.profile.common_with(&profile),
            tags: those(self.tags, &tags),
            custom_fields,
            created_at: at,
            updated_at: at,
            ..self
        }
    }

    /// The same where files were sent, whichever fields they are in.
    pub fn as_sent_files(self, files: &[StoredFile], at: UtcMs) -> Self {
        let values: Vec<FieldValue> = files.iter().cloned().map(FieldValue::File).collect();
        let field = |held: &Held| FieldValues { field: held.field.id, values: values.clone() };
        let sent =
            ContactPatch { custom_fields: self.custom_fields.iter().map(field).collect(), ..ContactPatch::default() };
        self.as_sent(&sent, at)
    }
}

impl ContactProfile {
    /// What it has in common with another one.
    fn common_with(self, other: &Self) -> Self {
        let emails: Vec<_> = other.email.iter().chain(&other.additional_emails).cloned().collect();
        let phones: Vec<_> = other.phone.iter().chain(&other.additional_phones).cloned().collect();
        let mut dnd_settings = self.dnd_settings;
        for (own, other) in dnd_settings.iter_mut().zip(&other.dnd_settings) {
            own.take_if(|own| other.as_ref() != Some(&*own));
        }
        Self {
            first_name: same(self.first_name, other.first_name.as_ref()),
            last_name: same(self.last_name, other.last_name.as_ref()),
            email: self.email.filter(|email| emails.contains(email)),
            phone: self.phone.filter(|phone| phones.contains(phone)),
            company_name: same(self.company_name, other.company_name.as_ref()),
            address1: same(self.address1, other.address1.as_ref()),
            city: same(self.city, other.city.as_ref()),
            state: same(self.state, other.state.as_ref()),
            postal_code: same(self.postal_code, other.postal_code.as_ref()),
            country: same(self.country, other.country.as_ref()),
            website: same(self.website, other.website.as_ref()),
            timezone: same(self.timezone, other.timezone.as_ref()),
            gender: same(self.gender, other.gender.as_ref()),
            source: same(self.source, other.source.as_ref()),
            date_of_birth: same(self.date_of_birth, other.date_of_birth.as_ref()),
            assigned_to: same(self.assigned_to, other.assigned_to.as_ref()),
            dnd: self.dnd && other.dnd,
            dnd_settings,
            inbound_dnd: same(self.inbound_dnd, other.inbound_dnd.as_ref()),
            additional_emails: those(self.additional_emails, &emails),
            additional_phones: those(self.additional_phones, &phones),
            business: same(self.business, other.business.as_ref()),
            followers: those(self.followers, &other.followers),
        }
    }
}

fn same<T: PartialEq>(own: Option<T>, other: Option<&T>) -> Option<T> {
    own.filter(|own| other == Some(own))
}

fn those<T: PartialEq>(own: Vec<T>, others: &[T]) -> Vec<T> {
    own.into_iter().filter(|own| others.contains(own)).collect()
}
