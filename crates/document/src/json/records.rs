//! Records of a JSON text as it arrives: the items of the array at one place of it.
//!
//! Only the containers on the way to that place are open here. Every record, and every value that is
//! none, is marked off by [`Scan`] and read by the reader of whole documents, so that the same texts are
//! taken and refused: well-formed to the end, keys twice, depth. A value beside the way that is large is
//! gone through piece by piece. What is held is the record at hand, and the keys of the open objects.
//!
//! A way that leads through an array goes on in each of its items, as in an expression. Two things
//! cannot be read as they come and are refused: a way through an array in an array, and, where the last
//! of two equal keys counts, the key of the way twice.

use std::collections::BTreeSet;
use std::fmt;

use lockgate_model::Limits;

use super::batch::Batch;
use super::scan::Scan;
use super::{Duplicates, ParseError, ParseOptions, Problem};
use crate::arena::DEPTH_CEILING;
use crate::document::Document;
use crate::fault::Fault;
use crate::format::{FormatError, RecordReader};
use crate::node::Node;

/// A value beside the records that is larger is not held as a whole.
const PIECE_BYTES_MAX: usize = 64 << 10;
/// What a key that is remembered takes besides its characters.
const KEY_BYTES: u64 = 64;

/// Reads the records at one place of a JSON text. Its `Debug` text shows no data.
pub struct JsonRecords {
    /// Names that lead to the records.
    path: Vec<String>,
    limits: Limits,
    options: ParseOptions,
    buffer: Vec<u8>,
    /// The next byte of the buffer.
    at: usize,
    /// Where the buffer begins in all that was pushed.
    base: u64,
    ended: bool,
    expect: Expect,
    open: Vec<Open>,
    /// What the next field's value is.
    field: Role,
    scan: Scan,
    /// The length of the record that begins here, when all of it is there.
    ready: Option<usize>,
    /// Bytes of the keys of open objects.
    key_bytes: u64,
    records: u64,
    /// Values that the way has led to.
    places: u64,
    /// The first of them was an array.
    lists: bool,
    /// The one name is looked up in all items of the root at once.
    in_items: bool,
    /// The way leads through a list, which may have no items.
    through_list: bool,
    failed: Option<FormatError>,
}

/// What must stand next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    ItemOrEnd,
    CommaOrEnd,
    KeyOrEnd,
    Key,
    Colon,
    Nothing,
}

/// What a value is to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It is reached by so many names of the path.
    Way(usize),
    Record,
    /// An array in an array, where an object was to be reached by so many names.
    Nested(usize),
    Beside,
}

/// A container that is not read as a whole.
enum Open {
    /// An array, and what its items are.
    Array(Role),
    /// An object, which names lead to it, and its keys so far.
    Object { way: Option<usize>, keys: BTreeSet<Box<str>>, found: bool },
}

/// What one look at the bytes gave.
enum Look {
    On,
    More,
    Done,
    /// A record of so many bytes begins here.
    Record(usize),
}

type Read<T> = Result<T, FormatError>;

impl JsonRecords {
    /// The items of the array that `path` leads to, name by name; without names, of the text itself.
    /// What is there and no array is one record.
    pub fn new(path: Vec<String>, limits: &Limits, options: ParseOptions) -> Self {
        Self {
            path,
            limits: Limits { depth_max: limits.depth_max.min(DEPTH_CEILING), ..*limits },
            options,
            buffer: Vec::new(),
            at: 0,
            base: 0,
            ended: false,
            expect: Expect::Value,
            open: Vec::new(),
            field: Role::Beside,
            scan: Scan::default(),
            ready: None,
            key_bytes: 0,
            records: 0,
            places: 0,
            in_items: false,
            through_list: false,
            lists: false,
            failed: None,
        }
    }

    /// Whether an expression's path of the same names gives a sequence that is gathered of several
    /// values. Such a sequence of one item is that item. Known when a record has come.
    pub fn gathers(&self) -> bool {
        self.in_items || self.places > 1
    }

