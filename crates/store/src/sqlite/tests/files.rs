//! The data directory: private, one process at a time, nothing readable in it.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
};

use lockgate_model::{
    Digest, RunId, RunRecord,
    run::{Phase, RunError, TaskTime},
};
use serde_json::json;

use super::{NOW, Place, change, run, tenant};
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

/// Files of older versions knew green runs by their records alone, and records repeated what has a column.
#[tokio::test]
async fn runs_of_an_older_version_are_read_and_green_still() {
    let place = Place::new();
    drop(place.open());
    let (module, faulted) = (Digest::of(b"module"), Digest::of(b"faulted"));
    let error = RunError { kind: "limit".into(), code: "LG-X".into(), task: "/do/0".into(), status: 500 };
    let task = TaskTime { task: "/do/0".into(), entered: 1, wall_us: 2, first_us: 3, last_us: 4 };
    let kept = |module: Option<Digest>, phase| RunRecord { module, phase, ..run() };
    let runs = [
        kept(Some(module), Phase::Completed),
        RunRecord { restarts: Some(RunId::new()), cost: 7, tasks: vec![task], ..kept(Some(module), Phase::Completed) },
        RunRecord { error: Some(error), ended: Some(NOW), ..kept(Some(faulted), Phase::Faulted) },
        kept(None, Phase::Denied),
    ];
    let row = |run: &RunRecord| {
        // An outcome where there is one, else what the record says.
        let outcome = (run.cost > 0).then(|| json!({"error": null, "cost": run.cost, "bytes": {}, "tasks": run.tasks}));
        let outcome = outcome.map_or("NULL".to_owned(), |outcome| format!("'{outcome}'"));
        let ended = run.ended.map_or("NULL".to_owned(), |ended| ended.0.to_string());
        let (id, phase, started, record) = (run.id, run.phase.as_str(), run.started.0, json!(run));
        format!(
            "INSERT INTO runs (tenant, id, writer, environment, name, phase, started, ended, record, outcome)
             VALUES ('acme', '{id}', 'w', 'live', 'order', '{phase}', {started}, {ended}, '{record}', {outcome});"
        )
    };
    let before = "DROP INDEX runs_by_environment; DROP INDEX runs_open;
                  CREATE INDEX runs_left ON runs (writer) WHERE phase = 'running';
                  DROP TABLE heads; DROP TABLE anchors; DROP INDEX audit_by_time; DROP TABLE green; ALTER TABLE runs DROP COLUMN module;
                  DELETE FROM refinery_schema_history WHERE version >= 3;";
    place.with("runs.sqlite", &format!("{before}{}", runs.iter().map(row).collect::<String>()));
    let store = place.open();
    let green = store.green(&tenant(), &"live".parse().unwrap(), [module, faulted].into()).await.unwrap();
    assert_eq!(green, [module].into());
    for run in runs {
        assert_eq!(store.run(&tenant(), run.id).await.unwrap(), Some(run));
    }
}
