mod numbers;
mod read;
mod write;

use lockgate_model::Limits;

use super::Layout;
use crate::document::Document;
use crate::options::LayoutProblems;

fn json(text: &str) -> Document {
    Document::parse(text.as_bytes(), &Limits::default()).unwrap()
}
fn printed(document: &Document) -> String {
    String::from_utf8(document.print(1 << 30).unwrap()).unwrap()
}
fn layout(text: &str) -> Layout {
    read_layout(text).unwrap()
}
fn read_layout(text: &str) -> Result<Layout, LayoutProblems> {
    Layout::read(json(text).root())
}
/// A layout of these fields alone.
fn of(fields: &str) -> String {
    format!(r#"{{"fields":[{fields}]}}"#)
}

/// Orders: a header, lines and a trailer.
const ORDERS: &str = r#"{
    "line_end": "lf", "empty": "null",
    "records": {
        "header": { "when": { "text": "H" }, "fields": [
            { "name": "date", "start": 2, "kind": "date", "format": "YYYY-MM-DD" },
            { "name": "customer", "width": 8 } ] },
        "line": { "when": { "start": 1, "text": "L" }, "length": 26, "fields": [
            { "name": "article", "start": 3, "width": 6 },
            { "name": "quantity", "width": 5, "kind": "number" },
            { "constant": "EUR" },
            { "name": "price", "width": 8, "kind": "number", "decimals": 2, "sign": "trailing" } ] },
        "trailer": { "fields": [
            { "constant": "T" }, { "name": "lines", "width": 4, "kind": "number", "pad": " " } ] }
    } }"#;

