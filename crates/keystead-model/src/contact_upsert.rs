//! What an upsert makes of the addresses of a contact that is there: it adds, and takes none away.

use crate::{
    ContactId,
    contact::{ContactPatch, ContactProfile, IdentityKind, MAX_ADDITIONAL},
    phone::PhoneNumber,
    text::EmailAddress,
};

/// A part of an upsert that was not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The field that had it.
    pub field: &'static str,
    /// Why.
    pub why: WhyLeftOut,
}

/// Why a part of an upsert was not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhyLeftOut {
    /// This address belongs to this contact.
    BelongsTo(String, ContactId),
    /// This address has no room, or would leave the first one without any.
    NoRoom(String),
    /// It would have taken an address away.
    TakesAway,
    /// The contact has this kind of address already, and another was sent by somebody who may only fill what is empty.
    Filled,
}

impl std::fmt::Display for WhyLeftOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BelongsTo(_, other) => write!(f, "contact {other} has it"),
            Self::NoRoom(_) => write!(f, "a contact has at most {MAX_ADDITIONAL} further ones"),
            Self::TakesAway => f.write_str("an upsert takes no address away"),
            Self::Filled => f.write_str("the contact has another, which stays"),
        }
    }
}

impl ContactPatch {
    /// Takes an e-mail address or a phone number out of it, since it belongs to another contact.
    pub fn withdraw(&mut self, (kind, value): (IdentityKind, &str), owner: ContactId) -> LeftOut {
        let field = match kind {
            IdentityKind::Email => {
                let is = |email: &EmailAddress| email.normalized() == value;
                self.email.take_if(|email| email.as_ref().is_some_and(is));
                let more = self.additional_emails.as_mut();
                if more.is_some_and(|emails| remove(emails, is)) { "additionalEmails" } else { "email" }
            }
            IdentityKind::Phone => {
                let is = |phone: &PhoneNumber| phone.as_str() == value;
                self.phone.take_if(|phone| phone.as_ref().is_some_and(is));
                let more = self.additional_phones.as_mut();
                if more.is_some_and(|phones| remove(phones, is)) { "additionalPhones" } else { "phone" }
            }
        };
        LeftOut { field, why: WhyLeftOut::BelongsTo(value.to_owned(), owner) }
    }

    /// Makes this an addition to the addresses of `profile`, all of which stay: what it names and the contact lacks is one of
    /// the others, or the first one, and the one that was first is then one of the others. Where it names one of the others
    /// as the first, nothing changes places: whoever finds a contact by its second address does not mean to change the first.
    pub fn add_to(&mut self, profile: &ContactProfile) -> Vec<LeftOut> {
        let mut left_out = Vec::new();
        let emails = (&profile.email, &profile.additional_emails, ["email", "additionalEmails"]);
        add(emails, (&mut self.email, &mut self.additional_emails), EmailAddress::normalized, &mut left_out);
        let phones = (&profile.phone, &profile.additional_phones, ["phone", "additionalPhones"]);
        let as_text = |phone: &PhoneNumber| phone.as_str().to_owned();
        add(phones, (&mut self.phone, &mut self.additional_phones), as_text, &mut left_out);
        left_out
    }

    /// Makes this an addition to `profile` that gives it the first address of a kind, and else none. Whoever sends it is not known to
    /// speak for the contact: by the one address they would add another of their own, and be sent what is meant for the contact.
    pub fn fill(&mut self, profile: &ContactProfile) -> Vec<LeftOut> {
        let own = profile.identities();
        let is_filled = |kind| own.iter().any(|(known, _)| *known == kind);
        let mut left_out = Vec::new();
        for (kind, value) in self.identities() {
            if is_filled(kind) && !own.contains(&(kind, value)) {
                let field = if kind == IdentityKind::Email { "email" } else { "phone" };
                left_out.push(LeftOut { field, why: WhyLeftOut::Filled });
            }
        }
        left_out.dedup();
        if is_filled(IdentityKind::Email) {
            (self.email, self.additional_emails) = (None, None);
        }
        if is_filled(IdentityKind::Phone) {
            (self.phone, self.additional_phones) = (None, None);
        }
        left_out
    }
}

