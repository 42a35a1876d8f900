//! Random expressions and the documents they run on.
//!
//! An expression is drawn for a wanted type, so that most have a value rather than a type error; now
//! and then any type is drawn, so that errors are compared as well. What chance puts together too
//! seldom has shapes of its own: joins, parents, signatures, matchers ([`idioms`]), pictures of numbers and
//! times ([`pictures`]), and texts that are no expressions ([`broken`]). Deliberately absent: what
//! depends on the clock or on chance, and `$eval`.

mod broken;
mod documents;
mod functions;
mod idioms;
mod paths;
mod pictures;
mod tree;

pub use documents::document;
pub use tree::Tree;

use crate::random::Random;

/// Names of fields: few, so that paths find something.
pub const NAMES: [&str; 12] = ["a", "b", "c", "d", "a", "c", "a", "b", "c", "d", "f g", "é"];
/// A name that looks like a number: the reference puts it first, so that is where documents have it.
const WHOLE_NAME: &str = "12";

/// What an expression should give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Anything at all.
    Any,
    /// A number.
    Number,
    /// A text.
    Text,
    /// True or false.
    Boolean,
    /// An array.
    Array,
    /// An object.
    Object,
    /// A function of so many parameters.
    Function(usize),
}

/// A generator of expressions.
#[derive(Debug)]
pub struct Generator<'a> {
    random: &'a mut Random,
    /// Variables in reach, with what they hold.
    scope: Vec<(String, Type)>,
    /// Regular expressions, `$match`, `$replace` and functions as patterns are drawn too.
    patterns: bool,
}

impl<'a> Generator<'a> {
    /// A generator that draws from `random`.
    pub fn new(random: &'a mut Random, patterns: bool) -> Self {
        Generator { random, scope: Vec::new(), patterns }
    }

    /// An expression.
    pub fn expression(&mut self) -> Tree {
        let depth = 1 + self.random.below(4);
        match self.random.below(100) {
            0..=14 => self.idiom(),
            15..=24 => self.picture(),
            25..=28 => {
                let whole = self.of(Type::Any, depth);
                broken::broken(&whole, self.random)
            }
            _ => self.of(Type::Any, depth),
        }
    }

    /// An expression that should give this.
    fn of(&mut self, wanted: Type, depth: usize) -> Tree {
        let wanted = if self.random.percent(8) { self.any_type() } else { wanted };
        if depth == 0 {
            return self.leaf(wanted);
        }
        let depth = depth - 1;
        match self.random.below(100) {
            0..=5 => self.leaf(wanted),
            6..=11 => self.variable_or(wanted, depth),
            12..=15 => self.condition(wanted, depth),
            16..=20 => self.block(wanted, depth),
            21..=23 => self.chain(wanted, depth),
            24..=25 => Tree::whole(vec![Tree::text("("), self.of(wanted, depth), Tree::text(")")]),
            26..=27 => self.call_of_lambda(wanted, depth),
            _ => self.typed(wanted, depth),
        }
    }

    fn typed(&mut self, wanted: Type, depth: usize) -> Tree {
        let chosen = self.random.below(100);
        match wanted {
            Type::Any => match chosen {
                0..=54 => self.path(depth + 1),
                _ => {
                    let wanted = self.any_type();
                    self.typed(wanted, depth)
                }
            },
            Type::Number => match chosen {
                0..=39 => {
                    let operator = self.random.pick(&["+", "-", "*", "/", "%"]);
                    self.operator(Type::Number, operator, Type::Number, depth)
                }
                40..=44 => Tree::whole(vec![Tree::text("-"), self.of(Type::Number, depth)]),
                45..=64 => self.path(depth + 1),
                _ => self.function(wanted, depth),
            },
            Type::Text => match chosen {
                0..=19 => self.operator(Type::Any, "&", Type::Any, depth),
                20..=39 => self.path(depth + 1),
                _ => self.function(wanted, depth),
            },
            Type::Boolean => match chosen {
                0..=19 => {
                    let operator = self.random.pick(&["=", "!="]);
                    self.operator(Type::Any, operator, Type::Any, depth)
                }
                20..=39 => {
                    let operator = self.random.pick(&["<", "<=", ">", ">="]);
                    let of = if self.random.percent(70) { Type::Number } else { Type::Text };
                    self.operator(of, operator, of, depth)
                }
                40..=54 => {
                    let operator = self.random.pick(&["and", "or"]);
                    self.operator(Type::Boolean, operator, Type::Boolean, depth)
                }
                55..=64 => self.operator(Type::Any, "in", Type::Array, depth),
                _ => self.function(wanted, depth),
            },
            Type::Array => match chosen {
                0..=19 => self.array(depth),
                20..=54 => self.path(depth + 1),
                _ => self.function(wanted, depth),
            },
            Type::Object => match chosen {
                0..=29 => self.object(depth),
                30..=49 => self.path(depth + 1),
                50..=59 => self.grouped(depth),
                60..=69 => self.transformed(depth),
                _ => self.function(wanted, depth),
            },
            Type::Function(arity) => self.function_value(arity, depth),
        }
    }

