//! The fields of a form in their order, beside how they look.

use std::collections::BTreeSet;

use askama::Template;
use axum::{extract::State, response::Response};
use http::{HeaderValue, header};
use keystead_core::{Error, LocationContext, error::Noun};
use keystead_model::form_schema::{Field as AskedField, FieldKind, FormSchema};
use serde_json::{Map, Value as Json, json};

use super::{FIELDS, PATH, SECTION, Strip, TheForm, redefine, schema_of, seen, wanted, words};
use crate::{
    Web,
    failure::Failure,
    flash::{Done, lead},
    form::{Choice, Field, Fields, Form, Kind},
    guard,
    list::Asked,
    page::{Frame, render},
    place::Here,
    public,
};

/// What there is to add, in words.
pub(super) const KINDS: [(&str, &str); 18] = [
    ("text", "Text"),
    ("textarea", "Long text"),
    ("email", "E-mail"),
    ("phone", "Phone"),
    ("select", "List to choose from"),
    ("radio", "One of a few"),
    ("multi", "Several of a few"),
    ("number", "Number"),
    ("money", "Money"),
    ("date", "Date"),
    ("time", "Time"),
    ("url", "Web address"),
    ("rating", "Rating"),
    ("checkbox", "Checkbox"),
    ("consent", "Consent"),
    ("file", "File"),
    ("hidden", "Hidden"),
    ("heading", "Heading"),
];

/// A field or the beginning of a page, in the list.
struct Row {
    /// Of a field its key, of a page its number from 0.
    key: String,
    label: String,
    kind: &'static str,
    /// What is worth knowing of it, besides.
    notes: Vec<String>,
    /// Whether it begins a page.
    is_page: bool,
    is_first: bool,
    is_last: bool,
    url: String,
}

#[derive(Template)]
#[template(path = "forms/builder.html")]
struct Builder {
    frame: Frame,
    strip: Strip,
    rows: Vec<Row>,
    form: Form,
    wrong: Form,
    /// The title of a page that is still to be added.
    title: String,
    /// What was typed and is not added yet, in sentences.
    waiting: Vec<String>,
    arrange_url: String,
    add_url: String,
    page_url: String,
    preview_url: String,
}

pub(super) fn words_of(kind: &str) -> &'static str {
    KINDS.iter().find(|(name, _)| *name == kind).map_or("Text", |(_, words)| words)
}

fn notes(field: &AskedField, schema: &FormSchema) -> Vec<String> {
    let mut notes = Vec::new();
    if field.is_required {
        notes.push("needed".to_owned());
    }
    if let Some(target) = &field.maps_to {
        notes.push(format!("fills {target}"));
    }
    if let Some(condition) = &field.visible_if {
        notes.push(super::field::said(condition, schema));
    }
    if let FieldKind::Hidden(_) = field.kind {
        notes.push("not seen".to_owned());
    }
    notes
}

fn rows(form: &TheForm, here: &Here) -> Vec<Row> {
    let schema = schema_of(form);
    let at = here.url(&format!("{PATH}/{}", form.id));
    let mut rows = Vec::new();
    for (index, page) in schema.pages.iter().enumerate() {
        rows.push(Row {
            key: index.to_string(),
            label: super::page::name(index, page),
            kind: "",
            notes: Vec::new(),
            is_page: true,
            is_first: index == 0,
            is_last: index + 1 == schema.pages.len(),
            url: format!("{at}/pages/{}", index + 1),
        });
        for field in &page.fields {
            rows.push(Row {
                key: field.key.clone(),
                label: field.label.as_str().to_owned(),
                kind: words_of(field.kind.as_str()),
                notes: notes(field, &schema),
                is_page: false,
                is_first: rows.len() == 1,
                is_last: false,
                url: format!("{at}/fields/{}", field.key),
            });
        }
    }
    if let Some(last) = rows.last_mut().filter(|last| !last.is_page) {
        last.is_last = true;
    }
    rows
}

fn add_fields() -> Vec<Field> {
    let kinds = KINDS.map(|(name, words)| Choice::new(name, words));
    vec![
        Field::line("label", "Question").needed("Enter what is asked").with("maxlength=200 autocomplete=off").half(),
        Field::new(Kind::Select, "type", "Type").of(kinds).half(),
    ]
}

/// What was typed to be added and is not yet. All buttons of the page send it, so that none of them loses it.
#[derive(Default)]
pub(super) struct Typed {
    label: String,
    kind: String,
    title: String,
}

