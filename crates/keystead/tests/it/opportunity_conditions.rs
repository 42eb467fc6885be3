//! Conditions and orders of opportunities as SQL and as they are evaluated say the same, on both databases.

use std::sync::Arc;

use keystead_model::{
    ContactId, CustomFieldId, LocationId, OpportunityId, PipelineId, StageId, UserId, UtcMs,
    condition::{Condition, Field, Kind, Op, Test, Value},
    contact::{Contact, ContactProfile},
    custom_field::{CustomField, CustomFieldContent, NewCustomField, OwnerKind},
    data_type::{DataType, ValueKind},
    decimal::Decimal,
    field_value::{FieldValue, Held, ValueField, ValueSet},
    opportunity::{Opportunity, OpportunityContent, OpportunityFilter, Status},
    opportunity_field::{OpportunityFacts, OpportunityField},
    page::Window,
    sort::{SortKey, SortPlace},
    text::{Country, EmailAddress, Line},
};
use keystead_store::{Error, Store, Tx, contact_trash, contacts, custom_fields, opportunities, opportunity_search};
use keystead_testkit::TestApp;
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::select,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

use crate::conditions::{COUNTRIES, DATES, EMAILS, NUMBERS, TEXTS, custom_texts, date, in_order, keys, ops, value_of};

const CONTACTS: usize = 6;
const IDS: [&str; 3] = ["0000000000000000000A", "0000000000000000000B", "0000000000000000000C"];
const STAGES: [&str; 2] = ["00000000-0000-8000-8000-00000000000a", "00000000-0000-8000-8000-00000000000b"];
const CUSTOM: [(&str, ValueKind, DataType); 3] = [
    ("0000000000000000000T", ValueKind::Text, DataType::MultipleOptions),
    ("0000000000000000000N", ValueKind::Number, DataType::Monetary),
    ("0000000000000000000D", ValueKind::Date, DataType::Date),
];

fn custom() -> [OpportunityField; 3] {
    CUSTOM.map(|(id, kind, _)| OpportunityField::Custom(CustomFieldId::parse(id).unwrap(), kind))
}

fn fields(location: LocationId) -> [CustomField; 3] {
    CUSTOM.map(|(id, _, data_type)| {
        let content = CustomFieldContent::named(Line::parse(data_type.as_str()).unwrap());
        let new = NewCustomField { model: OwnerKind::Opportunity, data_type, content };
        CustomField::new(CustomFieldId::parse(id).unwrap(), location, new, UtcMs(0)).unwrap()
    })
}

fn line<const MAX: usize>() -> impl Strategy<Value = Option<Line<MAX>>> {
    option::of(select(TEXTS.to_vec())).prop_map(|text| text.map(|text| Line::parse(text).unwrap()))
}

fn contact(runner: &mut TestRunner, location: LocationId, number: usize) -> Contact {
    let emails = vec(select(EMAILS.to_vec()), 0..3);
    let parts = (line(), line(), line(), emails, option::of(select(COUNTRIES.to_vec())));
    let (first_name, last_name, company_name, emails, country) = parts.new_tree(runner).unwrap().current();
    let mut emails = emails.into_iter().map(|email| EmailAddress::parse(email).unwrap());
    let profile = ContactProfile {
        first_name,
        last_name,
        company_name,
        email: emails.next(),
        additional_emails: emails.collect(),
        country: country.map(|country| Country::parse(country).unwrap()),
        ..ContactProfile::default()
    };
    let (id, at) = (ContactId::parse(&format!("{number:020}")).unwrap(), UtcMs(0));
    Contact {
        id,
        location,
        profile,
        tags: Vec::new(),
        custom_fields: ValueSet::default(),
        created_at: at,
        updated_at: at,
    }
}

