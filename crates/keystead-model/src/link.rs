//! Trigger links: addresses of ours that lead to one of somebody else's, so that it is known who went there.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::{Invalid, LinkId, LocationId, UtcMs, id::Id, location::set, merge_field, text::Line, time::DAY_MS};

/// A trigger link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its id.
    pub id: LinkId,
    /// The location that has it.
    pub location: LocationId,
    /// What it is known by in its address, `/l/{slug}`: of no other link of the instance.
    pub slug: Slug,
    /// What its author writes.
    pub content: LinkContent,
    /// Clicks of people, as far as they were judged.
    pub humans: i64,
    /// When it was made.
    pub created_at: UtcMs,
    /// When it was last changed.
    pub updated_at: UtcMs,
}

/// The part of a link that its author writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkContent {
    /// Its name.
    pub name: Line<200>,
    /// Where it leads.
    pub redirect_to: Destination,
    /// Whether it leads there.
    pub status: LinkStatus,
    /// Until when it does.
    pub expires_at: Option<UtcMs>,
    /// After how many clicks of people it does no more.
    pub max_clicks: Option<i64>,
    /// Where it leads then; without one, it says that it is over.
    pub fallback: Option<Destination>,
    /// Whether it shows a button first, and counts only who presses it: no scanner does.
    pub confirm: bool,
    /// How often a click starts something.
    pub fire: FirePolicy,
}

impl LinkContent {
    /// With everything but its name and where it leads as it is unless somebody says otherwise.
    pub fn new(name: Line<200>, redirect_to: Destination) -> Self {
        Self {
            name,
            redirect_to,
            status: LinkStatus::Active,
            expires_at: None,
            max_clicks: None,
            fallback: None,
            confirm: false,
            fire: FirePolicy::FirstPerContact,
        }
    }
}

/// A change of a link, or a new one; `None` leaves a thing as it is, or as it is usually. By the wire contract whoever changes a link
/// always names it and says where it leads.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of Link")]
pub struct LinkPatch {
    pub name: Line<200>,
    pub redirect_to: Destination,
    pub slug: Option<Slug>,
    pub status: Option<LinkStatus>,
    pub expires_at: Option<Option<UtcMs>>,
    pub max_clicks: Option<Option<i64>>,
    pub fallback: Option<Option<Destination>>,
    pub confirm: Option<bool>,
    pub fire: Option<FirePolicy>,
}

impl LinkPatch {
    /// Of what every change says.
    pub fn new(name: Line<200>, redirect_to: Destination) -> Self {
        Self {
            name,
            redirect_to,
            slug: None,
            status: None,
            expires_at: None,
            max_clicks: None,
            fallback: None,
            confirm: None,
            fire: None,
        }
    }

    /// Changes a link, of which this is the address and what its author wrote.
    pub fn apply(self, own: &mut Slug, content: &mut LinkContent) {
        let Self { name, redirect_to, slug, status, expires_at, max_clicks, fallback, confirm, fire } = self;
        (content.name, content.redirect_to) = (name, redirect_to);
        set(own, slug);
        set(&mut content.status, status);
        set(&mut content.expires_at, expires_at);
        set(&mut content.max_clicks, max_clicks);
        set(&mut content.fallback, fallback);
        set(&mut content.confirm, confirm);
        set(&mut content.fire, fire);
    }
}

impl Link {
    /// What stands for it in texts.
    pub fn field_key(&self) -> String {
        format!("{{{{trigger_link.{}}}}}", self.id)
    }

    /// Whether it leads where it is to lead, as far as it is known who went there.
    pub fn is_open(&self, now: UtcMs) -> bool {
        let LinkContent { status, expires_at, max_clicks, .. } = &self.content;
        *status == LinkStatus::Active
            && expires_at.is_none_or(|end| now < end)
            && max_clicks.is_none_or(|most| self.humans < most)
    }
}

/// Whether a link leads anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkStatus {
    /// It does.
    Active,
    /// Somebody has switched it off.
    Disabled,
}

impl LinkStatus {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Active, Self::Disabled];

    /// `"active"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }

    /// Reads [`LinkStatus::as_str`].
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == text);
        known.ok_or_else(|| Invalid::new("must be active or disabled"))
    }
}

