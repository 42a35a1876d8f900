use lockgate_model::Limits;

use super::dialect;
use crate::csv::{COLUMNS_MAX, CsvReader, Dialect, FIELD_BYTES_MAX, RECORD_BYTES_MAX, read_all};
use crate::format::{FormatError, RecordReader};

const PIECE: usize = 64 << 10;

/// Reads `pieces` times this piece after the start of a text; all memory it holds stays below the limit
/// of a record and a buffer's doubling.
fn flood(options: &str, start: &[u8], piece: &[u8], pieces: usize) -> Result<u64, FormatError> {
    let mut reader = CsvReader::new(&dialect(options), &Limits::default());
    reader.push(start);
    let mut records = 0;
    for _ in 0..pieces {
        reader.push(piece);
        while reader.next()?.is_some() {
            records += 1;
        }
        assert!(reader.held() <= 2 * (RECORD_BYTES_MAX + PIECE), "{} bytes are held", reader.held());
    }
    Ok(records)
}

#[test]
fn a_line_without_end_ends_in_a_limit() {
    let gigabyte = (1 << 30) / PIECE;
    for (options, start, byte, offset) in [
        ("{}", &b"a\n"[..], b'x', 2 + FIELD_BYTES_MAX),
        ("{}", b"a\n\"", b'x', 3 + FIELD_BYTES_MAX),
        ("{}", b"a\n\"", b'\n', 3 + FIELD_BYTES_MAX),
        ("{}", b"a\n\"", b'"', 3 + FIELD_BYTES_MAX),
        ("{}", b"a\n", b',', 2 + COLUMNS_MAX),
        (r#"{"trim":true}"#, b"a\n", b' ', 2 + RECORD_BYTES_MAX),
        (r#"{"trim":true}"#, b"a\n\"\"", b' ', 2 + RECORD_BYTES_MAX),
        (r#"{"charset":"windows-1252"}"#, b"a\n", 0x80, 2 + FIELD_BYTES_MAX / 3),
    ] {
        let error = flood(options, start, &vec![byte; PIECE], gigabyte).unwrap_err();
        assert_eq!((error.code(), error.record()), ("LG-CSV-LIMIT", Some(1)), "{byte}");
        assert!((offset..offset + 2).contains(&(error.offset() as usize)), "{byte}: {}", error.offset());
    }
    let (fields, error) = ("x".repeat(PIECE - 1) + ",", "a record has more");
    let found = flood(r#"{"header":"arrays"}"#, b"", fields.as_bytes(), gigabyte).unwrap_err();
    assert!(found.message().starts_with(error) && found.offset() == RECORD_BYTES_MAX as u64, "{found}");
}

#[test]
fn the_limit_is_the_same_however_the_text_is_cut() {
    let text = [b"a\n".to_vec(), vec![b'x'; FIELD_BYTES_MAX + 1]].concat();
    let whole = read_all(&text, &Dialect::default(), &Limits::default()).unwrap_err();
    assert_eq!(flood("{}", b"a\n", &vec![b'x'; PIECE], 100).unwrap_err(), whole);
    // One byte less is a field.
    let just = read_all(&text[..text.len() - 1], &Dialect::default(), &Limits::default()).unwrap();
    assert_eq!(just.root().at(0).get("a").as_str().unwrap().len(), FIELD_BYTES_MAX);
}

#[test]
fn many_columns_are_refused_and_as_many_as_may_be_are_read() {
    let header: Vec<String> = (0..COLUMNS_MAX).map(|n| format!("c{n}")).collect();
    let text = format!("{0}\n{0}\n", header.join(","));
    let document = read_all(text.as_bytes(), &Dialect::default(), &Limits::default()).unwrap();
    assert_eq!(document.root().at(0).get("c16383").as_str(), Some("c16383"));
    let million = vec![b','; 1_000_000];
    let error = read_all(&million, &Dialect::default(), &Limits::default()).unwrap_err();
    assert_eq!((error.code(), error.offset()), ("LG-CSV-LIMIT", COLUMNS_MAX as u64));
}

#[test]
fn comments_and_empty_lines_are_not_held() {
    let pieces = (64 << 20) / PIECE;
    assert_eq!(flood(r##"{"comment":"#"}"##, b"a\n#", &[b'x'; PIECE], pieces).unwrap(), 0);
    assert_eq!(flood("{}", b"a\n", &[b'\n'; PIECE], pieces).unwrap(), 0);
}

#[test]
fn memory_is_flat_over_many_records() {
    let lines = "1,2\n".repeat(PIECE / 4);
    assert_eq!(flood("{}", b"a,b\n", lines.as_bytes(), 4).unwrap(), PIECE as u64);
}

#[test]
fn a_record_and_a_table_are_held_to_the_arena() {
    let limits = Limits { arena_bytes_max: 100_000, ..Limits::default() };
    let text = format!("a\n{}\n", "x".repeat(100_000));
    let mut reader = CsvReader::new(&Dialect::default(), &limits);
    reader.push(text.as_bytes());
    assert_eq!(reader.next().unwrap_err().code(), "LG-ARENA-FULL");
    let text = format!("a\n{}", "x\n".repeat(100_000));
    let error = read_all(text.as_bytes(), &Dialect::default(), &limits).unwrap_err();
    assert_eq!(error.code(), "LG-ARENA-FULL");
    // Record by record they are no trouble.
    let mut reader = CsvReader::new(&Dialect::default(), &limits);
    reader.push(text.as_bytes());
    let mut records = 0;
    while reader.next().unwrap().is_some() {
        records += 1;
    }
    assert_eq!(records, 100_000);
}

#[test]
fn a_batch_ends_where_it_is_large() {
    let text = format!("a\n{}", format!("{}\n", "x".repeat(10_000)).repeat(10));
    let mut reader = CsvReader::new(&Dialect::default(), &Limits::default());
    reader.push(text.as_bytes());
    let mut sizes = Vec::new();
    while let Some(batch) = reader.batch(1_000).unwrap() {
        sizes.push(batch.root().len());
    }
    assert_eq!(sizes, [2; 5]);
}
