//! What holds for all templates, whoever writes the next one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use crate::assets;

/// Classes without a rule: by these a script finds its part of a page, or who drives a browser.
const WITHOUT_RULE: &[&str] = &["bell", "chosen", "me"];

/// Integers that pages print as they are: places in drawings, shares, versions, numbers by which somebody names a thing, and a
/// limit of a few.
const NO_COUNTS: &[&str] = &[
    "index",
    "longest",
    "x",
    "now_x",
    "full_y",
    "full_height",
    "hollow_y",
    "hollow_height",
    "share",
    "version",
    "schema",
    "most",
    "number",
    "seen",
];

fn files(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|known| known == ending) {
                let text = fs::read_to_string(&entry).expect("text");
                found.push((entry, text));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// What stands between two marks, wherever it does.
fn between<'t>(text: &'t str, open: &'t str, close: &'t str) -> impl Iterator<Item = &'t str> {
    text.split(open).skip(1).filter_map(move |rest| rest.split(close).next())
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric() && !"-_".contains(letter)).filter(|word| !word.is_empty())
}

/// A text without what is between two marks.
fn without(text: &str, open: &str, close: &str) -> String {
    let mut parts = text.split(open);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |kept, part| kept + " " + part.split_once(close).map_or("", |(_, rest)| rest))
}

#[test]
fn every_class_has_a_rule() {
    // Those of strangers have a style of their own.
    let style = without(&(assets::text("app.css") + &assets::text("form.css")), "/*", "*/");
    let selectors =
        style.split('}').filter_map(|rule| rule.rsplit_once('{').map(|(selectors, _)| selectors.to_owned()));
    let ruled: BTreeSet<String> = selectors
        .flat_map(|all| {
            all.split('.').skip(1).filter_map(|part| words(part).next().map(str::to_owned)).collect::<Vec<_>>()
        })
        .collect();
    let mut missing = BTreeMap::new();
    for (path, text) in files("templates", "html") {
        // What a template computes, whole or behind a hyphen, is said elsewhere.
        let fixed = without(&without(&text, "{{", "}}"), "{%", "%}");
        for class in between(&fixed, "class=\"", "\"").flat_map(str::split_whitespace) {
            let is_begun = class.ends_with('-');
            if !is_begun && !ruled.contains(class) && !WITHOUT_RULE.contains(&class) {
                missing.insert(class.to_owned(), path.clone());
            }
        }
    }
    assert!(missing.is_empty(), "these look like nothing: {missing:?}");
}

#[test]
fn every_count_is_written_as_people_read_it() {
    const INTEGERS: &[&str] = &["i64", "u64", "i32", "u32", "usize"];
    let mut is_integer: BTreeMap<String, bool> = BTreeMap::new();
    for (_, text) in files("src", "rs") {
        for line in text.lines() {
            let Some((name, kind)) = line.trim().trim_end_matches(',').split_once(": ") else { continue };
            let name = name.trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ");
            if words(name).eq([name]) && line.ends_with(',') && !kind.contains(['"', '(', '.']) {
                let every = is_integer.entry(name.to_owned()).or_insert(true);
                *every &= INTEGERS.contains(&kind);
            }
        }
    }
    let is_count = |name: &str| is_integer.get(name) == Some(&true) && !NO_COUNTS.contains(&name);
    let mut bare = BTreeSet::new();
    for (path, text) in files("templates", "html") {
        let printed = between(&text, "{{", "}}").map(str::trim);
        bare.extend(
            printed
                .filter(|what| what.rsplit('.').next().is_some_and(is_count))
                .map(|what| (path.clone(), what.to_owned())),
        );
    }
    assert!(bare.is_empty(), "these are for `show::grouped` or `show::counted`: {bare:?}");
}
