//! One person's way through both gates: denied, explained, granted, through; and the audit log has
//! it all.

use lockgate_model::audit::{Link, Outcome, verify};

use crate::house::{House, ORDER};

fn links(house: &House) -> Vec<Link> {
    house.cli(&["audit", "export"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
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

#[test]
fn a_tampered_audit_log_is_found_offline() {
    let house = House::start();
    let text = house.cli(&["audit", "export"]);
    let lines: Vec<&str> = text.lines().collect();
    let file = house.folder().join("audit.jsonl");
    let verdict = |lines: &[&str]| {
        std::fs::write(&file, lines.join("\n")).unwrap();
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
