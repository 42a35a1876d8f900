//! A tenant as files: exported, changed, planned and applied.

use std::path::Path;

use serde_json::json;

use crate::house::House;

fn run(house: &House, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = house.cli_as(&house.data.join("context.json"), arguments, "");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn edit(file: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "no `{from}` in {text}");
    std::fs::write(file, text.replace(from, to)).unwrap();
}

#[test]
fn what_is_exported_is_applied_without_a_change_and_drift_is_shown() {
    let house = House::start();
    house.user("bob", &["monitor"]);
    house.cli(&["group", "add", "crew", "--title", "Crew: 'all' #1", "--profile", "monitor"]);
    house.cli(&["acl", "add", "callers", "--profile", "administrator"]);
    house.cli(&["acl", "assign", "callers", "--to", "order-to-erp", "--env", "development"]);
    let folder = house.folder().join("tenant");
    let at = folder.to_str().unwrap();
    house.cli(&["export", "-o", at]);
    let (code, told, _) = run(&house, &["apply", "-f", at, "--plan", "--prune"]);
    assert_eq!((code, told.as_str()), (Some(0), "everything is as the files say\n"));

    // Nothing of it is secret, and writing it again writes the same.
    let read = || -> Vec<(String, String)> {
        let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let mut all: Vec<_> =
            entries.map(|file| (file.display().to_string(), std::fs::read_to_string(&file).unwrap())).collect();
        all.sort();
        all
    };
    let first = read();
    assert_eq!(first.len(), 9);
    let password = house.ready["password"].as_str().unwrap();
    assert!(first.iter().all(|(_, text)| !text.contains(password) && !text.contains("argon2")));
    house.cli(&["export", "-o", at]);
    assert_eq!(read(), first);

    // Drift on the server, and a change in a file.
    house.cli(&["user", "grant", "bob", "--profile", "developer"]);
    house.cli(&["group", "add", "stray"]);
    std::fs::write(
        folder.join("more.yaml"),
        "profiles:\n  caller: { title: Caller, permissions: [integrations.execute], valid_in: all }\n",
    )
    .unwrap();
    edit(&folder.join("groups.yaml"), "Crew: 'all' #1", "Crew");
    let (code, told, _) = run(&house, &["apply", "-f", at, "--plan"]);
    assert_eq!((code, told.as_str()), (Some(2), "+ profile caller\n~ group crew (title)\n~ user bob (profiles)\n"));
    let (code, json, _) = run(&house, &["--json", "apply", "-f", at, "--plan", "--prune"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (code, &json["plan"][3]["do"], &json["plan"][3]["id"]),
        (Some(2), &"delete".into(), &"stray".into()),
        "{json}"
    );
    assert!(house.cli(&["apply", "-f", at]).ends_with("3 changes were made\n"));
    assert_eq!(run(&house, &["apply", "-f", at, "--plan"]).0, Some(0));
    assert!(house.cli(&["group", "list"]).contains("stray"));
    assert!(house.cli(&["apply", "-f", at, "--prune", "--yes"]).contains("- group stray"));
    assert!(!house.cli(&["group", "list"]).contains("stray"));
}

#[test]
fn a_mistake_in_one_file_applies_nothing() {
    let house = House::start();
    let folder = house.folder().join("tenant");
    std::fs::create_dir(&folder).unwrap();
    let at = folder.to_str().unwrap();
    std::fs::write(folder.join("a.yaml"), "groups:\n  crew: { title: Crew }\n").unwrap();
    let broken = folder.join("b.yaml");
    std::fs::write(&broken, "users:\n  ben: { kind: native, profile: [monitor] }\n").unwrap();
    let (code, _, told) = run(&house, &["apply", "-f", at]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("b.yaml:2:8") && told.contains("^^^") && told.contains("unknown field `profile`"), "{told}");
    // What only the server can tell is told before anything is changed as well.
    std::fs::write(&broken, "users:\n  ben: { kind: native, profiles: [nowhere] }\n").unwrap();
    let (code, _, told) = run(&house, &["apply", "-f", at]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("nowhere"), "{told}");
    assert!(!house.cli(&["group", "list"]).contains("crew"));
    // At a terminal it asks.
    std::fs::remove_file(&broken).unwrap();
    let context = house.data.join("context.json");
    let asked = house.cli_at_terminal(&context, &["apply", "-f", at], "n\n");
    assert!(
        !asked.status.success() && String::from_utf8_lossy(&asked.stdout).contains("make these changes (1)?"),
        "{asked:?}"
    );
    assert!(!house.cli(&["group", "list"]).contains("crew"));
    assert!(house.cli_at_terminal(&context, &["apply", "-f", at], "y\n").status.success());
    assert!(house.cli(&["group", "list"]).contains("crew"));
}

#[test]
fn environments_change_places_and_go_with_what_is_in_them() {
    let house = House::start();
    house.cli(&["env", "add", "moon"]);
    house.cli(&["acl", "assign", "default", "--to", "order-to-erp", "--env", "moon"]);
    let bound = json!({"accounts": {"moon/erp": {"connector": "https", "address": "https://erp.example.com",
        "identity": "system", "settings": {}}}});
    let file = house.folder().join("tenant.json");
    let at = file.to_str().unwrap();
    std::fs::write(&file, bound.to_string()).unwrap();
    house.cli(&["apply", "-f", at]);

    let mut tenant = house.cli_json(&["export"]);
    let environments = &mut tenant["environments"];
    assert_eq!(environments["moon"]["order"], 4);
    for (name, order) in [("test", 2), ("prelive", 1)] {
        environments[name]["order"] = order.into();
    }
    // Another takes the place of the one that goes.
    let mars = json!({"title": "Mars", "order": 4});
    environments.as_object_mut().unwrap().insert("mars".to_owned(), mars);
    environments.as_object_mut().unwrap().remove("moon");
    for kind in ["assignments", "accounts"] {
        tenant[kind].as_object_mut().unwrap().retain(|id, _| !id.starts_with("moon/"));
    }
    std::fs::write(&file, tenant.to_string()).unwrap();
    let told = house.cli(&["apply", "-f", at, "--prune", "--yes"]);
    let gone = "- account moon/erp\n- assignment moon/integrations/order-to-erp\n- environment moon\n";
    assert!(told.contains(gone), "{told}");
    let order: Vec<String> = house.cli_json(&["env", "list"])["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {}", one["id"].as_str().unwrap(), one["body"]["order"]))
        .collect();
    assert_eq!(order, ["development 0", "live 3", "mars 4", "prelive 1", "test 2"]);
    let (code, told, _) = run(&house, &["apply", "-f", at, "--plan", "--prune"]);
    assert_eq!((code, told.as_str()), (Some(0), "everything is as the files say\n"));
}

