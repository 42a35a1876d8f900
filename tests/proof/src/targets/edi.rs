//! An interchange that is accepted is written, read again as the same, and its messages come as they do
//! at once.

use lockgate_document::{
    RecordReader,
    edi::{self, Dialect, Reader},
};

/// One interchange, X12 or EDIFACT.
///
/// # Panics
/// When what was written is read otherwise, or a cut changes what messages there are.
pub fn target(data: &[u8]) {
    let (limits, dialect) = (super::small(), Dialect::default());
    if let Ok(interchange) = edi::read(data, &dialect, &limits) {
        let mut written = Vec::new();
        let write = edi::write(interchange.root(), &dialect, &mut written);
        write.unwrap_or_else(|e| panic!("read, not written: {e}"));
        let again = edi::read(&written, &dialect, &limits).unwrap_or_else(|e| panic!("written, not read: {e}"));
        assert!(again == interchange, "read otherwise");
    }
    super::cut_alike(data, || Box::new(Reader::new(dialect.clone(), &limits)) as Box<dyn RecordReader>);
}
