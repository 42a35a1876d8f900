//! What a command shows arrives, or the command says that it did not. Who reads no further ends it.

use std::process::{Command, Output};

use lockgate_testkit::process::program;

use crate::house::{House, ORDER, with_input};

/// A line of a shell in which `$P` is the program, and `$S` the exit code of what is before a pipe. What
/// hangs is ended after a minute, with code 124.
fn shell(line: &str, house: Option<&House>) -> Output {
    let mut command = Command::new("timeout");
    command.args(["60", "bash", "-c", line]).env("P", program());
    if let Some(house) = house {
        command.env("LOCKGATE_CONTEXT", house.data.join("context.json")).current_dir(house.folder());
    }
    with_input(&mut command, "")
}

fn is_refused(output: &Output, code: &str) {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(code), "{said}");
}

#[test]
fn a_full_disk_is_told() {
    is_refused(&shell("$P connector list >/dev/full", None), "LG-IO");
    is_refused(&shell("$P completions bash >/dev/full", None), "LG-IO");
    is_refused(&shell("echo 1 | $P eval '$' >/dev/full", None), "LG-IO");
    let house = House::start();
    is_refused(&shell("$P audit export >/dev/full", Some(&house)), "LG-IO");
    is_refused(&shell("$P --json runs list --env development >/dev/full", Some(&house)), "LG-IO");
}

#[test]
fn who_reads_no_further_ends_it_in_peace() {
    let house = House::start();
    for line in ["completions bash", "connector list", "connector doc sftp", "audit export"] {
        let output = shell(&format!("$P {line} | head -1; exit ${{PIPESTATUS[0]}}"), Some(&house));
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{line}: {output:?}");
    }
    // These wait for what comes, and nothing more comes than one order.
    let watching = "$P runs watch --env development";
    let line = format!("{watching} | head -1; exit ${{PIPESTATUS[0]}}");
    let output = std::thread::scope(|scope| {
        let watch = scope.spawn(|| shell(&line, Some(&house)));
        while !watch.is_finished() {
            assert_eq!(house.order(&house.administrator(), ORDER).status, 200);
            std::thread::sleep(std::time::Duration::from_millis(300));
        }
        watch.join().unwrap()
    });
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    for line in [watching, "$P logs --env development --follow"] {
        let output = shell(&format!("{line} | true; exit ${{PIPESTATUS[0]}}"), Some(&house));
        assert_eq!(output.status.code(), Some(0), "{line}: {output:?}");
    }
}

#[test]
fn an_empty_log_does_not_hold() {
    let folder = lockgate_testkit::temp_dir();
    let file = folder.path().join("empty.jsonl");
    std::fs::write(&file, "").unwrap();
    let output = shell(&format!("$P audit verify {}", file.display()), None);
    is_refused(&output, "LG-AUDIT-EMPTY");
    assert!(output.stdout.is_empty(), "{output:?}");
}
