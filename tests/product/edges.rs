//! The command line at its edges: help, refusals for programs, what is given and cannot be, and notes on
//! what somebody would otherwise find out late.

use std::process::{Command, Output};

use lockgate_testkit::process::program;

use crate::house::{House, with_input};

fn lockgate(arguments: &[&str]) -> Output {
    with_input(Command::new("timeout").arg("60").arg(program()).args(arguments), "")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn help_says_what_the_product_is() {
    let help = text(&lockgate(&["--help"]).stdout);
    assert!(help.starts_with("An integration runtime"), "{help}");
    let help = text(&lockgate(&["quickstart", "--help"]).stdout);
    assert!(help.contains("practice endpoints"), "{help}");
}

#[test]
fn a_command_that_cannot_be_taken_is_json_where_json_was_asked_for() {
    for arguments in [&["--json", "runs", "list"][..], &["runs", "list", "--json"], &["--json", "nonsense"]] {
        let refused = lockgate(arguments);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
        let told: serde_json::Value = serde_json::from_slice(&refused.stderr).unwrap();
        assert_eq!(told["error"]["code"], "LG-USAGE", "{told}");
        assert!(!told["error"]["message"].as_str().unwrap().contains(['\n', '\u{1b}']), "{told}");
    }
    for command in [&["runs", "list", "--env", "x"][..], &["logs", "--env", "x"], &["audit", "log"]] {
        let none = lockgate(&[command, &["--limit", "0"]].concat());
        assert_eq!(none.status.code(), Some(2), "nothing is no number of lines: {none:?}");
    }
}

#[test]
fn what_is_given_to_serve_is_read_before_anything_is_made_or_told() {
    let folder = lockgate_testkit::temp_dir();
    let data = folder.path().join("data");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap(), "--otlp"];
    for otlp in [&["http://collector.example"][..], &["https://collector.example", "--otlp-ca", "/nowhere.pem"]] {
        let refused = lockgate(&[&serve[..], otlp].concat());
        assert_eq!((refused.status.code(), text(&refused.stdout)), (Some(2), String::new()), "{refused:?}");
        assert!(!data.exists(), "{otlp:?}");
    }
}

#[test]
fn notes_tell_what_somebody_would_find_out_late() {
    let house = House::start();
    let admin = house.data.join("context.json");
    let told = |arguments: &[&str]| {
        let output = house.cli_as(&admin, arguments, "");
        assert!(output.status.success(), "{output:?}");
        text(&output.stderr)
    };
    let assigned = told(&["acl", "assign", "default", "--to", "order-to-epr", "--env", "development"]);
    assert!(assigned.contains("nothing named `order-to-epr` is active"), "{assigned}");
    assert_eq!(told(&["acl", "assign", "default", "--to", "order-to-erp", "--env", "development"]), "");
    assert_eq!(told(&["account", "rm", "bank", "--env", "development"]), "", "nothing that is active uses it");
    let gone = told(&["account", "rm", "crm", "--env", "development"]);
    assert!(gone.contains("`order-to-erp` uses it"), "{gone}");

    // Two servers on one directory: the second says so, once.
    let second = lockgate(&["serve", "--listen", "127.0.0.1:0", "--data", house.data.to_str().unwrap()]);
    assert!(!second.status.success());
    assert_eq!(text(&second.stderr).matches("cannot open the store").count(), 1, "{second:?}");
}

#[test]
fn quickstart_once_says_that_it_has_ended() {
    let once = lockgate(&["quickstart", "--once", "--no-database"]);
    assert!(once.status.success() && text(&once.stderr).contains("has ended"), "{once:?}");
}
