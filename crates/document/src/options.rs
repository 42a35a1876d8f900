//! How a format is described by a value: an object whose members are known, each read once.
//!
//! Deliberately absent: where the value comes from. Who reads it from a user's file finds the line of
//! a [`LayoutProblem`] by its pointer.

use std::{
    cell::{Cell, RefCell},
    fmt,
};

use crate::charset::Charset;
use crate::node::{Kind, Node};

/// Problems that are told of one description; those past it are left out.
const PROBLEMS_MAX: usize = 1_000;

/// What is wrong with the description of a format, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutProblem {
    /// The member at fault: a JSON pointer (RFC 6901), empty for the whole.
    pub pointer: String,
    /// What is wrong with it, in lower case.
    pub message: String,
    /// The members that there are, where it is none of them: its name is at fault then, not its value.
    pub known: Vec<String>,
}

impl fmt::Display for LayoutProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "/" } else { &self.pointer };
        write!(f, "{place}: {}", self.message)
    }
}
impl std::error::Error for LayoutProblem {}

/// All that is wrong with the description of a format; what would only follow from one of these is not
/// among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutProblems(pub Vec<LayoutProblem>);

impl fmt::Display for LayoutProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            write!(f, "{}{problem}", if i > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}
impl std::error::Error for LayoutProblems {}

/// A part of a description cannot be read, which is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stop;

pub(crate) type Read<T> = Result<T, Stop>;

/// What is wrong with a description, as far as it has been read.
#[derive(Debug, Default)]
pub(crate) struct Told(RefCell<Vec<LayoutProblem>>);

impl Told {
    pub(crate) fn tell(&self, problem: LayoutProblem) -> Stop {
        let mut told = self.0.borrow_mut();
        if told.len() < PROBLEMS_MAX {
            told.push(problem);
        }
        Stop
    }
    /// A member that is none of those known.
    pub(crate) fn stray(&self, pointer: String, message: String, known: &[&str]) {
        self.tell(LayoutProblem { pointer, message, known: known.iter().map(|&name| name.to_owned()).collect() });
    }
    pub(crate) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }
    /// What was read, when nothing is wrong.
    pub(crate) fn result<T>(self, read: Read<T>) -> Result<T, LayoutProblems> {
        match (read, self.0.into_inner()) {
            (Ok(read), told) if told.is_empty() => Ok(read),
            (_, told) => Err(LayoutProblems(told)),
        }
    }
}

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
    pub(crate) told: &'a Told,
    /// It has members that are not known: what is missing may be meant by them.
    has_stray: Cell<bool>,
}

impl<'a> Members<'a> {
    /// An object that has no members but these; undefined is an object without any.
    pub(crate) fn of(node: Node<'a>, pointer: String, known: &[&str], told: &'a Told) -> Read<Self> {
        let members = Self::any(node, pointer, told);
        if !matches!(node.kind(), Kind::Object | Kind::Undefined) {
            return Err(members.whole("an object must stand here"));
        }
        for (key, _) in node.entries().filter(|(key, _)| !known.contains(key)) {
            told.stray(members.pointer(key), format!("is not known here; known are {}", known.join(", ")), known);
            members.has_stray.set(true);
        }
        Ok(members)
    }

    /// An object of members of any name.
    pub(crate) fn any(node: Node<'a>, pointer: String, told: &'a Told) -> Self {
        Self { node, pointer, told, has_stray: Cell::new(false) }
    }