/// How often the clicks of a contact on a link start something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirePolicy {
    /// The first does.
    FirstPerContact,
    /// Each does.
    Every,
    /// One within 24 hours does.
    Daily,
}

impl FirePolicy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::FirstPerContact, Self::Every, Self::Daily];

    /// `"first_per_contact"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstPerContact => "first_per_contact",
            Self::Every => "every",
            Self::Daily => "daily",
        }
    }

    /// Reads [`FirePolicy::as_str`].
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == text);
        known.ok_or_else(|| Invalid::new("must be first_per_contact, every or daily"))
    }

    /// After how long the next click of a contact starts something, where one has; `None` for never.
    pub const fn again_after(self) -> Option<i64> {
        match self {
            Self::FirstPerContact => None,
            Self::Every => Some(0),
            Self::Daily => Some(DAY_MS),
        }
    }
}

/// What a link is known by in its address: small letters, digits and hyphens, so that it can be read out and typed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slug(String);

impl Slug {
    /// Characters of one.
    pub const LENGTH: std::ops::RangeInclusive<usize> = 3..=60;

    /// Reads one, whatever the size of its letters.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim().to_ascii_lowercase();
        let suits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !Self::LENGTH.contains(&text.len()) || !text.chars().all(suits) {
            return Err(Invalid::new("must have 3 to 60 letters, digits and hyphens, such as spring-offer"));
        }
        if text.starts_with('-') || text.ends_with('-') {
            return Err(Invalid::new("must begin and end with a letter or a digit"));
        }
        Ok(Self(text))
    }

    /// One that nobody chose: of as many digits of an id as no other has, without those that look like others.
    pub fn of_id<T>(id: &Id<T>) -> Self {
        let easy = |c: &char| c.is_ascii_alphanumeric() && !matches!(c, 'i' | 'l' | 'o' | '0' | '1');
        // The last ones are random.
        let digits = id.as_str().chars().rev().take(12).map(|c| c.to_ascii_lowercase()).filter(easy);
        Self(digits.take(8).collect())
    }

    /// One that was checked when it was stored.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// As it stands in the address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a link leads: an `http` or `https` address in which fields may stand as `{{contact.first_name}}`, after its host; or
/// one `{{custom_values.x}}`, which is judged when somebody goes there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination(String);

/// Characters of a destination.
const MAX: usize = 2_000;

