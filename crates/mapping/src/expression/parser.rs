//! Tokens to the tree as written: top-down operator precedence (Pratt), every form of the language.
//!
//! Deliberately absent: the making of paths, which is [`super::normalise`]'s. Depth is bounded here,
//! so that every later walk over the tree may recurse.

mod calls;

use lockgate_model::diagnostic::Span;

use super::{
    Problem,
    ast::{Kind, Node, Operator},
    lexer::{Lexeme, Lexer, Token},
    problem,
};

/// How deep an expression may nest. Every pass recurses over the tree, each level costing a few
/// kilobytes of stack (in a debug build), and must fit the 2 MiB of a worker thread with room to spare.
pub(super) const DEPTH_MAX: u16 = 160;

/// Parses a whole text.
pub(super) fn parse(text: &str) -> Result<Box<Node>, Problem> {
    parse_noting(text).map(|(node, _)| node)
}

/// The same, and whether the text has comments.
pub(super) fn parse_noting(text: &str) -> Result<(Box<Node>, bool), Problem> {
    let mut lexer = Lexer::new(text);
    let next = lexer.next(true)?;
    let mut parser = Parser { lexer, next, depth: 0, end: 0 };
    let node = parser.expression(0)?;
    match &parser.next.token {
        Token::End => Ok((node, parser.lexer.comments)),
        _ => {
            let token = parser.next_text();
            Err(problem("S0201", parser.next.span, format!("syntax error at `{token}`"))
                .help("an operator or the end of the expression was expected")
                .token(token))
        }
    }
}

/// How strongly an operator binds to the left.
fn binding(token: &Token) -> u8 {
    let Token::Operator(operator) = token else {
        return 0;
    };
    match *operator {
        "(" | "[" | "@" | "#" => 80,
        "." => 75,
        "{" => 70,
        "*" | "/" | "%" => 60,
        "+" | "-" | "&" => 50,
        "=" | "<" | ">" | "^" | "!=" | "<=" | ">=" | "~>" | "?:" | "??" | "in" => 40,
        "and" => 30,
        "or" => 25,
        "?" => 20,
        ":=" => 10,
        _ => 0,
    }
}

fn binary(operator: &str) -> Option<Operator> {
    Some(match operator {
        "+" => Operator::Add,
        "-" => Operator::Subtract,
        "*" => Operator::Multiply,
        "/" => Operator::Divide,
        "%" => Operator::Remainder,
        "=" => Operator::Equal,
        "!=" => Operator::NotEqual,
        "<" => Operator::Less,
        "<=" => Operator::LessEqual,
        ">" => Operator::Greater,
        ">=" => Operator::GreaterEqual,
        "&" => Operator::Concat,
        "and" => Operator::And,
        "or" => Operator::Or,
        "in" => Operator::In,
        _ => return None,
    })
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    next: Lexeme,
    depth: u16,
    /// Where the last token taken ends, in bytes.
    end: usize,
}

type Parsed = Result<Box<Node>, Problem>;

