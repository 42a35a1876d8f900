//! How long each task took.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use lockgate_model::run::TaskTime;

use crate::Module;

/// Times by pc; a task's time lasts until the next task begins, waits for its answers included.
pub(crate) struct Ledger {
    module: Arc<Module>,
    began: Instant,
    entries: Vec<Entry>,
}

/// The task that a strand is in, and since when, counted from the start of the run.
pub(crate) type Timing = Option<(u32, Duration)>;

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    entered: u32,
    /// Strands that are in it, and when they entered it, all together.
    within: u32,
    since: Duration,
    /// Of those that have left it.
    wall: Duration,
    /// Since the run began: its first entry and its last end.
    first: Duration,
    last: Duration,
}

impl Ledger {
    pub(crate) fn new(module: Arc<Module>, began: Instant) -> Self {
        let entries = vec![Entry::default(); module.tasks().len()];
        Self { module, began, entries }
    }

    /// A strand enters a task.
    pub(crate) fn enter(&mut self, strand: &mut Timing, pc: u32) {
        let now = self.began.elapsed();
        self.end(strand, now);
        if let Some(entry) = self.entries.get_mut(pc as usize) {
            if entry.entered == 0 {
                entry.first = now;
            }
            entry.entered = entry.entered.saturating_add(1);
            entry.within = entry.within.saturating_add(1);
            entry.since = entry.since.saturating_add(now);
        }
        *strand = Some((pc, now));
    }

    /// A strand ends.
    pub(crate) fn leave(&mut self, strand: &mut Timing) {
        self.end(strand, self.began.elapsed());
    }

    /// By task pointer, in the order of the table; who is in a task is taken to be there until `now`. A task that goes
    /// on at a second pc after a call was entered once, not twice.
    pub(crate) fn times(&self, now: Instant) -> Vec<TaskTime> {
        let now = now.saturating_duration_since(self.began);
        let mut times: Vec<TaskTime> = Vec::new();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for (entry, task) in self.entries.iter().zip(self.module.tasks()) {
            if entry.entered == 0 {
                continue;
            }
            let (wall_us, first_us, last_us) = (us(entry.wall_until(now)), us(entry.first), us(entry.last_until(now)));
            let at = *places.entry(&task.pointer).or_insert(times.len());
            match times.get_mut(at) {
                Some(time) => {
                    time.entered = time.entered.max(entry.entered);
                    time.wall_us = time.wall_us.saturating_add(wall_us);
                    time.first_us = time.first_us.min(first_us);
                    time.last_us = time.last_us.max(last_us);
                }
                None => {
                    let (task, entered) = (task.pointer.clone(), entry.entered);
                    times.push(TaskTime { task, entered, wall_us, first_us, last_us });
                }
            }
        }
        times
    }

    fn end(&mut self, strand: &mut Timing, now: Duration) {
        if let Some((pc, since)) = strand.take()
            && let Some(entry) = self.entries.get_mut(pc as usize)
        {
            entry.within = entry.within.saturating_sub(1);
            entry.since = entry.since.saturating_sub(since);
            entry.wall += now.saturating_sub(since);
            entry.last = now;
        }
    }
}

impl Entry {
    fn wall_until(&self, now: Duration) -> Duration {
        self.wall.saturating_add(now.saturating_mul(self.within).saturating_sub(self.since))
    }

    fn last_until(&self, now: Duration) -> Duration {
        if self.within == 0 { self.last } else { now }
    }
}

fn us(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