impl Destination {
    /// Checks. Nobody is asked whether anything is there.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let line = Line::<MAX>::parse(text)?.into_string();
        let parts = pieces(&line)?;
        if let [Piece::Field(name)] = parts[..] {
            return if merge_field::custom_value(name).is_some() {
                Ok(Self(line))
            } else {
                Err(Invalid::new("must be an address; only a custom value may be all of it"))
            };
        }
        let Some(Piece::Text(first)) = parts.first() else { return Err(no_address()) };
        let begin = ["http://", "https://"]
            .iter()
            .find(|scheme| first.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme)));
        let Some(begin) = begin else { return Err(no_address()) };
        // Browsers pass over slashes before a host, and take a backslash for one.
        let host_ends = first[begin.len()..].find(['/', '?', '#', '\\']);
        if host_ends == Some(0) || line.contains('\\') {
            return Err(no_address());
        }
        if host_ends.is_none() && parts.len() > 1 {
            return Err(Invalid::new("must name its host without fields, which may stand after it only"));
        }
        // Read as browsers do, with something harmless where fields stand.
        let read: String = parts.iter().map(|part| if let Piece::Text(text) = part { text } else { "x" }).collect();
        let url = Url::parse(&read).map_err(|_| no_address())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Invalid::new("must not have a user name before its host, which hides where it leads"));
        }
        if read.contains(char::is_whitespace) || !url.has_host() {
            return Err(no_address());
        }
        Ok(Self(line))
    }

    /// One that was checked when it was stored.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// As it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a field is all of it.
    pub fn is_field(&self) -> bool {
        matches!(pieces(&self.0).unwrap_or_default()[..], [Piece::Field(_)])
    }

    /// Whether it leads to an address of ours, or to one that begins with that and a slash, whatever stands in its fields.
    pub fn leads_to(&self, own: &str) -> bool {
        let parts = pieces(&self.0).unwrap_or_default();
        let (Ok(to), Ok(own)) = (Url::parse(&filled(&parts, |_| "x".to_owned())), Url::parse(own)) else {
            return false;
        };
        let place = |url: &Url| (url.host_str().map(str::to_owned), url.port_or_known_default());
        let rest = to.path().get(..own.path().len()).filter(|begin| begin.eq_ignore_ascii_case(own.path()));
        let rest = rest.and(to.path().get(own.path().len()..));
        place(&to) == place(&own) && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Names of the fields that stand in it.
    pub fn fields(&self) -> Vec<&str> {
        let field = |piece| if let Piece::Field(name) = piece { Some(name) } else { None };
        pieces(&self.0).unwrap_or_default().into_iter().filter_map(field).collect()
    }

    /// The address to go to, with what `value` says of each field; what it knows nothing of is empty. `None` where that is no
    /// address: of a custom value, anybody may have made anything since.
    pub fn render(&self, value: impl Fn(&str) -> Option<String>) -> Option<String> {
        let mut parts = pieces(&self.0).ok()?;
        let whole;
        if let [Piece::Field(name)] = parts[..] {
            whole = Self::parse(value(name)?.trim()).ok()?;
            parts = pieces(whole.as_str()).ok()?;
            // One custom value in another would be asked for without end.
            if matches!(parts[..], [Piece::Field(_)]) {
                return None;
            }
        }
        let url = Url::parse(&filled(&parts, |name| value(name).unwrap_or_default())).ok()?;
        ["http", "https"].contains(&url.scheme()).then(|| url.into())
    }
}

