//! "Four stages in fifteen minutes" of docs/access.md is true: its files are written and its commands run, in their
//! order, as they stand there.

use std::process::Command;

use lockgate_testkit::process::program;

use crate::house::{House, with_input};

/// The files of the page, each named in the line before it.
fn files(section: &str) -> Vec<(&str, &str)> {
    let blocks = section.split("```yaml definitions\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let names = section.split("```yaml definitions\n").map(|before| {
        let named = before.trim_end().rsplit('`').nth(1).unwrap_or_default();
        named.split_whitespace().next().unwrap_or_default()
    });
    names.zip(blocks).collect()
}

#[test]
fn every_command_of_the_four_stages_does_what_it_says() {
    let house = House::start();
    let page = std::fs::read_to_string(lockgate_testkit::workspace_root().join("docs/access.md")).unwrap();
    let section = page.split("## Four stages in fifteen minutes").nth(1).unwrap().split("\n## ").next().unwrap();
    let files = files(section);
    assert_eq!(files.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["stages.yaml", "hello.yaml"]);
    let here = house.folder().join("here");
    std::fs::create_dir(&here).unwrap();
    for (name, text) in files {
        std::fs::write(here.join(name), text).unwrap();
    }
    let (mut commands, began) = (0, std::time::Instant::now());
    let mut token = std::collections::BTreeMap::new();
    let commands_of = section.lines().filter_map(|line| line.strip_prefix("    "));
    let commands_of = commands_of.filter(|line| line.starts_with("lockgate ") || line.starts_with("LOCKGATE_CONTEXT="));
    for typed in commands_of {
        let (by, line) = typed.split_once("lockgate ").unwrap();
        let mut shell = Command::new("sh");
        // People type what is secret, and the address of their server.
        let (mut rest, mut input) = (line.to_owned(), String::new());
        if line.starts_with("login ") {
            rest = rest.replace("URL", &house.text("listener_url")).replace("TENANT", "demo");
            rest = format!("{rest} --ca {} --password-stdin", house.text("ca_file"));
            input = format!("{}\nKorrekt-Pferd-7-Batterie\n", token[by]);
        }
        if line.starts_with("user add ") && !line.contains("--service") {
            rest = format!("--json {rest}");
        }
        shell.args(["-c", &format!("{by}{} {rest}", program().display())]).current_dir(&here);
        shell.env("LOCKGATE_CONTEXT", house.data.join("context.json"));
        let output = with_input(&mut shell, &input);
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        if let Some(user) = rest.strip_prefix("--json user add ").and_then(|rest| rest.split(' ').next()) {
            let printed: serde_json::Value = serde_json::from_str(&told).unwrap();
            token.insert(format!("LOCKGATE_CONTEXT={user}.json "), printed["token"].as_str().unwrap().to_owned());
        }
        let code = match line {
            "promote hello development test --acl callers" if by.contains("dana") => 3,
            "access why webshop hello --env development" => 1,
            _ => i32::from(line.ends_with("--dry-run")),
        };
        assert_eq!(output.status.code(), Some(code), "{typed}\n{output:?}");
        let says = |what: &str| assert!(told.contains(what), "{line}: {told}");
        match line {
            "env list" => ["development", "test", "prelive", "live"].into_iter().for_each(says),
            "profile list" => ["developer", "devops", "monitor"].into_iter().for_each(says),
            "access what-if -f stages.yaml" => says("nobody gains or loses a right"),
            "access matrix --user dana" => {
                // All that a developer may outside of Development and its projects is to run.
                for right in told.lines().filter(|line| {
                    ["test", "prelive", "live"].iter().any(|e| line.contains(&format!("environment/{e} ")))
                }) {
                    assert!(right.contains("integrations.execute"), "{right}");
                }
                says("dana  environment/development  deploy  by profile developer of group developers");
                assert!(!told.contains("environment/live"), "{told}");
            }
            "access matrix --user olga --env live" => {
                says("olga  environment/live  deploy  by profile devops of group operations")
            }
            "access what-if -f hello.yaml" => {
                says("+ mona  project/hello  integrations.update  by project permission developer");
                assert!(told.lines().all(|line| line.starts_with("+ mona  project/hello  ")), "{told}");
            }
            _ if line.ends_with("--dry-run") => says("deploy.no-green-run"),
            "access why webshop hello --env live" => says("`caller`"),
            "access matrix --format csv" => {
                assert!(
                    told.starts_with("user,scope,right,profile,acl,project_permission,group,support,until\r\n"),
                    "{told}"
                );
                says("webshop,environment/live,execute integrations/hello,caller,callers,,,,\r\n");
                assert!(!told.contains("dana,environment/live,"), "{told}");
                assert!(told.lines().all(|line| line.split(',').count() == 9));
            }
            _ => {}
        }
        commands += 1;
    }
    assert!(commands > 26, "{commands} commands");
    println!("{commands} commands in {} s", began.elapsed().as_secs());
}
