use keystead_model::{
    CustomFieldId, UtcMs,
    condition::{Op, Test, Value},
    contact::ContactProfile,
    data_type::ValueKind,
    decimal::Decimal,
    field_value::ValueSet,
    text::Line,
};

use super::*;
use crate::{Error, Memory, Row, sort::Part};

const LOCATION: &str = "0000000000000000000L";

/// A location with three contacts, of whom two are Ada.
fn prepared() -> (Memory, LocationId) {
    let memory = Memory::open().unwrap();
    let location = LocationId::parse(LOCATION).unwrap();
    memory
        .write(|tx| {
            tx.batch(&format!(
                "INSERT INTO agencies (id, name, state, resumed_at, created_at) VALUES ('a', 'a', 'active', 0, 0);
                 INSERT INTO locations (id, agency_id, state, resumed_at, name, name_lower, country, timezone,
                     allow_duplicate_contact, allow_duplicate_opportunity, allow_facebook_name_merge,
                     disable_contact_timezone, social, created_at, updated_at)
                 VALUES ('{LOCATION}', 'a', 'active', 0, 'x', 'x', 'US', 'UTC', TRUE, FALSE, FALSE, FALSE, '[]', 0, 0)"
            ))?;
            for (number, name) in (1..).zip(["Ada Lovelace", "Ada Byron", "Bob"]) {
                let contact = Contact {
                    id: ContactId::parse(&format!("{number:020}")).unwrap(),
                    location,
                    profile: ContactProfile {
                        first_name: Some(Line::parse(name).unwrap()),
                        ..ContactProfile::default()
                    },
                    tags: Vec::new(),
                    custom_fields: ValueSet::default(),
                    created_at: UtcMs(number),
                    updated_at: UtcMs(number),
                };
                contacts::insert(tx, &contact)?.unwrap();
            }
            Ok::<_, Error>(())
        })
        .unwrap();
    (memory, location)
}

fn term(begin: &str) -> Condition<ContactField> {
    let op = Op::Begins(Value::code(begin).unwrap());
    Condition::Test(Test { field: ContactField::Terms, op })
}

fn plan(tx: &mut Tx<'_>, condition: &Condition<ContactField>, leads: bool) -> String {
    let noun =
        Noun { location: LocationId::parse(LOCATION).unwrap(), table: "contacts", is_postgres: false, column, index };
    let lead = noun.lead(tx, condition).unwrap().filter(|_| leads);
    let (from, conditions) = parts(&noun, condition, lead.as_ref().map(Way::First), Some(ContactOrder::Created));
    let sql =
        format!("SELECT c.id FROM {from} WHERE {} ORDER BY c.created_at DESC, c.id DESC LIMIT 20", conditions.sql());
    explained(tx, &sql, &conditions)
}

fn explained(tx: &mut Tx<'_>, sql: &str, filter: &Filter<'_>) -> String {
    let read = |row: &mut Row<'_>| {
        let _: (i64, i64, i64) = (row.column()?, row.column()?, row.column()?);
        row.column::<String>()
    };
    tx.query(&format!("EXPLAIN QUERY PLAN {sql}"), &filter.values(), read).unwrap().join("\n")
}

#[test]
fn what_leads_is_read_first_and_what_is_asked_beside_the_order() {
    let (memory, _) = prepared();
    memory
        .read(|tx| {
            let both = Condition::All(vec![term("ada"), term("by")]);
            let asked = plan(tx, &both, false);
            assert!(
                asked.contains("SCAN c USING INDEX contacts_by_creation")
                    || asked.contains("SEARCH c USING INDEX contacts_by_creation"),
                "{asked}"
            );
            assert_eq!(
                asked.matches("contact_terms_by_contact (location_id=? AND contact_id=? AND term>?").count(),
                2,
                "{asked}"
            );
            assert!(!asked.contains("ORDER BY"), "nothing is sorted: {asked}");
            let led = plan(tx, &both, true);
            let (first, then) = led.split_once("SEARCH c USING").unwrap_or_else(|| panic!("{led}"));
            assert!(first.contains("SEARCH r USING PRIMARY KEY (location_id=? AND term>? AND term<?)"), "{led}");
            assert!(then.starts_with(" INDEX sqlite_autoindex_contacts_1 (location_id=? AND id=?)"), "{led}");
            assert_eq!(then.matches("contact_terms_by_contact").count(), 1, "the rarer one is asked no more: {led}");
            Ok::<_, Error>(())
        })
        .unwrap();
}

