//! The account of a run's work in units.
//!
//! A unit is about what one wasm instruction costs. Bytes are charged by eights, items one by one.

use crate::fault::Fault;

/// Units charged, against a budget.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meter {
    charged: u64,
    budget: u64,
}

impl Meter {
    pub(crate) fn new(budget: u64) -> Meter {
        Meter { charged: 0, budget }
    }
    pub(crate) fn charged(self) -> u64 {
        self.charged
    }
    pub(crate) fn left(self) -> u64 {
        self.budget.saturating_sub(self.charged)
    }
    pub(crate) fn set_budget(&mut self, budget: u64) {
        self.budget = budget;
    }

    #[inline]
    pub(crate) fn charge(&mut self, units: u64) -> Result<(), Fault> {
        self.charged = self.charged.saturating_add(units);
        if self.charged > self.budget { Err(Fault::CostExceeded) } else { Ok(()) }
    }
    /// Charges for reading or writing `bytes` bytes.
    #[inline]
    pub(crate) fn charge_bytes(&mut self, bytes: usize) -> Result<(), Fault> {
        self.charge(bytes as u64 / 8)
    }
}