#[test]
fn a_layout_that_cannot_be_is_refused_with_its_member() {
    for (text, told) in [
        ("[]".to_owned(), "/: an object must stand here"),
        ("{}".to_owned(), "/: either fields or records must stand here"),
        (r#"{"fields":[],"records":{}}"#.to_owned(), "/: either fields or records must stand here"),
        (r#"{"feilds":[]}"#.to_owned(), "/feilds: is not known here; known are charset, unit"),
        (r#"{"fields":[]}"#.to_owned(), "/fields: a list of fields must stand here"),
        (r#"{"records":[]}"#.to_owned(), "/records: an object must stand here"),
        (r#"{"records":{}}"#.to_owned(), "/records: must be 1 to 256 record types"),
        (r#"{"records":{"":{}}}"#.to_owned(), "/records/: a record type has a name"),
        (
            r#"{"records":{"a":{"fields":[{"name":"x"}]}}}"#.to_owned(),
            "/records/a/fields/0/width: says how many columns",
        ),
        (
            r#"{"records":{"a":{"fields":[{"name":"x","width":1}]},"b":{"fields":[{"name":"x","width":1}]}}}"#
                .to_owned(),
            "/records/b: `a` takes all records of this type before it",
        ),
        (
            r#"{"records":{"a":{"when":{"start":0},"fields":[]}}}"#.to_owned(),
            "/records/a/when/start: must be a whole number from 1",
        ),
        (r#"{"records":{"a":{"when":{},"fields":[]}}}"#.to_owned(), "/records/a/when/text: a text must stand here"),
        (
            r#"{"records":{"a":{"when":{"text":"x\n"},"fields":[]}}}"#.to_owned(),
            "/records/a/when/text: must stand on one line",
        ),
        (
            r#"{"unit":"bytes","charset":"utf-16le","fields":[{"name":"x","width":1}]}"#.to_owned(),
            "/unit: places in this character set",
        ),
        (r#"{"charset":"ebcdic","fields":[{"name":"x","width":1}]}"#.to_owned(), "/charset: there is no character set"),
        (r#"{"line_end":"\n","fields":[{"name":"x","width":1}]}"#.to_owned(), "/line_end: must be one of"),
        (
            r#"{"short_lines":"skip","fields":[{"name":"x","width":1}]}"#.to_owned(),
            "/short_lines: must be one of refuse, pad",
        ),
        (
            r#"{"length":1,"fields":[{"name":"x","width":2}]}"#.to_owned(),
            "/length: must be a whole number from 2 to 65536",
        ),
        (of(r#"{"name":"x","width":0}"#), "/fields/0/width: must be a whole number from 1 to 65536"),
        (of(r#"{"name":"x","width":65537}"#), "/fields/0/width: must be a whole number"),
        (of(r#"{"name":"x","width":65536},{"name":"y","width":1}"#), "/fields: a record has at most 65536 columns"),
        (of(r#"{"width":1}"#), "/fields/0/name: a field has a name"),
        (
            of(r#"{"name":"x","width":2},{"name":"y","start":2,"width":1}"#),
            "/fields/1/start: the field before it ends with column 2",
        ),
        (of(r#"{"name":"x","width":2},{"name":"x","width":1}"#), "/fields/1/name: the record has a field of this name"),
        (of(r#"{"name":"x","width":2,"kind":"packed"}"#), "/fields/0/kind: must be one of text, number, date, filler"),
        (of(r#"{"name":"x","width":2,"decimals":1}"#), "/fields/0/decimals: does not go with this kind of field"),
        (of(r#"{"name":"x","width":2,"kind":"filler"}"#), "/fields/0/name: does not go with this kind of field"),
        (of(r#"{"constant":"ab","width":1}"#), "/fields/0/width: must be a whole number from 2"),
        (of(r#"{"constant":"ab","kind":"text"}"#), "/fields/0/kind: a constant is of no kind"),
        (of(r#"{"name":"x","kind":"date"}"#), "/fields/0/format: says how the date is written"),
        (of(r#"{"name":"x","kind":"date","format":"YYYY","width":5}"#), "/fields/0/width: is that of the format"),
        (of(r#"{"name":"x","width":2,"pad":"ab"}"#), "/fields/0/pad: must be one character"),
        (of(r#"{"name":"x","width":2,"pad":""}"#), "/fields/0/pad: must be one character"),
        (
            of(r#"{"name":"x","width":2,"kind":"number","decimals":3}"#),
            "/fields/0/decimals: must be a whole number from 0 to 2",
        ),
        (of(r#"{"name":"x","width":2,"kind":"number","pad":"1"}"#), "/fields/0/pad: stands in numbers"),
        (
            of(r#"{"name":"x","width":2,"kind":"number","pad":"0","align":"left"}"#),
            "/fields/0/pad: zeros behind a number",
        ),
        (of(r#"{"name":"x","width":2,"kind":"number","pad":",","point":","}"#), "/fields/0/pad: stands in numbers"),
        (
            of(r#"{"name":"x","width":2,"kind":"number","sign":"trailing","align":"left"}"#),
            "/fields/0/align: a sign in the last column",
        ),
        (of(r#"{"name":"x","width":2,"kind":"number","plus":true}"#), "/fields/0/plus: there is no place for it"),
        (
            of(r#"{"name":"x","width":2,"kind":"number","point":".","sign":"overpunch-leading"}"#),
            "/fields/0/point: does not go with",
        ),
        (
            r#"{"unit":"bytes","fields":[{"name":"x","width":2,"pad":"é"}]}"#.to_owned(),
            "/fields/0/pad: must be one byte",
        ),
        (
            r#"{"charset":"windows-1252","fields":[{"constant":"ж"}]}"#.to_owned(),
            "/fields/0/constant: a character of the text does not exist",
        ),
    ] {
        let problem = read_layout(&text).unwrap_err().to_string();
        assert!(problem.starts_with(told), "{text}: {problem}");
    }
}

#[test]
fn all_that_is_wrong_with_a_layout_is_told_at_once() {
    let told = |text: &str| {
        let told = read_layout(text).unwrap_err().0;
        told.into_iter().map(|problem| problem.pointer).collect::<Vec<_>>()
    };
    // What a mistyped member is meant for is not missing besides.
    assert_eq!(told(r#"{"feilds":[]}"#), ["/feilds"]);
    assert_eq!(told(&of(r#"{"name":"a","widht":2}"#)), ["/fields/0/widht"]);
    let text = r#"{"charset":"ebcdic","unit":"words","records":{
        "a":{"when":{"txt":"A"},"fields":[{"name":"x","width":0},{"name":"y","width":2},{"name":"y","start":9,"width":1}]},
        "b":{"fields":[{"name":"z","width":2},{"name":"z","width":2},{"nmae":"q","width":1},{"name":"r","kind":"numbr","width":1}]},
        "c":7, "d":{"fields":[{"name":"x","width":2},{"name":"y","start":2,"width":1},{"name":"v","width":1}]}}}"#;
    assert_eq!(
        told(text),
        [
            "/charset",
            "/unit",
            "/records/a/when/txt",
            "/records/a/fields/0/width",
            "/records/b/fields/1/name",
            "/records/b/fields/2/nmae",
            "/records/b/fields/3/kind",
            "/records/c",
            "/records/d/fields/1/start",
        ]
    );
}

#[test]
fn fields_fill_a_record_without_gaps() {
    let layout = layout(ORDERS);
    for kind in &layout.types {
        let mut end = 0;
        for field in &kind.fields {
            assert_eq!(field.start, end, "{}", kind.name);
            end += field.width;
        }
        assert_eq!(end, kind.length, "{}", kind.name);
    }
    let lengths: Vec<usize> = layout.types.iter().map(|kind| kind.length).collect();
    assert_eq!(lengths, [19, 26, 5]);
}
