//! Moving values between regions and arenas.
//!
//! Inside an arena only what would otherwise be lost is copied; between arenas everything is.

use lockgate_model::{Limits, abi::CONSTANT_REGION};

use crate::arena::{Arena, Shared};
use crate::datum::{Datum, Field};
use crate::document::Document;
use crate::fault::Fault;
use crate::handle::{Handle, RegionId};
use crate::memory::Memory;
use crate::meter::Meter;
use crate::node::Node;
use crate::region::Region;
use crate::text::Text;
use crate::values::{INPUT_SLOT, Values};

impl Arena {
    /// A value that lives as long as the region `to`: what `to`, its ancestors, the input and the
    /// constants hold is shared, the rest is copied. The copy is charged.
    ///
    /// A function value is [`Fault::FunctionValue`]; what nests deeper than `depth_max` is
    /// [`Fault::DepthExceeded`].
    pub fn copy_into(&mut self, h: Handle, to: RegionId) -> Result<Handle, Fault> {
        let slot = self.slot_of(to)?;
        let shared = self.slots_shared_with(to);
        if shared.holds(h.slot()) {
            return self.only_data(h);
        }
        let Some(place) = self.values.regions.get_mut(usize::from(slot)) else { return Err(Fault::StaleHandle) };
        // The target leaves the list while values of the others are written into it.
        let mut target = std::mem::take(place);
        let result = Copier {
            from: &self.values,
            shared: &shared,
            target: &mut target,
            slot,
            memory: &mut self.memory,
            meter: &mut self.meter,
        }
        .copy(h, self.depth_max);
        if let Some(place) = self.values.regions.get_mut(usize::from(slot)) {
            *place = target;
        }
        result
    }

    /// Whether a value lives as long as the region `to` as it is: it lies there, with all it contains,
    /// or is shared. Faults as [`Arena::copy_into`] does.
    pub fn lies_in(&mut self, h: Handle, to: RegionId) -> Result<bool, Fault> {
        let slot = self.slot_of(to)?;
        let shared = self.slots_shared_with(to);
        if h.slot() != slot {
            return Ok(false);
        }
        // What is shared within a value is met more than once: past the region's own size it is copied,
        // which ends where memory does.
        let region = self.values.region(slot).ok_or(Fault::StaleHandle)?;
        let mut left = region.nodes.len() + region.items.len() + region.fields.len() + 1;
        lies_in(&self.values, &mut self.meter, &shared, &mut left, h, self.depth_max)
    }

    /// A shared value is taken as it is, unless it is no data at all.
    fn only_data(&self, h: Handle) -> Result<Handle, Fault> {
        match self.values.datum(h)? {
            Datum::Function { .. } | Datum::Env { .. } => Err(Fault::FunctionValue),
            _ => Ok(h),
        }
    }

    /// Takes over a document from outside, such as a connector's answer, into the region `to`. Charged.
    pub fn import(&mut self, from: &Document, to: RegionId) -> Result<Handle, Fault> {
        let slot = self.slot_of(to)?;
        let (arena, root) = from.parts();
        if root.slot() != INPUT_SLOT {
            return self.import_copy(arena, root, slot);
        }
        let source = arena;
        let Some(source) = source.values.region(INPUT_SLOT) else { return Err(Fault::StaleHandle) };
        self.meter.charge_bytes(source.text.len())?;
        self.meter.charge(source.nodes.len() as u64 + source.items.len() as u64 + source.fields.len() as u64)?;
        let Some(target) = self.values.regions.get_mut(usize::from(slot)) else { return Err(Fault::StaleHandle) };
        absorb(source, target, slot, &mut self.memory).map(|moved| moved.handle(root))
    }

    /// The same for a document whose values lie in several regions.
    fn import_copy(&mut self, from: &Arena, root: Handle, slot: u16) -> Result<Handle, Fault> {
        let Some(target) = self.values.regions.get_mut(usize::from(slot)) else { return Err(Fault::StaleHandle) };
        let (memory, meter) = (&mut self.memory, &mut self.meter);
        Copier { from: &from.values, shared: &Shared::NONE, target, slot, memory, meter }.copy(root, self.depth_max)
    }

