//! Templates: messages that are written once and sent often.

use crate::{
    Invalid, LocationId, TemplateId, UtcMs,
    location::set,
    text::{Line, Prose},
};

/// A template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its id.
    pub id: TemplateId,
    /// The location that has it.
    pub location: LocationId,
    /// What it is a message of.
    pub kind: TemplateKind,
    /// Where it comes from: the location itself, unless somebody says otherwise.
    pub origin: Line<100>,
    /// What its author writes.
    pub content: TemplateContent,
    /// When it was made.
    pub created_at: UtcMs,
    /// When it was last changed.
    pub updated_at: UtcMs,
}

/// What a template is a message of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateKind {
    /// A text message.
    Sms,
    /// A mail.
    Email,
    /// A message of WhatsApp.
    WhatsApp,
}

impl TemplateKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sms, Self::Email, Self::WhatsApp];

    /// The name, on the wire and as it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
            Self::WhatsApp => "whatsapp",
        }
    }

    /// Reads the name.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == text);
        known.ok_or_else(|| Invalid::new("must be sms, email or whatsapp"))
    }
}

/// The part of a template that its author writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateContent {
    /// Its name.
    pub name: Line<200>,
    /// Of a mail.
    pub subject: Option<Line<300>>,
    /// What it says: of a mail HTML.
    pub text: Prose<100_000>,
}

/// A template that is about to be made.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of Template")]
pub struct NewTemplate {
    pub kind: TemplateKind,
    pub origin: Option<Line<100>>,
    pub content: TemplateContent,
}

/// A change of a template; `None` leaves a thing as it is, `Some(None)` takes it away.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of TemplateContent")]
pub struct TemplatePatch {
    pub name: Option<Line<200>>,
    pub subject: Option<Option<Line<300>>>,
    pub text: Option<Prose<100_000>>,
}

/// Which templates are listed.
#[derive(Clone, Debug)]
pub struct TemplateFilter {
    /// Where they come from.
    pub origin: String,
    /// Of this kind only.
    pub kind: Option<TemplateKind>,
}

impl TemplatePatch {
    /// Changes `content`.
    pub fn apply(self, content: &mut TemplateContent) {
        let Self { name, subject, text } = self;
        set(&mut content.name, name);
        set(&mut content.subject, subject);
        set(&mut content.text, text);
    }
}
