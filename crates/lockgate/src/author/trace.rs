//! What a run does, for who sits before it: each task with what goes in and what comes out, as it happens.
//!
//! Values are for the eyes of who runs it: they go to a terminal, cut short, and nowhere else.

use std::{
    io::{IsTerminal, Write},
    sync::{Mutex, PoisonError},
};

use lockgate_document::Node;
use lockgate_engine::{Called, Watch};

use crate::author::value::{cut, cut_text};

/// Characters of a value.
const VALUE_CHARS_MAX: usize = 160;

/// Writes to standard error, which is a terminal.
pub struct Trace {
    colour: bool,
    /// The task that is under way.
    current: Mutex<Option<String>>,
}

impl Trace {
    /// Nothing has happened yet.
    pub fn new() -> Self {
        let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { colour, current: Mutex::default() }
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line(&self, what: &str, value: &str) {
        let (dim, plain) = if self.colour { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
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

impl Watch for Trace {
    fn entered(&self, task: &str, data: Node<'_>) {
        let mut current = self.current();
        let value = cut(data, VALUE_CHARS_MAX);
        if current.take().is_some_and(|before| !is_within(task, &before)) {
            self.line("out", &value);
        }
        // The flow's own ends are no tasks.
        if matches!(task, "/input" | "/output") {
            return;
        }
        let (bold, plain) = if self.colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        write(&format!("{bold}{}{plain}\n", cut_text(task, VALUE_CHARS_MAX)));
        self.line("in", &value);
        *current = Some(task.to_owned());
    }

    fn called(&self, _: &str, call: &Called<'_>) {
        let authority = call.authority;
        let input = cut(call.input.root(), VALUE_CHARS_MAX);
        self.line("call", &format!("{}.{} {input}", authority.connector, authority.operation));
        if call.mock.is_none() {
            self.line("", "there is no mock for it");
        }
    }

    fn streamed(&self, _: &str, content: &[u8]) {
        self.line("stream", &format!("{} bytes", content.len()));
    }

    fn waited(&self, _: &str, ms: u64) {
        self.line("wait", &format!("{ms} ms"));
    }

    fn caught(&self, _: &str, error: Node<'_>) {
        self.line("failed", &cut(error, VALUE_CHARS_MAX));
        *self.current() = None;
    }
}
