//! How long each task took.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use lockgate_model::{abi::Task, run::TaskTime};

/// Times by pc; a task's time lasts until the next task begins, waits for its answers included.
pub(crate) struct Ledger {
    began: Instant,
    entries: Vec<Entry>,
}

/// The task that a strand is in, and since when.
pub(crate) type Timing = Option<(u32, Instant)>;

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    entered: u32,
    wall: Duration,
    /// Since the run began: its first entry and its last end.
    first: Duration,
    last: Duration,
}

impl Ledger {
    pub(crate) fn new(tasks: usize, began: Instant) -> Self {
        Self { began, entries: vec![Entry::default(); tasks] }
    }

    /// A strand enters a task.
    pub(crate) fn enter(&mut self, strand: &mut Timing, pc: u32) {
        let now = Instant::now();
        self.end(strand, now);
        if let Some(entry) = self.entries.get_mut(pc as usize) {
            if entry.entered == 0 {
                entry.first = now.saturating_duration_since(self.began);
            }
            entry.entered = entry.entered.saturating_add(1);
        }
        *strand = Some((pc, now));
    }

    /// A strand ends.
    pub(crate) fn leave(&mut self, strand: &mut Timing) {
        self.end(strand, Instant::now());
    }

    /// By task pointer, in the order of the table. A task that goes on at a second pc after a call
    /// was entered once, not twice.
    pub(crate) fn times(&self, tasks: &[Task]) -> Vec<TaskTime> {
        let mut times: Vec<TaskTime> = Vec::new();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for (entry, task) in self.entries.iter().zip(tasks) {
            if entry.entered == 0 {
                continue;
            }
            let (wall_us, first_us, last_us) = (us(entry.wall), us(entry.first), us(entry.last));
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

    fn end(&mut self, strand: &mut Timing, now: Instant) {
        if let Some((pc, since)) = strand.take()
            && let Some(entry) = self.entries.get_mut(pc as usize)
        {
            entry.wall += now.saturating_duration_since(since);
            entry.last = now.saturating_duration_since(self.began);
        }
    }
}

fn us(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
