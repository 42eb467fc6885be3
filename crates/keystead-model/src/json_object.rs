//! JSON objects that people and programs make of what they like, and that are kept whole.

use serde_json::{Map, Value};

use crate::{Invalid, key_secret};

/// An object of at most `MAX` bytes, written without spaces, with nothing in it that looks like an API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonObject<const MAX: usize>(String);

impl<const MAX: usize> JsonObject<MAX> {
    /// Checks.
    pub fn new(fields: Map<String, Value>) -> Result<Self, Invalid> {
        let text = Value::Object(fields).to_string();
        if text.len() > MAX {
            return Err(Invalid::new(format!("must not be longer than {MAX} bytes")));
        }
        if key_secret::contains_key(&text) {
            return Err(Invalid::new("must not contain an API key; deactivate that key, it has left its safe place"));
        }
        Ok(Self(text))
    }

    /// Nothing in it.
    pub fn empty() -> Self {
        Self("{}".to_owned())
    }

    /// An object that was checked when it was stored.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// As JSON.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its fields.
    pub fn fields(&self) -> Map<String, Value> {
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_are_bounded_and_hold_no_keys() {
        let object = |value: Value| JsonObject::<20>::new(value.as_object().unwrap().clone());
        let kept = object(json!({"b": 1, "a": [null]})).unwrap();
        assert_eq!(kept.as_str(), r#"{"b":1,"a":[null]}"#);
        assert_eq!(kept.fields()["a"], json!([null]));
        assert!(object(json!({"a": "x".repeat(12)})).is_ok());
        assert!(object(json!({"a": "x".repeat(13)})).is_err());
        assert_eq!(JsonObject::<20>::empty().fields(), Map::new());
    }
}
