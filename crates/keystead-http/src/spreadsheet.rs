//! Files of rows as spreadsheets write and read them: whatever their encoding and their separator, and however large.

use std::{
    future::ready,
    io::{self, Chain, Cursor, Read, Write},
};

use encoding_rs::Encoding;
use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};
use futures_util::stream::{self, Stream, StreamExt};
use keystead_core::Error;
use keystead_model::page::Page;

/// Bytes that a row may have: an open quote must not take the rest of the file into memory.
const ROW_LIMIT: usize = 1024 * 1024;
/// Bytes of which the first line tells the separator.
const BEGIN: u64 = 64 * 1024;
/// Bytes of one line that are passed over where it is longer than a row may be.
const LINE_LIMIT: usize = 64 * 1024 * 1024;
/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;
/// Bytes by which a workbook is told.
const MARK: u64 = 4;
const SEPARATORS: &[u8] = b",;\t|";

/// What the files of spreadsheet programs begin with that are no text: a ZIP archive, and what was before it.
const BINARY: &[&[u8]] = &[b"PK\x03\x04", b"\xd0\xcf\x11\xe0"];

/// How often a file is read on behind a quote that is not closed: each time up to [`ROW_LIMIT`] is read again.
const OPEN_QUOTES: usize = 100;

/// A file of the rows that follow `after`, by `read`, each as its cells: some are read while those before them are sent. The first of
/// them are read at once, so that whoever may not see them is told so.
pub async fn file_of<T, C, R, N>(
    columns: impl IntoIterator<Item = N>,
    after: Option<C>,
    read: impl Fn(Option<C>) -> R + Clone + Send + 'static,
    cursor: impl Fn(&T) -> C + Clone + Send + 'static,
    cells: impl Fn(&T) -> Vec<String> + Clone + Send + 'static,
) -> Result<impl Stream<Item = Result<Vec<u8>, Error>> + Send + 'static, Error>
where
    T: Send + 'static,
    C: Send + 'static,
    R: Future<Output = Result<Page<T>, Error>> + Send + 'static,
    N: AsRef<str>,
{
    let first = read(after).await?;
    let head = to_bytes([columns]);
    let rows = stream::try_unfold(Some(first), move |rows: Option<Page<T>>| {
        let (read, cursor, cells) = (read.clone(), cursor.clone(), cells.clone());
        async move {
            let Some(rows) = rows else { return Ok(None) };
            let next = match rows.next(&cursor) {
                Some(last) => Some(read(Some(last)).await?),
                None => None,
            };
            Ok::<_, Error>(Some((to_bytes(rows.rows.iter().map(cells)), next)))
        }
    });
    Ok(stream::once(ready(Ok(head))).chain(rows))
}

/// A row, or why it cannot be read.
pub struct Row {
    /// Where it begins.
    pub line: u64,
    /// Its cells, as many as the first row has or fewer.
    pub cells: Result<Vec<String>, Unreadable>,
}

/// A row that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Why.
    pub problem: String,
    /// What could be seen of it, so that somebody can mend it.
    pub seen: Vec<String>,
}

impl Unreadable {
    fn new(problem: String, seen: Vec<String>) -> Self {
        Self { problem, seen }
    }
}

/// The rows of a file, after its head.
pub struct Rows<R> {
    records: Records<Decoded<R>>,
    separator: u8,
    head: Vec<String>,
    /// The line up to which rows are passed over.
    passed: u64,
    is_over: bool,
}

/// A file as UTF-8.
type Decoded<R> = DecodeReaderBytes<Chain<Cursor<Vec<u8>>, R>, Vec<u8>>;

impl<R: Read> Rows<R> {
    /// Reads the head. `encoding` is told by the file's first bytes where it is not named; without any it is UTF-8. Fails with what is
    /// wrong with the file.
    pub fn open(mut file: R, encoding: Option<&'static Encoding>) -> Result<Self, String> {
        // Of bytes as they are: what an encoding makes of them is something else.
        let mut mark = Vec::new();
        (&mut file).take(MARK).read_to_end(&mut mark).map_err(unreadable)?;
        if BINARY.iter().any(|known| mark.starts_with(known)) {
            return Err("is a workbook or an archive; save its sheet as CSV, and send that".to_owned());
        }
        let file = Cursor::new(mark).chain(file);
        let mut decoded =
            DecodeReaderBytesBuilder::new().encoding(encoding).utf8_passthru(true).strip_bom(true).build(file);
        let mut begin = Vec::new();
        (&mut decoded).take(BEGIN).read_to_end(&mut begin).map_err(unreadable)?;
        let separator = separator(&begin);
        let mut records = Records::new(begin, decoded, separator);
        let head = match records.next().map_err(unreadable)? {
            None => Vec::new(),
            Some(Record { shape: Shape::Open, .. }) => return Err(format!("has a first row with {NOT_CLOSED}")),
            Some(Record { shape: Shape::TooLong, .. }) => {
                return Err(format!("has a first row that {}", is_too_long()));
            }
            Some(record) => {
                cells(&record.bytes, separator).map_err(|problem| format!("has a first row that {problem}"))?
            }
        };
        if head.iter().any(|name| name.contains('\0')) {
            let problem = "has NUL characters in its first row; if it is UTF-16, name that as its encoding: utf-16le";
            return Err(problem.to_owned());
        }
        if head.iter().all(|name| name.trim().is_empty()) {
            return Err("has no first row with the names of its columns".to_owned());
        }
        Ok(Self { records, separator, head, passed: 0, is_over: false })
    }

