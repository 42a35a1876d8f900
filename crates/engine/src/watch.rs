//! What may look on while a module runs outside any environment: a test that counts, a trace in a terminal.
//!
//! A run under a permit has no watcher and no way to get one, so what passes through a server is seen by
//! nobody. Without a watcher each of these places costs one comparison.

use lockgate_document::{Document, Handle, Node};
use lockgate_model::manifest::Authority;

use crate::host::Host;

/// Looks on; each method is called where the run is, and must be quick.
pub trait Watch: Send + Sync {
    /// A task begins, or goes on behind a list within it; `data` is what came out of the one before of this strand, or
    /// what goes into the flow or the branch. A flow runs in strand 0, a branch of a fork or a round among others in one
    /// of its own.
    fn entered(&self, strand: u64, task: &str, data: Node<'_>) {
        let _ = (strand, task, data);
    }
    /// A strand has come to its end with this output.
    fn left(&self, strand: u64, data: Node<'_>) {
        let _ = (strand, data);
    }
    /// The current task makes a call, and takes this mock.
    fn called(&self, task: &str, call: &Called<'_>) {
        let _ = (task, call);
    }
    /// The call that a task has made took a stream, and this was its content.
    fn streamed(&self, task: &str, content: &[u8]) {
        let _ = (task, content);
    }
    /// A task waits from now on, or a retry does.
    fn waited(&self, task: &str, ms: u64) {
        let _ = (task, ms);
    }
    /// A task has failed, and a `catch` of the flow looks at its error.
    fn caught(&self, strand: u64, task: &str, error: Node<'_>) {
        let _ = (strand, task, error);
    }
    /// The run is over; `ints` are the numbers in its frame.
    fn ended(&self, ints: &[i64]) {
        let _ = ints;
    }
}

/// A call without a connector.
pub struct Called<'a> {
    /// What is called.
    pub authority: &'a Authority,
    /// Its input.
    pub input: &'a Document,
    /// The list of mocks that it takes from, and how many were taken from there before; none where there is
    /// no mock for it.
    pub mock: Option<(&'a str, usize)>,
}

impl Host {
    pub(crate) fn tell_entered(&self) {
        if let Some(watch) = &self.watch {
            // The current data lies where the output will.
            let data = if self.strand.pc == 0 { self.module.frame().input } else { self.module.frame().output };
            if let Some(data) = self.strand.frame.value(data) {
                watch.entered(self.strand.id.into(), self.task_pointer(), self.arena.view(data));
            }
        }
    }

    pub(crate) fn tell_left(&self, output: Handle) {
        if let Some(watch) = &self.watch {
            watch.left(self.strand.id.into(), self.arena.view(output));
        }
    }

    pub(crate) fn tell_waited(&self, ms: u64) {
        if let Some(watch) = &self.watch {
            watch.waited(self.task_pointer(), ms);
        }
    }

    pub(crate) fn tell_caught(&self, task: &str, slot: u32) {
        if let (Some(watch), Some(error)) = (&self.watch, self.strand.frame.value(slot)) {
            watch.caught(self.strand.id.into(), task, self.arena.view(error));
        }
    }

    pub(crate) fn tell_ended(&self) {
        if let Some(watch) = &self.watch {
            watch.ended(self.strand.frame.ints());
        }
    }
}
