//! The slots of a strand: what outlives a suspend.
//!
//! A value slot owns its value: each has a region of its own, whose parent is the frame's region.
//! Setting a slot copies into a fresh region, or takes scratch as it is, and closes the old one, so
//! that a loop's carry holds one generation, however often it turns. What the constants and the input hold is shared.
//! Everything else is made in the scratch region, which is emptied when a task begins.

use lockgate_document::{Arena, Document, Fault, Handle, RegionId};
use lockgate_model::abi;

use crate::strand::Strand;

/// The slots and regions of one strand.
pub(crate) struct Frame {
    values: Vec<Slot>,
    ints: Vec<i64>,
    /// Parent of the slots' regions and of scratch; child of the input's.
    region: RegionId,
    scratch: RegionId,
    /// Bytes that the arena counts for it.
    held: u64,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    value: Handle,
    /// None where nothing of the value is the slot's own.
    region: Option<RegionId>,
}

/// Bytes of scratch that a slot may keep for its value.
const TAKEN_MAX: u64 = 4 << 10;

const EMPTY: Slot = Slot { value: Handle::UNDEFINED, region: None };

impl Frame {
    /// Opens the regions and puts the input, which the arena's input region holds, in its slot.
    pub(crate) fn open(arena: &mut Arena, layout: &abi::Frame, input: Handle) -> Result<Self, Fault> {
        let region = arena.open_region(arena.input_region())?;
        let scratch = arena.open_region(region)?;
        arena.enter(scratch);
        let mut values = vec![EMPTY; layout.values as usize];
        if let Some(slot) = values.get_mut(layout.input as usize) {
            slot.value = input;
        }
        Ok(Self { values, ints: vec![0; layout.ints as usize], region, scratch, held: 0 })
    }

    /// The frame of a branch: it reads what this one's slots hold and writes its own.
    pub(crate) fn branch(&self, arena: &mut Arena) -> Result<Self, Fault> {
        arena.hold(self.bytes())?;
        let values = self.values.iter().map(|slot| Slot { region: None, ..*slot }).collect();
        let open = |arena: &mut Arena| {
            let region = arena.open_region(self.region)?;
            Ok((region, arena.open_region(region).inspect_err(|_| arena.close_region(region))?))
        };
        match open(arena) {
            Ok((region, scratch)) => Ok(Self { values, ints: self.ints.clone(), region, scratch, held: self.bytes() }),
            Err(fault) => {
                arena.release(self.bytes());
                Err(fault)
            }
        }
    }

    /// Bytes of its slots.
    fn bytes(&self) -> u64 {
        (size_of::<Strand>() + self.values.len() * size_of::<Slot>() + self.ints.len() * size_of::<i64>()) as u64
    }

    /// Everything that its slots hold goes.
    pub(crate) fn close(self, arena: &mut Arena) {
        for region in self.values.iter().filter_map(|slot| slot.region).chain([self.scratch, self.region]) {
            arena.close_region(region);
        }
        arena.release(self.held);
    }

    /// New values go to its scratch.
    pub(crate) fn enter(&self, arena: &mut Arena) {
        arena.enter(self.scratch);
    }

    /// A region beside its slots'.
    pub(crate) fn open_region(&self, arena: &mut Arena) -> Result<RegionId, Fault> {
        arena.open_region(self.region)
    }

    /// A document as a value of scratch.
    pub(crate) fn import_to_scratch(&self, arena: &mut Arena, document: &Document) -> Result<Handle, Fault> {
        arena.import(document, self.scratch)
    }

    /// A value as one of scratch.
    pub(crate) fn put_in_scratch(&self, arena: &mut Arena, h: Handle) -> Result<Handle, Fault> {
        arena.copy_into(h, self.scratch)
    }

    /// Slot `n` holds a value from now on that lies in a region of its own.
    pub(crate) fn take_in(&mut self, arena: &mut Arena, n: u32, value: Handle, region: RegionId) {
        self.replace(arena, n, Slot { value, region: Some(region) });
    }

    pub(crate) fn has_value(&self, n: u32) -> bool {
        self.values.len() > n as usize
    }

    pub(crate) fn value(&self, n: u32) -> Option<Handle> {
        self.values.get(n as usize).map(|slot| slot.value)
    }

    /// Puts `h` into slot `n`, copied where it would not last; a slot that does not exist is left alone.
    ///
    /// A value that was made in scratch alone takes scratch with it, temporaries and all, when those are
    /// few or, in the only task of a module, soon gone.
    pub(crate) fn set_value(&mut self, arena: &mut Arena, n: u32, h: Handle, only: bool) -> Result<(), Fault> {
        if lasts(h) {
            self.replace(arena, n, Slot { value: h, region: None });
            return Ok(());
        }
        if self.has_value(n)
            && (only || arena.region_bytes(self.scratch) <= TAKEN_MAX)
            && arena.lies_in(h, self.scratch)?
        {
            let scratch = arena.open_region(self.region)?;
            let taken = std::mem::replace(&mut self.scratch, scratch);
            arena.enter(scratch);
            self.replace(arena, n, Slot { value: h, region: Some(taken) });
            return Ok(());
        }
        self.put(arena, n, |arena, region| arena.copy_into(h, region))
    }

    /// Copies a document into slot `n`.
    pub(crate) fn import(&mut self, arena: &mut Arena, n: u32, document: &Document) -> Result<(), Fault> {
        self.put(arena, n, |arena, region| arena.import(document, region))
    }

    pub(crate) fn int(&self, n: u32) -> Option<i64> {
        self.ints.get(n as usize).copied()
    }

    pub(crate) fn ints(&self) -> &[i64] {
        &self.ints
    }

    pub(crate) fn set_int(&mut self, n: u32, value: i64) -> Option<()> {
        *self.ints.get_mut(n as usize)? = value;
        Some(())
    }

    pub(crate) fn clear_scratch(&mut self, arena: &mut Arena) {
        arena.clear_region(self.scratch);
    }

    fn put(
        &mut self,
        arena: &mut Arena,
        n: u32,
        copy: impl FnOnce(&mut Arena, RegionId) -> Result<Handle, Fault>,
    ) -> Result<(), Fault> {
        if !self.has_value(n) {
            return Ok(());
        }
        let region = arena.open_region(self.region)?;
        // The new value is whole before the old one goes: it may be a part of it.
        let value = match copy(arena, region) {
            Ok(value) => value,
            Err(fault) => {
                arena.close_region(region);
                return Err(fault);
            }
        };
        self.replace(arena, n, Slot { value, region: Some(region) });
        Ok(())
    }

    fn replace(&mut self, arena: &mut Arena, n: u32, new: Slot) {
        let Some(slot) = self.values.get_mut(n as usize) else { return };
        if let Some(region) = std::mem::replace(slot, new).region {
            arena.close_region(region);
        }
    }
}

/// Undefined and constants need no owner.
fn lasts(h: Handle) -> bool {
    h.is_undefined() || (h.raw() >> 32) & 0xffff == i64::from(abi::CONSTANT_REGION)
}
