//! The reader: one pass over validated characters, without recursion.
//!
//! The text goes into the region as a whole; strings without escapes and keys are spans of it.
//! Children are gathered on a stack and written in one piece when their container ends, so that
//! an item is found by its number.

use std::str;

use super::{Duplicates, ParseError, ParseOptions, Problem};
use crate::arena::Arena;
use crate::datum::{Datum, Field};
use crate::fault::Fault;
use crate::handle::Handle;
use crate::index::Index;
use crate::memory::Memory;
use crate::region::{LINEAR_MAX, Region};
use crate::text::Text;

/// Children of the containers that are still open; kept from text to text for its buffers.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    items: Vec<Handle>,
    fields: Vec<Field>,
    /// Keys that were written with escapes: where their characters are, and where they stood.
    escaped: Vec<(u32, u32)>,
    open: Vec<Open>,
}

/// An open container: its kind and where its children start.
#[derive(Debug, Clone, Copy)]
enum Open {
    Array(u32),
    Object(u32),
}

/// The text to read and how.
pub(crate) struct Source<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) options: ParseOptions,
    pub(crate) depth_max: u32,
}

/// Where its values go.
pub(crate) struct Target<'a> {
    pub(crate) region: &'a mut Region,
    pub(crate) slot: u16,
    pub(crate) memory: &'a mut Memory,
    pub(crate) pending: &'a mut Pending,
}

/// Room for the values of a text that is not longer than this is made at once.
const FORESEEN_MAX: usize = 64 << 10;

/// Reads one JSON text. A refused text leaves nothing in the region.
pub(crate) fn read(source: Source<'_>, target: Target<'_>) -> Result<Handle, ParseError> {
    let text = str::from_utf8(source.bytes).map_err(|bad| ParseError::new(Problem::Utf8, bad.valid_up_to()))?;
    if text.starts_with('\u{feff}') {
        return Err(ParseError::new(Problem::Mark, 0));
    }
    let Target { region, slot, memory, pending } = target;
    pending.items.clear();
    pending.fields.clear();
    pending.escaped.clear();
    pending.open.clear();
    let (nodes, items, fields) = (region.nodes.len(), region.items.len(), region.fields.len());
    let (base, indexes) = (region.text.len(), region.indexes.len());
    memory.room_text(&mut region.text, text.len()).map_err(|fault| ParseError::new(Problem::Fault(fault), 0))?;
    region.text.push_str(text);
    if text.len() <= FORESEEN_MAX {
        // What a text of objects needs, about; growing step by step costs a small text more than reading it.
        let foreseen = memory.room(&mut region.nodes, text.len() / size_of::<Datum>());
        let _ = foreseen.and_then(|()| memory.room(&mut region.fields, text.len() / size_of::<Field>()));
    }
    let mut reader = Reader {
        text,
        bytes: source.bytes,
        pos: 0,
        base: base as u32,
        slot,
        region,
        memory,
        pending,
        options: source.options,
        depth_max: source.depth_max as usize,
    };
    let result = reader.document().map_err(|error| *error);
    if result.is_err() {
        let Reader { region, memory, .. } = reader;
        region.nodes.truncate(nodes);
        region.items.truncate(items);
        region.fields.truncate(fields);
        region.text.truncate(base);
        memory.release(region.indexes.drain(indexes..).map(|index| index.bytes()).sum());
    }
    result
}

impl Arena {
    /// Reads JSON into the current region; a key twice in an object is refused. Charged.
    pub fn parse_json(&mut self, bytes: &[u8]) -> Result<Handle, ParseError> {
        self.parse_json_with(bytes, ParseOptions::default())
    }
    /// Reads JSON with options into the current region. Charged.
    pub fn parse_json_with(&mut self, bytes: &[u8], options: ParseOptions) -> Result<Handle, ParseError> {
        let fault_at_start = |fault| ParseError::new(Problem::Fault(fault), 0);
        self.meter.charge_bytes(bytes.len()).map_err(fault_at_start)?;
        self.memory.input_of(bytes.len());
        let Some(region) = self.values.regions.get_mut(usize::from(self.current)) else {
            return Err(fault_at_start(Fault::StaleHandle));
        };
        read(
            Source { bytes, options, depth_max: self.depth_max },
            Target { region, slot: self.current, memory: &mut self.memory, pending: &mut self.pending },
        )
    }
}

