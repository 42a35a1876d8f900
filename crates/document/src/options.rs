//! How a format is described by a value: an object whose members are known, each read once.
//!
//! Deliberately absent: where the value comes from. Who reads it from a user's file finds the line of
//! a [`LayoutProblem`] by its pointer.

use std::fmt;

use crate::node::{Kind, Node};

/// What is wrong with the description of a format, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutProblem {
    /// The member at fault: a JSON pointer (RFC 6901), empty for the whole.
    pub pointer: String,
    /// What is wrong with it, in lower case.
    pub message: String,
}

impl fmt::Display for LayoutProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "/" } else { &self.pointer };
        write!(f, "{place}: {}", self.message)
    }
}
impl std::error::Error for LayoutProblem {}

/// What ends a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineEnd {
    /// CRLF, LF or CR in what is read, CRLF in what is written.
    Any,
    Crlf,
    Lf,
    Cr,
}

impl LineEnd {
    pub(crate) const WORDS: &[(&str, LineEnd)] =
        &[("any", LineEnd::Any), ("crlf", LineEnd::Crlf), ("lf", LineEnd::Lf), ("cr", LineEnd::Cr)];

    /// What is written.
    pub(crate) fn text(self) -> &'static str {
        match self {
            LineEnd::Any | LineEnd::Crlf => "\r\n",
            LineEnd::Lf => "\n",
            LineEnd::Cr => "\r",
        }
    }
}

/// What a field without characters stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Empty {
    /// A text without characters.
    Text,
    Null,
    /// No field.
    Absent,
}

impl Empty {
    pub(crate) const WORDS: &[(&str, Empty)] =
        &[("text", Empty::Text), ("null", Empty::Null), ("absent", Empty::Absent)];
}

/// An object of options, and where it stands.
pub(crate) struct Members<'a> {
    node: Node<'a>,
    pointer: String,
}

impl<'a> Members<'a> {
    /// An object that has no members but these; undefined is an object without any.
    pub(crate) fn of(node: Node<'a>, pointer: String, known: &[&str]) -> Result<Self, LayoutProblem> {
        if !matches!(node.kind(), Kind::Object | Kind::Undefined) {
            return Err(LayoutProblem { pointer, message: "an object must stand here".to_owned() });
        }
        let members = Self { node, pointer };
        match node.entries().find(|(key, _)| !known.contains(key)) {
            Some((key, _)) => Err(members.wrong(key, format!("is not known here; known are {}", known.join(", ")))),
            None => Ok(members),
        }
    }

    /// An object of members of any name.
    pub(crate) fn any(node: Node<'a>, pointer: String) -> Self {
        Self { node, pointer }
    }

    /// A member is wrong.
    pub(crate) fn wrong(&self, key: &str, message: impl Into<String>) -> LayoutProblem {
        LayoutProblem { pointer: self.pointer(key), message: message.into() }
    }
    /// The whole is wrong.
    pub(crate) fn whole(&self, message: impl Into<String>) -> LayoutProblem {
        LayoutProblem { pointer: self.pointer.clone(), message: message.into() }
    }
    /// The pointer to a member.
    pub(crate) fn pointer(&self, key: &str) -> String {
        format!("{}/{}", self.pointer, key.replace('~', "~0").replace('/', "~1"))
    }

    /// A member as it is.
    pub(crate) fn get(&self, key: &str) -> Option<Node<'a>> {
        Some(self.node.get(key)).filter(|node| !node.is_undefined())
    }
    /// A string.
    pub(crate) fn text(&self, key: &str) -> Result<Option<&'a str>, LayoutProblem> {
        self.get(key).map(|node| node.as_str().ok_or_else(|| self.wrong(key, "must be a text"))).transpose()
    }
    /// `true` or `false`; false when it is not there.
    pub(crate) fn flag(&self, key: &str) -> Result<bool, LayoutProblem> {
        let flag = self.get(key).map(|node| node.as_bool().ok_or_else(|| self.wrong(key, "must be true or false")));
        Ok(flag.transpose()?.unwrap_or(false))
    }
    /// A whole number between these two.
    pub(crate) fn count(&self, key: &str, least: usize, most: usize) -> Result<Option<usize>, LayoutProblem> {
        let Some(node) = self.get(key) else { return Ok(None) };
        let count = node.as_i64().and_then(|number| usize::try_from(number).ok());
        match count.filter(|count| (least..=most).contains(count)) {
            Some(count) => Ok(Some(count)),
            None => Err(self.wrong(key, format!("must be a whole number from {least} to {most}"))),
        }
    }
    /// One of these words, as what stands beside it. The word `null` may be the value `null`, as
    /// YAML reads it.
    pub(crate) fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Result<Option<T>, LayoutProblem> {
        let Some(node) = self.get(key) else { return Ok(None) };
        let word = if node.kind() == Kind::Null { Some("null") } else { node.as_str() };
        match choices.iter().find(|(name, _)| Some(*name) == word) {
            Some((_, choice)) => Ok(Some(*choice)),
            None => {
                let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
                Err(self.wrong(key, format!("must be one of {}", names.join(", "))))
            }
        }
    }
    /// A list of texts.
    pub(crate) fn texts(&self, key: &str) -> Result<Option<Vec<String>>, LayoutProblem> {
        let Some(node) = self.get(key) else { return Ok(None) };
        if node.kind() != Kind::Array {
            return Err(self.wrong(key, "must be a list of texts"));
        }
        let texts = node.items().map(|item| item.as_str().map(str::to_owned));
        texts.collect::<Option<Vec<_>>>().map(Some).ok_or_else(|| self.wrong(key, "must be a list of texts"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;
    use lockgate_model::Limits;

    #[test]
    fn what_is_wrong_is_told_with_its_pointer() {
        let document = Document::parse(br#"{"a/b":{"x~y":1,"n":7,"w":"no","l":["a",1]}}"#, &Limits::default()).unwrap();
        let node = document.root().get("a/b");
        let told = |problem: LayoutProblem| problem.to_string();
        let known = ["x~y", "n", "w", "l"];
        assert_eq!(
            told(Members::of(node, "/a~1b".to_owned(), &known[1..]).err().unwrap()),
            "/a~1b/x~0y: is not known here; known are n, w, l"
        );
        let members = Members::of(node, "/a~1b".to_owned(), &known).unwrap();
        assert_eq!(told(members.text("n").unwrap_err()), "/a~1b/n: must be a text");
        assert_eq!(told(members.flag("n").unwrap_err()), "/a~1b/n: must be true or false");
        assert_eq!(told(members.count("n", 1, 6).unwrap_err()), "/a~1b/n: must be a whole number from 1 to 6");
        assert_eq!(
            told(members.choice("w", &[("yes", 1), ("null", 0)]).unwrap_err()),
            "/a~1b/w: must be one of yes, null"
        );
        assert_eq!(told(members.texts("l").unwrap_err()), "/a~1b/l: must be a list of texts");
        assert_eq!(
            told(Members::of(document.root().get("a/b").get("n"), String::new(), &[]).err().unwrap()),
            "/: an object must stand here"
        );
    }
}
