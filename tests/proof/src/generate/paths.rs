//! Paths: steps, filters, orders, bindings, parents.

use super::{Generator, Tree, Type};

impl Generator<'_> {
    /// A path of some steps.
    pub(super) fn path(&mut self, depth: usize) -> Tree {
        let outside = self.scope.len();
        let inner = depth.saturating_sub(1);
        let mut pieces = vec![self.first_step(inner)];
        pieces.push(self.stages(inner, false));
        let steps = [0, 1, 1, 2, 2, 3][self.random.below(6)];
        for _ in 0..steps {
            pieces.push(Tree::List("", vec![self.step(inner)]));
        }
        if self.random.percent(5) {
            pieces.push(Tree::List("", vec![Tree::text("[]")]));
        }
        self.scope.truncate(outside);
        Tree::whole(pieces)
    }

    fn first_step(&mut self, depth: usize) -> Tree {
        match self.random.below(100) {
            0..=54 => Tree::atom(self.name()),
            55..=62 => Tree::atom("$"),
            63..=70 => Tree::atom("$$"),
            71..=78 => self.short_path(),
            79..=82 => Tree::atom("*"),
            83..=85 => Tree::atom("**"),
            86..=88 => self.array(depth),
            89..=90 => self.object(depth),
            91 => Tree::atom("%"),
            _ => Tree::whole(vec![Tree::text("("), self.of(Type::Any, depth), Tree::text(")")]),
        }
    }

    /// `.` and a step with what follows it.
    fn step(&mut self, depth: usize) -> Tree {
        let step = match self.random.below(100) {
            0..=49 => Tree::atom(self.name()),
            50..=55 => Tree::atom("*"),
            56..=59 => Tree::atom("**"),
            60..=66 => Tree::atom("%"),
            67..=69 => Tree::atom("$"),
            70..=74 => self.array(depth),
            75..=79 => self.object(depth),
            80..=84 => self.function(Type::Any, depth),
            85 => self.text(),
            86..=87 => self.short_variable(),
            _ => Tree::whole(vec![Tree::text("("), self.of(Type::Any, depth), Tree::text(")")]),
        };
        Tree::Form(vec![Tree::text("."), step, self.stages(depth, true)])
    }

    fn short_variable(&mut self) -> Tree {
        if self.scope.is_empty() {
            return Tree::atom("$$");
        }
        let at = self.random.below(self.scope.len());
        Tree::atom(format!("${}", self.scope[at].0))
    }

    /// Filters, bindings and orders behind a step, each of which may be left out.
    fn stages(&mut self, depth: usize, more: bool) -> Tree {
        let mut stages = Vec::new();
        while self.random.percent(if more { 30 } else { 35 }) && stages.len() < 3 {
            let stage = match self.random.below(20) {
                0..=12 => Tree::Form(vec![Tree::text("["), self.predicate(depth), Tree::text("]")]),
                13 => Tree::text("[]"),
                14..=15 => self.order(depth),
                16..=17 => {
                    let name = self.fresh();
                    self.scope.push((name.clone(), Type::Number));
                    Tree::text(format!("#${name}"))
                }
                _ => {
                    let name = self.fresh();
                    self.scope.push((name.clone(), Type::Any));
                    Tree::text(format!("@${name}"))
                }
            };
            stages.push(stage);
        }
        Tree::List("", stages)
    }

    fn predicate(&mut self, depth: usize) -> Tree {
        match self.random.below(12) {
            0..=1 => Tree::atom(self.random.pick(&["0", "1", "-1", "2", "-2", "0.5", "1.5", "-0.5", "9", "-9"])),
            2 => Tree::atom(self.random.pick(&["[0, 1]", "[1, 0]", "[-1, 0]", "[0..2]", "[1, 1]", "[]", "[0, \"a\"]"])),
            3 => Tree::atom(self.random.pick(&["true", "false", "null", "\"\"", "\"a\"", "$", "$$", "{}"])),
            4 => Tree::atom(self.name()),
            5..=6 => self.of(Type::Any, depth),
            7 => self.of(Type::Number, depth),
            _ => self.of(Type::Boolean, depth),
        }
    }

    fn order(&mut self, depth: usize) -> Tree {
        let mut terms = Vec::new();
        for _ in 0..1 + self.random.below(2) {
            let direction = self.random.pick(&["", "<", ">"]);
            let term = match self.random.below(4) {
                0 => self.of(Type::Number, depth),
                1 => Tree::atom("$"),
                _ => Tree::atom(self.name()),
            };
            terms.push(Tree::Form(vec![Tree::text(direction), term]));
        }
        Tree::Form(vec![Tree::text("^("), Tree::List(", ", terms), Tree::text(")")])
    }
}
