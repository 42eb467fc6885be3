//! JSON as strictly as an API needs it: a name twice, or nesting without end, is an error and not a guess.

use std::cell::Cell;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Deepest nesting that is read.
pub(crate) const DEPTH: usize = 64;
/// Most values that are read: 80 for each of the 500 things that one call may bring. In memory each takes much more than the two
/// bytes that it may have been sent with.
const VALUES: usize = 40_000;

/// Reads one JSON object; what stands after it is an error, and a mark of the byte order before it is passed over (RFC 8259).
pub(crate) fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let left = Cell::new(VALUES);
    let strict = Strict { depth: DEPTH, left: &left };
    let value = strict.deserialize(&mut reader).map_err(|error| error.to_string())?;
    reader.end().map_err(|error| error.to_string())?;
    match value {
        Value::Object(map) => Ok(map),
        _ => Err("it is not an object".to_owned()),
    }
}

#[derive(Clone, Copy)]
struct Strict<'c> {
    /// How much deeper it may be nested.
    depth: usize,
    /// How many values more there may be.
    left: &'c Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.ok_or_else(|| D::Error::custom(format!("it has more than {VALUES} values")))?);
        deserializer.deserialize_any(self)
    }
}

impl Strict<'_> {
    fn deeper<E: Error>(&self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1);
        depth
            .map(|depth| Self { depth, ..*self })
            .ok_or_else(|| E::custom(format!("it is nested more than {DEPTH} deep")))
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Number::from_f64(number).map(Value::Number).ok_or_else(|| E::custom("a number is out of range"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element_seed(self.deeper()?)? {
            list.push(entry);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(self.deeper()?)?;
            if map.contains_key(&name) {
                return Err(A::Error::custom(format!("the name {} stands twice", keystead_model::text::echo(&name))));
            }
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_one_plain_object_is_refused() {
        assert_eq!(parse_object(br#" {"a":[1,"x",null,true,{"b":2.5}]} "#).unwrap().len(), 1);
        assert!(parse_object(b"\xef\xbb\xbf{}").is_ok());
        for bad in [
            &b""[..],
            b"[]",
            b"null",
            b"{",
            b"{} {}",
            br#"{"a":1,"a":2}"#,
            br#"{"a":{"b":1,"b":1}}"#,
            br#"{"a":1e400}"#,
            br#"{"a":"\ud800"}"#,
            b"\xef\xbb\xbf\xef\xbb\xbf{}",
            b"{\xef\xbb\xbf}",
            b"{\"a\":\"\xff\"}",
            br#"{"a":NaN}"#,
            b"{'a':1}",
            br#"{"a":01}"#,
        ] {
            assert!(parse_object(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(DEPTH - 1), "]".repeat(DEPTH - 1));
        assert!(parse_object(deep.as_bytes()).is_ok());
        let deeper = format!("{{\"a\":{}{}}}", "[".repeat(DEPTH + 1), "]".repeat(DEPTH + 1));
        assert!(parse_object(deeper.as_bytes()).unwrap_err().contains("nested"));
        // The object and its list count, too.
        let list = |count: usize| format!("{{\"a\":[{}0]}}", "0,".repeat(count - 1));
        assert!(parse_object(list(VALUES - 2).as_bytes()).is_ok());
        assert!(parse_object(list(VALUES - 1).as_bytes()).unwrap_err().contains("more than 40000 values"));
    }
}