#[test]
fn the_fewest_rows_lead() {
    let (memory, location) = prepared();
    let noun = Noun { location, table: "contacts", is_postgres: false, column, index };
    let first_name = |op| Condition::Test(Test { field: ContactField::FirstName, op });
    memory
        .read(|tx| {
            let mut rows = |condition| noun.lead(tx, &condition).unwrap().map(|lead| lead.rows);
            assert_eq!(rows(term("ada")), Some(2));
            assert_eq!(rows(Condition::All(vec![term("ada"), term("by")])), Some(1));
            assert_eq!(rows(Condition::All(vec![first_name(Op::Exists), term("ada")])), Some(2));
            assert_eq!(rows(Condition::Any(vec![term("ada"), term("bo")])), Some(3));
            assert_eq!(
                rows(Condition::Any(vec![term("ada"), first_name(Op::Exists)])),
                None,
                "one of them has no rows"
            );
            assert_eq!(rows(Condition::Not(Box::new(term("ada")))), None);
            let some = Condition::Any(vec![term("bo"), Condition::All(vec![term("ada"), term("by")])]);
            assert_eq!(rows(some), Some(2));
            Ok::<_, Error>(())
        })
        .unwrap();
}

#[test]
fn values_that_lead_are_read_from_the_index_of_their_kind_alone() {
    let (memory, _) = prepared();
    let id = CustomFieldId::parse("0Vc5K6YS0ygRARdHs6Hz").unwrap();
    let test = |kind, op| Condition::Test(Test { field: ContactField::Custom(id, kind), op });
    let number = |text| Value::Number(Decimal::parse(text).unwrap());
    memory
        .read(|tx| {
            for (kind, op, index) in [
                (
                    ValueKind::Number,
                    Op::Gt(number("5")),
                    "field_values_by_number (location_id=? AND field_id=? AND number>?",
                ),
                (
                    ValueKind::Text,
                    Op::Eq(Value::text("a").unwrap()),
                    "field_values_by_text (location_id=? AND field_id=? AND <expr>=?",
                ),
                (ValueKind::Date, Op::Exists, "field_values_by_date (location_id=? AND field_id=?"),
            ] {
                let led = plan(tx, &test(kind, op), true);
                let (first, _) = led.split_once("SEARCH c USING").unwrap_or_else(|| panic!("{led}"));
                assert!(first.contains(index), "{led}");
            }
            let range = Condition::All(
                [Op::Gte(number("5")), Op::Lt(number("6"))].map(|op| test(ValueKind::Number, op)).to_vec(),
            );
            let led = plan(tx, &range, true);
            assert!(
                led.contains("field_values_by_number (location_id=? AND field_id=? AND number>? AND number<?)"),
                "{led}"
            );
            assert!(!led.contains("EXISTS"), "both ends are of one row: {led}");
            let asked = plan(tx, &range, false);
            let by_key = "USING PRIMARY KEY (location_id=? AND owner_kind=? AND owner_id=? AND field_id=?)";
            assert_eq!(asked.matches(by_key).count(), 2, "{asked}");
            Ok::<_, Error>(())
        })
        .unwrap();
}

