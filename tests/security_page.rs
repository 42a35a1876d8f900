//! docs/security.md names tests that exist.

use std::path::Path;

use lockgate_testkit::workspace_root;

fn sources(folder: &Path, into: &mut String) {
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() && path.file_name().unwrap() != "target" {
            sources(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            into.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_promise_names_a_test_that_exists() {
    let root = workspace_root();
    let mut text = String::new();
    for folder in ["tests", "crates", "connectors"] {
        sources(&root.join(folder), &mut text);
    }
    let page = std::fs::read_to_string(root.join("docs/security.md")).unwrap();
    let (mut promises, mut named) = (0, 0);
    for row in page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| promise")) {
        let shown = row.split('|').nth(2).unwrap();
        let names: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "nothing shows: {row}");
        promises += 1;
        for name in names {
            let function = name.rsplit("::").next().unwrap();
            assert!(text.contains(&format!("fn {function}()")), "there is no test `{name}`");
            named += 1;
        }
    }
    assert!(promises >= 15 && named > promises, "{promises} promises, {named} tests");
}
