//! Running modules without a server: the same compiler and engine as the server's, without permit
//! and without connectors.

use std::{
    io::{BufRead, Read},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use lockgate_compiler::Compiled;
use lockgate_document::{Document, Fault, ParseError, ParseOptions};
use lockgate_engine::{Beside, Engine, EngineConfig, Failure, Mocks, Module, Outcome, Watch};
use lockgate_model::{Diagnostic, Limits, Span, Timestamp};
use lockgate_runtime::Siblings;

use crate::exit::{Exit, Shown};

/// Modules of flows by name, which other flows run.
pub type Modules = std::collections::BTreeMap<String, Vec<u8>>;

/// An engine and a thread to run it on.
pub struct Workbench {
    engine: Arc<Engine>,
    runtime: tokio::runtime::Runtime,
    /// Limits of each run.
    pub limits: Limits,
    /// How documents are read.
    pub options: ParseOptions,
}

impl Workbench {
    /// A small engine for one run at a time.
    pub fn new() -> Result<Self, Exit> {
        let engine = Engine::new(EngineConfig::alone()).map_err(|e| Exit::failed("LG-ENGINE", e.to_string()))?;
        let engine = Arc::new(engine);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { engine, runtime, limits: Limits::default(), options: ParseOptions::default() })
    }

    /// Loads a compiled module.
    pub fn load(&self, compiled: &Compiled) -> Result<Arc<Module>, Exit> {
        self.load_bytes(&compiled.wasm)
    }

    /// Loads the bytes of a module.
    pub fn load_bytes(&self, wasm: &[u8]) -> Result<Arc<Module>, Exit> {
        self.engine.load(wasm).map_err(|e| Exit::failed("LG-ENGINE", e.to_string()))
    }

    /// Runs a module over an input.
    pub fn run(&self, module: &Arc<Module>, input: Document) -> Outcome {
        self.run_within(module, input, self.limits)
    }

    /// Runs a module over an input under other limits.
    pub fn run_within(&self, module: &Arc<Module>, input: Document, limits: Limits) -> Outcome {
        self.engine.evaluate_here(module, input, limits, now())
    }

    /// Runs a module over an input at this time.
    pub fn run_at(&self, module: &Arc<Module>, input: Document, now: Timestamp) -> Outcome {
        self.engine.evaluate_here(module, input, self.limits, now)
    }

    /// The same unless `stopped` comes first, which ends the run.
    pub fn run_until(
        &self,
        module: &Arc<Module>,
        input: Document,
        limits: Limits,
        stopped: impl Future<Output = ()>,
    ) -> Option<Outcome> {
        self.runtime.block_on(async {
            tokio::select! {
                outcome = self.engine.evaluate(module, input, Mocks::default(), limits, now()) => Some(outcome),
                () = stopped => None,
            }
        })
    }

    /// Runs a module over an input with mocks in place of endpoints, the flows in `modules` below it, while `watch`
    /// looks on, unless `stopped` comes first.
    #[expect(clippy::too_many_arguments, reason = "each is another kind of thing; a struct would only name them again")]
    pub fn run_mocked(
        &self,
        module: &Arc<Module>,
        modules: &Arc<Modules>,
        input: Document,
        mocks: Mocks,
        now: Timestamp,
        limits: Limits,
        watch: Option<Arc<dyn Watch>>,
        stopped: impl Future<Output = ()>,
    ) -> Option<(Outcome, Arc<Siblings>)> {
        let mocks = Arc::new(mocks);
        let siblings = Siblings::new(&self.engine, modules, &mocks, limits, watch.clone());
        let beside = Beside { mocks, siblings: Some(Arc::clone(&siblings) as _), until: None, budget: None };
        let run = self.engine.evaluate_beside(module, input, beside, limits, now, watch);
        let outcome = self.runtime.block_on(async {
            tokio::select! {
                outcome = run => Some(outcome),
                () = stopped => None,
            }
        });
        Some((outcome?, siblings))
    }

    /// What `wait` comes to.
    pub fn wait<T>(&self, wait: impl Future<Output = T>) -> T {
        self.runtime.block_on(wait)
    }

    /// Makes something that belongs to the thread that this waits on.
    pub fn within<T>(&self, make: impl FnOnce() -> T) -> T {
        let _within = self.runtime.enter();
        make()
    }

    /// A document from JSON text.
    pub fn parse(&self, text: &[u8]) -> Result<Document, ParseError> {
        Document::parse_with(text, &self.limits, self.options)
    }
}

/// The time of this machine.
pub fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "a program without a server has the machine's time")]
    let now = SystemTime::now();
    Timestamp(now.duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_micros()).unwrap_or(i64::MAX)))
}

/// All of standard input.
pub fn standard_input() -> Result<Vec<u8>, Exit> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// How many bytes standard input has, where it is a file.
pub fn standard_input_bytes() -> Option<u64> {
    let about = rustix::fs::fstat(std::io::stdin()).ok()?;
    let is_file = rustix::fs::FileType::from_raw_mode(about.st_mode).is_file();
    u64::try_from(about.st_size).ok().filter(|_| is_file)
}

/// A document on standard input that cannot be read, as a problem with its place; so many lines came
/// before it.
pub fn unreadable(error: &ParseError, lines: usize, bytes: &[u8]) -> Exit {
    unreadable_in("standard input", error, lines, bytes)
}

/// The same of a document in the file `name`.
pub fn unreadable_in(name: &str, error: &ParseError, lines: usize, bytes: &[u8]) -> Exit {
    let at = Span::new(error.offset(), error.offset() + 1);
    let problem = Diagnostic::new(error.code(), at, error.message()).file(name);
    Exit::Problems(vec![Shown::new(problem, lines, &String::from_utf8_lossy(bytes))], 1)
}

/// A run that failed, as a problem with its place where the module knows it; `file` is what `source`
/// is called, and `of` says of what it failed.
pub fn faulted(failure: &Failure, file: &str, source: &str, of: &str) -> Exit {
    let code = &failure.error.code;
    // The message of an expression error begins with its code; shown once is enough.
    let message = failure.message.strip_prefix(&format!("{code}: ")).unwrap_or(&failure.message);
    let message = format!("{message}{of}");
    match &failure.place {
        Some(place) => {
            let problem = Diagnostic::new(code.clone(), place.span, message).file(file);
            Exit::Problems(vec![Shown::new(problem, 0, source)], 1)
        }
        None => Exit::failed(code, message),
    }
}

/// A result that cannot be printed, such as one that nests too deeply: a failure of its expression,
/// which `source` is all of.
pub fn unprinted(fault: &Fault, file: &str, source: &str) -> Exit {
    let start = source.len() - source.trim_start().len();
    let end = start + source.trim().len();
    let problem = Diagnostic::new(fault.code(), Span::new(start, end), fault.to_string()).file(file);
    Exit::Problems(vec![Shown::new(problem, 0, source)], 1)
}

/// The lines of standard input with how many came before each; blank ones are left out.
pub fn standard_input_lines() -> impl Iterator<Item = std::io::Result<(usize, Vec<u8>)>> {
    let lines = std::io::stdin().lock().split(b'\n').enumerate();
    lines
        .map(|(before, line)| Ok((before, line?)))
        .filter(|line| !line.as_ref().is_ok_and(|(_, line)| line.trim_ascii().is_empty()))
}
