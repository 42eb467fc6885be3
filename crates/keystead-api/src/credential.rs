//! Finding the key in a request.

use http::{HeaderMap, header};
use keystead_core::ErrorCode;
use keystead_model::key_secret::contains_key;

use crate::failure::Failure;

/// The text of the key: `Authorization: Bearer <key>`, or the bare value, since some clients leave the scheme away.
pub(crate) fn from_request<'r>(headers: &'r HeaderMap, query: Option<&str>) -> Result<&'r str, Failure> {
    if query.is_some_and(contains_key) {
        return Err(Failure::new(ErrorCode::KeyInUrl, ErrorCode::KeyInUrl.title()));
    }
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(first) = values.next() else { return Err(missing()) };
    if values.any(|other| other != first) {
        return Err(Failure::new(ErrorCode::KeyAmbiguous, ErrorCode::KeyAmbiguous.title()));
    }
    // Nothing beyond ASCII is in a key, but in what people take for one: a masked key has an ellipsis.
    let text = std::str::from_utf8(first.as_bytes());
    let text = text.map_err(|_| Failure::new(ErrorCode::KeyUnknown, ErrorCode::KeyUnknown.title()))?.trim();
    let key = match text.split_once(char::is_whitespace) {
        None if text.eq_ignore_ascii_case("bearer") => return Err(missing()),
        None => text,
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => rest.trim(),
        Some(_) => return Err(missing()),
    };
    if key.is_empty() { Err(missing()) } else { Ok(key) }
}

fn missing() -> Failure {
    Failure::new(ErrorCode::KeyMissing, ErrorCode::KeyMissing.title())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(values: &[&str], query: Option<&str>) -> Result<String, ErrorCode> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, value.parse().unwrap());
        }
        from_request(&headers, query).map(str::to_owned).map_err(|failure| failure.code)
    }

    #[test]
    fn the_key_is_found_with_and_without_its_scheme() {
        for value in ["Bearer ks_x", "bearer ks_x", "ks_x", "  Bearer\t ks_x ", "BEARER   ks_x"] {
            assert_eq!(key(&[value], None).as_deref(), Ok("ks_x"), "{value:?}");
        }
        for value in ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz"] {
            assert_eq!(key(&[value], None), Err(ErrorCode::KeyMissing), "{value:?}");
        }
        assert_eq!(key(&[], None), Err(ErrorCode::KeyMissing));
        assert_eq!(key(&["ks_a", "ks_b"], None), Err(ErrorCode::KeyAmbiguous));
        assert_eq!(key(&["ks_a", "ks_a"], None).as_deref(), Ok("ks_a"));
        assert_eq!(key(&["Bearer ks_…x9Qa"], None).as_deref(), Ok("ks_…x9Qa"), "it is told that it is masked");
        let leaked = "token=ks_agency_000000000000_000000000000000000000000000000002I50oW";
        assert_eq!(key(&["Bearer ks_x"], Some(leaked)), Err(ErrorCode::KeyInUrl));
    }
}
