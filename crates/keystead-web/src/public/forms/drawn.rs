//! How the fields of a form are drawn.

use askama::Template;
use keystead_core::{OpenForm, Violation};
use keystead_model::{
    custom_field::Format,
    form_answers::NEEDED,
    form_schema::{Field, FieldKind, FileRule, FormSchema, Hidden, Page},
    invalid::in_words,
    text::Line,
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::json;

use super::files;
use crate::form::Fields;

/// How a field is drawn.
pub(crate) enum Drawn {
    /// A line, of a type of HTML.
    Line(&'static str),
    Lines,
    Select,
    /// One of a few, all in view.
    Radios,
    /// Several of a few.
    Boxes,
    Box,
    /// Files whose names end with these, several or one.
    Files(String, bool),
    Hidden,
    Heading,
}

/// A field with what stands in it.
pub(crate) struct Shown {
    pub(crate) key: String,
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) hint: String,
    pub(crate) placeholder: String,
    pub(crate) kind: Drawn,
    pub(crate) choices: Vec<String>,
    pub(crate) problem: String,
    pub(crate) autocomplete: &'static str,
    /// Characters that it takes; 0 says nothing of them.
    pub(crate) longest: usize,
    pub(crate) is_required: bool,
    /// Whether browsers are told so.
    pub(crate) is_marked: bool,
    is_conditional: bool,
    pub(crate) is_half: bool,
    pub(crate) is_number: bool,
    pub(crate) is_rating: bool,
    values: Vec<String>,
}

/// Fields that are asked together.
pub(crate) struct PageView {
    pub(crate) title: String,
    pub(crate) fields: Vec<Shown>,
}

impl PageView {
    pub(super) fn new(page: &Page, sent: &Fields, problems: &[Violation]) -> Self {
        let fields = page.fields.iter().map(|field| Shown::new(field, sent, problems)).collect();
        Self { title: page.title.as_ref().map(|title| title.as_str().to_owned()).unwrap_or_default(), fields }
    }

    /// The same for a page where nothing of ours hides what is not asked: a browser would insist on an answer to it.
    fn without_script(mut self) -> Self {
        for field in &mut self.fields {
            field.is_marked &= !field.is_conditional;
        }
        self
    }
}

/// The id of the first field that people are asked.
pub(super) fn first_asked(pages: &[PageView]) -> String {
    let mut fields = pages.iter().flat_map(|page| &page.fields);
    let first = fields.find(|field| !matches!(field.kind, Drawn::Hidden | Drawn::Heading));
    first.map(|field| field.id.clone()).unwrap_or_default()
}

impl Shown {
    fn new(field: &Field, sent: &Fields, problems: &[Violation]) -> Self {
        let about = |violation: &&Violation| violation.field.strip_prefix("answers.") == Some(&field.key);
        let values: Vec<String> = sent.all(&field.key).into_iter().map(str::to_owned).collect();
        let problem = problems.iter().find(about).map(|violation| sentence(&field.kind, &violation.problem));
        let problem = problem.or_else(|| chosen_again(&field.kind, &values));
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let choices = match &field.kind {
            FieldKind::Rating(most) => (1..=*most).map(|number| number.to_string()).collect(),
            kind => kind.choices().iter().map(|choice| choice.as_str().to_owned()).collect(),
        };
        Self {
            id: format!("f-{}", field.key),
            key: field.key.clone(),
            label: field.label.as_str().to_owned(),
            hint: hint(field),
            placeholder: text(field.placeholder.as_ref().map(Line::as_str)),
            kind: drawn(&field.kind),
            choices,
            problem: problem.unwrap_or_default(),
            autocomplete: autocomplete(field),
            longest: match field.kind {
                FieldKind::Text(most) | FieldKind::Textarea(most) => most,
                _ => 0,
            },
            is_required: field.is_required,
            is_marked: field.is_required,
            is_conditional: field.visible_if.is_some(),
            is_half: field.is_half,
            is_number: matches!(field.kind, FieldKind::Number(_) | FieldKind::Money(_)),
            is_rating: matches!(field.kind, FieldKind::Rating(_)),
            values,
        }
    }

    pub(crate) fn value(&self) -> &str {
        self.values.first().map(String::as_str).unwrap_or_default()
    }

    pub(crate) fn has(&self, value: &str) -> bool {
        self.values.iter().any(|known| known == value)
    }

    pub(crate) fn is_optional(&self) -> bool {
        !self.is_required && !matches!(self.kind, Drawn::Box)
    }

    pub(crate) fn is_radio(&self) -> bool {
        matches!(self.kind, Drawn::Radios)
    }

    pub(crate) fn is_hidden(&self) -> bool {
        matches!(self.kind, Drawn::Hidden)
    }

    pub(crate) fn described_by(&self) -> String {
        let hint = (!self.hint.is_empty()).then(|| format!("{}-hint", self.id));
        let problem = (!self.problem.is_empty()).then(|| format!("{}-problem", self.id));
        hint.into_iter().chain(problem).collect::<Vec<_>>().join(" ")
    }
}

fn drawn(kind: &FieldKind) -> Drawn {
    match kind {
        FieldKind::Text(_) | FieldKind::Number(_) | FieldKind::Money(_) => Drawn::Line("text"),
        FieldKind::Textarea(_) => Drawn::Lines,
        FieldKind::Email => Drawn::Line("email"),
        FieldKind::Phone => Drawn::Line("tel"),
        FieldKind::Date(_) => Drawn::Line("date"),
        FieldKind::Time => Drawn::Line("time"),
        FieldKind::Url => Drawn::Line("url"),
        FieldKind::Select(_) => Drawn::Select,
        FieldKind::Radio(_) | FieldKind::Rating(_) => Drawn::Radios,
        FieldKind::Multi(_) => Drawn::Boxes,
        FieldKind::Checkbox | FieldKind::Consent(_) => Drawn::Box,
        FieldKind::File(FileRule { formats, is_multiple }) => {
            let formats: Vec<&str> = formats.iter().map(Format::as_str).collect();
            Drawn::Files(formats.join(","), *is_multiple)
        }
        FieldKind::Hidden(_) => Drawn::Hidden,
        FieldKind::Heading => Drawn::Heading,
    }
}

/// What helps with an answer: what the author says, and how large files may be.
fn hint(field: &Field) -> String {
    let written = field.hint.as_ref().map(|hint| hint.as_str());
    match (&field.kind, written) {
        (FieldKind::File(rule), Some(written)) => format!("{written} {}", files::limits(rule)),
        (FieldKind::File(rule), None) => {
            let limits = files::limits(rule);
            let mut letters = limits.chars();
            letters.next().map(char::to_uppercase).into_iter().flatten().chain(letters).collect()
        }
        (_, written) => written.unwrap_or_default().to_owned(),
    }
}

/// Files have to be chosen again where something else was wrong: no page can do that for anybody.
fn chosen_again(kind: &FieldKind, names: &[String]) -> Option<String> {
    let FieldKind::File(_) = kind else { return None };
    let names = names.join(", ");
    (!names.is_empty()).then(|| format!("Choose {names} again: a browser forgets files when a form comes back"))
}

/// What is wrong, said to whoever answers.
fn sentence(kind: &FieldKind, problem: &str) -> String {
    if problem == NEEDED {
        let needed = match kind {
            FieldKind::Consent(_) | FieldKind::Checkbox => "Tick this to go on",
            FieldKind::Select(_) | FieldKind::Radio(_) | FieldKind::Multi(_) | FieldKind::Rating(_) => {
                "Choose an answer"
            }
            FieldKind::File(_) => "Choose a file",
            _ => "An answer is needed",
        };
        return needed.to_owned();
    }
    format!("This {}", in_words(problem))
}

/// The same with what was asked, which is often a sentence of its own.
pub(super) fn beside(label: &str, sentence: &str) -> String {
    if label.ends_with(['?', '.', '!', ':']) {
        return format!("{label} {sentence}");
    }
    let mut letters = sentence.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_lowercase).collect();
    format!("{label}: {first}{}", letters.as_str())
}

