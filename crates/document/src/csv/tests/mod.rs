mod hostile;
mod read;
mod write;

use lockgate_model::Limits;
use proptest::prelude::*;

use super::Dialect;
use crate::document::Document;
use crate::options::LayoutProblems;

fn json(text: &str) -> Document {
    Document::parse(text.as_bytes(), &Limits::default()).unwrap()
}
fn printed(document: &Document) -> String {
    String::from_utf8(document.print(1 << 30).unwrap()).unwrap()
}
fn dialect(options: &str) -> Dialect {
    read(options).unwrap()
}
fn read(options: &str) -> Result<Dialect, LayoutProblems> {
    Dialect::read(json(options).root())
}

#[test]
fn a_dialect_that_cannot_be_is_refused_with_its_member() {
    for (options, told) in [
        (r#"[]"#, "/: an object must stand here"),
        (r#"{"delimter":";"}"#, "/delimter: is not known here; known are delimiter, quote"),
        (r#"{"delimiter":"ab"}"#, "/delimiter: must be one ASCII sign, or comma"),
        (r#"{"delimiter":""}"#, "/delimiter: must be one ASCII sign"),
        (r#"{"delimiter":"é"}"#, "/delimiter: must be one ASCII sign"),
        (r#"{"delimiter":"e"}"#, "/delimiter: must be one ASCII sign"),
        (r#"{"delimiter":"1"}"#, "/delimiter: must be one ASCII sign"),
        (r#"{"delimiter":"-"}"#, "/delimiter: must be one ASCII sign"),
        (r#"{"delimiter":"\n"}"#, "/delimiter: must be one ASCII sign"),
        (r#"{"delimiter":"\u0000"}"#, "/delimiter: must be one ASCII sign"),
        (r#"{"delimiter":1}"#, "/delimiter: must be a text"),
        (r#"{"delimiter":"\""}"#, "/quote: the same sign has another meaning already"),
        (r#"{"delimiter":"\\","escape":"backslash"}"#, "/escape: the same sign has another meaning already"),
        (r#"{"quote":"\\","escape":"backslash"}"#, "/escape: the same sign has another meaning already"),
        (r#"{"comment":","}"#, "/comment: the same sign has another meaning already"),
        (r#"{"comment":" "}"#, "/comment: must be one ASCII sign"),
        (r#"{"quote":"\t"}"#, "/quote: must be one ASCII sign"),
        (r#"{"quote":"comma"}"#, "/quote: must be one ASCII sign"),
        (r#"{"quotes":"ignore"}"#, "/quotes: must be one of strict, lenient"),
        (r#"{"quotes":"lenient","quote":"none"}"#, "/quotes: there is no quote"),
        (r#"{"escape":"quote"}"#, "/escape: must be one of doubled, backslash"),
        (r#"{"header":true}"#, "/header: must be line, numbers, arrays or a list of names"),
        (r#"{"header":[]}"#, "/header: must be 1 to 16384 names"),
        (r#"{"header":["a",1]}"#, "/header: must be a list of texts"),
        (r#"{"header":["a","b","a"]}"#, "/header: name 3 is there twice"),
        (r#"{"header":["a",""]}"#, "/header: name 2 is empty"),
        (r#"{"trim":"yes"}"#, "/trim: must be true or false"),
        (r#"{"trim":true,"delimiter":"\t"}"#, "/trim: blanks are cut off or divide fields"),
        (r#"{"trim":true,"delimiter":"space"}"#, "/trim: blanks are cut off or divide fields"),
        (r#"{"line_end":"\n"}"#, "/line_end: must be one of any, crlf, lf, cr"),
        (r#"{"empty":""}"#, "/empty: must be one of text, null, absent"),
        (r#"{"empty":"absent","header":"arrays"}"#, "/empty: an array has no absent items"),
        (r#"{"numbers":"a"}"#, "/numbers: must be a list of texts"),
        (r#"{"header":["a"],"numbers":["b"]}"#, "/numbers: there is no column `b`"),
        (r#"{"header":"arrays","numbers":["0"]}"#, "/numbers: there is no column `0`"),
        (r#"{"header":"numbers","numbers":["01"]}"#, "/numbers: there is no column `01`"),
        (r#"{"header":"numbers","numbers":["16385"]}"#, "/numbers: there is no column `16385`"),
        (r#"{"charset":"latin-9000"}"#, "/charset: there is no character set of this name"),
        (r#"{"mark":true,"charset":"windows-1252"}"#, "/mark: this character set has no byte order mark"),
        (r#"{"quoting":"always","quote":"none"}"#, "/quoting: there is no quote"),
    ] {
        let problem = read(options).unwrap_err().to_string();
        assert!(problem.starts_with(told), "{options}: {problem}");
    }
}

#[test]
fn all_that_is_wrong_with_a_dialect_is_told_at_once() {
    for (options, pointers) in [
        (
            r#"{"delimeter":";","trim":"yes","escape":"quote","hedaer":[],"numbers":1}"#,
            &["/delimeter", "/hedaer", "/escape", "/trim", "/numbers"][..],
        ),
        (
            r#"{"quote":"none","quoting":"always","quotes":"lenient","comment":","}"#,
            &["/comment", "/quoting", "/quotes"],
        ),
        // Whether the members agree is not known before all can be read.
        (r#"{"quote":"none","quoting":"always","header":7}"#, &["/header"]),
    ] {
        let told = read(options).unwrap_err().0;
        assert_eq!(told.iter().map(|problem| problem.pointer.as_str()).collect::<Vec<_>>(), pointers, "{options}");
    }
}

#[test]
fn the_default_is_rfc_4180() {
    assert_eq!(dialect("{}"), Dialect::default());
    assert_eq!(Dialect::read(Document::undefined().root()).unwrap(), Dialect::default());
    assert_eq!(dialect(r#"{"delimiter":"semicolon","empty":null}"#), dialect(r#"{"delimiter":";","empty":"null"}"#));
}

/// Dialects of all kinds, as options.
fn dialects() -> impl Strategy<Value = String> {
    let signs = prop::sample::select(vec![",", ";", "tab", "|", "space", "\\u0001"]);
    let quotes = prop::sample::select(vec!["\\\"", "'"]);
    let pick = |choices: &'static [&'static str]| prop::sample::select(choices.to_vec());
    (
        signs,
        quotes,
        pick(&["doubled", "backslash"]),
        pick(&["any", "crlf", "lf", "cr"]),
        pick(&["text", "null", "absent"]),
        pick(&["needed", "always"]),
        (pick(&["utf-8", "utf-16be", "gb18030"]), any::<bool>(), any::<bool>(), pick(&["strict", "lenient"])),
    )
        .prop_map(|(delimiter, quote, escape, line_end, empty, quoting, (charset, trim, comment, quotes))| {
            let trim = trim && !matches!(delimiter, "tab" | "space");
            let comment = if comment { r##","comment":"#""## } else { "" };
            format!(
                r#"{{"delimiter":"{delimiter}","quote":"{quote}","escape":"{escape}","line_end":"{line_end}",
                "empty":"{empty}","quoting":"{quoting}","charset":"{charset}","quotes":"{quotes}","trim":{trim}{comment}}}"#
            )
        })
}
