//! One field of a form.

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Error, FieldUse, LocationContext, error::Noun};
use keystead_model::{
    condition::{Condition, Op, Test},
    custom_field::{Format, OwnerKind},
    form_answers::TARGETS,
    form_schema::{Asked, FILE_MB, FILES, Field as AskedField, FieldKind, FileRule, FormSchema},
};
use serde_json::{Map, Value as Json, json};

use super::{PATH, SECTION, TheForm, builder, named_after, redefine, schema_of, wanted, words};
use crate::{
    Web,
    ask::Ask,
    failure::Failure,
    flash::{Done, lead},
    form::{Choice, Edit, Field, Fields, Form, Kind},
    page::{Frame, render},
    place::Here,
    show::grouped,
};

/// What can be asked of an answer, in words.
pub(super) const OPS: [(&str, &str); 8] = [
    ("eq", "is"),
    ("not_eq", "is not"),
    ("contains", "contains"),
    ("not_contains", "does not contain"),
    ("gt", "is more than"),
    ("lt", "is less than"),
    ("exists", "is answered"),
    ("not_exists", "is not answered"),
];
/// The choice that leaves a condition as it is which is more than one test.
const KEEP: &str = "*";

/// Whether it has properties of its own, which others lack.
fn own_properties(kind: &str) -> &'static [&'static str] {
    match kind {
        "number" | "money" | "date" => &["min", "max"],
        "select" | "radio" | "multi" => &["options"],
        "consent" => &["textVersion"],
        "hidden" => &["from"],
        "file" => &["accept", "multiple"],
        _ => &[],
    }
}

/// Adds what a field of its type cannot be without, and takes away what it has no use for.
pub(super) fn complete(field: &mut Json) {
    let kind = field["type"].as_str().unwrap_or("text").to_owned();
    let Some(field) = field.as_object_mut() else { return };
    let own = own_properties(&kind);
    for property in ["min", "max", "options", "textVersion", "from", "value", "maxLength", "accept", "multiple"] {
        let is_own = own.contains(&property)
            || (property == "value" && kind == "hidden" && !field.contains_key("from"))
            || (property == "max" && kind == "rating")
            || (property == "maxLength" && ["text", "textarea"].contains(&kind.as_str()));
        if !is_own {
            field.shift_remove(property);
        }
    }
    if ["select", "radio", "multi"].contains(&kind.as_str()) && !field.contains_key("options") {
        field.insert("options".to_owned(), json!(["First answer", "Second answer"]));
    }
    if kind == "hidden" && !field.contains_key("from") && !field.contains_key("value") {
        field.insert("from".to_owned(), json!("query:utm_source"));
    }
    if ["hidden", "heading"].contains(&kind.as_str()) {
        field.shift_remove("required");
    }
    if kind == "file" {
        field.shift_remove("mapsTo");
    }
}

/// When a field is shown, in words.
pub(super) fn said(condition: &Condition<Asked>, schema: &FormSchema) -> String {
    match simple(condition) {
        Some((key, op, value)) => {
            let label = schema.field(&key).map_or(key.as_str(), |field| field.label.as_str()).to_owned();
            let words = OPS.iter().find(|(name, _)| *name == op).map_or(op, |(_, words)| *words);
            format!("shown if “{label}” {words} {value}").trim_end().to_owned()
        }
        None => "shown by earlier answers".to_owned(),
    }
}

/// A condition that is one test which forms of ours can say.
fn simple(condition: &Condition<Asked>) -> Option<(String, &'static str, String)> {
    let Condition::Test(Test { field, op }) = condition else { return None };
    let json = Condition::Test(Test { field: field.clone(), op: op.clone() }).to_json();
    let value = match &json["value"] {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        Json::Bool(true) if matches!(op, Op::Eq(_)) => "true".to_owned(),
        _ => return None,
    };
    OPS.iter().any(|(name, _)| *name == op.name()).then(|| (field.key.clone(), op.name(), value))
}