    /// The names of the columns.
    pub fn head(&self) -> &[String] {
        &self.head
    }

    /// Those that begin after a line.
    pub fn after(self, line: u64) -> Self {
        Self { passed: line, ..self }
    }

    fn cells(&self, record: &Record) -> Result<Vec<String>, Unreadable> {
        let whole = || vec![String::from_utf8_lossy(&record.bytes).into_owned()];
        let cells = match record.shape {
            Shape::Whole => {
                cells(&record.bytes, self.separator).map_err(|problem| Unreadable::new(problem, whole()))?
            }
            Shape::Open => return Err(Unreadable::new(format!("has {NOT_CLOSED}"), whole())),
            Shape::TooLong => return Err(Unreadable::new(is_too_long(), Vec::new())),
        };
        let wanted = self.head.len();
        if cells.iter().skip(wanted).any(|cell| !cell.is_empty()) {
            let problem = format!("has {} cells, and the first row {wanted} names", cells.len());
            return Err(Unreadable::new(problem, cells));
        }
        Ok(cells)
    }
}

const NOT_CLOSED: &str = "a quote that is not closed; what follows was read as rows of their own";

fn unreadable(error: io::Error) -> String {
    format!("cannot be read: {error}")
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        if self.is_over {
            return None;
        }
        loop {
            match self.records.next() {
                Ok(Some(record)) if record.line <= self.passed => {}
                Ok(record) => return record.map(|record| Row { line: record.line, cells: self.cells(&record) }),
                Err(error) => {
                    // Nothing tells where the next row would begin.
                    self.is_over = true;
                    return Some(Row {
                        line: self.records.line,
                        cells: Err(Unreadable::new(unreadable(error), Vec::new())),
                    });
                }
            }
        }
    }
}

/// The bytes of a row, with the quotes that are in them.
struct Record {
    line: u64,
    bytes: Vec<u8>,
    shape: Shape,
}

/// What a record is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Whole,
    /// It ends within a quote: it is one line of what the quote would take.
    Open,
    /// A line that is longer than a row may be, without its bytes.
    TooLong,
}

/// Splits a file into records, by the rules of the reader that splits them into cells. That one takes all that follows on a quote
/// that is not closed for one cell, which is not seen in what it answers.
struct Records<R> {
    rest: R,
    /// What was read and not taken, from `at` on.
    read: Vec<u8>,
    at: usize,
    separator: u8,
    /// The line in which the next record begins.
    line: u64,
    open_quotes: usize,
}

/// Where in a record somebody is who reads it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the beginning of a cell, where a quote opens.
    Begin,
    Plain,
    Quoted,
    /// Behind a quote within a quoted cell: another one is a quote of the cell, and whatever else ends it.
    Quote,
}

impl<R: Read> Records<R> {
    fn new(read: Vec<u8>, rest: R, separator: u8) -> Self {
        Self { rest, read, at: 0, separator, line: 1, open_quotes: 0 }
    }

    /// The next record that is not empty.
    fn next(&mut self) -> io::Result<Option<Record>> {
        if self.at >= CHUNK {
            self.read.drain(..self.at);
            self.at = 0;
        }
        // Ends of lines with nothing between them are no records.
        loop {
            match self.byte(self.at)? {
                None => return Ok(None),
                Some(b'\r') if self.byte(self.at + 1)? == Some(b'\n') => self.skip(2),
                Some(b'\r' | b'\n') => self.skip(1),
                Some(_) => break,
            }
            self.line += 1;
        }
        let line = self.line;
        let (mut place, mut end, mut lines, mut first_end) = (Place::Begin, self.at, 0, None);
        let is_open = loop {
            let byte = self.byte(end)?.filter(|_| end - self.at < ROW_LIMIT);
            let Some(byte) = byte else { break place == Place::Quoted || end - self.at >= ROW_LIMIT };
            let is_end_of_line = byte == b'\n' || byte == b'\r' && self.byte(end + 1)? != Some(b'\n');
            if matches!(byte, b'\r' | b'\n') && place != Place::Quoted {
                break false;
            }
            if is_end_of_line {
                lines += 1;
                first_end = first_end.or(Some(end));
            }
            place = match (place, byte) {
                (Place::Begin | Place::Quote, b'"') => Place::Quoted,
                (Place::Quoted, b'"') => Place::Quote,
                (Place::Quoted, _) => Place::Quoted,
                (_, byte) if byte == self.separator => Place::Begin,
                _ => Place::Plain,
            };
            end += 1;
        };
        let is_last = self.byte(end)?.is_none();
        let record = match (is_open, first_end) {
            (false, _) => self.take(line, end, lines, Shape::Whole),
            (true, Some(first_end)) if self.open_quotes < OPEN_QUOTES => {
                self.open_quotes += 1;
                self.take(line, first_end, 0, Shape::Open)
            }
            (true, None) if is_last => self.take(line, end, lines, Shape::Open),
            (true, None) => {
                self.pass_line()?;
                Record { line, bytes: Vec::new(), shape: Shape::TooLong }
            }
            (true, Some(_)) => return Err(too_long()),
        };
        Ok(Some(record))
    }

