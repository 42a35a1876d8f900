//! The reader: tokens become values, of the root or of each record.

use std::borrow::Cow;

use lockgate_model::Limits;

use super::build::Build;
use super::namespaces::{Scope, declared};
use super::options::XmlOptions;
use super::problem::Problem;
use super::tag::Tag;
use super::token::{Token, Tokenizer};
use super::way::{Astray, Way};
use crate::arena::DEPTH_CEILING;
use crate::document::Document;
use crate::fault::Fault;
use crate::format::FormatError;

/// Bytes that are given to the tokenizer at once.
const PIECE_BYTES: usize = 64 << 10;

/// Reads a whole document: an object whose one field is the root element.
///
/// What is not well-formed, or breaks the rules of namespaces, is refused with its byte; each code is in
/// docs/errors.md.
pub fn read(bytes: &[u8], options: &XmlOptions, limits: &Limits) -> Result<Document, FormatError> {
    let mut reader = Reader::new(None, options.clone(), *limits);
    let mut document = None;
    let mut pieces = bytes.chunks(PIECE_BYTES);
    loop {
        match pieces.next() {
            Some(piece) => reader.push(piece),
            None => reader.end(),
        }
        while let Some(root) = reader.next()? {
            document = Some(root);
        }
        if reader.is_done() {
            // The tokenizer refuses a document without a root.
            return document.ok_or_else(|| Problem::End.at(bytes.len() as u64));
        }
    }
}

/// Values out of bytes that arrive piece by piece.
pub(super) struct Reader {
    tokens: Tokenizer,
    elements: Elements,
    is_done: bool,
}

impl Reader {
    /// Reads the records at this path, or the whole document as one.
    pub(super) fn new(records: Option<String>, options: XmlOptions, limits: Limits) -> Reader {
        let depth_max = limits.depth_max.min(DEPTH_CEILING) as usize;
        let elements = Elements {
            scope: Scope::default(),
            options,
            limits,
            records,
            path: String::new(),
            kept: Vec::new(),
            key: String::new(),
            build: None,
            way: Way::default(),
        };
        Reader { tokens: Tokenizer::new(depth_max), elements, is_done: false }
    }
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.tokens.push(bytes);
    }
    pub(super) fn end(&mut self) {
        self.tokens.end();
    }
    /// Has a value begun that has not ended?
    pub(super) fn is_within(&self) -> bool {
        self.elements.build.is_some()
    }
    #[cfg(test)]
    pub(super) fn bytes_held(&self) -> usize {
        self.tokens.bytes_held()
    }
    /// Was the document read to its end?
    fn is_done(&self) -> bool {
        self.is_done
    }

    /// The next value; none when more bytes are needed, or none will come.
    pub(super) fn next(&mut self) -> Result<Option<Document>, FormatError> {
        loop {
            let done = match self.tokens.next()? {
                Token::Start(tag) => {
                    let length = tag.text.len();
                    if let Err((trouble, at)) = self.elements.start(tag) {
                        return Err(trouble.at(self.tokens.place_before(length.saturating_sub(at))));
                    }
                    continue;
                }
                Token::Text(text) => self.elements.text(text, false).map(|()| None),
                Token::Data(text) => self.elements.text(text, true).map(|()| None),
                Token::End => self.elements.end(),
                Token::More => return Ok(None),
                Token::Done => {
                    self.is_done = true;
                    return Ok(None);
                }
            };
            match done {
                Ok(None) => {}
                Ok(value) => return Ok(value),
                Err(trouble) => return Err(trouble.at(self.tokens.place_before(0))),
            }
        }
    }
}

/// Open elements, and the value that is built of them.
struct Elements {
    scope: Scope,
    options: XmlOptions,
    limits: Limits,
    /// Where the records are; the whole document is one value without.
    records: Option<String>,
    /// The open elements, as values have their names.
    path: String,
    /// Of the attributes at hand: do values hold it?
    kept: Vec<bool>,
    key: String,
    build: Option<Build>,
    /// Where records are read: the elements that lead to them.
    way: Way,
}

