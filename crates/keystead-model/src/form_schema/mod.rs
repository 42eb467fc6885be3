//! What a form asks, as its definition says it: pages of fields, and what becomes of their answers.

mod read;
mod thanks;

pub use self::{read::Wrong, thanks::Thanks};

use crate::{
    Invalid,
    calendar_date::CalendarDate,
    condition::{Condition, Field as Compared, Kind, Op, Value},
    contact::IdentityKind,
    custom_field::Format,
    decimal::Decimal,
    form::FormDefinition,
    tag::TagName,
    text::{Line, Prose, echo},
};

/// A definition that keeps all rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormSchema {
    /// Under which name its page is found in the location, besides its id.
    pub slug: Option<Slug>,
    /// What stands above it, where that is not its name.
    pub title: Option<Line<200>>,
    /// What stands below its title.
    pub intro: Option<Prose<2_000>>,
    /// What the button says that sends it.
    pub submit: Option<Line<50>>,
    /// What is asked, in its order.
    pub pages: Vec<Page>,
    /// What becomes of the contact who answers.
    pub contact: ContactRule,
    /// What whoever answered is told.
    pub after: After,
    /// What is held for somebody to look at.
    pub spam: SpamRule,
    /// Sites that may show it in a frame, and read what sending it answers.
    pub allowed_origins: Vec<Origin>,
    /// Its colour.
    pub accent: Accent,
}

/// Fields that are asked together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// What stands above them.
    pub title: Option<Line<200>>,
    /// These.
    pub fields: Vec<Field>,
}

/// Something that is asked, or said, in a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Under which name its answer is kept.
    pub key: String,
    /// What is asked.
    pub label: Prose<2_000>,
    /// What helps with the answer.
    pub hint: Option<Prose<500>>,
    /// What stands in it while it is empty.
    pub placeholder: Option<Line<200>>,
    /// What an answer is.
    pub kind: FieldKind,
    /// Whether an answer must be given where it is asked.
    pub is_required: bool,
    /// Whether it takes half of a line.
    pub is_half: bool,
    /// The field of a contact that its answer is written into.
    pub maps_to: Option<String>,
    /// When it is asked; `None` is always.
    pub visible_if: Option<Condition<Asked>>,
}

/// What an answer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A line of so many characters.
    Text(usize),
    /// Lines of so many characters.
    Textarea(usize),
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// A number within these.
    Number(Range<Decimal>),
    /// The same with two digits after its point.
    Money(Range<Decimal>),
    /// A day within these.
    Date(Range<CalendarDate>),
    /// A time of day.
    Time,
    /// One of these, in a list that opens.
    Select(Vec<Choice>),
    /// One of these.
    Radio(Vec<Choice>),
    /// Some of these.
    Multi(Vec<Choice>),
    /// Yes, or nothing.
    Checkbox,
    /// That somebody agrees to its label, in this version of it.
    Consent(i64),
    /// An address of the web.
    Url,
    /// One to so many.
    Rating(u8),
    /// Files.
    File(FileRule),
    /// Nobody sees it: what the page's address says under this name, or this text.
    Hidden(Hidden),
    /// Nothing is asked.
    Heading,
}

/// Which files an answer can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRule {
    /// How their names end; without any, as they like.
    pub formats: Vec<Format>,
    /// Whether there may be several.
    pub is_multiple: bool,
}

/// Files that all answers of one submission may be together.
pub const FILES: usize = 5;
/// Megabytes of each.
pub const FILE_MB: u64 = 10;
/// The same in bytes.
pub const FILE_BYTES: u64 = FILE_MB * 1024 * 1024;

/// Something to choose.
pub type Choice = Line<200>;

/// Within what an answer is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range<T> {
    /// Not below.
    pub min: Option<T>,
    /// Not above.
    pub max: Option<T>,
}

/// Where what nobody sees comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// From the address of the page, under this name.
    Query(Line<64>),
    /// It is always this.
    Always(Line<500>),
}

/// A field, as conditions ask of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its key.
    pub key: String,
    kind: Kind,
}

impl Compared for Asked {
    fn name(&self) -> String {
        self.key.clone()
    }
    fn kind(&self) -> Kind {
        self.kind
    }
}

/// Under which name a form is found in its location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slug(String);

impl Slug {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What becomes of the contact who answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactRule {
    /// By what somebody is recognized: what two contacts have, the first of these decides.
    pub match_by: Vec<IdentityKind>,
    /// What is written into a contact that is there already.
    pub on_match: OnMatch,
    /// Tags that they get.
    pub tags: Vec<TagName>,
}

/// What is written into a contact that is there already. Never an address by which contacts are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnMatch {
    /// What is empty in it.
    FillEmpty,
    /// What was answered.
    Update,
    /// Nothing.
    Never,
}

impl OnMatch {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::FillEmpty, Self::Update, Self::Never];

    /// Its name in a definition.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FillEmpty => "fill_empty",
            Self::Update => "update",
            Self::Never => "never",
        }
    }
}

/// What whoever answered is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct After {
    /// A text.
    pub message: Option<Thanks>,
    /// Where they are led then.
    pub redirect: Option<Thanks>,
}

/// What is held for somebody to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpamRule {
    /// Whether there is a field that only programs fill.
    pub has_honeypot: bool,
    /// What was sent sooner after it was asked for.
    pub min_seconds: i64,
    /// What comes after so many in a minute from one source.
    pub per_source: u32,
    /// What comes after so many in a minute from all of them.
    pub per_form: u32,
}

impl Default for SpamRule {
    fn default() -> Self {
        Self { has_honeypot: true, min_seconds: 2, per_source: 10, per_form: 600 }
    }
}

