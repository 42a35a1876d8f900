//! What a prompt remembers: the input document and what was bound.
//!
//! `$x := …` at the prompt is as if all lines stood in one block. A value is kept as it was computed,
//! so that `$now()` and `$random()` are not asked again; what is or holds a function has no value
//! outside of its expression, so its text is kept and stands again before each later expression.

use std::{future::Future, ops::Range};

use lockgate_compiler::expression_module;
use lockgate_document::{Builder, Document, Fault};
use lockgate_engine::Outcome;
use lockgate_mapping::Expression;
use lockgate_model::{Diagnostic, Limits, Span};

use super::shown;
use crate::{author::workbench::Workbench, exit::Exit};

/// Bindings that one session keeps.
pub const KEPT_MAX: usize = 200;

/// What the program calls an expression in messages.
const NAME: &str = "expression";

/// The input and the bindings.
#[derive(Default)]
pub struct Session {
    /// The document that expressions read; none is undefined.
    pub input: Option<Document>,
    kept: Vec<Kept>,
    /// Values that were kept so far; each has a name of its own that nobody types.
    values: u64,
}

struct Kept {
    name: String,
    what: What,
}

enum What {
    /// Its number, and the value.
    Value(u64, Box<Document>),
    /// The text of the whole binding.
    Text(String),
}

/// An expression among the kept bindings.
struct Composed {
    source: String,
    /// Where each kept text stands, and what it binds.
    texts: Vec<(Range<usize>, String)>,
    /// Bytes before the expression.
    before: usize,
}

/// What a line gave.
pub enum Given {
    /// Its value.
    Value(Box<Document>),
    /// A function, or something that holds one: it was bound or not, and cannot be shown.
    Function,
}

/// Why a line gave nothing.
pub enum Failed {
    /// What is wrong, and where: in the line, or in this text of an earlier one.
    Problem(Diagnostic, Option<String>),
    /// Something else.
    Exit(Exit),
    /// Somebody ended it.
    Stopped,
}

/// What is ready to run.
pub struct Ready {
    composed: Composed,
    input: Document,
    /// The variable that the line binds.
    binds: Option<String>,
}

impl Session {
    /// Names that are bound, the newest first.
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for kept in self.kept.iter().rev() {
            if !names.contains(&kept.name.as_str()) {
                names.push(&kept.name);
            }
        }
        names
    }

    /// Forgets all bindings.
    pub fn clear(&mut self) {
        self.kept.clear();
    }

    /// An expression with what it reads, or what is wrong with its grammar.
    pub fn ready(&self, text: &str, limits: &Limits) -> Result<Ready, Failed> {
        let parsed = Expression::parse(text).map_err(first)?;
        let binds = parsed.binds().filter(|name| !name.is_empty() && *name != "$").map(str::to_owned);
        let input = self.document(limits).map_err(|fault| Failed::Exit(unfit(&fault)))?;
        Ok(Ready { composed: self.composed(text), input, binds })
    }

    fn composed(&self, text: &str) -> Composed {
        if self.kept.is_empty() {
            return Composed { source: text.to_owned(), texts: Vec::new(), before: 0 };
        }
        let (mut source, mut texts) = (String::from("("), Vec::new());
        for Kept { name, what } in &self.kept {
            match what {
                What::Value(number, _) => source.push_str(&format!("${name} := ${};\n", hidden(*number))),
                What::Text(text) => {
                    texts.push((source.len()..source.len() + text.len(), name.clone()));
                    source.push_str(&format!("{text};\n"));
                }
            }
        }
        let before = source.len();
        source.push_str(text);
        source.push_str("\n)");
        Composed { source, texts, before }
    }

    /// `{"data": …, "bindings": {…}}`.
    fn document(&self, limits: &Limits) -> Result<Document, Fault> {
        let mut builder = Builder::new(limits);
        builder.begin_object()?;
        if let Some(input) = &self.input {
            builder.key("data")?;
            builder.value(input.root())?;
        }
        builder.key("bindings")?;
        builder.begin_object()?;
        for kept in &self.kept {
            if let What::Value(number, value) = &kept.what {
                builder.key(&hidden(*number))?;
                builder.value(value.root())?;
            }
        }
        builder.end()?;
        builder.end()?;
        builder.finish()
    }

    /// Keeps what a line bound.
    ///
    /// # Errors
    /// There is no room for more.
    pub fn keep(&mut self, name: &str, text: &str, given: &Given) -> Result<(), Exit> {
        // A binding that no later text can have read gives way to the new one.
        let last = self.kept.iter().rposition(|kept| matches!(kept.what, What::Text(_)));
        let mut place = 0;
        self.kept.retain(|kept| {
            let read = last.is_some_and(|last| place < last);
            place += 1;
            read || kept.name != name
        });
        if self.kept.len() >= KEPT_MAX {
            let message = format!("the session keeps {KEPT_MAX} bindings; `:clear` forgets them");
            return Err(Exit::failed("LG-REPL-FULL", message));
        }
        let what = match given {
            Given::Function => What::Text(text.to_owned()),
            Given::Value(value) => {
                self.values += 1;
                What::Value(self.values, Box::new(copy(value)?))
            }
        };
        self.kept.push(Kept { name: name.to_owned(), what });
        Ok(())
    }
}

