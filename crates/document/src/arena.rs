//! The arena of a run: regions that open and close, what memory they may take, what work may cost.

use std::fmt;
use std::sync::Arc;

use lockgate_model::abi::CONSTANT_REGION;
use lockgate_model::{Limits, Timestamp};

use crate::constants::Constants;
use crate::datum::Datum;
use crate::document::Document;
use crate::fault::{ExpressionError, Fault};
use crate::handle::{Handle, RegionId};
use crate::json::Pending;
use crate::memory::Memory;
use crate::meter::Meter;
use crate::region::Region;
use crate::standard::Code;
use crate::text::Text;
use crate::values::{INPUT_SLOT, Values};

/// Whatever the limits say, values nest no deeper: what recurses over them must not end the stack.
pub(crate) const DEPTH_CEILING: u32 = 256;
/// The generation that a slot never leaves: no handle is ever made with it.
const WORN_OUT: u16 = u16::MAX;

/// The values of one run, or of one [`Document`](crate::Document).
///
/// New values go to the *current* region ([`enter`](Arena::enter)); at the start that is the input
/// region. Built arrays and objects grow in the region of their own. Its `Debug` text shows no data.
pub struct Arena {
    pub(crate) values: Values,
    pub(crate) memory: Memory,
    pub(crate) meter: Meter,
    /// Slot of the current region, cached from `places`.
    pub(crate) current: u16,
    current_id: u32,
    places: Vec<Place>,
    /// Ids of closed regions, and slots that may be used again.
    ids_free: Vec<u32>,
    slots_free: Vec<u16>,
    /// Bytes that closed regions keep reserved.
    idle_bytes: u64,
    pub(crate) depth_max: u32,
    pub(crate) now: Timestamp,
    /// Where lists are gathered before they become one span.
    pub(crate) gathered: Vec<Handle>,
    pub(crate) pending: Pending,
}

/// Where a region lives.
#[derive(Debug, Clone, Copy)]
struct Place {
    slot: u16,
    parent: u32,
    is_open: bool,
}

/// The input region's id.
const INPUT: u32 = 0;

/// Slots whose values need no copy. More ancestors than it holds are copied from: that is safe, and rare.
pub(crate) struct Shared {
    slots: [u16; Shared::MAX],
    /// The same below 64, a bit each.
    low: u64,
}

impl Shared {
    const MAX: usize = 16;
    /// Nothing but undefined.
    pub(crate) const NONE: Shared = Shared { slots: [0; Shared::MAX], low: 1 };

    #[inline]
    pub(crate) fn holds(&self, slot: u16) -> bool {
        if slot < 64 { self.low >> slot & 1 != 0 } else { self.slots.contains(&slot) }
    }
}

impl Arena {
    /// An empty arena under these limits: `arena_bytes_max`, `cost_max` and `depth_max` (256 at most).
    pub fn new(limits: &Limits) -> Arena {
        let mut regions = Vec::with_capacity(6);
        regions.resize_with(usize::from(INPUT_SLOT) + 1, Region::default);
        let mut places = Vec::with_capacity(4);
        places.push(Place { slot: INPUT_SLOT, parent: INPUT, is_open: true });
        Arena {
            values: Values { regions, constants: Constants::none() },
            memory: Memory::new(limits.arena_bytes_max),
            meter: Meter::new(limits.cost_max),
            current: INPUT_SLOT,
            current_id: INPUT,
            places,
            ids_free: Vec::new(),
            slots_free: Vec::new(),
            idle_bytes: 0,
            depth_max: limits.depth_max.min(DEPTH_CEILING),
            now: Timestamp(0),
            gathered: Vec::new(),
            pending: Pending::default(),
        }
    }

    /// An empty arena under the same limits.
    pub(crate) fn alike(&self) -> Arena {
        Arena::new(&Limits { arena_bytes_max: self.memory.max(), depth_max: self.depth_max, ..Limits::default() })
    }

    /// All of it as a document that is this value, without a copy; nothing is left here but what was
    /// charged and reserved.
    pub fn hand_over(self: &mut Box<Arena>, h: Handle) -> Document {
        let left = Box::new(Arena {
            values: Values { regions: Vec::new(), constants: Constants::none() },
            memory: self.memory.spent(),
            meter: self.meter,
            current: INPUT_SLOT,
            current_id: INPUT,
            places: Vec::new(),
            ids_free: Vec::new(),
            slots_free: Vec::new(),
            idle_bytes: 0,
            depth_max: self.depth_max,
            now: self.now,
            gathered: Vec::new(),
            pending: Pending::default(),
        });
        Document::from_boxed(std::mem::replace(self, left), h)
    }

