//! Businesses: the companies that a location's contacts work for.

use crate::{
    BusinessId, LocationId, UtcMs,
    actor::Signature,
    location::set,
    text::{Country, EmailAddress, Line, Prose},
};

/// A business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Business {
    /// Its id.
    pub id: BusinessId,
    /// The location that knows it.
    pub location: LocationId,
    /// What its author writes.
    pub content: BusinessContent,
    /// When it was made.
    pub created_at: UtcMs,
    /// When it was last changed.
    pub updated_at: UtcMs,
    /// Who made it; `None` where that was before anybody noted it.
    pub created_by: Option<Signature>,
    /// Who changed it last, likewise.
    pub updated_by: Option<Signature>,
}

/// The part of a business that its author writes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the wire contract's, one to one")]
pub struct BusinessContent {
    pub name: Line<200>,
    /// As it was sent: a switchboard has extensions.
    pub phone: Option<Line<40>>,
    pub email: Option<EmailAddress>,
    pub website: Option<Line<500>>,
    pub address: Option<Line<200>>,
    pub city: Option<Line<100>>,
    pub state: Option<Line<100>>,
    pub postal_code: Option<Line<20>>,
    pub country: Option<Country>,
    pub description: Option<Prose<5_000>>,
}

/// A change of a business; `None` leaves a thing as it is, `Some(None)` takes it away.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of BusinessContent")]
pub struct BusinessPatch {
    pub name: Option<Line<200>>,
    pub phone: Option<Option<Line<40>>>,
    pub email: Option<Option<EmailAddress>>,
    pub website: Option<Option<Line<500>>>,
    pub address: Option<Option<Line<200>>>,
    pub city: Option<Option<Line<100>>>,
    pub state: Option<Option<Line<100>>>,
    pub postal_code: Option<Option<Line<20>>>,
    pub country: Option<Option<Country>>,
    pub description: Option<Option<Prose<5_000>>>,
}

impl BusinessContent {
    /// A business of which only the name is known.
    pub fn named(name: Line<200>) -> Self {
        Self {
            name,
            phone: None,
            email: None,
            website: None,
            address: None,
            city: None,
            state: None,
            postal_code: None,
            country: None,
            description: None,
        }
    }
}

impl BusinessPatch {
    /// Changes `content`.
    pub fn apply(self, content: &mut BusinessContent) {
        let Self { name, phone, email, website, address, city, state, postal_code, country, description } = self;
        set(&mut content.name, name);
        set(&mut content.phone, phone);
        set(&mut content.email, email);
        set(&mut content.website, website);
        set(&mut content.address, address);
        set(&mut content.city, city);
        set(&mut content.state, state);
        set(&mut content.postal_code, postal_code);
        set(&mut content.country, country);
        set(&mut content.description, description);
    }
}
