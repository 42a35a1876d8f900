//! A region: values that come and go together.

use crate::datum::{Datum, Field, Span};
use crate::fault::Fault;
use crate::handle::Handle;
use crate::index::Index;
use crate::memory::Memory;

/// Places that a built array reserves first.
const ITEMS_FIRST: u32 = 4;
/// Places that a built object reserves first.
const FIELDS_FIRST: u32 = 8;
/// Objects with more fields are looked up by index.
pub(crate) const LINEAR_MAX: u32 = 24;

/// Nodes and the buffers they point into. Not `Debug`: it is all data.
#[derive(Default)]
pub(crate) struct Region {
    /// Moves on whenever the region is emptied: older handles are stale then.
    pub(crate) generation: u16,
    pub(crate) nodes: Vec<Datum>,
    pub(crate) items: Vec<Handle>,
    pub(crate) fields: Vec<Field>,
    pub(crate) text: String,
    pub(crate) indexes: Vec<Index>,
}

impl Region {
    /// Bytes reserved.
    pub(crate) fn bytes(&self) -> u64 {
        let buffers = self.nodes.capacity() * size_of::<Datum>()
            + self.items.capacity() * size_of::<Handle>()
            + self.fields.capacity() * size_of::<Field>()
            + self.text.capacity()
            + self.indexes.capacity() * size_of::<Index>();
        buffers as u64 + self.indexes.iter().map(Index::bytes).sum::<u64>()
    }

    /// Forgets all values and keeps the buffers.
    pub(crate) fn empty(&mut self, memory: &mut Memory) {
        self.nodes.clear();
        self.items.clear();
        self.fields.clear();
        self.text.clear();
        memory.release(self.indexes.iter().map(Index::bytes).sum());
        self.indexes.clear();
    }

    /// Forgets all values and gives the buffers back.
    pub(crate) fn discard(&mut self, memory: &mut Memory) {
        memory.release(self.bytes());
        *self = Region { generation: self.generation, ..Region::default() };
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, memory: &mut Memory, datum: Datum) -> Result<u32, Fault> {
        memory.room(&mut self.nodes, 1)?;
        let node = self.nodes.len() as u32;
        self.nodes.push(datum);
        Ok(node)
    }

    /// The items of a span.
    #[inline]
    pub(crate) fn items(&self, at: u32, len: u32) -> &[Handle] {
        self.items.get(at as usize..at as usize + len as usize).unwrap_or_default()
    }
    /// The fields of a span.
    #[inline]
    pub(crate) fn fields(&self, at: u32, len: u32) -> &[Field] {
        self.fields.get(at as usize..at as usize + len as usize).unwrap_or_default()
    }

    /// Keeps a key index; answers its number, or 0 when all numbers are taken.
    pub(crate) fn keep_index(&mut self, memory: &mut Memory, index: Index) -> Result<u16, Fault> {
        let Ok(number) = u16::try_from(self.indexes.len() + 1) else {
            memory.release(index.bytes());
            return Ok(0);
        };
        memory.room(&mut self.indexes, 1)?;
        self.indexes.push(index);
        Ok(number)
    }

    /// Adds an item to a span of items.
    #[inline]
    pub(crate) fn push_item(&mut self, memory: &mut Memory, span: &mut Span, item: Handle) -> Result<(), Fault> {
        push_into(memory, &mut self.items, span, ITEMS_FIRST, Handle::UNDEFINED, item)
    }
    /// Adds a field to a span of fields.
    #[inline]
    pub(crate) fn push_field(&mut self, memory: &mut Memory, span: &mut Span, field: Field) -> Result<(), Fault> {
        push_into(memory, &mut self.fields, span, FIELDS_FIRST, Field::BLANK, field)
    }
    /// Makes sure that a span of items takes `more` without moving.
    pub(crate) fn reserve_items(&mut self, memory: &mut Memory, span: &mut Span, more: u32) -> Result<(), Fault> {
        if span.room - span.len >= more {
            return Ok(());
        }
        let room = span.len.checked_add(more).ok_or(Fault::ArenaFull)?.max(span.room.saturating_mul(2));
        widen(memory, &mut self.items, span, room, Handle::UNDEFINED)
    }
}

#[inline]
fn push_into<T: Copy>(
    memory: &mut Memory,
    store: &mut Vec<T>,
    span: &mut Span,
    first: u32,
    blank: T,
    value: T,
) -> Result<(), Fault> {
    if span.len == span.room {
        let room = span.room.checked_mul(2).ok_or(Fault::ArenaFull)?.max(first);
        widen(memory, store, span, room, blank)?;
    }
    if let Some(place) = store.get_mut(span.at as usize + span.len as usize) {
        *place = value;
        span.len += 1;
    }
    Ok(())
}

/// Gives a span `room` places: where it stands when it is the last one, else at the end.
/// What it leaves behind is at most half of what it takes, and goes with the region.
#[inline(never)]
fn widen<T: Copy>(memory: &mut Memory, store: &mut Vec<T>, span: &mut Span, room: u32, blank: T) -> Result<(), Fault> {
    let (at, len) = (span.at as usize, span.len as usize);
    let is_last = span.room > 0 && at + span.room as usize == store.len();
    if is_last {
        memory.room(store, (room - span.room) as usize)?;
        store.resize(at + room as usize, blank);
    } else {
        memory.room(store, room as usize)?;
        let moved = store.len();
        store.extend_from_within(at..at + len);
        store.resize(moved + room as usize, blank);
        span.at = moved as u32;
    }
    span.room = room;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interleaved_spans_keep_their_items() {
        let mut memory = Memory::new(1 << 20);
        let mut region = Region::default();
        let mut spans = [Span { at: 0, len: 0, room: 0 }; 3];
        for round in 0..100u32 {
            for (which, span) in spans.iter_mut().enumerate() {
                let item = Handle::new(2, 0, round * 3 + which as u32);
                region.push_item(&mut memory, span, item).unwrap();
            }
        }
        for (which, span) in spans.iter().enumerate() {
            let items = region.items(span.at, span.len);
            assert_eq!(items.len(), 100);
            assert!(items.iter().enumerate().all(|(round, item)| item.node() as usize == round * 3 + which));
        }
        assert!(region.items.len() < 1_000, "doubling leaves no more than half behind");
    }

    #[test]
    fn emptying_keeps_the_buffers_and_discarding_gives_them_back() {
        let mut memory = Memory::new(1 << 20);
        let mut region = Region::default();
        region.push(&mut memory, Datum::Null).unwrap();
        let reserved = memory.used();
        region.empty(&mut memory);
        assert_eq!((memory.used(), region.nodes.len()), (reserved, 0));
        region.discard(&mut memory);
        assert_eq!(memory.used(), 0);
    }
}
