//! Files of rows as spreadsheets write and read them: whatever their encoding and their separator, and however large.

use std::{
    cell::Cell,
    io::{Cursor, Read, Write},
    rc::Rc,
};

use encoding_rs::Encoding;
use encoding_rs_io::DecodeReaderBytesBuilder;

use crate::failure::Failure;

/// Bytes that a row may have: an open quote must not take the rest of the file into memory.
const ROW_LIMIT: usize = 1024 * 1024;
/// Bytes of which the first line tells the separator.
const BEGIN: u64 = 64 * 1024;
const SEPARATORS: &[u8] = b",;\t|";

/// A row, or why it cannot be read.
pub(super) struct Row {
    /// Where it begins.
    pub(super) line: u64,
    pub(super) cells: Result<Vec<String>, String>,
}

/// The rows of a file, after its head.
pub(super) struct Rows {
    reader: csv::Reader<Bounded<Box<dyn Read>>>,
    /// Bytes that the reader may still take before it must have finished a row.
    room: Rc<Cell<usize>>,
    record: csv::ByteRecord,
    head: Vec<String>,
    is_over: bool,
}

impl Rows {
    /// Reads the head. `encoding` is told by the file's first bytes where it is not named; without any it is UTF-8.
    pub(super) fn open(file: impl Read + 'static, encoding: Option<&'static Encoding>) -> Result<Self, Failure> {
        let decoded =
            DecodeReaderBytesBuilder::new().encoding(encoding).utf8_passthru(true).strip_bom(true).build(file);
        let (mut begin, mut text) = (Vec::new(), decoded.take(BEGIN));
        text.read_to_end(&mut begin).map_err(|error| Failure::new(format!("the file cannot be read: {error}")))?;
        let separator = separator(&begin);
        let text = Cursor::new(begin).chain(text.into_inner());
        let room = Rc::new(Cell::new(ROW_LIMIT));
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .from_reader(Bounded { inner: Box::new(text) as Box<dyn Read>, room: Rc::clone(&room) });
        let mut record = csv::ByteRecord::new();
        let found = reader.read_byte_record(&mut record).map_err(|error| Failure::usage(explain(&error)))?;
        let head = texts(&record).map_err(|problem| Failure::usage(format!("the first row {problem}")))?;
        if !found || head.iter().all(|name| name.trim().is_empty()) {
            return Err(Failure::usage("the file has no first row with the names of its columns"));
        }
        Ok(Self { reader, room, record, head, is_over: false })
    }

    /// The names of the columns.
    pub(super) fn head(&self) -> &[String] {
        &self.head
    }
}

impl Iterator for Rows {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        if self.is_over {
            return None;
        }
        self.room.set(ROW_LIMIT);
        let line = self.reader.position().line();
        match self.reader.read_byte_record(&mut self.record) {
            Ok(false) => None,
            Ok(true) => {
                let line = self.record.position().map_or(line, csv::Position::line);
                let (found, wanted) = (self.record.len(), self.head.len());
                let cells = if found > wanted && self.record.iter().skip(wanted).any(|cell| !cell.is_empty()) {
                    Err(format!("has {found} cells, and the first row {wanted} names"))
                } else {
                    texts(&self.record)
                };
                Some(Row { line, cells })
            }
            Err(error) => {
                // Nothing tells where the next row would begin.
                self.is_over = true;
                Some(Row { line, cells: Err(explain(&error)) })
            }
        }
    }
}

/// The texts of a row. What [`Cells`] put before a formula is taken away again.
fn texts(record: &csv::ByteRecord) -> Result<Vec<String>, String> {
    let text = |cell: &[u8]| {
        let text = std::str::from_utf8(cell).map_err(|_| {
            "is not UTF-8; save the file as UTF-8, or name its encoding, such as --encoding windows-1252".to_owned()
        })?;
        let is_guarded = text.starts_with('\'') && begins_formula(text);
        Ok(if is_guarded { &text[1..] } else { text }.to_owned())
    };
    record.iter().map(text).collect()
}

fn explain(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Io(cause) if cause.kind() == std::io::ErrorKind::InvalidData => {
            format!("is longer than {} KB; is there a quote that is not closed?", ROW_LIMIT / 1024)
        }
        _ => format!("cannot be read: {error}"),
    }
}

/// The separator that the first line has most of, outside quotes.
fn separator(begin: &[u8]) -> u8 {
    let mut counts = [0usize; SEPARATORS.len()];
    let mut is_quoted = false;
    for byte in begin {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\n' if !is_quoted => break,
            byte if !is_quoted => {
                if let Some(place) = SEPARATORS.iter().position(|separator| separator == byte) {
                    counts[place] += 1;
                }
            }
            _ => {}
        }
    }
    let most = (0..SEPARATORS.len()).rev().max_by_key(|place| counts[*place]).unwrap_or(0);
    SEPARATORS[most]
}

/// A reader that ends where there is no room left.
struct Bounded<R> {
    inner: R,
    room: Rc<Cell<usize>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let room = self.room.get();
        if room == 0 {
            return Err(std::io::Error::from(std::io::ErrorKind::InvalidData));
        }
        let count = self.inner.read(buffer)?;
        self.room.set(room.saturating_sub(count));
        Ok(count)
    }
}

/// What a cell that a spreadsheet would calculate begins with.
const FORMULA: &[char] = &['=', '+', '-', '@', '\t', '\r'];

/// Whether a cell is a formula, or one that was guarded already.
fn begins_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(FORMULA)
}

/// Writes rows that no spreadsheet takes for formulas.
pub(super) struct Cells<W: Write>(csv::Writer<W>);

impl<W: Write> Cells<W> {
    pub(super) fn new(file: W) -> Self {
        Self(csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(file))
    }

    pub(super) fn write<T: AsRef<str>>(&mut self, row: impl IntoIterator<Item = T>) -> Result<(), Failure> {
        for cell in row {
            let cell = cell.as_ref();
            if begins_formula(cell) {
                self.0.write_field(format!("'{cell}")).map_err(unwritten)?;
            } else {
                self.0.write_field(cell).map_err(unwritten)?;
            }
        }
        self.0.write_record(None::<&[u8]>).map_err(unwritten)
    }

    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.0.flush().map_err(|error| unwritten(error.into()))
    }
}

fn unwritten(error: csv::Error) -> Failure {
    // Whoever reads may stop at any line.
    if let csv::ErrorKind::Io(cause) = error.kind()
        && cause.kind() == std::io::ErrorKind::BrokenPipe
    {
        std::process::exit(141);
    }
    Failure::new(format!("the file cannot be written: {error}"))
}

#[cfg(test)]
#[path = "spreadsheet_tests.rs"]
mod tests;
