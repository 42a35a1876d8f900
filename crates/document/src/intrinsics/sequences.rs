//! Group *sequences*: how the results of a path's steps come together.

use lockgate_model::abi::seq;

use crate::arena::Arena;
use crate::datum::{Datum, Span};
use crate::fault::Fault;
use crate::handle::Handle;

use super::list::{CONS, KEEP, List, MANY, ONLY, SEQUENCE};

impl Arena {
    /// `seq_new()`: an open sequence.
    #[inline]
    pub fn seq_new(&mut self) -> Result<Handle, Fault> {
        self.put(Datum::Array { flags: SEQUENCE, at: 0, len: 0, room: 0 })
    }

    /// `seq_push(acc, h)`: adds a step's result.
    ///
    /// The first result is held as it is, even an array: only the end of the sequence, or a second
    /// result, says whether it flattens.
    #[inline]
    pub fn seq_push(&mut self, acc: Handle, h: Handle) -> Result<(), Fault> {
        let is_list = match self.values.datum(h)? {
            Datum::Undefined => return Ok(()),
            Datum::Array { flags, .. } | Datum::Range { flags, .. } => flags & CONS == 0,
            _ => false,
        };
        let (mut flags, mut span) = self.building(acc)?;
        if flags & ONLY != 0 {
            (flags, span) = self.flatten_only(acc, span)?;
        }
        match is_list {
            true if span.len == 0 && flags & MANY == 0 => self.push_item(acc, flags | ONLY, span, h),
            true => match self.list(h)? {
                List::Items(items) => self.push_items(acc, flags | MANY, span, items),
                _ => Err(Fault::WrongKind),
            },
            false => self.push_item(acc, flags | MANY, span, h),
        }
    }

    /// `seq_add(acc, h)`: adds one item as it is.
    #[inline]
    pub fn seq_add(&mut self, acc: Handle, h: Handle) -> Result<(), Fault> {
        if h.is_undefined() {
            return Ok(());
        }
        let (mut flags, mut span) = self.building(acc)?;
        if flags & ONLY != 0 {
            (flags, span) = self.flatten_only(acc, span)?;
        }
        self.push_item(acc, flags | MANY, span, h)
    }

    /// `seq_next(acc, h, list, i)`: adds a step's result and gives the item that the step is taken on next.
    #[inline]
    pub fn seq_next(&mut self, acc: Handle, h: Handle, list: Handle, i: i32) -> Result<Handle, Fault> {
        self.seq_push(acc, h)?;
        self.at(list, i)
    }

    /// `seq_one(h, flags)`: a sequence of this one result, closed.
    pub fn seq_one(&mut self, h: Handle, flags: i32) -> Result<Handle, Fault> {
        let acc = self.seq_new()?;
        self.seq_push(acc, h)?;
        self.seq_end(acc, flags)
    }

    /// `seq_end(acc, flags)`: closes a sequence, see [`seq`].
    pub fn seq_end(&mut self, acc: Handle, flags: i32) -> Result<Handle, Fault> {
        let (mut state, mut span) = self.building(acc)?;
        if state & ONLY != 0 {
            let only = self.values.item(acc.slot(), span.at, 0);
            match self.values.datum(only)? {
                Datum::Array { flags: plain, .. } | Datum::Range { flags: plain, .. }
                    if flags & seq::LAST != 0 && plain & SEQUENCE == 0 =>
                {
                    return Ok(only);
                }
                // Two items and more are walked through alike, whatever holds them.
                Datum::Array { len, .. } | Datum::Range { len, .. } if flags & seq::INNER != 0 && len > 1 => {
                    return Ok(only);
                }
                Datum::Range { first, len, .. } => {
                    self.replace(acc, Datum::Range { flags: SEQUENCE, len, first })?;
                    return Ok(acc);
                }
                _ => (state, span) = self.flatten_only(acc, span)?,
            }
        }
        let keep = flags & seq::KEEP != 0;
        match span.len {
            _ if flags & seq::INNER != 0 => {}
            0 => return Ok(Handle::UNDEFINED),
            1 if !keep => return Ok(self.values.item(acc.slot(), span.at, 0)),
            _ => {}
        }
        let kept = if keep { KEEP } else { 0 };
        self.set_span(acc, (state & (SEQUENCE | CONS)) | kept, span)?;
        Ok(acc)
    }

    /// Replaces the only result by its items.
    fn flatten_only(&mut self, acc: Handle, span: Span) -> Result<(u8, Span), Fault> {
        let only = self.values.item(acc.slot(), span.at, 0);
        let flags = SEQUENCE | MANY;
        self.set_span(acc, flags, Span { len: 0, ..span })?;
        if let List::Items(items) = self.list(only)? {
            self.push_items(acc, flags, Span { len: 0, ..span }, items)?;
        }
        self.building(acc)
    }

    /// `settle(h, flags)`: what a call gave is what its expression ends with; to be kept, it stays an array.
    pub fn settle(&mut self, h: Handle, flags: i32) -> Result<Handle, Fault> {
        match self.values.datum(h)? {
            Datum::Array { flags: is, at, len: 1, room } if is & SEQUENCE != 0 && flags & seq::KEEP != 0 => {
                self.set_span(h, is | KEEP, Span { at, len: 1, room })?;
                Ok(h)
            }
            _ => self.settled(h),
        }
    }

    /// `keep(h)`: `[]` on a path's result.
    pub fn keep(&mut self, h: Handle) -> Result<Handle, Fault> {
        let single = match self.values.datum(h)? {
            Datum::Undefined => return Ok(h),
            Datum::Array { flags, len: 0, .. } if flags & SEQUENCE != 0 => return Ok(Handle::UNDEFINED),
            Datum::Array { flags, at, len: 1, .. } if flags & (SEQUENCE | KEEP) == SEQUENCE => {
                self.values.item(h.slot(), at, 0)
            }
            // An array that was constructed is one item of the result.
            Datum::Array { flags, .. } | Datum::Range { flags, .. } if flags & (SEQUENCE | CONS) == CONS => h,
            Datum::Array { .. } | Datum::Range { .. } => return Ok(h),
            _ => h,
        };
        self.gathered.clear();
        self.gather(single)?;
        self.gathered_array(SEQUENCE | KEEP)
    }
}
