//! Conditions as SQL and as they are evaluated say the same of the same contacts, in both forms and on both databases.

use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use keystead_model::{
    BusinessId, ContactId, CustomFieldId, LocationId, UtcMs,
    calendar_date::CalendarDate,
    condition::{Condition, Field, Kind, Op, Test, Value},
    contact::{Contact, ContactFilter, ContactOrder, ContactProfile},
    contact_field::{ContactFacts, ContactField},
    custom_field::{CustomField, CustomFieldContent, NewCustomField, OwnerKind},
    data_type::{DataType, ValueKind},
    decimal::Decimal,
    field_value::{FieldValue, Held, ValueField, ValueSet},
    page::Window,
    sort::{MAX_KEYS, SortKey, SortPlace},
    tag::TagName,
    text::{Country, EmailAddress, Line},
};
use keystead_store::{
    Error, Store, Tx,
    contact_search::{Form, list_in_form, sorted_in_form},
    contact_trash, contacts, custom_fields, field_values,
};
use keystead_testkit::TestApp;
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::select,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

/// Texts that differ by case, accents, composition and letters without one; and one with a sign that SQL or a pattern might read.
pub(crate) const TEXTS: [&str; 9] =
    ["María", "MARIA", "Mari\u{301}a José", "Zoë", "O'Brien", "50%_off", "Straße", "strasse", "Ørsted\u{a0}"];
pub(crate) const NUMBERS: [&str; 9] =
    ["0", "-0.5", "-1000", "-1000.000000001", "9.99", "10", "10.5", "999999999999999.999999999", "-999999999999999"];
pub(crate) const DATES: [&str; 4] = ["1990-09-25", "1990-10-01", "2024-02-29", "0001-01-01"];
const TAGS: [&str; 3] = ["vip", "vip gold", "été"];
pub(crate) const EMAILS: [&str; 3] = ["ada@example.com", "Ada@example.com", "bob@shop.example"];
pub(crate) const COUNTRIES: [&str; 2] = ["US", "DE"];
const BUSINESSES: [&str; 2] = ["0000000000000000000B", "0000000000000000001B"];

const CUSTOM: [ValueKind; 3] = [ValueKind::Text, ValueKind::Number, ValueKind::Date];

fn custom(kind: ValueKind) -> ContactField {
    let id = match kind {
        ValueKind::Text => "0000000000000000000T",
        ValueKind::Number => "0000000000000000000N",
        ValueKind::Date => "0000000000000000000D",
    };
    ContactField::Custom(CustomFieldId::parse(id).unwrap(), kind)
}

/// The fields that these values are of.
fn fields(location: LocationId) -> [CustomField; 3] {
    let kinds = [DataType::MultipleOptions, DataType::Monetary, DataType::Date];
    CUSTOM
        .map(custom)
        .into_iter()
        .zip(kinds)
        .map(|(field, data_type)| {
            let ContactField::Custom(id, _) = field else { unreachable!() };
            let content = CustomFieldContent::named(Line::parse(data_type.as_str()).unwrap());
            let new = NewCustomField { model: OwnerKind::Contact, data_type, content };
            CustomField::new(id, location, new, UtcMs(0)).unwrap()
        })
        .collect::<Vec<_>>()
        .try_into()
        .unwrap()
}

/// Longer than what is indexed of it, and different only there.
fn long(end: &str) -> String {
    format!("{}{end}", "Långt ".repeat(12))
}

pub(crate) fn custom_texts() -> Vec<String> {
    TEXTS.iter().map(|text| (*text).to_owned()).chain([long("A"), long("b"), long(""), " ".to_owned()]).collect()
}

