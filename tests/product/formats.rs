//! Mappings between formats, by their names on the command line.

use std::{path::Path, process::Command};

use lockgate_testkit::process::program;

use crate::house::with_input;

const TABLE: &str = "mapping: m\nversion: 1\nsource: { records: $ }\nrules:\n  - { to: name, from: name }\n  - { to: total, from: '$number(qty) * 2' }\n";

/// Code, output and errors of `map` in a folder with these files.
fn map(folder: &Path, arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
    let mut command = Command::new(program());
    command.current_dir(folder).arg("map").args(arguments);
    let ended = with_input(&mut command, input);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (ended.status.code(), text(ended.stdout), text(ended.stderr))
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = lockgate_testkit::temp_dir();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn a_description_that_is_wrong_is_shown_with_its_place() {
    let folder = folder(&[
        ("m.map.yaml", TABLE),
        ("d.yaml", "delimiter: semicolon\nnumbrs: [qty]\n"),
        ("l.yaml", "fields:\n  - { name: a, width: 2 }\n  - { name: b, width: none }\n"),
        ("many.yaml", "delimeter: semicolon\ntrim: maybe\nempty: nil\n"),
        (
            "g.yaml",
            "grammar: g\nsyntax: x12\nmessag: '850'\ncontent:\n  - { name: a, segment: BEG, max: no, elements: [b] }\n",
        ),
        ("broken.yaml", "a: [\n"),
    ]);
    let map = |format: &str| map(folder.path(), &["m.map.yaml", "--input", format], "");
    for (format, code, parts) in [
        ("csv:d.yaml", 1, ["error[LG-FORMAT]: `numbrs`", "--> d.yaml:2:1\n"]),
        ("csv:d.yaml", 1, ["= help: did you mean `numbers`?", "2 | numbrs: [qty]\n  | ^^^^^^\n"]),
        ("csv:many.yaml", 1, ["`delimeter` is not known here", "many.yaml:2:7\n"]),
        ("csv:many.yaml", 1, ["must be true or false", "many.yaml:3:8\n"]),
        ("xml:many.yaml", 1, ["`trim` is not known here", "`empty` is not known here"]),
        ("edi:g.yaml", 1, ["`messag` is not known here", "g.yaml:3:1\n"]),
        ("edi:g.yaml", 1, ["did you mean `message`?", "`max` must be a whole number"]),
        ("fixed:l.yaml", 1, ["error[LG-FORMAT]: `width`", "--> l.yaml:3:"]),
        ("csv:broken.yaml", 1, ["error[LG-YAML-SYNTAX]", "--> broken.yaml:1:4"]),
        ("csv:nowhere.yaml", 2, ["cannot read `nowhere.yaml`", ""]),
        ("fixed", 2, ["fixed:LAYOUT", ""]),
        ("json:d.yaml", 2, ["no file describes it", ""]),
        ("cvs", 2, ["the formats are json, jsonl", ""]),
    ] {
        let (status, out, errors) = map(format);
        assert_eq!((status, out.as_str()), (Some(code), ""), "{format}: {errors}");
        assert!(parts.iter().all(|part| errors.contains(part)), "{format}: {errors}");
    }
}

#[test]
fn what_is_wrong_in_the_input_is_told_with_its_record_and_byte() {
    let folder = folder(&[("m.map.yaml", TABLE)]);
    let (status, out, errors) = map(folder.path(), &["m.map.yaml", "--input", "csv"], "name,qty\nA,1\nB\n");
    assert_eq!((status, out.as_str()), (Some(1), "[{\"name\":\"A\",\"total\":2}"));
    assert!(errors.contains("LG-CSV-FIELDS") && errors.contains("record 2"), "{errors}");
    let xml = TABLE.replace("records: $", "records: a.b");
    std::fs::write(folder.path().join("x.map.yaml"), xml).unwrap();
    let (status, _, errors) = map(folder.path(), &["x.map.yaml", "--input", "xml"], "<!DOCTYPE a><a><b/></a>");
    assert_eq!(status, Some(1));
    assert!(errors.contains("LG-XML-DOCTYPE"), "{errors}");
}

#[test]
fn tables_xml_and_files_of_fixed_width_map_to_one_another() {
    let folder = folder(&[
        ("m.map.yaml", TABLE),
        ("x.map.yaml", &TABLE.replace("records: $", "records: orders.order")),
        (
            "back.map.yaml",
            "mapping: m\nversion: 1\nrules:\n  - { to: 'orders.order[]', each: $, rules: [{ to: '`@id`', from: name }, { to: '`#text`', from: qty }] }\n",
        ),
        ("d.yaml", "delimiter: semicolon\nnumbers: [qty]\n"),
        ("l.yaml", "fields:\n  - { name: name, width: 4 }\n  - { name: qty, width: 3, kind: number }\n"),
        ("out.yaml", "fields:\n  - { name: name, width: 4 }\n  - { name: total, width: 5, kind: number }\n"),
    ]);
    let map = |arguments: &[&str], input: &str| map(folder.path(), arguments, input);
    let json = "[{\"name\":\"A\",\"total\":2},{\"name\":\"B, C\",\"total\":4}]\n";
    let good = |out: &str| (Some(0), out.to_owned(), String::new());
    for whole in [&[][..], &["--whole"]] {
        let with = |arguments: &[&'static str]| [arguments, whole].concat();
        let table = "name,qty\nA,1\n\"B, C\",2\n";
        assert_eq!(map(&with(&["m.map.yaml", "--input", "csv"]), table), good(json));
        let semicolons =
            map(&with(&["m.map.yaml", "--input", "csv:d.yaml", "--output", "csv:d.yaml"]), "name;qty\nA;1\n");
        assert_eq!(semicolons, good("name;total\r\nA;2\r\n"));
        let xml = "<orders><order><name>A</name><qty>1</qty></order><order id=\"2\"><name>B, C</name><qty>2</qty></order></orders>";
        assert_eq!(map(&with(&["x.map.yaml", "--input", "xml"]), xml), good(json));
        let fixed =
            map(&with(&["m.map.yaml", "--input", "fixed:l.yaml", "--output", "fixed:out.yaml"]), "A   001\nB   012\n");
        assert_eq!((fixed.0, fixed.2.as_str()), (Some(0), ""), "{fixed:?}");
        let shown: Vec<&str> = fixed.1.split_whitespace().collect();
        assert_eq!(shown.len(), 4, "{fixed:?}");
    }
    let back = map(&["back.map.yaml", "--input", "csv", "--output", "xml"], "name,qty\nA,1\nB,2\n");
    let xml = "<orders><order id=\"A\">1</order><order id=\"B\">2</order></orders>";
    assert!(back.0 == Some(0) && back.1.contains(xml), "{back:?}");
}

#[test]
fn an_interchange_maps_from_and_to_json() {
    let mapping = "mapping: m\nversion: 1\nrules: [{ to: whole, from: $ }]\n";
    let folder = folder(&[("m.map.yaml", mapping)]);
    let edifact = "UNB+UNOA:3+SENDER+RECEIVER+260101:1200+1'UNH+1+ORDERS:D:96A:UN'BGM+220+7+9'UNT+3+1'UNZ+1+1'";
    let (status, out, errors) = map(folder.path(), &["m.map.yaml", "--input", "edi"], edifact);
    assert_eq!((status, errors.as_str()), (Some(0), ""));
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(out.contains("BGM") && value["whole"].is_object(), "{out}");
    let (status, _, errors) = map(folder.path(), &["m.map.yaml", "--input", "edi"], &edifact.replace("UNZ+1", "UNZ+2"));
    assert_eq!(status, Some(1));
    assert!(errors.contains("LG-EDI-"), "{errors}");
}
