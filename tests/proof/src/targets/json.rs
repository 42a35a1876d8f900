//! JSON that is accepted is printed, read again as the same, and printed as the same.

use lockgate_document::{Document, Duplicates, ParseOptions};
use lockgate_model::Limits;

/// One text.
///
/// # Panics
/// When what was printed is read otherwise.
pub fn target(data: &[u8]) {
    let limits = Limits { arena_bytes_max: 8 << 20, ..Limits::default() };
    let mut printed = Vec::new();
    for duplicates in [Duplicates::Refuse, Duplicates::Last] {
        let options = ParseOptions { duplicates };
        let document = match Document::parse_with(data, &limits, options) {
            Ok(document) => document,
            Err(error) => {
                assert!(error.offset() <= data.len(), "{} at {}", error.code(), error.offset());
                continue;
            }
        };
        let text = document.print(1 << 20).expect("what was read fits");
        assert!(std::str::from_utf8(&text).is_ok(), "what was printed is no UTF-8");
        let again = Document::parse(&text, &limits).unwrap_or_else(|e| panic!("{}: printed, and not read", e.code()));
        assert_eq!(again.print(1 << 20).expect("it fits"), text, "read otherwise");
        printed.push(text);
    }
    // Without a key twice both ways are one.
    if let [refusing, last] = printed.as_slice() {
        assert_eq!(refusing, last);
    }
}
