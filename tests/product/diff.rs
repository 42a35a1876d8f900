//! What a new version may touch that the old one could not, and that the same sources give the same modules.

use std::{
    path::Path,
    process::{Command, Output},
};

use lockgate_testkit::process::program;
use serde_json::{Value, json};

fn lockgate(arguments: &[&str]) -> Output {
    Command::new(program()).args(arguments).output().unwrap()
}

fn project(folder: &Path, tasks: &str, schedule: &str) {
    std::fs::create_dir_all(folder).unwrap();
    let accounts = "accounts:\n  erp: { connector: https, operations: [get, post] }\n";
    std::fs::write(folder.join("project.yaml"), format!("project: shop\n{accounts}")).unwrap();
    let flow = format!(
        "document: {{ dsl: '1.0.3', namespace: s, name: orders, version: '1.0.0' }}\nevaluate: {{ language: jsonata }}\n{schedule}do:\n{tasks}"
    );
    std::fs::write(folder.join("orders.flow.yaml"), flow).unwrap();
}

fn call(name: &str, operation: &str, path: &str) -> String {
    format!("  - {name}: {{ call: https.{operation}:1@default, with: {{ account: erp, path: {path} }} }}\n")
}

#[test]
fn what_a_new_version_may_do_more_is_shown_and_ends_with_1() {
    let folder = lockgate_testkit::temp_dir();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    let paths = [old.to_str().unwrap(), new.to_str().unwrap()];
    let compared = |swapped: bool| {
        let [old, new] = if swapped { [paths[1], paths[0]] } else { paths };
        lockgate(&["diff", old, new])
    };
    assert_eq!(compared(false).status.code(), Some(2), "there is nothing yet");
    project(&old, &(call("a", "get", "/orders/7") + &call("b", "get", "/stock")), "");
    project(&new, &call("a", "get", "/orders/7"), "");
    let output = compared(false);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("- https.get through account `erp` /stock"), "{output:?}");
    let output = compared(true);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("+ https.get through account `erp` /stock  (orders)"));

    // A path that is computed is more than one of its values; another operation and a schedule too.
    let run = "  - c: { run: { workflow: { namespace: s, name: other, version: 1.0.0 } } }\n";
    let computed = call("a", "get", "'${ \"/orders/\" & id }'") + &call("d", "post", "/orders/7") + run;
    project(&new, &computed, "schedule: { every: PT15M }\n");
    let output = lockgate(&["--json", "diff", paths[0], paths[1]]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let may: Vec<&str> = value["may"].as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap()).collect();
    assert_eq!(
        may,
        ["https.get through account `erp` /orders/*", "https.post through account `erp` /orders/7", "run other"]
    );
    assert_eq!(value["schedules"], json!(["orders runs by itself: every 900 s"]));

    // Another flow that reaches what the first one did already is told: it has its own list of who may run it.
    let second = std::fs::read_to_string(old.join("orders.flow.yaml")).unwrap().replace("name: orders", "name: copies");
    std::fs::write(old.join("copies.flow.yaml"), second.replace("/stock", "/orders/7")).unwrap();
    project(&new, &call("a", "get", "/orders/7"), "");
    std::fs::write(new.join("copies.flow.yaml"), second.clone()).unwrap();
    std::fs::write(new.join("third.flow.yaml"), second.replace("name: copies", "name: third")).unwrap();
    let output = compared(false);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = String::from_utf8_lossy(&output.stdout);
    for wanted in ["/stock  (copies)", "/orders/7  (third)", "/stock  (third)"] {
        assert!(told.contains(&format!("+ https.get through account `erp` {wanted}")), "{wanted}: {told}");
    }
    assert!(!told.contains("+ https.get through account `erp` /orders/7  (copies)"), "{told}");
    assert!(told.contains("- https.get through account `erp` /stock  (orders)"), "{told}");
    std::fs::remove_file(old.join("copies.flow.yaml")).unwrap();
    std::fs::remove_file(new.join("copies.flow.yaml")).unwrap();
    std::fs::remove_file(new.join("third.flow.yaml")).unwrap();
    project(&new, &computed, "schedule: { every: PT15M }\n");

    // Built modules tell the same.
    for (from, to) in [(&old, "old.wasm"), (&new, "new.wasm")] {
        let out = folder.path().join(to).with_extension("d");
        let built = lockgate(&["build", from.to_str().unwrap(), "--out", out.to_str().unwrap()]);
        assert!(built.status.success(), "{built:?}");
    }
    let built = |side: &str| folder.path().join(format!("{side}.d/orders.wasm")).to_str().unwrap().to_owned();
    let output = lockgate(&["--json", "diff", &built("old"), &built("new")]);
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap(), value);
    std::fs::write(folder.path().join("none.wasm"), b"\0asm").unwrap();
    let none = folder.path().join("none.wasm");
    assert_eq!(lockgate(&["diff", none.to_str().unwrap(), &built("new")]).status.code(), Some(1));
}

#[test]
fn two_clean_builds_give_the_same_bytes() {
    // Each build is a process of its own, with hash seeds of its own; the second folder's files are made in
    // another order.
    let folder = lockgate_testkit::temp_dir();
    let from = lockgate_testkit::workspace_root().join("tests/flows");
    let mut files = Vec::new();
    walk(&from, &mut files);
    files.sort();
    let build = |name: &str, files: &[std::path::PathBuf]| {
        let copy = folder.path().join(name);
        for file in files {
            let to = copy.join(file.strip_prefix(&from).unwrap());
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(file, to).unwrap();
        }
        let output = lockgate(&["--json", "build", copy.to_str().unwrap()]);
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let first = build("first", &files);
    assert!(first["modules"].as_array().unwrap().len() > 30);
    files.reverse();
    assert_eq!(build("second", &files), first);
}

fn walk(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, files) } else { files.push(path) }
    }
}
