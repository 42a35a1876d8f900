//! Expressions through the product's own compiler and engine, in this process.

use std::sync::Arc;

use lockgate_document::Document;
use lockgate_engine::{Engine, EngineConfig, Mocks, Module};
use lockgate_model::{Limits, Timestamp};

/// What an expression gives.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// A value, as JSON text.
    Value(String),
    /// No value.
    Undefined,
    /// An error, by its code.
    Error(String),
    /// A limit of this run was reached, or the reference gave up: nothing to compare.
    Limit(String),
}

/// An engine and a thread to run it on.
pub struct Bench {
    engine: Engine,
    runtime: tokio::runtime::Runtime,
    limits: Limits,
}

/// An expression that was compiled.
pub struct Compiled(Arc<Module>);

impl Default for Bench {
    fn default() -> Self {
        Bench::new()
    }
}

impl Bench {
    /// A small engine with tight limits.
    ///
    /// # Panics
    /// When this machine cannot run it.
    pub fn new() -> Bench {
        Bench::within(Limits {
            arena_bytes_max: 16 << 20,
            cost_max: 100_000_000,
            wall_ms_max: 20_000,
            reply_bytes_max: 4 << 20,
            ..Limits::default()
        })
    }

    /// The same with limits that any text reaches soon.
    ///
    /// # Panics
    /// When this machine cannot run it.
    pub fn tight() -> Bench {
        Bench::within(Limits {
            arena_bytes_max: 2 << 20,
            cost_max: 2_000_000,
            wall_ms_max: 20_000,
            reply_bytes_max: 1 << 20,
            ..Limits::default()
        })
    }

    fn within(limits: Limits) -> Bench {
        let config = EngineConfig {
            workers: 1,
            stacks_max: 4,
            stacks_per_tenant_max: 4,
            modules_bytes_max: 0,
            ..EngineConfig::default()
        };
        Bench {
            engine: Engine::new(config).expect("an engine"),
            runtime: tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime"),
            limits,
        }
    }

    /// Compiles an expression, or says with what code it is refused.
    pub fn compile(&self, expression: &str) -> Result<Compiled, String> {
        let compiled = lockgate_compiler::expression_module(expression, false)
            .map_err(|all| all.0.first().map(|problem| problem.code.clone()).unwrap_or_default())?;
        match self.engine.load(&compiled.wasm) {
            Ok(module) => Ok(Compiled(module)),
            Err(e) => Err(format!("compiled, and not loaded: {e}")),
        }
    }

    /// The same of jq.
    pub fn compile_jq(&self, expression: &str) -> Result<Compiled, String> {
        let compiled = lockgate_compiler::jq::filter_module(expression)
            .map_err(|all| all.0.first().map(|problem| problem.code.clone()).unwrap_or_default())?;
        self.engine.load(&compiled.wasm).map(Compiled).map_err(|e| format!("compiled, and not loaded: {e}"))
    }

    /// Runs it on a document.
    ///
    /// # Panics
    /// When the document is no JSON.
    pub fn run(&self, module: &Compiled, document: &str) -> Answer {
        let input = Document::parse(document.as_bytes(), &self.limits);
        let input = input.unwrap_or_else(|e| panic!("{document}: {}", e.message()));
        self.run_on(module, input)
    }

    /// Runs it on a document that is there.
    ///
    /// # Panics
    /// When what is printed is no UTF-8.
    pub fn run_on(&self, module: &Compiled, input: Document) -> Answer {
        let start = Timestamp(1_700_000_000_000_000);
        let running = self.engine.evaluate(&module.0, input, Mocks::default(), self.limits, start);
        match self.runtime.block_on(running).result {
            Ok(result) if result.is_undefined() => Answer::Undefined,
            Ok(result) => match result.print(self.limits.reply_bytes_max) {
                Ok(text) => Answer::Value(String::from_utf8(text).expect("JSON is UTF-8")),
                Err(fault) => Answer::Error(fault.to_string()),
            },
            Err(failure) => {
                let code = failure.error.code;
                if code.starts_with("LG-LIMIT") { Answer::Limit(code) } else { Answer::Error(code) }
            }
        }
    }
}
