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

/// A mapping file with every kind of rule, and a table beside it.
fn every_kind(folder: &std::path::Path) -> String {
    std::fs::create_dir(folder.join("tables")).unwrap();
    std::fs::write(folder.join("tables/t.json"), r#"{"K":{"name":"Kilo"},"L":{}}"#).unwrap();
    let file = folder.join("m.map.yaml");
    let rules = r#"mapping: m
version: 1
rules:
  - { to: a.copied, from: x }
  - { to: a.computed, from: 'x   + 1' }
  - { to: a.default, from: none, default: '"d"' }
  - { to: a.neither, from: none, default: nothing }
  - { to: when, when: x = 2, from: x, default: 5 }
  - { to: key, lookup: { table: t, key: none, value: name } }
  - { to: row, lookup: { table: t, key: '"X"', value: name }, default: '"?"' }
  - { to: field, lookup: { table: t, key: '"L"', value: name } }
  - { to: found, lookup: { table: t, key: code, value: name } }
  - { to: whole, lookup: { table: t, key: code } }
  - { to: 'copies[]', each: list }
  - { to: 'made[]', each: list, from: '$[$ > 1]' }
  - { to: 'empty[]', each: none, default: '[7]' }
  - { to: 'off[]', each: list, when: false }
  - { to: '`odd/na~me`', from: '1.50' }
  - to: outer[]
    each: groups
    rules:
      - { to: id, from: id }
      - to: inner[]
        each: items
        rules:
          - { to: v, from: $ }
          - { to: up, from: $$.x, when: $ > 1 }
  - { to: 'flat[]', each: groups }
  - { to: 'flat[].deep.id', from: id }
  - { to: 'gone[]', each: none, rules: [{ to: a, from: b }, { to: 'c[]', each: d, from: e }] }
"#;
    std::fs::write(&file, rules).unwrap();
    file.to_str().unwrap().to_owned()
}

/// Sets a place of a document.
fn put(document: &mut Value, pointer: &str, value: Value) {
    let Some((_, rest)) = pointer.split_once('/') else {
        *document = value;
        return;
    };
    let (name, more) = rest.split_once('/').map_or((rest, String::new()), |(name, more)| (name, format!("/{more}")));
    let name = name.replace("~1", "/").replace("~0", "~");
    if let Value::Array(items) = document {
        let index: usize = name.parse().unwrap();
        return put(&mut items[index], &more, value);
    }
    put(document.as_object_mut().unwrap().entry(name).or_insert(json!({})), &more, value);
}

#[test]
fn an_explanation_holds_the_document_and_nothing_else() {
    let folder = lockgate_testkit::temp_dir();
    let file = every_kind(folder.path());
    for input in [
        r#"{"x":1,"code":"K","list":[1,2,3],"groups":[{"id":"g","items":[1,2]},{"id":"h","items":[]},{"id":"i"}]}"#,
        r#"{"x":2,"list":5,"groups":{"items":3}}"#,
        r#"{"x":null,"code":"L","list":[[1],[2,3]]}"#,
        "[]",
        "{}",
    ] {
        let mapped = lockgate(&["map", &file], input);
        let explained = lockgate(&["--json", "map", &file, "--explain"], input);
        assert_eq!(mapped.status.code(), explained.status.code(), "{input}: {explained:?}");
        if !mapped.status.success() {
            continue;
        }
        let told: Value = serde_json::from_slice(&explained.stdout).unwrap();
        let mut made = json!({});
        for place in told["places"].as_array().unwrap() {
            // The array itself comes before what is in its entries.
            let value = match place["entries"].as_u64() {
                Some(entries) => vec![json!({}); usize::try_from(entries).unwrap()].into(),
                None => place["value"].clone(),
            };
            put(&mut made, place["pointer"].as_str().unwrap(), value);
        }
        let document: Value = serde_json::from_slice(&mapped.stdout).unwrap();
        assert_eq!(made, document, "{input}");
    }
}

#[test]
fn each_kind_of_rule_tells_what_it_did() {
    let folder = lockgate_testkit::temp_dir();
    let file = every_kind(folder.path());
    let input = r#"{"x":1,"code":"K","list":[1,2],"groups":[{"id":"g","items":[1,2]},{"id":"h"}]}"#;
    let explained = lockgate(&["--json", "map", &file, "--explain"], input);
    let told: Value = serde_json::from_slice(&explained.stdout).unwrap();
    let because = |why: Value, at: (&str, usize, &str), expression: &str, value: Value| {
        json!({"pointer": at.0, "value": value, "line": at.1, "to": at.2, "how": "default",
               "expression": expression, "because": why})
    };
    let from = |pointer: &str, line: usize, to: &str, expression: &str, value: Value| json!({"pointer": pointer, "value": value, "line": line, "to": to, "how": "from", "expression": expression});
    let each = |pointer: &str, line: usize, to: &str, expression: &str, entries: usize| json!({"pointer": pointer, "line": line, "to": to, "how": "each", "expression": expression, "entries": entries});
    let copied = |pointer: &str, value: Value| json!({"pointer": pointer, "value": value, "line": 14, "to": "copies[]", "how": "copied"});
    let lookup = |pointer: &str, line: usize, value: Value| json!({"pointer": pointer, "value": value, "line": line, "to": &pointer[1..], "how": "lookup", "table": "t", "key": "K"});
    let nothing = json!({"reason": "from", "expression": "none"});
    let no_row = json!({"reason": "no-row", "table": "t", "key": "X"});
    let wanted = [
        from("/a/copied", 4, "a.copied", "x", json!(1)),
        from("/a/computed", 5, "a.computed", "x + 1", json!(2)),
        because(nothing, ("/a/default", 6, "a.default"), "\"d\"", json!("d")),
        because(no_row, ("/row", 10, "row"), "\"?\"", json!("?")),
        lookup("/found", 12, json!("Kilo")),
        lookup("/whole", 13, json!({"name": "Kilo"})),
        each("/copies", 14, "copies[]", "list", 2),
        copied("/copies/0", json!(1)),
        copied("/copies/1", json!(2)),
        each("/made", 15, "made[]", "list", 1),
        from("/made/0", 15, "made[]", "$[$ > 1]", json!(2)),
        because(json!({"reason": "no-entry"}), ("/empty", 16, "empty[]"), "[7]", json!([7])),
        from("/odd~1na~0me", 18, "`odd/na~me`", "1.50", json!(1.5)),
        each("/outer", 19, "outer[]", "groups", 2),
        from("/outer/0/id", 22, "id", "id", json!("g")),
        each("/outer/0/inner", 23, "inner[]", "items", 2),
        from("/outer/0/inner/0/v", 26, "v", "$", json!(1)),
        from("/outer/0/inner/1/v", 26, "v", "$", json!(2)),
        from("/outer/0/inner/1/up", 27, "up", "$$.x", json!(1)),
        from("/outer/1/id", 22, "id", "id", json!("h")),
        each("/outer/1/inner", 23, "inner[]", "items", 0),
        each("/flat", 28, "flat[]", "groups", 2),
        from("/flat/0/deep/id", 29, "flat[].deep.id", "id", json!("g")),
        from("/flat/1/deep/id", 29, "flat[].deep.id", "id", json!("h")),
        each("/gone", 30, "gone[]", "none", 0),
    ];
    for (got, wanted) in told["places"].as_array().unwrap().iter().zip(&wanted) {
        assert_eq!(got, wanted);
    }
    assert_eq!(told["places"].as_array().unwrap().len(), wanted.len());
    let unset = |pointer: &str, line: usize, to: &str, why: Value| {
        let mut unset = json!({"pointer": pointer, "line": line, "to": to});
        unset.as_object_mut().unwrap().extend(why.as_object().unwrap().clone());
        unset
    };
    let when = |expression: &str| json!({"reason": "when", "expression": expression});
    let no_entry = json!({"reason": "no-entry"});
    let wanted = [
        unset("/a/neither", 7, "a.neither", json!({"reason": "from", "expression": "none"})),
        unset("/when", 8, "when", when("x = 2")),
        unset("/key", 9, "key", json!({"reason": "no-key", "table": "t", "expression": "none"})),
        unset("/field", 11, "field", json!({"reason": "no-field", "table": "t", "key": "L", "field": "name"})),
        unset("/made/-", 15, "made[]", json!({"reason": "from", "expression": "$[$ > 1]"})),
        unset("/off", 17, "off[]", when("false")),
        unset("/outer/0/inner/0/up", 27, "up", when("$ > 1")),
        unset("/outer/1/inner/-/v", 26, "v", no_entry.clone()),
        unset("/outer/1/inner/-/up", 27, "up", no_entry.clone()),
        unset("/gone/-/a", 30, "a", no_entry.clone()),
        unset("/gone/-/c/-", 30, "c[]", no_entry.clone()),
        unset("/gone/-/c", 30, "c[]", no_entry),
    ];
    assert_eq!(told["nothing"].as_array().unwrap(), &wanted.to_vec());

    let shown = text(&lockgate(&["map", &file, "--explain"], input).stdout);
    for part in [
        "25 places are set\n",
        "12 places are not set\n",
        "/row ",
        "default \"?\", because \"X\" is not in t",
        "lookup \"K\" in t",
        "`when` is not true: x = 2",
        "there is no key: none is nothing",
        "\"L\" in t has no `name`",
    ] {
        assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
    }
    assert!(!shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn an_explanation_is_refused_where_the_mapping_is() {
    let folder = lockgate_testkit::temp_dir();
    let file = folder.path().join("m.map.yaml");
    let name = file.to_str().unwrap();
    std::fs::write(&file, "mapping: m\nversion: 1\nrules:\n  - { to: a, from: b + 1, lookup: 1 }\n").unwrap();
    let refused = lockgate(&["map", name, "--explain"], "{}");
    assert!(refused.status.code() == Some(1) && text(&refused.stderr).contains("LG-MAP-CLASH"), "{refused:?}");
    std::fs::write(&file, "mapping: m\nversion: 1\nrules:\n  - { to: a, from: b + 1 }\n").unwrap();
    let failed = lockgate(&["map", name, "--explain"], "{\"b\":\"x\"}");
    assert!(failed.status.code() == Some(1) && text(&failed.stderr).contains("T2001"), "{failed:?}");
    assert_eq!(lockgate(&["map", name, "--explain", "--lines"], "{}").status.code(), Some(2));
}

#[test]
fn documents_of_every_format_are_explained() {
    let folder = lockgate_testkit::temp_dir();
    let file = folder.path().join("m.map.yaml");
    let name = file.to_str().unwrap();
    let layout = folder.path().join("layout.yaml");
    std::fs::write(&layout, "fields: [{ name: b, width: 2 }]\n").unwrap();
    let fixed = format!("fixed:{}", layout.display());
    for (format, from, input) in [
        ("jsonl", "$[0].b", "{\"b\":\"xy\"}\n{\"b\":2}\n"),
        ("csv", "$[0].b", "b\r\nxy\r\n"),
        ("xml", "a.b", "<a><b>xy</b></a>"),
        (&fixed, "$[0].b", "xy\n"),
        (
            "edi",
            "messages.segments[0].elements[2]",
            "UNA:+.? 'UNB+UNOC:3+A+B+261122:1305+1'UNH+1+X:D:01B:UN'BGM+1+2+xy'UNT+3+1'UNZ+1+1'",
        ),
    ] {
        std::fs::write(&file, format!("mapping: m\nversion: 1\nrules:\n  - {{ to: p, from: '{from}' }}\n")).unwrap();
        let explained = lockgate(&["--json", "map", name, "--explain", "--input", format], input);
        let told: Value = serde_json::from_slice(&explained.stdout).unwrap_or_else(|e| panic!("{e}: {explained:?}"));
        assert_eq!(told["places"][0]["value"], json!("xy"), "{format}: {told}");
        let wrong = lockgate(&["map", name, "--explain", "--input", format], "\"");
        assert!(wrong.status.code() == Some(1) && wrong.stdout.is_empty(), "{format}: {wrong:?}");
    }
}

#[test]
fn a_result_that_nests_too_deeply_is_told_with_its_expression() {
    let deepest = format!("{}1{}", "[".repeat(127), "]".repeat(127));
    let told = lockgate(&["--json", "eval", " {\"x\":[[[$]]]}"], &deepest);
    assert_eq!((told.status.code(), text(&told.stdout).as_str()), (Some(1), ""));
    let error: Value = serde_json::from_slice(&told.stderr).unwrap();
    let place = &error["error"]["problems"][0];
    assert_eq!((&place["code"], &place["column"]), (&json!("LG-DEPTH-EXCEEDED"), &json!(2)), "{error}");
    let folder = lockgate_testkit::temp_dir();
    let file = folder.path().join("m.map.yaml");
    std::fs::write(&file, "mapping: m\nversion: 1\nrules:\n  - { to: a.b, from: $ }\n").unwrap();
    let told = lockgate(&["map", file.to_str().unwrap()], &deepest);
    assert!(told.status.code() == Some(1) && text(&told.stderr).contains("LG-DEPTH-EXCEEDED"), "{told:?}");
}

/// The mapping that docs/mappings.md begins with.
fn example_of_the_page() -> String {
    let page = std::fs::read_to_string(lockgate_testkit::workspace_root().join("docs/mappings.md")).unwrap();
    page.split("```yaml mapping\n").nth(1).unwrap().split("```").next().unwrap().to_owned()
}

#[test]
fn the_picture_on_the_page_is_that_of_its_example() {
    let folder = lockgate_testkit::temp_dir();
    let file = folder.path().join("erp-order.map.yaml");
    std::fs::write(&file, example_of_the_page()).unwrap();
    let drawn = lockgate(&["map", file.to_str().unwrap(), "--draw"], "");
    assert!(drawn.status.success(), "{drawn:?}");
    let picture = lockgate_testkit::workspace_root().join("docs/pictures/erp-order.svg");
    let kept = std::fs::read_to_string(&picture).unwrap_or_default();
    assert!(
        kept == text(&drawn.stdout),
        "docs/pictures/erp-order.svg is old: `lockgate map erp-order.map.yaml --draw` of the page's example gives another"
    );
}

#[test]
fn the_picture_of_a_flow_on_its_page_is_that_of_the_flow() {
    let root = lockgate_testkit::workspace_root();
    let flow = root.join("orchestrations/order-to-erp/order-to-erp.flow.yaml");
    let drawn = lockgate(&["draw", flow.to_str().unwrap()], "");
    assert!(drawn.status.success(), "{drawn:?}");
    let kept = std::fs::read_to_string(root.join("docs/pictures/order-to-erp.svg")).unwrap_or_default();
    assert!(kept == text(&drawn.stdout), "docs/pictures/order-to-erp.svg is old: `lockgate draw` gives another");
    let folder = lockgate_testkit::temp_dir();
    let out = folder.path().join("f.svg");
    let written = lockgate(&["draw", flow.to_str().unwrap(), out.to_str().unwrap()], "");
    assert!(text(&written.stdout).starts_with("drew "), "{written:?}");
    assert_eq!(std::fs::read_to_string(out).unwrap(), kept);
    let map = root.join("orchestrations/order-to-erp/erp-order.map.yaml");
    assert!(text(&lockgate(&["draw", map.to_str().unwrap()], "").stdout).starts_with("<svg "));
    let none = lockgate(&["draw", "nothing.flow.yaml"], "");
    assert_eq!(none.status.code(), Some(2), "{none:?}");
}

#[test]
fn what_has_no_picture_says_what_has_one() {
    let project = lockgate_testkit::workspace_root().join("orchestrations/order-to-erp");
    for path in [project.join("project.yaml"), project.clone()] {
        let refused = lockgate(&["draw", path.to_str().unwrap()], "");
        let told = text(&refused.stderr);
        assert_eq!((refused.status.code(), text(&refused.stdout).as_str()), (Some(2), ""), "{told}");
        assert_eq!(
            told,
            format!(
                "error: `{}` is neither a flow (`*.flow.yaml`) nor a mapping (`*.map.yaml`): name one of `erp-order.map.yaml`, `order-to-erp.flow.yaml`\n",
                path.display()
            )
        );
    }
    let order = project.join("sample.json");
    let refused = lockgate(&["draw", order.to_str().unwrap()], "");
    assert!(text(&refused.stderr).ends_with("nor a mapping (`*.map.yaml`)\n"), "{refused:?}");
}

#[test]
fn a_picture_goes_to_a_file_or_to_standard_output() {
    let folder = lockgate_testkit::temp_dir();
    let file = every_kind(folder.path());
    let out = folder.path().join("m.svg");
    let out = out.to_str().unwrap();
    let piped = lockgate(&["map", &file, "--draw"], "");
    assert!(text(&piped.stdout).starts_with("<svg "), "{piped:?}");
    let written = lockgate(&["map", &file, "--draw", out], "");
    assert_eq!(text(&written.stdout), format!("drew {out}\n"), "{written:?}");
    assert_eq!(std::fs::read(out).unwrap(), piped.stdout);
    let json: Value = serde_json::from_slice(&lockgate(&["--json", "map", &file, "--draw", out], "").stdout).unwrap();
    assert_eq!(json, json!({"picture": out}));
    let nowhere = lockgate(&["map", &file, "--draw", "/nonexistent/m.svg"], "");
    assert!(nowhere.status.code() == Some(1) && text(&nowhere.stderr).contains("LG-IO"), "{nowhere:?}");
    assert_eq!(lockgate(&["map", &file, "--draw", "--explain"], "").status.code(), Some(2));
    std::fs::write(&file, "mapping: m\n").unwrap();
    let refused = lockgate(&["map", &file, "--draw", out], "");
    assert!(refused.status.code() == Some(1) && text(&refused.stderr).contains("LG-MAP-MISSING"), "{refused:?}");
    assert_eq!(std::fs::read(out).unwrap(), piped.stdout, "a refusal leaves the picture as it was");
}

#[test]
fn completions_know_the_tools() {
    for shell in ["bash", "zsh", "fish"] {
        let script = text(&lockgate(&["completions", shell], "").stdout);
        for word in ["fmt", "explain", "draw", "check", "expression"] {
            assert!(script.contains(word), "{word} is not completed in {shell}");
        }
    }
}