    /// Whether the path is one name, and the text an array in whose items it is looked up at once.
    pub fn in_items(&self) -> bool {
        self.in_items
    }

    /// Whether the first value that the way led to is an array, and the records are its items; else it is
    /// the record itself. Known when a record has come.
    pub fn lists(&self) -> bool {
        self.lists
    }

    /// How many values the way has led to.
    pub fn places(&self) -> u64 {
        self.places
    }

    /// Whether the way led to nothing in the whole text, not even to an empty list: the text is not what was described.
    pub fn is_astray(&self) -> bool {
        self.places == 0 && !self.through_list && self.failed.is_none()
    }

    /// Some of the next records that are complete, in an array; none when more bytes are needed or all
    /// were given. What is wrong is told when those before it were given.
    pub fn batch(&mut self, records_max: usize) -> Result<Option<Document>, FormatError> {
        let mut batch = Batch::new(&self.limits);
        loop {
            match self.record() {
                Ok(Some(length)) if batch.is_full(length, records_max) => break,
                Ok(Some(length)) => {
                    let (text, depth_max) = self.marked(length);
                    match batch.push(text, depth_max, self.options) {
                        Ok(()) => self.took(length),
                        Err(error) => self.refused(&error),
                    }
                }
                Ok(None) => break,
                Err(error) if batch.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(batch.finish())
    }

    /// The length of the record that begins where the reader stands.
    fn record(&mut self) -> Result<Option<usize>, FormatError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        loop {
            match self.look() {
                Ok(Look::On) => {}
                Ok(Look::More | Look::Done) => return Ok(None),
                Ok(Look::Record(length)) => {
                    self.ready = Some(length);
                    return Ok(Some(length));
                }
                Err(error) => {
                    self.fuse(error);
                    return self.record();
                }
            }
        }
    }

    /// The bytes of a value of this length that begins here, and how deep it may nest.
    fn marked(&self, length: usize) -> (&[u8], u32) {
        let text = self.buffer.get(self.at..self.at + length).unwrap_or_default();
        (text, self.limits.depth_max.saturating_sub(self.open.len() as u32))
    }

    /// The value of this length was read.
    fn took(&mut self, length: usize) {
        self.at += length;
        self.records += u64::from(self.ready.take().is_some());
        self.scan = Scan::default();
        self.expect = self.beyond();
    }

    /// The record that begins here was refused.
    fn refused(&mut self, error: &ParseError) {
        self.fuse(FormatError::json(error, self.offset()));
    }

    /// There are no further records.
    fn fuse(&mut self, error: FormatError) {
        self.failed = Some(match self.standing_in() {
            Some(record) => error.of_record(record),
            None => error,
        });
        (self.buffer, self.at, self.ready) = (Vec::new(), 0, None);
    }

    fn look(&mut self) -> Read<Look> {
        if let Some(length) = self.ready {
            return Ok(Look::Record(length));
        }
        let blank = self.rest().iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count();
        // Within a value blanks are its own.
        if self.scan.is_at_start() {
            self.at += blank;
        }
        let Some(&byte) = self.buffer.get(self.at) else {
            return match (self.ended, self.expect) {
                (false, _) => Ok(Look::More),
                (true, Expect::Nothing) => Ok(Look::Done),
                (true, _) => self.fail(Problem::End),
            };
        };
        if self.base == 0 && self.at == 0 && self.is_marked(byte) {
            return if self.buffer.len() < 3 && !self.ended { Ok(Look::More) } else { self.fail(Problem::Mark) };
        }
        match (self.expect, byte) {
            (Expect::Nothing, _) => self.fail(Problem::Trailing),
            (Expect::ItemOrEnd, b']') | (Expect::KeyOrEnd, b'}') => self.close(),
            (Expect::Value | Expect::ItemOrEnd, _) => self.value(byte),
            (Expect::CommaOrEnd, _) => self.after_value(byte),
            (Expect::KeyOrEnd | Expect::Key, b'"') => self.key(),
            (Expect::KeyOrEnd | Expect::Key, _) => self.fail(Problem::Key),
            (Expect::Colon, b':') => self.step(Expect::Value),
            (Expect::Colon, _) => self.fail(Problem::Colon),
        }
    }

    /// The text may begin with a byte order mark.
    fn is_marked(&self, byte: u8) -> bool {
        const MARK: &[u8] = b"\xef\xbb\xbf";
        byte == 0xef && self.buffer.iter().zip(MARK).all(|(byte, mark)| byte == mark)
    }

    fn step(&mut self, expect: Expect) -> Read<Look> {
        self.at += 1;
        self.expect = expect;
        Ok(Look::On)
    }

    fn after_value(&mut self, byte: u8) -> Read<Look> {
        match (self.open.last(), byte) {
            (Some(Open::Array(_)), b',') => self.step(Expect::Value),
            (Some(Open::Object { .. }), b',') => self.step(Expect::Key),
            (Some(Open::Array(_)), b']') | (Some(Open::Object { .. }), b'}') => self.close(),
            (Some(Open::Object { .. }), _) => self.fail(Problem::FieldEnd),
            (_, _) => self.fail(Problem::ItemEnd),
        }
    }

    fn close(&mut self) -> Read<Look> {
        if let Some(Open::Object { keys, .. }) = self.open.pop() {
            let bytes: u64 = keys.iter().map(|key| key.len() as u64 + KEY_BYTES).sum();
            self.key_bytes = self.key_bytes.saturating_sub(bytes);
        }
        let expect = self.beyond();
        self.step(expect)
    }

    /// What may follow a value here.
    fn beyond(&self) -> Expect {
        if self.open.is_empty() { Expect::Nothing } else { Expect::CommaOrEnd }
    }

    /// A value begins with this byte.
    fn value(&mut self, byte: u8) -> Read<Look> {
        let role = match self.open.last() {
            None => Role::Way(0),
            Some(Open::Array(role)) => *role,
            Some(Open::Object { .. }) => self.field,
        };
        let Role::Way(names) = role else { return self.whole(role) };
        let through = matches!(self.open.last(), Some(Open::Array(_)));
        match byte {
            _ if names == self.path.len() => {
                if self.scan.is_at_start() {
                    self.places += 1;
                }
                if byte == b'[' {
                    self.lists |= self.records == 0;
                    self.open(Open::Array(Role::Record), Expect::ItemOrEnd)
                } else {
                    self.whole(Role::Record)
                }
            }
            b'{' => self.open(Open::object(Some(names)), Expect::KeyOrEnd),
            b'[' if through => self.whole(Role::Nested(names)),
            b'[' => {
                self.in_items |= names == 0 && self.path.len() == 1;
                self.through_list = true;
                self.open(Open::Array(Role::Way(names)), Expect::ItemOrEnd)
            }
            _ => self.whole(Role::Beside),
        }
    }

    fn open(&mut self, open: Open, expect: Expect) -> Read<Look> {
        if self.open.len() >= self.limits.depth_max as usize {
            return self.fail(Problem::Depth);
        }
        self.open.push(open);
        self.step(expect)
    }

    /// Reads a value as a whole.
    fn whole(&mut self, role: Role) -> Read<Look> {
        let Some(length) = self.marked_off()? else {
            let rest = self.rest();
            if role == Role::Beside && rest.len() > PIECE_BYTES_MAX {
                let (open, expect) = match rest.first() {
                    Some(b'{') => (Open::object(None), Expect::KeyOrEnd),
                    Some(b'[') => (Open::Array(Role::Beside), Expect::ItemOrEnd),
                    _ => return Ok(Look::More),
                };
                self.scan = Scan::default();
                return self.open(open, expect);
            }
            return Ok(Look::More);
        };
        if length == 0 {
            return self.fail(Problem::Value);
        }
        if role == Role::Record {
            return Ok(Look::Record(length));
        }
        let value = self.parsed(length)?;
        if let Role::Nested(names) = role
            && self.path.get(names).is_some_and(|name| leads(value.root(), name))
        {
            let message = "the way to the records leads through an array in an array: read the document as a whole";
            return Err(FormatError::new("LG-JSON-RECORDS", self.offset(), message));
        }
        self.took(length);
        Ok(Look::On)
    }

    /// The length of the value that begins here, once all of it is there.
    fn marked_off(&mut self) -> Read<Option<usize>> {
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        let found = self.scan.length(rest);
        let length = found.or_else(|| self.ended.then_some(rest.len()));
        match length {
            // More than that no document can take; what is beside the records is cut up long before.
            None if rest.len() as u64 > self.limits.arena_bytes_max => {
                Err(FormatError::fault(&Fault::ArenaFull, self.offset()))
            }
            length => Ok(length),
        }
    }

    fn parsed(&self, length: usize) -> Read<Document> {
        let (text, depth_max) = self.marked(length);
        let limits = Limits { depth_max, ..self.limits };
        Document::parse_with(text, &limits, self.options).map_err(|error| FormatError::json(&error, self.offset()))
    }

    fn key(&mut self) -> Read<Look> {
        let Some(length) = self.marked_off()? else { return Ok(Look::More) };
        let document = self.parsed(length)?;
        let key = document.root().as_str().unwrap_or_default();
        let Some(Open::Object { way, keys, found }) = self.open.last_mut() else { return Ok(Look::On) };
        let next = way.filter(|names| self.path.get(*names).is_some_and(|name| name == key));
        self.field = next.map_or(Role::Beside, |names| Role::Way(names + 1));
        let again = next.is_some() && std::mem::replace(found, true);
        if again && self.options.duplicates == Duplicates::Last {
            let message = "the object has this key already, and what stood under it has been read";
            return Err(FormatError::new("LG-JSON-DUPLICATE", self.offset(), message));
        }
        if self.options.duplicates == Duplicates::Refuse {
            if !keys.insert(key.into()) {
                return self.fail(Problem::Duplicate);
            }
            self.key_bytes += key.len() as u64 + KEY_BYTES;
            if self.key_bytes > self.limits.arena_bytes_max {
                return Err(FormatError::fault(&Fault::ArenaFull, self.offset()));
            }
        }
        self.at += length;
        self.scan = Scan::default();
        self.expect = Expect::Colon;
        Ok(Look::On)
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }
    fn offset(&self) -> u64 {
        self.base + self.at as u64
    }
    #[cold]
    fn fail<T>(&self, problem: Problem) -> Read<T> {
        Err(FormatError::json(&ParseError::new(problem, 0), self.offset()))
    }

    /// The number of the record that the reader stands in.
    fn standing_in(&self) -> Option<u64> {
        let within = match self.open.last() {
            Some(Open::Array(role)) => *role == Role::Record || *role == Role::Way(self.path.len()),
            Some(Open::Object { .. }) => self.field == Role::Way(self.path.len()),
            None => self.path.is_empty(),
        };
        (within && matches!(self.expect, Expect::Value | Expect::ItemOrEnd)).then_some(self.records + 1)
    }
}

/// An object with this field is reached through arrays.
fn leads(value: Node<'_>, name: &str) -> bool {
    // No deeper than the arena lets values nest.
    !value.get(name).is_undefined() || value.items().any(|item| leads(item, name))
}

impl Open {
    fn object(way: Option<usize>) -> Open {
        Open::Object { way, keys: BTreeSet::new(), found: false }
    }
}

impl RecordReader for JsonRecords {
    fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        self.buffer.drain(..self.at);
        self.base += self.at as u64;
        self.at = 0;
        self.buffer.extend_from_slice(bytes);
    }
    fn end(&mut self) {
        self.ended = true;
    }
    fn next(&mut self) -> Result<Option<Document>, FormatError> {
        let Some(length) = self.record()? else { return Ok(None) };
        match self.parsed(length) {
            Ok(record) => {
                self.took(length);
                Ok(Some(record))
            }
            Err(error) => {
                self.fuse(error);
                self.record().map(|_| None)
            }
        }
    }
}

impl fmt::Debug for JsonRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JsonRecords({} records, {} bytes held)", self.records, self.rest().len())
    }
}

#[cfg(test)]
mod tests;
