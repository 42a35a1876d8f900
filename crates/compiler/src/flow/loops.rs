//! `for`: loops whose data runs through their rounds, and loops whose rounds know nothing of each other.

use lockgate_mapping::yaml::{Key, Node};
use lockgate_model::Span;

use super::formula::{Place, formula, is_stream, template};
use super::task::TaskReader;
use super::tree::{For, Items, Rounds, Taken, Template, Work};
use crate::reader::find;

/// Items that a round of a loop may have.
pub(super) const BATCH_MAX: u32 = 1_000_000;
/// Rounds that may run at once.
const CONCURRENCY_MAX: u32 = 1000;

impl TaskReader<'_, '_> {
    pub(super) fn each(&mut self, node: &Node, entries: &[(Key, Node)], pointer: &str, at: Span) -> Option<Work> {
        let (batch, rounds) = self.rounds(find(entries, "metadata").and_then(Node::entries).unwrap_or_default());
        let tasks = self.reader.required(entries, "do", "a `for` task", at);
        let tasks = tasks.map(|node| self.list(node, &format!("{pointer}/do"), "`do`")).unwrap_or_default();
        let condition = self.condition(entries, "while");
        if let (Some(_), Some(node)) = (rounds, find(entries, "while")) {
            self.reader.problem_help(
                "LG-FLOW-VALUE",
                node.span,
                "`while` asks about the round before, and these rounds know nothing of each other",
                "leave out `metadata.concurrency` and `metadata.errors`, or filter the items under `in`",
            );
        }
        let own = self.reader.object_of(node, "`for`", &["each", "in", "at"]).unwrap_or_default();
        let each = self.variable(own, "each", "item");
        let at = self.variable(own, "at", "index");
        if each == at {
            self.reader.problem("LG-FLOW-NAME", node.span, format!("item and index are both called `{each}`"));
        }
        // What is no object has no keys that could be missing.
        let collection = match node.entries() {
            Some(_) => self.reader.required(own, "in", "`for`", node.span),
            None => None,
        };
        let items = match collection {
            Some(node) if is_stream(node) => Items::Stream(Taken::new(node.span)),
            collection => Items::Value(self.collection(collection)),
        };
        Some(Work::For(Box::new(For { each, at, items, condition, batch, rounds, tasks })))
    }

    /// The value that a loop goes over.
    fn collection(&mut self, node: Option<&Node>) -> Template {
        match node {
            Some(node) if node.items().is_some() => template(self.reader, node, Place::Task),
            Some(node) => formula(self.reader, node, "`in`", Place::Task)
                .map_or(Template::Broken, |formula| Template::Formula(Box::new(formula.unless_null()))),
            None => Template::Broken,
        }
    }

    /// `batch`, `concurrency` and `errors` under `metadata` of a loop.
    fn rounds(&mut self, entries: &[(Key, Node)]) -> (Option<u32>, Option<Rounds>) {
        let mut count = |key: &str, most: u32| {
            let node = find(entries, key)?;
            let count = self.reader.whole(node, &format!("`{key}`"))?;
            if !(1..=most).contains(&count) {
                self.reader.problem("LG-FLOW-VALUE", node.span, format!("`{key}` is a number from 1 to {most}"));
            }
            Some(count.max(1))
        };
        let (batch, at_once) = (count("batch", BATCH_MAX), count("concurrency", CONCURRENCY_MAX));
        let collect = find(entries, "errors").map(|node| match node.as_text() {
            Some("collect") => true,
            Some("fail") => false,
            _ => {
                self.reader.problem("LG-FLOW-VALUE", node.span, "`errors` of a loop is `fail` or `collect`");
                false
            }
        });
        let rounds = match (at_once, collect) {
            (None, None | Some(false)) => None,
            (at_once, collect) => Some(Rounds { at_once: at_once.unwrap_or(1), collect: collect.unwrap_or(false) }),
        };
        (batch, rounds)
    }
}
