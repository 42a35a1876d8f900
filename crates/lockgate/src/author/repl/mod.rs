//! `lockgate repl [FILE.json]`: expressions typed one after the other over a document. On a terminal the
//! value stands below the line while it is typed; from a pipe each line is answered with its value, so that
//! it can be scripted.
//!
//! Deliberately absent: any meaning of expressions, which is that of `lockgate eval`.

mod live;
mod place;
mod session;
mod shown;
mod terminal;

use std::{
    cell::Cell,
    io::{BufRead as _, IsTerminal as _, Read as _},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use clap::Args;
use lockgate_mapping::{Expression, expression::signature_of};
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::{
    session::{Failed, Given, Session},
    terminal::{Terminal, Typed, history_file, signed},
};
use crate::{
    author::workbench::{Workbench, unreadable_in},
    exit::{Exit, Shown},
    output::Output,
};

/// Characters of a value that a terminal shows: some screens.
const SHOWN_MAX: usize = 16_384;
/// Bytes of an expression that is read from a pipe.
const LINE_BYTES_MAX: usize = 1 << 18;

/// Command, what it takes, what it does.
pub(super) const COMMANDS: [(&str, &str, &str); 6] = [
    (":input", "[FILE]", "reads a JSON document; without a file, tells what the input is"),
    (":type", "[EXPRESSION]", "what a value is made of; without an expression, the input"),
    (":vars", "", "what is bound"),
    (":clear", "", "forgets what is bound"),
    (":help", "[$FUNCTION]", "this, or the signature of a function"),
    (":quit", "", "ends (also Ctrl-D)"),
];

/// Arguments of `repl`.
#[derive(Args)]
pub struct Repl {
    /// A JSON document to read; without one the input is undefined.
    file: Option<PathBuf>,
    /// Keep no history of what is typed.
    #[arg(long)]
    no_history: bool,
}

/// A command of the prompt: no expression begins with a colon.
fn is_command(text: &str) -> bool {
    text.trim_start().starts_with(':')
}

/// A bracket or a comment is open: the expression goes on in the next line.
fn is_open(text: &str) -> bool {
    if is_command(text) {
        return false;
    }
    let problems = Expression::parse(text).err();
    problems.is_some_and(|all| all.0.iter().any(|problem| matches!(problem.code.as_str(), "S0203" | "S0106")))
}

impl Repl {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let on_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal() && !output.is_json();
        let bench = Workbench::new()?;
        let prompt = Prompt { bench, session: Arc::default(), on_terminal, interrupted: Cell::new(None), output };
        if let Some(file) = &self.file {
            prompt.input(file)?;
        }
        if on_terminal { prompt.converse(self.no_history) } else { prompt.answer_lines() }
    }
}

struct Prompt<'o> {
    bench: Workbench,
    session: Arc<Mutex<Session>>,
    on_terminal: bool,
    /// Ctrl-C since the line was asked for. From a pipe it ends the program, as it does everywhere.
    interrupted: Cell<Option<Signal>>,
    output: &'o Output,
}

/// What follows a line.
#[derive(PartialEq, Eq)]
enum Then {
    GoOn,
    Quit,
}

