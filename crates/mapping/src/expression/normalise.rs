//! Puts paths together: `a.b[0].c` becomes one path of three steps, with the filters on the steps
//! they belong to. Rules of the standard that need the whole path are checked here.
//!
//! Parents (`%`) are resolved far enough to refuse those that have no derivable object (S0217).

mod ancestry;

use ancestry::{no_parent, seeking_of};
use lockgate_model::diagnostic::{Diagnostic, Span};

use super::{
    ast::{Kind, Node},
    problem,
    tree::{Group, Stage, Tree, What},
};

/// The processed tree of an expression.
pub(super) fn normalise(node: Node) -> Result<Tree, Diagnostic> {
    let mut normaliser = Normaliser { levels: Vec::new() };
    let tree = normaliser.tree(node)?;
    if matches!(tree.what, What::Parent(_)) || !tree.seeking.is_empty() {
        return Err(no_parent(&tree));
    }
    Ok(tree)
}

struct Normaliser {
    /// For each `%`, how many steps out its object is still to be found.
    levels: Vec<i32>,
}

type Made = Result<Tree, Diagnostic>;

impl Normaliser {
    fn boxed(&mut self, node: Node) -> Result<Box<Tree>, Diagnostic> {
        self.tree(node).map(Box::new)
    }

    fn trees(&mut self, nodes: Vec<Node>) -> Result<Vec<Tree>, Diagnostic> {
        nodes.into_iter().map(|n| self.tree(n)).collect()
    }

