//! The pages under `docs/connectors/` are what the specs say. `UPDATE=1` writes them anew.

use std::{collections::BTreeSet, fs, path::PathBuf};

#[test]
fn every_connector_has_its_page_and_no_page_is_stale() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/connectors");
    let update = std::env::var_os("UPDATE").is_some();
    let mut expected = BTreeSet::new();
    for spec in lockgate_connector_catalog::registry().specs() {
        let (file, page) = (folder.join(format!("{}.md", spec.name)), spec.page());
        expected.insert(file.file_name().unwrap().to_owned());
        if update {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&file, &page).unwrap();
        }
        let found = fs::read_to_string(&file).unwrap_or_default();
        assert!(found == page, "{} is stale: `UPDATE=1 cargo test -p lockgate-connector-catalog`", file.display());
    }
    let found: BTreeSet<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(found, expected, "a page belongs to no connector");
}

#[test]
fn the_page_about_delivering_once_names_every_operation_that_is_not_safe_to_repeat() {
    let page = fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/delivery.md")).unwrap();
    let mut named = 0;
    for spec in lockgate_connector_catalog::registry().specs() {
        for operation in spec.operations.iter().filter(|operation| !operation.idempotent) {
            let name = format!("`{}.{}`", spec.name, operation.name);
            assert!(page.contains(&name), "docs/delivery.md says nothing of {name}");
            named += 1;
        }
    }
    assert!(named > 5);
}