fn contact_parts() -> impl Strategy<Value = (ContactProfile, Vec<TagName>, [Vec<FieldValue>; 3])> {
    fn line<const MAX: usize>() -> impl Strategy<Value = Option<Line<MAX>>> {
        option::of(select(TEXTS.to_vec())).prop_map(|text| text.map(|text| Line::parse(text).unwrap()))
    }
    let emails = vec(select(EMAILS.to_vec()), 0..3);
    let country = option::of(select(COUNTRIES.to_vec()));
    let born = option::of(select(DATES.to_vec()));
    let business = option::of(select(BUSINESSES.to_vec()));
    let names = (line(), line(), line(), line(), line(), line());
    let profile = (names, emails, country, born, business, any::<bool>());
    let profile = profile.prop_map(|(names, emails, country, born, business, dnd)| {
        let (first_name, last_name, city, state, company_name, source) = names;
        let mut emails = emails.into_iter().map(|email| EmailAddress::parse(email).unwrap());
        ContactProfile {
            first_name,
            last_name,
            city,
            state,
            company_name,
            source,
            email: emails.next(),
            additional_emails: emails.collect(),
            country: country.map(|country| Country::parse(country).unwrap()),
            date_of_birth: born.map(date),
            business: business.map(|business| BusinessId::parse(business).unwrap()),
            dnd,
            ..ContactProfile::default()
        }
    });
    let tags = vec(select(TAGS.to_vec()), 0..3).prop_map(|tags| {
        let tags: BTreeSet<TagName> = tags.into_iter().map(|tag| TagName::parse(tag).unwrap()).collect();
        tags.into_iter().collect()
    });
    let texts = vec(select(custom_texts()), 0..3).prop_map(|texts| texts.into_iter().map(FieldValue::Text).collect());
    let numbers = option::of(select(NUMBERS.to_vec())).prop_map(|number| {
        number.map(|number| FieldValue::Number(Decimal::parse(number).unwrap())).into_iter().collect()
    });
    let dates = option::of(select(DATES.to_vec()))
        .prop_map(|day| day.map(|day| FieldValue::Date(date(day))).into_iter().collect());
    (profile, tags, (texts, numbers, dates).prop_map(|(texts, numbers, dates)| [texts, numbers, dates]))
}

pub(crate) fn date(text: &str) -> CalendarDate {
    CalendarDate::parse(text).unwrap()
}

/// A value that some contact may have, or a part of one.
fn value(field: ContactField) -> BoxedStrategy<Value> {
    let codes = |texts: &[&str]| {
        let parts = texts.iter().flat_map(|text| [(*text).to_owned(), text.chars().take(3).collect()]);
        let texts: Vec<String> = parts.map(|text: String| field.compared(&text)).collect();
        select(texts).prop_map(Value::Code).boxed()
    };
    match (field, field.kind()) {
        (ContactField::Email, _) => codes(&EMAILS),
        (ContactField::Tags, _) => codes(&TAGS),
        (ContactField::Terms, _) => codes(&["mari", "zoe", "obrien", "ada", "x", "strasse"]),
        (ContactField::Country, _) => codes(&COUNTRIES),
        (ContactField::Business, _) => codes(&BUSINESSES),
        (ContactField::Type, _) => codes(&["lead", "customer"]),
        (_, Kind::Code) => codes(&["x"]),
        (_, kind) => value_of(kind),
    }
}

/// A value of a kind, or a part of one. What codes there are depends on the field.
pub(crate) fn value_of(kind: Kind) -> BoxedStrategy<Value> {
    match kind {
        Kind::Instant => (0i64..40).prop_map(|at| Value::Instant(UtcMs(at * 10))).boxed(),
        Kind::Text => {
            let parts = custom_texts().into_iter().flat_map(|text| {
                let part: String = text.chars().skip(1).take(2).collect();
                [text.chars().take(3).collect(), text, part]
            });
            select(parts.filter_map(|text| Value::text(&text)).collect::<Vec<_>>()).boxed()
        }
        Kind::Number => {
            select(NUMBERS.to_vec()).prop_map(|number| Value::Number(Decimal::parse(number).unwrap())).boxed()
        }
        Kind::Date => select(DATES.to_vec()).prop_map(|day| Value::Date(date(day).into())).boxed(),
        Kind::Truth => any::<bool>().prop_map(Value::Truth).boxed(),
        Kind::Code => unreachable!("its field says what codes it has"),
    }
}

pub(crate) fn ops(field: impl Field) -> Vec<fn(Value) -> Op> {
    let equal: [fn(Value) -> Op; 2] = [Op::Eq, Op::NotEq];
    let texts: [fn(Value) -> Op; 3] = [Op::Contains, Op::NotContains, Op::Begins];
    let orders: [fn(Value) -> Op; 4] = [Op::Gt, Op::Gte, Op::Lt, Op::Lte];
    let others: &[fn(Value) -> Op] = match field.kind() {
        Kind::Text | Kind::Code => &texts,
        Kind::Number | Kind::Date | Kind::Instant => &orders,
        Kind::Truth => &[],
    };
    let rest: [fn(Value) -> Op; 2] = [|_| Op::Exists, |_| Op::NotExists];
    equal.iter().chain(others).chain(&rest).copied().collect()
}

fn tests() -> impl Strategy<Value = Condition<ContactField>> {
    let fields = ContactField::STANDARD.into_iter().chain([ContactField::Terms]);
    let fields: Vec<ContactField> = fields.chain(CUSTOM.map(custom)).collect();
    select(fields).prop_flat_map(|field| {
        let one = (select(ops(field)), value(field)).prop_map(|(op, value)| op(value));
        let op = prop_oneof![8 => one, 1 => vec(value(field), 1..4).prop_map(Op::In)];
        op.prop_map(move |op| Condition::Test(Test { field, op }))
    })
}

