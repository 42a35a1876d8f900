//! `fork`: branches that run at once.

use lockgate_mapping::yaml::Node;

use super::task::TaskReader;
use super::tree::{Fork, Task, Work};
use super::{jumps, streams};
use crate::reader::find;

impl TaskReader<'_, '_> {
    pub(super) fn fork(&mut self, node: &Node, pointer: &str) -> Option<Work> {
        let entries = self.reader.object_of(node, "`fork`", &["branches", "compete"])?;
        let branches = self.reader.required(entries, "branches", "`fork`", node.span)?;
        let branches = self.branches(branches, &format!("{pointer}/fork/branches"));
        let compete = match find(entries, "compete").map(|node| (node, node.to_json())) {
            None => false,
            Some((_, json)) if json == "true" => true,
            Some((_, json)) if json == "false" => false,
            Some((node, _)) => {
                self.reader.shape(node, "`compete`", "`true` or `false`");
                false
            }
        };
        Some(Work::Fork(Fork { branches, compete }))
    }

    /// Reads the branches of a fork: each is a list of its one task.
    fn branches(&mut self, node: &Node, pointer: &str) -> Vec<Task> {
        let mut tasks = self.items(node, pointer, "`branches`");
        jumps::names(self.reader, &tasks);
        for branch in tasks.iter_mut().map(std::slice::from_mut) {
            jumps::resolve(self.reader, branch);
            streams::connect(self.reader, branch);
        }
        tasks
    }
}
