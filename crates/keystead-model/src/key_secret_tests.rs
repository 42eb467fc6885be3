use std::borrow::Cow;

use proptest::prelude::*;

use super::*;

fn counting() -> impl FnMut(&mut [u8]) {
    let mut next = 0u8;
    move |pool: &mut [u8]| {
        for byte in pool {
            next = next.wrapping_mul(31).wrapping_add(17);
            *byte = next;
        }
    }
}

fn sample(kind: KeyKind) -> KeySecret {
    let mut random = counting();
    let id = KeyId::generate(&mut random);
    KeySecret::generate(kind, id, random)
}

#[test]
fn a_secret_has_the_published_form() {
    for kind in [KeyKind::Agency, KeyKind::Location] {
        let secret = sample(kind);
        let parts: Vec<_> = secret.expose().split('_').collect();
        assert_eq!(parts[0], "ks");
        assert_eq!(parts[1], kind.as_str());
        assert_eq!(parts[2].len(), 12);
        assert_eq!(parts[3].len(), 38);
        let presented = PresentedKey::parse(secret.expose()).expect("parses");
        assert_eq!(presented.kind, kind);
        assert_eq!(presented.id.as_str(), parts[2]);
    }
}

/// Test vectors of `docs/key-format.md`: other programs compute the same checksum.
#[test]
fn the_published_vectors_hold() {
    for (body, sum) in [
        ("ks_location_Hq3vT0bZk9Wd_8sFvN1cQyT5rLz0aGmXe4UoKpBi7WdJh", "3Qdrl0"),
        ("ks_agency_000000000000_00000000000000000000000000000000", "2I50oW"),
    ] {
        assert_eq!(std::str::from_utf8(&checksum(body.as_bytes())), Ok(sum), "{body}");
        assert!(PresentedKey::parse(&format!("{body}{sum}")).is_some());
    }
}

#[test]
fn every_single_changed_character_is_noticed() {
    let secret = sample(KeyKind::Location);
    let text = secret.expose();
    for position in 0..text.len() {
        for other in b"0aZ_-\0\xc3".iter().copied().filter(|other| *other != text.as_bytes()[position]) {
            let mut changed = text.as_bytes().to_vec();
            changed[position] = other;
            if let Ok(changed) = std::str::from_utf8(&changed) {
                assert!(PresentedKey::parse(changed).is_none(), "{position}: {changed}");
            }
        }
    }
}

#[test]
fn what_is_no_key_is_told_from_what_is_nearly_one() {
    let secret = sample(KeyKind::Location);
    let text = secret.expose();
    for (text, wanted) in [
        (text[..text.len() - 4].to_owned(), NotAKey::Short(4)),
        ("ks_agency_".to_owned(), NotAKey::Short(12 + 1 + TAIL)),
        (format!("{text}0"), NotAKey::Extended),
        (format!("'{text}'"), NotAKey::Extended),
        (format!("{text}, {text}"), NotAKey::Extended),
        (masked(KeyKind::Location, PresentedKey::parse(text).unwrap().id, "x9Qa"), NotAKey::Masked),
        (format!("ks_location_{}", "*".repeat(51)), NotAKey::Masked),
        (text.replace("ks_location", "ks_agency"), NotAKey::Mistyped),
        (text.to_uppercase(), NotAKey::Other),
        (String::new(), NotAKey::Other),
        ("ks_location_ä".repeat(9), NotAKey::Mistyped),
    ] {
        assert!(PresentedKey::parse(&text).is_none());
        assert_eq!(NotAKey::of(&text), wanted, "{text}");
    }
}

#[test]
fn masks_hide_the_secret_and_keep_the_id() {
    let secret = sample(KeyKind::Agency);
    let line = format!("GET /x?key={} and {} again", secret.expose(), secret.expose());
    let shown = mask_keys(&line);
    assert!(!shown.contains(&secret.expose()[25..]));
    assert_eq!(shown.matches('…').count(), 2);
    assert!(shown.starts_with("GET /x?key=ks_agency_"));
    assert!(shown.ends_with("… again"));
    assert!(matches!(mask_keys("ks_location_short_1"), Cow::Borrowed(_)));
    assert!(contains_key(secret.expose()));
    assert!(contains_key(&secret.expose()[..40]), "half a secret is a secret");
    assert!(!contains_key("ks_agency_Hq3vT0bZk9Wd_…x9Qa"));
}

proptest! {
    #[test]
    fn parsing_and_masking_take_any_text(text in ".{0,200}", cut in 0usize..80) {
        let _ = (PresentedKey::parse(&text), NotAKey::of(&text));
        let secret = sample(KeyKind::Location);
        let tail = &secret.expose()[25..];
        let mixed = format!("{text}{}{}", secret.expose(), text.chars().take(cut).collect::<String>());
        prop_assert!(!mask_keys(&mixed).contains(tail));
    }
}

#[test]
fn masks_read_what_is_encoded() {
    let secret = sample(KeyKind::Location);
    let tail = &secret.expose()[25..];
    for underscore in ["%5F", "%5f", "%255F", "%25255f", "%2525252525255F"] {
        let text = format!("/contacts/{}/x%20y", secret.expose().replace('_', underscore));
        assert!(contains_key(&text), "{text}");
        let shown = mask_keys(&text);
        assert!(!shown.contains(tail), "{shown}");
        assert!(shown.starts_with("/contacts/ks_location_") && shown.ends_with("…/x y"), "{shown}");
    }
    // Encoded in places, and plain beside it.
    let text = format!("{} {}", secret.expose(), secret.expose().replace("ks_", "%6bs%5F"));
    assert!(!mask_keys(&text).contains(tail), "{}", mask_keys(&text));
    assert_eq!(mask_keys("/50%/a%20b%zz"), "/50%/a%20b%zz");
}