fn conditions() -> impl Strategy<Value = Condition<ContactField>> {
    tests().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Condition::All),
            vec(inner.clone(), 0..4).prop_map(Condition::Any),
            inner.prop_map(|part| Condition::Not(Box::new(part))),
        ]
    })
}

fn generated(runner: &mut TestRunner, location: LocationId) -> Vec<Contact> {
    let fields = fields(location).map(|field| Arc::new(ValueField::from(&field)));
    let known = |number: i64| {
        let (profile, tags, values) = contact_parts().new_tree(runner).unwrap().current();
        let (at, id) = (UtcMs(number * 10), ContactId::parse(&format!("{number:020}")).unwrap());
        let held = fields.iter().cloned().zip(values).map(|(field, values)| Held { field, values });
        let (custom_fields, updated_at) = (ValueSet::of(held), UtcMs(at.0 + number % 3));
        Contact { id, location, profile, tags, custom_fields, created_at: at, updated_at }
    };
    (1..=40).map(known).collect()
}

async fn write(store: &Store, location: LocationId, known: &[Contact]) {
    let known = known.to_vec();
    let write = move |tx: &mut Tx<'_>| {
        tx.execute("UPDATE locations SET allow_duplicate_contact = TRUE WHERE id = ?1", &[&location])?;
        for field in fields(location) {
            assert!(custom_fields::save(tx, &field)?);
        }
        for contact in &known {
            contacts::insert(tx, contact)?.unwrap();
        }
        // One that is there no more, but whose tags and values are.
        contact_trash::trash(tx, location, known[0].id, UtcMs(1))?;
        Ok::<_, Error>(())
    };
    store.write(write).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_and_evaluation_agree() {
    let app = TestApp::start().await;
    let (store, location) = (app.second_store(), app.ids.location);
    let mut runner = TestRunner::deterministic();
    let known = generated(&mut runner, location);
    write(&store, location, &known).await;
    let here = &known[1..];
    let mut met = 0;
    for number in 0..300 {
        let condition = conditions().new_tree(&mut runner).unwrap().current();
        let holds = |contact: &&Contact| condition.evaluate(&ContactFacts(contact)).holds;
        let mut expected: Vec<&Contact> = here.iter().filter(holds).collect();
        let order = if number % 2 == 0 { ContactOrder::Created } else { ContactOrder::Updated };
        expected.sort_by_key(|contact| match order {
            ContactOrder::Created => (contact.created_at, contact.id),
            ContactOrder::Updated => (contact.updated_at, contact.id),
        });
        let expected: Vec<ContactId> = expected.into_iter().map(|contact| contact.id).collect();
        met += usize::from(!expected.is_empty() && expected.len() < here.len());
        for form in [Form::Told, Form::Leads, Form::Asked] {
            let filter = ContactFilter { condition: condition.clone(), order, ascending: true, search: None };
            let read = move |tx: &mut Tx<'_>| list_in_form(tx, location, &filter, &Window::all(), form);
            let found = store.read::<_, Error, _>(read).await.unwrap_or_else(|error| panic!("{condition:?}: {error}"));
            let ids: Vec<ContactId> = found.page.rows.iter().map(|contact| contact.id).collect();
            assert_eq!(ids, expected, "{form:?} {condition:?}");
            assert_eq!(found.total, expected.len() as i64, "{form:?} {condition:?}");
        }
    }
    assert!(met > 100, "only {met} conditions told contacts apart");
}

/// Fields that things may be sorted by, one or two of them.
pub(crate) fn keys<F: Field + Copy + std::fmt::Debug + 'static>(
    fields: Vec<F>,
) -> impl Strategy<Value = Vec<SortKey<F>>> {
    let key = (select(fields), any::<bool>()).prop_map(|(field, ascending)| SortKey { field, ascending });
    vec(key, 1..=MAX_KEYS)
}

