//! How contacts are found by words.
//!
//! Each word of a contact is a row, and a word of a search is a range of that index: the same plain SQL on both
//! databases, exact prefixes in any script, and no scan (decision record 0001).

use keystead_model::{
    ContactId, LocationId,
    page::Window,
    search::{Asked, words},
    tag::TagName,
};

use crate::{
    Result, Tx,
    filter::{Filter, prefix_end},
    late, tags,
};

/// Adds words that a contact is found by.
pub(crate) fn insert<'t>(
    tx: &mut Tx<'_>,
    location: LocationId,
    contact: ContactId,
    mut terms: impl Iterator<Item = &'t String>,
) -> Result<()> {
    terms.try_for_each(|term| tx.late(&late::TERMS, &[&location, term, &contact]))
}

/// Removes words that a contact is not found by any more.
pub(crate) fn remove<'t>(
    tx: &mut Tx<'_>,
    location: LocationId,
    contact: ContactId,
    mut terms: impl Iterator<Item = &'t String>,
) -> Result<()> {
    terms.try_for_each(|term| {
        tx.later(
            "DELETE FROM contact_terms WHERE location_id = ?1 AND term = ?2 AND contact_id = ?3",
            &[&location, term, &contact],
        )
    })
}

/// Forgets a contact.
pub(crate) fn forget(tx: &mut Tx<'_>, location: LocationId, contact: ContactId) -> Result<()> {
    tx.later("DELETE FROM contact_terms WHERE location_id = ?1 AND contact_id = ?2", &[&location, &contact])
}

/// What a search asks for, with what of it is looked up beforehand.
pub(crate) struct Search(Vec<Vec<Vec<Prefix>>>);

/// The beginning of a term, the end of its range, and the tags that have a word which begins so.
struct Prefix {
    begin: String,
    end: String,
    tags: Vec<TagName>,
}

/// Prepares a search. A location has few tags, and they can be renamed: their names are read rather than indexed.
pub(crate) fn prepare(tx: &mut Tx<'_>, location: LocationId, asked: &[Asked]) -> Result<Search> {
    let known = if asked.is_empty() { Vec::new() } else { tags::list(tx, location, &Window::all())?.rows };
    let tags: Vec<(Vec<String>, TagName)> = known.into_iter().map(|tag| (words(tag.name.as_str()), tag.name)).collect();
    let prefix = |begin: &String| Prefix {
        begin: begin.clone(),
        end: prefix_end(begin),
        tags: tags
            .iter()
            .filter(|(words, _)| words.iter().any(|word| word.starts_with(begin)))
            .map(|(_, name)| name.clone())
            .collect(),
    };
    let any = |Asked(alternatives): &Asked| {
        alternatives.iter().map(|all| all.iter().map(prefix).collect()).collect::<Vec<_>>()
    };
    Ok(Search(asked.iter().map(any).collect()))
}

/// Restricts contacts `c` of `location` to those that have everything that is asked for; nothing is asked of none.
pub(crate) fn restrict<'f>(filter: &mut Filter<'f>, location: &'f LocationId, Search(asked): &'f Search) {
    if asked.is_empty() {
        filter.and("1 = 0", &[]);
    }
    for alternatives in asked {
        let texts: Vec<String> = alternatives
            .iter()
            .map(|all| all.iter().map(|prefix| has(filter, location, prefix)).collect::<Vec<_>>().join(" AND "))
            .collect();
        filter.and(&format!("(({}))", texts.join(") OR (")), &[]);
    }
}

fn has<'f>(filter: &mut Filter<'f>, location: &'f LocationId, Prefix { begin, end, tags }: &'f Prefix) -> String {
    let term = filter.expression(
        "c.id IN (SELECT t.contact_id FROM contact_terms t WHERE t.location_id = @ AND t.term >= @ AND t.term < @)",
        &[location, begin, end],
    );
    if tags.is_empty() {
        return term;
    }
    let names: Vec<String> = tags.iter().map(|name| filter.bind(name)).collect();
    let location = filter.bind(location);
    format!(
        "({term} OR c.id IN (SELECT g.contact_id FROM contact_tags g WHERE g.location_id = {location} AND g.name IN ({})))",
        names.join(", ")
    )
}
