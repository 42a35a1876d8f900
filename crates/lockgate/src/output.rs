//! What a command shows: text for people on a terminal, one JSON value for programs.

use std::{
    io::{self, ErrorKind, IsTerminal, Write},
    ops::ControlFlow,
    sync::OnceLock,
};

use serde_json::{Value, json};

use tokio::{io::Interest, net::unix::pipe};

use crate::exit::Exit;

/// A bar of bytes.
const BYTES_TEMPLATE: &str = "{wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} to go";

/// Where results go.
pub struct Output {
    json: bool,
    /// The first write that failed; nothing is written after it.
    failed: OnceLock<io::Error>,
}

impl Output {
    /// `json` as the flag says.
    pub fn new(json: bool) -> Self {
        Self { json, failed: OnceLock::new() }
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
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    /// A line on standard output.
    pub fn line(&self, text: &str) {
        self.write(format!("{text}\n").as_bytes());
    }

    /// Raw bytes on standard output. A closed pipe ends the output quietly.
    pub fn bytes(&self, bytes: &[u8]) -> Result<(), Exit> {
        self.write(bytes);
        self.end()
    }

    /// Some of many bytes on standard output; `Break` once nobody reads them any more, as behind
    /// `| head`.
    pub fn part(&self, bytes: &[u8]) -> Result<ControlFlow<()>, Exit> {
        self.write(bytes);
        self.end()?;
        Ok(if self.failed.get().is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    /// Whether everything arrived. Who reads no further (`| head`) has what they wanted; a full disk has
    /// not.
    pub fn end(&self) -> Result<(), Exit> {
        match self.failed.get() {
            Some(e) if e.kind() != ErrorKind::BrokenPipe => {
                Err(Exit::failed("LG-IO", format!("cannot write to standard output: {e}")))
            }
            _ => Ok(()),
        }
    }

    fn write(&self, bytes: &[u8]) {
        if self.failed.get().is_some() {
            return;
        }
        let mut out = io::stdout().lock();
        if let Err(error) = out.write_all(bytes).and_then(|()| out.flush()) {
            let _ = self.failed.set(error);
        }
    }

    /// How the command failed: to standard error.
    pub fn failure(&self, exit: &Exit) {
        if matches!(exit, Exit::Told | Exit::Drift) {
            return;
        }
        let text = if self.json { format!("{}\n", json!({"error": exit.json()})) } else { exit.text() };
        let _ = io::stderr().write_all(text.as_bytes());
    }

    /// A line on standard error that is for programs in any case.
    pub fn error_line(&self, line: &[u8]) {
        let _ = io::stderr().write_all(&[line, b"\n"].concat());
    }

    /// A bar for long work, drawn on a terminal alone.
    pub fn progress(&self, what: &str) -> indicatif::ProgressBar {
        if self.json || !io::stderr().is_terminal() {
            return indicatif::ProgressBar::hidden();
        }
        let bar = indicatif::ProgressBar::new_spinner();
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(std::time::Duration::from_millis(100));
        bar
    }

    /// The same for so many bytes that come or go by a file.
    pub fn bytes_bar(&self, bytes: u64) -> indicatif::ProgressBar {
        if self.json || !io::stderr().is_terminal() {
            return indicatif::ProgressBar::hidden();
        }
        let bar = indicatif::ProgressBar::new(bytes);
        if let Ok(style) = indicatif::ProgressStyle::with_template(BYTES_TEMPLATE) {
            bar.set_style(style);
        }
        bar
    }

    /// The same for so many steps.
    pub fn steps_bar(&self, steps: usize) -> indicatif::ProgressBar {
        if self.json || !io::stderr().is_terminal() {
            return indicatif::ProgressBar::hidden();
        }
        let bar = indicatif::ProgressBar::new(u64::try_from(steps).unwrap_or(u64::MAX));
        if let Ok(style) = indicatif::ProgressStyle::with_template("{wide_bar} {pos} of {len}, {eta} to go") {
            bar.set_style(style);
        }
        bar
    }

    /// The same for a pass through so many bytes, or through records of which nobody knows how many.
    pub fn meter(&self, bytes: Option<u64>) -> Meter {
        let shown = !self.json && io::stderr().is_terminal() && !io::stdout().is_terminal();
        let (bar, template) = match bytes {
            _ if !shown => (indicatif::ProgressBar::hidden(), ""),
            Some(bytes) => (indicatif::ProgressBar::new(bytes), BYTES_TEMPLATE),
            None => (indicatif::ProgressBar::new_spinner(), "{spinner} {human_pos} records, {per_sec}"),
        };
        if let (true, Ok(style)) = (shown, indicatif::ProgressStyle::with_template(template)) {
            bar.set_style(style);
        }
        Meter { bar, bytes: bytes.is_some() }
    }
}

/// How far a long pass through standard input has come, drawn on a terminal that shows no output besides.
pub struct Meter {
    bar: indicatif::ProgressBar,
    /// It counts bytes, of which the number is known, or else records.
    bytes: bool,
}

impl Meter {
    /// So many more bytes were read, and so many records are done in all.
    pub fn at(&self, bytes: u64, records: u64) {
        if self.bytes { self.bar.inc(bytes) } else { self.bar.set_position(records) }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Resolves when standard output is a pipe that nobody can read any more; never where it is none.
pub async fn unread() {
    // Opened anew, so that not to wait is said of this descriptor alone and never of what is written to.
    if let Ok(out) = pipe::OpenOptions::new().open_sender("/proc/self/fd/1") {
        while let Ok(seen) = out.ready(Interest::ERROR).await {
            if seen.is_error() {
                return;
            }
        }
    }
    std::future::pending().await
}
