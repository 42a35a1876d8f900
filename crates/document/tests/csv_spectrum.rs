//! The cases of csv-spectrum, a package of CSV files with the records that they stand for.
//!
//! All twelve are read with `quotes: lenient`, and eleven of them as they are. In `location_coordinates`
//! quotes stand within a field that does not begin with one, which RFC 4180 does not have: by default it is
//! refused. Its records are of one object, with another telephone number than the file has.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use std::{fs, path::Path};

use lockgate_document::{
    Document,
    csv::{Dialect, read_all, write_all},
};
use lockgate_model::Limits;

fn bytes(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
fn json(bytes: &[u8]) -> Document {
    Document::parse(bytes, &Limits::default()).unwrap()
}
fn text(document: &Document) -> String {
    String::from_utf8(document.print(1 << 20).unwrap()).unwrap()
}

#[test]
fn every_case_gives_its_records_and_comes_back_after_writing() {
    let Some(package) = lockgate_testkit::npm_data("csv-spectrum") else { return };
    let limits = Limits::default();
    let lenient = Dialect::read(json(br#"{"quotes":"lenient"}"#).root()).unwrap();
    let mut cases = 0;
    for entry in fs::read_dir(package.join("csvs")).unwrap() {
        let path = entry.unwrap().path();
        let (name, file) = (path.file_stem().unwrap().to_str().unwrap(), bytes(&path));
        let mut expected = json(&bytes(&package.join("json").join(format!("{name}.json"))));
        let mut dialect = Dialect::default();
        if name == "location_coordinates" {
            let error = read_all(&file, &dialect, &limits).unwrap_err();
            assert_eq!((error.code(), error.offset(), error.record()), ("LG-CSV-QUOTE", 81, Some(1)));
            dialect = lenient.clone();
            let fixed = text(&expected).replace("\"1234567890\"", "\"2095257564\"");
            expected = json(format!("[{fixed}]").as_bytes());
        }
        let found = read_all(&file, &dialect, &limits).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(text(&found), text(&expected), "{name}");
        let found = read_all(&file, &lenient, &limits).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(text(&found), text(&expected), "{name}, lenient");
        let written = write_all(found.root(), &dialect).unwrap();
        assert_eq!(text(&read_all(&written, &dialect, &limits).unwrap()), text(&expected), "{name}");
        cases += 1;
    }
    assert_eq!(cases, 12);
}
