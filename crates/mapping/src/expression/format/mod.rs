//! Expressions in their canonical form: the same tree, written in one way.
//!
//! Parentheses are part of the tree (a block), so they stay as they are, and none is ever needed that
//! was not written. Names, numbers, signatures and regular expressions are written as they were. A
//! text stands in double quotes, unless that would need an escape that single quotes do not.
//!
//! Deliberately absent: comments. An expression that has some is left as it is written.

mod layout;
mod same;

use lockgate_model::diagnostic::{Diagnostic, Diagnostics, Span};

use super::{
    Expression,
    ast::{Kind, Node, Operator},
    parser,
};
use layout::Doc;

/// An expression in lines of `width` characters where it can be broken; without one, on one line. One
/// that has comments, or line breaks inside a text or name, comes back as it was, without the blanks
/// around it.
///
/// Errors: those of [`Expression::parse`], and `LG-FMT` should what was written not read back as the
/// same tree.
pub fn format(text: &str, width: Option<usize>) -> Result<String, Diagnostics> {
    Expression::parse(text)?;
    let (node, comments) = parser::parse_noting(text).map_err(|problem| Diagnostics(vec![*problem.0]))?;
    let printer = Printer { text };
    if comments || printer.breaks_inside(&node) {
        return Ok(text.trim_matches(BLANKS).to_owned());
    }
    let formatted = printer.doc(&node).print(width.unwrap_or(usize::MAX));
    let faithful = parser::parse(&formatted).is_ok_and(|read| same::same((&node, text), (&read, &formatted)));
    if !faithful {
        let message = "the canonical form of this expression would not be the same expression";
        let problem = Diagnostic::new("LG-FMT", Span::new(0, text.len()), message);
        return Err(Diagnostics(vec![problem.help("leave it as it is; this is a defect of the formatter")]));
    }
    Ok(formatted)
}

/// Whether two texts are the same expression: their trees are equal, whatever lies between the words.
pub fn is_same(one: &str, other: &str) -> bool {
    match (parser::parse(one), parser::parse(other)) {
        (Ok(a), Ok(b)) => same::same((&a, one), (&b, other)),
        _ => false,
    }
}

/// What may stand between words.
const BLANKS: [char; 5] = [' ', '\t', '\n', '\r', '\u{b}'];

struct Printer<'t> {
    text: &'t str,
}

