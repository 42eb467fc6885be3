use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::{UtcMs, calendar_date::CalendarDate, decimal::Decimal};

/// A form with an answer of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Answer(&'static str, Kind);

const FIELDS: [Answer; 6] = [
    Answer("why", Kind::Text),
    Answer("slug", Kind::Code),
    Answer("budget", Kind::Number),
    Answer("born", Kind::Date),
    Answer("sent", Kind::Instant),
    Answer("consent", Kind::Truth),
];

impl Field for Answer {
    fn name(&self) -> String {
        self.0.to_owned()
    }
    fn kind(&self) -> Kind {
        self.1
    }
}

fn known(name: &str) -> Option<Answer> {
    FIELDS.into_iter().find(|field| field.0 == name)
}

fn read(json: &Json) -> Result<Condition<Answer>, String> {
    Condition::read(json, &known).map_err(|refused| refused.0)
}

struct Answers(Vec<(&'static str, Value)>);

impl Facts<Answer> for Answers {
    fn values(&self, field: &Answer) -> Vec<Value> {
        self.0.iter().filter(|(name, _)| *name == field.0).map(|(_, value)| value.clone()).collect()
    }
}

fn answers() -> Answers {
    Answers(vec![
        ("why", Value::text("  Wegen des CAFÉS\r\nund so ").unwrap()),
        ("slug", Value::code("contact-us").unwrap()),
        ("budget", Value::Number(Decimal::parse("1000.10").unwrap())),
        ("born", Value::Date(CalendarDate::parse("1990-09-25").unwrap().into())),
        ("sent", Value::Instant(UtcMs(1_764_000_000_000))),
        ("consent", Value::Truth(true)),
    ])
}

fn holds(facts: &Answers, json: &Json) -> bool {
    read(json).unwrap_or_else(|problem| panic!("{json}: {problem}")).evaluate(facts).holds
}

#[test]
fn each_kind_is_compared_in_its_own_way() {
    let facts = answers();
    for (field, op, value, expected) in [
        ("why", "eq", json!("wegen des cafes\nUND SO"), true),
        ("why", "contains", json!("Cafe\u{301}"), true),
        ("why", "begins", json!("WEGEN"), true),
        ("why", "not_contains", json!("tee"), true),
        ("why", "in", json!(["nichts", "wegen des cafés\nund so"]), true),
        ("slug", "eq", json!("Contact-Us"), false),
        ("slug", "begins", json!("contact"), true),
        ("budget", "eq", json!(1000.1), true),
        ("budget", "eq", json!("1000.100"), true),
        ("budget", "gt", json!("1000.099999999"), true),
        ("budget", "gt", json!(1000.1), false),
        ("budget", "gte", json!(1000.1), true),
        ("budget", "gt", json!(999), true),
        ("budget", "lt", json!(-1), false),
        ("born", "lt", json!("10/01/1990"), true),
        ("born", "lte", json!("1990-09-25"), true),
        ("sent", "gt", json!("2025-11-24T16:00:00Z"), false),
        ("sent", "gte", json!(1_764_000_000_000i64), true),
        ("consent", "eq", json!(true), true),
        ("consent", "not_eq", json!(true), false),
    ] {
        let test = json!({"field": field, "op": op, "value": value});
        assert_eq!(holds(&facts, &test), expected, "{test}");
        assert_eq!(holds(&facts, &json!({"not": test})), !expected);
    }
}

#[test]
fn of_what_is_missing_only_its_absence_is_true() {
    let nothing = Answers(Vec::new());
    for field in FIELDS {
        for op in Op::NAMES.into_iter().filter(|op| field.1.ops().contains(op) || op.ends_with("exists")) {
            let value = match field.1 {
                Kind::Text | Kind::Code => json!("x"),
                Kind::Number | Kind::Instant => json!(1),
                Kind::Date => json!("1990-09-25"),
                Kind::Truth => json!(false),
            };
            let mut test = json!({"field": field.0, "op": op});
            if !op.ends_with("exists") {
                test["value"] = if op == "in" { json!([value]) } else { value };
            }
            assert_eq!(holds(&nothing, &test), op == "not_exists", "{test}");
            assert_eq!(holds(&answers(), &json!({"field": field.0, "op": op, "value": test["value"]})), {
                let condition = read(&test).unwrap();
                condition.evaluate(&answers()).holds
            });
        }
    }
    assert_eq!(Value::text(" \u{a0}\r\n\u{feff}"), None, "white space is nothing");
}

#[test]
fn several_values_suit_if_one_does_and_differ_if_all_do() {
    let tags = Answers(["vip", "lead"].map(|tag| ("slug", Value::code(tag).unwrap())).to_vec());
    for (op, value, expected) in
        [("eq", "vip", true), ("not_eq", "vip", false), ("not_eq", "x", true), ("not_contains", "ea", false)]
    {
        assert_eq!(holds(&tags, &json!({"field": "slug", "op": op, "value": value})), expected, "{op} {value}");
    }
}

#[test]
fn a_trace_tells_every_part() {
    let condition = json!({"any": [
        {"all": [{"field": "budget", "op": "gt", "value": 5}, {"field": "slug", "op": "not_exists"}]},
        {"not": {"field": "consent", "op": "eq", "value": false}},
    ]});
    let condition = read(&condition).unwrap();
    let facts = answers();
    let trace = condition.evaluate(&facts);
    let Step::Any(parts) = &trace.step else { panic!("{trace:?}") };
    assert!(trace.holds && !parts[0].holds && parts[1].holds);
    let Step::All(tests) = &parts[0].step else { panic!("{trace:?}") };
    assert_eq!(tests.iter().map(|test| test.holds).collect::<Vec<_>>(), [true, false]);
    let Step::Test(test, found) = &tests[0].step else { panic!("{trace:?}") };
    assert_eq!((test.field.0, found), ("budget", &facts.values(&FIELDS[2])));
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let test = |value: Json| json!({"field": "budget", "op": "gt", "value": value});
    let deep = (0..8).fold(test(json!(1)), |inner, _| json!({"not": inner}));
    let many = json!({"all": vec![test(json!(1)); 101]});
    for (json, problem) in [
        (json!(1), "must be an object with all, any, not, or field and op"),
        (json!({}), "must have one of all, any, not, or field and op"),
        (json!({"all": [test(json!(1))], "any": []}), "must have one of all, any, not, or field and op"),
        (json!({"none": []}), "property none should not exist; say all, any, not, or field and op"),
        (json!({"any": []}), "any should not be empty"),
        (json!({"all": {}}), "all must be an array of conditions"),
        (json!({"all": [test(json!(1)), 5]}), "all.1 must be an object with all, any, not, or field and op"),
        (json!({"not": {"field": "x", "op": "eq"}}), "not.field names nothing that is known here: x"),
        (json!({"field": 1, "op": "eq"}), "field must be a string"),
        (
            json!({"field": "why", "op": "like", "value": "x"}),
            "op must be one of eq, not_eq, in, contains, not_contains, begins, exists, not_exists for why",
        ),
        (
            json!({"field": "consent", "op": "gt", "value": 1}),
            "op must be one of eq, not_eq, exists, not_exists for consent",
        ),
        (json!({"field": "why", "op": "eq"}), "value is missing; eq compares with it"),
        (
            json!({"field": "why", "op": "eq", "value": " "}),
            "value should not be empty; exists and not_exists ask whether there is anything",
        ),
        (
            json!({"field": "why", "op": "eq", "value": "x".repeat(501)}),
            "value must be shorter than or equal to 500 characters",
        ),
        (json!({"field": "why", "op": "exists", "value": 1}), "value should not exist; exists compares with nothing"),
        (json!({"field": "why", "op": "in", "value": "x"}), "value must be an array of values"),
        (json!({"field": "why", "op": "in", "value": ["x", 1]}), "value.1 must be a string"),
        (json!({"field": "why", "op": "in", "value": vec!["x"; 101]}), "value must have 1 to 100 values"),
        (
            json!({"field": "why", "op": "eq", "value": "x", "values": 1}),
            "property values should not exist; a test has field, op and value",
        ),
        (test(json!(0.123_456_789_012_345_6)), "value has more than 15 digits; send it as a string"),
        (test(json!(1e30)), "value must be a number of at most 15 digits, and 9 after the point"),
        (test(json!("1e3")), "value must be a number of at most 15 digits, and 9 after the point"),
        (test(json!([])), "value must be a number"),
        (json!({"field": "born", "op": "eq", "value": "soon"}), "value must be a date, such as 1990-09-25"),
        (
            json!({"field": "sent", "op": "eq", "value": "soon"}),
            "value must be milliseconds since 1970, or an instant such as 2027-01-31T12:00:00Z",
        ),
        (json!({"field": "consent", "op": "eq", "value": 1}), "value must be true or false"),
        (deep, "not.not.not.not.not.not.not.not is deeper than 8"),
        (many, "all.100 is one test too many; 100 may be made"),
    ] {
        let said = read(&json).expect_err(&json.to_string());
        assert!(said.contains(problem), "{json}: {said}");
    }
}

fn values(kind: Kind) -> BoxedStrategy<Value> {
    match kind {
        Kind::Text => "[a-zÀ-ž][a-z À-ž]{0,9}".prop_filter_map("seen", |text| Value::text(&text)).boxed(),
        Kind::Code => "[a-zA-Z-]{1,6}".prop_map(Value::Code).boxed(),
        Kind::Number => {
            "-?[0-9]{1,15}(\\.[0-9]{1,9})?".prop_map(|text| Value::Number(Decimal::parse(&text).unwrap())).boxed()
        }
        Kind::Date => (1900i16..2100, 1i8..=12, 1i8..=28)
            .prop_map(|(y, m, d)| Value::Date(CalendarDate::parse(&format!("{y}-{m:02}-{d:02}")).unwrap().into()))
            .boxed(),
        Kind::Instant => (0i64..4_000_000_000_000).prop_map(|ms| Value::Instant(UtcMs(ms))).boxed(),
        Kind::Truth => any::<bool>().prop_map(Value::Truth).boxed(),
    }
}

fn tests() -> impl Strategy<Value = Condition<Answer>> {
    (0..FIELDS.len()).prop_flat_map(|index| {
        let field = FIELDS[index];
        let ops = Op::NAMES.into_iter().filter(move |op| field.1.ops().contains(op) || op.ends_with("exists"));
        let ops = proptest::sample::select(ops.collect::<Vec<_>>());
        (ops, proptest::collection::vec(values(field.1), 1..4)).prop_map(move |(op, mut values)| {
            let value = values[0].clone();
            let op = match op {
                "exists" => Op::Exists,
                "not_exists" => Op::NotExists,
                "in" => Op::In(std::mem::take(&mut values)),
                "eq" => Op::Eq(value),
                "not_eq" => Op::NotEq(value),
                "contains" => Op::Contains(value),
                "not_contains" => Op::NotContains(value),
                "begins" => Op::Begins(value),
                "gt" => Op::Gt(value),
                "gte" => Op::Gte(value),
                "lt" => Op::Lt(value),
                _ => Op::Lte(value),
            };
            Condition::Test(Test { field, op })
        })
    })
}

fn conditions() -> impl Strategy<Value = Condition<Answer>> {
    tests().prop_recursive(4, 20, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Condition::All),
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Condition::Any),
            inner.prop_map(|part| Condition::Not(Box::new(part))),
        ]
    })
}

