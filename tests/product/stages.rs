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
    for line in section.lines().filter_map(|line| line.strip_prefix("    lockgate ")) {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{} {line}", program().display())]).current_dir(&here);
        shell.env("LOCKGATE_CONTEXT", house.data.join("context.json"));
        let output = with_input(&mut shell, "");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let no = line.ends_with("--dry-run") || line == "access why webshop hello --env development";
        assert_eq!(output.status.code(), Some(i32::from(no)), "{line}\n{output:?}");
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
    assert!(commands > 20, "{commands} commands");
    println!("{commands} commands in {} s", began.elapsed().as_secs());
}