    fn tree(&mut self, node: Node) -> Made {
        let Node { kind, span, position, token, keep_array, .. } = node;
        let new = |what: What| Tree {
            what,
            span,
            position,
            token,
            predicates: Vec::new(),
            stages: Vec::new(),
            group: None,
            keep_array: false,
            cons_array: false,
            focus: None,
            index: None,
            seeking: Vec::new(),
        };
        let mut tree = match kind {
            Kind::Name(name) => {
                let mut step = new(What::Name(name));
                step.keep_array = keep_array;
                new(What::Path(vec![step], keep_array))
            }
            Kind::Variable(name) => new(What::Variable(name)),
            Kind::Text(text) => new(What::Text(text)),
            Kind::Number(value, lexeme) => new(What::Number(value, lexeme)),
            Kind::Boolean(value) => new(What::Boolean(value)),
            Kind::Null => new(What::Null),
            Kind::Regex => new(What::Regex),
            Kind::Wildcard => new(What::Wildcard),
            Kind::Descendant => new(What::Descendant),
            Kind::Parent => {
                self.levels.push(1);
                new(What::Parent(self.levels.len() - 1))
            }
            Kind::Placeholder => new(What::Placeholder),
            Kind::End => {
                return Err(problem("S0207", span, "the expression ends where a value was expected").token("(end)"));
            }
            Kind::Dot(left, right) => self.dot(*left, *right)?,
            Kind::Filter(left, predicate) => self.filter(*left, *predicate, token)?,
            Kind::Group(left, pairs) => self.group(*left, pairs, token)?,
            Kind::Sort(left, terms) => self.sort(*left, terms, new(What::Sort))?,
            Kind::Focus(left, name) => self.focus(*left, name, token, keep_array)?,
            Kind::Index(left, name) => self.index(*left, name, token)?,
            Kind::Binary(op, left, right) => {
                let (left, right) = (self.boxed(*left)?, self.boxed(*right)?);
                let seeking = seeking_of(&[&left, &right]);
                let mut tree = new(What::Binary(op, left, right));
                tree.seeking = seeking;
                tree
            }
            Kind::Negate(operand) => {
                let mut operand = self.tree(*operand)?;
                if let What::Number(value, lexeme) = &operand.what {
                    let lexeme = match lexeme.strip_prefix('-') {
                        Some(positive) => positive.to_owned(),
                        None => format!("-{lexeme}"),
                    };
                    operand.what = What::Number(-value, lexeme);
                    operand.span = span;
                    operand
                } else {
                    let seeking = seeking_of(&[&operand]);
                    let mut tree = new(What::Negate(Box::new(operand)));
                    tree.seeking = seeking;
                    tree
                }
            }
            Kind::Array(items) => {
                let items = self.trees(items)?;
                let seeking = seeking_of(&items.iter().collect::<Vec<_>>());
                let mut tree = new(What::Array(items));
                tree.seeking = seeking;
                tree
            }
            Kind::Object(pairs) => {
                let mut seeking = Vec::new();
                let mut made = Vec::new();
                for (key, value) in pairs {
                    let (key, value) = (self.tree(key)?, self.tree(value)?);
                    seeking.extend(seeking_of(&[&key, &value]));
                    made.push((key, value));
                }
                let mut tree = new(What::Object(made));
                tree.seeking = seeking;
                tree
            }
            Kind::Bind(target, value) => {
                let value = self.boxed(*value)?;
                let seeking = seeking_of(&[&value]);
                let name = match target.kind {
                    Kind::Variable(name) => name,
                    _ => String::new(),
                };
                let mut tree = new(What::Bind(name, value));
                tree.seeking = seeking;
                tree
            }
            Kind::Chain(left, right) => {
                let (left, right) = (self.boxed(*left)?, self.boxed(*right)?);
                let keep = left.keep_array || right.keep_array;
                let mut tree = new(What::Chain(left, right));
                tree.keep_array = keep;
                tree
            }
            Kind::Condition(condition, then, otherwise) => {
                let (condition, then) = (self.boxed(*condition)?, self.boxed(*then)?);
                let otherwise = otherwise.map(|node| self.boxed(*node)).transpose()?;
                let mut seeking = seeking_of(&[&condition, &then]);
                if let Some(otherwise) = &otherwise {
                    seeking.extend(seeking_of(&[otherwise]));
                }
                let mut tree = new(What::Condition(condition, then, otherwise));
                tree.seeking = seeking;
                tree
            }
            Kind::Default(left, right) => {
                let (left, right) = (self.boxed(*left)?, self.boxed(*right)?);
                let seeking = seeking_of(&[&left, &right]);
                let mut tree = new(What::Default(left, right));
                tree.seeking = seeking;
                tree
            }
            Kind::Coalesce(left, right) => {
                let (left, right) = (self.boxed(*left)?, self.boxed(*right)?);
                let seeking = seeking_of(&[&left, &right]);
                let mut tree = new(What::Coalesce(left, right));
                tree.seeking = seeking;
                tree
            }
            Kind::Call(procedure, arguments) => {
                let arguments = self.trees(arguments)?;
                let seeking = seeking_of(&arguments.iter().collect::<Vec<_>>());
                let mut tree = new(What::Call(self.boxed(*procedure)?, arguments));
                tree.seeking = seeking;
                tree
            }
            Kind::Partial(procedure, arguments) => {
                let arguments = self.trees(arguments)?;
                let seeking = seeking_of(&arguments.iter().collect::<Vec<_>>());
                let mut tree = new(What::Partial(self.boxed(*procedure)?, arguments));
                tree.seeking = seeking;
                tree
            }
            Kind::Lambda(params, signature, body) => new(What::Lambda(params, signature, self.boxed(*body)?)),
            Kind::Block(body) => {
                let body = self.trees(body)?;
                let cons = body.iter().any(|part| {
                    part.cons_array
                        || matches!(&part.what, What::Path(steps, _) if steps.first().is_some_and(|s| s.cons_array))
                });
                let seeking = seeking_of(&body.iter().collect::<Vec<_>>());
                let mut tree = new(What::Block(body));
                tree.cons_array = cons;
                tree.seeking = seeking;
                tree
            }
            Kind::Transform(pattern, update, delete) => {
                // Checked like all else; compiled later.
                self.tree(*pattern)?;
                self.tree(*update)?;
                if let Some(delete) = delete {
                    self.tree(*delete)?;
                }
                new(What::Transform)
            }
        };
        tree.keep_array |= keep_array;
        tree.span = span;
        Ok(tree)
    }

