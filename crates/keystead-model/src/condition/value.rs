//! What fields hold, in the forms that are compared.

use std::cmp::Ordering;

use crate::{UtcMs, calendar_date::CalendarDate, decimal::Decimal, search::fold};

/// What kind of values a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text of people, compared without case and accents.
    Text,
    /// Text of programs, such as an id, compared as it is.
    Code,
    /// A decimal number.
    Number,
    /// A day.
    Date,
    /// A moment.
    Instant,
    /// Yes or no.
    Truth,
}

impl Kind {
    /// Which operations suit it, besides whether it holds anything.
    pub(crate) const fn ops(self) -> &'static [&'static str] {
        match self {
            Self::Text | Self::Code => &["eq", "not_eq", "in", "contains", "not_contains", "begins"],
            Self::Number | Self::Date | Self::Instant => &["eq", "not_eq", "in", "gt", "gte", "lt", "lte"],
            Self::Truth => &["eq", "not_eq"],
        }
    }
}

/// A value in the form that is compared. Values of different kinds are never equal, and neither is the greater one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// See [`Kind::Text`].
    Text(ComparedText),
    /// See [`Kind::Code`]; never empty.
    Code(String),
    /// See [`Kind::Number`].
    Number(Decimal),
    /// See [`Kind::Date`].
    Date(Date),
    /// See [`Kind::Instant`].
    Instant(UtcMs),
    /// See [`Kind::Truth`].
    Truth(bool),
}

impl Value {
    /// A text of people; `None` if nothing of it is left, so that it is missing.
    pub fn text(text: &str) -> Option<Self> {
        ComparedText::of(text).map(Self::Text)
    }

    /// A text of programs; an empty one is missing.
    pub fn code(text: impl Into<String>) -> Option<Self> {
        Some(text.into()).filter(|text| !text.is_empty()).map(Self::Code)
    }

    /// The first characters of a text; others stay whole.
    pub(crate) fn beginning(self, characters: usize) -> Self {
        let cut = |text: &str| text.chars().take(characters).collect();
        match self {
            Self::Text(ComparedText(text)) => Self::Text(ComparedText(cut(&text))),
            Self::Code(text) => Self::Code(cut(&text)),
            other => other,
        }
    }

    /// Which of two values of one kind comes first.
    pub(crate) fn in_order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Truth(a), Self::Truth(b)) => a.cmp(b),
            (Self::Instant(a), Self::Instant(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.cmp(b),
            (Self::Date(a), Self::Date(b)) => a.cmp(b),
            (a, b) => a.as_str().cmp(&b.as_str()),
        }
    }

    /// A text of programs; others are none.
    pub fn as_code(&self) -> Option<&str> {
        if let Self::Code(text) = self { Some(text) } else { None }
    }

    /// Characters of a text; others have none.
    pub(crate) fn length(&self) -> usize {
        self.as_str().map_or(0, |text| text.chars().count())
    }
}

/// What is cut off both ends of a text: what browsers cut off, too, so that a form is judged alike on both sides.
const TRIMMED: &[char] = &[
    '\t', '\n', '\u{b}', '\u{c}', '\r', ' ', '\u{a0}', '\u{1680}', '\u{2000}', '\u{2001}', '\u{2002}', '\u{2003}',
    '\u{2004}', '\u{2005}', '\u{2006}', '\u{2007}', '\u{2008}', '\u{2009}', '\u{200a}', '\u{2028}', '\u{2029}',
    '\u{202f}', '\u{205f}', '\u{3000}', '\u{feff}',
];

/// What somebody wrote, without what surrounds it and with one way to end a line.
pub(crate) fn plain(text: &str) -> String {
    with_plain_ends(text.trim_matches(TRIMMED))
}

/// A text without what surrounds it, case, accents and ways to end a line or compose a letter. It is never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparedText(String);

impl ComparedText {
    /// `None` if nothing is left.
    pub fn of(text: &str) -> Option<Self> {
        let folded = fold(text.trim_matches(TRIMMED));
        let folded = if folded.contains('\r') { with_plain_ends(&folded) } else { folded };
        // Folding makes plain spaces of some that are not.
        let trimmed = folded.trim_matches(TRIMMED);
        if trimmed.is_empty() {
            return None;
        }
        Some(Self(if trimmed.len() == folded.len() { folded } else { trimmed.to_owned() }))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// Lines that end in `\n`, whatever stands before it, so that doing it twice changes nothing.
fn with_plain_ends(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        match line.strip_suffix('\n') {
            Some(line) => plain.extend([line.trim_end_matches('\r'), "\n"]),
            None => plain.push_str(line),
        }
    }
    plain
}

/// A day as `YYYY-MM-DD`, whose order as a text is that of days.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(String);

impl Date {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<CalendarDate> for Date {
    fn from(date: CalendarDate) -> Self {
        Self(date.to_iso())
    }
}
