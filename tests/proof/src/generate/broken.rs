//! Texts that are nearly expressions: a token less, one more, two the other way round.

use crate::random::Random;

use super::Tree;

/// What is put in.
const TOKENS: [&str; 58] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ".",
    "..",
    ",",
    ";",
    ":",
    ":=",
    "?",
    "?:",
    "??",
    "+",
    "-",
    "*",
    "**",
    "/",
    "%",
    "=",
    "!=",
    "!",
    "<",
    "<=",
    ">",
    ">=",
    "&",
    "and",
    "or",
    "in",
    "~>",
    "~",
    "^",
    "^(",
    "@",
    "@$x",
    "#",
    "#$x",
    "|",
    "$",
    "$$",
    "function",
    "function($x)",
    "\u{3bb}",
    "\"",
    "'",
    "`",
    "\"\\q\"",
    "\"\\u12\"",
    "/a/",
    "/",
    "/*",
    "/* c */",
    "1",
    "01",
    "1e999",
];

/// The text of an expression with some of its tokens changed. Its tokens stay parts of the tree, so that
/// what is found can be made small.
pub(super) fn broken(whole: &Tree, random: &mut Random) -> Tree {
    let mut tokens = tokens(&whole.to_string());
    for _ in 0..1 + random.below(2) {
        let at = random.below(tokens.len().max(1)).min(tokens.len());
        let token = random.pick(&TOKENS).to_owned();
        match random.below(4) {
            0 if at < tokens.len() => drop(tokens.remove(at)),
            1 if at + 1 < tokens.len() => tokens.swap(at, at + 1),
            2 if at < tokens.len() => tokens[at] = token,
            _ => tokens.insert(at, token),
        }
    }
    Tree::Whole(Box::new(Tree::List("", tokens.into_iter().map(Tree::Leaf).collect())))
}

/// Words, texts and single signs, each with the blanks behind it.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut quote = None;
    for c in text.chars() {
        let joins = |last: &String| {
            let end = last.chars().next_back().unwrap_or(' ');
            c == ' ' || (c.is_alphanumeric() && (end.is_alphanumeric() || end == '$'))
        };
        match tokens.last_mut() {
            Some(last) if quote.is_some() || joins(last) => last.push(c),
            _ => tokens.push(c.to_string()),
        }
        if quote == Some(c) {
            quote = None;
        } else if quote.is_none() && matches!(c, '"' | '`') {
            quote = Some(c);
        }
    }
    tokens
}