fn opportunity(runner: &mut TestRunner, location: LocationId, number: usize) -> Opportunity {
    let user = || select(IDS.to_vec()).prop_map(|id| UserId::parse(id).unwrap());
    let texts = vec(select(custom_texts()), 0..3);
    let number_of = || option::of(select(NUMBERS.to_vec()));
    let day = || option::of(select(DATES.to_vec()));
    let parts = (
        (line(), line(), select(STAGES.to_vec()), select(Status::ALL.to_vec()), select(IDS.to_vec())),
        (number_of(), option::of(user()), vec(user(), 0..3), day(), 0i64..20, 0i64..20),
        (texts, number_of(), day()),
    );
    let (places, rest, (texts, held, held_day)) = parts.new_tree(runner).unwrap().current();
    let (name, source, stage, status, pipeline) = places;
    let (value, assigned_to, mut followers, close_date, status_at, stage_at) = rest;
    followers.sort_unstable();
    followers.dedup();
    let decimal = |text: &str| Decimal::parse(text).unwrap();
    let content = OpportunityContent {
        name: name.unwrap_or_else(|| Line::parse("Zed").unwrap()),
        contact: ContactId::parse(&format!("{:020}", number % CONTACTS)).unwrap(),
        pipeline: PipelineId::parse(pipeline).unwrap(),
        stage: StageId::parse(stage).unwrap(),
        status,
        value: value.map(decimal).unwrap_or_default(),
        assigned_to,
        source,
        lost_reason: None,
        followers,
        close_date: close_date.map(date),
        probability: None,
    };
    let values = [
        texts.into_iter().map(FieldValue::Text).collect(),
        held.map(|number| FieldValue::Number(decimal(number))).into_iter().collect(),
        held_day.map(|day| FieldValue::Date(date(day))).into_iter().collect::<Vec<_>>(),
    ];
    let fields = fields(location).map(|field| Arc::new(ValueField::from(&field)));
    let held = fields.into_iter().zip(values).map(|(field, values)| Held { field, values });
    let id = OpportunityId::parse(&format!("{number:020}")).unwrap();
    let mut made = Opportunity::new(id, location, content, UtcMs(number as i64 * 10));
    made.custom_fields = ValueSet::of(held);
    (made.status_changed_at, made.stage_changed_at) = (UtcMs(status_at), UtcMs(stage_at));
    made.updated_at = UtcMs(made.created_at.0 + number as i64 % 3);
    made
}

fn value(field: OpportunityField) -> BoxedStrategy<Value> {
    let codes = |texts: &[&str]| {
        let parts = texts.iter().flat_map(|text| [(*text).to_owned(), text.chars().take(3).collect()]);
        let texts: Vec<String> = parts.map(|text: String| field.compared(&text)).collect();
        select(texts).prop_map(Value::Code).boxed()
    };
    match (field, field.kind()) {
        (OpportunityField::ContactEmail, _) => codes(&EMAILS),
        (OpportunityField::ContactCountry, _) => codes(&COUNTRIES),
        (OpportunityField::ContactTerms | OpportunityField::Terms, _) => {
            codes(&["mari", "zoe", "obrien", "ada", "x", "strasse"])
        }
        (OpportunityField::Status, _) => codes(&Status::ALL.map(Status::as_str)),
        (OpportunityField::Stage, _) => codes(&STAGES),
        (OpportunityField::Id | OpportunityField::Contact, _) => codes(&["00000000000000000003", "x"]),
        (_, Kind::Code) => codes(&IDS),
        (_, kind) => value_of(kind),
    }
}

fn conditions() -> impl Strategy<Value = Condition<OpportunityField>> {
    let words = [OpportunityField::Terms, OpportunityField::ContactTerms];
    let fields: Vec<OpportunityField> = OpportunityField::STANDARD.into_iter().chain(words).chain(custom()).collect();
    let tests = select(fields).prop_flat_map(|field| {
        let one = (select(ops(field)), value(field)).prop_map(|(op, value)| op(value));
        let op = prop_oneof![6 => one, 2 => vec(value(field), 1..4).prop_map(Op::In)];
        op.prop_map(move |op| Condition::Test(Test { field, op }))
    });
    tests.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Condition::All),
            vec(inner.clone(), 0..4).prop_map(Condition::Any),
            inner.prop_map(|part| Condition::Not(Box::new(part))),
        ]
    })
}

