//! Where in a value something is, written down only when it is told.

use std::fmt;

use super::scalar::Wrong;
use crate::format::FormatError;

/// A way from the root to a value. Its keys are those of grammars and envelopes, not of data.
#[derive(Clone, Copy)]
pub(super) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl Path<'_> {
    pub const ROOT: Path<'static> = Path { parent: None, step: Step::Root };

    pub fn key<'a>(&'a self, key: &'a str) -> Path<'a> {
        Path { parent: Some(self), step: Step::Key(key) }
    }
    pub fn index(&self, index: usize) -> Path<'_> {
        Path { parent: Some(self), step: Step::Index(index) }
    }
    /// An error of the value here.
    pub fn refused(&self, code: &'static str, what: impl fmt::Display) -> FormatError {
        FormatError::new(code, 0, format!("the value at `{self}` {what}"))
    }
    pub fn wrong(&self, wrong: &Wrong) -> FormatError {
        self.refused(wrong.code, &wrong.what)
    }
}

/// A JSON pointer (RFC 6901); `/` alone for the root.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut steps, mut at) = (Vec::new(), Some(self));
        while let Some(path) = at {
            steps.push(path.step);
            at = path.parent;
        }
        if steps.len() == 1 {
            return f.write_str("/");
        }
        for step in steps.iter().rev() {
            match step {
                Step::Root => {}
                Step::Key(key) => write!(f, "/{}", key.replace('~', "~0").replace('/', "~1"))?,
                Step::Index(index) => write!(f, "/{index}")?,
            }
        }
        Ok(())
    }
}
