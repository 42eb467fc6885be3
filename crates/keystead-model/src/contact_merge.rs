//! Two contacts that turn out to be one person: what one of them takes from the other.

use crate::{
    contact::{Contact, ContactProfile, Dnd, DndStatus, put_first},
    text::EmailAddress,
};

impl Contact {
    /// Takes from `other` what is empty here, custom fields too, and all its addresses, tags and followers. Whoever did not want to be disturbed as
    /// either of them does not want it now.
    pub fn take_in(&mut self, other: Self) {
        let Self { id: _, location: _, profile, tags, custom_fields, created_at: _, updated_at: _ } = other;
        self.profile.take_in(profile);
        for tag in tags {
            if !self.tags.contains(&tag) {
                self.tags.push(tag);
            }
        }
        for held in &custom_fields {
            if self.custom_fields.get(held.field.id).is_empty() {
                self.custom_fields.set(held.clone());
            }
        }
    }
}

impl ContactProfile {
    fn take_in(&mut self, other: Self) {
        let Self {
            first_name,
            last_name,
            email,
            phone,
            company_name,
            address1,
            city,
            state,
            postal_code,
            country,
            website,
            timezone,
            gender,
            source,
            date_of_birth,
            assigned_to,
            dnd,
            dnd_settings,
            inbound_dnd,
            additional_emails,
            additional_phones,
            business,
            followers,
        } = other;
        fill(&mut self.first_name, first_name);
        fill(&mut self.last_name, last_name);
        fill(&mut self.company_name, company_name);
        // The street of one and the city of the other would be nobody's address.
        if self.address1.is_none() && self.city.is_none() && self.state.is_none() && self.postal_code.is_none() {
            (self.address1, self.city, self.state, self.postal_code) = (address1, city, state, postal_code);
        }
        fill(&mut self.country, country);
        fill(&mut self.website, website);
        fill(&mut self.timezone, timezone);
        fill(&mut self.gender, gender);
        fill(&mut self.source, source);
        fill(&mut self.date_of_birth, date_of_birth);
        fill(&mut self.assigned_to, assigned_to);
        fill(&mut self.business, business);
        self.dnd |= dnd;
        for (mine, theirs) in self.dnd_settings.iter_mut().zip(dnd_settings) {
            keep_stricter(mine, theirs);
        }
        keep_stricter(&mut self.inbound_dnd, inbound_dnd);
        self.additional_emails.extend(email.into_iter().chain(additional_emails));
        self.additional_phones.extend(phone.into_iter().chain(additional_phones));
        put_first(&mut self.email, &mut self.additional_emails, None, EmailAddress::normalized);
        put_first(&mut self.phone, &mut self.additional_phones, None, |phone| phone.as_str().to_owned());
        for user in followers {
            if !self.followers.contains(&user) {
                self.followers.push(user);
            }
        }
    }
}

fn fill<T>(mine: &mut Option<T>, theirs: Option<T>) {
    if mine.is_none() {
        *mine = theirs;
    }
}

fn keep_stricter(mine: &mut Option<Dnd>, theirs: Option<Dnd>) {
    let strictness = |dnd: &Option<Dnd>| {
        dnd.as_ref().map(|dnd| match dnd.status {
            DndStatus::Inactive => 0,
            DndStatus::Active => 1,
            DndStatus::Permanent => 2,
        })
    };
    if strictness(&theirs) > strictness(mine) {
        *mine = theirs;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ContactId, LocationId, UtcMs, field_value::ValueSet, tag::TagName, text::Line};

    fn contact(profile: ContactProfile, tags: &[&str]) -> Contact {
        let (id, location) = ("0000000000000000000A", "0000000000000000000L");
        Contact {
            id: ContactId::parse(id).unwrap(),
            location: LocationId::parse(location).unwrap(),
            profile,
            tags: tags.iter().map(|tag| TagName::parse(tag).unwrap()).collect(),
            custom_fields: ValueSet::default(),
            created_at: UtcMs(0),
            updated_at: UtcMs(0),
        }
    }

    fn email(text: &str) -> EmailAddress {
        EmailAddress::parse(text).unwrap()
    }

    fn dnd(status: DndStatus) -> Dnd {
        Dnd { status, message: None, code: None }
    }

    #[test]
    fn what_is_empty_is_filled_and_nothing_is_lost() {
        fn line<const MAX: usize>(text: &str) -> Line<MAX> {
            Line::parse(text).unwrap()
        }
        let mut mine = ContactProfile {
            first_name: Some(line("Ada")),
            email: Some(email("a@x.example")),
            city: Some(line("Bern")),
            ..ContactProfile::default()
        };
        mine.dnd_settings[0] = Some(dnd(DndStatus::Inactive));
        let mut theirs = ContactProfile {
            first_name: Some(line("Augusta")),
            last_name: Some(line("Lovelace")),
            email: Some(email("b@x.example")),
            additional_emails: vec![email("A@x.example"), email("c@x.example")],
            address1: Some(line("Main Street 1")),
            city: Some(line("London")),
            dnd: true,
            ..ContactProfile::default()
        };
        theirs.dnd_settings[0] = Some(dnd(DndStatus::Permanent));
        theirs.dnd_settings[1] = Some(dnd(DndStatus::Active));
        let mut merged = contact(mine, &["x", "y"]);
        merged.take_in(contact(theirs, &["y", "z"]));
        let Contact { profile, tags, .. } = merged;
        assert_eq!(profile.full_name().unwrap(), "Ada Lovelace");
        assert_eq!((profile.city, profile.address1), (Some(line("Bern")), None), "an address is taken whole or not");
        let emails: Vec<&str> =
            profile.email.iter().chain(&profile.additional_emails).map(EmailAddress::as_str).collect();
        assert_eq!(emails, ["a@x.example", "b@x.example", "c@x.example"]);
        assert!(profile.dnd);
        assert_eq!(profile.dnd_settings[0], Some(dnd(DndStatus::Permanent)));
        assert_eq!(profile.dnd_settings[1], Some(dnd(DndStatus::Active)));
        assert_eq!(tags.iter().map(TagName::as_str).collect::<Vec<_>>(), ["x", "y", "z"]);
    }
}
