//! Puts paths together: `a.b[0].c` becomes one path of three steps, with the filters on the steps
//! they belong to. Rules of the standard that need the whole path are checked here.
//!
//! Each parent (`%`) is given the step whose object it is; those without one are refused (S0217).
//! Nodes and trees travel in boxes: this recursion is the deepest, and its frames stay small.

mod ancestry;

use ancestry::{no_parent, seeking_of};
use lockgate_model::diagnostic::Span;

use super::{
    Problem,
    ast::{Kind, Node},
    problem,
    tree::{Group, Stage, Tree, What},
};

/// The processed tree of an expression, and for each `%` the one whose name it goes by.
pub(super) fn normalise(node: Box<Node>) -> Result<(Box<Tree>, Vec<usize>), Problem> {
    let mut normaliser = Normaliser { levels: Vec::new(), labels: Vec::new() };
    let tree = normaliser.tree(node)?;
    if matches!(tree.what, What::Parent(_)) || !tree.seeking.is_empty() {
        return Err(no_parent(&tree));
    }
    Ok((tree, normaliser.labels))
}

struct Normaliser {
    /// For each `%`, how many steps out its object is still to be found.
    levels: Vec<i32>,
    /// For each `%`, the first of those that mean the same object.
    labels: Vec<usize>,
}

type Made = Result<Box<Tree>, Problem>;

impl Normaliser {
    fn tree(&mut self, node: Box<Node>) -> Made {
        let (span, keep_array) = (node.span, node.keep_array);
        let mut tree = self.shape(node)?;
        tree.keep_array |= keep_array;
        tree.span = span;
        Ok(tree)
    }

    /// The forms that go into the tree of what they stand behind, and all others.
    #[expect(clippy::boxed_local, reason = "unboxed by the caller it would stand in two frames of each level")]
    fn shape(&mut self, node: Box<Node>) -> Made {
        let Node { kind, span, position, token, keep_array, .. } = *node;
        match kind {
            Kind::Dot(left, right) => self.dot(left, right),
            Kind::Filter(left, predicate) => self.filter(left, predicate, token),
            Kind::Group(left, pairs) => self.group(left, pairs, token),
            Kind::Sort(left, terms) => {
                let step = Tree::new(What::Sort(Vec::new()), token, position, token);
                self.sort(left, terms, step)
            }
            Kind::Focus(left, name) => self.focus(left, name, token, keep_array),
            Kind::Index(left, name) => self.index(left, name),
            Kind::Name(name) => {
                let mut step = Tree::new(What::Name(name), span, position, token);
                step.keep_array = keep_array;
                Ok(Box::new(Tree::new(What::Path(vec![step], keep_array), span, position, token)))
            }
            Kind::Negate(operand) => self.negate(operand, span, position, token),
            Kind::End => Err(problem("S0207", span, "the expression ends where a value was expected").token("(end)")),
            other => self.plain(other, span, position, token),
        }
    }

    /// A form that is a node of its own.
    fn plain(&mut self, kind: Kind, span: Span, position: u32, token: Span) -> Made {
        let mut tree = Box::new(Tree::new(self.what(kind)?, span, position, token));
        tree.seeking = ancestry::children(&tree.what);
        match &tree.what {
            What::Chain(left, right) => tree.keep_array = left.keep_array || right.keep_array,
            What::Block(body) => tree.cons_array = body.iter().any(constructs),
            _ => {}
        }
        Ok(tree)
    }

