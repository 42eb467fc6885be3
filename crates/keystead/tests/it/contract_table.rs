//! The table of the contract's operations in `docs/api-design.md`: what of it is here, and where it differs.
//!
//! The table is made of the contract, of the route table, of what the suite's check of every answer lets pass, and of what
//! "Known quirks" says. Where one of them changed, `KEYSTEAD_WRITE_TABLE=1 cargo test -p keystead --test it contract_table`
//! writes it anew.

use std::{collections::BTreeMap, fmt::Write as _};

use keystead_api::{Route, routes};
use keystead_testkit::{PublishedOperation, published_operations};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api-design.md");
const BEGIN: &str = "## Every operation of the contract\n";

/// An operation by its form: ids are called differently in the contract's two versions, and here.
fn form(method: &str, path: &str) -> String {
    let segments = path.trim_matches('/').split('/');
    let segments: Vec<&str> = segments.map(|part| if part.starts_with('{') { "{}" } else { part }).collect();
    format!("{method} /{}", segments.join("/"))
}

/// How an operation of one API stands.
struct Standing {
    name: String,
    word: &'static str,
    deviations: Vec<String>,
}

fn standing(operation: &PublishedOperation, routes: &[Route], quirks: &str) -> Standing {
    let form_of_it = form(operation.method, &operation.path);
    let route = routes.iter().find(|route| form(route.method.as_str(), route.path) == form_of_it);
    let name = format!("{} {}", operation.method, operation.path);
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (place, reason) in &operation.deviations {
        places.entry(reason).or_default().push(format!("`{place}`"));
    }
    let mut deviations: Vec<String> =
        places.iter().map(|(reason, places)| format!("{}: {reason}", places.join(", "))).collect();
    let is_odd = named_in(quirks).any(|quirk| quirk == form_of_it);
    if is_odd {
        deviations.push("see Known quirks".to_owned());
    }
    let word = match (route, operation.is_described) {
        (None, _) => "**missing**",
        _ if !operation.deviations.is_empty() => "deviates",
        (_, false) => "nothing published",
        _ => "conforms",
    };
    Standing { name: route.map_or(name, |route| route.endpoint.to_owned()), word, deviations }
}

/// The operations that a text names, as `` `GET /path` ``.
fn named_in(text: &str) -> impl Iterator<Item = String> {
    text.split('`').filter_map(|span| {
        let (method, path) = span.split_once(' ')?;
        let is_one = ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method) && path.starts_with('/');
        is_one.then(|| form(method, path))
    })
}

/// One row of each operation, and a column of each of these APIs.
fn table(apis: &[&str], routes: &[Route], quirks: &str) -> String {
    /// Path and method; a word of each API, and the reasons.
    type Rows<'w> = BTreeMap<(String, String), (Vec<&'w str>, Vec<String>)>;
    let mut rows = Rows::new();
    for (column, api) in apis.iter().enumerate() {
        for operation in published_operations(api) {
            let Standing { name, word, deviations } = standing(&operation, routes, quirks);
            let (method, path) = name.split_once(' ').expect("a method and a path");
            let place = (path.to_owned(), method.to_owned());
            let (words, reasons) = rows.entry(place).or_insert_with(|| (vec!["–"; apis.len()], Vec::new()));
            words[column] = word;
            reasons.extend(deviations.into_iter().filter(|reason| !reasons.contains(reason)).collect::<Vec<_>>());
        }
    }
    let mut table = format!("| operation | {} | where it differs, and why |\n|---|", apis.join(" | "));
    let _ = writeln!(table, "{}---|", "---|".repeat(apis.len()));
    for ((path, method), (words, reasons)) in rows {
        let _ = writeln!(table, "| `{method} {path}` | {} | {} |", words.join(" | "), reasons.join("; "));
    }
    table
}

fn chapter(quirks: &str) -> String {
    let routes = routes();
    format!(
        "{BEGIN}
Made by a test (`tests/it/contract_table.rs`). **conforms**: each success that any test is answered has what the contract publishes,
in its types. **deviates**: all but the places that are named. **nothing published**: the contract does not say what is in a success.
**–**: not in that version. What is not published with an operation, but known of the original, stands under Known quirks.

{}
{}",
        table(&["2.0", "v3"], &routes, quirks),
        table(&["1.0"], &routes, quirks)
    )
}

#[test]
fn the_table_is_what_the_routes_are() {
    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    let start = document.find(BEGIN).unwrap_or(document.len());
    let quirks = document[..start].split("## Known quirks").nth(1).expect("the chapter of quirks");
    let chapter = chapter(quirks);
    if std::env::var_os("KEYSTEAD_WRITE_TABLE").is_some() {
        std::fs::write(DOCUMENT, format!("{}\n\n{chapter}", document[..start].trim_end())).unwrap();
        return;
    }
    for (written, right) in document[start..].lines().zip(chapter.lines()) {
        assert_eq!(written, right, "see the beginning of this test's file for how to write the table anew");
    }
    assert_eq!(document[start..].len(), chapter.len(), "the table has too many or too few rows");
}

/// Nothing of the contract is left out.
#[test]
fn every_operation_is_there() {
    let routes = routes();
    for (api, count) in [("2.0", 99), ("v3", 97), ("1.0", 69)] {
        let operations = published_operations(api);
        assert_eq!(operations.len(), count, "{api}");
        let missing: Vec<String> = operations
            .iter()
            .filter(|operation| standing(operation, &routes, "").word == "**missing**")
            .map(|operation| format!("{} {}", operation.method, operation.path))
            .collect();
        assert_eq!(missing, Vec::<String>::new(), "{api}");
    }
}

/// A quirk that names an operation names one that there is.
#[test]
fn quirks_are_of_operations_that_there_are() {
    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    let quirks = document.split("## Known quirks").nth(1).expect("the chapter of quirks");
    let quirks = quirks.split(BEGIN).next().unwrap_or_default();
    let known: Vec<String> = routes().iter().map(|route| form(route.method.as_str(), route.path)).collect();
    for named in named_in(quirks).filter(|named| !named.contains("PATCH /path")) {
        assert!(known.contains(&named), "{named}");
    }
}
