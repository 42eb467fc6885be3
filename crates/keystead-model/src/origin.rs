//! Sites whose pages may use an API key in a browser.

use std::collections::BTreeSet;

use url::Url;

use crate::{
    Invalid,
    grant::Grant,
    key_kind::KeyKind,
    scope::{Preset, Scope},
    text::echo,
};

/// Origins of sites, each as browsers send it: `https://shop.example.com`. None where a key is for programs alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(BTreeSet<String>);

impl Origins {
    /// Most of them.
    pub const MOST: usize = 10;

    /// Reads origins. Browsers send them in one form alone, so nothing else would ever match.
    pub fn parse<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self, Invalid> {
        let texts = texts.into_iter().map(str::trim).filter(|text| !text.is_empty());
        let origins = texts.map(|text| parse(text).map(|()| text.to_owned())).collect::<Result<BTreeSet<_>, _>>()?;
        if origins.len() > Self::MOST {
            return Err(Invalid::new(format!("must not have more than {}", Self::MOST)));
        }
        Ok(Self(origins))
    }

    /// Reads [`Origins::to_stored`].
    pub fn from_stored(text: &str) -> Self {
        Self(text.split_whitespace().map(str::to_owned).collect())
    }

    /// As they are stored.
    pub fn to_stored(&self) -> String {
        self.iter().collect::<Vec<_>>().join(" ")
    }

    /// The origins, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether the key is for programs alone.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether pages of `origin` may use the key. Compared byte by byte: what looks alike is another site.
    pub fn has(&self, origin: &str) -> bool {
        self.0.contains(origin)
    }

    /// Whether a key that may do so much may be used in browsers, where everybody can read it.
    pub fn suit(&self, grant: &Grant) -> Result<(), Invalid> {
        if self.is_empty() {
            return Ok(());
        }
        if grant.kind() == KeyKind::Agency {
            return Err(Invalid::new("belongs to location keys: a key in a browser is public"));
        }
        let is_kept_back =
            |scope: &Scope| ["api-keys.", "webhooks.", "users."].iter().any(|noun| scope.as_str().starts_with(noun));
        if let Some(scope) = grant.scopes.iter().find(is_kept_back) {
            let problem = format!("cannot be given to a key that holds {scope}: a key in a browser is public");
            return Err(Invalid::new(problem));
        }
        let full = Preset::FullAccess.scopes(KeyKind::Location);
        if full.iter().filter(|scope| !is_kept_back(scope)).all(|scope| grant.allows(scope)) {
            let problem = "cannot be given to a key with full access: a key in a browser is public";
            return Err(Invalid::new(problem));
        }
        Ok(())
    }
}

/// The origin of an address, as browsers send it.
pub fn of(address: &str) -> Option<String> {
    Url::parse(address).ok().map(|url| url.origin().ascii_serialization())
}

fn parse(text: &str) -> Result<(), Invalid> {
    let wrong = |problem: &str| Err(Invalid::new(format!("has {}, which {problem}", echo(text))));
    let Ok(url) = Url::parse(text) else { return wrong("is no origin, such as https://shop.example.com") };
    let suits = |c: char| c.is_ascii_alphanumeric() || ".-[]:".contains(c);
    let Some(host) = url.host_str().filter(|host| host.chars().all(suits)) else {
        return wrong("must name one host");
    };
    match url.scheme() {
        "https" => {}
        "http" if host == "localhost" => {}
        _ => return wrong("must begin with https://; http:// is for localhost alone"),
    }
    let origin = url.origin().ascii_serialization();
    match origin == text {
        true => Ok(()),
        false => wrong(&format!("browsers never send; the origin is {origin}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AgencyId, LocationId, grant::Reach, ip_range::IpRanges, scope::ScopeSet};

    #[test]
    fn only_what_browsers_send_is_an_origin() {
        for text in ["https://a.example", "https://a.example:8443", "http://localhost", "http://localhost:3000"] {
            assert!(Origins::parse([text]).unwrap().has(text), "{text}");
        }
        for text in [
            "*",
            "null",
            "https://*",
            "https://*.example.com",
            "a.example",
            "https://a.example/",
            "https://a.example/x",
            "https://a.example?x",
            "https://a.example#x",
            "https://a.example:443",
            "https://A.example",
            "https://user@a.example",
            "http://a.example",
            "http://127.0.0.1",
            "http://localhost.evil.example",
            "https://bücher.example",
            "https://",
            "file:///x",
            "javascript:x",
            "https://a.example https://b.example",
        ] {
            assert!(Origins::parse([text]).is_err(), "{text}");
        }
        let many: Vec<String> = (0..11).map(|number| format!("https://a{number}.example")).collect();
        assert!(Origins::parse(many.iter().map(String::as_str)).is_err());
        let ten = Origins::parse(many[..10].iter().map(String::as_str)).unwrap();
        assert_eq!(Origins::from_stored(&ten.to_stored()), ten);
        let one = Origins::parse(["https://a.example"]).unwrap();
        for other in
            ["https://a.example.", "https://a.example:443", "https://A.example", "https://xa.example", "null", ""]
        {
            assert!(!one.has(other), "{other}");
        }
        assert!(Origins::parse(["", " "]).unwrap().is_empty());
    }

    #[test]
    fn what_may_do_much_stays_out_of_browsers() {
        let grant = |reach: Reach, scopes: ScopeSet| Grant {
            agency: AgencyId::parse("0000000000000000000A").unwrap(),
            reach,
            scopes,
            allowed_ips: IpRanges::default(),
            expires_at: None,
        };
        let place = || Reach::location(LocationId::parse(&format!("{:020}", 1)).unwrap());
        let one = Origins::parse(["https://a.example"]).unwrap();
        let read = ScopeSet::EMPTY.with(Scope::ContactsRead);
        assert_eq!(one.suit(&grant(place(), read)), Ok(()));
        assert!(one.suit(&grant(Reach::Agency, read)).is_err());
        for scope in [
            Scope::KeysRead,
            Scope::KeysWrite,
            Scope::WebhooksRead,
            Scope::WebhooksWrite,
            Scope::UsersRead,
            Scope::UsersWrite,
        ] {
            assert!(one.suit(&grant(place(), read.with(scope))).is_err(), "{scope}");
        }
        let full = Preset::FullAccess.scopes(KeyKind::Location);
        assert!(one.suit(&grant(place(), full)).is_err());
        let without_keys: ScopeSet = full.iter().filter(|scope| !scope.as_str().starts_with("api-keys.")).collect();
        assert!(one.suit(&grant(place(), without_keys)).is_err(), "all that may be given is full access, too");
        assert_eq!(Origins::default().suit(&grant(Reach::Agency, full)), Ok(()));
    }
}