    /// Passes over what is left of a line.
    fn pass_line(&mut self) -> io::Result<()> {
        let mut passed = 0;
        loop {
            if let Some(place) = self.read[self.at..].iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
                self.at += place;
                return Ok(());
            }
            passed += self.read.len() - self.at;
            self.read.clear();
            self.at = 0;
            if passed > LINE_LIMIT {
                return Err(too_long());
            }
            if self.byte(0)?.is_none() {
                return Ok(());
            }
        }
    }

    /// The bytes until `end` as a record in which `lines` ended.
    fn take(&mut self, line: u64, end: usize, lines: u64, shape: Shape) -> Record {
        let bytes = self.read[self.at..end].to_vec();
        self.at = end;
        self.line = line + lines;
        Record { line, bytes, shape }
    }

    fn skip(&mut self, count: usize) {
        self.at += count;
    }

    /// The byte at a place of what was read, of which more is read where it ends; `None` at the end of the file.
    fn byte(&mut self, place: usize) -> io::Result<Option<u8>> {
        if place >= self.read.len() {
            let before = self.read.len();
            self.read.resize(before + CHUNK, 0);
            let count = self.rest.read(&mut self.read[before..]);
            self.read.truncate(before + count.as_ref().copied().unwrap_or(0));
            count?;
        }
        Ok(self.read.get(place).copied())
    }
}

fn is_too_long() -> String {
    format!("is longer than {} KB; is there a quote that is not closed?", ROW_LIMIT / 1024)
}

fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("a row {}", is_too_long()))
}

/// The cells of a record.
fn cells(bytes: &[u8], separator: u8) -> Result<Vec<String>, String> {
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.has_headers(false).flexible(true).delimiter(separator).buffer_capacity(bytes.len().max(16));
    let mut record = csv::ByteRecord::new();
    reader.from_reader(bytes).read_byte_record(&mut record).map_err(|error| format!("cannot be read: {error}"))?;
    texts(&record)
}

/// The texts of a row. What [`Cells`] put before a formula is taken away again.
fn texts(record: &csv::ByteRecord) -> Result<Vec<String>, String> {
    let text = |cell: &[u8]| {
        let text = std::str::from_utf8(cell).map_err(|_| {
            "is not UTF-8; save the file as UTF-8, or name its encoding, such as windows-1252".to_owned()
        })?;
        let is_guarded = text.starts_with('\'') && begins_formula(text);
        Ok(if is_guarded { &text[1..] } else { text }.to_owned())
    };
    record.iter().map(text).collect()
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

/// What a cell that a spreadsheet would calculate begins with.
const FORMULA: &[char] = &['=', '+', '-', '@', '\t', '\r'];

/// Whether a cell is a formula, or one that was guarded already. What is wholly a number, as of a phone, calculates nothing.
fn begins_formula(cell: &str) -> bool {
    let unguarded = cell.trim_start_matches('\'');
    unguarded.starts_with(FORMULA) && !(unguarded == cell && is_number(cell))
}

/// A sign, digits, and at most one point between them.
fn is_number(cell: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(number) = cell.strip_prefix(['+', '-']) else { return false };
    number.split_once('.').map_or_else(|| digits(number), |(whole, parts)| digits(whole) && digits(parts))
}

/// Writes rows that no spreadsheet takes for formulas.
pub struct Cells<W: Write>(csv::Writer<W>);

impl<W: Write> Cells<W> {
    /// A file without rows.
    pub fn new(file: W) -> Self {
        Self(csv::WriterBuilder::new().flexible(true).terminator(csv::Terminator::CRLF).from_writer(file))
    }

    /// Adds a row.
    pub fn write<T: AsRef<str>>(&mut self, row: impl IntoIterator<Item = T>) -> io::Result<()> {
        for cell in row {
            let cell = cell.as_ref();
            if begins_formula(cell) {
                self.0.write_field(format!("'{cell}"))?;
            } else {
                self.0.write_field(cell)?;
            }
        }
        Ok(self.0.write_record(None::<&[u8]>)?)
    }

    /// Writes what is still in memory.
    pub fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Rows as the bytes of a file, or of a part of one.
pub fn to_bytes<R: IntoIterator<Item: AsRef<str>>>(rows: impl IntoIterator<Item = R>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut cells = Cells::new(&mut bytes);
    let written = rows.into_iter().try_for_each(|row| cells.write(row)).and_then(|()| cells.finish());
    written.expect("rows are written into memory");
    bytes
}

#[cfg(test)]
#[path = "spreadsheet_tests.rs"]
mod tests;
