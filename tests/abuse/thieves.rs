//! Rows 28 and 29: who has the files, and who would have the audit log say something else.

use std::process::Command;

use lockgate_testkit::process::program;

use crate::house::{House, ORDER};

/// Row 28: both files of yesterday beside heads that were kept elsewhere, and yesterday's definitions beside today's log.
#[test]
fn a28_files_that_are_put_back_are_found() {
    let house = House::start();
    house.user("bob", &["administrator"]);
    let key = house.cli(&["audit", "key"]);
    let at = |name: &str| house.folder().join(name).display().to_string();
    let (data, yesterday, today) = (house.data.display().to_string(), at("yesterday"), at("today"));
    let (file, nobody) = (at("audit.jsonl"), house.folder().join("none.json"));
    let house = house.serve(&format!("cp -a '{data}' '{yesterday}' &&"), &[]);
    house.cli(&["user", "disable", "bob"]);
    let kept = house.cli(&["audit", "export"]);
    let back = format!("cp -a '{data}' '{today}' && rm -r '{data}' && cp -a '{yesterday}' '{data}' &&");
    let house = house.serve(&back, &[]);
    // Whoever kept the signed heads of today sees that the log is shorter.
    let of = |text: &str, heads: bool| -> String {
        let lines = text.lines().filter(|line| line.starts_with("{\"head\"") == heads);
        lines.map(|line| format!("{line}\n")).collect()
    };
    let now = house.cli(&["audit", "export"]);
    let verdict = |text: String| {
        std::fs::write(&file, text).unwrap();
        house.cli_as(&nobody, &["audit", "verify", &file, "--key", key.trim()], "").status.code()
    };
    assert_eq!(verdict(now.clone()), Some(0));
    assert_eq!(verdict(of(&kept, true) + &of(&now, false)), Some(1));

    // Definitions of yesterday beside the log of today: bob would be let in again.
    let data = house.data.clone();
    let _folder = house.end();
    std::fs::remove_dir_all(&data).unwrap();
    let mixed = format!(
        "cp -a '{today}' '{0}' && rm -f '{0}'/definitions.sqlite* && cp -a '{yesterday}'/definitions.sqlite* '{0}'",
        data.display()
    );
    assert!(Command::new("sh").args(["-c", &mixed]).status().unwrap().success());
    let mut serve = Command::new("timeout");
    serve.arg("60").arg(program()).args(["serve", "--json", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
    let output = serve.output().unwrap();
    assert!(!matches!(output.status.code(), Some(0 | 124)), "it serves yesterday's rights: {output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("LG-"), "{output:?}");
}

/// Row 29: no byte of a log changes unseen.
#[test]
fn a29_no_byte_of_the_audit_log_changes_unseen() {
    let house = House::start();
    assert_eq!(house.order(&house.administrator(), ORDER).status, 200);
    let key = house.cli(&["audit", "key"]);
    let whole = house.cli(&["audit", "export"]).into_bytes();
    let file = house.folder().join("audit.jsonl");
    let verdict = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        let verify = ["audit", "verify", file.to_str().unwrap(), "--key", key.trim()];
        house.cli_as(&house.folder().join("none.json"), &verify, "").status.code()
    };
    assert_eq!(verdict(&whole), Some(0));
    // Each is a program that starts: some hundred places, in every line.
    let step = (whole.len() / 120).max(1);
    for at in (0..whole.len()).step_by(step) {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        assert_eq!(
            verdict(&changed),
            Some(1),
            "byte {at}: {}",
            String::from_utf8_lossy(&changed[at.saturating_sub(40)..])
        );
    }
    // An end that was cut off below what is signed.
    let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(verdict(&lines[..lines.len() / 2].concat()), Some(1));
}
