//! What can be read of a run from outside while it is open: where it stands, what it cost so far, how long its tasks
//! took and what went through its accounts.
//!
//! The run writes it as it goes; reading disturbs nothing. Metadata alone: what a run's record keeps, only earlier.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::Instant,
};

use lockgate_model::{
    id::AccountName,
    run::{Bytes, Phase, TaskTime},
};

use crate::{
    Module,
    ledger::{Ledger, Timing},
};

const PENDING: u8 = 0;
const RUNNING: u8 = 1;
const WAITING: u8 = 2;

/// The gauge of one run.
#[derive(Default)]
pub struct Gauge {
    phase: AtomicU8,
    cost: AtomicU64,
    tasks: Mutex<Option<Ledger>>,
    bytes: Mutex<BTreeMap<AccountName, Bytes>>,
}

/// What a gauge shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Pending until its first step, waiting while nothing of it goes on but time, running otherwise.
    pub phase: Phase,
    /// Cost units used; while it computes, as of what it last asked of the host.
    pub cost: u64,
    /// Wall time by task, what is not over yet until now.
    pub tasks: Vec<TaskTime>,
    /// Bytes and calls by account; those of a call are counted when it has been answered.
    pub bytes: BTreeMap<AccountName, Bytes>,
}

impl Gauge {
    /// The gauge of a run that has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// What it shows now.
    pub fn read(&self) -> Reading {
        Reading { phase: self.phase(), cost: self.cost(), tasks: self.tasks(), bytes: self.bytes().clone() }
    }

    /// Where the run stands.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            PENDING => Phase::Pending,
            WAITING => Phase::Waiting,
            _ => Phase::Running,
        }
    }

    pub(crate) fn cost(&self) -> u64 {
        self.cost.load(Ordering::Relaxed)
    }

    pub(crate) fn tasks(&self) -> Vec<TaskTime> {
        self.ledger().as_ref().map(|ledger| ledger.times(Instant::now())).unwrap_or_default()
    }

    // --- what the run tells

    pub(crate) fn begins(&self, module: &Arc<Module>, began: Instant) {
        *self.ledger() = Some(Ledger::new(Arc::clone(module), began));
    }

    pub(crate) fn runs(&self) {
        self.phase.store(RUNNING, Ordering::Relaxed);
    }

    pub(crate) fn waits(&self) {
        self.phase.store(WAITING, Ordering::Relaxed);
    }

    pub(crate) fn has_cost(&self, cost: u64) {
        self.cost.store(cost, Ordering::Relaxed);
    }

    /// A strand enters a task.
    pub(crate) fn enters(&self, strand: &mut Timing, pc: u32) {
        if let Some(ledger) = &mut *self.ledger() {
            ledger.enter(strand, pc);
        }
    }

    /// A strand ends.
    pub(crate) fn leaves(&self, strand: &mut Timing) {
        if let Some(ledger) = &mut *self.ledger() {
            ledger.leave(strand);
        }
    }

    /// Counts what goes through an account.
    pub(crate) fn count(&self, account: AccountName, count: impl FnOnce(&mut Bytes)) {
        count(self.bytes().entry(account).or_default());
    }

    pub(crate) fn take_bytes(&self) -> BTreeMap<AccountName, Bytes> {
        std::mem::take(&mut self.bytes())
    }

    fn ledger(&self) -> MutexGuard<'_, Option<Ledger>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bytes(&self) -> MutexGuard<'_, BTreeMap<AccountName, Bytes>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Gauge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.read().fmt(f)
    }
}
