//! What the list operations share: seeing a value as a list, gathering a new one, growing a built one.

use lockgate_model::abi::{CONSTANT_REGION, array};

use crate::arena::Arena;
use crate::datum::{Datum, Span};
use crate::fault::Fault;
use crate::handle::Handle;

/// Flags of [`lockgate_model::abi::array`] as nodes keep them.
pub(super) const SEQUENCE: u8 = array::SEQUENCE as u8;
pub(super) const CONS: u8 = array::CONS as u8;
pub(super) const KEEP: u8 = array::KEEP as u8;
pub(super) const PUBLIC: u8 = SEQUENCE | CONS | KEEP;
/// An open sequence: the one result so far is an array, held as its only item.
pub(super) const ONLY: u8 = 0x80;
/// An open sequence: it had more than one result.
pub(super) const MANY: u8 = 0x40;

/// A value as the list operations see it.
#[derive(Debug, Clone, Copy)]
pub(super) enum List {
    /// Undefined.
    Nothing,
    /// A value that is no array.
    Single(Handle),
    /// An array.
    Items(Items),
}

impl List {
    /// How many elements it has.
    pub(super) fn len(self) -> u32 {
        match self {
            List::Nothing => 0,
            List::Single(_) => 1,
            List::Items(items) => items.len,
        }
    }
}

/// The items of an array.
#[derive(Debug, Clone, Copy)]
pub(super) struct Items {
    pub(super) slot: u16,
    pub(super) at: u32,
    pub(super) len: u32,
    pub(super) flags: u8,
}

impl Arena {
    /// Sees a value as a list. A range is written out first.
    #[inline]
    pub(super) fn list(&mut self, h: Handle) -> Result<List, Fault> {
        Ok(match self.values.datum(h)? {
            Datum::Undefined => List::Nothing,
            Datum::Array { flags, at, len, .. } => List::Items(Items { slot: h.slot(), at, len, flags }),
            Datum::Range { flags, first, len } => {
                let Span { at, len, .. } = self.write_out(h, flags, first, len)?;
                List::Items(Items { slot: h.slot(), at, len, flags })
            }
            _ => List::Single(h),
        })
    }

    /// Writes a range out where it stands.
    #[cold]
    fn write_out(&mut self, h: Handle, flags: u8, first: i64, len: u32) -> Result<Span, Fault> {
        self.meter.charge(len.into())?;
        let region = self.values.region_mut(h)?;
        self.memory.room(&mut region.nodes, len as usize)?;
        self.memory.room(&mut region.items, len as usize)?;
        let at = region.items.len() as u32;
        for step in 0..i64::from(len) {
            let node = region.nodes.len() as u32;
            region.nodes.push(Datum::Float((first + step) as f64));
            region.items.push(Handle::new(h.slot(), region.generation, node));
        }
        self.replace(h, Datum::Array { flags, at, len, room: len })?;
        Ok(Span { at, len, room: len })
    }

    /// Element `i` of a list; a value that is no array is its own only element.
    #[inline]
    pub(super) fn element(&self, list: List, i: u32) -> Handle {
        match list {
            List::Nothing => Handle::UNDEFINED,
            List::Single(single) => single,
            List::Items(items) => self.item(items, i),
        }
    }
    /// Item `i` of an array.
    #[inline]
    pub(super) fn item(&self, items: Items, i: u32) -> Handle {
        self.values.item(items.slot, items.at, i)
    }

    /// Adds one value to what is being gathered.
    #[inline]
    pub(super) fn gather(&mut self, h: Handle) -> Result<(), Fault> {
        self.memory.room(&mut self.gathered, 1)?;
        self.gathered.push(h);
        Ok(())
    }
    /// Adds all items of a list to what is being gathered.
    pub(super) fn gather_items(&mut self, items: Items) -> Result<(), Fault> {
        self.meter.charge(items.len.into())?;
        self.memory.room(&mut self.gathered, items.len as usize)?;
        if let Some(region) = self.values.region(items.slot) {
            self.gathered.extend_from_slice(region.items(items.at, items.len));
        }
        Ok(())
    }
    /// Everything gathered, as one new array in the current region.
    pub(super) fn gathered_array(&mut self, flags: u8) -> Result<Handle, Fault> {
        let Some(region) = self.values.regions.get_mut(usize::from(self.current)) else {
            return Err(Fault::StaleHandle);
        };
        self.memory.room(&mut region.items, self.gathered.len())?;
        let (at, len) = (region.items.len() as u32, self.gathered.len() as u32);
        region.items.extend_from_slice(&self.gathered);
        self.gathered.clear();
        self.put(Datum::Array { flags, at, len, room: len })
    }
    /// Everything gathered, as a sequence is as a value: none is undefined, one stands for itself.
    pub(super) fn gathered_sequence(&mut self) -> Result<Handle, Fault> {
        match self.gathered.as_slice() {
            [] => Ok(Handle::UNDEFINED),
            &[single] => {
                self.gathered.clear();
                Ok(single)
            }
            _ => self.gathered_array(SEQUENCE),
        }
    }

