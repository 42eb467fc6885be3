//! The custom fields of a location: what it has added to its contacts and opportunities.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use keystead_core::{Beside, Error, LocationContext, error::Noun};
use keystead_model::{
    CustomFieldId, Invalid,
    condition::{Condition, Op, Test},
    contact::ContactFilter,
    contact_field::ContactField,
    custom_field::{
        CustomField, CustomFieldContent, CustomFieldPatch, FieldName, FieldOption, Format, MAX_FILES, MAX_OPTIONS,
        NewCustomField, OwnerKind, TextBox,
    },
    data_type::DataType,
    opportunity::OpportunityFilter,
    opportunity_field::OpportunityField,
    page::Window,
    scope::Scope,
    text::Line,
};
use serde::Deserialize;

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

const SECTION: &str = "custom-fields";
const PATH: &str = "/settings/custom-fields";
const MODELS: [OwnerKind; 2] = [OwnerKind::Contact, OwnerKind::Opportunity];

/// Kinds that choose from options, as the form names them to show what belongs to them.
const CHOSEN: &str = "dataType=SINGLE_OPTIONS,MULTIPLE_OPTIONS,RADIO,CHECKBOX";

/// A kind of values in words, and what it is for.
fn words(kind: DataType) -> (&'static str, &'static str) {
    match kind {
        DataType::Text => ("One line", "up to 5,000 characters"),
        DataType::LargeText => ("Several lines", "up to 50,000 characters"),
        DataType::Numerical => ("Number", ""),
        DataType::Float => ("Number with a point", ""),
        DataType::Monetary => ("Amount of money", ""),
        DataType::Phone => ("Phone number", ""),
        DataType::Email => ("E-mail address", ""),
        DataType::Date => ("Day", ""),
        DataType::Time => ("Time of day", ""),
        DataType::SingleOptions => ("One of a list", ""),
        DataType::Radio => ("One of a few", "all in view"),
        DataType::MultipleOptions => ("Several of a list", ""),
        DataType::Checkbox => ("Several of a few", "all in view"),
        DataType::TextboxList => ("List of texts", "several boxes, each with a label"),
        DataType::FileUpload => ("Files", ""),
        DataType::Signature => ("Signature", "a picture"),
    }
}

fn model_words(model: OwnerKind) -> &'static str {
    match model {
        OwnerKind::Contact => "Contacts",
        OwnerKind::Opportunity => "Opportunities",
    }
}

struct Row {
    name: String,
    key: String,
    kind: &'static str,
    options: String,
    url: String,
}

struct Group {
    title: &'static str,
    rows: Vec<Row>,
    new_url: String,
}

#[derive(Template)]
#[template(path = "custom_fields/list.html")]
struct List {
    frame: Frame,
    groups: Vec<Group>,
    may_write: bool,
}

/// How texts name a field.
fn key(field: &CustomField) -> String {
    format!("{{{{ {} }}}}", field.field_key())
}

/// Options that a row names.
const NAMED: usize = 4;

fn options(field: &CustomField) -> String {
    let labels = field.content.text_boxes.iter().map(|text_box| text_box.label.as_str());
    let all: Vec<&str> = field.content.options.iter().map(Line::as_str).chain(labels).collect();
    let named = all.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    if all.len() > NAMED { format!("{named} and {} more", all.len() - NAMED) } else { named }
}

pub(crate) async fn list(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    let all = web.app.list_custom_fields(&context, None).await?;
    let row = |field: &CustomField| Row {
        name: field.content.name.as_str().to_owned(),
        key: key(field),
        kind: words(field.data_type).0,
        options: options(field),
        url: here.url(&format!("{PATH}/{}", field.id)),
    };
    let group = |model: OwnerKind| Group {
        title: model_words(model),
        rows: all.iter().filter(|field| field.model == model).map(row).collect(),
        new_url: here.url(&format!("{PATH}/new?model={}", model.as_str())),
    };
    Ok(render(&List {
        frame: Frame::of(&here, "Custom fields", SECTION),
        groups: MODELS.map(group).into(),
        may_write: here.authority().grant().allows(Scope::CustomFieldsWrite),
    }))
}

