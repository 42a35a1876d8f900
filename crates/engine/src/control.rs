//! What an open run is held by from outside: its end, and its gauge.

use std::sync::Arc;

use crate::{Budget, CancelToken, Gauge};

/// The hold on one run; every clone is of the same.
#[derive(Debug, Clone, Default)]
pub struct Control {
    /// Ends it.
    pub cancel: CancelToken,
    /// Shows how far it is.
    pub gauge: Arc<Gauge>,
    /// What it may cost, within what a run that waits for it may; none for one that nobody waits for.
    pub budget: Option<Arc<Budget>>,
}

impl Control {
    /// Of a run that has not begun.
    pub fn new() -> Self {
        Self::default()
    }
}
