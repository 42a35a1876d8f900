//! The reference implementation as a process of its own: npm `jsonata` in Node.js.
//!
//! `prerequisites.sh` installs it into a cache outside the repository; `LOCKGATE_REFERENCE` names
//! another folder that has it in `node_modules`.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use crate::{bench::Answer, json::Json};

/// Its version: what `docs/mappings.md` compares with.
pub const VERSION: &str = "2.2.2";

/// Longer than any answer that comes.
const LONGEST: Duration = Duration::from_secs(30);

/// A running reference implementation.
pub struct Reference {
    folder: PathBuf,
    process: Option<Process>,
    parentless: Vec<bool>,
}

struct Process {
    child: Child,
    questions: ChildStdin,
    answers: Receiver<String>,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Reference {
    /// Starts it; else why it is not there.
    pub fn start() -> Result<Reference, String> {
        let cache = || {
            let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
            let cache = env::var_os("XDG_CACHE_HOME").map_or_else(|| home.join(".cache"), PathBuf::from);
            cache.join("lockgate/reference")
        };
        let folder = env::var_os("LOCKGATE_REFERENCE").map_or_else(cache, PathBuf::from);
        let package = folder.join("node_modules/jsonata/package.json");
        let package = std::fs::read_to_string(&package)
            .map_err(|e| format!("{}: {e}; `./test` installs it", package.display()))?;
        let version = Json::read(&package).and_then(|p| p.member("version")?.as_text().map(str::to_owned));
        if version.as_deref() != Some(VERSION) {
            return Err(format!("{} has jsonata {version:?}, not {VERSION}", folder.display()));
        }
        let mut reference = Reference { folder, process: None, parentless: Vec::new() };
        match reference.ask("1", &["null".to_owned()]).first() {
            Some(Answer::Value(one)) if one == "1" => Ok(reference),
            other => Err(format!("node does not run it: {other:?}")),
        }
    }

    /// For each document of the last question, whether some `%` met nothing.
    pub fn parentless(&self) -> &[bool] {
        &self.parentless
    }

    /// What it gives for each document.
    pub fn ask(&mut self, expression: &str, documents: &[String]) -> Vec<Answer> {
        self.parentless = vec![false; documents.len()];
        let given_up = |why: &str| vec![Answer::Limit(why.to_owned()); documents.len()];
        let question = serde_json::json!({ "expr": expression, "documents": documents }).to_string();
        if self.process.is_none() {
            self.process = self.begin();
        }
        let Some(process) = &mut self.process else { return given_up("it does not start") };
        let sent = process.questions.write_all(format!("{question}\n").as_bytes());
        let answer = sent.ok().and_then(|()| process.answers.recv_timeout(LONGEST).ok());
        let read = answer.and_then(|line| match Json::read(&line) {
            Some(Json::Array(answers)) => Some(answers),
            _ => None,
        });
        match read {
            Some(answers) => {
                self.parentless = answers.iter().map(|answer| answer.member("orphan").is_some()).collect();
                answers.iter().map(answer_of).collect()
            }
            None => {
                self.process = None;
                given_up("the reference gave no answer")
            }
        }
    }

    fn begin(&self) -> Option<Process> {
        let mut child = Command::new("node")
            .args(["--stack-size=4000", "-e", include_str!("reference.js")])
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let (questions, told) = (child.stdin.take()?, child.stdout.take()?);
        let (send, answers) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(told).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Some(Process { child, questions, answers })
    }
}

fn answer_of(answer: &Json) -> Answer {
    if answer.member("undefined").is_some() {
        return Answer::Undefined;
    }
    if let Some(result) = answer.member("result").and_then(Json::as_text) {
        return Answer::Value(result.to_owned());
    }
    let code = answer.member("error").and_then(Json::as_text).unwrap_or("nothing");
    match (answer.member("own"), code) {
        (_, "D1011" | "D1012" | "D2015") => Answer::Limit(code.to_owned()),
        (Some(Json::Boolean(true)), code) => Answer::Error(code.to_owned()),
        (_, message) => Answer::Limit(format!("the reference failed: {message}")),
    }
}
