//! The tools for who writes mapping files: `fmt`, `map --explain`, `map --draw`.

use std::process::{Command, Output};

use lockgate_testkit::process::program;
use serde_json::{Value, json};

use crate::house::with_input;

fn lockgate(arguments: &[&str], input: &str) -> Output {
    with_input(Command::new(program()).args(arguments), input)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

const UNTIDY: &str = "version: 1\nmapping: m\nrules:\n- from: 'a+b'   # the sum\n  to: c\n";
const TIDY: &str = "mapping: m\nversion: 1\nrules:\n  - to: c\n    from: a + b # the sum\n";

#[test]
fn a_file_with_problems_is_not_touched_and_the_others_are_formatted() {
    let folder = lockgate_testkit::temp_dir();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let broken = "mapping: b\nrules:\n- {to: a, from: 'b +'}\n";
    let (one, two) = (file("broken.map.yaml", broken), file("m.map.yaml", UNTIDY));
    file("project.yaml", "project: p\n");
    file("notes.yaml", "a:    b\n");
    let done = lockgate(&["fmt", folder.path().to_str().unwrap()], "");
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    let shown = text(&done.stderr);
    for part in ["LG-MAP-MISSING", "S0207", "broken.map.yaml:3:", "2 problems"] {
        assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
    }
    assert_eq!(std::fs::read_to_string(&one).unwrap(), broken);
    assert_eq!(std::fs::read_to_string(&two).unwrap(), TIDY);
    assert_eq!(std::fs::read_to_string(folder.path().join("notes.yaml")).unwrap(), "a:    b\n");
    for arguments in [["fmt", "notes.yaml"], ["fmt", "/nonexistent"], ["fmt", "/nonexistent.map.yaml"]] {
        assert_eq!(lockgate(&arguments, "").status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn check_changes_nothing_and_shows_what_would_change() {
    let folder = lockgate_testkit::temp_dir();
    let path = folder.path().join("m.map.yaml");
    let name = path.to_str().unwrap();
    std::fs::write(&path, UNTIDY).unwrap();
    let checked = lockgate(&["fmt", "--check", name], "");
    assert_eq!(checked.status.code(), Some(1), "{checked:?}");
    let shown = text(&checked.stdout);
    for part in [name, "- - from: 'a+b'   # the sum", "+     from: a + b # the sum"] {
        assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), UNTIDY);
    let json: Value = serde_json::from_slice(&lockgate(&["--json", "fmt", "--check", name], "").stdout).unwrap();
    assert_eq!(json, json!({"files": [{"file": name, "changed": true}]}));
    assert!(lockgate(&["fmt", name], "").status.success());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), TIDY);
    let again = lockgate(&["fmt", "--check", name], "");
    assert!(again.status.success(), "{again:?}");
}

#[test]
fn standard_input_goes_to_standard_output() {
    let piped = lockgate(&["fmt", "-"], UNTIDY);
    assert_eq!((text(&piped.stdout), piped.status.code()), (TIDY.to_owned(), Some(0)), "{piped:?}");
    assert_eq!(lockgate(&["fmt", "-", "--check"], UNTIDY).status.code(), Some(1));
    assert_eq!(lockgate(&["fmt", "-", "--check"], TIDY).status.code(), Some(0));
    let expression = lockgate(&["fmt", "--expression"], "$sum( a.b )*2");
    assert_eq!(text(&expression.stdout), "$sum(a.b) * 2\n", "{expression:?}");
    let refused = lockgate(&["fmt", "--expression"], "a +");
    assert!(refused.status.code() == Some(1) && text(&refused.stderr).contains("standard input:1:"), "{refused:?}");
}

#[test]
fn a_new_project_is_in_its_form_and_formatting_keeps_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let folder = lockgate_testkit::temp_dir();
    assert!(lockgate(&["new", "neat", "--in", folder.path().to_str().unwrap()], "").status.success());
    let project = folder.path().join("neat");
    let checked = lockgate(&["fmt", "--check", project.to_str().unwrap()], "");
    assert!(checked.status.success(), "{}", text(&checked.stdout));
    let map = project.join("greeting.map.yaml");
    std::fs::write(&map, UNTIDY).unwrap();
    std::fs::set_permissions(&map, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(lockgate(&["fmt", map.to_str().unwrap()], "").status.success());
    assert_eq!(std::fs::metadata(&map).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn formatted_examples_compile_to_what_they_were() {
    let order = r#"{"order":{"orderId":"O-1","createdAt":"2026-01-02T03:04","customer":{"id":"C","firstName":"A",
        "lastName":"B","email":"A@B.C","shippingAddress":{"street":"S","houseNumber":1}}},"priority":1,"note":"n","net":1,
        "tax":2,"lines":[{"line":{"sku":"s","warehouse":"W"},"net":1}]}"#;
    let rows = r#"{"rows":[{"id":7,"email":"A@B.C","tags":[]}]}"#;
    for (name, map, document) in
        [("order-to-erp", "erp-order", order), ("customers-from-db", "partner-customers", rows)]
    {
        let folder = lockgate_testkit::workspace_root().join("orchestrations").join(name);
        let copy = lockgate_testkit::temp_dir();
        let copy = copy.path().join(name);
        let copied = Command::new("cp").arg("-r").args([&folder, &copy]).status().unwrap();
        assert!(copied.success());
        assert!(lockgate(&["fmt", copy.to_str().unwrap()], "").status.success());
        assert!(lockgate(&["fmt", "--check", copy.to_str().unwrap()], "").status.success());
        let checked = lockgate(&["check", copy.to_str().unwrap()], "");
        assert!(checked.status.success(), "{}", text(&checked.stderr));
        let mapped = |folder: &std::path::Path| {
            let file = folder.join(format!("{map}.map.yaml"));
            let mapped = lockgate(&["map", file.to_str().unwrap()], document);
            assert!(mapped.status.success(), "{mapped:?}");
            text(&mapped.stdout)
        };
        assert_eq!(mapped(&folder), mapped(&copy));
    }
}