/// What a field may hold that would mean something in an address, or end it.
const NOT_IN_ADDRESSES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An address with what `value` says in the place of each field. Nothing in it has a meaning there: what would be `.` or `..` between
/// two slashes leads up, however it is written, so a part of the path that comes to that with a value in it is left empty.
pub(crate) fn filled(parts: &[Piece<'_>], value: impl Fn(&str) -> String) -> String {
    let (mut address, mut begin, mut has_value, mut is_path) = (String::new(), 0, false, true);
    let end = |address: &mut String, begin: usize, has_value: bool| {
        if has_value && leads_up(&address[begin..]) {
            address.truncate(begin);
        }
    };
    for part in parts {
        let text = match part {
            Piece::Field(name) => {
                has_value = true;
                address.extend(utf8_percent_encode(&value(name), NOT_IN_ADDRESSES));
                continue;
            }
            Piece::Text(text) => text,
        };
        for c in text.chars() {
            if is_path && matches!(c, '/' | '?' | '#') {
                end(&mut address, begin, has_value);
                (begin, has_value, is_path) = (address.len() + 1, false, c == '/');
            }
            address.push(c);
        }
    }
    if is_path {
        end(&mut address, begin, has_value);
    }
    address
}

/// Whether browsers take a part of a path for this directory, or the one above it.
fn leads_up(part: &str) -> bool {
    matches!(part.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

fn no_address() -> Invalid {
    Invalid::new("must be an address that begins with http:// or https://")
}

/// A part of a text with fields in it.
#[derive(Debug, PartialEq)]
pub(crate) enum Piece<'t> {
    Text(&'t str),
    /// The name between the braces.
    Field(&'t str),
}

/// The parts of a text, in their order.
pub(crate) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Invalid> {
    let suits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '[' | ']');
    pieces_with(text, |name| match name.chars().all(suits) && !name.is_empty() {
        true => Ok(()),
        false => Err(Invalid::new("must name a field between {{ and }}, such as {{contact.first_name}}")),
    })
}

/// The same, where fields have names of their own. What stands in quotes within a name does not end it.
pub(crate) fn pieces_with(
    mut text: &str,
    check: impl Fn(&str) -> Result<(), Invalid>,
) -> Result<Vec<Piece<'_>>, Invalid> {
    let mut pieces = Vec::new();
    while let Some((before, rest)) = text.split_once("{{") {
        let end = end_of_name(rest).ok_or_else(|| Invalid::new("has a {{ without its }}"))?;
        let name = rest[..end].trim();
        check(name)?;
        pieces.extend((!before.is_empty()).then_some(Piece::Text(before)));
        pieces.push(Piece::Field(name));
        text = &rest[end + 2..];
    }
    pieces.extend((!text.is_empty()).then_some(Piece::Text(text)));
    Ok(pieces)
}

/// Where the first braces stand that are in no quotes, which are as in JSON.
fn end_of_name(text: &str) -> Option<usize> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (place, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '}' if !is_quoted && text[place..].starts_with("}}") => return Some(place),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_web_are_taken_as_they_are() {
        for text in [
            "https://www.example.com/",
            "http://example.com",
            "HTTPS://Example.com/Path?a=b&c=%20d#e",
            "https://example.com:8443/a",
            "https://müller.example/ä",
            "https://[2001:db8::1]/",
            "https://example.com/{{contact.id}}?name={{ contact.first_name }}#{{custom_values.x}}",
            "https://example.com?x={{contact.email}}",
            "{{custom_values.landing_page}}",
            "{{ custom_value.landing_page }}",
            "https://example.com/@user",
            "https://example.com/a?b=user@example.com",
        ] {
            assert_eq!(Destination::parse(text).map(|to| to.as_str().to_owned()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_leads_elsewhere_than_it_seems_is_refused() {
        for text in [
            "",
            "example.com",
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java\tscript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "ftp://example.com",
            "mailto:a@example.com",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "http:/\\evil.example",
            "https:example.com",
            "https:///example.com",
            "https://",
            "https://?x",
            "https://good.example@evil.example/",
            "https://good.example:80@evil.example/",
            "https://:x@evil.example/",
            "https://good.example\\@evil.example/",
            "https://example.com\r\nSet-Cookie: a=b",
            "https://exa mple.com/",
            "https://example.com/a b",
            "https://{{contact.website}}",
            "https://host{{contact.x}}",
            "https://host{{contact.x}}/path",
            "https://{{custom_values.host}}/path",
            "{{contact.website}}",
            "{{custom_values.a}}{{custom_values.b}}",
            "{{custom_values.a}}/path",
            "{{custom_values.}}",
            "ht{{contact.x}}tps://example.com/",
            "https://example.com/{{contact.x",
            "https://example.com/{{}}",
            "https://example.com/{{contact.x;drop}}",
            "https://example.com:99999/",
            "https://256.1.1.1/",
        ] {
            assert!(Destination::parse(text).is_err(), "{text:?}");
        }
        assert!(Destination::parse(&format!("https://example.com/{}", "x".repeat(MAX))).is_err());
    }

    #[test]
    fn what_stands_in_fields_leads_nowhere_else() {
        let to = |text: &str, value: &str| Destination::parse(text).unwrap().render(|_| Some(value.to_owned()));
        let of = |value| to("https://example.com/{{contact.city}}?a={{contact.email}}#{{contact.x}}", value);
        assert_eq!(of("x-1").as_deref(), Some("https://example.com/x-1?a=x-1#x-1"));
        assert_eq!(of("a b&c=d/../?#@\r\n").as_deref().map(|url| url.matches("%2F").count()), Some(6));
        for value in ["//evil.example/", "?a=b", "#x", "\r\nSet-Cookie: a=b", "@evil.example", "/../../", "ä\0", "%2e"]
        {
            let url = of(value).unwrap();
            assert!(url.starts_with("https://example.com/") && url.is_ascii(), "{url}");
            assert_eq!(url.matches(['?', '#', '@', '&']).count(), 2, "{url}");
            assert!(!url.contains(['\r', '\n', ' ']), "{url}");
        }
        assert_eq!(to("https://müller.example/ä", "").as_deref(), Some("https://xn--mller-kva.example/%C3%A4"));
        // Nothing is known of it.
        let empty = Destination::parse("https://example.com/?a={{contact.x}}").unwrap().render(|_| None);
        assert_eq!(empty.as_deref(), Some("https://example.com/?a="));
    }

    #[test]
    fn what_leads_to_itself_is_known_however_it_is_written() {
        let own = "https://crm.example/l/spring-offer";
        for (text, leads) in [
            ("https://crm.example/l/spring-offer", true),
            ("https://CRM.example:443/l/Spring-Offer/?a={{contact.email}}", true),
            ("https://crm.example/l/x/../spring-offer/{{contact.id}}#a", true),
            ("https://crm.example/l/spring-offers", false),
            ("https://crm.example/l/spring", false),
            ("https://crm.example/", false),
            ("https://other.example/l/spring-offer", false),
            ("{{custom_values.landing}}", false),
        ] {
            assert_eq!(Destination::parse(text).unwrap().leads_to(own), leads, "{text}");
        }
        assert!(
            !Destination::parse("https://crm.example/").unwrap().leads_to("/l/x"),
            "where nobody knows where we are"
        );
    }

    #[test]
    fn no_value_leads_up() {
        let to =
            |text: &str, value: &str| Destination::parse(text).unwrap().render(|_| Some(value.to_owned())).unwrap();
        let one = "https://a.example/u/{{contact.first_name}}/x";
        for value in [".", ".."] {
            assert_eq!(to(one, value), "https://a.example/u//x", "{value}");
            assert_eq!(to("https://a.example/u/{{contact.x}}", value), "https://a.example/u/", "{value}");
            assert_eq!(
                to("https://a.example/u/{{contact.x}}?a={{contact.x}}", value),
                format!("https://a.example/u/?a={value}")
            );
            assert_eq!(to("https://a.example/u/{{contact.x}}#..", value), "https://a.example/u/#..");
        }
        // What means a dot in an address means none in a value.
        for value in ["%2e", "%2E%2e", ".%2e"] {
            assert!(to(one, value).starts_with("https://a.example/u/") && to(one, value).ends_with("/x"), "{value}");
        }
        // Of several values, or with what stands there.
        for text in ["{{contact.x}}{{contact.y}}", ".{{contact.x}}", "%2e{{contact.x}}", "{{contact.x}}%2E"] {
            let whole = format!("https://a.example/u/{text}/x");
            assert_eq!(to(&whole, "."), "https://a.example/u//x", "{text}");
        }
        assert_eq!(to("https://a.example/u/{{contact.x}}/x", "..."), "https://a.example/u/.../x");
        assert_eq!(to("https://a.example/u/v{{contact.x}}/x", ".."), "https://a.example/u/v../x");
        assert_eq!(to("https://a.example/u/../{{contact.x}}", "a"), "https://a.example/a", "its author may");
    }

    #[test]
    fn a_custom_value_is_judged_when_somebody_goes_there() {
        let to = |value: &str| {
            let asked = |name: &str| match name {
                "custom_values.x" => Some(value.to_owned()),
                _ => Some("Ada".to_owned()),
            };
            Destination::parse("{{custom_values.x}}").unwrap().render(asked)
        };
        assert_eq!(to(" https://example.com/?a={{contact.x}} ").as_deref(), Some("https://example.com/?a=Ada"));
        for value in [
            "",
            "javascript:alert(1)",
            "//evil.example",
            "https://a@b.example/",
            "{{custom_values.x}}",
            "{{contact.x}}",
            "x",
        ] {
            assert_eq!(to(value), None, "{value}");
        }
        assert_eq!(Destination::parse("{{custom_values.x}}").unwrap().render(|_| None), None);
    }

    #[test]
    fn slugs_are_what_can_be_typed() {
        for (text, slug) in [("Spring-26", "spring-26"), (" abc ", "abc"), ("0a1", "0a1")] {
            assert_eq!(Slug::parse(text).unwrap().as_str(), slug);
        }
        for bad in ["", "ab", "-abc", "abc-", "a b", "a/b", "ä-b", "a.b", "%41bc", &"x".repeat(61)] {
            assert!(Slug::parse(bad).is_err(), "{bad}");
        }
        let made = Slug::of_id(&Id::<()>::parse("0aQ7cXkPTm9Rb4Vw6Yz4").unwrap());
        assert_eq!(Slug::parse(made.as_str()), Ok(made));
    }
}