    fn any_type(&mut self) -> Type {
        match self.random.below(20) {
            0..=4 => Type::Number,
            5..=8 => Type::Text,
            9..=11 => Type::Boolean,
            12..=15 => Type::Array,
            16..=18 => Type::Object,
            _ if self.random.percent(30) => Type::Function(self.random.below(3)),
            _ => Type::Object,
        }
    }

    fn leaf(&mut self, wanted: Type) -> Tree {
        if self.random.percent(30) && !matches!(wanted, Type::Function(_)) {
            return self.short_path();
        }
        match wanted {
            Type::Any => {
                let wanted = self.any_type();
                if self.random.percent(50) { self.short_path() } else { self.leaf(wanted) }
            }
            Type::Number => self.number(),
            Type::Text => self.text(),
            Type::Boolean => Tree::atom(self.random.pick(&["true", "false", "null", "$$", "$"])),
            Type::Array => match self.random.below(6) {
                0 => Tree::atom("[]"),
                1 => Tree::atom("[1..5]"),
                2 => Tree::atom("[3, 1, 2]"),
                3 => Tree::atom("[\"b\", \"a\", \"b\"]"),
                4 => Tree::atom("[[1, 2], [3]]"),
                _ => self.short_path(),
            },
            Type::Object => match self.random.below(5) {
                0 => Tree::atom("{}"),
                1 => Tree::atom("{\"a\": 1, \"b\": \"x\"}"),
                2 => Tree::atom("{\"a\": [1, 2], \"c\": {\"a\": null}}"),
                _ => self.short_path(),
            },
            Type::Function(arity) => self.function_value(arity, 0),
        }
    }

    fn number(&mut self) -> Tree {
        const NUMBERS: [&str; 22] = [
            "0",
            "1",
            "2",
            "3",
            "4",
            "-1",
            "-2",
            "0.5",
            "1.5",
            "2.5",
            "-0.5",
            "10",
            "16",
            "100",
            "1e3",
            "1e21",
            "1e-7",
            "0.1",
            "255",
            "1509380732935",
            "9007199254740991",
            "12345.678",
        ];
        Tree::atom(self.random.pick(&NUMBERS))
    }

    fn text(&mut self) -> Tree {
        let text = self.random.pick(&documents::TEXTS);
        // A text of the language has JSON's escapes.
        Tree::atom(quoted(text))
    }

    /// A field or a variable.
    fn short_path(&mut self) -> Tree {
        if !self.scope.is_empty() && self.random.percent(40) {
            let at = self.random.below(self.scope.len());
            return Tree::atom(format!("${}", self.scope[at].0));
        }
        let first = match self.random.below(8) {
            0 => "$".to_owned(),
            1 => "$$".to_owned(),
            _ => self.name(),
        };
        if self.random.percent(40) { Tree::atom(format!("{first}.{}", self.name())) } else { Tree::atom(first) }
    }

    fn name(&mut self) -> String {
        let name = if self.random.percent(4) { WHOLE_NAME } else { self.random.pick(&NAMES) };
        if name.contains([' ', '1']) { format!("`{name}`") } else { name.to_owned() }
    }

