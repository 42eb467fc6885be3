//! The payloads in what was sent.

use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::Invalid;

/// Payloads that may come in one list.
pub const MOST_AT_ONCE: usize = 100;

/// The payloads in what was sent: an object is one, a list holds several; a form is an object of texts, and of lists of them where
/// a name comes several times.
pub fn payloads_of(body: &[u8], is_form: bool) -> Result<Vec<Map<String, Value>>, Invalid> {
    if is_form {
        let mut fields = Map::new();
        for (name, text) in form_urlencoded::parse(body) {
            let text = Value::from(text.into_owned());
            match fields.get_mut(&*name) {
                None => drop(fields.insert(name.into_owned(), text)),
                Some(Value::Array(several)) => several.push(text),
                Some(one) => *one = Value::Array(vec![one.take(), text]),
            }
        }
        return Ok(vec![fields]);
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(vec![fields]),
        Ok(Value::Array(list)) if list.len() > MOST_AT_ONCE => {
            Err(Invalid::new(format!("must not hold more than {MOST_AT_ONCE} payloads; send the others by themselves")))
        }
        Ok(Value::Array(list)) => {
            let object = |(place, value)| match value {
                Value::Object(fields) => Ok(fields),
                _ => Err(Invalid::new(format!("holds at place {place} something that is no object"))),
            };
            list.into_iter().enumerate().map(object).collect()
        }
        Ok(_) => Err(Invalid::new("must be an object, or a list of objects")),
        Err(error) => Err(Invalid::new(format!("must be JSON, or a form that says that it is one: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn bodies_are_objects_lists_of_them_and_forms() {
        let read = |text: &str| payloads_of(text.as_bytes(), false);
        assert_eq!(read(r#"{"a":1}"#).unwrap(), [object(json!({"a": 1}))]);
        assert_eq!(read(r#"[{"a":1},{}]"#).unwrap().len(), 2);
        assert_eq!(read("[]").unwrap(), []);
        let list = |many: usize| format!("[{}]", vec!["{}"; many].join(","));
        assert_eq!(read(&list(100)).unwrap().len(), 100);
        for bad in
            ["", "1", "null", "\"x\"", "[1]", "[{},[]]", "{", "{\"a\":1}x", "a=1", "\0", "{\"a\":\"\0\"}", &list(101)]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
        let deep = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&deep(100)).is_ok() && read(&deep(200)).is_err());
        let form = payloads_of(b"a=1&b=x+y%26&a=2&a=3", true).unwrap();
        assert_eq!(form, [object(json!({"a": ["1", "2", "3"], "b": "x y&"}))]);
    }
}
