//! A file's tree with its comments and blank lines.

use std::{collections::BTreeSet, iter::Peekable, vec::IntoIter};

use lockgate_model::Diagnostics;

use super::{Kind, enclosed};
use crate::{
    expression,
    yaml::{self, Node, Style, Value},
};

/// A value and what stands around it.
#[derive(Debug)]
pub(super) struct Sheet {
    /// Where it began, to know it again.
    pub(super) start: u32,
    /// What stands over it, or over its key.
    pub(super) above: Vec<Above>,
    /// The comment at the end of its line, or of its key's line.
    pub(super) beside: Option<String>,
    pub(super) form: Form,
}

/// A line between entries.
#[derive(Debug, PartialEq)]
pub(super) enum Above {
    Blank,
    /// With its `#`.
    Comment(String),
}

#[derive(Debug)]
pub(super) enum Form {
    Scalar(Scalar),
    Sequence {
        items: Vec<Sheet>,
        below: Vec<Above>,
        line: bool,
    },
    /// `line`: on one line where it fits.
    Mapping {
        entries: Vec<(Key, Sheet)>,
        below: Vec<Above>,
        line: bool,
    },
}

#[derive(Debug)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) quoted: bool,
}

#[derive(Debug)]
pub(super) enum Scalar {
    /// No string: as it is written.
    Word(String),
    /// A string; the lines of its block, if it was one, without their indentation, and its sign.
    Text { text: String, block: Option<(char, Vec<String>)> },
    /// An expression on one line, inside `${ … }` or bare.
    Formula { text: String, enclosed: bool },
}

impl Sheet {
    /// The value of a key.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Sheet> {
        match &mut self.form {
            Form::Mapping { entries, .. } => entries.iter_mut().find(|(k, _)| k.text == key).map(|(_, sheet)| sheet),
            _ => None,
        }
    }

    /// Where its expressions began.
    pub(super) fn expressions(&self) -> BTreeSet<u32> {
        let mut found = BTreeSet::new();
        self.gather(&mut found);
        found
    }

    fn gather(&self, found: &mut BTreeSet<u32>) {
        match &self.form {
            Form::Scalar(Scalar::Formula { .. }) => {
                found.insert(self.start);
            }
            Form::Scalar(_) => {}
            Form::Sequence { items, .. } => items.iter().for_each(|item| item.gather(found)),
            Form::Mapping { entries, .. } => entries.iter().for_each(|(_, sheet)| sheet.gather(found)),
        }
    }
}

/// The texts of all comments of a file, sorted.
pub(super) fn comments(text: &str, root: &Node) -> Vec<String> {
    let mut all: Vec<String> = found(text, root).into_iter().map(|comment| comment.text).collect();
    all.sort();
    all
}

/// Reads a tree with what stands around its values.
pub(super) fn read(text: &str, root: &Node, kind: &Kind<'_>) -> Result<Sheet, Diagnostics> {
    let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let mut reader = Reader { text, lines, kind, comments: found(text, root).into_iter().peekable() };
    let above = reader.above(root.span.start as usize);
    let mut sheet = reader.value(root, text.len(), None)?;
    sheet.above = above;
    let rest: Vec<Above> = reader.rest();
    match &mut sheet.form {
        Form::Sequence { below, .. } | Form::Mapping { below, .. } => below.extend(rest),
        Form::Scalar(_) => sheet.above.extend(rest),
    }
    Ok(sheet)
}

/// A comment.
struct Comment {
    start: usize,
    text: String,
}

/// The comments of a file: what begins with `#` between its words.
fn found(text: &str, root: &Node) -> Vec<Comment> {
    let mut words = Vec::new();
    leaves(root, &mut words);
    words.push((text.len(), text.len()));
    let mut all = Vec::new();
    let mut at = 0;
    for (start, end) in words {
        while let Some(comment) = next_comment(text, at, start) {
            at = comment.start + comment.text.len();
            all.push(comment);
        }
        at = at.max(end);
    }
    all
}

fn next_comment(text: &str, from: usize, to: usize) -> Option<Comment> {
    let gap = text.get(from..to)?;
    let start = gap.match_indices('#').map(|(at, _)| from + at).find(|at| {
        let before = text.get(..*at).and_then(|before| before.chars().next_back());
        before.is_none_or(|c| c.is_whitespace() || c == '\u{feff}')
    })?;
    let line = text.get(start..)?.lines().next()?;
    Some(Comment { start, text: line.trim_end().to_owned() })
}

