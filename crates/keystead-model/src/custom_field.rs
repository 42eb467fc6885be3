//! Custom fields: what a location has added to its contacts or opportunities.

use crate::{
    CustomFieldId, Invalid, LocationId, UtcMs,
    condition::Kind,
    custom_value::key_of,
    data_type::{DataType, ValueKind},
    location::set,
    text::{Line, echo},
};

/// Most fields of one location.
pub const MAX_FIELDS: i64 = 1_000;
/// Most options of one field, or boxes of a list of them.
pub const MAX_OPTIONS: usize = 200;
/// Most files in one field of one contact.
pub const MAX_FILES: i64 = 50;

/// What kind of thing has values of custom fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerKind {
    /// A contact.
    Contact,
    /// An opportunity.
    Opportunity,
}

impl OwnerKind {
    /// The stored name, which is also `model` on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Opportunity => "opportunity",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Contact, Self::Opportunity].into_iter().find(|kind| kind.as_str() == name)
    }

    /// Keys of fields that all such things have, so that no field may be added which texts would take for one of these.
    const fn own_keys(self) -> &'static [&'static str] {
        match self {
            Self::Contact => &[
                "id",
                "name",
                "first_name",
                "last_name",
                "email",
                "phone",
                "company_name",
                "address1",
                "city",
                "state",
                "country",
                "postal_code",
                "website",
                "timezone",
                "gender",
                "source",
                "date_of_birth",
                "assigned_to",
                "dnd",
                "tags",
            ],
            Self::Opportunity => &[
                "id",
                "name",
                "status",
                "source",
                "monetary_value",
                "pipeline_id",
                "pipeline_stage_id",
                "contact_id",
                "assigned_to",
            ],
        }
    }
}

impl ValueKind {
    /// As conditions see it.
    pub const fn compared(self) -> Kind {
        match self {
            Self::Text => Kind::Text,
            Self::Number => Kind::Number,
            Self::Date => Kind::Date,
        }
    }
}

/// A custom field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomField {
    /// Its id.
    pub id: CustomFieldId,
    /// The location that has it.
    pub location: LocationId,
    /// What has values of it.
    pub model: OwnerKind,
    /// What kind of values.
    pub data_type: DataType,
    /// The `x` of `contact.x`. It stays when the name changes.
    pub key: String,
    /// What its author writes, and may change.
    pub content: CustomFieldContent,
    /// When it was made.
    pub created_at: UtcMs,
    /// When it was last changed.
    pub updated_at: UtcMs,
}

/// The part of a custom field that its author may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomFieldContent {
    /// Its name.
    pub name: Line<200>,
    /// What stands in an empty field of a form.
    pub placeholder: Option<Line<200>>,
    /// Its place among others; those of one place stand in the order in which they were made.
    pub position: i64,
    /// What can be chosen.
    pub options: Vec<FieldOption>,
    /// Whether something else can be chosen, too.
    pub allows_custom_option: bool,
    /// How names of files may end, `.pdf`; none for any.
    pub accepted_formats: Vec<Format>,
    /// Whether there can be more than one file.
    pub is_multiple_file: bool,
    /// How many then.
    pub max_files: i64,
    /// The boxes of a list of texts.
    pub text_boxes: Vec<TextBox>,
}

/// Something that can be chosen.
pub type FieldOption = Line<200>;

/// One of the boxes of a list of texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextBox {
    /// What stands beside it.
    pub label: Line<200>,
    /// What stands in it before anybody writes.
    pub prefill: Option<Line<500>>,
}

/// A new custom field.
#[derive(Clone, Debug)]
pub struct NewCustomField {
    /// What has values of it.
    pub model: OwnerKind,
    /// What kind of values.
    pub data_type: DataType,
    /// What its author writes.
    pub content: CustomFieldContent,
}

/// A change of a custom field; `None` leaves a thing as it is, `Some(None)` takes it away.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of CustomFieldContent")]
pub struct CustomFieldPatch {
    /// Only ever what it is: the values would be lost.
    pub data_type: Option<DataType>,
    /// Likewise.
    pub model: Option<OwnerKind>,
    pub name: Option<Line<200>>,
    pub placeholder: Option<Option<Line<200>>>,
    pub position: Option<i64>,
    pub options: Option<Vec<FieldOption>>,
    pub allows_custom_option: Option<bool>,
    pub accepted_formats: Option<Vec<Format>>,
    pub is_multiple_file: Option<bool>,
    pub max_files: Option<i64>,
    pub text_boxes: Option<Vec<TextBox>>,
}

