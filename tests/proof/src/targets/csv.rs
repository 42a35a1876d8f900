//! A table that is accepted is written, read again as the same, and its rows come as they do at once.

use lockgate_document::{
    CsvReader, Document, RecordReader,
    csv::{self, Dialect},
};

const DIALECTS: [&str; 4] = [
    "{}",
    r#"{"delimiter": "semicolon", "escape": "backslash", "header": "numbers", "empty": "null", "trim": true}"#,
    r##"{"delimiter": "tab", "quote": "none", "header": "arrays", "comment": "#"}"##,
    r#"{"delimiter": "pipe", "header": ["a", "b"], "numbers": ["b"], "charset": "windows-1252", "line_end": "crlf"}"#,
];

/// The dialect's number in the first byte, and a table.
///
/// # Panics
/// When what was written is read otherwise, or a cut changes what rows there are.
pub fn target(data: &[u8]) {
    let Some((first, table)) = data.split_first() else { return };
    let limits = super::small();
    let json = DIALECTS[usize::from(*first) % DIALECTS.len()];
    let described = Document::parse(json.as_bytes(), &limits).unwrap_or_else(|e| panic!("{e}"));
    let dialect = Dialect::read(described.root()).unwrap_or_else(|e| panic!("{e}"));
    if let Ok(rows) = csv::read_all(table, &dialect, &limits) {
        match csv::write_all(rows.root(), &dialect) {
            Ok(written) => {
                let again = csv::read_all(&written, &dialect, &limits);
                let again = again.unwrap_or_else(|e| panic!("written, not read: {e}"));
                assert!(again == rows, "read otherwise");
            }
            // A line that is an array, a field that must be quoted without quotes, a record that is no line.
            Err(error) => {
                let known = ["LG-CSV-RECORD", "LG-CSV-VALUE", "LG-CSV-COLUMN"].contains(&error.code());
                assert!(known, "read, not written: {error}");
            }
        }
    }
    super::cut_alike(table, || Box::new(CsvReader::new(&dialect, &limits)) as Box<dyn RecordReader>);
}
