//! Calls of built-in functions with what they take, and functions as values.

use super::{Generator, Tree, Type};

/// What an argument should be.
#[derive(Debug, Clone, Copy)]
enum Argument {
    Of(Type),
    /// A function of so many parameters that gives this.
    Lambda(usize, Type),
    /// One of these texts of the language.
    One(&'static [&'static str]),
}

use Argument::{Lambda, Of, One};
use Type::{Any, Array, Boolean, Number, Object, Text};

/// A function: its name, how many arguments it needs, all it takes, and what it gives.
struct Function(&'static str, usize, &'static [Argument], Type);

const SMALL: Argument = One(&["0", "1", "2", "3", "-1", "-2", "5", "1.5", "100"]);
const PLACES: Argument = One(&["0", "1", "2", "-1", "-2", "3", "10", "-10"]);
const PICTURES: Argument = One(&[
    "\"#,##0.00\"",
    "\"0\"",
    "\"#0.0#\"",
    "\"0.0e0\"",
    "\"#0.0#;(#0.0#)\"",
    "\"01%\"",
    "\"0‰\"",
    "\"###,###\"",
    "\"x0y\"",
    "\"#\"",
    "\"\"",
    "\"a\"",
    "\"0.0.0\"",
    "\"#;#;#\"",
    "\"00,0\"",
    "\".00\"",
    "\"0,\"",
]);
const WHOLES: Argument = One(&[
    "\"0\"",
    "\"000\"",
    "\"#,##0\"",
    "\"w\"",
    "\"W\"",
    "\"Ww\"",
    "\"Ww;o\"",
    "\"I\"",
    "\"i\"",
    "\"A\"",
    "\"a\"",
    "\"0;o\"",
    "\"#:##0\"",
    "\"x\"",
    "\"\"",
    "\"٠\"",
]);
const TIMES: Argument = One(&[
    "\"[Y0001]-[M01]-[D01]\"",
    "\"[H01]:[m01]:[s01].[f001]\"",
    "\"[D1o] [MNn] [Y]\"",
    "\"[FNn], [D] [MNn,*-3] [Y,*-2]\"",
    "\"[h]:[m] [P]\"",
    "\"[Y]-[W01]-[d001]\"",
    "\"[X0001]-W[W01]-[F1]\"",
    "\"[Z01:01t]\"",
    "\"[z]\"",
    "\"[YI]\"",
    "\"[Dwo]\"",
    "\"[[x]]\"",
    "\"[Y\"",
    "\"[q]\"",
    "\"[C]\"",
    "\"[E]\"",
    "\"\"",
    "\"[xNn] [w]\"",
    "\"[M01]/[D01]/[Y0001] [h#1]:[m01][P]\"",
]);
const ZONES: Argument = One(&["\"+0000\"", "\"-0500\"", "\"+0530\"", "\"0\"", "\"+1\""]);
const STAMPS: Argument =
    One(&["1509380732935", "0", "-1", "1e12", "1e15", "253402300799999", "-30610224000000", "1.5"]);
const ISO: Argument = One(&[
    "\"2017-10-30T16:25:32.935Z\"",
    "\"2017\"",
    "\"2017-10\"",
    "\"2017-10-30\"",
    "\"2017-10-30T16:25:32+02:00\"",
    "\"12/25/1999\"",
    "\"x\"",
    "\"2020-02-30\"",
    "\"1:02 PM\"",
    "\"25th December 2001\"",
    "\"\"",
]);
const WORDS: Argument = One(&[
    "\"twelve\"",
    "\"One Hundred and Five\"",
    "\"XIV\"",
    "\"1,234\"",
    "\"12\"",
    "\"aa\"",
    "\"minus one\"",
    "\"twenty-first\"",
    "\"x\"",
    "\"1st\"",
    "\"007\"",
]);
const BASES: Argument = One(&["2", "8", "10", "16", "36", "1", "37", "2.5", "-2"]);
const CODED: Argument = One(&["\"a%20b\"", "\"%C3%A9\"", "\"%\"", "\"%E0%A4%A\"", "\"?x=%D1%88\"", "\"+\"", "\"%2F\""]);
const BASE64: Argument = One(&["\"aGVsbG8=\"", "\"bXlwYXNz\"", "\"\"", "\"AA==\""]);
const LATIN: Argument = One(&["\"abc\"", "\"\"", "\"é\"", "\"a b\""]);

