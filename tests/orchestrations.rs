//! The cases of orchestrations by `lockgate test`: those that ship in `orchestrations/`, and `tests/flows/`, which has a
//! case for every kind of task.

use std::{path::Path, process::Command};

use lockgate_testkit::process::program;
use serde_json::Value;

/// Runs all cases of a project, which must do what they say; returns how many there are.
fn run(root: &Path) -> usize {
    let output = Command::new(program()).args(["--json", "test"]).arg(root).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let report: Value = serde_json::from_str(&told).unwrap_or_else(|_| panic!("{}: {output:?}", root.display()));
    let cases = report["cases"].as_array().unwrap();
    let failed: Vec<&Value> = cases.iter().filter(|case| case["passed"] != true).collect();
    assert!(output.status.success() && failed.is_empty(), "{}: {failed:#?}", root.display());
    cases.len()
}

#[test]
fn shipped_orchestrations_do_what_their_cases_say() {
    let mut projects = 0;
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("orchestrations")).unwrap() {
        assert!(run(&entry.unwrap().path()) > 0, "an orchestration ships without cases");
        projects += 1;
    }
    assert!(projects > 0);
}

#[test]
fn every_kind_of_task_does_what_its_cases_say() {
    assert!(run(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/flows")) >= 133);
}
