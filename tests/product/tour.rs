//! README.md and docs/tour.md are true: its commands are run in their order, as they stand there, and their words in
//! capitals come from what quickstart and the commands before have printed, and from nowhere else.

use std::{
    io::{BufRead, BufReader},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use lockgate_testkit::process::{Running, program};

use crate::house::with_input;

/// A folder in which `./try` has built: the program and the orchestrations.
fn built(folder: &Path) -> PathBuf {
    let (root, here) = (lockgate_testkit::workspace_root(), folder.join("here"));
    std::fs::create_dir_all(here.join("target/try")).unwrap();
    symlink(program(), here.join("target/try/lockgate")).unwrap();
    for name in ["orchestrations", "benches"] {
        symlink(root.join(name), here.join(name)).unwrap();
    }
    here
}

/// What has been printed so far: by quickstart, and by each command of the page.
struct Screen {
    quickstart: String,
    commands: Vec<(String, String)>,
}

/// The text behind `before` in a line, up to `after`.
fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    text.lines().find_map(|line| {
        let rest = line.split_once(before)?.1.trim_start();
        Some(rest.split_once(after).map_or(rest, |(word, _)| word))
    })
}

impl Screen {
    /// The line that a command has printed for something.
    fn row(&self, command: &str, first: &str) -> Option<Vec<&str>> {
        let (_, told) = self.commands.iter().rev().find(|(line, _)| line.contains(command))?;
        told.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).find(|row| row.first() == Some(&first))
    }

    /// A word of the page, where its table says that it stands.
    fn word(&self, word: &str) -> Option<String> {
        let of_quickstart = |before: &str, after: &str| between(&self.quickstart, before, after);
        let address = |account: &str| self.row("account list", account)?.get(2).copied();
        let found = match word {
            "SERVER" => of_quickstart("server  ", "\n"),
            "PASSWORD" => of_quickstart("password  ", "\n"),
            "CA_FILE" => of_quickstart("CA file  ", "\n"),
            "DATA" => of_quickstart("data  ", "\n"),
            "HOST_KEY" => of_quickstart("host key  ", "\n"),
            "ORDER_URL" => of_quickstart("sample.json ", "\n"),
            "SFTP_PORT" => of_quickstart("files  ", " as ").and_then(|url| url.rsplit(':').next()),
            "SFTP_PASSWORD" => of_quickstart("practice, password ", "\n"),
            "RUN" => {
                let (_, told) = self.commands.iter().rev().find(|(line, _)| line.contains("runs list"))?;
                told.lines().nth(1)?.split_whitespace().next()
            }
            "CRM_ADDRESS" => address("crm"),
            "CRM_PORT" => address("crm").and_then(|url| url.rsplit(':').next()?.split('/').next()),
            "ERP_ADDRESS" => address("erp"),
            _ => None,
        };
        found.map(str::to_owned)
    }

    /// The one-time token that the last `user add` has printed.
    fn token(&self) -> Option<&str> {
        let (_, told) = self.commands.iter().rev().find(|(line, _)| line.contains("user add"))?;
        told.split_whitespace().find(|word| word.starts_with("lgt_"))
    }

    /// A command of the page with its words.
    fn told(&self, line: &str) -> String {
        let capital = |c: char| c.is_ascii_uppercase() || c == '_';
        let (mut command, mut rest) = (String::new(), line);
        while let Some(at) = rest.find(capital) {
            let (before, from) = rest.split_at(at);
            let (word, after) = from.split_at(from.find(|c| !capital(c)).unwrap_or(from.len()));
            command.push_str(before);
            // Flags and order numbers are short; the others are the shell's.
            if word.len() < 3 || ["LOCKGATE_CONTEXT", "PATH", "PWD"].contains(&word) {
                command.push_str(word);
            } else {
                let found = self.word(word);
                command
                    .push_str(&found.unwrap_or_else(|| panic!("nothing has printed `{word}`, which `{line}` needs")));
            }
            rest = after;
        }
        command + rest
    }
}

/// Verbs of the commands that let bob in.
const PROPOSED: [&str; 3] = ["lockgate profile add", "lockgate acl add", "lockgate user grant"];

/// Quickstart as a person starts it, and what it shows; none without its database, which is said.
fn quickstart(data: &Path) -> Option<(Running, String)> {
    let mut command = Command::new(program());
    command.arg("quickstart").arg("--data").arg(data);
    let log = std::fs::File::create(data.with_extension("log")).unwrap();
    let mut process = Running::start(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log));
    let mut text = String::new();
    let mut lines = BufReader::new(process.0.stdout.take().unwrap());
    while !text.ends_with("stop with Ctrl-C\n") {
        assert_ne!(lines.read_line(&mut text).unwrap(), 0, "quickstart ended: {text}");
    }
    match between(&text, "no practice database", "\n") {
        None => Some((process, text)),
        Some(reason) => {
            lockgate_testkit::skip("the tour", reason);
            None
        }
    }
}

