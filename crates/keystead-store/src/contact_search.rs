//! How contacts are found by words.
//!
//! Each word of a contact is a row, and a word of a search is a range of that index: the same plain SQL on both
//! databases, exact prefixes in any script, and no scan (decision record 0001).

use keystead_model::{ContactId, LocationId};

use crate::{
    Result, ToValue, Tx,
    filter::{Filter, prefix_end},
};

/// Replaces the words that a contact is found by.
pub(crate) fn index(tx: &mut Tx<'_>, location: LocationId, contact: ContactId, terms: &[String]) -> Result<()> {
    let known: Vec<String> = tx.query(
        "SELECT term FROM contact_terms WHERE location_id = ?1 AND contact_id = ?2",
        &[&location, &contact],
        |row| row.column(),
    )?;
    for gone in known.iter().filter(|term| !terms.contains(term)) {
        tx.execute(
            "DELETE FROM contact_terms WHERE location_id = ?1 AND term = ?2 AND contact_id = ?3",
            &[&location, gone, &contact],
        )?;
    }
    let new: Vec<String> = terms.iter().filter(|term| !known.contains(term)).cloned().collect();
    insert(tx, location, contact, &new)
}

/// Words added by one statement.
const BATCH: usize = 16;

/// Adds words of a contact.
pub(crate) fn insert(tx: &mut Tx<'_>, location: LocationId, contact: ContactId, terms: &[String]) -> Result<()> {
    for batch in terms.chunks(BATCH) {
        let rows: Vec<String> = (0..batch.len()).map(|index| format!("(?1, ?{}, ?2)", index + 3)).collect();
        let sql = format!(
            "INSERT INTO contact_terms (location_id, term, contact_id) VALUES {} ON CONFLICT DO NOTHING",
            rows.join(", ")
        );
        let mut values: Vec<&dyn ToValue> = vec![&location, &contact];
        values.extend(batch.iter().map(|term| term as &dyn ToValue));
        tx.execute(&sql, &values)?;
    }
    Ok(())
}

/// Forgets a contact.
pub(crate) fn forget(tx: &mut Tx<'_>, location: LocationId, contact: ContactId) -> Result<()> {
    tx.execute("DELETE FROM contact_terms WHERE location_id = ?1 AND contact_id = ?2", &[&location, &contact])?;
    Ok(())
}

/// A word of a search and the end of its range.
pub(crate) struct WordRange(String, String);

/// The ranges of the words of a search.
pub(crate) fn ranges(words: &[String]) -> Vec<WordRange> {
    words.iter().map(|word| WordRange(word.clone(), prefix_end(word))).collect()
}

/// Restricts contacts `c` of `location` to those that have every word.
pub(crate) fn restrict<'f>(filter: &mut Filter<'f>, location: &'f LocationId, ranges: &'f [WordRange]) {
    for WordRange(word, end) in ranges {
        filter.and(
            "c.id IN (SELECT t.contact_id FROM contact_terms t
                      WHERE t.location_id = @ AND t.term >= @ AND t.term < @)",
            &[location, word, end],
        );
    }
}
