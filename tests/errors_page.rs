//! docs/errors.md holds every code that the product can show, and no code that it cannot.

use std::{collections::BTreeSet, path::Path};

use lockgate_testkit::workspace_root;

/// The text of all shipped sources below a folder, test modules left out.
fn sources(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
        let name = entry.file_name().unwrap().to_string_lossy().into_owned();
        if entry.is_dir() && name != "tests" {
            sources(&entry, into);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            let text = std::fs::read_to_string(&entry).unwrap();
            into.push_str(text.split("#[cfg(test)]\nmod tests {").next().unwrap());
        }
    }
}

fn codes(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '-');
    words.map(|w| w.trim_end_matches('-')).filter(|w| w.starts_with("LG-") && w.len() > 3).collect()
}

#[test]
fn the_page_of_errors_has_every_code_and_no_other() {
    let root = workspace_root();
    let mut text = String::new();
    for package in std::fs::read_dir(root.join("crates")).unwrap().map(|e| e.unwrap().path()) {
        if package.file_name().unwrap() != "testkit" {
            sources(&package.join("src"), &mut text);
        }
    }
    let page = std::fs::read_to_string(root.join("docs/errors.md")).unwrap();
    let (shown, told) = (codes(&text), codes(&page));
    let missing: Vec<_> = shown.difference(&told).collect();
    assert!(missing.is_empty(), "not in docs/errors.md: {missing:?}");
    let gone: Vec<_> = told.difference(&shown).collect();
    assert!(gone.is_empty(), "in docs/errors.md and nowhere in the product: {gone:?}");
}