    fn variable_or(&mut self, wanted: Type, depth: usize) -> Tree {
        let fitting: Vec<String> =
            self.scope.iter().filter(|(_, holds)| *holds == wanted).map(|(name, _)| name.clone()).collect();
        if fitting.is_empty() {
            return self.typed(wanted, depth);
        }
        Tree::atom(format!("${}", fitting[self.random.below(fitting.len())]))
    }

    fn operator(&mut self, left: Type, operator: &str, right: Type, depth: usize) -> Tree {
        let operator = format!(" {operator} ");
        let whole = Tree::whole(vec![self.of(left, depth), Tree::text(operator), self.of(right, depth)]);
        if self.random.percent(50) { Tree::whole(vec![Tree::text("("), whole, Tree::text(")")]) } else { whole }
    }

    fn condition(&mut self, wanted: Type, depth: usize) -> Tree {
        let pieces = match self.random.below(8) {
            0 => vec![self.of(wanted, depth), Tree::text(" ?: "), self.of(wanted, depth)],
            1 => vec![self.of(wanted, depth), Tree::text(" ?? "), self.of(wanted, depth)],
            2 => vec![self.of(Type::Boolean, depth), Tree::text(" ? "), self.of(wanted, depth)],
            _ => vec![
                self.of(Type::Boolean, depth),
                Tree::text(" ? "),
                self.of(wanted, depth),
                Tree::text(" : "),
                self.of(wanted, depth),
            ],
        };
        Tree::whole(vec![Tree::text("("), Tree::whole(pieces), Tree::text(")")])
    }

    fn fresh(&mut self) -> String {
        // Sometimes a name that is there already: inner ones hide outer ones.
        self.random.pick(&["x", "y", "z", "v", "w", "acc", "f", "i"]).to_owned()
    }

    fn block(&mut self, wanted: Type, depth: usize) -> Tree {
        let outside = self.scope.len();
        let mut body = Vec::new();
        for _ in 0..self.random.below(3) {
            let name = self.fresh();
            if self.random.percent(12) {
                body.push(self.recursion(&name));
                self.scope.push((name, Type::Function(1)));
                continue;
            }
            let holds = self.any_type();
            let value = self.of(holds, depth);
            body.push(Tree::whole(vec![Tree::text(format!("${name} := ")), value]));
            self.scope.push((name, holds));
        }
        body.push(self.of(wanted, depth));
        self.scope.truncate(outside);
        Tree::whole(vec![Tree::text("("), Tree::List("; ", body), Tree::text(")")])
    }

    /// Functions that call themselves and end.
    fn recursion(&mut self, name: &str) -> Tree {
        let body = match self.random.below(4) {
            0 => format!("${name} := function($n) {{ $n <= 1 ? 1 : $n * ${name}($n - 1) }}"),
            1 => format!("${name} := function($n) {{ $type($n) = \"array\" ? $map($n, ${name}) : $n }}"),
            2 => format!("${name} := function($n) {{ $count($n) > 1 ? ${name}($n[[1..9]]) & \"-\" : $string($n) }}"),
            _ => format!("${name} := λ($n, $m) {{ $n > 5 or $not($n > -9) ? $m : ${name}($n + 1, [$m, $n]) }}"),
        };
        Tree::atom(body)
    }

    fn chain(&mut self, wanted: Type, depth: usize) -> Tree {
        let mut pieces = vec![self.of(Type::Any, depth), Tree::text(" ~> ")];
        match self.random.below(4) {
            0 => pieces.push(self.function_value(1, depth)),
            1 => pieces.extend([
                Tree::text("("),
                self.function_value(1, depth),
                Tree::text(" ~> "),
                self.function_value(1, depth),
                Tree::text(")"),
            ]),
            2 => pieces.push(self.transform(depth)),
            _ => pieces.push(self.call_with_first_left_out(wanted, depth)),
        }
        let whole = Tree::whole(pieces);
        if self.random.percent(60) { Tree::whole(vec![Tree::text("("), whole, Tree::text(")")]) } else { whole }
    }