impl Printer<'_> {
    fn written(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// A word that goes over a line's end cannot be laid out anew.
    fn breaks_inside(&self, node: &Node) -> bool {
        let own = match &node.kind {
            Kind::Name(_) | Kind::Text(_) | Kind::Regex(..) => self.written(node.token).contains(['\n', '\r']),
            Kind::Lambda(_, Some(_), _) => self.signature(node).is_none(),
            _ => false,
        };
        own || same::children(node).into_iter().any(|child| self.breaks_inside(child))
    }

    fn doc(&self, node: &Node) -> Doc {
        let doc = self.kind(node);
        if node.keep_array { Doc::Join(vec![doc, Doc::text("[]")]) } else { doc }
    }

    fn kind(&self, node: &Node) -> Doc {
        match &node.kind {
            Kind::Text(_) => Doc::Text(quoted(self.written(node.token))),
            Kind::Name(_)
            | Kind::Variable(_)
            | Kind::Number(..)
            | Kind::Boolean(_)
            | Kind::Null
            | Kind::Regex(..)
            | Kind::Wildcard
            | Kind::Descendant
            | Kind::Parent
            | Kind::Placeholder
            | Kind::End => Doc::text(self.written(node.token)),
            Kind::Dot(left, right) => Doc::Join(vec![self.doc(left), Doc::text("."), self.doc(right)]),
            Kind::Binary(Operator::Range, from, to) => self.range(from, to),
            Kind::Binary(operator, ..) => self.chain(node, level(*operator)),
            Kind::Chain(..) => self.chain(node, level(Operator::Equal)),
            Kind::Negate(inner) => Doc::Join(vec![Doc::text("-"), self.doc(inner)]),
            Kind::Array(items) => self.bracketed("[", items, ",", "]"),
            Kind::Block(body) => self.bracketed("(", body, ";", ")"),
            Kind::Object(pairs) => self.pairs(pairs),
            Kind::Group(left, pairs) => Doc::Join(vec![self.doc(left), self.pairs(pairs)]),
            Kind::Filter(left, predicate) => {
                let inside = Doc::group(vec![
                    Doc::text("["),
                    Doc::nest(vec![Doc::Soft, self.doc(predicate)]),
                    Doc::Soft,
                    Doc::text("]"),
                ]);
                Doc::Join(vec![self.doc(left), inside])
            }
            Kind::Sort(left, terms) => {
                let term = |(term, descends): &(Node, bool)| {
                    Doc::Join(vec![Doc::text(if *descends { ">" } else { "" }), self.doc(term)])
                };
                let terms = separated(terms.iter().map(term).collect(), ",");
                Doc::Join(vec![self.doc(left), Doc::text("^"), around("(", terms, ")")])
            }
            Kind::Bind(name, value) => Doc::Join(vec![self.doc(name), Doc::text(" := "), self.doc(value)]),
            Kind::Focus(left, name) => Doc::Join(vec![self.doc(left), Doc::Text(format!("@${name}"))]),
            Kind::Index(left, name) => Doc::Join(vec![self.doc(left), Doc::Text(format!("#${name}"))]),
            Kind::Condition(..) => self.condition(node),
            Kind::Default(left, right) => self.either(left, "?:", right),
            Kind::Coalesce(left, right) => self.either(left, "??", right),
            Kind::Call(procedure, arguments) | Kind::Partial(procedure, arguments) => {
                Doc::Join(vec![self.doc(procedure), self.arguments(arguments)])
            }
            Kind::Lambda(params, _, body) => self.lambda(node, params, body),
            Kind::Transform(pattern, update, delete) => {
                let mut parts = vec![Doc::text("|"), self.doc(pattern), Doc::text("|"), self.doc(update)];
                if let Some(delete) = delete {
                    parts.extend([Doc::text(", "), self.doc(delete)]);
                }
                parts.push(Doc::text("|"));
                Doc::Join(parts)
            }
        }
    }

    fn range(&self, from: &Node, to: &Node) -> Doc {
        let short = |node: &Node| matches!(node.kind, Kind::Number(..) | Kind::Variable(_) | Kind::Name(_));
        let between = if short(from) && short(to) { ".." } else { " .. " };
        Doc::Join(vec![self.doc(from), Doc::text(between), self.doc(to)])
    }

    /// Operators of one level, one below the other where they are too long for a line.
    fn chain(&self, node: &Node, level: u8) -> Doc {
        let mut rest = Vec::new();
        let mut first = node;
        loop {
            let (text, left, right) = match &first.kind {
                Kind::Binary(operator, left, right) if level_of(first) == Some(level) => (operator.text(), left, right),
                Kind::Chain(left, right) if level_of(first) == Some(level) => ("~>", left, right),
                _ => break,
            };
            rest.push((text, right.as_ref()));
            first = left;
        }
        let mut parts = vec![self.doc(first)];
        let mut below = Vec::new();
        for (text, operand) in rest.into_iter().rev() {
            below.extend([Doc::Line, Doc::Text(format!("{text} ")), self.doc(operand)]);
        }
        parts.push(Doc::nest(below));
        Doc::group(parts)
    }

    fn either(&self, left: &Node, operator: &str, right: &Node) -> Doc {
        let below = Doc::nest(vec![Doc::Line, Doc::Text(format!("{operator} ")), self.doc(right)]);
        Doc::group(vec![self.doc(left), below])
    }

    /// `a ? b : c ? d : e`, each choice on a line of its own where they do not fit on one.
    fn condition(&self, node: &Node) -> Doc {
        let mut parts = Vec::new();
        let mut next = Some(node);
        while let Some(node) = next.take() {
            let Kind::Condition(when, then, otherwise) = &node.kind else {
                parts.push(self.doc(node));
                break;
            };
            let choice = Doc::nest(vec![Doc::Line, Doc::text("? "), self.doc(then)]);
            parts.push(Doc::group(vec![self.doc(when), choice]));
            if let Some(otherwise) = otherwise {
                parts.extend([Doc::Line, Doc::text(": ")]);
                next = Some(otherwise);
            }
        }
        Doc::group(parts)
    }

    fn lambda(&self, node: &Node, params: &[String], body: &Node) -> Doc {
        // `function`, `λ`, or one of them in backticks.
        let word = self.written(Span::new(node.span.start as usize, node.token.start as usize)).trim_matches(BLANKS);
        let params: Vec<String> = params.iter().map(|name| format!("${name}")).collect();
        let signature = self.signature(node).unwrap_or_default();
        let head = format!("{word}({}){signature} {{", params.join(", "));
        Doc::group(vec![Doc::Text(head), Doc::nest(vec![Doc::Line, self.doc(body)]), Doc::Line, Doc::text("}")])
    }

    /// The signature of a function as it was written, with its brackets; empty where there is none. Not
    /// when there are blanks in it.
    fn signature(&self, node: &Node) -> Option<&str> {
        let Kind::Lambda(_, signature, body) = &node.kind else { return None };
        if signature.is_none() {
            return Some("");
        }
        let head = self.written(Span::new(node.token.start as usize, body.span.start as usize));
        let between = head.rsplit_once('{')?.0.split_once(')')?.1.trim_matches(BLANKS);
        // Blocks before the body's own span belong to it, so what follows may be more than a signature.
        let one = between.starts_with('<') && between.ends_with('>') && !between.contains(BLANKS);
        one.then_some(between)
    }

    fn arguments(&self, arguments: &[Node]) -> Doc {
        let alone = arguments.len() == 1;
        let holds = |node: &Node| match node.kind {
            Kind::Lambda(..) | Kind::Object(_) | Kind::Block(_) => true,
            Kind::Array(_) => alone,
            _ => false,
        };
        match arguments.split_last() {
            // What is written over several lines stands open in the call's own line.
            Some((last, before)) if holds(last) && !before.iter().any(holds) => {
                let mut parts = vec![Doc::text("(")];
                for argument in before {
                    parts.extend([self.doc(argument), Doc::text(", ")]);
                }
                parts.extend([self.doc(last), Doc::text(")")]);
                Doc::Join(parts)
            }
            _ => self.bracketed("(", arguments, ",", ")"),
        }
    }

    fn bracketed(&self, open: &str, items: &[Node], separator: &str, close: &str) -> Doc {
        around(open, separated(items.iter().map(|item| self.doc(item)).collect(), separator), close)
    }

    fn pairs(&self, pairs: &[(Node, Node)]) -> Doc {
        if pairs.is_empty() {
            return Doc::text("{}");
        }
        let pair = |(key, value): &(Node, Node)| Doc::Join(vec![self.doc(key), Doc::text(": "), self.doc(value)]);
        let mut inside = vec![Doc::Line];
        inside.extend(separated(pairs.iter().map(pair).collect(), ","));
        Doc::group(vec![Doc::text("{"), Doc::nest(inside), Doc::Line, Doc::text("}")])
    }
}