/// Fields of the form that changes one of these, whose names are those of its properties.
async fn fields(
    web: &Web,
    context: &LocationContext,
    schema: &FormSchema,
    field: &AskedField,
) -> Result<Vec<Field>, Error> {
    let kind = field.kind.as_str();
    let kinds = builder::KINDS.map(|(name, words)| Choice::new(name, words));
    let mut fields = vec![
        Field::new(Kind::Lines(2), "label", "Question").needed("Enter what is asked").with("maxlength=2000"),
        Field::line("hint", "Help").hint("Stands below the question.").with("maxlength=500"),
        Field::new(Kind::Select, "type", "Type").of(kinds).hint("Save to see what the new type has."),
    ];
    if ["text", "textarea", "email", "phone", "url", "number", "money"].contains(&kind) {
        fields.push(Field::line("placeholder", "Example, shown while it is empty").with("maxlength=200"));
    }
    let date = if kind == "date" { "date" } else { "text" };
    for property in own_properties(kind) {
        fields.push(match *property {
            "min" => Field::typed(date, "min", "Not below").half(),
            "max" => Field::typed(date, "max", "Not above").half(),
            "options" => Field::new(Kind::Lines(5), "options", "Answers to choose from")
                .needed("Enter the answers to choose from")
                .hint("One on each line."),
            "textVersion" => Field::line("textVersion", "Version of the text")
                .hint("Count up when you change what people agree to: each submission keeps which it was."),
            "accept" => Field::line("accept", "Files whose names end with")
                .hint(format!("Such as .pdf, .jpg. Without any, all are taken, up to {FILE_MB} MB each."))
                .with("maxlength=200"),
            "multiple" => Field::new(Kind::Check, "multiple", "Several files")
                .hint(format!("Up to {FILES} come with one submission.")),
            _ => Field::line("from", "Name in the address")
                .needed("Enter a name")
                .hint("Of a page opened with ?utm_source=mail, utm_source is “mail”."),
        });
    }
    if !["hidden", "heading"].contains(&kind) {
        fields.push(Field::new(Kind::Check, "required", "An answer is needed").hint("Where the question is shown."));
    }
    fields.push(Field::new(Kind::Check, "width", "Half a line").hint("Beside its neighbour, where there is room."));
    if !["heading", "file"].contains(&kind) {
        let custom = web.app.fields_of(context, OwnerKind::Contact).await?;
        let custom = custom.iter().filter(|field| !field.data_type.is_file());
        let custom = custom.map(|field| Choice::new(field.field_key(), field.content.name.as_str().to_owned()));
        let standard = TARGETS.iter().map(|(target, words)| Choice::new(*target, *words));
        let mut targets = vec![Choice::new("", "Nothing: it is kept in the submission")];
        targets.extend(standard.chain(custom));
        if let Some(target) = &field.maps_to
            && !targets.iter().any(|choice| choice.value == *target)
        {
            targets.push(Choice::new(target.clone(), target.clone()));
        }
        fields.push(Field::new(Kind::Select, "mapsTo", "Fills in the contact").of(targets));
    }
    let mut earlier = vec![Choice::new("", "Always")];
    if field.visible_if.as_ref().is_some_and(|condition| simple(condition).is_none()) {
        earlier.push(Choice::new(KEEP, "As it is: by several tests, which were sent by a program"));
    }
    let before = schema.fields().take_while(|other| other.key != field.key).filter(|other| other.asked().is_some());
    earlier.extend(before.map(|other| Choice::new(other.key.clone(), format!("If: {}", other.label.as_str()))));
    fields.push(
        Field::new(Kind::Select, "visibleIf", "Show it")
            .called("The condition")
            .of(earlier)
            .hint("Answers to what is not shown are dropped."),
    );
    fields.push(
        Field::new(Kind::Select, "op", "If the answer").of(OPS.map(|(name, words)| Choice::new(name, words))).half(),
    );
    fields.push(Field::line("compared", "Compared with").with("maxlength=200 list=answers autocomplete=off").half());
    Ok(fields)
}

