//! docs/audit.md holds every code of an event and no other, each code is made somewhere, and none is made that is not in the
//! list.

use std::{collections::BTreeSet, fs, path::Path};

use lockgate_model::audit::EVENTS;
use lockgate_testkit::workspace_root;

/// The text of all shipped sources below a folder, test modules left out.
fn sources(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
        let name = entry.file_name().unwrap().to_string_lossy().into_owned();
        if entry.is_dir() && name != "tests" {
            sources(&entry, into);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            let text = fs::read_to_string(&entry).unwrap();
            into.push_str(text.split("#[cfg(test)]\nmod tests {").next().unwrap());
        }
    }
}

/// What the crates that make entries say.
fn makers() -> String {
    let mut text = String::new();
    for name in ["access", "runtime", "store", "scheduler", "listener", "admin"] {
        sources(&workspace_root().join("crates").join(name).join("src"), &mut text);
    }
    text
}

fn is_code(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '-')
}

/// The first cells of the tables of events, which may name several.
fn told(page: &str) -> BTreeSet<&str> {
    let part = page.split("## Events").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let cells = part.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).filter(|code| is_code(code)).collect()
}

#[test]
fn the_page_of_the_audit_log_has_every_code_and_no_other() {
    let page = fs::read_to_string(workspace_root().join("docs/audit.md")).unwrap();
    let (listed, told): (BTreeSet<&str>, _) = (EVENTS.iter().copied().collect(), told(&page));
    assert_eq!(listed.len(), EVENTS.len(), "a code is twice in the list");
    let missing: Vec<_> = listed.difference(&told).collect();
    assert!(missing.is_empty(), "not in docs/audit.md: {missing:?}");
    let gone: Vec<_> = told.difference(&listed).collect();
    assert!(gone.is_empty(), "in docs/audit.md and no code: {gone:?}");
}

#[test]
fn each_code_is_made_somewhere() {
    let text = makers();
    for code in EVENTS {
        assert!(text.contains(&format!("\"{code}\"")), "nobody makes `{code}`");
    }
}

#[test]
fn no_code_is_made_that_is_not_listed() {
    let text = makers();
    // Where an entry gets its code: by name, as the second argument, or as a member of a plan.
    let mut seen = 0;
    for (begin, skip) in [("Entry::new(", 1), ("event: ", 0), ("note_attempt(", 2), ("by_hand(", 3)] {
        for part in text.split(begin).skip(1) {
            let part: String = part.chars().take(240).collect();
            let arguments = part.split([';', '{', '}']).next().unwrap_or_default();
            let argument = if skip == 0 { arguments.split(',').next() } else { arguments.split(',').nth(skip) };
            for code in argument.unwrap_or_default().split('"').skip(1).step_by(2).filter(|code| is_code(code)) {
                assert!(EVENTS.contains(&code), "`{code}` is made behind `{begin}` and is not listed");
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "only {seen} codes were seen: the sources are written otherwise now");
}