/// How many files a field takes that takes several, unless it is said.
const SEVERAL_FILES: i64 = 10;

impl CustomFieldPatch {
    /// Changes `content`. Where things are chosen, boxes are another name for options, as the contract has it.
    pub fn apply(self, data_type: DataType, content: &mut CustomFieldContent) {
        let Self {
            data_type: _,
            model: _,
            name,
            placeholder,
            position,
            mut options,
            allows_custom_option,
            accepted_formats,
            is_multiple_file,
            max_files,
            mut text_boxes,
        } = self;
        if data_type.has_options() && options.is_none() {
            options = text_boxes.take().map(|boxes| boxes.into_iter().map(|text_box| text_box.label).collect());
        }
        set(&mut content.name, name);
        set(&mut content.placeholder, placeholder);
        set(&mut content.position, position);
        set(&mut content.options, options);
        set(&mut content.allows_custom_option, allows_custom_option);
        set(&mut content.accepted_formats, accepted_formats);
        if is_multiple_file == Some(true) && !content.is_multiple_file {
            content.max_files = SEVERAL_FILES;
        }
        set(&mut content.is_multiple_file, is_multiple_file);
        set(&mut content.max_files, max_files);
        set(&mut content.text_boxes, text_boxes);
    }
}

/// What is wrong with a field, by the name that it has on the wire.
pub type Problem = (&'static str, Invalid);

impl CustomFieldContent {
    /// A field of which only the name is known.
    pub fn named(name: Line<200>) -> Self {
        Self {
            name,
            placeholder: None,
            position: 0,
            options: Vec::new(),
            allows_custom_option: false,
            accepted_formats: Vec::new(),
            is_multiple_file: false,
            max_files: 1,
            text_boxes: Vec::new(),
        }
    }

    /// What does not go with this kind of values, or is told twice.
    fn problems(&self, data_type: DataType) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut only = |name, is_there: bool, suits: bool, whose: &str| {
            if is_there && !suits {
                problems.push((name, Invalid::new(format!("belongs to {whose} only, not to {}", data_type.as_str()))));
            }
        };
        let chosen = "CHECKBOX, SINGLE_OPTIONS, MULTIPLE_OPTIONS and RADIO";
        only("options", !self.options.is_empty(), data_type.has_options(), chosen);
        only("isAllowedCustomOption", self.allows_custom_option, data_type.has_options(), chosen);
        let files = "FILE_UPLOAD and SIGNATURE";
        only("acceptedFormat", !self.accepted_formats.is_empty(), data_type.is_file(), files);
        only("isMultipleFile", self.is_multiple_file, data_type == DataType::FileUpload, "FILE_UPLOAD");
        let boxes = !self.text_boxes.is_empty();
        only("textBoxListOptions", boxes, data_type == DataType::TextboxList, "TEXTBOX_LIST");
        let options = self.options.iter().map(Line::as_str);
        let labels = self.text_boxes.iter().map(|text_box| text_box.label.as_str());
        for (name, twice) in [("options", repeated(options)), ("textBoxListOptions", repeated(labels))] {
            if let Some(twice) = twice {
                problems.push((name, Invalid::new(format!("has {} twice", echo(&twice)))));
            }
        }
        problems
    }
}

fn repeated<'t>(texts: impl Iterator<Item = &'t str>) -> Option<String> {
    let mut seen = std::collections::HashSet::new();
    texts.into_iter().find(|text| !seen.insert(*text)).map(str::to_owned)
}

impl CustomField {
    /// A new one, or all that is wrong with it.
    pub fn new(id: CustomFieldId, location: LocationId, new: NewCustomField, now: UtcMs) -> Result<Self, Vec<Problem>> {
        let NewCustomField { model, data_type, content } = new;
        let mut problems = content.problems(data_type);
        let key = key_of(content.name.as_str());
        if model.own_keys().contains(&key.as_str()) {
            let whose = model.as_str();
            let problem = format!("makes the key {whose}.{key}, which every {whose} has already; choose another");
            problems.push(("name", Invalid::new(problem)));
        }
        let field = Self { id, location, model, data_type, key, content, created_at: now, updated_at: now };
        if problems.is_empty() { Ok(field) } else { Err(problems) }
    }

