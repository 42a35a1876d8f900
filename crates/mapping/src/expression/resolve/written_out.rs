//! Small functions that a name stands for: their calls are written out where they are made.
//!
//! `$cents := function($x) { $floor($x * 100 + 0.5) / 100 }` is called for every line of an order.
//! Written out, its argument is a plain number and nothing is boxed, looked up or passed on. That is
//! done only where nobody can tell: the name is bound once and surely, and the body is made of its
//! parameters, constants, operators and a few built-ins; it has no context, no names and no calls of
//! its own, so that what is written out does not grow out of proportion.

use std::rc::Rc;

use super::{Bound, Resolver};
use crate::expression::{
    ir::Builtin,
    tree::{Tree, What},
};

/// Nodes that a body may have.
const NODES_MAX: usize = 48;
/// Nodes that are written out in one expression: engines take much longer for one large function than
/// for many calls of a small one.
const WRITTEN_MAX: usize = 2_000;

/// A function whose calls are written out.
#[derive(Debug)]
pub(super) struct Small {
    pub(super) params: Vec<String>,
    pub(super) body: Tree,
    /// The built-ins that it calls: where one of these names is bound, they are not what it calls.
    builtins: Vec<String>,
    nodes: usize,
}

impl Resolver<'_> {
    /// Remembers what the innermost scope binds to a name, if it is a small function and bound once.
    pub(super) fn remember(&mut self, name: &str, value: &Tree) {
        let What::Lambda(params, None, body) = &value.what else { return };
        let plain = value.predicates.is_empty() && value.group.is_none();
        let (mut builtins, mut nodes) = (Vec::new(), 0);
        if !plain || !is_small(body, params, &mut builtins, &mut nodes) {
            return;
        }
        let Some(frame) = self.frames.last_mut() else { return };
        if !frame.rebound.contains(name) {
            let small = Small { params: params.clone(), body: (**body).clone(), builtins, nodes };
            frame.small.insert(name.to_owned(), Rc::new(small));
        }
    }

    /// The small function that a call of a name with so many arguments surely calls, unless enough was
    /// written out.
    pub(super) fn small(&mut self, name: &str, arguments: usize) -> Option<Rc<Small>> {
        let small = self.known(name, arguments)?;
        let written = self.written + small.nodes;
        if written > WRITTEN_MAX {
            return None;
        }
        self.written = written;
        Some(small)
    }

    fn known(&self, name: &str, arguments: usize) -> Option<Rc<Small>> {
        for frame in self.frames.iter().rev() {
            match frame.names.get(name) {
                None => {}
                Some((_, Bound::No)) if frame.function == self.function => {}
                Some((_, Bound::Yes)) => {
                    let small = frame.small.get(name).filter(|small| small.params.len() == arguments)?;
                    let hidden = |name: &String| {
                        (self.outer)(name) || self.frames.iter().any(|frame| frame.names.contains_key(name))
                    };
                    return (!small.builtins.iter().any(hidden)).then(|| Rc::clone(small));
                }
                Some(_) => return None,
            }
        }
        None
    }
}

/// Whether a body is small, and needs nothing but its parameters.
fn is_small(tree: &Tree, params: &[String], builtins: &mut Vec<String>, nodes: &mut usize) -> bool {
    *nodes += 1;
    let plain = tree.predicates.is_empty() && tree.stages.is_empty() && tree.group.is_none() && !tree.keep_array;
    if *nodes > NODES_MAX || !plain || tree.tuple {
        return false;
    }
    match &tree.what {
        What::Variable(name) => params.contains(name),
        What::Text(_) | What::Number(..) | What::Boolean(_) | What::Null => true,
        What::Negate(operand) => is_small(operand, params, builtins, nodes),
        What::Binary(_, left, right) | What::Default(left, right) | What::Coalesce(left, right) => {
            is_small(left, params, builtins, nodes) && is_small(right, params, builtins, nodes)
        }
        What::Condition(condition, then, otherwise) => {
            is_small(condition, params, builtins, nodes)
                && is_small(then, params, builtins, nodes)
                && otherwise.as_ref().is_none_or(|otherwise| is_small(otherwise, params, builtins, nodes))
        }
        What::Call(procedure, arguments) => {
            let What::Variable(name) = &procedure.what else { return false };
            let known = Builtin::find(name).filter(|builtin| is_simple(*builtin) && !params.contains(name));
            let Some(builtin) = known.filter(|_| procedure.predicates.is_empty() && procedure.group.is_none()) else {
                return false;
            };
            builtins.push(name.clone());
            // One argument less, and the context may stand in for it.
            let signature = builtin.signature();
            let enough = arguments.len() == signature.params.len() || !signature.params.iter().any(|p| p.context);
            enough && arguments.iter().all(|argument| is_small(argument, params, builtins, nodes))
        }
        _ => false,
    }
}