fn around(open: &str, mut inside: Vec<Doc>, close: &str) -> Doc {
    if inside.is_empty() {
        return Doc::Text(format!("{open}{close}"));
    }
    inside.insert(0, Doc::Soft);
    Doc::group(vec![Doc::text(open), Doc::nest(inside), Doc::Soft, Doc::text(close)])
}

fn separated(items: Vec<Doc>, separator: &str) -> Vec<Doc> {
    let mut out = Vec::new();
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.extend([Doc::text(separator), Doc::Line]);
        }
        out.push(item);
    }
    out
}

fn level_of(node: &Node) -> Option<u8> {
    match &node.kind {
        Kind::Binary(operator, ..) => Some(level(*operator)),
        Kind::Chain(..) => Some(level(Operator::Equal)),
        _ => None,
    }
}

/// How strongly an operator binds: those of one level stand one below the other.
fn level(operator: Operator) -> u8 {
    match operator {
        Operator::Multiply | Operator::Divide | Operator::Remainder => 5,
        Operator::Add | Operator::Subtract | Operator::Concat => 4,
        Operator::And => 2,
        Operator::Or => 1,
        Operator::Range => 0,
        _ => 3,
    }
}

/// A text as written, in double quotes where that needs no further escape.
fn quoted(written: &str) -> String {
    match written.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(body) if !has_bare_quote(body) => format!("\"{body}\""),
        _ => written.to_owned(),
    }
}

/// A double quote that no backslash escapes.
fn has_bare_quote(body: &str) -> bool {
    let mut chars = body.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '"' => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests;
