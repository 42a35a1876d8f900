//! Cost: wasm fuel plus what intrinsics charge, against one limit.
//!
//! Fuel is counted by wasm, charges by the arena. Each is granted what is left of the limit, and
//! both are settled against each other when a step begins, when it ends, and whenever
//! [`SETTLE_UNITS`] have been charged in between. So the check on the way is one comparison, and
//! the limit is overrun by no more than that and the last intrinsic. Nothing here depends on time:
//! the same run costs the same and stops at the same instruction.

use lockgate_document::{Arena, Fault};

/// Units charged before they are taken off the fuel.
const SETTLE_UNITS: u64 = 65_536;

/// The cost of one run.
#[derive(Debug)]
pub(crate) struct Meter {
    cost_max: u64,
    /// What the arena had been charged before the run, by parsing its input.
    charged_before: u64,
    fuel_used: u64,
    fuel_granted: u64,
    due_at: u64,
}

impl Meter {
    pub(crate) fn new(cost_max: u64, arena: &Arena) -> Self {
        Self { cost_max, charged_before: arena.charged(), fuel_used: 0, fuel_granted: 0, due_at: 0 }
    }

    pub(crate) fn cost(&self, arena: &Arena) -> u64 {
        self.fuel_used + arena.charged().saturating_sub(self.charged_before)
    }

    /// More may be used, from the next grant on.
    pub(crate) fn allow(&mut self, units: u64) {
        self.cost_max = self.cost_max.saturating_add(units);
    }

    /// What may still be used.
    pub(crate) fn left(&self, arena: &Arena) -> u64 {
        self.cost_max.saturating_sub(self.cost(arena))
    }

    /// Grants what is left to both sides; returns the fuel.
    pub(crate) fn grant(&mut self, arena: &mut Arena) -> Result<u64, Fault> {
        let left = self.left(arena);
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
    pub(crate) fn take_back(&mut self, fuel_left: u64) {
        self.fuel_used += self.burnt(fuel_left);
        self.fuel_granted = 0;
    }

    #[inline]
    pub(crate) fn is_due(&self, arena: &Arena) -> bool {
        arena.charged() >= self.due_at
    }
}
