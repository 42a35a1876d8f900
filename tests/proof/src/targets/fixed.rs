//! A file of fixed width that is accepted is written, read again as the same, and its records come as
//! they do at once.

use lockgate_document::{
    Document, FixedReader, RecordReader,
    fixed::{self, Layout},
};

const LAYOUTS: [&str; 2] = [
    r#"{"fields": [{"name": "a", "width": 3}, {"name": "b", "width": 4, "kind": "number", "decimals": 2}]}"#,
    r#"{"unit": "bytes", "line_end": "none", "fields": [{"name": "a", "width": 2}, {"name": "b", "width": 3}]}"#,
];

/// The layout's number in the first byte, and a file.
///
/// # Panics
/// When what was written is read otherwise, or a cut changes what records there are.
pub fn target(data: &[u8]) {
    let Some((first, file)) = data.split_first() else { return };
    let limits = super::small();
    let json = LAYOUTS[usize::from(*first) % LAYOUTS.len()];
    let described = Document::parse(json.as_bytes(), &limits).unwrap_or_else(|e| panic!("{e}"));
    let layout = Layout::read(described.root()).unwrap_or_else(|e| panic!("{e}"));
    if let Ok(records) = fixed::read_all(file, &layout, &limits) {
        let written = fixed::write_all(records.root(), &layout).unwrap_or_else(|e| panic!("read, not written: {e}"));
        let again = fixed::read_all(&written, &layout, &limits).unwrap_or_else(|e| panic!("written, not read: {e}"));
        assert!(again == records, "read otherwise");
    }
    super::cut_alike(file, || Box::new(FixedReader::new(&layout, &limits)) as Box<dyn RecordReader>);
}
