//! The engine: one for a process.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use lockgate_access::ExecutePermit;
use lockgate_document::Document;
use lockgate_model::{Digest, Limits, Timestamp, id::TenantId};
use wasmtime::Linker;

use crate::{
    Beside, Calls, Control, EngineConfig, LoadError, Mocks, Module, Outcome, Watch,
    config::wasmtime_engine,
    executor::Executor,
    here::Here,
    host::Host,
    link::linker,
    load::load,
    problem::Problem,
    reach::Reach,
    run::{Start, run},
    shelf::Shelf,
    ticker::Ticker,
};

/// Loads modules and runs them.
pub struct Engine {
    pub(crate) linker: Linker<Box<Host>>,
    executor: Executor,
    here: Here,
    shelf: Mutex<Shelf>,
    module_bytes_max: usize,
}

/// The engine cannot be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start the engine: {0}")]
pub struct Error(String);

impl Engine {
    /// Reserves stacks and starts the threads.
    pub fn new(config: EngineConfig) -> Result<Self, Error> {
        let failed = |e: &dyn std::fmt::Display| Error(format!("{e:#}"));
        let engine = wasmtime_engine(&config).map_err(|e| failed(&e))?;
        let linker = linker(&engine).map_err(|e| failed(&e))?;
        let ticker = Ticker::start(engine.weak()).map_err(|e| failed(&e))?;
        let executor = Executor::start(&config, ticker).map_err(|e| failed(&e))?;
        let shelf = Mutex::new(Shelf::new(config.modules_bytes_max));
        Ok(Self { linker, executor, here: Here::default(), shelf, module_bytes_max: config.module_bytes_max })
    }

    /// Checks a module and compiles it to machine code: tens of milliseconds of CPU, so the caller
    /// puts it on a thread of its own. The same bytes give the module that is already loaded.
    pub fn load(&self, wasm: &[u8]) -> Result<Arc<Module>, LoadError> {
        self.check_length(wasm)?;
        if let Some(module) = self.loaded(&Digest::of(wasm)) {
            return Ok(module);
        }
        Ok(self.shelve(load(&self.linker, wasm, None)?))
    }

    pub(crate) fn check_length(&self, wasm: &[u8]) -> Result<(), LoadError> {
        if wasm.len() > self.module_bytes_max {
            return Err(LoadError::TooLong { bytes: wasm.len(), bytes_max: self.module_bytes_max });
        }
        Ok(())
    }

    /// Remembers a module; the one with its digest that was first is the one.
    pub(crate) fn shelve(&self, module: Module) -> Arc<Module> {
        self.shelf().put(Arc::new(module))
    }

    /// The module with this digest, where it is loaded.
    pub fn loaded(&self, digest: &Digest) -> Option<Arc<Module>> {
        self.shelf().get(digest)
    }

    /// Runs a module under a permit, to its end.
    ///
    /// A module with another digest than the permit's is refused. The first connector call waits
    /// until the permit's receipt is durable; a receipt that fails ends the run with status 503.
    /// Dropping the future drops the run.
    #[expect(clippy::too_many_arguments, reason = "each is another kind of thing; a struct would only name them again")]
    pub async fn run(
        &self,
        permit: ExecutePermit,
        module: &Arc<Module>,
        input: Document,
        calls: Arc<dyn Calls>,
        limits: Limits,
        now: Timestamp,
        control: Control,
    ) -> Outcome {
        if permit.module() != module.digest() {
            let detail = format!("the permit is for module {}, this is {}", permit.module(), module.digest());
            let result = Err(Problem::wrong_module(detail).into_failure(String::new(), None));
            let (tasks, bytes) = (Vec::new(), BTreeMap::new());
            return Outcome { result, cost: 0, tasks, bytes, arena_bytes_peak: 0, waited_ms: 0 };
        }
        let account = Some(permit.tenant().clone());
        let start = Start { id: permit.run(), ..Start::new(module, input, limits, now, control) };
        run(&self.executor, account, start, Reach::Bound { permit: Box::new(permit), calls, durable: false }).await
    }

    /// Runs a module outside any environment: no permit, no connectors.
    ///
    /// A call takes its mock, or fails with the error type `configuration` that names the account.
    pub async fn evaluate(
        &self,
        module: &Arc<Module>,
        input: Document,
        mocks: Mocks,
        limits: Limits,
        now: Timestamp,
    ) -> Outcome {
        self.evaluate_watched(module, input, mocks, limits, now, None).await
    }

    /// The same while somebody may look on: see [`Watch`].
    pub async fn evaluate_watched(
        &self,
        module: &Arc<Module>,
        input: Document,
        mocks: Mocks,
        limits: Limits,
        now: Timestamp,
        watch: Option<Arc<dyn Watch>>,
    ) -> Outcome {
        let beside = Beside { mocks: Arc::new(mocks), siblings: None, until: None, budget: None };
        self.evaluate_beside(module, input, beside, limits, now, watch).await
    }

    /// The same with other orchestrations beside the module.
    pub async fn evaluate_beside(
        &self,
        module: &Arc<Module>,
        input: Document,
        beside: Beside,
        limits: Limits,
        now: Timestamp,
        watch: Option<Arc<dyn Watch>>,
    ) -> Outcome {
        let start = Start::new(module, input, limits, now, Control::new());
        let start = Start { watch, budget: beside.budget.clone(), ..start };
        run(&self.executor, None, start, Reach::Mocked(beside)).await
    }

    /// Runs a module that calls nothing, to its end on this thread, as [`Engine::evaluate`] would: for
    /// a program that has nothing else to do until then. One such run at a time; others wait. What it
    /// would wait for is over at once, and a call fails as one without a mock.
    pub fn evaluate_here(&self, module: &Arc<Module>, input: Document, limits: Limits, now: Timestamp) -> Outcome {
        let start = Start::new(module, input, limits, now, Control::new());
        self.here.run(self.executor.ticker(), start)
    }

    /// A tenant's share of the workers, against 1 for others.
    pub fn set_weight(&self, tenant: &TenantId, weight: u32) {
        self.executor.set_weight(&Some(tenant.clone()), weight);
    }

    /// Steps that wait for a worker: what shedding looks at.
    pub fn waiting(&self) -> usize {
        self.executor.waiting()
    }

    fn shelf(&self) -> std::sync::MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}