const FUNCTIONS: &[Function] = &[
    Function("sum", 1, &[Of(Array)], Number),
    Function("count", 1, &[Of(Array)], Number),
    Function("max", 1, &[Of(Array)], Number),
    Function("min", 1, &[Of(Array)], Number),
    Function("average", 1, &[Of(Array)], Number),
    Function("string", 0, &[Of(Any), Of(Boolean)], Text),
    Function("number", 0, &[Of(Any)], Number),
    Function("boolean", 0, &[Of(Any)], Boolean),
    Function("exists", 1, &[Of(Any)], Boolean),
    Function("not", 0, &[Of(Any)], Boolean),
    Function("map", 2, &[Of(Array), Lambda(3, Any)], Array),
    Function("filter", 2, &[Of(Array), Lambda(3, Boolean)], Array),
    Function("reduce", 2, &[Of(Array), Lambda(2, Any), Of(Any)], Any),
    Function("single", 1, &[Of(Array), Lambda(3, Boolean)], Any),
    Function("sift", 1, &[Of(Object), Lambda(3, Boolean)], Object),
    Function("each", 1, &[Of(Object), Lambda(3, Any)], Array),
    Function("sort", 1, &[Of(Array), Lambda(2, Boolean)], Array),
    Function("join", 1, &[Of(Array), Of(Text)], Text),
    Function("split", 1, &[Of(Text), Of(Text), SMALL], Array),
    Function("uppercase", 0, &[Of(Text)], Text),
    Function("lowercase", 0, &[Of(Text)], Text),
    Function("substring", 1, &[Of(Text), SMALL, SMALL], Text),
    Function("substringBefore", 1, &[Of(Text), Of(Text)], Text),
    Function("substringAfter", 1, &[Of(Text), Of(Text)], Text),
    Function("contains", 1, &[Of(Text), Of(Text)], Boolean),
    Function("trim", 0, &[Of(Text)], Text),
    Function("length", 0, &[Of(Text)], Number),
    Function("pad", 1, &[Of(Text), SMALL, Of(Text)], Text),
    Function("floor", 0, &[Of(Number)], Number),
    Function("ceil", 0, &[Of(Number)], Number),
    Function("round", 0, &[Of(Number), PLACES], Number),
    Function("abs", 0, &[Of(Number)], Number),
    Function("sqrt", 0, &[Of(Number)], Number),
    Function("power", 1, &[Of(Number), SMALL], Number),
    Function("lookup", 1, &[Of(Object), Of(Text)], Any),
    Function("keys", 0, &[Of(Object)], Array),
    Function("merge", 1, &[Of(Array)], Object),
    Function("append", 2, &[Of(Any), Of(Any)], Array),
    Function("distinct", 1, &[Of(Array)], Array),
    Function("reverse", 1, &[Of(Array)], Array),
    Function("zip", 1, &[Of(Array), Of(Array), Of(Array)], Array),
    Function("spread", 0, &[Of(Object)], Array),
    Function("type", 1, &[Of(Any)], Text),
    Function("error", 0, &[Of(Text)], Any),
    Function("assert", 1, &[Of(Boolean), Of(Text)], Any),
    Function("clone", 0, &[Of(Object)], Object),
    Function("formatNumber", 2, &[Of(Number), PICTURES], Text),
    Function("formatInteger", 2, &[SMALL, WHOLES], Text),
    Function("parseInteger", 2, &[WORDS, WHOLES], Number),
    Function("fromMillis", 1, &[STAMPS, TIMES, ZONES], Text),
    Function("toMillis", 1, &[ISO, TIMES], Number),
    Function("formatBase", 1, &[Of(Number), BASES], Text),
    Function("base64encode", 0, &[LATIN], Text),
    Function("base64decode", 0, &[BASE64], Text),
    Function("encodeUrlComponent", 0, &[Of(Text)], Text),
    Function("encodeUrl", 0, &[Of(Text)], Text),
    Function("decodeUrlComponent", 0, &[CODED], Text),
    Function("decodeUrl", 0, &[CODED], Text),
];

/// What comes with regular expressions.
const PATTERNS: &[Function] = &[
    Function("match", 2, &[Of(Text), EXPRESSIONS, SMALL], Array),
    Function("replace", 3, &[Of(Text), EXPRESSIONS, REPLACEMENTS, SMALL], Text),
    Function("replace", 3, &[Of(Text), Of(Text), Of(Text)], Text),
    Function("contains", 2, &[Of(Text), EXPRESSIONS], Boolean),
    Function("split", 2, &[Of(Text), EXPRESSIONS, SMALL], Array),
];
const EXPRESSIONS: Argument = One(&[
    "/a/",
    "/[a-z]+/i",
    "/(a)(b)?/",
    "/\\d+/",
    "/o|l/",
    "/^./m",
    "/\\s+/",
    "/(?:a|b)*c/",
    "/x*/",
    "/[^a]/",
    "/b$/",
    "/e(?=l)/",
]);
const REPLACEMENTS: Argument =
    One(&["\"x\"", "\"[$0]\"", "\"$1$2\"", "\"$$\"", "\"$12\"", "function($m) { $m.match & \"!\" }"]);

