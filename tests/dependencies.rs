//! What deny.toml says about dependencies, held without installing anything: one TLS stack, one
//! provider, known licences, one registry. `cargo deny check bans licenses sources` says the same.

use std::{collections::BTreeMap, fs, process::Command};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Values of `key = "…"` or of the bare strings of a list, in a part of deny.toml.
fn quoted(part: &str) -> Vec<&str> {
    part.split('"').skip(1).step_by(2).collect()
}

fn deny() -> String {
    fs::read_to_string(format!("{ROOT}/deny.toml")).unwrap()
}

/// Name → versions in the lock file.
fn locked() -> BTreeMap<String, Vec<String>> {
    let lock = fs::read_to_string(format!("{ROOT}/Cargo.lock")).unwrap();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let member = |name: &str| {
            package
                .lines()
                .find_map(|l| l.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"'))
                .map(str::to_owned)
        };
        if let Some(source) = member("source") {
            assert!(source.starts_with("registry+"), "{:?} comes from {source}", member("name"));
        }
        found.entry(member("name").unwrap()).or_default().push(member("version").unwrap());
    }
    found
}

#[test]
fn banned_crates_are_absent_and_single_ones_single() {
    let (deny, locked) = (deny(), locked());
    let mut seen = 0;
    for row in deny.lines().filter(|line| line.trim_start().starts_with("{ crate = ")) {
        let name = quoted(row)[0];
        let versions = locked.get(name).map_or(0, Vec::len);
        if row.contains("deny-multiple-versions") {
            assert!(versions <= 1, "{name} is there in {versions} versions: {:?}", locked[name]);
        } else {
            assert_eq!(versions, 0, "{name} is banned");
        }
        seen += 1;
    }
    assert!(seen >= 10, "deny.toml was not read");
}

#[test]
fn no_second_cryptographic_provider_is_built() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "-i", "ring", "-e", "normal,build"])
        .current_dir(ROOT)
        .output()
        .unwrap();
    assert!(tree.status.success(), "{tree:?}");
    assert_eq!(String::from_utf8_lossy(&tree.stdout).trim(), "", "ring is built: {tree:?}");
}

#[test]
fn licences_are_those_that_are_allowed() {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--format-version", "1"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(ROOT)
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let deny = deny();
    let allowed = quoted(deny.split_once("allow = [").unwrap().1.split_once(']').unwrap().0);
    let built: Vec<&serde_json::Value> =
        metadata["resolve"]["nodes"].as_array().unwrap().iter().map(|n| &n["id"]).collect();
    for package in metadata["packages"].as_array().unwrap() {
        if !built.contains(&&package["id"]) {
            continue;
        }
        let licence = package["license"].as_str().unwrap_or_default().replace(['(', ')'], "").replace('/', " OR ");
        // Enough for what is there: every part of some alternative must be allowed.
        let fine = licence.split(" OR ").any(|one| one.split(" AND ").all(|part| allowed.contains(&part.trim())));
        // One that is allowed for crates that are named.
        let row = format!("{{ allow = [\"{licence}\"], crate = {} }}", package["name"]);
        assert!(fine || deny.contains(&row), "{} {} has licence `{licence}`", package["name"], package["version"]);
    }
}