/// How two things stand in an order, by the values of each: what is missing comes last.
pub(crate) fn in_order<F, I: Ord>(
    keys: &[SortKey<F>],
    (one, other): (&[Option<Value>], &[Option<Value>]),
    (one_id, other_id): (I, I),
) -> Ordering {
    let compared = |value: &Value| match value {
        Value::Text(text) => (text.as_str().to_owned(), 0),
        Value::Code(text) => (text.clone(), 0),
        Value::Number(number) => (number.as_stored().to_owned(), 0),
        Value::Date(date) => (date.as_str().to_owned(), 0),
        Value::Instant(at) => (String::new(), at.0),
        Value::Truth(truth) => (String::new(), i64::from(*truth)),
    };
    let turned = |order: Ordering, ascending| if ascending { order } else { order.reverse() };
    for (key, (one, other)) in keys.iter().zip(one.iter().zip(other)) {
        let order = match (one, other) {
            (Some(one), Some(other)) => turned(compared(one).cmp(&compared(other)), key.ascending),
            (one, other) => one.is_none().cmp(&other.is_none()),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    turned(one_id.cmp(&other_id), keys.last().is_none_or(|key| key.ascending))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sorted_comes_once_and_in_order_in_every_form() {
    let app = TestApp::start().await;
    let (store, location) = (app.second_store(), app.ids.location);
    let mut runner = TestRunner::deterministic();
    let known = generated(&mut runner, location);
    write(&store, location, &known).await;
    let fields: Vec<ContactField> = ContactField::STANDARD.into_iter().chain(CUSTOM.map(custom)).collect();
    for number in 0..150 {
        let keys = keys(fields.clone()).new_tree(&mut runner).unwrap().current();
        let all = number % 3 == 0;
        let condition = if all { Condition::default() } else { conditions().new_tree(&mut runner).unwrap().current() };
        let values = |contact: &Contact| keys.iter().map(|key| key.value(&ContactFacts(contact))).collect::<Vec<_>>();
        let holds = |contact: &&Contact| condition.evaluate(&ContactFacts(contact)).holds;
        let mut expected: Vec<&Contact> = known[1..].iter().filter(holds).collect();
        expected.sort_by(|a, b| in_order(&keys, (&values(a), &values(b)), (a.id, b.id)));
        let expected: Vec<ContactId> = expected.into_iter().map(|contact| contact.id).collect();
        for form in [Form::Told, Form::Leads, Form::Asked] {
            for by_place in [true, false] {
                let (mut seen, mut window) = (Vec::new(), Window::first(7));
                loop {
                    let filter = ContactFilter { condition: condition.clone(), ..ContactFilter::default() };
                    let (order, asked) = (keys.clone(), window.clone());
                    let read = move |tx: &mut Tx<'_>| sorted_in_form(tx, location, &filter, &order, &asked, form);
                    let found = store.read::<_, Error, _>(read).await;
                    let found = found.unwrap_or_else(|error| panic!("{keys:?} {condition:?}: {error}"));
                    assert_eq!(found.total, expected.len() as i64, "{form:?} {keys:?} {condition:?}");
                    seen.extend(found.page.rows.iter().map(|contact| contact.id));
                    if !found.page.has_more {
                        break;
                    }
                    // As it is sent on, and read again.
                    let last = found.page.rows.last().unwrap();
                    let sent = values(last).into_iter().zip(&keys);
                    let sent = sent.map(|(value, key)| key.parse(&SortKey::<ContactField>::to_json(value.as_ref())));
                    let values = sent.collect::<Option<Vec<_>>>().unwrap();
                    window = match by_place {
                        true => Window::after(Some(SortPlace { values, id: last.id }), 7),
                        false => Window::skip(seen.len() as i64, 7),
                    };
                }
                assert_eq!(seen, expected, "{form:?} by place: {by_place} {keys:?} {condition:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_many_owners_are_read_at_once_as_they_were_written() {
    let app = TestApp::start().await;
    let (store, location) = (app.second_store(), app.ids.location);
    let known = generated(&mut TestRunner::deterministic(), location);
    write(&store, location, &known).await;
    let owners: Vec<ContactId> = known.iter().map(|contact| contact.id).collect();
    let read = async |kind| {
        let owners = owners.clone();
        store.read::<_, Error, _>(move |tx| field_values::of_owners(tx, location, kind, &owners)).await.unwrap()
    };
    let mut expected: HashMap<ContactId, ValueSet> = known
        .into_iter()
        .filter(|contact| contact.custom_fields.iter().len() > 0)
        .map(|contact| (contact.id, contact.custom_fields))
        .collect();
    assert!(expected.len() > 20);
    assert_eq!(read(OwnerKind::Contact).await, expected);
    assert_eq!(read(OwnerKind::Opportunity).await, HashMap::new(), "the same ids name other things");
    // What is replaced is gone, and what is replaced by nothing, too.
    let (owner, held) = expected.iter_mut().find(|(_, held)| held.iter().len() > 1).unwrap();
    let (owner, before) = (*owner, held.clone());
    let [first, second] = [0, 1].map(|place| before.iter().nth(place).unwrap().clone());
    held.set(Held { values: Vec::new(), ..first });
    held.set(Held { values: vec![second.values[0].clone(); 2], ..second });
    let after = held.clone();
    let write = move |tx: &mut Tx<'_>| field_values::save(tx, location, (OwnerKind::Contact, owner), &before, &after);
    store.write::<_, Error, _>(write).await.unwrap();
    assert_eq!(read(OwnerKind::Contact).await, expected);
}