    fn dot(&mut self, left: Node, right: Node) -> Made {
        let left = self.tree(left)?;
        let mut path = into_path(left);
        let mut rest = self.tree(right)?;
        let What::Path(steps, keep) = &mut path.what else {
            return Ok(path);
        };
        match rest.what {
            What::Path(more, rest_keeps) => {
                steps.extend(more);
                *keep |= rest_keeps;
            }
            _ => {
                rest.stages
                    .extend(std::mem::take(&mut rest.predicates).into_iter().map(|p| Stage::Filter(Box::new(p))));
                steps.push(rest);
            }
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

    fn filter(&mut self, left: Node, predicate: Node, token: Span) -> Made {
        let mut tree = self.tree(left)?;
        let mut predicate = self.tree(predicate)?;
        let grouped =
            |step: &Tree| match step.group {
                Some(_) => Err(problem("S0209", token, "a filter cannot follow a grouping")
                    .help("put the grouping in parentheses")),
                None => Ok(()),
            };
        match &mut tree.what {
            What::Path(steps, _) => {
                if let Some(step) = steps.last_mut() {
                    grouped(step)?;
                    self.seek_from_predicate(step, &mut predicate)?;
                    step.stages.push(Stage::Filter(Box::new(predicate)));
                }
            }
            _ => {
                grouped(&tree)?;
                self.seek_from_predicate(&mut tree, &mut predicate)?;
                tree.predicates.push(predicate);
            }
        }
        Ok(tree)
    }

    fn group(&mut self, left: Node, pairs: Vec<(Node, Node)>, token: Span) -> Made {
        let mut tree = self.tree(left)?;
        if tree.group.is_some() {
            return Err(problem("S0210", token, "a step can have one grouping only"));
        }
        for (key, value) in pairs {
            self.tree(key)?;
            self.tree(value)?;
        }
        tree.group = Some(Group { span: token });
        Ok(tree)
    }

    fn sort(&mut self, left: Node, terms: Vec<(Node, bool)>, mut step: Tree) -> Made {
        let left = self.tree(left)?;
        let mut path = into_path(left);
        step.span = step.token;
        for (term, _) in terms {
            let term = self.tree(term)?;
            step.seeking.extend(seeking_of(&[&term]));
        }
        if let What::Path(steps, _) = &mut path.what {
            steps.push(step);
        }
        self.resolve_ancestry(&mut path)?;
        Ok(path)
    }

    fn focus(&mut self, left: Node, name: String, token: Span, keep: bool) -> Made {
        let mut tree = self.tree(left)?;
        let step = match &mut tree.what {
            What::Path(steps, _) if !steps.is_empty() => match steps.last_mut() {
                Some(step) => step,
                None => return Ok(tree),
            },
            _ => &mut tree,
        };
        if !step.stages.is_empty() || !step.predicates.is_empty() {
            return Err(problem("S0215", token, "a context variable must be bound before any filter of the step"));
        }
        if matches!(step.what, What::Sort) {
            return Err(problem("S0216", token, "a context variable must be bound before the order-by clause"));
        }
        step.keep_array |= keep;
        step.focus = Some(name);
        Ok(tree)
    }

    fn index(&mut self, left: Node, name: String, token: Span) -> Made {
        let tree = self.tree(left)?;
        let mut path = match tree.what {
            What::Path(..) => tree,
            _ => {
                let mut path = into_path(tree);
                if let What::Path(steps, _) = &mut path.what
                    && let Some(step) = steps.last_mut()
                {
                    step.stages
                        .extend(std::mem::take(&mut step.predicates).into_iter().map(|p| Stage::Filter(Box::new(p))));
                }
                path
            }
        };
        if let What::Path(steps, _) = &mut path.what
            && let Some(step) = steps.last_mut()
        {
            if step.stages.is_empty() {
                step.index = Some(name);
            } else {
                step.stages.push(Stage::Index(token));
            }
        }
        Ok(path)
    }
}

fn mark_cons(step: Option<&mut Tree>) {
    if let Some(step) = step
        && matches!(step.what, What::Array(_))
    {
        step.cons_array = true;
    }
}

/// A path, or a path of this one step.
fn into_path(tree: Tree) -> Tree {
    if matches!(tree.what, What::Path(..)) {
        return tree;
    }
    let seeking = match tree.what {
        What::Parent(slot) => vec![slot],
        _ => Vec::new(),
    };
    Tree {
        span: tree.span,
        position: tree.position,
        token: tree.token,
        predicates: Vec::new(),
        stages: Vec::new(),
        group: None,
        keep_array: false,
        cons_array: false,
        focus: None,
        index: None,
        seeking,
        what: What::Path(vec![tree], false),
    }
}
