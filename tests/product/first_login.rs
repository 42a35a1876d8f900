//! The first login that `user add` and `tenant create` print works as it stands, and no login replaces
//! the session of somebody else unasked.

use std::process::{Command, Output};

use lockgate_testkit::process::program;

use crate::house::{House, with_input};

const PASSWORD: &str = "Korrekt-Pferd-7-Batterie";

/// Follows what was printed: the token at its prompt, the command in a shell. `more` goes behind it.
fn follow(house: &House, printed: &str, more: &str) -> Output {
    let token = printed.split_whitespace().find(|word| word.starts_with("lgt_")).expect(printed);
    let line = printed.split_once("first login: ").expect(printed).1.trim();
    let line = line.replace(" lockgate ", &format!(" {} ", program().display()));
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{line} --password-stdin {more}")]).current_dir(house.folder());
    with_input(&mut shell, &format!("{token}\n{PASSWORD}\n"))
}

fn user_of(house: &House, context: &str) -> String {
    let text = std::fs::read(house.folder().join(context)).unwrap();
    serde_json::from_slice::<serde_json::Value>(&text).unwrap()["user"].as_str().unwrap().to_owned()
}

#[test]
fn the_first_login_that_is_printed_signs_in_and_leaves_other_sessions_alone() {
    let house = House::start();
    let admin = house.data.join("context.json");
    let before = std::fs::read(&admin).unwrap();
    let done = follow(&house, &house.cli(&["user", "add", "bob", "--profile", "monitor"]), "");
    assert!(done.status.success(), "{done:?}");
    assert_eq!(user_of(&house, "bob.json"), "bob");
    let data = house.data.to_str().unwrap();
    let created = house.cli(&["operator", "tenant", "create", "acme", "--administrator", "root", "--data", data]);
    let done = follow(&house, &created, "");
    assert!(done.status.success(), "{done:?}");
    assert_eq!(user_of(&house, "acme-root.json"), "root");
    assert_eq!(std::fs::read(&admin).unwrap(), before, "the administrator's session is as it was");
}

#[test]
fn a_login_does_not_replace_the_session_of_somebody_else_unasked() {
    let house = House::start();
    let bob = house.user("bob", &["monitor"]);
    let (context, url, ca) = (house.folder().join("bob.json"), house.text("listener_url"), house.text("ca_file"));
    let printed = house.cli_json(&["user", "add", "eve", "--profile", "monitor"]);
    let token = printed["token"].as_str().unwrap();
    let eve = ["login", &url, "--tenant", "demo", "--user", "eve", "--ca", &ca, "--token", "--password-stdin"];
    let secrets = format!("{token}\n{PASSWORD}\n");
    let refused = house.cli_as(&context, &eve, &secrets);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{text}");
    assert!(text.contains("`bob`") && text.contains("--replace") && text.contains("LOCKGATE_CONTEXT"), "{text}");
    assert_eq!(user_of(&house, "bob.json"), "bob");
    // The token was not spent by that; bob signs in again as ever.
    let password = bob.split_once(':').unwrap().1;
    let own = ["login", &url, "--tenant", "demo", "--user", "bob", "--ca", &ca, "--password-stdin"];
    assert!(house.cli_as(&context, &own, &format!("{password}\n")).status.success());
    let done = house.cli_as(&context, &[&eve[..], &["--replace"]].concat(), &secrets);
    assert!(done.status.success(), "{done:?}");
    assert_eq!(user_of(&house, "bob.json"), "eve");
    // At a terminal it is asked about.
    let at_terminal = |typed: &str| {
        let login = ["login", &url, "--tenant", "demo", "--user", "bob", "--ca", &ca];
        house.cli_at_terminal(&context, &login, typed)
    };
    let kept = at_terminal("no\n");
    assert!(!kept.status.success() && user_of(&house, "bob.json") == "eve", "{kept:?}");
    assert!(String::from_utf8_lossy(&kept.stdout).contains("Type yes"), "{kept:?}");
    let replaced = at_terminal(&format!("yes\n{password}\n"));
    assert!(replaced.status.success() && user_of(&house, "bob.json") == "bob", "{replaced:?}");
    // What is no context is somebody's file.
    std::fs::write(&context, "precious").unwrap();
    assert_eq!(house.cli_as(&context, &own, &format!("{password}\n")).status.code(), Some(2));
    assert_eq!(std::fs::read_to_string(&context).unwrap(), "precious");
}

#[test]
fn a_pin_holds_over_a_restart_and_is_shown_before_a_password_is_asked_for() {
    let house = House::start();
    let bob = house.user("bob", &["monitor"]);
    let password = bob.split_once(':').unwrap().1.to_owned();
    let house = house.serve("", &[]);
    let context = house.folder().join("pinned.json");
    let pin = house.text("fingerprint");
    let login = |house: &House, more: &[&str]| {
        let url = house.text("listener_url");
        let login = ["login", &url, "--tenant", "demo", "--user", "bob", "--password-stdin", "--replace"];
        house.cli_as(&context, &[&login[..], more].concat(), &format!("{password}\n"))
    };
    assert!(login(&house, &["--pin", &pin]).status.success());
    let house = house.serve("", &[]);
    assert_eq!(house.text("fingerprint"), pin, "the certificate is the one of before");
    let again = login(&house, &["--pin", &pin]);
    assert!(again.status.success(), "{again:?}");

    // At a terminal: the fingerprint first; who says no has typed no password.
    let url = house.text("listener_url");
    let asked = ["login", &url, "--tenant", "demo", "--user", "bob", "--replace"];
    let refused = house.cli_at_terminal(&context, &asked, "no\n");
    let shown = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(!refused.status.success() && shown.contains(&pin) && !shown.contains("password:"), "{shown}");
    let done = house.cli_at_terminal(&context, &asked, &format!("yes\n{password}\n"));
    assert!(done.status.success(), "{done:?}");
}