/// Values as anybody may send them.
fn sent() -> impl Strategy<Value = Json> {
    prop_oneof![
        any::<String>().prop_map(Json::from),
        "[ \r\nßﷺé\u{301}İa]{0,20}".prop_map(Json::from),
        ("[ßﷺa]", 1usize..600).prop_map(|(letter, times)| Json::from(letter.repeat(times))),
        "-?[0-9]{1,16}(\\.[0-9]{1,10})?".prop_map(Json::from),
        "[-+]?[0-9]{4,6}-[01][0-9]-[0-3][0-9](T[0-2][0-9]:00:00(Z|[-+][01][0-9]:00))?".prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        (-400_000_000_000_000i64..400_000_000_000_000).prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        (any::<i32>(), -10i32..16).prop_map(|(digits, power)| Json::from(f64::from(digits) * 10f64.powi(power))),
        any::<bool>().prop_map(Json::from),
    ]
}

#[test]
fn the_digits_of_a_number_are_those_that_it_has() {
    for (sent, is) in [
        (json!(1e14), "100000000000000"),
        (json!(123_456_789_012_345.0), "123456789012345"),
        (json!(0.000_000_001), "0.000000001"),
        (json!(-0.0), "0"),
        (json!(1_234_567.125), "1234567.125"),
    ] {
        let condition = read(&json!({"field": "budget", "op": "eq", "value": sent})).unwrap();
        assert_eq!(condition.to_json()["value"], is);
    }
}