    /// Puts other limits in force, for a document that becomes a run's arena. What is already held stays.
    pub fn set_limits(&mut self, limits: &Limits) {
        self.memory.set_max(limits.arena_bytes_max);
        self.meter.set_budget(limits.cost_max);
        self.depth_max = limits.depth_max.min(DEPTH_CEILING);
    }
    /// Gives the arena the constants of the module that will run on it.
    pub fn set_constants(&mut self, constants: Arc<Constants>) {
        self.values.constants = constants;
    }
    /// Fixes what `now` answers.
    pub fn set_now(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// Charges units of work; [`Fault::CostExceeded`] past the budget.
    #[inline]
    pub fn charge(&mut self, units: u64) -> Result<(), Fault> {
        self.meter.charge(units)
    }
    /// Units charged so far.
    pub fn charged(&self) -> u64 {
        self.meter.charged()
    }
    /// Sets how many units may be charged in all.
    pub fn set_budget(&mut self, units_max: u64) {
        self.meter.set_budget(units_max);
    }
    /// Counts bytes that a run holds elsewhere: [`Fault::ArenaFull`] past the limit.
    pub fn hold(&mut self, bytes: u64) -> Result<(), Fault> {
        self.memory.claim(bytes)
    }
    /// Gives such bytes back.
    pub fn release(&mut self, bytes: u64) {
        self.memory.release(bytes);
    }
    /// Bytes reserved now.
    pub fn bytes_used(&self) -> u64 {
        self.memory.used()
    }
    /// Most bytes that were ever reserved.
    pub fn bytes_peak(&self) -> u64 {
        self.memory.peak()
    }

    /// The region that lives as long as the arena.
    pub fn input_region(&self) -> RegionId {
        RegionId(INPUT)
    }

    /// Bytes that a region reserves.
    pub fn region_bytes(&self, region: RegionId) -> u64 {
        let place = self.places.get(region.0 as usize).filter(|place| place.is_open);
        place.and_then(|place| self.values.region(place.slot)).map_or(0, Region::bytes)
    }

    /// Opens a region whose values may share what `parent` and its ancestors hold.
    pub fn open_region(&mut self, parent: RegionId) -> Result<RegionId, Fault> {
        let slot = self.take_slot()?;
        let place = Place { slot, parent: parent.0, is_open: true };
        let id = match self.ids_free.pop() {
            Some(id) => {
                if let Some(free) = self.places.get_mut(id as usize) {
                    *free = place;
                }
                id
            }
            None => {
                self.places.push(place);
                self.places.len() as u32 - 1
            }
        };
        Ok(RegionId(id))
    }

    fn take_slot(&mut self) -> Result<u16, Fault> {
        if let Some(slot) = self.slots_free.pop() {
            let kept = self.values.region(slot).map_or(0, Region::bytes);
            self.idle_bytes = self.idle_bytes.saturating_sub(kept);
            return Ok(slot);
        }
        let slot = u16::try_from(self.values.regions.len()).map_err(|_| Fault::RegionsExhausted)?;
        self.values.regions.push(Region::default());
        Ok(slot)
    }

    /// Closes a region: its handles are stale from now on. The input region stays; closing twice is harmless.
    pub fn close_region(&mut self, region: RegionId) {
        let Some(place) = self.places.get_mut(region.0 as usize).filter(|place| place.is_open) else { return };
        if region.0 == INPUT {
            return;
        }
        place.is_open = false;
        let Place { slot, parent, .. } = *place;
        if self.current_id == region.0 {
            self.enter(RegionId(parent));
        }
        let keep_max = self.memory.max() / 8;
        if let Some(closed) = self.values.regions.get_mut(usize::from(slot)) {
            closed.generation = closed.generation.saturating_add(1);
            closed.empty(&mut self.memory);
            if closed.generation == WORN_OUT || self.idle_bytes.saturating_add(closed.bytes()) > keep_max {
                closed.discard(&mut self.memory);
            }
            self.idle_bytes = self.idle_bytes.saturating_add(closed.bytes());
            if closed.generation != WORN_OUT {
                self.slots_free.push(slot);
            }
        }
        self.ids_free.push(region.0);
    }

    /// Empties a region and leaves it open: its handles are stale from now on, its buffers are used again.
    /// The input region is left alone.
    pub fn clear_region(&mut self, region: RegionId) {
        let Some(&Place { slot, is_open: true, .. }) = self.places.get(region.0 as usize) else { return };
        if region.0 == INPUT {
            return;
        }
        let keep_max = self.memory.max() / 8;
        let Some(cleared) = self.values.regions.get_mut(usize::from(slot)) else { return };
        cleared.generation = cleared.generation.saturating_add(1);
        cleared.empty(&mut self.memory);
        if cleared.generation == WORN_OUT {
            cleared.discard(&mut self.memory);
            self.move_out(region);
        } else if cleared.bytes() > keep_max {
            cleared.discard(&mut self.memory);
        }
    }

    /// Gives a region another slot because its own is worn out.
    #[cold]
    fn move_out(&mut self, region: RegionId) {
        match self.take_slot() {
            Ok(slot) => {
                if let Some(place) = self.places.get_mut(region.0 as usize) {
                    place.slot = slot;
                }
                if self.current_id == region.0 {
                    self.current = slot;
                }
            }
            // After some four thousand million clearings: no more memory for this arena.
            Err(_) => self.memory.set_max(0),
        }
    }

    /// Makes a region current; answers which one was.
    pub fn enter(&mut self, region: RegionId) -> RegionId {
        let before = RegionId(self.current_id);
        if let Some(place) = self.places.get(region.0 as usize).filter(|place| place.is_open) {
            self.current = place.slot;
            self.current_id = region.0;
        }
        before
    }

    /// The slot of an open region.
    pub(crate) fn slot_of(&self, region: RegionId) -> Result<u16, Fault> {
        let place = self.places.get(region.0 as usize).filter(|place| place.is_open);
        place.map(|place| place.slot).ok_or(Fault::StaleHandle)
    }

    /// The slots whose values a region may point to: its own, its ancestors', input and constants.
    pub(crate) fn slots_shared_with(&self, region: RegionId) -> Shared {
        let mut shared = Shared { slots: [CONSTANT_REGION; Shared::MAX], low: 0 };
        let [_, input, ancestors @ ..] = &mut shared.slots;
        *input = INPUT_SLOT;
        let mut next = region.0;
        for slot in ancestors {
            let Some(place) = self.places.get(next as usize).filter(|place| place.is_open) else { break };
            *slot = place.slot;
            if next == INPUT {
                break;
            }
            next = place.parent;
        }
        shared.low = shared.slots.iter().filter(|slot| **slot < 64).fold(0, |low, slot| low | 1 << slot);
        shared
    }

    /// A new node in the current region.
    #[inline]
    pub(crate) fn put(&mut self, datum: Datum) -> Result<Handle, Fault> {
        let Some(region) = self.values.regions.get_mut(usize::from(self.current)) else {
            return Err(Fault::StaleHandle);
        };
        let node = region.push(&mut self.memory, datum)?;
        Ok(Handle::new(self.current, region.generation, node))
    }

    /// Puts another datum in the place of a built one.
    #[inline]
    pub(crate) fn replace(&mut self, h: Handle, datum: Datum) -> Result<(), Fault> {
        let region = self.values.region_mut(h)?;
        *region.nodes.get_mut(h.node() as usize).ok_or(Fault::StaleHandle)? = datum;
        Ok(())
    }

    /// A new string in the current region.
    pub fn new_text(&mut self, text: &str) -> Result<Handle, Fault> {
        let text = self.write(text)?;
        self.put(Datum::text(text))
    }

    /// Writes characters into the current region.
    pub(crate) fn write(&mut self, text: &str) -> Result<Text, Fault> {
        let Some(region) = self.values.regions.get_mut(usize::from(self.current)) else {
            return Err(Fault::StaleHandle);
        };
        self.memory.room_text(&mut region.text, text.len())?;
        let at = region.text.len() as u32;
        region.text.push_str(text);
        Ok(Text::of(self.current, at, text.as_bytes()))
    }

    /// The standard error for a value, which the caller may see.
    #[cold]
    pub(crate) fn complain(&self, code: Code, argument: Option<u32>, value: Handle) -> Fault {
        Fault::Expression(Box::new(ExpressionError::new(code, argument, self.excerpt(value))))
    }
}

impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Arena({} regions, {} bytes, {} units)", self.places.len(), self.bytes_used(), self.charged())
    }
}

#[cfg(test)]
mod tests;
