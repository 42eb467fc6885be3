//! How a file of rows begins: its encoding, its columns, and what stands in the first of its rows.

use std::io::{Cursor, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8};
use keystead_core::{FileHead, HeadColumn};
use keystead_http::spreadsheet::{Row, Rows};
use keystead_model::custom_field::CustomField;

use super::{columns, rows};

/// Bytes by which an encoding is guessed: the first letter that tells it may be far from the beginning.
const GUESSED_BY: u64 = 1024 * 1024;
/// Rows in which values are looked for.
const ROWS: usize = 50;
/// Values that are shown of a column, and their characters.
const VALUES: usize = 3;
const VALUE: usize = 60;

/// How a file begins, in the encoding of `label`, or in one that is guessed.
pub(super) fn read(mut file: Box<dyn Read + Send>, label: Option<&str>, custom: &[CustomField]) -> FileHead {
    let mut begin = Vec::new();
    if let Err(error) = (&mut file).take(GUESSED_BY).read_to_end(&mut begin) {
        return FileHead { encoding: None, columns: Err(format!("cannot be read: {error}")) };
    }
    let encoding = match label {
        Some(label) => rows::encoding(Some(label)),
        None => Ok(guess(&begin)),
    };
    // What is UTF-8 is read as what it is: a byte that is none is told, and not replaced.
    let encoding = encoding.map(|encoding| encoding.filter(|encoding| *encoding != UTF_8));
    match encoding {
        Ok(encoding) => FileHead {
            encoding: encoding.map(|encoding| encoding.name().to_lowercase()),
            columns: head_columns(Cursor::new(begin).chain(file), encoding, custom),
        },
        Err(problem) => FileHead { encoding: None, columns: Err(format!("has an encoding that {problem}")) },
    }
}

/// The encoding of bytes that do not tell it themselves.
fn guess(begin: &[u8]) -> Option<&'static Encoding> {
    // What has ASCII only is the same in all of them, and what may follow is told where it is no UTF-8.
    if begin.is_ascii() || Encoding::for_bom(begin).is_some() {
        return None;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(begin, (begin.len() as u64) < GUESSED_BY);
    Some(detector.guess(None, Utf8Detection::Allow))
}

fn head_columns(
    file: impl Read,
    encoding: Option<&'static Encoding>,
    custom: &[CustomField],
) -> Result<Vec<HeadColumn>, String> {
    let rows = Rows::open(file, encoding)?;
    let head = rows.head().to_vec();
    let mut values: Vec<Vec<String>> = vec![Vec::new(); head.len()];
    for Row { cells, .. } in rows.take(ROWS) {
        for (cell, values) in cells.unwrap_or_default().iter().map(|cell| cell.trim()).zip(&mut values) {
            if !cell.is_empty() && values.len() < VALUES {
                values.push(shortened(cell));
            }
        }
    }
    let fields = columns::guessed(&head, custom);
    let column = |((name, values), field): ((String, _), _)| HeadColumn { name: name.trim().to_owned(), values, field };
    Ok(head.into_iter().zip(values).zip(fields).map(column).collect())
}

fn shortened(cell: &str) -> String {
    match cell.char_indices().nth(VALUE) {
        Some((end, _)) => format!("{}…", &cell[..end]),
        None => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(bytes: impl Into<Vec<u8>>, label: Option<&str>) -> FileHead {
        read(Box::new(Cursor::new(bytes.into())), label, &[])
    }

    fn first_values(head: FileHead) -> Vec<(String, Vec<String>)> {
        head.columns.unwrap().into_iter().map(|column| (column.name, column.values)).collect()
    }

    #[test]
    fn an_encoding_is_guessed_and_can_be_named() {
        let text = "Name;Stadt\nJürgen Müller;Köln\nÉlodie Lefèvre;Besançon\n";
        let (latin, _, _) = encoding_rs::WINDOWS_1252.encode(text);
        let cyrillic = "Имя;Город\nЕкатерина Иванова;Санкт-Петербург\nСергей;Нижний Новгород\n";
        let (cyrillic_bytes, _, _) = encoding_rs::WINDOWS_1251.encode(cyrillic);
        for (bytes, encoding, first) in [
            (text.as_bytes().to_vec(), None, "Jürgen Müller"),
            (latin.to_vec(), Some("windows-1252"), "Jürgen Müller"),
            (cyrillic_bytes.to_vec(), Some("windows-1251"), "Екатерина Иванова"),
            (b"Name;City\nAda;London\n".to_vec(), None, "Ada"),
            ([b"\xef\xbb\xbf", text.as_bytes()].concat(), None, "Jürgen Müller"),
        ] {
            let head = head(bytes, None);
            assert_eq!(head.encoding.as_deref(), encoding, "{first}");
            assert_eq!(first_values(head)[0].1[0], first);
        }
        let wrong = head(cyrillic_bytes.to_vec(), Some("windows-1252"));
        assert_ne!(first_values(wrong)[0].1[0], "Екатерина Иванова");
        // What is none is not replaced: a trial tells of each such row.
        assert_eq!(first_values(head(latin.to_vec(), Some("utf-8")))[0].1, [""; 0]);
        assert!(head("a", Some("klingon")).columns.unwrap_err().contains("not known"));
    }

    #[test]
    fn the_first_values_of_each_column_are_shown() {
        let rows = format!("email,Notes,x\na@x,,\nb@x,{},\n\"open,1,2\nc@x,d,\nd@x,e,\n", "n".repeat(100));
        let columns = first_values(head(rows, None));
        assert_eq!(columns[0], ("email".to_owned(), ["a@x", "b@x", "c@x"].map(str::to_owned).to_vec()));
        assert_eq!((columns[1].1[0].chars().count(), columns[2].1.len()), (VALUE + 1, 0));
        assert!(head("", None).columns.is_err());
    }
}
