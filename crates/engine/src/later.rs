//! What comes later where time does not really pass: in the order of its time.

use std::collections::BTreeMap;

/// Things that are due at times of the run's clock; those of one time in the order they were added.
pub(crate) struct Later<T> {
    /// By time in milliseconds and the order of adding: a ticket and the thing.
    due: BTreeMap<(i64, u64), (u64, T)>,
    added: u64,
}

impl<T> Later<T> {
    pub(crate) fn new() -> Self {
        Self { due: BTreeMap::new(), added: 0 }
    }

    /// Adds a thing under a ticket.
    pub(crate) fn add(&mut self, ms: i64, ticket: u64, thing: T) {
        self.added += 1;
        self.due.insert((ms, self.added), (ticket, thing));
    }

    /// Forgets what has a ticket.
    pub(crate) fn forget(&mut self, ticket: u64) {
        self.due.retain(|_, (known, _)| *known != ticket);
    }

    /// What is due next, and when.
    pub(crate) fn next(&mut self) -> Option<(i64, T)> {
        let ((ms, _), (ticket, thing)) = self.due.pop_first()?;
        self.forget(ticket);
        Some((ms, thing))
    }
}

#[cfg(test)]
mod tests {
    use super::Later;

    #[test]
    fn what_is_due_first_comes_first_and_once_for_a_ticket() {
        let mut later = Later::new();
        later.add(50, 1, "late");
        later.add(10, 2, "a");
        later.add(10, 3, "b");
        later.add(20, 2, "the limit of what came");
        later.add(30, 4, "forgotten");
        later.forget(4);
        let order: Vec<_> = std::iter::from_fn(|| later.next()).collect();
        assert_eq!(order, [(10, "a"), (10, "b"), (50, "late")]);
    }
}
