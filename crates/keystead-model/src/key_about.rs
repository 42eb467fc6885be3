//! What is said of an API key besides its name: what it is for, labels to find it by, and who hears of it.

use crate::{
    Invalid,
    text::{EmailAddress, Line, Prose, folded},
};

/// What a key is for, in more words.
pub type KeyDescription = Prose<1000>;
/// A word to find keys by.
pub type KeyLabel = Line<40>;

/// Most labels of a key.
pub const MAX_LABELS: usize = 10;

/// What is said of a key besides its name. None of it changes what the key may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyAbout {
    /// What it is for.
    pub description: Option<KeyDescription>,
    /// In the order in which they were given.
    pub labels: KeyLabels,
    /// Whoever hears of it by mail, besides the admins: the company that uses it, or a team.
    pub contact: Option<EmailAddress>,
}

/// A change of it; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyAboutPatch {
    /// New description, or none.
    pub description: Option<Option<KeyDescription>>,
    /// New labels in place of the old ones.
    pub labels: Option<KeyLabels>,
    /// New contact, or none.
    pub contact: Option<Option<EmailAddress>>,
}

/// Labels, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyLabels(Vec<KeyLabel>);

impl KeyLabels {
    /// Reads labels. One that differs from another only in how it is written is the same, and empty ones are none.
    pub fn parse<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self, Invalid> {
        let mut labels: Vec<KeyLabel> = Vec::new();
        for text in texts.into_iter().map(str::trim).filter(|text| !text.is_empty()) {
            if text.contains(',') {
                return Err(Invalid::new("must have no comma in a label"));
            }
            // Of each, since together they may be longer.
            let label = KeyLabel::parse(text)
                .map_err(|Invalid(problem)| Invalid(problem.replacen("must ", "must each ", 1)))?;
            if !labels.iter().any(|known| folded(known.as_str()) == folded(label.as_str())) {
                labels.push(label);
            }
        }
        if labels.len() > MAX_LABELS {
            return Err(Invalid::new(format!("must contain no more than {MAX_LABELS} elements")));
        }
        Ok(Self(labels))
    }

    /// In their order.
    pub fn iter(&self) -> impl Iterator<Item = &KeyLabel> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Separated by commas, as forms and tables have them.
    pub fn to_text(&self) -> String {
        self.0.iter().map(KeyLabel::as_str).collect::<Vec<_>>().join(", ")
    }

    /// Reads [`KeyLabels::to_text`] as it is stored.
    pub fn from_stored(text: &str) -> Self {
        Self(
            text.split(", ")
                .filter(|label| !label.is_empty())
                .map(|label| KeyLabel::from_stored(label.to_owned()))
                .collect(),
        )
    }
}

impl KeyAbout {
    /// Changes it.
    pub fn change(&mut self, patch: KeyAboutPatch) {
        let KeyAboutPatch { description, labels, contact } = patch;
        if let Some(description) = description {
            self.description = description;
        }
        if let Some(labels) = labels {
            self.labels = labels;
        }
        if let Some(contact) = contact {
            self.contact = contact;
        }
    }

    /// All that a search for keys looks into besides names, as [`folded`] gives it.
    pub fn searched(&self) -> String {
        let description = self.description.as_ref().map(Prose::as_str);
        let contact = self.contact.as_ref().map(EmailAddress::as_str);
        let labels = self.labels.to_text();
        folded(&[description.unwrap_or_default(), &labels, contact.unwrap_or_default()].join(" \u{b7} "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_once_and_are_read_back() {
        let labels = KeyLabels::parse(["report", " Monthly ", "", "REPORT"]).unwrap();
        assert_eq!(labels.to_text(), "report, Monthly");
        assert_eq!(KeyLabels::from_stored(&labels.to_text()), labels);
        assert_eq!(KeyLabels::from_stored(""), KeyLabels::default());
        let many: Vec<String> = (0..=MAX_LABELS).map(|number| format!("label {number}")).collect();
        assert!(KeyLabels::parse(many.iter().map(String::as_str)).is_err());
        assert!(KeyLabels::parse(many[1..].iter().map(String::as_str)).is_ok());
        let long = KeyLabels::parse(["short", &"x".repeat(41)]).unwrap_err();
        assert_eq!(long.to_string(), "must each be shorter than or equal to 40 characters");
        assert!(KeyLabels::parse(["a, b"]).is_err(), "it would be two where it is written");
        assert!(KeyLabels::parse(["ks_location_Hq3vT0bZk9Wd_8sFvN1cQyT5rLz0aGmXe"]).is_err(), "no key in a label");
    }
}
