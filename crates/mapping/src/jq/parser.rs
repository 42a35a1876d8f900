//! Tokens to a tree, by precedence climbing.

use lockgate_model::diagnostic::{Diagnostic, Span};

use super::lexer::{Lexeme, Lexer, Part, Token};
use super::tree::{Arithmetic, Compare, Entry, Expr, Function, Kind, Piece};
use super::{DEPTH_MAX, Helped, Problem, outside, syntax};
use crate::nearest;

/// Words that are no functions.
const RESERVED: &[&str] = &[
    "and", "as", "catch", "def", "elif", "else", "end", "foreach", "if", "import", "include", "label", "or", "reduce",
    "then", "try", "__loc__", "limit",
];

/// The functions.
const FUNCTIONS: &[&str] = &[
    "add",
    "all",
    "any",
    "empty",
    "first",
    "from_entries",
    "has",
    "join",
    "keys",
    "last",
    "length",
    "map",
    "not",
    "select",
    "split",
    "to_entries",
    "tonumber",
    "tostring",
    "type",
];
/// Words that stand for values, or begin one.
const WORDS: &[&str] = &["null", "true", "false", "if"];

/// How tightly operators bind, loosest first.
const PIPE: u8 = 1;
const COMMA: u8 = 2;
const ALTERNATIVE: u8 = 3;
const OR: u8 = 4;
const AND: u8 = 5;
const COMPARE: u8 = 6;
const ADD: u8 = 7;
const MULTIPLY: u8 = 8;

type Parsed = Result<Expr, Problem>;

pub(super) fn parse(text: &str) -> Parsed {
    let mut parser = Parser::new(text, 0, text.len(), 0)?;
    let root = parser.pipe()?;
    parser.ended()?;
    Ok(root)
}