#[test]
fn a_plan_shows_also_what_no_file_can_do_and_nothing_is_applied_then() {
    let house = House::start();
    let file = house.folder().join("tenant.json");
    let at = file.to_str().unwrap();
    let mut tenant = house.cli_json(&["export"]);
    let account = tenant["accounts"]["development/erp"].clone();
    tenant["accounts"]["development/erp"]["address"] = "https://erp.example.com".into();
    tenant["groups"]["crew"] = json!({"title": "Crew"});
    // As of another tenant, where there is more.
    tenant["schedules"]["live/nothing"] = json!({"paused": true});
    tenant["project-permissions"]["ghost/developer"] = json!({"permissions": []});
    std::fs::write(&file, tenant.to_string()).unwrap();
    let (code, told, _) = run(&house, &["apply", "-f", at, "--plan"]);
    assert_eq!(code, Some(2), "{told}");
    for line in [
        "+ group crew\n",
        "+ project-permission ghost/developer  ! left for later: there is no project `ghost` yet\n",
        "~ account development/erp (address)  ! it has secrets, which files do not hold (",
        "~ schedule live/nothing (paused)  ! left for later: nothing of that name is deployed there\n",
    ] {
        assert!(told.contains(line), "no `{line}` in\n{told}");
    }
    let (code, _, told) = run(&house, &["apply", "-f", at, "--yes"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("LG-ACCOUNT-SECRETS") && told.contains("~ account development/erp (address)"), "{told}");
    assert!(!house.cli(&["group", "list"]).contains("crew"));
    // What is only not there yet hinders nothing else.
    tenant["accounts"]["development/erp"] = account;
    std::fs::write(&file, tenant.to_string()).unwrap();
    let told = house.cli(&["apply", "-f", at, "--yes"]);
    assert!(told.ends_with("1 change was made; left for later: 2\n"), "{told}");
    assert!(house.cli(&["group", "list"]).contains("crew"));
    assert_eq!(run(&house, &["apply", "-f", at, "--plan"]).0, Some(2), "it is not as the files say");
    assert!(house.cli(&["apply", "-f", at, "--yes"]).ends_with("0 changes were made; left for later: 2\n"));
}

#[test]
fn the_server_judges_a_plan_and_accounts_are_part_of_it() {
    let house = House::start();
    let folder = house.folder().join("tenant");
    std::fs::create_dir(&folder).unwrap();
    let at = folder.to_str().unwrap();
    std::fs::write(folder.join("a.yaml"), "groups:\n  crew: { title: Crew }\n").unwrap();
    let account = folder.join("b.yaml");
    let text = "accounts:\n  live/erp: { connector: htps, address: 'https://erp.example.com', identity: system }\n";
    std::fs::write(&account, text).unwrap();
    let (code, told, why) = run(&house, &["apply", "-f", at, "--plan"]);
    assert_eq!((code, told.as_str()), (Some(1), "+ group crew\n+ account live/erp\n"));
    assert!(why.contains("there is no connector `htps`"), "{why}");
    let (code, _, why) = run(&house, &["apply", "-f", at]);
    assert_eq!(code, Some(1));
    assert!(why.contains("there is no connector `htps`"), "{why}");
    assert!(!house.cli(&["group", "list"]).contains("crew"));
    edit(&account, "htps", "https");
    assert_eq!(run(&house, &["apply", "-f", at, "--plan"]).0, Some(2));
    assert!(house.cli(&["apply", "-f", at]).ends_with("2 changes were made\n"));

    // What `apply` takes is what `what-if` takes.
    let swap = "environments:\n  test: { title: Test, order: 2 }\n  prelive: { title: Prelive, order: 1 }\n";
    let swapped = house.folder().join("swap.yaml");
    std::fs::write(&swapped, swap).unwrap();
    let swapped = swapped.to_str().unwrap();
    assert_eq!(house.cli(&["access", "what-if", "-f", swapped]), "nobody gains or loses a right\n");
    house.cli(&["apply", "-f", swapped]);

    // More than a server reads is told, and not taken for a mistake.
    let users: String = (0..40_000).map(|n| format!("  user{n}: {{ kind: native, profiles: [monitor] }}\n")).collect();
    let many = house.folder().join("many.yaml");
    std::fs::write(&many, format!("users:\n{users}")).unwrap();
    let (code, told, why) = run(&house, &["apply", "-f", many.to_str().unwrap(), "--plan"]);
    assert_eq!((code, told.lines().count()), (Some(2), 40_000), "{why}");
    assert!(why.contains("too many changes to be judged together"), "{why}");
}

#[test]
fn who_may_not_see_all_exports_what_they_see() {
    let house = House::start();
    for (user, profile) in [("dev", "developer"), ("mon", "monitor")] {
        house.user(user, &[profile]);
    }
    let as_user = |user: &str| {
        let output = house.cli_as(&house.folder().join(format!("{user}.json")), &["export"], "");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, told, left) = as_user("dev");
    assert_eq!(code, Some(0), "{left}");
    assert!(told.contains("development/erp") && !told.contains("users:") && !told.contains("\n  live/"), "{told}");
    assert!(left.contains("not in it, or not all of it: users (`user-management`)\n"), "{left}");
    assert!(left.contains("not in it, or not all of it: environments (`export`)\n"), "{left}");
    // Nothing of it takes away what it does not tell.
    let file = house.folder().join("part.yaml");
    std::fs::write(&file, told).unwrap();
    assert_eq!(run(&house, &["apply", "-f", file.to_str().unwrap(), "--plan", "--prune"]).0, Some(0));
    let (code, _, why) = as_user("mon");
    assert_eq!(code, Some(3), "{why}");
    assert!(house.cli(&["audit", "find", "--event", "export"]).contains("dev"));
}
