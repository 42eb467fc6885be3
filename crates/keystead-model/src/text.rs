//! Newtypes for text with a rule, and the one way to echo somebody's text back.

use std::{borrow::Cow, fmt};

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory},
};
use unicode_normalization::UnicodeNormalization;

use crate::{Invalid, key_secret, phone};

/// One line of text: trimmed, 1 to `MAX` characters of which some can be seen, no control characters, nothing that looks
/// like an API key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line<const MAX: usize>(String);

/// Several lines of text: up to `MAX` characters, line breaks and tabs allowed, other control characters not.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Prose<const MAX: usize>(String);

impl<const MAX: usize> Line<MAX> {
    /// Trims and checks.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Invalid::new("should not be empty"));
        }
        if text.chars().all(is_unseen) {
            return Err(Invalid::new("must have characters that can be seen"));
        }
        checked(text, MAX, false).map(Self)
    }
}

impl<const MAX: usize> Prose<MAX> {
    /// Checks; the text stays as it was sent.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        checked(text, MAX, true).map(Self)
    }
}

/// Left-to-right and right-to-left override.
const OVERRIDES: [char; 2] = ['\u{202d}', '\u{202e}'];

fn checked(text: &str, max: usize, lines: bool) -> Result<String, Invalid> {
    if text.chars().count() > max {
        return Err(Invalid::new(format!("must be shorter than or equal to {max} characters")));
    }
    if text.chars().any(|c| c.is_control() && !(lines && matches!(c, '\n' | '\r' | '\t'))) {
        return Err(Invalid::new("must not contain control characters"));
    }
    // A name that turns round what stands after it says something else than it seems to; what people write at length is shown alone.
    if !lines && text.contains(OVERRIDES) {
        return Err(Invalid::new(
            "must not contain characters that turn round the direction of a text (U+202D, U+202E)",
        ));
    }
    if key_secret::contains_key(text) {
        return Err(Invalid::new("must not contain an API key; deactivate that key, it has left its safe place"));
    }
    Ok(text.to_owned())
}

/// Whether nobody sees a character: white space, joiners, fillers, and what only changes the direction of others.
pub fn is_unseen(c: char) -> bool {
    const BLANK_BRAILLE: char = '\u{2800}';
    c.is_whitespace()
        || c == BLANK_BRAILLE
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        || CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::Format
}

/// Somebody's text among others that are plain: what it says of directions ends with it (in pages `<bdi>` does that).
pub fn isolated(text: &str) -> Cow<'_, str> {
    const FIRST_STRONG_ISOLATE: char = '\u{2068}';
    const POP_ISOLATE: char = '\u{2069}';
    let directs =
        |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if text.contains(directs) { format!("{FIRST_STRONG_ISOLATE}{text}{POP_ISOLATE}").into() } else { text.into() }
}

/// A text as it is compared and searched: in lower case, without what nobody sees, and with one space for each white space.
pub fn folded(text: &str) -> String {
    let seen = text.chars().filter(|c| c.is_whitespace() || !is_unseen(*c)).collect::<String>().to_lowercase();
    seen.split_whitespace().collect::<Vec<_>>().join(" ")
}

macro_rules! text_newtype {
    ($name:ident) => {
        impl<const MAX: usize> $name<MAX> {
            /// A text that was checked when it was stored; checking it again would cost more than reading it.
            pub fn from_stored(text: String) -> Self {
                Self(text)
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text, owned.
            pub fn into_string(self) -> String {
                self.0
            }
        }
        impl<const MAX: usize> fmt::Display for $name<MAX> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl<const MAX: usize> fmt::Debug for $name<MAX> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}
text_newtype!(Line);
text_newtype!(Prose);

/// An e-mail address: the spelling that was sent, and the form that is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Trims and checks the form (RFC 5321 with its lengths, RFC 6531 for other scripts); nobody is asked whether it exists.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let options = email_address::Options::default().without_display_text().without_domain_literal();
        let refused = || Invalid::new("must be an email");
        let (local, domain) = text.rsplit_once('@').ok_or_else(refused)?;
        // Two addresses that look alike are not two people. In domains some joiners have their place, by the rules of IDNA.
        let is_joiner = |c| matches!(c, '\u{200c}' | '\u{200d}');
        if local.chars().any(is_unseen) || domain.chars().any(|c| is_unseen(c) && !is_joiner(c)) {
            return Err(refused());
        }
        // What travels is the domain's A-label, so that is what the rules are for.
        let ascii = idna::domain_to_ascii_strict(domain).map_err(|_| refused())?;
        let travels = format!("{local}@{ascii}");
        if email_address::EmailAddress::parse_with_options(&travels, options.with_required_tld()).is_ok()
            && checked(&travels, 254, false).is_ok()
            && travels.len() <= 254
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(refused())
        }
    }

    /// An address that was checked when it was stored.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// As it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it is compared.
    pub fn normalized(&self) -> String {
        normalized_email(&self.0)
    }

    /// Of one with an international domain, the domain as people read it and as it travels.
    pub fn international_domain(&self) -> Option<[String; 2]> {
        let (_, domain) = self.0.rsplit_once('@')?;
        // Most have none, and each contact that is written is asked.
        let is_label = |begin: &[u8]| begin.eq_ignore_ascii_case(b"xn--");
        if domain.is_ascii() && !domain.as_bytes().windows(4).any(is_label) {
            return None;
        }
        let (read, travels) = (idna::domain_to_unicode(domain).0, idna::domain_to_ascii_strict(domain).ok()?);
        (read != travels).then_some([read, travels])
    }
}

