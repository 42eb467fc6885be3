//! Contacts that are perhaps the same person as another one.

use keystead_model::{
    condition::{Condition, Field as _, Op, Test, Value},
    contact::{Contact, ContactFilter, ContactProfile},
    contact_field::ContactField,
    page::Window,
    scope::Scope,
    search,
    text::normalized_email,
};
use keystead_store::{Error as StoreError, contact_search};

use crate::{App, LocationContext, Result};

/// Why two contacts may be the same person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameIn {
    /// An e-mail address of one is an address of the other.
    Email,
    /// Likewise a phone number.
    Phone,
    /// First and last name.
    Name,
}

/// Whether two of one name have both an address and a number, and share neither: then they are two people.
fn are_told_apart(one: &Contact, other: &Contact) -> bool {
    let (one, other) = (&one.profile, &other.profile);
    let differ = |one: Option<&str>, other: Option<&str>| one.is_some() && other.is_some() && one != other;
    let email = |profile: &ContactProfile| profile.email.as_ref().map(|email| normalized_email(email.as_str()));
    let phone = |profile: &ContactProfile| profile.phone.as_ref().map(|phone| phone.as_str().to_owned());
    differ(email(one).as_deref(), email(other).as_deref()) && differ(phone(one).as_deref(), phone(other).as_deref())
}

/// Contacts that are named for each reason.
const NAMED: i64 = 3;

impl App {
    /// Contacts that share the first address or number of this one, or its whole name, each once and the surest first. What cannot
    /// be found in time is left out: it is a hint.
    pub async fn possible_duplicates(
        &self,
        context: &LocationContext,
        contact: &Contact,
    ) -> Result<Vec<(Contact, SameIn)>> {
        let (own, asked) = (contact.clone(), self.questions(context, contact).await?);
        let time = self.limits.search;
        self.read(context, Scope::ContactsRead, move |operation| {
            let mut found: Vec<(Contact, SameIn)> = Vec::new();
            for (same, filter) in &asked {
                // One more, since it finds itself.
                let window = Window::first(NAMED + 1);
                match contact_search::list(operation.tx, operation.context.location, filter, &window, time) {
                    Ok(listed) => {
                        let is_new = |other: &Contact| found.iter().all(|(known, _)| known.id != other.id);
                        let may_be = |other: &Contact| *same != SameIn::Name || !are_told_apart(&own, other);
                        let others = listed.page.rows.into_iter().filter(|other| other.id != own.id);
                        let others: Vec<Contact> = others.filter(|other| is_new(other) && may_be(other)).collect();
                        found.extend(others.into_iter().take(NAMED as usize).map(|other| (other, *same)));
                    }
                    Err(StoreError::TooLong) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(found)
        })
        .await
    }

    async fn questions(&self, context: &LocationContext, contact: &Contact) -> Result<Vec<(SameIn, ContactFilter)>> {
        let profile = &contact.profile;
        let is = |field: ContactField, value: Option<Value>| Some(Condition::Test(Test { field, op: Op::Eq(value?) }));
        let code = |field: ContactField, text: &str| is(field, Value::code(field.compared(text)));
        let plain = |condition| ContactFilter { condition, ..ContactFilter::default() };
        let email = profile.email.as_ref().and_then(|email| code(ContactField::Email, email.as_str()));
        let phone = profile.phone.as_ref().and_then(|phone| code(ContactField::Phone, phone.as_str()));
        let mut asked: Vec<(SameIn, ContactFilter)> = Vec::new();
        asked.extend(email.map(|email| (SameIn::Email, plain(email))));
        asked.extend(phone.map(|phone| (SameIn::Phone, plain(phone))));
        if let (Some(first), Some(last)) = (&profile.first_name, &profile.last_name) {
            let names = [(ContactField::FirstName, first.as_str()), (ContactField::LastName, last.as_str())];
            let names = names.map(|(field, name)| is(field, Value::text(name)));
            // The words are what has an index.
            let words = format!("{} {}", first.as_str(), last.as_str());
            let country = self.location_of(context).await?.profile.country;
            let filter = ContactFilter { search: Some(search::asked(&words, country)), ..ContactFilter::default() };
            let condition = Condition::All(names.into_iter().flatten().collect());
            asked.push((SameIn::Name, ContactFilter { condition, ..filter }));
        }
        Ok(asked)
    }
}
