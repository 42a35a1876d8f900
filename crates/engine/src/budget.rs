//! What a run and those that it waits for may cost together.
//!
//! Each run has a budget of its own within that of the run around it. What it takes is taken from all of them at once,
//! so that runs which go on beside each other share what is left, and what one that was broken off has taken stays
//! taken.

use std::{
    iter::successors,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Units that are left to one run, and so to those around it.
#[derive(Debug, Default)]
pub struct Budget {
    max: AtomicU64,
    taken: AtomicU64,
    around: Option<Arc<Budget>>,
}

impl Budget {
    /// Of a run that nobody waits for.
    pub(crate) fn new(max: u64) -> Self {
        Self { max: max.into(), ..Self::default() }
    }

    /// Of a run within: it may take what is left here.
    pub(crate) fn within(self: &Arc<Self>) -> Self {
        Self { around: Some(Arc::clone(self)), ..Self::new(self.left()) }
    }

    /// What may still be taken.
    pub fn left(&self) -> u64 {
        self.all().map(|one| one.max.load(Ordering::Relaxed).saturating_sub(one.taken())).min().unwrap_or(0)
    }

    /// What has been taken, by the runs within too.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Is more taken than there was, by more than this?
    pub(crate) fn is_overdrawn(&self, by: u64) -> bool {
        self.all().any(|one| one.taken() > one.max.load(Ordering::Relaxed).saturating_add(by))
    }

    pub(crate) fn take(&self, units: u64) {
        for one in self.all() {
            one.taken.fetch_add(units, Ordering::Relaxed);
        }
    }

    /// It may take no more than this.
    pub(crate) fn hold_to(&self, max: u64) {
        self.max.fetch_min(max, Ordering::Relaxed);
    }

    /// It may take more.
    pub(crate) fn allow(&self, units: u64) {
        let more = |max: u64| Some(max.saturating_add(units));
        // The closure always gives a value.
        let _ = self.max.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    fn all(&self) -> impl Iterator<Item = &Self> {
        successors(Some(self), |one| one.around.as_deref())
    }
}