/// What browsers know of whoever answers.
fn autocomplete(field: &Field) -> &'static str {
    let plain: String = field
        .maps_to
        .as_deref()
        .map(|target| target.strip_prefix("contact.").unwrap_or(target))
        .unwrap_or_default()
        .chars()
        .filter(|c| *c != '_')
        .flat_map(char::to_lowercase)
        .collect();
    match (plain.as_str(), &field.kind) {
        ("firstname", _) => "given-name",
        ("lastname", _) => "family-name",
        ("fullname" | "name", _) => "name",
        ("email", _) | (_, FieldKind::Email) => "email",
        ("phone", _) | (_, FieldKind::Phone) => "tel",
        ("companyname" | "organization", _) => "organization",
        ("address1" | "address", _) => "street-address",
        ("city", _) => "address-level2",
        ("state", _) => "address-level1",
        ("postalcode", _) => "postal-code",
        ("country", _) => "country",
        ("website", _) | (_, FieldKind::Url) => "url",
        ("dateofbirth", _) => "bday",
        _ => "",
    }
}

/// What a field that nobody sees holds on a page with this query.
pub(super) fn hidden_value(hidden: &Hidden, query: &[(String, String)]) -> String {
    match hidden {
        Hidden::Always(text) => text.as_str().to_owned(),
        Hidden::Query(name) => {
            let found = query.iter().find(|(known, _)| known == name.as_str());
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        }
    }
}

/// What a script needs to show and hide fields: every field that conditions may ask for, by how it is compared, and the conditions.
pub(super) fn logic(schema: &FormSchema) -> String {
    if schema.fields().all(|field| field.visible_if.is_none()) {
        return String::new();
    }
    let fields: Vec<_> = schema
        .fields()
        .map(|field| {
            let kind = field.kind.as_str();
            match &field.visible_if {
                Some(condition) => json!({"key": field.key, "type": kind, "if": condition.to_json()}),
                None => json!({"key": field.key, "type": kind}),
            }
        })
        .collect();
    json!(fields).to_string()
}

/// An address as headers take it.
pub(super) fn ascii(url: &str) -> String {
    const KEPT: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`');
    utf8_percent_encode(url, KEPT).to_string()
}

#[derive(Template)]
#[template(path = "public/form_plain.html")]
struct Plain {
    action: String,
    submit: String,
    pages: Vec<PageView>,
    has_files: bool,
}

/// A form as HTML for any page, which needs nothing of ours but the address that it is sent to.
pub(crate) fn plain_html(form: &OpenForm, base_url: &str) -> String {
    let nothing = Fields::default();
    let page = Plain {
        action: format!("{base_url}/f/{}", form.form.id),
        submit: form.schema.submit.as_ref().map_or("Send", Line::as_str).to_owned(),
        pages: form.schema.pages.iter().map(|page| PageView::new(page, &nothing, &[]).without_script()).collect(),
        has_files: form.schema.has_files(),
    };
    page.render().unwrap_or_default()
}
