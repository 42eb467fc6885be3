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
    let width = |column: usize| {
        rows.iter().map(|row| row[column].chars().count()).chain([head[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        say!("{}", padded.join("  ").trim_end());
    };
    line(&mut head.iter().copied());
    for row in rows {
        line(&mut row.iter().map(String::as_str));
    }
}

/// A member of an answer as text, `-` where there is none.
pub(super) fn cell(value: &Value, name: &str) -> String {
    match &value[name] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
