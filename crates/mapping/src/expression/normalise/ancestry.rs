//! Parents (`%`): which step's object each one means. Those without one are refused.

use super::Normaliser;
use crate::expression::{
    Problem, problem,
    tree::{Tree, What},
};

pub(super) fn no_parent(tree: &Tree) -> Problem {
    problem("S0217", tree.span, "the parent object cannot be derived from this expression")
        .help("`%` needs a step of a path before it whose object is the parent")
        .token(tree.type_name())
}

impl Normaliser {
    pub(super) fn seek_from_predicate(&mut self, step: &mut Tree, predicate: &Tree) -> Result<(), Problem> {
        if predicate.seeking.is_empty() {
            return Ok(());
        }
        for slot in predicate.seeking.clone() {
            if self.levels.get(slot) == Some(&1) {
                self.seek(step, slot)?;
            } else if let Some(level) = self.levels.get_mut(slot) {
                *level -= 1;
            }
        }
        step.seeking.extend(seeking_of(predicate));
        Ok(())
    }

    /// Looks for the object of a parent in one step, from the end of what it holds.
    fn seek(&mut self, tree: &mut Tree, slot: usize) -> Result<(), Problem> {
        match &mut tree.what {
            What::Name(_) | What::Wildcard => {
                self.change(slot, -1);
                if self.level(slot) == 0 {
                    tree.tuple = true;
                    match tree.ancestor {
                        Some(known) => self.same(slot, known),
                        None => tree.ancestor = Some(slot),
                    }
                }
            }
            What::Parent(_) => self.change(slot, 1),
            What::Block(body) => {
                if let Some(last) = body.last_mut() {
                    tree.tuple = true;
                    self.seek(last, slot)?;
                }
            }
            What::Path(steps, _) => {
                tree.tuple = true;
                for (i, step) in steps.iter_mut().rev().enumerate() {
                    if i > 0 && self.level(slot) <= 0 {
                        break;
                    }
                    self.seek(step, slot)?;
                }
            }
            _ => return Err(no_parent(tree)),
        }
        Ok(())
    }

    /// Two `%` mean the same object.
    fn same(&mut self, slot: usize, known: usize) {
        let label = self.labels.get(known).copied().unwrap_or(known);
        if let Some(own) = self.labels.get_mut(slot) {
            *own = label;
        }
    }

    /// A path, or a path of this one step, which looks for the parents that the step has not found.
    pub(super) fn path_of(&self, tree: Box<Tree>) -> Box<Tree> {
        if matches!(tree.what, What::Path(..)) {
            return tree;
        }
        let mut seeking = seeking_of(&tree);
        seeking.retain(|slot| self.level(*slot) > 0);
        let (span, position, token) = (tree.span, tree.position, tree.token);
        let mut path = Tree::new(What::Path(vec![*tree], false), span, position, token);
        path.seeking = seeking;
        Box::new(path)
    }

    fn level(&self, slot: usize) -> i32 {
        self.levels.get(slot).copied().unwrap_or_default()
    }

    fn change(&mut self, slot: usize, by: i32) {
        if let Some(level) = self.levels.get_mut(slot) {
            *level += by;
        }
    }

    /// Looks for the parents named by a path's last step in the steps before it.
    pub(super) fn resolve_ancestry(&mut self, path: &mut Tree) -> Result<(), Problem> {
        let What::Path(steps, _) = &mut path.what else {
            return Ok(());
        };
        let Some((last, before)) = steps.split_last_mut() else {
            return Ok(());
        };
        let mut left_over = Vec::new();
        for slot in seeking_of(last) {
            let mut rest = before.len();
            while self.level(slot) > 0 {
                let Some(mut at) = rest.checked_sub(1) else {
                    left_over.push(slot);
                    break;
                };
                // Neighbouring steps that bind a context variable share one object.
                let binds = |at: usize| before.get(at).is_some_and(|step| step.focus.is_some());
                while at > 0 && binds(at) && binds(at - 1) {
                    at -= 1;
                }
                rest = at;
                if let Some(step) = before.get_mut(at) {
                    self.seek(step, slot)?;
                }
            }
        }
        path.seeking.extend(left_over);
        Ok(())
    }
}

/// The parents that a node looks for.
pub(super) fn seeking_of(tree: &Tree) -> Vec<usize> {
    let mut slots = tree.seeking.clone();
    if let What::Parent(slot) = tree.what {
        slots.push(slot);
    }
    slots
}

/// The parents that the nodes inside a node look for; a function's body and a path keep theirs.
pub(super) fn children(what: &What) -> Vec<usize> {
    let of = |trees: &[&Tree]| trees.iter().flat_map(|t| seeking_of(t)).collect();
    match what {
        What::Binary(_, left, right) | What::Default(left, right) | What::Coalesce(left, right) => of(&[left, right]),
        What::Negate(value) | What::Bind(_, value) => of(&[value]),
        What::Condition(condition, then, None) => of(&[condition, then]),
        What::Condition(condition, then, Some(otherwise)) => of(&[condition, then, otherwise]),
        What::Array(list) | What::Block(list) | What::Call(_, list) | What::Partial(_, list) => {
            of(&list.iter().collect::<Vec<_>>())
        }
        What::Object(pairs) => of(&pairs.iter().flat_map(|(key, value)| [key, value]).collect::<Vec<_>>()),
        _ => Vec::new(),
    }
}
