//! What people write and chance puts together too seldom: joins, parents, groups, orders, functions with
//! signatures, in part and in a row, matchers, and numbers as text.

use super::{Generator, Tree, Type, quoted};

const FIELDS: [&str; 4] = ["a", "b", "a", "c"];
const LISTS: [&str; 7] = ["c", "d", "d.c", "`f g`.c", "c.d", "*", "d[0].c"];

impl Generator<'_> {
    pub(super) fn idiom(&mut self) -> Tree {
        match self.random.below(9) {
            0 => self.join(),
            1 => self.with_parents(),
            2 => self.grouped_lines(),
            3 => self.ordered_lines(),
            4 => self.with_signature(),
            5 => self.in_part(),
            6 => self.with_matcher(),
            7 => self.as_text(),
            _ => self.changed(),
        }
    }

    fn field(&mut self) -> Tree {
        Tree::atom(self.random.pick(&FIELDS))
    }

    fn list(&mut self) -> Tree {
        Tree::atom(self.random.pick(&LISTS))
    }

    /// Two or three lists with names bound, a condition on them, and an end that uses the names.
    fn join(&mut self) -> Tree {
        let mut pieces = vec![self.list()];
        let mut names = Vec::new();
        for (at, name) in ["l", "m", "n"].iter().enumerate() {
            if at > 0 {
                if self.random.percent(40) {
                    break;
                }
                pieces.extend([Tree::text("."), self.list()]);
            }
            let mut binds = Vec::new();
            if self.random.percent(75) {
                names.push((*name).to_owned());
                binds.push(Tree::text(format!("@${name}")));
            }
            if self.random.percent(35) {
                names.push(format!("i{at}"));
                binds.push(Tree::text(format!("#$i{at}")));
            }
            if !names.is_empty() && self.random.percent(35) {
                let condition = self.on_names(&names);
                binds.push(Tree::Form(vec![Tree::text("["), condition, Tree::text("]")]));
            }
            if self.random.percent(10) {
                binds.push(Tree::text("[0]"));
            }
            pieces.push(Tree::List("", binds));
        }
        if self.random.percent(25) {
            let name = self.name_of(&names);
            pieces.push(Tree::List("", vec![Tree::Form(vec![Tree::text("^("), name, Tree::text(")")])]));
        }
        let end = match self.random.below(6) {
            0 => vec![Tree::text("."), self.field()],
            1..=2 => {
                let (one, other) = (self.name_of(&names), self.name_of(&names));
                vec![Tree::text(".{\"x\": "), one, Tree::text(", \"y\": "), other, Tree::text(", \"z\": a}")]
            }
            3 => {
                let (one, other) = (self.name_of(&names), self.name_of(&names));
                vec![Tree::text("{$string("), one, Tree::text("): "), other, Tree::text("}")]
            }
            4 => {
                let name = self.name_of(&names);
                vec![Tree::text(".["), name, Tree::text(", %.a]")]
            }
            _ => Vec::new(),
        };
        pieces.push(Tree::List("", vec![Tree::Form(end)]));
        Tree::whole(pieces)
    }

    fn name_of(&mut self, names: &[String]) -> Tree {
        let Some(name) = names.get(self.random.below(names.len().max(1))) else { return self.field() };
        let name = if name.starts_with('i') || self.random.percent(25) {
            format!("${name}")
        } else {
            format!("${name}.{}", self.random.pick(&FIELDS))
        };
        Tree::atom(name)
    }

    fn on_names(&mut self, names: &[String]) -> Tree {
        let operator = self.random.pick(&[" = ", " != ", " in ", " and "]);
        let left = self.name_of(names);
        let right = if self.random.percent(50) { self.name_of(names) } else { self.field() };
        Tree::whole(vec![left, Tree::text(operator), right])
    }

    /// Steps with parents at their ends, in filters, orders and groups.
    fn with_parents(&mut self) -> Tree {
        let mut pieces = vec![self.list()];
        for _ in 0..1 + self.random.below(3) {
            let step = match self.random.below(10) {
                0..=3 => Tree::Form(vec![Tree::text("."), self.field()]),
                4..=5 => {
                    Tree::Form(vec![Tree::text("["), self.field(), Tree::text(" = "), self.parent(), Tree::text("]")])
                }
                6 => Tree::Form(vec![Tree::text("^("), self.parent(), Tree::text(")")]),
                7 => {
                    Tree::Form(vec![Tree::text(".("), self.field(), Tree::text(".["), self.parent(), Tree::text("])")])
                }
                8 => Tree::Form(vec![Tree::text("."), self.list()]),
                _ => Tree::Form(vec![Tree::text("."), self.parent()]),
            };
            pieces.push(Tree::List("", vec![step]));
        }
        match self.random.below(4) {
            0 => {
                pieces.extend([
                    Tree::text(".{\"p\": "),
                    self.parent(),
                    Tree::text(", \"v\": "),
                    self.field(),
                    Tree::text("}"),
                ]);
            }
            1 => pieces.extend([
                Tree::text("{$string("),
                self.parent(),
                Tree::text("): "),
                self.parent(),
                Tree::text("}"),
            ]),
            2 => pieces.extend([
                Tree::text(".("),
                self.parent(),
                Tree::text(" & \"-\" & "),
                self.field(),
                Tree::text(")"),
            ]),
            _ => pieces.extend([Tree::text("."), self.parent()]),
        }
        Tree::whole(pieces)
    }

    fn parent(&mut self) -> Tree {
        Tree::atom(self.random.pick(&["%", "%.a", "%.b", "%.%.a", "%.%", "%.%.%.b", "%.c.a", "%.*"]))
    }

    fn grouped_lines(&mut self) -> Tree {
        let (list, value) = (self.list(), self.of(Type::Any, 1));
        let key = Tree::atom(self.random.pick(&["$string(a)", "b", "$type(a)", "$string(%.a)", "d.b", "$string($i)"]));
        let index = self.random.pick(&["", "", "#$i", "@$l", "^(a)", "^(>b, a)"]);
        let aggregate = self.random.pick(&[
            "",
            "$sum(a)",
            "$count($)",
            "$join(b, \"+\")",
            "a[]",
            "$.a",
            "{\"n\": $count($), \"a\": a}",
        ]);
        let value = if aggregate.is_empty() { value } else { Tree::atom(aggregate) };
        Tree::whole(vec![list, Tree::text(index), Tree::text("{"), key, Tree::text(": "), value, Tree::text("}")])
    }

    fn ordered_lines(&mut self) -> Tree {
        let mut terms = Vec::new();
        for _ in 0..1 + self.random.below(3) {
            let term = self.random.pick(&[
                "a",
                "b",
                "$string(a)",
                "$number(a)",
                "d.a",
                "$count(c)",
                "$length(b)",
                "%.a",
                "$",
                "-a",
            ]);
            terms.push(Tree::Form(vec![Tree::text(self.random.pick(&["", "<", ">"])), Tree::atom(term)]));
        }
        let before = self.list();
        let end = self.random.pick(&[
            "",
            ".a",
            "[0]",
            "[-1].b",
            "#$i.{\"i\": $i, \"a\": a}",
            "[a > 1]",
            "[[0, 1]]",
            "[]",
            ".b[0]",
        ]);
        Tree::whole(vec![before, Tree::text("^("), Tree::List(", ", terms), Tree::text(")"), Tree::text(end)])
    }

    fn signature(&mut self, most: usize) -> String {
        let mut out = String::from("<");
        let mut optional = false;
        for _ in 0..1 + self.random.below(most) {
            // Behind what may be left out the reference makes arrays of undefined.
            let letters = [
                "s", "n", "b", "l", "o", "f", "j", "x", "(ns)", "(sao)", "f<n:n>", "(nb)", "a", "a<n>", "a<s>", "a<o>",
            ];
            let letter = letters[self.random.below(if optional { 12 } else { letters.len() })];
            out.push_str(letter);
            // Of typed arrays the reference takes no more than one.
            let most = if letter.starts_with("a<") { 6 } else { 7 };
            let modifier = ["", "", "", "-", "?", "?", "+"][self.random.below(most)];
            optional |= matches!(modifier, "?" | "-");
            out.push_str(modifier);
        }
        out.push_str(self.random.pick(&[":x>", ":n>", ">", ":s>", ":a<s>>"]));
        out
    }

    /// A function with a signature, called where there is a context.
    fn with_signature(&mut self) -> Tree {
        let signature = self.signature(3);
        let names = ["$x", "$y", "$z"];
        let count = 1 + self.random.below(3);
        let parameters = names[..count].join(", ");
        let body = self.random.pick(&[
            "[$x, $y, $z]",
            "{\"x\": $x, \"y\": $y}",
            "$x",
            "$y",
            "$type($x) & $type($y)",
            "$count($x)",
        ]);
        let arguments = (0..self.random.below(4)).map(|_| self.of(Type::Any, 1)).collect();
        let context = self.random.pick(&["", "a.", "b.", "c.", "*.", "c.b.", "$$."]);
        let call = vec![
            Tree::text(format!("(function({parameters}){signature} {{ {body} }})(")),
            Tree::List(", ", arguments),
            Tree::text(")"),
        ];
        if context.is_empty() {
            return Tree::whole(call);
        }
        let mut pieces = vec![Tree::List("", vec![Tree::text(context)]), Tree::text("(")];
        pieces.extend(call);
        pieces.push(Tree::text(")"));
        Tree::whole(pieces)
    }

    /// Functions with several arguments left open, and functions put in a row.
    fn in_part(&mut self) -> Tree {
        let function = self.random.pick(&[
            "$substring(?, 1)",
            "$substring(?, ?, 2)",
            "$substring(\"Hello\", ?, ?)",
            "$pad(?, -6, ?)",
            "$join(?, \"-\")",
            "$split(?, \",\")",
            "$map(?, $string)",
            "$filter(?, function($v) { $v != 1 })",
            "$reduce(?, function($a, $b) { $a & $b })",
            "$append(?, ?)",
            "$append(1, ?)",
            "$string(?)",
            "$sum(?)",
            "$round(?, 1)",
            "$formatNumber(?, \"0.0\")",
            "$lookup(?, \"a\")",
            "$contains(?, \"l\")",
            "$zip(?, [1, 2])",
            "$sort(?, ?)",
            "$each(?, ?)",
            "$power(2, ?)",
            "$number(?)",
            "(function($p, $q) { [$p, $q] })(?, 2)",
            "(function($p, $q) { [$q, $p] })(1, ?)",
            "(function($p, $q, $r) { [$r, $q, $p] })(?, \"b\", ?)",
        ]);
        let (one, other) = (self.of(Type::Any, 1), self.of(Type::Any, 1));
        match self.random.below(5) {
            0 => Tree::whole(vec![one, Tree::text(" ~> "), Tree::atom(function)]),
            1 => Tree::whole(vec![
                Tree::atom(function),
                Tree::text("("),
                Tree::List(", ", vec![one, other]),
                Tree::text(")"),
            ]),
            2 => Tree::whole(vec![Tree::text("$map("), one, Tree::text(", "), Tree::atom(function), Tree::text(")")]),
            3 => {
                let second = self.function_value(1, 1);
                Tree::whole(vec![
                    Tree::text("($f := "),
                    Tree::atom(function),
                    Tree::text(" ~> "),
                    second,
                    Tree::text("; "),
                    one,
                    Tree::text(" ~> $f)"),
                ])
            }
            _ => Tree::whole(vec![
                Tree::text("($f := "),
                Tree::atom(function),
                Tree::text("; [$f("),
                one,
                Tree::text("), $f("),
                other,
                Tree::text(")])"),
            ]),
        }
    }

    /// A function in place of a regular expression.
    fn with_matcher(&mut self) -> Tree {
        let matcher = self.random.pick(&[
            "function($s) { $contains($s, \"a\") ? {\"match\": \"a\", \"start\": $length($substringBefore($s, \"a\")), \"end\": $length($substringBefore($s, \"a\")) + 1, \"groups\": [\"g\", \"h\"], \"next\": function() { nothing }} }",
            "function($s) { {\"match\": \"l\", \"start\": 2, \"end\": 3, \"groups\": [], \"next\": function() { {\"match\": \"o\", \"start\": 4, \"end\": 5, \"groups\": [\"1\"], \"next\": function() { nothing }} }} }",
            "function($s) { nothing }",
            "function($s) { 1 }",
            "function($s) { {\"match\": \"x\"} }",
            "function($s) { {\"start\": 0} }",
            "function($s, $o) { $o }",
            "$uppercase",
        ]);
        let text = if self.random.percent(50) { Tree::atom("\"Hello a World\"") } else { self.of(Type::Text, 1) };
        let limit = Tree::atom(self.random.pick(&["0", "1", "2", "-1", "1.5"]));
        let mut pieces = Vec::new();
        let (name, by) = match self.random.below(4) {
            0 => ("match", None),
            1 => ("split", None),
            2 => ("contains", None),
            _ => {
                let by =
                    ["\"x\"", "\"[$0]\"", "\"$1$2\"", "\"$$\"", "function($m) { $m.match & \"!\" }", "$string", "1"];
                ("replace", Some(Tree::atom(self.random.pick(&by))))
            }
        };
        pieces.extend([text, Tree::atom(matcher)]);
        pieces.extend(by);
        if name != "contains" && self.random.percent(40) {
            pieces.push(limit);
        }
        Tree::whole(vec![Tree::text(format!("${name}(")), Tree::List(", ", pieces), Tree::text(")")])
    }

    /// Numbers and values as text.
    fn as_text(&mut self) -> Tree {
        match self.random.below(5) {
            0 => Tree::whole(vec![Tree::text("$string("), self.of(Type::Any, 2), Tree::text(", true)")]),
            1 => {
                let operator = self.random.pick(&[" * ", " / ", " + ", " - "]);
                let number = |g: &mut Self| {
                    let tens = g.random.pick(&[
                        "0.1",
                        "0.3",
                        "1.1",
                        "3",
                        "7",
                        "1e21",
                        "1e-7",
                        "123456.789",
                        "9007199254740993",
                        "1e15",
                        "0.07",
                    ]);
                    Tree::atom(tens)
                };
                let (one, other) = (number(self), number(self));
                Tree::whole(vec![Tree::text("$string("), one, Tree::text(operator), other, Tree::text(")")])
            }
            2 => Tree::whole(vec![Tree::text("$number($string("), self.of(Type::Number, 2), Tree::text("))")]),
            3 => {
                let text = self.random.pick(&[
                    "0x1F", "0b101", "0o17", "1e3", " 1", "1 ", "", "-5", "+5", ".5", "5.", "1_000", "Infinity", "NaN",
                    "0X1f", "1e", "--1", "0x", "01", "-0", "1e400",
                ]);
                Tree::atom(format!("$number({})", quoted(text)))
            }
            _ => Tree::whole(vec![Tree::text("$round("), self.of(Type::Number, 2), Tree::text(", 2) & \"\"")]),
        }
    }

    /// A transform of what there is.
    fn changed(&mut self) -> Tree {
        let pattern = Tree::atom(
            self.random.pick(&["$", "c", "c[0]", "d.c", "**", "*", "c[a > 1]", "d", "`f g`", "**[a]", "c.d"]),
        );
        let update = match self.random.below(5) {
            0 => Tree::atom("{\"x\": a}"),
            1 => Tree::atom("{\"a\": a + 1, \"n\": $count(c)}"),
            2 => Tree::atom("{}"),
            3 => Tree::atom("{\"c\": c[0]}"),
            _ => self.of(Type::Object, 1),
        };
        let delete =
            self.random.pick(&["", "", ", \"b\"", ", [\"a\", \"b\"]", ", $keys($)", ", nothing", ", 1", ", []"]);
        let end = self.random.pick(&["", "", ".c", ".a", ".c.a"]);
        let subject = Tree::atom(self.random.pick(&["$", "$$", "c", "d", "`f g`", "[$, $]"]));
        Tree::whole(vec![
            Tree::text("("),
            subject,
            Tree::text(" ~> |"),
            pattern,
            Tree::text("|"),
            update,
            Tree::text(format!("{delete}|){end}")),
        ])
    }
}