/// Contacts and opportunities of a location, of which the first contact and what is of it are in the trash.
async fn known(runner: &mut TestRunner, store: &Store, location: LocationId) -> Vec<(Opportunity, Contact)> {
    let people: Vec<Contact> = (0..CONTACTS).map(|number| contact(runner, location, number)).collect();
    let all: Vec<Opportunity> = (0..36).map(|number| opportunity(runner, location, number)).collect();
    let (written, known) = (people.clone(), all.clone());
    let write = move |tx: &mut Tx<'_>| {
        tx.execute("UPDATE locations SET allow_duplicate_contact = TRUE WHERE id = ?1", &[&location])?;
        for field in fields(location) {
            assert!(custom_fields::save(tx, &field)?);
        }
        for contact in &written {
            contacts::insert(tx, contact)?.unwrap();
        }
        for opportunity in &known {
            opportunities::insert(tx, opportunity)?;
        }
        for opportunity in known.iter().filter(|known| known.content.contact == written[0].id) {
            opportunities::trash(tx, opportunity, UtcMs(1))?;
        }
        contact_trash::trash(tx, location, written[0].id, UtcMs(1))?;
        Ok::<_, Error>(())
    };
    store.write(write).await.unwrap();
    let of = |opportunity: Opportunity| {
        let contact = people.iter().find(|contact| contact.id == opportunity.content.contact).unwrap().clone();
        (opportunity, contact)
    };
    all.into_iter().map(of).filter(|(_, contact)| contact.id != people[0].id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_and_evaluation_agree() {
    let app = TestApp::start().await;
    let (store, location) = (app.second_store(), app.ids.location);
    let mut runner = TestRunner::deterministic();
    let here = known(&mut runner, &store, location).await;
    let sortable = OpportunityField::STANDARD.into_iter().filter(|field| *field != OpportunityField::Followers);
    let sortable: Vec<OpportunityField> = sortable.chain(custom()).collect();
    let mut met = 0;
    for number in 0..250 {
        let condition = conditions().new_tree(&mut runner).unwrap().current();
        let keys = keys(sortable.clone()).new_tree(&mut runner).unwrap().current();
        let values = |(opportunity, contact): &(Opportunity, Contact)| {
            keys.iter().map(|key| key.value(&OpportunityFacts(opportunity, contact))).collect::<Vec<_>>()
        };
        let holds =
            |(opportunity, contact): &&(_, _)| condition.evaluate(&OpportunityFacts(opportunity, contact)).holds;
        let mut expected: Vec<&(Opportunity, Contact)> = here.iter().filter(holds).collect();
        expected.sort_by(|a, b| in_order(&keys, (&values(a), &values(b)), (a.0.id, b.0.id)));
        let expected: Vec<OpportunityId> = expected.into_iter().map(|(opportunity, _)| opportunity.id).collect();
        met += usize::from(!expected.is_empty() && expected.len() < here.len());
        let plain = OpportunityFilter { condition: condition.clone(), ..OpportunityFilter::default() };
        // By stages and statuses, too, where the condition is about them.
        for filter in [plain.clone(), plain.with_places()] {
            let (mut seen, mut window) = (Vec::new(), Window::first(5));
            loop {
                let (asked, order, part) = (filter.clone(), keys.clone(), window.clone());
                let read = move |tx: &mut Tx<'_>| opportunity_search::sorted(tx, location, &asked, &order, &part);
                let found = store.read::<_, Error, _>(read).await.unwrap_or_else(|error| panic!("{filter:?}: {error}"));
                assert_eq!(found.total, expected.len() as i64, "{filter:?}");
                seen.extend(found.page.rows.iter().map(|row| row.id));
                if !found.page.has_more {
                    break;
                }
                let last = here.iter().find(|(known, _)| Some(&known.id) == seen.last()).unwrap();
                let sent = values(last).into_iter().zip(&keys);
                let sent = sent.map(|(value, key)| key.parse(&SortKey::<OpportunityField>::to_json(value.as_ref())));
                let place = SortPlace { values: sent.collect::<Option<_>>().unwrap(), id: last.0.id };
                window =
                    if number % 2 == 0 { Window::after(Some(place), 5) } else { Window::skip(seen.len() as i64, 5) };
            }
            assert_eq!(seen, expected, "{keys:?} {filter:?}");
        }
    }
    assert!(met > 80, "only {met} conditions told opportunities apart");
}
