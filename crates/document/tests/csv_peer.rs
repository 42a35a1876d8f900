//! Beside the crate `csv`: what it reads we read alike or refuse, and what we write it reads alike.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use lockgate_document::{
    Document,
    csv::{Dialect, read_all, write_all},
};
use lockgate_model::Limits;
use proptest::prelude::*;

/// Records of texts, as the peer reads a table without a header; none when it refuses it.
fn peer(text: &str) -> Option<Vec<Vec<String>>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let records = reader.records().map(|record| Some(record.ok()?.iter().map(str::to_owned).collect()));
    records.collect()
}
fn ours(text: &str) -> Option<Vec<Vec<String>>> {
    let options = Document::parse(br#"{"header":"numbers"}"#, &Limits::default()).unwrap();
    let document = read_all(text.as_bytes(), &Dialect::read(options.root()).unwrap(), &Limits::default()).ok()?;
    let fields = |record: lockgate_document::Node<'_>| {
        record.entries().map(|(_, field)| field.as_str().unwrap().to_owned()).collect()
    };
    Some(document.root().items().map(fields).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]
    #[test]
    fn what_we_read_the_peer_reads_alike(text in "[ab,\"\n\r é]{0,24}") {
        if let Some(records) = ours(&text) {
            prop_assert_eq!(peer(&text), Some(records), "{:?}", text);
        }
    }

    #[test]
    fn what_we_write_the_peer_reads_alike(
        rows in prop::collection::vec(("[ab,\"\n\r ;é]{0,8}", "[ab,\"\n\r ;é]{0,8}"), 1..6),
        always: bool,
    ) {
        let quoted = |text: &str| serde_json::to_string(text).unwrap();
        let records: Vec<String> = rows.iter().map(|(a, b)| format!("[{},{}]", quoted(a), quoted(b))).collect();
        let records = Document::parse(format!("[{}]", records.join(",")).as_bytes(), &Limits::default()).unwrap();
        let quoting = if always { "always" } else { "needed" };
        let options = format!(r#"{{"header":"arrays","quoting":"{quoting}"}}"#);
        let options = Document::parse(options.as_bytes(), &Limits::default()).unwrap();
        let written = write_all(records.root(), &Dialect::read(options.root()).unwrap()).unwrap();
        let written = String::from_utf8(written).unwrap();
        let expected: Vec<Vec<String>> = rows.iter().map(|(a, b)| vec![a.clone(), b.clone()]).collect();
        prop_assert_eq!(peer(&written), Some(expected), "{:?}", written);
    }
}