/// An e-mail address as it is compared: in lower case, its domain as A-label, composed (NFC). A text that is no address is
/// only lower-cased; it is nobody's.
pub fn normalized_email(text: &str) -> String {
    let text = text.trim();
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let (local, domain) = text.rsplit_once('@').unwrap_or((text, ""));
    let local: String = local.to_lowercase().nfc().collect();
    match idna::domain_to_ascii_strict(domain) {
        Ok(ascii) if !ascii.is_empty() => format!("{local}@{ascii}"),
        _ => text.to_lowercase(),
    }
}

/// The forms that a part of an e-mail address may have in one that is compared. Of a domain whole labels are known; what has no
/// `@` may be a part of a domain, or stand before it.
pub fn parts_of_email(part: &str) -> Vec<String> {
    let part: String = part.trim().to_lowercase().nfc().collect();
    if part.is_ascii() {
        return vec![part];
    }
    let travels = |domain: &str| {
        let label = |label: &str| idna::domain_to_ascii_strict(label).unwrap_or_else(|_| label.to_owned());
        domain.split('.').map(label).collect::<Vec<_>>().join(".")
    };
    match part.rsplit_once('@') {
        Some((local, domain)) => vec![format!("{local}@{}", travels(domain))],
        None => {
            let in_domain = travels(&part);
            if in_domain == part { vec![part] } else { vec![part, in_domain] }
        }
    }
}

/// A country: ISO 3166-1 alpha-2, upper case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Country([u8; 2]);

impl Country {
    /// What a location has unless it says otherwise.
    pub const US: Self = Self(*b"US");

    /// Reads two letters of either case; they must name a country that has telephone numbers.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let refused = || Invalid::new("must be a valid ISO 3166-1 alpha-2 country code, such as US");
        let code: [u8; 2] = text.trim().to_ascii_uppercase().as_bytes().try_into().map_err(|_| refused())?;
        let code = Self(code);
        if phone::knows(code) { Ok(code) } else { Err(refused()) }
    }

    /// A country that was checked when it was stored; `None` if it is not even two letters.
    pub fn from_stored(text: &str) -> Option<Self> {
        text.as_bytes().try_into().ok().map(Self)
    }

    /// `"US"`.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("US")
    }
}

/// An IANA time zone, `Europe/Berlin`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TimeZoneName(String);

impl TimeZoneName {
    /// What a location has unless it says otherwise.
    pub fn utc() -> Self {
        Self("UTC".to_owned())
    }

    /// Must be in the time zone database.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        match jiff::tz::db().get(text) {
            Ok(zone) => Ok(Self(zone.iana_name().unwrap_or(text).to_owned())),
            Err(_) => Err(Invalid::new("must be a time zone by its name, such as Europe/Berlin")),
        }
    }

    /// A name that was checked when it was stored.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its rules. A name that the time zone database has lost since it was stored is UTC.
    pub fn to_zone(&self) -> jiff::tz::TimeZone {
        jiff::tz::db().get(&self.0).unwrap_or(jiff::tz::TimeZone::UTC)
    }
}

/// All IANA names, sorted.
pub fn time_zone_names() -> Vec<String> {
    let mut names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    names.sort_unstable();
    names
}