#[test]
fn every_command_of_the_tour_does_what_it_says() {
    let folder = lockgate_testkit::temp_dir();
    let data = folder.path().join("data");
    let Some((_process, text)) = quickstart(&data) else { return };
    let root = lockgate_testkit::workspace_root();
    let here = built(folder.path());
    let mut screen = Screen { quickstart: text, commands: Vec::new() };
    let look = format!("sftp -P {} practice@127.0.0.1:orders/order-SO-1000009.json", screen.word("SFTP_PORT").unwrap());
    assert!(screen.quickstart.contains(&look) && screen.quickstart.contains("export/orders-DATE.csv"));
    let ask = folder.path().join("askpass");
    std::fs::write(&ask, format!("#!/bin/sh\necho {}\n", screen.word("SFTP_PASSWORD").unwrap())).unwrap();
    std::fs::set_permissions(&ask, PermissionsExt::from_mode(0o700)).unwrap();

    let page = std::fs::read_to_string(root.join("docs/tour.md")).unwrap();
    let mut exports = String::new();
    for line in page.lines().filter_map(|line| line.strip_prefix("    ")) {
        let command = screen.told(line);
        if line.starts_with("export ") {
            exports.push_str(&format!("{command}\n"));
            continue;
        }
        // The first connection asks about the host key, and a person compares it.
        let command = command.replace("sftp -P", "sftp -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -P");
        // What a person types at a prompt.
        let (command, typed) = match line.contains("lockgate login") {
            true => (
                format!("{command} --password-stdin"),
                format!("{}\nKorrekt-Pferd-7-Batterie\n", screen.token().expect("a token is printed")),
            ),
            false => (command, String::new()),
        };
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{exports}{command}")]).current_dir(&here);
        shell.env("SSH_ASKPASS", &ask).env("SSH_ASKPASS_REQUIRE", "force");
        let output = with_input(&mut shell, &typed);
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        screen.commands.push((line.to_owned(), told.clone()));
        if line.starts_with("grep") {
            assert_eq!((output.status.code(), told.as_str()), (Some(1), ""), "something was kept: {told}");
            continue;
        }
        let by_bob = line.starts_with("LOCKGATE_CONTEXT=bob.json lockgate run");
        if by_bob && !screen.commands.iter().any(|(line, _)| line.contains("user grant bob")) {
            assert_eq!(output.status.code(), Some(3), "{output:?}");
            let refused = String::from_utf8_lossy(&output.stderr);
            assert!(refused.contains("error[LG-FORBIDDEN]"), "{refused}");
            continue;
        }
        // The answer is no.
        let no = line.contains("access why") || line.ends_with("--dry-run");
        assert_eq!(output.status.code(), Some(i32::from(no)), "{command}\n{output:?}");
        let says = |what: &str| assert!(told.contains(what), "{line}: {told}");
        match line {
            _ if line.contains("curl ") => says("\"accepted\""),
            _ if line.starts_with("cat") => says("SO-1000009"),
            _ if line.starts_with("lockgate user add") => {
                let login = page.lines().find(|line| line.contains("lockgate login")).unwrap();
                says(&screen.told(login.trim()));
            }
            _ if by_bob => says("\"accepted\""),
            _ if line.contains("access why bob") => {
                // What the page does next is what the answer proposes.
                page.lines()
                    .filter(|line| PROPOSED.iter().any(|verb| line.contains(verb)))
                    .for_each(|line| says(line.trim()));
            }
            _ if line.starts_with("lockgate audit log") => {
                let of_bob = |outcome: &str| {
                    let said = |line: &str| {
                        ["execute", outcome, "bob"].iter().all(|word| line.split_whitespace().any(|w| w == *word))
                    };
                    told.lines().filter(|line| said(line)).count()
                };
                assert_eq!((of_bob("DENIED"), of_bob("allowed")), (1, 1), "{told}");
            }
            _ if line.ends_with("--dry-run") => says("it would be refused"),
            _ if line.starts_with("lockgate account list") => says(&screen.word("HOST_KEY").unwrap()),
            _ if line.starts_with("lockgate audit verify") => says("holds"),
            _ if line.starts_with("lockgate run customers") => says("customers"),
            _ if line.starts_with("lockgate rollback") => says("version 1 is active in `test`"),
            _ if line.starts_with("lockgate promote") => says("is active in `test`"),
            _ => {}
        }
    }
    assert!(screen.commands.len() > 25, "{} commands", screen.commands.len());
}

#[test]
fn the_first_minute_of_the_readme_does_what_it_says() {
    let folder = lockgate_testkit::temp_dir();
    let here = built(folder.path());
    let root = lockgate_testkit::workspace_root();
    let page = std::fs::read_to_string(root.join("README.md")).unwrap();
    let minute = page.split("## The first minute").nth(1).unwrap().split("\n## ").next().unwrap();
    let lines: Vec<&str> = minute.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    let mut told = Vec::new();
    for line in lines.iter().skip(1) {
        // The shell of the reader has nothing but what the page says.
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{}\n{line}", lines[0])]).current_dir(&here).env("PATH", "/usr/bin:/bin");
        let output = with_input(&mut shell, "");
        assert!(output.status.success(), "{line}\n{output:?}");
        told.push(String::from_utf8(output.stdout).unwrap());
    }
    assert_eq!(told.len(), 5, "{lines:?}");
    assert_eq!(told[2], "10813.47\n", "{}", lines[3]);
    let tour = std::fs::read_to_string(root.join("docs/tour.md")).unwrap();
    let made = |page: &str| page.lines().find_map(|line| line.trim().strip_prefix("lockgate new ")).unwrap().to_owned();
    assert_ne!(made(&page), made(&tour), "who reads both makes two projects in one folder");
}

#[test]
fn clients_that_are_missing_are_said_and_hold_nothing_up() {
    let check =
        "set -euo pipefail; . ./prerequisites.sh; PATH=/nowhere; want_client sftp openssh-client; want_client sh x";
    let mut shell = Command::new("bash");
    shell.args(["-c", check]).current_dir(lockgate_testkit::workspace_root());
    let output = with_input(&mut shell, "");
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("missing: sftp") && said.contains("apt-get install openssh-client"), "{said}");
    let script = std::fs::read_to_string(lockgate_testkit::workspace_root().join("try")).unwrap();
    assert!(["want_client curl", "want_client sftp"].iter().all(|one| script.contains(one)), "{script}");
}