/// The fields of the form of a kind of values, or of a new field of any kind.
fn fields(kind: Option<DataType>) -> Vec<Field> {
    let suits = |test: fn(DataType) -> bool| kind.is_none_or(test);
    let mut fields = vec![Field::line("name", "Name").needed("Enter a name").with("maxlength=200")];
    if kind.is_none() {
        let models = MODELS.map(|model| Choice::new(model.as_str(), model_words(model)));
        let kinds = DataType::ALL.map(|kind| {
            let (name, detail) = words(kind);
            Choice::new(kind.as_str(), if detail.is_empty() { name.to_owned() } else { format!("{name} ({detail})") })
        });
        fields.push(Field::new(Kind::Select, "model", "Of").of(models).needed("Choose what has it").half());
        fields.push(Field::new(Kind::Select, "dataType", "Kind").of(kinds).needed("Choose a kind").half());
    }
    fields.push(
        Field::line("placeholder", "Placeholder").hint("Stands in an empty field of a form.").with("maxlength=200"),
    );
    if suits(DataType::has_options) {
        fields.push(Field::new(Kind::Lines(6), "options", "Options").hint("One a line."));
        let custom = Field::new(Kind::Check, "isAllowedCustomOption", "Something else may be chosen, too");
        fields.push(custom);
    }
    if suits(|kind| kind == DataType::TextboxList) {
        fields.push(Field::new(Kind::Lines(4), "textBoxListOptions", "Boxes").hint("The label of each, one a line."));
    }
    if suits(DataType::is_file) {
        let formats =
            Field::line("acceptedFormat", "Kinds of files").hint("Endings, such as .pdf, .png; empty for any.");
        fields.push(formats);
    }
    if suits(|kind| kind == DataType::FileUpload) {
        fields.push(Field::new(Kind::Check, "isMultipleFile", "Several files"));
        let most = Field::typed("number", "maxNumberOfFiles", "Most files").hint("Where several may be there.");
        fields.push(most.with("min=1 max=50"));
    }
    fields
}

/// The lines of a text, without empty ones.
fn lines(form: &mut Form, name: &str) -> Vec<FieldOption> {
    let text = form.text(name).unwrap_or_default().to_owned();
    let mut read = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match Line::parse(line) {
            Ok(line) => read.push(line),
            Err(Invalid(problem)) => form.violate(name, &format!("has a line that {problem}")),
        }
    }
    if read.len() > MAX_OPTIONS {
        form.violate(name, &format!("must not have more than {MAX_OPTIONS} lines"));
    }
    read
}

fn formats(text: &str) -> Result<Vec<Format>, Invalid> {
    text.split([',', ' ']).filter(|part| !part.is_empty()).map(Format::parse).collect()
}

fn parse_most(text: &str) -> Result<i64, Invalid> {
    let number = text.parse().ok().filter(|number| (1..=MAX_FILES).contains(number));
    number.ok_or_else(|| Invalid::new(format!("must be a whole number from 1 to {MAX_FILES}")))
}

/// What was written for a field of this kind; what does not belong to it is not looked at.
fn read(form: &mut Form, kind: DataType, before: Option<&CustomField>) -> CustomFieldPatch {
    let name = form.read("name", Line::parse);
    let placeholder = form.read("placeholder", Line::parse);
    let mut patch = CustomFieldPatch { name, placeholder: Some(placeholder), ..CustomFieldPatch::default() };
    if kind.has_options() {
        patch.options = Some(lines(form, "options"));
        patch.allows_custom_option = Some(form.is_checked("isAllowedCustomOption"));
    }
    if kind == DataType::TextboxList {
        let known = before.map(|field| field.content.text_boxes.as_slice()).unwrap_or_default();
        // What stands in a box before anybody writes is not in this form, and stays.
        let boxes = lines(form, "textBoxListOptions").into_iter().enumerate().map(|(index, label)| TextBox {
            label,
            prefill: known.get(index).and_then(|text_box| text_box.prefill.clone()),
        });
        patch.text_boxes = Some(boxes.collect());
    }
    if kind.is_file() {
        patch.accepted_formats = Some(form.read("acceptedFormat", formats).unwrap_or_default());
    }
    if kind == DataType::FileUpload {
        patch.is_multiple_file = Some(form.is_checked("isMultipleFile"));
        patch.max_files = form.read("maxNumberOfFiles", parse_most);
    }
    patch
}