/// A text being read. What one scalar needs is in [`super::scalar`].
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) pos: usize,
    /// Where `bytes` starts in the region's text.
    pub(super) base: u32,
    pub(super) slot: u16,
    pub(super) region: &'a mut Region,
    pub(super) memory: &'a mut Memory,
    pending: &'a mut Pending,
    options: ParseOptions,
    depth_max: usize,
}

/// An error is rare: behind a pointer it does not make what is read travel through memory.
pub(super) type Read<T> = Result<T, Box<ParseError>>;

impl Reader<'_> {
    fn document(&mut self) -> Read<Handle> {
        let root = self.value()?;
        self.skip_space();
        if self.pos < self.bytes.len() { self.fail(Problem::Trailing) } else { Ok(root) }
    }

    /// Reads a value with all its children.
    fn value(&mut self) -> Read<Handle> {
        loop {
            self.skip_space();
            let mut value = match self.peek() {
                b'"' => self.string()?,
                b'-' | b'0'..=b'9' => self.number()?,
                b'{' => match self.begin_object()? {
                    Some(empty) => empty,
                    None => continue,
                },
                b'[' => match self.begin_array()? {
                    Some(empty) => empty,
                    None => continue,
                },
                b't' => self.word("true", Handle::TRUE)?,
                b'f' => self.word("false", Handle::FALSE)?,
                b'n' => self.word("null", Handle::NULL)?,
                _ => return self.fail(Problem::Value),
            };
            // The value may end its container, that one the next, and so on.
            loop {
                let Some(&open) = self.pending.open.last() else { return Ok(value) };
                self.skip_space();
                value = match (open, self.peek()) {
                    (Open::Array(_), b',') => {
                        self.pos += 1;
                        self.keep_item(value)?;
                        break;
                    }
                    (Open::Array(start), b']') => {
                        self.pos += 1;
                        self.keep_item(value)?;
                        self.end_array(start)?
                    }
                    (Open::Object(_), b',') => {
                        self.pos += 1;
                        self.keep_field(value);
                        self.skip_space();
                        self.key()?;
                        break;
                    }
                    (Open::Object(start), b'}') => {
                        self.pos += 1;
                        self.keep_field(value);
                        self.end_object(start)?
                    }
                    (Open::Array(_), _) => return self.fail(Problem::ItemEnd),
                    (Open::Object(_), _) => return self.fail(Problem::FieldEnd),
                };
            }
        }
    }

    fn begin_array(&mut self) -> Read<Option<Handle>> {
        self.open(Open::Array(self.pending.items.len() as u32))?;
        self.skip_space();
        if self.peek() != b']' {
            return Ok(None);
        }
        self.pos += 1;
        self.pending.open.pop();
        self.put(Datum::Array { flags: 0, at: 0, len: 0, room: 0 }).map(Some)
    }
    fn begin_object(&mut self) -> Read<Option<Handle>> {
        self.open(Open::Object(self.pending.fields.len() as u32))?;
        self.skip_space();
        if self.peek() != b'}' {
            self.key()?;
            return Ok(None);
        }
        self.pos += 1;
        self.pending.open.pop();
        self.put(Datum::Object { index: 0, at: 0, len: 0, room: 0 }).map(Some)
    }
    fn open(&mut self, open: Open) -> Read<()> {
        if self.pending.open.len() >= self.depth_max {
            return self.fail(Problem::Depth);
        }
        self.pos += 1;
        let room = self.memory.room(&mut self.pending.open, 1);
        self.granted(room)?;
        self.pending.open.push(open);
        Ok(())
    }

    fn key(&mut self) -> Read<()> {
        if self.peek() != b'"' {
            return self.fail(Problem::Key);
        }
        match self.plain_string() {
            Some(key) => self.open_field(key)?,
            None => self.escaped_key()?,
        }
        self.skip_space();
        if self.peek() != b':' {
            return self.fail(Problem::Colon);
        }
        self.pos += 1;
        Ok(())
    }
    #[cold]
    fn escaped_key(&mut self) -> Read<()> {
        let offset = self.pos;
        let key = self.string_with_escapes()?;
        let room = self.memory.room(&mut self.pending.escaped, 1);
        self.granted(room)?;
        self.pending.escaped.push((key.at, offset as u32));
        self.open_field(key)
    }
    #[inline(always)]
    fn open_field(&mut self, key: Text) -> Read<()> {
        let room = self.memory.room(&mut self.pending.fields, 1);
        self.granted(room)?;
        self.pending.fields.push(Field { key, value: Handle::UNDEFINED });
        Ok(())
    }
    /// Where a key stands: before its characters, unless it was written with escapes.
    fn key_offset(&self, key: Text) -> usize {
        let escaped = self.pending.escaped.iter().find(|(at, _)| *at == key.at);
        escaped.map_or_else(|| (key.at - self.base) as usize - 1, |(_, offset)| *offset as usize)
    }

    #[inline]
    fn keep_item(&mut self, value: Handle) -> Read<()> {
        let room = self.memory.room(&mut self.pending.items, 1);
        self.granted(room)?;
        self.pending.items.push(value);
        Ok(())
    }
    #[inline]
    fn keep_field(&mut self, value: Handle) {
        if let Some(field) = self.pending.fields.last_mut() {
            field.value = value;
        }
    }

    fn end_array(&mut self, start: u32) -> Read<Handle> {
        self.pending.open.pop();
        let items = self.pending.items.get(start as usize..).unwrap_or_default();
        let (at, len) = (self.region.items.len() as u32, items.len() as u32);
        let room = self.memory.room(&mut self.region.items, items.len());
        if room.is_ok() {
            self.region.items.extend_from_slice(items);
        }
        self.granted(room)?;
        self.pending.items.truncate(start as usize);
        self.put(Datum::Array { flags: 0, at, len, room: len })
    }

    fn end_object(&mut self, start: u32) -> Read<Handle> {
        self.pending.open.pop();
        let start = start as usize;
        let index = self.settle_keys(start)?;
        let fields = self.pending.fields.get(start..).unwrap_or_default();
        let (at, len) = (self.region.fields.len() as u32, fields.len() as u32);
        let room = self.memory.room(&mut self.region.fields, fields.len());
        if room.is_ok() {
            self.region.fields.extend_from_slice(fields);
        }
        self.granted(room)?;
        self.pending.fields.truncate(start);
        self.put(Datum::Object { index, at, len, room: len })
    }

    /// Looks for keys that come twice among the fields from `start` on; many fields get an index on the way.
    fn settle_keys(&mut self, start: usize) -> Read<u16> {
        let fields = self.pending.fields.get(start..).unwrap_or_default();
        if fields.len() > LINEAR_MAX as usize {
            return self.index_keys(start);
        }
        // A bit for each key: where all are different, so are the keys.
        let (mut seen, mut doubtful) = (0u64, false);
        for field in fields {
            let bit = 1 << (field.key.print.wrapping_mul(0x9e37_79b1) >> 26);
            doubtful |= seen & bit != 0;
            seen |= bit;
        }
        if doubtful {
            self.compare_keys(start)?;
        }
        Ok(0)
    }

    /// The same for few fields: each is compared to those before it.
    fn compare_keys(&mut self, start: usize) -> Read<()> {
        let mut kept = start;
        for next in start..self.pending.fields.len() {
            let Some(&field) = self.pending.fields.get(next) else { break };
            let settled = self.pending.fields.get(start..kept).unwrap_or_default();
            match settled.iter().position(|other| self.same_key(other.key, field.key)) {
                Some(earlier) => self.came_before(start + earlier, field)?,
                None => {
                    self.keep(kept, field);
                    kept += 1;
                }
            }
        }
        self.pending.fields.truncate(kept);
        Ok(())
    }

    /// The same for many fields: they get an index, by which they are also looked up later.
    fn index_keys(&mut self, start: usize) -> Read<u16> {
        let count = self.pending.fields.len() - start;
        let index = Index::with_room(self.memory, count);
        let mut index = index.map_err(|fault| self.faulty(fault))?;
        let mut kept = start;
        for next in start..self.pending.fields.len() {
            let Some(&field) = self.pending.fields.get(next) else { break };
            let hash = index.hash(self.key_text(field.key));
            let settled = self.pending.fields.get(start..kept).unwrap_or_default();
            let is_it = |at: u32| settled.get(at as usize).is_some_and(|other| self.same_key(other.key, field.key));
            match index.find(hash, is_it) {
                Some(earlier) => self.came_before(start + earlier as usize, field)?,
                None => {
                    let inserted = index.insert(self.memory, hash, (kept - start) as u32);
                    inserted.map_err(|fault| self.faulty(fault))?;
                    self.keep(kept, field);
                    kept += 1;
                }
            }
        }
        self.pending.fields.truncate(kept);
        if kept - start <= LINEAR_MAX as usize {
            return Ok(0);
        }
        let number = self.region.keep_index(self.memory, index);
        number.map_err(|fault| self.faulty(fault))
    }

    fn key_text(&self, key: Text) -> &str {
        self.region.text.get(key.at as usize..(key.at + key.len) as usize).unwrap_or_default()
    }
    fn same_key(&self, a: Text, b: Text) -> bool {
        a.print == b.print && self.key_text(a) == self.key_text(b)
    }
    fn keep(&mut self, at: usize, field: Field) {
        if let Some(place) = self.pending.fields.get_mut(at) {
            *place = field;
        }
    }
    /// A key comes twice: refused, or the last value wins.
    #[cold]
    fn came_before(&mut self, earlier: usize, field: Field) -> Read<()> {
        if self.options.duplicates == Duplicates::Refuse {
            return Err(Box::new(ParseError::new(Problem::Duplicate, self.key_offset(field.key))));
        }
        if let Some(earlier) = self.pending.fields.get_mut(earlier) {
            earlier.value = field.value;
        }
        Ok(())
    }

    fn word(&mut self, word: &str, value: Handle) -> Read<Handle> {
        if !self.bytes.get(self.pos..).unwrap_or_default().starts_with(word.as_bytes()) {
            return self.fail(Problem::Value);
        }
        self.pos += word.len();
        Ok(value)
    }

    #[inline(always)]
    pub(super) fn put(&mut self, datum: Datum) -> Read<Handle> {
        match self.region.push(self.memory, datum) {
            Ok(node) => Ok(Handle::new(self.slot, self.region.generation, node)),
            Err(fault) => Err(self.faulty(fault)),
        }
    }

    #[inline]
    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.pos) {
            self.pos += 1;
        }
    }
    /// The next byte, or 0 at the end: no rule of the grammar takes a 0.
    #[inline]
    pub(super) fn peek(&self) -> u8 {
        self.bytes.get(self.pos).copied().unwrap_or(0)
    }

    #[inline]
    pub(super) fn granted(&self, room: Result<(), Fault>) -> Read<()> {
        room.map_err(|fault| self.faulty(fault))
    }
    #[cold]
    fn faulty(&self, fault: Fault) -> Box<ParseError> {
        Box::new(ParseError::new(Problem::Fault(fault), self.pos))
    }
    #[cold]
    pub(super) fn fail<T>(&self, problem: Problem) -> Read<T> {
        // Whatever was expected at the end of the text, the end is what is wrong.
        let problem = if self.pos >= self.bytes.len() && problem != Problem::Depth { Problem::End } else { problem };
        Err(Box::new(ParseError::new(problem, self.pos)))
    }
}