impl Parser<'_> {
    /// Takes the next token. `operand`: what follows may be an operand.
    fn take(&mut self, operand: bool) -> Result<Lexeme, Problem> {
        let following = match self.next.token {
            Token::End => self.next.clone(),
            _ => self.lexer.next(operand)?,
        };
        let taken = std::mem::replace(&mut self.next, following);
        self.end = taken.span.end as usize;
        Ok(taken)
    }

    fn at(&self, operator: &str) -> bool {
        matches!(self.next.token, Token::Operator(o) if o == operator)
    }

    /// Takes exactly this operator.
    fn expect(&mut self, operator: &str, operand: bool) -> Result<Lexeme, Problem> {
        if self.at(operator) {
            return self.take(operand);
        }
        let token = self.next_text();
        Err(match self.next.token {
            Token::End => {
                problem("S0203", self.next.span, format!("expected `{operator}` before the end of the expression"))
            }
            _ => problem("S0202", self.next.span, format!("expected `{operator}`, got `{token}`")),
        }
        .token(token))
    }

    /// The next token as the standard names it in errors.
    fn next_text(&self) -> String {
        text_of(&self.next.token)
    }

    /// A node from `start` to the last token taken.
    fn node(&self, kind: Kind, token: &Lexeme, start: usize, children: &[&Node]) -> Parsed {
        let height = children.iter().map(|n| n.height).max().map_or(0, |h| h + 1);
        self.node_of(kind, token, start, height)
    }

    fn node_of(&self, kind: Kind, token: &Lexeme, start: usize, height: u16) -> Parsed {
        let span = Span::new(start, self.end);
        if height > DEPTH_MAX {
            return Err(too_deep(span));
        }
        Ok(Box::new(Node { kind, span, position: token.position, token: token.span, keep_array: false, height }))
    }

    fn expression(&mut self, right: u8) -> Parsed {
        if self.depth >= DEPTH_MAX {
            return Err(too_deep(self.next.span));
        }
        self.depth += 1;
        let token = self.take_operand()?;
        let mut left = self.prefix(token)?;
        while right < binding(&self.next.token) {
            let operator = self.take(true)?;
            left = self.infix(left, &operator)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    /// Takes the first token of an operand. What follows a leaf is an operator, what follows an
    /// opening bracket or sign is an operand; the standard's scanner looks for an operator after
    /// either, so that a regular expression never directly follows a bracket's `(` there. Here it may.
    fn take_operand(&mut self) -> Result<Lexeme, Problem> {
        let opens = matches!(self.next.token, Token::Operator("(" | "[" | "{" | "-" | "|"));
        self.take(opens)
    }

    fn prefix(&mut self, token: Lexeme) -> Parsed {
        let start = token.span.start as usize;
        let leaf = |kind| self.node(kind, &token, start, &[]);
        match &token.token {
            Token::Name(name) => leaf(Kind::Name(name.clone())),
            Token::Variable(name) => leaf(Kind::Variable(name.clone())),
            Token::Text(text) => leaf(Kind::Text(text.clone())),
            Token::Number(value, lexeme) => leaf(Kind::Number(*value, lexeme.clone())),
            Token::Boolean(value) => leaf(Kind::Boolean(*value)),
            Token::Null => leaf(Kind::Null),
            Token::Regex(pattern, flags) => leaf(Kind::Regex(pattern.clone(), flags.clone())),
            Token::End => leaf(Kind::End),
            Token::Operator(word @ ("and" | "or" | "in")) => leaf(Kind::Name((*word).to_owned())),
            Token::Operator("*") => leaf(Kind::Wildcard),
            Token::Operator("**") => leaf(Kind::Descendant),
            Token::Operator("%") => leaf(Kind::Parent),
            Token::Operator("-") => {
                let operand = self.expression(70)?;
                let height = operand.height + 1;
                self.node_of(Kind::Negate(operand), &token, start, height)
            }
            Token::Operator("(") => self.block(&token),
            Token::Operator("[") => self.array(&token),
            Token::Operator("{") => {
                let (pairs, height) = self.pairs()?;
                self.node_of(Kind::Object(pairs), &token, start, height)
            }
            Token::Operator("|") => self.transform(&token),
            Token::Operator(operator) => {
                Err(problem("S0211", token.span, format!("`{operator}` cannot stand before an operand"))
                    .token(*operator))
            }
        }
    }

    fn infix(&mut self, left: Box<Node>, token: &Lexeme) -> Parsed {
        let start = left.span.start as usize;
        let Token::Operator(operator) = token.token else {
            return Ok(left);
        };
        if let Some(op) = binary(operator) {
            let right = self.expression(binding(&token.token))?;
            let height = left.height.max(right.height) + 1;
            return self.node_of(Kind::Binary(op, left, right), token, start, height);
        }
        let pair = |right: u8, make: fn(Box<Node>, Box<Node>) -> Kind, this: &mut Self, left: Box<Node>| {
            let right = this.expression(right)?;
            let height = left.height.max(right.height) + 1;
            this.node_of(make(left, right), token, start, height)
        };
        match operator {
            "." => pair(75, Kind::Dot, self, left),
            "~>" => pair(40, Kind::Chain, self, left),
            "?:" => pair(0, Kind::Default, self, left),
            "??" => pair(0, Kind::Coalesce, self, left),
            ":=" => {
                if !matches!(left.kind, Kind::Variable(_)) {
                    return Err(problem("S0212", left.span, "the left side of `:=` must be a variable")
                        .help("variables start with `$`")
                        .token(token_text(&left)));
                }
                pair(9, Kind::Bind, self, left)
            }
            "@" | "#" => self.bind_step(left, token, operator),
            "?" => self.condition(left, token),
            "[" => self.filter(left, token),
            "^" => self.sort(left, token),
            "{" => {
                let (pairs, height) = self.pairs()?;
                let height = height.max(left.height + 1);
                self.node_of(Kind::Group(left, pairs), token, start, height)
            }
            _ => self.call(left, token),
        }
    }

    fn bind_step(&mut self, left: Box<Node>, token: &Lexeme, operator: &'static str) -> Parsed {
        let start = left.span.start as usize;
        let name = self.expression(80)?;
        let Kind::Variable(variable) = name.kind else {
            return Err(problem("S0214", name.span, format!("the right side of `{operator}` must be a variable"))
                .help("variables start with `$`")
                .token(operator));
        };
        let height = left.height + 1;
        let kind = if operator == "@" { Kind::Focus(left, variable) } else { Kind::Index(left, variable) };
        self.node_of(kind, token, start, height)
    }

    fn condition(&mut self, left: Box<Node>, token: &Lexeme) -> Parsed {
        let start = left.span.start as usize;
        let then = self.expression(0)?;
        let mut height = left.height.max(then.height);
        let mut otherwise = None;
        if self.at(":") {
            self.take(true)?;
            let node = self.expression(0)?;
            height = height.max(node.height);
            otherwise = Some(node);
        }
        self.node_of(Kind::Condition(left, then, otherwise), token, start, height + 1)
    }

    fn filter(&mut self, mut left: Box<Node>, token: &Lexeme) -> Parsed {
        let start = left.span.start as usize;
        if self.at("]") {
            self.take(false)?;
            left.span = Span::new(start, self.end);
            // `a[0][]`: the array that is kept is that of the step itself.
            let mut step = &mut left;
            while let Kind::Filter(inner, _) = &mut step.kind {
                step = inner;
            }
            step.keep_array = true;
            return Ok(left);
        }
        let predicate = self.expression(0)?;
        self.expect("]", false)?;
        let height = left.height.max(predicate.height) + 1;
        self.node_of(Kind::Filter(left, predicate), token, start, height)
    }

    fn sort(&mut self, left: Box<Node>, token: &Lexeme) -> Parsed {
        let start = left.span.start as usize;
        self.expect("(", true)?;
        let mut terms = Vec::new();
        let mut height = left.height;
        loop {
            let descends = self.at(">");
            if descends || self.at("<") {
                self.take(true)?;
            }
            let term = self.expression(0)?;
            height = height.max(term.height);
            terms.push((*term, descends));
            if !self.at(",") {
                break;
            }
            self.take(true)?;
        }
        self.expect(")", false)?;
        self.node_of(Kind::Sort(left, terms), token, start, height + 1)
    }

    fn block(&mut self, token: &Lexeme) -> Parsed {
        let mut body = Vec::new();
        while !self.at(")") {
            body.push(*self.expression(0)?);
            if !self.at(";") {
                break;
            }
            self.take(true)?;
        }
        self.expect(")", false)?;
        let height = tallest(&body);
        self.node_of(Kind::Block(body), token, token.span.start as usize, height)
    }

    fn array(&mut self, token: &Lexeme) -> Parsed {
        let mut items = Vec::new();
        while !self.at("]") || !items.is_empty() {
            let mut item = self.expression(0)?;
            if self.at("..") {
                let range = self.take(true)?;
                let to = self.expression(0)?;
                let start = item.span.start as usize;
                let height = item.height.max(to.height) + 1;
                item = self.node_of(Kind::Binary(Operator::Range, item, to), &range, start, height)?;
            }
            items.push(*item);
            if !self.at(",") {
                break;
            }
            self.take(true)?;
        }
        self.expect("]", false)?;
        let height = tallest(&items);
        self.node_of(Kind::Array(items), token, token.span.start as usize, height)
    }

    /// `key: value, …}` and the height of a node that holds them.
    fn pairs(&mut self) -> Result<(Vec<(Node, Node)>, u16), Problem> {
        let mut pairs = Vec::new();
        let mut height = 0;
        while !self.at("}") || !pairs.is_empty() {
            let key = self.expression(0)?;
            self.expect(":", true)?;
            let value = self.expression(0)?;
            height = height.max(key.height.max(value.height) + 1);
            pairs.push((*key, *value));
            if !self.at(",") {
                break;
            }
            self.take(true)?;
        }
        self.expect("}", false)?;
        Ok((pairs, height))
    }

    fn transform(&mut self, token: &Lexeme) -> Parsed {
        let pattern = self.expression(0)?;
        self.expect("|", true)?;
        let update = self.expression(0)?;
        let mut height = pattern.height.max(update.height);
        let mut delete = None;
        if self.at(",") {
            self.take(true)?;
            let node = self.expression(0)?;
            height = height.max(node.height);
            delete = Some(node);
        }
        self.expect("|", false)?;
        let kind = Kind::Transform(pattern, update, delete);
        self.node_of(kind, token, token.span.start as usize, height + 1)
    }
}

fn tallest(nodes: &[Node]) -> u16 {
    nodes.iter().map(|n| n.height + 1).max().unwrap_or(0)
}

fn too_deep(span: Span) -> Problem {
    problem("LG-EXPR-DEPTH", span, format!("the expression nests deeper than {DEPTH_MAX} levels"))
        .help("give inner parts a name: `($part := …; …)`")
}

fn text_of(token: &Token) -> String {
    match token {
        Token::Operator(text) => (*text).to_owned(),
        Token::Name(text) | Token::Variable(text) | Token::Text(text) => text.clone(),
        Token::Number(value, _) => super::number_text(*value),
        Token::Boolean(value) => value.to_string(),
        Token::Null => "null".to_owned(),
        Token::Regex(pattern, _) => pattern.clone(),
        Token::End => "(end)".to_owned(),
    }
}

/// The token of a node as the standard names it in errors.
fn token_text(node: &Node) -> String {
    match &node.kind {
        Kind::Name(text) | Kind::Variable(text) | Kind::Text(text) => text.clone(),
        Kind::Number(value, _) => super::number_text(*value),
        Kind::Boolean(value) => value.to_string(),
        Kind::Null => "null".to_owned(),
        Kind::Binary(operator, _, _) => operator.text().to_owned(),
        Kind::Dot(..) => ".".to_owned(),
        Kind::Filter(..) | Kind::Array(_) => "[".to_owned(),
        Kind::Object(_) | Kind::Group(..) => "{".to_owned(),
        Kind::Placeholder | Kind::Condition(..) => "?".to_owned(),
        Kind::End => "(end)".to_owned(),
        _ => "(".to_owned(),
    }
}
