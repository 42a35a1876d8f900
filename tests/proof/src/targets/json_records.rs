//! Records of JSON come as the document has them, however the input was cut, and JSON Lines as the
//! texts between its line ends are.

use lockgate_document::{Document, Duplicates, FormatError, JsonLines, JsonRecords, Kind, ParseOptions, RecordReader};

/// One text.
///
/// # Panics
/// When records are other than the document's, or a cut changes what there is.
pub fn target(data: &[u8]) {
    let limits = super::small();
    for duplicates in [Duplicates::Refuse, Duplicates::Last] {
        let options = ParseOptions { duplicates };
        for path in [&[][..], &["a"], &["a", "b"]] {
            let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
            let reader = || Box::new(JsonRecords::new(path.clone(), &limits, options)) as Box<dyn RecordReader>;
            super::cut_alike(data, reader);
        }
        super::cut_alike(data, || Box::new(JsonLines::new(&limits, options)) as Box<dyn RecordReader>);

        let whole = Document::parse_with(data, &limits, options);
        match (whole, records(JsonRecords::new(Vec::new(), &limits, options), data)) {
            (Ok(document), Ok(records)) => {
                let root = document.root();
                let same = match root.kind() {
                    Kind::Array => {
                        root.len() == records.len() && root.items().zip(&records).all(|(a, b)| a == b.root())
                    }
                    _ => records.len() == 1 && records.iter().all(|record| record.root() == root),
                };
                assert!(same, "{} records of a document of {}", records.len(), root.len());
            }
            (Err(_), Err(_)) => {}
            (Ok(_), Err(error)) => panic!("the document is read, its records are not: {error}"),
            (Err(error), Ok(records)) => panic!("{} records of what is no document: {}", records.len(), error.code()),
        }
    }
}

fn records(mut reader: JsonRecords, data: &[u8]) -> Result<Vec<Document>, FormatError> {
    let mut records = Vec::new();
    reader.push(data);
    reader.end();
    while let Some(record) = reader.next()? {
        records.push(record);
    }
    Ok(records)
}
