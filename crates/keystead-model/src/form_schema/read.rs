//! How a definition is read. What is wrong is gathered, so that its author hears of all of it at once.

use serde_json::{Map, Value as Json};
use url::Url;

use super::{
    Accent, After, Asked, ContactRule, Field, FieldKind, FileRule, FormSchema, Hidden, OnMatch, Origin, Page, Range,
    Slug, SpamRule, Thanks,
};
use crate::{
    Invalid,
    calendar_date::CalendarDate,
    condition::Condition,
    contact::IdentityKind,
    custom_field::Format,
    decimal::Decimal,
    form::FormDefinition,
    tag::TagName,
    text::{Line, Prose, echo},
};

/// What is wrong, and where: `pages.0.fields.2.key`.
pub type Wrong = (String, Invalid);

const MAX_PAGES: usize = 20;
const MAX_FIELDS: usize = 200;
const MAX_CHOICES: usize = 200;
const MAX_TAGS: usize = 20;
const MAX_FORMATS: usize = 20;
const MAX_ORIGINS: usize = 20;
const MAX_KEY: usize = 64;
const MAX_SLUG: usize = 64;
/// Characters of an answer, unless its field says less.
const MAX_LINE: i64 = 500;
const MAX_LINES: i64 = 20_000;
/// What stands after the id of a form where its name in a location would.
const TAKEN: [&str; 2] = ["embed", "submissions"];
/// Names under which a submission tells other things.
const RESERVED: [&str; 2] = ["eventData", "fieldsOriSequance"];

pub(super) fn schema(definition: &FormDefinition) -> Result<FormSchema, Vec<Wrong>> {
    let mut wrong = Vec::new();
    let whole = definition.fields();
    let mut of = Object { fields: &whole, place: String::new(), wrong: &mut wrong };
    of.only(&["slug", "title", "intro", "submit", "pages", "contact", "after", "spam", "embed", "style"]);
    let (slug, title) = (of.text("slug", slug), of.text("title", Line::parse));
    let (intro, submit) = (of.text("intro", Prose::parse), of.text("submit", Line::parse));
    let pages = of.pages();
    let contact = of.object("contact", |of| of.contact());
    let knows =
        |key: &str| pages.iter().flat_map(|page| &page.fields).any(|field| field.key == key && field.asked().is_some());
    let after = of.object("after", |of| {
        of.only(&["message", "redirect"]);
        let message = of.text("message", |text| Thanks::message(text, knows));
        After { message, redirect: of.text("redirect", |text| Thanks::address(text, knows)) }
    });
    let spam = of.object("spam", |of| of.spam());
    let allowed_origins = of.object("embed", |of| {
        of.only(&["allowedOrigins"]);
        of.texts("allowedOrigins", MAX_ORIGINS, origin)
    });
    let accent = of.object("style", |of| {
        of.only(&["accent"]);
        of.one_of("accent", Accent::ALL, Accent::as_str)
    });
    if !wrong.is_empty() {
        return Err(wrong);
    }
    Ok(FormSchema {
        slug,
        title,
        intro,
        submit,
        pages,
        contact: contact.unwrap_or_else(ContactRule::usual),
        after: after.unwrap_or_default(),
        spam: spam.unwrap_or_default(),
        allowed_origins: allowed_origins.flatten().unwrap_or_default(),
        accent: accent.flatten().unwrap_or_default(),
    })
}

impl ContactRule {
    fn usual() -> Self {
        Self {
            match_by: vec![IdentityKind::Email, IdentityKind::Phone],
            on_match: OnMatch::FillEmpty,
            tags: Vec::new(),
        }
    }
}

/// An object in a definition, and where it stands.
struct Object<'d> {
    fields: &'d Map<String, Json>,
    place: String,
    wrong: &'d mut Vec<Wrong>,
}