/// The name of a kept value: nobody types it.
fn hidden(number: u64) -> String {
    format!("·{number}")
}

fn copy(value: &Document) -> Result<Document, Exit> {
    let made = (|| {
        let mut builder = Builder::new(&Limits::default());
        builder.value(value.root())?;
        builder.finish()
    })();
    made.map_err(|fault: Fault| unfit(&fault))
}

/// Input and kept values are more than one run may hold.
fn unfit(fault: &Fault) -> Exit {
    match fault {
        Fault::ArenaFull => Exit::failed("LG-LIMIT-ARENA", format!("{fault}; `:clear` forgets what is bound")),
        _ => Exit::failed(&fault.code(), fault.to_string()),
    }
}

fn first(all: lockgate_model::Diagnostics) -> Failed {
    match all.0.into_iter().next() {
        Some(problem) => Failed::Problem(problem.file(NAME), None),
        None => Failed::Exit(Exit::failed("LG-COMPILE", "the expression cannot be compiled")),
    }
}

impl Ready {
    /// The variable that the line binds.
    pub fn binds(&self) -> Option<&str> {
        self.binds.as_deref()
    }

    /// Runs it under these limits, until `stopped`.
    pub fn run(self, bench: &Workbench, limits: Limits, stopped: impl Future<Output = ()>) -> Result<Given, Failed> {
        let Self { composed, input, .. } = self;
        let compiled = expression_module(&composed.source, true).map_err(|all| composed.moved(first(all)))?;
        let module = bench.load(&compiled).map_err(Failed::Exit)?;
        let Some(Outcome { result, .. }) = bench.run_until(&module, input, limits, stopped) else {
            return Err(Failed::Stopped);
        };
        let failure = match result {
            Ok(value) => return Ok(Given::Value(Box::new(value))),
            Err(failure) => failure,
        };
        let code = &failure.error.code;
        if code == "LG-FUNCTION-IN-SLOT" {
            return Ok(Given::Function);
        }
        let message = shown::plain(failure.message.strip_prefix(&format!("{code}: ")).unwrap_or(&failure.message));
        Err(match failure.place {
            Some(place) => composed.moved(Failed::Problem(Diagnostic::new(code, place.span, message).file(NAME), None)),
            None => Failed::Exit(Exit::failed(code, message)),
        })
    }
}

impl Composed {
    /// The place of a problem in the line, or in the kept text where it is.
    fn moved(&self, failed: Failed) -> Failed {
        let Failed::Problem(mut problem, _) = failed else { return failed };
        let (start, end) = (problem.span.start as usize, problem.span.end as usize);
        let kept = self.texts.iter().find(|(range, _)| range.contains(&start));
        let base = kept.map_or(self.before, |(range, _)| range.start);
        problem.span = Span::new(start.saturating_sub(base), end.saturating_sub(base));
        match kept {
            Some((range, name)) => {
                let text = self.source.get(range.clone()).unwrap_or_default().to_owned();
                Failed::Problem(problem.file(format!("${name}")), Some(text))
            }
            None => Failed::Problem(problem, None),
        }
    }
}