#[derive(Template)]
#[template(path = "custom_fields/form.html")]
struct Editor {
    frame: Frame,
    heading: String,
    existing: Option<Existing>,
    form: Form,
    list_url: String,
}

/// Of a field that is there: what does not change any more.
struct Existing {
    key: String,
    kind: &'static str,
    model: &'static str,
    delete_url: String,
}

fn editor(here: &Here, existing: Option<&CustomField>, form: Form) -> Editor {
    let heading = existing.map_or("Add a custom field", |field| field.content.name.as_str());
    Editor {
        frame: Frame::of(here, heading, SECTION),
        heading: heading.to_owned(),
        existing: existing.map(|field| Existing {
            key: key(field),
            kind: words(field.data_type).0,
            model: model_words(field.model),
            delete_url: here.url(&format!("{PATH}/{}/delete", field.id)),
        }),
        form,
        list_url: here.url(PATH),
    }
}

#[derive(Deserialize)]
pub(crate) struct NewQuery {
    model: Option<String>,
}

pub(crate) async fn new(Query(sent): Query<NewQuery>, here: Here) -> Result<Response, Failure> {
    here.place()?;
    here.authority().require(Scope::CustomFieldsWrite)?;
    let model = sent.model.as_deref().and_then(OwnerKind::parse).unwrap_or(OwnerKind::Contact);
    let pairs = [("model", model.as_str().to_owned()), ("dataType", DataType::Text.as_str().to_owned())];
    Ok(render(&editor(&here, None, Form::filled(fields(None), pairs))))
}

pub(crate) async fn create(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    here.authority().require(Scope::CustomFieldsWrite)?;
    let context = here.enter(&web).await?;
    let mut form = Form::new(fields(None), sent);
    let one_of = || Invalid::new("must be one of those that can be chosen");
    let model = form.read("model", |text| OwnerKind::parse(text).ok_or_else(one_of));
    let kind = form.read("dataType", |text| DataType::parse(text).ok_or_else(one_of));
    let patch = read(&mut form, kind.unwrap_or(DataType::Text), None);
    let new = match (model, kind, patch.name.clone()) {
        (Some(model), Some(data_type), Some(name)) => {
            let mut content = CustomFieldContent::named(name);
            patch.apply(data_type, &mut content);
            Some(NewCustomField { model, data_type, content })
        }
        _ => None,
    };
    match form.run_with(new, async |new| web.app.create_custom_field(&context, new).await).await? {
        Some(made) => Ok(lead(&web, &here.url(PATH), Done::CustomFieldAdded, made.content.name.as_str())),
        None => {
            let page = editor(&here, None, form);
            Ok(page.form.again(&page))
        }
    }
}

async fn wanted(web: &Web, here: &Here) -> Result<(LocationContext, CustomField), Error> {
    here.authority().require(Scope::CustomFieldsWrite)?;
    let context = here.enter(web).await?;
    let id: CustomFieldId = here.id(Noun::CustomField)?;
    let field = web.app.get_custom_field(&context, FieldName::Id(id)).await?;
    Ok((context, field))
}

/// The form as it stands for a field that is there.
fn form_of(field: &CustomField) -> Form {
    let content = &field.content;
    let joined = |texts: Vec<&str>, by: &str| texts.join(by);
    let ticked = |is_so: bool| if is_so { "on".to_owned() } else { String::new() };
    let labels = content.text_boxes.iter().map(|text_box| text_box.label.as_str()).collect();
    let pairs = [
        ("name", content.name.as_str().to_owned()),
        ("placeholder", content.placeholder.as_ref().map(|text| text.as_str().to_owned()).unwrap_or_default()),
        ("options", joined(content.options.iter().map(Line::as_str).collect(), "\n")),
        ("isAllowedCustomOption", ticked(content.allows_custom_option)),
        ("textBoxListOptions", joined(labels, "\n")),
        ("acceptedFormat", joined(content.accepted_formats.iter().map(Format::as_str).collect(), ", ")),
        ("isMultipleFile", ticked(content.is_multiple_file)),
        ("maxNumberOfFiles", content.max_files.to_string()),
    ];
    Form::filled(fields(Some(field.data_type)), pairs).opened_on(field)
}

