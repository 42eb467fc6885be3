//! The payloads in what was sent.

use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::Invalid;

/// Payloads that may come in one list.
pub const MOST_AT_ONCE: usize = 100;
/// Levels of the names of a form, `a[b][c]`; with more, a name is one name.
const MOST_LEVELS: usize = 8;

/// The payloads in what was sent: an object is one, a list holds several; a form is an object of texts, of lists of them where a name
/// comes several times or ends in `[]`, and of objects where names are like `customer[name]`.
pub fn payloads_of(body: &[u8], is_form: bool) -> Result<Vec<Map<String, Value>>, Invalid> {
    if is_form {
        let mut fields = Map::new();
        for (name, text) in form_urlencoded::parse(body) {
            let (levels, is_list) = levels(&name);
            put(&mut fields, &levels, is_list, text.into_owned());
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

/// Whether a body that says that it is a form is JSON: programs that say nothing of it are taken for browsers, as `curl -d` is.
pub fn is_json_in_a_form(body: &[u8]) -> bool {
    let is_begun = body.trim_ascii_start().first().is_some_and(|first| matches!(first, b'{' | b'['));
    is_begun && serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

/// The levels of a name in a form, of which there is always one, and whether it names a list. What is not written like `a[b][c]` or
/// `a[]` is one name as it is.
fn levels(name: &str) -> (Vec<&str>, bool) {
    let (path, is_list) = name.strip_suffix("[]").map_or((name, false), |path| (path, true));
    let (first, rest) = path.split_at(path.find('[').unwrap_or(path.len()));
    let inner = match rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.split("][").collect(),
        None if rest.is_empty() => Vec::new(),
        None => return (vec![name], false),
    };
    let suits = |level: &&str| !level.is_empty() && !level.contains(['[', ']']);
    let levels: Vec<&str> = std::iter::once(first).chain(inner).collect();
    if levels.len() > MOST_LEVELS || !levels.iter().all(suits) { (vec![name], false) } else { (levels, is_list) }
}

/// Puts a text where its name says. What is there besides what has names within it has an empty name.
fn put(fields: &mut Map<String, Value>, levels: &[&str], is_list: bool, text: String) {
    let Some((name, within)) = levels.split_first() else { return };
    let value = fields.entry(*name).or_insert(Value::Null);
    if !within.is_empty() && !value.is_object() {
        let before = Some(value.take()).filter(|before| !before.is_null());
        *value = Value::Object(before.map(|before| (String::new(), before)).into_iter().collect());
    }
    match value {
        Value::Object(fields) if within.is_empty() => put(fields, &[""], is_list, text),
        Value::Object(fields) => put(fields, within, is_list, text),
        Value::Array(several) => several.push(text.into()),
        Value::Null if !is_list => *value = text.into(),
        one => {
            let before = Some(one.take()).filter(|before| !before.is_null());
            *one = before.into_iter().chain([text.into()]).collect();
        }
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
    }

    #[test]
    fn json_that_says_that_it_is_a_form_is_known() {
        for json in [r#"{"a": "b=c&d"}"#, " \n[{}]", "{}"] {
            assert!(is_json_in_a_form(json.as_bytes()), "{json}");
        }
        for form in ["", "a=1", "1", "\"a\"", "{a}=1", "[0]=a", "{\"a\":1}&b=2"] {
            assert!(!is_json_in_a_form(form.as_bytes()), "{form}");
        }
    }

    #[test]
    fn names_in_forms_unfold_and_nothing_of_them_is_lost() {
        let deep = format!("a{}=1", "[b]".repeat(20));
        let deep_name = deep.strip_suffix("=1").unwrap();
        for (form, payload) in [
            ("a=1&b=x+y%26&a=2&a=3", json!({"a": ["1", "2", "3"], "b": "x y&"})),
            ("customer[name]=Ada&customer[mail]=a%40x", json!({"customer": {"name": "Ada", "mail": "a@x"}})),
            ("c%5Bn%5D%5Bf%5D=Ada&c[n][f]=King", json!({"c": {"n": {"f": ["Ada", "King"]}}})),
            ("tags[]=a&tags[]=b", json!({"tags": ["a", "b"]})),
            ("tags[]=a", json!({"tags": ["a"]})),
            ("a[b][]=1", json!({"a": {"b": ["1"]}})),
            ("a[0]=x&a[1]=y", json!({"a": {"0": "x", "1": "y"}})),
            ("a=1&a[b]=2&a=3", json!({"a": {"": ["1", "3"], "b": "2"}})),
            ("a[b]=1&a[b][c]=2", json!({"a": {"b": {"": "1", "c": "2"}}})),
            (
                "a[b=1&a]b=2&[c]=3&a[]b=4&a[][b]=5&=6",
                json!({"a[b": "1", "a]b": "2", "[c]": "3", "a[]b": "4", "a[][b]": "5", "": "6"}),
            ),
            (deep.as_str(), json!({deep_name: "1"})),
        ] {
            assert_eq!(payloads_of(form.as_bytes(), true).unwrap(), [object(payload)], "{form}");
        }
    }
}