    /// A member is wrong.
    pub(crate) fn wrong(&self, key: &str, message: impl Into<String>) -> Stop {
        if self.has_stray.get() && self.get(key).is_none() {
            return Stop;
        }
        self.told.tell(LayoutProblem { pointer: self.pointer(key), message: message.into(), known: Vec::new() })
    }
    /// The whole is wrong.
    pub(crate) fn whole(&self, message: impl Into<String>) -> Stop {
        if self.has_stray.get() {
            return Stop;
        }
        self.told.tell(LayoutProblem { pointer: self.pointer.clone(), message: message.into(), known: Vec::new() })
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
    pub(crate) fn text(&self, key: &str) -> Read<Option<&'a str>> {
        self.get(key).map(|node| node.as_str().ok_or_else(|| self.wrong(key, "must be a text"))).transpose()
    }
    /// `true` or `false`; false when it is not there.
    pub(crate) fn flag(&self, key: &str) -> Read<bool> {
        let flag = self.get(key).map(|node| node.as_bool().ok_or_else(|| self.wrong(key, "must be true or false")));
        Ok(flag.transpose()?.unwrap_or(false))
    }
    /// A whole number between these two.
    pub(crate) fn count(&self, key: &str, least: usize, most: usize) -> Read<Option<usize>> {
        let Some(node) = self.get(key) else { return Ok(None) };
        let count = node.as_i64().and_then(|number| usize::try_from(number).ok());
        match count.filter(|count| (least..=most).contains(count)) {
            Some(count) => Ok(Some(count)),
            None => Err(self.wrong(key, format!("must be a whole number from {least} to {most}"))),
        }
    }
    /// One of these words, as what stands beside it. The word `null` may be the value `null`, as
    /// YAML reads it.
    pub(crate) fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Read<Option<T>> {
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
    /// The character set that the member `charset` names.
    pub(crate) fn charset(&self) -> Read<Option<Charset>> {
        let Some(name) = self.text("charset")? else { return Ok(None) };
        match Charset::named(name) {
            Some(charset) => Ok(Some(charset)),
            None => Err(self.wrong("charset", "there is no character set of this name")),
        }
    }
    /// A list of texts.
    pub(crate) fn texts(&self, key: &str) -> Read<Option<Vec<String>>> {
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

    fn told(act: impl FnOnce(&Told)) -> Vec<String> {
        let told = Told::default();
        act(&told);
        told.0.into_inner().iter().map(LayoutProblem::to_string).collect()
    }

    #[test]
    fn what_is_wrong_is_told_with_its_pointer() {
        let text = br#"{"a/b":{"x~y":1,"n":7,"w":"no","l":["a",1],"z":0}}"#;
        let document = Document::parse(text, &Limits::default()).unwrap();
        let node = document.root().get("a/b");
        let known = ["n", "w", "l"];
        let wrong = |act: &dyn Fn(&Members<'_>) -> bool| {
            told(|told| assert!(!act(&Members::any(node, "/a~1b".to_owned(), told))))
        };
        assert_eq!(
            told(|told| drop(Members::of(node, "/a~1b".to_owned(), &known, told))),
            ["/a~1b/x~0y: is not known here; known are n, w, l", "/a~1b/z: is not known here; known are n, w, l"]
        );
        assert_eq!(wrong(&|members| members.text("n").is_ok()), ["/a~1b/n: must be a text"]);
        assert_eq!(wrong(&|members| members.flag("n").is_ok()), ["/a~1b/n: must be true or false"]);
        assert_eq!(wrong(&|members| members.count("n", 1, 6).is_ok()), ["/a~1b/n: must be a whole number from 1 to 6"]);
        assert_eq!(
            wrong(&|members| members.choice("w", &[("yes", 1), ("null", 0)]).is_ok()),
            ["/a~1b/w: must be one of yes, null"]
        );
        assert_eq!(wrong(&|members| members.texts("l").is_ok()), ["/a~1b/l: must be a list of texts"]);
        assert_eq!(
            told(|told| drop(Members::of(node.get("n"), String::new(), &[], told))),
            ["/: an object must stand here"]
        );
    }

    #[test]
    fn what_a_stray_member_may_be_meant_for_is_not_missing() {
        let document = Document::parse(br#"{"widht":1,"n":7}"#, &Limits::default()).unwrap();
        let found = told(|told| {
            let members = Members::of(document.root(), String::new(), &["width", "n"], told).ok().unwrap();
            members.wrong("width", "is missing");
            members.whole("has no width");
            members.wrong("n", "is not even");
        });
        assert_eq!(found, ["/widht: is not known here; known are width, n", "/n: is not even"]);
        let many: String = (0..2 * PROBLEMS_MAX).map(|i| format!("\"k{i}\":0,")).collect();
        let document = Document::parse(format!("{{{many}\"k\":0}}").as_bytes(), &Limits::default()).unwrap();
        let found = told(|told| drop(Members::of(document.root(), String::new(), &[], told)));
        assert_eq!(found.len(), PROBLEMS_MAX);
    }
}