pub(crate) async fn edit(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (_, field) = wanted(&web, &here).await?;
    Ok(render(&editor(&here, Some(&field), form_of(&field))))
}

pub(crate) async fn update(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let (context, field) = wanted(&web, &here).await?;
    let mut form = Form::new(fields(Some(field.data_type)), sent);
    let patch = read(&mut form, field.data_type, Some(&field));
    let careful = context.with_seen(form.seen::<CustomField>());
    match form.edit(web.app.update_custom_field(&careful, FieldName::Id(field.id), patch)).await? {
        Edit::Saved(saved) => {
            return Ok(lead(&web, &here.url(PATH), Done::CustomFieldSaved, saved.content.name.as_str()));
        }
        Edit::Overtaken => form.overtaken("custom field", &field, &form_of(&field)),
        Edit::Wrong => {}
    }
    let page = editor(&here, Some(&field), form);
    Ok(page.form.again(&page))
}

/// In how many contacts or opportunities something stands in it; `None` where that takes too long, or may not be read.
async fn count(web: &Web, context: &LocationContext, field: &CustomField) -> Result<Option<i64>, Error> {
    let kind = field.data_type.value_kind();
    let counted = match field.model {
        OwnerKind::Contact => {
            let test = Test { field: ContactField::Custom(field.id, kind), op: Op::Exists };
            let filter = ContactFilter { condition: Condition::Test(test), ..ContactFilter::default() };
            web.app.list_contacts(context, filter, Window::first(1)).await.map(|found| found.total)
        }
        OwnerKind::Opportunity => {
            let test = Test { field: OpportunityField::Custom(field.id, kind), op: Op::Exists };
            let filter = OpportunityFilter { condition: Condition::Test(test), ..OpportunityFilter::default() };
            let found = web.app.list_opportunities(context, filter, Window::first(1), Beside::default()).await;
            found.map(|found| found.total)
        }
    };
    match counted {
        Ok(count) => Ok(Some(count)),
        Err(Error::Invalid(_) | Error::MissingScope(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn question(web: &Web, here: &Here, context: &LocationContext, field: &CustomField) -> Result<Ask, Error> {
    let whose = match field.model {
        OwnerKind::Contact => ("contact", "contacts"),
        OwnerKind::Opportunity => ("opportunity", "opportunities"),
    };
    let sentence = match count(web, context, field).await? {
        Some(0) => format!("Nothing stands in it in any {}.", whose.0),
        Some(1) => format!("In one {} something stands in it, which is deleted with it.", whose.0),
        Some(count) => {
            format!("In {} {} something stands in it, which is deleted with it.", grouped(count), whose.1)
        }
        None => format!("What stands in it in {} is deleted with it.", whose.1),
    };
    let url = here.url(&format!("{PATH}/{}", field.id));
    let sentences = vec![sentence, "It cannot be brought back.".to_owned()];
    Ok(Ask::to_delete(here, SECTION, (field.content.name.as_str(), "Delete custom field"), sentences, url))
}

pub(crate) async fn delete_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (context, field) = wanted(&web, &here).await?;
    Ok(question(&web, &here, &context, &field).await?.shown())
}

pub(crate) async fn delete(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (context, field) = wanted(&web, &here).await?;
    let done = |()| lead(&web, &here.url(PATH), Done::CustomFieldDeleted, field.content.name.as_str());
    question(&web, &here, &context, &field)
        .await?
        .answered(web.app.delete_custom_field(&context, FieldName::Id(field.id)), done)
        .await
}