/// Built-ins of numbers and texts that take neither functions nor pictures.
fn is_simple(builtin: Builtin) -> bool {
    matches!(
        builtin,
        Builtin::Sum
            | Builtin::Count
            | Builtin::Max
            | Builtin::Min
            | Builtin::Average
            | Builtin::String
            | Builtin::Number
            | Builtin::Boolean
            | Builtin::Exists
            | Builtin::Not
            | Builtin::Join
            | Builtin::Uppercase
            | Builtin::Lowercase
            | Builtin::Substring
            | Builtin::Trim
            | Builtin::Length
            | Builtin::Floor
            | Builtin::Ceil
            | Builtin::Round
            | Builtin::Abs
    )
}

#[cfg(test)]
mod tests {
    use crate::expression::{Expression, ir::Kind, kinds::visit};

    /// How many calls are written out, how many are calls, and whether any function is left.
    fn calls(text: &str) -> (usize, usize, bool) {
        let program = Expression::parse(text).unwrap().resolve(&|name| name == "outer").unwrap();
        let (mut inline, mut called) = (0, 0);
        visit(&program.root, &mut |expr| match expr.kind {
            Kind::Inline(..) => inline += 1,
            Kind::Call(..) => called += 1,
            _ => {}
        });
        (inline, called, program.lifted)
    }

    #[test]
    fn a_small_function_is_written_out_and_gone() {
        assert_eq!(calls("($f := function($x) { $floor($x + 0.5) }; $f(a) + b.$f(c))"), (2, 0, false));
        assert_eq!(calls("($f := function($x, $y) { $x ? -$y : 'no' }; a ~> $f(1))"), (1, 0, false));
        // A function around it has its calls written out, and is called itself.
        assert_eq!(calls("($f := function($x) { $x + 1 }; $g := function($x) { $f($x) * 2 }; $g(1))"), (1, 1, true));
    }

    #[test]
    fn what_somebody_could_tell_from_a_call_stays_a_call() {
        for (text, why) in [
            ("($f := function($x) { $x + 1 }; $f := function($x) { $x }; $f(1))", "bound twice"),
            ("(a ? $f := function($x) { $x + 1 }; $f(1))", "perhaps not bound"),
            ("($g := function($y) { $f($y).b }; $f := function($x) { $x + 1 }; $g(1))", "bound later"),
            ("($f := function($x)<n:n> { $x + 1 }; $f(1))", "it checks its argument"),
            ("($f := function($x) { $x + a }; $f(1))", "it has a context"),
            ("($f := function($x) { $uppercase() & $x }; $f(1))", "the context stands in for an argument"),
            ("($y := 1; $f := function($x) { $x + $y }; $f(1))", "it has a name from outside"),
            ("($f := function($x) { $x > 9 ? $x : $f($x + 1) }; $f(1))", "it calls itself"),
            ("($f := function($x) { $x + 1 }; $f(1, 2))", "an argument too many"),
            ("($f := function($x, $y) { $x }; $f(1))", "an argument too few"),
            (
                "($f := function($x) { $floor($x) }; ($floor := function($x) { 'own' & [$x] }; $f(1)))",
                "another `floor`",
            ),
            ("($f := function($x) { $x[0] }; $f(1))", "a filter"),
        ] {
            let (inline, called, lifted) = calls(text);
            assert!(inline == 0 && called > 0 && lifted, "{why}: {text}: {inline} {called} {lifted}");
        }
    }

    #[test]
    fn a_function_that_is_read_is_kept() {
        assert_eq!(calls("($f := function($x) { $x + 1 }; [$f(1), $map(a, $f)])"), (1, 0, true));
        assert!(calls("($f := function($x) { $x + 1 }; $f(1); $f := $f)").2);
        assert_eq!(calls("($g := 1; $f := function($x) { $x + 1 })"), (0, 0, true));
    }

    #[test]
    fn what_is_written_out_has_an_end() {
        let sum = vec!["$x"; 20].join(" + ");
        let many = vec!["$f(1)"; 500].join(", ");
        let (inline, called, lifted) = calls(&format!("($f := function($x) {{ {sum} }}; [{many}])"));
        assert!((20..100).contains(&inline) && inline + called == 500 && lifted, "{inline} {called} {lifted}");
    }

    #[test]
    fn a_large_function_is_called() {
        let sum = vec!["$x"; 60].join(" + ");
        assert_eq!(calls(&format!("($f := function($x) {{ {sum} }}; $f(1) + $f(2))")), (0, 2, true));
    }
}
