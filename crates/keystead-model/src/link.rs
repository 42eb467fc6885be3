//! Trigger links: addresses of ours that lead to one of somebody else's, so that it is known who went there.

use url::Url;

use crate::{Invalid, LinkId, LocationId, UtcMs, text::Line};

/// A trigger link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its id.
    pub id: LinkId,
    /// The location that has it.
    pub location: LocationId,
    /// What its author writes.
    pub content: LinkContent,
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
}

impl Link {
    /// What stands for it in texts.
    pub fn field_key(&self) -> String {
        format!("{{{{trigger_link.{}}}}}", self.id)
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
            return if is_custom_value(name) {
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
}

fn no_address() -> Invalid {
    Invalid::new("must be an address that begins with http:// or https://")
}

/// A part of a text with fields.
#[derive(Debug, PartialEq)]
enum Piece<'t> {
    Text(&'t str),
    /// The name between the braces.
    Field(&'t str),
}

fn pieces(mut text: &str) -> Result<Vec<Piece<'_>>, Invalid> {
    let mut pieces = Vec::new();
    while let Some((before, rest)) = text.split_once("{{") {
        let (name, after) = rest.split_once("}}").ok_or_else(|| Invalid::new("has a {{ without its }}"))?;
        let name = name.trim();
        let suits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty() || !name.chars().all(suits) {
            return Err(Invalid::new("must name a field between {{ and }}, such as {{contact.first_name}}"));
        }
        pieces.extend((!before.is_empty()).then_some(Piece::Text(before)));
        pieces.push(Piece::Field(name));
        text = after;
    }
    pieces.extend((!text.is_empty()).then_some(Piece::Text(text)));
    Ok(pieces)
}

/// Both APIs have a name for them.
fn is_custom_value(name: &str) -> bool {
    let key = name.strip_prefix("custom_values.").or_else(|| name.strip_prefix("custom_value."));
    key.is_some_and(|key| !key.is_empty())
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
}
