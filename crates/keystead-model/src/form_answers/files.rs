//! Answers that are files.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::{
    file::FileId,
    form_schema::{FieldKind, FormSchema},
};

/// A file that somebody gave as an answer, as the answer tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnsweredFile {
    /// Where it is kept; `None` before it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<FileId>,
    /// How its sender calls it: a name without a path.
    pub name: String,
    /// Bytes.
    pub size: i64,
    /// Of these, in hexadecimal digits.
    pub sha256: String,
}

impl AnsweredFile {
    /// Those that an answer is; none where it is something else.
    pub fn all_in(answer: &Json) -> Vec<Self> {
        let Json::Array(list) = answer else { return Vec::new() };
        let files: Option<Vec<Self>> = list.iter().map(|file| Self::deserialize(file).ok()).collect();
        files.unwrap_or_default()
    }

    /// The answer that these are.
    pub fn answer(files: &[Self]) -> Json {
        files.iter().map(|file| serde_json::to_value(file).unwrap_or_default()).collect()
    }
}

impl FormSchema {
    /// Answers without where their files are kept: the same for whoever sends the same files again.
    pub fn without_places(&self, answers: &Map<String, Json>) -> Map<String, Json> {
        let mut answers = answers.clone();
        for field in self.fields().filter(|field| matches!(field.kind, FieldKind::File(_))) {
            if let Some(answer) = answers.get_mut(&field.key) {
                let files = AnsweredFile::all_in(answer).into_iter().map(|file| AnsweredFile { id: None, ..file });
                *answer = AnsweredFile::answer(&files.collect::<Vec<_>>());
            }
        }
        answers
    }
}