/// What stands in that form.
fn stands(field: &AskedField, json: &Json) -> Vec<(&'static str, String)> {
    let text = |name: &str| match &json[name] {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        Json::Array(list) => list.iter().filter_map(Json::as_str).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    };
    let on = |is_on: bool| if is_on { "on".to_owned() } else { String::new() };
    let mut pairs: Vec<(&'static str, String)> =
        ["hint", "placeholder", "min", "max", "options", "mapsTo"].map(|name| (name, text(name))).into();
    pairs.push(("label", field.label.as_str().to_owned()));
    pairs.push(("type", field.kind.as_str().to_owned()));
    pairs.push(("from", text("from").trim_start_matches("query:").to_owned()));
    if let FieldKind::Consent(version) = field.kind {
        pairs.push(("textVersion", version.to_string()));
    }
    if let FieldKind::File(FileRule { formats, is_multiple }) = &field.kind {
        let formats: Vec<&str> = formats.iter().map(Format::as_str).collect();
        pairs.extend([("accept", formats.join(", ")), ("multiple", on(*is_multiple))]);
    }
    pairs.push(("required", on(field.is_required)));
    pairs.push(("width", on(field.is_half)));
    match field.visible_if.as_ref().map(simple) {
        Some(Some((key, op, value))) => pairs.extend([("visibleIf", key), ("op", op.to_owned()), ("compared", value)]),
        Some(None) => pairs.push(("visibleIf", KEEP.to_owned())),
        None => {}
    }
    pairs
}

#[derive(Template)]
#[template(path = "forms/field.html")]
struct Editor {
    frame: Frame,
    heading: String,
    key: String,
    form_name: String,
    form: Form,
    form_url: String,
    delete_url: String,
    /// What can be answered to the fields before it, where that is to choose.
    answers: Vec<String>,
}

/// A field, with the form that it is in and where.
struct Place {
    context: LocationContext,
    form: TheForm,
    schema: FormSchema,
    page: usize,
    index: usize,
}

impl Place {
    async fn of(web: &Web, here: &Here) -> Result<Self, Error> {
        let (context, form) = wanted(web, here).await?;
        let schema = schema_of(&form);
        let key = here.visitor.param("field");
        let found = schema.pages.iter().enumerate().find_map(|(page, fields)| {
            fields.fields.iter().position(|field| field.key == key).map(|index| (page, index))
        });
        let (page, index) = found.ok_or_else(|| Error::NotFound(Noun::FormField, key.to_owned()))?;
        Ok(Self { context, form, schema, page, index })
    }

    fn field(&self) -> &AskedField {
        &self.schema.pages[self.page].fields[self.index]
    }

    fn answers_before(&self) -> Vec<String> {
        let before = self.schema.fields().take_while(|other| other.key != self.field().key);
        let mut answers: Vec<String> = Vec::new();
        for choice in before.flat_map(|field| field.kind.choices()) {
            if !answers.iter().any(|known| known == choice.as_str()) {
                answers.push(choice.as_str().to_owned());
            }
        }
        answers
    }

    fn json(&self) -> Json {
        let definition = self.form.content.definition.fields();
        definition["pages"][self.page]["fields"][self.index].clone()
    }

    async fn form_of(&self, web: &Web) -> Result<Form, Error> {
        let fields = fields(web, &self.context, &self.schema, self.field()).await?;
        Ok(Form::filled(fields, stands(self.field(), &self.json())).opened_on(&self.form))
    }

    fn page_with(&self, here: &Here, form: Form) -> Editor {
        let at = here.url(&format!("{PATH}/{}", self.form.id));
        let field = self.field();
        Editor {
            frame: Frame::of(here, field.label.as_str(), SECTION),
            heading: field.label.as_str().to_owned(),
            key: field.key.clone(),
            form_name: self.form.content.name.as_str().to_owned(),
            form,
            delete_url: format!("{at}/fields/{}/delete", field.key),
            form_url: at,
            answers: self.answers_before(),
        }
    }
}

pub(crate) async fn edit(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let place = Place::of(&web, &here).await?;
    let form = place.form_of(&web).await?;
    Ok(render(&place.page_with(&here, form)))
}

/// The field as the form says it is.
fn written(form: &Form, before: &Json, kind: &FieldKind) -> Json {
    let mut field = before.clone();
    let mut put = |name: &str, value: Option<Json>| match (value, field.as_object_mut()) {
        (Some(value), Some(field)) => {
            field.insert(name.to_owned(), value);
        }
        (None, Some(field)) => {
            field.shift_remove(name);
        }
        (_, None) => {}
    };
    let text = |name: &str| form.text(name).map(Json::from);
    for name in ["label", "hint", "placeholder", "min", "max", "mapsTo"] {
        // What the form does not show stays; whatever has no use is taken away below.
        if name != "max" || !matches!(kind, FieldKind::Rating(_)) {
            put(name, text(name));
        }
    }
    put("type", text("type"));
    let options = form
        .text("options")
        .map(|lines| lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(Json::from).collect());
    put("options", options);
    // A number that is none is refused by its own sentence.
    put(
        "textVersion",
        form.text("textVersion").map(|text| text.parse::<i64>().map_or_else(|_| Json::from(text), Json::from)),
    );
    if form.text("from").is_some() {
        put("from", form.text("from").map(|name| Json::from(format!("query:{name}"))));
    }
    let formats = form.text("accept").map(|text| {
        text.split([',', ' ']).map(str::trim).filter(|format| !format.is_empty()).map(Json::from).collect()
    });
    put("accept", formats);
    for name in ["required", "multiple"] {
        put(name, form.is_checked(name).then_some(Json::Bool(true)));
    }
    put("width", form.is_checked("width").then_some(Json::from(50)));
    match form.text("visibleIf") {
        Some(KEEP) => {}
        Some(key) => {
            let op = form.text("op").unwrap_or("eq");
            let compared = form.text("compared");
            let mut test = json!({"field": key, "op": op});
            if !op.ends_with("exists") {
                test["value"] = match compared {
                    Some("true") => Json::Bool(true),
                    text => Json::from(text.unwrap_or_default()),
                };
            }
            put("visibleIf", Some(test));
        }
        None => put("visibleIf", None),
    }
    complete(&mut field);
    field
}

const PROPERTIES: [&str; 15] = [
    "label",
    "hint",
    "type",
    "placeholder",
    "min",
    "max",
    "options",
    "textVersion",
    "from",
    "accept",
    "multiple",
    "required",
    "width",
    "mapsTo",
    "visibleIf",
];

pub(crate) async fn update(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let place = Place::of(&web, &here).await?;
    let mut form = Form::new(fields(&web, &place.context, &place.schema, place.field()).await?, sent);
    let label = form.read("label", |text| Ok(text.to_owned()));
    let field = written(&form, &place.json(), &place.field().kind);
    let mut definition = place.form.content.definition.fields();
    definition["pages"][place.page]["fields"][place.index] = field;
    let careful = place.context.clone().with_seen(form.seen::<TheForm>());
    let prefix = format!("definition.pages.{}.fields.{}.", place.page, place.index);
    let work = async |_| {
        let saved = redefine(&web, &careful, place.form.id, definition.clone()).await;
        saved.map_err(|error| words::in_words(named_after(error, &prefix, &PROPERTIES), &definition))
    };
    match form.edit_with(label, work).await? {
        Edit::Saved(saved) => {
            let key = &place.field().key;
            let kind = schema_of(&saved).field(key).map(|field| field.kind.as_str());
            // A new type has other properties.
            let at = here.url(&format!("{PATH}/{}", saved.id));
            let url = if kind == Some(place.field().kind.as_str()) { at } else { format!("{at}/fields/{key}") };
            return Ok(lead(&web, &url, Done::FormFieldSaved, form.text("label").unwrap_or_default()));
        }
        Edit::Overtaken => form.overtaken("form", &place.form, &place.form_of(&web).await?),
        Edit::Wrong => {}
    }
    let page = place.page_with(&here, form);
    Ok(page.form.again(&page))
}

async fn question(web: &Web, here: &Here, place: &Place) -> Result<Ask, Error> {
    let field = place.field();
    let FieldUse { answers, shows, is_repeated, fills, is_published } =
        web.app.use_of_form_field(&place.context, place.form.id, field.key.clone()).await?;
    let mut sentences = Vec::new();
    if is_published {
        sentences.push("It is asked at the moment, and will be until you publish the form again.".to_owned());
    }
    sentences.push(match answers {
        0 => "No submission has an answer to it.".to_owned(),
        1 => "One submission has an answer to it, which stays.".to_owned(),
        many => format!("{} submissions have an answer to it, which stay.", grouped(many)),
    });
    if let Some(target) = fills {
        sentences.push(format!("It fills {target} of contacts, which no answer will then."));
    }
    for shown in shows {
        sentences.push(format!("“{shown}” is shown by what is answered to it, and will always be shown then."));
    }
    if is_repeated {
        sentences.push("What is said afterwards repeats its answer: change that first, in the settings.".to_owned());
    }
    let url = here.url(&format!("{PATH}/{}/fields/{}", place.form.id, field.key));
    Ok(Ask::to_delete(here, SECTION, (field.label.as_str(), "Delete field"), sentences, url))
}

pub(crate) async fn delete_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let place = Place::of(&web, &here).await?;
    Ok(question(&web, &here, &place).await?.shown())
}

