//! Memory for request bodies: so many bytes for all requests of a server together, whichever way they
//! go.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is free, in KiB.
#[derive(Debug, Clone)]
pub(crate) struct Budget(Arc<Semaphore>);

impl Budget {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self(Arc::new(Semaphore::new((bytes_max >> 10).min(Semaphore::MAX_PERMITS))))
    }

    /// A place for one body; it takes nothing yet.
    pub(crate) fn place(&self) -> Place {
        Place(Arc::new(Taken { free_kib: self.0.clone(), held: Mutex::default() }))
    }
}

/// What one body takes of the budget: it grows as bytes arrive, since who only announces them holds
/// nothing. It is given back when its last owner drops it, so that it can outlive the body and last as
/// long as what was read from it.
#[derive(Debug, Clone)]
pub(crate) struct Place(Arc<Taken>);

#[derive(Debug)]
struct Taken {
    free_kib: Arc<Semaphore>,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    bytes: usize,
    permit: Option<OwnedSemaphorePermit>,
}

/// The budget is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spent;

impl Place {
    /// Takes room for so many bytes more.
    pub(crate) fn hold(&self, more: usize) -> Result<(), Spent> {
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.bytes = held.bytes.saturating_add(more);
        let has = held.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = held.bytes.div_ceil(1024).saturating_sub(has);
        if missing == 0 {
            return Ok(());
        }
        let missing = u32::try_from(missing).map_err(|_| Spent)?;
        let more = self.0.free_kib.clone().try_acquire_many_owned(missing).map_err(|_| Spent)?;
        match &mut held.permit {
            Some(permit) => permit.merge(more),
            None => held.permit = Some(more),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_taken_in_full_kib_and_given_back() {
        let budget = Budget::new(3 << 10);
        let place = budget.place();
        place.hold(1).unwrap();
        place.hold(1023).unwrap();
        assert_eq!(budget.0.available_permits(), 2);
        place.hold(1).unwrap();
        assert_eq!(place.hold(4096), Err(Spent));
        let kept = place.clone();
        drop(place);
        assert_eq!(budget.0.available_permits(), 1, "somebody still holds what was read");
        drop(kept);
        assert_eq!(budget.0.available_permits(), 3);
    }
}