#[test]
fn texts_and_instants_end_where_what_is_written_ends() {
    let value = |field: &str, value: Json| read(&json!({"field": field, "op": "eq", "value": value}));
    assert!(value("why", json!("ß".repeat(250))).is_ok());
    let said = value("why", json!("ß".repeat(300))).unwrap_err();
    assert!(said.contains("must be shorter than or equal to 500 characters, where ß counts as ss"), "{said}");
    assert_eq!(value("why", json!("a\r\r\nb")).unwrap().to_json()["value"], "a\nb");
    let (first, last) = (-62_167_219_200_000i64, 253_402_300_799_999i64);
    assert!(value("sent", json!(first)).is_ok() && value("sent", json!(last)).is_ok());
    assert!(value("sent", json!(first - 1)).is_err() && value("sent", json!(last + 1)).is_err());
    for beyond in ["-000001-12-31T23:59:59Z", "0000-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"] {
        assert!(value("sent", json!(beyond)).is_err(), "{beyond}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(condition in conditions()) {
        prop_assert_eq!(read(&condition.to_json()), Ok(condition));
    }

    /// Whatever anybody sends: what is accepted is kept as it was understood.
    #[test]
    fn what_is_accepted_is_written_so_that_it_is_read_again(index in 0..FIELDS.len(), sent in sent()) {
        if let Ok(condition) = read(&json!({"field": FIELDS[index].0, "op": "eq", "value": sent})) {
            prop_assert_eq!(read(&condition.to_json()), Ok(condition));
        }
    }

    /// Any text at all is an error or a condition.
    #[test]
    fn nothing_that_is_read_breaks(text in ".{0,60}", field in "why|budget|x", op in "eq|in|gt|y") {
        let _ = read(&json!({"field": field, "op": op, "value": text}));
        let _ = read(&json!({text: [{"field": field, "op": op}]}));
    }
}
