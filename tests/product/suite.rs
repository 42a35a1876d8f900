//! The public JSONata suite through the compiled path: what is compiled now must be right; what
//! waits for later must be refused, never answered wrongly.

use std::process::Command;

use lockgate_testkit::process::program;

/// Cases that pass today; this number may only grow.
const PASSED_MIN: u64 = 1_063;

#[test]
fn the_public_suite_is_passed_or_refused_case_by_case() {
    let Some(suite) = lockgate_testkit::suite("jsonata") else { return };
    let folder = lockgate_testkit::temp_dir();
    let results = folder.path().join("results.json");
    let run = Command::new("python3")
        .arg(suite.join("run.py"))
        .args(["-v", "--timeout", "60", "--json"])
        .arg(&results)
        .arg("--")
        .arg(program())
        .args(["eval", "--lines"])
        .env("PYTHONIOENCODING", "utf-8:backslashreplace")
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&run.stdout);
    let results = std::fs::read(&results).unwrap_or_else(|e| panic!("no results ({e}): {run:?}"));
    let results: serde_json::Value = serde_json::from_slice(&results).unwrap();
    let total = |verdict: &str| results["total"][verdict].as_u64().unwrap_or(0);
    let wrong: Vec<&str> = shown.lines().filter(|line| line.starts_with("FAIL")).collect();
    assert_eq!(total("fail"), 0, "cases are wrong:\n{}", wrong.join("\n"));
    // The one thing that is left out, and is no pass.
    let skipped = shown.lines().filter(|line| line.starts_with("SKIP")).filter(|line| !line.contains("$eval"));
    assert_eq!(skipped.collect::<Vec<_>>(), [""; 0]);
    assert!(total("pass") >= PASSED_MIN, "only {} cases pass", total("pass"));
}
