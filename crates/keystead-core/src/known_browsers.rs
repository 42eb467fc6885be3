//! Browsers that have signed in before. Their cookie proves it, and gives no right: it only keeps others' guesses at a password
//! from locking its owner out.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keystead_model::{UserId, base62};
use subtle::ConstantTimeEq;

use crate::App;

/// A browser, as far as one member is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BrowserId([u8; NONCE]);

const NONCE: usize = 16;
/// Members that a browser is known to.
const MEMBERS: usize = 4;
/// What the proof is derived for.
const LABEL: &str = "keystead known browser";
/// Between the members of one cookie.
const BETWEEN: char = '~';

/// What a cookie says of one member: `<version>.<nonce>.<user>.<proof>`.
struct Entry<'c> {
    text: &'c str,
    user: UserId,
    browser: BrowserId,
}

impl App {
    /// The cookie of a browser in which `user` has just signed in, which had the cookie `before`.
    pub fn remember_browser(&self, before: Option<&str>, user: UserId) -> String {
        let mut nonce = [0; NONCE];
        base62::fill_random(&mut nonce, |pool| self.entropy.fill(pool));
        let version = self.secret.current();
        let nonce = String::from_utf8_lossy(&nonce).into_owned();
        let proof = self.proof(version, &nonce, user).unwrap_or_default();
        let others = self.entries(before).filter(|entry| entry.user != user).map(|entry| entry.text.to_owned());
        let own = format!("{version}.{nonce}.{user}.{proof}");
        std::iter::once(own).chain(others.take(MEMBERS - 1)).collect::<Vec<_>>().join(&BETWEEN.to_string())
    }

    /// The browser of a cookie, if `user` has signed in with it before.
    pub(crate) fn known_browser(&self, cookie: Option<&str>, user: UserId) -> Option<BrowserId> {
        self.entries(cookie).find(|entry| entry.user == user).map(|entry| entry.browser)
    }

    fn entries<'c>(&self, cookie: Option<&'c str>) -> impl Iterator<Item = Entry<'c>> {
        cookie.unwrap_or_default().split(BETWEEN).take(MEMBERS).filter_map(|text| {
            let [version, nonce, user, proof] = text.split('.').collect::<Vec<_>>().try_into().ok()?;
            let user = UserId::parse(user)?;
            let expected = self.proof(version.parse().ok()?, nonce, user)?;
            let browser = BrowserId(nonce.as_bytes().try_into().ok()?);
            bool::from(expected.as_bytes().ct_eq(proof.as_bytes())).then_some(Entry { text, user, browser })
        })
    }

    fn proof(&self, version: i64, nonce: &str, user: UserId) -> Option<String> {
        let mac = self.secret.mac(version, LABEL, &[nonce.as_bytes(), user.as_str().as_bytes()])?;
        Some(URL_SAFE_NO_PAD.encode(mac))
    }
}

#[cfg(test)]
impl BrowserId {
    pub(crate) fn of_test(number: u8) -> Self {
        Self([number; NONCE])
    }
}
