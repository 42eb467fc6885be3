use std::io::Cursor;

use proptest::prelude::*;

use super::*;

fn rows(bytes: impl Into<Vec<u8>>) -> (Vec<String>, Vec<Row>) {
    let rows = Rows::open(Cursor::new(bytes.into()), None).unwrap();
    (rows.head().to_vec(), rows.collect())
}

fn cells(rows: &[Row]) -> Vec<Vec<String>> {
    rows.iter().map(|row| row.cells.clone().unwrap()).collect()
}

#[test]
fn a_file_is_read_whatever_wrote_it() {
    let utf16 = |text: &str| -> Vec<u8> {
        [vec![0xff, 0xfe], text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat()
    };
    for bytes in [
        b"name,city\nJos\xc3\xa9,\"Paris, France\"\n".to_vec(),
        b"\xef\xbb\xbfname,city\r\nJos\xc3\xa9,\"Paris, France\"\r\n".to_vec(),
        "name;city\nJosé;Paris, France".as_bytes().to_vec(),
        "name\tcity\nJosé\tParis, France".as_bytes().to_vec(),
        utf16("name,city\r\nJosé,\"Paris, France\"\r\n"),
    ] {
        let (head, found) = rows(bytes);
        assert_eq!(head, ["name", "city"]);
        assert_eq!(cells(&found), [["José", "Paris, France"]]);
    }
    let latin = Cursor::new(b"name\nJos\xe9\n".to_vec());
    let found: Vec<Row> = Rows::open(latin, Some(encoding_rs::WINDOWS_1252)).unwrap().collect();
    assert_eq!(cells(&found), [["José"]]);
}

#[test]
fn a_bad_row_is_told_by_its_line_and_the_others_are_read() {
    let (_, found) = rows(b"name,city\nAda,London\nB,C,D\n\"two\nlines\",x\nJos\xe9,y\nShort\nLast,,,\n".to_vec());
    let lines: Vec<u64> = found.iter().map(|row| row.line).collect();
    assert_eq!(lines, [2, 3, 4, 6, 7, 8]);
    assert_eq!(found[1].cells.as_ref().unwrap_err().problem, "has 3 cells, and the first row 2 names");
    assert!(found[3].cells.as_ref().unwrap_err().problem.contains("windows-1252"));
    assert_eq!(found[4].cells, Ok(vec!["Short".to_owned()]));
    assert_eq!(found[2].cells.as_ref().unwrap()[0], "two\nlines");
    assert!(found[5].cells.is_ok(), "empty cells behind the last column are nothing");
}

#[test]
fn a_quote_that_is_not_closed_takes_no_memory() {
    let endless = b"name\nAda\n\"".chain(std::io::repeat(b'x'));
    let found: Vec<Row> = Rows::open(endless, None).unwrap().collect();
    assert_eq!(found.len(), 2);
    assert!(found[1].cells.as_ref().err().unwrap().problem.contains("a quote that is not closed"));
}

#[test]
fn a_quote_that_is_not_closed_takes_no_other_row() {
    let rows_of = |text: &str| {
        let (_, found) = rows(text.as_bytes().to_vec());
        let row = |row: Row| (row.line, row.cells.map_err(|wrong| wrong.problem.contains("quote that is not closed")));
        found.into_iter().map(row).collect::<Vec<_>>()
    };
    let good = |line, cells: &[&str]| (line, Ok(cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>()));
    let bad = |line| (line, Err(true));
    for end in ["\n", "\r\n", "\r"] {
        let text = ["email,notes", "a@x,\"said hello", "b@x,1", "c@x,2", ""].join(end);
        assert_eq!(rows_of(&text), [bad(2), good(3, &["b@x", "1"]), good(4, &["c@x", "2"])], "{end:?}");
        let text = ["email,notes", "a@x,1", "b@x,\"open"].join(end);
        assert_eq!(rows_of(&text), [good(2, &["a@x", "1"]), bad(3)], "{end:?}");
        // One that a later quote closes is a cell of several lines, whatever its author meant.
        let text = ["email,notes", "a@x,\"two", "lines\"", "b@x,\"\"\"q\"\"\""].join(end);
        let two = format!("two{end}lines");
        assert_eq!(rows_of(&text), [good(2, &["a@x", &two]), good(4, &["b@x", "\"q\""])], "{end:?}");
    }
    // A megabyte of rows behind it, and then more than a megabyte.
    for count in [1_000, 66_000] {
        let text = format!("email,notes\na@x,\"open\n{}", "somebody@x,text\n".repeat(count));
        let (_, found) = rows(text.into_bytes());
        assert_eq!((found.len(), found.iter().filter(|row| row.cells.is_err()).count()), (count + 1, 1));
        assert_eq!(found.last().unwrap().line, count as u64 + 2);
    }
}

proptest! {
    #[test]
    fn rows_are_those_that_the_reader_of_cells_finds(text in "[ab\"\"\n\r,]{0,60}") {
        let text = format!("a,b,c,d,e,f,g,h\n{text}\"\n");
        let mut reader = csv::ReaderBuilder::new().has_headers(true).flexible(true).from_reader(text.as_bytes());
        let expected: Vec<Vec<String>> = reader
            .records()
            .map(|record| record.unwrap().iter().map(str::to_owned).collect())
            .filter(|cells: &Vec<String>| cells.len() <= 8)
            .collect();
        let (_, found) = rows(text.into_bytes());
        // Where a quote stays open there are more rows.
        if found.iter().all(|row| row.cells.as_ref().err().is_none_or(|wrong| !wrong.problem.contains("quote"))) {
            let cells: Vec<Vec<String>> = found.into_iter().filter_map(|row| row.cells.ok()).filter(|cells| cells.len() <= 8).collect();
            prop_assert_eq!(cells, expected);
        }
    }
}

#[test]
fn a_line_that_is_too_long_is_refused_and_the_next_is_read() {
    for long in ["x".repeat(1_100_000), format!("\"{}\"", "x".repeat(1_100_000))] {
        let (_, found) = rows(format!("email,name\na@x,ok\nb@x,{long}\nc@x,ok\n").into_bytes());
        let lines: Vec<(u64, bool)> = found.iter().map(|row| (row.line, row.cells.is_ok())).collect();
        assert_eq!(lines, [(2, true), (3, false), (4, true)]);
        assert!(found[1].cells.as_ref().err().unwrap().problem.contains("longer than 1024 KB"));
    }
}

#[test]
fn a_file_without_columns_is_refused() {
    for bytes in [&b""[..], b"\n", b",,\n1,2,3\n", b"e\0m\0a\0i\0l\0\n\0"] {
        assert!(Rows::open(Cursor::new(bytes.to_vec()), None).is_err(), "{bytes:?}");
    }
    for workbook in [&b"PK\x03\x04\x14\0\x06\0"[..], b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"] {
        for encoding in [None, Some(encoding_rs::WINDOWS_1252)] {
            let refused = Rows::open(Cursor::new(workbook.to_vec()), encoding).err().unwrap();
            assert!(refused.contains("save its sheet as CSV"), "{refused}");
        }
    }
}

#[test]
fn what_is_written_is_read_again_and_is_no_formula() {
    let row = ["=1+1", "+14155550123", "'=A", "''@x", "'quoted'", "a\"b,c\nd", ""];
    let mut bytes = Vec::new();
    let mut file = Cells::new(&mut bytes);
    file.write(["a", "b", "c", "d", "e", "f", "g"]).unwrap();
    file.write(row).unwrap();
    file.finish().unwrap();
    assert!(bytes.windows(5).any(|part| part == b"'=1+1"));
    assert_eq!(cells(&rows(bytes).1), [row]);
}

#[test]
fn a_number_is_no_formula_and_all_else_that_begins_like_one_is() {
    let written = |cell: &str| {
        let text = String::from_utf8(to_bytes([[cell]])).unwrap();
        text.trim_end_matches("\r\n").trim_matches('"').to_owned()
    };
    for number in ["+14155550123", "-1", "-12.50"] {
        assert_eq!(written(number), number);
    }
    for formula in
        ["+", "-", "-1-1", "+1+cmd|' /C calc'!A0", "=1", "@x", "+1.2.3", "+.5", "-5.", "+1e5", "\t1", "\r+1", "'+1"]
    {
        assert_eq!(written(formula), format!("'{formula}"), "{formula:?}");
        assert_eq!(cells(&rows(to_bytes([["a"], [formula]])).1), [[formula]], "{formula:?}");
    }
}