impl Object<'_> {
    fn at(&self, name: impl std::fmt::Display) -> String {
        if self.place.is_empty() { name.to_string() } else { format!("{}.{name}", self.place) }
    }

    fn refuse(&mut self, name: &str, problem: impl Into<String>) {
        let place = self.at(name);
        self.wrong.push((place, Invalid::new(problem)));
    }

    fn kept<T>(&mut self, name: &str, read: Result<T, Invalid>) -> Option<T> {
        read.map_err(|Invalid(problem)| self.refuse(name, problem)).ok()
    }

    /// Refuses what it does not know: a name that is written wrong would do nothing.
    fn only(&mut self, known: &[&str]) {
        let others: Vec<&String> = self.fields.keys().filter(|name| !known.contains(&name.as_str())).collect();
        for name in others {
            let place = self.at(echo(name));
            self.wrong.push((place, Invalid::new(format!("should not exist; there are {}", known.join(", ")))));
        }
    }

    /// What stands under a name; `null` is nothing.
    fn value(&self, name: &str) -> Option<&Json> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    fn text<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, Invalid>) -> Option<T> {
        let value = self.value(name)?;
        let read = value.as_str().ok_or_else(|| Invalid::new("must be a string")).and_then(parse);
        self.kept(name, read)
    }

    fn flag(&mut self, name: &str) -> Option<bool> {
        let read = self.value(name)?.as_bool().ok_or_else(|| Invalid::new("must be true or false"));
        self.kept(name, read)
    }

    fn integer(&mut self, name: &str, within: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let number = self.value(name)?.as_i64().filter(|number| within.contains(number));
        let problem = || Invalid::new(format!("must be a whole number from {} to {}", within.start(), within.end()));
        self.kept(name, number.ok_or_else(problem))
    }

    fn one_of<T: Copy>(&mut self, name: &str, all: &[T], word: impl Fn(T) -> &'static str) -> Option<T> {
        self.text(name, |text| {
            let found = all.iter().copied().find(|one| word(*one) == text);
            let names: Vec<&str> = all.iter().map(|one| word(*one)).collect();
            found.ok_or_else(|| Invalid::new(format!("must be one of {}", names.join(", "))))
        })
    }

    fn list(&mut self, name: &str, most: usize) -> Option<&Vec<Json>> {
        let read = match self.value(name)? {
            Json::Array(list) if list.len() <= most => return self.fields.get(name).and_then(Json::as_array),
            Json::Array(_) => format!("must not have more than {most} elements"),
            _ => "must be an array".to_owned(),
        };
        self.refuse(name, read);
        None
    }

    fn texts<T: PartialEq>(
        &mut self,
        name: &str,
        most: usize,
        parse: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Option<Vec<T>> {
        let list = self.list(name, most)?.clone();
        let mut read = Vec::new();
        for (index, value) in list.iter().enumerate() {
            let one = value.as_str().ok_or_else(|| Invalid::new("must be a string")).and_then(&parse);
            let one =
                one.and_then(|one| if read.contains(&one) { Err(Invalid::new("stands there twice")) } else { Ok(one) });
            read.extend(self.kept(&format!("{name}.{index}"), one));
        }
        Some(read)
    }

    fn object<T>(&mut self, name: &str, read: impl FnOnce(&mut Object<'_>) -> T) -> Option<T> {
        let value = self.value(name)?;
        if value.is_object() {
            let place = self.at(name);
            let fields = self.fields.get(name).and_then(Json::as_object)?;
            return Some(read(&mut Object { fields, place, wrong: self.wrong }));
        }
        self.refuse(name, "must be an object");
        None
    }

    fn pages(&mut self) -> Vec<Page> {
        let Some(list) = self.list("pages", MAX_PAGES).cloned() else { return Vec::new() };
        let (mut pages, mut earlier): (Vec<Page>, Vec<Asked>) = (Vec::new(), Vec::new());
        let mut keys: Vec<String> = Vec::new();
        for (index, page) in list.iter().enumerate() {
            let place = self.at(format!("pages.{index}"));
            let Some(fields) = page.as_object() else {
                self.refuse(&format!("pages.{index}"), "must be an object");
                continue;
            };
            let mut of = Object { fields, place, wrong: self.wrong };
            of.only(&["title", "fields"]);
            let title = of.text("title", Line::parse);
            pages.push(Page { title, fields: of.page_fields(&mut keys, &mut earlier) });
        }
        if keys.len() > MAX_FIELDS {
            self.refuse("pages", format!("must not have more than {MAX_FIELDS} fields"));
        }
        pages
    }

    fn page_fields(&mut self, keys: &mut Vec<String>, earlier: &mut Vec<Asked>) -> Vec<Field> {
        let list = self.list("fields", MAX_FIELDS).cloned().unwrap_or_default();
        let mut read = Vec::new();
        for (index, field) in list.iter().enumerate() {
            let name = format!("fields.{index}");
            let Some(fields) = field.as_object() else {
                self.refuse(&name, "must be an object");
                continue;
            };
            let place = self.at(&name);
            let field = Object { fields, place, wrong: self.wrong }.field(earlier);
            let Some(field) = field else { continue };
            if keys.contains(&field.key) {
                self.refuse(&format!("{name}.key"), format!("is that of another field: {}", field.key));
                continue;
            }
            keys.push(field.key.clone());
            earlier.extend(field.asked());
            read.push(field);
        }
        read
    }

    fn field(&mut self, earlier: &[Asked]) -> Option<Field> {
        let before = self.wrong.len();
        let kind = self.kind();
        let key = self.text("key", key);
        if key.is_none() && self.value("key").is_none() {
            self.refuse("key", "must be a string");
        }
        let label = self.text("label", label);
        let is_required = self.flag("required").unwrap_or_default();
        if is_required && matches!(kind, Some(FieldKind::Hidden(_) | FieldKind::Heading)) {
            self.refuse("required", "should not exist where nobody is asked");
        }
        let width = self.value("width").map_or(Some(100), Json::as_i64).filter(|width| [50, 100].contains(width));
        if width.is_none() {
            self.refuse("width", "must be 50 or 100");
        }
        let maps_to = self.text("mapsTo", |text| Line::<200>::parse(text).map(Line::into_string));
        if maps_to.is_some() && matches!(kind, Some(FieldKind::File(_))) {
            self.refuse("mapsTo", "should not exist where files are asked for: they stay with the submission");
        }
        let visible_if = self.visible_if(earlier);
        let (hint, placeholder) = (self.text("hint", Prose::parse), self.text("placeholder", Line::parse));
        // What could not be read is not there, and must not be taken for what was left out.
        let (key, kind) = (key?, kind?);
        (self.wrong.len() == before).then(|| Field {
            label: label.unwrap_or_else(|| Prose::from_stored(key.clone())),
            key,
            hint,
            placeholder,
            kind,
            is_required,
            is_half: width == Some(50),
            maps_to,
            visible_if,
        })
    }

    fn visible_if(&mut self, earlier: &[Asked]) -> Option<Condition<Asked>> {
        let condition = self.value("visibleIf")?;
        let known = |name: &str| earlier.iter().find(|asked| asked.key == name).cloned();
        let read = Condition::read(condition, &known).map_err(|Invalid(problem)| {
            let of_earlier =
                if problem.contains("names nothing") { "; a field can depend on earlier ones only" } else { "" };
            Invalid(format!("{problem}{of_earlier}"))
        });
        self.kept("visibleIf", read)
    }

    fn kind(&mut self) -> Option<FieldKind> {
        const ALWAYS: [&str; 9] =
            ["key", "type", "label", "hint", "placeholder", "required", "width", "mapsTo", "visibleIf"];
        let names: Vec<&'static str> = FieldKind::NAMES.to_vec();
        let name = match self.value("type") {
            None => "text",
            Some(_) => self.one_of("type", &names, |name| name)?,
        };
        let own: &[&str] = match name {
            "text" | "textarea" => &["maxLength"],
            "number" | "money" | "date" => &["min", "max"],
            "select" | "radio" | "multi" => &["options"],
            "consent" => &["textVersion"],
            "rating" => &["max"],
            "file" => &["accept", "multiple"],
            "hidden" => &["from", "value"],
            _ => &[],
        };
        self.only(&[&ALWAYS, own].concat());
        Some(match name {
            "text" => FieldKind::Text(self.length(MAX_LINE, MAX_LINE)),
            "textarea" => FieldKind::Textarea(self.length(5_000, MAX_LINES)),
            "email" => FieldKind::Email,
            "phone" => FieldKind::Phone,
            "number" => FieldKind::Number(self.range(number)),
            "money" => FieldKind::Money(self.range(number)),
            "date" => FieldKind::Date(self.range(|json| {
                CalendarDate::parse(json.as_str().ok_or_else(|| Invalid::new("must be a date, such as 1990-09-25"))?)
            })),
            "time" => FieldKind::Time,
            "select" => FieldKind::Select(self.choices()),
            "radio" => FieldKind::Radio(self.choices()),
            "multi" => FieldKind::Multi(self.choices()),
            "checkbox" => FieldKind::Checkbox,
            "consent" => FieldKind::Consent(self.integer("textVersion", 1..=1_000_000).unwrap_or(1)),
            "url" => FieldKind::Url,
            "rating" => FieldKind::Rating(self.integer("max", 2..=10).unwrap_or(5) as u8),
            "file" => FieldKind::File(FileRule {
                formats: self.texts("accept", MAX_FORMATS, Format::parse).unwrap_or_default(),
                is_multiple: self.flag("multiple").unwrap_or_default(),
            }),
            "hidden" => FieldKind::Hidden(self.hidden()),
            _ => FieldKind::Heading,
        })
    }

    fn length(&mut self, usual: i64, most: i64) -> usize {
        self.integer("maxLength", 1..=most).unwrap_or(usual) as usize
    }

    fn range<T: PartialOrd>(&mut self, read: impl Fn(&Json) -> Result<T, Invalid>) -> Range<T> {
        let mut end = |name: &str| {
            let value = self.value(name).map(&read)?;
            self.kept(name, value)
        };
        let (min, max) = (end("min"), end("max"));
        if let (Some(least), Some(most)) = (&min, &max)
            && least > most
        {
            self.refuse("max", "must not be below min");
        }
        Range { min, max }
    }

    fn choices(&mut self) -> Vec<Line<200>> {
        let choices = self.texts("options", MAX_CHOICES, Line::parse);
        if choices.as_ref().is_none_or(Vec::is_empty) {
            self.refuse("options", "must have at least one element");
        }
        choices.unwrap_or_default()
    }

    fn hidden(&mut self) -> Hidden {
        let from = self.text("from", |text| {
            let name = text.strip_prefix("query:").ok_or_else(|| Invalid::new("must be such as query:utm_source"))?;
            Line::parse(name)
        });
        let always = self.text("value", Line::parse);
        if self.value("from").is_some() == self.value("value").is_some() {
            self.refuse("from", "must say where it comes from, unless value says what it is");
        }
        match from {
            Some(name) => Hidden::Query(name),
            None => Hidden::Always(always.unwrap_or_else(|| Line::from_stored(String::new()))),
        }
    }

    fn contact(&mut self) -> ContactRule {
        self.only(&["matchBy", "onMatch", "tags"]);
        let usual = ContactRule::usual();
        let kind = |text: &str| IdentityKind::parse(text).ok_or_else(|| Invalid::new("must be email or phone"));
        ContactRule {
            match_by: self.texts("matchBy", 2, kind).unwrap_or(usual.match_by),
            on_match: self.one_of("onMatch", &OnMatch::ALL, OnMatch::as_str).unwrap_or(usual.on_match),
            tags: self.texts("tags", MAX_TAGS, TagName::parse).unwrap_or_default(),
        }
    }

    fn spam(&mut self) -> SpamRule {
        self.only(&["honeypot", "minSeconds", "rate", "formRate", "onSuspect"]);
        let usual = SpamRule::default();
        self.one_of("onSuspect", &["quarantine"], |word| word);
        SpamRule {
            has_honeypot: self.flag("honeypot").unwrap_or(usual.has_honeypot),
            min_seconds: self.integer("minSeconds", 0..=60).unwrap_or(usual.min_seconds),
            per_source: self.text("rate", |text| rate(text, "/min/ip", 10_000)).unwrap_or(usual.per_source),
            per_form: self.text("formRate", |text| rate(text, "/min", 1_000_000)).unwrap_or(usual.per_form),
        }
    }
}

fn rate(text: &str, unit: &str, most: u32) -> Result<u32, Invalid> {
    let number = text.strip_suffix(unit).and_then(|number| number.parse().ok());
    let problem = || Invalid::new(format!("must be such as 10{unit}, and at most {most}{unit}"));
    number.filter(|number| (1..=most).contains(number)).ok_or_else(problem)
}

fn number(json: &Json) -> Result<Decimal, Invalid> {
    match json {
        Json::Number(number) => match number.as_f64() {
            Some(double) if number.is_f64() => Decimal::from_double(double),
            _ => Decimal::parse(&number.to_string()),
        },
        Json::String(text) => Decimal::parse(text),
        _ => Err(Invalid::new("must be a number")),
    }
}

fn key(text: &str) -> Result<String, Invalid> {
    let suits = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !text.starts_with('_');
    if text.is_empty() || text.len() > MAX_KEY || !suits(text) {
        let problem = format!("must be 1 to {MAX_KEY} letters, digits and _, and not begin with _");
        return Err(Invalid::new(problem));
    }
    if RESERVED.contains(&text) {
        return Err(Invalid::new(format!("must be another one: under {text} a submission tells something else")));
    }
    Ok(text.to_owned())
}

fn label(text: &str) -> Result<Prose<2_000>, Invalid> {
    if text.trim().is_empty() { Err(Invalid::new("should not be empty")) } else { Prose::parse(text) }
}

fn slug(text: &str) -> Result<Slug, Invalid> {
    if TAKEN.contains(&text) {
        return Err(Invalid::new("must be another one: there something else of each form is found"));
    }
    let suits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_slug = !text.is_empty() && text.len() <= MAX_SLUG && text.chars().all(suits);
    if is_slug && !text.starts_with('-') && !text.ends_with('-') {
        return Ok(Slug(text.to_owned()));
    }
    let problem = format!("must be 1 to {MAX_SLUG} small letters, digits and -, such as contact-us");
    Err(Invalid::new(problem))
}

fn origin(text: &str) -> Result<Origin, Invalid> {
    let problem = || Invalid::new("must be the beginning of an address without a path, such as https://example.com");
    let url = Url::parse(text).map_err(|_| problem())?;
    // Browsers frame what a * stands for, but never send one.
    let is_one = url.host_str().is_some_and(|host| !host.contains('*'));
    let is_bare = is_one && ["http", "https"].contains(&url.scheme()) && url.path() == "/" && url.query().is_none();
    let origin = url.origin().ascii_serialization();
    // What is said in other words than browsers have would never be what they send.
    if is_bare && url.fragment().is_none() && text.trim_end_matches('/').eq_ignore_ascii_case(&origin) {
        return Ok(Origin(origin));
    }
    Err(problem())
}
