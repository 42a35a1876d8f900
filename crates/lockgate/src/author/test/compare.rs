//! Where a value differs from what was expected.

use lockgate_document::{Kind, Node};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::author::value::json;

/// Differences of one case that are told; there may be as many as there are values.
const DIFFERENCES_MAX: usize = 50;

/// How much must be equal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// Everything.
    Whole,
    /// The fields that are named, at every depth; lists have as many items.
    Named,
}

/// One difference.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// What differs: `output`, `error`, or a call such as `erp.put, call 2`.
    pub of: String,
    /// JSON pointer (RFC 6901) within it.
    pub path: String,
    /// As JSON; none for nothing.
    #[serde(serialize_with = "as_it_is")]
    pub expected: Option<String>,
    /// As JSON; none for nothing.
    #[serde(serialize_with = "as_it_is")]
    pub actual: Option<String>,
}

fn as_it_is<S: Serializer>(json: &Option<String>, to: S) -> Result<S::Ok, S::Error> {
    json.as_ref().and_then(|json| RawValue::from_string(json.clone()).ok()).serialize(to)
}

/// The differences of one case.
#[derive(Debug, Default)]
pub struct Differences {
    /// The first ones.
    pub told: Vec<Difference>,
    /// How many there are besides.
    pub more: usize,
}

impl Differences {
    /// Compares two values.
    pub fn compare(&mut self, of: &str, expected: Node<'_>, actual: Node<'_>, how: Match) {
        self.at(of, &mut String::new(), expected, actual, how);
    }

    /// Compares the fields of two objects that `is_meant` says.
    pub fn compare_fields(&mut self, of: &str, expected: Node<'_>, actual: Node<'_>, is_meant: impl Fn(&str) -> bool) {
        for (key, value) in expected.entries().filter(|(key, _)| is_meant(key)) {
            self.at(of, &mut below("", key), value, actual.get(key), Match::Named);
        }
    }

    /// Adds one.
    pub fn add(&mut self, of: &str, path: &str, expected: Option<String>, actual: Option<String>) {
        if self.told.len() < DIFFERENCES_MAX {
            self.told.push(Difference { of: of.to_owned(), path: path.to_owned(), expected, actual });
        } else {
            self.more += 1;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// Documents are no deeper than their limit.
    fn at(&mut self, of: &str, path: &mut String, expected: Node<'_>, actual: Node<'_>, how: Match) {
        let end = path.len();
        match (expected.kind(), actual.kind()) {
            // Quick, and exact for numbers of any length.
            _ if expected == actual => {}
            (Kind::Object, Kind::Object) => {
                for (key, value) in expected.entries() {
                    push(path, key);
                    self.at(of, path, value, actual.get(key), how);
                    path.truncate(end);
                }
                if how == Match::Named {
                    return;
                }
                for (key, value) in actual.entries().filter(|(key, _)| expected.get(key).is_undefined()) {
                    self.add(of, &below(path, key), None, json(value));
                }
            }
            (Kind::Array, Kind::Array) => {
                for i in 0..expected.len().max(actual.len()) {
                    push(path, &i.to_string());
                    self.at(of, path, expected.at(i), actual.at(i), how);
                    path.truncate(end);
                }
            }
            _ => self.add(of, path, json(expected), json(actual)),
        }
    }
}

fn push(path: &mut String, name: &str) {
    path.push('/');
    path.push_str(&name.replace('~', "~0").replace('/', "~1"));
}

fn below(path: &str, name: &str) -> String {
    let mut path = path.to_owned();
    push(&mut path, name);
    path
}

#[cfg(test)]
mod tests {
    use lockgate_document::Document;
    use lockgate_model::Limits;

    use super::{DIFFERENCES_MAX, Differences, Match};

    fn differences(expected: &str, actual: &str, how: Match) -> Vec<String> {
        let parse = |json: &str| Document::parse(json.as_bytes(), &Limits::default()).unwrap();
        let mut found = Differences::default();
        found.compare("output", parse(expected).root(), parse(actual).root(), how);
        let text = |json: &Option<String>| json.clone().unwrap_or_else(|| "nothing".to_owned());
        found.told.iter().map(|d| format!("{} {} {}", d.path, text(&d.expected), text(&d.actual))).collect()
    }

    #[test]
    fn a_difference_is_told_at_its_place() {
        let whole = |expected: &str, actual: &str| differences(expected, actual, Match::Whole);
        assert_eq!(whole("1", "\"1\""), [" 1 \"1\""]);
        assert_eq!(whole("null", "false"), [" null false"]);
        assert_eq!(whole(r#"{"a":{"b/c":[1,2]}}"#, r#"{"a":{"b/c":[1,3]}}"#), ["/a/b~1c/1 2 3"]);
        assert_eq!(whole(r#"{"a":1,"b":2}"#, r#"{"b":3,"c":4}"#), ["/a 1 nothing", "/b 2 3", "/c nothing 4"]);
        assert_eq!(whole("[1]", "[1,2]"), ["/1 nothing 2"]);
        assert_eq!(whole("[1,2]", "[1]"), ["/1 2 nothing"]);
        assert_eq!(whole("[]", "{}"), [" [] {}"]);
        assert_eq!(whole("9007199254740993", "9007199254740992").len(), 1, "digits are not lost");
    }

    #[test]
    fn what_is_equal_is_no_difference() {
        let whole = |expected: &str, actual: &str| differences(expected, actual, Match::Whole);
        assert!(whole(r#"{"a":1.50,"b":[{}]}"#, r#"{"b":[{}],"a":1.5}"#).is_empty());
        let named = |expected: &str, actual: &str| differences(expected, actual, Match::Named);
        assert!(named(r#"{"a":{"b":1}}"#, r#"{"a":{"b":1,"c":2},"d":3}"#).is_empty());
        assert_eq!(named(r#"[{"a":1}]"#, r#"[{"a":1,"b":2},{}]"#), ["/1 nothing {}"]);
    }

    #[test]
    fn there_is_an_end_to_what_is_told() {
        let list = |n: &str| format!("[{}0]", format!("{n},").repeat(10_000));
        assert_eq!(differences(&list("1"), &list("2"), Match::Whole).len(), DIFFERENCES_MAX);
    }
}
