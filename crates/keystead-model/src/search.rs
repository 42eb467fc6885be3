//! How contacts are searched: the terms that a contact is found by, and what of a search must be found.
//!
//! Case and accents do not matter, neither does how a letter is composed; a phone number is found as it is written, by
//! its beginning and by its last digits.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::{condition::Condition, phone::PhoneNumber, text::Country};

/// Characters of a term; the rest is not compared.
const TERM_MAX: usize = 64;
/// Things that one search asks for; what stands after them is passed over.
const ASKED_MAX: usize = 8;
/// Digits at the end of a number that it is found by, at least.
const LAST_DIGITS: usize = 4;

/// One thing that a search asks for: one of the alternatives, of which every prefix must begin some term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked(pub Vec<Vec<String>>);

/// A search as a condition: all that is asked for is found, and of nothing nothing. `begins` says where something is looked for that
/// begins with a prefix.
pub fn condition<F>(asked: &[Asked], begins: impl Fn(&str) -> Condition<F>) -> Condition<F> {
    let all = |prefixes: &Vec<String>| Condition::All(prefixes.iter().map(|prefix| begins(prefix)).collect());
    let any = |Asked(alternatives): &Asked| Condition::Any(alternatives.iter().map(all).collect());
    if asked.is_empty() { Condition::Any(Vec::new()) } else { Condition::All(asked.iter().map(any).collect()) }
}

/// A text without case, accents and ways to compose a letter: `María` and `MARIA` are `maria`.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.nfkd().flat_map(char::to_lowercase).nfkd() {
        match c {
            // The accents of Latin, Greek and Cyrillic, and the points of Arabic and Hebrew that are mostly left out.
            '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{65f}' => {}
            // Letters with a stroke and ligatures have no decomposition.
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'ħ' => folded.push('h'),
            'ı' => folded.push('i'),
            'ς' => folded.push('σ'),
            c => folded.push(c),
        }
    }
    folded
}

/// The words of a text, folded.
pub fn words(text: &str) -> Vec<String> {
    pieces(&fold(text)).map(str::to_owned).collect()
}

fn pieces(folded: &str) -> impl Iterator<Item = &str> {
    // The vowel signs of many scripts are marks.
    folded.split(|c: char| !c.is_alphanumeric() && !is_combining_mark(c)).filter(|word| !word.is_empty())
}

/// The terms of names: their words, and `obrien` for O'Brien.
pub(crate) fn name_terms(text: &str, terms: &mut Vec<String>) {
    let folded = fold(text);
    terms.extend(pieces(&folded).map(str::to_owned));
    if folded.contains(APOSTROPHES) {
        terms.extend(pieces(&folded.replace(APOSTROPHES, "")).map(str::to_owned));
    }
}

const APOSTROPHES: &[char] = &['\'', '’', 'ʼ'];

/// The terms of a phone number: with and without its country code, and backwards for its last digits.
pub(crate) fn phone_terms(phone: &PhoneNumber, terms: &mut Vec<String>) {
    terms.push(phone.digits().to_owned());
    terms.push(phone.national_digits().to_owned());
    terms.push(backwards(phone.digits()));
}

/// Digits from their end, told apart from words by a sign that is in none.
fn backwards(digits: &str) -> String {
    std::iter::once('-').chain(digits.chars().rev()).collect()
}

/// Terms as they are stored and compared: short, each once.
pub(crate) fn settled(mut terms: Vec<String>) -> Vec<String> {
    terms.iter_mut().for_each(shorten);
    terms.sort_unstable();
    terms.dedup();
    terms
}

fn shorten(term: &mut String) {
    if let Some((end, _)) = term.char_indices().nth(TERM_MAX) {
        term.truncate(end);
    }
}

/// What a search asks for; of a text without letters and digits, nothing, which finds nothing. Numbers without a country
/// code are read as those of `country`.
pub fn asked(query: &str, country: Country) -> Vec<Asked> {
    if let Ok(phone) = PhoneNumber::parse(query, country)
        && phone.has_extension()
    {
        // A number with its extension is one thing, found by the number.
        return vec![Asked(vec![vec![phone.digits().to_owned()]])];
    }
    let parts: Vec<&str> = query.split_whitespace().collect();
    let mut asked = Vec::new();
    let mut before: Option<&str> = None;
    for run in parts.chunk_by(|a, b| is_number(a) && is_number(b)) {
        let before = before.replace(run[run.len() - 1]);
        if is_number(run[0]) {
            asked.push(number(&run.join(" "), country));
        } else if run[0].find('@').is_some_and(|at| at > 0) {
            // A whole address stays whole, so that it finds this one and no other.
            let address = crate::text::normalized_email(run[0]);
            let mut alternatives = vec![vec![address.clone()]];
            // A plus sign in it that nobody has encoded arrives as a space.
            if let Some(before) = before.filter(|before| !is_number(before) && !before.contains('@')) {
                alternatives =
                    vec![vec![format!("{}+{address}", fold(before))], [words(before), vec![address]].concat()];
                asked.truncate(asked.len() - words(before).len());
            }
            asked.push(Asked(alternatives));
        } else {
            asked.extend(words(run[0]).into_iter().map(|word| Asked(vec![vec![word]])));
        }
    }
    asked.truncate(ASKED_MAX);
    asked.iter_mut().flat_map(|Asked(alternatives)| alternatives).flatten().for_each(shorten);
    asked
}

fn is_number(part: &str) -> bool {
    part.chars().any(|c| c.is_ascii_digit()) && part.chars().all(|c| c.is_ascii_digit() || "+()-./".contains(c))
}

/// Digits, as one number in whatever way it is written.
fn number(written: &str, country: Country) -> Asked {
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    let mut alternatives = Vec::new();
    if let Ok(phone) = PhoneNumber::parse(written, country) {
        alternatives.push(vec![phone.digits().to_owned()]);
    }
    if digits.len() >= LAST_DIGITS {
        alternatives.push(vec![backwards(&digits)]);
        // A national number of another country, behind its trunk zero.
        if let Some(national) = digits.strip_prefix('0') {
            alternatives.push(vec![national.to_owned()]);
        }
    }
    // In names and addresses the same digits are words, each for itself.
    let pieces: Vec<String> = pieces(written).map(str::to_owned).collect();
    if pieces.len() > 1 {
        alternatives.push(pieces);
    }
    alternatives.push(vec![digits]);
    alternatives.dedup();
    Asked(alternatives)
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
