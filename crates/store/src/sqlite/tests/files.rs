//! The data directory: private, one process at a time, nothing readable in it.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
};

use lockgate_model::Digest;
use serde_json::json;

use super::{Place, change, tenant};
use crate::Store;

#[tokio::test]
async fn everything_in_it_is_private() {
    let place = Place::new();
    let store = place.open();
    store.commit(change("a", "1")).await.unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(place.data()), 0o700);
    let mut names = Vec::new();
    for found in fs::read_dir(place.data()).unwrap() {
        let found = found.unwrap();
        assert_eq!(mode(found.path()), 0o600, "{:?}", found.path());
        names.push(found.file_name().into_string().unwrap());
    }
    names.sort();
    let expected = [
        "definitions.sqlite",
        "definitions.sqlite-shm",
        "definitions.sqlite-wal",
        "lock",
        "runs.sqlite",
        "runs.sqlite-shm",
        "runs.sqlite-wal",
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn a_second_process_is_refused() {
    let place = Place::new();
    let store = place.open();
    assert!(place.refusal().contains("another server"));
    let also = store.clone();
    drop(store);
    assert!(place.refusal().contains("another server"));
    drop(also);
    place.open();
}

#[test]
fn what_others_may_use_is_refused() {
    for (name, wide, right) in [
        ("", 0o755, "chmod 700"),
        ("runs.sqlite", 0o640, "chmod 600"),
        ("definitions.sqlite", 0o604, "chmod 600"),
        ("lock", 0o666, "chmod 600"),
    ] {
        let place = Place::new();
        drop(place.open());
        fs::set_permissions(place.file(name), fs::Permissions::from_mode(wide)).unwrap();
        let refusal = place.refusal();
        assert!(refusal.contains(right), "{refusal}");
    }
}

#[test]
fn links_are_refused() {
    let place = Place::new();
    drop(place.open());
    let moved = place.0.path().join("moved");
    fs::rename(place.file("runs.sqlite"), &moved).unwrap();
    symlink(&moved, place.file("runs.sqlite")).unwrap();
    assert!(place.refusal().contains("link"));
}

#[test]
fn files_of_a_newer_version_are_refused() {
    let place = Place::new();
    drop(place.open());
    place.with(
        "runs.sqlite",
        "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
         VALUES (99, 'future', '2030-01-01T00:00:00Z', '1')",
    );
    assert!(place.refusal().contains("newer"));
}

#[test]
fn what_is_no_database_is_refused() {
    let place = Place::new();
    drop(place.open());
    fs::write(place.file("runs.sqlite"), [7; 8192]).unwrap();
    assert!(place.refusal().contains("restore it from a backup"));
}

/// The files of the version before this one knew green runs by their records alone.
#[tokio::test]
async fn runs_of_an_older_version_are_green_still() {
    let place = Place::new();
    drop(place.open());
    let (module, faulted) = (Digest::of(b"module"), Digest::of(b"faulted"));
    let run = |id: u8, module: Option<Digest>, phase: &str| {
        let record = json!({"module": module});
        format!(
            "INSERT INTO runs (tenant, id, writer, environment, name, phase, started, record)
             VALUES ('acme', '{id}', 'w', 'live', 'order', '{phase}', 0, '{record}');"
        )
    };
    let before = "DROP INDEX runs_by_environment; DROP INDEX runs_open;
                  CREATE INDEX runs_left ON runs (writer) WHERE phase = 'running';
                  DROP TABLE heads; DROP TABLE green; ALTER TABLE runs DROP COLUMN module;
                  DELETE FROM refinery_schema_history WHERE version >= 3;";
    let runs = [
        run(1, Some(module), "completed"),
        run(2, Some(module), "completed"),
        run(3, Some(faulted), "faulted"),
        run(4, None, "denied"),
    ];
    place.with("runs.sqlite", &format!("{before}{}", runs.concat()));
    let store = place.open();
    let green = store.green(&tenant(), &"live".parse().unwrap(), [module, faulted].into()).await.unwrap();
    assert_eq!(green, [module].into());
}