/// A site: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// As browsers say it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! accents {
    ($($variant:ident = $name:literal,)*) => {
        /// A colour of which each keeps its contrast in light and dark.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each says its name")]
        pub enum Accent {
            #[default]
            $($variant,)*
        }

        impl Accent {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name in a definition.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

accents! {
    Plain = "plain",
    Blue = "blue",
    Green = "green",
    Plum = "plum",
    Rust = "rust",
}

impl FormSchema {
    /// Reads a definition; what is wrong with it is said all at once, each with its place.
    pub fn read(definition: &FormDefinition) -> Result<Self, Vec<Wrong>> {
        read::schema(definition)
    }

    /// All fields, in their order.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.pages.iter().flat_map(|page| &page.fields)
    }

    /// The field of this key.
    pub fn field(&self, key: &str) -> Option<&Field> {
        self.fields().find(|field| field.key == key)
    }

    /// Whether it asks for files.
    pub fn has_files(&self) -> bool {
        self.fields().any(|field| matches!(field.kind, FieldKind::File(_)))
    }

    /// Whether the field with this key asks for files.
    pub fn takes_files(&self, key: &str) -> bool {
        matches!(self.field(key), Some(Field { kind: FieldKind::File(_), .. }))
    }

    /// What can never be as conditions ask for it: answers that are none of those to choose from. Asked where a definition is
    /// written: what was published before goes on.
    pub fn check_conditions(&self) -> Vec<Wrong> {
        let mut wrong = Vec::new();
        for (number, page) in self.pages.iter().enumerate() {
            for (index, field) in page.fields.iter().enumerate() {
                let Some(condition) = &field.visible_if else { continue };
                if let Some(problem) = self.never(condition) {
                    wrong.push((format!("pages.{number}.fields.{index}.visibleIf"), problem));
                }
            }
        }
        wrong
    }

    fn never(&self, condition: &Condition<Asked>) -> Option<Invalid> {
        let test = match condition {
            Condition::All(parts) | Condition::Any(parts) => return parts.iter().find_map(|part| self.never(part)),
            Condition::Not(part) => return self.never(part),
            Condition::Test(test) => test,
        };
        // What asks for a part of an answer need not be a whole choice.
        let is_of_whole = matches!(test.op, Op::Eq(_) | Op::NotEq(_) | Op::In(_));
        let asked = self.field(&test.field.key).filter(|field| is_of_whole && !field.kind.choices().is_empty())?;
        let told = condition.to_json();
        let compared: Vec<&str> = match &told["value"] {
            serde_json::Value::String(text) => vec![text.as_str()],
            serde_json::Value::Array(list) => list.iter().filter_map(serde_json::Value::as_str).collect(),
            _ => Vec::new(),
        };
        let is_choice =
            |text: &&str| asked.kind.choices().iter().any(|choice| Value::code(choice.as_str()) == Value::code(*text));
        let other = compared.into_iter().find(|text| !is_choice(text))?;
        let choices: Vec<&str> = asked.kind.choices().iter().map(Line::as_str).collect();
        Some(Invalid::new(format!(
            "asks whether “{}” is {}, which is none of its answers: {}",
            asked.label.as_str(),
            echo(other),
            echo(&choices.join(", "))
        )))
    }

    /// A form that asks nothing.
    pub fn empty() -> Self {
        read::schema(&FormDefinition::empty()).expect("nothing breaks no rule")
    }
}

impl Field {
    /// How conditions ask of it; `None` where there is no answer.
    pub fn asked(&self) -> Option<Asked> {
        Some(Asked { key: self.key.clone(), kind: self.kind.compared()? })
    }
}

impl FieldKind {
    /// Its name in a definition.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Textarea(_) => "textarea",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Number(_) => "number",
            Self::Money(_) => "money",
            Self::Date(_) => "date",
            Self::Time => "time",
            Self::Select(_) => "select",
            Self::Radio(_) => "radio",
            Self::Multi(_) => "multi",
            Self::Checkbox => "checkbox",
            Self::Consent(_) => "consent",
            Self::Url => "url",
            Self::Rating(_) => "rating",
            Self::File(_) => "file",
            Self::Hidden(_) => "hidden",
            Self::Heading => "heading",
        }
    }

    /// All names, in the order in which they are offered.
    pub const NAMES: [&'static str; 18] = [
        "text", "textarea", "email", "phone", "number", "money", "date", "time", "select", "radio", "multi",
        "checkbox", "consent", "url", "rating", "file", "hidden", "heading",
    ];

    /// Whether whoever answers writes what they like, within what it takes.
    pub const fn is_typed(&self) -> bool {
        matches!(
            self,
            Self::Text(_)
                | Self::Textarea(_)
                | Self::Email
                | Self::Phone
                | Self::Number(_)
                | Self::Money(_)
                | Self::Date(_)
                | Self::Time
                | Self::Url
        )
    }

    /// What there is to choose.
    pub fn choices(&self) -> &[Choice] {
        match self {
            Self::Select(choices) | Self::Radio(choices) | Self::Multi(choices) => choices,
            _ => &[],
        }
    }

    pub(crate) fn compared(&self) -> Option<Kind> {
        match self {
            Self::Heading => None,
            // A file is compared by its name.
            Self::Text(_)
            | Self::Textarea(_)
            | Self::Email
            | Self::Phone
            | Self::Url
            | Self::Hidden(_)
            | Self::File(_) => Some(Kind::Text),
            Self::Select(_) | Self::Radio(_) | Self::Multi(_) | Self::Time => Some(Kind::Code),
            Self::Number(_) | Self::Money(_) | Self::Rating(_) => Some(Kind::Number),
            Self::Date(_) => Some(Kind::Date),
            Self::Checkbox | Self::Consent(_) => Some(Kind::Truth),
        }
    }
}

#[cfg(test)]
#[path = "form_schema_tests.rs"]
mod tests;
