//! YAML 1.2 and JSON texts as a tree in which every node knows its place.
//!
//! Project files, flows and mapping files are read through this one door, so that whatever is wrong
//! in them can be shown with line, column and caret. A tree holds what JSON can hold: objects with
//! text keys, arrays, strings, numbers as they were written, booleans and null.
//!
//! Deliberately absent: anchors, aliases, merge keys, tags other than `!!str`, several documents in
//! one file, and numbers that JSON has no spelling for. They are refused with their place. A file
//! that means the same to every reader is worth more than a short one, and without aliases no file
//! is larger than it looks. Input documents of runs never come here: crate `document` parses those.

mod origin;
mod read;
#[cfg(test)]
mod tests;

use lockgate_model::Span;

pub use origin::Origin;
pub(crate) use read::is_text;
pub use read::{BYTES_MAX, DEPTH_MAX, parse, read, read_within};

/// A value and its place in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Bytes of the value in the file, without a block scalar's header and trailing breaks.
    pub span: Span,
    /// What stands there.
    pub value: Value,
}

/// The shapes of a node.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// null, a boolean, a number or a string.
    Scalar(Scalar),
    /// An array.
    Sequence(Vec<Node>),
    /// An object; keys are unique and in the order of the file.
    Mapping(Vec<(Key, Node)>),
}

/// A key of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its place.
    pub span: Span,
    /// Its text; `1:` and `"1":` are the same key.
    pub text: String,
}

/// A single value as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The text after unescaping and folding; for a number its lexeme.
    pub text: String,
    /// What it stands for by the YAML 1.2 core schema.
    pub kind: Kind,
    /// How it was written.
    pub style: Style,
}

/// What a scalar stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A JSON number; its lexeme is the scalar's text.
    Number,
    /// A string.
    Text,
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `|` or `>`
    Block,
}

impl Node {
    /// The string, when it is one.
    pub fn as_text(&self) -> Option<&str> {
        self.scalar().filter(|scalar| scalar.kind == Kind::Text).map(|scalar| scalar.text.as_str())
    }

    /// The boolean, when it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.scalar()?.kind {
            Kind::Boolean(value) => Some(value),
            _ => None,
        }
    }

    /// The lexeme, when it is a number.
    pub fn as_lexeme(&self) -> Option<&str> {
        self.scalar().filter(|scalar| scalar.kind == Kind::Number).map(|scalar| scalar.text.as_str())
    }

    /// The scalar, when it is one.
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The items, when it is an array.
    pub fn items(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, when it is an object.
    pub fn entries(&self) -> Option<&[(Key, Node)]> {
        match &self.value {
            Value::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value of a key, when it is an object that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries()?.iter().find(|(k, _)| k.text == key).map(|(_, value)| value)
    }

    /// How many values and keys it has, itself among them.
    pub fn count(&self) -> usize {
        1 + match &self.value {
            Value::Scalar(_) => 0,
            Value::Sequence(items) => items.iter().map(Node::count).sum::<usize>(),
            Value::Mapping(entries) => entries.iter().map(|(_, value)| 1 + value.count()).sum::<usize>(),
        }
    }

    /// null or nothing.
    pub fn is_null(&self) -> bool {
        self.scalar().is_some_and(|scalar| scalar.kind == Kind::Null)
    }

    /// What it is, for messages: `a number`, `an object` …
    pub fn noun(&self) -> &'static str {
        match &self.value {
            Value::Sequence(_) => "an array",
            Value::Mapping(_) => "an object",
            Value::Scalar(scalar) => match scalar.kind {
                Kind::Null => "null",
                Kind::Boolean(_) => "a boolean",
                Kind::Number => "a number",
                Kind::Text => "a string",
            },
        }
    }

    /// The value as compact JSON, keys in the order of the file, numbers as written.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.write_json(&mut out);
        out
    }

    fn write_json(&self, out: &mut String) {
        match &self.value {
            Value::Scalar(scalar) => match scalar.kind {
                Kind::Null => out.push_str("null"),
                Kind::Boolean(value) => out.push_str(if value { "true" } else { "false" }),
                Kind::Number => out.push_str(&scalar.text),
                Kind::Text => write_json_text(&scalar.text, out),
            },
            Value::Sequence(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    item.write_json(out);
                }
                out.push(']');
            }
            Value::Mapping(entries) => {
                out.push('{');
                for (i, (key, value)) in entries.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    write_json_text(&key.text, out);
                    out.push(':');
                    value.write_json(out);
                }
                out.push('}');
            }
        }
    }

    /// Where the characters of this scalar's text stand in `source`, the text it was parsed from.
    pub fn origin(&self, source: &str) -> Origin {
        match self.scalar() {
            Some(scalar) => Origin::of(scalar, self.span, source),
            None => Origin::at(self.span.start as usize),
        }
    }
}

/// A string as JSON, with quotes (RFC 8259 §7).
pub fn write_json_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}