/// Somebody's text, fit to be shown to them again in a message: keys masked, control characters replaced, short.
pub fn echo(text: &str) -> String {
    const SHOWN: usize = 120;
    let masked = key_secret::mask_keys(text);
    let masked = key_secret::mask_tokens(&masked);
    let mut shown: String = masked.chars().take(SHOWN).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if masked.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_trimmed_and_bounded() {
        assert_eq!(Line::<5>::parse("  abc ").unwrap().as_str(), "abc");
        for refused in ["", "   ", "abcdef", "a\nb", "a\0b"] {
            assert!(Line::<5>::parse(refused).is_err(), "{refused:?}");
        }
        assert!(Line::<5>::parse("äöüßé").is_ok(), "characters count, not bytes");
        assert!(Prose::<9>::parse("a\nb\tc").is_ok());
        assert!(Prose::<9>::parse("a\0").is_err());
    }

    #[test]
    fn a_line_can_be_seen() {
        // No-break spaces, zero width, fillers, marks and overrides of direction, tags, an empty cell of Braille.
        for refused in [
            "\u{a0}\u{2003}",
            "\u{200b}",
            "\u{200d}\u{feff}",
            "\u{3164}",
            "\u{115f}\u{ffa0}",
            "\u{202e}",
            "\u{2067}\u{2069}",
            "\u{61c}",
            "\u{ad}",
            "\u{2060}\u{180e}",
            "\u{fe0f}",
            "\u{e0041}\u{e007f}",
            "\u{fff9}\u{fffb}",
            "\u{2800} \u{2800}",
        ] {
            assert!(Line::<64>::parse(refused).is_err(), "{}", refused.escape_unicode());
        }
        // Among others they have their uses.
        for turned in ["\u{202e}gnirps", "Website \u{202e}evil", "a\u{202d}b"] {
            assert!(Line::<100>::parse(turned).is_err(), "{turned:?}");
            assert!(Prose::<100>::parse(turned).is_ok(), "{turned:?}");
        }
        for kept in ["\u{2067}gnirps", "👩\u{200d}👧", "می\u{200c}خواهم", "क्\u{200d}ष", "\u{200f}עברית"]
        {
            assert_eq!(Line::<64>::parse(kept).unwrap().as_str(), kept);
        }
        assert_eq!(isolated("\u{202e}gnirps"), "\u{2068}\u{202e}gnirps\u{2069}");
        assert_eq!(isolated("spring"), "spring");
        assert_eq!(folded(" Spring\u{200b}  \u{202e}CAMPAIGN\u{a0}2 "), "spring campaign 2");
    }

    #[test]
    fn emails_keep_their_spelling_and_compare_in_lower_case() {
        let email = EmailAddress::parse(" Ada@Example.COM ").unwrap();
        assert_eq!(email.as_str(), "Ada@Example.COM");
        assert_eq!(email.normalized(), "ada@example.com");
        for refused in ["", "ada", "ada@", "@example.com", "ada@localhost", "ada@exa mple.com", "Ada <ada@example.com>"]
        {
            assert!(EmailAddress::parse(refused).is_err(), "{refused:?}");
        }
    }

    #[test]
    fn international_addresses_are_compared_by_what_travels() {
        let normalized = |text: &str| EmailAddress::parse(text).map(|email| email.normalized());
        for (text, same_as) in [
            ("info@müller.example", "info@xn--mller-kva.example"),
            ("Info@MÜLLER.example", "info@xn--mller-kva.example"),
            ("INFO@xn--mller-kva.example", "info@xn--mller-kva.example"),
            // A u with its dots apart.
            ("info@mu\u{308}ller.example", "info@xn--mller-kva.example"),
            ("用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v"),
            ("JÖRG@example.com", "jörg@example.com"),
            ("jo\u{308}rg@example.com", "jörg@example.com"),
        ] {
            assert_eq!(normalized(text).as_deref(), Ok(same_as), "{text}");
        }
        assert_eq!(EmailAddress::parse("info@müller.example").unwrap().as_str(), "info@müller.example");
        for refused in
            ["info@mül ler.example", "info@-müller.example", "info@müller", "@müller.example", "info@.example"]
        {
            assert!(EmailAddress::parse(refused).is_err(), "{refused:?}");
        }
        for refused in
            ["\u{200b}a@example.com", "a\u{202e}@example.com", "a\u{ad}b@example.com", "a@exa\u{200b}mple.com"]
        {
            assert!(EmailAddress::parse(refused).is_err(), "{}", refused.escape_unicode());
        }
        assert!(EmailAddress::parse(&format!("a@{}.example", "ü".repeat(70))).is_err());
        assert_eq!(normalized_email(" Nobody At All "), "nobody at all");
    }

    #[test]
    fn a_part_of_an_address_is_known_by_its_labels() {
        for (part, forms) in [
            ("Müller.example", &["müller.example", "xn--mller-kva.example"][..]),
            ("mu\u{308}ller", &["müller", "xn--mller-kva"]),
            ("@MÜLLER", &["@xn--mller-kva"]),
            ("jörg@müller.", &["jörg@xn--mller-kva."]),
            ("jörg@", &["jörg@"]),
            ("Info@EXAMPLE", &["info@example"]),
            ("xn--mller-kva", &["xn--mller-kva"]),
            ("ü b", &["ü b"]),
        ] {
            assert_eq!(parts_of_email(part), forms, "{part}");
        }
        // A whole address is itself.
        for whole in ["Info@MÜLLER.example", "用户@例子.广告", "JO\u{308}RG@example.com"] {
            assert_eq!(parts_of_email(whole), [normalized_email(whole)]);
        }
    }

    #[test]
    fn countries_and_zones_are_real() {
        assert_eq!(Country::parse("de").unwrap().as_str(), "DE");
        assert!(Country::parse("XX").is_err());
        assert!(Country::parse("DEU").is_err());
        assert_eq!(TimeZoneName::parse("europe/berlin").unwrap().as_str(), "Europe/Berlin");
        assert!(TimeZoneName::parse("Mars/Base").is_err());
        assert!(time_zone_names().len() > 300);
    }

    #[test]
    fn an_echo_is_short_and_masked() {
        assert_eq!(echo("a\u{0}b"), "a\u{fffd}b");
        assert_eq!(echo(&"x".repeat(500)).chars().count(), 121);
        assert!(
            !echo("ks_agency_000000000000_000000000000000000000000000000002I50oW")
                .contains("00000000000000000000000000000000")
        );
    }
}
