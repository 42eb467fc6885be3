//! Tables for people, JSON for programs. Whoever reads them may stop at any line: `keystead keys list | head`.

use std::{
    fmt::Arguments,
    io::{self, ErrorKind, Write},
};

use serde_json::Value;

/// Prints a line to standard output, as `println!` does.
macro_rules! say {
    ($($text:tt)*) => { $crate::commands::output::line(format_args!($($text)*)) };
}

/// Prints a line to standard error, as `eprintln!` does.
macro_rules! note {
    ($($text:tt)*) => { $crate::commands::output::remark(format_args!($($text)*)) };
}

pub(crate) use {note, say};

/// Behind [`say!`].
pub(crate) fn line(text: Arguments<'_>) {
    if let Err(error) = writeln!(io::stdout().lock(), "{text}") {
        // Nobody reads any more: what is left to say is for nobody. The exit code is that of a program that SIGPIPE ends.
        if error.kind() == ErrorKind::BrokenPipe {
            std::process::exit(141);
        }
        remark(format_args!("keystead: the answer cannot be written: {error}"));
        std::process::exit(3);
    }
}

/// A line that a server says, which goes on whoever hears it.
pub(super) fn announce(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Behind [`note!`]. Where nobody hears it, the work goes on.
pub(crate) fn remark(text: Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints JSON on one line.
pub(super) fn json(value: &Value) {
    say!("{value}");
}

/// Prints rows in columns as wide as their widest cell.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) {
    Table::new(head).add(rows);
}

/// Rows that come in pieces, in columns as wide as the widest cell of the first one: what is listed may be larger than the
/// memory.
pub(super) struct Table {
    head: Vec<String>,
    widths: Vec<usize>,
}

impl Table {
    pub(super) fn new<T: AsRef<str>>(head: &[T]) -> Self {
        Self { head: head.iter().map(|title| title.as_ref().to_owned()).collect(), widths: Vec::new() }
    }

    /// Prints rows, after the head if they are the first.
    pub(super) fn add(&mut self, rows: &[Vec<String>]) {
        if self.widths.is_empty() {
            let head = std::mem::take(&mut self.head);
            let widest = |column: usize| {
                let cells = rows.iter().chain([&head]).map(|row| row[column].chars().count());
                cells.max().unwrap_or(0)
            };
            self.widths = (0..head.len()).map(widest).collect();
            self.print(&head);
        }
        for row in rows {
            self.print(row);
        }
    }

    fn print(&self, row: &[String]) {
        let padded: Vec<String> = row.iter().zip(&self.widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        say!("{}", padded.join("  ").trim_end());
    }
}

/// A member of an answer as text, `-` where there is none; of several things the name and the id of each.
pub(super) fn cell(value: &Value, name: &str) -> String {
    let named = |thing: &Value| Some(format!("{} ({})", thing["name"].as_str()?, thing["id"].as_str()?));
    match &value[name] {
        Value::Null => "-".to_owned(),
        Value::Array(things) if things.iter().all(|thing| named(thing).is_some()) => {
            things.iter().filter_map(named).collect::<Vec<_>>().join(", ")
        }
        other => text(other),
    }
}

/// A value as people read it. What has fields of its own is JSON, but for whoever did something, who is a kind and an id.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if !items.iter().any(|item| item.is_object() || item.is_array()) => {
            items.iter().map(text).collect::<Vec<_>>().join(", ")
        }
        Value::Object(who) if who.len() == 2 && who.contains_key("id") => match (&who.get("type"), &who["id"]) {
            (Some(Value::String(kind)), Value::Null) => kind.clone(),
            (Some(Value::String(kind)), Value::String(id)) => format!("{kind} {id}"),
            _ => value.to_string(),
        },
        other => other.to_string(),
    }
}