impl Prompt<'_> {
    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn converse(&self, no_history: bool) -> Result<(), Exit> {
        let history = if no_history { None } else { history_file() };
        let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let mut terminal = Terminal::open(Arc::clone(&self.session), history, colours)?;
        self.output.note("JSONata 2.2. Tab completes, :help helps, Ctrl-D ends.");
        loop {
            // While a line is typed Ctrl-C is a key; from then on it stops the line, and never ends the program.
            self.interrupted.set(Some(self.bench.within(|| signal(SignalKind::interrupt()))?));
            let line = match terminal.line()? {
                Typed::Line(line) => line,
                Typed::Nothing => continue,
                Typed::End => return Ok(()),
            };
            if line.trim().is_empty() {
                continue;
            }
            if let Err(exit) = terminal.keep(&line) {
                self.output.failure(&exit);
            }
            match self.take(&line) {
                Ok(Then::GoOn) => {}
                Ok(Then::Quit) => return Ok(()),
                Err(exit) => self.output.failure(&exit),
            }
            self.output.end()?;
        }
    }

    /// Answers what comes from a pipe; what failed is told, and told by the exit code in the end.
    fn answer_lines(&self) -> Result<(), Exit> {
        let mut failed = false;
        let mut text = String::new();
        let mut input = std::io::stdin().lock();
        loop {
            let room = (LINE_BYTES_MAX + 1).saturating_sub(text.len());
            let ended = input.by_ref().take(room as u64).read_line(&mut text)? == 0;
            if text.len() > LINE_BYTES_MAX {
                return Err(Exit::failed("LG-REQUEST", format!("an expression is longer than {LINE_BYTES_MAX} bytes")));
            }
            if !ended && is_open(&text) {
                continue;
            }
            match self.take(std::mem::take(&mut text).trim_end()) {
                Ok(Then::GoOn) => {}
                Ok(Then::Quit) => break,
                Err(exit) => {
                    self.output.failure(&exit);
                    failed = true;
                }
            }
            if ended || self.output.part(b"")?.is_break() {
                break;
            }
        }
        if failed { Err(Exit::Told) } else { Ok(()) }
    }

    /// One whole line.
    fn take(&self, line: &str) -> Result<Then, Exit> {
        if line.trim().is_empty() {
            return Ok(Then::GoOn);
        }
        let Some(command) = line.trim_start().strip_prefix(':') else {
            self.evaluate(line)?;
            return Ok(Then::GoOn);
        };
        let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let rest = rest.trim();
        match name {
            "input" if rest.is_empty() => self.shape_of_input(),
            "input" => self.input(&PathBuf::from(rest))?,
            "type" if rest.is_empty() => self.shape_of_input(),
            "type" => match self.value(rest)? {
                Given::Value(value) => self.output.line(&shown::shape(value.root())),
                Given::Function => self.output.line("function"),
            },
            "vars" => self.session().names().iter().for_each(|name| self.output.line(&format!("${name}"))),
            "clear" => self.session().clear(),
            "help" => self.help(rest)?,
            "quit" => return Ok(Then::Quit),
            _ => return Err(Exit::Usage(format!("there is no `:{name}`: `:help` shows the commands"))),
        }
        Ok(Then::GoOn)
    }

    fn input(&self, file: &std::path::Path) -> Result<(), Exit> {
        let name = file.display().to_string();
        let bytes = std::fs::read(file).map_err(|e| Exit::Usage(format!("cannot read `{name}`: {e}")))?;
        let document = self.bench.parse(&bytes).map_err(|e| unreadable_in(&name, &e, 0, &bytes))?;
        self.session().input = Some(document);
        Ok(())
    }

    fn shape_of_input(&self) {
        match &self.session().input {
            Some(document) => self.output.line(&shown::shape(document.root())),
            None => self.output.line("there is no input: `:input FILE` reads one"),
        }
    }

    fn help(&self, name: &str) -> Result<(), Exit> {
        let name = name.trim_start_matches('$');
        if name.is_empty() {
            let row = |(name, takes, does): &(&str, &str, &str)| format!("{:22}{does}\n", format!("{name} {takes}"));
            let commands: String = COMMANDS.iter().map(row).collect();
            self.output.line(&format!(
                "{commands}\n$name := EXPRESSION keeps a value for later lines; an open bracket goes on in the next line.\n\
                 $ is the input. docs/mapping.md is the page of the language."
            ));
            return Ok(());
        }
        if signature_of(name).is_none() {
            return Err(Exit::Usage(format!("there is no function `${name}`")));
        }
        self.output.line(&signed(name).unwrap_or_default());
        Ok(())
    }

    fn evaluate(&self, line: &str) -> Result<(), Exit> {
        let given = self.value(line)?;
        match &given {
            Given::Function => self.output.line("function"),
            Given::Value(value) if value.is_undefined() => {
                self.output.line(if self.output.is_json() { "null" } else { "undefined" });
            }
            Given::Value(value) if self.on_terminal => {
                let text = shown::long(value.root(), SHOWN_MAX);
                self.output.line(&text);
                if text.ends_with('…') {
                    let bytes = shown::bytes_about(value.root());
                    self.output.note(&format!("(about {bytes} bytes in all; `lockgate eval` prints the whole)"));
                }
            }
            Given::Value(value) => {
                let printed = value.print(self.bench.limits.reply_bytes_max);
                let mut text = printed.map_err(|fault| Exit::failed(&fault.code(), fault.to_string()))?;
                text.push(b'\n');
                self.output.bytes(&text)?;
            }
        }
        Ok(())
    }

    /// What a line gives; a binding is kept.
    fn value(&self, line: &str) -> Result<Given, Exit> {
        let problem = |failed| match failed {
            Failed::Problem(problem, elsewhere) => {
                Exit::Problems(vec![Shown::new(problem, 0, elsewhere.as_deref().unwrap_or(line))], 1)
            }
            Failed::Exit(exit) => exit,
            Failed::Stopped => Exit::failed("LG-CANCELLED", "stopped by Ctrl-C"),
        };
        let interrupted = self.interrupted.take();
        let stopped = async move {
            match interrupted {
                Some(mut interrupted) => drop(interrupted.recv().await),
                None => std::future::pending().await,
            }
        };
        let ready = self.session().ready(line, &self.bench.limits).map_err(problem)?;
        let binds = ready.binds().map(str::to_owned);
        let given = ready.run(&self.bench, self.bench.limits, stopped).map_err(problem)?;
        if let Some(name) = binds {
            self.session().keep(&name, line, &given)?;
        }
        Ok(given)
    }
}
