//! `docs/access.md` explains every permission, every rule, every refusal and every shipped profile.

use std::collections::BTreeSet;

use lockgate_access::{RULES, Scope, shipped_profiles};
use lockgate_model::Permission;

use crate::tenant::id;

fn page() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/access.md")).unwrap()
}

/// First cells of the rows of the table under a heading.
fn table(page: &str, heading: &str) -> BTreeSet<String> {
    let section = page.split("\n## ").find(|section| section.starts_with(heading)).unwrap_or_default();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    cells.map(str::to_owned).collect()
}

#[test]
fn every_permission_and_no_other() {
    let permissions = Permission::ALL.iter().map(|p| p.as_str().to_owned()).collect();
    assert_eq!(table(&page(), "Permissions"), permissions);
}

#[test]
fn every_permission_is_asked_where_the_page_says() {
    let page = page();
    let section = page.split("\n## ").find(|section| section.starts_with("Permissions")).unwrap();
    for permission in Permission::ALL {
        let row = section.lines().find(|line| line.starts_with(&format!("| `{permission}` |"))).unwrap();
        let cell = row.trim_end_matches(" |").rsplit('|').next().unwrap();
        let words: Vec<&str> = cell.split(|c: char| !c.is_ascii_lowercase() && c != '-').collect();
        let scopes = [Scope::Tenant, Scope::Environment(id("live")), Scope::Project(id("default"))];
        for (scope, word) in scopes.iter().zip(["tenant", "environment", "project"]) {
            assert_eq!(scope.asks(*permission), words.contains(&word), "{permission} in {word}: {cell}");
        }
        assert_eq!(permission.tenant_wide_only(), words.contains(&"tenant-wide"), "{permission}");
    }
}

#[test]
fn every_rule_and_no_other() {
    assert_eq!(table(&page(), "Rules"), RULES.iter().map(|rule| (*rule).to_owned()).collect());
}

#[test]
fn every_shipped_profile_and_no_other() {
    let shipped = shipped_profiles().into_iter().map(|(id, _)| id.to_string()).collect();
    assert_eq!(table(&page(), "Shipped profiles"), shipped);
}

#[test]
fn every_refusal_of_a_change() {
    let source = include_str!("../../src/change.rs");
    let codes = source
        .split('"')
        .filter(|text| text.contains('-') && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
    let codes: BTreeSet<String> = codes.chain(["unreadable"]).map(str::to_owned).collect();
    assert_eq!(table(&page(), "What saving refuses"), codes);
}
