//! What a run does, for who sits before it: each task with what goes in and what comes out, as it happens.
//!
//! Values are for the eyes of who runs it: they go to a terminal, cut short, and nowhere else. Who sits there
//! takes one task at a time; without a terminal for keys it goes on by itself.

use std::{
    collections::BTreeMap,
    io::{IsTerminal, Write},
    sync::{Mutex, PoisonError},
};

use lockgate_document::Node;
use lockgate_engine::{Called, Watch};
use tokio::sync::Notify;

use crate::author::value::{cut, cut_text};

/// Characters of a value.
const VALUE_CHARS_MAX: usize = 160;

/// Writes to standard error, which is a terminal.
pub struct Trace {
    colour: bool,
    steps: bool,
    at: Mutex<At>,
    left: Notify,
}

/// How far it is.
struct At {
    /// The task that is under way in each strand.
    current: BTreeMap<u64, String>,
    /// The task that is spoken of.
    shown: String,
    pace: Pace,
}

/// How it goes on after a task.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// When somebody says so.
    Asking,
    /// By itself.
    On,
    /// Not at all: what the run still does until it is stopped is not shown.
    Left,
}

impl Trace {
    /// Nothing has happened yet.
    pub fn new() -> Self {
        let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let steps = std::io::stdin().is_terminal();
        let pace = if steps { Pace::Asking } else { Pace::On };
        Self {
            colour,
            steps,
            at: Mutex::new(At { current: BTreeMap::new(), shown: String::new(), pace }),
            left: Notify::new(),
        }
    }

    /// Whether it waits for somebody after each task.
    pub fn steps(&self) -> bool {
        self.steps
    }

    /// Whether somebody wants no more of the run.
    pub fn is_left(&self) -> bool {
        self.at().is_none()
    }

    /// Waits until somebody wants no more of the run.
    pub async fn left(&self) {
        self.left.notified().await;
    }

    /// What has happened so far, unless nothing more is to be shown.
    fn at(&self) -> Option<std::sync::MutexGuard<'_, At>> {
        Some(self.at.lock().unwrap_or_else(PoisonError::into_inner)).filter(|at| at.pace != Pace::Left)
    }

    /// After a task.
    fn pause(&self, at: &mut At) {
        if at.pace == Pace::Asking {
            at.pace = self.ask();
        }
        if at.pace == Pace::Left {
            self.left.notify_one();
        }
    }

    /// Whether to go on, and how.
    fn ask(&self) -> Pace {
        let (dim, plain) = self.dim();
        loop {
            write(&format!("  {dim}Enter goes on, c to the end, q ends{plain} "));
            let mut line = String::new();
            // A keyboard that is gone asks for nothing more.
            match std::io::stdin().read_line(&mut line) {
                Ok(1..) => {}
                _ => return Pace::Left,
            }
            match line.trim() {
                "" => return Pace::Asking,
                "c" => return Pace::On,
                "q" => return Pace::Left,
                _ => {}
            }
        }
    }

    fn dim(&self) -> (&str, &str) {
        if self.colour { ("\x1b[2m", "\x1b[0m") } else { ("", "") }
    }

    fn line(&self, what: &str, value: &str) {
        let (dim, plain) = self.dim();
        write(&format!("  {dim}{what:<6}{plain} {value}\n"));
    }
}

fn write(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Is a task the other or in it?
fn is_within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Trace {
    /// What follows is of this task.
    fn head(&self, at: &mut At, task: &str) {
        let (bold, plain) = if self.colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        write(&format!("{bold}{}{plain}\n", cut_text(task, VALUE_CHARS_MAX)));
        task.clone_into(&mut at.shown);
    }

    /// What came out of a task; others may have been shown since it went in.
    fn out(&self, at: &mut At, task: &str, value: &str) {
        if at.shown != task {
            self.head(at, task);
        }
        self.line("out", value);
    }
}

impl Watch for Trace {
    fn entered(&self, strand: u64, task: &str, data: Node<'_>) {
        let Some(mut at) = self.at() else { return };
        let value = cut(data, VALUE_CHARS_MAX);
        // The flow's own ends are no tasks.
        let is_task = !matches!(task, "/input" | "/output");
        if let Some(before) = at.current.remove(&strand).filter(|before| !is_within(task, before)) {
            self.out(&mut at, &before, &value);
            if is_task {
                self.pause(&mut at);
            }
        }
        if !is_task || at.pace == Pace::Left {
            return;
        }
        self.head(&mut at, task);
        self.line("in", &value);
        at.current.insert(strand, task.to_owned());
    }

    fn left(&self, strand: u64, data: Node<'_>) {
        let Some(mut at) = self.at() else { return };
        if let Some(task) = at.current.remove(&strand) {
            self.out(&mut at, &task, &cut(data, VALUE_CHARS_MAX));
            self.pause(&mut at);
        }
    }

    fn called(&self, _: &str, call: &Called<'_>) {
        let Some(_at) = self.at() else { return };
        let authority = call.authority;
        let input = cut(call.input.root(), VALUE_CHARS_MAX);
        self.line("call", &format!("{}.{} {input}", authority.connector, authority.operation));
        if call.mock.is_none() {
            self.line("", "there is no mock for it");
        }
    }

    fn streamed(&self, _: &str, content: &[u8]) {
        let Some(_at) = self.at() else { return };
        self.line("stream", &format!("{} bytes", content.len()));
    }

    fn waited(&self, _: &str, ms: u64) {
        let Some(_at) = self.at() else { return };
        self.line("wait", &format!("{ms} ms"));
    }

    fn caught(&self, strand: u64, _: &str, error: Node<'_>) {
        let Some(mut at) = self.at() else { return };
        self.line("failed", &cut(error, VALUE_CHARS_MAX));
        at.current.remove(&strand);
        self.pause(&mut at);
    }
}