impl Generator<'_> {
    fn functions(&self) -> impl Iterator<Item = &'static Function> + use<> {
        FUNCTIONS.iter().chain(if self.patterns { PATTERNS } else { &[] })
    }

    /// A call that should give this.
    pub(super) fn function(&mut self, wanted: Type, depth: usize) -> Tree {
        let fitting: Vec<&Function> =
            self.functions().filter(|f| wanted == Any || f.3 == wanted || f.3 == Any).collect();
        let function = fitting[self.random.below(fitting.len())];
        let arguments = self.arguments(function, 0, depth);
        Tree::whole(vec![Tree::text(format!("${}(", function.0)), Tree::List(", ", arguments), Tree::text(")")])
    }

    /// The right side of `~>` that is called with what stands on the left.
    pub(super) fn call_with_first_left_out(&mut self, wanted: Type, depth: usize) -> Tree {
        let fitting: Vec<&Function> = self.functions().filter(|f| wanted == Any || f.3 == wanted).collect();
        if fitting.is_empty() {
            return self.function_value(1, depth);
        }
        let function = fitting[self.random.below(fitting.len())];
        let arguments = self.arguments(function, 1, depth);
        Tree::whole(vec![Tree::text(format!("${}(", function.0)), Tree::List(", ", arguments), Tree::text(")")])
    }

    fn arguments(&mut self, function: &Function, from: usize, depth: usize) -> Vec<Tree> {
        let Function(_, needed, takes, _) = function;
        let count = match self.random.below(20) {
            // Too few and too many are errors to compare.
            0 => self.random.below(takes.len() + 2),
            _ => needed + self.random.below(takes.len() - needed + 1),
        };
        (from..count).map(|at| self.argument(takes.get(at).copied().unwrap_or(Of(Any)), depth)).collect()
    }

    fn argument(&mut self, argument: Argument, depth: usize) -> Tree {
        match argument {
            Of(wanted) => self.of(wanted, depth),
            Lambda(arity, gives) => match self.random.below(10) {
                0..=6 => {
                    let arity = self.random.below(arity + 1);
                    self.lambda(arity, gives, depth)
                }
                _ => self.function_value(arity, depth),
            },
            One(of) if self.random.percent(85) => Tree::atom(self.random.pick(of)),
            One(_) => self.of(Any, depth),
        }
    }

    /// A function as a value: a literal, a built-in, a part of one, a variable or two in a row.
    pub(super) fn function_value(&mut self, arity: usize, depth: usize) -> Tree {
        let built_in = |generator: &mut Self| {
            const PLAIN: [&str; 16] = [
                "string",
                "number",
                "boolean",
                "not",
                "uppercase",
                "length",
                "count",
                "sum",
                "keys",
                "type",
                "exists",
                "floor",
                "append",
                "reverse",
                "join",
                "spread",
            ];
            Tree::atom(format!("${}", generator.random.pick(&PLAIN)))
        };
        match self.random.below(10) {
            0..=4 => self.lambda(arity, Any, depth.saturating_sub(1)),
            5..=6 => built_in(self),
            7 => {
                let functions: Vec<&Function> = self.functions().filter(|f| f.2.len() > 1).collect();
                let function = functions[self.random.below(functions.len())];
                let mut arguments: Vec<Tree> =
                    function.2.iter().map(|argument| self.argument(*argument, depth.saturating_sub(1))).collect();
                let place = self.random.below(arguments.len());
                arguments[place] = Tree::text("?");
                Tree::whole(vec![Tree::text(format!("${}(", function.0)), Tree::List(", ", arguments), Tree::text(")")])
            }
            8 if depth > 0 => Tree::whole(vec![
                Tree::text("("),
                self.function_value(1, depth - 1),
                Tree::text(" ~> "),
                self.function_value(1, depth - 1),
                Tree::text(")"),
            ]),
            _ => {
                let known: Vec<String> = self
                    .scope
                    .iter()
                    .filter(|(_, holds)| matches!(holds, Type::Function(_)))
                    .map(|(name, _)| name.clone())
                    .collect();
                if known.is_empty() {
                    built_in(self)
                } else {
                    Tree::atom(format!("${}", known[self.random.below(known.len())]))
                }
            }
        }
    }
}
