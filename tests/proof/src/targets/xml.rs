//! XML that is accepted is written, read again as the same, and its records come as they do at once.

use lockgate_document::{
    RecordReader,
    xml::{self, XmlOptions, XmlRecordReader},
};

/// One document.
///
/// # Panics
/// When what was written is read otherwise, or a cut changes what records there are.
pub fn target(data: &[u8]) {
    let (limits, options) = (super::small(), XmlOptions::default());
    if let Ok(document) = xml::read(data, &options, &limits) {
        let mut written = Vec::new();
        // A value can be longer than the text that it came from: its names repeat.
        if let Err(error) = xml::write(document.root(), &options, &mut written) {
            assert_eq!(error.code(), "LG-XML-LIMIT", "read, not written: {error}");
        } else {
            let again = xml::read(&written, &options, &limits).unwrap_or_else(|e| panic!("written, not read: {e}"));
            assert!(again == document, "read otherwise");
        }
    }
    let reader = || XmlRecordReader::new("a/b", &options, &limits).unwrap_or_else(|e| panic!("{e}"));
    super::cut_alike(data, || Box::new(reader()) as Box<dyn RecordReader>);
}