struct Parser<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    next: Lexeme,
    /// Where the last token ended.
    end: usize,
    depth: u16,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, from: usize, to: usize, depth: u16) -> Result<Self, Problem> {
        let mut lexer = Lexer::new(text, from, to);
        let next = lexer.next()?;
        Ok(Self { text, lexer, next, end: from, depth })
    }

    fn take(&mut self) -> Result<Lexeme, Problem> {
        let next = self.lexer.next()?;
        let taken = std::mem::replace(&mut self.next, next);
        self.end = taken.span.end as usize;
        Ok(taken)
    }

    fn is(&self, sign: &str) -> bool {
        matches!(&self.next.token, Token::Sign(next) if *next == sign)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(&self.next.token, Token::Word(next) if next == word)
    }

    fn accept(&mut self, sign: &str) -> Result<bool, Problem> {
        let is = self.is(sign);
        if is {
            self.take()?;
        }
        Ok(is)
    }

    fn expect(&mut self, sign: &str, what: &str) -> Result<(), Problem> {
        if self.accept(sign)? { Ok(()) } else { Err(self.unexpected(&format!("`{sign}` {what}"))) }
    }

    fn expect_word(&mut self, word: &str) -> Result<(), Problem> {
        if !self.is_word(word) {
            return Err(self.unexpected(&format!("`{word}`")));
        }
        self.take().map(|_| ())
    }

    fn ended(&mut self) -> Result<(), Problem> {
        if self.next.token == Token::End { Ok(()) } else { Err(self.unexpected("an operator or the end")) }
    }

    /// The problem of a token that cannot stand here.
    fn unexpected(&self, expected: &str) -> Problem {
        let span = self.next.span;
        let text = self.text.get(span.start as usize..span.end as usize).unwrap_or_default();
        match &self.next.token {
            Token::Sign(sign) if sign.ends_with('=') && !matches!(*sign, "==" | "!=" | "<=" | ">=") => {
                let help = "an expression makes a new value: `. + {a: 1}`; to compare write `==`";
                outside(span, &format!("the assignment `{sign}`"), help)
            }
            Token::Sign("?//") => outside(span, "`?//`", "use `//` for another value in place of null"),
            Token::Word(word) if word == "as" => {
                syntax(span, "`as` follows a single value").help("put what is bound in parentheses: `(…) as $name | …`")
            }
            Token::End => syntax(span, format!("the expression ends where {expected} should follow")),
            _ => syntax(span, format!("expected {expected}, got `{text}`")),
        }
    }

    fn node(&self, kind: Kind, start: u32) -> Parsed {
        let expr = Expr::new(kind, Span::new(start as usize, self.end));
        if expr.height > DEPTH_MAX { Err(too_deep(expr.span)) } else { Ok(expr) }
    }

    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, Problem>) -> Result<T, Problem> {
        if self.depth >= DEPTH_MAX {
            return Err(too_deep(self.next.span));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn pipe(&mut self) -> Parsed {
        self.binary(PIPE)
    }

    /// The operator that comes next: how tightly it binds.
    fn operator(&self) -> Option<(u8, &'static str)> {
        match &self.next.token {
            Token::Sign(sign) => Some((
                match *sign {
                    "|" => PIPE,
                    "," => COMMA,
                    "//" => ALTERNATIVE,
                    "==" | "!=" | "<" | "<=" | ">" | ">=" => COMPARE,
                    "+" | "-" => ADD,
                    "*" | "/" | "%" => MULTIPLY,
                    _ => return None,
                },
                sign,
            )),
            Token::Word(word) if word == "or" => Some((OR, "or")),
            Token::Word(word) if word == "and" => Some((AND, "and")),
            _ => None,
        }
    }

    fn binary(&mut self, least: u8) -> Parsed {
        self.deeper(|parser| {
            let start = parser.next.span.start;
            let mut left = parser.operand()?;
            while let Some((binds, sign)) = parser.operator().filter(|(binds, _)| *binds >= least) {
                if binds == COMMA {
                    let mut parts = vec![left];
                    while parser.accept(sign)? {
                        parts.push(parser.binary(COMMA + 1)?);
                    }
                    left = parser.node(Kind::Comma(parts), start)?;
                    continue;
                }
                parser.take()?;
                // `|` and `//` group to the right, the others to the left.
                let right = parser.binary(if matches!(binds, PIPE | ALTERNATIVE) { binds } else { binds + 1 })?;
                left = parser.joined(sign, left, right, start)?;
                if binds == COMPARE && parser.operator().is_some_and(|(next, _)| next == COMPARE) {
                    let problem = syntax(parser.next.span, "comparisons cannot be chained");
                    return Err(problem.help("join them: `1 < .a and .a < 3`"));
                }
            }
            Ok(left)
        })
    }

    fn joined(&self, sign: &str, left: Expr, right: Expr, start: u32) -> Parsed {
        let (a, b) = (Box::new(left), Box::new(right));
        let kind = match sign {
            "|" => Kind::Pipe(a, b),
            "//" => Kind::Alternative(a, b),
            "or" => Kind::Or(a, b),
            "and" => Kind::And(a, b),
            "==" => Kind::Compare(Compare::Equal, a, b),
            "!=" => Kind::Compare(Compare::NotEqual, a, b),
            "<" => Kind::Compare(Compare::Less, a, b),
            "<=" => Kind::Compare(Compare::LessOrEqual, a, b),
            ">" => Kind::Compare(Compare::Greater, a, b),
            ">=" => Kind::Compare(Compare::GreaterOrEqual, a, b),
            "+" => Kind::Arithmetic(Arithmetic::Add, a, b),
            "-" => Kind::Arithmetic(Arithmetic::Subtract, a, b),
            "*" => Kind::Arithmetic(Arithmetic::Multiply, a, b),
            "/" => Kind::Arithmetic(Arithmetic::Divide, a, b),
            _ => Kind::Arithmetic(Arithmetic::Remainder, a, b),
        };
        self.node(kind, start)
    }

    /// A value with what follows it directly: steps, `?`, `as`.
    fn operand(&mut self) -> Parsed {
        let start = self.next.span.start;
        if self.accept("-")? {
            let inner = self.binary(MULTIPLY)?;
            let kind = match inner.kind {
                Kind::Number(lexeme) if !lexeme.starts_with('-') => Kind::Number(format!("-{lexeme}")),
                kind => Kind::Negate(Box::new(Expr { kind, ..inner })),
            };
            return self.node(kind, start);
        }
        let source = self.term()?;
        if !self.is_word("as") {
            return Ok(source);
        }
        self.take()?;
        let name = match self.take()? {
            Lexeme { token: Token::Variable(name), .. } => name,
            Lexeme { token: Token::Sign("[" | "{"), span } => {
                return Err(outside(span, "taking a value apart", "bind the whole value: `. as $it | …`"));
            }
            Lexeme { span, .. } => return Err(syntax(span, "`as` needs a name: `. as $it | …`")),
        };
        if self.is("?//") {
            return Err(self.unexpected(""));
        }
        self.expect("|", "after a variable")?;
        let body = self.pipe()?;
        self.node(Kind::Bind { source: Box::new(source), name, body: Box::new(body) }, start)
    }

    fn term(&mut self) -> Parsed {
        let start = self.next.span.start;
        let mut term = self.primary()?;
        loop {
            let of = match &self.next.token {
                Token::Field(_) => {
                    let Lexeme { token: Token::Field(name), span } = self.take()? else { continue };
                    let key = Expr::text(name, Span::new(span.start as usize + 1, span.end as usize));
                    self.indexed(term, key)?
                }
                Token::Sign(".") => {
                    self.take()?;
                    match &self.next.token {
                        Token::Text(_) => {
                            let key = self.string()?;
                            self.indexed(term, key)?
                        }
                        Token::Sign("[") => self.bracket(term)?,
                        _ => return Err(self.unexpected("a name")),
                    }
                }
                Token::Sign("[") => self.bracket(term)?,
                Token::Sign("?") => {
                    self.take()?;
                    Kind::Optional(Box::new(term))
                }
                _ => return Ok(term),
            };
            term = self.node(of, start)?;
        }
    }

    fn indexed(&mut self, of: Expr, key: Expr) -> Result<Kind, Problem> {
        let optional = self.accept("?")?;
        Ok(Kind::Index { of: Box::new(of), key: Box::new(key), optional })
    }

    /// `[]`, `[e]`, `[e:]`, `[:e]`, `[e:e]`
    fn bracket(&mut self, of: Expr) -> Result<Kind, Problem> {
        self.take()?;
        let of = Box::new(of);
        if self.accept("]")? {
            return Ok(Kind::Iterate { of, optional: self.accept("?")? });
        }
        let from = if self.is(":") { None } else { Some(self.pipe()?) };
        if !self.accept(":")? {
            self.expect("]", "after what is in brackets")?;
            return match from {
                Some(key) => self.indexed(*of, key),
                None => Err(self.unexpected("a place or a name")),
            };
        }
        let to = if self.is("]") { None } else { Some(Box::new(self.pipe()?)) };
        if from.is_none() && to.is_none() {
            return Err(self.unexpected("where the part ends"));
        }
        self.expect("]", "after the bounds of a part")?;
        Ok(Kind::Slice { of, from: from.map(Box::new), to, optional: self.accept("?")? })
    }

    fn primary(&mut self) -> Parsed {
        let Lexeme { token, span } = self.next.clone();
        let start = span.start;
        let identity = || Expr::new(Kind::Identity, Span::new(start as usize, start as usize + 1));
        match token {
            Token::Text(_) => self.string(),
            Token::Number(lexeme) => {
                self.take()?;
                self.node(Kind::Number(lexeme), start)
            }
            Token::Variable(name) => {
                self.take()?;
                if matches!(name.as_str(), "__loc__" | "ENV") {
                    let help = "an expression knows its data and nothing of where it runs";
                    return Err(outside(span, &format!("`${name}`"), help));
                }
                self.node(Kind::Variable(name), start)
            }
            Token::Format(name) => {
                let help = "encodings belong to connectors and mappings; `tostring` gives a value's text";
                Err(outside(span, &format!("the format `@{name}`"), help))
            }
            Token::Field(name) => {
                self.take()?;
                let key = Expr::text(name, Span::new(start as usize + 1, span.end as usize));
                let kind = self.indexed(identity(), key)?;
                self.node(kind, start)
            }
            Token::Word(word) => self.word(&word),
            Token::Sign("..") => {
                self.take()?;
                self.node(Kind::Recurse, start)
            }
            Token::Sign(".") => {
                self.take()?;
                let kind = match &self.next.token {
                    Token::Text(_) => {
                        let key = self.string()?;
                        self.indexed(identity(), key)?
                    }
                    Token::Sign("[") => self.bracket(identity())?,
                    _ => Kind::Identity,
                };
                self.node(kind, start)
            }
            Token::Sign("(") => {
                self.take()?;
                let inner = self.pipe()?;
                self.expect(")", "to close the parenthesis")?;
                Ok(Expr { span: Span::new(start as usize, self.end), ..inner })
            }
            Token::Sign("[") => {
                self.take()?;
                let inner = if self.is("]") { None } else { Some(Box::new(self.pipe()?)) };
                self.expect("]", "to close the array")?;
                self.node(Kind::Array(inner), start)
            }
            Token::Sign("{") => self.object(),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn string(&mut self) -> Parsed {
        let Lexeme { token: Token::Text(parts), span } = self.take()? else { return Err(self.unexpected("a string")) };
        let mut pieces = Vec::with_capacity(parts.len());
        for part in parts {
            pieces.push(match part {
                Part::Text(text) => Piece::Text(text),
                Part::Code(from, to) => {
                    let depth = self.depth;
                    let mut inner = Parser::new(self.text, from, to, depth)?;
                    let value = inner.deeper(Self::pipe_of)?;
                    inner.ended()?;
                    Piece::Value(value)
                }
            });
        }
        let expr = Expr::new(Kind::Text(pieces), span);
        if expr.height > DEPTH_MAX { Err(too_deep(span)) } else { Ok(expr) }
    }

    fn pipe_of(parser: &mut Parser<'_>) -> Parsed {
        parser.pipe()
    }

    fn object(&mut self) -> Parsed {
        let start = self.take()?.span.start;
        let mut entries = Vec::new();
        while !self.is("}") {
            let entry = self.entry()?;
            entries.push(entry);
            if !self.accept(",")? {
                break;
            }
        }
        self.expect("}", "to close the object")?;
        self.node(Kind::Object(entries), start)
    }

    fn entry(&mut self) -> Result<Entry, Problem> {
        let Lexeme { token, span } = self.next.clone();
        let of_input = |key: &Expr| Kind::Index {
            of: Box::new(Expr::new(Kind::Identity, span)),
            key: Box::new(key.clone()),
            optional: false,
        };
        let (key, short) = match token {
            Token::Variable(name) => {
                self.take()?;
                (Expr::text(name.clone(), span), Some(Expr::new(Kind::Variable(name), span)))
            }
            Token::Word(name) => {
                self.take()?;
                let key = Expr::text(name, span);
                let short = Expr::new(of_input(&key), span);
                (key, Some(short))
            }
            Token::Text(_) => {
                let key = self.string()?;
                let short = Expr::new(of_input(&key), span);
                (key, Some(short))
            }
            Token::Number(_) => {
                return Err(syntax(span, "a number cannot name a field").help("put it in quotes"));
            }
            Token::Format(_) => return self.primary().map(|key| Entry { value: key.clone(), key }),
            Token::Sign("(") => {
                self.take()?;
                let key = self.pipe()?;
                self.expect(")", "to close the computed name")?;
                (key, None)
            }
            _ => return Err(self.unexpected("the name of a field")),
        };
        let is_variable = matches!(short, Some(Expr { kind: Kind::Variable(_), .. }));
        if !is_variable && self.accept(":")? {
            let value = self.entry_value()?;
            return Ok(Entry { key, value });
        }
        match short {
            Some(value) => Ok(Entry { key, value }),
            None => Err(self.unexpected("`:` after the computed name")),
        }
    }

    /// A value without operators but `|`, as jq's grammar has it.
    fn entry_value(&mut self) -> Parsed {
        self.deeper(|parser| {
            let start = parser.next.span.start;
            let value = if parser.is("-") { parser.negative()? } else { parser.term()? };
            if parser.accept("|")? {
                let rest = parser.entry_value()?;
                return parser.node(Kind::Pipe(Box::new(value), Box::new(rest)), start);
            }
            if parser.operator().is_some_and(|(_, sign)| sign != ",") || parser.is_word("as") {
                let problem = syntax(parser.next.span, "a computed value of a field stands in parentheses");
                return Err(problem.help("write `{ name: (… + …) }`"));
            }
            Ok(value)
        })
    }

    fn negative(&mut self) -> Parsed {
        let start = self.take()?.span.start;
        let term = self.term()?;
        let kind = match term.kind {
            Kind::Number(lexeme) if !lexeme.starts_with('-') => Kind::Number(format!("-{lexeme}")),
            kind => Kind::Negate(Box::new(Expr { kind, ..term })),
        };
        self.node(kind, start)
    }

    fn condition(&mut self) -> Parsed {
        let start = self.take()?.span.start;
        self.deeper(|parser| {
            let condition = Box::new(parser.pipe()?);
            parser.expect_word("then")?;
            let then = Box::new(parser.pipe()?);
            let otherwise = if parser.is_word("elif") {
                Some(Box::new(parser.condition()?))
            } else {
                let otherwise = match parser.is_word("else") {
                    true => {
                        parser.take()?;
                        Some(Box::new(parser.pipe()?))
                    }
                    false => None,
                };
                parser.expect_word("end")?;
                otherwise
            };
            parser.node(Kind::If { condition, then, otherwise }, start)
        })
    }

    /// A word: a constant, a condition or a function.
    fn word(&mut self, word: &str) -> Parsed {
        let span = self.next.span;
        let start = span.start;
        if word == "if" {
            return self.condition();
        }
        if RESERVED.contains(&word) {
            return Err(match word {
                "def" => outside(span, "`def`", "write the expression out, or bind values with `… as $name | …`"),
                "reduce" | "foreach" | "limit" => {
                    let what = format!("`{word}`");
                    outside(span, &what, "`add`, `map`, `any` and `all` go over arrays; a `for` task goes step by step")
                }
                "try" | "catch" => {
                    let help = "write `…?` to pass over errors; a `try` task handles them";
                    outside(span, &format!("`{word}`"), help)
                }
                "import" | "include" | "label" | "__loc__" => {
                    outside(span, &format!("`{word}`"), "write the expression out")
                }
                _ => self.unexpected("a value"),
            });
        }
        self.take()?;
        let mut given = Vec::new();
        if self.accept("(")? {
            loop {
                given.push(self.pipe()?);
                if !self.accept(";")? {
                    break;
                }
            }
            self.expect(")", "to close the arguments")?;
        }
        let count = given.len();
        let mut given = given.into_iter().map(Box::new);
        let (first, second) = (given.next(), given.next());
        let span = Span::new(start as usize, self.end);
        let leaf = |kind| Box::new(Expr::new(kind, span));
        let items = || leaf(Kind::Iterate { of: leaf(Kind::Identity), optional: false });
        let item = |place: &str| Kind::Index {
            of: leaf(Kind::Identity),
            key: leaf(Kind::Number(place.to_owned())),
            optional: false,
        };
        let call = |function| Kind::Call(function, None);
        let kind = match (word, first, second, count) {
            ("null", None, None, 0) => Kind::Null,
            ("true", None, None, 0) => Kind::Boolean(true),
            ("false", None, None, 0) => Kind::Boolean(false),
            ("empty", None, None, 0) => Kind::Empty,
            ("not", None, None, 0) => Kind::Not,
            ("add", None, None, 0) => call(Function::Add),
            ("from_entries", None, None, 0) => call(Function::FromEntries),
            ("keys", None, None, 0) => call(Function::Keys),
            ("length", None, None, 0) => call(Function::Length),
            ("to_entries", None, None, 0) => call(Function::ToEntries),
            ("tonumber", None, None, 0) => call(Function::ToNumber),
            ("tostring", None, None, 0) => call(Function::ToString),
            ("type", None, None, 0) => call(Function::Type),
            ("first", None, None, 0) => item("0"),
            ("last", None, None, 0) => item("-1"),
            ("has", Some(key), None, 1) => Kind::Call(Function::Has, Some(key)),
            ("join", Some(separator), None, 1) => Kind::Call(Function::Join, Some(separator)),
            ("split", Some(separator), None, 1) => Kind::Call(Function::Split, Some(separator)),
            ("select", Some(condition), None, 1) => Kind::Select(condition),
            ("first", Some(source), None, 1) => Kind::First(source),
            ("last", Some(source), None, 1) => {
                // The last of none is none: `[source] | .[-1:][]`.
                let all = leaf(Kind::Array(Some(source)));
                let last =
                    Kind::Slice { of: all, from: Some(leaf(Kind::Number("-1".to_owned()))), to: None, optional: false };
                Kind::Iterate { of: leaf(last), optional: false }
            }
            ("map", Some(each), None, 1) => {
                let each = Kind::Pipe(items(), each);
                Kind::Array(Some(leaf(each)))
            }
            ("any" | "all", None, None, 0) => {
                Kind::Quantifier { all: word == "all", source: items(), condition: leaf(Kind::Identity) }
            }
            ("any" | "all", Some(condition), None, 1) => {
                Kind::Quantifier { all: word == "all", source: items(), condition }
            }
            ("any" | "all", Some(source), Some(condition), 2) => {
                Kind::Quantifier { all: word == "all", source, condition }
            }
            _ => return Err(unknown(word, span, count)),
        };
        self.node(kind, start)
    }
}

/// The problem of a function that the profile does not have.
fn unknown(word: &str, span: Span, count: usize) -> Problem {
    if FUNCTIONS.contains(&word) || WORDS.contains(&word) {
        let message = format!("`{word}` with {count} arguments is not in the jq profile");
        let help = "docs/jq.md lists the functions of the profile with their arguments";
        return Box::new(Diagnostic::new("LG-JQ-PROFILE", span, message).help(help));
    }
    let all = FUNCTIONS.iter().chain(WORDS).copied();
    let help = match nearest(word, all) {
        Some(near) => format!("did you mean `{near}`? A field is `.{word}`"),
        None => format!(
            "a field is `.{word}` (with a `-` in its name it stands in quotes: `.\"…-{word}\"`), a variable `${word}`; \
             the functions are {}",
            FUNCTIONS.join(", ")
        ),
    };
    outside(span, &format!("the function `{word}`"), &help)
}

fn too_deep(span: Span) -> Problem {
    let message = format!("the expression nests deeper than {DEPTH_MAX} levels");
    let problem = Diagnostic::new("LG-JQ-DEPTH", span, message);
    Box::new(problem.help("split it over several tasks, or join many texts as `[…] | join(\"\")`"))
}
