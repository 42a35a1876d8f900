//! One person's way through both gates: denied, explained, granted, through; and the audit log has
//! it all.

use lockgate_model::audit::{Link, Outcome, verify};

use crate::house::{House, ORDER};

fn links(house: &House) -> Vec<Link> {
    house
        .cli(&["audit", "export"])
        .lines()
        .filter(|line| !line.starts_with("{\"head\""))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn denied_explained_granted_and_all_of_it_in_the_audit_log() {
    let house = House::start();
    let bob = house.user("bob", &["monitor"]);
    assert_eq!(house.order(&bob, ORDER).status, 403);

    let why = house.cli_no(&["access", "why", "bob", "order-to-erp", "--env", "development"]);
    assert!(why.contains("may NOT execute"), "{why}");
    assert!(why.contains("missing: "), "{why}");
    assert!(why.contains("lockgate "), "it names no command: {why}");

    house.cli(&["profile", "add", "caller", "--permission", "integrations.execute", "--env", "development"]);
    house.cli(&["acl", "add", "callers", "--profile", "caller", "--profile", "administrator"]);
    house.cli(&["acl", "assign", "callers", "--to", "order-to-erp", "--env", "development"]);
    assert_eq!(house.order(&bob, ORDER).status, 403, "the profile is not bob's yet");
    house.cli(&["user", "grant", "bob", "--profile", "caller"]);
    assert_eq!(house.order(&bob, ORDER).status, 200);
    let why = house.cli(&["access", "why", "bob", "order-to-erp", "--env", "development"]);
    assert!(why.contains("may execute") && why.contains("`caller`") && why.contains("`callers`"), "{why}");

    let links = links(&house);
    verify(&links).unwrap();
    let of_bob = |outcome| {
        let said =
            move |l: &&Link| l.entry.principal == "bob" && l.entry.event == "execute" && l.entry.outcome == outcome;
        links.iter().filter(said).count()
    };
    assert_eq!((of_bob(Outcome::Denied), of_bob(Outcome::Allowed)), (2, 1));
    let allowed = links.iter().find(|l| l.entry.principal == "bob" && l.entry.outcome == Outcome::Allowed).unwrap();
    assert!(allowed.entry.run.is_some() && allowed.entry.digest.is_some(), "{allowed:?}");
    assert!(house.cli(&["audit", "verify"]).contains("holds"));
}

/// Each line with its end, as an export has them.
fn ended(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_tampered_audit_log_is_found_offline() {
    let house = House::start();
    let text = house.cli(&["audit", "export"]);
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("{\"head\"")).collect();
    let file = house.folder().join("audit.jsonl");
    let verdict = |lines: &[&str]| {
        std::fs::write(&file, ended(lines)).unwrap();
        house.cli_as(&house.folder().join("none.json"), &["audit", "verify", file.to_str().unwrap()], "").status.code()
    };
    assert_eq!(verdict(&lines), Some(0), "the log itself holds, without any server");
    let changed = lines[2].replace("\"admin\"", "\"nobody\"").replace("\"operator\"", "\"nobody\"");
    assert_ne!(changed, lines[2]);
    assert_eq!(verdict(&[&lines[..2], &[&changed], &lines[3..]].concat()), Some(1), "an edited entry");
    assert_eq!(verdict(&[&lines[..2], &lines[3..]].concat()), Some(1), "a dropped entry");
    assert_eq!(verdict(&[&lines[..2], &[lines[3], lines[2]], &lines[4..]].concat()), Some(1), "two swapped");
    assert_eq!(verdict(&[&lines[..3], &[lines[2]], &lines[3..]].concat()), Some(1), "one twice");
}

/// Signed heads show what a chain by itself cannot: that its end was cut off, or all of it written anew.
#[test]
fn a_log_that_was_cut_or_written_anew_is_found_by_its_key() {
    let house = House::start();
    let key = house.cli(&["audit", "key"]);
    let key = key.trim();
    let text = house.cli(&["audit", "export"]);
    let lines: Vec<&str> = text.lines().collect();
    let file = house.folder().join("audit.jsonl");
    let nobody = house.folder().join("none.json");
    let verify = |lines: &[&str], key: &str| {
        std::fs::write(&file, ended(lines)).unwrap();
        house.cli_as(&nobody, &["audit", "verify", file.to_str().unwrap(), "--key", key], "")
    };
    let whole = verify(&lines, key);
    assert!(whole.status.success(), "{whole:?}");
    let told = String::from_utf8_lossy(&whole.stdout).into_owned();
    assert!(told.contains("signed up to") && !told.contains("not checked"), "{told}");
    let heads = lines.iter().filter(|line| line.starts_with("{\"head\"")).count();
    assert!(heads > 0 && lines[..heads].iter().all(|line| line.starts_with("{\"head\"")));
    for (what, lines) in [
        ("an end that was cut off", &lines[..heads + 2]),
        ("no entry at all", &lines[..heads]),
        ("no head", &lines[heads..]),
    ] {
        assert_eq!(verify(lines, key).status.code(), Some(1), "{what}");
    }
    let upper = lines[heads + 1].replace("\"prev\":\"sha256:", "\"prev\":\"");
    assert_eq!(verify(&[&lines[..=heads], &[&*upper], &lines[heads + 2..]].concat(), key).status.code(), Some(1));
    // Another installation's key tells this log to be none of its own, and without a key nothing is claimed.
    let other = House::start();
    let theirs = other.cli(&["audit", "key"]);
    assert_eq!(verify(&lines, theirs.trim()).status.code(), Some(1));
    let unproven = house.cli_as(&nobody, &["audit", "verify", file.to_str().unwrap()], "");
    assert!(String::from_utf8_lossy(&unproven.stdout).contains("not checked"), "{unproven:?}");
    assert!(house.cli(&["audit", "verify"]).contains("signed up to"));
}