/// A definition without a field, and without conditions that ask for it.
pub(super) fn without(mut definition: Map<String, Json>, key: &str) -> Map<String, Json> {
    for page in definition.get_mut("pages").and_then(Json::as_array_mut).into_iter().flatten() {
        let Some(fields) = page.get_mut("fields").and_then(Json::as_array_mut) else { continue };
        fields.retain(|field| field["key"] != key);
        for field in fields.iter_mut().filter_map(Json::as_object_mut) {
            if field.get("visibleIf").is_some_and(|condition| names(condition, key)) {
                field.shift_remove("visibleIf");
            }
        }
    }
    definition
}

pub(super) fn names(condition: &Json, key: &str) -> bool {
    match condition {
        Json::Object(fields) => {
            fields.iter().any(|(name, value)| (name == "field" && value == key) || names(value, key))
        }
        Json::Array(list) => list.iter().any(|part| names(part, key)),
        _ => false,
    }
}

pub(crate) async fn delete(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let place = Place::of(&web, &here).await?;
    let definition = without(place.form.content.definition.fields(), &place.field().key);
    let url = here.url(&format!("{PATH}/{}", place.form.id));
    let done = |_| lead(&web, &url, Done::FormFieldDeleted, place.field().label.as_str());
    let work = async {
        let saved = redefine(&web, &place.context, place.form.id, definition.clone()).await;
        saved.map_err(|error| words::in_words(error, &definition))
    };
    question(&web, &here, &place).await?.answered(work, done).await
}