    fn what(&mut self, kind: Kind) -> Result<What, Problem> {
        Ok(match kind {
            Kind::Variable(name) => What::Variable(name),
            Kind::Text(text) => What::Text(text),
            Kind::Number(value, lexeme) => What::Number(value, lexeme),
            Kind::Boolean(value) => What::Boolean(value),
            Kind::Regex(pattern, flags) => What::Regex(pattern, flags),
            Kind::Wildcard => What::Wildcard,
            Kind::Descendant => What::Descendant,
            Kind::Parent => {
                self.levels.push(1);
                self.labels.push(self.labels.len());
                What::Parent(self.levels.len() - 1)
            }
            Kind::Placeholder => What::Placeholder,
            Kind::Binary(operator, left, right) => What::Binary(operator, self.tree(left)?, self.tree(right)?),
            Kind::Array(items) => What::Array(self.trees(items)?),
            Kind::Object(pairs) => What::Object(self.pairs(pairs)?),
            Kind::Bind(target, value) => {
                let value = self.tree(value)?;
                match target.kind {
                    Kind::Variable(name) => What::Bind(name, value),
                    _ => What::Bind(String::new(), value),
                }
            }
            Kind::Chain(left, right) => What::Chain(self.tree(left)?, self.tree(right)?),
            Kind::Condition(condition, then, otherwise) => {
                What::Condition(self.tree(condition)?, self.tree(then)?, self.optional(otherwise)?)
            }
            Kind::Default(left, right) => What::Default(self.tree(left)?, self.tree(right)?),
            Kind::Coalesce(left, right) => What::Coalesce(self.tree(left)?, self.tree(right)?),
            Kind::Call(procedure, arguments) => {
                let arguments = self.trees(arguments)?;
                What::Call(self.tree(procedure)?, arguments)
            }
            Kind::Partial(procedure, arguments) => {
                let arguments = self.trees(arguments)?;
                What::Partial(self.tree(procedure)?, arguments)
            }
            Kind::Lambda(params, signature, body) => What::Lambda(params, signature, self.tree(body)?),
            Kind::Block(body) => What::Block(self.trees(body)?),
            Kind::Transform(pattern, update, delete) => {
                What::Transform(self.tree(pattern)?, self.tree(update)?, self.optional(delete)?)
            }
            // The others are no nodes of their own: `shape` has taken them.
            _ => What::Null,
        })
    }

    // Loops, not adaptors: in a debug build each adaptor is frames more on the way down.
    fn trees(&mut self, nodes: Vec<Node>) -> Result<Vec<Tree>, Problem> {
        let mut trees = Vec::with_capacity(nodes.len());
        for node in nodes {
            trees.push(*self.tree(Box::new(node))?);
        }
        Ok(trees)
    }

