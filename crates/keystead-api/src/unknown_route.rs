//! What to say of a request that no route answers: only what is so.

use http::Method;
use keystead_core::ErrorCode;
use keystead_model::text::echo;

/// Every operation that was published, `GET /contacts/{contactId}`, one a line; not all of them are served.
const CONTRACT: &str = include_str!("../../../contract/operations.txt");

/// Segments in front of a path that may be what is wrong with it: `/api/v2`.
const PREFIX_SEGMENTS: usize = 3;

/// What whoever sent the request can do. `answered` says which methods a path answers; of an unknown path, none.
pub(crate) fn hint(method: &Method, path: &str, answered: impl Fn(&str) -> Vec<Method>) -> String {
    if in_contract(|known, pattern| known == method.as_str() && matches(pattern, path)) {
        return "This operation of the published API is not served by this release.".to_owned();
    }
    let methods = answered(path);
    if !methods.is_empty() {
        return format!("{} answers {}.", echo(path), list(methods));
    }
    let is_known = |path: &str| !answered(path).is_empty() || in_contract(|_, pattern| matches(pattern, path));
    let ends = path.match_indices('/').skip(1).map(|(at, _)| at).take(PREFIX_SEGMENTS);
    match ends.map(|at| path.split_at(at)).find(|(_, rest)| is_known(rest)) {
        Some((prefix, rest)) => format!("Use {} and a base URL without {}.", echo(rest), echo(prefix)),
        None => ErrorCode::RouteUnknown.fix().to_owned(),
    }
}

fn in_contract(is_it: impl Fn(&str, &str) -> bool) -> bool {
    CONTRACT.lines().filter_map(|line| line.split_once(' ')).any(|(method, pattern)| is_it(method, pattern))
}

/// Whether a path is one of a pattern, with or without a slash at its end.
fn matches(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut found) = (pattern.trim_end_matches('/').split('/'), path.trim_end_matches('/').split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some(wanted), Some(found)) if wanted == found || (wanted.starts_with('{') && !found.is_empty()) => {}
            _ => return false,
        }
    }
}

/// `GET, POST and PUT`.
fn list(mut methods: Vec<Method>) -> String {
    methods.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn the_list_of_operations_has_all_that_are_held_against_their_schemas() {
        let files = [
            include_str!("../../../contract/1.0.json"),
            include_str!("../../../contract/2.0.json"),
            include_str!("../../../contract/v3.json"),
        ];
        let mut named = BTreeSet::new();
        for file in files {
            let file: Value = serde_json::from_str(file).unwrap();
            for operation in file["operations"].as_array().unwrap() {
                named.insert(format!(
                    "{} {}",
                    operation["method"].as_str().unwrap(),
                    operation["path"].as_str().unwrap()
                ));
            }
        }
        let listed: BTreeSet<String> = CONTRACT.lines().map(str::to_owned).collect();
        assert_eq!(named.difference(&listed).collect::<Vec<_>>(), [""; 0]);
    }

    #[test]
    fn patterns_match_whole_paths() {
        assert!(matches("/contacts/{id}/tags", "/contacts/x/tags/"));
        assert!(matches("/contacts/", "/contacts"));
        for other in ["/contacts/x", "/contacts/x/tags/y", "/contacts//tags", "/"] {
            assert!(!matches("/contacts/{id}/tags", other), "{other}");
        }
    }
}