impl Typed {
    pub(super) fn of(sent: &Fields) -> Self {
        Self::read(|name| sent.text(name))
    }

    fn read<'t>(text: impl Fn(&'static str) -> Option<&'t str>) -> Self {
        let text = |name| text(name).unwrap_or_default().to_owned();
        Self { label: text("label"), kind: text("type"), title: text("title") }
    }

    /// The address of the page with it.
    pub(super) fn url(&self, here: &Here, form: &TheForm) -> String {
        let Self { label, kind, title } = self;
        let kind = if label.is_empty() { "" } else { kind };
        let said = [("label", label.as_str()), ("type", kind), ("title", title.as_str())];
        let said = said.map(|(name, text)| (name, Some(text).filter(|text| !text.is_empty())));
        Asked::default().with_all(&here.url(&format!("{PATH}/{}", form.id)), &said)
    }

    fn form(&self) -> Form {
        Form::filled(add_fields(), [("label", self.label.clone()), ("type", self.kind.clone())])
    }

    fn waiting(&self) -> Vec<String> {
        let waits = |text: &str, button: &str| {
            (!text.is_empty()).then(|| format!("“{text}” is not part of the form yet: press {button} for that."))
        };
        [waits(&self.label, "Add field"), waits(&self.title, "Add page")].into_iter().flatten().collect()
    }
}

async fn page(
    web: &Web,
    here: &Here,
    context: &LocationContext,
    form: &TheForm,
    typed: &Typed,
    (add, wrong): (Form, Form),
) -> Result<Builder, Error> {
    let at = here.url(&format!("{PATH}/{}", form.id));
    Ok(Builder {
        frame: Frame::of(here, form.content.name.as_str(), SECTION),
        strip: Strip::of(web, here, context, form, FIELDS).await?,
        rows: rows(form, here),
        form: add,
        wrong,
        title: typed.title.clone(),
        waiting: typed.waiting(),
        arrange_url: format!("{at}/arrange"),
        add_url: format!("{at}/add"),
        page_url: format!("{at}/pages"),
        preview_url: format!("{at}/preview"),
    })
}