    /// What a value is once an expression ends with it: an empty sequence is undefined, a sequence
    /// of one is its item unless it is to be kept.
    #[inline]
    pub(super) fn settled(&self, h: Handle) -> Result<Handle, Fault> {
        match self.values.datum(h)? {
            Datum::Array { flags, at, len, .. } if flags & SEQUENCE != 0 && len < 2 => Ok(match len {
                0 => Handle::UNDEFINED,
                _ if flags & KEEP != 0 => h,
                _ => self.values.item(h.slot(), at, 0),
            }),
            _ => Ok(h),
        }
    }

    /// Flags and span of an array that is being built.
    #[inline]
    pub(super) fn building(&mut self, a: Handle) -> Result<(u8, Span), Fault> {
        match self.values.datum(a)? {
            Datum::Array { flags, at, len, room } => Ok((flags, Span { at, len, room })),
            Datum::Range { flags, first, len } => Ok((flags, self.write_out(a, flags, first, len)?)),
            _ => Err(Fault::WrongKind),
        }
    }
    /// Adds one item to a built array, which then has these flags.
    #[inline]
    pub(super) fn push_item(&mut self, a: Handle, flags: u8, mut span: Span, item: Handle) -> Result<(), Fault> {
        self.values.region_mut(a)?.push_item(&mut self.memory, &mut span, item)?;
        self.set_span(a, flags, span)
    }
    /// Adds all items of a list to a built array, which then has these flags.
    pub(super) fn push_items(&mut self, a: Handle, flags: u8, mut span: Span, items: Items) -> Result<(), Fault> {
        self.meter.charge(items.len.into())?;
        let region = self.values.region_mut(a)?;
        region.reserve_items(&mut self.memory, &mut span, items.len)?;
        let end = (span.at + span.len) as usize;
        let source = items.at as usize..(items.at + items.len) as usize;
        if items.slot == a.slot() {
            region.items.copy_within(source, end);
        } else if let Some((target, source)) = self.values.items_apart(a.slot(), items.slot, source)
            && let Some(place) = target.get_mut(end..end + source.len())
        {
            place.copy_from_slice(source);
        }
        span.len += items.len;
        self.set_span(a, flags, span)
    }
    pub(super) fn set_span(&mut self, a: Handle, flags: u8, span: Span) -> Result<(), Fault> {
        let Span { at, len, room } = span;
        self.replace(a, Datum::Array { flags, at, len, room })
    }
    /// Adds what `$append` adds: the items of an array, or one item. An empty array takes a range
    /// over as it is.
    pub(super) fn append_to(&mut self, a: Handle, h: Handle) -> Result<(), Fault> {
        let added = self.values.datum(h)?;
        if added.is_undefined() {
            return Ok(());
        }
        let (flags, span) = self.building(a)?;
        if let (0, Datum::Range { first, len, .. }) = (span.len, added) {
            return self.replace(a, Datum::Range { flags, len, first });
        }
        match self.list(h)? {
            List::Nothing => Ok(()),
            List::Single(item) => self.push_item(a, flags, span, item),
            List::Items(items) => self.push_items(a, flags, span, items),
        }
    }
}

impl crate::values::Values {
    /// The items of one region to write, and a span of another's to read.
    fn items_apart(
        &mut self,
        target: u16,
        source: u16,
        range: std::ops::Range<usize>,
    ) -> Option<(&mut [Handle], &[Handle])> {
        if source == CONSTANT_REGION {
            let items = self.constants.region().items.get(range)?;
            return Some((&mut self.regions.get_mut(usize::from(target))?.items, items));
        }
        let [target, source] = self.regions.get_disjoint_mut([usize::from(target), usize::from(source)]).ok()?;
        Some((&mut target.items, source.items.get(range)?))
    }
}
