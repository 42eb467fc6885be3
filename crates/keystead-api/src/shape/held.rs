//! Values of custom fields, and files among them, as JSON has them.

use keystead_model::{
    data_type::DataType,
    field_value::{FieldValue, Held},
    file::StoredFile,
};
use serde_json::{Value, json};

use super::{
    Fields, Written,
    output::{Definitions, Field, Out, write_object},
};
use crate::v2::samples;

/// The value of a custom field alone: opportunities answer it under another name.
pub(crate) struct HeldValue<'h>(pub(crate) &'h Held);

/// A text, a number, a list of what was chosen, an object of texts by their labels, or of files by their names.
impl Field for HeldValue<'_> {
    fn schema(_: &mut Definitions) -> Value {
        json!({"description": "As the field's dataType has it: a text, a number, a list or an object"})
    }

    fn write(&self, out: &mut Out) {
        let Held { field, values } = self.0;
        let kind = field.data_type;
        if kind == DataType::TextboxList {
            let boxes = field.labels.iter().zip(values).filter(|(_, value)| !is_empty(value));
            return write_each(out, ["{", "}"], boxes, |out, (label, value)| {
                out.value(label);
                out.plain(":");
                write_one(out, value);
            });
        }
        if kind.is_file() {
            let files =
                values.iter().filter_map(|value| if let FieldValue::File(file) = value { Some(file) } else { None });
            return write_each(out, ["{", "}"], files, |out, file| {
                out.value(file.uuid.as_str());
                out.plain(":");
                write_object(&FileValue { file: file.clone(), field: field.id.to_string() }, out);
            });
        }
        if kind.is_list() {
            return write_each(out, ["[", "]"], values.iter(), write_one);
        }
        match values.first() {
            Some(value) => write_one(out, value),
            None => out.plain("null"),
        }
    }
}

fn is_empty(value: &FieldValue) -> bool {
    matches!(value, FieldValue::Text(text) if text.is_empty())
}

fn write_each<T>(out: &mut Out, around: [&str; 2], all: impl Iterator<Item = T>, write: impl Fn(&mut Out, T)) {
    out.plain(around[0]);
    for (index, one) in all.enumerate() {
        if index > 0 {
            out.plain(",");
        }
        write(out, one);
    }
    out.plain(around[1]);
}

fn write_one(out: &mut Out, value: &FieldValue) {
    match value {
        FieldValue::Text(text) => out.value(text),
        // All its digits, whatever a reader makes of them.
        FieldValue::Number(number) => out.plain(&number.to_string()),
        FieldValue::Date(date) => out.value(&date.to_iso()),
        FieldValue::File(file) => out.value(&file.name),
    }
}

/// The address of a file.
pub(crate) struct FileUrl<'f>(pub(crate) &'f StoredFile);

impl Field for FileUrl<'_> {
    fn schema(_: &mut Definitions) -> Value {
        json!({"type": "string", "description": "Whoever knows it can read the file, without a key"})
    }

    fn write(&self, out: &mut Out) {
        out.address(&format!("/documents/download/{}", self.0.secret));
    }
}

/// A file as it stands in the value of a field.
struct FileValue {
    file: StoredFile,
    field: String,
}

impl Written for FileValue {
    const NAME: &'static str = "FileValue";

    fn sample() -> Self {
        Self { file: samples::file(), field: crate::shape::word::THING.to_owned() }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("meta", &FileMeta { file: self.file.clone(), field: self.field.clone(), has_url: false });
        fields.put("url", &FileUrl(&self.file));
        fields.put("documentId", &self.file.id);
    }
}

/// What is known of a file.
pub(crate) struct FileMeta {
    pub(crate) file: StoredFile,
    /// The field that it is in, or the name of the part in which it came.
    pub(crate) field: String,
    /// Whether its address stands here, too.
    pub(crate) has_url: bool,
}

impl Written for FileMeta {
    const NAME: &'static str = "FileMeta";

    fn sample() -> Self {
        Self { file: samples::file(), field: crate::shape::word::THING.to_owned(), has_url: true }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let StoredFile { id, uuid, name, kind, size, secret: _ } = &self.file;
        fields.put("fieldname", &self.field);
        fields.put("originalname", name);
        fields.put("encoding", "7bit");
        fields.put("mimetype", kind);
        fields.put("size", size);
        fields.put("uuid", uuid.as_str());
        fields.opt("url", Some(&FileUrl(&self.file)).filter(|_| self.has_url));
        fields.opt("documentId", Some(id).filter(|_| self.has_url));
    }
}

/// The addresses of files by their names; of those with the same name, the later ones by another.
pub(crate) struct UrlsByName<'f>(pub(crate) &'f [StoredFile]);

impl Field for UrlsByName<'_> {
    fn schema(definitions: &mut Definitions) -> Value {
        json!({"type": "object", "additionalProperties": FileUrl::schema(definitions)})
    }

    fn write(&self, out: &mut Out) {
        let mut names: Vec<String> = Vec::new();
        for file in self.0 {
            let mut name = file.name.clone();
            for number in 2.. {
                if !names.contains(&name) {
                    break;
                }
                name = format!("{} ({number})", file.name);
            }
            names.push(name);
        }
        write_each(out, ["{", "}"], names.iter().zip(self.0), |out, (name, file)| {
            out.value(name);
            out.plain(":");
            FileUrl(file).write(out);
        });
    }
}
