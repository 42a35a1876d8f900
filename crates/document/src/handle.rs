//! Handles: how a module and the host name a value without holding it.

use std::fmt;

use lockgate_model::abi;

/// Names one value of one arena: node (32 bits), region slot (16), generation of the region (16).
///
/// A handle is only a number: it may be kept, compared and sent through wasm. Whether it still
/// names a value is asked at each use ([`Fault::StaleHandle`](crate::Fault::StaleHandle)).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Handle(i64);

impl Handle {
    /// *Undefined*: no value.
    pub const UNDEFINED: Handle = Handle(abi::UNDEFINED);
    /// The value `null`.
    pub const NULL: Handle = Handle(abi::constant_node(abi::NODE_NULL));
    /// The value `false`.
    pub const FALSE: Handle = Handle(abi::constant_node(abi::NODE_FALSE));
    /// The value `true`.
    pub const TRUE: Handle = Handle(abi::constant_node(abi::NODE_TRUE));

    /// The handle with this wire form.
    #[inline]
    pub const fn from_raw(raw: i64) -> Handle {
        Handle(raw)
    }
    /// The wire form.
    #[inline]
    pub const fn raw(self) -> i64 {
        self.0
    }
    /// The module's constant number `index`.
    #[inline]
    pub const fn constant(index: u32) -> Handle {
        Handle(abi::constant(index))
    }
    /// `true` or `false`.
    #[inline]
    pub const fn boolean(value: bool) -> Handle {
        if value { Handle::TRUE } else { Handle::FALSE }
    }
    /// Is this *undefined*?
    #[inline]
    pub const fn is_undefined(self) -> bool {
        self.0 == abi::UNDEFINED
    }

    #[inline]
    pub(crate) const fn new(slot: u16, generation: u16, node: u32) -> Handle {
        Handle(((generation as i64) << 48) | ((slot as i64) << 32) | node as i64)
    }
    #[inline]
    pub(crate) const fn node(self) -> u32 {
        self.0 as u32
    }
    #[inline]
    pub(crate) const fn slot(self) -> u16 {
        (self.0 >> 32) as u16
    }
    #[inline]
    pub(crate) const fn generation(self) -> u16 {
        (self.0 >> 48) as u16
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}:{}", self.slot(), self.generation(), self.node())
    }
}

/// Names a region of an arena from `open_region` to `close_region`, whatever happens to its
/// handles in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RegionId(pub(crate) u32);
