//! What one node of a region holds: sixteen bytes.

use crate::handle::Handle;
use crate::text::Text;

/// A value. Children are full handles, so values are shared between regions and never copied to
/// become part of another.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Datum {
    Undefined,
    Null,
    False,
    True,
    /// An untouched number in plain notation: `mantissa` without the point, `scale` digits after it.
    /// Its lexeme follows from the two.
    Exact {
        scale: u8,
        mantissa: i64,
    },
    /// Any other untouched number: its lexeme.
    Lexeme {
        slot: u16,
        at: u32,
        len: u32,
    },
    /// A computed number; finite.
    Float(f64),
    /// See [`Text`].
    Text {
        traits: u8,
        slot: u16,
        at: u32,
        len: u32,
        print: u32,
    },
    /// A span of the region's items; `room` of them are its own.
    Array {
        flags: u8,
        at: u32,
        len: u32,
        room: u32,
    },
    /// The whole numbers from `first` on, not yet written out: a range of ten million is one node.
    Range {
        flags: u8,
        len: u32,
        first: i64,
    },
    /// A span of the region's fields; `index` is the number of its key index, or 0.
    Object {
        index: u16,
        at: u32,
        len: u32,
        room: u32,
    },
    /// An environment: a span of the region's items, the parent first.
    Env {
        at: u32,
        len: u32,
    },
    /// A function value.
    Function {
        arity: u16,
        number: u32,
        env: Handle,
    },
}

const _: () = assert!(size_of::<Datum>() == 16);

/// One entry of an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) key: Text,
    pub(crate) value: Handle,
}

const _: () = assert!(size_of::<Field>() == 24);

impl Field {
    /// What stands in reserved places.
    pub(crate) const BLANK: Field = Field { key: Text::EMPTY, value: Handle::UNDEFINED };
}

/// A growable span of items or fields.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) at: u32,
    pub(crate) len: u32,
    pub(crate) room: u32,
}

impl Datum {
    /// The node of a string.
    #[inline]
    pub(crate) fn text(text: Text) -> Datum {
        let Text { at, len, print, slot, traits } = text;
        Datum::Text { traits, slot, at, len, print }
    }
    /// Is it no value?
    #[inline]
    pub(crate) fn is_undefined(self) -> bool {
        matches!(self, Datum::Undefined)
    }
    /// The string, if it is one.
    #[inline]
    pub(crate) fn as_text(self) -> Option<Text> {
        match self {
            Datum::Text { traits, slot, at, len, print } => Some(Text { at, len, print, slot, traits }),
            _ => None,
        }
    }
}
