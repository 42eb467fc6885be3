use keystead_model::{
    StageId, UtcMs,
    contact::{Contact, ContactProfile},
    decimal::Decimal,
    field_value::ValueSet,
    opportunity::{OpportunityContent, Status},
    search::asked,
    text::{Country, Line},
};

use super::*;
use crate::{Error, Memory, contacts};

const LOCATION: &str = "0000000000000000000L";
const NAMES: [&str; 4] = ["Dental implants", "Dental roof", "Roof", "Kitchen"];

fn id<T>(number: usize) -> keystead_model::id::Id<T> {
    keystead_model::id::Id::parse(&format!("{number:020}")).unwrap()
}

fn stage(number: usize) -> StageId {
    StageId::parse(&format!("00000000-0000-4000-8000-{number:012}")).unwrap()
}

/// A location with two contacts, one of them called like what others buy, and eight opportunities.
fn prepared() -> (Memory, LocationId) {
    let memory = Memory::open().unwrap();
    let location = LocationId::parse(LOCATION).unwrap();
    let write = |tx: &mut Tx<'_>| {
        tx.batch(&format!(
            "INSERT INTO agencies (id, name, state, resumed_at, created_at) VALUES ('a', 'a', 'active', 0, 0);
             INSERT INTO locations (id, agency_id, state, resumed_at, name, name_lower, country, timezone,
                 allow_duplicate_contact, allow_duplicate_opportunity, allow_facebook_name_merge,
                 disable_contact_timezone, social, created_at, updated_at)
             VALUES ('{LOCATION}', 'a', 'active', 0, 'x', 'x', 'US', 'UTC', TRUE, TRUE, FALSE, FALSE, '[]', 0, 0)"
        ))?;
        for (number, name) in ["Ada Kitchen", "Bob"].into_iter().enumerate() {
            let first_name = Some(Line::parse(name).unwrap());
            let contact = Contact {
                id: id(number),
                location,
                profile: ContactProfile { first_name, ..ContactProfile::default() },
                tags: Vec::new(),
                custom_fields: ValueSet::default(),
                created_at: UtcMs(0),
                updated_at: UtcMs(0),
            };
            contacts::insert(tx, &contact)?.unwrap();
        }
        for number in 0..8 {
            let content = OpportunityContent {
                name: Line::parse(NAMES[number % 4]).unwrap(),
                contact: id(usize::from(number % 3 > 0)),
                pipeline: id(0),
                stage: stage(number % 3),
                status: Status::ALL[number / 4],
                value: Decimal::default(),
                assigned_to: Some(id(number % 2)),
                source: None,
                lost_reason: None,
                followers: Vec::new(),
                close_date: None,
                probability: None,
            };
            opportunities::insert(tx, &Opportunity::new(id(number), location, content, UtcMs(number as i64)))?;
        }
        Ok::<_, Error>(())
    };
    memory.write(write).unwrap();
    (memory, location)
}

/// Whichever way they are counted, it is as many as the page has.
#[test]
fn what_leads_counts_as_what_is_asked() {
    let (memory, location) = prepared();
    for (words, status, expected) in [
        ("dental", None, 4),
        ("roof", None, 4),
        // Of the contact, of the opportunity, and of both: each counts once.
        ("kitchen", None, 4),
        ("d", None, 4),
        ("dental", Some(Status::Won), 2),
        ("kitchen", Some(Status::Open), 2),
        ("dental roof", None, 2),
        ("implants roof", None, 0),
        ("nothing", None, 0),
    ] {
        let search = Some(asked(words, Country::US));
        let filter = OpportunityFilter { search, status, ..OpportunityFilter::default() };
        let read = |tx: &mut Tx<'_>| {
            let (noun, condition) = (noun(tx, location), whole(&filter));
            let lead = noun.lead(tx, &condition)?.expect("words lead");
            let by_index = index(&condition, filter.order);
            let led = count(tx, &noun, &condition, Some(&lead), by_index)?;
            let asked = count(tx, &noun, &condition, None, by_index)?;
            let listed = list(tx, location, &filter, &Window::first(20))?;
            Ok::<_, Error>([led, asked, listed.total, listed.page.rows.len() as i64])
        };
        assert_eq!(memory.read(read).unwrap(), [expected; 4], "{words} {status:?}");
    }
}
