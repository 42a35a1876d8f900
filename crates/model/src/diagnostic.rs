//! What is wrong with a user's file: code, message, place and a suggestion; all problems at once.
//!
//! Rendering is plain text with line, column and a caret; colour is the terminal's business.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A half-open byte range `start..end` in a source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// From byte offsets; offsets past 4 GiB saturate.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start: u32::try_from(start).unwrap_or(u32::MAX), end: u32::try_from(end.max(start)).unwrap_or(u32::MAX) }
    }
}

/// One problem in one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Stable code with a page in docs/errors, or the expression standard's own (S0201, …).
    pub code: String,
    /// File, as the user named it; empty when unknown.
    pub file: String,
    /// Where in that file.
    pub span: Span,
    /// Lower-case, what is wrong and on what.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The offending token, where the standard names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl Diagnostic {
    /// A problem at a place; file, help and token can be added.
    pub fn new(code: impl Into<String>, span: Span, message: impl Into<String>) -> Self {
        Self { code: code.into(), file: String::new(), span, message: bounded(message.into()), help: None, token: None }
    }
    /// Adds what to do about it.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(bounded(help.into()));
        self
    }
    /// Names the file.
    pub fn file(mut self, file: impl Into<String>) -> Self {
        self.file = file.into();
        self
    }
    /// Names the offending token.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }
    /// One-based line and column (in characters) of the start within `source`.
    pub fn line_column(&self, source: &str) -> (usize, usize) {
        let start = floor_boundary(source, self.span.start as usize);
        let before = source.get(..start).unwrap_or("");
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }
    /// The problem with its line and a caret under the place. Of a long line a part is shown.
    pub fn render(&self, source: &str) -> String {
        self.render_below(0, source)
    }

    /// The same where `source` comes after so many lines of its file.
    pub fn render_below(&self, lines: usize, source: &str) -> String {
        let (line, column) = self.line_column(source);
        let text = source.lines().nth(line - 1).unwrap_or("");
        let line = lines + line;
        let start = floor_boundary(source, self.span.start as usize);
        let end = floor_boundary(source, self.span.end as usize).max(start);
        let marked = source.get(start..end).unwrap_or("").lines().next().unwrap_or("");
        let marked = marked.chars().take(SHOWN_MAX).count();
        let (text, before) = window(text, column - 1);
        let room = text.chars().count().saturating_sub(before).max(1);
        let gutter = line.to_string();
        let pad = " ".repeat(gutter.len());
        // A tab stays a tab in the caret line, so that the caret stands under its character.
        let lead: String = text.chars().take(before).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let carets = "^".repeat(marked.clamp(1, room));
        let file = if self.file.is_empty() { "input" } else { &self.file };
        let mut out = format!(
            "error[{}]: {}\n{pad}--> {file}:{line}:{column}\n{pad} |\n{gutter} | {text}\n{pad} | {lead}{carets}\n",
            self.code, self.message
        );
        if let Some(help) = &self.help {
            out.push_str(&format!("{pad} = help: {help}\n"));
        }
        out
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// Longest message and longest help.
const MESSAGE_BYTES_MAX: usize = 2_000;
/// Characters of a line that are shown at most.
const SHOWN_MAX: usize = 160;
/// How many of them stand before the caret where the line is cut.
const SHOWN_BEFORE: usize = 60;

/// The part of a line around character `at`, with `…` where it is cut, and where `at` is in it.
fn window(line: &str, at: usize) -> (String, usize) {
    if line.chars().nth(SHOWN_MAX).is_none() {
        return (line.to_owned(), at);
    }
    let skipped = at.saturating_sub(SHOWN_BEFORE);
    let mut rest = line.chars().skip(skipped);
    let mut part: String = if skipped > 0 { "…".to_owned() } else { String::new() };
    part.extend(rest.by_ref().take(SHOWN_MAX));
    if rest.next().is_some() {
        part.push('…');
    }
    (part, at - skipped + usize::from(skipped > 0))
}

/// A text that names what somebody wrote, which may be as long as a file.
fn bounded(mut text: String) -> String {
    if text.len() > MESSAGE_BYTES_MAX {
        text.truncate(floor_boundary(&text, MESSAGE_BYTES_MAX));
        text.push('…');
    }
    text
}

fn floor_boundary(source: &str, at: usize) -> usize {
    let mut at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// All problems found, in the order of files and places.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, problem: Diagnostic) {
        self.0.push(problem);
    }
    /// No problem was found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// `Ok(value)` when there is no problem, else all of them, sorted by file and place, each once.
    pub fn into_result<T>(mut self, value: T) -> Result<T, Diagnostics> {
        if self.0.is_empty() {
            return Ok(value);
        }
        self.0.sort_by(|a, b| (&a.file, a.span, &a.code, &a.message).cmp(&(&b.file, b.span, &b.code, &b.message)));
        self.0.dedup();
        Err(self)
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}
impl std::error::Error for Diagnostics {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_never_grows_with_what_it_names() {
        let long = "é".repeat(1 << 20);
        let problem = Diagnostic::new("LG1", Span::new(0, 1), long.clone()).help(long);
        assert!(problem.message.ends_with('…') && problem.message.len() < 2_010, "{}", problem.message.len());
        assert!(problem.render("x").len() < 8_000);
    }

    #[test]
    fn the_caret_stands_under_its_character() {
        let source = "a: 1\n\tö: «x» }\n";
        let at = source.find('x').unwrap_or(0);
        let shown = Diagnostic::new("LG1", Span::new(at, at + 1), "no such thing")
            .file("f.yaml")
            .help("remove it")
            .render(source);
        assert_eq!(
            shown,
            "error[LG1]: no such thing\n --> f.yaml:2:6\n  |\n2 | \tö: «x» }\n  | \t    ^\n  = help: remove it\n"
        );
    }

    #[test]
    fn of_a_long_line_the_part_around_the_caret_is_shown() {
        for (length, at) in [(20 << 20, 10 << 20), (20 << 20, 5), (20 << 20, (20 << 20) - 1), (161, 160)] {
            let source = format!("{}ö{}", "ä".repeat(at), "x".repeat(length - at));
            let place = source.find('ö').unwrap_or(0);
            let shown = Diagnostic::new("LG1", Span::new(place, source.len()), "no such thing").render(&source);
            assert!(shown.chars().count() < 500, "{at}: {}", shown.len());
            let lines: Vec<_> = shown.lines().collect();
            let caret = lines[4].chars().position(|c| c == '^').unwrap_or(0);
            assert_eq!(lines[3].chars().nth(caret), Some('ö'), "{shown}");
            assert_eq!(lines[1], format!(" --> input:1:{}", at + 1));
        }
        let source = "x".repeat(160);
        assert!(Diagnostic::new("LG1", Span::new(0, 1), "m").render(&source).contains(&source));
        let below = Diagnostic::new("LG1", Span::new(2, 3), "m").render_below(41, "a\nb");
        assert!(below.contains("--> input:43:1\n") && below.contains("\n43 | b\n"), "{below}");
    }

    #[test]
    fn a_span_outside_the_text_does_no_harm() {
        for source in ["", "ä", "\n\n"] {
            for (start, end) in [(0, 0), (1, 9), (900, 901)] {
                let _ = Diagnostic::new("LG1", Span::new(start, end), "m").render(source);
            }
        }
    }
}
