//! Some JSON texts read into one array: one arena for all of them instead of one for each.

use lockgate_model::Limits;

use super::{ParseError, ParseOptions, Problem};
use crate::arena::Arena;
use crate::document::Document;
use crate::handle::Handle;

/// Bytes that an array of several texts may reserve.
const BYTES_MAX: u64 = 512 << 10;

/// An array that is being read.
pub(super) struct Batch {
    arena: Arena,
    list: Option<Handle>,
    items: usize,
}

impl Batch {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { arena: Arena::new(limits), list: None, items: 0 }
    }

    /// Whether a text of so many bytes should rather begin another array. The first one never should.
    pub(super) fn is_full(&self, bytes: usize, items_max: usize) -> bool {
        let used = self.arena.bytes_used().saturating_add(bytes as u64);
        self.items > 0 && (self.items >= items_max || used > BYTES_MAX)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items == 0
    }

    /// Reads one text, of which no value nests deeper than this.
    pub(super) fn push(&mut self, text: &[u8], depth_max: u32, options: ParseOptions) -> Result<(), ParseError> {
        let fault = |fault| ParseError::new(Problem::Fault(fault), 0);
        let list = match self.list {
            Some(list) => list,
            None => *self.list.insert(self.arena.arr_new(0).map_err(fault)?),
        };
        let depth = std::mem::replace(&mut self.arena.depth_max, depth_max);
        let item = self.arena.parse_json_with(text, options);
        self.arena.depth_max = depth;
        self.arena.arr_push(list, item?).map_err(fault)?;
        self.items += 1;
        Ok(())
    }

    /// The array; none where nothing was read.
    pub(super) fn finish(self) -> Option<Document> {
        let list = self.list.filter(|_| self.items > 0)?;
        Some(Document::from_parts(self.arena, list))
    }
}
