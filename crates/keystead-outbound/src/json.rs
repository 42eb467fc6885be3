//! JSON in the one form that `JSON.stringify` gives it again.
//!
//! Receivers that have parsed a body before they look at its signature write it anew to check it. So its bytes are those that
//! JavaScript writes: no spaces, numbers in its form, and members whose names are array indices first.

use serde_json::{Map, Number, Value};

/// From here on JavaScript does not tell whole numbers apart.
const INEXACT: u64 = 1 << 53;
/// Names from here on are no array indices.
const INDICES: u64 = u32::MAX as u64;

/// The text of a value. A whole number that JavaScript would round becomes a text.
pub fn stringify(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Array(list) => {
            text.push('[');
            for (place, entry) in list.iter().enumerate() {
                text.push_str(if place == 0 { "" } else { "," });
                write(entry, text);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            text.push('{');
            for (place, (name, entry)) in in_order(fields).into_iter().enumerate() {
                text.push_str(if place == 0 { "" } else { "," });
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write(entry, text);
            }
            text.push('}');
        }
        Value::Number(number) => text.push_str(&number_text(number)),
        Value::Null | Value::Bool(_) | Value::String(_) => text.push_str(&value.to_string()),
    }
}

/// The members as JavaScript goes through them.
fn in_order(fields: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut fields: Vec<_> = fields.iter().collect();
    // Stable, so that the others stay as they are.
    fields.sort_by_key(|(name, _)| index(name).unwrap_or(INDICES));
    fields
}

fn index(name: &str) -> Option<u64> {
    let is_plain = name == "0" || (!name.starts_with('0') && name.bytes().all(|byte| byte.is_ascii_digit()));
    name.parse().ok().filter(|index| is_plain && *index < INDICES)
}

fn number_text(number: &Number) -> String {
    let whole = number.as_i64().map(i64::unsigned_abs).or_else(|| number.as_u64());
    match (whole, number.as_f64()) {
        (Some(whole), _) if whole < INEXACT => number.to_string(),
        (None, Some(float)) => float_text(float),
        _ => format!("\"{number}\""),
    }
}

/// `Number.prototype.toString`: the shortest digits that are this number, with an exponent only where it is far from them.
fn float_text(float: f64) -> String {
    if float == 0.0 {
        return "0".to_owned();
    }
    let sign = if float < 0.0 { "-" } else { "" };
    let shortest = format!("{:e}", float.abs());
    let (digits, exponent) = shortest.split_once('e').expect("what is written with an exponent has one");
    let digits = digits.replace('.', "");
    // Digits before the point.
    let point = exponent.parse::<i32>().expect("an exponent is a number") + 1;
    let count = digits.len() as i32;
    match point {
        _ if (count..=21).contains(&point) => format!("{sign}{digits}{}", "0".repeat((point - count) as usize)),
        1..=21 => format!("{sign}{}.{}", &digits[..point as usize], &digits[point as usize..]),
        -5..=0 => format!("{sign}0.{}{digits}", "0".repeat(point.unsigned_abs() as usize)),
        _ => {
            let (first, rest) = digits.split_at(1);
            let rest = if rest.is_empty() { String::new() } else { format!(".{rest}") };
            format!("{sign}{first}{rest}e{}{}", if point > 0 { "+" } else { "" }, point - 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_those_of_javascript() {
        for (float, text) in [
            (20.0, "20"),
            (-0.0, "0"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (0.000_001, "0.000001"),
            (0.000_000_1, "1e-7"),
            (1.25e-9, "1.25e-9"),
            (123_456_789.125, "123456789.125"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (-1.5e300, "-1.5e+300"),
            (9_007_199_254_740_993.0, "9007199254740992"),
        ] {
            assert_eq!(stringify(&json!(float)), text);
        }
        for (whole, text) in
            [(json!(0), "0"), (json!(-7), "-7"), (json!(9_007_199_254_740_991_i64), "9007199254740991")]
        {
            assert_eq!(stringify(&whole), text);
        }
        assert_eq!(stringify(&json!(9_007_199_254_740_992_u64)), "\"9007199254740992\"");
        assert_eq!(stringify(&json!(i64::MIN)), "\"-9223372036854775808\"");
    }

    #[test]
    fn members_stand_where_javascript_puts_them() {
        let value =
            json!({"b": 1, "10": 2, "a": 3, "2": [{"1": 0, "0": 0}], "01": 4, "4294967295": 5, "4294967294": 6});
        let text = r#"{"2":[{"0":0,"1":0}],"10":2,"4294967294":6,"b":1,"a":3,"01":4,"4294967295":5}"#;
        assert_eq!(stringify(&value), text);
    }

    #[test]
    fn texts_have_no_escape_that_they_do_not_need() {
        let text = "\u{8}\t\n\u{c}\r\"\\/ é \u{7f}\u{2028}\u{1f}<\u{1f600}";
        assert_eq!(stringify(&json!(text)), "\"\\b\\t\\n\\f\\r\\\"\\\\/ é \u{7f}\u{2028}\\u001f<\u{1f600}\"");
    }

    /// Bodies that receivers without the raw bytes could not check; what we write of the same values they can.
    #[test]
    fn what_receivers_cannot_write_again_is_never_written() {
        use base64::{Engine, engine::general_purpose::STANDARD};

        let vectors: Value = serde_json::from_str(include_str!("signatures.json")).unwrap();
        let (mut taken, mut refused) = (0, 0);
        for vector in vectors["vectors"].as_array().unwrap() {
            let is_reparsed = vector["receiver_keeps_raw_body"] == json!(false);
            if !is_reparsed {
                continue;
            }
            let body = String::from_utf8(STANDARD.decode(vector["body_base64"].as_str().unwrap()).unwrap()).unwrap();
            let written = stringify(&serde_json::from_str(&body).unwrap());
            let is_taken = vector["expect"]["ghl_node"] == json!(true);
            assert_eq!(written == body, is_taken, "{}", vector["name"]);
            *(if is_taken { &mut taken } else { &mut refused }) += 1;
        }
        assert_eq!((taken, refused), (1, 6));
    }
}
