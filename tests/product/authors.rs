//! What authors have without any server.

use std::process::Command;

use lockgate_testkit::process::program;

use crate::house::with_input;

fn lockgate(arguments: &[&str], input: &str) -> std::process::Output {
    with_input(Command::new(program()).args(arguments), input)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_broken_project_shows_all_its_problems_with_their_places() {
    let folder = lockgate_testkit::temp_dir();
    let made = lockgate(&["new", "broken", "--in", folder.path().to_str().unwrap()], "");
    assert!(made.status.success(), "{made:?}");
    let project = folder.path().join("broken");
    let flow = project.join("broken.flow.yaml");
    let good = std::fs::read_to_string(&flow).unwrap();
    std::fs::write(&flow, good.replace("map.greeting", "map.greetin").replace("$length(greeting)", "$length(greeting"))
        .unwrap();
    let map = project.join("greeting.map.yaml");
    let rules = std::fs::read_to_string(&map).unwrap();
    std::fs::write(&map, rules.replace("default:", "defaut:")).unwrap();
    let checked = lockgate(&["check", project.to_str().unwrap()], "");
    assert_eq!(checked.status.code(), Some(1), "{checked:?}");
    let shown = text(&checked.stderr);
    for part in ["broken.flow.yaml:", "greeting.map.yaml:", "greetin", "defaut", "^"] {
        assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
    }
    let json = lockgate(&["--json", "check", project.to_str().unwrap()], "");
    let value: serde_json::Value = serde_json::from_slice(&json.stderr).unwrap();
    let problems = value["error"]["problems"].as_array().unwrap();
    assert!(problems.len() >= 3, "{value}");
    assert!(problems.iter().all(|p| p["line"].as_u64() >= Some(1) && p["column"].as_u64() >= Some(1)), "{value}");
}

#[test]
fn a_file_that_is_no_text_is_one_problem_among_the_others() {
    let folder = lockgate_testkit::temp_dir();
    assert!(lockgate(&["new", "latin", "--in", folder.path().to_str().unwrap()], "").status.success());
    let project = folder.path().join("latin");
    let flow = project.join("latin.flow.yaml");
    let good = std::fs::read_to_string(&flow).unwrap();
    std::fs::write(&flow, good.replace("$length", "$pad")).unwrap();
    let map = project.join("greeting.map.yaml");
    let mut rules = std::fs::read(&map).unwrap();
    rules.extend(b"# Stra\xdfe\n");
    std::fs::write(&map, &rules).unwrap();
    let line = rules.iter().filter(|b| **b == b'\n').count();
    std::fs::write(project.join("sample.json"), b"\"\xff\"").unwrap();
    for command in ["check", "build", "push"] {
        let checked = lockgate(&[command, project.to_str().unwrap()], "");
        assert_eq!(checked.status.code(), Some(1), "{checked:?}");
        let shown = text(&checked.stderr);
        let bad = format!("error[LG-SOURCE-UTF8]: this is no text in UTF-8\n  --> greeting.map.yaml:{line}:7\n");
        for part in [bad.as_str(), "sample.json:1:2", "error[LG-EXPR-LATER]", "3 problems"] {
            assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
        }
    }
}

#[test]
fn a_new_project_checks_builds_and_maps() {
    let folder = lockgate_testkit::temp_dir();
    assert!(lockgate(&["new", "hello", "--in", folder.path().to_str().unwrap()], "").status.success());
    let project = folder.path().join("hello");
    let checked = lockgate(&["check", project.to_str().unwrap()], "");
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    let build = || lockgate(&["--json", "build", project.to_str().unwrap()], "");
    let (one, two) = (build(), build());
    assert!(one.status.success(), "{one:?}");
    assert_eq!(one.stdout, two.stdout, "two builds differ");
    let sample = std::fs::read_to_string(project.join("sample.json")).unwrap();
    let mapped = lockgate(&["map", project.join("greeting.map.yaml").to_str().unwrap()], &sample);
    assert_eq!(text(&mapped.stdout).trim(), r#"{"greeting":"Hello, Ada Lovelace!","language":"en"}"#, "{mapped:?}");
}

#[test]
fn an_expression_is_evaluated_and_its_errors_have_places() {
    let evaluated = lockgate(&["eval", "$sum(lines.price)"], r#"{"lines":[{"price":2},{"price":3}]}"#);
    assert_eq!(text(&evaluated.stdout), "5\n", "{evaluated:?}");
    let exact = lockgate(&["eval", "id"], r#"{"id":9007199254740993}"#);
    assert_eq!(text(&exact.stdout), "9007199254740993\n", "{exact:?}");
    let failed = lockgate(&["eval", "1 + name"], r#"{"name":"x"}"#);
    assert_eq!(failed.status.code(), Some(1));
    assert!(text(&failed.stderr).contains("T2002") && text(&failed.stderr).contains('^'), "{failed:?}");
    let syntax = lockgate(&["eval", "-n", "1 + "], "");
    assert!(text(&syntax.stderr).contains("S0207"), "{syntax:?}");
    let later = lockgate(&["eval", "-n", "$eval('1')"], "");
    assert!(text(&later.stderr).contains("LG-EXPR-EVAL"), "{later:?}");
    let endless = lockgate(&["eval", "-n", "($f := function($x) { 1 + $f($x) }; $f(1))"], "");
    assert!(text(&endless.stderr).contains("U1001"), "{endless:?}");
}