    fn lambda(&mut self, arity: usize, wanted: Type, depth: usize) -> Tree {
        let outside = self.scope.len();
        let mut parameters: Vec<String> = Vec::new();
        for at in 0..arity {
            let mut name = self.fresh();
            if parameters.contains(&name) {
                name.push_str(&at.to_string());
            }
            self.scope.push((name.clone(), Type::Any));
            parameters.push(name);
        }
        let body = self.of(wanted, depth);
        self.scope.truncate(outside);
        let list: Vec<String> = parameters.iter().map(|name| format!("${name}")).collect();
        let word = self.random.pick(&["function", "function", "λ"]);
        let signature = if self.random.percent(8) && arity == 1 {
            self.random.pick(&["<n:n>", "<s-:s>", "<a<n>:x>", "<x?:x>", "<j-:j>", "<(sn)?:x>", "<o:o>", "<a:a>"])
        } else {
            ""
        };
        Tree::whole(vec![Tree::text(format!("{word}({}){signature} {{ ", list.join(", "))), body, Tree::text(" }")])
    }

    fn call_of_lambda(&mut self, wanted: Type, depth: usize) -> Tree {
        let arity = self.random.below(3);
        let given = if self.random.percent(80) { arity } else { self.random.below(4) };
        let lambda = self.lambda(arity, wanted, depth);
        let arguments = (0..given).map(|_| self.of(Type::Any, depth)).collect();
        Tree::whole(vec![lambda, Tree::text("("), Tree::List(", ", arguments), Tree::text(")")])
    }

    fn array(&mut self, depth: usize) -> Tree {
        if self.random.percent(20) {
            let edges = ["0", "1", "-2", "3", "5", "4", "1.5", "a", "$count($)", "2"];
            let (from, to) = (self.random.pick(&edges), self.random.pick(&edges));
            return Tree::atom(format!("[{from}..{to}]"));
        }
        let items = (0..self.random.below(4)).map(|_| self.of(Type::Any, depth)).collect();
        let close = if self.random.percent(8) { "][]" } else { "]" };
        Tree::whole(vec![Tree::text("["), Tree::List(", ", items), Tree::text(close)])
    }

    fn pairs(&mut self, depth: usize) -> Tree {
        let mut pairs = Vec::new();
        for _ in 0..self.random.below(4) {
            let key = match self.random.below(5) {
                0 => self.of(Type::Text, depth),
                1 => self.short_path(),
                _ => Tree::atom(quoted(self.random.pick(&NAMES))),
            };
            pairs.push(Tree::Form(vec![key, Tree::text(": "), self.of(Type::Any, depth)]));
        }
        Tree::List(", ", pairs)
    }

    fn object(&mut self, depth: usize) -> Tree {
        Tree::whole(vec![Tree::text("{"), self.pairs(depth), Tree::text("}")])
    }

    /// A value grouped by keys.
    fn grouped(&mut self, depth: usize) -> Tree {
        let path = self.path(depth + 1);
        let key = match self.random.below(4) {
            0 => self.of(Type::Text, depth),
            1 => Tree::atom("$string(a)"),
            2 => Tree::atom("b"),
            _ => Tree::atom("$type($)"),
        };
        let value = self.of(Type::Any, depth);
        Tree::whole(vec![path, Tree::text("{"), key, Tree::text(": "), value, Tree::text("}")])
    }

    fn transform(&mut self, depth: usize) -> Tree {
        let mut pieces = vec![Tree::text("|"), self.path(depth), Tree::text("|"), self.of(Type::Object, depth)];
        if self.random.percent(40) {
            pieces.push(Tree::text(", "));
            pieces.push(match self.random.below(4) {
                0 => self.of(Type::Text, depth),
                1 => self.of(Type::Array, depth),
                2 => Tree::atom("\"a\""),
                _ => Tree::atom("[\"a\", \"c\"]"),
            });
        }
        pieces.push(Tree::text("|"));
        Tree::whole(pieces)
    }

    fn transformed(&mut self, depth: usize) -> Tree {
        Tree::whole(vec![
            Tree::text("("),
            self.of(Type::Object, depth),
            Tree::text(" ~> "),
            self.transform(depth),
            Tree::text(")"),
        ])
    }
}

/// A text with JSON's quotes and escapes.
pub fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}
