use super::*;
use crate::{
    contact::ContactProfile,
    tag::TagName,
    text::{EmailAddress, Line},
};

/// Whether a contact with these terms is found.
fn finds(query: &str, terms: &[String]) -> bool {
    let asked = asked(query, Country::US);
    let begins = |prefix: &String| terms.iter().any(|term| term.starts_with(prefix));
    !asked.is_empty() && asked.iter().all(|Asked(any)| any.iter().any(|all| all.iter().all(begins)))
}

fn maria() -> Vec<String> {
    let profile = ContactProfile {
        first_name: Some(Line::parse("María José").unwrap()),
        last_name: Some(Line::parse("O’Brien-Łukasz").unwrap()),
        company_name: Some(Line::parse("The Grand Straße 54 Hotel").unwrap()),
        email: Some(EmailAddress::parse("maria.jose+crm@mail.müller.example").unwrap()),
        phone: Some(PhoneNumber::parse("(201) 555-0150", Country::US).unwrap()),
        additional_emails: vec![EmailAddress::parse("second@other.example").unwrap()],
        additional_phones: vec![PhoneNumber::parse("+49 30 123456", Country::US).unwrap()],
        ..ContactProfile::default()
    };
    profile.search_terms()
}

#[test]
fn people_are_found_as_they_are_searched() {
    let terms = maria();
    for query in [
        "maria",
        "MARÍA",
        "mari\u{301}a",
        "José",
        "jose",
        "o'brien",
        "obrien",
        "O’Brien",
        "brien",
        "lukasz",
        "łukasz",
        "grand",
        "strasse",
        "STRASSE",
        "straße",
        "54",
        "hotel maria",
        "maria.jose+crm@mail.müller.example",
        "maria.jose+crm@mail.xn--mller-kva.example",
        "maria.jose",
        "crm",
        "@mail.müller.example",
        "muller",
        "second@other.example",
        "(201) 555-0150",
        "201-555-0150",
        "+1 201 555 0150",
        "12015550150",
        "2015550150",
        "201 555",
        "555-0150",
        "555 0150",
        "0150",
        "5550150",
        "+49 30 123456",
        "4930123456",
        "030123456",
        "123456",
        "maria 0150",
        "011 49 30 123456",
    ] {
        assert!(finds(query, &terms), "{query:?} in {terms:?}");
    }
}

#[test]
fn what_is_not_there_is_not_found() {
    let terms = maria();
    for query in [
        "",
        " ",
        "-",
        "%",
        "_",
        "*",
        "\"",
        "()",
        "🎉",
        "mariana",
        "aria",
        "bob",
        "0151",
        "150",
        "maria bob",
        "9999",
        "@",
    ] {
        assert!(!finds(query, &terms), "{query:?} in {terms:?}");
    }
}

#[test]
fn scripts_keep_their_vowels() {
    assert_eq!(words("हिन्दी भाषा"), ["हिन्दी", "भाषा"].map(|word| word.nfkd().collect::<String>()));
    assert_eq!(words("が"), ["が".nfkd().collect::<String>()]);
    assert_ne!(words("が"), words("か"));
    assert_eq!(words("ΣΑΣ"), words("σας"));
    assert_eq!(words("İstanbul ısı"), ["istanbul", "isi"]);
    assert_eq!(words("ﬁne Ⅳ"), ["fine", "iv"]);
}

#[test]
fn a_search_is_bounded() {
    assert_eq!(asked(&"a ".repeat(100), Country::US).len(), ASKED_MAX);
    assert_eq!(asked(&"ä".repeat(1000), Country::US), [Asked(vec![vec!["a".repeat(TERM_MAX)]])]);
    assert_eq!(
        TagName::parse("VIP Ärzte").map(|tag| words(tag.as_str())),
        Ok(vec!["vip".to_owned(), "arzte".to_owned()])
    );
}

#[test]
fn a_number_is_found_with_its_extension_and_an_address_with_its_plus_sign_lost() {
    let profile = ContactProfile {
        phone: Some(PhoneNumber::parse("(201) 555-0199 x11", Country::US).unwrap()),
        email: Some(EmailAddress::parse("ada+lists@example.com").unwrap()),
        first_name: Some(Line::parse("Ada").unwrap()),
        ..ContactProfile::default()
    };
    let terms = profile.search_terms();
    for query in ["+12015550199;ext=11", "(201) 555-0199 x11", "12015550199 ext 11", "555-0199"] {
        assert!(finds(query, &terms), "{query}");
    }
    // As a raw plus sign arrives.
    assert!(finds("ada lists@example.com", &terms));
    assert!(!finds("eve lists@example.com", &terms));
    assert!(finds("ada ada+lists@example.com", &terms), "a name beside an address");
}
