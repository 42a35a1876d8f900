//! What a command shows: text for people on a terminal, one JSON value for programs.

use std::{
    io::{ErrorKind, IsTerminal, Write},
    ops::ControlFlow,
};

use serde_json::{Value, json};

use crate::exit::Exit;

/// Where results go.
pub struct Output {
    json: bool,
}

impl Output {
    /// `json` as the flag says.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// JSON was asked for.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// The one result of a command: JSON for programs, else the text.
    pub fn result(&self, value: &Value, text: impl FnOnce() -> String) {
        if self.json { self.line(&value.to_string()) } else { self.line(text().trim_end_matches('\n')) }
    }

    /// A table of rows, or the JSON they come from.
    pub fn table(&self, value: &Value, header: &[&str], rows: Vec<Vec<String>>) {
        self.result(value, || {
            if rows.is_empty() {
                return "none".to_owned();
            }
            let mut table = comfy_table::Table::new();
            table.load_style(comfy_table::presets::NOTHING);
            table.set_header(header.iter().map(|h| h.to_uppercase()));
            for row in rows {
                table.add_row(row);
            }
            table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
        });
    }

    /// A remark that is no result: to standard error, and never with `--json`.
    pub fn note(&self, text: &str) {
        if !self.json {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    /// A line on standard output. A closed pipe ends the output, not the program's work.
    pub fn line(&self, text: &str) {
        let _ = writeln!(std::io::stdout(), "{text}");
    }

    /// Raw bytes on standard output. A closed pipe ends the output quietly.
    pub fn bytes(&self, bytes: &[u8]) -> Result<(), Exit> {
        self.part(bytes).map(drop)
    }

    /// Some of many bytes on standard output; `Break` once nobody reads them any more, as behind
    /// `| head`.
    pub fn part(&self, bytes: &[u8]) -> Result<ControlFlow<()>, Exit> {
        let mut out = std::io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Ok(()) => Ok(ControlFlow::Continue(())),
            Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
            Err(e) => Err(e.into()),
        }
    }

    /// How the command failed: to standard error.
    pub fn failure(&self, exit: &Exit) {
        if matches!(exit, Exit::Told) {
            return;
        }
        let text = if self.json { format!("{}\n", json!({"error": exit.json()})) } else { exit.text() };
        let _ = std::io::stderr().write_all(text.as_bytes());
    }

    /// A bar for long work, drawn on a terminal alone.
    pub fn progress(&self, what: &str) -> indicatif::ProgressBar {
        if self.json || !std::io::stderr().is_terminal() {
            return indicatif::ProgressBar::hidden();
        }
        let bar = indicatif::ProgressBar::new_spinner();
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(std::time::Duration::from_millis(100));
        bar
    }
}