    /// What it is after a change, or all that is wrong with that. Whether its values allow it is another question.
    pub fn changed(&self, patch: CustomFieldPatch) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        if let Some(other) = patch.data_type.filter(|other| *other != self.data_type) {
            let (is, other) = (self.data_type.as_str(), other.as_str());
            let problem = format!("is {is} and cannot become {other}: its values would be lost; create another field");
            problems.push(("dataType", Invalid::new(problem)));
        }
        if let Some(other) = patch.model.filter(|other| *other != self.model) {
            let (is, other) = (self.model.as_str(), other.as_str());
            let problem = format!("is {is} and cannot become {other}: its values would be lost; create another field");
            problems.push(("model", Invalid::new(problem)));
        }
        let mut after = self.clone();
        patch.apply(self.data_type, &mut after.content);
        if after.content.text_boxes.len() < self.content.text_boxes.len() {
            let most = self.content.text_boxes.len();
            let problem = format!("must keep its {most} boxes, since what stands in them is known by their place");
            problems.push(("textBoxListOptions", Invalid::new(problem)));
        }
        problems.extend(after.content.problems(self.data_type));
        if problems.is_empty() { Ok(after) } else { Err(problems) }
    }

    /// What stands for it in texts: `contact.x`.
    pub fn field_key(&self) -> String {
        format!("{}.{}", self.model.as_str(), self.key)
    }

    /// Most files that one contact or opportunity has in it.
    pub fn most_files(&self) -> usize {
        if self.content.is_multiple_file { usize::try_from(self.content.max_files).unwrap_or(1) } else { 1 }
    }

    /// What is wrong with a file of this name in it.
    pub fn refuses_file(&self, name: &str) -> Option<Invalid> {
        if !self.data_type.is_file() {
            return Some(Invalid::new(format!("is for {}, not for files", self.data_type.as_str())));
        }
        Format::refuse(&self.content.accepted_formats, name)
    }
}

/// How a field is named by whoever writes a value: by its id or by its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldName {
    /// Its id.
    Id(CustomFieldId),
    /// Its key, without what it belongs to.
    Key(String),
}

impl FieldName {
    /// Reads a key as people write it: `x`, `contact.x`, `{{ contact.x }}`.
    pub fn of_key(model: OwnerKind, text: &str) -> Self {
        let key = text.trim().trim_start_matches('{').trim_end_matches('}').trim();
        let key = key.strip_prefix(model.as_str()).and_then(|rest| rest.strip_prefix('.')).unwrap_or(key);
        Self::Key(key.to_owned())
    }

    /// The field of this name among those of a model.
    pub fn find<'f>(&self, model: OwnerKind, fields: &'f [CustomField]) -> Option<&'f CustomField> {
        fields.iter().filter(|field| field.model == model).find(|field| match self {
            Self::Id(id) => field.id == *id,
            Self::Key(key) => field.key == *key,
        })
    }
}

/// How names of files end: a point and up to ten letters and digits, in small form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format(String);

impl Format {
    /// Reads `.pdf`, `PDF` or `*.pdf`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let end = text.trim().trim_start_matches('*').trim_start_matches('.').to_ascii_lowercase();
        if (1..=10).contains(&end.len()) && end.bytes().all(|b| b.is_ascii_alphanumeric()) {
            Ok(Self(format!(".{end}")))
        } else {
            Err(Invalid::new("must be endings of file names, such as .pdf"))
        }
    }

    /// From the stored form.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// `.pdf`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is wrong with a name that ends with none of these; without any, all are good.
    pub fn refuse(formats: &[Self], name: &str) -> Option<Invalid> {
        let name = name.to_lowercase();
        if formats.is_empty() || formats.iter().any(|format| name.ends_with(&format.0)) {
            return None;
        }
        let formats: Vec<&str> = formats.iter().map(Self::as_str).collect();
        Some(Invalid::new(format!("takes files whose names end with {}", formats.join(", "))))
    }
}

#[cfg(test)]
#[path = "custom_field_tests.rs"]
mod tests;
