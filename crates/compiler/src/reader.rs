//! Reads positioned trees key by key and collects everything that is wrong with them.
//!
//! A reader never stops at a problem: it says what it found and goes on with the rest of the file, so
//! that an author sees all problems at once.

use std::collections::BTreeSet;

pub(crate) use lockgate_mapping::nearest;
use lockgate_mapping::yaml::{Key, Node};
use lockgate_model::{Diagnostic, Diagnostics, Span};

use crate::documents::Named;

/// One file under reading.
pub(crate) struct Reader<'t> {
    /// The file's text, for positions inside folded scalars.
    pub text: &'t str,
    /// What was found so far.
    pub problems: Diagnostics,
    /// Where the values begin that were read as expressions.
    pub expressions: BTreeSet<u32>,
    /// What expressions are written in.
    pub language: Language,
    file: &'t str,
}

/// A language of expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Language {
    /// jq, the standard's own.
    #[default]
    Jq,
    /// JSONata.
    Jsonata,
}

impl<'t> Reader<'t> {
    /// A reader for one file; `file` names it in problems.
    pub fn new(file: &'t str, text: &'t str) -> Self {
        Self {
            text,
            problems: Diagnostics::default(),
            expressions: BTreeSet::new(),
            language: Language::default(),
            file,
        }
    }

    /// A reader of the same text whose problems are told elsewhere.
    pub fn silent(&self) -> Self {
        Self { language: self.language, ..Self::new("", self.text) }
    }

    /// A place in this file where a document is named.
    pub fn named(&self, span: Span) -> Named {
        Named { file: self.file.to_owned(), span }
    }

    /// Records a problem of this file.
    pub fn refuse(&mut self, problem: Diagnostic) {
        self.problems.push(problem.file(self.file));
    }

    /// Records a problem that needs no more than a code, a place and a message.
    pub fn problem(&mut self, code: &str, span: Span, message: impl Into<String>) {
        self.refuse(Diagnostic::new(code, span, message));
    }

    /// Records a problem with what to do about it.
    pub fn problem_help(&mut self, code: &str, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.refuse(Diagnostic::new(code, span, message).help(help));
    }

    /// Drops problems of documents elsewhere, where a file is read without them.
    pub fn without_documents(&mut self) {
        self.problems.0.retain(|problem| !crate::documents::CODES.contains(&problem.code.as_str()));
    }

    /// The node's entries, or a problem: `what` must be an object.
    pub fn object<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [(Key, Node)]> {
        let entries = node.entries();
        if entries.is_none() {
            self.shape(node, what, "an object");
        }
        entries
    }

    /// The node's entries when all its keys are among `known`; unknown keys are problems, but the
    /// entries are still returned.
    pub fn object_of<'n>(&mut self, node: &'n Node, what: &str, known: &[&str]) -> Option<&'n [(Key, Node)]> {
        self.object_with(node, what, known, &[])
    }

    /// The same where some of the keys are for what is not supported yet: the caller refuses these, and
    /// nothing offers them.
    pub fn object_with<'n>(
        &mut self,
        node: &'n Node,
        what: &str,
        known: &[&str],
        not_yet: &[&str],
    ) -> Option<&'n [(Key, Node)]> {
        let entries = self.object(node, what)?;
        for (key, _) in entries {
            if !known.contains(&key.text.as_str()) && !not_yet.contains(&key.text.as_str()) {
                self.unknown_key(key, what, known);
            }
        }
        Some(entries)
    }

    /// Records an unknown key with the nearest known one.
    pub fn unknown_key(&mut self, key: &Key, what: &str, known: &[&str]) {
        let help = match nearest(&key.text, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "nothing can stand here".to_owned(),
            None => format!("known here: {}", list(known.iter().copied())),
        };
        self.refuse(
            Diagnostic::new("LG-UNKNOWN-KEY", key.span, format!("{what} has no `{}`", key.text))
                .help(help)
                .token(&key.text),
        );
    }

    /// The node's items, or a problem.
    pub fn array<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        let items = node.items();
        if items.is_none() {
            self.shape(node, what, "an array");
        }
        items
    }

    /// The node's string, or a problem.
    pub fn string<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        let text = node.as_text();
        if text.is_none() {
            match node.scalar() {
                Some(scalar) if !node.is_null() => self.problem_help(
                    "LG-WRONG-TYPE",
                    node.span,
                    format!("{what} must be a string, this is {}", node.noun()),
                    format!("quote it: '{}'", scalar.text),
                ),
                _ => self.shape(node, what, "a string"),
            }
        }
        text
    }

    /// `true` or `false`, or a problem.
    pub fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        let truth = node.as_bool();
        if truth.is_none() {
            self.shape(node, what, "`true` or `false`");
        }
        truth
    }

    /// The node's whole number from 0 up, or a problem.
    pub fn whole(&mut self, node: &Node, what: &str) -> Option<u32> {
        let number = node.as_lexeme().and_then(|lexeme| lexeme.parse().ok());
        if number.is_none() {
            self.shape(node, what, "a whole number from 0 up");
        }
        number
    }

    /// Records that `what` has the wrong shape.
    pub fn shape(&mut self, node: &Node, what: &str, wanted: &str) {
        self.problem("LG-WRONG-TYPE", node.span, format!("{what} must be {wanted}, this is {}", node.noun()));
    }

    /// The value of a key that must be there; its absence is a problem at `at`.
    pub fn required<'n>(&mut self, entries: &'n [(Key, Node)], key: &str, what: &str, at: Span) -> Option<&'n Node> {
        let found = find(entries, key);
        if found.is_none() {
            self.problem("LG-MISSING-KEY", at, format!("{what} needs `{key}`"));
        }
        found
    }
}

/// The value of a key.
pub(crate) fn find<'n>(entries: &'n [(Key, Node)], key: &str) -> Option<&'n Node> {
    entries.iter().find(|(k, _)| k.text == key).map(|(_, node)| node)
}

/// `` `a`, `b` `` for messages.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
