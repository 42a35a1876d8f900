//! The crate table in ARCHITECTURE.md is the law; this test holds every manifest to it.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

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

/// What a package depends on outside its tests, as cargo reads the manifest: however it is written
/// there, for whatever target, under whatever name.
type Package = (String, Vec<String>);

fn package(one: &serde_json::Value) -> Option<Package> {
    let folder = Path::new(one["manifest_path"].as_str()?).parent()?.strip_prefix(env!("CARGO_MANIFEST_DIR")).ok()?;
    let prefix = match folder.parent()?.to_str()? {
        "crates" => "",
        "connectors" => "connector-",
        _ => return None,
    };
    let name = format!("{prefix}{}", folder.file_name()?.to_str()?);
    let expected = if name == "lockgate" { name.clone() } else { format!("lockgate-{name}") };
    assert_eq!(one["name"], expected, "package in {}", folder.display());
    let dependencies = one["dependencies"].as_array()?.iter().filter(|d| d["kind"] != "dev");
    Some((name, dependencies.map(|d| d["name"].as_str().unwrap().to_owned()).collect()))
}

/// Our own among them, sorted, `-` if none.
fn imports(dependencies: &[String]) -> String {
    let mut ours: Vec<&str> = dependencies.iter().filter_map(|d| d.strip_prefix("lockgate-")).collect();
    ours.sort_unstable();
    ours.dedup();
    if ours.is_empty() { "-".to_owned() } else { ours.join(" ") }
}

fn manifests() -> BTreeMap<String, Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--locked", "--offline", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    metadata["packages"].as_array().unwrap().iter().filter_map(package).collect()
}

/// Every row against its manifest; what differs, as text.
fn differences(table: &BTreeMap<String, String>, manifests: &BTreeMap<String, Vec<String>>) -> Vec<String> {
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
    tried.get_mut("store").unwrap().push("lockgate-document".to_owned());
    tried.insert("attic".to_owned(), Vec::new());
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
        ("postgres-protocol", &["connector-postgres"]),
        ("rcgen", &["keys", "testkit"]),
        ("argon2", &["identity", "keys"]),
        ("axum", &["admin"]),
        ("clap", &["lockgate"]),
        ("rustyline", &["lockgate"]),
        ("wasm-encoder", &["compiler"]),
    ];
    let core = ["model", "document", "access", "identity", "mapping", "compiler"];
    for (name, manifest) in manifests() {
        for (technology, home) in homes {
            let named = manifest.iter().any(|d| d == technology);
            assert!(!named || home.contains(&&*name), "`{name}` names {technology}");
        }
        for banned in ["tokio", "hyper", "rustls", "hyper-util"] {
            assert!(
                !core.contains(&&*name) || !manifest.iter().any(|d| d == banned),
                "core crate `{name}` names {banned}"
            );
        }
    }
}