    fn pairs(&mut self, pairs: Vec<(Node, Node)>) -> Result<Vec<(Tree, Tree)>, Problem> {
        let mut made = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            let key = self.tree(Box::new(key))?;
            made.push((*key, *self.tree(Box::new(value))?));
        }
        Ok(made)
    }

    fn optional(&mut self, node: Option<Box<Node>>) -> Result<Option<Box<Tree>>, Problem> {
        match node {
            Some(node) => self.tree(node).map(Some),
            None => Ok(None),
        }
    }

    /// A sign before a number belongs to the number.
    fn negate(&mut self, operand: Box<Node>, span: Span, position: u32, token: Span) -> Made {
        let mut operand = self.tree(operand)?;
        if let What::Number(value, lexeme) = &operand.what {
            let lexeme = match lexeme.strip_prefix('-') {
                Some(positive) => positive.to_owned(),
                None => format!("-{lexeme}"),
            };
            operand.what = What::Number(-value, lexeme);
            return Ok(operand);
        }
        let mut tree = Box::new(Tree::new(What::Negate(operand), span, position, token));
        tree.seeking = ancestry::children(&tree.what);
        Ok(tree)
    }

    fn dot(&mut self, left: Box<Node>, right: Box<Node>) -> Made {
        let tree = self.tree(left)?;
        let mut path = self.path_of(tree);
        let mut rest = self.tree(right)?;
        let What::Path(steps, keep) = &mut path.what else {
            return Ok(path);
        };
        if let What::Path(more, rest_keeps) = rest.what {
            steps.extend(more);
            *keep |= rest_keeps;
        } else {
            predicates_to_stages(&mut rest);
            steps.push(*rest);
        }
        for step in steps.iter_mut() {
            match &step.what {
                What::Number(..) | What::Boolean(_) | What::Null => {
                    return Err(problem("S0213", step.span, "a literal cannot be a step of a path")
                        .help("a field of this name is written in backticks"));
                }
                What::Text(text) => step.what = What::Name(text.clone()),
                _ => {}
            }
            *keep |= step.keep_array;
        }
        mark_cons(steps.first_mut());
        mark_cons(steps.last_mut());
        self.resolve_ancestry(&mut path)?;
        Ok(path)
    }

    fn filter(&mut self, left: Box<Node>, predicate: Box<Node>, token: Span) -> Made {
        let mut tree = self.tree(left)?;
        let predicate = self.tree(predicate)?;
        let is_path = matches!(tree.what, What::Path(..));
        on_last_step(&mut tree, |step| {
            if step.group.is_some() {
                return Err(problem("S0209", token, "a filter cannot follow a grouping")
                    .help("put the grouping in parentheses"));
            }
            self.seek_from_predicate(step, &predicate)?;
            if is_path {
                step.stages.push(Stage::Filter(predicate));
            } else {
                step.predicates.push(*predicate);
            }
            Ok(())
        })?;
        Ok(tree)
    }

    fn group(&mut self, left: Box<Node>, pairs: Vec<(Node, Node)>, token: Span) -> Made {
        let mut tree = self.tree(left)?;
        if tree.group.is_some() {
            return Err(problem("S0210", token, "a step can have one grouping only"));
        }
        tree.group = Some(Group { span: token, pairs: self.pairs(pairs)? });
        Ok(tree)
    }

    fn sort(&mut self, left: Box<Node>, terms: Vec<(Node, bool)>, mut step: Tree) -> Made {
        let tree = self.tree(left)?;
        let mut path = self.path_of(tree);
        let mut made = Vec::with_capacity(terms.len());
        for (term, descends) in terms {
            let term = self.tree(Box::new(term))?;
            step.seeking.extend(seeking_of(&term));
            made.push((*term, descends));
        }
        step.what = What::Sort(made);
        if let What::Path(steps, _) = &mut path.what {
            steps.push(step);
        }
        self.resolve_ancestry(&mut path)?;
        Ok(path)
    }

    fn focus(&mut self, left: Box<Node>, name: String, token: Span, keep: bool) -> Made {
        let mut tree = self.tree(left)?;
        on_last_step(&mut tree, |step| {
            if !step.stages.is_empty() || !step.predicates.is_empty() {
                return Err(problem("S0215", token, "a context variable must be bound before any filter of the step"));
            }
            if matches!(step.what, What::Sort(_)) {
                return Err(problem("S0216", token, "a context variable must be bound before the order-by clause"));
            }
            step.keep_array |= keep;
            step.focus = Some(name);
            step.tuple = true;
            Ok(())
        })?;
        Ok(tree)
    }

    fn index(&mut self, left: Box<Node>, name: String) -> Made {
        let mut tree = self.tree(left)?;
        if !matches!(tree.what, What::Path(..)) {
            predicates_to_stages(&mut tree);
            tree = self.path_of(tree);
        }
        on_last_step(&mut tree, |step| {
            step.tuple = true;
            if step.stages.is_empty() {
                step.index = Some(name);
            } else {
                step.stages.push(Stage::Index(name));
            }
        });
        Ok(tree)
    }
}

/// Acts on the last step of a path, or on what is no path.
fn on_last_step<T>(tree: &mut Tree, act: impl FnOnce(&mut Tree) -> T) -> T {
    if let What::Path(steps, _) = &mut tree.what
        && let Some(last) = steps.last_mut()
    {
        return act(last);
    }
    act(tree)
}

fn predicates_to_stages(tree: &mut Tree) {
    let predicates = std::mem::take(&mut tree.predicates);
    tree.stages.extend(predicates.into_iter().map(|p| Stage::Filter(Box::new(p))));
}

/// Part of a block that makes the block's value an array constructor's.
fn constructs(part: &Tree) -> bool {
    part.cons_array || matches!(&part.what, What::Path(steps, _) if steps.first().is_some_and(|s| s.cons_array))
}

fn mark_cons(step: Option<&mut Tree>) {
    if let Some(step) = step
        && matches!(step.what, What::Array(_))
    {
        step.cons_array = true;
    }
}
