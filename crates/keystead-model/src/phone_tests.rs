use super::*;

fn read(text: &str, country: &str) -> Result<String, String> {
    let country = Country::parse(country).expect("a country");
    PhoneNumber::parse(text, country).map(|number| number.as_str().to_owned()).map_err(|Invalid(problem)| problem)
}

/// Home countries with every habit: trunk prefixes of 0, 8, 06 and none, a code shared by many, numbers that begin with 0.
const HOMES: &[&str] =
    &["US", "CA", "DE", "GB", "FR", "IT", "ES", "BR", "AR", "MX", "IN", "AU", "JP", "CN", "RU", "HU", "ZA"];

/// What `fixtures/phone_examples.py` has written.
struct Example<'l> {
    region: &'l str,
    e164: &'l str,
    national: &'l str,
    international: &'l str,
    bracketed: &'l str,
}

fn examples() -> impl Iterator<Item = Example<'static>> {
    include_str!("../fixtures/phone_examples.tsv").lines().map(|line| {
        let [region, _, e164, national, international, bracketed] =
            line.split('\t').collect::<Vec<_>>().try_into().expect("six columns");
        Example { region, e164, national, international, bracketed }
    })
}

#[test]
fn a_number_in_international_form_is_the_same_in_every_country() {
    for Example { e164, international, bracketed, .. } in examples() {
        for home in HOMES {
            for form in [e164, international, bracketed].into_iter().filter(|form| !form.is_empty()) {
                assert_eq!(read(form, home).as_deref(), Ok(e164), "{form:?} at home in {home}");
            }
        }
    }
    assert!(examples().count() > 1_000);
}

#[test]
fn a_number_in_national_form_is_one_of_its_country() {
    for Example { region, e164, national, .. } in examples() {
        assert_eq!(read(national, region).as_deref(), Ok(e164), "{national:?} in {region}");
    }
}

#[test]
fn what_is_stored_is_read_back_as_it_is() {
    for Example { e164, .. } in examples() {
        let number = PhoneNumber::parse(&format!("{e164} ext. 7"), Country::US).unwrap();
        assert_eq!(number.as_str(), format!("{e164};ext=7"));
        assert_eq!(PhoneNumber::parse(number.as_str(), Country::US), Ok(number.clone()));
        assert_eq!(format!("+{}", number.digits()), e164);
        assert!(number.digits().ends_with(number.national_digits()) && !number.national_digits().is_empty());
    }
}

#[test]
fn numbers_are_read_as_people_write_them() {
    for (text, country, expected) in [
        ("(415) 555-0123", "US", "+14155550123"),
        ("415.555.0123", "US", "+14155550123"),
        ("1 415 555 0123", "US", "+14155550123"),
        ("030 123456", "DE", "+4930123456"),
        ("030/123456", "DE", "+4930123456"),
        ("07400 123456", "GB", "+447400123456"),
        ("tel:+1-415-555-0123", "DE", "+14155550123"),
        ("(+49) 151 23456789", "US", "+4915123456789"),
        ("\u{202a}+49 151 23456789\u{202c}", "US", "+4915123456789"),
        ("\u{ff0b}49 151 23456789", "US", "+4915123456789"),
        ("１２０１５５５０１２３", "US", "+12015550123"),
        // By the exit code of the home country.
        ("011 49 151 23456789", "US", "+4915123456789"),
        ("00 1 415 555 0123", "DE", "+14155550123"),
        ("0011 44 7400 123456", "AU", "+447400123456"),
        // The zero of the trunk prefix goes, the zero of an Italian number stays.
        ("+44 (0)7400 123457", "US", "+447400123457"),
        ("+44 07400 123457", "US", "+447400123457"),
        ("+39 (0)6 12345678", "US", "+390612345678"),
        ("+390612345678", "US", "+390612345678"),
        ("06 12345678", "IT", "+390612345678"),
    ] {
        assert_eq!(read(text, country).as_deref(), Ok(expected), "{text:?} in {country}");
    }
}

#[test]
fn an_extension_is_part_of_the_number() {
    for text in [
        "(201) 555-0123 x11",
        "201-555-0123 ext. 11",
        "2015550123#11",
        "+1 201 555 0123;ext=11",
        "tel:+12015550123;ext=11",
        "+1 (201) 555-0123 extension 11",
        "201.555.0123,,11",
    ] {
        assert_eq!(read(text, "US").as_deref(), Ok("+12015550123;ext=11"), "{text:?}");
    }
    assert_eq!(read("201-555-0123 x１１", "US").as_deref(), Ok("+12015550123;ext=11"), "wide digits");
    assert_eq!(read("030 123456 доб. 11", "DE").as_deref(), Ok("+4930123456;ext=11"));
    assert_ne!(read("201 555 0123 x11", "US"), read("201 555 0123 x12", "US"));
    assert_ne!(read("201 555 0123 x11", "US"), read("201 555 0123", "US"));
}

#[test]
fn words_are_no_digits() {
    assert_eq!(read("1-800-FLOWERS", "US").as_deref(), Ok("+18003569377"), "as it is meant there");
    assert_eq!(read("Tel. 030 123456", "DE").as_deref(), Ok("+4930123456"));
    for text in
        ["0201 1234 oder 5678", "+49 30 1234 Klappe 12", "030 1234 App. 56", "030 1234 abc", "ext. 11 030 123456"]
    {
        assert!(read(text, "DE").is_err(), "{text:?}");
    }
    assert!(read("ext. 11 201-555-0123", "DE").is_err());
}

#[test]
fn what_cannot_be_a_number_is_refused() {
    for text in [
        "",
        "hello",
        "12",
        "911",
        "+",
        "1'; DROP TABLE",
        "+999999999999999999999999",
        "+1201555016",
        "+120155501589999",
        "0049 151 23456789",
        "201-555-0123 / 201-555-0199",
        "2015550123, 2015550199",
        "2015550123 or 2015550199",
        "+1 201 555 0123 x 123456789012345",
        &"1".repeat(1000),
    ] {
        assert!(read(text, "US").is_err_and(|problem| problem.starts_with("must be a valid phone number")), "{text:?}");
    }
    assert_eq!(read("555-0100", "US"), Err("must be a phone number with its area code, such as +14155550123".into()));
}

#[test]
fn countries_without_telephones_are_not_known() {
    assert!(knows(Country::US));
    assert!(Country::parse("AQ").is_err() && Country::parse("XX").is_err());
}