    /// A copy of a value that lives by itself: a connector's input, a run's output.
    ///
    /// A function value is [`Fault::FunctionValue`].
    pub fn export(&self, h: Handle, limits: &Limits) -> Result<Document, Fault> {
        let mut arena = Arena::new(limits);
        // A stale handle is a fault here, not undefined.
        self.values.datum(h)?;
        let root = arena.copy_node(self.view(h))?;
        Ok(Document::from_parts(arena, root))
    }

    /// A copy of a value of another arena in the input region.
    pub(crate) fn copy_node(&mut self, node: Node<'_>) -> Result<Handle, Fault> {
        let Some(target) = self.values.regions.get_mut(usize::from(INPUT_SLOT)) else {
            return Err(Fault::StaleHandle);
        };
        Copier {
            from: node.values,
            shared: &Shared::NONE,
            target,
            slot: INPUT_SLOT,
            memory: &mut self.memory,
            meter: &mut self.meter,
        }
        .copy_datum(node.slot, node.datum, self.depth_max)
    }
}

/// Copies values into one region.
struct Copier<'a> {
    from: &'a Values,
    /// Slots whose values are not copied.
    shared: &'a Shared,
    target: &'a mut Region,
    slot: u16,
    memory: &'a mut Memory,
    meter: &'a mut Meter,
}

impl Copier<'_> {
    fn copy(&mut self, h: Handle, depth: u32) -> Result<Handle, Fault> {
        if self.shared.holds(h.slot()) {
            return Ok(h);
        }
        self.copy_datum(h.slot(), self.from.datum(h)?, depth)
    }

    fn copy_datum(&mut self, from: u16, datum: Datum, depth: u32) -> Result<Handle, Fault> {
        self.meter.charge(1)?;
        let copy = match datum {
            Datum::Undefined => return Ok(Handle::UNDEFINED),
            Datum::Null => return Ok(Handle::NULL),
            Datum::False => return Ok(Handle::FALSE),
            Datum::True => return Ok(Handle::TRUE),
            Datum::Function { .. } | Datum::Env { .. } => return Err(Fault::FunctionValue),
            number @ (Datum::Exact { .. } | Datum::Float(_) | Datum::Range { .. }) => number,
            Datum::Lexeme { slot, at, len } => {
                let text = self.text(Text { slot, at, len, ..Text::EMPTY })?;
                Datum::Lexeme { slot: text.slot, at: text.at, len }
            }
            Datum::Text { traits, slot, at, len, print } => {
                Datum::text(self.text(Text { at, len, print, slot, traits })?)
            }
            Datum::Array { flags, at, len, .. } => {
                let depth = depth.checked_sub(1).ok_or(Fault::DepthExceeded)?;
                let place = self.target.items.len();
                self.memory.room(&mut self.target.items, len as usize)?;
                self.target.items.resize(place + len as usize, Handle::UNDEFINED);
                for i in 0..len {
                    let item = self.copy(self.from.item(from, at, i), depth)?;
                    if let Some(free) = self.target.items.get_mut(place + i as usize) {
                        *free = item;
                    }
                }
                Datum::Array { flags, at: place as u32, len, room: len }
            }
            Datum::Object { at, len, .. } => {
                let depth = depth.checked_sub(1).ok_or(Fault::DepthExceeded)?;
                let place = self.target.fields.len();
                self.memory.room(&mut self.target.fields, len as usize)?;
                self.target.fields.resize(place + len as usize, Field::BLANK);
                for i in 0..len {
                    let field = self.from.field(from, at, i);
                    let copy = Field { key: self.text(field.key)?, value: self.copy(field.value, depth)? };
                    if let Some(free) = self.target.fields.get_mut(place + i as usize) {
                        *free = copy;
                    }
                }
                Datum::Object { index: 0, at: place as u32, len, room: len }
            }
        };
        let node = self.target.push(self.memory, copy)?;
        Ok(Handle::new(self.slot, self.target.generation, node))
    }

    /// The same characters where the target may point to.
    fn text(&mut self, text: Text) -> Result<Text, Fault> {
        if self.shared.holds(text.slot) {
            return Ok(text);
        }
        self.meter.charge_bytes(text.len as usize)?;
        self.memory.room_text(&mut self.target.text, text.len as usize)?;
        let at = self.target.text.len() as u32;
        self.target.text.push_str(self.from.str(text));
        Ok(Text { at, slot: self.slot, ..text })
    }
}