fn leaves(node: &Node, words: &mut Vec<(usize, usize)>) {
    match &node.value {
        Value::Scalar(_) => words.push((node.span.start as usize, end_of(node))),
        Value::Sequence(items) => items.iter().for_each(|item| leaves(item, words)),
        Value::Mapping(entries) => {
            for (key, value) in entries {
                words.push((key.span.start as usize, key.span.end as usize));
                leaves(value, words);
            }
        }
    }
}

/// Where a value ends. The span of a block without text has its header, which may have a comment.
fn end_of(node: &Node) -> usize {
    let no_text = node.scalar().is_some_and(|scalar| scalar.style == Style::Block && scalar.text.trim().is_empty());
    if no_text { node.span.start as usize } else { node.span.end as usize }
}

struct Reader<'t> {
    text: &'t str,
    /// Where lines begin.
    lines: Vec<usize>,
    kind: &'t Kind<'t>,
    comments: Peekable<IntoIter<Comment>>,
}

impl Reader<'_> {
    fn before(&mut self, limit: usize) -> Option<Comment> {
        self.comments.next_if(|comment| comment.start < limit)
    }

    /// What stands over the place where something begins.
    fn above(&mut self, start: usize) -> Vec<Above> {
        let mut above = Vec::new();
        while let Some(comment) = self.before(start) {
            self.put(comment, &mut above);
        }
        if self.has_blank_above(start) {
            above.push(Above::Blank);
        }
        above
    }

    fn put(&self, comment: Comment, above: &mut Vec<Above>) {
        if self.has_blank_above(comment.start) {
            above.push(Above::Blank);
        }
        above.push(Above::Comment(comment.text));
    }

    /// Where an item begins: a block with its sign, which stands before its text.
    fn begin(&self, node: &Node) -> usize {
        let start = node.span.start as usize;
        let is_block = node.scalar().is_some_and(|scalar| scalar.style == Style::Block);
        let before = self.text.get(..start).filter(|_| is_block && end_of(node) > start);
        let Some((head, _)) = before.and_then(|before| before.rsplit_once('\n')) else { return start };
        let head = head.trim_end();
        let line = head.rsplit('\n').next().unwrap_or_default();
        head.len() - line.trim_start().len()
    }

    fn rest(&mut self) -> Vec<Above> {
        let mut rest = Vec::new();
        while let Some(comment) = self.comments.next() {
            self.put(comment, &mut rest);
        }
        rest
    }

    /// Where the line begins that a place is on.
    fn line(&self, at: usize) -> usize {
        let after = self.lines.partition_point(|start| *start <= at);
        after.checked_sub(1).and_then(|line| self.lines.get(line)).copied().unwrap_or_default()
    }

    /// Whether what begins here is the first on its line, and the line over it is blank.
    fn has_blank_above(&self, start: usize) -> bool {
        let line = self.line(start);
        let first = self.text.get(line..start).is_some_and(|t| t.chars().all(|c| c.is_whitespace() || c == '-'));
        let Some(over) = line.checked_sub(1).filter(|_| first) else { return false };
        let blank = self.text.get(self.line(over)..over).is_some_and(|t| t.trim().is_empty());
        blank && self.text.get(..over).is_some_and(|before| !before.trim_start().is_empty())
    }

    /// Bytes before it on its line; what indents is blanks.
    fn column(&self, at: usize) -> usize {
        at - self.line(at)
    }

    fn is_own_line(&self, at: usize) -> bool {
        self.text.get(self.line(at)..at).is_some_and(|before| before.trim_start().is_empty())
    }

    /// The comment that follows on the line where something ends.
    fn beside(&mut self, end: usize, limit: usize) -> Option<String> {
        let text = self.text;
        let follows = |comment: &Comment| {
            comment.start < limit && text.get(end..comment.start).is_some_and(|between| !between.contains('\n'))
        };
        self.comments.next_if(follows).map(|comment| comment.text)
    }

    /// A value; comments of what is inside lie before `limit`. `column` is that of the object around it.
    fn value(&mut self, node: &Node, limit: usize, column: Option<usize>) -> Result<Sheet, Diagnostics> {
        let (start, end) = (node.span.start as usize, end_of(node));
        let braces = self.text.get(start..).is_some_and(|rest| rest.starts_with(['{', '[']));
        let inside = if braces { end } else { limit };
        let own = self.column(start);
        // A list may stand in the column of its key.
        let own = if column == Some(own) { own + 1 } else { own };
        let form = match &node.value {
            Value::Scalar(scalar) => Form::Scalar(self.scalar(node, scalar)?),
            Value::Sequence(list) => {
                let mut items = Vec::new();
                for (i, item) in list.iter().enumerate() {
                    let begin = self.begin(item);
                    let above = self.above(begin);
                    let header = self.beside(begin, item.span.start as usize);
                    let next = list.get(i + 1).map_or(inside, |next| next.span.start as usize);
                    let mut sheet = self.value(item, next, None)?;
                    sheet.beside = header.or(sheet.beside);
                    items.push(Sheet { above, ..sheet });
                }
                Form::Sequence { items, below: self.below(inside, own, braces), line: braces }
            }
            Value::Mapping(list) => {
                let mut entries = Vec::new();
                for (i, (key, value)) in list.iter().enumerate() {
                    let mut above = self.above(key.span.start as usize);
                    let begins = value.span.start as usize;
                    let beside = self.beside(key.span.end as usize, begins);
                    if matches!(value.value, Value::Scalar(_)) {
                        while let Some(comment) = self.before(begins) {
                            self.put(comment, &mut above);
                        }
                    }
                    let next = list.get(i + 1).map_or(inside, |(next, _)| next.span.start as usize);
                    let mut sheet = self.value(value, next, Some(own))?;
                    if let Some(first) = beside
                        && let Some(second) = sheet.beside.replace(first)
                    {
                        above.push(Above::Comment(second));
                    }
                    let quoted = self.text.get(key.span.start as usize..).is_some_and(|t| t.starts_with(['"', '\'']));
                    entries.push((Key { text: key.text.clone(), quoted }, Sheet { above, ..sheet }));
                }
                Form::Mapping { entries, below: self.below(inside, own, braces), line: braces }
            }
        };
        let ends = braces || matches!(form, Form::Scalar(_));
        let beside = if ends { self.beside(end, limit) } else { None };
        Ok(Sheet { start: node.span.start, above: Vec::new(), beside, form })
    }

    /// The comments behind the last entry that are as deep as the entries.
    fn below(&mut self, limit: usize, column: usize, braces: bool) -> Vec<Above> {
        let mut below = Vec::new();
        while let Some(comment) = self.comments.peek() {
            let start = comment.start;
            if start >= limit || !braces && (!self.is_own_line(start) || self.column(start) < column) {
                break;
            }
            if let Some(comment) = self.comments.next() {
                self.put(comment, &mut below);
            }
        }
        below
    }

    fn scalar(&self, node: &Node, scalar: &yaml::Scalar) -> Result<Scalar, Diagnostics> {
        let word = match scalar.kind {
            yaml::Kind::Null => Some("null".to_owned()),
            yaml::Kind::Boolean(value) => Some(value.to_string()),
            yaml::Kind::Number => Some(scalar.text.clone()),
            yaml::Kind::Text => None,
        };
        if let Some(word) = word {
            return Ok(Scalar::Word(word));
        }
        if self.kind.expressions.contains(&node.span.start) {
            let inner = enclosed(&scalar.text);
            let text = expression::format(inner.unwrap_or(&scalar.text), None)?;
            // One that has comments may go over lines; it is written as it is.
            if !text.contains(['\n', '\r']) && !text.is_empty() {
                return Ok(Scalar::Formula { text, enclosed: inner.is_some() });
            }
        }
        let has_lines = scalar.style == Style::Block && !scalar.text.trim().is_empty();
        let block = if has_lines { self.block(node) } else { None };
        Ok(Scalar::Text { text: scalar.text.clone(), block })
    }

    /// The lines of a block and the sign it begins with.
    fn block(&self, node: &Node) -> Option<(char, Vec<String>)> {
        let start = node.span.start as usize;
        let before = self.text.get(..start)?;
        let line = before.rfind('\n').map_or(0, |newline| newline + 1);
        let head = before.get(..line)?.trim_end().rsplit('\n').next()?;
        let head = head.split(" #").next()?;
        let sign = head.chars().rev().find(|c| matches!(c, '|' | '>'))?;
        let whole = |line: &'_ str| line.trim().is_empty();
        let lines: Vec<&str> = self.text.get(line..node.span.end as usize)?.lines().collect();
        let lines: Vec<&str> = lines.into_iter().map(|line| if whole(line) { "" } else { line }).collect();
        let blanks = |line: &&str| line.len() - line.trim_start().len();
        let indent = lines.iter().filter(|line| !line.is_empty()).map(blanks).min()?;
        Some((sign, lines.iter().map(|line| line.get(indent..).unwrap_or_default().to_owned()).collect()))
    }
}