#[test]
fn a_range_leads_whatever_is_asked_beside_it() {
    let (memory, location) = prepared();
    let noun = Noun { location, table: "contacts", is_postgres: false, column, index };
    let id = CustomFieldId::parse("0Vc5K6YS0ygRARdHs6Hz").unwrap();
    let number = |text| Value::Number(Decimal::parse(text).unwrap());
    let test = |op| Condition::Test(Test { field: ContactField::Custom(id, ValueKind::Number), op });
    let range = || [Op::Gte(number("5")), Op::Lt(number("6"))].map(test);
    let [least, most] = range();
    let city = Condition::Test(Test { field: ContactField::City, op: Op::Exists });
    memory
        .read(|tx| {
            for beside in [test(Op::NotEq(number("5.5"))), Condition::Not(Box::new(test(Op::Eq(number("5.5"))))), city]
            {
                let condition = Condition::All(vec![least.clone(), beside, most.clone()]);
                let lead = noun.lead(tx, &condition).unwrap().unwrap_or_else(|| panic!("{condition:?} has no lead"));
                assert!(!lead.decides(&condition), "what stands beside is still asked: {condition:?}");
                let led = plan(tx, &condition, true);
                let index = "field_values_by_number (location_id=? AND field_id=? AND number>? AND number<?)";
                assert_eq!(led.matches(index).count(), 1, "both ends lead: {led}");
            }
            let alone = Condition::All(range().to_vec());
            assert!(noun.lead(tx, &alone).unwrap().is_some_and(|lead| lead.decides(&alone)));
            assert!(noun.lead(tx, &test(Op::NotEq(number("5")))).unwrap().is_none(), "it is true of too many");
            Ok::<_, Error>(())
        })
        .unwrap();
}

#[test]
fn what_is_sorted_by_an_index_is_read_in_its_order() {
    let (memory, location) = prepared();
    let id = CustomFieldId::parse("0Vc5K6YS0ygRARdHs6Hz").unwrap();
    let custom = |kind| ContactField::Custom(id, kind);
    let by_creation = SortKey { field: ContactField::CreatedAt, ascending: false };
    memory
        .read(|tx| {
            let noun = noun(tx, location);
            for (field, index) in [
                (ContactField::FirstName, "contacts_by_first_name (location_id=?"),
                (ContactField::LastName, "contacts_by_last_name (location_id=?"),
                (ContactField::Email, "r USING PRIMARY KEY (location_id=? AND kind=?"),
                (ContactField::Phone, "r USING PRIMARY KEY (location_id=? AND kind=?"),
                (custom(ValueKind::Number), "field_values_by_number (location_id=? AND field_id=?"),
                (custom(ValueKind::Text), "field_values_by_text (location_id=? AND field_id=?"),
                (custom(ValueKind::Date), "field_values_by_date (location_id=? AND field_id=?"),
            ] {
                for ascending in [true, false] {
                    let place =
                        SortPlace { values: vec![Some(Value::code("x").unwrap()), None], id: location.of::<Contact>() };
                    for (beside, after) in [(None, None), (None, Some(&place)), (Some(by_creation), Some(&place))] {
                        let keys: Vec<_> = [SortKey { field, ascending }].into_iter().chain(beside).collect();
                        let condition = Condition::default();
                        let after =
                            after.map(|place| SortPlace { values: place.values[..keys.len()].to_vec(), ..*place });
                        let sorted = Sorted {
                            noun: &noun,
                            keys: &keys,
                            condition: &condition,
                            lead: None,
                            index: "contacts_by_creation",
                        };
                        for part in [Part::Holding, Part::Lacking] {
                            let after = after.as_ref().filter(|_| part == Part::Holding);
                            let (sql, filter) = sorted.statement(part, after, 21, 0);
                            let plan = explained(tx, &sql, &filter);
                            assert!(plan.contains(index) || part == Part::Lacking, "{field:?}: {plan}\n{sql}");
                            // What is equal in the first field may be sorted, and what lacks it by the second.
                            let is_alone = part == Part::Holding || keys.len() == 1;
                            let sorts_all = is_alone && plan.contains("TEMP B-TREE FOR ORDER BY");
                            assert!(!sorts_all, "{field:?}: {plan}\n{sql}");
                        }
                    }
                }
            }
            Ok::<_, Error>(())
        })
        .unwrap();
}
