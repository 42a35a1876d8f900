//! Reading values: from a handle to what it names, across all regions of an arena.

use std::sync::Arc;

use lockgate_model::abi::{CONSTANT_REGION, NODE_FIRST};

use crate::constants::Constants;
use crate::datum::{Datum, Field};
use crate::fault::Fault;
use crate::handle::Handle;
use crate::number::Number;
use crate::region::{LINEAR_MAX, Region};
use crate::text::{Text, same_bytes};

/// Slot of the input region: it lives as long as its arena.
pub(crate) const INPUT_SLOT: u16 = 2;

/// All regions of an arena, by slot, and the module's constants.
pub(crate) struct Values {
    /// Slots 0 (undefined) and 1 (constants) stay empty here.
    pub(crate) regions: Vec<Region>,
    pub(crate) constants: Arc<Constants>,
}

impl Values {
    /// The region in a slot.
    #[inline]
    pub(crate) fn region(&self, slot: u16) -> Option<&Region> {
        if slot == CONSTANT_REGION { Some(self.constants.region()) } else { self.regions.get(usize::from(slot)) }
    }

    /// What a handle names.
    #[inline]
    pub(crate) fn datum(&self, h: Handle) -> Result<Datum, Fault> {
        Ok(self.found(h)?.1)
    }

    /// What a handle names, and the region that holds it.
    #[inline]
    pub(crate) fn found(&self, h: Handle) -> Result<(&Region, Datum), Fault> {
        match self.region(h.slot()) {
            Some(region) if region.generation == h.generation() => match region.nodes.get(h.node() as usize) {
                Some(datum) => Ok((region, *datum)),
                // The undefined handle finds slot 0 empty.
                None if h.is_undefined() => Ok((region, Datum::Undefined)),
                None => Err(Fault::StaleHandle),
            },
            _ => Err(Fault::StaleHandle),
        }
    }

    /// The node of a built value, to change it. Constants never change.
    #[inline]
    pub(crate) fn region_mut(&mut self, h: Handle) -> Result<&mut Region, Fault> {
        match self.regions.get_mut(usize::from(h.slot())) {
            Some(region) if region.generation == h.generation() && !region.nodes.is_empty() => Ok(region),
            _ if h.slot() <= CONSTANT_REGION => Err(Fault::WrongKind),
            _ => Err(Fault::StaleHandle),
        }
    }

    /// The characters of a string.
    #[inline]
    pub(crate) fn str(&self, text: Text) -> &str {
        self.span(text.slot, text.at, text.len)
    }
    #[inline]
    fn span(&self, slot: u16, at: u32, len: u32) -> &str {
        let range = at as usize..at as usize + len as usize;
        self.region(slot).and_then(|region| region.text.get(range)).unwrap_or_default()
    }
    /// The bytes of a string: cheaper than its characters, and enough to compare them.
    #[inline]
    pub(crate) fn bytes(&self, text: Text) -> &[u8] {
        let range = text.at as usize..text.at as usize + text.len as usize;
        self.region(text.slot).and_then(|region| region.text.as_bytes().get(range)).unwrap_or_default()
    }
    /// Do two strings consist of the same characters?
    #[inline]
    pub(crate) fn same_text(&self, a: Text, b: Text) -> bool {
        a.print == b.print
            && a.len == b.len
            && ((a.slot == b.slot && a.at == b.at) || same_bytes(self.bytes(a), self.bytes(b)))
    }

    /// The string constant number `k`.
    #[inline]
    pub(crate) fn constant_text(&self, k: u32) -> Result<Text, Fault> {
        let node = NODE_FIRST.checked_add(k).and_then(|node| self.constants.region().nodes.get(node as usize));
        node.and_then(|datum| datum.as_text()).ok_or(Fault::WrongKind)
    }

    /// The constant number `k` as what a field is read by.
    #[inline]
    pub(crate) fn constant_key(&self, k: u32) -> Result<Key, Fault> {
        let node = NODE_FIRST.checked_add(k).and_then(|node| self.constants.region().nodes.get(node as usize));
        match node {
            Some(&Datum::Text { traits, slot, at, len, print }) => {
                Ok(Key::Field(Text { at, len, print, slot, traits }))
            }
            Some(&Datum::Array { at, len, .. }) if len > 0 => Ok(Key::Path(Path { at, len })),
            _ => Err(Fault::WrongKind),
        }
    }
    /// Field `i` of a path.
    pub(crate) fn field_of_path(&self, path: Path, i: u32) -> Result<Text, Fault> {
        self.datum(self.item(CONSTANT_REGION, path.at, i))?.as_text().ok_or(Fault::WrongKind)
    }

    /// The number, if it is one.
    #[inline]
    pub(crate) fn number(&self, datum: Datum) -> Option<Number<'_>> {
        match datum {
            Datum::Float(value) => Some(Number::Float(value)),
            Datum::Exact { mantissa, scale } => Some(Number::Exact { mantissa, scale }),
            Datum::Lexeme { slot, at, len } => Some(Number::Lexeme(self.span(slot, at, len))),
            _ => None,
        }
    }

    /// Item `i` of the array span `at` of the region in `slot`.
    #[inline]
    pub(crate) fn item(&self, slot: u16, at: u32, i: u32) -> Handle {
        let place = at as usize + i as usize;
        self.region(slot).and_then(|region| region.items.get(place)).copied().unwrap_or(Handle::UNDEFINED)
    }
    /// Field `i` of the object span `at` of the region in `slot`.
    #[inline]
    pub(crate) fn field(&self, slot: u16, at: u32, i: u32) -> Field {
        let place = at as usize + i as usize;
        self.region(slot).and_then(|region| region.fields.get(place)).copied().unwrap_or(Field::BLANK)
    }

    /// The place of a key among `fields`, one after the other.
    #[inline]
    pub(crate) fn position(&self, fields: &[Field], key: Text) -> Option<u32> {
        // The fingerprint first: nearly every other key differs there.
        fields
            .iter()
            .position(|field| field.key.print == key.print && self.same_text(field.key, key))
            .map(|place| place as u32)
    }

    /// The place of a key in an object that has an index or few fields; `Err` when it wants an index first.
    #[inline]
    pub(crate) fn locate(&self, region: &Region, object: Object, key: Text) -> Result<Option<u32>, NoIndex> {
        let fields = region.fields(object.at, object.len);
        if object.len <= LINEAR_MAX {
            return Ok(self.position(fields, key));
        }
        let Some(index) = usize::from(object.index).checked_sub(1).and_then(|index| region.indexes.get(index)) else {
            return Err(NoIndex);
        };
        let is_it = |at: u32| fields.get(at as usize).is_some_and(|field| self.same_text(field.key, key));
        Ok(index.find(index.hash(self.str(key)), is_it))
    }
}

/// A constant by which a field is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Key {
    /// A field of the value.
    Field(Text),
    /// Fields of fields.
    Path(Path),
}

/// Names of fields, one inside the other: a span of items of the constants, at least one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Path {
    pub(crate) at: u32,
    pub(crate) len: u32,
}

/// The parts of an object's node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Object {
    pub(crate) index: u16,
    pub(crate) at: u32,
    pub(crate) len: u32,
}

/// An object of many fields has no index yet.
pub(crate) struct NoIndex;
