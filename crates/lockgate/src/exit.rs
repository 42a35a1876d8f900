//! How a command ends: one code per kind of end, documented in docs/cli.md.

use lockgate_model::{Diagnostic, Diagnostics};
use serde_json::{Value, json};

/// Why a command did not do what was asked.
#[derive(Debug)]
pub enum Exit {
    /// 1: it was done and the answer is no: problems in sources, a faulted run, a broken chain.
    Failed {
        /// Stable code.
        code: String,
        /// What failed, on what, what to do.
        message: String,
        /// More, for `--json`; null for nothing.
        detail: Value,
    },
    /// 1: what there is to tell was shown: the answer is a no, or what failed, one thing after the other.
    Told,
    /// 2: what was to be shown was shown: things are not as files say, and nothing was changed.
    Drift,
    /// 1: problems in the user's files: the first ones, and how many there are.
    Problems(Vec<Shown>, usize),
    /// 2: the command itself cannot be taken (as for unknown flags).
    Usage(String),
    /// 3: not signed in, or not allowed.
    Denied {
        /// Stable code.
        code: String,
        /// What is missing.
        message: String,
    },
    /// 4: the server cannot be reached or is not able to answer now.
    Unavailable(String),
}

/// A problem with what is shown of its source text.
#[derive(Debug)]
pub struct Shown {
    problem: Diagnostic,
    /// Line and column, both from 1.
    place: (usize, usize),
    text: String,
}

/// Who has more has one mistake many times; and finding the line of each takes time.
const PROBLEMS_SHOWN_MAX: usize = 100;

impl Shown {
    /// A problem in a source text that comes after so many lines of its file.
    pub fn new(problem: Diagnostic, lines: usize, source: &str) -> Self {
        let (line, column) = problem.line_column(source);
        let text = problem.render_below(lines, source);
        Self { problem, place: (lines + line, column), text }
    }
}

impl Exit {
    /// A failure without further detail.
    pub fn failed(code: &str, message: impl Into<String>) -> Self {
        Self::Failed { code: code.to_owned(), message: message.into(), detail: Value::Null }
    }

    /// Problems in texts that `text_of` knows by their files' names.
    pub fn problems<'t>(all: Diagnostics, text_of: impl Fn(&str) -> Option<&'t String>) -> Self {
        let shown = |problem: Diagnostic| {
            let source = text_of(&problem.file).map_or("", String::as_str);
            Shown::new(problem, 0, source)
        };
        let count = all.0.len();
        Self::Problems(all.0.into_iter().take(PROBLEMS_SHOWN_MAX).map(shown).collect(), count)
    }

    /// The process's exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::Failed { .. } | Self::Problems(..) | Self::Told => 1,
            Self::Usage(_) | Self::Drift => 2,
            Self::Denied { .. } => 3,
            Self::Unavailable(_) => 4,
        }
    }

    /// For people.
    pub fn text(&self) -> String {
        match self {
            Self::Failed { code, message, .. } | Self::Denied { code, message } => {
                format!("error[{code}]: {message}\n")
            }
            Self::Problems(shown, count) => {
                let mut text: String = shown.iter().map(|p| p.text.as_str()).collect::<Vec<_>>().join("\n");
                if *count > shown.len() {
                    text.push_str(&format!("\n{count} problems, of which these are the first {}\n", shown.len()));
                } else if *count > 1 {
                    text.push_str(&format!("\n{count} problems\n"));
                }
                text
            }
            Self::Told | Self::Drift => String::new(),
            Self::Usage(message) => format!("error: {message}\n"),
            Self::Unavailable(message) => format!("error[LG-UNAVAILABLE]: {message}\n"),
        }
    }

    /// For programs.
    pub fn json(&self) -> Value {
        match self {
            Self::Told | Self::Drift => Value::Null,
            Self::Failed { code, message, detail: Value::Null } => json!({"code": code, "message": message}),
            Self::Failed { code, message, detail } => json!({"code": code, "message": message, "detail": detail}),
            Self::Denied { code, message } => json!({"code": code, "message": message}),
            Self::Problems(shown, count) => {
                let problems: Vec<Value> = shown
                    .iter()
                    .map(|Shown { problem: p, place: (line, column), .. }| {
                        json!({"code": p.code, "file": p.file, "line": line, "column": column,
                               "message": p.message, "help": p.help, "token": p.token})
                    })
                    .collect();
                json!({"code": "LG-PROBLEMS", "message": format!("{count} problem(s)"), "problems": problems})
            }
            Self::Usage(message) => json!({"code": "LG-USAGE", "message": message}),
            Self::Unavailable(message) => json!({"code": "LG-UNAVAILABLE", "message": message}),
        }
    }
}

impl From<std::io::Error> for Exit {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::InvalidData => Self::failed("LG-IO", "the input is no text in UTF-8"),
            _ => Self::failed("LG-IO", error.to_string()),
        }
    }
}