/// With the leave to show the preview in a frame.
fn framing(mut response: Response) -> Response {
    let policy = format!("{}; frame-src 'self'", guard::POLICY);
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

pub(crate) async fn show(State(web): State<Web>, asked: Asked, here: Here) -> Result<Response, Failure> {
    let (context, form) = seen(&web, &here).await?;
    let typed = Typed::read(|name| asked.text(name));
    let page = page(&web, &here, &context, &form, &typed, (typed.form(), Form::default())).await?;
    Ok(framing(render(&page)))
}

/// The page again, with what is wrong.
pub(super) async fn again(
    web: &Web,
    here: &Here,
    context: &LocationContext,
    form: &TheForm,
    typed: &Typed,
    wrong: Form,
) -> Result<Response, Failure> {
    let page = page(web, here, context, form, typed, (typed.form(), wrong)).await?;
    Ok(framing(page.wrong.again(&page)))
}

/// How the draft looks. Nothing is sent from there.
pub(crate) async fn preview(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    let open = web.app.preview_form(&context, here.id(Noun::Form)?).await?;
    Ok(public::forms::preview(&web, &open))
}

/// A part of a definition: the beginning of a page, or a field.
enum Part {
    Page(Map<String, Json>),
    Field(Json),
}

fn parts(definition: &Map<String, Json>) -> Vec<Part> {
    let mut parts = Vec::new();
    for page in definition.get("pages").and_then(Json::as_array).into_iter().flatten() {
        let mut page = page.as_object().cloned().unwrap_or_default();
        let fields = page.shift_remove("fields");
        parts.push(Part::Page(page));
        parts.extend(fields.as_ref().and_then(Json::as_array).into_iter().flatten().cloned().map(Part::Field));
    }
    parts
}

fn with_parts(mut definition: Map<String, Json>, parts: Vec<Part>) -> Map<String, Json> {
    let mut pages: Vec<(Map<String, Json>, Vec<Json>)> = Vec::new();
    for part in parts {
        match part {
            Part::Page(page) => pages.push((page, Vec::new())),
            Part::Field(field) => {
                if pages.is_empty() {
                    pages.push((Map::new(), Vec::new()));
                }
                pages.last_mut().expect("a page").1.push(field);
            }
        }
    }
    let pages = pages.into_iter().map(|(mut page, fields)| {
        page.insert("fields".to_owned(), fields.into());
        Json::Object(page)
    });
    definition.insert("pages".to_owned(), pages.collect());
    definition
}

/// Does what a button says: `up-key` and `down-key` of a field; of pages, by their numbers, `raise-2` and `lower-2`, and `join-2`, which
/// makes one a part of the one before it.
fn arranged(parts: &mut Vec<Part>, text: &str) {
    let (what, about) = text.split_once('-').unwrap_or((text, ""));
    let is_field = |part: &Part| matches!(part, Part::Field(field) if field["key"] == about);
    let place = parts.iter().position(is_field);
    let number: Option<usize> = about.parse().ok();
    match (what, place, number) {
        ("up", Some(place), _) if place > 1 => parts.swap(place, place - 1),
        ("down", Some(place), _) if place + 1 < parts.len() => parts.swap(place, place + 1),
        ("raise", _, Some(number)) => raise(parts, number),
        ("lower", _, Some(number)) => raise(parts, number.saturating_add(1)),
        ("join", _, Some(number)) if number > 0 => {
            if let Some(place) = begins(parts).get(number).copied() {
                parts.remove(place);
            }
        }
        _ => {}
    }
}

/// Where pages begin.
fn begins(parts: &[Part]) -> Vec<usize> {
    let pages = parts.iter().enumerate().filter(|(_, part)| matches!(part, Part::Page(_)));
    pages.map(|(place, _)| place).collect()
}

/// Puts a page, with all that is on it, before the one before it.
fn raise(parts: &mut [Part], number: usize) {
    let begins = begins(parts);
    let Some(before) = number.checked_sub(1).and_then(|before| begins.get(before).copied()) else { return };
    let Some(own) = begins.get(number).copied() else { return };
    let end = begins.get(number + 1).copied().unwrap_or(parts.len());
    parts[before..end].rotate_left(own - before);
}

pub(crate) async fn arrange(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let (context, form) = wanted(&web, &here).await?;
    let (definition, typed) = (form.content.definition.fields(), Typed::of(&sent));
    let mut parts = parts(&definition);
    let change = sent.text("change").unwrap_or_default();
    arranged(&mut parts, change);
    let mut asked = Form::default();
    let definition = with_parts(definition, parts);
    let work = redefine(&web, &context, form.id, definition.clone());
    let why = |error| match error {
        Error::Invalid(wrong) if wrong.iter().all(|one| one.problem.contains("names nothing")) => Error::invalid(
            "This",
            "cannot stand there: a field that is shown by an answer comes after the field that is answered",
        ),
        other => words::in_words(other, &definition),
    };
    match asked.run(async { work.await.map_err(why) }).await? {
        Some(form) => {
            let back = back_to(&rows(&form, &here), change);
            let url = format!("{}{back}", typed.url(&here, &form));
            Ok(lead(&web, &url, Done::FormSaved, form.content.name.as_str()))
        }
        None => again(&web, &here, &context, &form, &typed, asked).await,
    }
}

/// Where a button stands that was pressed, or its neighbour where it does nothing more: who moves something goes on moving it.
fn back_to(rows: &[Row], text: &str) -> String {
    let (what, about) = text.split_once('-').unwrap_or((text, ""));
    let number = about.parse::<usize>().unwrap_or_default();
    let (is_page, about) = match what {
        "up" | "down" => (false, about.to_owned()),
        "raise" => (true, number.saturating_sub(1).to_string()),
        "lower" => (true, number.saturating_add(1).to_string()),
        _ => return String::new(),
    };
    let Some(row) = rows.iter().find(|row| row.is_page == is_page && row.key == about) else { return String::new() };
    let what = match what {
        "up" if row.is_first => "down",
        "down" if row.is_last => "up",
        "raise" if row.is_first => "lower",
        "lower" if row.is_last => "raise",
        other => other,
    };
    format!("#{what}-{about}")
}

/// A key that no field of the form has, of the letters of its label.
fn key_for(label: &str, taken: &BTreeSet<String>) -> String {
    let folded = keystead_model::search::fold(label);
    let words: Vec<String> =
        folded.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let mut key: String = words.join("_").chars().take(40).collect();
    if key.is_empty() {
        "field".clone_into(&mut key);
    }
    let numbered = (2..).map(|number| format!("{key}_{number}"));
    std::iter::once(key.clone()).chain(numbered).find(|key| !taken.contains(key)).expect("numbers have no end")
}

pub(crate) async fn add_field(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let (context, form) = wanted(&web, &here).await?;
    let typed = Typed::of(&sent);
    // Enter in the title of a page means that page.
    if typed.label.is_empty() && !typed.title.is_empty() && sent.text("by") == Some("enter") {
        return add_page(State(web), here, sent).await;
    }
    let mut asked = Form::new(add_fields(), sent);
    let label = asked.read("label", |text| Ok(text.to_owned()));
    let kind = asked.text("type").unwrap_or("text").to_owned();
    let definition = form.content.definition.fields();
    let taken = schema_of(&form).fields().map(|field| field.key.clone()).collect();
    let mut parts = parts(&definition);
    let key = key_for(label.as_deref().unwrap_or_default(), &taken);
    let work = async |label: String| {
        let mut field = json!({"key": key, "type": kind, "label": label});
        super::field::complete(&mut field);
        parts.push(Part::Field(field));
        let definition = with_parts(definition, parts);
        let saved = redefine(&web, &context, form.id, definition.clone()).await;
        saved.map_err(|error| words::in_words(error, &definition))
    };
    match asked.run_with(label, work).await? {
        Some(form) => {
            let waits = Typed { label: String::new(), ..typed };
            // Where it gets its rules, unless something else is still to be added here.
            let url = match waits.title.is_empty() {
                true => here.url(&format!("{PATH}/{}/fields/{key}", form.id)),
                false => waits.url(&here, &form),
            };
            Ok(lead(&web, &url, Done::FormFieldAdded, asked.text("label").unwrap_or_default()))
        }
        None => {
            let page = page(&web, &here, &context, &form, &typed, (asked, Form::default())).await?;
            Ok(framing(page.form.again(&page)))
        }
    }
}

pub(crate) async fn add_page(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let (context, form) = wanted(&web, &here).await?;
    let definition = form.content.definition.fields();
    let mut parts = parts(&definition);
    let typed = Typed::of(&sent);
    let title = sent.text("title").map(|title| json!({"title": title})).unwrap_or_else(|| json!({}));
    parts.push(Part::Page(title.as_object().cloned().unwrap_or_default()));
    let mut asked = Form::default();
    let definition = with_parts(definition, parts);
    let work = redefine(&web, &context, form.id, definition.clone());
    match asked.run(async { work.await.map_err(|error| words::in_words(error, &definition)) }).await? {
        Some(form) => {
            let waits = Typed { title: String::new(), ..typed };
            Ok(lead(&web, &waits.url(&here, &form), Done::FormSaved, form.content.name.as_str()))
        }
        None => again(&web, &here, &context, &form, &typed, asked).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str) -> String {
        let definition = json!({"slug": "x", "pages": [
            {"title": "A", "fields": [{"key": "a"}, {"key": "b"}]}, {"fields": [{"key": "c"}]},
        ]});
        let definition = definition.as_object().unwrap().clone();
        let mut parts = parts(&definition);
        arranged(&mut parts, text);
        let pages = with_parts(definition, parts)["pages"].clone();
        let keys = |page: &Json| {
            page["fields"]
                .as_array()
                .unwrap()
                .iter()
                .map(|field| field["key"].as_str().unwrap().to_owned())
                .collect::<String>()
        };
        pages.as_array().unwrap().iter().map(keys).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn buttons_move_fields_also_from_page_to_page() {
        for (text, then) in [
            ("up-b", "ba|c"),
            ("up-a", "ab|c"),
            ("down-b", "a|bc"),
            ("up-c", "abc|"),
            ("down-c", "ab|c"),
            ("join-1", "abc"),
            ("join-0", "ab|c"),
            ("join-9", "ab|c"),
            ("raise-1", "c|ab"),
            ("lower-0", "c|ab"),
            ("raise-0", "ab|c"),
            ("lower-1", "ab|c"),
            ("raise-9", "ab|c"),
            ("raise-18446744073709551615", "ab|c"),
            ("lower-18446744073709551615", "ab|c"),
            ("up-x", "ab|c"),
            ("made up", "ab|c"),
        ] {
            assert_eq!(after(text), then, "{text}");
        }
    }

    #[test]
    fn keys_are_made_of_labels_and_none_comes_twice() {
        let taken = BTreeSet::from(["name".to_owned(), "name_2".to_owned()]);
        for (label, key) in
            [("Name", "name_3"), ("Wie heißt Du?", "wie_heisst_du"), ("日本", "field"), ("__proto__", "proto")]
        {
            assert_eq!(key_for(label, &taken), key);
        }
    }
}