/// Addresses of one kind: those that a contact has, with the names of their fields, and those that are sent.
fn add<T: Clone>(
    (first, others, [first_field, others_field]): (&Option<T>, &Vec<T>, [&'static str; 2]),
    (new_first, new_others): (&mut Option<Option<T>>, &mut Option<Vec<T>>),
    compared: impl Fn(&T) -> String,
    left_out: &mut Vec<LeftOut>,
) {
    let sent = new_others.take();
    if new_first.is_none() && sent.is_none() {
        return;
    }
    let mut leave = |field, why| {
        let left = LeftOut { field, why };
        if !left_out.contains(&left) {
            left_out.push(left);
        }
    };
    let (mut all, is) = (others.clone(), |known: &T, new: &T| compared(known) == compared(new));
    match new_first.take() {
        None => {}
        Some(None) if first.is_none() => {}
        Some(None) => leave(first_field, WhyLeftOut::TakesAway),
        Some(Some(new)) if others.iter().any(|known| is(known, &new)) => {}
        Some(Some(new)) => match first {
            Some(old) if !is(old, &new) && all.len() >= MAX_ADDITIONAL => {
                leave(first_field, WhyLeftOut::NoRoom(compared(&new)));
            }
            Some(old) if !is(old, &new) => {
                all.insert(0, old.clone());
                *new_first = Some(Some(new));
            }
            // Perhaps written otherwise, as with capitals.
            Some(_) | None => *new_first = Some(Some(new)),
        },
    }
    for new in sent.into_iter().flatten() {
        let the_first = new_first.as_ref().and_then(Option::as_ref).or(first.as_ref());
        if the_first.into_iter().chain(&all).any(|known| is(known, &new)) {
            continue;
        }
        if all.len() < MAX_ADDITIONAL {
            all.push(new);
        } else {
            leave(others_field, WhyLeftOut::NoRoom(compared(&new)));
        }
    }
    *new_others = Some(all);
}

fn remove<T>(list: &mut Vec<T>, is: impl Fn(&T) -> bool) -> bool {
    let before = list.len();
    list.retain(|entry| !is(entry));
    list.len() < before
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, option, prelude::*, sample::select};

    use super::*;

    fn email(text: &str) -> EmailAddress {
        EmailAddress::parse(text).unwrap()
    }

    #[test]
    fn what_belongs_to_another_is_withdrawn_from_its_field() {
        let mut patch = ContactPatch {
            email: Some(Some(email("A@x.example"))),
            additional_emails: Some(vec![email("b@x.example"), email("c@x.example")]),
            ..ContactPatch::default()
        };
        let owner = ContactId::parse("ve9EPM428h8vShlRW1KT").unwrap();
        let mut field_of = |address| patch.withdraw((IdentityKind::Email, address), owner).field;
        assert_eq!(field_of("b@x.example"), "additionalEmails");
        assert_eq!(field_of("a@x.example"), "email");
        assert_eq!(patch.email, None);
        assert_eq!(patch.identities(), [(IdentityKind::Email, "c@x.example".to_owned())]);
    }

    prop_compose! {
        /// One of 30 addresses in one of two spellings, so that they meet, and are more than a contact can have.
        fn address()(number in 0..30u8, is_capital in any::<bool>()) -> EmailAddress {
            email(&format!("{}{number}@x.example", if is_capital { "N" } else { "n" }))
        }
    }

    prop_compose! {
        fn patch()(first in option::of(address()), others in option::of(vec(address(), 0..20)), clears in select(vec![false, false, true]))
            -> ContactPatch {
            let first = first.map(Some).or(clears.then_some(None));
            ContactPatch { email: first, additional_emails: others, ..ContactPatch::default() }
        }
    }

    #[test]
    fn what_fills_replaces_nothing_and_tells_what_it_left() {
        let emails = |first: &str| ContactPatch { email: Some(Some(email(first))), ..ContactPatch::default() };
        let mut profile = ContactProfile { additional_emails: vec![email("b@x.example")], ..ContactProfile::default() };
        profile.email = Some(email("a@x.example"));
        for (sent, left) in [("new@x.example", 1), ("A@x.example", 0), ("b@x.example", 0)] {
            let mut patch = emails(sent);
            assert_eq!(patch.fill(&profile).len(), left, "{sent}");
            assert_eq!((patch.email, patch.additional_emails), (None, None), "{sent}");
        }
        let mut patch = emails("new@x.example");
        assert_eq!(patch.fill(&ContactProfile::default()), []);
        assert_eq!(patch.email, Some(Some(email("new@x.example"))));
    }

    proptest! {
        #[test]
        fn identities_only_grow_and_the_second_time_changes_nothing(patches in vec(patch(), 1..8)) {
            let mut profile = ContactProfile::default();
            for patch in patches {
                let upsert = |profile: &ContactProfile| {
                    let (mut patch, mut profile) = (patch.clone(), profile.clone());
                    let left_out = patch.add_to(&profile);
                    patch.apply(&mut profile);
                    (profile, left_out)
                };
                let (after, left_out) = upsert(&profile);
                for identity in profile.identities() {
                    prop_assert!(after.identities().contains(&identity), "{identity:?} is gone");
                }
                for (kind, value) in patch.identities() {
                    let is_told = left_out.iter().any(|left| left.why == WhyLeftOut::NoRoom(value.clone()));
                    prop_assert!(after.identities().contains(&(kind, value.clone())) != is_told, "{value}");
                }
                prop_assert!(after.additional_emails.len() <= MAX_ADDITIONAL);
                prop_assert_eq!(upsert(&after).0, after.clone());
                profile = after;
            }
        }
    }
}