/// Whether a value and all it contains lies where `shared` says; what lies in regions of the input or
/// the constants does so altogether.
fn lies_in(
    values: &Values,
    meter: &mut Meter,
    shared: &Shared,
    left: &mut usize,
    h: Handle,
    depth: u32,
) -> Result<bool, Fault> {
    meter.charge(1)?;
    match left.checked_sub(1) {
        Some(less) => *left = less,
        None => return Ok(false),
    }
    if h.slot() == INPUT_SLOT || h.slot() == CONSTANT_REGION {
        return Ok(true);
    }
    if !shared.holds(h.slot()) {
        return Ok(h.is_undefined());
    }
    let (region, datum) = values.found(h)?;
    match datum {
        Datum::Function { .. } | Datum::Env { .. } => Err(Fault::FunctionValue),
        Datum::Text { slot, len, .. } | Datum::Lexeme { slot, len, .. } => Ok(len == 0 || shared.holds(slot)),
        Datum::Array { at, len, .. } => {
            let depth = depth.checked_sub(1).ok_or(Fault::DepthExceeded)?;
            for item in region.items(at, len) {
                if !lies_in(values, meter, shared, left, *item, depth)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Datum::Object { at, len, .. } => {
            let depth = depth.checked_sub(1).ok_or(Fault::DepthExceeded)?;
            for field in region.fields(at, len) {
                let key = field.key.len == 0 || shared.holds(field.key.slot);
                if !key || !lies_in(values, meter, shared, left, field.value, depth)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        _ => Ok(true),
    }
}

/// How far values moved that were absorbed.
struct Moved {
    slot: u16,
    generation: u16,
    nodes: u32,
}

impl Moved {
    /// Where the value with this handle is now. Literals stand where they always do.
    fn handle(&self, h: Handle) -> Handle {
        if h.slot() != INPUT_SLOT { h } else { Handle::new(self.slot, self.generation, h.node() + self.nodes) }
    }
}

/// Appends a whole region of a document: node by node, without following a single handle.
///
/// A document's values lie in its input region, apart from the literals.
fn absorb(source: &Region, target: &mut Region, slot: u16, memory: &mut Memory) -> Result<Moved, Fault> {
    memory.room(&mut target.nodes, source.nodes.len())?;
    memory.room(&mut target.items, source.items.len())?;
    memory.room(&mut target.fields, source.fields.len())?;
    memory.room_text(&mut target.text, source.text.len())?;
    let (items, fields, text) = (target.items.len() as u32, target.fields.len() as u32, target.text.len() as u32);
    let moved = Moved { slot, generation: target.generation, nodes: target.nodes.len() as u32 };
    target.text.push_str(&source.text);
    target.items.extend(source.items.iter().map(|&item| moved.handle(item)));
    target.fields.extend(source.fields.iter().map(|field| Field {
        key: Text { slot, at: field.key.at + text, ..field.key },
        value: moved.handle(field.value),
    }));
    target.nodes.extend(source.nodes.iter().map(|&datum| match datum {
        Datum::Text { traits, at, len, print, .. } => Datum::Text { traits, slot, at: at + text, len, print },
        Datum::Lexeme { at, len, .. } => Datum::Lexeme { slot, at: at + text, len },
        Datum::Array { flags, at, len, .. } => Datum::Array { flags, at: at + items, len, room: len },
        // An index goes by the hash of its own arena's reader; it is made again when asked for.
        Datum::Object { at, len, .. } => Datum::Object { index: 0, at: at + fields, len, room: len },
        other => other,
    }));
    Ok(moved)
}

#[cfg(test)]
mod tests;
