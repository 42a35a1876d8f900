//! Cost: wasm fuel plus what intrinsics charge, against one limit.
//!
//! Fuel is counted by wasm, charges by the arena. Each is granted what is left of the limit, and
//! both are settled against each other when a step begins, when it ends, and whenever
//! [`SETTLE_UNITS`] have been charged in between. So the check on the way is one comparison, and
//! the limit is overrun by no more than that and the last intrinsic. Nothing here depends on time:
//! the same run costs the same and stops at the same instruction. Only runs that go on beside each other
//! within one budget may find it empty at another place.

use std::sync::Arc;

use lockgate_document::{Arena, Fault};

use crate::Budget;

/// Units charged before they are taken off the fuel.
const SETTLE_UNITS: u64 = 65_536;

/// The cost of one run.
#[derive(Debug)]
pub(crate) struct Meter {
    budget: Arc<Budget>,
    /// What it was told of the cost.
    told: u64,
    /// What runs within cost, which the budget knows.
    within: u64,
    /// What the arena had been charged before the run, by parsing its input.
    charged_before: u64,
    fuel_used: u64,
    fuel_granted: u64,
    due_at: u64,
}

impl Meter {
    pub(crate) fn new(budget: Arc<Budget>, arena: &Arena) -> Self {
        Self { budget, told: 0, within: 0, charged_before: arena.charged(), fuel_used: 0, fuel_granted: 0, due_at: 0 }
    }

    pub(crate) fn cost(&self, arena: &Arena) -> u64 {
        self.own(arena).saturating_add(self.within)
    }

    /// Without that of runs within.
    fn own(&self, arena: &Arena) -> u64 {
        self.fuel_used + arena.charged().saturating_sub(self.charged_before)
    }

    pub(crate) fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// Tells the budget of what is new, with this much of the last grant burnt.
    fn tell(&mut self, arena: &Arena, burnt: u64) {
        let own = self.own(arena).saturating_add(burnt);
        self.budget.take(own.saturating_sub(self.told));
        self.told = self.told.max(own);
    }

    /// A run within has ended or was broken off, and cost this.
    pub(crate) fn add(&mut self, budget: &Budget, cost: u64) -> Result<(), Fault> {
        // What it did not take by itself.
        budget.take(cost.saturating_sub(budget.taken()));
        self.within = self.within.saturating_add(budget.taken());
        if self.budget.left() == 0 { Err(Fault::CostExceeded) } else { Ok(()) }
    }

    /// The step goes on. Where runs beside this one share the budget, it may be empty before the fuel is.
    pub(crate) fn goes_on(&mut self, arena: &Arena, fuel_left: u64) -> Result<(), Fault> {
        self.tell(arena, self.burnt(fuel_left));
        if self.budget.is_overdrawn(SETTLE_UNITS) { Err(Fault::CostExceeded) } else { Ok(()) }
    }

    /// More may be used, from the next grant on.
    pub(crate) fn allow(&mut self, units: u64) {
        self.budget.allow(units);
    }

    /// Grants what is left to both sides; returns the fuel.
    pub(crate) fn grant(&mut self, arena: &mut Arena) -> Result<u64, Fault> {
        self.tell(arena, 0);
        let left = self.budget.left();
        if left == 0 {
            return Err(Fault::CostExceeded);
        }
        let charged = arena.charged();
        arena.set_budget(charged.saturating_add(left));
        self.due_at = charged.saturating_add(left.min(SETTLE_UNITS));
        self.fuel_granted = left;
        Ok(left)
    }

    /// The fuel that was used of the last grant.
    pub(crate) fn burnt(&self, fuel_left: u64) -> u64 {
        self.fuel_granted.saturating_sub(fuel_left)
    }

    /// Counts the fuel that was used of the last grant.
    pub(crate) fn take_back(&mut self, arena: &Arena, fuel_left: u64) {
        self.fuel_used += self.burnt(fuel_left);
        self.fuel_granted = 0;
        self.tell(arena, 0);
    }

    #[inline]
    pub(crate) fn is_due(&self, arena: &Arena) -> bool {
        arena.charged() >= self.due_at
    }
}