enum Trouble {
    Problem(Problem),
    Fault(Fault),
}

impl Trouble {
    #[cold]
    fn at(self, offset: u64) -> FormatError {
        match self {
            Trouble::Problem(problem) => problem.at(offset),
            Trouble::Fault(fault) => FormatError::fault(&fault, offset),
        }
    }
}

impl Elements {
    /// An element begins. Trouble comes with its place in the tag.
    fn start(&mut self, tag: Tag<'_>) -> Result<(), (Trouble, usize)> {
        let Elements { scope, options, limits, records, path, kept, key, build, way } = self;
        let mapped = &options.namespaces;
        let wrong = |at: usize| move |problem| (Trouble::Problem(problem), at);
        let full = |fault| (Trouble::Fault(fault), 0);
        scope.open();
        kept.clear();
        for attribute in tag.attributes() {
            kept.push(match declared(attribute.name) {
                Some(prefix) => scope.declare(prefix, attribute.value, mapped).map_err(wrong(attribute.at))?,
                None => true,
            });
        }
        let name = scope.element(tag.name, mapped).map_err(wrong(0))?;
        let is_root = path.is_empty();
        if !is_root {
            path.push('/');
        }
        path.push_str(&name);
        let is_wanted = match records {
            None => is_root,
            Some(records) if is_root && records.split('/').next() != Some(path) => {
                return Err(wrong(0)(Problem::OtherRoot));
            }
            Some(records) => records == path,
        };
        if let (Some(records), None) = (&*records, &*build) {
            let leads = is_wanted || records.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('/'));
            way.start(&name, leads, limits.arena_bytes_max).map_err(|astray| match astray {
                Astray::Problem(problem) => wrong(0)(problem),
                Astray::Fault(fault) => full(fault),
            })?;
        }
        if is_wanted {
            *build = Some(Build::new(limits));
        }
        if let Some(build) = build {
            build.start(&name, options.arrays.holds(&name, path)).map_err(full)?;
        }
        for (attribute, is_kept) in tag.attributes().zip(kept.iter()) {
            let name = match declared(attribute.name) {
                Some(_) => Cow::Borrowed(attribute.name),
                None => scope.attribute(attribute.name, mapped).map_err(wrong(attribute.at))?,
            };
            if build.is_none() && name == "xml:space" {
                way.space(attribute.value);
            }
            if let (true, Some(build)) = (*is_kept, &mut *build) {
                key.clear();
                key.push('@');
                key.push_str(&name);
                let mut value = Cow::Borrowed(attribute.value);
                // A name of a type: its prefix is one of names, too.
                if mapped.is_instance(&name, "type") {
                    value = scope.element(attribute.value.trim_matches(' '), mapped).unwrap_or(value);
                }
                build.attribute(key, &value, mapped.is_instance(&name, "nil")).map_err(full)?;
            }
        }
        let twice = scope.duplicate(tag.attributes().map(|attribute| attribute.name));
        match twice.and_then(|place| tag.attributes().nth(place)) {
            Some(twice) => Err(wrong(twice.at)(Problem::Duplicate)),
            None => Ok(()),
        }
    }

    fn text(&mut self, text: &str, is_data: bool) -> Result<(), Trouble> {
        match &mut self.build {
            Some(build) => build.text(text, is_data).map_err(Trouble::Fault),
            None => {
                self.way.text(text, is_data);
                Ok(())
            }
        }
    }

    fn end(&mut self) -> Result<Option<Document>, Trouble> {
        self.scope.close();
        self.path.truncate(self.path.rfind('/').unwrap_or_default());
        let Some(build) = &mut self.build else {
            self.way.end().map_err(Trouble::Problem)?;
            return Ok(None);
        };
        if !build.end().map_err(Trouble::Fault)? {
            return Ok(None);
        }
        self.way.end().map_err(Trouble::Problem)?;
        let is_root = self.records.is_none();
        self.build.take().map(|build| build.finish(is_root)).transpose().map_err(Trouble::Fault)
    }
}
