//! Values that are no words: truths, numbers, points in time.

use keystead_model::{
    Invalid, UtcMs,
    decimal::Decimal,
    text::TimeZoneName,
    time::{IN_SECONDS, Moment, SECONDS},
};
use serde_json::{Value, json};

use super::Reader;

const NO_DATE: &str = "must be a valid ISO 8601 date string";

impl Reader<'_> {
    /// A truth.
    pub(crate) fn truth(&mut self, name: &'static str) -> Option<bool> {
        if let Some(is_there) = self.describes(name, || json!({"type": "boolean"}), || json!(true)) {
            return is_there.then_some(true);
        }
        match self.take(name)? {
            Value::Bool(truth) => Some(truth),
            Value::String(text) if self.source.is_text() && text == "true" => Some(true),
            Value::String(text) if self.source.is_text() && text == "false" => Some(false),
            _ => self.refuse(name, "must be a boolean value"),
        }
    }

    /// A whole number; clients also send `20.0`.
    pub(crate) fn integer(&mut self, name: &'static str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let (least, most) = (*range.start(), *range.end());
        let schema = || match most {
            i64::MAX => json!({"type": "integer", "minimum": least}),
            most => json!({"type": "integer", "minimum": least, "maximum": most}),
        };
        if let Some(is_there) = self.describes(name, schema, || json!(least)) {
            return is_there.then_some(least);
        }
        let number = match self.take(name)? {
            Value::Number(number) => whole(&number),
            Value::String(text) if self.source.is_text() => {
                text.parse::<i64>().ok().or_else(|| whole(&text.parse::<serde_json::Number>().ok()?))
            }
            _ => None,
        };
        match number {
            None => self.refuse(name, "must be an integer number"),
            Some(number) if number < *range.start() => {
                self.refuse(name, format!("must not be less than {}", range.start()))
            }
            Some(number) if number > *range.end() => {
                self.refuse(name, format!("must not be greater than {}", range.end()))
            }
            some => some,
        }
    }

    /// An exact number. Of a number of JSON, which programs compute with 53 binary digits, what was meant; a text holds more digits.
    pub(crate) fn decimal(&mut self, name: &'static str) -> Option<Decimal> {
        let schema = || {
            let text = json!({"type": "string", "description": "The same as a text, of up to 15 digits and 9 after the point"});
            json!({"anyOf": [{"type": "number"}, text]})
        };
        if let Some(is_there) = self.describes(name, schema, || json!(220.5)) {
            return is_there.then(|| Decimal::from_double(220.5).unwrap_or_default());
        }
        let number = match self.take(name)? {
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Decimal::parse(&whole.to_string()),
                (None, Some(double)) => Decimal::from_double(double),
                (None, None) => Err(Invalid::new("must be a number")),
            },
            Value::String(text) => Decimal::parse(text.trim()),
            _ => Err(Invalid::new("must be a number")),
        };
        self.checked(name, number)
    }

    /// A point in time: ISO 8601, with or without a zone, or milliseconds since 1970.
    pub(crate) fn moment(&mut self, name: &'static str) -> Option<Moment> {
        self.moment_from(name, Some(SECONDS))
    }

    /// The same, where numbers from `least` on are milliseconds, and smaller ones look like seconds.
    fn moment_from(&mut self, name: &'static str, least: Option<i64>) -> Option<Moment> {
        let schema = || {
            let text =
                json!({"type": "string", "format": "date-time", "description": "Or without a zone, in the location's"});
            let day = json!({"type": "string", "format": "date"});
            let number = json!({"type": "integer", "minimum": SECONDS, "description": "Milliseconds since 1970"});
            json!({"anyOf": [text, day, number]})
        };
        const EXAMPLE: UtcMs = UtcMs(1_796_122_800_000);
        if let Some(is_there) = self.describes(name, schema, || json!(EXAMPLE)) {
            return is_there.then_some(Moment::Instant(EXAMPLE));
        }
        let milliseconds = |number: Option<i64>| match number {
            // Nothing is due in 1970, and nothing is looked for there.
            Some(seconds) if least.is_some_and(|least| (1..least).contains(&seconds)) => Err(Invalid::new(IN_SECONDS)),
            Some(number) => Ok(Moment::Instant(UtcMs(number))),
            None => Err(Invalid::new(NO_DATE)),
        };
        let moment = match self.take(name)? {
            // Queries carry numbers as text.
            Value::String(text) if self.source.is_text() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                milliseconds(text.parse().ok())
            }
            Value::String(text) => Moment::parse(&text),
            Value::Number(number) => milliseconds(whole(&number)),
            _ => Err(Invalid::new(NO_DATE)),
        };
        let years = UtcMs(0)..=UtcMs::MAX;
        match moment {
            Ok(moment) if years.contains(&moment.start(&TimeZoneName::utc())) => Some(moment),
            Ok(_) => self.refuse(name, NO_DATE),
            Err(Invalid(problem)) => self.refuse(name, problem),
        }
    }

    /// A cursor: milliseconds since 1970, or the same instant as ISO 8601.
    pub(crate) fn instant(&mut self, name: &'static str) -> Option<UtcMs> {
        self.moment_from(name, None).map(|moment| moment.start(&TimeZoneName::utc()))
    }
}

/// `20`, `20.0` and `2e1` are the whole number 20.
fn whole(number: &serde_json::Number) -> Option<i64> {
    if let Some(number) = number.as_i64() {
        return Some(number);
    }
    let number = number.as_f64()?;
    #[expect(clippy::float_cmp, reason = "exactly whole, or not")]
    let is_whole = number.trunc() == number && number.abs() <= 9_007_199_254_740_991.0;
    is_whole.then_some(number as i64)
}
