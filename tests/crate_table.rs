//! The crate table in ARCHITECTURE.md is the law; this test holds every manifest to it.

use std::{collections::BTreeMap, fs, path::PathBuf};

/// `crate` → what its row allows, as written.
fn table(page: &str) -> BTreeMap<String, String> {
    page.lines()
        .filter_map(|row| row.strip_prefix("| `")?.strip_suffix(" |"))
        .filter_map(|row| {
            let (name, rest) = row.split_once("` | ")?;
            let (_, may) = rest.rsplit_once(" | ")?;
            Some((name.to_owned(), may.to_owned()))
        })
        .collect()
}

/// Our own crates that a manifest names under `[dependencies]`, sorted, `-` if none.
fn imports(manifest: &str) -> String {
    let mut ours: Vec<&str> = manifest
        .lines()
        .skip_while(|line| *line != "[dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split(['.', ' ', '=']).next()?.strip_prefix("lockgate-"))
        .collect();
    ours.sort_unstable();
    if ours.is_empty() { "-".to_owned() } else { ours.join(" ") }
}

fn manifests() -> BTreeMap<String, String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeMap::new();
    for (folder, prefix) in [("crates", ""), ("connectors", "connector-")] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let text = fs::read_to_string(entry.path().join("Cargo.toml")).unwrap();
            let package = if name == "lockgate" { name.clone() } else { format!("lockgate-{name}") };
            assert!(text.contains(&format!("name = \"{package}\"\n")), "`{name}` should be package `{package}`");
            found.insert(name, text);
        }
    }
    found
}

/// Every row against its manifest; what differs, as text.
fn differences(table: &BTreeMap<String, String>, manifests: &BTreeMap<String, String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, manifest) in manifests {
        let has = imports(manifest);
        match table.get(name) {
            None => wrong.push(format!("`{name}` has no row in ARCHITECTURE.md")),
            Some(may) if *may != has => wrong.push(format!("`{name}` imports `{has}`, its row says `{may}`")),
            Some(_) => {}
        }
    }
    for name in table.keys().filter(|name| !manifests.contains_key(*name)) {
        wrong.push(format!("`{name}` has a row and no folder"));
    }
    wrong
}

fn page() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/ARCHITECTURE.md")).unwrap()
}

#[test]
fn crates_import_what_the_table_allows() {
    assert_eq!(differences(&table(&page()), &manifests()), Vec::<String>::new());
}

#[test]
fn the_table_test_turns_red_when_a_forbidden_import_is_tried() {
    let table = table(&page());
    let mut tried = manifests();
    let store = tried.get_mut("store").unwrap();
    *store = store.replace("[dependencies]\n", "[dependencies]\nlockgate-document.workspace = true\n");
    tried.insert("attic".to_owned(), "[dependencies]\n".to_owned());
    let wrong = differences(&table, &tried);
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(wrong.iter().any(|w| w.starts_with("`store` imports `access document model`")), "{wrong:?}");
    assert!(wrong.iter().any(|w| w.contains("`attic` has no row")), "{wrong:?}");
}

/// One technology each: nobody else names these crates.
#[test]
fn a_technology_stays_in_its_crate() {
    let homes = [
        ("wasmtime", &["engine"][..]),
        ("rusqlite", &["store"]),
        ("refinery", &["store"]),
        ("rcgen", &["keys", "testkit"]),
        ("argon2", &["identity"]),
        ("axum", &["admin"]),
        ("clap", &["lockgate"]),
        ("wasm-encoder", &["compiler"]),
    ];
    let core = ["model", "document", "access", "identity", "mapping", "compiler"];
    for (name, manifest) in manifests() {
        let (normal, _) = manifest.split_once("[dev-dependencies]").unwrap_or((&manifest, ""));
        for (technology, home) in homes {
            let named = normal.lines().any(|line| line.starts_with(&format!("{technology}.")));
            assert!(!named || home.contains(&&*name), "`{name}` names {technology}");
        }
        if core.contains(&&*name) {
            for banned in ["tokio", "hyper", "rustls", "hyper-util"] {
                assert!(
                    !normal.lines().any(|l| l.starts_with(&format!("{banned}."))),
                    "core crate `{name}` names {banned}"
                );
            }
        }
    }
}
